//! The window; the only module that knows egui.
//!
//! A frame takes the newest snapshot (`logic`), lays out the panels and paints the picture (`ui`).
//! Panels and keys return [`Action`]s, which [`App::obey`] carries out; training happens in the
//! worker, saving in its own thread, so that a frame never waits.

mod action;
mod exports;
mod files;
mod gallery;
mod import;
mod kept;
mod keys;
mod lens;
mod lessons;
mod overlay;
mod paint;
mod panel;
mod picture;
mod runs;
mod saver;
pub mod theme;
mod widget;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::CreationContext;
use egui::{Panel, ViewportCommand};

use crate::app::action::{Action, Part, SheetChoice};
use crate::app::exports::Wanted;
use crate::app::files::{Crashed, Files};
use crate::app::gallery::GalleryPage;
use crate::app::import::Import;
use crate::app::kept::{Kept, Remembered};
use crate::app::lens::{SampleId, Thumbs};
use crate::app::lessons::{Lecture, Lectures};
use crate::app::overlay::Toast;
use crate::app::panel::left::{LeftPanel, Shown};
use crate::app::panel::right::RightPanel;
use crate::app::panel::top::Transport;
use crate::app::picture::Picture;
use crate::app::runs::{SessionUse, files, look_as};
use crate::app::saver::Saver;
use crate::data::ClassChoice;
use crate::experiment::{Experiment, ViewKind, is_live};
use crate::figure::{Opened, Opening};
use crate::loss::{Form, LossSpec};
use crate::scene;
use crate::scene::theme::{DARK, LIGHT};
use crate::scene::{Classes, Direction, Light, ViewState};
use crate::trainer::{Command, Snapshot, Speed, Subset, TrainError, Worker};

/// The window could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No display, or no OpenGL on it.
    #[error(
        "cannot open a window: {reason}; without a display, `marginscope train` does the same headless"
    )]
    NoWindow {
        /// What the system said, on one line.
        reason: String,
    },
    /// Training could not start.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// Opens the window and trains; returns when it is closed.
///
/// # Errors
/// If there is no display, or the experiment cannot start.
pub fn run(opening: Opening, n_threads: usize) -> Result<(), AppError> {
    let experiment = &opening.opened.recipe.experiment;
    experiment.validate().map_err(TrainError::from)?;
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png"))
        .unwrap_or_default();
    let viewport = egui::ViewportBuilder::default()
        .with_title("marginscope")
        .with_app_id("marginscope")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([800.0, 560.0])
        .with_icon(icon);
    let options = eframe::NativeOptions {
        viewport,
        dithering: false,
        ..Default::default()
    };
    let creator: eframe::AppCreator<'_> = Box::new(move |cc| {
        theme::install(&cc.egui_ctx);
        Ok(Box::new(App::new(cc, opening, n_threads)?))
    });
    eframe::run_native("marginscope", options, creator).map_err(|error| AppError::NoWindow {
        reason: reason(&error),
    })
}

/// How whoever starts without controls finds them.
fn presenter_hint(ctx: &egui::Context) -> Toast {
    Toast::new(ctx, "F5 brings the controls back".to_owned())
}

/// What keeps the window shut, in words of one line and without paths of a build.
fn reason(error: &eframe::Error) -> String {
    let is_headless = ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        .iter()
        .all(|name| std::env::var_os(name).is_none_or(|value| value.is_empty()));
    if is_headless && cfg!(all(unix, not(target_os = "macos"))) {
        return "there is no display (DISPLAY and WAYLAND_DISPLAY are unset)".to_owned();
    }
    match error {
        eframe::Error::WinitEventLoop(_) | eframe::Error::Winit(_) => {
            "the display cannot be reached".to_owned()
        }
        eframe::Error::Glutin(_)
        | eframe::Error::NoGlutinConfigs(..)
        | eframe::Error::OpenGL(_) => "the display has no usable OpenGL".to_owned(),
        eframe::Error::AppCreation(error) => {
            error.to_string().lines().collect::<Vec<_>>().join(" ")
        }
    }
}

