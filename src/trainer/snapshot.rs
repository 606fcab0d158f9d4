//! What the worker shows of a run: immutable, complete, numbers and no widgets.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Split};
use crate::experiment::Experiment;
use crate::trainer::change::recipe;
use crate::trainer::detail::Detail;
use crate::trainer::drawn::Drawn;
use crate::trainer::metrics::{HeadState, Metrics, examine};
use crate::trainer::probe::{Probe, Prober, Score, Subset, split_of};
use crate::trainer::{Horizon, InputPlane, Trainer};

/// A run at one moment. Never changed after it was published.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Counts restarts: snapshots of different runs do not compare.
    pub generation: u64,
    /// Number of the last command that was carried out before this snapshot; 0 before the first.
    pub n_commands: u64,
    /// Steps done.
    pub step: u64,
    /// Passes over the training set.
    pub epochs: f64,
    /// The experiment as it stands, with its changes in mid-run.
    pub experiment: Arc<Experiment>,
    /// The experiment as it stood before the first step and the first change.
    pub start: Arc<Experiment>,
    /// What is trained on, shared with the trainer.
    pub data: Arc<Dataset>,
    /// Name of each class.
    pub class_names: Arc<[String]>,
    /// The head as it stands.
    pub head: HeadState,
    /// The samples to draw.
    pub probe: Probe,
    /// Measured on the probe.
    pub metrics: Metrics,
    /// Counted on the probe.
    pub detail: Arc<Detail>,
    /// The plane of the inputs, where that is the view.
    pub input_plane: Option<InputPlane>,
    /// What was placed beside the samples; `None` in what was recorded.
    pub drawn: Option<Drawn>,
    /// Measured on some samples of the other split, if there is one.
    pub other_score: Option<Score>,
    /// Loss and accuracy so far.
    pub history: History,
    /// How long the run is going to be.
    pub horizon: Horizon,
    /// Learning rate of the next step.
    pub learning_rate: f64,
    /// Training samples per second of the last moments; 0 while paused.
    pub samples_per_second: f64,
    /// Whether steps are being made.
    pub is_playing: bool,
    /// What the worker has done so far.
    pub effort: Effort,
    /// Why the run stopped by itself, and what to try.
    pub fault: Option<String>,
    /// The last command that was refused.
    pub refusal: Option<Refusal>,
}

/// Sums since the worker started, over all its runs: what pictures cost training is measured by
/// the difference between two snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Effort {
    /// Steps made.
    pub n_steps: u64,
    /// Time in which steps were wanted: making them, probing, measuring, publishing.
    pub secs: f64,
    /// The part of it that went to probing.
    pub probing_secs: f64,
}

/// A command that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Number of the command.
    pub command: u64,
    /// Why, in one sentence.
    pub reason: String,
}

impl Snapshot {
    /// Whether features come from a file: nothing was or will be trained.
    pub fn is_given(&self) -> bool {
        self.data.given.is_some()
    }

    /// The same, as if its features came from a file that has no class weights.
    #[cfg(test)]
    pub(crate) fn of_file(mut self, file_dim: usize, share: Option<f64>, has_labels: bool) -> Self {
        let mut data = self.data.as_ref().clone();
        data.given = Some(crate::data::Given {
            file_dim,
            share,
            has_labels,
            weights: None,
            bias: None,
        });
        self.data = data.into();
        self.step = 0;
        self
    }

    /// Whether it is known which class a sample has; if not, every sample counts as one of the class
    /// that wins, and accuracy has no meaning.
    pub fn has_labels(&self) -> bool {
        self.data.has_labels()
    }

    /// Whether the weight of a class is held where it is.
    pub fn is_pinned(&self, class: usize) -> bool {
        self.experiment.hold.pinned.contains(&class)
    }

    /// What a class is called.
    pub fn class_name(&self, class: usize) -> &str {
        self.class_names.get(class).map_or("?", String::as_str)
    }

    /// A run at rest, every sample at its current step: for files and tests, where no worker is.
    pub fn of(trainer: &Trainer, subset: Subset) -> Self {
        let head = trainer.head_state();
        let prober = Prober::new(trainer, subset);
        let other = prober.of_other_split(trainer);
        let probe = prober.labeled(trainer, &head);
        let (metrics, detail) = examine(&head, &probe.features, &probe.labels).unwrap_or_default();
        Self {
            generation: 1,
            n_commands: 0,
            step: trainer.n_steps(),
            epochs: trainer.epochs(),
            experiment: Arc::clone(trainer.experiment()),
            start: Arc::clone(trainer.start()),
            data: Arc::clone(trainer.data()),
            class_names: trainer.data().class_names.clone().into(),
            input_plane: prober.input_plane(trainer),
            drawn: None,
            other_score: other.and_then(|other| other.score(&head)),
            head,
            probe,
            metrics,
            detail: Arc::new(detail),
            history: History::default(),
            horizon: trainer.horizon(),
            learning_rate: trainer.learning_rate(),
            samples_per_second: 0.0,
            is_playing: false,
            effort: Effort::default(),
            fault: None,
            refusal: None,
        }
    }

