//! Decision cells on the sphere of directions in three dimensions, with exact arcs as boundaries.

use nalgebra::Vector3;

use crate::geometry::arc_set::ArcSet;
use crate::geometry::head::Contest;
use crate::geometry::head::Head;
use crate::geometry::sphere_arc;
use crate::geometry::sphere_arc::SphereArc;
use crate::geometry::sphere_visible;

/// Shorter arcs are rounding, at a corner of four or more cells or (√ε) where circles touch.
const MIN_ARC_RAD: f64 = 1e-7;

/// Circles that agree to this are one circle.
const SAME_CIRCLE: f64 = 1e-12;

/// {u: normal·u ≥ offset} with a unit normal: where one class beats `rival`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfSpace {
    /// The class that wins on the other side.
    pub rival: usize,
    /// The unit normal, towards the cell.
    pub normal: Vector3<f64>,
    /// −Δb/(r‖D‖); 0 without bias.
    pub offset: f64,
}

impl HalfSpace {
    /// normal·u − offset, ≥ 0 inside.
    pub fn height(&self, u: &Vector3<f64>) -> f64 {
        self.normal.dot(u) - self.offset
    }
}

/// The directions won by one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The class with the highest score inside.
    pub class: usize,
    /// The boundary with the cell on its left; empty if the class wins everywhere.
    pub boundary: Vec<SphereArc>,
    /// `next[i]` follows arc i of the boundary; a whole circle follows itself.
    pub next: Vec<usize>,
    /// Conditions of the cell, every rival that is not beaten everywhere.
    pub half_spaces: Vec<HalfSpace>,
}

impl Cell {
    /// Whether the unit vector `u` lies in the cell or on its boundary.
    pub fn contains(&self, u: &Vector3<f64>) -> bool {
        self.half_spaces.iter().all(|half| half.height(u) >= 0.0)
    }

    /// The half-spaces whose circle is part of the boundary.
    pub fn active_half_spaces(&self) -> impl Iterator<Item = &HalfSpace> {
        let is_active = |half: &HalfSpace| {
            let mut arcs = self.boundary.iter();
            arcs.any(|arc| {
                (arc.axis - half.normal).norm() + (arc.cos_radius - half.offset).abs() < 1e-9
            })
        };
        self.half_spaces.iter().filter(move |half| is_active(half))
    }

    /// The part on the hemisphere `u·view_dir ≥ 0`, as closed loops of exact arcs.
    ///
    /// `view_dir` is a unit vector towards the viewer. Loops run with the region on their left,
    /// seen from outside; fill their orthographic projection by the even-odd rule. They may be
    /// several, one may be a hole in another, and one may be the whole limb. Consecutive ends meet
    /// to 1e-7, as a rule to 1e-14. Empty if the cell is hidden. A boundary that *is* the limb counts as
    /// hidden, and the limb takes its place.
    pub fn visible_region(&self, view_dir: &Vector3<f64>) -> Vec<Loop> {
        sphere_visible::visible_region(self, view_dir)
    }
}

/// A closed chain of arcs.
#[derive(Debug, Clone, PartialEq)]
pub struct Loop {
    /// Each arc begins where the one before ends, the first where the last ends.
    pub arcs: Vec<SphereArc>,
}

impl Loop {
    /// The loop as a closed polyline, the first point not repeated; see [`SphereArc::polyline`].
    pub fn polyline(&self, max_sagitta: f64) -> Vec<Vector3<f64>> {
        let mut points = Vec::new();
        for arc in &self.arcs {
            points.extend(arc.polyline(max_sagitta));
            points.pop();
        }
        points
    }
}

/// A boundary between two cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seam {
    /// The two classes whose scores are equal along it, ascending.
    pub classes: [usize; 2],
    /// The arc, with the cell of the first class on its left.
    pub arc: SphereArc,
}

/// All cells of the sphere and the boundaries between them, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells {
    /// Ascending by class; a class that wins nowhere is absent.
    pub cells: Vec<Cell>,
    /// Ascending by classes.
    pub seams: Vec<Seam>,
}

/// Cuts the sphere into the cells `{u: n_jk·u ≥ c_jk ∀k}` of losses.md 6.
///
/// Boundaries are great circles, with biases small circles, exact to rounding; neighboring cells
/// share the same arcs. Of coincident classes the lowest index wins. Where more than three cells
/// meet in a point, arcs shorter than 1e-7 are dropped.
pub fn decision_cells(head: &Head<'_, 3>) -> Cells {
    let fields = fields(head);
    let seams = seams(&fields);
    if seams.is_empty() {
        let anywhere = head.winner(&Vector3::z());
        let cells = anywhere.map(|class| cell(class, Vec::new(), Vec::new()));
        return Cells {
            cells: cells.into_iter().collect(),
            seams,
        };
    }
    let cells = fields.into_iter().enumerate().filter_map(|(class, field)| {
        let boundary = boundary_of(class, &seams);
        let half_spaces = field?.rivals.iter().map(|r| r.half_space).collect();
        (!boundary.is_empty()).then(|| cell(class, boundary, half_spaces))
    });
    Cells {
        cells: cells.collect(),
        seams,
    }
}