/// The window's state; everything about the run is in the snapshot.
pub struct App {
    worker: Worker,
    snapshot: Option<Arc<Snapshot>>,
    /// The experiment with every change that was said, ahead of the snapshot by a frame or two.
    experiment: Arc<Experiment>,
    /// Number of the last command that changed it; snapshots from before are behind.
    last_change: u64,
    /// Number of the last refused command that was shown.
    last_refusal: u64,
    /// What the last session left, where this one was asked for something else.
    last_session: Option<String>,
    /// For losses that are not in use now.
    remembered: Remembered,
    picture: Picture,
    /// The sample under the lens, whichever are drawn.
    kept: Option<SampleId>,
    thumbs: Thumbs,
    left: LeftPanel,
    right: RightPanel,
    subset: Subset,
    /// Of the steps while playing; a start is always at full speed.
    speed: Speed,
    saver: Saver,
    sheet: SheetChoice,
    files: Files,
    /// Why the worker was asked for a session.
    session_wanted: Option<SessionUse>,
    /// The page for own data, while it is open.
    import: Option<Import>,
    /// The page of paper figures, while it is open.
    gallery: Option<GalleryPage>,
    lectures: Lectures,
    /// A run that was not ended, until the user says what becomes of it.
    crashed: Option<Box<Crashed>>,
    /// What waits for a captured snapshot.
    wanted: Option<Wanted>,
    toast: Option<Toast>,
    /// A view that needs another dimension, until the user agrees.
    wanted_view: Option<ViewKind>,
    shows_keys: bool,
    is_presenting: bool,
    title: String,
}

impl App {
    /// Starts training, from the last session's experiment if nothing else was asked for.
    ///
    /// # Errors
    /// If training cannot start.
    pub fn new(
        cc: &CreationContext<'_>,
        opening: impl Into<Opening>,
        n_threads: usize,
    ) -> Result<Self, TrainError> {
        let Opening {
            mut opened,
            changes,
            is_default,
        } = opening.into();
        let mut kept = Kept::of(cc);
        match kept.last().filter(|_| is_default) {
            Some(last) => opened = Opened::new(last),
            None => kept.classes = Classes::default(), // they belong to the data that they are of
        }
        let ctx = cc.egui_ctx.clone();
        let mut worker = Worker::spawn(opened.start(), n_threads, move || ctx.request_repaint())?;
        let experiment = opened.recipe.experiment.clone();
        let mut view = kept.view(experiment.view_kind());
        let mut subset = kept.subset;
        if experiment.is_given() {
            subset = Subset::of_given(experiment.network.dim);
        }
        if opened.has_picture() {
            subset = look_as(&mut view, &opened.recipe.picture, &cc.egui_ctx);
        }
        worker.send(Command::Show(subset));
        for (key, value) in changes {
            worker.send(Command::Set { key, value });
        }
        Ok(Self {
            worker,
            snapshot: None,
            last_change: 0,
            last_refusal: 0,
            last_session: kept.experiment.filter(|_| !is_default),
            remembered: kept.remembered,
            picture: Picture::new(view),
            kept: None,
            thumbs: Thumbs::default(),
            left: LeftPanel::default(),
            right: RightPanel::default(),
            subset,
            speed: Speed::default(),
            saver: Saver::default(),
            sheet: kept.sheet,
            files: files(cc, kept.recent),
            session_wanted: None,
            import: None,
            gallery: None,
            lectures: Lectures::of(kept.progress),
            crashed: None,
            wanted: None,
            toast: kept.is_presenting.then(|| presenter_hint(&cc.egui_ctx)),
            wanted_view: None,
            shows_keys: false,
            is_presenting: kept.is_presenting,
            title: String::new(),
            experiment: Arc::new(experiment),
        })
    }

    /// The newest snapshot that was taken.
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// The experiment with every change that was said.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// Sets the folder of pictures that are saved without asking; at first the user's pictures.
    pub fn save_pictures_to(&mut self, folder: PathBuf) {
        self.saver.folder = folder;
    }

    /// How the picture is looked at.
    pub fn view(&self) -> &ViewState {
        &self.picture.view
    }

    /// The same, to be changed as the controls do.
    pub fn view_mut(&mut self) -> &mut ViewState {
        &mut self.picture.view
    }

    /// Draws other samples, as the choice on the left does.
    pub fn show(&mut self, subset: Subset) {
        self.subset = subset;
        self.worker.send(Command::Show(subset));
    }

    fn set_speed(&mut self, speed: Speed) {
        self.speed = speed;
        self.worker.send(Command::Speed(speed));
    }

