//! The θ₁–θ₂ diagram of the `ArcFace` and `CosFace` papers for two classes: boundary, margin band,
//! and the samples of both.

use crate::geometry::angle;
use crate::loss::{Form, Rho};
use crate::scene::chart::{Axis, Chart, Ink, Key, Mark, Series, ticks};
use crate::scene::curves::has_margin;
use crate::scene::evenly::evenly;
use crate::scene::theme::class_color;
use crate::scene::{Anchor, Classes, Rgba, in_force_note, mean_length_note, number, thousands};
use crate::trainer::{HeadState, Snapshot, angle_between};

/// Points of a boundary.
const N_POINTS: usize = 180;

/// What the axes may reach to, in degrees.
const SPANS_DEG: [f64; 4] = [60.0, 90.0, 120.0, 180.0];
/// They reach at least so many times as far as the two weights are apart: what lies between the
/// classes and close around them is then seen, and what is scattered beyond is counted.
const SPAN_OF_APART: f64 = 1.5;

/// Where the number of samples beyond stands, so that the edge does not run through it.
const BELOW_EDGE: f64 = 0.94;
/// Of what the margins leave free: lines run over it.
const BAND_OPACITY: f32 = 0.16;
/// Samples of a class: more would lie on each other in a chart of this size.
const MOST_SAMPLES: usize = 400;

/// Angles to the weights of two classes, in degrees: where one wins, where it wins with its margin,
/// and the samples of both.
///
/// Heads without unit weights have boundaries that depend on lengths: drawn for the weights as
/// they are and the mean feature length. Of many samples four hundred of each class are drawn, evenly
/// chosen. The axes reach as far as the two weights need; samples beyond are counted.
pub fn margin_map(snapshot: &Snapshot, classes: [usize; 2]) -> Chart {
    let sides = Sides::new(snapshot, classes);
    let (points, n_beyond) = sides.points(snapshot, classes);
    let mut series = vec![
        sides.band_area(),
        reachable(&snapshot.head, classes),
        points,
    ];
    series.extend(curves(&sides.boundary(), Ink::Text, false));
    if snapshot.head.spec.form.is_angular() {
        series.extend((0..2).flat_map(|own| sides.margin_curves(own, classes)));
    }
    let span = sides.span_deg;
    if n_beyond > 0 {
        series.push(Series::Note {
            at: [span, BELOW_EDGE * span],
            text: format!("{} beyond ", thousands(n_beyond as u64)),
            anchor: Anchor::End,
            ink: Ink::Dimmed,
        });
    }
    let axis = |class| Axis {
        label: format!("θ to {}", snapshot.class_name(class)),
        span: [0.0, span],
        ticks: [0.0, 0.5 * span, span]
            .map(|at| (at, format!("{at}°")))
            .into(),
        ..Axis::default()
    };
    Chart {
        x: axis(classes[0]),
        y: axis(classes[1]),
        series,
        is_square: true,
        ..Chart::default()
    }
}

