//! How own data are parted and scaled: by class, by seed, completely, and from the training part.

use std::fmt::Write as _;

use marginscope::data::{Scaling, TestPart};
use proptest::prelude::*;

use super::*;

/// A table whose only number is the row, which survives unscaled; labels as given.
fn numbered(labels: &[usize]) -> (TempDir, DataSpec) {
    let mut text = "row,label\n".to_owned();
    for (row, label) in labels.iter().enumerate() {
        let _ = writeln!(text, "{row},c{label}"); // writing to a String cannot fail
    }
    let (folder, path) = file_with("a.csv", text.as_bytes());
    let mut spec = read_spec(&path);
    spec.scaling = Some(Scaling::None);
    (folder, spec)
}

/// Row and name of the class of a sample.
type Sample = (usize, String);

fn samples(data: &Dataset, split: &Split) -> Vec<Sample> {
    let rows = inputs(split, data.input);
    let names = split
        .labels()
        .iter()
        .map(|&l| data.class_names[usize::from(l)].clone());
    rows.iter().map(|&row| row as usize).zip(names).collect()
}

fn parts(spec: &DataSpec, seed: u64) -> (Vec<Sample>, Vec<Sample>) {
    let data = loaded(spec, seed);
    let test = data.test.as_ref().map(|test| samples(&data, test));
    (samples(&data, &data.train), test.unwrap_or_default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn parts_are_stratified_disjoint_and_complete(
        labels in prop::collection::vec(0..4_usize, 2..120),
        share in 0.0..0.9_f64,
        seed: u64,
    ) {
        let n_of = |class: usize| labels.iter().filter(|&&label| label == class).count();
        prop_assume!((0..4).filter(|&class| n_of(class) > 0).count() >= 2);
        let (_folder, mut spec) = numbered(&labels);
        spec.test = Some(TestPart::Share(share));
        let (train, test) = parts(&spec, seed);
        prop_assert_eq!(parts(&spec, seed), (train.clone(), test.clone()));
        let mut all = [train.clone(), test.clone()].concat();
        all.sort();
        let expected: Vec<_> = labels.iter().enumerate().map(|(row, label)| (row, format!("c{label}"))).collect();
        prop_assert_eq!(all, expected);
        prop_assert!(train.is_sorted() && test.is_sorted());
        for class in 0..4 {
            let n = test.iter().filter(|(_, name)| *name == format!("c{class}")).count();
            let wanted = (share * n_of(class) as f64).round() as usize;
            prop_assert_eq!(n, wanted.min(n_of(class).saturating_sub(1)));
        }
    }
}

#[test]
fn another_seed_draws_another_part() {
    let labels: Vec<usize> = (0..200).map(|i| i % 2).collect();
    let (_folder, spec) = numbered(&labels);
    let (train, test) = parts(&spec, 1);
    assert_eq!((train.len(), test.len()), (160, 40));
    assert_ne!(parts(&spec, 2).1, test);
}

#[test]
fn fewer_classes_leave_the_others_where_they_were() {
    let labels: Vec<usize> = (0..120).map(|i| i % 3).collect();
    let (_folder, mut spec) = numbered(&labels);
    let is_kept = |(_, name): &Sample| name != "c1";
    let (train, test) = parts(&spec, 1);
    let kept = |all: Vec<_>| all.into_iter().filter(is_kept).collect::<Vec<_>>();
    spec.classes = "c2,c0".parse().expect("names");
    assert_eq!(loaded(&spec, 1).class_names, ["c2", "c0"]);
    assert_eq!(parts(&spec, 1), (kept(train), kept(test)));
}

#[test]
fn a_number_of_samples_bounds_the_training_part_alone() {
    let labels: Vec<usize> = (0..100).map(|i| i % 2).collect();
    let (_folder, mut spec) = numbered(&labels);
    let whole = parts(&spec, 1);
    spec.samples_per_class = Some(7);
    let (train, test) = parts(&spec, 1);
    assert_eq!((train.len(), test.len()), (14, 20));
    assert_eq!(test, whole.1);
    assert!(train.iter().all(|sample| whole.0.contains(sample)));
}

/// Mean and deviation of the training part are 0 and 1; changing a test sample changes no other
/// number. (Without a share the test samples come from a file of their own.)
#[test]
fn the_scale_comes_from_the_training_part() {
    let train = "a,b,c,label\n1,10,5,x\n3,20,5,y\n5,60,5,x\n";
    let scaled = |test: &str, scaling: Option<Scaling>| {
        let (folder, path) = file_with("a.csv", train.as_bytes());
        let test_path = folder.path().join("t.csv");
        std::fs::write(&test_path, format!("a,b,c,label\n{test}\n")).expect("written");
        let mut spec = DataSpec::new(DataSource::File(path));
        spec.test = Some(TestPart::File(test_path));
        spec.scaling = scaling;
        spec.read(&mut |_, _| true).expect("good files");
        let data = loaded(&spec, 1);
        let test = data.test.as_ref().expect("a test file");
        (inputs(&data.train, data.input), inputs(test, data.input))
    };
    let (near, test) = scaled("1,10,5,x", None);
    let (same, far) = scaled("1e30,-1e30,6,y", None);
    assert_eq!(near, same, "the test file moved the training part");
    assert_eq!(test, near[..3]);
    assert_eq!(far, [1e6, -1e6, 1.0], "what is far stays finite");
    for column in 0..3 {
        let values: Vec<f64> = (0..3)
            .map(|row| f64::from(near[3 * row + column]))
            .collect();
        let mean = values.iter().sum::<f64>() / 3.0;
        let square = values.iter().map(|x| x * x).sum::<f64>() / 3.0;
        let deviation = if column == 2 { 0.0 } else { 1.0 };
        assert!(
            mean.abs() < 1e-6 && (square - deviation).abs() < 1e-6,
            "{column}: {values:?}"
        );
    }
    let (min_max, test) = scaled("2,35,5,x", Some(Scaling::MinMax));
    assert_eq!(min_max, [0.0, 0.0, 0.0, 0.5, 0.2, 0.0, 1.0, 1.0, 0.0]);
    assert_eq!(test, [0.25, 0.5, 0.0]);
    let (none, _) = scaled("2,35,5,x", Some(Scaling::None));
    assert_eq!(none, [1.0, 10.0, 5.0, 3.0, 20.0, 5.0, 5.0, 60.0, 5.0]);
}

/// Pixels of the training part have mean 0 and deviation 1, whatever stands in the others.
#[test]
fn images_have_their_own_mean_and_deviation() {
    let pixels: Vec<u8> = (0..40 * 12).map(|i| (i * 31 % 90) as u8).collect();
    let (folder, path) = file_with("x.npy", &npy("|u1", false, &[40, 3, 4], &pixels));
    let labels: Vec<u8> = (0..40).map(|i| i % 2).collect();
    std::fs::write(
        folder.path().join("y.npy"),
        npy("|u1", false, &[40], &labels),
    )
    .expect("written");
    let data = loaded(&read_spec(&path), 1);
    let values = inputs(&data.train, data.input);
    assert_eq!(values.len(), 32 * 12);
    let n = values.len() as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let square = values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n;
    // Rounding of a f32 sum of products with 24 bits.
    assert!(
        mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-5,
        "{mean} {square}"
    );
}
