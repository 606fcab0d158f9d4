//! What was written is opened again: elsewhere, later, and after it went on.

use super::own::{File, floats, folder_with, npy, zipped};
use super::*;

const TABLE: &str = "x,y,label\n";

/// Two clouds, whose samples `shift` moves.
fn table(shift: f64) -> String {
    let rows = (0..40).map(|i| {
        let (side, at) = (f64::from(i % 2), f64::from(i) / 40.0);
        let (x, y) = (side * 2.0 + 0.3 * at + shift, 0.5 * at - side);
        format!("{x},{y},{}\n", if i % 2 == 0 { "one" } else { "two" })
    });
    TABLE.to_owned() + &rows.collect::<String>()
}

const BLOBS: &[&str] = &["--data", "blobs", "--network", "mlp:8", "--threads", "2"];

#[track_caller]
fn run_in(folder: &std::path::Path, args: &[&str]) -> String {
    let output = marginscope(args).current_dir(folder).output();
    let output = output.expect("the program runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    stderr.into_owned()
}

#[track_caller]
fn read(folder: &std::path::Path, name: &str) -> Vec<u8> {
    let path = folder.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Renders `first`, opens it, renders it again: the same bytes.
#[track_caller]
fn assert_again(folder: &std::path::Path, first: &str, second: &str) {
    run_in(folder, &["render", first, "--out", second]);
    let (a, b) = (read(folder, first), read(folder, second));
    assert!(a == b, "{first} and {second} differ");
}

#[test]
fn figures_and_sessions_of_own_data_open_from_wherever_they_lie() {
    let csv = table(0.0);
    let folder = folder_with(&[("own.csv", csv.as_bytes()), ("figs/keep", b"")]);
    let (here, figs) = (folder.path(), folder.path().join("figs"));
    let run = ["--data", "own.csv", "--steps", "20"];
    run_in(
        here,
        &[&["render"], &run[..], &["--out", "figs/a.svg"]].concat(),
    );
    run_in(
        here,
        &[&["train"], &run[..], &["--save", "figs/a.safetensors"]].concat(),
    );
    for name in ["a.svg", "a.safetensors"] {
        run_in(&figs, &["render", name, "--out", "b.svg"]);
        run_in(
            std::path::Path::new("/"),
            &[
                "render",
                figs.join(name).to_str().expect("UTF-8"),
                "--out",
                figs.join("c.svg").to_str().expect("UTF-8"),
            ],
        );
        for again in ["b.svg", "c.svg"] {
            assert!(
                read(&figs, "a.svg") == read(&figs, again),
                "{name}, {again}"
            );
        }
    }
    // Written elsewhere, it still says where the data are.
    run_in(&figs, &["render", "a.svg", "--out", "../d.svg"]);
    run_in(here, &["render", "d.svg", "--out", "figs/e.svg"]);
    assert!(read(&figs, "a.svg") == read(&figs, "e.svg"));
}

#[test]
fn other_data_under_an_old_figure_are_refused_and_can_be_taken() {
    let csv = table(0.0);
    let folder = folder_with(&[("own.csv", csv.as_bytes())]);
    let here = folder.path();
    run_in(
        here,
        &[
            "render", "--data", "own.csv", "--steps", "9", "--out", "a.svg",
        ],
    );
    std::fs::write(here.join("own.csv"), table(0.25)).expect("written");
    let again = ["render", "a.svg", "--out", "b.svg"];
    assert_snapshot!(refusal_in(here, &again, 1), @"own.csv: has other data than those that the figure or session was made of; bring them back, or take these with --set data.sha256=any");
    run_in(here, &[&again[..], &["--set", "data.sha256=any"]].concat());
    assert!(read(here, "a.svg") != read(here, "b.svg"));
    assert_again(here, "b.svg", "c.svg");
}

#[test]
fn a_run_that_went_on_beyond_its_end_is_drawn_again_as_it_was() {
    let folder = folder_with(&[]);
    let here = folder.path();
    let train = |args: &[&str]| run_in(here, &[&["train"], args].concat());
    train(
        &[
            BLOBS,
            &[
                "--loss",
                "arcface",
                "--steps",
                "60",
                "--save",
                "half.safetensors",
            ],
        ]
        .concat(),
    );
    let said = train(&[
        "half.safetensors",
        "--steps",
        "150",
        "--margin",
        "0.2",
        "--save",
        "whole.safetensors",
    ]);
    let told =
        said.contains("the learning rate falls until step 60, as the session was begun with");
    assert!(told, "{said}");
    run_in(here, &["render", "whole.safetensors", "--out", "a.svg"]);
    assert_again(here, "a.svg", "b.svg");
}

#[test]
fn curves_and_trails_of_a_session_are_those_of_its_run() {
    let look = "[picture]\nshow = { trails = true }\n";
    let run = "[data]\nsource = \"blobs\"\n[network]\nkind = \"mlp:8\"\n[run]\nsteps = 60\n";
    let file = [run, look].concat();
    let folder = folder_with(&[("run.toml", file.as_bytes())]);
    let here = folder.path();
    run_in(here, &["train", "run.toml", "--save", "run.safetensors"]);
    for (view, first) in [("curves", "a.svg"), ("circle", "b.svg")] {
        run_in(
            here,
            &["render", "run.safetensors", "--view", view, "--out", first],
        );
        assert_again(here, first, "again.svg");
    }
    let text = |name| String::from_utf8(read(here, name)).expect("UTF-8");
    assert!(text("a.svg").contains("accuracy"));
    assert!(text("b.svg").contains("id=\"trails\""));
}

#[test]
fn a_session_is_drawn_at_the_step_that_was_asked_for_and_never_trained_back() {
    let folder = folder_with(&[]);
    let here = folder.path();
    let save = ["--steps", "60", "--save", "run.safetensors"];
    run_in(here, &[&["train"], BLOBS, &save].concat());
    run_in(
        here,
        &[
            "render",
            "run.safetensors",
            "--steps",
            "25",
            "--out",
            "a.svg",
        ],
    );
    let text = String::from_utf8(read(here, "a.svg")).expect("UTF-8");
    assert!(text.contains("step = 25"), "{}", &text[..900]);
    assert_again(here, "a.svg", "b.svg");
    let back = ["train", "run.safetensors", "--steps", "25"];
    assert_snapshot!(refusal_in(here, &back, 2), @"the session stands at step 60, and the run was to end after 25; ask for more with --steps, or start anew without the session");
}

#[test]
fn class_weights_are_found_in_an_archive_that_has_more() {
    let x = npy(
        "<f4",
        "(4, 2)",
        &floats(&[3.0, 0.1, 2.0, -0.1, 0.1, 4.0, -0.2, 3.0]),
    );
    let y = npy("|u1", "(4,)", &[0, 0, 1, 1]);
    let w = npy("<f4", "(2, 2)", &floats(&[1.0, 0.0, 0.0, 1.0]));
    let all = zipped(&[("x.npy", &x[..]), ("y.npy", &y), ("w.npy", &w)], true);
    let alone = zipped(&[("arr_0.npy", &w[..])], true);
    let none = zipped(&[("x.npy", &x[..]), ("y.npy", &y)], true);
    let files: [File<'_>; 5] = [
        ("f.npy", &x),
        ("y.npy", &y),
        ("all.npz", &all),
        ("alone.npz", &alone),
        ("none.npz", &none),
    ];
    let folder = folder_with(&files);
    let view = |weights: &'static str| {
        [
            "view",
            "f.npy",
            "--labels",
            "y.npy",
            "--weights",
            weights,
            "--json",
        ]
    };
    for weights in ["all.npz", "alone.npz"] {
        let report = super::own::json_of(folder.path(), &view(weights));
        assert_eq!(report["classes"], 2, "{weights}");
        assert_eq!(report["train_accuracy"], 1.0, "{weights}");
    }
    assert_snapshot!(refusal_in(folder.path(), &view("none.npz"), 1), @"none.npz: has no array named w, W, weight, weights or class_weights; it has x, y");
}

#[test]
fn view_reads_what_set_says() {
    let csv = "a,b,kind\n1,0,p\n0.9,0.1,p\n0,1,q\n0.1,0.9,q\n";
    let x = npy(
        "<f4",
        "(4, 2)",
        &floats(&[3.0, 0.1, 2.0, -0.1, 0.1, 4.0, -0.2, 3.0]),
    );
    let folder = folder_with(&[
        ("t.csv", csv.as_bytes()),
        ("f.npy", &x),
        ("l.csv", b"0\n0\n1\n1\n"),
    ]);
    for args in [
        ["view", "t.csv", "--set", "data.label=kind", "--json"],
        ["view", "f.npy", "--set", "data.labels=l.csv", "--json"],
    ] {
        let report = super::own::json_of(folder.path(), &args);
        assert_eq!(
            (&report["classes"], &report["train_accuracy"]),
            (&2.into(), &1.0.into())
        );
    }
}

#[test]
fn data_in_the_place_of_an_experiment_are_told_from_it() {
    let csv = table(0.0);
    let folder = folder_with(&[("own.csv", csv.as_bytes())]);
    let args = ["render", "own.csv", "--out", "a.svg"];
    assert_snapshot!(refusal_in(folder.path(), &args, 2), @"own.csv holds data and no experiment; train on it with --data own.csv, or look at features with marginscope view own.csv");
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_before_the_first_step() {
    let folder = folder_with(&[]);
    let args = [
        "render",
        "--steps",
        "900000000",
        "--width",
        "183mm",
        "--dpi",
        "2400",
        "--out",
        "a.png",
    ];
    assert_snapshot!(refusal_in(folder.path(), &args, 1), @"a picture of 17291×10368 pixels cannot be made; each side must be 1 to 16384, and all pixels together at most 67 million");
}
