//! The page for own data: a file is chosen, read with progress, looked at, and trained on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};

use egui::{Align2, ComboBox, DragValue, Grid, ProgressBar, RichText, ScrollArea, Ui, vec2};

use crate::app::action::Action;
use crate::app::theme;
use crate::data::own::OwnData;
use crate::data::{DEFAULT_TEST_SHARE, DataSource, DataSpec, InputShape, Scaling, TestPart};
use crate::scene::thousands;

/// What is asked about own data before they are trained on.
pub(super) struct Import {
    spec: DataSpec,
    seed: u64,
    /// The label column as it is typed.
    label: String,
    state: State,
    chooser: Option<(Part, Receiver<Option<PathBuf>>)>,
}

/// Which file is being chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Samples,
    Labels,
    Test,
}

enum State {
    /// No file yet.
    Nothing,
    Reading(Reading),
    /// Why it cannot be read: where, what, and what would be right.
    Failed(String),
    Read,
}

/// A file that is being read in its own thread; dropping it stops the thread.
struct Reading {
    result: Receiver<Result<DataSpec, String>>,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    stops: AtomicBool,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.progress.stops.store(true, Ordering::Relaxed);
    }
}

impl Import {
    /// The page without a file.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            spec: DataSpec::default(),
            seed,
            label: String::new(),
            state: State::Nothing,
            chooser: None,
        }
    }

    /// The page with a file, which is read at once.
    pub(super) fn of_file(path: PathBuf, seed: u64, ctx: &egui::Context) -> Self {
        let mut import = Self::new(seed);
        import.choose(path, ctx);
        import
    }

    /// Another file: nothing of the last one's settings fits.
    fn choose(&mut self, path: PathBuf, ctx: &egui::Context) {
        self.spec = DataSpec::new(DataSource::File(path));
        self.label.clear();
        self.read(ctx);
    }

    fn read(&mut self, ctx: &egui::Context) {
        let mut spec = self.spec.clone();
        spec.forget();
        let (tell, result) = channel();
        let progress = Arc::new(Progress::default());
        let (shared, ctx) = (Arc::clone(&progress), ctx.clone());
        let thread = std::thread::Builder::new()
            .name("read data".to_owned())
            .spawn(move || {
                let read = spec.read(&mut |done, total| {
                    shared.done.store(done, Ordering::Relaxed);
                    shared.total.store(total, Ordering::Relaxed);
                    ctx.request_repaint();
                    !shared.stops.load(Ordering::Relaxed)
                });
                // Nobody listens once it was cancelled.
                let _ = tell.send(read.map(|()| spec).map_err(|error| error.to_string()));
                ctx.request_repaint();
            });
        self.state = match thread {
            Ok(_) => State::Reading(Reading { result, progress }),
            Err(error) => State::Failed(error.to_string()),
        };
    }

    /// Takes what was chosen and read in the meantime.
    fn update(&mut self, ctx: &egui::Context) {
        if let Some((part, chosen)) = &self.chooser
            && let Ok(path) = chosen.try_recv()
        {
            let part = *part;
            self.chooser = None;
            match (part, path) {
                (_, None) => {}
                (Part::Samples, Some(path)) => self.choose(path, ctx),
                (Part::Labels, Some(path)) => {
                    self.spec.labels = Some(path);
                    self.read(ctx);
                }
                (Part::Test, Some(path)) => {
                    self.spec.test = Some(TestPart::File(path));
                    self.read(ctx);
                }
            }
        }
        if let State::Reading(reading) = &self.state
            && let Ok(result) = reading.result.try_recv()
        {
            self.state = match result {
                Ok(spec) => {
                    self.spec = spec;
                    State::Read
                }
                Err(error) => State::Failed(error),
            };
        }
    }

    /// The page; whether it is to be shown again.
    pub(super) fn ui(&mut self, ctx: &egui::Context, actions: &mut Vec<Action>) -> bool {
        self.update(ctx);
        let mut is_open = true;
        let mut is_done = false;
        egui::Window::new("Train on your own data")
            .open(&mut is_open)
            .collapsible(false)
            .resizable(false)
            .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
            .show(ctx, |ui| {
                ui.set_width(WIDTH);
                self.source_ui(ui);
                ui.add_space(8.0);
                match &self.state {
                    State::Nothing => {
                        let words = "A table (CSV with a label column), arrays of NumPy (NPY with labels beside, NPZ), an IDX pair, or a folder with a folder of images for each class. A file can also be dropped onto the window.";
                        ui.label(RichText::new(words).color(dimmed(ui)));
                    }
                    State::Reading(reading) => is_done = reading_ui(ui, reading),
                    State::Failed(error) => {
                        let color = theme::color(theme::tokens(ui.ctx()).past_ceiling);
                        ui.label(RichText::new(error).color(color));
                    }
                    State::Read => {}
                }
                if is_done {
                    self.state = State::Nothing;
                    is_done = false;
                }
                if matches!(self.state, State::Read) {
                    self.preview_ui(ui);
                    ui.add_space(8.0);
                    is_done = self.train_ui(ui, actions);
                }
            });
        let escapes = ctx.input(|input| input.key_pressed(egui::Key::Escape));
        is_open && !is_done && !escapes
    }

    fn source_ui(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            if ui.button("Choose a file…").clicked() {
                self.ask(Part::Samples, false, ui.ctx());
            }
            if ui
                .button("Choose a folder…")
                .on_hover_text("With a folder of images for each class")
                .clicked()
            {
                self.ask(Part::Samples, true, ui.ctx());
            }
            if let Some(path) = self.spec.source.path() {
                let name = path.file_name().unwrap_or(path.as_os_str());
                ui.label(name.to_string_lossy())
                    .on_hover_text(path.display().to_string());
            }
        });
        let Some(path) = self.spec.source.path().map(Path::to_owned) else {
            return;
        };
        ui.add_space(4.0);
        let is_text = has_end(&path, &["csv", "tsv", "tab", "txt"]);
        if is_text {
            ui.horizontal(|ui| {
                let name = ui.label("label column");
                let field = egui::TextEdit::singleline(&mut self.label)
                    .hint_text("found by itself")
                    .desired_width(150.0);
                let response = ui.add(field).labelled_by(name.id);
                let response = response.on_hover_text("Its name, or its number from 1");
                if response.lost_focus() {
                    let typed = self.label.trim();
                    let label = (!typed.is_empty()).then(|| typed.to_owned());
                    if label != self.spec.label {
                        self.spec.label = label;
                        self.read(ui.ctx());
                    }
                }
            });
        } else if !path.is_dir() && !has_end(&path, &["npz", "zip"]) {
            ui.horizontal(|ui| {
                let labels = self.spec.labels.as_ref();
                ui.label(match labels {
                    Some(labels) => format!("labels: {}", labels.display()),
                    None => "labels: looked for beside the samples".to_owned(),
                });
                if ui.button("Choose labels…").clicked() {
                    self.ask(Part::Labels, false, ui.ctx());
                }
            });
        }
    }

    fn ask(&mut self, part: Part, is_folder: bool, ctx: &egui::Context) {
        let dialog = rfd::AsyncFileDialog::new().set_title("Own data");
        let (tell, chosen) = channel();
        let ctx = ctx.clone();
        // The dialog is opened here, since some systems insist on the window's own thread.
        let file = (!is_folder).then(|| dialog.clone().pick_file());
        let folder = is_folder.then(|| dialog.pick_folder());
        let thread = std::thread::Builder::new()
            .name("choose data".to_owned())
            .spawn(move || {
                let file = file.and_then(pollster::block_on);
                let chosen = file.or_else(|| folder.and_then(pollster::block_on));
                let _ = tell.send(chosen.map(|file| file.path().to_owned())); // as above
                ctx.request_repaint();
            });
        match thread {
            Ok(_) => self.chooser = Some((part, chosen)),
            Err(error) => self.state = State::Failed(error.to_string()),
        }
    }

    fn preview_ui(&self, ui: &mut Ui) {
        let Some(own) = self.spec.own() else {
            return;
        };
        for finding in own.findings() {
            ui.label(RichText::new(format!("• {finding}")).color(dimmed(ui)));
        }
        ui.add_space(6.0);
        if let InputShape::Vector { .. } = own.input() {
            rows_ui(ui, own);
        }
    }

    /// What remains to be chosen; whether it was.
    fn train_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) -> bool {
        self.test_ui(ui);
        let is_table = self
            .spec
            .own()
            .is_some_and(|own| matches!(own.input(), InputShape::Vector { .. }));
        ui.horizontal(|ui| {
            if is_table {
                let current = self.spec.scaling.unwrap_or_default();
                ui.label("scaling");
                ComboBox::from_id_salt("scaling")
                    .selected_text(scaling_name(current))
                    .show_ui(ui, |ui| {
                        for scaling in Scaling::ALL {
                            let is_chosen = scaling == current;
                            if ui
                                .selectable_label(is_chosen, scaling_name(scaling))
                                .clicked()
                            {
                                self.spec.scaling = Some(scaling);
                            }
                        }
                    });
            }
            let name = ui.label("seed");
            ui.add(DragValue::new(&mut self.seed).speed(0.1))
                .labelled_by(name.id)
                .on_hover_text("Draws the test samples, the weights and the batches");
        });
        ui.add_space(6.0);
        let trains = ui.button("Train on it").clicked();
        if trains {
            actions.push(Action::Train(Box::new(self.spec.clone()), self.seed));
        }
        trains
    }

    fn test_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            if let Some(TestPart::File(path)) = &self.spec.test {
                ui.label(format!("tested on {}", path.display()));
                if ui.button("Test on a share instead").clicked() {
                    self.spec.test = None;
                    self.read(ui.ctx());
                }
                return;
            }
            let mut percent = match self.spec.test {
                Some(TestPart::Share(share)) => 100.0 * share,
                _ => 100.0 * DEFAULT_TEST_SHARE,
            };
            let name = ui.label("kept to test");
            let value = DragValue::new(&mut percent).range(0.0..=90.0).suffix(" %");
            let response = ui.add(value.max_decimals(1)).labelled_by(name.id);
            if response.changed() {
                self.spec.test = Some(TestPart::Share(percent / 100.0));
            }
            response.on_hover_text("Of each class, drawn from the seed; 0 for no test set");
            if ui.button("Choose a test file…").clicked() {
                self.ask(Part::Test, false, ui.ctx());
            }
        });
    }
}

