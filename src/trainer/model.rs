//! A network (or free embeddings) with a head, and the layout of all their parameters.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::data::{Dataset, InputShape};
use crate::experiment::Experiment;
use crate::geometry::regular;
use crate::network::{
    Gain, Layout, Network, NetworkKind, NetworkWork, PackedWeights, Parameters, Tensor,
};
use crate::trainer::given::GivenHeads;

/// Numbered streams of the run's generator: a change in the use of one does not shift the others.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Stream {
    /// Network parameters.
    Network = 1,
    /// Order of samples.
    Batches = 2,
    /// Class weights and free embeddings.
    Head = 3,
}

/// The generator of one stream.
pub(super) fn generator(seed: u64, stream: Stream) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream as u64);
    rng
}

/// What gives features.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// A network over inputs.
    Network(Network),
    /// The features themselves `[dim, samples]`.
    Free(Tensor),
    /// Features of a file: the inputs are features, and no parameter moves them.
    Given,
}

/// A body with the tensors of its head. Weights, bias and centers exist for every loss, so that
/// losses change in mid-run without resetting anything.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// What gives features.
    pub body: Body,
    /// Where every parameter lies.
    pub layout: Layout,
    /// W `[dim, classes]`
    pub weights: Tensor,
    /// b `[classes]`
    pub bias: Tensor,
    /// c `[dim, classes]`
    pub centers: Tensor,
    /// d
    pub dim: usize,
    /// C
    pub n_classes: usize,
    /// Numbers per input.
    pub n_inputs: usize,
    /// What a sample costs in a step, in operations of a matrix product.
    pub cost_per_sample: f64,
    /// Where class weights and bias of given features start, by loss.
    heads: Option<GivenHeads>,
}

impl Model {
    /// Lays out the parameters for an experiment on this data.
    pub(super) fn new(experiment: &Experiment, data: &Dataset) -> Self {
        let (dim, n_classes) = (experiment.network.dim, data.n_classes());
        let activation = experiment.network.activation;
        let mut layout = Layout::default();
        let body = match (experiment.network_kind(), &data.input) {
            _ if data.given.is_some() => Body::Given,
            (NetworkKind::Cnn, InputShape::Image { height, width }) => {
                Body::Network(Network::cnn(*height, *width, dim, activation, &mut layout))
            }
            (NetworkKind::Mlp(hidden), _) => Body::Network(Network::mlp(
                data.input.dim(),
                &hidden,
                dim,
                activation,
                &mut layout,
            )),
            // `Experiment::validate` keeps a CNN away from what is no image.
            _ => Body::Free(layout.add("features", [dim, data.train.len()])),
        };
        Self {
            cost_per_sample: cost_per_sample(&body, dim, n_classes),
            body,
            weights: layout.add("head.weight", [dim, n_classes]),
            bias: layout.add("head.bias", [n_classes, 1]),
            centers: layout.add("head.centers", [dim, n_classes]),
            layout,
            dim,
            n_classes,
            n_inputs: data.input.dim(),
            heads: GivenHeads::of(data),
        }
    }

    /// Whether features are computed from inputs, and not parameters.
    pub(super) fn reads_inputs(&self) -> bool {
        !matches!(self.body, Body::Free(_))
    }

    /// Draws all parameters from the seed.
    pub(super) fn init(&self, experiment: &Experiment) -> Vec<f32> {
        let seed = experiment.run.seed;
        let mut params = vec![0.0; self.layout.len()];
        if let Some(heads) = &self.heads {
            let form = experiment.loss.spec.form;
            params[self.weights.range()].copy_from_slice(heads.weights(form));
            params[self.bias.range()].copy_from_slice(heads.bias());
            params[self.centers.range()].copy_from_slice(&heads.means);
            return params;
        }
        let mut rng = generator(seed, Stream::Head);
        self.init_weights(experiment, &mut params, &mut rng);
        match &self.body {
            Body::Network(network) => {
                let gain = if self.n_inputs == 2 {
                    Gain::POINTS
                } else {
                    Gain::ONE
                };
                network.init(&mut params, gain, &mut generator(seed, Stream::Network));
            }
            Body::Free(features) => {
                let std = if experiment.loss.spec.form.is_cosine() {
                    1.0
                } else {
                    0.1
                };
                fill_normal(&mut params[features.range()], std, &mut rng);
            }
            Body::Given => {}
        }
        params
    }

    fn init_weights(&self, experiment: &Experiment, params: &mut [f32], rng: &mut ChaCha8Rng) {
        let weights = &mut params[self.weights.range()];
        if experiment.starts_regular() {
            let mut directions = regular::regular_configuration(self.n_classes, self.dim);
            directions.shuffle(rng);
            for (column, direction) in weights.chunks_exact_mut(self.dim).zip(&directions) {
                for (w, &x) in column.iter_mut().zip(direction) {
                    *w = x as f32;
                }
            }
        } else {
            // losses.md 9: N(0, ½²) for heads with a bias, N(0, 1) for the others.
            let std = if experiment.loss.spec.form.has_bias() {
                0.5
            } else {
                1.0
            };
            fill_normal(weights, std, rng);
        }
    }

    /// Brings the weights of a network into the order of its passes.
    pub(super) fn pack(&self, params: &[f32], packed: &mut PackedWeights) {
        if let Body::Network(network) = &self.body {
            network.pack(params, packed);
        }
    }

    /// Features `[dim, n]` of these inputs, or of these samples where features are free.
    pub(super) fn features<'w>(
        &self,
        params: Parameters<'_>,
        indices: &[u32],
        inputs: &[f32],
        work: &'w mut NetworkWork,
        free: &'w mut Vec<f32>,
    ) -> &'w [f32] {
        match &self.body {
            Body::Network(network) => network.forward(params, inputs, indices.len(), work),
            Body::Free(features) => {
                let table = &params.values[features.range()];
                free.clear();
                for &index in indices {
                    free.extend_from_slice(column(table, self.dim, index));
                }
                free
            }
            Body::Given => {
                free.clear();
                free.extend_from_slice(inputs);
                free
            }
        }
    }

    /// Parameters that every sample has a part in: all but free embeddings.
    pub(super) fn shared(&self) -> std::ops::Range<usize> {
        let start = match &self.body {
            Body::Network(_) | Body::Given => 0,
            Body::Free(features) => features.range().end,
        };
        start..self.layout.len()
    }
}

/// What a sample costs in a step, in operations of a matrix product: measured for the head, 1.1 ns
/// for each class and 0.2 ns for each of its coordinates, and 15 ns for each sample, beside 0.01 ns
/// for an operation.
fn cost_per_sample(body: &Body, dim: usize, n_classes: usize) -> f64 {
    let head = 1500.0 + (110.0 + 20.0 * dim as f64) * n_classes as f64;
    match body {
        Body::Network(network) => network.n_flops() + head,
        Body::Free(_) | Body::Given => head,
    }
}

/// Column `index` of a `[dim, n]` table.
pub(super) fn column(table: &[f32], dim: usize, index: u32) -> &[f32] {
    &table[index as usize * dim..][..dim]
}

fn fill_normal(values: &mut [f32], std: f32, rng: &mut ChaCha8Rng) {
    for value in values {
        let x: f32 = StandardNormal.sample(rng);
        *value = std * x;
    }
}
