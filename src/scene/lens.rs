//! The sample under the lens: its mark, the angles to its nearest two weights, where the loss pulls
//! it, and where one step would send it.

use crate::scene::arrows::{SHORTEST, along, arrow, length_pt};
use crate::scene::curves::Curves;
use crate::scene::look::{Look, disc, line};
use crate::scene::place::Places;
use crate::scene::rays::Rays;
use crate::scene::theme::class_color;
use crate::scene::{Group, Item, Microscope, Rgba, Scene, Spot, ViewState, thousands};
use crate::trainer::Snapshot;

/// Radius of the ring round the sample, in units.
const RING: f32 = 9.0;
/// Length of the ticks outside the ring.
const TICK: f32 = 4.5;
/// Radius of the mark of the next step.
const MARK: f32 = 4.2;
/// How far the mark keeps from the sample, so that the two are seen apart.
const CLEARANCE: f32 = 4.0;
/// By how much a step is enlarged at most to be seen.
const MOST_ENLARGED: f64 = 1e6;
/// What lies farther outside the canvas is not drawn, in points.
const FARTHEST: f32 = 1e5;

/// Where the dot of sample `sample` stands, whether it is drawn or hidden by others; `None` where
/// it has no place.
pub fn spot(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    size: [f32; 2],
    sample: usize,
) -> Option<Spot> {
    let dim = snapshot.head.dim;
    let x = snapshot
        .probe
        .features
        .get(sample * dim..(sample + 1) * dim)?;
    let spot = Places::of(snapshot, curves, view, size)?.spot(x, sample)?;
    spot.at.iter().all(|c| c.abs() < FARTHEST).then_some(spot)
}

/// A ring round a dot that the pointer is on, on a canvas of the picture's size.
pub fn hover_ring(view: &ViewState, size: [f32; 2], at: [f32; 2]) -> Scene {
    let look = view.look(size);
    let items = vec![
        ring(at, 8.0 * look.unit, look.line(3.6, look.theme.ground)),
        ring(at, 8.0 * look.unit, look.line(1.5, look.theme.text)),
    ];
    Scene {
        size,
        ground: view.theme.ground,
        groups: vec![Group::new("hover", items)],
    }
}

pub(super) fn is_near_canvas(spot: &Spot) -> bool {
    spot.at.iter().all(|c| c.abs() < FARTHEST)
}

/// Where one step against its own gradient sends the kept sample.
#[derive(Clone, Copy)]
struct NextStep {
    spot: Spot,
    /// 1, or the first of 2, 5, 10, 20 … times the step that stands apart from the sample.
    factor: f64,
}

impl NextStep {
    /// `None` where no such step is seen: at a gradient of 0, or one along the line of sight.
    fn of(
        seen: &Microscope,
        learning_rate: f64,
        places: &Places<'_>,
        from: Spot,
        unit: f32,
    ) -> Option<Self> {
        if !is_pulled(seen) {
            return None;
        }
        let apart = (RING + MARK + CLEARANCE) * unit;
        let decades = (0..).map(|decade| 10_f64.powi(decade));
        decades
            .flat_map(|decade| [decade, 2.0 * decade, 5.0 * decade])
            .take_while(|factor| *factor <= MOST_ENLARGED)
            .find_map(|factor| {
                let next = seen.next_feature(factor * learning_rate);
                let spot = places.spot(&next, seen.sample).filter(is_near_canvas)?;
                let [dx, dy] = [0, 1].map(|axis| spot.at[axis] - from.at[axis]);
                (dx.hypot(dy) >= apart).then_some(Self { spot, factor })
            })
    }
}

/// Whether the loss still moves a sample: where its gradient is practically 0 there is neither arrow
/// nor ring.
pub fn is_pulled(seen: &Microscope) -> bool {
    length_pt(seen.gradient_size()) >= SHORTEST
}

/// What the small ring is, in words; `None` where there is none.
pub(super) fn step_note(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    size: [f32; 2],
) -> Option<String> {
    view.kept?; // most pictures have no ring, and need no places for it
    let places = Places::of(snapshot, curves, view, size)?;
    let look = view.look(size);
    let factor = Lens::of(snapshot, view, &places, look)?.next?.factor;
    Some(if factor > 1.0 {
        format!(
            "Small ring: {} times one step of the marked feature itself.",
            thousands(factor as u64)
        )
    } else {
        "Small ring: after one step of the marked feature itself.".to_owned()
    })
}

