//! The way through a lesson or a failure: what its card shows now, and what the run is told.
//!
//! Nothing here waits or draws. Whoever shows it asks for an [`Order`], sends it to the worker, and
//! lets [`Walk::notice`] see every snapshot.

use std::sync::Arc;

use crate::experiment::{Experiment, ExperimentError};
use crate::lesson::stage::made;
use crate::lesson::{Claim, Failure, Lesson, Measure, Order, Stage};
use crate::trainer::Snapshot;

/// What is walked through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// Step by step, each with a question.
    Lesson(&'static Lesson),
    /// Into it, and out of it by its cure.
    Failure(&'static Failure),
}

impl Subject {
    /// Its runs, in their order.
    pub fn stages(self) -> Vec<&'static Stage> {
        match self {
            Self::Lesson(lesson) => lesson.steps.iter().map(|step| &step.stage).collect(),
            Self::Failure(failure) => vec![&failure.stage, &failure.cure.stage],
        }
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lesson(lesson) => &lesson.title,
            Self::Failure(failure) => &failure.title,
        }
    }

    fn experiment(self) -> &'static Experiment {
        match self {
            Self::Lesson(lesson) => &lesson.experiment,
            Self::Failure(failure) => &failure.experiment,
        }
    }
}

/// Where somebody is in a lesson or a failure.
#[derive(Clone, Debug)]
pub struct Walk {
    subject: Subject,
    /// Index of the stage that is shown.
    at: usize,
    /// The stage under way.
    run: Option<Run>,
    /// What came of each stage.
    seen: Vec<Option<Seen>>,
    /// The newest snapshot of a stage that ended: what the next one goes on from.
    last: Option<(usize, Arc<Snapshot>)>,
    /// The stages before the one that is shown, made while its question is read.
    ready: Option<Run>,
    /// Whether what a failure waits for has been measured.
    has_happened: bool,
}

/// What is shown of the stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase<'a> {
    /// Its question waits for an answer.
    Asks,
    /// Its run is under way.
    Runs {
        /// Index of the answer that was given, if one was.
        prediction: Option<usize>,
        /// The steps of the stages before are made first, at once.
        is_catching_up: bool,
        /// Steps made.
        n_done: u64,
        /// Of so many.
        n_steps: u64,
        /// Whether somebody has paused it.
        is_paused: bool,
    },
    /// Its run is done.
    Reveals(&'a Seen),
}

/// What came of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Index of the answer that was given, if one was.
    pub prediction: Option<usize>,
    /// What was measured.
    pub readings: Vec<Reading>,
    /// The run of which it was measured.
    pub generation: u64,
    /// After how many of its steps.
    pub step: u64,
}

/// A measure before and after a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// What was measured.
    pub measure: &'static Measure,
    /// Before its steps, where that run was seen.
    pub before: Option<f64>,
    /// After its last step.
    pub after: Option<f64>,
    /// Whether what the text claims of it holds: not where controls were moved meanwhile.
    pub holds: bool,
}

#[derive(Clone, Debug)]
struct Run {
    prediction: Option<usize>,
    before: Option<Arc<Snapshot>>,
    /// Number of the command that set it going, once that is known.
    number: Option<u64>,
    /// Its run, once a snapshot has shown it.
    generation: Option<u64>,
    /// Step at which it began.
    from: u64,
    n_steps: u64,
    is_catching_up: bool,
    n_done: u64,
    is_paused: bool,
}

impl Run {
    fn new(prediction: Option<usize>, from: u64, n_steps: u64) -> Self {
        Self {
            prediction,
            before: None,
            number: None,
            generation: None,
            from,
            n_steps,
            is_catching_up: false,
            n_done: 0,
            is_paused: false,
        }
    }

    /// Makes so many steps of the stages before one.
    fn catching_up(n_steps: u64) -> Self {
        Self {
            is_catching_up: true,
            ..Self::new(None, 0, n_steps)
        }
    }
}

/// What a snapshot says of the stage under way.
enum News {
    /// It belongs to what was there before.
    Old,
    /// Another run has taken its place.
    Gone,
    Going,
    Done,
}

impl Walk {
    /// At a stage of a lesson or a failure; beyond the last one at the last.
    pub fn new(subject: Subject, at: usize) -> Self {
        let n = subject.stages().len();
        Self {
            subject,
            at: at.min(n.saturating_sub(1)),
            run: None,
            seen: vec![None; n],
            last: None,
            ready: None,
            has_happened: false,
        }
    }

