//! What was recorded of a run: frames to look at again, checkpoints to go on from, and the ways that
//! were left for others.

use std::sync::Arc;

use crate::experiment::{Changes, Experiment};
use crate::trainer::Trainer;
use crate::trainer::checkpoint::Checkpoint;
use crate::trainer::frame::{Frame, Thinner};
use crate::trainer::snapshot::{History, Snapshot};

/// Memory of all timelines of a window together.
pub(super) const MOST_BYTES: usize = 150 << 20;
/// Frames are thinned beyond this number, so that at least half of it is kept.
const MOST_FRAMES: usize = 2000;
/// Larger frames would show samples that nobody can tell from others.
const MOST_FRAME_BYTES: usize = 64 << 10;
/// Checkpoints are thinned beyond this number.
const MOST_CHECKPOINTS: usize = 64;
/// Steps between checkpoints at first: copying all parameters takes a sixth of a step.
const FIRST_INTERVAL: u64 = 64;
/// Ways that are remembered.
const MOST_LANES: usize = 12;

/// A way of the run from a step on: from its start, or from where another way was left.
#[derive(Clone, Debug)]
struct Lane {
    id: LaneId,
    /// Which lane it left, and after which step.
    parent: Option<(LaneId, u64)>,
    /// In the order of their steps; some were thinned out.
    frames: Vec<Arc<Frame>>,
    /// Where the run was last seen here, if that is beyond the frames.
    tip: Option<Arc<Frame>>,
    checkpoints: Vec<Arc<Checkpoint>>,
    /// Curves up to its end.
    history: History,
    /// What was changed in mid-run up to its end, with all frames in common.
    changes: Changes,
    /// Memory of what was changed along it.
    change_bytes: usize,
}

/// Names a lane for as long as the run lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaneId(u32);

impl LaneId {
    /// A name, for tests of what shows ways.
    #[cfg(test)]
    pub(crate) fn of(id: u32) -> Self {
        Self(id)
    }
}

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// On which way.
    pub lane: LaneId,
    /// After which step.
    pub step: u64,
}

/// A way as it is drawn on a bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// Its name.
    pub lane: LaneId,
    /// Which way it left, and after which step; `None` for the one from the start.
    pub parent: Option<(LaneId, u64)>,
    /// The last step that was seen on it.
    pub end: u64,
    /// Whether the run goes on along it, or came along it.
    pub is_current: bool,
    /// The experiment at its end.
    pub experiment: Arc<Experiment>,
}

/// Everything that was recorded of one run.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The last is the one that the run goes on along.
    lanes: Vec<Lane>,
    n_lanes: u32,
    /// Pictures for each frame that is kept.
    stride: u64,
    /// Steps of which there was a picture.
    n_pictures: u64,
    /// Steps from one checkpoint to the next.
    interval: u64,
    most_bytes: usize,
    thinner: Thinner,
}

impl Default for Timeline {
    fn default() -> Self {
        Self::of(MOST_BYTES)
    }
}

