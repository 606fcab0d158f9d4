//! The one function all matrix products go through.
//!
//! Matrices are views into slices with strides, so that a transpose costs nothing. The first
//! factor is copied into groups of rows, the second is read where it stands. The sizes are those of
//! small networks, and nothing is cut to fit a larger cache: that makes it simple, and it reaches
//! nine tenths of what the processor can add and multiply (`BENCHMARKS.md`). The `gemm` crate asks
//! for two or three buffers in every product.

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use std::cell::Cell;

use pulp::Simd;

use crate::network::thin::thin_product;
use crate::network::tile::{GROUP, Tile, WithTiles, at, each, each_or_last, group_at, with_tiles};

/// A read-only matrix view, column-major unless transposed.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a> {
    pub(super) data: &'a [f32],
    pub(super) n_rows: usize,
    pub(super) n_cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
}

impl<'a> Mat<'a> {
    /// `[n_rows, n_cols]`, column after column.
    ///
    /// # Panics
    /// If `data` is shorter than the matrix: a fault of the caller, never of user input.
    pub fn new(data: &'a [f32], n_rows: usize, n_cols: usize) -> Self {
        assert!(
            data.len() >= n_rows * n_cols,
            "matrix view outside its buffer"
        );
        Self {
            data,
            n_rows,
            n_cols,
            row_stride: 1,
            col_stride: n_rows,
        }
    }

    /// Some of its rows, without moving anything.
    ///
    /// # Panics
    /// If there are not so many: a fault of the caller, never of user input.
    #[must_use]
    pub fn rows(self, rows: std::ops::Range<usize>) -> Self {
        Self {
            data: &self.data[rows.start * self.row_stride..],
            n_rows: rows.len(),
            ..self
        }
    }

    /// The transpose, without moving anything.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            n_rows: self.n_cols,
            n_cols: self.n_rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }
}

/// What happens to the values that `out` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// They are overwritten.
    Replace,
    /// The product is added to them.
    Add,
}

/// `out` = (or +=) `a`·`b`, with `out` `[a.n_rows, b.n_cols]` column-major. One thread, and the
/// same bits for the same shapes on one kind of processor.
///
/// # Panics
/// If the sizes disagree: a fault of the caller, never of user input.
pub fn matmul(out: &mut [f32], into: Into, a: Mat<'_>, b: Mat<'_>) {
    let (m, n) = (a.n_rows, b.n_cols);
    assert_eq!(a.n_cols, b.n_rows, "inner sizes of a matrix product");
    assert!(out.len() >= m * n, "matrix product outside its buffer");
    if m == 0 || n == 0 || thin_product(out, into, a, b) {
        return;
    }
    // Taken and given back: what runs in a closure would be compiled without the wide registers.
    let mut packed = PACKED.take();
    with_tiles(Product {
        out,
        into,
        a,
        b,
        packed: &mut packed,
    });
    PACKED.set(packed);
}

thread_local! {
    /// Rows of the first factor as they are multiplied, kept from one product to the next.
    static PACKED: Cell<Vec<[f32; GROUP]>> = const { Cell::new(Vec::new()) };
}

struct Product<'a> {
    out: &'a mut [f32],
    into: Into,
    /// `[m, k]`
    a: Mat<'a>,
    /// `[k, n]`, its rows or its columns contiguous
    b: Mat<'a>,
    packed: &'a mut Vec<[f32; GROUP]>,
}

impl WithTiles for Product<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(mut self, simd: S) {
        let k = self.a.n_cols;
        if self.b.row_stride == 1 {
            // A group of rows meets all columns, one packed group after the other in the cache.
            self.make_room(k);
            for row in (0..self.a.n_rows).step_by(GROUP) {
                pack(self.a, row, &mut self.packed[..k]);
                for column in (0..self.b.n_cols).step_by(P) {
                    let tile = self.times_columns::<S, R, P>(simd, column);
                    self.store(&tile, row, column);
                }
            }
        } else {
            // Parts of rows are far apart: those of few columns stay in the cache and meet all groups.
            self.make_room(self.a.n_rows.div_ceil(GROUP) * k);
            for row in (0..self.a.n_rows).step_by(GROUP) {
                pack(self.a, row, &mut self.packed[row / GROUP * k..][..k]);
            }
            for column in (0..self.b.n_cols).step_by(P) {
                for row in (0..self.a.n_rows).step_by(GROUP) {
                    let tile = self.times_rows::<S, R, P>(simd, row, column);
                    self.store(&tile, row, column);
                }
            }
        }
    }
}

