//! Neural collapse: how near features and weights are to the one arrangement that training ends in
//! (Papyan, Han and Donoho 2020, arXiv 2008.08186; `losses.md` 7).

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::trainer::metrics::HeadState;

/// All of them fall to 0 while classes collapse to their means and these spread evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Collapse {
    /// NC1, tr(`Σ_W` `Σ_B`⁺)/C: spread within the classes over the spread of their means.
    pub within: f64,
    /// NC2, equal lengths: standard deviation over mean of the lengths of the centered means.
    pub unequal_lengths: f64,
    /// NC2, equal angles: standard deviation of the cosines between them.
    pub unequal_angles: f64,
    /// NC2, largest angles: mean |cos + 1/(C − 1)|; `None` beyond C = d + 1, where no simplex fits.
    pub off_simplex: Option<f64>,
    /// NC3, distance of weights and means, both centered and of length 1.
    pub off_dual: f64,
    /// NC4, share of samples that the nearest mean classifies otherwise than the head does.
    pub disagreement: f64,
}

/// Eigenvalues below this share of the largest count as zero.
const RANK_SHARE: f64 = 1e-6;

/// Measures features `[dim, n]` with what the head predicts for each; features of angular heads
/// count by direction. `None` where a class has no sample or there are fewer than two classes.
pub(super) fn collapse(
    head: &HeadState,
    features: &[f32],
    labels: &[u16],
    predictions: &[u16],
) -> Option<Collapse> {
    let (dim, n_classes) = (head.dim, head.n_classes);
    let is_angular = head.spec.form.is_angular();
    let h = |x: &[f32]| {
        let h = DVector::from_iterator(dim, x.iter().map(|&x| f64::from(x)));
        if is_angular {
            h.try_normalize(f64::MIN_POSITIVE)
                .unwrap_or_else(|| DVector::zeros(dim))
        } else {
            h
        }
    };
    let samples = || {
        features
            .chunks_exact(dim)
            .zip(labels)
            .map(|(x, &y)| (h(x), usize::from(y)))
    };
    let (means, center) = centered_means(samples(), dim, n_classes)?;
    let mut within = DMatrix::zeros(dim, dim);
    let mut n_disagreeing = 0_u32;
    for ((h, y), &prediction) in samples().zip(predictions) {
        let from_center = h - &center;
        let nearest = nearest_column(&means, &from_center);
        n_disagreeing += u32::from(nearest != usize::from(prediction));
        let from_mean = from_center - means.column(y);
        within.ger(1.0, &from_mean, &from_mean, 1.0);
    }
    let n = labels.len() as f64;
    let between = &means * means.transpose() / n_classes as f64;
    let lengths: Vec<f64> = means.column_iter().map(|mean| mean.norm()).collect();
    let cosines = pair_cosines(&means);
    let simplex = 1.0 / (n_classes as f64 - 1.0);
    let departures: Vec<f64> = cosines.iter().map(|cos| (cos + simplex).abs()).collect();
    Some(Collapse {
        within: (within / n * pseudo_inverse(between)).trace() / n_classes as f64,
        unequal_lengths: deviation(&lengths) / mean(&lengths).max(f64::MIN_POSITIVE),
        unequal_angles: deviation(&cosines),
        off_simplex: (n_classes <= dim + 1).then(|| mean(&departures)),
        off_dual: off_dual(head, &means),
        disagreement: f64::from(n_disagreeing) / n,
    })
}

/// Class means less their mean `[dim, classes]`, and that mean.
fn centered_means(
    samples: impl Iterator<Item = (DVector<f64>, usize)>,
    dim: usize,
    n_classes: usize,
) -> Option<(DMatrix<f64>, DVector<f64>)> {
    let mut means = DMatrix::zeros(dim, n_classes);
    let mut counts = vec![0_u32; n_classes];
    for (h, y) in samples {
        let mut mean = means.column_mut(y);
        mean += h;
        counts[y] += 1;
    }
    if n_classes < 2 || counts.contains(&0) {
        return None;
    }
    for (mut mean, &count) in means.column_iter_mut().zip(&counts) {
        mean /= f64::from(count);
    }
    let center = means.column_mean();
    for mut mean in means.column_iter_mut() {
        mean -= &center;
    }
    Some((means, center))
}

fn nearest_column(columns: &DMatrix<f64>, point: &DVector<f64>) -> usize {
    let distances = columns
        .column_iter()
        .map(|column| (column - point).norm_squared());
    let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
    nearest.map_or(0, |(j, _)| j)
}

