//! Center loss: softmax plus λ·½‖x − c_y‖², the distance to a running class center (Wen et al., ECCV 2016, eq. 5).
//!
//! Mean form: the penalty is averaged over the batch like the cross entropy, so λ here is N times
//! the λ of the sum form. Centers follow the paper's rule (its eq. 4),
//! c_j += α Σ_{y_i = j}(x_i − c_j)/(1 + n_j), in [`update_centers`].

use crate::loss::formula::{BAR, LINEAR_OTHER, LINEAR_TARGET, cross_entropy};
use crate::loss::real::Real;
use crate::loss::spec::{
    Course, Form, LossSpec, Param, PenaltyFns, PenaltyInput, Unit, Values, cosine, smooth, target,
};

const LAMBDA: usize = 0;

/// λ·½‖x − c‖² and, times `weight`, its gradient λ(x − c).
fn pull_to_center<T: Real>(
    input: PenaltyInput<'_, T>,
    values: &Values<T>,
    weight: T,
    grad_feature: &mut [T],
) -> T {
    let lambda = values[LAMBDA];
    let mut squared = T::zero();
    for ((grad, &x), &c) in grad_feature.iter_mut().zip(input.feature).zip(input.center) {
        let offset = x - c;
        squared += offset * offset;
        *grad += weight * lambda * offset;
    }
    lambda * T::of(0.5) * squared
}

/// Moves each center towards the batch's features of its class.
///
/// * `centers` `[dim, classes]`, changed in place
/// * `offset_sums` `[dim + 1, classes]`: Σ(x_i − c_j) over the batch, and n_j in the last row
/// * `rate` α in [0, 1]: 0 leaves the centers, 1 moves them by n/(1 + n) of the way
pub fn update_centers(centers: &mut [f32], offset_sums: &[f32], dim: usize, rate: f32) {
    for (center, sums) in centers
        .chunks_exact_mut(dim)
        .zip(offset_sums.chunks_exact(dim + 1))
    {
        let step = rate / (1.0 + sums[dim]);
        for (c, &sum) in center.iter_mut().zip(sums) {
            *c += step * sum;
        }
    }
}

pub(super) static SPEC: LossSpec = LossSpec {
    id: "center",
    name: "Centre loss",
    short_name: "Centre",
    key: Some(2),
    summary: "Softmax keeps the classes apart, and a spring of strength λ pulls each feature to its class centre.",
    formula: cross_entropy!(
        LINEAR_TARGET,
        LINEAR_OTHER,
        Piece::Sign("+"),
        Piece::Fraction(&[Piece::Param("lambda")], &[Piece::Upright("2")]),
        BAR,
        Piece::Letter("x"),
        Piece::Sign("−"),
        Piece::Sub(&Piece::Letter("c"), &[Piece::Letter("y")]),
        Piece::Sup(&BAR, &[Piece::Upright("2")])
    ),
    source: "Wen et al. 2016, ECCV, eq. 5 (mean form)",
    form: Form::Linear,
    target: target!(cosine),
    penalty: Some(PenaltyFns {
        f32: pull_to_center,
        f64: pull_to_center,
    }),
    params: &[
        Param {
            id: "lambda",
            symbol: "λ",
            vector_key: "lambda",
            help: "Strength of the spring between a feature and its class centre.",
            unit: Unit::None,
            range: 0.0..=1000.0,
            slider: 0.0..=5.0,
            why: "a negative spring would push features away without end",
            is_integer: false,
            choices: &[],
            default: |_| 0.1,
            course: Course::Constant,
            ceiling: None,
        },
        Param {
            id: "center_rate",
            symbol: "α",
            vector_key: "alpha",
            help: "How far a centre moves towards its class at each step.",
            unit: Unit::None,
            range: 0.0..=1.0,
            slider: 0.0..=1.0,
            why: "beyond 1 a centre would overshoot its class",
            is_integer: false,
            choices: &[],
            default: |_| 0.5,
            course: Course::Constant,
            ceiling: None,
        },
    ],
    jumps_rad: smooth,
};
