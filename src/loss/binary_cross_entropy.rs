//! Binary cross entropy: one logit z = w·x + b through a sigmoid, for two classes.
//!
//! It equals two-class softmax with W = (0, w) and b = (0, b), and is drawn as these two weights.

use crate::loss::spec::{Form, LossSpec, cosine, smooth, target};

pub(super) static SPEC: LossSpec = LossSpec {
    id: "binary_cross_entropy",
    name: "Binary cross entropy",
    short_name: "Binary",
    key: None,
    summary: "One score through a sigmoid: the two-class form, before there were ten.",
    formula: "w·x + b",
    source: "logistic regression; the lecture's two-class form",
    form: Form::Binary,
    target: target!(cosine),
    penalty: None,
    params: &[],
    jumps_rad: smooth,
};
