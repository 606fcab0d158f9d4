//! Single samples in the window: under the pointer, kept, gone through; which of them are drawn;
//! and how fast they move.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

#[path = "common/window.rs"]
mod common;

use std::collections::HashMap;

use common::{choose, small, snapshot, wait_for, window, window_of_size};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use marginscope::app::{App, theme};
use marginscope::experiment::Experiment;
use marginscope::figure::Opening;
use marginscope::scene;
use marginscope::scene::{Curves, Light, Microscope, WINDOW_SAGITTA, is_pulled};
use marginscope::trainer::Subset;

/// A window at rest, its plane as well, and without hints, which take the foot of the left panel.
fn paused(experiment: &Experiment, size: [f32; 2]) -> Harness<'static, App> {
    const MOST_FRAMES: usize = 2000;
    let mut harness = window_of_size(experiment, size);
    wait_for(&mut harness, "some steps", |app| {
        app.snapshot().is_some_and(|snapshot| snapshot.step > 50)
    });
    harness.key_press(Key::Space);
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|s| !s.is_playing)
    });
    let has_hint = |harness: &Harness<'_, App>| harness.query_by_label("No more hints").is_some();
    for _ in 0..MOST_FRAMES {
        if has_hint(&harness) {
            break;
        }
        harness.step();
    }
    harness.run_steps(2); // it has found its height
    harness.get_by_label("No more hints").click();
    harness.run_steps(60);
    assert!(!has_hint(&harness));
    harness
}

const SIZE: [f32; 2] = [1280.0, 800.0];
/// High enough for a fold of the left panel to be seen without scrolling.
const HIGH: [f32; 2] = [1280.0, 900.0];

fn picture(harness: &Harness<'_, App>) -> Rect {
    harness.get_by_role(Role::Canvas).rect()
}

/// Where a sample's dot is on the screen.
fn spot(harness: &Harness<'_, App>, sample: usize) -> Pos2 {
    let rect = picture(harness);
    let snapshot = snapshot(harness);
    let curves = Curves::of(snapshot, WINDOW_SAGITTA);
    let view = harness.state().view();
    let spot = scene::spot(snapshot, &curves, view, rect.size().into(), sample);
    rect.min + Vec2::from(spot.expect("a place").at)
}

/// A place in the picture with no dot near.
fn empty_ground(harness: &Harness<'_, App>) -> Pos2 {
    let rect = picture(harness);
    let size: [f32; 2] = rect.size().into();
    let picture = scene::build(snapshot(harness), harness.state().view(), size);
    let places = (1..40).map(|i| [4.0 + 3.0 * i as f32, 80.0 + 10.0 * i as f32]);
    let mut empty = places.filter(|&at| scene::pick(&picture, at).is_none());
    rect.min + Vec2::from(empty.next().expect("some ground"))
}

fn move_to(harness: &mut Harness<'_, App>, at: Pos2) {
    harness.hover_at(at);
    harness.run_steps(2);
}

fn click(harness: &mut Harness<'_, App>, at: Pos2) {
    move_to(harness, at);
    for pressed in [true, false] {
        button(harness, at, pressed);
    }
    harness.run_steps(6); // the next click is no double click
}

fn button(harness: &mut Harness<'_, App>, pos: Pos2, pressed: bool) {
    harness.event(Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    });
    harness.step();
}

fn kept(harness: &Harness<'_, App>) -> Option<usize> {
    harness.state().view().kept
}

#[test]
fn the_card_of_the_sample_under_the_pointer_says_which_one_it_is() {
    let mut harness = paused(&small(&[]), SIZE);
    for sample in [0, 17, 39] {
        let at = spot(&harness, sample);
        move_to(&mut harness, at);
        let found = {
            let card = harness.get_by_label_contains("test sample ");
            card.accesskit_node().value().expect("its words")
        };
        // Another one may lie on top of it: then the card is about that one.
        let snapshot = snapshot(&harness);
        let x = |index: u32| {
            let x = snapshot
                .split()
                .vector(index as usize)
                .expect("coordinates");
            format!(
                "test sample {} at ({}, {})",
                index + 1,
                scene::signed(x[0].into(), 2),
                scene::signed(x[1].into(), 2)
            )
        };
        let near = (0..snapshot.probe.len()).filter(|&i| spot(&harness, i).distance(at) < 3.0);
        let names: Vec<String> = near.map(|i| x(snapshot.probe.indices[i])).collect();
        assert!(names.contains(&found), "{found}: {names:?}");
    }
    let away = empty_ground(&harness);
    move_to(&mut harness, away);
    assert!(harness.query_by_label_contains("test sample ").is_none());
}

