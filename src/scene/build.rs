//! From a snapshot and a view to a picture: which view is drawn.

use crate::experiment::ViewKind;
use crate::scene::curves::{Space, WINDOW_SAGITTA};
use crate::scene::{
    Curves, Scene, Trails, ViewState, circle, foot, input, landscape, message, plane, single,
    sphere,
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
    let look = view.look(size);
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
    let labels = groups.iter().position(|group| group.name == "weights");
    if let Some(landscape) = landscape::group(snapshot, view, size) {
        groups.insert(labels.unwrap_or(groups.len()), landscape);
    }
    single::add(&mut groups, snapshot, curves, trails, view, look, size);
    groups.extend(foot::groups(snapshot, curves, view, size));
    groups.retain(|group| !group.items.is_empty());
    Scene {
        size,
        ground: view.theme.ground,
        groups,
    }
}

const NO_INPUT_PLANE: &str = "The input view shows data with two coordinates (blobs, rings, spiral) and a network that reads them.";
