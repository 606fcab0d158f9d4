//! A measure of many runs: means with their spread over the values of a setting, a curve for each
//! value of another.

use crate::scene::chart::ticks::{multiples, round_step};
use crate::scene::chart::{Axis, CURVE_CONTRAST, Chart, Ink, Series, ticks};
use crate::scene::fonts::wrapped;
use crate::scene::legend::{Swatch, strip};
use crate::scene::look::{Look, text};
use crate::scene::theme::{N_COLORS, Theme, class_color};
use crate::scene::{Anchor, Font, Group, Rgba, Scene};

/// More are not told apart by their colours.
pub const MOST_CURVES: usize = N_COLORS;

/// Size of the small print, and the height of its lines, in points.
const SMALL: f32 = 11.0;
const LINE: f32 = 15.0;
/// Room around everything.
const EDGE: f32 = 8.0;
/// Height of what an axis is called, below its ticks.
const CALLED: f32 = 18.0;
/// Radius of a mean, in points.
const RADIUS: f32 = 3.0;
/// Most numbers under an axis.
const MOST_TICKS: usize = 9;
/// Width of a range that is drawn as a line, in points.
const WHISKER: f32 = 2.0;
/// Ranges of more curves are lines side by side: as areas they would hide one another.
const MOST_BANDS: usize = 2;
/// What a curve leaves free at the ends of its axes, in shares of its span.
const ROOM: f64 = 0.05;

/// What is compared, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What the measure is called.
    pub measure: String,
    /// How its numbers are written.
    pub unit: Unit,
    /// What the setting along the axis is called.
    pub setting: String,
    /// Its values.
    pub places: Places,
    /// What the curves differ in; nothing where there is one.
    pub differ_in: String,
    /// At most [`MOST_CURVES`].
    pub curves: Vec<Curve>,
    /// One for each place: what stands there in the stead of means, if anything.
    pub remarks: Vec<String>,
    /// What is said below: of how many runs, of what.
    pub caption: String,
}

/// How numbers of a measure are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share, as a percentage.
    Share,
    /// Degrees.
    Degrees,
    /// As they are.
    None,
}

/// Where means stand along the setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Places {
    /// At numbers, ascending: along x.
    Numbers(Vec<f64>),
    /// At names: one below the other.
    Names(Vec<String>),
}

/// The means of one value of the other setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// That value.
    pub name: String,
    /// One for each place; `None` where no run has the measure.
    pub spreads: Vec<Option<Spread>>,
}

