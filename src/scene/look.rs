//! How things look in a theme at a size: colours of marks, widths, and the items made of them.

use crate::scene::theme::{Theme, class_color};
use crate::scene::{Anchor, Font, Item, Rgba, Stroke, fonts};

/// Least contrast of a mark with its ground (WCAG 2.2, non-text).
const MARK_CONTRAST: f32 = 3.0;

/// Theme and size of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) theme: Theme,
    /// 1 where the short side has 760 points: all widths and sizes grow with it.
    pub(super) unit: f32,
    /// What sizes of text are kept within.
    pub(super) range: TextRange,
}

/// The sizes that text of a figure may have, in points of the canvas: what is legible, and what a
/// journal allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextRange {
    /// Nothing is written smaller.
    pub least: f32,
    /// Nothing is written larger but letters of a formula.
    pub most: f32,
}

impl Default for TextRange {
    /// All sizes, as in the window.
    fn default() -> Self {
        Self {
            least: 0.0,
            most: f32::INFINITY,
        }
    }
}

pub(super) const BLACK: Rgba = Rgba::opaque(0x000000);
pub(super) const WHITE: Rgba = Rgba::opaque(0xffffff);

impl Look {
    pub(super) fn new(theme: Theme, short_side: f32) -> Self {
        Self::of_unit(theme, (short_side / 760.0).clamp(0.6, 2.5))
    }

    pub(super) fn of_unit(theme: Theme, unit: f32) -> Self {
        Self {
            theme,
            unit,
            range: TextRange::default(),
        }
    }

    /// The size of text that has this many points at unit size.
    pub(super) fn text(&self, size: f32) -> f32 {
        (self.unit * size).clamp(self.range.least, self.range.most)
    }

    /// What a class's region is filled with, on a ground.
    pub(super) fn tint_on(&self, ground: Rgba, class: usize) -> Rgba {
        let share = if self.theme.is_dark { 0.145 } else { 0.15 };
        ground.mix(class_color(class), share)
    }

    /// The same on the ground of the picture.
    pub(super) fn tint(&self, class: usize) -> Rgba {
        self.tint_on(self.theme.ground, class)
    }

    /// Lies over the gap that a margin leaves.
    pub(super) fn gap(&self) -> Rgba {
        if self.theme.is_dark {
            WHITE.with_opacity(0.06)
        } else {
            WHITE.with_opacity(0.6)
        }
    }

    /// The class's colour for lines, moved away from the ground until it contrasts enough.
    pub(super) fn ink(&self, class: usize) -> Rgba {
        self.readable(class_color(class), MARK_CONTRAST)
    }

    pub(super) fn readable(&self, color: Rgba, contrast: f32) -> Rgba {
        let away = if self.theme.is_dark { WHITE } else { BLACK };
        let mut mixed = color;
        let mut share = 0.0;
        while mixed.contrast(self.theme.ground) < contrast && share < 1.0 {
            share += 0.04;
            mixed = color.mix(away, share);
        }
        mixed
    }

    /// Whether marks in the class's colour need an outline.
    pub(super) fn is_faint(&self, class: usize) -> bool {
        class_color(class).contrast(self.theme.ground) < MARK_CONTRAST
    }

    pub(super) fn line(&self, width: f32, color: Rgba) -> Stroke {
        Stroke {
            width: width * self.unit,
            color,
            dash: None,
        }
    }

    /// How margins are drawn.
    pub(super) fn dashed(&self, color: Rgba) -> Stroke {
        Stroke {
            width: 1.3 * self.unit,
            color,
            dash: Some([5.0 * self.unit, 4.0 * self.unit]),
        }
    }

    /// How decision boundaries are drawn where they do not separate tints alone.
    pub(super) fn seam(&self) -> Stroke {
        if self.theme.is_dark {
            self.line(1.0, self.theme.dimmed.with_opacity(0.8))
        } else {
            self.line(1.1, self.theme.dimmed.with_opacity(0.85))
        }
    }

    /// Radius of a sample's dot, smaller where there are many.
    pub(super) fn dot_radius(&self, n_samples: usize) -> f32 {
        let crowd = (2000.0 / n_samples.max(1) as f32).powf(0.28);
        self.unit * (1.9 * crowd).clamp(0.7, 3.2)
    }
}

pub(super) fn line(points: Vec<[f32; 2]>, stroke: Stroke) -> Item {
    Item::Line {
        points,
        is_closed: false,
        stroke,
    }
}

pub(super) fn closed_line(points: Vec<[f32; 2]>, stroke: Stroke) -> Item {
    Item::Line {
        points,
        is_closed: true,
        stroke,
    }
}

