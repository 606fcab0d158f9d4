//! Class weights that are dragged in the picture, turned by the keyboard, and pinned.

use super::*;

fn weight_of(app: &App, class: usize) -> Vec<f32> {
    let head = &app.snapshot().expect("a snapshot").head;
    head.weight(class).to_vec()
}

/// The same once the worker has followed the hand.
fn weight_at_rest(harness: &mut Harness<'_, App>, class: usize) -> Vec<f32> {
    const N_FRAMES: usize = 20;
    let mut last = weight_of(harness.state(), class);
    let mut n_same = 0;
    while n_same < N_FRAMES {
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
        let now = weight_of(harness.state(), class);
        n_same = if now == last { n_same + 1 } else { 0 };
        last = now;
    }
    last
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

/// Where the picture begins, and the words of its labels with their places in it.
fn labels(harness: &Harness<'_, App>) -> (egui::Pos2, Vec<(String, egui::Vec2)>) {
    let rect = harness.get_by_label_contains("picture:").rect();
    let app = harness.state();
    let size = [rect.width(), rect.height()];
    let scene = marginscope::scene::build(app.snapshot().expect("a snapshot"), app.view(), size);
    let labels = scene.groups.iter().find(|group| group.name == "labels");
    let items = &labels.expect("labels").items;
    let texts = items.iter().filter_map(|item| match item {
        marginscope::scene::Item::Text { pos, text, .. } => {
            Some((text.clone(), egui::vec2(pos[0], pos[1])))
        }
        _ => None,
    });
    (rect.min, texts.collect())
}

/// Where the label of a class stands on the circle: at the share of its radius where labels do.
fn label_pos(harness: &Harness<'_, App>, angle_deg: f32) -> egui::Pos2 {
    let (origin, labels) = labels(harness);
    let texts: Vec<egui::Vec2> = labels.into_iter().map(|(_, at)| at).collect();
    let middle = texts.iter().fold(egui::Vec2::ZERO, |sum, at| sum + *at) / texts.len() as f32;
    let along = egui::Vec2::angled(-angle_deg.to_radians());
    let nearest = texts.iter().copied().max_by(|a, b| {
        let cos = |at: egui::Vec2| (at - middle).normalized().dot(along);
        cos(*a).total_cmp(&cos(*b))
    });
    origin + nearest.expect("a label")
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
    let moved = weight_at_rest(&mut harness, 1);
    let app = harness.state();
    assert_eq!(app.view().held, None);
    assert!(app.experiment().hold.pinned.is_empty(), "let go");
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

/// Where the label of a class stands in the picture.
fn place_of_label(harness: &Harness<'_, App>, class: usize) -> egui::Pos2 {
    let (origin, labels) = labels(harness);
    let mut labels = labels.into_iter();
    let label = labels.find(|(text, _)| *text == class.to_string());
    origin + label.expect("its label").1
}

/// Arrows are drawn longer by a factor that the longest of them has: the one that is held.
#[test]
fn a_weight_that_is_dragged_outwards_stays_under_the_pointer() {
    let mut harness = window(&small(&[("loss.id", "softmax"), ("view.kind", "plane")]));
    wait_for(&mut harness, "some steps", |app| {
        app.snapshot().is_some_and(|seen| seen.step > 50)
    });
    harness.get_by_role_and_label(Role::Button, "Pause").click();
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|seen| !seen.is_playing)
    });
    harness.run_steps(60); // the plane comes to rest
    let before = weight_of(harness.state(), 1);
    let from = place_of_label(&harness, 1);
    let middle = harness.get_by_label_contains("picture:").rect().center();
    let out = (from - middle).normalized();
    harness.drag_at(from);
    harness.run_steps(3);
    for i in 1..=12 {
        harness.hover_at(from + 10.0 * i as f32 * out);
        weight_at_rest(&mut harness, 1);
    }
    let to = from + 120.0 * out;
    let held = weight_at_rest(&mut harness, 1);
    let place = place_of_label(&harness, 1);
    assert!(place.distance(to) < 6.0, "{place:?} {to:?}");
    let length = |w: &[f32]| w[0].hypot(w[1]);
    let (grown, on_screen) = (
        length(&held) / length(&before),
        to.distance(middle) / from.distance(middle),
    );
    assert!((grown / on_screen - 1.0).abs() < 0.2, "{grown} {on_screen}");
    harness.drop_at(to);
    harness.run_steps(3);
    assert_eq!(harness.state().view().held_factor, None);
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

