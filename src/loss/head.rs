//! The shared head: logits, cross entropy and their gradients for every loss of the registry.
//!
//! Matrices are column-major: a sample is a contiguous column of `features`, a class a contiguous
//! column of `weights`. Gradients are in tangent form (`losses.md` 2.3): on the sphere the angle
//! is a distance, so its gradient is a unit tangent, and nothing is divided by sinθ.
//!
//! [`LANES`] samples are computed side by side, forward and backward in one go while all their
//! numbers are in the first-level cache. All forms share one pass over the classes, with the logit
//! z = c·l·cosθ + b of a factor c of the class and a factor l of the sample; linear forms have W·x
//! in place of the cosine.

#![expect(
    clippy::inline_always,
    reason = "what runs in vector registers must be compiled into the function that has them"
)]

use crate::loss::lanes::{LANES, Lanes, map, sum, zip};
use crate::loss::real::Real;
use crate::loss::spec::{Form, LossSpec, PenaltyInput, Psi, Rho, TargetAngle, Values};

/// Features shorter than this have no direction: all their cosines are 0 (`losses.md` 2.4).
const SHORTEST_FEATURE: f64 = 1e-12;
/// Stands in for the target's logit where only the others count: its exponential is 0.
const HIDDEN: f64 = f64::NEG_INFINITY;

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

/// Buffers of a head, allocated once and reused.
#[derive(Clone, Debug, Default)]
pub struct HeadWork<T> {
    /// Where logits are kept if they are wanted; training does not want them.
    pub record: Option<Record<T>>,
    classes: Classes<T>,
    block: Block<T>,
}

/// Logits and their gradients of all samples.
#[derive(Clone, Debug, Default)]
pub struct Record<T> {
    /// z `[classes, n]`
    pub logits: Vec<T>,
    /// ∂L/∂z `[classes, n]`
    pub grad_logits: Vec<T>,
}

impl<T: Default> HeadWork<T> {
    /// Buffers that keep the logits.
    pub fn recording() -> Self {
        Self {
            record: Some(Record::default()),
            ..Self::default()
        }
    }
}

/// What all samples share of the class weights.
#[derive(Clone, Debug, Default)]
struct Classes<T> {
    /// v = W/‖W‖, or W for the linear forms `[dim, classes]`
    directions: Vec<T>,
    /// ‖W‖ `[classes]`
    norms: Vec<T>,
    /// c: the class's part of the factor on the cosine `[classes]`
    factors: Vec<T>,
    /// What carries a gradient at a direction to its weight, beside the sample's factor `[classes]`
    to_weight: Vec<T>,
}

/// [`LANES`] samples on their way through the head.
#[derive(Clone, Debug, Default)]
struct Block<T> {
    /// Samples in use; the lanes behind them hold zeros and weigh nothing.
    n: usize,
    /// y
    labels: [usize; LANES],
    /// u = x/‖x‖, or x for the linear forms `[dim]`
    directions: Vec<Lanes<T>>,
    /// ‖x‖
    norms: Lanes<T>,
    /// l: the sample's part of the factor on the cosine
    factors: Lanes<T>,
    /// What carries a gradient at a direction to its feature, beside the class's factor.
    to_feature: Lanes<T>,
    /// cosθ, or W·x `[classes]`
    cos: Vec<Lanes<T>>,
    /// z, then ∂L/∂z `[classes]`
    logits: Vec<Lanes<T>>,
    /// v_y `[dim]`
    target: Vec<Lanes<T>>,
    /// cosθ_y
    target_cos: Lanes<T>,
    /// ψ(θ_y)
    psi: Lanes<T>,
    /// −ψ'(θ_y)
    pull: Lanes<T>,
    /// ∂L/∂x `[dim]`
    grads: Vec<Lanes<T>>,
}

