//! The bar of the timeline: the ways of a run over its steps, with what was changed along them.

use egui::{Align2, Pos2, Rect, Response, Stroke, Ui, pos2, vec2};

use crate::app::theme;
use crate::experiment::{Experiment, Placed, differences};
use crate::scene::{Font, chart, thousands};
use crate::trainer::{LaneId, Moment, Way};

/// Height of the bar for a run that went one way, in points.
const HEIGHT: f32 = 46.0;
/// From one way to the next below it.
const ROW: f32 = 13.0;
/// Ways in rows of their own; more lie in the last.
const MOST_ROWS: usize = 4;

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
pub(super) struct Bar<'a> {
    /// Where it is drawn.
    pub rect: Rect,
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
    pub(super) fn of(ways: &'a [Way], newest: u64) -> Self {
        let last = ways.iter().map(|way| way.end).chain([newest, 1]).max();
        Self {
            rect: Rect::ZERO,
            ways,
            stretches: stretches(ways),
            last: last.unwrap_or(1),
        }
    }

    /// With a row for each way, in points.
    pub(super) fn height(&self) -> f32 {
        HEIGHT + ROW * (n_rows(&self.stretches) - 1) as f32
    }

    /// The way that the run goes along.
    pub(super) fn current(&self) -> Option<LaneId> {
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
    pub(super) fn moment_at(&self, pointer: Pos2, held: Option<Moment>) -> Option<Moment> {
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
    pub(super) fn words(&self, moment: Moment) -> String {
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

    pub(super) fn paint(
        &self,
        ui: &Ui,
        shown: &Experiment,
        at: Option<Moment>,
        response: &Response,
    ) {
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
