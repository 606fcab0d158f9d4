//! Small controls that egui does not have: icon buttons, segments, a slider that knows its ceiling.

use egui::text::{LayoutJob, TextFormat};
use egui::{
    Align, Color32, CornerRadius, DragValue, FontId, Layout, Rect, Response, Role, Sense, Shape,
    Slider, Stroke, TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::app::paint::Painter;
use crate::app::theme;
use crate::loss::LossSpec;
use crate::loss::formula::plain;
use crate::scene::formula::{Block, Reading};
use crate::scene::{Font, Group, Rgba, Scene};

/// What an icon button shows; drawn as shapes, since no font has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    /// A triangle.
    Play,
    /// Two bars.
    Pause,
    /// A triangle with a bar.
    Step,
    /// An open ring with an arrow head.
    Restart,
    /// A corner that points left.
    Previous,
    /// A corner that points right.
    Next,
    /// A cross.
    Close,
    /// A triangle that points left.
    Backward,
    /// A bar with a triangle that points at it.
    First,
}

/// A round (`is_primary`) or bare button with a drawn icon and an accessible name.
pub(super) fn icon_button(
    ui: &mut Ui,
    icon: Icon,
    is_primary: bool,
    name: &str,
    help: &str,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(32.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let tokens = theme::tokens(ui.ctx());
    let (fill, ink) = match (is_primary, response.hovered()) {
        (true, false) => (Some(tokens.text), tokens.panel),
        (true, true) => (Some(tokens.text.mix(tokens.accent, 0.25)), tokens.panel),
        (false, false) => (None, tokens.text.mix(tokens.dimmed, 0.5)),
        (false, true) => (Some(tokens.raised), tokens.text),
    };
    let painter = ui.painter();
    if let Some(fill) = fill {
        painter.circle_filled(rect.center(), 15.0, theme::color(fill));
    }
    if response.has_focus() {
        painter.circle_stroke(
            rect.center(),
            16.0,
            Stroke::new(2.0, theme::color(tokens.accent)),
        );
    }
    painter.extend(icon_shapes(icon, rect, theme::color(ink)));
    response.on_hover_text(help)
}

/// A small bare button with a drawn icon and an accessible name.
pub(super) fn small_icon_button(ui: &mut Ui, icon: Icon, name: &str, help: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(24.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let tokens = theme::tokens(ui.ctx());
    let is_hovered = response.hovered();
    let corner = CornerRadius::same(6);
    if is_hovered {
        ui.painter()
            .rect_filled(rect, corner, theme::color(tokens.raised));
    }
    if response.has_focus() {
        let stroke = Stroke::new(2.0, theme::color(tokens.accent));
        let inside = egui::StrokeKind::Inside;
        ui.painter().rect_stroke(rect, corner, stroke, inside);
    }
    let ink = if is_hovered {
        tokens.text
    } else {
        tokens.dimmed
    };
    ui.painter()
        .extend(icon_shapes(icon, rect, theme::color(ink)));
    response.on_hover_text(help)
}

fn icon_shapes(icon: Icon, rect: Rect, ink: egui::Color32) -> Vec<Shape> {
    let c = rect.center();
    let bar = |x: f32| {
        Shape::rect_filled(
            Rect::from_center_size(c + vec2(x, 0.0), vec2(3.6, 12.0)),
            1,
            ink,
        )
    };
    let triangle = |x: f32, half: f32| {
        let tip = vec2(half * 1.7, 0.0);
        let left = c + vec2(x, 0.0);
        Shape::convex_polygon(
            vec![left - vec2(0.0, half), left + tip, left + vec2(0.0, half)],
            ink,
            Stroke::NONE,
        )
    };
    match icon {
        Icon::Play => vec![triangle(-3.8, 6.5)],
        Icon::Pause => vec![bar(-3.6), bar(3.6)],
        Icon::Step => vec![triangle(-6.0, 5.5), bar(5.4)],
        Icon::Backward => vec![triangle(3.6, -5.5)],
        Icon::First => vec![triangle(6.0, -5.0), bar(-5.0)],
        Icon::Restart => restart_shapes(c, ink),
        Icon::Previous => vec![corner_shape(c, -1.0, ink)],
        Icon::Next => vec![corner_shape(c, 1.0, ink)],
        Icon::Close => [-1.0, 1.0]
            .map(|side| {
                let half = vec2(4.0, 4.0 * side);
                Shape::line_segment([c - half, c + half], Stroke::new(1.6, ink))
            })
            .to_vec(),
    }
}

/// Two strokes that meet at a tip on one side.
fn corner_shape(c: egui::Pos2, side: f32, ink: egui::Color32) -> Shape {
    let tip = c + vec2(2.5 * side, 0.0);
    let end = |y: f32| c + vec2(-2.0 * side, y);
    Shape::line(vec![end(-4.5), tip, end(4.5)], Stroke::new(1.8, ink))
}

fn restart_shapes(c: egui::Pos2, ink: egui::Color32) -> Vec<Shape> {
    const RADIUS: f32 = 6.5;
    let at = |turn: f32| {
        c + RADIUS
            * vec2(
                (turn * std::f32::consts::TAU).sin(),
                -(turn * std::f32::consts::TAU).cos(),
            )
    };
    let ring = (0..=24)
        .map(|i| at(0.06 + 0.82 * i as f32 / 24.0))
        .collect();
    let end = at(0.06);
    let head = vec![
        end + vec2(-5.0, -3.6),
        end + vec2(2.4, -0.4),
        end + vec2(-3.2, 4.2),
    ];
    vec![
        Shape::line(ring, Stroke::new(1.8, ink)),
        Shape::convex_polygon(head, ink, Stroke::NONE),
    ]
}

/// A row with a dimmed label on the left and whatever `add_value` lays out from the right.
pub(super) fn row<R>(
    ui: &mut Ui,
    label: &str,
    add_value: impl FnOnce(&mut Ui, egui::Id) -> R,
) -> R {
    ui.horizontal(|ui| {
        let label = ui.weak(label);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            add_value(ui, label.id)
        })
        .inner
    })
    .inner
}

