//! The card to draw on, found by role and name.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use marginscope::app::App;
use marginscope::scene::Verdict;

use super::*;
use crate::in_window::{loss_id, small, snapshot, wait_for, window as window_of};

fn digits() -> Experiment {
    experiment(DIGITS)
}

/// A window with the card open.
fn drawing() -> Harness<'static, App> {
    let mut harness = window_of(&digits());
    harness.get_by_role_and_label(Role::Button, "Draw").click();
    harness.run_steps(3);
    harness
}

fn canvas_name(n: usize) -> String {
    let strokes = if n == 1 { "stroke" } else { "strokes" };
    format!("canvas to draw on: {n} {strokes}")
}

fn press(harness: &mut Harness<'_, App>, pos: Pos2, pressed: bool) {
    harness.event(Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    });
}

/// A stroke over a canvas that has `n_before` of them, in shares of its sides.
fn draw(harness: &mut Harness<'_, App>, n_before: usize, points: &[[f32; 2]]) {
    let name = canvas_name(n_before);
    let rect = harness.get_by_role_and_label(Role::Canvas, &name).rect();
    let at = |[x, y]: [f32; 2]| rect.min + egui::vec2(x * rect.width(), y * rect.height());
    harness.event(Event::PointerMoved(at(points[0])));
    harness.step();
    press(harness, at(points[0]), true);
    harness.step();
    for &point in &points[1..] {
        harness.event(Event::PointerMoved(at(point)));
        harness.step();
    }
    press(harness, at(points[points.len() - 1]), false);
    harness.run_steps(2);
}

const SEVEN: &[[f32; 2]] = &[[0.3, 0.2], [0.5, 0.2], [0.7, 0.2], [0.55, 0.5], [0.45, 0.8]];

fn has_drawn(app: &App) -> bool {
    app.snapshot().is_some_and(|s| s.drawn.is_some())
}

#[test]
fn a_stroke_has_a_place_and_a_verdict_that_stand_beside_it() {
    let mut harness = drawing();
    assert!(snapshot(&harness).drawn.is_none());
    draw(&mut harness, 0, SEVEN);
    wait_for(&mut harness, "a place", has_drawn);
    harness.key_press(Key::Space);
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|s| !s.is_playing)
    });
    harness.run_steps(2);
    harness.get_by_label("what the network sees: the drawing in 28×28 pixels");
    let verdict = Verdict::of(snapshot(&harness)).expect("a verdict");
    let p = format!("p = {:.3}", verdict.probabilities[verdict.class]);
    harness.get_by_label(&p);
    for class in 0..10 {
        let angle = verdict.angles_rad[class].expect("a direction").to_degrees();
        let p = verdict.probabilities[class];
        harness.get_by_label(&format!(
            "drawing and class {class}: θ {angle:.1}°, p {p:.3}"
        ));
    }
}

#[test]
fn a_growing_stroke_moves_its_place_while_the_run_is_paused() {
    let mut harness = drawing();
    harness.key_press(Key::Space);
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|s| !s.is_playing)
    });
    draw(&mut harness, 0, &SEVEN[..3]);
    wait_for(&mut harness, "a place", has_drawn);
    let before = snapshot(&harness).drawn.clone();
    draw(&mut harness, 1, &SEVEN[2..]);
    wait_for(&mut harness, "another place", |app| {
        app.snapshot()
            .is_some_and(|s| s.drawn.is_some() && s.drawn != before)
    });
}

/// The network of now reads it, and what was recorded has no drawing.
#[test]
fn whoever_draws_looks_at_now() {
    let mut harness = drawing();
    wait_for(&mut harness, "some steps", |app| {
        app.snapshot().is_some_and(|s| s.step > 5)
    });
    harness.key_press(Key::Home);
    wait_for(&mut harness, "the start", |app| {
        app.snapshot().is_some_and(|s| s.step == 0)
    });
    draw(&mut harness, 0, SEVEN);
    wait_for(&mut harness, "a place at now", |app| {
        app.snapshot()
            .is_some_and(|s| s.drawn.is_some() && s.step > 5)
    });
}

