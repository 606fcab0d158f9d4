//! The page of paper figures: reached from the menu, left by Esc, and each figure opens its run.

use super::*;

fn open_page(harness: &mut Harness<'_, App>) {
    for button in ["Open ▾", "Gallery…"] {
        harness.get_by_role_and_label(Role::Button, button).click();
        harness.run_steps(8); // a menu and a page find their size and fade in
    }
}

fn is_open(harness: &Harness<'_, App>) -> bool {
    harness
        .query_by_label_contains("L-Softmax over m")
        .is_some()
}

#[test]
fn escape_closes_the_page_and_leaves_the_run() {
    let mut harness = window(&small(&[]));
    let generation = snapshot(&harness).generation;
    open_page(&mut harness);
    assert!(is_open(&harness));
    harness.key_press(egui::Key::Escape);
    harness.step();
    harness.step();
    assert!(!is_open(&harness));
    assert_eq!(snapshot(&harness).generation, generation);
}

#[test]
fn a_figure_opens_its_experiment_and_keeps_the_theme() {
    let mut harness = window(&small(&[]));
    harness.ctx.set_theme(egui::ThemePreference::Dark);
    open_page(&mut harness);
    harness.get_by_label_contains("L-Softmax over m").click();
    wait_for(&mut harness, "the figure's run", |app| {
        let experiment = app.experiment();
        experiment.loss.spec.id == "l_softmax" && experiment.n_classes() == 10
    });
    harness.step();
    assert!(!is_open(&harness));
    assert_eq!(harness.ctx.theme(), egui::Theme::Dark);
    assert!(
        harness
            .query_by_label_contains("Drag m in the panel on the left")
            .is_some()
    );
}
