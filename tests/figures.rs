//! Figures: the same recipe gives the same bytes, and a figure that is opened again is the figure.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

mod common;

use std::time::{Duration, Instant};

use common::runs::{BLOBS, experiment};
use marginscope::experiment::ViewKind;
use marginscope::export::{Format, Length};
use marginscope::figure::{self, Film, Picture, Played, Plot, Recipe, Scale, Strip, Tone};
use marginscope::scene::theme::LIGHT;
use marginscope::scene::{Classes, Item, Light, Scene, Trails, ViewState};
use marginscope::trainer::{Command, Snapshot, Subset, Worker};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const DPI: f64 = 300.0;

fn replayed(recipe: &Recipe) -> Played {
    figure::replay(recipe, 1, |_, _| true).expect("a run")
}

fn file(recipe: &Recipe, format: Format) -> Vec<u8> {
    figure::file(&replayed(recipe), recipe, format, DPI).expect("a figure")
}

/// What a file's own recipe makes of it.
#[track_caller]
fn opened(bytes: &[u8]) -> Recipe {
    let format = Format::of_bytes(bytes).expect("a picture");
    let text = format.recipe(bytes).expect("a recipe");
    Recipe::from_toml(&text, "figure").expect("a recipe that can be read")
}

fn recipe(settings: &[(&str, &str)], picture: Picture) -> Recipe {
    Recipe {
        experiment: experiment(&[BLOBS, settings].concat()),
        picture: Picture {
            step: Some(120),
            ..picture
        },
    }
}

/// One recipe of each view and each plot.
fn recipes() -> Vec<Recipe> {
    let mut recipes = vec![
        recipe(&[("view.kind", "circle")], Picture::default()),
        recipe(
            &[("view.kind", "plane"), ("loss.id", "softmax")],
            Picture {
                theme: Tone::Dark,
                width: Length::Pixels(800.0),
                transparent: true,
                kept: Some(3),
                lit: Light::Wrong,
                ..Picture::default()
            },
        ),
        recipe(
            &[("dim", "3"), ("loss.id", "cosface")],
            Picture {
                width: Length::Millimeters(89.0),
                turn: Some([0.5, 0.5, -0.5, 0.5]),
                zoom: Some(1.4),
                classes: Classes::only(2, 8),
                endless: true,
                ..Picture::default()
            },
        ),
        recipe(&[("view.kind", "input")], Picture::default()),
    ];
    recipes.extend(Plot::CHARTS.map(|plot| {
        recipe(
            &[],
            Picture {
                plot,
                ..Picture::default()
            },
        )
    }));
    recipes
}

#[test]
fn the_same_recipe_gives_the_same_bytes_in_every_format() {
    for recipe in recipes() {
        let svg = file(&recipe, Format::Svg);
        for format in Format::ALL {
            let once = file(&recipe, format);
            assert_eq!(once, file(&recipe, format), "{format:?} of {recipe:?}");
            let again = opened(&once);
            assert_eq!(again, recipe);
            assert!(svg == file(&again, Format::Svg), "{format:?} opened again");
        }
    }
}

#[test]
fn threads_change_no_bit_of_a_figure() {
    let recipe = recipe(&[("optimizer.batch", "256")], Picture::default());
    let with = |n_threads| {
        let played = figure::replay(&recipe, n_threads, |_, _| true).expect("a run");
        figure::file(&played, &recipe, Format::Svg, DPI).expect("a figure")
    };
    assert!(with(1) == with(2) && with(1) == with(4));
}

#[test]
fn whoever_watches_may_stop_it() {
    let recipe = recipe(&[], Picture::default());
    let stopped = figure::replay(&recipe, 1, |step, _| step < 7);
    let error = stopped.expect_err("an interruption");
    assert_eq!(error.to_string(), "interrupted after 7 of 120 steps");
}

