//! The card to draw a digit on: a canvas for mouse, touch or keys, what the network sees of it, and
//! what it is read as.

mod sketch;

pub(super) use self::sketch::Strokes;

use std::sync::Arc;

use egui::{
    Align, Align2, Color32, CornerRadius, Event, EventFilter, Image, Key, Layout, Modifiers,
    PointerButton, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, TextureHandle,
    TextureOptions, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::draw::sketch::{PEN_RADIUS, Sketch};

use crate::app::lens::{badge, ink_on_panel};
use crate::app::theme;
use crate::app::widget::{Icon, hairline, segments, small_icon_button, strong};
use crate::data::InputShape;
use crate::data::drawing::IMAGE_SIDE;
use crate::experiment::Experiment;
use crate::network::NetworkKind;
use crate::scene::theme::class_color;
use crate::scene::{Font, Verdict};
use crate::trainer::{Command, Snapshot};

/// Rows of the table at most.
const MOST_ROWS: usize = 10;
const ROW_HEIGHT: f32 = 16.0;
/// How far a key moves the pen, in shares of the canvas, and with Shift.
const KEY_STEP: f32 = 1.0 / 32.0;
const FINE_KEY_STEP: f32 = 1.0 / 128.0;

/// The card with what is drawn on it, which stays while it is closed.
#[derive(Default)]
pub(super) struct DrawCard {
    is_open: bool,
    sketch: Sketch,
    /// Where keys move the pen, in shares of the canvas.
    key_pen: KeyPen,
    /// What the worker was told last.
    told: Option<Arc<[u8]>>,
    preview: Option<Preview>,
}

struct KeyPen([f32; 2]);

impl Default for KeyPen {
    fn default() -> Self {
        Self([0.5; 2])
    }
}

struct Preview {
    image: Arc<[u8]>,
    is_dark: bool,
    texture: TextureHandle,
}

/// Why nothing can be drawn for this run; `None` where it can.
pub(super) fn obstacle(experiment: &Experiment, snapshot: &Snapshot) -> Option<&'static str> {
    const SIDE: usize = IMAGE_SIDE;
    match snapshot.data.input {
        _ if snapshot.is_given() => {
            Some("These features come from a file: no network reads a drawing")
        }
        InputShape::Image {
            height: SIDE,
            width: SIDE,
        } if experiment.network_kind() == NetworkKind::None => {
            Some("Free embeddings read no drawing: choose a network")
        }
        InputShape::Image {
            height: SIDE,
            width: SIDE,
        } => None,
        InputShape::Image { .. } => Some("Drawing needs images of 28×28 pixels, as MNIST's are"),
        _ => Some("Drawing needs data of images: choose MNIST"),
    }
}

/// What is kept of the card between starts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Drawing {
    is_open: bool,
    strokes: Vec<Vec<[f32; 2]>>,
}

impl DrawCard {
    /// As it was kept.
    pub(super) fn of(drawing: Drawing) -> Self {
        Self {
            is_open: drawing.is_open,
            sketch: Sketch::of(drawing.strokes),
            ..Self::default()
        }
    }

    /// What is kept of it.
    pub(super) fn drawing(&self) -> Drawing {
        Drawing {
            is_open: self.is_open,
            strokes: self.sketch.strokes().to_vec(),
        }
    }

    /// Whether it is shown.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Opens or closes it.
    pub(super) fn toggle(&mut self) {
        self.is_open = !self.is_open;
        self.sketch.lift();
    }

    /// What the worker has to be told since the last frame: only ever the newest image, so that
    /// nothing piles up however fast the pen is.
    pub(super) fn news(&mut self) -> Option<Command> {
        let wanted = self.sketch.image().filter(|_| self.is_open);
        let is_told = match (wanted, &self.told) {
            (Some(wanted), Some(told)) => Arc::ptr_eq(wanted, told),
            (wanted, told) => wanted.is_none() && told.is_none(),
        };
        if is_told {
            return None;
        }
        self.told = wanted.cloned();
        Some(Command::Place(self.told.clone()))
    }

