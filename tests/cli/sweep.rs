//! `sweep`: what it refuses before the first run, which tables it does not touch, and that a row is
//! what `train` says.

use super::*;

/// A sweep of a few milliseconds.
const TINY: &[&str] = &[
    "sweep",
    "--data",
    "blobs",
    "--network",
    "mlp:8",
    "--steps",
    "3",
    "--loss",
    "arcface",
];

fn sweep<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [TINY, args].concat()
}

#[track_caller]
fn refused(args: &[&str]) -> String {
    usage(&[&["sweep", "--out", "t.csv"], args].concat())
}

#[test]
fn a_grid_that_cannot_be_is_refused_before_the_first_run() {
    assert_snapshot!(refused(&["--vary", "margin=0:0.5:0.1"]), @r#"--vary loss.margin=0: loss "softmax" has no margin; it has no parameters; margin belongs to l_softmax, sphereface, cosface, arcface"#);
    assert_snapshot!(refused(&["--loss", "arcface", "--vary", "margin=0:4:1"]), @r#"--vary loss.margin=4: loss.margin = 4 is outside 0..=3.1416 rad for "arcface": an angle between two directions is at most π (4° is 0.0698 rad)"#);
    assert_snapshot!(refused(&["--vary", "margn=0,1"]), @r#"--vary margn=0,1: unknown field "margn"; did you mean "margin"?"#);
    assert_snapshot!(refused(&["--vary", "margin"]), @"--vary margin: expected key=values, for example margin=0:0.5:0.1 or loss=cosface,arcface");
    assert_snapshot!(refused(&["--vary", "loss=arcface,,cosface"]), @"--vary loss=arcface,,cosface: a value is missing; a list is a,b,c, or a;b;c where values hold commas");
    assert_snapshot!(refused(&["--vary", "loss=arcface,arkface"]), @r#"--vary loss.id=arkface: unknown loss "arkface"; did you mean "arcface"?"#);
    assert_snapshot!(refused(&["--vary", "seed=1,2"]), @"--vary seed=1,2: seeds are counted, not listed: --seeds 3 runs each setting from --seed on");
    assert_snapshot!(refused(&["--vary", "data=blobs,mnist", "--network", "cnn"]), @r#"--vary data.source=blobs: network "cnn" needs images, but data "blobs" has points in the plane; use mlp:64,64 or none"#);
    assert_snapshot!(refused(&["--dim", "3", "--vary", "dim=2,3"]), @"--dim and --vary network.dim both set network.dim; leave one of them out");
    assert_snapshot!(refused(&["--vary", "dim=2,3", "--vary", "network.dim=4"]), @"--vary network.dim and --vary network.dim both set network.dim; leave one of them out");
    assert_snapshot!(refused(&["--batch", "0", "--vary", "dim=2,3"]), @"--batch: optimizer.batch = 0: expected a whole number in 1..=1000000");
}

#[test]
fn an_absurd_grid_is_refused_with_its_size() {
    assert_snapshot!(refused(&["--vary", "noise=0:1:1e-6"]), @"--vary noise=0:1:1e-6: 0:1:1e-6: it has 1,000,001 values; a sweep has at most 100,000 runs");
    assert_snapshot!(refused(&["--vary", "batch=1:1000:1", "--vary", "ramp=1:1000:1"]), @"the grid has 1,000 × 1,000 × 1 seeds = 1,000,000 runs; a sweep has at most 100,000");
    assert_snapshot!(refused(&["--vary", "noise=0:1:0"]), @"--vary noise=0:1:0: 0:1:0: the step is 0; it must be above 0");
    assert_snapshot!(refused(&["--vary", "noise=1:0:-0.1"]), @"--vary noise=1:0:-0.1: 1:0:-0.1: the step is -0.1; it must be above 0");
    assert_snapshot!(refused(&["--vary", "noise=nan:1:0.1"]), @"--vary noise=nan:1:0.1: nan:1:0.1: its numbers must be finite");
    assert_snapshot!(refused(&["--seeds", "0"]), @"invalid value '0' for '--seeds <N>': expected a whole number in 1..=100000");
    assert_snapshot!(refused(&["--seeds", "-1"]), @"invalid value '-1' for '--seeds <N>': expected a whole number in 1..=100000");
}

#[test]
fn a_plot_that_cannot_be_is_refused_before_the_first_run() {
    assert_snapshot!(refused(&["--vary", "dim=2,3", "--plot", "p.gif"]), @"--plot p.gif: expected a name that ends in .svg, .pdf or .png");
    assert_snapshot!(refused(&["--seeds", "2", "--plot", "p.svg"]), @"--plot: a plot needs a setting that is varied: add --vary");
    assert_snapshot!(refused(&["--vary", "dim=2,3", "--vary", "ramp=1:12:1", "--plot", "p.svg"]), @"--plot: the plot would have 12 curves; at most 10 can be told apart");
    assert_snapshot!(refused(&["--vary", "dim=2,3", "--plot", "p.svg", "--measure", "test_acuracy"]), @r#"--measure: there is no figure "test_acuracy"; did you mean "test_accuracy"?"#);
    assert_snapshot!(refused(&["--vary", "dim=2,3", "--plot", "p.svg", "--width", "9 miles"]), @r#"--width: "9 miles" is no width; write a number with mm, cm, in, pt or px, such as 89mm or 1920px, or slide"#);
    assert_snapshot!(refused(&["--vary", "dim=2,3", "--plot", "p.svg", "--theme", "pink"]), @"--theme pink: there are dark and light");
    assert_snapshot!(usage(&["sweep", "--vary", "dim=2,3", "--out", "t.svg", "--plot", "./t.svg"]), @"--out and --plot both name ./t.svg; give each a file of its own");
}

#[test]
fn options_that_belong_together_are_asked_for() {
    assert_snapshot!(usage(&["sweep", "--vary", "dim=2,3"]), @"the following required arguments were not provided: --out <TABLE.csv>");
    assert_snapshot!(refused(&["--vary", "dim=2,3", "--measure", "test_accuracy"]), @"the following required arguments were not provided: --plot <FIG.svg|.pdf|.png>");
}

/// What stands in the way is told, and is as it was.
#[track_caller]
fn stands_in_the_way(name: &str, text: &str, args: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("written");
    let message = refusal_in(directory.path(), args, 1);
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
    message
}

/// The table of a sweep.
fn table_of(args: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let args = sweep(&[args, &["--out", "t.csv"]].concat());
    let mut command = marginscope(&args);
    command.current_dir(directory.path()).assert().success();
    std::fs::read_to_string(directory.path().join("t.csv")).expect("a table")
}

#[test]
fn a_table_of_something_else_is_left_as_it_is() {
    let table = table_of(&["--vary", "margin=0.1,0.2"]);
    let on = |text: &str, args: &[&str]| {
        stands_in_the_way("t.csv", text, &sweep(&[args, &["--out", "t.csv"]].concat()))
    };
    let margins = ["--vary", "margin=0.1,0.2"];
    assert_snapshot!(on(&table, &["--vary", "scale=4,8"]), @"t.csv is not the table of this sweep: it varies loss.margin, this one loss.scale; choose another --out, or move it away");
    assert_snapshot!(on(&table, &["--vary", "margin=0.1,0.2", "--vary", "scale=4,8"]), @"t.csv is not the table of this sweep: it varies loss.margin, this one loss.margin, loss.scale; choose another --out, or move it away");
    assert_snapshot!(on(&table, &["--vary", "margin=0.1,0.2", "--batch", "7"]), @"t.csv:2: the run loss.margin=0.1, seed=1 is not of this sweep: its experiment or the values it varies are others; choose another --out, or move the table away");
    assert_snapshot!(on(&table, &["--vary", "margin=0.2,0.3"]), @"t.csv:2: the run loss.margin=0.1, seed=1 is not of this sweep: its experiment or the values it varies are others; choose another --out, or move the table away");
    assert_snapshot!(on("a,b\n1,2\n", &margins), @"t.csv is not the table of this sweep: it does not have the columns of a sweep; choose another --out, or move it away");
    assert_snapshot!(on("notes", &margins), @"t.csv is not the table of this sweep: it does not have the columns of a sweep; choose another --out, or move it away");
    let lines: Vec<&str> = table.lines().collect();
    let ragged = format!("{}\n0.1,1\n{}\n", lines[0], lines[2]);
    assert_snapshot!(on(&ragged, &margins), @"t.csv:2: expected 26 columns, found 2");
    let renamed = table.replace("margin_satisfied", "margin_kept");
    assert_snapshot!(on(&renamed, &margins), @"t.csv is not the table of this sweep: its figures are those of another version; choose another --out, or move it away");
    let args = sweep(&["--vary", "margin=0,1", "--out", "no/t.csv"]);
    assert_snapshot!(stands_in_the_way("x", "", &args), @"cannot write no/t.csv: there is no directory no");
    let args = sweep(&["--vary", "margin=0,1", "--out", "."]);
    assert_snapshot!(stands_in_the_way("x", "", &args), @"cannot write .: Is a directory (os error 21)");
}

#[test]
fn no_output_replaces_what_the_sweep_starts_from() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).expect("written");
    };
    write("e.toml", "[data]\nsource = \"blobs\"\n[run]\nsteps = 2\n");
    write("d.csv", "x,y,class\n1,2,a\n2,1,b\n1,3,a\n3,1,b\n");
    let refused = |args: &[&str]| refusal_in(directory.path(), args, 2);
    assert_snapshot!(refused(&["sweep", "e.toml", "--out", "e.toml"]), @"--out would replace e.toml, which the sweep starts from; give it a file of its own");
    assert_snapshot!(refused(&["sweep", "--data", "d.csv", "--out", "d.csv"]), @"--out would replace d.csv, which the sweep starts from; give it a file of its own");
}

/// A cell is the run that `train` makes of the same options, to the last digit.
#[test]
fn a_row_has_the_figures_of_train() {
    let table = table_of(&["--vary", "margin=0.1,0.2", "--seeds", "2", "--seed", "5"]);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let row = reader.records().nth(3).expect("four rows").expect("a row");
    let train = [
        "train",
        "--data",
        "blobs",
        "--network",
        "mlp:8",
        "--steps",
        "3",
        "--loss",
        "arcface",
        "--margin",
        "0.2",
        "--seed",
        "6",
        "--threads",
        "2",
        "--json",
    ];
    let output = marginscope(&train).output().expect("it runs");
    let line = String::from_utf8(output.stdout).expect("text");
    let figures: Value = serde_json::from_str(&line).expect("an object");
    let figures = figures.as_object().expect("an object");
    assert_eq!(
        header.len(),
        figures.len() + 2,
        "one varied field, and the hash"
    );
    assert_eq!((&header[0], &row[0]), ("loss.margin", "0.2"));
    for (name, expected) in figures {
        let at = header.iter().position(|column| column == name).expect(name);
        match name.as_str() {
            "seconds" | "samples_per_second" => assert!(row[at].parse::<f64>().is_ok()),
            "threads" => assert_eq!(&row[at], "1"),
            _ => {
                // The texts are compared: what a number is parsed to may differ in its last bit.
                let text = match expected {
                    Value::String(text) => text.clone(),
                    Value::Object(object) => serde_json::to_string(object).expect("text"),
                    other => format!("\"{name}\":{other}"),
                };
                let is_there = match expected {
                    Value::String(_) | Value::Object(_) => row[at] == *text,
                    _ => line.contains(&format!("\"{name}\":{}", &row[at])),
                };
                assert!(is_there, "{name}: {} is not {text}", &row[at]);
            }
        }
    }
}

#[test]
fn it_says_how_many_runs_there_are_and_draws_without_running_again() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let run = |args: &[&str]| {
        let args = sweep(&[args, &["--vary", "margin=0,0.2", "--out", "t.csv"]].concat());
        let output = marginscope(&args).current_dir(directory.path()).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stderr, b"");
        String::from_utf8(output.stdout).expect("text")
    };
    let read = |name: &str| std::fs::read(directory.path().join(name)).expect(name);
    assert_snapshot!(run(&[]), @"2 runs in t.csv");
    let table = read("t.csv");
    assert_snapshot!(run(&["--seeds", "2"]), @"4 runs in t.csv, 2 of them from before");
    let larger = read("t.csv");
    assert!(larger.len() > table.len());
    assert_snapshot!(run(&["--seeds", "2", "--plot", "p.svg", "--width", "89mm"]), @"4 runs in t.csv, 4 of them from before");
    assert_eq!(read("t.csv"), larger);
    let plot = read("p.svg");
    run(&["--seeds", "2", "--plot", "p.svg", "--width", "89mm"]);
    assert_eq!(read("p.svg"), plot);
    run(&[
        "--seeds",
        "2",
        "--plot",
        "q.svg",
        "--width",
        "89mm",
        "--measure",
        "final_loss",
    ]);
    assert_ne!(read("q.svg"), plot);
    for name in ["p.pdf", "p.png"] {
        run(&["--seeds", "2", "--plot", name, "--theme", "dark"]);
        assert!(!read(name).is_empty());
    }
}
