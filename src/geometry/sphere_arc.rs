//! Circle arcs and polylines on the unit sphere.

use std::f64::consts::{PI, TAU};

use nalgebra::Vector3;

use crate::geometry::angle;

/// Points per arc at most, whatever sagitta is asked for.
const MAX_STEPS: f64 = 4096.0;

/// An arc of the circle `{u ∈ S²: axis·u = cos_radius}`, counter-clockwise seen from the tip of
/// `axis`.
///
/// The side `axis·u ≥ cos_radius` lies to the left of the way along it. A great circle has
/// `cos_radius` 0. Angles are measured in [`frame`]`(axis)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SphereArc {
    /// The unit normal of the circle's plane.
    pub axis: Vector3<f64>,
    /// The cosine of the angular radius about `axis`, in (−1, 1).
    pub cos_radius: f64,
    /// Where it starts.
    pub start_rad: f64,
    /// Where it ends, in (start, start + 2π].
    pub end_rad: f64,
}

impl SphereArc {
    /// A whole circle about the unit vector `axis`.
    pub fn circle(axis: Vector3<f64>, cos_radius: f64) -> Self {
        Self {
            axis,
            cos_radius,
            start_rad: 0.0,
            end_rad: TAU,
        }
    }

    /// The radius of the circle in space, √(1 − cos²), in (0, 1].
    pub fn radius(&self) -> f64 {
        ((1.0 - self.cos_radius) * (1.0 + self.cos_radius))
            .max(0.0)
            .sqrt()
    }

    /// How far round its circle it reaches, in (0, 2π].
    pub fn sweep_rad(&self) -> f64 {
        self.end_rad - self.start_rad
    }

    /// Whether it is a whole circle.
    pub fn is_circle(&self) -> bool {
        self.sweep_rad() >= TAU
    }

    /// The point at `angle_rad` of its circle: c·axis + √(1−c²)(cos t e₁ + sin t e₂).
    pub fn point(&self, angle_rad: f64) -> Vector3<f64> {
        let (e1, e2) = frame(self.axis);
        self.axis * self.cos_radius + (e1 * angle_rad.cos() + e2 * angle_rad.sin()) * self.radius()
    }

    /// Its first point.
    pub fn start(&self) -> Vector3<f64> {
        self.point(self.start_rad)
    }

    /// Its last point.
    pub fn end(&self) -> Vector3<f64> {
        self.point(self.end_rad)
    }

    /// The same points in the other direction: about −axis.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let axis = -self.axis;
        let start_rad = azimuth_rad(axis, &self.end());
        Self {
            axis,
            cos_radius: -self.cos_radius,
            start_rad,
            end_rad: start_rad + self.sweep_rad(),
        }
    }

    /// The same circle from `start_rad` to `end_rad`.
    #[must_use]
    pub fn between(&self, start_rad: f64, end_rad: f64) -> Self {
        Self {
            start_rad,
            end_rad,
            ..*self
        }
    }

    /// Points along it, both ends included, whose chords depart from it by at most `max_sagitta`.
    ///
    /// The sagitta of a chord over the angle Δ is ρ(1 − cos(Δ/2)), ρ the radius, so that
    /// Δ = 4 asin√(s/2ρ). At most 4,096 chords.
    pub fn polyline(&self, max_sagitta: f64) -> Vec<Vector3<f64>> {
        let (e1, e2) = frame(self.axis);
        let radius = self.radius();
        let ratio = (max_sagitta / (2.0 * radius)).clamp(1e-12, 0.25);
        let step = 4.0 * ratio.sqrt().asin();
        let n = (self.sweep_rad() / step).ceil().clamp(1.0, MAX_STEPS) as usize;
        let center = self.axis * self.cos_radius;
        (0..=n)
            .map(|i| {
                let t = self.start_rad + self.sweep_rad() * i as f64 / n as f64;
                center + (e1 * t.cos() + e2 * t.sin()) * radius
            })
            .collect()
    }
}

