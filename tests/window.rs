//! The window without a display: found by role and name, clicked, and asked what it says next.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

#[path = "common/window.rs"]
mod common;
#[path = "window/gallery.rs"]
mod gallery;
#[path = "window/given.rs"]
mod given;
#[path = "window/hold.rs"]
mod hold;
#[path = "window/kept.rs"]
mod kept;
#[path = "window/keys.rs"]
mod keys;
#[path = "window/lessons.rs"]
mod lessons;
#[path = "window/names.rs"]
mod names;
#[path = "window/panes.rs"]
mod panes;
#[path = "window/undo.rs"]
mod undo;

use std::time::Duration;

use common::{choose, loss_id, small, snapshot, wait_for, window, window_of_size};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use marginscope::app::App;
use marginscope::experiment::Experiment;

#[test]
fn training_starts_without_a_click() {
    let mut harness = window(&small(&[]));
    wait_for(&mut harness, "a step", |app| {
        app.snapshot().is_some_and(|snapshot| snapshot.step > 10)
    });
    harness.get_by_role_and_label(Role::Button, "Pause");
}

#[test]
fn each_loss_is_one_click_and_the_run_goes_on() {
    let mut harness = window(&small(&[]));
    for (button, id) in [
        ("Centre", "center"),
        ("Modified", "modified_softmax"),
        ("SphereFace", "sphereface"),
        ("NormFace", "normface"),
        ("CosFace", "cosface"),
        ("ArcFace", "arcface"),
        ("Softmax", "softmax"),
    ] {
        let (generation, step) = (snapshot(&harness).generation, snapshot(&harness).step);
        harness.get_by_role_and_label(Role::Button, button).click();
        wait_for(&mut harness, id, |app| {
            app.snapshot()
                .is_some_and(|s| s.head.spec.id == id && s.step > step)
        });
        assert_eq!(loss_id(harness.state()), id);
        assert_eq!(snapshot(&harness).generation, generation, "no restart");
    }
}

#[test]
fn digits_choose_losses_and_space_pauses() {
    let mut harness = window(&small(&[]));
    harness.key_press(Key::Num7);
    wait_for(&mut harness, "ArcFace", |app| loss_id(app) == "arcface");
    harness.key_press(Key::Space);
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|s| !s.is_playing)
    });
    let step = snapshot(&harness).step;
    harness.key_press(Key::ArrowRight);
    wait_for(&mut harness, "one step", |app| {
        app.snapshot()
            .is_some_and(|s| s.step == step + 1 && !s.is_playing)
    });
}

#[test]
fn the_margin_slider_changes_the_run_and_not_its_step() {
    let mut harness = window(&small(&[("loss.id", "arcface")]));
    let (generation, before) = (
        snapshot(&harness).generation,
        snapshot(&harness).head.values[0],
    );
    harness
        .get_by_role_and_label(Role::Slider, "margin m")
        .focus();
    harness.step();
    harness.key_press(Key::ArrowRight);
    wait_for(&mut harness, "another margin", |app| {
        app.snapshot().is_some_and(|s| s.head.values[0] > before)
    });
    assert_eq!(snapshot(&harness).generation, generation);
}

fn double_click(harness: &mut Harness<'_, App>, at: egui::Pos2) {
    harness.event(egui::Event::PointerMoved(at));
    for pressed in [true, false, true, false] {
        harness.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
    }
    harness.run_steps(3);
}

#[test]
fn a_double_click_brings_the_default_back() {
    for role in [Role::Slider, Role::SpinButton] {
        let settings = [("loss.id", "arcface"), ("loss.margin", "1.2")];
        let mut harness = window(&small(&settings));
        let default = (harness.state().experiment().loss.spec.params[0].default)(
            harness.state().experiment().setting(),
        );
        let at = harness.get_by_role_and_label(role, "margin m").rect();
        double_click(&mut harness, at.center());
        let margin = harness.state().experiment().loss_values()[0];
        assert!((margin - default).abs() < 1e-9, "{role:?}: {margin}");
    }
}

#[test]
fn two_classes_of_binary_cross_entropy_never_lead_into_a_refusal() {
    let binary = [("classes", "2"), ("loss.id", "binary_cross_entropy")];
    let mut harness = window(&small(&binary));
    harness.get_by_label("Classes").click();
    harness.run_steps(20); // the fold opens
    choose(&mut harness, "Data", "Rings");
    assert_eq!(loss_id(harness.state()), "binary_cross_entropy");
    assert_eq!(harness.state().experiment().n_classes(), 2);
    choose(&mut harness, "Number", "3");
    assert_eq!(loss_id(harness.state()), "softmax");
    assert_eq!(harness.state().experiment().n_classes(), 3);
}

#[test]
fn a_sphere_of_a_plane_run_asks_before_it_restarts() {
    let mut harness = window(&small(&[]));
    harness
        .get_by_role_and_label(Role::Button, "Sphere")
        .click();
    harness.run_steps(4);
    assert_eq!(harness.state().experiment().network.dim, 2);
    harness
        .get_by_role_and_label(Role::Button, "Start it in 3-D")
        .click();
    wait_for(&mut harness, "three dimensions", |app| {
        app.snapshot().is_some_and(|s| s.head.dim == 3)
    });
}

