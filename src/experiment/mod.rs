//! What a run is: data, network, loss, optimizer, seed. One description for window, file, command
//! line, lesson and test.
//!
//! An [`Experiment`] is changed field by field through [`Experiment::set`], whoever changes it:
//! the table in `schema.rs` names every field, its checks and its message. A file is a list of
//! such settings (`file.rs`), and so is a command line.

mod changes;
mod difference;
mod error;
mod file;
mod list;
mod placement;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

pub use changes::Changes;
pub use difference::{Difference, differences};
pub use error::ExperimentError;
pub use file::FileError;
pub use list::{ListError, listed};
pub use placement::{Placed, Placement};
pub use schema::{DEFAULT, Field, MAX_STEPS, fields, full_key, is_live};

use serde::{Deserialize, Serialize};

use crate::data::{DataSpec, InputShape};
use crate::loss;
use crate::loss::{Annealing, LossSpec, MAX_PARAMS, Param, Setting, Values};
use crate::network::{Activation, NetworkKind};

/// The description of a run. [`Experiment::validate`] holds between its parts what
/// [`Experiment::set`] cannot see in one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// What is trained on.
    pub data: DataSpec,
    /// What maps inputs to features.
    pub network: NetworkConfig,
    /// What is minimized.
    pub loss: LossConfig,
    /// How it is minimized.
    pub optimizer: OptimizerConfig,
    /// Seed, length and what was changed on the way.
    pub run: RunConfig,
    /// What is held in its place.
    pub hold: HoldConfig,
    /// What is looked at.
    pub view: ViewConfig,
}

/// What is held in its place while everything else is trained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldConfig {
    /// Classes whose weights are not trained.
    pub pinned: BTreeSet<usize>,
}

/// Network and embedding dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkConfig {
    /// CNN, MLP or free embeddings; `None` chooses what fits the data.
    pub kind: Option<NetworkKind>,
    /// d
    pub dim: usize,
    /// What stands between layers.
    pub activation: Activation,
}

/// A loss with those of its values that were set; the others follow from classes and dimension.
#[derive(Clone, Debug)]
pub struct LossConfig {
    /// Which loss.
    pub spec: &'static LossSpec,
    /// Values that were set by hand, by parameter id.
    pub set: BTreeMap<&'static str, f64>,
    /// Steps over which an additive margin rises to its value.
    pub ramp_steps: u64,
    /// Whether λ of SphereFace and L-Softmax falls to its value or is there at once.
    pub annealing: Annealing,
    /// Where class weights start.
    pub init: WeightInit,
}

impl PartialEq for LossConfig {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            spec,
            set,
            ramp_steps,
            annealing,
            init,
        } = self;
        spec.id == other.spec.id
            && *set == other.set
            && *ramp_steps == other.ramp_steps
            && *annealing == other.annealing
            && *init == other.init
    }
}

/// Steps over which an additive margin rises where nothing else was chosen.
const DEFAULT_RAMP_STEPS: u64 = 300;

/// Steps of a headless run on few samples where no length was chosen.
const SHORTEST_RUN: u64 = 2000;

/// Where class weights start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightInit {
    /// On the regular configuration for cosine heads, at random for the others and for free
    /// embeddings (`losses.md` 9).
    #[default]
    Auto,
    /// On the regular configuration: evenly on the circle, Tammes points on the sphere.
    Regular,
    /// From a normal distribution, where cosine heads collapse for two seeds in five.
    Random,
}

/// Optimizer and its schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerConfig {
    /// SGD with momentum, or Adam.
    pub kind: OptimizerKind,
    /// Highest rate; `None` is 0.05 for SGD and 0.001 for Adam.
    pub learning_rate: Option<f64>,
    /// μ of SGD.
    pub momentum: f64,
    /// Added to the gradient as `weight_decay`·w.
    pub weight_decay: f64,
    /// Samples a step; `None` is 128, and all (up to 4,096) for free embeddings.
    pub batch: Option<usize>,
    /// Largest global norm of the gradient; 0 switches clipping off.
    pub clip: f64,
    /// Steps over which the rate rises at the start; `None` is 300 for cosine heads and 100 for
    /// the others.
    pub warmup_steps: Option<u64>,
    /// How the rate falls.
    pub schedule: ScheduleKind,
    /// Steps after which it has fallen; `None` is the length of the run. A run that went on beyond
    /// the end that it was begun with has another.
    pub horizon_steps: Option<u64>,
}

