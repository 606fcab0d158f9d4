//! The timeline: what was recorded of the run, to look at again and to go on from.

mod bar;

use egui::{
    Align, CursorIcon, EventFilter, Key, Layout, Panel, Response, Sense, Ui, WidgetInfo, vec2,
};

use crate::app::App;
use crate::app::action::Action;
use crate::app::keys;
use crate::app::overlay::Toast;
use crate::app::pane::Pane;
use crate::app::theme;
use crate::app::timeline::bar::Bar;
use crate::app::widget::{Icon, small_icon_button, strong};
use crate::scene::thousands;
use crate::trainer::{Command, Moment};

/// Room for the step and what can be done with it.
const RIGHT: f32 = 262.0;
/// Seconds in which a recording is played from end to end, at most.
const LONGEST_SECS: f32 = 15.0;
/// Frames of a recording shown in a second, at least.
const LEAST_RATE: f32 = 20.0;

/// A recording that is being played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Playback {
    /// How many times as fast as usual; below 0 backwards.
    speed: f32,
    /// The part of a frame that is due.
    rest: f32,
}

/// How far a recording is played at once, and which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// This moment.
    At(Moment),
    /// So many frames on, or back.
    By(i64),
    /// The first moment.
    Start,
    /// What the run has come to.
    Now,
}

/// What becomes of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recording {
    /// Play it, again for faster.
    Forward,
    /// The same backwards.
    Backward,
    /// Play it no further.
    Stop,
    /// Train on from the moment that is shown.
    GoOn,
}

impl App {
    pub(super) fn obey_recording(&mut self, recording: Recording) {
        match recording {
            Recording::Forward => self.play_recording(false),
            Recording::Backward => self.play_recording(true),
            Recording::Stop => self.playback = None,
            Recording::GoOn => self.go_on(),
        }
    }

    /// Shows a recorded moment in all panes; training rests meanwhile.
    pub(super) fn look(&mut self, look: Look) {
        self.playback = None;
        self.look_on(look);
    }

    fn look_on(&mut self, look: Look) {
        let Some(moment) = self.moment_of(look) else {
            return;
        };
        if self.panes.all().iter().any(Pane::is_moving) && self.panes.active().past().is_none() {
            self.send_to_all(&Command::Pause);
        }
        let active = self.panes.active_index();
        look_at_or_now(self.panes.active_mut(), moment);
        let shown = self.panes.active().snapshot();
        let step = shown.map_or(moment.step, |shown| shown.step);
        for (i, pane) in self.panes.all_mut().iter_mut().enumerate() {
            if i != active {
                let lane = pane.lane();
                let there = lane.and_then(|lane| {
                    let timeline = pane.worker.timeline();
                    timeline.nearest(Moment { lane, step })
                });
                match there {
                    Some(there) => look_at_or_now(pane, there),
                    None => pane.look_at_now(),
                }
            }
        }
        self.follow_samples();
    }

    fn moment_of(&self, look: Look) -> Option<Moment> {
        let pane = self.panes.active();
        let timeline = pane.worker.timeline();
        let now = timeline.now()?;
        let here = pane.past().unwrap_or(now);
        match look {
            Look::At(moment) => Some(moment),
            Look::By(n) => timeline.neighbor(here, n),
            Look::Start => Some(Moment { step: 0, ..here }),
            Look::Now => Some(now),
        }
    }

    /// Plays the recording, or a second time faster.
    fn play_recording(&mut self, is_backward: bool) {
        const FASTEST: f32 = 8.0;
        let sign = if is_backward { -1.0 } else { 1.0 };
        let before = self.playback.map_or(0.0, |playback| playback.speed);
        let speed = if before * sign > 0.0 {
            (2.0 * before).abs().min(FASTEST)
        } else {
            1.0
        };
        if self.panes.active().past().is_none() && !is_backward {
            return; // there is nothing after now
        }
        self.playback = Some(Playback {
            speed: sign * speed,
            rest: 0.0,
        });
    }