/// A thin line between groups of controls.
pub(super) fn hairline(ui: &mut Ui) {
    ui.add_space(6.0);
    let color = theme::color(theme::tokens(ui.ctx()).hairline);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter()
        .hline(rect.x_range(), rect.center().y, Stroke::new(1.0, color));
    ui.add_space(6.0);
}

/// Appends text in which the letters and digits behind `_` are an index, as in `W_j·x`.
pub(super) fn subscripted(job: &mut LayoutJob, text: &str, font: &FontId, color: Color32) {
    const INDEX: f32 = 0.75;
    let size = font.size;
    let mut add = |text: &str, size: f32| {
        let format = TextFormat {
            font_id: FontId {
                size,
                ..font.clone()
            },
            color,
            valign: Align::BOTTOM,
            ..TextFormat::default()
        };
        job.append(text, 0.0, format);
    };
    let mut pieces = text.split('_');
    add(pieces.next().unwrap_or_default(), size);
    for piece in pieces {
        let is_over = |c: char| !c.is_ascii_alphanumeric();
        let end = piece.find(is_over).unwrap_or(piece.len());
        add(&piece[..end], INDEX * size);
        add(&piece[end..], size);
    }
}

/// A text in the semibold face.
pub(super) fn strong(text: impl Into<String>, size: f32) -> egui::RichText {
    egui::RichText::new(text).font(theme::font(Font::SemiBold, size))
}

/// The target logit of a loss in letters, and what is added to the loss, as large as fits.
pub(super) fn formula(ui: &mut Ui, spec: &LossSpec, ink: Rgba) -> Response {
    let pieces = spec.formula.short();
    let set = |size: f32| Block::of(&pieces, spec, Reading::Letters, size);
    let width = ui.available_width();
    let mut block = set(theme::size::FORMULA);
    if block.width > width {
        block = set(theme::size::FORMULA * width / block.width);
    }
    let size = vec2(block.width, block.above + block.below);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let scene = Scene {
        size: size.into(),
        ground: ink,
        groups: vec![Group::new(
            "formula",
            block.items([0.0, block.above], |_| ink),
        )],
    };
    let shapes = Painter::default().shapes(ui.ctx(), &scene, rect.min);
    ui.painter().extend(shapes);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, plain(&pieces, spec)));
    response
}