impl Head {
    /// Loss Σ_i L_i / `batch` over the samples of `input` with its penalty, summed in f64, and its
    /// gradients.
    ///
    /// `values` are the values in force, after ramp and annealing. The instructions are the widest
    /// that the machine has.
    pub fn run<T: Real>(
        &self,
        input: HeadInput<'_, T>,
        values: &Values<T>,
        work: &mut HeadWork<T>,
        grads: &mut HeadGrads<'_, T>,
    ) -> f64 {
        if let Some(record) = &mut work.record {
            record.logits.clear();
            record.grad_logits.clear();
        }
        let blocks = Blocks {
            head: self,
            input,
            values,
            work,
            grads,
        };
        let loss = pulp::Arch::new().dispatch(blocks);
        loss + self.penalty(input, values, grads)
    }

    #[inline(always)]
    fn run_blocks<T: Real>(
        &self,
        input: HeadInput<'_, T>,
        values: &Values<T>,
        work: &mut HeadWork<T>,
        grads: &mut HeadGrads<'_, T>,
    ) -> f64 {
        let HeadWork {
            record,
            classes,
            block,
        } = work;
        self.prepare_classes(input.weights, classes);
        let mut loss = 0.0;
        let samples = input.features.chunks(LANES * self.dim);
        let grad_features = grads.features.chunks_mut(LANES * self.dim);
        for ((features, labels), grad_features) in
            samples.zip(input.labels.chunks(LANES)).zip(grad_features)
        {
            self.load(features, labels, values, block);
            self.forward(input, values, classes, block);
            if let Some(record) = record {
                block.keep(&mut record.logits);
            }
            loss += block.cross_entropy(input.batch);
            if let Some(record) = record {
                block.keep(&mut record.grad_logits);
            }
            self.backward(classes, block, grads.weights, grads.bias);
            self.store(block, grad_features);
        }
        loss / input.batch as f64
    }

    /// Directions, lengths and factors of the class weights.
    #[inline(always)]
    fn prepare_classes<T: Real>(&self, weights: &[T], classes: &mut Classes<T>) {
        let Classes {
            directions,
            norms,
            factors,
            to_weight,
        } = classes;
        directions.clear();
        directions.extend_from_slice(weights);
        for all in [&mut *norms, &mut *factors, &mut *to_weight] {
            all.clear();
            all.resize(self.n_classes, T::one());
        }
        let Form::Angular(rho) = self.spec.form else {
            if self.spec.form == Form::Binary {
                // The first of the two weights is a zero that does not learn.
                (factors[0], to_weight[0]) = (T::zero(), T::zero());
            }
            return;
        };
        for (j, column) in directions.chunks_exact_mut(self.dim).enumerate() {
            norms[j] = norm(column);
            let has_direction = norms[j] >= T::of(SHORTEST_FEATURE);
            let inverse = if has_direction {
                T::one() / norms[j]
            } else {
                T::zero()
            };
            for w in column {
                *w = if has_direction {
                    *w / norms[j]
                } else {
                    T::zero()
                };
            }
            if rho == Rho::WeightAndFeatureNorm {
                factors[j] = norms[j];
                to_weight[j] = norms[j] * inverse;
            } else {
                to_weight[j] = inverse;
            }
        }
    }

    /// Turns samples into lanes, with their lengths and factors.
    #[inline(always)]
    fn load<T: Real>(
        &self,
        features: &[T],
        labels: &[u16],
        values: &Values<T>,
        block: &mut Block<T>,
    ) {
        let zero = [T::zero(); LANES];
        block.n = labels.len();
        block.labels = [0; LANES];
        for (to, &label) in block.labels.iter_mut().zip(labels) {
            *to = label.into();
        }
        block.directions.resize(self.dim, zero);
        block.directions.fill(zero);
        for (lane, x) in features.chunks_exact(self.dim).enumerate() {
            for (direction, &x) in block.directions.iter_mut().zip(x) {
                direction[lane] = x;
            }
        }
        (block.factors, block.to_feature) = ([T::one(); LANES], [T::one(); LANES]);
        let Form::Angular(rho) = self.spec.form else {
            return;
        };
        let mut squared = zero;
        for x in &block.directions {
            squared = zip(&squared, x, |sum, x| sum + x * x);
        }
        let shortest = T::of(SHORTEST_FEATURE);
        block.norms = map(&squared, T::sqrt);
        for x in &mut block.directions {
            *x = zip(x, &block.norms, |x, norm| {
                if norm >= shortest {
                    x / norm
                } else {
                    T::zero()
                }
            });
        }
        if rho == Rho::Scale {
            let scale = values_scale(self.spec, values);
            block.factors = [scale; LANES];
            block.to_feature = map(&block.norms, |norm| {
                if norm >= shortest {
                    scale / norm
                } else {
                    T::zero()
                }
            });
        } else {
            block.factors = block.norms;
        }
    }

