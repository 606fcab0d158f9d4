//! Lines and arcs from a feature to weights, each with its angle: on the plane to the tips, on the
//! circle inside it, on the sphere over its surface.

use nalgebra::{Vector2, Vector3};

use crate::geometry::angle;
use crate::geometry::sphere_arc;
use crate::scene::curves::{Curves, Flat, Solid, Space};
use crate::scene::fonts::estimated_width;
use crate::scene::look::{Look, line, polygon, rounded, text};
use crate::scene::place::{Places, Round};
use crate::scene::plane::WeightArrows;
use crate::scene::theme::class_color;
use crate::scene::{Anchor, Font, Item, Rgba, Spot, ViewState};
use crate::trainer::Snapshot;

/// Where the arcs to the marked weights run on the circle, over its radius.
pub(super) const ARCS_AT: [f32; 3] = [0.56, 0.45, 0.34];

/// From one feature to the weights of some classes.
pub(super) struct Rays<'a> {
    /// x `[dim]`
    pub(super) feature: &'a [f32],
    /// `θ_j` `[classes]`
    pub(super) angles_rad: &'a [Option<f64>],
    /// To whose weights.
    pub(super) classes: &'a [usize],
    /// Where the feature stands.
    pub(super) spot: Spot,
    pub(super) places: &'a Places<'a>,
    pub(super) look: Look,
}

impl Rays<'_> {
    /// Each with its angle.
    pub(super) fn items(
        &self,
        snapshot: &Snapshot,
        curves: &Curves,
        view: &ViewState,
        size: [f32; 2],
    ) -> Vec<Item> {
        let nearest = self.classes.iter().copied();
        let mut items = Vec::new();
        match (&curves.space, self.places) {
            (Space::Flat(flat), Places::Plane { .. }) => {
                let arrows = WeightArrows::of(snapshot, view, size);
                for class in nearest {
                    let tip = arrows.tip(&flat.weights[class]);
                    items.extend(self.angle_line(class, vec![self.spot.at, tip]));
                }
            }
            (Space::Flat(flat), Places::Circle { round }) => {
                items.push(self.radius_line(*round));
                for (class, share) in nearest.zip(ARCS_AT) {
                    items.extend(self.flat_arc(flat, *round, share, class));
                }
            }
            (Space::Solid(solid), Places::Sphere { round, .. }) => {
                if round.rim_length.is_some() {
                    items.extend(self.way_to_surface(solid, view, *round));
                }
                for class in nearest {
                    items.extend(self.great_arc(solid, view, *round, class));
                }
            }
            _ => {}
        }
        items
    }

    /// A line in the ink of a class with the angle to its weight in its middle.
    fn angle_line(&self, class: usize, points: Vec<[f32; 2]>) -> Vec<Item> {
        let at = middle_of(&points);
        let mut items = vec![
            line(points.clone(), self.look.line(3.2, self.ground(0.6))),
            line(points, self.look.line(1.4, self.look.ink(class))),
        ];
        items.extend(
            at.and_then(|at| self.angle_text(class, at))
                .into_iter()
                .flatten(),
        );
        items
    }

    fn angle_text(&self, class: usize, at: [f32; 2]) -> Option<[Item; 2]> {
        let size = self.look.text(11.0).max(9.9);
        let words = format!("{:.0}°", self.angles_rad[class]?.to_degrees());
        let half = [0.5 * estimated_width(&words, size) + 3.0, 0.75 * size];
        let plate = rounded(
            [at[0] - half[0], at[1] - half[1]],
            [at[0] + half[0], at[1] + half[1]],
            half[1],
        );
        let ink = self.look.readable(class_color(class), 4.5);
        Some([
            polygon(plate, self.ground(0.85)),
            text(at, words, size, Font::SemiBold, ink, Anchor::Middle),
        ])
    }

    /// From the center to the sample, and at least as far as the arcs reach.
    fn radius_line(&self, round: Round) -> Item {
        let at = self.spot.at;
        let from_center = [at[0] - round.center[0], at[1] - round.center[1]];
        let length = from_center[0].hypot(from_center[1]).max(1e-3);
        let share = (ARCS_AT[0] * round.radius / length).max(1.0);
        let end = [0, 1].map(|axis| round.center[axis] + share * from_center[axis]);
        line(
            vec![round.center, end],
            self.look.line(1.2, self.look.theme.text),
        )
    }

    /// The angle to a weight of the circle as an arc at a share of its radius.
    fn flat_arc(&self, flat: &Flat, round: Round, share: f32, class: usize) -> Vec<Item> {
        let x = Vector2::new(f64::from(self.feature[0]), f64::from(self.feature[1]));
        let start_rad = angle::polar_rad(x);
        let turn_rad = shorter_turn_rad(start_rad, angle::polar_rad(flat.weights[class]));
        let radius = share * round.radius;
        let n = (turn_rad.abs() / 0.03).ceil().max(1.0) as usize;
        let points = (0..=n).map(|step| {
            let u = angle::direction(start_rad + turn_rad * step as f64 / n as f64);
            [
                round.center[0] + radius * u.x as f32,
                round.center[1] - radius * u.y as f32,
            ]
        });
        self.angle_line(class, points.collect())
    }

    /// From a dot off the surface to where its direction meets it, where the arcs begin.
    fn way_to_surface(&self, solid: &Solid, view: &ViewState, round: Round) -> Option<Item> {
        let x = solid.projection.apply(self.feature);
        let foot = round.screen(view, &x.try_normalize(0.0)?);
        let ink = self.look.line(
            1.2,
            self.look
                .theme
                .text
                .with_opacity(if self.spot.is_near { 1.0 } else { 0.5 }),
        );
        Some(line(vec![self.spot.at, foot], ink))
    }

    /// The angle to a weight of the sphere as an arc of a great circle, as far as it is near.
    fn great_arc(&self, solid: &Solid, view: &ViewState, round: Round, class: usize) -> Vec<Item> {
        let x = solid.projection.apply(self.feature);
        let Some((u, v)) = x.try_normalize(0.0).zip(solid.directions[class]) else {
            return Vec::new();
        };
        let screen = |u: &Vector3<f64>| round.screen(view, u);
        let arc = great_circle(u, v);
        let runs = sphere_arc::split_front_back(&arc, &view.sphere.view_dir_world());
        let near = runs
            .iter()
            .filter(|run| run.is_front && run.points.len() > 1);
        near.flat_map(|run| self.angle_line(class, run.points.iter().map(screen).collect()))
            .collect()
    }

    fn ground(&self, opacity: f32) -> Rgba {
        self.look.theme.ground.with_opacity(opacity)
    }
}

