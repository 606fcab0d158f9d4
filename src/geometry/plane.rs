//! Decision cells of raw two-dimensional features, clipped to a rectangle, and lines in it.

use nalgebra::Vector2;

use crate::geometry::head::Contest;
use crate::geometry::head::Head;

/// Shorter edges, relative to the rectangle, are rounding.
const MIN_EDGE: f64 = 1e-12;

/// An axis-parallel rectangle of feature space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// The corner with the smallest coordinates.
    pub min: Vector2<f64>,
    /// The corner with the largest coordinates.
    pub max: Vector2<f64>,
}

impl Rect {
    /// The rectangle with two opposite corners at `a` and `b`.
    pub fn from_corners(a: Vector2<f64>, b: Vector2<f64>) -> Self {
        Self {
            min: a.inf(&b),
            max: a.sup(&b),
        }
    }

    /// Its four corners, counter-clockwise from `min`.
    pub fn corners(&self) -> [Vector2<f64>; 4] {
        let Self { min, max } = *self;
        [
            min,
            Vector2::new(max.x, min.y),
            max,
            Vector2::new(min.x, max.y),
        ]
    }

    fn diagonal(&self) -> f64 {
        (self.max - self.min).norm()
    }
}

/// The convex part of the rectangle that belongs to `class`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The class with the highest score inside.
    pub class: usize,
    /// Its corners, counter-clockwise, at least three.
    pub polygon: Vec<Vector2<f64>>,
}

/// A straight boundary between two cells, inside the rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seam {
    /// The two classes whose scores are equal along it, ascending.
    pub classes: [usize; 2],
    /// Its end points.
    pub ends: [Vector2<f64>; 2],
}

/// All cells of a rectangle and the boundaries between them, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells {
    /// Ascending by class; a class that wins nowhere in the rectangle is absent.
    pub cells: Vec<Cell>,
    /// Ascending by classes.
    pub seams: Vec<Seam>,
}

/// Cuts `rect` into the cells `{x: (W_j − W_k)·x + b_j − b_k ≥ 0 ∀k}` (losses.md 6).
///
/// Exact half-plane clipping. The head's norm multiplies W, so pass 1 for raw features. Of
/// coincident classes the lowest index wins.
pub fn decision_cells(head: &Head<'_, 2>, rect: &Rect) -> Cells {
    let mut out = Cells::default();
    for class in 0..head.n_classes() {
        let outline = outline(head, class, rect);
        if outline.len() < 3 {
            continue;
        }
        let next = outline.iter().cycle().skip(1);
        for (edge, after) in outline.iter().zip(next) {
            if let Some(rival) = edge.rival {
                add_seam(&mut out.seams, class, rival, [edge.start, after.start]);
            }
        }
        let polygon = outline.iter().map(|edge| edge.start).collect();
        out.cells.push(Cell { class, polygon });
    }
    out.seams.sort_by_key(|seam| seam.classes);
    out
}

/// Both cells report a common edge; the first report stays.
fn add_seam(seams: &mut Vec<Seam>, class: usize, rival: usize, ends: [Vector2<f64>; 2]) {
    let classes = [class.min(rival), class.max(rival)];
    if !seams.iter().any(|seam| seam.classes == classes) {
        seams.push(Seam { classes, ends });
    }
}

/// An edge of an outline: where it starts, and the class beyond it (`None` at the rectangle).
#[derive(Debug, Clone, Copy)]
struct Edge {
    start: Vector2<f64>,
    rival: Option<usize>,
}

fn outline(head: &Head<'_, 2>, class: usize, rect: &Rect) -> Vec<Edge> {
    let corner = |start| Edge { start, rival: None };
    let mut outline: Vec<Edge> = rect.corners().into_iter().map(corner).collect();
    for rival in (0..head.n_classes()).filter(|&k| k != class) {
        match head.contest(class, rival) {
            Contest::Always => {}
            Contest::Never => return Vec::new(),
            Contest::Split { normal, offset, .. } => {
                outline = clip(&outline, rival, |x| normal.dot(x) - offset);
            }
        }
        if outline.is_empty() {
            break;
        }
    }
    without_short_edges(outline, MIN_EDGE * rect.diagonal())
}