impl Product<'_> {
    fn make_room(&mut self, n_groups: usize) {
        let n_groups = n_groups.max(self.packed.len());
        self.packed.resize(n_groups, [0.0; GROUP]);
    }

    /// The packed group times `P` columns of b, each contiguous; where there are fewer, the last
    /// stands for the rest.
    #[inline(always)]
    fn times_columns<S: Simd, const R: usize, const P: usize>(
        &self,
        simd: S,
        column: usize,
    ) -> Tile<S, R, P> {
        let (b, k) = (self.b, self.b.n_rows);
        let mut columns = [&b.data[..0]; P];
        for (p, to) in columns.iter_mut().enumerate() {
            let start = (column + p).min(b.n_cols - 1) * b.col_stride;
            *to = &b.data[start..start + k];
        }
        let mut tile = Tile::zero(simd);
        let packed = &self.packed[..k];
        for (i, group) in packed.iter().enumerate() {
            tile.add(group, at(columns, i));
        }
        tile
    }

    /// The packed rows from `row` on times `P` columns of b, whose rows are contiguous.
    #[inline(always)]
    fn times_rows<S: Simd, const R: usize, const P: usize>(
        &self,
        simd: S,
        row: usize,
        column: usize,
    ) -> Tile<S, R, P> {
        let (b, k) = (self.b, self.b.n_rows);
        let mut tile = Tile::zero(simd);
        let packed = &self.packed[row / GROUP * k..][..k];
        if column + P <= b.n_cols {
            for (i, group) in packed.iter().enumerate() {
                tile.add(group, each(&b.data[i * b.row_stride + column..]));
            }
        } else {
            for (i, group) in packed.iter().enumerate() {
                let rest = &b.data[i * b.row_stride..][column..b.n_cols];
                tile.add(group, each_or_last(rest));
            }
        }
        tile
    }

    #[inline(always)]
    fn store<S: Simd, const R: usize, const P: usize>(
        &mut self,
        tile: &Tile<S, R, P>,
        row: usize,
        column: usize,
    ) {
        let m = self.a.n_rows;
        for j in column..(column + P).min(self.b.n_cols) {
            let out = &mut self.out[j * m + row..(j + 1) * m];
            if out.len() >= GROUP {
                let out = &mut out[..GROUP];
                if self.into == Into::Replace {
                    tile.put(j - column, out);
                } else {
                    tile.add_to(j - column, out);
                }
            } else {
                let mut sums = [0.0; GROUP];
                tile.add_to(j - column, &mut sums);
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = if self.into == Into::Add {
                        *out + sum
                    } else {
                        sum
                    };
                }
            }
        }
    }
}

/// Writes [`GROUP`] rows of `a` from `row` on, column after column; zeros where there are no more
/// rows.
#[inline(always)]
fn pack(a: Mat<'_>, row: usize, packed: &mut [[f32; GROUP]]) {
    let n_rows = GROUP.min(a.n_rows - row);
    let mut n_done = 0;
    if a.row_stride == 1 && n_rows == GROUP {
        for (column, group) in packed.iter_mut().enumerate() {
            *group = *group_at(a.data, column * a.col_stride + row);
        }
        n_done = a.n_cols;
    } else if a.col_stride == 1 && n_rows == GROUP {
        let (blocks, _) = packed.as_chunks_mut::<GROUP>();
        for (i, block) in blocks.iter_mut().enumerate() {
            transpose(a, row, i * GROUP, block);
        }
        n_done = a.n_cols / GROUP * GROUP;
    }
    for (column, group) in packed.iter_mut().enumerate().skip(n_done) {
        *group = [0.0; GROUP];
        for (lane, to) in group[..n_rows].iter_mut().enumerate() {
            *to = a.data[(row + lane) * a.row_stride + column * a.col_stride];
        }
    }
}

