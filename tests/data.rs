//! The data module from outside: what is loaded, in which order, and how soon.

#![expect(
    clippy::expect_used,
    reason = "tests outside #[test] functions, too, fail by a message"
)]

use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use marginscope::data::idx::IdxReader;
use marginscope::data::{DataError, DataSource, DataSpec, Dataset, InputShape, Split, load};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

const TRAIN_IMAGES: &[u8] = include_bytes!("../assets/mnist/train-images-idx3-ubyte.gz");
const TRAIN_LABELS: &[u8] = include_bytes!("../assets/mnist/train-labels-idx1-ubyte.gz");

fn spec(source: DataSource, classes: &str) -> DataSpec {
    let mut spec = DataSpec::new(source);
    spec.classes = classes.parse().expect("a class choice");
    spec
}

fn loaded(source: DataSource, classes: &str) -> Dataset {
    load(&spec(source, classes), 1).expect("a set that exists")
}

fn decoded(asset: &[u8], rank: u8) -> Vec<u8> {
    let reader = IdxReader::new(GzDecoder::new(asset), rank).expect("an IDX header");
    reader.read_rest().expect("an asset that inflates")
}

fn gathered(split: &Split, indices: &[u32], dim: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; indices.len() * dim];
    split.gather(indices, &mut out);
    out
}

fn all_inputs(split: &Split, dim: usize) -> Vec<f32> {
    gathered(split, &(0..split.len() as u32).collect::<Vec<_>>(), dim)
}

fn histogram(split: &Split, n_classes: usize) -> Vec<usize> {
    let mut counts = vec![0; n_classes];
    for &label in split.labels() {
        counts[usize::from(label)] += 1;
    }
    counts
}

#[test]
fn mnist_is_complete() {
    let mnist = loaded(DataSource::Mnist, "default");
    assert_eq!(mnist.name, "mnist");
    assert_eq!(
        mnist.input,
        InputShape::Image {
            height: 28,
            width: 28
        }
    );
    assert_eq!(
        mnist.class_names,
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    );
    let test = mnist.test.expect("a test split");
    assert_eq!((mnist.train.len(), test.len()), (60_000, 10_000));
    // The counts of the original files.
    assert_eq!(
        histogram(&mnist.train, 10),
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    );
    assert_eq!(
        histogram(&test, 10),
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    );
    assert_eq!(mnist.train.labels()[..5], [5, 0, 4, 1, 9]);
    assert_eq!(test.labels()[..5], [7, 2, 1, 0, 4]);
    // The well-known first five: its brightest stroke begins in row 5.
    let five = mnist.train.image(0).expect("an image");
    assert_eq!(five.len(), 784);
    assert!(five[..5 * 28].iter().all(|&pixel| pixel == 0));
    assert_eq!(
        five[5 * 28 + 12..5 * 28 + 24],
        [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]
    );
}

#[test]
fn gather_normalizes_what_is_in_the_file() {
    let mnist = loaded(DataSource::Mnist, "default");
    let file = decoded(TRAIN_IMAGES, 3);
    // The ends of the blocks of 4,096, and of the file.
    let indices = [59_999, 0, 4095, 4096, 8191, 8192, 57_343, 57_344, 0];
    let batch = gathered(&mnist.train, &indices, 784);
    for (&index, column) in indices.iter().zip(batch.chunks(784)) {
        let image = &file[index as usize * 784..][..784];
        assert_eq!(mnist.train.image(index as usize).as_deref(), Some(image));
        assert_eq!(
            mnist.train.image_if_ready(index as usize).as_deref(),
            Some(image)
        );
        for (&value, &pixel) in column.iter().zip(image) {
            let expected = (f32::from(pixel) / 255.0 - 0.1307) / 0.3081;
            assert!((value - expected).abs() < 1e-6, "{value} for {expected}");
        }
    }
}

#[test]
fn mean_and_deviation_of_all_pixels_are_near_0_and_1() {
    let mnist = loaded(DataSource::Mnist, "default");
    let inputs = all_inputs(&mnist.train, 784);
    let mean = inputs.iter().map(|&x| f64::from(x)).sum::<f64>() / inputs.len() as f64;
    let square = inputs.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / inputs.len() as f64;
    // The two constants have four digits.
    assert!(mean.abs() < 1e-3, "{mean}");
    assert!((square - 1.0).abs() < 1e-3, "{square}");
}

#[test]
fn a_subset_is_relabeled_in_the_order_of_the_choice() {
    let pair = loaded(DataSource::Mnist, "8,3");
    assert_eq!(pair.class_names, ["8", "3"]);
    assert_eq!(histogram(&pair.train, 2), [5851, 6131]);
    assert_eq!(
        histogram(pair.test.as_ref().expect("a test split"), 2),
        [974, 1010]
    );
    let file_labels = decoded(TRAIN_LABELS, 1);
    let expected: Vec<u16> = file_labels
        .iter()
        .filter_map(|l| [8, 3].iter().position(|c| c == l))
        .map(|l| l as u16)
        .collect();
    assert_eq!(pair.train.labels(), expected);

    let file = decoded(TRAIN_IMAGES, 3);
    let last = file_labels
        .iter()
        .rposition(|l| [8, 3].contains(l))
        .expect("an 8 or a 3");
    assert_eq!(
        pair.train.image(pair.train.len() - 1).as_deref(),
        Some(&file[last * 784..][..784])
    );
    assert_eq!(pair.train.image(pair.train.len()), None);
}

#[test]
fn samples_per_class_takes_the_first_of_each_and_leaves_the_test_split() {
    let mut few = spec(DataSource::Mnist, "3");
    few.samples_per_class = Some(4);
    let few = load(&few, 1).expect("MNIST");
    assert_eq!(histogram(&few.train, 3), [4, 4, 4]);
    assert_eq!(few.test.expect("a test split").len(), 980 + 1135 + 1032);
}

