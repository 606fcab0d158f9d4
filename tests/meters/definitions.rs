//! The definitions of `losses.md` 7 once more, in f64.

use super::*;

/// Features and weights are f32 on both sides, and every sum is in f64: what differs is the order
/// of some thousand operations. Angles near 0 are compared in radians, so that this holds there.
pub(super) const ROUNDING: f64 = 1e-9;

/// What is measured of samples, each by its definition.
pub(super) struct Defined<'a> {
    head: &'a HeadState,
    /// x
    features: Vec<DVector<f64>>,
    /// y
    labels: Vec<usize>,
    /// W_j
    weights: Vec<DVector<f64>>,
}

pub(super) fn columns(values: &[f32], dim: usize) -> Vec<DVector<f64>> {
    let column = |x: &[f32]| DVector::from_iterator(dim, x.iter().map(|&x| f64::from(x)));
    values.chunks_exact(dim).map(column).collect()
}

/// The angle between two vectors; `None` where one has no direction.
pub(super) fn angle(a: &DVector<f64>, b: &DVector<f64>) -> Option<f64> {
    if a.norm() == 0.0 || b.norm() == 0.0 {
        return None;
    }
    let area_squared: f64 = (0..a.len())
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .map(|(i, j)| (a[i] * b[j] - a[j] * b[i]).powi(2))
        .sum();
    Some(area_squared.sqrt().atan2(a.dot(b)))
}

pub(super) fn unit(a: &DVector<f64>) -> DVector<f64> {
    if a.norm() == 0.0 {
        a.clone()
    } else {
        a / a.norm()
    }
}

pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.into_iter().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

pub(super) fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values.iter().copied()).expect("values");
    let squares = values.iter().map(|value| (value - middle).powi(2));
    mean(squares).expect("values").sqrt()
}

pub(super) fn least_angle(directions: &[DVector<f64>]) -> Option<f64> {
    let mut least = f64::INFINITY;
    for (j, a) in directions.iter().enumerate() {
        for b in &directions[..j] {
            least = least.min(angle(a, b)?);
        }
    }
    least.is_finite().then_some(least)
}

/// S_m of `losses.md` 1.
pub(super) fn staircase(theta: f64, m: f64) -> f64 {
    let k = (m * theta / PI).floor().min(m - 1.0);
    let sign = if k % 2.0 == 0.0 { 1.0 } else { -1.0 };
    sign * (m * theta).cos() - 2.0 * k
}

/// Mean of each class; `None` if one has no sample.
pub(super) fn class_means(
    h: &[DVector<f64>],
    labels: &[usize],
    n: usize,
) -> Option<Vec<DVector<f64>>> {
    let of = |class: usize| {
        let members = h.iter().zip(labels).filter(|(_, y)| **y == class);
        let members: Vec<_> = members.map(|(h, _)| h).collect();
        let zero = DVector::zeros(h.first()?.len());
        let sum = members.iter().fold(zero, |sum, h| sum + *h);
        (!members.is_empty()).then(|| sum / members.len() as f64)
    };
    (0..n).map(of).collect()
}

/// Columns less their mean.
pub(super) fn centered(columns: &[DVector<f64>]) -> DMatrix<f64> {
    let middle = DMatrix::from_columns(columns).column_mean();
    let columns: Vec<_> = columns.iter().map(|column| column - &middle).collect();
    DMatrix::from_columns(&columns)
}

impl<'a> Defined<'a> {
    pub(super) fn new(head: &'a HeadState, features: &[f32], labels: &[u16]) -> Self {
        Self {
            head,
            features: columns(features, head.dim),
            labels: labels.iter().map(|&y| usize::from(y)).collect(),
            weights: columns(&head.weights, head.dim),
        }
    }

    pub(super) fn n(&self) -> f64 {
        self.labels.len() as f64
    }

    pub(super) fn samples(&self) -> impl Iterator<Item = (&DVector<f64>, usize)> {
        self.features.iter().zip(self.labels.iter().copied())
    }

