//! Axes of the input plane, in the units of the data: round numbers, and what each column is called.

use crate::scene::chart::ticks;
use crate::scene::fonts::{estimated_width, shortened};
use crate::scene::look::{Look, line, text};
use crate::scene::{Anchor, Font, Item};
use crate::trainer::InputPlane;

/// Size of text, at unit size.
const TEXT: f32 = 10.5;
/// Share of an axis that its name may take; a longer one is cut.
const NAME_SHARE: f32 = 0.96;
/// Room between numbers along an axis, in sizes of text.
const APART: f32 = 0.8;

/// What numbers and names take below the square (points).
pub(super) fn room(look: &Look, plane: &InputPlane) -> f32 {
    let is_named = plane.columns.iter().any(|column| !column.name.is_empty());
    let lines = if is_named { 3.3 } else { 2.0 };
    lines * look.text(TEXT)
}

/// Ticks below and left of the square, numbers there, and the names of the columns. `at` gives the
/// point of the canvas at shares of the square, y up; `side` is its length (points).
pub(super) fn items(
    look: &Look,
    plane: &InputPlane,
    side: f32,
    at: impl Fn([f32; 2]) -> [f32; 2],
) -> Vec<Item> {
    let size = look.text(TEXT);
    let tick = 0.35 * size;
    let mut items = Vec::new();
    let label = |pos, words: String, anchor| {
        text(pos, words, size, Font::Regular, look.theme.dimmed, anchor)
    };
    let stroke = look.line(1.0, look.theme.hairline_strong);
    for (share, words) in ticks_of(
        plane,
        0,
        |words| estimated_width(words, size) + APART * size,
        side,
    ) {
        let [x, y] = at([share, 0.0]);
        items.push(line(vec![[x, y], [x, y + tick]], stroke));
        items.push(label([x, y + 1.25 * size], words, Anchor::Middle));
    }
    for (share, words) in ticks_of(plane, 1, |_| 2.0 * size, side) {
        let [x, y] = at([0.0, share]);
        items.push(line(vec![[x - tick, y], [x, y]], stroke));
        items.push(label([x - 0.7 * size, y], words, Anchor::End));
    }
    let named = |axis: usize| {
        let name = plane.columns.get(axis).map(|column| column.name.as_str());
        name.filter(|name| !name.is_empty())
            .map(|name| shortened(name, size, NAME_SHARE * side))
    };
    if let Some(name) = named(0) {
        let [x, y] = at([0.5, 0.0]);
        items.push(label([x, y + 2.6 * size], name, Anchor::Middle));
    }
    // Texts are not turned: the name of the upright axis stands on top of it.
    if let Some(name) = named(1) {
        let [x, y] = at([0.0, 1.0]);
        items.push(label([x, y - 0.9 * size], name, Anchor::Start));
    }
    items
}

/// Round numbers of an axis at shares of its length, as many as have `room` (points) each.
fn ticks_of(
    plane: &InputPlane,
    axis: usize,
    room: impl Fn(&str) -> f32,
    side: f32,
) -> Vec<(f32, String)> {
    let (shift, unit) = plane
        .columns
        .get(axis)
        .map_or((0.0, 1.0), |column| (column.shift, column.unit));
    let [low, width] = [plane.corner[axis], plane.side].map(f64::from);
    let [low, width] = [low * unit + shift, width * unit];
    let mut step = ticks::round_step(width);
    loop {
        let multiples = ticks::multiples(step, [low, low + width]);
        let ticks = multiples.map(|value| {
            let share = ((value - low) / width) as f32;
            (share, ticks::number(value, step).replace('-', "−"))
        });
        let ticks: Vec<_> = ticks.collect();
        let widest = ticks
            .iter()
            .map(|(_, words)| room(words))
            .fold(0.0, f32::max);
        if ticks.len() < 2 || widest <= (step / width) as f32 * side {
            return ticks;
        }
        step = ticks::next_step(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::Column;

    fn plane(corner: f32, side: f32, columns: Vec<Column>) -> InputPlane {
        InputPlane {
            samples: Vec::new(),
            corner: [corner; 2],
            side,
            n_side: 2,
            features: Vec::new(),
            columns: columns.into(),
        }
    }

    #[test]
    fn numbers_are_round_and_in_the_units_of_the_column() {
        let column = Column {
            name: "petal".to_owned(),
            shift: 3.75,
            unit: 1.5,
        };
        let plane = plane(-2.5, 5.0, vec![column.clone(), column]); // 0 to 7.5
        let ticks = ticks_of(&plane, 0, |_| 1.0, 100.0);
        let words: Vec<&str> = ticks.iter().map(|(_, words)| words.as_str()).collect();
        assert_eq!(words, ["0", "1", "2", "3", "4", "5", "6", "7"]);
        assert!((ticks[3].0 - 3.0 / 7.5).abs() < 1e-6);
        let few = ticks_of(&plane, 0, |_| 20.0, 100.0);
        let words: Vec<&str> = few.iter().map(|(_, words)| words.as_str()).collect();
        assert_eq!(words, ["0", "2", "4", "6"]);
    }

    #[test]
    fn data_of_the_program_have_their_own_units() {
        let ticks = ticks_of(&plane(-1.2, 2.4, Vec::new()), 1, |_| 1.0, 100.0);
        let words: Vec<&str> = ticks.iter().map(|(_, words)| words.as_str()).collect();
        assert_eq!(words, ["−1.0", "−0.5", "0", "0.5", "1.0"]);
    }
}