/// Which update rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// v ← μv + g, w ← w − ηv.
    #[default]
    Sgd,
    /// Kingma & Ba 2015, arXiv 1412.6980, algorithm 1.
    Adam,
}

impl OptimizerKind {
    /// Highest learning rate where none was chosen.
    pub fn default_learning_rate(self) -> f64 {
        match self {
            Self::Sgd => 0.05,
            Self::Adam => 0.001,
        }
    }
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScheduleKind {
    /// Half a cosine: to 0 at the end of a run with an end, to a floor in the window.
    #[default]
    Cosine,
    /// It stays.
    Constant,
}

/// How long a headless run lasts, and where the window pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Passes over the training set.
    Epochs(u64),
    /// Steps.
    Steps(u64),
}

/// Seed, length, changes in mid-run.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RunConfig {
    /// Everything random follows from it.
    pub seed: u64,
    /// Length of a headless run, and where the window pauses; `None` is 3 epochs of MNIST, 2,000
    /// steps of synthetic sets, the longer of both for own data, and no pause in the window.
    pub length: Option<Length>,
    /// What was changed, and when.
    pub changes: Changes,
}

/// A setting made while a run was under way: in force from `step` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Number of steps done when it was made.
    pub step: u64,
    /// Full key of the field, `loss.margin`.
    pub key: String,
    /// Its new value, as in a file.
    pub value: String,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ViewConfig {
    /// `None` shows the view that suits loss and dimension.
    pub kind: Option<ViewKind>,
}

/// The ways to look at a feature space, and at what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewKind {
    /// Raw 2-D features.
    Plane,
    /// Normalized 2-D features.
    Circle,
    /// Normalized 3-D features.
    Sphere,
    /// Two-dimensional inputs, with the regions that network and head give them.
    Input,
}

impl ViewKind {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 4] = [Self::Plane, Self::Circle, Self::Sphere, Self::Input];

    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Plane => "plane",
            Self::Circle => "circle",
            Self::Sphere => "sphere",
            Self::Input => "input",
        }
    }
}

impl Default for Experiment {
    /// MNIST, CNN, 2-D, softmax, SGD: what the window starts with.
    fn default() -> Self {
        Self {
            data: DataSpec::default(),
            network: NetworkConfig {
                kind: None,
                dim: 2,
                activation: Activation::Prelu,
            },
            loss: LossConfig::new(default_loss()),
            optimizer: OptimizerConfig::default(),
            run: RunConfig {
                seed: 1,
                ..RunConfig::default()
            },
            hold: HoldConfig::default(),
            view: ViewConfig::default(),
        }
    }
}

fn default_loss() -> &'static LossSpec {
    loss::find("softmax").unwrap_or(loss::LOSSES[0])
}

impl LossConfig {
    /// A loss with its defaults.
    pub fn new(spec: &'static LossSpec) -> Self {
        Self {
            spec,
            set: BTreeMap::new(),
            ramp_steps: DEFAULT_RAMP_STEPS,
            annealing: Annealing::default(),
            init: WeightInit::Auto,
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Sgd,
            learning_rate: None,
            momentum: 0.9,
            weight_decay: 5e-4,
            batch: None,
            clip: 5.0,
            warmup_steps: None,
            schedule: ScheduleKind::Cosine,
            horizon_steps: None,
        }
    }
}

impl Experiment {
    /// Number of classes; 0 while the choice of classes is not valid.
    pub fn n_classes(&self) -> usize {
        self.data.class_ids().map_or(0, |ids| ids.len())
    }

    /// What defaults and ceilings of the loss depend on.
    pub fn setting(&self) -> Setting {
        Setting {
            n_classes: self.n_classes().max(2),
            dim: self.network.dim,
        }
    }

    /// The value of a parameter of the loss that was not set.
    ///
    /// A network that maps the plane to the circle has no more scale than its classes need: with
    /// more, samples that lie between two wrong weights get no pull to their own, and since no
    /// gradient of a cosine head points through the center, they stay there (`losses.md` 4, the
    /// second trap). Measured on rings and spirals with the gains of [`network::Gain::POINTS`],
    /// seeds 1 to 12, `NormFace`, `CosFace`, `ArcFace`, combined: 79 of 96 runs learn all classes
    /// at s = 16, and 159 of 160 (seeds 1 to 20) at s = 4.
    ///
    /// [`network::Gain::POINTS`]: crate::network::Gain::POINTS
    pub fn default_value(&self, param: &Param) -> f64 {
        let setting = self.setting();
        let default = (param.default)(setting);
        if param.id == "scale" && setting.dim == 2 && self.has_input_plane() {
            return default.min(loss::enough_scale_on_circle(setting.n_classes));
        }
        default
    }

