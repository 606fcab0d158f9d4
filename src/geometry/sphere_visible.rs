//! The part of a spherical cell that faces the viewer: its arcs cut at the limb and chained again.

use std::f64::consts::TAU;

use nalgebra::Vector3;

use crate::geometry::angle;
use crate::geometry::sphere_arc;
use crate::geometry::sphere_arc::SphereArc;
use crate::geometry::sphere_cells::Cell;
use crate::geometry::sphere_cells::Loop;

/// An arc nowhere further in front of the limb than this is hidden: it runs along the limb.
const ON_LIMB: f64 = 1e-9;

/// Shorter pieces are rounding at a corner on the limb; their neighbors then end there.
const MIN_PIECE_RAD: f64 = 1e-10;

/// Limb points are judged this far inside the front, so that a cell behind the limb has none.
const TILT: f64 = 1e-7;

/// Crossings of the limb closer than this may have changed places by rounding.
const SAME_CROSSING_RAD: f64 = 1e-6;

/// The piece of boundary arc `arc_index` in front of the limb.
struct Piece {
    arc_index: usize,
    arc: SphereArc,
    /// Whether it reaches to the start and the end of the boundary arc.
    from_start: bool,
    to_end: bool,
}

/// See [`Cell::visible_region`].
pub(super) fn visible_region(cell: &Cell, view_dir: &Vector3<f64>) -> Vec<Loop> {
    let mut pieces = Vec::new();
    for (arc_index, arc) in cell.boundary.iter().enumerate() {
        front_pieces(arc_index, arc, view_dir, &mut pieces);
    }
    let links = links(cell, &pieces, view_dir);
    let mut loops = walk(&pieces, &links, view_dir);
    let meets_limb = links.iter().any(|link| link.limb_rad.is_some());
    if !meets_limb && holds_limb(cell, view_dir) {
        loops.push(Loop {
            arcs: vec![SphereArc::circle(*view_dir, 0.0)],
        });
    }
    // A region thinner than rounding is nothing to fill.
    loops.retain(|l| l.arcs.iter().map(SphereArc::sweep_rad).sum::<f64>() > SAME_CROSSING_RAD);
    loops
}

fn front_pieces(arc_index: usize, arc: &SphereArc, view_dir: &Vector3<f64>, out: &mut Vec<Piece>) {
    let amplitude = arc.radius() * arc.axis.cross(view_dir).norm();
    let level = arc.cos_radius * arc.axis.dot(view_dir);
    if level + amplitude <= ON_LIMB {
        return;
    }
    if level >= amplitude {
        out.push(Piece {
            arc_index,
            arc: *arc,
            from_start: true,
            to_end: true,
        });
        return;
    }
    let half = ((amplitude - level) * (amplitude + level))
        .sqrt()
        .atan2(-level);
    let phase = sphere_arc::azimuth_rad(arc.axis, view_dir);
    let first = arc.start_rad + angle::ccw_rad(arc.start_rad, phase - half);
    for rise in [first - TAU, first] {
        let start = rise.max(arc.start_rad);
        let end = (rise + 2.0 * half).min(arc.end_rad);
        if end - start > MIN_PIECE_RAD {
            out.push(Piece {
                arc_index,
                arc: arc.between(start, end),
                from_start: rise <= arc.start_rad,
                to_end: rise + 2.0 * half >= arc.end_rad,
            });
        }
    }
}

/// How a piece goes on: with which piece, and how far along the limb to get there.
#[derive(Clone, Copy)]
struct Link {
    to: usize,
    limb_rad: Option<f64>,
}

fn links(cell: &Cell, pieces: &[Piece], view_dir: &Vector3<f64>) -> Vec<Link> {
    let direct: Vec<Option<usize>> = pieces.iter().map(|p| successor(cell, pieces, p)).collect();
    let is_entered = |to: usize| direct.contains(&Some(to));
    let outs: Vec<usize> = (0..pieces.len()).filter(|&i| direct[i].is_none()).collect();
    let ins: Vec<usize> = (0..pieces.len()).filter(|&i| !is_entered(i)).collect();
    let ways = limb_ways(cell, pieces, &outs, &ins, view_dir);
    let as_link = |to: &Option<usize>| Link {
        to: to.unwrap_or(0),
        limb_rad: None,
    };
    let mut links: Vec<Link> = direct.iter().map(as_link).collect();
    for (&out, (found, turn)) in outs.iter().zip(match_nearest(ways, outs.len())) {
        links[out] = Link {
            to: ins.get(found).copied().unwrap_or(out),
            limb_rad: Some(turn),
        };
    }
    links
}

