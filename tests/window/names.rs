//! Every control has a name and a role for whoever does not see it, whatever the window shows.

use super::*;

/// What can be operated and says nothing: its role and place.
fn nameless(harness: &Harness<'_, App>) -> Vec<String> {
    let is_control = |node: &egui_kittest::kittest::AccessKitNode<'_>| {
        let role = node.role();
        let is_one = matches!(
            role,
            Role::Button
                | Role::CheckBox
                | Role::RadioButton
                | Role::Slider
                | Role::SpinButton
                | Role::ComboBox
                | Role::TextInput
                | Role::Link
                | Role::Canvas
        );
        let name = node.label().unwrap_or_default();
        is_one && name.trim().is_empty()
    };
    let found = harness.query_all(egui_kittest::kittest::by().predicate(is_control));
    let place = |node: egui_kittest::Node<'_>| {
        let role = node.accesskit_node().role();
        format!("{role:?} at {:?}", node.rect())
    };
    found.map(place).collect()
}

#[track_caller]
fn check(harness: &mut Harness<'_, App>, mode: &str) {
    harness.run_steps(12);
    let nameless = nameless(harness);
    assert!(nameless.is_empty(), "{mode}: {nameless:?}");
}

fn click(harness: &mut Harness<'_, App>, name: &str) {
    harness.get_by_role_and_label(Role::Button, name).click();
    harness.run_steps(8);
}

#[test]
fn every_control_has_a_name_in_every_mode() {
    let high = [1280.0, 1600.0]; // for all that is folded
    let mut harness = window_of_size(&small(&[("loss.id", "arcface")]), high);
    check(&mut harness, "plain");
    for fold in [
        "Classes",
        "Optimiser",
        "Class weights",
        "View",
        "Margin map",
        "Confusion",
        "Neural collapse",
    ] {
        harness.get_by_label(fold).click();
        harness.run_steps(8);
    }
    check(&mut harness, "unfolded");
    for menu in ["More ▾", "Open ▾", "Export ▾"] {
        click(&mut harness, menu);
        check(&mut harness, menu);
        harness.key_press(Key::Escape);
        harness.run_steps(4);
    }
    harness.key_press(Key::Space);
    harness.key_press(Key::Home);
    check(&mut harness, "looking back");
    click(&mut harness, "Compare");
    click(&mut harness, "+ Pane");
    check(&mut harness, "three panes");
    harness.key_press(Key::F5);
    check(&mut harness, "presenter view");
    harness.key_press(Key::B);
    check(&mut harness, "spotlight");
    harness.key_press(Key::F5);
    harness.key_press(Key::Questionmark);
    check(&mut harness, "list of keys");
}

#[test]
fn every_control_of_a_page_has_a_name() {
    for page in ["Own data…", "Gallery…"] {
        let mut harness = window(&small(&[]));
        click(&mut harness, "Open ▾");
        click(&mut harness, page);
        check(&mut harness, page);
    }
    let mut harness = window(&small(&[]));
    click(&mut harness, "Learn");
    check(&mut harness, "lessons");
}

#[test]
fn presenter_view_says_that_one_looks_back_and_leads_to_now() {
    let mut harness = window(&small(&[("loss.id", "arcface")]));
    wait_for(&mut harness, "some steps", |app| {
        app.snapshot().is_some_and(|seen| seen.step > 5)
    });
    harness.key_press(Key::F5);
    harness.run_steps(3);
    assert!(harness.query_by_label("Back to now").is_none());
    harness.key_press(Key::Home);
    harness.run_steps(3);
    harness.get_by_label_contains("step 0 of ");
    harness.get_by_label("Back to now").click();
    wait_for(&mut harness, "now", |app| {
        app.snapshot().is_some_and(|seen| seen.step > 5)
    });
    harness.run_steps(2);
    assert!(harness.query_by_label("Back to now").is_none());
}

#[test]
fn presenter_view_has_one_slider_and_the_keys_of_a_clicker() {
    let mut harness = window(&small(&[("loss.id", "softmax")]));
    harness.key_press(Key::F5);
    harness.run_steps(6);
    harness.key_press(Key::PageUp);
    wait_for(&mut harness, "the last loss", |app| {
        loss_id(app) == "arcface"
    });
    harness.run_steps(4);
    let sliders = harness.query_all_by_role(Role::Slider);
    assert_eq!(sliders.count(), 1, "one slider and no timeline");
    assert!(harness.query_by_label("Plane").is_none());
    harness.key_press(Key::PageDown);
    wait_for(&mut harness, "the first loss", |app| {
        loss_id(app) == "softmax"
    });
    let zoom = harness.ctx.zoom_factor();
    assert!(zoom > 1.2, "{zoom}");
    harness.key_press(Key::F5);
    harness.run_steps(4);
    assert_eq!(harness.ctx.zoom_factor(), 1.0);
}
