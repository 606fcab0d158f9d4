//! The step, the optimizer, the metrics, the worker thread and its snapshots.
//!
//! [`Trainer::step`] is a pure function of experiment and parameters: no clock, no thread count
//! and no order of a hash map enters it.

mod batches;
mod change;
mod checkpoint;
mod chunk;
mod collapse;
mod detail;
mod drawn;
mod frame;
mod given;
mod gradient;
mod hold;
mod inputs;
mod journey;
mod lock_step;
pub mod metrics;
mod model;
mod optimizer;
mod pace;
mod probe;
mod report;
mod run;
pub mod schedule;
mod session;
pub mod snapshot;
mod speed;
mod start;
mod timeline;
pub mod worker;

use std::sync::Arc;

use rayon::prelude::*;

pub use crate::data::Column;
pub use batches::Order;
pub use change::Applied;
pub use collapse::Collapse;
pub use detail::{Detail, MOST_CONFUSED, N_ANGLE_BINS};
pub use drawn::Drawn;
pub use inputs::InputPlane;
pub use metrics::{HeadState, Metrics, angle_between, examine, measure, predictions};
pub use probe::{Probe, Score, Subset, split_of};
pub use report::{Ending, Report};
pub use schedule::{Horizon, Rewarm};
pub use session::{Session, SessionError};
pub use snapshot::{History, Refusal, Row, Snapshot};
pub use speed::Speed;
pub use start::Start;
pub use timeline::{LaneId, Moment, Timeline, Way};
pub use worker::{Command, Delay, RunId, Worker};

use crate::data;
use crate::data::{DataError, Dataset, Split};
use crate::experiment::{Experiment, ExperimentError};
use crate::loss::center::update_centers;
use crate::loss::{Form, Head, Values};
use crate::network::{NetworkWork, PackedWeights};
use crate::trainer::batches::Batches;
use crate::trainer::change::{Pending, recipe};
use crate::trainer::chunk::Chunk;
use crate::trainer::gradient::Gradient;
use crate::trainer::metrics::Named;
use crate::trainer::model::{Body, Model, Stream, generator};
use crate::trainer::optimizer::{Optimizer, Stretch};

/// A run that cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The experiment contradicts itself.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// The data cannot be loaded.
    #[error(transparent)]
    Data(#[from] DataError),
    /// No pool of threads could be made.
    #[error("cannot start {n_threads} training threads")]
    Threads {
        /// How many were asked for.
        n_threads: usize,
        /// What the system said.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
    /// No thread for the worker.
    #[error("cannot start the training thread")]
    Spawn(#[source] std::io::Error),
}

/// A step that gave no finite numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the run diverged at step {step}: {tensor} is not finite; try a lower learning rate or gradient clipping"
)]
pub struct Diverged {
    /// Steps that had been made before it.
    pub step: u64,
    /// The first tensor that is not finite, or the loss.
    pub tensor: String,
}

/// What one step was like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Mean loss of the batch, with penalty.
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
}

/// A run under way.
#[derive(Debug)]
pub struct Trainer {
    experiment: Arc<Experiment>,
    /// What its settings and defaults come to.
    resolved: Resolved,
    /// The experiment as it stood before the first step and the first change.
    start: Arc<Experiment>,
    data: Arc<Dataset>,
    model: Model,
    params: Vec<f32>,
    /// The network's part of them as its passes read it: always of the same step.
    packed: PackedWeights,
    optimizer: Optimizer,
    batches: Batches,
    indices: Vec<u32>,
    chunks: Vec<Chunk>,
    gradient: Gradient,
    threads: Arc<rayon::ThreadPool>,
    horizon: Horizon,
    step: u64,
    /// Annealing counts from here.
    loss_chosen_at: u64,
    /// The margin ramp counts from here; `None` once a slider has ended it.
    ramp_from: Option<u64>,
    rewarm: Rewarm,
    /// Changes of the experiment's file that are still to come.
    pending: Pending,
}

/// Settings that follow from several fields of an experiment, kept from one change to the next.
#[derive(Clone, Copy, Debug)]
struct Resolved {
    /// Samples a step.
    batch: usize,
    loss_values: Values<f64>,
}

impl Resolved {
    fn of(experiment: &Experiment, data: &Dataset) -> Self {
        Self {
            batch: experiment.batch(data.train.len()),
            loss_values: experiment.loss_values(),
        }
    }
}