/// The kept sample in a view.
pub(super) struct Lens<'a> {
    seen: Microscope,
    spot: Spot,
    /// Where one step of the current learning rate sends it, enlarged where it is too short.
    next: Option<NextStep>,
    places: &'a Places<'a>,
    look: Look,
}

impl<'a> Lens<'a> {
    /// `None` where no sample is kept, or it has no place.
    pub(super) fn of(
        snapshot: &Snapshot,
        view: &ViewState,
        places: &'a Places<'a>,
        look: Look,
    ) -> Option<Self> {
        let seen = Microscope::of(snapshot, view.kept?)?;
        let spot = places.spot(&seen.feature, seen.sample)?;
        is_near_canvas(&spot).then_some(Self {
            next: NextStep::of(&seen, snapshot.learning_rate, places, spot, look.unit),
            spot,
            seen,
            places,
            look,
        })
    }

    /// Lines or arcs from the sample to its nearest two weights, and to its own where that is none of
    /// them, with their angles.
    pub(super) fn angles(
        &self,
        snapshot: &Snapshot,
        curves: &Curves,
        view: &ViewState,
        size: [f32; 2],
    ) -> Vec<Item> {
        let rays = Rays {
            feature: &self.seen.feature,
            angles_rad: &self.seen.angles_rad,
            classes: &self.seen.marked_classes(),
            spot: self.spot,
            places: self.places,
            look: self.look,
        };
        rays.items(snapshot, curves, view, size)
    }

    fn ground(&self, opacity: f32) -> Rgba {
        self.look.theme.ground.with_opacity(opacity)
    }

    /// The mark of the sample, the arrow of its gradient, and where one step sends it; faint on the
    /// far side.
    pub(super) fn items(&self) -> Vec<Item> {
        let mut items = self.reticle();
        items.extend(self.arrow());
        if let Some(NextStep { spot: next, .. }) = self.next {
            let radius = MARK * self.look.unit;
            let ink = self.faded(self.look.ink(self.seen.label));
            items.extend([
                ring(next.at, radius, self.look.line(3.6, self.ground(1.0))),
                ring(next.at, radius, self.look.line(1.6, ink)),
            ]);
        }
        items
    }

    fn faded(&self, color: Rgba) -> Rgba {
        color.with_opacity(if self.spot.is_near { 1.0 } else { 0.5 })
    }

    /// Dot, ring and four ticks.
    fn reticle(&self) -> Vec<Item> {
        let (look, at, unit) = (&self.look, self.spot.at, self.look.unit);
        let ground = self.faded(look.theme.ground);
        let color = self.faded(class_color(self.seen.label));
        let mut items = vec![disc(at, 3.4 * unit, color, look.line(1.2, ground))];
        let inks = [
            look.line(4.4, ground),
            look.line(1.9, self.faded(look.theme.text)),
        ];
        for ink in inks {
            items.push(ring(at, RING * unit, ink));
            for [x, y] in [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]] {
                let ends = [RING, RING + TICK].map(|r| along(at, [x, y], r * unit));
                items.push(line(ends.to_vec(), ink));
            }
        }
        items
    }

    /// From the ring outwards, downhill.
    fn arrow(&self) -> Vec<Item> {
        let downhill: Vec<f64> = self.seen.gradient.iter().map(|g| -g).collect();
        let heading = self.places.heading(&self.seen.feature, &downhill);
        let Some(heading) = heading.filter(|heading| length_pt(heading.size) >= SHORTEST) else {
            return Vec::new();
        };
        let look = &self.look;
        let start = RING * look.unit;
        let length = length_pt(heading.size) as f32 * look.unit;
        let ends = [start, start + length].map(|r| along(self.spot.at, heading.along, r));
        let under = look.line(5.0, self.faded(look.theme.ground));
        let mut items = vec![line(ends.to_vec(), under)];
        items.extend(arrow(look, ends, 2.2, self.faded(look.theme.text)));
        items
    }
}

