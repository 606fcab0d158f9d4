//! Class labels: discs, or pills for long names, that neither overlap nor leave the canvas.

use crate::scene::fonts;
use crate::scene::fonts::estimated_width;
use crate::scene::look::{Look, disc, line, polygon, rounded, text};
use crate::scene::theme::class_color;
use crate::scene::{Anchor, Font, Item, Stroke};
use crate::trainer::Snapshot;

/// Rounds of pushing apart; what still overlaps then is moved outright.
const ROUNDS: usize = 80;
/// Above this number labels are placed one by one.
const MOST_RELAXED: usize = 120;
/// Size of its text over its radius.
const FONT: f32 = 1.12;
/// Free space between two labels, in units.
const GAP: f32 = 3.0;
/// Short side of a picture, in sizes of text, below which names stand without a disc.
const LEAST_ROOM: f32 = 18.0;
/// Half the height of such a name, in sizes of text.
const BARE: f32 = 0.58;

/// A label that looks for its place.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) class: usize,
    pub(super) name: String,
    /// What it names: the tip of the weight.
    pub(super) anchor: [f32; 2],
    /// Where it would like to be.
    pub(super) wanted: [f32; 2],
    /// Half its height.
    pub(super) radius: f32,
    /// Half its width; the radius for a disc.
    pub(super) half_width: f32,
    font_size: f32,
    /// Whether it has no disc: in a small picture discs would bury what they name.
    is_bare: bool,
    /// Whether its weight is held where it is: it has a ring.
    is_pinned: bool,
}

impl Label {
    /// In a picture whose short side is `room`.
    pub(super) fn new(look: &Look, class: usize, name: &str, n_classes: usize, room: f32) -> Self {
        let crowd = (24.0 / n_classes.max(1) as f32).sqrt().clamp(0.6, 1.0);
        let radius = 12.5 * look.unit.min(1.7) * crowd;
        let font_size = (FONT * radius).clamp(look.range.least, look.range.most);
        let name = shortened(name);
        let [half_width, radius] = half_size(&name, font_size.max(FONT * radius));
        let label = Self {
            class,
            name,
            anchor: [0.0; 2],
            wanted: [0.0; 2],
            radius,
            half_width,
            font_size,
            is_bare: false,
            is_pinned: false,
        };
        if room < LEAST_ROOM * font_size {
            label.without_disc()
        } else {
            label
        }
    }

    /// The name alone: in a picture without room for a disc, or of what is no weight's tip.
    pub(super) fn without_disc(mut self) -> Self {
        let half = 0.5 * estimated_width(&self.name, self.font_size);
        self.radius = BARE * self.font_size;
        self.half_width = half.max(self.radius);
        self.is_bare = true;
        self
    }

    /// Of a class weight, in a picture of this size.
    pub(super) fn of_weight(
        look: &Look,
        snapshot: &Snapshot,
        class: usize,
        size: [f32; 2],
    ) -> Self {
        let n_classes = snapshot.head.n_classes;
        Self::new(
            look,
            class,
            snapshot.class_name(class),
            n_classes,
            shortest(size),
        )
        .pinned(snapshot.is_pinned(class))
    }

    /// The same of a weight that is held where it is.
    fn pinned(mut self, is_pinned: bool) -> Self {
        self.is_pinned = is_pinned;
        self
    }

    pub(super) fn at(mut self, anchor: [f32; 2], wanted: [f32; 2]) -> Self {
        self.anchor = anchor;
        self.wanted = wanted;
        self
    }
}

/// The short side of a picture.
pub(super) fn shortest([width, height]: [f32; 2]) -> f32 {
    width.min(height)
}

/// A name as a label has it.
pub(super) fn shortened(name: &str) -> String {
    const LONGEST: usize = 14;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    fonts::without_middle(name, LONGEST - 1)
}

/// Half width and half height of the label that has this text in it.
pub(super) fn half_size(text: &str, font_size: f32) -> [f32; 2] {
    let radius = font_size / FONT;
    let half_width = if text.chars().count() > 2 {
        estimated_width(text, font_size) / 2.0 + radius * 0.75
    } else {
        radius
    };
    [half_width, radius]
}

/// Where labels may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) min: [f32; 2],
    pub(super) max: [f32; 2],
}

/// A place for every label, none for those that find no room.
pub(super) fn place(labels: &[Label], bounds: &Bounds, unit: f32) -> Vec<Option<[f32; 2]>> {
    let gap = GAP * unit;
    let mut places: Vec<[f32; 2]> = labels
        .iter()
        .map(|label| clamped(label, label.wanted, bounds))
        .collect();
    if labels.len() <= MOST_RELAXED {
        relax(labels, &mut places, bounds, gap);
    }
    let mut placed: Vec<(usize, [f32; 2])> = Vec::new();
    for (i, &wanted) in places.iter().enumerate() {
        let is_free = |at: &[f32; 2]| {
            placed
                .iter()
                .all(|&(j, other)| !overlap(&labels[i], *at, &labels[j], other, 0.9 * gap))
        };
        if let Some(at) = nearest_free(&labels[i], wanted, bounds, is_free) {
            placed.push((i, at));
        }
    }
    let mut out = vec![None; labels.len()];
    for (i, at) in placed {
        out[i] = Some(at);
    }
    out
}

