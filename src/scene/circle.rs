//! The circle: normalized two-dimensional features on the rim, counted by angle outside it.

use std::f64::consts::TAU;

use crate::geometry::angle;
use crate::geometry::circle::Sector;
use crate::scene::curves::{Curves, Flat};
use crate::scene::label;
use crate::scene::label::{Bounds, Label};
use crate::scene::look::{Look, Mark, NO_STROKE, closed_line, disc, line, polygon};
use crate::scene::plane::{gaps, widest};
use crate::scene::theme::class_color;
use crate::scene::{Group, Item, ViewState};
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
}

pub(super) fn groups(
    snapshot: &Snapshot,
    curves: &Curves,
    flat: &Flat,
    view: &ViewState,
    look: Look,
    size: [f32; 2],
) -> Vec<Group> {
    let stage = view.stage(size);
    let frame = Frame {
        snapshot,
        flat,
        view,
        look,
        size,
        center: stage.middle(),
        radius: 0.5 * RIM * stage.short_side(),
    };
    let group = |name, items| Group { name, items };
    let show = view.show;
    let mut groups = Vec::new();
    if show.regions {
        groups.push(group("regions", frame.regions()));
        if show.margins && curves.has_margin {
            let gaps = gaps(flat);
            let items = gaps.iter().map(|gap| polygon(frame.wedge(gap), look.gap()));
            groups.push(group("gaps", items.collect()));
        }
        groups.push(group("seams", frame.seams()));
    }
    groups.push(group("frame", frame.rim()));
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
    if show.weights {
        groups.push(group("weights", weights));
    }
    if show.labels {
        groups.push(group("labels", labels));
    }
    groups
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

    fn rim(&self) -> Vec<Item> {
        let ring = (0..240).map(|step| self.at(TAU * f64::from(step) / 240.0, 1.0));
        let stroke = self.look.line(1.0, self.look.theme.hairline_strong);
        vec![closed_line(ring.collect(), stroke)]
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

    /// The polar angle, class and index of every feature that has a direction.
    fn angles(&self) -> impl Iterator<Item = (f64, usize, usize)> {
        let probe = &self.snapshot.probe;
        let features = probe.features.chunks_exact(2).zip(probe.labels.iter());
        features.enumerate().filter_map(|(i, (x, &label))| {
            let [x, y] = [f64::from(x[0]), f64::from(x[1])];
            let has_direction = x.is_finite() && y.is_finite() && (x != 0.0 || y != 0.0);
            has_direction.then(|| (y.atan2(x), usize::from(label), i))
        })
    }

    fn points(&self) -> Vec<Item> {
        let marks = self.angles().map(|(angle_rad, class, i)| Mark {
            center: self.at(angle_rad, 0.985 - BAND * scatter(i)),
            class,
            sample: i as u32,
            order: i,
            opacity: 1.0,
        });
        let radius = 0.95 * self.look.dot_radius(self.snapshot.probe.len());
        self.look.dots(marks.collect(), radius, 0.85)
    }

    /// Bars that count features by angle, stacked by class, the most frequent outside.
    fn histogram(&self) -> Vec<Item> {
        let n_classes = self.flat.weights.len();
        let mut counts = vec![0_u32; N_BINS * n_classes];
        for (angle_rad, class, _) in self.angles() {
            let bin = (angle_rad.rem_euclid(TAU) / TAU * N_BINS as f64) as usize % N_BINS;
            if class < n_classes {
                counts[bin * n_classes + class] += 1;
            }
        }
        let totals = counts
            .chunks_exact(n_classes)
            .map(|bin| bin.iter().sum::<u32>());
        let highest = totals.max().unwrap_or(0).max(1);
        let per_sample = (BARS_TO - BARS_FROM) / highest as f32;
        let mut items = Vec::new();
        for (bin, counts) in counts.chunks_exact(n_classes).enumerate() {
            let mut order: Vec<usize> = (0..n_classes).filter(|&j| counts[j] > 0).collect();
            order.sort_by_key(|&j| counts[j]);
            let mut from = BARS_FROM;
            for class in order {
                let to = from + per_sample * counts[class] as f32;
                items.extend(self.bar(bin, from, to, class));
                from = to;
            }
        }
        items
    }

    fn bar(&self, bin: usize, from: f32, to: f32, class: usize) -> Vec<Item> {
        const FILLED: f64 = 0.9;
        let step = TAU / N_BINS as f64;
        let start = step * (bin as f64 + 0.5 * (1.0 - FILLED));
        let end = start + FILLED * step;
        let corners = vec![
            self.at(start, from),
            self.at(end, from),
            self.at(end, to),
            self.at(start, to),
        ];
        let opacity = if self.look.theme.is_dark { 0.86 } else { 0.9 };
        let mut items = vec![polygon(
            corners.clone(),
            class_color(class).with_opacity(opacity),
        )];
        if self.look.is_faint(class) {
            let stroke = self.look.line(0.9, self.look.ink(class));
            items.push(line(vec![corners[2], corners[3]], stroke));
        }
        items
    }

    fn weights_and_labels(&self) -> (Vec<Item>, Vec<Item>) {
        let mut weights = Vec::new();
        let mut labels = Vec::new();
        for (class, w) in self.flat.weights.iter().enumerate() {
            let name = self
                .snapshot
                .class_names
                .get(class)
                .map_or("", |n| n.as_str());
            let label = Label::new(&self.look, class, name, self.flat.weights.len());
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
        let places = label::place(&labels, &bounds, self.look.unit);
        let items = labels
            .iter()
            .zip(places)
            .filter_map(|(label, at)| Some(label::items(&self.look, label, at?)));
        (weights, items.flatten().collect())
    }
}

/// A number in [0, 1) that belongs to a sample: how far inside the rim it is drawn, so that dense
/// places look dense. The golden ratio spreads neighbors in the list.
fn scatter(sample: usize) -> f32 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    (((sample as f64 + 1.0) * GOLDEN).fract() * 0.999) as f32
}
