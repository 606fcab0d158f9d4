//! Sizes of images, and which pixels a convolution brings together.

use std::ops::Range;

/// Pixels of the kernel, down and across.
pub(super) const SIDE: usize = 5;

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

    /// Row and column of each pixel, row by row.
    pub(super) fn pixels(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.height).flat_map(move |y| (0..self.width).map(move |x| (y, x)))
    }

    /// Whether there is no pixel.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// One direction of a convolution: which input pixel lies under which tap at which output pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) n_inputs: usize,
    pub(super) n_outputs: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
}

impl Axis {
    pub(super) fn new(n_inputs: usize, stride: usize, padding: usize) -> Self {
        Self {
            n_inputs,
            n_outputs: (n_inputs + 2 * padding - SIDE) / stride + 1,
            stride,
            padding,
        }
    }

    /// The input pixel under a tap that lies on the image.
    pub(super) fn input(&self, output: usize, tap: usize) -> usize {
        output * self.stride + tap - self.padding
    }

    /// The taps that lie on the image at an output pixel.
    pub(super) fn taps(&self, output: usize) -> Range<usize> {
        let corner = output * self.stride;
        let end = (self.n_inputs + self.padding).saturating_sub(corner);
        self.padding.saturating_sub(corner)..SIDE.min(end)
    }

    /// The output pixels at which a tap lies on the image.
    pub(super) fn outputs(&self, tap: usize) -> Range<usize> {
        let end = (self.n_inputs + self.padding).saturating_sub(tap);
        let start = self.padding.saturating_sub(tap).div_ceil(self.stride);
        start..self.n_outputs.min(end.div_ceil(self.stride))
    }

    /// The taps under which an input pixel comes to lie, each with the output pixel.
    pub(super) fn seen(self, input: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        let at = input + self.padding;
        (at % self.stride..SIDE.min(at + 1))
            .step_by(self.stride)
            .map(move |tap| (tap, (at - tap) / self.stride))
            .filter(move |(_, output)| *output < self.n_outputs)
    }
}
