//! Pictures of real, short runs: nothing in them overlaps, leaves the canvas, or says otherwise
//! than the head does.

#![expect(
    clippy::expect_used,
    reason = "tests outside #[test] functions, too, fail by a message"
)]

use marginscope::experiment::{Experiment, ViewKind};
use marginscope::export::{Sheet, png, svg};
use marginscope::scene::fonts::extent;
use marginscope::scene::theme::class_color;
use marginscope::scene::{
    Classes, Curves, Item, Rgba, Scene, Trails, ViewState, build, build_with, pick, theme,
};
use marginscope::trainer::metrics::argmax;
use marginscope::trainer::{Horizon, Snapshot, Subset, Trainer};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const SIZE: [f32; 2] = [820.0, 760.0];

fn run(settings: &[(&str, &str)], n_steps: u64) -> Snapshot {
    let mut experiment = Experiment::default();
    for (key, value) in settings {
        experiment.set(key, value).expect("a field and its value");
    }
    let mut trainer =
        Trainer::new(&experiment, Some(Horizon::Endless), 1).expect("a run that starts");
    for _ in 0..n_steps {
        trainer.step().expect("a finite step");
    }
    Snapshot::of(&trainer, Subset::Test(400))
}

fn blobs(loss: &str, dim: &str, classes: &str) -> Snapshot {
    let kind = if classes == "20" { "free" } else { "blobs" };
    run(
        &[
            ("source", kind),
            ("classes", classes),
            ("loss.id", loss),
            ("dim", dim),
        ],
        150,
    )
}

/// All pictures of a run.
fn scenes(snapshot: &Snapshot) -> Vec<Scene> {
    let kinds: &[ViewKind] = if snapshot.head.dim == 2 {
        &[ViewKind::Plane, ViewKind::Circle]
    } else {
        &[ViewKind::Sphere]
    };
    let mut scenes = Vec::new();
    for kind in kinds {
        for theme in [theme::DARK, theme::LIGHT] {
            let mut view = ViewState::new(*kind, theme);
            let _ = view.fit(snapshot, SIZE);
            scenes.push(build(snapshot, &view, SIZE));
        }
    }
    scenes
}

fn items<'a>(scene: &'a Scene, name: &str) -> &'a [Item] {
    let group = scene.groups.iter().find(|group| group.name == name);
    group.map_or(&[], |group| &group.items)
}

#[track_caller]
fn check_finite(scene: &Scene) {
    let mut numbers: Vec<f32> = scene.size.to_vec();
    for item in scene.groups.iter().flat_map(|group| &group.items) {
        match item {
            Item::Polygon { rings, .. } => numbers.extend(rings.iter().flatten().flatten()),
            Item::Line { points, stroke, .. } => {
                numbers.extend(points.iter().flatten());
                numbers.push(stroke.width);
            }
            Item::Dots { dots, radius } => {
                numbers.extend(dots.iter().flat_map(|dot| dot.center));
                numbers.push(*radius);
            }
            Item::Trails { points, width, .. } => {
                numbers.extend(points.iter().flatten().chain([width]));
            }
            Item::Disc { center, radius, .. } => {
                numbers.extend(center.iter().chain([radius]));
            }
            Item::Shade {
                center,
                radius,
                focus,
                stops,
            } => {
                numbers.extend(center.iter().chain(focus).chain([radius]));
                numbers.extend(stops.iter().map(|(share, _)| share));
            }
            Item::Text { pos, size, .. } => numbers.extend(pos.iter().chain([size])),
        }
    }
    assert!(numbers.iter().all(|x| x.is_finite()));
}

/// Labels neither overlap nor leave the canvas.
#[track_caller]
fn check_labels(scene: &Scene, n_most: usize) {
    let mut discs: Vec<([f32; 2], f32)> = Vec::new();
    for item in items(scene, "labels") {
        if let Item::Disc { center, radius, .. } = item
            && discs.last().is_none_or(|last| last.0 != *center)
        {
            discs.push((*center, *radius));
        }
    }
    assert!(
        !discs.is_empty() && discs.len() <= n_most,
        "{}",
        discs.len()
    );
    for (i, (at, radius)) in discs.iter().enumerate() {
        for axis in 0..2 {
            assert!(
                at[axis] >= *radius && at[axis] <= SIZE[axis] - radius,
                "{at:?}"
            );
        }
        for (other, other_radius) in &discs[i + 1..] {
            let distance = (at[0] - other[0]).hypot(at[1] - other[1]);
            assert!(distance > radius + other_radius, "{at:?} {other:?}");
        }
    }
}