/// Share of the learning rate that class weights of a cosine head learn with.
///
/// Their gradient counts s times and their length is 1, so that at the full rate they turn by
/// many degrees a step and pass one another before features follow. Measured on MNIST in 2-D with
/// `NormFace`, seed 2: least weight angle 19° and 91.5% test accuracy at 1, 30° and 94.4% at 0.1.
const COSINE_WEIGHT_RATE: f32 = 0.1;
/// Most chunks of a batch; more threads than this do not help.
const MAX_CHUNKS: usize = 8;
/// Least cost of a chunk, in operations of a matrix product: 15 µs on one core, against the 5 µs
/// after which another thread takes a part.
const LEAST_COST: f64 = 1.5e6;
/// The same for each parameter that all samples share, which every chunk brings into the order of
/// its products.
const LEAST_COST_PER_PARAM: f64 = 400.0;
/// Samples that are embedded together.
const EMBED_BLOCK: usize = 256;

impl Trainer {
    /// Starts a run: loads data, draws parameters.
    ///
    /// # Errors
    /// If the experiment contradicts itself or its data cannot be loaded.
    pub fn new(
        experiment: &Experiment,
        horizon: Option<Horizon>,
        n_threads: usize,
    ) -> Result<Self, TrainError> {
        experiment.validate()?;
        let dim = experiment.network.dim;
        let data = data::load_in(&experiment.data, dim, experiment.run.seed)?;
        Self::with_data(experiment, data, Order::Shuffled, horizon, n_threads)
    }

    /// Starts a run on samples that are there already, in the place of those that
    /// `experiment.data` names. [`Experiment::validate`] must hold.
    ///
    /// A CNN needs images; where `data` has none, features are free.
    ///
    /// # Errors
    /// If no threads can be made.
    pub fn with_data(
        experiment: &Experiment,
        data: Dataset,
        order: Order,
        horizon: Option<Horizon>,
        n_threads: usize,
    ) -> Result<Self, TrainError> {
        let threads = thread_pool(n_threads)?;
        Ok(Self::assemble(
            experiment,
            Arc::new(data),
            order,
            horizon,
            threads,
        ))
    }

    /// The same on threads that are there already, and on data that others may train on, too.
    fn assemble(
        experiment: &Experiment,
        data: Arc<Dataset>,
        order: Order,
        horizon: Option<Horizon>,
        threads: Arc<rayon::ThreadPool>,
    ) -> Self {
        let model = Model::new(experiment, &data);
        let params = model.init(experiment);
        let horizon = horizon.unwrap_or_else(|| horizon_of(experiment, &data));
        let pending = Pending::of(&experiment.run.changes);
        let mut experiment = experiment.clone();
        experiment.run.changes.clear();
        let experiment = Arc::new(experiment);
        let mut trainer = Self {
            resolved: Resolved::of(&experiment, &data),
            optimizer: Optimizer::new(params.len()),
            batches: Batches::new(order, generator(experiment.run.seed, Stream::Batches)),
            start: Arc::clone(&experiment),
            experiment,
            data,
            gradient: Gradient::new(&model),
            model,
            params,
            packed: PackedWeights::default(),
            indices: Vec::new(),
            chunks: Vec::new(),
            threads,
            horizon,
            step: 0,
            loss_chosen_at: 0,
            ramp_from: Some(0),
            rewarm: Rewarm::default(),
            pending,
        };
        trainer.threads().install(|| trainer.pack());
        trainer.put_on_sphere();
        trainer.zero_first_weight_of_binary();
        trainer.apply_pending();
        trainer
    }

    /// The experiment as it stands, with the changes made so far.
    pub fn experiment(&self) -> &Arc<Experiment> {
        &self.experiment
    }

    /// The experiment as it stood at the start, without changes.
    pub(crate) fn start(&self) -> &Arc<Experiment> {
        &self.start
    }

    /// The experiment that repeats this run: as it stood at the start, with the changes since, and
    /// those of its file that are still to come.
    ///
    /// [`Trainer::experiment`] has the values of now, which would be in force too early.
    pub fn recipe(&self) -> Experiment {
        let mut recipe = recipe(&self.start, &self.experiment, self.horizon, &self.data);
        recipe
            .run
            .changes
            .extend(self.pending.rest().iter().cloned());
        recipe
    }

    /// The data it trains on.
    pub fn data(&self) -> &Arc<Dataset> {
        &self.data
    }

    /// Steps done.
    pub fn n_steps(&self) -> u64 {
        self.step
    }

    /// Passes over the training set.
    pub fn epochs(&self) -> f64 {
        self.batches.epochs()
    }

    /// How long the run is going to be.
    pub fn horizon(&self) -> Horizon {
        self.horizon
    }

