//! Hints for whoever opens the window for the first time: one at a time, gone once it was done.

use std::collections::BTreeSet;

use egui::{Align2, Area, Id, Order, Pos2, Rect, Ui};

use crate::app::action::{Action, PaneAction};
use crate::app::hold::Hand;
use crate::app::overlay::card;
use crate::app::theme;
use crate::app::timeline::Look;

/// Seconds before the first hint, and from one to the next.
const PAUSE_SECS: f64 = 6.0;

/// Something that can be done here.
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
}

impl Hints {
    /// Some are done already.
    pub(super) fn new(done: BTreeSet<String>) -> Self {
        Self { done, due_at: None }
    }

    /// What was done needs no hint any more.
    pub(super) fn note(&mut self, action: &Action) {
        let followed = HINTS.iter().filter(|hint| (hint.is_done_by)(action));
        self.done.extend(followed.map(|hint| hint.id.to_owned()));
    }

    fn next(&self) -> Option<&'static Hint> {
        HINTS.iter().find(|hint| !self.done.contains(hint.id))
    }

    /// Shows the next hint when it is due.
    pub(super) fn ui(&mut self, ui: &Ui, rect: Rect) {
        let Some(hint) = self.next() else { return };
        let now = ui.input(|input| input.time);
        let due_at = *self.due_at.get_or_insert(now + PAUSE_SECS);
        if now < due_at {
            ui.ctx().request_repaint_after_secs((due_at - now) as f32);
            return;
        }
        let n_done = self.done.len();
        hint_ui(ui, rect, hint, &mut self.done);
        if self.done.len() > n_done {
            self.due_at = Some(now + PAUSE_SECS);
        }
    }
}

fn hint_ui(ui: &Ui, rect: Rect, hint: &Hint, done: &mut BTreeSet<String>) {
    const WIDTH: f32 = 210.0;
    Area::new(Id::unique("hint"))
        .order(Order::Middle)
        .pivot(Align2::LEFT_TOP)
        .fixed_pos(Pos2::new(rect.left() + 16.0, rect.top() + 60.0))
        .show(ui.ctx(), |ui| {
            card(ui).show(ui, |ui| {
                ui.set_width(WIDTH);
                ui.label(hint.text);
                ui.horizontal(|ui| {
                    if ui.button("Got it").clicked() {
                        done.insert(hint.id.to_owned());
                    }
                    let none = egui::RichText::new("No more hints").size(theme::size::NOTE);
                    if ui.button(none).clicked() {
                        done.extend(HINTS.iter().map(|hint| hint.id.to_owned()));
                    }
                });
            });
        });
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
