//! The way of a run back to a recorded moment: from a checkpoint, a step at a time, so that commands
//! are heard in between.

use std::collections::VecDeque;

use crate::trainer::run::Run;
use crate::trainer::timeline::{Moment, WayBack};
use crate::trainer::worker::Command;

/// A way back that a run is on.
pub(super) struct Journey {
    way: WayBack,
    /// Commands that wait until it has come to its end.
    waiting: VecDeque<Command>,
}

/// What a command that comes on the way has to do with it.
pub(super) enum Heard {
    /// It waits.
    Later,
    /// It says where else the run is to be, instead of these many commands that waited.
    Instead(u64),
    /// The run is replaced; those that waited come before.
    Replaces,
}

impl Journey {
    /// Puts a run at the checkpoint from which it begins.
    pub(super) fn begin(way: WayBack, run: &mut Run) -> Self {
        run.rest();
        run.fault = None;
        run.trainer.begin_way(&way.checkpoint, &way.experiment);
        let waiting = VecDeque::new();
        Self { way, waiting }
    }

    /// Makes the next step. Whether the run is there.
    pub(super) fn go_on(&mut self, run: &mut Run) -> bool {
        if self.n_left(run) == 0 {
            return true;
        }
        if let Err(diverged) = run.trainer.step() {
            // It never came by there. What it has come to may not be finite: the checkpoint is.
            run.trainer.restore(&self.way.checkpoint);
            run.fault = Some(diverged.to_string());
            return true;
        }
        self.n_left(run) == 0
    }

    /// The run rests where it has come to: there, and with the curves up to there.
    pub(super) fn end(self, run: &mut Run) -> (Moment, VecDeque<Command>) {
        run.trainer.end_way(&self.way.checkpoint);
        let step = run.trainer.n_steps();
        run.history = self.way.history.until(step);
        run.measured = None;
        run.stop();
        let lane = self.way.moment.lane;
        (Moment { lane, step }, self.waiting)
    }

    /// What becomes of a command.
    pub(super) fn hear(&mut self, command: &Command) -> Heard {
        let moves = |command: &Command| {
            use Command::{Pause, Play, PlayFor, Step, TogglePlay};
            matches!(command, Pause | Play | PlayFor(_) | Step(_) | TogglePlay)
        };
        match command {
            Command::Load(_) | Command::Open(_) => Heard::Replaces,
            // What was to be changed at the moment is changed there.
            Command::GoTo(_) | Command::Pause if self.waiting.iter().all(moves) => {
                Heard::Instead(self.waiting.len() as u64)
            }
            _ => {
                self.waiting.push_back(command.clone());
                Heard::Later
            }
        }
    }

    /// Whether another run, a twin, goes back to the very same moment.
    pub(super) fn leads_where(&self, other: &Self) -> bool {
        self.way.leads_where(&other.way)
    }

    /// Steps that are to be made.
    pub(super) fn n_left(&self, run: &Run) -> u64 {
        self.way.moment.step.saturating_sub(run.trainer.n_steps())
    }

    /// Part of the way that is done.
    pub(super) fn percent(&self, run: &Run) -> u8 {
        let n = self.way.moment.step - self.way.checkpoint.step();
        let n_done = n - self.n_left(run);
        u8::try_from(100 * n_done / n.max(1)).unwrap_or(100)
    }
}
