//! One sample under the lens: its angles, its logits with and without margin, what softmax makes of
//! them, and where the loss pulls its feature.

use crate::loss::{Form, Head, HeadGrads, HeadInput, HeadWork};
use crate::trainer::metrics::argmax;
use crate::trainer::{HeadState, Snapshot, angle_between};

/// What the head computes for one sample, with the values in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Microscope {
    /// Index in the probe.
    pub sample: usize,
    /// Whether one score decides between two classes.
    pub is_binary: bool,
    /// y
    pub label: usize,
    /// The plain argmax.
    pub prediction: usize,
    /// x `[dim]`
    pub feature: Vec<f32>,
    /// `θ_j` in radians, `None` where feature or weight have no direction `[classes]`
    pub angles_rad: Vec<Option<f64>>,
    /// `ρcosθ_j`, or `W_j·x` + `b_j`: logits without margin `[classes]`
    pub plain_logits: Vec<f64>,
    /// Logits as they enter the softmax `[classes]`
    pub logits: Vec<f64>,
    /// Their softmax `[classes]`
    pub probabilities: Vec<f64>,
    /// What the loss makes of the angle to the own weight; `None` where logits are no cosines.
    pub target: Option<Target>,
    /// Cross entropy with penalty.
    pub loss: f64,
    /// The penalty's part of it; 0 for losses without one.
    pub penalty: f64,
    /// ∂L/∂x `[dim]`
    pub gradient: Vec<f64>,
}

/// The target's cosine before and after the margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// `cosθ_y`
    pub cos: f64,
    /// `ψ(θ_y)`
    pub psi: f64,
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
        let mut work = HeadWork::recording();
        let (loss, gradient) = run_head(head, feature, &[label], &mut work);
        let logits = work.record.map(|record| record.logits)?;
        let y = usize::from(label);
        let plain_logits = plain_logits(head, feature);
        let angles_rad = angles_rad(head, feature);
        let target = angles_rad[y].filter(|_| head.spec.form.is_angular());
        Some(Self {
            sample,
            is_binary: head.spec.form == Form::Binary,
            label: y,
            prediction: argmax(&plain_logits),
            feature: feature.to_vec(),
            plain_logits,
            probabilities: softmax(&logits),
            target: target.map(|theta_rad| Target {
                cos: theta_rad.cos(),
                psi: head.spec.target.psi(theta_rad, &head.in_force),
            }),
            angles_rad,
            loss,
            penalty: if head.spec.penalty.is_some() {
                loss - cross_entropy(&logits, y)
            } else {
                0.0
            },
            logits,
            gradient,
        })
    }

    /// Classes whose weight has a direction, by their angle, the nearest first.
    pub fn nearest(&self) -> Vec<usize> {
        nearest(&self.angles_rad)
    }

    /// The classes whose weights are nearest, two of them, and the sample's own.
    pub fn marked_classes(&self) -> Vec<usize> {
        let nearest = self.nearest();
        let marked = nearest.iter().enumerate();
        let marked = marked.filter(|(rank, class)| *rank < 2 || **class == self.label);
        marked.map(|(_, class)| *class).collect()
    }

    /// Classes for a table of at most `most` rows, in their order: all, or those of the sample, of
    /// its prediction, and of the nearest weights.
    pub fn table_classes(&self, most: usize) -> Vec<usize> {
        let first = [self.label, self.prediction];
        some_classes(&first, &self.angles_rad, most)
    }

    /// What the margin does to the target, in words with numbers; the letter behind `_` is a
    /// subscript.
    pub fn margin_effect(&self) -> String {
        let Some(Target { cos, psi }) = self.target else {
            return if self.is_binary {
                "No margin: w·x + b is the logit.".to_owned()
            } else {
                "No margin: W_y·x + b_y is the logit.".to_owned()
            };
        };
        if (cos - psi).abs() < 1e-6 {
            return format!("No margin: ψ = cos θ_y = {}.", signed(cos, 2));
        }
        let decimals = if (cos - psi).abs() < 0.05 { 3 } else { 2 };
        format!(
            "cos θ_y = {} → ψ = {}: logit {} → {}.",
            signed(cos, decimals),
            signed(psi, decimals),
            signed(self.plain_logits[self.label], 2),
            signed(self.logits[self.label], 2)
        )
    }

    /// ‖∂L/∂x‖
    pub fn gradient_size(&self) -> f64 {
        self.gradient.iter().map(|g| g * g).sum::<f64>().sqrt()
    }

    /// Where the feature would lie after a step of `learning_rate` against its own gradient: a
    /// step on the feature itself, not through a network that other samples share.
    pub fn next_feature(&self, learning_rate: f64) -> Vec<f64> {
        let steps = self.feature.iter().zip(&self.gradient);
        steps
            .map(|(&x, g)| f64::from(x) - learning_rate * g)
            .collect()
    }
}

