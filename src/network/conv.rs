//! A square convolution with stride and zero padding, computed directly.
//!
//! Images are channels-last: a sample is one contiguous column, pixel after pixel, each with its
//! channels. The same pixel of several samples is computed at a time: they meet the same taps of the
//! kernel, so that taps beyond the edge of the image are left out (a sixth of all on 14×14 pixels)
//! and nothing is padded, whatever the size. Unfolding (im2col) with one product for eight samples
//! took twice as long: it moves every pixel six times, once more into the product's own buffers, and
//! once more back.

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use pulp::Simd;
use rand::Rng;

use crate::network::ProductShape;
use crate::network::dense::{init_uniform, sum_columns};
use crate::network::image::{Axis, ImageShape, SIDE};
use crate::network::matmul::{Mat, Packed, PackedWeight};
use crate::network::params::{Layout, Tensor};
use crate::network::tile::{GROUP, Tile, WIDE_GROUP, WithTiles, each, with_tiles, with_wide_tiles};

/// Kernel of 5×5 pixels `[out channels, taps]` with taps = 25 × in channels, bias `[out channels]`.
#[derive(Clone, Debug)]
pub struct Conv {
    input: ImageShape,
    output: ImageShape,
    down: Axis,
    across: Axis,
    weight: Tensor,
    bias: Tensor,
}

/// Buffers of one convolution, allocated once.
#[derive(Clone, Debug, Default)]
pub struct ConvWork {
    /// A few samples side by side `[samples, in]`, or their ∂L/∂out `[samples, out]`
    interleaved: Vec<f32>,
    /// A grey sample with zeros around it
    padded: Vec<f32>,
}

impl Conv {
    /// Registers its tensors as `name.weight` and `name.bias`.
    ///
    /// # Panics
    /// If `channels` is not a multiple of 16: a fault of the caller, never of user input.
    pub fn new(
        name: &str,
        input: ImageShape,
        channels: usize,
        stride: usize,
        padding: usize,
        layout: &mut Layout,
    ) -> Self {
        assert!(
            channels.is_multiple_of(GROUP),
            "channels of a convolution come in groups of {GROUP}"
        );
        let [down, across] = [input.height, input.width].map(|n| Axis::new(n, stride, padding));
        let taps = SIDE * SIDE * input.channels;
        Self {
            input,
            output: ImageShape {
                height: down.n_outputs,
                width: across.n_outputs,
                channels,
            },
            down,
            across,
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

    /// Brings its kernel into the order of its passes.
    pub fn pack(&self, params: &[f32], is_backward_wanted: bool, packed: &mut PackedWeight) {
        let [channels, taps] = self.weight.shape;
        let kernel = Mat::new(&params[self.weight.range()], channels, taps);
        packed.pack(kernel, is_backward_wanted);
    }

    /// `input` `[in, n]` to `output` `[out, n]`.
    pub fn forward(
        &self,
        params: &[f32],
        packed: &PackedWeight,
        input: &[f32],
        n: usize,
        output: &mut [f32],
        work: &mut ConvWork,
    ) {
        let op = Forward {
            conv: self,
            kernel: &packed.forward,
            bias: &params[self.bias.range()],
            input: &input[..self.input.len() * n],
            output: &mut output[..self.output.len() * n],
            interleaved: &mut work.interleaved,
        };
        if packed.forward.group_len() == WIDE_GROUP {
            with_wide_tiles(op);
        } else {
            with_tiles(op);
        }
    }

    /// Writes ∂L/∂kernel and ∂L/∂b to `grads`, and ∂L/∂in where it is wanted.
    ///
    /// # Panics
    /// If ∂L/∂in is wanted and the input's channels are not a multiple of 16: the grey image at
    /// the bottom of a network needs none.
    #[expect(
        clippy::too_many_arguments,
        reason = "forward's arguments in forward's order, with their gradients"
    )]
    pub fn backward(
        &self,
        packed: &PackedWeight,
        input: &[f32],
        n: usize,
        grad_output: &[f32],
        grads: &mut [f32],
        grad_input: Option<&mut [f32]>,
        work: &mut ConvWork,
    ) {
        let grad_output = &grad_output[..self.output.len() * n];
        sum_columns(&mut grads[self.bias.range()], grad_output);
        let grad_kernel = &mut grads[self.weight.range()];
        grad_kernel.fill(0.0);
        let op = Weights {
            conv: self,
            input: &input[..self.input.len() * n],
            grad_output,
            grad_kernel,
            padded: &mut work.padded,
        };
        if packed.forward.group_len() == WIDE_GROUP {
            with_wide_tiles(op);
        } else {
            with_tiles(op);
        }
        if let Some(grad_input) = grad_input {
            assert!(
                self.input.channels.is_multiple_of(GROUP),
                "gradient of a grey image"
            );
            let op = Inputs {
                conv: self,
                kernel: &packed.backward,
                grad_output,
                grad_input: &mut grad_input[..self.input.len() * n],
                interleaved: &mut work.interleaved,
            };
            if packed.backward.group_len() == WIDE_GROUP {
                with_wide_tiles(op);
            } else {
                with_tiles(op);
            }
        }
    }
}

