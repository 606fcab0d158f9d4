//! What is measured on a set of features: accuracy, angles, margins.

#![allow(
    clippy::doc_markdown,
    reason = "formulas in the papers' letters: z_j has an index and is no identifier"
)]

use crate::geometry::angle::angle_rad;
use crate::loss::{Form, LossSpec, Rho, Setting, Values};
use crate::trainer::collapse::collapse;
use crate::trainer::detail::Detail;

/// A head as it stands: enough to classify, to measure and to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadState {
    /// Which loss.
    pub spec: Named,
    /// d
    pub dim: usize,
    /// C
    pub n_classes: usize,
    /// Values as set; metrics and boundaries use these.
    pub values: Values<f64>,
    /// Values in force after ramp and annealing; the step uses these.
    pub in_force: Values<f64>,
    /// W `[dim, classes]`; for binary cross entropy (0, w)
    pub weights: Vec<f32>,
    /// b `[classes]`, zero for heads without a bias
    pub bias: Vec<f32>,
    /// c `[dim, classes]`, empty for losses without centers
    pub centers: Vec<f32>,
}

/// A loss of the registry, compared by its id.
#[derive(Clone, Copy, Debug)]
pub struct Named(pub &'static LossSpec);

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl std::ops::Deref for Named {
    type Target = LossSpec;

    fn deref(&self) -> &LossSpec {
        self.0
    }
}

impl HeadState {
    /// Number of classes and dimensions, on which defaults and ceilings depend.
    pub fn setting(&self) -> Setting {
        Setting {
            n_classes: self.n_classes,
            dim: self.dim,
        }
    }

    /// Weight of class j `[dim]`.
    pub fn weight(&self, class: usize) -> &[f32] {
        &self.weights[class * self.dim..][..self.dim]
    }

    /// The head made ready to classify many samples.
    pub fn scorer(&self) -> Scorer<'_> {
        Scorer::new(self)
    }

    /// Least angle between two class weights; `None` for fewer than two, or where one is zero and
    /// has no direction.
    pub fn min_weight_angle_rad(&self) -> Option<f64> {
        let weights: Vec<&[f32]> = (0..self.n_classes).map(|j| self.weight(j)).collect();
        if self.spec.form == Form::Binary {
            return None; // drawn as 0 and w: there is one weight
        }
        min_pair_angle_rad(&weights)
    }
}

/// What a set of features shows. Angles are means in radians; what does not exist is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Number of samples measured.
    pub n_samples: usize,
    /// Share of samples whose plain argmax is their class.
    pub accuracy: f64,
    /// Mean θ_y over samples that have one: a zero feature has no angle.
    pub target_angle_rad: Option<f64>,
    /// Mean angle between a feature and the mean direction of its class.
    pub intra_class_angle_rad: Option<f64>,
    /// Least angle between two class weights.
    pub min_weight_angle_rad: Option<f64>,
    /// Least angle between two mean directions.
    pub min_class_mean_angle_rad: Option<f64>,
    /// Mean ‖x‖.
    pub mean_feature_norm: f64,
    /// Share of samples that satisfy the margin as set.
    pub margin_satisfied: f64,
}

/// A head with what all samples share computed once: columns in f64 and their lengths.
///
/// Samples are few operations each, so that lengths of weights computed for every one of them
/// would be most of the work.
#[derive(Debug)]
pub struct Scorer<'a> {
    head: &'a HeadState,
    /// What a feature is multiplied by, class after class in a row for each dimension
    /// `[classes, dim]`: the weights, or their directions where only these count.
    rows: Vec<f64>,
    bias: Vec<f64>,
    /// Directions of the weights `[dim, classes]`, zero for a zero weight.
    directions: Vec<f64>,
    /// ‖W_j‖ `[classes]`
    lengths: Vec<f64>,
    /// Whether no weight or bias is infinite or not a number.
    is_finite: bool,
}