/// Runs the head with the values in force over features `[dim, n]`, each for itself: the sum of
/// their losses, and ∂L/∂x of each `[dim, n]`.
pub(super) fn run_head(
    head: &HeadState,
    features: &[f32],
    labels: &[u16],
    work: &mut HeadWork<f64>,
) -> (f64, Vec<f64>) {
    let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let (weights, bias, centers) = (wide(&head.weights), wide(&head.bias), wide(&head.centers));
    let computed = Head {
        spec: head.spec.0,
        dim: head.dim,
        n_classes: head.n_classes,
    };
    let input = HeadInput {
        features: &wide(features),
        labels,
        weights: &weights,
        bias: &bias,
        centers: &centers,
        batch: 1, // no mean is taken
    };
    let mut gradients = vec![0.0; features.len()];
    let mut grads = HeadGrads {
        features: &mut gradients,
        weights: &mut vec![0.0; weights.len()],
        bias: &mut vec![0.0; bias.len()],
        center_sums: &mut vec![0.0; (head.dim + 1) * head.n_classes],
    };
    let loss = computed.run(input, &head.in_force, work, &mut grads);
    (loss, gradients)
}

/// With the sign of print, not the hyphen.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(size) if size.chars().any(|c| c.is_ascii_digit() && c != '0') => format!("−{size}"),
        Some(size) => size.to_owned(),
        None => text,
    }
}

fn norm(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

/// Logits without margin `[classes]`: `ρcosθ_j`, or `W_j·x + b_j`.
pub(super) fn plain_logits(head: &HeadState, feature: &[f32]) -> Vec<f64> {
    let mut scores = Vec::new();
    head.scorer().plain_scores(feature, &mut scores);
    let length = norm(feature);
    let scale = if !head.spec.form.is_cosine() {
        1.0
    } else if length > 0.0 {
        head.spec.scale(&head.in_force) / length
    } else {
        0.0 // no direction, no cosine
    };
    scores.iter().map(|score| scale * score).collect()
}

/// `θ_j`, `None` where feature or weight have no direction `[classes]`
pub(super) fn angles_rad(head: &HeadState, feature: &[f32]) -> Vec<Option<f64>> {
    let weights = (0..head.n_classes).map(|class| head.weight(class));
    weights.map(|weight| angle_rad(feature, weight)).collect()
}

/// Classes whose weight has a direction, by their angle, the nearest first.
pub(super) fn nearest(angles_rad: &[Option<f64>]) -> Vec<usize> {
    let angles = angles_rad.iter().enumerate();
    let mut known: Vec<(usize, f64)> = angles.filter_map(|(j, a)| Some((j, (*a)?))).collect();
    known.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    known.into_iter().map(|(class, _)| class).collect()
}

/// At most `most` classes in their order: all, or those named and those of the nearest weights.
pub(super) fn some_classes(named: &[usize], angles_rad: &[Option<f64>], most: usize) -> Vec<usize> {
    let n_classes = angles_rad.len();
    if n_classes <= most {
        return (0..n_classes).collect();
    }
    let mut chosen: Vec<usize> = Vec::new();
    for class in named.iter().copied().chain(nearest(angles_rad)) {
        if chosen.len() < most && !chosen.contains(&class) {
            chosen.push(class);
        }
    }
    chosen.sort_unstable();
    chosen
}

fn angle_rad(feature: &[f32], weight: &[f32]) -> Option<f64> {
    let have_directions = norm(feature) > 0.0 && norm(weight) > 0.0;
    have_directions.then(|| angle_between(feature, weight))
}

fn cross_entropy(logits: &[f64], label: usize) -> f64 {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|z| (z - highest).exp()).sum();
    sum.ln() + highest - logits[label]
}

