//! Sweeps: the table goes on from wherever it was cut, whatever the number of threads, and the plot
//! shows what the table says.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use common::runs::experiment;
use marginscope::export::{Format, Sheet};
use marginscope::scene::chart::{Comparison, Places};
use marginscope::scene::theme::{DARK, LIGHT};
use marginscope::scene::{Dot, Item, Scene};
use marginscope::sweep::{Axis, Event, Grid, Measure, Table, TableError, plot, run};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

/// Two blobs, a handful of samples, a handful of steps: a run takes less than a millisecond.
const TINY: &[(&str, &str)] = &[
    ("data.source", "blobs"),
    ("data.classes", "3"),
    ("data.samples", "8"),
    ("network.kind", "mlp:4"),
    ("loss.id", "arcface"),
    ("run.steps", "4"),
    ("optimizer.batch", "8"),
];

fn grid_of(settings: &[(&str, &str)], axes: &[&str], n_seeds: usize) -> Grid {
    let base = experiment(&[TINY, settings].concat());
    let axes = axes.iter().map(|axis| Axis::parse(axis).expect(axis));
    let mut grid = Grid::new(&base, &[], axes.collect(), n_seeds).expect("a grid");
    grid.check().expect("valid cells");
    grid
}

/// In memory where the system has such a folder: a row goes down to the disk at once.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary directory")
}

/// Makes the runs that a table lacks, as the command does.
fn complete(path: &Path, grid: &Grid, n_threads: usize) -> Table {
    let mut table = Table::open(path, grid).expect("a table of this grid");
    let missing: Vec<usize> = (0..grid.cells.len()).filter(|&i| !table.has(i)).collect();
    let stop = AtomicBool::new(false);
    let told = run(grid, &missing, n_threads, &stop, |event| match event {
        Event::Done { cell, report } => table.append(cell, grid, &report),
        Event::Under(_) => Ok(()),
    });
    told.expect("all runs");
    table.finish().expect("a table that can be written");
    table
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a table of text")
}

/// Without the two columns that a clock writes.
fn timeless(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let is_timed = |i: usize| matches!(&header[i], "seconds" | "samples_per_second");
    let rows = reader.records().map(|row| {
        let row = row.expect("a row with all columns");
        let kept = row.iter().enumerate().filter(|(i, _)| !is_timed(*i));
        kept.map(|(_, field)| field.to_owned()).collect()
    });
    rows.collect()
}

#[test]
fn a_table_goes_on_from_wherever_it_was_cut() {
    let grid = grid_of(&[], &["margin=0,0.3"], 2);
    let folder = folder();
    let path = folder.path().join("table.csv");
    complete(&path, &grid, 1);
    let whole = read(&path);
    for end in 0..whole.len() {
        std::fs::write(&path, &whole.as_bytes()[..end]).expect("written");
        let table = complete(&path, &grid, 1);
        let n_lines = whole[..end].matches('\n').count();
        assert_eq!(table.n_before(), n_lines.saturating_sub(1), "cut at {end}");
        let text = read(&path);
        let kept = whole[..end].rfind('\n').map_or(0, |at| at + 1);
        assert_eq!(text[..kept], whole[..kept], "cut at {end}: a row was lost");
        assert_eq!(timeless(&text), timeless(&whole), "cut at {end}");
        drop(table);
    }
    let table = complete(&path, &grid, 1);
    assert_eq!(table.n_before(), grid.cells.len());
}

#[test]
fn no_number_of_threads_changes_a_row_or_their_order() {
    let grid = grid_of(&[], &["margin=0:0.4:0.1", "scale=4,16"], 2);
    let folder = folder();
    let tables = [1, 2, 5].map(|n_threads| {
        let path = folder.path().join(format!("{n_threads}.csv"));
        complete(&path, &grid, n_threads);
        timeless(&read(&path))
    });
    assert_eq!(tables[0].len(), grid.cells.len());
    assert_eq!(tables[0], tables[1]);
    assert_eq!(tables[0], tables[2]);
    let first: Vec<&str> = tables[0].iter().map(|row| row[2].as_str()).collect();
    assert_eq!(first[..4], ["1", "2", "1", "2"], "seeds vary fastest");
}

