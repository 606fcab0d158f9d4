//! The samples that are drawn, and how recent each one's feature is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Split};
use crate::trainer::{EmbedWork, Trainer};

/// Which samples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subset {
    /// So many of the test set (of the training set where there is none), evenly spread.
    Test(usize),
    /// So many of the training set, evenly spread.
    Train(usize),
}

impl Default for Subset {
    fn default() -> Self {
        Self::Test(2000)
    }
}

/// Features of the display subset.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Whether they are training samples.
    pub is_train: bool,
    /// Which samples of the split `[n]`
    pub indices: Arc<[u32]>,
    /// y `[n]`
    pub labels: Arc<[u16]>,
    /// x `[dim, n]`
    pub features: Vec<f32>,
    /// Step after which each feature was computed `[n]`
    pub computed_at: Vec<u64>,
}

impl Probe {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// Recomputes a probe, a slice after each step.
#[derive(Debug)]
pub(super) struct Prober {
    probe: Probe,
    work: EmbedWork,
    cursor: usize,
}

impl Prober {
    pub(super) fn new(trainer: &Trainer, subset: Subset) -> Self {
        let data = trainer.data();
        let (is_train, wanted) = match subset {
            Subset::Test(n) => (data.test.is_none() || trainer.is_free(), n),
            Subset::Train(n) => (true, n),
        };
        let split = split_of(data, is_train);
        let n = wanted.clamp(1, split.len());
        let indices: Arc<[u32]> = (0..n).map(|i| (i * split.len() / n) as u32).collect();
        let labels = indices
            .iter()
            .map(|&i| split.labels()[i as usize])
            .collect();
        let dim = trainer.experiment().network.dim;
        let mut prober = Self {
            probe: Probe {
                is_train,
                indices,
                labels,
                features: vec![0.0; n * dim],
                computed_at: vec![0; n],
            },
            work: EmbedWork::default(),
            cursor: 0,
        };
        prober.finish(trainer);
        prober
    }

    /// Recomputes the next `n` features, or fewer up to the end of the list.
    pub(super) fn advance(&mut self, trainer: &Trainer, n: usize) -> usize {
        let start = self.cursor;
        let end = (start + n).min(self.probe.len());
        let dim = trainer.experiment().network.dim;
        let Probe {
            is_train,
            indices,
            features,
            computed_at,
            ..
        } = &mut self.probe;
        let split = split_of(trainer.data(), *is_train);
        trainer.embed(
            split,
            &indices[start..end],
            &mut self.work,
            &mut features[start * dim..end * dim],
        );
        computed_at[start..end].fill(trainer.n_steps());
        self.cursor = if end == self.probe.len() { 0 } else { end };
        end - start
    }

    /// Brings every feature up to the current step, on all training threads, so that a still
    /// picture is a function of the parameters alone.
    pub(super) fn finish(&mut self, trainer: &Trainer) {
        self.cursor = 0;
        let probe = &mut self.probe;
        let split = split_of(trainer.data(), probe.is_train);
        trainer.embed_all(split, &probe.indices, &mut probe.features);
        probe.computed_at.fill(trainer.n_steps());
    }

    pub(super) fn probe(&self) -> &Probe {
        &self.probe
    }
}

fn split_of(data: &Dataset, is_train: bool) -> &Split {
    data.test
        .as_ref()
        .filter(|_| !is_train)
        .unwrap_or(&data.train)
}
