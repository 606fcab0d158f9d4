//! The window; the only module that knows egui.
//!
//! A frame takes the newest snapshot (`logic`), lays out the panels and paints the picture (`ui`).
//! Panels and keys return [`Action`]s, which [`App::obey`] carries out; training happens in the
//! worker, saving in its own thread, so that a frame never waits.

mod action;
mod ahead;
mod compare;
mod draw;
mod exports;
mod files;
mod gallery;
mod hints;
mod hold;
mod import;
mod kept;
mod keys;
mod layout;
mod lens;
mod lessons;
mod overlay;
mod paint;
mod pane;
mod panel;
mod picture;
mod present;
mod runs;
mod saver;
mod settings;
pub mod theme;
mod timeline;
mod undo;
mod widget;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::CreationContext;
use egui::ViewportCommand;

use crate::app::action::{Action, PaneAction, SheetChoice};
use crate::app::draw::{DrawCard, obstacle};
use crate::app::exports::Wanted;
use crate::app::files::{Crashed, Files};
use crate::app::gallery::GalleryPage;
use crate::app::hints::Hints;
use crate::app::hold::{Drag, Hand};
use crate::app::import::Import;
use crate::app::kept::{Kept, Remembered, Session};
use crate::app::lens::{SampleId, Thumbs};
use crate::app::lessons::{Beside, Lecture, Lectures};
use crate::app::overlay::Toast;
use crate::app::pane::{MOST_PANES, Pane, Panes};
use crate::app::panel::left::LeftPanel;
use crate::app::panel::right::RightPanel;
use crate::app::present::Presenter;
use crate::app::runs::{SessionUse, look_as};
use crate::app::saver::Saver;
use crate::app::timeline::{Look, Playback};
use crate::app::undo::Undo;
use crate::experiment::{Experiment, ViewKind};
use crate::figure::{Opened, Opening};
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
        let mut app = App::new(cc, opening, n_threads)?;
        // Runs are kept where the window itself keeps its state.
        if cc.storage.is_some()
            && let Some(folder) = eframe::storage_dir("marginscope")
        {
            app.keep_runs_in(&cc.egui_ctx, &folder.join("runs"));
        }
        Ok(Box::new(app))
    });
    eframe::run_native("marginscope", options, creator).map_err(|error| AppError::NoWindow {
        reason: reason(&error),
    })
}

/// How whoever starts without controls finds them.
fn presenter_hint(ctx: &egui::Context) -> Toast {
    Toast::new(ctx, "Esc or F5 brings the controls back".to_owned())
}

fn set_dark(ctx: &egui::Context, is_dark: bool) {
    ctx.set_theme(if is_dark {
        egui::Theme::Dark
    } else {
        egui::Theme::Light
    });
}

