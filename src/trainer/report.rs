//! What came of a run, in numbers: the line of `train --json` and a row of a sweep.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::experiment::Experiment;
use crate::loss::Values;
use crate::trainer::{Metrics, Trainer};

/// The figures of a run at its end; angles in degrees, accuracies as fractions by plain argmax.
///
/// Angles are over the test set, or the training set where there is none. A figure that does not
/// exist for the run is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Id of the loss.
    pub loss: &'static str,
    /// Its values by parameter id; a choice by its name.
    pub parameters: Map<String, Value>,
    /// Name of the data.
    pub data: String,
    /// The network, as it is set.
    pub network: String,
    /// Dimension of the embedding.
    pub dim: usize,
    /// Number of classes.
    pub classes: usize,
    /// Of everything random.
    pub seed: u64,
    /// Training threads.
    pub threads: usize,
    /// Steps made.
    pub steps: u64,
    /// Passes over the training set.
    pub epochs: f64,
    /// Training alone.
    pub seconds: f64,
    /// The same as a rate.
    pub samples_per_second: f64,
    /// Mean loss of the last batch.
    pub final_loss: Option<f64>,
    /// Share of training samples that are recognized; `None` where nobody says what they are.
    pub train_accuracy: Option<f64>,
    /// Share of test samples that are recognized.
    pub test_accuracy: Option<f64>,
    /// Mean angle of a feature to the weight of its class.
    pub target_angle_deg: Option<f64>,
    /// Mean angle of a feature to the mean direction of its class.
    pub intra_class_angle_deg: Option<f64>,
    /// Least angle between two class weights.
    pub min_weight_angle_deg: Option<f64>,
    /// Least angle between the mean directions of two classes.
    pub min_class_mean_angle_deg: Option<f64>,
    /// Mean length of a feature.
    pub mean_feature_norm: Option<f64>,
    /// Share of samples that keep the margin.
    pub margin_satisfied: Option<f64>,
    /// Whether it ended in numbers that are not finite.
    pub diverged: bool,
    /// Of all parameters.
    pub parameters_sha256: String,
    /// The loss's values that count after the last step: a margin may still rise, a λ still fall.
    pub parameters_in_force: Map<String, Value>,
}

/// How a run ended, which its trainer does not know.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// Steps that a session had made before.
    pub n_before: u64,
    /// Time of the steps alone.
    pub elapsed: Duration,
    /// Of the last step that was made.
    pub final_loss: Option<f64>,
    /// Whether the next step gave no finite numbers.
    pub diverged: bool,
}

impl Report {
    /// Names of the fields, in their order.
    pub const FIELDS: [&str; 24] = [
        "loss",
        "parameters",
        "data",
        "network",
        "dim",
        "classes",
        "seed",
        "threads",
        "steps",
        "epochs",
        "seconds",
        "samples_per_second",
        "final_loss",
        "train_accuracy",
        "test_accuracy",
        "target_angle_deg",
        "intra_class_angle_deg",
        "min_weight_angle_deg",
        "min_class_mean_angle_deg",
        "mean_feature_norm",
        "margin_satisfied",
        "diverged",
        "parameters_sha256",
        "parameters_in_force",
    ];

    /// Measures a run on all its samples.
    pub fn of(trainer: &Trainer, ending: &Ending) -> Self {
        let experiment = trainer.experiment();
        let data = trainer.data();
        let train = trainer.evaluate(&data.train);
        let test = data
            .test
            .as_ref()
            .filter(|_| !trainer.is_free())
            .and_then(|split| trainer.evaluate(split));
        let shown = test.or(train);
        let deg = |angle: fn(&Metrics) -> Option<f64>| {
            shown
                .as_ref()
                .and_then(angle)
                .map(f64::to_degrees)
                .and_then(finite)
        };
        let seconds = ending.elapsed.as_secs_f64();
        let batch = experiment.batch(data.train.len()) as u64;
        Self {
            loss: experiment.loss.spec.id,
            parameters: parameters(experiment, experiment.loss_values()),
            data: data.name.clone(),
            network: experiment.network_kind().to_string(),
            dim: experiment.network.dim,
            classes: data.n_classes(),
            seed: experiment.run.seed,
            threads: trainer.threads().current_num_threads(),
            steps: trainer.n_steps(),
            epochs: trainer.epochs(),
            seconds,
            samples_per_second: if seconds > 0.0 {
                ((trainer.n_steps() - ending.n_before) * batch) as f64 / seconds
            } else {
                0.0
            },
            final_loss: ending.final_loss,
            train_accuracy: train.filter(|_| data.has_labels()).map(|m| m.accuracy),
            test_accuracy: test.map(|m| m.accuracy),
            target_angle_deg: deg(|m| m.target_angle_rad),
            intra_class_angle_deg: deg(|m| m.intra_class_angle_rad),
            min_weight_angle_deg: deg(|m| m.min_weight_angle_rad),
            min_class_mean_angle_deg: deg(|m| m.min_class_mean_angle_rad),
            mean_feature_norm: shown.and_then(|m| finite(m.mean_feature_norm)),
            margin_satisfied: shown.map(|m| m.margin_satisfied),
            diverged: ending.diverged,
            parameters_sha256: trainer.parameters_sha256(),
            parameters_in_force: parameters(experiment, trainer.values_in_force()),
        }
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The loss's values by parameter id; a choice by its name.
fn parameters(experiment: &Experiment, values: Values<f64>) -> Map<String, Value> {
    let spec = experiment.loss.spec;
    spec.params
        .iter()
        .zip(values)
        .map(|(param, value)| {
            let value = if param.choices.is_empty() {
                Value::from(value)
            } else {
                Value::from(param.text(value))
            };
            (param.id.to_owned(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    #[test]
    fn the_names_are_those_of_the_line_in_their_order() -> Result<(), Box<dyn std::error::Error>> {
        let mut experiment = Experiment::default();
        for (key, value) in [("data.source", "blobs"), ("data.samples", "4")] {
            experiment.set(key, value)?;
        }
        let trainer = Trainer::new(&experiment, None, 1)?;
        let ending = Ending {
            n_before: 0,
            elapsed: Duration::ZERO,
            final_loss: None,
            diverged: false,
        };
        let line = serde_json::to_string(&Report::of(&trainer, &ending))?;
        let mut rest = line.as_str();
        for name in Report::FIELDS {
            let key = format!("\"{name}\":");
            let at = rest.find(&key).ok_or(name)?;
            rest = &rest[at + key.len()..];
        }
        let value: Value = serde_json::from_str(&line)?;
        let n_fields = value.as_object().map(Map::len);
        assert_eq!(n_fields, Some(Report::FIELDS.len()), "{line}");
        Ok(())
    }
}