/// Width of the page, in points.
const WIDTH: f32 = 460.0;

fn dimmed(ui: &Ui) -> egui::Color32 {
    theme::color(theme::tokens(ui.ctx()).dimmed)
}

fn has_end(path: &Path, ends: &[&str]) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    end.is_some_and(|end| ends.contains(&end.to_lowercase().as_str()))
}

fn scaling_name(scaling: Scaling) -> &'static str {
    match scaling {
        Scaling::Standard => "mean 0, deviation 1",
        Scaling::MinMax => "0 to 1",
        Scaling::None => "as it stands",
    }
}

/// How far it is, and a way to stop; whether it was taken.
fn reading_ui(ui: &mut Ui, reading: &Reading) -> bool {
    let done = reading.progress.done.load(Ordering::Relaxed);
    let total = reading.progress.total.load(Ordering::Relaxed);
    let share = done as f32 / total.max(1) as f32;
    let megabytes = |n: u64| thousands(n >> 20);
    let words = format!("{} of {} MB", megabytes(done), megabytes(total));
    ui.add(ProgressBar::new(share).text(words));
    ui.button("Cancel").clicked()
}

/// The first rows, as they stand in the file.
fn rows_ui(ui: &mut Ui, own: &OwnData) {
    const N_ROWS: usize = 5;
    const N_COLUMNS: usize = 6;
    ScrollArea::horizontal().show(ui, |ui| {
        Grid::new("rows")
            .striped(true)
            .spacing([14.0, 4.0])
            .show(ui, |ui| {
                ui.strong("class");
                for name in own.columns().iter().take(N_COLUMNS) {
                    ui.strong(name);
                }
                ui.end_row();
                for (class, numbers) in own.rows().take(N_ROWS) {
                    ui.label(class);
                    for number in numbers.iter().take(N_COLUMNS) {
                        ui.label(format!("{number}"));
                    }
                    if numbers.len() > N_COLUMNS {
                        ui.label(format!("… {} more", numbers.len() - N_COLUMNS));
                    }
                    ui.end_row();
                }
            });
    });
    ui.add_space(6.0);
}
