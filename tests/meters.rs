//! Each meter against the definitions of `losses.md` 7, computed a second time here in f64, and
//! with what the panel writes.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]
#![expect(
    clippy::doc_markdown,
    reason = "formulas in the papers' letters: W_j has an index and is no identifier"
)]

#[path = "meters/closed_forms.rs"]
mod closed_forms;
mod common;
#[path = "meters/definitions.rs"]
mod definitions;
#[path = "common/window.rs"]
mod in_window;
#[path = "meters/panel.rs"]
mod panel;

use std::f64::consts::{FRAC_PI_2, PI};
use std::sync::Arc;

use common::runs::{BLOBS, steps, trainer};
use definitions::{Defined, ROUNDING, unit};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use in_window::{small, wait_for, window_of_size};
use marginscope::app::App;
use marginscope::loss::Setting;
use marginscope::scene::chart;
use marginscope::trainer::{
    Collapse, HeadState, Horizon, Metrics, N_ANGLE_BINS, Snapshot, Subset, examine,
};
use nalgebra::{DMatrix, DVector};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

#[track_caller]
fn assert_near(what: &str, found: Option<f64>, expected: Option<f64>) {
    let is_near = match (found, expected) {
        (Some(found), Some(expected)) => {
            (found - expected).abs() <= ROUNDING * expected.abs().max(1.0)
        }
        (found, expected) => found == expected,
    };
    assert!(is_near, "{what}: {found:?}, defined {expected:?}");
}

