//! A trainer with what is shown of it: steps, probes and snapshots of one run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::trainer::detail::Detail;
use crate::trainer::drawn::Drawn;
use crate::trainer::metrics::{HeadState, Metrics, examine};
use crate::trainer::pace::{FEW_SAMPLES, Pace};
use crate::trainer::probe::{Probe, Prober, Subset};
use crate::trainer::snapshot::{Effort, History, Refusal, Snapshot};
use crate::trainer::speed::Beat;
use crate::trainer::start::Start;
use crate::trainer::{Diverged, SessionError, Trainer};

/// Of so many slices one goes to the split that is not drawn: a number needs no more.
const OTHER_EVERY: u64 = 4;

/// Samples that are probed after a step, the same ones in all runs that made it.
#[derive(Clone, Copy)]
pub(super) struct Slice {
    is_for_other: bool,
    /// Where in the probe they begin.
    start: usize,
}

/// A trainer with what is shown of it.
pub(super) struct Run {
    pub trainer: Trainer,
    pub prober: Prober,
    /// Of the split that is not drawn; none before the first picture, which does not wait for it.
    pub other: Option<Prober>,
    /// Slices that were probed.
    pub n_slices: u64,
    /// Samples that the last step leaves time to probe.
    pub n_due: usize,
    pub subset: Subset,
    pub history: History,
    pub generation: u64,
    /// Steps still to make before pausing; `None` for no limit.
    pub steps_left: Option<u64>,
    pub is_playing: bool,
    /// Whether the steps under way do not wait for their time.
    pub is_hurried: bool,
    pub fault: Option<String>,
    pub class_names: Arc<[String]>,
    /// What is shown beside the samples.
    pub placed: Option<Arc<[u8]>>,
    /// The last metrics and when they were measured.
    pub measured: Option<(Instant, Metrics, Arc<Detail>)>,
    pub pace: Pace,
    pub effort: Effort,
}

impl Run {
    pub(super) fn new(
        start: &Start,
        n_threads: usize,
        subset: Subset,
        generation: u64,
    ) -> Result<Self, SessionError> {
        let trainer = start.trainer(n_threads)?;
        let is_given = trainer.is_given();
        let class_names = trainer.data().class_names.clone().into();
        let steps_left = start.steps_left(trainer.data().train.len());
        let session = start.session.as_ref();
        Ok(Self {
            prober: Prober::new(&trainer, subset),
            other: None,
            n_slices: 0,
            n_due: 0,
            trainer,
            subset,
            history: session.map_or_else(History::default, |session| session.history.clone()),
            generation,
            steps_left,
            is_playing: steps_left != Some(0) && !is_given,
            is_hurried: start.until.is_some(),
            fault: None,
            class_names,
            placed: None,
            measured: None,
            pace: Pace::default(),
            effort: Effort::default(),
        })
    }

