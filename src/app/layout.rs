//! Where things stand in the window: bars, panels, and the panes between them.

use egui::{Panel, Pos2, Rect, Ui, UiBuilder, vec2};

use crate::app::action::{Action, PaneAction};
use crate::app::compare::{differing, header_ui, meters_ui, wait_ui};
use crate::app::pane::Pane;
use crate::app::panel::left::Shown;
use crate::app::panel::top::Transport;
use crate::app::panel::{sample, top};
use crate::app::present::unit;
use crate::app::{App, draw, overlay, theme};
use crate::trainer::{Snapshot, Subset};

/// Width of the panels beside the picture, in points.
const LEFT_WIDTH: f32 = 232.0;
const RIGHT_WIDTH: f32 = 244.0;
const TOP_HEIGHT: f32 = 50.0;
/// Room for the choice of view above the pictures.
pub(super) const CHOICE_HEIGHT: f32 = 52.0;
/// Room above a picture that is one of several.
const HEADER_HEIGHT: f32 = 34.0;
/// Between pictures, in points.
const SEAM: f32 = 1.0;

impl App {
    pub(super) fn panels_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let frame = |x: i8, y: i8| {
            egui::Frame::new()
                .fill(ui.visuals().panel_fill)
                .inner_margin(egui::Margin::symmetric(x, y))
        };
        let bar = frame(12, 0);
        let mut side = frame(16, 12);
        // The rest of the margin is room for the scroll bar.
        side.inner_margin.right -= theme::SCROLL_BAR_ROOM as i8;
        Panel::top("top")
            .exact_size(TOP_HEIGHT)
            .frame(bar)
            .show(ui, |ui| self.top_bar_ui(ui, actions));
        self.timeline_ui(ui, bar, actions);
        let pane = self.panes.active();
        let view = &pane.picture.view;
        let snapshot = pane.snapshot().cloned();
        let shown = shown(pane, snapshot.as_deref(), self.subset);
        Panel::left("left")
            .exact_size(LEFT_WIDTH)
            .resizable(false)
            .frame(side)
            .show(ui, |ui| self.left.ui(ui, &shown, actions));
        let draws = self.draws();
        Panel::right("right")
            .exact_size(RIGHT_WIDTH)
            .resizable(false)
            .frame(side)
            .show(ui, |ui| {
                if let Some(snapshot) = &snapshot {
                    if draws {
                        draw::panel_ui(ui, &mut self.draw, snapshot, actions);
                    }
                    let panes = &self.panes;
                    let before = |ui: &mut Ui| meters_ui(ui, panes);
                    let thumbs = &mut self.thumbs;
                    self.right.ui(ui, snapshot, view, thumbs, before, actions);
                }
            });
    }

    fn top_bar_ui(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let transport = Transport {
            is_playing: self.panes.trained().any(Pane::is_playing),
            speed: self.speed,
            trains: !self.experiment().is_given(),
        };
        let files = top::FileMenus {
            recent: &self.files.recent,
            sheet: self.sheet,
        };
        let edits = top::Edits {
            n_panes: self.panes.all().len(),
            can_undo: self.undo.can,
        };
        top::top_ui(ui, self.experiment(), transport, files, edits, actions);
    }

    pub(super) fn center_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        egui::CentralPanel::no_frame().show(ui, |ui| {
            let rect = ui.available_rect_before_wrap();
            self.panes.take_turns();
            if self.panes.all().len() == 1 {
                self.picture_ui(ui, 0, rect, actions);
            } else {
                self.panes_ui(ui, rect, actions);
            }
            let Some(snapshot) = self.snapshot().cloned() else {
                return;
            };
            let kind = self.view().kind;
            if !self.is_presenting {
                let choice = overlay::view_ui(ui, rect, self.experiment(), kind, actions);
                draw::button_ui(ui, choice, self.draw_obstacle(), self.draws(), actions);
            }
            if self.is_presenting && self.draws() {
                overlay::draw_card_ui(ui, rect, |ui| self.draw.ui(ui, &snapshot, actions));
            }
            if let Some(kept) = self.view().kept.filter(|_| self.is_presenting) {
                overlay::sample_card_ui(ui, rect, |ui| {
                    sample::sample_ui(ui, &snapshot, kept, &mut self.thumbs, actions);
                });
            }
            if !self.is_presenting && self.panes.all().len() == 1 {
                self.hints.ui(ui, rect);
            }
            self.banners_ui(ui, rect, snapshot.fault.as_deref(), actions);
        });
    }

    /// All pictures, each under its header.
    fn panes_ui(&mut self, ui: &mut Ui, rect: Rect, actions: &mut Vec<Action>) {
        let tokens = theme::tokens(ui.ctx());
        ui.painter()
            .rect_filled(rect, 0, theme::color(tokens.ground));
        let height = if self.is_presenting {
            0.0
        } else {
            CHOICE_HEIGHT
        };
        let top = Rect::from_min_size(rect.min, vec2(rect.width(), height));
        ui.painter()
            .rect_filled(top, 0, theme::color(tokens.ground));
        let seam = theme::color(tokens.hairline);
        let below = Rect::from_min_max(Pos2::new(rect.left(), top.bottom() + SEAM), rect.max);
        let n_panes = self.panes.all().len();
        let differing = differing(&self.panes);
        for (i, cell) in cells(below, n_panes).into_iter().enumerate() {
            ui.painter().rect_filled(cell.expand(SEAM), 0, seam);
            ui.painter()
                .rect_filled(cell, 0, theme::color(tokens.ground));
            let (header, picture) = cell.split_top_bottom_at_y(cell.top() + HEADER_HEIGHT);
            ui.push_id(("pane", i), |ui| {
                let is_pressed = ui.input(|input| input.pointer.primary_pressed());
                if is_pressed && ui.rect_contains_pointer(cell) && i != self.panes.active_index() {
                    actions.push(Action::Pane(PaneAction::Activate(i)));
                }
                self.picture_ui(ui, i, picture, actions);
                wait_ui(ui, picture, &self.panes, i);
                ui.scope_builder(UiBuilder::new().max_rect(header), |ui| {
                    header_ui(ui, &self.panes, &differing, i, actions);
                });
            });
        }
    }

    /// One picture; what was moved in it moves in the others, too.
    fn picture_ui(&mut self, ui: &mut Ui, index: usize, rect: Rect, actions: &mut Vec<Action>) {
        let n_panes = self.panes.all().len();
        let pane = &mut self.panes.all_mut()[index];
        let Some(snapshot) = pane.snapshot().cloned() else {
            overlay::loading_ui(ui, rect, pane.worker.failure());
            return;
        };
        let is_alone = n_panes == 1;
        let has_choice = is_alone && !self.is_presenting;
        pane.picture.view.insets.top = if has_choice { CHOICE_HEIGHT } else { 0.0 };
        pane.picture.view.unit = unit(self.is_presenting);
        pane.picture.view.show.note = is_alone; // one of several has no room for sentences
        pane.picture.is_small = n_panes > 2;
        let builder = UiBuilder::new().max_rect(rect);
        let moves = ui
            .scope_builder(builder, |ui| {
                pane.picture.ui(ui, &snapshot, &mut self.thumbs, actions)
            })
            .inner;
        let kind = pane.picture.view.kind;
        for (i, other) in self.panes.all_mut().iter_mut().enumerate() {
            if i != index && other.picture.view.kind == kind {
                other.picture.follow_moves(&moves);
            }
        }
    }

    /// Questions, news, and why a run stopped.
    fn banners_ui(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        fault: Option<&str>,
        actions: &mut Vec<Action>,
    ) {
        let has_banner = self.wanted_view.is_some() || fault.is_some() || self.crashed.is_some();
        if let Some(crashed) = &self.crashed {
            if let Some(restores) = overlay::ask_to_restore(ui, rect, crashed) {
                actions.push(Action::AnswerCrash(restores));
            }
        } else if let Some(kind) = self.wanted_view {
            match overlay::ask_for_dimension(ui, rect, kind) {
                Some(true) => self.accept_view(kind),
                Some(false) => self.wanted_view = None,
                None => {}
            }
        } else if let Some(fault) = fault {
            overlay::fault_ui(ui, rect, fault, actions);
        }
        let toast = self.toast.take();
        self.toast = toast.filter(|toast| toast.ui(ui, rect, has_banner));
    }

    /// Whatever is shown of one picture is shown of all, turned the same way.
    pub(super) fn link_views(&mut self) {
        let view = self.view().clone();
        let active = self.panes.active_index();
        for (i, pane) in self.panes.all_mut().iter_mut().enumerate() {
            if i != active {
                let other = &mut pane.picture.view;
                other.show = view.show;
                other.light = view.light;
                other.sphere = view.sphere;
                other.classes.clone_from(&view.classes);
            }
        }
    }
}