    /// Whether features are the parameters themselves.
    pub fn is_free(&self) -> bool {
        matches!(self.model.body, Body::Free(_))
    }

    /// Whether features come from a file: nothing is trained, and no step has a meaning.
    pub fn is_given(&self) -> bool {
        matches!(self.model.body, Body::Given)
    }

    /// Takes the parameters that given features have under the loss of now.
    fn take_given(&mut self) {
        if self.is_given() {
            self.params = self.model.init(&self.experiment);
        }
    }

    /// The threads it trains on. Many steps in one `install` spare each of them the way there.
    pub fn threads(&self) -> Arc<rayon::ThreadPool> {
        Arc::clone(&self.threads)
    }

    /// One training step: next batch, forward, head, backward, update.
    ///
    /// # Errors
    /// [`Diverged`] if loss or gradient are not finite, and nothing is changed then; or if a
    /// parameter is not finite after the update, and the run cannot go on.
    pub fn step(&mut self) -> Result<StepReport, Diverged> {
        self.threads().install(|| self.step_here())
    }

    fn step_here(&mut self) -> Result<StepReport, Diverged> {
        let batch = self.resolved.batch;
        self.indices.clear();
        self.indices
            .extend_from_slice(self.batches.next(&self.data.train, batch));
        let values = self.values_in_force().map(|value| value as f32);
        self.run_chunks(&values);
        self.gradient
            .collect(&self.model, &self.indices, &self.chunks);
        let learning_rate = self.learning_rate();
        let shrink = self.check_and_clip()?;
        self.update(learning_rate as f32, shrink)?;
        self.step += 1;
        self.apply_pending(); // whoever looks at this step sees what was changed there
        Ok(StepReport {
            loss: self.gradient.loss,
            learning_rate,
        })
    }

    /// Forward and backward of every chunk, on as many threads as there are.
    fn run_chunks(&mut self, values: &Values<f32>) {
        let n = self.indices.len();
        let len = n.div_ceil(self.n_chunks(n));
        self.chunks.resize_with(n.div_ceil(len), Chunk::default);
        let head = self.head();
        let (model, data) = (&self.model, &self.data.train);
        let params = self.packed.beside(&self.params);
        let indices = self.indices.par_chunks(len);
        let jobs = indices.zip(&mut self.chunks);
        jobs.for_each(|(indices, chunk)| {
            chunk.run(model, &head, data, params, values, indices, n);
        });
    }

    /// Parts that a batch is cut into, whatever the number of threads: as many as are worth a
    /// thread, halves of halves so that they are equal.
    pub(crate) fn n_chunks(&self, batch: usize) -> usize {
        let n_shared = self.model.shared().len() as f64;
        let least = LEAST_COST.max(LEAST_COST_PER_PARAM * n_shared);
        let wanted = batch as f64 * self.model.cost_per_sample / least;
        let n_chunks = (wanted as usize).clamp(1, MAX_CHUNKS.min(batch));
        1 << n_chunks.ilog2()
    }

    /// The factor that clipping puts on the gradient.
    fn check_and_clip(&self) -> Result<f32, Diverged> {
        let norm = self.gradient.norm();
        if !self.gradient.loss.is_finite() || !norm.is_finite() {
            let bad = self
                .gradient
                .params
                .iter()
                .position(|g| !g.is_finite())
                .and_then(|i| self.model.layout.owner(i));
            let tensor = bad.map_or("the loss".to_owned(), |tensor| {
                format!("the gradient of {}", tensor.name)
            });
            return Err(Diverged {
                step: self.step,
                tensor,
            });
        }
        let clip = self.experiment.optimizer.clip;
        // Free embeddings undo the mean over the batch, so that a bound on the mean has no meaning.
        if clip > 0.0 && norm > clip && !self.is_free() {
            Ok((clip / norm) as f32)
        } else {
            Ok(1.0)
        }
    }

    /// A finite gradient at a huge rate may still carry a parameter past what a float holds.
    fn update(&mut self, learning_rate: f32, shrink: f32) -> Result<(), Diverged> {
        let held = self.held();
        let is_finite = self.optimizer.update(
            &self.experiment.optimizer,
            learning_rate,
            shrink,
            &self.stretches(),
            &mut self.params,
            &self.gradient.params,
        );
        if !is_finite {
            return Err(self.bad_parameter());
        }
        if let Some(index) = self.experiment.loss.spec.param_index("center_rate") {
            let rate = self.resolved.loss_values[index] as f32;
            let centers = &mut self.params[self.model.centers.range()];
            update_centers(centers, &self.gradient.center_sums, self.model.dim, rate);
        }
        self.put_on_sphere();
        self.put_back(held);
        self.pack();
        Ok(())
    }

