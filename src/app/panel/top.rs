//! The bar at the top: play, step, restart; the losses in the lecture's order; export.

use std::path::PathBuf;

use egui::containers::menu::MenuButton;
use egui::{Align, ComboBox, Layout, Role, Ui, WidgetInfo};

use crate::app::action::{
    Action, Framing, PaneAction, SaveTo, Saving, SheetChoice, strip_over_margin,
};
use crate::app::lessons::Lecture;
use crate::app::pane::MOST_PANES;
use crate::app::saver::Table;
use crate::app::theme;
use crate::app::widget::{Icon, icon_button, segment, segment_button, strong};
use crate::experiment::{Experiment, ViewKind};
use crate::figure::Plot;
use crate::loss::{Form, LOSSES, LossSpec};
use crate::trainer::{Command, Speed};

/// Windows wider than this have room for the digit keys beside the losses.
const WIDE: f32 = 1180.0;
/// Below this all losses are in the menu.
const NARROW: f32 = 940.0;

/// Why nothing can be played.
const NOT_TRAINED: &str =
    "These features come from a file and are looked at as they are: nothing is trained";

/// How the run goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transport {
    /// Whether steps are being made.
    pub is_playing: bool,
    /// How fast, while they are.
    pub speed: Speed,
    /// Whether there is anything to train.
    pub trains: bool,
    /// Whether the recording plays, while one looks back.
    pub recording: Option<bool>,
}

/// What the menus of files show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileMenus<'a> {
    /// The newest first.
    pub recent: &'a [PathBuf],
    /// What is saved or copied has this.
    pub sheet: SheetChoice,
}

/// What can be done to the window as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edits {
    /// Panes side by side.
    pub n_panes: usize,
    /// Whether there is something to undo, and to redo.
    pub can_undo: [bool; 2],
}

/// Lays out the bar.
pub(crate) fn top_ui(
    ui: &mut Ui,
    experiment: &Experiment,
    transport: Transport,
    files: FileMenus<'_>,
    edits: Edits,
    actions: &mut Vec<Action>,
) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.add_enabled_ui(transport.trains, |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            transport_ui(ui, transport, actions);
        })
        .response
        .on_disabled_hover_text(NOT_TRAINED);
        ui.add_space(8.0);
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.spacing_mut().button_padding.x = if ui.ctx().content_rect().width() > WIDE {
            8.0
        } else {
            6.0
        };
        let is_narrow = ui.ctx().content_rect().width() < NARROW;
        let keyed = || LOSSES.iter().filter(|spec| spec.key.is_some());
        if !is_narrow {
            for spec in keyed() {
                loss_button(ui, spec, experiment, actions);
            }
        }
        let is_chosen = experiment.loss.spec.key.is_none();
        let name = if is_narrow {
            format!("{} ▾", experiment.loss.spec.short_name)
        } else {
            more_name(experiment)
        };
        let button = segment_button(ui, name, is_chosen || is_narrow);
        MenuButton::from_button(button)
            .ui(ui, |ui| {
                if is_narrow {
                    for spec in keyed() {
                        loss_item(ui, spec, experiment, actions);
                    }
                }
                more_ui(ui, experiment, edits, actions);
            })
            .0
            .on_hover_text("More losses, keys and settings");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            export_ui(ui, experiment, files.sheet, actions);
            open_ui(ui, files.recent, actions);
            learn_ui(ui, actions);
            compare_ui(ui, edits.n_panes, actions);
        });
    });
}

fn transport_ui(ui: &mut Ui, transport: Transport, actions: &mut Vec<Action>) {
    let (icon, name, help) = match (transport.recording, transport.is_playing) {
        (Some(true), _) => (
            Icon::Pause,
            "Pause the recording",
            "Pause the recording (space, K)",
        ),
        (Some(false), _) => (
            Icon::Play,
            "Play the recording",
            "Play what was recorded, up to now (space, L)",
        ),
        (None, true) => (Icon::Pause, "Pause", "Pause training (space)"),
        (None, false) => (Icon::Play, "Play", "Play training (space)"),
    };
    if icon_button(ui, icon, true, name, help).clicked() {
        actions.push(Action::Send(Command::TogglePlay));
    }
    let help = match transport.recording {
        Some(_) => "Go to the next recorded moment (→)",
        None => "Make one training step (→)",
    };
    if icon_button(ui, Icon::Step, false, "Step", help).clicked() {
        actions.push(Action::Send(Command::Step(1)));
    }
    if icon_button(
        ui,
        Icon::Restart,
        false,
        "Restart",
        "Start again from the same seed (R)",
    )
    .clicked()
    {
        actions.push(Action::Send(Command::Restart));
    }
    speed_ui(ui, transport.speed, actions);
}

