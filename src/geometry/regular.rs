//! How far apart directions can be, and arrangements that are that far apart.

use std::cell::Cell;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

use crate::geometry::angle;
use crate::geometry::sphere_arc;
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
    /// Neither bound nor attained: within about a tenth of the best known where it was compared.
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
    // Asked for in every step and frame with the same sizes; an estimate takes tens of µs.
    thread_local! {
        static LAST: Cell<Option<(usize, usize, Ceiling)>> = const { Cell::new(None) };
    }
    match LAST.get() {
        Some((n, d, ceiling)) if (n, d) == (n_classes, dim) => ceiling,
        _ => {
            let ceiling = find_largest_min_angle_rad(n_classes, dim);
            LAST.set(Some((n_classes, dim, ceiling)));
            ceiling
        }
    }
}

fn find_largest_min_angle_rad(n_classes: usize, dim: usize) -> Ceiling {
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
        // The best lattices of R^16 and R^24 (0.0147, 0.00193) are both 2^(−0.38 n).
        .map_or_else(|| 2.0_f64.powf(-0.38 * (dim as f64 - 1.0)), |d| *d);
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
        (c, 3) => spread(&spiral_points(c)),
        (c, d) => spread(&random_points(c, d)),
    }
}

fn spiral_points(n: usize) -> Vec<Vec<f64>> {
    sphere_arc::spiral(n)
        .map(|p| p.as_slice().to_vec())
        .collect()
}

fn on_circle(n: usize) -> Vec<Vec<f64>> {
    let angles = (0..n).map(|i| TAU * i as f64 / n as f64);
    angles.map(|t| vec![t.cos(), t.sin()]).collect()
}

/// C ≤ d+1 vectors with cosines −1/(C−1): each is 1 along its own axis of what the earlier left.
///
/// Coordinate k of vector k is `a_k`, of every later one `−a_k/(C−1−k)`, with `a_k² = 1 −` Σ_{l<k}
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
const WORK: usize = 12_000_000;

/// Pushes points apart: descent on Σ exp(p·cos), p rising, so that ever nearer neighbors count.
fn spread(points: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (c, dim) = (points.len(), points.first().map_or(1, Vec::len));
    let n_rounds = (WORK / (c * c * dim / 2 + 1)).min(400);
    let spacing_rad = largest_min_angle_rad(c, dim).angle_rad;
    let mut flat = points.concat(); // [dim, classes], a point after the other
    for round in 0..n_rounds {
        let progress = round as f64 / n_rounds as f64;
        let sharpness = 4.0 * (1.0 + 20.0 * progress) / (spacing_rad * spacing_rad);
        let step = 0.2 * spacing_rad * (1.0 - progress);
        push_apart(&mut flat, dim, sharpness, spacing_rad.cos(), step);
    }
    flat.chunks(dim).map(<[f64]>::to_vec).collect()
}

/// Moves every point by at most `step` away from its neighbors.
///
/// A neighbor at `near_cos` weighs 1, nearer ones more, without overflow.
fn push_apart(flat: &mut [f64], dim: usize, sharpness: f64, near_cos: f64, step: f64) {
    let mut pushes = vec![0.0; flat.len()];
    // What weighs less than e⁻⁶ moves nothing.
    let far_cos = near_cos - 6.0 / sharpness;
    for (i, a) in flat.chunks_exact(dim).enumerate() {
        let (before, own) = pushes.split_at_mut(i * dim);
        let earlier = flat.chunks_exact(dim).zip(before.chunks_exact_mut(dim));
        for (b, push_b) in earlier {
            let cos = dot(a, b);
            if cos > far_cos {
                let weight = (sharpness * (cos - near_cos)).min(50.0).exp();
                subtract(push_b, weight, a);
                subtract(&mut own[..dim], weight, b);
            }
        }
    }
    for (point, push) in flat.chunks_exact_mut(dim).zip(pushes.chunks_exact(dim)) {
        move_along(point, push, step);
    }
}

fn subtract(from: &mut [f64], weight: f64, v: &[f64]) {
    for (x, y) in from.iter_mut().zip(v) {
        *x -= weight * y;
    }
}

