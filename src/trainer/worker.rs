//! The thread that trains: one ordered channel of commands in, the newest snapshot out.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::experiment::Experiment;
use crate::trainer::detail::Detail;
use crate::trainer::metrics::{HeadState, Metrics, examine};
use crate::trainer::pace::{FEW_SAMPLES, Pace};
use crate::trainer::probe::{Probe, Prober, Subset};
use crate::trainer::snapshot::{Effort, History, Refusal, Snapshot};
use crate::trainer::speed::{Beat, PICTURES_PER_SECOND, Speed};
use crate::trainer::start::Start;
use crate::trainer::{Applied, Diverged, Session, SessionError, TrainError, Trainer};

/// What the window may ask of a run, carried out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make steps.
    Play,
    /// Make none, and show every sample at the current step.
    Pause,
    /// Pause if steps are being made, play if not.
    TogglePlay,
    /// Make so many steps at once, whatever the speed, then pause.
    Step(u64),
    /// Make steps so fast while playing.
    Speed(Speed),
    /// Set a field of the experiment; what cannot change in a run restarts it.
    Set {
        /// Full or short key.
        key: String,
        /// As in a file.
        value: String,
    },
    /// Start again, from the same seed.
    Restart,
    /// Start a run of another experiment.
    Load(Box<Experiment>),
    /// Start a run as a file describes it.
    Open(Box<Start>),
    /// Draw other samples.
    Show(Subset),
    /// Keep a snapshot whose every sample is at the current step for [`Worker::take_captured`].
    Capture,
    /// Keep the run as a session for [`Worker::take_session`].
    Save,
}

/// Handle to the training thread; dropping it ends the thread after the step under way.
#[derive(Debug)]
pub struct Worker {
    commands: Option<Sender<Command>>,
    /// Commands sent so far.
    n_sent: u64,
    slots: Arc<Slots>,
    thread: Option<JoinHandle<()>>,
}

/// Where the worker leaves snapshots: a newer one takes the place of one that nobody looked at.
#[derive(Debug, Default)]
struct Slots {
    newest: ArcSwapOption<Snapshot>,
    captured: ArcSwapOption<Snapshot>,
    saved: ArcSwapOption<Session>,
    /// Why there will be no snapshot.
    failure: OnceLock<String>,
}

impl Worker {
    /// Starts training in its own thread. `wake` is called after each snapshot.
    ///
    /// # Errors
    /// If the experiment contradicts itself, its data cannot be loaded, or no thread can be made.
    pub fn spawn(
        start: impl Into<Start>,
        n_threads: usize,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, TrainError> {
        let start = start.into();
        start.experiment.validate()?;
        let (sender, commands) = channel();
        let slots = Arc::new(Slots::default());
        let publish_to = Arc::clone(&slots);
        let thread = std::thread::Builder::new()
            .name("trainer".to_owned())
            .spawn(move || {
                let slots = publish_to;
                match Run::new(&start, n_threads, Subset::default(), 1) {
                    Ok(run) => Loop {
                        run,
                        n_commands: 0,
                        refusal: None,
                        commands,
                        slots,
                        wake: Box::new(wake),
                        n_threads,
                    }
                    .work(),
                    Err(error) => {
                        let _ = slots.failure.set(error.to_string()); // set nowhere else
                        wake();
                    }
                }
            })
            .map_err(TrainError::Spawn)?;
        Ok(Self {
            commands: Some(sender),
            n_sent: 0,
            slots,
            thread: Some(thread),
        })
    }

    /// Sends a command, which takes its turn after those before it; returns its number.
    ///
    /// A snapshot whose [`Snapshot::n_commands`] is not below the number shows its effect.
    pub fn send(&mut self, command: Command) -> u64 {
        if let Some(commands) = &self.commands {
            // The thread ends only when this handle is dropped, so that somebody receives.
            let _ = commands.send(command);
        }
        self.n_sent += 1;
        self.n_sent
    }

    /// The newest snapshot; `None` before the first.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.slots.newest.load_full()
    }

    /// Why training could not start at all.
    pub fn failure(&self) -> Option<&str> {
        self.slots.failure.get().map(String::as_str)
    }

    /// The snapshot that answers the last [`Command::Capture`], once.
    pub fn take_captured(&self) -> Option<Arc<Snapshot>> {
        self.slots.captured.swap(None)
    }

    /// The session that answers the last [`Command::Save`], once.
    pub fn take_session(&self) -> Option<Arc<Session>> {
        self.slots.saved.swap(None)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic was already reported by its own thread
        }
    }
}

