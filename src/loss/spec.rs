//! What a loss says of itself: parameters with units and ranges, target logit, formula, source.

use std::ops::RangeInclusive;

use crate::geometry::regular;
use crate::loss::formula::Formula;
use crate::loss::real::Real;

/// Most parameters a loss may have; values are kept in arrays of this size.
pub const MAX_PARAMS: usize = 6;

/// Values of a loss's parameters, in the order of [`LossSpec::params`].
pub type Values<T> = [T; MAX_PARAMS];

/// A loss as the registry lists it. One file of `loss` defines one `LossSpec`.
#[derive(Debug)]
pub struct LossSpec {
    /// Identifier on the command line and in files.
    pub id: &'static str,
    /// Name on the screen.
    pub name: &'static str,
    /// Short name for a button.
    pub short_name: &'static str,
    /// Digit key that chooses it, if it stands in the first row.
    pub key: Option<u8>,
    /// One sentence for the room: what this loss does.
    pub summary: &'static str,
    /// The loss and its target logit, in the letters of the papers.
    pub formula: Formula,
    /// Paper and equation.
    pub source: &'static str,
    /// How logits come about.
    pub form: Form,
    /// ψ and −ψ', read by angular forms only.
    pub target: TargetFns,
    /// A term on the features beside the cross entropy.
    pub penalty: Option<PenaltyFns>,
    /// Parameters, each with its unit, range and default.
    pub params: &'static [Param],
    /// Angles in (0, π) where ψ or its slope jumps, for these values.
    pub jumps_rad: fn(&Values<f64>) -> Vec<f64>,
}

/// How the logits are built from features x and class weights W (`losses.md` 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One logit z = w·x + b for two classes.
    Binary,
    /// z_j = W_j·x + b_j.
    Linear,
    /// z_j = ρ cosθ_j for the others, z_y = ρ ψ(θ_y) for the target.
    Angular(Rho),
}

/// The factor ρ of an angular form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rho {
    /// ρ = ‖W_j‖‖x‖: neither features nor weights are normalized.
    WeightAndFeatureNorm,
    /// ρ = ‖x‖: weights are normalized.
    FeatureNorm,
    /// ρ = s: both are normalized (a cosine head). The scale is the parameter called `scale`.
    Scale,
}

impl Form {
    /// Whether the plain score of a class is W_j·x + b_j with a bias.
    pub fn has_bias(self) -> bool {
        matches!(self, Self::Binary | Self::Linear)
    }

    /// Whether class weights count by direction alone.
    pub fn has_unit_weights(self) -> bool {
        matches!(self, Self::Angular(Rho::FeatureNorm | Rho::Scale))
    }

    /// Whether features count by direction alone, too (ρ = s).
    pub fn is_cosine(self) -> bool {
        self == Self::Angular(Rho::Scale)
    }

    /// Whether the target logit differs from the plain score.
    pub fn is_angular(self) -> bool {
        matches!(self, Self::Angular(_))
    }
}

/// The angle between a feature and the weight of its class, in the parts that are exact.
#[derive(Clone, Copy, Debug)]
pub struct TargetAngle<T> {
    /// cosθ_y
    pub cos: T,
    /// sinθ_y ≥ 0
    pub sin: T,
}

impl<T: Real> TargetAngle<T> {
    /// From an angle in [0, π].
    pub fn from_rad(theta_rad: T) -> Self {
        Self {
            cos: theta_rad.cos(),
            sin: theta_rad.sin(),
        }
    }

    /// θ_y in [0, π], exact to rounding near both ends (atan2, never acos).
    pub fn theta_rad(self) -> T {
        self.sin.atan2(self.cos)
    }
}

/// Target logit before the factor ρ, with its pull.
#[derive(Clone, Copy, Debug)]
pub struct Psi<T> {
    /// ψ(θ)
    pub value: T,
    /// −ψ'(θ): what draws a feature to its class.
    pub pull: T,
}

/// ψ and −ψ' of target angles, written to a slice as long, for given parameter values.
pub type TargetFn<T> = fn(&[TargetAngle<T>], &Values<T>, &mut [Psi<T>]);

/// The same target function in both precisions.
#[derive(Clone, Copy, Debug)]
pub struct TargetFns {
    pub(in crate::loss) f32: TargetFn<f32>,
    pub(in crate::loss) f64: TargetFn<f64>,
}

impl TargetFns {
    /// ψ(θ) for drawing and for boundaries.
    pub fn psi(&self, theta_rad: f64, values: &Values<f64>) -> f64 {
        self.at(theta_rad, values).value
    }

    /// −ψ'(θ).
    pub fn pull(&self, theta_rad: f64, values: &Values<f64>) -> f64 {
        self.at(theta_rad, values).pull
    }

