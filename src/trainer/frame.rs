//! What a picture of a run shows, in little memory: kept for every moment that can be looked at again.

use std::sync::Arc;

use crate::data::Column;
use crate::experiment::Experiment;
use crate::trainer::InputPlane;
use crate::trainer::metrics::{HeadState, Metrics, examine};
use crate::trainer::probe::{Probe, Score};
use crate::trainer::snapshot::{History, Snapshot};

/// A moment of a run, to be looked at and not to be trained on from.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub step: u64,
    epochs: f64,
    pub experiment: Arc<Experiment>,
    head: HeadState,
    metrics: Metrics,
    other_score: Option<Score>,
    learning_rate: f64,
    samples: Samples,
    plane: Option<(Grid, Packed)>,
}

/// Which samples it shows, and where they are.
#[derive(Clone, Debug)]
struct Samples {
    is_train: bool,
    indices: Arc<[u32]>,
    labels: Arc<[u16]>,
    features: Packed,
}

/// An [`InputPlane`] without its features.
#[derive(Clone, Debug)]
struct Grid {
    corner: [f32; 2],
    side: f32,
    n_side: usize,
    samples: Arc<[f32]>,
    columns: Arc<[Column]>,
}

impl Grid {
    fn plane(&self, features: &Packed) -> InputPlane {
        InputPlane {
            samples: self.samples.to_vec(),
            corner: self.corner,
            side: self.side,
            n_side: self.n_side,
            features: features.values(),
            columns: Arc::clone(&self.columns),
        }
    }
}

/// Numbers of 16 bits, as shares of the largest magnitude among them: the error is at most 1/65,534
/// of it, a hundredth of a point in any picture.
#[derive(Clone, Debug, PartialEq)]
struct Packed {
    largest: f32,
    shares: Vec<i16>,
}

impl Packed {
    const MOST: f32 = i16::MAX as f32;

    fn of(values: &[f32]) -> Self {
        let largest = values.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let per_unit = if largest > 0.0 {
            Self::MOST / largest
        } else {
            0.0
        };
        let share = |x: &f32| (x * per_unit).round() as i16;
        Self {
            largest,
            shares: values.iter().map(share).collect(),
        }
    }

    fn values(&self) -> Vec<f32> {
        let unit = self.largest / Self::MOST;
        self.shares
            .iter()
            .map(|&share| f32::from(share) * unit)
            .collect()
    }

    fn n_bytes(&self) -> usize {
        2 * self.shares.len()
    }
}

/// Samples of a run of which every so many-th is kept, found once for all frames that follow.
#[derive(Clone, Debug, Default)]
pub(super) struct Thinner {
    of: Option<Arc<[u32]>>,
    places: Vec<u32>,
    indices: Arc<[u32]>,
    labels: Arc<[u16]>,
    /// Where the inputs of the kept samples are.
    inputs: Option<Arc<[f32]>>,
}

impl Thinner {
    /// Chooses at most so many of the samples, evenly; all of them where they are not more.
    fn choose(&mut self, indices: &Arc<[u32]>, labels: &[u16], most: usize) {
        let n_kept = indices.len().min(most.max(1));
        let is_known = self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, indices));
        if is_known && self.places.len() == n_kept {
            return;
        }
        let place = |i: usize| (i * indices.len() / n_kept) as u32;
        self.places = (0..n_kept).map(place).collect();
        let places = self.places.iter().map(|&place| place as usize);
        self.indices = places.clone().map(|place| indices[place]).collect();
        self.labels = places.map(|place| labels[place]).collect();
        self.of = Some(Arc::clone(indices));
        self.inputs = None;
    }

    /// The vectors of the chosen samples.
    fn pick<T: Copy>(&self, values: &[T], dim: usize) -> Vec<T> {
        let at = |&place: &u32| &values[place as usize * dim..][..dim];
        self.places.iter().flat_map(at).copied().collect()
    }

    /// The grid of a plane whose samples were chosen before.
    fn grid(&mut self, plane: &InputPlane) -> Grid {
        let inputs = self.inputs.take();
        let inputs = inputs.unwrap_or_else(|| self.pick(&plane.samples, 2).into());
        self.inputs = Some(Arc::clone(&inputs));
        Grid {
            corner: plane.corner,
            side: plane.side,
            n_side: plane.n_side,
            samples: inputs,
            columns: Arc::clone(&plane.columns),
        }
    }

    fn samples(&mut self, probe: &Probe, dim: usize, most_bytes: usize) -> Samples {
        self.choose(&probe.indices, &probe.labels, most_bytes / (2 * dim));
        Samples {
            is_train: probe.is_train,
            indices: Arc::clone(&self.indices),
            labels: Arc::clone(&self.labels),
            features: Packed::of(&self.pick(&probe.features, dim)),
        }
    }
}