impl Round {
    /// Where a direction of the world meets the surface.
    fn screen(&self, view: &ViewState, u: &Vector3<f64>) -> [f32; 2] {
        let seen = view.sphere.view_from_world(u);
        [
            self.center[0] + self.radius * seen.x as f32,
            self.center[1] - self.radius * seen.y as f32,
        ]
    }
}

/// From one angle to another, −π to π.
pub(super) fn shorter_turn_rad(from_rad: f64, to_rad: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    (to_rad - from_rad + PI).rem_euclid(TAU) - PI
}

/// Points on the shorter great circle between two directions.
fn great_circle(u: Vector3<f64>, v: Vector3<f64>) -> Vec<Vector3<f64>> {
    let angle_rad = angle::angle_rad(u.as_slice(), v.as_slice());
    let across = v - u * u.dot(&v);
    // Opposite or equal directions have no arc of their own.
    let Some(across) = across.try_normalize(1e-9) else {
        return vec![u, v];
    };
    let n = (angle_rad / 0.03).ceil().max(1.0) as usize;
    (0..=n)
        .map(|step| {
            let (sin, cos) = (angle_rad * step as f64 / n as f64).sin_cos();
            u * cos + across * sin
        })
        .collect()
}

/// The point at half the length of a polyline; `None` for one too short to carry a text.
fn middle_of(points: &[[f32; 2]]) -> Option<[f32; 2]> {
    const SHORTEST: f32 = 44.0;
    let lengths = points
        .windows(2)
        .map(|ends| (ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]));
    let whole: f32 = lengths.clone().sum();
    let mut left = whole / 2.0;
    for (ends, length) in points.windows(2).zip(lengths) {
        if length >= left && whole > SHORTEST {
            let share = left / length.max(f32::MIN_POSITIVE);
            return Some(
                [0, 1].map(|axis| ends[0][axis] + share * (ends[1][axis] - ends[0][axis])),
            );
        }
        left -= length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_great_circle_keeps_to_the_surface_from_end_to_end() {
        let arc = great_circle(Vector3::x(), Vector3::z());
        assert!(
            arc.iter()
                .all(|u| (u.norm() - 1.0).abs() < 1e-9 && u.y == 0.0)
        );
        assert!((arc[arc.len() - 1] - Vector3::z()).norm() < 1e-9);
        assert_eq!(great_circle(Vector3::x(), -Vector3::x()).len(), 2);
    }

    #[test]
    fn the_middle_of_a_line_is_half_way_along_it() {
        let bent = [[0.0, 0.0], [30.0, 0.0], [30.0, 50.0]];
        assert_eq!(middle_of(&bent), Some([30.0, 10.0]));
        assert_eq!(middle_of(&bent[..2]), None, "too short for a text");
    }
}
