//! A loss's formula as a picture: italic letters, upright names and numbers, indices, exponents,
//! fractions, set from the pieces that the registry gives.
//!
//! Lengths are in points. A [`Block`] has its origin at the left end of its baseline; y points
//! down, so that what stands above the baseline has a negative one.

use crate::loss::formula::wants_room;
use crate::loss::{LossSpec, Param, Piece, Unit, Values};
use crate::scene::fonts::{DIGIT_HEIGHT, Extent, extent};
use crate::scene::look::{line, text};
use crate::scene::{Anchor, Font, Item, Rgba, Stroke};

/// An exponent's size over that of its base, and the least of it over the whole formula's: TeX's
/// seven and five tenths, a little larger for rooms.
const SCRIPT: f32 = 0.74;
const SMALLEST: f32 = 0.56;
/// How far an exponent and an index are moved from the baseline, in sizes of their base.
const RAISED: f32 = 0.38;
const LOWERED: f32 = 0.19;
/// Where bars of fractions and the middle of a sum lie over the baseline, in sizes.
const AXIS: f32 = 0.255;
/// Thickness of a fraction's bar, and the free space on both sides of it, in sizes.
const BAR: f32 = 0.055;
const BAR_GAP: f32 = 0.16;
/// By how much a bar is longer than what it parts, on each side, in sizes.
const BAR_OVERHANG: f32 = 0.06;
/// Room beside a sign, in sizes; less in an exponent.
const SIGN_ROOM: f32 = 0.22;
const SCRIPT_SIGN_ROOM: f32 = 0.16;
/// Room before an exponent or an index: italic letters lean.
const SCRIPT_ROOM: f32 = 0.045;
/// Room between a function's name or a sum and what follows, in sizes.
const NAME_ROOM: f32 = 0.16;
/// Size of a sum's sign over that of the formula.
pub(super) const SUM: f32 = 1.3;

/// What stands where the parameters of a formula are.
#[derive(Clone, Copy, Debug)]
pub enum Reading<'a> {
    /// Their letters.
    Letters,
    /// Their values.
    Values {
        /// As they were set.
        set: &'a Values<f64>,
        /// As they count now, on their ramp or on their way down.
        in_force: &'a Values<f64>,
    },
}

/// A formula that has been set, or a part of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// From its left end to its right.
    pub width: f32,
    /// From the baseline to its top.
    pub above: f32,
    /// From the baseline to its bottom.
    pub below: f32,
    marks: Vec<Mark>,
}

/// One thing to paint.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    /// Left end of the baseline, or of a bar.
    at: [f32; 2],
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Text {
        text: String,
        size: f32,
        font: Font,
        /// Index of the parameter whose number this is.
        param: Option<usize>,
    },
    Bar {
        width: f32,
        thickness: f32,
    },
}

impl Block {
    /// Sets a formula of `spec` at a size. A parameter that `spec` does not have stays out.
    pub fn of(pieces: &[Piece], spec: &LossSpec, reading: Reading<'_>, size: f32) -> Self {
        Self::legible(pieces, spec, reading, size, 0.0)
    }

    /// The same with no letter smaller than `least`.
    pub(super) fn legible(
        pieces: &[Piece],
        spec: &LossSpec,
        reading: Reading<'_>,
        size: f32,
        least: f32,
    ) -> Self {
        let setter = Setter {
            spec,
            reading,
            smallest: (SMALLEST * size).max(least),
        };
        setter.row(
            pieces,
            Style {
                size,
                is_script: false,
            },
        )
    }

    /// The items, with `origin` the left end of the baseline; `color` tells the colour of the
    /// number of a parameter, or of all else.
    pub fn items(&self, origin: [f32; 2], color: impl Fn(Option<usize>) -> Rgba) -> Vec<Item> {
        let item = |mark: &Mark| {
            let at = [origin[0] + mark.at[0], origin[1] + mark.at[1]];
            match &mark.kind {
                Kind::Text {
                    text: words,
                    size,
                    font,
                    param,
                } => {
                    let pos = [at[0], at[1] - 0.5 * DIGIT_HEIGHT * size];
                    let color = color(*param);
                    text(pos, words.clone(), *size, *font, color, Anchor::Start)
                }
                Kind::Bar { width, thickness } => {
                    let stroke = Stroke {
                        width: *thickness,
                        color: color(None),
                        dash: None,
                    };
                    line(vec![at, [at[0] + width, at[1]]], stroke)
                }
            }
        };
        self.marks.iter().map(item).collect()
    }

    /// Puts `other` at this block's right end, moved down by `down`.
    fn push(&mut self, other: Self, down: f32) {
        let right = self.width;
        self.width += other.width;
        self.lay(other, [right, down]);
    }