impl Lane {
    fn new(id: LaneId, parent: Option<(LaneId, u64)>) -> Self {
        Self {
            id,
            parent,
            frames: Vec::new(),
            tip: None,
            checkpoints: Vec::new(),
            history: History::default(),
            changes: Changes::default(),
            change_bytes: 0,
        }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Frame>> {
        self.frames.iter().chain(&self.tip)
    }

    fn last(&self) -> Option<&Arc<Frame>> {
        self.tip.as_ref().or(self.frames.last())
    }

    /// The last frame up to a step.
    fn until(&self, step: u64) -> Option<&Arc<Frame>> {
        let tip = self.tip.as_ref().filter(|tip| tip.step <= step);
        let n = self.frames.partition_point(|frame| frame.step <= step);
        tip.or_else(|| self.frames[..n].last())
    }

    /// Leaves out every second frame, but never the first; the last is the tip.
    fn thin(&mut self) {
        let last = self.frames.last().cloned();
        let mut i = 0;
        self.frames.retain(|_| {
            i += 1;
            i % 2 == 1
        });
        let is_gone = self.frames.last().map(|frame| frame.step) != last.as_ref().map(|f| f.step);
        if self.tip.is_none() && is_gone {
            self.tip = last;
        }
    }

    fn thin_checkpoints(&mut self) {
        let mut i = 0;
        self.checkpoints.retain(|_| {
            i += 1;
            i % 2 == 1
        });
    }

    /// Memory of the frames with what was changed between them.
    fn frame_bytes(&self) -> usize {
        let is_other =
            |(a, b): (&Arc<Frame>, &Arc<Frame>)| !Arc::ptr_eq(&a.experiment, &b.experiment);
        let pairs = self.all().zip(self.all().skip(1));
        let n_experiments = 1 + pairs.filter(|pair| is_other(*pair)).count();
        let of_frames: usize = self.all().map(|frame| frame.n_bytes()).sum();
        of_frames + n_experiments * size_of::<Experiment>() + self.change_bytes
    }

    fn checkpoint_bytes(&self) -> usize {
        let before = std::iter::once(None).chain(self.checkpoints.iter().map(Some));
        let pairs = self.checkpoints.iter().zip(before);
        pairs
            .map(|(checkpoint, before)| checkpoint.n_bytes(before.map(AsRef::as_ref)))
            .sum()
    }
}

impl Timeline {
    /// Of a run that begins, in so much memory.
    fn of(most_bytes: usize) -> Self {
        Self {
            lanes: vec![Lane::new(LaneId(0), None)],
            n_lanes: 1,
            stride: 1,
            n_pictures: 0,
            interval: FIRST_INTERVAL,
            most_bytes,
            thinner: Thinner::default(),
        }
    }

    /// Forgets everything: another run begins.
    pub(super) fn restart(&mut self) {
        *self = Self::of(self.most_bytes);
    }

    /// Keeps to so much memory from now on. Frames lose samples before frames are left out.
    pub(super) fn limit(&mut self, most_bytes: usize) {
        self.most_bytes = most_bytes;
        let most = self.frame_bytes();
        for lane in &mut self.lanes {
            for frame in lane.frames.iter_mut().chain(&mut lane.tip) {
                if frame.n_bytes() > most {
                    *frame = Arc::new(frame.shrunk(&mut self.thinner, most));
                }
            }
        }
        self.fit();
    }

    /// Notes a picture of the run.
    pub(super) fn note(&mut self, snapshot: &Snapshot) {
        let most_bytes = self.frame_bytes();
        let Some(lane) = self.lanes.last_mut() else {
            return; // there is always one
        };
        let frame = Arc::new(Frame::of(snapshot, &mut self.thinner, most_bytes));
        lane.history.clone_from(&snapshot.history);
        let changes = &snapshot.experiment.run.changes;
        lane.change_bytes += changes.bytes_beside(&lane.changes);
        lane.changes.clone_from(changes);
        let is_seen = |last: &Arc<Frame>| last.step == frame.step;
        if lane.frames.last().is_some_and(is_seen) {
            lane.frames.pop();
            lane.frames.push(frame); // something else was changed at this step
            return;
        }
        let is_kept = lane.frames.is_empty() || self.n_pictures.is_multiple_of(self.stride);
        if !lane.tip.as_ref().is_some_and(is_seen) {
            self.n_pictures += 1;
        }
        if is_kept {
            lane.frames.push(frame);
            lane.tip = None;
        } else {
            lane.tip = Some(frame);
        }
        self.fit();
    }

    /// Notes a step after it was made, or the start of a run.
    pub(super) fn note_step(&mut self, trainer: &Trainer) {
        let step = trainer.n_steps();
        let Some(lane) = self.lanes.last_mut() else {
            return; // there is always one
        };
        let last = lane.checkpoints.last().map(|last| last.step());
        if last.is_none_or(|last| step >= last + self.interval) {
            lane.checkpoints.push(Arc::new(trainer.checkpoint()));
            self.fit();
        }
    }