/// Runs end in another order than they begin; the table has them in the grid's.
#[test]
fn rows_in_any_order_are_sorted_at_the_end_and_keep_their_bytes() {
    let grid = grid_of(&[], &["margin=0,0.1,0.2,0.3"], 1);
    let folder = folder();
    let path = folder.path().join("table.csv");
    complete(&path, &grid, 1);
    let sorted = read(&path);
    let mut lines: Vec<&str> = sorted.lines().collect();
    lines[1..].reverse();
    lines.push(lines[2]); // the same run twice
    std::fs::write(&path, lines.join("\r\n") + "\r\n").expect("written");
    complete(&path, &grid, 1);
    assert_eq!(read(&path), sorted);
}

#[test]
fn a_grid_that_has_grown_keeps_its_rows_and_one_that_has_shrunk_is_refused() {
    let small = grid_of(&[], &["margin=0.1,0.2"], 1);
    let large = grid_of(&[], &["margin=0:0.3:0.1"], 2);
    let folder = folder();
    let path = folder.path().join("table.csv");
    complete(&path, &small, 1);
    let before = read(&path);
    assert_eq!(complete(&path, &large, 1).n_before(), 2);
    let after = read(&path);
    assert!(before.lines().all(|line| after.contains(line)));
    let refused = Table::open(&path, &small).expect_err("rows of no cell");
    assert!(matches!(refused, TableError::Foreign { .. }), "{refused}");
    assert_eq!(read(&path), after);
}

#[test]
fn two_sweeps_do_not_write_into_one_table() {
    let grid = grid_of(&[], &["margin=0,0.1"], 1);
    let folder = folder();
    let path = folder.path().join("table.csv");
    let table = Table::open(&path, &grid).expect("a table");
    let refused = Table::open(&path, &grid).expect_err("it is open");
    assert!(matches!(refused, TableError::Busy { .. }), "{refused}");
    drop(table);
    Table::open(&path, &grid).expect("it is free again");
}

#[test]
fn a_run_that_diverges_is_a_row_like_any_other() {
    let settings = [("clip", "0"), ("loss.id", "softmax"), ("run.steps", "300")];
    let grid = grid_of(&settings, &["learning_rate=0.01,100"], 2);
    let folder = folder();
    let path = folder.path().join("table.csv");
    let table = complete(&path, &grid, 2);
    let diverged: Vec<_> = (0..4).map(|cell| table.value(cell, "diverged")).collect();
    let expected = ["false", "false", "true", "true"].map(|text| Some(text.to_owned()));
    assert_eq!(diverged, expected);
    let measure = Measure::find("test_accuracy").expect("a figure");
    let comparison = plot(&grid, &table, measure).expect("a plot");
    let has_mean = |i: usize| comparison.curves[0].spreads[i].is_some();
    assert!(has_mean(0) && !has_mean(1));
    assert_eq!(comparison.remarks, ["", "diverged"]);
    let caption = &comparison.caption;
    assert!(
        caption.contains("2 runs that diverged are left out"),
        "{caption}"
    );
}

/// Dots of a scene, in painting order.
fn dots(scene: &Scene) -> Vec<Dot> {
    let items = scene.groups.iter().flat_map(|group| &group.items);
    let dots = items.filter_map(|item| match item {
        Item::Dots { dots, .. } => Some(dots.clone()),
        _ => None,
    });
    dots.flatten().collect()
}

/// Mean of a column over the seeds of some cells.
fn mean(table: &Table, cells: &[usize], column: &str) -> f64 {
    let values = cells.iter().map(|&cell| {
        let text = table.value(cell, column).expect("a figure");
        text.parse::<f64>().expect("a number")
    });
    values.sum::<f64>() / cells.len() as f64
}

/// Where the dots of a plot are, against the numbers of the table: both axes are linear, so that
/// any two dots fix where all others are.
#[track_caller]
fn check_linear(dots: &[f32], numbers: &[f64], axis: &str) {
    let (first, last) = (0, dots.len() - 1);
    let slope = f64::from(dots[last] - dots[first]) / (numbers[last] - numbers[first]);
    for (dot, number) in dots.iter().zip(numbers) {
        let expected = f64::from(dots[first]) + slope * (number - numbers[first]);
        let off = (f64::from(*dot) - expected).abs();
        assert!(
            off < 1e-2,
            "{axis}: {dot} for {number}, expected {expected}"
        );
    }
}