impl<'a> Scorer<'a> {
    fn new(head: &'a HeadState) -> Self {
        let (dim, n_classes) = (head.dim, head.n_classes);
        let has_unit_weights = head.spec.form.has_unit_weights();
        let mut rows = vec![0.0; dim * n_classes];
        let mut directions = Vec::with_capacity(dim * n_classes);
        let mut lengths = Vec::with_capacity(n_classes);
        for class in 0..n_classes {
            let weight = head.weight(class);
            let length = norm(weight);
            let share = 1.0 / length.max(f64::MIN_POSITIVE);
            for (row, &w) in weight.iter().enumerate() {
                let direction = f64::from(w) * share;
                directions.push(direction);
                rows[row * n_classes + class] = if has_unit_weights {
                    direction
                } else {
                    f64::from(w)
                };
            }
            lengths.push(length);
        }
        Self {
            head,
            rows,
            bias: head.bias.iter().map(|&b| f64::from(b)).collect(),
            directions,
            lengths,
            is_finite: head.weights.iter().chain(&head.bias).all(|w| w.is_finite()),
        }
    }

    /// Plain score of every class, without margin: W_j·x + b_j, or ‖x‖cosθ_j for unit weights.
    ///
    /// Its argmax is the prediction; it does not depend on the scale.
    pub fn plain_scores(&self, feature: &[f32], scores: &mut Vec<f64>) {
        scores.clear();
        scores.extend_from_slice(&self.bias);
        for (&x, row) in feature.iter().zip(self.rows.chunks_exact(self.bias.len())) {
            let x = f64::from(x);
            for (score, w) in scores.iter_mut().zip(row) {
                *score += w * x;
            }
        }
    }

    fn direction(&self, class: usize) -> &[f64] {
        &self.directions[class * self.head.dim..][..self.head.dim]
    }

    /// What is measured of one sample; `scores` is a buffer.
    fn sample(&self, feature: &[f32], label: usize, scores: &mut Vec<f64>) -> Sample {
        self.plain_scores(feature, scores);
        let (before, after) = rivals(scores, label);
        let length = norm(feature);
        let own_score = scores[label];
        let angle_rad = angle_to_unit_rad(feature, length, self.direction(label));
        let has_angle = length > 0.0 && self.lengths[label] > 0.0;
        let target = self.target(own_score, angle_rad, length, label);
        // `max` would pass over a score that is not a number.
        let is_finite = self.is_finite && length.is_finite() && target.is_finite();
        let is_placed = has_angle || !self.head.spec.form.is_angular();
        let is_correct = wins(own_score, before, after);
        Sample {
            length,
            angle_rad: has_angle.then_some(angle_rad),
            prediction: if is_correct { label } else { argmax(scores) },
            has_margin: is_finite && is_placed && target >= before.max(after),
        }
    }

    /// ρψ(θ_y), the score that the margin leaves of the own class (`losses.md` 6); for heads
    /// without margin the plain score.
    fn target(&self, own_score: f64, angle_rad: f64, length: f64, label: usize) -> f64 {
        let rho = match self.head.spec.form {
            Form::Binary | Form::Linear => return own_score,
            Form::Angular(Rho::WeightAndFeatureNorm) => length * self.lengths[label],
            Form::Angular(Rho::FeatureNorm | Rho::Scale) => length,
        };
        rho * self.head.spec.target.psi(angle_rad, &self.head.values)
    }
}

/// The best score before a class and the best after it.
fn rivals(scores: &[f64], label: usize) -> (f64, f64) {
    let best = |scores: &[f64]| scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (best(&scores[..label]), best(&scores[label + 1..]))
}

/// Whether a class is the plain argmax, the first among equals.
fn wins(own_score: f64, before: f64, after: f64) -> bool {
    own_score > before && own_score >= after
}

/// One sample, measured.
struct Sample {
    /// ‖x‖
    length: f64,
    /// θ_y; `None` where feature or weight is zero and has no direction.
    angle_rad: Option<f64>,
    /// The plain argmax, the first among equals.
    prediction: usize,
    /// Whether f_y = ρψ(θ_y) − max_{k≠y} ρcosθ_k ≥ 0.
    has_margin: bool,
}