    /// Where the run stands.
    pub fn now(&self) -> Option<Moment> {
        let lane = self.lanes.last()?;
        let step = lane.last()?.step;
        Some(Moment {
            lane: lane.id,
            step,
        })
    }

    /// Every way, the one that the run goes on along last.
    pub fn ways(&self) -> Vec<Way> {
        let current = self.path();
        let seen = self
            .lanes
            .iter()
            .filter_map(|lane| Some((lane, lane.last()?)));
        let way = |(lane, last): (&Lane, &Arc<Frame>)| Way {
            lane: lane.id,
            parent: lane.parent,
            end: last.step,
            is_current: current.iter().any(|(id, _)| *id == lane.id),
            experiment: Arc::clone(&last.experiment),
        };
        seen.map(way).collect()
    }

    /// Frames that are kept.
    pub fn n_frames(&self) -> usize {
        self.lanes.iter().map(|lane| lane.all().count()).sum()
    }

    /// Memory that frames and checkpoints hold.
    pub fn n_bytes(&self) -> usize {
        self.bytes_of_frames() + self.bytes_of_checkpoints()
    }

    /// The run as it was seen at a moment, or at the last one before it that was kept; `live` is any
    /// snapshot of the run.
    pub fn snapshot(&self, moment: Moment, live: &Snapshot) -> Option<Snapshot> {
        let (lane, frame) = self.frame(moment)?;
        Some(frame.snapshot(live, &lane.history))
    }

    /// The moment of a kept frame that lies `n` frames after one, or before it.
    pub fn neighbor(&self, moment: Moment, n: i64) -> Option<Moment> {
        let steps = self.steps(moment.lane);
        let here = steps.partition_point(|&step| step <= moment.step) as i64 - 1;
        let there = (here + n).clamp(0, steps.len() as i64 - 1);
        let step = *steps.get(usize::try_from(there).ok()?)?;
        Some(Moment { step, ..moment })
    }

    /// The moment of the kept frame that is nearest to one.
    pub fn nearest(&self, moment: Moment) -> Option<Moment> {
        let steps = self.steps(moment.lane).into_iter();
        let step = steps.min_by_key(|step| step.abs_diff(moment.step))?;
        Some(Moment { step, ..moment })
    }

    /// Steps of the frames along a way, from the start of the run.
    pub fn steps(&self, lane: LaneId) -> Vec<u64> {
        let path = self.path_of(lane);
        let on = |&(id, end): &(LaneId, u64)| {
            let lane = self.lane(id);
            let steps = lane
                .into_iter()
                .flat_map(|lane| lane.all().map(|frame| frame.step));
            steps.filter(move |&step| step <= end)
        };
        let mut steps: Vec<u64> = path.iter().rev().flat_map(on).collect();
        steps.dedup();
        steps
    }

    /// The frame of a moment, or the last one before it on its way, and the lane that has it.
    fn frame(&self, moment: Moment) -> Option<(&Lane, &Arc<Frame>)> {
        let path = self.path_of(moment.lane);
        let found = path.iter().find_map(|&(id, end)| {
            let lane = self.lane(id)?;
            let frame = lane.until(end.min(moment.step))?;
            Some((lane, frame))
        });
        let first = || {
            let lane = self.lanes.first()?;
            Some((lane, lane.frames.first()?))
        };
        found.or_else(first)
    }