/// The same for a figure, everything with its name. The axes reach at least so far, in degrees, so
/// that maps compare.
pub fn margin_map_in_print(snapshot: &Snapshot, classes: [usize; 2], least_span_deg: f64) -> Chart {
    let head = &snapshot.head;
    let mut sides = Sides::new(snapshot, classes);
    sides.span_deg = sides.span_deg.max(least_span_deg);
    let mut parts = Parts::default();
    let name = |own: usize| snapshot.class_name(classes[own]);
    let has_margin = head.spec.form.is_angular() && has_margin(head);
    if has_margin {
        let key = Key::of_area(Ink::Accent, BAND_OPACITY, "gap that the margins leave");
        parts.push(vec![sides.band_area()], Some(key));
    }
    parts.push_lines(vec![reachable(head, classes)], "what directions can reach");
    let (points, n_beyond) = sides.points(snapshot, classes);
    parts.push(vec![points], None);
    parts.push_lines(
        curves(&sides.boundary(), Ink::Text, false).collect(),
        "decision boundary",
    );
    for own in (0..2).filter(|_| has_margin) {
        let lines = sides.margin_curves(own, classes).collect();
        parts.push_lines(lines, &format!("{} wins with its margin", name(own)));
    }
    parts.keys.extend((0..2).map(|own| Key {
        mark: Mark::Dot(Ink::Fixed(class_color(classes[own]))),
        name: format!("samples of {}", name(own)),
    }));
    let span = sides.span_deg;
    let axis = |class| Axis {
        title: format!(
            "θ to the weight of {} (degrees)",
            snapshot.class_name(class)
        ),
        span: [0.0, span],
        ticks: ticks::degrees(if span > 90.0 { 30 } else { 15 }, span),
        ..Axis::default()
    };
    Chart {
        x: axis(classes[0]),
        y: axis(classes[1]),
        series: parts.series,
        keys: parts.keys,
        n_beyond,
        is_square: true,
        ..Chart::default()
    }
}

/// For what several maps are drawn that their curves do not show: one length of all features, where
/// the boundary depends on it, and the margins that are set.
pub fn margin_map_notes(snapshots: &[&Snapshot]) -> Vec<String> {
    let lengths = snapshots.iter().map(|snapshot| {
        let has_bias = snapshot.head.spec.form.has_bias();
        has_bias.then(|| number(snapshot.metrics.mean_feature_norm))
    });
    let lengths: Vec<_> = lengths.collect();
    let heads: Vec<&HeadState> = snapshots.iter().map(|snapshot| &snapshot.head).collect();
    let notes = [mean_length_note(&lengths), in_force_note(&heads, true)];
    notes.into_iter().flatten().collect()
}

/// Series with their names.
#[derive(Default)]
struct Parts {
    series: Vec<Series>,
    keys: Vec<Key>,
}

impl Parts {
    fn push(&mut self, series: Vec<Series>, key: Option<Key>) {
        self.series.extend(series);
        self.keys.extend(key);
    }

    /// Lines that look alike; nothing where there are none.
    fn push_lines(&mut self, lines: Vec<Series>, name: &str) {
        let key = lines.first().and_then(|line| Key::of_line(line, name));
        self.push(lines, key);
    }
}

/// The two classes whose weights are closest: where a margin matters most.
pub fn closest_pair(snapshot: &Snapshot) -> [usize; 2] {
    let head = &snapshot.head;
    let n = head.n_classes.min(64);
    let pairs = (0..n).flat_map(|j| (j + 1..n).map(move |k| [j, k]));
    let angle = |&[j, k]: &[usize; 2]| angle_between(head.weight(j), head.weight(k));
    pairs
        .min_by(|a, b| angle(a).total_cmp(&angle(b)))
        .unwrap_or([0, 0])
}

/// Scores of both classes as functions of the angles to their weights.
struct Sides<'a> {
    head: &'a HeadState,
    /// What a cosine is multiplied by, and what is added to it, for both classes.
    factors: [f64; 2],
    offsets: [f64; 2],
    /// What the axes reach to.
    span_deg: f64,
}

impl<'a> Sides<'a> {
    fn new(snapshot: &'a Snapshot, classes: [usize; 2]) -> Self {
        let head = &snapshot.head;
        let length = snapshot.metrics.mean_feature_norm.max(f64::MIN_POSITIVE);
        let factor = |class| match head.spec.form {
            Form::Angular(Rho::FeatureNorm | Rho::Scale) => 1.0,
            _ => norm(head.weight(class)),
        };
        let offset = |class: usize| {
            if head.spec.form.has_bias() {
                f64::from(head.bias[class]) / length
            } else {
                0.0
            }
        };
        Self {
            head,
            factors: classes.map(factor),
            offsets: classes.map(offset),
            span_deg: span_deg(head, classes),
        }
    }

