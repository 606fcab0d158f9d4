//! `marginscope view`: what it prints, what it draws, and a line for whatever is wrong.

use super::own::{File, floats, folder_with, json_of, npy, zipped};
use super::*;

/// Six features of two numbers in three classes, the first two of which lie on their weight.
const X: [f32; 12] = [
    2.0, 0.0, 4.0, 0.1, 0.0, 3.0, 0.2, 2.0, -1.0, -1.0, -2.0, -2.5,
];
const W: [f32; 6] = [1.0, 0.0, 0.0, 1.0, -0.7, -0.7];

fn x() -> Vec<u8> {
    npy("<f4", "(6, 2)", &floats(&X))
}

fn y() -> Vec<u8> {
    npy("|u1", "(6,)", &[0, 0, 1, 1, 2, 2])
}

fn w() -> Vec<u8> {
    npy("<f4", "(3, 2)", &floats(&W))
}

/// The message of `view ARGS`, which must fail with 1.
#[track_caller]
fn refused(files: &[File<'_>], args: &[&str]) -> String {
    let args = [&["view"], args, &["--json"]].concat();
    refusal_in(folder_with(files).path(), &args, 1)
}

/// Of usage: with 2.
#[track_caller]
fn misused(args: &[&str]) -> String {
    let folder = folder_with(&[("x.npy", &x()), ("my_w.npy", &w())]);
    refusal_in(folder.path(), &[&["view"], args].concat(), 2)
}

#[test]
fn what_is_there_is_measured_and_the_rest_is_null() {
    let (x, y, w) = (x(), y(), w());
    let folder = folder_with(&[("x.npy", &x), ("my_y.npy", &y), ("my_w.npy", &w)]);
    let of = |args: &[&str]| {
        json_of(
            folder.path(),
            &[&["view", "x.npy"], args, &["--json"]].concat(),
        )
    };
    let all = [
        "--labels",
        "my_y.npy",
        "--weights",
        "my_w.npy",
        "--loss",
        "cosface",
    ];
    let report = of(&all);
    assert_eq!(report["train_accuracy"], 1.0);
    assert_eq!(
        (&report["steps"], &report["classes"]),
        (&0.into(), &3.into())
    );
    assert_eq!(
        (&report["network"], &report["dim"]),
        (&"none".into(), &2.into())
    );
    for key in ["test_accuracy", "final_loss"] {
        assert!(report[key].is_null(), "{key}: {}", report[key]);
    }
    let mean = |angles: &[f64]| angles.iter().sum::<f64>() / angles.len() as f64;
    let angles_deg: Vec<f64> = [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2)]
        .iter()
        .map(|&(i, c)| {
            let [a, b] = [(X[2 * i], X[2 * i + 1]), (W[2 * c], W[2 * c + 1])];
            let turn = f64::from(a.1).atan2(f64::from(a.0)) - f64::from(b.1).atan2(f64::from(b.0));
            turn.to_degrees().abs()
        })
        .collect();
    let found = report["target_angle_deg"].as_f64().expect("an angle");
    assert!((found - mean(&angles_deg)).abs() < 1e-4, "{found}"); // f32

    let unlabeled = of(&all[2..]);
    assert!(unlabeled["train_accuracy"].is_null());
    assert_eq!(unlabeled["margin_satisfied"], report["margin_satisfied"]);
    let unweighted = of(&all[..2]);
    assert_eq!(unweighted["loss"], "softmax");
    assert!(unweighted["min_weight_angle_deg"].as_f64() > Some(0.0));
}

/// One file with everything is the same picture as three.
#[test]
fn an_archive_and_its_parts_are_one_picture() {
    let (x, y, w) = (x(), y(), w());
    let b = npy("<f4", "(3,)", &floats(&[0.5, 0.0, -0.5]));
    let parts = [
        ("x.npy", &x[..]),
        ("y.npy", &y),
        ("w.npy", &w),
        ("b.npy", &b),
    ];
    let zip = zipped(&parts, true);
    let folder = folder_with(&[
        ("run.npz", &zip),
        ("my_x.npy", &x),
        ("y.npy", &y),
        ("w.npy", &w),
        ("b.npy", &b),
    ]);
    let sum_of = |args: &[&str]| {
        let report = json_of(folder.path(), &[&["view"], args, &["--json"]].concat());
        report["parameters_sha256"]
            .as_str()
            .expect("a sum")
            .to_owned()
    };
    let whole = sum_of(&["run.npz"]);
    let of_parts = ["my_x.npy", "--labels", "y.npy", "--weights", "w.npy"];
    assert_ne!(sum_of(&of_parts), whole, "the bias");
    assert_eq!(
        sum_of(&[&of_parts[..], &["--bias", "b.npy"]].concat()),
        whole
    );
}

