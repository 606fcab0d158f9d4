//! What is printed, for people and for programs.

use super::*;

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
        "parameters_in_force",
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
    let in_force = &report["parameters_in_force"];
    assert_eq!(
        in_force["margin"],
        0.3 * (3.0 / 300.0),
        "three steps up the ramp"
    );
    assert_eq!(in_force["scale"], 16.0);
}

#[test]
fn the_gallery_lists_its_figures_where_none_is_named() {
    let output = marginscope(&["render", "gallery:"])
        .output()
        .expect("it runs");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let exhibits = marginscope::figure::gallery::exhibits();
    assert_eq!(text.lines().count(), exhibits.len());
    for (line, exhibit) in text.lines().zip(exhibits) {
        assert!(line.starts_with(&exhibit.path()), "{line}");
        assert!(line.ends_with(&exhibit.about.title), "{line}");
    }
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
