//! Decision sectors and margin arcs on the circle of directions in two dimensions.

use std::f64::consts::{PI, TAU};

use nalgebra::Vector2;

use crate::geometry::angle;
use crate::geometry::arc_set::ArcSet;
use crate::geometry::head::Contest;
use crate::geometry::head::Head;
use crate::geometry::head::Psi;

/// Breakpoints closer than this are one; a hundred times the rounding of an angle.
const SAME_ANGLE_RAD: f64 = 1e-13;

/// Width at which bisection of an end point stops.
const END_TOLERANCE_RAD: f64 = 1e-14;

/// Samples of `f_j` round the circle: every half degree, besides all known kinks.
const GRID: usize = 720;

/// The arc from `start_rad` counter-clockwise to `end_rad` that belongs to `class`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sector {
    /// The class that owns the arc.
    pub class: usize,
    /// Where it starts, in (−π, π].
    pub start_rad: f64,
    /// Where it ends, in (start, start + 2π].
    pub end_rad: f64,
}

impl Sector {
    /// Its width, in (0, 2π].
    pub fn width_rad(&self) -> f64 {
        self.end_rad - self.start_rad
    }

    /// The direction in the middle of it, in (−π, π].
    pub fn middle_rad(&self) -> f64 {
        angle::wrap_rad(self.start_rad + 0.5 * self.width_rad())
    }

    /// Whether the direction at polar angle `angle_rad` lies in it.
    pub fn contains(&self, angle_rad: f64) -> bool {
        angle::ccw_rad(self.start_rad, angle_rad) <= self.width_rad()
    }
}

/// Who wins where on the circle: sectors counter-clockwise that cover it exactly once.
///
/// Boundaries are the directions `φ_D ± acos(Δb/(r‖D‖))` with `D = W_j − W_k` (losses.md 6),
/// exact to rounding; between unit weights these are the bisectors. A class that wins nowhere is
/// absent; of coincident classes the lowest index wins. One winner has the sector (−π, π], no class
/// none.
pub fn decision_sectors(head: &Head<'_, 2>) -> Vec<Sector> {
    let breaks = breakpoints(head);
    let pieces = pairs_around(&breaks).filter_map(|(start_rad, end_rad)| {
        let middle = angle::direction(0.5 * (start_rad + end_rad));
        let class = head.winner(&middle)?;
        Some(Sector {
            class,
            start_rad,
            end_rad,
        })
    });
    merge(pieces.collect())
}

/// The ends of all arcs on which a class beats each other class, ascending in (−π, π].
fn breakpoints(head: &Head<'_, 2>) -> Vec<f64> {
    let arcs = (0..head.n_classes()).flat_map(|j| won_arcs(head, j));
    sorted_angles(arcs.flat_map(|(start, end)| [start, end]).collect())
}

fn won_arcs(head: &Head<'_, 2>, j: usize) -> Vec<(f64, f64)> {
    let mut set = ArcSet::full();
    for k in (0..head.n_classes()).filter(|&k| k != j) {
        match head.contest(j, k) {
            Contest::Always => {}
            Contest::Never => set.clear(),
            Contest::Split { normal, offset, .. } => {
                set.keep_where(1.0, angle::polar_rad(normal), offset);
            }
        }
        if set.is_empty() {
            break;
        }
    }
    set.into_arcs(0.0)
}

/// Wraps, sorts and drops repetitions.
fn sorted_angles(mut angles_rad: Vec<f64>) -> Vec<f64> {
    for angle_rad in &mut angles_rad {
        *angle_rad = angle::wrap_rad(*angle_rad);
    }
    angles_rad.sort_by(f64::total_cmp);
    angles_rad.dedup_by(|next, kept| *next - *kept < SAME_ANGLE_RAD);
    if let (Some(&first), Some(&last)) = (angles_rad.first(), angles_rad.last())
        && angles_rad.len() > 1
        && first + TAU - last < SAME_ANGLE_RAD
    {
        angles_rad.pop();
    }
    angles_rad
}

/// Neighbours round the circle: (a, b), (b, c), …, (z, a + 2π); the whole circle if there is none.
fn pairs_around(angles_rad: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    let (first, all) = match angles_rad {
        [] => (-PI, &[-PI][..]),
        [first, ..] => (*first, angles_rad),
    };
    let ends = all.iter().copied().skip(1).chain([first + TAU]);
    all.iter().copied().zip(ends)
}

/// Joins neighbors of one class, also across the end of the list.
fn merge(pieces: Vec<Sector>) -> Vec<Sector> {
    let mut sectors: Vec<Sector> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match sectors.last_mut() {
            Some(last) if last.class == piece.class => last.end_rad = piece.end_rad,
            _ => sectors.push(piece),
        }
    }
    if let [first, .., last] = &mut sectors[..]
        && first.class == last.class
    {
        first.start_rad = last.start_rad;
        first.end_rad += TAU;
        sectors.pop();
        // The joined sector starts last on (−π, π].
        sectors.rotate_left(1);
    }
    sectors
}

