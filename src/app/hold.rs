//! Class weights and free features that the pointer drags, and class weights that are pinned.

use crate::app::App;
use crate::app::pane::PaneId;
use crate::experiment::{Placed, Placement};
use crate::scene::{Held, weight_factor};
use crate::trainer::{Command, Snapshot};

/// What the pointer does with what it holds, and controls in its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hand {
    /// Takes hold of it.
    Take(Held),
    /// Puts it there, `[dim]`.
    Put(Vec<f32>),
    /// Lets it go.
    LetGo,
    /// Lets it go where it was taken.
    LetBack,
    /// Puts something somewhere by a control.
    Place(Placement),
    /// Holds the weight of a class where it is, or lets it be trained.
    Pin(usize, bool),
}

/// A drag under way.
#[derive(Clone, Debug)]
pub(super) struct Drag {
    pane: PaneId,
    what: Placed,
    from: Vec<f32>,
    to: Vec<f32>,
    /// Whether it stays where it is afterwards, as it did before.
    was_pinned: bool,
}

/// A drag that was made, to be undone.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    pub pane: PaneId,
    what: Placed,
    from: Vec<f32>,
    to: Vec<f32>,
    /// Whether its run has ended: it is neither undone nor made again.
    pub is_over: bool,
}

impl Moved {
    /// Whether another drag in the same run moved the same.
    pub(super) fn is_of_same(&self, other: &Self) -> bool {
        self.pane == other.pane && self.what == other.what && !self.is_over
    }

    /// Goes on to where another drag went.
    pub(super) fn go_on(&mut self, other: Self) {
        self.to = other.to;
    }

    /// Where it was before the drag, or where that put it.
    pub(super) fn placement(&self, is_back: bool) -> Placement {
        let to = if is_back { &self.from } else { &self.to };
        Placement {
            what: self.what,
            to: to.clone(),
        }
    }
}

impl App {
    pub(super) fn hand(&mut self, ctx: &egui::Context, hand: Hand) {
        if let Some(drag) = &self.drag {
            self.panes.activate_pane(drag.pane); // whoever has the controls meanwhile
        }
        match hand {
            Hand::Take(held) => self.take_hold(ctx, held),
            Hand::Put(to) => self.put(to),
            Hand::LetGo => self.let_go(ctx),
            Hand::LetBack => self.let_back(ctx),
            Hand::Place(placement) => self.place_by_control(ctx, &placement),
            Hand::Pin(class, is_pinned) => self.set_pinned(ctx, Placed::Weight(class), is_pinned),
        }
    }

    fn take_hold(&mut self, ctx: &egui::Context, held: Held) {
        let Some((what, from)) = self.snapshot().and_then(|snapshot| found(snapshot, held)) else {
            return;
        };
        let was_pinned = match what {
            Placed::Weight(class) => self.experiment().hold.pinned.contains(&class),
            Placed::Feature(_) => false,
        };
        self.drag = Some(Drag {
            pane: self.panes.active().id,
            what,
            to: from.clone(),
            from,
            was_pinned,
        });
        let picture = &self.panes.active().picture;
        let factor = self.snapshot().zip(picture.size());
        let factor = factor.and_then(|(seen, size)| weight_factor(seen, &picture.view, size));
        let view = self.view_mut();
        (view.held, view.held_factor) = (Some(held), factor);
        // Training must not pull away what the hand holds.
        self.set_pinned(ctx, what, true);
    }

    fn put(&mut self, to: Vec<f32>) {
        let Some(drag) = self.drag.as_mut().filter(|drag| drag.to != to) else {
            return;
        };
        drag.to.clone_from(&to);
        let what = drag.what;
        self.place(&Placement { what, to });
    }

    fn let_go(&mut self, ctx: &egui::Context) {
        let view = self.view_mut();
        (view.held, view.held_factor) = (None, None);
        let Some(drag) = self.drag.take() else {
            return;
        };
        self.set_pinned(ctx, drag.what, drag.was_pinned);
        if drag.to != drag.from {
            self.note_move(ctx, drag.what, drag.from, drag.to);
        }
    }

    /// Ends the drag; what was dragged goes back where it was.
    fn let_back(&mut self, ctx: &egui::Context) {
        if let Some(from) = self.drag.as_ref().map(|drag| drag.from.clone()) {
            self.put(from);
        }
        self.let_go(ctx);
    }

    /// Notes a drag in the active pane.
    fn note_move(&mut self, ctx: &egui::Context, what: Placed, from: Vec<f32>, to: Vec<f32>) {
        let moved = Moved {
            pane: self.panes.active().id,
            what,
            from,
            to,
            is_over: false,
        };
        self.undo.note_move(ctx, moved);
    }

    /// Puts something somewhere in the run of the active pane.
    pub(super) fn place(&mut self, placement: &Placement) {
        let next = self.experiment().clone();
        let command = Command::set(placement.what.key(), placement.value());
        self.change(command, next);
    }

    /// The same by a control, which is undone like a drag.
    fn place_by_control(&mut self, ctx: &egui::Context, placement: &Placement) {
        let Placed::Weight(class) = placement.what else {
            return;
        };
        let from = self.snapshot().and_then(|s| found(s, Held::Weight(class)));
        if let Some((what, from)) = from {
            self.place(placement);
            self.note_move(ctx, what, from, placement.to.clone());
        }
    }

    fn set_pinned(&mut self, ctx: &egui::Context, what: Placed, is_pinned: bool) {
        let Placed::Weight(class) = what else { return };
        let mut pinned = self.experiment().hold.pinned.clone();
        let has_changed = if is_pinned {
            pinned.insert(class)
        } else {
            pinned.remove(&class)
        };
        if has_changed {
            let pinned: Vec<String> = pinned.iter().map(ToString::to_string).collect();
            self.set(ctx, "hold.pinned", &pinned.join(","));
        }
    }
}

/// What is held and where it is.
fn found(snapshot: &Snapshot, held: Held) -> Option<(Placed, Vec<f32>)> {
    Some((held.placed(snapshot)?, held.vector(snapshot)?.to_vec()))
}