#[test]
fn pictures_are_finite_and_labels_have_room() {
    for (loss, dim, classes) in [
        ("softmax", "2", "2"),
        ("binary_cross_entropy", "2", "2"),
        ("arcface", "2", "3"),
        ("cosface", "2", "10"),
        ("arcface", "2", "20"),
        ("normface", "3", "2"),
        ("binary_cross_entropy", "3", "2"),
        ("sphereface", "3", "10"),
        ("arcface", "3", "20"),
        ("softmax", "8", "10"),
    ] {
        let snapshot = blobs(loss, dim, classes);
        for scene in scenes(&snapshot) {
            check_finite(&scene);
            check_labels(&scene, snapshot.head.n_classes);
        }
    }
}

#[test]
fn every_loss_can_be_drawn_before_the_first_step() {
    for spec in marginscope::loss::LOSSES {
        for dim in ["1", "2", "3"] {
            let snapshot = run(
                &[
                    ("source", "blobs"),
                    ("classes", "2"),
                    ("loss.id", spec.id),
                    ("dim", dim),
                ],
                0,
            );
            for scene in scenes(&snapshot) {
                check_finite(&scene);
                assert!(!scene.groups.is_empty());
            }
        }
    }
}

#[test]
fn features_that_are_not_finite_are_left_out() {
    for (dim, kind) in [
        ("2", ViewKind::Plane),
        ("2", ViewKind::Circle),
        ("3", ViewKind::Sphere),
    ] {
        let mut snapshot = blobs("softmax", dim, "3");
        for (i, x) in snapshot.probe.features.iter_mut().enumerate() {
            match i % 5 {
                0 => *x = f32::NAN,
                1 => *x = f32::INFINITY,
                2 => *x = f32::MAX,
                _ => {}
            }
        }
        let mut view = ViewState::new(kind, theme::DARK);
        view.show.arrows = true;
        view.show.lengths = kind != ViewKind::Plane;
        let _ = view.fit(&snapshot, SIZE);
        for kept in 0..30 {
            view.kept = Some(kept);
            check_finite(&build(&snapshot, &view, SIZE));
        }
        snapshot.head.weights.fill(f32::NAN);
        check_finite(&build(&snapshot, &view, SIZE));
        check_finite(&build(&snapshot, &view, [0.0, f32::NAN]));
    }
}

#[test]
fn views_that_do_not_suit_say_why() {
    let flat = blobs("softmax", "2", "3");
    let solid = blobs("softmax", "3", "3");
    for (snapshot, kind) in [(&flat, ViewKind::Sphere), (&solid, ViewKind::Plane)] {
        let scene = build(snapshot, &ViewState::new(kind, theme::LIGHT), SIZE);
        assert_eq!(scene.groups.len(), 1);
        assert!(matches!(&items(&scene, "note")[0], Item::Text { .. }));
    }
}

fn is_inside(rings: &[Vec<[f32; 2]>], at: [f32; 2]) -> bool {
    let mut is_inside = false;
    for ring in rings {
        for (i, a) in ring.iter().enumerate() {
            let b = ring[(i + 1) % ring.len()];
            let crosses = (a[1] > at[1]) != (b[1] > at[1]);
            is_inside ^= crosses && at[0] < (b[0] - a[0]) * (at[1] - a[1]) / (b[1] - a[1]) + a[0];
        }
    }
    is_inside
}

/// The fill of the one region that holds the point.
fn region_at(scene: &Scene, at: [f32; 2]) -> Option<Rgba> {
    let mut fills = items(scene, "regions")
        .iter()
        .filter_map(|item| match item {
            Item::Polygon { rings, fill } if is_inside(rings, at) => Some(*fill),
            _ => None,
        });
    let fill = fills.next();
    assert!(fills.next().is_none(), "two regions at {at:?}");
    fill
}

