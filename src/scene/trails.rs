//! Where samples were in the last steps: a bounded memory of their features, and the lines through
//! them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::scene::evenly::evenly;
use crate::scene::look::Look;
use crate::scene::place::Places;
use crate::scene::{Classes, Item, Rgba, ViewState};
use crate::trainer::{Probe, Snapshot};

/// Places that are remembered of each sample.
const LENGTH: usize = Trails::LENGTH;
/// Coordinates of a step that are remembered: of 2,000 samples in three dimensions.
const MOST_COORDINATES: usize = 6000;
/// Samples with a trail: more hide one another.
const MOST_SAMPLES: usize = 2000;
/// Places closer than this are one, in points.
const LEAST_STEP: f32 = 0.25;

/// Past features of some of the samples that are drawn.
#[derive(Clone, Debug, Default)]
pub struct Trails {
    of: Option<Of>,
    /// Which samples of the probe, evenly from the classes `[n]`
    samples: Vec<u32>,
    /// A ring of features for each `[dim, LENGTH, n]`
    past: Vec<f32>,
    /// After which step each was computed `[LENGTH, n]`
    steps: Vec<u64>,
    rings: Vec<Ring>,
}

/// What past features belong to.
#[derive(Clone, Debug)]
struct Of {
    generation: u64,
    dim: usize,
    /// Lengths under one loss say nothing under another.
    loss_id: &'static str,
    is_train: bool,
    indices: Arc<[u32]>,
}

/// One sample's part of the past.
#[derive(Clone, Copy, Debug, Default)]
struct Ring {
    /// Features in it.
    len: usize,
    /// Where the next one goes.
    next: usize,
}

impl Ring {
    /// Where the one lies that is `age` older than the newest, if it is remembered.
    fn slot(self, age: usize) -> Option<usize> {
        (age < self.len).then(|| (self.next + LENGTH - 1 - age) % LENGTH)
    }

    fn push(&mut self) -> usize {
        let slot = self.next;
        self.next = (self.next + 1) % LENGTH;
        self.len = (self.len + 1).min(LENGTH);
        slot
    }
}

/// Which places trails are made of, so that another run of the same steps can make them again: for
/// each age, the newest first, runs of samples `[from, to, step]` whose place was computed after the
/// same step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrailSteps(Vec<Vec<[u64; 3]>>);

impl TrailSteps {
    /// As many places as a trail has, every `stride` steps before step `end`, of all `n` samples.
    pub fn even(n: usize, end: u64, stride: u64) -> Self {
        let ages = (1..=LENGTH as u64).map_while(|age| end.checked_sub(age * stride));
        Self(ages.map(|step| vec![[0, n as u64, step]]).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every step, some of them more than once.
    pub fn all(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flatten().map(|[_, _, step]| *step)
    }

    /// What cannot be, in words.
    pub fn fault(&self, last: Option<u64>) -> Option<&'static str> {
        let runs = || self.0.iter().flatten();
        if self.0.len() > LENGTH || runs().any(|[from, to, _]| from >= to) {
            return Some("must be runs [from, to, step] of at most 16 ages");
        }
        if runs().any(|[_, to, _]| *to > MOST_SAMPLES as u64) {
            return Some("has more samples than have trails");
        }
        let is_later = |step: u64| last.is_some_and(|last| step > last);
        runs()
            .any(|[_, _, step]| is_later(*step))
            .then_some("has a step after the last")
    }
}

impl Of {
    fn new(snapshot: &Snapshot) -> Self {
        Self {
            generation: snapshot.generation,
            dim: snapshot.head.dim,
            loss_id: snapshot.head.spec.id,
            is_train: snapshot.probe.is_train,
            indices: Arc::clone(&snapshot.probe.indices),
        }
    }

    fn is_of(&self, snapshot: &Snapshot) -> bool {
        self.generation == snapshot.generation
            && self.dim == snapshot.head.dim
            && self.loss_id == snapshot.head.spec.id
            && self.is_train == snapshot.probe.is_train
            && Arc::ptr_eq(&self.indices, &snapshot.probe.indices)
    }
}

/// How many of so many samples have a trail at most.
pub(super) fn most_samples(n_samples: usize, dim: usize) -> usize {
    n_samples
        .min(MOST_SAMPLES)
        .min(MOST_COORDINATES / dim.max(1))
}

impl Trails {
    /// Places that are remembered of each sample.
    pub const LENGTH: usize = 16;

