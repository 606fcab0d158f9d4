//! Lessons and failures in the window: their page, the card beside the picture, and what the run is
//! told. Nothing of it locks a control.

mod card;
mod page;

use std::collections::BTreeMap;

use egui::{Context, Key};

use crate::app::App;
use crate::app::action::Action;
use crate::app::kept::Remembered;
use crate::app::lens::SampleId;
use crate::app::overlay::Toast;
use crate::app::pane::PaneId;
use crate::app::runs::SessionUse;
use crate::app::undo::Undo;
use crate::experiment::{Experiment, ExperimentError};
use crate::lesson::{Order, Phase, Seen, Setting, Subject, Walk, lessons};
use crate::scene::Light;
use crate::trainer::{Command, Moment, Speed, Start, Subset};

use self::page::lessons_ui;

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
    /// Put its run beside the user's own, and close the card.
    Keep,
    /// Close the card; the user's own runs come back.
    Close,
}

/// What a card has to know of the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    /// Whether it stands beside the picture of presenter view.
    pub is_presenting: bool,
    /// Whether its run can be put beside the user's own.
    pub can_keep: bool,
    /// The run that the picture shows.
    pub generation: Option<u64>,
}

/// So long a run is watched, whatever a step takes.
const WATCHED_SECS: u64 = 6;

/// Steps of each lesson that were seen to their end, by its name.
pub(super) type Progress = BTreeMap<String, usize>;

/// What is open.
#[derive(Default)]
pub(super) struct Lectures {
    /// Whether the page with all of them is open.
    has_page: bool,
    walk: Option<Walk>,
    pub(super) progress: Progress,
    /// The speed that was in force before, and the one that was chosen for watching.
    speeds: Option<[Speed; 2]>,
    /// Whether what leads on is to have the keyboard's focus, as what was pressed had.
    wants_focus: bool,
    /// Where the runs of what is open are made, once one was.
    pane: Option<PaneId>,
    /// What comes back with the user's own panes, while they are put aside.
    own: Option<Own>,
}

/// What the window had beside its panes before a lesson took it.
struct Own {
    undo: Undo,
    subset: Subset,
    sample: Option<SampleId>,
    remembered: Remembered,
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

    /// What is kept between starts of what a lesson changes; `None` where none has the window.
    pub(super) fn own(&self) -> Option<(Subset, Option<&SampleId>, &Remembered)> {
        let own = self.own.as_ref()?;
        Some((own.subset, own.sample.as_ref(), &own.remembered))
    }

    /// Whether the page is open, which Esc closes first.
    pub(super) fn has_page(&self) -> bool {
        self.has_page
    }

    /// Where its runs are made.
    pub(super) fn pane(&self) -> Option<PaneId> {
        self.pane
    }

    /// Shows the page, while it is open.
    pub(super) fn page_ui(&mut self, ctx: &Context, actions: &mut Vec<Action>) {
        self.has_page = self.has_page && lessons_ui(ctx, &self.progress, actions);
    }

    /// Shows the card beside the picture, while a lesson or a failure is open.
    pub(super) fn card_ui(&mut self, ui: &mut egui::Ui, beside: Beside, actions: &mut Vec<Action>) {
        if let Some(walk) = &self.walk {
            card::card_ui(ui, walk, beside, &mut self.wants_focus, actions);
        }
    }