    fn take_snapshot(&mut self, ctx: &egui::Context) {
        let Some(newest) = self.worker.snapshot() else {
            return;
        };
        if self
            .snapshot
            .as_ref()
            .is_some_and(|old| Arc::ptr_eq(old, &newest))
        {
            return;
        }
        if let Some(refusal) = &newest.refusal
            && refusal.command > self.last_refusal
        {
            self.last_refusal = refusal.command;
            self.toast = Some(Toast::new(ctx, refusal.reason.clone()));
        }
        if newest.n_commands >= self.last_change {
            self.experiment = Arc::clone(&newest.experiment);
        }
        self.picture.view.kind = self.experiment.view_kind();
        self.follow_sample(&newest);
        self.snapshot = Some(newest);
    }

    /// Finds the kept sample among those of a new snapshot; lets it go if it is not there. Other
    /// data bring all classes back.
    fn follow_sample(&mut self, newest: &Snapshot) {
        let view = &mut self.picture.view;
        view.kept = self.kept.as_ref().and_then(|kept| kept.find(newest));
        if view.kept.is_none() {
            self.kept = None;
        }
        let old = self.snapshot.as_ref().map(|old| &old.experiment.data);
        if old.is_some_and(|old| *old != newest.experiment.data) {
            view.classes = Classes::default();
            if matches!(view.light, Light::TakenFor { .. }) {
                view.light = Light::All;
            }
        }
    }

    fn keep(&mut self, sample: Option<usize>) {
        let snapshot = self.snapshot.as_ref();
        self.kept = sample
            .zip(snapshot)
            .and_then(|(sample, snapshot)| SampleId::of(snapshot, sample));
        self.picture.view.kept = sample.filter(|_| self.kept.is_some());
    }

    fn keep_neighbor(&mut self, direction: Direction) {
        let view = &self.picture.view;
        if let Some(snapshot) = &self.snapshot
            && let Some(sample) = scene::neighbor(snapshot, view, view.kept, direction)
        {
            self.keep(Some(sample));
        }
    }

