//! A few columns of a product held in vector registers while it is summed.
//!
//! All three passes of a convolution, and products of thin matrices, are sums Σ a·b of a group of
//! numbers a that lie side by side and single numbers b, for several columns at a time that share
//! the group.

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use pulp::Simd;

use crate::simd::dispatch;

/// Numbers that lie side by side: one register of AVX-512, two of AVX2, four of NEON.
pub(super) const GROUP: usize = 16;

/// Twice as many, where the registers have room for the sums of both halves.
pub(super) const WIDE_GROUP: usize = 2 * GROUP;

/// Most columns of a tile; a multiple of all other numbers of columns.
pub(super) const COLUMNS: usize = 8;

/// `P` columns of sums, in `R` registers a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile<S: Simd, const R: usize, const P: usize> {
    simd: S,
    sums: [[S::f32s; R]; P],
}

impl<S: Simd, const R: usize, const P: usize> Tile<S, R, P> {
    /// Numbers of a column, and of the groups that it takes and gives.
    pub(super) const GROUP: usize = R * S::F32_LANES;

    /// All sums 0.
    #[inline(always)]
    pub(super) fn zero(simd: S) -> Self {
        Self {
            simd,
            sums: [[simd.splat_f32s(0.0); R]; P],
        }
    }

    /// Adds `group` times `factors[p]` to each column p. Factors are borrowed: a copied array is
    /// loaded as one register and then taken apart, which costs more than the products.
    #[inline(always)]
    pub(super) fn add(&mut self, group: &[f32], factors: [&f32; P]) {
        let (group, _) = S::as_simd_f32s(group);
        for (sums, factor) in self.sums.iter_mut().zip(factors) {
            let factor = self.simd.splat_f32s(*factor);
            for (sum, &a) in sums.iter_mut().zip(group) {
                *sum = self.simd.mul_add_e_f32s(a, factor, *sum);
            }
        }
    }

    /// Writes column `column` to `out`.
    #[inline(always)]
    pub(super) fn put(&self, column: usize, out: &mut [f32]) {
        let (out, _) = S::as_mut_simd_f32s(out);
        out.copy_from_slice(&self.sums[column]);
    }

    /// Writes `start` plus column `column` to `out`.
    #[inline(always)]
    pub(super) fn put_from(&self, column: usize, start: &[f32], out: &mut [f32]) {
        let ((start, _), (out, _)) = (S::as_simd_f32s(start), S::as_mut_simd_f32s(out));
        for ((out, &start), &sum) in out.iter_mut().zip(start).zip(&self.sums[column]) {
            *out = self.simd.add_f32s(start, sum);
        }
    }

    /// Adds column `column` to what `out` holds.
    #[inline(always)]
    pub(super) fn add_to(&self, column: usize, out: &mut [f32]) {
        let (out, _) = S::as_mut_simd_f32s(out);
        for (out, &sum) in out.iter_mut().zip(&self.sums[column]) {
            *out = self.simd.add_f32s(*out, sum);
        }
    }
}

/// Something made of tiles, for any number of registers a group.
pub(super) trait WithTiles {
    /// Does it, with `R` registers of `S` in a group, and `P` columns at a time: as many as there is
    /// room for, beside what they share.
    fn run<S: Simd, const R: usize, const P: usize>(self, simd: S);
}

/// Runs `op` with the widest registers that the machine has, in groups of [`GROUP`].
pub(super) fn with_tiles(op: impl WithTiles) {
    dispatch(Narrow(op));
}

/// The same in groups of [`WIDE_GROUP`]: faster with AVX-512, and not slower elsewhere.
pub(super) fn with_wide_tiles(op: impl WithTiles) {
    dispatch(Wide(op));
}

struct Narrow<Op>(Op);

impl<Op: WithTiles> pulp::WithSimd for Narrow<Op> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.0.run::<S, 1, COLUMNS>(simd),
            8 => self.0.run::<S, 2, 4>(simd),
            4 => self.0.run::<S, 4, 4>(simd),
            _ => self.0.run::<S, GROUP, 1>(simd),
        }
    }
}

struct Wide<Op>(Op);

impl<Op: WithTiles> pulp::WithSimd for Wide<Op> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.0.run::<S, 2, COLUMNS>(simd),
            8 => self.0.run::<S, 4, 2>(simd),
            4 => self.0.run::<S, 8, 2>(simd),
            _ => self.0.run::<S, WIDE_GROUP, 1>(simd),
        }
    }
}

/// The first `P` elements.
#[inline(always)]
pub(super) fn each<const P: usize>(values: &[f32]) -> [&f32; P] {
    let mut each = [&0.0; P];
    for (to, value) in each.iter_mut().zip(&values[..P]) {
        *to = value;
    }
    each
}

/// [`GROUP`] numbers from `start` on.
#[inline(always)]
pub(super) fn group_at(values: &[f32], start: usize) -> &[f32; GROUP] {
    &values[start..start + GROUP].as_chunks().0[0]
}

/// Element `i` of each row.
#[inline(always)]
pub(super) fn at<const P: usize>(rows: [&[f32]; P], i: usize) -> [&f32; P] {
    let mut values = [&0.0; P];
    for (value, row) in values.iter_mut().zip(rows) {
        *value = &row[i];
    }
    values
}

/// The first `P` elements; where there are fewer, the last stands for the rest.
#[inline(always)]
pub(super) fn each_or_last<const P: usize>(values: &[f32]) -> [&f32; P] {
    let mut each = [&0.0; P];
    for (i, to) in each.iter_mut().enumerate() {
        *to = &values[i.min(values.len() - 1)];
    }
    each
}
