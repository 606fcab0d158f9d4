//! How large a figure is, and on what ground: options that all commands share which draw one.

use std::path::Path;

use clap::Args;

use crate::cli::Failure;
use crate::export::Format;
use crate::figure::{Picture, Tone};

/// Options of a figure's file.
#[derive(Args, Clone, Debug)]
pub(super) struct SheetOptions {
    /// Width on paper or on a screen, such as 89mm, 183mm, 1920px (50 to 5000 mm, 200 to 16384 px); or slide.
    #[arg(long, value_name = "WIDTH", allow_hyphen_values = true)]
    width: Option<String>,
    /// Colours: light for paper, dark for rooms.
    #[arg(long, value_name = "THEME")]
    theme: Option<String>,
    /// Nothing behind the picture.
    #[arg(long)]
    transparent: bool,
    /// Pixels in an inch of a PNG that has a width on paper (36 to 2400; default: 300).
    #[arg(long, value_name = "DPI", value_parser = clap::value_parser!(u16).range(36..=2400))]
    dpi: Option<u16>,
}

impl SheetOptions {
    /// Pixels in an inch where a width on paper is turned into pixels.
    pub(super) fn dots_per_inch(&self) -> f64 {
        f64::from(self.dpi.unwrap_or(300))
    }

    /// Refuses resolution where nothing is made of pixels.
    pub(super) fn check(&self, format: Format) -> Result<(), Failure> {
        if self.dpi.is_some() && matches!(format, Format::Svg | Format::Pdf) {
            let words =
                "--dpi is of pixels, and .svg and .pdf have none; leave it out, or write a .png";
            return Err(Failure::Usage(words.to_owned()));
        }
        Ok(())
    }

    /// An option that was given, if any was.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            (self.width.is_some(), "--width"),
            (self.theme.is_some(), "--theme"),
            (self.transparent, "--transparent"),
            (self.dpi.is_some(), "--dpi"),
        ];
        let mut given = given.into_iter().filter(|(is_given, _)| *is_given);
        given.next().map(|(_, option)| option)
    }

    /// Whether a width was asked for.
    pub(super) fn has_width(&self) -> bool {
        self.width.is_some()
    }

    /// What differs from a picture.
    pub(super) fn apply(&self, picture: &mut Picture) -> Result<(), Failure> {
        if let Some(text) = &self.width {
            set_width(picture, text)?;
        }
        if let Some(text) = &self.theme {
            picture.theme = match text.as_str() {
                "dark" => Tone::Dark,
                "light" => Tone::Light,
                _ => return Err(unknown("--theme", text, "dark and light")),
            };
        }
        picture.transparent |= self.transparent;
        Ok(())
    }
}

/// What the name behind an option says that a figure's file is.
pub(super) fn format_of(option: &str, path: &Path) -> Result<Format, Failure> {
    named(
        option,
        path,
        Format::of_name(path),
        ".svg, .pdf, .png, .gif or .apng",
    )
}

/// The same for a figure that does not move.
pub(super) fn still_format_of(option: &str, path: &Path) -> Result<Format, Failure> {
    let still = Format::of_name(path).filter(|format| !format.moves());
    named(option, path, still, ".svg, .pdf or .png")
}

fn named(option: &str, path: &Path, format: Option<Format>, ends: &str) -> Result<Format, Failure> {
    format.ok_or_else(|| {
        let name = path.display();
        Failure::Usage(format!(
            "{option} {name}: expected a name that ends in {ends}"
        ))
    })
}

pub(super) fn unknown(option: &str, found: &str, known: &str) -> Failure {
    Failure::Usage(format!("{option} {found}: there are {known}"))
}

/// Another width has a canvas of its own.
fn set_width(picture: &mut Picture, text: &str) -> Result<(), Failure> {
    let before = std::mem::take(picture);
    *picture = if text == "slide" {
        before.on_slide()
    } else {
        let width = text
            .parse()
            .map_err(|error| Failure::Usage(format!("--width: {error}, or slide")))?;
        before.of_width(width)
    };
    Ok(())
}