    /// Cosines and logits, with the target's ψ in place of its cosine.
    #[inline(always)]
    fn forward<T: Real>(
        &self,
        input: HeadInput<'_, T>,
        values: &Values<T>,
        classes: &Classes<T>,
        block: &mut Block<T>,
    ) {
        let zero = [T::zero(); LANES];
        block.cos.resize(self.n_classes, zero);
        block.logits.resize(self.n_classes, zero);
        let has_bias = self.spec.form.has_bias();
        let per_class = classes.directions.chunks_exact(self.dim);
        let outputs = block.cos.iter_mut().zip(&mut block.logits);
        for (j, (v, (cos, logit))) in per_class.zip(outputs).enumerate() {
            let mut dot = zero;
            for (u, &v) in block.directions.iter().zip(v) {
                dot = zip(&dot, u, |sum, u| sum + u * v);
            }
            *cos = dot;
            let factor = classes.factors[j];
            let bias = if has_bias {
                factor * input.bias[j]
            } else {
                T::zero()
            };
            *logit = zip(&dot, &block.factors, |dot, l| factor * l * dot + bias);
        }
        if self.spec.form.is_angular() {
            self.target_forward(values, classes, block);
        }
    }

    /// ψ(θ_y) and the target's logit.
    #[inline(always)]
    fn target_forward<T: Real>(
        &self,
        values: &Values<T>,
        classes: &Classes<T>,
        block: &mut Block<T>,
    ) {
        let zero = [T::zero(); LANES];
        block.target.resize(self.dim, zero);
        for (lane, &y) in block.labels.iter().enumerate() {
            block.target_cos[lane] = block.cos[y][lane];
            for (k, target) in block.target.iter_mut().enumerate() {
                target[lane] = classes.directions[y * self.dim + k];
            }
        }
        // sinθ = ‖v − cosθ u‖, exact near 0 and π.
        let squared = squared_rejection(&block.target, &block.directions, &block.target_cos);
        let sin = map(&squared, T::sqrt);
        let mut angles = [TargetAngle {
            cos: T::zero(),
            sin: T::one(),
        }; LANES];
        for (lane, angle) in angles.iter_mut().enumerate() {
            angle.cos = block.target_cos[lane];
            // A weight without a direction is at 90° to everything, as a feature without one is.
            if classes.norms[block.labels[lane]] >= T::of(SHORTEST_FEATURE) {
                angle.sin = sin[lane];
            }
        }
        let mut psi = [Psi {
            value: T::zero(),
            pull: T::zero(),
        }; LANES];
        T::target(&self.spec.target)(&angles, values, &mut psi);
        for (lane, &y) in block.labels.iter().enumerate() {
            block.psi[lane] = psi[lane].value;
            block.pull[lane] = psi[lane].pull;
            block.logits[y][lane] = classes.factors[y] * block.factors[lane] * psi[lane].value;
        }
    }

