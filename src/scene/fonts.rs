//! The three faces in the binary, for the window and for pictures, and how wide their text is.

use crate::scene::Font;

/// Inter Regular, TrueType.
pub const INTER_REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.ttf");
/// Inter `SemiBold`, TrueType.
pub const INTER_SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.ttf");
/// STIX Two Text Italic, TrueType.
pub const STIX_ITALIC: &[u8] = include_bytes!("../../assets/fonts/STIXTwoText-Italic.ttf");

/// Height of the digits of Inter over the text size: half of it lies below the anchor of a text.
pub const DIGIT_HEIGHT: f32 = 0.727;

impl Font {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Regular, Self::SemiBold, Self::MathItalic];

    /// The file.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Regular => INTER_REGULAR,
            Self::SemiBold => INTER_SEMIBOLD,
            Self::MathItalic => STIX_ITALIC,
        }
    }

    /// Name of the family.
    pub fn family(self) -> &'static str {
        match self {
            Self::Regular | Self::SemiBold => "Inter",
            Self::MathItalic => "STIX Two Text",
        }
    }
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
        ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | 'i' | 'j' | 'l' | 'I' => 0.28,
        'f' | 't' | 'r' | '(' | ')' | '-' | '‑' => 0.37,
        'm' | 'w' | 'M' | 'W' | '%' | '—' => 0.88,
        '0'..='9' => 0.63,
        'A'..='Z' => 0.69,
        _ => 0.58,
    }
}

/// Breaks a text into lines no wider than `width`, at spaces.
pub(super) fn wrapped(text: &str, size: f32, width: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
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
    fn long_texts_break_at_spaces_and_lose_nothing() {
        let text = "Separable, not discriminative: petals grow long and touch at the centre.";
        let lines = wrapped(text, 14.0, 200.0);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|line| estimated_width(line, 14.0) < 210.0));
    }
}
