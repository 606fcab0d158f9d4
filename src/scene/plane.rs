//! The plane: raw two-dimensional features, exact decision cells, weights as arrows.

use nalgebra::Vector2;

use crate::geometry::angle;
use crate::geometry::circle::Sector;
use crate::geometry::head::Head;
use crate::geometry::plane;
use crate::geometry::plane::Rect;
use crate::scene::curves::{Curves, Flat, has_directions_only};
use crate::scene::dots;
use crate::scene::dots::{Mark, Style, is_on_canvas};
use crate::scene::label;
use crate::scene::label::{Bounds, Label};
use crate::scene::look::{Look, NO_STROKE, disc, line, number, polygon, text};
use crate::scene::{Anchor, Font, Group, Item, Rgba, ViewState, gaps};
use crate::trainer::Snapshot;

/// Where things of the plane stand on this canvas.
struct Frame<'a> {
    snapshot: &'a Snapshot,
    flat: &'a Flat,
    view: &'a ViewState,
    look: Look,
    size: [f32; 2],
    middle: [f32; 2],
    /// What the canvas shows, in feature space.
    rect: Rect,
}

pub(super) fn groups(
    snapshot: &Snapshot,
    curves: &Curves,
    flat: &Flat,
    view: &ViewState,
    look: Look,
    size: [f32; 2],
) -> Vec<Group> {
    let middle = view.stage(size).middle();
    let corner = |at: [f32; 2]| Vector2::from(view.plane.world_from_screen(at, middle));
    let frame = Frame {
        snapshot,
        flat,
        view,
        look,
        size,
        middle,
        rect: Rect::from_corners(corner([0.0, 0.0]), corner(size)),
    };
    let group = Group::new;
    let mut groups = Vec::new();
    let show = view.show;
    if show.regions {
        let (regions, seams) = frame.regions();
        groups.push(group("regions", regions));
        if show.margins && curves.has_margin {
            groups.push(group("gaps", frame.gaps()));
        }
        groups.push(group("seams", seams));
    }
    if show.margins {
        groups.push(group("margins", frame.margins()));
    }
    if show.points {
        groups.push(group("points", frame.points()));
    }
    let (weights, labels) = frame.weights_and_labels();
    if view.writes_gaps(snapshot) {
        groups.push(group("angles", frame.gap_angles(&labels)));
    }
    if show.weights {
        groups.push(group("weights", weights));
    }
    groups.push(group("centers", frame.centers()));
    if show.labels {
        groups.push(group("labels", labels));
    }
    groups.push(group("frame", frame.scale_bar()));
    groups
}