    /// The experiment that repeats this run: as it stood at the start, with the changes since.
    pub fn recipe(&self) -> Experiment {
        recipe(&self.start, &self.experiment, self.horizon, &self.data)
    }

    /// Where the inputs of the drawn samples are, by [`Probe::indices`].
    pub fn split(&self) -> &Split {
        split_of(&self.data, self.probe.is_train)
    }

    /// The first part of the picture that is not finite.
    pub(super) fn non_finite_part(&self) -> Option<&'static str> {
        let head = &self.head;
        let parts = [
            ("a class weight", &head.weights),
            ("a bias", &head.bias),
            ("a class center", &head.centers),
            ("a drawn feature", &self.probe.features),
        ];
        // Without leaving early, so that many are looked at side by side.
        let bad = |(_, values): &&(_, &Vec<f32>)| {
            let all = values
                .iter()
                .fold(true, |all, value| all & value.is_finite());
            !all
        };
        parts.iter().find(bad).map(|(name, _)| *name)
    }
}

/// One stretch of steps in the curves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Last step of the stretch.
    pub step: u64,
    /// Mean loss over the stretch.
    pub loss: f64,
    /// Accuracy on the probe, where it was measured in the stretch.
    pub accuracy: Option<f64>,
    /// Steps of the stretch.
    n_steps: u64,
}

/// Curves of a run in bounded memory: when they grow too long, neighboring rows are merged, never
/// dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    rows: Vec<Row>,
    /// Steps a full row stands for.
    stride: u64,
}

/// Most rows kept: more than a plot has pixels across.
const MAX_ROWS: usize = 1024;

impl Default for History {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            stride: 1,
        }
    }
}

impl History {
    /// The rows in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Accuracies with the steps at which they were noted.
    pub fn accuracies(&self) -> Vec<(u64, f64)> {
        let rows = self.rows.iter();
        rows.filter_map(|row| Some((row.step, row.accuracy?)))
            .collect()
    }

    /// The curves as they were after `step`.
    #[must_use]
    pub fn until(&self, step: u64) -> Self {
        let n_rows = self.rows.partition_point(|row| row.step <= step);
        Self {
            rows: self.rows[..n_rows].to_vec(),
            stride: self.stride,
        }
    }

    /// Adds the loss of one step.
    pub fn push_loss(&mut self, step: u64, loss: f64) {
        match self.rows.last_mut().filter(|row| row.n_steps < self.stride) {
            Some(row) => merge(
                row,
                &Row {
                    step,
                    loss,
                    accuracy: None,
                    n_steps: 1,
                },
            ),
            None => self.rows.push(Row {
                step,
                loss,
                accuracy: None,
                n_steps: 1,
            }),
        }
        if self.rows.len() > MAX_ROWS {
            self.halve();
        }
    }

    /// Notes an accuracy with the newest row.
    pub fn note_accuracy(&mut self, accuracy: f64) {
        if let Some(row) = self.rows.last_mut() {
            row.accuracy = Some(accuracy);
        }
    }

    fn halve(&mut self) {
        self.stride *= 2;
        let merged = self.rows.chunks(2).map(|pair| {
            let mut row = pair[0];
            if let Some(next) = pair.get(1) {
                merge(&mut row, next);
            }
            row
        });
        self.rows = merged.collect();
    }
}

fn merge(row: &mut Row, next: &Row) {
    let n_steps = row.n_steps + next.n_steps;
    row.loss = (row.loss * row.n_steps as f64 + next.loss * next.n_steps as f64) / n_steps as f64;
    row.step = next.step;
    row.n_steps = n_steps;
    row.accuracy = next.accuracy.or(row.accuracy);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_merged_and_their_sum_is_kept() {
        let mut history = History::default();
        for step in 1..=10_000_u64 {
            history.push_loss(step, step as f64);
        }
        assert!(history.rows().len() <= MAX_ROWS);
        let sum: f64 = history
            .rows()
            .iter()
            .map(|row| row.loss * row.n_steps as f64)
            .sum();
        assert!((sum - 10_000.0 * 10_001.0 / 2.0).abs() < 1e-3);
        assert_eq!(history.rows().last().map(|row| row.step), Some(10_000));
    }
}