/// Two unit vectors (e₁, e₂) with e₁ × e₂ = axis, a fixed function of the unit vector `axis`.
///
/// e₁ is perpendicular to the coordinate axis that `axis` is farthest from, so nothing cancels.
pub fn frame(axis: Vector3<f64>) -> (Vector3<f64>, Vector3<f64>) {
    let helper = Vector3::ith(axis.iamin(), 1.0);
    let e1 = helper
        .cross(&axis)
        .try_normalize(0.0)
        .unwrap_or_else(Vector3::x);
    (e1, axis.cross(&e1))
}

/// The angle of `u` about `axis`, in [`frame`]`(axis)`, in (−π, π].
pub fn azimuth_rad(axis: Vector3<f64>, u: &Vector3<f64>) -> f64 {
    let (e1, e2) = frame(axis);
    angle::polar_rad(nalgebra::Vector2::new(e1.dot(u), e2.dot(u)))
}

/// The great-circle arc along the shorter way from `from` to `to`, unit vectors.
///
/// `None` if they coincide or oppose each other, where no way or every way is the shortest.
pub fn great_arc(from: &Vector3<f64>, to: &Vector3<f64>) -> Option<SphereArc> {
    let axis = from.cross(to).try_normalize(1e-12)?;
    let start_rad = azimuth_rad(axis, from);
    let arc = SphereArc::circle(axis, 0.0);
    let sweep_rad = angle::angle_rad(from.as_slice(), to.as_slice());
    Some(arc.between(start_rad, start_rad + sweep_rad))
}

/// A piece of a polyline on one side of the limb.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Whether it faces the viewer (u·view ≥ 0).
    pub is_front: bool,
    /// Its points, at least two; where it meets the limb, the exact crossing.
    pub points: Vec<Vector3<f64>>,
}

/// Cuts a polyline on the sphere where it crosses the limb `u·view_dir = 0`.
///
/// Consecutive runs share the crossing point, which lies on the great circle through the two
/// points about it. A chord with both ends on the limb counts as front. For a closed curve pass
/// the first point again at the end.
pub fn split_front_back(points: &[Vector3<f64>], view_dir: &Vector3<f64>) -> Vec<Run> {
    let mut runs = Vec::new();
    for ends in points.windows(2) {
        let (a, b) = (ends[0], ends[1]);
        let (at_a, at_b) = (a.dot(view_dir), b.dot(view_dir));
        if at_a * at_b < 0.0 {
            let crossing = limb_crossing(&a, at_a, &b, at_b);
            add_chord(&mut runs, at_a > 0.0, a, crossing);
            add_chord(&mut runs, at_b > 0.0, crossing, b);
        } else {
            add_chord(&mut runs, at_a + at_b >= 0.0, a, b);
        }
    }
    runs
}

fn add_chord(runs: &mut Vec<Run>, is_front: bool, from: Vector3<f64>, to: Vector3<f64>) {
    match runs.last_mut() {
        Some(run) if run.is_front == is_front => run.points.push(to),
        _ => runs.push(Run {
            is_front,
            points: vec![from, to],
        }),
    }
}

/// Where the great circle through `a` and `b`, at heights of opposite sign, meets the limb.
fn limb_crossing(a: &Vector3<f64>, at_a: f64, b: &Vector3<f64>, at_b: f64) -> Vector3<f64> {
    let on_chord = (a * at_b - b * at_a) / (at_b - at_a);
    on_chord.try_normalize(0.0).unwrap_or(*a)
}

