//! From a recipe to its runs at the moments that the picture shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::experiment::Experiment;
use crate::figure::strip::StripError;
use crate::figure::{Picture, Plot, Recipe};
use crate::scene::{TrailSteps, Trails};
use crate::trainer::{
    Diverged, Drawn, EmbedWork, History, Horizon, SessionError, Snapshot, TrainError, Trainer,
    split_of,
};

/// A figure that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// The run cannot start.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The run has no finite numbers at the step that is wanted.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// A session does not fit its experiment.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A panel cannot be made.
    #[error(transparent)]
    Strip(#[from] StripError),
    /// Whoever watched the steps had enough.
    #[error("interrupted after {step} of {n_steps} steps")]
    Interrupted {
        /// Steps made.
        step: u64,
        /// Steps wanted.
        n_steps: u64,
    },
}

/// What a picture shows: moments of runs.
#[derive(Clone, Debug)]
pub struct Played {
    /// One for a still picture; one for each panel of a strip, for each moment of a film.
    pub moments: Vec<Moment>,
    /// Where the samples of the one moment were before.
    pub trails: Trails,
}

/// A run after some step.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The run.
    pub snapshot: Arc<Snapshot>,
    /// What stands over it; empty where it is alone.
    pub title: String,
}

impl Played {
    /// A still picture of a run at rest.
    pub fn still(snapshot: Arc<Snapshot>, trails: Trails) -> Self {
        let title = String::new();
        Self {
            moments: vec![Moment { snapshot, title }],
            trails,
        }
    }

    /// The last moment.
    pub fn last(&self) -> Option<&Arc<Snapshot>> {
        self.moments.last().map(|moment| &moment.snapshot)
    }
}

/// Points of the accuracy curve.
const N_ACCURACIES: u64 = 64;
/// Steps of a trail of which nothing is recorded: a part of the run so long as this.
const TRAIL_SHARE: u64 = 128;

/// Makes the steps of a recipe on so many threads, which do not change a bit. After each step
/// `goes_on` is told how many were made, of how many, and says whether to make the next.
///
/// # Errors
/// If a run cannot start, diverges, or is interrupted.
pub fn replay(
    recipe: &Recipe,
    n_threads: usize,
    mut goes_on: impl FnMut(u64, u64) -> bool + Send,
) -> Result<Played, FigureError> {
    let Recipe {
        experiment,
        picture,
    } = recipe;
    let plans = plans(experiment, picture)?;
    let mut played = Played {
        moments: Vec::new(),
        trails: Trails::default(),
    };
    let mut n_before = 0;
    for (i, plan) in plans.iter().enumerate() {
        let horizon = picture.endless.then_some(Horizon::Endless);
        let trainer = Trainer::new(&plan.experiment, horizon, n_threads)?;
        let n_train = trainer.data().train.len();
        let end = plan.end(n_train, picture);
        // How long the other runs are is known when their data are there.
        let n_steps = n_before + end * (plans.len() - i) as u64;
        let mut watch = |step| {
            let step = n_before + step;
            if goes_on(step, n_steps) {
                Ok(())
            } else {
                Err(FigureError::Interrupted { step, n_steps })
            }
        };
        plan.play(trainer, picture, end, &mut watch, &mut played)?;
        n_before += end;
    }
    Ok(played)
}

/// A run, and the moments of it that are seen.
struct Plan {
    experiment: Experiment,
    /// In the order in which they are seen, with what stands over them; no step is the run's end.
    panels: Vec<(Option<u64>, String)>,
}

fn plans(experiment: &Experiment, picture: &Picture) -> Result<Vec<Plan>, StripError> {
    let Some(strip) = &picture.strip else {
        return Ok(vec![Plan {
            experiment: experiment.clone(),
            panels: vec![(picture.step, String::new())],
        }]);
    };
    let panels = strip.panels(experiment)?.into_iter();
    let runs = panels.map(|panel| Plan {
        experiment: panel.experiment,
        panels: vec![(panel.step, panel.title)],
    });
    if !strip.is_over_time() {
        return Ok(runs.collect());
    }
    let joined = runs.reduce(|mut first, next| {
        first.panels.extend(next.panels);
        first
    });
    Ok(joined.into_iter().collect())
}

impl Plan {
    /// The last step that is seen.
    fn end(&self, n_train: usize, picture: &Picture) -> u64 {
        let whole = picture
            .step
            .unwrap_or_else(|| self.experiment.n_steps(n_train));
        let steps = self.panels.iter().map(|(step, _)| step.unwrap_or(whole));
        steps.max().unwrap_or(whole)
    }

    fn play(
        &self,
        trainer: Trainer,
        picture: &Picture,
        end: u64,
        watch: &mut (impl FnMut(u64) -> Result<(), FigureError> + Send),
        played: &mut Played,
    ) -> Result<(), FigureError> {
        let seen = match &picture.film {
            Some(film) => film.steps(end).into_iter().map(|step| (step, "")).collect(),
            None => self.seen(end),
        };
        let mut wanted: Vec<u64> = seen.iter().map(|(step, _)| *step).collect();
        wanted.sort_unstable();
        let mut player = Player::new(trainer, picture, end);
        let mut taken = BTreeMap::new();
        let pool = player.trainer.threads();
        pool.install(|| -> Result<(), FigureError> {
            for step in wanted {
                player.go_to(step, watch)?;
                taken
                    .entry(step)
                    .or_insert_with(|| Arc::new(player.snapshot()));
            }
            Ok(())
        })?;
        played
            .moments
            .extend(seen.iter().map(|(step, title)| Moment {
                snapshot: Arc::clone(&taken[step]),
                title: (*title).to_owned(),
            }));
        if let Some(last) = taken.get(&end) {
            played.trails = player.trails(last);
        }
        Ok(())
    }

