//! Fonts, colours and spacing of the window, from the tokens in [`crate::scene::theme`].

use std::sync::Arc;

use egui::style::WidgetVisuals;
use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, Style, TextStyle,
    Vec2, Visuals,
};

use crate::scene::theme::{DARK, LIGHT, Theme};
use crate::scene::{Font, Rgba};

/// Text sizes of the interface, in points.
pub mod size {
    /// The one number of the right panel.
    pub const HERO: f32 = 34.0;
    /// The name of the loss.
    pub const TITLE: f32 = 20.0;
    /// Values and buttons.
    pub const VALUE: f32 = 13.0;
    /// Labels.
    pub const LABEL: f32 = 12.5;
    /// What stands under a control.
    pub const NOTE: f32 = 11.0;
    /// Formulas.
    pub const FORMULA: f32 = 17.0;
}

/// Sets fonts and both styles; the same for the window and for tests.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(font_definitions());
    for (egui_theme, theme) in [(egui::Theme::Dark, &DARK), (egui::Theme::Light, &LIGHT)] {
        ctx.set_style_of(egui_theme, style(theme));
    }
    // What is out of sight is not laid out in the first place; to look for more of it takes a third
    // of the time of all triangles.
    ctx.tessellation_options_mut(|options| options.coarse_tessellation_culling = false);
}

/// The tokens of the theme in force.
pub fn tokens(ctx: &egui::Context) -> &'static Theme {
    match ctx.theme() {
        egui::Theme::Dark => &DARK,
        egui::Theme::Light => &LIGHT,
    }
}

/// A colour of the scene as egui has it.
pub fn color(color: Rgba) -> Color32 {
    let [r, g, b, a] = color.0;
    Color32::from_rgba_unmultiplied(r, g, b, a)
}

/// A face of the scene at a size in points.
pub fn font(font: Font, size: f32) -> FontId {
    FontId::new(size, family(font))
}

fn family(font: Font) -> FontFamily {
    match font {
        Font::Regular => FontFamily::Proportional,
        Font::SemiBold => FontFamily::Name("semibold".into()),
        Font::MathItalic => FontFamily::Name("math".into()),
        Font::MathUpright => FontFamily::Name("math upright".into()),
    }
}

/// Inter and STIX first; the bundled Hack has what they lack, so that no machine shows a box.
fn font_definitions() -> FontDefinitions {
    let mut definitions = FontDefinitions::default();
    let faces = [
        (Font::Regular, "Inter"),
        (Font::SemiBold, "Inter SemiBold"),
        (Font::MathItalic, "STIX Two Text Italic"),
        (Font::MathUpright, "STIX Two Text"),
    ];
    for (font, name) in faces {
        definitions.font_data.insert(
            name.to_owned(),
            Arc::new(FontData::from_static(font.bytes())),
        );
        let chain = vec![name.to_owned(), "Hack".to_owned()];
        definitions.families.insert(family(font), chain);
    }
    definitions
}

/// Points at the right of a scrolled panel that its bar may cover.
pub(super) const SCROLL_BAR_ROOM: f32 = 10.0;

fn style(theme: &Theme) -> Style {
    let mut style = Style {
        visuals: visuals(theme),
        ..Style::default()
    };
    let regular = |size| font(Font::Regular, size);
    style.text_styles = [
        (TextStyle::Heading, font(Font::SemiBold, size::TITLE)),
        (TextStyle::Body, regular(size::LABEL)),
        (TextStyle::Button, regular(size::VALUE)),
        (TextStyle::Small, regular(size::NOTE)),
        (TextStyle::Monospace, FontId::monospace(size::LABEL)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(8.0, 6.0);
    spacing.button_padding = Vec2::new(8.0, 4.0);
    spacing.interact_size = Vec2::new(36.0, 24.0);
    spacing.slider_rail_height = 4.0;
    spacing.tooltip_width = 320.0;
    spacing.menu_margin = egui::Margin::same(6);
    style.interaction.tooltip_delay = 0.4;
    style
}

fn visuals(theme: &Theme) -> Visuals {
    let mut visuals = if theme.is_dark {
        Visuals::dark()
    } else {
        Visuals::light()
    };
    let corner = CornerRadius::same(6);
    let widget = |fill: Rgba, stroke: Rgba, text: Rgba| WidgetVisuals {
        bg_fill: color(fill),
        weak_bg_fill: color(fill),
        bg_stroke: Stroke::new(1.0, color(stroke)),
        corner_radius: corner,
        fg_stroke: Stroke::new(1.0, color(text)),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = widget(theme.panel, theme.hairline, theme.text);
    visuals.widgets.inactive = widget(theme.raised, theme.raised, theme.text);
    visuals.widgets.hovered = widget(theme.hairline_strong, theme.hairline_strong, theme.text);
    visuals.widgets.active = widget(theme.hairline_strong, theme.accent, theme.text);
    visuals.widgets.open = widget(theme.raised, theme.hairline_strong, theme.text);
    visuals.selection.bg_fill = color(theme.accent.mix(theme.panel, 0.55));
    visuals.selection.stroke = Stroke::new(1.0, color(theme.text));
    visuals.weak_text_color = Some(color(theme.dimmed));
    visuals.panel_fill = color(theme.panel);
    visuals.window_fill = color(theme.panel);
    visuals.window_stroke = Stroke::new(1.0, color(theme.hairline_strong));
    visuals.extreme_bg_color = color(theme.hairline);
    visuals.faint_bg_color = color(theme.raised);
    visuals.hyperlink_color = color(theme.accent);
    visuals.warn_fg_color = color(theme.past_ceiling);
    visuals.error_fg_color = color(theme.past_ceiling);
    visuals.menu_corner_radius = corner;
    visuals.window_corner_radius = CornerRadius::same(10);
    visuals.slider_trailing_fill = true;
    visuals
}
