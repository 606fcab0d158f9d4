//! The shared head: logits, cross entropy and their gradients for every loss of the registry.
//!
//! Matrices are column-major: a sample is a contiguous column of `features`, a class a contiguous
//! column of `weights`. Gradients are in tangent form (`losses.md` 2.3): on the sphere the angle
//! is a distance, so its gradient is a unit tangent, and nothing is divided by sinθ.

use crate::loss::real::Real;
use crate::loss::spec::{Form, LossSpec, PenaltyInput, Psi, Rho, TargetAngle, Values};

/// Features shorter than this have no direction: all their cosines are 0 (`losses.md` 2.4).
const SHORTEST_FEATURE: f64 = 1e-12;

/// A loss together with its sizes.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Which loss.
    pub spec: &'static LossSpec,
    /// d
    pub dim: usize,
    /// C
    pub n_classes: usize,
}

/// What a head reads. Binary cross entropy has its one weight in column 1, as two-class softmax
/// with W = (0, w) and b = (0, b).
#[derive(Clone, Copy, Debug)]
pub struct HeadInput<'a, T> {
    /// x `[dim, n]`
    pub features: &'a [T],
    /// y `[n]`, each below the number of classes
    pub labels: &'a [u16],
    /// W `[dim, classes]`
    pub weights: &'a [T],
    /// b `[classes]`
    pub bias: &'a [T],
    /// c `[dim, classes]`, read by losses with a penalty; may be empty for the others
    pub centers: &'a [T],
    /// Number of samples the mean is taken over: the whole batch, of which these may be a part.
    pub batch: usize,
}

/// Where gradients go. `features` is overwritten, the others are added to.
#[derive(Debug)]
pub struct HeadGrads<'a, T> {
    /// ∂L/∂x `[dim, n]`
    pub features: &'a mut [T],
    /// ∂L/∂W `[dim, classes]`
    pub weights: &'a mut [T],
    /// ∂L/∂b `[classes]`
    pub bias: &'a mut [T],
    /// Σ(x − c_y) and counts `[dim + 1, classes]`, for [`crate::loss::center::update_centers`];
    /// empty where no centers are kept
    pub center_sums: &'a mut [T],
}

/// What the forward pass leaves for the backward pass; allocated once and reused.
#[derive(Clone, Debug, Default)]
pub struct HeadWork<T> {
    /// z `[classes, n]`
    pub logits: Vec<T>,
    /// cosθ `[classes, n]`, angular forms only
    cos: Vec<T>,
    /// ∂L/∂z `[classes, n]`
    pub grad_logits: Vec<T>,
    /// v = W/‖W‖ `[dim, classes]`
    unit_weights: Vec<T>,
    /// ‖W‖ `[classes]`
    weight_norms: Vec<T>,
    /// u = x/‖x‖ `[dim, n]`
    unit_features: Vec<T>,
    /// ‖x‖ `[n]`
    feature_norms: Vec<T>,
    /// ψ and −ψ' `[n]`
    psi: Vec<Psi<T>>,
    /// tangent scratch `[dim]`
    tangent: Vec<T>,
}

impl<T: Real> HeadWork<T> {
    fn resize(&mut self, dim: usize, n_classes: usize, n: usize) {
        let zero = T::zero();
        self.logits.resize(n_classes * n, zero);
        self.cos.resize(n_classes * n, zero);
        self.grad_logits.resize(n_classes * n, zero);
        self.unit_weights.resize(dim * n_classes, zero);
        self.weight_norms.resize(n_classes, zero);
        self.unit_features.resize(dim * n, zero);
        self.feature_norms.resize(n, zero);
        self.psi.resize(
            n,
            Psi {
                value: zero,
                pull: zero,
            },
        );
        self.tangent.resize(dim, zero);
    }
}