/// Pushes overlapping labels apart, half each.
fn relax(labels: &[Label], places: &mut [[f32; 2]], bounds: &Bounds, gap: f32) {
    for _ in 0..ROUNDS {
        let mut has_moved = false;
        for i in 0..labels.len() {
            for j in i + 1..labels.len() {
                let Some(push) = separation(&labels[i], places[i], &labels[j], places[j], gap)
                else {
                    continue;
                };
                has_moved = true;
                for axis in 0..2 {
                    places[i][axis] -= 0.5 * push[axis];
                    places[j][axis] += 0.5 * push[axis];
                }
            }
        }
        for (label, place) in labels.iter().zip(places.iter_mut()) {
            *place = clamped(label, *place, bounds);
        }
        if !has_moved {
            return;
        }
    }
}

/// How the second must move to be clear of the first; `None` if it is.
fn separation(a: &Label, at_a: [f32; 2], b: &Label, at_b: [f32; 2], gap: f32) -> Option<[f32; 2]> {
    // In coordinates where a pill is a disc of its height, distances are those of discs.
    let radius = a.radius + b.radius + gap;
    let slack = (a.half_width - a.radius) + (b.half_width - b.radius);
    let (dx, dy) = (at_b[0] - at_a[0], at_b[1] - at_a[1]);
    let outside = (dx.abs() - slack).max(0.0).copysign(dx);
    let distance = outside.hypot(dy);
    if distance >= radius {
        return None;
    }
    if distance < 1e-3 {
        // One upon the other: apart by class, so that it is the same in every frame.
        let side = if a.class < b.class { 1.0 } else { -1.0 };
        return Some([0.15 * side, side * (radius - dy.abs()).max(0.5)]);
    }
    let push = (radius - distance) / distance;
    Some([push * outside, push * dy])
}

fn overlap(a: &Label, at_a: [f32; 2], b: &Label, at_b: [f32; 2], gap: f32) -> bool {
    separation(a, at_a, b, at_b, gap).is_some()
}

fn clamped(label: &Label, at: [f32; 2], bounds: &Bounds) -> [f32; 2] {
    let half = [label.half_width, label.radius];
    let mut out = at;
    for axis in 0..2 {
        let (min, max) = (bounds.min[axis] + half[axis], bounds.max[axis] - half[axis]);
        out[axis] = if min <= max {
            at[axis].clamp(min, max)
        } else {
            f32::midpoint(min, max)
        };
    }
    out
}

/// The wanted place, or the first free one on circles round it.
fn nearest_free(
    label: &Label,
    wanted: [f32; 2],
    bounds: &Bounds,
    is_free: impl Fn(&[f32; 2]) -> bool,
) -> Option<[f32; 2]> {
    const RINGS: usize = 40;
    const DIRECTIONS: usize = 24;
    if is_free(&wanted) {
        return Some(wanted);
    }
    for ring in 1..=RINGS {
        let distance = ring as f32 * 0.6 * label.radius;
        for step in 0..DIRECTIONS {
            let angle = step as f32 / DIRECTIONS as f32 * std::f32::consts::TAU;
            let at = [
                wanted[0] + distance * angle.cos(),
                wanted[1] + distance * angle.sin(),
            ];
            let at = clamped(label, at, bounds);
            if is_free(&at) {
                return Some(at);
            }
        }
    }
    None
}

/// Labels at their places, over the leaders of all that had to move away: none hides a name.
pub(super) fn items(look: &Look, labels: &[Label], bounds: &Bounds) -> Vec<Item> {
    let places = place(labels, bounds, look.unit);
    let placed = || {
        let placed = labels.iter().zip(&places);
        placed.filter_map(|(label, at)| Some((label, (*at)?)))
    };
    let leaders = placed().filter_map(|(label, at)| leader(look, label, at));
    let marks = placed().flat_map(|(label, at)| mark(look, label, at));
    leaders.chain(marks).collect()
}

/// From a label that had to move away to what it names.
fn leader(look: &Look, label: &Label, at: [f32; 2]) -> Option<Item> {
    let moved = (at[0] - label.wanted[0]).hypot(at[1] - label.wanted[1]);
    let ends = vec![label.anchor, at];
    let is_away = moved > 0.8 * label.radius;
    is_away.then(|| line(ends, look.line(1.1, look.ink(label.class))))
}

