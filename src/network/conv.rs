//! A square convolution with stride and zero padding, computed directly.
//!
//! Images are channels-last: a sample is one contiguous column, pixel after pixel, each with its
//! channels. One sample at a time is copied into an image with its zeros around it, so that a row
//! of the kernel meets one stretch of numbers wherever it stands; what is read again and again then
//! stays in the first level of the cache. Unfolding (im2col) with one product for eight samples
//! took 1.3 to 1.6 times as long: it moves every pixel six times, once more into the product's own
//! buffers, and once more back.

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use pulp::Simd;
use rand::Rng;

use crate::network::ProductShape;
use crate::network::dense::{init_uniform, sum_columns};
use crate::network::params::{Layout, Tensor};
use crate::network::tile::{
    GROUP, MOST_COLUMNS, Tile, WithTiles, at, each, group_at, group_at_mut, with_tiles,
};

/// Pixels of the kernel, down and across.
const SIDE: usize = 5;

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

/// Kernel of 5×5 pixels `[out channels, taps]` with taps = 25 × in channels, bias `[out channels]`.
#[derive(Clone, Debug)]
pub struct Conv {
    input: ImageShape,
    output: ImageShape,
    stride: usize,
    padding: usize,
    weight: Tensor,
    bias: Tensor,
}

