//! The right panel: accuracy, loss curve, meters. Every number comes from the snapshot.

use std::sync::Arc;

use egui::{Align, Layout, Ui, vec2};
use egui_plot::{Line, Plot, PlotPoint, PlotPoints, VLine};

use crate::app::action::Action;
use crate::app::lens::Thumbs;
use crate::app::panel::charts::Charts;
use crate::app::panel::left::fold;
use crate::app::panel::sample::sample_ui;
use crate::app::theme;
use crate::app::widget::{Meter, hairline, meter, scroll_to_focus, strong};
use crate::scene::{ViewState, chart, number, thousands};
use crate::trainer::{HeadState, Metrics, Snapshot};

/// The curves of the newest snapshot as `egui_plot` wants them.
#[derive(Default)]
pub(crate) struct RightPanel {
    loss: Vec<PlotPoint>,
    accuracy: Vec<PlotPoint>,
    /// What the axis of the loss reaches to: a spike at a change of loss may stand out.
    highest_loss: f64,
    /// Where another loss was chosen: the step, and the loss's name.
    choices: Vec<(u64, &'static str)>,
    /// Snapshot the curves were made of.
    of: Option<Arc<Snapshot>>,
    charts: Charts,
    /// The sample that was kept in the last frame.
    kept: Option<usize>,
}

impl RightPanel {
    /// Lays out the panel, below what `before` lays out.
    pub(crate) fn ui(
        &mut self,
        ui: &mut Ui,
        snapshot: &Arc<Snapshot>,
        view: &ViewState,
        thumbs: &mut Thumbs,
        before: impl FnOnce(&mut Ui),
        actions: &mut Vec<Action>,
    ) {
        self.take(snapshot);
        let mut area = egui::ScrollArea::vertical().auto_shrink(false);
        if view.kept != self.kept {
            self.kept = view.kept;
            area = area.vertical_scroll_offset(0.0); // where the sample is
        }
        area.show(ui, |ui| {
            ui.set_max_width(ui.available_width() - theme::SCROLL_BAR_ROOM);
            before(ui);
            if let Some(sample) = view.kept {
                sample_ui(ui, snapshot, sample, thumbs, actions);
                hairline(ui);
            }
            if snapshot.is_given() {
                given_headline_ui(ui, snapshot);
            } else {
                headline_ui(ui, snapshot);
                ui.add_space(4.0);
                self.curves_ui(ui, snapshot);
            }
            self.charts.psi_ui(ui, snapshot, actions);
            hairline(ui);
            meters_ui(ui, snapshot);
            fold(ui, "Margin map", |ui| self.charts.map_ui(ui, snapshot));
            fold(ui, "Confusion", |ui| {
                self.charts.confusion_ui(ui, snapshot, view.light, actions);
            });
            fold(ui, "Neural collapse", |ui| collapse_ui(ui, snapshot));
            if !snapshot.is_given() {
                hairline(ui);
                pace_ui(ui, snapshot);
            }
            scroll_to_focus(ui);
        });
    }

    fn take(&mut self, snapshot: &Arc<Snapshot>) {
        if self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, snapshot)) {
            return;
        }
        self.of = Some(Arc::clone(snapshot));
        self.choices.clear();
        self.choices.extend(chart::choices(&snapshot.experiment));
        let rows = snapshot.history.rows();
        self.loss.clear();
        self.loss.extend(
            rows.iter()
                .map(|row| PlotPoint::new(row.step as f64, row.loss)),
        );
        self.highest_loss = chart::usual_maximum(rows.iter().map(|row| row.loss).collect());
        self.accuracy.clear();
        self.accuracy.extend(
            rows.iter()
                .filter_map(|row| Some(PlotPoint::new(row.step as f64, row.accuracy?))),
        );
    }

    /// Loss and accuracy side by side.
    fn curves_ui(&self, ui: &mut Ui, snapshot: &Snapshot) {
        let tokens = theme::tokens(ui.ctx());
        let newest = snapshot
            .history
            .rows()
            .last()
            .map_or(String::new(), |row| number(row.loss));
        let loss = Line::new("loss", PlotPoints::Borrowed(&self.loss))
            .color(theme::color(tokens.accent))
            .width(1.5);
        let accuracy = Line::new("accuracy", PlotPoints::Borrowed(&self.accuracy))
            .color(theme::color(tokens.text))
            .width(1.5);
        let share = format!("{:.1}%", 100.0 * snapshot.metrics.accuracy);
        ui.spacing_mut().item_spacing.x = 16.0; // between the two
        ui.columns(2, |columns| {
            let top = number(self.highest_loss);
            self.curve_ui(
                &mut columns[0],
                [
                    "loss",
                    "Loss of the batches that were trained on",
                    &top,
                    &newest,
                ],
                loss,
                self.highest_loss,
            );
            let help = "Accuracy on the samples that are drawn";
            let words = ["accuracy", help, "100%", &share];
            self.curve_ui(&mut columns[1], words, accuracy, 1.0);
        });
    }

    /// A curve from 0 to `highest` with a line at each choice of a loss; under it its name, what it
    /// spans, and its newest value.
    fn curve_ui(
        &self,
        ui: &mut Ui,
        [name, help, top, newest]: [&str; 4],
        line: Line<'_>,
        highest: f64,
    ) {
        let tokens = theme::tokens(ui.ctx());
        let plot = Plot::new(name)
            .height(60.0)
            .show_axes(false)
            .show_grid(false)
            .show_background(false)
            .allow_zoom(false)
            .allow_drag(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .allow_double_click_reset(false)
            .set_margin_fraction(vec2(0.0, 0.05));
        let response = plot
            .show(ui, |plot| {
                for &(step, loss) in &self.choices {
                    let mark = VLine::new(loss, step as f64)
                        .color(theme::color(tokens.hairline_strong))
                        .width(1.0);
                    plot.vline(mark);
                }
                plot.line(line);
                plot.set_plot_bounds_y(0.0..=1.04 * highest.max(1e-6));
            })
            .response;
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Figure, true, format!("curve of {name}"))
        });
        ui.horizontal(|ui| {
            let small = |text: String| egui::RichText::new(text).size(theme::size::NOTE);
            ui.label(small(name.to_owned()).weak())
                .on_hover_text(format!("{help}, over the steps, 0 to {top}"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(small(newest.to_owned()));
            });
        });
    }
}