#[test]
fn the_card_keeps_within_the_picture_and_off_the_dot() {
    for size in [SIZE, [800.0, 560.0]] {
        let mut harness = paused(&small(&[]), size);
        for sample in (0..40).step_by(7) {
            let at = spot(&harness, sample);
            move_to(&mut harness, at);
            let words = harness.get_by_label_contains("test sample ").rect();
            assert!(picture(&harness).contains_rect(words), "{words:?}");
            assert!(!words.expand(8.0).contains(at), "{words:?} {at:?}");
        }
    }
}

#[test]
fn images_are_shown_and_free_embeddings_have_neither_image_nor_coordinates() {
    let mut mnist = Experiment::default();
    for (key, value) in [("network.kind", "mlp:16"), ("samples", "20")] {
        mnist.set(key, value).expect("a valid setting");
    }
    let mut harness = paused(&mnist, SIZE);
    let at = spot(&harness, 3);
    move_to(&mut harness, at);
    harness.get_by_label_contains("image of class");
    let free = small(&[("data.source", "free"), ("network.kind", "none")]);
    let mut harness = paused(&free, SIZE);
    let at = spot(&harness, 3);
    move_to(&mut harness, at);
    assert!(harness.query_by_label_contains("image of class").is_none());
    let card = harness.get_by_label_contains("training sample ");
    let words = card.accesskit_node().value().expect("its words");
    assert!(!words.contains('('), "{words}");
}

#[test]
fn a_click_keeps_a_sample_and_four_ways_let_it_go() {
    let ways: [fn(&mut Harness<'static, App>); 4] = [
        |harness| {
            let ground = empty_ground(harness);
            click(harness, ground);
        },
        |harness| harness.key_press(Key::Escape),
        |harness| {
            let close = (Role::Button, "Let the sample go");
            harness.get_by_role_and_label(close.0, close.1).click();
        },
        |harness| choose(harness, "Data", "Rings"),
    ];
    let mut harness = paused(&small(&[]), SIZE);
    for let_go in ways {
        let at = spot(&harness, 11);
        click(&mut harness, at);
        let sample = kept(&harness).expect("a kept sample");
        assert!(spot(&harness, sample).distance(at) < 8.0);
        let label = snapshot(&harness).probe.labels[sample];
        let name = snapshot(&harness).class_names[usize::from(label)].clone();
        // One row a class, and the arrow's rule.
        assert_eq!(harness.query_all_by_label_contains(": θ ").count(), 4);
        harness.get_by_label_contains(&format!("class {name}: θ "));
        let seen = Microscope::of(snapshot(&harness), sample).expect("a sample");
        let about_marks = if is_pulled(&seen) {
            "downhill"
        } else {
            "practically 0"
        };
        harness.get_by_label_contains(about_marks);
        let_go(&mut harness);
        wait_for(&mut harness, "a free lens", |app| app.view().kept.is_none());
        harness.run_steps(3);
        assert!(harness.query_by_label("Next sample").is_none());
    }
}

#[test]
fn dragging_moves_the_picture_and_keeps_nothing() {
    for (dim, view) in [("2", "plane"), ("3", "sphere")] {
        let mut harness = paused(&small(&[("dim", dim), ("view.kind", view)]), SIZE);
        let at = spot(&harness, 5);
        let before = harness.state().view().clone();
        move_to(&mut harness, at);
        button(&mut harness, at, true);
        for step in 1..=5 {
            harness.hover_at(at + Vec2::new(12.0 * step as f32, 3.0));
            harness.step();
        }
        button(&mut harness, at + Vec2::new(60.0, 3.0), false);
        harness.run_steps(3);
        let after = harness.state().view();
        assert_eq!(after.kept, None);
        assert!(after.plane != before.plane || after.sphere != before.sphere);
    }
}

#[test]
fn samples_are_gone_through_by_keys_by_buttons_and_in_the_focused_picture() {
    let mut harness = paused(&small(&[]), SIZE);
    let n = snapshot(&harness).probe.len();
    harness.key_press(Key::N);
    harness.run_steps(2);
    assert_eq!(kept(&harness), Some(0));
    harness.key_press_modifiers(Modifiers::SHIFT, Key::N);
    harness.run_steps(2);
    assert_eq!(kept(&harness), Some(n - 1));
    for (button, expected) in [
        ("Next sample", 0),
        ("Next sample", 1),
        ("Previous sample", 0),
    ] {
        harness.get_by_role_and_label(Role::Button, button).click();
        harness.run_steps(3);
        assert_eq!(kept(&harness), Some(expected), "{button}");
    }
    let step = snapshot(&harness).step;
    harness.get_by_role(Role::Canvas).focus();
    harness.run_steps(2);
    for (key, expected) in [
        (Key::ArrowRight, 1),
        (Key::ArrowRight, 2),
        (Key::ArrowLeft, 1),
    ] {
        harness.key_press(key);
        harness.run_steps(2);
        assert_eq!(kept(&harness), Some(expected), "{key:?}");
    }
    let ground = empty_ground(&harness);
    move_to(&mut harness, ground);
    harness.key_press(Key::Space);
    harness.run_steps(5);
    assert_eq!(kept(&harness), Some(1), "space points at nothing");
    assert_eq!(
        snapshot(&harness).step,
        step,
        "arrows go to the picture alone"
    );
}

#[test]
fn a_kept_sample_outlives_steps_a_restart_and_other_samples_that_hold_it() {
    let mut harness = paused(&small(&[]), SIZE);
    harness.key_press(Key::N);
    harness.run_steps(2);
    let index = |harness: &Harness<'_, App>| {
        let sample = kept(harness)?;
        Some(snapshot(harness).probe.indices[sample])
    };
    let first = index(&harness).expect("a kept sample");
    harness.key_press(Key::ArrowRight);
    harness.key_press(Key::R);
    wait_for(&mut harness, "a new run", |app| {
        app.snapshot().is_some_and(|s| s.generation > 1)
    });
    assert_eq!(index(&harness), Some(first));
    // The same sample stands elsewhere among all, and is not among the training samples.
    for (subset, expected) in [
        (Subset::Test(7), None),
        (Subset::Test(80), None),
        (Subset::Train(80), None),
    ] {
        harness.key_press(Key::N);
        harness.run_steps(2);
        let before = index(&harness);
        harness.state_mut().show(subset);
        wait_for(&mut harness, "other samples", |app| {
            app.snapshot().is_some_and(|s| match subset {
                Subset::Test(n) | Subset::Train(n) => {
                    s.probe.len() == n.min(160)
                        && s.probe.is_train == matches!(subset, Subset::Train(_))
                }
            })
        });
        let is_there = before.is_some_and(|index| {
            let probe = &snapshot(&harness).probe;
            !probe.is_train && probe.indices.contains(&index)
        });
        assert_eq!(index(&harness), before.filter(|_| is_there).or(expected));
    }
    assert_eq!(kept(&harness), None, "no training sample was kept");
}