    /// Moments with their titles, as they are asked for.
    fn seen(&self, end: u64) -> Vec<(u64, &str)> {
        let panels = self.panels.iter();
        panels
            .map(|(step, title)| (step.unwrap_or(end), title.as_str()))
            .collect()
    }
}

/// A run under way, with what a picture wants to know of its past.
struct Player<'a> {
    trainer: Trainer,
    picture: &'a Picture,
    history: History,
    /// Accuracy is measured after every so many steps, where the picture shows it and has none.
    stride: Option<u64>,
    measured: std::slice::Iter<'a, (u64, f64)>,
    past: Past,
    /// Shared by all snapshots, by which trails know that they are of the same samples.
    indices: Option<Arc<[u32]>>,
}

impl<'a> Player<'a> {
    fn new(trainer: Trainer, picture: &'a Picture, end: u64) -> Self {
        let measures = picture.plot == Plot::Curves && picture.accuracy.is_empty();
        let past = Past::new(&trainer, picture, end);
        Self {
            trainer,
            picture,
            history: History::default(),
            stride: measures.then(|| end.div_ceil(N_ACCURACIES).max(1)),
            measured: picture.accuracy.iter(),
            past,
            indices: None,
        }
    }

    fn go_to(
        &mut self,
        step: u64,
        watch: &mut (impl FnMut(u64) -> Result<(), FigureError> + Send),
    ) -> Result<(), FigureError> {
        self.past.note(&self.trainer);
        while self.trainer.n_steps() < step {
            watch(self.trainer.n_steps())?;
            let report = self.trainer.step()?;
            self.note(report.loss);
            self.past.note(&self.trainer);
        }
        Ok(())
    }

    fn note(&mut self, loss: f64) {
        let step = self.trainer.n_steps();
        self.history.push_loss(step, loss);
        if self
            .stride
            .is_some_and(|stride| step.is_multiple_of(stride))
        {
            let snapshot = Snapshot::of(&self.trainer, self.picture.samples);
            self.history.note_accuracy(snapshot.metrics.accuracy);
        }
        let next = self.measured.as_slice().first();
        if let Some((_, accuracy)) = next.filter(|(at, _)| *at == step) {
            self.history.note_accuracy(*accuracy);
            self.measured.next();
        }
    }

    fn snapshot(&mut self) -> Snapshot {
        let mut snapshot = Snapshot::of(&self.trainer, self.picture.samples);
        if self.stride.is_some() && snapshot.step > 0 {
            self.history.note_accuracy(snapshot.metrics.accuracy);
        }
        snapshot.history = self.history.clone();
        let indices = self
            .indices
            .get_or_insert_with(|| Arc::clone(&snapshot.probe.indices));
        snapshot.probe.indices = Arc::clone(indices);
        let ink = self.picture.drawn.as_ref();
        snapshot.drawn = ink.and_then(|ink| Drawn::of(&self.trainer, ink.image()));
        snapshot
    }

    fn trails(&self, last: &Snapshot) -> Trails {
        Trails::rebuilt(last, &self.past.steps, |step, k| self.past.feature(step, k))
    }
}

/// Features of the samples that have trails, after the steps of which the trails are made.
#[derive(Default)]
struct Past {
    steps: TrailSteps,
    is_train: bool,
    /// Of the split.
    indices: Vec<u32>,
    dim: usize,
    /// `[dim, n]` after each of some steps; empty before that step is made.
    features: BTreeMap<u64, Vec<f32>>,
}

impl Past {
    /// Nothing where no trails are drawn.
    fn new(trainer: &Trainer, picture: &Picture, end: u64) -> Self {
        if !picture.show.trails || picture.film.is_some() || picture.strip.is_some() {
            return Self::default();
        }
        let probe = Snapshot::of(trainer, picture.samples).probe;
        let dim = trainer.experiment().network.dim;
        let samples = Trails::samples(&probe, dim);
        let evenly = || TrailSteps::even(samples.len(), end, (end / TRAIL_SHARE).max(1));
        let steps = picture.trail.clone().unwrap_or_else(evenly);
        Self {
            is_train: probe.is_train,
            indices: samples.iter().map(|&i| probe.indices[i as usize]).collect(),
            dim,
            features: steps.all().map(|step| (step, Vec::new())).collect(),
            steps,
        }
    }

    fn note(&mut self, trainer: &Trainer) {
        let Some(features) = self.features.get_mut(&trainer.n_steps()) else {
            return;
        };
        if features.is_empty() {
            *features = vec![0.0; self.dim * self.indices.len()];
            let split = split_of(trainer.data(), self.is_train);
            trainer.embed(split, &self.indices, &mut EmbedWork::default(), features);
        }
    }

    /// Of the `k`-th sample with a trail.
    fn feature(&self, step: u64, k: usize) -> Option<&[f32]> {
        self.features
            .get(&step)?
            .get(k * self.dim..(k + 1) * self.dim)
    }
}
