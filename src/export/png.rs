//! A sheet as pixels, through its SVG, with the fonts of the binary and no others.

use png::{BitDepth, ColorType, Decoder, Encoder, PixelDimensions, Unit};
use resvg::tiny_skia::{Pixmap, Transform};

use crate::export::film::Film;
use crate::export::{ExportError, Length, Sheet, svg, typeface};

/// Most pixels on a side, and on the whole picture: a quarter of a gigabyte.
const MAX_SIDE: f64 = 16_384.0;
const MAX_PIXELS: f64 = 67_108_864.0;
/// Name of the text chunk that has the recipe.
const KEYWORD: &str = "marginscope-recipe";
/// Most bytes that are read to find a recipe.
const MAX_READ: usize = 64 << 20;

/// The sheet as a PNG file; a width on paper is written into it.
///
/// # Errors
/// If the picture would have no pixel or too many.
pub fn png(sheet: &Sheet<'_>) -> Result<Vec<u8>, ExportError> {
    let pixels = pixels(sheet)?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    if let Length::Millimeters(_) = sheet.width {
        const INCHES_PER_METER: f64 = 1000.0 / 25.4;
        let per_meter = (sheet.dots_per_inch * INCHES_PER_METER).round() as u32;
        encoder.set_pixel_dims(Some(PixelDimensions {
            xppu: per_meter,
            yppu: per_meter,
            unit: Unit::Meter,
        }));
    }
    write_recipe(&mut encoder, sheet.recipe)?;
    let mut writer = encoder.write_header().map_err(packed)?;
    writer
        .write_image_data(&pixels.take_demultiplied())
        .map_err(packed)?;
    writer.finish().map_err(packed)?;
    Ok(bytes)
}

/// A film as an animated PNG.
///
/// # Errors
/// If a picture cannot be drawn or packed.
pub(super) fn apng(film: &Film<'_>) -> Result<Vec<u8>, ExportError> {
    const MS_PER_SEC: u16 = 1000;
    const FOREVER: u32 = 0;
    let first = (film.frame)(0)?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, first.width(), first.height());
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder
        .set_animated(film.n_frames as u32, FOREVER)
        .map_err(packed)?;
    write_recipe(&mut encoder, film.recipe)?;
    let mut writer = encoder.write_header().map_err(packed)?;
    film.each(|i, pixmap| {
        writer
            .set_frame_delay(film.delay_ms(i), MS_PER_SEC)
            .map_err(packed)?;
        writer
            .write_image_data(&pixmap.take_demultiplied())
            .map_err(packed)
    })?;
    writer.finish().map_err(packed)?;
    Ok(bytes)
}

fn write_recipe<W: std::io::Write>(
    encoder: &mut Encoder<'_, W>,
    recipe: Option<&str>,
) -> Result<(), ExportError> {
    match recipe {
        Some(recipe) => encoder
            .add_itxt_chunk(KEYWORD.to_owned(), recipe.to_owned())
            .map_err(packed),
        None => Ok(()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn packed(error: png::EncodingError) -> ExportError {
    ExportError::Png {
        message: error.to_string(),
    }
}

/// Width and height of the sheet in pixels.
///
/// # Errors
/// If the picture would have no pixel or too many.
pub fn size(sheet: &Sheet<'_>) -> Result<[f64; 2], ExportError> {
    let [width, height] = sheet.size_px();
    let is_possible = |side: f64| (1.0..=MAX_SIDE).contains(&side);
    if is_possible(width) && is_possible(height) && width * height <= MAX_PIXELS {
        Ok([width, height])
    } else {
        Err(ExportError::Size { width, height })
    }
}

/// The sheet as pixels.
///
/// # Errors
/// If the picture would have no pixel or too many.
pub fn pixels(sheet: &Sheet<'_>) -> Result<Pixmap, ExportError> {
    let [width, height] = size(sheet)?;
    let tree = typeface::tree(&svg::svg(&Sheet {
        width: Length::Pixels(f64::from(sheet.scene.size[0])),
        raster_points: false,
        recipe: None,
        ..*sheet
    }))?;
    let too_large = || ExportError::Size { width, height };
    let mut pixmap = Pixmap::new(width as u32, height as u32).ok_or_else(too_large)?;
    let [from_width, from_height] = sheet.scene.size;
    let transform = Transform::from_scale(width as f32 / from_width, height as f32 / from_height);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    Ok(pixmap)
}

/// The recipe in a PNG file, if there is one.
pub(super) fn recipe(bytes: &[u8]) -> Option<String> {
    let limits = png::Limits { bytes: MAX_READ };
    let reader = Decoder::new_with_limits(std::io::Cursor::new(bytes), limits)
        .read_info()
        .ok()?;
    let chunks = &reader.info().utf8_text;
    let chunk = chunks.iter().find(|chunk| chunk.keyword == KEYWORD)?;
    chunk.get_text().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Rgba, Scene};

    #[test]
    fn a_recipe_and_a_width_on_paper_travel_with_the_pixels() {
        let scene = Scene {
            size: [100.0, 50.0],
            ground: Rgba::opaque(0x0e1116),
            groups: Vec::new(),
        };
        let sheet = Sheet {
            width: Length::Millimeters(25.4),
            recipe: Some("[run]\nseed = 1 # θ\n"),
            ..Sheet::of(&scene)
        };
        let bytes = png(&sheet).expect("a picture");
        assert_eq!(recipe(&bytes).as_deref(), sheet.recipe);
        assert_eq!(bytes, png(&sheet).expect("a picture"));
        let decoder = Decoder::new(std::io::Cursor::new(&bytes));
        let info = decoder.read_info().expect("a header");
        assert_eq!((info.info().width, info.info().height), (300, 150));
        let dims = info.info().pixel_dims.expect("a density");
        assert_eq!(dims.xppu, 11_811);
        let plain = png(&Sheet::of(&scene)).expect("a picture");
        assert_eq!(recipe(&plain), None);
        assert_eq!(recipe(&plain[..20]), None);
        assert!(png(&Sheet::of(&scene).scaled(1e6)).is_err());
    }
}
