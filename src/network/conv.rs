//! A square convolution with stride and zero padding, through im2col and one product per block.
//!
//! Images are channels-last: a sample is one contiguous column, pixel after pixel, each with its
//! channels. A few samples are unfolded at a time, so that the unfolded block stays in cache.

use rand::Rng;

use crate::network::ProductShape;
use crate::network::dense::{add_columns, init_uniform};
use crate::network::matmul::{Into, Mat, matmul};
use crate::network::params::{Layout, Tensor};

/// Samples unfolded together; 400 taps × 49 pixels × 8 samples are 627 kB.
const BLOCK: usize = 8;

/// Sizes of an image: height and width in pixels, channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Numbers per pixel.
    pub channels: usize,
}

impl ImageShape {
    /// Number of pixels.
    pub fn n_pixels(self) -> usize {
        self.height * self.width
    }

    /// Numbers in a sample.
    pub fn len(self) -> usize {
        self.n_pixels() * self.channels
    }

    /// Whether there is no pixel.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Kernel `[out channels, taps]` with taps = side² × in channels, bias `[out channels]`.
#[derive(Clone, Debug)]
pub struct Conv {
    input: ImageShape,
    output: ImageShape,
    side: usize,
    stride: usize,
    padding: usize,
    weight: Tensor,
    bias: Tensor,
}

/// Unfolded pixels, allocated once.
#[derive(Clone, Debug, Default)]
pub struct ConvWork {
    /// `[taps, out pixels × block]`
    unfolded: Vec<f32>,
    /// its gradient
    grad_unfolded: Vec<f32>,
}

impl Conv {
    /// Registers its tensors as `name.weight` and `name.bias`.
    pub fn new(
        name: &str,
        input: ImageShape,
        channels: usize,
        side: usize,
        stride: usize,
        padding: usize,
        layout: &mut Layout,
    ) -> Self {
        let outputs = |pixels: usize| (pixels + 2 * padding - side) / stride + 1;
        let taps = side * side * input.channels;
        Self {
            input,
            output: ImageShape {
                height: outputs(input.height),
                width: outputs(input.width),
                channels,
            },
            side,
            stride,
            padding,
            weight: layout.add(format!("{name}.weight"), [channels, taps]),
            bias: layout.add(format!("{name}.bias"), [channels, 1]),
        }
    }

    /// Shape of what it gives.
    pub fn output(&self) -> ImageShape {
        self.output
    }

    /// Its product, kernel times unfolded pixels.
    pub fn product(&self) -> ProductShape {
        ProductShape::of(&self.weight, self.output.n_pixels())
    }

    fn n_taps(&self) -> usize {
        self.weight.shape[1]
    }

    /// Draws kernel and bias from U(±1/√taps), as PyTorch does.
    pub fn init(&self, params: &mut [f32], rng: &mut impl Rng) {
        init_uniform(&mut params[self.weight.range()], self.n_taps(), rng);
        init_uniform(&mut params[self.bias.range()], self.n_taps(), rng);
    }

    /// `input` `[in, n]` to `output` `[out, n]`.
    pub fn forward(
        &self,
        params: &[f32],
        input: &[f32],
        n: usize,
        output: &mut [f32],
        work: &mut ConvWork,
    ) {
        let bias = &params[self.bias.range()];
        for pixel in output[..self.output.len() * n].chunks_exact_mut(bias.len()) {
            pixel.copy_from_slice(bias);
        }
        let weight = Mat::new(
            &params[self.weight.range()],
            self.output.channels,
            self.n_taps(),
        );
        let inputs = input[..self.input.len() * n].chunks(self.input.len() * BLOCK);
        let outputs = output[..self.output.len() * n].chunks_mut(self.output.len() * BLOCK);
        for (input, output) in inputs.zip(outputs) {
            let n_columns = self.unfold(input, &mut work.unfolded);
            let unfolded = Mat::new(&work.unfolded, self.n_taps(), n_columns);
            matmul(output, Into::Add, weight, unfolded);
        }
    }

