//! Sets of points in the plane: blobs, rings and spiral arms, made from a seed.
//!
//! A class is a curve or a point, and a sample lies on it up to Gaussian noise. Without noise all
//! samples are within the unit square −1 ≤ x, y ≤ 1. Noise is counted in halves of the gap between
//! neighboring classes, so that one number means the same for 3 classes and for 30.

use std::f64::consts::TAU;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::classes::ClassChoice;
use super::source::{DataSource, DataSpec};
use super::split::Split;

/// The stream of the first class of the first split, "data" in ASCII; initialization and batches
/// have streams of their own. Each class of each split has its own too, so that choosing fewer
/// classes or more samples does not change those that stay.
const FIRST_STREAM: u64 = 0x6461_7461 << 32;

/// So many blobs stand on a circle; more of them on a grid, where the gap stays wider.
const MAX_ON_CIRCLE: usize = 12;

/// The radius of the circle of blobs, and half the side of their grid.
const BLOBS_RADIUS: f64 = 0.75;

/// The radii of the innermost and of the outermost ring, and where spiral arms begin and end.
const INNER_RADIUS: f64 = 0.15;
const OUTER_RADIUS: f64 = 0.95;

/// The training and the test split of `classes`; the test split has half as many samples.
pub(super) fn splits(spec: &DataSpec, classes: &[usize], seed: u64) -> (Split, Split) {
    let least = match spec.classes {
        ClassChoice::These(_) | ClassChoice::Names(_) => {
            spec.source.offer().map_or(2, |offer| offer.n_default)
        }
        ClassChoice::Default | ClassChoice::First(_) => 2,
    };
    let n_laid_out = classes
        .iter()
        .map(|class| class + 1)
        .fold(least, usize::max);
    let layout = Layout::new(&spec.source, n_laid_out, spec.noise());
    let n = spec.samples_per_class();
    (
        layout.split(classes, n, seed, 0),
        layout.split(classes, n.div_ceil(2), seed, 1),
    )
}

/// Where the classes of a set lie.
struct Layout {
    curve: Curve,
    n_classes: usize,
    /// Standard deviation in each direction.
    sigma: f64,
}

#[derive(Clone, Copy)]
enum Curve {
    Circle,
    Grid,
    Rings,
    Spiral,
}

impl Layout {
    fn new(source: &DataSource, n_classes: usize, noise: f64) -> Self {
        let curve = match source {
            DataSource::Rings => Curve::Rings,
            DataSource::Spiral => Curve::Spiral,
            _ if n_classes <= MAX_ON_CIRCLE => Curve::Circle,
            _ => Curve::Grid,
        };
        Self {
            curve,
            n_classes,
            sigma: noise * gap(curve, n_classes) / 2.0,
        }
    }

    /// `n` samples of each class, classes taking turns.
    fn split(&self, classes: &[usize], n: usize, seed: u64, split: u64) -> Split {
        let mut rngs: Vec<ChaCha8Rng> = classes
            .iter()
            .map(|&class| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(FIRST_STREAM | split << 16 | class as u64);
                rng
            })
            .collect();
        let (mut labels, mut values) = (Vec::new(), Vec::new()); // values: [2, n * classes]
        for _ in 0..n {
            for (label, (&class, rng)) in classes.iter().zip(&mut rngs).enumerate() {
                labels.push(label as u16);
                values.extend(self.sample(class, rng).map(|value| value as f32));
            }
        }
        Split::vectors(labels, 2, values)
    }

    /// A point of `class`: its place on the curve, then noise in x and in y.
    fn sample(&self, class: usize, rng: &mut ChaCha8Rng) -> [f64; 2] {
        let along_frac = rng.random::<f64>();
        place(self.curve, self.n_classes, class, along_frac).map(|coordinate| {
            let noise: f64 = StandardNormal.sample(rng);
            coordinate + self.sigma * noise
        })
    }
}

/// The point of `class` without noise, a fraction `along_frac` of the way along its curve.
///
/// Points of a ring are evenly spread over its angle. A spiral arm makes one turn while its radius
/// grows evenly, so that it gets thinner outwards.
fn place(curve: Curve, n_classes: usize, class: usize, along_frac: f64) -> [f64; 2] {
    let class_frac = class as f64 / n_classes as f64;
    match curve {
        Curve::Circle => polar(BLOBS_RADIUS, TAU * class_frac),
        Curve::Grid => {
            let side = grid_side(n_classes);
            [class % side, class / side]
                .map(|cell| BLOBS_RADIUS * (2.0 * cell as f64 / (side - 1) as f64 - 1.0))
        }
        Curve::Rings => {
            let radius = INNER_RADIUS + class as f64 * gap(curve, n_classes);
            polar(radius, TAU * along_frac)
        }
        Curve::Spiral => {
            let radius = INNER_RADIUS + (OUTER_RADIUS - INNER_RADIUS) * along_frac;
            polar(radius, TAU * (along_frac + class_frac))
        }
    }
}

