//! Moving pictures: GIF and animated PNG, frame by frame, so that memory holds a few of them.

use std::collections::HashMap;

use color_quant::NeuQuant;
use gif::{DisposalMethod, Encoder, Frame, Repeat};
use rayon::prelude::*;
use resvg::tiny_skia::Pixmap;

use crate::export::ExportError;

/// How long pictures are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Each, in milliseconds.
    pub delay_ms: u16,
    /// The last one, before the film begins again.
    pub end_ms: u16,
}

impl Timing {
    /// Of a film with one picture.
    pub(super) const STILL: Self = Self {
        delay_ms: 1000,
        end_ms: 1000,
    };
}

/// A film that is still to be drawn.
#[derive(Clone, Copy)]
pub struct Film<'a> {
    /// Number of pictures, at least one.
    pub n_frames: usize,
    /// Draws one of them; all have one size.
    pub frame: &'a (dyn Fn(usize) -> Result<Pixmap, ExportError> + Sync),
    /// How long they are seen.
    pub timing: Timing,
    /// What makes the film again, as text.
    pub recipe: Option<&'a str>,
}

impl Film<'_> {
    /// Draws all pictures, some at a time side by side, and hands them on in their order.
    pub(super) fn each(
        &self,
        mut take: impl FnMut(usize, Pixmap) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        const AT_ONCE: usize = 8;
        for start in (0..self.n_frames).step_by(AT_ONCE) {
            let end = (start + AT_ONCE).min(self.n_frames);
            let drawn: Vec<_> = (start..end).into_par_iter().map(self.frame).collect();
            for (i, pixmap) in (start..end).zip(drawn) {
                take(i, pixmap?)?;
            }
        }
        Ok(())
    }

    /// How long a picture is seen, in milliseconds.
    pub(super) fn delay_ms(&self, i: usize) -> u16 {
        if i + 1 == self.n_frames {
            self.timing.end_ms
        } else {
            self.timing.delay_ms
        }
    }
}

/// Where the recipe begins in a comment.
const MARK: &[u8] = b"marginscope-recipe\n";
/// Bytes in a block of an extension.
const BLOCK: usize = 255;
/// Code of the comment extension.
const COMMENT: u8 = 0xfe;

/// The film as GIF, with one palette for all its pictures, so that still parts do not flicker.
///
/// # Errors
/// If a picture cannot be drawn, or is larger than the format takes.
pub(super) fn gif(film: &Film<'_>) -> Result<Vec<u8>, ExportError> {
    let failed = |error: &dyn std::error::Error| ExportError::Gif {
        message: error.to_string(),
    };
    let mut palette = Palette::of(film)?;
    let first = (film.frame)(0)?;
    let side = |side: u32| {
        u16::try_from(side).map_err(|_unsaid| ExportError::Size {
            width: first.width().into(),
            height: first.height().into(),
        })
    };
    let (width, height) = (side(first.width())?, side(first.height())?);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, &palette.rgb.concat())
        .map_err(|error| failed(&error))?;
    encoder
        .set_repeat(Repeat::Infinite)
        .map_err(|error| failed(&error))?;
    if let Some(recipe) = film.recipe {
        let text = [MARK, recipe.as_bytes()].concat();
        let blocks: Vec<&[u8]> = text.chunks(BLOCK).collect();
        let code = gif::AnyExtension(COMMENT);
        encoder
            .write_raw_extension(code, &blocks)
            .map_err(|error| failed(&error))?;
    }
    film.each(|i, pixmap| {
        let frame = Frame {
            delay: film.delay_ms(i).div_ceil(10), // hundredths of a second
            dispose: if palette.transparent.is_some() {
                DisposalMethod::Background
            } else {
                DisposalMethod::Keep
            },
            transparent: palette.transparent,
            width,
            height,
            buffer: palette.indices(&pixmap).into(),
            ..Frame::default()
        };
        encoder.write_frame(&frame).map_err(|error| failed(&error))
    })?;
    drop(encoder); // writes the trailer
    Ok(bytes)
}

