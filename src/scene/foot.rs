//! What stands at the foot of a picture: the loss's formula, the sentence, the small print.

use crate::experiment::ViewKind;
use crate::loss::Piece;
use crate::scene::formula::{self, Block, Reading};
use crate::scene::look::{Look, polygon, rounded, text};
use crate::scene::plane::scale_bar_room;
use crate::scene::{
    Anchor, Curves, Font, Group, Item, Rgba, Scene, ViewState, caption, fonts, notes,
};
use crate::trainer::{HeadState, Snapshot};

/// Sizes of text at unit size, in points.
const FORMULA: f32 = 17.0;
const SENTENCE: f32 = 14.5;
const NOTES: f32 = 11.5;
/// From one line of text to the next, in sizes.
const LEADING: f32 = 1.45;
/// Share of the formula's size below which it is cut to L = ….
const SMALLEST_WHOLE: f32 = 0.85;
/// By so much a formula may be wider than its room, which has free space beside it.
const OVERHANG: f32 = 1.02;
/// Between the formula and the sentence, in points at unit size.
const FORMULA_GAP: f32 = 9.0;
/// Free space at both sides of what stands beside a picture, in sizes of this text.
const BESIDE: f32 = 1.0;
const SIDE_TEXT: f32 = 12.0;
/// Free space at the sides, and under the last line.
const SIDE: f32 = 20.0;
const BOTTOM: f32 = 13.0;

/// Formula and words, with a ground of their own where the picture goes on behind them.
pub(super) fn groups(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    size: [f32; 2],
) -> Vec<Group> {
    let area = view.area(size);
    let unit = view.foot_unit(size);
    let left = area.min[0] + SIDE * unit;
    let width = width_on(view, size);
    let lines = lines(snapshot, curves, view, size, [unit, width]);
    let words_height: f32 = lines.iter().map(|line| LEADING * line.size).sum();
    let words_top = area.max[1] - BOTTOM * unit - words_height;
    let formula = view
        .show
        .formula
        .then(|| formula(&snapshot.head, &foot_look(view, unit), width))
        .flatten();
    let mut top = words_top;
    let mut items = Vec::new();
    if let Some(block) = &formula {
        let gap = if lines.is_empty() { 0.0 } else { FORMULA_GAP };
        let baseline = words_top - gap * unit - block.below;
        top = baseline - block.above;
        items = block.items([left, baseline], |param| {
            number_color(&snapshot.head, view, param)
        });
    }
    let mut groups = Vec::new();
    let widest = lines
        .iter()
        .map(|line| fonts::estimated_width(&line.words, line.size))
        .chain(formula.iter().map(|block| block.width))
        .fold(0.0, f32::max);
    if is_covered(view) && widest > 0.0 {
        let pad = 10.0 * unit;
        let plate = rounded(
            [left - pad, top - 0.7 * pad],
            [left + widest + pad, area.max[1] - BOTTOM * unit + 0.5 * pad],
            8.0 * unit,
        );
        let fill = view.theme.ground.with_opacity(0.84);
        groups.push(group("plate", vec![polygon(plate, fill)]));
    }
    groups.push(group("formula", items));
    groups.push(group("note", words(&lines, [left, words_top], view)));
    groups
}

/// How wide formula and words may be on a canvas.
fn width_on(view: &ViewState, size: [f32; 2]) -> f32 {
    let area = view.area(size);
    let side = SIDE * view.foot_unit(size);
    let right = match view.kind {
        ViewKind::Plane => scale_bar_room(area.short_side(), view.look(size).unit).max(side),
        ViewKind::Circle | ViewKind::Sphere | ViewKind::Input => side,
    };
    (area.size()[0] - side - right).max(1.0)
}

/// Whether the formula is drawn on a canvas of this size, if it is to be: it is left out where it has
/// no room in legible letters.
pub fn has_formula_room(snapshot: &Snapshot, view: &ViewState, size: [f32; 2]) -> bool {
    let look = foot_look(view, view.foot_unit(size));
    formula(&snapshot.head, &look, width_on(view, size)).is_some()
}

fn foot_look(view: &ViewState, unit: f32) -> Look {
    Look {
        unit,
        ..view.page_look()
    }
}

fn group(name: &'static str, items: Vec<Item>) -> Group {
    Group::new(name, items)
}

/// Whether regions or points go on behind the foot.
fn is_covered(view: &ViewState) -> bool {
    match view.kind {
        ViewKind::Plane => true,
        ViewKind::Circle | ViewKind::Input => false,
        ViewKind::Sphere => view.sphere.zoom > 1.0,
    }
}

