//! What a window keeps for the next start, and what a reset takes away.

use std::collections::BTreeMap;

use eframe::App as _;

use super::*;

/// What a start finds, and a window leaves.
#[derive(Default)]
struct Memory(BTreeMap<String, String>);

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

fn kept(harness: &mut Harness<'_, App>) -> Memory {
    let mut memory = Memory::default();
    harness.state_mut().save(&mut memory);
    memory
}

/// The next start without arguments.
fn start(memory: Memory) -> Harness<'static, App> {
    let memory: &'static Memory = Box::leak(Box::new(memory)); // one a test
    let opened = marginscope::figure::Opened::new(Experiment::default());
    let opening = marginscope::figure::Opening {
        opened,
        changes: Vec::new(),
        is_default: true,
    };
    let mut harness = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(0.05)
        .with_context_setup(marginscope::app::theme::install)
        .build_eframe(move |cc| {
            cc.storage = Some(memory);
            App::new(cc, opening, 1).expect("training starts")
        });
    wait_for(&mut harness, "a snapshot", |app| app.snapshot().is_some());
    harness
}

fn click(harness: &mut Harness<'_, App>, button: &str) {
    harness.get_by_role_and_label(Role::Button, button).click();
    harness.run_steps(12);
}

fn losses(app: &App) -> Vec<&'static str> {
    let seen = app.snapshots().flatten();
    seen.map(|seen| seen.head.spec.id).collect()
}

/// The button that has the speed in its name.
fn speed(harness: &Harness<'_, App>) -> String {
    let node = harness.get_by_role_and_label(Role::ComboBox, "speed");
    node.accesskit_node().value().unwrap_or_default()
}

#[test]
fn speed_active_pane_sample_and_drawing_are_kept() {
    let mnist = small(&[("data.source", "mnist"), ("data.samples", "40")]);
    let mut harness = window(&mnist);
    harness.run_steps(12);
    click(&mut harness, "Draw");
    let canvas = harness.get_by_label_contains("canvas to draw on").rect();
    harness.drag_at(canvas.center());
    harness.run_steps(2);
    harness.hover_at(canvas.center() + egui::vec2(0.0, 40.0));
    harness.run_steps(2);
    harness.drop_at(canvas.center() + egui::vec2(0.0, 40.0));
    wait_for(&mut harness, "the drawing", |app| {
        app.snapshot().is_some_and(|seen| seen.drawn.is_some())
    });
    harness.key_press(Key::A);
    harness.run_steps(12);
    harness.key_press(Key::Num7);
    wait_for(&mut harness, "two losses", |app| {
        losses(app) == ["softmax", "arcface"]
    });
    harness.key_press(Key::N);
    harness.key_press(Key::Comma);
    harness.run_steps(3);
    let (sample, slow) = (harness.state().view().kept, speed(&harness));
    assert!(sample.is_some());

    let mut again = start(kept(&mut harness));
    assert_eq!(speed(&again), slow);
    wait_for(&mut again, "both panes", |app| {
        losses(app) == ["softmax", "arcface"]
    });
    assert_eq!(loss_id(again.state()), "arcface", "the controls");
    wait_for(&mut again, "the drawing", |app| {
        app.snapshot().is_some_and(|seen| seen.drawn.is_some())
    });
    wait_for(&mut again, "the sample", |app| app.view().kept == sample);
    again.run_steps(12);
    assert_eq!(again.state().view().kept, sample);
}

fn ask_to_reset(harness: &mut Harness<'_, App>) {
    harness.get_by_label("More ▾").click();
    harness.run_steps(3);
    click(harness, "Reset everything");
}

#[test]
fn a_question_has_the_focus_at_the_answer_that_changes_nothing() {
    let mut harness = window(&small(&[("loss.id", "arcface")]));
    ask_to_reset(&mut harness);
    harness.run_steps(4);
    let keep = harness.get_by_role_and_label(Role::Button, "Keep it");
    assert!(keep.is_focused());
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert!(harness.query_by_label("Keep it").is_none());
    assert_eq!(loss_id(harness.state()), "arcface");
}

#[test]
fn a_reset_asks_first_and_is_undone() {
    let mut harness = window(&small(&[("loss.id", "arcface"), ("loss.margin", "0.3")]));
    harness.run_steps(12);
    harness.key_press(Key::A);
    harness.run_steps(12);
    harness.key_press(Key::Num6);
    wait_for(&mut harness, "two losses", |app| {
        losses(app) == ["arcface", "cosface"]
    });
    harness.key_press(Key::Comma);
    harness.run_steps(12);
    let before = harness.state().experiment().clone();
    ask_to_reset(&mut harness);
    harness.get_by_label_contains("Your files stay");
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("Your files stay").is_none());
    assert_eq!(losses(harness.state()), ["arcface", "cosface"]);

    ask_to_reset(&mut harness);
    click(&mut harness, "Reset");
    wait_for(&mut harness, "a first start", |app| {
        losses(app) == ["softmax"]
    });
    assert_eq!(
        harness.state().experiment().settings(),
        Experiment::default().settings()
    );
    let fresh = kept(&mut harness);
    let mut first = window(&Experiment::default());
    first.run_steps(3);
    let text = |memory: &Memory| memory.0.get(eframe::APP_KEY).cloned();
    assert_eq!(text(&fresh), text(&kept(&mut first)), "nothing is left");

    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    wait_for(&mut harness, "the panes", |app| {
        losses(app) == ["arcface", "cosface"]
    });
    let app = harness.state();
    let panes: Vec<_> = app.snapshots().flatten().collect();
    assert_eq!(
        panes[0].experiment.get("loss.margin").as_deref(),
        Some("0.3")
    );
    assert!(panes[1].experiment.is_set_as(&before));
}

#[test]
fn a_lesson_is_not_what_the_next_start_finds() {
    let mut harness = window(&small(&[("loss.id", "cosface")]));
    harness.key_press(Key::F1);
    harness.run_steps(8);
    harness.get_by_label_contains("Choosing m and s").click();
    harness.run_steps(3);
    harness.get_by_label_contains("About a third").click();
    wait_for(&mut harness, "the lesson's run", |app| {
        app.experiment().n_classes() == 10
    });
    let memory = kept(&mut harness);
    let harness = start(memory);
    assert_eq!(losses(harness.state()), ["cosface"]);
    assert_ne!(harness.state().experiment().n_classes(), 10);
}