#[track_caller]
fn wait_for(worker: &Worker, holds: impl Fn(&Snapshot) -> bool) -> std::sync::Arc<Snapshot> {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(snapshot) = worker.snapshot()
            && holds(&snapshot)
        {
            return snapshot;
        }
        assert!(Instant::now() < end, "no such snapshot in a minute");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn random_change(rng: &mut ChaCha8Rng) -> (&'static str, String) {
    let losses = [
        "softmax",
        "center",
        "modified_softmax",
        "sphereface",
        "normface",
        "cosface",
        "arcface",
        "combined",
    ];
    match rng.random_range(0..4) {
        0 => (
            "loss.id",
            losses[rng.random_range(0..losses.len())].to_owned(),
        ),
        1 => ("loss.margin", format!("{:.3}", rng.random_range(0.0..0.6))),
        2 => ("loss.scale", format!("{:.1}", rng.random_range(1.0..64.0))),
        _ => (
            "optimizer.learning_rate",
            format!("{:.4}", rng.random_range(0.001..0.1)),
        ),
    }
}

/// The run after a pause and a change or two.
fn rested(worker: &mut Worker, kind: ViewKind) -> std::sync::Arc<Snapshot> {
    worker.send(Command::Pause);
    // What is changed while the run rests is seen, too, though no step follows.
    let changes: &[(&str, &str)] = match kind {
        ViewKind::Circle => &[("loss.id", "arcface"), ("margin", "0.25")],
        _ => &[("scale", "9")], // trails belong to a loss, and are to be seen here
    };
    let mut number = 0;
    for (key, value) in changes {
        number = worker.send(Command::Set {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        });
    }
    wait_for(worker, |s| s.n_commands >= number && !s.is_playing)
}

/// A run as in the window, with fifty changes wherever it happens to be; exported, opened, exported.
fn play(seed: u64, kind: ViewKind) -> (Recipe, Vec<u8>) {
    let dim = if kind == ViewKind::Sphere { "3" } else { "2" };
    let experiment = experiment(&[BLOBS, &[("dim", dim), ("view.kind", kind.id())]].concat());
    let mut worker = Worker::spawn(experiment, 1, || ()).expect("a worker");
    worker.send(Command::Show(Subset::Train(200)));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut n_refused = 0;
    let mut refusals = Vec::new();
    for _ in 0..50 {
        let (key, value) = random_change(&mut rng);
        let number = worker.send(Command::Set {
            key: key.to_owned(),
            value,
        });
        std::thread::sleep(Duration::from_micros(rng.random_range(0..4000)));
        let snapshot = wait_for(&worker, |s| s.n_commands >= number);
        if let Some(refusal) = &snapshot.refusal
            && refusals.last() != Some(&refusal.command)
        {
            refusals.push(refusal.command);
            n_refused += 1; // a margin for a loss without one
        }
    }
    let mut trails = Trails::default();
    let end = Instant::now() + Duration::from_millis(300);
    while Instant::now() < end {
        if let Some(snapshot) = worker.snapshot() {
            trails.note(&snapshot);
        }
    }
    let snapshot = rested(&mut worker, kind);
    assert!(n_refused < 40, "{n_refused} of 50 changes were refused");
    assert!(snapshot.fault.is_none(), "{:?}", snapshot.fault);
    let mut view = ViewState::new(kind, LIGHT);
    view.show.trails = true;
    let size = [804.0, 750.0];
    let _ = view.fit(&snapshot, size);
    let picture = Picture {
        samples: Subset::Train(200),
        trail: Some(trails.recorded(&snapshot)),
        ..Picture::of_view(&view, size)
    };
    let n_places = picture
        .trail
        .as_ref()
        .map_or(0, |trail| trail.all().count());
    assert!((n_places >= 3) != (kind == ViewKind::Circle), "{n_places}");
    let recipe = Recipe::of(&snapshot, picture);
    let played = Played::still(snapshot, trails);
    let bytes = figure::file(&played, &recipe, Format::Svg, DPI).expect("a figure");
    (recipe, bytes)
}

#[test]
fn a_run_with_fifty_changes_is_made_again_to_the_byte() {
    for (seed, kind) in [
        (1, ViewKind::Circle),
        (2, ViewKind::Plane),
        (3, ViewKind::Sphere),
    ] {
        let (recipe, first) = play(seed, kind);
        assert!(recipe.experiment.run.changes.len() > 10);
        let again = opened(&first);
        assert_eq!(again.to_toml(), recipe.to_toml());
        let second = file(&again, Format::Svg);
        assert!(
            first == second,
            "seed {seed}: step {:?}, {} bytes and {}",
            recipe.picture.step,
            first.len(),
            second.len()
        );
    }
}

/// What the window shows is what it exports: the same function of the same view.
#[test]
fn a_figure_as_shown_is_the_windows_scene() {
    let played = replayed(&recipe(&[("view.kind", "circle")], Picture::default()));
    let size = [804.0, 750.0];
    for kind in [ViewKind::Circle, ViewKind::Plane] {
        let mut snapshot = Snapshot::clone(played.last().expect("a moment"));
        let mut experiment = snapshot.experiment.as_ref().clone();
        experiment.view.kind = Some(kind);
        snapshot.experiment = experiment.into();
        let mut view = ViewState::new(kind, LIGHT);
        let _ = view.fit(&snapshot, size);
        let shown = marginscope::scene::build(&snapshot, &view, size);
        let picture = Picture::of_view(&view, size);
        let played = Played::still(snapshot.into(), Trails::default());
        assert!(figure::scene(&played, &picture) == shown, "{kind:?}");
    }
}

/// Middles of all discs in the groups of a name, by panel.
fn discs(scene: &Scene, name: &str) -> Vec<Vec<[f32; 2]>> {
    let groups = scene.groups.iter().filter(|group| group.name == name);
    let centers = |items: &[Item]| {
        let centers = items.iter().filter_map(|item| match item {
            Item::Disc { center, .. } => Some(*center),
            _ => None,
        });
        centers.collect()
    };
    groups.map(|group| centers(&group.items)).collect()
}

#[test]
fn panels_of_a_strip_are_runs_of_their_own_turned_onto_the_first() {
    let strip: Strip = "margin=0,0.2,0.4".parse().expect("a strip");
    let recipe = recipe(
        &[("view.kind", "circle")],
        Picture {
            strip: Some(strip),
            ..Picture::default()
        },
    );
    let played = replayed(&recipe);
    let titles: Vec<&str> = played.moments.iter().map(|m| m.title.as_str()).collect();
    assert_eq!(titles, ["m = 0 rad", "m = 0.2 rad", "m = 0.4 rad"]);
    let mut alone = recipe.clone();
    alone.picture.strip = None;
    alone.experiment.set("margin", "0.4").expect("a margin");
    let alone = replayed(&alone);
    let (last, same) = (
        played.last().expect("a panel"),
        alone.last().expect("a run"),
    );
    assert_eq!(last.probe, same.probe, "a panel is the run alone");

    let scene = figure::scene(&played, &recipe.picture);
    let mut ids: Vec<String> = scene
        .groups
        .iter()
        .map(marginscope::scene::Group::id)
        .collect();
    ids.sort();
    let n = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), n, "every group has a name of its own");
    let weights = discs(&scene, "weights");
    assert_eq!(weights.len(), 3);
    let [width, height] = scene.size;
    let inside = |[x, y]: &[f32; 2]| (0.0..width).contains(x) && (0.0..height).contains(y);
    assert!(weights.iter().flatten().all(inside));
    // Each class points the same way in all panels, as nearly as a turn can bring it there.
    let offset = (
        weights[1][0][0] - weights[0][0][0],
        weights[1][0][1] - weights[0][0][1],
    );
    for (a, b) in weights[0].iter().zip(&weights[1]) {
        let off = (b[0] - a[0] - offset.0).hypot(b[1] - a[1] - offset.1);
        assert!(off < 40.0, "{off} points");
    }
}

