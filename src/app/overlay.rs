//! What floats over the picture: the choice of view, the sentence, questions and news.

use egui::{
    Align2, Area, Context, CornerRadius, Frame, Id, Margin, Order, Pos2, Rect, Stroke, Ui,
    UiBuilder, vec2,
};

use crate::app::action::Action;
use crate::app::files::Crashed;
use crate::app::keys::BINDINGS;
use crate::app::theme;
use crate::app::widget::{focus_once, scroll_to_focus, segments, strong};
use crate::experiment::{Experiment, ViewKind};
use crate::loss::LOSSES;
use crate::scene;
use crate::trainer::{Command, Session};

/// Half the width of one choice of view, in points.
const HALF_SEGMENT: f32 = 36.0;

/// Plane, circle, sphere, at the top of the picture; where they stand.
pub(super) fn view_ui(
    ui: &mut Ui,
    rect: Rect,
    experiment: &Experiment,
    kind: ViewKind,
    actions: &mut Vec<Action>,
) -> Rect {
    let (dim, is_given) = (experiment.network.dim, experiment.is_given());
    let help = |wanted: ViewKind| match (wanted, dim) {
        (ViewKind::Plane, 2) => "Features as they are (P)",
        (ViewKind::Circle, 2) => "Features by their direction alone (C)",
        (ViewKind::Sphere, 2) if is_given => "The sphere needs three dimensions of the file (S)",
        (ViewKind::Sphere, 2) => "The sphere needs a new run in three dimensions (S)",
        (ViewKind::Sphere, _) => "Features by their direction alone; drag to turn (S)",
        _ if is_given => "Needs a projection to two dimensions",
        _ => "Needs a new run in two dimensions",
    };
    let mut names = vec![
        ("Plane", help(ViewKind::Plane)),
        ("Circle", help(ViewKind::Circle)),
        ("Sphere", help(ViewKind::Sphere)),
    ];
    if experiment.has_input_plane() {
        names.push((
            "Input",
            "The data itself, with the regions of the network (I)",
        ));
    }
    let chosen = ViewKind::ALL.iter().position(|&other| other == kind);
    let top = Rect::from_min_max(
        Pos2::new(
            rect.center().x - HALF_SEGMENT * names.len() as f32,
            rect.top() + 12.0,
        ),
        Pos2::new(rect.right(), rect.top() + 50.0),
    );
    let choice = ui.scope_builder(UiBuilder::new().max_rect(top), |ui| {
        segments(ui, &names, chosen)
    });
    if let Some(clicked) = choice.inner {
        actions.push(Action::View(ViewKind::ALL[clicked]));
    }
    choice.response.rect
}

/// Before the first snapshot.
pub(super) fn loading_ui(ui: &mut Ui, rect: Rect, failure: Option<&str>) {
    let color = theme::color(theme::tokens(ui.ctx()).dimmed);
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        failure.unwrap_or("Drawing the first weights…"),
        theme::font(scene::Font::Regular, 14.0),
        color,
    );
}

/// Why the run stopped by itself, with the way out.
pub(super) fn fault_ui(ui: &mut Ui, rect: Rect, fault: &str, actions: &mut Vec<Action>) {
    banner(ui, "fault", rect, |ui| {
        let color = theme::color(theme::tokens(ui.ctx()).past_ceiling);
        ui.label(egui::RichText::new(fault).color(color));
        if ui.button("Restart").clicked() {
            actions.push(Action::Send(Command::Restart));
        }
    });
}

/// Says that a view needs a new run, and asks; the answer once there is one.
pub(super) fn ask_for_dimension(ui: &mut Ui, rect: Rect, kind: ViewKind) -> Option<bool> {
    let (name, dim) = if kind == ViewKind::Sphere {
        ("sphere", 3)
    } else {
        (kind.id(), 2)
    };
    banner(ui, "dimension", rect, |ui| {
        ui.label(format!(
            "The {name} needs {dim} dimensions: that is a new run."
        ));
        let yes = ui.button(format!("Start it in {dim}-D")).clicked();
        let stay = ui.button("Stay");
        focus_once(ui, &stay);
        let no = stay.clicked() || escape_pressed(ui);
        (yes || no).then_some(yes)
    })
}

