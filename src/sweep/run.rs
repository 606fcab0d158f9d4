//! The runs of a grid, several at a time with one thread each.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::sweep::Grid;
use crate::trainer::{Ending, Report, TrainError, Trainer};

/// What happens while a sweep runs.
#[derive(Debug)]
pub enum Event {
    /// The run of a cell is done, or diverged.
    Done {
        /// Its place in the grid.
        cell: usize,
        /// What came of it.
        report: Box<Report>,
    },
    /// Time has passed: how far the runs under way are, in runs.
    Under(f64),
}

/// A sweep that ended before its last run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError<E> {
    /// A run could not start.
    #[error("{run}: {source}")]
    Train {
        /// The values of its cell and its seed.
        run: String,
        /// Why.
        source: Box<TrainError>,
    },
    /// No thread for a run.
    #[error("cannot start a thread")]
    Spawn(#[source] std::io::Error),
    /// Whoever was told of a run could not go on.
    #[error(transparent)]
    Told(E),
    /// `stop` was set.
    #[error("interrupted")]
    Interrupted,
}

/// How often it is told how far the runs are.
const TICK: Duration = Duration::from_millis(100);

/// What the threads share.
struct Shared<'a> {
    grid: &'a Grid,
    /// Places in the grid, in the order in which they are run.
    cells: &'a [usize],
    next: AtomicUsize,
    /// Set by the caller.
    stop: &'a AtomicBool,
    /// Set when one of the runs or the caller failed.
    has_failed: AtomicBool,
    /// Share of the run of each thread that is done, in millionths.
    shares: Vec<AtomicU64>,
}

type Outcome = Result<(usize, Box<Report>), (usize, TrainError)>;

/// Makes the runs of these `cells`, `n_threads` at a time, each with one thread: more would not
/// change a bit of them. `tell` learns of each at once; `stop` ends those under way, of which
/// nothing is kept.
///
/// A run that diverges is done like any other.
///
/// # Errors
/// If a run cannot start, `tell` fails, or `stop` was set before the last run was done.
pub fn run<E>(
    grid: &Grid,
    cells: &[usize],
    n_threads: usize,
    stop: &AtomicBool,
    mut tell: impl FnMut(Event) -> Result<(), E>,
) -> Result<(), RunError<E>> {
    let n_threads = n_threads.clamp(1, cells.len().max(1));
    let shared = Shared {
        grid,
        cells,
        next: AtomicUsize::new(0),
        stop,
        has_failed: AtomicBool::new(false),
        shares: (0..n_threads).map(|_| AtomicU64::new(0)).collect(),
    };
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let mut result = Ok(());
        for i in 0..n_threads {
            let (shared, sender) = (&shared, sender.clone());
            let worker = thread::Builder::new().name(format!("sweep-{i}"));
            if let Err(error) = worker.spawn_scoped(scope, move || work(shared, i, &sender)) {
                result = Err(RunError::Spawn(error));
            }
        }
        drop(sender);
        let mut n_left = cells.len();
        while result.is_ok() {
            let event = match receiver.recv_timeout(TICK) {
                Ok(Ok((cell, report))) => {
                    n_left -= 1;
                    Event::Done { cell, report }
                }
                Ok(Err((cell, source))) => {
                    let (run, source) = (describe(grid, cell), Box::new(source));
                    result = Err(RunError::Train { run, source });
                    break;
                }
                Err(RecvTimeoutError::Timeout) => Event::Under(shared.under_way()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            result = tell(event).map_err(RunError::Told);
        }
        shared.has_failed.store(result.is_err(), Ordering::Relaxed);
        if result.is_ok() && n_left > 0 {
            result = Err(RunError::Interrupted);
        }
        result
    })
}

fn describe(grid: &Grid, cell: usize) -> String {
    let cell = &grid.cells[cell];
    let words = super::grid::words(&grid.axes, &cell.values);
    let comma = if words.is_empty() { "" } else { ", " };
    format!("{words}{comma}seed={}", cell.experiment.run.seed)
}

impl Shared<'_> {
    fn must_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.has_failed.load(Ordering::Relaxed)
    }

    fn under_way(&self) -> f64 {
        let millionths = self
            .shares
            .iter()
            .map(|share| share.load(Ordering::Relaxed));
        millionths.sum::<u64>() as f64 / 1e6
    }
}

/// One run after the other, as long as there are any.
fn work(shared: &Shared<'_>, thread: usize, sender: &Sender<Outcome>) {
    loop {
        let next = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(&cell) = shared.cells.get(next).filter(|_| !shared.must_stop()) else {
            return;
        };
        let outcome = match train(shared, cell, &shared.shares[thread]) {
            Ok(Some(report)) => Ok((cell, Box::new(report))),
            Ok(None) => return,
            Err(error) => Err((cell, error)),
        };
        shared.shares[thread].store(0, Ordering::Relaxed);
        if sender.send(outcome).is_err() {
            return;
        }
    }
}

/// `None` where it was stopped.
fn train(
    shared: &Shared<'_>,
    cell: usize,
    share: &AtomicU64,
) -> Result<Option<Report>, TrainError> {
    let experiment = &shared.grid.cells[cell].experiment;
    let mut trainer = Trainer::new(experiment, None, 1)?;
    let n_steps = experiment.n_steps(trainer.data().train.len());
    let threads = trainer.threads();
    threads.install(|| {
        let mut ending = Ending {
            n_before: 0,
            elapsed: Duration::ZERO,
            final_loss: None,
            diverged: false,
        };
        let start = Instant::now();
        while trainer.n_steps() < n_steps && !ending.diverged {
            if shared.must_stop() {
                return Ok(None);
            }
            match trainer.step() {
                Ok(report) => ending.final_loss = Some(report.loss),
                Err(_) => ending.diverged = true, // how and where is told by `train`
            }
            let millionths = 1_000_000 * trainer.n_steps() as u128 / u128::from(n_steps);
            share.store(millionths as u64, Ordering::Relaxed);
        }
        ending.elapsed = start.elapsed();
        Ok(Some(Report::of(&trainer, &ending)))
    })
}