/// 120 features of five numbers with labels and weights, in files of their own.
fn deep_folder() -> tempfile::TempDir {
    let x: Vec<f32> = (0..600)
        .map(|k| ((k * k % 97) as f32).sin() + 0.3)
        .collect();
    let y: Vec<u8> = (0..120).map(|i| i % 4).collect();
    folder_with(&[
        ("f.npy", &npy("<f4", "(120, 5)", &floats(&x))),
        ("my_y.npy", &npy("|u1", "(120,)", &y)),
        ("my_w.npy", &npy("<f4", "(4, 5)", &floats(&x[..20]))),
    ])
}

/// What is written in an SVG, whatever line it stands on.
fn text_of(svg: &str) -> String {
    let lines = svg
        .split("</text>")
        .filter_map(|part| part.rsplit('>').next());
    lines.collect::<Vec<_>>().join(" ")
}

/// A figure of features carries how it was made, and makes itself again.
#[test]
fn a_figure_is_the_same_twice_and_after_it_was_opened() {
    let folder = deep_folder();
    let at = |name: &str| folder.path().join(name);
    let run = |line: &str| {
        let args: Vec<&str> = line.split(' ').collect();
        let mut command = marginscope(&args);
        let assert = command.current_dir(folder.path()).assert();
        assert.success().stdout("").stderr("");
    };
    for (rest, has_pca) in [
        ("--loss arcface --margin 0.2 --theme dark", true),
        ("--view plane --width 89mm", true),
        ("--dim 3 --loss cosface --width 640px --set scale=9", true),
        ("--dim 5 --loss sphereface", true), // of a section of the five
        ("--dim 5 --loss cosface --view histogram", false), // of all five
        ("--loss cosface --view psi", true),
        ("--loss cosface --view histogram", true),
        ("--loss cosface --view margin-map", true),
    ] {
        let line = format!("view f.npy --labels my_y.npy --weights my_w.npy {rest} --out");
        for name in ["a.svg", "b.svg", "c.pdf"] {
            run(&format!("{line} {name}"));
        }
        let first = std::fs::read(at("a.svg")).expect("written");
        let second = std::fs::read(at("b.svg")).expect("written");
        assert!(first == second, "{rest}");
        for from in ["a.svg", "c.pdf"] {
            run(&format!("render {from} --out d.svg"));
            let again = std::fs::read(at("d.svg")).expect("written");
            assert!(first == again, "{rest} opened from {from}");
        }
        let text = String::from_utf8(first).expect("text");
        let words = text_of(&text);
        assert_eq!(words.contains("PCA of 5 dimensions to"), has_pca, "{rest}");
    }
    // What differs from the recipe is said as for any other figure.
    run("render a.svg --loss normface --view circle --out e.svg");
}

#[test]
fn another_loss_draws_other_lines_and_the_same_points() {
    let (x, y, w) = (x(), y(), w());
    let folder = folder_with(&[("x.npy", &x), ("y.npy", &y), ("w.npy", &w)]);
    let group = |loss: &str, name: &str| {
        let args = [
            "view",
            "x.npy",
            "--weights",
            "w.npy",
            "--view",
            "circle",
            "--out",
            "a.svg",
        ];
        let mut command = marginscope(&[&args[..], &["--loss", loss]].concat());
        command.current_dir(folder.path()).assert().success();
        let text = std::fs::read_to_string(folder.path().join("a.svg")).expect("written");
        let start = text.find(&format!("id=\"{name}\"")).expect(name);
        text[start..]
            .split("</g>")
            .next()
            .expect("a group")
            .to_owned()
    };
    assert_eq!(group("normface", "points"), group("arcface", "points"));
    assert_ne!(group("cosface", "margins"), group("arcface", "margins"));
}

