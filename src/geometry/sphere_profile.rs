//! ψ in steps from a weight to its antipode, and where on that way a class may have its margin.
//!
//! On the parallel at θ from the weight of class j the score of a rival is a sinusoid of ω,
//! A cosθ + B(ω) sinθ + b with B(ω) = ‖B‖ cos(ω − `ω_k`), so that the margin holds against it where
//! B(ω) ≤ q(θ), q = (target(θ) − A cosθ − b)/sinθ. The region on a parallel is therefore an exact
//! set of arcs, and the region against one rival is star-shaped about the weight just if q falls.

use std::f64::consts::PI;

use crate::geometry::arc_set::ArcSet;
use crate::geometry::head::Psi;
use crate::geometry::sphere_polar::PolarScores;

/// Even steps from 0 to π: an eighth of a turn of cos 8θ is four of them.
const STEPS: usize = 128;

const STEP_RAD: f64 = PI / STEPS as f64;

/// Smaller jumps of ψ are not told from its bends: they move a margin by a hundredth of a pixel.
const LEAST_JUMP: f64 = 1.5e-5;

/// Between two angles this close a change of ψ is a jump.
pub(super) const JUMP_WIDTH_RAD: f64 = 1e-9;

/// ψ from a weight to its antipode.
pub(super) struct Profile {
    /// Even steps, and both sides of each jump.
    pub(super) steps: Vec<Step>,
    /// ψ' and ψ'' at the even steps, by differences.
    slopes: Vec<f64>,
    bends: Vec<f64>,
}

/// A place on the way.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) theta_rad: f64,
    pub(super) sin: f64,
    pub(super) cos: f64,
    pub(super) psi: f64,
}

impl Step {
    pub(super) fn new(theta_rad: f64, psi: Psi<'_>) -> Self {
        let (sin, cos) = theta_rad.sin_cos();
        Self {
            theta_rad,
            sin,
            cos,
            psi: psi(theta_rad),
        }
    }
}

impl Profile {
    pub(super) fn new(psi: Psi<'_>) -> Self {
        let even: Vec<Step> = (0..=STEPS)
            .map(|i| Step::new(STEP_RAD * i as f64, psi))
            .collect();
        let change = |i: usize| even[i + 1].psi - even[i].psi;
        let mut steps = Vec::with_capacity(STEPS + 3);
        for i in 0..STEPS {
            steps.push(even[i]);
            let middle = i.clamp(1, STEPS - 2);
            let bend = change(middle - 1) - 2.0 * change(middle) + change(middle + 1);
            if bend.abs() > 2.0 * LEAST_JUMP {
                add_jumps(psi, even[i], even[i + 1], &mut steps);
            }
        }
        steps.push(even[STEPS]);
        let inner = |i: usize| i.clamp(1, STEPS - 1);
        let slope = |i: usize| (change(inner(i)) + change(inner(i) - 1)) / (2.0 * STEP_RAD);
        let bend = |i: usize| (change(inner(i)) - change(inner(i) - 1)) / (STEP_RAD * STEP_RAD);
        Self {
            steps,
            slopes: (0..=STEPS).map(slope).collect(),
            bends: (0..=STEPS).map(bend).collect(),
        }
    }

    /// Whether ψ(θ) is cosθ less a constant.
    pub(super) fn is_shifted_cosine(&self) -> bool {
        const ROUNDING: f64 = 1e-9;
        let shift = 1.0 - self.steps[0].psi;
        let mut steps = self.steps.iter();
        steps.all(|step| (step.cos - step.psi - shift).abs() < ROUNDING)
    }

    /// ψ' and ψ'' at θ, as the nearest step has them.
    pub(super) fn slope_and_bend(&self, theta_rad: f64) -> (f64, f64) {
        let i = ((theta_rad / STEP_RAD).round() as usize).min(STEPS);
        (self.slopes[i], self.bends[i])
    }

    /// How much ψ'' varies from one angle to another.
    pub(super) fn change_of_bend(&self, theta_rad: [f64; 2]) -> f64 {
        let [a, b] = theta_rad.map(|theta_rad| theta_rad / STEP_RAD);
        let first = (a.min(b).floor() as usize).min(STEPS);
        let last = (a.max(b).ceil() as usize).min(STEPS);
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let bends = self.bends[first..=last].iter();
        let (least, most) = bends.fold(ends, |(lo, hi), &bend| (lo.min(bend), hi.max(bend)));
        most - least
    }
}

