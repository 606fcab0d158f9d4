//! What runs side by side have over their pictures, and their meters in one table.

use std::sync::Arc;

use egui::{
    Align, Align2, CornerRadius, Grid, Layout, Rect, Response, RichText, Role, Sense, Ui, Vec2,
    WidgetInfo, vec2,
};

use crate::app::action::{Action, PaneAction};
use crate::app::pane::{Pane, Panes};
use crate::app::theme;
use crate::app::widget::{Icon, small_icon_button, strong};
use crate::experiment::{Difference, Experiment, differences};
use crate::scene::{Font, number, thousands};
use crate::trainer::{Delay, Snapshot};

/// The letter of a pane, what it has that others have not, and its own pause.
///
/// `differing` is that of all panes, see [`differing`].
pub(super) fn header_ui(
    ui: &mut Ui,
    panes: &Panes,
    differing: &[Difference],
    index: usize,
    actions: &mut Vec<Action>,
) {
    let pane = &panes.all()[index];
    let letter = Panes::letter(index);
    let is_active = index == panes.active_index();
    let is_one_line = ui.available_height() < 2.0 * LINE_HEIGHT;
    let rest = words_of(differing, index);
    let of_rest = |text: &str| RichText::new(text).size(theme::size::LABEL).weak();
    let step = step_words(panes, pane);
    let spec = pane.experiment().loss.spec;
    let width = ui.available_width();
    let is_narrow = width < BADGE_AND_BUTTONS + text_width(ui, spec.short_name, LOSS_FONT);
    let first = vec2(width, ui.available_height().min(FIRST_LINE));
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.allocate_ui_with_layout(first, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = SPACE;
        ui.add_space(8.0);
        if badge_ui(ui, letter, is_active).clicked() {
            actions.push(Action::Pane(PaneAction::Activate(index)));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(4.0);
            let help = format!("Close pane {letter}; undo (Ctrl+Z) brings it back");
            let name = format!("Close pane {letter}");
            if small_icon_button(ui, Icon::Close, &name, &help).clicked() {
                actions.push(Action::Pane(PaneAction::Close(index)));
            }
            pause_ui(ui, pane, index, actions);
            if let Some(step) = step.as_ref().filter(|_| is_one_line) {
                ui.label(RichText::new(step).size(theme::size::NOTE).weak());
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                if is_one_line {
                    ui.label(strong(spec.name, theme::size::VALUE));
                    ui.add(egui::Label::new(of_rest(&rest)).truncate());
                } else if !is_narrow {
                    let loss = strong(spec.short_name, theme::size::VALUE);
                    ui.add(egui::Label::new(loss).truncate());
                }
            });
        });
    });
    if !is_one_line {
        let second = vec2(width, 0.8 * LINE_HEIGHT);
        ui.allocate_ui_with_layout(second, Layout::left_to_right(Align::Center), |ui| {
            ui.add_space(12.0);
            let loss = is_narrow.then(|| spec.short_name.to_owned());
            let parts = [loss, Some(rest), step].into_iter().flatten();
            let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
            ui.add(egui::Label::new(of_rest(&parts.join(" · "))).truncate());
        });
    }
}

/// Room for a line of a header, and for the first of two, which has buttons.
const LINE_HEIGHT: f32 = 20.0;
const FIRST_LINE: f32 = 30.0;
/// Between the parts of a line.
const SPACE: f32 = 6.0;
/// What the first line has beside the name of the loss.
const BADGE_AND_BUTTONS: f32 = 100.0;
const LOSS_FONT: (Font, f32) = (Font::SemiBold, theme::size::VALUE);

/// Width of a line of text, in points.
fn text_width(ui: &Ui, text: &str, (font, size): (Font, f32)) -> f32 {
    let color = egui::Color32::WHITE;
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), theme::font(font, size), color);
    galley.size().x
}

/// What a pane has that others have not, beside the loss.
fn words_of(differing: &[Difference], index: usize) -> String {
    let words = differing.iter().filter_map(|d| d.words[index].as_deref());
    words.collect::<Vec<_>>().join(", ")
}

