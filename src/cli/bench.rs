//! `marginscope bench`: the time of a training step, as a table or a line of JSON for each workload.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::bench;
use crate::bench::{Effort, Row};
use crate::cli::{Failure, options};
use crate::loss::nearest;

pub(super) const EXAMPLES: &str = "\
A time is the median over a hundred short repetitions, or fewer where a step is long; JSON has the mean, too.
Compare only times of one machine, and of one load.

Examples:
  marginscope bench                                           everything, in about a minute
  marginscope bench --only mnist-cnn-16-32-128-2 --threads 1  one workload
  marginscope bench --only gemm --seconds 10                  the rate of bare matrix products
  marginscope bench --quick --json                            that all of it works";

/// Options of `bench`.
#[derive(Args, Clone, Debug)]
pub struct BenchOptions {
    /// Time for a workload, after warming up for 20 steps; a bare matrix product takes a tenth.
    #[arg(
        long,
        value_name = "S",
        default_value_t = 3.0,
        allow_hyphen_values = true,
        value_parser = seconds
    )]
    seconds: f64,
    /// Training threads (default: one per core, at most 8).
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = options::threads)]
    threads: Option<u16>,
    /// One workload by its name, or gemm for the bare matrix products.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// One JSON object on a line for each workload.
    #[arg(long)]
    json: bool,
    /// A few steps on few samples: shows that all of it works, and no times worth reading.
    #[arg(long, conflicts_with = "seconds")]
    quick: bool,
}

pub(super) fn run(options: &BenchOptions) -> Result<ExitCode, Failure> {
    let effort = effort(options);
    let names = names(options.only.as_deref())?;
    if !options.json {
        super::print(&header())?;
    }
    for name in names {
        for row in bench::run(name, effort).map_err(anyhow::Error::from)? {
            let line = if options.json {
                serde_json::to_string(&row).context("cannot write the result as JSON")?
            } else {
                text_of(&row)
            };
            super::print(&line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn seconds(text: &str) -> Result<f64, &'static str> {
    let value: Option<f64> = text.parse().ok();
    value
        .filter(|secs| *secs > 0.0 && secs.is_finite())
        .ok_or("expected a number above 0")
}

fn effort(options: &BenchOptions) -> Effort {
    Effort {
        secs: if options.quick { 0.0 } else { options.seconds },
        n_threads: options
            .threads
            .map_or_else(options::default_threads, usize::from),
    }
}

/// What to run: all, or the one that was asked for.
fn names(only: Option<&str>) -> Result<Vec<&'static str>, Failure> {
    let Some(only) = only else {
        return Ok(bench::names().collect());
    };
    if let Some(name) = bench::names().find(|name| *name == only) {
        return Ok(vec![name]);
    }
    let way_out = match nearest(only, bench::names()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!(
            "there are {}",
            bench::names().collect::<Vec<_>>().join(", ")
        ),
    };
    Err(Failure::Usage(format!(
        "--only: unknown workload \"{only}\"; {way_out}"
    )))
}

fn header() -> String {
    format!(
        "{:<28}{:>9}{:>14}{:>14}{:>10}{:>9}{:>9}",
        "workload", "batch", "step, µs", "samples/s", "GFLOP/s", "threads", "of gemm"
    )
}

fn text_of(row: &Row) -> String {
    let share = row
        .share_of_gemm
        .map_or_else(|| "–".to_owned(), |share| format!("{:.0}%", 100.0 * share));
    format!(
        "{:<28}{:>9}{:>14.1}{:>14}{:>10.2}{:>9}{share:>9}",
        row.workload, row.batch, row.step_us, row.samples_per_s, row.gflops, row.threads
    )
}
