//! Which sample lies under the pointer.

use crate::scene::{Item, Scene};

/// How far from a dot the pointer may be, in points.
const REACH: f32 = 8.0;

/// The sample (index in the probe) whose dot is nearest to the pointer, within 8 points.
pub fn pick(scene: &Scene, pointer_screen: [f32; 2]) -> Option<usize> {
    let points = scene.groups.iter().find(|group| group.name == "points")?;
    let mut best: Option<(f32, u32)> = None;
    for item in &points.items {
        let Item::Dots { dots, .. } = item else {
            continue;
        };
        for dot in dots {
            let distance =
                (dot.center[0] - pointer_screen[0]).hypot(dot.center[1] - pointer_screen[1]);
            if distance <= REACH && best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, dot.sample));
            }
        }
    }
    best.map(|(_, sample)| sample as usize)
}
