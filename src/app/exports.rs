//! What the window saves and copies: pictures, plots, films, numbers, the command line.

use std::sync::Arc;

use crate::app::App;
use crate::app::action::{SaveTo, Saving};
use crate::app::overlay::Toast;
use crate::app::saver::{Job, Table, Work};
use crate::export::Length;
use crate::figure;
use crate::figure::{Ink, Played, Plot, Recipe};
use crate::trainer::{Command, Snapshot};

/// What a captured snapshot is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    File(Saving),
    Table(Table),
    Clipboard,
}

/// Pixels in a point of a picture that is saved as it is shown.
const PIXELS_PER_PT: f64 = 2.0;

/// A name after loss, content, seed and step, without its end.
pub(super) fn file_name(snapshot: &Snapshot, what: &str) -> String {
    format!(
        "marginscope-{}-{what}-seed{}-step{:06}",
        snapshot.head.spec.id, snapshot.experiment.run.seed, snapshot.step,
    )
}

impl App {
    /// Asks the worker for a snapshot whose every sample is at the same step.
    pub(super) fn capture(&mut self, wanted: Wanted) {
        if self.wanted.is_some() {
            return; // that picture is on its way
        }
        self.wanted = Some(wanted);
        let pane = self.panes.active_mut();
        if pane.past().is_none() {
            pane.worker.send(Command::Capture);
        }
    }

    pub(super) fn take_captured(&mut self, ctx: &egui::Context) {
        let pane = self.panes.active();
        let (Some(wanted), Some(size)) = (self.wanted, pane.picture.size()) else {
            return;
        };
        let recorded = pane.past().and(pane.snapshot()).cloned();
        let mut panes = self.panes.all().iter();
        let captured = || panes.find_map(|pane| pane.worker.take_captured());
        let Some(snapshot) = recorded.or_else(captured) else {
            return;
        };
        self.wanted = None;
        match wanted {
            Wanted::File(saving) => self.save_figure(ctx, snapshot, saving, size),
            Wanted::Table(table) => self.save_table(ctx, snapshot, table),
            Wanted::Clipboard => self.copy_figure(ctx, snapshot, size),
        }
    }

    /// What is shown now, with what makes it again.
    pub(super) fn recipe(&self, snapshot: &Snapshot, saving: Saving, size: [f32; 2]) -> Recipe {
        let mut shown = figure::Picture::of_view(self.view(), size);
        let pixels = shown.width.pixels() * PIXELS_PER_PT;
        shown.width = Length::Pixels(pixels);
        shown.samples = self.subset;
        if shown.show.trails {
            shown.trail = Some(self.panes.active().picture.trails().recorded(snapshot));
        }
        let drawn = snapshot.drawn.as_ref();
        shown.drawn = drawn.and_then(|drawn| Ink::try_from(Arc::clone(&drawn.image)).ok());
        shown.plot = saving.plot;
        if saving.plot == Plot::Curves {
            shown.accuracy = snapshot.history.accuracies();
        }
        let mut picture = saving.framing.of(shown);
        picture.transparent |= self.sheet.transparent;
        picture.raster_points |= self.sheet.raster_points;
        Recipe::of(snapshot, picture)
    }

    fn save_figure(
        &self,
        ctx: &egui::Context,
        snapshot: Arc<Snapshot>,
        saving: Saving,
        size: [f32; 2],
    ) {
        let mut recipe = self.recipe(&snapshot, saving, size);
        if let Some(strip) = saving.framing.strip(&snapshot) {
            if !strip.is_over_time() {
                recipe.experiment = snapshot.experiment.as_ref().clone();
                recipe.experiment.run.changes.clear(); // of runs that keep their margin
            }
            recipe.picture.strip = Some(strip);
        }
        let what = match saving.plot {
            Plot::Features => self.view().kind.id(),
            plot => plot.id(),
        };
        let name = file_name(&snapshot, &format!("{what}{}", saving.framing.id()));
        let name = format!("{name}.{}", saving.framing.extension());
        // What was recorded is close to the run; a file has its very numbers.
        let is_past = self.panes.active().past().is_some();
        let work = if saving.framing.is_replayed() || is_past {
            Work::Replayed(recipe)
        } else {
            Work::Still(
                recipe,
                Box::new(self.panes.active().picture.trails().clone()),
            )
        };
        let ctx = ctx.clone();
        let job = Job { snapshot, work };
        self.saver
            .save(job, &name, saving.to, move || ctx.request_repaint());
    }

    fn save_table(&self, ctx: &egui::Context, snapshot: Arc<Snapshot>, table: Table) {
        let name = format!("{}.csv", file_name(&snapshot, table.id()));
        let work = Work::Table(table);
        let ctx = ctx.clone();
        let job = Job { snapshot, work };
        self.saver
            .save(job, &name, SaveTo::Dialog, move || ctx.request_repaint());
    }

    fn copy_figure(&mut self, ctx: &egui::Context, snapshot: Arc<Snapshot>, size: [f32; 2]) {
        let saving = Saving::as_shown(SaveTo::Pictures);
        let recipe = self.recipe(&snapshot, saving, size);
        let played = Played::still(snapshot, self.panes.active().picture.trails().clone());
        let words = match figure::pixels(&played, &recipe.picture) {
            Ok((size, rgba)) => {
                let image = egui::ColorImage::from_rgba_unmultiplied(size, &rgba);
                ctx.copy_image(image);
                "Copied the picture".to_owned()
            }
            Err(error) => format!("Cannot copy the picture: {error}"),
        };
        self.toast = Some(Toast::new(ctx, words));
    }

    pub(super) fn copy_command(&mut self, ctx: &egui::Context) {
        let Some(snapshot) = self.snapshot() else {
            return;
        };
        let recipe = Recipe::of(snapshot, figure::Picture::default());
        ctx.copy_text(recipe.command_line());
        let words = if recipe.experiment.run.changes.is_empty() {
            "Copied the command line"
        } else {
            "Copied the command line; what was changed on the way is only in saved pictures"
        };
        self.toast = Some(Toast::new(ctx, words.to_owned()));
    }
}
