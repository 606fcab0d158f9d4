//! A run with how it is looked at, and several of them side by side.

use std::sync::Arc;

use crate::app::picture::Picture;
use crate::experiment::{Experiment, ViewKind};
use crate::scene::ViewState;
use crate::trainer::{Command, LaneId, Moment, Snapshot, Worker};

/// Most panes: more are too small to be read from a bench.
pub(super) const MOST_PANES: usize = 6;

/// Names a pane as long as the window is open, also after it was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PaneId(u32);

/// A run with how it is looked at.
pub(super) struct Pane {
    /// Stays the same when others are closed.
    pub id: PaneId,
    /// The run.
    pub worker: Worker,
    /// With the view.
    pub picture: Picture,
    /// The experiment with every change that was said, ahead of the snapshot by a frame or two.
    pub experiment: Arc<Experiment>,
    /// Number of the last command that changed it; snapshots from before are behind.
    pub last_change: u64,
    /// Number of the last refused command that was shown.
    last_refusal: u64,
    /// Snapshots from before this command show another way of the run.
    last_turn: u64,
    newest: Option<Arc<Snapshot>>,
    /// A recorded moment that is looked at in the place of the newest.
    past: Option<Past>,
}

/// A recorded moment.
struct Past {
    moment: Moment,
    snapshot: Arc<Snapshot>,
    /// The view that was chosen meanwhile: to look at it another way is no change of the run.
    kind: Option<ViewKind>,
}

/// What the newest snapshot brought.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Whether another snapshot is there.
    pub is_newer: bool,
    /// Why the last command was not carried out, once.
    pub refusal: Option<String>,
    /// Whether samples are of other data than before.
    pub has_other_data: bool,
}

impl Pane {
    /// Before its first snapshot.
    pub(super) fn new(worker: Worker, experiment: Experiment, view: ViewState) -> Self {
        Self {
            id: PaneId(0),
            worker,
            picture: Picture::new(view),
            experiment: Arc::new(experiment),
            last_change: 0,
            last_refusal: 0,
            last_turn: 0,
            newest: None,
            past: None,
        }
    }

    /// The same run once more, which goes its own way from the moment that is looked at.
    fn twin(&self, id: PaneId) -> Self {
        // Its worker counts its own commands, of which the copied snapshot has seen none.
        let newest = self.newest.as_deref().cloned().map(|newest| {
            Arc::new(Snapshot {
                n_commands: 0,
                ..newest
            })
        });
        let mut twin = Self {
            id,
            worker: self.worker.twin(),
            picture: Picture::new(self.picture.view.clone()),
            experiment: Arc::clone(&self.experiment),
            last_change: 0,
            last_refusal: 0,
            last_turn: 0,
            newest,
            past: None,
        };
        if let Some(past) = &self.past {
            twin.go_on_from(past.moment, Arc::clone(&past.snapshot));
        }
        twin
    }

