//! What colours and lines of a picture mean, as a strip of its own under it.

use crate::experiment::ViewKind;
use crate::scene::caption::given_notes;
use crate::scene::curves::has_margin;
use crate::scene::fonts::estimated_width;
use crate::scene::look::{Look, NO_STROKE, closed_line, disc, line, polygon, text};
use crate::scene::theme::class_color;
use crate::scene::{Anchor, Font, Group, Item, Rgba, Scene, Stroke, ViewState, fonts};
use crate::trainer::Snapshot;

/// Size of its text at unit size, in points; the rest in sizes.
const TEXT: f32 = 12.0;
const ROW: f32 = 1.7;
const GAP: f32 = 1.3;
/// How features of a file came into the picture stands smaller, in sizes.
const NOTE: f32 = 0.85;
/// Between a swatch and its name.
const BESIDE: f32 = 0.5;
const SIDE: f32 = 1.0;
/// More classes are not told apart by colours.
const MOST_CLASSES: usize = 40;

/// What stands before a name.
pub(super) enum Swatch {
    Class(usize),
    /// A curve with a point on it.
    Curve(Rgba),
    /// A curve.
    Rule(Rgba),
    /// Nothing: the words say what the others are.
    Heading,
    /// Where the class that wins changes.
    Boundary,
    /// Where a class wins with its margin.
    Margin,
    /// What lies between the two.
    Gap,
}

impl Swatch {
    fn width(&self) -> f32 {
        match self {
            Self::Class(_) => 0.75,
            Self::Heading => 0.0,
            _ => 1.9,
        }
    }

    /// Its items, left end and middle at `at`.
    fn items(&self, look: &Look, at: [f32; 2], size: f32) -> Vec<Item> {
        let width = self.width() * size;
        let rule = |stroke| vec![line(vec![at, [at[0] + width, at[1]]], stroke)];
        match self {
            Self::Class(class) => {
                let center = [at[0] + 0.5 * width, at[1]];
                let outline = look.line(0.9, look.ink(*class));
                vec![disc(center, 0.5 * width, class_color(*class), outline)]
            }
            Self::Curve(color) => {
                let mut items = rule(look.line(1.6, *color));
                let center = [at[0] + 0.5 * width, at[1]];
                items.push(disc(center, 0.27 * size, *color, NO_STROKE));
                items
            }
            Self::Rule(color) => rule(look.line(2.0, *color)),
            Self::Heading => Vec::new(),
            Self::Boundary => rule(look.line(1.2, look.theme.dimmed)),
            Self::Margin => rule(Stroke {
                dash: Some([0.45 * size, 0.3 * size]),
                ..look.line(1.4, look.theme.text)
            }),
            Self::Gap => {
                let (top, bottom) = (at[1] - 0.4 * size, at[1] + 0.4 * size);
                let right = at[0] + width;
                let ring = vec![[at[0], top], [right, top], [right, bottom], [at[0], bottom]];
                let ground = look.tint(0);
                // On white it would hardly be seen without an edge.
                let edge = closed_line(ring.clone(), look.line(0.7, look.theme.faint));
                vec![
                    polygon(ring.clone(), ground),
                    polygon(ring, look.gap()),
                    edge,
                ]
            }
        }
    }
}

/// The legend of a picture as a scene of this width; `None` where there is nothing to tell.
pub fn legend(snapshot: &Snapshot, view: &ViewState, width: f32) -> Option<Scene> {
    let entries = entries(snapshot, view);
    let notes = notes(snapshot);
    let look = view.look([width, width]);
    (!entries.is_empty() || !notes.is_empty()).then(|| strip(entries, &notes, &look, width))
}

/// How features of a file came into the picture.
fn notes(snapshot: &Snapshot) -> String {
    let unlabelled = "Without labels: every sample counts as one of the class that wins.";
    let mut notes = given_notes(snapshot);
    if !snapshot.has_labels() {
        notes.insert(0, unlabelled.to_owned());
    }
    notes.join(" ")
}

