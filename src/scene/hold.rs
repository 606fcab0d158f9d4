//! What a hand can take hold of in a picture, and where it is put by moving the pointer.

use nalgebra::{UnitQuaternion, Vector3};

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

    /// What is drawn of something that can be put somewhere; `None` for a sample that is not shown.
    pub fn of(placed: Placed, snapshot: &Snapshot) -> Option<Self> {
        match placed {
            Placed::Weight(class) => Some(Self::Weight(class)),
            Placed::Feature(sample) => {
                let probe = &snapshot.probe;
                let indices = probe.is_train.then_some(&probe.indices)?;
                let at = indices.binary_search(&u32::try_from(sample).ok()?).ok()?;
                Some(Self::Feature(at))
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

/// How a hand holds something: it keeps its distance from the pointer, so that it does not jump when
/// it is taken by its label or by its edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Grip {
    held: Held,
    /// The vector of what is held when it was taken, `[dim]`.
    from: Vec<f32>,
    /// The one that is seen where it was taken.
    taken_at: Vec<f32>,
}

impl Grip {
    /// Of a pointer that takes something.
    pub fn new(
        snapshot: &Snapshot,
        view: &ViewState,
        size: [f32; 2],
        held: Held,
        pointer_screen: [f32; 2],
    ) -> Option<Self> {
        Some(Self {
            held,
            from: held.vector(snapshot)?.to_vec(),
            taken_at: place_at(snapshot, view, size, held, pointer_screen)?,
        })
    }

    /// The vector `[dim]` that the pointer puts it to.
    pub fn place_at(
        &self,
        snapshot: &Snapshot,
        view: &ViewState,
        size: [f32; 2],
        pointer_screen: [f32; 2],
    ) -> Option<Vec<f32>> {
        let seen = place_at(snapshot, view, size, self.held, pointer_screen)?;
        let is_direction = match (view.kind, self.held) {
            (ViewKind::Plane, Held::Weight(_)) => weight_factor(snapshot, view, size).is_none(),
            (ViewKind::Plane, Held::Feature(_)) => false,
            _ => true,
        };
        let place = if is_direction {
            self.turned(&seen)
        } else {
            let off = self.from.iter().zip(&self.taken_at).map(|(a, b)| a - b);
            seen.iter().zip(off).map(|(x, off)| x + off).collect()
        };
        place.iter().any(|&x| x != 0.0).then_some(place)
    }

    /// A direction turned as the hand's place has to be to lie on what it took.
    fn turned(&self, seen: &[f32]) -> Vec<f32> {
        let vector = |x: &[f32]| {
            let at = |i: usize| x.get(i).map_or(0.0, |&x| f64::from(x));
            Vector3::new(at(0), at(1), at(2))
        };
        let place = turn_between(&vector(&self.taken_at), &vector(&self.from)) * vector(seen);
        place.iter().take(seen.len()).map(|&x| x as f32).collect()
    }
}

/// The shortest turn of one direction onto another; none of opposite ones, and no label lies so far
/// off. That of `Rotation3` is NaN where two directions are one but for rounding: it takes the arc
/// cosine of what is then above 1.
fn turn_between(from: &Vector3<f64>, to: &Vector3<f64>) -> UnitQuaternion<f64> {
    UnitQuaternion::rotation_between(from, to).unwrap_or_else(UnitQuaternion::identity)
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

    /// A trained run of each view and kind of plane, by its loss.
    fn views() -> impl Iterator<Item = (&'static str, Snapshot, ViewState, Scene)> {
        let kinds = [
            ("arcface", "2", ViewKind::Circle),
            ("softmax", "2", ViewKind::Plane),
            ("modified_softmax", "2", ViewKind::Plane),
            ("cosface", "3", ViewKind::Sphere),
        ];
        kinds.into_iter().map(|(loss, dim, kind)| {
            let snapshot = sample::trained(&[("loss.id", loss), ("network.dim", dim)]);
            let mut view = ViewState::new(kind, DARK);
            let _ = view.fit(&snapshot, SIZE);
            let scene = build(&snapshot, &view, SIZE);
            (loss, snapshot, view, scene)
        })
    }

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
        for (loss, snapshot, view, scene) in views() {
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
    fn what_is_taken_by_its_label_follows_from_where_it_is() {
        for (loss, snapshot, view, scene) in views() {
            let label = (0..snapshot.head.n_classes).find_map(|class| {
                let at = label_of(&scene, class)?;
                let at = [at[0] + 3.0, at[1] - 2.0];
                let held = Held::Weight(class);
                (grasp(&scene, &snapshot, &view, at) == Some(held)).then_some((held, at))
            });
            let (held, at) = label.expect("a label");
            let w = held.vector(&snapshot).expect("a weight");
            let grip = Grip::new(&snapshot, &view, SIZE, held, at).expect("a grip");
            let put = |at| grip.place_at(&snapshot, &view, SIZE, at).expect("a place");
            let distance = |a: &[f32], b: &[f32]| {
                let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
                squares.sum::<f32>().sqrt()
            };
            let length = distance(w, &[0.0; 3]);
            assert!(distance(&put(at), w) < 1e-4 * length, "{loss}: no jump");
            let seen = |at| place_at(&snapshot, &view, SIZE, held, at).expect("a place");
            // Around the middle: along the limb of the sphere, too.
            let [x, y] = [at[0] - SIZE[0] / 2.0, at[1] - SIZE[1] / 2.0];
            let step = 50.0 / x.hypot(y);
            let to = [at[0] - step * y, at[1] + step * x];
            let (moved, of_pointer) = (distance(&put(to), w), distance(&seen(to), &seen(at)));
            assert!(moved > 0.02 * length, "{loss}: it follows");
            let ratio = moved / of_pointer;
            assert!((0.8..1.25).contains(&ratio), "{loss}: {ratio}");
        }
    }

    /// Directions that are one but for rounding, as those of a weight and its label are.
    #[test]
    fn a_turn_between_nearly_equal_directions_is_finite() {
        for i in 0..20_000 {
            let angle = f64::from(i) * 0.001;
            let from = Vector3::new(angle.cos(), angle.sin(), 0.0) * (0.2 + angle);
            for off in [0.0, 1e-16, 1e-12, 3e-9, 1e-8, 3e-8, 1e-6, 0.3] {
                let to = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), off) * from;
                let turned = turn_between(&from, &to) * from;
                let error = (turned - to).norm();
                assert!(error <= 1e-7 * from.norm(), "{angle} {off}: {error}");
            }
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