#[test]
fn strokes_are_taken_away_one_by_one_or_all_at_once() {
    let mut harness = drawing();
    for name in ["Undo stroke", "Clear"] {
        let button = harness.get_by_role_and_label(Role::Button, name);
        assert!(
            button.accesskit_node().is_disabled(),
            "{name}: nothing is drawn"
        );
    }
    draw(&mut harness, 0, SEVEN);
    draw(&mut harness, 1, &[[0.4, 0.5], [0.65, 0.5]]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(1));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Y);
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(2));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(1));
    draw(&mut harness, 1, &[[0.4, 0.5], [0.65, 0.5]]);
    harness
        .get_by_role_and_label(Role::Button, "Undo stroke")
        .click();
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(1));
    wait_for(&mut harness, "a place", has_drawn);
    harness.get_by_role_and_label(Role::Button, "Clear").click();
    wait_for(&mut harness, "an empty canvas", |app| !has_drawn(app));
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(0));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    wait_for(&mut harness, "what was cleared", has_drawn);
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(1));
}

#[test]
fn what_was_done_last_is_undone_first() {
    let mut harness = drawing();
    draw(&mut harness, 0, SEVEN);
    harness.run_steps(12);
    harness.key_press(Key::Num6);
    harness.run_steps(12);
    assert_eq!(loss_id(harness.state()), "cosface");
    draw(&mut harness, 1, &[[0.4, 0.5], [0.65, 0.5]]);
    harness.run_steps(12);
    let undo = |harness: &mut Harness<'_, App>| {
        harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        harness.run_steps(3);
    };
    undo(&mut harness);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(1));
    assert_eq!(loss_id(harness.state()), "cosface");
    undo(&mut harness);
    assert_eq!(loss_id(harness.state()), "arcface");
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(1));
    undo(&mut harness);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(0));
    for n in [1, 1, 2] {
        harness.key_press_modifiers(Modifiers::COMMAND, Key::Y);
        harness.run_steps(3);
        harness.get_by_role_and_label(Role::Canvas, &canvas_name(n));
    }
    assert_eq!(loss_id(harness.state()), "cosface");
}

#[test]
fn a_closed_card_leaves_no_mark_and_keeps_its_strokes() {
    let mut harness = drawing();
    draw(&mut harness, 0, SEVEN);
    wait_for(&mut harness, "a place", has_drawn);
    harness
        .get_by_role_and_label(Role::Button, "Close the drawing")
        .click();
    wait_for(&mut harness, "no mark", |app| !has_drawn(app));
    harness.run_steps(2);
    assert!(harness.query_by_label(&canvas_name(1)).is_none());
    harness.key_press(Key::D);
    wait_for(&mut harness, "the mark again", has_drawn);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(1));
}

#[test]
fn keys_alone_draw() {
    let mut harness = drawing();
    harness
        .get_by_role_and_label(Role::Canvas, &canvas_name(0))
        .focus();
    harness.run_steps(2);
    harness.key_press(Key::ArrowUp);
    harness.run_steps(2);
    assert!(!has_drawn(harness.state()), "the pen is up");
    harness.key_press(Key::Space);
    harness.run_steps(2);
    for _ in 0..8 {
        harness.key_press(Key::ArrowDown);
        harness.step();
    }
    wait_for(&mut harness, "a place", has_drawn);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(1));
    assert!(
        snapshot(&harness).is_playing,
        "the canvas has the space bar for itself"
    );
    harness.key_press(Key::Space);
    harness.run_steps(2);
    harness.key_press(Key::ArrowRight);
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(1));
    harness.key_press(Key::Space);
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Canvas, &canvas_name(2));
}

#[test]
fn where_nothing_reads_images_the_button_says_why_and_the_key_does_nothing() {
    let mut harness = window_of(&small(&[]));
    let button = harness.get_by_role_and_label(Role::Button, "Draw");
    assert!(button.accesskit_node().is_disabled());
    harness.key_press(Key::D);
    harness.run_steps(3);
    assert!(harness.query_by_label(&canvas_name(0)).is_none());
    let why = harness.query_all_by_label("Drawing needs data of images: choose MNIST");
    assert!(why.count() > 0);
}

#[test]
fn the_card_has_room_in_presenter_view_too() {
    let mut harness = drawing();
    harness.key_press(Key::F5);
    harness.run_steps(3);
    draw(&mut harness, 0, SEVEN);
    wait_for(&mut harness, "a place", has_drawn);
}