    /// ∇ of all heads (`losses.md` 2.3): a class pulls along v − cosθ u where only directions
    /// count, along v where the length counts too; likewise for the weight. The target of an
    /// angular head goes its own way.
    #[inline(always)]
    fn backward<T: Real>(
        &self,
        classes: &Classes<T>,
        block: &mut Block<T>,
        grad_weights: &mut [T],
        grad_bias: &mut [T],
    ) {
        let zero = [T::zero(); LANES];
        block.grads.resize(self.dim, zero);
        block.grads.fill(zero);
        if self.spec.form.is_angular() {
            self.target_backward(classes, block, grad_weights);
        }
        let one_if = |is: bool| if is { T::one() } else { T::zero() };
        let feature_radial = one_if(self.spec.form.is_cosine());
        let weight_radial = one_if(self.spec.form.has_unit_weights());
        for (j, g) in block.logits.iter().enumerate() {
            let row = j * self.dim..(j + 1) * self.dim;
            let (factor, to_weight) = (classes.factors[j], classes.to_weight[j]);
            let cos = &block.cos[j];
            let pull_x = zip(g, &block.to_feature, |g, f| g * f * factor);
            let pull_w = zip(g, &block.factors, |g, l| g * l * to_weight);
            let directions = block.directions.iter().zip(&mut block.grads);
            let columns = classes.directions[row.clone()].iter();
            for (((u, grad_x), &v), grad_w) in directions.zip(columns).zip(&mut grad_weights[row]) {
                let mut along_x = zero;
                for lane in 0..LANES {
                    grad_x[lane] += pull_x[lane] * (v - feature_radial * cos[lane] * u[lane]);
                    along_x[lane] = pull_w[lane] * (u[lane] - weight_radial * cos[lane] * v);
                }
                *grad_w += sum(&along_x);
            }
            if self.spec.form.has_bias() {
                grad_bias[j] += to_weight * sum(g);
            }
        }
    }

    /// The target's part: along its unit tangent with strength −ψ', and where ρ = ‖x‖ along the
    /// radius with ψ. Takes the target's ∂L/∂z out of the block.
    #[inline(always)]
    fn target_backward<T: Real>(
        &self,
        classes: &Classes<T>,
        block: &mut Block<T>,
        grad_weights: &mut [T],
    ) {
        let zero = [T::zero(); LANES];
        let (mut to_feature, mut to_weight) = (zero, zero);
        for (lane, &y) in block.labels.iter().enumerate() {
            let g = std::mem::replace(&mut block.logits[y][lane], T::zero());
            to_feature[lane] = g * block.to_feature[lane] * classes.factors[y];
            to_weight[lane] = g * block.factors[lane] * classes.to_weight[y];
        }
        let (u, v) = (&block.directions, &block.target);
        let feature = Pull::new([u, v], block, &to_feature, self.spec.form.is_cosine());
        let weight = Pull::new([v, u], block, &to_weight, self.spec.form.has_unit_weights());
        for k in 0..self.dim {
            block.grads[k] = feature.at(&u[k], &v[k], &block.target_cos);
            let grad = weight.at(&v[k], &u[k], &block.target_cos);
            for (lane, &y) in block.labels.iter().enumerate() {
                grad_weights[y * self.dim + k] += grad[lane];
            }
        }
    }

    /// Turns lanes back into columns.
    #[inline(always)]
    fn store<T: Real>(&self, block: &Block<T>, grad_features: &mut [T]) {
        for (lane, column) in grad_features.chunks_exact_mut(self.dim).enumerate() {
            for (to, grad) in column.iter_mut().zip(&block.grads) {
                *to = grad[lane];
            }
        }
    }

    fn penalty<T: Real>(
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

/// The arguments of [`Head::run_blocks`]: a closure in their place would be compiled on its own,
/// without the wide registers.
struct Blocks<'a, 'b, 'c, T> {
    head: &'a Head,
    input: HeadInput<'b, T>,
    values: &'a Values<T>,
    work: &'a mut HeadWork<T>,
    grads: &'a mut HeadGrads<'c, T>,
}

impl<T: Real> pulp::WithSimd for Blocks<'_, '_, '_, T> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f64 {
        let Self {
            head,
            input,
            values,
            work,
            grads,
        } = self;
        head.run_blocks(input, values, work, grads)
    }
}