impl Frame {
    /// What a snapshot shows. Samples beyond `most_bytes` are left out evenly, and the plane of the
    /// inputs where it has no room beside them.
    pub(super) fn of(snapshot: &Snapshot, thinner: &mut Thinner, most_bytes: usize) -> Self {
        let samples = thinner.samples(&snapshot.probe, snapshot.head.dim, most_bytes);
        let room = most_bytes.saturating_sub(samples.features.n_bytes());
        let plane = snapshot.input_plane.as_ref();
        let plane = plane.filter(|plane| 2 * plane.features.len() <= room);
        Self {
            step: snapshot.step,
            epochs: snapshot.epochs,
            experiment: Arc::clone(&snapshot.experiment),
            head: snapshot.head.clone(),
            metrics: snapshot.metrics,
            other_score: snapshot.other_score,
            learning_rate: snapshot.learning_rate,
            plane: plane.map(|plane| (thinner.grid(plane), Packed::of(&plane.features))),
            samples,
        }
    }

    /// The same with fewer samples, and without the plane of the inputs.
    pub(super) fn shrunk(&self, thinner: &mut Thinner, most_bytes: usize) -> Self {
        let (samples, dim) = (&self.samples, self.head.dim);
        thinner.choose(&samples.indices, &samples.labels, most_bytes / (2 * dim));
        Self {
            samples: Samples {
                is_train: samples.is_train,
                indices: Arc::clone(&thinner.indices),
                labels: Arc::clone(&thinner.labels),
                features: Packed {
                    largest: samples.features.largest,
                    shares: thinner.pick(&samples.features.shares, dim),
                },
            },
            plane: None,
            ..self.clone()
        }
    }

    /// Memory that it holds alone.
    pub(super) fn n_bytes(&self) -> usize {
        let head = &self.head;
        let n_floats = head.weights.len() + head.bias.len() + head.centers.len();
        let plane = self.plane.as_ref().map_or(0, |(_, plane)| plane.n_bytes());
        size_of::<Self>() + 4 * n_floats + self.samples.features.n_bytes() + plane
    }

    /// The moment as a picture is drawn of it. What does not change in a run is that of `live`, a
    /// snapshot of the same run; `history` goes beyond the moment.
    pub(super) fn snapshot(&self, live: &Snapshot, history: &History) -> Snapshot {
        let features = self.samples.features.values();
        let labels = Arc::clone(&self.samples.labels);
        let (_, detail) = examine(&self.head, &features, &labels).unwrap_or_default();
        Snapshot {
            step: self.step,
            epochs: self.epochs,
            experiment: Arc::clone(&self.experiment),
            head: self.head.clone(),
            probe: Probe {
                is_train: self.samples.is_train,
                indices: Arc::clone(&self.samples.indices),
                computed_at: vec![self.step; labels.len()],
                labels,
                features,
            },
            metrics: self.metrics,
            detail: Arc::new(detail),
            input_plane: self.plane.as_ref().map(|(grid, plane)| grid.plane(plane)),
            drawn: None,
            other_score: self.other_score,
            history: history.until(self.step),
            learning_rate: self.learning_rate,
            samples_per_second: 0.0,
            is_playing: false,
            fault: None,
            refusal: None,
            ..live.clone()
        }
    }
}
