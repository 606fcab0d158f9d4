//! A fully connected layer: out = W·in + b.

use std::ops::Range;

use rand::{Rng, RngExt as _};

use crate::network::ProductShape;
use crate::network::matmul::{Into, Mat, matmul};
use crate::network::params::{Layout, Tensor};
use crate::network::tile::COLUMNS;

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

    /// Draws weight and bias from U(±1/√inputs), as PyTorch does.
    pub fn init(&self, params: &mut [f32], rng: &mut impl Rng) {
        init_uniform(&mut params[self.weight.range()], self.n_inputs, rng);
        init_uniform(&mut params[self.bias.range()], self.n_inputs, rng);
    }

    /// `input` `[inputs, n]` to `output` `[outputs, n]`.
    pub fn forward(&self, params: &[f32], input: &[f32], n: usize, output: &mut [f32]) {
        let bias = &params[self.bias.range()];
        for column in output[..self.n_outputs * n].chunks_exact_mut(self.n_outputs) {
            column.copy_from_slice(bias);
        }
        let weight = Mat::new(&params[self.weight.range()], self.n_outputs, self.n_inputs);
        matmul(output, Into::Add, weight, Mat::new(input, self.n_inputs, n));
    }

    /// Writes ∂L/∂b to `grads`, and ∂L/∂in `[inputs, n]` where it is wanted;
    /// [`weight_gradient`](Self::weight_gradient) gives the rest.
    pub fn backward(
        &self,
        params: &[f32],
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
            let weight = Mat::new(&params[self.weight.range()], self.n_outputs, self.n_inputs);
            let grad = Mat::new(grad_output, self.n_outputs, n);
            matmul(grad_input, Into::Replace, weight.t(), grad);
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
        let n_blocks = (self.n_outputs * self.n_inputs).div_ceil(len);
        let n_blocks = n_blocks.next_power_of_two().min(n_tiles);
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
    sum.fill(0.0);
    for column in columns.chunks_exact(sum.len()) {
        for (sum, &x) in sum.iter_mut().zip(column) {
            *sum += x;
        }
    }
}
