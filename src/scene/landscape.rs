//! The loss as a landscape: what it would be if what is held were put elsewhere, and all else stayed.
//!
//! Of a class weight it is the mean over some of the samples that are drawn, of a feature the loss
//! of that sample alone; always with the values in force.

use std::f64::consts::TAU;

use crate::experiment::ViewKind;
use crate::geometry::angle;
use crate::loss::HeadWork;
use crate::scene::hold::{Held, place_at};
use crate::scene::look::{NO_STROKE, closed_line, disc};
use crate::scene::microscope::run_head;
use crate::scene::{Group, Item, ViewState, circle};
use crate::trainer::{HeadState, Snapshot};

/// Samples that the mean is over: more change the picture by less than a line's width.
const N_SAMPLES: usize = 128;
/// Places around the circle.
const N_ANGLES: usize = 120;
/// Places on the near half of the sphere.
const N_DIRECTIONS: usize = 260;
/// From place to place on the plane, in units.
const PLANE_STEP: f32 = 26.0;
/// Heights around the circle, in its radius: of the least loss, and by how much the largest is more.
const LEAST_HEIGHT: f64 = 1.035;
const RELIEF: f64 = 0.17;

/// Losses at places of the canvas.
#[derive(Debug)]
struct Landscape {
    places: Vec<[f32; 2]>,
    losses: Vec<f64>,
}

impl Landscape {
    fn of(
        snapshot: &Snapshot,
        view: &ViewState,
        size: [f32; 2],
        held: Held,
        places: Vec<[f32; 2]>,
    ) -> Option<Self> {
        let vector = |&at: &[f32; 2]| place_at(snapshot, view, size, held, at);
        let vectors: Option<Vec<Vec<f32>>> = places.iter().map(vector).collect();
        let losses = losses(snapshot, held, &vectors?)?;
        Some(Self { places, losses })
    }

    /// 0 at the least loss, 1 at the largest; the root lifts small differences about the least one,
    /// where they matter, into sight.
    fn heights(&self) -> Vec<f64> {
        let least = self.losses.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self
            .losses
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        let span = (most - least).max(1e-12);
        let losses = self.losses.iter();
        losses.map(|loss| ((loss - least) / span).sqrt()).collect()
    }
}

/// The loss with what is held at each of these vectors `[dim]`.
fn losses(snapshot: &Snapshot, held: Held, vectors: &[Vec<f32>]) -> Option<Vec<f64>> {
    let mut work = HeadWork::default();
    let losses: Vec<f64> = match held {
        Held::Weight(class) => {
            let mut head = snapshot.head.clone();
            let (features, labels) = some_samples(snapshot);
            let loss = |vector: &Vec<f32>| {
                let start = class * head.dim;
                head.weights[start..start + head.dim].copy_from_slice(vector);
                run_head(&head, &features, &labels, &mut work).0 / labels.len() as f64
            };
            vectors.iter().map(loss).collect()
        }
        Held::Feature(sample) => {
            let label = *snapshot.probe.labels.get(sample)?;
            let loss = |x: &Vec<f32>| run_head(&snapshot.head, x, &[label], &mut work).0;
            vectors.iter().map(loss).collect()
        }
    };
    losses.iter().all(|loss| loss.is_finite()).then_some(losses)
}

/// Features and labels of samples at even distances.
fn some_samples(snapshot: &Snapshot) -> (Vec<f32>, Vec<u16>) {
    let (probe, HeadState { dim, .. }) = (&snapshot.probe, &snapshot.head);
    let every = probe.len().div_ceil(N_SAMPLES).max(1);
    let chosen = (0..probe.len()).step_by(every);
    let features = chosen
        .clone()
        .flat_map(|i| &probe.features[i * dim..(i + 1) * dim]);
    let features = features.copied().collect();
    (features, chosen.map(|i| probe.labels[i]).collect())
}

/// What a landscape is, in words.
pub(super) fn note(snapshot: &Snapshot, view: &ViewState) -> Option<String> {
    let held = view.held?;
    let what = match held {
        Held::Weight(class) => format!(
            "the loss, were the weight of {} there",
            snapshot.class_name(class)
        ),
        Held::Feature(_) => "the loss of this sample, were it there".to_owned(),
    };
    Some(match view.kind {
        ViewKind::Circle => format!("Height of the line: {what}."),
        _ => format!("Dots: {what}; none where it is least."),
    })
}

/// The landscape of what is held, if something is.
pub(super) fn group(snapshot: &Snapshot, view: &ViewState, size: [f32; 2]) -> Option<Group> {
    let held = view.held?;
    let items = match view.kind {
        ViewKind::Circle => around(snapshot, view, size, held)?,
        ViewKind::Sphere => fog(snapshot, view, size, held, near_half(view, size))?,
        ViewKind::Plane => fog(snapshot, view, size, held, grid(view, size))?,
        ViewKind::Input => return None,
    };
    Some(Group::new("landscape", items))
}