/// Which class a tint belongs to: the one whose color it leans to.
fn class_of(tint: Rgba, ground: Rgba, n_classes: usize) -> usize {
    let off = |class: usize| {
        let expected = ground.mix(
            class_color(class),
            if ground.luminance() < 0.5 {
                0.145
            } else {
                0.15
            },
        );
        let pairs = expected.0.into_iter().zip(tint.0);
        pairs.map(|(a, b)| i32::from(a.abs_diff(b))).sum::<i32>()
    };
    (0..n_classes)
        .min_by_key(|&class| off(class))
        .expect("a class")
}

#[track_caller]
fn check_regions(
    snapshot: &Snapshot,
    view: &ViewState,
    world: impl Fn([f32; 2]) -> Option<Vec<f32>>,
) {
    let scene = build(snapshot, view, SIZE);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let scorer = snapshot.head.scorer();
    let mut scores = Vec::new();
    let mut n_checked = 0;
    for _ in 0..2000 {
        let at = [
            rng.random_range(1.0..SIZE[0] - 1.0),
            rng.random_range(1.0..SIZE[1] - 1.0),
        ];
        let Some(x) = world(at) else { continue };
        scorer.plain_scores(&x, &mut scores);
        let best = argmax(&scores);
        let runner_up = scores.iter().enumerate().filter(|(j, _)| *j != best);
        let second = runner_up.map(|(_, &s)| s).fold(f64::MIN, f64::max);
        let scale = scores.iter().fold(1e-12_f64, |m, s| m.max(s.abs()));
        if (scores[best] - second) / scale < 0.01 {
            continue; // a hair beside a boundary, chords and arcs differ
        }
        let fill = region_at(&scene, at).expect("a region everywhere");
        let ground = view.theme.ground;
        let ground = if view.kind == ViewKind::Sphere && view.theme.is_dark {
            ground.mix(Rgba::opaque(0xffffff), 0.075)
        } else {
            ground
        };
        assert_eq!(
            class_of(fill, ground, snapshot.head.n_classes),
            best,
            "at {at:?}"
        );
        n_checked += 1;
    }
    assert!(n_checked > 300, "{n_checked}");
}

#[test]
fn regions_have_the_color_of_the_class_that_is_predicted() {
    for loss in ["softmax", "arcface"] {
        let snapshot = blobs(loss, "2", "7");
        let mut view = ViewState::new(ViewKind::Plane, theme::LIGHT);
        (view.show.note, view.show.formula) = (false, false);
        let _ = view.fit(&snapshot, SIZE);
        let middle = [SIZE[0] / 2.0, SIZE[1] / 2.0];
        check_regions(&snapshot, &view, |at| {
            Some(
                view.plane
                    .world_from_screen(at, middle)
                    .map(|x| x as f32)
                    .to_vec(),
            )
        });
        view.kind = ViewKind::Circle;
        let norm = snapshot.metrics.mean_feature_norm as f32;
        check_regions(&snapshot, &view, |at| {
            let (x, y) = (at[0] - middle[0], middle[1] - at[1]);
            let length = x.hypot(y);
            (length > 5.0 && length < 260.0).then(|| vec![norm * x / length, norm * y / length])
        });
        let snapshot = blobs(loss, "3", "7");
        let norm = snapshot.metrics.mean_feature_norm;
        for theme in [theme::DARK, theme::LIGHT] {
            let mut view = ViewState::new(ViewKind::Sphere, theme);
            (view.show.note, view.show.formula) = (false, false);
            view.sphere.turn(0.7);
            let radius = 0.41 * SIZE[1];
            check_regions(&snapshot, &view, |at| {
                let x = f64::from((at[0] - middle[0]) / radius);
                let y = f64::from((middle[1] - at[1]) / radius);
                let z = (1.0 - x * x - y * y).max(0.0).sqrt();
                let u = view.sphere.orientation.inverse() * nalgebra::Vector3::new(x, y, z);
                (z > 0.1).then(|| {
                    u.iter()
                        .map(|u| (norm * u / u.hypot(0.0).max(1.0)) as f32)
                        .collect()
                })
            });
        }
    }
}

