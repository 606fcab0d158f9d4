//! The right panel: accuracy, loss curve, meters. Every number comes from the snapshot.

use egui::{Align, Align2, Layout, Ui, vec2};
use egui_plot::{Line, Plot, PlotPoint, PlotPoints};

use crate::app::theme;
use crate::app::widget::{Meter, hairline, meter, strong};
use crate::loss::Setting;
use crate::scene::{Font, thousands};
use crate::trainer::{Snapshot, Subset};

/// The curves of the newest snapshot as `egui_plot` wants them.
#[derive(Default)]
pub(crate) struct RightPanel {
    loss: Vec<PlotPoint>,
    accuracy: Vec<PlotPoint>,
    /// What the axis of the loss reaches to: a spike at a change of loss may stand out.
    highest_loss: f64,
    /// Snapshot the curves were made of.
    of: Option<(u64, u64)>,
}

impl RightPanel {
    /// Lays out the panel.
    pub(crate) fn ui(&mut self, ui: &mut Ui, snapshot: &Snapshot, subset: Subset) {
        self.take(snapshot);
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .show(ui, |ui| {
                headline_ui(ui, snapshot, subset);
                ui.add_space(4.0);
                self.curves_ui(ui, snapshot);
                hairline(ui);
                meters_ui(ui, snapshot);
                hairline(ui);
                pace_ui(ui, snapshot);
            });
    }

    fn take(&mut self, snapshot: &Snapshot) {
        let of = Some((snapshot.generation, snapshot.step));
        if self.of == of {
            return;
        }
        self.of = of;
        let rows = snapshot.history.rows();
        self.loss.clear();
        self.loss.extend(
            rows.iter()
                .map(|row| PlotPoint::new(row.step as f64, row.loss)),
        );
        self.highest_loss = usual_maximum(rows.iter().map(|row| row.loss).collect());
        self.accuracy.clear();
        self.accuracy.extend(
            rows.iter()
                .filter_map(|row| Some(PlotPoint::new(row.step as f64, row.accuracy?))),
        );
    }

    fn curves_ui(&self, ui: &mut Ui, snapshot: &Snapshot) {
        let tokens = theme::tokens(ui.ctx());
        let newest = snapshot
            .history
            .rows()
            .last()
            .map_or(String::new(), |row| format!("{:.3}", row.loss));
        let loss = Line::new("loss", PlotPoints::Borrowed(&self.loss))
            .color(theme::color(tokens.accent))
            .width(1.5);
        curve(
            ui,
            "loss",
            &newest,
            loss,
            self.highest_loss,
            format!("{:.1}", self.highest_loss),
        );
        let accuracy = Line::new("accuracy", PlotPoints::Borrowed(&self.accuracy))
            .color(theme::color(tokens.text))
            .width(1.5);
        curve(ui, "accuracy", "0 to 100%", accuracy, 1.0, String::new());
    }
}

/// What all values but the highest few stay below.
fn usual_maximum(mut values: Vec<f64>) -> f64 {
    const USUAL_SHARE: f64 = 0.97;
    values.sort_by(f64::total_cmp);
    let index = (USUAL_SHARE * values.len() as f64) as usize;
    values.get(index).copied().unwrap_or(1.0)
}

/// A curve from 0 to `highest`, which is written at its top.
fn curve(ui: &mut Ui, name: &str, value: &str, line: Line<'_>, highest: f64, top: String) {
    let plot = Plot::new(name)
        .height(72.0)
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
            plot.line(line);
            plot.set_plot_bounds_y(0.0..=1.04 * highest.max(1e-6));
        })
        .response;
    let color = theme::color(theme::tokens(ui.ctx()).dimmed);
    let font = theme::font(Font::Regular, theme::size::NOTE);
    ui.painter().text(
        response.rect.right_top(),
        Align2::RIGHT_TOP,
        top,
        font,
        color,
    );
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Figure, true, format!("curve of {name}"))
    });
    ui.horizontal(|ui| {
        ui.label(egui::RichText::new(name).size(theme::size::NOTE).weak());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(egui::RichText::new(value).size(theme::size::NOTE).weak());
        });
    });
}

fn headline_ui(ui: &mut Ui, snapshot: &Snapshot, subset: Subset) {
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
    let kind = match subset {
        _ if snapshot.probe.is_train => "training",
        Subset::Train(_) => "training",
        Subset::Test(_) => "test",
    };
    ui.weak(format!(
        "of {} {kind} samples right",
        thousands(snapshot.metrics.n_samples as u64)
    ));
}

fn meters_ui(ui: &mut Ui, snapshot: &Snapshot) {
    let metrics = &snapshot.metrics;
    let head = &snapshot.head;
    let setting = Setting {
        n_classes: head.n_classes,
        dim: head.dim,
    };
    if let Some(angle) = metrics.target_angle_rad {
        angle_meter(
            ui,
            "angle to own weight",
            angle,
            90.0,
            None,
            "Mean angle between a feature and the weight of its class: small is compact and on target.",
        );
    }
    if let Some(angle) = metrics.intra_class_angle_rad {
        angle_meter(
            ui,
            "spread within a class",
            angle,
            45.0,
            None,
            "Mean angle between a feature and the mean direction of its class.",
        );
    }
    if let Some(angle) = metrics.min_weight_angle_rad {
        let best = setting.best_angle_rad().to_degrees();
        angle_meter(
            ui,
            "least weight angle",
            angle,
            best * 1.25,
            Some(best),
            "The two closest class weights; the tick is the best that any arrangement reaches.",
        );
    }
    if head.spec.form.is_angular() && !head.spec.params.is_empty() {
        meter(
            ui,
            &Meter {
                label: "samples with their margin",
                value: format!("{:.0}%", 100.0 * metrics.margin_satisfied),
                share: metrics.margin_satisfied as f32,
                ideal: None,
                help: "Share of samples whose class wins even with the margin counted against it.",
            },
        );
    }
    meter(
        ui,
        &Meter {
            label: "mean feature length",
            value: format!("{:.1}", metrics.mean_feature_norm),
            share: (metrics.mean_feature_norm / (metrics.mean_feature_norm + 30.0)) as f32,
            ideal: None,
            help: "Mean ‖x‖: free under softmax, without meaning where features are normalized.",
        },
    );
}

fn angle_meter(
    ui: &mut Ui,
    label: &str,
    angle_rad: f64,
    full_deg: f64,
    best_deg: Option<f64>,
    help: &str,
) {
    let degrees = angle_rad.to_degrees();
    meter(
        ui,
        &Meter {
            label,
            value: format!("{degrees:.1}°"),
            share: (degrees / full_deg) as f32,
            ideal: best_deg.map(|best| ((best / full_deg) as f32, format!("{best:.0}° best"))),
            help,
        },
    );
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