/// A number of a struct, by its name.
type Part<T> = (&'static str, fn(&T) -> Option<f64>);

#[track_caller]
fn check_collapse(what: &str, found: Option<Collapse>, expected: Option<Collapse>) {
    let parts: [Part<Collapse>; 6] = [
        ("NC1", |c| Some(c.within)),
        ("NC2 lengths", |c| Some(c.unequal_lengths)),
        ("NC2 angles", |c| Some(c.unequal_angles)),
        ("NC2 simplex", |c| c.off_simplex),
        ("NC3", |c| Some(c.off_dual)),
        ("NC4", |c| Some(c.disagreement)),
    ];
    assert_eq!(found.is_some(), expected.is_some(), "{what}");
    for (name, part) in parts {
        let of = |collapse: Option<Collapse>| collapse.as_ref().and_then(part);
        assert_near(&format!("{what}: {name}"), of(found), of(expected));
    }
}

/// All that a snapshot says of its samples, against the definitions.
#[track_caller]
fn check(what: &str, snapshot: &Snapshot) {
    let Snapshot { head, probe, .. } = snapshot;
    let defined = Defined::new(head, &probe.features, &probe.labels);
    let expected = defined.metrics();
    let found = snapshot.metrics;
    assert_eq!(found.n_samples, expected.n_samples, "{what}");
    let parts: [Part<Metrics>; 7] = [
        ("accuracy", |m| Some(m.accuracy)),
        ("target angle", |m| m.target_angle_rad),
        ("intra-class angle", |m| m.intra_class_angle_rad),
        ("least weight angle", |m| m.min_weight_angle_rad),
        ("least class-mean angle", |m| m.min_class_mean_angle_rad),
        ("mean length", |m| Some(m.mean_feature_norm)),
        ("margin satisfied", |m| Some(m.margin_satisfied)),
    ];
    for (name, part) in parts {
        assert_near(&format!("{what}: {name}"), part(&found), part(&expected));
    }
    check_collapse(what, snapshot.detail.collapse, defined.collapse());
    let (angles, confusion) = defined.counts();
    assert_eq!(N_ANGLE_BINS, 60);
    assert_eq!(snapshot.detail.target_angles, angles, "{what}: histogram");
    assert_eq!(snapshot.detail.confusion, confusion, "{what}: confusion");
    let n = head.n_classes;
    for (y, k) in (0..n).flat_map(|y| (0..n).map(move |k| (y, k))) {
        let words = chart::confusion_words(snapshot, [y, k]);
        let number = words.split(' ').next().and_then(|n| n.parse().ok());
        assert_eq!(number, Some(confusion[y * n + k]), "{what}: {words}");
    }
}

// ---------------------------------------------------------------- fixed snapshots

/// A snapshot of these samples under a head of `loss` with these weights.
fn snapshot_of(
    settings: &[(&str, &str)],
    weights: &[f32],
    bias: Option<&[f32]>,
    features: &[f32],
    labels: &[u16],
) -> Snapshot {
    let run = trainer(settings, Horizon::Steps(1), 1);
    let mut snapshot = Snapshot::of(&run, Subset::Train(1));
    snapshot.head.weights = weights.to_vec();
    if let Some(bias) = bias {
        snapshot.head.bias = bias.to_vec();
    }
    snapshot.probe.features = features.to_vec();
    snapshot.probe.labels = labels.into();
    let (metrics, detail) = examine(&snapshot.head, features, labels).expect("samples");
    snapshot.metrics = metrics;
    snapshot.detail = Arc::new(detail);
    snapshot
}

/// Samples about their weights, ever fewer of each class; `n_classes` in `dim` dimensions.
fn random_snapshot(
    loss: &str,
    dim: usize,
    n_classes: usize,
    change: impl Fn(&mut Parts),
) -> Snapshot {
    let seed = (dim * 100 + n_classes) as u64;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |n: usize, most: f32| -> Vec<f32> {
        (0..n).map(|_| rng.random_range(-most..most)).collect()
    };
    let weights = draw(dim * n_classes, 2.0);
    let labels: Vec<u16> = (0..n_classes as u16)
        .flat_map(|y| std::iter::repeat_n(y, 60 / (usize::from(y) + 1)))
        .collect();
    let noise = draw(dim * labels.len(), 1.5);
    let features = labels.iter().zip(noise.chunks_exact(dim));
    let features = features.flat_map(|(&y, noise)| {
        let weight = &weights[usize::from(y) * dim..][..dim];
        weight.iter().zip(noise).map(|(w, noise)| 2.0 * w + noise)
    });
    let mut parts = Parts {
        features: features.collect(),
        bias: draw(n_classes, 1.0),
        weights,
        labels,
    };
    if loss == "binary_cross_entropy" {
        parts.weights[..dim].fill(0.0); // the head has but one weight
        parts.bias[0] = 0.0;
    }
    change(&mut parts);
    let (dim, classes) = (dim.to_string(), n_classes.to_string());
    let settings = [
        ("data.source", "free"),
        ("network.kind", "none"),
        ("network.dim", &dim),
        ("data.classes", &classes),
        ("loss.id", loss),
    ];
    let has_bias = ["binary_cross_entropy", "softmax", "center"].contains(&loss);
    let bias = has_bias.then_some(&parts.bias[..]);
    snapshot_of(
        &settings,
        &parts.weights,
        bias,
        &parts.features,
        &parts.labels,
    )
}

/// What a fixed snapshot is made of.
struct Parts {
    features: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
    labels: Vec<u16>,
}

const ANGULAR: [&str; 6] = [
    "modified_softmax",
    "l_softmax",
    "sphereface",
    "normface",
    "cosface",
    "arcface",
];

#[test]
fn meters_are_what_their_definitions_say() {
    for (dim, n_classes) in [(2, 4), (2, 3), (3, 4), (3, 7)] {
        for loss in ANGULAR.into_iter().chain(["softmax", "center", "combined"]) {
            let snapshot = random_snapshot(loss, dim, n_classes, |_| ());
            let Metrics {
                accuracy,
                margin_satisfied,
                ..
            } = snapshot.metrics;
            // Else a count of all or of none would do as well.
            assert!(accuracy > 0.2 && accuracy < 1.0, "{loss}: {accuracy}");
            assert!(margin_satisfied > 0.05 && margin_satisfied < 1.0, "{loss}");
            check(&format!("{loss}, {n_classes} in {dim}-D"), &snapshot);
        }
    }
    for dim in [2, 3] {
        let snapshot = random_snapshot("binary_cross_entropy", dim, 2, |_| ());
        check(&format!("binary_cross_entropy in {dim}-D"), &snapshot);
    }
}

#[test]
fn a_class_without_samples_has_no_mean_and_the_others_have() {
    for loss in ["softmax", "arcface"] {
        let snapshot = random_snapshot(loss, 2, 4, |parts| {
            parts.labels.iter_mut().for_each(|y| *y %= 3);
        });
        assert_eq!(snapshot.metrics.min_class_mean_angle_rad, None);
        assert!(snapshot.metrics.intra_class_angle_rad.is_some());
        check(&format!("{loss} without class 3"), &snapshot);
    }
}

/// What has no direction has no angle, and does not make a mean better than it is.
#[test]
fn zero_features_and_weights_count_in_no_angle() {
    for (loss, dim) in [
        ("softmax", 2),
        ("arcface", 2),
        ("cosface", 3),
        ("normface", 3),
    ] {
        let feature = random_snapshot(loss, dim, 4, |parts| {
            parts.features[..5 * dim].fill(0.0);
        });
        check(&format!("{loss} with zero features"), &feature);
        let whole = random_snapshot(loss, dim, 4, |_| ());
        let n_angles = |snapshot: &Snapshot| snapshot.detail.target_angles.iter().sum::<u32>();
        assert_eq!(n_angles(&feature) + 5, n_angles(&whole), "{loss}");
        let weight = random_snapshot(loss, dim, 4, |parts| {
            parts.weights[dim..2 * dim].fill(0.0);
        });
        assert_eq!(weight.metrics.min_weight_angle_rad, None, "{loss}");
        check(&format!("{loss} with a zero weight"), &weight);
    }
    let none = random_snapshot("arcface", 2, 4, |parts| parts.features.fill(0.0));
    assert_eq!(none.metrics.target_angle_rad, None);
    assert_eq!(none.metrics.intra_class_angle_rad, None);
    assert_eq!(none.metrics.margin_satisfied, 0.0);
}

#[test]
fn meters_of_a_run_are_what_their_definitions_say() {
    for (loss, dim) in [("arcface", "2"), ("softmax", "3"), ("sphereface", "3")] {
        let settings = [BLOBS, &[("loss.id", loss), ("dim", dim)]].concat();
        let mut run = trainer(&settings, Horizon::Steps(40), 1);
        steps(&mut run, 25);
        for subset in [Subset::Test(100), Subset::Train(77)] {
            let snapshot = Snapshot::of(&run, subset);
            check(&format!("{loss} after 25 steps"), &snapshot);
        }
        let other = Snapshot::of(&run, Subset::Train(1000));
        let score = Snapshot::of(&run, Subset::Test(100)).other_score;
        let score = score.expect("a training set");
        assert!(score.is_train && score.n_samples == other.metrics.n_samples);
        assert_near(
            "other split",
            Some(score.accuracy),
            Some(other.metrics.accuracy),
        );
    }
}
