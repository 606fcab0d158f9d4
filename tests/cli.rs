//! The command line as people type it: every subcommand, every usage error with its message and
//! exit status, the exact keys of `train --json`.

#![allow(
    clippy::expect_used,
    reason = "helpers of tests may panic as tests may"
)]

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

// ---------------------------------------------------------------- usage errors

#[test]
fn an_unknown_loss_names_the_nearest() {
    assert_snapshot!(usage(&["train", "--loss", "arcfaces"]), @r#"--loss: unknown loss "arcfaces"; did you mean "arcface"?"#);
    assert_snapshot!(usage(&["--loss", "zebra"]), @r#"--loss: unknown loss "zebra"; there are binary_cross_entropy, softmax, center, modified_softmax, l_softmax, sphereface, normface, cosface, arcface, combined"#);
}

#[test]
fn a_margin_out_of_range_says_the_range_and_why() {
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--margin", "4.2"]), @r#"--margin: loss.margin = 4.2 is outside 0..=3.1416 rad for "arcface": an angle between two directions is at most π (4.2° is 0.0733 rad)"#);
    assert_snapshot!(usage(&["train", "--loss", "cosface", "--margin", "-0.1"]), @r#"--margin: loss.margin = -0.1 is outside 0..=2 cos for "cosface": two cosines differ by at most 2"#);
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--margin", "nan"]), @r#"--margin: loss.margin = NaN is outside 0..=3.1416 rad for "arcface": an angle between two directions is at most π"#);
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--margin", "wide"]), @"--margin: loss.margin = wide: expected a number, in radians");
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--margin", "17°"]), @"--margin: loss.margin = 17°: expected a number, in radians");
}

#[test]
fn sphereface_counts_in_whole_numbers() {
    assert_snapshot!(usage(&["train", "--loss", "sphereface", "--margin", "2.5"]), @r#"--margin: loss.margin = 2.5 is not a whole number for "sphereface": m counts the stairs of the target logit, so it is a whole number; beyond 8 nothing trains"#);
}

#[test]
fn a_negative_scale_is_parsed_and_refused() {
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--scale", "-1"]), @r#"--scale: loss.scale = -1 is outside 0.01..=1024 for "arcface": a scale of 0 or less would make all logits equal or turn them round"#);
}

#[test]
fn an_option_that_the_loss_does_not_have_names_those_it_has() {
    assert_snapshot!(usage(&["train", "--loss", "softmax", "--margin", "0.3"]), @r#"--margin: loss "softmax" has no margin; it has no parameters; margin belongs to l_softmax, sphereface, cosface, arcface"#);
    assert_snapshot!(usage(&["train", "--loss", "cosface", "--lambda", "3"]), @r#"--lambda: loss "cosface" has no lambda; it has margin, scale; lambda belongs to center, l_softmax, sphereface"#);
    assert_snapshot!(usage(&["train", "--loss", "combined", "--margin", "0.3"]), @r#"--margin: loss "combined" has no margin; it has m1, m2, m3, scale; margin belongs to l_softmax, sphereface, cosface, arcface"#);
}

/// Which loss is asked for first: a value is not measured by the range of another loss.
#[test]
fn a_negative_value_of_an_option_that_the_loss_does_not_have_is_no_matter_of_range() {
    let expected = r#"--scale: loss "softmax" has no scale; it has no parameters; scale belongs to normface, cosface, arcface, combined"#;
    assert_eq!(usage(&["train", "--scale", "-1"]), expected);
    assert_eq!(usage(&["--scale", "-1", "--loss", "softmax"]), expected);
    assert_snapshot!(usage(&["--scale=-1", "--loss", "sphereface"]), @r#"--scale: loss "sphereface" has no scale; it has margin, lambda; scale belongs to normface, cosface, arcface, combined"#);
    assert_snapshot!(usage(&["--lambda", "-1", "--loss", "center"]), @r#"--lambda: loss.lambda = -1 is outside 0..=1000 for "center": a negative spring would push features away without end"#);
}

#[test]
fn a_two_class_loss_wants_two_classes() {
    assert_snapshot!(usage(&["train", "--loss", "binary_cross_entropy"]), @r#"loss "binary_cross_entropy" has one logit for two classes, but there are 10; choose two classes such as 3,8, or loss "softmax""#);
}

#[test]
fn a_misspelt_key_gets_a_suggestion() {
    assert_snapshot!(usage(&["train", "--set", "margn=3"]), @r#"--set margn=3: unknown field "margn"; did you mean "margin"?"#);
    assert_snapshot!(usage(&["train", "--set", "kind=adam"]), @r#"--set kind=adam: unknown field "kind"; it could be network.kind or optimizer.kind"#);
    assert_snapshot!(usage(&["train", "--set", "dim"]), @"--set dim: expected key=value, for example --set margin=0.3");
}

#[test]
fn a_field_of_a_section_is_looked_for_in_that_section() {
    assert_snapshot!(usage(&["train", "--set", "loss=arcface"]), @r#"--set loss=arcface: unknown field "loss"; section loss has id, ramp, init, beyond_pi, center_rate, lambda, m1, m2, m3, margin, scale"#);
    assert_snapshot!(usage(&["train", "--set", "loss.bogus=1"]), @r#"--set loss.bogus=1: unknown field "loss.bogus"; section loss has id, ramp, init, beyond_pi, center_rate, lambda, m1, m2, m3, margin, scale"#);
    assert_snapshot!(usage(&["train", "--set", "optimizer.lerning_rate=1"]), @r#"--set optimizer.lerning_rate=1: unknown field "optimizer.lerning_rate"; did you mean "optimizer.learning_rate"?"#);
    assert_snapshot!(usage(&["train", "--set", "run.changes=1"]), @r#"--set run.changes=1: unknown field "run.changes"; section run has seed, epochs, steps"#);
    assert_snapshot!(usage(&["train", "--set", "=3"]), @"--set =3: expected key=value, for example --set margin=0.3");
}

#[test]
fn a_value_with_line_breaks_stays_on_the_line_of_its_error() {
    assert_snapshot!(usage(&["train", "--loss", "arc\nface\u{1b}[31m"]), @r#"--loss: unknown loss "arc\nface\u{1b}[31m"; did you mean "arcface"?"#);
    assert_snapshot!(usage(&["train", "--set", "di\nm=3\r\n"]), @r#"--set di\nm=3\r\n: unknown field "di\nm"; did you mean "dim"?"#);
    assert_snapshot!(refusal_with(&[("lesson.toml", "[optimizer]\nclip = \"x\\ny\"\n")], &["train", "lesson.toml"]), @r"lesson.toml:2: optimizer.clip = x\ny: expected a number in 0..=1000000");
}

#[test]
fn bad_samples_and_classes_are_named_as_they_are_set() {
    let blobs = |args: &[&str]| usage(&[&["train", "--data", "blobs"], args].concat());
    assert_snapshot!(blobs(&["--set", "samples=200000"]), @"samples = 200000: 10 classes take 1 to 100000 samples each");
    assert_snapshot!(blobs(&["--set", "samples=2000000"]), @"--set samples=2000000: data.samples = 2000000: expected a whole number in 1..=1000000");
    assert_snapshot!(blobs(&["--set", "noise=nan"]), @"--set noise=nan: data.noise = nan: expected a number in 0..=8");
    assert_snapshot!(blobs(&["--classes", "3,3"]), @"classes 3,3: 3 is listed twice; name each class once");
    assert_snapshot!(blobs(&["--classes", ""]), @"--classes: data.classes = : expected a number of classes such as 10, or a list such as 3,8");
}

#[test]
fn words_out_of_place_are_told() {
    assert_snapshot!(usage(&["lesson.toml", "other.toml"]), @"unexpected 'other.toml': a command comes before everything else, and there is one FILE");
    assert_snapshot!(usage(&["--seed", "3", "train"]), @r#"there is no file "train"; a command stands once, before everything else"#);
    assert_snapshot!(usage(&["train", "train"]), @r#"there is no file "train"; a command stands once, before everything else"#);
    let help = help_of(&["help", "train"]);
    assert!(help.contains("Usage: marginscope train"), "{help}");
}

#[test]
fn sizes_out_of_range_are_refused() {
    assert_snapshot!(usage(&["train", "--dim", "0"]), @"--dim: network.dim = 0: expected a whole number in 1..=512");
    assert_snapshot!(usage(&["train", "--seed", "-1"]), @"--seed: run.seed = -1: expected a whole number in 0..=9223372036854775807");
    assert_snapshot!(usage(&["train", "--batch", "1.5"]), @"--batch: optimizer.batch = 1.5: expected a whole number in 1..=1000000");
    assert_snapshot!(usage(&["train", "--classes", "11"]), @"classes 11: MNIST has the digits 0 to 9");
    assert_snapshot!(usage(&["train", "--classes", "1"]), @"classes 1: at least two classes are needed to tell apart");
    assert_snapshot!(usage(&["train", "--threads", "0"]), @"invalid value '0' for '--threads <T>': expected a whole number in 1..=64");
    assert_snapshot!(usage(&["train", "--threads", "-1"]), @"invalid value '-1' for '--threads <T>': expected a whole number in 1..=64");
}

#[test]
fn data_and_network_must_fit() {
    assert_snapshot!(usage(&["train", "--data", "moons"]), @"--data: data.source = moons: expected one of mnist, blobs, rings, spiral, free");
    assert_snapshot!(usage(&["train", "--data", "free", "--network", "cnn"]), @r#"data "free" has no inputs for network "cnn"; use network "none""#);
    assert_snapshot!(usage(&["train", "--data", "blobs", "--network", "cnn"]), @r#"network "cnn" needs images, but data "blobs" has points in the plane; use mlp:64,64 or none"#);
    assert_snapshot!(usage(&["train", "--network", "mlp:0"]), @"--network: network.kind = mlp:0: expected cnn, mlp:256,128 (hidden sizes from 1 to 4096) or none");
}

#[test]
fn an_unknown_option_gets_a_suggestion() {
    assert_snapshot!(usage(&["trian"]), @r#"there is no file and no command "trian"; did you mean "train"?"#);
    assert_snapshot!(usage(&["train", "--network", "mlp:"]), @"--network: network.kind = mlp:: expected cnn, mlp:256,128 (hidden sizes from 1 to 4096) or none");
    assert_snapshot!(usage(&["train", "--los", "arcface"]), @"unexpected argument '--los' found; did you mean --loss?");
    assert_snapshot!(usage(&["losses", "--json", "extra"]), @"unexpected argument 'extra' found; --help lists the options");
    assert_snapshot!(usage(&["train", "--steps", "3", "--epochs", "2"]), @"the argument '--steps <N>' cannot be used with '--epochs <E>'");
    assert_snapshot!(usage(&["train", "--threads"]), @"--threads <T> needs a value");
    assert_snapshot!(usage(&["check"]), @"the following required arguments were not provided: <VECTORS>");
    assert_snapshot!(usage(&["check", "v.json", "--tolerance", "0"]), @"invalid value '0' for '--tolerance <T>': expected a number above 0");
    assert_snapshot!(usage(&["check", "v.json", "--tolerance", "nan"]), @"invalid value 'nan' for '--tolerance <T>': expected a number above 0");
    assert_snapshot!(usage(&["train", "--features", "f.txt"]), @"--features f.txt: expected a name that ends in .npy or .csv");
}

// ---------------------------------------------------------------- files

#[test]
fn a_missing_file_is_named() {
    assert_snapshot!(refusal_with(&[], &["train", "lesson.toml"]), @"cannot read experiment lesson.toml: No such file or directory (os error 2)");
    assert_snapshot!(refusal_with(&[], &["check", "v.json"]), @"cannot read v.json: No such file or directory (os error 2)");
}

#[test]
fn faults_of_a_file_have_their_lines() {
    let file = |text: &str| refusal_with(&[("lesson.toml", text)], &["train", "lesson.toml"]);
    assert_snapshot!(file("[loss]\nid = \"cosface\"\nmargn = 0.2\n"), @r#"lesson.toml:3: unknown field "loss.margn"; did you mean "loss.margin"?"#);
    assert_snapshot!(file("[network]\ndim = 0\n\n[loss]\nid = \"arcface\"\nmargin = 17\n"), @r#"lesson.toml:2: network.dim = 0: expected a whole number in 1..=512; lesson.toml:6: loss.margin = 17 is outside 0..=3.1416 rad for "arcface": an angle between two directions is at most π (17° is 0.2967 rad)"#);
    assert_snapshot!(file("[optimizer]\nbatch = -5\n"), @"lesson.toml:2: optimizer.batch = -5: expected a whole number in 1..=1000000");
    assert_snapshot!(file("[run]\nsteps = 3\nepochs = 2\n"), @"lesson.toml:2: run.steps: run.epochs is set, too; a run has one length");
    assert_snapshot!(file("[data]\nsource = \"blobs\"\n[rum]\nseed = 3\nstep = 4\n[zoo]\n"), @r#"lesson.toml:3: unknown section "rum"; did you mean "run"?; lesson.toml:6: unknown section "zoo"; there are data, network, loss, optimizer, run, view"#);
    assert_snapshot!(file("loss = \"arcface\"\n"), @r#"lesson.toml:1: "loss" is a section; write [loss] and its fields below"#);
    assert_snapshot!(file("[[loss]]\nid = \"arcface\"\n"), @r#"lesson.toml:1: "loss" is a section; write [loss] and its fields below"#);
    assert_snapshot!(file("[loss]\nid = \"arcface\"\nid = \"cosface\"\n"), @"lesson.toml:3: duplicate key");
    assert_snapshot!(file("seed = 3\n"), @r#"lesson.toml:1: "seed" stands outside a section; sections are data, network, loss, optimizer, run, view"#);
}

#[test]
fn of_an_unknown_loss_only_the_cause_is_told() {
    let file = |text: &str| refusal_with(&[("lesson.toml", text)], &["train", "lesson.toml"]);
    assert_snapshot!(file("[loss]\nmargin = 0.3\nscale = -4\nid = \"arcfaces\"\n[network]\ndim = 2\n"), @r#"lesson.toml:4: unknown loss "arcfaces"; did you mean "arcface"?"#);
    assert_snapshot!(file("[loss]\nid = true\nmargin = 0.3\n[network]\ndim = 0\n"), @"lesson.toml:2: loss.id: expected a number, a text or a list of whole numbers; lesson.toml:5: network.dim = 0: expected a whole number in 1..=512");
    assert_snapshot!(file("[run]\nchanges = [\n{ step = 3, key = \"loss.id\", value = \"arcfaces\" },\n{ step = 5, key = \"margin\", value = 0.2 },\n]\n"), @r#"lesson.toml:3: run.changes: step 3: unknown loss "arcfaces"; did you mean "arcface"?"#);
}

#[test]
fn faults_of_recorded_changes_are_told_before_the_run() {
    let file = |changes: &str| {
        let text = format!("[loss]\nid = \"cosface\"\n[run]\nchanges = [\n{changes}]\n");
        refusal_with(&[("lesson.toml", &text)], &["train", "lesson.toml"])
    };
    assert_snapshot!(file("{ step = 8, key = \"loss.margn\", value = 0.5 },\n"), @r#"lesson.toml:5: run.changes: step 8: unknown field "loss.margn"; did you mean "loss.margin"?"#);
    assert_snapshot!(file("{ step = 8, key = \"dim\", value = 3 },\n"), @"lesson.toml:5: run.changes: step 8: network.dim starts a new run and cannot change during one");
    assert_snapshot!(file("{ step = 9, key = \"lambda\", value = 3 },\n{ step = 8, key = \"loss.id\", value = \"softmax\" },\n"), @r#"lesson.toml:5: run.changes: step 9: loss "softmax" has no lambda; it has no parameters; lambda belongs to center, l_softmax, sphereface"#);
    assert_snapshot!(file("{ step = -8, key = \"margin\", value = 3 },\n"), @r#"lesson.toml:5: run.changes: expected { step = 800, key = "loss.margin", value = 0.5 }"#);
}

#[test]
fn what_is_no_toml_and_no_vectors_is_told() {
    let text = "[loss\nid = 3\n";
    let message = refusal_with(&[("lesson.toml", text)], &["train", "lesson.toml"]);
    assert!(message.starts_with("lesson.toml:1: "), "{message}");
    let message = refusal_with(&[("v.json", "[1, 2")], &["check", "v.json"]);
    assert!(
        message.starts_with("v.json is not in the format"),
        "{message}"
    );
}

/// A run of an hour: only a check before it can answer at once. Files of before are left alone.
#[track_caller]
fn refusal_of_output(option: &str, path: &str) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(directory.path().join("folder.npy")).expect("created");
    std::fs::write(directory.path().join("old.csv"), "kept").expect("written");
    let args = ["train", "--data", "blobs", "--epochs", "1000000"];
    let outputs = ["--metrics", "old.csv", option, path];
    let outputs = if option == "--metrics" {
        &outputs[2..]
    } else {
        &outputs[..]
    };
    let message = refusal_in(directory.path(), &[&args, outputs].concat(), 1);
    let old = std::fs::read_to_string(directory.path().join("old.csv")).expect("still there");
    assert_eq!(old, "kept");
    let entries = std::fs::read_dir(directory.path()).expect("listed").count();
    assert_eq!(entries, 2, "nothing is left behind");
    message
}

/// A case of one sample, with what is wrong in it.
#[track_caller]
fn refusal_of_case(params: &str) -> String {
    let case = format!(
        r#"{{"cases": [{{"loss": "arcface", "params": {params}, "n": 1, "dim": 2, "classes": 2,
        "x": [1, 0], "w": [1, 0, 0, 1], "y": [0], "loss_mean": 0, "logits": [1, 0],
        "grad_x": [0, 0], "grad_w": [0, 0, 0, 0]}}]}}"#
    );
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("v.json"), case).expect("written");
    let output = marginscope(&["check", "v.json"])
        .current_dir(directory.path())
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn wrong_params_of_a_case_are_told_with_those_there_are() {
    assert_snapshot!(refusal_of_case(r#"{"zz": 1}"#), @r#"error: v.json: case 0 (arcface): params has "zz", expected none but m, s, beyond_pi"#);
    assert_snapshot!(refusal_of_case(r#"{"m": "linear"}"#), @r#"error: v.json: case 0 (arcface): params.m is "linear", expected a finite number"#);
    assert_snapshot!(refusal_of_case(r#"{"beyond_pi": 7}"#), @"error: v.json: case 0 (arcface): params.beyond_pi is 7, expected one of cosine, linear, easy");
    assert_snapshot!(refusal_of_case(r#"{"beyond_pi": "round"}"#), @r#"error: v.json: case 0 (arcface): params.beyond_pi is "round", expected one of cosine, linear, easy"#);
}

#[test]
fn a_reader_that_leaves_early_is_no_fault() {
    use std::process::{Command, Stdio};
    for args in [
        &["losses"][..],
        &["train", "--help"],
        &["check", "tests/data/loss_heads.json"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_marginscope"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{args:?}");
        assert_eq!(output.stderr, b"", "{args:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_training() {
    assert_snapshot!(refusal_of_output("--save", "nowhere/run.session"), @"cannot write nowhere/run.session: there is no directory nowhere");
    assert_snapshot!(refusal_of_output("--save", "old.csv/run.session"), @"cannot write old.csv/run.session: there is no directory old.csv");
    assert_snapshot!(refusal_of_output("--save", "folder.npy"), @"cannot write folder.npy: is a directory");
    assert_snapshot!(refusal_of_output("--features", "folder.npy"), @"cannot write folder.npy: is a directory");
    assert_snapshot!(refusal_of_output("--metrics", "."), @"cannot write .: is a directory");
    #[cfg(target_os = "linux")] // not even root can write there
    assert_snapshot!(refusal_of_output("--metrics", "/proc/table.csv"), @"cannot write /proc/table.csv: entity not found");
}

#[test]
fn an_output_names_a_file_of_its_own() {
    assert_snapshot!(usage(&["train", "--metrics", "a.csv", "--features", "./a.csv"]), @"--metrics and --features both name ./a.csv; give each a file of its own");
    assert_snapshot!(usage(&["train", "lesson.toml", "--save", "lesson.toml"]), @"--save would replace lesson.toml, the experiment itself; give it a file of its own");
}

#[test]
fn floats_of_toml_are_read_as_they_are_written() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let text = "[data]\nsource = \"blobs\"\n[optimizer]\nlearning_rate = 1e-3\nbatch = 64.0\n[run]\nsteps = 2\n";
    std::fs::write(directory.path().join("a.toml"), text).expect("written");
    marginscope(&["train", "a.toml"])
        .current_dir(directory.path())
        .assert()
        .success();
}

// ---------------------------------------------------------------- what is printed

#[test]
fn train_json_is_one_line_with_exactly_these_keys() {
    let output = marginscope(TINY)
        .args(["--loss", "arcface", "--json"])
        .output()
        .expect("the program runs");
    assert!(output.status.success());
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(stdout.lines().count(), 1);
    let report: Value = serde_json::from_str(&stdout).expect("JSON");
    let mut keys: Vec<&str> = report
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = [
        "loss",
        "parameters",
        "data",
        "network",
        "dim",
        "classes",
        "seed",
        "threads",
        "steps",
        "epochs",
        "seconds",
        "samples_per_second",
        "final_loss",
        "train_accuracy",
        "test_accuracy",
        "target_angle_deg",
        "intra_class_angle_deg",
        "min_weight_angle_deg",
        "min_class_mean_angle_deg",
        "mean_feature_norm",
        "margin_satisfied",
        "diverged",
        "parameters_sha256",
    ];
    keys.sort_unstable();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(report["steps"], 3);
    assert_eq!(report["threads"], 2);
    assert_eq!(report["diverged"], false);
    let parameters = &report["parameters"];
    assert_eq!(
        parameters,
        &serde_json::json!({"margin": 0.3, "scale": 16.0, "beyond_pi": "linear"})
    );
}

fn json_of(args: &[&str]) -> (Option<i32>, Value) {
    let output = marginscope(args).arg("--json").output().expect("it runs");
    let report = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    (output.status.code(), report)
}

#[test]
fn a_loss_set_by_key_keeps_the_margin_of_its_option() {
    let (_, a) = json_of(&[TINY, &["--margin", "0.25", "--set", "loss.id=cosface"]].concat());
    assert_eq!(a["loss"], "cosface");
    assert_eq!(a["parameters"]["margin"], 0.25);
    let (_, b) = json_of(&[TINY, &["--loss", "cosface", "--set", "margin=0.25"]].concat());
    assert_eq!(a["parameters_sha256"], b["parameters_sha256"]);
}

#[test]
fn a_run_without_steps_has_no_loss() {
    let (code, report) = json_of(&[
        "train", "--data", "free", "--steps", "0", "--loss", "normface",
    ]);
    assert_eq!(code, Some(0));
    assert_eq!(report["final_loss"], Value::Null);
    assert_eq!(report["test_accuracy"], Value::Null);
    assert_eq!(report["epochs"], 0.0);
}

#[test]
fn a_run_that_diverged_prints_its_line_and_fails() {
    let args = [
        TINY,
        &["--set", "run.steps=300", "--learning-rate", "100"],
        &["--set", "clip=0", "--set", "weight_decay=1"],
    ]
    .concat();
    let args: Vec<&str> = args
        .into_iter()
        .filter(|arg| *arg != "--steps" && *arg != "3")
        .collect();
    let output = marginscope(&args).arg("--json").output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["diverged"], true);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("the run diverged at step"), "{stderr}");
    assert!(stderr.contains("try a lower learning rate"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1);
}

#[test]
fn train_prints_a_summary_for_people() {
    marginscope(TINY)
        .assert()
        .success()
        .stderr("")
        .stdout(predicate::str::contains(
            "softmax (mlp:8 in 2-D, 3 steps on 10 classes of blobs, seed 1)",
        ))
        .stdout(predicate::str::contains("accuracy"));
}

#[track_caller]
fn report_for_people(args: &[&str]) -> String {
    let output = marginscope(args).output().expect("the program runs");
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// One logit has no angles, labels alone have no test set, and no step takes no time.
#[test]
fn a_figure_that_does_not_exist_has_no_line() {
    let binary = report_for_people(
        &[
            TINY,
            &["--loss", "binary_cross_entropy", "--classes", "3,8"],
        ]
        .concat(),
    );
    assert!(
        !binary.contains('–') && !binary.contains("weight"),
        "{binary}"
    );
    assert!(binary.contains("within a class"), "{binary}");
    let free = [
        "train", "--data", "free", "--steps", "0", "--loss", "arcface", "--margin", "0.3",
    ];
    assert_snapshot!(report_for_people(&free), @r"
    arcface, margin 0.3, scale 16, beyond_pi linear (none in 2-D, 0 steps on 10 classes of free, seed 1)
      accuracy              train 8.00%
      angle to own weight   91.9°
      within a class        73.2°
      between weights       at least 3.3°
      with their margin     2.00%
    ");
    let one = ["train", "--data", "blobs", "--steps", "1", "--threads", "1"];
    let one = report_for_people(&one);
    assert!(
        one.contains(", 1 step on ") && one.contains("with 1 thread\n"),
        "{one}"
    );
}

#[test]
fn train_writes_its_files() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let files = [
        "--metrics",
        "m.csv",
        "--features",
        "f.npy",
        "--save",
        "s.session",
    ];
    marginscope(&[TINY, &files].concat())
        .current_dir(directory.path())
        .assert()
        .success();
    let read = |name: &str| std::fs::read(directory.path().join(name)).expect(name);
    let table = String::from_utf8(read("m.csv")).expect("text");
    assert_eq!(table.lines().next(), Some("step,loss,learning_rate"));
    assert_eq!(table.lines().count(), 4);
    assert!(read("f.npy").starts_with(b"\x93NUMPY"));
    assert!(read("s.session").len() > 100);
    let entries = std::fs::read_dir(directory.path()).expect("listed").count();
    assert_eq!(entries, 3, "nothing half-written is left");
}

#[test]
fn losses_lists_the_registry() {
    let text = marginscope(&["losses"]).output().expect("it runs").stdout;
    let text = String::from_utf8(text).expect("UTF-8");
    let output = marginscope(&["losses", "--json"])
        .output()
        .expect("it runs");
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), marginscope::loss::LOSSES.len());
    for (entry, spec) in list.iter().zip(marginscope::loss::LOSSES) {
        assert_eq!(entry["id"], spec.id);
        assert!(text.lines().any(|line| line.starts_with(spec.id)));
    }
}

/// No time is asserted: only that every workload runs, and what its line says.
#[test]
fn bench_json_is_one_line_for_each_workload() {
    let output = marginscope(&["bench", "--quick", "--json", "--threads", "2"])
        .output()
        .expect("it runs");
    assert!(output.status.success());
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    for row in &rows {
        for key in ["batch", "step_us", "samples_per_s", "threads"] {
            assert!(row[key].as_f64().is_some_and(|x| x > 0.0), "{key}: {row}");
        }
        assert!(row["gflops"].is_f64(), "{row}");
    }
    let named = |name: &'static str| rows.iter().filter(move |row| row["workload"] == name);
    for name in [
        "toy-mlp-2-64-64-2",
        "mnist-mlp-784-256-128-2",
        "mnist-cnn-16-32-128-2",
        "free-embeddings-4096x2",
        "head-only-100-classes-3d",
        "classes-1000-3d",
        "classes-10000-3d",
        "features-1000000x3",
    ] {
        let losses = named(name).map(|row| [&row["first_loss"], &row["last_loss"]]);
        let losses: Vec<Option<f64>> = losses.flatten().map(Value::as_f64).collect();
        let [Some(first), Some(last)] = losses[..] else {
            panic!("{name}: {losses:?}");
        };
        // Only free embeddings have the same samples at every step.
        assert!(!name.starts_with('f') || last < first, "{name}: {losses:?}");
    }
    for name in ["gemm-mlp-dense1-forward", "gemm-cnn-conv2-inputs"] {
        let threads: Vec<&Value> = named(name).map(|row| &row["threads"]).collect();
        assert_eq!(threads, [1, 2], "{name}");
    }
    let share = named("mnist-mlp-784-256-128-2").map(|row| row["share_of_gemm"].is_f64());
    assert_eq!(share.collect::<Vec<_>>(), [true]);
}

#[test]
fn bench_prints_a_table_for_people() {
    let name = "toy-mlp-2-64-64-2";
    marginscope(&["bench", "--quick", "--only", name, "--threads", "1"])
        .assert()
        .success()
        .stderr("")
        .stdout(predicate::str::starts_with("workload "))
        .stdout(predicate::str::contains(format!("\n{name} ")));
}

#[test]
fn bench_refuses_what_it_does_not_have() {
    assert_snapshot!(usage(&["bench", "--only", "mnist-cn"]), @r#"--only: unknown workload "mnist-cn"; did you mean "mnist-cnn-16-32-128-2"?"#);
    assert_snapshot!(usage(&["bench", "--only", "gem"]), @r#"--only: unknown workload "gem"; did you mean "gemm"?"#);
    assert_snapshot!(usage(&["bench", "--only", "zebra"]), @r#"--only: unknown workload "zebra"; there are toy-mlp-2-64-64-2, mnist-mlp-784-256-128-2, mnist-cnn-16-32-128-2, free-embeddings-4096x2, head-only-100-classes-3d, classes-1000-3d, classes-10000-3d, features-1000000x3, gemm"#);
    assert_snapshot!(usage(&["bench", "--seconds", "0"]), @"invalid value '0' for '--seconds <S>': expected a number above 0");
    assert_snapshot!(usage(&["bench", "--seconds", "nan"]), @"invalid value 'nan' for '--seconds <S>': expected a number above 0");
    assert_snapshot!(usage(&["bench", "--seconds", "-1"]), @"invalid value '-1' for '--seconds <S>': expected a number above 0");
    assert_snapshot!(usage(&["bench", "--quick", "--seconds", "1"]), @"the argument '--quick' cannot be used with '--seconds <S>'");
    assert_snapshot!(usage(&["bench", "--threads", "65"]), @"invalid value '65' for '--threads <T>': expected a whole number in 1..=64");
    assert_snapshot!(usage(&["bensh"]), @r#"there is no file and no command "bensh"; did you mean "bench"?"#);
}

#[test]
fn losses_prints_numbers_as_people_write_them() {
    let text = marginscope(&["losses"]).output().expect("it runs").stdout;
    let text = String::from_utf8(text).expect("UTF-8");
    let of = |id: &str| {
        let lines = text.lines().skip_while(|line| !line.starts_with(id));
        lines
            .skip(3) // target logit, summary, loss
            .take_while(|line| line.starts_with("                        "))
            .map(str::trim)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let formula = text.lines().skip_while(|line| !line.starts_with("cosface"));
    let formula: Vec<&str> = formula.take(3).map(str::trim).collect();
    assert_snapshot!(formula.join("\n"), @r"
    cosface               s(cos θ_y − m)
    The target's cosine must win by m: the same margin in cosine for every class.
    L = −log e^{s(cos θ_y − m)} / (e^{s(cos θ_y − m)} + Σ_{j≠y} e^{s·cos θ_j})
    ");
    assert_snapshot!(of("sphereface"), @r"
    margin (m): 1 to 8 ×, default 4
    lambda (λ): 0 to 1000, default 5
    ");
    assert_snapshot!(of("arcface"), @r"
    margin (m): 0 to 3.1416 rad, default 0.3; feasible up to 0.6283 for 10 classes in 2-D
    scale (s): 0.01 to 1024, default 16
    beyond_pi (θ + m > π): cosine, linear, easy, default linear
    ");
    assert_snapshot!(of("combined"), @r"
    m1 (m₁): 0.1 to 8 ×, default 1
    m2 (m₂): 0 to 3.1416 rad, default 0.15 in 2-D, 0.3 in 3-D; feasible up to 0.5374 for 10 classes in 2-D
    m3 (m₃): 0 to 2 cos, default 0.05 in 2-D, 0.2 in 3-D; feasible up to 0.1798 for 10 classes in 2-D
    scale (s): 0.01 to 1024, default 16
    ");
}

#[test]
fn help_and_version_go_to_stdout() {
    for args in [
        &["--help"][..],
        &["-h"],
        &["train", "--help"],
        &["check", "--help"],
        &["bench", "--help"],
        &["losses", "--help"],
    ] {
        marginscope(args)
            .assert()
            .success()
            .stderr("")
            .stdout(predicate::str::contains("Usage: marginscope"));
    }
    marginscope(&["--version"])
        .assert()
        .success()
        .stdout(predicate::str::starts_with("marginscope 0."));
}

fn help_of(args: &[&str]) -> String {
    let output = marginscope(args).output().expect("it runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_examples_of_the_help_stand_in_columns_and_can_be_typed() {
    for args in [
        &["-h"][..],
        &["train", "-h"],
        &["check", "-h"],
        &["losses", "-h"],
    ] {
        let help = help_of(args);
        let examples = help.split("Examples:\n").nth(1).expect("examples");
        let widest = help.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{args:?}: {widest:?} columns");
        let mut columns = Vec::new();
        for line in examples.lines() {
            let (command, why) = line.trim_start().split_once("  ").expect("two columns");
            columns.push(line.len() - why.trim_start().len());
            let words = command
                .split_whitespace()
                .filter(|word| *word != "lesson.toml");
            marginscope::cli::parse(words.map(Into::into)).expect(command);
        }
        assert!(columns.iter().all(|column| *column == columns[0]), "{help}");
    }
}

/// What `--set` takes can be looked up, with the choices that a field has.
#[test]
fn the_long_help_lists_every_field() {
    use marginscope::{data::DataSource, experiment::ViewKind, experiment::fields};
    for args in [&["--help"][..], &["train", "--help"]] {
        let help = help_of(args);
        for field in fields() {
            assert!(help.contains(field.key), "{}", field.key);
        }
        for id in DataSource::ALL.iter().map(DataSource::id) {
            assert!(help.contains(id), "{id}");
        }
        for kind in ViewKind::ALL {
            assert!(help.contains(kind.id()), "{kind:?}");
        }
    }
}

#[test]
fn the_help_promises_nothing_that_is_not_there() {
    let help = help_of(&["train", "-h"]);
    assert!(
        !help.contains("go on with"),
        "sessions cannot be loaded: {help}"
    );
    for option in ["--epochs", "--steps"] {
        let text = help.split(option).nth(1).expect(option);
        let text = text.split("--").next().expect(option);
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(words.join(" ").contains("the window pauses"), "{text}");
    }
}

/// Every option of design section 6 that exists today; what others add is not in the way.
#[test]
fn the_help_of_train_lists_the_fixed_options() {
    let output = marginscope(&["train", "--help"]).output().expect("it runs");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    for option in [
        "--data",
        "--classes",
        "--network",
        "--dim",
        "--loss",
        "--margin",
        "--scale",
        "--lambda",
        "--epochs",
        "--steps",
        "--batch",
        "--learning-rate",
        "--seed",
        "--threads",
        "--set",
        "--save",
        "--metrics",
        "--features",
        "--json",
    ] {
        assert!(
            help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
            "{option}"
        );
    }
}
