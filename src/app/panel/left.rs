//! The left panel: the loss with its parameters; data, network, seed; optimizer; view.

use egui::{ComboBox, DragValue, Ui};

use crate::app::action::{Action, Part};
use crate::app::panel::loss::LossControls;
use crate::app::panel::weights::weights_ui;
use crate::app::theme;
use crate::app::widget::{Knob, hairline, knob, row, scroll_to_focus, strong};
use crate::data::{ClassChoice, DataSource, InputShape};
use crate::experiment::{Experiment, OptimizerKind, ScheduleKind, WeightInit};
use crate::network::Activation;
use crate::scene::theme::class_color;
use crate::scene::{Classes, Light, Show, thousands};
use crate::trainer::{HeadState, Subset};

/// What is being typed and not yet said, and what controls remember.
#[derive(Debug, Default)]
pub(crate) struct LeftPanel {
    seed: Option<u64>,
    loss: LossControls,
}

/// What the panel shows beside the experiment.
pub(crate) struct Shown<'a> {
    /// The experiment with all changes said so far.
    pub experiment: &'a Experiment,
    /// The head of the newest snapshot.
    pub head: Option<&'a HeadState>,
    /// Which samples are drawn.
    pub subset: Subset,
    /// Which parts of the picture are shown.
    pub show: Show,
    /// Which samples stand out.
    pub light: Light,
    /// Which classes' samples are drawn.
    pub classes: &'a Classes,
    /// Names of the classes of the newest snapshot.
    pub class_names: &'a [String],
}

impl LeftPanel {
    /// Lays out the panel.
    pub(crate) fn ui(&mut self, ui: &mut Ui, shown: &Shown<'_>, actions: &mut Vec<Action>) {
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .show(ui, |ui| {
                ui.set_max_width(ui.available_width() - theme::SCROLL_BAR_ROOM);
                self.loss.ui(ui, shown, actions);
                hairline(ui);
                self.run_ui(ui, shown.experiment, actions);
                hairline(ui);
                if !shown.experiment.is_given() {
                    fold(ui, "Optimiser", |ui| {
                        optimizer_ui(ui, shown.experiment, actions);
                    });
                }
                if let Some(head) = shown.head.filter(|_| !shown.experiment.is_given()) {
                    fold(ui, "Class weights", |ui| {
                        weights_ui(ui, shown.experiment, head, shown.class_names, actions);
                    });
                }
                fold(ui, "View", |ui| view_ui(ui, shown, actions));
                scroll_to_focus(ui);
            });
    }

    /// The first slider of the loss alone.
    pub(crate) fn main_slider_ui(
        &mut self,
        ui: &mut Ui,
        shown: &Shown<'_>,
        actions: &mut Vec<Action>,
    ) {
        self.loss.main_slider_ui(ui, shown.experiment, actions);
    }

    /// Data, network, dimension, seed: what a run is made of.
    fn run_ui(&mut self, ui: &mut Ui, experiment: &Experiment, actions: &mut Vec<Action>) {
        let note = if experiment.is_given() {
            "Features of a file, as they are"
        } else {
            "A change here starts a new run"
        };
        ui.label(egui::RichText::new(note).size(theme::size::NOTE).weak());
        data_ui(ui, experiment, actions);
        if !experiment.is_given() {
            network_ui(ui, experiment, actions);
        }
        dim_ui(ui, experiment, actions);
        if !experiment.is_given() {
            self.seed_ui(ui, experiment, actions);
        }
        fold(ui, "Classes", |ui| classes_ui(ui, experiment, actions));
    }

    fn seed_ui(&mut self, ui: &mut Ui, experiment: &Experiment, actions: &mut Vec<Action>) {
        let mut seed = self.seed.unwrap_or(experiment.run.seed);
        row(ui, "Seed", |ui, label| {
            if ui
                .small_button("+")
                .labelled_by(label)
                .on_hover_text("Next seed")
                .clicked()
            {
                actions.push(Action::set(
                    "run.seed",
                    experiment.run.seed.saturating_add(1),
                ));
            }
            let response = ui
                .add(DragValue::new(&mut seed).range(0..=i64::MAX as u64))
                .labelled_by(label)
                .on_hover_text("Everything random follows from it: the same seed, the same run");
            self.seed = Some(seed).filter(|_| response.dragged() || response.has_focus());
            let is_said = response.drag_stopped() || response.lost_focus();
            if is_said && seed != experiment.run.seed {
                actions.push(Action::set("run.seed", seed));
            }
        });
    }
}