    /// What is drawn: the newest snapshot, or the recorded moment that is looked at.
    pub(super) fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        let past = self.past.as_ref().map(|past| &past.snapshot);
        past.or(self.newest.as_ref())
    }

    /// The newest snapshot.
    pub(super) fn newest(&self) -> Option<&Arc<Snapshot>> {
        self.newest.as_ref()
    }

    /// The experiment as it stands at the moment that is looked at.
    pub(super) fn experiment(&self) -> &Arc<Experiment> {
        let past = self.past.as_ref().map(|past| &past.snapshot.experiment);
        past.unwrap_or(&self.experiment)
    }

    /// Whether steps are being made.
    pub(super) fn is_playing(&self) -> bool {
        self.newest.as_ref().is_none_or(|newest| newest.is_playing)
    }

    /// Whether it trains, or is on its way back to a moment, from which it may train on.
    pub(super) fn is_moving(&self) -> bool {
        let newest = self.worker.snapshot();
        let turns = newest.is_some_and(|newest| newest.n_commands < self.last_turn);
        turns || self.is_playing()
    }

    /// Takes the worker's newest snapshot.
    pub(super) fn take(&mut self) -> News {
        let Some(newest) = self.worker.snapshot() else {
            return News::default();
        };
        let is_known = |old: &Arc<Snapshot>| Arc::ptr_eq(old, &newest);
        if newest.n_commands < self.last_turn || self.newest.as_ref().is_some_and(is_known) {
            return News::default();
        }
        let refused = newest.refusal.as_ref();
        let refused = refused.filter(|refusal| refusal.command > self.last_refusal);
        if let Some(refusal) = refused {
            self.last_refusal = refusal.command;
        }
        let refusal = refused.map(|refusal| refusal.reason.clone());
        if newest.n_commands >= self.last_change {
            self.experiment = Arc::clone(&newest.experiment);
        }
        let old = self.newest.replace(Arc::clone(&newest));
        let has_restarted = old
            .as_ref()
            .is_some_and(|old| old.generation != newest.generation);
        if has_restarted {
            self.past = None; // it is not of this run
        }
        self.follow_kind();
        News {
            is_newer: true,
            refusal,
            has_other_data: old.is_some_and(|old| old.experiment.data != newest.experiment.data),
        }
    }

    /// Sends a command that changes the experiment to `next`. Whoever looks at a recorded moment
    /// goes on from there.
    pub(super) fn change(&mut self, command: Command, next: Experiment) {
        self.go_on();
        self.last_change = self.worker.send(command);
        self.experiment = Arc::new(next);
        self.picture.view.kind = self.experiment.view_kind();
    }

    /// The recorded moment that is looked at.
    pub(super) fn past(&self) -> Option<Moment> {
        self.past.as_ref().map(|past| past.moment)
    }

    /// Looks at a recorded moment, or at the last one before it.
    pub(super) fn look_at(&mut self, moment: Moment) {
        let Some(newest) = &self.newest else { return };
        if self.past.as_ref().is_some_and(|past| past.moment == moment) {
            return;
        }
        let snapshot = self.worker.timeline().snapshot(moment, newest);
        let kind = self.past.take().and_then(|past| past.kind);
        self.past = snapshot.map(|snapshot| Past {
            moment,
            snapshot: Arc::new(snapshot),
            kind,
        });
        self.follow_kind();
    }

    /// Looks at the features another way, as `next` says.
    pub(super) fn look_as(&mut self, kind: ViewKind, next: Experiment) {
        if let Some(past) = &mut self.past {
            past.kind = Some(kind);
            self.picture.view.kind = kind;
        } else {
            self.change(Command::set("view.kind", kind.id()), next);
        }
    }

    /// Looks at the features as the experiment says, or as was chosen.
    fn follow_kind(&mut self) {
        let chosen = self.past.as_ref().and_then(|past| past.kind);
        self.picture.view.kind = chosen.unwrap_or_else(|| self.experiment().view_kind());
    }

    /// Looks at the newest snapshot again.
    pub(super) fn look_at_now(&mut self) {
        self.past = None;
        self.follow_kind();
    }

    /// The run goes on from the recorded moment that is looked at, if one is.
    pub(super) fn go_on(&mut self) {
        let Some(past) = self.past.take() else {
            return;
        };
        self.go_on_from(past.moment, past.snapshot);
        if let Some(kind) = past.kind {
            self.last_change = self.worker.send(Command::set("view.kind", kind.id()));
        }
    }

    fn go_on_from(&mut self, moment: Moment, snapshot: Arc<Snapshot>) {
        self.last_turn = self.worker.send(Command::GoTo(moment));
        self.last_change = self.last_turn;
        self.experiment = Arc::clone(&snapshot.experiment);
        self.newest = Some(snapshot);
    }

    /// The way that the run goes along.
    pub(super) fn lane(&self) -> Option<LaneId> {
        self.worker.timeline().now().map(|now| now.lane)
    }
}

/// A pane that was closed.
struct Closed {
    /// Where it stood.
    index: usize,
    was_playing: bool,
    pane: Pane,
}

