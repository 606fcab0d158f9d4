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
use rayon::prelude::*;

use crate::network::thin::thin_product;
use crate::network::tile::{
    GROUP, Tile, WIDE_GROUP, WithTiles, at, each, each_or_last, with_tiles, with_wide_tiles,
};
use crate::simd::dispatch;

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
    if thin_product(out, into, a, b) {
        return;
    }
    let mut packed = PACKED.take();
    packed.pack(a);
    packed.times(out, into, b);
    PACKED.set(packed);
}

thread_local! {
    /// The first factor of a product, kept from one product to the next.
    static PACKED: Cell<Packed> = const { Cell::new(Packed::EMPTY) };
}

/// The first factor of products, in the order in which they read it.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    n_rows: usize,
    n_cols: usize,
    /// Rows of a group.
    group: usize,
    /// `[group, n_cols, groups]`, zeros below the last row.
    groups: Vec<f32>,
}

impl Default for Packed {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// Least numbers that another thread packs: what takes it a few microseconds.
const LEAST_PACKED: usize = 16 * 1024;

/// A weight W as the passes through its layer read it: W forward, Wᵀ backward.
#[derive(Clone, Debug, Default)]
pub struct PackedWeight {
    pub(super) forward: Packed,
    /// Empty where the gradient of the layer's inputs is not wanted.
    pub(super) backward: Packed,
}

impl PackedWeight {
    /// Takes W, on as many threads as it is worth.
    pub(super) fn pack(&mut self, weight: Mat<'_>, is_backward_wanted: bool) {
        self.forward.pack_on_threads(weight);
        if is_backward_wanted {
            self.backward.pack_on_threads(weight.t());
        }
    }
}

impl Packed {
    const EMPTY: Self = Self {
        n_rows: 0,
        n_cols: 0,
        group: GROUP,
        groups: Vec::new(),
    };

    /// Copies `a` into memory that it keeps.
    pub(super) fn pack(&mut self, a: Mat<'_>) {
        let [group, len] = self.make_room(a);
        for (i, packed) in self.groups.chunks_exact_mut(len).enumerate() {
            pack_group(a, i * group, packed);
        }
    }

    /// The same on as many threads as it is worth.
    fn pack_on_threads(&mut self, a: Mat<'_>) {
        let [group, len] = self.make_room(a);
        let groups = self.groups.par_chunks_exact_mut(len).enumerate();
        groups
            .with_min_len(LEAST_PACKED.div_ceil(len))
            .for_each(|(i, packed)| pack_group(a, i * group, packed));
    }

    /// Rows of a group, and its numbers.
    fn make_room(&mut self, a: Mat<'_>) -> [usize; 2] {
        self.n_rows = a.n_rows;
        self.n_cols = a.n_cols;
        self.group = if a.n_rows.is_multiple_of(WIDE_GROUP) {
            WIDE_GROUP
        } else {
            GROUP
        };
        let len = self.group * a.n_cols;
        self.groups.resize(a.n_rows.div_ceil(self.group) * len, 0.0);
        [self.group, len.max(1)]
    }

    /// Rows of a group.
    pub(super) fn group_len(&self) -> usize {
        self.group
    }

    /// Groups of rows from top to bottom, `[n_cols, group]` each.
    pub(super) fn groups(&self) -> std::slice::ChunksExact<'_, f32> {
        self.groups.chunks_exact((self.group * self.n_cols).max(1))
    }

    /// The group of `len` rows from `row` on, column after column.
    #[inline(always)]
    pub(super) fn rows_from(&self, row: usize, len: usize) -> std::slice::ChunksExact<'_, f32> {
        self.groups[row * self.n_cols..][..len * self.n_cols].chunks_exact(len)
    }

    /// `out` = (or +=) itself times `b`.
    pub(super) fn times(&self, out: &mut [f32], into: Into, b: Mat<'_>) {
        let n = self.n_rows * b.n_cols;
        assert_eq!(self.n_cols, b.n_rows, "inner sizes of a matrix product");
        assert!(out.len() >= n, "matrix product outside its buffer");
        let op = Product {
            out: &mut out[..n],
            into,
            a: self,
            b,
        };
        if self.group == WIDE_GROUP {
            with_wide_tiles(op);
        } else {
            with_tiles(op);
        }
    }
}

struct Product<'a> {
    out: &'a mut [f32],
    into: Into,
    /// `[m, k]`
    a: &'a Packed,
    /// `[k, n]`, its rows or its columns contiguous
    b: Mat<'a>,
}

impl WithTiles for Product<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const P: usize>(mut self, simd: S) {
        let rows = (0..self.a.n_rows).step_by(Tile::<S, R, P>::GROUP);
        if self.b.row_stride == 1 {
            // A group of rows meets all columns, one group after the other in the cache.
            for row in rows {
                for column in (0..self.b.n_cols).step_by(P) {
                    let tile = self.times_columns::<S, R, P>(simd, row, column);
                    self.store(&tile, row, column);
                }
            }
        } else {
            // Parts of rows are far apart: those of few columns stay in the cache and meet all groups.
            for column in (0..self.b.n_cols).step_by(P) {
                for row in rows.clone() {
                    let tile = self.times_rows::<S, R, P>(simd, row, column);
                    self.store(&tile, row, column);
                }
            }
        }
    }
}