/// out = kernel · taps of each output pixel + b
struct Forward<'a> {
    conv: &'a Conv,
    kernel: &'a Packed,
    bias: &'a [f32],
    /// `[in, n]`
    input: &'a [f32],
    /// `[out, n]`
    output: &'a mut [f32],
    interleaved: &'a mut Vec<f32>,
}

impl WithTiles for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(self, simd: S) {
        let Self {
            conv,
            kernel,
            bias,
            input,
            output,
            interleaved,
        } = self;
        let len = Tile::<S, R, P>::GROUP;
        let (n_inputs, n_outputs) = (conv.input.len(), conv.output.len());
        let n = input.len() / n_inputs;
        for first in (0..n).step_by(P) {
            interleave::<P>(input, n_inputs, first, interleaved);
            for (group, kernel) in kernel.groups().enumerate() {
                for (y, x) in conv.output.pixels() {
                    let tile = conv.forward_tile::<S, R, P>(simd, kernel, interleaved, y, x);
                    let channel = group * len;
                    let bias = &bias[channel..channel + len];
                    let at = (y * conv.output.width + x) * conv.output.channels + channel;
                    for (p, sample) in (first..n.min(first + P)).enumerate() {
                        let start = sample * n_outputs + at;
                        tile.put_from(p, bias, &mut output[start..start + len]);
                    }
                }
            }
        }
    }
}

impl Conv {
    #[inline(always)]
    fn forward_tile<S: Simd, const R: usize, const P: usize>(
        &self,
        simd: S,
        kernel: &[f32],
        interleaved: &[f32],
        y: usize,
        x: usize,
    ) -> Tile<S, R, P> {
        let len = Tile::<S, R, P>::GROUP;
        let mut tile = Tile::zero(simd);
        let across = self.across.taps(x);
        let n_taps = across.len() * self.input.channels;
        for tap_y in self.down.taps(y) {
            let tap = (tap_y * SIDE + across.start) * self.input.channels;
            let pixel =
                self.down.input(y, tap_y) * self.input.width + self.across.input(x, across.start);
            let factors = &interleaved[pixel * self.input.channels * P..][..n_taps * P];
            let taps = &kernel[tap * len..][..n_taps * len];
            for (group, factors) in taps.chunks_exact(len).zip(factors.chunks_exact(P)) {
                tile.add(group, each(factors));
            }
        }
        tile
    }
}

/// Puts `P` columns of `len` numbers from `first` on side by side, `[P, len]`; where there are fewer,
/// the last stands for the rest.
#[inline(always)]
fn interleave<const P: usize>(columns: &[f32], len: usize, first: usize, out: &mut Vec<f32>) {
    let last = columns.len() / len - 1;
    let mut samples = [&columns[..0]; P];
    for (i, sample) in samples.iter_mut().enumerate() {
        *sample = &columns[(first + i).min(last) * len..][..len];
    }
    out.resize(P * len, 0.0);
    let (out, _) = out.as_chunks_mut::<P>();
    for (i, out) in out.iter_mut().enumerate() {
        for (to, sample) in out.iter_mut().zip(samples) {
            *to = sample[i];
        }
    }
}

