//! The command line as people type it: every subcommand, every usage error with its message and
//! exit status, the exact keys of `train --json`.

#![allow(
    clippy::expect_used,
    reason = "helpers of tests may panic as tests may"
)]

#[path = "cli/again.rs"]
mod again;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/own.rs"]
mod own;
#[path = "cli/printed.rs"]
mod printed;
#[path = "cli/sweep.rs"]
mod sweep;
#[path = "cli/usage.rs"]
mod usage;
#[path = "cli/view.rs"]
mod view;

use assert_cmd::Command;
use insta::assert_snapshot;
use predicates::prelude::*;
use serde_json::Value;

/// A run that takes milliseconds.
const TINY: &[&str] = &[
    "train",
    "--data",
    "blobs",
    "--network",
    "mlp:8",
    "--steps",
    "3",
    "--threads",
    "2",
];

fn marginscope(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marginscope"));
    command.args(args);
    command
}

/// The one line on stderr of a command that must fail with `code`, without the leading "error: ".
#[track_caller]
fn refusal_in(directory: &std::path::Path, args: &[&str], code: i32) -> String {
    let output = marginscope(args)
        .current_dir(directory)
        .output()
        .expect("the program runs");
    let stderr = String::from_utf8(output.stderr).expect("messages are UTF-8");
    assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
    assert_eq!(output.stdout, b"", "{args:?} printed something");
    assert_eq!(
        stderr.lines().count(),
        1,
        "{args:?}: not one line: {stderr}"
    );
    let message = stderr.trim_end().strip_prefix("error: ");
    message.expect("the line begins with error:").to_owned()
}

/// The message of a usage error.
#[track_caller]
fn usage(args: &[&str]) -> String {
    refusal_in(&std::env::temp_dir(), args, 2)
}

/// The message of another error, for files `(name, text)` in a directory of their own.
#[track_caller]
fn refusal_with(files: &[(&str, &str)], args: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).expect("written");
    }
    refusal_in(directory.path(), args, 1)
}

fn help_of(args: &[&str]) -> String {
    let output = marginscope(args).output().expect("it runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}
