//! L-Softmax: SphereFace before the weights were normalized (arXiv 1612.02295, eq. 4).
//!
//! z_y = ‖W_y‖‖x‖ ψ(θ_y) with SphereFace's blended staircase; the class with the longer weight
//! wins room.

use crate::loss::formula::{BAR, W_J, W_Y, cross_entropy};
use crate::loss::spec::{Form, LossSpec, Param, Rho, target};
use crate::loss::sphereface::{BLEND, LAMBDA, MARGIN, ONE_AND_LAMBDA, STAIR, blend, stairs_rad};

pub(super) static SPEC: LossSpec = LossSpec {
    id: "l_softmax",
    name: "L-Softmax",
    short_name: "L-Softmax",
    key: None,
    summary: "SphereFace's margin with weights of free length: the longer weight wins room.",
    formula: cross_entropy!(
        &[
            BAR,
            W_Y,
            Piece::Upright("‖‖"),
            Piece::Letter("x"),
            BAR,
            Piece::Fraction(BLEND, ONE_AND_LAMBDA),
        ],
        &[W_J, Piece::Upright("·"), Piece::Letter("x")];
        where STAIR
    ),
    source: "Liu et al. 2016, arXiv 1612.02295, eq. 4",
    form: Form::Angular(Rho::WeightAndFeatureNorm),
    target: target!(blend),
    penalty: None,
    params: &[
        Param {
            default: |_| 2.0,
            ..MARGIN
        },
        LAMBDA,
    ],
    jumps_rad: stairs_rad,
};