/// Where each class wins *with its margin*: `f_j` ≥ 0 of losses.md 6, sorted by class, then start.
///
/// A class may have none or several arcs, and arcs of different classes may overlap if ψ(θ) > cosθ
/// somewhere. End points are bisected to 1e-14 rad, at a jump of ψ to the jump itself. `f_j` is
/// sampled every half degree and at all weights, their antipodes and all decision boundaries;
/// local extrema between samples are searched, so that an arc or gap is missed only if ψ itself
/// wiggles within half a degree. A class without rivals has the whole circle.
pub fn margin_arcs(head: &Head<'_, 2>, psi: Psi<'_>) -> Vec<Sector> {
    let waves = Waves::new(head);
    let angles_rad = sample_angles(head);
    let tops: Vec<Top> = angles_rad.iter().map(|&phi| waves.top(phi)).collect();
    let mut arcs = Vec::new();
    for class in 0..head.n_classes() {
        let profile = Profile {
            waves: &waves,
            class,
            psi,
        };
        let samples = angles_rad.iter().zip(&tops);
        let samples = samples.map(|(&phi, top)| (phi, profile.lead_over(phi, top.rival_of(class))));
        arcs.extend(profile.arcs(&profile.with_extrema(&samples.collect::<Vec<_>>())));
    }
    arcs
}

fn sample_angles(head: &Head<'_, 2>) -> Vec<f64> {
    let weights = (0..head.n_classes()).filter_map(|k| head.class_direction(k));
    let mut angles_rad: Vec<f64> = weights
        .flat_map(|v| [angle::polar_rad(v), angle::polar_rad(-v)])
        .collect();
    angles_rad.extend(breakpoints(head));
    angles_rad.extend((0..GRID).map(|i| TAU * i as f64 / GRID as f64));
    sorted_angles(angles_rad)
}

/// One class as a wave on the circle: score(φ) = amplitude·cos(φ − phase) + bias.
struct Wave {
    amplitude: f64,
    phase_rad: f64,
    bias: f64,
}

struct Waves {
    of_class: Vec<Wave>,
    tolerance: f64,
}

/// The best class at one place, its score, and the score of the second.
struct Top {
    class: usize,
    first: f64,
    second: f64,
}

impl Top {
    fn rival_of(&self, class: usize) -> f64 {
        if class == self.class {
            self.second
        } else {
            self.first
        }
    }
}

impl Waves {
    fn new(head: &Head<'_, 2>) -> Self {
        let wave = |k| Wave {
            amplitude: head.norm() * head.class_weight(k).norm(),
            phase_rad: angle::polar_rad(head.class_weight(k)),
            bias: head.bias(k),
        };
        Self {
            of_class: (0..head.n_classes()).map(wave).collect(),
            tolerance: head.margin_tolerance(),
        }
    }

    fn scores(&self, phi_rad: f64) -> impl Iterator<Item = f64> {
        let waves = self.of_class.iter();
        waves.map(move |w| w.amplitude * (phi_rad - w.phase_rad).cos() + w.bias)
    }

    fn top(&self, phi_rad: f64) -> Top {
        let mut top = Top {
            class: usize::MAX,
            first: f64::NEG_INFINITY,
            second: f64::NEG_INFINITY,
        };
        for (class, score) in self.scores(phi_rad).enumerate() {
            if score > top.first {
                top.second = top.first;
                (top.class, top.first) = (class, score);
            } else if score > top.second {
                top.second = score;
            }
        }
        top
    }
}

/// `f_j` of one class as a function of the polar angle.
struct Profile<'a> {
    waves: &'a Waves,
    class: usize,
    psi: Psi<'a>,
}