/// The recipe in a GIF file, if there is one.
pub(super) fn recipe(bytes: &[u8]) -> Option<String> {
    let at = bytes.windows(MARK.len()).position(|w| w == MARK)?;
    // The first block has its length in the byte before it.
    let mut rest = bytes.get(at.checked_sub(1)?..)?;
    let mut text = Vec::new();
    while let [length, block @ ..] = rest {
        let length = usize::from(*length);
        if length == 0 {
            return String::from_utf8(text.get(MARK.len()..)?.to_vec()).ok();
        }
        text.extend_from_slice(block.get(..length)?);
        rest = &block[length..];
    }
    None
}

/// Colours of a film, at most as many as the format has.
struct Palette {
    rgb: Vec<[u8; 3]>,
    /// What stands for nothing, where a film has no ground.
    transparent: Option<u8>,
    /// Which entry a colour has.
    known: HashMap<[u8; 3], u8>,
}

impl Palette {
    /// Entries in a palette, one of them for nothing where there is no ground.
    const MOST: usize = 256;
    /// So many of the most frequent colours are kept as they are: grounds, tints and classes.
    const N_EXACT: usize = 128;
    /// Pictures that are looked at.
    const N_SEEN: usize = 16;

    fn of(film: &Film<'_>) -> Result<Self, ExportError> {
        let mut counts: HashMap<[u8; 3], u64> = HashMap::new();
        let mut has_ground = true;
        let n_seen = film.n_frames.min(Self::N_SEEN);
        for k in 0..n_seen {
            let i = (film.n_frames - 1) * k / (n_seen - 1).max(1);
            for pixel in (film.frame)(i)?.pixels() {
                match opaque(*pixel) {
                    Some(rgb) => *counts.entry(rgb).or_default() += 1,
                    None => has_ground = false,
                }
            }
        }
        let mut counts: Vec<([u8; 3], u64)> = counts.into_iter().collect();
        counts.sort_unstable_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
        let most = Self::MOST - usize::from(!has_ground);
        let mut rgb: Vec<[u8; 3]> = counts.iter().map(|(rgb, _)| *rgb).collect();
        if rgb.len() > most {
            let rest = quantized(&counts[Self::N_EXACT..], most - Self::N_EXACT);
            rgb.truncate(Self::N_EXACT);
            rgb.extend(rest);
        }
        let transparent = (!has_ground).then_some(rgb.len() as u8);
        let entries = rgb.iter().enumerate();
        let known = entries.map(|(i, rgb)| (*rgb, i as u8)).collect();
        rgb.resize(rgb.len() + usize::from(!has_ground), [0; 3]);
        Ok(Self {
            rgb,
            transparent,
            known,
        })
    }

    /// The entry of each pixel.
    fn indices(&mut self, pixmap: &Pixmap) -> Vec<u8> {
        let pixels = pixmap.pixels().iter();
        pixels
            .map(|pixel| match (opaque(*pixel), self.transparent) {
                (Some(rgb), _) => self.index(rgb),
                (None, Some(nothing)) => nothing,
                (None, None) => self.index([0; 3]),
            })
            .collect()
    }

    fn index(&mut self, rgb: [u8; 3]) -> u8 {
        if let Some(index) = self.known.get(&rgb) {
            return *index;
        }
        let n = self.rgb.len() - usize::from(self.transparent.is_some());
        let distance = |other: &[u8; 3]| -> u32 {
            let sides = other.iter().zip(&rgb);
            sides.map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
        };
        let nearest = (0..n).min_by_key(|&i| distance(&self.rgb[i]));
        let index = nearest.unwrap_or(0) as u8;
        self.known.insert(rgb, index);
        index
    }
}

/// A pixel without opacity, where it covers half of what is behind it.
fn opaque(pixel: resvg::tiny_skia::PremultipliedColorU8) -> Option<[u8; 3]> {
    let color = pixel.demultiply();
    (color.alpha() >= 128).then(|| [color.red(), color.green(), color.blue()])
}