    pub(super) fn has_bias(&self) -> bool {
        ["binary_cross_entropy", "softmax", "center"].contains(&self.head.spec.id)
    }

    /// W_j·x + b_j; for losses on the angle without a bias, and with W_j at length 1 but in
    /// L-softmax.
    pub(super) fn scores(&self, x: &DVector<f64>) -> Vec<f64> {
        let score = |(j, w): (usize, &DVector<f64>)| {
            if self.has_bias() {
                w.dot(x) + f64::from(self.head.bias[j])
            } else if self.head.spec.id == "l_softmax" {
                w.dot(x)
            } else {
                unit(w).dot(x)
            }
        };
        self.weights.iter().enumerate().map(score).collect()
    }

    pub(super) fn prediction(&self, x: &DVector<f64>) -> usize {
        let scores = self.scores(x);
        let mut best = 0;
        for j in 1..scores.len() {
            if scores[j] > scores[best] {
                best = j;
            }
        }
        best
    }

    pub(super) fn value(&self, id: &str) -> f64 {
        let index = self.head.spec.param_index(id).expect("a parameter");
        self.head.values[index]
    }

    /// ψ of `losses.md` 1, ArcFace with its `linear` guard of section 4.
    pub(super) fn psi(&self, theta: f64) -> f64 {
        let blended = || {
            let (m, lambda) = (self.value("margin"), self.value("lambda"));
            (lambda * theta.cos() + staircase(theta, m)) / (1.0 + lambda)
        };
        match self.head.spec.id {
            "modified_softmax" | "normface" => theta.cos(),
            "l_softmax" | "sphereface" => blended(),
            "cosface" => theta.cos() - self.value("margin"),
            "arcface" if theta + self.value("margin") < PI => (theta + self.value("margin")).cos(),
            "arcface" => theta.cos() - self.value("margin") * self.value("margin").sin(),
            "combined" => (self.value("m1") * theta + self.value("m2")).cos() - self.value("m3"),
            other => panic!("{other} has no ψ"),
        }
    }

    /// f_y ≥ 0.
    pub(super) fn has_margin(&self, x: &DVector<f64>, y: usize) -> bool {
        let scores = self.scores(x);
        let rivals = scores.iter().enumerate().filter(|(j, _)| *j != y);
        let rival = rivals.map(|(_, score)| *score).fold(f64::MIN, f64::max);
        if self.has_bias() {
            return scores[y] >= rival;
        }
        let Some(theta) = angle(x, &self.weights[y]) else {
            return false; // without a direction there is no class to be in
        };
        let length = if self.head.spec.id == "l_softmax" {
            x.norm() * self.weights[y].norm()
        } else {
            x.norm()
        };
        length * self.psi(theta) >= rival
    }

    /// Normalized mean of the u of each class; `None` where there is none.
    pub(super) fn class_directions(&self) -> Vec<Option<DVector<f64>>> {
        let of = |class: usize| {
            let members = self.samples().filter(|(_, y)| *y == class);
            let sum = members.fold(DVector::zeros(self.head.dim), |sum, (x, _)| sum + unit(x));
            (sum.norm() > 1e-9).then(|| unit(&sum))
        };
        (0..self.head.n_classes).map(of).collect()
    }

