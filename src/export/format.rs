//! Kinds of picture files: by name, and how their recipe is found.

use std::path::Path;

use crate::export::film::{Film, Timing};
use crate::export::{ExportError, Sheet, film, pdf, png, svg};

/// A kind of picture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Vectors with text as text.
    Svg,
    /// A page with embedded fonts.
    Pdf,
    /// Pixels.
    Png,
    /// Moving pixels of few colours, which every program shows.
    Gif,
    /// Moving pixels of all colours.
    Apng,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Svg, Self::Pdf, Self::Png, Self::Gif, Self::Apng];

    /// The end of a file's name, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Apng => "apng",
        }
    }

    /// Whether it can move.
    pub fn moves(self) -> bool {
        matches!(self, Self::Gif | Self::Apng)
    }

    /// What a file's name says it is.
    pub fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        let mut all = Self::ALL.into_iter();
        all.find(|format| format.extension() == extension)
    }

    /// What a file's beginning says it is; an animated PNG is a PNG.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"GIF8") {
            Some(Self::Gif)
        } else if bytes.starts_with(b"%PDF-") {
            Some(Self::Pdf)
        } else if text.starts_with(b"<svg") || text.starts_with(b"<?xml") {
            Some(Self::Svg)
        } else {
            None
        }
    }

    /// Whether a file of this kind has its end.
    pub fn is_whole(self, bytes: &[u8]) -> bool {
        const END: usize = 1024; // where readers of PDF look for it
        let end = &bytes[bytes.len().saturating_sub(END)..];
        let has = |mark: &[u8]| end.windows(mark.len()).any(|w| w == mark);
        match self {
            Self::Svg => has(b"</svg>") || is_empty_element(end),
            Self::Pdf => has(b"%%EOF"),
            Self::Png | Self::Apng => has(b"IEND"),
            Self::Gif => bytes.ends_with(b";"),
        }
    }

    /// The sheet as a file of this kind; a film of one picture where the kind moves.
    ///
    /// # Errors
    /// If the picture would be too large.
    pub fn write(self, sheet: &Sheet<'_>) -> Result<Vec<u8>, ExportError> {
        match self {
            Self::Svg => Ok(svg::svg(sheet).into_bytes()),
            Self::Pdf => pdf::pdf(sheet),
            Self::Png => png::png(sheet),
            Self::Gif | Self::Apng => self.write_film(&Film {
                n_frames: 1,
                frame: &|_| png::pixels(sheet),
                timing: Timing::STILL,
                recipe: sheet.recipe,
            }),
        }
    }

    /// A film as a file of this kind; its last picture where the kind does not move.
    ///
    /// # Errors
    /// If a picture cannot be drawn, or would be too large.
    pub fn write_film(self, film: &Film<'_>) -> Result<Vec<u8>, ExportError> {
        match self {
            Self::Gif => film::gif(film),
            _ => png::apng(film),
        }
    }

    /// The recipe in a file of this kind, if there is one.
    pub fn recipe(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Svg => svg::recipe(std::str::from_utf8(bytes).ok()?),
            Self::Pdf => pdf::recipe(bytes),
            Self::Png | Self::Apng => png::recipe(bytes),
            Self::Gif => film::recipe(bytes),
        }
    }
}

/// Whether all that is there is one element without anything in it.
fn is_empty_element(end: &[u8]) -> bool {
    let start = end.iter().rposition(|&byte| byte == b'<');
    let last = start
        .map_or(&[][..], |start| &end[start..])
        .trim_ascii_end();
    last.starts_with(b"<svg") && last.ends_with(b"/>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Rgba, Scene};

    #[test]
    fn every_kind_is_known_by_its_name_and_its_bytes_and_has_the_recipe() {
        let scene = Scene::empty([60.0, 40.0], Rgba::opaque(0xffffff));
        let recipe = "[loss]\nid = \"arcface\"\n";
        let sheet = Sheet {
            recipe: Some(recipe),
            ..Sheet::of(&scene)
        };
        for format in Format::ALL {
            let bytes = format.write(&sheet).expect("a file");
            assert!(format.is_whole(&bytes));
            assert!(!format.is_whole(&bytes[..bytes.len() - 8]));
            let as_opened = if format == Format::Apng {
                Format::Png
            } else {
                format
            };
            assert_eq!(Format::of_bytes(&bytes), Some(as_opened));
            assert_eq!(format.recipe(&bytes).as_deref(), Some(recipe));
            for len in 0..bytes.len().min(400) {
                let _ = format.recipe(&bytes[..len]); // no panic
            }
            let name = format!("figures/a.{}", format.extension());
            assert_eq!(Format::of_name(Path::new(&name)), Some(format));
        }
        assert_eq!(Format::of_name(Path::new("a.SVG")), Some(Format::Svg));
        assert_eq!(Format::of_name(Path::new("svg")), None);
        assert_eq!(Format::of_bytes(b"[loss]"), None);
        assert_eq!(Format::of_bytes(b""), None);
    }
}
