//! The gradient of a step: what the chunks of its batch found, added in a fixed order.

use rayon::prelude::*;

use crate::trainer::chunk::Chunk;
use crate::trainer::model::{Body, Model};

/// Elements that one thread takes at a time. The same for any number of threads, so that sums
/// have the same bits.
pub(super) const BLOCK: usize = 16 * 1024;

/// Sums over a batch, allocated once.
#[derive(Debug, Default)]
pub(super) struct Gradient {
    /// ∂L/∂params `[params]`
    pub(super) params: Vec<f32>,
    /// Σ(x − c) and counts `[dim + 1, classes]`, empty where no centers are kept
    pub(super) center_sums: Vec<f32>,
    /// Mean loss with penalty.
    pub(super) loss: f64,
    /// Σ g² of each block.
    squares: Vec<f64>,
}

impl Gradient {
    /// Takes the sums of all chunks, of which each had its share of the samples `indices`.
    pub(super) fn collect(&mut self, model: &Model, indices: &[u32], chunks: &[Chunk]) {
        self.loss = chunks.iter().map(|chunk| chunk.loss).sum();
        self.center_sums.clear();
        for chunk in chunks {
            if self.center_sums.is_empty() {
                self.center_sums.extend_from_slice(&chunk.center_sums);
            } else {
                add(&mut self.center_sums, &chunk.center_sums);
            }
        }
        self.params.resize(model.layout.len(), 0.0);
        let (own, shared) = self.params.split_at_mut(model.shared().start);
        if let Body::Free(_) = model.body {
            scatter(own, indices, chunks, model.dim);
        }
        let n_blocks = [own.len().div_ceil(BLOCK), shared.len().div_ceil(BLOCK)];
        self.squares.resize(n_blocks[0] + n_blocks[1], 0.0);
        let (own_squares, shared_squares) = self.squares.split_at_mut(n_blocks[0]);
        let own = own.par_chunks(BLOCK).zip(own_squares);
        own.for_each(|(block, squares)| *squares = sum_of_squares(block));
        let shared = shared.par_chunks_mut(BLOCK).zip(shared_squares);
        shared.enumerate().for_each(|(i, (block, squares))| {
            sum_block(block, i * BLOCK, chunks);
            *squares = sum_of_squares(block);
        });
    }

    /// Its length; not finite if one of its elements is not.
    pub(super) fn norm(&self) -> f64 {
        self.squares.iter().sum::<f64>().sqrt()
    }
}

/// Puts the gradient of each free embedding in its place. No sample is twice in a batch.
fn scatter(table: &mut [f32], indices: &[u32], chunks: &[Chunk], dim: usize) {
    if table.len() > indices.len() * dim {
        table.fill(0.0);
    }
    let columns = chunks
        .iter()
        .flat_map(|chunk| chunk.grad_features.chunks_exact(dim));
    for (&index, column) in indices.iter().zip(columns) {
        table[index as usize * dim..][..dim].copy_from_slice(column);
    }
}

/// Adds up elements from `start` on of all chunks.
fn sum_block(block: &mut [f32], start: usize, chunks: &[Chunk]) {
    for (i, chunk) in chunks.iter().enumerate() {
        let values = &chunk.grads[start..start + block.len()];
        if i == 0 {
            block.copy_from_slice(values);
        } else {
            add(block, values);
        }
    }
}

fn add(sum: &mut [f32], values: &[f32]) {
    for (sum, &value) in sum.iter_mut().zip(values) {
        *sum += value;
    }
}

fn sum_of_squares(values: &[f32]) -> f64 {
    const LANES: usize = 8; // independent sums, so that the loop vectorizes
    let mut sums = [0.0; LANES];
    for values in values.chunks(LANES) {
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    sums.iter().sum()
}
