//! Figures: the same recipe gives the same bytes, and a figure that is opened again is the figure.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

mod common;

use std::time::{Duration, Instant};

use common::runs::{BLOBS, experiment};
use marginscope::experiment::ViewKind;
use marginscope::export::{Format, Length};
use marginscope::figure::{self, Picture, Plot, Recipe, Tone};
use marginscope::scene::theme::LIGHT;
use marginscope::scene::{Classes, Light, ViewState};
use marginscope::trainer::{Command, Snapshot, Subset, Worker};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const DPI: f64 = 300.0;

fn replayed(recipe: &Recipe) -> Snapshot {
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
        let snapshot = figure::replay(&recipe, n_threads, |_, _| true).expect("a run");
        figure::file(&snapshot, &recipe, Format::Svg, DPI).expect("a figure")
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

/// A run as in the window, with fifty changes wherever it happens to be; exported, opened, exported.
fn play(seed: u64, kind: ViewKind) -> (Recipe, Vec<u8>) {
    let dim = if kind == ViewKind::Sphere { "3" } else { "2" };
    let experiment = experiment(&[BLOBS, &[("dim", dim), ("view.kind", kind.id())]].concat());
    let mut worker = Worker::spawn(&experiment, 1, || ()).expect("a worker");
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
    let number = worker.send(Command::Pause);
    let snapshot = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
    assert!(n_refused < 40, "{n_refused} of 50 changes were refused");
    assert!(snapshot.fault.is_none(), "{:?}", snapshot.fault);
    let mut view = ViewState::new(kind, LIGHT);
    let size = [804.0, 750.0];
    let _ = view.fit(&snapshot, size);
    let picture = Picture {
        samples: Subset::Train(200),
        ..Picture::of_view(&view, size)
    };
    let recipe = Recipe::of(&snapshot, picture);
    let bytes = figure::file(&snapshot, &recipe, Format::Svg, DPI).expect("a figure");
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
    let snapshot = replayed(&recipe(&[("view.kind", "circle")], Picture::default()));
    let size = [804.0, 750.0];
    for kind in [ViewKind::Circle, ViewKind::Plane] {
        let mut snapshot = snapshot.clone();
        let mut experiment = snapshot.experiment.as_ref().clone();
        experiment.view.kind = Some(kind);
        snapshot.experiment = experiment.into();
        let mut view = ViewState::new(kind, LIGHT);
        let _ = view.fit(&snapshot, size);
        let shown = marginscope::scene::build(&snapshot, &view, size);
        let picture = Picture::of_view(&view, size);
        assert!(figure::scene(&snapshot, &picture) == shown, "{kind:?}");
    }
}