/// A line around the circle, the farther out the larger the loss, with a ball where it is now.
fn around(snapshot: &Snapshot, view: &ViewState, size: [f32; 2], held: Held) -> Option<Vec<Item>> {
    let (center, radius) = circle::disc_of(view, size);
    let at = |angle_rad: f64, share: f64| {
        let u = angle::direction(angle_rad) * (share * f64::from(radius));
        [center[0] + u.x as f32, center[1] - u.y as f32]
    };
    let now = held.vector(snapshot)?;
    let now_rad = f64::from(now[1]).atan2(f64::from(now[0]));
    // The last place is where it is now.
    let angles = (0..N_ANGLES).map(|i| TAU * i as f64 / N_ANGLES as f64);
    let angles: Vec<f64> = angles.chain([now_rad]).collect();
    let places = angles.iter().map(|&angle_rad| at(angle_rad, 1.0)).collect();
    let landscape = Landscape::of(snapshot, view, size, held, places)?;
    let heights = landscape.heights();
    let tops = angles.iter().zip(&heights);
    let tops = tops.map(|(&angle_rad, height)| at(angle_rad, LEAST_HEIGHT + RELIEF * height));
    let mut tops: Vec<[f32; 2]> = tops.collect();
    let look = view.look(size);
    let ball = tops.pop()?;
    let under: Vec<[f32; 2]> = angles[..N_ANGLES]
        .iter()
        .map(|&a| at(a, LEAST_HEIGHT))
        .collect();
    Some(vec![
        Item::Polygon {
            rings: vec![tops.clone(), under],
            fill: look.theme.text.with_opacity(0.19),
        },
        closed_line(tops, look.line(1.6, look.theme.text)),
        disc(ball, 5.5 * look.unit, look.theme.accent, NO_STROKE),
    ])
}

/// Fog over the picture, the denser the larger the loss.
fn fog(
    snapshot: &Snapshot,
    view: &ViewState,
    size: [f32; 2],
    held: Held,
    places: Vec<[f32; 2]>,
) -> Option<Vec<Item>> {
    const DENSEST: f64 = 0.8;
    let landscape = Landscape::of(snapshot, view, size, held, places)?;
    let look = view.look(size);
    let heights = landscape.heights();
    let puff = |(at, height): (&[f32; 2], f64)| {
        let color = look.theme.text.with_opacity((DENSEST * height) as f32);
        disc(*at, 3.2 * look.unit, color, NO_STROKE)
    };
    Some(landscape.places.iter().zip(heights).map(puff).collect())
}

/// Places at even distances on the near half of the sphere: a spiral with the golden angle between
/// each two.
fn near_half(view: &ViewState, size: [f32; 2]) -> Vec<[f32; 2]> {
    let golden_rad = TAU * (1.0 - 2.0 / (1.0 + 5.0_f64.sqrt()));
    let (center, radius) = view.ball(size);
    let place = |i: usize| {
        let z = (i as f64 + 0.5) / N_DIRECTIONS as f64;
        let (y, x) = (golden_rad * i as f64).sin_cos();
        let from_axis = (1.0 - z * z).sqrt();
        let [x, y] = [x, y].map(|side| (side * from_axis * f64::from(radius)) as f32);
        [center[0] + x, center[1] - y]
    };
    (0..N_DIRECTIONS).map(place).collect()
}

/// Places at even distances on the plane.
fn grid(view: &ViewState, size: [f32; 2]) -> Vec<[f32; 2]> {
    let step = PLANE_STEP * view.look(size).unit;
    let n = size.map(|side| (side / step).ceil() as usize);
    let place = |i: usize| {
        let at = [i % n[0], i / n[0]];
        at.map(|i| (i as f32 + 0.5) * step)
    };
    (0..n[0] * n[1]).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::theme::DARK;
    use crate::scene::{build, sample};

    const SIZE: [f32; 2] = [700.0, 640.0];

    #[test]
    fn the_loss_is_that_of_the_head_with_the_weight_there() {
        let snapshot = sample::trained(&[("loss.id", "cosface")]);
        let held = Held::Weight(2);
        let here = snapshot.head.weight(2).to_vec();
        let away: Vec<f32> = here.iter().map(|x| -x).collect();
        let found = losses(&snapshot, held, &[here, away]).expect("finite");
        let (features, labels) = some_samples(&snapshot);
        let run = |head| run_head(head, &features, &labels, &mut HeadWork::default()).0;
        let expected = run(&snapshot.head) / labels.len() as f64;
        assert!((found[0] - expected).abs() < 1e-9);
        assert!(
            found[1] > found[0],
            "a trained weight stands well: {found:?}"
        );
    }

    #[test]
    fn what_is_held_has_a_landscape_in_every_view() {
        for (loss, dim, network, kind, held) in [
            ("arcface", "2", "mlp:16", ViewKind::Circle, Held::Weight(1)),
            ("softmax", "2", "mlp:16", ViewKind::Plane, Held::Weight(1)),
            ("softmax", "2", "none", ViewKind::Plane, Held::Feature(3)),
            ("cosface", "3", "mlp:16", ViewKind::Sphere, Held::Weight(0)),
            ("normface", "3", "none", ViewKind::Sphere, Held::Feature(9)),
        ] {
            let settings = [
                ("loss.id", loss),
                ("network.dim", dim),
                ("network.kind", network),
            ];
            let snapshot = sample::trained(&settings);
            let mut view = ViewState::new(kind, DARK);
            let _ = view.fit(&snapshot, SIZE);
            let has_landscape = |view: &ViewState| {
                let scene = build(&snapshot, view, SIZE);
                scene.groups.iter().any(|group| group.name == "landscape")
            };
            assert!(!has_landscape(&view));
            view.held = Some(held);
            assert!(has_landscape(&view), "{loss} {kind:?}");
        }
    }
}
