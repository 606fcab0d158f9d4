//! Each meter against the definitions of `losses.md` 7, computed a second time here in f64, and
//! with what the panel writes.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]
#![expect(
    clippy::doc_markdown,
    reason = "formulas in the papers' letters: W_j has an index and is no identifier"
)]

mod common;
#[path = "common/window.rs"]
mod in_window;

use std::f64::consts::{FRAC_PI_2, PI};
use std::sync::Arc;

use common::runs::{BLOBS, steps, trainer};
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

// ---------------------------------------------------------------- the definitions, once more

/// Features and weights are f32 on both sides, and every sum is in f64: what differs is the order
/// of some thousand operations. Angles near 0 are compared in radians, so that this holds there.
const ROUNDING: f64 = 1e-9;

/// What is measured of samples, each by its definition.
struct Defined<'a> {
    head: &'a HeadState,
    /// x
    features: Vec<DVector<f64>>,
    /// y
    labels: Vec<usize>,
    /// W_j
    weights: Vec<DVector<f64>>,
}

fn columns(values: &[f32], dim: usize) -> Vec<DVector<f64>> {
    let column = |x: &[f32]| DVector::from_iterator(dim, x.iter().map(|&x| f64::from(x)));
    values.chunks_exact(dim).map(column).collect()
}

/// The angle between two vectors; `None` where one has no direction.
fn angle(a: &DVector<f64>, b: &DVector<f64>) -> Option<f64> {
    if a.norm() == 0.0 || b.norm() == 0.0 {
        return None;
    }
    let area_squared: f64 = (0..a.len())
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .map(|(i, j)| (a[i] * b[j] - a[j] * b[i]).powi(2))
        .sum();
    Some(area_squared.sqrt().atan2(a.dot(b)))
}

fn unit(a: &DVector<f64>) -> DVector<f64> {
    if a.norm() == 0.0 {
        a.clone()
    } else {
        a / a.norm()
    }
}

fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.into_iter().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values.iter().copied()).expect("values");
    let squares = values.iter().map(|value| (value - middle).powi(2));
    mean(squares).expect("values").sqrt()
}

fn least_angle(directions: &[DVector<f64>]) -> Option<f64> {
    let mut least = f64::INFINITY;
    for (j, a) in directions.iter().enumerate() {
        for b in &directions[..j] {
            least = least.min(angle(a, b)?);
        }
    }
    least.is_finite().then_some(least)
}

/// S_m of `losses.md` 1.
fn staircase(theta: f64, m: f64) -> f64 {
    let k = (m * theta / PI).floor().min(m - 1.0);
    let sign = if k % 2.0 == 0.0 { 1.0 } else { -1.0 };
    sign * (m * theta).cos() - 2.0 * k
}

/// Mean of each class; `None` if one has no sample.
fn class_means(h: &[DVector<f64>], labels: &[usize], n: usize) -> Option<Vec<DVector<f64>>> {
    let of = |class: usize| {
        let members = h.iter().zip(labels).filter(|(_, y)| **y == class);
        let members: Vec<_> = members.map(|(h, _)| h).collect();
        let zero = DVector::zeros(h.first()?.len());
        let sum = members.iter().fold(zero, |sum, h| sum + *h);
        (!members.is_empty()).then(|| sum / members.len() as f64)
    };
    (0..n).map(of).collect()
}

/// Columns less their mean.
fn centered(columns: &[DVector<f64>]) -> DMatrix<f64> {
    let middle = DMatrix::from_columns(columns).column_mean();
    let columns: Vec<_> = columns.iter().map(|column| column - &middle).collect();
    DMatrix::from_columns(&columns)
}

impl<'a> Defined<'a> {
    fn new(head: &'a HeadState, features: &[f32], labels: &[u16]) -> Self {
        Self {
            head,
            features: columns(features, head.dim),
            labels: labels.iter().map(|&y| usize::from(y)).collect(),
            weights: columns(&head.weights, head.dim),
        }
    }

    fn n(&self) -> f64 {
        self.labels.len() as f64
    }

    fn samples(&self) -> impl Iterator<Item = (&DVector<f64>, usize)> {
        self.features.iter().zip(self.labels.iter().copied())
    }

