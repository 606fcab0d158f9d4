//! What is measured on a set of features: accuracy, angles, margins.

#![allow(
    clippy::doc_markdown,
    reason = "formulas in the papers' letters: z_j has an index and is no identifier"
)]

use crate::geometry::angle::angle_rad;
use crate::loss::{Form, LossSpec, Rho, Values};

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
    /// Weight of class j `[dim]`.
    pub fn weight(&self, class: usize) -> &[f32] {
        &self.weights[class * self.dim..][..self.dim]
    }

    /// Plain score of every class, without margin: W_j·x + b_j, or ‖x‖cosθ_j for unit weights.
    ///
    /// Its argmax is the prediction; it does not depend on the scale.
    pub fn plain_scores(&self, feature: &[f32], scores: &mut Vec<f64>) {
        scores.clear();
        let has_unit_weights = self.spec.form.has_unit_weights();
        scores.extend((0..self.n_classes).map(|j| {
            let w = self.weight(j);
            let score = dot(w, feature) + f64::from(self.bias[j]);
            if has_unit_weights {
                score / norm(w).max(f64::MIN_POSITIVE)
            } else {
                score
            }
        }));
    }

    /// Whether the class wins with its margin: f_y = ρψ(θ_y) − max_{k≠y} ρcosθ_k ≥ 0
    /// (`losses.md` 6); for heads without margin, whether it wins.
    pub fn satisfies_margin(&self, feature: &[f32], label: usize, scores: &mut Vec<f64>) -> bool {
        self.plain_scores(feature, scores);
        let own = match self.spec.form {
            Form::Binary | Form::Linear => scores[label],
            Form::Angular(rho) => {
                let w = self.weight(label);
                let length = norm(feature)
                    * if rho == Rho::WeightAndFeatureNorm {
                        norm(w)
                    } else {
                        1.0
                    };
                length
                    * self
                        .spec
                        .target
                        .psi(angle_between(feature, w), &self.values)
            }
        };
        let best_other = scores
            .iter()
            .enumerate()
            .filter(|(j, _)| *j != label)
            .map(|(_, &s)| s);
        // `max` would pass over a score that is not a number.
        let is_finite = own.is_finite() && scores.iter().all(|score| score.is_finite());
        is_finite && own >= best_other.fold(f64::NEG_INFINITY, f64::max)
    }

    /// Least angle between two class weights; `None` for fewer than two.
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
    /// Mean θ_y.
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

/// Measures features `[dim, n]` under a head. `None` if there is no sample.
pub fn measure(head: &HeadState, features: &[f32], labels: &[u16]) -> Option<Metrics> {
    if labels.is_empty() {
        return None;
    }
    let dim = head.dim;
    let mut scores = Vec::new();
    let mut sums = Sums::default();
    let mut means = vec![0.0_f64; dim * head.n_classes];
    for (x, &label) in features.chunks_exact(dim).zip(labels) {
        let y = usize::from(label);
        sums.satisfied += u64::from(head.satisfies_margin(x, y, &mut scores));
        sums.correct += u64::from(argmax(&scores) == y);
        sums.target_angle += angle_between(x, head.weight(y));
        let length = norm(x);
        sums.length += length;
        if length > 0.0 {
            for (mean, &x) in means[y * dim..].iter_mut().zip(x) {
                *mean += f64::from(x) / length;
            }
        }
    }
    let n = labels.len() as f64;
    Some(Metrics {
        n_samples: labels.len(),
        accuracy: sums.correct as f64 / n,
        target_angle_rad: (head.spec.form != Form::Binary).then_some(sums.target_angle / n),
        intra_class_angle_rad: intra_class_angle_rad(features, labels, dim, &means),
        min_weight_angle_rad: head.min_weight_angle_rad(),
        min_class_mean_angle_rad: min_mean_angle_rad(&means, dim, head.n_classes),
        mean_feature_norm: sums.length / n,
        margin_satisfied: sums.satisfied as f64 / n,
    })
}

#[derive(Default)]
struct Sums {
    satisfied: u64,
    correct: u64,
    target_angle: f64,
    length: f64,
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

/// Mean over samples whose class has a mean direction.
fn intra_class_angle_rad(
    features: &[f32],
    labels: &[u16],
    dim: usize,
    means: &[f64],
) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0_u32);
    let mut wide = vec![0.0; dim];
    for (x, &label) in features.chunks_exact(dim).zip(labels) {
        let mean = &means[usize::from(label) * dim..][..dim];
        if has_direction(mean) {
            for (wide, &x) in wide.iter_mut().zip(x) {
                *wide = f64::from(x);
            }
            sum += angle_rad(&wide, mean);
            n += 1;
        }
    }
    (n > 0).then(|| sum / f64::from(n))
}

fn min_mean_angle_rad(means: &[f64], dim: usize, n_classes: usize) -> Option<f64> {
    let means: Vec<&[f64]> = means
        .chunks_exact(dim)
        .filter(|mean| has_direction(mean))
        .collect();
    if means.len() < n_classes.max(2) {
        return None;
    }
    pairs(means.len())
        .map(|(j, k)| angle_rad(means[j], means[k]))
        .min_by(f64::total_cmp)
}

fn min_pair_angle_rad(columns: &[&[f32]]) -> Option<f64> {
    pairs(columns.len())
        .map(|(j, k)| angle_between(columns[j], columns[k]))
        .min_by(f64::total_cmp)
}

fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |j| (j + 1..n).map(move |k| (j, k)))
}

/// The mean of unit vectors that cancel has no direction worth measuring.
fn has_direction(mean: &[f64]) -> bool {
    mean.iter().map(|x| x * x).sum::<f64>().sqrt() > 1e-9
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