fn dim_ui(ui: &mut Ui, experiment: &Experiment, actions: &mut Vec<Action>) {
    let given = experiment.data.given().map(|given| given.dim());
    let usual = [2, 3, 4, 8, 16, 32, 64];
    let (help, dims) = match given {
        None => (
            "Dimension of the embedding; 2 and 3 are drawn as they are",
            usual.to_vec(),
        ),
        Some(all) => (
            "Dimensions that are seen: fewer than the file has by a projection (PCA)",
            Experiment::dims_of_given(all),
        ),
    };
    let name = |dim: &usize| match given {
        Some(all) if *dim == all => format!("all {dim}"),
        Some(all) => format!("{dim} of {all}"),
        None => dim.to_string(),
    };
    let current = experiment.network.dim;
    choice_row(ui, "Dimension", help, &current, &dims, name, |dim| {
        actions.push(Action::set("network.dim", dim));
    });
}

fn data_ui(ui: &mut Ui, experiment: &Experiment, actions: &mut Vec<Action>) {
    let current = experiment.data.source.clone();
    let findings = experiment.data.findings();
    let help = if findings.is_empty() {
        "What is trained on".to_owned()
    } else {
        findings.join("\n")
    };
    choice_row(
        ui,
        "Data",
        &help,
        &current,
        &DataSource::ALL,
        |source| source_name(source).to_owned(),
        |source| {
            actions.push(Action::set("data.source", source));
        },
    );
}

fn source_name(source: &DataSource) -> &str {
    match source {
        DataSource::Mnist => "MNIST digits",
        DataSource::Blobs => "Blobs",
        DataSource::Rings => "Rings",
        DataSource::Spiral => "Spiral",
        DataSource::Free => "Free embeddings",
        own => own.id(),
    }
}

fn network_ui(ui: &mut Ui, experiment: &Experiment, actions: &mut Vec<Action>) {
    let kinds: &[&str] = match experiment.data.input_shape() {
        Some(InputShape::Image { .. }) => &["cnn", "mlp:256,128", "mlp:64,64", "none"],
        Some(InputShape::Vector { .. }) => &["mlp:256,128", "mlp:64,64", "none"],
        Some(InputShape::None) | None => &["none"],
    };
    let current = experiment.network_kind().to_string();
    choice_row(
        ui,
        "Network",
        "What maps inputs to features; none trains the features themselves",
        &current.as_str(),
        kinds,
        |kind| network_name(kind),
        |kind| {
            actions.push(Action::set("network.kind", kind));
        },
    );
}

fn network_name(kind: &str) -> String {
    match kind {
        "cnn" => "CNN".to_owned(),
        "none" => "None (free)".to_owned(),
        mlp => mlp.replace("mlp:", "MLP "),
    }
}

fn classes_ui(ui: &mut Ui, experiment: &Experiment, actions: &mut Vec<Action>) {
    let chosen = experiment.data.class_ids().unwrap_or_default();
    if experiment.data.source != DataSource::Mnist {
        let counts = [2, 3, 4, 5, 6, 8, 10, 12, 20];
        choice_row(
            ui,
            "Number",
            "How many classes",
            &chosen.len(),
            &counts,
            ToString::to_string,
            |n| {
                actions.push(Action::set("data.classes", n));
            },
        );
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(4.0, 4.0);
        for class in 0..experiment.data.max_classes() {
            class_chip(ui, class, &chosen, actions);
        }
    });
}

fn class_chip(ui: &mut Ui, class: usize, chosen: &[usize], actions: &mut Vec<Action>) {
    let label = chosen.iter().position(|&chosen| chosen == class);
    let is_chosen = label.is_some();
    let as_pictured = label.unwrap_or(class);
    let button = chip_button(as_pictured, &class.to_string(), is_chosen);
    let is_last_pair = is_chosen && chosen.len() <= 2;
    let (sense, help) = if is_last_pair {
        let help = "At least two classes are needed: choose another before this one goes";
        (egui::Sense::hover(), help.to_owned())
    } else {
        let help = format!("Digit {class}: in or out (starts a new run)");
        (egui::Sense::click(), help)
    };
    let response = ui.add(button.sense(sense)).on_hover_text(help);
    response.widget_info(|| {
        egui::WidgetInfo::selected(
            egui::Role::CheckBox,
            !is_last_pair,
            is_chosen,
            format!("class {class}"),
        )
    });
    if response.clicked() {
        let mut next: Vec<usize> = chosen.iter().copied().filter(|&c| c != class).collect();
        if !is_chosen {
            next.push(class);
            next.sort_unstable();
        }
        actions.push(Action::set("data.classes", ClassChoice::These(next)));
    }
}

