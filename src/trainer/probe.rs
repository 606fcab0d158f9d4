//! The samples that are drawn, and how recent each one's feature is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Split};
use crate::experiment::ViewKind;
use crate::trainer::metrics::{HeadState, accuracy, predictions};
use crate::trainer::{EmbedWork, InputPlane, Trainer};

/// Which samples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subset {
    /// So many of the test set (of the training set where there is none), evenly spread.
    Test(usize),
    /// So many of the training set, evenly spread.
    Train(usize),
}

impl Subset {
    /// Of features of a file in `dim` dimensions: all of them, up to what can be drawn and measured
    /// in a moment.
    pub fn of_given(dim: usize) -> Self {
        const MOST_FLAT: usize = 70_000; // 2-D and 3-D: what a frame has room for
        const MOST_DEEP: usize = 2000; // 512-D: 70,000 would be measured for 15 s
        Self::Train(if dim <= 3 { MOST_FLAT } else { MOST_DEEP })
    }
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
    /// y `[n]`; the class that wins where [`Dataset::has_labels`] says that none is known
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
#[derive(Clone, Debug)]
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
        let indices: Arc<[u32]> = spread(split.labels(), wanted).into();
        let labels = indices
            .iter()
            .map(|&i| split.labels()[i as usize])
            .collect();
        let dim = trainer.experiment().network.dim;
        let mut prober = Self {
            probe: Probe {
                is_train,
                labels,
                features: vec![0.0; indices.len() * dim],
                computed_at: vec![0; indices.len()],
                indices,
            },
            work: EmbedWork::default(),
            cursor: 0,
        };
        prober.finish(trainer);
        prober
    }

    /// The samples, where none has a label each as one of the class that wins under `head`.
    pub(super) fn labeled(&self, trainer: &Trainer, head: &HeadState) -> Probe {
        let mut probe = self.probe.clone();
        if !trainer.data().has_labels() {
            probe.labels = predictions(head, &probe.features).into();
        }
        probe
    }

    /// The sample that is next in turn.
    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Lets a sample be the next in turn, if there is one.
    pub(super) fn turn_to(&mut self, cursor: usize) {
        if cursor < self.probe.len() {
            self.cursor = cursor;
        }
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

    /// Recomputes the next block of features on all training threads.
    pub(super) fn advance_together(&mut self, trainer: &Trainer) {
        const BLOCK: usize = 512; // a command waits no longer than these take
        let start = self.cursor;
        let end = (start + BLOCK).min(self.probe.len());
        let dim = trainer.experiment().network.dim;
        let probe = &mut self.probe;
        let split = split_of(trainer.data(), probe.is_train);
        let features = &mut probe.features[start * dim..end * dim];
        trainer.embed_all(split, &probe.indices[start..end], features);
        probe.computed_at[start..end].fill(trainer.n_steps());
        self.cursor = if end == probe.len() { 0 } else { end };
    }

    /// Whether every feature is of the current step.
    pub(super) fn is_current(&self, trainer: &Trainer) -> bool {
        let mut steps = self.probe.computed_at.iter();
        steps.all(|&step| step == trainer.n_steps())
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

    /// The plane of the inputs with these samples in it, if that is how they are looked at.
    pub(super) fn input_plane(&self, trainer: &Trainer) -> Option<InputPlane> {
        if trainer.experiment().view_kind() != ViewKind::Input {
            return None;
        }
        let split = split_of(trainer.data(), self.probe.is_train);
        InputPlane::of(trainer, split, &self.probe.indices)
    }

    /// A few samples of the split that is not drawn, so that accuracy is known on both; `None`
    /// where there is but one.
    pub(super) fn of_other_split(&self, trainer: &Trainer) -> Option<Self> {
        const N_SAMPLES: usize = 1000;
        if trainer.data().test.is_none() || trainer.is_free() {
            return None;
        }
        let other = if self.probe.is_train {
            Subset::Test(N_SAMPLES)
        } else {
            Subset::Train(N_SAMPLES)
        };
        Some(Self::new(trainer, other))
    }

    /// Share of its samples whose plain argmax under `head` is their class.
    pub(super) fn score(&self, head: &HeadState) -> Option<Score> {
        let Probe {
            is_train,
            labels,
            features,
            ..
        } = &self.probe;
        Some(Score {
            is_train: *is_train,
            n_samples: labels.len(),
            accuracy: accuracy(head, features, labels)?,
        })
    }
}

/// Accuracy on a split that is not drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Whether it is the training set, or else the test set.
    pub is_train: bool,
    /// Samples that were classified.
    pub n_samples: usize,
    /// Share of them whose plain argmax is their class.
    pub accuracy: f64,
}

/// About `wanted` samples evenly from all classes, in the order of the set. Synthetic sets go
/// through their classes in turn, so that every fifth sample may be of one class alone.
fn spread(labels: &[u16], wanted: usize) -> Vec<u32> {
    let n = wanted.clamp(1, labels.len());
    let mut by_class: Vec<u32> = (0..labels.len() as u32).collect();
    by_class.sort_by_key(|&i| labels[i as usize]);
    let mut chosen: Vec<u32> = (0..n).map(|i| by_class[i * labels.len() / n]).collect();
    chosen.sort_unstable();
    chosen
}

/// The samples to train on, or those to test on where there are some.
pub fn split_of(data: &Dataset, is_train: bool) -> &Split {
    data.test
        .as_ref()
        .filter(|_| !is_train)
        .unwrap_or(&data.train)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_drawn() {
        for n_classes in 2..=20_u16 {
            let labels: Vec<u16> = (0..2500).map(|i| i % n_classes).collect();
            for wanted in [500, 2000, 9999] {
                let chosen = spread(&labels, wanted);
                assert_eq!(chosen.len(), wanted.min(labels.len()));
                assert!(chosen.is_sorted_by(|a, b| a < b), "each once, in order");
                let share = chosen.len() / usize::from(n_classes);
                for class in 0..n_classes {
                    let of = |&&i: &&u32| labels[i as usize] == class;
                    let n = chosen.iter().filter(of).count();
                    assert!(
                        n.abs_diff(share) <= 2,
                        "{n} of class {class} of {n_classes}"
                    );
                }
            }
        }
    }
}