pub(super) fn softmax(logits: &[f64]) -> Vec<f64> {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|z| (z - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::LOSSES;
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
    fn the_penalty_is_told_apart_from_the_cross_entropy() {
        let weights = even_weights(3);
        let mut snapshot = snapshot("center", 2, &weights, &[3.0, 1.0], &[0]);
        snapshot.head.centers = vec![1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        let seen = Microscope::of(&snapshot, 0).expect("a sample");
        let lambda = snapshot.head.in_force[0];
        assert!(
            (seen.penalty - 0.5 * lambda * 4.0).abs() < 1e-9,
            "λ/2‖x − c‖²"
        );
        let p = seen.probabilities[0];
        assert!((seen.loss - seen.penalty + p.ln()).abs() < 1e-9);
        assert_eq!(seen.target, None, "its logits are no cosines");
    }

    #[test]
    fn the_margin_takes_from_the_target_what_its_function_says() {
        let weights = even_weights(4);
        let theta_rad = 0.3_f64;
        let x = [theta_rad.cos() as f32, theta_rad.sin() as f32];
        for (loss, psi) in [
            ("arcface", (theta_rad + 0.3).cos()),
            ("cosface", theta_rad.cos() - 0.1),
            ("normface", theta_rad.cos()),
        ] {
            let mut snapshot = snapshot(loss, 2, &weights, &x, &[0]);
            if loss != "normface" {
                snapshot.head.in_force[0] = if loss == "arcface" { 0.3 } else { 0.1 };
            }
            let seen = Microscope::of(&snapshot, 0).expect("a sample");
            let target = seen.target.expect("a cosine");
            assert!((target.cos - theta_rad.cos()).abs() < 1e-6, "{loss}");
            assert!((target.psi - psi).abs() < 1e-6, "{loss}");
            let scale = snapshot.head.spec.scale(&snapshot.head.in_force);
            assert!((seen.logits[0] - scale * target.psi).abs() < 1e-5, "{loss}");
        }
    }

    #[test]
    fn a_short_table_has_the_label_the_prediction_and_the_nearest() {
        let weights = even_weights(40);
        // 63°: between classes 6 and 8, of class 20.
        let snapshot = snapshot("normface", 2, &weights, &[1.0, 2.0], &[20]);
        let seen = Microscope::of(&snapshot, 0).expect("a sample");
        assert_eq!((seen.label, seen.prediction), (20, 7));
        assert_eq!(seen.table_classes(5), [6, 7, 8, 9, 20]);
        assert_eq!(seen.table_classes(2), [7, 20]);
        assert_eq!(seen.table_classes(40).len(), 40);
    }

    #[test]
    fn the_effect_of_the_margin_is_told_with_its_numbers() {
        let weights = even_weights(4);
        let words = |loss: &str, margin: Option<f64>| {
            let x = [0.3_f32.cos(), 0.3_f32.sin()];
            let mut snapshot = snapshot(loss, 2, &weights, &x, &[0]);
            if let Some(margin) = margin {
                snapshot.head.in_force[0] = margin;
            }
            let seen = Microscope::of(&snapshot, 0).expect("a sample");
            seen.margin_effect()
        };
        assert_eq!(
            words("arcface", Some(1.5)),
            "cos θ_y = 0.96 → ψ = −0.23: logit 15.29 → −3.64."
        );
        assert_eq!(
            words("cosface", Some(0.01)),
            "cos θ_y = 0.955 → ψ = 0.945: logit 15.29 → 15.13."
        );
        assert_eq!(words("normface", None), "No margin: ψ = cos θ_y = 0.96.");
        assert_eq!(
            words("softmax", None),
            "No margin: W_y·x + b_y is the logit."
        );
        assert_eq!(
            (signed(-0.001, 2), signed(-1.0, 0)),
            ("0.00".into(), "−1".into())
        );
    }

    #[test]
    fn the_own_weight_is_marked_however_far_it_is() {
        let weights = even_weights(8);
        let marked = |label: u16| {
            let snapshot = snapshot("normface", 2, &weights, &[1.0, 0.1], &[label]);
            let seen = Microscope::of(&snapshot, 0).expect("a sample");
            seen.marked_classes()
        };
        assert_eq!(marked(0), [0, 1]);
        assert_eq!(marked(1), [0, 1]);
        assert_eq!(marked(5), [0, 1, 5]);
    }

    #[test]
    fn a_weight_of_length_zero_is_nearest_to_nothing() {
        let weights = [0.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        let snapshot = snapshot("softmax", 2, &weights, &[1.0, 0.5], &[1]);
        let seen = Microscope::of(&snapshot, 0).expect("a sample");
        assert_eq!(seen.angles_rad[0], None);
        assert_eq!(seen.nearest(), [1, 2]);
    }

    #[test]
    fn there_is_nothing_where_there_is_no_sample() {
        let weights = even_weights(3);
        let snapshot = snapshot("softmax", 2, &weights, &[1.0, 0.0], &[0]);
        assert_eq!(Microscope::of(&snapshot, 1), None);
    }
}