    pub(super) fn metrics(&self) -> Metrics {
        let share = |holds: &dyn Fn(&DVector<f64>, usize) -> bool| {
            self.samples().filter(|(x, y)| holds(x, *y)).count() as f64 / self.n()
        };
        let is_binary = self.head.spec.id == "binary_cross_entropy";
        let directions = self.class_directions();
        let all: Option<Vec<_>> = directions.iter().cloned().collect();
        let to_weight = |(x, y): (&DVector<f64>, usize)| angle(x, &self.weights[y]);
        let to_mean = |(x, y): (&DVector<f64>, usize)| angle(x, directions[y].as_ref()?);
        Metrics {
            n_samples: self.labels.len(),
            accuracy: share(&|x, y| self.prediction(x) == y),
            target_angle_rad: mean(self.samples().filter_map(to_weight)).filter(|_| !is_binary),
            intra_class_angle_rad: mean(self.samples().filter_map(to_mean)),
            min_weight_angle_rad: least_angle(&self.weights).filter(|_| !is_binary),
            min_class_mean_angle_rad: all.and_then(|directions| least_angle(&directions)),
            mean_feature_norm: mean(self.features.iter().map(DVector::norm)).expect("samples"),
            margin_satisfied: share(&|x, y| self.has_margin(x, y)),
        }
    }

    /// The weights, at length 1 where only their directions count.
    pub(super) fn scoring_weights(&self) -> Vec<DVector<f64>> {
        if self.has_bias() || self.head.spec.id == "l_softmax" {
            self.weights.clone()
        } else {
            self.weights.iter().map(unit).collect()
        }
    }

    /// NC1 to NC4; the pseudo-inverse by singular values, the traces by matrices.
    pub(super) fn collapse(&self) -> Option<Collapse> {
        let (dim, n_classes) = (self.head.dim, self.head.n_classes);
        let h: Vec<DVector<f64>> = if self.has_bias() {
            self.features.clone()
        } else {
            self.features.iter().map(unit).collect()
        };
        let samples = || h.iter().zip(self.labels.iter().copied());
        let means = class_means(&h, &self.labels, n_classes)?;
        let m = centered(&means);
        let mut within = DMatrix::zeros(dim, dim);
        for (h, y) in samples() {
            let off = h - &means[y];
            within += &off * off.transpose() / self.n();
        }
        let between = &m * m.transpose() / n_classes as f64;
        let largest = between.singular_values().max();
        let inverse = between.pseudo_inverse(1e-6 * largest).expect("a matrix");
        let lengths: Vec<f64> = m.column_iter().map(|column| column.norm()).collect();
        let mut cosines = Vec::new();
        for j in 0..n_classes {
            for k in (0..n_classes).filter(|k| *k != j) {
                cosines.push(m.column(j).dot(&m.column(k)) / (lengths[j] * lengths[k]));
            }
        }
        let simplex = -1.0 / (n_classes as f64 - 1.0);
        let w = centered(&self.scoring_weights());
        let disagrees = |((h, _), x): &((&DVector<f64>, usize), &DVector<f64>)| {
            let mut nearest = 0;
            for j in 1..n_classes {
                if (*h - &means[j]).norm() < (*h - &means[nearest]).norm() {
                    nearest = j;
                }
            }
            nearest != self.prediction(x)
        };
        let n_disagreeing = samples().zip(&self.features).filter(disagrees).count();
        Some(Collapse {
            within: (within * inverse).trace() / n_classes as f64,
            unequal_lengths: deviation(&lengths) / mean(lengths.clone()).expect("classes"),
            unequal_angles: deviation(&cosines),
            off_simplex: (n_classes <= dim + 1)
                .then(|| mean(cosines.iter().map(|cos| (cos - simplex).abs())))
                .flatten(),
            off_dual: (&w / w.norm() - &m / m.norm()).norm(),
            disagreement: n_disagreeing as f64 / self.n(),
        })
    }

    /// Samples by their angle in bins of 3°, and by class and prediction.
    pub(super) fn counts(&self) -> (Vec<u32>, Vec<u32>) {
        let mut angles = vec![0; 60];
        let mut confusion = vec![0; self.head.n_classes * self.head.n_classes];
        for (x, y) in self.samples() {
            if let Some(theta) = angle(x, &self.weights[y]) {
                angles[((theta.to_degrees() / 3.0) as usize).min(59)] += 1;
            }
            confusion[y * self.head.n_classes + self.prediction(x)] += 1;
        }
        (angles, confusion)
    }
}
