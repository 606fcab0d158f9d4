//! The plane of two-dimensional inputs, and what the network makes of it.

use std::sync::Arc;

use crate::data::{Column, InputShape, Split};
use crate::trainer::Trainer;

/// Inputs of the drawn samples, and features at the nodes of a square grid around them.
#[derive(Clone, Debug, PartialEq)]
pub struct InputPlane {
    /// Inputs of the probe's samples `[2, n]`
    pub samples: Vec<f32>,
    /// Lower left corner of the grid.
    pub corner: [f32; 2],
    /// Length of its side, in units of the inputs.
    pub side: f32,
    /// Nodes along a side.
    pub n_side: usize,
    /// Features at the nodes `[dim, n_side, n_side]`, row after row from the lowest.
    pub features: Vec<f32>,
    /// What the two inputs are in the user's file; none for the program's own data.
    pub columns: Arc<[Column]>,
}

/// Share of the plane that the samples leave free at each side.
const BORDER: f32 = 0.08;
/// Nodes along a side, where the network is small.
const N_SIDE: usize = 97;
/// The same where it is large.
const LEAST_SIDE: usize = 25;
/// Operations that a picture of the plane may cost: 2 ms on one core.
const MOST_COST: f64 = 2e8;

impl InputPlane {
    /// Of the network as it stands, on the threads of the trainer. `None` where inputs have no two
    /// dimensions or features are free.
    pub(super) fn of(trainer: &Trainer, split: &Split, indices: &[u32]) -> Option<Self> {
        let is_plane = trainer.data().input == InputShape::Vector { dim: 2 };
        if !is_plane || trainer.is_free() || indices.is_empty() {
            return None;
        }
        let mut samples = vec![0.0; 2 * indices.len()];
        split.gather(indices, &mut samples);
        let (corner, side) = square_around(&samples);
        let n_side =
            ((MOST_COST / trainer.cost_per_sample()).sqrt() as usize).clamp(LEAST_SIDE, N_SIDE);
        let nodes = nodes(corner, side, n_side);
        let mut features = vec![0.0; trainer.experiment().network.dim * n_side * n_side];
        trainer.embed_inputs(&nodes, &mut features);
        Some(Self {
            samples,
            corner,
            side,
            n_side,
            features,
            columns: Arc::clone(&trainer.data().columns),
        })
    }
}

/// The smallest square around all samples, with a border.
fn square_around(samples: &[f32]) -> ([f32; 2], f32) {
    let mut low = [f32::INFINITY; 2];
    let mut high = [f32::NEG_INFINITY; 2];
    for sample in samples.chunks_exact(2) {
        for axis in 0..2 {
            low[axis] = low[axis].min(sample[axis]);
            high[axis] = high[axis].max(sample[axis]);
        }
    }
    let span = (high[0] - low[0]).max(high[1] - low[1]).max(f32::EPSILON);
    let side = span * (1.0 + 2.0 * BORDER);
    let corner = [0, 1].map(|axis| 0.5 * (low[axis] + high[axis]) - 0.5 * side);
    (corner, side)
}

/// Inputs at the nodes `[2, n_side, n_side]`
fn nodes(corner: [f32; 2], side: f32, n_side: usize) -> Vec<f32> {
    let step = side / (n_side - 1) as f32;
    let rows = (0..n_side).flat_map(|y| (0..n_side).map(move |x| [x, y]));
    rows.flat_map(|at| [0, 1].map(|axis| corner[axis] + step * at[axis] as f32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_holds_every_sample_with_a_border() {
        let samples = [0.0, 0.0, 4.0, 1.0, 1.0, -1.0];
        let (corner, side) = square_around(&samples);
        assert!((side - 4.0 * 1.16).abs() < 1e-5);
        assert!((corner[0] + 0.32).abs() < 1e-5);
        assert!((corner[1] + 2.32).abs() < 1e-5);
        let nodes = nodes(corner, side, 25);
        assert_eq!(nodes.len(), 2 * 25 * 25);
        assert_eq!(nodes[..2], corner);
        assert!((nodes[2 * 25 * 25 - 1] - corner[1] - side).abs() < 1e-5);
        assert!(
            (nodes[2 * 25] - corner[0]).abs() < 1e-5,
            "the second row begins at the left"
        );
    }
}