/// The user's own panes while a lesson has the window; they rest.
struct Aside {
    all: Vec<Pane>,
    active: usize,
    closed: Vec<Closed>,
    /// Which of them trained, and train on afterwards.
    moving: Vec<PaneId>,
}

/// The panes of the window, of which one has the controls; there is always one.
pub(super) struct Panes {
    all: Vec<Pane>,
    active: usize,
    /// Whose picture took its new snapshot in the last frame; after the last of them the panel.
    followed: usize,
    /// What the panel beside the pictures shows of each pane, all of one moment.
    beside: Vec<(PaneId, Arc<Snapshot>)>,
    n_made: u32,
    /// The last ones that were closed; they rest.
    closed: Vec<Closed>,
    aside: Option<Aside>,
}

impl Panes {
    /// One pane.
    pub(super) fn of(pane: Pane) -> Self {
        Self {
            all: vec![pane],
            active: 0,
            followed: 0,
            beside: Vec::new(),
            n_made: 1,
            closed: Vec::new(),
            aside: None,
        }
    }

    /// Puts all panes aside for a lesson, which has one of its own from then on.
    pub(super) fn put_aside(&mut self) {
        if self.is_aside() {
            return;
        }
        let id = self.new_id();
        let guest = self.active().twin(id);
        let mut moving = Vec::new();
        for pane in &mut self.all {
            if pane.is_moving() {
                moving.push(pane.id);
            }
            pane.worker.send(Command::Pause);
        }
        self.aside = Some(Aside {
            all: std::mem::replace(&mut self.all, vec![guest]),
            active: std::mem::take(&mut self.active),
            closed: std::mem::take(&mut self.closed),
            moving,
        });
    }

    /// Brings the user's own panes back as they were. Those of the lesson end, but for the active one
    /// where it is to be kept: it then stands beside them, if there is room.
    pub(super) fn take_back(&mut self, keeps_active: bool) {
        let Some(mut aside) = self.aside.take() else {
            return;
        };
        for pane in &mut aside.all {
            if aside.moving.contains(&pane.id) {
                pane.worker.send(Command::Play);
            }
        }
        let mut lesson = std::mem::replace(&mut self.all, aside.all);
        let kept = lesson.swap_remove(self.active);
        self.active = aside.active;
        self.closed = aside.closed;
        if keeps_active && self.all.len() < MOST_PANES {
            self.active += 1;
            self.all.insert(self.active, kept);
        }
    }

    /// Whether a lesson has the window.
    pub(super) fn is_aside(&self) -> bool {
        self.aside.is_some()
    }

    /// Whether the run of a lesson could stand beside the user's own.
    pub(super) fn has_room_beside_own(&self) -> bool {
        self.own().0.len() < MOST_PANES
    }

    /// The user's own panes, and which of them has the controls or had them.
    pub(super) fn own(&self) -> (&[Pane], usize) {
        match &self.aside {
            Some(aside) => (&aside.all, aside.active),
            None => (&self.all, self.active),
        }
    }

    /// Runs of other experiments around the active one, which then is the one at this place.
    pub(super) fn surround(&mut self, experiments: Vec<Experiment>, at: usize) {
        let own = self.active().id;
        let mut ids = Vec::new();
        for experiment in experiments {
            if let Some(twin) = self.add_twin() {
                ids.push(twin.id);
                twin.change(Command::Load(Box::new(experiment.clone())), experiment);
            }
        }
        ids.insert(at.min(ids.len()), own);
        self.order_as(&ids);
        self.activate_pane(own);
    }

    /// The one that the controls belong to.
    pub(super) fn active(&self) -> &Pane {
        &self.all[self.active]
    }

    /// The same, to be changed.
    pub(super) fn active_mut(&mut self) -> &mut Pane {
        &mut self.all[self.active]
    }

    /// Which one that is.
    pub(super) fn active_index(&self) -> usize {
        self.active
    }

    /// All of them as they stand.
    pub(super) fn all(&self) -> &[Pane] {
        &self.all
    }

    /// The same, to be changed.
    pub(super) fn all_mut(&mut self) -> &mut [Pane] {
        &mut self.all
    }