    /// Remembers the features of a snapshot that were computed since the last one. Another run or
    /// other samples begin anew.
    pub fn note(&mut self, snapshot: &Snapshot) {
        if !self.of.as_ref().is_some_and(|of| of.is_of(snapshot)) {
            self.begin(snapshot);
        }
        let dim = snapshot.head.dim;
        let probe = &snapshot.probe;
        for (k, ring) in self.rings.iter_mut().enumerate() {
            let sample = self.samples[k] as usize;
            let step = probe.computed_at[sample];
            let newest = ring.slot(0).map(|slot| self.steps[k * LENGTH + slot]);
            if newest != Some(step) {
                let slot = k * LENGTH + ring.push();
                let x = &probe.features[sample * dim..][..dim];
                self.past[slot * dim..][..dim].copy_from_slice(x);
                self.steps[slot] = step;
            }
        }
    }

    /// Which samples of a probe have trails: some of each class.
    pub fn samples(probe: &Probe, dim: usize) -> Vec<u32> {
        let wanted = most_samples(probe.labels.len(), dim);
        evenly(&probe.labels, wanted, wanted, &Classes::default())
    }

    /// What makes them again with a picture of this snapshot; places of other samples, of another loss
    /// or of later steps are left out.
    pub fn recorded(&self, snapshot: &Snapshot) -> TrailSteps {
        if !self.of.as_ref().is_some_and(|of| of.is_of(snapshot)) {
            return TrailSteps::default();
        }
        let last = snapshot.step;
        let mut ages = vec![Vec::new(); LENGTH];
        for (k, ring) in self.rings.iter().enumerate() {
            let slots = (0..).map_while(|age| ring.slot(age));
            let steps = slots.map(|slot| self.steps[k * LENGTH + slot]);
            for (runs, step) in ages.iter_mut().zip(steps.filter(|step| *step <= last)) {
                extend(runs, k as u64, step);
            }
        }
        ages.retain(|runs| !runs.is_empty());
        TrailSteps(ages)
    }

    /// Trails of a snapshot's samples whose places are known by `feature`, of step and sample, the
    /// sample counted among [`Trails::samples`].
    pub fn rebuilt<'a>(
        snapshot: &Snapshot,
        steps: &TrailSteps,
        feature: impl Fn(u64, usize) -> Option<&'a [f32]>,
    ) -> Self {
        if steps.is_empty() {
            return Self::default();
        }
        let mut trails = Self::default();
        trails.begin(snapshot);
        let dim = snapshot.head.dim;
        for [from, to, step] in steps.0.iter().rev().flatten() {
            let samples = *from as usize..(*to as usize).min(trails.rings.len());
            for k in samples {
                let Some(x) = feature(*step, k) else {
                    continue;
                };
                let slot = k * LENGTH + trails.rings[k].push();
                trails.past[slot * dim..][..dim].copy_from_slice(x);
                trails.steps[slot] = *step;
            }
        }
        trails
    }

    /// Forgets everything and gives the memory back.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn begin(&mut self, snapshot: &Snapshot) {
        let dim = snapshot.head.dim;
        self.samples = Self::samples(&snapshot.probe, dim);
        self.steps = vec![0; self.samples.len() * LENGTH];
        self.past = vec![0.0; self.samples.len() * LENGTH * dim];
        self.rings = vec![Ring::default(); self.samples.len()];
        self.of = Some(Of::new(snapshot));
    }

    /// Features of the `k`-th sample that has a trail, from the oldest to the newest.
    fn features(&self, k: usize, dim: usize) -> impl Iterator<Item = &[f32]> {
        let ring = self.rings[k];
        let past = &self.past[k * LENGTH * dim..][..LENGTH * dim];
        let ages = (0..ring.len).rev();
        ages.filter_map(move |age| Some(&past[ring.slot(age)? * dim..][..dim]))
    }

    /// A line for each sample that is shown, up to its dot. What is on the far side of the sphere
    /// is left out.
    pub(super) fn items(
        &self,
        snapshot: &Snapshot,
        view: &ViewState,
        places: &Places<'_>,
        look: &Look,
    ) -> Vec<Item> {
        if !self.of.as_ref().is_some_and(|of| of.is_of(snapshot)) {
            return Vec::new();
        }
        let (dim, probe) = (snapshot.head.dim, &snapshot.probe);
        let shown = view.classes.mask(snapshot.head.n_classes);
        let lit = view.light.mask(snapshot);
        let opacity = if look.theme.is_dark { 0.45 } else { 0.55 };
        let inks: Vec<_> = (0..snapshot.head.n_classes)
            .map(|class| look.ink(class).with_opacity(opacity))
            .collect();
        let mut lines = Lines {
            points: Vec::with_capacity(self.samples.len() * (LENGTH + 1)),
            ..Lines::default()
        };
        for (k, &sample) in self.samples.iter().enumerate() {
            let i = sample as usize;
            let label = probe.labels[i];
            if !shown.shows(label) || lit.as_ref().is_some_and(|lit| !lit[i]) {
                continue;
            }
            let now = &probe.features[i * dim..][..dim];
            for x in self.features(k, dim).chain([now]) {
                match places.spot(x, i) {
                    Some(spot) if spot.is_near => lines.push(spot.at),
                    _ => lines.end(inks[usize::from(label)]),
                }
            }
            lines.end(inks[usize::from(label)]);
        }
        lines.item(1.3 * look.unit)
    }
}