    pub(super) fn step(&mut self) {
        let start = Instant::now();
        match self.trainer.step() {
            Ok(report) => {
                self.effort.n_steps += 1;
                self.history.push_loss(self.trainer.n_steps(), report.loss);
            }
            Err(diverged) => {
                self.fault = Some(diverged.to_string());
                self.stop();
                return;
            }
        }
        let secs = start.elapsed().as_secs_f64();
        Pace::smooth(&mut self.pace.step_secs, secs);
        self.n_due = self.pace.slice(self.prober.probe().len(), secs);
        self.effort.secs += secs;
        if let Some(left) = &mut self.steps_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.stop();
            }
        }
    }

    /// The samples that are next in turn.
    pub(super) fn next_slice(&self) -> Slice {
        let is_for_other = (self.n_slices + 1).is_multiple_of(OTHER_EVERY);
        let prober = self.other.as_ref().filter(|_| is_for_other);
        Slice {
            is_for_other,
            start: prober.unwrap_or(&self.prober).cursor(),
        }
    }

    /// Brings so many samples of a slice up to the current step.
    pub(super) fn probe_slice(&mut self, slice: Slice, n: usize) {
        let start = Instant::now();
        self.n_slices += 1;
        if slice.is_for_other && self.other.is_none() {
            self.other = self.prober.of_other_split(&self.trainer);
        }
        let prober = match &mut self.other {
            Some(other) if slice.is_for_other => other,
            _ => &mut self.prober,
        };
        prober.turn_to(slice.start);
        let done = prober.advance(&self.trainer, n);
        let secs = start.elapsed().as_secs_f64();
        self.pace.spend(done, secs);
        self.effort.probing_secs += secs;
        self.effort.secs += secs;
    }

    /// Brings every sample up to the current step.
    pub(super) fn finish_probe(&mut self) {
        let start = Instant::now();
        self.prober.finish(&self.trainer);
        match &mut self.other {
            Some(other) => other.finish(&self.trainer),
            None => self.other = self.prober.of_other_split(&self.trainer),
        }
        self.effort.probing_secs += start.elapsed().as_secs_f64();
    }

    /// Notes that what is drawn is no longer finite, unless the reason is known already.
    pub(super) fn fail(&mut self, part: &str) {
        self.is_playing = false;
        self.steps_left = None;
        let step = self.trainer.n_steps();
        self.fault.get_or_insert_with(|| {
            let tensor = part.to_owned();
            Diverged { step, tensor }.to_string()
        });
    }

    /// Makes so many steps, or steps without end.
    pub(super) fn play(&mut self, n_steps: Option<u64>) {
        self.fault = None; // a changed setting may do better
        self.is_playing = true;
        self.is_hurried = false;
        self.steps_left = n_steps;
    }

    pub(super) fn stop(&mut self) {
        self.rest();
        self.finish_probe();
    }

    /// Stops without a look at where it stands.
    pub(super) fn rest(&mut self) {
        self.is_playing = false;
        self.is_hurried = false;
        self.steps_left = None;
    }

    /// Whether it could use time in which no steps are due to bring samples up to the last one.
    pub(super) fn lags(&self) -> bool {
        self.is_playing && !self.is_hurried && !self.prober.is_current(&self.trainer)
    }

    /// Brings a block of samples up to the last step.
    pub(super) fn catch_up(&mut self) {
        let start = Instant::now();
        self.prober.advance_together(&self.trainer);
        let secs = start.elapsed().as_secs_f64();
        self.effort.probing_secs += secs;
        self.effort.secs += secs;
    }

    /// The same run once more, to go its own way from here.
    pub(super) fn twin(&self) -> Self {
        let trainer = self.trainer.twin();
        Self {
            prober: self.prober.clone(),
            other: self.other.clone(),
            n_slices: self.n_slices,
            n_due: 0,
            trainer,
            subset: self.subset,
            history: self.history.clone(),
            generation: self.generation,
            steps_left: self.steps_left,
            is_playing: self.is_playing,
            is_hurried: self.is_hurried,
            fault: self.fault.clone(),
            class_names: Arc::clone(&self.class_names),
            placed: self.placed.clone(),
            measured: None,
            pace: self.pace.clone(),
            effort: Effort::default(),
        }
    }

    /// Measures the probe. Many samples are not measured for every picture while it trains: 70,000
    /// take as long as several steps.
    pub(super) fn measure(&mut self, head: &HeadState, probe: &Probe) -> (Metrics, Arc<Detail>) {
        const INTERVAL: Duration = Duration::from_millis(500);
        if let Some((at, metrics, detail)) = &self.measured
            && self.is_playing
            && probe.len() > 2 * FEW_SAMPLES
            && at.elapsed() < INTERVAL
        {
            return (*metrics, Arc::clone(detail));
        }
        let measured = examine(head, &probe.features, &probe.labels);
        let (metrics, detail) = measured.unwrap_or_default();
        let detail = Arc::new(detail);
        self.measured = Some((Instant::now(), metrics, Arc::clone(&detail)));
        (metrics, detail)
    }

    pub(super) fn drawn(&self) -> Option<Drawn> {
        Drawn::of(&self.trainer, self.placed.as_ref()?)
    }

    pub(super) fn snapshot(
        &mut self,
        n_commands: u64,
        refusal: Option<Refusal>,
        beat: &Beat,
    ) -> Snapshot {
        let head = self.trainer.head_state();
        let probe = self.prober.labeled(&self.trainer, &head);
        let (metrics, detail) = self.measure(&head, &probe);
        self.history.note_accuracy(metrics.accuracy);
        let data = self.trainer.data();
        let batch = self.trainer.experiment().batch(data.train.len()) as f64;
        let is_measured = self.is_playing && self.pace.step_secs > 0.0;
        Snapshot {
            generation: self.generation,
            n_commands,
            step: self.trainer.n_steps(),
            epochs: self.trainer.epochs(),
            experiment: Arc::clone(self.trainer.experiment()),
            start: Arc::clone(self.trainer.start()),
            data: Arc::clone(data),
            class_names: Arc::clone(&self.class_names),
            input_plane: self.prober.input_plane(&self.trainer),
            drawn: self.drawn(),
            other_score: self.other.as_ref().and_then(|other| other.score(&head)),
            head,
            probe,
            metrics,
            detail,
            history: self.history.clone(),
            horizon: self.trainer.horizon(),
            learning_rate: self.trainer.learning_rate(),
            samples_per_second: if is_measured {
                batch * beat.steps_per_second(1.0 / self.pace.step_secs)
            } else {
                0.0
            },
            is_playing: self.is_playing,
            effort: self.effort,
            fault: self.fault.clone(),
            refusal,
        }
    }
}