impl Frame<'_> {
    fn screen(&self, x: Vector2<f64>) -> [f32; 2] {
        self.view.plane.screen_from_world([x.x, x.y], self.middle)
    }

    fn regions(&self) -> (Vec<Item>, Vec<Item>) {
        let cells = plane::decision_cells(
            &Head::new(&self.flat.weights, &self.flat.bias, 1.0),
            &self.rect,
        );
        let regions = cells.cells.iter().map(|cell| {
            let ring = cell.polygon.iter().map(|&x| self.screen(x)).collect();
            polygon(ring, self.look.tint(cell.class))
        });
        let stroke = self.look.seam();
        let seams = cells
            .seams
            .iter()
            .map(|seam| line(seam.ends.iter().map(|&x| self.screen(x)).collect(), stroke));
        (regions.collect(), seams.collect())
    }

    fn gaps(&self) -> Vec<Item> {
        gaps::within_sectors(self.flat)
            .iter()
            .map(|gap| self.wedge(gap))
            .filter(|ring| ring.len() > 2)
            .map(|ring| polygon(ring, self.look.gap()))
            .collect()
    }

    /// What the canvas shows of a wedge from the origin.
    fn wedge(&self, sector: &Sector) -> Vec<[f32; 2]> {
        let far = self
            .rect
            .corners()
            .iter()
            .map(nalgebra::Matrix::norm)
            .fold(0.0, f64::max);
        let n = (sector.width_rad() / 0.5).ceil().max(1.0);
        let reach = far / (0.5 * sector.width_rad() / n).cos() * 1.01;
        let mut ring = vec![Vector2::zeros()];
        for step in 0..=n as usize {
            let at = sector.start_rad + sector.width_rad() * step as f64 / n;
            ring.push(reach * angle::direction(at));
        }
        let ring = plane::clip_polygon(&self.rect, &ring);
        ring.into_iter().map(|x| self.screen(x)).collect()
    }

    fn margins(&self) -> Vec<Item> {
        let arcs = self
            .flat
            .arcs
            .iter()
            .filter(|arc| arc.width_rad() < FULL_TURN_RAD);
        arcs.flat_map(|arc| [(arc.class, arc.start_rad), (arc.class, arc.end_rad)])
            .filter_map(|(class, at)| {
                let ray = plane::clip_ray(&self.rect, Vector2::zeros(), angle::direction(at))?;
                let points = ray.iter().map(|&x| self.screen(x)).collect();
                Some(line(points, self.look.dashed(self.look.ink(class))))
            })
            .collect()
    }

    fn gap_angles(&self, labels: &[Item]) -> Vec<Item> {
        let stage = self.view.stage(self.size);
        let radius = 0.5 * stage.short_side();
        let origin = self.screen(Vector2::zeros());
        let at = |angle_rad, share: f32| {
            let u = angle::direction(angle_rad).cast::<f32>() * share * radius;
            [origin[0] + u.x, origin[1] - u.y]
        };
        gaps::angles(&self.look, self.flat, radius, labels, at)
    }

    fn points(&self) -> Vec<Item> {
        let probe = &self.snapshot.probe;
        let plane = &self.view.plane;
        let pts_per_unit = 1.0 / plane.units_per_pt;
        let at = |x: f32, axis: usize| (f64::from(x) - plane.center_world[axis]) * pts_per_unit;
        let shown = self.view.classes.mask(self.snapshot.head.n_classes);
        let mut marks = Vec::with_capacity(probe.len());
        let features = probe.features.chunks_exact(2).zip(probe.labels.iter());
        for (i, (x, &class)) in features.enumerate() {
            let center = [
                self.middle[0] + at(x[0], 0) as f32,
                self.middle[1] - at(x[1], 1) as f32,
            ];
            if is_on_canvas(center, self.size) && shown.shows(class) {
                marks.push(Mark {
                    center,
                    sample: i as u32,
                    class,
                    depth: 0,
                });
            }
        }
        let opacity = if self.look.theme.is_dark { 0.9 } else { 0.82 };
        let style = Style {
            radius: self.look.dot_radius(probe.len()),
            opacities: &[opacity],
            outline: 0.9,
        };
        let lit = self.view.light.mask(self.snapshot);
        dots::items(
            &self.look,
            marks,
            probe.len(),
            style,
            self.size,
            lit.as_deref(),
        )
    }

    /// Arrows from the origin, and the labels at their tips.
    fn weights_and_labels(&self) -> (Vec<Item>, Vec<Item>) {
        let arrows = WeightArrows::of(self.snapshot, self.view, self.size);
        let WeightArrows { origin, reach, .. } = arrows;
        let mut weights = Vec::new();
        let mut labels = Vec::new();
        for (class, w) in self.flat.weights.iter().enumerate() {
            let label = Label::of_weight(&self.look, self.snapshot, class, self.size);
            if w.norm() > 0.0 {
                let tip = arrows.tip(w);
                weights.push(line(
                    vec![origin, tip],
                    self.look.line(3.6, self.look.theme.ground),
                ));
                weights.push(line(
                    vec![origin, tip],
                    self.look.line(1.8, self.look.theme.text),
                ));
                labels.push(label.at(tip, tip));
            } else if let Some(at) = self.middle_of(class) {
                // A zero weight has no arrow: its name stands in its region.
                let at = [
                    origin[0] + reach * at.x as f32,
                    origin[1] - reach * at.y as f32,
                ];
                labels.push(label.without_disc().at(at, at));
            } else {
                labels.push(label.at(origin, origin));
            }
        }
        if !weights.is_empty() {
            let color = self.look.theme.text;
            weights.push(disc(origin, 3.2 * self.look.unit, color, NO_STROKE));
        }
        // A weight far outside the canvas is not labelled at its edge.
        labels.retain(|label| is_on_canvas(label.anchor, self.size));
        let pad = 6.0 * self.look.unit;
        let stage = self.view.stage(self.size);
        let bounds = Bounds {
            min: stage.min.map(|x| x + pad),
            max: stage.max.map(|x| x - pad),
        };
        (weights, label::items(&self.look, &labels, &bounds))
    }

    /// The direction in the middle of a class's widest sector.
    fn middle_of(&self, class: usize) -> Option<Vector2<f64>> {
        widest(&self.flat.sectors, class).map(|sector| angle::direction(sector.middle_rad()))
    }

    /// Centers of center loss: rings, so that what lies in them is seen.
    fn centers(&self) -> Vec<Item> {
        let unit = self.look.unit;
        let centers = self.snapshot.head.centers.chunks_exact(2);
        centers
            .enumerate()
            .map(|(class, c)| {
                let at = self.screen(Vector2::new(f64::from(c[0]), f64::from(c[1])));
                (class, at)
            })
            .filter(|(_, at)| is_on_canvas(*at, self.size))
            .flat_map(|(_, at)| {
                let none = Rgba([0, 0, 0, 0]);
                let (ground, ink) = (self.look.theme.ground, self.look.theme.text);
                [
                    disc(at, 7.0 * unit, none, self.look.line(4.4, ground)),
                    disc(at, 7.0 * unit, none, self.look.line(1.9, ink)),
                ]
            })
            .collect()
    }

    /// How long a round number of units is.
    fn scale_bar(&self) -> Vec<Item> {
        let area = self.view.area(self.size);
        let unit = self.look.unit.min(1.3);
        let longest = f64::from(BAR_SHARE * area.short_side()) * self.view.plane.units_per_pt;
        let length = round_down(longest);
        let width = (length / self.view.plane.units_per_pt) as f32;
        let (right, y) = (area.max[0] - BAR_SIDE * unit, area.max[1] - 20.0 * unit);
        let left = right - width;
        let tick = 4.0 * unit;
        let size = (11.5 * unit).clamp(self.look.range.least, self.look.range.most);
        let color = self.look.theme.dimmed;
        let points = vec![[left, y - tick], [left, y], [right, y], [right, y - tick]];
        let label = text(
            [f32::midpoint(left, right), y - 0.95 * size],
            trimmed(length),
            size,
            Font::Regular,
            color,
            Anchor::Middle,
        );
        vec![line(points, self.look.line(1.2, color)), label]
    }
}