/// A measure over the seeds of one setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Spread {
    /// Of finite values; `None` of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let sum: f64 = values.iter().sum();
        (!values.is_empty()).then(|| Self {
            mean: sum / values.len() as f64,
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

impl Comparison {
    /// The plot without its legend. Numbers that grow by factors stand on a logarithmic axis, in
    /// powers of ten.
    pub fn chart(&self, theme: &Theme) -> Chart {
        match &self.places {
            Places::Numbers(numbers) => self.over_numbers(numbers, theme),
            Places::Names(names) => self.beside_names(names, theme),
        }
    }

    /// Height that suits a width, both in points.
    pub fn height(&self, theme: &Theme, width: f32) -> f32 {
        const NARROW: f32 = 0.56;
        const WIDE: f32 = 0.42;
        const WIDE_FROM: f32 = 620.0;
        const ROW: f32 = 26.0;
        const ROW_OF_CURVE: f32 = 11.0;
        const AXES: f32 = 48.0;
        let chart = match &self.places {
            Places::Numbers(_) if width < WIDE_FROM => NARROW * width,
            Places::Numbers(_) => WIDE * width,
            Places::Names(names) => {
                let row = ROW.max(ROW_OF_CURVE * (self.curves.len() + 1) as f32);
                AXES + row * names.len() as f32
            }
        };
        (chart + self.below(theme, width).size[1] + CALLED + 2.0 * EDGE).round()
    }

    /// Plot, legend and caption on a canvas of this size.
    pub fn scene(&self, theme: &Theme, size: [f32; 2]) -> Scene {
        let inner = size[0] - 2.0 * EDGE;
        let below = self.below(theme, size[0]);
        let room = size[1] - below.size[1] - CALLED - 2.0 * EDGE;
        let chart = self.chart(theme);
        let chart_size = [inner, room.max(1.0)];
        let frame = chart.frame(chart_size);
        let mut whole = Scene::empty(size, theme.ground);
        whole.place(
            0,
            chart.scene(theme, theme.ground, chart_size),
            [EDGE; 2],
            1.0,
        );
        let called = match self.places {
            Places::Numbers(_) => &self.setting,
            Places::Names(_) => &self.measure,
        };
        let middle = EDGE + 0.5 * (frame.min[0] + frame.max[0]);
        let at = [middle, EDGE + chart_size[1] + 0.5 * CALLED];
        whole.groups.push(Group::new(
            "labels",
            vec![text(
                at,
                called,
                SMALL,
                Font::Regular,
                theme.dimmed,
                Anchor::Middle,
            )],
        ));
        let top = EDGE + chart_size[1] + CALLED;
        whole.place(0, below, [0.0, top], 1.0);
        whole
    }

    /// Legend and caption.
    fn below(&self, theme: &Theme, width: f32) -> Scene {
        let mut below = Scene::empty([width, 0.0], theme.ground);
        if !self.differ_in.is_empty() {
            let look = Look::of_unit(*theme, SMALL / 12.0);
            let mut entries = vec![(Swatch::Heading, self.differ_in.clone())];
            let curves = self.curves.iter().zip(self.colors(theme));
            entries.extend(curves.map(|(curve, color)| (Swatch::Curve(color), curve.name.clone())));
            let legend = strip(entries, "", &look, width);
            below.size[1] = legend.size[1];
            below.place(0, legend, [0.0; 2], 1.0);
        }
        let lines = wrapped(&self.caption, SMALL, width - 2.0 * EDGE);
        let top = below.size[1] + 3.0;
        let line = |(i, words): (usize, String)| {
            let pos = [EDGE + 3.0, top + LINE * (i as f32 + 0.5)];
            text(
                pos,
                words,
                SMALL,
                Font::Regular,
                theme.dimmed,
                Anchor::Start,
            )
        };
        below.size[1] = top + LINE * lines.len() as f32;
        below.groups.push(Group::new(
            "caption",
            lines.into_iter().enumerate().map(line).collect(),
        ));
        below
    }

    /// A colour for each curve, readable on the ground; one alone has the accent.
    fn colors(&self, theme: &Theme) -> Vec<Rgba> {
        let look = Look::of_unit(*theme, 1.0);
        let color = |i| look.readable(class_color(i), CURVE_CONTRAST);
        match self.curves.len() {
            1 => vec![theme.accent],
            n => (0..n).map(color).collect(),
        }
    }

    fn over_numbers(&self, numbers: &[f64], theme: &Theme) -> Chart {
        let is_log = grows_by_factors(numbers);
        let at = |number: f64| if is_log { number.log10() } else { number };
        let places: Vec<f64> = numbers.iter().map(|&number| at(number)).collect();
        let y = self.measure_axis();
        let x_span = padded(&places, least_width(&places));
        let mut areas = Vec::new();
        let mut lines = Vec::new();
        let colors = self.colors(theme);
        for ((k, curve), color) in self.curves.iter().enumerate().zip(colors) {
            let ink = Ink::Fixed(color);
            let aside = self.aside(k, &places, x_span);
            for run in runs(&places, &curve.spreads) {
                let run: Vec<_> = run.into_iter().map(|(x, s)| (x + aside, s)).collect();
                if self.curves.len() <= MOST_BANDS && run.len() > 1 {
                    areas.push(band(&run, ink));
                } else {
                    areas.extend(run.iter().map(|(x, spread)| whisker(*x, spread, ink)));
                }
                lines.push(line(
                    run.iter().map(|(x, s)| [*x, s.mean]).collect(),
                    ink,
                    1.6,
                ));
                lines.push(points(run.iter().map(|(x, s)| [*x, s.mean]), color));
            }
        }
        areas.extend(lines);
        let foot = y.span[0] + 0.04 * (y.span[1] - y.span[0]);
        let remarks = places.iter().zip(&self.remarks);
        areas.extend(remarks.filter_map(|(&x, words)| remark([x, foot], words, Anchor::Middle)));
        Chart {
            title: self.measure.clone(),
            x: Axis {
                span: x_span,
                ticks: ticks_at(numbers, &places, x_span),
                ..Axis::default()
            },
            y,
            series: areas,
            ..Chart::default()
        }
    }

    /// How far beside its places a curve is drawn, so that ranges do not hide one another: by a hair,
    /// and never half the way to the next place.
    fn aside(&self, curve: usize, places: &[f64], span: [f64; 2]) -> f64 {
        const HAIR: f64 = 0.011;
        const MOST_OF_GAP: f64 = 0.5;
        let n = self.curves.len();
        if n <= MOST_BANDS {
            return 0.0;
        }
        let gaps = places.windows(2).map(|pair| pair[1] - pair[0]);
        let least = gaps.fold(f64::INFINITY, f64::min);
        let hair = (HAIR * (span[1] - span[0])).min(MOST_OF_GAP * least / n as f64);
        (curve as f64 - 0.5 * (n - 1) as f64) * hair
    }

    /// Names at the left, the first one on top: they are as long as they are.
    fn beside_names(&self, names: &[String], theme: &Theme) -> Chart {
        let n = names.len() as f64;
        let n_curves = self.curves.len() as f64;
        let mut series = Vec::new();
        for ((k, curve), color) in self.curves.iter().enumerate().zip(self.colors(theme)) {
            let ink = Ink::Fixed(color);
            for (i, spread) in curve.spreads.iter().enumerate() {
                let Some(spread) = spread else { continue };
                let y = n - i as f64 - (k as f64 + 1.0) / (n_curves + 1.0);
                series.push(line(vec![[spread.low, y], [spread.high, y]], ink, WHISKER));
                series.push(points([[spread.mean, y]].into_iter(), color));
            }
        }
        let x = self.measure_axis();
        let remarks = self.remarks.iter().enumerate();
        series.extend(remarks.filter_map(|(i, words)| {
            let at = [x.span[0], n - i as f64 - 0.5];
            remark(at, &format!(" {words}"), Anchor::Start).filter(|_| !words.is_empty())
        }));
        let middle = |(i, name): (usize, &String)| (n - i as f64 - 0.5, name.clone());
        Chart {
            title: self.setting.clone(),
            x,
            y: Axis {
                span: [0.0, n],
                ticks: names.iter().enumerate().map(middle).collect(),
                ..Axis::default()
            },
            series,
            ..Chart::default()
        }
    }

    /// All of what is drawn, between round numbers.
    fn measure_axis(&self) -> Axis {
        let spreads = self.curves.iter().flat_map(|curve| &curve.spreads);
        let ends: Vec<f64> = spreads.flatten().flat_map(|s| [s.low, s.high]).collect();
        let least = match self.unit {
            Unit::Share => 0.01,
            Unit::Degrees => 1.0,
            Unit::None => least_width(&ends),
        };
        let mut span = padded(&ends, least);
        if self.unit == Unit::Share {
            span = within_shares(span);
        }
        let step = round_step(span[1] - span[0]);
        let exists = |at: &f64| self.unit != Unit::Share || (-1e-9..=1.0 + 1e-9).contains(at);
        let ticks = multiples(step, span).filter(exists);
        let ticks = ticks.map(|at| (at, self.unit.words(at, step)));
        Axis {
            span,
            ticks: ticks.collect(),
            ..Axis::default()
        }
    }
}

impl Unit {
    /// A number at an axis whose ticks are `step` apart.
    fn words(self, value: f64, step: f64) -> String {
        let (factor, sign) = match self {
            Self::Share => (100.0, "%"),
            Self::Degrees => (1.0, "°"),
            Self::None => (1.0, ""),
        };
        ticks::number(value * factor, step * factor) + sign
    }
}

/// A series of numbers that is more even in its factors than in its steps, over a wide range.
fn grows_by_factors(numbers: &[f64]) -> bool {
    const WIDE: f64 = 8.0;
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
        return false;
    };
    if numbers.len() < 3 || *first <= 0.0 || last / first < WIDE {
        return false;
    }
    let unevenness = |of: fn(f64, f64) -> f64| {
        let steps = numbers.windows(2).map(|pair| of(pair[0], pair[1]));
        let (low, high) = steps.fold((f64::INFINITY, 0.0f64), |(low, high), step| {
            (low.min(step), high.max(step))
        });
        high / low
    };
    unevenness(|a, b| (b / a).ln()) < unevenness(|a, b| b - a)
}

/// From the least to the greatest with some room, and at least so wide.
fn padded(values: &[f64], least: f64) -> [f64; 2] {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !low.is_finite() || !high.is_finite() {
        return [0.0, 1.0];
    }
    let width = (high - low).max(least);
    let (middle, half) = (0.5 * (low + high), (0.5 + ROOM) * width);
    [middle - half, middle + half]
}

/// No wider than from 0 to 1, but for the room that a dot at an end needs; what is cut off at one end
/// is added at the other.
fn within_shares([low, high]: [f64; 2]) -> [f64; 2] {
    let room = ROOM * (high - low);
    let (ceiling, floor) = (1.0 + room, -room);
    let moved = [
        low - (high - ceiling).max(0.0),
        high + (floor - low).max(0.0),
    ];
    [moved[0].max(floor), moved[1].min(ceiling)]
}

/// What an axis around one number spans.
fn least_width(values: &[f64]) -> f64 {
    let size = values
        .iter()
        .fold(0.0f64, |size, value| size.max(value.abs()));
    if size > 0.0 { 0.1 * size } else { 1.0 }
}

/// The numbers themselves, as many as have room.
fn ticks_at(numbers: &[f64], places: &[f64], span: [f64; 2]) -> Vec<(f64, String)> {
    let apart = (span[1] - span[0]) / MOST_TICKS as f64;
    let mut ticks: Vec<(f64, String)> = Vec::new();
    for (number, &place) in numbers.iter().zip(places) {
        // Rounding must not drop a tick from an even row.
        if ticks
            .last()
            .is_none_or(|(last, _)| place - last > 0.999 * apart)
        {
            ticks.push((place, number.to_string()));
        }
    }
    ticks
}

/// Means that stand next to each other.
fn runs(places: &[f64], spreads: &[Option<Spread>]) -> Vec<Vec<(f64, Spread)>> {
    let mut runs = vec![Vec::new()];
    for (&place, spread) in places.iter().zip(spreads) {
        match (spread, runs.last_mut()) {
            (Some(spread), Some(run)) => run.push((place, *spread)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// From the least to the greatest.
fn band(run: &[(f64, Spread)], ink: Ink) -> Series {
    let lows = run.iter().map(|(x, spread)| [*x, spread.low]);
    let highs = run.iter().rev().map(|(x, spread)| [*x, spread.high]);
    Series::Area {
        rings: vec![lows.chain(highs).collect()],
        ink,
        opacity: 0.16,
    }
}

/// The same at one place.
fn whisker(x: f64, spread: &Spread, ink: Ink) -> Series {
    line(vec![[x, spread.low], [x, spread.high]], ink, WHISKER)
}

fn line(points: Vec<[f64; 2]>, ink: Ink, width: f32) -> Series {
    Series::Line {
        points,
        ink,
        width,
        is_dashed: false,
    }
}

/// `None` without words.
fn remark(at: [f64; 2], words: &str, anchor: Anchor) -> Option<Series> {
    (!words.is_empty()).then(|| Series::Note {
        at,
        text: words.to_owned(),
        anchor,
        ink: Ink::Dimmed,
    })
}

fn points(at: impl Iterator<Item = [f64; 2]>, color: Rgba) -> Series {
    let numbered = at.zip(0..);
    Series::Points {
        points: numbered.map(|(at, i)| (at, color, i)).collect(),
        radius: RADIUS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::theme::{DARK, LIGHT};

    fn spread(mean: f64) -> Option<Spread> {
        Spread::of(&[mean - 0.01, mean, mean + 0.01])
    }

    fn comparison(places: Places, curves: Vec<Curve>) -> Comparison {
        Comparison {
            measure: "Test accuracy".to_owned(),
            unit: Unit::Share,
            setting: "Margin m (rad)".to_owned(),
            places,
            differ_in: "Loss".to_owned(),
            curves,
            remarks: Vec::new(),
            caption: "Mean and range over 3 seeds.".to_owned(),
        }
    }

    fn curve(name: &str, means: &[f64]) -> Curve {
        Curve {
            name: name.to_owned(),
            spreads: means.iter().map(|&mean| spread(mean)).collect(),
        }
    }

    #[test]
    fn ticks_are_round_and_four_to_eight() {
        for width in [0.013, 0.5, 1.0, 7.3, 99.0, 1234.0, 1e-7] {
            let n = multiples(round_step(width), [0.0, width]).count();
            assert!((5..=11).contains(&n), "{width}: {n}");
        }
        assert_eq!(Unit::Share.words(0.955, 0.005), "95.5%");
        assert_eq!(Unit::Share.words(0.5, 0.1), "50%");
        assert_eq!(Unit::Share.words(0.97, 0.01), "97%");
        assert_eq!(Unit::Degrees.words(-0.0, 5.0), "0°");
        assert_eq!(Unit::None.words(120_000.0, 20_000.0), "120,000");
        assert_eq!(Unit::None.words(0.02, 0.02), "0.02");
    }

    #[test]
    fn factors_are_told_from_steps() {
        assert!(grows_by_factors(&[0.001, 0.01, 0.1]));
        assert!(grows_by_factors(&[1.0, 2.0, 4.0, 8.0, 16.0]));
        assert!(!grows_by_factors(&[0.0, 0.1, 0.2]));
        assert!(!grows_by_factors(&[0.1, 0.3, 0.5, 0.9]));
        assert!(!grows_by_factors(&[2.0, 3.0, 8.0]));
        assert!(!grows_by_factors(&[1.0, 100.0]));
        assert!(!grows_by_factors(&[]));
    }

    #[test]
    fn many_ranges_stand_side_by_side_and_nearest_to_their_place() {
        let places = Places::Numbers(vec![0.0, 0.1, 0.2]);
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let curves = names.map(|name| curve(name, &[0.5, 0.6, 0.7]));
        let chart = comparison(places, curves.into()).chart(&LIGHT);
        let mut xs: Vec<f64> = Vec::new();
        for series in &chart.series {
            if let Series::Points { points, .. } = series {
                xs.extend(points.iter().map(|(at, _, _)| at[0]));
            }
        }
        assert_eq!(xs.len(), 30);
        let nearest = |x: f64| (10.0 * x).round() / 10.0;
        for (i, x) in xs.iter().enumerate() {
            let place = [0.0, 0.1, 0.2][i % 3];
            assert!((nearest(*x) - place).abs() < 1e-9, "{x} for {place}");
        }
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        assert_eq!(xs.len(), 30, "no two on each other");
    }

    #[test]
    fn what_no_run_has_leaves_a_gap() {
        let places = [0.0, 1.0, 2.0, 3.0];
        let spreads = [spread(0.5), None, spread(0.7), spread(0.8)];
        let lengths: Vec<usize> = runs(&places, &spreads).iter().map(Vec::len).collect();
        assert_eq!(lengths, [1, 2]);
    }

    #[test]
    fn everything_drawn_lies_on_the_canvas_in_both_themes() {
        let numbers = Places::Numbers(vec![0.0, 0.1, 0.2]);
        let names = Places::Names(vec!["binary_cross_entropy".into(), "b".into(), "c".into()]);
        for places in [numbers, names] {
            let curves = vec![
                curve("a", &[0.98, 0.99, 0.99]),
                curve("b", &[0.2, 0.5, 0.4]),
            ];
            let comparison = comparison(places, curves);
            for (theme, width) in [(DARK, 960.0), (LIGHT, 240.0)] {
                let size = [width, comparison.height(&theme, width)];
                let scene = comparison.scene(&theme, size);
                for item in scene.groups.iter().flat_map(|group| &group.items) {
                    let points: Vec<[f32; 2]> = match item {
                        crate::scene::Item::Text { pos, .. } => vec![*pos],
                        crate::scene::Item::Line { points, .. } => points.clone(),
                        crate::scene::Item::Dots { dots, .. } => {
                            dots.iter().map(|dot| dot.center).collect()
                        }
                        _ => Vec::new(),
                    };
                    for point in points {
                        let is_inside = (0..2).all(|i| (0.0..=size[i]).contains(&point[i]));
                        assert!(is_inside, "{item:?} on {size:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_measure_that_is_the_same_everywhere_has_an_axis() {
        for value in [0.0, 1.0, 0.5] {
            let mut same = comparison(Places::Numbers(vec![1.0]), vec![curve("", &[value])]);
            same.curves[0].spreads = vec![Spread::of(&[value])];
            let chart = same.chart(&LIGHT);
            assert!(chart.y.span[0] < value && value < chart.y.span[1]);
            let inner = chart
                .y
                .ticks
                .iter()
                .filter(|(at, _)| (0.0..=1.0).contains(at));
            assert!(chart.y.ticks.len() > 2 && inner.count() == chart.y.ticks.len());
            assert!(chart.x.span[0] < chart.x.span[1]);
        }
    }
}
