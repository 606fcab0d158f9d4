//! Features of a file in the window: they stand still, and everything about them can be changed.

use std::path::Path;

use super::*;
use marginscope::scene::Scene;
use marginscope::scene::build;
use marginscope::trainer::Command;

/// 90 features of five numbers in three classes, with class weights, as a table of text.
fn files(folder: &Path) -> [std::path::PathBuf; 2] {
    use std::fmt::Write as _;
    let (mut table, mut weights) = ("label,a,b,c,d,e\n".to_owned(), String::new());
    let center = |class: usize| (0..5).map(move |k| f64::from(u8::from(k == class)) + 0.2);
    for i in 0..90_usize {
        let _ = write!(table, "{}", i % 3);
        for (k, x) in center(i % 3).enumerate() {
            let _ = write!(table, ",{:.4}", 4.0 * x + ((i * (k + 3)) as f64).sin());
        }
        table.push('\n');
    }
    for class in 0..3 {
        let row: Vec<String> = center(class).map(|x| format!("{x:.2}")).collect();
        let _ = writeln!(weights, "{}", row.join(","));
    }
    let paths = ["f.csv", "w.csv"].map(|name| folder.join(name));
    std::fs::write(&paths[0], table).expect("written");
    std::fs::write(&paths[1], weights).expect("written");
    paths
}

fn features(settings: &[(&str, &str)]) -> (tempfile::TempDir, Experiment) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [table, weights] = files(folder.path());
    let mut experiment = Experiment::default();
    let paths = [("data.features", &table), ("data.weights", &weights)];
    for (key, path) in paths {
        let path = path.to_str().expect("Unicode");
        experiment.set(key, path).expect(key);
    }
    for (key, value) in settings {
        experiment.set(key, value).expect(key);
    }
    experiment.data.read(&mut |_, _| true).expect("good files");
    (folder, experiment)
}

fn scene(harness: &Harness<'_, App>) -> Scene {
    build(snapshot(harness), harness.state().view(), [800.0, 700.0])
}

fn group(scene: &Scene, name: &str) -> String {
    let group = scene.groups.iter().find(|group| group.name == name);
    format!("{:?}", group.expect(name).items)
}

#[test]
fn features_stand_still_and_nothing_trains_them() {
    let (_folder, experiment) = features(&[]);
    let mut harness = window(&experiment);
    let before = snapshot(&harness).probe.clone();
    assert_eq!((before.len(), snapshot(&harness).is_playing), (90, false));
    for name in ["Play", "Step", "Restart"] {
        let node = harness.get_by_role_and_label(Role::Button, name);
        assert!(node.accesskit_node().is_disabled(), "{name}");
    }
    for key in [Key::Space, Key::ArrowRight] {
        harness.key_press(key);
        wait_for(&mut harness, "a refusal", |app| {
            let refusal = app.snapshot().and_then(|s| s.refusal.as_ref());
            refusal.is_some_and(|refusal| refusal.reason.ends_with("nothing is trained"))
        });
        harness.run_steps(3);
    }
    let after = snapshot(&harness);
    assert_eq!((after.step, after.is_playing), (0, false));
    assert!(after.probe == before);
    harness.run_steps(60); // the news is gone
    harness.run(); // panics if each frame asks for another
}

#[test]
fn another_loss_moves_lines_and_no_point() {
    let (_folder, experiment) = features(&[("view.kind", "circle")]);
    let mut harness = window(&experiment);
    let [softmax, points] = {
        let scene = scene(&harness);
        ["regions", "points"].map(|name| group(&scene, name))
    };
    for (button, id) in [
        ("ArcFace", "arcface"),
        ("SphereFace", "sphereface"),
        ("Softmax", "softmax"),
    ] {
        harness.get_by_role_and_label(Role::Button, button).click();
        wait_for(&mut harness, id, |app| {
            app.snapshot().is_some_and(|s| s.head.spec.id == id)
        });
        let scene = scene(&harness);
        assert_eq!(group(&scene, "points"), points, "{id}");
        assert_eq!(group(&scene, "regions") == softmax, id == "softmax", "{id}");
        assert!(!snapshot(&harness).is_playing);
    }
}