/// A class's conditions; there is none for a class that loses to some other everywhere.
struct Field {
    rivals: Vec<Rival>,
}

struct Rival {
    half_space: HalfSpace,
    /// `‖r(W_j − W_k)‖`
    size: f64,
}

/// Conditions only against classes that win somewhere; a coincident twin would erase a seam.
fn fields(head: &Head<'_, 3>) -> Vec<Option<Field>> {
    let mut fields: Vec<Option<Field>> =
        (0..head.n_classes()).map(|j| Field::new(head, j)).collect();
    let can_win: Vec<bool> = fields.iter().map(Option::is_some).collect();
    for field in fields.iter_mut().flatten() {
        let rivals = &mut field.rivals;
        rivals.retain(|rival| can_win.get(rival.half_space.rival) == Some(&true));
    }
    fields
}

impl Field {
    fn new(head: &Head<'_, 3>, class: usize) -> Option<Self> {
        let mut rivals = Vec::new();
        for rival in (0..head.n_classes()).filter(|&k| k != class) {
            match head.contest(class, rival) {
                Contest::Never => return None,
                Contest::Split { offset, .. } if offset >= 1.0 => return None,
                Contest::Split {
                    normal,
                    offset,
                    size,
                } if offset > -1.0 => {
                    let half_space = HalfSpace {
                        rival,
                        normal,
                        offset,
                    };
                    rivals.push(Rival { half_space, size });
                }
                Contest::Always | Contest::Split { .. } => {}
            }
        }
        // Near rivals cut most, so that the arcs of far ones vanish early.
        rivals.sort_by(|a, b| a.size.total_cmp(&b.size));
        Some(Self { rivals })
    }
}

fn seams(fields: &[Option<Field>]) -> Vec<Seam> {
    let mut seams = Vec::new();
    for (class, field) in fields.iter().enumerate() {
        let Some(field) = field else { continue };
        for rival in &field.rivals {
            let k = rival.half_space.rival;
            if k > class {
                let arcs = arcs_on(rival, &field.rivals).into_iter();
                let classes = [class, k];
                seams.extend(arcs.map(|arc| Seam { classes, arc }));
            }
        }
    }
    seams.sort_by_key(|seam| seam.classes);
    seams
}

/// The arcs of the circle against `rival` that satisfy all other conditions.
fn arcs_on(rival: &Rival, rivals: &[Rival]) -> Vec<SphereArc> {
    let half = rival.half_space;
    let circle = SphereArc::circle(half.normal, half.offset);
    let mut set = ArcSet::full();
    for other in rivals {
        if other.half_space.rival != half.rival {
            cut(&mut set, &circle, rival, other);
        }
        if set.is_empty() {
            break;
        }
    }
    let arcs = set.into_arcs(MIN_ARC_RAD).into_iter();
    arcs.map(|(start, end)| circle.between(start, end))
        .collect()
}

/// Keeps the part of `circle`, where j and `rival` tie, on which j also beats `other`.
fn cut(set: &mut ArcSet, circle: &SphereArc, rival: &Rival, other: &Rival) {
    let (n, n_other) = (circle.axis, other.half_space.normal);
    let along = n.dot(&n_other);
    let amplitude = circle.radius() * n.cross(&n_other).norm();
    let threshold = other.half_space.offset - circle.cos_radius * along;
    if amplitude > SAME_CIRCLE || threshold.abs() > SAME_CIRCLE {
        set.keep_where(amplitude, sphere_arc::azimuth_rad(n, &n_other), threshold);
        return;
    }
    // All three tie on this circle, so their weights are collinear: it separates the outer two.
    let other_is_between = along > 0.0 && other.size < rival.size;
    if !other_is_between {
        set.clear();
    }
}

fn boundary_of(class: usize, seams: &[Seam]) -> Vec<SphereArc> {
    let arcs = seams.iter().filter_map(|seam| match seam.classes {
        [left, _] if left == class => Some(seam.arc),
        [_, right] if right == class => Some(seam.arc.reversed()),
        _ => None,
    });
    arcs.collect()
}

fn cell(class: usize, boundary: Vec<SphereArc>, half_spaces: Vec<HalfSpace>) -> Cell {
    let next = chain(&boundary);
    Cell {
        class,
        boundary,
        next,
        half_spaces,
    }
}

/// Which arc begins where each arc ends: the nearest ends first, every arc used once.
fn chain(arcs: &[SphereArc]) -> Vec<usize> {
    let starts: Vec<Vector3<f64>> = arcs.iter().map(SphereArc::start).collect();
    let mut pairs = Vec::new();
    for (i, arc) in arcs.iter().enumerate() {
        let end = arc.end();
        for (k, start) in starts.iter().enumerate() {
            // A whole circle meets only itself, though others may touch it.
            if i == k || !(arc.is_circle() || arcs[k].is_circle()) {
                pairs.push(((end - start).norm(), i, k));
            }
        }
    }
    let matched = sphere_visible::match_nearest(pairs, arcs.len());
    matched.into_iter().map(|(next, _)| next).collect()
}
