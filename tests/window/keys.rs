//! Keys while a control has the focus: only those that it takes itself are silent.

use super::*;

#[test]
fn a_focused_button_takes_space_and_enter_alone() {
    let mut harness = window(&small(&[]));
    let button = harness.get_by_role_and_label(Role::Button, "ArcFace");
    button.focus();
    harness.run_steps(2);
    harness.key_press(Key::Num6);
    wait_for(&mut harness, "CosFace", |app| loss_id(app) == "cosface");
    harness.key_press(Key::P);
    harness.run_steps(2);
    assert_eq!(harness.state().view().kind.id(), "plane");
    let generation = snapshot(&harness).generation;
    harness.key_press(Key::R);
    wait_for(&mut harness, "another run", |app| {
        app.snapshot()
            .is_some_and(|seen| seen.generation > generation)
    });
    harness.key_press(Key::Space);
    wait_for(&mut harness, "ArcFace", |app| loss_id(app) == "arcface");
    harness.run_steps(3);
    assert!(snapshot(&harness).is_playing, "space was the button's");
}

#[test]
fn a_focused_slider_takes_the_arrows() {
    let mut harness = window(&small(&[("loss.id", "arcface")]));
    harness.key_press(Key::Space);
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|seen| !seen.is_playing)
    });
    let step = snapshot(&harness).step;
    let slider = harness.get_by_role_and_label(Role::Slider, "margin m");
    slider.focus();
    harness.run_steps(2);
    let margin = |app: &App| app.experiment().loss_values()[0];
    let before = margin(harness.state());
    harness.key_press(Key::ArrowRight);
    wait_for(&mut harness, "another margin", |app| margin(app) > before);
    harness.run_steps(3);
    assert_eq!(snapshot(&harness).step, step, "no training step");
    harness.key_press(Key::Num1);
    wait_for(&mut harness, "softmax", |app| loss_id(app) == "softmax");
}

#[test]
fn a_number_that_is_typed_is_no_key() {
    let mut harness = window(&small(&[("loss.id", "arcface")]));
    let number = harness.get_by_role_and_label(Role::SpinButton, "margin m");
    number.focus();
    harness.run_steps(2);
    let generation = snapshot(&harness).generation;
    for key in [Key::Num1, Key::R, Key::P, Key::A] {
        harness.key_press(key);
        harness.run_steps(2);
    }
    assert_eq!(loss_id(harness.state()), "arcface");
    assert_eq!(harness.state().view().kind.id(), "circle");
    assert_eq!(snapshot(&harness).generation, generation);
    assert_eq!(harness.state().snapshots().count(), 1);
}

#[test]
fn a_focused_timeline_leaves_the_other_keys() {
    let mut harness = window(&small(&[]));
    wait_for(&mut harness, "some steps", |app| {
        app.snapshot().is_some_and(|seen| seen.step > 50)
    });
    harness.get_by_label("timeline").focus();
    harness.run_steps(2);
    harness.key_press(Key::Home);
    harness.run_steps(3);
    assert_eq!(snapshot(&harness).step, 0);
    harness.key_press(Key::Num7);
    wait_for(&mut harness, "ArcFace", |app| loss_id(app) == "arcface");
}

/// Where the control is that has the focus, and its name.
fn focused(harness: &Harness<'_, App>) -> (egui::Rect, String) {
    let has_focus = |node: &egui_kittest::kittest::AccessKitNode<'_>| node.is_focused();
    let node = harness.get(egui_kittest::kittest::by().predicate(has_focus));
    let name = node.accesskit_node().label().unwrap_or_default();
    (node.rect(), name)
}

/// Presses Tab from a control until the focus is on the other one; every control on the way has to
/// be in sight.
fn tab_from_to(harness: &mut Harness<'_, App>, from: &str, to: &str) {
    const FOR_SCROLLING: usize = 10; // frames
    const BAR: f32 = 40.0; // the timeline
    harness.get_by_label(from).focus();
    harness.run_steps(FOR_SCROLLING);
    let height = harness.ctx.content_rect().height();
    for _ in 0..500 {
        let (rect, name) = focused(harness);
        let y = rect.y_range();
        assert!(y.min >= 0.0 && y.max <= height - BAR, "{name} at {y:?}");
        if name == to {
            return;
        }
        harness.key_press(Key::Tab);
        harness.run_steps(FOR_SCROLLING);
    }
    panic!("{to} is not reached from {from}");
}

#[test]
fn whatever_has_the_focus_is_in_sight() {
    let many = [("data.classes", "40"), ("data.samples", "10")];
    let mut harness = window_of_size(&small(&many), [1024.0, 600.0]);
    harness.key_press(Key::Space);
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|seen| !seen.is_playing)
    });
    harness.get_by_label("Optimiser").click();
    harness.run_steps(10);
    tab_from_to(&mut harness, "Optimiser", "Class weights");
    harness.key_press(Key::Space);
    harness.run_steps(10);
    tab_from_to(&mut harness, "Class weights", "pin the weight of 39");
    tab_from_to(&mut harness, "pin the weight of 39", "View");
}
