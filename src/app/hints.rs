//! Hints for whoever opens the window for the first time: one at a time, gone once it was done.

use std::collections::BTreeSet;

use egui::{Context, Frame, Margin, Panel, Ui};

use crate::app::action::{Action, PaneAction};
use crate::app::hold::Hand;
use crate::app::timeline::Look;

/// Seconds before the first hint, and from one to the next.
const PAUSE_SECS: f64 = 6.0;

/// Something that can be done here.
#[derive(Debug)]
struct Hint {
    id: &'static str,
    text: &'static str,
    /// Whether an action does it.
    is_done_by: fn(&Action) -> bool,
}

/// The hint that needs a loss with parameters.
const SLIDER: &str = "slider";

/// In the order in which they are given.
static HINTS: [Hint; 5] = [
    Hint {
        id: "loss",
        text: "Choose another loss at the top: the run goes on with the features it has.",
        is_done_by: |action| matches!(action, Action::ChooseLoss(_)),
    },
    Hint {
        id: SLIDER,
        text: "Drag a margin or a scale on the left while it trains.",
        is_done_by: |action| matches!(action, Action::Set { key, .. } if key.starts_with("loss.")),
    },
    Hint {
        id: "timeline",
        text: "Drag along the timeline below the picture to look back.",
        is_done_by: |action| {
            matches!(
                action,
                Action::Look(Look::At(_) | Look::By(_) | Look::Start)
            )
        },
    },
    Hint {
        id: "compare",
        text: "Compare, at the top, trains a second run beside this one.",
        is_done_by: |action| matches!(action, Action::Pane(PaneAction::Add)),
    },
    Hint {
        id: "hold",
        text: "Take a class weight by its label and drag it: training answers.",
        is_done_by: |action| matches!(action, Action::Hand(Hand::Take(_))),
    },
];

/// Which hints were followed or sent away.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// Kept between starts.
    pub done: BTreeSet<String>,
    /// When the next one comes; none before the first frame.
    due_at: Option<f64>,
    shown: Option<&'static Hint>,
}

impl Hints {
    /// Some are done already.
    pub(super) fn new(done: BTreeSet<String>) -> Self {
        Self {
            done,
            ..Self::default()
        }
    }

    /// What was done needs no hint any more.
    pub(super) fn note(&mut self, action: &Action) {
        let followed = HINTS.iter().filter(|hint| (hint.is_done_by)(action));
        self.done.extend(followed.map(|hint| hint.id.to_owned()));
    }

    fn next(&self, has_slider: bool) -> Option<&'static Hint> {
        let mut hints = HINTS.iter().filter(|hint| has_slider || hint.id != SLIDER);
        hints.find(|hint| !self.done.contains(hint.id))
    }

    /// The next hint, if its time has come.
    fn due(&mut self, ctx: &Context, now: f64, has_slider: bool) -> Option<&'static Hint> {
        let hint = self.next(has_slider)?;
        let due_at = *self.due_at.get_or_insert(now + PAUSE_SECS);
        if now < due_at {
            ctx.request_repaint_after_secs((due_at - now) as f32);
        }
        (now >= due_at).then_some(hint)
    }

    /// Shows the next hint when it is due, at the foot of a panel: the picture stays where it is.
    pub(super) fn ui(&mut self, ui: &mut Ui, has_slider: bool) {
        let (now, is_held) = ui.input(|input| (input.time, input.pointer.any_down()));
        if !is_held {
            // Nothing moves under a pointer that holds something.
            self.shown = self.due(ui.ctx(), now, has_slider);
        }
        let Some(hint) = self.shown else { return };
        let n_done = self.done.len();
        let frame = Frame::new().inner_margin(Margin::symmetric(0, 8));
        Panel::bottom("hint")
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| hint_ui(ui, hint, &mut self.done));
        if self.done.len() > n_done {
            self.due_at = Some(now + PAUSE_SECS);
        }
    }
}

fn hint_ui(ui: &mut Ui, hint: &Hint, done: &mut BTreeSet<String>) {
    ui.label(hint.text);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        if ui
            .button("Got it")
            .on_hover_text("The next hint comes in a while")
            .clicked()
        {
            done.insert(hint.id.to_owned());
        }
        if ui
            .button("No more hints")
            .on_hover_text(
                "Reset everything, in the menu at the end of the losses, brings them back",
            )
            .clicked()
        {
            done.extend(HINTS.iter().map(|hint| hint.id.to_owned()));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_come_in_order_and_go_once_they_were_followed() {
        let mut hints = Hints::default();
        let id = |hints: &Hints| hints.next(true).map(|hint| hint.id);
        assert_eq!(id(&hints), Some("loss"));
        hints.note(&Action::set("optimizer.batch", 64));
        assert_eq!(id(&hints), Some("loss"), "something else was done");
        hints.note(&Action::Pane(PaneAction::Add));
        hints.note(&Action::ChooseLoss(crate::loss::LOSSES[2]));
        assert_eq!(id(&hints), Some("slider"));
        let without_params = hints.next(false).map(|hint| hint.id);
        assert_eq!(without_params, Some("timeline"));
        hints.note(&Action::set("loss.margin", 0.4));
        hints.note(&Action::Look(Look::Start));
        assert_eq!(id(&hints), Some("hold"), "one was followed before it came");
        let again = Hints::new(hints.done.clone());
        assert_eq!(id(&again), Some("hold"), "kept between starts");
    }
}
