//! The sample under the pointer and the kept one: which they are, and the card beside the pointer.

use std::sync::Arc;

use egui::{
    Align2, ColorImage, CornerRadius, Image, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind,
    TextureHandle, TextureOptions, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use crate::app::theme;
use crate::app::widget::strong;
use crate::data::{DataSpec, Dataset, InputShape};
use crate::experiment::Experiment;
use crate::scene::theme::class_color;
use crate::scene::{Font, Microscope, number, signed, thousands};
use crate::trainer::Snapshot;

/// A sample, whichever samples are drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SampleId {
    data: DataSpec,
    seed: u64,
    is_train: bool,
    /// In its split.
    index: u32,
}

/// A sample among those of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct SplitPlace {
    is_train: bool,
    /// In its split.
    index: u32,
}

impl SampleId {
    /// Of a place in the probe.
    pub(super) fn of(snapshot: &Snapshot, sample: usize) -> Option<Self> {
        Some(Self {
            data: snapshot.experiment.data.clone(),
            seed: snapshot.experiment.run.seed,
            is_train: snapshot.probe.is_train,
            index: *snapshot.probe.indices.get(sample)?,
        })
    }

    /// A sample of a run's data, by its place in its split.
    pub(super) fn in_run(experiment: &Experiment, place: SplitPlace) -> Self {
        Self {
            data: experiment.data.clone(),
            seed: experiment.run.seed,
            is_train: place.is_train,
            index: place.index,
        }
    }

    /// Where it is among the samples of its data.
    pub(super) fn place(&self) -> SplitPlace {
        SplitPlace {
            is_train: self.is_train,
            index: self.index,
        }
    }

    /// Its place in the probe; `None` where it is not drawn, or the data are others.
    pub(super) fn find(&self, snapshot: &Snapshot) -> Option<usize> {
        let sample = snapshot.probe.indices.binary_search(&self.index).ok()?;
        (Self::of(snapshot, sample).as_ref() == Some(self)).then_some(sample)
    }
}

/// The sample that the pointer is on.
///
/// The pointer takes a sample when it moves. At rest it keeps it while the dot stays near, so that
/// a dot on its way does not make the card flicker, and takes no other that passes by.
#[derive(Debug, Default)]
pub(super) struct Hover {
    sample: Option<usize>,
    pointer: Option<Pos2>,
}

/// How far from a pointer at rest its sample may go, in points.
const HOLD: f32 = 24.0;

impl Hover {
    /// The sample now. `pick` finds the one at a place, `spot` where one is.
    pub(super) fn update(
        &mut self,
        pointer: Option<Pos2>,
        pick: impl FnOnce(Pos2) -> Option<usize>,
        spot: impl FnOnce(usize) -> Option<Pos2>,
    ) -> Option<usize> {
        let has_moved = pointer != self.pointer;
        self.pointer = pointer;
        self.sample = match (pointer, self.sample) {
            (Some(pointer), _) if has_moved => pick(pointer),
            (Some(pointer), Some(sample)) => spot(sample)
                .filter(|at| at.distance(pointer) <= HOLD)
                .map(|_| sample),
            _ => None,
        };
        self.sample
    }
}

/// Pictures of the samples that are shown, as textures.
#[derive(Default)]
pub(super) struct Thumbs(Vec<Thumb>);

struct Thumb {
    data: Arc<Dataset>,
    is_train: bool,
    index: u32,
    is_dark: bool,
    texture: TextureHandle,
}

/// Longer side of an image in points: three for each of MNIST's pixels, so that all are alike.
const IMAGE_SIDE: f32 = 84.0;
/// Pictures kept: of the sample under the pointer and of the kept one.
const MOST_THUMBS: usize = 2;

impl Thumbs {
    /// The image of a sample; `None` where samples are no images, or it is still being decoded.
    fn texture(&mut self, ui: &Ui, snapshot: &Snapshot, sample: usize) -> Option<TextureHandle> {
        let InputShape::Image { height, width } = snapshot.data.input else {
            return None;
        };
        let index = *snapshot.probe.indices.get(sample)?;
        let (is_train, is_dark) = (snapshot.probe.is_train, ui.visuals().dark_mode);
        let is_same = |thumb: &Thumb| {
            Arc::ptr_eq(&thumb.data, &snapshot.data)
                && (thumb.is_train, thumb.index, thumb.is_dark) == (is_train, index, is_dark)
        };
        if let Some(known) = self.0.iter().position(is_same) {
            self.0[..=known].rotate_right(1); // the last one used comes first
            return Some(self.0[0].texture.clone());
        }
        let pixels = snapshot.split().image_if_ready(index as usize)?;
        let image = ink_on_panel(ui, [width, height], &pixels)?;
        let texture = ui
            .ctx()
            .load_texture("sample", image, TextureOptions::NEAREST);
        let thumb = Thumb {
            data: Arc::clone(&snapshot.data),
            is_train,
            index,
            is_dark,
            texture: texture.clone(),
        };
        self.0.insert(0, thumb);
        self.0.truncate(MOST_THUMBS);
        Some(texture)
    }

