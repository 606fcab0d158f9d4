//! CosFace: a margin subtracted from the target cosine (arXiv 1801.09414, eq. 4).
//!
//! Every class keeps the same distance in cosine, so the gap in *angle*,
//! 2 asin(m/(2 sin(α/2))), is wider between close classes.

use crate::loss::formula::{SCALED_OTHER, THETA_Y, cross_entropy};
use crate::loss::real::Real;
use crate::loss::spec::{
    Course, Form, LossSpec, Param, Psi, Rho, SCALE, Setting, TargetAngle, Unit, Values,
    below_ceiling, smooth, target,
};

/// ψ(θ) = cosθ − m, −ψ' = sinθ, which vanishes at both ends: no guard is needed.
fn psi<T: Real>(angle: TargetAngle<T>, values: &Values<T>) -> Psi<T> {
    let margin_cos = values[0];
    Psi {
        value: angle.cos - margin_cos,
        pull: angle.sin,
    }
}

/// m ≤ 1 − cos α_min (`losses.md` 5.2).
fn ceiling(best_angle_rad: f64, _: &Values<f64>) -> f64 {
    1.0 - best_angle_rad.cos()
}

fn default_margin(setting: Setting) -> f64 {
    let default = if setting.dim <= 2 { 0.1 } else { 0.2 };
    below_ceiling(default, ceiling(setting.best_angle_rad(), &[0.0; 6]))
}

pub(super) static SPEC: LossSpec = LossSpec {
    id: "cosface",
    name: "CosFace",
    short_name: "CosFace",
    key: Some(6),
    summary: "The target's cosine must win by m: the same margin in cosine for every class.",
    formula: cross_entropy!(
        &[
            Piece::Param("scale"),
            Piece::Upright("("),
            Piece::Name("cos"),
            THETA_Y,
            Piece::Sign("−"),
            Piece::Param("margin"),
            Piece::Upright(")"),
        ],
        SCALED_OTHER
    ),
    source: "Wang et al. 2018, arXiv 1801.09414, eq. 4; the same as AM-Softmax, arXiv 1801.05599",
    form: Form::Angular(Rho::Scale),
    target: target!(psi),
    penalty: None,
    params: &[
        Param {
            id: "margin",
            symbol: "m",
            vector_key: "m",
            help: "By how much the cosine to the own class must exceed every other cosine.",
            unit: Unit::Cosine,
            range: 0.0..=2.0,
            slider: 0.0..=1.0,
            why: "two cosines differ by at most 2",
            is_integer: false,
            choices: &[],
            default: default_margin,
            course: Course::Ramp,
            ceiling: Some(ceiling),
        },
        SCALE,
    ],
    jumps_rad: smooth,
};
