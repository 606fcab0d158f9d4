//! What must hold of every picture; each check says what is wrong where, and in which picture.

use std::f64::consts::{PI, TAU};

use marginscope::experiment::ViewKind;
use marginscope::scene::Item;

use crate::picture::{Areas, Picture, QUARTER_PX, area, around, classes};

/// Random points for each picture.
const N_POINTS: usize = 10_000;

/// All of them. Returns how many vertices of margins were looked at.
#[track_caller]
pub fn check(picture: &Picture) -> usize {
    check_colors(picture);
    check_count(picture);
    check_seams(picture);
    check_gaps(picture);
    check_margins(picture)
}

/// Random points lie in one region each, of the colour of the class that wins there.
#[track_caller]
pub fn check_colors(picture: &Picture) {
    let areas = Areas::of(picture.items("regions"));
    for at in picture.random_points(7, N_POINTS) {
        let winners = picture.winners(at);
        let of_winner = |fill| {
            let bits = winners.unwrap_or(0);
            classes(bits).any(|class| picture.tint(class) == fill)
        };
        let fills = areas.at(at);
        let is_right = fills.len() == 1 && of_winner(fills[0]);
        // Within a quarter of a pixel of a line either colour will do.
        let is_beside_line = || around(at).any(|beside| picture.winners(beside) != winners);
        assert!(
            is_right || is_beside_line(),
            "at {at:?} {winners:?} win, {fills:?}: {}",
            picture.what
        );
    }
}

/// Random points lie in a gap where the winner does not have its margin, and nowhere else.
#[track_caller]
pub fn check_gaps(picture: &Picture) {
    if !picture.definition.has_margin_form() {
        return;
    }
    let areas = Areas::of(picture.items("gaps"));
    for at in picture.random_points(8, N_POINTS) {
        let winners = picture.winners(at);
        let mut classes = classes(winners.unwrap_or(0));
        let (Some(class), None) = (classes.next(), classes.next()) else {
            continue;
        };
        let holds = |at: [f64; 2]| picture.lead(class, at).map(|lead| lead >= 0.0);
        let here = holds(at);
        let is_right = areas.at(at).len() == usize::from(here == Some(false));
        let is_beside_line =
            || around(at).any(|beside| holds(beside) != here || picture.winners(beside) != winners);
        assert!(
            is_right || is_beside_line(),
            "{} gaps at {at:?}, where the margin of {class} holds: {here:?}: {}",
            areas.at(at).len(),
            picture.what
        );
    }
}

/// A point between two vertices, and the normal of their segment.
type Between = ([f64; 2], [f64; 2]);

/// Points on the segments of a line: (vertices, points between with the normal of their segment).
fn walk(points: &[[f32; 2]], is_closed: bool) -> (Vec<[f64; 2]>, Vec<Between>) {
    let mut vertices: Vec<[f64; 2]> = points.iter().map(|p| p.map(f64::from)).collect();
    if is_closed {
        vertices.push(vertices[0]);
    }
    let mut between = Vec::new();
    for pair in vertices.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let along = [b[0] - a[0], b[1] - a[1]];
        let length = along[0].hypot(along[1]);
        if length < 1e-3 {
            continue; // so short that rounding decides on its normal
        }
        let normal = [-along[1] / length, along[0] / length];
        for share in [0.15, 0.35, 0.5, 0.65, 0.85] {
            between.push(([a[0] + share * along[0], a[1] + share * along[1]], normal));
        }
    }
    (vertices, between)
}

/// The points and whether they are closed.
#[track_caller]
fn line_of(item: &Item) -> (&[[f32; 2]], bool) {
    match item {
        Item::Line {
            points, is_closed, ..
        } => (points, *is_closed),
        other => panic!("{other:?}"),
    }
}