    /// Shows the image of a sample; whether there is one.
    pub(super) fn ui(&mut self, ui: &mut Ui, snapshot: &Snapshot, sample: usize) -> bool {
        let Some(texture) = self.texture(ui, snapshot, sample) else {
            return false;
        };
        let name = snapshot
            .probe
            .labels
            .get(sample)
            .map_or("", |&label| snapshot.class_name(label.into()));
        let [width, height] = texture.size().map(|side| side as f32);
        let size = vec2(width, height) * (IMAGE_SIDE / width.max(height).max(1.0));
        let image = Image::new((texture.id(), size))
            .corner_radius(CornerRadius::same(4))
            .alt_text(format!("image of class {name}"));
        ui.add(image);
        true
    }
}

/// Ink in the colour of the text, so that the image belongs to either theme.
pub(super) fn ink_on_panel(ui: &Ui, size: [usize; 2], pixels: &[u8]) -> Option<ColorImage> {
    let tokens = theme::tokens(ui.ctx());
    if pixels.len() != size[0] * size[1] {
        return None;
    }
    let inks = pixels
        .iter()
        .map(|&ink| theme::color(tokens.raised.mix(tokens.text, f32::from(ink) / 255.0)));
    Some(ColorImage::new(size, inks.collect()))
}

/// A class's label as in the picture: its name in a disc of its colour.
pub(super) fn badge(ui: &mut Ui, snapshot: &Snapshot, class: usize) -> Response {
    const RADIUS: f32 = 9.0;
    let name = snapshot.class_name(class);
    let color = class_color(class);
    let font = theme::font(Font::SemiBold, theme::size::NOTE);
    let ink = theme::color(color.text_on());
    let galley = ui.painter().layout_no_wrap(name.to_owned(), font, ink);
    let size = vec2((galley.size().x + 8.0).max(2.0 * RADIUS), 2.0 * RADIUS);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let round = CornerRadius::same(RADIUS as u8);
    ui.painter().rect_filled(rect, round, theme::color(color));
    let corner = Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size());
    ui.painter().galley(corner.min, galley, ink);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("class {name}")));
    response
}

/// The class of a sample and, if it is another, what it is taken for.
pub(super) fn verdict_ui(ui: &mut Ui, snapshot: &Snapshot, seen: &Microscope) {
    badge(ui, snapshot, seen.label);
    if seen.prediction == seen.label {
        ui.weak(if snapshot.has_labels() {
            "right"
        } else {
            "wins"
        });
    } else {
        let pink = theme::color(theme::tokens(ui.ctx()).past_ceiling);
        ui.label(strong("taken for", theme::size::LABEL).color(pink));
        badge(ui, snapshot, seen.prediction);
    }
}

/// Which sample of which set, and its coordinates where these are all there is to it.
pub(super) fn origin(snapshot: &Snapshot, sample: usize) -> String {
    let index = snapshot.probe.indices.get(sample).copied().unwrap_or(0);
    let set = match (snapshot.is_given(), snapshot.probe.is_train) {
        (true, _) => "",
        (false, true) => "training ",
        (false, false) => "test ",
    };
    let place = format!("{set}sample {}", thousands(u64::from(index) + 1));
    match snapshot.split().vector(index as usize) {
        Some(x) => {
            const MOST: usize = 4; // more take more than a line
            let mut numbers: Vec<String> = x
                .iter()
                .take(MOST)
                .map(|&x| signed(f64::from(x), 2))
                .collect();
            if x.len() > MOST {
                numbers.push("…".to_owned());
            }
            format!("{place} at ({})", numbers.join(", "))
        }
        None => place,
    }
}

/// Points between card and pointer: the dot of the pointer's sample lies within.
const APART: f32 = HOLD + 12.0;

/// The card of the sample under the pointer. It stands beside the pointer, within the picture.
pub(super) fn card_ui(
    ui: &mut Ui,
    within: Rect,
    pointer: Pos2,
    snapshot: &Snapshot,
    seen: &Microscope,
    thumbs: &mut Thumbs,
) {
    const PAD: f32 = 10.0;
    let has_image = matches!(snapshot.data.input, InputShape::Image { .. });
    let width = if has_image { 270.0 } else { 226.0 };
    let size = vec2(width, IMAGE_SIDE + 2.0 * PAD);
    let rect = Rect::from_min_size(beside(pointer, size, within.shrink(6.0)), size);
    let tokens = theme::tokens(ui.ctx());
    ui.painter().rect(
        rect,
        CornerRadius::same(8),
        theme::color(tokens.panel),
        Stroke::new(1.0, theme::color(tokens.hairline_strong)),
        StrokeKind::Inside,
    );
    let inner = UiBuilder::new().max_rect(rect.shrink(PAD));
    ui.scope_builder(inner, |ui| {
        ui.horizontal_top(|ui| {
            if thumbs.ui(ui, snapshot, seen.sample) {
                ui.add_space(2.0);
            }
            ui.vertical(|ui| card_lines_ui(ui, snapshot, seen));
        });
    });
}