/// `n` points spread evenly over the sphere, a Fibonacci spiral; always the same ones.
pub fn spiral(n: usize) -> impl Iterator<Item = Vector3<f64>> {
    let golden_rad = PI * (3.0 - 5.0_f64.sqrt());
    (0..n).map(move |i| {
        let z = 1.0 - (2.0 * i as f64 + 1.0) / n as f64;
        let radius = ((1.0 - z) * (1.0 + z)).sqrt();
        let turn = golden_rad * i as f64;
        Vector3::new(radius * turn.cos(), radius * turn.sin(), z)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_arc() -> SphereArc {
        let axis = Vector3::new(1.0, 2.0, -0.5).normalize();
        SphereArc::circle(axis, 0.3).between(0.4, 5.0)
    }

    #[test]
    fn points_lie_on_circle_and_sphere() {
        let arc = some_arc();
        for p in arc.polyline(1e-3) {
            assert!((p.norm() - 1.0).abs() < 1e-15);
            assert!((p.dot(&arc.axis) - 0.3).abs() < 1e-15);
        }
    }

    #[test]
    fn frame_is_right_handed() {
        for axis in spiral(50) {
            let (e1, e2) = frame(axis);
            assert!((e1.cross(&e2) - axis).norm() < 1e-15);
        }
    }

    #[test]
    fn reversed_runs_the_other_way() {
        let (arc, back) = (some_arc(), some_arc().reversed());
        assert!((arc.start() - back.end()).norm() < 1e-14);
        assert!((arc.end() - back.start()).norm() < 1e-14);
        assert!((arc.point(1.4) - back.point(back.end_rad - 1.0)).norm() < 1e-14);
    }

    #[test]
    fn the_left_side_is_the_axis() {
        let arc = some_arc();
        let (here, ahead) = (arc.point(1.0), arc.point(1.001));
        assert!(here.cross(&(ahead - here)).dot(&arc.axis) > 0.0);
    }

    #[test]
    fn sagitta_is_kept() {
        let arc = some_arc();
        for max_sagitta in [0.1, 1e-2, 1e-4] {
            let points = arc.polyline(max_sagitta);
            let sweep = arc.sweep_rad() / (points.len() - 1) as f64;
            assert!(arc.radius() * (1.0 - (sweep / 2.0).cos()) <= max_sagitta * (1.0 + 1e-9));
        }
    }

    #[test]
    fn great_arc_is_the_shorter_way() {
        let (a, b) = (Vector3::x(), Vector3::new(-1.0, 1.0, 0.0).normalize());
        let arc = great_arc(&a, &b).unwrap();
        assert!((arc.sweep_rad() - 0.75 * PI).abs() < 1e-15);
        assert!((arc.start() - a).norm() < 1e-15 && (arc.end() - b).norm() < 1e-15);
        assert!(great_arc(&a, &-a).is_none() && great_arc(&a, &a).is_none());
    }

    #[test]
    fn a_circle_splits_into_front_and_back() {
        let view = Vector3::new(0.3, -0.2, 1.0).normalize();
        let circle = SphereArc::circle(Vector3::x(), 0.2).polyline(1e-3);
        let runs = split_front_back(&circle, &view);
        assert_eq!(runs.len(), 3);
        for pair in runs.windows(2) {
            assert_ne!(pair[0].is_front, pair[1].is_front);
            assert_eq!(pair[0].points.last(), pair[1].points.first());
            assert!(pair[1].points[0].dot(&view).abs() < 1e-15);
        }
        for run in &runs {
            let sign = if run.is_front { 1.0 } else { -1.0 };
            assert!(run.points.iter().all(|p| sign * p.dot(&view) > -1e-15));
        }
    }

    #[test]
    fn a_vertex_on_the_limb_splits_there() {
        let points = [
            Vector3::new(0.6, 0.0, 0.8),
            Vector3::x(),
            Vector3::new(0.6, 0.0, -0.8),
            Vector3::new(0.0, 0.6, -0.8),
        ];
        let runs = split_front_back(&points, &Vector3::z());
        assert_eq!(runs.len(), 2);
        assert_eq!(runs[0].points, points[..2]);
        assert_eq!(runs[1].points, points[1..]);
        assert!(runs[0].is_front && !runs[1].is_front);
    }

    #[test]
    fn a_start_on_the_limb_takes_the_side_it_leaves_to() {
        let points = [Vector3::x(), Vector3::new(0.6, 0.0, -0.8)];
        let runs = split_front_back(&points, &Vector3::z());
        assert_eq!(runs.len(), 1);
        assert!(!runs[0].is_front);
        assert!(split_front_back(&[], &Vector3::z()).is_empty());
    }
}