/// Whether all that a header has to say stands in one line of this width.
pub(super) fn fits_one_line(
    ui: &Ui,
    panes: &Panes,
    differing: &[Difference],
    index: usize,
    width: f32,
) -> bool {
    let pane = &panes.all()[index];
    let loss = pane.experiment().loss.spec.name;
    let step = step_words(panes, pane).unwrap_or_default();
    let texts = [
        text_width(ui, loss, LOSS_FONT),
        text_width(
            ui,
            &words_of(differing, index),
            (Font::Regular, theme::size::LABEL),
        ),
        text_width(ui, &step, (Font::Regular, theme::size::NOTE)),
    ];
    texts.iter().map(|width| width + SPACE).sum::<f32>() + BADGE_AND_BUTTONS < width
}

/// Steps between panes that nobody sees: a few, from one picture to the next.
const NEAR: u64 = 50;

/// Over the picture of a run that makes no steps of its own: what it waits for.
pub(super) fn delay_ui(ui: &mut Ui, rect: Rect, panes: &Panes, index: usize) {
    match panes.all()[index].worker.delay() {
        Some(Delay::Waits { for_run, n_steps }) if n_steps > NEAR => {
            let mut all = panes.all().iter();
            let Some(first) = all.position(|pane| pane.worker.id() == for_run) else {
                return; // it was closed
            };
            let letter = Panes::letter(first);
            let n_steps = thousands(n_steps);
            let words = format!("waits for {letter}: {n_steps} steps to go");
            let help =
                "Runs side by side are trained in step: the one with the fewest steps comes first";
            note_ui(ui, rect, &words).on_hover_text(help);
        }
        Some(Delay::GoesBack { percent }) => {
            let help =
                "The steps to this moment are made once more, so that it is exactly the same";
            note_ui(ui, rect, &format!("going back: {percent}%")).on_hover_text(help);
        }
        _ => {}
    }
}

/// A few words over the top of a picture, which are read out when they come.
fn note_ui(ui: &mut Ui, rect: Rect, words: &str) -> Response {
    let tokens = theme::tokens(ui.ctx());
    let ink = theme::color(tokens.panel);
    let font = theme::font(Font::Regular, theme::size::LABEL);
    let galley = ui.painter().layout_no_wrap(words.to_owned(), font, ink);
    let size = galley.size() + vec2(20.0, 10.0);
    let place = Align2::CENTER_TOP.anchor_rect(Rect::from_min_size(
        rect.center_top() + vec2(0.0, 8.0),
        size,
    ));
    let response = ui.allocate_rect(place, Sense::hover());
    let corner = CornerRadius::same(8);
    let ground = theme::color(tokens.text);
    ui.painter().rect_filled(place, corner, ground);
    ui.painter()
        .galley(place.min + vec2(10.0, 5.0), galley, ink);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_live(egui::accesskit::Live::Polite);
    });
    response
}

/// The step, where it is not the same in all panes.
fn step_words(panes: &Panes, pane: &Pane) -> Option<String> {
    let step = |pane: &Pane| pane.snapshot().map_or(0, |snapshot| snapshot.step);
    let steps = || panes.all().iter().map(step);
    let is_one = steps().max().unwrap_or(0) - steps().min().unwrap_or(0) <= NEAR;
    (!is_one).then(|| format!("step {}", thousands(step(pane))))
}

fn pause_ui(ui: &mut Ui, pane: &Pane, index: usize, actions: &mut Vec<Action>) {
    if pane.experiment().is_given() {
        return;
    }
    let (icon, verb) = if pane.is_playing() {
        (Icon::Pause, "Pause")
    } else {
        (Icon::Play, "Play")
    };
    let name = format!("{verb} pane {}", Panes::letter(index));
    let help = "This run alone; one that rested catches up with the others";
    if small_icon_button(ui, icon, &name, help).clicked() {
        actions.push(Action::Pane(PaneAction::Toggle(index)));
    }
}

