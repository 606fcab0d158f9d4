//! Parts of a frame: the scene, its triangles, and the whole of it, without a display; and what the
//! window takes from training.

#![expect(clippy::expect_used, reason = "a bench ends where its premises fail")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput};
use egui::accesskit::{Action, ActionRequest, TreeId};
use egui::{Context, Event, FullOutput, Key, Modifiers, RawInput, Rect, Vec2};
use marginscope::app::{App, theme};
use marginscope::experiment::{Experiment, ViewKind};
use marginscope::scene;
use marginscope::scene::theme::DARK;
use marginscope::scene::{Curves, ViewState, WINDOW_SAGITTA};
use marginscope::trainer::{Horizon, Snapshot, Subset, Trainer};

/// The first size of the window, in points.
const WINDOW: [f32; 2] = [1280.0, 800.0];
/// Least time between two frames where nothing is measured of them: thirty a second.
const FRAME: Duration = Duration::from_millis(33);
/// What its panels leave of it.
const PICTURE: [f32; 2] = [804.0, 750.0];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    scenes(&mut criterion);
    frames(&mut criterion);
    panes(&mut criterion);
    training(&mut criterion);
    criterion.final_summary();
}

/// Ten classes of free embeddings: samples come at no cost, as many as are asked for. Inputs are
/// those of ten classes of blobs.
fn experiment(view: ViewKind, n_samples: usize) -> Experiment {
    let (source, loss, dim) = match view {
        ViewKind::Plane => ("free", "softmax", "2"),
        ViewKind::Input => ("blobs", "softmax", "2"),
        ViewKind::Circle => ("free", "arcface", "2"),
        ViewKind::Sphere => ("free", "arcface", "3"),
    };
    let samples = (n_samples / 10).to_string();
    let mut experiment = Experiment::default();
    for (key, value) in [
        ("data.source", source),
        ("data.samples", samples.as_str()),
        ("loss.id", loss),
        ("network.dim", dim),
        ("view.kind", view.id()),
    ] {
        experiment.set(key, value).expect("a valid setting");
    }
    experiment
}

/// A scene from a snapshot, and its curves alone, which a frame that only turns does not compute;
/// beside them a copy of the features.
fn scenes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scene");
    for kind in ViewKind::ALL {
        for n in [2000, 10_000, 70_000] {
            let trainer = Trainer::new(&experiment(kind, n), None, 1).expect("training starts");
            let snapshot = Snapshot::of(&trainer, Subset::Train(n));
            let view = ViewState::new(kind, DARK);
            let curves = Curves::of(&snapshot, WINDOW_SAGITTA);
            let name = kind.id();
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(format!("{name}/{n}"), |bencher| {
                bencher.iter(|| {
                    scene::build_with(black_box(&snapshot), &curves, None, &view, PICTURE)
                });
            });
            if n == 2000 {
                group.bench_function(format!("{name}/curves"), |bencher| {
                    bencher.iter(|| Curves::of(black_box(&snapshot), WINDOW_SAGITTA));
                });
            }
            if n == 70_000 {
                group.bench_function(format!("{name}/copy of {n} features"), |bencher| {
                    bencher.iter(|| black_box(&snapshot).probe.features.clone());
                });
            }
        }
    }
    group.finish();
}

/// The program's window without a display: frames are run and tessellated, and nothing is painted.
struct Window {
    ctx: Context,
    app: App,
    frame: eframe::Frame,
    n_frames: u32,
}

impl Window {
    /// Opens it on so many training samples, one thread training.
    fn open(experiment: &Experiment, n_samples: usize) -> Self {
        let ctx = Context::default();
        theme::install(&ctx);
        let cc = eframe::CreationContext::_new_kittest(ctx.clone());
        let mut app = App::new(&cc, experiment.clone(), 1).expect("training starts");
        app.show(Subset::Train(n_samples));
        let mut window = Self {
            ctx,
            app,
            frame: eframe::Frame::_new_kittest(),
            n_frames: 0,
        };
        window.wait_for(|snapshot| snapshot.probe.len() == n_samples);
        window
    }

    fn pause(&mut self) {
        self.press(Key::Space);
        self.wait_for(|snapshot| !snapshot.is_playing);
        self.rest();
    }

    /// Frames until the plane has stopped following its features.
    fn rest(&mut self) {
        for _ in 0..120 {
            self.frame(Vec::new());
        }
    }

