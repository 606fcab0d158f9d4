//! The window's state between two starts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use eframe::CreationContext;
use serde::{Deserialize, Serialize};

use crate::app::action::SheetChoice;
use crate::app::draw::Drawing;
use crate::app::files::Around;
use crate::app::lens::SplitPlace;
use crate::app::lessons::Progress;
use crate::app::new_view;
use crate::app::pane::Pane;
use crate::experiment::{Experiment, ViewKind};
use crate::scene::{Classes, Show, SphereView, ViewState};
use crate::trainer::{Speed, Subset};

/// Experiments of a session, as TOML: that of the first pane, and those beside it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Session {
    first: String,
    beside: Vec<String>,
    /// Which of all had the controls.
    #[serde(default)]
    active: usize,
}

impl Session {
    /// Of panes as they stand, of which one has the controls.
    pub(super) fn of(panes: &[Pane], active: usize) -> Self {
        let text = |pane: &Pane| {
            let mut experiment = pane.experiment.as_ref().clone();
            experiment.run.changes.clear();
            experiment.run.length = None; // it was asked for this time, not for every start
            experiment.to_toml()
        };
        let mut texts = panes.iter().map(text);
        Self {
            first: texts.next().unwrap_or_default(),
            beside: texts.collect(),
            active,
        }
    }

    /// What stands around the pane that has the controls.
    pub(super) fn around_active(self) -> Around<String> {
        let mut experiments = self.beside;
        experiments.insert(0, self.first);
        let at = self.active.min(experiments.len() - 1);
        experiments.remove(at);
        Around { at, experiments }
    }
}

/// What is kept between starts. Where the plane stands is not: a start trains anew, and its
/// features have another size.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pub(super) session: Option<Session>,
    pub(super) remembered: Remembered,
    pub(super) show: Option<Show>,
    pub(super) sphere: Option<SphereView>,
    pub(super) subset: Subset,
    pub(super) classes: Classes,
    pub(super) is_presenting: bool,
    /// Size of everything outside presenter view; 0 where it is not known.
    pub(super) zoom: f32,
    pub(super) sheet: SheetChoice,
    pub(super) speed: Speed,
    /// The sample under the lens.
    pub(super) sample: Option<SplitPlace>,
    pub(super) drawing: Drawing,
    /// Hints that were followed or sent away.
    pub(super) hints: BTreeSet<String>,
    pub(super) progress: Progress,
    /// Files that were opened, the newest first.
    pub(super) recent: Vec<PathBuf>,
}

impl Kept {
    pub(super) fn of(cc: &CreationContext<'_>) -> Self {
        let kept: Self = cc
            .storage
            .and_then(|storage| eframe::get_value(storage, eframe::APP_KEY))
            .unwrap_or_default(); // what an older version kept is left
        if kept.zoom > 0.0 {
            cc.egui_ctx.set_zoom_factor(kept.zoom); // egui itself keeps that of presenter view
        }
        kept
    }

    /// The experiment of the last session; a start never waits for files.
    pub(super) fn last(&self) -> Option<Experiment> {
        read(&self.session.as_ref()?.first)
    }

    /// Those of the panes beside it.
    pub(super) fn last_beside(&self) -> Vec<Experiment> {
        let beside = self.session.iter().flat_map(|session| &session.beside);
        beside.filter_map(|text| read(text)).collect()
    }

    /// Which pane had the controls then.
    pub(super) fn last_active(&self) -> Option<usize> {
        Some(self.session.as_ref()?.active)
    }

    /// Drops what belongs to the data of the last session.
    pub(super) fn forget_data(&mut self) {
        self.classes = Classes::default();
        self.sample = None;
    }

    pub(super) fn view(&self, kind: ViewKind) -> ViewState {
        let mut view = new_view(kind);
        view.show = self.show.unwrap_or(view.show);
        view.sphere = self.sphere.unwrap_or(view.sphere);
        view.classes = self.classes.clone();
        view
    }
}

fn read(text: &str) -> Option<Experiment> {
    let last = Experiment::from_toml(text, "last session").ok()?;
    (!last.data.awaits_reading()).then_some(last)
}

/// Values set by hand, by loss and parameter.
pub(super) type Remembered = BTreeMap<String, BTreeMap<String, f64>>;
