//! Presenter view: the picture, the formula and one slider, as large as a room needs them, and a
//! spotlight.

use egui::{
    Align, Color32, Context, Id, LayerId, Layout, Mesh, Order, Panel, Pos2, Rect, Shape, Ui,
    ViewportCommand, vec2,
};

use crate::app::action::Action;
use crate::app::layout::shown;
use crate::app::timeline::Look;
use crate::app::widget::{Icon, small_icon_button, strong};
use crate::app::{App, theme};
use crate::loss::{LOSSES, LossSpec};
use crate::scene::thousands;

/// Height of the window in points: the back row reads what is the 34th part of it.
const ROOM_HEIGHT: f32 = 600.0;
/// Size of text and lines of the picture, where 1 is that of a picture of 760 points.
const ROOM_UNIT: f32 = 1.2;
/// Height of the bar with the slider.
const BAR_HEIGHT: f32 = 92.0;
/// Room for which step is shown, while one looks back.
const PAST_WIDTH: f32 = 200.0;
/// Radius of the spotlight as a share of the window's height, and of its soft edge.
const SPOT_SHARE: f32 = 0.17;
const SOFT_SHARE: f32 = 0.05;
/// How dark it is around it.
const DARKNESS: u8 = 190;

/// What presenter view remembers.
#[derive(Debug, Default)]
pub(super) struct Presenter {
    /// Whether all but a circle about the pointer is dark.
    pub has_spotlight: bool,
    /// The size of everything before, while it is larger.
    zoom_before: Option<f32>,
    /// Where the pointer was seen last, and at which zoom.
    pointer: Option<(Pos2, f32)>,
    /// Whether the window had the whole screen before.
    was_full: bool,
    /// The size that whoever sits at the window has chosen; 0 before the first frame.
    pub own_zoom: f32,
}

impl Presenter {
    /// Makes everything larger while presenting, and as large as before afterwards.
    pub(super) fn zoom(&mut self, ctx: &Context, is_presenting: bool) {
        if is_presenting {
            let before = *self.zoom_before.get_or_insert(ctx.zoom_factor());
            let height = ctx.content_rect().height() * ctx.zoom_factor();
            let wanted = (height / ROOM_HEIGHT).max(before);
            if (wanted - ctx.zoom_factor()).abs() > 0.01 {
                ctx.set_zoom_factor(wanted);
            }
        } else if let Some(before) = self.zoom_before.take() {
            ctx.set_zoom_factor(before);
        }
        self.own_zoom = self.zoom_before.unwrap_or(ctx.zoom_factor());
    }

    /// Gives the window the whole screen while presenting, and afterwards what it had before.
    pub(super) fn fill_screen(&mut self, ctx: &Context, is_presenting: bool) {
        let is_full = || ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
        if is_presenting {
            self.was_full = is_full();
        } else {
            self.has_spotlight = false; // nobody would know how to end the dark
        }
        let wanted = is_presenting || self.was_full;
        ctx.send_viewport_cmd(ViewportCommand::Fullscreen(wanted));
    }

    /// Darkens everything but a circle about the pointer, while presenting.
    pub(super) fn spotlight_ui(&mut self, ctx: &Context, is_presenting: bool) {
        let rect = ctx.content_rect();
        let (pos, zoom) = (
            ctx.input(|input| input.pointer.hover_pos()),
            ctx.zoom_factor(),
        );
        if pos != self.pointer.map(|(pos, _)| pos) {
            self.pointer = pos.map(|pos| (pos, zoom));
        }
        let is_dark = self.has_spotlight && is_presenting;
        let Some((pos, seen_at)) = self.pointer.filter(|_| is_dark) else {
            return;
        };
        // Until it moves again its place is told in points of the zoom before.
        let pointer = Pos2::ZERO + pos.to_vec2() * (seen_at / zoom);
        let layer = LayerId::new(Order::Tooltip, Id::unique("spotlight"));
        ctx.layer_painter(layer).add(night(rect, pointer));
    }
}

/// Darkness with a hole of soft edges.
fn night(rect: Rect, at: Pos2) -> Shape {
    const N_SIDES: u32 = 64;
    let far = rect.width() + rect.height();
    let radius = SPOT_SHARE * rect.height();
    let soft = SOFT_SHARE * rect.height();
    let dark = Color32::from_black_alpha(DARKNESS);
    let rings = [
        (radius - soft, Color32::TRANSPARENT),
        (radius + soft, dark),
        (far, dark),
    ];
    let mut mesh = Mesh::default();
    for side in 0..N_SIDES {
        let angle = side as f32 / N_SIDES as f32 * std::f32::consts::TAU;
        for (radius, color) in rings {
            mesh.colored_vertex(at + radius * egui::Vec2::angled(angle), color);
        }
    }
    let n_rings = rings.len() as u32;
    for side in 0..N_SIDES {
        let next = (side + 1) % N_SIDES;
        for ring in 0..n_rings - 1 {
            let corner = |side: u32, ring: u32| side * n_rings + ring;
            mesh.add_triangle(
                corner(side, ring),
                corner(side, ring + 1),
                corner(next, ring),
            );
            mesh.add_triangle(
                corner(next, ring),
                corner(side, ring + 1),
                corner(next, ring + 1),
            );
        }
    }
    Shape::mesh(mesh)
}

