//! The page of paper figures: each opens its experiment in the window.

use egui::text::LayoutJob;
use egui::{
    Align, Button, ColorImage, Context, FontId, Image, Layout, RichText, TextFormat, TextureHandle,
    TextureOptions, Ui, vec2,
};

use crate::app::action::Action;
use crate::app::overlay::page_ui;
use crate::app::theme;
use crate::app::widget::{focus_once, strong};
use crate::figure::gallery::{Exhibit, exhibits};
use crate::scene;

/// The page, with its pictures.
pub(super) struct GalleryPage {
    /// One for each figure; none for a picture that cannot be read.
    thumbs: Vec<Option<TextureHandle>>,
}

/// Width and height of a small picture, in points.
const THUMB: [f32; 2] = [108.0, 72.0];
/// Width of a figure's button, two of which stand side by side.
const CARD: f32 = 356.0;
const BETWEEN: f32 = 10.0;
/// Between a picture and its words.
const BESIDE: f32 = 12.0;

impl GalleryPage {
    pub(super) fn new(ctx: &Context) -> Self {
        let thumbs = exhibits().iter().map(|exhibit| texture(ctx, exhibit));
        Self {
            thumbs: thumbs.collect(),
        }
    }

    /// Shows it; whether it is to be shown again.
    pub(super) fn ui(&self, ctx: &Context, actions: &mut Vec<Action>) -> bool {
        let width = 2.0 * CARD + BETWEEN + theme::SCROLL_BAR_ROOM;
        let list = |ui: &mut Ui| self.list_ui(ui);
        let (chosen, stays) = page_ui(ctx, "Figures of the papers", width, list);
        actions.extend(chosen.map(|exhibit| Action::OpenPath(exhibit.path().into())));
        stays
    }

    /// Papers with their figures; the figure that was clicked.
    fn list_ui(&self, ui: &mut Ui) -> Option<&'static Exhibit> {
        let words = "Each opens the experiment behind a toy figure of a paper and trains it on MNIST. A film strip opens at its first panel.";
        let tokens = theme::tokens(ui.ctx());
        let dimmed = theme::color(tokens.dimmed);
        ui.label(RichText::new(words).color(dimmed));
        let mut chosen = None;
        let all: Vec<(usize, &Exhibit)> = exhibits().iter().enumerate().collect();
        for paper in all.chunk_by(|(_, a), (_, b)| a.about.short == b.about.short) {
            let about = &paper[0].1.about;
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                ui.label(strong(&about.short, theme::size::VALUE))
                    .on_hover_text(&about.paper);
                if let Some(arxiv) = &about.arxiv {
                    let words = RichText::new(format!("arXiv {arxiv}"));
                    ui.label(words.color(dimmed).size(theme::size::NOTE));
                }
            });
            for row in paper.chunks(2) {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = BETWEEN;
                    for (i, exhibit) in row {
                        let response = self.card_ui(ui, *i, exhibit);
                        if response {
                            chosen = Some(*exhibit);
                        }
                    }
                });
            }
        }
        chosen
    }

    /// A figure as a button; whether it was clicked.
    fn card_ui(&self, ui: &mut Ui, i: usize, exhibit: &Exhibit) -> bool {
        let words = card_words(ui, exhibit);
        let thumb = self.thumbs[i].as_ref();
        let button = match thumb {
            Some(texture) => {
                let image = Image::from_texture(texture).fit_to_exact_size(THUMB.into());
                Button::image_and_text(image, words)
            }
            None => Button::new(words),
        };
        let size = vec2(CARD, THUMB[1] + 12.0);
        let layout = Layout::left_to_right(Align::Center);
        // The button wraps its words within what is allocated here, so that all are as wide.
        let response = ui
            .allocate_ui_with_layout(size, layout, |ui| {
                ui.spacing_mut().icon_spacing = BESIDE;
                ui.add(button.right_text("").wrap().min_size(size))
            })
            .inner;
        if i == 0 {
            focus_once(ui, &response);
        }
        response.on_hover_text(&exhibit.about.shows).clicked()
    }
}

/// Title, what is seen, and which figure it is.
fn card_words(ui: &Ui, exhibit: &Exhibit) -> LayoutJob {
    let tokens = theme::tokens(ui.ctx());
    let about = &exhibit.about;
    let mut job = LayoutJob::default();
    let mut add = |words: &str, font: FontId, color| {
        let format = TextFormat {
            font_id: font,
            color: theme::color(color),
            ..TextFormat::default()
        };
        job.append(words, 0.0, format);
    };
    let (semi_bold, regular) = (scene::Font::SemiBold, scene::Font::Regular);
    let title = format!("{}\n", about.title);
    add(
        &title,
        theme::font(semi_bold, theme::size::VALUE),
        tokens.text,
    );
    let note = theme::font(regular, theme::size::NOTE);
    add(&about.summary, note.clone(), tokens.dimmed);
    add(&format!("\nfigure {}", about.figure), note, tokens.dimmed);
    job
}

fn texture(ctx: &Context, exhibit: &Exhibit) -> Option<TextureHandle> {
    let icon = eframe::icon_data::from_png_bytes(exhibit.thumb).ok()?;
    let size = [icon.width as usize, icon.height as usize];
    let image = ColorImage::from_rgba_unmultiplied(size, &icon.rgba);
    Some(ctx.load_texture(exhibit.path(), image, TextureOptions::LINEAR))
}