    /// Lays `other` into this block, its origin at `at`; the width stays.
    fn lay(&mut self, other: Self, at: [f32; 2]) {
        self.above = self.above.max(other.above - at[1]);
        self.below = self.below.max(other.below + at[1]);
        self.marks.extend(other.marks.into_iter().map(|mark| Mark {
            at: [mark.at[0] + at[0], mark.at[1] + at[1]],
            ..mark
        }));
    }
}

#[derive(Clone, Copy)]
struct Style {
    size: f32,
    /// In an exponent or an index.
    is_script: bool,
}

struct Setter<'a> {
    spec: &'a LossSpec,
    reading: Reading<'a>,
    /// Size below which exponents of exponents do not shrink.
    smallest: f32,
}

impl Setter<'_> {
    fn row(&self, pieces: &[Piece], style: Style) -> Block {
        let mut row = Block::default();
        for (i, piece) in pieces.iter().enumerate() {
            row.push(self.piece(piece, style), 0.0);
            if wants_room(piece, pieces.get(i + 1)) {
                row.width += NAME_ROOM * style.size;
            }
        }
        row
    }

    fn piece(&self, piece: &Piece, style: Style) -> Block {
        match piece {
            Piece::Letter(letter) => words(letter, Font::MathItalic, style.size),
            Piece::Upright(t) | Piece::Name(t) => words(t, Font::MathUpright, style.size),
            Piece::Sign(sign) => signed(sign, style),
            Piece::Param(id) => self.param(id, style.size),
            Piece::Sub(base, below) => {
                let mut block = self.piece(base, style);
                block.width += SCRIPT_ROOM * style.size;
                block.push(self.row(below, self.script(style)), LOWERED * style.size);
                block
            }
            Piece::Sup(base, above) => {
                let mut block = self.piece(base, style);
                block.width += SCRIPT_ROOM * style.size;
                block.push(self.row(above, self.script(style)), -RAISED * style.size);
                block
            }
            Piece::Fraction(above, below) if style.is_script => self.slashed(above, below, style),
            Piece::Fraction(above, below) => self.stacked(above, below, style),
            Piece::Sum(below) => self.sum(below, style),
        }
    }

    fn script(&self, style: Style) -> Style {
        Style {
            size: (SCRIPT * style.size).max(self.smallest),
            is_script: true,
        }
    }

    fn stacked(&self, above: &[Piece], below: &[Piece], style: Style) -> Block {
        let (above, below) = (self.row(above, style), self.row(below, style));
        let size = style.size;
        let (axis, gap) = (-AXIS * size, (0.5 * BAR + BAR_GAP) * size);
        let width = above.width.max(below.width) + 2.0 * BAR_OVERHANG * size;
        let side = 0.5 * NAME_ROOM * size;
        let bar = Mark {
            at: [side, axis],
            kind: Kind::Bar {
                width,
                thickness: BAR * size,
            },
        };
        let mut block = Block {
            width: width + 2.0 * side,
            marks: vec![bar],
            ..Block::default()
        };
        let left = |part: &Block| side + 0.5 * (width - part.width);
        let (up, down) = (axis - gap - above.below, axis + gap + below.above);
        let (above_at, below_at) = ([left(&above), up], [left(&below), down]);
        block.lay(above, above_at);
        block.lay(below, below_at);
        block
    }

    fn slashed(&self, above: &[Piece], below: &[Piece], style: Style) -> Block {
        let upright = |t: &str| words(t, Font::MathUpright, style.size);
        let mut block = Block::default();
        for (i, part) in [above, below].into_iter().enumerate() {
            if i > 0 {
                block.push(upright("/"), 0.0);
            }
            let needs_brackets = part.len() > 1;
            if needs_brackets {
                block.push(upright("("), 0.0);
            }
            block.push(self.row(part, style), 0.0);
            if needs_brackets {
                block.push(upright(")"), 0.0);
            }
        }
        block
    }

    fn sum(&self, below: &[Piece], style: Style) -> Block {
        let sign = words("∑", Font::MathUpright, SUM * style.size);
        // Its middle goes to the axis.
        let down = 0.5 * (sign.above - sign.below) - AXIS * style.size;
        let foot = sign.below + down;
        let mut block = Block::default();
        block.push(sign, down);
        let script = self.row(below, self.script(style));
        let script_down = foot - 0.3 * script.above;
        block.push(script, script_down);
        block
    }

    fn param(&self, id: &str, size: f32) -> Block {
        let Some(index) = self.spec.param_index(id) else {
            return Block::default();
        };
        let param = &self.spec.params[index];
        match self.reading {
            Reading::Letters => words(param.symbol, Font::MathItalic, size),
            Reading::Values { set, in_force } => {
                let number = value(param, set[index], in_force[index]);
                let mut block = words(&number, Font::MathUpright, size);
                for mark in &mut block.marks {
                    if let Kind::Text { param, .. } = &mut mark.kind {
                        *param = Some(index);
                    }
                }
                block
            }
        }
    }
}

