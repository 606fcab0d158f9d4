//! Own data from outside: what is written is read back, split, scaled and shown as it should be.

#![allow(
    clippy::expect_used,
    reason = "helpers of tests may panic as tests may"
)]

#[path = "own/given.rs"]
mod given;
#[path = "own/large.rs"]
mod large;
#[path = "own/split.rs"]
mod split;
#[path = "own/tables.rs"]
mod tables;
#[path = "own/views.rs"]
mod views;

use std::path::{Path, PathBuf};

use marginscope::data::{DataError, DataSource, DataSpec, Dataset, InputShape, Split, load};
use marginscope::experiment::Experiment;
use tempfile::TempDir;

/// A folder with one file in it.
fn file_with(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    (folder, path)
}

/// A choice of all of a file, with the table read.
fn read_spec(path: &Path) -> DataSpec {
    let mut spec = DataSpec::new(DataSource::File(path.to_owned()));
    spec.read(&mut |_, _| true).expect("a good file");
    spec
}

fn read_error(path: &Path) -> String {
    let mut spec = DataSpec::new(DataSource::File(path.to_owned()));
    let error = spec.read(&mut |_, _| true).expect_err("a bad file");
    assert!(spec.awaits_reading(), "something was kept");
    error.to_string()
}

fn loaded(spec: &DataSpec, seed: u64) -> Dataset {
    load(spec, seed).expect("a table that was read")
}

/// An experiment on these data with everything else at its default.
fn on(data: DataSpec) -> Experiment {
    Experiment {
        data,
        ..Experiment::default()
    }
}

/// All inputs of a split, a sample after the other.
fn inputs(split: &Split, input: InputShape) -> Vec<f32> {
    let indices: Vec<u32> = (0..split.len() as u32).collect();
    let mut values = vec![f32::NAN; split.len() * input.dim()];
    split.gather(&indices, &mut values);
    values
}

/// An NPY file (NumPy Enhancement Proposal 1).
fn npy(descr: &str, is_fortran: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let order = if is_fortran { "True" } else { "False" };
    let sizes: Vec<String> = shape.iter().map(|size| format!("{size},")).collect();
    let shape = sizes.join(" ");
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Reading that is told to stop stops, and changes nothing.
#[test]
fn reading_is_cancelled_between_two_megabytes() {
    let row = "1.25,2.5,3.75,a\n9.5,8.25,7.125,b\n";
    let (_folder, path) = file_with("a.csv", row.repeat(100_000).as_bytes());
    let mut calls = Vec::new();
    let mut spec = DataSpec::new(DataSource::File(path));
    let error = spec.read(&mut |done, total| {
        calls.push((done, total));
        calls.len() < 2
    });
    let error = error.expect_err("cancelled").to_string();
    assert!(error.ends_with("a.csv: reading was cancelled"), "{error}");
    assert!(spec.awaits_reading());
    let total = row.len() as u64 * 100_000;
    assert_eq!(calls.len(), 2);
    assert!(
        calls
            .iter()
            .all(|&(done, all)| done <= total && all == total),
        "{calls:?}"
    );
    assert!(calls[0].0 < calls[1].0);
    assert!(calls[1].0 < total, "it went on: {calls:?}");

    let mut last = (0, 0);
    let done = spec.read(&mut |done, total| {
        assert!(done >= last.0, "progress went back");
        last = (done, total);
        true
    });
    assert_eq!((done, last), (Ok(()), (total, total)));
    assert_eq!(spec.own().map(|own| own.n_samples()), Some(200_000));
}

#[test]
fn what_was_not_read_is_told_and_never_loaded() {
    let spec = DataSpec::new(DataSource::File("nowhere.csv".into()));
    let error = load(&spec, 1).expect_err("not read");
    assert!(matches!(error, DataError::NotRead { .. }), "{error}");
    let experiment = on(spec);
    let error = experiment.validate().expect_err("not read").to_string();
    assert_eq!(error, "nowhere.csv has not been read");
}

/// A field that changes the table drops it; others keep it.
#[test]
fn settings_that_need_another_table_drop_it() {
    let (_folder, path) = file_with("a.csv", b"a,b,label\n1,2,x\n3,4,y\n5,6,x\n");
    let read = on(read_spec(&path));
    for (key, value, is_kept) in [
        ("data.classes", "x,y", true),
        ("data.test", "0.5", true),
        ("data.scaling", "minmax", true),
        ("run.seed", "3", true),
        ("data.source", path.to_str().expect("Unicode"), true),
        ("data.label", "a", false),
        ("data.labels", "y.npy", false),
        ("data.test", "b.csv", false),
        ("data.source", "other.csv", false),
        ("data.source", "rings", false),
    ] {
        let mut changed = read.clone();
        changed.set(key, value).expect(key);
        assert_eq!(changed.data.own().is_some(), is_kept, "{key} = {value}");
    }
}

/// A running trainer refuses what would need a file, and restarts with the table it has.
#[test]
fn a_change_during_a_run_loses_no_table() {
    use marginscope::trainer::{Applied, Trainer};
    let rows: Vec<String> = (0..40)
        .map(|i| format!("{i},{},{}", i * i % 7, i % 2))
        .collect();
    let text = rows.join("\n");
    let (_folder, path) = file_with("a.csv", text.as_bytes());
    let experiment = on(read_spec(&path));
    let mut run = Trainer::new(&experiment, None, 1).expect("a run");
    for _ in 0..3 {
        run.step().expect("a step");
    }
    let before = run.parameters_sha256();
    for (key, value, message) in [
        ("data.label", "1", "has not been read"),
        ("data.source", "b.csv", "b.csv has not been read"),
        ("data.classes", "0,7", "has 2 classes: 0, 1"),
    ] {
        let error = run.set(key, value).expect_err(key).to_string();
        assert!(error.ends_with(message), "{key}: {error}");
        assert_eq!(run.parameters_sha256(), before);
    }
    let Ok(Applied::NeedsRestart(next)) = run.set("data.test", "0.5") else {
        panic!("a share is drawn anew");
    };
    let again = Trainer::new(&next, None, 1).expect("the table is there");
    assert_eq!(again.data().test.as_ref().map(Split::len), Some(20));
    assert_eq!(run.set("loss.id", "cosface"), Ok(Applied::Live));
}

#[test]
fn an_experiment_on_own_data_is_written_and_read_back() {
    let mut experiment = Experiment::default();
    for (key, value) in [
        ("data.source", "t/iris 2.csv"),
        ("data.label", "007"),
        ("data.labels", "y.npy"),
        ("data.test", "0.25"),
        ("data.scaling", "minmax"),
        ("data.classes", "setosa,\"a, b\",3"),
    ] {
        experiment.set(key, value).expect(key);
    }
    let text = experiment.to_toml();
    assert_eq!(Experiment::from_toml(&text, "x"), Ok(experiment), "{text}");
}