    /// Adds ∂L/∂kernel and ∂L/∂b to `grads`; writes ∂L/∂in where it is wanted.
    #[expect(
        clippy::too_many_arguments,
        reason = "forward's arguments in forward's order, with their gradients"
    )]
    pub fn backward(
        &self,
        params: &[f32],
        input: &[f32],
        n: usize,
        grad_output: &[f32],
        grads: &mut [f32],
        mut grad_input: Option<&mut [f32]>,
        work: &mut ConvWork,
    ) {
        let channels = self.output.channels;
        add_columns(
            &mut grads[self.bias.range()],
            &grad_output[..self.output.len() * n],
        );
        let weight = Mat::new(&params[self.weight.range()], channels, self.n_taps());
        let block_len = self.input.len() * BLOCK;
        let inputs = input[..self.input.len() * n].chunks(block_len);
        let blocks =
            inputs.zip(grad_output[..self.output.len() * n].chunks(self.output.len() * BLOCK));
        for (i, (input, grad_output)) in blocks.enumerate() {
            let n_columns = self.unfold(input, &mut work.unfolded);
            let grad = Mat::new(grad_output, channels, n_columns);
            let unfolded = Mat::new(&work.unfolded, self.n_taps(), n_columns);
            matmul(
                &mut grads[self.weight.range()],
                Into::Add,
                grad,
                unfolded.t(),
            );
            if let Some(grad_input) = grad_input.as_deref_mut() {
                work.grad_unfolded.resize(self.n_taps() * n_columns, 0.0);
                matmul(&mut work.grad_unfolded, Into::Replace, weight.t(), grad);
                self.fold(
                    &work.grad_unfolded,
                    &mut grad_input[i * block_len..][..input.len()],
                );
            }
        }
    }

    /// im2col: writes `[taps, out pixels × samples]` and returns the number of columns.
    fn unfold(&self, input: &[f32], unfolded: &mut Vec<f32>) -> usize {
        let n_columns = input.len() / self.input.len() * self.output.n_pixels();
        unfolded.resize(n_columns * self.n_taps(), 0.0);
        self.for_each_row_of_taps(input.len() / self.input.len(), |sample, taps, pixels| {
            match pixels {
                Some((zeros_before, pixels)) => {
                    let row = &mut unfolded[taps];
                    row[..zeros_before].fill(0.0);
                    let from = &input[sample * self.input.len()..][pixels];
                    row[zeros_before..zeros_before + from.len()].copy_from_slice(from);
                    row[zeros_before + from.len()..].fill(0.0);
                }
                None => unfolded[taps].fill(0.0),
            }
        });
        n_columns
    }

    /// The transpose of [`Conv::unfold`]: sums each pixel's taps.
    fn fold(&self, unfolded: &[f32], grad_input: &mut [f32]) {
        grad_input.fill(0.0);
        self.for_each_row_of_taps(
            grad_input.len() / self.input.len(),
            |sample, taps, pixels| {
                let Some((zeros_before, pixels)) = pixels else {
                    return;
                };
                let to = &mut grad_input[sample * self.input.len()..][pixels];
                for (to, &from) in to.iter_mut().zip(&unfolded[taps][zeros_before..]) {
                    *to += from;
                }
            },
        );
    }

    /// Calls `visit(sample, taps, pixels)` for each kernel row of each output pixel: `taps` is its
    /// place in the unfolded buffer, `pixels` the number of taps before the image's left edge and
    /// the stretch of the sample it lies on, or `None` above and below the image.
    fn for_each_row_of_taps(
        &self,
        n_samples: usize,
        mut visit: impl FnMut(usize, std::ops::Range<usize>, Option<(usize, std::ops::Range<usize>)>),
    ) {
        let (channels, width) = (self.input.channels, self.input.width);
        let row_len = self.side * channels;
        let mut at = 0;
        for sample in 0..n_samples {
            for out_y in 0..self.output.height {
                for out_x in 0..self.output.width {
                    let left = (out_x * self.stride) as isize - self.padding as isize;
                    let first = left.max(0) as usize;
                    let last = ((left + self.side as isize) as usize).min(width);
                    for kernel_y in 0..self.side {
                        let y = (out_y * self.stride + kernel_y).checked_sub(self.padding);
                        let pixels = y.filter(|&y| y < self.input.height).map(|y| {
                            let zeros_before = (first as isize - left) as usize * channels;
                            (
                                zeros_before,
                                (y * width + first) * channels..(y * width + last) * channels,
                            )
                        });
                        visit(sample, at..at + row_len, pixels);
                        at += row_len;
                    }
                }
            }
        }
    }
}