fn card_lines_ui(ui: &mut Ui, snapshot: &Snapshot, seen: &Microscope) {
    ui.spacing_mut().item_spacing = vec2(5.0, 1.0);
    ui.spacing_mut().interact_size.y = 18.0; // badges are the highest
    ui.horizontal(|ui| verdict_ui(ui, snapshot, seen));
    ui.horizontal(|ui| {
        for class in seen.nearest().into_iter().take(2) {
            if let Some(angle_rad) = seen.angles_rad[class] {
                ui.label(format!("{:.1}° to", angle_rad.to_degrees()));
                badge(ui, snapshot, class);
            }
        }
    });
    ui.label(loss_words(seen));
    let note = egui::RichText::new(origin(snapshot, seen.sample));
    ui.label(note.size(theme::size::NOTE).weak());
}

/// The loss of a sample.
pub(super) fn loss_words(seen: &Microscope) -> String {
    format!("loss {}", magnitude(seen.loss))
}

/// A number that is not negative, from thousands to almost nothing.
pub(super) fn magnitude(value: f64) -> String {
    if value >= 0.01 || value == 0.0 {
        return number(value);
    }
    if value >= 0.001 {
        return format!("{value:.4}");
    }
    let text = format!("{value:.1e}");
    let (digits, exponent) = text.split_once("e-").unwrap_or((&text, "0"));
    let raised = exponent.chars().map(|c| match c.to_digit(10) {
        Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
        None => c,
    });
    format!("{digits}·10⁻{}", raised.collect::<String>())
}

/// The corner of a card beside the pointer: right of it, or left, above or below where there is no
/// room; never over the pointer's surroundings unless the picture is smaller than both.
fn beside(pointer: Pos2, size: Vec2, within: Rect) -> Pos2 {
    let y = (pointer.y - size.y / 2.0)
        .clamp(within.top(), (within.bottom() - size.y).max(within.top()));
    let right = pointer.x + APART;
    if right + size.x <= within.right() {
        return pos2(right, y);
    }
    let left = pointer.x - APART - size.x;
    if left >= within.left() {
        return pos2(left, y);
    }
    let x = (pointer.x - size.x / 2.0)
        .clamp(within.left(), (within.right() - size.x).max(within.left()));
    let below = pointer.y + APART;
    if below + size.y <= within.bottom() {
        return pos2(x, below);
    }
    pos2(x, (pointer.y - APART - size.y).max(within.top()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_leaves_the_surroundings_of_the_pointer_free_and_stays_within() {
        let size = vec2(250.0, 92.0);
        for [width, height] in [[800.0, 740.0], [560.0, 500.0], [300.0, 480.0]] {
            let within = Rect::from_min_size(pos2(230.0, 50.0), vec2(width, height));
            for i in 0..=20 {
                for j in 0..=20 {
                    let share = vec2(i as f32, j as f32) / 20.0;
                    let pointer = within.min + share * within.size();
                    let card = Rect::from_min_size(beside(pointer, size, within), size);
                    assert!(within.contains_rect(card), "{pointer:?} {card:?}");
                    let near = Rect::from_center_size(pointer, Vec2::splat(2.0 * HOLD));
                    assert!(!card.intersects(near), "{pointer:?} {card:?}");
                }
            }
        }
    }

    #[test]
    fn small_numbers_are_written_as_powers_of_ten() {
        assert_eq!(magnitude(0.0), "0");
        assert_eq!(magnitude(12.34), "12.3");
        assert_eq!(magnitude(7.84e-3), "0.0078");
        assert_eq!(magnitude(6.66e-4), "6.7·10⁻⁴");
        assert_eq!(magnitude(9.99e-12), "1.0·10⁻¹¹");
    }

    #[test]
    fn a_pointer_at_rest_keeps_its_sample_and_takes_no_other() {
        let mut hover = Hover::default();
        let at = |x: f32| Some(pos2(x, 0.0));
        // It moves onto sample 3.
        assert_eq!(hover.update(at(10.0), |_| Some(3), |_| None), Some(3));
        // At rest: the sample goes on its way, others are nearer.
        assert_eq!(hover.update(at(10.0), |_| Some(4), |_| at(30.0)), Some(3));
        // It has gone; the pointer waits for its own next move.
        assert_eq!(hover.update(at(10.0), |_| Some(4), |_| at(35.0)), None);
        assert_eq!(hover.update(at(10.0), |_| Some(4), |_| at(10.0)), None);
        assert_eq!(hover.update(at(11.0), |_| Some(4), |_| None), Some(4));
        assert_eq!(hover.update(None, |_| Some(4), |_| at(11.0)), None);
    }
}