/// A letter on a small ground, blue where the controls belong to it.
fn badge_ui(ui: &mut Ui, letter: char, is_active: bool) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(20.0), egui::Sense::click());
    let name = format!("Pane {letter}");
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_active, &name)
    });
    let tokens = theme::tokens(ui.ctx());
    let (fill, ink) = if is_active {
        (tokens.accent, tokens.ground)
    } else {
        (tokens.raised, tokens.dimmed)
    };
    let corner = CornerRadius::same(5);
    ui.painter().rect_filled(rect, corner, theme::color(fill));
    if response.has_focus() {
        let stroke = egui::Stroke::new(2.0, theme::color(tokens.text));
        let outside = egui::StrokeKind::Outside;
        ui.painter().rect_stroke(rect, corner, stroke, outside);
    }
    ui.painter().text(
        rect.center(),
        egui::Align2::CENTER_CENTER,
        letter,
        theme::font(Font::SemiBold, theme::size::LABEL),
        theme::color(ink),
    );
    response.on_hover_text("The controls belong to the pane with the bright letter")
}

/// What tells panes from one another beside the loss, which has the first word.
pub(super) fn differing(panes: &Panes) -> Vec<Difference> {
    let experiments = panes.all().iter().map(|pane| pane.experiment().as_ref());
    let mut found = differences(&experiments.collect::<Vec<&Experiment>>());
    found.retain(|difference| difference.key != "loss.id");
    found
}

/// A meter of the table: its name, its value, and what is better, where one can say so.
struct Row {
    name: &'static str,
    help: &'static str,
    value: fn(&Snapshot) -> Option<f64>,
    text: fn(f64) -> String,
    better: Option<Better>,
}

/// Which values of a meter are better, and by how much they have to be.
#[derive(Clone, Copy)]
struct Better {
    is_more: bool,
    /// The standard error of a value over so many samples.
    error: fn(f64, usize) -> f64,
}

/// Of a share of samples.
const MORE_SAMPLES: Better = Better {
    is_more: true,
    error: |share, n| (share * (1.0 - share) / n as f64).sqrt(),
};

/// Of a mean angle over samples, which deviate from it by no more than it is large.
const SMALLER_ANGLE: Better = Better {
    is_more: false,
    error: |angle, n| angle / (n as f64).sqrt(),
};

/// Of an angle that no sample has a part in: what one sees of it.
const WIDER_ANGLE: Better = Better {
    is_more: true,
    error: |_, _| 0.05_f64.to_radians(),
};

