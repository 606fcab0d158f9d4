//! From a snapshot and a view to a picture: which view is drawn, and the words at its foot.

use crate::experiment::ViewKind;
use crate::scene::curves::{Space, WINDOW_SAGITTA};
use crate::scene::look::{Look, polygon, rounded, text};
use crate::scene::{
    Anchor, Curves, Font, Group, Scene, Trails, ViewState, caption, circle, fonts, input, message,
    notes, plane, single, sphere,
};
use crate::trainer::Snapshot;

/// The picture of a snapshot. A pure function; what is expensive is computed anew, see
/// [`build_with`].
pub fn build(snapshot: &Snapshot, view: &ViewState, size: [f32; 2]) -> Scene {
    let curves = Curves::of(snapshot, WINDOW_SAGITTA);
    build_with(snapshot, &curves, None, view, size)
}

/// The same with the curves of this very snapshot, so that frames that only turn or move the
/// picture need not compute them again, and with the trails of its samples, where they are shown.
pub fn build_with(
    snapshot: &Snapshot,
    curves: &Curves,
    trails: Option<&Trails>,
    view: &ViewState,
    size: [f32; 2],
) -> Scene {
    let size = size.map(|side| if side.is_finite() { side.max(1.0) } else { 1.0 });
    let look = Look::new(view.theme, view.area(size).short_side());
    let mut groups = match (&curves.space, view.kind) {
        (Space::Message(why), _) => return message::scene(why, view, size),
        (_, ViewKind::Input) => match &snapshot.input_plane {
            Some(plane) => input::groups(snapshot, curves, plane, view, look, size),
            None => return message::scene(NO_INPUT_PLANE, view, size),
        },
        (Space::Flat(flat), ViewKind::Plane) => {
            plane::groups(snapshot, curves, flat, view, look, size)
        }
        (Space::Flat(flat), ViewKind::Circle) => {
            circle::groups(snapshot, curves, flat, view, look, size)
        }
        (Space::Solid(solid), ViewKind::Sphere) => {
            sphere::groups(snapshot, curves, solid, view, look, size)
        }
        (Space::Flat(_), ViewKind::Sphere) => {
            let why = "Two dimensions have no sphere; look at the plane or the circle, or choose three dimensions.";
            return message::scene(why, view, size);
        }
        (Space::Solid(_), ViewKind::Plane | ViewKind::Circle) => {
            let why = format!(
                "Plane and circle show two dimensions, and these features have {}; look at the sphere.",
                snapshot.head.dim
            );
            return message::scene(&why, view, size);
        }
    };
    single::add(&mut groups, snapshot, curves, trails, view, look, size);
    if view.show.note {
        groups.push(note(snapshot, curves, view, look, size));
    }
    groups.retain(|group| !group.items.is_empty());
    Scene {
        size,
        ground: view.theme.ground,
        groups,
    }
}

const NO_INPUT_PLANE: &str = "The input view shows data with two coordinates (blobs, rings, spiral) and a network that reads them.";

/// The sentence at the foot, with the small print below it.
fn note(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    look: Look,
    size: [f32; 2],
) -> Group {
    let area = view.area(size);
    let unit = look.unit.clamp(0.97, 1.3); // small pictures are shown in rooms, too
    let left = area.min[0] + 20.0 * unit;
    let width = area.max[0] - left - 20.0 * unit;
    let sentence = caption(snapshot, curves, view);
    let small = notes(snapshot, curves, view, size).join(" ");
    // The scale bar of the plane stands at the right.
    let room = if view.kind == ViewKind::Plane {
        0.72
    } else {
        1.0
    };
    let mut lines: Vec<(String, f32, bool)> = Vec::new();
    for words in fonts::wrapped(&sentence, 14.5 * unit, room * width) {
        lines.push((words, 14.5 * unit, true));
    }
    for words in fonts::wrapped(&small, 11.5 * unit, room * width) {
        lines.push((words, 11.5 * unit, false));
    }
    let height: f32 = lines.iter().map(|(_, size, _)| 1.45 * size).sum();
    let mut y = area.max[1] - 13.0 * unit - height;
    let mut items = Vec::new();
    let is_covered = match view.kind {
        ViewKind::Plane => true,
        ViewKind::Circle | ViewKind::Input => false,
        ViewKind::Sphere => view.sphere.zoom > 1.0,
    };
    if is_covered {
        let widths = lines
            .iter()
            .map(|(words, size, _)| fonts::estimated_width(words, *size));
        let widest = widths.fold(0.0, f32::max);
        let pad = 10.0 * unit;
        items.push(polygon(
            rounded(
                [left - pad, y - 0.7 * pad],
                [left + widest + pad, y + height + 0.5 * pad],
                8.0 * unit,
            ),
            view.theme.ground.with_opacity(0.84),
        ));
    }
    for (words, size, is_sentence) in lines {
        let color = if is_sentence {
            view.theme.text
        } else {
            view.theme.dimmed
        };
        let pos = [left, y + 0.72 * size];
        items.push(text(pos, words, size, Font::Regular, color, Anchor::Start));
        y += 1.45 * size;
    }
    Group {
        name: "note",
        items,
    }
}
