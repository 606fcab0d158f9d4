//! What is drawn of single samples beside their dots: trails, arrows, the one that is kept, and what
//! somebody drew.

use crate::scene::arrows;
use crate::scene::drawn::Mark;
use crate::scene::lens::Lens;
use crate::scene::look::Look;
use crate::scene::place::Places;
use crate::scene::{Curves, Group, Item, Trails, ViewState};
use crate::trainer::Snapshot;

/// Adds them to the groups of a view: trails under the dots, arrows over them, the kept sample and
/// what is drawn over everything.
pub(super) fn add(
    groups: &mut Vec<Group>,
    snapshot: &Snapshot,
    curves: &Curves,
    trails: Option<&Trails>,
    view: &ViewState,
    look: Look,
    size: [f32; 2],
) {
    let Some(places) = Places::of(snapshot, curves, view, size) else {
        return;
    };
    if let Some(trails) = trails.filter(|_| view.show.trails && view.show.points) {
        let items = trails.items(snapshot, view, &places, &look);
        insert_under(groups, &["points"], "trails", items);
    }
    if view.show.arrows && view.show.points {
        let items = arrows::items(snapshot, view, &places, &look);
        insert_under(groups, &["weights", "labels"], "arrows", items);
    }
    if let Some(lens) = Lens::of(snapshot, view, &places, look) {
        let items = lens.angles(snapshot, curves, view, size);
        insert_under(groups, &["weights", "labels"], "angles", items);
        groups.push(Group::new("lens", lens.items()));
    }
    if let Some(mark) = Mark::of(snapshot, &places, look) {
        let items = mark.angles(curves, view, size);
        insert_under(groups, &["weights", "labels"], "drawn-angles", items);
        groups.push(Group::new("drawn", mark.items(size)));
    }
}

/// Puts a group under the first of those that are named, or on top.
fn insert_under(groups: &mut Vec<Group>, over: &[&str], name: &'static str, items: Vec<Item>) {
    let at = groups.iter().position(|group| over.contains(&group.name));
    groups.insert(at.unwrap_or(groups.len()), Group::new(name, items));
}
