//! The loss as a landscape: what it would be if what is held were put elsewhere, and all else stayed.
//!
//! Of a class weight it is the mean over some of the samples that are drawn, of a feature the loss
//! of that sample alone; always with the values in force.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, TAU};

use crate::experiment::ViewKind;
use crate::geometry::angle;
use crate::geometry::contour::{Region, ScoreGrid};
use crate::loss::HeadWork;
use crate::scene::hold::{Held, place_at};
use crate::scene::look::{NO_STROKE, closed_line, disc};
use crate::scene::microscope::run_head;
use crate::scene::{Group, Item, ViewState, circle, number};
use crate::trainer::{HeadState, Snapshot};

/// Samples that the mean is over: more change the picture by less than a line's width.
const N_SAMPLES: usize = 128;
/// Places around the circle.
const N_ANGLES: usize = 120;
/// Places along a side of the grid on plane and sphere.
const N_SIDE: usize = 23;
/// Bands of equal loss there.
const N_BANDS: usize = 8;
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
    let here = held.vector(snapshot).map(<[f32]>::to_vec);
    let here = here.and_then(|here| losses(snapshot, held, &[here]));
    let here = here.map_or_else(String::new, |here| {
        format!(" Here it is {}.", number(here[0]))
    });
    Some(match view.kind {
        ViewKind::Circle => format!("Height of the line: {what}.{here}"),
        _ => {
            format!("Bands: {what}; clear where it is small, with a ring where it is least.{here}")
        }
    })
}

