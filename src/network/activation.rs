//! PReLU and ReLU: what stands between two layers.

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use pulp::Simd;

use crate::network::params::{Layout, Tensor};
use crate::simd::dispatch;

/// Which function stands between layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// max(x, 0) + a·min(x, 0) with one learned slope a per layer, 0.25 at the start
    /// (He et al. 2015, arXiv 1502.01852, eq. 1).
    #[default]
    Prelu,
    /// max(x, 0): confines what follows it to one quadrant.
    Relu,
}

impl Activation {
    /// Identifier in files and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Prelu => "prelu",
            Self::Relu => "relu",
        }
    }

    /// All of them, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::Prelu, Self::Relu];
}

/// An activation with its learned slope, if it has one.
#[derive(Clone, Debug)]
pub struct ActivationLayer {
    slope: Option<Tensor>,
}

impl ActivationLayer {
    /// Registers the slope of a PReLU as `name.slope`.
    pub fn new(name: &str, activation: Activation, layout: &mut Layout) -> Self {
        let slope =
            (activation == Activation::Prelu).then(|| layout.add(format!("{name}.slope"), [1, 1]));
        Self { slope }
    }

    /// Slope 0.25, as in the paper.
    pub fn init(&self, params: &mut [f32]) {
        if let Some(slope) = &self.slope {
            params[slope.offset] = 0.25;
        }
    }

    fn slope(&self, params: &[f32]) -> f32 {
        self.slope
            .as_ref()
            .map_or(0.0, |slope| params[slope.offset])
    }

    /// Element by element; `input` is kept for the backward pass.
    pub fn forward(&self, params: &[f32], input: &[f32], output: &mut [f32]) {
        let slope = self.slope(params);
        dispatch(Forward {
            slope,
            input,
            output,
        });
    }

    /// Turns ∂L/∂out into ∂L/∂in in place and writes ∂L/∂slope to `grads`.
    pub fn backward(&self, params: &[f32], input: &[f32], grad: &mut [f32], grads: &mut [f32]) {
        let slope = self.slope(params);
        let grad_slope = dispatch(Backward { slope, input, grad });
        if let Some(slope) = &self.slope {
            grads[slope.offset] = grad_slope;
        }
    }
}

struct Forward<'a> {
    slope: f32,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl pulp::WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (inputs, last_inputs) = S::as_simd_f32s(self.input);
        let (outputs, last_outputs) = S::as_mut_simd_f32s(self.output);
        let (zero, slope) = (simd.splat_f32s(0.0), simd.splat_f32s(self.slope));
        for (y, &x) in outputs.iter_mut().zip(inputs) {
            let is_positive = simd.greater_than_f32s(x, zero);
            *y = simd.select_f32s(is_positive, x, simd.mul_f32s(slope, x));
        }
        for (y, &x) in last_outputs.iter_mut().zip(last_inputs) {
            *y = if x > 0.0 { x } else { self.slope * x };
        }
    }
}

struct Backward<'a> {
    slope: f32,
    input: &'a [f32],
    grad: &'a mut [f32],
}

impl pulp::WithSimd for Backward<'_> {
    /// ∂L/∂slope
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (inputs, last_inputs) = S::as_simd_f32s(self.input);
        let (grads, last_grads) = S::as_mut_simd_f32s(self.grad);
        let (zero, slope) = (simd.splat_f32s(0.0), simd.splat_f32s(self.slope));
        let mut sums = zero;
        for (g, &x) in grads.iter_mut().zip(inputs) {
            let is_positive = simd.greater_than_f32s(x, zero);
            let negative = simd.select_f32s(is_positive, zero, x);
            sums = simd.mul_add_e_f32s(*g, negative, sums);
            *g = simd.select_f32s(is_positive, *g, simd.mul_f32s(slope, *g));
        }
        let mut sum = simd.reduce_sum_f32s(sums);
        for (g, &x) in last_grads.iter_mut().zip(last_inputs) {
            if x <= 0.0 {
                sum += *g * x;
                *g *= self.slope;
            }
        }
        sum
    }
}
