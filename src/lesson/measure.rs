//! What lessons and failures measure of a run, by the names of a table: figures that a text may
//! speak of, and that a test holds it to.

use crate::loss::instead;
use crate::loss::theory::gap_rad;
use crate::scene::Clouds;
use crate::trainer::{HeadState, N_ANGLE_BINS, Snapshot, angle_between};

/// A figure of a run at one moment.
#[derive(Debug)]
pub struct Measure {
    /// In a file; where `train --json` has the same figure, its name there.
    pub name: &'static str,
    /// What a card calls it.
    pub words: &'static str,
    /// How its numbers are written.
    pub unit: Unit,
    /// `None` where the run has no such figure.
    of: fn(&Snapshot) -> Option<f64>,
}

/// How a figure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share of samples, in percent.
    Share,
    /// An angle in degrees.
    Degrees,
    /// A ratio of two lengths.
    Ratio,
    /// A length or a number.
    Number,
    /// A number of classes.
    Count,
}

const fn measure(
    name: &'static str,
    words: &'static str,
    unit: Unit,
    of: fn(&Snapshot) -> Option<f64>,
) -> Measure {
    Measure {
        name,
        words,
        unit,
        of,
    }
}

/// All of them.
pub static MEASURES: &[Measure] = &[
    measure("accuracy", "accuracy", Unit::Share, |s| {
        Some(s.metrics.accuracy)
    }),
    measure(
        "margin_satisfied",
        "samples that keep the margin",
        Unit::Share,
        |s| Some(s.metrics.margin_satisfied),
    ),
    measure("target_angle_deg", "target angle", Unit::Degrees, |s| {
        degrees(s.metrics.target_angle_rad)
    }),
    measure(
        "intra_class_angle_deg",
        "angle to the class mean",
        Unit::Degrees,
        |s| degrees(s.metrics.intra_class_angle_rad),
    ),
    measure(
        "min_weight_angle_deg",
        "least angle between weights",
        Unit::Degrees,
        |s| degrees(s.metrics.min_weight_angle_rad),
    ),
    measure(
        "min_class_mean_angle_deg",
        "least angle between class means",
        Unit::Degrees,
        |s| degrees(s.metrics.min_class_mean_angle_rad),
    ),
    measure("mean_feature_norm", "mean length", Unit::Number, |s| {
        Some(s.metrics.mean_feature_norm)
    }),
    measure(
        "confidence",
        "probability of the own class",
        Unit::Share,
        confidence,
    ),
    measure(
        "elongation",
        "length of a class over its width",
        Unit::Ratio,
        |s| Some(Clouds::of(s).elongation),
    ),
    measure(
        "looseness",
        "spread over half the way to the next class",
        Unit::Ratio,
        |s| Some(Clouds::of(s).looseness),
    ),
    measure(
        "own_mean_nearest",
        "samples nearest to their own class mean",
        Unit::Share,
        own_mean_nearest,
    ),
    measure("fused_classes", "classes fused", Unit::Count, |s| {
        let groups = Clouds::of(s).fused(s.head.spec.form.is_angular());
        Some(groups.iter().map(Vec::len).sum::<usize>() as f64)
    }),
    measure(
        "beyond_right_angle",
        "samples more than 90° from their weight",
        Unit::Share,
        |s| beyond(s, 90.0),
    ),
    measure(
        "at_antipode",
        "samples opposite to their weight",
        Unit::Share,
        |s| beyond(s, 150.0),
    ),
    measure(
        "in_one_point",
        "samples in one and the same point",
        Unit::Share,
        in_one_point,
    ),
    measure(
        "shortest_class",
        "shortest class over the mean length",
        Unit::Ratio,
        shortest_class,
    ),
    measure(
        "weight_lengths",
        "longest weight over the shortest",
        Unit::Ratio,
        |s| weight_lengths(&s.head),
    ),
    measure(
        "narrowest_gap_deg",
        "narrowest gap asked for",
        Unit::Degrees,
        |s| gaps_deg(&s.head).and_then(|gaps| gaps.first().copied()),
    ),
    measure(
        "widest_gap_deg",
        "widest gap asked for",
        Unit::Degrees,
        |s| gaps_deg(&s.head).and_then(|gaps| gaps.last().copied()),
    ),
    measure("gap_ratio", "widest gap over narrowest", Unit::Ratio, |s| {
        let gaps = gaps_deg(&s.head)?;
        Some(gaps.last()? / gaps.first()?)
    }),
];

impl Measure {
    /// The measure of this name.
    ///
    /// # Errors
    /// What there is instead.
    pub fn find(name: &str) -> Result<&'static Self, String> {
        if let Some(found) = MEASURES.iter().find(|measure| measure.name == name) {
            return Ok(found);
        }
        let names = MEASURES.iter().map(|measure| measure.name);
        let hint = instead(name, names);
        Err(format!("there is no measure \"{name}\"; {hint}"))
    }

    /// Of a run at this moment; `None` where it has no such figure.
    pub fn of(&self, snapshot: &Snapshot) -> Option<f64> {
        (self.of)(snapshot).filter(|value| value.is_finite())
    }

    /// A value as a card shows it.
    pub fn text(&self, value: f64) -> String {
        match self.unit {
            Unit::Share if value > 0.0 && value < 0.001 => "< 0.1%".to_owned(),
            // What is not all of it must not be rounded to all of it.
            Unit::Share if value < 1.0 => format!("{:.1}%", (100.0 * value).min(99.9)),
            Unit::Share => format!("{:.1}%", 100.0 * value),
            Unit::Degrees => format!("{value:.1}°"),
            Unit::Ratio => format!("{value:.2}"),
            Unit::Number if value >= 100.0 => format!("{value:.0}"),
            Unit::Number => format!("{value:.1}"),
            Unit::Count => format!("{value:.0}"),
        }
    }
}