    /// Angles along an axis.
    fn angles(&self) -> impl Iterator<Item = f64> {
        let span_rad = self.span_deg.to_radians();
        (0..=N_POINTS).map(move |i| span_rad * i as f64 / N_POINTS as f64)
    }

    /// The rival's angle at which its plain score is `score`; 0 or π where none is.
    fn rival_rad(&self, rival: usize, score: f64) -> f64 {
        let cos = (score - self.offsets[rival]) / self.factors[rival].max(f64::MIN_POSITIVE);
        angle::angle_of_cosine_rad(cos.clamp(-1.0, 1.0))
    }

    /// Where both plain scores are equal, ascending in the first angle.
    fn boundary(&self) -> Vec<[f64; 2]> {
        let at = |theta_rad: f64| {
            let score = self.factors[0] * theta_rad.cos() + self.offsets[0];
            [theta_rad, self.rival_rad(1, score)]
        };
        degrees(self.angles().map(at))
    }

    /// Where class `own` of the two wins with just its margin, ascending in its angle.
    fn margin(&self, own: usize) -> Vec<[f64; 2]> {
        let at = |theta_rad: f64| {
            let psi = self.head.spec.target.psi(theta_rad, &self.head.values);
            let score = self.factors[own] * psi + self.offsets[own];
            let rival_rad = self.rival_rad(1 - own, score);
            if own == 0 {
                [theta_rad, rival_rad]
            } else {
                [rival_rad, theta_rad]
            }
        };
        degrees(self.angles().map(at))
    }

    /// The samples of both that lie within the axes, and how many lie beyond.
    fn points(&self, snapshot: &Snapshot, classes: [usize; 2]) -> (Series, usize) {
        let mut points = points(snapshot, classes);
        let n_samples = points.len();
        points.retain(|(at, _, _)| at.iter().all(|angle_deg| *angle_deg <= self.span_deg));
        let n_beyond = n_samples - points.len();
        let radius = 1.6;
        (Series::Points { points, radius }, n_beyond)
    }

    fn band_area(&self) -> Series {
        Series::Area {
            rings: vec![self.band()],
            ink: Ink::Accent,
            opacity: BAND_OPACITY,
        }
    }

    /// Dashed, in the colour of the class.
    fn margin_curves(
        &self,
        own: usize,
        classes: [usize; 2],
    ) -> impl Iterator<Item = Series> + use<> {
        let ink = Ink::Fixed(class_color(classes[own]));
        curves(&self.margin(own), ink, true)
    }

    /// Between the two margins: where a class wins, but not with its margin.
    fn band(&self) -> Vec<[f64; 2]> {
        let mut ring = self.margin(0);
        ring.extend(self.margin(1).into_iter().rev());
        ring.push([0.0; 2]); // near both weights neither wins with its margin
        for at in ring.as_flattened_mut() {
            *at = at.min(self.span_deg);
        }
        ring
    }
}

/// How far the axes reach for the weights of two classes.
fn span_deg(head: &HeadState, classes: [usize; 2]) -> f64 {
    let [a, b] = classes.map(|class| head.weight(class));
    let wanted = SPAN_OF_APART * angle_between(a, b).to_degrees();
    let enough = SPANS_DEG.into_iter().find(|span| *span >= wanted);
    enough.unwrap_or(180.0)
}

fn degrees(points: impl Iterator<Item = [f64; 2]>) -> Vec<[f64; 2]> {
    points.map(|at| at.map(f64::to_degrees)).collect()
}