fn headline_ui(ui: &mut Ui, snapshot: &Snapshot) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        ui.label(strong(
            format!("{:.1}", 100.0 * snapshot.metrics.accuracy),
            theme::size::HERO,
        ));
        ui.label(strong("%", theme::size::TITLE));
        ui.with_layout(Layout::top_down(Align::Max), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.add_space(6.0);
            ui.label(egui::RichText::new("step").size(theme::size::NOTE).weak());
            ui.label(strong(thousands(snapshot.step), theme::size::VALUE));
        });
    });
    let n_samples = thousands(snapshot.metrics.n_samples as u64);
    ui.weak(format!(
        "of {n_samples} {} samples right",
        split_name(snapshot.probe.is_train)
    ));
    if let Some(other) = snapshot.other_score {
        ui.weak(format!(
            "{:.1}% of {} {} samples",
            100.0 * other.accuracy,
            thousands(other.n_samples as u64),
            split_name(other.is_train)
        ))
        .on_hover_text(
            "Accuracy on the set that is not drawn: training far above test means learning by heart.",
        );
    }
}

/// The share of features of a file that lie on the side of their class; without labels, only how
/// many there are.
fn given_headline_ui(ui: &mut Ui, snapshot: &Snapshot) {
    let n_samples = thousands(snapshot.metrics.n_samples as u64);
    if !snapshot.has_labels() {
        ui.label(strong(n_samples, theme::size::HERO));
        ui.weak("samples without labels");
        return;
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        let share = format!("{:.1}", 100.0 * snapshot.metrics.accuracy);
        ui.label(strong(share, theme::size::HERO));
        ui.label(strong("%", theme::size::TITLE));
    });
    ui.weak(format!("of {n_samples} samples right"));
    if let Some(given) = snapshot.data.given.as_ref().filter(|g| g.share.is_some()) {
        let dim = snapshot.head.dim;
        ui.weak(format!("in {dim} of {} dimensions", given.file_dim))
            .on_hover_text("All that is measured is of the projection that is drawn; choose all dimensions on the left to measure the features themselves.");
    }
}

fn split_name(is_train: bool) -> &'static str {
    if is_train { "training" } else { "test" }
}

fn meters_ui(ui: &mut Ui, snapshot: &Snapshot) {
    let Snapshot { metrics, head, .. } = snapshot;
    for shown in [
        target_meter(metrics),
        spread_meter(metrics),
        weight_meter(metrics, head),
        mean_meter(metrics, head),
        margin_meter(metrics, head),
        Some(length_meter(metrics)),
    ]
    .into_iter()
    .flatten()
    {
        meter(ui, &shown);
    }
}

/// NC1 to NC3: all of them fall to 0.
fn collapse_ui(ui: &mut Ui, snapshot: &Snapshot) {
    let Some(collapse) = snapshot.detail.collapse else {
        ui.weak("Every class needs a sample.");
        return;
    };
    let zero = |label, value: f64, help| {
        const HALF: f64 = 0.3; // fills half of the bar
        Meter {
            label,
            value: format!("{value:.3}"),
            share: (value / (value + HALF)) as f32,
            ideal: Some((0.0, String::new())),
            help,
        }
    };
    let meters = [
        Some(zero(
            "NC1 spread within",
            collapse.within,
            "Spread within the classes over the spread of their means: 0 where each class is one point.",
        )),
        Some(zero(
            "NC2 unequal lengths",
            collapse.unequal_lengths,
            "How unequal the distances of the class means from their center are: 0 where all are alike.",
        )),
        match collapse.off_simplex {
            Some(off_simplex) => Some(zero(
                "NC2 off the simplex",
                off_simplex,
                "How far the angles between class means are from those of the simplex, as cosines: 0 where all are alike and as wide as can be.",
            )),
            None => widest_meter(snapshot),
        },
        Some(zero(
            "NC3 weights off means",
            collapse.off_dual,
            "Distance of the class weights from the class means, both at length 1: 0 where they agree.",
        )),
    ];
    for meter_of in meters.iter().flatten() {
        meter(ui, meter_of);
    }
}

