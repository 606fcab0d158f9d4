//! From a table to the samples of a run: chosen classes, training and test part, scale.

use std::sync::Arc;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::table::{OwnData, Part, Values};
use crate::data::Column;
use crate::data::source::Scaling;
use crate::data::split::Split;

/// The stream of the first class, "own " in ASCII; initialization, batches and synthetic sets have
/// others. Each class has its own, so that choosing fewer classes does not move their samples from
/// one part to the other.
const FIRST_STREAM: u64 = 0x6f77_6e20 << 32;

/// The largest value after scaling: a test sample may lie far beyond what the training part, from
/// which the scale comes, would make of it, and a network gives no finite features then.
const LARGEST: f64 = 1e6;

/// How samples are chosen and scaled.
#[derive(Debug, Clone, Copy)]
pub(in crate::data) struct Options<'a> {
    /// Places in the class names; the place in this list is the label.
    pub classes: &'a [usize],
    /// The most of each class to train on.
    pub samples_per_class: Option<usize>,
    /// Share of each class to test on, where there is no test file.
    pub test_share: f64,
    pub scaling: Scaling,
    pub seed: u64,
}

/// The training part, the test part unless it is empty, and the columns of a table.
pub(in crate::data) fn prepare(
    own: &OwnData,
    options: Options<'_>,
) -> (Split, Option<Split>, Vec<Column>) {
    let by_class = rows_by_class(&own.train.labels, options.classes);
    let (mut train, mut test) = (Rows::default(), Rows::default());
    for (label, (&class, rows)) in options.classes.iter().zip(by_class).enumerate() {
        let n_test = match own.test {
            Some(_) => 0,
            None => n_test(rows.len(), options.test_share),
        };
        let (of_train, of_test) = part(rows, n_test, class, options.seed);
        let most = options.samples_per_class.unwrap_or(usize::MAX);
        train.add(label, of_train.into_iter().take(most));
        test.add(label, of_test);
    }
    let mut of_test = &own.train;
    if let Some(part) = &own.test {
        of_test = part;
        let by_class = rows_by_class(&part.labels, options.classes);
        for (label, rows) in by_class.into_iter().enumerate() {
            test.add(label, rows);
        }
    }
    let (train, test) = (train.in_order(), test.in_order());
    let scale = Scale::of(&own.train, &train, own.input.dim(), options.scaling);
    let [height, width] = match own.input {
        crate::data::InputShape::Image { height, width } => [height, width],
        _ => [own.input.dim(), 1],
    };
    let split = |part: &Part, rows: &Rows| scale.split(part, rows, height, width);
    let test = (!test.rows.is_empty()).then(|| split(of_test, &test));
    (split(&own.train, &train), test, scale.columns(own))
}

/// Rows with their labels.
#[derive(Debug, Default)]
struct Rows {
    rows: Vec<(u32, u16)>,
}

impl Rows {
    fn add(&mut self, label: usize, rows: impl IntoIterator<Item = u32>) {
        let rows = rows.into_iter().map(|row| (row, label as u16));
        self.rows.extend(rows);
    }

    /// As they stand in the file.
    fn in_order(mut self) -> Self {
        self.rows.sort_unstable();
        self
    }
}

/// The rows of each of `classes`, in the file's order.
fn rows_by_class(labels: &[u16], classes: &[usize]) -> Vec<Vec<u32>> {
    let n_names = labels.iter().max().map_or(0, |&max| usize::from(max) + 1);
    let mut place = vec![None; n_names];
    for (i, &class) in classes.iter().enumerate() {
        if let Some(place) = place.get_mut(class) {
            *place = Some(i);
        }
    }
    let mut rows = vec![Vec::new(); classes.len()];
    for (row, &label) in labels.iter().enumerate() {
        if let Some(place) = place[usize::from(label)] {
            rows[place].push(row as u32);
        }
    }
    rows
}

/// Samples of a class to test on: its share to the nearest, at least one to train on.
fn n_test(n: usize, share: f64) -> usize {
    let wanted = (share * n as f64).round() as usize;
    wanted.min(n.saturating_sub(1))
}

