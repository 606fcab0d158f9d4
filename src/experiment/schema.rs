//! The table of fields: key, what it expects, how it is set and read back.
//!
//! A field's value is text, the same in a file, in `--set` and in a recorded change.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::data::{
    ClassChoice, DataSource, MAX_NOISE, MAX_SAMPLES, MAX_TEST_SHARE, Scaling, TestPart,
};
use crate::experiment::{
    DEFAULT_RAMP_STEPS, Experiment, ExperimentError, Length, LossConfig, OptimizerConfig,
    OptimizerKind, Placement, ScheduleKind, ViewKind, WeightInit,
};
use crate::loss;
use crate::loss::{Annealing, LossSpec, Param, Unit};
use crate::network::{Activation, WIDEST_LAYER};

/// Largest embedding dimension.
pub(super) const MAX_DIM: usize = 512;
/// Largest batch: all samples there can be.
const MAX_BATCH: usize = MAX_SAMPLES;
/// Most steps of a ramp or a warm-up, and most epochs: more than anybody waits for.
const MAX_COUNT: u64 = 1_000_000;
/// Most steps of a run.
pub const MAX_STEPS: u64 = 1_000_000_000;
/// Highest learning rate, far beyond any that trains: that a run diverges is worth seeing.
const MAX_LEARNING_RATE: f64 = 100.0;
/// Most momentum: at 1 nothing would ever slow down.
const MAX_MOMENTUM: f64 = 0.999;
/// Largest norm to clip at, where nothing is clipped any more.
const MAX_CLIP: f64 = 1e6;
/// Largest seed: what an integer of TOML holds.
const MAX_SEED: u64 = i64::MAX as u64;

/// The value that leaves a field to its default, also one that follows from others.
pub const DEFAULT: &str = "default";

/// What a field says to a value that it does not take: what it expects.
type Refusal = String;

/// One field of the experiment, beside the parameters of the loss.
#[derive(Debug)]
pub struct Field {
    /// Full key, `optimizer.batch`.
    pub key: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Whether it changes during a run; the others start a new one.
    pub is_live: bool,
    set: fn(&mut Experiment, &str) -> Result<(), Refusal>,
    /// Leaves it to its default; none where it always has a value, or any text is one.
    unset: Option<fn(&mut Experiment)>,
    get: fn(&Experiment) -> Option<String>,
}

impl Field {
    pub(super) fn short_key(&self) -> &'static str {
        self.key
            .split_once('.')
            .map_or(self.key, |(_, short)| short)
    }
}

/// All fields but the parameters of the loss, in the order of a file.
pub fn fields() -> &'static [Field] {
    FIELDS
}

/// Whether a change of the field with this full key leaves the run going.
pub fn is_live(key: &str) -> bool {
    FIELDS
        .iter()
        .find(|field| field.key == key)
        .is_none_or(|field| field.is_live)
}

