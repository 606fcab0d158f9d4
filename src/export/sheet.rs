//! What a picture file is made of: the scene, how wide it is printed or shown, and the recipe that
//! travels with it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::scene::Scene;

/// Millimeters in an inch.
const MM_PER_INCH: f64 = 25.4;
/// Points of print in an inch.
const PT_PER_INCH: f64 = 72.0;
/// Pixels in an inch, as CSS and SVG count them.
const PX_PER_INCH: f64 = 96.0;

/// A scene as a file has it.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// What is drawn.
    pub scene: &'a Scene,
    /// Its width; the height follows.
    pub width: Length,
    /// Pixels in an inch where a width on paper is turned into pixels.
    pub dots_per_inch: f64,
    /// Whether it lies on its ground, or on nothing.
    pub has_ground: bool,
    /// Whether samples are pixels inside a vector file.
    pub raster_points: bool,
    /// What makes the picture again, as text.
    pub recipe: Option<&'a str>,
    /// What a document is called in the window of its reader.
    pub title: Option<&'a str>,
}

impl<'a> Sheet<'a> {
    /// The scene on its ground, a pixel for a point, without a recipe.
    pub fn of(scene: &'a Scene) -> Self {
        Self {
            scene,
            width: Length::Pixels(f64::from(scene.size[0])),
            dots_per_inch: 300.0,
            has_ground: true,
            raster_points: false,
            recipe: None,
            title: None,
        }
    }

    /// The same with so many pixels to a point.
    #[must_use]
    pub fn scaled(self, pixels_per_pt: f64) -> Self {
        let width = Length::Pixels(f64::from(self.scene.size[0]) * pixels_per_pt);
        Self { width, ..self }
    }

    /// Height over width.
    fn aspect(&self) -> f64 {
        f64::from(self.scene.size[1]) / f64::from(self.scene.size[0])
    }

    /// Width and height in pixels, rounded.
    pub fn size_px(&self) -> [f64; 2] {
        let width = match self.width {
            Length::Pixels(px) => px,
            Length::Millimeters(mm) => mm / MM_PER_INCH * self.dots_per_inch,
        };
        [width.round(), (width * self.aspect()).round()]
    }

    /// Width and height in points of print.
    pub fn size_pt(&self) -> [f64; 2] {
        let width = self.width.pt();
        [width, width * self.aspect()]
    }

    /// Width and height as SVG writes them, with their unit if they have one.
    pub(super) fn size_svg(&self) -> [String; 2] {
        let (width, unit) = match self.width {
            Length::Pixels(px) => (px, ""),
            Length::Millimeters(mm) => (mm, "mm"),
        };
        [width, width * self.aspect()].map(|side| {
            let digits = format!("{side:.3}");
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}{unit}")
        })
    }
}

/// A width on paper or on a screen.
///
/// ```
/// use marginscope::export::Length;
///
/// assert_eq!("89mm".parse(), Ok(Length::Millimeters(89.0)));
/// assert_eq!("1920px".parse(), Ok(Length::Pixels(1920.0)));
/// assert_eq!("4in".parse(), Ok(Length::Millimeters(101.6)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Length {
    /// On paper.
    Millimeters(f64),
    /// On a screen.
    Pixels(f64),
}

/// Widths that are accepted: at least what a legend needs, at most what readers of PDF can show, and what memory holds as pixels.
const MM_RANGE: std::ops::RangeInclusive<f64> = 50.0..=5000.0;
const PX_RANGE: std::ops::RangeInclusive<f64> = 200.0..=16_384.0;

/// A text that is no width.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LengthError {
    /// No number, or no unit that is known.
    #[error(
        "\"{found}\" is no width; write a number with mm, cm, in, pt or px, such as 89mm or 1920px"
    )]
    Syntax {
        /// What was written.
        found: String,
    },
    /// Too narrow or too wide.
    #[error("{found} is outside 50 to 5000 mm and 200 to 16384 px")]
    Range {
        /// What was written.
        found: String,
    },
}