/// Reads a square of `a`, whose rows are contiguous, column by column.
#[inline(always)]
fn transpose(a: Mat<'_>, row: usize, column: usize, out: &mut [[f32; GROUP]; GROUP]) {
    for lane in 0..GROUP {
        let from = group_at(a.data, (row + lane) * a.row_stride + column);
        for (column, &x) in out.iter_mut().zip(from) {
            column[lane] = x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes around the paths for thin matrices, in both orders of storage.
    #[test]
    fn products_of_any_shape_agree_with_the_definition() {
        let sizes = [1, 2, 3, 5, 16, 20, 37];
        for (m, n, k) in sizes
            .into_iter()
            .flat_map(|m| sizes.into_iter().map(move |n| (m, n)))
            .flat_map(|(m, n)| sizes.into_iter().map(move |k| (m, n, k)))
        {
            let a: Vec<f32> = (0..m * k).map(|i| (i % 7) as f32 - 3.0).collect();
            let b: Vec<f32> = (0..k * n).map(|i| 2.0 - (i % 5) as f32).collect();
            for into in [Into::Replace, Into::Add] {
                for transposed in [[false; 2], [true, false], [false, true], [true; 2]] {
                    check_product([m, n, k], into, transposed, &a, &b);
                }
            }
        }
    }

    /// Longer than what a thin product copies.
    #[test]
    fn long_products_agree_with_the_definition() {
        for [m, n, k] in [[2, 9, 529], [33, 17, 529], [529, 3, 40], [40, 529, 4]] {
            let a: Vec<f32> = (0..m * k).map(|i| (i % 7) as f32 - 3.0).collect();
            let b: Vec<f32> = (0..k * n).map(|i| 2.0 - (i % 5) as f32).collect();
            for transposed in [[false; 2], [true, false], [false, true], [true; 2]] {
                check_product([m, n, k], Into::Add, transposed, &a, &b);
            }
        }
    }

    /// Small whole numbers: every sum is exact.
    #[track_caller]
    fn check_product(
        [m, n, k]: [usize; 3],
        into: Into,
        [is_a_transposed, is_b_transposed]: [bool; 2],
        a: &[f32],
        b: &[f32],
    ) {
        let mat = |data, rows, cols, is_transposed: bool| {
            if is_transposed {
                Mat::new(data, cols, rows).t()
            } else {
                Mat::new(data, rows, cols)
            }
        };
        let (a, b) = (mat(a, m, k, is_a_transposed), mat(b, k, n, is_b_transposed));
        let at = |mat: Mat<'_>, i, j| mat.data[i * mat.row_stride + j * mat.col_stride];
        let mut out = vec![7.0; m * n];
        matmul(&mut out, into, a, b);
        for (i, found) in out.iter().enumerate() {
            let product: f32 = (0..k).map(|l| at(a, i % m, l) * at(b, l, i / m)).sum();
            let start = if into == Into::Add { 7.0 } else { 0.0 };
            assert_eq!(*found, start + product, "{m}×{k}×{n}, element {i}");
        }
    }

    #[test]
    fn products_of_transposes_agree_with_the_definition() {
        let (m, n, k) = (3, 4, 5);
        let a: Vec<f32> = (0..m * k).map(|i| i as f32 * 0.5 - 3.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| 2.0 - i as f32 * 0.25).collect();
        let mut out = vec![1.0; m * n];
        // a stored as its own transpose [k, m], b as [k, n]
        matmul(
            &mut out,
            Into::Add,
            Mat::new(&a, k, m).t(),
            Mat::new(&b, k, n),
        );
        for col in 0..n {
            for row in 0..m {
                let expected: f32 =
                    1.0 + (0..k).map(|i| a[row * k + i] * b[col * k + i]).sum::<f32>();
                assert!((out[col * m + row] - expected).abs() < 1e-4);
            }
        }
    }
}
