//! From a run to the scene of a figure.

use crate::experiment::ViewKind;
use crate::export::{ExportError, Format, Length, Sheet, png};
use crate::figure::{Picture, Plot, Recipe};
use crate::scene::chart::{self, Chart};
use crate::scene::{Scene, build, legend};
use crate::trainer::Snapshot;

/// Points of the canvas in a point of print: text of 12 points, the size of labels, is printed with
/// 6.3, within the 5 to 7 points of journals.
const CANVAS_PER_PT: f64 = 1.9;
/// Pixels in a point of the canvas, where a width is one of a screen.
const PX_PER_CANVAS: f64 = 2.0;
/// Height over width of a figure that is narrow or wide.
const NARROW: f32 = 1.1;
const WIDE: f32 = 0.6;
const WIDE_FROM: f32 = 620.0;

/// The figure of a run at rest: the picture, and its legend below it.
pub fn scene(snapshot: &Snapshot, picture: &Picture) -> Scene {
    let canvas = picture.canvas.unwrap_or_else(|| canvas(picture));
    let theme = picture.theme.theme();
    if let Some(chart) = chart(snapshot, picture) {
        return chart.scene(&theme, theme.ground, canvas);
    }
    let kind = snapshot.experiment.view_kind();
    let mut view = picture.view(kind);
    if picture.canvas.is_none() {
        view.unit = view.unit.or_else(|| unit(picture));
    }
    let legend = view
        .show
        .legend
        .then(|| legend(snapshot, &view, canvas[0]))
        .flatten();
    let below = legend.as_ref().map_or(0.0, |legend| legend.size[1]);
    let size = [canvas[0], (canvas[1] - below).max(1.0)];
    if kind == ViewKind::Plane && picture.units_per_pt.is_none() {
        let _ = view.fit(snapshot, size); // whether it moved does not matter
    }
    let picture = build(snapshot, &view, size);
    let Some(legend) = legend else {
        return picture;
    };
    let mut whole = Scene::empty(canvas, picture.ground);
    whole.place(picture, [0.0; 2], 1.0);
    whole.place(legend, [0.0, size[1]], 1.0);
    whole
}

/// The figure as a file that carries its recipe. `dots_per_inch` counts where pixels are made of a
/// width on paper.
///
/// # Errors
/// If the picture would be too large.
pub fn file(
    snapshot: &Snapshot,
    recipe: &Recipe,
    format: Format,
    dots_per_inch: f64,
) -> Result<Vec<u8>, ExportError> {
    let text = recipe.to_toml();
    let scene = scene(snapshot, &recipe.picture);
    format.write(&Sheet {
        scene: &scene,
        width: recipe.picture.width,
        dots_per_inch,
        has_ground: !recipe.picture.transparent,
        recipe: Some(&text),
    })
}

/// The figure as pixels: width and height, and red, green, blue and opacity of each.
///
/// # Errors
/// If the picture would be too large.
pub fn pixels(snapshot: &Snapshot, recipe: &Recipe) -> Result<([usize; 2], Vec<u8>), ExportError> {
    let scene = scene(snapshot, &recipe.picture);
    let pixmap = png::pixels(&Sheet {
        width: recipe.picture.width,
        has_ground: !recipe.picture.transparent,
        ..Sheet::of(&scene)
    })?;
    let size = [pixmap.width() as usize, pixmap.height() as usize];
    Ok((size, pixmap.take_demultiplied()))
}

/// The chart that is asked for; `None` for the features.
fn chart(snapshot: &Snapshot, picture: &Picture) -> Option<Chart> {
    match picture.plot {
        Plot::Features => None,
        Plot::Psi => chart::psi(snapshot),
        Plot::MarginMap => {
            let n_classes = snapshot.head.n_classes;
            let pair = picture.pair;
            let pair = pair.filter(|pair| pair.iter().all(|&class| class < n_classes));
            let pair = pair.unwrap_or_else(|| chart::closest_pair(snapshot));
            Some(chart::margin_map(snapshot, pair))
        }
        Plot::Curves => Some(chart::curves(snapshot)),
        Plot::Confusion => chart::confusion(snapshot, None),
        Plot::Histogram => Some(chart::histogram(snapshot)),
    }
}

/// Points of a canvas on which text of labels has its size in print, or on a screen.
pub fn canvas_width(width: Length) -> f32 {
    let points = match width {
        Length::Millimeters(_) => CANVAS_PER_PT * width.pt(),
        Length::Pixels(px) => px / PX_PER_CANVAS,
    };
    points as f32
}

/// Width and height that suit a width.
fn canvas(picture: &Picture) -> [f32; 2] {
    let width = canvas_width(picture.width);
    let aspect = match picture.plot {
        Plot::MarginMap | Plot::Confusion => 1.0,
        Plot::Features if width < WIDE_FROM => NARROW,
        Plot::Features | Plot::Psi | Plot::Curves | Plot::Histogram => WIDE,
    };
    [width, (width * aspect).round()]
}

/// On paper text has one size, however wide the figure is.
fn unit(picture: &Picture) -> Option<f32> {
    matches!(picture.width, Length::Millimeters(_)).then_some(1.0)
}
