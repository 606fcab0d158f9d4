//! How the window changes a run: field by field, by another loss, another view, another experiment.

use crate::app::action::{Part, SheetChoice};
use crate::app::draw::DrawCard;
use crate::app::hints::Hints;
use crate::app::lessons::Lectures;
use crate::app::overlay::Toast;
use crate::app::panel::left::LeftPanel;
use crate::app::panel::right::RightPanel;
use crate::app::{App, new_view};
use crate::data::ClassChoice;
use crate::experiment::{Experiment, ViewKind, is_live};
use crate::loss::{Form, LossSpec};
use crate::trainer::{Command, Speed, Subset};

impl App {
    /// Sets a field here and, if it is accepted, in the worker.
    pub(super) fn set(&mut self, ctx: &egui::Context, key: &str, value: &str) {
        let mut next = self.experiment().clone();
        let checked = next.set(key, value).and_then(|full| {
            adapt(&mut next, &full);
            next.validate().map(|()| full)
        });
        match checked {
            Ok(full) if is_live(&full) => {
                self.change(Command::set(full, value), next);
            }
            Ok(_) => self.load(next),
            Err(error) => self.toast = Some(Toast::new(ctx, error.to_string())),
        }
    }

    pub(super) fn choose_loss(&mut self, ctx: &egui::Context, spec: &'static LossSpec) {
        let loss = &self.experiment().loss;
        if spec.id == loss.spec.id {
            return;
        }
        let set = loss.set.iter().map(|(&id, &value)| (id.to_owned(), value));
        let (id, set) = (loss.spec.id.to_owned(), set.collect());
        self.remembered.insert(id, set);
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
    }

    /// Looks at the features another way; a view that needs another dimension asks first.
    pub(super) fn choose_view(&mut self, ctx: &egui::Context, kind: ViewKind) {
        let experiment = self.experiment();
        let dim = experiment.network.dim;
        let fits = match kind {
            ViewKind::Plane | ViewKind::Circle => dim == 2,
            ViewKind::Sphere => dim >= 3,
            ViewKind::Input if experiment.has_input_plane() => true,
            ViewKind::Input => return, // no dimension helps
        };
        if fits {
            self.look_as(kind);
        } else if let Some(given) = experiment.data.given() {
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

    /// Looks at the features of all panes that have this view, which no run goes another way for.
    fn look_as(&mut self, kind: ViewKind) {
        for pane in self.panes.all_mut() {
            let mut next = pane.experiment().as_ref().clone();
            if next.set("view.kind", kind.id()).is_ok() && next.view_kind() == kind {
                pane.look_as(kind, next);
            }
        }
    }

    /// The user agreed to a new run in the dimension that the wanted view needs.
    pub(super) fn accept_view(&mut self, kind: ViewKind) {
        self.wanted_view = None;
        let mut next = self.experiment().clone();
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

    /// A new run.
    pub(super) fn load(&mut self, experiment: Experiment) {
        self.panes.active_mut().look_at_now(); // of the old run nothing is left
        self.change(Command::Load(Box::new(experiment.clone())), experiment);
    }

    /// Sends a command that changes the experiment to `next`. Where a recorded moment is looked at,
    /// the run plays on from there, and so do those beside it: only at the same step are they compared.
    pub(super) fn change(&mut self, command: Command, next: Experiment) {
        if matches!(command, Command::Load(_) | Command::Open(_)) {
            self.undo.end_run(self.panes.active().id);
        }
        let before = std::sync::Arc::clone(&self.panes.active().experiment);
        let looks_back = self.panes.active().past().is_some();
        self.panes.active_mut().change(command, next);
        self.adapt_subset(&before);
        if looks_back {
            let words = "All panes go on from this step, each with what it had then; the ways that they went stay on their timelines";
            self.news = (self.panes.all().len() > 1).then_some(words);
            self.go_on_together();
        }
        self.stop_looking_back();
    }

    /// Of features of a file other samples are drawn than of a run, and fewer in many dimensions.
    fn adapt_subset(&mut self, before: &Experiment) {
        let dim = self.experiment().network.dim;
        match (before.is_given(), self.experiment().is_given()) {
            (true, true) if before.network.dim == dim => {}
            (_, true) => self.show(Subset::of_given(dim)),
            (true, false) => self.show(Subset::default()),
            (false, false) => {}
        }
    }

    /// Back to the state of a first start: nothing that is kept between starts is left but a
    /// crashed run that waits for its answer.
    pub(super) fn reset(&mut self, ctx: &egui::Context) {
        self.close_lecture(false);
        self.remembered.clear();
        self.hints = Hints::default();
        self.lectures = Lectures::default();
        self.files.recent.clear();
        self.sheet = SheetChoice::default();
        self.draw = DrawCard::default();
        self.left = LeftPanel::default();
        self.right = RightPanel::default();
        self.panes.keep_active();
        self.panes.active_mut().picture.view = new_view(Experiment::default().view_kind());
        ctx.set_theme(egui::ThemePreference::System);
        ctx.set_zoom_factor(1.0);
        ctx.memory_mut(|memory| memory.data = egui::util::IdTypeMap::default()); // which folds are open
        self.load(Experiment::default());
        self.last_session = None;
        self.kept = None;
        self.set_speed(Speed::default());
        self.show(Subset::default());
        self.send_to_all(&Command::Place(None));
        self.send_to_all(&Command::Play);
    }

    pub(super) fn fit(&mut self) {
        for pane in self.panes.all_mut() {
            if let (Some(snapshot), Some(size)) = (pane.snapshot().cloned(), pane.picture.size()) {
                // Every frame compares the view with the last.
                let _ = pane.picture.view.fit(&snapshot, size);
            }
        }
    }

    pub(super) fn toggle(&mut self, part: Part) {
        let shown = part.of(&mut self.view_mut().show);
        *shown = !*shown;
    }
}

/// What else has to change with a field, so that one click never leads into a contradiction: the
/// network falls back to what suits new data.
fn adapt(experiment: &mut Experiment, key: &str) {
    match key {
        "data.source" => {
            experiment.network.kind = None;
            experiment.hold.pinned.clear();
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
            experiment.hold.pinned.clear();
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
