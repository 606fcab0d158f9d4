//! What margins leave of the circle: gaps between neighbors, with their angles.

use std::f64::consts::TAU;

use crate::geometry::angle;
use crate::geometry::circle::Sector;
use crate::scene::curves::Flat;
use crate::scene::look::{Look, line, tag, tag_half_size};
use crate::scene::{Item, fonts, ideal};

/// The parts of each class's sectors where it wins without its margin.
pub(super) fn within_sectors(flat: &Flat) -> Vec<Sector> {
    let mut gaps = Vec::new();
    for sector in &flat.sectors {
        let mut covered: Vec<[f64; 2]> = Vec::new();
        for arc in flat.arcs.iter().filter(|arc| arc.class == sector.class) {
            let offset = angle::ccw_rad(sector.start_rad, arc.start_rad);
            for start in [offset - TAU, offset] {
                covered.push([start, start + arc.width_rad()]);
            }
        }
        covered.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let mut free_from = 0.0;
        let end = sector.width_rad();
        for [start, stop] in covered.into_iter().chain([[end, end]]) {
            let start = start.min(end);
            if start > free_from + 1e-9 {
                gaps.push(Sector {
                    class: sector.class,
                    start_rad: sector.start_rad + free_from,
                    end_rad: sector.start_rad + start,
                });
            }
            free_from = stop.max(free_from);
        }
    }
    gaps
}

/// The stretches from one class's margin to the next's that no class has.
fn between(arcs: &[Sector]) -> impl Iterator<Item = Sector> {
    let mut arcs = arcs.to_vec();
    arcs.sort_by(|a, b| {
        let start = |arc: &Sector| arc.start_rad.rem_euclid(TAU);
        start(a).total_cmp(&start(b))
    });
    let n = arcs.len();
    (0..n).filter_map(move |i| {
        let (arc, next) = (&arcs[i], &arcs[(i + 1) % n]);
        let width_rad = angle::ccw_rad(arc.start_rad, next.start_rad) - arc.width_rad();
        let is_gap = n > 1 && width_rad > 1e-6;
        is_gap.then_some(Sector {
            class: arc.class,
            start_rad: arc.end_rad,
            end_rad: arc.end_rad + width_rad,
        })
    })
}

/// The angle of each gap between neighbors on an arc from margin to margin, written in the gap or,
/// where it is too narrow, across it near the rim; not where labels are. `at` gives the point of the
/// canvas in a direction (radians), at a share of `radius` (points) from the middle.
pub(super) fn angles(
    look: &Look,
    flat: &Flat,
    radius: f32,
    labels: &[Item],
    at: impl Fn(f64, f32) -> [f32; 2],
) -> Vec<Item> {
    const WITHIN: [f32; 5] = [0.5, 0.58, 0.66, 0.74, 0.86];
    const ACROSS: [f32; 3] = [0.9, 0.8, 0.7];
    const NARROWEST_RAD: f64 = 0.017; // a degree
    const SMALLEST: f32 = 12.5; // radius in sizes: there is no room for words in the panels of a strip
    let size = look.text(11.0);
    if radius < SMALLEST * size {
        return Vec::new();
    }
    let mut taken = Taken::by(labels);
    let mut items = Vec::new();
    let gaps = between(&flat.arcs).filter(|gap| !holds_a_sector(gap, &flat.sectors));
    for gap in gaps.filter(|gap| gap.width_rad() > NARROWEST_RAD) {
        let words = ideal::gap_words(gap.width_rad(), items.is_empty());
        let room = fonts::estimated_width(&words, size) + 1.2 * size;
        let chord = 2.0 * (0.5 * gap.width_rad()).sin() as f32 * radius;
        let fits = |share: &f32| share * chord > room;
        let shares = WITHIN.into_iter().filter(fits).chain(ACROSS);
        let mut places = shares.map(|share| (share, at(gap.middle_rad(), share)));
        if let Some((share, pos)) = places.find(|&(_, pos)| taken.take(pos, &words, size)) {
            items.push(measure(look, &gap, |direction_rad| {
                at(direction_rad, share)
            }));
            items.extend(tag(look, pos, words, size));
        }
    }
    items
}

/// Rectangles of the canvas in which words stand.
pub(super) struct Taken(Vec<[[f32; 2]; 2]>);

impl Taken {
    /// By discs and plates.
    pub(super) fn by(labels: &[Item]) -> Self {
        Self(labels.iter().filter_map(rect_of).collect())
    }

    /// Takes the room of a [`tag`], if all of it is free.
    pub(super) fn take(&mut self, pos: [f32; 2], words: &str, size: f32) -> bool {
        let half = tag_half_size(words, size);
        let rect = [
            [0, 1].map(|i| pos[i] - half[i]),
            [0, 1].map(|i| pos[i] + half[i]),
        ];
        let is_apart = |[min, max]: &[[f32; 2]; 2]| {
            (0..2).any(|axis| max[axis] < rect[0][axis] || min[axis] > rect[1][axis])
        };
        let is_free = self.0.iter().all(is_apart);
        if is_free {
            self.0.push(rect);
        }
        is_free
    }
}