impl Profile<'_> {
    fn lead_over(&self, phi_rad: f64, rival_score: f64) -> f64 {
        let Some(own) = self.waves.of_class.get(self.class) else {
            return f64::NEG_INFINITY;
        };
        let theta_rad = angle::wrap_rad(phi_rad - own.phase_rad).abs();
        own.amplitude * (self.psi)(theta_rad) + own.bias - rival_score
    }

    fn lead(&self, phi_rad: f64) -> f64 {
        self.lead_over(phi_rad, self.waves.top(phi_rad).rival_of(self.class))
    }

    fn holds(&self, lead: f64) -> bool {
        lead >= -self.waves.tolerance
    }

    /// Adds the extrema between samples that reach the other sign.
    fn with_extrema(&self, samples: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let n = samples.len();
        let mut all = samples.to_vec();
        for i in 0..n {
            let [before, here, after] =
                [samples[(i + n - 1) % n], samples[i], samples[(i + 1) % n]];
            if let Some(found) = self.hidden_extremum(before, here, after) {
                all.push(found);
            }
        }
        for sample in &mut all {
            sample.0 = angle::wrap_rad(sample.0);
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }

    /// Searches for the other sign next to a sample that is nearest to 0 among its neighbors.
    fn hidden_extremum(
        &self,
        before: (f64, f64),
        here: (f64, f64),
        after: (f64, f64),
    ) -> Option<(f64, f64)> {
        let sign = if self.holds(here.1) { 1.0 } else { -1.0 };
        let (depth, left, right) = (sign * here.1, sign * before.1, sign * after.1);
        // Between samples f bends no further than it changes from one to the next, twice over.
        let within_reach = depth <= 2.0 * ((left - depth).abs() + (right - depth).abs());
        if left < depth || right < depth || !within_reach {
            return None;
        }
        let mut lo = here.0 - angle::ccw_rad(before.0, here.0);
        let mut hi = here.0 + angle::ccw_rad(here.0, after.0);
        while hi - lo > 1e-10 {
            let (a, b) = (lo + (hi - lo) / 3.0, hi - (hi - lo) / 3.0);
            let (at_a, at_b) = (self.lead(a), self.lead(b));
            for found in [(a, at_a), (b, at_b)] {
                if self.holds(found.1) != self.holds(here.1) {
                    return Some(found);
                }
            }
            if sign * at_a < sign * at_b {
                hi = b;
            } else {
                lo = a;
            }
        }
        None
    }

    /// The arcs between changes of sign of `samples`, ascending in (−π, π].
    fn arcs(&self, samples: &[(f64, f64)]) -> Vec<Sector> {
        let mut edges = Vec::new();
        for (i, &(from, lead)) in samples.iter().enumerate() {
            let (to, next) = samples[(i + 1) % samples.len()];
            let enters = self.holds(next);
            if self.holds(lead) != enters {
                let end_rad = from + angle::ccw_rad(from, to);
                edges.push((self.edge(from, end_rad, enters), enters));
            }
        }
        self.between(&edges, samples)
    }

    /// The place between `outside` and `inside` where the sign changes.
    fn edge(&self, mut lo: f64, mut hi: f64, enters: bool) -> f64 {
        while hi - lo > END_TOLERANCE_RAD {
            let middle = 0.5 * (lo + hi);
            if middle <= lo || middle >= hi {
                break;
            }
            if self.holds(self.lead(middle)) == enters {
                hi = middle;
            } else {
                lo = middle;
            }
        }
        0.5 * (lo + hi)
    }

    fn between(&self, edges: &[(f64, bool)], samples: &[(f64, f64)]) -> Vec<Sector> {
        let sector = |start_rad, end_rad| Sector {
            class: self.class,
            start_rad,
            end_rad,
        };
        if edges.is_empty() {
            let everywhere = samples.first().is_some_and(|s| self.holds(s.1));
            return everywhere.then(|| sector(-PI, PI)).into_iter().collect();
        }
        let starts = (0..edges.len()).filter(|&i| edges[i].1);
        starts
            .map(|i| {
                let start = angle::wrap_rad(edges[i].0);
                let end = edges[(i + 1) % edges.len()].0;
                sector(start, start + angle::ccw_rad(start, end))
            })
            .collect()
    }
}

/// The cosine margin that the most crowded class of *these* weights can still hold on the circle.
///
/// min over classes of 2 sin(a/2) sin(b/2), a and b the empty arcs to the two neighbors, each
/// < π (losses.md 5.1); `None` below two classes or where an arc is ≥ π.
pub fn largest_cosine_margin(class_weights: &[Vector2<f64>]) -> Option<f64> {
    let gaps = neighbor_gaps_rad(class_weights);
    if gaps.len() < 2 || gaps.iter().any(|&gap| gap >= PI) {
        return None;
    }
    let next = gaps.iter().cycle().skip(1);
    let margins = gaps.iter().zip(next);
    margins
        .map(|(a, b)| 2.0 * (a / 2.0).sin() * (b / 2.0).sin())
        .reduce(f64::min)
}

/// The empty arcs between neighboring weights, counter-clockwise from the first after −π.
pub fn neighbor_gaps_rad(class_weights: &[Vector2<f64>]) -> Vec<f64> {
    let mut angles_rad: Vec<f64> = class_weights.iter().map(|w| angle::polar_rad(*w)).collect();
    angles_rad.sort_by(f64::total_cmp);
    match angles_rad[..] {
        [] => Vec::new(),
        _ => pairs_around(&angles_rad).map(|(a, b)| b - a).collect(),
    }
}
