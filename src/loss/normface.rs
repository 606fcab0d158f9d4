//! NormFace, the lecture's "hypersphere": features and weights of length 1, times a scale.
//!
//! z_j = s cosθ_j (arXiv 1704.06369, eq. 6). Length does not count at test time, so it is taken
//! away in training too.

use crate::loss::formula::{SCALED_OTHER, THETA_Y, cross_entropy};
use crate::loss::spec::{Form, LossSpec, Rho, SCALE, cosine, smooth, target};

pub(super) static SPEC: LossSpec = LossSpec {
    id: "normface",
    name: "NormFace",
    short_name: "NormFace",
    key: Some(5),
    summary: "Features and weights on a sphere: only the angle is left, and the scale decides how sharp it counts.",
    formula: cross_entropy!(
        &[
            Piece::Param("scale"),
            Piece::Upright("·"),
            Piece::Name("cos"),
            THETA_Y,
        ],
        SCALED_OTHER
    ),
    source: "Wang et al. 2017, arXiv 1704.06369, eq. 6",
    form: Form::Angular(Rho::Scale),
    target: target!(cosine),
    penalty: None,
    params: &[SCALE],
    jumps_rad: smooth,
};
