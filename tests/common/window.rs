//! The window without a display, for the tests that use it.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file compiles this module, none uses all of it"
)]

use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use marginscope::app::{App, theme};
use marginscope::experiment::Experiment;
use marginscope::trainer::Snapshot;

/// A run whose steps take microseconds.
pub fn small(settings: &[(&str, &str)]) -> Experiment {
    let mut experiment = Experiment::default();
    let base = [
        ("data.source", "blobs"),
        ("network.kind", "mlp:16"),
        ("data.classes", "4"),
        ("data.samples", "40"),
    ];
    for (key, value) in base.iter().chain(settings) {
        experiment.set(key, value).expect("a valid setting");
    }
    experiment
}

pub fn window(experiment: &Experiment) -> Harness<'static, App> {
    window_of_size(experiment, [1280.0, 800.0])
}

pub fn window_of_size(experiment: &Experiment, size: [f32; 2]) -> Harness<'static, App> {
    const FRAME_SECS: f32 = 0.05; // two clicks in four frames are a double click
    let experiment = experiment.clone();
    let mut harness = Harness::builder()
        .with_size(size)
        .with_step_dt(FRAME_SECS)
        .with_context_setup(theme::install)
        .build_eframe(move |cc| App::new(cc, experiment, 1).expect("training starts"));
    wait_for(&mut harness, "a snapshot", |app| app.snapshot().is_some());
    harness
}

/// Lets frames pass until something holds; training goes on meanwhile in its own thread.
#[track_caller]
pub fn wait_for(harness: &mut Harness<'_, App>, what: &str, holds: impl Fn(&App) -> bool) {
    const LONGEST: Duration = Duration::from_mins(1); // only a hang takes this long
    let start = Instant::now();
    while !holds(harness.state()) {
        assert!(start.elapsed() < LONGEST, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
    }
}

pub fn snapshot<'a>(harness: &'a Harness<'_, App>) -> &'a Snapshot {
    harness.state().snapshot().expect("a snapshot")
}

pub fn loss_id(app: &App) -> &'static str {
    app.experiment().loss.spec.id
}

/// Chooses an item of a list.
pub fn choose(harness: &mut Harness<'_, App>, list: &str, item: &str) {
    harness.get_by_role_and_label(Role::ComboBox, list).click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Button, item).click();
    harness.run_steps(3);
}
