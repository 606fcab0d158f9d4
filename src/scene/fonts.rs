//! The four faces in the binary, for the window and for pictures, and how wide their text is.

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

use crate::scene::Font;

/// Inter Regular, TrueType.
pub const INTER_REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.ttf");
/// Inter `SemiBold`, TrueType.
pub const INTER_SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.ttf");
/// STIX Two Text Italic, TrueType.
pub const STIX_ITALIC: &[u8] = include_bytes!("../../assets/fonts/STIXTwoText-Italic.ttf");
/// STIX Two Text Regular, TrueType.
pub const STIX_REGULAR: &[u8] = include_bytes!("../../assets/fonts/STIXTwoText-Regular.ttf");

/// Height of the digits of Inter over the text size: half of it lies below the anchor of a text.
pub const DIGIT_HEIGHT: f32 = 0.727;

impl Font {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Regular,
        Self::SemiBold,
        Self::MathItalic,
        Self::MathUpright,
    ];

    /// The file.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Regular => INTER_REGULAR,
            Self::SemiBold => INTER_SEMIBOLD,
            Self::MathItalic => STIX_ITALIC,
            Self::MathUpright => STIX_REGULAR,
        }
    }

    /// Name of the family.
    pub fn family(self) -> &'static str {
        match self {
            Self::Regular | Self::SemiBold => "Inter",
            Self::MathItalic | Self::MathUpright => "STIX Two Text",
        }
    }
}

/// How much room a line of text takes, in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// The way to where the next text would begin.
    pub width: f32,
    /// From the baseline to the top of its ink; negative where that lies below.
    pub above: f32,
    /// From the baseline to the bottom of its ink; negative where that lies above.
    pub below: f32,
}

/// The extent of a text, from the widths and outlines of its glyphs; a character that the face
/// lacks takes no room. Kerning is left out: less than a hundredth of the size in a short text.
pub fn extent(text: &str, font: Font, size: f32) -> Extent {
    let mut extent = Extent {
        width: 0.0,
        above: f32::NEG_INFINITY,
        below: f32::NEG_INFINITY,
    };
    if let Ok(face) = FontRef::new(font.bytes()) {
        let charmap = face.charmap();
        let metrics = face.glyph_metrics(Size::new(size), LocationRef::default());
        for glyph in text.chars().filter_map(|c| charmap.map(c)) {
            extent.width += metrics.advance_width(glyph).unwrap_or(0.0);
            if let Some(ink) = metrics.bounds(glyph).filter(|ink| ink.y_max > ink.y_min) {
                extent.above = extent.above.max(ink.y_max);
                extent.below = extent.below.max(-ink.y_min);
            }
        }
    }
    if extent.above == f32::NEG_INFINITY {
        (extent.above, extent.below) = (0.0, 0.0); // nothing but spaces
    }
    extent
}

/// Whether a face of the binary has every character of a text.
pub fn covers(text: &str) -> bool {
    let faces = Font::ALL.map(|font| FontRef::new(font.bytes()).map(|face| face.charmap()).ok());
    let has = |c: char| faces.iter().flatten().any(|face| face.map(c).is_some());
    let mut others: Vec<char> = text.chars().filter(|c| !c.is_ascii()).collect();
    others.sort_unstable();
    others.dedup();
    others.into_iter().all(has)
}

/// Width of a line of Inter in points, to about a twentieth: for the room around it, not for
/// placing glyphs.
pub fn estimated_width(text: &str, size: f32) -> f32 {
    let em: f32 = text.chars().map(advance).sum();
    em * size
}

/// Advance in em, by kinds of letters (measured on Inter Regular 4.001).
fn advance(c: char) -> f32 {
    match c {
        ' ' | '\u{a0}' | '.' | ',' | ':' | ';' | '\'' | '|' | 'i' | 'j' | 'l' | 'I' => 0.28,
        'f' | 't' | 'r' | '(' | ')' | '-' | '‑' => 0.37,
        'm' | 'w' | 'M' | 'W' | '%' | '—' => 0.88,
        '0'..='9' => 0.63,
        'A'..='Z' => 0.69,
        // Chinese, Japanese and Korean letters fill a square.
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{20000}'..='\u{3fffd}' => 1.0,
        _ => 0.58,
    }
}

/// A text no wider than `width`: what does not fit is an ellipsis in its middle, since names that
/// begin alike often end otherwise.
pub(super) fn shortened(text: &str, size: f32, width: f32) -> String {
    const NARROWEST: f32 = 0.2; // of letters, in sizes
    if estimated_width(text, size) <= width {
        return text.to_owned();
    }
    let most = (width / (NARROWEST * size)) as usize;
    let n = text.chars().count().min(most);
    let mut fits = (0..n).rev().map(|n_kept| without_middle(text, n_kept));
    fits.find(|short| estimated_width(short, size) <= width)
        .unwrap_or_else(|| "…".to_owned())
}

/// So many letters of a text, with an ellipsis for the rest: of its end a little less than of its
/// start.
pub(super) fn without_middle(text: &str, n_kept: usize) -> String {
    const END: f64 = 0.4;
    let n = text.chars().count();
    if n <= n_kept {
        return text.to_owned();
    }
    let n_end = (END * n_kept as f64) as usize;
    let start: String = text.chars().take(n_kept - n_end).collect();
    let end: String = text.chars().skip(n - n_end).collect();
    format!("{}…{}", start.trim_end(), end.trim_start())
}

/// Breaks a text into lines no wider than `width`, at spaces, and not at those that hold together.
pub(super) fn wrapped(text: &str, size: f32, width: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split([' ', '\n']).filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if estimated_width(line, size) + estimated_width(word, size) < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_of_a_text_is_that_of_its_glyphs() {
        let zero = extent("0", Font::MathUpright, 1000.0);
        let two = extent("00", Font::MathUpright, 1000.0);
        assert_eq!((two.width, two.above), (2.0 * zero.width, zero.above));
        assert!((600.0..720.0).contains(&zero.above), "{zero:?}");
        assert!((-20.0..40.0).contains(&zero.below), "{zero:?}");
        let (x, y) = (
            extent("x", Font::MathItalic, 10.0),
            extent("y", Font::MathItalic, 10.0),
        );
        assert!(y.below > 1.5 && x.below < 0.5, "{x:?} {y:?}");
        let digits = extent("0123456789", Font::Regular, 100.0).width;
        assert!((digits - 1000.0 * advance('0')).abs() < 30.0, "{digits}");
        let space = extent(" ", Font::Regular, 10.0);
        assert!(space.width > 0.0 && space.above == 0.0 && space.below == 0.0);
    }

    #[test]
    fn letters_of_the_program_are_covered_and_of_other_scripts_not() {
        assert!(covers("margin θ‖x‖ · ψ(θ) → ∂L/∂x, Grüße, Ελλάδα\n"));
        for name in ["猫", "Привет", "שלום", "ไทย", "한국어"] {
            assert!(!covers(name), "{name}");
        }
    }

    #[test]
    fn long_texts_break_at_spaces_and_lose_nothing() {
        let text = "Separable, not discriminative: petals grow long and touch at the centre.";
        let lines = wrapped(text, 14.0, 200.0);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|line| estimated_width(line, 14.0) < 210.0));
    }
}