/// Says what a reset takes away, and asks; the answer once there is one.
pub(super) fn ask_to_reset(ui: &mut Ui, rect: Rect) -> Option<bool> {
    banner(ui, "reset", rect, |ui| {
        ui.vertical(|ui| {
            ui.label(
                "Reset everything? All panes and their runs, all settings, the drawing, the \
                 progress in lessons and the list of recent files go. Your files stay where they \
                 are.",
            );
            ui.label("Undo right after it brings settings and panes back; their runs begin anew.");
            ui.horizontal(|ui| {
                let yes = ui
                    .button("Reset")
                    .on_hover_text("Back to softmax on MNIST, as at the first start")
                    .clicked();
                let keep = ui
                    .button("Keep it")
                    .on_hover_text("Everything stays as it is (Esc)");
                focus_once(ui, &keep);
                let no = keep.clicked() || escape_pressed(ui);
                (yes || no).then_some(yes)
            })
            .inner
        })
        .inner
    })
}

/// Offers the run of a program that ended before its time; the answer once there is one.
pub(super) fn ask_to_restore(ui: &mut Ui, rect: Rect, crashed: &Crashed) -> Option<bool> {
    let experiment = crashed.opened.recipe.experiment.now();
    let loss = experiment.loss.spec.name;
    let dim = experiment.network.dim;
    let step = crashed.opened.session.as_ref().map_or(0, Session::step);
    let step = scene::thousands(step);
    let minutes = crashed.age.as_secs() / 60;
    let ago = match minutes {
        0 => "less than a minute ago".to_owned(),
        1 => "a minute ago".to_owned(),
        2..120 => format!("{minutes} minutes ago"),
        _ => format!("{} hours ago", minutes / 60),
    };
    let around = crashed.around.as_ref();
    let beside = match around.map_or(0, |around| around.experiments.len()) {
        0 => "",
        1 => " The pane beside it begins anew.",
        _ => " The panes beside it begin anew.",
    };
    banner(ui, "restore", rect, |ui| {
        ui.label(format!(
            "Not ended last time: {loss} in {dim}-D was at step {step}, kept {ago}.{beside}"
        ));
        let yes = ui
            .button("Restore")
            .on_hover_text("Go on with that run, paused, where it was kept")
            .clicked();
        let no = ui
            .button("Forget it")
            .on_hover_text("Delete what was kept of that run")
            .clicked();
        (yes || no).then_some(yes)
    })
}

/// The kept sample, where no panel has room for it.
pub(super) fn sample_card_ui(ui: &mut Ui, rect: Rect, contents: impl FnOnce(&mut Ui)) {
    const WIDTH: f32 = 216.0;
    Area::new(Id::unique("sample"))
        .order(Order::Middle)
        .pivot(Align2::RIGHT_TOP)
        .fixed_pos(Pos2::new(rect.right() - 16.0, rect.top() + 16.0))
        .show(ui.ctx(), |ui| {
            card(ui).show(ui, |ui| {
                ui.set_width(WIDTH);
                contents(ui);
            });
        });
}

/// What floats over the picture and is read in peace.
pub(super) fn card(ui: &Ui) -> Frame {
    let tokens = theme::tokens(ui.ctx());
    Frame::new()
        .fill(theme::color(tokens.panel))
        .stroke(Stroke::new(1.0, theme::color(tokens.hairline_strong)))
        .corner_radius(CornerRadius::same(8))
        .inner_margin(Margin::symmetric(14, 10))
}

fn banner<R>(
    ui: &mut Ui,
    name: &'static str,
    rect: Rect,
    contents: impl FnOnce(&mut Ui) -> R,
) -> R {
    let frame = card(ui);
    Area::new(Id::unique(name))
        .order(Order::Middle) // menus and lists stay above it
        .pivot(Align2::CENTER_TOP)
        .fixed_pos(Pos2::new(rect.center().x, rect.top() + 64.0))
        .show(ui.ctx(), |ui| {
            frame.show(ui, |ui| {
                ui.set_max_width((rect.width() - 60.0).max(200.0));
                ui.horizontal_wrapped(contents).inner
            })
        })
        .inner
        .inner
}