#[test]
fn dots_stand_where_the_table_says() {
    let grid = grid_of(&[], &["loss=cosface,arcface", "margin=0.4,0:0.2:0.1"], 3);
    let folder = folder();
    let table = complete(&folder.path().join("table.csv"), &grid, 2);
    for name in ["min_weight_angle_deg", "final_loss"] {
        let measure = Measure::find(name).expect("a figure");
        let comparison = plot(&grid, &table, measure).expect("a plot");
        assert_eq!(comparison.places, Places::Numbers(vec![0.0, 0.1, 0.2, 0.4]));
        assert_eq!(comparison.differ_in, "Loss");
        let names: Vec<&str> = comparison.curves.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["CosFace", "ArcFace"]);
        let scene = comparison.scene(&LIGHT, [480.0, 320.0]);
        // Twelve cells a loss, the margin 0.4 first in the table and last in the plot.
        let order = [3, 6, 9, 0];
        let cells = [0, 12]
            .iter()
            .flat_map(|loss| order.map(|margin| loss + margin));
        let means: Vec<f64> = cells
            .map(|i| mean(&table, &[i, i + 1, i + 2], name))
            .collect();
        let dots = dots(&scene);
        assert_eq!(dots.len(), means.len());
        let [xs, ys] = [0, 1].map(|i| dots.iter().map(|dot| dot.center[i]).collect::<Vec<_>>());
        check_linear(&xs[..4], &[0.0, 0.1, 0.2, 0.4], "x");
        assert_eq!(xs[..4], xs[4..]);
        check_linear(&ys, &means, name);
        assert!(dots[..4].iter().all(|dot| dot.color == dots[0].color));
        assert_ne!(dots[0].color, dots[4].color);
    }
}

#[test]
fn a_plot_says_what_is_fixed_and_what_of_it_was_not_in_force() {
    let measure = Measure::find("final_loss").expect("a figure");
    let told = |settings: &[(&str, &str)], axes: &[&str]| {
        let grid = grid_of(settings, axes, 1);
        let folder = folder();
        let table = complete(&folder.path().join("told.csv"), &grid, 2);
        let plot = plot(&grid, &table, measure).expect("a plot");
        (plot.setting, plot.caption.replace('\u{a0}', " "))
    };
    let scale = ("loss.scale", "8");
    let (setting, caption) = told(&[scale], &["margin=0,0.1", "loss=cosface,arcface"]);
    assert_eq!(setting, "Margin m (CosFace: cos, ArcFace: rad)");
    assert_eq!(
        caption,
        "One run each: s = 4 (CosFace), 8 (ArcFace), blobs, 3 classes, mlp:4, 2-D, 4 steps. Margins rise over 300 steps; \
         a run that ends before has had less."
    );
    let (_, caption) = told(&[scale, ("loss.ramp", "2")], &["margin=0,0.1"]);
    let fixed = "One run each: ArcFace, s = 8, blobs, 3 classes, mlp:4, 2-D, 4 steps.";
    assert_eq!(caption, fixed);
    let (setting, caption) = told(&[("loss.margin", "0.2")], &["loss=cosface,arcface"]);
    assert_eq!(setting, "Loss");
    assert!(
        caption.contains("m = 0.1 (CosFace), 0.2 rad (ArcFace)"),
        "{caption}"
    );
    let (setting, caption) = told(&[("loss.id", "sphereface")], &["margin=1,2"]);
    assert_eq!(setting, "Margin m (×)");
    assert!(caption.contains("SphereFace, λ = 5, blobs"), "{caption}");
    assert!(
        caption.ends_with("At the end SphereFace's λ has come down to 676, not yet to 5."),
        "{caption}"
    );
}

#[test]
fn names_stand_below_one_another_and_factors_evenly() {
    let grid = grid_of(&[], &["loss=normface,cosface,arcface"], 2);
    let folder = folder();
    let table = complete(&folder.path().join("names.csv"), &grid, 2);
    let measure = Measure::find("target_angle_deg").expect("a figure");
    let scene_of = |grid: &Grid, table: &Table| {
        let comparison = plot(grid, table, measure).expect("a plot");
        let height = comparison.height(&DARK, 700.0);
        comparison.scene(&DARK, [700.0, height])
    };
    let found = dots(&scene_of(&grid, &table));
    let xs: Vec<f32> = found.iter().map(|dot| dot.center[0]).collect();
    let means: Vec<f64> = [0, 2, 4]
        .map(|i| mean(&table, &[i, i + 1], "target_angle_deg"))
        .into();
    check_linear(&xs, &means, "x");
    assert!(
        found
            .windows(2)
            .all(|pair| pair[0].center[1] < pair[1].center[1])
    );

    let grid = grid_of(&[], &["scale=1,4,16,64"], 1);
    let table = complete(&folder.path().join("factors.csv"), &grid, 2);
    let xs: Vec<f32> = dots(&scene_of(&grid, &table))
        .iter()
        .map(|dot| dot.center[0])
        .collect();
    check_linear(&xs, &[0.0, 1.0, 2.0, 3.0], "powers of 4");
}