fn optimizer_ui(ui: &mut Ui, experiment: &Experiment, actions: &mut Vec<Action>) {
    let config = &experiment.optimizer;
    choice_row(
        ui,
        "Method",
        "SGD with momentum, or Adam",
        &config.kind,
        &OptimizerKind::ALL,
        |kind| kind.id().to_uppercase(),
        |kind| {
            actions.push(Action::set("optimizer.kind", kind.id()));
        },
    );
    let rate = Knob {
        label: "learning rate",
        unit: "",
        help: "Highest step size; the schedule lowers it.",
        slider: 1e-4..=1.0,
        range: 0.0..=100.0,
        default: experiment.optimizer.kind.default_learning_rate(),
        ceiling: None,
        least: None,
        is_integer: false,
        is_logarithmic: true,
    };
    if let Some(value) = knob(ui, &rate, experiment.learning_rate()) {
        actions.push(Action::set("optimizer.learning_rate", value));
    }
    clip_ui(ui, config.clip, actions);
    let batches = [16, 32, 64, 128, 256, 512, 1024, 4096];
    choice_row(
        ui,
        "Batch",
        "Samples a step",
        &experiment.batch(usize::MAX),
        &batches,
        ToString::to_string,
        |batch| {
            actions.push(Action::set("optimizer.batch", batch));
        },
    );
    choice_row(
        ui,
        "Schedule",
        "How the learning rate falls",
        &config.schedule,
        &ScheduleKind::ALL,
        |kind| kind.id().to_owned(),
        |kind| {
            actions.push(Action::set("optimizer.schedule", kind.id()));
        },
    );
    start_ui(ui, experiment, actions);
}

fn clip_ui(ui: &mut Ui, clip: f64, actions: &mut Vec<Action>) {
    let clips = [0.0, 1.0, 5.0, 20.0, 100.0];
    choice_row(
        ui,
        "Clip gradient",
        "Longest gradient of a step: a longer one is shortened to it",
        &clip,
        &clips,
        |&clip| clip_name(clip),
        |clip| {
            actions.push(Action::set("optimizer.clip", clip));
        },
    );
}

fn clip_name(clip: f64) -> String {
    if clip == 0.0 {
        "off".to_owned()
    } else {
        clip.to_string()
    }
}

/// Margin ramp, activation, where weights start.
fn start_ui(ui: &mut Ui, experiment: &Experiment, actions: &mut Vec<Action>) {
    let ramps = [0, 100, 300, 1000, 3000];
    choice_row(
        ui,
        "Margin ramp",
        "Steps over which an additive margin rises after its loss was chosen",
        &experiment.loss.ramp_steps,
        &ramps,
        |n| format!("{n} steps"),
        |n| {
            actions.push(Action::set("loss.ramp", n));
        },
    );
    choice_row(
        ui,
        "Activation",
        "ReLU confines features to one quadrant (starts a new run)",
        &experiment.network.activation,
        &Activation::ALL,
        |a| a.id().to_owned(),
        |a| {
            actions.push(Action::set("network.activation", a.id()));
        },
    );
    choice_row(
        ui,
        "Weights start",
        "Cosine heads collapse for two seeds in five from a random start (starts a new run)",
        &experiment.loss.init,
        &WeightInit::ALL,
        |init| init.id().to_owned(),
        |init| {
            actions.push(Action::set("loss.init", init.id()));
        },
    );
}

fn view_ui(ui: &mut Ui, shown: &Shown<'_>, actions: &mut Vec<Action>) {
    let preference = ui.options(|options| options.theme_preference);
    let themes = [
        egui::ThemePreference::Dark,
        egui::ThemePreference::Light,
        egui::ThemePreference::System,
    ];
    choice_row(
        ui,
        "Theme",
        "Dark or light",
        &preference,
        &themes,
        |theme| format!("{theme:?}"),
        |theme| {
            actions.push(Action::Theme(*theme));
        },
    );
    let n_given = shown.experiment.data.given().map(|given| given.n_samples());
    choice_row(
        ui,
        "Samples",
        "Which samples are drawn and measured",
        &shown.subset,
        &subsets(n_given, shown.experiment.network.dim),
        |subset| subset_name(*subset, n_given),
        |subset| {
            actions.push(Action::Show(*subset));
        },
    );
    parts_ui(ui, shown.show, actions);
    shown_classes_ui(ui, shown, actions);
    let mut are_wrong_lit = shown.light == Light::Wrong;
    if ui
        .checkbox(&mut are_wrong_lit, "Light wrong ones")
        .on_hover_text("Let the samples stand out that are taken for another class")
        .clicked()
    {
        actions.push(Action::Light(if are_wrong_lit {
            Light::Wrong
        } else {
            Light::All
        }));
    }
}

