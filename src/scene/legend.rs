//! What colours and lines of a picture mean, as a strip of its own under it.

use crate::experiment::ViewKind;
use crate::loss::Course;
use crate::scene::about::{About, about};
use crate::scene::caption::{divergence_note, given_notes, projected_note, samples_words};
use crate::scene::curves::{has_margin, mean_norm};
use crate::scene::fonts::estimated_width;
use crate::scene::look::{Look, NO_STROKE, closed_line, disc, line, polygon, text};
use crate::scene::plane::trimmed;
use crate::scene::projection::Projection;
use crate::scene::theme::{N_COLORS, class_color};
use crate::scene::{
    Anchor, Font, Group, Item, Rgba, Scene, Stroke, ViewState, fonts, ideal, in_force, number,
    thousands,
};
use crate::trainer::{HeadState, Snapshot};

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
#[derive(Clone, Debug, PartialEq)]
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
    /// Where a weight would stand at its best, on the rim of a circle.
    Notch,
    /// The same on the sphere.
    Ring,
}

impl Swatch {
    fn width(&self) -> f32 {
        match self {
            Self::Class(_) => 0.75,
            Self::Dot(_) => 0.5,
            Self::Ramp(_) => 6.0,
            Self::Heading => 0.0,
            Self::Notch | Self::Ring => 0.9,
            _ => 1.9,
        }
    }

    /// Its place in the legend of a picture: classes before lines, lines before marks.
    fn rank(&self) -> usize {
        match self {
            Self::Class(class) => *class,
            Self::Boundary => MOST_CLASSES,
            Self::Margin => MOST_CLASSES + 1,
            Self::Gap => MOST_CLASSES + 2,
            _ => MOST_CLASSES + 3,
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
                // Each goes on to the end below the next ones: between two there is no seam.
                let part = |(i, color): (usize, &Rgba)| {
                    let ends = [i as f32 / colors.len() as f32, 1.0];
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
            Self::Notch => {
                let [x, y] = [at[0] + 0.5 * width, at[1]];
                let half = 0.25 * size;
                let ring = vec![[x, y + half], [x - half, y - half], [x + half, y - half]];
                vec![polygon(ring, look.theme.text.with_opacity(0.75))]
            }
            Self::Ring => {
                let center = [at[0] + 0.5 * width, at[1]];
                let nothing = look.theme.ground.with_opacity(0.0);
                let stroke = look.line(1.3, look.theme.text.with_opacity(0.75));
                vec![disc(center, 0.4 * size, nothing, stroke)]
            }
        }
    }
}

/// A picture, or one of several that share a legend.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What it shows.
    pub snapshot: &'a Snapshot,
    /// How it is looked at.
    pub view: &'a ViewState,
    /// Of its arrows, see [`crate::scene::weight_factor`].
    pub weight_factor: Option<f64>,
    /// Whether it is of one moment, and not of a film: it is told what is in force then.
    pub is_moment: bool,
    /// Whether its formula is drawn, which says which loss it is.
    pub has_formula: bool,
}

