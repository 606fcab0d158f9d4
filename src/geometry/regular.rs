//! How far apart directions can be, and arrangements that are that far apart.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use crate::geometry::angle;
use crate::geometry::tammes;

/// How well a largest minimal angle is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Proven and attained.
    Exact,
    /// The best arrangement known attains it; no proof that none is better.
    BestKnown,
    /// No arrangement exceeds it; it need not be attained.
    UpperBound,
    /// Neither bound nor attained: right to a few percent.
    Estimate,
}

/// The largest minimal angle between directions, ArcFace's ceiling; CosFace's is 1 − cos of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceiling {
    /// The angle, in [0, π].
    pub angle_rad: f64,
    /// How well it is known.
    pub certainty: Certainty,
}

/// The largest angle by which `n_classes` directions in `dim` dimensions can all be apart.
///
/// Circle 2π/C; simplex, cos α = −1/(C−1), up to C = d+1; 90° up to C = 2d; in space the Tammes
/// table up to C = 20, proven to 14 (losses.md 5.2), beyond it the upper bound of Fejes Tóth
/// 2 asin(½√(4 − 1/sin²(πC/(6(C−2))))). For other d an estimate: C caps of radius α/2 fill the
/// share of the sphere that the densest lattice packing fills of R^{d−1}. Below two classes there
/// is no pair, and the answer is π; on a line (d = 1) and for d = 0 a third class must repeat.
pub fn largest_min_angle_rad(n_classes: usize, dim: usize) -> Ceiling {
    let exact = |angle_rad| Ceiling {
        angle_rad,
        certainty: Certainty::Exact,
    };
    match (n_classes, dim) {
        (0 | 1, _) => exact(PI),
        (_, 0) => exact(0.0),
        (c, d) if c <= d + 1 => exact(angle::angle_of_cosine_rad(-1.0 / (c as f64 - 1.0))),
        (_, 1) => exact(0.0),
        (c, 2) => exact(TAU / c as f64),
        (c, d) if c <= 2 * d => exact(FRAC_PI_2),
        (c, 3) => in_space(c),
        (c, d) => Ceiling {
            angle_rad: estimate_rad(c as f64, d),
            certainty: Certainty::Estimate,
        },
    }
}

fn in_space(n_classes: usize) -> Ceiling {
    match tammes::angle_rad(n_classes) {
        Some(angle_rad) => Ceiling {
            angle_rad,
            certainty: if n_classes <= 14 {
                Certainty::Exact
            } else {
                Certainty::BestKnown
            },
        },
        None => Ceiling {
            angle_rad: fejes_toth_rad(n_classes as f64),
            certainty: Certainty::UpperBound,
        },
    }
}

/// Fejes Tóth's bound for C ≥ 3 points on S²; equality at C = 3, 4, 6, 12.
fn fejes_toth_rad(c: f64) -> f64 {
    let sin = (PI * c / (6.0 * (c - 2.0))).sin();
    let half_chord = 0.5 * (4.0 - 1.0 / (sin * sin)).max(0.0).sqrt();
    FRAC_PI_2.min(half_chord.asin()) * 2.0
}

/// Densest lattice packings of R^1 … R^8 (Conway and Sloane, table 1.2).
const LATTICE_DENSITY: [f64; 8] = [1.0, 0.9069, 0.7405, 0.6169, 0.4653, 0.3729, 0.2953, 0.2537];

/// α with C·cap(α/2)/sphere = density, for d ≥ 4; at most 90°, as beyond C = 2d it must be.
fn estimate_rad(c: f64, dim: usize) -> f64 {
    let density = LATTICE_DENSITY
        .get(dim - 2)
        // Minkowski to Kabatiansky–Levenshtein leaves a factor between 2^−n and 2^−0.6n.
        .map_or_else(|| 2.0_f64.powf(-0.6 * dim as f64), |d| *d);
    let whole = cap(PI, dim);
    let (mut lo, mut hi) = (0.0, FRAC_PI_2);
    for _ in 0..50 {
        let middle = 0.5 * (lo + hi);
        if c * cap(0.5 * middle, dim) < density * whole {
            lo = middle;
        } else {
            hi = middle;
        }
    }
    0.5 * (lo + hi)
}

