//! ArcFace: a margin added to the target angle (arXiv 1801.07698, eq. 3).
//!
//! The gap between two neighbors is exactly m, an arc one can see on the circle. Beyond θ + m = π
//! the cosine would rise again; `beyond_pi` says what takes its place (`losses.md` 4).

use std::f64::consts::PI;

use crate::loss::formula::{SCALED_OTHER, THETA_Y, cross_entropy};
use crate::loss::real::Real;
use crate::loss::spec::{
    Course, Form, LossSpec, Param, Psi, Rho, SCALE, Setting, TargetAngle, Unit, Values,
    below_ceiling, target,
};

const MARGIN: usize = 0;
const BEYOND_PI: usize = 2;

const COSINE: f64 = 0.0;
const LINEAR: f64 = 1.0;
const EASY: f64 = 2.0;

/// ψ(θ) = cos(θ + m) with its guard, −ψ' = sin(θ + m).
///
/// At θ = 0 the pull tends to sin m > 0 while the tangent has no direction: a cone, whose tip the
/// head rounds. `linear` (the default) continues with cosθ − m sin m, falling by
/// about m²/2 at θ = π − m; `easy` applies the margin only while cosθ > 0 and jumps up by sin m
/// at 90°; `cosine` continues unguarded and pulls the wrong way.
fn psi<T: Real>(angle: TargetAngle<T>, values: &Values<T>) -> Psi<T> {
    let (margin, guard) = (values[MARGIN], values[BEYOND_PI].widen());
    let (sin_m, cos_m) = margin.sin_cos();
    let has_margin = if guard == COSINE {
        true
    } else if guard == EASY {
        angle.cos > T::zero()
    } else {
        angle.cos > -cos_m // θ < π − m without an angle: m is at most π
    };
    if has_margin {
        // The sum formulas need no angle and lose no digits near 0 and π.
        Psi {
            value: angle.cos * cos_m - angle.sin * sin_m,
            pull: angle.sin * cos_m + angle.cos * sin_m,
        }
    } else {
        let drop = if guard == EASY {
            T::zero()
        } else {
            margin * sin_m
        };
        Psi {
            value: angle.cos - drop,
            pull: angle.sin,
        }
    }
}

fn jumps_rad(values: &Values<f64>) -> Vec<f64> {
    if values[BEYOND_PI] == LINEAR {
        vec![PI - values[MARGIN]]
    } else if values[BEYOND_PI] == EASY {
        vec![PI / 2.0]
    } else {
        Vec::new()
    }
}

/// m ≤ α_min (`losses.md` 5.1, by the triangle inequality).
fn ceiling(best_angle_rad: f64, _: &Values<f64>) -> f64 {
    best_angle_rad
}

fn default_margin(setting: Setting) -> f64 {
    below_ceiling(0.3, setting.best_angle_rad())
}

pub(super) static SPEC: LossSpec = LossSpec {
    id: "arcface",
    name: "ArcFace",
    short_name: "ArcFace",
    key: Some(7),
    summary: "The target's angle counts m more than it is: the gap between neighbors is exactly m.",
    formula: cross_entropy!(
        &[
            Piece::Param("scale"),
            Piece::Upright("·"),
            Piece::Name("cos"),
            Piece::Upright("("),
            THETA_Y,
            Piece::Sign("+"),
            Piece::Param("margin"),
            Piece::Upright(")"),
        ],
        SCALED_OTHER
    ),
    source: "Deng et al. 2019, arXiv 1801.07698, eq. 3",
    form: Form::Angular(Rho::Scale),
    target: target!(psi),
    penalty: None,
    params: &[
        Param {
            id: "margin",
            symbol: "m",
            vector_key: "m",
            help: "Angle added to the target's: how wide the gap between two neighboring classes must be.",
            unit: Unit::Radians,
            range: 0.0..=PI,
            slider: 0.0..=1.6,
            why: "an angle between two directions is at most π",
            is_integer: false,
            choices: &[],
            default: default_margin,
            course: Course::Ramp,
            ceiling: Some(ceiling),
        },
        SCALE,
        Param {
            id: "beyond_pi",
            symbol: "θ + m > π",
            vector_key: "beyond_pi",
            help: "What the target logit does where θ + m passes π: fall on linearly, drop the margin, or rise again.",
            unit: Unit::None,
            range: 0.0..=2.0,
            slider: 0.0..=2.0,
            why: "these three are defined",
            is_integer: true,
            choices: &["cosine", "linear", "easy"],
            default: |_| LINEAR,
            course: Course::Constant,
            ceiling: None,
        },
    ],
    jumps_rad,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_jump(guard: f64, at_rad: f64, margin_rad: f64, expected: f64) {
        let values = [margin_rad, 16.0, guard, 0.0, 0.0, 0.0];
        let jump =
            SPEC.target.psi(at_rad + 1e-9, &values) - SPEC.target.psi(at_rad - 1e-9, &values);
        assert!(
            (jump - expected).abs() < 1e-6,
            "jump {jump}, expected {expected}"
        );
    }

    #[test]
    fn guards_jump_as_derived() {
        for m in [0.3_f64, 0.5, 1.0] {
            check_jump(LINEAR, PI - m, m, 1.0 - m.cos() - m * m.sin());
            check_jump(EASY, PI / 2.0, m, m.sin());
            check_jump(COSINE, PI - m, m, 0.0);
        }
    }
}
