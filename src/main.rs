//! The binary: parse, run, print one error line, choose the exit status.

use std::process::ExitCode;

use marginscope::app;
use marginscope::cli::{self, Failure, Invocation};

fn main() -> ExitCode {
    run().unwrap_or_else(|failure| {
        #[expect(
            clippy::print_stderr,
            reason = "the one place where errors are printed"
        )]
        {
            eprintln!("error: {failure}");
        }
        failure.exit_code()
    })
}

fn run() -> Result<ExitCode, Failure> {
    match cli::parse(std::env::args_os())? {
        Invocation::Headless(command) => cli::run(*command),
        Invocation::Print(text) => {
            cli::print(&text)?;
            Ok(ExitCode::SUCCESS)
        }
        Invocation::Window(launch) => {
            let n_threads = launch.n_threads;
            app::run((*launch).into(), n_threads).map_err(anyhow::Error::from)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
