//! One sample under the lens: its angles, its logits with and without margin, what softmax makes of
//! them, and where the loss pulls its feature.

use crate::loss::{Head, HeadGrads, HeadInput, HeadWork};
use crate::trainer::{Snapshot, angle_between};

/// What the head computes for one sample, with the values in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Microscope {
    /// Index in the probe.
    pub sample: usize,
    /// y
    pub label: usize,
    /// The plain argmax.
    pub prediction: usize,
    /// x `[dim]`
    pub feature: Vec<f32>,
    /// `θ_j` in radians `[classes]`
    pub angles_rad: Vec<f64>,
    /// `ρcosθ_j`, or `W_j·x` + `b_j`: logits without margin `[classes]`
    pub plain_logits: Vec<f64>,
    /// Logits as they enter the softmax `[classes]`
    pub logits: Vec<f64>,
    /// Their softmax `[classes]`
    pub probabilities: Vec<f64>,
    /// Cross entropy with penalty.
    pub loss: f64,
    /// ∂L/∂x `[dim]`
    pub gradient: Vec<f64>,
}

impl Microscope {
    /// Of sample `sample` of the probe; `None` if there is none, or its feature is not finite.
    pub fn of(snapshot: &Snapshot, sample: usize) -> Option<Self> {
        let (head, probe) = (&snapshot.head, &snapshot.probe);
        let label = *probe.labels.get(sample)?;
        let feature = probe
            .features
            .get(sample * head.dim..(sample + 1) * head.dim)?;
        if !feature.iter().all(|x| x.is_finite()) {
            return None;
        }
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let (weights, bias, centers) = (wide(&head.weights), wide(&head.bias), wide(&head.centers));
        let computed = Head {
            spec: head.spec.0,
            dim: head.dim,
            n_classes: head.n_classes,
        };
        let input = HeadInput {
            features: &wide(feature),
            labels: &[label],
            weights: &weights,
            bias: &bias,
            centers: &centers,
            batch: 1,
        };
        let mut work = HeadWork::recording();
        let mut gradient = vec![0.0; head.dim];
        let mut grads = HeadGrads {
            features: &mut gradient,
            weights: &mut vec![0.0; weights.len()],
            bias: &mut vec![0.0; bias.len()],
            center_sums: &mut vec![0.0; (head.dim + 1) * head.n_classes],
        };
        let loss = computed.run(input, &head.in_force, &mut work, &mut grads);
        let logits = work.record.map(|record| record.logits)?;
        let angles_rad: Vec<f64> = (0..head.n_classes)
            .map(|class| angle_between(feature, head.weight(class)))
            .collect();
        let scale = if head.spec.form.is_cosine() {
            let length = feature
                .iter()
                .map(|&x| f64::from(x).powi(2))
                .sum::<f64>()
                .sqrt();
            head.spec.scale(&head.in_force) / length.max(f64::MIN_POSITIVE)
        } else {
            1.0
        };
        let mut scores = Vec::new();
        head.scorer().plain_scores(feature, &mut scores);
        Some(Self {
            sample,
            label: label.into(),
            prediction: snapshot.detail.predictions.get(sample).copied()?.into(),
            feature: feature.to_vec(),
            angles_rad,
            plain_logits: scores.iter().map(|score| scale * score).collect(),
            probabilities: softmax(&logits),
            logits,
            loss,
            gradient,
        })
    }

    /// Classes by their angle, the nearest first.
    pub fn nearest(&self) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..self.angles_rad.len()).collect();
        classes.sort_by(|&a, &b| self.angles_rad[a].total_cmp(&self.angles_rad[b]));
        classes
    }

    /// Where the feature would lie after a step of `learning_rate` against its own gradient.
    pub fn next_feature(&self, learning_rate: f64) -> Vec<f64> {
        let steps = self.feature.iter().zip(&self.gradient);
        steps
            .map(|(&x, g)| f64::from(x) - learning_rate * g)
            .collect()
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|z| (z - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Form, LOSSES};
    use crate::scene::sample::{even_weights, fans, snapshot};

    #[test]
    fn every_number_is_that_of_the_head() {
        let weights = even_weights(5);
        let (features, labels) = fans(&weights, 6, 1.0, 2.0, 0.5);
        for spec in LOSSES
            .iter()
            .filter(|spec| spec.form != Form::Binary && spec.penalty.is_none())
        {
            let snapshot = snapshot(spec.id, 2, &weights, &features, &labels);
            for sample in 0..labels.len() {
                let seen = Microscope::of(&snapshot, sample).expect("a finite feature");
                let (y, what) = (seen.label, format!("{} of {}", sample, spec.id));
                assert!((seen.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                assert!(
                    (seen.loss + seen.probabilities[y].ln()).abs() < 1e-9,
                    "{what}"
                );
                for (k, (plain, z)) in seen.plain_logits.iter().zip(&seen.logits).enumerate() {
                    if k == y {
                        assert!(*z <= plain + 1e-6, "{what}: a margin only takes");
                    } else {
                        assert!(
                            (plain - z).abs() < 1e-5 * (1.0 + z.abs()),
                            "{what}: {plain} {z}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_small_step_against_the_gradient_lowers_the_loss() {
        let weights = even_weights(5);
        let (features, labels) = fans(&weights, 6, 1.0, 2.0, 0.5);
        for spec in LOSSES
            .iter()
            .filter(|spec| spec.form != Form::Binary && spec.penalty.is_none())
        {
            let mut snapshot = snapshot(spec.id, 2, &weights, &features, &labels);
            let before = Microscope::of(&snapshot, 3).expect("a sample");
            let next = before.next_feature(1e-3);
            for (x, next) in snapshot.probe.features[6..8].iter_mut().zip(next) {
                *x = next as f32;
            }
            let after = Microscope::of(&snapshot, 3).expect("a sample");
            assert!(after.loss < before.loss, "{}", spec.id);
        }
    }

    #[test]
    fn there_is_nothing_where_there_is_no_sample() {
        let weights = even_weights(3);
        let snapshot = snapshot("softmax", 2, &weights, &[1.0, 0.0], &[0]);
        assert_eq!(Microscope::of(&snapshot, 1), None);
    }
}
