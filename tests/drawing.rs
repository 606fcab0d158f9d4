//! Digits drawn by hand: whether they are read as those of MNIST are, and where the window and the
//! training thread show them.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

mod common;
#[path = "drawing/figure.rs"]
mod figure;
#[path = "common/window.rs"]
mod in_window;
#[path = "drawing/redrawn.rs"]
mod redrawn;
#[path = "drawing/window.rs"]
mod window;
#[path = "drawing/worker.rs"]
mod worker;

use std::sync::Arc;

use common::runs::{BLOBS, experiment, steps, trainer};
use marginscope::data::drawing::Canvas;
use marginscope::experiment::Experiment;
use marginscope::trainer::{Command, Horizon, Snapshot, Worker, predictions};

/// MNIST under a network whose steps take a millisecond.
const DIGITS: &[(&str, &str)] = &[("loss.id", "arcface"), ("network.kind", "mlp:64")];

/// A seven, `[28, 28]`.
fn seven() -> Arc<[u8]> {
    let mut canvas = Canvas::new(100, 100);
    canvas.draw([20.0, 20.0], [70.0, 22.0], 4.0);
    canvas.draw([70.0, 22.0], [40.0, 90.0], 4.0);
    canvas.digit().expect("ink").into()
}
