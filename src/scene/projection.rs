//! Three dimensions out of more: the directions in which the features are largest.

use nalgebra::Vector3;

/// Most features that enter: a picture needs no more.
const MOST_SAMPLES: usize = 256;
/// Rounds of subspace iteration; the error shrinks by λ₄/λ₃ in each.
const ROUNDS: usize = 40;

/// A projection onto the three principal axes of the features about the origin, so that
/// directions stay directions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Projection {
    /// Orthonormal `[dim, 3]`
    axes: [Vec<f64>; 3],
    /// Part of the features' squared length that is seen.
    pub(super) share: f64,
}

impl Projection {
    /// The identity for three dimensions.
    pub(super) fn of(dim: usize, features: &[f32]) -> Self {
        let mut axes = [0, 1, 2].map(|k| unit(dim, k));
        let mut share = 1.0;
        if dim > 3 {
            let n = features.len() / dim;
            let stride = n.div_ceil(MOST_SAMPLES).max(1);
            let samples: Vec<&[f32]> = features
                .chunks_exact(dim)
                .step_by(stride)
                .filter(|x| x.iter().all(|x| x.is_finite()))
                .collect();
            // Not along one axis alone: a start perpendicular to the features would stay there.
            for (k, axis) in axes.iter_mut().enumerate() {
                for (i, a) in axis.iter_mut().enumerate() {
                    *a += 0.3 * (1.0 + (i * (k + 2)) as f64).sin();
                }
            }
            for _ in 0..ROUNDS {
                axes = iterate(&axes, &samples);
            }
            share = seen_share(&axes, &samples);
        }
        Self { axes, share }
    }

    /// A feature, or a step of one, as it is seen.
    #[inline]
    pub(super) fn apply<T: Copy + Into<f64>>(&self, x: &[T]) -> Vector3<f64> {
        if let &[a, b, c] = x {
            return Vector3::new(a.into(), b.into(), c.into()); // the axes are those of the space
        }
        let [a, b, c] = &self.axes;
        Vector3::new(dot(a, x), dot(b, x), dot(c, x))
    }
}

fn unit(dim: usize, k: usize) -> Vec<f64> {
    (0..dim).map(|i| if i == k { 1.0 } else { 0.0 }).collect()
}

fn dot<T: Copy + Into<f64>>(axis: &[f64], x: &[T]) -> f64 {
    axis.iter().zip(x).map(|(&a, &x)| a * x.into()).sum()
}

/// A ← orthonormal(Σ x xᵀ A).
fn iterate(axes: &[Vec<f64>; 3], samples: &[&[f32]]) -> [Vec<f64>; 3] {
    let mut next = axes.clone().map(|axis| vec![0.0; axis.len()]);
    for x in samples {
        for (axis, out) in axes.iter().zip(&mut next) {
            let along = dot(axis, x);
            for (out, &x) in out.iter_mut().zip(*x) {
                *out += along * f64::from(x);
            }
        }
    }
    for k in 0..3 {
        let (before, rest) = next.split_at_mut(k);
        let axis = &mut rest[0];
        let mut length = orthogonalize(axis, before);
        let mut spare = 0;
        while !length.is_finite() || length < 1e-150 {
            // Features in fewer dimensions: any axis perpendicular to the others serves.
            *axis = unit(axis.len(), spare % axes[0].len());
            length = orthogonalize(axis, before);
            length = if length < 0.1 { 0.0 } else { length };
            spare += 1;
        }
        for a in axis.iter_mut() {
            *a /= length;
        }
    }
    next
}

/// Takes away what lies along `others`; returns the length that is left.
fn orthogonalize(axis: &mut [f64], others: &[Vec<f64>]) -> f64 {
    let whole = axis.iter().map(|a| a * a).sum::<f64>().sqrt();
    for _ in 0..2 {
        for other in others {
            let along: f64 = axis.iter().zip(other).map(|(a, b)| a * b).sum();
            for (a, b) in axis.iter_mut().zip(other) {
                *a -= along * b;
            }
        }
    }
    let left = axis.iter().map(|a| a * a).sum::<f64>().sqrt();
    if left < 1e-12 * whole { 0.0 } else { left }
}

fn seen_share(axes: &[Vec<f64>; 3], samples: &[&[f32]]) -> f64 {
    let (mut seen, mut whole) = (0.0, 0.0);
    for x in samples {
        seen += axes.iter().map(|axis| dot(axis, x).powi(2)).sum::<f64>();
        whole += x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
    }
    if whole > 0.0 {
        (seen / whole).min(1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_dimensions_stay_as_they_are() {
        let projection = Projection::of(3, &[1.0, 2.0, 3.0]);
        assert_eq!(
            projection.apply(&[1.0, 2.0, 3.0]),
            Vector3::new(1.0, 2.0, 3.0)
        );
        assert_eq!(projection.share, 1.0);
    }

    #[test]
    fn the_axes_hold_what_lies_in_three_dimensions() {
        // Features in the space of coordinates 1, 3 and 4 of six.
        let features: Vec<f32> = (0..60)
            .flat_map(|i| {
                let t = i as f32;
                [
                    0.0,
                    3.0 * t.sin(),
                    0.0,
                    (2.0 * t).cos(),
                    (0.7 * t).sin(),
                    0.0,
                ]
            })
            .collect();
        let projection = Projection::of(6, &features);
        assert!(projection.share > 1.0 - 1e-9, "{}", projection.share);
        let x = &features[6..12];
        let length = x.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((projection.apply(x).norm() - f64::from(length)).abs() < 1e-6);
    }

    #[test]
    fn zero_and_non_finite_features_do_no_harm() {
        for value in [0.0, f32::NAN, f32::INFINITY] {
            let projection = Projection::of(5, &[value; 20]);
            assert!(projection.apply(&[1.0; 5]).iter().all(|x| x.is_finite()));
        }
    }
}