    /// From where the run can go to a moment, which step that is, and what it was then.
    pub(super) fn way_back(&self, moment: Moment) -> Option<WayBack> {
        let (lane, frame) = self.frame(moment)?;
        let path = self.path_of(lane.id);
        let of = |&(id, end): &(LaneId, u64)| {
            let checkpoints = self.lane(id).map(|lane| &lane.checkpoints[..]);
            let usable = checkpoints.unwrap_or_default().iter().rev();
            let step = frame.step.min(end);
            usable.clone().find(|checkpoint| {
                checkpoint.step() <= step && checkpoint.is_before(frame.step, &frame.experiment)
            })
        };
        let checkpoint = Arc::clone(path.iter().find_map(of)?);
        let start = self.lanes.first()?.checkpoints.first()?;
        Some(WayBack {
            start: Arc::clone(start),
            checkpoint,
            moment: Moment {
                lane: lane.id,
                step: frame.step,
            },
            experiment: Arc::clone(&frame.experiment),
            history: lane.history.until(frame.step),
        })
    }

    /// From now on the run goes another way than it did after a moment.
    pub(super) fn leave(&mut self, at: Moment) {
        let lane = self.lane_of(at).unwrap_or(at.lane);
        let at = Moment { lane, ..at };
        if self.now() == Some(at) {
            return;
        }
        if let [.., last] = &self.lanes[..]
            && last
                .parent
                .is_some_and(|(_, from)| last.last().is_none_or(|f| f.step <= from))
            && last.id != at.lane
        {
            self.lanes.pop(); // nothing was seen along it
        }
        let mut new = Lane::new(LaneId(self.n_lanes), Some((at.lane, at.step)));
        self.n_lanes += 1;
        if let Some(left) = self.lane(at.lane) {
            new.history = left.history.until(at.step);
            new.changes.clone_from(&left.changes);
        }
        self.lanes.push(new);
        self.forget_lanes();
    }

    /// The lane on the way to a moment that has its step.
    fn lane_of(&self, moment: Moment) -> Option<LaneId> {
        let has_it = |id: &LaneId| {
            let lane = self.lane(*id);
            lane.is_some_and(|lane| lane.parent.is_none_or(|(_, from)| from <= moment.step))
        };
        let mut path = self.path_of(moment.lane).into_iter().map(|(id, _)| id);
        path.find(has_it)
    }

