//! The directions in which vectors are largest: a principal component analysis about the origin.
//!
//! The losses measure lengths, angles and scalar products from the origin. An analysis of the
//! deviations from the mean would move the origin into the middle of the features: W·(x − μ) is not
//! W·x, and the angle between x − μ and W is another one. So nothing is centered, and the axes are
//! the leading right singular vectors of X itself. Features and class weights are seen along the
//! same orthonormal axes: what is lost of a scalar product is only what lies across them.

use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

/// Most axes that are ever seen.
const N_AXES: usize = 3;
/// Largest side of the matrix of scalar products, 134 MB in f64.
pub(super) const MAX_SIDE: usize = 4096;
/// Columns of the iteration: more than are wanted, because the error shrinks in each round by the
/// first eigenvalue that is left out over the last that is wanted.
const N_COLUMNS: usize = 12;
/// Most rounds, where eigenvalues are so close that their axes have hardly a meaning.
const MOST_ROUNDS: usize = 500;
/// Residual over the largest eigenvalue that ends the iteration.
const RESIDUAL: f64 = 1e-12;
/// Vectors that are added up together. The same on any machine, so that sums have the same bits.
const BLOCK: usize = 256;
/// Blocks that are added up by one thread.
const BLOCKS_PER_SUM: usize = 2;

/// Orthonormal directions, the largest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Principal {
    /// At most three, `[dim]` each; the number of largest magnitude is positive.
    axes: Vec<Vec<f64>>,
    /// Part of the squared length of all vectors that lies along each axis.
    shares: Vec<f64>,
}

impl Principal {
    /// Of vectors `[dim, n]` that are not all zero; the smaller of `dim` and `n` is at most
    /// [`MAX_SIDE`]. `None` if `goes_on`, which is asked every few seconds at most, says no.
    pub(super) fn of(
        vectors: &[f32],
        dim: usize,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Option<Self> {
        let n = vectors.len() / dim;
        let (values, axes, whole) = if dim <= n {
            let products = products_of_rows(vectors, dim, goes_on)?;
            let (values, axes) = largest(&products, N_AXES.min(dim), goes_on)?;
            (values, axes, products.trace())
        } else {
            let products = products_of_columns(vectors, dim, goes_on)?;
            let (values, mixtures) = largest(&products, N_AXES.min(n), goes_on)?;
            let axes = mixtures.iter().map(|u| mixture(vectors, dim, u)).collect();
            (values, axes, products.trace())
        };
        let axes = orthonormal(axes, dim, N_AXES.min(dim));
        let share = |k: usize| {
            values
                .get(k)
                .map_or(0.0, |value| (value / whole).clamp(0.0, 1.0))
        };
        Some(Self {
            shares: (0..axes.len()).map(share).collect(),
            axes,
        })
    }

    /// Part of the squared length that `n_axes` axes show.
    pub(super) fn share(&self, n_axes: usize) -> f64 {
        self.shares.iter().take(n_axes).sum::<f64>().min(1.0)
    }

    /// Appends a vector `[dim]` as it is seen along the first `n_axes` axes.
    pub(super) fn push(&self, vector: &[f32], n_axes: usize, seen: &mut Vec<f32>) {
        let along = |axis: &Vec<f64>| {
            let products = axis.iter().zip(vector).map(|(a, &x)| a * f64::from(x));
            products.sum::<f64>() as f32
        };
        seen.extend(self.axes.iter().take(n_axes).map(along));
    }
}

/// Columns of a block in f64 `[dim, len]`.
fn wide(vectors: &[f32], dim: usize) -> DMatrix<f64> {
    let values = vectors.iter().map(|&x| f64::from(x));
    DMatrix::from_iterator(dim, vectors.len() / dim, values)
}

/// Σ x xᵀ `[dim, dim]`
fn products_of_rows(
    vectors: &[f32],
    dim: usize,
    goes_on: &mut dyn FnMut() -> bool,
) -> Option<DMatrix<f64>> {
    let sum_of = |vectors: &[f32]| {
        let mut sum = DMatrix::zeros(dim, dim);
        for block in vectors.chunks(BLOCK * dim) {
            let block = wide(block, dim);
            sum.gemm(1.0, &block, &block.transpose(), 1.0);
        }
        sum
    };
    let stretches = vectors.par_chunks(BLOCKS_PER_SUM * BLOCK * dim);
    // A few at a time: each sum is as large as the result.
    let mut whole = DMatrix::zeros(dim, dim);
    let stretches: Vec<&[f32]> = stretches.collect();
    for some in stretches.chunks(4) {
        if !goes_on() {
            return None;
        }
        let sums: Vec<DMatrix<f64>> = some.par_iter().map(|vectors| sum_of(vectors)).collect();
        for sum in &sums {
            whole += sum;
        }
    }
    Some(whole)
}

/// Every xᵀx′ `[n, n]`
fn products_of_columns(
    vectors: &[f32],
    dim: usize,
    goes_on: &mut dyn FnMut() -> bool,
) -> Option<DMatrix<f64>> {
    let n = vectors.len() / dim;
    let mut products = DMatrix::zeros(n, n);
    // Rows a block at a time, so that never all vectors stand in f64.
    for start in (0..dim).step_by(BLOCK) {
        let len = BLOCK.min(dim - start);
        let rows = DMatrix::from_fn(len, n, |i, j| f64::from(vectors[j * dim + start + i]));
        products.gemm(1.0, &rows.transpose(), &rows, 1.0);
        if !goes_on() {
            return None;
        }
    }
    Some(products)
}

/// The sum of all vectors, each times its share `[dim]`
fn mixture(vectors: &[f32], dim: usize, shares: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; dim];
    for (vector, share) in vectors.chunks_exact(dim).zip(shares) {
        for (sum, &x) in sum.iter_mut().zip(vector) {
            *sum += share * f64::from(x);
        }
    }
    sum
}

