//! A run as a file from which it goes on with the same bits: parameters, optimizer state, the way
//! through the data, curves, and the recipe.
//!
//! The file is safetensors, so that other programs read the parameters. Its metadata has one entry,
//! the recipe: several would stand in another order in every file. What else is to be kept stands as
//! JSON in the tensor `run.state`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::data;
use crate::experiment::{Experiment, OptimizerKind};
use crate::trainer::batches::Place;
use crate::trainer::change::Pending;
use crate::trainer::{History, Horizon, Order, Rewarm, TrainError, Trainer};

/// A file that is no session, or one of another program or another run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// It is no safetensors file, or one that is cut off.
    #[error("it is no session: {message}")]
    Format {
        /// What the reader said.
        message: String,
    },
    /// A part is not there.
    #[error("it has no {part}; only sessions that marginscope saved can be opened")]
    Missing {
        /// The tensor or the entry of the metadata.
        part: String,
    },
    /// A part does not fit the experiment.
    #[error("{part}: {found}, expected {expected}")]
    Mismatch {
        /// The tensor.
        part: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// The run of the session cannot start.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// A run at one moment, complete. Its parts are compared with its experiment when it is resumed.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The run as it began, with all its changes, as a recipe's text.
    pub recipe: String,
    /// Curves so far.
    pub history: History,
    tensors: Vec<Named>,
    first: Vec<f32>,
    second: Vec<f32>,
    order: Vec<u32>,
    state: State,
}

/// A parameter tensor `shape` rows × columns, column-major.
#[derive(Clone, Debug, PartialEq)]
struct Named {
    name: String,
    shape: [usize; 2],
    values: Vec<f32>,
}

/// What is kept of a run beside its large arrays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// Of this list.
    version: u32,
    step: u64,
    horizon: Horizon,
    loss_chosen_at: u64,
    ramp_from: Option<u64>,
    rewarm: Rewarm,
    /// Changes of the recipe that were made already.
    n_changes: usize,
    optimizer: OptimizerKind,
    n_updates: i32,
    place: Place,
}

const VERSION: u32 = 1;
const FIRST: &str = "optimizer.first_moment";
const SECOND: &str = "optimizer.second_moment";
const ORDER: &str = "batches.order";
const STATE: &str = "run.state";
const HISTORY: &str = "run.history";
const STEP: &str = "run.step";
/// The entry of the metadata that has the recipe.
const RECIPE: &str = "experiment";

impl Trainer {
    /// The run as it stands, for a file; `recipe` is [`Trainer::recipe`], perhaps with a picture.
    pub fn session(&self, recipe: String, history: History) -> Session {
        let tensors = self.model.layout.tensors().iter().map(|tensor| Named {
            name: tensor.name.clone(),
            shape: tensor.shape,
            values: self.params[tensor.range()].to_vec(),
        });
        let (order, place) = self.batches.place();
        let optimizer = &self.optimizer;
        Session {
            recipe,
            history,
            tensors: tensors.collect(),
            first: optimizer.first.clone(),
            second: optimizer.second.clone(),
            order: order.to_vec(),
            state: State {
                version: VERSION,
                step: self.step,
                horizon: self.horizon,
                loss_chosen_at: self.loss_chosen_at,
                ramp_from: self.ramp_from,
                rewarm: self.rewarm,
                n_changes: self.experiment.run.changes.len(),
                optimizer: optimizer.kind,
                n_updates: optimizer.n_updates,
                place,
            },
        }
    }

    /// Goes on with a run where its session was saved; `experiment` is the one that the session's
    /// recipe describes, with its own data read.
    ///
    /// # Errors
    /// If the data cannot be loaded, or a part of the session does not fit the experiment.
    pub fn resume(
        session: &Session,
        experiment: &Experiment,
        n_threads: usize,
    ) -> Result<Self, SessionError> {
        experiment.validate().map_err(TrainError::from)?;
        let dim = experiment.network.dim;
        let data = data::load_in(&experiment.data, dim, experiment.run.seed);
        let data = data.map_err(TrainError::from)?;
        let state = &session.state;
        let horizon = Some(state.horizon);
        let mut trainer = Self::with_data(experiment, data, Order::Shuffled, horizon, n_threads)?;
        trainer.take_changes(experiment, state.n_changes)?;
        trainer.take_params(&session.tensors)?;
        let n_params = trainer.params.len();
        check_len(FIRST, session.first.len(), n_params)?;
        if !session.second.is_empty() {
            check_len(SECOND, session.second.len(), n_params)?;
        }
        trainer.optimizer.first.clone_from(&session.first);
        trainer.optimizer.second.clone_from(&session.second);
        trainer.optimizer.kind = state.optimizer;
        trainer.optimizer.n_updates = state.n_updates;
        trainer.take_order(session)?;
        trainer.step = state.step;
        trainer.loss_chosen_at = state.loss_chosen_at.min(state.step);
        trainer.ramp_from = state.ramp_from;
        trainer.rewarm = state.rewarm;
        trainer.threads().install(|| trainer.pack());
        Ok(trainer)
    }

