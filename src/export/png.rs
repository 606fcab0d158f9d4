//! A scene as PNG: its SVG, drawn by resvg with the fonts that are in the binary and no others.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;
use resvg::usvg::fontdb;

use crate::export::svg::svg;
use crate::scene::{Font, Scene};

/// A picture that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PngError {
    /// The renderer refused the SVG: a fault of this program.
    #[error("the picture cannot be drawn")]
    Svg(#[from] usvg::Error),
    /// No pixels, or more than memory holds.
    #[error("a picture of {width}×{height} pixels cannot be drawn; choose another size")]
    Size {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// The pixels cannot be written as PNG.
    #[error("the picture cannot be written as PNG: {reason}")]
    Encode {
        /// What the encoder said.
        reason: String,
    },
}

/// Most pixels of a side: more fills memory for no printer.
const MAX_SIDE_PX: f32 = 20_000.0;

/// The scene as a PNG file with `scale` pixels per point.
///
/// # Errors
/// If the size is not drawable.
pub fn png(scene: &Scene, scale: f32) -> Result<Vec<u8>, PngError> {
    let side_px = |side: f32| (side * scale).round().clamp(0.0, MAX_SIDE_PX + 1.0);
    let [width, height] = scene.size.map(side_px);
    let size = PngError::Size {
        width: width as u32,
        height: height as u32,
    };
    if !(1.0..=MAX_SIDE_PX).contains(&width) || !(1.0..=MAX_SIDE_PX).contains(&height) {
        return Err(size);
    }
    let options = usvg::Options {
        fontdb: Arc::new(fonts()),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(&svg(scene), &options)?;
    let mut pixmap = Pixmap::new(width as u32, height as u32).ok_or(size)?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixmap.as_mut(),
    );
    pixmap.encode_png().map_err(|error| PngError::Encode {
        reason: error.to_string(),
    })
}

fn fonts() -> fontdb::Database {
    let mut fonts = fontdb::Database::new();
    for font in Font::ALL {
        fonts.load_font_data(font.bytes().to_vec());
    }
    fonts
}
