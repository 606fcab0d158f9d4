//! Settings that change while the run goes on, and the list that repeats them.

use std::sync::Arc;

use crate::data::Dataset;
use crate::experiment::{Change, Changes, Experiment, ExperimentError, Placement, is_live};
use crate::loss::Course;
use crate::trainer::{Horizon, Resolved, Rewarm, Trainer, horizon_of};

/// What a changed setting did to the run.
#[derive(Debug, PartialEq)]
pub enum Applied {
    /// It is in force; the run goes on.
    Live,
    /// It needs a new run, of this experiment.
    NeedsRestart(Box<Experiment>),
}

impl Trainer {
    /// Sets a field by full or short key while the run goes on. What cannot change in a run is
    /// returned as a new experiment.
    ///
    /// # Errors
    /// If the value is refused; nothing is changed then.
    pub fn set(&mut self, key: &str, value: &str) -> Result<Applied, ExperimentError> {
        let mut next = self.experiment.as_ref().clone();
        let placement = Placement::read(&next, key, value).transpose()?;
        let key = next.set(key, value)?;
        next.validate()?;
        if next == *self.experiment && placement.is_none() {
            return Ok(Applied::Live);
        }
        if !is_live(&key) {
            next.run.changes.clear();
            return Ok(Applied::NeedsRestart(Box::new(next)));
        }
        record(
            &mut next.run.changes,
            Change {
                step: self.step,
                key: key.clone(),
                value: value.trim().to_owned(),
            },
        );
        let share = self.rate_share();
        let before = std::mem::replace(&mut self.experiment, Arc::new(next));
        self.resolved = Resolved::of(&self.experiment, &self.data);
        if let Some(placement) = &placement {
            self.place(placement);
        }
        let is_stirred = placement.is_some() || self.enter_loss(&before, &key);
        if is_stirred && self.step > 0 {
            self.rewarm = Rewarm {
                at: self.step,
                share,
            };
        }
        Ok(Applied::Live)
    }

    /// What a new loss, margin, scale or λ sets going: ramp and annealing. Whether there was one.
    fn enter_loss(&mut self, before: &Experiment, key: &str) -> bool {
        if key == "loss.id" {
            self.loss_chosen_at = self.step;
            self.ramp_from = Some(self.step);
            self.take_given();
            self.zero_first_weight_of_binary();
            self.put_on_sphere();
            return true;
        }
        let (old, new) = (before.loss_values(), self.experiment.loss_values());
        let params = self.experiment.loss.spec.params.iter().enumerate();
        let has_new_margin = params
            .filter(|(_, param)| param.course == Course::Ramp)
            .any(|(i, _)| old[i] != new[i]);
        // A slider acts at once; values that come with the choice of a loss ramp with it.
        if has_new_margin && self.step > self.loss_chosen_at {
            self.ramp_from = None;
        }
        old != new
    }

    /// Makes the changes of the experiment's file that are due at the step it has reached.
    pub(super) fn apply_pending(&mut self) {
        while let Some(change) = self.pending.next_until(self.step) {
            // Checked when the file was read; a change that no longer fits is left out.
            let _ = self.set(&change.key, &change.value);
        }
    }
}

/// The run that began as `start` and had the changes of `now` on its way.
pub(super) fn recipe(
    start: &Experiment,
    now: &Experiment,
    horizon: Horizon,
    data: &Dataset,
) -> Experiment {
    let mut recipe = start.clone();
    recipe.run.changes.clone_from(&now.run.changes);
    if let Horizon::Steps(n_steps) = horizon
        && horizon_of(&recipe, data) != horizon
    {
        recipe.optimizer.horizon_steps = Some(n_steps); // it went on beyond its end
    }
    recipe
}

/// Adds a change to the list. A slider that is dragged while the run rests leaves two: the first
/// ends the ramp and warms the rate up even if the last brings the old value back. A loss drops the
/// values of the one before and may move the weights, so every choice of one is kept.
fn record(changes: &mut Changes, change: Change) {
    let is_repeated = |old: &&Change| old.step == change.step && old.key == change.key;
    let n_repeated = changes.newest_first().take(2).filter(is_repeated).count();
    if n_repeated == 2 && change.key != "loss.id" {
        changes.pop();
    }
    changes.push(change);
}

/// Changes that are still to come, in the order of their steps.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// With those that were made; a checkpoint has them in common with the run.
    all: Arc<[Change]>,
    n_made: usize,
}

impl Pending {
    pub(super) fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut all: Vec<Change> = changes.into_iter().cloned().collect();
        all.sort_by_key(|change| change.step);
        Self {
            all: all.into(),
            n_made: 0,
        }
    }

    pub(super) fn rest(&self) -> &[Change] {
        &self.all[self.n_made..]
    }

    /// The next one if it is due at a step.
    fn next_until(&mut self, step: u64) -> Option<Change> {
        let next = self.rest().first().filter(|change| change.step <= step)?;
        let next = next.clone();
        self.n_made += 1;
        Some(next)
    }

    /// Leaves out what was due up to a step.
    pub(super) fn skip_until(&mut self, step: u64) {
        let n_due = self.rest().partition_point(|change| change.step <= step);
        self.n_made += n_due;
    }
}
