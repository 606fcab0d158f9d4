//! SphereFace (A-Softmax): the target angle counts m times (arXiv 1704.08063, eq. 7).
//!
//! ψ(θ) = (λ cosθ + S_m(θ))/(1 + λ) with S_m the monotone staircase below. The gap between two
//! weights is (m − 1)/(m + 1) of their distance, so it differs between classes; λ falls from 1000
//! to its least value, without which the loss hardly trains.

use std::f64::consts::PI;

use crate::loss::formula::{BAR, LENGTH_OTHER, Piece, THETA_Y, cross_entropy};
use crate::loss::real::Real;
use crate::loss::spec::{
    ANNEAL, Course, Form, LossSpec, Param, Psi, Rho, TargetAngle, Unit, Values, target,
};

/// The staircase S_m(θ) = (−1)^k cos(mθ) − 2k, k = min(⌊mθ/π⌋, m − 1), and −S_m' = m|sin mθ|.
///
/// Falls from 1 to 1 − 2m, with slope 0 at every kπ/m (continuous, the curvature jumps). The
/// minimum keeps k in 0..m at θ = π, where ⌊mθ/π⌋ would give m.
pub(super) fn staircase<T: Real>(angle: TargetAngle<T>, factor: T) -> Psi<T> {
    let turned = factor * angle.theta_rad();
    let k = (turned / T::pi())
        .floor()
        .min((factor - T::one()).max(T::zero()));
    let (sin, cos) = turned.sin_cos();
    let is_odd = k.widen() % 2.0 != 0.0;
    let signed = if is_odd { -cos } else { cos };
    Psi {
        value: signed - (k + k),
        pull: factor * sin.abs(),
    }
}

/// (λ·cosine + staircase)/(1 + λ), and its pull likewise.
pub(super) fn blend<T: Real>(angle: TargetAngle<T>, values: &Values<T>) -> Psi<T> {
    let [factor, lambda, ..] = *values;
    let stair = staircase(angle, factor);
    let share = T::one() / (T::one() + lambda);
    Psi {
        value: (lambda * angle.cos + stair.value) * share,
        pull: (lambda * angle.sin + stair.pull) * share,
    }
}

/// The kπ/m inside (0, π): the slope is continuous there, its curvature is not.
pub(super) fn stairs_rad(values: &Values<f64>) -> Vec<f64> {
    let factor = values[0];
    (1..factor as usize)
        .map(|k| k as f64 * PI / factor)
        .collect()
}

pub(super) const MARGIN: Param = Param {
    id: "margin",
    symbol: "m",
    vector_key: "m",
    help: "How many times the angle to the own class counts.",
    unit: Unit::Factor,
    range: 1.0..=8.0,
    slider: 1.0..=8.0,
    why: "m counts the stairs of the target logit, so it is a whole number; beyond 8 nothing trains",
    is_integer: true,
    choices: &[],
    default: |_| 4.0,
    course: Course::Constant,
    ceiling: None,
};

pub(super) const LAMBDA: Param = Param {
    id: "lambda",
    symbol: "λ",
    vector_key: "lambda",
    help: "Least share of the plain cosine: λ falls from 1000 to this while it trains.",
    unit: Unit::None,
    range: 0.0..=1000.0,
    slider: 0.0..=50.0,
    why: "annealing starts at 1000, and a negative share has no meaning",
    is_integer: false,
    choices: &[],
    default: |_| 5.0,
    course: ANNEAL,
    ceiling: None,
};

/// λ cosθ_y + (−1)^k cos(mθ_y) − 2k.
pub(super) const BLEND: &[Piece] = &[
    Piece::Param("lambda"),
    Piece::Upright("·"),
    Piece::Name("cos"),
    THETA_Y,
    Piece::Sign("+"),
    Piece::Sup(&Piece::Upright("(−1)"), &[Piece::Letter("k")]),
    Piece::Name("cos"),
    Piece::Upright("("),
    Piece::Param("margin"),
    Piece::Upright("·"),
    THETA_Y,
    Piece::Upright(")"),
    Piece::Sign("−"),
    Piece::Upright("2"),
    Piece::Letter("k"),
];

/// kπ ≤ mθ_y ≤ (k + 1)π: on which stair the angle lies.
pub(super) const STAIR: &[Piece] = &[
    Piece::Letter("k"),
    PI_SIGN,
    Piece::Sign("≤"),
    Piece::Param("margin"),
    Piece::Upright("·"),
    THETA_Y,
    Piece::Sign("≤"),
    Piece::Upright("("),
    Piece::Letter("k"),
    Piece::Sign("+"),
    Piece::Upright("1)"),
    PI_SIGN,
];
const PI_SIGN: Piece = Piece::Letter("π");

/// 1 + λ
pub(super) const ONE_AND_LAMBDA: &[Piece] = &[
    Piece::Upright("1"),
    Piece::Sign("+"),
    Piece::Param("lambda"),
];

const _: () = assert!(matches!(LAMBDA.course, Course::Anneal { .. }));

pub(super) static SPEC: LossSpec = LossSpec {
    id: "sphereface",
    name: "SphereFace",
    short_name: "SphereFace",
    key: Some(4),
    summary: "The target's angle counts m times: a class must win even so, and shrinks towards its weight.",
    formula: cross_entropy!(
        &[
            BAR,
            Piece::Letter("x"),
            BAR,
            Piece::Fraction(BLEND, ONE_AND_LAMBDA),
        ],
        LENGTH_OTHER;
        where STAIR
    ),
    source: "Liu et al. 2017, arXiv 1704.08063, eq. 7",
    form: Form::Angular(Rho::FeatureNorm),
    target: target!(blend),
    penalty: None,
    params: &[MARGIN, LAMBDA],
    jumps_rad: stairs_rad,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn stair_at(theta_rad: f64, factor: f64) -> Psi<f64> {
        staircase(TargetAngle::from_rad(theta_rad), factor)
    }

    #[test]
    fn staircase_is_continuous_and_flat_at_every_stair() {
        for factor in 2..=8 {
            let m = f64::from(factor);
            for k in 1..factor {
                let at = f64::from(k) * PI / m;
                let (before, after) = (stair_at(at - 1e-9, m), stair_at(at + 1e-9, m));
                assert!((before.value - after.value).abs() < 1e-12);
                assert!((before.value - (1.0 - 2.0 * f64::from(k))).abs() < 1e-12);
                assert!(before.pull < 1e-6 && after.pull < 1e-6);
            }
            assert!((stair_at(PI, m).value - (1.0 - 2.0 * m)).abs() < 1e-12);
        }
    }

    #[test]
    fn staircase_never_rises() {
        for factor in 1..=8 {
            let values: Vec<f64> = (0..=3000)
                .map(|i| stair_at(PI * f64::from(i) / 3000.0, f64::from(factor)).value)
                .collect();
            assert!(
                values.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12),
                "m = {factor}"
            );
        }
    }
}
