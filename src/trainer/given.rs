//! The class weights of features that are looked at: those of the file, or means of the classes.

use std::borrow::Cow;

use crate::data::{Dataset, Given};
use crate::loss::Form;
use crate::trainer::metrics::argmax;

/// Weights and bias for every form of head. They are functions of the file and the loss alone,
/// so that no order of losses leaves a trace.
#[derive(Clone, Debug)]
pub(super) struct GivenHeads {
    /// μ `[dim, classes]`, zero for a class without a sample.
    pub means: Vec<f32>,
    /// Means of the samples' directions `[dim, classes]`.
    mean_directions: Vec<f32>,
    /// −‖μ‖²/2 `[classes]`, with which W = μ gives the class whose mean is nearest.
    mean_bias: Vec<f32>,
    /// Those of the file.
    own: Option<Own>,
}

#[derive(Clone, Debug)]
struct Own {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl GivenHeads {
    /// `None` where features are trained.
    pub(super) fn of(data: &Dataset) -> Option<Self> {
        let Given { weights, bias, .. } = data.given.as_ref()?;
        let (dim, n_classes) = (data.input.dim(), data.n_classes());
        let own = weights.clone().map(|weights| Own {
            weights,
            bias: bias.clone().unwrap_or_else(|| vec![0.0; n_classes]),
        });
        let labels = labels(data, dim, own.as_ref());
        let means = means_of(data, dim, &labels, |_| 1.0);
        let bias = |mean: &[f32]| -0.5 * squared_length(mean);
        Some(Self {
            mean_directions: mean_directions(data, dim, &labels),
            mean_bias: means
                .chunks_exact(dim)
                .map(|mean| bias(mean) as f32)
                .collect(),
            means,
            own,
        })
    }

    /// W `[dim, classes]`: of heads whose weights count by direction, the means of directions.
    pub(super) fn weights(&self, form: Form) -> &[f32] {
        match &self.own {
            Some(own) => &own.weights,
            None if form.has_unit_weights() => &self.mean_directions,
            None => &self.means,
        }
    }

    /// b `[classes]`
    pub(super) fn bias(&self) -> &[f32] {
        self.own.as_ref().map_or(&self.mean_bias, |own| &own.bias)
    }
}

/// The class of each sample; where it is not known, the one that wins.
fn labels<'a>(data: &'a Dataset, dim: usize, own: Option<&Own>) -> Cow<'a, [u16]> {
    let known = data.train.labels();
    let Some(own) = own.filter(|_| !data.has_labels()) else {
        return Cow::Borrowed(known);
    };
    let mut scores = Vec::new();
    let winner = |i| {
        let x = data.train.vector(i).unwrap_or_default();
        let heads = own.weights.chunks_exact(dim).zip(&own.bias);
        scores.clear();
        scores.extend(heads.map(|(w, b)| dot(w, x) + f64::from(*b)));
        argmax(&scores) as u16
    };
    Cow::Owned((0..known.len()).map(winner).collect())
}

fn mean_directions(data: &Dataset, dim: usize, labels: &[u16]) -> Vec<f32> {
    means_of(data, dim, labels, |x| {
        let length = squared_length(x).sqrt();
        if length > 0.0 { 1.0 / length } else { 0.0 }
    })
}

/// Means over the samples of each class `[dim, classes]`, each sample times its `share`.
fn means_of(data: &Dataset, dim: usize, labels: &[u16], share: impl Fn(&[f32]) -> f64) -> Vec<f32> {
    let mut sums = vec![0.0_f64; dim * data.n_classes()];
    let mut counts = vec![0_u32; data.n_classes()];
    for (i, &label) in labels.iter().enumerate() {
        let Some(x) = data.train.vector(i) else {
            continue; // given features are vectors
        };
        let (class, share) = (usize::from(label), share(x));
        counts[class] += 1;
        for (sum, &x) in sums[class * dim..].iter_mut().zip(x) {
            *sum += share * f64::from(x);
        }
    }
    for (sum, &n) in sums.chunks_exact_mut(dim).zip(&counts) {
        for sum in sum {
            *sum /= f64::from(n.max(1));
        }
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

fn squared_length(x: &[f32]) -> f64 {
    dot(x, x)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
    products.sum()
}
