//! A loss as a formula: small structured data that a loss's file gives, and how it reads as text.
//!
//! `scene::formula` sets the same pieces as a picture, with letters or with the values in force.

use crate::loss::spec::LossSpec;

/// One piece of a formula. Its letters are those of the papers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Stands for a number or a vector, in italic: θ, x, W.
    Letter(&'static str),
    /// Digits, brackets and signs without room beside them, upright.
    Upright(&'static str),
    /// The name of a function, upright: cos, log.
    Name(&'static str),
    /// A sign with room on both sides: + − =.
    Sign(&'static str),
    /// The parameter with this id: its letter, or its value.
    Param(&'static str),
    /// A base and what is lowered behind it.
    Sub(&'static Piece, &'static [Piece]),
    /// A base and what is raised behind it.
    Sup(&'static Piece, &'static [Piece]),
    /// The first over the second; in an exponent, beside it.
    Fraction(&'static [Piece], &'static [Piece]),
    /// A sum over what stands at its foot.
    Sum(&'static [Piece]),
}

/// What a loss says of itself in letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formula {
    /// z_y, the logit of the sample's own class.
    pub target: &'static [Piece],
    /// What is added to the cross entropy, with its sign; often nothing.
    pub added: &'static [Piece],
    /// L of one sample.
    pub loss: &'static [Piece],
    /// What a letter in the others stands for; often nothing.
    pub defined: &'static [Piece],
}

impl Formula {
    /// What tells this loss from others: its target logit, and what is added.
    pub fn short(&self) -> Vec<Piece> {
        let comma = (!self.added.is_empty()).then_some(Piece::Upright(","));
        let pieces = self.target.iter().chain(&comma).chain(self.added);
        pieces.copied().collect()
    }

    /// L of one sample, with what its letters stand for.
    pub fn whole(&self) -> Vec<Piece> {
        const COMMA: &[Piece] = &[Piece::Upright(","), Piece::Sign(" ")];
        let comma = if self.defined.is_empty() { &[] } else { COMMA };
        [self.loss, comma, self.defined].concat()
    }
}

/// The angle between the feature and the weight of its own class.
pub(in crate::loss) const THETA_Y: Piece = Piece::Sub(&Piece::Letter("θ"), &[Piece::Letter("y")]);
/// The angle between the feature and the weight of another class.
pub(in crate::loss) const THETA_J: Piece = Piece::Sub(&Piece::Letter("θ"), &[Piece::Letter("j")]);
/// The base of the exponentials.
pub(in crate::loss) const E: Piece = Piece::Letter("e");
/// The bar on both sides of a vector whose length is meant.
pub(in crate::loss) const BAR: Piece = Piece::Upright("‖");
/// s cosθ_j of a cosine head.
pub(in crate::loss) const SCALED_OTHER: &[Piece] = &[
    Piece::Param("scale"),
    Piece::Upright("·"),
    Piece::Name("cos"),
    THETA_J,
];

/// ‖x‖ cosθ_j, where weights alone are normalized.
pub(in crate::loss) const LENGTH_OTHER: &[Piece] =
    &[BAR, Piece::Letter("x"), BAR, Piece::Name("cos"), THETA_J];
/// The weight of the own class.
pub(in crate::loss) const W_Y: Piece = Piece::Sub(&Piece::Letter("W"), &[Piece::Letter("y")]);
/// The weight of another class.
pub(in crate::loss) const W_J: Piece = Piece::Sub(&Piece::Letter("W"), &[Piece::Letter("j")]);
/// W_y·x + b_y
pub(in crate::loss) const LINEAR_TARGET: &[Piece] = &[
    W_Y,
    Piece::Upright("·"),
    Piece::Letter("x"),
    Piece::Sign("+"),
    Piece::Sub(&Piece::Letter("b"), &[Piece::Letter("y")]),
];
/// W_j·x + b_j
pub(in crate::loss) const LINEAR_OTHER: &[Piece] = &[
    W_J,
    Piece::Upright("·"),
    Piece::Letter("x"),
    Piece::Sign("+"),
    Piece::Sub(&Piece::Letter("b"), &[Piece::Letter("j")]),
];

/// Cross entropy over softmax, −log e^{z_y}/(e^{z_y} + Σ_{j≠y} e^{z_j}), from the pieces of the
/// target logit z_y and of another class's logit z_j, terms that are added, and after `where` what
/// a letter in them stands for.
macro_rules! cross_entropy {
    ($target:expr, $other:expr $(, $added:expr)*) => {
        cross_entropy!($target, $other $(, $added)*; where &[])
    };
    ($target:expr, $other:expr $(, $added:expr)*; where $defined:expr) => {{
        use crate::loss::formula::{E, Formula, Piece};
        const TARGET: &[Piece] = $target;
        const OTHER: &[Piece] = $other;
        Formula {
            target: TARGET,
            added: &[$($added,)*],
            loss: &[
                Piece::Letter("L"),
                Piece::Sign("="),
                Piece::Upright("−"),
                Piece::Name("log"),
                Piece::Fraction(
                    &[Piece::Sup(&E, TARGET)],
                    &[
                        Piece::Sup(&E, TARGET),
                        Piece::Sign("+"),
                        Piece::Sum(&[
                            Piece::Letter("j"),
                            Piece::Upright("≠"),
                            Piece::Letter("y"),
                        ]),
                        Piece::Sup(&E, OTHER),
                    ],
                ),
                $($added,)*
            ],
            defined: $defined,
        }
    }};
}
pub(in crate::loss) use cross_entropy;

/// The formula on one line, in letters: for the command line and for screen readers.
///
/// An index stands behind `_`, an exponent behind `^`, both in braces if they are longer than a
/// letter.
pub fn plain(pieces: &[Piece], spec: &LossSpec) -> String {
    let mut text = String::new();
    for (i, piece) in pieces.iter().enumerate() {
        push_plain(&mut text, piece, spec);
        if wants_room(piece, pieces.get(i + 1)) {
            text.push(' ');
        }
    }
    text
}

/// Whether a piece does not touch the next: the name of a function stands apart from what comes
/// before and after it, unless that is a bracket or a sign.
pub fn wants_room(piece: &Piece, next: Option<&Piece>) -> bool {
    let Some(next) = next else { return false };
    let opens = |piece: &Piece| matches!(piece, Piece::Upright(text) if text.starts_with('('));
    let binds = |piece: &Piece| match piece {
        Piece::Sign(_) => true,
        Piece::Upright(text) => text.ends_with(['(', '·', '−']),
        _ => false,
    };
    match (piece, next) {
        (Piece::Name(_) | Piece::Sum(_), next) => !opens(next),
        (piece, Piece::Name(_)) => !binds(piece),
        (Piece::Fraction(..), Piece::Sign(_) | Piece::Upright(",")) => false,
        (Piece::Fraction(..), _) => true,
        _ => false,
    }
}

fn push_plain(text: &mut String, piece: &Piece, spec: &LossSpec) {
    match piece {
        Piece::Letter(t) | Piece::Upright(t) | Piece::Name(t) => text.push_str(t),
        Piece::Sign(" ") => text.push(' '),
        Piece::Sign(sign) => {
            text.push(' ');
            text.push_str(sign);
            text.push(' ');
        }
        Piece::Param(id) => {
            let param = spec.params.iter().find(|param| param.id == *id);
            text.push_str(param.map_or(id, |param| param.symbol));
        }
        Piece::Sub(base, below) => {
            push_plain(text, base, spec);
            push_script(text, '_', &plain(below, spec));
        }
        Piece::Sup(base, above) => {
            push_plain(text, base, spec);
            push_script(text, '^', &plain(above, spec));
        }
        Piece::Fraction(above, below) => {
            let is_short = above.len() == 1 && below.len() == 1;
            text.push_str(&in_brackets(above, spec));
            text.push_str(if is_short { "/" } else { " / " });
            text.push_str(&in_brackets(below, spec));
        }
        Piece::Sum(below) => {
            text.push('Σ');
            push_script(text, '_', &plain(below, spec));
        }
    }
}

fn push_script(text: &mut String, mark: char, script: &str) {
    text.push(mark);
    if script.chars().count() > 1 {
        text.push('{');
        text.push_str(script);
        text.push('}');
    } else {
        text.push_str(script);
    }
}

fn in_brackets(pieces: &[Piece], spec: &LossSpec) -> String {
    let text = plain(pieces, spec);
    if pieces.len() > 1 {
        format!("({text})")
    } else {
        text
    }
}
