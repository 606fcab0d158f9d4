//! Runs on one thread in lock step: whichever has made fewer steps goes first, so that all of them show
//! the same step and none takes another's time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use crate::experiment::Placed;
use crate::trainer::Applied;
use crate::trainer::journey::{Heard, Journey};
use crate::trainer::pace::FEW_SAMPLES;
use crate::trainer::probe::Prober;
use crate::trainer::run::Run;
use crate::trainer::snapshot::{Refusal, Snapshot};
use crate::trainer::speed::{Beat, PICTURES_PER_SECOND};
use crate::trainer::start::Start;
use crate::trainer::timeline::{MOST_BYTES, Moment};
use crate::trainer::worker::{Command, Delay, Message, RunId, Slots};

/// Least time between two snapshots.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(1000 / PICTURES_PER_SECOND as u64);

/// A step of features that come from a file.
#[derive(Debug, thiserror::Error)]
#[error("these features come from a file and are looked at as they are: nothing is trained")]
struct NothingToTrain;

/// A run with those who asked for it.
pub(super) struct Pane {
    id: RunId,
    run: Run,
    /// The way back to a recorded moment that it is on.
    journey: Option<Journey>,
    /// Commands carried out so far.
    n_commands: u64,
    refusal: Option<Refusal>,
    slots: Arc<Slots>,
    /// Called after each snapshot.
    wake: Arc<dyn Fn() + Send + Sync>,
    /// Whether something happened that no snapshot shows yet.
    is_stale: bool,
    /// A snapshot that is to be shown.
    fresh: Option<Arc<Snapshot>>,
}

pub(super) struct Loop {
    pub panes: Vec<Pane>,
    pub beat: Beat,
    pub messages: Receiver<Message>,
    pub n_threads: usize,
}

impl Loop {
    /// Trains until the last handle is dropped.
    pub(super) fn work(&mut self) {
        self.publish();
        while self.drain() {
            let Some(first) = self.panes.first() else {
                continue; // nobody is left to send anything
            };
            // On the training threads: the way to them takes as long as a tenth of a small step.
            let threads = first.run.trainer.threads();
            if !threads.install(|| self.stretch(Instant::now())) {
                return;
            }
            self.publish();
        }
    }

    /// Makes steps until it is time for a picture. Whether to go on.
    fn stretch(&mut self, start: Instant) -> bool {
        if self.panes.iter().any(|pane| pane.journey.is_some()) {
            return self.go_back(start);
        }
        let mut n_due = self.beat.take(start);
        while start.elapsed() < PUBLISH_INTERVAL && self.round(&mut n_due) {
            if !self.obey_waiting() {
                return false;
            }
        }
        let has_time = |beat: &Beat| beat.free_until().is_some_and(|end| Instant::now() < end);
        while has_time(&self.beat)
            && let Some(pane) = self.panes.iter_mut().find(|pane| pane.run.lags())
        {
            pane.run.catch_up();
            pane.is_stale = true;
            if !self.obey_waiting() {
                return false;
            }
        }
        true
    }

    /// Goes on with the ways back until it is time for a picture; no run trains meanwhile, so that
    /// all set off together. Whether to go on.
    fn go_back(&mut self, start: Instant) -> bool {
        while start.elapsed() < PUBLISH_INTERVAL
            && let Some(at) = self.panes.iter().position(|pane| pane.journey.is_some())
        {
            if self.panes[at].travel() {
                self.take_along(at);
                self.panes[at].arrive_and_obey(&self.beat, self.n_threads);
            }
            if !self.obey_waiting() {
                return false;
            }
        }
        true
    }

    /// Puts the twins that are on the way to the same moment where this run has come to: they would
    /// only make the same steps once more.
    fn take_along(&mut self, at: usize) {
        let (before, rest) = self.panes.split_at_mut(at);
        let Some((first, after)) = rest.split_first_mut() else {
            return;
        };
        let Some(journey) = first.journey.as_ref().filter(|_| first.run.fault.is_none()) else {
            return; // it never came by there
        };
        let mut there = None;
        for twin in before.iter_mut().chain(after) {
            if twin
                .journey
                .as_ref()
                .is_some_and(|other| other.leads_where(journey))
            {
                let there = there.get_or_insert_with(|| first.run.trainer.checkpoint());
                twin.run.trainer.restore(there);
            }
        }
    }

