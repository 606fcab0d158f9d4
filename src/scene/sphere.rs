//! The sphere: normalized three-dimensional features, exact spherical cells, margin curves.

use nalgebra::Vector3;

use crate::geometry::head::Head;
use crate::geometry::sphere_arc;
use crate::geometry::sphere_arc::{Run, SphereArc};
use crate::scene::curves::{Curves, NO_DIRECTION, Solid, winning_psi};
use crate::scene::dots;
use crate::scene::dots::{Mark, Style, is_on_canvas};
use crate::scene::gaps::Taken;
use crate::scene::label;
use crate::scene::label::{Bounds, Label};
use crate::scene::look::{BLACK, Look, NO_STROKE, WHITE, closed_line, disc, line, tag, text};
use crate::scene::place::{MEANS_TO_RIM, rim_length};
use crate::scene::theme::class_color;
use crate::scene::{Anchor, Font, Group, Item, Rgba, Stroke, ViewState, ideal};
use crate::trainer::Snapshot;

/// Where the heads of pins stand, over the radius.
const PIN: f64 = 1.13;
/// Opacity of what is seen through the body.
const FAR: f32 = 0.2;
/// Opacity of the near side from the limb to the middle: four steps, so that files need few
/// colours.
const NEAR: [f32; 4] = [0.72, 0.813, 0.907, 1.0];

struct Frame<'a> {
    snapshot: &'a Snapshot,
    curves: &'a Curves,
    solid: &'a Solid,
    view: &'a ViewState,
    look: Look,
    size: [f32; 2],
    center: [f32; 2],
    radius: f32,
    /// Towards the viewer, in the world.
    view_dir: Vector3<f64>,
    /// Color of the ball before cells and light.
    body: Rgba,
}

pub(super) fn groups(
    snapshot: &Snapshot,
    curves: &Curves,
    solid: &Solid,
    view: &ViewState,
    look: Look,
    size: [f32; 2],
) -> Vec<Group> {
    let (center, radius) = view.ball(size);
    let body = if view.theme.is_dark {
        view.theme.ground.mix(WHITE, 0.075)
    } else {
        view.theme.ground
    };
    let frame = Frame {
        snapshot,
        curves,
        solid,
        view,
        look,
        size,
        center,
        radius,
        view_dir: view.sphere.view_dir_world(),
        body,
    };
    let group = Group::new;
    let show = view.show;
    let mut groups = vec![group("body", frame.body())];
    if show.regions {
        groups.push(group("regions", frame.regions()));
        if show.margins {
            groups.push(group("gaps", frame.gaps()));
        }
    }
    let [near, far] = frame.marks();
    groups.push(group("far", frame.far(far)));
    groups.push(group("frame", frame.light_and_graticule()));
    if show.regions {
        groups.push(group("seams", frame.seams(true)));
    }
    if show.margins {
        groups.push(group("margins", frame.margins(true)));
    }
    if show.points {
        groups.push(group("points", frame.near_points(near)));
    }
    if show.ideal {
        groups.push(group("ideal", frame.ideal()));
    }
    let (weights, labels) = frame.pins();
    if view.writes_gaps(snapshot) {
        groups.push(group("angles", frame.gap_angles(&labels)));
    }
    if show.weights {
        groups.push(group("weights", weights));
    }
    if show.labels {
        groups.push(group("labels", labels));
    }
    groups
}

