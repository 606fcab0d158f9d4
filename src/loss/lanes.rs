//! Samples side by side: one number of each in an array that the compiler keeps in vector registers.

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use std::ops::{Index, IndexMut, Mul};

use crate::loss::real::Real;

/// Samples computed together: one register of AVX-512 in f32, two of AVX2, four of NEON.
pub(super) const LANES: usize = 16;

/// The same number of [`LANES`] samples, where no register reads across a line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Lanes<T>([T; LANES]);

/// Half as many: what is summed over samples, while it is summed.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub(super) struct Halves<T>([T; LANES / 2]);

impl<T: Real> Lanes<T> {
    /// The same number in all lanes.
    #[inline(always)]
    pub(super) fn splat(value: T) -> Self {
        Self([value; LANES])
    }

    /// `f` of every lane.
    #[inline(always)]
    pub(super) fn map(mut self, f: impl Fn(T) -> T) -> Self {
        for a in &mut self.0 {
            *a = f(*a);
        }
        self
    }

    /// `f` of every pair of lanes.
    #[inline(always)]
    pub(super) fn zip(mut self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a = f(*a, b);
        }
        self
    }

    /// Adds a·b.
    #[inline(always)]
    pub(super) fn add_product(&mut self, a: Self, b: Self) {
        for lane in 0..LANES {
            self.0[lane] += a.0[lane] * b.0[lane];
        }
    }

    /// Adds a·b with the same b in all lanes.
    #[inline(always)]
    pub(super) fn add_scaled(&mut self, a: Self, b: T) {
        for (sum, a) in self.0.iter_mut().zip(a.0) {
            *sum += a * b;
        }
    }
}

impl<T> Index<usize> for Lanes<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, lane: usize) -> &T {
        &self.0[lane]
    }
}

impl<T> IndexMut<usize> for Lanes<T> {
    #[inline(always)]
    fn index_mut(&mut self, lane: usize) -> &mut T {
        &mut self.0[lane]
    }
}

impl<T: Real> Mul for Lanes<T> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

impl<T: Real> Halves<T> {
    /// Nothing summed yet.
    pub(super) fn zero() -> Self {
        Self([T::zero(); LANES / 2])
    }

    /// Adds both halves of `lanes`.
    #[inline(always)]
    pub(super) fn add(&mut self, lanes: Lanes<T>) {
        for (i, sum) in self.0.iter_mut().enumerate() {
            *sum += lanes.0[i] + lanes.0[i + LANES / 2];
        }
    }

    /// Σ over all, in halves: the same order whatever the registers.
    pub(super) fn sum(&self) -> T {
        let four: [T; 4] = std::array::from_fn(|i| self.0[i] + self.0[i + 4]);
        (four[0] + four[2]) + (four[1] + four[3])
    }
}

/// e^x for x ≤ 0, to 3 units in the last place; 0 below −87, where f32 ends. NaN stays NaN.
///
/// Cephes' `expf` (x = n ln 2 + r, a polynomial in r, n into the exponent) without a branch or a
/// call, so that lanes go side by side: 1.0 ns instead of 2.6 with AVX2.
#[inline(always)]
pub(super) fn exp_nonpositive(x: f32) -> f32 {
    const LEAST: f32 = -87.0;
    /// Adding it rounds to a whole number, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0; // 1.5·2²³
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4]; // in two parts: n·first is exact
    let clamped = if x < LEAST { LEAST } else { x };
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = clamped - n * LN_2[0] - n * LN_2[1];
    let mut p = 1.987_569_1e-4;
    for c in [
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        p = p * r + c;
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    let value = (p * r * r + r + 1.0) * power;
    if x < LEAST { 0.0 } else { value }
}

/// ln(1 + x) for x ≥ 0, to 3 units in the last place, however small x. NaN stays NaN.
///
/// Cephes' `logf` of u = 1 + x, times x/(u − 1): what rounding took from u, the quotient gives back
/// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, algorithm 2 in 1.14.1).
#[inline(always)]
pub(super) fn ln_1p_nonnegative(x: f32) -> f32 {
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// What stands between the bits of √½ and those of 1: mantissas then lie in √½..√2.
    const TO_ROOT: u32 = 1.0_f32.to_bits() - std::f32::consts::FRAC_1_SQRT_2.to_bits();
    let u = 1.0 + x;
    let shifted = u.to_bits().wrapping_add(TO_ROOT);
    let exponent = (shifted >> 23) as i32 - 127;
    let mantissa = f32::from_bits(
        (shifted & 0x007f_ffff).wrapping_add(std::f32::consts::FRAC_1_SQRT_2.to_bits()),
    );
    let (n, r) = (exponent as f32, mantissa - 1.0);
    let mut p = 7.037_683_6e-2;
    for c in [
        -1.151_461e-1,
        1.167_699_87e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        0.333_333_3,
    ] {
        p = p * r + c;
    }
    let ln_u = n * LN_2[0] + (r + (n * LN_2[1] - 0.5 * r * r + p * r * r * r));
    let lost = u - 1.0;
    if lost == 0.0 { x } else { ln_u * (x / lost) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_keep_their_digits() {
        for i in 0..=870_000 {
            let x = -1e-4 * i as f32;
            let (found, expected) = (f64::from(exp_nonpositive(x)), f64::from(x).exp());
            assert!((found / expected - 1.0).abs() < 3e-7, "e^{x}: {found}");
        }
        assert_eq!(exp_nonpositive(0.0), 1.0);
        assert_eq!(exp_nonpositive(-0.0), 1.0);
        assert_eq!(exp_nonpositive(-88.0), 0.0);
        assert_eq!(exp_nonpositive(f32::NEG_INFINITY), 0.0);
        assert!(exp_nonpositive(f32::NAN).is_nan());
    }

    #[test]
    fn logarithms_keep_their_digits() {
        for i in 0..=400_000 {
            let x = (1e-4 * f64::from(i) - 30.0).exp() as f32;
            let (found, expected) = (f64::from(ln_1p_nonnegative(x)), f64::from(x).ln_1p());
            assert!(
                (found / expected - 1.0).abs() < 4e-7,
                "ln(1 + {x}): {found} instead of {expected}"
            );
        }
        assert_eq!(ln_1p_nonnegative(0.0), 0.0);
        assert!(ln_1p_nonnegative(f32::NAN).is_nan());
    }

    #[test]
    fn lanes_are_summed() {
        let mut lanes = Lanes::<f64>::default();
        for lane in 0..LANES {
            lanes[lane] = lane as f64;
        }
        let mut halves = Halves::zero();
        halves.add(lanes);
        halves.add(lanes);
        assert_eq!(halves.sum(), 240.0);
    }
}
