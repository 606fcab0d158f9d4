//! What is counted beside the metrics: angles, predictions, which class is taken for which.

use crate::trainer::collapse::Collapse;

/// Counts over the samples that were measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {
    /// Samples by `θ_y`, in [`N_ANGLE_BINS`] equal bins from 0 to π; a sample or weight of length
    /// zero has none.
    pub target_angles: Vec<u32>,
    /// The plain argmax of each sample `[n]`
    pub predictions: Vec<u16>,
    /// Samples of class y that are taken for k, at y·C + k; empty beyond [`MOST_CONFUSED`] classes.
    pub confusion: Vec<u32>,
    /// How near to neural collapse, if every class has a sample.
    pub collapse: Option<Collapse>,
    n_classes: usize,
}

/// Bins of 3°.
pub const N_ANGLE_BINS: usize = 60;
/// A table of more classes squared would be larger than what it counts.
pub const MOST_CONFUSED: usize = 100;

impl Detail {
    pub(super) fn new(n_classes: usize) -> Self {
        let n_pairs = if n_classes <= MOST_CONFUSED {
            n_classes * n_classes
        } else {
            0
        };
        Self {
            target_angles: vec![0; N_ANGLE_BINS],
            predictions: Vec::new(),
            confusion: vec![0; n_pairs],
            collapse: None,
            n_classes,
        }
    }

    /// Counts one more sample of class `label`.
    pub(super) fn count(&mut self, label: usize, prediction: usize, target_angle_rad: Option<f64>) {
        if let Some(angle_rad) = target_angle_rad {
            let bin = angle_rad / std::f64::consts::PI * N_ANGLE_BINS as f64;
            self.target_angles[(bin as usize).min(N_ANGLE_BINS - 1)] += 1;
        }
        self.predictions.push(prediction as u16);
        if let Some(count) = self.confusion.get_mut(label * self.n_classes + prediction) {
            *count += 1;
        }
    }
}