    fn has_bias(&self) -> bool {
        ["binary_cross_entropy", "softmax", "center"].contains(&self.head.spec.id)
    }

    /// W_j·x + b_j; for losses on the angle without a bias, and with W_j at length 1 but in
    /// L-softmax.
    fn scores(&self, x: &DVector<f64>) -> Vec<f64> {
        let score = |(j, w): (usize, &DVector<f64>)| {
            if self.has_bias() {
                w.dot(x) + f64::from(self.head.bias[j])
            } else if self.head.spec.id == "l_softmax" {
                w.dot(x)
            } else {
                unit(w).dot(x)
            }
        };
        self.weights.iter().enumerate().map(score).collect()
    }

    fn prediction(&self, x: &DVector<f64>) -> usize {
        let scores = self.scores(x);
        let mut best = 0;
        for j in 1..scores.len() {
            if scores[j] > scores[best] {
                best = j;
            }
        }
        best
    }

    fn value(&self, id: &str) -> f64 {
        let index = self.head.spec.param_index(id).expect("a parameter");
        self.head.values[index]
    }

    /// ψ of `losses.md` 1, ArcFace with its `linear` guard of section 4.
    fn psi(&self, theta: f64) -> f64 {
        let blended = || {
            let (m, lambda) = (self.value("margin"), self.value("lambda"));
            (lambda * theta.cos() + staircase(theta, m)) / (1.0 + lambda)
        };
        match self.head.spec.id {
            "modified_softmax" | "normface" => theta.cos(),
            "l_softmax" | "sphereface" => blended(),
            "cosface" => theta.cos() - self.value("margin"),
            "arcface" if theta + self.value("margin") < PI => (theta + self.value("margin")).cos(),
            "arcface" => theta.cos() - self.value("margin") * self.value("margin").sin(),
            "combined" => (self.value("m1") * theta + self.value("m2")).cos() - self.value("m3"),
            other => panic!("{other} has no ψ"),
        }
    }

    /// f_y ≥ 0.
    fn has_margin(&self, x: &DVector<f64>, y: usize) -> bool {
        let scores = self.scores(x);
        let rivals = scores.iter().enumerate().filter(|(j, _)| *j != y);
        let rival = rivals.map(|(_, score)| *score).fold(f64::MIN, f64::max);
        if self.has_bias() {
            return scores[y] >= rival;
        }
        let Some(theta) = angle(x, &self.weights[y]) else {
            return false; // without a direction there is no class to be in
        };
        let length = if self.head.spec.id == "l_softmax" {
            x.norm() * self.weights[y].norm()
        } else {
            x.norm()
        };
        length * self.psi(theta) >= rival
    }

    /// Normalized mean of the u of each class; `None` where there is none.
    fn class_directions(&self) -> Vec<Option<DVector<f64>>> {
        let of = |class: usize| {
            let members = self.samples().filter(|(_, y)| *y == class);
            let sum = members.fold(DVector::zeros(self.head.dim), |sum, (x, _)| sum + unit(x));
            (sum.norm() > 1e-9).then(|| unit(&sum))
        };
        (0..self.head.n_classes).map(of).collect()
    }

    fn metrics(&self) -> Metrics {
        let share = |holds: &dyn Fn(&DVector<f64>, usize) -> bool| {
            self.samples().filter(|(x, y)| holds(x, *y)).count() as f64 / self.n()
        };
        let is_binary = self.head.spec.id == "binary_cross_entropy";
        let directions = self.class_directions();
        let all: Option<Vec<_>> = directions.iter().cloned().collect();
        let to_weight = |(x, y): (&DVector<f64>, usize)| angle(x, &self.weights[y]);
        let to_mean = |(x, y): (&DVector<f64>, usize)| angle(x, directions[y].as_ref()?);
        Metrics {
            n_samples: self.labels.len(),
            accuracy: share(&|x, y| self.prediction(x) == y),
            target_angle_rad: mean(self.samples().filter_map(to_weight)).filter(|_| !is_binary),
            intra_class_angle_rad: mean(self.samples().filter_map(to_mean)),
            min_weight_angle_rad: least_angle(&self.weights).filter(|_| !is_binary),
            min_class_mean_angle_rad: all.and_then(|directions| least_angle(&directions)),
            mean_feature_norm: mean(self.features.iter().map(DVector::norm)).expect("samples"),
            margin_satisfied: share(&|x, y| self.has_margin(x, y)),
        }
    }