/// A curve without the stretches on which no rival's angle has the score: there it would run along
/// the edge of the map.
fn curves(points: &[[f64; 2]], ink: Ink, is_dashed: bool) -> impl Iterator<Item = Series> + use<> {
    let is_inside = |pair: &[[f64; 2]]| {
        !(0..2).any(|axis| {
            let [a, b] = [pair[0][axis], pair[1][axis]];
            is_on_edge(a) && (a - b).abs() < 1e-9
        })
    };
    let mut runs: Vec<Vec<[f64; 2]>> = Vec::new();
    let mut is_open = false;
    for pair in points.windows(2) {
        match runs.last_mut() {
            Some(run) if is_open && is_inside(pair) => run.push(pair[1]),
            _ if is_inside(pair) => runs.push(pair.to_vec()),
            _ => {}
        }
        is_open = is_inside(pair);
    }
    runs.into_iter().map(move |points| Series::Line {
        points,
        ink,
        width: 1.4,
        is_dashed,
    })
}

fn is_on_edge(angle_deg: f64) -> bool {
    !(1e-9..=180.0 - 1e-9).contains(&angle_deg)
}

/// The angles that a direction can have to two weights at an angle α: by the triangle inequality
/// a rectangle, |θ₁ − θ₂| ≤ α ≤ θ₁ + θ₂ ≤ 360° − α. On the circle only its outline.
fn reachable(head: &HeadState, classes: [usize; 2]) -> Series {
    let [a, b] = classes.map(|class| head.weight(class));
    let apart = angle_between(a, b).to_degrees();
    let corners = [
        [apart, 0.0],
        [180.0, 180.0 - apart],
        [180.0 - apart, 180.0],
        [0.0, apart],
        [apart, 0.0],
    ];
    Series::Line {
        points: corners.into(),
        ink: Ink::Faint,
        width: 1.0,
        is_dashed: false,
    }
}

fn points(snapshot: &Snapshot, classes: [usize; 2]) -> Vec<([f64; 2], Rgba, u32)> {
    let (head, probe) = (&snapshot.head, &snapshot.probe);
    let both = Classes::these(&classes, head.n_classes);
    let chosen = evenly(&probe.labels, 2 * MOST_SAMPLES, MOST_SAMPLES, &both);
    let place = |i: u32| {
        let x = &probe.features[i as usize * head.dim..][..head.dim];
        let at = classes.map(|class| angle_between(x, head.weight(class)).to_degrees());
        let color = class_color(usize::from(probe.labels[i as usize]));
        (at, color, i)
    };
    chosen.into_iter().map(place).collect()
}