/// The landscape of what is held, if something is.
pub(super) fn group(snapshot: &Snapshot, view: &ViewState, size: [f32; 2]) -> Option<Group> {
    let held = view.held?;
    let items = match view.kind {
        ViewKind::Circle => around(snapshot, view, size, held)?,
        ViewKind::Sphere => bands(snapshot, view, size, held, &near_half(view, size))?,
        ViewKind::Plane => bands(snapshot, view, size, held, &whole(size))?,
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

/// How a square from −1 to 1 on both axes lies on the canvas.
type Chart<'a> = &'a dyn Fn([f64; 2]) -> [f32; 2];

/// Bands between lines of equal loss over the picture, the denser the larger it is, and a ring where
/// it is least.
fn bands(
    snapshot: &Snapshot,
    view: &ViewState,
    size: [f32; 2],
    held: Held,
    chart: Chart<'_>,
) -> Option<Vec<Item>> {
    const DENSEST: f32 = 0.5;
    let last = (N_SIDE - 1) as f64;
    let on_canvas = |at: [f64; 2]| chart(at.map(|at| 2.0 * at / last - 1.0));
    let nodes = (0..N_SIDE * N_SIDE).map(|i| [(i % N_SIDE) as f64, (i / N_SIDE) as f64]);
    let places: Vec<[f32; 2]> = nodes.map(on_canvas).collect();
    let landscape = Landscape::of(snapshot, view, size, held, places)?;
    let heights = landscape.heights();
    let look = view.look(size);
    let mut items = Vec::new();
    for band in bands_of(&heights) {
        let rings = band.rings.into_iter();
        let rings = rings.map(|ring| refined(&ring).into_iter().map(on_canvas).collect());
        let rings: Vec<Vec<[f32; 2]>> = rings.collect();
        if band.class == 0 {
            continue; // clear, and what borders on it has the line
        }
        let share = band.class as f32 / (N_BANDS - 1) as f32;
        let line = look.line(0.9, look.theme.text.with_opacity(0.35));
        items.extend(rings.iter().map(|ring| closed_line(ring.clone(), line)));
        let fill = look.theme.text.with_opacity(DENSEST * share);
        items.push(Item::Polygon { rings, fill });
    }
    let least = (0..heights.len()).min_by(|&a, &b| heights[a].total_cmp(&heights[b]))?;
    let ring = look.line(2.0, look.theme.accent);
    let nothing = look.theme.ground.with_opacity(0.0);
    let at = landscape.places[least];
    items.push(disc(at, 9.0 * look.unit, nothing, ring));
    Some(items)
}

/// A ring with a point at least from node to node: what is straight on the grid is bent on the canvas.
fn refined(ring: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let ends = ring.iter().zip(ring.iter().cycle().skip(1));
    let part = |(a, b): (&[f64; 2], &[f64; 2])| {
        let [a, b] = [*a, *b];
        let way = (b[0] - a[0]).abs().max((b[1] - a[1]).abs());
        let n = way.ceil().max(1.0) as usize;
        let between = move |i: usize| {
            let share = i as f64 / n as f64;
            [0, 1].map(|axis| a[axis] + share * (b[axis] - a[axis]))
        };
        (0..n).map(between)
    };
    ends.flat_map(part).collect()
}

/// Where heights from 0 to 1 at the nodes of a grid lie between which levels. Each band is a class
/// whose score is a tangent of the parabola, so that the next wins from its level on.
fn bands_of(heights: &[f64]) -> Vec<Region> {
    let n = N_BANDS as f64;
    let score = |height: f64, band: usize| {
        let band = band as f64;
        band * height - 0.5 * band * (band + 1.0) / n
    };
    let scores = heights.iter();
    let scores = scores.flat_map(|&height| (0..N_BANDS).map(move |band| score(height, band)));
    let scores: Vec<f64> = scores.collect();
    let grid = ScoreGrid {
        n_side: N_SIDE,
        n_classes: N_BANDS,
        scores: &scores,
    };
    grid.regions()
}

/// The near half of the ball: squares about the middle become circles (Shirley and Chiu 1997).
fn near_half(view: &ViewState, size: [f32; 2]) -> impl Fn([f64; 2]) -> [f32; 2] {
    const INSIDE: f64 = 0.995; // at the very rim a point of the canvas is no direction
    let (center, radius) = view.ball(size);
    move |[x, y]| {
        let (far, angle_rad) = if x.abs() > y.abs() {
            (x, FRAC_PI_4 * y / x)
        } else if y != 0.0 {
            (y, FRAC_PI_2 - FRAC_PI_4 * x / y)
        } else {
            (0.0, 0.0)
        };
        let u = angle::direction(angle_rad) * (INSIDE * far * f64::from(radius));
        [center[0] + u.x as f32, center[1] - u.y as f32]
    }
}

/// All of the plane that is seen.
fn whole(size: [f32; 2]) -> impl Fn([f64; 2]) -> [f32; 2] {
    move |[x, y]| {
        let share = |at: f64| (0.5 * (at + 1.0)) as f32;
        [share(x) * size[0], share(y) * size[1]]
    }
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

    /// Heights that rise evenly along x: bands are stripes of equal width.
    #[test]
    fn bands_lie_between_their_levels() {
        let last = (N_SIDE - 1) as f64;
        let heights: Vec<f64> = (0..N_SIDE * N_SIDE)
            .map(|i| (i % N_SIDE) as f64 / last)
            .collect();
        let bands = bands_of(&heights);
        assert_eq!(bands.len(), N_BANDS);
        for band in bands {
            let points = band.rings.iter().flatten();
            let (least, most) = points.fold((f64::INFINITY, 0.0_f64), |(least, most), at| {
                (least.min(at[0] / last), most.max(at[0] / last))
            });
            let level = |k: usize| k as f64 / N_BANDS as f64;
            assert!((least - level(band.class)).abs() < 1e-9, "{band:?}");
            assert!((most - level(band.class + 1)).abs() < 1e-9, "{band:?}");
        }
    }

    #[test]
    fn a_straight_side_gets_a_point_at_each_node() {
        let ring = [[0.0, 0.0], [3.0, 0.0], [3.0, 0.5]];
        let expected = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [3.0, 0.5]];
        assert_eq!(refined(&ring)[..5], expected);
        assert_eq!(refined(&ring).len(), 7, "and on the way back");
    }

    #[test]
    fn the_near_half_of_the_sphere_is_a_disc_without_holes() {
        let view = ViewState::new(ViewKind::Sphere, DARK);
        let (center, radius) = view.ball(SIZE);
        let chart = near_half(&view, SIZE);
        let from_middle = |at: [f32; 2]| (at[0] - center[0]).hypot(at[1] - center[1]) / radius;
        assert!(from_middle(chart([0.0, 0.0])) < 1e-6);
        for i in 0..=10 {
            let along = f64::from(i) / 5.0 - 1.0;
            for edge in [[along, 1.0], [along, -1.0], [1.0, along], [-1.0, along]] {
                assert!((from_middle(chart(edge)) - 0.995).abs() < 1e-5, "{edge:?}");
                let half = from_middle(chart(edge.map(|x| 0.5 * x)));
                assert!((half - 0.4975).abs() < 1e-5, "{edge:?}");
            }
        }
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
