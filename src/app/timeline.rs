//! The bar of the timeline: what was recorded of the run, to look at again and to go on from.

use egui::{
    Align, Align2, CursorIcon, EventFilter, Key, Layout, Panel, Pos2, Rect, Response, Sense,
    Stroke, Ui, WidgetInfo, pos2, vec2,
};

use crate::app::App;
use crate::app::action::Action;
use crate::app::keys;
use crate::app::pane::Pane;
use crate::app::theme;
use crate::app::widget::{Icon, small_icon_button, strong};
use crate::experiment::{Experiment, Placed, differences};
use crate::scene::thousands;
use crate::scene::{Font, chart};
use crate::trainer::{Command, LaneId, Moment, Way};

/// Height of the bar for a run that went one way, in points.
const HEIGHT: f32 = 46.0;
/// From one way to the next below it.
const ROW: f32 = 13.0;
/// Ways in rows of their own; more lie in the last.
const MOST_ROWS: usize = 4;
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
        for pane in self.panes.trained_mut() {
            pane.go_on();
        }
        self.send_to_trained(&Command::Play);
        self.stop_looking_back();
    }

    /// The bar at the bottom of the window.
    pub(super) fn timeline_ui(&self, ui: &mut Ui, frame: egui::Frame, actions: &mut Vec<Action>) {
        let pane = self.panes.active();
        let Some(newest) = pane.newest().filter(|newest| !newest.is_given()) else {
            return;
        };
        let ways = pane.worker.timeline().ways();
        let mut bar = Bar::of(&ways, newest.step);
        let height = HEIGHT + ROW * (n_rows(&bar.stretches) - 1) as f32;
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
        let Some(snapshot) = pane.snapshot() else {
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
                response.clone().on_hover_text_at_pointer(words);
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

/// A stretch of the bar: steps of one way, in one row.
#[derive(Debug, PartialEq)]
struct Stretch {
    lane: LaneId,
    from: u64,
    to: u64,
    row: usize,
    /// The row that it leaves.
    from_row: usize,
}

/// The ways of a run over its steps: the one that the run goes along in the first row, the ends that
/// were left below it.
struct Bar<'a> {
    rect: Rect,
    ways: &'a [Way],
    stretches: Vec<Stretch>,
    /// The step at the right end.
    last: u64,
}

/// A lane with those it came from, backwards, each up to which step.
fn path(ways: &[Way], lane: LaneId) -> Vec<(&Way, u64)> {
    let mut path = Vec::new();
    let mut next = Some((lane, u64::MAX));
    while let Some((lane, end)) = next {
        let Some(way) = ways.iter().find(|way| way.lane == lane) else {
            break;
        };
        let end = end.min(way.end);
        path.push((way, end));
        next = way.parent.map(|(parent, from)| (parent, from.min(end)));
    }
    path
}

/// Where each way is drawn.
fn stretches(ways: &[Way]) -> Vec<Stretch> {
    let current = ways.iter().rfind(|way| way.is_current);
    let current = current.map_or_else(Vec::new, |way| path(ways, way.lane));
    let mut stretches: Vec<Stretch> = Vec::new();
    let from = |way: &Way| way.parent.map_or(0, |(_, from)| from);
    for &(way, end) in current.iter().rev() {
        stretches.push(Stretch {
            lane: way.lane,
            from: from(way).min(end),
            to: end,
            row: 0,
            from_row: 0,
        });
    }
    let mut n_left = 0;
    for way in ways {
        let used = current.iter().find(|(other, _)| other.lane == way.lane);
        let from = used.map_or(from(way), |&(_, end)| end);
        if way.end <= from {
            continue;
        }
        let parent = used.map(|_| way.lane).or(way.parent.map(|(lane, _)| lane));
        let on = |s: &&Stretch| Some(s.lane) == parent && (s.from..=s.to).contains(&from);
        let from_row = stretches.iter().find(on).map_or(0, |s| s.row);
        n_left += 1;
        stretches.push(Stretch {
            lane: way.lane,
            from,
            to: way.end,
            row: n_left.min(MOST_ROWS - 1),
            from_row,
        });
    }
    stretches
}

impl<'a> Bar<'a> {
    /// Without a place so far.
    fn of(ways: &'a [Way], newest: u64) -> Self {
        let last = ways.iter().map(|way| way.end).chain([newest, 1]).max();
        Self {
            rect: Rect::ZERO,
            ways,
            stretches: stretches(ways),
            last: last.unwrap_or(1),
        }
    }

    /// The way that the run goes along.
    fn current(&self) -> Option<LaneId> {
        self.ways
            .iter()
            .rfind(|way| way.is_current)
            .map(|way| way.lane)
    }

    fn x(&self, step: u64) -> f32 {
        self.rect.left() + self.rect.width() * (step as f64 / self.last as f64) as f32
    }

    fn y(&self, row: usize) -> f32 {
        let middle = (n_rows(&self.stretches) - 1) as f32 / 2.0;
        self.rect.center().y + 3.0 + ROW * (row as f32 - middle)
    }

    fn step_at(&self, x: f32) -> u64 {
        let share = ((x - self.rect.left()) / self.rect.width()).clamp(0.0, 1.0);
        (f64::from(share) * self.last as f64).round() as u64
    }

    /// In which row a moment is drawn.
    fn row(&self, moment: Moment) -> usize {
        let of_path = path(self.ways, moment.lane);
        let on = |s: &&Stretch| {
            let is_of_path = of_path.iter().any(|(way, _)| way.lane == s.lane);
            is_of_path && (s.from..=s.to).contains(&moment.step)
        };
        let found = self.stretches.iter().filter(on);
        let is_current = Some(moment.lane) == self.current();
        let row = found.map(|s| s.row);
        if is_current { row.min() } else { row.max() }.unwrap_or(0)
    }

    /// The moment at a place: in the nearest row that has its step, or the one that is held.
    fn moment_at(&self, pointer: Pos2, held: Option<Moment>) -> Option<Moment> {
        const HOLD: f32 = 1.5 * ROW;
        let step = self.step_at(pointer.x);
        let held_row = held.map(|held| self.row(held));
        let distance = |s: &&Stretch| {
            let beyond = step.clamp(s.from, s.to).abs_diff(step);
            let aside = (self.y(s.row) - pointer.y).abs();
            let hold = if held_row == Some(s.row) { HOLD } else { 0.0 };
            (beyond > 0, aside - hold, beyond)
        };
        let nearer = |a: &&Stretch, b: &&Stretch| {
            let (a, b) = (distance(a), distance(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
        };
        let nearest = self.stretches.iter().min_by(nearer)?;
        let current = self.current().filter(|_| nearest.row == 0);
        Some(Moment {
            lane: current.unwrap_or(nearest.lane),
            step: step.clamp(nearest.from, nearest.to),
        })
    }

    /// What a moment is, for the pointer.
    fn words(&self, moment: Moment) -> String {
        let step = format!("step {}", thousands(moment.step));
        let is_left = |s: &&Stretch| s.lane == moment.lane && s.row > 0;
        let left = self.stretches.iter().find(is_left);
        match left.filter(|_| Some(moment.lane) != self.current()) {
            None => format!("{step}\nClick or drag to look at it again"),
            Some(left) => format!("{step} of a way that was left: {}", self.name(left)),
        }
    }

    /// What a stretch of a way that was left is called.
    fn name(&self, stretch: &Stretch) -> String {
        let left = self.ways.iter().find(|way| way.lane == stretch.lane);
        let now = self.ways.iter().rfind(|way| way.is_current);
        left.zip(now).map_or_else(String::new, |(left, now)| {
            name_of(&left.experiment, stretch.from, &now.experiment)
        })
    }

    fn paint(&self, ui: &Ui, shown: &Experiment, at: Option<Moment>, response: &Response) {
        let tokens = theme::tokens(ui.ctx());
        let ahead = Stroke::new(3.0, theme::color(tokens.hairline));
        ui.painter().hline(self.rect.x_range(), self.y(0), ahead);
        let rail = Stroke::new(3.0, theme::color(tokens.hairline_strong));
        for stretch in &self.stretches {
            self.paint_stretch(ui, stretch, stretch.to, rail);
            self.paint_name(ui, stretch);
        }
        let Some(at) = at else { return };
        let row = self.row(at);
        let walked = path(self.ways, at.lane);
        let accent = Stroke::new(3.0, theme::color(tokens.accent));
        for stretch in self.stretches.iter().filter(|s| s.row == 0 || s.row == row) {
            let end = walked.iter().find(|(way, _)| way.lane == stretch.lane);
            let end = end.map_or(0, |&(_, end)| end.min(at.step));
            if end > stretch.from {
                self.paint_stretch(ui, stretch, end.min(stretch.to), accent);
            }
        }
        self.paint_changes(ui, shown);
        let knob = pos2(self.x(at.step), self.y(row));
        ui.painter()
            .circle_filled(knob, 7.0, theme::color(tokens.text));
        if response.has_focus() {
            let ring = Stroke::new(2.0, theme::color(tokens.accent));
            ui.painter().circle_stroke(knob, 9.5, ring);
        }
    }

    /// A stretch up to a step, from the row that it leaves.
    fn paint_stretch(&self, ui: &Ui, stretch: &Stretch, to: u64, stroke: Stroke) {
        let start = pos2(self.x(stretch.from), self.y(stretch.from_row));
        let y = self.y(stretch.row);
        let turn = pos2(start.x + (y - start.y).abs().min(ROW), y);
        let end = pos2(self.x(to).max(turn.x), y);
        ui.painter().line(vec![start, turn, end], stroke);
    }

    /// In what a way that was left differs, behind its end.
    fn paint_name(&self, ui: &Ui, stretch: &Stretch) {
        if stretch.row == 0 {
            return;
        }
        let words = self.name(stretch);
        let font = theme::font(Font::Regular, 9.5);
        let color = theme::color(theme::tokens(ui.ctx()).dimmed);
        let galley = ui.painter().layout_no_wrap(words, font, color);
        let (end, y) = (self.x(stretch.to), self.y(stretch.row));
        let start = self.x(stretch.from) + ROW;
        let room_behind = self.rect.right() - end - 12.0;
        let left = if galley.size().x < room_behind {
            end + 8.0
        } else if galley.size().x < end - start - 60.0 {
            end - galley.size().x - 8.0
        } else {
            return;
        };
        let at = pos2(left, y - galley.size().y / 2.0);
        let ground = theme::color(theme::tokens(ui.ctx()).panel);
        let under = Rect::from_min_size(at, galley.size()).expand2(vec2(4.0, 0.0));
        ui.painter().rect_filled(under, 0, ground);
        ui.painter().galley(at, galley, color);
    }

    /// Where another loss was chosen or a setting changed on the way that is shown.
    fn paint_changes(&self, ui: &Ui, shown: &Experiment) {
        let tokens = theme::tokens(ui.ctx());
        let tick = |step: u64, half: f32, color| {
            let y = self.y(0);
            let stroke = Stroke::new(1.5, theme::color(color));
            ui.painter()
                .vline(self.x(step), y - half..=y + half, stroke);
        };
        let mut last = f32::NEG_INFINITY;
        for change in &shown.run.changes {
            if self.x(change.step) >= last + 1.0 {
                last = self.x(change.step); // thousands of them lie on a few hundred points
                tick(change.step, 4.0, tokens.dimmed);
            }
        }
        let mut free_from = self.rect.left();
        for (step, name) in chart::choices(shown) {
            tick(step, 7.0, tokens.text);
            let x = self.x(step);
            if x < free_from || x > self.rect.right() - 60.0 {
                continue;
            }
            let at = pos2(x + 4.0, self.y(0) - 11.0);
            let font = theme::font(Font::Regular, theme::size::NOTE);
            let color = theme::color(tokens.dimmed);
            let drawn = ui
                .painter()
                .text(at, Align2::LEFT_CENTER, name, font, color);
            free_from = drawn.right() + 8.0;
        }
    }
}

fn n_rows(stretches: &[Stretch]) -> usize {
    1 + stretches.iter().map(|s| s.row).max().unwrap_or(0)
}

/// What a way that was left after a step is called: by what is set otherwise on it than on the way
/// of now, by what a hand moved along it, or by where it begins.
fn name_of(left: &Experiment, from: u64, now: &Experiment) -> String {
    let found = differences(&[left, now]);
    let said = found.iter().filter_map(|d| d.words[0].clone());
    let said: Vec<String> = said.collect();
    if !said.is_empty() {
        return said.join(", ");
    }
    let changes = left.run.changes.newest_first();
    let mut since = changes.take_while(|change| change.step >= from);
    match since.find_map(|change| Placed::of_key(&change.key)) {
        Some(Placed::Weight(class)) => format!("weight of {class} moved"),
        Some(Placed::Feature(sample)) => format!("sample {sample} moved"),
        None => format!("from step {}", thousands(from)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::experiment::Change;
    use crate::trainer::LaneId;

    fn way(lane: u32, parent: Option<(u32, u64)>, end: u64, is_current: bool) -> Way {
        Way {
            lane: LaneId::of(lane),
            parent: parent.map(|(lane, from)| (LaneId::of(lane), from)),
            end,
            is_current,
            experiment: Arc::default(),
        }
    }

    /// A run of 1,000 steps, left at 400 for a way of 300, which was left at 600 for the one now.
    fn ways() -> [Way; 3] {
        [
            way(0, None, 1000, true),
            way(1, Some((0, 400)), 700, true),
            way(2, Some((1, 600)), 650, true),
        ]
    }

    #[test]
    fn what_was_left_lies_below() {
        let drawn: Vec<_> = stretches(&ways())
            .iter()
            .map(|s| (s.from, s.to, s.row, s.from_row))
            .collect();
        let expected = [
            (0, 400, 0, 0),
            (400, 600, 0, 0),
            (600, 650, 0, 0),
            (400, 1000, 1, 0),
            (600, 700, 2, 0),
        ];
        assert_eq!(drawn, expected);
    }

    #[test]
    fn a_way_is_called_after_its_change_or_where_it_begins() {
        let now = Experiment::default();
        let mut left = now.clone();
        assert_eq!(name_of(&left, 1404, &now), "from step 1,404");
        let mut move_weight = |step| {
            let key = Placed::Weight(3).key();
            let value = "1,0".to_owned();
            left.run.changes.push(Change { step, key, value });
            left.clone()
        };
        // A weight that was moved before the ways parted tells them not apart.
        assert_eq!(name_of(&move_weight(1000), 1404, &now), "from step 1,404");
        assert_eq!(name_of(&move_weight(1500), 1404, &now), "weight of 3 moved");
        let set = |key: &str, value: &str| {
            let mut left = now.clone();
            left.set(key, value).expect("a value of it");
            name_of(&left, 1404, &now)
        };
        assert!(set("loss.id", "arcface").starts_with("ArcFace, m "));
        assert_eq!(set("optimizer.momentum", "0.5"), "momentum 0.5");
    }

    #[test]
    fn a_place_is_a_moment_of_the_way_in_its_row() {
        let ways = ways();
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(1000.0, 60.0));
        let mut bar = Bar::of(&ways, 650);
        bar.rect = rect;
        let at = |step: f32, row: usize, held| {
            let moment = bar
                .moment_at(pos2(step, bar.y(row)), held)
                .expect("a moment");
            (moment.lane, moment.step)
        };
        // In the first row every moment is of the way that goes on to now.
        assert_eq!(at(100.0, 0, None), (LaneId::of(2), 100));
        assert_eq!(at(640.0, 0, None), (LaneId::of(2), 640));
        assert_eq!(at(900.0, 1, None), (LaneId::of(0), 900));
        assert_eq!(at(650.0, 2, None), (LaneId::of(1), 650));
        // No other way has it.
        assert_eq!(at(900.0, 0, None), (LaneId::of(0), 900));
        // Whoever drags along a way stays on it while it lasts.
        let lane = LaneId::of(0);
        let held = Some(Moment { lane, step: 500 });
        assert_eq!(at(640.0, 0, held), (lane, 640));
    }

    #[test]
    fn a_run_without_frames_has_an_empty_bar() {
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(100.0, 20.0));
        let mut bar = Bar::of(&[], 0);
        bar.rect = rect;
        assert_eq!(bar.moment_at(pos2(50.0, 10.0), None), None);
        assert_eq!((bar.x(0), bar.step_at(100.0)), (0.0, 1));
    }
}
