//! The circle: normalized two-dimensional features on the rim, counted by angle outside it.

use std::f64::consts::TAU;

use crate::geometry::angle;
use crate::geometry::circle::Sector;
use crate::scene::curves::{Curves, Flat};
use crate::scene::dots;
use crate::scene::dots::{Mark, Style, is_on_canvas};
use crate::scene::label;
use crate::scene::label::{Bounds, Label};
use crate::scene::look::{Look, NO_STROKE, closed_line, disc, line, polygon};
use crate::scene::place::{MEANS_TO_RIM, rim_length};
use crate::scene::plane::widest;
use crate::scene::theme::class_color;
use crate::scene::{Group, Item, Light, ViewState, gaps};
use crate::trainer::Snapshot;

/// Bars round the circle, 2.5° each.
const N_BINS: usize = 144;
/// Radius of the circle over half the short side, and those of the bars over it.
const RIM: f32 = 0.715;
const BARS_FROM: f32 = 1.035;
const BARS_TO: f32 = 1.33;
/// Where labels stand on the radius.
const LABELS_AT: f32 = 0.79;
/// Depth of the band that holds the points.
const BAND: f32 = 0.055;

struct Frame<'a> {
    snapshot: &'a Snapshot,
    flat: &'a Flat,
    view: &'a ViewState,
    look: Look,
    size: [f32; 2],
    center: [f32; 2],
    radius: f32,
    /// Where lengths are shown, that of a feature on the rim.
    rim_length: Option<f64>,
}

pub(super) fn groups(
    snapshot: &Snapshot,
    curves: &Curves,
    flat: &Flat,
    view: &ViewState,
    look: Look,
    size: [f32; 2],
) -> Vec<Group> {
    let (center, radius) = disc_of(view, size);
    let frame = Frame {
        snapshot,
        flat,
        view,
        look,
        size,
        center,
        radius,
        rim_length: rim_length(snapshot, view),
    };
    let group = Group::new;
    let show = view.show;
    let mut groups = Vec::new();
    if show.regions {
        groups.push(group("regions", frame.regions()));
        if show.margins && curves.has_margin {
            let gaps = gaps::within_sectors(flat);
            let items = gaps.iter().map(|gap| polygon(frame.wedge(gap), look.gap()));
            groups.push(group("gaps", items.collect()));
        }
        groups.push(group("seams", frame.seams()));
    }
    groups.push(group("frame", frame.rim()));
    if show.ideal {
        groups.push(group("ideal", frame.ideal()));
    }
    if show.margins {
        groups.push(group("margins", frame.margins()));
    }
    if show.histogram && show.points {
        groups.push(group("histogram", frame.histogram()));
    }
    if show.points {
        groups.push(group("points", frame.points()));
    }
    let (weights, labels) = frame.weights_and_labels();
    if view.writes_gaps(snapshot) {
        let at = |angle_rad, share| frame.at(angle_rad, share);
        let angles = gaps::angles(&look, flat, frame.radius, &labels, at);
        groups.push(group("angles", angles));
    }
    if show.weights {
        groups.push(group("weights", weights));
    }
    if show.labels {
        groups.push(group("labels", labels));
    }
    groups
}

/// Middle and radius of the circle on the canvas.
pub(super) fn disc_of(view: &ViewState, size: [f32; 2]) -> ([f32; 2], f32) {
    let stage = view.stage(size);
    (stage.middle(), 0.5 * RIM * stage.short_side())
}

/// Where a sample's dot lies between center and rim.
#[inline]
pub(super) fn band_share(sample: usize) -> f32 {
    0.985 - BAND * scatter(sample)
}