impl PartialEq for Measure {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

fn degrees(angle_rad: Option<f64>) -> Option<f64> {
    angle_rad.map(f64::to_degrees)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0_u32, 0.0), |(n, sum), x| (n + 1, sum + x));
    (n > 0).then(|| sum / f64::from(n))
}

fn samples(snapshot: &Snapshot) -> impl Iterator<Item = (&[f32], usize)> {
    let features = snapshot.probe.features.chunks_exact(snapshot.head.dim);
    let labels = snapshot.probe.labels.iter();
    features.zip(labels.map(|&label| usize::from(label)))
}

fn length(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

/// Mean probability that the scores without margin give the own class, at the scale in force.
fn confidence(snapshot: &Snapshot) -> Option<f64> {
    let head = &snapshot.head;
    let scorer = head.scorer();
    let mut scores = Vec::new();
    mean(samples(snapshot).map(|(x, y)| {
        scorer.plain_scores(x, &mut scores);
        let factor = if head.spec.form.is_cosine() {
            head.spec.scale(&head.in_force) / length(x).max(f64::MIN_POSITIVE)
        } else {
            1.0
        };
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weight = |score: f64| (factor * (score - highest)).exp();
        weight(scores[y]) / scores.iter().map(|&score| weight(score)).sum::<f64>()
    }))
}

/// Share of samples that are nearer to the mean of their own class than to that of any other.
fn own_mean_nearest(snapshot: &Snapshot) -> Option<f64> {
    let (dim, n_classes) = (snapshot.head.dim, snapshot.head.n_classes);
    let mut sums = vec![vec![0.0; dim]; n_classes];
    let mut counts = vec![0.0; n_classes];
    for (x, y) in samples(snapshot) {
        for (sum, &x) in sums[y].iter_mut().zip(x) {
            *sum += f64::from(x);
        }
        counts[y] += 1.0;
    }
    let squared = |x: &[f32], class: usize| -> f64 {
        let offs = x.iter().zip(&sums[class]);
        offs.map(|(&x, sum)| (f64::from(x) - sum / counts[class]).powi(2))
            .sum()
    };
    let classes: Vec<usize> = (0..n_classes).filter(|&j| counts[j] > 0.0).collect();
    mean(samples(snapshot).map(|(x, y)| {
        let own = squared(x, y);
        let is_nearest = classes.iter().all(|&j| j == y || squared(x, j) > own);
        f64::from(u8::from(is_nearest))
    }))
}

/// Share of samples, of those that have an angle to their weight, beyond so many degrees.
fn beyond(snapshot: &Snapshot, angle_deg: f64) -> Option<f64> {
    let bins = &snapshot.detail.target_angles;
    let first = (angle_deg / 180.0 * N_ANGLE_BINS as f64).round() as usize;
    let all: u32 = bins.iter().sum();
    let far: u32 = bins.get(first..)?.iter().sum();
    (all > 0).then(|| f64::from(far) / f64::from(all))
}

/// Share of samples whose features are all the same number for number: what reached them was zero.
fn in_one_point(snapshot: &Snapshot) -> Option<f64> {
    let mut points: Vec<Vec<u32>> = samples(snapshot)
        .map(|(x, _)| x.iter().map(|x| x.to_bits()).collect())
        .collect();
    points.sort_unstable();
    let most = points.chunk_by(|a, b| a == b).map(<[_]>::len).max()?;
    Some(most as f64 / points.len() as f64)
}

/// Least mean length of a class over the mean of these: near 0 where a class lies at the origin.
fn shortest_class(snapshot: &Snapshot) -> Option<f64> {
    let mut sums = vec![(0.0, 0.0); snapshot.head.n_classes];
    for (x, y) in samples(snapshot) {
        sums[y].0 += length(x);
        sums[y].1 += 1.0;
    }
    let means = sums.iter().filter(|(_, n)| *n > 0.0);
    let means: Vec<f64> = means.map(|(sum, n)| sum / n).collect();
    let least = means.iter().copied().min_by(f64::total_cmp)?;
    Some(least / mean(means.iter().copied())?)
}

fn weight_lengths(head: &HeadState) -> Option<f64> {
    let lengths = || (0..head.n_classes).map(|class| length(head.weight(class)));
    let longest = lengths().max_by(f64::total_cmp)?;
    let shortest = lengths().min_by(f64::total_cmp)?;
    (shortest > 0.0).then(|| longest / shortest)
}

/// Gaps that the margin asks for between each class weight and the nearest other one, in degrees,
/// the narrowest first; `None` where some class has no room for its margin.
fn gaps_deg(head: &HeadState) -> Option<Vec<f64>> {
    if !head.spec.form.has_unit_weights() || head.spec.param_index("margin").is_none() {
        return None;
    }
    let gap = |class: usize| {
        let others = (0..head.n_classes).filter(|&other| other != class);
        let angles = others.map(|other| angle_between(head.weight(class), head.weight(other)));
        let nearest = angles.min_by(f64::total_cmp)?;
        gap_rad(head.spec.0, &head.values, nearest).map(f64::to_degrees)
    };
    let mut gaps: Vec<f64> = (0..head.n_classes).map(gap).collect::<Option<_>>()?;
    gaps.sort_by(f64::total_cmp);
    Some(gaps)
}
