//! What colours and lines of a picture mean, as a strip of its own under it.

use crate::experiment::ViewKind;
use crate::scene::caption::{given_notes, projected_note};
use crate::scene::curves::has_margin;
use crate::scene::fonts::estimated_width;
use crate::scene::look::{Look, NO_STROKE, closed_line, disc, line, polygon, text};
use crate::scene::plane::trimmed;
use crate::scene::projection::Projection;
use crate::scene::theme::class_color;
use crate::scene::{Anchor, Font, Group, Item, Rgba, Scene, Stroke, ViewState, fonts};
use crate::trainer::Snapshot;

/// Size of its text at unit size, in points; the rest in sizes.
const TEXT: f32 = 12.0;
const ROW: f32 = 1.7;
const GAP: f32 = 1.3;
/// How features of a file came into the picture stands smaller, in sizes.
const NOTE: f32 = 0.92;
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
    /// A curve of a chart.
    Line(Stroke),
    /// What is filled in one.
    Area(Rgba),
    /// Samples of one.
    Dot(Rgba),
    /// Colours from left to right.
    Ramp(Vec<Rgba>),
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
            Self::Dot(_) => 0.5,
            Self::Ramp(_) => 6.0,
            Self::Heading => 0.0,
            _ => 1.9,
        }
    }

    /// A rectangle from one share of its width to another.
    fn block(&self, at: [f32; 2], size: f32, ends: [f32; 2]) -> Vec<[f32; 2]> {
        let (top, bottom) = (at[1] - 0.4 * size, at[1] + 0.4 * size);
        let [left, right] = ends.map(|share| at[0] + share * self.width() * size);
        vec![[left, top], [right, top], [right, bottom], [left, bottom]]
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
            Self::Line(stroke) => rule(*stroke),
            Self::Area(color) => vec![polygon(self.block(at, size, [0.0, 1.0]), *color)],
            Self::Dot(color) => {
                let center = [at[0] + 0.5 * width, at[1]];
                vec![disc(center, 0.5 * width, *color, NO_STROKE)]
            }
            Self::Ramp(colors) => {
                let part = |(i, color): (usize, &Rgba)| {
                    let ends = [i, i + 1].map(|i| i as f32 / colors.len() as f32);
                    polygon(self.block(at, size, ends), *color)
                };
                let edge = look.line(0.8, look.theme.dimmed);
                let around = closed_line(self.block(at, size, [0.0, 1.0]), edge);
                colors
                    .iter()
                    .enumerate()
                    .map(part)
                    .chain([around])
                    .collect()
            }
            Self::Heading => Vec::new(),
            Self::Boundary => rule(look.seam()),
            Self::Margin => rule(look.dashed(look.theme.text)),
            Self::Gap => {
                let ring = self.block(at, size, [0.0, 1.0]);
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
/// `weight_factors` has one for the arrows of each panel, see [`crate::scene::weight_factor`].
pub fn legend(
    snapshot: &Snapshot,
    view: &ViewState,
    width: f32,
    weight_factors: &[Option<f64>],
) -> Option<Scene> {
    let entries = entries(snapshot, view);
    let notes = notes(snapshot, view, weight_factors).join(" ");
    let look = view.look([width, width]);
    (!entries.is_empty() || !notes.is_empty()).then(|| strip(entries, &notes, &look, width))
}

/// How things are drawn that have no swatch.
fn notes(snapshot: &Snapshot, view: &ViewState, weight_factors: &[Option<f64>]) -> Vec<String> {
    let show = view.show;
    let mut notes = Vec::new();
    match view.kind {
        ViewKind::Plane => {
            if show.weights {
                notes.extend(weights_note(weight_factors));
            }
            if !snapshot.head.centers.is_empty() {
                notes.push("Rings: class centres.".to_owned());
            }
        }
        ViewKind::Circle if show.histogram && show.points => {
            notes.push("Bars count samples by direction.".to_owned());
        }
        ViewKind::Sphere => notes.extend(section_note(snapshot)),
        ViewKind::Circle | ViewKind::Input => {}
    }
    let origin = origin_notes(snapshot);
    notes.extend((!origin.is_empty()).then_some(origin));
    notes
}

/// By how much the arrows are longer than the weights: features reach farther or less far.
fn weights_note(factors: &[Option<f64>]) -> Option<String> {
    let first = factors.first()?;
    let is_one = factors.iter().all(|factor| factor == first);
    let words = |factor: &Option<f64>| {
        factor.map_or("directions".to_owned(), |factor| {
            format!("× {}", trimmed(factor))
        })
    };
    Some(match first {
        Some(_) if is_one => format!("Weight arrows {}.", words(first)),
        None if is_one => "Weights are drawn as directions.".to_owned(),
        _ => {
            let words: Vec<String> = factors.iter().map(words).collect();
            format!("Weight arrows, panel by panel: {}.", words.join(", "))
        }
    })
}

/// That a sphere shows three of more dimensions.
fn section_note(snapshot: &Snapshot) -> Option<String> {
    let head = &snapshot.head;
    (head.dim > 3).then(|| {
        let projection = Projection::of(head.dim, &snapshot.probe.features);
        projected_note(head.dim, projection.share)
    })
}

/// How features of a file came into the picture; nothing of a run.
pub fn origin_notes(snapshot: &Snapshot) -> String {
    let unlabelled = "Without labels: every sample counts as one of the class that wins.";
    let mut notes = given_notes(snapshot);
    if !snapshot.has_labels() {
        notes.insert(0, unlabelled.to_owned());
    }
    notes.join(" ")
}

/// Width of a strip in which every name stands in a row of its own.
pub(super) fn width_of_column(entries: &[(Swatch, String)], look: &Look) -> f32 {
    let size = look.text(TEXT);
    let width = |(swatch, name): &(Swatch, String)| {
        (swatch.width() + BESIDE) * size + estimated_width(name, size)
    };
    let widest = entries.iter().map(width).fold(0.0, f32::max);
    widest + 2.0 * SIDE * size
}

/// Names behind their swatches, in as many rows as they need, and `notes` below them.
pub(super) fn strip(entries: Vec<(Swatch, String)>, notes: &str, look: &Look, width: f32) -> Scene {
    let size = look.text(TEXT);
    let note_size = look.text(NOTE * TEXT);
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
        let name = fonts::shortened(&name, size, right - left - words_at);
        let needed = words_at + estimated_width(&name, size);
        if at[0] > left && at[0] + needed > right {
            at = [left, at[1] + ROW * size];
        }
        items.extend(swatch.items(look, at, size));
        let pos = [at[0] + words_at, at[1]];
        items.push(text(pos, name, size, Font::Regular, color, Anchor::Start));
        at[0] += needed + GAP * size;
    }
    for (i, words) in fonts::wrapped(notes, note_size, right - left)
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
            note_size,
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
    // In a section of more dimensions angles are not those of the head, and no margins are drawn.
    let shows_margins = view.show.margins && view.kind != ViewKind::Input && snapshot.head.dim <= 3;
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
        let legend = legend(&snapshot, &view, 420.0, &[]).expect("a legend");
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
        let lines = [
            "decision boundary",
            "wins with its margin",
            "gap",
            "Bars count samples by direction.",
        ];
        assert_eq!(names[10..], lines);
        assert_eq!(
            names[..10],
            ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
        );
    }

    #[test]
    fn arrows_say_their_factor_and_that_of_each_panel_where_they_differ() {
        let note = |factors: &[Option<f64>]| weights_note(factors).unwrap_or_default();
        assert_eq!(note(&[]), "");
        assert_eq!(note(&[Some(20.0)]), "Weight arrows × 20.");
        assert_eq!(note(&[Some(0.5); 3]), "Weight arrows × 0.5.");
        assert_eq!(note(&[None; 2]), "Weights are drawn as directions.");
        let mixed = "Weight arrows, panel by panel: × 20, × 15, directions.";
        assert_eq!(note(&[Some(20.0), Some(15.0), None]), mixed);
    }

    #[test]
    fn what_is_not_drawn_is_not_told() {
        let weights = even_weights(3);
        let snapshot = snapshot("softmax", 2, &weights, &[1.0, 0.0], &[0]);
        let mut view = ViewState::new(ViewKind::Plane, theme::LIGHT);
        view.classes.toggle(1);
        let texts = |view: &ViewState| {
            let legend = legend(&snapshot, view, 300.0, &[]).expect("a legend");
            let items = legend.groups[0].items.iter();
            let texts = items.filter(|item| matches!(item, Item::Text { .. }));
            texts.count()
        };
        assert_eq!(texts(&view), 3, "two classes and the boundary");
        view.show.regions = false;
        assert_eq!(texts(&view), 2);
    }
}
