//! What a hand can take hold of in a picture, and where it is put by moving the pointer.

use nalgebra::Vector3;

use crate::experiment::{Placed, ViewKind};
use crate::loss::Form;
use crate::scene::plane::weight_factor;
use crate::scene::{Item, Scene, ViewState, circle, label, pick};
use crate::trainer::Snapshot;

/// Something that a hand holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The weight of a class.
    Weight(usize),
    /// The feature of a sample, by its index in the probe.
    Feature(usize),
}

impl Held {
    /// Its vector `[dim]`.
    pub fn vector(self, snapshot: &Snapshot) -> Option<&[f32]> {
        let head = &snapshot.head;
        match self {
            Self::Weight(class) => (class < head.n_classes).then(|| head.weight(class)),
            Self::Feature(sample) => {
                let start = sample * head.dim;
                snapshot.probe.features.get(start..start + head.dim)
            }
        }
    }

    /// As a change calls it.
    pub fn placed(self, snapshot: &Snapshot) -> Option<Placed> {
        match self {
            Self::Weight(class) => Some(Placed::Weight(class)),
            Self::Feature(sample) => {
                let index = snapshot.probe.indices.get(sample)?;
                Some(Placed::Feature(*index as usize))
            }
        }
    }
}

/// What lies under the pointer and can be moved: the label of a class weight, or a sample where
/// features are free. Nothing where nothing is trained, or directions of more than three dimensions
/// are seen.
pub fn grasp(
    scene: &Scene,
    snapshot: &Snapshot,
    view: &ViewState,
    pointer_screen: [f32; 2],
) -> Option<Held> {
    let is_seen_whole = match view.kind {
        ViewKind::Plane | ViewKind::Circle => snapshot.head.dim == 2,
        ViewKind::Sphere => snapshot.head.dim == 3,
        ViewKind::Input => false,
    };
    if !is_seen_whole || snapshot.is_given() {
        return None;
    }
    let is_movable = |class: &usize| *class > 0 || snapshot.head.spec.form != Form::Binary;
    let class = label_at(scene, snapshot, pointer_screen).filter(is_movable);
    let sample = || pick(scene, pointer_screen).filter(|_| snapshot.experiment.is_free());
    class
        .map(Held::Weight)
        .or_else(|| sample().map(Held::Feature))
}

/// The class whose label is under the pointer.
fn label_at(scene: &Scene, snapshot: &Snapshot, pointer_screen: [f32; 2]) -> Option<usize> {
    let labels = scene.groups.iter().find(|group| group.name == "labels")?;
    // What is painted last lies on top.
    labels.items.iter().rev().find_map(|item| {
        let Item::Text {
            pos, text, size, ..
        } = item
        else {
            return None;
        };
        let [half_width, half_height] = label::half_size(text, *size);
        let is_inside = (pos[0] - pointer_screen[0]).abs() <= half_width
            && (pos[1] - pointer_screen[1]).abs() <= half_height;
        let is_it = |class: &usize| label::shortened(snapshot.class_name(*class)) == *text;
        (0..snapshot.head.n_classes)
            .find(is_it)
            .filter(|_| is_inside)
    })
}

/// The vector `[dim]` that is seen at a place; where directions alone are seen it keeps its length.
pub fn place_at(
    snapshot: &Snapshot,
    view: &ViewState,
    size: [f32; 2],
    held: Held,
    pointer_screen: [f32; 2],
) -> Option<Vec<f32>> {
    let before = held.vector(snapshot)?;
    let length = before.iter().map(|x| x * x).sum::<f32>().sqrt();
    let length = if length > 0.0 { length } else { 1.0 };
    let place = match view.kind {
        ViewKind::Circle => {
            let (center, _) = circle::disc_of(view, size);
            let [x, y] = [pointer_screen[0] - center[0], center[1] - pointer_screen[1]];
            let from_center = x.hypot(y);
            vec![x / from_center * length, y / from_center * length]
        }
        ViewKind::Sphere => {
            let (center, radius) = view.ball(size);
            let u = world_dir(view, on_sphere(pointer_screen, center, radius));
            u.iter().map(|&x| x as f32 * length).collect()
        }
        ViewKind::Plane => {
            let middle = view.stage(size).middle();
            let [x, y] = view.plane.world_from_screen(pointer_screen, middle);
            let place = on_plane(snapshot, view, size, held, [x, y], length);
            place.to_vec()
        }
        ViewKind::Input => return None,
    };
    let is_a_place = place.iter().all(|x| x.is_finite()) && place.iter().any(|&x| x != 0.0);
    is_a_place.then_some(place)
}