    /// Brings the experiment to where it was after so many of its changes; the others are to come.
    fn take_changes(&mut self, experiment: &Experiment, n: usize) -> Result<(), SessionError> {
        let mut whole = experiment.clone();
        whole.run.changes.sort_by_step();
        let there = whole.run.changes.len();
        if n > there {
            let found = format!("{n} changes");
            return Err(mismatch(STATE, found, format!("at most {there}")));
        }
        let now = whole.after(n);
        now.validate().map_err(TrainError::from)?;
        self.experiment = Arc::new(now);
        self.pending = Pending::of(whole.run.changes.iter().skip(n));
        self.resolved = super::Resolved::of(&self.experiment, &self.data);
        Ok(())
    }

    fn take_params(&mut self, tensors: &[Named]) -> Result<(), SessionError> {
        for tensor in self.model.layout.tensors() {
            let mut named = tensors.iter().filter(|found| found.name == tensor.name);
            let found = named.next().ok_or_else(|| SessionError::Missing {
                part: tensor.name.clone(),
            })?;
            if found.shape != tensor.shape {
                let size = |[rows, columns]: [usize; 2]| format!("{rows}×{columns} numbers");
                return Err(mismatch(
                    &tensor.name,
                    size(found.shape),
                    size(tensor.shape),
                ));
            }
            if found.values.iter().any(|value| !value.is_finite()) {
                let found = "a number that is not finite".to_owned();
                return Err(mismatch(&tensor.name, found, "finite numbers".to_owned()));
            }
            self.params[tensor.range()].copy_from_slice(&found.values);
        }
        Ok(())
    }

    fn take_order(&mut self, session: &Session) -> Result<(), SessionError> {
        let (order, place) = (&session.order, &session.state.place);
        let n = self.data.train.len();
        if order.len() > n || order.iter().any(|&i| i as usize >= n) {
            let found = "other training samples than those of the data".to_owned();
            return Err(mismatch(ORDER, found, format!("an order of {n}")));
        }
        let resumed = self.batches.resume(order.clone(), place);
        resumed.map_err(|found| mismatch(STATE, found, "a place in the data".to_owned()))
    }

    /// SHA-256 of all parameters, little-endian, as hexadecimal digits.
    pub fn parameters_sha256(&self) -> String {
        let mut hash = Sha256::new();
        for value in &self.params {
            hash.update(value.to_le_bytes());
        }
        let mut digits = String::new();
        for byte in hash.finalize() {
            let _ = write!(digits, "{byte:02x}"); // writing to a String cannot fail
        }
        digits
    }
}

fn check_len(part: &str, found: usize, expected: usize) -> Result<(), SessionError> {
    if found == expected {
        return Ok(());
    }
    let numbers = |n: usize| format!("{n} numbers");
    Err(mismatch(part, numbers(found), numbers(expected)))
}

fn mismatch(part: &str, found: String, expected: String) -> SessionError {
    SessionError::Mismatch {
        part: part.to_owned(),
        found,
        expected,
    }
}

impl Session {
    /// Steps made.
    pub fn step(&self) -> u64 {
        self.state.step
    }

    /// The same with another recipe of the same run, which says how it is looked at.
    #[must_use]
    pub fn with_recipe(self, recipe: String) -> Self {
        Self { recipe, ..self }
    }

    /// Whether the run has no end.
    pub fn is_endless(&self) -> bool {
        self.state.horizon == Horizon::Endless
    }

    /// Whether a file's beginning is that of a session: the length of a header, and the header.
    pub fn is_session(bytes: &[u8]) -> bool {
        bytes.get(8) == Some(&b'{') && bytes[6..8] == [0, 0]
    }

