//! The thread that trains: one ordered channel of commands in, the newest snapshot out.
//!
//! Runs that are compared are trained on the same thread in lock step: whichever has made fewer steps
//! goes first, so that all of them show the same step and none takes another's time.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::experiment::{Experiment, Placed};
use crate::trainer::detail::Detail;
use crate::trainer::drawn::Drawn;
use crate::trainer::metrics::{HeadState, Metrics, examine};
use crate::trainer::pace::{FEW_SAMPLES, Pace};
use crate::trainer::probe::{Probe, Prober, Subset};
use crate::trainer::snapshot::{Effort, History, Refusal, Snapshot};
use crate::trainer::speed::{Beat, PICTURES_PER_SECOND, Speed};
use crate::trainer::start::Start;
use crate::trainer::timeline::{MOST_BYTES, Moment, Timeline};
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
    /// Make so many steps at the speed that is chosen, then pause.
    PlayFor(u64),
    /// Make steps so fast while playing; of all runs that are compared.
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
    /// Show where the network puts this image beside the samples from now on, or none: 28×28 pixels
    /// row by row, 0 paper to 255 ink.
    Place(Option<Arc<[u8]>>),
    /// Keep a snapshot whose every sample is at the current step for [`Worker::take_captured`].
    Capture,
    /// Keep the run as a session for [`Worker::take_session`].
    Save,
    /// Go back to a moment that was recorded, or the last one before it that was kept, and rest
    /// there. Steps from there go another way; the one that was left stays on the timeline.
    GoTo(Moment),
}

impl Command {
    /// Sets a field.
    pub fn set(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Set {
            key: key.into(),
            value: value.into(),
        }
    }
}

/// Handle to a run on the training thread; dropping it ends the run, the last one ends the thread
/// after the step under way.
#[derive(Debug)]
pub struct Worker {
    id: RunId,
    messages: Option<Sender<Message>>,
    /// Commands sent so far.
    n_sent: u64,
    slots: Arc<Slots>,
    thread: Arc<Thread>,
}

/// Names a run among those of a thread.
type RunId = u32;

/// The thread that all handles have in common.
#[derive(Debug)]
struct Thread {
    n_runs: AtomicU32,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        let handle = self
            .handle
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = handle.take() {
            let _ = handle.join(); // a panic was already reported by its own thread
        }
    }
}

/// What handles tell the thread.
#[derive(Debug)]
enum Message {
    Command(RunId, Command),
    /// The same run once more, with all that was recorded of it.
    Twin {
        of: RunId,
        id: RunId,
        slots: Arc<Slots>,
    },
    End(RunId),
}

/// Where the worker leaves snapshots: a newer one takes the place of one that nobody looked at.
#[derive(Debug, Default)]
struct Slots {
    newest: ArcSwapOption<Snapshot>,
    captured: ArcSwapOption<Snapshot>,
    saved: ArcSwapOption<Session>,
    timeline: Mutex<Timeline>,
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
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, TrainError> {
        let start = start.into();
        start.experiment.validate()?;
        let (sender, messages) = channel();
        let slots = Arc::new(Slots::default());
        let publish_to = Arc::clone(&slots);
        let handle = std::thread::Builder::new()
            .name("trainer".to_owned())
            .spawn(move || {
                let slots = publish_to;
                match Run::new(&start, n_threads, Subset::default(), 1) {
                    Ok(run) => Loop {
                        panes: vec![Pane::new(0, run, slots, Arc::new(wake))],
                        beat: Beat::new(Speed::Full, Instant::now()),
                        messages,
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
            id: 0,
            messages: Some(sender),
            n_sent: 0,
            slots,
            thread: Arc::new(Thread {
                n_runs: AtomicU32::new(1),
                handle: Mutex::new(Some(handle)),
            }),
        })
    }

    /// The same run once more, as it stands, with its timeline: from here on it goes its own way,
    /// in lock step with this one.
    #[must_use]
    pub fn twin(&self) -> Self {
        let id = self.thread.n_runs.fetch_add(1, Ordering::Relaxed);
        let slots = Arc::new(Slots::default());
        let twin = Self {
            id,
            messages: self.messages.clone(),
            n_sent: 0,
            slots: Arc::clone(&slots),
            thread: Arc::clone(&self.thread),
        };
        let of = self.id;
        self.tell(Message::Twin { of, id, slots });
        twin
    }

    fn tell(&self, message: Message) {
        if let Some(messages) = &self.messages {
            // The thread ends only when its last handle is dropped, so that somebody receives.
            let _ = messages.send(message);
        }
    }

    /// Sends a command, which takes its turn after those before it; returns its number.
    ///
    /// A snapshot whose [`Snapshot::n_commands`] is not below the number shows its effect.
    pub fn send(&mut self, command: Command) -> u64 {
        self.tell(Message::Command(self.id, command));
        self.n_sent += 1;
        self.n_sent
    }

    /// The newest snapshot; `None` before the first.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.slots.newest.load_full()
    }

    /// What was recorded of the run; the training thread waits while it is held.
    pub fn timeline(&self) -> MutexGuard<'_, Timeline> {
        self.slots.timeline()
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
        self.tell(Message::End(self.id));
        self.messages = None; // before the last handle waits for the thread
    }
}

impl Slots {
    fn timeline(&self) -> MutexGuard<'_, Timeline> {
        // Whoever panicked while holding it has told so, and left it whole.
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
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
    fault: Option<String>,
    class_names: Arc<[String]>,
    /// What is shown beside the samples.
    placed: Option<Arc<[u8]>>,
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
            fault: None,
            class_names,
            placed: None,
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
        self.effort.secs += start.elapsed().as_secs_f64();
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