/// ∂L/∂kernel += Σ over output pixels of ∂L/∂out · taps
struct Weights<'a> {
    conv: &'a Conv,
    /// `[in, n]`
    input: &'a [f32],
    /// `[out, n]`
    grad_output: &'a [f32],
    /// `[out channels, taps]`
    grad_kernel: &'a mut [f32],
    padded: &'a mut Vec<f32>,
}

impl WithTiles for Weights<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(mut self, simd: S) {
        let conv = self.conv;
        let is_grey = conv.input.channels == 1;
        let samples = self.input.chunks_exact(conv.input.len());
        for (input, grads) in samples.zip(self.grad_output.chunks_exact(conv.output.len())) {
            if is_grey {
                conv.pad(input, self.padded);
            }
            for channel in (0..conv.output.channels).step_by(Tile::<S, R, P>::GROUP) {
                if is_grey && R * SIDE * SIDE < S::REGISTER_COUNT {
                    self.rows_of_pixels::<S, R, SIDE>(simd, grads, channel, 0);
                    continue;
                }
                for tap_y in 0..SIDE {
                    if is_grey {
                        self.rows_of_pixels::<S, R, 1>(simd, grads, channel, tap_y);
                    } else {
                        self.row_of_channels::<S, R, P>(simd, input, grads, channel, tap_y);
                    }
                }
            }
        }
    }
}

impl Conv {
    /// Rows and columns of an image with zeros around it, as far as the last kernels reach.
    fn padded_size(&self) -> [usize; 2] {
        [self.down, self.across].map(|axis| {
            let reach = (axis.n_outputs - 1) * axis.stride + SIDE;
            reach.max(axis.n_inputs + axis.padding)
        })
    }

    /// Copies a grey sample between zeros.
    fn pad(&self, input: &[f32], padded: &mut Vec<f32>) {
        let [height, width] = self.padded_size();
        padded.resize(height * width, 0.0);
        let rows = padded.chunks_exact_mut(width).skip(self.down.padding);
        for (padded, row) in rows.zip(input.chunks_exact(self.input.width)) {
            padded[self.across.padding..][..row.len()].copy_from_slice(row);
        }
    }
}

impl Weights<'_> {
    /// A row of the kernel where each tap has many channels: `P` of them at a time.
    #[inline(always)]
    fn row_of_channels<S: Simd, const R: usize, const P: usize>(
        &mut self,
        simd: S,
        input: &[f32],
        grads: &[f32],
        channel: usize,
        tap_y: usize,
    ) {
        let conv = self.conv;
        let (n_in, n_out) = (conv.input.channels, conv.output.channels);
        let len = Tile::<S, R, P>::GROUP;
        let step = conv.across.stride * n_in;
        for tap_x in 0..SIDE {
            let across = conv.across.outputs(tap_x);
            if across.is_empty() {
                continue; // a tap that never lies on so small an image
            }
            for first in (0..n_in).step_by(P) {
                let mut tile = Tile::<S, R, P>::zero(simd);
                for y in conv.down.outputs(tap_y) {
                    let pixel = conv.down.input(y, tap_y) * conv.input.width
                        + conv.across.input(across.start, tap_x);
                    let taps = &input[pixel * n_in + first..];
                    let grads = &grads[(y * conv.output.width + across.start) * n_out + channel..];
                    for x in 0..across.len() {
                        tile.add(&grads[x * n_out..][..len], each(&taps[x * step..]));
                    }
                }
                for i in 0..P {
                    let tap = (tap_y * SIDE + tap_x) * n_in + first + i;
                    let at = tap * n_out + channel;
                    tile.add_to(i, &mut self.grad_kernel[at..at + len]);
                }
            }
        }
    }

    /// `ROWS` rows of the kernel of a grey image, all their taps at once.
    #[inline(always)]
    fn rows_of_pixels<S: Simd, const R: usize, const ROWS: usize>(
        &mut self,
        simd: S,
        grads: &[f32],
        channel: usize,
        first_tap_y: usize,
    ) {
        let conv = self.conv;
        let (n_out, [_, width]) = (conv.output.channels, conv.padded_size());
        let len = Tile::<S, R, SIDE>::GROUP;
        let mut tiles = [Tile::<S, R, SIDE>::zero(simd); ROWS];
        for y in 0..conv.output.height {
            let row = y * conv.down.stride + first_tap_y;
            let rows: [&[f32]; ROWS] =
                std::array::from_fn(|i| &self.padded[(row + i) * width..][..width]);
            let grads = &grads[y * conv.output.width * n_out + channel..];
            for x in 0..conv.output.width {
                let group = &grads[x * n_out..][..len];
                for (tile, row) in tiles.iter_mut().zip(rows) {
                    tile.add(group, each(&row[x * conv.across.stride..]));
                }
            }
        }
        for (i, tile) in tiles.iter().enumerate() {
            for tap_x in 0..SIDE {
                let at = ((first_tap_y + i) * SIDE + tap_x) * n_out + channel;
                tile.add_to(tap_x, &mut self.grad_kernel[at..at + len]);
            }
        }
    }
}

