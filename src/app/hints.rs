//! Hints for whoever opens the window for the first time: one at a time, gone once it was done.

use std::collections::BTreeSet;

use egui::{Context, Frame, Panel, Ui};

use crate::app::action::{Action, PaneAction};
use crate::app::hold::Hand;
use crate::app::timeline::Look;

/// Seconds before the first hint, and from one to the next.
const PAUSE_SECS: f64 = 6.0;

/// Height of the bar that a hint stands in.
const HEIGHT: f32 = 40.0;

/// Something that can be done here.
#[derive(Debug)]
struct Hint {
    id: &'static str,
    text: &'static str,
    /// Whether an action does it.
    is_done_by: fn(&Action) -> bool,
}

/// In the order in which they are given.
static HINTS: [Hint; 5] = [
    Hint {
        id: "loss",
        text: "Choose another loss at the top: the run goes on with the features it has.",
        is_done_by: |action| matches!(action, Action::ChooseLoss(_)),
    },
    Hint {
        id: "slider",
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

    fn next(&self) -> Option<&'static Hint> {
        HINTS.iter().find(|hint| !self.done.contains(hint.id))
    }

    /// The next hint, if its time has come.
    fn due(&mut self, ctx: &Context, now: f64) -> Option<&'static Hint> {
        let hint = self.next()?;
        let due_at = *self.due_at.get_or_insert(now + PAUSE_SECS);
        if now < due_at {
            ctx.request_repaint_after_secs((due_at - now) as f32);
        }
        (now >= due_at).then_some(hint)
    }

    /// Shows the next hint when it is due, in a bar of its own: nothing is covered.
    pub(super) fn ui(&mut self, ui: &mut Ui, frame: Frame) {
        let (now, is_held) = ui.input(|input| (input.time, input.pointer.any_down()));
        if !is_held {
            self.shown = self.due(ui.ctx(), now); // nothing moves under a pointer that holds something
        }
        let Some(hint) = self.shown else { return };
        let n_done = self.done.len();
        Panel::bottom("hint")
            .exact_size(HEIGHT)
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| {
                ui.horizontal_centered(|ui| hint_ui(ui, hint, &mut self.done));
            });
        if self.done.len() > n_done {
            self.due_at = Some(now + PAUSE_SECS);
        }
    }
}

fn hint_ui(ui: &mut Ui, hint: &Hint, done: &mut BTreeSet<String>) {
    ui.label(hint.text);
    ui.add_space(8.0);
    if ui
        .button("Got it")
        .on_hover_text("The next hint comes in a while")
        .clicked()
    {
        done.insert(hint.id.to_owned());
    }
    if ui
        .button("No more hints")
        .on_hover_text("Reset everything, under More, brings them back")
        .clicked()
    {
        done.extend(HINTS.iter().map(|hint| hint.id.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_come_in_order_and_go_once_they_were_followed() {
        let mut hints = Hints::default();
        let id = |hints: &Hints| hints.next().map(|hint| hint.id);
        assert_eq!(id(&hints), Some("loss"));
        hints.note(&Action::set("optimizer.batch", 64));
        assert_eq!(id(&hints), Some("loss"), "something else was done");
        hints.note(&Action::Pane(PaneAction::Add));
        hints.note(&Action::ChooseLoss(crate::loss::LOSSES[2]));
        assert_eq!(id(&hints), Some("slider"));
        hints.note(&Action::set("loss.margin", 0.4));
        hints.note(&Action::Look(Look::Start));
        assert_eq!(id(&hints), Some("hold"), "one was followed before it came");
        let again = Hints::new(hints.done.clone());
        assert_eq!(id(&again), Some("hold"), "kept between starts");
    }
}