/// cos between every two columns; 0 where one is zero.
fn pair_cosines(columns: &DMatrix<f64>) -> Vec<f64> {
    let n = columns.ncols();
    let pairs = (0..n).flat_map(|j| (j + 1..n).map(move |k| (j, k)));
    pairs
        .map(|(j, k)| {
            let (a, b) = (columns.column(j), columns.column(k));
            a.dot(&b) / (a.norm() * b.norm()).max(f64::MIN_POSITIVE)
        })
        .collect()
}

fn pseudo_inverse(symmetric: DMatrix<f64>) -> DMatrix<f64> {
    let SymmetricEigen {
        eigenvalues,
        eigenvectors,
    } = SymmetricEigen::new(symmetric);
    let least = RANK_SHARE * eigenvalues.max();
    let inverse = eigenvalues.map(|value| if value > least { 1.0 / value } else { 0.0 });
    &eigenvectors * DMatrix::from_diagonal(&inverse) * eigenvectors.transpose()
}

/// ‖W/‖W‖ − M/‖M‖‖ (Frobenius) with both centered: at most 2.
fn off_dual(head: &HeadState, means: &DMatrix<f64>) -> f64 {
    let weights = head.weights.iter().map(|&w| f64::from(w));
    let mut weights = DMatrix::from_iterator(head.dim, head.n_classes, weights);
    if head.spec.form.has_unit_weights() {
        for mut w in weights.column_iter_mut() {
            let length = w.norm().max(f64::MIN_POSITIVE);
            w /= length;
        }
    }
    let center = weights.column_mean();
    for mut w in weights.column_iter_mut() {
        w -= &center;
    }
    let unit = |m: &DMatrix<f64>| m / m.norm().max(f64::MIN_POSITIVE);
    (unit(&weights) - unit(means)).norm()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2));
    (squares.sum::<f64>() / values.len().max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss;
    use crate::loss::Setting;
    use crate::trainer::metrics::Named;

    fn head(loss_id: &str, dim: usize, weights: Vec<f32>) -> HeadState {
        let spec = loss::find(loss_id).expect("a loss of the registry");
        let n_classes = weights.len() / dim;
        let values = spec.defaults(Setting { n_classes, dim });
        HeadState {
            spec: Named(spec),
            dim,
            n_classes,
            values,
            in_force: values,
            bias: vec![0.0; n_classes],
            weights,
            centers: Vec::new(),
        }
    }

    /// Three directions at 120°.
    const TRIANGLE: [f32; 6] = [1.0, 0.0, -0.5, 0.866_025_4, -0.5, -0.866_025_4];

    #[test]
    fn a_collapsed_simplex_has_none_of_it() {
        let head = head("normface", 2, TRIANGLE.to_vec());
        let features: Vec<f32> = TRIANGLE.iter().flat_map(|_| TRIANGLE).collect();
        let labels: Vec<u16> = (0..18).map(|i| i % 3).collect();
        let found = collapse(&head, &features, &labels, &labels).expect("all classes");
        let Collapse {
            within,
            unequal_lengths,
            unequal_angles,
            off_simplex,
            off_dual,
            disagreement,
        } = found;
        for value in [
            within,
            unequal_lengths,
            unequal_angles,
            off_dual,
            disagreement,
        ] {
            assert!(value.abs() < 1e-6, "{found:?}");
        }
        assert!(off_simplex.is_some_and(|off| off < 1e-6));
    }

    /// Two classes on a line at ±2 with deviation 0.5: `Σ_W` = 0.25, `Σ_B` = 4 along it, rank one.
    #[test]
    fn spread_within_is_measured_against_the_spread_of_the_means() {
        let head = head("softmax", 2, vec![1.0, 0.0, -1.0, 0.0]);
        let features = [1.5, 3.0, 2.5, 3.0, -1.5, 3.0, -2.5, 3.0];
        let found = collapse(&head, &features, &[0, 0, 1, 1], &[0, 0, 1, 0]).expect("both");
        assert!((found.within - 0.25 / 4.0 / 2.0).abs() < 1e-9, "{found:?}");
        assert!(found.unequal_lengths.abs() < 1e-9 && found.off_dual < 1e-6);
        assert_eq!(found.disagreement, 0.25);
    }

    #[test]
    fn a_class_without_samples_has_no_mean() {
        let head = head("softmax", 2, TRIANGLE.to_vec());
        assert_eq!(
            collapse(&head, &[1.0, 0.0, 0.0, 1.0], &[0, 1], &[0, 1]),
            None
        );
    }
}
