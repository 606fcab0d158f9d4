//! The losses: a registry, the shared head, one file per loss.
//!
//! A new loss is one file that defines a [`LossSpec`] and one line in [`LOSSES`]. Controls,
//! command-line options, boundaries, ceilings, plots and contract tests all come from there.

#![allow(
    clippy::doc_markdown,
    reason = "formulas in the papers' letters: z_j has an index and is no identifier"
)]

mod arcface;
mod binary_cross_entropy;
mod block;
pub mod center;
mod combined;
mod cosface;
mod forecast;
pub mod formula;
pub mod head;
mod l_softmax;
mod lanes;
mod modified_softmax;
mod normface;
pub mod real;
mod softmax;
pub mod spec;
mod sphereface;
pub mod theory;

pub use forecast::{Forecast, forecast};
pub use formula::{Formula, Piece};
pub use head::{Head, HeadGrads, HeadInput, HeadWork, Record};
pub use real::Real;
pub use spec::{
    Annealing, Course, Form, LossSpec, MAX_PARAMS, Param, Rho, Setting, Unit, Values, brief,
    enough_scale_on_circle, short,
};

/// Every loss, in the order of the lecture.
pub static LOSSES: &[&LossSpec] = &[
    &binary_cross_entropy::SPEC,
    &softmax::SPEC,
    &center::SPEC,
    &modified_softmax::SPEC,
    &l_softmax::SPEC,
    &sphereface::SPEC,
    &normface::SPEC,
    &cosface::SPEC,
    &arcface::SPEC,
    &combined::SPEC,
];

/// No loss has this id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown loss \"{id}\"{}", suggestion(.id))]
pub struct UnknownLoss {
    /// What was asked for.
    pub id: String,
}

fn suggestion(id: &str) -> String {
    let ids = LOSSES.iter().map(|spec| spec.id);
    match nearest(id, ids.clone()) {
        Some(near) => format!("; did you mean \"{near}\"?"),
        None => format!("; there are {}", ids.collect::<Vec<_>>().join(", ")),
    }
}

/// What to say of a name that is not among these: the one that is meant, or all.
pub fn instead<'a>(word: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    nearest(word, names.clone()).map_or_else(
        || format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean \"{near}\"?"),
    )
}

/// The candidate that `word` is most likely a misspelling of, if any is near.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LEAST_LIKENESS: f64 = 0.7; // Jaro–Winkler; below it a suggestion confuses more than it helps
    candidates
        .map(|candidate| {
            (
                strsim::jaro_winkler(&word.to_lowercase(), candidate),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness >= LEAST_LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The loss with this id.
///
/// # Errors
/// [`UnknownLoss`], with the nearest id in its message.
pub fn find(id: &str) -> Result<&'static LossSpec, UnknownLoss> {
    LOSSES
        .iter()
        .copied()
        .find(|spec| spec.id == id)
        .ok_or_else(|| UnknownLoss { id: id.to_owned() })
}