/// Share of samples whose plain argmax is their class, and nothing else of [`measure`].
pub(super) fn accuracy(head: &HeadState, features: &[f32], labels: &[u16]) -> Option<f64> {
    let scorer = head.scorer();
    let mut scores = Vec::new();
    let samples = features.chunks_exact(head.dim).zip(labels);
    let correct = samples.filter(|(feature, label)| {
        let label = usize::from(**label);
        scorer.plain_scores(feature, &mut scores);
        let (before, after) = rivals(&scores, label);
        wins(scores[label], before, after)
    });
    let n_correct = correct.count();
    (!labels.is_empty()).then(|| n_correct as f64 / labels.len() as f64)
}

/// Measures features `[dim, n]` under a head. `None` if there is no sample.
pub fn measure(head: &HeadState, features: &[f32], labels: &[u16]) -> Option<Metrics> {
    examine(head, features, labels).map(|(metrics, _)| metrics)
}

/// The same, with what is counted of each class and angle.
pub fn examine(head: &HeadState, features: &[f32], labels: &[u16]) -> Option<(Metrics, Detail)> {
    if labels.is_empty() {
        return None;
    }
    let mut detail = Detail::new(head.n_classes);
    let dim = head.dim;
    let scorer = head.scorer();
    let mut scores = Vec::new();
    let mut sums = Sums::default();
    let mut means = vec![0.0_f64; dim * head.n_classes];
    for (x, &label) in features.chunks_exact(dim).zip(labels) {
        let y = usize::from(label);
        let sample = scorer.sample(x, y, &mut scores);
        sums.satisfied += u64::from(sample.has_margin);
        sums.correct += u64::from(sample.prediction == y);
        detail.count(y, sample.prediction, sample.angle_rad);
        if let Some(angle_rad) = sample.angle_rad {
            sums.target_angle += angle_rad;
            sums.angles += 1;
        }
        sums.length += sample.length;
        if sample.length > 0.0 {
            let share = 1.0 / sample.length;
            for (mean, &x) in means[y * dim..].iter_mut().zip(x) {
                *mean += f64::from(x) * share;
            }
        }
    }
    let n = labels.len() as f64;
    detail.collapse = collapse(head, features, labels, &detail.predictions);
    let metrics = Metrics {
        n_samples: labels.len(),
        accuracy: sums.correct as f64 / n,
        target_angle_rad: (head.spec.form != Form::Binary && sums.angles > 0)
            .then(|| sums.target_angle / sums.angles as f64),
        intra_class_angle_rad: intra_class_angle_rad(features, labels, dim, &means),
        min_weight_angle_rad: head.min_weight_angle_rad(),
        min_class_mean_angle_rad: min_mean_angle_rad(&means, dim, head.n_classes),
        mean_feature_norm: sums.length / n,
        margin_satisfied: sums.satisfied as f64 / n,
    };
    Some((metrics, detail))
}

#[derive(Default)]
struct Sums {
    satisfied: u64,
    correct: u64,
    target_angle: f64,
    /// Samples that have one.
    angles: u64,
    length: f64,
}

/// The plain argmax of each of the features `[dim, n]`.
pub fn predictions(head: &HeadState, features: &[f32]) -> Vec<u16> {
    let scorer = head.scorer();
    let mut scores = Vec::new();
    let winner = |feature| {
        scorer.plain_scores(feature, &mut scores);
        argmax(&scores) as u16
    };
    features.chunks_exact(head.dim).map(winner).collect()
}

/// Index of the largest score, the first among equals.
pub fn argmax(scores: &[f64]) -> usize {
    let mut best = 0;
    for (j, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = j;
        }
    }
    best
}