static FIELDS: &[Field] = &[
    Field {
        key: "data.source",
        help: "mnist, blobs, rings, spiral, free, or a path: CSV, NPY, NPZ, IDX, folder.",
        is_live: false,
        set: |e, text| {
            let source = text.parse().map_err(|_unsaid| {
                let names = one_of(DataSource::ALL.iter().map(DataSource::id));
                format!("{names}, or a path such as ./{text} or data.csv")
            })?;
            if e.data.source != source {
                e.data.source = source;
                e.data.forget();
            }
            Ok(())
        },
        unset: None,
        get: |e| (!e.data.source.is_given()).then(|| e.data.source.to_string()),
    },
    Field {
        key: "data.features",
        help: "Features to look at, in the place of data.source: CSV, NPY, NPZ.",
        is_live: false,
        set: |e, text| {
            let source = DataSource::Features(some_text(text, "a path")?.into());
            if e.data.source != source {
                e.data.source = source;
                e.data.forget();
            }
            Ok(())
        },
        unset: None,
        get: |e| e.data.source.is_given().then(|| e.data.source.to_string()),
    },
    Field {
        key: "data.classes",
        help: "How many classes, or which: 10, or 3,8, or setosa,virginica.",
        is_live: false,
        set: |e, text| {
            e.data.classes = text.parse().map_err(|_unsaid| {
                "a number of classes such as 10, or a list such as 3,8 or setosa,virginica"
                    .to_owned()
            })?;
            Ok(())
        },
        unset: Some(|e| e.data.classes = ClassChoice::default()),
        get: |e| {
            unless(
                &ClassChoice::default(),
                &e.data.classes,
                ClassChoice::to_string,
            )
        },
    },
    Field {
        key: "data.samples",
        help: "Training samples of each class.",
        is_live: false,
        set: |e, text| {
            e.data.samples_per_class = Some(whole(text, 1..=MAX_SAMPLES as u64)? as usize);
            Ok(())
        },
        unset: Some(|e| e.data.samples_per_class = None),
        get: |e| e.data.samples_per_class.map(|n| n.to_string()),
    },
    Field {
        key: "data.noise",
        help: "Scatter of a synthetic set, in halves of the gap between classes.",
        is_live: false,
        set: |e, text| {
            e.data.noise = Some(number(text, 0.0..=MAX_NOISE)?);
            Ok(())
        },
        unset: Some(|e| e.data.noise = None),
        get: |e| e.data.noise.map(|x| x.to_string()),
    },
    Field {
        key: "data.label",
        help: "Label column, by name or number (default: label, class, target …).",
        is_live: false,
        set: |e, text| {
            let label = some_text(text, "a column's name or number")?;
            replace(&mut e.data.label, label).then(|| e.data.forget());
            Ok(())
        },
        unset: None,
        get: |e| e.data.label.clone(),
    },
    Field {
        key: "data.labels",
        help: "File of labels of NPY, IDX, features (default: y.npy beside x.npy …).",
        is_live: false,
        set: |e, text| {
            let labels = some_text(text, "a path")?.into();
            replace(&mut e.data.labels, labels).then(|| e.data.forget());
            Ok(())
        },
        unset: None,
        get: |e| path_text(e.data.labels.as_ref()),
    },
    Field {
        key: "data.weights",
        help: "File of class weights of data.features (default: those in its NPZ).",
        is_live: false,
        set: |e, text| {
            let weights = some_text(text, "a path")?.into();
            replace(&mut e.data.weights, weights).then(|| e.data.forget());
            Ok(())
        },
        unset: None,
        get: |e| path_text(e.data.weights.as_ref()),
    },
    Field {
        key: "data.bias",
        help: "File of the class weights' bias (default: that in their NPZ).",
        is_live: false,
        set: |e, text| {
            let bias = some_text(text, "a path")?.into();
            replace(&mut e.data.bias, bias).then(|| e.data.forget());
            Ok(())
        },
        unset: None,
        get: |e| path_text(e.data.bias.as_ref()),
    },
    Field {
        key: "data.test",
        help: "Share of own data to test on, 0 for none (default: 0.2), or a test file.",
        is_live: false,
        set: |e, text| {
            let test = test_part(text)?;
            let is_file = |part: &TestPart| matches!(part, TestPart::File(_));
            let reads = is_file(&test) || e.data.test.as_ref().is_some_and(is_file);
            if replace(&mut e.data.test, test) && reads {
                e.data.forget();
            }
            Ok(())
        },
        unset: None,
        get: |e| {
            e.data.test.as_ref().map(|test| match test {
                TestPart::Share(share) => share.to_string(),
                TestPart::File(path) => path.display().to_string(),
            })
        },
    },
    Field {
        key: "data.scaling",
        help: "Scale of a table's columns: standard, minmax or none.",
        is_live: false,
        set: |e, text| {
            e.data.scaling = Some(choice(text, &Scaling::ALL, Scaling::id)?);
            Ok(())
        },
        unset: Some(|e| e.data.scaling = None),
        get: |e| e.data.scaling.map(|scaling| scaling.id().to_owned()),
    },
    Field {
        key: "data.sha256",
        help: "What own data held in a figure or session: others are refused; any takes them.",
        is_live: false,
        set: |e, text| {
            let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            e.data.sha256 = match text {
                "any" => None,
                _ if text.len() == 64 && text.chars().all(is_digit) => Some(text.to_owned()),
                _ => return Err("64 hexadecimal digits, or any".to_owned()),
            };
            Ok(())
        },
        unset: None,
        get: |e| e.data.sha256.clone(),
    },
    Field {
        key: "network.kind",
        help: "cnn, mlp:256,128 or none (free embeddings).",
        is_live: false,
        set: |e, text| {
            e.network.kind = Some(text.parse().map_err(|_unsaid| {
                format!("cnn, mlp:256,128 (hidden sizes from 1 to {WIDEST_LAYER}) or none")
            })?);
            Ok(())
        },
        unset: Some(|e| e.network.kind = None),
        get: |e| e.network.kind.as_ref().map(ToString::to_string),
    },
    Field {
        key: "network.dim",
        help: "Dimension of the embedding; 2 and 3 are drawn as they are.",
        is_live: false,
        set: |e, text| {
            e.network.dim = whole(text, 1..=MAX_DIM as u64)? as usize;
            Ok(())
        },
        unset: None,
        get: |e| Some(e.network.dim.to_string()),
    },
    Field {
        key: "network.activation",
        help: "prelu, or relu, which confines features to one quadrant.",
        is_live: false,
        set: |e, text| {
            e.network.activation = choice(text, &Activation::ALL, Activation::id)?;
            Ok(())
        },
        unset: Some(|e| e.network.activation = Activation::Prelu),
        get: |e| {
            unless(&Activation::Prelu, &e.network.activation, |a| {
                a.id().to_owned()
            })
        },
    },
    Field {
        key: "loss.id",
        help: "Which loss; `marginscope losses` lists them.",
        is_live: true,
        set: |_, _| Ok(()), // set by `Experiment::set`, which has the typed error
        unset: None,
        get: |e| Some(e.loss.spec.id.to_owned()),
    },
    Field {
        key: "loss.ramp",
        help: "Steps over which an additive margin rises to its value.",
        is_live: true,
        set: |e, text| {
            e.loss.ramp_steps = whole(text, 0..=MAX_COUNT)?;
            Ok(())
        },
        unset: Some(|e| e.loss.ramp_steps = DEFAULT_RAMP_STEPS),
        get: |e| unless(&DEFAULT_RAMP_STEPS, &e.loss.ramp_steps, u64::to_string),
    },
    Field {
        key: "loss.anneal",
        help: "λ of SphereFace and L-Softmax falls as published, or is there at once: none.",
        is_live: true,
        set: |e, text| {
            e.loss.annealing = choice(text, &Annealing::ALL, Annealing::id)?;
            Ok(())
        },
        unset: Some(|e| e.loss.annealing = Annealing::default()),
        get: |e| {
            unless(&Annealing::default(), &e.loss.annealing, |annealing| {
                annealing.id().to_owned()
            })
        },
    },
    Field {
        key: "loss.init",
        help: "Where class weights start: auto, regular or random.",
        is_live: false,
        set: |e, text| {
            e.loss.init = choice(text, &WeightInit::ALL, WeightInit::id)?;
            Ok(())
        },
        unset: Some(|e| e.loss.init = WeightInit::default()),
        get: |e| {
            unless(&WeightInit::default(), &e.loss.init, |init| {
                init.id().to_owned()
            })
        },
    },
    Field {
        key: "optimizer.kind",
        help: "sgd or adam.",
        is_live: true,
        set: |e, text| {
            e.optimizer.kind = choice(text, &OptimizerKind::ALL, OptimizerKind::id)?;
            Ok(())
        },
        unset: Some(|e| e.optimizer.kind = OptimizerKind::default()),
        get: |e| {
            unless(&OptimizerKind::default(), &e.optimizer.kind, |kind| {
                kind.id().to_owned()
            })
        },
    },
    Field {
        key: "optimizer.learning_rate",
        help: "Highest step size.",
        is_live: true,
        set: |e, text| {
            e.optimizer.learning_rate = Some(number(text, 0.0..=MAX_LEARNING_RATE)?);
            Ok(())
        },
        unset: Some(|e| e.optimizer.learning_rate = None),
        get: |e| e.optimizer.learning_rate.map(|x| x.to_string()),
    },
    Field {
        key: "optimizer.momentum",
        help: "Share of the last step that is kept.",
        is_live: true,
        set: |e, text| {
            e.optimizer.momentum = number(text, 0.0..=MAX_MOMENTUM)?;
            Ok(())
        },
        unset: Some(|e| e.optimizer.momentum = OptimizerConfig::default().momentum),
        get: |e| {
            unless(
                &OptimizerConfig::default().momentum,
                &e.optimizer.momentum,
                f64::to_string,
            )
        },
    },
    Field {
        key: "optimizer.weight_decay",
        help: "Pull of every parameter towards 0.",
        is_live: true,
        set: |e, text| {
            e.optimizer.weight_decay = number(text, 0.0..=1.0)?;
            Ok(())
        },
        unset: Some(|e| e.optimizer.weight_decay = OptimizerConfig::default().weight_decay),
        get: |e| {
            unless(
                &OptimizerConfig::default().weight_decay,
                &e.optimizer.weight_decay,
                f64::to_string,
            )
        },
    },
    Field {
        key: "optimizer.batch",
        help: "Samples a step.",
        is_live: true,
        set: |e, text| {
            e.optimizer.batch = Some(whole(text, 1..=MAX_BATCH as u64)? as usize);
            Ok(())
        },
        unset: Some(|e| e.optimizer.batch = None),
        get: |e| e.optimizer.batch.map(|n| n.to_string()),
    },
    Field {
        key: "optimizer.clip",
        help: "Largest norm of the whole gradient; 0 switches clipping off.",
        is_live: true,
        set: |e, text| {
            e.optimizer.clip = number(text, 0.0..=MAX_CLIP)?;
            Ok(())
        },
        unset: Some(|e| e.optimizer.clip = OptimizerConfig::default().clip),
        get: |e| {
            unless(
                &OptimizerConfig::default().clip,
                &e.optimizer.clip,
                f64::to_string,
            )
        },
    },
    Field {
        key: "optimizer.warmup",
        help: "Steps over which the learning rate rises at the start.",
        is_live: true,
        set: |e, text| {
            e.optimizer.warmup_steps = Some(whole(text, 0..=MAX_COUNT)?);
            Ok(())
        },
        unset: Some(|e| e.optimizer.warmup_steps = None),
        get: |e| e.optimizer.warmup_steps.map(|n| n.to_string()),
    },
    Field {
        key: "optimizer.schedule",
        help: "How the learning rate falls: cosine or constant.",
        is_live: true,
        set: |e, text| {
            e.optimizer.schedule = choice(text, &ScheduleKind::ALL, ScheduleKind::id)?;
            Ok(())
        },
        unset: Some(|e| e.optimizer.schedule = ScheduleKind::default()),
        get: |e| {
            unless(&ScheduleKind::default(), &e.optimizer.schedule, |kind| {
                kind.id().to_owned()
            })
        },
    },
    Field {
        key: "optimizer.horizon",
        help: "Steps after which the learning rate has fallen (default: the run's length).",
        is_live: false,
        set: |e, text| {
            e.optimizer.horizon_steps = Some(whole(text, 0..=MAX_STEPS)?);
            Ok(())
        },
        unset: Some(|e| e.optimizer.horizon_steps = None),
        get: |e| e.optimizer.horizon_steps.map(|n| n.to_string()),
    },
    Field {
        key: "run.seed",
        help: "Everything random follows from it.",
        is_live: false,
        set: |e, text| {
            e.run.seed = whole(text, 0..=MAX_SEED)?;
            Ok(())
        },
        unset: None,
        get: |e| Some(e.run.seed.to_string()),
    },
    Field {
        key: "run.epochs",
        help: "Length in passes over the data: `train` ends there, the window pauses.",
        is_live: true,
        set: |e, text| {
            e.run.length = Some(Length::Epochs(whole(text, 1..=MAX_COUNT)?));
            Ok(())
        },
        unset: Some(|e| e.run.length = e.run.length.filter(|n| !matches!(n, Length::Epochs(_)))),
        get: |e| match e.run.length {
            Some(Length::Epochs(n)) => Some(n.to_string()),
            _ => None,
        },
    },
    Field {
        key: "run.steps",
        help: "Length in steps: `train` ends there, the window pauses.",
        is_live: true,
        set: |e, text| {
            e.run.length = Some(Length::Steps(whole(text, 0..=MAX_STEPS)?));
            Ok(())
        },
        unset: Some(|e| e.run.length = e.run.length.filter(|n| !matches!(n, Length::Steps(_)))),
        get: |e| match e.run.length {
            Some(Length::Steps(n)) => Some(n.to_string()),
            _ => None,
        },
    },
    Field {
        key: "hold.pinned",
        help: "Classes whose weights stay where they are, such as 3,8, or none.",
        is_live: true,
        set: |e, text| {
            let classes = text.split(',').map(|class| class.trim().parse().ok());
            let classes = match text {
                "" | "none" => Some(BTreeSet::new()),
                _ => classes.collect(),
            };
            e.hold.pinned = classes.ok_or_else(|| "classes such as 3,8, or none".to_owned())?;
            Ok(())
        },
        unset: Some(|e| e.hold.pinned.clear()),
        get: |e| unless(&BTreeSet::new(), &e.hold.pinned, list_text),
    },
    Field {
        key: "view.kind",
        help: "plane, circle, sphere, or input for data in the plane.",
        is_live: true,
        set: |e, text| {
            e.view.kind = Some(choice(text, &ViewKind::ALL, ViewKind::id)?);
            Ok(())
        },
        unset: Some(|e| e.view.kind = None),
        get: |e| e.view.kind.map(|kind| kind.id().to_owned()),
    },
];