    /// The weights, at length 1 where only their directions count.
    fn scoring_weights(&self) -> Vec<DVector<f64>> {
        if self.has_bias() || self.head.spec.id == "l_softmax" {
            self.weights.clone()
        } else {
            self.weights.iter().map(unit).collect()
        }
    }

    /// NC1 to NC4; the pseudo-inverse by singular values, the traces by matrices.
    fn collapse(&self) -> Option<Collapse> {
        let (dim, n_classes) = (self.head.dim, self.head.n_classes);
        let h: Vec<DVector<f64>> = if self.has_bias() {
            self.features.clone()
        } else {
            self.features.iter().map(unit).collect()
        };
        let samples = || h.iter().zip(self.labels.iter().copied());
        let means = class_means(&h, &self.labels, n_classes)?;
        let m = centered(&means);
        let mut within = DMatrix::zeros(dim, dim);
        for (h, y) in samples() {
            let off = h - &means[y];
            within += &off * off.transpose() / self.n();
        }
        let between = &m * m.transpose() / n_classes as f64;
        let largest = between.singular_values().max();
        let inverse = between.pseudo_inverse(1e-6 * largest).expect("a matrix");
        let lengths: Vec<f64> = m.column_iter().map(|column| column.norm()).collect();
        let mut cosines = Vec::new();
        for j in 0..n_classes {
            for k in (0..n_classes).filter(|k| *k != j) {
                cosines.push(m.column(j).dot(&m.column(k)) / (lengths[j] * lengths[k]));
            }
        }
        let simplex = -1.0 / (n_classes as f64 - 1.0);
        let w = centered(&self.scoring_weights());
        let disagrees = |((h, _), x): &((&DVector<f64>, usize), &DVector<f64>)| {
            let mut nearest = 0;
            for j in 1..n_classes {
                if (*h - &means[j]).norm() < (*h - &means[nearest]).norm() {
                    nearest = j;
                }
            }
            nearest != self.prediction(x)
        };
        let n_disagreeing = samples().zip(&self.features).filter(disagrees).count();
        Some(Collapse {
            within: (within * inverse).trace() / n_classes as f64,
            unequal_lengths: deviation(&lengths) / mean(lengths.clone()).expect("classes"),
            unequal_angles: deviation(&cosines),
            off_simplex: (n_classes <= dim + 1)
                .then(|| mean(cosines.iter().map(|cos| (cos - simplex).abs())))
                .flatten(),
            off_dual: (&w / w.norm() - &m / m.norm()).norm(),
            disagreement: n_disagreeing as f64 / self.n(),
        })
    }

    /// Samples by their angle in bins of 3°, and by class and prediction.
    fn counts(&self) -> (Vec<u32>, Vec<u32>) {
        let mut angles = vec![0; 60];
        let mut confusion = vec![0; self.head.n_classes * self.head.n_classes];
        for (x, y) in self.samples() {
            if let Some(theta) = angle(x, &self.weights[y]) {
                angles[((theta.to_degrees() / 3.0) as usize).min(59)] += 1;
            }
            confusion[y * self.head.n_classes + self.prediction(x)] += 1;
        }
        (angles, confusion)
    }
}

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

// ---------------------------------------------------------------- values known in closed form

/// Where f32 holds directions that are not on its grid: half a unit in the last place, a few times.
const F32: f64 = 1e-6;

#[track_caller]
fn assert_closed(what: &str, found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < F32,
        "{what}: {found} for {expected}"
    );
}

const OFF_RAD: f64 = 10.0 * PI / 180.0;

/// Samples 10° from each corner, to both sides along orthogonal tangents, and their labels; those of
/// class k are k + 2 long.
fn around(corners: &[DVector<f64>]) -> (Vec<f32>, Vec<u16>) {
    let mut features = Vec::new();
    let mut labels = Vec::new();
    for (class, corner) in corners.iter().enumerate() {
        for tangent in tangents(corner) {
            for sign in [-1.0, 1.0] {
                let x = corner * OFF_RAD.cos() + &tangent * (sign * OFF_RAD.sin());
                features.extend((x * (class + 2) as f64).iter().map(|&x| x as f32));
                labels.push(class as u16);
            }
        }
    }
    (features, labels)
}

