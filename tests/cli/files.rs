//! Files that are read and written.

use super::*;

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
    assert_snapshot!(file("[data]\nsource = \"blobs\"\n[rum]\nseed = 3\nstep = 4\n[zoo]\n"), @r#"lesson.toml:3: unknown section "rum"; did you mean "run"?; lesson.toml:6: unknown section "zoo"; there are data, network, loss, optimizer, run, hold, view, picture, gallery"#);
    assert_snapshot!(file("loss = \"arcface\"\n"), @r#"lesson.toml:1: "loss" is a section; write [loss] and its fields below"#);
    assert_snapshot!(file("[[loss]]\nid = \"arcface\"\n"), @r#"lesson.toml:1: "loss" is a section; write [loss] and its fields below"#);
    assert_snapshot!(file("[loss]\nid = \"arcface\"\nid = \"cosface\"\n"), @"lesson.toml:3: duplicate key");
    assert_snapshot!(file("seed = 3\n"), @r#"lesson.toml:1: "seed" stands outside a section; sections are data, network, loss, optimizer, run, hold, view, picture, gallery"#);
}

#[test]
fn of_an_unknown_loss_only_the_cause_is_told() {
    let file = |text: &str| refusal_with(&[("lesson.toml", text)], &["train", "lesson.toml"]);
    assert_snapshot!(file("[loss]\nmargin = 0.3\nscale = -4\nid = \"arcfaces\"\n[network]\ndim = 2\n"), @r#"lesson.toml:4: unknown loss "arcfaces"; did you mean "arcface"?"#);
    assert_snapshot!(file("[loss]\nid = true\nmargin = 0.3\n[network]\ndim = 0\n"), @"lesson.toml:2: loss.id: expected a number, a text or a list of them; lesson.toml:5: network.dim = 0: expected a whole number in 1..=512");
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
    assert_snapshot!(usage(&["train", "lesson.toml", "--save", "lesson.toml"]), @"--save would replace lesson.toml, which the run begins with; give it a file of its own");
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

#[test]
fn a_slide_is_of_16_to_9_whatever_is_drawn() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("slide.png");
    let out = path.to_str().expect("a name in UTF-8");
    let run = "--data blobs --network mlp:8 --steps 3 --width slide";
    let views = "circle psi curves histogram margin-map confusion";
    for view in views.split(' ') {
        let mut args = vec!["render", "--view", view, "--out", out];
        args.extend(run.split(' '));
        marginscope(&args).assert().success();
        let png = std::fs::read(&path).expect("a picture");
        let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
        assert_eq!([side(16), side(20)], [1920, 1080], "{view}");
    }
}