/// A list of speeds that shows the one in force.
fn speed_ui(ui: &mut Ui, current: Speed, actions: &mut Vec<Action>) {
    const WIDTH: f32 = 58.0; // the same for all, so that nothing beside it moves
    let response = ComboBox::from_id_salt("speed")
        .selected_text(short_name(current))
        .width(WIDTH)
        .height(400.0)
        .show_ui(ui, |ui| {
            for speed in Speed::ALL {
                if ui
                    .selectable_label(speed == current, long_name(speed))
                    .clicked()
                {
                    actions.push(Action::Speed(speed));
                }
            }
        })
        .response;
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ComboBox, true, "speed");
        info.current_text_value = Some(short_name(current));
        info
    });
    response.on_hover_text("How fast steps are made; slower (,) and faster (.)");
}

fn short_name(speed: Speed) -> String {
    match speed {
        Speed::PerSecond(n) => format!("{n}/s"),
        Speed::Full => "full".to_owned(),
    }
}

fn long_name(speed: Speed) -> String {
    match speed {
        Speed::PerSecond(1) => "One step a second".to_owned(),
        Speed::PerSecond(30) => "30 a second: one a picture".to_owned(),
        Speed::PerSecond(300) => "300 a second: ten a picture".to_owned(),
        Speed::PerSecond(n) => format!("{n} steps a second"),
        Speed::Full => "All the machine gives".to_owned(),
    }
}

fn loss_button(
    ui: &mut Ui,
    spec: &'static LossSpec,
    experiment: &Experiment,
    actions: &mut Vec<Action>,
) {
    let is_chosen = spec.id == experiment.loss.spec.id;
    if let Some(key) = spec.key.filter(|_| ui.ctx().content_rect().width() > WIDE) {
        let tokens = theme::tokens(ui.ctx());
        ui.add_space(6.0);
        ui.label(
            egui::RichText::new(key.to_string())
                .size(theme::size::NOTE)
                .color(theme::color(tokens.faint)),
        );
    }
    let response = segment(ui, spec.short_name, is_chosen);
    let response = response.on_hover_text(format!("{}\n{}", spec.name, spec.summary));
    if response.clicked() {
        actions.push(Action::ChooseLoss(spec));
    }
}

/// The name of the loss in use where it stands under More.
fn more_name(experiment: &Experiment) -> String {
    let spec = experiment.loss.spec;
    let name = if spec.key.is_none() {
        spec.short_name
    } else {
        "More"
    };
    format!("{name} ▾")
}

/// A loss in the menu.
fn loss_item(
    ui: &mut Ui,
    spec: &'static LossSpec,
    experiment: &Experiment,
    actions: &mut Vec<Action>,
) {
    let is_possible = spec.form != Form::Binary || experiment.n_classes() == 2;
    let button = egui::Button::selectable(spec.id == experiment.loss.spec.id, spec.name);
    let response = ui
        .add_enabled(is_possible, button)
        .on_hover_text(spec.summary)
        .on_disabled_hover_text(format!(
            "{} needs exactly two classes; choose two under Classes.",
            spec.name
        ));
    if response.clicked() {
        actions.push(Action::ChooseLoss(spec));
    }
}