    /// Whether the recording plays, while one looks back.
    pub(super) fn recording(&self) -> Option<bool> {
        let looks_back = self.panes.active().past().is_some();
        looks_back.then_some(self.playback.is_some())
    }

    /// Plays the recording forwards to now, or stops it.
    pub(super) fn toggle_recording(&mut self) {
        if self.playback.take().is_none() {
            self.play_recording(false);
        }
    }

    /// Shows the frames of a recording that are due.
    pub(super) fn follow_recording(&mut self, ctx: &egui::Context) {
        let Some(playback) = &mut self.playback else {
            return;
        };
        let n_frames = self.panes.active().worker.timeline().n_frames();
        let rate = (n_frames as f32 / LONGEST_SECS).max(LEAST_RATE);
        playback.rest += playback.speed * rate * ctx.input(|input| input.stable_dt).min(0.1);
        let n = playback.rest.trunc();
        playback.rest -= n;
        ctx.request_repaint();
        if n == 0.0 {
            return;
        }
        let before = self.panes.active().past();
        let is_backward = n < 0.0;
        self.look_on(Look::By(n as i64));
        let after = self.panes.active().past();
        if after.is_none() || (is_backward && after == before) {
            self.playback = None; // its end
        }
    }

    /// Shows what the runs have come to.
    pub(super) fn stop_looking_back(&mut self) {
        self.playback = None;
        for pane in self.panes.all_mut() {
            pane.look_at_now();
        }
        self.follow_samples();
    }

    /// All runs go on from the moment that is looked at, if one is.
    fn go_on(&mut self) {
        if self.panes.all().iter().any(|pane| pane.past().is_some()) {
            self.go_on_together();
        }
    }

    /// All runs that look at a recorded moment go back to it, and then all train on.
    pub(super) fn go_on_together(&mut self) {
        self.playback = None;
        for pane in self.panes.all_mut() {
            pane.go_on();
        }
        self.send_to_all(&Command::Play);
        self.stop_looking_back();
    }

    /// All runs go back to the moment that is looked at, and rest there.
    pub(super) fn go_back_together(&mut self, ctx: &egui::Context) {
        for pane in self.panes.all_mut() {
            pane.go_on();
        }
        self.send_to_all(&Command::Pause);
        self.stop_looking_back();
        let words = "All runs are back at this step, and rest; the ways that they went stay on the timeline";
        self.toast = Some(Toast::new(ctx, words.to_owned()));
    }

