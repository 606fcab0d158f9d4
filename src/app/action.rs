//! What panels ask for. Widgets change nothing themselves: actions are carried out in one place.

use std::path::PathBuf;

use crate::experiment::ViewKind;
use crate::export::Length;
use crate::figure::{Picture, Plot};
use crate::loss::LossSpec;
use crate::scene::{Classes, Direction, Light, Show};
use crate::trainer::{Command, Speed, Subset};

/// One request of the user.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// To the worker as it is.
    Send(Command),
    /// Set a field of the experiment.
    Set {
        /// Full key.
        key: String,
        /// As in a file.
        value: String,
    },
    /// Go on with another loss, with the values it had when it was last in use.
    ChooseLoss(&'static LossSpec),
    /// Look at the features another way.
    View(ViewKind),
    /// Fit the view to the features again.
    Fit,
    /// Draw other samples.
    Show(Subset),
    /// Make steps so fast.
    Speed(Speed),
    /// Make them more slowly.
    Slower,
    /// Make them faster.
    Faster,
    /// Dark or light.
    Theme(egui::ThemePreference),
    /// From dark to light or back.
    ToggleTheme,
    /// Show or hide a part of the picture.
    Toggle(Part),
    /// Let some samples stand out.
    Light(Light),
    /// Draw the samples of these classes alone.
    Classes(Classes),
    /// Put a sample (index in the probe) under the lens.
    Keep(usize),
    /// Take the next sample, or the one before.
    Neighbor(Direction),
    /// Let the kept sample go.
    LetGo,
    /// The same, unless a list or a question is open, which goes first.
    Escape,
    /// Save the picture or a plot.
    Save(Saving),
    /// Copy the picture.
    CopyPicture,
    /// Copy the command line that makes this run.
    CopyCommand,
    /// Ask for a file and open it.
    Open,
    /// Open this file.
    OpenPath(PathBuf),
    /// Ask where the run is to be saved.
    SaveSession,
    /// Restore the run that was not ended, or forget it.
    AnswerCrash(bool),
    /// Show or hide the list of keys.
    ToggleKeys,
    /// Everything but the picture away, or back.
    TogglePresenter,
    /// Back to the state of a first start.
    Reset,
}

/// A part of the picture that can be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Tinted decision regions.
    Regions,
    /// Margin boundaries and gaps.
    Margins,
    /// The histogram around the circle.
    Histogram,
    /// Class weights.
    Weights,
    /// Where class weights would stand at their best.
    Ideal,
    /// Where samples came from.
    Trails,
    /// Where the loss pulls samples.
    Arrows,
    /// Lengths on circle and sphere.
    Lengths,
    /// The formula of the loss.
    Formula,
}

impl Part {
    /// Its switch.
    pub(super) fn of(self, show: &mut Show) -> &mut bool {
        match self {
            Self::Regions => &mut show.regions,
            Self::Margins => &mut show.margins,
            Self::Histogram => &mut show.histogram,
            Self::Weights => &mut show.weights,
            Self::Ideal => &mut show.ideal,
            Self::Trails => &mut show.trails,
            Self::Arrows => &mut show.arrows,
            Self::Lengths => &mut show.lengths,
            Self::Formula => &mut show.formula,
        }
    }
}

/// What is saved, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Saving {
    /// The picture, or one of the plots.
    pub plot: Plot,
    /// How large it is, and for what.
    pub framing: Framing,
    /// Where it goes.
    pub to: SaveTo,
}

impl Saving {
    /// The picture as it stands in the window.
    pub(super) const fn as_shown(to: SaveTo) -> Self {
        Self {
            plot: Plot::Features,
            framing: Framing::AsShown,
            to,
        }
    }
}

/// What a picture is saved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// As it stands in the window.
    AsShown,
    /// A column of a journal, 89 mm.
    Column,
    /// Two columns, 183 mm.
    Page,
    /// A slide of 16:9.
    Slide,
}

impl Framing {
    /// A picture that is seen in the window, for this.
    pub(super) fn of(self, shown: Picture) -> Picture {
        match self {
            Self::AsShown => shown,
            Self::Column => shown.on_paper(Length::Millimeters(89.0)),
            Self::Page => shown.on_paper(Length::Millimeters(183.0)),
            Self::Slide => shown.on_slide(),
        }
    }

    /// What a file is called after.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::AsShown => "",
            Self::Column => "-89mm",
            Self::Page => "-183mm",
            Self::Slide => "-slide",
        }
    }
}

/// Where a picture is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SaveTo {
    /// The user says where.
    Dialog,
    /// The user's folder for pictures.
    Pictures,
}

impl Action {
    /// A field with a value.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and names are said as they stand"
    )]
    pub(super) fn set(key: &str, value: impl ToString) -> Self {
        Self::Set {
            key: key.to_owned(),
            value: value.to_string(),
        }
    }
}