/// ∂L/∂in = kernelᵀ · ∂L/∂out of all output pixels that saw it
struct Inputs<'a> {
    conv: &'a Conv,
    /// For each tap its groups of in channels
    kernel: &'a Packed,
    /// `[out, n]`
    grad_output: &'a [f32],
    /// `[in, n]`
    grad_input: &'a mut [f32],
    interleaved: &'a mut Vec<f32>,
}

impl WithTiles for Inputs<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(self, simd: S) {
        let Self {
            conv,
            kernel,
            grad_output,
            grad_input,
            interleaved,
        } = self;
        let len = Tile::<S, R, P>::GROUP;
        let (n_inputs, n_outputs) = (conv.input.len(), conv.output.len());
        let n = grad_output.len() / n_outputs;
        for first in (0..n).step_by(P) {
            interleave::<P>(grad_output, n_outputs, first, interleaved);
            for channel in (0..conv.input.channels).step_by(len) {
                for (y, x) in conv.input.pixels() {
                    let at = (y * conv.input.width + x) * conv.input.channels + channel;
                    let tile =
                        conv.inputs_tile::<S, R, P>(simd, kernel, interleaved, [y, x], channel);
                    for (p, sample) in (first..n.min(first + P)).enumerate() {
                        let start = sample * n_inputs + at;
                        tile.put(p, &mut grad_input[start..start + len]);
                    }
                }
            }
        }
    }
}

