//! How a snapshot is looked at: which view, where the plane stands, how the sphere is turned.
//!
//! **World** is feature space (or the unit sphere), **view** is the unit sphere after turning, x
//! right, y up, z towards the viewer, **screen** is points of the canvas, y down.

use serde::{Deserialize, Serialize};

use crate::experiment::ViewKind;
use crate::scene::look::{Look, TextRange};
use crate::scene::theme::Theme;
use crate::scene::{Classes, Extent, Held, PlaneView, SphereView, WINDOW_SAGITTA};
use crate::trainer::Snapshot;

/// Everything a picture depends on besides the snapshot and the size of the canvas.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewState {
    /// Plane, circle or sphere.
    pub kind: ViewKind,
    /// Colors.
    pub theme: Theme,
    /// Where the plane stands.
    pub plane: PlaneView,
    /// How the sphere is turned.
    pub sphere: SphereView,
    /// What is drawn.
    pub show: Show,
    /// Which samples stand out.
    pub light: Light,
    /// Which classes' samples are drawn.
    pub classes: Classes,
    /// The sample under the lens, by its index in the probe.
    pub kept: Option<usize>,
    /// What a hand holds: its landscape is drawn.
    pub held: Option<Held>,
    /// The factor of all weight arrows while one of them is held: it follows the longest of them, which
    /// would run away from the hand.
    pub held_factor: Option<f64>,
    /// Room at the edges that the window's controls cover.
    pub insets: Insets,
    /// How large text and lines are: 1 is the size of a canvas of 760 points, `None` follows the
    /// canvas.
    pub unit: Option<f32>,
    /// What sizes of text are kept within.
    pub text_range: TextRange,
    /// Whether the small print below the sentence is left out: from the back of a room nobody reads it.
    pub is_brief: bool,
}

/// Which samples stand out; the others are dimmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// None more than the others.
    #[default]
    All,
    /// Those that are taken for another class.
    Wrong,
    /// Those of a class that are taken for one class.
    TakenFor {
        /// y
        label: usize,
        /// The plain argmax.
        prediction: usize,
    },
}

impl Light {
    /// For each sample whether it is lit; `None` where all are alike.
    pub(super) fn mask(self, snapshot: &Snapshot) -> Option<Vec<bool>> {
        let is_lit: Box<dyn Fn(usize, usize) -> bool> = match self {
            Self::All => return None,
            Self::Wrong => Box::new(|y, k| y != k),
            Self::TakenFor { label, prediction } => {
                Box::new(move |y, k| (y, k) == (label, prediction))
            }
        };
        let pairs = snapshot
            .probe
            .labels
            .iter()
            .zip(&snapshot.detail.predictions);
        Some(pairs.map(|(&y, &k)| is_lit(y.into(), k.into())).collect())
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a list of switches, each of its own"
)]
pub struct Show {
    /// Tinted decision regions and their boundaries.
    pub regions: bool,
    /// Where classes win with their margin.
    pub margins: bool,
    /// Class weights.
    pub weights: bool,
    /// Where class weights would stand at their best, on circle and sphere.
    pub ideal: bool,
    /// Names of the classes.
    pub labels: bool,
    /// Bars round the circle.
    pub histogram: bool,
    /// Samples.
    pub points: bool,
    /// Where samples came from in the last steps.
    pub trails: bool,
    /// Where the loss pulls some of the samples.
    pub arrows: bool,
    /// Lengths of features on circle and sphere, not directions alone.
    pub lengths: bool,
    /// The formula of the loss.
    pub formula: bool,
    /// The sentence under the picture and its notes.
    pub note: bool,
    /// The classes with their names, and what the lines are; for figures.
    pub legend: bool,
}

impl Default for Show {
    /// Everything but what lies over the samples.
    fn default() -> Self {
        Self {
            regions: true,
            margins: true,
            weights: true,
            ideal: true,
            labels: true,
            histogram: true,
            points: true,
            trails: false,
            arrows: false,
            lengths: false,
            formula: true,
            note: true,
            legend: false,
        }
    }
}

/// Widths in points at the four edges of the canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Insets {
    /// Left.
    pub left: f32,
    /// Top.
    pub top: f32,
    /// Right.
    pub right: f32,
    /// Bottom.
    pub bottom: f32,
}