    fn lane(&self, id: LaneId) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.id == id)
    }

    /// The lanes along which a run came to one, backwards, each up to which step.
    fn path_of(&self, id: LaneId) -> Vec<(LaneId, u64)> {
        let mut path = Vec::new();
        let mut next = Some((id, u64::MAX));
        while let Some((id, end)) = next {
            path.push((id, end));
            let parent = self.lane(id).and_then(|lane| lane.parent);
            next = parent.map(|(parent, from)| (parent, from.min(end)));
        }
        path
    }

    fn path(&self) -> Vec<(LaneId, u64)> {
        self.lanes
            .last()
            .map_or_else(Vec::new, |lane| self.path_of(lane.id))
    }

    fn bytes_of_frames(&self) -> usize {
        self.lanes.iter().map(Lane::frame_bytes).sum()
    }

    fn bytes_of_checkpoints(&self) -> usize {
        self.lanes.iter().map(Lane::checkpoint_bytes).sum()
    }

    /// Memory of a frame, so that all that are ever kept have room.
    fn frame_bytes(&self) -> usize {
        (self.most_bytes_of_frames() / MOST_FRAMES).min(MOST_FRAME_BYTES)
    }

    fn most_bytes_of_frames(&self) -> usize {
        self.most_bytes / 5 * 3
    }

    /// Thins what is recorded until it has room: first along ways that were left.
    fn fit(&mut self) {
        while self.n_frames() > MOST_FRAMES || self.bytes_of_frames() > self.most_bytes_of_frames()
        {
            if !self.thin_frames() {
                break;
            }
        }
        let most = self.most_bytes - self.most_bytes_of_frames();
        let count = |lanes: &[Lane]| {
            lanes
                .iter()
                .map(|lane| lane.checkpoints.len())
                .sum::<usize>()
        };
        while count(&self.lanes) > MOST_CHECKPOINTS || self.bytes_of_checkpoints() > most {
            if !self.thin_checkpoints() {
                break;
            }
        }
    }

    /// Whether there was anything to leave out.
    fn thin_frames(&mut self) -> bool {
        const FEW: usize = 32;
        let path = self.path();
        let is_left = |lane: &&mut Lane| path.iter().all(|(id, _)| *id != lane.id);
        let left = self.lanes.iter_mut().filter(is_left);
        if let Some(lane) = left
            .max_by_key(|lane| lane.frames.len())
            .filter(|lane| lane.frames.len() > FEW)
        {
            lane.thin();
            return true;
        }
        let before = self.n_frames();
        self.lanes.iter_mut().for_each(Lane::thin);
        let is_thinner = self.n_frames() < before;
        if is_thinner {
            self.stride *= 2;
        }
        is_thinner
    }

    fn thin_checkpoints(&mut self) -> bool {
        let path = self.path();
        let is_left = |lane: &&mut Lane| path.iter().all(|(id, _)| *id != lane.id);
        let left = self.lanes.iter_mut().filter(is_left);
        if let Some(lane) = left
            .max_by_key(|lane| lane.checkpoints.len())
            .filter(|lane| lane.checkpoints.len() > 1)
        {
            lane.thin_checkpoints();
            return true;
        }
        let n = |lanes: &[Lane]| {
            lanes
                .iter()
                .map(|lane| lane.checkpoints.len())
                .sum::<usize>()
        };
        let before = n(&self.lanes);
        self.lanes.iter_mut().for_each(Lane::thin_checkpoints);
        let is_thinner = n(&self.lanes) < before;
        if is_thinner {
            self.interval *= 2;
        }
        is_thinner
    }

    /// Forgets the oldest ways that were left and from which no other one begins.
    fn forget_lanes(&mut self) {
        while self.lanes.len() > MOST_LANES {
            let path = self.path();
            let is_parent = |id: LaneId| {
                let mut parents = self.lanes.iter().filter_map(|lane| lane.parent);
                parents.any(|(parent, _)| parent == id)
            };
            let is_left = |lane: &Lane| path.iter().all(|(id, _)| *id != lane.id);
            let leaf = |lane: &Lane| is_left(lane) && !is_parent(lane.id);
            let Some(at) = self.lanes.iter().position(leaf) else {
                return;
            };
            self.lanes.remove(at);
        }
    }
}

/// How a run goes back to a moment.
#[derive(Debug)]
pub(super) struct WayBack {
    /// The start of the run, which it has in common with its twins alone.
    pub start: Arc<Checkpoint>,
    pub checkpoint: Arc<Checkpoint>,
    pub moment: Moment,
    pub experiment: Arc<Experiment>,
    pub history: History,
}

impl WayBack {
    /// Whether another run, a twin of this one, goes back to the very same: the bits are the same
    /// there, from whichever checkpoint they are made.
    pub(super) fn leads_where(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.start, &other.start)
            && self.moment.step == other.moment.step
            && self.experiment.run.changes == other.experiment.run.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::Subset;

    fn trainer() -> Trainer {
        let mut experiment = Experiment::default();
        for (key, value) in [
            ("data.source", "blobs"),
            ("data.classes", "4"),
            ("network.kind", "mlp:16"),
            ("network.dim", "3"),
        ] {
            experiment.set(key, value).expect("a value of it");
        }
        Trainer::new(&experiment, None, 1).expect("a run")
    }

    /// A run whose pictures are noted, but whose steps are only counted.
    fn recorded(n_pictures: u64, most_bytes: usize) -> (Timeline, Snapshot) {
        let mut snapshot = Snapshot::of(&trainer(), Subset::Train(2000));
        let mut timeline = Timeline::of(most_bytes);
        for picture in 0..n_pictures {
            snapshot.step = 7 * picture;
            timeline.note(&snapshot);
        }
        (timeline, snapshot)
    }

