//! Which sample lies under the pointer, and which one comes after it.

use crate::scene::{Item, Scene, ViewState};
use crate::trainer::Snapshot;

/// How far from a dot the pointer may be, in points.
const REACH: f32 = 8.0;

/// The sample (index in the probe) whose dot is nearest to the pointer, within 8 points.
pub fn pick(scene: &Scene, pointer_screen: [f32; 2]) -> Option<usize> {
    let points = scene.groups.iter().find(|group| group.name == "points")?;
    let mut best: Option<(f32, u32)> = None;
    for item in &points.items {
        let Item::Dots { dots, .. } = item else {
            continue;
        };
        for dot in dots {
            let distance =
                (dot.center[0] - pointer_screen[0]).hypot(dot.center[1] - pointer_screen[1]);
            if distance <= REACH && best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, dot.sample));
            }
        }
    }
    best.map(|(_, sample)| sample as usize)
}

/// The sample (index in the probe) after or before `from` in the list of those that are shown, and
/// lit where some are; the first or the last one from none. `None` if there is no other.
pub fn neighbor(
    snapshot: &Snapshot,
    view: &ViewState,
    from: Option<usize>,
    direction: Direction,
) -> Option<usize> {
    let n = snapshot.probe.len();
    let shown = view.classes.mask(snapshot.head.n_classes);
    let lit = view.light.mask(snapshot);
    let is_candidate = |i: &usize| {
        shown.shows(snapshot.probe.labels[*i]) && lit.as_ref().is_none_or(|lit| lit[*i])
    };
    let from = from.filter(|&from| from < n);
    // All others, once around.
    let around = (1..=n).map(|k| match direction {
        Direction::Next => (from.map_or(n - 1, |from| from) + k) % n,
        Direction::Previous => (from.map_or(n, |from| from) + n - k) % n,
    });
    let mut candidates = around.filter(is_candidate);
    candidates.next().filter(|&found| from != Some(found))
}

/// Which way to go through the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the next one.
    Next,
    /// To the one before.
    Previous,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::ViewKind;
    use crate::scene::sample::{even_weights, snapshot};
    use crate::scene::{Classes, Light, theme};

    #[test]
    fn samples_are_gone_through_once_around() {
        // Two of class 0, two of class 1; the last one lies on the wrong side.
        let features = [1.0, 0.1, 1.0, -0.1, -1.0, 0.1, 1.0, 0.2];
        let snapshot = snapshot("normface", 2, &even_weights(2), &features, &[0, 0, 1, 1]);
        let mut view = ViewState::new(ViewKind::Plane, theme::DARK);
        let go = |view: &ViewState, from, direction| neighbor(&snapshot, view, from, direction);
        assert_eq!(go(&view, None, Direction::Next), Some(0));
        assert_eq!(go(&view, None, Direction::Previous), Some(3));
        assert_eq!(go(&view, Some(3), Direction::Next), Some(0));
        assert_eq!(go(&view, Some(0), Direction::Previous), Some(3));
        assert_eq!(go(&view, Some(99), Direction::Next), Some(0), "lost");
        view.classes = Classes::only(1, 2);
        assert_eq!(go(&view, Some(0), Direction::Next), Some(2));
        assert_eq!(go(&view, Some(2), Direction::Previous), Some(3));
        view.light = Light::Wrong;
        assert_eq!(go(&view, None, Direction::Next), Some(3));
        assert_eq!(go(&view, Some(3), Direction::Next), None, "no other");
        view.classes = Classes::none(2);
        assert_eq!(go(&view, None, Direction::Next), None);
    }
}