/// How a start looks at its features, and at which: as the last window did, or as its file says.
fn first_look(kept: &Kept, opened: &Opened, ctx: &egui::Context) -> (ViewState, Subset) {
    let experiment = &opened.recipe.experiment;
    let mut view = kept.view(experiment.view_kind());
    let mut subset = kept.subset;
    if experiment.is_given() {
        subset = Subset::of_given(experiment.network.dim);
    }
    if opened.has_picture() {
        subset = look_as(&mut view, &opened.recipe.picture, ctx);
    }
    (view, subset)
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
    panes: Panes,
    /// What the last session left, where this one was asked for something else.
    last_session: Option<Session>,
    /// For losses that are not in use now.
    remembered: Remembered,
    /// The sample under the lens, whichever are drawn.
    kept: Option<SampleId>,
    thumbs: Thumbs,
    /// What is drawn by hand, beside the samples.
    draw: DrawCard,
    left: LeftPanel,
    right: RightPanel,
    subset: Subset,
    /// Of the steps while playing.
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
    /// What the pointer holds.
    drag: Option<Drag>,
    hints: Hints,
    /// The recording that is being played.
    playback: Option<Playback>,
    undo: Undo,
    /// What is to be told at the end of the frame.
    news: Option<&'static str>,
    /// What waits for a captured snapshot.
    wanted: Option<Wanted>,
    toast: Option<Toast>,
    /// A view that needs another dimension, until the user agrees.
    wanted_view: Option<ViewKind>,
    /// Whether the user is asked if everything is to be reset.
    asks_to_reset: bool,
    shows_keys: bool,
    is_presenting: bool,
    presenter: Presenter,
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
        let mut beside = Vec::new();
        match kept.last().filter(|_| is_default) {
            Some(last) => {
                beside = kept.last_beside();
                opened = Opened::new(last);
            }
            None => kept.forget_data(),
        }
        let ctx = cc.egui_ctx.clone();
        let (view, subset) = first_look(&kept, &opened, &ctx);
        let worker = Worker::spawn(opened.start(), n_threads, move || ctx.request_repaint())?;
        let first = [Command::Speed(kept.speed), Command::Show(subset)];
        let set = |(key, value)| Command::Set { key, value };
        let mut pane = Pane::new(worker, opened.recipe.experiment, view);
        for command in first.into_iter().chain(changes.into_iter().map(set)) {
            pane.last_change = pane.worker.send(command);
        }
        let mut panes = Panes::of(pane);
        panes.surround(beside, 0);
        panes.activate(kept.last_active().filter(|_| is_default).unwrap_or(0));
        let in_run = |place| SampleId::in_run(panes.active().experiment(), place);
        Ok(Self {
            kept: kept.sample.map(in_run),
            panes,
            last_session: kept.session.filter(|_| !is_default),
            remembered: kept.remembered,
            thumbs: Thumbs::default(),
            draw: DrawCard::of(kept.drawing),
            left: LeftPanel::default(),
            right: RightPanel::default(),
            subset,
            speed: kept.speed,
            saver: Saver::default(),
            sheet: kept.sheet,
            files: Files::new(kept.recent),
            session_wanted: None,
            import: None,
            gallery: None,
            lectures: Lectures::of(kept.progress),
            crashed: None,
            drag: None,
            hints: Hints::new(kept.hints),
            playback: None,
            undo: Undo::default(),
            news: None,
            wanted: None,
            toast: kept.is_presenting.then(|| presenter_hint(&cc.egui_ctx)),
            wanted_view: None,
            asks_to_reset: false,
            shows_keys: false,
            is_presenting: kept.is_presenting,
            presenter: Presenter::default(),
            title: String::new(),
        })
    }

    /// What is drawn in the pane that has the controls.
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.panes.active().snapshot()
    }

    /// The same of every pane, from the top left one on.
    pub fn snapshots(&self) -> impl Iterator<Item = Option<&Arc<Snapshot>>> {
        self.panes.all().iter().map(Pane::snapshot)
    }

    /// What each picture shows, in the same order: of many one a frame takes its newest snapshot.
    pub fn pictured(&self) -> impl Iterator<Item = Option<&Arc<Snapshot>>> {
        self.panes.all().iter().map(|pane| pane.picture.shown())
    }

    /// Its experiment with every change that was said.
    pub fn experiment(&self) -> &Experiment {
        self.panes.active().experiment()
    }

    /// Sets the folder of pictures that are saved without asking; at first the user's pictures.
    pub fn save_pictures_to(&mut self, folder: PathBuf) {
        self.saver.folder = folder;
    }

    /// How its picture is looked at.
    pub fn view(&self) -> &ViewState {
        &self.panes.active().picture.view
    }

    /// The same, to be changed as the controls do.
    pub fn view_mut(&mut self) -> &mut ViewState {
        &mut self.panes.active_mut().picture.view
    }

    /// Draws other samples, as the choice on the left does.
    pub fn show(&mut self, subset: Subset) {
        self.subset = subset;
        self.send_to_all(&Command::Show(subset));
    }

    fn set_speed(&mut self, speed: Speed) {
        self.speed = speed;
        self.send_to_all(&Command::Speed(speed));
    }

    fn send_to_all(&mut self, command: &Command) {
        for pane in self.panes.all_mut() {
            pane.worker.send(command.clone());
        }
    }

    /// Plays, pauses or steps all runs together.
    fn transport(&mut self, command: Command) {
        let is_playing = self.panes.all().iter().any(Pane::is_playing);
        let looks_back = self.panes.active().past().is_some();
        let command = match command {
            Command::TogglePlay if looks_back => return self.toggle_recording(),
            Command::Step(n) if looks_back => return self.look(Look::By(n as i64)),
            Command::TogglePlay if is_playing => Command::Pause,
            Command::TogglePlay => Command::Play,
            other => other,
        };
        if command == Command::Restart {
            for pane in self.panes.all() {
                self.undo.end_run(pane.id);
            }
        }
        self.stop_looking_back();
        self.send_to_all(&command);
    }

    fn obey_pane(&mut self, ctx: &egui::Context, action: PaneAction) {
        match action {
            PaneAction::Add => self.add_pane(ctx),
            PaneAction::Close(index) => self.panes.close(index),
            PaneAction::Activate(index) => self.panes.activate(index),
            PaneAction::Next => self.panes.activate_next(),
            PaneAction::Toggle(index) => {
                self.stop_looking_back(); // what is trained is seen
                self.panes.toggle(index);
            }
        }
    }

    fn toggle_presenter(&mut self, ctx: &egui::Context) {
        self.is_presenting = !self.is_presenting;
        self.toast = self.is_presenting.then(|| presenter_hint(ctx));
        self.presenter.fill_screen(ctx, self.is_presenting);
    }

    /// Whether Esc has nothing else to end.
    fn escape_ends_presenting(&self) -> bool {
        let view = self.view();
        self.is_presenting && view.kept.is_none() && matches!(view.light, Light::All)
    }

    fn add_pane(&mut self, ctx: &egui::Context) {
        let has_room = self.panes.all().len() < MOST_PANES;
        if self.panes.active().past().is_some() && has_room {
            self.go_back_together(ctx); // else the new run would stand beside recordings
        }
        if self.panes.add_twin().is_none() {
            let words = format!("{MOST_PANES} panes are as many as can be read; close one first");
            self.toast = Some(Toast::new(ctx, words));
        }
    }

    fn take_snapshots(&mut self, ctx: &egui::Context) {
        for i in 0..self.panes.all().len() {
            let pane = &mut self.panes.all_mut()[i];
            let news = pane.take();
            if let Some(reason) = news.refusal {
                self.toast = Some(Toast::new(ctx, reason));
            }
            if news.is_newer {
                self.follow_sample(i, news.has_other_data);
            }
        }
    }

    /// Finds the kept sample among those that a pane draws; lets it go if it is not there. Other
    /// data bring all classes back.
    fn follow_sample(&mut self, index: usize, has_other_data: bool) {
        let is_active = index == self.panes.active_index();
        let pane = &mut self.panes.all_mut()[index];
        let Some(snapshot) = pane.snapshot().cloned() else {
            return;
        };
        let view = &mut pane.picture.view;
        view.kept = self.kept.as_ref().and_then(|kept| kept.find(&snapshot));
        let is_behind = snapshot.n_commands < pane.last_change; // it may have other samples
        if view.kept.is_none() && is_active && !is_behind {
            self.kept = None;
        }
        if has_other_data {
            view.classes = Classes::default();
            if matches!(view.light, Light::TakenFor { .. }) {
                view.light = Light::All;
            }
        }
    }

    /// What is looked at has changed in all panes.
    fn follow_samples(&mut self) {
        for i in 0..self.panes.all().len() {
            self.follow_sample(i, false);
        }
    }

    fn keep(&mut self, sample: Option<usize>) {
        let snapshot = self.panes.active().snapshot();
        self.kept = sample
            .zip(snapshot)
            .and_then(|(sample, snapshot)| SampleId::of(snapshot, sample));
        self.follow_samples();
    }

    fn keep_neighbor(&mut self, direction: Direction) {
        let pane = self.panes.active();
        let view = &pane.picture.view;
        if let Some(snapshot) = pane.snapshot()
            && let Some(sample) = scene::neighbor(snapshot, view, view.kept, direction)
        {
            self.keep(Some(sample));
        }
    }

    /// Opens or closes the card to draw on, or says why it has no use here.
    fn toggle_draw(&mut self, ctx: &egui::Context) {
        match self.draw_obstacle().filter(|_| !self.draw.is_open()) {
            Some(why) => self.toast = Some(Toast::new(ctx, why.to_owned())),
            None => self.draw.toggle(),
        }
    }

    fn draw_obstacle(&self) -> Option<&'static str> {
        let snapshot = self.snapshot()?;
        obstacle(&snapshot.experiment, snapshot)
    }

    /// Has what was drawn read by all networks. They are those of now, and so is the picture then.
    fn send_drawing(&mut self, ctx: &egui::Context) {
        let Some(news) = self.draw.news() else {
            return;
        };
        let looks_back = self.panes.active().past().is_some();
        if looks_back && matches!(news, Command::Place(Some(_))) {
            self.stop_looking_back();
            let words = "Back at now: the network of now reads what is drawn";
            self.toast = Some(Toast::new(ctx, words.to_owned()));
        }
        self.send_to_all(&news);
    }

    /// Whether the card to draw on is shown.
    fn draws(&self) -> bool {
        self.draw.is_open() && self.snapshot().is_some() && self.draw_obstacle().is_none()
    }

    fn set_title(&mut self, ctx: &egui::Context) {
        let title = format!(
            "marginscope · {} in {}-D",
            self.experiment().loss.spec.name,
            self.experiment().network.dim
        );
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Carries out what panels and keys asked for: the one place where anything changes.
    fn obey(&mut self, ctx: &egui::Context, action: Action) {
        self.wanted_view = None; // whoever does something else has answered
        self.asks_to_reset = false;
        match action {
            Action::SaveTable(table) => self.capture(Wanted::Table(table)),
            Action::Import => self.import = Some(Import::new(self.experiment().run.seed)),
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
                self.panes.active_mut().worker.send(Command::Save);
            }
            Action::AnswerCrash(restores) => self.answer_crash(ctx, restores),
            Action::Send(command) => self.transport(command),
            Action::Set { key, value } => self.set(ctx, &key, &value),
            Action::ChooseLoss(spec) => self.choose_loss(ctx, spec),
            Action::View(kind) => self.choose_view(ctx, kind),
            Action::Fit => self.fit(),
            Action::Show(subset) => self.show(subset),
            Action::Speed(speed) => self.set_speed(speed),
            Action::Slower => self.set_speed(self.speed.slower()),
            Action::Faster => self.set_speed(self.speed.faster()),
            Action::Theme(preference) => ctx.set_theme(preference),
            Action::ToggleTheme => set_dark(ctx, ctx.theme() != egui::Theme::Dark),
            Action::Toggle(part) => self.toggle(part),
            Action::Light(light) => self.view_mut().light = light,
            Action::Classes(classes) => self.view_mut().classes = classes,
            Action::Keep(sample) => self.keep(Some(sample)),
            Action::Neighbor(direction) => self.keep_neighbor(direction),
            Action::Escape if self.drag.is_some() => self.hand(ctx, Hand::LetBack),
            Action::Escape if self.escape_closes_lecture() => self.lecture(ctx, Lecture::Close),
            Action::Escape if self.escape_ends_presenting() => self.toggle_presenter(ctx),
            Action::Escape if self.view().kept.is_none() => self.view_mut().light = Light::All,
            Action::LetGo | Action::Escape => self.keep(None),
            Action::Save(saving) => self.capture(Wanted::File(saving)),
            Action::CopyPicture => self.capture(Wanted::Clipboard),
            Action::CopyCommand => self.copy_command(ctx),
            Action::Sheet(sheet) => self.sheet = sheet,
            Action::Look(look) => self.look(look),
            Action::Recording(recording) => self.obey_recording(recording),
            Action::Pane(action) => self.obey_pane(ctx, action),
            Action::Hand(hand) => self.hand(ctx, hand),
            Action::Undo => self.undo(ctx),
            Action::Redo => self.redo(ctx),
            Action::ToggleKeys => self.shows_keys = !self.shows_keys,
            Action::TogglePresenter => self.toggle_presenter(ctx),
            Action::ToggleSpotlight => self.presenter.has_spotlight ^= self.is_presenting,
            Action::ToggleDraw => self.toggle_draw(ctx),
            Action::Reset => self.asks_to_reset = true,
            Action::AnswerReset(true) => self.reset(ctx),
            Action::AnswerReset(false) => {}
        }
    }
}

