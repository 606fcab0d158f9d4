//! L-Softmax: SphereFace before the weights were normalized (arXiv 1612.02295, eq. 4).
//!
//! z_y = ‖W_y‖‖x‖ ψ(θ_y) with SphereFace's blended staircase; the class with the longer weight
//! wins room.

use crate::loss::spec::{Form, LossSpec, Param, Rho, target};
use crate::loss::sphereface::{LAMBDA, MARGIN, blend, stairs_rad};

pub(super) static SPEC: LossSpec = LossSpec {
    id: "l_softmax",
    name: "L-Softmax",
    short_name: "L-Softmax",
    key: None,
    summary: "SphereFace's margin with weights of free length: the longer weight wins room.",
    formula: "‖W_y‖‖x‖ (λ cos θ + S_m(θ)) / (1 + λ)",
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
