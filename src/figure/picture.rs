//! How a run is looked at in a figure, and how that is written down.

use nalgebra::{Quaternion, UnitQuaternion};
use serde::{Deserialize, Serialize};

use crate::experiment::{MAX_STEPS, ViewKind};
use crate::export::Length;
use crate::figure::{Film, Ink, Strip, draw};
use crate::scene::theme::{DARK, LIGHT, Theme};
use crate::scene::{
    Classes, Light, PlaneView, Show, SphereView, TextRange, TrailSteps, ViewState, thousands,
};
use crate::trainer::Subset;

/// The section `[picture]` of a recipe. Everything has a default, so that a file written by hand
/// names only what matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Picture {
    /// Steps made; the experiment's length where none are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// Whether the run has no end, as in the window, so that its learning rate falls to a floor.
    pub endless: bool,
    /// What is drawn.
    pub plot: Plot,
    /// Dark or light.
    pub theme: Tone,
    /// Width on paper or on a screen.
    pub width: Length,
    /// Width and height of the canvas, in points; what suits the width where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canvas: Option<[f32; 2]>,
    /// How large text and lines are, see [`ViewState::unit`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<f32>,
    /// Whether there is nothing behind the picture.
    pub transparent: bool,
    /// Which samples are drawn.
    pub samples: Subset,
    /// Middle of the plane, in units of the features; 0 where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub center: Option<[f64; 2]>,
    /// Units of the features in a point of the canvas; what fits where none are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units_per_pt: Option<f64>,
    /// How the sphere is turned: w, i, j, k of the unit quaternion from world to view.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<[f64; 4]>,
    /// How much larger than the whole ball the sphere is drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoom: Option<f64>,
    /// The sample under the lens, by its place among those that are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<usize>,
    /// What was drawn by hand and stands beside the samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Ink>,
    /// The two classes of a margin map; the closest where none are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<[usize; 2]>,
    /// Accuracy after some of the steps, for the curves; measured where none is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accuracy: Vec<(u64, f64)>,
    /// Of which places trails are made, where they are shown; the last ones, evenly, where nothing is
    /// recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail: Option<TrailSteps>,
    /// Whether samples are pixels inside a vector file, so that many of them do not weigh it down.
    pub raster_points: bool,
    /// Which samples stand out.
    pub lit: Light,
    /// Classes whose samples are not drawn.
    pub classes: Classes,
    /// What is drawn of the picture.
    pub show: Show,
    /// Panels that differ in one field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip: Option<Strip>,
    /// What moves, in formats that can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub film: Option<Film>,
}

impl Default for Picture {
    /// A figure over two columns of a journal, on paper.
    fn default() -> Self {
        Self {
            step: None,
            endless: false,
            plot: Plot::Features,
            theme: Tone::Light,
            width: Length::Millimeters(183.0),
            canvas: None,
            unit: None,
            transparent: false,
            samples: Subset::default(),
            center: None,
            units_per_pt: None,
            turn: None,
            zoom: None,
            kept: None,
            drawn: None,
            pair: None,
            accuracy: Vec::new(),
            trail: None,
            raster_points: false,
            lit: Light::All,
            classes: Classes::default(),
            show: Show {
                note: false,
                legend: true,
                ..Show::default()
            },
            strip: None,
            film: None,
        }
    }
}

/// Canvas of a slide, in points.
const SLIDE: [f32; 2] = [960.0, 540.0];
/// What is read from the back of a room: a thirtieth of the height. Marks grow with it.
const SLIDE_TEXT: f32 = 18.0;
const SLIDE_UNIT: f32 = 1.65;
/// What journals ask of text, in points of print.
const PRINT_TEXT: [f32; 2] = [5.0, 7.0];