/// Each class has samples 10° to all sides of its weight, along orthogonal tangents; weights are at
/// the corners of a simplex, and every sample is as long as its class says.
#[track_caller]
fn check_simplex(dim: usize, corners: &[DVector<f64>], within: f64) {
    let (features, labels) = around(corners);
    let weights: Vec<f32> = corners.iter().flatten().map(|&w| w as f32).collect();
    let (dim_text, classes) = (dim.to_string(), corners.len().to_string());
    let settings = [
        ("data.source", "free"),
        ("network.kind", "none"),
        ("network.dim", &dim_text),
        ("data.classes", &classes),
        ("loss.id", "arcface"),
        ("loss.margin", "0.3"),
    ];
    let snapshot = snapshot_of(&settings, &weights, None, &features, &labels);
    let Metrics {
        accuracy,
        margin_satisfied,
        target_angle_rad,
        intra_class_angle_rad,
        min_weight_angle_rad,
        min_class_mean_angle_rad,
        mean_feature_norm,
        ..
    } = snapshot.metrics;
    assert_eq!((accuracy, margin_satisfied), (1.0, 1.0));
    let simplex_rad = (-1.0 / (corners.len() as f64 - 1.0)).acos();
    for (what, found, expected) in [
        ("target", target_angle_rad, OFF_RAD),
        ("intra", intra_class_angle_rad, OFF_RAD),
        ("weights", min_weight_angle_rad, simplex_rad),
        ("means", min_class_mean_angle_rad, simplex_rad),
    ] {
        assert_closed(what, found.expect("an angle"), expected);
    }
    let mean_length = f64::midpoint(2.0, corners.len() as f64 + 1.0); // of 2, 3 … C + 1
    assert_closed("length", mean_feature_norm, mean_length);
    let collapse = snapshot.detail.collapse.expect("all classes");
    assert_closed("NC1", collapse.within, within * OFF_RAD.tan().powi(2));
    for (what, found) in [
        ("NC2 lengths", collapse.unequal_lengths),
        ("NC2 angles", collapse.unequal_angles),
        ("NC2 simplex", collapse.off_simplex.expect("C ≤ d + 1")),
        ("NC3", collapse.off_dual),
        ("NC4", collapse.disagreement),
    ] {
        assert_closed(what, found, 0.0);
    }
    let setting = Setting {
        n_classes: corners.len(),
        dim,
    };
    assert_closed("ideal", setting.best_angle_rad(), simplex_rad);
    check("simplex", &snapshot);
}

/// Unit vectors at right angles to `normal` and to each other.
fn tangents(normal: &DVector<f64>) -> Vec<DVector<f64>> {
    let mut found: Vec<DVector<f64>> = Vec::new();
    for axis in 0..normal.len() {
        let mut tangent = DVector::zeros(normal.len());
        tangent[axis] = 1.0;
        for other in std::iter::once(normal).chain(&found.clone()) {
            tangent -= other * other.dot(&tangent);
        }
        if tangent.norm() > 0.1 && found.len() + 1 < normal.len() {
            found.push(unit(&tangent));
        }
    }
    found
}

/// On the circle Σ_W = ½ sin²10°·I and Σ_B = ½ cos²10°·I: NC1 = 2 tan²/3. In space Σ_W is
/// ⅓ sin²10°·I, Σ_B ⅓ cos²10°·I: NC1 = 3 tan²/4.
#[test]
fn a_simplex_has_the_meters_of_the_closed_forms() {
    let turn = |k: f64| 2.0 * PI * k / 3.0;
    let triangle = [0.0, 1.0, 2.0].map(|k| DVector::from_vec(vec![turn(k).cos(), turn(k).sin()]));
    check_simplex(2, &triangle, 2.0 / 3.0);
    let signs: [[f64; 3]; 4] = [
        [1.0, 1.0, 1.0],
        [1.0, -1.0, -1.0],
        [-1.0, 1.0, -1.0],
        [-1.0, -1.0, 1.0],
    ];
    let tetrahedron = signs.map(|corner| DVector::from_vec(corner.to_vec()) / 3.0_f64.sqrt());
    check_simplex(3, &tetrahedron, 3.0 / 4.0);
}