    /// What the worker was told last, for one that has not heard it.
    pub(super) fn told(&self) -> Command {
        Command::Place(self.told.clone())
    }

    /// Whether a stroke is under way.
    pub(super) fn is_pen_down(&self) -> bool {
        self.sketch.is_pen_down()
    }

    /// What is drawn on it, while it is open.
    pub(super) fn shown(&self) -> Option<&Strokes> {
        self.is_open.then_some(self.sketch.strokes())
    }

    /// Shows these strokes, or is closed.
    pub(super) fn show(&mut self, strokes: Option<&Strokes>) {
        self.is_open = strokes.is_some();
        if let Some(strokes) = strokes.filter(|&strokes| strokes != self.sketch.strokes()) {
            self.sketch.draw_anew(Arc::clone(strokes));
        }
    }

    /// Lays the card out over all the width there is.
    /// `pane` names the one whose network it is, where there are several.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        snapshot: &Snapshot,
        pane: Option<char>,
        actions: &mut Vec<Action>,
    ) {
        self.title_ui(ui, actions);
        self.canvas_ui(ui);
        let verdict = Verdict::of(snapshot).filter(|_| self.sketch.image().is_some());
        ui.horizontal(|ui| {
            self.preview_ui(ui);
            ui.add_space(2.0);
            ui.vertical(|ui| self.verdict_ui(ui, snapshot, pane, verdict.as_ref()));
        });
        table_ui(ui, snapshot, verdict.as_ref());
    }

    fn title_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        ui.horizontal(|ui| {
            ui.label(strong("Draw", theme::size::VALUE));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                let close = small_icon_button(ui, Icon::Close, "Close the drawing", "Close it (D)");
                if close.clicked() {
                    actions.push(Action::ToggleDraw);
                }
                ui.add_enabled_ui(!self.sketch.strokes().is_empty(), |ui| {
                    ui.spacing_mut().button_padding.x = 6.0;
                    let clear = ui.button("Clear").on_hover_text("Take all strokes away");
                    if clear.clicked() {
                        self.sketch.clear();
                    }
                    let undo = ui
                        .button("Undo stroke")
                        .on_hover_text("Take the last stroke away");
                    if undo.clicked() {
                        self.sketch.take_last();
                    }
                });
            });
        });
    }

    fn canvas_ui(&mut self, ui: &mut Ui) {
        // So that the table below it is in sight, too, where that leaves enough to draw on.
        const BELOW: f32 = 282.0;
        const ENOUGH: f32 = 180.0;
        let most = (ui.available_height() - BELOW).max(ENOUGH);
        let side = ui.available_width().min(most).max(80.0);
        let (_, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::click_and_drag());
        self.follow_pointer(ui, &response);
        self.follow_keys(ui, &response);
        self.paint(ui, &response);
        let n = self.sketch.strokes().len();
        let name = format!(
            "canvas to draw on: {n} {}",
            if n == 1 { "stroke" } else { "strokes" }
        );
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &name));
        if response.hovered() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::Crosshair);
        }
        if !self.sketch.is_pen_down() && self.sketch.strokes().is_empty() {
            response.on_hover_text(
                "Draw with the mouse or a finger. With the Tab key here: arrows move the pen (finely with Shift), space puts it down and lifts it.",
            );
        }
    }

    /// Every place of the pointer since the last frame, so that a slow frame leaves no corners.
    fn follow_pointer(&mut self, ui: &Ui, response: &Response) {
        let rect = response.rect;
        let share = |at: Pos2| -> [f32; 2] { ((at - rect.min) / rect.width()).into() };
        let is_ours = response.is_pointer_button_down_on() || response.clicked();
        for event in ui.input(|input| input.events.clone()) {
            match event {
                Event::PointerButton {
                    pos,
                    button: PointerButton::Primary,
                    pressed: true,
                    ..
                } if is_ours && rect.contains(pos) => self.sketch.put_down(share(pos)),
                Event::PointerMoved(pos) if response.is_pointer_button_down_on() => {
                    self.sketch.move_to(share(pos));
                }
                Event::PointerButton {
                    button: PointerButton::Primary,
                    pressed: false,
                    ..
                }
                | Event::PointerGone => self.sketch.lift(),
                _ => {}
            }
        }
    }

    /// With the focus on the canvas, arrows move a pen that the space bar puts down and lifts.
    fn follow_keys(&mut self, ui: &Ui, response: &Response) {
        if !response.has_focus() {
            if response.lost_focus() {
                self.sketch.lift();
            }
            return;
        }
        ui.memory_mut(|memory| {
            let filter = EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..EventFilter::default()
            };
            memory.set_focus_lock_filter(response.id, filter);
        });
        for event in ui.input(|input| input.events.clone()) {
            if let Event::Key {
                key,
                pressed: true,
                repeat,
                modifiers,
                ..
            } = event
            {
                self.press(key, repeat, modifiers);
            }
        }
    }

    fn press(&mut self, key: Key, repeat: bool, modifiers: Modifiers) {
        let along = match key {
            Key::ArrowLeft => [-1.0, 0.0],
            Key::ArrowRight => [1.0, 0.0],
            Key::ArrowUp => [0.0, -1.0],
            Key::ArrowDown => [0.0, 1.0],
            Key::Space if repeat => return,
            Key::Space if self.sketch.is_pen_down() => return self.sketch.lift(),
            Key::Space => return self.sketch.put_down(self.key_pen.0),
            _ => return,
        };
        let step = if modifiers.shift {
            FINE_KEY_STEP
        } else {
            KEY_STEP
        };
        let moved = [0, 1].map(|axis| self.key_pen.0[axis] + step * along[axis]);
        self.key_pen.0 = moved.map(|share| share.clamp(0.0, 1.0));
        self.sketch.move_to(self.key_pen.0);
    }

    fn paint(&self, ui: &Ui, response: &Response) {
        let tokens = theme::tokens(ui.ctx());
        let rect = response.rect;
        let corner = CornerRadius::same(6);
        let painter = ui.painter().with_clip_rect(rect);
        let edge = if response.has_focus() {
            Stroke::new(2.0, theme::color(tokens.accent))
        } else {
            Stroke::new(1.0, theme::color(tokens.hairline_strong))
        };
        painter.rect(
            rect,
            corner,
            theme::color(tokens.raised),
            edge,
            StrokeKind::Inside,
        );
        let radius = PEN_RADIUS * rect.width();
        let at = |share: &[f32; 2]| rect.min + rect.width() * Vec2::from(*share);
        let ink = theme::color(tokens.text);
        for stroke in self.sketch.strokes().iter() {
            for ends in stroke.windows(2) {
                painter.line_segment([at(&ends[0]), at(&ends[1])], Stroke::new(2.0 * radius, ink));
            }
            for place in stroke {
                painter.circle_filled(at(place), radius, ink);
            }
        }
        if response.has_focus() {
            let width = if self.sketch.is_pen_down() { 3.0 } else { 1.5 };
            let accent = Stroke::new(width, theme::color(tokens.accent));
            painter.circle_stroke(at(&self.key_pen.0), radius + 1.0, accent);
        }
        if self.sketch.strokes().is_empty() {
            let dimmed = theme::color(tokens.dimmed);
            let font = theme::font(Font::Regular, theme::size::LABEL);
            let lines = ["Nothing drawn yet:", "draw a digit with the mouse"];
            for (i, line) in lines.into_iter().enumerate() {
                let off = vec2(0.0, -8.0 + 16.0 * i as f32);
                let pos = rect.center() + off;
                painter.text(pos, Align2::CENTER_CENTER, line, font.clone(), dimmed);
            }
        }
    }

    /// What the network sees.
    fn preview_ui(&mut self, ui: &mut Ui) {
        const PX_PER_PIXEL: f32 = 2.0;
        let size = Vec2::splat(PX_PER_PIXEL * IMAGE_SIDE as f32);
        let corner = CornerRadius::same(4);
        let Some(texture) = self.texture(ui) else {
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            let raised = theme::color(theme::tokens(ui.ctx()).raised);
            ui.painter().rect_filled(rect, corner, raised);
            return;
        };
        let image = Image::new((texture.id(), size))
            .corner_radius(corner)
            .alt_text("what the network sees: the drawing in 28×28 pixels");
        ui.add(image).on_hover_text(
            "What the network sees: scaled into 20×20 pixels and put with its centre of mass into the middle of 28×28, as MNIST's digits were.",
        );
    }

    fn texture(&mut self, ui: &Ui) -> Option<TextureHandle> {
        let image = self.sketch.image()?;
        let is_dark = ui.visuals().dark_mode;
        let known = self
            .preview
            .take()
            .filter(|preview| Arc::ptr_eq(&preview.image, image) && preview.is_dark == is_dark);
        let preview = if let Some(known) = known {
            known
        } else {
            let shown = ink_on_panel(ui, [IMAGE_SIDE; 2], image)?;
            let options = TextureOptions::NEAREST;
            Preview {
                texture: ui.ctx().load_texture("drawing", shown, options),
                image: Arc::clone(image),
                is_dark,
            }
        };
        Some(self.preview.insert(preview).texture.clone())
    }

    fn verdict_ui(
        &self,
        ui: &mut Ui,
        snapshot: &Snapshot,
        pane: Option<char>,
        verdict: Option<&Verdict>,
    ) {
        ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
        ui.spacing_mut().interact_size.y = 18.0; // badges are the highest
        let Some(verdict) = verdict else {
            // While it trains, a drawing has its verdict a moment later.
            let words = if self.sketch.image().is_some() {
                "…"
            } else {
                "The network sees 28×28 pixels, and says what it reads."
            };
            ui.label(egui::RichText::new(words).size(theme::size::NOTE).weak());
            return;
        };
        let probability = verdict.probabilities[verdict.class];
        ui.horizontal(|ui| {
            ui.weak(pane.map_or("read as".to_owned(), |pane| format!("{pane} reads")));
            badge(ui, snapshot, verdict.class);
        });
        let words = format!("p = {probability:.3}");
        ui.label(strong(words, theme::size::VALUE))
            .on_hover_text("Share of this class in the softmax of all logits without margin.");
        let note = if snapshot.step == 0 {
            "before the first step".to_owned()
        } else {
            format!("at step {}", crate::scene::thousands(snapshot.step))
        };
        ui.label(egui::RichText::new(note).size(theme::size::NOTE).weak());
    }
}

