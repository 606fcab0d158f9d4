//! SGD with momentum and Adam over the flat parameter buffer.

use std::ops::Range;

use crate::experiment::{OptimizerConfig, OptimizerKind};

/// One stretch of the buffer with its own treatment.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    /// Elements of the buffer.
    pub range: Range<usize>,
    /// Factor on its gradient: free embeddings undo the mean over the batch.
    pub rate: f32,
}

/// The state of an optimizer: velocity for SGD, both moments for Adam.
#[derive(Clone, Debug, Default)]
pub(super) struct Optimizer {
    /// v of SGD, first moment of Adam `[params]`
    first: Vec<f32>,
    /// second moment of Adam `[params]`, empty for SGD
    second: Vec<f32>,
    /// Adam's steps so far
    n_updates: i32,
    /// The rule that left these moments
    kind: OptimizerKind,
}

/// First and second moment decay and ε of Adam (arXiv 1412.6980, algorithm 1).
const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

impl Optimizer {
    /// For this many parameters.
    pub(super) fn new(n_params: usize) -> Self {
        Self {
            first: vec![0.0; n_params],
            ..Self::default()
        }
    }

    /// One update of the parameters in `stretches`; `shrink` is the factor of gradient clipping.
    pub(super) fn update(
        &mut self,
        config: &OptimizerConfig,
        learning_rate: f32,
        shrink: f32,
        stretches: &[Stretch],
        params: &mut [f32],
        grads: &[f32],
    ) {
        if self.kind != config.kind {
            self.forget(config.kind);
        }
        let decay = config.weight_decay as f32;
        match config.kind {
            OptimizerKind::Sgd => {
                let momentum = config.momentum as f32;
                for stretch in stretches {
                    let range = stretch.range.clone();
                    let scale = shrink * stretch.rate;
                    let columns = params[range.clone()]
                        .iter_mut()
                        .zip(&mut self.first[range.clone()]);
                    for ((w, v), &g) in columns.zip(&grads[range]) {
                        *v = momentum * *v + scale * g + decay * *w;
                        *w -= learning_rate * *v;
                    }
                }
            }
            OptimizerKind::Adam => {
                self.update_adam(decay, learning_rate, shrink, stretches, params, grads);
            }
        }
    }

    /// Starts the rule `kind` afresh: what SGD left is no first moment, and what Adam left is no
    /// velocity.
    fn forget(&mut self, kind: OptimizerKind) {
        self.first.fill(0.0);
        self.second.clear();
        self.n_updates = 0;
        self.kind = kind;
    }

    fn update_adam(
        &mut self,
        decay: f32,
        learning_rate: f32,
        shrink: f32,
        stretches: &[Stretch],
        params: &mut [f32],
        grads: &[f32],
    ) {
        self.second.resize(self.first.len(), 0.0);
        self.n_updates = self.n_updates.saturating_add(1);
        let [b1, b2] = BETA;
        let correction1 = 1.0 - b1.powi(self.n_updates);
        let correction2 = 1.0 - b2.powi(self.n_updates);
        for stretch in stretches {
            let range = stretch.range.clone();
            let scale = shrink * stretch.rate;
            let moments = self.first[range.clone()]
                .iter_mut()
                .zip(&mut self.second[range.clone()]);
            for (((first, second), w), &g) in
                moments.zip(&mut params[range.clone()]).zip(&grads[range])
            {
                let g = scale * g + decay * *w;
                *first = b1 * *first + (1.0 - b1) * g;
                *second = b2 * *second + (1.0 - b2) * g * g;
                *w -= learning_rate * (*first / correction1)
                    / ((*second / correction2).sqrt() + EPSILON);
            }
        }
    }

    /// Takes the part along the columns out of the velocity of unit columns, which would only
    /// lengthen them (`losses.md` 9).
    pub(super) fn project_velocity(&mut self, range: Range<usize>, columns: &[f32], dim: usize) {
        for (v, column) in self.first[range]
            .chunks_exact_mut(dim)
            .zip(columns.chunks_exact(dim))
        {
            let along: f32 = v.iter().zip(column).map(|(v, c)| v * c).sum();
            for (v, &c) in v.iter_mut().zip(column) {
                *v -= along * c;
            }
        }
    }
}