    fn at(&self, theta_rad: f64, values: &Values<f64>) -> Psi<f64> {
        let mut psi = [Psi {
            value: 0.0,
            pull: 0.0,
        }];
        (self.f64)(&[TargetAngle::from_rad(theta_rad)], values, &mut psi);
        psi[0]
    }
}

/// What a penalty reads, for one sample.
#[derive(Clone, Copy, Debug)]
pub struct PenaltyInput<'a, T> {
    /// x `[dim]`
    pub feature: &'a [T],
    /// c_y `[dim]`
    pub center: &'a [T],
}

/// A term on one sample's feature: returns its value and adds `weight`·gradient to the last argument.
pub type PenaltyFn<T> = fn(PenaltyInput<'_, T>, &Values<T>, weight: T, grad_feature: &mut [T]) -> T;

/// The same penalty in both precisions.
#[derive(Clone, Copy, Debug)]
pub struct PenaltyFns {
    pub(in crate::loss) f32: PenaltyFn<f32>,
    pub(in crate::loss) f64: PenaltyFn<f64>,
}

/// Makes a function of one angle the target function of a loss. What it computes of the values
/// alone is computed once for all angles.
macro_rules! target {
    ($function:path) => {{
        fn all<T: crate::loss::Real>(
            angles: &[crate::loss::spec::TargetAngle<T>],
            values: &crate::loss::Values<T>,
            psi: &mut [crate::loss::spec::Psi<T>],
        ) {
            for (psi, &angle) in psi.iter_mut().zip(angles) {
                *psi = $function(angle, values);
            }
        }
        crate::loss::spec::TargetFns { f32: all, f64: all }
    }};
}
pub(in crate::loss) use target;

/// ψ = cosθ: the plain cosine of the forms without margin.
pub(in crate::loss) fn cosine<T: Real>(angle: TargetAngle<T>, _: &Values<T>) -> Psi<T> {
    Psi {
        value: angle.cos,
        pull: angle.sin,
    }
}

/// For losses whose ψ is smooth on (0, π).
pub(in crate::loss) fn smooth(_: &Values<f64>) -> Vec<f64> {
    Vec::new()
}

/// What a parameter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A pure number.
    None,
    /// An angle in radians.
    Radians,
    /// A difference of cosines.
    Cosine,
    /// A factor on the angle.
    Factor,
}

impl Unit {
    /// As it stands behind a value.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Radians => "rad",
            Self::Cosine => "cos",
            Self::Factor => "×",
        }
    }
}

/// How the value in force follows from the value that was set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Course {
    /// It is in force at once.
    Constant,
    /// It rises linearly from 0 over the ramp after the loss was chosen (additive margins).
    Ramp,
    /// max(value, base/(1 + rate·steps since the loss was chosen)) (`losses.md` 9).
    Anneal {
        /// λ at the start.
        base: f64,
        /// γ, per step.
        rate: f64,
    },
}

/// Whether λ falls to the value that was set, or is there at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Annealing {
    /// From 1000, as it was published.
    #[default]
    Published,
    /// At once, where the loss hardly trains.
    None,
}

impl Annealing {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Published, Self::None];

    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::None => "none",
        }
    }
}

/// The published annealing of SphereFace and L-Softmax.
pub const ANNEAL: Course = Course::Anneal {
    base: 1000.0,
    rate: 0.12,
};

/// What defaults and ceilings depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// C
    pub n_classes: usize,
    /// d
    pub dim: usize,
}

impl Setting {
    /// Largest possible least angle between the class weights (circle 2π/C, Tammes, simplex).
    pub fn best_angle_rad(self) -> f64 {
        regular::largest_min_angle_rad(self.n_classes, self.dim).angle_rad
    }
}

/// One parameter of a loss. Controls, options, checks and help come from this.
#[derive(Debug)]
pub struct Param {
    /// Field name under `loss.`.
    pub id: &'static str,
    /// Letter in the formula.
    pub symbol: &'static str,
    /// Key in reference vectors (`m`, `s`, `lambda`, `m1` …).
    pub vector_key: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Values that a run accepts.
    pub range: RangeInclusive<f64>,
    /// Values that the slider spans.
    pub slider: RangeInclusive<f64>,
    /// Why the range ends where it does, for the error message.
    pub why: &'static str,
    /// Whether only whole numbers have a meaning.
    pub is_integer: bool,
    /// Names of the values 0, 1, 2 … where the parameter is a choice; empty for a number.
    pub choices: &'static [&'static str],
    /// Program default.
    pub default: fn(Setting) -> f64,
    /// Value in force over time.
    pub course: Course,
    /// Largest feasible value, given the best least weight angle α in radians and the other values.
    pub ceiling: Option<fn(f64, &Values<f64>) -> f64>,
}

/// A number to four decimals, without trailing zeros.
pub fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number that moves to three digits, as far as they are behind the point: 20.4 for 20.408.
pub fn brief(value: f64) -> String {
    let decimals = 2.0 - value.abs().max(1.0).log10().floor();
    let unit = 10f64.powf(decimals.max(0.0));
    short((value * unit).round() / unit)
}

