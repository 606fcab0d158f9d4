//! What somebody drew: what it is read as, and its mark in the picture.

use std::f32::consts::PI;

use crate::scene::fonts::estimated_width;
use crate::scene::lens::is_near_canvas;
use crate::scene::look::{Look, closed_line, polygon, tag};
use crate::scene::microscope::{angles_rad, nearest, plain_logits, softmax, some_classes};
use crate::scene::place::Places;
use crate::scene::rays::Rays;
use crate::scene::theme::class_color;
use crate::scene::{Curves, Item, Rgba, Spot, ViewState};
use crate::trainer::Snapshot;
use crate::trainer::metrics::argmax;

/// From the middle of the star to its five tips, in units.
const TIP: f32 = 13.0;
/// The same to the corners between them.
const CORNER: f32 = 5.9;
/// Between the star's middle and its words, in units.
const WORDS_OFF: f32 = 25.0;
/// Size of the words, in units.
const WORDS: f32 = 15.0;

/// What a drawn digit is read as.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The class with the largest plain score.
    pub class: usize,
    /// Softmax of the logits without margin: a margin is for a class that is known `[classes]`
    pub probabilities: Vec<f64>,
    /// `θ_j` in radians, `None` where feature or weight have no direction `[classes]`
    pub angles_rad: Vec<Option<f64>>,
}

impl Verdict {
    /// `None` where nothing is drawn.
    pub fn of(snapshot: &Snapshot) -> Option<Self> {
        let feature = &snapshot.drawn.as_ref()?.feature;
        let logits = plain_logits(&snapshot.head, feature);
        Some(Self {
            class: argmax(&logits),
            probabilities: softmax(&logits),
            angles_rad: angles_rad(&snapshot.head, feature),
        })
    }

    /// Classes for a table of at most `most` rows, in their order: all, or the one it is read as and
    /// those of the nearest weights.
    pub fn table_classes(&self, most: usize) -> Vec<usize> {
        some_classes(&[self.class], &self.angles_rad, most)
    }

    /// The classes whose weights are nearest, two of them, and the one that it is read as.
    fn marked_classes(&self) -> Vec<usize> {
        let ranked = nearest(&self.angles_rad).into_iter().enumerate();
        let marked = ranked.filter(|(rank, class)| *rank < 2 || *class == self.class);
        marked.map(|(_, class)| class).collect()
    }
}

/// The drawn digit in a view.
pub(super) struct Mark<'a> {
    snapshot: &'a Snapshot,
    verdict: Verdict,
    feature: &'a [f32],
    spot: Spot,
    places: &'a Places<'a>,
    look: Look,
}

impl<'a> Mark<'a> {
    /// `None` where nothing is drawn, or it has no place.
    pub(super) fn of(snapshot: &'a Snapshot, places: &'a Places<'a>, look: Look) -> Option<Self> {
        let verdict = Verdict::of(snapshot)?;
        let feature = &snapshot.drawn.as_ref()?.feature;
        let spot = places.spot(feature, 0)?;
        is_near_canvas(&spot).then_some(Self {
            snapshot,
            verdict,
            feature,
            spot,
            places,
            look,
        })
    }

    /// Lines or arcs to the nearest two weights and to that of the class that it is read as.
    pub(super) fn angles(&self, curves: &Curves, view: &ViewState, size: [f32; 2]) -> Vec<Item> {
        let rays = Rays {
            feature: self.feature,
            angles_rad: &self.verdict.angles_rad,
            classes: &self.verdict.marked_classes(),
            spot: self.spot,
            places: self.places,
            look: self.look,
        };
        rays.items(self.snapshot, curves, view, size)
    }

    /// A star in the class's colour with what it is read as; faint on the far side.
    pub(super) fn items(&self, size: [f32; 2]) -> Vec<Item> {
        let (look, theme) = (&self.look, &self.look.theme);
        let star = |growth: f32| {
            star(
                self.spot.at,
                [TIP, CORNER].map(|r| (r + growth) * look.unit),
            )
        };
        let mut items = vec![
            polygon(star(4.0), self.faded(theme.ground)),
            polygon(star(0.0), self.faded(class_color(self.verdict.class))),
            closed_line(star(0.0), look.line(1.7, self.faded(theme.text))),
        ];
        let text_size = look.text(WORDS);
        let name = self.snapshot.class_name(self.verdict.class);
        let words = format!("drawn: {name}");
        let pos = self.words_pos(estimated_width(&words, text_size), text_size, size);
        items.extend(tag(look, pos, words, text_size));
        items
    }

