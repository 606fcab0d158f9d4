//! Modified softmax: weights of length 1 and no bias, z_j = ‖x‖ cosθ_j (arXiv 1704.08063, eq. 4).
//!
//! Classes are told apart by angle alone; boundaries are rays from the origin.

use crate::loss::formula::{BAR, LENGTH_OTHER, THETA_Y, cross_entropy};
use crate::loss::spec::{Form, LossSpec, Rho, cosine, smooth, target};

pub(super) static SPEC: LossSpec = LossSpec {
    id: "modified_softmax",
    name: "Modified softmax",
    short_name: "Modified",
    key: Some(3),
    summary: "Weights of length one: classes are told apart by angle alone, length stays free.",
    formula: cross_entropy!(
        &[BAR, Piece::Letter("x"), BAR, Piece::Name("cos"), THETA_Y],
        LENGTH_OTHER
    ),
    source: "Liu et al. 2017, arXiv 1704.08063, eq. 4",
    form: Form::Angular(Rho::FeatureNorm),
    target: target!(cosine),
    penalty: None,
    params: &[],
    jumps_rad: smooth,
};
