//! What can be undone, and what a drag leaves to be undone.

use super::*;

/// Longer than a change takes to be done.
const DONE: usize = 12;

fn press(harness: &mut Harness<'_, App>, key: Key) {
    harness.key_press(key);
    harness.run_steps(DONE);
}

fn press_with_command(harness: &mut Harness<'_, App>, key: Key) {
    harness.key_press_modifiers(Modifiers::COMMAND, key);
    harness.run_steps(3);
}

fn settings(harness: &Harness<'_, App>) -> String {
    let mut experiment = harness.state().experiment().clone();
    experiment.run.changes.clear();
    experiment.to_toml()
}

/// Presses a key while a slider has the focus.
fn slide(harness: &mut Harness<'_, App>, slider: &str, key: Key) {
    let Some(node) = harness.query_by_role_and_label(Role::Slider, slider) else {
        return; // not every loss has it
    };
    node.focus();
    harness.step();
    press(harness, key);
}

#[test]
fn undo_gives_the_very_experiment_back_and_redo_the_last() {
    let mut harness = window(&small(&[]));
    harness.get_by_label("Optimiser").click();
    harness.run_steps(20); // the fold opens
    let first = settings(&harness);
    let generation = snapshot(&harness).generation;
    let mut state = 5_u64;
    let mut next = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % n
    };
    let mut n_changes = 0;
    for _ in 0..50 {
        let before = settings(&harness);
        let losses = [
            Key::Num1,
            Key::Num2,
            Key::Num4,
            Key::Num5,
            Key::Num6,
            Key::Num7,
        ];
        let arrow = [Key::ArrowLeft, Key::ArrowRight][next(2) as usize];
        match next(6) {
            0 | 1 => press(&mut harness, losses[next(6) as usize]),
            2 => slide(&mut harness, "margin m", arrow),
            3 => slide(&mut harness, "scale s", arrow),
            4 => slide(&mut harness, "learning rate", arrow),
            _ => press(&mut harness, [Key::P, Key::C][next(2) as usize]),
        }
        n_changes += usize::from(settings(&harness) != before);
    }
    let last = settings(&harness);
    assert_ne!(last, first);
    assert!(n_changes > 25, "{n_changes}");
    for _ in 0..n_changes {
        press_with_command(&mut harness, Key::Z);
    }
    assert_eq!(settings(&harness), first);
    let begun = Experiment::from_toml(&first, "first").expect("an experiment");
    wait_for(&mut harness, "the run to follow", |app| {
        app.snapshot()
            .is_some_and(|seen| seen.experiment.is_set_as(&begun))
    });
    let recipe = snapshot(&harness).recipe().to_toml();
    let read = Experiment::from_toml(&recipe, "recipe").expect("a recipe");
    assert!(recipe.contains("\"default\"") && read.now().is_set_as(&begun));
    for _ in 0..n_changes {
        press_with_command(&mut harness, Key::Y);
    }
    assert_eq!(settings(&harness), last);
    assert_eq!(snapshot(&harness).generation, generation, "no restart");
}

#[test]
fn a_default_follows_the_loss_again_after_undo() {
    let mut harness = window(&small(&[]));
    harness.run_steps(DONE);
    press(&mut harness, Key::Num7);
    assert_eq!(harness.state().view().kind.id(), "circle");
    press_with_command(&mut harness, Key::Z);
    assert_eq!(loss_id(harness.state()), "softmax");
    assert_eq!(harness.state().view().kind.id(), "plane");
    assert_eq!(harness.state().experiment().get("view.kind"), None);
    assert_eq!(harness.state().experiment().get("optimizer.warmup"), None);
    harness.run_steps(DONE);
    press(&mut harness, Key::Num6);
    assert_eq!(harness.state().view().kind.id(), "circle", "it follows");
}

#[test]
fn the_controls_to_another_pane_are_nothing_to_undo() {
    let mut harness = window(&small(&[]));
    harness.run_steps(DONE);
    press(&mut harness, Key::A);
    press(&mut harness, Key::Num7);
    press(&mut harness, Key::W);
    press(&mut harness, Key::W);
    press(&mut harness, Key::W);
    assert_eq!(loss_id(harness.state()), "softmax", "the first pane");
    press_with_command(&mut harness, Key::Z);
    let losses: Vec<_> = harness.state().snapshots().flatten().collect();
    assert_eq!(losses.len(), 2);
    wait_for(&mut harness, "the choice undone", |app| {
        let mut seen = app.snapshots().flatten();
        seen.all(|seen| seen.head.spec.id == "softmax")
    });
    harness.get_by_role_and_label(Role::RadioButton, "Pane B");
    press_with_command(&mut harness, Key::Z);
    assert_eq!(harness.state().snapshots().count(), 1, "the pane undone");
}

#[test]
fn a_pane_that_was_closed_long_ago_begins_anew() {
    let mut harness = window(&small(&[]));
    harness.run_steps(DONE);
    for key in [Key::A, Key::A, Key::A, Key::A] {
        press(&mut harness, key);
    }
    press(&mut harness, Key::Num7);
    while harness.state().snapshots().count() > 1 {
        let n = harness.state().snapshots().count();
        let letter = char::from(b'A' + n as u8 - 1);
        let label = format!("Close pane {letter}");
        harness.get_by_role_and_label(Role::Button, &label).click();
        harness.run_steps(DONE);
    }
    for n in 2..=5 {
        press_with_command(&mut harness, Key::Z);
        harness.run_steps(DONE);
        assert_eq!(harness.state().snapshots().count(), n);
    }
    wait_for(&mut harness, "the choice of the last pane", |app| {
        let last = app.snapshots().last().flatten();
        last.is_some_and(|last| last.head.spec.id == "arcface" && last.generation == 2)
    });
    for n in (1..=4).rev() {
        press_with_command(&mut harness, Key::Y);
        assert_eq!(harness.state().snapshots().count(), n);
    }
}
