//! Softmax cross entropy: z_j = W_j·x + b_j.
//!
//! Features only have to lie on the right side of every boundary: separable, not discriminative.

use crate::loss::formula::{LINEAR_OTHER, LINEAR_TARGET, cross_entropy};
use crate::loss::spec::{Form, LossSpec, cosine, smooth, target};

pub(super) static SPEC: LossSpec = LossSpec {
    id: "softmax",
    name: "Softmax",
    short_name: "Softmax",
    key: Some(1),
    summary: "Scores to probabilities: a feature only has to be on the right side of each boundary.",
    formula: cross_entropy!(LINEAR_TARGET, LINEAR_OTHER),
    source: "cross entropy over softmax; Liu et al. 2016, arXiv 1612.02295, eq. 1",
    form: Form::Linear,
    target: target!(cosine),
    penalty: None,
    params: &[],
    jumps_rad: smooth,
};