fn more_ui(ui: &mut Ui, experiment: &Experiment, edits: Edits, actions: &mut Vec<Action>) {
    for spec in LOSSES.iter().filter(|spec| spec.key.is_none()) {
        loss_item(ui, spec, experiment, actions);
    }
    ui.separator();
    let undo = [
        (
            "Undo",
            "The last setting, drag or closed pane (Ctrl+Z)",
            Action::Undo,
        ),
        ("Redo", "What was undone last (Ctrl+Y)", Action::Redo),
    ];
    for ((name, help, action), can) in undo.into_iter().zip(edits.can_undo) {
        let button = ui
            .add_enabled(can, egui::Button::new(name))
            .on_hover_text(help);
        if button.clicked() {
            actions.push(action);
        }
    }
    ui.separator();
    if ui
        .button("Keyboard")
        .on_hover_text("All keys (?)")
        .clicked()
    {
        actions.push(Action::ToggleKeys);
    }
    if ui
        .button("Presenter view")
        .on_hover_text("Only the picture and its sentence (F5)")
        .clicked()
    {
        actions.push(Action::TogglePresenter);
    }
    if ui
        .button("Reset everything")
        .on_hover_text("Back to softmax on MNIST, as at the first start; asks first")
        .clicked()
    {
        actions.push(Action::Reset);
    }
}

fn learn_ui(ui: &mut Ui, actions: &mut Vec<Action>) {
    let learn = ui.button("Learn");
    if learn
        .on_hover_text("Lessons in the lecture's order, and failures with their cures (F1)")
        .clicked()
    {
        actions.push(Action::Lecture(Lecture::List));
    }
}

/// One more pane.
fn compare_ui(ui: &mut Ui, n_panes: usize, actions: &mut Vec<Action>) {
    let name = if n_panes == 1 { "Compare" } else { "+ Pane" };
    let button = ui
        .add_enabled(n_panes < MOST_PANES, egui::Button::new(name))
        .on_hover_text(
            "The same run once more beside it, to go its own way with another loss or margin (A)",
        )
        .on_disabled_hover_text("Six panes are as many as can be read; close one first");
    if button.clicked() {
        actions.push(Action::Pane(PaneAction::Add));
    }
}

/// Files to open, and the run to a file.
fn open_ui(ui: &mut Ui, recent: &[PathBuf], actions: &mut Vec<Action>) {
    ui.menu_button("Open ▾", |ui| {
        let entries = [
            (
                "Open…",
                "An experiment, a session, or a picture that was saved here (Ctrl+O)",
                Action::Open,
            ),
            (
                "Gallery…",
                "Toy figures of the papers, to be trained here",
                Action::Gallery,
            ),
            (
                "Own data…",
                "Train on a table, arrays or a folder of images",
                Action::Import,
            ),
            (
                "Save session…",
                "Parameters, optimizer and curves: a file from which the run goes on (Ctrl+S)",
                Action::SaveSession,
            ),
        ];
        items_ui(ui, entries, actions);
        if !recent.is_empty() {
            ui.separator();
        }
        for path in recent {
            let name = path.file_name().map_or_else(
                || path.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            );
            if ui
                .button(name)
                .on_hover_text(path.display().to_string())
                .clicked()
            {
                actions.push(Action::OpenPath(path.clone()));
            }
        }
    })
    .response
    .on_hover_text("Open a file, or drop it onto the window; save the run");
}

/// Kinds of figures: name, what it is for, and the framing.
const FIGURES: [(&str, &str, Framing); 3] = [
    (
        "Figure, one column (89 mm)…",
        "For a paper: light, with a legend, text of 6 points in print",
        Framing::Column,
    ),
    (
        "Figure, two columns (183 mm)…",
        "For a paper: light, with a legend, text of 6 points in print",
        Framing::Page,
    ),
    (
        "Slide, 16:9…",
        "For a talk, in the colours of the window",
        Framing::Slide,
    ),
];

/// Plots that are saved alone.
const PLOTS: [(&str, Plot); 5] = [
    ("Target logit ψ(θ)…", Plot::Psi),
    ("Margin map…", Plot::MarginMap),
    ("Loss and accuracy…", Plot::Curves),
    ("Confusion matrix…", Plot::Confusion),
    ("Angles of the samples…", Plot::Histogram),
];

/// Numbers for other programs.
const TABLES: [(&str, &str, Table); 3] = [
    (
        "Features…",
        "Of the samples that are drawn, with their classes; CSV or NPY by the name's end",
        Table::Features,
    ),
    (
        "Class weights…",
        "W, with the classes; CSV or NPY by the name's end",
        Table::Weights,
    ),
    (
        "Loss and accuracy…",
        "Over the steps, as CSV",
        Table::Curves,
    ),
];