/// What a figure shows of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plot {
    /// The features, in the experiment's view: plane, circle, sphere or input.
    #[default]
    Features,
    /// The target logit over the angle.
    Psi,
    /// The θ₁–θ₂ diagram of two classes.
    MarginMap,
    /// Loss and accuracy over the steps.
    Curves,
    /// Which class is taken for which.
    Confusion,
    /// How many samples have which angle to their weight.
    Histogram,
}

impl Plot {
    /// All but the features, which have views of their own.
    pub const CHARTS: [Self; 5] = [
        Self::Psi,
        Self::MarginMap,
        Self::Curves,
        Self::Confusion,
        Self::Histogram,
    ];

    /// Name on the command line and in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Psi => "psi",
            Self::MarginMap => "margin-map",
            Self::Curves => "curves",
            Self::Confusion => "confusion",
            Self::Histogram => "histogram",
        }
    }
}

/// Dark or light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Light text on dark ground: for a room.
    Dark,
    /// Dark text on light ground: for paper.
    #[default]
    Light,
}

impl Tone {
    /// Its colours.
    pub fn theme(self) -> Theme {
        match self {
            Self::Dark => DARK,
            Self::Light => LIGHT,
        }
    }

    /// Which of the two a theme is.
    pub fn of(theme: &Theme) -> Self {
        if theme.is_dark {
            Self::Dark
        } else {
            Self::Light
        }
    }
}

impl Picture {
    /// What a view shows on a canvas of so many points, as it stands there, without the room that
    /// controls cover.
    pub fn of_view(view: &ViewState, size: [f32; 2]) -> Self {
        let insets = view.insets;
        let canvas = [
            (size[0] - insets.left - insets.right).max(1.0),
            (size[1] - insets.top - insets.bottom).max(1.0),
        ];
        let sphere = (view.kind == ViewKind::Sphere).then_some(view.sphere);
        let plane = (view.kind == ViewKind::Plane).then_some(view.plane);
        Self {
            theme: Tone::of(&view.theme),
            width: Length::Pixels(f64::from(canvas[0])),
            canvas: Some(canvas),
            unit: view.unit,
            center: plane.map(|plane| plane.center_world),
            units_per_pt: plane.map(|plane| plane.units_per_pt),
            turn: sphere.map(|sphere| {
                let q = sphere.orientation.quaternion();
                [q.w, q.i, q.j, q.k]
            }),
            zoom: sphere.map(|sphere| sphere.zoom),
            kept: view.kept,
            lit: view.light,
            classes: view.classes.clone(),
            show: view.show,
            ..Self::default()
        }
    }

    /// The same on paper of this width: light, with a legend in the place of the sentence. The
    /// sphere's turn stays; the plane is fitted anew.
    #[must_use]
    pub fn on_paper(self, width: Length) -> Self {
        let show = Show {
            note: false,
            legend: true,
            ..self.show
        };
        Self {
            theme: Tone::Light,
            show,
            ..self.of_width(width)
        }
    }

    /// The same on a slide of 16:9, with text for a room.
    #[must_use]
    pub fn on_slide(self) -> Self {
        const WIDTH: Length = Length::Pixels(1920.0);
        Self {
            canvas: Some(SLIDE),
            unit: Some(SLIDE_UNIT),
            ..self.of_width(WIDTH)
        }
    }

    /// The same as a film for a screen, with a legend.
    #[must_use]
    pub fn on_screen(self, film: Film) -> Self {
        const WIDTH: Length = Length::Pixels(800.0);
        let show = Show {
            note: false,
            legend: true,
            ..self.show
        };
        Self {
            film: Some(film),
            show,
            ..self.of_width(WIDTH)
        }
    }

    /// The same with another width, and the canvas that suits it.
    #[must_use]
    pub fn of_width(self, width: Length) -> Self {
        Self {
            width,
            canvas: None,
            unit: None,
            center: None,
            units_per_pt: None,
            ..self
        }
    }

