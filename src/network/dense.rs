//! A fully connected layer: out = W·in + b.

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use std::ops::Range;

use rand::{Rng, RngExt as _};

use crate::network::ProductShape;
use crate::network::matmul::{Into, Mat, PackedWeight, matmul};
use crate::network::params::{Layout, Tensor};
use crate::network::thin::thin_product;
use crate::network::tile::{COLUMNS, GROUP};
use crate::simd::dispatch;

/// Weights that have fewer elements are not cut for two threads: on a batch of 128 they take less
/// than the 5 µs after which another thread is there.
const LEAST_TO_CUT: usize = 4096;

/// W `[outputs, inputs]`, b `[outputs]`.
#[derive(Clone, Debug)]
pub struct Dense {
    n_inputs: usize,
    n_outputs: usize,
    weight: Tensor,
    bias: Tensor,
}

impl Dense {
    /// Registers its tensors as `name.weight` and `name.bias`.
    pub fn new(name: &str, n_inputs: usize, n_outputs: usize, layout: &mut Layout) -> Self {
        Self {
            n_inputs,
            n_outputs,
            weight: layout.add(format!("{name}.weight"), [n_outputs, n_inputs]),
            bias: layout.add(format!("{name}.bias"), [n_outputs, 1]),
        }
    }

    /// Number of outputs per sample.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Its product, W·in.
    pub fn product(&self) -> ProductShape {
        ProductShape::of(&self.weight, 1)
    }

    /// Draws weight and bias from U(±1/√inputs), as PyTorch does, the weight times `gain`.
    pub fn init(&self, params: &mut [f32], gain: f32, rng: &mut impl Rng) {
        let weight = &mut params[self.weight.range()];
        init_uniform(weight, self.n_inputs, rng);
        for w in weight {
            *w *= gain;
        }
        init_uniform(&mut params[self.bias.range()], self.n_inputs, rng);
    }

    fn weight<'a>(&self, params: &'a [f32]) -> Mat<'a> {
        Mat::new(&params[self.weight.range()], self.n_outputs, self.n_inputs)
    }

    /// Brings its weight into the order of its products.
    pub fn pack(&self, params: &[f32], is_backward_wanted: bool, packed: &mut PackedWeight) {
        packed.pack(self.weight(params), is_backward_wanted);
    }

    /// `input` `[inputs, n]` to `output` `[outputs, n]`.
    pub fn forward(
        &self,
        params: &[f32],
        packed: &PackedWeight,
        input: &[f32],
        n: usize,
        output: &mut [f32],
    ) {
        let bias = &params[self.bias.range()];
        for column in output[..self.n_outputs * n].chunks_exact_mut(self.n_outputs) {
            column.copy_from_slice(bias);
        }
        let input = Mat::new(input, self.n_inputs, n);
        if !thin_product(output, Into::Add, self.weight(params), input) {
            packed.forward.times(output, Into::Add, input);
        }
    }

    /// Writes ∂L/∂b to `grads`, and ∂L/∂in `[inputs, n]` where it is wanted;
    /// [`weight_gradient`](Self::weight_gradient) gives the rest.
    pub fn backward(
        &self,
        packed: &PackedWeight,
        n: usize,
        grad_output: &[f32],
        grads: &mut [f32],
        grad_input: Option<&mut [f32]>,
    ) {
        sum_columns(
            &mut grads[self.bias.range()],
            &grad_output[..self.n_outputs * n],
        );
        if let Some(grad_input) = grad_input {
            let grad = Mat::new(grad_output, self.n_outputs, n);
            packed.backward.times(grad_input, Into::Replace, grad);
        }
    }

    /// Columns `columns` of ∂L/∂W, in place of `grad_weight` or added to it.
    pub fn weight_gradient(
        &self,
        columns: Range<usize>,
        input: &[f32],
        grad_output: &[f32],
        into: Into,
        grad_weight: &mut [f32],
    ) {
        let n = grad_output.len() / self.n_outputs;
        let input = Mat::new(input, self.n_inputs, n).rows(columns);
        let grad = Mat::new(grad_output, self.n_outputs, n);
        matmul(grad_weight, into, grad, input.t());
    }

    /// W in blocks of columns of about `len` elements, nearly equal and cut where tiles end: columns
    /// and elements of the flat buffer.
    pub fn weight_blocks(
        &self,
        len: usize,
    ) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + '_ {
        let n_tiles = self.n_inputs.div_ceil(COLUMNS);
        let n_elements = self.n_outputs * self.n_inputs;
        let n_blocks = if n_elements < LEAST_TO_CUT {
            1
        } else {
            n_elements
                .div_ceil(len)
                .next_power_of_two()
                .clamp(2, n_tiles)
        };
        let column = move |block: usize| (n_tiles * block / n_blocks * COLUMNS).min(self.n_inputs);
        let element = |column| self.weight.offset + column * self.n_outputs;
        (0..n_blocks).map(move |block| {
            let columns = column(block)..column(block + 1);
            let elements = element(columns.start)..element(columns.end);
            (columns, elements)
        })
    }
}

/// U(±1/√`fan_in`), PyTorch's default for dense and convolution layers.
pub(in crate::network) fn init_uniform(values: &mut [f32], fan_in: usize, rng: &mut impl Rng) {
    let bound = 1.0 / (fan_in as f32).sqrt();
    for value in values {
        *value = rng.random_range(-bound..bound);
    }
}

/// Sums the columns of `columns`: the gradient of a bias.
pub(in crate::network) fn sum_columns(sum: &mut [f32], columns: &[f32]) {
    dispatch(SumColumns { sum, columns });
}

struct SumColumns<'a> {
    /// `[m]`
    sum: &'a mut [f32],
    /// `[m, n]`
    columns: &'a [f32],
}

impl pulp::WithSimd for SumColumns<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { sum, columns } = self;
        let m = sum.len();
        let (groups, rest) = sum.as_chunks_mut::<GROUP>();
        for (i, to) in groups.iter_mut().enumerate() {
            let mut sums = [0.0; GROUP]; // in registers, unlike what is borrowed
            for column in columns.chunks_exact(m) {
                for (sum, &x) in sums.iter_mut().zip(&column[i * GROUP..][..GROUP]) {
                    *sum += x;
                }
            }
            *to = sums;
        }
        rest.fill(0.0);
        for column in columns.chunks_exact(m) {
            for (sum, &x) in rest.iter_mut().zip(&column[m - m % GROUP..]) {
                *sum += x;
            }
        }
    }
}
