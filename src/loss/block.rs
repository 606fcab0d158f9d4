//! Sixteen samples on their way through the head: softmax over lanes, and the pull of the target.

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use crate::loss::lanes::{LANES, Lanes};
use crate::loss::real::Real;

/// Stands in for the target's logit where only the others count: its exponential is 0.
const HIDDEN: f64 = f64::NEG_INFINITY;

/// [`LANES`] samples on their way through the head.
#[derive(Clone, Debug, Default)]
pub(super) struct Block<T> {
    /// Samples in use; the lanes behind them hold zeros and weigh nothing.
    pub(super) n: usize,
    /// y
    pub(super) labels: [usize; LANES],
    /// u = x/‖x‖, or x for the linear forms `[dim]`
    pub(super) directions: Vec<Lanes<T>>,
    /// ‖x‖
    pub(super) norms: Lanes<T>,
    /// l: the sample's part of the factor on the cosine
    pub(super) factors: Lanes<T>,
    /// What carries a gradient at a direction to its feature, beside the class's factor.
    pub(super) to_feature: Lanes<T>,
    /// cosθ, or W·x `[classes]`
    pub(super) cos: Vec<Lanes<T>>,
    /// z, then ∂L/∂z but for the factor below `[classes]`
    pub(super) logits: Vec<Lanes<T>>,
    /// 1/(n Σ e^z): what softmax and the mean over the batch divide by
    pub(super) to_gradient: Lanes<T>,
    /// v_y `[dim]`
    pub(super) target: Vec<Lanes<T>>,
    /// cosθ_y
    pub(super) target_cos: Lanes<T>,
    /// sinθ_y as ‖v − cosθ u‖, exact near 0 and π
    pub(super) target_sin: Lanes<T>,
    /// ψ(θ_y)
    pub(super) psi: Lanes<T>,
    /// −ψ'(θ_y)
    pub(super) pull: Lanes<T>,
    /// l u `[dim]`
    pub(super) scaled: Vec<Lanes<T>>,
    /// The target's part of ∂L/∂x, 0 for the linear forms `[dim]`
    pub(super) target_grads: Vec<Lanes<T>>,
    /// ∂L/∂x `[dim]`
    pub(super) grads: Vec<Lanes<T>>,
}

impl<T: Real> Block<T> {
    pub(super) fn resize(&mut self, dim: usize, n_classes: usize) {
        let zero = Lanes::splat(T::zero());
        for per_row in [
            &mut self.directions,
            &mut self.target,
            &mut self.scaled,
            &mut self.target_grads,
            &mut self.grads,
        ] {
            per_row.clear();
            per_row.resize(dim, zero);
        }
        self.cos.resize(n_classes, zero);
        self.logits.resize(n_classes, zero);
    }

    /// Σ L_i of the block; turns logits into ∂L/∂z (`losses.md` 2.1).
    ///
    /// Keeps all digits when the loss is tiny: log1p of the others' sum where the target leads, and
    /// −Σ_{j≠y} p_j instead of p_y − 1.
    #[inline(always)]
    pub(super) fn cross_entropy(&mut self, batch: usize) -> f64 {
        let zero = Lanes::splat(T::zero());
        let mut target = zero;
        for (lane, &y) in self.labels.iter().enumerate() {
            target[lane] = std::mem::replace(&mut self.logits[y][lane], T::of(HIDDEN));
        }
        let mut lead = zero;
        for &logit in &self.logits {
            let ahead = logit.zip(target, |z, target| z - target);
            lead = lead.zip(ahead, |lead, ahead| if ahead > lead { ahead } else { lead });
        }
        let mut others = zero;
        for logit in &mut self.logits {
            // In this order the leader comes to exactly 0, however large the logits.
            let ahead = logit.zip(target, |z, target| z - target);
            *logit = ahead.zip(lead, |ahead, lead| (ahead - lead).exp_nonpositive());
            others = others.zip(*logit, |others, e| others + e);
        }
        let own = lead.map(|lead| (-lead).exp_nonpositive());
        let batch = T::of(batch as f64);
        let mut inverse = own.zip(others, |own, others| T::one() / (batch * (own + others)));
        for lane in self.n..LANES {
            inverse[lane] = T::zero();
        }
        self.to_gradient = inverse;
        // ln(own + others), with the 1 taken out that is among the others where one of them leads.
        let rest = own.zip(others, |own, others| {
            let is_led = own < T::one();
            if is_led {
                own + (others - T::one())
            } else {
                others
            }
        });
        let losses = lead.zip(rest.map(T::ln_1p_nonnegative), |lead, ln| lead + ln);
        let mut loss = 0.0;
        for lane in 0..self.n {
            self.logits[self.labels[lane]][lane] = -others[lane];
            loss += losses[lane].widen();
        }
        loss
    }

    /// Appends the lanes in use of all classes, times a factor, to `[classes, n]`.
    pub(super) fn keep(&self, columns: &mut Vec<T>, factor: Lanes<T>) {
        for lane in 0..self.n {
            columns.extend(self.logits.iter().map(|logit| logit[lane] * factor[lane]));
        }
    }
}

/// The gradient of ψ(θ) at a direction u with the other direction v, times a strength.
pub(super) struct Pull<T> {
    /// On the tangent v − cosθ u.
    tangential: Lanes<T>,
    /// On u itself, where its length counts.
    radial: Lanes<T>,
}

impl<T: Real> Pull<T> {
    /// With `keeps_length` the gradient is the tangential part alone; without it u stands for a
    /// vector of free length, and the radial part ψ u belongs to it.
    #[inline(always)]
    pub(super) fn new(
        sin: Lanes<T>,
        block: &Block<T>,
        strength: Lanes<T>,
        keeps_length: bool,
    ) -> Self {
        // At θ = 0 the cone has no direction; the floor rounds its tip, and 0/floor is 0.
        let length = sin.map(|sin| {
            if sin < T::TANGENT_FLOOR {
                T::TANGENT_FLOOR
            } else {
                sin
            }
        });
        Self {
            tangential: (strength * block.pull).zip(length, |pull, length| pull / length),
            radial: if keeps_length {
                Lanes::splat(T::zero())
            } else {
                strength * block.psi
            },
        }
    }

    /// One coordinate of it.
    #[inline(always)]
    pub(super) fn at(&self, u: Lanes<T>, v: Lanes<T>, cos: Lanes<T>) -> Lanes<T> {
        let tangent = v.zip(cos * u, |v, along| v - along);
        (self.tangential * tangent).zip(self.radial * u, |tangential, radial| tangential + radial)
    }
}

/// ‖v − cosθ u‖
#[inline(always)]
pub(super) fn rejection<T: Real>(v: &[Lanes<T>], u: &[Lanes<T>], cos: Lanes<T>) -> Lanes<T> {
    let mut squared = Lanes::splat(T::zero());
    for (&v, &u) in v.iter().zip(u) {
        let rejected = v.zip(cos * u, |v, along| v - along);
        squared.add_product(rejected, rejected);
    }
    squared.map(T::sqrt)
}