/// Top of the foot: what stands under the picture begins there.
fn formula_top(scene: &Scene) -> f32 {
    let tops = items(scene, "formula").iter().map(|item| match item {
        Item::Text { pos, size, .. } => pos[1] - 0.5 * size,
        Item::Line { points, .. } => points[0][1],
        other => panic!("{other:?}"),
    });
    tops.fold(f32::INFINITY, f32::min)
}

#[test]
fn the_formula_stands_on_the_canvas_and_over_no_points() {
    let sizes = [[548.0, 718.0], [804.0, 750.0], [1444.0, 1030.0]]; // of 1024 × 768 to 1920 × 1080
    for (loss, dim) in [("arcface", "2"), ("l_softmax", "2"), ("combined", "3")] {
        let snapshot = blobs(loss, dim, "10");
        let kinds: &[ViewKind] = if dim == "2" {
            &[ViewKind::Plane, ViewKind::Circle]
        } else {
            &[ViewKind::Sphere]
        };
        for (kind, size) in kinds
            .iter()
            .flat_map(|kind| sizes.map(|size| (*kind, size)))
        {
            let mut view = ViewState::new(kind, theme::DARK);
            view.insets.top = 52.0;
            let _ = view.fit(&snapshot, size);
            let scene = build(&snapshot, &view, size);
            let formula = items(&scene, "formula");
            assert!(formula.len() > 10, "{loss} {kind:?} {size:?}");
            for item in formula {
                if let Item::Text {
                    pos,
                    size: text_size,
                    text,
                    font,
                    ..
                } = item
                {
                    let right = pos[0] + extent(text, *font, *text_size).width;
                    assert!(pos[0] >= 10.0 && right <= size[0] - 10.0, "{text} {size:?}");
                    assert!(*text_size >= 8.0, "{text}: too small to be read");
                }
            }
            let top = formula_top(&scene);
            let dots = items(&scene, "points")
                .iter()
                .filter_map(|item| match item {
                    Item::Dots { dots, .. } => Some(dots),
                    _ => None,
                });
            let under = dots.flatten().filter(|dot| dot.center[1] > top).count();
            // The plane's scale takes in all but a few outliers.
            let most = if kind == ViewKind::Plane { 2 } else { 0 };
            assert!(under <= most, "{loss} {kind:?} {size:?}: {under} points");
        }
    }
}