/// Adds a sample to the runs of an age.
fn extend(runs: &mut Vec<[u64; 3]>, sample: u64, step: u64) {
    match runs.last_mut() {
        Some([_, to, last]) if *to == sample && *last == step => *to += 1,
        _ => runs.push([sample, sample + 1, step]),
    }
}

/// Lines under way to an [`Item::Trails`].
#[derive(Default)]
struct Lines {
    points: Vec<[f32; 2]>,
    /// End of the last finished line.
    start: usize,
    finished: Vec<(u32, Rgba)>,
}

impl Lines {
    /// Goes on to a point, unless it is where the line is already.
    fn push(&mut self, at: [f32; 2]) {
        const FARTHEST: f32 = 1e5;
        let is_near =
            |last: &[f32; 2]| (at[0] - last[0]).abs().max((at[1] - last[1]).abs()) < LEAST_STEP;
        let is_same = self.points[self.start..].last().is_some_and(is_near);
        if !is_same && at.iter().all(|c| c.abs() < FARTHEST) {
            self.points.push(at);
        }
    }

    /// Ends a line; one without length is none.
    fn end(&mut self, color: Rgba) {
        if self.points.len() < self.start + 2 {
            self.points.truncate(self.start);
            return;
        }
        self.start = self.points.len();
        self.finished.push((self.start as u32, color));
    }