#[test]
fn mnist_loads_before_it_is_decoded() {
    let start = Instant::now();
    let mnist = loaded(DataSource::Mnist, "default");
    let batch = gathered(&mnist.train, &(0..128).collect::<Vec<_>>(), 784);
    // Measured: some 50 ms unoptimized on one core, with the sums; a loaded machine takes longer.
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    assert!(batch.iter().all(|x| x.is_finite()));
}

#[test]
fn every_epoch_visits_every_sample_once() {
    for (source, classes) in [
        (DataSource::Mnist, "default"),
        (DataSource::Mnist, "3,8"),
        (DataSource::Rings, "4"),
    ] {
        let split = loaded(source, classes).train;
        for epoch in [0, 1] {
            let mut order = epoch_order(&split, &mut ChaCha8Rng::seed_from_u64(1), epoch);
            assert!(!order.is_sorted());
            order.sort_unstable();
            assert!(order.iter().copied().eq(0..split.len() as u32));
        }
    }
}

#[test]
fn the_first_batches_need_the_first_block_only() {
    let split = loaded(DataSource::Mnist, "default").train;
    let order = epoch_order(&split, &mut ChaCha8Rng::seed_from_u64(1), 0);
    assert!(order[..4096].iter().all(|&i| i < 4096));
    assert!(order[..8192].iter().all(|&i| i < 8192));
    let order = epoch_order(&split, &mut ChaCha8Rng::seed_from_u64(1), 1);
    assert!(order[..4096].iter().any(|&i| i >= 32_768));
}

#[test]
fn the_order_depends_on_the_generator_alone() {
    let order = |seed, epoch| {
        let split = loaded(DataSource::Mnist, "default").train;
        epoch_order(&split, &mut ChaCha8Rng::seed_from_u64(seed), epoch)
    };
    assert_eq!(order(1, 0), order(1, 0));
    assert_ne!(order(1, 0), order(2, 0));
    let split = loaded(DataSource::Blobs, "default").train;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    assert_ne!(
        epoch_order(&split, &mut rng, 1),
        epoch_order(&split, &mut rng, 2)
    );
}

#[test]
fn synthetic_sets_depend_on_the_seed_alone() {
    for source in [DataSource::Blobs, DataSource::Rings, DataSource::Spiral] {
        let inputs = |seed| {
            let set = load(&DataSpec::new(source.clone()), seed).expect("a synthetic set");
            let test = set.test.expect("a test split");
            (all_inputs(&set.train, 2), all_inputs(&test, 2))
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1).0, inputs(2).0);
        let (train, test) = inputs(1);
        assert_ne!(
            train[..test.len()],
            test[..],
            "the test split repeats the training split"
        );
    }
}

#[test]
fn synthetic_sets_have_any_number_of_classes_and_a_bounded_size() {
    for source in [DataSource::Blobs, DataSource::Rings, DataSource::Spiral] {
        for n_classes in [2, 3, 10, 13, 100] {
            let set = loaded(source.clone(), &n_classes.to_string());
            assert_eq!(set.input.dim(), 2);
            assert_eq!(histogram(&set.train, n_classes), vec![500; n_classes]);
            assert_eq!(
                histogram(&set.test.expect("a test split"), n_classes),
                vec![250; n_classes]
            );
            let inputs = all_inputs(&set.train, 2);
            let far = inputs.iter().fold(0f32, |far, x| far.max(x.abs()));
            // The widest noise is that of two blobs: 0.3, and 5 deviations are once in 2 million.
            assert!(
                (0.5..0.95 + 5.0 * 0.3).contains(&far),
                "{source} {n_classes}: {far}"
            );
        }
    }
}

/// Tells classes apart by the nearest training sample, which knows nothing of the curves.
#[test]
fn default_noise_leaves_classes_nearly_separable() {
    for source in [DataSource::Blobs, DataSource::Rings, DataSource::Spiral] {
        let set = loaded(source.clone(), "default");
        let test = set.test.expect("a test split");
        let (train_x, test_x) = (all_inputs(&set.train, 2), all_inputs(&test, 2));
        let nearest_label = |x: &[f32]| {
            let distance = |t: &[f32]| (t[0] - x[0]).hypot(t[1] - x[1]);
            let nearest = train_x
                .chunks(2)
                .enumerate()
                .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
            set.train.labels()[nearest.expect("a training sample").0]
        };
        let right = test_x
            .chunks(2)
            .zip(test.labels())
            .filter(|(x, label)| nearest_label(x) == **label);
        let accuracy = right.count() as f64 / test.len() as f64;
        assert!((0.95..1.0).contains(&accuracy), "{source}: {accuracy}");
    }
}

#[test]
fn free_has_labels_and_nothing_else() {
    let free = loaded(DataSource::Free, "4");
    assert_eq!((free.input, free.input.dim()), (InputShape::None, 0));
    assert_eq!(histogram(&free.train, 4), [10; 4]);
    assert!(free.test.is_none());
    assert_eq!(free.train.image(0), None);
}

#[test]
fn what_the_source_does_not_have_is_refused() {
    let fault = load(&spec(DataSource::Mnist, "3,12"), 1).unwrap_err();
    assert!(matches!(fault, DataError::NoSuchClass { .. }));
    assert_eq!(
        fault.to_string(),
        "classes 3,12: MNIST has the digits 0 to 9"
    );
}

fn epoch_order(split: &Split, rng: &mut ChaCha8Rng, epoch: usize) -> Vec<u32> {
    let mut order = Vec::new();
    split.shuffle_epoch(&mut order, rng, epoch);
    order
}
