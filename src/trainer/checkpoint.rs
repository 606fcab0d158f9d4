//! A run at one moment, kept in memory: what a step changes, and nothing that it only reads.

use std::sync::Arc;

use crate::experiment::{Change, Experiment};
use crate::trainer::batches::Batches;
use crate::trainer::change::Pending;
use crate::trainer::optimizer::Optimizer;
use crate::trainer::{Horizon, Order, Resolved, Rewarm, Trainer};

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
    pending: Pending,
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
        later.run.changes.since(&self.experiment.run.changes)
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
    pub(super) fn restore(&mut self, checkpoint: &Checkpoint) {
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

    /// Goes back to a checkpoint, to make the steps from there to where the run was `then` once more,
    /// with the same changes: the bits are those that it had there.
    pub(super) fn begin_way(&mut self, checkpoint: &Checkpoint, then: &Experiment) {
        self.restore(checkpoint);
        self.pending = Pending::of(&checkpoint.changes_to(then).unwrap_or_default());
        self.apply_pending();
    }

    /// Ends the way from a checkpoint at the step that it has come to: what was changed after it is
    /// not changed again, but for what the experiment's file says.
    pub(super) fn end_way(&mut self, checkpoint: &Checkpoint) {
        self.pending = checkpoint.pending.clone();
        self.pending.skip_until(self.step);
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
