//! A run at one moment, kept in memory: what a step changes, and nothing that it only reads.

use std::sync::Arc;

use crate::experiment::{Change, Experiment};
use crate::trainer::batches::Batches;
use crate::trainer::optimizer::Optimizer;
use crate::trainer::{Diverged, Horizon, Order, Resolved, Rewarm, Trainer};

/// All that a run's next steps depend on, besides its data.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    experiment: Arc<Experiment>,
    params: Vec<f32>,
    optimizer: Optimizer,
    batches: Batches,
    horizon: Horizon,
    step: u64,
    loss_chosen_at: u64,
    ramp_from: Option<u64>,
    rewarm: Rewarm,
    pending: Vec<Change>,
}

impl Checkpoint {
    /// Step after which it was taken.
    pub(super) fn step(&self) -> u64 {
        self.step
    }

    /// Memory that it holds, beside the one before it.
    pub(super) fn n_bytes(&self, before: Option<&Self>) -> usize {
        let Optimizer { first, second, .. } = &self.optimizer;
        let n_floats = self.params.len() + first.len() + second.len();
        let before = before.map(|before| &before.batches);
        4 * (n_floats + self.batches.n_samples_beside(before)) + size_of::<Self>()
    }

    /// The changes that lead from here to where the run was `later`; `None` if it never came by here.
    fn changes_to(&self, later: &Experiment) -> Option<Vec<Change>> {
        let rest = later
            .run
            .changes
            .strip_prefix(&self.experiment.run.changes[..]);
        rest.map(<[Change]>::to_vec)
    }

    /// Whether the run that is `later` came by here on its way to `step`.
    pub(super) fn is_before(&self, step: u64, later: &Experiment) -> bool {
        self.step <= step && self.changes_to(later).is_some()
    }
}

impl Trainer {
    /// The run as it stands.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            experiment: Arc::clone(&self.experiment),
            params: self.params.clone(),
            optimizer: self.optimizer.clone(),
            batches: self.batches.clone(),
            horizon: self.horizon,
            step: self.step,
            loss_chosen_at: self.loss_chosen_at,
            ramp_from: self.ramp_from,
            rewarm: self.rewarm,
            pending: self.pending.clone(),
        }
    }

    /// Goes back to where this run, or its twin, was.
    fn restore(&mut self, checkpoint: &Checkpoint) {
        let Checkpoint {
            experiment,
            params,
            optimizer,
            batches,
            horizon,
            step,
            loss_chosen_at,
            ramp_from,
            rewarm,
            pending,
        } = checkpoint.clone();
        self.experiment = experiment;
        self.resolved = Resolved::of(&self.experiment, &self.data);
        self.params = params;
        self.optimizer = optimizer;
        self.batches = batches;
        self.horizon = horizon;
        self.step = step;
        self.loss_chosen_at = loss_chosen_at;
        self.ramp_from = ramp_from;
        self.rewarm = rewarm;
        self.pending = pending;
        self.threads().install(|| self.pack());
    }

    /// Goes to a step at which this run was `then`, from a checkpoint on the way to it, with the same
    /// steps and changes: the bits are those that it had there.
    ///
    /// # Errors
    /// [`Diverged`] if the run did not come by the checkpoint, and steps from there do not exist.
    pub(super) fn go_back(
        &mut self,
        checkpoint: &Checkpoint,
        step: u64,
        then: &Experiment,
    ) -> Result<(), Diverged> {
        self.restore(checkpoint);
        let on_the_way = checkpoint.changes_to(then).unwrap_or_default();
        self.pending.retain(|change| change.step > step); // the others were made on the way
        self.pending.splice(..0, on_the_way);
        self.apply_pending();
        while self.step < step {
            self.step()?;
        }
        Ok(())
    }

    /// The same run once more, to go its own way from here: with data and threads in common.
    pub(super) fn twin(&self) -> Self {
        let mut twin = Self::assemble(
            &self.start,
            Arc::clone(&self.data),
            Order::Shuffled,
            Some(self.horizon),
            Arc::clone(&self.threads),
        );
        twin.restore(&self.checkpoint());
        twin
    }
}
