//! The loss on the left: its name and formula, and a control for each of its parameters, generated
//! from what the registry and the theory say of them.

use egui::Ui;

use crate::app::action::Action;
use crate::app::panel::left::{Shown, choice_row};
use crate::app::theme;
use crate::app::widget::{Knob, formula, knob, strong};
use crate::experiment::Experiment;
use crate::loss::formula::plain;
use crate::loss::theory;
use crate::loss::theory::{Arrangement, equivalents};
use crate::loss::{Course, Forecast, LossSpec, Param, Setting, Unit, Values, forecast, short};
use crate::scene::told_apart;

/// The controls with what theory last said.
#[derive(Debug, Default)]
pub(super) struct LossControls {
    /// For a setting and ψ(0).
    least_scale: Known<(Setting, f64), Option<f64>>,
    forecast: Known<LossKey, Option<Forecast>>,
    same_gap: Known<LossKey, String>,
}

/// A loss by its id, its values and a setting.
type LossKey = (&'static str, Values<f64>, Setting);

/// What was last worked out, with what it holds for.
#[derive(Debug)]
struct Known<K, V>(Option<(K, V)>);

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: PartialEq, V> Known<K, V> {
    fn of(&mut self, key: K, work_out: impl FnOnce() -> V) -> &V {
        let known = self.0.take().filter(|(of, _)| *of == key);
        &self.0.insert(known.unwrap_or_else(|| (key, work_out()))).1
    }
}

/// The target probability that the least scale is given for.
const PROBABILITY: f64 = 0.9;
/// More classes take too long for a frame.
const MOST_CLASSES: usize = 64;

impl LossControls {
    pub(super) fn ui(&mut self, ui: &mut Ui, shown: &Shown<'_>, actions: &mut Vec<Action>) {
        let experiment = shown.experiment;
        let spec = experiment.loss.spec;
        let tokens = theme::tokens(ui.ctx());
        ui.label(strong(spec.name, theme::size::TITLE))
            .on_hover_text(format!("{}\n{}", spec.summary, spec.source));
        formula(ui, spec, tokens.dimmed).on_hover_text(about_target(spec));
        ui.add_space(6.0);
        let values = experiment.loss_values();
        for (index, param) in spec.params.iter().enumerate() {
            if param.choices.is_empty() {
                self.number_ui(ui, experiment, index, &values, actions);
            } else {
                choice_ui(ui, param, values[index], actions);
            }
            if let Some(head) = shown.head.filter(|head| head.spec.id == spec.id) {
                course_ui(ui, param, head.in_force[index], values[index]);
            }
            ui.add_space(4.0);
        }
    }

    /// The first of its sliders, which its margin has if it has one, without what theory says below.
    pub(super) fn main_slider_ui(
        &mut self,
        ui: &mut Ui,
        experiment: &Experiment,
        actions: &mut Vec<Action>,
    ) {
        let params = experiment.loss.spec.params;
        if let Some(index) = params.iter().position(|param| param.choices.is_empty()) {
            self.knob_ui(ui, experiment, index, &experiment.loss_values(), actions);
        } else {
            ui.weak("This loss has nothing to set.");
        }
    }

    fn number_ui(
        &mut self,
        ui: &mut Ui,
        experiment: &Experiment,
        index: usize,
        values: &Values<f64>,
        actions: &mut Vec<Action>,
    ) {
        self.knob_ui(ui, experiment, index, values, actions);
        let (spec, setting) = (experiment.loss.spec, experiment.setting());
        let passed = |index| spec.passed_ceiling(index, setting, values).is_some();
        if passed(index) {
            // Where several margins are too much together, it is said once.
            if !(0..index).any(passed) {
                self.past_ceiling_ui(ui, experiment, values);
            }
        } else if theory::margin_index(spec) == Some(index) {
            self.equivalents_ui(ui, experiment, values);
        }
    }

    /// The slider with its ceiling and its least value.
    fn knob_ui(
        &mut self,
        ui: &mut Ui,
        experiment: &Experiment,
        index: usize,
        values: &Values<f64>,
        actions: &mut Vec<Action>,
    ) {
        let (spec, setting) = (experiment.loss.spec, experiment.setting());
        let param = &spec.params[index];
        let is_scale = spec.param_index("scale") == Some(index);
        let ceiling = spec.ceiling(index, setting, values);
        let least = if is_scale {
            self.least_scale(setting, spec.target.psi(0.0, values))
        } else {
            None
        };
        let label = label(param);
        let knob_spec = Knob {
            label: &label,
            unit: if param.unit == Unit::Factor {
                ""
            } else {
                param.unit.suffix()
            },
            help: param.help,
            slider: param.slider.clone(),
            range: param.range.clone(),
            default: experiment.default_value(param),
            ceiling: ceiling.map(|m| (m, ceiling_words(m, values[index], setting))),
            least: least.map(|s| (s, least_words(s, param))),
            is_integer: param.is_integer,
            is_logarithmic: is_scale,
        };
        if let Some(value) = knob(ui, &knob_spec, values[index]) {
            actions.push(Action::set(&format!("loss.{}", param.id), value));
        }
    }

    /// The least scale with which the best arrangement reaches the target probability.
    fn least_scale(&mut self, setting: Setting, target: f64) -> Option<f64> {
        *self.least_scale.of((setting, target), || {
            (setting.n_classes <= MOST_CLASSES)
                .then(|| Arrangement::regular(setting).least_scale(PROBABILITY, target))
                .flatten()
        })
    }

    /// What training comes to past the ceiling.
    fn past_ceiling_ui(&mut self, ui: &mut Ui, experiment: &Experiment, values: &Values<f64>) {
        let (spec, setting) = (experiment.loss.spec, experiment.setting());
        let key = (spec.id, *values, setting);
        let forecast = *self.forecast.of(key, || forecast(spec, values, setting));
        let pink = theme::color(theme::tokens(ui.ctx()).past_ceiling);
        let text = format!(
            "No arrangement gives every class this margin. {} A larger s only raises the loss.",
            theory::past_ceiling(setting, forecast)
        );
        ui.label(
            egui::RichText::new(text)
                .size(theme::size::NOTE)
                .color(pink),
        )
        .on_hover_text("Told by training one free feature a class from the even arrangement; a network may end elsewhere.");
    }

    /// The margins of other losses that leave the same gap between neighbors of the best
    /// arrangement.
    fn equivalents_ui(&mut self, ui: &mut Ui, experiment: &Experiment, values: &Values<f64>) {
        let (spec, setting) = (experiment.loss.spec, experiment.setting());
        let key = (spec.id, *values, setting);
        let others = self.same_gap.of(key, || same_gap(spec, setting, values));
        if !others.is_empty() {
            let text = format!("same gap: {others}");
            ui.label(egui::RichText::new(text).size(theme::size::NOTE).weak())
                .on_hover_text("Margins of other losses that leave as wide a gap between two neighbors of the best arrangement");
        }
    }
}

fn ceiling_words(ceiling: f64, value: f64, setting: Setting) -> String {
    if ceiling <= 0.0 {
        return format!("none left, {} classes", setting.n_classes);
    }
    let [most, _] = told_apart(ceiling, value);
    format!("{most} ceiling, {} classes", setting.n_classes)
}

/// The least scale; the slider may end before it.
fn least_words(scale: f64, param: &Param) -> String {
    let how = if scale > *param.slider.end() {
        ", to be typed in"
    } else {
        ""
    };
    format!("≥ {scale:.1} for p = {PROBABILITY}{how}")
}

/// What the formula beside the name is, what its letters stand for, and where it comes from.
fn about_target(spec: &LossSpec) -> String {
    let defined = plain(spec.formula.defined, spec);
    let with = if defined.is_empty() {
        String::new()
    } else {
        format!(", {defined}")
    };
    format!("Target logit{with}. {}", spec.source)
}

/// The margins of other losses that leave the same gap, in words.
fn same_gap(spec: &LossSpec, setting: Setting, values: &Values<f64>) -> String {
    let others = equivalents(spec, values, setting.best_angle_rad());
    let words = others.map(|other| {
        let value = short((other.value * 1e3).round() / 1e3);
        let name = other.spec.short_name;
        match other.param.unit {
            Unit::Factor => format!("{name} {:.2}× at λ = 0", other.value),
            unit => format!("{name} {value} {}", unit.suffix()),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The parameter's name with its letter; the letter alone where the name only numbers it.
fn label(param: &Param) -> String {
    let name = param.id.trim_end_matches(char::is_numeric);
    if name == "m" {
        param.symbol.to_owned()
    } else {
        format!("{} {}", name.replace('_', " "), param.symbol)
    }
}

fn choice_ui(ui: &mut Ui, param: &Param, value: f64, actions: &mut Vec<Action>) {
    let current = param.choices.get(value as usize).copied().unwrap_or("");
    choice_row(
        ui,
        param.symbol,
        param.help,
        &current,
        param.choices,
        |name| (*name).to_owned(),
        |name| {
            actions.push(Action::set(&format!("loss.{}", param.id), name));
        },
    );
}

/// The value in force where it still differs from the value that was set.
fn course_ui(ui: &mut Ui, param: &Param, in_force: f64, set: f64) {
    if (in_force - set).abs() < 1e-3 * set.abs().max(1e-3) {
        return;
    }
    let text = match param.course {
        Course::Constant => return,
        Course::Ramp => format!("rising: {} {in_force:.2} now", param.symbol),
        Course::Anneal { .. } => format!("falling: {} {in_force:.1} now", param.symbol),
    };
    ui.label(egui::RichText::new(text).size(theme::size::NOTE).weak());
}