/// The sphere is one click away where the file has three dimensions, since nothing would be lost.
#[test]
fn other_dimensions_are_seen_without_a_question() {
    let (_folder, experiment) = features(&[("loss.id", "cosface")]);
    let mut harness = window(&experiment);
    let share = |harness: &Harness<'_, App>| {
        let given = snapshot(harness).data.given.as_ref();
        given.and_then(|given| given.share)
    };
    let in_two = share(&harness).expect("a projection");
    harness
        .get_by_role_and_label(Role::Button, "Sphere")
        .click();
    wait_for(&mut harness, "three dimensions", |app| {
        app.snapshot().is_some_and(|s| s.head.dim == 3)
    });
    assert!(share(&harness) > Some(in_two), "more of them is seen");
    choose(&mut harness, "Dimension", "all 5");
    wait_for(&mut harness, "five dimensions", |app| {
        app.snapshot().is_some_and(|s| s.head.dim == 5)
    });
    assert_eq!(share(&harness), None);
    assert!(!snapshot(&harness).is_playing);
}

/// What is exported is what is seen: a change at rest is in the picture's recipe.
#[test]
fn a_picture_of_a_changed_loss_is_made_again() {
    use marginscope::export::Format;
    use marginscope::figure::{self, Picture, Played, Recipe};
    use marginscope::scene::Trails;
    use std::sync::Arc;
    let (_folder, experiment) = features(&[("view.kind", "circle")]);
    let mut harness = window(&experiment);
    harness.key_press(Key::Num7);
    wait_for(&mut harness, "ArcFace", |app| {
        app.snapshot().is_some_and(|s| s.head.spec.id == "arcface")
    });
    let seen = Arc::new(snapshot(&harness).clone());
    let picture = Picture::of_view(harness.state().view(), [800.0, 700.0]);
    let recipe = Recipe::of(
        &seen,
        Picture {
            samples: marginscope::trainer::Subset::of_given(2),
            ..picture
        },
    );
    let played = Played::still(seen, Trails::default());
    let first = figure::file(&played, &recipe, Format::Svg, 300.0).expect("a figure");
    let text = Format::Svg.recipe(&first).expect("a recipe");
    let mut again = Recipe::from_toml(&text, "a").expect("a recipe");
    again
        .experiment
        .data
        .read(&mut |_, _| true)
        .expect("the same files");
    let replayed = figure::replay(&again, 1, |_, _| true).expect("no step");
    assert_eq!(
        replayed.last().map(|last| last.head.spec.id),
        Some("arcface")
    );
    let second = figure::file(&replayed, &again, Format::Svg, 300.0).expect("a figure");
    assert!(first == second);
}

#[test]
fn whoever_goes_on_to_train_sees_it_train() {
    let (_folder, experiment) = features(&[]);
    let mut harness = window(&experiment);
    choose(&mut harness, "Data", "Blobs");
    wait_for(&mut harness, "steps", |app| {
        app.snapshot().is_some_and(|s| !s.is_given() && s.step > 3)
    });
    assert_eq!(harness.state().experiment().data.weights, None);
    assert!(snapshot(&harness).is_playing);
}

/// Without a window in between: a worker that is given features rests, too.
#[test]
fn a_run_that_is_followed_by_features_rests() {
    let (_folder, experiment) = features(&[]);
    let mut worker = marginscope::trainer::Worker::spawn(small(&[]), 1, || ()).expect("a worker");
    let number = worker.send(Command::Load(Box::new(experiment)));
    let end = std::time::Instant::now() + Duration::from_mins(1);
    let seen = loop {
        if let Some(seen) = worker.snapshot().filter(|s| s.n_commands >= number) {
            break seen;
        }
        assert!(std::time::Instant::now() < end, "no snapshot in a minute");
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(seen.is_given() && !seen.is_playing);
}
