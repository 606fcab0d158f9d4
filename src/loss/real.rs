//! The floating-point types a head computes in: f32 to train, f64 to check gradients.

use nalgebra::RealField;

use crate::loss::lanes;
use crate::loss::spec::{PenaltyFn, PenaltyFns, TargetFn, TargetFns};

/// A scalar type of the shared head.
///
/// Implemented for `f32` (training and `check`) and `f64` (finite differences in tests).
pub trait Real: RealField + Copy {
    /// Shortest tangent that still has a direction; below it the cone's tip is rounded
    /// (`losses.md` 2.4: 1e-6 in f32 is 0.00006°, 1e-14 in f64).
    const TANGENT_FLOOR: Self;

    /// The nearest value of this type.
    fn of(value: f64) -> Self;

    /// This value in double precision.
    fn widen(self) -> f64;

    /// e^x for x ≤ 0, where lanes want it without a branch.
    #[must_use]
    fn exp_nonpositive(self) -> Self;

    /// ln(1 + x) for x ≥ 0, likewise.
    #[must_use]
    fn ln_1p_nonnegative(self) -> Self;

    /// The target function of this precision.
    fn target(fns: &TargetFns) -> TargetFn<Self>;

    /// The penalty of this precision.
    fn penalty(fns: &PenaltyFns) -> PenaltyFn<Self>;
}

macro_rules! real {
    ($type:ident, $floor:literal, $exp:path, $ln_1p:path) => {
        impl Real for $type {
            const TANGENT_FLOOR: Self = $floor;

            fn of(value: f64) -> Self {
                value as Self
            }

            fn widen(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn exp_nonpositive(self) -> Self {
                $exp(self)
            }

            #[inline(always)]
            fn ln_1p_nonnegative(self) -> Self {
                $ln_1p(self)
            }

            fn target(fns: &TargetFns) -> TargetFn<Self> {
                fns.$type
            }

            fn penalty(fns: &PenaltyFns) -> PenaltyFn<Self> {
                fns.$type
            }
        }
    };
}

real!(f32, 1e-6, lanes::exp_nonpositive, lanes::ln_1p_nonnegative);
real!(f64, 1e-14, f64::exp, f64::ln_1p);