/// What the left panel shows of a pane.
pub(super) fn shown<'a>(
    pane: &'a Pane,
    snapshot: Option<&'a Snapshot>,
    subset: Subset,
) -> Shown<'a> {
    let view = &pane.picture.view;
    Shown {
        experiment: pane.experiment(),
        head: snapshot.map(|snapshot| &snapshot.head),
        subset,
        show: view.show,
        light: view.light,
        classes: &view.classes,
        class_names: snapshot.map_or(&[], |snapshot| &snapshot.class_names[..]),
    }
}

/// So many cells in rows, as nearly square as the room allows.
fn cells(room: Rect, n: usize) -> Vec<Rect> {
    let short_side = |columns: usize| {
        let size = cell_size(room, n, columns);
        size.x.min(size.y - HEADER_HEIGHT)
    };
    let columns = (1..=n).max_by(|&a, &b| short_side(a).total_cmp(&short_side(b)));
    let columns = columns.unwrap_or(1);
    let size = cell_size(room, n, columns);
    let place = |i: usize| {
        let at = vec2((i % columns) as f32, (i / columns) as f32);
        Rect::from_min_size(room.min + at * (size + vec2(SEAM, SEAM)), size)
    };
    (0..n).map(place).collect()
}

fn cell_size(room: Rect, n: usize, columns: usize) -> egui::Vec2 {
    let rows = n.div_ceil(columns);
    let size = |length: f32, n: usize| (length - SEAM * (n - 1) as f32) / n as f32;
    vec2(size(room.width(), columns), size(room.height(), rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_lie_in_the_room_without_overlap() {
        let room = Rect::from_min_size(Pos2::new(232.0, 102.0), vec2(804.0, 640.0));
        for n in 1..=6 {
            let cells = cells(room, n);
            assert_eq!(cells.len(), n);
            for (i, cell) in cells.iter().enumerate() {
                assert!(room.expand(0.01).contains_rect(*cell), "{n}: {cell:?}");
                let others = cells[i + 1..].iter();
                assert!(
                    others
                        .clone()
                        .all(|other| !cell.shrink(0.1).intersects(*other))
                );
            }
        }
        let n_rows = |n| {
            let mut tops: Vec<_> = cells(room, n)
                .iter()
                .map(|cell| cell.top() as i32)
                .collect();
            tops.dedup();
            tops.len()
        };
        assert_eq!([1, 2, 4, 6].map(n_rows), [1, 1, 2, 2]);
    }
}