/// The part of the canvas that is free.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) min: [f32; 2],
    pub(super) max: [f32; 2],
}

impl Area {
    pub(super) fn middle(&self) -> [f32; 2] {
        [
            f32::midpoint(self.min[0], self.max[0]),
            f32::midpoint(self.min[1], self.max[1]),
        ]
    }

    pub(super) fn size(&self) -> [f32; 2] {
        [self.max[0] - self.min[0], self.max[1] - self.min[1]]
    }

    pub(super) fn short_side(&self) -> f32 {
        let [width, height] = self.size();
        width.min(height)
    }
}

/// Points that the sentence with its small print and the formula take at the foot of the picture,
/// at unit size. Below the width they break into twice as many lines.
const NOTE_STRIP: f32 = 46.0;
const BROKEN_NOTE_STRIP: f32 = 86.0;
const UNBROKEN_WIDTH: f32 = 700.0;
const FORMULA_STRIP: f32 = 54.0;

impl ViewState {
    /// The whole of a view, seen from its start.
    pub fn new(kind: ViewKind, theme: Theme) -> Self {
        Self {
            kind,
            theme,
            plane: PlaneView::default(),
            sphere: SphereView::default(),
            show: Show::default(),
            light: Light::All,
            classes: Classes::default(),
            kept: None,
            held: None,
            held_factor: None,
            insets: Insets::default(),
            unit: None,
            text_range: TextRange::default(),
            is_brief: false,
        }
    }

    /// Colours and sizes where nothing says how large a picture is: of plots, whose text is as large
    /// however large they are.
    pub(super) fn page_look(&self) -> Look {
        Look {
            range: self.text_range,
            ..Look::of_unit(self.theme, self.unit.unwrap_or(1.0))
        }
    }

    /// Colours and sizes on a canvas.
    pub(super) fn look(&self, size: [f32; 2]) -> Look {
        let look = Look::new(self.theme, self.area(size).short_side());
        Look {
            unit: self.unit.unwrap_or(look.unit),
            range: self.text_range,
            ..look
        }
    }

    /// Unit of what is written at the foot: small pictures are shown in rooms, too.
    pub(super) fn foot_unit(&self, size: [f32; 2]) -> f32 {
        let short_side = self.area(size).short_side();
        let unit = (short_side / 760.0).clamp(0.97, 1.3);
        self.unit.unwrap_or(unit)
    }

    /// The canvas without its insets, at least one point wide and high.
    pub(super) fn area(&self, size: [f32; 2]) -> Area {
        let insets = self.insets;
        let span = |size: f32, before: f32, after: f32| {
            let size = if size.is_finite() { size.max(1.0) } else { 1.0 };
            let min = before.clamp(0.0, size - 1.0);
            (min, (size - after.max(0.0)).clamp(min + 1.0, size))
        };
        let (left, right) = span(size[0], insets.left, insets.right);
        let (top, bottom) = span(size[1], insets.top, insets.bottom);
        Area {
            min: [left, top],
            max: [right, bottom],
        }
    }

    /// Whether the angles of gaps are written: not among those of a kept sample or a drawing.
    pub(super) fn writes_gaps(&self, snapshot: &Snapshot) -> bool {
        self.show.margins && self.kept.is_none() && snapshot.drawn.is_none()
    }

    /// The same without the strips of formula and sentence: where circle and sphere stand, and
    /// what the plane fills.
    pub(super) fn stage(&self, size: [f32; 2]) -> Area {
        let mut area = self.area(size);
        let unit = self.foot_unit(size);
        let note = if area.size()[0] < UNBROKEN_WIDTH * unit {
            BROKEN_NOTE_STRIP
        } else {
            NOTE_STRIP
        };
        let strips = [(self.show.note, note), (self.show.formula, FORMULA_STRIP)];
        for (_, strip) in strips.iter().filter(|(is_shown, _)| *is_shown) {
            area.max[1] = (area.max[1] - strip * unit).max(area.min[1] + 1.0);
        }
        area
    }

    /// Moves the picture with the pointer: pans the plane, turns the sphere.
    #[must_use]
    pub fn drag(&mut self, from_screen: [f32; 2], to_screen: [f32; 2], size: [f32; 2]) -> bool {
        match self.kind {
            ViewKind::Plane => self
                .plane
                .pan([to_screen[0] - from_screen[0], to_screen[1] - from_screen[1]]),
            ViewKind::Circle | ViewKind::Input => false,
            ViewKind::Sphere => {
                let (center, radius) = self.ball(size);
                self.sphere.orbit(from_screen, to_screen, center, radius)
            }
        }
    }

