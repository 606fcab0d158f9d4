//! The thread that trains: one ordered channel of commands in, the newest snapshot out.
//!
//! Runs that are compared are trained on the same thread, see [`lock_step`](super::lock_step).

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use arc_swap::ArcSwapOption;

use crate::experiment::Experiment;
use crate::trainer::lock_step::{Loop, Pane};
use crate::trainer::probe::Subset;
use crate::trainer::run::Run;
use crate::trainer::snapshot::Snapshot;
use crate::trainer::speed::{Beat, Speed};
use crate::trainer::start::Start;
use crate::trainer::timeline::{Moment, Timeline};
use crate::trainer::{Session, TrainError};

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
    /// there. Steps from there go another way; the one that was left stays on the timeline. Commands
    /// that come on the way wait until it is there, but [`Command::Pause`], which ends the way where
    /// it has come to, another moment, and another run.
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
pub type RunId = u32;

/// Why a run makes no steps of its own just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// It plays, but another one comes first.
    Waits {
        /// The other one.
        for_run: RunId,
        /// Steps that it has to make until both go on together.
        n_steps: u64,
    },
    /// It is on its way back to a moment, from the checkpoint before it.
    GoesBack {
        /// Part of the way that is done.
        percent: u8,
    },
}

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
pub(super) enum Message {
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
pub(super) struct Slots {
    pub newest: ArcSwapOption<Snapshot>,
    pub captured: ArcSwapOption<Snapshot>,
    pub saved: ArcSwapOption<Session>,
    pub delay: ArcSwapOption<Delay>,
    pub timeline: Mutex<Timeline>,
    /// Why there will be no snapshot.
    pub failure: OnceLock<String>,
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

    /// Its name among the runs that are compared.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Why it makes no steps of its own, where it was to make some.
    pub fn delay(&self) -> Option<Delay> {
        self.slots.delay.load().as_deref().copied()
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
    /// Says why the run makes no steps; most of the time it does, which takes no memory.
    pub(super) fn note_delay(&self, delay: Option<Delay>) {
        if self.delay.load().as_deref() != delay.as_ref() {
            self.delay.store(delay.map(Arc::new));
        }
    }

    pub(super) fn timeline(&self) -> MutexGuard<'_, Timeline> {
        // Whoever panicked while holding it has told so, and left it whole.
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
