//! Decision regions and margin curves against their definitions and closed forms (losses.md 6).

#[path = "geometry/margins.rs"]
mod margins_on_the_sphere;
#[path = "geometry/circle.rs"]
mod on_the_circle;
#[path = "geometry/plane.rs"]
mod on_the_plane;
#[path = "geometry/sphere.rs"]
mod on_the_sphere;

use std::f64::consts::{PI, TAU};

use marginscope::geometry::angle;
use marginscope::geometry::circle;
use marginscope::geometry::head::Head;
use marginscope::geometry::plane;
use marginscope::geometry::regular;
use marginscope::geometry::sphere_arc;
use marginscope::geometry::sphere_arc::SphereArc;
use marginscope::geometry::sphere_cells;
use marginscope::geometry::sphere_cells::Loop;
use marginscope::geometry::sphere_margin::margin_loop;
use marginscope::scene::WINDOW_SAGITTA;
use nalgebra::{SVector, Vector2, Vector3};

/// `SplitMix64` to [−1, 1): every test names its seed, so that a failure repeats.
struct Seeded(u64);

impl Seeded {
    fn signed(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn vector<const D: usize>(&mut self) -> SVector<f64, D> {
        SVector::from_fn(|_, _| self.signed())
    }

    fn unit<const D: usize>(&mut self) -> SVector<f64, D> {
        loop {
            let v: SVector<f64, D> = self.vector();
            if v.norm() > 0.1 && v.norm() < 1.0 {
                return v.normalize();
            }
        }
    }

    fn weights<const D: usize>(&mut self, n: usize) -> Vec<SVector<f64, D>> {
        (0..n).map(|_| self.vector()).collect()
    }

    fn units<const D: usize>(&mut self, n: usize) -> Vec<SVector<f64, D>> {
        (0..n).map(|_| self.unit()).collect()
    }

    /// Whole weights and half biases: many ties, collinear weights, corners of four cells, twins.
    fn lattice<const D: usize>(&mut self, n: usize) -> (Vec<SVector<f64, D>>, Vec<f64>) {
        let weights = self
            .weights(n)
            .iter()
            .map(|w: &SVector<f64, D>| w.map(|x| (2.0 * x).round()))
            .collect();
        let bias = self.bias(n, 1.5).iter().map(|b| b.round() / 2.0).collect();
        (weights, bias)
    }

    fn bias(&mut self, n: usize, size: f64) -> Vec<f64> {
        (0..n).map(|_| size * self.signed()).collect()
    }
}

/// The gap between the two best scores at `u`, relative to the size of scores.
fn tie<const D: usize>(head: &Head<'_, D>, u: &SVector<f64, D>) -> f64 {
    let mut scores: Vec<f64> = (0..head.n_classes()).map(|k| head.score(k, u)).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    match scores[..] {
        [first, second, ..] => (first - second) / head.score_scale(),
        _ => f64::INFINITY,
    }
}

/// Weights that coincide, oppose, vanish or lie on one line.
fn hostile_weights<const D: usize>() -> Vec<Vec<SVector<f64, D>>> {
    let e = |i: usize| SVector::<f64, D>::from_fn(|row, _| if row == i { 1.0 } else { 0.0 });
    vec![
        vec![],
        vec![e(0)],
        vec![SVector::zeros(); 3],
        vec![e(0), e(0), e(1)],
        vec![e(0), -e(0)],
        vec![SVector::zeros(), e(0), -e(0)],
        vec![e(0), SVector::zeros(), e(0) * 2.0, e(0) * -3.0],
        vec![e(0), e(0) + e(1) * 1e-14, e(1)],
        vec![e(0), e(0) + e(1) * 1e-9, e(1), -e(1)],
        vec![e(0), e(1), -e(0), -e(1)],
        vec![e(0) * 1e200, e(1) * 1e-200, -e(0)],
    ]
}

/// SphereFace's ψ with the factor m (`losses.md` 1).
fn staircase(m: u32) -> impl Fn(f64) -> f64 {
    move |theta| {
        let m_theta = f64::from(m) * theta;
        let k = (m_theta / PI).floor().min(f64::from(m) - 1.0);
        let sign = if k % 2.0 == 0.0 { 1.0 } else { -1.0 };
        sign * m_theta.cos() - 2.0 * k
    }
}
