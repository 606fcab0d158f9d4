//! The card of the kept sample: its computation from angles to loss, and what one step would do.

use egui::text::LayoutJob;
use egui::{
    Align, Align2, CornerRadius, Layout, Pos2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};

use crate::app::action::Action;
use crate::app::lens::{Thumbs, badge, loss_words, magnitude, origin, verdict_ui};
use crate::app::theme;
use crate::app::widget::{Icon, small_icon_button, strong, subscripted};
use crate::experiment::ViewKind;
use crate::scene::theme::class_color;
use crate::scene::{Direction, Font, Microscope, is_pulled, number, signed};
use crate::trainer::{Snapshot, angle_between};

/// Rows of the table at most.
const MOST_ROWS: usize = 10;
const ROW_HEIGHT: f32 = 20.0;

/// Lays out the card of a sample (index in the probe).
pub(crate) fn sample_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    sample: usize,
    thumbs: &mut Thumbs,
    actions: &mut Vec<Action>,
) {
    title_ui(ui, actions);
    let Some(seen) = Microscope::of(snapshot, sample) else {
        ui.weak("Its feature is not finite.");
        return;
    };
    ui.horizontal_top(|ui| {
        if thumbs.ui(ui, snapshot, sample) {
            ui.add_space(2.0);
        }
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing = vec2(5.0, 2.0);
            ui.spacing_mut().interact_size.y = 18.0; // badges are the highest
            ui.horizontal(|ui| verdict_ui(ui, snapshot, &seen));
            ui.label(strong(loss_words(&seen), theme::size::VALUE));
            small(ui, &origin(snapshot, sample));
        });
    });
    ui.add_space(2.0);
    table_ui(ui, snapshot, &seen);
    ui.add_space(2.0);
    words_ui(ui, snapshot, &seen);
}

/// What it is, and the ways to the next one and out.
fn title_ui(ui: &mut Ui, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.label(strong("Sample", theme::size::VALUE));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let buttons = [
                (
                    Icon::Close,
                    "Let the sample go",
                    "Let it go (Esc)",
                    Action::LetGo,
                ),
                (
                    Icon::Next,
                    "Next sample",
                    "Next sample: of those that are lit, where some are (N)",
                    Action::Neighbor(Direction::Next),
                ),
                (
                    Icon::Previous,
                    "Previous sample",
                    "The sample before (Shift+N)",
                    Action::Neighbor(Direction::Previous),
                ),
            ];
            for (icon, name, help, action) in buttons {
                if small_icon_button(ui, icon, name, help).clicked() {
                    actions.push(action);
                }
            }
        });
    });
}

/// Right edges of the columns θ, plain logit, logit over the width; the last begins at the last.
const COLUMNS: [f32; 4] = [0.36, 0.56, 0.76, 0.81];

fn table_ui(ui: &mut Ui, snapshot: &Snapshot, seen: &Microscope) {
    ui.spacing_mut().item_spacing.y = 0.0;
    header_ui(ui);
    let classes = seen.table_classes(MOST_ROWS);
    for &class in &classes {
        row_ui(ui, snapshot, seen, class);
    }
    let n_more = seen.logits.len() - classes.len();
    if n_more > 0 {
        let listed: f64 = classes.iter().map(|&j| seen.probabilities[j]).sum();
        let rest = (1.0 - listed).max(0.0);
        small(ui, &format!("{n_more} more, together p = {rest:.3}"));
    }
    ui.spacing_mut().item_spacing.y = 6.0;
    ui.add_space(4.0);
}

fn header_ui(ui: &mut Ui) {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
    let color = theme::color(theme::tokens(ui.ctx()).dimmed);
    let font = theme::font(Font::Regular, theme::size::NOTE);
    let edges = [COLUMNS[0], COLUMNS[1], COLUMNS[2], 1.0];
    for (edge, name) in edges.into_iter().zip(["θ", "plain", "logit", "p"]) {
        ui.painter().text(
            at(rect, edge),
            Align2::RIGHT_CENTER,
            name,
            font.clone(),
            color,
        );
    }
    response.on_hover_text(
        "θ: angle to the weight. plain: logit without margin. logit: with margin, as it enters the softmax. p: softmax of the logits.",
    );
}

/// A place on the middle line of a row.
fn at(rect: Rect, share: f32) -> Pos2 {
    pos2(egui::lerp(rect.x_range(), share), rect.center().y)
}