impl Better {
    /// The values that nothing beats by more than chance, where some are beaten.
    fn best(self, values: &[Option<f64>], n_samples: usize) -> Vec<bool> {
        let known = values.iter().flatten().copied();
        let sign = if self.is_more { 1.0 } else { -1.0 };
        let best = known.clone().map(|x| sign * x).reduce(f64::max);
        let best = best.map_or(0.0, |best| sign * best);
        let error = (self.error)(best, n_samples);
        let is_best = |x: f64| (best - x).abs() <= error;
        let tells = known.clone().any(|x| !is_best(x));
        let of = |value: &Option<f64>| tells && value.is_some_and(is_best);
        values.iter().map(of).collect()
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

fn degrees(angle_rad: f64) -> String {
    format!("{:.1}°", angle_rad.to_degrees())
}

static ROWS: [Row; 7] = [
    Row {
        name: "accuracy %",
        help: "Of the samples that are drawn",
        value: |s| s.has_labels().then_some(s.metrics.accuracy),
        text: percent,
        better: Some(MORE_SAMPLES),
    },
    Row {
        name: "loss",
        help: "Of the last steps; not comparable between losses",
        value: |s| s.history.rows().last().map(|row| row.loss),
        text: number,
        better: None,
    },
    Row {
        name: "angle to own weight",
        help: "Mean angle between a feature and the weight of its class",
        value: |s| s.metrics.target_angle_rad,
        text: degrees,
        better: Some(SMALLER_ANGLE),
    },
    Row {
        name: "spread within a class",
        help: "Mean angle between a feature and the mean direction of its class",
        value: |s| s.metrics.intra_class_angle_rad,
        text: degrees,
        better: Some(SMALLER_ANGLE),
    },
    Row {
        name: "least weight angle",
        help: "Between the two closest class weights",
        value: |s| s.metrics.min_weight_angle_rad,
        text: degrees,
        better: Some(WIDER_ANGLE),
    },
    Row {
        name: "samples with their margin %",
        help: "Whose class wins even with the margin counted against it",
        value: |s| Some(s.metrics.margin_satisfied),
        text: |share| format!("{:.0}", 100.0 * share),
        better: None,
    },
    Row {
        name: "mean feature length",
        help: "Mean ‖x‖",
        value: |s| Some(s.metrics.mean_feature_norm),
        text: |norm| format!("{norm:.*}", usize::from(norm < 100.0)),
        better: None,
    },
];

/// The meters of all panes in one table; nothing for one alone.
pub(super) fn meters_ui(ui: &mut Ui, panes: &Panes) {
    let n_panes = panes.all().len();
    if n_panes == 1 {
        return;
    }
    let width = ui.available_width();
    Grid::new("meters of all panes")
        .num_columns(n_panes)
        .min_col_width(width / n_panes as f32 - 1.0)
        .spacing([1.0, 1.0])
        .show(ui, |ui| {
            for i in 0..n_panes {
                let letter = strong(Panes::letter(i).to_string(), theme::size::LABEL);
                right_ui(
                    ui,
                    if i == panes.active_index() {
                        letter
                    } else {
                        letter.weak()
                    },
                );
            }
            ui.end_row();
        });
    let n_samples = samples_in_common(panes);
    for row in &ROWS {
        row_ui(ui, panes, row, n_samples);
    }
    crate::app::widget::hairline(ui);
}

/// How many samples all panes have measured after the same steps; `None` where they differ, and so
/// their meters may for that alone.
fn samples_in_common(panes: &Panes) -> Option<usize> {
    let mut snapshots = panes.all().iter().map(|pane| panes.beside_of(pane));
    let first = snapshots.next().flatten()?;
    let is_alike = |other: Option<&Arc<Snapshot>>| {
        other.is_some_and(|other| {
            let (a, b) = (&first.probe, &other.probe);
            first.step == other.step && a.is_train == b.is_train && a.computed_at == b.computed_at
        })
    };
    snapshots.all(is_alike).then(|| first.probe.len().max(1))
}

fn row_ui(ui: &mut Ui, panes: &Panes, row: &Row, n_samples: Option<usize>) {
    let value = |pane: &Pane| (row.value)(panes.beside_of(pane)?);
    let values: Vec<Option<f64>> = panes.all().iter().map(value).collect();
    let texts = values
        .iter()
        .map(|value| value.map_or("–".to_owned(), row.text));
    let texts: Vec<String> = texts.collect();
    let best = row.better.zip(n_samples);
    let best = best.map_or_else(Vec::new, |(better, n)| better.best(&values, n));
    let name = RichText::new(row.name).size(theme::size::NOTE).weak();
    ui.label(name).on_hover_text(row.help);
    let width = ui.available_width() / texts.len() as f32 - 1.0;
    let size = if texts.len() > 4 {
        theme::size::NOTE
    } else {
        theme::size::LABEL
    };
    let row_rect = ui.available_rect_before_wrap();
    let height = 18.0;
    for (i, text) in texts.iter().enumerate() {
        let min = row_rect.min + vec2(i as f32 * (width + 1.0), 0.0);
        let rect = Rect::from_min_size(min, vec2(width, height));
        let is_best = best.get(i).is_some_and(|&is_best| is_best);
        let text = if is_best {
            strong(text, size)
        } else {
            RichText::new(text).size(size)
        };
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect), |ui| {
            right_ui(ui, text);
        });
    }
    ui.allocate_rect(
        Rect::from_min_size(row_rect.min, vec2(row_rect.width(), height)),
        egui::Sense::hover(),
    );
}

fn right_ui(ui: &mut Ui, text: RichText) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_best_where_chance_does_not_explain_it() {
        let best = |values: &[f64]| {
            let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
            MORE_SAMPLES.best(&values, 2000)
        };
        // Of 2,000 samples at 96%, one standard error is 0.44%.
        assert_eq!(best(&[0.960, 0.962]), [false, false]);
        assert_eq!(best(&[0.960, 0.966]), [false, true]);
        assert_eq!(best(&[0.960, 0.962, 0.9]), [true, true, false]);
        assert_eq!(best(&[0.96, 0.96]), [false, false]);
        let angles = [Some(0.5), Some(0.2), None];
        assert_eq!(SMALLER_ANGLE.best(&angles, 2000), [false, true, false]);
        assert_eq!(WIDER_ANGLE.best(&angles, 1), [true, false, false]);
        assert_eq!(WIDER_ANGLE.best(&[None, None], 1), [false, false]);
    }
}
