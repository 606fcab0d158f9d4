//! A scene as pixels, through its SVG, with the fonts of the binary and no others.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;

use crate::export::ExportError;
use crate::export::svg;
use crate::scene::{Font, Scene};

/// Most pixels on a side.
const MAX_SIDE: f32 = 16_384.0;

/// The scene on its ground, `scale` pixels a point.
///
/// # Errors
/// If the picture would have no pixel or too many.
pub fn png(scene: &Scene, scale: f32) -> Result<Vec<u8>, ExportError> {
    encode(scene, &svg::svg(scene), scale)
}

/// The scene on nothing, `scale` pixels a point.
///
/// # Errors
/// If the picture would have no pixel or too many.
pub fn png_transparent(scene: &Scene, scale: f32) -> Result<Vec<u8>, ExportError> {
    encode(scene, &svg::svg_transparent(scene), scale)
}

/// The scene on its ground as pixels.
///
/// # Errors
/// If the picture would have no pixel or too many.
pub fn pixels(scene: &Scene, scale: f32) -> Result<Pixmap, ExportError> {
    render(scene, &svg::svg(scene), scale)
}

fn encode(scene: &Scene, svg: &str, scale: f32) -> Result<Vec<u8>, ExportError> {
    render(scene, svg, scale)?
        .encode_png()
        .map_err(|source| ExportError::Png {
            message: source.to_string(),
        })
}

fn render(scene: &Scene, svg: &str, scale: f32) -> Result<Pixmap, ExportError> {
    let [width, height] = scene.size.map(|side| (side * scale).round());
    let is_possible = |side: f32| (1.0..=MAX_SIDE).contains(&side);
    if !(is_possible(width) && is_possible(height)) {
        return Err(ExportError::Size { width, height });
    }
    let mut options = usvg::Options {
        font_family: Font::Regular.family().to_owned(),
        ..usvg::Options::default()
    };
    let fonts = options.fontdb_mut();
    for font in Font::ALL {
        fonts.load_font_data(font.bytes().to_vec());
    }
    let tree = usvg::Tree::from_str(svg, &options)?;
    let mut pixmap =
        Pixmap::new(width as u32, height as u32).ok_or(ExportError::Size { width, height })?;
    let transform = Transform::from_scale(width / scene.size[0], height / scene.size[1]);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    Ok(pixmap)
}