impl Frame<'_> {
    fn at(&self, angle_rad: f64, share: f32) -> [f32; 2] {
        let u = angle::direction(angle_rad);
        let r = self.radius * share;
        [
            self.center[0] + r * u.x as f32,
            self.center[1] - r * u.y as f32,
        ]
    }

    fn wedge(&self, sector: &Sector) -> Vec<[f32; 2]> {
        let n = (sector.width_rad() / 0.02).ceil().max(1.0) as usize;
        let is_whole = sector.width_rad() > TAU - 1e-9;
        let mut ring = if is_whole {
            Vec::new()
        } else {
            vec![self.center]
        };
        for step in 0..=n {
            let at = sector.start_rad + sector.width_rad() * step as f64 / n as f64;
            ring.push(self.at(at, 1.0));
        }
        if is_whole {
            ring.pop();
        }
        ring
    }

    fn regions(&self) -> Vec<Item> {
        let sectors = self.flat.sectors.iter();
        sectors
            .map(|sector| polygon(self.wedge(sector), self.look.tint(sector.class)))
            .collect()
    }

    fn seams(&self) -> Vec<Item> {
        if self.flat.sectors.len() < 2 {
            return Vec::new();
        }
        let sectors = self.flat.sectors.iter();
        sectors
            .map(|sector| {
                let points = vec![self.center, self.at(sector.start_rad, 1.0)];
                line(points, self.look.seam())
            })
            .collect()
    }

    /// The circle, and within it the circle of the mean length where lengths are shown.
    fn rim(&self) -> Vec<Item> {
        let ring =
            |share: f32| (0..240).map(move |step| self.at(TAU * f64::from(step) / 240.0, share));
        let stroke = self.look.line(1.0, self.look.theme.hairline_strong);
        let mut items = vec![closed_line(ring(1.0).collect(), stroke)];
        if self.rim_length.is_some() {
            let share = 1.0 / MEANS_TO_RIM as f32;
            let stroke = self.look.line(1.0, self.look.theme.dimmed);
            items.push(closed_line(ring(share).collect(), stroke));
        }
        items
    }

    fn margins(&self) -> Vec<Item> {
        let arcs = self.flat.arcs.iter();
        arcs.filter(|arc| arc.width_rad() < TAU - 1e-9)
            .flat_map(|arc| [(arc.class, arc.start_rad), (arc.class, arc.end_rad)])
            .map(|(class, at)| {
                let points = vec![self.at(at, 0.03), self.at(at, 1.0)];
                line(points, self.look.dashed(self.look.ink(class)))
            })
            .collect()
    }

    /// A notch on the rim at each place of the regular polygon.
    fn ideal(&self) -> Vec<Item> {
        let (half_width_rad, color) = (0.009, self.look.theme.text.with_opacity(0.75));
        let places = self.flat.ideal_rad.iter();
        places
            .map(|&at| {
                let ring = vec![
                    self.at(at, 0.992),
                    self.at(at - half_width_rad, 1.03),
                    self.at(at + half_width_rad, 1.03),
                ];
                polygon(ring, color)
            })
            .collect()
    }

    /// Every feature that is shown and has a direction, with its class and index.
    fn features(&self) -> impl Iterator<Item = ([f64; 2], u16, usize)> {
        let probe = &self.snapshot.probe;
        let shown = self.view.classes.mask(self.flat.weights.len());
        let features = probe.features.chunks_exact(2).zip(probe.labels.iter());
        features.enumerate().filter_map(move |(i, (x, &class))| {
            let [x, y] = [f64::from(x[0]), f64::from(x[1])];
            let has_direction = x.is_finite() && y.is_finite() && (x != 0.0 || y != 0.0);
            (has_direction && shown.shows(class)).then_some(([x, y], class, i))
        })
    }

    fn points(&self) -> Vec<Item> {
        let n_samples = self.snapshot.probe.len();
        let mut marks = Vec::with_capacity(n_samples);
        for ([x, y], class, i) in self.features() {
            let share = match self.rim_length {
                Some(rim_length) => f64::from(self.radius) / rim_length,
                None => f64::from(self.radius * band_share(i)) / (x * x + y * y).sqrt(),
            };
            let center = [
                self.center[0] + (x * share) as f32,
                self.center[1] - (y * share) as f32,
            ];
            if is_on_canvas(center, self.size) {
                marks.push(Mark {
                    center,
                    sample: i as u32,
                    class,
                    depth: 0,
                });
            }
        }
        let style = Style {
            radius: 0.95 * self.look.dot_radius(n_samples),
            opacities: &[0.85],
            outline: 0.9,
        };
        let lit = self.view.light.mask(self.snapshot);
        dots::items(
            &self.look,
            marks,
            n_samples,
            style,
            self.size,
            lit.as_deref(),
        )
    }

    /// Bars that count features by angle, stacked by class, the most frequent outside.
    fn histogram(&self) -> Vec<Item> {
        let n_classes = self.flat.weights.len();
        let bins = Bins::new();
        let mut counts = vec![0_u32; N_BINS * n_classes];
        for (x, class, _) in self.features() {
            let class = usize::from(class);
            if class < n_classes {
                counts[bins.of(x) * n_classes + class] += 1;
            }
        }
        let totals = counts
            .chunks_exact(n_classes)
            .map(|bin| bin.iter().sum::<u32>());
        let highest = totals.max().unwrap_or(0).max(1);
        let per_sample = (BARS_TO - BARS_FROM) / highest as f32;
        let is_faint: Vec<bool> = (0..n_classes).map(|j| self.look.is_faint(j)).collect();
        let opacity = match (self.view.light, self.look.theme.is_dark) {
            (Light::All, true) => 0.86,
            (Light::All, false) => 0.9,
            _ => 0.3, // bars count all samples, and some of them are looked for
        };
        let mut items = Vec::new();
        for (bin, counts) in counts.chunks_exact(n_classes).enumerate() {
            let mut order: Vec<usize> = (0..n_classes).filter(|&j| counts[j] > 0).collect();
            order.sort_by_key(|&j| counts[j]);
            let mut from = BARS_FROM;
            for class in order {
                let to = from + per_sample * counts[class] as f32;
                let corners = self.bar(bin, from, to);
                let top = vec![corners[2], corners[3]];
                let color = class_color(class).with_opacity(opacity);
                items.push(polygon(corners, color));
                if is_faint[class] {
                    items.push(line(top, self.look.line(0.9, self.look.ink(class))));
                }
                from = to;
            }
        }
        items
    }

    /// Corners of a piece of a bar: the last two are its outer ones.
    fn bar(&self, bin: usize, from: f32, to: f32) -> Vec<[f32; 2]> {
        const FILLED: f64 = 0.9;
        let step = TAU / N_BINS as f64;
        let start = step * (bin as f64 + 0.5 * (1.0 - FILLED));
        let end = start + FILLED * step;
        vec![
            self.at(start, from),
            self.at(end, from),
            self.at(end, to),
            self.at(start, to),
        ]
    }

    fn weights_and_labels(&self) -> (Vec<Item>, Vec<Item>) {
        let mut weights = Vec::new();
        let mut labels = Vec::new();
        for (class, w) in self.flat.weights.iter().enumerate() {
            let label = Label::of_weight(&self.look, self.snapshot, class, self.size);
            if w.norm() > 0.0 {
                let tip = self.at(angle::polar_rad(*w), LABELS_AT);
                let points = vec![self.center, tip];
                weights.push(line(points, self.look.line(2.4, self.look.ink(class))));
                labels.push(label.at(tip, tip));
            } else {
                let middle = widest(&self.flat.sectors, class).map(Sector::middle_rad);
                let at = middle.map_or(self.center, |middle| self.at(middle, LABELS_AT));
                labels.push(label.at(at, at));
            }
        }
        weights.push(disc(
            self.center,
            3.4 * self.look.unit,
            self.look.theme.text,
            NO_STROKE,
        ));
        let pad = 6.0 * self.look.unit;
        let bounds = Bounds {
            min: self.view.area(self.size).min.map(|x| x + pad),
            max: self.view.stage(self.size).max.map(|x| x - pad),
        };
        (weights, label::items(&self.look, &labels, &bounds))
    }
}