/// The largest eigenvalues of a symmetric matrix without negative ones, with their eigenvectors.
///
/// Subspace iteration with the Rayleigh–Ritz step: a whole decomposition of 2,048 dimensions would
/// take a minute.
fn largest(
    matrix: &DMatrix<f64>,
    n_wanted: usize,
    goes_on: &mut dyn FnMut() -> bool,
) -> Option<(Vec<f64>, Vec<Vec<f64>>)> {
    let side = matrix.nrows();
    let n_columns = N_COLUMNS.min(side);
    // Not along some axes alone: a start perpendicular to an eigenvector would stay there.
    let mut basis = DMatrix::from_fn(side, n_columns, |i, k| {
        f64::from(u8::from(i == k)) + 0.3 * (1.0 + (i * (k + 2)) as f64).sin()
    });
    let mut values = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let q = basis.qr().q();
        let image = matrix * &q;
        let small = SymmetricEigen::new(q.tr_mul(&image));
        let mut order: Vec<usize> = (0..small.eigenvalues.len()).collect();
        order.sort_by(|&a, &b| small.eigenvalues[b].total_cmp(&small.eigenvalues[a]));
        let turn = small.eigenvectors.select_columns(&order);
        values = order
            .iter()
            .map(|&k| small.eigenvalues[k].max(0.0))
            .collect();
        let (ritz, next) = (q * &turn, image * &turn);
        let is_done = (0..n_wanted).all(|k| {
            let residual = (next.column(k) - ritz.column(k) * values[k]).norm();
            residual <= RESIDUAL * values[0]
        });
        basis = if is_done { ritz } else { next };
        if is_done {
            break;
        }
        if !goes_on() {
            return None;
        }
    }
    let vectors = basis.column_iter().take(n_wanted);
    Some((
        values,
        vectors.map(|v| v.iter().copied().collect()).collect(),
    ))
}

/// The same directions with length 1, perpendicular to one another, and a sign of their own; where
/// the vectors lie in fewer dimensions, any others to make `n_axes` of them.
fn orthonormal(axes: Vec<Vec<f64>>, dim: usize, n_axes: usize) -> Vec<Vec<f64>> {
    const LEAST: f64 = 1e-9; // of its length: what is left is not only rounding
    let spare = (0..dim).map(|i| (0..dim).map(|j| f64::from(u8::from(i == j))).collect());
    let mut done: Vec<Vec<f64>> = Vec::new();
    for mut axis in axes.into_iter().chain(spare) {
        if done.len() == n_axes {
            break;
        }
        let length = norm(&axis);
        for _ in 0..2 {
            for other in &done {
                let along: f64 = axis.iter().zip(other).map(|(a, b)| a * b).sum();
                axis.iter_mut()
                    .zip(other)
                    .for_each(|(a, b)| *a -= along * b);
            }
        }
        let left = norm(&axis);
        if left > LEAST * length {
            let share = sign(&axis) / left;
            for a in &mut axis {
                *a *= share;
            }
            done.push(axis);
        }
    }
    done
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|a| a * a).sum::<f64>().sqrt()
}

