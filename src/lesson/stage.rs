//! The runs behind texts: what is changed, and how many training steps follow.

use crate::experiment::{Change, Experiment, ExperimentError, Length, is_live};
use crate::lesson::Claim;

/// A stretch of training.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Whether it begins a new run, or goes on with the one under way.
    pub begins: bool,
    /// What is set first, in this order.
    pub set: Vec<Setting>,
    /// Steps that are made then.
    pub n_steps: u64,
    /// What is claimed of the end.
    pub claims: Vec<Claim>,
}

/// A field with its new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Full key.
    pub key: String,
    /// As in a file.
    pub value: String,
}

/// What is to be done for a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Start this run, which makes its steps and rests.
    Begin(Box<Experiment>),
    /// Start this run, make so many steps at once and rest: then the stage goes on from there.
    CatchUp(Box<Experiment>, u64),
    /// Set these fields and make so many steps.
    GoOn(Vec<Setting>, u64),
}

impl Stage {
    /// The run that this stage begins.
    ///
    /// # Errors
    /// If a setting is refused, or does not go together with the others.
    pub fn beginning(&self, experiment: &Experiment) -> Result<Experiment, ExperimentError> {
        let mut experiment = experiment.clone();
        for Setting { key, value } in &self.set {
            experiment.set(key, value)?;
        }
        experiment.validate()?;
        experiment.run.length = Some(Length::Steps(self.n_steps));
        Ok(experiment)
    }
}

/// The run in which these stages, the first of which begins it, were all made, with the changes at
/// their steps; and how many steps that are.
///
/// # Errors
/// If a setting is refused.
pub(super) fn made<'a>(
    experiment: &Experiment,
    stages: impl IntoIterator<Item = &'a Stage>,
) -> Result<(Experiment, u64), ExperimentError> {
    let (mut run, mut n_steps) = (experiment.clone(), 0);
    for stage in stages {
        if stage.begins {
            run = stage.beginning(experiment)?;
            n_steps = stage.n_steps;
            continue;
        }
        let mut now = run.now();
        for Setting { key, value } in &stage.set {
            let key = now.set(key, value)?;
            if !is_live(&key) {
                let message = format!("{key} starts a new run: say begin = true");
                return Err(ExperimentError::Conflict { message });
            }
            run.run.changes.push(Change {
                step: n_steps,
                key,
                value: value.clone(),
            });
        }
        now.validate()?;
        n_steps += stage.n_steps;
    }
    Ok((run, n_steps))
}