fn words(words: &str, font: Font, size: f32) -> Block {
    let Extent {
        width,
        above,
        below,
    } = extent(words, font, size);
    Block {
        width,
        above,
        below,
        marks: vec![Mark {
            at: [0.0; 2],
            kind: Kind::Text {
                text: words.to_owned(),
                size,
                font,
                param: None,
            },
        }],
    }
}

/// A sign with its room.
fn signed(sign: &str, style: Style) -> Block {
    let share = if style.is_script {
        SCRIPT_SIGN_ROOM
    } else {
        SIGN_ROOM
    };
    let room = share * style.size;
    let mut block = Block {
        width: room,
        ..Block::default()
    };
    block.push(words(sign, Font::MathUpright, style.size), 0.0);
    block.width += room;
    block
}

/// A value as it counts now, as the controls write it: margins with three decimals, so that they
/// are as long whatever they are, and the rest with no more digits than the value that was set.
pub(super) fn value(param: &Param, set: f64, in_force: f64) -> String {
    let decimals = match param.unit {
        Unit::Radians | Unit::Cosine => 3,
        Unit::None | Unit::Factor if in_force != set => usize::from(in_force < 100.0),
        Unit::None | Unit::Factor => digits_needed(set),
    };
    format!("{in_force:.decimals$}")
}