/// A number in [0, 1) that belongs to a sample: how far inside the rim it is drawn, so that dense
/// places look dense. The golden ratio spreads neighbors in the list.
#[inline]
fn scatter(sample: usize) -> f32 {
    const GOLDEN: u32 = 0x9e37_79b9; // 2³² over the golden ratio
    let turned = (sample as u32 + 1).wrapping_mul(GOLDEN);
    (turned >> 8) as f32 / (1 << 24) as f32 // as many bits as a float holds
}

/// Finds the bar of a feature without its angle: an arc tangent for each of 70,000 samples would
/// be the dearest part of the picture.
struct Bins {
    /// [`quarters`] at the end of each bar.
    ends: [f64; N_BINS],
    /// The bar in which each slot of quarters begins.
    first: [u8; N_SLOTS],
}

/// Slots are narrower than any bar, so that at most one bar ends in each.
const N_SLOTS: usize = 256;

impl Bins {
    fn new() -> Self {
        let ends = std::array::from_fn(|bin| {
            let end = angle::direction(TAU * (bin + 1) as f64 / N_BINS as f64);
            if bin + 1 < N_BINS {
                quarters([end.x, end.y])
            } else {
                f64::INFINITY
            }
        });
        let first = |slot: usize| {
            let start = 4.0 * slot as f64 / N_SLOTS as f64;
            ends.iter().filter(|&&end| end <= start).count() as u8
        };
        Self {
            ends,
            first: std::array::from_fn(first),
        }
    }

    fn of(&self, x: [f64; 2]) -> usize {
        let at = quarters(x);
        let slot = (at * (N_SLOTS as f64 / 4.0)) as usize;
        let bin = usize::from(self.first[slot.min(N_SLOTS - 1)]);
        bin + usize::from(at >= self.ends[bin])
    }
}

/// A number from 0 to 4 that grows with the angle of a feature, from 0 to 2π.
fn quarters([x, y]: [f64; 2]) -> f64 {
    let share = y / (x.abs() + y.abs());
    match (x >= 0.0, y >= 0.0) {
        (true, true) => share,
        (false, _) => 2.0 - share,
        (true, false) => 4.0 + share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_direction_is_counted_in_the_bar_of_its_angle() {
        let bins = Bins::new();
        for step in 0..7200 {
            let angle_rad = TAU * (f64::from(step) + 0.5) / 7200.0;
            let u = angle::direction(angle_rad);
            let bin = (angle_rad / TAU * N_BINS as f64) as usize;
            assert_eq!(bins.of([3.0 * u.x, 3.0 * u.y]), bin, "{angle_rad} rad");
        }
        for (u, bin) in [
            ([1.0, 0.0], 0),
            ([1.0, -0.0], 0),
            ([0.0, 1.0], N_BINS / 4),
            ([-1.0, 0.0], N_BINS / 2),
            ([-1.0, -0.0], N_BINS / 2),
            ([0.0, -1.0], 3 * N_BINS / 4),
            ([1.0, -1e-12], N_BINS - 1),
        ] {
            assert_eq!(bins.of(u), bin, "{u:?}");
        }
    }

    #[test]
    fn neighbors_in_the_list_are_scattered() {
        let inside: Vec<f32> = (0..100_000).map(scatter).collect();
        assert!(inside.iter().all(|s| (0.0..1.0).contains(s)));
        let near = inside.windows(2).filter(|w| (w[0] - w[1]).abs() < 0.3);
        assert_eq!(near.count(), 0);
    }
}