impl Head {
    /// Logits and loss: Σ_i L_i / `batch` over the samples of `input`, summed in f64.
    ///
    /// `values` are the values in force, after ramp and annealing.
    pub fn forward<T: Real>(
        &self,
        input: HeadInput<'_, T>,
        values: &Values<T>,
        work: &mut HeadWork<T>,
    ) -> f64 {
        let n = input.labels.len();
        work.resize(self.dim, self.n_classes, n);
        match self.spec.form {
            Form::Binary | Form::Linear => self.linear_logits(input, work),
            Form::Angular(rho) => self.angular_logits(input, rho, values, work),
        }
        let mean = T::one() / T::of(input.batch as f64);
        let columns = work
            .logits
            .chunks_exact(self.n_classes)
            .zip(work.grad_logits.chunks_exact_mut(self.n_classes));
        let sum: f64 = columns
            .zip(input.labels)
            .map(|((logits, grad), &label)| cross_entropy(logits, label.into(), mean, grad).widen())
            .sum();
        sum / input.batch as f64
    }

    /// Gradients of what [`Head::forward`] returned; also adds the penalty and returns its value.
    pub fn backward<T: Real>(
        &self,
        input: HeadInput<'_, T>,
        values: &Values<T>,
        work: &mut HeadWork<T>,
        grads: &mut HeadGrads<'_, T>,
    ) -> f64 {
        grads.features.fill(T::zero());
        match self.spec.form {
            Form::Binary | Form::Linear => self.linear_backward(input, work, grads),
            Form::Angular(rho) => self.angular_backward(input, rho, values, work, grads),
        }
        self.penalty_backward(input, values, grads)
    }

    fn linear_logits<T: Real>(&self, input: HeadInput<'_, T>, work: &mut HeadWork<T>) {
        let columns = input
            .features
            .chunks_exact(self.dim)
            .zip(work.logits.chunks_exact_mut(self.n_classes));
        for (x, logits) in columns {
            let weights = input.weights.chunks_exact(self.dim);
            for ((logit, w), &b) in logits.iter_mut().zip(weights).zip(input.bias) {
                *logit = dot(w, x) + b;
            }
            if self.spec.form == Form::Binary {
                logits[0] = T::zero();
            }
        }
    }

    fn linear_backward<T: Real>(
        &self,
        input: HeadInput<'_, T>,
        work: &HeadWork<T>,
        grads: &mut HeadGrads<'_, T>,
    ) {
        let first = usize::from(self.spec.form == Form::Binary);
        for (i, g) in work.grad_logits.chunks_exact(self.n_classes).enumerate() {
            let column = i * self.dim..(i + 1) * self.dim;
            let (x, grad_x) = (&input.features[column.clone()], &mut grads.features[column]);
            for (j, &g) in g.iter().enumerate().skip(first) {
                let row = j * self.dim..(j + 1) * self.dim;
                add_scaled(grad_x, g, &input.weights[row.clone()]);
                add_scaled(&mut grads.weights[row], g, x);
                grads.bias[j] += g;
            }
        }
    }

    fn angular_logits<T: Real>(
        &self,
        input: HeadInput<'_, T>,
        rho: Rho,
        values: &Values<T>,
        work: &mut HeadWork<T>,
    ) {
        let dim = self.dim;
        normalize_columns(
            input.weights,
            dim,
            &mut work.unit_weights,
            &mut work.weight_norms,
        );
        normalize_columns(
            input.features,
            dim,
            &mut work.unit_features,
            &mut work.feature_norms,
        );
        let target = T::target(&self.spec.target);
        for (i, &label) in input.labels.iter().enumerate() {
            let y = usize::from(label);
            let u = &work.unit_features[i * dim..(i + 1) * dim];
            let cos = &mut work.cos[i * self.n_classes..(i + 1) * self.n_classes];
            let logits = &mut work.logits[i * self.n_classes..(i + 1) * self.n_classes];
            for (cos, v) in cos.iter_mut().zip(work.unit_weights.chunks_exact(dim)) {
                *cos = dot(u, v);
            }
            let v = &work.unit_weights[y * dim..(y + 1) * dim];
            // A weight without a direction is at 90° to everything, as a feature without one is.
            let sin = if work.weight_norms[y] >= T::of(SHORTEST_FEATURE) {
                rejection_norm(v, u, cos[y])
            } else {
                T::one()
            };
            let angle = TargetAngle { cos: cos[y], sin };
            work.psi[i] = target(angle, values);
            for j in 0..self.n_classes {
                let rho = self.rho(rho, values, work.weight_norms[j], work.feature_norms[i]);
                logits[j] = rho * if j == y { work.psi[i].value } else { cos[j] };
            }
        }
    }

