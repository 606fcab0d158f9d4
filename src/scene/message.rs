//! The picture that says why there is none.

use crate::scene::look::text;
use crate::scene::{Anchor, Font, Group, Scene, ViewState, fonts};

/// A sentence in the middle of an empty canvas.
pub(super) fn scene(message: &str, view: &ViewState, size: [f32; 2]) -> Scene {
    let area = view.area(size);
    let look = view.look(size);
    let font_size = look.text(16.0);
    let lines = fonts::wrapped(message, font_size, 0.8 * (area.max[0] - area.min[0]));
    let middle = area.middle();
    let items = lines.iter().enumerate().map(|(i, words)| {
        let row = i as f32 - 0.5 * (lines.len() as f32 - 1.0);
        let pos = [middle[0], middle[1] + 1.5 * font_size * row];
        let color = view.theme.dimmed;
        text(
            pos,
            words.clone(),
            font_size,
            Font::Regular,
            color,
            Anchor::Middle,
        )
    });
    Scene {
        size,
        ground: view.theme.ground,
        groups: vec![Group::new("note", items.collect())],
    }
}