#[test]
fn the_plot_of_a_table_has_the_same_bytes_twice() {
    let grid = grid_of(&[], &["margin=0:0.4:0.2", "scale=4,16"], 2);
    let folder = folder();
    let path = folder.path().join("table.csv");
    let measure = Measure::find("test_accuracy").expect("a figure");
    let files = |comparison: &Comparison| {
        let scene = comparison.scene(&LIGHT, [480.0, 330.0]);
        Format::ALL.map(|format| format.write(&Sheet::of(&scene)).expect("a file"))
    };
    let first = files(&plot(&grid, &complete(&path, &grid, 2), measure).expect("a plot"));
    let again = files(&plot(&grid, &complete(&path, &grid, 2), measure).expect("a plot"));
    assert!(first == again);
    let svg = String::from_utf8(first[0].clone()).expect("text");
    for words in [
        "Test accuracy",
        "margin",
        "scale",
        "min–max",
        "2 seeds",
        "ArcFace",
    ] {
        let words = words.to_lowercase();
        assert!(svg.to_lowercase().contains(&words), "{words}");
    }
}

/// A sweep of thirty runs of some milliseconds each, in a process of its own.
fn spawn(path: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marginscope"));
    command.args([
        "sweep",
        "--data",
        "blobs",
        "--network",
        "mlp:16",
        "--steps",
        "60",
    ]);
    command.args([
        "--loss",
        "arcface",
        "--vary",
        "margin=0:0.9:0.1",
        "--seeds",
        "3",
    ]);
    command.args(["--threads", "2", "--out"]).arg(path);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// The whole rows of a table that may end in half a line. Panics where another line is broken.
#[track_caller]
fn whole_rows(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let end = bytes
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let text = std::str::from_utf8(&bytes[..end]).expect("lines of text");
    let _ = timeless(text); // each has all columns
    text.lines().skip(1).map(str::to_owned).collect()
}

/// Kills a sweep at random moments until it has got through, `n_sweeps` times; how often that was.
fn kill_at_random(n_sweeps: usize, seed: u64) -> usize {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let folder = folder();
    let expected = folder.path().join("expected.csv");
    assert!(spawn(&expected).wait().expect("it ends").success());
    let expected = timeless(&read(&expected));
    let mut n_kills = 0;
    for i in 0..n_sweeps {
        let path = folder.path().join(format!("{i}.csv"));
        let mut kept: Vec<String> = Vec::new();
        let longest_ms = random.random_range(20..200);
        loop {
            let mut child = spawn(&path);
            std::thread::sleep(Duration::from_millis(random.random_range(0..longest_ms)));
            let has_ended = child.try_wait().expect("it is ours").is_some();
            let _ = child.kill(); // SIGKILL; it may have ended by now
            let status = child.wait().expect("it ends");
            let rows = whole_rows(&path);
            assert!(
                kept.iter().all(|row| rows.contains(row)),
                "seed {seed}: a row is gone"
            );
            kept = rows;
            if status.success() {
                break;
            }
            assert!(!has_ended, "seed {seed}: it failed by itself");
            n_kills += 1;
        }
        assert_eq!(timeless(&read(&path)), expected, "seed {seed}, sweep {i}");
    }
    n_kills
}

#[test]
fn a_killed_sweep_goes_on_and_loses_no_row() {
    assert!(kill_at_random(2, 1) > 0);
}

/// `cargo test --release --test sweep -- --ignored`
#[test]
#[ignore = "takes minutes: hundreds of kills"]
fn a_sweep_that_is_killed_hundreds_of_times_loses_no_row() {
    let n_kills: usize = (2..12).map(|seed| kill_at_random(10, seed)).sum();
    assert!(n_kills >= 300, "{n_kills} kills");
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_rows_that_are_done() {
    let folder = folder();
    let path = folder.path().join("table.csv");
    let mut command = Command::new(env!("CARGO_BIN_EXE_marginscope"));
    command.args(["sweep", "--data", "blobs", "--vary", "steps=20,30,90000000"]);
    command.args(["--threads", "2", "--out"]).arg(&path);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // The first two are done at once, and the third would take hours.
    while whole_rows(&path).len() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(
        message.trim_end(),
        "error: interrupted after 2 of 3 runs; the same command goes on from there"
    );
    assert_eq!(whole_rows(&path).len(), 2);
}