    /// ∇ of all angular heads (`losses.md` 2.3): each other class pulls along v − cosθ u, the target
    /// along its unit tangent with strength −ψ'; where ρ = ‖x‖ the radial part is added.
    fn angular_backward<T: Real>(
        &self,
        input: HeadInput<'_, T>,
        rho: Rho,
        values: &Values<T>,
        work: &mut HeadWork<T>,
        grads: &mut HeadGrads<'_, T>,
    ) {
        let dim = self.dim;
        for (i, &label) in input.labels.iter().enumerate() {
            let y = usize::from(label);
            let column = i * dim..(i + 1) * dim;
            let (u, norm) = (&work.unit_features[column.clone()], work.feature_norms[i]);
            let grad_x = &mut grads.features[column];
            let has_direction = norm >= T::of(SHORTEST_FEATURE);
            for j in 0..self.n_classes {
                let row = j * dim..(j + 1) * dim;
                let g = work.grad_logits[i * self.n_classes + j];
                let cos = work.cos[i * self.n_classes + j];
                let v = &work.unit_weights[row.clone()];
                let psi = (j == y).then_some(work.psi[i]);
                let pair = Pair { u, v, cos, psi };
                let weight_norm = work.weight_norms[j];
                let rho_over_norm = match rho {
                    Rho::Scale if has_direction => values_scale(self.spec, values) / norm,
                    Rho::Scale => T::zero(),
                    Rho::FeatureNorm => T::one(),
                    Rho::WeightAndFeatureNorm => weight_norm,
                };
                let keeps_length = rho == Rho::Scale;
                pair.add_toward_v(&mut work.tangent, g * rho_over_norm, keeps_length, grad_x);
                if weight_norm >= T::of(SHORTEST_FEATURE) {
                    let rho = self.rho(rho, values, weight_norm, norm);
                    let keeps_length = self.spec.form.has_unit_weights();
                    let strength = g * rho / weight_norm;
                    pair.swapped().add_toward_v(
                        &mut work.tangent,
                        strength,
                        keeps_length,
                        &mut grads.weights[row],
                    );
                }
            }
        }
    }

    fn rho<T: Real>(&self, rho: Rho, values: &Values<T>, weight_norm: T, feature_norm: T) -> T {
        match rho {
            Rho::Scale => values_scale(self.spec, values),
            Rho::FeatureNorm => feature_norm,
            Rho::WeightAndFeatureNorm => weight_norm * feature_norm,
        }
    }

    fn penalty_backward<T: Real>(
        &self,
        input: HeadInput<'_, T>,
        values: &Values<T>,
        grads: &mut HeadGrads<'_, T>,
    ) -> f64 {
        let Some(fns) = &self.spec.penalty else {
            return 0.0;
        };
        let penalty = T::penalty(fns);
        let (dim, mean) = (self.dim, T::one() / T::of(input.batch as f64));
        let mut sum = 0.0;
        for (i, &label) in input.labels.iter().enumerate() {
            let y = usize::from(label);
            let feature = &input.features[i * dim..(i + 1) * dim];
            let center = &input.centers[y * dim..(y + 1) * dim];
            let grad_feature = &mut grads.features[i * dim..(i + 1) * dim];
            sum += penalty(PenaltyInput { feature, center }, values, mean, grad_feature).widen();
            if let Some(sums) = grads
                .center_sums
                .get_mut(y * (dim + 1)..(y + 1) * (dim + 1))
            {
                for ((sum, &x), &c) in sums.iter_mut().zip(feature).zip(center) {
                    *sum += x - c;
                }
                sums[dim] += T::one();
            }
        }
        sum / input.batch as f64
    }
}

/// One feature direction and one weight direction, with the target's ψ where the class is its own.
struct Pair<'a, T> {
    u: &'a [T],
    v: &'a [T],
    cos: T,
    psi: Option<Psi<T>>,
}