/// The loss with the values in force, smaller where it would be too wide; what its letters stand
/// for stays out where it would make it too small. `None` where it has no room in legible letters.
fn formula(head: &HeadState, look: &Look, width: f32) -> Option<Block> {
    let spec = head.spec.0;
    let reading = Reading::Values {
        set: &head.values,
        in_force: &head.in_force,
    };
    let least = look.range.least;
    let set = |pieces: &[Piece], size| Block::legible(pieces, spec, reading, size, least);
    let size = formula_size(look);
    let fitting = |pieces: &[Piece]| {
        let share = (width / set(pieces, size).width).min(1.0);
        (share, set(pieces, (share * size).max(least)))
    };
    let (share, whole) = fitting(&spec.formula.whole());
    let block = if share < SMALLEST_WHOLE {
        fitting(spec.formula.loss).1
    } else {
        whole
    };
    (block.width <= OVERHANG * width).then_some(block)
}

/// In print the sign of a sum, the largest of its letters, may have eight points where other text
/// has seven: exponents, which have five at least, could not be told from what they stand on.
fn formula_size(look: &Look) -> f32 {
    const SUM_OVER_TEXT: f32 = 8.0 / 7.0;
    (FORMULA * look.unit).min(SUM_OVER_TEXT * look.range.most / formula::SUM)
}

/// Formula and words as a strip of their own, for a picture that has them beside it; `None` where
/// there are none. It is as wide as they are, and not wider than `widest`.
pub fn foot_beside(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    widest: f32,
) -> Option<Scene> {
    let look = view.page_look();
    let side = BESIDE * look.text(SIDE_TEXT);
    let width = (widest - 2.0 * side).max(1.0);
    let block = view
        .show
        .formula
        .then(|| formula(&snapshot.head, &look, width))
        .flatten();
    let lines = lines(snapshot, curves, view, [widest; 2], [look.unit, width]);
    let mut at = [side, 0.0];
    let mut groups = Vec::new();
    if let Some(block) = &block {
        at[1] += block.above;
        let color = |param| number_color(&snapshot.head, view, param);
        groups.push(group("formula", block.items(at, color)));
        at[1] += block.below + FORMULA_GAP * look.unit;
    }
    if !lines.is_empty() {
        groups.push(group("note", words(&lines, at, view)));
        at[1] += lines.iter().map(|line| LEADING * line.size).sum::<f32>();
    }
    let words_width = lines
        .iter()
        .map(|line| fonts::estimated_width(&line.words, line.size));
    let inner = words_width
        .chain(block.iter().map(|block| block.width))
        .fold(0.0, f32::max);
    (!groups.is_empty()).then(|| Scene {
        size: [inner + 2.0 * side, at[1]],
        ground: view.theme.ground,
        groups,
    })
}

/// A margin past its ceiling has the colour of what theory does not allow.
fn number_color(head: &HeadState, view: &ViewState, param: Option<usize>) -> Rgba {
    let passed = |index| {
        head.spec
            .passed_ceiling(index, head.setting(), &head.values)
    };
    if param.and_then(passed).is_some() {
        view.theme.past_ceiling
    } else {
        view.theme.text
    }
}

struct Line {
    words: String,
    size: f32,
    is_sentence: bool,
}

/// The sentence and the small print below it, none if they are not shown.
fn lines(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    size: [f32; 2],
    [unit, width]: [f32; 2],
) -> Vec<Line> {
    if !view.show.note {
        return Vec::new();
    }
    let sentence = caption(snapshot, curves, view);
    let small = if view.is_brief && view.held.is_none() {
        String::new()
    } else {
        notes(snapshot, curves, view, size).join(" ")
    };
    let range = view.text_range;
    let wrapped = |text: &str, size: f32, is_sentence: bool| {
        let size = size.clamp(range.least, range.most);
        let lines = fonts::wrapped(text, size, width);
        lines.into_iter().map(move |words| Line {
            words,
            size,
            is_sentence,
        })
    };
    wrapped(&sentence, SENTENCE * unit, true)
        .chain(wrapped(&small, NOTES * unit, false))
        .collect()
}

fn words(lines: &[Line], [left, top]: [f32; 2], view: &ViewState) -> Vec<Item> {
    let mut y = top;
    let item = |line: &Line| {
        let color = if line.is_sentence {
            view.theme.text
        } else {
            view.theme.dimmed
        };
        let pos = [left, y + 0.72 * line.size];
        y += LEADING * line.size;
        let words = line.words.clone();
        text(pos, words, line.size, Font::Regular, color, Anchor::Start)
    };
    lines.iter().map(item).collect()
}
