//! Undo and redo of everything that controls and drags change, never of training: that is what the
//! timeline is for.

use std::sync::Arc;

use egui::util::undoer::{Settings, Undoer};

use crate::app::draw::Strokes;
use crate::app::hold::Moved;
use crate::app::overlay::Toast;
use crate::app::pane::{Pane, PaneId};
use crate::app::{App, set_dark};
use crate::experiment::Experiment;
use crate::scene::{Classes, Light, PlaneView, Show, SphereView};
use crate::trainer::{Command, Subset};

/// A drag or some quick clicks are one thing to undo: what stays so long, in seconds.
const STABLE_SECS: f32 = 0.4;

/// Everything that can be undone. Which pane has the controls is no part of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    panes: Vec<Setup>,
    show: Show,
    light: Light,
    classes: Classes,
    subset: Subset,
    sphere: SphereView,
    is_dark: bool,
    /// What is drawn by hand, while its card is open.
    drawing: Option<Strokes>,
    /// Drags of weights and features so far.
    n_moves: usize,
}

/// A pane as it is set; equal to another where all settings are, and those left to their default.
#[derive(Clone, Debug)]
struct Setup {
    id: PaneId,
    experiment: Arc<Experiment>,
    /// Where the user moved the plane; `None` while it follows the features by itself.
    plane: Option<PlaneView>,
}

impl PartialEq for Setup {
    fn eq(&self, other: &Self) -> bool {
        let is_same = Arc::ptr_eq(&self.experiment, &other.experiment);
        self.id == other.id
            && self.plane == other.plane
            && (is_same || self.experiment.is_set_as(&other.experiment))
    }
}

impl Setup {
    fn of(pane: &Pane) -> Self {
        let plane = pane.picture.view.plane;
        Self {
            id: pane.id,
            experiment: Arc::clone(&pane.experiment),
            plane: (!plane.is_following).then_some(plane),
        }
    }
}

impl State {
    fn has(&self, id: PaneId) -> bool {
        self.panes.iter().any(|setup| setup.id == id)
    }

    /// The pane in which it differs from another: the active one if that does.
    fn differing(&self, other: &Self, active: PaneId) -> PaneId {
        let differ = |setup: &&Setup| !other.panes.contains(setup);
        let mut ids = self.panes.iter().filter(differ).map(|setup| setup.id);
        let first = ids.next().unwrap_or(active);
        if ids.any(|id| id == active) {
            active
        } else {
            first
        }
    }
}

/// What was done, and what was undone.
pub(super) struct Undo {
    undoer: Undoer<State>,
    /// Whether there was something to undo in the last frame, and to redo.
    pub(super) can: [bool; 2],
    /// Drags that were made, the first of which are not undone.
    moves: Vec<Moved>,
    n_moves: usize,
    /// What was drawn in the last frame.
    drawing: Option<Strokes>,
    /// When the last one was noted, in seconds.
    moved_at: f64,
}

impl Undo {
    /// Notes a drag that was made; what a control moves bit by bit is one.
    pub(super) fn note_move(&mut self, ctx: &egui::Context, moved: Moved) {
        let (now, press) = ctx.input(|input| {
            let press = input.pointer.press_start_time();
            (input.time, press.filter(|_| input.pointer.any_down()))
        });
        let since = press.unwrap_or(now).min(now - f64::from(STABLE_SECS));
        let goes_on = self.moved_at >= since;
        self.moved_at = now;
        self.moves.truncate(self.n_moves);
        match self.moves.last_mut() {
            Some(last) if goes_on && last.is_of_same(&moved) => last.go_on(moved),
            _ => self.moves.push(moved),
        }
        self.n_moves = self.moves.len();
    }

    /// Forgets the drags in a run that ends: another one has other weights.
    pub(super) fn end_run(&mut self, pane: PaneId) {
        for moved in self.moves.iter_mut().filter(|moved| moved.pane == pane) {
            moved.is_over = true;
        }
    }

    /// The drags that lie between two states.
    fn moves_between(&self, a: &State, b: &State) -> &[Moved] {
        let (first, last) = (a.n_moves.min(b.n_moves), a.n_moves.max(b.n_moves));
        self.moves.get(first..last).unwrap_or_default()
    }

    /// Whether two states differ in nothing but drags in runs that have ended.
    fn are_alike(&self, a: &State, b: &State) -> bool {
        let is_over = self.moves_between(a, b).iter().all(|moved| moved.is_over);
        let n_moves = a.n_moves;
        is_over
            && *a
                == State {
                    n_moves,
                    ..b.clone()
                }
    }
}

impl Default for Undo {
    fn default() -> Self {
        let settings = Settings {
            stable_time: STABLE_SECS,
            ..Settings::default()
        };
        Self {
            undoer: Undoer::with_settings(settings),
            can: [false; 2],
            moves: Vec::new(),
            n_moves: 0,
            drawing: None,
            moved_at: f64::NEG_INFINITY,
        }
    }
}

impl App {
    fn state(&self, ctx: &egui::Context) -> State {
        let view = self.view();
        State {
            panes: self.panes.all().iter().map(Setup::of).collect(),
            show: view.show,
            light: view.light,
            classes: view.classes.clone(),
            subset: self.subset,
            sphere: view.sphere,
            is_dark: ctx.theme() == egui::Theme::Dark,
            drawing: self.draw.shown().cloned(),
            n_moves: self.undo.n_moves,
        }
    }