    /// Whether it could use time in which no steps are due to bring samples up to the last one.
    fn lags(&self) -> bool {
        self.is_playing && !self.is_hurried && !self.prober.is_current(&self.trainer)
    }

    /// Brings a block of samples up to the last step.
    fn catch_up(&mut self) {
        let start = Instant::now();
        self.prober.advance_together(&self.trainer);
        let secs = start.elapsed().as_secs_f64();
        self.effort.probing_secs += secs;
        self.effort.secs += secs;
    }

    /// The same run once more, to go its own way from here.
    fn twin(&self) -> Self {
        let trainer = self.trainer.twin();
        Self {
            prober: Prober::new(&trainer, self.subset),
            other: None,
            n_slices: 0,
            trainer,
            subset: self.subset,
            history: self.history.clone(),
            generation: self.generation,
            steps_left: self.steps_left,
            is_playing: self.is_playing,
            is_hurried: self.is_hurried,
            fault: self.fault.clone(),
            class_names: Arc::clone(&self.class_names),
            placed: self.placed.clone(),
            measured: None,
            pace: self.pace.clone(),
            effort: Effort::default(),
        }
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

    fn drawn(&self) -> Option<Drawn> {
        Drawn::of(&self.trainer, self.placed.as_ref()?)
    }

    fn snapshot(&mut self, n_commands: u64, refusal: Option<Refusal>, beat: &Beat) -> Snapshot {
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
            drawn: self.drawn(),
            other_score: self.other.as_ref().and_then(|other| other.score(&head)),
            head,
            probe,
            metrics,
            detail,
            history: self.history.clone(),
            horizon: self.trainer.horizon(),
            learning_rate: self.trainer.learning_rate(),
            samples_per_second: if is_measured {
                batch * beat.steps_per_second(1.0 / self.pace.step_secs)
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

/// A run with those who asked for it.
struct Pane {
    id: RunId,
    run: Run,
    /// Commands carried out so far.
    n_commands: u64,
    refusal: Option<Refusal>,
    slots: Arc<Slots>,
    /// Called after each snapshot.
    wake: Arc<dyn Fn() + Send + Sync>,
    /// Whether something happened that no snapshot shows yet.
    is_stale: bool,
}

struct Loop {
    panes: Vec<Pane>,
    beat: Beat,
    messages: Receiver<Message>,
    n_threads: usize,
}

impl Loop {
    /// Trains until the last handle is dropped.
    fn work(&mut self) {
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
        true
    }

    /// Time until the next steps; `None` if they are due.
    fn wait(&self) -> Option<Duration> {
        let is_hurried = self
            .panes
            .iter()
            .any(|pane| pane.run.is_playing && pane.run.is_hurried);
        self.beat.wait(Instant::now()).filter(|_| !is_hurried)
    }

    /// Carries out all commands that wait; while paused, and until the next steps are due, waits for
    /// one. Whether to go on.
    fn drain(&mut self) -> bool {
        let is_playing = self.panes.iter().any(|pane| pane.run.is_playing);
        let first = if !is_playing {
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
                    pane.obey(command, &self.beat, self.n_threads);
                }
            }
            Message::Twin { of, id, slots } => {
                if let Some(at) = at(of) {
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

    fn publish(&mut self) {
        let stale = self.panes.iter_mut().filter(|pane| pane.is_stale);
        stale.for_each(|pane| pane.publish(&self.beat));
    }
}

impl Pane {
    fn new(id: RunId, run: Run, slots: Arc<Slots>, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        slots.timeline().note_step(&run.trainer);
        Self {
            id,
            run,
            n_commands: 0,
            refusal: None,
            slots,
            wake,
            is_stale: true,
        }
    }

    fn twin(&self, id: RunId, slots: Arc<Slots>) -> Self {
        slots.timeline().clone_from(&self.slots.timeline());
        Self {
            id,
            run: self.run.twin(),
            n_commands: 0,
            refusal: None,
            slots,
            wake: Arc::clone(&self.wake),
            is_stale: true,
        }
    }

    fn step(&mut self) {
        self.run.step();
        self.slots.timeline().note_step(&self.run.trainer);
        self.is_stale = true;
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
        if self.run.is_playing && self.run.prober.probe().len() > 2 * FEW_SAMPLES {
            self.run.is_playing = false;
            self.publish(beat);
        }
        self.run.stop();
    }

    /// Goes back to a moment that was recorded, and rests there.
    fn go_to(&mut self, moment: Moment) {
        let run = &mut self.run;
        let way = self.slots.timeline().way_back(moment);
        let Some(way) = way.filter(|_| self.slots.timeline().now() != Some(moment)) else {
            run.stop();
            return;
        };
        let back = run
            .trainer
            .go_back(&way.checkpoint, way.moment.step, &way.experiment);
        run.fault = back.err().map(|diverged| diverged.to_string());
        run.history = way.history;
        run.measured = None;
        run.stop();
        let mut timeline = self.slots.timeline();
        timeline.leave(way.moment);
        timeline.note_step(&run.trainer);
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

    /// Publishes the run as it stands. A step may pass what a float holds before a loss shows it:
    /// then the run stops, and what is shown stays at the last finite snapshot.
    fn publish(&mut self, beat: &Beat) {
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
        self.slots.newest.store(Some(Arc::new(snapshot)));
        (self.wake)();
        self.is_stale = false;
        self.run.effort.secs += start.elapsed().as_secs_f64(); // the next snapshot says so
    }
}
