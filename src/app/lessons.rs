//! Lessons and failures in the window: their page, the card beside the picture, and what the run is
//! told. Nothing of it locks a control.

mod card;
mod page;

use std::collections::BTreeMap;

use egui::Context;

use crate::app::App;
use crate::app::action::Action;
use crate::app::overlay::Toast;
use crate::app::pane::PaneId;
use crate::experiment::{Experiment, ExperimentError};
use crate::lesson::{Order, Phase, Setting, Subject, Walk, lessons};
use crate::scene::Light;
use crate::trainer::{Command, Speed, Start};

use self::page::LessonsPage;

/// What is asked for on the page and on the card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lecture {
    /// Show the page.
    List,
    /// Open a lesson where it was left, or a failure, which runs at once.
    Open(Subject),
    /// Run the step after this prediction, or after none.
    Answer(Option<usize>),
    /// Run it again from what comes before it.
    Again,
    /// Run the cure of a failure.
    Cure,
    /// Go to the next step, after the last one to the next lesson.
    Next,
    /// Go to the step before.
    Back,
    /// Close the card.
    Close,
}

/// So long a run is watched, whatever a step takes.
const WATCHED_SECS: u64 = 6;

/// Steps of each lesson that were seen to their end, by its name.
pub(super) type Progress = BTreeMap<String, usize>;

/// What is open.
#[derive(Default)]
pub(super) struct Lectures {
    page: Option<LessonsPage>,
    walk: Option<Walk>,
    pub(super) progress: Progress,
    /// The speed that was in force before, and the one that was chosen for watching.
    speeds: Option<[Speed; 2]>,
    /// Where the runs of what is open are made.
    pane: Option<PaneId>,
    /// Panes that played beside it before; they rest until it is closed, as in lock step it would
    /// hurry after them and could not be watched.
    resting: Vec<PaneId>,
}

impl Lectures {
    pub(super) fn of(progress: Progress) -> Self {
        Self {
            progress,
            ..Self::default()
        }
    }

    /// The speed that is in force without a lesson: what one chooses for watching ends with it.
    pub(super) fn own_speed(&self, now: Speed) -> Speed {
        match self.speeds {
            Some([before, chosen]) if chosen == now => before,
            _ => now,
        }
    }

    /// Whether the page is open, which Esc closes first.
    pub(super) fn has_page(&self) -> bool {
        self.page.is_some()
    }

    /// Shows the page, while it is open.
    pub(super) fn page_ui(&mut self, ctx: &Context, actions: &mut Vec<Action>) {
        let page = self.page.take();
        self.page = page.and_then(|mut page| {
            let is_open = page.ui(ctx, &self.progress, actions);
            is_open.then_some(page)
        });
    }

    /// Shows the card beside the picture, while a lesson or a failure is open.
    pub(super) fn card_ui(
        &mut self,
        ui: &mut egui::Ui,
        is_presenting: bool,
        actions: &mut Vec<Action>,
    ) {
        if let Some(walk) = &self.walk {
            card::card_ui(ui, walk, is_presenting, actions);
        }
    }

    fn note_progress(&mut self) {
        let Some(walk) = &self.walk else { return };
        if let (Subject::Lesson(lesson), Phase::Reveals(_)) = (walk.subject(), walk.phase()) {
            let seen = self.progress.entry(lesson.name.clone()).or_default();
            *seen = walk.at().saturating_add(1).max(*seen);
        }
    }
}

impl App {
    /// Does what the page or the card asks for.
    pub(super) fn lecture(&mut self, ctx: &Context, lecture: Lecture) {
        // A lesson counts the steps of its own pane, whatever is looked at.
        let now = self.panes.find(self.lectures.pane).newest().cloned();
        let order = match lecture {
            Lecture::List => {
                self.lectures.page = Some(LessonsPage::default());
                return;
            }
            Lecture::Open(subject) => {
                let mut walk = Walk::new(subject, self.first_unseen(subject));
                let begins = matches!(subject, Subject::Failure(_));
                let order = begins.then(|| walk.start(None, None));
                self.lectures.walk = Some(walk);
                order
            }
            Lecture::Answer(prediction) => {
                let walk = self.lectures.walk.as_mut();
                walk.map(|walk| walk.start(prediction, now.as_ref()))
            }
            Lecture::Again => self.lectures.walk.as_mut().map(Walk::again),
            Lecture::Cure => {
                let walk = self.lectures.walk.as_mut();
                walk.zip(now).map(|(walk, now)| walk.cure(&now))
            }
            Lecture::Next => return self.next_step(ctx),
            Lecture::Back => {
                match &mut self.lectures.walk {
                    Some(walk) => {
                        walk.back();
                    }
                    None => self.step_loss_of_room(ctx, false),
                }
                return;
            }
            Lecture::Close => return self.close_lecture(),
        };
        if let Some(order) = order {
            self.follow(ctx, order);
        }
    }