    /// The loss's values: those that were set, defaults for the others.
    pub fn loss_values(&self) -> Values<f64> {
        let mut values = [0.0; MAX_PARAMS];
        for (value, param) in values.iter_mut().zip(self.loss.spec.params) {
            let set = self.loss.set.get(param.id).copied();
            *value = set.unwrap_or_else(|| self.default_value(param));
        }
        values
    }

    /// The network: the one that was chosen, or the one that suits the data.
    pub fn network_kind(&self) -> NetworkKind {
        self.network
            .kind
            .clone()
            .unwrap_or(match self.data.input_shape() {
                _ if self.is_given() => NetworkKind::None,
                Some(InputShape::Image { .. }) => NetworkKind::Cnn,
                Some(InputShape::Vector { .. }) | None => NetworkKind::Mlp(vec![64, 64]),
                Some(InputShape::None) => NetworkKind::None,
            })
    }

    /// Whether features are the parameters themselves.
    pub fn is_free(&self) -> bool {
        self.network_kind() == NetworkKind::None && !self.is_given()
    }

    /// Whether features come from a file and are looked at: nothing is trained.
    pub fn is_given(&self) -> bool {
        self.data.source.is_given()
    }

    /// Whether class weights start on the regular configuration.
    pub fn starts_regular(&self) -> bool {
        match self.loss.init {
            WeightInit::Auto => self.loss.spec.form.is_cosine() && !self.is_free(),
            WeightInit::Regular => true,
            WeightInit::Random => false,
        }
    }

    /// Highest learning rate.
    pub fn learning_rate(&self) -> f64 {
        let default = self.optimizer.kind.default_learning_rate();
        self.optimizer.learning_rate.unwrap_or(default)
    }

    /// Steps over which the rate rises at the start.
    ///
    /// Cosine heads get longer: in 2-D a fast start throws features out to lengths of 400 before
    /// the classes have found their places, and what is that long hardly turns. Measured on MNIST
    /// in 2-D (`NormFace`, seed 2): 94.4% test accuracy with 100 steps, 95.0% with 200, 96.0% with 400.
    pub fn warmup_steps(&self) -> u64 {
        let default = if self.loss.spec.form.is_cosine() {
            300
        } else {
            100
        };
        self.optimizer.warmup_steps.unwrap_or(default)
    }

    /// Samples a step, of `n_samples` there are.
    pub fn batch(&self, n_samples: usize) -> usize {
        const LARGEST_FREE_BATCH: usize = 4096;
        let default = if self.is_free() {
            LARGEST_FREE_BATCH
        } else {
            128
        };
        self.optimizer
            .batch
            .unwrap_or(default)
            .clamp(1, n_samples.max(1))
    }

    /// Steps of a headless run over `n_samples` training samples; incomplete batches are left out.
    pub fn n_steps(&self, n_samples: usize) -> u64 {
        let per_epoch = (n_samples / self.batch(n_samples)).max(1) as u64;
        match self.run.length {
            Some(Length::Steps(steps)) => steps,
            None if self.is_given() => 0,
            Some(Length::Epochs(epochs)) => epochs.saturating_mul(per_epoch),
            None if self.is_free() || self.has_input_plane() => SHORTEST_RUN,
            // Three epochs of a table of a hundred rows are three steps.
            None if self.data.source.path().is_some() => SHORTEST_RUN.max(3 * per_epoch),
            None => 3 * per_epoch,
        }
    }

    /// The view that was chosen, or the one that suits loss and dimension.
    pub fn view_kind(&self) -> ViewKind {
        let suits = |kind: &ViewKind| match kind {
            ViewKind::Plane | ViewKind::Circle => self.network.dim == 2,
            ViewKind::Sphere => self.network.dim != 2,
            ViewKind::Input => self.has_input_plane(),
        };
        self.view
            .kind
            .filter(suits)
            .unwrap_or(if self.network.dim != 2 {
                ViewKind::Sphere
            } else if self.loss.spec.form.is_cosine() {
                ViewKind::Circle
            } else {
                ViewKind::Plane
            })
    }

    /// Whether inputs are points of a plane that a network reads.
    pub fn has_input_plane(&self) -> bool {
        self.data.input_shape() == Some(InputShape::Vector { dim: 2 })
            && self.network_kind() != NetworkKind::None
    }

    /// The experiment after all changes made on its way.
    #[must_use]
    pub fn now(&self) -> Self {
        self.after(self.run.changes.len())
    }

