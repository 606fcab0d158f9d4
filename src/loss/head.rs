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

use crate::loss::block::{Block, Pull, rejection};
use crate::loss::lanes::{Halves, LANES, Lanes};
use crate::loss::real::Real;
use crate::loss::spec::{Form, LossSpec, PenaltyInput, Psi, Rho, TargetAngle, Values};
use crate::simd::dispatch;

/// Features shorter than this have no direction: all their cosines are 0 (`losses.md` 2.4).
const SHORTEST_FEATURE: f64 = 1e-12;
/// Coordinates that are gone through in one loop. From four on it is compiled to take several side
/// by side, with every lane moved twice: eight dimensions then took four times as long, and 64 six.
const ROWS: usize = 3;

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
    sums: ClassSums<T>,
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

/// What the gradient of each weight sums over the samples, beside the target's part. The tangent is
/// taken once at the end: Σ g (u − cosθ v) = Σ g u − v Σ g cosθ.
#[derive(Clone, Debug, Default)]
struct ClassSums<T> {
    /// Σ g l u `[dim]`, then Σ g l cosθ, or Σ g where there is a bias `[dim + 1, classes]`
    columns: Vec<Halves<T>>,
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
        let loss = dispatch(blocks);
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
            sums,
            block,
        } = work;
        self.prepare_classes(input.weights, classes);
        sums.columns.clear();
        let n_sums = (self.dim + 1) * self.n_classes;
        sums.columns.resize(n_sums, Halves::zero());
        let mut loss = 0.0;
        block.resize(self.dim, self.n_classes);
        let samples = input.features.chunks(LANES * self.dim);
        let grad_features = grads.features.chunks_mut(LANES * self.dim);
        for ((features, labels), grad_features) in
            samples.zip(input.labels.chunks(LANES)).zip(grad_features)
        {
            self.load(features, labels, values, block);
            self.forward(input, values, classes, block);
            if let Some(record) = record {
                block.keep(&mut record.logits, Lanes::splat(T::one()));
            }
            loss += block.cross_entropy(input.batch);
            if let Some(record) = record {
                block.keep(&mut record.grad_logits, block.to_gradient);
            }
            self.backward(classes, block, &mut sums.columns, grads.weights);
            self.store(block, grad_features);
        }
        self.finish_weights(classes, &sums.columns, grads);
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
        let zero = Lanes::splat(T::zero());
        block.n = labels.len();
        block.labels = [0; LANES];
        for (to, &label) in block.labels.iter_mut().zip(labels) {
            *to = label.into();
        }
        let directions = &mut block.directions[..self.dim];
        directions.fill(zero);
        for (lane, x) in features.chunks_exact(self.dim).enumerate() {
            for (direction, &x) in directions.iter_mut().zip(x) {
                direction[lane] = x;
            }
        }
        let one = Lanes::splat(T::one());
        (block.factors, block.to_feature) = (one, one);
        let Form::Angular(rho) = self.spec.form else {
            return;
        };
        let mut squared = zero;
        for &x in &*directions {
            squared.add_product(x, x);
        }
        let shortest = T::of(SHORTEST_FEATURE);
        block.norms = squared.map(T::sqrt);
        let inverse = block.norms.map(|norm| {
            if norm >= shortest {
                T::one() / norm
            } else {
                T::zero()
            }
        });
        for x in directions {
            *x = *x * inverse;
        }
        if rho == Rho::Scale {
            let scale = values_scale(self.spec, values);
            block.factors = Lanes::splat(scale);
            block.to_feature = inverse.map(|inverse| scale * inverse);
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
        let zero = Lanes::splat(T::zero());
        let directions = &block.directions[..self.dim];
        let has_bias = self.spec.form.has_bias();
        let per_class = classes.directions.chunks_exact(self.dim);
        let outputs = block.cos.iter_mut().zip(&mut block.logits);
        for (j, (v, (cos, logit))) in per_class.zip(outputs).enumerate() {
            let mut dot = zero;
            for (directions, v) in directions.chunks(ROWS).zip(v.chunks(ROWS)) {
                for (&u, &v) in directions.iter().zip(v) {
                    dot.add_scaled(u, v);
                }
            }
            *cos = dot;
            let factor = classes.factors[j];
            *logit = (dot * block.factors).map(|scaled| factor * scaled);
            if has_bias {
                let bias = factor * input.bias[j];
                *logit = logit.map(|z| z + bias);
            }
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
        for (lane, &y) in block.labels.iter().enumerate() {
            block.target_cos[lane] = block.cos[y][lane];
            for (k, target) in block.target[..self.dim].iter_mut().enumerate() {
                target[lane] = classes.directions[y * self.dim + k];
            }
        }
        block.target_sin = rejection(
            &block.target[..self.dim],
            &block.directions[..self.dim],
            block.target_cos,
        );
        let mut angles = [TargetAngle {
            cos: T::zero(),
            sin: T::one(),
        }; LANES];
        for (lane, angle) in angles.iter_mut().enumerate() {
            angle.cos = block.target_cos[lane];
            // A weight without a direction is at 90° to everything, as a feature without one is.
            if classes.norms[block.labels[lane]] >= T::of(SHORTEST_FEATURE) {
                angle.sin = block.target_sin[lane];
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
        sums: &mut [Halves<T>],
        grad_weights: &mut [T],
    ) {
        let zero = Lanes::splat(T::zero());
        if self.spec.form.is_angular() {
            self.target_backward(classes, block, grad_weights);
        }
        let Block {
            directions,
            scaled,
            target_grads,
            grads,
            ..
        } = block;
        let (directions, scaled) = (&directions[..self.dim], &mut scaled[..self.dim]);
        let (target_grads, grads) = (&target_grads[..self.dim], &mut grads[..self.dim]);
        grads.fill(zero);
        for (scaled, &u) in scaled.iter_mut().zip(directions) {
            *scaled = u * block.factors;
        }
        let has_bias = self.spec.form.has_bias();
        let mut radial = zero;
        let per_class = classes.directions.chunks_exact(self.dim);
        let per_class = per_class.zip(sums.chunks_exact_mut(self.dim + 1));
        for (j, (v, sums)) in per_class.enumerate() {
            let (g, cos) = (block.logits[j] * block.to_gradient, block.cos[j]);
            let factor = classes.factors[j];
            let pull = g.map(|g| g * factor);
            radial.add_product(pull, cos);
            let blocks = scaled.chunks(ROWS).zip(grads.chunks_mut(ROWS));
            let blocks = blocks.zip(v.chunks(ROWS)).zip(sums.chunks_mut(ROWS));
            for (((scaled, grads), v), sums) in blocks {
                let per_row = scaled.iter().zip(grads).zip(v).zip(sums);
                for (((&scaled, grad), &v), sum) in per_row {
                    grad.add_scaled(pull, v);
                    sum.add(g * scaled);
                }
            }
            if has_bias {
                sums[self.dim].add(g);
            } else {
                sums[self.dim].add(g * block.factors * cos);
            }
        }
        let is_cosine = self.spec.form.is_cosine();
        let per_row = directions.iter().zip(target_grads);
        for (grad, (&u, &target)) in grads.iter_mut().zip(per_row) {
            if is_cosine {
                *grad = grad.zip(radial * u, |along, radial| along - radial);
            }
            *grad = (*grad * block.to_feature).zip(target, |others, target| others + target);
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
        let zero = Lanes::splat(T::zero());
        let (mut to_feature, mut to_weight) = (zero, zero);
        for (lane, &y) in block.labels.iter().enumerate() {
            let g = std::mem::replace(&mut block.logits[y][lane], T::zero());
            let g = g * block.to_gradient[lane];
            to_feature[lane] = g * block.to_feature[lane] * classes.factors[y];
            to_weight[lane] = g * block.factors[lane] * classes.to_weight[y];
        }
        let (u, v) = (&block.directions[..self.dim], &block.target[..self.dim]);
        let keeps_length = self.spec.form.is_cosine();
        let feature = Pull::new(block.target_sin, block, to_feature, keeps_length);
        let sin = rejection(u, v, block.target_cos);
        let weight = Pull::new(sin, block, to_weight, self.spec.form.has_unit_weights());
        for k in 0..self.dim {
            block.target_grads[k] = feature.at(u[k], v[k], block.target_cos);
            let grad = weight.at(v[k], u[k], block.target_cos);
            for (lane, &y) in block.labels.iter().enumerate() {
                grad_weights[y * self.dim + k] += grad[lane];
            }
        }
    }

    /// Adds what all samples gave to the weights and the bias.
    #[inline(always)]
    fn finish_weights<T: Real>(
        &self,
        classes: &Classes<T>,
        sums: &[Halves<T>],
        grads: &mut HeadGrads<'_, T>,
    ) {
        let has_unit_weights = self.spec.form.has_unit_weights();
        for (j, sums) in sums.chunks_exact(self.dim + 1).enumerate() {
            let to_weight = classes.to_weight[j];
            let last = sums[self.dim].sum();
            let row = j * self.dim..(j + 1) * self.dim;
            let columns = grads.weights[row.clone()].iter_mut();
            for ((grad, &v), sum) in columns.zip(&classes.directions[row]).zip(sums) {
                let radial = if has_unit_weights {
                    last * v
                } else {
                    T::zero()
                };
                *grad += to_weight * (sum.sum() - radial);
            }
            if self.spec.form.has_bias() {
                grads.bias[j] += to_weight * last;
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
        // A dimension known while compiling unrolls the loops over coordinates.
        match head.dim {
            2 => Head { dim: 2, ..*head }.run_blocks(input, values, work, grads),
            3 => Head { dim: 3, ..*head }.run_blocks(input, values, work, grads),
            _ => head.run_blocks(input, values, work, grads),
        }
    }
}

fn values_scale<T: Real>(spec: &LossSpec, values: &Values<T>) -> T {
    spec.param_index("scale").map_or(T::one(), |i| values[i])
}

#[inline(always)]
fn norm<T: Real>(a: &[T]) -> T {
    a.iter().fold(T::zero(), |sum, &a| sum + a * a).sqrt()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::loss::{LOSSES, Setting};
    use crate::simd::at_each_level;

    /// Loss, ∂L/∂x, ∂L/∂W and ∂L/∂b, one after the other.
    fn run<T: Real + Default>(head: Head, numbers: &[f64], n: usize) -> Vec<f64> {
        let numbers: Vec<T> = numbers.iter().map(|&x| T::of(x)).collect();
        let (dim, n_classes) = (head.dim, head.n_classes);
        let (features, rest) = numbers.split_at(dim * n);
        let (weights, rest) = rest.split_at(dim * n_classes);
        let (bias, centers) = rest.split_at(n_classes);
        let labels: Vec<u16> = (0..n).map(|i| (i * 7 % n_classes) as u16).collect();
        let mut grads = [dim * n, dim * n_classes, n_classes, (dim + 1) * n_classes]
            .map(|len| vec![T::zero(); len]);
        let [grad_features, grad_weights, grad_bias, center_sums] = &mut grads;
        let values = head.spec.defaults(Setting { n_classes, dim });
        let loss = head.run(
            HeadInput {
                features,
                labels: &labels,
                weights,
                bias,
                centers,
                batch: n,
            },
            &values.map(T::of),
            &mut HeadWork::default(),
            &mut HeadGrads {
                features: grad_features,
                weights: grad_weights,
                bias: grad_bias,
                center_sums,
            },
        );
        let grads = grads.iter().take(3).flatten().map(|x| x.widen());
        std::iter::once(loss).chain(grads).collect()
    }

    #[test]
    fn every_loss_is_the_same_in_all_registers() {
        for (spec, dim) in LOSSES
            .iter()
            .flat_map(|spec| [2, 3, 8].map(|dim| (spec, dim)))
        {
            let n = 37; // the last block is not full
            let n_classes = if spec.form == Form::Binary { 2 } else { 10 };
            let head = Head {
                spec,
                dim,
                n_classes,
            };
            let mut rng = ChaCha8Rng::seed_from_u64(dim as u64);
            let len = dim * n + (2 * dim + 1) * n_classes;
            let numbers: Vec<f64> = (0..len).map(|_| rng.random_range(-1.5..1.5)).collect();
            let expected = run::<f64>(head, &numbers, n);
            at_each_level(|| {
                for found in [run::<f64>(head, &numbers, n), run::<f32>(head, &numbers, n)] {
                    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                        let error = (found - expected).abs() / expected.abs().max(0.01);
                        let what = format!("{} in {dim}-D, number {i}", spec.id);
                        assert!(error < 1e-3, "{what}: {found} instead of {expected}");
                    }
                }
            });
        }
    }
}