/// Six weights along the axes: 90° apart, which is the best there is, though no simplex.
#[test]
fn the_ideal_of_six_classes_in_space_is_a_right_angle() {
    let setting = Setting {
        n_classes: 6,
        dim: 3,
    };
    assert_closed("octahedron", setting.best_angle_rad(), FRAC_PI_2);
    for (n_classes, degrees) in [(10, 36.0_f64), (7, 360.0 / 7.0), (2, 180.0)] {
        let setting = Setting { n_classes, dim: 2 };
        assert_closed("circle", setting.best_angle_rad(), degrees.to_radians());
    }
}

// ---------------------------------------------------------------- what the panel writes

/// What stands to the right of a label, on its line.
fn written_beside(harness: &Harness<'_, App>, label: &str) -> String {
    let row = harness.get_by_label(label).rect();
    let mut beside: Vec<(f32, String)> = harness
        .get_all_by_role(Role::Label)
        .filter(|node| {
            let rect = node.rect();
            rect.left() >= row.right() && row.y_range().contains(rect.center().y)
        })
        .map(|node| {
            let node_text = node.accesskit_node();
            let text = node_text.label().or_else(|| node_text.value());
            (node.rect().left(), text.expect("a text"))
        })
        .collect();
    beside.sort_by(|a, b| a.0.total_cmp(&b.0));
    beside.into_iter().map(|(_, text)| text).collect()
}

/// Each number of the right panel is that of the meter it stands beside, computed from the features
/// and weights that the window has.
#[test]
fn the_panel_writes_each_meter_beside_its_name() {
    let settings = [("loss.id", "arcface"), ("run.steps", "30")];
    let mut harness = window_of_size(&small(&settings), [1280.0, 1400.0]);
    wait_for(&mut harness, "the end of the run", |app| {
        app.snapshot()
            .is_some_and(|s| s.step == 30 && !s.is_playing)
    });
    harness.key_press(Key::F); // fits the picture, and lets a frame pass
    harness.run_steps(3);
    harness.get_by_label("Neural collapse").click();
    harness.run_steps(20); // the fold opens
    let shown = in_window::snapshot(&harness);
    let defined = Defined::new(&shown.head, &shown.probe.features, &shown.probe.labels);
    let metrics = defined.metrics();
    let collapse = defined.collapse().expect("all classes");
    let degrees = |angle: Option<f64>| format!("{:.1}°", angle.expect("an angle").to_degrees());
    let number = |value: f64| format!("{value:.3}");
    assert_eq!(shown.head.dim, 2);
    let best_rad = std::f64::consts::TAU / shown.head.n_classes as f64;
    let meters = [
        ("angle to own weight", degrees(metrics.target_angle_rad)),
        (
            "spread within a class",
            degrees(metrics.intra_class_angle_rad),
        ),
        ("least weight angle", degrees(metrics.min_weight_angle_rad)),
        (
            "least class angle",
            degrees(metrics.min_class_mean_angle_rad),
        ),
        (
            "samples with their margin",
            format!("{:.0}%", 100.0 * metrics.margin_satisfied),
        ),
        (
            "mean feature length",
            format!("{:.1}", metrics.mean_feature_norm),
        ),
        ("NC1 spread within", number(collapse.within)),
        ("NC2 unequal lengths", number(collapse.unequal_lengths)),
        (
            "NC2 least over best angle",
            number(metrics.min_class_mean_angle_rad.expect("an angle") / best_rad),
        ),
        ("NC3 weights off means", number(collapse.off_dual)),
    ];
    for (i, (label, expected)) in meters.iter().enumerate() {
        assert_eq!(&written_beside(&harness, label), expected, "{label}");
        let others = meters[..i].iter();
        assert!(
            others.clone().all(|(_, other)| other != expected),
            "{expected} twice: a mistake would not show"
        );
    }
    let headline = format!("{:.1}", 100.0 * metrics.accuracy);
    assert!(
        harness.query_all_by_label(&headline).count() >= 1,
        "{headline}"
    );
}