#[test]
fn a_strip_over_time_is_one_run() {
    let strip: Strip = "step=100,0,20".parse().expect("a strip");
    let recipe = recipe(
        &[("view.kind", "plane"), ("loss.id", "softmax")],
        Picture {
            strip: Some(strip),
            ..Picture::default()
        },
    );
    let mut n_steps = 0;
    let played = figure::replay(&recipe, 1, |_, _| {
        n_steps += 1;
        true
    });
    let played = played.expect("a run");
    let steps: Vec<u64> = played.moments.iter().map(|m| m.snapshot.step).collect();
    assert_eq!((steps, n_steps), (vec![100, 0, 20], 100));
    let mut picture = recipe.picture;
    let common = scale_bars(&figure::scene(&played, &picture));
    assert!(common.len() == 3 && common.iter().all(|words| *words == common[0]));
    if let Some(strip) = &mut picture.strip {
        strip.scale = Scale::Own;
    }
    let own = scale_bars(&figure::scene(&played, &picture));
    assert_ne!(own[0], own[1], "features at the start are small");
}

/// Another program's picture has no recipe; half of one's own is not whole.
#[test]
fn a_picture_that_is_cut_off_says_so() {
    let recipe = recipe(&[("view.kind", "circle")], Picture::default());
    let folder = tempfile::tempdir().expect("a folder");
    let fault = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        figure::open(&path).expect_err(name).to_string()
    };
    for format in [Format::Svg, Format::Pdf, Format::Png] {
        let whole = file(&recipe, format);
        let name = format!("half.{}", format.extension());
        let words = fault(&name, &whole[..whole.len() / 2]);
        assert!(words.contains("cut off"), "{words}");
    }
    let words = fault(
        "other.svg",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>",
    );
    assert!(words.contains("without a recipe"), "{words}");
}