/// The part of a convex outline where `height` ≥ 0 (Sutherland and Hodgman).
fn clip(outline: &[Edge], rival: usize, height: impl Fn(&Vector2<f64>) -> f64) -> Vec<Edge> {
    let mut kept = Vec::with_capacity(outline.len() + 1);
    let next = outline.iter().cycle().skip(1);
    for (edge, after) in outline.iter().zip(next) {
        let (a, b) = (height(&edge.start), height(&after.start));
        let crossing = || edge.start + (after.start - edge.start) * (a / (a - b));
        match (a >= 0.0, b >= 0.0) {
            (true, true) => kept.push(*edge),
            (true, false) => {
                kept.push(*edge);
                kept.push(Edge {
                    start: crossing(),
                    rival: Some(rival),
                });
            }
            (false, true) => kept.push(Edge {
                start: crossing(),
                rival: edge.rival,
            }),
            (false, false) => {}
        }
    }
    kept
}

fn without_short_edges(outline: Vec<Edge>, min_length: f64) -> Vec<Edge> {
    let mut ends: Vec<Vector2<f64>> = outline.iter().map(|edge| edge.start).collect();
    if !ends.is_empty() {
        ends.rotate_left(1);
    }
    let edges = outline.into_iter().zip(ends);
    edges
        .filter(|(edge, end)| (end - edge.start).norm() > min_length)
        .map(|(edge, _)| edge)
        .collect()
}

/// The part of a polygon within a rectangle (Sutherland–Hodgman); fewer than three points where
/// there is none. Parts of one that is not convex stay joined along the rectangle's edge.
pub fn clip_polygon(rect: &Rect, ring: &[Vector2<f64>]) -> Vec<Vector2<f64>> {
    let corners = rect.corners();
    let middle = 0.5 * (corners[0] + corners[2]);
    let mut ring = ring.to_vec();
    for i in 0..4 {
        let (a, b) = (corners[i], corners[(i + 1) % 4]);
        let across = Vector2::new(a.y - b.y, b.x - a.x);
        let inward = across * across.dot(&(middle - a)).signum();
        ring = clip_by_half_plane(&ring, |x| inward.dot(&(x - a)));
    }
    ring
}

/// The part of a polygon where a linear function is not negative.
fn clip_by_half_plane(
    ring: &[Vector2<f64>],
    height: impl Fn(&Vector2<f64>) -> f64,
) -> Vec<Vector2<f64>> {
    let mut kept = Vec::with_capacity(ring.len() + 2);
    for (i, b) in ring.iter().enumerate() {
        let a = &ring[(i + ring.len() - 1) % ring.len()];
        let (from, to) = (height(a), height(b));
        if (from < 0.0) != (to < 0.0) {
            kept.push(a + (b - a) * (from / (from - to)));
        }
        if to >= 0.0 {
            kept.push(*b);
        }
    }
    kept
}

/// The part of the segment from `a` to `b` inside `rect` (Liang and Barsky); `None` if outside.
pub fn clip_segment(rect: &Rect, a: Vector2<f64>, b: Vector2<f64>) -> Option<[Vector2<f64>; 2]> {
    clip_line(rect, a, b - a, 1.0)
}

/// The part of the ray from `origin` along `direction` (any length) inside `rect`.
///
/// `None` if it misses; for a zero direction the origin twice, if inside.
pub fn clip_ray(
    rect: &Rect,
    origin: Vector2<f64>,
    direction: Vector2<f64>,
) -> Option<[Vector2<f64>; 2]> {
    if direction.norm() == 0.0 {
        return clip_line(rect, origin, direction, 0.0);
    }
    clip_line(rect, origin, direction.normalize(), f64::INFINITY)
}

/// `{origin + t·direction: 0 ≤ t ≤ t_max}` inside `rect`.
fn clip_line(
    rect: &Rect,
    origin: Vector2<f64>,
    direction: Vector2<f64>,
    t_max: f64,
) -> Option<[Vector2<f64>; 2]> {
    let (mut enter, mut leave) = (0.0_f64, t_max);
    for axis in 0..2 {
        let (lo, hi) = (rect.min[axis] - origin[axis], rect.max[axis] - origin[axis]);
        if direction[axis] == 0.0 {
            if lo > 0.0 || hi < 0.0 {
                return None;
            }
            continue;
        }
        let (t0, t1) = (lo / direction[axis], hi / direction[axis]);
        enter = enter.max(t0.min(t1));
        leave = leave.min(t0.max(t1));
    }
    (enter <= leave).then(|| [origin + direction * enter, origin + direction * leave])
}