/// The card at the top of a panel.
pub(super) fn panel_ui(
    ui: &mut Ui,
    card: &mut DrawCard,
    snapshot: &Snapshot,
    pane: Option<char>,
    actions: &mut Vec<Action>,
) {
    ui.scope(|ui| {
        ui.set_max_width(ui.available_width() - theme::SCROLL_BAR_ROOM);
        card.ui(ui, snapshot, pane, actions);
        hairline(ui);
    });
}

/// The button that opens and closes the card, beside the choice of view.
pub(super) fn button_ui(
    ui: &mut Ui,
    beside: Rect,
    obstacle: Option<&'static str>,
    is_open: bool,
    actions: &mut Vec<Action>,
) {
    let place = Rect::from_min_size(
        pos2(beside.right() + 10.0, beside.top()),
        vec2(80.0, beside.height()),
    );
    let help = "Draw a digit and see where the network puts it (D)";
    ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
        let enabled = ui.add_enabled_ui(obstacle.is_none(), |ui| {
            segments(ui, &[("Draw", help)], is_open.then_some(0))
        });
        if enabled.inner.is_some() {
            actions.push(Action::ToggleDraw);
        }
        if let Some(why) = obstacle {
            enabled.response.on_hover_text(why);
        }
    });
}

/// Right edges of the columns θ and p over the width, and where the bars begin.
const ANGLE_EDGE: f32 = 0.42;
const BAR_START: f32 = 0.5;

