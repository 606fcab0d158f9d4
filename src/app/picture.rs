//! The picture: builds a scene when snapshot, view or size changed, paints it, turns and moves it.

use std::sync::Arc;

use egui::{Pos2, Rect, Role, Sense, Shape, Ui, WidgetInfo};

use crate::app::paint::Painter;
use crate::app::theme;
use crate::experiment::ViewKind;
use crate::scene;
use crate::scene::{Curves, Extent, Scene, ViewState};
use crate::trainer::Snapshot;

/// Points of scrolling that enlarge by e.
const SCROLL_PER_E: f32 = 240.0;

/// The view with the last scene that was built for it.
pub(super) struct Picture {
    /// Where the picture is looked at from.
    pub view: ViewState,
    painter: Painter,
    curves: Option<(Arc<Snapshot>, Curves)>,
    extent: Option<(Arc<Snapshot>, [f32; 2], Extent)>,
    cached: Option<Cached>,
}

struct Cached {
    snapshot: Arc<Snapshot>,
    view: ViewState,
    rect: Rect,
    pixels_per_point: f32,
    shapes: Vec<Shape>,
    caption: String,
}

impl Picture {
    /// Nothing painted yet.
    pub(super) fn new(view: ViewState) -> Self {
        Self {
            view,
            painter: Painter::default(),
            curves: None,
            extent: None,
            cached: None,
        }
    }

    /// Paints the picture over all the space there is.
    pub(super) fn ui(&mut self, ui: &mut Ui, snapshot: &Arc<Snapshot>) {
        let rect = ui.available_rect_before_wrap();
        let response = ui.allocate_rect(rect, Sense::click_and_drag());
        self.navigate(ui, &response, rect);
        self.view.theme = *theme::tokens(ui.ctx());
        let frame_secs = ui.input(|input| input.stable_dt);
        if self.follow(snapshot, rect.size().into(), frame_secs) {
            ui.ctx().request_repaint();
        }
        let is_same = self.cached.as_ref().is_some_and(|cached| {
            Arc::ptr_eq(&cached.snapshot, snapshot)
                && cached.view == self.view
                && cached.rect == rect
                && cached.pixels_per_point == ui.ctx().pixels_per_point()
        });
        if !is_same {
            self.cached = None; // gives its meshes back to the painter
            let scene = self.scene(snapshot, rect.size().into());
            self.cached = Some(Cached {
                shapes: self.painter.shapes(ui.ctx(), &scene, rect.min),
                caption: self.caption(snapshot),
                snapshot: Arc::clone(snapshot),
                view: self.view.clone(),
                rect,
                pixels_per_point: ui.ctx().pixels_per_point(),
            });
        }
        if let Some(cached) = &self.cached {
            response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &cached.caption));
            ui.painter()
                .with_clip_rect(rect)
                .extend(cached.shapes.iter().cloned());
        }
    }

    /// One frame of the plane's way after growing features.
    fn follow(&mut self, snapshot: &Arc<Snapshot>, size: [f32; 2], frame_secs: f32) -> bool {
        if self.view.kind != ViewKind::Plane || !self.view.plane.is_following {
            return false;
        }
        let view = &self.view;
        let known = self
            .extent
            .take()
            .filter(|(of, at, _)| Arc::ptr_eq(of, snapshot) && *at == size);
        let (.., extent) = self.extent.insert(known.unwrap_or_else(|| {
            let extent = view.extent(snapshot, size);
            (Arc::clone(snapshot), size, extent)
        }));
        self.view.follow(*extent, frame_secs)
    }

    /// The scene of a snapshot as it is seen now.
    pub(super) fn scene(&mut self, snapshot: &Arc<Snapshot>, size: [f32; 2]) -> Scene {
        let curves = curves_of(&mut self.curves, snapshot);
        scene::build_with(snapshot, curves, &self.view, size)
    }

    /// What a screen reader says.
    fn caption(&mut self, snapshot: &Arc<Snapshot>) -> String {
        let curves = curves_of(&mut self.curves, snapshot);
        let caption = scene::caption(snapshot, curves, &self.view);
        format!("picture: {caption}")
    }

    /// Size of the picture on the screen.
    pub(super) fn size(&self) -> Option<[f32; 2]> {
        self.cached.as_ref().map(|cached| cached.rect.size().into())
    }

    fn navigate(&mut self, ui: &Ui, response: &egui::Response, rect: Rect) {
        let size: [f32; 2] = rect.size().into();
        let local = |pos: Pos2| -> [f32; 2] { (pos - rect.min).into() };
        let mut has_changed = false;
        if response.dragged()
            && let Some(pointer) = response.interact_pointer_pos()
        {
            let from = local(pointer - response.drag_delta());
            has_changed |= self.view.drag(from, local(pointer), size);
        }
        if let Some(pointer) = response.hover_pos() {
            let (scroll, pinch) =
                ui.input(|input| (input.smooth_scroll_delta.y, input.zoom_delta()));
            let factor = pinch * (scroll / SCROLL_PER_E).exp();
            if factor != 1.0 {
                has_changed |= self.view.zoom_at(factor, local(pointer), size);
            }
        }
        if has_changed {
            ui.ctx().request_repaint();
        }
    }
}

/// The snapshot's curves, computed when they are first asked for.
fn curves_of<'a>(
    known: &'a mut Option<(Arc<Snapshot>, Curves)>,
    snapshot: &Arc<Snapshot>,
) -> &'a Curves {
    if known
        .as_ref()
        .is_none_or(|(of, _)| !Arc::ptr_eq(of, snapshot))
    {
        *known = None;
    }
    let (_, curves) = known.get_or_insert_with(|| {
        let curves = Curves::of(snapshot, scene::WINDOW_SAGITTA);
        (Arc::clone(snapshot), curves)
    });
    curves
}