    /// Lets what shows an old snapshot take its new one: of many pictures and the panel beside them
    /// one at a time, in turn, so that a frame costs no more than with two.
    pub(super) fn take_turns(&mut self, ctx: &egui::Context) {
        const FEW: usize = 2;
        if self.all.len() <= FEW {
            for pane in &mut self.all {
                pane.picture.wait_no_more();
            }
            return self.renew_beside();
        }
        for pane in &mut self.all {
            if pane.picture.view.held.is_some() {
                pane.picture.wait_no_more(); // what is held follows the pointer
            } else {
                pane.picture.waits = true;
            }
        }
        let panel = self.all.len();
        let Some(next) = self.next_behind(panel) else {
            return;
        };
        ctx.request_repaint();
        if self.prepare(next) {
            self.followed = next;
            match self.all.get_mut(next) {
                Some(pane) => pane.picture.waits = false,
                None => self.renew_beside(),
            }
        }
        if let Some(coming) = self.next_behind(panel - 1) {
            self.prepare(coming);
        }
        if !self.panel_may_wait() {
            self.renew_beside();
        }
    }

    /// The first after the one whose turn was last, of those up to `last`, that shows an old snapshot.
    fn next_behind(&self, last: usize) -> Option<usize> {
        let after = self.followed.saturating_add(1);
        (after..=last).chain(0..=last).find(|&i| self.is_behind(i))
    }

    /// Begins with what its turn needs, unless that is there. Whether it is.
    fn prepare(&mut self, i: usize) -> bool {
        self.all.get_mut(i).is_none_or(|pane| {
            let newest = pane.snapshot().cloned();
            newest.is_some_and(|newest| pane.picture.prepare(&newest))
        })
    }

    fn renew_beside(&mut self) {
        self.beside.clear();
        let seen = |pane: &Pane| Some((pane.id, Arc::clone(pane.snapshot()?)));
        self.beside.extend(self.all.iter().filter_map(seen));
    }

    /// Whether the picture at this place waits for its turn and shows an old snapshot; behind the last
    /// of them, whether the panel does.
    fn is_behind(&self, i: usize) -> bool {
        if let Some(pane) = self.all.get(i) {
            let picture = &pane.picture;
            let is_old = |newest: &Arc<Snapshot>| picture.waits && !picture.shows(newest);
            return pane.snapshot().is_some_and(is_old);
        }
        let is_old = |pane: &Pane| {
            let shown = self.beside_of(pane).zip(pane.snapshot());
            shown.is_none_or(|(shown, newest)| !Arc::ptr_eq(shown, newest))
        };
        self.all.iter().any(is_old)
    }

    /// Whether the panel shows these panes and their data, if not their newest steps.
    fn panel_may_wait(&self) -> bool {
        let is_known = |pane: &Pane| {
            let shown = self.beside_of(pane).zip(pane.snapshot());
            shown.is_some_and(|(shown, newest)| shown.generation == newest.generation)
        };
        self.beside.len() == self.all.len() && self.all.iter().all(is_known)
    }

    /// What the panel beside the pictures shows: a snapshot of the active pane, which is its newest
    /// unless it is the turn of another part of the window.
    pub(super) fn beside(&self) -> Option<&Arc<Snapshot>> {
        self.beside_of(self.active())
    }

    /// The same of another pane.
    pub(super) fn beside_of(&self, pane: &Pane) -> Option<&Arc<Snapshot>> {
        let mut shown = self.beside.iter();
        let (_, snapshot) = shown.find(|(id, _)| *id == pane.id)?;
        Some(snapshot)
    }

    /// Gives the controls to a pane.
    pub(super) fn activate(&mut self, index: usize) {
        if index < self.all.len() {
            self.active = index;
        }
    }

    /// The pane of this name, or the active one where it is closed.
    pub(super) fn find(&self, id: Option<PaneId>) -> &Pane {
        let named = self.all.iter().find(|pane| Some(pane.id) == id);
        named.unwrap_or(self.active())
    }