    /// Whoever pressed a control with the keyboard is led to the one that takes its place.
    fn note_keyboard(&mut self, ctx: &Context) {
        let keys = [Key::Enter, Key::Space];
        self.wants_focus = ctx.input(|input| keys.iter().any(|&key| input.key_pressed(key)));
        let pressed = ctx.memory(egui::Memory::focused);
        if let Some(pressed) = pressed.filter(|_| self.wants_focus) {
            ctx.memory_mut(|memory| memory.surrender_focus(pressed));
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
        self.lectures.note_keyboard(ctx);
        // A lesson counts the steps of its own pane, whatever is looked at.
        let now = self.panes.find(self.lectures.pane).newest().cloned();
        let order = match lecture {
            Lecture::List => {
                self.lectures.has_page = true;
                return;
            }
            Lecture::Open(subject) => {
                let mut walk = Walk::new(subject, self.first_unseen(subject));
                let order = match subject {
                    Subject::Failure(_) => walk.start(None, None),
                    Subject::Lesson(_) => walk.prepare(None),
                };
                self.lectures.walk = Some(walk);
                Some(order)
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
                return self.step_back(ctx);
            }
            Lecture::Keep => return self.close_lecture(true),
            Lecture::Close => return self.close_lecture(false),
        };
        if let Some(order) = order.and_then(Result::transpose) {
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
        match walk.phase() {
            // A clicker has no other key to run it.
            Phase::Asks => return self.lecture(ctx, Lecture::Answer(None)),
            Phase::Runs { is_paused, .. } => return self.hurry(is_paused),
            Phase::Reveals(_) => {}
        }
        if walk.forward() {
            let now = self.panes.find(self.lectures.pane).newest().cloned();
            let order = walk.prepare(now.as_ref()).transpose();
            self.show_what_is_told();
            if let Some(order) = order {
                self.follow(ctx, order);
            }
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

    fn step_back(&mut self, ctx: &Context) {
        let Some(walk) = &mut self.lectures.walk else {
            return self.step_loss_of_room(ctx, false);
        };
        let is_running = matches!(walk.phase(), Phase::Runs { .. });
        if walk.back() {
            if is_running {
                self.send_to_all(&Command::Pause); // it is no more what the card speaks of
            }
            self.show_what_is_told();
        }
    }

    /// Makes the rest of a run as fast as the machine can: whoever goes on wants to see what it ends in.
    fn hurry(&mut self, is_paused: bool) {
        let [before, _] = self.lectures.speeds.unwrap_or([self.speed; 2]);
        self.lectures.speeds = Some([before, Speed::Full]);
        self.set_speed(Speed::Full);
        if is_paused && let Some(at) = self.lectures.pane.and_then(|id| self.panes.index_of(id)) {
            self.panes.all_mut()[at].worker.send(Command::Play);
        }
    }

    /// The picture shows the moment of which the card tells, where that is recorded, and else now.
    fn show_what_is_told(&mut self) {
        self.stop_looking_back();
        let phase = self.lectures.walk.as_ref().map(Walk::phase);
        let Some(Phase::Reveals(&Seen {
            generation, step, ..
        })) = phase
        else {
            return;
        };
        let Some(at) = self.lectures.pane.and_then(|id| self.panes.index_of(id)) else {
            return;
        };
        let pane = &mut self.panes.all_mut()[at];
        let newest = pane.newest().map(|newest| (newest.generation, newest.step));
        let is_later = newest.is_some_and(|(now, last)| now == generation && last > step);
        if let Some(lane) = pane.lane().filter(|_| is_later) {
            pane.look_at(Moment { lane, step });
        }
        self.follow_samples();
    }

    /// Without a lesson a clicker goes through the losses, in presenter view.
    fn step_loss_of_room(&mut self, ctx: &Context, is_next: bool) {
        if self.is_presenting {
            self.step_loss(ctx, is_next);
        }
    }

    /// Closes the card. The user's own runs come back as they were, beside the lesson's where that is
    /// kept.
    pub(super) fn close_lecture(&mut self, keeps_run: bool) {
        let speed = self.lectures.own_speed(self.speed);
        self.lectures.walk = None;
        self.lectures.pane = None;
        self.lectures.speeds = None;
        if let Some(own) = self.lectures.own.take() {
            self.drag = None; // what is held goes with its pane
            self.playback = None;
            self.panes.take_back(keeps_run);
            self.undo = own.undo;
            self.kept = own.sample;
            self.remembered = own.remembered;
            self.show(own.subset);
            // What was drawn meanwhile has not reached the panes that were away, and so the speed.
            self.send_to_all(&self.draw.told());
            self.follow_samples();
        }
        self.set_speed(speed);
    }

    /// Gives a lesson the window, unless it has it: the user's own runs rest until it is closed.
    fn give_window(&mut self) {
        if self.panes.is_aside() {
            return;
        }
        self.playback = None;
        self.drag = None;
        self.panes.put_aside();
        if self.session_wanted == Some(SessionUse::Autosave) {
            self.session_wanted = None; // who was asked for it is away
        }
        self.lectures.own = Some(Own {
            undo: std::mem::take(&mut self.undo),
            subset: self.subset,
            sample: self.kept.clone(),
            remembered: self.remembered.clone(),
        });
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
        let order = match order {
            Ok(order) => order,
            Err(error) => {
                self.toast = Some(Toast::new(ctx, error.to_string()));
                return;
            }
        };
        self.give_window();
        // A lesson stays in the pane in which it began, as long as that is open.
        if let Some(pane) = self.lectures.pane {
            self.panes.activate_pane(pane);
        }
        self.lectures.pane = Some(self.panes.active().id);
        self.rest_beside();
        let number = match order {
            Order::Begin(experiment) => {
                self.watch(experiment.n_steps(0));
                self.begin_lecture(*experiment, None)
            }
            Order::CatchUp(experiment, n_steps) => self.begin_lecture(*experiment, Some(n_steps)),
            Order::GoOn(settings, n_steps) => {
                for Setting { key, value } in settings {
                    self.set(ctx, &key, &value);
                }
                self.watch(n_steps);
                self.panes
                    .active_mut()
                    .worker
                    .send(Command::PlayFor(n_steps))
            }
        };
        if let Some(walk) = &mut self.lectures.walk {
            walk.sent(number);
        }
    }

    /// What was set beside a lesson rests while it makes its steps: in step with it, the lesson's run
    /// would hurry after and could not be watched.
    fn rest_beside(&mut self) {
        self.stop_looking_back();
        let active = self.panes.active().id;
        for pane in self.panes.all_mut() {
            if pane.id != active && pane.is_moving() {
                pane.worker.send(Command::Pause);
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
        self.panes.active_mut().look_at_now(); // of the old run nothing is left
        self.change(Command::Open(start), now);
        self.panes.active().last_change
    }
}