impl WeightInit {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Regular, Self::Random];

    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Regular => "regular",
            Self::Random => "random",
        }
    }
}

impl OptimizerKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Sgd, Self::Adam];

    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Adam => "adam",
        }
    }
}

impl ScheduleKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Cosine, Self::Constant];

    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Constant => "constant",
        }
    }
}

/// The value as text, `None` where it is the default.
fn unless<T: PartialEq>(default: &T, value: &T, text: fn(&T) -> String) -> Option<String> {
    (value != default).then(|| text(value))
}

/// Sets a value; whether that changed it.
fn replace<T: PartialEq>(field: &mut Option<T>, value: T) -> bool {
    let is_new = field.as_ref() != Some(&value);
    *field = Some(value);
    is_new
}

fn list_text(classes: &BTreeSet<usize>) -> String {
    let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
    classes.join(",")
}

fn path_text(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

fn some_text(text: &str, expected: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        Err(expected.to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// A number is a share, all else a path.
fn test_part(text: &str) -> Result<TestPart, Refusal> {
    let share = match text.parse::<f64>() {
        Ok(share) => share,
        Err(_) if !text.is_empty() => return Ok(TestPart::File(text.into())),
        Err(_) => f64::NAN,
    };
    if (0.0..=MAX_TEST_SHARE).contains(&share) {
        Ok(TestPart::Share(share))
    } else {
        Err(format!(
            "a share in 0..={MAX_TEST_SHARE}, or the path of a test file"
        ))
    }
}

fn one_of<'a>(ids: impl Iterator<Item = &'a str>) -> Refusal {
    let ids: Vec<&str> = ids.collect();
    format!("one of {}", ids.join(", "))
}

fn choice<T: Copy>(text: &str, all: &[T], id: fn(T) -> &'static str) -> Result<T, Refusal> {
    let found = all.iter().copied().find(|&value| id(value) == text);
    found.ok_or_else(|| one_of(all.iter().map(|&value| id(value))))
}

fn whole(text: &str, range: RangeInclusive<u64>) -> Result<u64, Refusal> {
    let value = text.parse().ok().filter(|value| range.contains(value));
    value.ok_or_else(|| format!("a whole number in {}..={}", range.start(), range.end()))
}

fn number(text: &str, range: RangeInclusive<f64>) -> Result<f64, Refusal> {
    let value = text.parse().ok().filter(|value| range.contains(value));
    value.ok_or_else(|| format!("a number in {}..={}", range.start(), range.end()))
}

impl Experiment {
    /// Sets one field. `key` is full (`loss.margin`) or short (`margin`); `value` is written as in
    /// a file, without quotes. [`DEFAULT`] leaves a field to its default; fields that need a value
    /// refuse it, and to one whose value may be any text it is a value.
    ///
    /// Choosing another loss drops the values that were set for the one before. A [`Placement`] is
    /// checked, and changes nothing here.
    ///
    /// Returns the full key.
    ///
    /// # Errors
    /// Says what is wrong with this field; nothing is changed then.
    pub fn set(&mut self, key: &str, value: &str) -> Result<String, ExperimentError> {
        let value = value.trim();
        if let Some(placement) = Placement::read(self, key, value) {
            return placement.map(|placement| placement.what.key());
        }
        let full = full_key(key)?;
        if full == "loss.id" {
            let spec = loss::find(value)?;
            if spec.id != self.loss.spec.id {
                self.loss = LossConfig {
                    set: BTreeMap::new(),
                    spec,
                    ..self.loss.clone()
                };
            }
        } else if let Some(field) = FIELDS.iter().find(|field| field.key == full) {
            match field.unset.filter(|_| value == DEFAULT) {
                Some(unset) => unset(self),
                None => (field.set)(self, value).map_err(|expected| ExperimentError::BadValue {
                    key: full.clone(),
                    found: value.to_owned(),
                    expected,
                })?,
            }
        } else {
            self.set_loss_param(full.trim_start_matches("loss."), value)?;
        }
        Ok(full)
    }

    fn set_loss_param(&mut self, id: &str, value: &str) -> Result<(), ExperimentError> {
        let spec = self.loss.spec;
        let Some(param) = spec.params.iter().find(|param| param.id == id) else {
            return Err(ExperimentError::NotAParameter {
                loss: spec.id,
                option: id.to_owned(),
                has: format!("{}; {id} belongs to {}", params_of(spec), owners_of(id)),
            });
        };
        if value == DEFAULT {
            self.loss.set.remove(param.id);
        } else {
            self.loss
                .set
                .insert(param.id, parse_param(spec, param, value)?);
        }
        Ok(())
    }

    /// The value of a field as [`Experiment::set`] takes it; `None` where it was left to its default.
    pub fn get(&self, key: &str) -> Option<String> {
        let full = full_key(key).ok()?;
        if let Some(field) = FIELDS.iter().find(|field| field.key == full) {
            return (field.get)(self);
        }
        let param = self
            .loss
            .spec
            .params
            .iter()
            .find(|p| full == format!("loss.{}", p.id))?;
        self.loss.set.get(param.id).map(|&value| param.text(value))
    }

    /// Every setting that differs from silence, in the order of a file: setting them on
    /// [`Experiment::default`] gives this experiment again (but for the changes in mid-run).
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        for field in FIELDS {
            settings.extend((field.get)(self).map(|value| (field.key.to_owned(), value)));
            if field.key == "loss.id" {
                let set = self.loss.spec.params.iter().filter_map(|param| {
                    let value = self.loss.set.get(param.id)?;
                    Some((format!("loss.{}", param.id), param.text(*value)))
                });
                settings.extend(set);
            }
        }
        settings
    }
}

fn parse_param(spec: &LossSpec, param: &Param, text: &str) -> Result<f64, ExperimentError> {
    let bad_value = |expected: String| ExperimentError::BadValue {
        key: format!("loss.{}", param.id),
        found: text.to_owned(),
        expected,
    };
    if !param.choices.is_empty() {
        let index = param.choices.iter().position(|name| *name == text);
        return index
            .map(|i| i as f64)
            .ok_or_else(|| bad_value(one_of(param.choices.iter().copied())));
    }
    let value: f64 = text
        .parse()
        .map_err(|_unsaid| bad_value(number_of(param.unit).to_owned()))?;
    if !param.range.contains(&value) {
        return Err(ExperimentError::out_of_range(spec.id, param, value));
    }
    if param.is_integer && value.fract() != 0.0 {
        return Err(ExperimentError::not_whole(spec.id, param, value));
    }
    Ok(value)
}

/// What a number counts, where it is often taken for something else.
fn number_of(unit: Unit) -> &'static str {
    match unit {
        Unit::Radians => "a number, in radians",
        _ => "a number",
    }
}