/// Rows to train and to test on, each in the file's order.
fn part(mut rows: Vec<u32>, n_test: usize, class: usize, seed: u64) -> (Vec<u32>, Vec<u32>) {
    if n_test == 0 {
        return (rows, Vec::new());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(FIRST_STREAM | class as u64);
    rows.shuffle(&mut rng);
    let mut train = rows.split_off(n_test);
    rows.sort_unstable();
    train.sort_unstable();
    (train, rows)
}

/// x ↦ (x − shift) / unit, a pair for each number or one for all pixels.
#[derive(Debug)]
struct Scale {
    shift: Vec<f64>,
    unit: Vec<f64>,
}

impl Scale {
    /// Of the training part alone.
    fn of(part: &Part, train: &Rows, dim: usize, scaling: Scaling) -> Self {
        match &part.values {
            Values::Pixels(pixels) => Self::of_pixels(pixels, train, dim),
            Values::Numbers(numbers) => {
                let samples = || {
                    let rows = train.rows.iter();
                    rows.map(|&(row, _)| &numbers[row as usize * dim..][..dim])
                };
                match scaling {
                    Scaling::Standard => Self::standard(samples, dim),
                    Scaling::MinMax => Self::min_max(samples, dim),
                    Scaling::None => Self {
                        shift: vec![0.0; dim],
                        unit: vec![1.0; dim],
                    },
                }
            }
        }
    }

    /// Mean and standard deviation of each number.
    fn standard<'a, I: Iterator<Item = &'a [f32]>>(samples: impl Fn() -> I, dim: usize) -> Self {
        let n = samples().count().max(1) as f64;
        let mut mean = vec![0.0; dim];
        for sample in samples() {
            for (sum, &x) in mean.iter_mut().zip(sample) {
                *sum += f64::from(x);
            }
        }
        for sum in &mut mean {
            *sum /= n;
        }
        let mut deviation = vec![0.0; dim];
        for sample in samples() {
            for ((sum, &x), mean) in deviation.iter_mut().zip(sample).zip(&mean) {
                *sum += (f64::from(x) - mean).powi(2);
            }
        }
        Self {
            unit: deviation.iter().map(|sum| (sum / n).sqrt()).collect(),
            shift: mean,
        }
        .without_zero_units()
    }

    /// Least and largest of each number go to 0 and 1.
    fn min_max<'a, I: Iterator<Item = &'a [f32]>>(samples: impl Fn() -> I, dim: usize) -> Self {
        let mut low = vec![f64::INFINITY; dim];
        let mut high = vec![f64::NEG_INFINITY; dim];
        for sample in samples() {
            for ((low, high), &x) in low.iter_mut().zip(&mut high).zip(sample) {
                *low = low.min(f64::from(x));
                *high = high.max(f64::from(x));
            }
        }
        Self {
            unit: high
                .iter()
                .zip(&low)
                .map(|(high, low)| high - low)
                .collect(),
            shift: low,
        }
        .without_zero_units()
    }

    /// Mean and standard deviation of all pixels, exact from their histogram.
    fn of_pixels(pixels: &[u8], train: &Rows, dim: usize) -> Self {
        let mut counts = [0_u64; 256];
        for &(row, _) in &train.rows {
            for &pixel in &pixels[row as usize * dim..][..dim] {
                counts[usize::from(pixel)] += 1;
            }
        }
        let n = counts.iter().sum::<u64>().max(1) as f64;
        let moment = |f: &dyn Fn(f64) -> f64| {
            let terms = counts.iter().enumerate();
            terms
                .map(|(pixel, &count)| count as f64 * f(pixel as f64))
                .sum::<f64>()
                / n
        };
        let mean = moment(&|x| x);
        let deviation = moment(&|x| (x - mean).powi(2)).sqrt();
        Self {
            shift: vec![mean],
            unit: vec![deviation],
        }
        .without_zero_units()
    }

    /// A number that never changes becomes 0, not a quotient of zeros.
    fn without_zero_units(mut self) -> Self {
        for unit in &mut self.unit {
            if *unit == 0.0 {
                *unit = 1.0;
            }
        }
        self
    }

    /// With their names; none of images, whose pixels have one scale.
    fn columns(&self, own: &OwnData) -> Vec<Column> {
        if matches!(own.train.values, Values::Pixels(_)) {
            return Vec::new();
        }
        let scales = self.shift.iter().zip(&self.unit).enumerate();
        let column = |(i, (&shift, &unit))| Column {
            name: own.columns().get(i).cloned().unwrap_or_default(),
            shift,
            unit,
        };
        scales.map(column).collect()
    }

    fn split(&self, part: &Part, rows: &Rows, height: usize, width: usize) -> Split {
        let labels = rows.rows.iter().map(|&(_, label)| label).collect();
        match &part.values {
            Values::Pixels(pixels) => Split::pixels(
                labels,
                rows.rows.iter().map(|&(row, _)| row).collect(),
                Arc::clone(pixels),
                [height, width],
                [self.shift[0] as f32, (1.0 / self.unit[0]) as f32],
            ),
            Values::Numbers(numbers) => {
                let dim = self.shift.len();
                let mut scaled = Vec::with_capacity(rows.rows.len() * dim);
                for &(row, _) in &rows.rows {
                    let sample = &numbers[row as usize * dim..][..dim];
                    let scales = self.shift.iter().zip(&self.unit);
                    let values = sample.iter().zip(scales).map(|(&x, (shift, unit))| {
                        let value = (f64::from(x) - shift) / unit;
                        value.clamp(-LARGEST, LARGEST) as f32
                    });
                    scaled.extend(values);
                }
                Split::vectors(labels, dim, scaled)
            }
        }
    }
}