/// The second sign of collapse where no simplex fits: the best arrangement is as wide as can be,
/// and its angles are not all alike (`losses.md` 7).
fn widest_meter(snapshot: &Snapshot) -> Option<Meter<'static>> {
    const FULL: f64 = 1.1; // of the bar, so that the ideal stands within
    let share = snapshot.metrics.min_class_mean_angle_rad? / best_angle_rad(&snapshot.head);
    Some(Meter {
        label: "NC2 least over best angle",
        value: format!("{share:.3}"),
        share: (share / FULL) as f32,
        ideal: Some(((1.0 / FULL) as f32, String::new())),
        help: "Least angle between class means over the widest that any arrangement has: 1 where they spread as far as they can.",
    })
}

fn target_meter(metrics: &Metrics) -> Option<Meter<'static>> {
    const RIGHT_ANGLE_DEG: f64 = 90.0; // where an untrained feature lies on average
    let degrees = metrics.target_angle_rad?.to_degrees();
    Some(Meter {
        label: "angle to own weight",
        value: format!("{degrees:.1}°"),
        share: (degrees / RIGHT_ANGLE_DEG) as f32,
        ideal: None,
        help: "Mean angle between a feature and the weight of its class: small is compact and on target.",
    })
}

fn spread_meter(metrics: &Metrics) -> Option<Meter<'static>> {
    const WIDE_DEG: f64 = 45.0; // classes this wide overlap
    let degrees = metrics.intra_class_angle_rad?.to_degrees();
    Some(Meter {
        label: "spread within a class",
        value: format!("{degrees:.1}°"),
        share: (degrees / WIDE_DEG) as f32,
        ideal: None,
        help: "Mean angle between a feature and the mean direction of its class.",
    })
}

fn weight_meter(metrics: &Metrics, head: &HeadState) -> Option<Meter<'static>> {
    let best = format!("{:.1}° best", best_angle_rad(head).to_degrees());
    Some(separation_meter(
        head,
        metrics.min_weight_angle_rad?,
        "least weight angle",
        best,
        "The two closest class weights; the tick is the best that any arrangement reaches.",
    ))
}

fn mean_meter(metrics: &Metrics, head: &HeadState) -> Option<Meter<'static>> {
    Some(separation_meter(
        head,
        metrics.min_class_mean_angle_rad?,
        "least class angle",
        String::new(), // the meter above says it
        "The two closest mean directions of classes; the tick is the best that any arrangement reaches.",
    ))
}

/// An angle that no arrangement of the classes makes larger than the best.
fn separation_meter(
    head: &HeadState,
    angle_rad: f64,
    label: &'static str,
    best: String,
    help: &'static str,
) -> Meter<'static> {
    const BEST_SHARE: f64 = 0.8; // leaves room for the note at the tick
    Meter {
        label,
        value: format!("{:.1}°", angle_rad.to_degrees()),
        share: (BEST_SHARE * angle_rad / best_angle_rad(head)) as f32,
        ideal: Some((BEST_SHARE as f32, best)),
        help,
    }
}

fn best_angle_rad(head: &HeadState) -> f64 {
    head.setting().best_angle_rad()
}

fn margin_meter(metrics: &Metrics, head: &HeadState) -> Option<Meter<'static>> {
    let has_margin = head.spec.form.is_angular() && !head.spec.params.is_empty();
    has_margin.then(|| Meter {
        label: "samples with their margin",
        value: format!("{:.0}%", 100.0 * metrics.margin_satisfied),
        share: metrics.margin_satisfied as f32,
        ideal: None,
        help: "Share of samples whose class wins even with the margin counted against it.",
    })
}

fn length_meter(metrics: &Metrics) -> Meter<'static> {
    const HALF: f64 = 30.0; // lengths have no bound; this one fills half of the bar
    let norm = metrics.mean_feature_norm;
    Meter {
        label: "mean feature length",
        value: format!("{norm:.1}"),
        share: (norm / (norm + HALF)) as f32,
        ideal: None,
        help: "Mean ‖x‖: free under softmax, without meaning where features are normalised.",
    }
}

fn pace_ui(ui: &mut Ui, snapshot: &Snapshot) {
    let pace = if snapshot.is_playing {
        format!(
            "{} samples/s",
            thousands(snapshot.samples_per_second as u64)
        )
    } else {
        "paused".to_owned()
    };
    for text in [
        pace,
        format!(
            "learning rate {:.4}, epoch {:.1}",
            snapshot.learning_rate, snapshot.epochs
        ),
    ] {
        ui.label(egui::RichText::new(text).size(theme::size::NOTE).weak());
    }
}