fn params_of(spec: &LossSpec) -> String {
    if spec.params.is_empty() {
        return "it has no parameters".to_owned();
    }
    let ids: Vec<&str> = spec.params.iter().map(|param| param.id).collect();
    format!("it has {}", ids.join(", "))
}

/// The losses that have this parameter.
fn owners_of(id: &str) -> String {
    let owners = loss::LOSSES
        .iter()
        .filter(|spec| spec.param_index(id).is_some());
    owners.map(|spec| spec.id).collect::<Vec<_>>().join(", ")
}

/// Every parameter id of every loss, each once.
fn param_ids() -> Vec<&'static str> {
    let mut ids: Vec<&str> = loss::LOSSES
        .iter()
        .flat_map(|spec| spec.params)
        .map(|param| param.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The full key that a full or short one stands for.
///
/// # Errors
/// If no field or several have this key.
pub fn full_key(key: &str) -> Result<String, ExperimentError> {
    if let Some(field) = FIELDS.iter().find(|field| field.key == key) {
        return Ok(field.key.to_owned());
    }
    // As the options are called.
    for (option, full) in [
        ("loss", "loss.id"),
        ("data", "data.source"),
        ("network", "network.kind"),
    ] {
        if key == option {
            return Ok(full.to_owned());
        }
    }
    let param_ids = param_ids();
    let bare = key.strip_prefix("loss.").unwrap_or(key);
    if param_ids.contains(&bare) {
        return Ok(format!("loss.{bare}"));
    }
    let mut matches = FIELDS.iter().filter(|field| field.short_key() == key);
    match (matches.next(), matches.next()) {
        (Some(field), None) => Ok(field.key.to_owned()),
        (Some(a), Some(b)) => Err(ExperimentError::UnknownField {
            key: key.to_owned(),
            hint: format!("; it could be {} or {}", a.key, b.key),
        }),
        _ => Err(unknown_field(key, &param_ids)),
    }
}

fn unknown_field(key: &str, param_ids: &[&str]) -> ExperimentError {
    let keys = FIELDS.iter().map(|field| field.key.to_owned());
    let params = param_ids.iter().map(|id| format!("loss.{id}"));
    let full: Vec<String> = keys.chain(params).collect();
    let section = key.split('.').next().filter(|s| sections().contains(s));
    ExperimentError::UnknownField {
        key: key.to_owned(),
        hint: match section {
            Some(section) => hint_in_section(key, section, &full),
            None => hint(key, &full),
        },
    }
}

/// Where the section is right, what follows it decides, not what all its fields begin with.
fn hint_in_section(key: &str, section: &str, full: &[String]) -> String {
    let short = |full| -> Option<&str> { str::strip_prefix(full, section)?.strip_prefix('.') };
    let fields = full.iter().filter_map(|full| short(full));
    match loss::nearest(short(key).unwrap_or_default(), fields.clone()) {
        Some(near) => format!("; did you mean \"{section}.{near}\"?"),
        None => format!(
            "; section {section} has {}",
            fields.collect::<Vec<_>>().join(", ")
        ),
    }
}

fn hint(key: &str, full: &[String]) -> String {
    let short = full.iter().filter_map(|full| full.split_once('.'));
    let candidates = full
        .iter()
        .map(String::as_str)
        .chain(short.map(|(_, short)| short));
    match loss::nearest(key, candidates) {
        Some(near) => format!("; did you mean \"{near}\"?"),
        None => format!("; fields are {}", full.join(", ")),
    }
}

/// The parts of a file, in its order.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<&str> = FIELDS
        .iter()
        .filter_map(|field| Some(field.key.split_once('.')?.0))
        .collect();
    sections.dedup();
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_edge(key: &str, last: f64, beyond: f64) {
        let mut experiment = Experiment::default();
        assert!(
            experiment.set(key, &last.to_string()).is_ok(),
            "{key} {last}"
        );
        let refused = experiment
            .set(key, &beyond.to_string())
            .map_err(|e| e.to_string());
        let range = format!("..={last}");
        assert!(
            refused
                .as_ref()
                .is_err_and(|message| message.ends_with(&range)),
            "{key} {beyond}: {refused:?}"
        );
    }

    #[test]
    fn data_is_refused_where_the_data_would_refuse_it() {
        check_edge("noise", MAX_NOISE, MAX_NOISE + 0.1);
        let most = MAX_SAMPLES as f64;
        check_edge("samples", most, most + 1.0);
        check_edge("batch", most, most + 1.0);
    }

    /// Texts are typed by hand beside the choices, so that they are compared with them.
    #[test]
    fn the_help_of_a_choice_names_all_that_can_be_chosen() {
        let check = |key: &str, ids: &[&str]| {
            let field = FIELDS.iter().find(|field| field.key == key);
            let help = field.map_or("", |field| field.help);
            for id in ids {
                assert!(help.contains(id), "{key}: {id} is missing in {help:?}");
            }
        };
        check(
            "data.source",
            &DataSource::ALL.each_ref().map(DataSource::id),
        );
        check("data.scaling", &Scaling::ALL.map(Scaling::id));
        check("network.activation", &Activation::ALL.map(Activation::id));
        check("loss.anneal", &Annealing::ALL.map(Annealing::id));
        check("loss.init", &WeightInit::ALL.map(WeightInit::id));
        check("optimizer.kind", &OptimizerKind::ALL.map(OptimizerKind::id));
        check(
            "optimizer.schedule",
            &ScheduleKind::ALL.map(ScheduleKind::id),
        );
        check("view.kind", &ViewKind::ALL.map(ViewKind::id));
    }

    #[test]
    fn what_is_set_to_its_default_is_not_written() {
        let mut experiment = Experiment::default();
        let silent = experiment.settings();
        for (key, default) in [
            ("activation", "prelu"),
            ("ramp", "300"),
            ("anneal", "published"),
            ("init", "auto"),
            ("optimizer.kind", "sgd"),
            ("momentum", "0.9"),
            ("weight_decay", "0.0005"),
            ("clip", "5"),
            ("schedule", "cosine"),
        ] {
            assert!(experiment.set(key, default).is_ok(), "{key}");
            assert_eq!(experiment.settings(), silent, "{key}");
        }
    }

    #[test]
    fn default_leaves_a_field_as_silence_does() {
        let mut experiment = Experiment::default();
        let silent = experiment.clone();
        for (key, value) in [
            ("classes", "3,8"),
            ("samples", "50"),
            ("noise", "0.4"),
            ("scaling", "none"),
            ("network.kind", "mlp:16"),
            ("activation", "relu"),
            ("ramp", "20"),
            ("anneal", "none"),
            ("init", "random"),
            ("optimizer.kind", "adam"),
            ("learning_rate", "0.2"),
            ("momentum", "0.5"),
            ("weight_decay", "0"),
            ("batch", "64"),
            ("clip", "0"),
            ("warmup", "7"),
            ("schedule", "constant"),
            ("horizon", "900"),
            ("epochs", "2"),
            ("steps", "200"),
            ("pinned", "3"),
            ("view.kind", "circle"),
        ] {
            experiment.set(key, value).expect("a value of it");
            assert_ne!(experiment, silent, "{key}");
            experiment
                .set(key, DEFAULT)
                .expect("a field with a default");
            assert_eq!(experiment, silent, "{key}");
        }
        experiment.set("loss", "arcface").expect("a loss");
        let silent = experiment.clone();
        experiment.set("margin", "0.2").expect("a margin");
        experiment.set("margin", DEFAULT).expect("its default");
        assert_eq!(experiment, silent);
        for key in ["loss", "data", "dim", "seed", "lambda"] {
            assert!(experiment.set(key, DEFAULT).is_err(), "{key}");
        }
        assert_eq!(experiment, silent, "what needs a value keeps it");
        let named = experiment.set("label", DEFAULT);
        assert!(
            named.is_ok() && experiment.data.label.is_some(),
            "a column may be called so"
        );
    }
}