/// Buttons in a row of which one is chosen; returns the index of one that was clicked.
pub(super) fn segments(
    ui: &mut Ui,
    names: &[(&str, &str)],
    chosen: Option<usize>,
) -> Option<usize> {
    let tokens = theme::tokens(ui.ctx());
    let mut clicked = None;
    egui::Frame::new()
        .fill(theme::color(tokens.panel))
        .stroke(Stroke::new(1.0, theme::color(tokens.hairline_strong)))
        .corner_radius(CornerRadius::same(8))
        .inner_margin(3)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.horizontal(|ui| {
                for (i, (name, help)) in names.iter().enumerate() {
                    if segment(ui, name, chosen == Some(i))
                        .on_hover_text(*help)
                        .clicked()
                    {
                        clicked = Some(i);
                    }
                }
            });
        });
    clicked
}

/// One button that is chosen or not.
pub(super) fn segment(ui: &mut Ui, name: &str, is_chosen: bool) -> Response {
    let response = ui.add(segment_button(ui, name, is_chosen));
    response.widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), is_chosen, name));
    response
}

/// The face of a [`segment`].
pub(super) fn segment_button(
    ui: &Ui,
    name: impl Into<String>,
    is_chosen: bool,
) -> egui::Button<'static> {
    let tokens = theme::tokens(ui.ctx());
    let text = if is_chosen {
        strong(name, theme::size::VALUE)
    } else {
        egui::RichText::new(name).color(theme::color(tokens.dimmed))
    };
    let fill = if is_chosen {
        theme::color(tokens.raised)
    } else {
        egui::Color32::TRANSPARENT
    };
    egui::Button::new(text)
        .fill(fill)
        .stroke(Stroke::NONE)
        .corner_radius(CornerRadius::same(6))
}

/// What a slider shows and what it may take.
pub(super) struct Knob<'a> {
    /// On the left of the row, and the accessible name.
    pub label: &'a str,
    /// Behind the value.
    pub unit: &'a str,
    /// One sentence.
    pub help: &'a str,
    /// What the slider spans.
    pub slider: std::ops::RangeInclusive<f64>,
    /// What may be typed in.
    pub range: std::ops::RangeInclusive<f64>,
    /// For double-clicks.
    pub default: f64,
    /// Largest feasible value, with what is written under it.
    pub ceiling: Option<(f64, String)>,
    /// Least value that theory asks for, with what is written under it.
    pub least: Option<(f64, String)>,
    /// Whether only whole numbers have a meaning.
    pub is_integer: bool,
    /// Whether the slider counts in powers.
    pub is_logarithmic: bool,
}

/// A label, a value to type and a slider under them; the new value if it was changed.
pub(super) fn knob(ui: &mut Ui, knob: &Knob<'_>, value: f64) -> Option<f64> {
    let mut new = value;
    let label = row(ui, knob.label, |ui, label| {
        if !knob.unit.is_empty() {
            ui.weak(knob.unit);
        }
        let decimals = if knob.is_integer { 0..=0 } else { 0..=3 };
        let drag = DragValue::new(&mut new)
            .range(knob.range.clone())
            .speed((knob.slider.end() - knob.slider.start()) / 400.0)
            .min_decimals(*decimals.start())
            .max_decimals(*decimals.end());
        let response = ui.scope(|ui| {
            ui.style_mut().override_text_style = Some(TextStyle::Button);
            ui.style_mut().override_font_id = Some(theme::font(Font::SemiBold, theme::size::VALUE));
            ui.add(drag)
        });
        let response = hint_beside(response.inner.labelled_by(label), knob.help);
        if response.double_clicked() {
            new = knob.default;
            // The first click has opened the field: what it holds must not come after this.
            ui.data_mut(|data| data.remove_temp::<String>(response.id));
            response.surrender_focus();
        }
        label
    });
    let step = if knob.is_integer { 1.0 } else { 0.0 };
    ui.spacing_mut().slider_width = ui.available_width();
    let slider = Slider::new(&mut new, knob.slider.clone())
        .show_value(false)
        .step_by(step)
        .clamping(egui::SliderClamping::Never)
        .logarithmic(knob.is_logarithmic);
    let slider = ui
        .scope(|ui| {
            ui.visuals_mut().selection.bg_fill = theme::color(theme::tokens(ui.ctx()).accent);
            ui.add(slider)
        })
        .inner
        .labelled_by(label);
    let help = format!("{} Double-click: {}.", knob.help, knob.default);
    let slider = hint_beside(slider, &help);
    // egui's slider senses drags alone.
    let is_double = |input: &egui::InputState| {
        let pointer = &input.pointer;
        pointer.button_double_clicked(egui::PointerButton::Primary)
    };
    if slider.contains_pointer() && ui.input(is_double) {
        new = knob.default;
    }
    let tokens = theme::tokens(ui.ctx());
    if let Some((ceiling, note)) = &knob.ceiling {
        paint_past(ui, knob, slider.rect, *ceiling);
        paint_mark(ui, knob, slider.rect, *ceiling, note, tokens.past_ceiling);
    }
    if let Some((least, note)) = &knob.least {
        paint_mark(ui, knob, slider.rect, *least, note, tokens.dimmed);
    }
    paint_handle(ui, knob, &slider, new);
    (new != value && new.is_finite()).then(|| new.clamp(*knob.range.start(), *knob.range.end()))
}

