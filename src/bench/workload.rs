//! The training workloads: sizes, synthetic samples, and the recipe that all of them share.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::bench::{BenchError, Effort};
use crate::data::{Dataset, InputShape, Split};
use crate::experiment::{Experiment, ExperimentError};
use crate::network::{Activation, Layout, Network, NetworkKind, ProductShape};
use crate::trainer::{Horizon, Order, TrainError, Trainer};

/// One training step to time: uniform inputs, random labels, the next batch at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// As `--only` names it.
    pub name: &'static str,
    body: Body,
    /// d
    dim: usize,
    /// C
    n_classes: usize,
    /// Samples a step.
    pub batch: usize,
}

/// What gives features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Mlp {
        n_inputs: usize,
        hidden: &'static [usize],
    },
    Cnn,
    /// As many embeddings as a batch has samples.
    Free,
}

/// Every training workload, in the order in which they run.
pub static WORKLOADS: [Workload; 8] = [
    Workload {
        name: "toy-mlp-2-64-64-2",
        body: Body::Mlp {
            n_inputs: 2,
            hidden: &[64, 64],
        },
        dim: 2,
        n_classes: 8,
        batch: 128,
    },
    Workload {
        name: "mnist-mlp-784-256-128-2",
        body: Body::Mlp {
            n_inputs: 784,
            hidden: &[256, 128],
        },
        dim: 2,
        n_classes: 10,
        batch: 256,
    },
    Workload {
        name: "mnist-cnn-16-32-128-2",
        body: Body::Cnn,
        dim: 2,
        n_classes: 10,
        batch: 128,
    },
    Workload {
        name: "free-embeddings-4096x2",
        body: Body::Free,
        dim: 2,
        n_classes: 10,
        batch: 4096,
    },
    head_only("head-only-100-classes-3d", 100, 4096),
    head_only("classes-1000-3d", 1000, 1024),
    head_only("classes-10000-3d", 10_000, 1024),
    Workload {
        name: "features-1000000x3",
        body: Body::Free,
        dim: 3,
        n_classes: 10,
        batch: 1_000_000,
    },
];

/// One dense layer from 3 to 3, so that the head is nearly all there is.
const fn head_only(name: &'static str, n_classes: usize, batch: usize) -> Workload {
    Workload {
        name,
        body: Body::Mlp {
            n_inputs: 3,
            hidden: &[],
        },
        dim: 3,
        n_classes,
        batch,
    }
}

/// What the peers' scripts train with; what they do not have, a ramp of the margin and a regular
/// start of the weights, is switched off.
const RECIPE: [(&str, &str); 12] = [
    ("loss.id", "arcface"),
    ("loss.margin", "0.3"),
    ("loss.scale", "16"),
    ("loss.ramp", "0"),
    ("loss.init", "random"),
    ("network.activation", "relu"),
    ("optimizer.momentum", "0.9"),
    ("optimizer.learning_rate", "0.001"),
    ("optimizer.weight_decay", "0"),
    ("optimizer.clip", "0"),
    ("optimizer.warmup", "0"),
    ("optimizer.schedule", "constant"),
];

impl Workload {
    /// A run of it that has not yet made a step.
    pub(super) fn trainer(&self, effort: Effort) -> Result<Trainer, BenchError> {
        let experiment = self.experiment().map_err(TrainError::from)?;
        let (data, horizon) = (self.data(effort), Some(Horizon::Endless));
        let trainer = Trainer::with_data(
            &experiment,
            data,
            Order::Sequential,
            horizon,
            effort.n_threads,
        )?;
        Ok(trainer)
    }

    fn experiment(&self) -> Result<Experiment, ExperimentError> {
        let mut experiment = Experiment::default();
        for (key, value) in RECIPE {
            experiment.set(key, value)?;
        }
        experiment.network.kind = Some(match self.body {
            Body::Mlp { hidden, .. } => NetworkKind::Mlp(hidden.to_vec()),
            Body::Cnn => NetworkKind::Cnn,
            Body::Free => NetworkKind::None,
        });
        experiment.network.dim = self.dim;
        experiment.optimizer.batch = Some(self.batch);
        experiment.validate()?;
        Ok(experiment)
    }

    fn data(&self, effort: Effort) -> Dataset {
        const N_SAMPLES: usize = 20_000; // as the peers' scripts
        let input = self.input();
        let n = match self.body {
            Body::Free => self.batch,
            _ if effort.is_quick() => 2 * self.batch,
            _ => N_SAMPLES,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let values = (0..n * input.dim()).map(|_| rng.random()).collect();
        let labels = (0..n).map(|_| rng.random_range(0..self.n_classes) as u16);
        Dataset {
            name: self.name.to_owned(),
            class_names: (0..self.n_classes).map(|class| class.to_string()).collect(),
            input,
            train: Split::vectors(labels.collect(), input.dim(), values),
            test: None,
            given: None,
            columns: [].into(),
        }
    }

    fn input(&self) -> InputShape {
        match self.body {
            Body::Mlp { n_inputs, .. } => InputShape::Vector { dim: n_inputs },
            Body::Cnn => InputShape::Image {
                height: 28,
                width: 28,
            },
            Body::Free => InputShape::None,
        }
    }

    /// Its network; none for free embeddings.
    fn network(&self) -> Option<Network> {
        let mut layout = Layout::default();
        let relu = Activation::Relu;
        match self.body {
            Body::Mlp { n_inputs, hidden } => {
                Some(Network::mlp(n_inputs, hidden, self.dim, relu, &mut layout))
            }
            Body::Cnn => Some(Network::cnn(28, 28, self.dim, relu, &mut layout)),
            Body::Free => None,
        }
    }

    /// Products of its layers.
    pub(super) fn products(&self) -> Vec<ProductShape> {
        self.network()
            .map_or_else(Vec::new, |network| network.products())
    }

    /// Operations of the matrix products of a step: those of its layers, and the head's three.
    pub(super) fn n_flops(&self) -> f64 {
        let n_head_products = 3.0;
        let n_cosines = (self.dim * self.n_classes * self.batch) as f64;
        self.n_layer_flops() + n_head_products * 2.0 * n_cosines
    }

    /// Operations of its layers' products in a step.
    pub(super) fn n_layer_flops(&self) -> f64 {
        let network = self.network();
        network.map_or(0.0, |network| network.n_flops()) * self.batch as f64
    }
}