    #[test]
    fn of_many_pictures_a_thousand_are_kept_evenly_with_both_ends() {
        for n_pictures in [1, 2, 999, 2001, 5000, 20_000] {
            let (timeline, _) = recorded(n_pictures, MOST_BYTES / 6);
            let steps = timeline.steps(LaneId(0));
            assert!(
                steps.len() as u64 >= n_pictures.min(1000),
                "{}",
                steps.len()
            );
            assert!(steps.len() <= MOST_FRAMES);
            let ends = [steps.first().copied(), steps.last().copied()];
            assert_eq!(ends, [Some(0), Some(7 * (n_pictures - 1))]);
            let gaps: Vec<u64> = steps.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let n_gaps = gaps.len().saturating_sub(1); // the last leads to the tip
            assert!(
                gaps[..n_gaps].iter().all(|gap| *gap == gaps[0]),
                "{n_pictures}"
            );
            assert!(
                timeline.n_bytes() <= MOST_BYTES / 6,
                "{}",
                timeline.n_bytes()
            );
        }
    }

    #[test]
    fn less_memory_costs_samples_and_no_moments() {
        let (mut timeline, live) = recorded(1500, MOST_BYTES);
        let lane = LaneId(0);
        let (steps, before) = (timeline.steps(lane), timeline.n_bytes());
        let moment = Moment { lane, step: 700 };
        let whole = timeline.snapshot(moment, &live).expect("a frame");
        assert!(before > MOST_BYTES / 20, "{before}");
        timeline.limit(MOST_BYTES / 20);
        assert!(timeline.n_bytes() <= MOST_BYTES / 20);
        assert_eq!(timeline.steps(lane), steps);
        let part = timeline.snapshot(moment, &live).expect("a frame");
        assert_eq!((part.step, &part.head), (whole.step, &whole.head));
        let (n, n_whole) = (part.probe.len(), whole.probe.len());
        assert!(n > 200 && n < n_whole, "{n} of {n_whole}");
        // The samples that are left are themselves.
        let at = |snapshot: &Snapshot, i: usize| snapshot.probe.features[3 * i..3 * i + 3].to_vec();
        for (i, index) in part.probe.indices.iter().enumerate() {
            let j = whole
                .probe
                .indices
                .binary_search(index)
                .expect("one of them");
            assert_eq!(at(&part, i), at(&whole, j));
            assert_eq!(part.probe.labels[i], whole.probe.labels[j]);
        }
    }

    #[test]
    fn a_frame_shows_what_was_seen_to_a_hundredth_of_a_point() {
        let (timeline, live) = recorded(3, MOST_BYTES);
        let moment = Moment {
            lane: LaneId(0),
            step: 10,
        };
        let seen = timeline.snapshot(moment, &live).expect("a frame");
        assert_eq!(seen.step, 7, "the last one before it");
        assert_eq!((seen.metrics, &seen.head), (live.metrics, &live.head));
        let largest = live
            .probe
            .features
            .iter()
            .fold(0.0_f32, |most, x| most.max(x.abs()));
        for (a, b) in seen.probe.features.iter().zip(&live.probe.features) {
            // 1,000 points from the middle to the edge.
            assert!((a - b).abs() <= largest / 65_000.0, "{a} {b}");
        }
    }

    #[test]
    fn checkpoints_keep_within_their_number_and_never_lose_the_first() {
        let mut run = trainer();
        let mut timeline = Timeline::of(MOST_BYTES);
        timeline.note_step(&run);
        for _ in 0..64 * 300 {
            run.step().expect("finite");
            timeline.note_step(&run);
        }
        let steps: Vec<u64> = timeline.lanes[0]
            .checkpoints
            .iter()
            .map(|c| c.step())
            .collect();
        assert!(
            (MOST_CHECKPOINTS / 2..=MOST_CHECKPOINTS).contains(&steps.len()),
            "{steps:?}"
        );
        assert_eq!(steps[0], 0);
        let gap = steps[1];
        assert!(
            steps.windows(2).all(|pair| pair[1] - pair[0] == gap),
            "{steps:?}"
        );
    }