#[test]
fn whoever_does_something_else_has_answered_the_question() {
    let question = "Start it in 3-D";
    let answers: [fn(&mut Harness<'static, App>); 3] = [
        |harness| harness.key_press(Key::Escape),
        |harness| harness.key_press(Key::C),
        |harness| {
            harness
                .get_by_role_and_label(Role::Button, "CosFace")
                .click();
        },
    ];
    for answer in answers {
        let mut harness = window(&small(&[]));
        harness.key_press(Key::S);
        harness.run_steps(2);
        harness.get_by_role_and_label(Role::Button, question);
        answer(&mut harness);
        harness.run_steps(2);
        assert!(harness.query_by_label(question).is_none());
        assert_eq!(harness.state().experiment().network.dim, 2);
    }
}

/// Snapshots from before a click must not bring the old loss back for a moment.
#[test]
fn what_was_said_is_never_unsaid_by_an_older_snapshot() {
    let mut harness = window(&small(&[]));
    for (key, id) in [
        (Key::Num7, "arcface"),
        (Key::Num6, "cosface"),
        (Key::Num1, "softmax"),
    ] {
        harness.key_press(key);
        harness.step();
        harness.step();
        for _ in 0..20 {
            assert_eq!(loss_id(harness.state()), id);
            std::thread::sleep(Duration::from_millis(3));
            harness.step();
        }
    }
}

#[test]
fn the_last_two_classes_cannot_be_taken_out() {
    let mut experiment = Experiment::default();
    experiment.set("classes", "3,8").expect("two digits");
    let mut harness = window(&experiment);
    harness.get_by_label("Classes").click();
    harness.run_steps(20); // the fold opens
    for (class, n_after) in [("class 3", 2), ("class 5", 3), ("class 3", 2)] {
        harness.get_by_label(class).click();
        harness.run_steps(3);
        assert_eq!(harness.state().experiment().n_classes(), n_after);
    }
}

#[test]
fn binary_cross_entropy_is_offered_for_two_classes_only() {
    for (classes, is_offered) in [("4", false), ("2", true)] {
        let mut harness = window(&small(&[("data.classes", classes)]));
        harness
            .get_by_role_and_label(Role::Button, "More ▾")
            .click();
        harness.step();
        harness.step();
        let node = harness.get_by_label("Binary cross entropy");
        assert_eq!(node.accesskit_node().is_disabled(), !is_offered);
    }
}

#[test]
fn a_paused_window_asks_for_no_frames() {
    let mut harness = window(&small(&[]));
    harness.key_press(Key::Space);
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|s| !s.is_playing)
    });
    harness.run_steps(60); // the plane comes to rest within a second
    harness.run(); // panics if each frame asks for another
}

#[test]
fn every_view_lays_out_on_a_projector_and_on_a_large_screen() {
    for size in [[1024.0, 768.0], [1920.0, 1080.0]] {
        for (dim, view) in [("2", "plane"), ("2", "circle"), ("3", "sphere")] {
            let mut harness = window_of_size(
                &small(&[("loss.id", "arcface"), ("dim", dim), ("view.kind", view)]),
                size,
            );
            harness.step();
            let names = ["Pause", "Restart", "ArcFace", "Plane", "Sphere"];
            for name in names {
                let rect = harness.get_by_role_and_label(Role::Button, name).rect();
                assert!(
                    rect.max.x <= size[0] && rect.max.y <= size[1] && rect.min.x >= 0.0,
                    "{name} is cut at {size:?}"
                );
            }
        }
    }
}

#[test]
fn a_picture_is_saved_while_training_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut harness = window(&small(&[("loss.id", "arcface")]));
    harness
        .state_mut()
        .save_pictures_to(folder.path().to_owned());
    harness.step();
    harness.key_press_modifiers(Modifiers::SHIFT, Key::E);
    let picture = |_: &App| {
        std::fs::read_dir(folder.path()).is_ok_and(|mut files| {
            files.next().is_some_and(|file| {
                file.is_ok_and(|file| file.path().extension().is_some_and(|e| e == "png"))
            })
        })
    };
    wait_for(&mut harness, "a picture", picture);
    let file = std::fs::read_dir(folder.path())
        .expect("a folder")
        .next()
        .expect("a file")
        .expect("a file");
    let bytes = std::fs::read(file.path()).expect("a picture");
    assert!(
        bytes.starts_with(b"\x89PNG") && bytes.len() > 10_000,
        "{} bytes",
        bytes.len()
    );
    assert!(snapshot(&harness).is_playing);
}

#[test]
fn a_hint_covers_nothing_and_never_moves_the_picture() {
    let mut harness = window_of_size(&small(&[]), [1024.0, 768.0]);
    let before = harness.get_by_label_contains("picture:").rect();
    harness.run_steps(130); // more than six seconds
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(3);
    let hint = harness.get_by_label_contains("Choose another loss").rect();
    let news = harness.get_by_label("Nothing to undo").rect();
    let picture = harness.get_by_label_contains("picture:").rect();
    assert!(!hint.intersects(picture) && !hint.intersects(news));
    assert_eq!(picture, before);
    let more = harness.get_by_label("No more hints").rect();
    assert!(more.max.x <= picture.min.x && more.max.y <= 768.0, "{more}");
    harness.get_by_label("No more hints").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("No more hints").is_none());
    let after = harness.get_by_label_contains("picture:").rect();
    assert_eq!(after, before);
}