    /// The view that this is of. Where the plane has no scale of its own, it has still to be fitted.
    pub fn view(&self, kind: ViewKind) -> ViewState {
        let mut view = ViewState::new(kind, self.theme.theme());
        view.unit = self.unit;
        view.text_range = self.text_range();
        view.kept = self.kept;
        view.light = self.lit;
        view.classes = self.classes.clone();
        view.show = self.show;
        if let Some(units_per_pt) = self.units_per_pt {
            view.plane = PlaneView::fixed(self.center.unwrap_or_default(), units_per_pt);
        }
        view.sphere = SphereView {
            orientation: self.turn.map_or(view.sphere.orientation, orientation),
            zoom: self.zoom.unwrap_or(view.sphere.zoom),
        };
        view
    }

    /// Whether it is for a room.
    pub(super) fn is_slide(&self) -> bool {
        self.canvas == Some(SLIDE)
    }

    /// Sizes of text that can be read where the figure is seen.
    fn text_range(&self) -> TextRange {
        let all = TextRange::default();
        match self.width {
            Length::Millimeters(_) => {
                let [least, most] = PRINT_TEXT.map(|size| size * draw::canvas_per_pt(self));
                TextRange { least, most }
            }
            Length::Pixels(_) if self.is_slide() => TextRange {
                least: SLIDE_TEXT,
                ..all
            },
            Length::Pixels(_) => all,
        }
    }

    /// What cannot be drawn, in words: numbers that are not finite or out of range.
    pub(super) fn fault(&self) -> Option<String> {
        const CANVAS: std::ops::RangeInclusive<f32> = 40.0..=20_000.0;
        let is_positive = |x: &f64| x.is_finite() && *x > 0.0;
        let is_near_one = |q: &[f64; 4]| {
            let norm = q.iter().map(|x| x * x).sum::<f64>().sqrt();
            (norm - 1.0).abs() < 1e-3
        };
        if self
            .canvas
            .is_some_and(|c| !c.iter().all(|side| CANVAS.contains(side)))
        {
            return Some("canvas: each side must be 40 to 20000 points".to_owned());
        }
        if self.step.is_some_and(|step| step > MAX_STEPS) {
            return Some(format!("step must be at most {}", thousands(MAX_STEPS)));
        }
        if self.unit.is_some_and(|unit| !(0.1..=10.0).contains(&unit)) {
            return Some("unit must be 0.1 to 10".to_owned());
        }
        if self.units_per_pt.is_some_and(|x| !is_positive(&x)) {
            return Some("units_per_pt must be positive".to_owned());
        }
        if self
            .center
            .is_some_and(|c| !c.iter().all(|x| x.is_finite()))
        {
            return Some("center must be two finite numbers".to_owned());
        }
        if self.turn.is_some_and(|q| !is_near_one(&q)) {
            return Some("turn must be a quaternion w, i, j, k of length 1".to_owned());
        }
        if self
            .zoom
            .is_some_and(|zoom| !(0.05..=1000.0).contains(&zoom))
        {
            return Some("zoom must be 0.05 to 1000".to_owned());
        }
        if self.pair.is_some_and(|[a, b]| a == b) {
            return Some("pair must be two different classes".to_owned());
        }
        let trail = self.trail.as_ref();
        if let Some(fault) = trail.and_then(|trail| trail.fault(self.step)) {
            return Some(format!("trail {fault}"));
        }
        if self.strip.is_some() && self.film.is_some() {
            return Some("film stands beside a strip: a picture has panels or moves".to_owned());
        }
        let fault = self.film?.check().err()?;
        Some(format!("film: {fault}"))
    }
}

/// The turn as it was written: to normalize it again would move its last digits.
fn orientation([w, i, j, k]: [f64; 4]) -> UnitQuaternion<f64> {
    let written = Quaternion::new(w, i, j, k);
    if (written.norm() - 1.0).abs() < 1e-12 {
        UnitQuaternion::new_unchecked(written)
    } else {
        UnitQuaternion::new_normalize(written)
    }
}