/// All keys, from the table that they are read from.
pub(super) fn keys_ui(ui: &mut Ui, actions: &mut Vec<Action>) {
    let mut is_open = true;
    egui::Window::new("Keyboard")
        .open(&mut is_open)
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ui.ctx(), |ui| {
            let height = ui.ctx().content_rect().height() - 90.0; // title and edges
            let list = egui::ScrollArea::vertical().auto_shrink([false, true]);
            let list = list.max_height(height);
            list.show(ui, |ui| {
                scroll_by_keys(ui);
                egui::Grid::new("keys")
                    .num_columns(2)
                    .spacing([24.0, 6.0])
                    .show(ui, |ui| {
                        for binding in BINDINGS {
                            key_row(ui, binding.label, binding.help);
                        }
                        for spec in LOSSES {
                            if let Some(key) = spec.key {
                                key_row(ui, &key.to_string(), spec.name);
                            }
                        }
                    });
            });
        });
    if !is_open || escape_pressed(ui) {
        actions.push(Action::ToggleKeys);
    }
}

/// A page in the middle of the window with a list in it: what was clicked there, and whether the page
/// stays open.
pub(super) fn page_ui<T>(
    ctx: &Context,
    title: &str,
    width: f32,
    list_ui: impl FnOnce(&mut Ui) -> Option<T>,
) -> (Option<T>, bool) {
    let mut is_open = true;
    let mut chosen = None;
    egui::Window::new(title)
        .open(&mut is_open)
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ctx, |ui| {
            let height = ui.ctx().content_rect().height() - 150.0; // title and edges
            ui.set_width(width);
            // As wide as the page, or its bar would lie over what it scrolls.
            let list = egui::ScrollArea::vertical().auto_shrink([false, true]);
            let list = list.max_height(height);
            let list = list.min_scrolled_height(height);
            list.show(ui, |ui| {
                chosen = list_ui(ui);
                scroll_to_focus(ui);
            });
        });
    let escapes = ctx.input(|input| input.key_pressed(egui::Key::Escape));
    let stays = is_open && chosen.is_none() && !escapes;
    (chosen, stays)
}

/// Scrolls a page that has nothing to put the focus on.
fn scroll_by_keys(ui: &Ui) {
    const LINES: f32 = 60.0;
    for (key, points) in [(egui::Key::ArrowDown, -LINES), (egui::Key::ArrowUp, LINES)] {
        if ui.input(|input| input.key_pressed(key)) {
            ui.scroll_with_delta(vec2(0.0, points));
        }
    }
}

fn escape_pressed(ui: &Ui) -> bool {
    ui.input(|input| input.key_pressed(egui::Key::Escape))
}

fn key_row(ui: &mut Ui, key: &str, help: &str) {
    ui.label(strong(key, theme::size::VALUE));
    ui.label(help);
    ui.end_row();
}

/// One line of news that goes away by itself.
pub(super) struct Toast {
    text: String,
    until: f64,
}

impl Toast {
    /// Shown from now on, longer for a longer text.
    pub(super) fn new(ctx: &egui::Context, text: String) -> Self {
        let secs = 3.0 + 0.04 * text.len() as f64;
        let until = ctx.input(|input| input.time) + secs;
        ctx.request_repaint_after_secs(secs as f32 + 0.05);
        Self { text, until }
    }

    /// Shows it, under a banner if there is one; whether it is to be shown again.
    pub(super) fn ui(&self, ui: &mut Ui, rect: Rect, has_banner: bool) -> bool {
        let top = if has_banner { 132.0 } else { 64.0 }; // under the choice of view, and a banner
        let tokens = theme::tokens(ui.ctx());
        let frame = Frame::new()
            .fill(theme::color(tokens.text))
            .corner_radius(CornerRadius::same(8))
            .inner_margin(Margin::symmetric(14, 8));
        let text = egui::RichText::new(&self.text).color(theme::color(tokens.panel));
        Area::new(Id::unique("news"))
            .order(Order::Foreground)
            .pivot(Align2::CENTER_TOP)
            .fixed_pos(Pos2::new(rect.center().x, rect.top() + top))
            .show(ui.ctx(), |ui| {
                frame.show(ui, |ui| {
                    ui.set_max_width((rect.width() - 60.0).max(200.0));
                    ui.label(text);
                });
            });
        ui.input(|input| input.time) < self.until
    }
}