    /// Enlarges the picture by `factor`; what lies under the pointer stays in the plane.
    #[must_use]
    pub fn zoom_at(&mut self, factor: f32, pointer_screen: [f32; 2], size: [f32; 2]) -> bool {
        match self.kind {
            ViewKind::Plane => {
                let middle = self.area(size).middle();
                self.plane.zoom_at(factor, pointer_screen, middle)
            }
            ViewKind::Circle | ViewKind::Input => false,
            ViewKind::Sphere => self.sphere.zoom(factor),
        }
    }

    /// Shows everything: fits the plane, turns the sphere to its start.
    #[must_use]
    pub fn fit(&mut self, snapshot: &Snapshot, size: [f32; 2]) -> bool {
        let before = (self.plane, self.sphere);
        match self.kind {
            ViewKind::Plane => self.plane.fit(self.extent(snapshot, size)),
            ViewKind::Circle | ViewKind::Input => {}
            ViewKind::Sphere => self.sphere = SphereView::default(),
        }
        before != (self.plane, self.sphere)
    }

    /// What the plane has to show of a snapshot. It looks at every feature: once a snapshot and size.
    pub fn extent(&self, snapshot: &Snapshot, size: [f32; 2]) -> Extent {
        Extent::of(snapshot, self.stage(size).size())
    }

    /// Once a frame: lets the plane follow growing features until the user moves it. `frame_secs`
    /// is the time since the last frame. It rests while something is held: what a hand moves
    /// outwards would take the scale along.
    #[must_use]
    pub fn follow(&mut self, extent: Extent, frame_secs: f32) -> bool {
        let is_free = self.kind == ViewKind::Plane && self.held.is_none();
        is_free && self.plane.follow(extent, frame_secs)
    }

    /// By how much curves on the unit sphere may depart from their chords in a window: a quarter of a
    /// point as it is drawn here. By halves, so that it rests while a window is drawn larger.
    pub fn max_sagitta(&self, size: [f32; 2]) -> f64 {
        const WINDOW_RADIUS: f32 = 500.0;
        const MOST_HALVES: f32 = 3.0;
        let (_, radius) = self.ball(size);
        let smaller = (WINDOW_RADIUS / radius.max(1.0)).log2().floor();
        WINDOW_SAGITTA * f64::from(smaller.clamp(0.0, MOST_HALVES).exp2())
    }

    /// Middle and radius of the sphere on the screen.
    pub(super) fn ball(&self, size: [f32; 2]) -> ([f32; 2], f32) {
        const SHARE: f32 = 0.41; // leaves room for labels beyond the limb
        let stage = self.stage(size);
        (
            stage.middle(),
            SHARE * stage.short_side() * self.sphere.zoom as f32,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::theme;

    #[test]
    fn what_an_older_version_kept_is_read() {
        let older = r#"{"regions":false,"margins":true,"weights":true,"labels":true,"histogram":true,"points":true,"note":true}"#;
        let show: Show = serde_json::from_str(older).expect("a list of switches");
        let expected = Show {
            regions: false,
            ..Show::default()
        };
        assert_eq!(show, expected);
    }

    #[test]
    fn hostile_gestures_change_nothing() {
        let mut view = ViewState::new(ViewKind::Plane, theme::DARK);
        assert!(!view.zoom_at(f32::NAN, [1.0, 1.0], [800.0, 600.0]));
        assert!(!view.zoom_at(0.0, [1.0, 1.0], [800.0, 600.0]));
        assert!(!view.drag([0.0, 0.0], [f32::NAN, 0.0], [800.0, 600.0]));
        view.kind = ViewKind::Sphere;
        assert!(!view.drag([0.0, 0.0], [f32::NAN, 0.0], [800.0, 600.0]));
        assert!(!view.zoom_at(f32::INFINITY, [1.0, 1.0], [800.0, 600.0]));
        assert_eq!(view, {
            let mut other = ViewState::new(ViewKind::Sphere, theme::DARK);
            other.plane = view.plane;
            other
        });
    }
}
