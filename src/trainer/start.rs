//! How a run begins: from its first step, up to where a picture was taken, or where a session stands.

use crate::experiment::Experiment;
use crate::trainer::{Horizon, Session, SessionError, Trainer};

/// How a run begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// What is trained; for a session the experiment of its recipe.
    pub experiment: Experiment,
    /// Whether it has no end, so that its learning rate falls to a floor.
    pub is_endless: bool,
    /// Steps that are made at once, before the run pauses.
    pub until: Option<u64>,
    /// What it goes on from, paused.
    pub session: Option<Session>,
}

impl From<Experiment> for Start {
    /// A run from its beginning and without an end.
    fn from(experiment: Experiment) -> Self {
        Self {
            experiment,
            is_endless: true,
            until: None,
            session: None,
        }
    }
}

impl Start {
    pub(super) fn trainer(&self, n_threads: usize) -> Result<Trainer, SessionError> {
        if let Some(session) = &self.session {
            return Trainer::resume(session, &self.experiment, n_threads);
        }
        let horizon = self.is_endless.then_some(Horizon::Endless);
        Ok(Trainer::new(&self.experiment, horizon, n_threads)?)
    }

    /// Steps to make before the run pauses: to where a picture was taken, or so many as were asked
    /// for; Play goes on without end.
    pub(super) fn steps_left(&self, n_train: usize) -> Option<u64> {
        if self.session.is_some() {
            return Some(0);
        }
        let asked = self.experiment.run.length;
        let asked = asked.map(|_| self.experiment.n_steps(n_train));
        self.until.or(asked)
    }
}