/// The angle to every class and its probability; dashes while nothing is drawn, so that nothing
/// jumps with the first stroke.
fn table_ui(ui: &mut Ui, snapshot: &Snapshot, verdict: Option<&Verdict>) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let (rect, response) = row_rect(ui);
        let dimmed = theme::color(theme::tokens(ui.ctx()).dimmed);
        let font = theme::font(Font::Regular, theme::size::NOTE);
        for (share, name) in [(ANGLE_EDGE, "θ"), (1.0, "p")] {
            let edge = at(rect, share) - vec2(3.0, 0.0);
            ui.painter()
                .text(edge, Align2::RIGHT_CENTER, name, font.clone(), dimmed);
        }
        response.on_hover_text("θ: angle to the weight. p: softmax of the logits without margin.");
        let n_classes = snapshot.head.n_classes;
        let classes = verdict.map_or_else(
            || (0..n_classes.min(MOST_ROWS)).collect(),
            |verdict| verdict.table_classes(MOST_ROWS),
        );
        for class in classes {
            row_ui(ui, snapshot, verdict, class);
        }
    });
}

fn row_rect(ui: &mut Ui) -> (Rect, Response) {
    ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover())
}

/// A place on the middle line of a row.
fn at(rect: Rect, share: f32) -> Pos2 {
    pos2(egui::lerp(rect.x_range(), share), rect.center().y)
}