    #[test]
    fn the_way_back_begins_at_the_nearest_checkpoint_before() {
        let mut run = trainer();
        let mut timeline = Timeline::of(MOST_BYTES);
        timeline.note_step(&run);
        timeline.note(&Snapshot::of(&run, Subset::Train(10)));
        for _ in 0..1000 {
            run.step().expect("finite");
            timeline.note_step(&run);
            timeline.note(&Snapshot::of(&run, Subset::Train(10)));
        }
        let lane = LaneId(0);
        let kept = timeline.lanes[0].checkpoints.iter().map(|c| c.step());
        let kept: Vec<u64> = kept.collect();
        for step in [0, 1, 63, 64, 65, 500, 999, 1000] {
            let way = timeline.way_back(Moment { lane, step }).expect("a way");
            let nearest = kept.iter().copied().rfind(|&at| at <= step);
            assert_eq!(way.moment.step, step);
            assert_eq!(Some(way.checkpoint.step()), nearest, "to {step}");
            assert!(step - way.checkpoint.step() < FIRST_INTERVAL);
        }
    }

    #[test]
    fn twenty_thousand_changes_are_in_memory_once_and_within_the_bound() {
        const MOST: usize = MOST_BYTES / 6; // as with six panes
        const LAST: u64 = 100_000;
        let mut experiment = Experiment::default();
        for (key, value) in [("source", "free"), ("kind", "none"), ("loss.id", "arcface")] {
            let key = if key == "kind" { "network.kind" } else { key };
            experiment.set(key, value).expect("a value of it");
        }
        experiment.set("batch", "8").expect("a value of it");
        let mut run = Trainer::new(&experiment, None, 1).expect("a run");
        let mut timeline = Timeline::of(MOST);
        timeline.note_step(&run);
        let mut most = 0;
        while run.n_steps() < LAST {
            run.step().expect("finite");
            if run.n_steps().is_multiple_of(5) {
                let margin = format!("0.{}", 1 + run.n_steps() / 5 % 7);
                run.set("margin", &margin).expect("a margin");
            }
            timeline.note_step(&run);
            if run.n_steps().is_multiple_of(40) {
                timeline.note(&Snapshot::of(&run, Subset::Train(100)));
                most = most.max(timeline.n_bytes());
            }
        }
        assert!(most <= MOST, "{most} bytes");
        assert_eq!(run.experiment().run.changes.len(), 20_000);
        let of_changes = timeline.lanes[0].change_bytes;
        let least = 20_000 * size_of::<crate::experiment::Change>();
        assert!((least..4 * least).contains(&of_changes), "{of_changes}");
        assert!(timeline.n_frames() > 1000, "{}", timeline.n_frames());
        // Every moment has its own.
        let lane = LaneId(0);
        for step in timeline.steps(lane).into_iter().step_by(97) {
            let way = timeline.way_back(Moment { lane, step }).expect("a way");
            assert_eq!(way.experiment.run.changes.len() as u64, step / 5);
            assert!(way.checkpoint.is_before(step, &way.experiment));
        }
    }

    #[test]
    fn neighbors_stop_at_the_ends() {
        let (timeline, _) = recorded(4, MOST_BYTES);
        let from = |step, n| {
            let lane = LaneId(0);
            let there = timeline.neighbor(Moment { lane, step }, n);
            there.expect("a moment").step
        };
        assert_eq!((from(7, 1), from(7, -1), from(9, 1)), (14, 0, 14));
        assert_eq!((from(21, 5), from(7, -9)), (21, 0));
        let nearest = |step| {
            let lane = LaneId(0);
            let there = timeline.nearest(Moment { lane, step });
            there.expect("a moment").step
        };
        assert_eq!([0, 3, 4, 14, 999].map(nearest), [0, 0, 7, 14, 21]);
    }
}