/// Buffers of one convolution, allocated once.
#[derive(Clone, Debug, Default)]
pub struct ConvWork {
    /// A sample with its zeros around it, channels of a pixel side by side.
    padded: Vec<f32>,
    /// Its gradient.
    grad_padded: Vec<f32>,
    /// The kernel, one group of channels after the other `[16, taps, groups]`
    kernel_groups: Vec<f32>,
    /// The kernel `[taps, out channels]`
    kernel_rows: Vec<f32>,
    /// ∂L/∂out of a sample `[out pixels, out channels]`, with zeros up to a whole number of tiles
    grad_rows: Vec<f32>,
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
        let outputs = |pixels: usize| (pixels + 2 * padding - SIDE) / stride + 1;
        let taps = SIDE * SIDE * input.channels;
        Self {
            input,
            output: ImageShape {
                height: outputs(input.height),
                width: outputs(input.width),
                channels,
            },
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
        let output = &mut output[..self.output.len() * n];
        self.group(&params[self.weight.range()], &mut work.kernel_groups);
        work.padded.resize(self.n_padded(), 0.0);
        let inputs = input[..self.input.len() * n].chunks_exact(self.input.len());
        for (input, output) in inputs.zip(output.chunks_exact_mut(self.output.len())) {
            self.pad(input, &mut work.padded);
            with_tiles(Forward {
                conv: self,
                kernel_groups: &work.kernel_groups,
                bias: &params[self.bias.range()],
                padded: &work.padded,
                output,
            });
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
        params: &[f32],
        input: &[f32],
        n: usize,
        grad_output: &[f32],
        grads: &mut [f32],
        mut grad_input: Option<&mut [f32]>,
        work: &mut ConvWork,
    ) {
        let grad_output = &grad_output[..self.output.len() * n];
        sum_columns(&mut grads[self.bias.range()], grad_output);
        grads[self.weight.range()].fill(0.0);
        work.padded.resize(self.n_padded(), 0.0);
        if grad_input.is_some() {
            assert!(
                self.input.channels.is_multiple_of(GROUP),
                "gradient of a grey image"
            );
            work.kernel_rows.resize(self.weight.range().len(), 0.0);
            let kernel = &params[self.weight.range()];
            transpose(
                kernel,
                self.output.channels,
                &mut work.kernel_rows,
                self.n_taps(),
            );
            work.grad_rows
                .resize(self.grad_pitch() * self.output.channels, 0.0);
        }
        let inputs = input[..self.input.len() * n].chunks_exact(self.input.len());
        let samples = inputs.zip(grad_output.chunks_exact(self.output.len()));
        for (i, (input, grad_output)) in samples.enumerate() {
            self.pad(input, &mut work.padded);
            with_tiles(GradWeight {
                conv: self,
                padded: &work.padded,
                grad_output,
                kernel: &mut grads[self.weight.range()],
            });
            if let Some(grad_input) = grad_input.as_deref_mut() {
                work.grad_padded.clear();
                work.grad_padded.resize(self.n_padded(), 0.0);
                let channels = self.output.channels;
                transpose(
                    grad_output,
                    channels,
                    &mut work.grad_rows,
                    self.grad_pitch(),
                );
                with_tiles(GradInput {
                    conv: self,
                    kernel_rows: &work.kernel_rows,
                    grad_rows: &work.grad_rows,
                    grad_padded: &mut work.grad_padded,
                });
                let len = self.input.len();
                self.unpad(&work.grad_padded, &mut grad_input[i * len..][..len]);
            }
        }
    }

    /// Pixels from left to right with zeros: as many as the last kernel reaches.
    fn padded_width(&self) -> usize {
        let reach = (self.output.width - 1) * self.stride + SIDE;
        reach.max(self.input.width + self.padding)
    }

    fn n_padded(&self) -> usize {
        let reach = (self.output.height - 1) * self.stride + SIDE;
        reach.max(self.input.height + self.padding) * self.padded_width() * self.input.channels
    }

    /// Where a row of the image begins among its zeros.
    fn row_start(&self, y: usize) -> usize {
        ((y + self.padding) * self.padded_width() + self.padding) * self.input.channels
    }

    /// Copies a sample between zeros that stay.
    fn pad(&self, input: &[f32], padded: &mut [f32]) {
        let len = self.input.width * self.input.channels;
        for (y, row) in input.chunks_exact(len).enumerate() {
            padded[self.row_start(y)..][..len].copy_from_slice(row);
        }
    }

    fn unpad(&self, padded: &[f32], image: &mut [f32]) {
        let len = self.input.width * self.input.channels;
        for (y, row) in image.chunks_exact_mut(len).enumerate() {
            row.copy_from_slice(&padded[self.row_start(y)..][..len]);
        }
    }

    /// Brings what a tile reads one after the other together: half of the kernel then stays in the
    /// first level of the cache.
    fn group(&self, weight: &[f32], groups: &mut Vec<f32>) {
        groups.clear();
        for group in (0..self.output.channels).step_by(GROUP) {
            for column in weight.chunks_exact(self.output.channels) {
                groups.extend_from_slice(group_at(column, group));
            }
        }
    }

    /// Pixels of a row of `grad_rows`.
    fn grad_pitch(&self) -> usize {
        self.output.n_pixels().next_multiple_of(MOST_COLUMNS)
    }

    /// First number that the kernel meets at an output pixel, in the padded sample.
    fn corner(&self, pixel: usize) -> usize {
        let (y, x) = (pixel / self.output.width, pixel % self.output.width);
        (y * self.padded_width() + x) * self.stride * self.input.channels
    }

    /// `P` output pixels from `first` on; where there are fewer, the last stands for the rest.
    #[inline(always)]
    fn pixels<const P: usize>(&self, first: usize) -> [usize; P] {
        let mut pixels = [0; P];
        for (i, pixel) in pixels.iter_mut().enumerate() {
            *pixel = (first + i).min(self.output.n_pixels() - 1);
        }
        pixels
    }

    /// Those of them that are no repetition.
    fn new_pixels<const P: usize>(&self, first: usize) -> std::ops::Range<usize> {
        first..(first + P).min(self.output.n_pixels())
    }

    /// Numbers from one row of the padded sample to the next.
    fn pitch(&self) -> usize {
        self.padded_width() * self.input.channels
    }

    /// Taps of one row of the kernel, side by side in the kernel and in a padded sample.
    fn row_taps(&self) -> usize {
        SIDE * self.input.channels
    }
}

/// out = kernel · taps of each output pixel + b
struct Forward<'a> {
    conv: &'a Conv,
    /// `[16, taps, groups]`
    kernel_groups: &'a [f32],
    bias: &'a [f32],
    padded: &'a [f32],
    output: &'a mut [f32],
}