    /// The bar at the bottom of the window.
    pub(super) fn timeline_ui(&self, ui: &mut Ui, frame: egui::Frame, actions: &mut Vec<Action>) {
        let pane = self.panes.active();
        let Some(newest) = pane.newest().filter(|newest| !newest.is_given()) else {
            return;
        };
        let ways = pane.worker.timeline().ways();
        let mut bar = Bar::of(&ways, newest.step);
        let height = bar.height();
        Panel::bottom("timeline")
            .exact_size(height)
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| {
                ui.horizontal_centered(|ui| {
                    ui.spacing_mut().item_spacing.x = 2.0;
                    self.steps_ui(ui, actions);
                    ui.add_space(8.0);
                    let size = vec2((ui.available_width() - RIGHT).max(60.0), height);
                    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
                    bar.rect = rect.shrink2(vec2(8.0, 0.0));
                    self.bar_ui(ui, &bar, &response, actions);
                    ui.add_space(10.0);
                    self.moment_ui(ui, actions);
                });
            });
    }

    /// Buttons that play the recording.
    fn steps_ui(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let help = "Back to the first step (Home)";
        if small_icon_button(ui, Icon::First, "First step", help).clicked() {
            actions.push(Action::Look(Look::Start));
        }
        let is_back = self.playback.is_some_and(|playback| playback.speed < 0.0);
        let (icon, name) = if is_back {
            (Icon::Pause, "Stop the recording")
        } else {
            (Icon::Backward, "Play backwards")
        };
        let help = "Play what was recorded backwards (J), stop (K), forwards (L); again for faster";
        if small_icon_button(ui, icon, name, help).clicked() {
            actions.push(if is_back {
                Action::Recording(Recording::Stop)
            } else {
                Action::Recording(Recording::Backward)
            });
        }
    }

    /// The step, and what can be done with it.
    fn moment_ui(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let pane = self.panes.active();
        // As the panel has it, which may have to wait for its turn; who looks back, waits for nothing.
        let shown = self.panes.beside().filter(|_| pane.past().is_none());
        let Some(snapshot) = shown.or(pane.snapshot()) else {
            return;
        };
        let step = format!("step {}", thousands(snapshot.step));
        ui.label(strong(step, theme::size::VALUE));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            if pane.past().is_none() {
                let note = egui::RichText::new("drag to look back").size(theme::size::NOTE);
                ui.label(note.weak());
                return;
            }
            let go_on = ui.button(strong("Go on from here", theme::size::VALUE));
            let help =
                "Train on from this step; the way that it went stays on the timeline (Enter)";
            if go_on.on_hover_text(help).clicked() {
                actions.push(Action::Recording(Recording::GoOn));
            }
            let now = ui
                .button("Now")
                .on_hover_text("Back to the newest step (End)");
            if now.clicked() {
                actions.push(Action::Look(Look::Now));
            }
        });
    }

    fn bar_ui(&self, ui: &Ui, bar: &Bar<'_>, response: &Response, actions: &mut Vec<Action>) {
        let pane = self.panes.active();
        let here = pane.past();
        let step = pane.snapshot().map_or(0, |snapshot| snapshot.step);
        response.widget_info(|| WidgetInfo::slider(true, step as f64, "timeline"));
        if let Some(pointer) = response.interact_pointer_pos()
            && (response.dragged() || response.clicked())
            && let Some(moment) = bar.moment_at(pointer, here)
        {
            actions.push(Action::Look(Look::At(moment)));
        }
        keyboard_ui(ui, response, actions);
        let lane = here.map(|here| here.lane).or(bar.current());
        let at = lane.map(|lane| Moment { lane, step });
        bar.paint(ui, pane.experiment(), at, response);
        if let Some(pointer) = response.hover_pos() {
            ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
            if let Some(moment) = bar.moment_at(pointer, None) {
                let words = bar.words(moment);
                // Above the bar, whose ways it would hide.
                let mut tooltip = egui::Tooltip::for_enabled(response).at_pointer();
                tooltip.popup = tooltip.popup.align(egui::RectAlign::TOP_START);
                let gap = pointer.y - response.rect.top() + 4.0;
                tooltip.gap(gap).show(|ui| ui.label(words));
            }
        }
    }
}

/// Looks at a moment, or at what the run has come to where that is not before it.
fn look_at_or_now(pane: &mut Pane, moment: Moment) {
    let now = pane.worker.timeline().now();
    let is_before = |now: Moment| moment.lane != now.lane || moment.step < now.step;
    if now.is_none_or(is_before) {
        pane.look_at(moment);
    } else {
        pane.look_at_now();
    }
}

/// With the focus on the bar, arrows go from frame to frame.
fn keyboard_ui(ui: &Ui, response: &Response, actions: &mut Vec<Action>) {
    if !response.has_focus() {
        return;
    }
    ui.memory_mut(|memory| {
        let filter = EventFilter {
            horizontal_arrows: true,
            ..EventFilter::default()
        };
        memory.set_focus_lock_filter(response.id, filter);
    });
    let taken = &[Key::PageUp, Key::PageDown, Key::Home, Key::End];
    keys::take(ui, response.id, taken);
    for (key, look) in [
        (Key::ArrowLeft, Look::By(-1)),
        (Key::ArrowRight, Look::By(1)),
        (Key::PageUp, Look::By(-20)),
        (Key::PageDown, Look::By(20)),
        (Key::Home, Look::Start),
        (Key::End, Look::Now),
    ] {
        if ui.input(|input| input.key_pressed(key)) {
            actions.push(Action::Look(look));
        }
    }
}
