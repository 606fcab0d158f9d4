//! What the window does with files of runs: opens them, keeps its own, trains on own data.

use std::path::{Path, PathBuf};

use crate::app::App;
use crate::app::action::{SaveTo, Saving};
use crate::app::exports::file_name;
use crate::app::files::{News, describes_run};
use crate::app::import::Import;
use crate::app::kept;
use crate::app::overlay::Toast;
use crate::data::DataSpec;
use crate::experiment::Experiment;
use crate::figure;
use crate::figure::{Opened, Tone, gallery};
use crate::loss::Form;
use crate::scene::{PlaneView, ViewState};
use crate::trainer::{Command, Subset};

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionUse {
    /// Kept in case the program ends before its time.
    Autosave,
    /// The user says where.
    Save,
}

impl App {
    /// Keeps the run in this folder from time to time, and offers one that was not ended there.
    pub fn keep_runs_in(&mut self, ctx: &egui::Context, folder: &Path) {
        let ctx = ctx.clone();
        self.files
            .autosave_in(folder, move || ctx.request_repaint());
    }

    /// Goes on with what a file describes.
    pub(super) fn open(&mut self, ctx: &egui::Context, opened: &Opened) {
        self.close_lecture(false); // it is a run of the user's own
        self.kept = None;
        self.panes.active_mut().look_at_now(); // of the old run nothing is left
        let start = Box::new(opened.start());
        self.change(Command::Open(start), opened.recipe.experiment.now());
        if opened.has_picture() {
            let samples = look_as(self.view_mut(), &opened.recipe.picture, ctx);
            self.show(samples);
        }
        self.last_session = None;
    }

    /// A new run on own data, with the loss and the optimizer that are in use.
    pub(super) fn train_on(&mut self, ctx: &egui::Context, data: DataSpec, seed: u64) {
        let mut next = self.experiment().clone();
        next.data = data;
        next.network.kind = None; // what suits the data
        next.run.seed = seed;
        next.run.changes.clear();
        if next.loss.spec.form == Form::Binary && next.n_classes() != 2 {
            let _ = next.set("loss.id", "softmax"); // there is one
        }
        match next.validate() {
            Ok(()) => {
                self.close_lecture(false);
                self.load(next);
                self.panes.active_mut().worker.send(Command::Play);
            }
            Err(error) => self.toast = Some(Toast::new(ctx, error.to_string())),
        }
    }

    /// Opens what describes a run, as Open does; anything else is own data, and shown first.
    pub fn open_path(&mut self, ctx: &egui::Context, path: PathBuf) {
        if !describes_run(&path) {
            let seed = self.experiment().run.seed;
            self.import = Some(Import::of_file(path, seed, ctx));
            return;
        }
        let ctx = ctx.clone();
        self.files.open(path, move || ctx.request_repaint());
    }

    /// What was dropped onto the window, and what became of files.
    pub(super) fn take_files(&mut self, ctx: &egui::Context) {
        let dropped = ctx.input(|input| input.raw.dropped_files.first().cloned());
        if let Some(path) = dropped.map(|file| file.path().to_owned()) {
            self.open_path(ctx, path);
        }
        while let Some(news) = self.files.news() {
            match news {
                News::Opened(path, opened) => {
                    let exhibit = gallery::name_in(&path).and_then(gallery::find);
                    let theme = ctx.options(|options| options.theme_preference);
                    self.open(ctx, &opened);
                    if exhibit.is_some() {
                        ctx.set_theme(theme); // a figure of the gallery is for both
                    }
                    let words = exhibit.map_or_else(
                        || format!("Opened {}", path.display()),
                        |exhibit| exhibit.about.look.clone(),
                    );
                    self.toast = Some(Toast::new(ctx, words));
                }
                News::Progress(words) | News::Said(words) => {
                    self.toast = Some(Toast::new(ctx, words));
                }
                News::Crashed(crashed) => self.crashed = Some(crashed),
            }
        }
    }

    /// Keeps the run from time to time, and hands a session to who asked for it.
    pub(super) fn take_session(&mut self, ctx: &egui::Context) {
        let Some(snapshot) = self.panes.active().newest().cloned() else {
            return;
        };
        let is_due = self
            .files
            .is_autosave_due(snapshot.generation, snapshot.step);
        let is_own = !self.panes.is_aside(); // the run of a lesson is made again with a click
        if is_own && self.session_wanted.is_none() && is_due {
            self.session_wanted = Some(SessionUse::Autosave);
            self.panes.active_mut().worker.send(Command::Save);
        }
        let mut panes = self.panes.all().iter();
        let found = panes.find_map(|pane| Some((pane.worker.take_session()?, pane)));
        let Some((session, pane)) = found else {
            return;
        };
        // Who has the controls may have changed since it was asked for.
        let snapshot = pane.newest().cloned().unwrap_or(snapshot);
        let id = pane.id;
        let size = pane.picture.size();
        let (Some(wanted), Some(size)) = (self.session_wanted.take(), size) else {
            return;
        };
        let saving = Saving::as_shown(SaveTo::Dialog);
        let mut recipe = self.recipe(&snapshot, saving, size);
        if let Ok(experiment) = Experiment::from_toml(&session.recipe, "session") {
            recipe.experiment = experiment;
        }
        recipe.picture.step = Some(session.step());
        match wanted {
            SessionUse::Autosave => {
                let at = self.panes.index_of(id).unwrap_or_default();
                let around = kept::Session::of(self.panes.all(), at).around_active();
                let generation = snapshot.generation;
                self.files.autosave(session, &recipe, generation, around);
            }
            SessionUse::Save => {
                let name = format!("{}.safetensors", file_name(&snapshot, "session"));
                let ctx = ctx.clone();
                self.files
                    .save_session(session, &recipe, &name, move || ctx.request_repaint());
            }
        }
    }

    pub(super) fn answer_crash(&mut self, ctx: &egui::Context, restores: bool) {
        let Some(crashed) = self.crashed.take() else {
            return;
        };
        if restores {
            self.open(ctx, &crashed.opened);
            if let Some(around) = &crashed.around {
                self.panes.close_others();
                self.panes.surround(around.experiments.clone(), around.at);
            }
        }
        crashed.discard();
    }
}

/// Looks at the features as a picture does, whose samples it returns; the window fits the plane.
pub(super) fn look_as(
    view: &mut ViewState,
    picture: &figure::Picture,
    ctx: &egui::Context,
) -> Subset {
    let insets = view.insets;
    let note = view.show.note;
    *view = picture.view(view.kind);
    view.insets = insets;
    view.unit = None;
    view.plane = PlaneView::default();
    view.show.note = note;
    view.show.legend = false; // the window's panels are one
    ctx.set_theme(match picture.theme {
        Tone::Dark => egui::ThemePreference::Dark,
        Tone::Light => egui::ThemePreference::Light,
    });
    picture.samples
}