#[test]
fn the_formula_is_written_in_files_and_can_be_hidden() {
    let snapshot = blobs("arcface", "2", "5");
    let mut view = ViewState::new(ViewKind::Circle, theme::DARK);
    let scene = build(&snapshot, &view, SIZE);
    let file = svg::svg(&Sheet::of(&scene));
    for item in items(&scene, "formula") {
        if let Item::Text { text, .. } = item {
            assert!(file.contains(&format!(">{text}</text>")), "{text}");
        }
    }
    let margin = format!(">{:.3}</text>", snapshot.head.in_force[0]);
    assert_eq!(file.matches(&margin).count(), 2, "{margin}");
    assert!(file.contains(r#"font-family="STIX Two Text""#));
    view.show.formula = false;
    assert!(items(&build(&snapshot, &view, SIZE), "formula").is_empty());
}

#[test]
fn files_are_valid_named_and_the_same_twice() {
    for (loss, dim) in [("center", "2"), ("arcface", "3")] {
        let snapshot = blobs(loss, dim, "5");
        for scene in scenes(&snapshot) {
            let text = svg::svg(&Sheet::of(&scene));
            assert_eq!(text, svg::svg(&Sheet::of(&scenes_again(&snapshot, &scene))));
            for group in &scene.groups {
                assert_eq!(
                    text.matches(&format!("<g id=\"{}\">", group.name)).count(),
                    1
                );
            }
            let pixmap = png::pixels(&Sheet::of(&scene).scaled(0.5)).expect("pixels");
            assert_eq!((pixmap.width(), pixmap.height()), (410, 380));
            let mut colors: Vec<[u8; 3]> = pixmap
                .pixels()
                .iter()
                .map(|p| [p.red(), p.green(), p.blue()])
                .collect();
            colors.sort_unstable();
            colors.dedup();
            assert!(colors.len() > 200, "{}", colors.len());
            assert!(png::png(&Sheet::of(&scene).scaled(1e6)).is_err());
        }
    }
}

#[test]
fn trails_fade_in_a_file_as_on_the_screen() {
    for (dim, kind) in [
        ("2", ViewKind::Plane),
        ("2", ViewKind::Circle),
        ("3", ViewKind::Sphere),
    ] {
        let snapshot = blobs("arcface", dim, "4");
        let mut view = ViewState::new(kind, theme::DARK);
        view.show.trails = true;
        let _ = view.fit(&snapshot, SIZE);
        let mut trails = Trails::default();
        let mut past = snapshot.clone();
        past.probe.features.iter_mut().for_each(|x| *x += 0.8);
        trails.note(&past);
        let curves = Curves::of(&snapshot, 1e-3);
        let scene = build_with(&snapshot, &curves, Some(&trails), &view, SIZE);
        check_finite(&scene);
        let [Item::Trails { lines, .. }] = items(&scene, "trails") else {
            panic!("one item with all trails");
        };
        assert!(lines.len() > 100, "{}", lines.len());
        let text = svg::svg(&Sheet::of(&scene));
        let group = text.split("<g id=\"trails\">").nth(1).expect("a group");
        let group = group.split("</g>").next().expect("its end");
        let n_segments = group.matches('M').count();
        assert_eq!(n_segments, lines.len(), "a step each");
        assert!(group.contains("stroke-opacity"));
    }
}

/// The picture of the same theme and view, built anew.
fn scenes_again(snapshot: &Snapshot, scene: &Scene) -> Scene {
    let again = scenes(snapshot);
    let same = again.into_iter().find(|other| other == scene);
    same.expect("the same picture")
}

#[test]
fn the_sample_under_the_pointer_is_found() {
    let snapshot = blobs("softmax", "2", "3");
    let mut view = ViewState::new(ViewKind::Plane, theme::DARK);
    let _ = view.fit(&snapshot, SIZE);
    (view.show.note, view.show.formula) = (false, false);
    let scene = build(&snapshot, &view, SIZE);
    let x = &snapshot.probe.features[2 * 5..2 * 6];
    let middle = [SIZE[0] / 2.0, SIZE[1] / 2.0];
    let at = view
        .plane
        .screen_from_world([f64::from(x[0]), f64::from(x[1])], middle);
    let found = pick(&scene, [at[0] + 0.01, at[1]]).expect("a sample");
    let found_at = &snapshot.probe.features[2 * found..2 * found + 2];
    let off = f64::from((found_at[0] - x[0]).hypot(found_at[1] - x[1]));
    assert!(off < 0.1 * view.plane.units_per_pt);
    assert_eq!(pick(&scene, [-100.0, -100.0]), None);
}

/// Samples whose dots are drawn, each once.
fn drawn_samples(scene: &Scene) -> Vec<u32> {
    let groups = ["points", "far"].map(|name| items(scene, name));
    let dots = groups.iter().flat_map(|items| items.iter());
    let mut samples: Vec<u32> = dots
        .filter_map(|item| match item {
            Item::Dots { dots, .. } => Some(dots.iter().map(|dot| dot.sample)),
            _ => None,
        })
        .flatten()
        .collect();
    samples.sort_unstable();
    samples.dedup();
    samples
}

#[test]
fn hidden_classes_lose_their_dots_and_bars_and_keep_their_weights() {
    for (dim, kind) in [
        ("2", ViewKind::Plane),
        ("2", ViewKind::Circle),
        ("3", ViewKind::Sphere),
    ] {
        let snapshot = blobs("arcface", dim, "4");
        let mut view = ViewState::new(kind, theme::DARK);
        let _ = view.fit(&snapshot, SIZE);
        let whole = build(&snapshot, &view, SIZE);
        view.classes = Classes::only(2, 4);
        let scene = build(&snapshot, &view, SIZE);
        let of_class = |class: u16| -> Vec<u32> {
            let all = drawn_samples(&whole).into_iter();
            all.filter(|&i| snapshot.probe.labels[i as usize] == class)
                .collect()
        };
        let drawn = drawn_samples(&scene);
        assert!(!drawn.is_empty());
        assert_eq!(drawn, of_class(2), "{}", kind.id());
        for name in ["regions", "weights", "labels"] {
            assert_eq!(items(&scene, name), items(&whole, name), "{name}");
        }
        if kind == ViewKind::Circle {
            let bars = |scene: &Scene| items(scene, "histogram").len();
            assert!(bars(&scene) > 0 && bars(&scene) < bars(&whole));
        }
        view.classes = Classes::none(4);
        let empty = build(&snapshot, &view, SIZE);
        assert_eq!(drawn_samples(&empty), [0; 0]);
        check_finite(&empty);
    }
}

#[test]
fn what_is_drawn_of_single_samples_is_finite_on_every_view() {
    for loss in ["softmax", "sphereface", "arcface", "center"] {
        for dim in ["2", "3", "8"] {
            let mut snapshot = blobs(loss, dim, "5");
            snapshot.learning_rate = 1e30;
            let kinds: &[ViewKind] = match dim {
                "2" => &[ViewKind::Plane, ViewKind::Circle],
                _ => &[ViewKind::Sphere],
            };
            for (kind, sample) in kinds.iter().zip([0, 399]) {
                for has_lengths in [false, true] {
                    let mut view = ViewState::new(*kind, theme::LIGHT);
                    view.show.arrows = true;
                    view.show.lengths = has_lengths;
                    view.kept = Some(sample);
                    let _ = view.fit(&snapshot, SIZE);
                    let scene = build(&snapshot, &view, SIZE);
                    check_finite(&scene);
                    assert!(!items(&scene, "lens").is_empty());
                    assert!(!items(&scene, "arrows").is_empty());
                    assert!(svg::svg(&Sheet::of(&scene)).contains("<g id=\"lens\">"));
                }
            }
        }
    }
}

#[test]
fn the_scale_follows_features_and_comes_to_rest() {
    let mut snapshot = blobs("softmax", "2", "3");
    let mut view = ViewState::new(ViewKind::Plane, theme::DARK);
    while view.follow(view.extent(&snapshot, SIZE), 1.0 / 60.0) {}
    let before = view.plane.units_per_pt;
    snapshot.probe.features.iter_mut().for_each(|x| *x *= 3.0);
    let mut n_frames = 0;
    while view.follow(view.extent(&snapshot, SIZE), 1.0 / 60.0) {
        n_frames += 1;
        assert!(n_frames < 120, "two seconds are enough");
    }
    let ratio = view.plane.units_per_pt / before;
    assert!((2.0..5.0).contains(&ratio), "{ratio}");
    // A little smaller: hysteresis holds the scale.
    snapshot.probe.features.iter_mut().for_each(|x| *x *= 0.8);
    assert!(!view.follow(view.extent(&snapshot, SIZE), 1.0 / 60.0));
}

/// Printed with `--nocapture`, bounded loosely for slow machines.
#[test]
#[expect(clippy::print_stdout, reason = "a measurement to be read")]
fn a_frame_is_built_within_its_budget() {
    for (dim, kind) in [
        ("2", ViewKind::Plane),
        ("2", ViewKind::Circle),
        ("3", ViewKind::Sphere),
    ] {
        let snapshot = run(
            &[
                ("source", "blobs"),
                ("classes", "10"),
                ("loss.id", "arcface"),
                ("dim", dim),
            ],
            50,
        );
        let view = ViewState::new(kind, theme::DARK);
        let start = std::time::Instant::now();
        let curves = Curves::of(&snapshot, 1e-3);
        let once = start.elapsed();
        let start = std::time::Instant::now();
        for _ in 0..10 {
            std::hint::black_box(build_with(&snapshot, &curves, None, &view, SIZE));
        }
        let frame = start.elapsed() / 10;
        println!("{} curves {once:?} frame {frame:?}", kind.id());
        assert!(frame.as_millis() < 100);
    }
}