    /// Brings the network's weights into the order of its passes; to be done whenever they change.
    fn pack(&mut self) {
        self.model.pack(&self.params, &mut self.packed);
    }

    fn bad_parameter(&self) -> Diverged {
        let bad = self.params.iter().position(|w| !w.is_finite());
        let owner = bad.and_then(|i| self.model.layout.owner(i));
        Diverged {
            step: self.step,
            tensor: owner.map_or("a parameter".to_owned(), |tensor| tensor.name.clone()),
        }
    }

    /// Which parameters the current loss trains, and how fast.
    fn stretches(&self) -> [Stretch; 3] {
        let form = self.experiment.loss.spec.form;
        let mut body = Stretch {
            range: 0..self.model.weights.offset,
            rate: 1.0,
        };
        let mut weights = Stretch {
            range: self.model.weights.range(),
            rate: 1.0,
        };
        if self.is_free() {
            // losses.md 5.8: rates on ∂L·N for features and ∂L·C for weights, over s.
            let spec = self.experiment.loss.spec;
            let scale = spec.scale(&self.resolved.loss_values) as f32;
            body.rate = self.indices.len() as f32 / scale;
            weights.rate = self.model.n_classes as f32 / scale;
        } else if form.is_cosine() {
            weights.rate = COSINE_WEIGHT_RATE;
        }
        if form == Form::Binary {
            weights.range.start += self.model.dim;
        }
        let mut bias = Stretch {
            range: self.model.bias.range(),
            rate: 1.0,
        };
        if !form.has_bias() {
            bias.range.end = bias.range.start;
        }
        [body, weights, bias]
    }

    /// Free embeddings of cosine heads are put back to length 1: their growth would freeze the
    /// angles (`losses.md` 9).
    fn put_on_sphere(&mut self) {
        let Body::Free(features) = &self.model.body else {
            return;
        };
        let form = self.experiment.loss.spec.form;
        let to_normalize = [
            (form.is_cosine(), features.range()),
            (form.has_unit_weights(), self.model.weights.range()),
        ];
        for (is_wanted, range) in to_normalize {
            if is_wanted {
                let columns = &mut self.params[range.clone()];
                self.optimizer.put_on_sphere(range, columns, self.model.dim);
            }
        }
    }

    /// The learning rate that the next step uses; 0 where nothing is trained.
    pub fn learning_rate(&self) -> f64 {
        if self.is_given() {
            return 0.0;
        }
        self.experiment.learning_rate() * self.rate_share()
    }

    fn rate_share(&self) -> f64 {
        let config = &self.experiment.optimizer;
        let warmup = self.experiment.warmup_steps();
        schedule::rate_share(
            config.schedule,
            self.horizon,
            warmup,
            self.step,
            self.rewarm,
        )
    }

    /// The loss's values in force at the next step: margin on its ramp, λ on its way down. What is
    /// not trained has them as they are set.
    pub fn values_in_force(&self) -> Values<f64> {
        if self.is_given() {
            return self.resolved.loss_values;
        }
        let loss = &self.experiment.loss;
        let ramp = if self.ramp_from.is_some() {
            loss.ramp_steps
        } else {
            0
        };
        loss.spec.in_force(
            &self.resolved.loss_values,
            self.step - self.loss_chosen_at,
            ramp,
            loss.annealing,
        )
    }

    fn head(&self) -> Head {
        Head {
            spec: self.experiment.loss.spec,
            dim: self.model.dim,
            n_classes: self.model.n_classes,
        }
    }

    /// Binary cross entropy has one weight: the difference of the two, beside a zero.
    fn zero_first_weight_of_binary(&mut self) {
        if self.experiment.loss.spec.form != Form::Binary {
            return;
        }
        let dim = self.model.dim;
        let weights = &mut self.params[self.model.weights.range()];
        for row in 0..dim {
            weights[dim + row] -= std::mem::take(&mut weights[row]);
        }
        let bias = &mut self.params[self.model.bias.range()];
        bias[1] -= std::mem::take(&mut bias[0]);
    }

    /// The head as it stands.
    pub fn head_state(&self) -> HeadState {
        let spec = self.experiment.loss.spec;
        let mut bias = self.params[self.model.bias.range()].to_vec();
        if !spec.form.has_bias() {
            bias.fill(0.0);
        }
        let centers = if spec.penalty.is_some() {
            self.params[self.model.centers.range()].to_vec()
        } else {
            Vec::new()
        };
        HeadState {
            spec: Named(spec),
            dim: self.model.dim,
            n_classes: self.model.n_classes,
            values: self.resolved.loss_values,
            in_force: self.values_in_force(),
            weights: self.params[self.model.weights.range()].to_vec(),
            bias,
            centers,
        }
    }

