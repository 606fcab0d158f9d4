//! Features of another program, with labels and class weights.

use marginscope::data::own::{FeatureFiles, Features, Matrix, read_features};

use super::*;

fn read(path: &Path, labels: Option<&Path>, weights: Option<&Path>) -> Result<Features, String> {
    let files = FeatureFiles {
        path,
        label: None,
        labels,
        weights,
        bias: None,
    };
    read_features(files, &mut |_, _| true).map_err(|error| error.to_string())
}

fn matrix(n_rows: usize, dim: usize, values: &[f32]) -> Matrix {
    let values = values.to_vec();
    Matrix {
        n_rows,
        dim,
        values,
    }
}

#[test]
fn features_that_train_writes_are_read() {
    let (_folder, path) = file_with("f.csv", b"label,x1,x2\n7,0.5,1\n3,2,-1\n7,0,0\n");
    let found = read(&path, None, None).expect("good");
    assert_eq!(
        found.features,
        matrix(3, 2, &[0.5, 1.0, 2.0, -1.0, 0.0, 0.0])
    );
    assert_eq!(found.class_names, ["3", "7"]);
    assert_eq!(
        (found.labels, found.class_weights),
        (Some(vec![1, 0, 1]), None)
    );
}

#[test]
fn numbers_alone_have_no_labels() {
    let (_folder, path) = file_with("f.csv", b"0.5,1\n2,-1\n");
    let found = read(&path, None, None).expect("good");
    assert_eq!((found.features.n_rows, found.features.dim), (2, 2));
    assert_eq!((found.labels, found.class_names.len()), (None, 0));
}

#[test]
fn class_weights_keep_classes_without_a_sample() {
    let (folder, path) = file_with(
        "features.npy",
        &npy("<f4", false, &[2, 2], &floats(&[1.0, 2.0, 3.0, 4.0])),
    );
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let labels = file(
        "labels.npy",
        &npy(
            "<i8",
            false,
            &[2],
            &[2_i64, 0].map(i64::to_le_bytes).concat(),
        ),
    );
    let weights = file(
        "w.npy",
        &npy(
            "<f8",
            true,
            &[3, 2],
            &[1.0_f64, 2.0, 3.0, 4.0, 5.0, 6.0]
                .map(f64::to_le_bytes)
                .concat(),
        ),
    );
    let found = read(&path, None, Some(&weights)).expect("good");
    assert_eq!(found.labels, Some(vec![2, 0]));
    assert_eq!(found.class_names, ["0", "1", "2"]);
    assert_eq!(
        found.class_weights,
        Some(matrix(3, 2, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]))
    );
    assert_eq!(
        read(&path, Some(&labels), None).expect("good").class_names,
        ["0", "2"]
    );

    let narrow = file("n.npy", &npy("<f4", false, &[3, 1], &floats(&[1.0; 3])));
    let error = read(&path, None, Some(&narrow)).expect_err("widths differ");
    let expected = "n.npy: has class weights of 1 number; expected 2, as the features have";
    assert!(error.ends_with(expected), "{error}");
    let two = file("two.npy", &npy("<f4", false, &[2, 2], &floats(&[1.0; 4])));
    let names = file("names.txt", b"a\nb\n");
    let found = read(&path, Some(&names), Some(&two)).expect("as many names as weights");
    assert_eq!(found.class_names, ["a", "b"]);
    assert!(read(&path, Some(&names), Some(&weights)).is_err());
    assert!(read(&path, Some(&file("few.txt", b"a\n")), None).is_err());
}

#[test]
fn an_archive_has_all_three() {
    use std::io::Write as _;
    let (_folder, path) = file_with("run.npz", b"");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("made"));
    for (name, bytes) in [
        (
            "embeddings.npy",
            npy(
                "<f4",
                false,
                &[2, 3],
                &floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            ),
        ),
        ("labels.npy", npy("|u1", false, &[2, 1], &[1, 0])),
        (
            "class_weights.npy",
            npy("<f4", false, &[2, 3], &floats(&[0.5; 6])),
        ),
    ] {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).expect("an entry");
        zip.write_all(&bytes).expect("written");
    }
    zip.finish().expect("a ZIP");
    let found = read(&path, None, None).expect("good");
    assert_eq!((found.features.n_rows, found.features.dim), (2, 3));
    assert_eq!(found.labels, Some(vec![1, 0]));
    assert_eq!(found.class_weights, Some(matrix(2, 3, &[0.5; 6])));
}

#[test]
fn what_is_no_table_of_features_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = read(folder.path(), None, None).expect_err("a folder");
    assert!(
        error.ends_with("is no table of features; expected CSV, NPY or NPZ"),
        "{error}"
    );
    let (_folder, path) = file_with("x.npy", &npy("<f4", false, &[2, 2, 2], &floats(&[0.0; 8])));
    assert!(
        read(&path, None, None)
            .expect_err("images")
            .ends_with("has shape (2, 2, 2); expected (n, d)")
    );
    let (_folder, path) = file_with(
        "x.npy",
        &npy("<f4", false, &[1, 2], &floats(&[0.0, f32::NAN])),
    );
    assert!(
        read(&path, None, None)
            .expect_err("NaN")
            .contains("x.npy[0, 1]: ")
    );
    assert!(read_error(&path).contains("x.npy"));
}