impl Length {
    /// In pixels of CSS.
    pub fn pixels(self) -> f64 {
        self.pt() * PX_PER_INCH / PT_PER_INCH
    }

    /// In points of print.
    pub fn pt(self) -> f64 {
        match self {
            Self::Millimeters(mm) => mm / MM_PER_INCH * PT_PER_INCH,
            Self::Pixels(px) => px / PX_PER_INCH * PT_PER_INCH,
        }
    }
}

impl FromStr for Length {
    type Err = LengthError;

    fn from_str(text: &str) -> Result<Self, LengthError> {
        let found = || text.trim().to_owned();
        let syntax = || LengthError::Syntax { found: found() };
        let at = text
            .find(|c: char| c.is_ascii_alphabetic())
            .ok_or_else(syntax)?;
        let (number, unit) = text.split_at(at);
        let number: f64 = number.trim().parse().map_err(|_unsaid| syntax())?;
        // A product of two decimals is not one: 3.5 in are 88.9 mm and not 88.89999999999999.
        let mm = |mm: f64| Self::Millimeters((mm * 1e9).round() / 1e9);
        let length = match unit.trim() {
            "mm" => Self::Millimeters(number),
            "cm" => mm(10.0 * number),
            "in" => mm(MM_PER_INCH * number),
            "pt" => mm(MM_PER_INCH / PT_PER_INCH * number),
            "px" => Self::Pixels(number),
            _ => return Err(syntax()),
        };
        let is_possible = match length {
            Self::Millimeters(mm) => MM_RANGE.contains(&mm),
            Self::Pixels(px) => PX_RANGE.contains(&px),
        };
        is_possible
            .then_some(length)
            .ok_or_else(|| LengthError::Range { found: found() })
    }
}

impl TryFrom<String> for Length {
    type Error = LengthError;

    fn try_from(text: String) -> Result<Self, LengthError> {
        text.parse()
    }
}

impl From<Length> for String {
    fn from(length: Length) -> Self {
        length.to_string()
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Millimeters(mm) => write!(f, "{mm}mm"),
            Self::Pixels(px) => write!(f, "{px}px"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Rgba;

    fn scene() -> Scene {
        Scene {
            size: [480.0, 240.0],
            ground: Rgba::opaque(0xffffff),
            groups: Vec::new(),
        }
    }

    #[test]
    fn widths_are_read_and_written() {
        for text in ["89mm", "183mm", "88.9mm", "1920px"] {
            let length: Length = text.parse().expect("a width");
            assert_eq!(length.to_string(), text);
        }
        assert_eq!("25.4 cm".parse(), Ok(Length::Millimeters(254.0)));
        assert_eq!("720pt".parse(), Ok(Length::Millimeters(254.0)));
        for text in ["", "89", "mm", "89 km", "wide", "1e", "-mm", "nanpx"] {
            let error = text.parse::<Length>().expect_err(text);
            assert!(!error.to_string().is_empty());
        }
        for text in ["1mm", "49mm", "199px", "20000px", "infpx", "-3mm", "1e99mm"] {
            let error = text.parse::<Length>().expect_err(text);
            assert!(
                error.to_string().contains("outside") || error.to_string().contains("no width")
            );
        }
    }

    #[test]
    fn a_sheet_is_as_large_as_its_width_says() {
        let scene = scene();
        let sheet = Sheet::of(&scene);
        assert_eq!(sheet.size_px(), [480.0, 240.0]);
        assert_eq!(sheet.scaled(2.0).size_px(), [960.0, 480.0]);
        let paper = Sheet {
            width: Length::Millimeters(25.4),
            ..sheet
        };
        assert_eq!(paper.size_px(), [300.0, 150.0]);
        assert_eq!(paper.size_pt(), [72.0, 36.0]);
        assert_eq!(paper.size_svg(), ["25.4mm", "12.7mm"]);
        assert_eq!(sheet.size_svg(), ["480", "240"]);
    }
}