impl Frame<'_> {
    fn seen(&self, u: &Vector3<f64>) -> Vector3<f64> {
        self.view.sphere.view_from_world(u)
    }

    fn screen_from_view(&self, at_view: &Vector3<f64>) -> [f32; 2] {
        [
            self.center[0] + self.radius * at_view.x as f32,
            self.center[1] - self.radius * at_view.y as f32,
        ]
    }

    fn screen(&self, u: &Vector3<f64>) -> [f32; 2] {
        self.screen_from_view(&self.seen(u))
    }

    fn body(&self) -> Vec<Item> {
        vec![disc(self.center, self.radius, self.body, NO_STROKE)]
    }

    fn visible_rings(&self, cell: &crate::geometry::sphere_cells::Cell) -> Vec<Vec<[f32; 2]>> {
        let loops = cell.visible_region(&self.view_dir);
        let rings = loops.iter().map(|ring| {
            let points = ring.polyline(self.solid.max_sagitta);
            points.iter().map(|u| self.screen(u)).collect::<Vec<_>>()
        });
        rings.filter(|ring| ring.len() > 2).collect()
    }

    fn regions(&self) -> Vec<Item> {
        let cells = self.solid.cells.cells.iter();
        cells
            .map(|cell| Item::Polygon {
                rings: self.visible_rings(cell),
                fill: self.look.tint_on(self.body, cell.class),
            })
            .filter(has_area)
            .collect()
    }

    /// What is left of a cell outside its margin curve.
    fn gaps(&self) -> Vec<Item> {
        if !self.solid.has_margins {
            return Vec::new();
        }
        let cells = self.solid.cells.cells.iter();
        cells
            .map(|cell| {
                let mut rings = self.visible_rings(cell);
                if !rings.is_empty() {
                    rings.extend(self.near_part(cell.class));
                }
                Item::Polygon {
                    rings,
                    fill: self.look.gap(),
                }
            })
            .filter(has_area)
            .collect()
    }

    /// Whether a class wins with its margin in a direction.
    fn holds(&self, class: usize, u: &Vector3<f64>) -> bool {
        let psi = |theta_rad: f64| winning_psi(&self.snapshot.head, theta_rad);
        Head::cosine(&self.solid.weights).margin(class, u, &psi) >= 0.0
    }

    /// The near part of the region in which a class wins with its margin, as closed rings: on the
    /// left of its loops, cut at the limb and closed along it.
    fn near_part(&self, class: usize) -> Vec<Vec<[f32; 2]>> {
        let mut rings: Vec<Vec<[f32; 2]>> = Vec::new();
        let mut near: Vec<Vec<Vector3<f64>>> = Vec::new();
        let mut meets_limb = false;
        let loops = self.solid.own_loops.as_ref().unwrap_or(&self.solid.loops);
        for (_, points) in loops.iter().filter(|(of, _)| *of == class) {
            let runs = self.runs_around(points);
            if let [run] = &runs[..] {
                if run.is_front {
                    rings.push(points.iter().map(|u| self.screen(u)).collect());
                }
                continue;
            }
            meets_limb = true;
            let front = runs.iter().filter(|run| run.is_front);
            near.extend(front.map(|run| run.points.iter().map(|u| self.seen(u)).collect()));
        }
        let closed = close_along_limb(&near);
        let screen = |u: &Vector3<f64>| self.screen_from_view(u);
        rings.extend(closed.iter().map(|ring| ring.iter().map(screen).collect()));
        if !meets_limb && self.holds(class, &sphere_arc::frame(self.view_dir).0) {
            rings.push(self.limb(1.0)); // the region goes on behind all of it
        }
        rings
    }

    /// The near and far parts of a loop, each whole.
    fn runs_around(&self, points: &[Vector3<f64>]) -> Vec<Run> {
        let mut closed = points.to_vec();
        closed.extend(points.first().copied());
        let mut runs = sphere_arc::split_front_back(&closed, &self.view_dir);
        if let [first, .., last] = &runs[..]
            && first.is_front == last.is_front
        {
            // The loop began in the middle of a run.
            let mut joined = runs.pop().map(|run| run.points).unwrap_or_default();
            joined.extend(runs[0].points.iter().skip(1));
            runs[0].points = joined;
        }
        runs
    }

    fn runs(&self, points: &[Vector3<f64>], is_front: bool, stroke: Stroke) -> Vec<Item> {
        sphere_arc::split_front_back(points, &self.view_dir)
            .iter()
            .filter(|run| run.is_front == is_front && run.points.len() > 1)
            .map(|run| line(run.points.iter().map(|u| self.screen(u)).collect(), stroke))
            .collect()
    }

    fn seams(&self, is_front: bool) -> Vec<Item> {
        let mut stroke = self.look.seam();
        stroke.width *= 1.15;
        if !is_front {
            stroke.color = stroke.color.with_opacity(0.8 * FAR);
        }
        let seams = self.solid.cells.seams.iter();
        seams
            .flat_map(|seam| {
                self.runs(&seam.arc.polyline(self.solid.max_sagitta), is_front, stroke)
            })
            .collect()
    }

    fn margins(&self, is_front: bool) -> Vec<Item> {
        let loops = self.solid.loops.iter();
        loops
            .flat_map(|(class, points)| {
                let mut stroke = self.look.dashed(self.look.ink(*class));
                if !is_front {
                    stroke.color = stroke.color.with_opacity(FAR);
                    stroke.width *= 0.8;
                }
                let mut closed = points.clone();
                closed.extend(points.first().copied());
                self.runs(&closed, is_front, stroke)
            })
            .collect()
    }

    /// A ring at each place of the best arrangement, on the near side.
    fn ideal(&self) -> Vec<Item> {
        let places = self.solid.ideal.iter().map(|place| self.seen(place));
        let nothing = self.look.theme.ground.with_opacity(0.0);
        places
            .filter(|place| place.z > 0.0)
            .map(|place| {
                let color = self
                    .look
                    .theme
                    .text
                    .with_opacity(0.35 + 0.4 * place.z as f32);
                let stroke = self.look.line(1.3, color);
                disc(
                    self.screen_from_view(&place),
                    5.5 * self.look.unit,
                    nothing,
                    stroke,
                )
            })
            .collect()
    }

    /// The angles of the gaps that face the viewer, written in their middle; not where labels are.
    fn gap_angles(&self, labels: &[Item]) -> Vec<Item> {
        const LEAST_HEIGHT: f64 = 0.45;
        let gaps = self.solid.gaps.iter();
        let mut gaps: Vec<(Vector3<f64>, f64)> = gaps
            .map(|gap| (self.seen(&gap.middle), gap.width_rad))
            .filter(|(middle, _)| middle.z > LEAST_HEIGHT)
            .collect();
        gaps.sort_by(|(a, _), (b, _)| b.z.total_cmp(&a.z));
        let size = self.look.text(11.0);
        let mut taken = Taken::by(labels);
        let mut items = Vec::new();
        for (middle, width_rad) in gaps {
            let words = ideal::gap_words(width_rad, items.is_empty());
            let pos = self.screen_from_view(&middle);
            let is_wide = width_rad as f32 * self.radius > 2.0 * size;
            if is_wide && taken.take(pos, &words, size) {
                items.extend(tag(&self.look, pos, words, size));
            }
        }
        items
    }

    /// Marks of the near and of the far side.
    fn marks(&self) -> [Vec<Mark>; 2] {
        let turn = self.view.sphere.orientation.to_rotation_matrix();
        let turn = turn.matrix().cast::<f32>();
        let labels = &self.snapshot.probe.labels;
        let shown = self.view.classes.mask(self.snapshot.head.n_classes);
        let shares = self.shares();
        let [mut near, mut far] = [(); 2].map(|()| Vec::with_capacity(labels.len()));
        for (i, (u, &class)) in self.solid.points.iter().zip(labels.iter()).enumerate() {
            let share = shares.as_ref().map_or(1.0, |shares| shares[i]);
            let at_view = turn * u * share;
            let center = [
                self.center[0] + self.radius * at_view.x,
                self.center[1] - self.radius * at_view.y,
            ];
            if *u == NO_DIRECTION || !is_on_canvas(center, self.size) || !shown.shows(class) {
                continue;
            }
            // What stands out beyond the limb is seen from both sides.
            let is_near = at_view.z >= 0.0 || (share > 1.0 && at_view.xy().norm() > 1.0);
            let side = if is_near { &mut near } else { &mut far };
            side.push(Mark {
                center,
                sample: i as u32,
                class,
                depth: if is_near { depth(at_view.z) } else { 0 },
            });
        }
        [near, far]
    }

    /// Distances from the center over the radius, where lengths are shown `[n]`
    fn shares(&self) -> Option<Vec<f32>> {
        let rim_length = rim_length(self.snapshot, self.view)? as f32;
        let lengths = self.curves.lengths(self.snapshot, self.solid);
        Some(lengths.iter().map(|length| length / rim_length).collect())
    }

    fn near_points(&self, marks: Vec<Mark>) -> Vec<Item> {
        let n_samples = self.snapshot.probe.len();
        let style = Style {
            radius: self.look.dot_radius(n_samples),
            opacities: &NEAR.map(|opacity| 0.92 * opacity),
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

    /// No outline far away: it would be the darker half of the mark.
    fn far_points(&self, marks: Vec<Mark>) -> Vec<Item> {
        let n_samples = self.snapshot.probe.len();
        let style = Style {
            radius: 0.78 * self.look.dot_radius(n_samples),
            opacities: &[FAR],
            outline: 0.0,
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

    /// What is seen faintly through the body.
    fn far(&self, marks: Vec<Mark>) -> Vec<Item> {
        let show = self.view.show;
        let mut items = Vec::new();
        if show.regions {
            items.extend(self.seams(false));
        }
        if show.margins {
            items.extend(self.margins(false));
        }
        if show.points {
            items.extend(self.far_points(marks));
        }
        if show.labels {
            items.extend(self.far_labels());
        }
        items
    }

    fn light_and_graticule(&self) -> Vec<Item> {
        let graticule = self
            .look
            .line(0.7, self.look.theme.dimmed.with_opacity(0.13));
        let mut items = Vec::new();
        for step in 0..6 {
            let angle = f64::from(step) * std::f64::consts::PI / 6.0;
            let axis = Vector3::new(angle.cos(), 0.0, angle.sin());
            let meridian = SphereArc::circle(axis, 0.0).polyline(self.solid.max_sagitta);
            items.extend(self.runs(&meridian, true, graticule));
        }
        for latitude_deg in [-60.0_f64, -30.0, 0.0, 30.0, 60.0] {
            let sine = latitude_deg.to_radians().sin();
            let parallel = SphereArc::circle(Vector3::y(), sine).polyline(self.solid.max_sagitta);
            items.extend(self.runs(&parallel, true, graticule));
        }
        let (light, shadow, limb) = if self.look.theme.is_dark {
            (0.085, 0.4, self.look.theme.dimmed.with_opacity(0.6))
        } else {
            (0.35, 0.2, self.look.theme.dimmed.with_opacity(0.7))
        };
        let shade = Rgba::opaque(0x0a1428);
        let r = self.radius;
        let lit = [self.center[0] - 0.36 * r, self.center[1] - 0.42 * r];
        let at = |share: f32, color: Rgba, opacity: f32| (share, color.with_opacity(opacity));
        let shadow_color = if self.look.theme.is_dark {
            BLACK
        } else {
            shade
        };
        items.push(Item::Shade {
            center: self.center,
            radius: r,
            focus: lit,
            stops: vec![
                at(0.0, WHITE, light),
                at(0.25, WHITE, 0.7 * light),
                at(0.6, WHITE, 0.0),
            ],
        });
        items.push(Item::Shade {
            center: self.center,
            radius: r,
            focus: [self.center[0] - 0.22 * r, self.center[1] - 0.26 * r],
            stops: vec![
                at(0.0, shadow_color, 0.0),
                at(0.5, shadow_color, 0.0),
                at(0.75, shadow_color, 0.22 * shadow),
                at(0.9, shadow_color, 0.55 * shadow),
                at(1.0, shadow_color, shadow),
            ],
        });
        items.push(closed_line(self.limb(1.0), self.look.line(1.2, limb)));
        if self.view.show.lengths {
            let mean = self.limb(1.0 / MEANS_TO_RIM);
            items.push(closed_line(mean, self.look.line(1.0, limb)));
        }
        items
    }

    /// Outline of a ball about the center, its radius over that of the sphere.
    fn limb(&self, share: f64) -> Vec<[f32; 2]> {
        let ring = (0..256).map(|step| {
            let angle = f64::from(step) / 256.0 * std::f64::consts::TAU;
            self.screen_from_view(&(share * Vector3::new(angle.cos(), angle.sin(), 0.0)))
        });
        ring.collect()
    }

    /// Directions of the weights as they are seen; a zero weight stands in the middle of its cell.
    fn weights_view(&self) -> impl Iterator<Item = (usize, Vector3<f64>)> {
        let directions = self.solid.directions.iter().enumerate();
        directions.filter_map(|(class, v)| {
            let v = v.or_else(|| self.middle_of(class))?;
            Some((class, self.seen(&v)))
        })
    }

    /// A direction well inside a cell: away from all rivals.
    fn middle_of(&self, class: usize) -> Option<Vector3<f64>> {
        let cell = self
            .solid
            .cells
            .cells
            .iter()
            .find(|cell| cell.class == class)?;
        let sum: Vector3<f64> = cell.half_spaces.iter().map(|half| half.normal).sum();
        sum.try_normalize(1e-9).filter(|v| cell.contains(v))
    }

    fn label(&self, class: usize) -> Label {
        Label::of_weight(&self.look, self.snapshot, class, self.size)
    }

    /// Pins on the near side and over the limb, with their labels.
    fn pins(&self) -> (Vec<Item>, Vec<Item>) {
        let mut pins: Vec<(f64, Label)> = Vec::new();
        for (class, v) in self.weights_view() {
            let head = PIN * v;
            let reach = head.xy().norm();
            let foot = if v.z >= 0.0 {
                v
            } else if reach > 1.03 {
                // The foot is hidden; the pin comes into sight at the limb.
                let limb = head.xy() / reach;
                Vector3::new(limb.x, limb.y, 0.0)
            } else {
                continue;
            };
            let label = self.label(class);
            let (foot, head) = (self.screen_from_view(&foot), self.screen_from_view(&head));
            pins.push((v.z, label.at(foot, head)));
        }
        pins.sort_by(|(a, x), (b, y)| a.total_cmp(b).then(x.class.cmp(&y.class)));
        let labels: Vec<Label> = pins.into_iter().map(|(_, label)| label).collect();
        let pad = 6.0 * self.look.unit;
        let bounds = Bounds {
            min: self.view.area(self.size).min.map(|x| x + pad),
            max: self.view.stage(self.size).max.map(|x| x - 0.3 * pad),
        };
        let places = label::place(&labels, &bounds, self.look.unit);
        let (mut lines, mut items) = (Vec::new(), Vec::new());
        for (label, at) in labels.iter().zip(places) {
            let Some(at) = at else { continue };
            let ends = vec![label.anchor, at];
            lines.push(line(
                ends.clone(),
                self.look
                    .line(4.2, self.look.theme.ground.with_opacity(0.55)),
            ));
            lines.push(line(ends, self.look.line(2.2, self.look.ink(label.class))));
            items.extend(label::mark(&self.look, label, at)); // the pin itself leads to it
        }
        (lines, items)
    }

    fn far_labels(&self) -> Vec<Item> {
        let far = self
            .weights_view()
            .filter(|(_, v)| v.z < 0.0 && PIN * v.xy().norm() <= 1.03);
        far.flat_map(|(class, v)| {
            let label = self.label(class);
            let at = self.screen_from_view(&v);
            let color = self.body.mix(class_color(class), 0.5);
            let ring = self.look.line(1.2, color);
            let size = (0.85 * label.radius).max(self.look.range.least);
            [
                disc(
                    at,
                    0.72 * label.radius,
                    self.body.mix(class_color(class), 0.16),
                    ring,
                ),
                text(at, label.name, size, Font::SemiBold, color, Anchor::Middle),
            ]
        })
        .collect()
    }
}

/// Which step of [`NEAR`] a height from 0 to 1 above the limb belongs to; lower and higher ones
/// belong to the first and the last.
fn depth(height: f32) -> u8 {
    ((height * 3.999) as u8).min(3)
}

fn has_area(item: &Item) -> bool {
    matches!(item, Item::Polygon { rings, .. } if !rings.is_empty())
}

/// Joins near runs, each from limb to limb with the region on its left, to closed rings: from the
/// end of each along the limb, counter-clockwise, to the nearest beginning.
fn close_along_limb(runs: &[Vec<Vector3<f64>>]) -> Vec<Vec<Vector3<f64>>> {
    use std::f64::consts::TAU;
    let angle = |u: &Vector3<f64>| u.y.atan2(u.x);
    let mut is_free = vec![true; runs.len()];
    let mut rings = Vec::new();
    for first in 0..runs.len() {
        if !is_free[first] {
            continue;
        }
        let mut ring: Vec<Vector3<f64>> = Vec::new();
        let mut current = first;
        loop {
            is_free[current] = false;
            ring.extend(&runs[current]);
            let Some(from) = runs[current].last().map(angle) else {
                break;
            };
            let turn = |i: usize| {
                let start = runs[i].first().map_or(0.0, angle);
                (start - from).rem_euclid(TAU)
            };
            let next = (0..runs.len())
                .filter(|&i| is_free[i] || i == first)
                .min_by(|&a, &b| turn(a).total_cmp(&turn(b)));
            let Some(next) = next else { break };
            let sweep = turn(next);
            let n = (sweep / 0.03).ceil() as usize;
            ring.extend((1..n).map(|step| {
                let at = from + sweep * step as f64 / n as f64;
                Vector3::new(at.cos(), at.sin(), 0.0)
            }));
            if next == first {
                break;
            }
            current = next;
        }
        rings.push(ring);
    }
    rings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_hidden_loop_closes_along_the_limb() {
        // From the right limb over the near pole to the left one: the region on its left is below
        // when seen in view coordinates, so the limb from π to 2π closes it.
        let run: Vec<Vector3<f64>> = (0..=10)
            .map(|step| {
                let at = f64::from(step) / 10.0 * std::f64::consts::PI;
                Vector3::new(at.cos(), 0.0, at.sin())
            })
            .collect();
        let rings = close_along_limb(&[run]);
        assert_eq!(rings.len(), 1);
        let lowest = rings[0].iter().map(|u| u.y).fold(0.0, f64::min);
        let highest = rings[0].iter().map(|u| u.y).fold(0.0, f64::max);
        assert!(lowest < -0.99 && highest < 1e-9, "{lowest} {highest}");
    }
}
