//! The classes that compete for a direction: weights, biases, and the feature norm they are seen at.

use nalgebra::SVector;

use crate::geometry::angle;

/// The target logit before the scale, ψ(θ) for θ in [0, π]; may jump (losses.md 1 and 4).
pub type Psi<'a> = &'a dyn Fn(f64) -> f64;

/// Weights this much closer than their own length are one weight; f64 leaves 16 digits.
const COINCIDENT: f64 = 1e-12;

/// A classification head as geometry sees it: `score_j(u) = r·W_j·u + b_j`, u a unit direction.
///
/// `W` in `D` dimensions, `r` the feature norm. Cosine heads have unit weights, b = 0 and r = 1
/// ([`Head::cosine`]). In [`crate::geometry::plane`] the features are raw, so u is x and r is 1.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a, const D: usize> {
    class_weights: &'a [SVector<f64, D>],
    bias: &'a [f64],
    norm: f64,
}

impl<'a, const D: usize> Head<'a, D> {
    /// A head seen at feature norm `norm` > 0. Missing biases are 0, so `&[]` means none.
    pub fn new(class_weights: &'a [SVector<f64, D>], bias: &'a [f64], norm: f64) -> Self {
        Self {
            class_weights,
            bias,
            norm,
        }
    }

    /// A head without bias at feature norm 1; the caller passes unit weights.
    pub fn cosine(class_weights: &'a [SVector<f64, D>]) -> Self {
        Self::new(class_weights, &[], 1.0)
    }

    /// The number of classes C.
    pub fn n_classes(&self) -> usize {
        self.class_weights.len()
    }

    /// `W_j`; zero for a class that does not exist.
    pub fn class_weight(&self, class: usize) -> SVector<f64, D> {
        self.class_weights
            .get(class)
            .copied()
            .unwrap_or_else(SVector::zeros)
    }

    /// `b_j`; 0 where none was given.
    pub fn bias(&self, class: usize) -> f64 {
        self.bias.get(class).copied().unwrap_or(0.0)
    }

    /// The feature norm r.
    pub fn norm(&self) -> f64 {
        self.norm
    }

    /// `v_j = W_j/‖W_j‖`, or `None` for a zero weight.
    pub fn class_direction(&self, class: usize) -> Option<SVector<f64, D>> {
        self.class_weight(class).try_normalize(0.0)
    }

    /// `score_j(u) = r·W_j·u + b_j`.
    pub fn score(&self, class: usize, u: &SVector<f64, D>) -> f64 {
        self.norm * self.class_weight(class).dot(u) + self.bias(class)
    }

    /// The class with the highest score at `u`, the lowest index among equals; `None` if C = 0.
    pub fn winner(&self, u: &SVector<f64, D>) -> Option<usize> {
        self.best_rival(usize::MAX, u).map(|(class, _)| class)
    }

    /// The best class other than `class` at `u`, with its score.
    pub fn best_rival(&self, class: usize, u: &SVector<f64, D>) -> Option<(usize, f64)> {
        let scored = (0..self.n_classes())
            .filter(|&k| k != class)
            .map(|k| (k, self.score(k, u)));
        scored.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// `target_j(u) = r·‖W_j‖·ψ(θ_j) + b_j`, the score of class j as training demands it.
    pub fn target(&self, class: usize, u: &SVector<f64, D>, psi: Psi<'_>) -> f64 {
        let weight = self.class_weight(class);
        let theta_rad = angle::angle_rad(u.as_slice(), weight.as_slice());
        self.norm * weight.norm() * psi(theta_rad) + self.bias(class)
    }

    /// `f_j(u) = target_j(u) − max_{k≠j} score_k(u)`: the margin holds where this is ≥ 0.
    ///
    /// +∞ for the only class.
    pub fn margin(&self, class: usize, u: &SVector<f64, D>, psi: Psi<'_>) -> f64 {
        let rival = self.best_rival(class, u).map_or(f64::NEG_INFINITY, |r| r.1);
        self.target(class, u, psi) - rival
    }

    /// The size of scores, `|r|·max ‖W_j‖ + max |b_j|`: what rounding is relative to.
    pub fn score_scale(&self) -> f64 {
        let largest = |sizes: &mut dyn Iterator<Item = f64>| sizes.fold(0.0, f64::max);
        let weight = largest(&mut self.class_weights.iter().map(SVector::norm));
        self.norm.abs() * weight + largest(&mut self.bias.iter().map(|b| b.abs()))
    }

    /// How far below 0 rounding may push an `f_j` that is 0: a few hundred units in the last place.
    pub(super) fn margin_tolerance(&self) -> f64 {
        1e-13 * self.score_scale()
    }

    /// Where class `j` beats class `k` ≠ j.
    pub(super) fn contest(&self, j: usize, k: usize) -> Contest<D> {
        let (w_j, w_k) = (self.class_weight(j), self.class_weight(k));
        let difference = (w_j - w_k) * self.norm;
        let size = difference.norm();
        let raise = self.bias(k) - self.bias(j);
        if size <= COINCIDENT * self.norm.abs() * w_j.norm().max(w_k.norm()) {
            let wins = raise < 0.0 || (raise == 0.0 && j < k);
            return if wins {
                Contest::Always
            } else {
                Contest::Never
            };
        }
        Contest::Split {
            normal: difference / size,
            offset: raise / size,
            size,
        }
    }
}

/// Where one class beats another: everywhere, nowhere, or {u: normal·u ≥ offset}.
#[derive(Debug, Clone, Copy)]
pub(super) enum Contest<const D: usize> {
    Always,
    Never,
    /// `normal` is a unit vector, `size` the length of `r(W_j − W_k)` it was made from.
    Split {
        normal: SVector<f64, D>,
        offset: f64,
        size: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Vector2;

    #[test]
    fn equal_classes_go_to_the_lowest_index() {
        let weights = [Vector2::new(1.0, 0.0); 3];
        let head = Head::cosine(&weights);
        assert_eq!(head.winner(&Vector2::new(0.3, 0.4)), Some(0));
        assert!(matches!(head.contest(0, 2), Contest::Always));
        assert!(matches!(head.contest(2, 1), Contest::Never));
    }

    #[test]
    fn bias_decides_between_equal_weights() {
        let weights = [Vector2::new(1.0, 0.0); 2];
        let head = Head::new(&weights, &[0.0, 1.0], 2.0);
        assert!(matches!(head.contest(1, 0), Contest::Always));
        assert_eq!(head.winner(&Vector2::new(1.0, 0.0)), Some(1));
    }

    #[test]
    fn margin_with_cosine_is_the_lead() {
        let weights = [Vector2::new(2.0, 0.0), Vector2::new(0.0, 3.0)];
        let head = Head::new(&weights, &[0.5], 4.0);
        let u = Vector2::new(0.6, 0.8);
        let lead = head.score(0, &u) - head.score(1, &u);
        assert!((head.margin(0, &u, &f64::cos) - lead).abs() < 1e-13);
        assert_eq!(
            Head::cosine(&weights[..1]).margin(0, &u, &f64::cos),
            f64::INFINITY
        );
    }

    #[test]
    fn a_missing_class_is_harmless() {
        let head = Head::<2>::cosine(&[]);
        assert_eq!(head.winner(&Vector2::new(1.0, 0.0)), None);
        assert_eq!(head.score(3, &Vector2::new(1.0, 0.0)), 0.0);
        assert_eq!(head.class_direction(0), None);
    }
}