/// Mean over samples that have a direction, and whose class has a mean one.
fn intra_class_angle_rad(
    features: &[f32],
    labels: &[u16],
    dim: usize,
    means: &[f64],
) -> Option<f64> {
    let directions: Vec<Option<Vec<f64>>> = means.chunks_exact(dim).map(direction).collect();
    let (mut sum, mut n) = (0.0, 0_u32);
    for (x, &label) in features.chunks_exact(dim).zip(labels) {
        let length = norm(x);
        if let Some(direction) = &directions[usize::from(label)]
            && length != 0.0
        {
            sum += angle_to_unit_rad(x, length, direction);
            n += 1;
        }
    }
    (n > 0).then(|| sum / f64::from(n))
}

/// The direction of a mean; `None` where unit vectors cancelled and there is none worth measuring.
fn direction(mean: &[f64]) -> Option<Vec<f64>> {
    let length = mean.iter().map(|x| x * x).sum::<f64>().sqrt();
    (length > 1e-9).then(|| mean.iter().map(|x| x / length).collect())
}

/// The angle between a feature of length `length` and a unit vector, in [0, π]; 0 where either is
/// zero.
///
/// [`angle_rad`] without its care for vectors whose squares leave the range of f64: those of f32
/// do not.
fn angle_to_unit_rad(feature: &[f32], length: f64, unit: &[f64]) -> f64 {
    if length == 0.0 {
        return 0.0;
    }
    let share = 1.0 / length;
    let (mut minus, mut plus) = (0.0, 0.0);
    for (&x, v) in feature.iter().zip(unit) {
        let u = f64::from(x) * share;
        minus += (u - v) * (u - v);
        plus += (u + v) * (u + v);
    }
    // Both are 1 for a unit vector beside a zero one.
    if minus == plus && unit.iter().all(|&v| v == 0.0) {
        return 0.0;
    }
    2.0 * minus.sqrt().atan2(plus.sqrt())
}

fn min_mean_angle_rad(means: &[f64], dim: usize, n_classes: usize) -> Option<f64> {
    let means: Vec<&[f64]> = means
        .chunks_exact(dim)
        .filter(|mean| direction(mean).is_some())
        .collect();
    if means.len() < n_classes.max(2) {
        return None;
    }
    pairs(means.len())
        .map(|(j, k)| angle_rad(means[j], means[k]))
        .min_by(f64::total_cmp)
}

fn min_pair_angle_rad(columns: &[&[f32]]) -> Option<f64> {
    if columns.iter().any(|column| norm(column) == 0.0) {
        return None;
    }
    pairs(columns.len())
        .map(|(j, k)| angle_between(columns[j], columns[k]))
        .min_by(f64::total_cmp)
}

fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |j| (j + 1..n).map(move |k| (j, k)))
}