/// The piece that begins at the corner where `piece` ends, if that corner faces the viewer.
fn successor(cell: &Cell, pieces: &[Piece], piece: &Piece) -> Option<usize> {
    let next = cell.next.get(piece.arc_index)?;
    let begins_there = |p: &Piece| p.from_start && p.arc_index == *next;
    piece.to_end.then(|| pieces.iter().position(begins_there))?
}

/// The way along the limb from every exit to every entry: (length, exit, entry).
///
/// The region lies to the left, so one goes counter-clockwise. A way of almost a whole turn is
/// either that, if nothing else crosses, or two crossings that rounding has swapped; the cell says
/// which.
fn limb_ways(
    cell: &Cell,
    pieces: &[Piece],
    outs: &[usize],
    ins: &[usize],
    view_dir: &Vector3<f64>,
) -> Vec<(f64, usize, usize)> {
    let azimuth = |u: Vector3<f64>| sphere_arc::azimuth_rad(*view_dir, &u);
    let in_angles: Vec<f64> = ins
        .iter()
        .map(|&i| azimuth(pieces[i].arc.start()))
        .collect();
    let mut ways = Vec::with_capacity(outs.len() * ins.len());
    for (o, &out) in outs.iter().enumerate() {
        let from = azimuth(pieces[out].arc.end());
        for (i, &to) in in_angles.iter().enumerate() {
            let turn = angle::ccw_rad(from, to);
            let is_swapped = TAU - turn < SAME_CROSSING_RAD
                && (outs.len() > 1 || !cell.contains(&tilted(view_dir, from + 0.5 * turn)));
            ways.push((if is_swapped { 0.0 } else { turn }, o, i));
        }
    }
    ways
}

/// The point of the limb at `azimuth_rad`, moved a little to the front.
fn tilted(view_dir: &Vector3<f64>, azimuth_rad: f64) -> Vector3<f64> {
    SphereArc::circle(*view_dir, TILT).point(azimuth_rad)
}

/// Whether the limb, which no boundary crosses, lies in the cell: most of nine points say so.
fn holds_limb(cell: &Cell, view_dir: &Vector3<f64>) -> bool {
    let azimuths = (0..9).map(|i| TAU * f64::from(i) / 9.0);
    let inside = azimuths.filter(|&t| cell.contains(&tilted(view_dir, t)));
    inside.count() > 4
}

/// Follows the links round; every piece is in one loop.
fn walk(pieces: &[Piece], links: &[Link], view_dir: &Vector3<f64>) -> Vec<Loop> {
    let mut is_used = vec![false; pieces.len()];
    let mut loops = Vec::new();
    for first in 0..pieces.len() {
        let mut arcs = Vec::new();
        let mut at = first;
        while !is_used[at] {
            is_used[at] = true;
            arcs.push(pieces[at].arc);
            let link = links[at];
            arcs.extend(limb_arc(&pieces[at].arc, link.limb_rad, view_dir));
            at = link.to;
        }
        if !arcs.is_empty() {
            loops.push(Loop { arcs });
        }
    }
    loops
}

/// The limb counter-clockwise from the end of `from`, if it goes on there.
fn limb_arc(from: &SphereArc, turn: Option<f64>, view_dir: &Vector3<f64>) -> Option<SphereArc> {
    let turn = turn.filter(|&turn| turn > 0.0)?;
    let start = sphere_arc::azimuth_rad(*view_dir, &from.end());
    Some(SphereArc::circle(*view_dir, 0.0).between(start, start + turn))
}

/// Pairs every first index with a second one, shortest distance first, each used once.
///
/// Returns (second, distance) per first index; `pairs` holds (distance, first, second).
pub(super) fn match_nearest(mut pairs: Vec<(f64, usize, usize)>, n: usize) -> Vec<(usize, f64)> {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut matched, mut is_taken) = (vec![None; n], vec![false; n]);
    for (distance, first, second) in pairs {
        if matched[first].is_none() && !is_taken[second] {
            matched[first] = Some((second, distance));
            is_taken[second] = true;
        }
    }
    matched.into_iter().map(|m| m.unwrap_or((0, 0.0))).collect()
}
