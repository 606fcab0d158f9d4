//! How far a command has come, and Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::progress_target;

/// Set by Ctrl-C, so that what there is can be written before the program ends.
pub(super) fn interrupt_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&flag);
    // Without a handler Ctrl-C ends the program at once, which loses the tables and nothing else.
    let _ = ctrlc::set_handler(move || handler.store(true, Ordering::Relaxed));
    flag
}

/// Steps done and time left, on stderr where somebody reads it.
pub(super) fn progress_bar(n_steps: u64) -> ProgressBar {
    const STYLE: &str = "{bar:32} {pos}/{len} steps  {msg}  {per_sec}, {eta} left";
    let bar = ProgressBar::with_draw_target(Some(n_steps), progress_target());
    match ProgressStyle::with_template(STYLE) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Runs done and time left; it counts in thousandths of a run, so that it moves within one.
pub(super) fn runs_bar(n_runs: usize, n_done: usize) -> ProgressBar {
    const STYLE: &str = "{bar:32} {msg}  {eta} left";
    let bar = ProgressBar::with_draw_target(Some(PER_RUN * n_runs as u64), progress_target());
    let bar = match ProgressStyle::with_template(STYLE) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    };
    bar.set_position(PER_RUN * n_done as u64);
    bar.reset_eta(); // what was there took no time
    bar
}

/// Shows so many runs done, and so many more in the parts of those under way.
pub(super) fn show_runs(bar: &ProgressBar, n_runs: usize, n_done: usize, under_way: f64) {
    bar.set_message(format!("{n_done}/{n_runs} runs"));
    bar.set_position(PER_RUN * n_done as u64 + (PER_RUN as f64 * under_way) as u64);
}

/// Parts of a run.
const PER_RUN: u64 = 1000;
