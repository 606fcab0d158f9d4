//! What curves and scans of margins on the sphere share: scores in polar coordinates about a
//! direction, and how a root is closed in on.

use nalgebra::Vector3;

use crate::geometry::head::{Head, Psi};
use crate::geometry::sphere_arc;

/// Where a root on a meridian is close enough.
pub(super) const ROOT_TOLERANCE_RAD: f64 = 1e-13;

/// Meridians are halved at most this often between two of the first.
pub(super) const MAX_DEPTH: usize = 24;

/// Chords are tested at their middle alone; asymmetry of the curve is left this room.
pub(super) const SAGITTA_SHARE: f64 = 0.7;

/// `f_j` in polar coordinates: u(θ, ω) = cosθ p + sinθ (cos ω e₁ + sin ω e₂).
pub(super) struct PolarScores<'a> {
    pub(super) psi: Psi<'a>,
    /// p, e₁, e₂
    pub(super) pole: Vector3<f64>,
    pub(super) east: Vector3<f64>,
    pub(super) north: Vector3<f64>,
    pub(super) rivals: Vec<Rival>,
    pub(super) own_size: f64,
    own_bias: f64,
    pub(super) tolerance: f64,
}

/// `r·W_k` in the frame (p, e₁, e₂), and `b_k`.
pub(super) struct Rival {
    pub(super) scores: Vector3<f64>,
    pub(super) bias: f64,
}

/// On one meridian, for a rival: (A, B, b) with score = A cosθ + B sinθ + b.
pub(super) type OnMeridian = [f64; 3];

impl<'a> PolarScores<'a> {
    pub(super) fn new(head: &Head<'_, 3>, class: usize, psi: Psi<'a>, pole: Vector3<f64>) -> Self {
        let (east, north) = sphere_arc::frame(pole);
        let rival = |k| {
            let w = head.class_weight(k) * head.norm();
            Rival {
                scores: Vector3::new(w.dot(&pole), w.dot(&east), w.dot(&north)),
                bias: head.bias(k),
            }
        };
        let others = (0..head.n_classes()).filter(|&k| k != class);
        Self {
            psi,
            pole,
            east,
            north,
            rivals: others.map(rival).collect(),
            own_size: head.norm() * head.class_weight(class).norm(),
            own_bias: head.bias(class),
            tolerance: head.margin_tolerance(),
        }
    }

    /// The own score at an angle from the weight, as training demands it.
    pub(super) fn target(&self, theta_rad: f64) -> f64 {
        self.target_of((self.psi)(theta_rad))
    }

    /// The same from ψ.
    pub(super) fn target_of(&self, psi: f64) -> f64 {
        self.own_size * psi + self.own_bias
    }

    /// The rivals on the meridian at ω.
    pub(super) fn on_meridian(&self, omega_rad: f64) -> Vec<OnMeridian> {
        let (sin, cos) = omega_rad.sin_cos();
        let along = |rival: &Rival| {
            let [a, east, north] = rival.scores.into();
            [a, east * cos + north * sin, rival.bias]
        };
        self.rivals.iter().map(along).collect()
    }

    /// Where the meridian at ω leaves the pole for.
    pub(super) fn outward(&self, omega_rad: f64) -> Vector3<f64> {
        let (sin, cos) = omega_rad.sin_cos();
        self.east * cos + self.north * sin
    }

    /// The score of a rival in a direction; NaN without one.
    pub(super) fn score(&self, rival: Option<usize>, u: &Vector3<f64>) -> f64 {
        let frame = Vector3::new(u.dot(&self.pole), u.dot(&self.east), u.dot(&self.north));
        rival
            .and_then(|index| self.rivals.get(index))
            .map_or(f64::NAN, |rival| rival.scores.dot(&frame) + rival.bias)
    }
}

/// The best of the rivals at θ, and its score.
pub(super) fn strongest(rivals: &[OnMeridian], sin: f64, cos: f64) -> (usize, f64) {
    let mut best = (0, f64::NEG_INFINITY);
    for (index, [a, b, bias]) in rivals.iter().enumerate() {
        let score = a * cos + b * sin + bias;
        if score > best.1 {
            best = (index, score);
        }
    }
    best
}

/// Two places with a change of sign between them, and the values there.
///
/// They close in by regula falsi with the weights of Anderson and Björck (1973): where the same
/// end moves twice, the value at the other is lowered, so that this one moves, too. A smooth
/// function takes about six evaluations from any start, and a fourth step that halves the bracket
/// bounds what a jump costs.
pub(super) struct Bracket {
    ends: [f64; 2],
    values: [f64; 2],
    last_moved: Option<usize>,
    n_steps: u32,
}

/// More than four times the halvings that lead from π to any tolerance in use.
const MAX_BRACKET_STEPS: u32 = 180;

impl Bracket {
    pub(super) fn new(ends: [f64; 2], values: [f64; 2]) -> Self {
        Self {
            ends,
            values,
            last_moved: None,
            n_steps: 0,
        }
    }

    pub(super) fn middle(&self) -> f64 {
        0.5 * (self.ends[0] + self.ends[1])
    }

    /// Where to look next; `None` once the ends are `tolerance` apart.
    pub(super) fn next(&mut self, tolerance: f64) -> Option<f64> {
        let ([lo, hi], [at_lo, at_hi]) = (self.ends, self.values);
        if hi - lo <= tolerance || self.n_steps == MAX_BRACKET_STEPS {
            return None;
        }
        self.n_steps += 1;
        let secant = lo + (hi - lo) * (at_lo / (at_lo - at_hi)).clamp(0.0, 1.0);
        if self.n_steps.is_multiple_of(4) || secant.is_nan() {
            return Some(self.middle());
        }
        // Past the root by a little, so that the far end comes up to it.
        let least = 0.4 * tolerance;
        Some(secant.clamp(lo + least, hi - least))
    }

    /// Moves an end to where the value was found.
    pub(super) fn put(&mut self, at: f64, value: f64, end: usize) {
        if self.last_moved == Some(end) {
            let share = 1.0 - value / self.values[end];
            self.values[1 - end] *= if share > 0.0 { share } else { 0.5 };
        }
        self.last_moved = Some(end);
        self.ends[end] = at;
        self.values[end] = value;
    }
}

pub(super) fn distance_to_chord(p: &Vector3<f64>, a: &Vector3<f64>, b: &Vector3<f64>) -> f64 {
    let chord = b - a;
    let length_squared = chord.norm_squared();
    if length_squared == 0.0 {
        return (p - a).norm();
    }
    let t = ((p - a).dot(&chord) / length_squared).clamp(0.0, 1.0);
    (a + chord * t - p).norm()
}
