//! Experiments and runs, from settings as on the command line.

use marginscope::experiment::Experiment;
use marginscope::trainer::{Horizon, Metrics, Trainer};

/// The default experiment with these settings.
///
/// # Panics
/// With the key that was refused.
#[track_caller]
pub fn experiment(settings: &[(&str, &str)]) -> Experiment {
    let mut experiment = Experiment::default();
    for (key, value) in settings {
        if let Err(error) = experiment.set(key, value) {
            panic!("{key} = {value}: {error}");
        }
    }
    experiment
}

/// A trainer over `horizon` steps.
#[track_caller]
pub fn trainer(settings: &[(&str, &str)], horizon: Horizon, n_threads: usize) -> Trainer {
    match Trainer::new(&experiment(settings), Some(horizon), n_threads) {
        Ok(trainer) => trainer,
        Err(error) => panic!("{settings:?}: {error}"),
    }
}

/// Makes steps; returns the last loss.
#[track_caller]
pub fn steps(trainer: &mut Trainer, n: u64) -> f64 {
    let mut loss = f64::NAN;
    for _ in 0..n {
        match trainer.step() {
            Ok(report) => loss = report.loss,
            Err(diverged) => panic!("{diverged}"),
        }
    }
    loss
}

/// Metrics over the training set.
#[track_caller]
pub fn metrics(trainer: &Trainer) -> Metrics {
    match trainer.evaluate(&trainer.data().train) {
        Some(metrics) => metrics,
        None => panic!("the training set is empty"),
    }
}

/// Eight blobs in the plane under a small network: a step takes microseconds.
pub const BLOBS: &[(&str, &str)] = &[
    ("data.source", "blobs"),
    ("data.classes", "8"),
    ("data.samples", "40"),
    ("network.kind", "mlp:16"),
    ("loss.id", "arcface"),
];
