//! The gradient of a step: what the chunks of its batch found, added in a fixed order.

use std::ops::Range;

use rayon::prelude::*;

use crate::network::WeightBlock;
use crate::simd::dispatch;
use crate::trainer::chunk::Chunk;
use crate::trainer::model::{Body, Model};

/// Elements that one thread takes at a time. The same for any number of threads, so that sums
/// have the same bits.
pub(super) const BLOCK: usize = 16 * 1024;

/// Sums over a batch, allocated once.
#[derive(Debug)]
pub(super) struct Gradient {
    /// ∂L/∂params `[params]`
    pub(super) params: Vec<f32>,
    /// Σ(x − c) and counts `[dim + 1, classes]`, empty where no centers are kept
    pub(super) center_sums: Vec<f32>,
    /// Mean loss with penalty.
    pub(super) loss: f64,
    /// What all samples share, in the order of the buffer.
    pieces: Vec<Piece>,
    /// Σ g² of each block of free embeddings, then of each piece.
    squares: Vec<f64>,
}

/// Parameters whose gradient one thread finds at a time.
#[derive(Clone, Debug)]
enum Piece {
    /// Added up from what each chunk found.
    Sum(Range<usize>),
    /// A product over the samples of all chunks: a sum of their products would pass through memory
    /// once more for each of them.
    Product(WeightBlock),
}

impl Piece {
    fn range(&self) -> &Range<usize> {
        match self {
            Self::Sum(range) => range,
            Self::Product(block) => &block.range,
        }
    }
}

impl Gradient {
    /// For the parameters of a model.
    pub(super) fn new(model: &Model) -> Self {
        let (shared, pieces) = (model.shared(), pieces(model));
        Self {
            params: vec![0.0; model.layout.len()],
            center_sums: Vec::new(),
            loss: 0.0,
            squares: vec![0.0; shared.start.div_ceil(BLOCK) + pieces.len()],
            pieces,
        }
    }

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
        let (own, shared) = self.params.split_at_mut(model.shared().start);
        if let Body::Free(_) = model.body {
            scatter(own, indices, chunks, model.dim);
        }
        let (own_squares, squares) = self.squares.split_at_mut(own.len().div_ceil(BLOCK));
        let own = own.par_chunks(BLOCK).zip(own_squares);
        own.for_each(|(block, squares)| *squares = sum_of_squares(block));
        Collection { model, chunks }.collect(&self.pieces, shared, squares);
    }

    /// Its length; not finite if one of its elements is not.
    pub(super) fn norm(&self) -> f64 {
        self.squares.iter().sum::<f64>().sqrt()
    }
}

/// All parameters that samples share, cut into pieces.
fn pieces(model: &Model) -> Vec<Piece> {
    let blocks: Vec<WeightBlock> = match &model.body {
        Body::Network(network) => network.weight_blocks(2 * BLOCK).collect(),
        Body::Free(_) | Body::Given => Vec::new(),
    };
    let Range { mut start, end } = model.shared();
    let mut pieces = Vec::new();
    for block in blocks {
        push_sums(&mut pieces, start..block.range.start);
        start = block.range.end;
        pieces.push(Piece::Product(block));
    }
    push_sums(&mut pieces, start..end);
    pieces
}

fn push_sums(pieces: &mut Vec<Piece>, range: Range<usize>) {
    let cuts = range.clone().step_by(BLOCK);
    pieces.extend(cuts.map(|start| Piece::Sum(start..range.end.min(start + BLOCK))));
}

/// What gradients are collected from.
#[derive(Clone, Copy)]
struct Collection<'a> {
    model: &'a Model,
    chunks: &'a [Chunk],
}

impl Collection<'_> {
    /// Fills the windows of neighboring pieces and their Σ g². A batch that is not worth two chunks
    /// is not worth two threads here, either.
    fn collect(self, pieces: &[Piece], grads: &mut [f32], squares: &mut [f64]) {
        let n_left = pieces.len() / 2;
        let (left, right) = pieces.split_at(n_left);
        let (Some(first), Some(middle)) = (left.first(), right.first()) else {
            if let ([piece], [square, ..]) = (pieces, squares) {
                self.fill(piece, grads);
                *square = sum_of_squares(grads);
            }
            return;
        };
        let n_left_elements = middle.range().start - first.range().start;
        let (left_grads, right_grads) = grads.split_at_mut(n_left_elements);
        let (left_squares, right_squares) = squares.split_at_mut(n_left);
        let mut run_left = || self.collect(left, left_grads, left_squares);
        let mut run_right = || self.collect(right, right_grads, right_squares);
        if self.chunks.len() > 1 {
            rayon::join(run_left, run_right);
        } else {
            run_left();
            run_right();
        }
    }

    fn fill(self, piece: &Piece, grads: &mut [f32]) {
        match (piece, &self.model.body) {
            (Piece::Product(block), Body::Network(network)) => {
                let chunks = self.chunks.iter().map(Chunk::network_pass);
                network.weight_gradient(block, chunks, grads);
            }
            _ => sum_block(
                grads,
                piece.range().start - self.model.shared().start,
                self.chunks,
            ),
        }
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
    dispatch(SumOfSquares(values))
}

/// Of one block or piece, with the widest registers that the machine has.
struct SumOfSquares<'a>(&'a [f32]);

impl pulp::WithSimd for SumOfSquares<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f64 {
        const LANES: usize = 16; // independent sums, so that the loop vectorizes
        let mut sums = [0.0; LANES];
        let (groups, rest) = self.0.as_chunks::<LANES>();
        for group in groups {
            for (sum, &value) in sums.iter_mut().zip(group) {
                *sum += f64::from(value) * f64::from(value);
            }
        }
        for (sum, &value) in sums.iter_mut().zip(rest) {
            *sum += f64::from(value) * f64::from(value);
        }
        sums.iter().sum()
    }
}