/// Few colours in the place of many, each counting by the order of magnitude of its pixels.
fn quantized(counts: &[([u8; 3], u64)], n: usize) -> Vec<[u8; 3]> {
    const EVERY_PIXEL: i32 = 1;
    let mut pixels = Vec::new();
    for ([r, g, b], count) in counts {
        let times = 1 + count.ilog2() as usize;
        pixels.extend([*r, *g, *b, 255].repeat(times));
    }
    let map = NeuQuant::new(EVERY_PIXEL, n, &pixels).color_map_rgb();
    map.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use resvg::tiny_skia::Color;

    /// A bar that moves right over a ground of many colours, or over none.
    fn frame(i: usize, has_ground: bool) -> Pixmap {
        let mut pixmap = Pixmap::new(40, 20).expect("a size");
        if has_ground {
            for (k, pixel) in pixmap.pixels_mut().iter_mut().enumerate() {
                let shade = Color::from_rgba8((k % 251) as u8, (k / 7) as u8, 90, 255);
                *pixel = shade.premultiply().to_color_u8();
            }
        }
        for y in 5..9 {
            let bar = Color::from_rgba8(250, 40, 30, 255);
            pixmap.pixels_mut()[y * 40 + i] = bar.premultiply().to_color_u8();
        }
        pixmap
    }

    fn film<'a>(
        frame: &'a (dyn Fn(usize) -> Result<Pixmap, ExportError> + Sync),
        recipe: &'a str,
    ) -> Film<'a> {
        Film {
            n_frames: 30,
            frame,
            timing: Timing {
                delay_ms: 40,
                end_ms: 500,
            },
            recipe: Some(recipe),
        }
    }

    #[test]
    fn every_frame_is_there_for_its_time_and_the_recipe_too() {
        let recipe_text = "[run]\nseed = 1 # θ, much of it\n".repeat(40);
        for has_ground in [true, false] {
            let draw = |i| Ok(frame(i, has_ground));
            let bytes = gif(&film(&draw, &recipe_text)).expect("a film");
            assert_eq!(bytes, gif(&film(&draw, &recipe_text)).expect("a film"));
            assert_eq!(recipe(&bytes).as_deref(), Some(recipe_text.as_str()));
            for len in 0..recipe_text.len() {
                assert_eq!(recipe(&bytes[..len]), None);
            }
            let mut options = gif::DecodeOptions::new();
            options.set_color_output(gif::ColorOutput::RGBA);
            let mut decoder = options.read_info(&bytes[..]).expect("a header");
            let mut delays = Vec::new();
            while let Some(read) = decoder.read_next_frame().expect("a frame") {
                let i = delays.len();
                delays.push(read.delay);
                let bar = &read.buffer[(6 * 40 + i) * 4..][..4];
                assert!(bar[0] > 235 && bar[1] < 60 && bar[3] == 255, "{bar:?}");
                assert_eq!(read.buffer[3], if has_ground { 255 } else { 0 });
            }
            assert_eq!((delays.len(), delays[0], delays[29]), (30, 4, 50));
        }
    }

    /// Found by fuzzing: a block of no bytes before the mark, as in a damaged file.
    #[test]
    fn a_mark_without_a_block_is_no_recipe() {
        let bytes = [&[0], MARK, &[0]].concat();
        assert_eq!(recipe(&bytes), None);
    }

    #[test]
    fn few_colours_are_kept_as_they_are() {
        let draw = |i| Ok(frame(i, false));
        let palette = Palette::of(&film(&draw, "")).expect("colours");
        assert_eq!(palette.rgb, [[250, 40, 30], [0, 0, 0]]);
        let draw = |i| Ok(frame(i, true));
        let palette = Palette::of(&film(&draw, "")).expect("colours");
        assert_eq!((palette.rgb.len(), palette.transparent), (256, None));
        assert!(palette.rgb.contains(&[250, 40, 30]));
    }
}
