//! What panels ask for. Widgets change nothing themselves: actions are carried out in one place.

use std::path::PathBuf;

use crate::app::hold::Hand;
use crate::app::lessons::Lecture;
use crate::app::saver::Table;
use crate::app::timeline::{Look, Recording};
use crate::data::DataSpec;
use crate::experiment::ViewKind;
use crate::export::Length;
use crate::figure::{Film, Picture, Plot, Scale, Strip};
use crate::loss::LossSpec;
use crate::scene::{Classes, Direction, Light, Show};
use crate::trainer::{Command, Snapshot, Speed, Subset};

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
    /// Save numbers of the run.
    SaveTable(Table),
    /// Copy the picture.
    CopyPicture,
    /// Copy the command line that makes this run.
    CopyCommand,
    /// What is saved or copied from now on has this.
    Sheet(SheetChoice),
    /// Ask for a file and open it.
    Open,
    /// Open this file.
    OpenPath(PathBuf),
    /// Show the page for own data.
    Import,
    /// Open the page of paper figures.
    Gallery,
    /// Of lessons and failures.
    Lecture(Lecture),
    /// Start a run on own data, with this seed.
    Train(Box<DataSpec>, u64),
    /// Ask where the run is to be saved.
    SaveSession,
    /// Restore the run that was not ended, or forget it.
    AnswerCrash(bool),
    /// Show a recorded moment.
    Look(Look),
    /// Something with what was recorded.
    Recording(Recording),
    /// Something with the panes.
    Pane(PaneAction),
    /// What a hand does with weights and features.
    Hand(Hand),
    /// Take the last change back.
    Undo,
    /// Make it again.
    Redo,
    /// Show or hide the list of keys.
    ToggleKeys,
    /// Everything but the picture away, or back.
    TogglePresenter,
    /// Show or hide the card to draw a digit on.
    ToggleDraw,
    /// Everything dark but a circle about the pointer, or not.
    ToggleSpotlight,
    /// Ask whether everything goes back to the state of a first start.
    Reset,
    /// Back to that state, or not.
    AnswerReset(bool),
}

/// What becomes of a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PaneAction {
    /// Make one from that which has the controls.
    Add,
    /// Close it.
    Close(usize),
    /// Give it the controls.
    Activate(usize),
    /// Give the next one the controls.
    Next,
    /// Play or pause it alone.
    Toggle(usize),
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

/// What whatever is saved or copied has, until it is chosen otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct SheetChoice {
    /// Nothing lies behind it.
    pub transparent: bool,
    /// Samples are pixels inside a vector file.
    pub raster_points: bool,
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
    /// The training so far, as a film.
    Film,
    /// Once around the sphere, as a film.
    Orbit,
    /// Moments of the training so far, side by side.
    StripOverTime,
    /// Runs as long as this one, over the margins of the slider.
    StripOverMargin,
}

impl Framing {
    /// A picture that is seen in the window, for this.
    pub(super) fn of(self, shown: Picture) -> Picture {
        match self {
            Self::AsShown => shown,
            Self::Column => shown.on_paper(Length::Millimeters(89.0)),
            Self::Page => shown.on_paper(Length::Millimeters(183.0)),
            Self::Slide => shown.on_slide(),
            Self::Film => shown.on_screen(Film::default()),
            Self::Orbit => shown.on_screen(Film::orbit(60)),
            Self::StripOverTime | Self::StripOverMargin => {
                shown.on_paper(Length::Millimeters(183.0))
            }
        }
    }

    /// The panels that it has, if it has some.
    pub(super) fn strip(self, snapshot: &Snapshot) -> Option<Strip> {
        match self {
            Self::StripOverTime => Some(strip_over_time(snapshot.step)),
            Self::StripOverMargin => strip_over_margin(snapshot.head.spec.0),
            _ => None,
        }
    }

    /// Whether the steps have to be made once more for it.
    pub(super) fn is_replayed(self) -> bool {
        matches!(
            self,
            Self::Film | Self::StripOverTime | Self::StripOverMargin
        )
    }

    /// The end of a file's name for it.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::AsShown | Self::Slide => "png",
            Self::Film | Self::Orbit => "gif",
            Self::Column | Self::Page | Self::StripOverTime | Self::StripOverMargin => "pdf",
        }
    }

    /// What a file is called after.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::AsShown => "",
            Self::Column => "-89mm",
            Self::Page => "-183mm",
            Self::Slide => "-slide",
            Self::Film => "-film",
            Self::Orbit => "-orbit",
            Self::StripOverTime | Self::StripOverMargin => "-strip",
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

/// The start, the end and what lies between, by equal factors: most happens early.
fn strip_over_time(last: u64) -> Strip {
    const N_BETWEEN: i32 = 3;
    let ratio = (last.max(1) as f64).powf(1.0 / f64::from(N_BETWEEN + 1));
    let mut steps: Vec<u64> = (2..=N_BETWEEN + 1)
        .map(|i| ratio.powi(i).round() as u64)
        .chain([0, last])
        .collect();
    steps.sort_unstable();
    steps.dedup();
    if steps.len() == 1 {
        steps.push(1);
    }
    Strip::over_time(&steps)
}

/// The margins that its slider spans; `None` for a loss without one.
pub(super) fn strip_over_margin(spec: &LossSpec) -> Option<Strip> {
    const N_PANELS: usize = 4;
    let param = spec.params.iter().find(|param| param.id == "margin")?;
    let (least, most) = (*param.slider.start(), *param.slider.end());
    let value = |i: usize| {
        let value = least + (most - least) * i as f64 / (N_PANELS - 1) as f64;
        let digits = if param.is_integer { 1.0 } else { 100.0 };
        ((value * digits).round() / digits).to_string()
    };
    Some(Strip {
        key: format!("loss.{}", param.id),
        values: (0..N_PANELS).map(value).collect(),
        scale: Scale::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::LOSSES;

    #[test]
    fn strips_begin_at_the_start_and_differ() {
        assert_eq!(
            strip_over_time(10_000).values,
            ["0", "100", "1000", "10000"]
        );
        for last in [0, 1, 2, 3, 1404] {
            let strip = strip_over_time(last);
            assert!(strip.values.len() >= 2, "{last}: {strip:?}");
        }
        for spec in LOSSES {
            if let Some(strip) = strip_over_margin(spec) {
                let mut values = strip.values.clone();
                values.dedup();
                assert_eq!(values.len(), 4, "{}: {strip:?}", spec.id);
            }
        }
    }
}