fn array(shape: &str, values: &[f32]) -> Vec<u8> {
    npy("<f4", shape, &floats(values))
}

#[test]
fn bad_features_are_refused_in_one_line() {
    let w = w();
    let alone = |x: &[u8]| {
        let files = [("f.npy", x), ("w.npy", &w)];
        refused(&files, &["f.npy", "--weights", "w.npy"])
    };
    let text = |text: &str| refused(&[("f.csv", text.as_bytes())], &["f.csv"]);
    let lines = [
        refused(&[], &["f.npy"]),
        alone(&npy("|u1", "(6, 2)", &[1; 11])),
        alone(&array("(2, 2)", &[1.0, 2.0, 3.0, f32::NAN])),
        alone(&array("(2, 2)", &[1.0, f32::INFINITY, 3.0, 4.0])),
        alone(&array("(2, 3)", &[1.0; 6])),
        alone(&array("(2, 2)", &[0.0; 4])),
        alone(&array("(2, 2)", &[1.0, 2.0, -3e9, 4.0])),
        alone(&array("(2, 2, 1)", &[1.0; 4])),
        refused(&[("f.npy", &x())], &["f.npy"]),
        text("1,a\n2,b\n3,a\n"),
        text("x,y,label\n1,2,a\n3,4,a\n"),
        text("x,y,label\n1,2,a\n3,n/a,b\n"),
    ];
    assert_snapshot!(lines.join("\n"), @r#"
f.npy: cannot be read: No such file or directory (os error 2)
f.npy: ends after 11 of 12 bytes of its numbers
f.npy[1, 1]: expected a finite number that fits 32 bits, found NaN
f.npy[0, 1]: expected a finite number that fits 32 bits, found inf
w.npy: has class weights of 2 numbers; expected 3, as the features have
f.npy: has only features of length zero; there is nothing to see
f.npy[1, 0]: expected numbers between -1e9 and 1e9, found -3e9
f.npy: has shape (2, 2, 1); expected (n, d)
f.npy: has neither labels nor class weights; give at least one of them
f.csv: has features of 1 number; at least 2 are needed for a picture
f.csv: the only class is "a" (2 samples); at least two are needed
f.csv:3: column 2 (y): expected a number, found "n/a" (the label is column 3 (label); data.label chooses another)
"#);
}

#[test]
fn files_that_do_not_belong_together_are_refused_in_one_line() {
    let (x, y, w) = (x(), y(), w());
    let with = |option: &str, name: &str, bytes: &[u8]| {
        refused(&[("x.npy", &x), (name, bytes)], &["x.npy", option, name])
    };
    let weights = |shape: &str, values: &[f32]| with("--weights", "w.npy", &array(shape, values));
    let bias = |values: &[f32]| {
        let b = array(&format!("({},)", values.len()), values);
        with(
            "--weights",
            "w.npz",
            &zipped(&[("w.npy", &w), ("b.npy", &b)], false),
        )
    };
    let few = array("(2, 2)", &W[..4]);
    let lines = [
        with("--labels", "l.npy", &npy("|u1", "(5,)", &[0, 0, 1, 1, 2])),
        with(
            "--labels",
            "l.npy",
            &array("(6,)", &[0.0, 0.0, 1.0, 1.0, 2.0, f32::NAN]),
        ),
        refused(
            &[("x.npy", &x), ("y.npy", &y), ("w.npy", &few)],
            &["x.npy", "--weights", "w.npy"],
        ),
        weights("(1, 2)", &[1.0, 0.0]),
        weights("(2, 3)", &[1.0; 6]),
        weights("(3, 2)", &[1.0, 0.0, 0.0, 2e9, 1.0, 1.0]),
        with("--bias", "b.npy", &array("(3,)", &[1.0; 3])),
        bias(&[1.0; 2]),
        bias(&[1.0, 2e9, 0.0]),
    ];
    assert_snapshot!(lines.join("\n"), @"
l.npy: has 5 labels for 6 samples
l.npy[5]: expected a whole number or a name as label, found NaN
w.npy: has weights of 2 classes; expected 3, as the labels have
w.npy: has weights of 1 class; expected at least 2
w.npy: has class weights of 3 numbers; expected 2, as the features have
w.npy[1, 1]: expected numbers between -1e9 and 1e9, found 2e9
b.npy: a bias without class weights; name them with weights, too
w.npz: has a bias of 2 numbers; expected 3, one for each class weight
w.npz[1]: expected numbers between -1e9 and 1e9, found 2e9
");
}

#[test]
fn options_that_features_have_no_use_for_are_refused() {
    let good = ["x.npy", "--weights", "my_w.npy"];
    let with = |more: &[&str]| misused(&[&good[..], more].concat());
    let lines = [
        misused(&[]),
        with(&["--data", "mnist"]),
        with(&["--steps", "3"]),
        with(&["--set", "run.steps=3"]),
        with(&["--network", "cnn"]),
        with(&["--dim", "3", "--json"]),
        with(&["--view", "sphere"]),
        with(&["--view", "psi"]),
        with(&["--view", "confusion", "--out", "a.svg"]),
        with(&["--view", "curves", "--out", "a.svg"]),
        with(&["--width", "89mm"]),
        with(&["--out", "a.gif"]),
        with(&["--labels", ""]),
        with(&["--set", "label=2"]),
        with(&["--loss", "arkface"]),
        with(&["--margin", "0.2"]),
    ];
    assert_snapshot!(lines.join("\n"), @r#"
the following required arguments were not provided: <FEATURES>
the argument '<FEATURES>' cannot be used with '--data <SOURCE|PATH>'
the argument '<FEATURES>' cannot be used with '--steps <N>'
x.npy is looked at as it is: nothing is trained; leave out steps and epochs
the argument '<FEATURES>' cannot be used with '--network <KIND>'
network.dim = 3: x.npy has features of 2 numbers, which are seen in 2 dimensions
--view sphere needs three dimensions; add --dim 3
--view psi is a figure; add --out
--view confusion needs labels; add --labels
--view curves needs steps, and nothing is trained here
--width is of a figure; add --out FIG.pdf
--out a.gif: expected a name that ends in .svg, .pdf or .png
--labels <F> needs a value
x.npy: data.label: only a table of text has a label column; leave it out
--loss: unknown loss "arkface"; did you mean "arcface"?
--margin: loss "softmax" has no margin; it has no parameters; margin belongs to l_softmax, sphereface, cosface, arcface
"#);
}

/// Labels 1, 2, 7 have the rows of the weights by their size, which one has to know.
#[test]
fn it_is_said_which_class_has_which_weight() {
    let y = npy("|u1", "(6,)", &[1, 1, 2, 2, 7, 7]);
    let folder = folder_with(&[("x.npy", &x()), ("my_y.npy", &y), ("my_w.npy", &w())]);
    let args = [
        "view",
        "x.npy",
        "--labels",
        "my_y.npy",
        "--weights",
        "my_w.npy",
    ];
    for ends in [&["--json"][..], &["--out", "fig.svg"]] {
        let output = marginscope(&[&args[..], ends].concat())
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        assert!(output.status.success());
        let stderr = String::from_utf8_lossy(&output.stderr);
        let said = "x.npy: the class weights are taken for those of 1, 2, 7, in this order\n";
        assert_eq!(stderr, said);
    }
}

#[test]
fn a_weight_without_a_direction_is_refused_where_one_is_needed() {
    let zero = npy("<f4", "(3, 2)", &floats(&[1.0, 0.0, 0.0, 0.0, -0.7, -0.7]));
    let files = [("x.npy", &x()[..]), ("my_y.npy", &y()), ("my_w.npy", &zero)];
    let args = [
        "x.npy",
        "--labels",
        "my_y.npy",
        "--weights",
        "my_w.npy",
        "--loss",
        "arcface",
    ];
    let folder = folder_with(&files);
    let message = refusal_in(
        folder.path(),
        &[&["view"], &args[..], &["--json"]].concat(),
        2,
    );
    let said = "the class weight of \"1\", row 1 of those of x.npy, is zero and has no direction, which loss \"arcface\" needs";
    assert!(message.contains(said), "{message}");
    let of_softmax = [&["view"], &args[..5], &["--json"]].concat();
    json_of(folder.path(), &of_softmax);
}