    /// What is walked through.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// Index of the stage that is shown.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Number of stages.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether there is none; no file has none.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// What came of the stage that is shown, while none is under way.
    pub fn phase(&self) -> Phase<'_> {
        match (&self.run, &self.seen[self.at]) {
            (Some(run), _) => Phase::Runs {
                prediction: run.prediction,
                is_catching_up: run.is_catching_up,
                n_done: run.n_done,
                n_steps: run.n_steps,
                is_paused: run.is_paused,
            },
            (None, Some(seen)) => Phase::Reveals(seen),
            (None, None) => Phase::Asks,
        }
    }

    /// Steps that have been made, and of how many, of those before the stage that is shown, while
    /// they are made and its question is read.
    pub fn steps_before(&self) -> Option<[u64; 2]> {
        let ready = self.ready.as_ref();
        let ready = ready.filter(|ready| ready.n_done < ready.n_steps)?;
        Some([ready.n_done, ready.n_steps])
    }

    /// Whether what a failure waits for was measured in this run.
    pub fn has_happened(&self) -> bool {
        self.has_happened
    }

    /// Goes to the next stage; the run goes on as it is. Whether there was one.
    pub fn forward(&mut self) -> bool {
        self.go_to(self.at + 1)
    }

    /// Goes to the stage before. Whether there was one.
    pub fn back(&mut self) -> bool {
        self.at > 0 && self.go_to(self.at - 1)
    }

    fn go_to(&mut self, at: usize) -> bool {
        let is_there = at < self.len();
        if is_there {
            self.at = at;
            self.ready = None;
            self.run = None; // what is under way belongs to the card that was left
        }
        is_there
    }

    /// What the question of the stage that is shown is asked over: its run before the first step, or
    /// the stages before it where the run under way, `now`, is not theirs. `None` where that is there,
    /// or the stage was run.
    ///
    /// # Errors
    /// As [`Walk::start`].
    pub fn prepare(
        &mut self,
        now: Option<&Arc<Snapshot>>,
    ) -> Result<Option<Order>, ExperimentError> {
        if !matches!(self.phase(), Phase::Asks) {
            return Ok(None);
        }
        let stages = self.subject.stages();
        let stage = stages[self.at];
        let (experiment, n_steps) = if stage.begins {
            (stage.beginning(self.subject.experiment())?, 0)
        } else if now.is_some_and(|now| self.is_before(now)) {
            return Ok(None);
        } else {
            made(self.subject.experiment(), stages[..self.at].to_vec())?
        };
        self.ready = Some(Run::catching_up(n_steps));
        Ok(Some(Order::CatchUp(Box::new(experiment), n_steps)))
    }

    /// Whether a run is that of the stage before, at its end or beyond.
    fn is_before(&self, now: &Snapshot) -> bool {
        let last = self.last.as_ref().filter(|(at, _)| at + 1 == self.at);
        let is_last = last
            .is_some_and(|(_, last)| last.generation == now.generation && last.step <= now.step);
        let is_ready = |ready: &Run| ready.is_heard(now) && now.step >= ready.n_steps;
        is_last || self.ready.as_ref().is_some_and(is_ready)
    }

    /// Runs the stage that is shown, after a prediction or without one. It goes on from the run under
    /// way if that is where the stage before has ended, whatever was changed since; else that run is
    /// made first. `None` where that is under way already.
    ///
    /// # Errors
    /// If a setting is refused; the loader has tried them all.
    pub fn start(
        &mut self,
        prediction: Option<usize>,
        now: Option<&Arc<Snapshot>>,
    ) -> Result<Option<Order>, ExperimentError> {
        let stages = self.subject.stages();
        let stage = stages[self.at];
        self.seen[self.at] = None;
        self.has_happened = false;
        let goes_on = now.is_some_and(|now| self.is_before(now));
        let before = self.last.take().filter(|(at, _)| at + 1 == self.at);
        let ready = self.ready.take();
        if stage.begins {
            let mut run = Run::new(prediction, 0, stage.n_steps);
            run.before = before.map(|(_, snapshot)| snapshot);
            self.run = Some(run);
            let beginning = stage.beginning(self.subject.experiment())?;
            return Ok(Some(Order::Begin(Box::new(beginning))));
        }
        if let Some(now) = now.filter(|_| goes_on) {
            return Ok(Some(self.go_on(prediction, now)));
        }
        if let Some(ready) = ready {
            self.run = Some(Run {
                prediction,
                ..ready
            });
            return Ok(None);
        }
        let (experiment, n_steps) = made(self.subject.experiment(), stages[..self.at].to_vec())?;
        self.run = Some(Run {
            prediction,
            ..Run::catching_up(n_steps)
        });
        Ok(Some(Order::CatchUp(Box::new(experiment), n_steps)))
    }

    fn go_on(&mut self, prediction: Option<usize>, now: &Arc<Snapshot>) -> Order {
        let stage = self.subject.stages()[self.at];
        let mut run = Run::new(prediction, now.step, stage.n_steps);
        run.before = Some(Arc::clone(now));
        self.run = Some(run);
        Order::GoOn(stage.set.clone(), stage.n_steps)
    }

    /// Runs the stage again from what comes before it, with nothing that was changed since.
    ///
    /// # Errors
    /// As [`Walk::start`].
    pub fn again(&mut self) -> Result<Option<Order>, ExperimentError> {
        self.last = None;
        let prediction = self.seen[self.at].as_ref().and_then(|seen| seen.prediction);
        self.start(prediction, None)
    }

    /// Runs the cure of a failure from where it stands, although its run may not have ended.
    ///
    /// # Errors
    /// As [`Walk::start`].
    pub fn cure(&mut self, now: &Arc<Snapshot>) -> Result<Option<Order>, ExperimentError> {
        self.last = Some((self.at, Arc::clone(now)));
        self.forward();
        self.start(None, Some(now))
    }

    /// Says which command was the last of an order.
    pub fn sent(&mut self, number: u64) {
        if let Some(run) = &mut self.run {
            run.number = Some(number);
        } else if let Some(ready) = &mut self.ready {
            ready.number = Some(number);
        }
    }

    /// Sees a snapshot; what is to be done next, once the stages before have been made.
    pub fn notice(&mut self, snapshot: &Arc<Snapshot>) -> Option<Order> {
        let Some(run) = &mut self.run else {
            let ready = self.ready.as_mut().map(|ready| ready.news(snapshot));
            if matches!(ready, Some(News::Gone)) {
                self.ready = None;
            }
            return None;
        };
        match run.news(snapshot) {
            News::Old => None,
            News::Gone => {
                self.run = None;
                None
            }
            News::Done if run.is_catching_up => {
                let prediction = run.prediction;
                Some(self.go_on(prediction, snapshot))
            }
            News::Going => {
                self.look_for_failure(snapshot);
                None
            }
            News::Done => {
                self.look_for_failure(snapshot);
                self.reveal(snapshot);
                None
            }
        }
    }

    fn look_for_failure(&mut self, snapshot: &Snapshot) {
        if let Subject::Failure(failure) = self.subject {
            let holds = |claim: &Claim| claim.holds(snapshot, snapshot);
            self.has_happened |= self.at == 0 && failure.when.iter().all(holds);
        }
    }

    fn reveal(&mut self, snapshot: &Arc<Snapshot>) {
        let Some(run) = self.run.take() else {
            return;
        };
        let stage = self.subject.stages()[self.at];
        self.seen[self.at] = Some(Seen {
            prediction: run.prediction,
            readings: readings(stage, run.before.as_deref(), snapshot),
            generation: snapshot.generation,
            step: snapshot.step,
        });
        self.last = Some((self.at, Arc::clone(snapshot)));
    }
}

