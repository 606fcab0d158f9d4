//! Where the loss pulls features: arrows along −∂L/∂x, for a few samples of each class.

use crate::loss::HeadWork;
use crate::scene::evenly::evenly;
use crate::scene::look::{Look, line, polygon};
use crate::scene::microscope::run_head;
use crate::scene::place::Places;
use crate::scene::{Item, Rgba, ViewState};
use crate::trainer::Snapshot;

/// Most arrows at once: more hide the dots they start from.
const MOST_ARROWS: usize = 160;
/// The same of one class.
const MOST_OF_CLASS: usize = 40;
/// Length of an arrow in points where its gradient is 1.
const LENGTH_AT_ONE: f64 = 40.0;
/// How much longer it is where the gradient is ten times as long. Gradients of one picture span
/// five powers of ten: in proportion, all but a few arrows would be dots.
const LENGTH_PER_DECADE: f64 = 10.0;
/// Shorter arrows are not drawn: nobody sees where they point.
pub(super) const SHORTEST: f64 = 5.0;
/// Longer ones would leave the place they are about.
const LONGEST: f64 = 80.0;

/// The rule in words, for the small print of a picture whose unit is so large.
pub(super) fn rule(unit: f32) -> String {
    let [at_one, at_tenth, at_hundredth] =
        [1.0, 0.1, 0.01].map(|size| length_pt(size) * f64::from(unit));
    format!(
        "Arrows: −∂L/∂x, {at_one:.0} points long where it is 1, {at_tenth:.0} at 0.1, {at_hundredth:.0} at 0.01."
    )
}

/// Length in points of the arrow of a gradient of length `size`, in units of the feature.
pub(super) fn length_pt(size: f64) -> f64 {
    (LENGTH_AT_ONE + LENGTH_PER_DECADE * size.log10()).min(LONGEST)
}

/// Arrows of samples that are spread evenly over the classes that are shown.
pub(super) fn items(
    snapshot: &Snapshot,
    view: &ViewState,
    places: &Places<'_>,
    look: &Look,
) -> Vec<Item> {
    let (head, probe) = (&snapshot.head, &snapshot.probe);
    let feature = |i: usize| &probe.features[i * head.dim..(i + 1) * head.dim];
    let is_finite = |i: &u32| feature(*i as usize).iter().all(|x| x.is_finite());
    let mut chosen = evenly(&probe.labels, MOST_ARROWS, MOST_OF_CLASS, &view.classes);
    chosen.retain(is_finite);
    let features: Vec<f32> = chosen
        .iter()
        .flat_map(|&i| feature(i as usize))
        .copied()
        .collect();
    let labels: Vec<u16> = chosen.iter().map(|&i| probe.labels[i as usize]).collect();
    let (_, gradients) = run_head(head, &features, &labels, &mut HeadWork::default());
    let mut items = Vec::new();
    let each = features
        .chunks_exact(head.dim)
        .zip(gradients.chunks_exact(head.dim));
    for ((&sample, label), (x, gradient)) in chosen.iter().zip(&labels).zip(each) {
        let color = look.theme.text.mix(look.ink(usize::from(*label)), 0.35);
        let downhill: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let Some((spot, heading)) = places
            .spot(x, sample as usize)
            .zip(places.heading(x, &downhill))
        else {
            continue;
        };
        let length = length_pt(heading.size);
        if !spot.is_near || length < SHORTEST {
            continue;
        }
        let tip = along(spot.at, heading.along, length as f32 * look.unit);
        items.extend(arrow(look, [spot.at, tip], 1.1, color));
    }
    items
}

/// A point at a distance from another.
pub(super) fn along(from: [f32; 2], direction: [f32; 2], distance: f32) -> [f32; 2] {
    [
        from[0] + distance * direction[0],
        from[1] + distance * direction[1],
    ]
}

/// A line with a filled head at its end.
pub(super) fn arrow(look: &Look, [from, to]: [[f32; 2]; 2], width: f32, color: Rgba) -> Vec<Item> {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx.hypot(dy);
    if length < 1e-3 {
        return Vec::new();
    }
    let direction = [dx / length, dy / length];
    let head = (4.4 * width * look.unit).min(0.6 * length);
    let base = along(to, direction, -head);
    let side = [-direction[1], direction[0]];
    let half = 0.42 * head;
    vec![
        line(vec![from, base], look.line(width, color)),
        polygon(
            vec![to, along(base, side, half), along(base, side, -half)],
            color,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::ViewKind;
    use crate::scene::sample::{even_weights, fans, snapshot};
    use crate::scene::{Classes, build, theme};

    const SIZE: [f32; 2] = [800.0, 760.0];

    #[test]
    fn the_rule_of_lengths_is_that_of_the_small_print() {
        assert_eq!(length_pt(1.0), 40.0);
        assert!((length_pt(0.01) - 20.0).abs() < 1e-9);
        assert_eq!(length_pt(1e30), LONGEST);
        assert!(length_pt(0.0) < SHORTEST, "no pull, no arrow");
        assert_eq!(
            rule(2.0),
            "Arrows: −∂L/∂x, 80 points long where it is 1, 60 at 0.1, 40 at 0.01."
        );
    }

    fn lines(snapshot: &Snapshot, view: &ViewState) -> Vec<[[f32; 2]; 2]> {
        let scene = build(snapshot, view, SIZE);
        let group = scene.groups.iter().find(|group| group.name == "arrows");
        let items = group.map_or(&[][..], |group| &group.items);
        let ends = items.iter().filter_map(|item| match item {
            Item::Line { points, .. } => Some([points[0], points[1]]),
            _ => None,
        });
        ends.collect()
    }

    #[test]
    fn arrows_point_to_the_own_weight_and_follow_the_switch() {
        let weights = even_weights(4);
        let (features, labels) = fans(&weights, 40, 1.0, 2.0, 0.6);
        let snapshot = snapshot("softmax", 2, &weights, &features, &labels);
        let mut view = ViewState::new(ViewKind::Circle, theme::DARK);
        assert_eq!(lines(&snapshot, &view), [[[0.0; 2]; 2]; 0]);
        view.show.arrows = true;
        let all = lines(&snapshot, &view);
        assert!(all.len() > 100 && all.len() <= MOST_ARROWS, "{}", all.len());
        // Weight 0 points right: arrows above the axis point down, those below it up.
        view.classes = Classes::only(0, 4);
        let right = lines(&snapshot, &view);
        assert!(right.len() > 20 && right.len() <= MOST_OF_CLASS);
        let middle = view.stage(SIZE).middle()[1];
        for [from, to] in right {
            let (above, goes_down) = (from[1] < middle, to[1] > from[1]);
            assert_eq!(above, goes_down, "{from:?} {to:?}");
        }
    }

    #[test]
    fn every_head_has_arrows_on_every_view() {
        let weights = even_weights(3);
        // Up to the boundaries: nothing pulls at samples that are safe.
        let (features, labels) = fans(&weights, 10, 1.0, 2.0, 1.05);
        for spec in crate::loss::LOSSES {
            let snapshot = snapshot(spec.id, 2, &weights, &features, &labels);
            for kind in [ViewKind::Plane, ViewKind::Circle] {
                let mut view = ViewState::new(kind, theme::LIGHT);
                view.show.arrows = true;
                let _ = view.fit(&snapshot, SIZE);
                let drawn = lines(&snapshot, &view);
                assert!(!drawn.is_empty(), "{}", spec.id);
                let is_finite = |end: &[f32; 2]| end.iter().all(|c| c.is_finite());
                assert!(drawn.iter().flatten().all(is_finite));
            }
        }
    }
}
