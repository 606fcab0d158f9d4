//! The command line, a thin skin over the library.

mod bench;
mod check;
mod failure;
mod losses;
mod options;
mod output;
mod progress;
mod reading;
mod render;
mod sheet;
mod sweep;
mod train;
mod view;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use indicatif::ProgressDrawTarget;

pub use failure::Failure;
pub use options::{Launch, RunOptions};

const EXAMPLES: &str = "\
Examples:
  marginscope                                       MNIST under softmax, live
  marginscope --loss arcface --margin 0.3 --dim 3   an angular margin, on the sphere
  marginscope --data blobs --classes 4 --steps 500  four blobs in the plane; pauses at step 500
  marginscope lesson.toml --seed 2                  the experiment of a file, from another seed
  marginscope train --loss cosface --json           three epochs without a window";

/// Shows, live, what the loss functions of metric learning do to a feature space.
///
/// Without a subcommand it opens the window and trains at once.
#[derive(Debug, Parser)]
#[command(
    name = "marginscope",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = EXAMPLES,
    after_long_help = options::with_fields(EXAMPLES)
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Headless>,
    #[command(flatten)]
    window: RunOptions,
}

/// A subcommand that needs no window, or only if asked for one.
#[derive(Debug, Subcommand)]
pub enum Headless {
    /// Train without a window: progress on stderr, the result on stdout.
    #[command(after_help = train::EXAMPLES, after_long_help = options::with_fields(train::EXAMPLES))]
    Train(Box<train::TrainOptions>),
    /// Make a figure: a picture of a run, or one of its plots, as SVG, PDF or PNG.
    #[command(after_help = render::EXAMPLES, after_long_help = options::with_fields(render::EXAMPLES))]
    Render(Box<render::RenderOptions>),
    /// Run a grid of settings and seeds into a table, row by row, and plot it.
    #[command(after_help = sweep::EXAMPLES, after_long_help = options::with_fields(sweep::EXAMPLES))]
    Sweep(Box<sweep::SweepOptions>),
    /// Look at features of your own network: with any loss's boundaries, without training.
    #[command(after_help = view::EXAMPLES, after_long_help = options::with_fields(view::EXAMPLES))]
    View(Box<view::ViewOptions>),
    /// Compare the losses with reference values, through the very code that trains.
    #[command(after_help = check::EXAMPLES)]
    Check(check::CheckOptions),
    /// Time training steps on fixed workloads, beside the rate of bare matrix products.
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::BenchOptions),
    /// List the losses with their formulas, parameters, ranges and defaults.
    #[command(after_help = losses::EXAMPLES)]
    Losses(losses::LossesOptions),
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Open the window.
    Window(Box<Launch>),
    /// Run a subcommand.
    Headless(Box<Headless>),
    /// Help or version: a text for stdout.
    Print(String),
}

/// Reads the arguments, the program's name first.
///
/// # Errors
/// A usage error as one line.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, Failure> {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return failure::from_clap(&error).map(Invocation::Print),
    };
    match cli.command {
        Some(Headless::View(options)) if options.opens_window() => {
            options.launch().map(Box::new).map(Invocation::Window)
        }
        Some(command) => Ok(Invocation::Headless(Box::new(command))),
        None => cli.window.launch().map(Box::new).map(Invocation::Window),
    }
}

/// Runs a subcommand.
///
/// # Errors
/// What was wrong, for `main` to print.
pub fn run(command: Headless) -> Result<ExitCode, Failure> {
    match command {
        Headless::Train(options) => train::run(&options),
        Headless::Render(options) => render::run(&options),
        Headless::Sweep(options) => sweep::run(&options),
        Headless::View(options) => view::run(&options),
        Headless::Check(options) => check::run(&options),
        Headless::Bench(options) => bench::run(&options),
        Headless::Losses(options) => losses::run(options),
    }
}

/// Writes a line to stderr about what was done all the same.
fn warn(text: &str) {
    tell(&format!("warning: {text}"));
}

/// Writes a line to stderr.
fn tell(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}"); // nobody reads it where it is closed
}

/// Where bars are drawn: stderr, if somebody looks at it.
fn progress_target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// Writes a line to stdout, the only place that does; a closed pipe is no fault.
///
/// # Errors
/// If the line cannot be written, as on a full disk.
pub fn print(text: &str) -> Result<(), Failure> {
    use std::io::{ErrorKind, Write as _};
    match writeln!(std::io::stdout(), "{}", text.trim_end_matches('\n')) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let error = anyhow::Error::new(error);
            Err(error.context("cannot write to stdout").into())
        }
        _ => Ok(()),
    }
}