/// A view that leaves room for the choice of view at its top.
fn new_view(kind: ViewKind) -> ViewState {
    let mut view = ViewState::new(kind, DARK);
    view.insets.top = 52.0;
    view
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.take_snapshots(ctx);
        self.follow_recording(ctx);
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
        let asks = self.wanted_view.is_some() || self.asks_to_reset;
        if self.shows_keys || asks || has_page {
            actions.retain(|action| !matches!(action, Action::Escape));
        }
        self.presenter.zoom(ui.ctx(), self.is_presenting);
        self.panes.take_turns(ui.ctx());
        if self.is_presenting {
            self.presenter_bar_ui(ui, &mut actions);
        } else {
            self.panels_ui(ui, &mut actions);
        }
        let is_presenting = self.is_presenting;
        let shown = self.panes.find(self.lectures.pane()).snapshot();
        let beside = Beside {
            is_presenting,
            can_keep: self.panes.has_room_beside_own(),
            generation: shown.map(|shown| shown.generation),
        };
        self.lectures.card_ui(ui, beside, &mut actions);
        self.draw_beside_ui(ui, &mut actions);
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
        self.gallery = gallery.and_then(|gallery| {
            let is_open = gallery.ui(ui.ctx(), &mut actions);
            is_open.then_some(gallery)
        });
        self.lectures.page_ui(ui.ctx(), &mut actions);
        let ctx = ui.ctx().clone();
        for action in actions {
            self.hints.note(&action);
            self.obey(&ctx, action);
        }
        if let Some(words) = self.news.take() {
            self.toast = Some(Toast::new(&ctx, words.to_owned()));
        }
        self.send_drawing(&ctx);
        self.link_views(&ctx);
        self.note_state(&ctx);
        self.presenter.spotlight_ui(&ctx, self.is_presenting);
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
        let (panes, active) = self.panes.own(); // the runs of a lesson are not kept
        let this_session = || Session::of(panes, active);
        let own = self.lectures.own();
        let (subset, sample, remembered) =
            own.unwrap_or((self.subset, self.kept.as_ref(), &self.remembered));
        let view = &panes[active].picture.view;
        let kept = Kept {
            session: Some(self.last_session.clone().unwrap_or_else(this_session)),
            hints: self.hints.done.clone(),
            remembered: remembered.clone(),
            is_presenting: self.is_presenting,
            zoom: self.presenter.own_zoom,
            show: Some(view.show),
            sphere: Some(view.sphere),
            subset: if panes[active].experiment().is_given() {
                Subset::default()
            } else {
                subset
            },
            classes: view.classes.clone(),
            sheet: self.sheet,
            speed: self.lectures.own_speed(self.speed),
            sample: sample.map(SampleId::place),
            drawing: self.draw.drawing(),
            progress: self.lectures.progress.clone(),
            recent: self.files.recent.clone(),
        };
        eframe::set_value(storage, eframe::APP_KEY, &kept);
    }
}