/// Both sides of the jumps between two places. Thirds of a smooth ψ change evenly, the more so the
/// shorter they are; those about a jump do not.
fn add_jumps(psi: Psi<'_>, from: Step, to: Step, out: &mut Vec<Step>) {
    let length = to.theta_rad - from.theta_rad;
    if length < JUMP_WIDTH_RAD {
        out.extend([from, to]);
        return;
    }
    let inner = [1.0, 2.0].map(|i| Step::new(from.theta_rad + length * i / 3.0, psi));
    let places = [from, inner[0], inner[1], to];
    let change = |i: usize| places[i + 1].psi - places[i].psi;
    if (change(0) - 2.0 * change(1) + change(2)).abs() > LEAST_JUMP {
        for pair in places.windows(2) {
            add_jumps(psi, pair[0], pair[1], out);
        }
    }
}

/// What a class and its rivals have on a parallel: see the head of this file.
pub(super) struct Rings<'a> {
    scores: &'a PolarScores<'a>,
    profile: &'a Profile,
    /// The nearest first: they leave least.
    rivals: Vec<Rival>,
}

/// A, ‖B‖, `ω_k`, b, and how fast the score may change with the angle.
struct Rival {
    along: f64,
    across: f64,
    omega_rad: f64,
    bias: f64,
    steepness: f64,
}

impl<'a> Rings<'a> {
    /// About the weight of the class.
    pub(super) fn new(scores: &'a PolarScores<'a>, profile: &'a Profile) -> Self {
        let mut rivals: Vec<Rival> = scores
            .rivals
            .iter()
            .map(|rival| {
                let [along, east, north] = rival.scores.into();
                Rival {
                    along,
                    across: east.hypot(north),
                    omega_rad: north.atan2(east),
                    bias: rival.bias,
                    steepness: rival.scores.norm(),
                }
            })
            .collect();
        rivals.sort_by(|a, b| b.along.total_cmp(&a.along));
        Self {
            scores,
            profile,
            rivals,
        }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.profile.steps
    }

    pub(super) fn target(&self, step: &Step) -> f64 {
        self.scores.target_of(step.psi)
    }

    /// Whether no meridian enters the region again after it has left it.
    ///
    /// It would have to leave it because of a rival whose q rises afterwards, past B(ω), to a
    /// parallel that the region reaches. A return within one step of another parallel counts.
    pub(super) fn is_star(&self) -> bool {
        let steps = self.steps();
        let at_weight = self.target(&steps[0]) + self.scores.tolerance;
        let mut lowest: Vec<f64> = Vec::with_capacity(self.rivals.len());
        lowest.extend(self.rivals.iter().map(|rival| {
            if at_weight >= rival.along + rival.bias {
                rival.across
            } else {
                f64::NEG_INFINITY
            }
        }));
        let last = steps.len() - 1;
        let inner = steps.iter().enumerate().take(last).skip(1);
        for (i, step) in inner {
            let rising = self.lower(step, &mut lowest);
            if !rising.is_empty() && self.is_reached_past(i, &rising) {
                return false;
            }
        }
        // At the antipode there is no q.
        let exits = |(rival, lowest): (&Rival, &f64)| *lowest < rival.across;
        let has_exit = self.rivals.iter().zip(&lowest).any(exits);
        !has_exit || self.near_step(last).is_empty()
    }

    /// Lowers the least q of each rival so far, and says whose q is above it, and what it was.
    fn lower(&self, step: &Step, lowest: &mut [f64]) -> Vec<(&Rival, f64)> {
        const ROUNDING: f64 = 1e-9;
        let target = self.target(step);
        let rounding = ROUNDING * self.scores.own_size / step.sin;
        let mut rising = Vec::new();
        for (rival, lowest) in self.rivals.iter().zip(lowest) {
            let q = (target - rival.along * step.cos - rival.bias) / step.sin;
            let q = if q < -rival.across - rounding {
                f64::NEG_INFINITY // nothing of the parallel is left
            } else {
                q.min(rival.across)
            };
            if q > *lowest + rounding {
                rising.push((rival, *lowest));
            }
            *lowest = lowest.min(q);
        }
        rising
    }

    /// Whether the region may be near a step where one of these rivals had ended it before.
    fn is_reached_past(&self, i: usize, rising: &[(&Rival, f64)]) -> bool {
        let near = self.near_step(i);
        !near.is_empty()
            && rising.iter().any(|&(rival, lowest)| {
                let mut arcs = near.clone();
                arcs.keep_where(rival.across, rival.omega_rad, lowest);
                !arcs.is_empty()
            })
    }