    fn set_title(&mut self, ctx: &egui::Context) {
        let title = format!(
            "marginscope · {} in {}-D",
            self.experiment.loss.spec.name, self.experiment.network.dim
        );
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Carries out what panels and keys asked for: the one place where anything changes.
    fn obey(&mut self, ctx: &egui::Context, action: Action) {
        self.wanted_view = None; // whoever does something else has answered
        match action {
            Action::SaveTable(table) => self.capture(Wanted::Table(table)),
            Action::Import => self.import = Some(Import::new(self.experiment.run.seed)),
            Action::Gallery => self.gallery = Some(GalleryPage::new(ctx)),
            Action::Lecture(lecture) => self.lecture(ctx, lecture),
            Action::Train(data, seed) => self.train_on(ctx, *data, seed),
            Action::Open => {
                let ctx = ctx.clone();
                self.files.ask_and_open(move || ctx.request_repaint());
            }
            Action::OpenPath(path) => self.open_path(ctx, path),
            Action::SaveSession => {
                self.session_wanted = Some(SessionUse::Save);
                self.worker.send(Command::Save);
            }
            Action::AnswerCrash(restores) => self.answer_crash(ctx, restores),
            Action::Send(command) => {
                self.worker.send(command);
            }
            Action::Set { key, value } => self.set(ctx, &key, &value),
            Action::ChooseLoss(spec) => self.choose_loss(ctx, spec),
            Action::View(kind) => self.choose_view(ctx, kind),
            Action::Fit => self.fit(),
            Action::Show(subset) => self.show(subset),
            Action::Speed(speed) => self.set_speed(speed),
            Action::Slower => self.set_speed(self.speed.slower()),
            Action::Faster => self.set_speed(self.speed.faster()),
            Action::Theme(preference) => ctx.set_theme(preference),
            Action::ToggleTheme => {
                let is_dark = ctx.theme() == egui::Theme::Dark;
                ctx.set_theme(if is_dark {
                    egui::Theme::Light
                } else {
                    egui::Theme::Dark
                });
            }
            Action::Toggle(part) => self.toggle(part),
            Action::Light(light) => self.picture.view.light = light,
            Action::Classes(classes) => self.picture.view.classes = classes,
            Action::Keep(sample) => self.keep(Some(sample)),
            Action::Neighbor(direction) => self.keep_neighbor(direction),
            Action::Escape if self.escape_closes_lecture() => self.lecture(ctx, Lecture::Close),
            Action::Escape if self.picture.view.kept.is_none() => {
                self.picture.view.light = Light::All;
            }
            Action::LetGo | Action::Escape => self.keep(None),
            Action::Save(saving) => self.capture(Wanted::File(saving)),
            Action::CopyPicture => self.capture(Wanted::Clipboard),
            Action::CopyCommand => self.copy_command(ctx),
            Action::Sheet(sheet) => self.sheet = sheet,
            Action::ToggleKeys => self.shows_keys = !self.shows_keys,
            Action::TogglePresenter => self.is_presenting = !self.is_presenting,
            Action::Reset => self.reset(ctx),
        }
    }

    /// Sets a field here and, if it is accepted, in the worker.
    fn set(&mut self, ctx: &egui::Context, key: &str, value: &str) {
        let mut next = self.experiment.as_ref().clone();
        let checked = next.set(key, value).and_then(|full| {
            adapt(&mut next, &full);
            next.validate().map(|()| full)
        });
        match checked {
            Ok(full) => {
                self.last_change = self.worker.send(if is_live(&full) {
                    Command::Set {
                        key: full,
                        value: value.to_owned(),
                    }
                } else {
                    Command::Load(Box::new(next.clone()))
                });
                let before = std::mem::replace(&mut self.experiment, Arc::new(next));
                self.adapt_subset(&before);
            }
            Err(error) => self.toast = Some(Toast::new(ctx, error.to_string())),
        }
    }

    fn choose_loss(&mut self, ctx: &egui::Context, spec: &'static LossSpec) {
        let loss = &self.experiment.loss;
        if spec.id == loss.spec.id {
            return;
        }
        let set = loss.set.iter().map(|(&id, &value)| (id.to_owned(), value));
        self.remembered
            .insert(loss.spec.id.to_owned(), set.collect());
        let remembered = self.remembered.get(spec.id).cloned().unwrap_or_default();
        self.set(ctx, "loss.id", spec.id);
        for (id, value) in remembered {
            let param = spec.params.iter().find(|param| param.id == id);
            let name = param.and_then(|param| param.choices.get(value as usize));
            self.set(
                ctx,
                &format!("loss.{id}"),
                &name.map_or_else(|| value.to_string(), |name| (*name).to_owned()),
            );
        }
        self.picture.view.kind = self.experiment.view_kind();
    }

    /// Looks at the features another way; a view that needs another dimension asks first.
    fn choose_view(&mut self, ctx: &egui::Context, kind: ViewKind) {
        let dim = self.experiment.network.dim;
        let fits = match kind {
            ViewKind::Plane | ViewKind::Circle => dim == 2,
            ViewKind::Sphere => dim >= 3,
            ViewKind::Input if self.experiment.has_input_plane() => true,
            ViewKind::Input => return, // no dimension helps
        };
        if fits {
            self.set(ctx, "view.kind", kind.id());
            self.picture.view.kind = kind;
        } else if let Some(given) = self.experiment.data.given() {
            // Nothing was trained that a question would have to save.
            let wanted = if kind == ViewKind::Sphere { 3 } else { 2 };
            if Experiment::dims_of_given(given.dim()).contains(&wanted) {
                self.accept_view(kind);
            } else {
                let words = format!(
                    "These features have {} numbers, the sphere needs 3",
                    given.dim()
                );
                self.toast = Some(Toast::new(ctx, words));
            }
        } else {
            self.wanted_view = Some(kind);
        }
    }

    /// The user agreed to a new run in the dimension that the wanted view needs.
    fn accept_view(&mut self, kind: ViewKind) {
        self.wanted_view = None;
        let mut next = self.experiment.as_ref().clone();
        let dim = if kind == ViewKind::Sphere { "3" } else { "2" };
        if next
            .set("network.dim", dim)
            .and_then(|_| next.set("view.kind", kind.id()))
            .is_ok()
        {
            next.run.changes.clear();
            self.load(next);
        }
    }

    fn load(&mut self, experiment: Experiment) {
        self.picture.view.kind = experiment.view_kind();
        self.last_change = self
            .worker
            .send(Command::Load(Box::new(experiment.clone())));
        let before = std::mem::replace(&mut self.experiment, Arc::new(experiment));
        self.adapt_subset(&before);
    }

    /// Of features of a file other samples are drawn than of a run, and fewer in many dimensions.
    pub(super) fn adapt_subset(&mut self, before: &Experiment) {
        let dim = self.experiment.network.dim;
        match (before.is_given(), self.experiment.is_given()) {
            (true, true) if before.network.dim == dim => {}
            (_, true) => self.show(Subset::of_given(dim)),
            (true, false) => self.show(Subset::default()),
            (false, false) => {}
        }
    }

    fn reset(&mut self, ctx: &egui::Context) {
        self.remembered.clear();
        self.subset = Subset::default();
        self.picture.view = new_view(Experiment::default().view_kind());
        ctx.set_theme(egui::ThemePreference::System);
        self.load(Experiment::default());
        self.last_session = None;
        self.kept = None;
        self.set_speed(Speed::default());
        self.worker.send(Command::Show(self.subset));
        self.worker.send(Command::Play);
    }

    fn fit(&mut self) {
        if let (Some(snapshot), Some(size)) = (&self.snapshot, self.picture.size()) {
            let _ = self.picture.view.fit(snapshot, size); // every frame compares the view with the last
        }
    }

    fn toggle(&mut self, part: Part) {
        let shown = part.of(&mut self.picture.view.show);
        *shown = !*shown;
    }
}

/// A view that leaves room for the choice of view at its top.
fn new_view(kind: ViewKind) -> ViewState {
    let mut view = ViewState::new(kind, DARK);
    view.insets.top = 52.0;
    view
}

/// What else has to change with a field, so that one click never leads into a contradiction: the
/// network falls back to what suits new data.
fn adapt(experiment: &mut Experiment, key: &str) {
    match key {
        "data.source" => {
            experiment.network.kind = None;
            experiment.data.classes = ClassChoice::Default;
            experiment.data.noise = None;
            experiment.data.samples_per_class = None;
            experiment.data.label = None;
            experiment.data.labels = None;
            experiment.data.weights = None;
            experiment.data.bias = None;
            experiment.data.test = None;
            experiment.data.scaling = None;
            experiment.data.sha256 = None;
            if experiment.loss.spec.form == Form::Binary {
                experiment.data.classes = ClassChoice::First(2);
            }
        }
        "data.classes" => {
            let is_binary = experiment.loss.spec.form == Form::Binary;
            if is_binary && experiment.n_classes() != 2 {
                let _ = experiment.set("loss.id", "softmax"); // there is one
            }
        }
        "network.dim" => experiment.view.kind = None,
        _ => {}
    }
    if !is_live(key) {
        experiment.run.changes.clear();
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.take_snapshot(ctx);
        self.take_captured(ctx);
        self.take_files(ctx);
        self.take_session(ctx);
        self.notice_lecture(ctx);
        if let Some(news) = self.saver.news() {
            self.toast = Some(Toast::new(ctx, news));
        }
        self.set_title(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let mut actions = keys::pressed(ui.ctx());
        let has_page = self.import.is_some() || self.gallery.is_some() || self.lectures.has_page();
        if self.shows_keys || self.wanted_view.is_some() || has_page {
            actions.retain(|action| !matches!(action, Action::Escape));
        }
        if !self.is_presenting {
            self.panels_ui(ui, &mut actions);
        }
        let is_presenting = self.is_presenting;
        self.lectures.card_ui(ui, is_presenting, &mut actions);
        self.center_ui(ui, &mut actions);
        if self.shows_keys {
            overlay::keys_ui(ui, &mut actions);
        }
        let import = self.import.take();
        self.import = import.and_then(|mut import| {
            let is_open = import.ui(ui.ctx(), &mut actions);
            is_open.then_some(import)
        });
        let gallery = self.gallery.take();
        self.gallery = gallery.and_then(|mut gallery| {
            let is_open = gallery.ui(ui.ctx(), &mut actions);
            is_open.then_some(gallery)
        });
        self.lectures.page_ui(ui.ctx(), &mut actions);
        let ctx = ui.ctx().clone();
        for action in actions {
            self.obey(&ctx, action);
        }
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.files.end();
    }

    /// The ground of the picture. Software that draws pays for every layer of it: clearing is the
    /// cheapest, and panels and regions come over it anyway.
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        let tokens = if visuals.dark_mode { &DARK } else { &LIGHT };
        theme::color(tokens.ground).to_normalized_gamma_f32()
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        let mut experiment = self.experiment.as_ref().clone();
        experiment.run.changes.clear();
        experiment.run.length = None; // it was asked for this time, not for every start
        let this_session = || experiment.to_toml();
        let kept = Kept {
            experiment: Some(self.last_session.clone().unwrap_or_else(this_session)),
            remembered: self.remembered.clone(),
            is_presenting: self.is_presenting,
            show: Some(self.picture.view.show),
            sphere: Some(self.picture.view.sphere),
            subset: if self.experiment.is_given() {
                Subset::default()
            } else {
                self.subset
            },
            classes: self.picture.view.classes.clone(),
            sheet: self.sheet,
            progress: self.lectures.progress.clone(),
            recent: self.files.recent.clone(),
        };
        eframe::set_value(storage, eframe::APP_KEY, &kept);
    }
}

/// Width of the panels beside the picture, in points.
const LEFT_WIDTH: f32 = 232.0;
const RIGHT_WIDTH: f32 = 244.0;
const TOP_HEIGHT: f32 = 50.0;

impl App {
    fn panels_ui(&mut self, ui: &mut egui::Ui, actions: &mut Vec<Action>) {
        let frame = |x: i8, y: i8| {
            egui::Frame::new()
                .fill(ui.visuals().panel_fill)
                .inner_margin(egui::Margin::symmetric(x, y))
        };
        let bar = frame(12, 0);
        let mut side = frame(16, 12);
        // The rest of the margin is room for the scroll bar.
        side.inner_margin.right -= theme::SCROLL_BAR_ROOM as i8;
        let is_playing = self
            .snapshot
            .as_ref()
            .is_none_or(|snapshot| snapshot.is_playing);
        Panel::top("top")
            .exact_size(TOP_HEIGHT)
            .frame(bar)
            .show(ui, |ui| {
                let transport = Transport {
                    is_playing,
                    speed: self.speed,
                    trains: !self.experiment.is_given(),
                };
                let files = panel::top::FileMenus {
                    recent: &self.files.recent,
                    sheet: self.sheet,
                };
                panel::top::top_ui(ui, &self.experiment, transport, files, actions);
            });
        let shown = Shown {
            experiment: &self.experiment,
            head: self.snapshot.as_ref().map(|snapshot| &snapshot.head),
            subset: self.subset,
            show: self.picture.view.show,
            light: self.picture.view.light,
            classes: &self.picture.view.classes,
            class_names: self.snapshot.as_ref().map_or(&[], |s| &s.class_names[..]),
        };
        Panel::left("left")
            .exact_size(LEFT_WIDTH)
            .resizable(false)
            .frame(side)
            .show(ui, |ui| self.left.ui(ui, &shown, actions));
        Panel::right("right")
            .exact_size(RIGHT_WIDTH)
            .resizable(false)
            .frame(side)
            .show(ui, |ui| {
                if let Some(snapshot) = &self.snapshot {
                    let view = &self.picture.view;
                    let thumbs = &mut self.thumbs;
                    self.right.ui(ui, snapshot, view, thumbs, actions);
                }
            });
    }

