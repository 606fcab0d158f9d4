//! What several tests share: random problems, rotations, comparison with numbers in the message.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file compiles this module, none uses all of it"
)]

pub mod definition;
pub mod head;
pub mod hostile;
pub mod runs;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use head::Problem;

/// Compares element by element, relative to the largest expected element (at least 1e-6).
///
/// # Panics
/// With index, both values and the largest difference.
#[track_caller]
pub fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: lengths differ");
    let scale = expected.iter().fold(1e-6_f64, |max, x| max.max(x.abs()));
    let worst = found
        .iter()
        .zip(expected)
        .enumerate()
        .map(|(i, (a, b))| (i, (a - b).abs() / scale))
        .fold((0, 0.0), |worst, new| {
            if new.1 > worst.1 || new.1.is_nan() {
                new
            } else {
                worst
            }
        });
    assert!(
        worst.1 <= tolerance,
        "{what}[{}]: found {}, expected {} (relative difference {:.2e}, tolerance {tolerance:.1e})",
        worst.0,
        found[worst.0],
        expected[worst.0],
        worst.1
    );
}

/// Features and weights from U(−1.5, 1.5), labels and all else from the same seed.
pub fn random_problem(seed: u64, dim: usize, n_classes: usize, n: usize) -> Problem<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw =
        |len: usize| -> Vec<f64> { (0..len).map(|_| rng.random_range(-1.5..1.5)).collect() };
    Problem {
        dim,
        n_classes,
        features: draw(dim * n),
        weights: draw(dim * n_classes),
        bias: draw(n_classes),
        centers: draw(dim * n_classes),
        labels: (0..n)
            .map(|i| ((i * 3 + seed as usize) % n_classes) as u16)
            .collect(),
    }
}

/// `n` directions of length 1.
pub fn random_directions(seed: u64, dim: usize, n: usize) -> Vec<f64> {
    let mut columns = random_problem(seed, dim, 1, n).features;
    for column in columns.chunks_exact_mut(dim) {
        let norm = column.iter().map(|x| x * x).sum::<f64>().sqrt();
        for x in column {
            *x /= norm;
        }
    }
    columns
}

/// An orthogonal matrix, as the product of random plane rotations.
#[derive(Clone, Debug)]
pub struct Rotation {
    dim: usize,
    turns: Vec<(usize, usize, f64)>,
}

/// A rotation that mixes all coordinates.
pub fn rotation(seed: u64, dim: usize) -> Rotation {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut turns = Vec::new();
    for a in 0..dim {
        for b in a + 1..dim {
            turns.push((a, b, rng.random_range(0.1..6.0)));
        }
    }
    Rotation { dim, turns }
}

impl Rotation {
    /// Every column turned.
    pub fn columns(&self, columns: &[f64]) -> Vec<f64> {
        let mut turned = columns.to_vec();
        for column in turned.chunks_exact_mut(self.dim) {
            for &(a, b, angle) in &self.turns {
                let (sin, cos) = angle.sin_cos();
                let (x, y) = (column[a], column[b]);
                column[a] = cos * x - sin * y;
                column[b] = sin * x + cos * y;
            }
        }
        turned
    }
}