/// What is seen at a point of the plane: a feature, or the tip of a weight's arrow, which is longer
/// than the weight by a factor, or as long as all others.
fn on_plane(
    snapshot: &Snapshot,
    view: &ViewState,
    size: [f32; 2],
    held: Held,
    [x, y]: [f64; 2],
    length: f32,
) -> [f32; 2] {
    let share = match (held, weight_factor(snapshot, view, size)) {
        (Held::Feature(_), _) => 1.0,
        (Held::Weight(_), Some(factor)) => 1.0 / factor,
        (Held::Weight(_), None) => f64::from(length) / x.hypot(y),
    };
    [(x * share) as f32, (y * share) as f32]
}

/// The point of the near half under a pointer, or of the limb nearest to it; view coordinates.
fn on_sphere(pointer_screen: [f32; 2], center: [f32; 2], radius: f32) -> Vector3<f64> {
    let radius = f64::from(radius.max(1.0));
    let x = f64::from(pointer_screen[0] - center[0]) / radius;
    let y = -f64::from(pointer_screen[1] - center[1]) / radius;
    let from_axis = x.hypot(y);
    if from_axis < 1.0 {
        Vector3::new(x, y, (1.0 - from_axis * from_axis).sqrt())
    } else {
        Vector3::new(x / from_axis, y / from_axis, 0.0)
    }
}

/// A direction of the turned sphere as it is in feature space.
pub(super) fn world_dir(view: &ViewState, in_view: Vector3<f64>) -> Vector3<f64> {
    view.sphere.orientation.inverse() * in_view
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::theme::DARK;
    use crate::scene::{build, sample};

    const SIZE: [f32; 2] = [700.0, 640.0];

    /// Where the label of a class is drawn.
    fn label_of(scene: &Scene, class: usize) -> Option<[f32; 2]> {
        let labels = scene.groups.iter().find(|group| group.name == "labels")?;
        labels.items.iter().find_map(|item| match item {
            Item::Text { pos, text, .. } if *text == class.to_string() => Some(*pos),
            _ => None,
        })
    }

    #[test]
    fn a_weight_that_is_put_where_it_is_seen_stays_there() {
        for (loss, dim, kind) in [
            ("arcface", "2", ViewKind::Circle),
            ("softmax", "2", ViewKind::Plane),
            ("modified_softmax", "2", ViewKind::Plane),
            ("cosface", "3", ViewKind::Sphere),
        ] {
            let snapshot = sample::trained(&[("loss.id", loss), ("network.dim", dim)]);
            let mut view = ViewState::new(kind, DARK);
            let _ = view.fit(&snapshot, SIZE);
            let scene = build(&snapshot, &view, SIZE);
            let mut n_seen = 0;
            for class in 0..snapshot.head.n_classes {
                let Some(at) = label_of(&scene, class) else {
                    continue; // on the far side
                };
                let held = grasp(&scene, &snapshot, &view, at).expect("a label");
                if held != Held::Weight(class) {
                    continue; // covered by another label
                }
                let to = place_at(&snapshot, &view, SIZE, held, at).expect("a place");
                let w = snapshot.head.weight(class);
                let cos = to.iter().zip(w).map(|(a, b)| a * b).sum::<f32>();
                let norm = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
                let cos = cos / norm(&to) / norm(w);
                // Labels stand off the sphere, and push one another aside.
                assert!(cos > 0.9, "{loss} {class}: {cos}");
                n_seen += 1;
            }
            assert!(n_seen > 0, "{loss}");
        }
    }

    #[test]
    fn samples_are_held_only_where_they_are_free() {
        for (network, is_free) in [("mlp:16", false), ("none", true)] {
            let snapshot = sample::trained(&[("network.kind", network), ("loss.id", "softmax")]);
            let mut view = ViewState::new(ViewKind::Plane, DARK);
            view.show.labels = false;
            let _ = view.fit(&snapshot, SIZE);
            let scene = build(&snapshot, &view, SIZE);
            let points = scene.groups.iter().find(|group| group.name == "points");
            let dots = points
                .expect("points")
                .items
                .iter()
                .find_map(|item| match item {
                    Item::Dots { dots, .. } => dots.first(),
                    _ => None,
                });
            let dot = dots.expect("a dot");
            let held = grasp(&scene, &snapshot, &view, dot.center);
            assert_eq!(held.is_some(), is_free);
            if let Some(held) = held {
                let to = place_at(&snapshot, &view, SIZE, held, dot.center).expect("a place");
                let x = held.vector(&snapshot).expect("a feature");
                let off = (to[0] - x[0]).hypot(to[1] - x[1]);
                assert!(off < 0.01 * x[0].hypot(x[1]).max(1.0), "{to:?} {x:?}");
            }
        }
    }
}