fn row_ui(ui: &mut Ui, snapshot: &Snapshot, seen: &Microscope, class: usize) {
    let size = vec2(ui.available_width(), ROW_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let is_own = class == seen.label;
    let tokens = theme::tokens(ui.ctx());
    if is_own {
        let raised = theme::color(tokens.raised);
        ui.painter()
            .rect_filled(rect.expand2(vec2(4.0, 0.0)), CornerRadius::same(4), raised);
    }
    bar(ui, rect, class, seen.probabilities[class]);
    let place = Rect::from_min_size(pos2(rect.left(), rect.top() + 1.0), vec2(36.0, 18.0));
    ui.scope_builder(egui::UiBuilder::new().max_rect(place), |ui| {
        badge(ui, snapshot, class);
    });
    let angle = seen.angles_rad[class];
    let cells = [
        angle.map_or("–".to_owned(), |a| format!("{:.1}°", a.to_degrees())),
        logit(seen.plain_logits[class]),
        logit(seen.logits[class]),
        format!("{:.3}", seen.probabilities[class]),
    ];
    let face = if is_own {
        Font::SemiBold
    } else {
        Font::Regular
    };
    let font = theme::font(face, theme::size::LABEL);
    let edges = [COLUMNS[0], COLUMNS[1], COLUMNS[2], 1.0];
    for (edge, text) in edges.into_iter().zip(&cells) {
        let pos = at(rect, edge) - vec2(if edge == 1.0 { 3.0 } else { 0.0 }, 0.0);
        let ink = theme::color(tokens.text);
        ui.painter()
            .text(pos, Align2::RIGHT_CENTER, text, font.clone(), ink);
    }
    let name = snapshot.class_name(class);
    let [angle, plain, logit, p] = cells;
    response.widget_info(|| {
        let words = format!("class {name}: θ {angle}, plain {plain}, logit {logit}, p {p}");
        WidgetInfo::labeled(Role::Label, true, words)
    });
}

/// The probability as a bar behind its number.
fn bar(ui: &Ui, rect: Rect, class: usize, probability: f64) {
    let left = at(rect, COLUMNS[3]).x;
    let width = (rect.right() - left) * probability as f32;
    let filled = Rect::from_min_size(
        pos2(left, rect.top() + 2.5),
        vec2(width, rect.height() - 5.0),
    );
    let color = theme::color(class_color(class)).gamma_multiply(0.5);
    ui.painter().rect_filled(filled, 2, color);
}

/// As many decimals as the column has room for.
fn logit(z: f64) -> String {
    let decimals = match z.abs() {
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    signed(z, decimals)
}

/// The margin's effect, the gradient and the step, and what is assumed.
fn words_ui(ui: &mut Ui, snapshot: &Snapshot, seen: &Microscope) {
    let color = ui.visuals().text_color();
    let font = theme::font(Font::Regular, theme::size::LABEL);
    let mut effect = LayoutJob::default();
    subscripted(&mut effect, &seen.margin_effect(), &font, color);
    ui.label(effect);
    if seen.penalty > 0.0 {
        ui.label(format!(
            "The centre's part of the loss: {:.3}.",
            seen.penalty
        ));
    }
    ui.label(step_words(snapshot, seen));
    if snapshot.is_given() && is_pulled(seen) {
        small(
            ui,
            "Arrow: downhill, −∂L/∂x, the way this loss would pull the feature.",
        );
    } else {
        small(ui, mark_words(seen, snapshot.experiment.view_kind()));
    }
}

/// What the marks of the sample in the picture mean, where they are drawn.
fn mark_words(seen: &Microscope, kind: ViewKind) -> &'static str {
    if kind == ViewKind::Input {
        "The step is on the feature itself, which this view does not show; training moves it through the network, with its whole batch."
    } else if is_pulled(seen) {
        "Arrow: downhill, −∂L/∂x. Small ring: one step on the feature itself, without momentum, enlarged where it would not be seen (the small print says by how much); training moves it through the network instead, with its whole batch."
    } else {
        "The gradient is practically 0: the loss has nothing left to gain from this sample."
    }
}

/// How long the gradient is and how far one step goes.
fn step_words(snapshot: &Snapshot, seen: &Microscope) -> String {
    let size = seen.gradient_size();
    let rate = snapshot.learning_rate;
    if snapshot.is_given() {
        return format!("‖∂L/∂x‖ = {}.", magnitude(size));
    }
    let next: Vec<f32> = seen
        .next_feature(rate)
        .into_iter()
        .map(|x| x as f32)
        .collect();
    let turn_deg = angle_between(&seen.feature, &next).to_degrees();
    let turn = if turn_deg < 0.01 {
        "less than 0.01".to_owned()
    } else {
        number(turn_deg)
    };
    format!(
        "‖∂L/∂x‖ = {}; one step at rate {} moves it by {}, {turn}°.",
        magnitude(size),
        magnitude(rate),
        magnitude(rate * size),
    )
}

fn small(ui: &mut Ui, text: &str) {
    ui.label(egui::RichText::new(text).size(theme::size::NOTE).weak());
}