/// Names behind their swatches, in as many rows as they need, and `notes` below them.
pub(super) fn strip(entries: Vec<(Swatch, String)>, notes: &str, look: &Look, width: f32) -> Scene {
    let size = TEXT * look.unit;
    let (left, right) = (SIDE * size, width - SIDE * size);
    let has_entries = !entries.is_empty();
    let mut items = Vec::new();
    let mut at = [left, 0.5 * ROW * size];
    for (swatch, name) in entries {
        let (beside, color) = match swatch {
            Swatch::Heading => (0.0, look.theme.dimmed),
            _ => (BESIDE, look.theme.text),
        };
        let words_at = (swatch.width() + beside) * size;
        let needed = words_at + estimated_width(&name, size);
        if at[0] > left && at[0] + needed > right {
            at = [left, at[1] + ROW * size];
        }
        items.extend(swatch.items(look, at, size));
        let pos = [at[0] + words_at, at[1]];
        items.push(text(pos, name, size, Font::Regular, color, Anchor::Start));
        at[0] += needed + GAP * size;
    }
    for (i, words) in fonts::wrapped(notes, NOTE * size, right - left)
        .into_iter()
        .enumerate()
    {
        if i > 0 || has_entries {
            at[1] += ROW * size;
        }
        let (pos, color) = ([left, at[1]], look.theme.dimmed);
        items.push(text(
            pos,
            words,
            NOTE * size,
            Font::Regular,
            color,
            Anchor::Start,
        ));
    }
    Scene {
        size: [width, at[1] + 0.5 * ROW * size],
        ground: look.theme.ground,
        groups: vec![Group::new("legend", items)],
    }
}

fn entries(snapshot: &Snapshot, view: &ViewState) -> Vec<(Swatch, String)> {
    let n_classes = snapshot.head.n_classes;
    let mut entries = Vec::new();
    if n_classes <= MOST_CLASSES {
        let shown = (0..n_classes).filter(|class| view.classes.shows(*class));
        let names =
            shown.map(|class| (Swatch::Class(class), snapshot.class_name(class).to_owned()));
        entries.extend(names);
    }
    if view.show.regions {
        entries.push((Swatch::Boundary, "decision boundary".to_owned()));
    }
    let shows_margins = view.show.margins && view.kind != ViewKind::Input;
    if shows_margins && has_margin(&snapshot.head) {
        entries.push((Swatch::Margin, "wins with its margin".to_owned()));
        entries.push((Swatch::Gap, "gap".to_owned()));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::sample::{even_weights, fans, snapshot};
    use crate::scene::theme;

    #[test]
    fn every_class_and_every_line_has_its_name_within_the_width() {
        let weights = even_weights(10);
        let (features, labels) = fans(&weights, 4, 2.0, 5.0, 0.6);
        let snapshot = snapshot("arcface", 2, &weights, &features, &labels);
        let view = ViewState::new(ViewKind::Circle, theme::LIGHT);
        let legend = legend(&snapshot, &view, 420.0).expect("a legend");
        assert!(legend.size[1] < 90.0, "{:?}", legend.size);
        let mut names = Vec::new();
        for item in &legend.groups[0].items {
            if let Item::Text {
                pos, text, size, ..
            } = item
            {
                assert!(pos[0] + estimated_width(text, *size) <= 420.0, "{text}");
                assert!(pos[1] < legend.size[1]);
                names.push(text.as_str());
            }
        }
        let lines = ["decision boundary", "wins with its margin", "gap"];
        assert_eq!(names[10..], lines);
        assert_eq!(
            names[..10],
            ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
        );
    }

    #[test]
    fn what_is_not_drawn_is_not_told() {
        let weights = even_weights(3);
        let snapshot = snapshot("softmax", 2, &weights, &[1.0, 0.0], &[0]);
        let mut view = ViewState::new(ViewKind::Plane, theme::LIGHT);
        view.classes.toggle(1);
        let texts = |view: &ViewState| {
            let legend = legend(&snapshot, view, 300.0).expect("a legend");
            let items = legend.groups[0].items.iter();
            let texts = items.filter(|item| matches!(item, Item::Text { .. }));
            texts.count()
        };
        assert_eq!(texts(&view), 3, "two classes and the boundary");
        view.show.regions = false;
        assert_eq!(texts(&view), 2);
    }
}