/// The legend of pictures as a scene of this width: what is drawn in any of them, once; `None` where
/// there is nothing to tell. Where they differ in a number, it is told panel by panel.
pub fn legend(panels: &[Told<'_>], width: f32) -> Option<Scene> {
    let first = panels.first()?;
    let mut entries: Vec<(Swatch, String)> = Vec::new();
    for panel in panels {
        for entry in self::entries(panel.snapshot, panel.view) {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    entries.sort_by_key(|(swatch, _)| swatch.rank());
    let notes = notes(panels).join(" ");
    let look = first.view.look([width, width]);
    (!entries.is_empty() || !notes.is_empty()).then(|| strip(entries, &notes, &look, width))
}

/// How things are drawn that have no swatch.
fn notes(panels: &[Told<'_>]) -> Vec<String> {
    let snapshots: Vec<&Snapshot> = panels.iter().map(|panel| panel.snapshot).collect();
    let what = About {
        loss: !panels.iter().all(|panel| panel.has_formula),
        step: panels.iter().all(|panel| panel.is_moment),
    };
    let mut notes = vec![about(&snapshots, what)];
    let n_classes = panels.iter().map(|panel| panel.snapshot.head.n_classes);
    let n_classes = n_classes.max().unwrap_or(0);
    if n_classes > MOST_CLASSES {
        let n = thousands(n_classes as u64);
        notes.push(format!("{n} classes in {N_COLORS} colours."));
    } else if n_classes > N_COLORS {
        notes.push(format!("Colours repeat after {N_COLORS} classes."));
    }
    notes.extend(weights_note(panels));
    let of_each = panels.iter().flat_map(notes_of_one);
    for note in of_each {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes.extend(length_note(panels));
    notes.extend(ramp_note(panels));
    notes
}

fn notes_of_one(panel: &Told<'_>) -> Vec<String> {
    let (snapshot, view) = (panel.snapshot, panel.view);
    let mut notes: Vec<String> = divergence_note(snapshot).into_iter().collect();
    if view.show.points {
        notes.push(format!("{}.", samples_words(snapshot)));
    }
    match view.kind {
        ViewKind::Plane if !snapshot.head.centers.is_empty() => {
            notes.push("Rings: class centres.".to_owned());
        }
        ViewKind::Circle if view.show.histogram && view.show.points => {
            notes.push("Bars count samples by direction.".to_owned());
        }
        ViewKind::Sphere => notes.extend(section_note(snapshot)),
        _ => {}
    }
    let origin = origin_notes(snapshot);
    notes.extend((!origin.is_empty()).then_some(origin));
    notes
}

/// A number of each panel, told once where it is the same in all that have one; `nothing` stands for
/// a panel that has none.
fn by_panel(what: &str, values: &[Option<String>], nothing: &str) -> Option<String> {
    let mut known = values.iter().flatten();
    let first = known.next()?;
    let is_in_all = values.iter().all(Option::is_some);
    if known.all(|value| value == first) && (is_in_all || nothing.is_empty()) {
        return Some(format!("{what} {first}"));
    }
    let nothing = if nothing.is_empty() { "–" } else { nothing };
    let words = values
        .iter()
        .map(|value| value.as_deref().unwrap_or(nothing));
    let words: Vec<&str> = words.collect();
    Some(format!("{what}, panel by panel: {}", words.join(", ")))
}

/// By how much the arrows are longer than the weights: features reach farther or less far.
fn weights_note(panels: &[Told<'_>]) -> Option<String> {
    let has_arrows =
        |panel: &&Told<'_>| panel.view.kind == ViewKind::Plane && panel.view.show.weights;
    let factors = panels.iter().filter(has_arrows);
    let factors: Vec<Option<f64>> = factors.map(|panel| panel.weight_factor).collect();
    arrows_note(&factors)
}

fn arrows_note(factors: &[Option<f64>]) -> Option<String> {
    if !factors.is_empty() && factors.iter().all(Option::is_none) {
        return Some("Weights are drawn as directions.".to_owned());
    }
    let words = factors.iter();
    let words = words.map(|factor| factor.map(|factor| format!("× {}", trimmed(factor))));
    let words: Vec<_> = words.collect();
    Some(by_panel("Weight arrows", &words, "directions")? + ".")
}

/// Boundaries of heads with a bias move with the length of a feature, which directions do not have.
fn length_note(panels: &[Told<'_>]) -> Option<String> {
    let lengths = panels.iter().map(|Told { snapshot, view, .. }| {
        let is_of_directions = matches!(view.kind, ViewKind::Circle | ViewKind::Sphere);
        let depends = is_of_directions && view.show.regions && snapshot.head.spec.form.has_bias();
        depends.then(|| number(mean_norm(snapshot)))
    });
    mean_length_note(&lengths.collect::<Vec<_>>())
}

/// For which length boundaries are drawn in each panel, if it matters there.
pub fn mean_length_note(lengths: &[Option<String>]) -> Option<String> {
    Some(by_panel("Boundaries drawn at the mean feature length", lengths, "")? + ".")
}

/// That another margin counts than the one that is set, and drawn. Of a film only that it is so on the
/// way: what is below its pictures stands still.
fn ramp_note(panels: &[Told<'_>]) -> Option<String> {
    let draws_gaps = panels.iter().any(shows_margins);
    if panels.iter().all(|panel| panel.is_moment) {
        let heads = panels.iter().map(|panel| &panel.snapshot.head);
        return in_force_note(&heads.collect::<Vec<_>>(), draws_gaps);
    }
    let rises = |panel: &Told<'_>| {
        let params = panel.snapshot.head.spec.0.params.iter();
        let rising = params.filter(|param| matches!(param.course, Course::Ramp));
        panel.snapshot.experiment.loss.ramp_steps > 0 && rising.count() > 0
    };
    let is_told = draws_gaps && panels.iter().any(rises);
    is_told.then(|| "While a margin rises, gaps are drawn for what is set.".to_owned())
}

/// What counts in each panel while a margin rises or λ falls; `None` where all counts as it is set.
pub fn in_force_note(heads: &[&HeadState], draws_gaps: bool) -> Option<String> {
    let values = heads.iter().map(|head| in_force::on_their_way(head));
    let values: Vec<_> = values.collect();
    let words = by_panel("In force at this moment", &values, "as set")?;
    Some(if draws_gaps {
        format!("{words}; gaps are drawn for what is set.")
    } else {
        format!("{words}.")
    })
}

/// Whether gaps are drawn: in a section of more dimensions angles are not those of the head.
fn shows_margins(panel: &Told<'_>) -> bool {
    draws_margins(panel.snapshot, panel.view)
}

fn draws_margins(snapshot: &Snapshot, view: &ViewState) -> bool {
    let has_room = view.kind != ViewKind::Input && snapshot.head.dim <= 3;
    view.show.margins && has_room && has_margin(&snapshot.head)
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
    if draws_margins(snapshot, view) {
        entries.push((Swatch::Margin, "wins with its margin".to_owned()));
        entries.push((Swatch::Gap, "gap".to_owned()));
    }
    if view.show.ideal && ideal::is_known(&snapshot.head) {
        match view.kind {
            ViewKind::Circle => entries.push((Swatch::Notch, "even spacing".to_owned())),
            ViewKind::Sphere => entries.push((Swatch::Ring, "widest arrangement".to_owned())),
            ViewKind::Plane | ViewKind::Input => {}
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::sample::{even_weights, fans, snapshot};
    use crate::scene::theme;

    fn told<'a>(snapshot: &'a Snapshot, view: &'a ViewState) -> Told<'a> {
        Told {
            snapshot,
            view,
            weight_factor: None,
            is_moment: true,
            has_formula: true,
        }
    }

    #[test]
    fn every_class_and_every_line_has_its_name_within_the_width() {
        let weights = even_weights(10);
        let (features, labels) = fans(&weights, 4, 2.0, 5.0, 0.6);
        let snapshot = snapshot("arcface", 2, &weights, &features, &labels);
        let view = ViewState::new(ViewKind::Circle, theme::LIGHT);
        let legend = legend(&[told(&snapshot, &view)], 420.0).expect("a legend");
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
            "even spacing",
            "free embeddings; step 500. 40 test samples. Bars count samples by direction.",
        ];
        assert_eq!(names[10..], lines);
        assert_eq!(
            names[..10],
            ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
        );
    }

    #[test]
    fn arrows_say_their_factor_and_that_of_each_panel_where_they_differ() {
        let note = |factors: &[Option<f64>]| arrows_note(factors).unwrap_or_default();
        assert_eq!(note(&[]), "");
        assert_eq!(note(&[Some(20.0)]), "Weight arrows × 20.");
        assert_eq!(note(&[Some(0.5); 3]), "Weight arrows × 0.5.");
        assert_eq!(note(&[None; 2]), "Weights are drawn as directions.");
        let mixed = "Weight arrows, panel by panel: × 20, × 15, directions.";
        assert_eq!(note(&[Some(20.0), Some(15.0), None]), mixed);
    }

    #[test]
    fn panels_of_several_kinds_share_a_legend_that_leaves_nothing_out() {
        let weights = even_weights(3);
        let of = |id| snapshot(id, 2, &weights, &[1.0, 0.5, 2.0, 0.1], &[0, 1]);
        let (plain, mut rising) = (of("center"), of("arcface"));
        rising.head.in_force[0] = 0.1;
        let plane = ViewState::new(ViewKind::Plane, theme::LIGHT);
        let circle = ViewState::new(ViewKind::Circle, theme::LIGHT);
        let told = |snapshot, view, weight_factor| Told {
            snapshot,
            view,
            weight_factor,
            is_moment: true,
            has_formula: true,
        };
        let panels = [
            told(&plain, &plane, Some(3.0)),
            told(&plain, &circle, None),
            told(&rising, &circle, None),
        ];
        let notes = notes(&panels);
        let expected = [
            "free embeddings; step 500.",
            "Weight arrows × 3.",
            "2 of 10 test samples.",
            "Rings: class centres.",
            "Bars count samples by direction.",
            "Boundaries drawn at the mean feature length 1.56.",
            "In force at this moment, panel by panel: as set, as set, m\u{a0}=\u{a0}0.1\u{a0}of\u{a0}0.3\u{a0}rad; gaps are drawn for what is set.",
        ];
        assert_eq!(notes, expected);
        let legend = legend(&panels, 600.0).expect("a legend");
        let texts = legend.groups[0].items.iter().filter_map(|item| match item {
            Item::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let names: Vec<&str> = texts.take(7).collect();
        let lines = [
            "decision boundary",
            "wins with its margin",
            "gap",
            "even spacing",
        ];
        assert_eq!(names[3..], lines);
    }

    #[test]
    fn what_is_not_drawn_is_not_told() {
        let weights = even_weights(3);
        let snapshot = snapshot("softmax", 2, &weights, &[1.0, 0.0], &[0]);
        let mut view = ViewState::new(ViewKind::Plane, theme::LIGHT);
        view.classes.toggle(1);
        let texts = |view: &ViewState| {
            let legend = legend(&[told(&snapshot, view)], 300.0).expect("a legend");
            let items = legend.groups[0].items.iter();
            let texts = items.filter(|item| matches!(item, Item::Text { .. }));
            texts.count()
        };
        assert_eq!(texts(&view), 4, "two classes, the boundary, the arrows");
        view.show.regions = false;
        assert_eq!(texts(&view), 3);
    }
}
