//! Parts of a training step: the head by loss, a convolution beside its bare product, the probe.

#![expect(clippy::expect_used, reason = "a bench ends where its premises fail")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use marginscope::experiment::Experiment;
use marginscope::loss::{Form, Head, HeadGrads, HeadInput, HeadWork, LOSSES, LossSpec, Setting};
use marginscope::network::Layout;
use marginscope::network::conv::{Conv, ConvWork};
use marginscope::network::image::ImageShape;
use marginscope::network::matmul::{Into, Mat, PackedWeight, matmul};
use marginscope::trainer::{EmbedWork, Trainer, measure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    heads(&mut criterion);
    convolution(&mut criterion);
    probe(&mut criterion);
    criterion.final_summary();
}

fn uniform(n: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// What a head reads and writes, for 1,024 samples in 2-D.
struct HeadProblem {
    head: Head,
    labels: Vec<u16>,
    features: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
    grad_features: Vec<f32>,
    grad_weights: Vec<f32>,
    grad_bias: Vec<f32>,
    center_sums: Vec<f32>,
}

const N_SAMPLES: usize = 1024;
const DIM: usize = 2;

impl HeadProblem {
    fn new(spec: &'static LossSpec) -> Self {
        let n_classes = if spec.form == Form::Binary { 2 } else { 10 };
        let keeps_centers = spec.penalty.is_some();
        Self {
            head: Head {
                spec,
                dim: DIM,
                n_classes,
            },
            labels: (0..N_SAMPLES).map(|i| (i % n_classes) as u16).collect(),
            features: uniform(DIM * N_SAMPLES),
            weights: uniform(DIM * n_classes),
            bias: vec![0.0; n_classes],
            grad_features: vec![0.0; DIM * N_SAMPLES],
            grad_weights: vec![0.0; DIM * n_classes],
            grad_bias: vec![0.0; n_classes],
            center_sums: vec![
                0.0;
                if keeps_centers {
                    (DIM + 1) * n_classes
                } else {
                    0
                }
            ],
        }
    }

    fn split(&mut self) -> (Head, HeadInput<'_, f32>, HeadGrads<'_, f32>) {
        let input = HeadInput {
            features: &self.features,
            labels: &self.labels,
            weights: &self.weights,
            bias: &self.bias,
            centers: &self.weights,
            batch: N_SAMPLES,
        };
        let grads = HeadGrads {
            features: &mut self.grad_features,
            weights: &mut self.grad_weights,
            bias: &mut self.grad_bias,
            center_sums: &mut self.center_sums,
        };
        (self.head, input, grads)
    }
}

/// Forward and backward of every loss of the registry.
fn heads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("head");
    group.throughput(Throughput::Elements(N_SAMPLES as u64));
    for spec in LOSSES {
        let mut problem = HeadProblem::new(spec);
        let (head, input, mut grads) = problem.split();
        let setting = Setting {
            n_classes: head.n_classes,
            dim: DIM,
        };
        let values = spec.defaults(setting).map(|value| value as f32);
        let mut work = HeadWork::default();
        group.bench_function(spec.id, |bencher| {
            bencher.iter(|| head.run(black_box(input), &values, &mut work, &mut grads));
        });
    }
    group.finish();
}

/// The second convolution of the CNN on the samples of a chunk, beside its product alone.
fn convolution(criterion: &mut Criterion) {
    const N: usize = 64;
    let input_shape = ImageShape {
        height: 14,
        width: 14,
        channels: 16,
    };
    let mut layout = Layout::default();
    let conv = Conv::new("conv2", input_shape, 32, 2, 2, &mut layout);
    let (params, input) = (uniform(layout.len()), uniform(input_shape.len() * N));
    let mut output = vec![0.0; conv.output().len() * N];
    let (mut work, mut packed) = (ConvWork::default(), PackedWeight::default());
    conv.pack(&params, true, &mut packed);
    let mut group = criterion.benchmark_group("convolution");
    group.throughput(Throughput::Elements(N as u64));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| {
            conv.forward(
                &params,
                &packed,
                black_box(&input),
                N,
                &mut output,
                &mut work,
            );
        });
    });
    let mut grads = vec![0.0; layout.len()];
    let (mut grad_input, grad_output) = (input.clone(), output.clone());
    group.bench_function("backward", |bencher| {
        bencher.iter(|| {
            let grad_input = Some(grad_input.as_mut_slice());
            conv.backward(
                &packed,
                &input,
                N,
                &grad_output,
                &mut grads,
                grad_input,
                &mut work,
            );
        });
    });
    let shape = conv.product();
    let n_columns = shape.n_columns * N;
    let unfolded = uniform(shape.n_inputs * n_columns);
    group.bench_function("product alone", |bencher| {
        bencher.iter(|| {
            let kernel = Mat::new(&params, shape.n_outputs, shape.n_inputs);
            let unfolded = Mat::new(black_box(&unfolded), shape.n_inputs, n_columns);
            matmul(&mut output, Into::Replace, kernel, unfolded);
        });
    });
    group.finish();
}

/// A slice of the drawn samples, and the metrics over all of them.
fn probe(criterion: &mut Criterion) {
    const SLICE: usize = 64;
    let mut group = criterion.benchmark_group("probe");
    for network in ["cnn", "mlp:256,128"] {
        let mut experiment = Experiment::default();
        experiment.set("network.kind", network).expect("a network");
        let trainer = Trainer::new(&experiment, None, 1).expect("training starts");
        let indices: Vec<u32> = (0..SLICE as u32).collect();
        let (mut work, mut features) = (EmbedWork::default(), vec![0.0; 2 * SLICE]);
        let split = &trainer.data().train;
        group.throughput(Throughput::Elements(SLICE as u64));
        group.bench_function(format!("slice/{network}"), |bencher| {
            bencher.iter(|| trainer.embed(split, black_box(&indices), &mut work, &mut features));
        });
    }
    let trainer = Trainer::new(&Experiment::default(), None, 1).expect("training starts");
    let head = trainer.head_state();
    for n in [2000, 70_000] {
        let (features, labels) = (uniform(2 * n), vec![3; n]);
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(format!("metrics/{n}"), |bencher| {
            bencher.iter(|| measure(&head, black_box(&features), &labels));
        });
    }
    group.finish();
}