    /// Arcs of ω that hold the region from halfway to the step before to halfway to the next.
    fn near_step(&self, i: usize) -> ArcSet {
        let steps = &self.profile.steps;
        let (before, after) = (i.saturating_sub(1), (i + 1).min(steps.len() - 1));
        let reach = [steps[before], steps[after]]
            .map(|step| 0.5 * (step.theta_rad - steps[i].theta_rad).abs());
        let target = (before..=after).map(|i| self.target(&steps[i]));
        let target = target.fold(f64::NEG_INFINITY, f64::max);
        self.arcs(&steps[i], target, reach[0].max(reach[1]))
    }

    /// Arcs of ω on which the target is reached within so many radians of a step.
    pub(super) fn arcs(&self, step: &Step, target: f64, reach_rad: f64) -> ArcSet {
        let mut arcs = ArcSet::full();
        for rival in &self.rivals {
            let slack = rival.steepness * reach_rad;
            // −B(ω) sinθ ≥ A cosθ + b − target
            arcs.keep_where(
                step.sin * rival.across,
                rival.omega_rad + PI,
                rival.along * step.cos + rival.bias - target - slack,
            );
            if arcs.is_empty() {
                break;
            }
        }
        arcs
    }

    /// For every two neighbouring steps, whether the region may lie between them.
    pub(super) fn may_hold(&self) -> Vec<bool> {
        let near = (0..self.profile.steps.len()).map(|i| !self.near_step(i).is_empty());
        let near: Vec<bool> = near.collect();
        near.windows(2).map(|pair| pair[0] || pair[1]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::head::Head;
    use nalgebra::Vector3;
    use std::f64::consts::FRAC_PI_2;

    /// cos(θ + m) up to π/2, cosθ from there on.
    fn eased(theta_rad: f64, m: f64) -> f64 {
        let is_past = theta_rad >= FRAC_PI_2;
        (theta_rad + if is_past { 0.0 } else { m }).cos()
    }

    #[test]
    fn a_jump_smaller_than_the_fall_of_a_step_is_found() {
        for m in [1e-4, 0.02, 0.3] {
            let psi = |theta_rad: f64| eased(theta_rad, m);
            let profile = Profile::new(&psi);
            let mut pairs = profile.steps.windows(2);
            assert!(
                pairs.any(|pair| {
                    pair[1].theta_rad - pair[0].theta_rad < JUMP_WIDTH_RAD
                        && pair[1].psi - pair[0].psi > 0.9 * m
                }),
                "{m}"
            );
        }
    }

    #[test]
    fn smooth_psi_has_even_steps_only() {
        for m in [0.5, 1.0, 4.0, 8.0] {
            let psi = |theta_rad: f64| (m * theta_rad).cos();
            assert_eq!(Profile::new(&psi).steps.len(), STEPS + 1, "{m}");
        }
    }

    #[test]
    fn what_returns_is_no_star() {
        // A thin wedge that reaches past π/2, two opposite weights, and four spread ones.
        let wedge = [[1.0, 0.0, 0.0], [1.0, 0.02, 0.3], [1.0, -0.02, 0.3]];
        let opposite = [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]];
        let spread = [
            [1.0, 1.0, 1.0],
            [1.0, -1.0, -1.0],
            [-1.0, 1.0, -1.0],
            [-1.0, -1.0, 1.0],
        ];
        let is_star = |weights: &[[f64; 3]], psi: Psi<'_>| {
            let weights: Vec<Vector3<f64>> = weights
                .iter()
                .map(|w| Vector3::from(*w).normalize())
                .collect();
            let profile = Profile::new(psi);
            let scores = PolarScores::new(&Head::cosine(&weights), 0, psi, weights[0]);
            Rings::new(&scores, &profile).is_star()
        };
        let eased = |theta_rad: f64| eased(theta_rad, 0.02);
        let folded = |theta_rad: f64| (6.7 * theta_rad).cos() - 0.5;
        assert!(!is_star(&wedge, &eased));
        assert!(is_star(&wedge, &|theta_rad| (theta_rad + 0.02).cos()));
        assert!(!is_star(&opposite, &folded));
        assert!(is_star(&spread, &|theta_rad| (theta_rad + 0.3).cos()));
    }
}
