//! Class weights that are dragged in the picture, turned by the keyboard, and pinned.

use super::*;

fn weight_of(app: &App, class: usize) -> Vec<f32> {
    let head = &app.snapshot().expect("a snapshot").head;
    head.weight(class).to_vec()
}

fn angle_deg(w: &[f32]) -> f32 {
    w[1].atan2(w[0]).to_degrees()
}

fn circle_at_rest() -> Harness<'static, App> {
    let mut harness = window(&small(&[("loss.id", "arcface")]));
    wait_for(&mut harness, "some steps", |app| {
        app.snapshot().is_some_and(|seen| seen.step > 50)
    });
    harness.get_by_role_and_label(Role::Button, "Pause").click();
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|seen| !seen.is_playing)
    });
    harness.run_steps(12); // nothing is waited for
    harness
}

/// Where the label of a class stands on the circle: at the share of its radius where labels do.
fn label_pos(harness: &Harness<'_, App>, angle_deg: f32) -> egui::Pos2 {
    let rect = harness.get_by_label_contains("picture:").rect();
    let app = harness.state();
    let size = [rect.width(), rect.height()];
    let scene = marginscope::scene::build(app.snapshot().expect("a snapshot"), app.view(), size);
    let labels = scene.groups.iter().find(|group| group.name == "labels");
    let items = &labels.expect("labels").items;
    let texts = items.iter().filter_map(|item| match item {
        marginscope::scene::Item::Text { pos, .. } => Some(egui::vec2(pos[0], pos[1])),
        _ => None,
    });
    let texts: Vec<egui::Vec2> = texts.collect();
    let middle = texts.iter().fold(egui::Vec2::ZERO, |sum, at| sum + *at) / texts.len() as f32;
    let along = egui::Vec2::angled(-angle_deg.to_radians());
    let nearest = texts.iter().copied().max_by(|a, b| {
        let cos = |at: egui::Vec2| (at - middle).normalized().dot(along);
        cos(*a).total_cmp(&cos(*b))
    });
    rect.min + nearest.expect("a label")
}

#[test]
fn a_weight_is_dragged_and_the_drag_is_undone() {
    let mut harness = circle_at_rest();
    let before = weight_of(harness.state(), 1);
    let from = label_pos(&harness, angle_deg(&before));
    harness.drag_at(from);
    harness.run_steps(2);
    for i in 1..=6 {
        harness.hover_at(from + egui::vec2(12.0, 12.0) * i as f32);
        harness.run_steps(2);
    }
    assert_eq!(
        harness.state().view().held,
        Some(marginscope::scene::Held::Weight(1))
    );
    harness.drop_at(from + egui::vec2(72.0, 72.0));
    wait_for(&mut harness, "another place", |app| {
        (angle_deg(&weight_of(app, 1)) - angle_deg(&before)).abs() > 5.0
    });
    harness.run_steps(12);
    let app = harness.state();
    assert_eq!(app.view().held, None);
    assert!(app.experiment().hold.pinned.is_empty(), "let go");
    let moved = weight_of(app, 1);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    wait_for(&mut harness, "its old place", |app| {
        weight_of(app, 1) == before
    });
    harness.run_steps(12);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Y);
    wait_for(&mut harness, "its new place", |app| {
        weight_of(app, 1) == moved
    });
}

#[test]
fn a_weight_is_turned_and_pinned_by_its_controls() {
    let mut harness = circle_at_rest();
    harness.get_by_label("Class weights").click();
    harness.run_steps(20);
    let before = angle_deg(&weight_of(harness.state(), 2));
    let angle = harness.get_by_role_and_label(Role::SpinButton, "angle of the weight of 2");
    angle.focus();
    harness.step();
    harness.key_press(Key::ArrowUp);
    wait_for(&mut harness, "another angle", |app| {
        (angle_deg(&weight_of(app, 2)) - before).abs() > 0.5
    });
    let pin = harness.get_by_role_and_label(Role::CheckBox, "pin the weight of 2");
    pin.click();
    wait_for(&mut harness, "a pinned weight", |app| {
        app.snapshot().is_some_and(|seen| seen.is_pinned(2))
    });
    let there = weight_of(harness.state(), 2);
    let step = snapshot(&harness).step;
    harness.get_by_role_and_label(Role::Button, "Play").click();
    wait_for(&mut harness, "more steps", |app| {
        app.snapshot().is_some_and(|seen| seen.step > step + 50)
    });
    assert_eq!(weight_of(harness.state(), 2), there);
}

#[test]
fn a_drag_stays_in_its_pane() {
    let mut harness = circle_at_rest();
    harness
        .get_by_role_and_label(Role::Button, "Compare")
        .click();
    harness.run_steps(6);
    let other = |app: &App| {
        let mut seen = app.snapshots().flatten();
        seen.next().map(|seen| seen.head.weights.clone())
    };
    let before = other(harness.state());
    // The second pane has the controls, and its label 1 lies somewhere else.
    let held = marginscope::scene::Held::Weight(1);
    let rects: Vec<egui::Rect> = harness
        .query_all_by_label_contains("picture:")
        .map(|node| node.rect())
        .collect();
    let app = harness.state();
    let size = [rects[1].width(), rects[1].height()];
    let scene = marginscope::scene::build(app.snapshot().expect("a snapshot"), app.view(), size);
    let labels = scene.groups.iter().find(|group| group.name == "labels");
    let at = labels
        .expect("labels")
        .items
        .iter()
        .find_map(|item| match item {
            marginscope::scene::Item::Text { pos, text, .. } if text == "1" => Some(*pos),
            _ => None,
        });
    let at = rects[1].min + egui::Vec2::from(at.expect("a label"));
    harness.drag_at(at);
    harness.run_steps(2);
    harness.hover_at(at + egui::vec2(8.0, 8.0));
    harness.run_steps(2);
    assert_eq!(harness.state().view().held, Some(held));
    harness.key_press(Key::W); // the controls to the other pane
    harness.hover_at(at + egui::vec2(20.0, 20.0));
    harness.run_steps(2);
    harness.drop_at(at + egui::vec2(30.0, 30.0));
    harness.run_steps(12);
    assert_eq!(harness.state().view().held, None);
    assert!(harness.state().experiment().hold.pinned.is_empty());
    assert_eq!(other(harness.state()), before, "the other run is as it was");
}
