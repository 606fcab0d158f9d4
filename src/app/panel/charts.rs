//! Charts of the right panel: ψ with handles, the margin map, the confusion matrix.

use std::sync::Arc;

use egui::{
    Align, ComboBox, Layout, Pos2, Rect, Response, Role, Sense, Shape, Ui, Vec2, WidgetInfo, vec2,
};

use crate::app::action::Action;
use crate::app::paint::Painter;
use crate::app::theme;
use crate::app::widget::{scroll_to_focus, strong};
use crate::scene::Light;
use crate::scene::chart;
use crate::scene::chart::{Chart, Frame, PsiHandle};
use crate::scene::theme::Theme;
use crate::trainer::Snapshot;

/// What the charts remember between frames.
#[derive(Default)]
pub(super) struct Charts {
    psi: ChartView,
    map: ChartView,
    confusion: ChartView,
    /// The handle that is held, and where it has been dragged to on the screen.
    held: Option<(PsiHandle, Pos2)>,
    /// The two classes of the margin map.
    pair: Option<[usize; 2]>,
}

const PSI_HEIGHT: f32 = 168.0;
/// From a handle, in points.
const GRIP: f32 = 13.0;
/// Share of the pointer's way that a handle goes while Shift is held.
const FINE: f32 = 0.1;

impl Charts {
    /// ψ(θ) with the samples' angles; a handle changes its parameter.
    pub(super) fn psi_ui(
        &mut self,
        ui: &mut Ui,
        snapshot: &Arc<Snapshot>,
        actions: &mut Vec<Action>,
    ) {
        let help = "Target logit over the angle to the own weight; bars count the samples. Behind it other losses, named under the pointer. Drag a dot, with Shift finely; the pink mark is the ceiling.";
        let shown = Shown {
            snapshot,
            pair: None,
            height: PSI_HEIGHT,
            name: "target logit ψ(θ)",
        };
        let make = || chart::psi(snapshot);
        let Some((response, frame)) = self.psi.ui(ui, shown, make) else {
            return;
        };
        let head = &snapshot.head;
        let local = |pos: Pos2| -> [f32; 2] { (pos - response.rect.min).into() };
        let screen = |at: [f64; 2]| response.rect.min + Vec2::from(frame.screen(at));
        let near = |pos: Pos2| {
            let distance = |handle: &PsiHandle| screen(handle.at).distance(pos);
            chart::psi_handles(head)
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
                .filter(|handle| distance(handle) <= GRIP)
        };
        if response.drag_started()
            && let Some(start) = ui.input(|input| input.pointer.press_origin())
        {
            self.held = near(start).map(|handle| (handle, screen(handle.at)));
        }
        if response.drag_stopped() {
            self.held = None;
        }
        let is_over = response.hover_pos().is_some_and(|pos| near(pos).is_some());
        if is_over || self.held.is_some() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::Grab);
        } else {
            let at = response.hover_pos().map(|pos| frame.value(local(pos)));
            let name = at.and_then(|at| chart::psi_neighbor(head, at));
            let words = name.unwrap_or_else(|| help.to_owned());
            response.clone().on_hover_text_at_pointer(words);
        }
        if let Some((handle, at)) = &mut self.held
            && response.dragged()
        {
            let is_fine = ui.input(|input| input.modifiers.shift);
            *at += response.drag_delta() * if is_fine { FINE } else { 1.0 };
            let value = chart::dragged_value(head, *handle, frame.value(local(*at))[1]);
            if value != head.values[handle.index] {
                let param = &head.spec.params[handle.index];
                actions.push(Action::set(&format!("loss.{}", param.id), value));
            }
        }
    }

    /// The θ₁–θ₂ diagram of two classes that are chosen above it.
    pub(super) fn map_ui(&mut self, ui: &mut Ui, snapshot: &Arc<Snapshot>) {
        let n_classes = snapshot.head.n_classes;
        let pair = self
            .pair
            .filter(|pair| pair.iter().all(|&class| class < n_classes));
        let mut pair = pair.unwrap_or_else(|| chart::closest_pair(snapshot));
        ui.horizontal(|ui| {
            ui.weak("classes");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                for side in [1, 0] {
                    if let Some(class) = class_choice(ui, snapshot, pair, side) {
                        pair[side] = class;
                        self.pair = Some(pair);
                    }
                }
            });
        });
        let shown = Shown {
            snapshot,
            pair: Some(pair),
            height: ui.available_width(),
            name: "margin map",
        };
        let make = || Some(chart::margin_map(snapshot, pair));
        let Some((response, _)) = self.map.ui(ui, shown, make) else {
            return;
        };
        response.on_hover_text(
            "Angles to two weights. Line: where the decision changes. Dashed: where a class wins with its margin. Rectangle: what a direction can reach.",
        );
    }

    /// Which class is taken for which; a click on a cell shows its samples.
    pub(super) fn confusion_ui(
        &mut self,
        ui: &mut Ui,
        snapshot: &Arc<Snapshot>,
        light: Light,
        actions: &mut Vec<Action>,
    ) {
        let lit = match light {
            Light::TakenFor { label, prediction } => Some([label, prediction]),
            Light::All | Light::Wrong => None,
        };
        let shown = Shown {
            snapshot,
            pair: lit,
            height: ui.available_width(),
            name: "confusion matrix",
        };
        let make = || chart::confusion(snapshot, lit);
        let Some((response, frame)) = self.confusion.ui(ui, shown, make) else {
            ui.weak(if snapshot.has_labels() {
                "Too many classes for a table of pairs."
            } else {
                "Without labels no class is taken for another."
            });
            return;
        };
        let n_classes = snapshot.head.n_classes;
        let cell_at = |pos: Pos2| {
            let at = frame.value((pos - response.rect.min).into());
            chart::confusion_cell(n_classes, at)
        };
        if let Some(cell) = response.interact_pointer_pos().and_then(cell_at)
            && response.clicked()
        {
            let [label, prediction] = cell;
            actions.push(Action::Light(if lit == Some(cell) {
                Light::All
            } else {
                Light::TakenFor { label, prediction }
            }));
        }
        let help = match response.hover_pos().and_then(cell_at) {
            Some(cell) => chart::confusion_words(snapshot, cell),
            None => "Rows are classes, columns what they are taken for. Click a cell to light its samples.".to_owned(),
        };
        response.on_hover_text(help);
    }
}