/// The distance between neighboring classes where it is smallest.
///
/// Along a ray, the arms of a spiral are a = (outer − inner)/C apart, along a circle of radius r
/// they are b = 2πr/C; across, ab/√(a² + b²), to first order in 1/C and smallest at the inner end.
fn gap(curve: Curve, n_classes: usize) -> f64 {
    let n = n_classes as f64;
    match curve {
        Curve::Circle => 2.0 * BLOBS_RADIUS * (TAU / (2.0 * n)).sin(),
        Curve::Grid => 2.0 * BLOBS_RADIUS / (grid_side(n_classes) - 1) as f64,
        Curve::Rings => (OUTER_RADIUS - INNER_RADIUS) / (n - 1.0),
        Curve::Spiral => {
            let (a, b) = ((OUTER_RADIUS - INNER_RADIUS) / n, TAU * INNER_RADIUS / n);
            a * b / a.hypot(b)
        }
    }
}

/// Blobs along one side of the smallest square grid that holds them.
fn grid_side(n_classes: usize) -> usize {
    let floor = n_classes.isqrt();
    floor + usize::from(floor * floor < n_classes)
}

fn polar(radius: f64, angle_rad: f64) -> [f64; 2] {
    [radius * angle_rad.cos(), radius * angle_rad.sin()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVES: [Curve; 4] = [Curve::Circle, Curve::Grid, Curve::Rings, Curve::Spiral];

    /// `n` points of a class without noise.
    fn points(curve: Curve, n_classes: usize, class: usize, n: usize) -> Vec<[f64; 2]> {
        (0..n)
            .map(|i| place(curve, n_classes, class, i as f64 / n as f64))
            .collect()
    }

    fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn every_class_of_every_size_is_inside_the_square() {
        for curve in CURVES {
            for n_classes in [2, 3, 10, 13, 100] {
                for class in 0..n_classes {
                    for point in points(curve, n_classes, class, 20) {
                        assert!(
                            point.iter().all(|x| x.abs() <= 1.0),
                            "{n_classes} {point:?}"
                        );
                    }
                }
            }
        }
    }

    /// The smallest distance of other classes to class 0, measured on 2,000 points of each curve,
    /// against the formula. The spiral's is a first-order one: 6% too small for 10 arms.
    #[test]
    fn the_gap_is_the_distance_to_the_nearest_class() {
        for (curve, n_classes, tolerance) in [
            (Curve::Circle, 2, 1e-9),
            (Curve::Circle, 10, 1e-9),
            (Curve::Grid, 13, 1e-9),
            (Curve::Grid, 100, 1e-9),
            (Curve::Rings, 2, 1e-9),
            (Curve::Rings, 10, 1e-9),
            (Curve::Spiral, 10, 0.1),
            (Curve::Spiral, 100, 0.1),
        ] {
            let own = points(curve, n_classes, 0, 50);
            let nearest = (1..n_classes)
                .flat_map(|class| points(curve, n_classes, class, 500))
                .flat_map(|other| own.iter().map(move |&point| distance(point, other)))
                .fold(f64::INFINITY, f64::min);
            let relative = nearest / gap(curve, n_classes) - 1.0;
            assert!(
                relative.abs() <= tolerance,
                "{n_classes} classes: {relative}"
            );
        }
    }

    #[test]
    fn noise_has_the_standard_deviation_that_it_says() {
        let layout = Layout::new(&DataSource::Blobs, 10, 0.4);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let n = 20_000;
        let center = place(Curve::Circle, 10, 3, 0.0);
        let sum: f64 = (0..n)
            .map(|_| distance(layout.sample(3, &mut rng), center).powi(2))
            .sum::<f64>();
        let sigma = (sum / (2 * n) as f64).sqrt();
        let expected = 0.4 * gap(Curve::Circle, 10) / 2.0;
        // The estimate's own deviation is 1/√(4n), 0.35%; three of them.
        assert!((sigma / expected - 1.0).abs() < 0.011, "{sigma} {expected}");
    }

    #[test]
    fn choosing_fewer_classes_leaves_their_samples_alone() {
        let all = DataSpec::new(DataSource::Blobs);
        let two = DataSpec {
            classes: ClassChoice::These(vec![8, 3]),
            ..all.clone()
        };
        let (all, _) = splits(&all, &(0..10).collect::<Vec<_>>(), 7);
        let (two, _) = splits(&two, &[8, 3], 7);
        let (mut of_all, mut of_two) = ([0.0; 4], [0.0; 4]);
        all.gather(&[8, 13], &mut of_all); // class 8 in the first turn, 3 in the second
        two.gather(&[0, 3], &mut of_two);
        assert_eq!(of_all, of_two);
    }
}
