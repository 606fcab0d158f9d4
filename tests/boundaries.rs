//! Where boundaries are drawn is where the classifier changes its mind: for each loss, in each
//! view, on the `Scene` as it is painted at 1920 × 1080, against the logits of `losses.md`.
//!
//! Every test names its seed in what it says when it fails.

#![allow(
    clippy::doc_markdown,
    unreachable_pub,
    reason = "formulas in the papers' letters: θ_y has an index and is no identifier"
)]

use std::ops::RangeInclusive;

mod common;

#[path = "boundaries/checks.rs"]
mod checks;
#[path = "boundaries/picture.rs"]
mod picture;

use checks::{check, check_colors, check_count, check_gaps, check_margins, check_seams};
use common::runs::trainer;
use marginscope::experiment::ViewKind;
use marginscope::geometry::regular::regular_configuration;
use marginscope::loss::{Form, LOSSES, LossSpec, Values, find};
use marginscope::scene::Item;
use marginscope::trainer::metrics::Named;
use marginscope::trainer::{Horizon, Snapshot, Subset};
use picture::Picture;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Weights and biases of one kind, in f64, before they are rounded to f32.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Components from U(−1, 1), as they come.
    Random,
    /// Directions at random, lengths from 0.1 to 10.
    Lengths,
    /// Spread as evenly as it goes.
    Regular,
    /// All within half a radian of one direction.
    Crowded,
}

const KINDS: [Kind; 4] = [Kind::Random, Kind::Lengths, Kind::Regular, Kind::Crowded];

fn weights(kind: Kind, n_classes: usize, dim: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut random = |size: f64| -> Vec<f64> {
        (0..n_classes * dim)
            .map(|_| size * rng.random_range(-1.0..1.0))
            .collect()
    };
    match kind {
        Kind::Random => random(1.0),
        Kind::Lengths => {
            let mut columns = random(1.0);
            for column in columns.chunks_mut(dim) {
                let length = column.iter().map(|x| x * x).sum::<f64>().sqrt();
                let wanted = 10.0_f64.powf(rng.random_range(-1.0..1.0));
                for x in column {
                    *x *= wanted / length;
                }
            }
            columns
        }
        Kind::Regular => regular_configuration(n_classes, dim).concat(),
        Kind::Crowded => {
            let mut columns = random(0.3);
            columns.chunks_mut(dim).for_each(|column| column[0] += 1.0);
            columns
        }
    }
}

/// Values anywhere in their ranges, past the ceiling too; scales up to 64.
fn random_values(spec: &LossSpec, rng: &mut ChaCha8Rng) -> Values<f64> {
    let mut values = [0.0; 6];
    for (value, param) in values.iter_mut().zip(spec.params) {
        let (low, high) = (*param.range.start(), *param.range.end());
        *value = if param.id == "scale" {
            [1.0, 16.0, 30.0, 64.0][rng.random_range(0..4)]
        } else if param.is_integer {
            rng.random_range(low as u32..=high as u32).into()
        } else if rng.random_bool(0.5) {
            rng.random_range(param.slider.clone())
        } else {
            rng.random_range(low..=high)
        };
    }
    values
}

/// A snapshot of a run; its head is to be replaced.
fn snapshot(n_classes: usize, dim: usize) -> Snapshot {
    let (classes, dim) = (n_classes.to_string(), dim.to_string());
    let run = trainer(
        &[
            ("data.source", "blobs"),
            ("data.classes", &classes),
            ("data.samples", "4"),
            ("network.kind", "mlp:4"),
            ("loss.id", "softmax"),
            ("network.dim", &dim),
        ],
        Horizon::Endless,
        1,
    );
    let mut snapshot = Snapshot::of(&run, Subset::Train(20));
    // As large as what the plane shows.
    let mut rng = ChaCha8Rng::seed_from_u64(n_classes as u64);
    let features = snapshot.probe.features.iter_mut();
    features.for_each(|x| *x = rng.random_range(-3.0..3.0));
    snapshot
}

/// The head of a snapshot, replaced.
fn put(
    snapshot: &mut Snapshot,
    spec: &'static LossSpec,
    values: Values<f64>,
    weights: &[f64],
    rng: &mut ChaCha8Rng,
) {
    let head = &mut snapshot.head;
    head.spec = Named(spec);
    (head.values, head.in_force) = (values, values);
    head.weights = weights.iter().map(|&w| w as f32).collect();
    head.bias.fill(0.0);
    if spec.form.has_bias() {
        head.bias.fill_with(|| rng.random_range(-1.0..1.0));
    }
    if spec.form == Form::Binary {
        let dim = head.dim;
        head.weights[..dim].fill(0.0);
        head.bias[0] = 0.0;
    }
}

/// Views in which a dimension is drawn.
fn kinds_of(dim: usize) -> &'static [ViewKind] {
    if dim == 2 {
        &[ViewKind::Plane, ViewKind::Circle]
    } else {
        &[ViewKind::Sphere]
    }
}