/// Seams: the two best logits are equal at vertices, and the winner changes across the line.
#[track_caller]
pub fn check_seams(picture: &Picture) {
    for item in picture.items("seams") {
        let (points, is_closed) = line_of(item);
        let (vertices, between) = walk(points, is_closed);
        for at in vertices.into_iter().filter(|at| !picture.is_origin(*at)) {
            let Some(x) = picture.world(at) else { continue };
            let mut logits = picture.definition.logits(&x);
            logits.sort_by(|a, b| b.total_cmp(a));
            let off = logits[0] - logits[1];
            assert!(off <= picture.tie(&x), "{off} at {at:?}: {}", picture.what);
        }
        for (at, normal) in between {
            let [one, other] = [QUARTER_PX, -QUARTER_PX]
                .map(|off| picture.winners([at[0] + off * normal[0], at[1] + off * normal[1]]));
            let (Some(one), Some(other)) = (one, other) else {
                continue;
            };
            let is_between = one != other || one.count_ones() > 1;
            assert!(
                is_between,
                "{one:b} on both sides of {at:?}: {}",
                picture.what
            );
        }
    }
}

/// Margins: ψ(θ_y) is max cosθ_k at vertices, and the lead changes its sign across the line.
#[track_caller]
pub fn check_margins(picture: &Picture) -> usize {
    let mut n_checked = 0;
    for item in picture.items("margins") {
        let Item::Line { stroke, .. } = item else {
            panic!("{item:?}");
        };
        let (points, is_closed) = line_of(item);
        let classes: Vec<usize> = (0..picture.definition.n_classes())
            .filter(|&class| Picture::ink(class) == stroke.color)
            .collect();
        let faults: Vec<String> = classes
            .iter()
            .filter_map(|&class| margin_fault(picture, class, points, is_closed))
            .collect();
        // Beyond ten classes colours repeat: the line belongs to one of them.
        assert!(faults.len() < classes.len(), "{faults:?}: {}", picture.what);
        n_checked += points.len();
    }
    n_checked
}

/// What is wrong with a line as the margin of a class.
fn margin_fault(
    picture: &Picture,
    class: usize,
    points: &[[f32; 2]],
    is_closed: bool,
) -> Option<String> {
    let definition = &picture.definition;
    let (vertices, between) = walk(points, is_closed);
    for at in vertices.into_iter().filter(|at| !picture.is_origin(*at)) {
        let Some(x) = picture.world(at) else { continue };
        let off = definition.lead(class, &x).abs();
        if off > picture.tie(&x) && !is_at_jump(picture, class, &x) {
            return Some(format!("class {class} leads by {off:e} at {at:?}"));
        }
    }
    for (at, normal) in between {
        if let Some(leads) = leads_across(picture, class, at, normal)
            && !is_crossed(&leads)
            && !is_near(picture, class, at)
        {
            return Some(format!("class {class} leads by {leads:?} across {at:?}"));
        }
    }
    None
}

/// Leads at nine places from a quarter of a pixel before a line to a quarter behind it.
fn leads_across(
    picture: &Picture,
    class: usize,
    at: [f64; 2],
    normal: [f64; 2],
) -> Option<[f64; 9]> {
    let mut leads = [0.0; 9];
    for (i, lead) in leads.iter_mut().enumerate() {
        let off = QUARTER_PX * (i as f64 / 4.0 - 1.0);
        *lead = picture.lead(class, [at[0] + off * normal[0], at[1] + off * normal[1]])?;
    }
    Some(leads)
}

/// Whether some of the leads are positive and some negative.
fn is_crossed(leads: &[f64]) -> bool {
    leads.iter().any(|&lead| lead >= 0.0) && leads.iter().any(|&lead| lead <= 0.0)
}

/// The same in all directions, for the tips of thin regions. Vertices are rounded to 6e-5 px, which
/// takes a line a little beyond the tip: there the middle must be 0 to a tenth of a step of 1/16 px.
fn is_near(picture: &Picture, class: usize, at: [f64; 2]) -> bool {
    (0..16).any(|step| {
        let (sin, cos) = (PI * f64::from(step) / 16.0).sin_cos();
        leads_across(picture, class, at, [cos, sin]).is_some_and(|leads| {
            let middle = leads[4];
            let change = (leads[3] - middle).abs().max((leads[5] - middle).abs());
            is_crossed(&leads) || middle.abs() <= 0.1 * change
        })
    })
}