    fn item(self, width: f32) -> Vec<Item> {
        let item = Item::Trails {
            points: self.points,
            lines: self.finished,
            width,
        };
        vec![item]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::ViewKind;
    use crate::scene::sample::{even_weights, snapshot};
    use crate::scene::{Curves, Light, WINDOW_SAGITTA, build_with, theme};

    const SIZE: [f32; 2] = [820.0, 760.0];

    /// Two samples of two classes; the first one goes right by one unit a step.
    fn at_step(step: u64) -> Snapshot {
        let features = [step as f32, 0.5, -2.0, 0.0];
        let mut snapshot = snapshot("softmax", 2, &even_weights(2), &features, &[0, 1]);
        snapshot.step = step;
        snapshot.probe.computed_at = vec![step; 2];
        snapshot
    }

    /// Snapshots of one run: they share their list of samples.
    fn run(n_steps: u64) -> Vec<Snapshot> {
        let indices: Arc<[u32]> = vec![0, 1].into();
        (1..=n_steps)
            .map(|step| {
                let mut snapshot = at_step(step);
                snapshot.probe.indices = Arc::clone(&indices);
                snapshot
            })
            .collect()
    }

    fn view() -> ViewState {
        let mut view = ViewState::new(ViewKind::Plane, theme::DARK);
        view.plane.units_per_pt = 0.1;
        view.show.trails = true;
        view
    }

    /// Points of each line that is drawn.
    fn drawn(trails: &Trails, snapshot: &Snapshot, view: &ViewState) -> Vec<Vec<[f32; 2]>> {
        let curves = Curves::of(snapshot, WINDOW_SAGITTA);
        let scene = build_with(snapshot, &curves, Some(trails), view, SIZE);
        let group = scene.groups.iter().find(|group| group.name == "trails");
        let Some(Item::Trails { points, lines, .. }) = group.and_then(|g| g.items.first()) else {
            return Vec::new();
        };
        let mut start = 0;
        lines
            .iter()
            .map(|&(end, _)| {
                points[std::mem::replace(&mut start, end as usize)..end as usize].to_vec()
            })
            .collect()
    }

    #[test]
    fn a_trail_leads_through_the_last_places_to_the_dot() {
        let mut trails = Trails::default();
        let (run, view) = (run(30), view());
        for snapshot in &run {
            trails.note(snapshot);
            trails.note(snapshot); // a frame with the same snapshot adds nothing
        }
        let lines = drawn(&trails, &run[29], &view);
        assert_eq!(lines.len(), 1, "the second sample has not moved");
        assert_eq!(lines[0].len(), LENGTH);
        let middle = view.stage(SIZE).middle();
        for (i, at) in lines[0].iter().enumerate() {
            let step = (30 - LENGTH + 1 + i) as f64;
            let expected = view.plane.screen_from_world([step, 0.5], middle);
            assert!((at[0] - expected[0]).abs() < 0.01 && (at[1] - expected[1]).abs() < 0.01);
        }
    }

    #[test]
    fn only_features_that_were_computed_anew_are_remembered() {
        let mut trails = Trails::default();
        let mut run = run(6);
        for snapshot in &mut run {
            snapshot.probe.computed_at[0] = snapshot.step / 3;
            trails.note(snapshot);
        }
        // Computed at steps 0, 1 and 2: as they stood at steps 1, 3 and 6.
        assert_eq!(drawn(&trails, &run[5], &view())[0].len(), 3);
    }

    #[test]
    fn another_run_or_other_samples_begin_anew() {
        let run = run(5);
        let mut trails = Trails::default();
        for snapshot in &run {
            trails.note(snapshot);
        }
        let mut restarted = run[4].clone();
        restarted.generation += 1;
        assert_eq!(drawn(&trails, &restarted, &view()).len(), 0);
        trails.note(&restarted);
        assert_eq!(drawn(&trails, &restarted, &view()).len(), 0, "one place");
        assert_eq!(
            drawn(&trails, &at_step(6), &view()).len(),
            0,
            "other samples"
        );
        trails.clear();
        assert!(trails.past.is_empty() && drawn(&trails, &run[4], &view()).is_empty());
    }

    #[test]
    fn hidden_and_unlit_samples_have_no_trail_and_none_is_drawn_while_off() {
        let run = run(5);
        let mut trails = Trails::default();
        for snapshot in &run {
            trails.note(snapshot);
        }
        let (last, mut view) = (&run[4], view());
        assert_eq!(drawn(&trails, last, &view).len(), 1);
        view.light = Light::Wrong;
        assert_eq!(drawn(&trails, last, &view).len(), 0);
        view.light = Light::All;
        view.classes = Classes::only(1, 2);
        assert_eq!(drawn(&trails, last, &view).len(), 0);
        view.classes = Classes::default();
        view.show.trails = false;
        assert_eq!(drawn(&trails, last, &view).len(), 0);
    }

    #[test]
    fn memory_is_bounded_whatever_the_number_of_samples_and_dimensions() {
        for (n, dim) in [(100, 2), (70_000, 2), (70_000, 3), (2000, 64)] {
            let weights: Vec<f32> = (0..10 * dim).map(|i| i as f32).collect();
            let labels: Vec<u16> = (0..n).map(|i| (i % 10) as u16).collect();
            let snapshot = snapshot("softmax", dim, &weights, &vec![1.0; n * dim], &labels);
            let mut trails = Trails::default();
            trails.note(&snapshot);
            assert!(trails.samples.len() <= most_samples(n, dim));
            assert!(trails.samples.len() * 10 >= most_samples(n, dim) * 9);
            assert!(trails.past.len() <= MOST_COORDINATES * LENGTH);
        }
    }

    #[test]
    fn the_far_side_of_the_sphere_has_no_trails() {
        let weights = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let mut trails = Trails::default();
        let mut view = ViewState::new(ViewKind::Sphere, theme::DARK);
        view.show.trails = true;
        let indices: Arc<[u32]> = vec![0].into();
        // Around the equator of the view, of which half is near.
        let mut last = None;
        for step in 0..LENGTH as u64 {
            let turn = step as f64 / LENGTH as f64 * std::f64::consts::TAU;
            let seen = nalgebra::Vector3::new(turn.sin(), 0.0, turn.cos());
            let x = view.sphere.orientation.inverse() * seen;
            let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
            let mut snapshot = snapshot("softmax", 3, &weights, &x, &[0]);
            snapshot.probe.indices = Arc::clone(&indices);
            snapshot.probe.computed_at = vec![step];
            trails.note(&snapshot);
            last = Some(snapshot);
        }
        let lines = drawn(&trails, &last.expect("a snapshot"), &view);
        let n_points: usize = lines.iter().map(Vec::len).sum();
        assert_eq!(lines.len(), 2, "before and after the far side");
        assert!(
            (LENGTH / 2 - 1..=LENGTH / 2 + 1).contains(&n_points),
            "{n_points}"
        );
    }
}