    /// Over the star, or under it at the upper edge; within the canvas unless the star is not.
    fn words_pos(&self, width: f32, text_size: f32, [canvas_width, _]: [f32; 2]) -> [f32; 2] {
        let [x, y] = self.spot.at;
        let off = WORDS_OFF.max(TIP + 0.8 * text_size / self.look.unit) * self.look.unit;
        let y = if y - off < 2.0 * text_size {
            y + off
        } else {
            y - off
        };
        let half = 0.5 * width + text_size;
        if (0.0..=canvas_width).contains(&x) && canvas_width > 2.0 * half {
            return [x.clamp(half, canvas_width - half), y];
        }
        [x, y]
    }

    fn faded(&self, color: Rgba) -> Rgba {
        color.with_opacity(if self.spot.is_near { 1.0 } else { 0.5 })
    }
}

/// The ten corners of a star, from its upper tip.
fn star([x, y]: [f32; 2], radii: [f32; 2]) -> Vec<[f32; 2]> {
    let corner = |i: usize| {
        let (sin, cos) = (0.2 * PI * i as f32).sin_cos();
        let radius = radii[i % 2];
        [x + radius * sin, y - radius * cos]
    };
    (0..10).map(corner).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::experiment::ViewKind;
    use crate::scene::sample::{even_weights, fans, snapshot};
    use crate::scene::{Scene, build, theme};
    use crate::trainer::{Drawn, predictions};

    const SIZE: [f32; 2] = [820.0, 760.0];

    /// A run of five classes with something drawn that has this feature.
    fn drawn(loss: &str, feature: &[f32]) -> Snapshot {
        let mut snapshot = if feature.len() == 2 {
            let weights = even_weights(5);
            let (features, labels) = fans(&weights, 9, 2.0, 5.0, 0.6);
            snapshot(loss, 2, &weights, &features, &labels)
        } else {
            let weights = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
            snapshot(loss, 3, &weights, &[0.3, 0.5, 0.9], &[0])
        };
        snapshot.drawn = Some(Drawn {
            image: Arc::from([128; 784]),
            feature: feature.to_vec(),
        });
        snapshot
    }

    fn view(kind: ViewKind) -> ViewState {
        let mut view = ViewState::new(kind, theme::DARK);
        view.plane.units_per_pt = 0.02;
        view
    }

    fn items(scene: &Scene, name: &str) -> Vec<Item> {
        let group = scene.groups.iter().find(|group| group.name == name);
        group.map_or(Vec::new(), |group| group.items.clone())
    }

    /// The middle of a star.
    fn middle(star: &Item) -> [f32; 2] {
        let Item::Polygon { rings, .. } = star else {
            panic!("{star:?}");
        };
        [0, 1].map(|axis| rings[0].iter().map(|p| p[axis]).sum::<f32>() / 10.0)
    }

    fn texts(items: &[Item]) -> Vec<String> {
        let words = items.iter().filter_map(|item| match item {
            Item::Text { text, .. } => Some(text.clone()),
            _ => None,
        });
        words.collect()
    }

    #[test]
    fn the_verdict_is_that_of_the_meters_and_its_shares_sum_to_one() {
        for loss in [
            "softmax",
            "center",
            "modified_softmax",
            "arcface",
            "cosface",
        ] {
            for feature in [[2.0, 0.7], [-0.3, 1.0], [0.1, -4.0], [0.0, 0.0]] {
                let snapshot = drawn(loss, &feature);
                let verdict = Verdict::of(&snapshot).expect("a drawn digit");
                let expected = predictions(&snapshot.head, &feature)[0];
                assert_eq!(verdict.class, usize::from(expected), "{loss}");
                let sum: f64 = verdict.probabilities.iter().sum();
                assert!((sum - 1.0).abs() < 1e-12, "{loss}: {sum}");
                let largest = argmax(&verdict.probabilities);
                assert_eq!(largest, verdict.class, "{loss}");
            }
        }
    }

    #[test]
    fn angles_are_those_to_the_weights() {
        let snapshot = drawn("arcface", &[0.0, 3.0]); // weight j stands at 72°·j
        let verdict = Verdict::of(&snapshot).expect("a drawn digit");
        let expected_deg = [90.0, 18.0, 54.0, 126.0, 162.0];
        for (angle, expected) in verdict.angles_rad.iter().zip(expected_deg) {
            let angle = angle.expect("a direction").to_degrees();
            assert!((angle - expected).abs() < 1e-4, "{angle}, not {expected}");
        }
        assert_eq!(verdict.class, 1);
        assert_eq!(verdict.table_classes(2), [1, 2]);
        assert_eq!(verdict.table_classes(5), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_star_stands_where_a_sample_with_its_feature_would() {
        let flat = [0.6, 2.1];
        let solid = [0.2, 0.1, 1.4];
        for (kind, feature) in [
            (ViewKind::Plane, &flat[..]),
            (ViewKind::Circle, &flat),
            (ViewKind::Sphere, &solid),
        ] {
            let mut snapshot = drawn("arcface", feature);
            let dim = feature.len();
            snapshot.probe.features[..dim].copy_from_slice(feature);
            let view = view(kind);
            let curves = Curves::of(&snapshot, crate::scene::WINDOW_SAGITTA);
            let spot = crate::scene::spot(&snapshot, &curves, &view, SIZE, 0).expect("a place");
            let scene = build(&snapshot, &view, SIZE);
            let marks = items(&scene, "drawn");
            let [x, y] = middle(&marks[1]);
            assert!((x - spot.at[0]).abs() < 0.01, "{kind:?}");
            assert!((y - spot.at[1]).abs() < 0.01, "{kind:?}");
            let class = Verdict::of(&snapshot).expect("a drawn digit").class;
            assert_eq!(texts(&marks), [format!("drawn: {class}")], "{kind:?}");
            let angles = items(&scene, "drawn-angles");
            let is_angle = |text: &String| text.ends_with('°');
            assert!(!angles.is_empty(), "{kind:?}");
            let gaps = texts(&items(&scene, "angles"));
            assert_eq!(
                gaps, [""; 0],
                "{kind:?}: two sorts of angles are taken for one another"
            );
            assert!(texts(&angles).iter().all(is_angle), "{kind:?}");
        }
    }

    #[test]
    fn words_stay_on_the_canvas_wherever_the_star_is() {
        let mut n_seen = 0;
        for i in 0..63 {
            let (sin, cos) = (0.1 * i as f32).sin_cos();
            let snapshot = drawn("softmax", &[8.1 * cos, 7.0 * sin]); // the canvas ends at 8.2
            let scene = build(&snapshot, &view(ViewKind::Plane), SIZE);
            let marks = items(&scene, "drawn");
            let at = middle(&marks[1]);
            if (0..2).any(|axis| !(0.0..=SIZE[axis]).contains(&at[axis])) {
                continue; // over the edge with its words
            }
            n_seen += 1;
            for item in &marks {
                if let Item::Text {
                    pos, text, size, ..
                } = item
                {
                    let half = 0.5 * estimated_width(text, *size);
                    assert!(pos[0] - half >= 0.0 && pos[0] + half <= SIZE[0], "{pos:?}");
                    assert!(pos[1] >= 0.0 && pos[1] <= SIZE[1], "{pos:?}");
                }
            }
        }
        assert!(n_seen > 40, "{n_seen} stars on the canvas");
    }

    #[test]
    fn without_a_drawing_or_a_direction_there_is_no_star() {
        let mut snapshot = drawn("arcface", &[0.0, 0.0]);
        let scene = build(&snapshot, &view(ViewKind::Circle), SIZE);
        assert!(items(&scene, "drawn").is_empty(), "no direction, no place");
        snapshot.drawn = None;
        assert_eq!(Verdict::of(&snapshot), None);
        let scene = build(&snapshot, &view(ViewKind::Plane), SIZE);
        assert!(items(&scene, "drawn").is_empty() && items(&scene, "drawn-angles").is_empty());
    }
}