/// The label at its place.
pub(super) fn mark(look: &Look, label: &Label, at: [f32; 2]) -> Vec<Item> {
    let color = class_color(label.class);
    let mut items = Vec::with_capacity(4);
    if label.is_bare {
        items.extend(bare(look, label, at));
        return items;
    }
    // A ring of the ground's colour cuts the label out of the dots behind it.
    let around = if label.is_pinned {
        look.theme.text
    } else {
        look.theme.ground
    };
    let halo = look.line(4.6, around);
    let rim = Stroke {
        width: if look.is_faint(label.class) { 1.4 } else { 0.0 } * look.unit,
        color: look.ink(label.class),
        dash: None,
    };
    if label.half_width > label.radius {
        let ring = |grow: f32| {
            rounded(
                [at[0] - label.half_width - grow, at[1] - label.radius - grow],
                [at[0] + label.half_width + grow, at[1] + label.radius + grow],
                label.radius + grow,
            )
        };
        items.push(polygon(ring(0.5 * halo.width), halo.color));
        if rim.width > 0.0 {
            items.push(polygon(ring(0.0), rim.color));
        }
        items.push(polygon(ring(-rim.width), color));
    } else {
        items.push(disc(at, label.radius, color, halo));
        items.push(disc(at, label.radius - 0.5 * rim.width, color, rim));
    }
    items.push(text(
        at,
        label.name.clone(),
        label.font_size,
        Font::SemiBold,
        color.text_on(),
        Anchor::Middle,
    ));
    items
}

/// The name in the colour of its class, cut out of what lies behind it.
fn bare(look: &Look, label: &Label, at: [f32; 2]) -> [Item; 2] {
    const TEXT_CONTRAST: f32 = 4.5; // WCAG 2.2
    let color = look.readable(class_color(label.class), TEXT_CONTRAST);
    let plate = rounded(
        [at[0] - label.half_width, at[1] - label.radius],
        [at[0] + label.half_width, at[1] + label.radius],
        label.radius,
    );
    let behind = if label.is_pinned {
        look.theme.text.with_opacity(0.25)
    } else {
        look.theme.ground.with_opacity(0.8)
    };
    let name = label.name.clone();
    [
        polygon(plate, behind),
        text(
            at,
            name,
            label.font_size,
            Font::SemiBold,
            color,
            Anchor::Middle,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::theme;

    const BOUNDS: Bounds = Bounds {
        min: [0.0, 0.0],
        max: [400.0, 300.0],
    };

    fn labels(at: impl Iterator<Item = [f32; 2]>, name: &str) -> Vec<Label> {
        let look = Look::new(theme::DARK, 760.0);
        at.enumerate()
            .map(|(class, at)| Label::new(&look, class, name, 10, 760.0).at(at, at))
            .collect()
    }

    #[track_caller]
    fn check_apart_and_inside(labels: &[Label]) {
        let places = place(labels, &BOUNDS, 1.0);
        for (i, (a, at)) in labels.iter().zip(&places).enumerate() {
            let at = at.expect("there is room");
            assert!(
                at[0] >= a.half_width && at[0] <= 400.0 - a.half_width,
                "{at:?}"
            );
            assert!(at[1] >= a.radius && at[1] <= 300.0 - a.radius, "{at:?}");
            for (b, other) in labels[i + 1..].iter().zip(&places[i + 1..]) {
                assert!(!overlap(a, at, b, other.expect("room"), 0.0));
            }
        }
    }

    #[test]
    fn twenty_labels_on_one_spot_find_their_places() {
        check_apart_and_inside(&labels((0..20).map(|_| [200.0, 150.0]), "7"));
    }

    #[test]
    fn labels_in_a_corner_stay_on_the_canvas() {
        check_apart_and_inside(&labels((0..8).map(|i| [-50.0, i as f32]), "9"));
    }

    #[test]
    fn names_in_a_small_panel_have_no_disc_and_take_less_room() {
        let look = Look::of_unit(theme::LIGHT, 0.8);
        let of = |room| Label::new(&look, 3, "3", 10, room);
        let (small, large) = (of(150.0), of(400.0));
        assert!(small.radius < 0.7 * large.radius);
        let has_disc = |label: &Label| {
            let items = mark(&look, label, label.wanted);
            items.iter().any(|item| matches!(item, Item::Disc { .. }))
        };
        assert!(has_disc(&large) && !has_disc(&small));
    }

    #[test]
    fn pills_do_not_overlap() {
        check_apart_and_inside(&labels(
            (0..8).map(|i| [200.0 + i as f32, 150.0]),
            "airplane",
        ));
    }

    #[test]
    fn a_label_with_room_stays_where_it_wants_to_be() {
        let labels = labels([[50.0, 50.0], [200.0, 200.0]].into_iter(), "1");
        let places = place(&labels, &BOUNDS, 1.0);
        assert_eq!(places, [Some([50.0, 50.0]), Some([200.0, 200.0])]);
    }
}