    /// Measures all samples of a split. `None` if features are free and `split` was not trained.
    ///
    /// Samples without labels count as samples of the class that wins.
    pub fn evaluate(&self, split: &Split) -> Option<Metrics> {
        let (head, features) = (self.head_state(), self.features(split));
        if self.data.has_labels() {
            return measure(&head, &features, split.labels());
        }
        measure(&head, &features, &predictions(&head, &features))
    }

    /// Features `[dim, samples]` of a whole split.
    pub fn features(&self, split: &Split) -> Vec<f32> {
        let indices: Vec<u32> = (0..split.len() as u32).collect();
        let mut features = vec![0.0; split.len() * self.model.dim];
        self.embed_all(split, &indices, &mut features);
        features
    }

    /// Features `[dim, indices]` of samples of a split, in blocks that the training threads share.
    fn embed_all(&self, split: &Split, indices: &[u32], features: &mut [f32]) {
        let dim = self.model.dim;
        let embed = |work: &mut EmbedWork, (indices, features): (&[u32], &mut [f32])| {
            self.embed(split, indices, work, features);
        };
        let blocks = indices
            .par_chunks(EMBED_BLOCK)
            .zip(features.par_chunks_mut(EMBED_BLOCK * dim));
        self.threads
            .install(|| blocks.for_each_init(EmbedWork::default, embed));
    }

    /// Features `[dim, indices]` of samples of a split.
    pub fn embed(
        &self,
        split: &Split,
        indices: &[u32],
        work: &mut EmbedWork,
        features: &mut [f32],
    ) {
        work.inputs.resize(indices.len() * self.model.n_inputs, 0.0);
        if self.model.reads_inputs() {
            split.gather(indices, &mut work.inputs);
        }
        features.copy_from_slice(self.model.features(
            self.packed.beside(&self.params),
            indices,
            &work.inputs,
            &mut work.network,
            &mut work.free,
        ));
    }

    /// Features `[dim, n]` of inputs `[inputs, n]` that are of no split, on all training threads.
    /// Nothing where features are free.
    fn embed_inputs(&self, inputs: &[f32], features: &mut [f32]) {
        let Body::Network(network) = &self.model.body else {
            return;
        };
        let (n_inputs, dim) = (self.model.n_inputs, self.model.dim);
        let blocks = inputs.par_chunks(EMBED_BLOCK * n_inputs);
        let blocks = blocks.zip(features.par_chunks_mut(EMBED_BLOCK * dim));
        self.threads.install(|| {
            blocks.for_each_init(NetworkWork::default, |work, (inputs, features)| {
                let n = features.len() / dim;
                let params = self.packed.beside(&self.params);
                features.copy_from_slice(network.forward(params, inputs, n, work));
            });
        });
    }

    /// The feature `[dim]` of an image that is of no split, 28×28 pixels row by row from 0 black to
    /// 255 white; `None` where the network reads no such images.
    pub fn embed_image(&self, image: &[u8]) -> Option<Vec<f32>> {
        let Body::Network(network) = &self.model.body else {
            return None;
        };
        let input = self.data.train.input_of(image)?;
        let params = self.packed.beside(&self.params);
        let mut work = NetworkWork::default();
        Some(network.forward(params, &input, 1, &mut work).to_vec())
    }

    /// What a sample costs in a step, in operations of a matrix product.
    fn cost_per_sample(&self) -> f64 {
        self.model.cost_per_sample
    }
}

/// Buffers of [`Trainer::embed`].
#[derive(Clone, Debug, Default)]
pub struct EmbedWork {
    inputs: Vec<f32>,
    network: NetworkWork,
    free: Vec<f32>,
}

/// Threads of a run. One thread has a pool, too, so that there is one way to do things.
/// The end that a run is begun with where nothing else is asked for.
fn horizon_of(experiment: &Experiment, data: &Dataset) -> Horizon {
    let n_steps = experiment.optimizer.horizon_steps;
    Horizon::Steps(n_steps.unwrap_or_else(|| experiment.n_steps(data.train.len())))
}

pub(crate) fn thread_pool(n_threads: usize) -> Result<Arc<rayon::ThreadPool>, TrainError> {
    let builder = rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads.max(1))
        .thread_name(|i| format!("train-{i}"));
    builder
        .build()
        .map(Arc::new)
        .map_err(|source| TrainError::Threads { n_threads, source })
}
