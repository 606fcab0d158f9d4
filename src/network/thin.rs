//! Products whose result has a side of at most [`THIN`]: the last layer of a network for the plane
//! or the sphere, and the weights of a first layer with few inputs. The general product would fill
//! its registers with zeros or repetitions (measured: 8 to 14 GFLOP/s, a seventh of its best).

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use pulp::Simd;

use crate::network::matmul::{Into, Mat};
use crate::network::tile::{GROUP, Tile, WithTiles, group_at, with_tiles};

/// Longest short side.
pub(super) const THIN: usize = 4;
/// Longest row that is copied; a whole number of groups.
const LONG: usize = 512;

/// Makes the product if a side of the result is short and the others suit; says whether it did.
pub(super) fn thin_product(out: &mut [f32], into: Into, a: Mat<'_>, b: Mat<'_>) -> bool {
    let (m, k, n) = (a.n_rows, a.n_cols, b.n_cols);
    let out = &mut out[..m * n];
    if m <= THIN && b.row_stride == 1 && suits(k) {
        with_tiles(Dots { out, into, a, b });
    } else if m <= THIN && b.col_stride == 1 && suits(n) {
        let (long, short) = (b.t(), a);
        with_tiles(Sums {
            out,
            into,
            long,
            short,
            strides: [m, 1],
        });
    } else if n <= THIN && a.row_stride == 1 && suits(m) {
        with_tiles(Sums {
            out,
            into,
            long: a,
            short: b.t(),
            strides: [1, m],
        });
    } else {
        return false;
    }
    true
}

fn suits(long: usize) -> bool {
    long.is_multiple_of(GROUP) && (GROUP..=LONG).contains(&long)
}

/// Few rows times long columns: each element is a dot product.
struct Dots<'a> {
    out: &'a mut [f32],
    into: Into,
    /// `[≤ THIN, k]`
    a: Mat<'a>,
    /// `[k, n]`, its columns contiguous
    b: Mat<'a>,
}

impl WithTiles for Dots<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(self, simd: S) {
        let Self { out, into, a, b } = self;
        let (m, k) = (a.n_rows, a.n_cols);
        let mut rows = [[0.0; LONG]; THIN]; // contiguous
        for (row, to) in rows[..m].iter_mut().enumerate() {
            for (i, to) in to[..k].iter_mut().enumerate() {
                *to = a.data[row * a.row_stride + i * a.col_stride];
            }
        }
        for (j, out) in out.chunks_exact_mut(m).enumerate() {
            let (column, _) = S::as_simd_f32s(&b.data[j * b.col_stride..][..k]);
            for (out, row) in out.iter_mut().zip(&rows) {
                let (row, _) = S::as_simd_f32s(&row[..k]);
                let mut sums = simd.splat_f32s(0.0);
                for (&x, &w) in column.iter().zip(row) {
                    sums = simd.mul_add_e_f32s(x, w, sums);
                }
                let start = if into == Into::Add { *out } else { 0.0 };
                *out = start + simd.reduce_sum_f32s(sums);
            }
        }
    }
}

/// Σ over many long columns, each times few numbers: `long` · `short`ᵀ.
struct Sums<'a> {
    out: &'a mut [f32],
    into: Into,
    /// `[long, k]`, its columns contiguous
    long: Mat<'a>,
    /// `[≤ THIN, k]`
    short: Mat<'a>,
    /// From one element of `out` to the next along the long side and along the short one.
    strides: [usize; 2],
}

impl WithTiles for Sums<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(self, simd: S) {
        let Self {
            out,
            into,
            long,
            short,
            strides,
        } = self;
        for first in (0..long.n_rows).step_by(GROUP) {
            let mut tile = Tile::<S, R, THIN>::zero(simd);
            for i in 0..long.n_cols {
                let mut factors = [&0.0; THIN];
                for (row, factor) in factors[..short.n_rows].iter_mut().enumerate() {
                    *factor = &short.data[row * short.row_stride + i * short.col_stride];
                }
                tile.add(group_at(long.data, i * long.col_stride + first), factors);
            }
            for row in 0..short.n_rows {
                let mut sums = [0.0; GROUP];
                tile.add_to(row, &mut sums);
                for (lane, sum) in sums.into_iter().enumerate() {
                    let out = &mut out[(first + lane) * strides[0] + row * strides[1]];
                    *out = if into == Into::Add { *out + sum } else { sum };
                }
            }
        }
    }
}