impl<T: Real> Pair<'_, T> {
    fn swapped(&self) -> Self {
        Self {
            u: self.v,
            v: self.u,
            ..*self
        }
    }

    /// Adds `strength` times the gradient at u of cosθ, or of ψ(θ) for the target, to `out`.
    ///
    /// With `keeps_length` that gradient is the tangential part alone; without it u stands for a
    /// vector of free length ‖u‖ cosθ = u·v, and the radial part cosθ u (or ψ u) belongs to it.
    fn add_toward_v(&self, tangent: &mut [T], strength: T, keeps_length: bool, out: &mut [T]) {
        let Some(psi) = self.psi else {
            let radial = if keeps_length { self.cos } else { T::zero() };
            for ((out, &u), &v) in out.iter_mut().zip(self.u).zip(self.v) {
                *out += strength * (v - radial * u);
            }
            return;
        };
        for ((t, &u), &v) in tangent.iter_mut().zip(self.u).zip(self.v) {
            *t = v - self.cos * u;
        }
        // At θ = 0 the cone has no direction; the floor rounds its tip, and 0/floor is 0.
        let pull = strength * psi.pull / norm(tangent).max(T::TANGENT_FLOOR);
        let radial = if keeps_length {
            T::zero()
        } else {
            strength * psi.value
        };
        for ((out, &u), &t) in out.iter_mut().zip(self.u).zip(tangent.iter()) {
            *out += pull * t + radial * u;
        }
    }
}

/// Loss of one sample; writes ∂L/∂z times `mean` to `grad` (`losses.md` 2.1).
///
/// Keeps all digits when the loss is tiny: log1p of the others' sum where the target leads, and
/// −Σ_{j≠y} p_j instead of p_y − 1.
fn cross_entropy<T: Real>(logits: &[T], y: usize, mean: T, grad: &mut [T]) -> T {
    let target = logits[y];
    let lead = logits
        .iter()
        .fold(T::zero(), |lead, &z| lead.max(z - target));
    let mut others = T::zero();
    for (j, (g, &z)) in grad.iter_mut().zip(logits).enumerate() {
        if j != y {
            *g = (z - target - lead).exp();
            others += *g;
        }
    }
    let own = (-lead).exp();
    let inverse = mean / (own + others);
    for g in grad.iter_mut() {
        *g *= inverse;
    }
    grad[y] = -(others * inverse);
    if lead > T::zero() {
        lead + (own + others).ln()
    } else {
        others.ln_1p()
    }
}

fn values_scale<T: Real>(spec: &LossSpec, values: &Values<T>) -> T {
    spec.param_index("scale").map_or(T::one(), |i| values[i])
}

fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).fold(T::zero(), |sum, (&a, &b)| sum + a * b)
}

fn norm<T: Real>(a: &[T]) -> T {
    dot(a, a).sqrt()
}

/// ‖v − (u·v)u‖ = sinθ.
fn rejection_norm<T: Real>(v: &[T], u: &[T], cos: T) -> T {
    let squared = v.iter().zip(u).fold(T::zero(), |sum, (&v, &u)| {
        let r = v - cos * u;
        sum + r * r
    });
    squared.sqrt()
}

fn add_scaled<T: Real>(out: &mut [T], factor: T, column: &[T]) {
    for (out, &x) in out.iter_mut().zip(column) {
        *out += factor * x;
    }
}

/// Unit columns and their lengths; columns without a direction become 0.
fn normalize_columns<T: Real>(columns: &[T], dim: usize, unit: &mut [T], norms: &mut [T]) {
    let pairs = columns.chunks_exact(dim).zip(unit.chunks_exact_mut(dim));
    for ((column, unit), norm_out) in pairs.zip(norms.iter_mut()) {
        *norm_out = norm(column);
        let has_direction = *norm_out >= T::of(SHORTEST_FEATURE);
        for (unit, &x) in unit.iter_mut().zip(column) {
            *unit = if has_direction {
                x / *norm_out
            } else {
                T::zero()
            };
        }
    }
}
