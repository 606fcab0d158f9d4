//! Own data on the command line: good files of every kind, and a line for whatever is wrong.

use super::*;

/// A file as it is written.
pub(super) type File<'a> = (&'a str, &'a [u8]);

pub(super) fn folder_with(files: &[File<'_>]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    folder
}

/// The message of `train --data DATA`, which must fail with 1, with little memory.
#[track_caller]
fn refused(files: &[File<'_>], data: &str) -> String {
    refused_in(folder_with(files).path(), data)
}

#[track_caller]
fn refused_in(folder: &std::path::Path, data: &str) -> String {
    let args = ["train", "--steps", "3", "--data", data];
    let message = refusal_in(folder, &args, 1);
    if cfg!(target_os = "linux") {
        // A hostile file is refused by what it says, not by what it makes of the machine.
        let limit = format!("ulimit -v {MOST_MEMORY_KB} && exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &limit, env!("CARGO_BIN_EXE_marginscope")])
            .args(args)
            .current_dir(folder)
            .output()
            .expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            stderr.trim_end(),
            format!("error: {message}"),
            "with little memory"
        );
    }
    message
}

/// Addresses that the program may have while it refuses a file: half of what a file of the largest
/// size that is read would take.
const MOST_MEMORY_KB: u64 = 250_000;

#[track_caller]
fn refused_csv(text: impl AsRef<[u8]>) -> String {
    refused(&[("a.csv", text.as_ref())], "a.csv")
}

/// The message of a usage error about `a.csv`, with more arguments.
#[track_caller]
fn misused(text: &str, args: &[&str]) -> String {
    let args = [&["train", "--steps", "3", "--data", "a.csv"], args].concat();
    refusal_in(folder_with(&[("a.csv", text.as_bytes())]).path(), &args, 2)
}

/// An NPY file.
pub(super) fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

pub(super) fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// An NPY of six samples of two numbers, and labels for them.
fn good_x() -> Vec<u8> {
    npy(
        "<f4",
        "(6, 2)",
        &floats(&[0.0, 1.0, 5.0, 6.0, 0.1, 1.1, 5.1, 6.1, 0.2, 0.9, 5.2, 5.9]),
    )
}

fn good_y() -> Vec<u8> {
    npy("|u1", "(6,)", &[0, 1, 0, 1, 0, 1])
}

#[track_caller]
fn refused_x(x: &[u8]) -> String {
    refused(&[("x.npy", x), ("y.npy", &good_y())], "x.npy")
}

#[track_caller]
fn refused_y(y: &[u8]) -> String {
    refused(&[("x.npy", &good_x()), ("y.npy", y)], "x.npy")
}

/// A ZIP of stored entries.
pub(super) fn zipped(entries: &[File<'_>], is_compressed: bool) -> Vec<u8> {
    use std::io::Write as _;
    let method = if is_compressed {
        zip::CompressionMethod::Deflated
    } else {
        zip::CompressionMethod::Stored
    };
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, options).expect("an entry");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("a ZIP").into_inner()
}

/// A gray PNG of one color.
fn png(width: u32, height: u32, gray: u8) -> Vec<u8> {
    let image = image::GrayImage::from_pixel(width, height, image::Luma([gray]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("encoded");
    bytes.into_inner()
}

/// Three classes on a triangle, with names in three scripts, two of them from right to left or
/// wide; a fifth of a unit of scatter that repeats.
fn triangle() -> String {
    use std::fmt::Write as _;
    let names = ["naïve", "שלום", "猫"];
    let mut text = "x,y,kind of thing,species\n".to_owned();
    for i in 0..300 {
        let (class, turn) = (i % 3, f64::from(i) * 2.4);
        let angle = 2.1 * f64::from(class);
        let (x, y) = (
            2.0 * angle.cos() + 0.4 * turn.cos(),
            2.0 * angle.sin() + 0.4 * turn.sin(),
        );
        let _ = writeln!(text, "{x:.4},{y:.4},{},{}", i % 7, names[class as usize]);
    }
    text
}

pub(super) fn json_of(folder: &std::path::Path, args: &[&str]) -> Value {
    let output = marginscope(args)
        .current_dir(folder)
        .output()
        .expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "");
    serde_json::from_slice(&output.stdout).expect("one object")
}

#[test]
fn a_table_with_names_in_any_script_is_learned() {
    let folder = folder_with(&[("dreieck ä.csv", triangle().as_bytes())]);
    let args = [
        "train",
        "--data",
        "dreieck ä.csv",
        "--loss",
        "cosface",
        "--json",
    ];
    let report = json_of(folder.path(), &args);
    assert_eq!(report["data"], "dreieck ä.csv");
    assert_eq!(
        (&report["classes"], &report["network"]),
        (&3.into(), &"mlp:64,64".into())
    );
    assert_eq!(report["steps"], 2000);
    for accuracy in ["train_accuracy", "test_accuracy"] {
        let share = report[accuracy].as_f64().expect("a share");
        assert!(share > 0.95, "{accuracy} {share}");
    }
    assert_eq!(
        report["parameters_sha256"],
        json_of(folder.path(), &args)["parameters_sha256"]
    );
}

#[test]
fn the_result_says_what_was_found() {
    let folder = folder_with(&[("a.csv", triangle().as_bytes())]);
    let output = marginscope(&[
        "train",
        "--data",
        "a.csv",
        "--steps",
        "3",
        "--classes",
        "猫,naïve",
    ])
    .current_dir(folder.path())
    .output()
    .expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<&str> = text.lines().take(4).collect();
    assert_snapshot!(lines.join("\n"), @"
softmax (mlp:64,64 in 2-D, 3 steps on 2 classes of a.csv, seed 1)
  300 samples of 3 numbers, 3 classes: naïve, שלום, 猫
  fields separated by commas, a header
  the label is column 4 (species), the only column with such a name
");
}

#[test]
fn every_kind_of_file_is_trained_on() {
    let x = npy("|u1", "(6, 9, 8)", &[7; 432]);
    let archive = zipped(&[("X.npy", &good_x()), ("targets.npy", &good_y())], true);
    let (dark, light) = (png(40, 20, 20), png(28, 28, 230));
    let mut idx = vec![0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, 3];
    idx.extend(0..36);
    let folder = folder_with(&[
        ("x.npy", &good_x()),
        ("y.csv", b"label\nb\na\nb\na\nb\na\n"),
        ("images.npy", &x),
        ("labels.npy", &good_y()),
        ("a.npz", &archive),
        ("few-images-idx3-ubyte", &idx),
        (
            "few-labels-idx1-ubyte",
            &[0, 0, 8, 1, 0, 0, 0, 6, 3, 4, 3, 4, 3, 4],
        ),
        ("pets/cat/1.png", &dark),
        ("pets/cat/2.png", &dark),
        ("pets/dog/1.png", &light),
        ("pets/dog/.hidden", b"x"),
        ("pets/dog/notes.txt", b"x"),
        ("t.tsv", "5,1\t2\tα\n6,2\t3\tβ\n5,0\t2\tα\n".as_bytes()),
    ]);
    for (data, network) in [
        ("x.npy", "mlp:64,64"),
        ("images.npy", "cnn"),
        ("a.npz", "mlp:64,64"),
        ("./few-images-idx3-ubyte", "cnn"),
        ("./pets", "cnn"),
        ("t.tsv", "mlp:64,64"),
    ] {
        let report = json_of(
            folder.path(),
            &["train", "--steps", "2", "--json", "--data", data],
        );
        assert_eq!(report["network"], network, "{data}");
        assert_eq!(report["classes"], 2, "{data}");
    }
}

#[test]
fn a_test_file_of_arrays_has_its_own_labels_beside_it() {
    let folder = folder_with(&[
        ("x_train.npy", &good_x()),
        ("y_train.npy", &good_y()),
        ("x_test.npy", &npy("<f8", "(1, 2)", &[0; 16])),
        ("y_test.txt", b"1\n"),
    ]);
    let args = [
        "train",
        "--data",
        "x_train.npy",
        "--set",
        "test=x_test.npy",
        "--steps",
        "200",
        "--json",
    ];
    let report = json_of(folder.path(), &args);
    assert_eq!(
        report["test_accuracy"], 0.0,
        "near the samples of class 0, but labeled 1"
    );
    assert_eq!(report["train_accuracy"], 1.0);
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let toml = "[data]\nsource = \"t/a.csv\"\ntest = \"t/b.csv\"\nlabel = \"kind\"\nclasses = [\"x\", \"z\"]\n";
    let table = b"kind,v,w\nx,1,2\ny,3,4\nz,5,6\n";
    let folder = folder_with(&[
        ("lessons/a.toml", toml.as_bytes()),
        ("lessons/t/a.csv", table),
        ("lessons/t/b.csv", table),
    ]);
    let args = ["train", "lessons/a.toml", "--steps", "2", "--json"];
    let report = json_of(folder.path(), &args);
    assert_eq!(
        (&report["data"], &report["classes"]),
        (&"a.csv".into(), &2.into())
    );
    let saved = [
        "train",
        "lessons/a.toml",
        "--steps",
        "2",
        "--features",
        "lessons/t/b.csv",
    ];
    assert_snapshot!(refusal_in(folder.path(), &saved, 2), @"--features would replace lessons/t/b.csv, which is trained on; give it a file of its own");
}

#[test]
fn faults_of_a_table_have_line_and_column() {
    assert_snapshot!(refused(&[], "a.csv"), @"a.csv: cannot be read: No such file or directory (os error 2)");
    assert_snapshot!(refused_csv(""), @"a.csv: is empty; expected rows of numbers with a label");
    assert_snapshot!(refused_csv(" \n\n"), @"a.csv: is empty; expected rows of numbers with a label");
    assert_snapshot!(refused_csv("a,b,label\n"), @"a.csv: is empty; expected rows of numbers with a label");
    assert_snapshot!(refused_csv("a,b,label\n1,2,x\n3,n/a,y\n"), @r#"a.csv:3: column 2 (b): expected a number, found "n/a" (the label is column 3 (label); data.label chooses another)"#);
    assert_snapshot!(refused_csv("1,2,x\n3,,y\n"), @"a.csv:2: column 2: expected a number, found nothing (the label is column 3; data.label chooses another)");
    assert_snapshot!(refused_csv("a,b,label\n1,2,x\n3,4\n"), @"a.csv:3: expected 3 fields as in the first line, found 2");
    assert_snapshot!(refused_csv("1,2,x\n3,4,y,5\n"), @"a.csv:2: expected 3 fields as in the first line, found 4");
    assert_snapshot!(refused_csv("a,b,label\n1,nan,x\n3,4,y\n"), @"a.csv:2: column 2 (b): expected a finite number that fits 32 bits, found nan");
    assert_snapshot!(refused_csv("a,b,label\n1,2,x\n3,-inf,y\n"), @"a.csv:3: column 2 (b): expected a finite number that fits 32 bits, found -inf");
    assert_snapshot!(refused_csv("a,b,label\n1,2,x\n3,1e39,y\n"), @"a.csv:3: column 2 (b): expected a finite number that fits 32 bits, found 1e39");
    assert_snapshot!(refused_csv("a,b,label\n1,2,x\n3,4,\n"), @"a.csv:3: column 3 (label): the label is empty; every sample needs one");
    assert_snapshot!(refused_csv("a,b,label\n1,2,x\n3,4,x\n"), @r#"a.csv: the only class is "x" (2 samples); at least two are needed"#);
    assert_snapshot!(refused_csv("1 2 x\n3 4 y\n"), @"a.csv: has one column; expected features and a label, separated by comma, semicolon or tab");
    assert_snapshot!(refused_csv("1,2,\"x\n3,4,y\n"), @r#"a.csv:1: a field holds the rows below it; its quote (") is not closed"#);
    assert_snapshot!(refused_csv("a,b,label\n1,2,x\n\"3,4,y\n5,6,x\n"), @r#"a.csv:3: a field holds the rows below it; its quote (") is not closed"#);
    assert_snapshot!(refused_csv("a,b,c\n1,2,3\n3,4,4.5\n"), @"a.csv:3: column 3 (c): expected a whole number or a name as label, found 4.5; if this column is the label, say so with data.label = 3, else name another");
    assert_snapshot!(refused_csv(format!("1,2,{}\n", "x".repeat(300))), @r#"a.csv:1: column 3: the label "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" … is longer than 256 bytes; is this the label column?"#);
    assert_snapshot!(refused_csv(format!("1,2,\"{}", "x,\n".repeat(400_000))), @"a.csv:1: a row of more than 1.0 MB (is a quote left open?)");
    assert_snapshot!(refused_csv("1,2\u{1b}[31m,x\n3,4,y\n"), @r#"a.csv:1: column 2: expected a number, found "2\u{1b}[31m" (the label is column 3; data.label chooses another)"#);
    let many: Vec<String> = (0..1002).map(|i| format!("{i},{i}.5,c{i}")).collect();
    let many = many.join("\n");
    assert_snapshot!(refused_csv(many), @"a.csv:1001: column 3: this label makes 1001 classes, and at most 1000 are read; is it the label column?");
    assert_snapshot!(refused_csv(format!("{}x\n", "1,".repeat(16_385))), @"a.csv: has more than 16384 numbers in a sample, which is the most that is read");
}

#[test]
fn other_encodings_are_named() {
    let utf16: Vec<u8> = "\u{feff}a,b\n1,x\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_snapshot!(refused_csv(utf16), @"a.csv: is UTF-16; save it as UTF-8");
    let big: Vec<u8> = "a,b\n1,x\n"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_snapshot!(refused_csv(big), @"a.csv: is no text (it has zero bytes); save it as UTF-8");
    assert_snapshot!(refused_csv(b"a,b,label\n1,2,x\n3,4,caf\xe9\n"), @"a.csv:3: byte 0xe9 is not UTF-8 (Latin-1?); save the file as UTF-8");
    assert_snapshot!(refused(&[("a.csv", b"1,x\n"), ("a.bin", b"\x00\x01\x02")], "a.bin"), @"a.bin: is no text (it has zero bytes); save it as UTF-8");
}

#[test]
fn fields_of_own_data_must_fit_the_file() {
    let iris = "a,b,species\n1,2,x\n3,4,y\n5,6,z\n";
    assert_snapshot!(misused(iris, &["--set", "label=spezies"]), @"a.csv: data.label = spezies: there is no such column; there are columns 1 to 3: a, b, species");
    assert_snapshot!(misused(iris, &["--set", "data.label=4"]), @"a.csv: data.label = 4: there is no such column; there are columns 1 to 3: a, b, species");
    assert_snapshot!(misused("a,a,b\n1,2,x\n3,4,y\n", &["--set", "label=a"]), @"a.csv: data.label = a: 2 columns are called so; give the column's number");
    assert_snapshot!(misused(iris, &["--set", "labels=y.csv"]), @"a.csv: data.labels: a table of text has its labels in a column (data.label)");
    assert_snapshot!(misused(iris, &["--set", "label="]), @"--set label=: data.label = : expected a column's name or number");
    assert_snapshot!(misused(iris, &["--classes", "x,w"]), @"classes x,w: a.csv has 3 classes: x, y, z");
    assert_snapshot!(misused(iris, &["--classes", "4"]), @"classes 4: a.csv has 3 classes: x, y, z");
    assert_snapshot!(misused(iris, &["--classes", "x,x"]), @"classes x,x: x is listed twice; name each class once");
    assert_snapshot!(misused(iris, &["--classes", "x,,y"]), @"--classes: data.classes = x,,y: expected a number of classes such as 10, or a list such as 3,8 or setosa,virginica");
    assert_snapshot!(misused(iris, &["--network", "cnn"]), @r#"network "cnn" needs images, but data "a.csv" has points in the plane; use mlp:64,64 or none"#);
    assert_snapshot!(misused(iris, &["--set", "test=0.95"]), @"--set test=0.95: data.test = 0.95: expected a share in 0..=0.9, or the path of a test file");
    assert_snapshot!(misused(iris, &["--set", "scaling=log"]), @"--set scaling=log: data.scaling = log: expected one of standard, minmax, none");
    assert_snapshot!(misused(iris, &["--set", "noise=0.1"]), @"noise = 0.1: a.csv has no noise to set; blobs, rings and spiral have");
    assert_snapshot!(misused(iris, &["--features", "a.csv"]), @"--features would replace a.csv, which is trained on; give it a file of its own");
    assert_snapshot!(misused(iris, &["--loss", "binary_cross_entropy"]), @r#"loss "binary_cross_entropy" has one logit for two classes, but there are 3; choose two classes such as 3,8, or loss "softmax""#);
    assert_snapshot!(usage(&["train", "--set", "label=species"]), @"data.label: mnist has none to set; own data has (data.source = a path)");
    assert_snapshot!(usage(&["train", "--set", "test=0.3"]), @"data.test: mnist has none to set; own data has (data.source = a path)");
}

#[test]
fn a_test_file_must_be_like_the_other() {
    let test = |text: &str| {
        let folder = folder_with(&[
            ("a.csv", b"a,b,label\n1,2,x\n3,4,y\n"),
            ("t.csv", text.as_bytes()),
        ]);
        let args = [
            "train",
            "--steps",
            "3",
            "--data",
            "a.csv",
            "--set",
            "test=t.csv",
        ];
        refusal_in(folder.path(), &args, 1)
    };
    assert_snapshot!(test("a,b,label\n1,2,w\n"), @r#"t.csv: class "w" is not among the classes to train on: x, y"#);
    assert_snapshot!(test("a,b,c,label\n1,2,3,x\n"), @"t.csv: has 3 numbers; expected 2 numbers, as the file to train on has");
    assert_snapshot!(test("b,a,label\n1,2,x\n"), @"t.csv: has b, a; expected a, b, as the file to train on has");
    assert_snapshot!(test("a,b,label\n1,2\n"), @"t.csv:2: expected 3 fields as in the first line, found 2");
    let folder = folder_with(&[("a.csv", b"1,2,x\n3,4,y\n")]);
    let args = ["train", "--data", "a.csv", "--set", "test=none.csv"];
    assert_snapshot!(refusal_in(folder.path(), &args, 1), @"none.csv: cannot be read: No such file or directory (os error 2)");
}

#[test]
fn faults_of_arrays_have_their_index() {
    let x = |shape: &str, descr: &str, n: usize| refused_x(&npy(descr, shape, &vec![0; n]));
    assert_snapshot!(refused_x(b""), @"x.npy: is empty; expected an NPY array");
    assert_snapshot!(refused_x(b"\x89PNG\r\n\x1a\n"), @"x.npy: is no NPY file: it begins with [89, 50, 4e, 47, 0d, 0a]");
    assert_snapshot!(refused_x(b"\x93NUMPY\x01\0"), @"x.npy: ends after 8 of 10 bytes of its header");
    assert_snapshot!(refused_x(b"\x93NUMPY\x09\0\x02\0{}"), @"x.npy: header: version 9.0 is not known; 1.0, 2.0 and 3.0 are");
    assert_snapshot!(refused_x(b"\x93NUMPY\x02\0\xff\xff\xff\xff{}"), @"x.npy: header: it takes 4294967295 bytes, and at most 65536 are read");
    assert_snapshot!(refused_x(b"\x93NUMPY\x01\0\x40\0{'descr"), @"x.npy: ends after 17 of 74 bytes of its header");
    assert_snapshot!(refused_x(&good_x()[..100]), @"x.npy: ends after 30 of 48 bytes of its numbers");
    assert_snapshot!(refused_x(&[good_x(), vec![0]].concat()), @"x.npy: goes on behind the 48 bytes that its header announces");
    assert_snapshot!(x("(6, 2", "<f4", 48), @r#"x.npy: header: expected a size, found "}""#);
    assert_snapshot!(x("(6,)", "<f4", 24), @"x.npy: has shape (6,); expected (n, d) for vectors or (n, h, w) for gray images");
    assert_snapshot!(x("(6, 3, 4, 4)", "<f4", 6 * 48 * 4), @"x.npy: has shape (6, 3, 4, 4); expected (n, d) for vectors or (n, h, w) for gray images");
    assert_snapshot!(x("(0, 4)", "<f4", 0), @"x.npy: is empty; expected samples of numbers");
    assert_snapshot!(x("(6, 2)", "<c8", 96), @"x.npy: has elements of type <c8; expected floats of 16 to 64 bits, whole numbers or booleans");
    assert_snapshot!(x("(6, 2)", "|O", 96), @"x.npy: holds Python objects, which only Python reads; save numbers or text: x.astype(float), y.astype(str)");
    assert_snapshot!(x("(99999999999, 99999999999)", "<f4", 48), @"x.npy: has shape (99999999999, 99999999999); expected a number of bytes below 2⁶⁴");
    assert_snapshot!(x("(100000000, 100000)", "<f4", 48), @"x.npy: ends after 48 of 40000000000000 bytes of its numbers");
    assert_snapshot!(refused_x(&npy("<f4", "(2, 2)", &floats(&[0.0, 1.0, f32::NAN, 2.0]))), @"x.npy[1, 0]: expected a finite number that fits 32 bits, found NaN");
    assert_snapshot!(refused_x(&npy("<f8", "(1, 1)", &1e300_f64.to_le_bytes())), @"x.npy[0, 0]: expected a finite number that fits 32 bits, found inf");
    assert_snapshot!(refused_x(&npy("<f4", "(3, 2)", &floats(&[0.0; 6]))), @"y.npy: has 6 labels for 3 samples");
}

#[test]
fn faults_of_labels_have_their_place() {
    assert_snapshot!(refused(&[("x.npy", &good_x())], "x.npy"), @"x.npy: no labels are beside it (looked for y.npy, Y.npy, labels.npy, label.npy, targets.npy, target.npy, classes.npy, y.csv, Y.csv, labels.csv, label.csv, targets.csv, … (9 more)); name them with data.labels");
    assert_snapshot!(refused(&[("run.npy", &good_x())], "run.npy"), @"run.npy: no labels are beside it (looked for a name with x, features, data or images in it); name them with data.labels");
    assert_snapshot!(refused_y(&npy("|u1", "(6, 2)", &[0; 12])), @"y.npy: has shape (6, 2); expected (n,), a label for each sample");
    assert_snapshot!(refused_y(&npy("|u1", "(6,)", &[3; 6])), @r#"x.npy: the only class is "3" (6 samples); at least two are needed"#);
    assert_snapshot!(refused_y(&npy("<f4", "(2,)", &floats(&[0.0, 0.5]))), @"y.npy[1]: expected a whole number or a name as label, found 0.5");
    assert_snapshot!(refused_y(&npy("<f4", "(2,)", &floats(&[0.0, f32::NAN]))), @"y.npy[1]: expected a whole number or a name as label, found NaN");
    assert_snapshot!(refused_y(&npy("|O", "(2,)", &[0; 16])), @"y.npy: holds Python objects, which only Python reads; save numbers or text: x.astype(float), y.astype(str)");
    assert_snapshot!(refused_y(&npy("|S2", "(2,)", b"a\0\0\0")), @"y.npy[1]: the label is empty; every sample needs one");
    assert_snapshot!(refused(&[("x.npy", &good_x()), ("y.csv", b"a\nb\n\na,c\n")], "x.npy"), @"y.csv:3: expected one label in a line, found 2 fields");
    assert_snapshot!(refused(&[("x.npy", &good_x()), ("y.txt", b"a\nb\xff\n")], "x.npy"), @"y.txt:2: byte 0xff is not UTF-8 (Latin-1?); save the file as UTF-8");
}

#[test]
fn hostile_archives_are_refused() {
    let refused = |bytes: &[u8]| refused(&[("a.npz", bytes)], "a.npz");
    let (x, y) = (good_x(), good_y());
    let good = zipped(&[("x.npy", &x), ("y.npy", &y)], true);
    assert_snapshot!(refused(b""), @"a.npz: ZIP: the end of the archive is missing; is the file cut off?");
    assert_snapshot!(refused(b"PK\x03\x04"), @"a.npz: ZIP: the end of the archive is missing; is the file cut off?");
    assert_snapshot!(refused(&good[..good.len() / 2]), @"a.npz: ZIP: the end of the archive is missing; is the file cut off?");
    assert_snapshot!(refused(&zipped(&[("x.npy", &x)], true)), @"a.npz: has no array named y, Y, labels, targets or target; it has x");
    assert_snapshot!(refused(&zipped(&[("../x.npy", &x), ("/y.npy", &y)], true)), @"a.npz: has no array named x, X, features, data or images; it has ../x, /y");
    assert_snapshot!(refused(&zipped(&[("x.npy", &x), ("data.npy", &x), ("y.npy", &y)], true)), @"a.npz: has the arrays x and data; which one is meant cannot be told");
    assert_snapshot!(refused(&zipped(&[("x.npy", &x[..60]), ("y.npy", &y)], true)), @"a.npz: x: ends after 60 of 70 bytes of its header");
    let other = npy("|u1", "(5,)", &[0, 1, 0, 1, 0]);
    assert_snapshot!(refused(&zipped(&[("x.npy", &x), ("y.npy", &other)], true)), @"a.npz: y: has 5 labels for 6 samples");
    // Two entries that the writer would not write: the second name is made the first afterwards.
    let mut twice = zipped(&[("x.npy", &x), ("z.npy", &x), ("y.npy", &y)], false);
    for at in 0..twice.len() - 5 {
        if &twice[at..at + 5] == b"z.npy" {
            twice[at] = b'x';
        }
    }
    assert_snapshot!(refused(&twice), @"a.npz: ZIP: two entries have one name");
    // The sum of the stored bytes no longer fits.
    let mut damaged = zipped(&[("x.npy", &x), ("y.npy", &y)], false);
    let at = damaged
        .windows(6)
        .position(|w| w == b"(6, 2)")
        .expect("the header")
        + 40;
    damaged[at] ^= 1;
    assert_snapshot!(refused(&damaged), @"a.npz: x: cannot be read: Invalid checksum");
    // A bomb: 600 megabytes of zeros in less than one.
    let bomb = bomb();
    assert!(bomb.len() < 1_000_000, "{}", bomb.len());
    assert_snapshot!(refused(&bomb), @"a.npz: x: 8388608 samples of 18 numbers take 604.0 MB, and at most 536.9 MB are read");
}

/// An NPZ of zeros that would take 604 MB.
fn bomb() -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut add = |name, header: &[u8], n_bytes| {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).expect("an entry");
        zip.write_all(header).expect("written");
        std::io::copy(&mut std::io::repeat(0).take(n_bytes), &mut zip).expect("written");
    };
    let n = 1 << 23;
    add("x.npy", &npy("<f4", "(8388608, 18)", &[]), 4 * 18 * n);
    add("y.npy", &npy("|u1", "(8388608,)", &[]), n);
    zip.finish().expect("a ZIP").into_inner()
}

#[test]
fn faults_of_idx_are_told() {
    let refused = |images: &[u8], labels: &[u8]| {
        let files: [File<'_>; 2] = [
            ("a-images-idx3-ubyte", images),
            ("a-labels-idx1-ubyte", labels),
        ];
        refused(&files, "./a-images-idx3-ubyte")
    };
    let images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5, 6];
    let labels = [0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
    assert_snapshot!(refused(&labels, &labels), @"./a-images-idx3-ubyte: IDX: magic number is [00, 00, 08, 01], expected [00, 00, 08, 03]");
    assert_snapshot!(refused(&images[..17], &labels), @"./a-images-idx3-ubyte: IDX: file ends after 1 of 2 bytes of its payload");
    assert_snapshot!(refused(&images, &labels[..9]), @"./a-labels-idx1-ubyte: IDX: file ends after 1 of 2 bytes of its payload");
    assert_snapshot!(refused(&images, &[0, 0, 8, 1, 0, 0, 0, 1, 0]), @"./a-labels-idx1-ubyte: has 1 label for 2 samples");
    let absurd = [
        0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1,
    ];
    assert_snapshot!(refused(&absurd, &labels), @"./a-images-idx3-ubyte: IDX: sizes [4294967295, 4294967295, 1] make more than 1073741824 bytes, which is the most that is read");
}

#[test]
fn faults_of_folders_name_the_image() {
    let (dark, light) = (png(8, 8, 20), png(8, 8, 220));
    let refused = |files: &[File<'_>]| {
        let folder = folder_with(files);
        std::fs::create_dir_all(folder.path().join("pets")).expect("made");
        refusal_in(
            folder.path(),
            &["train", "--steps", "3", "--data", "./pets"],
            1,
        )
    };
    assert_snapshot!(refused(&[]), @"./pets: has nothing in it; expected one folder of images for each class");
    assert_snapshot!(refused(&[("pets/1.png", &dark)]), @"./pets: has 1 file and no folder in it; expected one folder of images for each class");
    assert_snapshot!(refused(&[("pets/cat/notes.txt", b"x")]), @"./pets: is empty; expected images in its class folders");
    assert_snapshot!(refused(&[("pets/cat/1.png", &dark), ("pets/cat/2.png", &light)]), @r#"./pets: the only class is "cat" (2 samples); at least two are needed"#);
    assert_snapshot!(refused(&[("pets/cat/1.png", &dark), ("pets/dog/1.png", &light[..60])]), @"./pets/dog/1.png: cannot be decoded: unexpected end of file");
    assert_snapshot!(refused(&[("pets/cat/1.png", &dark), ("pets/dog/1.png", b"no image")]), @"./pets/dog/1.png: is no image in any format that is read");
    // 100,000×100,000 pixels in a BMP and in a PNG.
    let mut bmp = b"BM".to_vec();
    bmp.extend([0, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]);
    bmp.extend(100_000_i32.to_le_bytes().repeat(2));
    bmp.extend([1, 0, 24, 0]);
    bmp.extend([0; 24]);
    assert_snapshot!(refused(&[("pets/cat/1.png", &dark), ("pets/dog/1.bmp", &bmp)]), @"./pets/dog/1.bmp: cannot be decoded: Format error decoding Bmp: Image too large (one of (100000, 100000) > soft limit of 65535)");
    let mut huge = light;
    huge[16..24].copy_from_slice(&100_000_u32.to_be_bytes().repeat(2));
    let sum = crc32(&huge[12..29]);
    huge[29..33].copy_from_slice(&sum.to_be_bytes());
    assert_snapshot!(refused(&[("pets/cat/1.png", &dark), ("pets/dog/1.png", &huge)]), @"./pets/dog/1.png: the image has 100000×100000 pixels, and at most 50 million are decoded");
    assert_snapshot!(refused(&[("pets/cat/1.png", &dark), ("pets/dog/1.gif", &huge_gif())]), @"./pets/dog/1.gif: the image has 65535×65535 pixels, and at most 50 million are decoded");
}

/// A GIF of 65,535×65,535 pixels.
fn huge_gif() -> Vec<u8> {
    let mut gif = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    gif.extend(b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0;");
    gif
}

/// The sum of a PNG's chunk (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for &byte in bytes {
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

/// A file of 5 GB of zeros that takes no room.
#[test]
#[cfg(unix)]
fn what_does_not_fit_is_refused_with_its_size() {
    let folder = folder_with(&[("y.npy", &good_y())]);
    for name in ["a.csv", "x.npy", "a.npz"] {
        let file = std::fs::File::create(folder.path().join(name)).expect("made");
        file.set_len(5_000_000_000).expect("sparse");
    }
    let refused = |data: &str| refused_in(folder.path(), data);
    assert_snapshot!(refused("a.csv"), @"a.csv: its bytes take 5.0 GB, and at most 2.1 GB are read");
    assert_snapshot!(refused("x.npy"), @"x.npy: its bytes take 5.0 GB, and at most 2.1 GB are read");
    assert_snapshot!(refused("a.npz"), @"a.npz: its bytes take 5.0 GB, and at most 2.1 GB are read");
    assert_snapshot!(refused("/dev/zero"), @"/dev/zero: is no regular file and no folder");
}