impl Product<'_> {
    /// The packed rows from `row` on times `P` columns of b, each contiguous; where there are fewer,
    /// the last stands for the rest.
    #[inline(always)]
    fn times_columns<S: Simd, const R: usize, const P: usize>(
        &self,
        simd: S,
        row: usize,
        column: usize,
    ) -> Tile<S, R, P> {
        let (b, k) = (self.b, self.b.n_rows);
        let mut columns = [&b.data[..0]; P];
        for (p, to) in columns.iter_mut().enumerate() {
            let start = (column + p).min(b.n_cols - 1) * b.col_stride;
            *to = &b.data[start..start + k];
        }
        let mut tile = Tile::zero(simd);
        let groups = self.a.rows_from(row, Tile::<S, R, P>::GROUP);
        for (i, group) in groups.take(k).enumerate() {
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
        let b = self.b;
        let mut tile = Tile::zero(simd);
        let groups = self.a.rows_from(row, Tile::<S, R, P>::GROUP).enumerate();
        if column + P <= b.n_cols {
            for (i, group) in groups {
                tile.add(group, each(&b.data[i * b.row_stride + column..]));
            }
        } else {
            for (i, group) in groups {
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
        let (m, len) = (self.a.n_rows, Tile::<S, R, P>::GROUP);
        for j in column..(column + P).min(self.b.n_cols) {
            let out = &mut self.out[j * m + row..(j + 1) * m];
            if out.len() >= len {
                let out = &mut out[..len];
                if self.into == Into::Replace {
                    tile.put(j - column, out);
                } else {
                    tile.add_to(j - column, out);
                }
            } else {
                let mut sums = [0.0; GROUP]; // groups are wide only where none is cut
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

fn pack_group(a: Mat<'_>, row: usize, packed: &mut [f32]) {
    dispatch(PackGroup { a, row, packed });
}

/// Writes a group of rows of `a` from `row` on, column after column; zeros where there are no more.
struct PackGroup<'a> {
    a: Mat<'a>,
    row: usize,
    /// `[group, n_cols]`
    packed: &'a mut [f32],
}

impl pulp::WithSimd for PackGroup<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { a, row, packed } = self;
        if packed.len() == WIDE_GROUP * a.n_cols {
            pack_rows(a, row, packed.as_chunks_mut::<WIDE_GROUP>().0);
        } else {
            pack_rows(a, row, packed.as_chunks_mut::<GROUP>().0);
        }
    }
}

#[inline(always)]
fn pack_rows<const LEN: usize>(a: Mat<'_>, row: usize, packed: &mut [[f32; LEN]]) {
    let n_rows = LEN.min(a.n_rows - row);
    let mut n_done = 0;
    if a.row_stride == 1 && n_rows == LEN {
        for (column, to) in packed.iter_mut().enumerate() {
            to.copy_from_slice(&a.data[column * a.col_stride + row..][..LEN]);
        }
        n_done = a.n_cols;
    } else if a.col_stride == 1 && n_rows == LEN {
        let (squares, _) = packed.as_chunks_mut::<SQUARE>();
        for (i, columns) in squares.iter_mut().enumerate() {
            for lane in (0..LEN).step_by(SQUARE) {
                let square = transposed(a, row + lane, i * SQUARE);
                for (to, column) in columns.iter_mut().zip(square) {
                    to[lane..lane + SQUARE].copy_from_slice(&column);
                }
            }
        }
        n_done = a.n_cols / SQUARE * SQUARE;
    }
    for (column, to) in packed.iter_mut().enumerate().skip(n_done) {
        to.fill(0.0);
        for (lane, to) in to[..n_rows].iter_mut().enumerate() {
            *to = a.data[(row + lane) * a.row_stride + column * a.col_stride];
        }
    }
}

/// Side of what is transposed in registers.
const SQUARE: usize = 4;

/// Columns of a square of `a`, whose rows are contiguous.
#[inline(always)]
fn transposed(a: Mat<'_>, row: usize, column: usize) -> [[f32; SQUARE]; SQUARE] {
    let start = row * a.row_stride + column;
    let rows: [&[f32]; SQUARE] =
        std::array::from_fn(|i| &a.data[start + i * a.row_stride..][..SQUARE]);
    std::array::from_fn(|j| std::array::from_fn(|i| rows[i][j]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::at_each_level;

    /// Sizes around the paths for thin matrices, in both orders of storage.
    #[test]
    fn products_of_any_shape_agree_with_the_definition() {
        at_each_level(check_shapes);
    }

    fn check_shapes() {
        let sizes = [1, 2, 3, 5, 16, 20, 37, 64];
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
        at_each_level(check_long);
    }

    fn check_long() {
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
