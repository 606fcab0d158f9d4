//! Settings that change while the run goes on, and the list that repeats them.

use std::sync::Arc;

use crate::data::Dataset;
use crate::experiment::{Change, Experiment, ExperimentError, Placement, is_live};
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
        while self
            .pending
            .first()
            .is_some_and(|change| change.step <= self.step)
        {
            let change = self.pending.remove(0);
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
fn record(changes: &mut Vec<Change>, change: Change) {
    let is_repeated = |old: &Change| old.step == change.step && old.key == change.key;
    if let [.., a, b] = changes.as_mut_slice()
        && change.key != "loss.id"
        && is_repeated(a)
        && is_repeated(b)
    {
        b.value = change.value;
    } else {
        changes.push(change);
    }
}
