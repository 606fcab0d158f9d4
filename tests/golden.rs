//! Recorded numbers: reference vectors through `marginscope check`, a trajectory of ten steps, and
//! the same bits on any number of threads.

#![allow(
    clippy::expect_used,
    reason = "helpers of tests may panic as tests may"
)]

mod common;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use common::assert_close;
use common::runs::{steps, trainer};
use marginscope::trainer::Horizon;
use predicates::prelude::*;
use serde_json::{Value, json};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/loss_heads.json")
}

fn check(path: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marginscope"));
    command.arg("check").arg(path);
    command
}

/// The vectors after `change`, in a file of their own.
fn doctored(change: impl FnOnce(&mut Value)) -> tempfile::NamedTempFile {
    let text = std::fs::read_to_string(vectors()).expect("the vectors are in the repository");
    let mut vectors: Value = serde_json::from_str(&text).expect("and are JSON");
    change(&mut vectors);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), vectors.to_string()).expect("written");
    file
}

#[test]
fn the_head_that_trains_agrees_with_the_reference() {
    check(&vectors())
        .args(["--tolerance", "1e-4"])
        .assert()
        .success()
        .stdout(predicate::str::contains("82 cases; the worst error is"))
        .stdout(predicate::str::contains("passes at tolerance 1e-4"))
        .stderr("");
}

/// `losses.md` 2.5: f32 cannot agree to 1e-9, so a check that could not fail would pass here.
#[test]
fn the_reference_is_not_met_more_closely_than_floats_allow() {
    check(&vectors())
        .args(["--tolerance", "1e-9"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("fails at tolerance 1e-9"));
}

/// Each tensor is compared: one wrong number in any of them is found.
#[test]
fn one_wrong_number_fails() {
    for (case, field) in [
        (0, "logits"),
        (0, "grad_b"),
        (17, "grad_x"),
        (40, "grad_w"),
        (81, "loss_mean"),
    ] {
        let file = doctored(|vectors| {
            let number = &mut vectors["cases"][case][field];
            let number = if number.is_array() {
                &mut number[0]
            } else {
                number
            };
            *number = json!(number.as_f64().expect("a number") + 0.01);
        });
        check(file.path())
            .assert()
            .code(1)
            .stdout(predicate::str::contains(format!("in case {case} (")));
    }
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Value), expected: &[&str]) {
    let file = doctored(change);
    let output = check(file.path()).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for part in expected {
        assert!(stderr.contains(part), "{part:?} is missing in {stderr}");
    }
}

#[test]
fn sizes_that_disagree_name_case_and_field() {
    for field in ["x", "w", "b", "y", "logits", "grad_x", "grad_w", "grad_b"] {
        check_refused(
            |vectors| {
                let list = vectors["cases"][1][field].as_array_mut().expect("a list");
                list.pop();
            },
            &[
                "case 1 (softmax)",
                &format!("field {field} has"),
                "expected",
            ],
        );
    }
}

#[test]
fn cases_that_make_no_sense_are_refused() {
    let first = |vectors: &mut Value, field: &str, value: Value| vectors["cases"][0][field] = value;
    check_refused(
        |v| first(v, "n", json!(0)),
        &["case 0", "n, dim and classes"],
    );
    check_refused(
        |v| first(v, "n", json!(10_000_000_000_000_000_000_u64)),
        &["case 0", "field x has 10 numbers"],
    );
    check_refused(
        |v| first(v, "y", json!([0, 1, 2, 3, 0])),
        &["case 0", "field y has class 3"],
    );
    check_refused(
        |v| first(v, "loss", json!("softmx")),
        &["case 0", "did you mean \"softmax\"?"],
    );
    check_refused(
        |v| first(v, "params", json!({"m": 0.1})),
        &["case 0", "params has \"m\""],
    );
    check_refused(|v| v["cases"] = json!([]), &["cases is empty"]);
    check_refused(
        |v| v["cases"][0] = json!({"loss": "softmax"}),
        &["missing field"],
    );
}

/// Losses of ten steps, seed 1. The tolerance: kernels of other processors add in another order,
/// which moves a step's loss by about 1e-7 and grows by less than tenfold a step at this rate.
///
/// After a deliberate change print the new table with
/// `MARGINSCOPE_PRINT_GOLDEN=1 cargo test --test golden trajectory -- --nocapture`, and read the diff.
#[test]
fn the_trajectory_is_the_recorded_one() {
    const RECORDED: [f64; 10] = [
        13.464304, 13.965139, 14.650966, 12.295442, 15.795214, 16.843946, 14.565930, 13.432170,
        12.487207, 14.002936,
    ];
    let mut run = trainer(
        &[
            ("data.source", "blobs"),
            ("network.kind", "mlp:16"),
            ("loss.id", "arcface"),
            ("learning_rate", "0.01"),
            ("warmup", "1"),
            ("ramp", "5"),
        ],
        Horizon::Steps(10),
        1,
    );
    let losses: Vec<f64> = (0..10).map(|_| steps(&mut run, 1)).collect();
    if std::env::var_os("MARGINSCOPE_PRINT_GOLDEN").is_some() {
        #[expect(clippy::print_stderr, reason = "asked for")]
        {
            eprintln!("{losses:.6?}");
        }
    }
    for (step, (found, expected)) in losses.iter().zip(RECORDED).enumerate() {
        assert_close(
            &format!("loss of step {step}"),
            &[*found],
            &[expected],
            1e-4,
        );
    }
}

#[track_caller]
fn check_threads(settings: &[(&str, &str)], n_steps: u64) {
    let bits = |n_threads: usize| {
        let mut run = trainer(settings, Horizon::Steps(n_steps), n_threads);
        steps(&mut run, n_steps);
        run.parameters_sha256()
    };
    let one = bits(1);
    assert_eq!(one.len(), 64);
    assert_eq!(one, bits(2), "2 threads");
    assert_eq!(one, bits(4), "4 threads");
}

#[test]
fn threads_do_not_change_the_bits_of_an_mlp() {
    check_threads(
        &[
            ("data.source", "blobs"),
            ("network.kind", "mlp:16"),
            ("loss.id", "center"),
            ("batch", "517"), // chunks of unequal length
        ],
        50,
    );
}

#[test]
fn threads_do_not_change_the_bits_of_the_cnn() {
    check_threads(&[("loss.id", "arcface"), ("data.samples", "500")], 30);
}

#[test]
fn threads_do_not_change_the_bits_of_free_embeddings() {
    check_threads(
        &[
            ("data.source", "free"),
            ("data.samples", "60"),
            ("network.kind", "none"),
            ("loss.id", "cosface"),
        ],
        100,
    );
}

#[test]
fn seeds_change_the_bits() {
    let bits = |seed: &str| {
        let settings = [("data.source", "blobs"), ("seed", seed)];
        let mut run = trainer(&settings, Horizon::Steps(5), 1);
        steps(&mut run, 5);
        run.parameters_sha256()
    };
    assert_ne!(bits("1"), bits("2"));
    assert_eq!(bits("1"), bits("1"));
}
