//! A title over a picture, as a strip of its own.

use crate::scene::look::text;
use crate::scene::{Anchor, Font, Group, Scene, ViewState};

/// Size at unit size, in points.
const TEXT: f32 = 13.0;
/// Height of the strip, in sizes.
const ROW: f32 = 1.8;

/// A line of text in the middle of so much width.
pub fn heading(words: &str, view: &ViewState, width: f32) -> Scene {
    let look = view.look([width, width]);
    let size = TEXT * look.unit;
    let height = ROW * size;
    let pos = [0.5 * width, 0.55 * height];
    let color = look.theme.text;
    let words = text(pos, words, size, Font::SemiBold, color, Anchor::Middle);
    Scene {
        size: [width, height],
        ground: view.theme.ground,
        groups: vec![Group::new("title", vec![words])],
    }
}
