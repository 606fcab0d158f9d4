//! The picture: builds a scene when snapshot, view or size changed, paints it, turns and moves it.

use std::sync::Arc;

use egui::{
    CornerRadius, EventFilter, Key, Pos2, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind,
    Ui, Vec2, WidgetInfo,
};

use crate::app::action::Action;
use crate::app::ahead::Ahead;
use crate::app::hold::Hand;
use crate::app::lens::{Hover, Thumbs, card_ui};
use crate::app::paint::Painter;
use crate::app::theme;
use crate::experiment::ViewKind;
use crate::scene;
use crate::scene::{
    Direction, Extent, Grip, Held, Microscope, Scene, Trails, ViewState, WINDOW_SAGITTA,
};
use crate::trainer::Snapshot;

/// Points of scrolling that enlarge by e.
const SCROLL_PER_E: f32 = 240.0;

/// What a pointer did to a view, for others to follow.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    /// From one place to another.
    Drag([f32; 2], [f32; 2]),
    /// By a factor about a place.
    Zoom(f32, [f32; 2]),
}

/// The view with the last scene that was built for it.
pub(super) struct Picture {
    /// Where the picture is looked at from.
    pub view: ViewState,
    /// Whether it has no room for the formula.
    pub is_small: bool,
    /// Room at the left for formula and sentence, where they stand there and not at its foot.
    pub words_width: Option<f32>,
    /// Whether it keeps the snapshot that it shows, since another picture takes its new one.
    pub waits: bool,
    painter: Painter,
    curves: Ahead,
    /// How far curves may depart from their chords, see [`ViewState::max_sagitta`].
    max_sagitta: f64,
    extent: Option<(Arc<Snapshot>, [f32; 2], Extent)>,
    /// Empty while they are not shown.
    trails: Trails,
    cached: Option<Cached>,
    hover: Hover,
    hover_painter: Painter,
    words_painter: Painter,
    /// How the pointer holds what it took last.
    grip: Option<Grip>,
}

struct Cached {
    snapshot: Arc<Snapshot>,
    view: ViewState,
    /// Width of the words beside it, and whether the formula is one of them.
    words: Option<(f32, bool)>,
    rect: Rect,
    pixels_per_point: f32,
    /// For what lies under the pointer.
    scene: Scene,
    shapes: Vec<Shape>,
    caption: String,
}

impl Picture {
    /// Nothing painted yet.
    pub(super) fn new(view: ViewState) -> Self {
        Self {
            view,
            is_small: false,
            words_width: None,
            waits: false,
            painter: Painter::default(),
            curves: Ahead::default(),
            max_sagitta: WINDOW_SAGITTA,
            extent: None,
            trails: Trails::default(),
            cached: None,
            hover: Hover::default(),
            hover_painter: Painter::default(),
            words_painter: Painter::default(),
            grip: None,
        }
    }

    /// Where samples were before.
    pub(super) fn trails(&self) -> &Trails {
        &self.trails
    }