fn ring(at: [f32; 2], radius: f32, stroke: crate::scene::Stroke) -> Item {
    disc(at, radius, Rgba([0; 4]), stroke)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Vector2, Vector3};

    use crate::experiment::ViewKind;
    use crate::geometry::angle;
    use crate::scene::curves::Space;
    use crate::scene::plane::WeightArrows;
    use crate::scene::rays::{ARCS_AT, shorter_turn_rad};
    use crate::scene::sample::{even_weights, fans, snapshot};
    use crate::scene::{WINDOW_SAGITTA, build, theme};

    const SIZE: [f32; 2] = [820.0, 760.0];

    fn flat(kind: ViewKind, loss: &str) -> (Snapshot, ViewState) {
        let weights = even_weights(5);
        let (features, labels) = fans(&weights, 9, 2.0, 5.0, 0.6);
        let mut snapshot = snapshot(loss, 2, &weights, &features, &labels);
        snapshot.learning_rate = 1.5; // far enough to be seen
        (snapshot, kept(kind, 12))
    }

    fn kept(kind: ViewKind, sample: usize) -> ViewState {
        let mut view = ViewState::new(kind, theme::DARK);
        view.kept = Some(sample);
        view.plane.units_per_pt = 0.02;
        view
    }

    fn solid(loss: &str) -> Snapshot {
        let weights = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0, 0.0];
        let features = [
            0.3, 0.5, 0.9, 0.8, 0.6, 0.1, -0.1, 0.9, 0.4, -0.9, 0.3, -0.2,
        ];
        snapshot(loss, 3, &weights, &features, &[0, 1, 2, 3])
    }

    fn items(scene: &Scene, name: &str) -> Vec<Item> {
        let group = scene.groups.iter().find(|group| group.name == name);
        group.map_or(Vec::new(), |group| group.items.clone())
    }

    fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    /// How many times the step is drawn.
    fn factor(snapshot: &Snapshot, view: &ViewState) -> f64 {
        let curves = Curves::of(snapshot, WINDOW_SAGITTA);
        let places = Places::of(snapshot, &curves, view, SIZE).expect("places");
        let look = Look::new(theme::DARK, SIZE[1]);
        let lens = Lens::of(snapshot, view, &places, look).expect("a kept sample");
        lens.next.expect("a step").factor
    }

    /// The feature that the mark stands for.
    fn marked_feature(snapshot: &Snapshot, view: &ViewState) -> Vec<f64> {
        let sample = view.kept.expect("a kept sample");
        let seen = Microscope::of(snapshot, sample).expect("a sample");
        seen.next_feature(factor(snapshot, view) * snapshot.learning_rate)
    }

    /// The middle of the mark of the next step.
    fn mark(scene: &Scene) -> [f32; 2] {
        match items(scene, "lens").last() {
            Some(Item::Disc { center, radius, .. }) if *radius == MARK * unit() => *center,
            other => panic!("{other:?}"),
        }
    }

    fn unit() -> f32 {
        Look::new(theme::DARK, SIZE[1]).unit
    }

    /// Beginning and tip of the arrow.
    fn arrow_of(scene: &Scene) -> [[f32; 2]; 2] {
        let items = items(scene, "lens");
        let shaft = items.iter().rev().find_map(|item| match item {
            Item::Line { points, .. } => Some(points[0]),
            _ => None,
        });
        let tip = items.iter().rev().find_map(|item| match item {
            Item::Polygon { rings, .. } => Some(rings[0][0]),
            _ => None,
        });
        [shaft.expect("a shaft"), tip.expect("a head")]
    }

    #[test]
    fn the_mark_is_where_the_next_feature_lies() {
        for loss in ["softmax", "arcface", "sphereface"] {
            let (snapshot, view) = flat(ViewKind::Plane, loss);
            let scene = build(&snapshot, &view, SIZE);
            let next = marked_feature(&snapshot, &view);
            let middle = view.stage(SIZE).middle();
            let expected = view.plane.screen_from_world([next[0], next[1]], middle);
            assert!(distance(mark(&scene), expected) < 0.1, "{loss}");
            let view = kept(ViewKind::Circle, 12);
            let next = marked_feature(&snapshot, &view);
            let scene = build(&snapshot, &view, SIZE);
            let (center, radius) = crate::scene::circle::disc_of(&view, SIZE);
            let at = mark(&scene);
            let found = angle::polar_rad(Vector2::new(
                f64::from(at[0] - center[0]),
                f64::from(center[1] - at[1]),
            ));
            let off = shorter_turn_rad(found, angle::polar_rad(Vector2::new(next[0], next[1])));
            assert!(off.abs() * f64::from(radius) < 0.1, "{loss}: {off} rad");
        }
        let snapshot = solid("arcface");
        let view = kept(ViewKind::Sphere, 0);
        let next = marked_feature(&snapshot, &view);
        let u = Vector3::from_column_slice(&next).normalize();
        let (center, radius) = view.ball(SIZE);
        let seen = view.sphere.view_from_world(&u);
        let expected = [
            center[0] + radius * seen.x as f32,
            center[1] - radius * seen.y as f32,
        ];
        assert!(distance(mark(&build(&snapshot, &view, SIZE)), expected) < 0.1);
    }

    #[test]
    fn a_step_too_short_to_be_seen_is_enlarged_and_the_note_says_so() {
        let (mut snapshot, mut view) = flat(ViewKind::Plane, "softmax");
        let curves = Curves::of(&snapshot, WINDOW_SAGITTA);
        let spot = spot(&snapshot, &curves, &view, SIZE, 12).expect("a place");
        let note = |snapshot: &Snapshot, view: &ViewState| step_note(snapshot, &curves, view, SIZE);
        snapshot.learning_rate = 20.0;
        assert_eq!(factor(&snapshot, &view), 1.0);
        assert_eq!(
            note(&snapshot, &view).as_deref(),
            Some("Small ring: after one step of the marked feature itself.")
        );
        snapshot.learning_rate = 1e-3;
        let factor = factor(&snapshot, &view);
        let words = format!(
            "Small ring: {} times one step of the marked feature itself.",
            thousands(factor as u64)
        );
        assert_eq!(note(&snapshot, &view), Some(words));
        let apart = (RING + MARK + CLEARANCE) * unit();
        let from_sample = distance(mark(&build(&snapshot, &view, SIZE)), spot.at);
        assert!((1.0..2.6).contains(&(from_sample / apart)), "{from_sample}");
        view.kept = None;
        assert_eq!(note(&snapshot, &view), None);
    }

    #[test]
    fn the_arrow_goes_downhill_from_the_ring_and_is_as_long_as_the_rule_says() {
        let (snapshot, view) = flat(ViewKind::Plane, "softmax");
        let seen = Microscope::of(&snapshot, 12).expect("a sample");
        let [from, tip] = arrow_of(&build(&snapshot, &view, SIZE));
        let gradient = Vector2::new(seen.gradient[0], seen.gradient[1]);
        let length = unit() * length_pt(gradient.norm()) as f32;
        assert!((distance(from, tip) - length).abs() < 0.01);
        let along = Vector2::new(tip[0] - from[0], from[1] - tip[1]).cast::<f64>();
        assert!(along.normalize().dot(&-gradient.normalize()) > 1.0 - 1e-6);
        let curves = Curves::of(&snapshot, WINDOW_SAGITTA);
        let at = spot(&snapshot, &curves, &view, SIZE, 12)
            .expect("a place")
            .at;
        assert!((distance(from, at) - RING * unit()).abs() < 0.01);
    }

    #[test]
    fn where_only_directions_are_seen_the_arrow_turns_the_feature() {
        for loss in ["softmax", "arcface"] {
            let (snapshot, view) = flat(ViewKind::Circle, loss);
            let [from, tip] = arrow_of(&build(&snapshot, &view, SIZE));
            let (center, _) = crate::scene::circle::disc_of(&view, SIZE);
            let curves = Curves::of(&snapshot, WINDOW_SAGITTA);
            let at = spot(&snapshot, &curves, &view, SIZE, 12)
                .expect("a place")
                .at;
            let radial = Vector2::new(at[0] - center[0], at[1] - center[1]).normalize();
            let along = Vector2::new(tip[0] - from[0], tip[1] - from[1]).normalize();
            assert!(radial.dot(&along).abs() < 1e-3, "{loss}");
        }
    }

    #[test]
    fn lines_and_arcs_lead_to_the_nearest_two_weights() {
        let (snapshot, view) = flat(ViewKind::Plane, "softmax");
        let nearest = Microscope::of(&snapshot, 12).expect("a sample").nearest();
        let curves = Curves::of(&snapshot, WINDOW_SAGITTA);
        let Space::Flat(flat) = &curves.space else {
            panic!("two dimensions");
        };
        let ends = |scene: &Scene| -> Vec<[[f32; 2]; 2]> {
            let inks = items(scene, "angles")
                .into_iter()
                .filter_map(|item| match item {
                    Item::Line { points, stroke, .. } if stroke.color != theme::DARK.text => {
                        Some([points[0], *points.last()?])
                    }
                    _ => None,
                });
            let all: Vec<[[f32; 2]; 2]> = inks.collect();
            all.into_iter().step_by(2).collect() // each has a ground below it
        };
        let drawn = ends(&build(&snapshot, &view, SIZE));
        let arrows = WeightArrows::of(&snapshot, &view, SIZE);
        let at = spot(&snapshot, &curves, &view, SIZE, 12)
            .expect("a place")
            .at;
        assert_eq!(drawn.len(), 2);
        for (line, class) in drawn.iter().zip(&nearest) {
            assert!(distance(line[0], at) < 0.01);
            assert!(distance(line[1], arrows.tip(&flat.weights[*class])) < 0.01);
        }
        let view = kept(ViewKind::Circle, 12);
        let (center, radius) = crate::scene::circle::disc_of(&view, SIZE);
        let at = |u: Vector2<f64>, share: f32| {
            let u = u.normalize();
            [
                center[0] + radius * share * u.x as f32,
                center[1] - radius * share * u.y as f32,
            ]
        };
        let x = Vector2::new(snapshot.probe.features[24], snapshot.probe.features[25]).cast();
        for (k, arc) in ends(&build(&snapshot, &view, SIZE)).iter().enumerate() {
            assert!(distance(arc[0], at(x, ARCS_AT[k])) < 0.01);
            assert!(distance(arc[1], at(flat.weights[nearest[k]], ARCS_AT[k])) < 0.01);
        }
    }

    #[test]
    fn great_circles_lie_on_the_sphere_and_end_at_the_limb() {
        let snapshot = solid("normface");
        for sample in 0..4 {
            let mut view = kept(ViewKind::Sphere, sample);
            for _ in 0..6 {
                view.sphere.turn(1.0);
                let (center, radius) = view.ball(SIZE);
                for item in items(&build(&snapshot, &view, SIZE), "angles") {
                    if let Item::Line { points, .. } = item {
                        let on_ball = |at: &[f32; 2]| distance(*at, center) <= radius + 0.01;
                        assert!(points.iter().all(on_ball));
                    }
                }
            }
        }
    }

    #[test]
    fn without_a_kept_sample_there_is_no_lens() {
        let (snapshot, mut view) = flat(ViewKind::Plane, "softmax");
        for kept in [None, Some(45), Some(usize::MAX / 8)] {
            view.kept = kept;
            let scene = build(&snapshot, &view, SIZE);
            assert_eq!(
                items(&scene, "lens").len() + items(&scene, "angles").len(),
                0
            );
        }
        view.kept = Some(44);
        assert!(!items(&build(&snapshot, &view, SIZE), "lens").is_empty());
    }

    #[test]
    fn a_sample_of_a_head_with_one_weight_has_one_line() {
        let weights = [0.0, 0.0, 1.0, 0.5];
        let mut snapshot = snapshot("binary_cross_entropy", 2, &weights, &[1.0, 2.0], &[1]);
        snapshot.head.bias = vec![0.0, 0.1];
        let scene = build(&snapshot, &kept(ViewKind::Circle, 0), SIZE);
        let texts = items(&scene, "angles")
            .into_iter()
            .filter_map(|item| match item {
                Item::Text { text, .. } => Some(text),
                _ => None,
            });
        assert_eq!(texts.collect::<Vec<_>>(), ["37°"]);
    }
}