    /// Notes what can be undone; while something is dragged it is not done yet.
    pub(super) fn note_state(&mut self, ctx: &egui::Context) {
        let is_held = ctx.input(|input| input.pointer.any_down()) || self.draw.is_pen_down();
        if self.snapshot().is_none() || is_held {
            return;
        }
        let state = self.state(ctx);
        let now = ctx.input(|input| input.time);
        self.undo.undoer.feed_state(now, &state);
        if self.undo.drawing != state.drawing {
            self.undo.undoer.add_undo(&state); // every stroke is a thing of its own
            self.undo.drawing.clone_from(&state.drawing);
        }
        self.undo.can = [
            self.undo.undoer.has_undo(&state),
            self.undo.undoer.has_redo(&state),
        ];
        if self.undo.undoer.is_in_flux() {
            ctx.request_repaint_after_secs(STABLE_SECS);
        }
    }

    pub(super) fn undo(&mut self, ctx: &egui::Context) {
        self.turn(ctx, "Nothing to undo", |undoer, now| {
            undoer.undo(now).cloned()
        });
    }

    pub(super) fn redo(&mut self, ctx: &egui::Context) {
        self.turn(ctx, "Nothing to redo", |undoer, now| {
            undoer.redo(now).cloned()
        });
    }

    /// Goes to the state before, or after, past those that do not differ any more.
    fn turn(
        &mut self,
        ctx: &egui::Context,
        without: &str,
        next: impl Fn(&mut Undoer<State>, &State) -> Option<State>,
    ) {
        self.stop_looking_back(); // settings are those of now
        let mut now = self.state(ctx);
        while let Some(then) = next(&mut self.undo.undoer, &now) {
            if !self.undo.are_alike(&now, &then) {
                return self.restore(ctx, &now, &then);
            }
            self.undo.n_moves = then.n_moves;
            now = then;
        }
        let words = if self.panes.is_aside() {
            format!("{without} in this lesson; Esc brings your own runs back")
        } else {
            without.to_owned()
        };
        self.toast = Some(Toast::new(ctx, words));
    }

    fn restore(&mut self, ctx: &egui::Context, now: &State, then: &State) {
        let focus = then.differing(now, self.panes.active().id);
        self.restore_panes(ctx, now, then);
        for setup in &then.panes {
            if let Some(at) = self.panes.index_of(setup.id) {
                self.panes.activate(at);
                self.restore_setup(ctx, setup);
            }
        }
        self.panes.activate_pane(focus);
        self.restore_moves(now, then);
        let view = self.view_mut();
        view.show = then.show;
        view.light = then.light;
        view.classes.clone_from(&then.classes);
        view.sphere = then.sphere;
        if self.subset != then.subset {
            self.show(then.subset);
        }
        if now.is_dark != then.is_dark {
            set_dark(ctx, then.is_dark);
        }
        self.draw.show(then.drawing.as_ref());
        self.undo.drawing.clone_from(&then.drawing);
        self.link_views(ctx);
    }

    /// Closes panes and brings panes back. Of one that was closed too long ago only the experiment is
    /// left: it begins anew.
    fn restore_panes(&mut self, ctx: &egui::Context, now: &State, then: &State) {
        for setup in now.panes.iter().filter(|setup| !then.has(setup.id)) {
            if let Some(at) = self.panes.index_of(setup.id) {
                self.panes.close(at);
            }
        }
        let mut n_anew = 0;
        for setup in then.panes.iter().filter(|setup| !now.has(setup.id)) {
            if !self.panes.reopen(setup.id) {
                self.panes.revive(setup.id, &setup.experiment);
                n_anew += 1;
            }
        }
        let ids: Vec<PaneId> = then.panes.iter().map(|setup| setup.id).collect();
        self.panes.order_as(&ids);
        if n_anew > 0 {
            let words = "A pane that comes back begins anew: its run was not kept";
            self.toast = Some(Toast::new(ctx, words.to_owned()));
        }
    }

    /// Takes drags back, or makes them again, wherever training has led what was dragged since.
    fn restore_moves(&mut self, now: &State, then: &State) {
        let is_back = then.n_moves < now.n_moves;
        let mut moves = self.undo.moves_between(now, then).to_vec();
        self.undo.n_moves = then.n_moves;
        if is_back {
            moves.reverse();
        }
        for moved in moves.iter().filter(|moved| !moved.is_over) {
            let Some(at) = self.panes.index_of(moved.pane) else {
                continue;
            };
            self.panes.activate(at);
            self.place(&moved.placement(is_back));
        }
    }

    /// Sets in the active pane what differs; the run goes on, unless it has to be another one.
    fn restore_setup(&mut self, ctx: &egui::Context, then: &Setup) {
        let now = Setup::of(self.panes.active());
        if let Some(way) = now.experiment.way_to(&then.experiment) {
            for (key, value) in way {
                self.set(ctx, &key, &value);
            }
        } else {
            let mut experiment = then.experiment.as_ref().clone();
            experiment.run.changes.clear();
            let was_playing = self.panes.active().is_playing();
            self.load(experiment);
            if was_playing {
                self.panes.active_mut().worker.send(Command::Play);
            }
        }
        if now.plane != then.plane {
            self.view_mut().plane = then.plane.unwrap_or_default();
        }
    }
}
