//! The losses as `losses.md` 1 and 4 define them, written down a second time in plain f64: what
//! pictures and meters are compared with. Nothing here calls the code that it judges.

#![allow(
    clippy::doc_markdown,
    reason = "formulas in the papers' letters: z_j has an index and is no identifier"
)]

use std::f64::consts::PI;

use marginscope::loss::Values;
use marginscope::trainer::HeadState;

/// A head with its numbers in f64.
#[derive(Clone, Debug)]
pub struct Definition {
    id: &'static str,
    values: Values<f64>,
    kind: Kind,
    weights: Vec<Vec<f64>>,
    /// ‖W_j‖
    lengths: Vec<f64>,
    bias: Vec<f64>,
}

/// How logits come about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// W_j·x + b_j
    Biased,
    /// W_j·x, and ‖W_y‖‖x‖ψ for the target
    Lengths,
    /// ‖x‖cosθ_j, and ‖x‖ψ
    FeatureLength,
    /// s cosθ_j, and sψ
    Scaled,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// Angle between two vectors, π/2 if one of them is 0.
pub fn angle_rad(a: &[f64], b: &[f64]) -> f64 {
    let (la, lb) = (norm(a), norm(b));
    if la == 0.0 || lb == 0.0 {
        return PI / 2.0;
    }
    let part = |sign: f64| {
        let parts = a.iter().zip(b).map(|(a, b)| a / la + sign * b / lb);
        parts.map(|x| x * x).sum::<f64>().sqrt()
    };
    2.0 * part(-1.0).atan2(part(1.0))
}

impl Definition {
    /// Of a head as a snapshot has it.
    pub fn of(head: &HeadState) -> Self {
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let weights: Vec<Vec<f64>> = head.weights.chunks(head.dim).map(wide).collect();
        Self {
            id: head.spec.id,
            values: head.values,
            kind: Self::kind_of(head.spec.id),
            lengths: weights.iter().map(|w| norm(w)).collect(),
            weights,
            bias: wide(&head.bias),
        }
    }

    fn kind_of(id: &str) -> Kind {
        match id {
            "binary_cross_entropy" | "softmax" | "center" => Kind::Biased,
            "l_softmax" => Kind::Lengths,
            "modified_softmax" | "sphereface" => Kind::FeatureLength,
            "normface" | "cosface" | "arcface" | "combined" => Kind::Scaled,
            other => panic!("{other} is not defined here yet: add it from losses.md"),
        }
    }

    /// Whether a bias makes length count for who wins.
    pub fn has_bias(&self) -> bool {
        self.kind == Kind::Biased
    }

    /// Whether the loss asks for more than winning.
    pub fn has_margin_form(&self) -> bool {
        self.kind != Kind::Biased
    }

    /// C
    pub fn n_classes(&self) -> usize {
        self.weights.len()
    }

    /// θ_j
    pub fn theta_rad(&self, class: usize, x: &[f64]) -> f64 {
        angle_rad(x, &self.weights[class])
    }

    fn cos(&self, class: usize, x: &[f64]) -> f64 {
        let size = self.lengths[class] * norm(x);
        if size == 0.0 {
            return 0.0; // losses.md 2.4
        }
        dot(&self.weights[class], x) / size
    }

    /// The factor before the cosine of a class.
    fn rho(&self, class: usize, x: &[f64]) -> f64 {
        match self.kind {
            Kind::Biased => f64::NAN,
            Kind::Lengths => self.lengths[class] * norm(x),
            Kind::FeatureLength => norm(x),
            Kind::Scaled => match self.id {
                "normface" => self.values[0],
                "cosface" | "arcface" => self.values[1],
                _ => self.values[3],
            },
        }
    }

    /// How large logits are at x: what rounding is relative to, and ρ of an angular head.
    pub fn size(&self, x: &[f64]) -> f64 {
        let of = |j: usize| match self.kind {
            Kind::Biased => self.lengths[j] * norm(x) + self.bias[j].abs(),
            _ => self.rho(j, x),
        };
        (0..self.n_classes()).map(of).fold(0.0, f64::max)
    }

    /// How fast a logit of a head with a bias changes with x at most: the longest weight.
    pub fn steepness(&self) -> f64 {
        self.lengths.iter().copied().fold(0.0, f64::max)
    }

    /// z_j without a margin.
    pub fn logit(&self, class: usize, x: &[f64]) -> f64 {
        match self.kind {
            Kind::Biased => dot(&self.weights[class], x) + self.bias[class],
            Kind::Lengths => dot(&self.weights[class], x),
            _ => self.rho(class, x) * self.cos(class, x),
        }
    }

    /// All of them.
    pub fn logits(&self, x: &[f64]) -> Vec<f64> {
        (0..self.n_classes()).map(|j| self.logit(j, x)).collect()
    }

    /// z_y with its margin.
    pub fn target_logit(&self, class: usize, x: &[f64]) -> f64 {
        match self.kind {
            Kind::Biased => self.logit(class, x),
            _ => self.rho(class, x) * self.psi(self.theta_rad(class, x)),
        }
    }

    /// f_y = z_y − max_{k≠y} z_k: the margin holds from 0 on.
    pub fn lead(&self, class: usize, x: &[f64]) -> f64 {
        let others = (0..self.n_classes()).filter(|&k| k != class);
        let best = others
            .map(|k| self.logit(k, x))
            .fold(f64::NEG_INFINITY, f64::max);
        self.target_logit(class, x) - best
    }

    /// ψ(θ), by the table of losses.md 1 and the guards of 4.
    pub fn psi(&self, theta: f64) -> f64 {
        let [a, b, c, ..] = self.values;
        match self.id {
            "modified_softmax" | "normface" => theta.cos(),
            "l_softmax" | "sphereface" => (b * theta.cos() + stairs(a, theta)) / (1.0 + b),
            "cosface" => theta.cos() - a,
            "combined" => (a * theta + b).cos() - c,
            "arcface" => {
                let is_guarded = match c as usize {
                    0 => false,
                    1 => theta + a >= PI,
                    _ => theta >= PI / 2.0,
                };
                match (is_guarded, c as usize) {
                    (false, _) => (theta + a).cos(),
                    (true, 1) => theta.cos() - a * a.sin(),
                    (true, _) => theta.cos(),
                }
            }
            other => panic!("{other} has no ψ"),
        }
    }

    /// Angles in (0, π) at which ψ itself jumps.
    pub fn jumps_rad(&self) -> Vec<f64> {
        match (self.id, self.values[2] as usize) {
            ("arcface", 1) => vec![PI - self.values[0]],
            ("arcface", 2) => vec![PI / 2.0],
            _ => Vec::new(),
        }
    }

    /// The classes whose logits are the largest up to rounding, as bits: more than one where they
    /// tie.
    pub fn winners(&self, x: &[f64]) -> u32 {
        let tie = 1e-9 * self.size(x);
        let (mut best, mut winners) = (f64::NEG_INFINITY, 0);
        for class in 0..self.n_classes() {
            let logit = self.logit(class, x);
            if logit > best + tie {
                winners = 0;
            }
            if logit > best - tie {
                winners |= 1 << class;
            }
            best = best.max(logit);
        }
        winners
    }
}

/// S_m(θ) = (−1)^k cos(mθ) − 2k on the k-th stair.
fn stairs(m: f64, theta: f64) -> f64 {
    let k = (m * theta / PI).floor().min(m - 1.0);
    let sign = if k as i64 % 2 == 0 { 1.0 } else { -1.0 };
    sign * (m * theta).cos() - 2.0 * k
}