/// Every measure of which something is claimed, once.
fn readings(stage: &Stage, before: Option<&Snapshot>, after: &Snapshot) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for claim in &stage.claims {
        let measure = claim.measure;
        let holds = match before {
            None if claim.bound.compares() => true, // with nothing
            _ => claim.holds(before.unwrap_or(after), after),
        };
        if let Some(known) = readings.iter_mut().find(|r| r.measure == measure) {
            known.holds &= holds;
            continue;
        }
        let of_measure = |claim: &&Claim| claim.measure == measure;
        let mut claims = stage.claims.iter().filter(of_measure);
        let is_compared = !stage.begins || claims.any(|claim| claim.bound.compares());
        readings.push(Reading {
            measure,
            before: before.filter(|_| is_compared).and_then(|s| measure.of(s)),
            after: measure.of(after),
            holds,
        });
    }
    readings
}

impl Run {
    /// Whether a snapshot is of a time when the command that sets it going had been heard.
    fn is_heard(&self, snapshot: &Snapshot) -> bool {
        self.number
            .is_some_and(|number| snapshot.n_commands >= number)
    }

    /// What a snapshot says of it.
    fn news(&mut self, snapshot: &Snapshot) -> News {
        // Somebody who plays on past the end is told what is there then.
        const LEAST_BEYOND: u64 = 20;
        if !self.is_heard(snapshot) {
            return News::Old;
        }
        if *self.generation.get_or_insert(snapshot.generation) != snapshot.generation {
            return News::Gone;
        }
        let n_done = snapshot.step.saturating_sub(self.from);
        self.n_done = n_done.min(self.n_steps);
        self.is_paused = !snapshot.is_playing;
        let is_beyond = n_done >= self.n_steps + LEAST_BEYOND.max(self.n_steps / 10);
        if is_beyond || (n_done >= self.n_steps && !snapshot.is_playing) {
            News::Done
        } else {
            News::Going
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::{failures, lessons};
    use crate::trainer::{Subset, Trainer};

    /// A run of three free classes at its start, as the worker shows it.
    fn snapshot() -> Snapshot {
        let mut experiment = Experiment::default();
        for (key, value) in [
            ("data.source", "free"),
            ("classes", "3"),
            ("loss.id", "normface"),
        ] {
            experiment.set(key, value).expect("a valid setting");
        }
        let trainer = Trainer::new(&experiment, None, 1).expect("it starts");
        Snapshot::of(&trainer, Subset::default())
    }

    /// At a step of a run, after so many commands.
    fn at(generation: u64, n_commands: u64, step: u64, is_playing: bool) -> Arc<Snapshot> {
        Arc::new(Snapshot {
            generation,
            n_commands,
            step,
            is_playing,
            ..snapshot()
        })
    }

    fn centre_loss() -> &'static Lesson {
        let mut lessons = lessons().iter();
        let found = lessons.find(|lesson| lesson.name == "04-centre-loss");
        found.expect("a lesson of this name")
    }

    #[test]
    fn a_step_asks_runs_and_reveals() {
        let lesson = centre_loss();
        let n = lesson.steps[0].stage.n_steps;
        let mut walk = Walk::new(Subject::Lesson(lesson), 0);
        assert_eq!(walk.phase(), Phase::Asks);
        let order = walk.start(Some(0), None).expect("its settings are tried");
        assert!(matches!(order, Some(Order::Begin(_))));
        walk.sent(3);
        // A snapshot from before the command, of a run that has gone far, ends nothing.
        assert_eq!(walk.notice(&at(1, 2, 9 * n, false)), None);
        assert_eq!(walk.notice(&at(2, 3, n / 2, true)), None);
        let Phase::Runs { n_done, .. } = walk.phase() else {
            panic!("{:?}", walk.phase());
        };
        assert_eq!(n_done, n / 2);
        walk.notice(&at(2, 3, n, false));
        let Phase::Reveals(seen) = walk.phase() else {
            panic!("{:?}", walk.phase());
        };
        assert_eq!(seen.prediction, Some(0));
        assert!(seen.readings.iter().all(|reading| reading.before.is_none()));
        // Three classes at their start are no petals of six digits.
        assert!(seen.readings.iter().any(|reading| !reading.holds));
    }

    #[test]
    fn a_pause_ends_no_step_and_who_plays_on_is_told_later() {
        let lesson = centre_loss();
        let n = lesson.steps[0].stage.n_steps;
        let mut walk = Walk::new(Subject::Lesson(lesson), 0);
        walk.start(None, None).expect("its settings are tried");
        walk.sent(1);
        walk.notice(&at(2, 1, n / 2, false));
        assert!(matches!(
            walk.phase(),
            Phase::Runs {
                is_paused: true,
                ..
            }
        ));
        walk.notice(&at(2, 1, n + 1, true));
        assert!(matches!(walk.phase(), Phase::Runs { .. }));
        walk.notice(&at(2, 1, 2 * n, true));
        assert!(matches!(walk.phase(), Phase::Reveals(_)));
    }

    #[test]
    fn another_run_takes_the_place_of_a_step() {
        let mut walk = Walk::new(Subject::Lesson(centre_loss()), 0);
        walk.start(None, None).expect("its settings are tried");
        walk.sent(1);
        walk.notice(&at(2, 1, 10, true));
        walk.notice(&at(3, 2, 0, true));
        assert_eq!(walk.phase(), Phase::Asks);
    }

    #[test]
    fn the_next_step_goes_on_with_the_run_under_way() {
        let lesson = centre_loss();
        let [first, second] = [0, 1].map(|i| &lesson.steps[i].stage);
        let mut walk = Walk::new(Subject::Lesson(lesson), 0);
        walk.start(None, None).expect("its settings are tried");
        walk.sent(1);
        let end = at(2, 1, first.n_steps, false);
        walk.notice(&end);
        assert!(walk.forward());
        let order = walk.start(Some(1), Some(&end));
        let expected = Order::GoOn(second.set.clone(), second.n_steps);
        assert_eq!(order, Ok(Some(expected)));
        assert_eq!(
            walk.seen[0].as_ref().map(|seen| seen.prediction),
            Some(None)
        );
        // Back to what was revealed, and on to a question.
        assert!(walk.back());
        assert!(matches!(walk.phase(), Phase::Reveals(_)));
        assert!(!walk.back());
    }

    #[test]
    fn a_step_that_is_jumped_to_makes_those_before_it_first() {
        let lesson = centre_loss();
        let stages: Vec<u64> = lesson.steps.iter().map(|s| s.stage.n_steps).collect();
        let mut walk = Walk::new(Subject::Lesson(lesson), 2);
        let elsewhere = at(1, 0, 5000, true);
        let order = walk.start(None, Some(&elsewhere));
        let Ok(Some(Order::CatchUp(experiment, n_steps))) = order else {
            panic!("{order:?}");
        };
        assert_eq!(n_steps, stages[0] + stages[1]);
        let changed: Vec<u64> = experiment.run.changes.iter().map(|c| c.step).collect();
        assert_eq!(changed, [stages[0]; 2]); // loss and λ
        walk.sent(1);
        let order = walk.notice(&at(2, 1, n_steps, false));
        assert!(matches!(order, Some(Order::GoOn(..))));
        walk.sent(4);
        walk.notice(&at(2, 4, n_steps + stages[2], false));
        assert!(matches!(walk.phase(), Phase::Reveals(_)));
    }

    #[test]
    fn steps_before_are_counted_while_a_question_is_read_and_made_once() {
        let lesson = centre_loss();
        let mut walk = Walk::new(Subject::Lesson(lesson), 1);
        let elsewhere = at(1, 0, 5000, true);
        let order = walk.prepare(Some(&elsewhere));
        let Ok(Some(Order::CatchUp(_, n_steps))) = order else {
            panic!("{order:?}");
        };
        walk.sent(1);
        // The run from before has long had as many.
        walk.notice(&elsewhere);
        assert_eq!(walk.steps_before(), Some([0, n_steps]));
        walk.notice(&at(2, 1, n_steps / 2, true));
        assert_eq!(walk.phase(), Phase::Asks);
        assert_eq!(walk.steps_before(), Some([n_steps / 2, n_steps]));
        let mut patient = walk.clone();

        // Who answers before they are made waits for the rest of them.
        let half = at(2, 1, n_steps / 2, true);
        assert_eq!(walk.start(Some(0), Some(&half)), Ok(None));
        let ready = at(2, 1, n_steps, false);
        assert!(matches!(walk.notice(&ready), Some(Order::GoOn(..))));

        patient.notice(&ready);
        assert_eq!(patient.steps_before(), None);
        let order = patient.start(Some(0), Some(&ready));
        assert!(matches!(order, Ok(Some(Order::GoOn(..)))));
    }

    #[test]
    fn steps_before_of_a_run_that_was_replaced_are_made_again() {
        let mut walk = Walk::new(Subject::Lesson(centre_loss()), 1);
        let order = walk.prepare(None);
        assert!(matches!(order, Ok(Some(Order::CatchUp(..)))));
        walk.sent(1);
        walk.notice(&at(2, 1, 10, true));
        let other = at(3, 2, 5000, true);
        walk.notice(&other);
        assert_eq!(walk.steps_before(), None);
        let order = walk.start(None, Some(&other));
        assert!(matches!(order, Ok(Some(Order::CatchUp(..)))));
    }

    #[test]
    fn a_failure_is_explained_once_it_is_measured_and_goes_on_into_its_cure() {
        let mut failures = failures().iter();
        let failure = failures.find(|f| f.name == "04-margin-past-ceiling");
        let failure = failure.expect("a failure of this name");
        let mut walk = Walk::new(Subject::Failure(failure), 0);
        walk.start(None, None).expect("its settings are tried");
        walk.sent(1);
        walk.notice(&at(2, 1, 100, true));
        assert!(!walk.has_happened(), "three classes are not fused");
        // Every feature on one point: classes are fused, a third of them right.
        let mut fused = snapshot();
        fused.probe.features = [1.0, 0.0].repeat(fused.probe.len());
        fused.metrics.accuracy = 0.9;
        let fused = Arc::new(Snapshot {
            generation: 2,
            n_commands: 1,
            step: 500,
            is_playing: true,
            ..fused
        });
        walk.notice(&fused);
        assert!(walk.has_happened() && matches!(walk.phase(), Phase::Runs { .. }));
        let order = walk.cure(&fused);
        let cure = &failure.cure.stage;
        let expected = Order::GoOn(cure.set.clone(), cure.n_steps);
        assert_eq!(order, Ok(Some(expected)));
        assert_eq!((walk.at(), walk.has_happened()), (1, false));
    }
}
