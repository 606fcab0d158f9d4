//! A part of a batch: forward, head and backward with buffers of its own.

use crate::data::Split;
use crate::loss::{Head, HeadGrads, HeadInput, HeadWork, Values};
use crate::network::{NetworkWork, Parameters};
use crate::trainer::model::{Body, Model};

/// A fixed part of the batch with its own buffers, so that sums do not depend on threads.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    inputs: Vec<f32>,
    labels: Vec<u16>,
    free: Vec<f32>,
    network: NetworkWork,
    head: HeadWork<f32>,
    /// ∂L/∂x `[dim, n]`
    pub(super) grad_features: Vec<f32>,
    /// ∂L/∂params of what all samples share, but for the weights of dense layers `[shared params]`
    pub(super) grads: Vec<f32>,
    /// Σ(x − c) and counts `[dim + 1, classes]`
    pub(super) center_sums: Vec<f32>,
    pub(super) loss: f64,
}

impl Chunk {
    #[expect(
        clippy::too_many_arguments,
        reason = "all borrowed from the trainer, apart from its chunks"
    )]
    pub(super) fn run(
        &mut self,
        model: &Model,
        head: &Head,
        split: &Split,
        params: Parameters<'_>,
        values: &Values<f32>,
        indices: &[u32],
        batch: usize,
    ) {
        let dim = model.dim;
        self.labels.clear();
        self.labels
            .extend(indices.iter().map(|&i| split.labels()[i as usize]));
        if model.reads_inputs() {
            self.inputs.resize(indices.len() * model.n_inputs, 0.0);
            split.gather(indices, &mut self.inputs);
        }
        let shared = model.shared();
        self.grads.resize(shared.len(), 0.0);
        let keeps_centers = head.spec.penalty.is_some();
        self.center_sums.resize(
            if keeps_centers {
                (dim + 1) * model.n_classes
            } else {
                0
            },
            0.0,
        );
        self.center_sums.fill(0.0);
        self.grad_features.resize(indices.len() * dim, 0.0);

        let features = model.features(
            params,
            indices,
            &self.inputs,
            &mut self.network,
            &mut self.free,
        );
        let input = HeadInput {
            features,
            labels: &self.labels,
            weights: &params.values[model.weights.range()],
            bias: &params.values[model.bias.range()],
            centers: &params.values[model.centers.range()],
            batch,
        };
        let n_body = model.weights.offset - shared.start;
        let (body_grads, head_grads) = self.grads.split_at_mut(n_body);
        head_grads.fill(0.0);
        let (weights, rest) = head_grads.split_at_mut(dim * model.n_classes);
        let mut grads = HeadGrads {
            features: &mut self.grad_features,
            weights,
            bias: &mut rest[..model.n_classes],
            center_sums: &mut self.center_sums,
        };
        self.loss = head.run(input, values, &mut self.head, &mut grads);
        if let Body::Network(network) = &model.body {
            network.backward(
                params,
                &self.inputs,
                indices.len(),
                &self.grad_features,
                &mut self.network,
                body_grads,
            );
        }
    }

    /// Its inputs `[inputs, n]`, and what its passes through the network left.
    pub(super) fn network_pass(&self) -> (&[f32], &NetworkWork) {
        (&self.inputs, &self.network)
    }
}
