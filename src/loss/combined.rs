//! The combined margin cos(m₁θ + m₂) − m₃ (arXiv 1801.07698, eq. 4), unguarded.
//!
//! It contains the others: (1, 0, 0) NormFace, (1, 0, m) CosFace, (1, m, 0) ArcFace while
//! θ + m < π, (m, 0, 0) SphereFace's first stair.

use std::f64::consts::PI;

use crate::loss::formula::{SCALED_OTHER, THETA_Y, cross_entropy};
use crate::loss::real::Real;
use crate::loss::spec::{
    Course, Form, LossSpec, Param, Psi, Rho, SCALE, Setting, TargetAngle, Unit, Values,
    below_ceiling, smooth, target,
};

const M2: usize = 1;
const M3: usize = 2;

/// ψ(θ) = cos(m₁θ + m₂) − m₃, −ψ' = m₁ sin(m₁θ + m₂); at θ = 0 a cone of slope m₁ sin m₂.
fn psi<T: Real>(angle: TargetAngle<T>, values: &Values<T>) -> Psi<T> {
    let [m1, m2, m3, ..] = *values;
    let (sin, cos) = (m1 * angle.theta_rad() + m2).sin_cos();
    Psi {
        value: cos - m3,
        pull: m1 * sin,
    }
}

/// At u = v_y the margin holds while cos m₂ − m₃ ≥ cos α_min (`losses.md` 5.1).
fn ceiling_m2(best_angle_rad: f64, values: &Values<f64>) -> f64 {
    angle_of_cos(values[M3] + best_angle_rad.cos())
}

fn ceiling_m3(best_angle_rad: f64, values: &Values<f64>) -> f64 {
    (values[M2].cos() - best_angle_rad.cos()).max(0.0)
}

/// The angle with this cosine; a ceiling is shown to two digits, so that acos serves.
fn angle_of_cos(cos: f64) -> f64 {
    cos.clamp(-1.0, 1.0).acos()
}

/// (m₂, m₃), shrunk together where they would pass the ceiling.
fn default_margins(setting: Setting) -> (f64, f64) {
    let (m2, m3) = if setting.dim <= 2 {
        (0.15, 0.05)
    } else {
        (0.3, 0.2)
    };
    let best = setting.best_angle_rad();
    let m2 = below_ceiling(m2, best);
    (m2, below_ceiling(m3, (m2.cos() - best.cos()).max(0.0)))
}

pub(super) static SPEC: LossSpec = LossSpec {
    id: "combined",
    name: "Combined margin",
    short_name: "Combined",
    key: None,
    summary: "All three margins at once: a factor, an added angle and a subtracted cosine.",
    formula: cross_entropy!(
        &[
            Piece::Param("scale"),
            Piece::Upright("("),
            Piece::Name("cos"),
            Piece::Upright("("),
            Piece::Param("m1"),
            Piece::Upright("·"),
            THETA_Y,
            Piece::Sign("+"),
            Piece::Param("m2"),
            Piece::Upright(")"),
            Piece::Sign("−"),
            Piece::Param("m3"),
            Piece::Upright(")"),
        ],
        SCALED_OTHER
    ),
    source: "Deng et al. 2019, arXiv 1801.07698, eq. 4",
    form: Form::Angular(Rho::Scale),
    target: target!(psi),
    penalty: None,
    params: &[
        Param {
            id: "m1",
            symbol: "m₁",
            vector_key: "m1",
            help: "Factor on the target angle, SphereFace's margin.",
            unit: Unit::Factor,
            range: 0.1..=8.0,
            slider: 0.5..=4.0,
            why: "below it the target angle would hardly count, above it cos(m₁θ) turns several times",
            is_integer: false,
            choices: &[],
            default: |_| 1.0,
            course: Course::Constant,
            ceiling: None,
        },
        Param {
            id: "m2",
            symbol: "m₂",
            vector_key: "m2",
            help: "Angle added to the target's, ArcFace's margin.",
            unit: Unit::Radians,
            range: 0.0..=PI,
            slider: 0.0..=1.6,
            why: "an angle between two directions is at most π",
            is_integer: false,
            choices: &[],
            default: |setting| default_margins(setting).0,
            course: Course::Ramp,
            ceiling: Some(ceiling_m2),
        },
        Param {
            id: "m3",
            symbol: "m₃",
            vector_key: "m3",
            help: "Subtracted from the target's cosine, CosFace's margin.",
            unit: Unit::Cosine,
            range: 0.0..=2.0,
            slider: 0.0..=1.0,
            why: "two cosines differ by at most 2",
            is_integer: false,
            choices: &[],
            default: |setting| default_margins(setting).1,
            course: Course::Ramp,
            ceiling: Some(ceiling_m3),
        },
        SCALE,
    ],
    jumps_rad: smooth,
};