    /// Where a lesson was left; one that was seen to its end begins again.
    fn first_unseen(&self, subject: Subject) -> usize {
        let Subject::Lesson(lesson) = subject else {
            return 0;
        };
        let n_seen = self.lectures.progress.get(&lesson.name).copied();
        n_seen.filter(|&n| n < lesson.steps.len()).unwrap_or(0)
    }

    fn next_step(&mut self, ctx: &Context) {
        let Some(walk) = &mut self.lectures.walk else {
            return self.step_loss_of_room(ctx, true);
        };
        let Subject::Lesson(lesson) = walk.subject() else {
            return; // out of a failure leads its cure
        };
        if matches!(walk.phase(), Phase::Asks) {
            return self.lecture(ctx, Lecture::Answer(None)); // a clicker has no other key to run it
        }
        if walk.forward() {
            return;
        }
        let mut following = lessons()
            .iter()
            .skip_while(|other| *other != lesson)
            .skip(1);
        match following.next() {
            Some(next) => self.lecture(ctx, Lecture::Open(Subject::Lesson(next))),
            None => self.lecture(ctx, Lecture::List),
        }
    }

    /// Without a lesson a clicker goes through the losses, in presenter view.
    fn step_loss_of_room(&mut self, ctx: &Context, is_next: bool) {
        if self.is_presenting {
            self.step_loss(ctx, is_next);
        }
    }

    fn close_lecture(&mut self) {
        self.lectures.walk = None;
        self.lectures.pane = None;
        self.panes.alone = None;
        for pane in std::mem::take(&mut self.lectures.resting) {
            if let Some(at) = self.panes.index_of(pane) {
                self.panes.all_mut()[at].worker.send(Command::Play);
            }
        }
        let speed = self.lectures.own_speed(self.speed);
        self.lectures.speeds = None;
        if speed != self.speed {
            self.set_speed(speed);
        }
    }

    /// Whether Esc closes the card: nothing else waits for it.
    pub(super) fn escape_closes_lecture(&self) -> bool {
        let view = self.view();
        self.lectures.walk.is_some() && view.kept.is_none() && matches!(view.light, Light::All)
    }

    /// Lets the card see the newest snapshot.
    pub(super) fn notice_lecture(&mut self, ctx: &Context) {
        let pane = self.panes.find(self.lectures.pane);
        let (Some(walk), Some(snapshot)) = (&mut self.lectures.walk, pane.newest()) else {
            return;
        };
        let order = walk.notice(snapshot);
        self.lectures.note_progress();
        if let Some(order) = order {
            self.follow(ctx, Ok(order));
        }
    }

    /// Tells the run what a step needs.
    fn follow(&mut self, ctx: &Context, order: Result<Order, ExperimentError>) {
        // A lesson stays in the pane in which it began.
        let pane = self.lectures.pane.unwrap_or(self.panes.active().id);
        self.panes.activate_pane(pane);
        self.lectures.pane = Some(self.panes.active().id);
        self.rest_beside();
        let number = match order {
            Ok(Order::Begin(experiment)) => {
                self.watch(experiment.n_steps(0));
                self.begin_lecture(*experiment, None)
            }
            Ok(Order::CatchUp(experiment, n_steps)) => {
                self.begin_lecture(*experiment, Some(n_steps))
            }
            Ok(Order::GoOn(settings, n_steps)) => {
                for Setting { key, value } in settings {
                    self.set(ctx, &key, &value);
                }
                self.watch(n_steps);
                self.panes
                    .active_mut()
                    .worker
                    .send(Command::PlayFor(n_steps))
            }
            Err(error) => {
                self.toast = Some(Toast::new(ctx, error.to_string()));
                return;
            }
        };
        if let Some(walk) = &mut self.lectures.walk {
            walk.sent(number);
        }
    }

    /// All panes but the one with the controls rest.
    fn rest_beside(&mut self) {
        self.stop_looking_back();
        let active = self.panes.active().id;
        self.panes.alone = Some(active);
        let resting = &mut self.lectures.resting;
        for pane in self.panes.all_mut() {
            if pane.id != active && pane.is_playing() {
                pane.worker.send(Command::Pause);
                if !resting.contains(&pane.id) {
                    resting.push(pane.id);
                }
            }
        }
    }

    /// Makes steps so slowly that a run can be watched, unless somebody has chosen a speed since.
    fn watch(&mut self, n_steps: u64) {
        let [before, chosen] = self.lectures.speeds.unwrap_or([self.speed; 2]);
        if self.speed == chosen {
            let speed = Speed::over(n_steps, WATCHED_SECS);
            self.set_speed(speed);
            self.lectures.speeds = Some([before, speed]);
        }
    }

    /// Starts a run of a lesson; one that catches up makes so many steps at once.
    fn begin_lecture(&mut self, experiment: Experiment, until: Option<u64>) -> u64 {
        let now = experiment.now();
        let start = Box::new(Start {
            experiment,
            is_endless: true,
            until,
            session: None,
        });
        self.kept = None;
        self.last_session = None;
        self.panes.active_mut().look_at_now(); // of the old run nothing is left
        self.change(Command::Open(start), now);
        self.panes.active().last_change
    }
}