#[test]
fn without_panels_the_kept_sample_has_its_card_over_the_picture() {
    let mut harness = paused(&small(&[("loss.id", "arcface")]), SIZE);
    harness.key_press(Key::N);
    harness.key_press(Key::F5);
    harness.run_steps(5);
    let button = harness.get_by_role_and_label(Role::Button, "Next sample");
    assert!(picture(&harness).contains_rect(button.rect()));
    harness.get_by_label_contains("→ ψ = ");
}

#[test]
fn many_classes_have_a_short_table() {
    let mut harness = paused(&small(&[("data.classes", "20")]), SIZE);
    harness.key_press(Key::N);
    harness.run_steps(3);
    assert_eq!(harness.query_all_by_label_contains(": θ ").count(), 10);
    harness.get_by_label_contains("10 more, together p = ");
}

#[test]
fn escape_closes_the_list_of_keys_before_it_lets_the_sample_go() {
    let mut harness = paused(&small(&[]), SIZE);
    harness.key_press(Key::N);
    harness.key_press(Key::Questionmark);
    harness.run_steps(3);
    harness.get_by_label("faster");
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(harness.query_by_label("faster").is_none());
    assert!(kept(&harness).is_some());
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert_eq!(kept(&harness), None);
}

#[test]
fn the_speed_is_chosen_from_a_list_and_by_keys() {
    let mut harness = window(&small(&[]));
    let speed = |harness: &Harness<'_, App>| {
        let list = harness.get_by_role_and_label(Role::ComboBox, "speed");
        list.accesskit_node().value().expect("a value")
    };
    assert_eq!(speed(&harness), "full");
    choose(&mut harness, "speed", "One step a second");
    assert_eq!(speed(&harness), "1/s");
    let slow = |app: &App| {
        app.snapshot()
            .is_some_and(|s| (1.0..200.0).contains(&s.samples_per_second))
    };
    wait_for(&mut harness, "a slow run", slow);
    let step = snapshot(&harness).step;
    wait_for(&mut harness, "the next step", |app| {
        app.snapshot().is_some_and(|s| s.step > step)
    });
    // Full speed would have made thousands meanwhile.
    assert!(snapshot(&harness).step < step + 20);
    for (key, expected) in [
        (Key::Comma, "1/s"),
        (Key::Period, "4/s"),
        (Key::Period, "10/s"),
        (Key::Comma, "4/s"),
    ] {
        harness.key_press(key);
        harness.run_steps(2);
        assert_eq!(speed(&harness), expected);
    }
    // A step that is asked for is made at once, and then nothing moves.
    harness.key_press(Key::ArrowRight);
    wait_for(&mut harness, "rest", |app| {
        app.snapshot().is_some_and(|s| !s.is_playing)
    });
}