impl WithTiles for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(self, simd: S) {
        let Self {
            conv,
            kernel_groups,
            bias,
            padded,
            output,
        } = self;
        let row_taps = conv.row_taps();
        for (group, kernel) in kernel_groups
            .chunks_exact(conv.n_taps() * GROUP)
            .enumerate()
        {
            let (taps, _) = kernel.as_chunks();
            for first in (0..conv.output.n_pixels()).step_by(P) {
                let pixels = conv.pixels::<P>(first);
                let mut tile = Tile::<S, R, P>::zero(simd);
                for kernel_y in 0..SIDE {
                    let mut rows = [&padded[..0]; P];
                    for (row, pixel) in rows.iter_mut().zip(pixels) {
                        let start = conv.corner(pixel) + kernel_y * conv.pitch();
                        *row = &padded[start..start + row_taps];
                    }
                    let taps = &taps[kernel_y * row_taps..][..row_taps];
                    for (i, group) in taps.iter().enumerate() {
                        tile.add(group, at(rows, i));
                    }
                }
                for (p, pixel) in conv.new_pixels::<P>(first).enumerate() {
                    let start = pixel * conv.output.channels + group * GROUP;
                    let bias = group_at(bias, group * GROUP);
                    tile.put(p, bias, group_at_mut(output, start));
                }
            }
        }
    }
}

/// ∂L/∂kernel += Σ over output pixels of ∂L/∂out · taps
struct GradWeight<'a> {
    conv: &'a Conv,
    padded: &'a [f32],
    grad_output: &'a [f32],
    /// `[out channels, taps]`
    kernel: &'a mut [f32],
}

impl WithTiles for GradWeight<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(self, simd: S) {
        let Self {
            conv,
            padded,
            grad_output,
            kernel,
        } = self;
        let (channels, row_taps) = (conv.output.channels, conv.row_taps());
        let step = conv.stride * conv.input.channels;
        for group in (0..channels).step_by(GROUP) {
            for kernel_y in 0..SIDE {
                for first in (0..row_taps).step_by(SIDE) {
                    let mut tile = Tile::<S, R, SIDE>::zero(simd);
                    for (y, row) in grad_output
                        .chunks_exact(conv.output.width * channels)
                        .enumerate()
                    {
                        let start = conv.corner(y * conv.output.width);
                        let taps = &padded[start + kernel_y * conv.pitch() + first..];
                        for (x, pixel) in row.chunks_exact(channels).enumerate() {
                            let taps = &taps[x * step..][..SIDE];
                            tile.add(group_at(pixel, group), each(taps));
                        }
                    }
                    for i in 0..SIDE {
                        let tap = kernel_y * row_taps + first + i;
                        tile.add_to(i, group_at_mut(kernel, tap * channels + group));
                    }
                }
            }
        }
    }
}

/// ∂L/∂in += kernelᵀ · ∂L/∂out, where each output pixel saw it
struct GradInput<'a> {
    conv: &'a Conv,
    /// `[taps, out channels]`
    kernel_rows: &'a [f32],
    /// `[out pixels and more, out channels]`
    grad_rows: &'a [f32],
    grad_padded: &'a mut [f32],
}

impl WithTiles for GradInput<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(self, simd: S) {
        let Self {
            conv,
            kernel_rows,
            grad_rows,
            grad_padded,
        } = self;
        for kernel_y in 0..SIDE {
            for first_tap in (0..conv.row_taps()).step_by(GROUP) {
                let tap = kernel_y * conv.row_taps() + first_tap;
                for first in (0..conv.output.n_pixels()).step_by(P) {
                    let mut tile = Tile::<S, R, P>::zero(simd);
                    let channels = grad_rows.chunks_exact(conv.grad_pitch());
                    let taps = kernel_rows.chunks_exact(conv.n_taps());
                    for (grads, taps) in channels.zip(taps) {
                        tile.add(group_at(taps, tap), each(&grads[first..]));
                    }
                    for (p, pixel) in conv.new_pixels::<P>(first).enumerate() {
                        let start = conv.corner(pixel) + kernel_y * conv.pitch() + first_tap;
                        tile.add_to(p, group_at_mut(grad_padded, start));
                    }
                }
            }
        }
    }
}

/// Writes columns of `n_rows` as rows, each at the beginning of `pitch` numbers.
fn transpose(columns: &[f32], n_rows: usize, rows: &mut [f32], pitch: usize) {
    for (i, column) in columns.chunks_exact(n_rows).enumerate() {
        for (row, &x) in rows.chunks_exact_mut(pitch).zip(column) {
            row[i] = x;
        }
    }
}