/// Every loss with weights of every kind, in dimension `dim`; every round has other heads.
fn for_each_picture(
    dim: usize,
    numbers_of_classes: RangeInclusive<usize>,
    round: u64,
    mut check: impl FnMut(&Picture),
) {
    for n_classes in numbers_of_classes {
        let mut snapshot = snapshot(n_classes, dim);
        for (i, &spec) in LOSSES.iter().enumerate() {
            // The binary form has two classes only: as many heads of those.
            let n_heads = match (spec.form, n_classes) {
                (Form::Binary, 2) => 19,
                (Form::Binary, _) => 0,
                _ => 1,
            };
            for head in 0..n_heads {
                let kind = KINDS[(n_classes + i + head + round as usize) % KINDS.len()];
                let seed = 10_000 * round + (100 * n_classes + 1000 * head + i) as u64;
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let weights = weights(kind, n_classes, dim, &mut rng);
                let values = random_values(spec, &mut rng);
                put(&mut snapshot, spec, values, &weights, &mut rng);
                for &view in kinds_of(dim) {
                    check(&Picture::new(&snapshot, view, seed));
                }
            }
        }
    }
}

#[track_caller]
fn check_all(dim: usize, numbers_of_classes: RangeInclusive<usize>, round: u64) {
    let (mut n_pictures, mut n_vertices) = (0, 0);
    for_each_picture(dim, numbers_of_classes, round, |picture| {
        n_pictures += 1;
        n_vertices += check(picture);
    });
    assert!(
        n_pictures >= 50 && n_vertices > 1000,
        "{n_pictures} pictures, {n_vertices} vertices of margins"
    );
}

#[test]
fn in_the_plane_and_on_the_circle() {
    check_all(2, 2..=20, 0);
}

#[test]
fn on_the_sphere_with_up_to_fourteen_classes() {
    check_all(3, 2..=14, 0);
}

#[test]
fn on_the_sphere_with_up_to_twenty_classes() {
    check_all(3, 15..=20, 0);
}

#[test]
#[ignore = "two minutes; cargo test --test boundaries -- --ignored"]
fn with_many_more_heads() {
    for round in 1..=10 {
        check_all(2, 2..=20, round);
        check_all(3, 2..=20, round);
    }
}

/// Weights that coincide, oppose, vanish, or lie on one line. Margins are left out: they hold
/// nowhere, on a line only, or are not defined (a zero weight has no angle).
#[test]
fn hostile_weights_are_drawn_as_the_classifier_says() {
    for (dim, n_classes) in [(2, 2), (2, 3), (2, 5), (3, 2), (3, 3), (3, 5)] {
        let mut snapshot = snapshot(n_classes, dim);
        let sets = common::hostile::directions(dim, n_classes);
        for (i, set) in sets.iter().enumerate() {
            let losses = LOSSES.iter();
            for &spec in losses.filter(|spec| spec.form != Form::Binary || n_classes == 2) {
                let seed = (1000 * dim + 100 * n_classes + i) as u64;
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let values = random_values(spec, &mut rng);
                put(&mut snapshot, spec, values, set, &mut rng);
                for &view in kinds_of(dim) {
                    let picture = Picture::new(&snapshot, view, seed);
                    check_colors(&picture);
                    check_count(&picture);
                    // Single precision does not place a vertex to 1e-4 of a weight of 1e18.
                    if set.iter().all(|w| w.abs() <= 1.0) {
                        check_seams(&picture);
                    }
                }
            }
        }
    }
}

/// ArcFace with five classes.
fn picture_to_spoil(view: ViewKind) -> Picture {
    let dim = if view == ViewKind::Sphere { 3 } else { 2 };
    let mut snapshot = snapshot(5, dim);
    let spec = match find("arcface") {
        Ok(spec) => spec,
        Err(error) => panic!("{error}"),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let weights = weights(Kind::Random, 5, dim, &mut rng);
    let values = [0.2, 16.0, 1.0, 0.0, 0.0, 0.0];
    put(&mut snapshot, spec, values, &weights, &mut rng);
    Picture::new(&snapshot, view, 3)
}

/// A group is changed so little or so much that `check` has to see it.
#[track_caller]
fn assert_found(view: ViewKind, group: &str, check: fn(&Picture), spoil: fn(&mut Vec<Item>)) {
    let mut picture = picture_to_spoil(view);
    check(&picture);
    spoil(picture.items_mut(group));
    let is_found = std::panic::catch_unwind(|| check(&picture)).is_err();
    assert!(is_found, "{group} of {view:?}");
}

fn move_by(items: &mut [Item], off: f32) {
    for item in items {
        match item {
            Item::Line { points, .. } => points.iter_mut().flatten().for_each(|x| *x += off),
            Item::Polygon { rings, .. } => {
                let points = rings.iter_mut().flatten();
                points.flatten().for_each(|x| *x += off);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Leaves every eighth vertex.
fn thin_out(items: &mut [Item]) {
    for item in items {
        if let Item::Line { points, .. } = item {
            *points = points.iter().copied().step_by(8).collect();
        }
    }
}

/// What the tests above stand on: a wrong picture does not pass.
#[test]
fn a_spoiled_picture_is_found() {
    use ViewKind::{Circle, Plane, Sphere};
    let margins: fn(&Picture) = |picture| {
        check_margins(picture);
    };
    for view in [Plane, Circle, Sphere] {
        assert_found(view, "seams", check_seams, |items| move_by(items, 0.4));
        assert_found(view, "margins", margins, |items| move_by(items, 0.4));
        assert_found(view, "regions", check_colors, |items| move_by(items, 2.0));
        assert_found(view, "gaps", check_gaps, |items| move_by(items, 2.0));
        assert_found(view, "regions", check_count, |items| drop(items.pop()));
        assert_found(view, "gaps", check_gaps, |items| drop(items.pop()));
    }
    assert_found(Sphere, "seams", check_seams, |items| thin_out(items));
    assert_found(Sphere, "margins", margins, |items| thin_out(items));
}