    fn center_ui(&mut self, ui: &mut egui::Ui, actions: &mut Vec<Action>) {
        egui::CentralPanel::no_frame().show(ui, |ui| {
            let rect = ui.available_rect_before_wrap();
            let Some(snapshot) = self.snapshot.clone() else {
                overlay::loading_ui(ui, rect, self.worker.failure());
                return;
            };
            self.picture.ui(ui, &snapshot, &mut self.thumbs, actions);
            overlay::view_ui(ui, rect, &self.experiment, self.picture.view.kind, actions);
            if let Some(sample) = self.picture.view.kept.filter(|_| self.is_presenting) {
                overlay::sample_card_ui(ui, rect, |ui| {
                    panel::sample::sample_ui(ui, &snapshot, sample, &mut self.thumbs, actions);
                });
            }
            let has_banner =
                self.wanted_view.is_some() || snapshot.fault.is_some() || self.crashed.is_some();
            if let Some(crashed) = &self.crashed {
                if let Some(restores) = overlay::ask_to_restore(ui, rect, crashed) {
                    actions.push(Action::AnswerCrash(restores));
                }
            } else if let Some(kind) = self.wanted_view {
                match overlay::ask_for_dimension(ui, rect, kind) {
                    Some(true) => self.accept_view(kind),
                    Some(false) => self.wanted_view = None,
                    None => {}
                }
            } else if let Some(fault) = &snapshot.fault {
                overlay::fault_ui(ui, rect, fault, actions);
            }
            let toast = self.toast.take();
            self.toast = toast.filter(|toast| toast.ui(ui, rect, has_banner));
        });
    }
}