/// ∫₀^φ sin^{d−2}, Simpson's rule: proportional to the area of a cap of radius φ.
fn cap(radius_rad: f64, dim: usize) -> f64 {
    const STEPS: usize = 200;
    let power = dim as f64 - 2.0;
    let h = radius_rad / STEPS as f64;
    let weight = |i| match i {
        0 | STEPS => 1.0,
        _ if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let terms = (0..=STEPS).map(|i| weight(i) * (h * i as f64).sin().max(0.0).powf(power));
    terms.sum::<f64>() * h / 3.0
}

/// `n_classes` unit vectors in `dim` dimensions, as far apart as they can be; `[classes][dim]`.
///
/// Attains [`largest_min_angle_rad`] wherever that is exact or best known: evenly on the circle,
/// from (1, 0) counter-clockwise; a simplex up to C = d+1; the cross-polytope up to C = 2d; Tammes
/// points in space up to C = 20. Otherwise points spread by repulsion, within 50 ms, the same ones
/// at every call; for large C·C·d the work is cut and they are less even. On a line the signs
/// alternate; `dim` 0 gives empty vectors.
pub fn regular_configuration(n_classes: usize, dim: usize) -> Vec<Vec<f64>> {
    match (n_classes, dim) {
        (_, 0) => vec![Vec::new(); n_classes],
        (c, 1) => (0..c).map(|i| vec![[1.0, -1.0][i % 2]]).collect(),
        (c, 2) => on_circle(c),
        (c, d) if c <= d + 1 => simplex(c, d),
        (c, 3) if let Some(points) = tammes::points(c) => points,
        (c, d) if c <= 2 * d => cross_polytope(c, d),
        (c, d) => spread(random_points(c, d)),
    }
}

fn on_circle(n: usize) -> Vec<Vec<f64>> {
    let angles = (0..n).map(|i| TAU * i as f64 / n as f64);
    angles.map(|t| vec![t.cos(), t.sin()]).collect()
}

/// C ≤ d+1 vectors with cosines −1/(C−1): each is 1 along its own axis of what the earlier left.
///
/// Coordinate k of vector k is a_k, of every later one −a_k/(C−1−k), with a_k² = 1 − Σ_{l<k}
/// (coordinate l)², so that all lengths and products come out right.
fn simplex(c: usize, dim: usize) -> Vec<Vec<f64>> {
    let mut points = vec![vec![0.0; dim]; c];
    let mut left = 1.0_f64;
    for k in 0..c.min(dim) {
        let own = left.max(0.0).sqrt();
        let after = (c - 1 - k) as f64;
        let shared = if after > 0.0 { -own / after } else { 0.0 };
        points[k][k] = own;
        for later in &mut points[k + 1..] {
            later[k] = shared;
        }
        left -= shared * shared;
    }
    points
}

/// e₀, −e₀, e₁, −e₁, …
fn cross_polytope(c: usize, dim: usize) -> Vec<Vec<f64>> {
    let mut points = vec![vec![0.0; dim]; c];
    for (i, point) in points.iter_mut().enumerate() {
        point[i / 2] = if i % 2 == 0 { 1.0 } else { -1.0 };
    }
    points
}

/// Multiplications of repulsion that fit into 50 ms of the dev profile, with room to spare.
// measured: the test `large_configurations_are_quick`
const WORK: usize = 6_000_000;

/// Pushes points apart: descent on Σ exp(p·cos), p rising, so that ever nearer neighbours count.
fn spread(mut points: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let (c, dim) = (points.len(), points.first().map_or(0, Vec::len));
    let n_rounds = (WORK / (c * c * dim / 2 + 1)).min(400);
    // The angle at which C caps would tile the sphere: the scale of steps and of the repulsion.
    let spacing = estimate_rad(c as f64, dim.max(4));
    for round in 0..n_rounds {
        let progress = round as f64 / n_rounds as f64;
        let sharpness = 4.0 * (1.0 + 20.0 * progress) / (spacing * spacing);
        let step = 0.2 * spacing * (1.0 - progress);
        push_apart(&mut points, sharpness, step);
    }
    points
}

/// Moves every point by at most `step` away from its neighbours.
fn push_apart(points: &mut [Vec<f64>], sharpness: f64, step: f64) {
    let mut pushes = vec![vec![0.0; points[0].len()]; points.len()];
    let mut nearest = -1.0_f64;
    let mut close = Vec::new();
    // Pairs that weigh less than e⁻¹² of the nearest move nothing.
    let reach = 12.0 / sharpness;
    for i in 1..points.len() {
        for k in 0..i {
            let cos = dot(&points[i], &points[k]);
            if cos > nearest - reach {
                nearest = nearest.max(cos);
                close.push((i, k, cos));
            }
        }
    }
    for (i, k, cos) in close {
        let weight = (sharpness * (cos - nearest)).exp();
        for (push, other) in pushes[i].iter_mut().zip(&points[k]) {
            *push -= weight * other;
        }
        for (push, other) in pushes[k].iter_mut().zip(&points[i]) {
            *push -= weight * other;
        }
    }
    for (point, push) in points.iter_mut().zip(&pushes) {
        move_along(point, push, step);
    }
}

fn move_along(point: &mut [f64], push: &[f64], step: f64) {
    let radial = dot(point, push);
    let size = (dot(push, push) - radial * radial).max(0.0).sqrt();
    if size < 1e-12 {
        return;
    }
    // A point pushed as hard as one nearest neighbour would takes the whole step.
    let length = step * size.min(1.0) / size;
    for (x, p) in point.iter_mut().zip(push) {
        *x += length * (p - radial * *x);
    }
    normalize(point);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub(super) fn normalize(point: &mut [f64]) {
    let norm = dot(point, point).sqrt();
    if norm > 0.0 {
        point.iter_mut().for_each(|x| *x /= norm);
    }
}

/// Uniform directions from a fixed seed: normal coordinates (sums of uniform ones), normalized.
pub(super) fn random_points(c: usize, dim: usize) -> Vec<Vec<f64>> {
    let mut state = 0x9E37_79B9_7F4A_7C15;
    (0..c).map(|_| random_point(dim, &mut state)).collect()
}

pub(super) fn random_point(dim: usize, state: &mut u64) -> Vec<f64> {
    let mut normal = || (0..12).map(|_| uniform(state)).sum::<f64>() - 6.0;
    let mut point: Vec<f64> = (0..dim).map(|_| normal()).collect();
    normalize(&mut point);
    point
}

/// SplitMix64 (Steele, Lea and Flood 2014), to [0, 1).
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

/// The smallest angle between any two of `points`; π below two.
pub fn min_angle_rad(points: &[Vec<f64>]) -> f64 {
    let pairs = points
        .iter()
        .enumerate()
        .flat_map(|(i, a)| points[..i].iter().map(move |b| angle::angle_rad(a, b)));
    pairs.fold(PI, f64::min)
}