/// Angle between two f32 columns, computed in f64.
pub fn angle_between(a: &[f32], b: &[f32]) -> f64 {
    const STACK: usize = 16;
    if a.len() <= STACK {
        let (mut wide_a, mut wide_b) = ([0.0; STACK], [0.0; STACK]);
        for (i, (&a, &b)) in a.iter().zip(b).enumerate() {
            wide_a[i] = f64::from(a);
            wide_b[i] = f64::from(b);
        }
        return angle_rad(&wide_a[..a.len()], &wide_b[..a.len()]);
    }
    let wide = |column: &[f32]| column.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    angle_rad(&wide(a), &wide(b))
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss;
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    fn head(loss_id: &str, dim: usize, n_classes: usize, rng: &mut ChaCha8Rng) -> HeadState {
        let spec = loss::find(loss_id).expect("a loss of the registry");
        let values = spec.defaults(Setting { n_classes, dim });
        let mut uniform = |n: usize| (0..n).map(|_| rng.random_range(-2.0..2.0)).collect();
        HeadState {
            spec: Named(spec),
            dim,
            n_classes,
            values,
            in_force: values,
            weights: uniform(dim * n_classes),
            bias: uniform(n_classes),
            centers: Vec::new(),
        }
    }

    /// Score j of one sample as `losses.md` has it, term by term.
    fn score(head: &HeadState, x: &[f32], j: usize) -> f64 {
        let w = head.weight(j);
        match head.spec.form {
            Form::Binary | Form::Linear => dot(w, x) + f64::from(head.bias[j]),
            Form::Angular(Rho::WeightAndFeatureNorm) => {
                norm(x) * norm(w) * angle_between(x, w).cos()
            }
            Form::Angular(_) => norm(x) * angle_between(x, w).cos(),
        }
    }

    fn has_margin(head: &HeadState, x: &[f32], y: usize) -> bool {
        let length = match head.spec.form {
            Form::Angular(Rho::WeightAndFeatureNorm) => norm(x) * norm(head.weight(y)),
            _ => norm(x),
        };
        let target = match head.spec.form {
            Form::Binary | Form::Linear => score(head, x, y),
            Form::Angular(_) => {
                let theta_rad = angle_between(x, head.weight(y));
                length * head.spec.target.psi(theta_rad, &head.values)
            }
        };
        let others = (0..head.n_classes).filter(|&j| j != y);
        others
            .map(|j| score(head, x, j))
            .all(|other| target >= other)
    }

    #[test]
    fn what_is_measured_is_what_the_formulas_say() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for (loss, dim) in [
            ("softmax", 2),
            ("sphereface", 3),
            ("l_softmax", 2),
            ("arcface", 7),
        ] {
            let mut head = head(loss, dim, 5, &mut rng);
            if !head.spec.form.has_bias() {
                head.bias.fill(0.0);
            }
            let n = 400;
            let x: Vec<f32> = (0..n * dim).map(|_| rng.random_range(-3.0..3.0)).collect();
            let labels: Vec<u16> = (0..n).map(|_| rng.random_range(0..5)).collect();
            let found = measure(&head, &x, &labels).expect("samples");
            let samples = || {
                x.chunks_exact(dim)
                    .zip(labels.iter().map(|&y| usize::from(y)))
            };
            let share = |holds: &dyn Fn(&[f32], usize) -> bool| {
                samples().filter(|&(x, y)| holds(x, y)).count() as f64 / n as f64
            };
            let correct = share(&|x, y| {
                let scores: Vec<f64> = (0..5).map(|j| score(&head, x, j)).collect();
                argmax(&scores) == y
            });
            assert_eq!(found.accuracy, correct, "{loss}");
            let satisfied = share(&|x, y| has_margin(&head, x, y));
            assert_eq!(found.margin_satisfied, satisfied, "{loss}");
            let angles: f64 = samples()
                .map(|(x, y)| angle_between(x, head.weight(y)))
                .sum();
            let angle_rad = found.target_angle_rad.expect("an angle");
            // Sums of 400 angles, each off by a few units in the last place.
            assert!((angle_rad - angles / n as f64).abs() < 1e-12, "{loss}");
        }
    }

    #[test]
    fn zero_features_and_weights_have_no_angle() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut head = head("arcface", 2, 3, &mut rng);
        head.weights[2..4].fill(0.0);
        let found = measure(&head, &[0.0, 0.0, 1.0, 2.0], &[0, 1]).expect("samples");
        assert_eq!(found.target_angle_rad, None);
        assert_eq!(found.margin_satisfied, 0.0);
    }

    #[test]
    fn what_is_not_finite_satisfies_no_margin() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut head = head("arcface", 2, 3, &mut rng);
        head.weights = vec![1.0, 0.0, 0.0, 1.0, -1.0, -1.0];
        let own: Vec<f32> = head.weight(1).to_vec();
        let of = |head: &HeadState, x: &[f32]| measure(head, x, &[1]).expect("a sample");
        assert_eq!(of(&head, &own).margin_satisfied, 1.0);
        assert_eq!(of(&head, &[f32::NAN, 1.0]).margin_satisfied, 0.0);
        head.weights[0] = f32::NAN;
        assert_eq!(of(&head, &own).margin_satisfied, 0.0);
    }
}
