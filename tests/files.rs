//! Files in the window: pictures and sessions that are opened, a run that was not ended, own data.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

#[path = "common/window.rs"]
mod common;

use std::fs;
use std::path::Path;

use common::{loss_id, small, snapshot, wait_for, window};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use marginscope::app::App;
use marginscope::experiment::{Experiment, ViewKind};
use marginscope::export::Format;
use marginscope::figure::{self, Picture, Recipe, Tone};
use marginscope::trainer::{History, Subset, Trainer};

fn open(harness: &mut Harness<'_, App>, path: &Path) {
    let ctx = harness.ctx.clone();
    harness.state_mut().open_path(&ctx, path.to_owned());
}

/// A picture of a run of 60 steps, under another loss and view than the window begins with.
fn picture(path: &Path) -> Recipe {
    let recipe = Recipe {
        experiment: small(&[
            ("loss.id", "cosface"),
            ("margin", "0.2"),
            ("dim", "3"),
            ("run.seed", "7"),
        ]),
        picture: Picture {
            step: Some(60),
            theme: Tone::Dark,
            samples: Subset::Train(100),
            turn: Some([0.5, 0.5, -0.5, 0.5]),
            ..Picture::default()
        },
    };
    let played = figure::replay(&recipe, 1, |_, _| true).expect("a run");
    let bytes = figure::file(&played, &recipe, Format::Svg, 300.0).expect("a figure");
    fs::write(path, bytes).expect("a file");
    recipe
}

#[test]
fn a_picture_is_opened_at_its_step_and_saved_again_it_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("figure.svg");
    let recipe = picture(&path);
    let mut harness = window(&small(&[]));
    open(&mut harness, &path);
    wait_for(&mut harness, "its last step", |app| {
        app.snapshot()
            .is_some_and(|s| s.step == 60 && !s.is_playing)
    });
    let shown = snapshot(&harness);
    assert_eq!((loss_id(harness.state()), shown.head.dim), ("cosface", 3));
    assert_eq!(shown.experiment.run.seed, 7);
    assert_eq!(harness.state().view().kind, ViewKind::Sphere);
    // The run is the picture's to the bit, so that the picture made of it is too.
    let again = Recipe {
        experiment: shown.recipe(),
        picture: recipe.picture,
    };
    let played = figure::replay(&again, 1, |_, _| true).expect("a run");
    assert_eq!(
        played.last().expect("a moment").probe.features,
        shown.probe.features
    );
    let orientation = harness
        .state()
        .view()
        .sphere
        .orientation
        .quaternion()
        .coords;
    assert!((orientation - nalgebra::Vector4::new(0.5, -0.5, 0.5, 0.5)).norm() < 1e-12);
    // It goes on from there.
    harness.key_press(egui::Key::Space);
    wait_for(&mut harness, "another step", |app| {
        app.snapshot().is_some_and(|s| s.step > 70)
    });
}

/// A session of so many steps.
fn session(experiment: &Experiment, n: usize, path: &Path) -> Trainer {
    let mut run = Trainer::new(experiment, None, 1).expect("a run");
    for _ in 0..n {
        run.step().expect("a step");
    }
    let session = run.session(run.recipe().to_toml(), History::default());
    fs::write(path, session.to_bytes().expect("bytes")).expect("a file");
    run
}

#[test]
fn a_session_is_opened_where_it_was_saved_and_goes_on_with_its_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.safetensors");
    let mut run = session(
        &small(&[("loss.id", "arcface"), ("steps", "900")]),
        50,
        &path,
    );
    let mut harness = window(&small(&[]));
    open(&mut harness, &path);
    wait_for(&mut harness, "the session", |app| {
        app.snapshot().is_some_and(|s| s.step == 50)
    });
    assert!(!snapshot(&harness).is_playing, "it waits to be looked at");
    for step in 51..=53 {
        harness.key_press(egui::Key::ArrowRight);
        wait_for(&mut harness, "a step", |app| {
            app.snapshot()
                .is_some_and(|s| s.step == step && !s.is_playing)
        });
    }
    for _ in 0..3 {
        run.step().expect("a step");
    }
    assert_eq!(snapshot(&harness).head.weights, run.head_state().weights);
}

#[test]
fn what_cannot_be_opened_is_said_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broken.toml");
    fs::write(&path, "[loss]\nid = \"arkface\"\n").expect("a file");
    let mut harness = window(&small(&[("loss.id", "arcface")]));
    let generation = snapshot(&harness).generation;
    open(&mut harness, &path);
    for _ in 0..200 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        harness.step();
        if harness.query_by_label_contains("did you mean").is_some() {
            break;
        }
    }
    harness.get_by_label_contains("did you mean \"arcface\"");
    assert_eq!(snapshot(&harness).generation, generation);
}