/// A tooltip at the right of a control: what theory says of its value stands under it.
fn hint_beside(response: Response, text: &str) -> Response {
    let mut hint = egui::Tooltip::for_enabled(&response);
    hint.popup = hint.popup.align(egui::RectAlign::RIGHT_START).gap(16.0);
    hint.show(|ui| ui.label(text));
    response
}

/// A round handle that stands out from its rail, which egui's has the colour of.
fn paint_handle(ui: &Ui, knob: &Knob<'_>, slider: &Response, value: f64) {
    let tokens = theme::tokens(ui.ctx());
    let rail = rail(slider.rect);
    let center = pos2(egui::lerp(rail, knob.share(value)), slider.rect.center().y);
    let radius = if slider.hovered() || slider.dragged() {
        8.5
    } else {
        7.5
    };
    ui.painter()
        .circle_filled(center, radius, theme::color(tokens.text));
    let ring = if slider.has_focus() {
        tokens.accent
    } else {
        tokens.panel
    };
    ui.painter()
        .circle_stroke(center, radius, Stroke::new(1.5, theme::color(ring)));
}

/// Where egui lets the middle of a slider's handle go.
fn rail(rect: Rect) -> egui::Rangef {
    rect.x_range().shrink(rect.height() / 2.5)
}

impl Knob<'_> {
    /// Where a value lies on the slider, 0 to 1.
    fn share(&self, value: f64) -> f32 {
        let (low, high) = (*self.slider.start(), *self.slider.end());
        let share = if self.is_logarithmic {
            (value / low).ln() / (high / low).ln()
        } else {
            (value - low) / (high - low)
        };
        share.clamp(0.0, 1.0) as f32
    }
}

/// The stretch past the ceiling.
fn paint_past(ui: &Ui, knob: &Knob<'_>, rect: Rect, ceiling: f64) {
    if ceiling >= *knob.slider.end() {
        return;
    }
    let (rail, y) = (rail(rect), rect.center().y);
    let x = egui::lerp(rail, knob.share(ceiling));
    let past = Rect::from_min_max(pos2(x, y - 2.0), pos2(rail.max, y + 2.0));
    let pink = theme::color(theme::tokens(ui.ctx()).past_ceiling);
    ui.painter().rect_filled(past, 2, pink.gamma_multiply(0.45));
}

/// A tick at a value, unless it lies beyond the slider, and what stands under it.
fn paint_mark(ui: &mut Ui, knob: &Knob<'_>, rect: Rect, value: f64, note: &str, color: Rgba) {
    let color = theme::color(color);
    let font = theme::font(Font::Regular, theme::size::NOTE);
    let galley = ui.painter().layout_no_wrap(note.to_owned(), font, color);
    let (line, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), galley.size().y), Sense::hover());
    let (rail, y) = (rail(rect), rect.center().y);
    let x = egui::lerp(rail, knob.share(value));
    if value < *knob.slider.end() {
        ui.painter()
            .vline(x, (y - 8.0)..=(y + 8.0), Stroke::new(2.0, color));
    }
    let left = (x - galley.size().x / 2.0).clamp(
        line.left(),
        (line.right() - galley.size().x).max(line.left()),
    );
    ui.painter().galley(pos2(left, line.top()), galley, color);
}

