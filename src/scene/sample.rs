//! Snapshots made by hand, for tests.

use std::sync::Arc;

use crate::experiment::Experiment;
use crate::loss;
use crate::trainer::metrics::Named;
use crate::trainer::{HeadState, Probe, Snapshot, Subset, Trainer, examine};

/// A run of `loss` after 500 steps, with these weights and features, samples as columns.
pub(super) fn snapshot(
    loss_id: &str,
    dim: usize,
    weights: &[f32],
    features: &[f32],
    labels: &[u16],
) -> Snapshot {
    let n_classes = weights.len() / dim;
    let mut experiment = Experiment::default();
    experiment.network.dim = dim;
    let spec = loss::find(loss_id).expect("a loss of the registry");
    let values = spec.defaults(loss::Setting { n_classes, dim });
    let head = HeadState {
        spec: Named(spec),
        dim,
        n_classes,
        values,
        in_force: values,
        weights: weights.to_vec(),
        bias: vec![0.0; n_classes],
        centers: if spec.penalty.is_some() {
            vec![0.0; weights.len()]
        } else {
            Vec::new()
        },
    };
    let names: Vec<String> = (0..n_classes).map(|j| j.to_string()).collect();
    let n = labels.len();
    let experiment = Arc::new(experiment);
    let (metrics, detail) = examine(&head, features, labels).unwrap_or_default();
    Snapshot {
        step: 500,
        epochs: 1.0,
        start: Arc::clone(&experiment),
        experiment,
        class_names: names.into(),
        metrics,
        detail: Arc::new(detail),
        input_plane: None,
        other_score: None,
        head,
        probe: Probe {
            is_train: false,
            indices: (0..n as u32).collect(),
            labels: labels.into(),
            features: features.to_vec(),
            computed_at: vec![500; n],
        },
        learning_rate: 0.01,
        ..Snapshot::of(&labels_alone(), Subset::Train(1))
    }
}

/// A run on blobs of four classes after 200 steps.
pub(super) fn trained(settings: &[(&str, &str)]) -> Snapshot {
    let mut experiment = Experiment::default();
    let base = [
        ("data.source", "blobs"),
        ("data.classes", "4"),
        ("data.samples", "50"),
        ("network.kind", "mlp:16"),
    ];
    for (key, value) in base.iter().chain(settings) {
        experiment.set(key, value).expect("a field and its value");
    }
    let mut run = Trainer::new(&experiment, None, 1).expect("a run that starts");
    for _ in 0..200 {
        run.step().expect("finite");
    }
    Snapshot::of(&run, Subset::Train(200))
}

/// A run before its first step, on labels without inputs.
fn labels_alone() -> Trainer {
    let mut experiment = Experiment::default();
    for (key, value) in [("data.source", "free"), ("data.samples", "1")] {
        experiment.set(key, value).expect("a field and its value");
    }
    Trainer::new(&experiment, None, 1).expect("a run that starts")
}

/// `n_classes` directions evenly on the circle, `[2, classes]`.
pub(super) fn even_weights(n_classes: usize) -> Vec<f32> {
    let step = std::f32::consts::TAU / n_classes as f32;
    (0..n_classes)
        .flat_map(|j| {
            let (sin, cos) = (j as f32 * step).sin_cos();
            [cos, sin]
        })
        .collect()
}

/// For each class `n` features about its direction: distances `from` to `to`, angles up to `wide`
/// radians to both sides.
pub(super) fn fans(
    weights: &[f32],
    n: usize,
    from: f32,
    to: f32,
    wide: f32,
) -> (Vec<f32>, Vec<u16>) {
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for (class, w) in weights.chunks_exact(2).enumerate() {
        for i in 0..n {
            let share = i as f32 / (n - 1).max(1) as f32;
            let off = wide * (2.0 * ((i * 7) % n) as f32 / (n - 1).max(1) as f32 - 1.0);
            let length = from + share * (to - from);
            let (sin, cos) = off.sin_cos();
            features.push(length * (w[0] * cos - w[1] * sin));
            features.push(length * (w[0] * sin + w[1] * cos));
            labels.push(class as u16);
        }
    }
    (features, labels)
}