/// The sign that makes the number of largest magnitude positive, the first among nearly equals:
/// rounding must not turn an axis around.
fn sign(axis: &[f64]) -> f64 {
    const NEARLY: f64 = 1.0 - 1e-6;
    let largest = axis.iter().map(|a| a.abs()).fold(0.0, f64::max);
    let first = axis.iter().find(|a| a.abs() >= NEARLY * largest);
    first.map_or(1.0, |a| a.signum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    /// Vectors `[dim, n]` that are long along a few random directions, away from the origin.
    fn vectors(dim: usize, n: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform =
            |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
        let (shift, directions) = (uniform(dim), uniform(dim * 4));
        let noise = uniform(dim * n);
        let amounts = uniform(4 * n);
        (0..n * dim)
            .map(|k| {
                let (i, row) = (k / dim, k % dim);
                let along: f32 = (0..4)
                    .map(|d| amounts[4 * i + d] * directions[d * dim + row] * (4 - d) as f32)
                    .sum();
                2.0 * shift[row] + along + 0.1 * noise[k]
            })
            .collect()
    }

    fn principal(x: &[f32], dim: usize) -> Principal {
        Principal::of(x, dim, &mut || true).expect("nobody says no")
    }

    #[test]
    fn whoever_says_no_is_heard() {
        for (dim, n) in [(17, 400), (40, 30)] {
            let x = vectors(dim, n, 7);
            assert_eq!(Principal::of(&x, dim, &mut || false), None);
            let mut n_asked = 0;
            let mut asked_twice = || {
                n_asked += 1;
                n_asked < 2
            };
            assert_eq!(Principal::of(&x, dim, &mut asked_twice), None);
        }
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// The axes are the leading singular vectors of X as it stands, by nalgebra's decomposition.
    #[test]
    fn axes_are_the_singular_vectors_of_what_is_not_centered() {
        for (dim, n) in [(3, 50), (17, 400), (40, 12), (512, 30), (5, 5), (30, 2)] {
            let x = vectors(dim, n, 7);
            let found = principal(&x, dim);
            let svd = wide(&x, dim).svd(true, false);
            let (u, sigma) = (svd.u.expect("asked for"), svd.singular_values);
            let whole = sigma.norm_squared();
            assert_eq!(found.axes.len(), 3.min(dim));
            for k in 0..3.min(dim).min(n) {
                let exact: Vec<f64> = u.column(k).iter().copied().collect();
                let cos = dot(&found.axes[k], &exact).abs();
                // Twelve digits of the residual leave six of the angle at eigenvalues as close.
                assert!(cos > 1.0 - 1e-9, "{dim}×{n}, axis {k}: {cos}");
                let share = sigma[k].powi(2) / whole;
                assert!(
                    (found.shares[k] - share).abs() < 1e-9,
                    "{dim}×{n}, axis {k}"
                );
            }
        }
    }

    #[test]
    fn axes_are_orthonormal_and_have_a_sign_of_their_own() {
        let x = vectors(20, 300, 3);
        let axes = principal(&x, 20).axes;
        for (i, a) in axes.iter().enumerate() {
            for (j, b) in axes.iter().enumerate() {
                let expected = f64::from(u8::from(i == j));
                assert!((dot(a, b) - expected).abs() < 1e-12, "{i}, {j}");
            }
            let largest = a.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
            assert!(largest > Some(0.0), "axis {i}: {largest:?}");
        }
        let flipped: Vec<f32> = x.iter().map(|x| -x).collect();
        assert_eq!(principal(&flipped, 20).axes, axes);
    }

    #[test]
    fn the_same_vectors_give_the_same_bits_on_any_number_of_threads() {
        let x = vectors(24, 9000, 5);
        let on = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build();
            pool.expect("a pool").install(|| principal(&x, 24))
        };
        assert_eq!(on(1), on(3));
    }

    /// What lies in the plane of the axes keeps its lengths and angles, about the origin.
    #[test]
    fn a_plane_is_seen_as_it_is() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let dim = 9;
        let plane = orthonormal(
            (0..2)
                .map(|_| (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect())
                .collect(),
            dim,
            2,
        );
        // All on one side, so that the mean is far from the origin.
        let points: Vec<[f64; 2]> = (0..100)
            .map(|_| [rng.random_range(3.0..5.0), rng.random_range(-1.0..2.0)])
            .collect();
        let x: Vec<f32> = points
            .iter()
            .flat_map(|p| (0..dim).map(|i| (p[0] * plane[0][i] + p[1] * plane[1][i]) as f32))
            .collect();
        let principal = principal(&x, dim);
        assert!(principal.share(2) > 1.0 - 1e-12);
        let mut seen = Vec::new();
        for vector in x.chunks_exact(dim) {
            principal.push(vector, 2, &mut seen);
        }
        for (a, p) in seen.chunks_exact(2).zip(&points) {
            for (b, q) in seen.chunks_exact(2).zip(&points) {
                let found = f64::from(a[0]) * f64::from(b[0]) + f64::from(a[1]) * f64::from(b[1]);
                let expected = p[0] * q[0] + p[1] * q[1];
                // Numbers up to 5 in f32, two products of them.
                assert!((found - expected).abs() < 2e-5, "{found} {expected}");
            }
        }
    }

    #[test]
    fn vectors_on_a_line_have_axes_beside_it() {
        for (dim, n) in [(6, 40), (40, 6), (5, 1)] {
            let x: Vec<f32> = (0..n * dim)
                .map(|k| ((k % dim) * (k / dim + 1)) as f32)
                .collect();
            let found = principal(&x, dim);
            assert_eq!(found.axes.len(), 3);
            assert!((found.share(1) - 1.0).abs() < 1e-9, "{}", found.share(1));
            assert!(
                found
                    .axes
                    .iter()
                    .all(|axis| (norm(axis) - 1.0).abs() < 1e-9)
            );
        }
    }
}
