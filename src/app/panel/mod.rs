//! The panels around the picture. Each reads a snapshot and the experiment, and returns actions.

mod charts;
pub(super) mod left;
mod loss;
pub(super) mod right;
pub(super) mod sample;
pub(super) mod top;
pub(super) mod weights;