/// Parts of the picture with their names, and what each shows in one sentence.
const PARTS: [(Part, &str, &str); 9] = [
    (Part::Regions, "Regions", "Tint where each class wins"),
    (
        Part::Margins,
        "Margins",
        "Dashed: where a class wins with its margin",
    ),
    (
        Part::Histogram,
        "Histogram",
        "Count features by angle around the circle",
    ),
    (
        Part::Weights,
        "Class weights",
        "Draw the weight of each class",
    ),
    (
        Part::Ideal,
        "Ideal places",
        "Notches and rings: where weights would stand at their best, turned as near as it goes",
    ),
    (
        Part::Trails,
        "Trails",
        "Where samples came from in the last steps; slow steps (,) are easier to follow",
    ),
    (
        Part::Arrows,
        "Gradient arrows",
        "Where the loss pulls features: −∂L/∂x of a few samples of each class",
    ),
    (
        Part::Lengths,
        "Feature length",
        "On circle and sphere: the distance from the centre is the length of a feature, twice the mean at the rim",
    ),
    (
        Part::Formula,
        "Formula",
        "Write the loss with its values under the picture",
    ),
];

/// What of the picture is shown.
fn parts_ui(ui: &mut Ui, mut show: Show, actions: &mut Vec<Action>) {
    for (part, name, help) in PARTS {
        if ui
            .checkbox(part.of(&mut show), name)
            .on_hover_text(help)
            .clicked()
        {
            actions.push(Action::Toggle(part));
        }
    }
}

/// Which classes' samples are drawn: a chip each, and all or none of them.
fn shown_classes_ui(ui: &mut Ui, shown: &Shown<'_>, actions: &mut Vec<Action>) {
    let n_classes = shown.class_names.len();
    row(ui, "Classes drawn", |ui, _| {
        let buttons = [
            ("None", "Draw no samples", Classes::none(n_classes)),
            ("All", "Draw the samples of all classes", Classes::default()),
        ];
        for (name, help, classes) in buttons {
            let response = ui.small_button(name).on_hover_text(help);
            if response.clicked() {
                actions.push(Action::Classes(classes));
            }
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(4.0, 4.0);
        for (class, name) in shown.class_names.iter().enumerate() {
            let help = "In or out of the picture; a double click draws it alone";
            let is_shown = shown.classes.shows(class);
            let response = ui
                .add(chip_button(class, name, is_shown))
                .on_hover_text(help);
            response.widget_info(|| {
                let name = format!("draw class {name}");
                egui::WidgetInfo::selected(egui::Role::CheckBox, true, is_shown, name)
            });
            if response.double_clicked() {
                actions.push(Action::Classes(Classes::only(class, n_classes)));
            } else if response.clicked() {
                let mut classes = shown.classes.clone();
                classes.toggle(class);
                actions.push(Action::Classes(classes));
            }
        }
    });
}

/// A button in the colour of a class, or a faint one where it is left out.
fn chip_button(class: usize, name: &str, is_in: bool) -> egui::Button<'static> {
    let text = strong(name, theme::size::VALUE);
    let button = if is_in {
        let color = class_color(class);
        egui::Button::new(text.color(theme::color(color.text_on()))).fill(theme::color(color))
    } else {
        egui::Button::new(text.weak())
    };
    button.min_size(egui::vec2(26.0, 24.0))
}

/// The choices of samples; of so many features of a file, some or all.
fn subsets(n_given: Option<usize>, dim: usize) -> Vec<Subset> {
    let Some(n) = n_given else {
        return vec![
            Subset::Test(500),
            Subset::Test(2000),
            Subset::Test(10_000),
            Subset::Train(2000),
            Subset::Train(60_000),
        ];
    };
    let (Subset::Train(most) | Subset::Test(most)) = Subset::of_given(dim);
    let some = [500, 2000, 10_000].into_iter();
    let some = some.filter(|&some| some < n.min(most));
    some.chain([most]).map(Subset::Train).collect()
}

fn subset_name(subset: Subset, n_given: Option<usize>) -> String {
    match subset {
        Subset::Test(some) | Subset::Train(some) if n_given.is_some_and(|n| some >= n) => {
            "all".to_owned()
        }
        Subset::Test(some) | Subset::Train(some) if n_given.is_some() => thousands(some as u64),
        Subset::Test(n) => format!("{n} test"),
        Subset::Train(n) => format!("{n} training"),
    }
}

/// A row with a list to choose from.
pub(super) fn choice_row<T: PartialEq>(
    ui: &mut Ui,
    label: &str,
    help: &str,
    current: &T,
    all: &[T],
    name: impl Fn(&T) -> String,
    mut choose: impl FnMut(&T),
) {
    row(ui, label, |ui, label_id| {
        let response = ComboBox::from_id_salt(label)
            .selected_text(name(current))
            .width(0.0)
            .show_ui(ui, |ui| {
                for item in all {
                    if ui.selectable_label(item == current, name(item)).clicked() {
                        choose(item);
                    }
                }
            })
            .response;
        response.labelled_by(label_id).on_hover_text(help);
    });
}

pub(super) fn fold(ui: &mut Ui, title: &str, contents: impl FnOnce(&mut Ui)) {
    egui::CollapsingHeader::new(strong(title, theme::size::VALUE))
        .default_open(false)
        .show_unindented(ui, contents);
}