/// At first chance decides where classes lie: all panels are turned onto the last step, wherever it
/// stands.
#[test]
fn a_strip_over_time_stands_as_it_ends() {
    let places = |steps: &str, panel: usize| {
        let strip: Strip = steps.parse().expect("a strip");
        let recipe = recipe(
            &[("view.kind", "plane"), ("loss.id", "softmax")],
            Picture {
                strip: Some(strip),
                ..Picture::default()
            },
        );
        let scene = figure::scene(&replayed(&recipe), &recipe.picture);
        let weights = discs(&scene, "labels").swap_remove(panel);
        let [x, y] = weights[0];
        let relative = weights.iter().map(|at| [at[0] - x, at[1] - y]);
        relative.collect::<Vec<_>>()
    };
    let first = places("step=100,0,20", 0);
    let last = places("step=0,20,100", 2);
    assert_eq!(first.len(), last.len());
    for (a, b) in first.iter().zip(&last) {
        assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 0.1, "{first:?} {last:?}");
    }
}

/// What the scale bar of each panel says.
fn scale_bars(scene: &Scene) -> Vec<String> {
    let groups = scene.groups.iter().filter(|group| group.name == "frame");
    let words = groups
        .flat_map(|group| &group.items)
        .filter_map(|item| match item {
            Item::Text { text, .. } => Some(text.clone()),
            _ => None,
        });
    words.collect()
}

#[test]
fn a_film_shows_the_run_from_its_start_and_an_orbit_its_end_from_all_sides() {
    let film = recipe(
        &[("view.kind", "circle")],
        Picture {
            width: Length::Pixels(200.0),
            film: Some(Film {
                frames: 24,
                ..Film::default()
            }),
            ..Picture::default()
        },
    );
    let played = replayed(&film);
    let steps: Vec<u64> = played.moments.iter().map(|m| m.snapshot.step).collect();
    assert_eq!((steps.len(), steps[0], steps[23]), (24, 0, 120));
    let scenes = figure::scenes(&played, &film.picture);
    assert!(scenes.len() == 24 && scenes[0] != scenes[23]);
    let orbit = recipe(
        &[("dim", "3")],
        Picture {
            width: Length::Pixels(200.0),
            film: Some(Film::orbit(6)),
            ..Picture::default()
        },
    );
    let round = replayed(&orbit);
    assert_eq!(
        (
            round.moments.len(),
            figure::scenes(&round, &orbit.picture).len()
        ),
        (1, 6)
    );
    for recipe in [film, orbit] {
        for format in [Format::Gif, Format::Apng] {
            let bytes = file(&recipe, format);
            assert_eq!(bytes, file(&recipe, format));
            assert_eq!(opened(&bytes), recipe);
        }
    }
}

#[test]
fn many_samples_are_pixels_inside_a_vector_file_on_request() {
    let picture = Picture {
        width: Length::Pixels(300.0),
        ..Picture::default()
    };
    let mut recipe = recipe(&[("view.kind", "circle")], picture);
    let vectors = file(&recipe, Format::Svg);
    recipe.picture.raster_points = true;
    let pixels = file(&recipe, Format::Svg);
    let text = String::from_utf8(pixels.clone()).expect("text");
    assert_eq!(text.matches("<image ").count(), 1);
    assert!(text.contains("<text"), "text stays text");
    assert!(vectors != pixels && pixels == file(&recipe, Format::Svg));
    assert_eq!(opened(&file(&recipe, Format::Pdf)), recipe);
    // Drawn, the two are one picture.
    let pixels_of = |recipe: &Recipe| {
        let played = replayed(recipe);
        figure::pixels(&played, &recipe.picture).expect("pixels").1
    };
    let drawn = pixels_of(&recipe);
    recipe.picture.raster_points = false;
    assert_eq!(drawn, pixels_of(&recipe));
}