/// Of so many slices one goes to the split that is not drawn: a number needs no more.
const OTHER_EVERY: u64 = 4;
/// Least time between two snapshots.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(1000 / PICTURES_PER_SECOND as u64);
/// A trainer with what is shown of it.
struct Run {
    trainer: Trainer,
    prober: Prober,
    /// Of the split that is not drawn; none before the first picture, which does not wait for it.
    other: Option<Prober>,
    /// Slices that were probed.
    n_slices: u64,
    subset: Subset,
    history: History,
    generation: u64,
    /// Steps still to make before pausing; `None` for no limit.
    steps_left: Option<u64>,
    is_playing: bool,
    /// Whether the steps under way do not wait for their time.
    is_hurried: bool,
    beat: Beat,
    fault: Option<String>,
    class_names: Arc<[String]>,
    /// The last metrics and when they were measured.
    measured: Option<(Instant, Metrics, Arc<Detail>)>,
    pace: Pace,
    effort: Effort,
}

impl Run {
    fn new(
        start: &Start,
        n_threads: usize,
        subset: Subset,
        generation: u64,
    ) -> Result<Self, SessionError> {
        let trainer = start.trainer(n_threads)?;
        let is_given = trainer.is_given();
        let class_names = trainer.data().class_names.clone().into();
        let steps_left = start.steps_left(trainer.data().train.len());
        let session = start.session.as_ref();
        Ok(Self {
            prober: Prober::new(&trainer, subset),
            other: None,
            n_slices: 0,
            trainer,
            subset,
            history: session.map_or_else(History::default, |session| session.history.clone()),
            generation,
            steps_left,
            is_playing: steps_left != Some(0) && !is_given,
            is_hurried: start.until.is_some(),
            beat: Beat::new(Speed::Full, Instant::now()),
            fault: None,
            class_names,
            measured: None,
            pace: Pace::default(),
            effort: Effort::default(),
        })
    }