fn row_ui(ui: &mut Ui, snapshot: &Snapshot, verdict: Option<&Verdict>, class: usize) {
    let (rect, response) = row_rect(ui);
    let tokens = theme::tokens(ui.ctx());
    let is_read = verdict.is_some_and(|verdict| verdict.class == class);
    if is_read {
        let raised = theme::color(tokens.raised);
        ui.painter()
            .rect_filled(rect.expand2(vec2(4.0, 0.0)), CornerRadius::same(4), raised);
    }
    let color = theme::color(class_color(class));
    let [angle, probability] = cells(verdict, class);
    if let Some(verdict) = verdict {
        let left = at(rect, BAR_START).x;
        let width = (rect.right() - left) * verdict.probabilities[class] as f32;
        let size = vec2(width, rect.height() - 4.0);
        let filled = Rect::from_min_size(pos2(left, rect.top() + 2.0), size);
        ui.painter()
            .rect_filled(filled, 2, color.gamma_multiply(0.5));
    }
    ui.painter()
        .circle_filled(at(rect, 0.0) + vec2(5.0, 0.0), 4.0, color);
    let name = snapshot.class_name(class);
    let face = if is_read {
        Font::SemiBold
    } else {
        Font::Regular
    };
    let font = theme::font(face, theme::size::LABEL);
    let ink: Color32 = theme::color(tokens.text);
    let short: String = name.chars().take(6).collect();
    let texts = [
        (at(rect, 0.0) + vec2(14.0, 0.0), Align2::LEFT_CENTER, short),
        (at(rect, ANGLE_EDGE), Align2::RIGHT_CENTER, angle.clone()),
        (
            at(rect, 1.0) - vec2(3.0, 0.0),
            Align2::RIGHT_CENTER,
            probability.clone(),
        ),
    ];
    for (pos, align, text) in texts {
        ui.painter().text(pos, align, text, font.clone(), ink);
    }
    response.widget_info(|| {
        let words = format!("drawing and class {name}: θ {angle}, p {probability}");
        WidgetInfo::labeled(Role::Label, true, words)
    });
}

/// Angle and probability as they are written.
fn cells(verdict: Option<&Verdict>, class: usize) -> [String; 2] {
    let dash = || "–".to_owned();
    let Some(verdict) = verdict else {
        return [dash(), dash()];
    };
    let angle = verdict.angles_rad[class];
    [
        angle.map_or_else(dash, |angle| format!("{:.1}°", angle.to_degrees())),
        format!("{:.3}", verdict.probabilities[class]),
    ]
}
