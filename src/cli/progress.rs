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