    /// The experiment after the first `n` of its changes, which it keeps. One that does not fit is
    /// left out, as in a run.
    #[must_use]
    pub fn after(&self, n: usize) -> Self {
        let mut now = self.clone();
        now.run.changes = self.run.changes.first(n);
        for change in self.run.changes.iter().take(n) {
            let mut next = now.clone();
            if next.set(&change.key, &change.value).is_ok() {
                now = next;
            }
        }
        now
    }

    /// Checks what concerns more than one field.
    ///
    /// # Errors
    /// One line that names the fields at odds and a way out.
    pub fn validate(&self) -> Result<(), ExperimentError> {
        let conflict = |message: String| Err(ExperimentError::Conflict { message });
        let n_classes = match self.data.class_ids() {
            Ok(ids) => ids.len(),
            Err(error) => return conflict(error.to_string()),
        };
        let spec = self.loss.spec;
        if spec.form == loss::Form::Binary && n_classes != 2 {
            return conflict(format!(
                "loss \"{}\" has one logit for two classes, but there are {n_classes}; choose two classes such as 3,8, or loss \"softmax\"",
                spec.id
            ));
        }
        if let Some(class) = self.hold.pinned.iter().find(|&&class| class >= n_classes) {
            return conflict(format!(
                "hold.pinned = {class}: there are {n_classes} classes, from 0 to {}",
                n_classes - 1
            ));
        }
        if let Some(message) = self.given_conflict() {
            return conflict(message);
        }
        let (data, kind) = (self.data.source.id(), self.network_kind());
        let shape = self.data.input_shape().unwrap_or(InputShape::None);
        match (shape, &kind) {
            (InputShape::Image { .. }, _)
            | (InputShape::Vector { .. }, NetworkKind::Mlp(_) | NetworkKind::None)
            | (InputShape::None, NetworkKind::None) => Ok(()),
            (InputShape::Vector { dim }, NetworkKind::Cnn) => {
                let what = match dim {
                    2 => "points in the plane".to_owned(),
                    _ => format!("vectors of {dim}"),
                };
                conflict(format!(
                    "network \"cnn\" needs images, but data \"{data}\" has {what}; use mlp:64,64 or none"
                ))
            }
            (InputShape::None, _) => conflict(format!(
                "data \"{data}\" has no inputs for network \"{kind}\"; use network \"none\""
            )),
        }
    }

    /// The dimensions in which features of `dim` numbers are seen: 2 or 3, and all.
    pub fn dims_of_given(dim: usize) -> Vec<usize> {
        let fewer = [2, 3].into_iter().filter(|&fewer| fewer < dim);
        let all = (dim <= schema::MAX_DIM).then_some(dim);
        fewer.chain(all).collect()
    }

    /// What features that are looked at do not go together with.
    fn given_conflict(&self) -> Option<String> {
        let given = self.data.given()?;
        let (data, dim) = (self.data.source.id(), given.dim());
        let kind = self.network_kind();
        if kind != NetworkKind::None {
            return Some(format!(
                "network \"{kind}\" is of no use for data.features: {data} has features already; use \"none\", or train on it with data.source"
            ));
        }
        if self.run.length.is_some_and(|length| !length.is_none()) {
            let why = "nothing is trained; leave out steps and epochs";
            return Some(format!("{data} is looked at as it is: {why}"));
        }
        if self.loss.spec.form.has_unit_weights()
            && let Some(class) = given.class_without_direction(&self.data.class_ids().ok()?)
        {
            return Some(format!(
                "the class weight of {:?}, row {class} of those of {data}, is zero and has no direction, which loss \"{}\" needs; leave the class out, or choose loss \"softmax\"",
                given.class_names()[class],
                self.loss.spec.id
            ));
        }
        if Self::dims_of_given(dim).contains(&self.network.dim) {
            return None;
        }
        let those = match dim {
            2 => "2 dimensions".to_owned(),
            3 => "2 dimensions (PCA) or 3".to_owned(),
            _ if dim > schema::MAX_DIM => "2 or 3 dimensions (PCA)".to_owned(),
            _ => format!("2 or 3 dimensions (PCA), or in all {dim}"),
        };
        Some(format!(
            "network.dim = {}: {data} has features of {dim} numbers, which are seen in {those}",
            self.network.dim
        ))
    }
}

impl Length {
    /// Whether there is no step to make.
    fn is_none(self) -> bool {
        matches!(self, Self::Epochs(0) | Self::Steps(0))
    }
}
