//! A title over a picture, as a strip of its own.

use crate::scene::look::text;
use crate::scene::{Anchor, Font, Group, Scene, ViewState, fonts};

/// Size at unit size, in points.
const TEXT: f32 = 13.0;
/// Height of the strip for one line, in sizes.
const ROW: f32 = 1.8;
/// From line to line, in sizes.
const LINE: f32 = 1.25;
/// How much wider than regular the face is.
const SEMI_BOLD: f32 = 1.06;

/// Breaks a title behind commas, and within a part only where that alone is too wide.
fn broken(words: &str, size: f32, width: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in words.split_inclusive(", ") {
        match lines.last_mut() {
            Some(line) if fonts::estimated_width(&format!("{line}{part}"), size) < width => {
                line.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    let lines = lines.iter();
    lines
        .flat_map(|line| fonts::wrapped(line, size, width))
        .collect()
}

/// A title in the middle of so much width, on as many lines as it needs.
pub fn heading(words: &str, view: &ViewState, width: f32) -> Scene {
    let look = view.look([width, width]);
    let size = look.text(TEXT);
    let row = ROW * size;
    let color = look.theme.text;
    let lines = broken(words, SEMI_BOLD * size, width);
    let n_lines = lines.len().max(1) as f32;
    let line = |(i, words): (usize, String)| {
        let pos = [0.5 * width, 0.55 * row + LINE * size * i as f32];
        text(pos, words, size, Font::SemiBold, color, Anchor::Middle)
    };
    Scene {
        size: [width, row + LINE * size * (n_lines - 1.0)],
        ground: view.theme.ground,
        groups: vec![Group::new(
            "title",
            lines.into_iter().enumerate().map(line).collect(),
        )],
    }
}