fn norm(w: &[f32]) -> f64 {
    w.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::LOSSES;
    use crate::scene::sample::{even_weights, fans, snapshot};

    fn of(loss_id: &str) -> Snapshot {
        let mut weights = even_weights(4);
        weights.iter_mut().take(2).for_each(|w| *w *= 1.3);
        let (features, labels) = fans(&weights, 20, 1.0, 2.0, 0.3);
        snapshot(loss_id, 2, &weights, &features, &labels)
    }

    #[test]
    fn curves_do_not_run_along_the_edge() {
        let points = [
            [0.0, 180.0],
            [10.0, 180.0],
            [20.0, 170.0],
            [30.0, 90.0],
            [40.0, 0.0],
            [50.0, 0.0],
        ];
        let found: Vec<Series> = curves(&points, Ink::Text, false).collect();
        let [Series::Line { points, .. }] = &found[..] else {
            panic!("one line, not {}", found.len());
        };
        let expected = [[10.0, 180.0], [20.0, 170.0], [30.0, 90.0], [40.0, 0.0]];
        assert_eq!(points[..], expected);
    }

    /// On each line one side's score is the other's plain one.
    #[test]
    fn boundaries_lie_where_scores_are_equal() {
        for spec in LOSSES.iter().filter(|spec| spec.form.is_angular()) {
            let snapshot = of(spec.id);
            let head = &snapshot.head;
            let sides = Sides::new(&snapshot, [0, 1]);
            let plain = |side: usize, theta_rad: f64| {
                sides.factors[side] * theta_rad.cos() + sides.offsets[side]
            };
            let with_margin = |side: usize, theta_rad: f64| {
                sides.factors[side] * spec.target.psi(theta_rad, &head.values)
            };
            let is_inner = |theta_deg: f64| theta_deg > 1e-9 && theta_deg < 180.0 - 1e-9;
            let inner = |points: Vec<[f64; 2]>| {
                points
                    .into_iter()
                    .filter(move |at| at.iter().all(|&a| is_inner(a)))
            };
            for at in inner(sides.boundary()) {
                let [a, b] = at.map(f64::to_radians);
                assert!((plain(0, a) - plain(1, b)).abs() < 1e-9, "{}", spec.id);
            }
            for at in inner(sides.margin(0)) {
                let [a, b] = at.map(f64::to_radians);
                assert!(
                    (with_margin(0, a) - plain(1, b)).abs() < 1e-9,
                    "{}",
                    spec.id
                );
            }
            for at in inner(sides.margin(1)) {
                let [a, b] = at.map(f64::to_radians);
                assert!(
                    (with_margin(1, b) - plain(0, a)).abs() < 1e-9,
                    "{}",
                    spec.id
                );
            }
        }
    }

    #[test]
    fn the_map_reaches_as_far_as_its_classes_and_counts_what_lies_beyond() {
        let spans = [
            (20, 60.0),
            (8, 90.0),
            (7, 90.0),
            (5, 120.0),
            (4, 180.0),
            (2, 180.0),
        ];
        for (n_classes, span) in spans {
            let weights = even_weights(n_classes);
            let (features, labels) = fans(&weights, 20, 1.0, 2.0, 0.1);
            let snapshot = snapshot("arcface", 2, &weights, &features, &labels);
            let chart = margin_map(&snapshot, [0, 1]);
            assert_eq!((chart.x.span, chart.y.span), ([0.0, span], [0.0, span]));
            for series in &chart.series {
                if let Series::Area { rings, .. } = series {
                    let mut ends = rings.iter().flatten().flatten();
                    assert!(ends.all(|at| *at <= span));
                }
                assert!(
                    !matches!(series, Series::Note { .. }),
                    "nothing lies beyond"
                );
            }
        }
        let weights = even_weights(20);
        let features = [1.0, 0.1, -1.0, 0.1, -1.0, 0.2];
        let snapshot = snapshot("arcface", 2, &weights, &features, &[0, 0, 1]);
        let chart = margin_map(&snapshot, [0, 1]);
        let drawn = chart.series.iter().find_map(|series| match series {
            Series::Points { points, .. } => Some(points.len()),
            _ => None,
        });
        assert_eq!(drawn, Some(1));
        let note = chart.series.iter().find_map(|series| match series {
            Series::Note { text, .. } => Some(text.as_str()),
            _ => None,
        });
        assert_eq!(note, Some("2 beyond "));
    }

    /// ArcFace's band is m wide on both sides of the diagonal (arXiv 1801.07698, figure 5).
    #[test]
    fn the_band_of_arcface_is_parallel() {
        let snapshot = of("arcface");
        let margin_deg = snapshot.head.values[0].to_degrees();
        let sides = Sides::new(&snapshot, [0, 1]);
        for [a, b] in sides.margin(0).into_iter().filter(|[_, b]| *b < 179.0) {
            assert!((b - a - margin_deg).abs() < 1e-6, "{a}°: {b}°");
        }
    }

    /// On the circle a direction's angles to two weights lie on the outline of the rectangle.
    #[test]
    fn samples_on_the_circle_lie_on_the_outline() {
        let snapshot = of("arcface");
        let apart = angle_between(snapshot.head.weight(0), snapshot.head.weight(1)).to_degrees();
        for ([a, b], _, _) in points(&snapshot, [0, 1]) {
            let off = [a + b - apart, (a - b).abs() - apart, a + b - 360.0 + apart];
            assert!(off.iter().any(|off| off.abs() < 1e-4), "{a}° {b}°");
        }
    }
}
