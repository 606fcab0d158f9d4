//! What the classes of a snapshot look like, as clouds of points: their means, how they spread and
//! where they reach.

use crate::trainer::Snapshot;

/// Means closer than this have one direction.
const FUSED_RAD: f64 = 0.07;

/// The classes as clouds.
#[derive(Clone, Debug)]
pub struct Clouds {
    means: Vec<Option<Mean>>,
    /// Root mean square distance to the mean, of each class.
    spread: Vec<f64>,
    /// Deviation along the class's direction over the deviation across it, mean over classes.
    pub elongation: f64,
    /// Deviation along the class's direction over the length of its mean, mean over classes.
    pub reach: f64,
    /// Spread over half the distance to the nearest other mean, mean over classes.
    pub looseness: f64,
}

/// Of a class with samples `[dim]`.
#[derive(Clone, Debug)]
struct Mean {
    feature: Vec<f64>,
    /// Of the mean of directions.
    direction: Vec<f64>,
}

impl Clouds {
    /// Of the samples that are drawn.
    pub fn of(snapshot: &Snapshot) -> Self {
        let means = means(snapshot);
        let squares = squares(snapshot, &means);
        let across_dims = (snapshot.head.dim as f64 - 1.0).max(1.0);
        let elongation = mean(
            squares
                .iter()
                .filter(|s| s.n > 1.0 && s.across > 0.0)
                .map(|s| (s.along * across_dims / s.across).sqrt()),
        );
        let reach = mean(squares.iter().zip(&means).filter_map(|(s, mean)| {
            let length = length(&mean.as_ref()?.feature);
            Some((s.along / s.n.max(1.0)).sqrt() / length.max(f64::MIN_POSITIVE))
        }));
        let spread: Vec<f64> = squares
            .iter()
            .map(|s| ((s.along + s.across) / s.n.max(1.0)).sqrt())
            .collect();
        let mut clouds = Self {
            means,
            spread,
            elongation,
            reach,
            looseness: 0.0,
        };
        let looseness = (0..clouds.means.len()).filter_map(|class| {
            let nearest = clouds.nearest(class)?;
            Some(clouds.spread[class] / (0.5 * nearest).max(f64::MIN_POSITIVE))
        });
        clouds.looseness = mean(looseness);
        clouds
    }

    /// Distance to the nearest other mean.
    fn nearest(&self, class: usize) -> Option<f64> {
        let own = self.means[class].as_ref()?;
        let others = self.means.iter().enumerate().filter(|(j, _)| *j != class);
        others
            .filter_map(|(_, other)| Some(distance(&own.feature, &other.as_ref()?.feature)))
            .min_by(f64::total_cmp)
    }

    fn are_fused(&self, j: usize, k: usize, by_direction: bool) -> bool {
        let (Some(mean_j), Some(mean_k)) = (&self.means[j], &self.means[k]) else {
            return false;
        };
        if by_direction {
            distance(&mean_j.direction, &mean_k.direction) < FUSED_RAD
        } else {
            distance(&mean_j.feature, &mean_k.feature) < 0.35 * (self.spread[j] + self.spread[k])
        }
    }

    /// Sets of classes that hang together, the largest first; classes alone are none.
    pub fn fused(&self, by_direction: bool) -> Vec<Vec<usize>> {
        let n = self.means.len();
        let mut is_free = vec![true; n];
        let mut groups = Vec::new();
        for first in 0..n {
            if !is_free[first] {
                continue;
            }
            let mut group = vec![first];
            is_free[first] = false;
            let mut next = 0;
            while next < group.len() {
                let near =
                    (0..n).filter(|&k| is_free[k] && self.are_fused(group[next], k, by_direction));
                let near: Vec<usize> = near.collect();
                for &k in &near {
                    is_free[k] = false;
                }
                group.extend(near);
                next += 1;
            }
            if group.len() > 1 {
                group.sort_unstable();
                groups.push(group);
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        groups
    }
}

/// Sums of squared deviations from the mean of a class, along its direction and across it.
#[derive(Clone, Copy, Default)]
struct Squares {
    along: f64,
    across: f64,
    n: f64,
}

/// Finite features with their lengths and classes.
fn samples(snapshot: &Snapshot) -> impl Iterator<Item = (&[f32], f64, usize)> {
    let features = &snapshot.probe.features;
    let features = features.chunks_exact(snapshot.head.dim.max(1));
    features
        .zip(snapshot.probe.labels.iter())
        .map(|(x, &label)| {
            let squared: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            (x, squared.sqrt(), usize::from(label))
        })
        .filter(|(_, length, class)| *class < snapshot.head.n_classes && length.is_finite())
}

/// Mean of every class `[classes]`, `None` without samples.
fn means(snapshot: &Snapshot) -> Vec<Option<Mean>> {
    let (dim, n_classes) = (snapshot.head.dim.max(1), snapshot.head.n_classes);
    let mut sums = vec![0.0; dim * n_classes];
    let mut directions = vec![0.0; dim * n_classes];
    let mut counts = vec![0.0; n_classes];
    for (x, length, class) in samples(snapshot) {
        let share = 1.0 / length.max(f64::MIN_POSITIVE);
        let of_class = class * dim..(class + 1) * dim;
        let into = sums[of_class.clone()]
            .iter_mut()
            .zip(&mut directions[of_class]);
        for ((sum, direction), &x) in into.zip(x) {
            let x = f64::from(x);
            *sum += x;
            *direction += x * share;
        }
        counts[class] += 1.0;
    }
    let columns = sums.chunks_exact(dim).zip(directions.chunks_exact(dim));
    let means = columns.zip(&counts).map(|((sum, direction), &n)| {
        (n > 0.0).then(|| Mean {
            feature: sum.iter().map(|x| x / n).collect(),
            direction: unit(direction),
        })
    });
    means.collect()
}

fn squares(snapshot: &Snapshot, means: &[Option<Mean>]) -> Vec<Squares> {
    let mut squares = vec![Squares::default(); means.len()];
    for (x, _, class) in samples(snapshot) {
        let Some(mean) = &means[class] else {
            continue;
        };
        let (mut along, mut whole) = (0.0, 0.0);
        for ((&x, mean), direction) in x.iter().zip(&mean.feature).zip(&mean.direction) {
            let off = f64::from(x) - mean;
            along += off * direction;
            whole += off * off;
        }
        let of_class = &mut squares[class];
        of_class.along += along * along;
        of_class.across += (whole - along * along).max(0.0);
        of_class.n += 1.0;
    }
    squares
}

fn length(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn unit(v: &[f64]) -> Vec<f64> {
    let length = length(v).max(f64::MIN_POSITIVE);
    v.iter().map(|x| x / length).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f64>()
        .sqrt()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = values.fold((0.0_f64, 0.0), |(n, sum), x| (n + 1.0, sum + x));
    sum / n.max(1.0)
}
