//! Several scenes on one canvas: a picture over its legend, panels side by side.

use crate::scene::{Dot, Item, Scene, Stroke};

impl Scene {
    /// An empty canvas.
    pub fn empty(size: [f32; 2], ground: crate::scene::Rgba) -> Self {
        Self {
            size,
            ground,
            groups: Vec::new(),
        }
    }

    /// Puts another scene on this one, its top left corner at `at` and `scale` times as large. Its
    /// ground is left out. `panel` counts pictures of the same kind, from 1; 0 is for what is there
    /// but once.
    pub fn place(&mut self, panel: usize, other: Self, at: [f32; 2], scale: f32) {
        let to = Placement { at, scale };
        self.groups
            .extend(other.groups.into_iter().map(|mut group| {
                group.panel = group.panel.max(panel);
                for item in &mut group.items {
                    to.apply(item);
                }
                group
            }));
    }
}

/// Where a scene goes.
#[derive(Clone, Copy)]
struct Placement {
    at: [f32; 2],
    scale: f32,
}

impl Placement {
    fn point(self, point: &mut [f32; 2]) {
        *point = [0, 1].map(|axis| self.at[axis] + self.scale * point[axis]);
    }

    fn points(self, points: &mut [[f32; 2]]) {
        for point in points {
            self.point(point);
        }
    }

    fn stroke(self, stroke: &mut Stroke) {
        stroke.width *= self.scale;
        if let Some(dash) = &mut stroke.dash {
            *dash = dash.map(|length| self.scale * length);
        }
    }

    fn apply(self, item: &mut Item) {
        match item {
            Item::Polygon { rings, .. } => {
                for ring in rings {
                    self.points(ring);
                }
            }
            Item::Line { points, stroke, .. } => {
                self.points(points);
                self.stroke(stroke);
            }
            Item::Dots { dots, radius } => {
                for Dot { center, .. } in dots {
                    self.point(center);
                }
                *radius *= self.scale;
            }
            Item::Trails { points, width, .. } => {
                self.points(points);
                *width *= self.scale;
            }
            Item::Disc {
                center,
                radius,
                stroke,
                ..
            } => {
                self.point(center);
                *radius *= self.scale;
                self.stroke(stroke);
            }
            Item::Shade {
                center,
                radius,
                focus,
                ..
            } => {
                self.point(center);
                self.point(focus);
                *radius *= self.scale;
            }
            Item::Text { pos, size, .. } => {
                self.point(pos);
                *size *= self.scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::ViewKind;
    use crate::scene::sample::{even_weights, fans, snapshot};
    use crate::scene::{ViewState, build, theme};

    /// Every length of a scene, in the order of its items.
    fn lengths(scene: &Scene) -> Vec<f32> {
        let mut found = Vec::new();
        for item in scene.groups.iter().flat_map(|group| &group.items) {
            match item {
                Item::Polygon { rings, .. } => found.extend(rings.iter().flatten().flatten()),
                Item::Line { points, stroke, .. } => {
                    found.extend(points.iter().flatten());
                    found.push(stroke.width);
                    found.extend(stroke.dash.iter().flatten());
                }
                Item::Dots { dots, radius } => {
                    found.extend(dots.iter().flat_map(|dot| dot.center));
                    found.push(*radius);
                }
                Item::Trails { points, width, .. } => {
                    found.extend(points.iter().flatten());
                    found.push(*width);
                }
                Item::Disc {
                    center,
                    radius,
                    stroke,
                    ..
                } => {
                    found.extend(center);
                    found.extend([*radius, stroke.width]);
                }
                Item::Shade {
                    center,
                    radius,
                    focus,
                    ..
                } => {
                    found.extend(center);
                    found.extend(focus);
                    found.push(*radius);
                }
                Item::Text { pos, size, .. } => {
                    found.extend(pos);
                    found.push(*size);
                }
            }
        }
        found
    }

    #[test]
    fn a_scene_twice_as_large_has_every_length_twice() {
        let weights = even_weights(5);
        let (features, labels) = fans(&weights, 9, 2.0, 5.0, 0.6);
        let flat = snapshot("arcface", 2, &weights, &features, &labels);
        let solid = snapshot(
            "arcface",
            3,
            &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
            &[1.0, 0.2, 0.1, 0.1, 1.0, 0.2, 0.3, 0.1, 1.0],
            &[0, 1, 2],
        );
        for (snapshot, kind) in [
            (&flat, ViewKind::Plane),
            (&flat, ViewKind::Circle),
            (&solid, ViewKind::Sphere),
        ] {
            let view = ViewState::new(kind, theme::DARK);
            let scene = build(snapshot, &view, [400.0, 420.0]);
            let mut placed = Scene::empty([800.0, 840.0], scene.ground);
            placed.place(0, scene.clone(), [0.0, 0.0], 2.0);
            let (before, after) = (lengths(&scene), lengths(&placed));
            assert!(before.len() > 100 && before.len() == after.len());
            assert!(before.iter().zip(&after).all(|(a, b)| 2.0 * a == *b));
            let mut moved = Scene::empty(scene.size, scene.ground);
            moved.place(0, scene.clone(), [0.0, 0.0], 1.0);
            assert_eq!(moved, scene);
        }
    }
}
