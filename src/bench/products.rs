//! Bare matrix products of the sizes that networks use: the rate that a step can at best reach.

use std::convert::Infallible;
use std::sync::Arc;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::bench::clock::measure;
use crate::bench::{BenchError, Effort, Row, WORKLOADS, Workload};
use crate::network::ProductShape;
use crate::network::matmul::{Into, Mat, matmul};
use crate::trainer::thread_pool;

/// Which of a layer's three products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// out = W·in
    Forward,
    /// ∂L/∂W = ∂L/∂out·inᵀ
    Weights,
    /// ∂L/∂in = Wᵀ·∂L/∂out
    Inputs,
}

impl Pass {
    const ALL: [Self; 3] = [Self::Forward, Self::Weights, Self::Inputs];

    fn id(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Weights => "weights",
            Self::Inputs => "inputs",
        }
    }
}

/// The matrices of a layer's three products for some samples. The weight is everybody's, as in
/// training: with one for each part, products would wait for memory that a step never reads.
struct LayerProducts {
    n_outputs: usize,
    n_inputs: usize,
    n_columns: usize,
    /// `[n_outputs, n_inputs]`
    weight: Arc<[f32]>,
    grad_weight: Vec<f32>,
    /// `[n_inputs, n_columns]`
    input: Vec<f32>,
    grad_input: Vec<f32>,
    /// `[n_outputs, n_columns]`, which stands for its own gradient, too
    output: Vec<f32>,
}

impl LayerProducts {
    fn new(layer: &ProductShape, weight: Arc<[f32]>, n_samples: usize) -> Self {
        let (n_outputs, n_inputs) = (layer.n_outputs, layer.n_inputs);
        let n_columns = layer.n_columns * n_samples;
        let input = uniform(n_inputs * n_columns);
        Self {
            n_outputs,
            n_inputs,
            n_columns,
            grad_weight: weight.to_vec(),
            weight,
            grad_input: input.clone(),
            input,
            output: uniform(n_outputs * n_columns),
        }
    }

    /// Rows, inner size, columns.
    fn shape(&self, pass: Pass) -> [usize; 3] {
        let (m, k, n) = (self.n_outputs, self.n_inputs, self.n_columns);
        match pass {
            Pass::Forward => [m, k, n],
            Pass::Weights => [m, n, k],
            Pass::Inputs => [k, m, n],
        }
    }

    fn run(&mut self, pass: Pass) {
        let (m, k, n) = (self.n_outputs, self.n_inputs, self.n_columns);
        let weight = Mat::new(&self.weight, m, k);
        let input = Mat::new(&self.input, k, n);
        match pass {
            Pass::Forward => matmul(&mut self.output, Into::Add, weight, input),
            Pass::Weights => {
                let output = Mat::new(&self.output, m, n);
                matmul(&mut self.grad_weight, Into::Add, output, input.t());
            }
            Pass::Inputs => {
                let output = Mat::new(&self.output, m, n);
                matmul(&mut self.grad_input, Into::Replace, weight.t(), output);
            }
        }
    }
}

fn weight_of(layer: &ProductShape) -> Arc<[f32]> {
    uniform(layer.n_outputs * layer.n_inputs).into()
}

fn uniform(n: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// The products of a training step and nothing else, cut as the trainer cuts a batch.
pub(super) struct StepProducts {
    /// For each chunk, its layers from the inputs on.
    chunks: Vec<Vec<LayerProducts>>,
}

impl StepProducts {
    /// `None` for a workload whose network is not worth the name, one layer or none, and for one
    /// with convolutions: these make no such products, and leave out what lies beyond an edge.
    pub(super) fn new(workload: &Workload, n_chunks: usize) -> Option<Self> {
        let layers = workload.products();
        if layers.len() < 2 || layers.iter().any(|layer| layer.n_columns > 1) {
            return None;
        }
        let n_samples = workload.batch.div_ceil(n_chunks);
        let weights: Vec<Arc<[f32]>> = layers.iter().map(weight_of).collect();
        let chunks = (0..n_chunks).map(|_| {
            let layers = layers.iter().zip(&weights);
            layers
                .map(|(layer, weight)| LayerProducts::new(layer, Arc::clone(weight), n_samples))
                .collect()
        });
        Some(Self {
            chunks: chunks.collect(),
        })
    }

    /// Makes all of them `n_steps` times on the threads of the pool that this is called in; they
    /// meet after each step, as in training.
    pub(super) fn run(&mut self, n_steps: u32) {
        for _ in 0..n_steps {
            self.chunks
                .par_iter_mut()
                .for_each(|layers| run_step(layers));
        }
    }
}

/// Forward from the first layer on, then back; the first needs no gradient of its inputs.
fn run_step(layers: &mut [LayerProducts]) {
    for layer in layers.iter_mut() {
        layer.run(Pass::Forward);
    }
    for (i, layer) in layers.iter_mut().enumerate().rev() {
        layer.run(Pass::Weights);
        if i > 0 {
            layer.run(Pass::Inputs);
        }
    }
}

/// The rate of each product of the MNIST networks, on one thread and on all.
pub(super) fn gemm_rows(effort: Effort) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for n_threads in [1, effort.n_threads] {
        if n_threads == 1 && !rows.is_empty() {
            break; // all threads are one
        }
        let pool = thread_pool(n_threads)?;
        for (network, workload) in [("mlp", &WORKLOADS[1]), ("cnn", &WORKLOADS[2])] {
            for (i, layer) in workload.products().iter().enumerate() {
                let passes = Pass::ALL
                    .into_iter()
                    .filter(|&pass| i > 0 || pass != Pass::Inputs);
                rows.extend(passes.map(|pass| {
                    let name = format!("gemm-{network}-{}-{}", layer.layer, pass.id());
                    gemm_row(name, layer, pass, workload.batch, &pool, effort.secs)
                }));
            }
        }
    }
    Ok(rows)
}

/// One product of a batch, each thread with its own share of the samples.
fn gemm_row(
    name: String,
    layer: &ProductShape,
    pass: Pass,
    batch: usize,
    pool: &rayon::ThreadPool,
    secs: f64,
) -> Row {
    let n_threads = pool.current_num_threads();
    let n_samples = batch.div_ceil(n_threads);
    let weight = weight_of(layer);
    let part = |_| LayerProducts::new(layer, Arc::clone(&weight), n_samples);
    let mut parts: Vec<LayerProducts> = (0..n_threads).map(part).collect();
    // Threads meet once a repetition: this is the rate of products, not of meetings.
    let Ok(pace) = measure::<Infallible>(secs / 10.0, &mut |n| {
        let parts = parts.par_iter_mut();
        pool.install(|| parts.for_each(|part| (0..n).for_each(|_| part.run(pass))));
        Ok(())
    });
    let n_flops = layer.n_flops(n_samples * n_threads);
    let shape = parts.first().map(|part| part.shape(pass));
    Row {
        shape,
        ..Row::new(name, n_samples * n_threads, pace, n_flops, n_threads)
    }
}