impl Conv {
    #[inline(always)]
    fn inputs_tile<S: Simd, const R: usize, const P: usize>(
        &self,
        simd: S,
        kernel: &Packed,
        interleaved: &[f32],
        [y, x]: [usize; 2],
        channel: usize,
    ) -> Tile<S, R, P> {
        let (n_in, n_out) = (self.input.channels, self.output.channels);
        let len = Tile::<S, R, P>::GROUP;
        let mut tile = Tile::zero(simd);
        for (tap_y, out_y) in self.down.seen(y) {
            for (tap_x, out_x) in self.across.seen(x) {
                let tap = tap_y * SIDE + tap_x;
                let taps = kernel.rows_from(tap * n_in + channel, len);
                let start = (out_y * self.output.width + out_x) * n_out;
                let grads = &interleaved[start * P..][..n_out * P];
                for (taps, grads) in taps.zip(grads.chunks_exact(P)) {
                    tile.add(taps, each(grads));
                }
            }
        }
        tile
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::at_each_level;

    /// Small whole numbers, so that every sum is exact.
    fn whole(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7 + seed) % 5) as f32 - 2.0).collect()
    }

    /// Calls `pair` with the index of every output, tap and input that meet, as a convolution is
    /// defined; with `None` for the input where the tap lies beyond the edge.
    fn for_each_pair(conv: &Conv, mut pair: impl FnMut(usize, usize, usize, Option<usize>)) {
        let (input, output) = (conv.input, conv.output);
        for (y, x) in output.pixels() {
            for (tap_y, tap_x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
                let at = |out: usize, tap: usize, axis: &Axis, n: usize| {
                    (out * axis.stride + tap)
                        .checked_sub(axis.padding)
                        .filter(|&at| at < n)
                };
                let row = at(y, tap_y, &conv.down, input.height);
                let column = at(x, tap_x, &conv.across, input.width);
                for (o, i) in
                    (0..output.channels).flat_map(|o| (0..input.channels).map(move |i| (o, i)))
                {
                    let out = (y * output.width + x) * output.channels + o;
                    let tap = (tap_y * SIDE + tap_x) * input.channels + i;
                    let seen = row
                        .zip(column)
                        .map(|(r, c)| (r * input.width + c) * input.channels + i);
                    pair(out, o, tap, seen);
                }
            }
        }
    }

    #[track_caller]
    fn check([height, width, channels]: [usize; 3], n_out: usize, n: usize) {
        let input_shape = ImageShape {
            height,
            width,
            channels,
        };
        let mut layout = Layout::default();
        let conv = Conv::new("conv", input_shape, n_out, 2, 2, &mut layout);
        let params = whole(layout.len(), 1);
        let (kernel, bias) = params.split_at(conv.weight.range().len());
        let input = whole(input_shape.len() * n, 3);
        let grad_output = whole(conv.output().len() * n, 2);
        let mut output = vec![7.0; grad_output.len()];
        let mut grads = vec![7.0; layout.len()];
        let mut grad_input = vec![7.0; input.len()];
        let (mut work, mut packed) = (ConvWork::default(), PackedWeight::default());
        conv.pack(&params, channels > 1, &mut packed);
        conv.forward(&params, &packed, &input, n, &mut output, &mut work);
        let wanted = (channels > 1).then_some(grad_input.as_mut_slice());
        conv.backward(
            &packed,
            &input,
            n,
            &grad_output,
            &mut grads,
            wanted,
            &mut work,
        );

        let mut expected = vec![0.0; output.len()];
        let mut expected_grads = vec![0.0; layout.len()];
        let mut expected_grad_input = vec![0.0; input.len()];
        for sample in 0..n {
            let (input, from) = (
                &input[sample * input_shape.len()..],
                sample * conv.output().len(),
            );
            for (i, out) in expected[from..][..conv.output().len()]
                .iter_mut()
                .enumerate()
            {
                *out = bias[i % n_out];
                expected_grads[kernel.len() + i % n_out] += grad_output[from + i];
            }
            for_each_pair(&conv, |out, o, tap, seen| {
                let Some(seen) = seen else { return };
                let (out, k) = (from + out, tap * n_out + o);
                expected[out] += kernel[k] * input[seen];
                expected_grads[k] += grad_output[out] * input[seen];
                expected_grad_input[sample * input_shape.len() + seen] +=
                    kernel[k] * grad_output[out];
            });
        }
        let what = format!("{height}×{width}×{channels} to {n_out}, {n} samples");
        assert_eq!(output, expected, "output of {what}");
        assert_eq!(grads, expected_grads, "gradients of {what}");
        if channels > 1 {
            assert_eq!(
                grad_input, expected_grad_input,
                "gradient of the input of {what}"
            );
        }
    }

    #[test]
    fn convolutions_of_any_size_agree_with_the_definition() {
        at_each_level(check_sizes);
    }

    fn check_sizes() {
        for n in [1, 8, 9, 17] {
            for [height, width] in [[1, 1], [2, 3], [11, 9], [14, 14]] {
                check([height, width, 1], 16, n);
                check([height, width, 16], 32, n);
                check([height, width, 32], 16, n);
            }
        }
        check([28, 28, 1], 16, 3);
    }
}