/// A list of classes; the one that was chosen anew.
fn class_choice(ui: &mut Ui, snapshot: &Snapshot, pair: [usize; 2], side: usize) -> Option<usize> {
    let mut chosen = None;
    let response = ComboBox::from_id_salt(("margin map", side))
        .selected_text(strong(snapshot.class_name(pair[side]), theme::size::VALUE))
        .width(0.0)
        .show_ui(ui, |ui| {
            for class in (0..snapshot.head.n_classes).filter(|class| *class != pair[1 - side]) {
                if ui
                    .selectable_label(class == pair[side], snapshot.class_name(class))
                    .clicked()
                {
                    chosen = Some(class);
                }
            }
            scroll_to_focus(ui);
        })
        .response;
    let names = [
        "first class of the margin map",
        "second class of the margin map",
    ];
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, names[side]));
    chosen
}

/// A chart on the screen, laid out anew where what it shows has changed.
#[derive(Default)]
struct ChartView {
    painter: Painter,
    cached: Option<Cached>,
}

struct Cached {
    of: Of,
    chart: Chart,
    shapes: Vec<Shape>,
}

/// What a laid out chart depends on.
struct Of {
    snapshot: Arc<Snapshot>,
    /// Two classes that were chosen.
    pair: Option<[usize; 2]>,
    rect: Rect,
    theme: Theme,
    pixels_per_point: f32,
}

impl Of {
    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.snapshot, &other.snapshot)
            && self.pair == other.pair
            && self.rect == other.rect
            && self.theme == other.theme
            && self.pixels_per_point == other.pixels_per_point
    }
}

/// What a chart shows.
#[derive(Clone, Copy)]
struct Shown<'a> {
    snapshot: &'a Arc<Snapshot>,
    pair: Option<[usize; 2]>,
    height: f32,
    name: &'a str,
}

impl ChartView {
    /// Paints a chart over the whole width; `None` where there is none to make.
    fn ui(
        &mut self,
        ui: &mut Ui,
        shown: Shown<'_>,
        make: impl FnOnce() -> Option<Chart>,
    ) -> Option<(Response, Frame)> {
        let size = vec2(ui.available_width(), shown.height);
        let of = Of {
            snapshot: Arc::clone(shown.snapshot),
            pair: shown.pair,
            rect: Rect::from_min_size(ui.next_widget_position(), size),
            theme: *theme::tokens(ui.ctx()),
            pixels_per_point: ui.ctx().pixels_per_point(),
        };
        if !self
            .cached
            .as_ref()
            .is_some_and(|known| known.of.is_same(&of))
        {
            self.cached = None; // gives its meshes back to the painter
            let chart = make()?;
            let scene = chart.scene(&of.theme, of.theme.panel, size.into());
            let shapes = self.painter.shapes(ui.ctx(), &scene, of.rect.min);
            self.cached = Some(Cached { of, chart, shapes });
        }
        let Cached { of, chart, shapes } = self.cached.as_ref()?;
        let response = ui.allocate_rect(of.rect, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, shown.name));
        ui.painter()
            .with_clip_rect(of.rect.expand(2.0))
            .extend(shapes.iter().cloned());
        Some((response, chart.frame(size.into())))
    }
}