    /// The session as a file; the same bytes for the same run.
    ///
    /// # Errors
    /// If the encoder refuses a tensor.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SafeTensorError> {
        let step = self.state.step.to_le_bytes();
        let state = serde_json::to_vec(&self.state).unwrap_or_default(); // has no map and no odd float
        let history = serde_json::to_vec(&self.history).unwrap_or_default();
        let (first, second) = (f32_bytes(&self.first), f32_bytes(&self.second));
        let order: Vec<u8> = self.order.iter().flat_map(|i| i.to_le_bytes()).collect();
        let params: Vec<Vec<u8>> = self.tensors.iter().map(|t| f32_bytes(&t.values)).collect();
        let mut views = Vec::new();
        for (tensor, bytes) in self.tensors.iter().zip(&params) {
            // Column-major [rows, columns] is row-major [columns, rows], the order of the format.
            let shape = vec![tensor.shape[1], tensor.shape[0]];
            views.push((
                tensor.name.as_str(),
                TensorView::new(Dtype::F32, shape, bytes)?,
            ));
        }
        let flat = |dtype, n, bytes| TensorView::new(dtype, vec![n], bytes);
        views.extend([
            (FIRST, flat(Dtype::F32, self.first.len(), &first)?),
            (SECOND, flat(Dtype::F32, self.second.len(), &second)?),
            (ORDER, flat(Dtype::U32, self.order.len(), &order)?),
            (STATE, flat(Dtype::U8, state.len(), &state)?),
            (HISTORY, flat(Dtype::U8, history.len(), &history)?),
            (STEP, flat(Dtype::U64, 1, &step)?),
        ]);
        let metadata = HashMap::from([(RECIPE.to_owned(), self.recipe.clone())]);
        safetensors::serialize(views, Some(metadata))
    }

    /// Reads a session. Memory is bounded by the file: what it says of its sizes is compared with its
    /// bytes.
    ///
    /// # Errors
    /// If it is no session that was saved here.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SessionError> {
        let format = |error: &dyn std::error::Error| SessionError::Format {
            message: error.to_string(),
        };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| format(&error))?;
        let missing = |part: &str| SessionError::Missing {
            part: part.to_owned(),
        };
        let entries = metadata.metadata().as_ref();
        let recipe = entries.and_then(|entries| entries.get(RECIPE));
        let recipe = recipe.ok_or_else(|| missing("recipe"))?.clone();
        let file = SafeTensors::deserialize(bytes).map_err(|error| format(&error))?;
        let part = |name: &str, dtype: Dtype| {
            let view = file.tensor(name).map_err(|_unsaid| missing(name))?;
            if view.dtype() == dtype {
                Ok(view.data())
            } else {
                let found = format!("numbers of type {:?}", view.dtype());
                Err(mismatch(name, found, format!("{dtype:?}")))
            }
        };
        let state = part(STATE, Dtype::U8)?;
        let state: State = serde_json::from_slice(state).map_err(|error| format(&error))?;
        let history = part(HISTORY, Dtype::U8)?;
        let history = serde_json::from_slice(history).map_err(|error| format(&error))?;
        let (first, second) = (part(FIRST, Dtype::F32)?, part(SECOND, Dtype::F32)?);
        let order = part(ORDER, Dtype::U32)?.chunks_exact(4);
        let order = order.map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        if state.version != VERSION {
            let found = format!("version {}", state.version);
            return Err(mismatch(STATE, found, format!("version {VERSION}")));
        }
        Ok(Self {
            recipe,
            history,
            tensors: named(&file),
            first: f32_values(first),
            second: f32_values(second),
            order: order.collect(),
            state,
        })
    }
}

/// All matrices of a file; what else is in it has one dimension.
fn named(file: &SafeTensors<'_>) -> Vec<Named> {
    let all = file.tensors().into_iter();
    let matrices = all.filter_map(|(name, view)| match view.shape() {
        [columns, rows] if view.dtype() == Dtype::F32 => Some(Named {
            name,
            shape: [*rows, *columns],
            values: f32_values(view.data()),
        }),
        _ => None,
    });
    let mut named: Vec<Named> = matrices.collect();
    named.sort_by(|a, b| a.name.cmp(&b.name));
    named
}

fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn f32_values(bytes: &[u8]) -> Vec<f32> {
    let words = bytes.chunks_exact(4);
    words
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}
