//! What becomes of class weights and features under a margin, told by training a small stand-in:
//! one free feature a class, from the regular arrangement, through the head that trains.
//!
//! Past its ceiling a margin has no closed answer: the even arrangement stays the best for a
//! while, neighbors press together later, classes fuse in the end, and where one turns into the
//! other depends on loss, scale and number of classes (`losses.md` 5.7).

use std::f64::consts::PI;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::geometry::{angle, regular};
use crate::loss::{Annealing, Head, HeadGrads, HeadInput, HeadWork, LossSpec, Setting, Values};

/// What training with free features comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Angle between the closest two class weights, in radians.
    pub closest_rad: f64,
    /// Classes whose feature keeps its margin.
    pub n_kept: usize,
}

/// More classes take too long while a slider is dragged.
const MOST_CLASSES: usize = 20;
const N_STEPS: u64 = 2400;
/// Steps over which the margin rises, as in a run.
const RAMP_STEPS: u64 = 300;
const LEARNING_RATE: f64 = 0.05;
const MOMENTUM: f64 = 0.9;
/// How far a coordinate starts from the regular arrangement, so that it can leave it.
const DISTURBANCE: f64 = 0.02;

/// Trains the stand-in. `None` for losses that are no function of angles alone, and for more than
/// twenty classes.
pub fn forecast(
    spec: &'static LossSpec,
    values: &Values<f64>,
    setting: Setting,
) -> Option<Forecast> {
    let Setting { n_classes, dim } = setting;
    if !spec.form.is_cosine() || !(2..=MOST_CLASSES).contains(&n_classes) {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut weights = regular::regular_configuration(n_classes, dim).concat();
    let mut features = weights.clone();
    for x in weights.iter_mut().chain(&mut features) {
        *x += random.random_range(-DISTURBANCE..=DISTURBANCE);
    }
    let len = weights.len();
    let mut run = StandIn {
        head: Head {
            spec,
            dim,
            n_classes,
        },
        rate: LEARNING_RATE / spec.scale(values),
        labels: (0..n_classes as u16).collect(),
        unused: Unused {
            bias: vec![0.0; n_classes],
            centers: vec![0.0; len],
            bias_gradient: vec![0.0; n_classes],
            center_sums: vec![0.0; (dim + 1) * n_classes],
        },
        gradients: [vec![0.0; len], vec![0.0; len]],
        work: HeadWork::default(),
        weights: OnSphere::new(weights, dim),
        features: OnSphere::new(features, dim),
    };
    for step in 0..N_STEPS {
        let share = 0.5 * (1.0 + (PI * step as f64 / N_STEPS as f64).cos());
        run.step(
            share,
            &spec.in_force(values, step, RAMP_STEPS, Annealing::Published),
        );
    }
    Some(run.result(values))
}

/// One feature a class and the weights.
struct StandIn {
    head: Head,
    rate: f64,
    labels: Vec<u16>,
    unused: Unused,
    /// ∂L/∂x and ∂L/∂w, `[dim, classes]` each
    gradients: [Vec<f64>; 2],
    work: HeadWork<f64>,
    weights: OnSphere,
    features: OnSphere,
}

/// What a head takes and a loss of angles does not have.
struct Unused {
    bias: Vec<f64>,
    centers: Vec<f64>,
    bias_gradient: Vec<f64>,
    center_sums: Vec<f64>,
}

impl StandIn {
    /// A step with this share of the rate, which falls so that everything comes to rest.
    fn step(&mut self, share: f64, values: &Values<f64>) {
        let [of_features, of_weights] = &mut self.gradients;
        of_weights.fill(0.0); // a head adds to them
        let input = HeadInput {
            features: &self.features.columns,
            labels: &self.labels,
            weights: &self.weights.columns,
            bias: &self.unused.bias,
            centers: &self.unused.centers,
            batch: 1, // no mean is taken
        };
        let mut grads = HeadGrads {
            features: of_features,
            weights: of_weights,
            bias: &mut self.unused.bias_gradient,
            center_sums: &mut self.unused.center_sums,
        };
        self.head.run(input, values, &mut self.work, &mut grads);
        let rate = share * self.rate;
        self.features.descend(rate, &self.gradients[0]);
        self.weights.descend(rate, &self.gradients[1]);
    }

    fn result(&self, values: &Values<f64>) -> Forecast {
        let dim = self.head.dim;
        let weights: Vec<&[f64]> = self.weights.columns.chunks_exact(dim).collect();
        let between = |a: &[f64], b: &[f64]| angle::angle_rad(a, b);
        let others = |y: usize| weights.iter().enumerate().filter(move |(j, _)| *j != y);
        let mut closest_rad = f64::INFINITY;
        let mut n_kept = 0;
        for (y, x) in self.features.columns.chunks_exact(dim).enumerate() {
            let nearest_weight = others(y).map(|(_, w)| between(weights[y], w));
            closest_rad = nearest_weight.fold(closest_rad, f64::min);
            let rival = others(y).map(|(_, w)| between(x, w).cos());
            let rival = rival.fold(-1.0, f64::max);
            let psi = self.head.spec.target.psi(between(x, weights[y]), values);
            n_kept += usize::from(psi >= rival);
        }
        Forecast {
            closest_rad,
            n_kept,
        }
    }
}

/// Columns of length 1 that go downhill with momentum.
struct OnSphere {
    columns: Vec<f64>,
    velocity: Vec<f64>,
    dim: usize,
}

impl OnSphere {
    fn new(columns: Vec<f64>, dim: usize) -> Self {
        let mut new = Self {
            velocity: vec![0.0; columns.len()],
            columns,
            dim,
        };
        new.normalize();
        new
    }

    fn descend(&mut self, rate: f64, gradient: &[f64]) {
        let parts = self.columns.iter_mut().zip(&mut self.velocity);
        for ((x, v), g) in parts.zip(gradient) {
            *v = MOMENTUM * *v + g;
            *x -= rate * *v;
        }
        self.normalize();
    }

    fn normalize(&mut self) {
        for column in self.columns.chunks_exact_mut(self.dim) {
            let norm = column.iter().map(|x| x * x).sum::<f64>().sqrt();
            if norm > 0.0 {
                for x in column {
                    *x /= norm;
                }
            }
        }
    }
}
