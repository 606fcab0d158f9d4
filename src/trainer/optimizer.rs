//! SGD with momentum and Adam over the flat parameter buffer.

#![expect(
    clippy::inline_always,
    reason = "compiled for each known dimension, and into the function that has vector registers"
)]

use std::ops::Range;

use rayon::prelude::*;

use crate::experiment::{OptimizerConfig, OptimizerKind};
use crate::simd::dispatch;
use crate::trainer::gradient::BLOCK;

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
    pub(super) first: Vec<f32>,
    /// second moment of Adam `[params]`, empty for SGD
    pub(super) second: Vec<f32>,
    /// Adam's steps so far
    pub(super) n_updates: i32,
    /// The rule that left these moments
    pub(super) kind: OptimizerKind,
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
    /// Says whether all of them are finite after it.
    pub(super) fn update(
        &mut self,
        config: &OptimizerConfig,
        learning_rate: f32,
        shrink: f32,
        stretches: &[Stretch],
        params: &mut [f32],
        grads: &[f32],
    ) -> bool {
        if self.kind != config.kind {
            self.forget(config.kind);
        }
        if config.kind == OptimizerKind::Adam {
            self.second.resize(self.first.len(), 0.0);
            self.n_updates = self.n_updates.saturating_add(1);
        }
        let corrections = BETA.map(|beta| 1.0 - beta.powi(self.n_updates));
        let mut is_finite = true;
        for stretch in stretches {
            let range = stretch.range.clone();
            let rule = Rule {
                learning_rate,
                momentum: config.momentum as f32,
                decay: config.weight_decay as f32,
                scale: shrink * stretch.rate,
                corrections,
            };
            let columns = params[range.clone()].par_chunks_mut(BLOCK);
            let columns = columns.zip(self.first[range.clone()].par_chunks_mut(BLOCK));
            let columns = columns.zip(grads[range.clone()].par_chunks(BLOCK));
            is_finite &= match config.kind {
                OptimizerKind::Sgd => columns
                    .map(|((params, velocity), grads)| {
                        dispatch(Sgd {
                            rule,
                            params,
                            velocity,
                            grads,
                        })
                    })
                    .reduce(|| true, |all, block| all & block),
                OptimizerKind::Adam => columns
                    .zip(self.second[range].par_chunks_mut(BLOCK))
                    .map(|(((params, first), grads), second)| {
                        dispatch(Adam {
                            rule,
                            params,
                            first,
                            second,
                            grads,
                        })
                    })
                    .reduce(|| true, |all, block| all & block),
            };
        }
        is_finite
    }

    /// Starts the rule `kind` afresh: what SGD left is no first moment, and what Adam left is no
    /// velocity.
    fn forget(&mut self, kind: OptimizerKind) {
        self.first.fill(0.0);
        self.second.clear();
        self.n_updates = 0;
        self.kind = kind;
    }

    /// Forgets where some parameters were on their way to: they were put somewhere else.
    pub(super) fn rest(&mut self, range: Range<usize>) {
        self.first[range.clone()].fill(0.0);
        if let Some(second) = self.second.get_mut(range) {
            second.fill(0.0);
        }
    }

    /// Puts columns back to length 1, and takes the part along them out of their velocity, which
    /// would only lengthen them (`losses.md` 9).
    pub(super) fn put_on_sphere(&mut self, range: Range<usize>, columns: &mut [f32], dim: usize) {
        let len = BLOCK / dim * dim;
        let blocks = columns.par_chunks_mut(len);
        let blocks = blocks.zip(self.first[range].par_chunks_mut(len));
        blocks.for_each(|(columns, velocity)| match dim {
            2 => to_unit_length(columns, velocity, 2), // known while compiling, loops unroll
            3 => to_unit_length(columns, velocity, 3),
            _ => to_unit_length(columns, velocity, dim),
        });
    }
}

#[inline(always)]
fn to_unit_length(columns: &mut [f32], velocity: &mut [f32], dim: usize) {
    let columns = columns.chunks_exact_mut(dim);
    for (column, velocity) in columns.zip(velocity.chunks_exact_mut(dim)) {
        let norm = column.iter().map(|x| x * x).sum::<f32>().sqrt();
        if norm <= 0.0 {
            continue;
        }
        let mut along = 0.0;
        for (x, &v) in column.iter_mut().zip(&*velocity) {
            *x /= norm;
            along += v * *x;
        }
        for (v, &x) in velocity.iter_mut().zip(&*column) {
            *v -= along * x;
        }
    }
}

/// The numbers of one update of one stretch.
#[derive(Clone, Copy, Debug)]
struct Rule {
    learning_rate: f32,
    momentum: f32,
    decay: f32,
    /// On the gradient.
    scale: f32,
    /// 1 − βᵗ of both moments of Adam.
    corrections: [f32; 2],
}

/// One step of SGD on a block; says whether all parameters are finite.
struct Sgd<'a> {
    rule: Rule,
    params: &'a mut [f32],
    velocity: &'a mut [f32],
    grads: &'a [f32],
}

impl pulp::WithSimd for Sgd<'_> {
    type Output = bool;

    /// v = μv + g + λw, w −= ηv.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> bool {
        let rule = self.rule;
        let mut is_finite = true;
        for ((w, v), &g) in self.params.iter_mut().zip(self.velocity).zip(self.grads) {
            *v = rule.momentum * *v + rule.scale * g + rule.decay * *w;
            *w -= rule.learning_rate * *v;
            is_finite &= w.is_finite(); // no way out of the loop: it is vectorized
        }
        is_finite
    }
}

/// One step of Adam on a block; says whether all parameters are finite.
struct Adam<'a> {
    rule: Rule,
    params: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    grads: &'a [f32],
}

impl pulp::WithSimd for Adam<'_> {
    type Output = bool;

    /// arXiv 1412.6980, algorithm 1, with weight decay in the gradient.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> bool {
        let rule = self.rule;
        let ([b1, b2], [c1, c2]) = (BETA, rule.corrections);
        let mut is_finite = true;
        let moments = self.first.iter_mut().zip(self.second);
        for ((w, (first, second)), &g) in self.params.iter_mut().zip(moments).zip(self.grads) {
            let g = rule.scale * g + rule.decay * *w;
            *first = b1 * *first + (1.0 - b1) * g;
            *second = b2 * *second + (1.0 - b2) * g * g;
            *w -= rule.learning_rate * (*first / c1) / ((*second / c2).sqrt() + EPSILON);
            is_finite &= w.is_finite();
        }
        is_finite
    }
}