impl Param {
    /// A value as it stands in a file: a number, or the name of a choice.
    pub fn text(&self, value: f64) -> String {
        match self.choices.get(value as usize) {
            Some(name) => (*name).to_owned(),
            None => value.to_string(),
        }
    }
}

impl LossSpec {
    /// Index of the parameter with this id.
    pub fn param_index(&self, id: &str) -> Option<usize> {
        self.params.iter().position(|p| p.id == id)
    }

    /// Program defaults for this many classes in this many dimensions.
    pub fn defaults(&self, setting: Setting) -> Values<f64> {
        let mut values = [0.0; MAX_PARAMS];
        for (value, param) in values.iter_mut().zip(self.params) {
            *value = (param.default)(setting);
        }
        values
    }

    /// The values in force `steps_since_choice` steps after the loss was chosen.
    ///
    /// Additive margins rise over `ramp_steps` steps; λ anneals down to what was set.
    pub fn in_force(
        &self,
        set: &Values<f64>,
        steps_since_choice: u64,
        ramp_steps: u64,
        annealing: Annealing,
    ) -> Values<f64> {
        let mut values = *set;
        for (value, param) in values.iter_mut().zip(self.params) {
            match param.course {
                Course::Ramp if steps_since_choice < ramp_steps => {
                    *value *= steps_since_choice as f64 / ramp_steps as f64;
                }
                Course::Constant | Course::Ramp => {}
                Course::Anneal { .. } if annealing == Annealing::None => {}
                Course::Anneal { base, rate } => {
                    *value = value.max(base / (1.0 + rate * steps_since_choice as f64));
                }
            }
        }
        values
    }

    /// The scale s of a cosine head, 1 for the others.
    pub fn scale(&self, values: &Values<f64>) -> f64 {
        self.param_index("scale").map_or(1.0, |i| values[i])
    }

    /// Largest feasible value of parameter `index` (`losses.md` 5.2), if it has one.
    pub fn ceiling(&self, index: usize, setting: Setting, values: &Values<f64>) -> Option<f64> {
        let ceiling = self.params.get(index)?.ceiling?;
        Some(ceiling(setting.best_angle_rad(), values))
    }

    /// The ceiling of parameter `index`, if its value lies past it by more than rounding.
    pub fn passed_ceiling(
        &self,
        index: usize,
        setting: Setting,
        values: &Values<f64>,
    ) -> Option<f64> {
        const ROUNDING: f64 = 1e-6;
        let ceiling = self.ceiling(index, setting, values)?;
        (values[index] > ceiling * (1.0 + ROUNDING)).then_some(ceiling)
    }
}

/// A default that stays well below its ceiling: at most three fifths of it, so that the margin is
/// seen to work before it is seen to break.
pub(in crate::loss) fn below_ceiling(default: f64, ceiling: f64) -> f64 {
    let highest = 0.6 * ceiling;
    if default <= highest {
        default
    } else {
        (highest * 1000.0).floor() / 1000.0
    }
}

/// The scale s of cosine heads, shared by their files.
pub(in crate::loss) const SCALE: Param = Param {
    id: "scale",
    symbol: "s",
    vector_key: "s",
    help: "Length given to every feature: how sharply the softmax tells cosines apart.",
    unit: Unit::None,
    range: 0.01..=1024.0,
    slider: 1.0..=64.0,
    why: "a scale of 0 or less would make all logits equal or turn them round",
    is_integer: false,
    choices: &[],
    default: default_scale,
    course: Course::Constant,
    ceiling: None,
};

/// The scale with which `n_classes` evenly around a circle reach a probability of 0.99, rounded up
/// (`losses.md` 5.5, its approximation).
pub fn enough_scale_on_circle(n_classes: usize) -> f64 {
    const ODDS: f64 = 99.0;
    let angle_rad = std::f64::consts::TAU / n_classes.max(2) as f64;
    ((2.0 * ODDS).ln() / (1.0 - angle_rad.cos())).ceil()
}

/// 16 up to ten classes (measured, `losses.md` 10); beyond, the least scale with which the best
/// arrangement reaches a target probability of 0.9 (`losses.md` 5.5, both approximations).
fn default_scale(setting: Setting) -> f64 {
    const NEIGHBORS_ON_CIRCLE: f64 = 2.0;
    const NEIGHBORS_ON_SPHERE: f64 = 4.0;
    if setting.n_classes <= 10 {
        return 16.0;
    }
    let neighbors = if setting.dim <= 2 {
        NEIGHBORS_ON_CIRCLE
    } else {
        NEIGHBORS_ON_SPHERE
    };
    let least = (neighbors * 9.0).ln() / (1.0 - setting.best_angle_rad().cos());
    least.ceil().clamp(16.0, 256.0)
}