/// The loss after this one in the lecture's order, or before it; the ends lead to one another.
fn neighbor(spec: &LossSpec, is_next: bool) -> &'static LossSpec {
    let mut known: Vec<&'static LossSpec> = LOSSES.to_vec();
    known.retain(|spec| spec.key.is_some());
    known.sort_by_key(|spec| spec.key);
    let n = known.len();
    let here = known.iter().position(|other| other.id == spec.id);
    let there = match (here, is_next) {
        (Some(here), true) => (here + 1) % n,
        (Some(here), false) => (here + n - 1) % n,
        (None, _) => 0,
    };
    known[there]
}

impl App {
    /// Goes to the next loss of the lecture, or to the one before.
    pub(super) fn step_loss(&mut self, ctx: &Context, is_next: bool) {
        let next = neighbor(self.experiment().loss.spec, is_next);
        self.choose_loss(ctx, next);
    }

    /// The bar under the picture: the loss, the ones beside it, and its first slider.
    pub(super) fn presenter_bar_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let frame = egui::Frame::new()
            .fill(ui.visuals().panel_fill)
            .inner_margin(egui::Margin::symmetric(16, 8));
        let pane = self.panes.active();
        let snapshot = pane.snapshot().cloned();
        let shown = shown(pane, snapshot.as_deref(), self.subset);
        let (past, newest) = (pane.past(), pane.newest().map(|newest| newest.step));
        let left = &mut self.left;
        Panel::bottom("presenter")
            .exact_size(BAR_HEIGHT)
            .resizable(false)
            .show_separator_line(false)
            .frame(frame)
            .show(ui, |ui| {
                ui.horizontal(|ui| {
                    loss_ui(ui, shown.experiment.loss.spec, actions);
                    ui.add_space(20.0);
                    let beside = if past.is_some() {
                        PAST_WIDTH + 20.0
                    } else {
                        0.0
                    };
                    let width = (ui.available_width() - beside).clamp(120.0, 460.0);
                    let size = vec2(width, BAR_HEIGHT - 16.0);
                    let layout = Layout::top_down(Align::Min);
                    ui.allocate_ui_with_layout(size, layout, |ui| {
                        ui.set_max_width(size.x);
                        left.main_slider_ui(ui, &shown, actions);
                    });
                    if let (Some(past), Some(newest)) = (past, newest) {
                        ui.add_space(20.0);
                        past_ui(ui, past.step, newest, actions);
                    }
                });
            });
    }
}

/// That the picture is not of now, and the way back.
fn past_ui(ui: &mut Ui, step: u64, newest: u64, actions: &mut Vec<Action>) {
    let size = vec2(PAST_WIDTH, BAR_HEIGHT - 16.0);
    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
        let words = format!("step {} of {}", thousands(step), thousands(newest));
        ui.add(egui::Label::new(strong(words, theme::size::TITLE)).truncate());
        if ui.button("Back to now").on_hover_text("End").clicked() {
            actions.push(Action::Look(Look::Now));
        }
    });
}

fn loss_ui(ui: &mut Ui, spec: &'static LossSpec, actions: &mut Vec<Action>) {
    // Of the longest names, so that nothing moves.
    const ROOM: f32 = 720.0;
    let width = if ui.available_width() > ROOM {
        230.0
    } else {
        150.0
    };
    let before = small_icon_button(ui, Icon::Previous, "Loss before", "Page Up");
    if before.clicked() {
        actions.push(Action::ChooseLoss(neighbor(spec, false)));
    }
    let name = egui::Label::new(strong(spec.name, theme::size::TITLE)).truncate();
    ui.add_sized([width, 24.0], name);
    if small_icon_button(ui, Icon::Next, "Next loss", "Page Down").clicked() {
        actions.push(Action::ChooseLoss(neighbor(spec, true)));
    }
}

/// Size of text and lines of the picture; `None` follows its size.
pub(super) fn unit(is_presenting: bool) -> Option<f32> {
    is_presenting.then_some(ROOM_UNIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss;

    #[test]
    fn a_clicker_goes_through_the_losses_of_the_lecture_and_around() {
        let mut spec = loss::find("softmax").expect("a loss");
        let mut ids = vec![spec.id];
        for _ in 0..7 {
            spec = neighbor(spec, true);
            ids.push(spec.id);
        }
        let expected = [
            "softmax",
            "center",
            "modified_softmax",
            "sphereface",
            "normface",
            "cosface",
            "arcface",
            "softmax",
        ];
        assert_eq!(ids, expected);
        assert_eq!(neighbor(spec, false).id, "arcface");
        let other = loss::find("combined").expect("a loss");
        assert_eq!(neighbor(other, true).id, "softmax");
    }

    #[test]
    fn the_spotlight_is_clear_in_its_middle_and_reaches_every_corner() {
        let rect = Rect::from_min_size(Pos2::ZERO, vec2(1000.0, 600.0));
        let at = Pos2::new(900.0, 100.0);
        let Shape::Mesh(mesh) = night(rect, at) else {
            panic!("no mesh");
        };
        let clear = mesh.vertices.iter().filter(|v| v.color.a() == 0);
        assert!(clear.clone().count() > 0);
        assert!(clear.into_iter().all(|v| v.pos.distance(at) > 60.0));
        let farthest = mesh.vertices.iter().map(|v| v.pos.distance(at));
        let farthest = farthest.fold(0.0, f32::max) * (std::f32::consts::PI / 64.0).cos();
        let corners = [rect.left_top(), rect.left_bottom(), rect.right_bottom()];
        assert!(corners.iter().all(|corner| corner.distance(at) < farthest));
    }
}