/// What moves, or stands side by side: name, what it is for, and the framing.
fn films(experiment: &Experiment) -> Vec<(&'static str, &'static str, Framing)> {
    let mut films = vec![(
        "Film of the training…",
        "From the first step to now, as GIF or animated PNG; the steps are made once more",
        Framing::Film,
    )];
    if experiment.view_kind() == ViewKind::Sphere {
        films.push((
            "Once around the sphere…",
            "As GIF or animated PNG",
            Framing::Orbit,
        ));
    }
    films.push((
        "Film strip over the training…",
        "Moments from the first step to now, for a paper; the steps are made once more",
        Framing::StripOverTime,
    ));
    if strip_over_margin(experiment.loss.spec).is_some() {
        films.push((
            "Film strip over the margin…",
            "Four runs as long as this one, from the same seed, turned onto the first; they are trained now",
            Framing::StripOverMargin,
        ));
    }
    films
}

fn export_ui(
    ui: &mut Ui,
    experiment: &Experiment,
    mut sheet: SheetChoice,
    actions: &mut Vec<Action>,
) {
    ui.menu_button(strong("Export ▾", theme::size::VALUE), |ui| {
        let picture = [
            (
                "Save picture as…",
                "As it stands here; PNG, SVG or PDF by the name's end (E)",
                Action::Save(Saving::as_shown(SaveTo::Dialog)),
            ),
            (
                "Save to Pictures",
                "Save at once as PNG, named after loss and step (Shift+E)",
                Action::Save(Saving::as_shown(SaveTo::Pictures)),
            ),
            (
                "Copy picture",
                "To the clipboard, as pixels",
                Action::CopyPicture,
            ),
        ];
        items_ui(ui, picture, actions);
        ui.separator();
        let of_features = |(name, help, framing)| (name, help, save(Plot::Features, framing));
        items_ui(ui, FIGURES.map(of_features), actions);
        ui.menu_button("Film or film strip", |ui| {
            items_ui(ui, films(experiment).into_iter().map(of_features), actions);
        });
        ui.menu_button("A plot alone", |ui| {
            for (width, framing) in [
                ("One column, 89 mm", Framing::Column),
                ("Two columns, 183 mm", Framing::Page),
                ("Slide, 16:9", Framing::Slide),
            ] {
                ui.menu_button(width, |ui| {
                    let plots = PLOTS.map(|(name, plot)| (name, width, save(plot, framing)));
                    items_ui(ui, plots, actions);
                });
            }
        });
        ui.menu_button("Numbers", |ui| {
            let tables = TABLES.map(|(name, help, table)| (name, help, Action::SaveTable(table)));
            items_ui(ui, tables, actions);
        });
        ui.separator();
        let transparent = ui.checkbox(&mut sheet.transparent, "Transparent ground");
        let transparent = transparent.on_hover_text("Nothing behind what is saved or copied");
        let raster = ui.checkbox(&mut sheet.raster_points, "Samples as pixels");
        let raster =
            raster.on_hover_text("Inside SVG and PDF, so that many of them do not weigh it down");
        if transparent.changed() || raster.changed() {
            actions.push(Action::Sheet(sheet));
        }
        ui.separator();
        let command = (
            "Copy command line",
            "The command that starts this run, as it began",
            Action::CopyCommand,
        );
        items_ui(ui, [command], actions);
    })
    .response
    .on_hover_text("Save or copy the picture; a file can be opened again");
}

fn save(plot: Plot, framing: Framing) -> Action {
    Action::Save(Saving {
        plot,
        framing,
        to: SaveTo::Dialog,
    })
}

/// Entries of a menu: name, what it is for, what it does.
fn items_ui(
    ui: &mut Ui,
    items: impl IntoIterator<Item = (&'static str, &'static str, Action)>,
    actions: &mut Vec<Action>,
) {
    for (name, help, action) in items {
        if ui.button(name).on_hover_text(help).clicked() {
            actions.push(action);
        }
    }
}