/// Whether the lead jumps over 0 here, because ψ jumps: then no place has a lead of 0.
fn is_at_jump(picture: &Picture, class: usize, x: &[f64]) -> bool {
    let definition = &picture.definition;
    let theta = definition.theta_rad(class, x);
    let rest = definition.lead(class, x) - definition.target_logit(class, x);
    let rho = definition.size(x);
    definition.jumps_rad().iter().any(|&jump| {
        let leads = [-1e-9, 1e-9].map(|off| rho * definition.psi(jump + off) + rest);
        let tie = picture.tie(x);
        (theta - jump).abs() < 1e-5
            && leads[0].min(leads[1]) <= tie
            && leads[0].max(leads[1]) >= -tie
    })
}

/// As many regions as classes that win somewhere in the picture. A class that wins only on less
/// than four square pixels may be missed by looking at places, but not the other way round.
#[track_caller]
pub fn check_count(picture: &Picture) {
    const SLIVER: f64 = 4.0;
    let areas: Vec<f64> = picture
        .items("regions")
        .iter()
        .map(|item| match item {
            Item::Polygon { rings, .. } => area(rings),
            other => panic!("{other:?}"),
        })
        .collect();
    let n_regions = areas.len();
    let n_large = areas.iter().filter(|area| **area > SLIVER).count();
    let n_winners = if picture.view.kind == ViewKind::Circle {
        n_sectors(picture)
    } else {
        n_winners(picture)
    };
    assert!(
        n_large <= n_winners && n_winners <= n_regions,
        "{n_regions} regions, {n_large} of them large, {n_winners} winners: {}",
        picture.what
    );
}

/// The number of classes that win at random places, at the ends of seams, or inside a region that
/// is drawn.
fn n_winners(picture: &Picture) -> usize {
    let mut places = picture.random_points(9, N_POINTS);
    for item in picture.items("seams") {
        let (points, _) = line_of(item);
        let ends = [points[0], points[points.len() - 1]];
        places.extend(ends.iter().flat_map(|end| around(end.map(f64::from))));
    }
    for item in picture.items("regions") {
        let Item::Polygon { rings, .. } = item else {
            panic!("{item:?}");
        };
        places.extend(rings.iter().flat_map(|ring| middles(ring)));
    }
    let places = places.into_iter().filter(|at| Picture::has(*at));
    let winners = places.filter_map(|at| picture.winners_to_limb(at));
    let first = winners.map(|bits| 1_u32 << bits.trailing_zeros());
    first.fold(0, |all, bit| all | bit).count_ones() as usize
}

/// The middles of triangles of a vertex with its neighbours, and of a vertex with others far away.
fn middles(ring: &[[f32; 2]]) -> Vec<[f64; 2]> {
    let n = ring.len();
    let triangle = |corners: [usize; 3]| {
        [0, 1].map(|axis| {
            let sum: f64 = corners.iter().map(|i| f64::from(ring[i % n][axis])).sum();
            sum / 3.0
        })
    };
    let near = (0..n).map(|i| [i, i + 1, i + 2]);
    let far = (0..n).map(|i| [i, i + n / 3, i + 2 * n / 3]);
    near.chain(far).map(triangle).collect()
}

/// How often the winner changes round the circle; with a bias a class may win in two sectors.
fn n_sectors(picture: &Picture) -> usize {
    let (center, radius) = picture.round();
    let mut turns: Vec<f64> = (0..4000)
        .map(|i| TAU * (f64::from(i) + 0.5) / 4000.0)
        .collect();
    for item in picture.items("seams") {
        let (points, _) = line_of(item);
        let [x, y] = points[points.len() - 1].map(f64::from);
        let turn = (y - center[1]).atan2(x - center[0]).rem_euclid(TAU);
        turns.extend([-1e-3, -1e-4, -1e-5, 1e-5, 1e-4, 1e-3].map(|off| turn + off));
    }
    turns.sort_by(f64::total_cmp);
    let at = |turn: &f64| {
        let reach = 0.9 * radius;
        picture.winners([
            center[0] + reach * turn.cos(),
            center[1] + reach * turn.sin(),
        ])
    };
    let winners: Vec<u32> = turns
        .iter()
        .filter_map(at)
        .map(u32::trailing_zeros)
        .collect();
    let next = winners.iter().cycle().skip(1);
    let n_changes = winners.iter().zip(next).filter(|(a, b)| a != b).count();
    n_changes.max(1)
}