/// Takes the weight of a class by its label and moves it, without letting it go.
fn take(harness: &mut Harness<'_, App>, class: usize) -> egui::Pos2 {
    let from = label_pos(harness, angle_deg(&weight_of(harness.state(), class)));
    harness.drag_at(from);
    harness.run_steps(2);
    for i in 1..=6 {
        harness.hover_at(from + egui::vec2(12.0, 12.0) * i as f32);
        harness.run_steps(2);
    }
    let held = marginscope::scene::Held::Weight(class);
    assert_eq!(harness.state().view().held, Some(held));
    from + egui::vec2(72.0, 72.0)
}

fn drag(harness: &mut Harness<'_, App>, class: usize) {
    let before = weight_of(harness.state(), class);
    let to = take(harness, class);
    harness.drop_at(to);
    wait_for(harness, "another place", |app| {
        (angle_deg(&weight_of(app, class)) - angle_deg(&before)).abs() > 5.0
    });
    harness.run_steps(12);
}

#[test]
fn escape_ends_a_drag_and_the_weight_goes_back() {
    let mut harness = circle_at_rest();
    let before = weight_of(harness.state(), 1);
    let at = take(&mut harness, 1);
    wait_for(&mut harness, "another place", |app| {
        weight_of(app, 1) != before
    });
    harness.key_press(Key::Escape);
    harness.run_steps(2);
    assert_eq!(harness.state().view().held, None);
    harness.hover_at(at + egui::vec2(30.0, 30.0));
    harness.run_steps(2);
    harness.drop_at(at + egui::vec2(40.0, 40.0));
    wait_for(&mut harness, "its old place", |app| {
        weight_of(app, 1) == before
    });
    harness.run_steps(12);
    assert_eq!(weight_of(harness.state(), 1), before);
    assert!(harness.state().experiment().hold.pinned.is_empty());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(2);
    harness.get_by_label("Nothing to undo");
}

#[test]
fn a_drag_is_not_undone_in_another_run() {
    let mut harness = circle_at_rest();
    harness.run_steps(12);
    drag(&mut harness, 1);
    let generation = snapshot(&harness).generation;
    harness.key_press(Key::R);
    wait_for(&mut harness, "another run", |app| {
        app.snapshot()
            .is_some_and(|seen| seen.generation > generation)
    });
    assert!(!snapshot(&harness).is_playing, "it rests as before");
    harness.run_steps(12);
    let before = weight_of(harness.state(), 1);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(12);
    harness.get_by_label("Nothing to undo");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Y);
    harness.run_steps(12);
    assert_eq!(weight_of(harness.state(), 1), before);
}

#[test]
fn a_drag_is_undone_and_made_again_after_more_training() {
    let mut harness = circle_at_rest();
    let before = weight_of(harness.state(), 1);
    drag(&mut harness, 1);
    let dragged = weight_at_rest(&mut harness, 1);
    let step = snapshot(&harness).step;
    harness.key_press(Key::Space);
    wait_for(&mut harness, "more steps", |app| {
        app.snapshot().is_some_and(|seen| seen.step > step + 200)
    });
    harness.key_press(Key::Space);
    wait_for(&mut harness, "a pause", |app| {
        app.snapshot().is_some_and(|seen| !seen.is_playing)
    });
    harness.run_steps(12);
    assert_ne!(weight_of(harness.state(), 1), dragged, "it was trained");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    wait_for(&mut harness, "its old place", |app| {
        weight_of(app, 1) == before
    });
    harness.run_steps(12);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Y);
    wait_for(&mut harness, "the place it was dragged to", |app| {
        weight_of(app, 1) == dragged
    });
}

#[test]
fn many_class_weights_have_a_list_of_bounded_height() {
    let mut harness = window(&small(&[("data.classes", "20")]));
    harness.get_by_label("Class weights").click();
    harness.run_steps(20);
    harness.get_by_label_contains("A pinned weight stays where it is");
    let pin = |harness: &Harness<'_, App>, class: usize| {
        let label = format!("pin the weight of {class}");
        let pin = harness.query_by_role_and_label(Role::CheckBox, &label);
        pin.map(|pin| pin.rect())
    };
    let first = pin(&harness, 0).expect("the first one");
    assert!(pin(&harness, 19).is_none(), "it is further down");
    let view = harness.get_by_label("View").rect();
    // Ten classes are all in sight, twenty are not.
    let height = view.top() - first.top();
    assert!((280.0..320.0).contains(&height), "{view:?} {first:?}");
    let tenth = pin(&harness, 9).expect("the tenth");
    assert!(tenth.bottom() < view.top(), "{tenth:?} {view:?}");
    harness.hover_at(first.center());
    for _ in 0..30 {
        harness.event(egui::Event::MouseWheel {
            source: egui::MouseWheelSource::Wheel,
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -60.0),
            phase: egui::TouchPhase::Move,
            modifiers: Modifiers::NONE,
        });
        harness.step();
    }
    harness.run_steps(20);
    assert!(
        pin(&harness, 19).is_some(),
        "it is there once it is scrolled to"
    );
}