impl<T: Real> Block<T> {
    /// Σ L_i of the block; turns logits into ∂L/∂z (`losses.md` 2.1).
    ///
    /// Keeps all digits when the loss is tiny: log1p of the others' sum where the target leads, and
    /// −Σ_{j≠y} p_j instead of p_y − 1.
    #[inline(always)]
    fn cross_entropy(&mut self, batch: usize) -> f64 {
        let zero = [T::zero(); LANES];
        let mut target = zero;
        for (lane, &y) in self.labels.iter().enumerate() {
            target[lane] = std::mem::replace(&mut self.logits[y][lane], T::of(HIDDEN));
        }
        let mut lead = zero;
        for logit in &self.logits {
            for lane in 0..LANES {
                let ahead = logit[lane] - target[lane];
                lead[lane] = if ahead > lead[lane] {
                    ahead
                } else {
                    lead[lane]
                };
            }
        }
        let mut others = zero;
        for logit in &mut self.logits {
            for lane in 0..LANES {
                // In this order the leader comes to exactly 0, however large the logits.
                let behind = logit[lane] - target[lane] - lead[lane];
                logit[lane] = behind.exp_nonpositive();
                others[lane] += logit[lane];
            }
        }
        let own = map(&lead, |lead| (-lead).exp_nonpositive());
        let mut inverse = zero;
        for lane in 0..self.n {
            inverse[lane] = T::one() / (T::of(batch as f64) * (own[lane] + others[lane]));
        }
        for logit in &mut self.logits {
            *logit = zip(logit, &inverse, |e, inverse| e * inverse);
        }
        let mut loss = 0.0;
        for lane in 0..self.n {
            self.logits[self.labels[lane]][lane] = -(others[lane] * inverse[lane]);
            let of_sample = if lead[lane] > T::zero() {
                lead[lane] + (own[lane] + others[lane]).ln()
            } else {
                others[lane].ln_1p()
            };
            loss += of_sample.widen();
        }
        loss
    }

    /// Appends the lanes in use of all classes to `[classes, n]`.
    fn keep(&self, columns: &mut Vec<T>) {
        for lane in 0..self.n {
            columns.extend(self.logits.iter().map(|logit| logit[lane]));
        }
    }
}

/// The gradient of ψ(θ) at a direction u with the other direction v, times a strength.
struct Pull<T> {
    /// On the tangent v − cosθ u.
    tangential: Lanes<T>,
    /// On u itself, where its length counts.
    radial: Lanes<T>,
}

impl<T: Real> Pull<T> {
    /// With `keeps_length` the gradient is the tangential part alone; without it u stands for a
    /// vector of free length, and the radial part ψ u belongs to it.
    #[inline(always)]
    fn new(
        [u, v]: [&[Lanes<T>]; 2],
        block: &Block<T>,
        strength: &Lanes<T>,
        keeps_length: bool,
    ) -> Self {
        let squared = squared_rejection(v, u, &block.target_cos);
        let mut pull = Self {
            tangential: [T::zero(); LANES],
            radial: [T::zero(); LANES],
        };
        for lane in 0..LANES {
            // At θ = 0 the cone has no direction; the floor rounds its tip, and 0/floor is 0.
            let length = squared[lane].sqrt().max(T::TANGENT_FLOOR);
            pull.tangential[lane] = strength[lane] * block.pull[lane] / length;
            if !keeps_length {
                pull.radial[lane] = strength[lane] * block.psi[lane];
            }
        }
        pull
    }

    /// One coordinate of it.
    #[inline(always)]
    fn at(&self, u: &Lanes<T>, v: &Lanes<T>, cos: &Lanes<T>) -> Lanes<T> {
        std::array::from_fn(|lane| {
            self.tangential[lane] * (v[lane] - cos[lane] * u[lane]) + self.radial[lane] * u[lane]
        })
    }
}

/// ‖v − cosθ u‖²
#[inline(always)]
fn squared_rejection<T: Real>(v: &[Lanes<T>], u: &[Lanes<T>], cos: &Lanes<T>) -> Lanes<T> {
    let mut squared = [T::zero(); LANES];
    for (v, u) in v.iter().zip(u) {
        for lane in 0..LANES {
            let r = v[lane] - cos[lane] * u[lane];
            squared[lane] += r * r;
        }
    }
    squared
}

fn values_scale<T: Real>(spec: &LossSpec, values: &Values<T>) -> T {
    spec.param_index("scale").map_or(T::one(), |i| values[i])
}

#[inline(always)]
fn norm<T: Real>(a: &[T]) -> T {
    a.iter().fold(T::zero(), |sum, &a| sum + a * a).sqrt()
}