/// Longest scale bar over the short side, and the room at its right, at unit size.
const BAR_SHARE: f32 = 0.16;
const BAR_SIDE: f32 = 22.0;

/// What the scale bar takes of the canvas' right side at most, and what stands off from it.
pub(super) fn scale_bar_room(short_side: f32, unit: f32) -> f32 {
    const APART: f32 = 14.0;
    BAR_SHARE * short_side + (BAR_SIDE + APART) * unit
}

/// An arc this wide is the whole circle and has no ends to draw.
const FULL_TURN_RAD: f64 = std::f64::consts::TAU - 1e-3;

/// The factor that all weight arrows share; `None` where only their directions count.
pub fn weight_factor(snapshot: &Snapshot, view: &ViewState, size: [f32; 2]) -> Option<f64> {
    let head = &snapshot.head;
    if has_directions_only(head) {
        return None;
    }
    if let Some(factor) = view.held_factor {
        return Some(factor);
    }
    let norm = |w: &[f32]| w.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>().sqrt();
    let longest = (0..head.n_classes).map(|class| norm(head.weight(class)));
    let longest = longest.fold(0.0, f64::max);
    let wanted = f64::from(arrow_length(view, size)) * view.plane.units_per_pt;
    if longest <= 0.0 {
        return Some(1.0);
    }
    Some(round_down((wanted / longest).clamp(1e-12, 1e12)))
}

/// The arrows of the class weights.
pub(super) struct WeightArrows {
    origin: [f32; 2],
    /// Points in a unit of weight; `None` where all arrows are alike.
    pts_per_unit: Option<f64>,
    /// Length of the longest arrow in points.
    reach: f32,
}

impl WeightArrows {
    pub(super) fn of(snapshot: &Snapshot, view: &ViewState, size: [f32; 2]) -> Self {
        let factor = weight_factor(snapshot, view, size);
        Self {
            origin: view
                .plane
                .screen_from_world([0.0; 2], view.stage(size).middle()),
            pts_per_unit: factor.map(|factor| factor / view.plane.units_per_pt),
            reach: arrow_length(view, size),
        }
    }

    /// Where the arrow of weight `w` ends.
    pub(super) fn tip(&self, w: &Vector2<f64>) -> [f32; 2] {
        let along = w * self.pts_per_unit.unwrap_or(f64::from(self.reach));
        [
            self.origin[0] + along.x as f32,
            self.origin[1] - along.y as f32,
        ]
    }
}

/// Length of the longest arrow in points.
fn arrow_length(view: &ViewState, size: [f32; 2]) -> f32 {
    0.27 * view.stage(size).short_side()
}

/// The largest of 1, 1.5, 2, 3, 5, 7 times a power of ten that does not exceed `value` > 0.
fn round_down(value: f64) -> f64 {
    let power = 10.0_f64.powf(value.log10().floor());
    let steps = [7.0, 5.0, 3.0, 2.0, 1.5];
    let step = steps
        .into_iter()
        .find(|step| step * power <= value * (1.0 + 1e-9));
    step.unwrap_or(1.0) * power
}

/// A round number without trailing zeros.
pub(super) fn trimmed(value: f64) -> String {
    if (1e-3..1e6).contains(&value) {
        format!("{}", (value * 1e4).round() / 1e4)
    } else {
        number(value)
    }
}

/// A class's widest sector.
pub(super) fn widest(sectors: &[Sector], class: usize) -> Option<&Sector> {
    sectors
        .iter()
        .filter(|sector| sector.class == class)
        .max_by(|a, b| a.width_rad().total_cmp(&b.width_rad()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers_do_not_exceed_what_they_round() {
        assert_eq!(round_down(13.7), 10.0);
        assert_eq!(round_down(0.0299), 0.02);
        assert_eq!(trimmed(round_down(0.052)), "0.05");
        assert_eq!(trimmed(30.0), "30");
    }
}