fn move_along(point: &mut [f64], push: &[f64], step: f64) {
    let radial = dot(point, push);
    let size = (dot(push, push) - radial * radial).max(0.0).sqrt();
    if size < 1e-12 {
        return;
    }
    // A point pushed as hard as one nearest neighbor would takes the whole step.
    let length = step * size.min(1.0) / size;
    for (x, p) in point.iter_mut().zip(push) {
        *x += length * (p - radial * *x);
    }
    normalize(point);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Scales to length 1; a zero vector stays.
pub(super) fn normalize(point: &mut [f64]) {
    let norm = dot(point, point).sqrt();
    if norm > 0.0 {
        for x in point {
            *x /= norm;
        }
    }
}

/// Uniform directions from a fixed seed: normal coordinates (sums of uniform ones), normalized.
fn random_points(c: usize, dim: usize) -> Vec<Vec<f64>> {
    let mut state = 0x9E37_79B9_7F4A_7C15;
    (0..c).map(|_| random_point(dim, &mut state)).collect()
}

/// A uniform direction from the generator's `state`.
pub(super) fn random_point(dim: usize, state: &mut u64) -> Vec<f64> {
    let mut normal = || (0..12).map(|_| uniform(state)).sum::<f64>() - 6.0;
    let mut point: Vec<f64> = (0..dim).map(|_| normal()).collect();
    normalize(&mut point);
    point
}

/// `SplitMix64` (Steele, Lea and Flood 2014), to [0, 1).
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

#[cfg(test)]
mod tests {
    use super::*;

    /// losses.md 5.2: C, circle 2π/C, Tammes S², simplex angle, in degrees.
    const TABLE: [(usize, f64, f64, f64); 19] = [
        (2, 180.00, 180.0000, 180.00),
        (3, 120.00, 120.0000, 120.00),
        (4, 90.00, 109.4712, 109.47),
        (5, 72.00, 90.0000, 104.48),
        (6, 60.00, 90.0000, 101.54),
        (7, 51.43, 77.8695, 99.59),
        (8, 45.00, 74.8585, 98.21),
        (9, 40.00, 70.5288, 97.18),
        (10, 36.00, 66.1468, 96.38),
        (11, 32.73, 63.4349, 95.74),
        (12, 30.00, 63.4349, 95.22),
        (13, 27.69, 57.1367, 94.78),
        (14, 25.71, 55.6706, 94.41),
        (15, 24.00, 53.6579, 94.10),
        (16, 22.50, 52.2444, 93.82),
        (17, 21.18, 51.0903, 93.58),
        (18, 20.00, 49.5567, 93.37),
        (19, 18.95, 47.6919, 93.18),
        (20, 18.00, 47.4310, 93.02),
    ];

    #[track_caller]
    fn check_attained(n: usize, dim: usize) {
        let points = regular_configuration(n, dim);
        assert_eq!((points.len(), points[0].len()), (n, dim));
        for point in &points {
            assert!((dot(point, point) - 1.0).abs() < 1e-12);
        }
        let ceiling = largest_min_angle_rad(n, dim);
        assert!(
            (min_angle_rad(&points) - ceiling.angle_rad).abs() < 1e-6,
            "{n} {dim}"
        );
        assert_ne!(ceiling.certainty, Certainty::Estimate);
    }

    #[test]
    fn ceilings_are_the_table() {
        for (n, circle_deg, space_deg, simplex_deg) in TABLE {
            let deg = |dim| largest_min_angle_rad(n, dim).angle_rad.to_degrees();
            assert!((deg(2) - circle_deg).abs() < 0.0051, "{n} circle");
            assert!((deg(3) - space_deg).abs() < 0.000051, "{n} space");
            assert!((deg(n) - simplex_deg).abs() < 0.0051, "{n} simplex");
        }
    }

    #[test]
    fn configurations_attain_every_known_ceiling() {
        for n in 2..=20 {
            for dim in [2, 3, n - 1, n, n + 5] {
                check_attained(n, dim);
            }
        }
        for (n, dim) in [(6, 4), (8, 4), (12, 8), (16, 8), (100, 99), (2, 1), (3, 1)] {
            check_attained(n, dim);
        }
    }

    #[test]
    fn certainty_says_how_much_is_proven() {
        let certainty = |n, dim| largest_min_angle_rad(n, dim).certainty;
        assert_eq!(certainty(14, 3), Certainty::Exact);
        assert_eq!(certainty(15, 3), Certainty::BestKnown);
        assert_eq!(certainty(21, 3), Certainty::UpperBound);
        assert_eq!(certainty(100, 8), Certainty::Estimate);
    }

    #[test]
    fn fejes_toth_bounds_the_table_and_meets_it_at_four_six_and_twelve() {
        for n in 3..=20_usize {
            let gap = fejes_toth_rad(n as f64) - largest_min_angle_rad(n, 3).angle_rad;
            assert!(gap > -1e-8);
            assert_eq!(gap < 1e-6, [3, 4, 6, 12].contains(&n), "{n} {gap}");
        }
        let deg = |n| largest_min_angle_rad(n, 3).angle_rad.to_degrees();
        assert!((deg(50) - 30.9).abs() < 0.06 && (deg(100) - 21.8).abs() < 0.06);
    }

    #[test]
    fn repulsion_comes_near_the_ceiling() {
        for (n, dim, share) in [(21, 3, 0.88), (50, 3, 0.85), (30, 4, 0.85), (100, 8, 0.8)] {
            let found = min_angle_rad(&regular_configuration(n, dim));
            let ceiling = largest_min_angle_rad(n, dim).angle_rad;
            assert!(found > share * ceiling, "{n} {dim}: {found} of {ceiling}");
            assert!(found < 1.1 * ceiling, "{n} {dim}: {found} of {ceiling}");
        }
    }

    #[test]
    fn large_configurations_are_quick() {
        for (n, dim) in [(1000, 8), (300, 3), (1000, 3), (100, 16), (64, 64)] {
            let start = std::time::Instant::now();
            let points = regular_configuration(n, dim);
            let elapsed = start.elapsed();
            // 50 ms on a free core; the tests may share it with others.
            assert!(elapsed.as_millis() < 200, "{n} {dim}: {elapsed:?}");
            assert_eq!(points, regular_configuration(n, dim));
        }
    }

    #[test]
    fn small_cases_are_defined() {
        assert_eq!(regular_configuration(0, 3), Vec::<Vec<f64>>::new());
        assert_eq!(regular_configuration(1, 3), vec![vec![1.0, 0.0, 0.0]]);
        assert_eq!(regular_configuration(3, 1), [[1.0], [-1.0], [1.0]]);
        assert_eq!(regular_configuration(2, 0), [[], []] as [[f64; 0]; 2]);
        assert_eq!(largest_min_angle_rad(1, 2).angle_rad, PI);
        assert_eq!(largest_min_angle_rad(5, 0).angle_rad, 0.0);
    }
}
