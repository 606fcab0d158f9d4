//! The binary: parse, run, print one error line, choose the exit status.

fn main() {}
