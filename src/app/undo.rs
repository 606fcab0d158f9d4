//! Undo and redo of everything that controls and drags change, never of training: that is what the
//! timeline is for.

use std::sync::Arc;

use egui::util::undoer::{Settings, Undoer};

use crate::app::App;
use crate::app::hold::Moved;
use crate::app::overlay::Toast;
use crate::app::pane::{Pane, PaneId};
use crate::experiment::{Experiment, is_live};
use crate::scene::{Classes, Light, PlaneView, Show, SphereView};
use crate::trainer::{Command, Subset};

/// A drag or some quick clicks are one thing to undo: what stays so long, in seconds.
const STABLE_SECS: f32 = 0.4;

/// Everything that can be undone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    panes: Vec<Setup>,
    active: PaneId,
    show: Show,
    light: Light,
    classes: Classes,
    subset: Subset,
    sphere: SphereView,
    /// Where the user moved the plane; `None` while it follows the features by itself.
    plane: Option<PlaneView>,
    is_dark: bool,
    /// Drags of weights and features so far.
    n_moves: usize,
}

/// The experiment of a pane, equal to another where the values in force are.
#[derive(Clone, Debug)]
struct Setup {
    id: PaneId,
    in_force: Arc<[(String, String)]>,
    experiment: Arc<Experiment>,
}

impl PartialEq for Setup {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.in_force == other.in_force
    }
}

impl Setup {
    /// Of a pane; what is in force is taken from `known` where the experiment is the same.
    fn of(pane: &Pane, known: &[Self]) -> Self {
        let mut same = known
            .iter()
            .filter(|setup| Arc::ptr_eq(&setup.experiment, &pane.experiment));
        let in_force = same.next().map(|setup| Arc::clone(&setup.in_force));
        Self {
            id: pane.id,
            in_force: in_force.unwrap_or_else(|| pane.experiment.all_in_force().into()),
            experiment: Arc::clone(&pane.experiment),
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
    /// Those of the last frame.
    setups: Vec<Setup>,
}

impl Undo {
    /// Notes a drag that was made.
    pub(super) fn note_move(&mut self, moved: Moved) {
        self.moves.truncate(self.n_moves);
        self.moves.push(moved);
        self.n_moves += 1;
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
            setups: Vec::new(),
        }
    }
}

impl App {
    fn state(&self, ctx: &egui::Context) -> State {
        let view = self.view();
        let is_moved = !view.plane.is_following;
        let (panes, known) = (self.panes.all().iter(), &self.undo.setups);
        State {
            panes: panes.map(|pane| Setup::of(pane, known)).collect(),
            active: self.panes.active().id,
            show: view.show,
            light: view.light,
            classes: view.classes.clone(),
            subset: self.subset,
            sphere: view.sphere,
            plane: is_moved.then_some(view.plane),
            is_dark: ctx.theme() == egui::Theme::Dark,
            n_moves: self.undo.n_moves,
        }
    }

    /// Notes what can be undone; while something is dragged it is not done yet.
    pub(super) fn note_state(&mut self, ctx: &egui::Context) {
        if self.snapshot().is_none() || ctx.input(|input| input.pointer.any_down()) {
            return;
        }
        let state = self.state(ctx);
        self.undo.setups.clone_from(&state.panes);
        let now = ctx.input(|input| input.time);
        self.undo.undoer.feed_state(now, &state);
        self.undo.can = [
            self.undo.undoer.has_undo(&state),
            self.undo.undoer.has_redo(&state),
        ];
        if self.undo.undoer.is_in_flux() {
            ctx.request_repaint_after_secs(STABLE_SECS);
        }
    }

    pub(super) fn undo(&mut self, ctx: &egui::Context) {
        if self.draws() && self.draw.undo_stroke() {
            return; // it was done last, or at least it is what one looks at
        }
        self.stop_looking_back(); // settings are those of now
        let state = self.state(ctx);
        match self.undo.undoer.undo(&state).cloned() {
            Some(before) => self.restore(ctx, &state, &before),
            None => self.toast = Some(Toast::new(ctx, "Nothing to undo".to_owned())),
        }
    }

    pub(super) fn redo(&mut self, ctx: &egui::Context) {
        self.stop_looking_back();
        let state = self.state(ctx);
        match self.undo.undoer.redo(&state).cloned() {
            Some(after) => self.restore(ctx, &state, &after),
            None => self.toast = Some(Toast::new(ctx, "Nothing to redo".to_owned())),
        }
    }

    fn restore(&mut self, ctx: &egui::Context, now: &State, then: &State) {
        let has = |state: &State, id: PaneId| state.panes.iter().any(|setup| setup.id == id);
        for setup in now.panes.iter().filter(|setup| !has(then, setup.id)) {
            if let Some(at) = self.panes.index_of(setup.id) {
                self.panes.close(at);
            }
        }
        for setup in then.panes.iter().filter(|setup| !has(now, setup.id)) {
            self.panes.reopen(setup.id);
        }
        let order: Vec<PaneId> = then.panes.iter().map(|setup| setup.id).collect();
        self.panes.arrange(&order);
        for setup in &then.panes {
            if let Some(at) = self.panes.index_of(setup.id) {
                self.panes.activate(at);
                self.restore_setup(ctx, setup);
            }
        }
        self.restore_moves(then.n_moves);
        self.panes.activate_pane(then.active);
        let view = self.view_mut();
        view.show = then.show;
        view.light = then.light;
        view.classes.clone_from(&then.classes);
        view.sphere = then.sphere;
        view.plane = then.plane.unwrap_or_default();
        if self.subset != then.subset {
            self.show(then.subset);
        }
        if now.is_dark != then.is_dark {
            ctx.set_theme(if then.is_dark {
                egui::Theme::Dark
            } else {
                egui::Theme::Light
            });
        }
        self.link_views();
    }

    /// Takes drags back, or makes them again, until so many are made.
    fn restore_moves(&mut self, n_moves: usize) {
        let before = std::mem::replace(&mut self.undo.n_moves, n_moves);
        let is_back = n_moves < before;
        let (first, last) = (n_moves.min(before), n_moves.max(before));
        let Some(moves) = self.undo.moves.get(first..last).map(<[Moved]>::to_vec) else {
            return;
        };
        let in_order: Vec<&Moved> = if is_back {
            moves.iter().rev().collect()
        } else {
            moves.iter().collect()
        };
        for moved in in_order {
            if let Some(at) = self.panes.index_of(moved.pane) {
                self.panes.activate(at);
                self.repeat(moved, is_back);
            }
        }
    }

    /// Sets in the active pane what differs; the run goes on, unless it has to be another one.
    fn restore_setup(&mut self, ctx: &egui::Context, then: &Setup) {
        let now = self.panes.active().experiment.all_in_force();
        let is_new = |pair: &&(String, String)| !now.contains(pair);
        let changes: Vec<_> = then.in_force.iter().filter(is_new).collect();
        if changes.iter().all(|(key, _)| is_live(key)) {
            for (key, value) in changes {
                self.set(ctx, key, value);
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
    }
}