    /// Where the pane of this name stands, if it is open.
    pub(super) fn index_of(&self, id: PaneId) -> Option<usize> {
        self.all.iter().position(|pane| pane.id == id)
    }

    /// Gives the controls to the pane of this name, if it is open.
    pub(super) fn activate_pane(&mut self, id: PaneId) {
        if let Some(at) = self.index_of(id) {
            self.active = at;
        }
    }

    /// Gives the controls to the one after it.
    pub(super) fn activate_next(&mut self) {
        self.active = (self.active + 1) % self.all.len();
    }

    /// Plays or pauses one run alone.
    pub(super) fn toggle(&mut self, index: usize) {
        if let Some(pane) = self.all.get_mut(index) {
            pane.worker.send(Command::TogglePlay);
        }
    }

    /// Makes a pane from the active one, beside it, and gives it the controls.
    pub(super) fn add_twin(&mut self) -> Option<&mut Pane> {
        if self.all.len() == MOST_PANES {
            return None;
        }
        let id = self.new_id();
        Some(self.insert_twin(id))
    }

    fn new_id(&mut self) -> PaneId {
        self.n_made += 1;
        PaneId(self.n_made - 1)
    }

    fn insert_twin(&mut self, id: PaneId) -> &mut Pane {
        let twin = self.active().twin(id);
        self.active += 1;
        self.all.insert(self.active, twin);
        self.active_mut()
    }

    /// Makes a pane of this name once more, of which only the experiment is left; it rests.
    pub(super) fn revive(&mut self, id: PaneId, experiment: &Experiment) {
        let mut experiment = experiment.clone();
        experiment.run.changes.clear();
        let pane = self.insert_twin(id);
        pane.change(Command::Load(Box::new(experiment.clone())), experiment);
        pane.worker.send(Command::Pause);
    }

    /// Puts the panes in this order.
    pub(super) fn order_as(&mut self, ids: &[PaneId]) {
        let active = self.active().id;
        let place = |pane: &Pane| ids.iter().position(|&id| id == pane.id);
        self.all.sort_by_key(place);
        self.activate_pane(active);
    }

    /// Closes a pane, unless it is the only one; [`Panes::reopen`] brings it back as it was.
    pub(super) fn close(&mut self, index: usize) {
        const MOST_CLOSED: usize = 3;
        if self.all.len() == 1 || index >= self.all.len() {
            return;
        }
        let mut pane = self.all.remove(index);
        let was_playing = pane.is_playing();
        pane.worker.send(Command::Pause);
        self.closed.push(Closed {
            index,
            was_playing,
            pane,
        });
        if self.closed.len() > MOST_CLOSED {
            self.closed.remove(0);
        }
        if self.active > index || self.active == self.all.len() {
            self.active -= 1;
        }
    }

    /// Closes all panes but the active one.
    pub(super) fn close_others(&mut self) {
        for index in (0..self.all.len()).rev() {
            if index != self.active {
                self.close(index);
            }
        }
    }

    /// Brings a closed pane back. Whether it was still there, and room for it.
    pub(super) fn reopen(&mut self, id: PaneId) -> bool {
        let found = self.closed.iter().position(|closed| closed.pane.id == id);
        let Some(at) = found.filter(|_| self.all.len() < MOST_PANES) else {
            return false;
        };
        let Closed {
            index,
            was_playing,
            mut pane,
        } = self.closed.remove(at);
        if was_playing {
            pane.worker.send(Command::Play);
        }
        let index = index.min(self.all.len());
        self.all.insert(index, pane);
        self.active = index;
        true
    }

    /// Drops all panes but the active one, and those that were closed.
    pub(super) fn keep_active(&mut self) {
        self.all.swap(0, self.active);
        self.all.truncate(1);
        self.active = 0;
        self.closed.clear();
    }

    /// The letter of the active one, where there are several.
    pub(super) fn active_letter(&self) -> Option<char> {
        (self.all.len() > 1).then(|| Self::letter(self.active))
    }

    /// Letters by which panes are told apart.
    pub(super) fn letter(index: usize) -> char {
        char::from(b'A' + index.min(25) as u8)
    }
}