/// Decimals of a value, where three digits are enough.
fn digits_needed(value: f64) -> usize {
    let most = match value.abs() {
        size if size < 1.0 => 3,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let is_exact = |&n: &usize| format!("{value:.n$}").parse() == Ok(value);
    (0..most).find(is_exact).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss;
    use crate::loss::{Annealing, LOSSES, Setting};

    const SIZE: f32 = 20.0;
    const SETTING: Setting = Setting {
        n_classes: 10,
        dim: 2,
    };

    fn set(spec: &LossSpec, values: &Values<f64>) -> Block {
        let reading = Reading::Values {
            set: values,
            in_force: values,
        };
        Block::of(&spec.formula.whole(), spec, reading, SIZE)
    }

    fn blocks() -> impl Iterator<Item = (&'static str, Block)> {
        LOSSES.iter().flat_map(|spec| {
            let letters = |pieces: &[Piece]| Block::of(pieces, spec, Reading::Letters, SIZE);
            [
                (spec.id, set(spec, &spec.defaults(SETTING))),
                (spec.id, letters(&spec.formula.whole())),
                (spec.id, letters(&spec.formula.short())),
            ]
        })
    }

    /// Left, top, right, bottom of a mark's ink.
    fn ink(mark: &Mark) -> [f32; 4] {
        let [x, y] = mark.at;
        match &mark.kind {
            Kind::Text {
                text, size, font, ..
            } => {
                let extent = extent(text, *font, *size);
                [x, y - extent.above, x + extent.width, y + extent.below]
            }
            Kind::Bar { width, thickness } => {
                let half = 0.5 * thickness;
                [x, y - half, x + width, y + half]
            }
        }
    }

    #[test]
    fn nothing_overlaps_and_all_lies_in_the_block() {
        const TOUCH: f32 = 1e-3; // rounding
        for (id, block) in blocks() {
            let inks: Vec<[f32; 4]> = block.marks.iter().map(ink).collect();
            for (i, a) in inks.iter().enumerate() {
                assert!(a[0] >= -TOUCH && a[2] <= block.width + TOUCH, "{id}: {a:?}");
                assert!(
                    a[1] >= -block.above - TOUCH && a[3] <= block.below + TOUCH,
                    "{id}: {a:?}"
                );
                for (j, b) in inks.iter().enumerate().skip(i + 1) {
                    let is_apart = (0..2).any(|axis| {
                        a[axis + 2] <= b[axis] + TOUCH || b[axis + 2] <= a[axis] + TOUCH
                    });
                    let marks = (&block.marks[i], &block.marks[j]);
                    assert!(is_apart, "{id}: {marks:?}");
                }
            }
        }
    }

    /// Baseline and size of the text that has `words` in it, the first one.
    #[track_caller]
    fn place(block: &Block, words: &str) -> (f32, f32) {
        let found = block.marks.iter().find_map(|mark| match &mark.kind {
            Kind::Text { text, size, .. } if text == words => Some((mark.at[1], *size)),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no {words:?} in {:?}", block.marks))
    }

    #[test]
    fn exponents_stand_above_and_indices_below_their_base() {
        let spec = loss::find("arcface").expect("a loss of the registry");
        let block = set(spec, &spec.defaults(SETTING));
        let (base, base_size) = place(&block, "e");
        let (exponent, exponent_size) = place(&block, "16");
        let (index, index_size) = place(&block, "y");
        assert!(exponent < base - 0.3 * base_size, "{exponent} {base}");
        assert!(exponent_size < base_size);
        assert!(index > exponent + 0.1 * exponent_size, "{index} {exponent}");
        assert!(index_size < exponent_size && index_size >= SMALLEST * SIZE);
        // The letter before the fraction stands on the baseline of the whole.
        assert_eq!(place(&block, "L"), (0.0, SIZE));
        assert_eq!(place(&block, "log"), (0.0, SIZE));
    }

    #[test]
    fn a_bar_parts_what_stands_over_it_from_what_stands_under_it() {
        for (id, block) in blocks() {
            for bar in &block.marks {
                let Kind::Bar { width, thickness } = bar.kind else {
                    continue;
                };
                let [left, y] = bar.at;
                let beside = |mark: &&Mark| {
                    let [from, _, to, _] = ink(mark);
                    from >= left && to <= left + width && !matches!(mark.kind, Kind::Bar { .. })
                };
                let (mut n_above, mut n_below) = (0, 0);
                for mark in block.marks.iter().filter(beside) {
                    let [_, top, _, bottom] = ink(mark);
                    let is_above = bottom <= y - thickness;
                    assert!(is_above || top >= y + thickness, "{id}: {mark:?}");
                    n_above += usize::from(is_above);
                    n_below += usize::from(!is_above);
                }
                assert!(n_above > 0 && n_below > 0, "{id}");
            }
        }
    }

    #[test]
    fn a_margin_moves_nothing_but_its_number() {
        for spec in LOSSES {
            let values = spec.defaults(SETTING);
            for (index, param) in spec.params.iter().enumerate() {
                if !matches!(param.unit, Unit::Radians | Unit::Cosine) {
                    continue;
                }
                let before = set(spec, &values);
                for margin in [0.0, 0.07, 0.185, 1.0 / 3.0, 1.571] {
                    let mut values = values;
                    values[index] = margin;
                    let after = set(spec, &values);
                    let places = |block: &Block| -> Vec<[f32; 2]> {
                        block.marks.iter().map(|mark| mark.at).collect()
                    };
                    assert_eq!(places(&before), places(&after), "{} {margin}", spec.id);
                    assert_eq!(before.width, after.width);
                }
            }
        }
    }

    #[test]
    fn numbers_are_the_values_in_force() {
        for spec in LOSSES {
            let set = spec.defaults(SETTING);
            for steps in [0, 77, 299, 300, 5000] {
                let in_force = spec.in_force(&set, steps, 300, Annealing::Published);
                let reading = Reading::Values {
                    set: &set,
                    in_force: &in_force,
                };
                let block = Block::of(&spec.formula.whole(), spec, reading, SIZE);
                let mut n_numbers = 0;
                for mark in &block.marks {
                    if let Kind::Text {
                        text,
                        param: Some(index),
                        ..
                    } = &mark.kind
                    {
                        let number: f64 = text.parse().expect("a number");
                        let off = (number - in_force[*index]).abs();
                        assert!(off <= 0.0051 * number.abs().max(0.1), "{text} {in_force:?}");
                        n_numbers += 1;
                    }
                }
                let pieces = format!("{:?}", spec.formula.whole());
                assert_eq!(n_numbers, pieces.matches("Param(").count(), "{}", spec.id);
            }
        }
    }

    #[test]
    fn values_are_written_as_the_controls_write_them() {
        let spec = loss::find("combined").expect("a loss of the registry");
        let text =
            |index: usize, set: f64, in_force: f64| value(&spec.params[index], set, in_force);
        assert_eq!(text(0, 1.0, 1.0), "1");
        assert_eq!(text(0, 1.25, 1.25), "1.25");
        assert_eq!(text(1, 0.3, 0.3), "0.300");
        assert_eq!(text(1, 0.3, 0.1374), "0.137");
        assert_eq!(text(3, 16.0, 16.0), "16");
        assert_eq!(text(3, 16.372_915, 16.372_915), "16.4");
        assert_eq!(text(3, 256.0, 256.0), "256");
        let lambda = &loss::find("sphereface").expect("a loss").params[1];
        assert_eq!(value(lambda, 5.0, 1000.0), "1000");
        assert_eq!(value(lambda, 5.0, 7.1842), "7.2");
        assert_eq!(value(lambda, 5.0, 5.0), "5");
    }
}