    fn step(&mut self) {
        let start = Instant::now();
        match self.trainer.step() {
            Ok(report) => {
                self.effort.n_steps += 1;
                self.history.push_loss(self.trainer.n_steps(), report.loss);
            }
            Err(diverged) => {
                self.fault = Some(diverged.to_string());
                self.stop();
                return;
            }
        }
        let secs = start.elapsed().as_secs_f64();
        Pace::smooth(&mut self.pace.step_secs, secs);
        self.probe_slice(secs);
        if let Some(left) = &mut self.steps_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.stop();
            }
        }
    }

    fn probe_slice(&mut self, step_secs: f64) {
        let n = self.pace.slice(self.prober.probe().len(), step_secs);
        if n > 0 {
            let start = Instant::now();
            self.n_slices += 1;
            let is_for_other = self.n_slices.is_multiple_of(OTHER_EVERY);
            if is_for_other && self.other.is_none() {
                self.other = self.prober.of_other_split(&self.trainer);
            }
            let prober = match &mut self.other {
                Some(other) if is_for_other => other,
                _ => &mut self.prober,
            };
            let done = prober.advance(&self.trainer, n);
            let secs = start.elapsed().as_secs_f64();
            self.pace.spend(done, secs);
            self.effort.probing_secs += secs;
        }
    }

    /// Brings every sample up to the current step.
    fn finish_probe(&mut self) {
        let start = Instant::now();
        self.prober.finish(&self.trainer);
        match &mut self.other {
            Some(other) => other.finish(&self.trainer),
            None => self.other = self.prober.of_other_split(&self.trainer),
        }
        self.effort.probing_secs += start.elapsed().as_secs_f64();
    }

    /// Notes that what is drawn is no longer finite, unless the reason is known already.
    fn fail(&mut self, part: &str) {
        self.is_playing = false;
        self.steps_left = None;
        let step = self.trainer.n_steps();
        self.fault.get_or_insert_with(|| {
            let tensor = part.to_owned();
            Diverged { step, tensor }.to_string()
        });
    }

    /// Makes so many steps, or steps without end.
    fn play(&mut self, n_steps: Option<u64>) {
        self.fault = None; // a changed setting may do better
        self.is_playing = true;
        self.is_hurried = false;
        self.steps_left = n_steps;
    }

    fn stop(&mut self) {
        self.is_playing = false;
        self.is_hurried = false;
        self.steps_left = None;
        self.finish_probe();
    }

    /// Steps to make now.
    fn take_due(&mut self, now: Instant) -> u64 {
        if self.is_hurried {
            u64::MAX
        } else {
            self.beat.take(now)
        }
    }

    /// Time until the next steps; `None` if they are due.
    fn wait(&self, now: Instant) -> Option<Duration> {
        self.beat.wait(now).filter(|_| !self.is_hurried)
    }

    /// Uses the time before the next steps to bring samples up to the last one, a block of them at
    /// a time. Whether there is more to do.
    fn catch_up(&mut self) -> bool {
        let is_free = self
            .beat
            .free_until()
            .is_some_and(|end| Instant::now() < end);
        if !self.is_playing || self.is_hurried || !is_free || self.prober.is_current(&self.trainer)
        {
            return false;
        }
        let start = Instant::now();
        self.prober.advance_together(&self.trainer);
        self.effort.probing_secs += start.elapsed().as_secs_f64();
        true
    }

    /// Measures the probe. Many samples are not measured for every picture while it trains: 70,000
    /// take as long as several steps.
    fn measure(&mut self, head: &HeadState, probe: &Probe) -> (Metrics, Arc<Detail>) {
        const INTERVAL: Duration = Duration::from_millis(500);
        if let Some((at, metrics, detail)) = &self.measured
            && self.is_playing
            && probe.len() > 2 * FEW_SAMPLES
            && at.elapsed() < INTERVAL
        {
            return (*metrics, Arc::clone(detail));
        }
        let measured = examine(head, &probe.features, &probe.labels);
        let (metrics, detail) = measured.unwrap_or_default();
        let detail = Arc::new(detail);
        self.measured = Some((Instant::now(), metrics, Arc::clone(&detail)));
        (metrics, detail)
    }

    fn snapshot(&mut self, n_commands: u64, refusal: Option<Refusal>) -> Snapshot {
        let head = self.trainer.head_state();
        let probe = self.prober.labeled(&self.trainer, &head);
        let (metrics, detail) = self.measure(&head, &probe);
        self.history.note_accuracy(metrics.accuracy);
        let data = self.trainer.data();
        let batch = self.trainer.experiment().batch(data.train.len()) as f64;
        let is_measured = self.is_playing && self.pace.step_secs > 0.0;
        Snapshot {
            generation: self.generation,
            n_commands,
            step: self.trainer.n_steps(),
            epochs: self.trainer.epochs(),
            experiment: Arc::clone(self.trainer.experiment()),
            start: Arc::clone(self.trainer.start()),
            data: Arc::clone(data),
            class_names: Arc::clone(&self.class_names),
            input_plane: self.prober.input_plane(&self.trainer),
            other_score: self.other.as_ref().and_then(|other| other.score(&head)),
            head,
            probe,
            metrics,
            detail,
            history: self.history.clone(),
            horizon: self.trainer.horizon(),
            learning_rate: self.trainer.learning_rate(),
            samples_per_second: if is_measured {
                batch * self.beat.steps_per_second(1.0 / self.pace.step_secs)
            } else {
                0.0
            },
            is_playing: self.is_playing,
            effort: self.effort,
            fault: self.fault.clone(),
            refusal,
        }
    }
}

/// A step of features that come from a file.
#[derive(Debug, thiserror::Error)]
#[error("these features come from a file and are looked at as they are: nothing is trained")]
struct NothingToTrain;

struct Loop {
    run: Run,
    /// Commands carried out so far.
    n_commands: u64,
    refusal: Option<Refusal>,
    commands: Receiver<Command>,
    slots: Arc<Slots>,
    wake: Box<dyn Fn() + Send>,
    n_threads: usize,
}

impl Loop {
    /// Trains until the handle is dropped.
    fn work(&mut self) {
        self.publish();
        while self.drain() {
            let start = Instant::now();
            // On the training threads: the way to them takes as long as a tenth of a small step.
            let threads = self.run.trainer.threads();
            if !threads.install(|| self.stretch(start)) {
                return;
            }
            self.run.effort.secs += start.elapsed().as_secs_f64();
            let start = Instant::now();
            self.publish();
            self.run.effort.secs += start.elapsed().as_secs_f64(); // the next snapshot says so
        }
    }

    /// Makes steps of this run until it is time for a picture. Whether to go on.
    fn stretch(&mut self, start: Instant) -> bool {
        let generation = self.run.generation;
        let mut n_due = self.run.take_due(start);
        while self.run.is_playing
            && self.run.generation == generation
            && n_due > 0
            && start.elapsed() < PUBLISH_INTERVAL
        {
            self.run.step();
            n_due -= 1;
            if !self.obey_waiting() {
                return false;
            }
        }
        while self.run.catch_up() {
            if !self.obey_waiting() {
                return false;
            }
        }
        true
    }