#[test]
fn a_run_that_was_not_ended_is_offered_and_restored_or_forgotten() {
    for (button, is_restored) in [("Restore", true), ("Forget it", false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run-0.safetensors");
        session(&small(&[("loss.id", "sphereface")]), 40, &path);
        let mut harness = window(&small(&[]));
        let ctx = harness.ctx.clone();
        harness.state_mut().keep_runs_in(&ctx, folder.path());
        for _ in 0..400 {
            std::thread::sleep(std::time::Duration::from_millis(5));
            harness.step();
            if harness.query_by_label(button).is_some() {
                break;
            }
        }
        harness.get_by_label_contains("SphereFace in 2-D was at step 40");
        harness.get_by_label(button).click();
        harness.run_steps(3);
        assert!(!path.exists(), "it is offered once");
        if is_restored {
            wait_for(&mut harness, "the run", |app| {
                app.snapshot().is_some_and(|s| s.step == 40)
            });
        }
        let loss = if is_restored { "sphereface" } else { "softmax" };
        assert_eq!(loss_id(harness.state()), loss);
    }
}

#[test]
fn panes_around_a_run_that_was_not_ended_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run-0.safetensors");
    session(&small(&[("loss.id", "sphereface")]), 40, &path);
    let texts = ["arcface", "cosface"].map(|loss| small(&[("loss.id", loss)]).to_toml());
    let around = serde_json::json!({ "at": 1, "experiments": texts });
    let panes = path.with_extension("panes.json");
    fs::write(&panes, around.to_string()).expect("a file");
    let mut harness = window(&small(&[]));
    let ctx = harness.ctx.clone();
    harness.state_mut().keep_runs_in(&ctx, folder.path());
    for _ in 0..400 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        harness.step();
        if harness.query_by_label("Restore").is_some() {
            break;
        }
    }
    harness.get_by_label_contains("The panes beside it begin anew");
    harness.get_by_label("Restore").click();
    wait_for(&mut harness, "all panes", |app| {
        let losses: Vec<_> = app.snapshots().flatten().map(|s| s.head.spec.id).collect();
        losses == ["arcface", "sphereface", "cosface"]
    });
    assert_eq!(loss_id(harness.state()), "sphereface", "the controls");
    assert_eq!(snapshot(&harness).step, 40);
    assert!(!panes.exists(), "they are offered once");
}

const TABLE: &str =
    "a,b,species\n1,2,lily\n1.5,2,lily\n9,8,ירוק\n9,7.5,ירוק\n1,2.2,lily\n9.1,8,ירוק\n";

#[test]
fn own_data_are_looked_at_before_they_are_trained_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flowers.csv");
    fs::write(&path, TABLE).expect("a file");
    let mut harness = window(&small(&[("loss.id", "arcface")]));
    // Fonts for other scripts are those of the system, which a test does not have.
    harness
        .ctx
        .set_missing_glyph_policy(egui::epaint::text::MissingGlyphPolicy::Tofu);
    open(&mut harness, &path);
    for _ in 0..400 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        harness.step();
        if harness.query_by_label("Train on it").is_some() {
            break;
        }
    }
    harness.get_by_label_contains("2 classes: lily, ירוק");
    harness.get_by_label("Train on it").click();
    wait_for(&mut harness, "a run on them", |app| {
        app.snapshot()
            .is_some_and(|s| s.class_name(0) == "lily" && s.step > 5)
    });
    assert_eq!(loss_id(harness.state()), "arcface", "the loss stays");
    assert!(harness.query_by_label("Train on it").is_none());
}

#[test]
fn a_fault_of_own_data_has_its_row_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flowers.csv");
    fs::write(&path, TABLE.replace("9,7.5", "9,seven")).expect("a file");
    let mut harness = window(&small(&[]));
    open(&mut harness, &path);
    for _ in 0..400 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        harness.step();
        if harness.query_by_label_contains("seven").is_some() {
            break;
        }
    }
    let fault = harness.get_by_label_contains("seven");
    let words = fault.accesskit_node().value().unwrap_or_default();
    assert!(words.contains("flowers.csv:5: column 2 (b)"), "{words}");
    assert!(
        harness
            .query_by_role_and_label(Role::Button, "Train on it")
            .is_none()
    );
}
