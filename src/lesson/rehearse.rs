//! The runs of a lesson or a failure without a window.

use crate::experiment::{Experiment, ExperimentError};
use crate::lesson::{Setting, Stage};
use crate::trainer::{Diverged, Horizon, Snapshot, Subset, TrainError, Trainer};

/// A run that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearseError {
    /// A setting is refused.
    #[error(transparent)]
    Setting(#[from] ExperimentError),
    /// The run cannot start.
    #[error(transparent)]
    Start(#[from] TrainError),
    /// A step gave no finite numbers.
    #[error(transparent)]
    Diverged(#[from] Diverged),
}

/// A stage as it was made.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// Before its first step: of the stage before, or of a run at its start.
    pub before: Snapshot,
    /// The same before its first step, but at its own start where it begins a run.
    pub start: Snapshot,
    /// After its last step.
    pub after: Snapshot,
}

/// Makes the stages one after the other as the window does, step for step; the first begins a run.
///
/// # Errors
/// If a setting is refused, a run cannot start, or diverges.
pub fn rehearse<'a>(
    experiment: &Experiment,
    stages: impl IntoIterator<Item = &'a Stage>,
    n_threads: usize,
) -> Result<Vec<Rehearsed>, RehearseError> {
    let look = |trainer: &Trainer| Snapshot::of(trainer, Subset::default());
    let mut made: Vec<Rehearsed> = Vec::new();
    let mut under_way: Option<Trainer> = None;
    for stage in stages {
        let under = under_way.take().filter(|_| !stage.begins);
        let mut trainer = if let Some(mut trainer) = under {
            for Setting { key, value } in &stage.set {
                trainer.set(key, value)?;
            }
            trainer
        } else {
            let beginning = stage.beginning(experiment)?;
            Trainer::new(&beginning, Some(Horizon::Endless), n_threads)?
        };
        let start = look(&trainer);
        let threads = trainer.threads();
        threads.install(|| (0..stage.n_steps).try_for_each(|_| trainer.step().map(drop)))?;
        let before = made.last().map_or(&start, |last| &last.after).clone();
        let after = look(&trainer);
        made.push(Rehearsed {
            before,
            start,
            after,
        });
        under_way = Some(trainer);
    }
    Ok(made)
}
