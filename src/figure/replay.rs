//! From a recipe to the run at its last step.

use crate::experiment::Experiment;
use crate::figure::{Picture, Plot, Recipe};
use crate::trainer::{Diverged, History, Horizon, Snapshot, TrainError, Trainer};

/// A figure that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// The run cannot start.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The run has no finite numbers at the step that is wanted.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// Whoever watched the steps had enough.
    #[error("interrupted after {step} of {n_steps} steps")]
    Interrupted {
        /// Steps made.
        step: u64,
        /// Steps wanted.
        n_steps: u64,
    },
}

/// Points of the accuracy curve.
const N_ACCURACIES: u64 = 64;

/// Makes the steps of a recipe on so many threads, which do not change a bit. After each step
/// `goes_on` is told how many were made, of how many, and says whether to make the next.
///
/// # Errors
/// If the run cannot start, diverges, or is interrupted.
pub fn replay(
    recipe: &Recipe,
    n_threads: usize,
    mut goes_on: impl FnMut(u64, u64) -> bool + Send,
) -> Result<Snapshot, FigureError> {
    let Recipe {
        experiment,
        picture,
    } = recipe;
    let mut trainer = trainer(experiment, picture, n_threads)?;
    let n_steps = picture
        .step
        .unwrap_or_else(|| experiment.n_steps(trainer.data().train.len()));
    let mut history = History::default();
    let measures = picture.plot == Plot::Curves && picture.accuracy.is_empty();
    let stride = n_steps.div_ceil(N_ACCURACIES).max(1);
    let mut measured = picture.accuracy.iter().peekable();
    let pool = trainer.threads();
    pool.install(|| -> Result<(), FigureError> {
        while trainer.n_steps() < n_steps {
            let step = trainer.n_steps();
            if !goes_on(step, n_steps) {
                return Err(FigureError::Interrupted { step, n_steps });
            }
            let report = trainer.step()?;
            let step = trainer.n_steps();
            history.push_loss(step, report.loss);
            if measures && (step.is_multiple_of(stride) || step == n_steps) {
                let snapshot = Snapshot::of(&trainer, picture.samples);
                history.note_accuracy(snapshot.metrics.accuracy);
            }
            if let Some((_, accuracy)) = measured.next_if(|(at, _)| *at == step) {
                history.note_accuracy(*accuracy);
            }
        }
        trainer.apply_pending(); // what was changed after the last step is seen, too
        Ok(())
    })?;
    let mut snapshot = Snapshot::of(&trainer, picture.samples);
    snapshot.history = history;
    Ok(snapshot)
}

fn trainer(
    experiment: &Experiment,
    picture: &Picture,
    n_threads: usize,
) -> Result<Trainer, TrainError> {
    let horizon = picture.endless.then_some(Horizon::Endless);
    Trainer::new(experiment, horizon, n_threads)
}