    /// One step of those that have made the fewest. Whether there was any to be made.
    fn round(&mut self, n_due: &mut u64) -> bool {
        let playing = || self.panes.iter().filter(|pane| pane.run.is_playing);
        let steps = || playing().map(|pane| pane.run.trainer.n_steps());
        let (Some(least), Some(most)) = (steps().min(), steps().max()) else {
            return false;
        };
        // Whoever has fallen behind the others does not wait for their time.
        let is_hurried = least < most || playing().any(|pane| pane.run.is_hurried);
        if !is_hurried {
            if *n_due == 0 {
                return false;
            }
            *n_due -= 1;
        }
        for pane in &mut self.panes {
            if pane.run.is_playing && pane.run.trainer.n_steps() == least {
                pane.step();
            }
        }
        self.probe(least + 1);
        true
    }

    /// Probes the same samples in all runs that play and have made so many steps, so that their meters
    /// compare: as many as all of them have time for.
    fn probe(&mut self, step: u64) {
        let is_there = |run: &Run| run.is_playing && run.trainer.n_steps() == step;
        let runs = || self.panes.iter().map(|pane| &pane.run);
        let there = || runs().filter(|run| is_there(run));
        let n = there().map(|run| run.n_due).min().unwrap_or(0);
        let Some(slice) = there().next().map(Run::next_slice).filter(|_| n > 0) else {
            return;
        };
        let runs = self.panes.iter_mut().map(|pane| &mut pane.run);
        runs.filter(|run| is_there(run))
            .for_each(|run| run.probe_slice(slice, n));
    }

    /// Time until the next steps; `None` if they are due.
    fn wait(&self) -> Option<Duration> {
        let is_hurried = |pane: &Pane| pane.run.is_playing && pane.run.is_hurried;
        let is_due = |pane: &Pane| is_hurried(pane) || pane.journey.is_some();
        let wait = self.beat.wait(Instant::now());
        wait.filter(|_| !self.panes.iter().any(is_due))
    }