pub(super) fn polygon(ring: Vec<[f32; 2]>, fill: Rgba) -> Item {
    Item::Polygon {
        rings: vec![ring],
        fill,
    }
}

pub(super) fn disc(center: [f32; 2], radius: f32, fill: Rgba, stroke: Stroke) -> Item {
    Item::Disc {
        center,
        radius,
        fill,
        stroke,
    }
}

/// A stroke that draws nothing.
pub(super) const NO_STROKE: Stroke = Stroke {
    width: 0.0,
    color: Rgba([0, 0, 0, 0]),
    dash: None,
};

pub(super) fn text(
    pos: [f32; 2],
    text: impl Into<String>,
    size: f32,
    font: Font,
    color: Rgba,
    anchor: Anchor,
) -> Item {
    Item::Text {
        pos,
        text: text.into(),
        size,
        font,
        color,
        anchor,
    }
}

/// Words in the middle of lines and tints: on a patch of the ground.
pub(super) fn tag(look: &Look, pos: [f32; 2], words: String, size: f32) -> [Item; 2] {
    let half = tag_half_size(&words, size);
    let patch = rounded(
        [pos[0] - half[0], pos[1] - half[1]],
        [pos[0] + half[0], pos[1] + half[1]],
        0.35 * size,
    );
    let ground = look.theme.ground.with_opacity(0.72);
    [
        polygon(patch, ground),
        text(
            pos,
            words,
            size,
            Font::Regular,
            look.theme.text,
            Anchor::Middle,
        ),
    ]
}

/// Half width and half height of a [`tag`].
pub(super) fn tag_half_size(words: &str, size: f32) -> [f32; 2] {
    let half_width = 0.5 * fonts::estimated_width(words, size);
    [half_width + 0.3 * size, 0.72 * size]
}

/// A rectangle with corners rounded to half its height at most.
pub(super) fn rounded(min: [f32; 2], max: [f32; 2], radius: f32) -> Vec<[f32; 2]> {
    let radius = radius
        .min((max[1] - min[1]) / 2.0)
        .min((max[0] - min[0]) / 2.0);
    let corners = [
        ([max[0] - radius, max[1] - radius], 0.0),
        ([min[0] + radius, max[1] - radius], 90.0),
        ([min[0] + radius, min[1] + radius], 180.0),
        ([max[0] - radius, min[1] + radius], 270.0),
    ];
    let mut ring = Vec::with_capacity(28);
    for (middle, start_deg) in corners {
        for step in 0..=6 {
            let angle = (start_deg + 15.0 * step as f32).to_radians();
            ring.push([
                middle[0] + radius * angle.cos(),
                middle[1] + radius * angle.sin(),
            ]);
        }
    }
    ring
}

/// A number with about three digits, as it is read.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 || size == 0.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 0.1 {
        format!("{value:.2}")
    } else if size >= 5e-4 {
        format!("{value:.3}")
    } else {
        format!("{value:.0e}")
    }
}

/// Two numbers with as many decimals as tell them apart, and at least as [`number`] has.
pub fn told_apart(a: f64, b: f64) -> [String; 2] {
    const MOST_DECIMALS: usize = 6;
    let short = [a, b].map(number);
    if short[0] != short[1] {
        return short;
    }
    (3..=MOST_DECIMALS)
        .map(|decimals| [a, b].map(|value| format!("{value:.decimals$}")))
        .find(|[a, b]| a != b)
        .unwrap_or(short)
}

/// A count with separators of thousands: 12345 as 12,345.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::theme;

    #[test]
    fn lines_in_every_class_colour_are_seen_on_both_grounds() {
        for theme in [theme::DARK, theme::LIGHT] {
            let look = Look::new(theme, 760.0);
            for class in 0..10 {
                assert!(look.ink(class).contrast(theme.ground) >= MARK_CONTRAST);
            }
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(21.84), "21.8");
        assert_eq!(number(0.0), "0");
        assert_eq!(number(0.002), "0.002");
        assert_eq!(number(-2.4e-5), "-2e-5");
        assert_eq!(told_apart(0.191, 0.3), ["0.19", "0.30"]);
        assert_eq!(told_apart(0.191, 0.194), ["0.191", "0.194"]);
        assert_eq!(told_apart(0.002, 0.0016), ["0.0020", "0.0016"]);
        assert_eq!(told_apart(1.0, 1.0), ["1.00", "1.00"]);
        assert_eq!(thousands(70_000), "70,000");
        assert_eq!(thousands(12), "12");
    }
}