/// What a disc or a plate covers.
fn rect_of(item: &Item) -> Option<[[f32; 2]; 2]> {
    match item {
        Item::Disc { center, radius, .. } => {
            Some([center.map(|x| x - radius), center.map(|x| x + radius)])
        }
        Item::Polygon { rings, .. } => {
            let points = || rings.iter().flatten();
            let fold = |axis: usize, of: fn(f32, f32) -> f32, from: f32| {
                points().map(|point| point[axis]).fold(from, of)
            };
            Some([
                [0, 1].map(|axis| fold(axis, f32::min, f32::INFINITY)),
                [0, 1].map(|axis| fold(axis, f32::max, f32::NEG_INFINITY)),
            ])
        }
        _ => None,
    }
}

/// A thin arc over a gap.
fn measure(look: &Look, gap: &Sector, at: impl Fn(f64) -> [f32; 2]) -> Item {
    const STEP_RAD: f64 = 0.02;
    let n = (gap.width_rad() / STEP_RAD).ceil().max(1.0);
    let points = (0..=n as usize).map(|i| at(gap.start_rad + gap.width_rad() * i as f64 / n));
    line(points.collect(), look.line(1.0, look.theme.dimmed))
}

/// Whether a whole class lies in a gap: then it is none between neighbors.
fn holds_a_sector(gap: &Sector, sectors: &[Sector]) -> bool {
    let mut inside = sectors.iter().filter(|sector| {
        let from = angle::ccw_rad(gap.start_rad, sector.start_rad);
        from + sector.width_rad() <= gap.width_rad()
    });
    inside.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::look::disc;

    #[test]
    fn angles_keep_clear_of_labels_and_of_one_another() {
        let look = Look::new(crate::scene::theme::LIGHT, 760.0);
        let arc = |class, start_rad, end_rad| Sector {
            class,
            start_rad,
            end_rad,
        };
        let arcs = vec![arc(0, 0.3, 2.8), arc(1, 3.5, 5.9)];
        let flat = Flat {
            weights: Vec::new(),
            bias: Vec::new(),
            ideal_rad: Vec::new(),
            sectors: arcs.clone(),
            arcs,
        };
        let at = |angle_rad: f64, share: f32| {
            let [x, y] = [angle_rad.cos() as f32, angle_rad.sin() as f32];
            [300.0 + 300.0 * share * x, 300.0 - 300.0 * share * y]
        };
        let places = |labels: &[Item]| {
            let items = angles(&look, &flat, 300.0, labels, at);
            let texts = items.iter().filter_map(|item| match item {
                Item::Text { pos, .. } => Some(*pos),
                _ => None,
            });
            texts.collect::<Vec<_>>()
        };
        let free = places(&[]);
        assert_eq!(free.len(), 2);
        let label = |radius| disc(free[0], radius, look.theme.text, look.seam());
        let moved = places(&[label(12.0)]);
        assert_eq!(moved.len(), 2);
        let away = (moved[0][0] - free[0][0]).hypot(moved[0][1] - free[0][1]);
        assert!(away > 12.0, "{away}");
        assert_eq!(places(&[label(200.0)]), [free[1]], "no room in that gap");
    }

    #[test]
    fn gaps_are_what_the_margin_leaves_of_a_sector() {
        let sector = |start_rad: f64, end_rad: f64| Sector {
            class: 0,
            start_rad,
            end_rad,
        };
        let flat = Flat {
            weights: Vec::new(),
            bias: Vec::new(),
            ideal_rad: Vec::new(),
            sectors: vec![sector(3.0, 4.0)],
            arcs: vec![sector(3.25 - TAU, 3.5 - TAU)],
        };
        let gaps = within_sectors(&flat);
        let widths: Vec<f64> = gaps.iter().map(Sector::width_rad).collect();
        assert_eq!(gaps.len(), 2, "{gaps:?}");
        assert!((widths[0] - 0.25).abs() < 1e-9 && (widths[1] - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_class_without_margin_arc_is_all_gap() {
        let whole = Sector {
            class: 2,
            start_rad: -1.0,
            end_rad: 0.5,
        };
        let flat = Flat {
            weights: Vec::new(),
            bias: Vec::new(),
            ideal_rad: Vec::new(),
            sectors: vec![whole],
            arcs: Vec::new(),
        };
        assert_eq!(within_sectors(&flat), [whole]);
    }

    #[test]
    fn gaps_lie_between_the_arcs_whatever_their_order() {
        let arc = |class, start_rad, end_rad| Sector {
            class,
            start_rad,
            end_rad,
        };
        let arcs = [arc(0, 3.0, 4.0), arc(1, -0.5, 0.5), arc(2, 1.0, 3.0)];
        let mut found: Vec<[f64; 2]> = between(&arcs)
            .map(|gap| [gap.start_rad, gap.width_rad()])
            .collect();
        found.sort_by(|a, b| a[0].total_cmp(&b[0]));
        assert_eq!(found.len(), 2, "none where two arcs touch: {found:?}");
        assert!((found[0][0] - 0.5).abs() < 1e-12 && (found[0][1] - 0.5).abs() < 1e-12);
        assert!((found[1][0] - 4.0).abs() < 1e-12);
        assert!((found[1][1] - (TAU - 4.5)).abs() < 1e-12);
        assert_eq!(between(&arcs[..1]).count(), 0);
    }
}