    /// Carries out all commands that wait; while paused, and until the next steps are due, waits for
    /// one. Whether to go on.
    fn drain(&mut self) -> bool {
        let first = if !self.run.is_playing {
            let command = self.commands.recv();
            command.map_err(|_gone| RecvTimeoutError::Disconnected)
        } else if let Some(wait) = self.run.wait(Instant::now()) {
            self.commands.recv_timeout(wait)
        } else {
            Err(RecvTimeoutError::Timeout)
        };
        match first {
            Ok(command) => self.obey(command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        self.obey_waiting()
    }

    /// Carries out all commands that wait. Whether there may be more.
    fn obey_waiting(&mut self) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.obey(command),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn obey(&mut self, command: Command) {
        self.n_commands += 1;
        let run = &mut self.run;
        match command {
            Command::Pause => self.pause(),
            Command::Play | Command::TogglePlay | Command::Step(_) if run.trainer.is_given() => {
                self.refuse(&NothingToTrain);
            }
            Command::TogglePlay if run.is_playing => self.pause(),
            // A length that was asked for holds until it was reached once.
            Command::Play | Command::TogglePlay => {
                let is_fresh = run.trainer.n_steps() == 0;
                run.play(run.steps_left.filter(|&left| is_fresh && left > 0));
            }
            Command::Step(n) => {
                run.play(Some(n.max(1)));
                run.is_hurried = true;
            }
            Command::Speed(speed) => run.beat = Beat::new(speed, Instant::now()),
            Command::Set { key, value } => self.set(&key, &value),
            Command::Restart => {
                let mut experiment = run.trainer.experiment().as_ref().clone();
                experiment.run.changes.clear();
                self.start(&experiment.into());
            }
            Command::Load(experiment) => self.start(&Start::from(*experiment)),
            Command::Open(start) => self.open(&start),
            Command::Show(subset) => {
                run.subset = subset;
                run.prober = Prober::new(&run.trainer, subset);
                run.other = None; // of the split that is drawn now, perhaps
                if !run.is_playing {
                    run.other = run.prober.of_other_split(&run.trainer);
                }
                run.measured = None; // of other samples
            }
            Command::Capture => {
                run.finish_probe();
                let snapshot = run.snapshot(self.n_commands, None);
                self.slots.captured.store(Some(Arc::new(snapshot)));
            }
            Command::Save => {
                let recipe = run.trainer.recipe().to_toml();
                let session = run.trainer.session(recipe, run.history.clone());
                self.slots.saved.store(Some(Arc::new(session)));
            }
        }
    }

    /// Says so first where bringing all samples up to the current step takes a while.
    fn pause(&mut self) {
        if self.run.is_playing && self.run.prober.probe().len() > 2 * FEW_SAMPLES {
            self.run.is_playing = false;
            self.publish();
        }
        self.run.stop();
    }

    fn set(&mut self, key: &str, value: &str) {
        let run = &mut self.run;
        let old_loss = run.trainer.experiment().loss.spec.id;
        match run.trainer.set(key, value) {
            Ok(Applied::Live) => {
                // A chosen loss may put free embeddings on the sphere, also while nothing moves.
                let new_loss = run.trainer.experiment().loss.spec.id;
                if new_loss != old_loss && !run.is_playing {
                    run.finish_probe();
                }
            }
            Ok(Applied::NeedsRestart(experiment)) => self.start(&Start::from(*experiment)),
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
    fn start(&mut self, start: &Start) {
        let old = &self.run;
        let is_playing = old.is_playing || old.fault.is_some() || old.trainer.is_given();
        if self.replace(start) {
            self.run.is_playing = is_playing && !self.run.trainer.is_given();
        }
    }

    /// The same with a run that itself says whether it plays.
    fn open(&mut self, start: &Start) {
        if self.replace(start) && !self.run.is_playing {
            self.run.stop();
        }
    }

    fn replace(&mut self, start: &Start) -> bool {
        let old = &self.run;
        match Run::new(start, self.n_threads, old.subset, old.generation + 1) {
            Ok(mut run) => {
                run.effort = old.effort;
                run.beat = old.beat;
                self.run = run;
                true
            }
            Err(error) => {
                self.refuse(&error);
                false
            }
        }
    }

    /// Publishes the run as it stands. A step may pass what a float holds before a loss shows it:
    /// then the run stops, and what is shown stays at the last finite snapshot.
    fn publish(&mut self) {
        let mut snapshot = self.run.snapshot(self.n_commands, self.refusal.clone());
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
        self.slots.newest.store(Some(Arc::new(snapshot)));
        (self.wake)();
    }
}
