//! The window's state between two starts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use eframe::CreationContext;
use serde::{Deserialize, Serialize};

use crate::app::action::SheetChoice;
use crate::app::lessons::Progress;
use crate::app::new_view;
use crate::experiment::{Experiment, ViewKind};
use crate::scene::{Classes, Show, SphereView, ViewState};
use crate::trainer::Subset;

/// What is kept between starts. Where the plane stands is not: a start trains anew, and its
/// features have another size.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// As TOML.
    pub(super) experiment: Option<String>,
    pub(super) remembered: Remembered,
    pub(super) show: Option<Show>,
    pub(super) sphere: Option<SphereView>,
    pub(super) subset: Subset,
    pub(super) classes: Classes,
    pub(super) is_presenting: bool,
    pub(super) sheet: SheetChoice,
    pub(super) progress: Progress,
    /// Files that were opened, the newest first.
    pub(super) recent: Vec<PathBuf>,
}

impl Kept {
    pub(super) fn of(cc: &CreationContext<'_>) -> Self {
        cc.storage
            .and_then(|storage| eframe::get_value(storage, eframe::APP_KEY))
            .unwrap_or_default() // what an older version kept is left
    }

    /// The experiment of the last session; a start never waits for files.
    pub(super) fn last(&self) -> Option<Experiment> {
        let last = Experiment::from_toml(self.experiment.as_ref()?, "last session").ok()?;
        (!last.data.awaits_reading()).then_some(last)
    }

    pub(super) fn view(&self, kind: ViewKind) -> ViewState {
        let mut view = new_view(kind);
        view.show = self.show.unwrap_or(view.show);
        view.sphere = self.sphere.unwrap_or(view.sphere);
        view.classes = self.classes.clone();
        view
    }
}

/// Values set by hand, by loss and parameter.
pub(super) type Remembered = BTreeMap<String, BTreeMap<String, f64>>;