#[test]
fn chips_choose_the_classes_that_are_drawn_and_other_data_bring_all_back() {
    let mut harness = paused(&small(&[]), HIGH);
    harness.get_by_label("View").click();
    harness.run_steps(20); // the fold opens
    harness.get_by_label("draw class 2").click();
    harness.run_steps(8);
    let shown = |harness: &Harness<'_, App>| -> Vec<bool> {
        (0..4)
            .map(|class| harness.state().view().classes.shows(class))
            .collect()
    };
    assert_eq!(shown(&harness), [true, true, false, true]);
    for (button, expected) in [("None", false), ("All", true)] {
        harness.get_by_role_and_label(Role::Button, button).click();
        harness.run_steps(8);
        assert_eq!(shown(&harness), [expected; 4], "{button}");
    }
    let at = harness.get_by_label("draw class 1").rect().center();
    move_to(&mut harness, at);
    for _ in 0..2 {
        button(&mut harness, at, true);
        button(&mut harness, at, false);
    }
    harness.run_steps(3);
    assert_eq!(shown(&harness), [false, true, false, false], "alone");
    let [label, prediction] = [1, 3];
    harness.state_mut().view_mut().light = Light::TakenFor { label, prediction };
    choose(&mut harness, "Data", "Rings");
    wait_for(&mut harness, "all classes", |app| {
        app.view().classes.shows_all()
    });
    assert_eq!(harness.state().view().light, Light::All);
}

/// What is kept between starts, in memory.
#[derive(Default)]
struct Memory(HashMap<String, String>);

impl eframe::Storage for Memory {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }

    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }

    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }

    fn flush(&mut self) {}
}

#[test]
fn switches_and_chosen_classes_are_kept_between_starts() {
    let mut harness = window_of_size(&small(&[]), HIGH);
    harness.get_by_label("View").click();
    harness.run_steps(20);
    for name in ["Trails", "Gradient arrows", "Feature length"] {
        harness.get_by_role_and_label(Role::CheckBox, name).click();
        harness.run_steps(8);
    }
    harness.get_by_label("draw class 3").click();
    harness.run_steps(8);
    let mut memory = Memory::default();
    eframe::App::save(harness.state_mut(), &mut memory);
    let restarted = |is_default: bool| {
        let ctx = egui::Context::default();
        theme::install(&ctx);
        let mut cc = eframe::CreationContext::_new_kittest(ctx);
        cc.storage = Some(&memory);
        App::new(
            &cc,
            Opening {
                is_default,
                ..small(&[]).into()
            },
            1,
        )
        .expect("training starts")
    };
    let app = restarted(true);
    let show = app.view().show;
    assert!(show.trails && show.arrows && show.lengths);
    assert!(!app.view().classes.shows(3) && app.view().classes.shows(2));
    // Classes are those of the last session's data.
    assert!(restarted(false).view().classes.shows_all());
}

#[test]
fn panes_are_kept_between_starts() {
    let mut harness = window(&small(&[]));
    harness
        .get_by_role_and_label(Role::Button, "Compare")
        .click();
    harness.run_steps(3);
    harness
        .get_by_role_and_label(Role::Button, "ArcFace")
        .click();
    harness.run_steps(3);
    let mut memory = Memory::default();
    eframe::App::save(harness.state_mut(), &mut memory);
    let ctx = egui::Context::default();
    theme::install(&ctx);
    let mut cc = eframe::CreationContext::_new_kittest(ctx);
    cc.storage = Some(&memory);
    let opening = Opening {
        is_default: true,
        ..Experiment::default().into()
    };
    let app = App::new(&cc, opening, 1).expect("training starts");
    assert_eq!(app.snapshots().count(), 2);
    let experiment = app.experiment();
    assert_eq!(
        experiment.loss.spec.id, "arcface",
        "the one that had the controls has them"
    );
    assert_eq!(experiment.data.source.id(), "blobs");
}

/// What a click on the confusion matrix lights, Esc lets go, once no sample is kept.
#[test]
fn escape_lets_the_sample_go_and_then_lights_all() {
    let mut harness = paused(&small(&[]), SIZE);
    harness.state_mut().view_mut().light = Light::Wrong;
    harness.key_press(Key::N);
    harness.run_steps(3);
    assert!(harness.state().view().kept.is_some());
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert_eq!(harness.state().view().kept, None);
    assert_eq!(harness.state().view().light, Light::Wrong);
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert_eq!(harness.state().view().light, Light::All);
}
