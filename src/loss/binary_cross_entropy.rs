//! Binary cross entropy: one logit z = w·x + b through a sigmoid, for two classes.
//!
//! It equals two-class softmax with W = (0, w) and b = (0, b), and is drawn as these two weights.

use crate::loss::formula::{E, Formula, Piece};
use crate::loss::spec::{Form, LossSpec, cosine, smooth, target};

/// w·x + b
const SCORE: &[Piece] = &[
    Piece::Letter("w"),
    Piece::Upright("·"),
    Piece::Letter("x"),
    Piece::Sign("+"),
    Piece::Letter("b"),
];

/// −(w·x + b)
const MINUS_SCORE: &[Piece] = &[
    Piece::Upright("−("),
    Piece::Letter("w"),
    Piece::Upright("·"),
    Piece::Letter("x"),
    Piece::Sign("+"),
    Piece::Letter("b"),
    Piece::Upright(")"),
];

pub(super) static SPEC: LossSpec = LossSpec {
    id: "binary_cross_entropy",
    name: "Binary cross entropy",
    short_name: "Binary",
    key: None,
    summary: "One score through a sigmoid: the two-class form, before there were ten.",
    formula: Formula {
        target: SCORE,
        added: &[],
        loss: &[
            Piece::Letter("L"),
            Piece::Sign("="),
            Piece::Upright("−"),
            Piece::Letter("y"),
            Piece::Name("log"),
            Piece::Letter("p"),
            Piece::Sign("−"),
            Piece::Upright("(1"),
            Piece::Sign("−"),
            Piece::Letter("y"),
            Piece::Upright(")"),
            Piece::Name("log"),
            Piece::Upright("(1"),
            Piece::Sign("−"),
            Piece::Letter("p"),
            Piece::Upright(")"),
        ],
        defined: &[
            Piece::Letter("p"),
            Piece::Sign("="),
            Piece::Fraction(
                &[Piece::Upright("1")],
                &[
                    Piece::Upright("1"),
                    Piece::Sign("+"),
                    Piece::Sup(&E, MINUS_SCORE),
                ],
            ),
        ],
    },
    source: "logistic regression; the lecture's two-class form",
    form: Form::Binary,
    target: target!(cosine),
    penalty: None,
    params: &[],
    jumps_rad: smooth,
};