    /// Carries out all commands that wait; while paused, and until the next steps are due, waits for
    /// one. Whether to go on.
    fn drain(&mut self) -> bool {
        let moves = |pane: &Pane| pane.run.is_playing || pane.journey.is_some();
        let first = if !self.panes.iter().any(moves) {
            let message = self.messages.recv();
            message.map_err(|_gone| RecvTimeoutError::Disconnected)
        } else if let Some(wait) = self.wait() {
            self.messages.recv_timeout(wait)
        } else {
            Err(RecvTimeoutError::Timeout)
        };
        match first {
            Ok(message) => self.take(message),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        self.obey_waiting()
    }

    /// Carries out all commands that wait. Whether there may be more.
    fn obey_waiting(&mut self) -> bool {
        loop {
            match self.messages.try_recv() {
                Ok(message) => self.take(message),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn take(&mut self, message: Message) {
        let at = |id: RunId| self.panes.iter().position(|pane| pane.id == id);
        match message {
            Message::Command(id, command) => {
                if let Some(at) = at(id) {
                    if let Command::Speed(speed) = command {
                        self.beat = Beat::new(speed, Instant::now());
                    }
                    let pane = &mut self.panes[at];
                    pane.hear(command, &self.beat, self.n_threads);
                }
            }
            Message::Twin { of, id, slots } => {
                if let Some(at) = at(of) {
                    while self.panes[at].journey.is_some() {
                        if self.panes[at].travel() {
                            self.panes[at].arrive_and_obey(&self.beat, self.n_threads);
                        }
                    }
                    let twin = self.panes[at].twin(id, slots);
                    self.panes.insert(at + 1, twin);
                    self.share_memory();
                }
            }
            Message::End(id) => {
                self.panes.retain(|pane| pane.id != id);
                self.share_memory();
            }
        }
    }

    /// All timelines have one bound.
    fn share_memory(&self) {
        let most_bytes = MOST_BYTES / self.panes.len().max(1);
        for pane in &self.panes {
            pane.slots.timeline().limit(most_bytes);
        }
    }

    /// Says of each run what keeps it from making steps: its own way back, that of another one, or
    /// the one that has made the fewest.
    fn note_delays(&self) {
        let step = |pane: &Pane| pane.run.trainer.n_steps();
        let goes_back = |pane: &Pane| Some((pane.id, pane.journey.as_ref()?.n_left(&pane.run)));
        let back = self.panes.iter().find_map(goes_back);
        let playing = self.panes.iter().filter(|pane| pane.run.is_playing);
        let last = playing.min_by_key(|pane| step(pane));
        for pane in &self.panes {
            let behind = || last.map(|last| (last.id, step(pane).saturating_sub(step(last))));
            let first = back.or_else(behind).filter(|_| pane.run.is_playing);
            let first = first.filter(|&(_, n_steps)| n_steps > 0);
            let waits = first.map(|(for_run, n_steps)| Delay::Waits { for_run, n_steps });
            let goes_back = pane.journey.as_ref().map(|journey| Delay::GoesBack {
                percent: journey.percent(&pane.run),
            });
            pane.slots.note_delay(goes_back.or(waits));
        }
    }

    fn publish(&mut self) {
        self.note_delays();
        // All are made before the first is shown: whoever compares them sees them at one step.
        for pane in &mut self.panes {
            if pane.journey.is_some() {
                (pane.wake)(); // how far it has come
            } else if pane.is_stale {
                pane.fresh = Some(pane.snapshot(&self.beat));
            }
        }
        self.panes.iter_mut().for_each(Pane::show);
    }
}

impl Pane {
    pub(super) fn new(
        id: RunId,
        run: Run,
        slots: Arc<Slots>,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        slots.timeline().note_step(&run.trainer);
        Self {
            id,
            run,
            journey: None,
            n_commands: 0,
            refusal: None,
            slots,
            wake,
            is_stale: true,
            fresh: None,
        }
    }

    fn twin(&self, id: RunId, slots: Arc<Slots>) -> Self {
        slots.timeline().clone_from(&self.slots.timeline());
        Self {
            id,
            run: self.run.twin(),
            journey: None,
            n_commands: 0,
            refusal: None,
            slots,
            wake: Arc::clone(&self.wake),
            is_stale: true,
            fresh: None,
        }
    }

    fn step(&mut self) {
        self.run.step();
        self.slots.timeline().note_step(&self.run.trainer);
        self.is_stale = true;
    }

    /// Carries out a command, at once or at the end of the way back that the run is on.
    fn hear(&mut self, command: Command, beat: &Beat, n_threads: usize) {
        let journey = self.journey.as_mut();
        match journey.map(|journey| journey.hear(&command)) {
            Some(Heard::Later) => return,
            Some(Heard::Instead(n_commands)) => {
                self.n_commands += n_commands;
                if command == Command::Pause {
                    self.arrive();
                }
            }
            Some(Heard::Replaces) => self.arrive_and_obey(beat, n_threads),
            None => {}
        }
        self.obey(command, beat, n_threads);
    }

    fn obey(&mut self, command: Command, beat: &Beat, n_threads: usize) {
        self.n_commands += 1;
        let was_stale = std::mem::replace(&mut self.is_stale, true);
        let run = &mut self.run;
        match command {
            Command::Pause => self.pause(beat),
            Command::Play | Command::PlayFor(_) | Command::TogglePlay | Command::Step(_)
                if run.trainer.is_given() =>
            {
                self.refuse(&NothingToTrain);
            }
            Command::TogglePlay if run.is_playing => self.pause(beat),
            // A length that was asked for holds until it was reached once.
            Command::Play | Command::TogglePlay => {
                let is_fresh = run.trainer.n_steps() == 0;
                run.play(run.steps_left.filter(|&left| is_fresh && left > 0));
            }
            Command::PlayFor(n) => run.play(Some(n.max(1))),
            Command::Step(n) => {
                run.play(Some(n.max(1)));
                run.is_hurried = true;
            }
            Command::Speed(_) => {} // of all runs, so that their thread has taken it
            Command::Set { key, value } => self.set(&key, &value, n_threads),
            Command::Restart => {
                let mut experiment = run.trainer.experiment().as_ref().clone();
                experiment.run.changes.clear();
                self.start(&experiment.into(), n_threads);
            }
            Command::Load(experiment) => self.start(&Start::from(*experiment), n_threads),
            Command::Open(start) => self.open(&start, n_threads),
            Command::Show(subset) => {
                run.subset = subset;
                run.prober = Prober::new(&run.trainer, subset);
                run.other = None; // of the split that is drawn now, perhaps
                if !run.is_playing {
                    run.other = run.prober.of_other_split(&run.trainer);
                }
                run.measured = None; // of other samples
            }
            Command::Place(image) => {
                run.placed = image;
                if !run.is_playing && !was_stale {
                    self.publish_drawn();
                }
            }
            Command::Capture => {
                run.finish_probe();
                let snapshot = run.snapshot(self.n_commands, None, beat);
                self.slots.captured.store(Some(Arc::new(snapshot)));
            }
            Command::Save => {
                let recipe = run.trainer.recipe().to_toml();
                let session = run.trainer.session(recipe, run.history.clone());
                self.slots.saved.store(Some(Arc::new(session)));
            }
            Command::GoTo(moment) => self.go_to(moment),
        }
    }

    /// Says so first where bringing all samples up to the current step takes a while.
    fn pause(&mut self, beat: &Beat) {
        let run = &self.run;
        let is_slow = run.prober.probe().len() > 2 * FEW_SAMPLES;
        if run.is_playing && is_slow && !run.prober.is_current(&run.trainer) {
            self.run.is_playing = false;
            self.fresh = Some(self.snapshot(beat));
            self.show();
            self.is_stale = true;
        }
        self.run.stop();
    }

    /// Sets off for a moment that was recorded, to rest there.
    fn go_to(&mut self, moment: Moment) {
        let way = self.slots.timeline().way_back(moment);
        let is_there = self.journey.is_none() && self.slots.timeline().now() == Some(moment);
        let Some(way) = way.filter(|_| !is_there) else {
            self.arrive();
            self.run.stop();
            return;
        };
        self.journey = Some(Journey::begin(way, &mut self.run));
    }

    /// Makes a step of the way back. Whether it is there.
    fn travel(&mut self) -> bool {
        let is_there = |journey: &mut Journey| journey.go_on(&mut self.run);
        self.journey.as_mut().is_some_and(is_there)
    }

    /// Ends the way back; what waited for its end is done.
    fn arrive_and_obey(&mut self, beat: &Beat, n_threads: usize) {
        for command in self.arrive() {
            self.hear(command, beat, n_threads);
        }
    }

    /// Ends the way back where the run has come to, on a way of its own from there; what waited.
    fn arrive(&mut self) -> VecDeque<Command> {
        let Some(journey) = self.journey.take() else {
            return VecDeque::new();
        };
        let (moment, waiting) = journey.end(&mut self.run);
        let mut timeline = self.slots.timeline();
        timeline.leave(moment);
        timeline.note_step(&self.run.trainer);
        self.is_stale = true;
        waiting
    }

    fn set(&mut self, key: &str, value: &str, n_threads: usize) {
        let run = &mut self.run;
        let old_loss = run.trainer.experiment().loss.spec.id;
        match run.trainer.set(key, value) {
            Ok(Applied::Live) => {
                // A chosen loss may put free embeddings on the sphere, and a hand one of them
                // elsewhere, also while nothing moves.
                let new_loss = run.trainer.experiment().loss.spec.id;
                let has_moved = new_loss != old_loss || Placed::of_key(key).is_some();
                if has_moved && !run.is_playing {
                    run.finish_probe();
                }
            }
            Ok(Applied::NeedsRestart(experiment)) => {
                self.start(&Start::from(*experiment), n_threads);
            }
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(&mut self, error: &dyn std::error::Error) {
        self.refusal = Some(Refusal {
            command: self.n_commands,
            reason: error.to_string(),
        });
    }

    /// Replaces the run by a new one; what cannot start leaves the old one as it is. A restart keeps
    /// still what stood still; what follows features that cannot be trained moves.
    fn start(&mut self, start: &Start, n_threads: usize) {
        let old = &self.run;
        let is_playing = old.is_playing || old.fault.is_some() || old.trainer.is_given();
        if self.replace(start, n_threads) {
            self.run.is_playing = is_playing && !self.run.trainer.is_given();
        }
    }

    /// The same with a run that itself says whether it plays.
    fn open(&mut self, start: &Start, n_threads: usize) {
        if self.replace(start, n_threads) && !self.run.is_playing {
            self.run.stop();
        }
    }

    fn replace(&mut self, start: &Start, n_threads: usize) -> bool {
        let old = &self.run;
        match Run::new(start, n_threads, old.subset, old.generation + 1) {
            Ok(mut run) => {
                run.effort = old.effort;
                run.placed.clone_from(&old.placed);
                self.run = run;
                let mut timeline = self.slots.timeline();
                timeline.restart();
                timeline.note_step(&self.run.trainer);
                true
            }
            Err(error) => {
                self.refuse(&error);
                false
            }
        }
    }

    /// Publishes the last snapshot with what was placed since. Nothing else has changed while it was
    /// paused, and measuring 70,000 samples once more would let the mark fall behind the hand.
    fn publish_drawn(&mut self) {
        let Some(last) = self.slots.newest.load_full() else {
            return;
        };
        let snapshot = Snapshot {
            n_commands: self.n_commands,
            drawn: self.run.drawn(),
            ..Snapshot::clone(&last)
        };
        self.slots.newest.store(Some(Arc::new(snapshot)));
        (self.wake)();
        self.is_stale = false;
    }

    /// The run as it stands, recorded. A step may pass what a float holds before a loss shows it: then
    /// the run stops, and what is shown stays at the last finite snapshot.
    fn snapshot(&mut self, beat: &Beat) -> Arc<Snapshot> {
        let start = Instant::now();
        let refusal = self.refusal.clone();
        let mut snapshot = self.run.snapshot(self.n_commands, refusal, beat);
        if let Some(part) = snapshot.non_finite_part() {
            self.run.fail(part);
            let last = self.slots.newest.load_full();
            if let Some(last) = last.filter(|last| last.generation == snapshot.generation) {
                snapshot = Snapshot {
                    n_commands: snapshot.n_commands,
                    experiment: snapshot.experiment,
                    is_playing: false,
                    fault: self.run.fault.clone(),
                    refusal: snapshot.refusal,
                    samples_per_second: 0.0,
                    ..Snapshot::clone(&last)
                };
            }
        }
        self.slots.timeline().note(&snapshot);
        self.is_stale = false;
        self.run.effort.secs += start.elapsed().as_secs_f64(); // the next snapshot says so
        Arc::new(snapshot)
    }

    /// Publishes the snapshot that was made, if one was.
    fn show(&mut self) {
        if let Some(fresh) = self.fresh.take() {
            self.slots.newest.store(Some(fresh));
            (self.wake)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Change, Experiment};
    use crate::trainer::probe::Subset;
    use crate::trainer::speed::Speed;

    /// A record that tells of steps which do not exist: the run goes no way of its own for that, and
    /// what was recorded is still there.
    #[test]
    fn a_way_back_that_diverges_leaves_the_record_as_it_was() {
        let mut experiment = Experiment::default();
        for (key, value) in [("source", "blobs"), ("network.kind", "mlp:16")] {
            experiment.set(key, value).expect("a value of it");
        }
        let run = Run::new(&experiment.into(), 1, Subset::default(), 1).expect("a run");
        let slots = Arc::new(Slots::default());
        let mut pane = Pane::new(0, run, Arc::clone(&slots), Arc::new(|| ()));
        let beat = Beat::new(Speed::Full, Instant::now());
        for _ in 0..70 {
            pane.step();
        }
        let mut seen = Snapshot::clone(&pane.snapshot(&beat));
        let way = slots.timeline().now().expect("a moment");
        let mut wrong = seen.experiment.as_ref().clone();
        wrong.run.changes.push(Change {
            step: 65,
            key: "optimizer.learning_rate".to_owned(),
            value: "100".to_owned(),
        });
        wrong.run.changes.push(Change {
            step: 66,
            key: "optimizer.weight_decay".to_owned(),
            value: "1".to_owned(),
        });
        (seen.step, seen.experiment) = (5000, Arc::new(wrong));
        slots.timeline().note(&seen);

        let moment = Moment { step: 5000, ..way };
        slots.timeline().leave(way); // the run is somewhere else meanwhile
        pane.obey(Command::GoTo(moment), &beat, 1);
        while pane.journey.is_some() {
            if pane.travel() {
                pane.arrive_and_obey(&beat, 1);
            }
        }
        let fault = pane.run.fault.clone().expect("it diverged");
        assert!(fault.contains("diverged"), "{fault}");
        // It stands at the checkpoint, of which a picture can be made.
        assert_eq!(pane.run.trainer.n_steps(), 64);
        let shown = pane.snapshot(&beat);
        assert_eq!((shown.step, shown.non_finite_part()), (64, None));
        assert!(!shown.is_playing);
        let timeline = slots.timeline();
        let ways = timeline.ways();
        let ends: Vec<u64> = ways.iter().map(|way| way.end).collect();
        assert_eq!(ends, [5000, 64]);
        let last = timeline.snapshot(moment, &shown).expect("a frame");
        assert_eq!((last.step, &last.head), (5000, &seen.head));
    }
}