    /// Logic and layout of one frame.
    fn run(&mut self, events: Vec<Event>) -> FullOutput {
        self.n_frames += 1;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(egui::Pos2::ZERO, Vec2::from(WINDOW))),
            time: Some(f64::from(self.n_frames) / 60.0),
            focused: true,
            events,
            ..RawInput::default()
        };
        let Self {
            ctx, app, frame, ..
        } = self;
        let mut output = ctx.run_ui(input, |ui| {
            eframe::App::logic(app, ui.ctx(), frame);
            eframe::App::ui(app, ui, frame);
        });
        output.textures_delta.clear();
        output
    }

    /// A frame as far as the processor makes it: logic, layout, triangles. Whether it asks for
    /// another at once.
    fn frame(&mut self, events: Vec<Event>) -> bool {
        let mut output = self.run(events);
        let shapes = std::mem::take(&mut output.shapes);
        black_box(self.ctx.tessellate(shapes, output.pixels_per_point));
        let mut windows = output.viewport_output.values();
        windows.any(|window| window.repaint_delay.is_zero())
    }

    fn press(&mut self, key: Key) {
        // A key that is never let go would repeat itself, and act no more.
        let event = |pressed: bool| Event::Key {
            key,
            physical_key: None,
            pressed,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        self.frame(vec![event(true), event(false)]);
    }

    /// Clicks what has this name for screen readers.
    fn click(&mut self, name: &str) {
        self.ctx.enable_accesskit();
        let output = self.run(Vec::new());
        let update = output.platform_output.accesskit_update.expect("a tree");
        let mut nodes = update.nodes.iter();
        let (id, _) = nodes
            .find(|(_, node)| node.label() == Some(name))
            .unwrap_or_else(|| panic!("nothing is called {name}"));
        self.frame(vec![Event::AccessKitActionRequest(ActionRequest {
            action: Action::Click,
            target_tree: TreeId::ROOT,
            target_node: *id,
            data: None,
        })]);
        self.ctx.disable_accesskit();
        self.rest();
    }

    fn wait_for(&mut self, holds: impl Fn(&Snapshot) -> bool) {
        while !self.app.snapshot().is_some_and(|snapshot| holds(snapshot)) {
            std::thread::sleep(FRAME);
            self.frame(Vec::new());
        }
    }

    /// Time of the frame that first has the snapshot of a further step.
    fn frame_with_a_new_snapshot(&mut self) -> Duration {
        let before = self.app.snapshot().map(Arc::clone);
        self.press(Key::ArrowRight);
        loop {
            std::thread::sleep(Duration::from_millis(3)); // for the worker, which is not measured
            let start = cpu_time();
            self.frame(Vec::new());
            let time = cpu_time().saturating_sub(start);
            let is_new = match (&before, self.app.snapshot()) {
                (Some(before), Some(now)) => !Arc::ptr_eq(before, now),
                (before, now) => before.is_some() != now.is_some(),
            };
            if is_new {
                return time;
            }
        }
    }
}

/// What this thread has had of the processor: a frame that has to wait for its turn costs no more.
#[cfg(unix)]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The clock on the wall, where nothing better is to be had without unsafe code.
#[cfg(not(unix))]
fn cpu_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Whole frames, with the snapshot of the frame before and with a new one, and triangles alone.
fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    for kind in ViewKind::ALL {
        for n in [10_000, 70_000] {
            let mut window = Window::open(&experiment(kind, n), n);
            window.pause();
            let name = format!("{}/{n}", kind.id());
            group.bench_function(format!("{name}/same snapshot"), |bencher| {
                bencher.iter(|| window.frame(Vec::new()));
            });
            group.bench_function(format!("{name}/new snapshot"), |bencher| {
                bencher.iter_custom(|n_frames| {
                    (0..n_frames)
                        .map(|_| window.frame_with_a_new_snapshot())
                        .sum()
                });
            });
            let mut output = window.run(Vec::new());
            let shapes = std::mem::take(&mut output.shapes);
            group.bench_function(format!("{name}/triangles"), |bencher| {
                bencher.iter_batched(
                    || shapes.clone(),
                    |shapes| window.ctx.tessellate(shapes, 1.0),
                    BatchSize::LargeInput,
                );
            });
            switch_all_on(&mut window);
            group.bench_function(format!("{name}/all on, new snapshot"), |bencher| {
                bencher.iter_custom(|n_frames| {
                    (0..n_frames)
                        .map(|_| window.frame_with_a_new_snapshot())
                        .sum()
                });
            });
        }
    }
    group.finish();
}