/// A labelled bar from 0 to 1 with its value in words and, if there is one, a tick at the ideal.
pub(super) struct Meter<'a> {
    /// On the left.
    pub label: &'a str,
    /// On the right.
    pub value: String,
    /// Filled share of the bar.
    pub share: f32,
    /// Where the ideal lies, with what is written under it, if it does not stand above already.
    pub ideal: Option<(f32, String)>,
    /// One sentence.
    pub help: &'a str,
}

/// Draws a meter.
pub(super) fn meter(ui: &mut Ui, meter: &Meter<'_>) {
    let tokens = theme::tokens(ui.ctx());
    row(ui, meter.label, |ui, _| {
        ui.label(strong(&meter.value, theme::size::VALUE))
    })
    .on_hover_text(meter.help);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 4.0), Sense::hover());
    ui.painter()
        .rect_filled(rect, 2, theme::color(tokens.hairline_strong));
    let filled = Rect::from_min_size(
        rect.min,
        vec2(rect.width() * meter.share.clamp(0.0, 1.0), rect.height()),
    );
    ui.painter()
        .rect_filled(filled, 2, theme::color(tokens.accent));
    if let Some((at, note)) = &meter.ideal {
        let x = egui::lerp(rect.x_range(), at.clamp(0.0, 1.0));
        ui.painter().vline(
            x,
            (rect.top() - 4.0)..=(rect.bottom() + 4.0),
            Stroke::new(2.0, theme::color(tokens.text)),
        );
        if note.is_empty() {
            ui.add_space(4.0);
            return;
        }
        let color = theme::color(tokens.dimmed);
        let galley = ui.painter().layout_no_wrap(
            note.clone(),
            theme::font(Font::Regular, theme::size::NOTE),
            color,
        );
        let (line, _) =
            ui.allocate_exact_size(vec2(ui.available_width(), galley.size().y), Sense::hover());
        let left = (x - galley.size().x / 2.0).clamp(
            line.left(),
            (line.right() - galley.size().x).max(line.left()),
        );
        ui.painter().galley(pos2(left, line.top()), galley, color);
    }
    ui.add_space(4.0);
}

/// At the end of a scroll area: scrolls to the control that the keyboard has just led into it, which
/// egui leaves where it is.
pub(super) fn scroll_to_focus(ui: &Ui) {
    let key = ui.scope_id().with("focus");
    let focused = ui.memory(egui::Memory::focused);
    let before = ui.data(|data| data.get_temp::<Option<egui::Id>>(key));
    ui.data_mut(|data| data.insert_temp(key, focused));
    let by_pointer = ui.input(|input| input.pointer.any_down() || input.pointer.any_released());
    if before == Some(focused) || by_pointer {
        return;
    }
    let control = focused.and_then(|id| ui.ctx().read_response(id));
    let is_within = |control: &Response| {
        control.layer_id == ui.layer_id() && ui.min_rect().contains(control.rect.center())
    };
    if let Some(control) = control.filter(is_within) {
        let room = ui.spacing().item_spacing.y;
        ui.scroll_to_rect(control.rect.expand(room), None);
    }
}

/// Gives the focus to a control when it comes up: to the first one of a page, or to the answer that
/// changes nothing of a question that somebody has raised.
pub(super) fn focus_once(ui: &Ui, control: &Response) {
    if ui.is_sizing_pass() {
        return; // it cannot have it yet
    }
    let key = control.id.with("seen");
    let now = ui.ctx().cumulative_pass_nr();
    let last = ui.data_mut(|data| {
        let last = data.get_temp::<u64>(key);
        data.insert_temp(key, now);
        last
    });
    if last.is_none_or(|last| last + 1 < now) {
        control.request_focus();
    }
}
