//! Where things stand in the window: bars, panels, and the panes between them.

use egui::{Panel, Pos2, Rect, Ui, UiBuilder, vec2};

use crate::app::action::{Action, PaneAction};
use crate::app::compare::{delay_ui, differing, fits_one_line, header_ui, meters_ui};
use crate::app::pane::Pane;
use crate::app::panel::left::Shown;
use crate::app::panel::top::Transport;
use crate::app::panel::{sample, top};
use crate::app::picture::Picture;
use crate::app::present::unit;
use crate::app::widget::scroll_to_focus;
use crate::app::{App, draw, overlay, theme};
use crate::experiment::{Difference, ViewKind};
use crate::trainer::{Snapshot, Subset};

/// Width of the panels beside the picture, in points.
const LEFT_WIDTH: f32 = 232.0;
const RIGHT_WIDTH: f32 = 244.0;
const TOP_HEIGHT: f32 = 50.0;
/// Room for the choice of view above the pictures.
pub(super) const CHOICE_HEIGHT: f32 = 52.0;
/// Room above a picture that is one of several.
const HEADER_HEIGHT: f32 = 34.0;
/// The same where what differs has a line of its own.
const HIGH_HEADER: f32 = 50.0;
/// Height over width of one of two pictures that has words below it.
const HIGH_OVER_WIDE: f32 = 1.15;
/// From here on a presented picture has formula and sentence beside it, as width over height.
const WIDE_OVER_HIGH: f32 = 1.3;
/// What they take of the width.
const WORDS_SHARE: f32 = 0.38;
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
        let gives_hints = self.snapshot().is_some() && self.panes.all().len() == 1;
        let pane = self.panes.active();
        let view = &pane.picture.view;
        let snapshot = pane.snapshot().cloned();
        let shown = shown(pane, snapshot.as_deref(), self.subset);
        Panel::left("left")
            .exact_size(LEFT_WIDTH)
            .resizable(false)
            .frame(side)
            .show(ui, |ui| {
                if gives_hints {
                    let has_slider = !shown.experiment.loss.spec.params.is_empty();
                    self.hints.ui(ui, has_slider);
                }
                self.left.ui(ui, &shown, actions);
            });
        let draws = self.draws();
        let pane_name = self.panes.active_letter();
        Panel::right("right")
            .exact_size(RIGHT_WIDTH)
            .resizable(false)
            .frame(side)
            .show(ui, |ui| {
                if let Some(snapshot) = self.panes.beside() {
                    if draws {
                        draw::panel_ui(ui, &mut self.draw, snapshot, pane_name, actions);
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
            is_playing: self.panes.all().iter().any(Pane::is_playing),
            speed: self.speed,
            trains: !self.experiment().is_given(),
            recording: self.recording(),
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

    /// The card to draw on in presenter view: beside the picture, which it would cover.
    pub(super) fn draw_beside_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        const LEAST: f32 = 252.0;
        let Some(snapshot) = self.snapshot().cloned() else {
            return;
        };
        if !self.is_presenting || !self.draws() {
            return;
        }
        let pane_name = self.panes.active_letter();
        let room = ui.available_size();
        let width = (0.28 * room.x).clamp(LEAST, 0.6 * room.y.max(LEAST / 0.6));
        let frame = egui::Frame::new()
            .fill(ui.visuals().panel_fill)
            .inner_margin(egui::Margin::same(14));
        Panel::left("draw beside the picture")
            .exact_size(width)
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| {
                let height = ui.available_height();
                let list = egui::ScrollArea::vertical().auto_shrink(false);
                list.show(ui, |ui| {
                    ui.set_width(ui.available_width() - theme::SCROLL_BAR_ROOM);
                    ui.set_max_height(height);
                    self.draw.ui(ui, &snapshot, pane_name, actions);
                    scroll_to_focus(ui);
                });
            });
    }

    pub(super) fn center_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        egui::CentralPanel::no_frame().show(ui, |ui| {
            let rect = ui.available_rect_before_wrap();
            if self.panes.all().len() == 1 {
                self.picture_ui(ui, 0, rect, actions);
                let below = rect.with_min_y(rect.top() + CHOICE_HEIGHT);
                delay_ui(ui, below, &self.panes, 0);
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
            if let Some(kept) = self.view().kept.filter(|_| self.is_presenting) {
                overlay::sample_card_ui(ui, rect, |ui| {
                    sample::sample_ui(ui, &snapshot, kept, &mut self.thumbs, actions);
                });
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
        let differing = differing(&self.panes);
        let (header_height, cells) = self.cells_under_headers(ui, below, &differing);
        for (i, cell) in cells.into_iter().enumerate() {
            ui.painter().rect_filled(cell.expand(SEAM), 0, seam);
            ui.painter()
                .rect_filled(cell, 0, theme::color(tokens.ground));
            let (header, picture) = cell.split_top_bottom_at_y(cell.top() + header_height);
            ui.push_id(("pane", i), |ui| {
                let is_pressed = ui.input(|input| input.pointer.primary_pressed());
                if is_pressed && ui.rect_contains_pointer(cell) && i != self.panes.active_index() {
                    actions.push(Action::Pane(PaneAction::Activate(i)));
                }
                self.picture_ui(ui, i, picture, actions);
                delay_ui(ui, picture, &self.panes, i);
                ui.scope_builder(UiBuilder::new().max_rect(header), |ui| {
                    header_ui(ui, &self.panes, &differing, i, actions);
                });
            });
        }
    }

    /// How high headers are, and what is left: what differs takes a second line in all of them where
    /// one of them would cut it.
    fn cells_under_headers(
        &self,
        ui: &Ui,
        room: Rect,
        differing: &[Difference],
    ) -> (f32, Vec<Rect>) {
        let n_panes = self.panes.all().len();
        let low = cells(room, n_panes, HEADER_HEIGHT);
        let mut widths = low.iter().map(Rect::width).enumerate();
        if widths.all(|(i, width)| fits_one_line(ui, &self.panes, differing, i, width)) {
            return (HEADER_HEIGHT, low);
        }
        (HIGH_HEADER, cells(room, n_panes, HIGH_HEADER))
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
        let is_round = matches!(pane.picture.view.kind, ViewKind::Circle | ViewKind::Sphere);
        let is_wide = rect.width() > WIDE_OVER_HIGH * rect.height();
        // What is round leaves room at its sides, and is larger without words below it.
        let words_width = WORDS_SHARE * rect.width();
        pane.picture.words_width =
            (self.is_presenting && is_alone && is_round && is_wide).then_some(words_width);
        let has_words = pane.picture.words_width.is_some();
        pane.picture.view.insets.left = pane.picture.words_width.unwrap_or(0.0);
        pane.picture.view.insets.top = if has_choice { CHOICE_HEIGHT } else { 0.0 };
        pane.picture.view.unit = unit(self.is_presenting);
        pane.picture.view.is_brief = self.is_presenting;
        // Below one of two there is room for sentences, not below one of more.
        let is_high = rect.height() > HIGH_OVER_WIDE * rect.width();
        let has_foot = n_panes == 2 && is_high && (is_round || !self.is_presenting);
        pane.picture.view.show.note = (is_alone && !has_words) || has_foot;
        pane.picture.is_small = n_panes > 2 || has_words;
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
        let asks = self.wanted_view.is_some() || self.asks_to_reset || self.crashed.is_some();
        let has_banner = asks || fault.is_some();
        if let Some(crashed) = &self.crashed {
            if let Some(restores) = overlay::ask_to_restore(ui, rect, crashed) {
                actions.push(Action::AnswerCrash(restores));
            }
        } else if self.asks_to_reset {
            if let Some(resets) = overlay::ask_to_reset(ui, rect) {
                actions.push(Action::AnswerReset(resets));
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

    /// Whatever is shown of one picture is shown of all, turned the same way; planes whose features
    /// are about as large have one scale.
    pub(super) fn link_views(&mut self, ctx: &egui::Context) {
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
        let pictures = self.panes.all().iter().map(|pane| &pane.picture);
        let mut rungs: Vec<i32> = pictures.filter_map(Picture::followed_rung).collect();
        rungs.sort_unstable_by(|a, b| b.cmp(a)); // each joins the largest on which it fits
        for pane in self.panes.all_mut() {
            let own = pane.picture.followed_rung();
            let mut larger = rungs.iter().take_while(|&&rung| Some(rung) != own);
            if larger.any(|&rung| pane.picture.join(rung)) {
                ctx.request_repaint();
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

/// So many cells that fill the room, so that the smallest picture in them is as large as it can be,
/// and then all of them together.
fn cells(room: Rect, n: usize, header: f32) -> Vec<Rect> {
    let rows = (1..=n).filter(|rows| n.is_multiple_of(*rows));
    let grids = rows.map(|rows| rows_of(room, &vec![n / rows; rows], room.height() / rows as f32));
    let mut layouts: Vec<Vec<Rect>> = grids.collect();
    if n > 1 && !n.is_multiple_of(2) {
        layouts.extend(uneven(room, [n / 2, n.div_ceil(2)], header));
    }
    let size = |layout: &[Rect]| {
        let side = |cell: &Rect| cell.width().min(cell.height() - header).round();
        let least = layout.iter().map(side).fold(f32::INFINITY, f32::min);
        (least, layout.iter().map(side).sum::<f32>())
    };
    let order = |a: &Vec<Rect>, b: &Vec<Rect>| {
        let (a, b) = (size(a), size(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    layouts.into_iter().max_by(order).unwrap_or_default()
}

/// A few large pictures and one more of small ones, below or beside them. The small ones have the
/// room that they can use, the large ones the rest.
fn uneven(room: Rect, counts: [usize; 2], header: f32) -> [Vec<Rect>; 2] {
    let n_small = counts[1] as f32;
    let height = (room.width() / n_small + header).min(room.height() / 2.0);
    let below = rows_of(room, &counts, height);
    let width = (room.height() / n_small - header).clamp(0.0, room.width() / 2.0);
    let beside = rows_of(turned(room), &counts, width);
    [below, beside.into_iter().map(turned).collect()]
}

/// With x and y in each other's place.
fn turned(rect: Rect) -> Rect {
    Rect::from_x_y_ranges(rect.y_range(), rect.x_range())
}

/// Rows of so many cells each; the last is so high, those before it share the rest.
fn rows_of(room: Rect, counts: &[usize], last: f32) -> Vec<Rect> {
    let n_before = counts.len() - 1;
    let height = (room.height() - last) / n_before.max(1) as f32;
    let row = |(i, &n): (usize, &usize)| {
        let top = room.top() + i as f32 * height;
        let bottom = if i == n_before {
            room.bottom()
        } else {
            top + height - SEAM
        };
        let width = (room.width() - SEAM * (n - 1) as f32) / n as f32;
        (0..n).map(move |k| {
            let left = room.left() + k as f32 * (width + SEAM);
            Rect::from_x_y_ranges(left..=left + width, top..=bottom)
        })
    };
    counts.iter().enumerate().flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_lie_in_the_room_without_overlap_or_a_hole() {
        // Between the panels of 1280×800 and of 1024×768, and a hall's screen without them.
        for size in [[804.0, 651.0], [548.0, 619.0], [1920.0, 1000.0]] {
            let room = Rect::from_min_size(Pos2::new(232.0, 102.0), size.into());
            for n in 1..=6 {
                let cells = cells(room, n, HEADER_HEIGHT);
                assert_eq!(cells.len(), n);
                for (i, cell) in cells.iter().enumerate() {
                    assert!(room.expand(0.01).contains_rect(*cell), "{n}: {cell:?}");
                    let mut others = cells[i + 1..].iter();
                    assert!(others.all(|other| !cell.shrink(0.1).intersects(*other)));
                }
                let covered: f32 = cells.iter().map(Rect::area).sum();
                assert!(covered > 0.99 * room.area(), "{n} in {size:?}: {cells:?}");
            }
        }
    }

    #[test]
    fn pictures_are_as_large_as_they_can_be() {
        let room = Rect::from_min_size(Pos2::new(232.0, 102.0), vec2(804.0, 651.0));
        let n_rows = |n| {
            let mut tops: Vec<_> = cells(room, n, HEADER_HEIGHT)
                .iter()
                .map(|c| c.top() as i32)
                .collect();
            tops.dedup();
            tops.len()
        };
        assert_eq!([1, 2, 4, 6].map(n_rows), [1, 1, 2, 2]);
        let sides = |room, n| {
            let side = |cell: &Rect| cell.width().min(cell.height() - HEADER_HEIGHT);
            cells(room, n, HEADER_HEIGHT)
                .iter()
                .map(side)
                .collect::<Vec<f32>>()
        };
        // One large and two small ones beside it: side by side each would have 267 points, two by
        // two 291.
        let three = sides(room, 3);
        assert!(
            three[0] > 500.0 && three[1] > 290.0 && three[2] > 290.0,
            "{three:?}"
        );
        let five = sides(room, 5);
        assert!(five[0] > 310.0 && five[4] > 265.0, "{five:?}");
    }
}
