//! The shared head on a problem of its own, in either precision, results widened to f64.

use marginscope::loss::{Head, HeadGrads, HeadInput, HeadWork, LossSpec, Real, Values};

use super::{Rotation, assert_close};

/// What a head reads.
#[derive(Clone, Debug)]
pub struct Problem<T> {
    /// d
    pub dim: usize,
    /// C
    pub n_classes: usize,
    /// x `[dim, n]`
    pub features: Vec<T>,
    /// W `[dim, classes]`
    pub weights: Vec<T>,
    /// b `[classes]`
    pub bias: Vec<T>,
    /// c `[dim, classes]`
    pub centers: Vec<T>,
    /// y `[n]`
    pub labels: Vec<u16>,
}

impl<T: Real> Problem<T> {
    fn cast<U: Real>(&self) -> Problem<U> {
        let cast = |values: &[T]| values.iter().map(|x| U::of(x.widen())).collect();
        Problem {
            dim: self.dim,
            n_classes: self.n_classes,
            features: cast(&self.features),
            weights: cast(&self.weights),
            bias: cast(&self.bias),
            centers: cast(&self.centers),
            labels: self.labels.clone(),
        }
    }

    /// In single precision.
    pub fn narrow(&self) -> Problem<f32> {
        self.cast()
    }

    /// In double precision.
    pub fn widen(&self) -> Problem<f64> {
        self.cast()
    }
}

impl Problem<f64> {
    /// Angle between sample `i` and the weight of its class, by atan2.
    pub fn target_angle_rad(&self, i: usize) -> f64 {
        let x = &self.features[i * self.dim..][..self.dim];
        let w = &self.weights[usize::from(self.labels[i]) * self.dim..][..self.dim];
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (nx, nw) = (dot(x, x).sqrt(), dot(w, w).sqrt());
        let (minus, plus): (f64, f64) = x
            .iter()
            .zip(w)
            .map(|(a, b)| {
                let (a, b) = (a / nx, b / nw);
                ((a - b) * (a - b), (a + b) * (a + b))
            })
            .fold((0.0, 0.0), |sum, new| (sum.0 + new.0, sum.1 + new.1));
        2.0 * minus.sqrt().atan2(plus.sqrt())
    }

    /// Features, weights and centers turned together.
    pub fn mapped(&self, turn: &Rotation) -> Self {
        Self {
            features: turn.columns(&self.features),
            weights: turn.columns(&self.weights),
            centers: turn.columns(&self.centers),
            ..self.clone()
        }
    }
}

/// What a head gives.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// L with its penalty
    pub loss: f64,
    /// z `[classes, n]`
    pub logits: Vec<f64>,
    /// ∂L/∂z `[classes, n]`
    pub logits_grad: Vec<f64>,
    /// ∂L/∂x `[dim, n]`
    pub features: Vec<f64>,
    /// ∂L/∂W `[dim, classes]`
    pub weights: Vec<f64>,
    /// ∂L/∂b `[classes]`
    pub bias: Vec<f64>,
}

impl Gradients {
    /// All tensors, each relative to its largest element.
    #[track_caller]
    pub fn assert_close(&self, expected: &Self, tolerance: f64) {
        assert_close("loss", &[self.loss], &[expected.loss], tolerance);
        assert_close("logits", &self.logits, &expected.logits, tolerance);
        assert_close("features", &self.features, &expected.features, tolerance);
        assert_close("weights", &self.weights, &expected.weights, tolerance);
        assert_close("bias", &self.bias, &expected.bias, tolerance);
    }
}

/// Forward and backward.
pub fn run<T: Real + Default>(
    spec: &'static LossSpec,
    problem: &Problem<T>,
    values: &Values<f64>,
) -> Gradients {
    let n_classes = problem.weights.len() / problem.dim;
    let head = Head {
        spec,
        dim: problem.dim,
        n_classes,
    };
    let input = HeadInput {
        features: &problem.features,
        labels: &problem.labels,
        weights: &problem.weights,
        bias: &problem.bias,
        centers: &problem.centers,
        batch: problem.labels.len(),
    };
    let values = values.map(T::of);
    let mut work = HeadWork::recording();
    let mut features = vec![T::zero(); problem.features.len()];
    let mut weights = vec![T::zero(); problem.weights.len()];
    let mut bias = vec![T::zero(); n_classes];
    let mut grads = HeadGrads {
        features: &mut features,
        weights: &mut weights,
        bias: &mut bias,
        center_sums: &mut [],
    };
    let loss = head.run(input, &values, &mut work, &mut grads);
    let record = work.record.unwrap_or_default();
    let wide = |values: &[T]| values.iter().map(|x| x.widen()).collect();
    Gradients {
        loss,
        logits: wide(&record.logits),
        logits_grad: wide(&record.grad_logits),
        features: wide(&features),
        weights: wide(&weights),
        bias: wide(&bias),
    }
}