/// Six panes of 2,000 samples: a frame in which none has a new snapshot, and after a step of all of
/// them the dearest of those that draw it.
fn panes(criterion: &mut Criterion) {
    const N_PANES: usize = 6;
    let mut group = criterion.benchmark_group("six panes");
    for kind in ViewKind::ALL {
        let mut window = Window::open(&experiment(kind, 2000), 2000);
        window.pause();
        for n in 2..=N_PANES {
            window.press(Key::A);
            while window.app.snapshots().flatten().count() < n {
                window.frame(Vec::new());
            }
        }
        window.rest();
        group.bench_function(format!("{}/same snapshots", kind.id()), |bencher| {
            bencher.iter(|| window.frame(Vec::new()));
        });
        group.bench_function(format!("{}/dearest of a step", kind.id()), |bencher| {
            bencher.iter_custom(|n| (0..n).map(|_| window.dearest_frame_of_a_step()).sum());
        });
    }
    group.finish();
}

impl Window {
    /// Time of the dearest frame from a further step of all panes until all of them show it.
    fn dearest_frame_of_a_step(&mut self) -> Duration {
        self.press(Key::ArrowRight);
        std::thread::sleep(Duration::from_millis(80)); // for the worker, which is not measured
        let mut dearest = Duration::ZERO;
        loop {
            let start = cpu_time();
            let wants_another = self.frame(Vec::new());
            dearest = dearest.max(cpu_time().saturating_sub(start));
            if !wants_another {
                return dearest;
            }
            std::thread::sleep(Duration::from_millis(8)); // as between two frames of a screen
        }
    }
}

/// Shows all that can be shown: a kept sample, arrows, lengths, every plot and meter, and trails at
/// their full length.
fn switch_all_on(window: &mut Window) {
    const LONGEST: usize = 16;
    for name in ["Margin map", "Confusion", "Neural collapse"] {
        window.click(name);
    }
    let view = window.app.view_mut();
    view.kept = Some(0);
    view.show.trails = true;
    view.show.arrows = true;
    view.show.lengths = true;
    for _ in 0..LONGEST {
        window.frame_with_a_new_snapshot();
    }
}

/// Time of a step, headless and with the window drawing 2,000 points at every snapshot, of which
/// there are at most thirty a second: of the worker's time, without what goes to probing. The
/// quotient is the share that the window leaves.
fn training(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("training");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(4));
    for (source, dim) in [("mnist", "2"), ("mnist", "3"), ("blobs", "2")] {
        let mut experiment = Experiment::default();
        for (key, value) in [("data.source", source), ("network.dim", dim)] {
            experiment.set(key, value).expect("a valid setting");
        }
        let name = format!("{source}-{dim}d");
        let mut trainer =
            Trainer::new(&experiment, Some(Horizon::Endless), 1).expect("training starts");
        group.bench_function(format!("{name}/headless"), |bencher| {
            let threads = trainer.threads();
            bencher.iter_custom(|n_steps| {
                let start = Instant::now();
                threads.install(|| {
                    for _ in 0..n_steps {
                        trainer.step().expect("a finite step");
                    }
                });
                start.elapsed()
            });
        });
        let mut window = Window::open(&experiment, 2000);
        group.bench_function(format!("{name}/in the window"), |bencher| {
            bencher.iter_custom(|n_steps| window.train(n_steps));
        });
    }
    group.finish();
}

impl Window {
    /// Time of `n_steps` steps, measured over at least so many, while frames are made.
    fn train(&mut self, n_steps: u64) -> Duration {
        let effort = |window: &Self| window.app.snapshot().expect("a snapshot").effort;
        let before = effort(self);
        self.wait_for(|snapshot| snapshot.effort.n_steps >= before.n_steps + n_steps);
        let after = effort(self);
        let secs = after.secs - before.secs - (after.probing_secs - before.probing_secs);
        let n_made = after.n_steps - before.n_steps;
        Duration::from_secs_f64(secs * n_steps as f64 / n_made as f64)
    }
}