    /// Paints the picture over all the space there is, with a card for the sample under the pointer.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        snapshot: &Arc<Snapshot>,
        thumbs: &mut Thumbs,
        actions: &mut Vec<Action>,
    ) -> Vec<Move> {
        let rect = ui.available_rect_before_wrap();
        let snapshot = &self.in_turn(snapshot);
        // Alone it is what a file of it has, to the last vertex; of many each is small.
        self.max_sagitta = if self.is_small {
            self.view.max_sagitta(rect.size().into())
        } else {
            WINDOW_SAGITTA
        };
        let response = ui.allocate_rect(rect, Sense::click_and_drag());
        let is_held = self.hold_ui(ui, &response, snapshot, rect, actions);
        let moves = if is_held {
            Vec::new()
        } else {
            self.navigate(ui, &response, rect)
        };
        let has_formula = self.view.show.formula;
        self.view.show.formula &= !self.is_small;
        self.paint(ui, &response, rect, snapshot, has_formula);
        self.samples_ui(ui, &response, snapshot, thumbs, actions);
        self.view.show.formula = has_formula;
        keyboard_ui(ui, &response, actions);
        moves
    }

    /// The snapshot that it shows.
    pub(super) fn shown(&self) -> Option<&Arc<Snapshot>> {
        self.cached.as_ref().map(|cached| &cached.snapshot)
    }

    /// Whether it shows this very snapshot.
    pub(super) fn shows(&self, snapshot: &Arc<Snapshot>) -> bool {
        self.shown()
            .is_some_and(|shown| Arc::ptr_eq(shown, snapshot))
    }

    /// Begins with the curves of a new snapshot, unless some are there. Whether they are, and it may
    /// have its turn.
    pub(super) fn prepare(&mut self, newest: &Arc<Snapshot>) -> bool {
        let (max_sagitta, kind) = (self.max_sagitta, self.view.kind);
        self.curves.is_ready() || !self.curves.begin(newest, max_sagitta, kind)
    }

    /// Takes every snapshot as it comes.
    pub(super) fn wait_no_more(&mut self) {
        self.waits = false;
        self.curves.give_up();
    }

    /// The snapshot to show: the one that it shows already while it waits, and then the one whose
    /// curves are there.
    fn in_turn(&mut self, newest: &Arc<Snapshot>) -> Arc<Snapshot> {
        let shown = self.cached.as_ref().filter(|_| self.waits);
        if let Some(shown) = shown {
            return Arc::clone(&shown.snapshot);
        }
        let ready = self.curves.take(newest);
        ready.unwrap_or_else(|| Arc::clone(newest))
    }

    /// Paints the scene, built anew where something changed.
    fn paint(
        &mut self,
        ui: &Ui,
        response: &Response,
        rect: Rect,
        snapshot: &Arc<Snapshot>,
        has_formula: bool,
    ) {
        self.view.theme = *theme::tokens(ui.ctx());
        let frame_secs = ui.input(|input| input.stable_dt);
        if self.follow(snapshot, rect.size().into(), frame_secs) {
            ui.ctx().request_repaint();
        }
        let words = self.words_width.map(|width| (width, has_formula));
        let is_same = self.cached.as_ref().is_some_and(|cached| {
            Arc::ptr_eq(&cached.snapshot, snapshot)
                && cached.view == self.view
                && cached.words == words
                && cached.rect == rect
                && cached.pixels_per_point == ui.ctx().pixels_per_point()
        });
        if !is_same {
            self.cached = None; // gives its meshes back to the painter
            if self.view.show.trails {
                self.trails.note(snapshot);
            } else {
                self.trails.clear();
            }
            let scene = self.scene(snapshot, rect.size().into());
            let mut shapes = self.painter.shapes(ui.ctx(), &scene, rect.min);
            shapes.extend(
                words
                    .map(|words| self.words(ui, rect, snapshot, words))
                    .unwrap_or_default(),
            );
            self.cached = Some(Cached {
                shapes,
                words,
                caption: self.caption(snapshot),
                scene,
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

    /// Formula and sentence beside the picture, at half its height.
    fn words(
        &mut self,
        ui: &Ui,
        rect: Rect,
        snapshot: &Arc<Snapshot>,
        (width, has_formula): (f32, bool),
    ) -> Vec<Shape> {
        let curves = self.curves.curves(snapshot, self.max_sagitta);
        let mut view = self.view.clone();
        (view.show.note, view.show.formula) = (true, has_formula);
        let Some(words) = scene::foot_beside(snapshot, curves, &view, width) else {
            return Vec::new();
        };
        let top = 0.5 * (rect.height() - words.size[1]);
        let origin = rect.min + Vec2::new(0.0, top.max(0.0));
        self.words_painter.shapes(ui.ctx(), &words, origin)
    }

    /// Where it follows the features on the plane: on which scale.
    pub(super) fn followed_rung(&self) -> Option<i32> {
        let is_plane = self.view.kind == ViewKind::Plane;
        is_plane.then(|| self.view.plane.followed_rung())?
    }

    /// Follows them on the scale of another picture, if they fit there. Whether that is news.
    pub(super) fn join(&mut self, rung: i32) -> bool {
        let extent = self.extent.as_ref().map(|(.., extent)| *extent);
        extent.is_some_and(|extent| self.view.plane.join(rung, extent))
    }

    /// Moves as another picture of the same kind was moved.
    pub(super) fn follow_moves(&mut self, moves: &[Move]) {
        if let Some(size) = self.size() {
            for &to in moves {
                self.apply(to, size);
            }
        }
    }

    fn apply(&mut self, to: Move, size: [f32; 2]) {
        let _ = match to {
            Move::Drag(from, to) => self.view.drag(from, to, size),
            Move::Zoom(factor, at) => self.view.zoom_at(factor, at, size),
        };
    }

    /// The ring and the card of the sample under the pointer, which a click keeps.
    fn samples_ui(
        &mut self,
        ui: &mut Ui,
        response: &Response,
        snapshot: &Arc<Snapshot>,
        thumbs: &mut Thumbs,
        actions: &mut Vec<Action>,
    ) {
        let Some(cached) = &self.cached else { return };
        let rect = cached.rect;
        let size: [f32; 2] = rect.size().into();
        let pick = |at: Pos2| scene::pick(&cached.scene, (at - rect.min).into());
        let curves = self.curves.curves(snapshot, self.max_sagitta);
        let spot = |sample: usize| {
            let spot = scene::spot(snapshot, curves, &self.view, size, sample)?;
            Some(rect.min + Vec2::from(spot.at))
        };
        let pointer = response.hover_pos().filter(|_| !response.dragged());
        let hovered = self.hover.update(pointer, pick, spot);
        // A focused picture is clicked by the space bar, too, at no place.
        if response.clicked()
            && let Some(clicked) = response.interact_pointer_pos()
        {
            match hovered.or_else(|| pick(clicked)) {
                Some(sample) => actions.push(Action::Keep(sample)),
                None if self.view.kept.is_some() => actions.push(Action::LetGo),
                None => {}
            }
        }
        let (Some(sample), Some(pointer)) = (hovered, pointer) else {
            return;
        };
        ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
        if self.view.kept == Some(sample) {
            return; // its card is there already
        }
        if let Some(at) = spot(sample) {
            let ring = scene::hover_ring(&self.view, size, (at - rect.min).into());
            let shapes = self.hover_painter.shapes(ui.ctx(), &ring, rect.min);
            ui.painter().with_clip_rect(rect).extend(shapes);
        }
        if let Some(seen) = Microscope::of(snapshot, sample) {
            card_ui(ui, rect, pointer, snapshot, &seen, thumbs);
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
        let curves = self.curves.curves(snapshot, self.max_sagitta);
        scene::build_with(snapshot, curves, Some(&self.trails), &self.view, size)
    }

    /// What a screen reader says.
    fn caption(&mut self, snapshot: &Arc<Snapshot>) -> String {
        let curves = self.curves.curves(snapshot, self.max_sagitta);
        let caption = scene::caption(snapshot, curves, &self.view);
        format!("picture: {caption}")
    }

    /// Size of the picture on the screen.
    pub(super) fn size(&self) -> Option<[f32; 2]> {
        self.cached.as_ref().map(|cached| cached.rect.size().into())
    }

    /// What the pointer takes hold of, moves and lets go. Whether it holds something.
    fn hold_ui(
        &mut self,
        ui: &Ui,
        response: &Response,
        snapshot: &Snapshot,
        rect: Rect,
        actions: &mut Vec<Action>,
    ) -> bool {
        let local = |pos: Pos2| -> [f32; 2] { (pos - rect.min).into() };
        let grasp = |pos: Pos2| {
            let scene = &self.cached.as_ref()?.scene;
            scene::grasp(scene, snapshot, &self.view, local(pos))
        };
        let pressed = ui.input(|input| input.pointer.press_origin());
        if response.drag_started()
            && let Some(at) = pressed
            && let Some(held) = grasp(at)
        {
            let size = rect.size().into();
            self.grip = Grip::new(snapshot, &self.view, size, held, local(at));
            actions.push(Action::Hand(Hand::Take(held)));
            return true;
        }
        if self.view.held.is_none() {
            if let Some(Held::Weight(_)) = response.hover_pos().and_then(grasp) {
                ui.ctx().set_cursor_icon(egui::CursorIcon::Grab);
            }
            return false;
        }
        ui.ctx().set_cursor_icon(egui::CursorIcon::Grabbing);
        if let Some(pointer) = response.interact_pointer_pos() {
            let size = rect.size().into();
            let grip = self.grip.as_ref();
            let to =
                grip.and_then(|grip| grip.place_at(snapshot, &self.view, size, local(pointer)));
            actions.extend(to.map(|to| Action::Hand(Hand::Put(to))));
        }
        if !response.dragged() {
            actions.push(Action::Hand(Hand::LetGo));
        }
        true
    }

    fn navigate(&mut self, ui: &Ui, response: &Response, rect: Rect) -> Vec<Move> {
        let local = |pos: Pos2| -> [f32; 2] { (pos - rect.min).into() };
        let mut moves = Vec::new();
        if response.dragged()
            && let Some(pointer) = response.interact_pointer_pos()
        {
            let from = local(pointer - response.drag_delta());
            moves.push(Move::Drag(from, local(pointer)));
        }
        if let Some(pointer) = response.hover_pos() {
            let (scroll, pinch) =
                ui.input(|input| (input.smooth_scroll_delta.y, input.zoom_delta()));
            let factor = pinch * (scroll / SCROLL_PER_E).exp();
            if factor != 1.0 {
                moves.push(Move::Zoom(factor, local(pointer)));
            }
        }
        for &to in &moves {
            self.apply(to, rect.size().into());
        }
        if !moves.is_empty() {
            ui.ctx().request_repaint();
        }
        moves
    }
}

/// With the focus on the picture, arrows go through the samples.
fn keyboard_ui(ui: &Ui, response: &Response, actions: &mut Vec<Action>) {
    if !response.has_focus() {
        return;
    }
    let tokens = theme::tokens(ui.ctx());
    let stroke = Stroke::new(2.0, theme::color(tokens.accent));
    let edge = response.rect.shrink(1.0);
    ui.painter()
        .rect_stroke(edge, CornerRadius::ZERO, stroke, StrokeKind::Inside);
    ui.memory_mut(|memory| {
        let filter = EventFilter {
            horizontal_arrows: true,
            ..EventFilter::default()
        };
        memory.set_focus_lock_filter(response.id, filter);
    });
    for (key, direction) in [
        (Key::ArrowRight, Direction::Next),
        (Key::ArrowLeft, Direction::Previous),
    ] {
        if ui.input(|input| input.key_pressed(key)) {
            actions.push(Action::Neighbor(direction));
        }
    }
}
