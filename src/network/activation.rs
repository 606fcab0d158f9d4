//! PReLU and ReLU: what stands between two layers.

use crate::network::params::{Layout, Tensor};

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
        for (y, &x) in output.iter_mut().zip(input) {
            *y = if x > 0.0 { x } else { slope * x };
        }
    }

    /// Turns ∂L/∂out into ∂L/∂in in place and adds ∂L/∂slope to `grads`.
    pub fn backward(&self, params: &[f32], input: &[f32], grad: &mut [f32], grads: &mut [f32]) {
        const LANES: usize = 16; // independent sums, so that the loop vectorizes
        let slope = self.slope(params);
        let mut sums = [0.0_f32; LANES];
        for (grad, input) in grad.chunks_mut(LANES).zip(input.chunks(LANES)) {
            for ((g, &x), sum) in grad.iter_mut().zip(input).zip(&mut sums) {
                let negative = if x > 0.0 { 0.0 } else { x };
                *sum += *g * negative;
                *g *= if x > 0.0 { 1.0 } else { slope };
            }
        }
        if let Some(slope) = &self.slope {
            grads[slope.offset] += sums.iter().sum::<f32>();
        }
    }
}
