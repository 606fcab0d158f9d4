//! How a snapshot is looked at: which view, where the plane stands, how the sphere is turned.
//!
//! **World** is feature space (or the unit sphere), **view** is the unit sphere after turning, x
//! right, y up, z towards the viewer, **screen** is points of the canvas, y down.

use nalgebra::{Unit, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use crate::experiment::ViewKind;
use crate::scene::look::{Look, TextRange};
use crate::scene::theme::Theme;
use crate::scene::{Classes, Held, WINDOW_SAGITTA};
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
    /// is the time since the last frame.
    #[must_use]
    pub fn follow(&mut self, extent: Extent, frame_secs: f32) -> bool {
        self.kind == ViewKind::Plane && self.plane.follow(extent, frame_secs)
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

/// Steps of the fitted scale: it changes by a quarter at once, so that it rests between.
const LADDER: f64 = 1.25;
/// Rungs by which features must have shrunk before the scale follows.
const SLACK_RUNGS: f64 = 2.5;
/// Time in seconds in which the scale goes all but 1/e of its way: at rest within a second.
const FOLLOW_SECS: f64 = 0.11;
/// Share of the features that the scale takes in; the rest are outliers.
const FITTED_SHARE: f64 = 0.995;
/// Part of the half canvas that they fill at most.
const FILL: f64 = 0.93;

/// Where the plane stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaneView {
    /// Feature at the middle of the canvas.
    pub center_world: [f64; 2],
    /// Length of feature space in one point of the screen.
    pub units_per_pt: f64,
    /// Whether the scale follows the features: until the user pans or zooms.
    pub is_following: bool,
    /// The rung that the scale goes to; `None` before the first fit.
    rung: Option<i32>,
}

impl Default for PlaneView {
    fn default() -> Self {
        Self {
            center_world: [0.0; 2],
            units_per_pt: 0.02,
            is_following: true,
            rung: None,
        }
    }
}

impl PlaneView {
    /// A plane that stands still.
    pub fn fixed(center_world: [f64; 2], units_per_pt: f64) -> Self {
        Self {
            center_world,
            units_per_pt,
            is_following: false,
            rung: None,
        }
    }

    /// Where a feature is drawn, with `middle` the middle of the free canvas.
    pub fn screen_from_world(&self, x: [f64; 2], middle: [f32; 2]) -> [f32; 2] {
        [
            middle[0] + ((x[0] - self.center_world[0]) / self.units_per_pt) as f32,
            middle[1] - ((x[1] - self.center_world[1]) / self.units_per_pt) as f32,
        ]
    }

    /// The feature that is drawn at a point of the screen.
    pub fn world_from_screen(&self, at: [f32; 2], middle: [f32; 2]) -> [f64; 2] {
        [
            self.center_world[0] + f64::from(at[0] - middle[0]) * self.units_per_pt,
            self.center_world[1] - f64::from(at[1] - middle[1]) * self.units_per_pt,
        ]
    }

    /// Moves the plane by a step of the pointer.
    #[must_use]
    pub fn pan(&mut self, delta_screen: [f32; 2]) -> bool {
        if delta_screen == [0.0; 2] || !delta_screen.iter().all(|d| d.is_finite()) {
            return false;
        }
        self.center_world[0] -= f64::from(delta_screen[0]) * self.units_per_pt;
        self.center_world[1] += f64::from(delta_screen[1]) * self.units_per_pt;
        self.is_following = false;
        true
    }

    /// Enlarges by `factor` about the pointer.
    #[must_use]
    pub fn zoom_at(&mut self, factor: f32, pointer_screen: [f32; 2], middle: [f32; 2]) -> bool {
        let units_per_pt = (self.units_per_pt / f64::from(factor)).clamp(1e-8, 1e6);
        if !(factor.is_finite() && factor > 0.0) || units_per_pt == self.units_per_pt {
            return false;
        }
        let held = self.world_from_screen(pointer_screen, middle);
        self.units_per_pt = units_per_pt;
        let moved = self.world_from_screen(pointer_screen, middle);
        self.center_world[0] += held[0] - moved[0];
        self.center_world[1] += held[1] - moved[1];
        self.is_following = false;
        true
    }

    /// The scale that features ask for, whatever was shown before.
    pub fn fit(&mut self, extent: Extent) {
        self.center_world = [0.0; 2];
        self.is_following = true;
        if let Some(wanted) = extent.rung {
            let rung = wanted.ceil() as i32;
            self.rung = Some(rung);
            self.units_per_pt = LADDER.powi(rung);
        }
    }

    /// The rung of the ladder of scales that it stands on or goes to, while it follows its features.
    pub fn followed_rung(&self) -> Option<i32> {
        self.rung.filter(|_| self.is_following)
    }

    /// Goes to the scale of a plane beside it, where its own features would stay on that: what is
    /// compared then has one scale. Where they would be too small there it keeps its own. Whether it
    /// goes to another scale now.
    pub fn join(&mut self, rung: i32, extent: Extent) -> bool {
        let fits = |wanted: f64| {
            let rung = f64::from(rung);
            wanted <= rung && wanted >= rung - SLACK_RUNGS
        };
        let own = self.followed_rung().filter(|&own| own != rung);
        let joins = own.is_some() && extent.rung.is_some_and(fits);
        if joins {
            self.rung = Some(rung);
        }
        joins
    }

    /// One frame of the way to the scale that the features ask for, with hysteresis.
    #[must_use]
    pub fn follow(&mut self, extent: Extent, frame_secs: f32) -> bool {
        if !self.is_following {
            return false;
        }
        let Some(rung) = self.rung else {
            let before = *self;
            self.fit(extent);
            return *self != before;
        };
        let mut rung = rung;
        if let Some(wanted) = extent.rung
            && (wanted > f64::from(rung) || wanted < f64::from(rung) - SLACK_RUNGS)
        {
            rung = wanted.ceil() as i32;
        }
        self.rung = Some(rung);
        let target = LADDER.powi(rung);
        let ratio = target / self.units_per_pt;
        if ratio == 1.0 {
            return false;
        }
        self.units_per_pt = if ratio.ln().abs() < 0.004 {
            target
        } else {
            let share = 1.0 - (-f64::from(frame_secs.max(0.0)) / FOLLOW_SECS).exp();
            self.units_per_pt * ratio.powf(share)
        };
        true
    }
}

/// How far features reach, against a canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Logarithm to the base of the ladder of the units per point that hold nearly all features;
    /// `None` where there is no plane.
    rung: Option<f64>,
}

impl Extent {
    fn of(snapshot: &Snapshot, size: [f32; 2]) -> Self {
        if snapshot.head.dim != 2 {
            return Self { rung: None };
        }
        let per_pt = size.map(|side| 1.0 / (side.max(1.0) * 0.5 * FILL as f32));
        let needs = snapshot.probe.features.chunks_exact(2).filter_map(|x| {
            let need = (x[0].abs() * per_pt[0]).max(x[1].abs() * per_pt[1]);
            // Floats that are not negative stand in the order of their bits.
            (x[0].is_finite() && x[1].is_finite()).then_some(need.to_bits())
        });
        let mut needs: Vec<u32> = needs.collect();
        if needs.is_empty() {
            return Self { rung: None };
        }
        let index = ((needs.len() - 1) as f64 * FITTED_SHARE).round() as usize;
        let (_, need, _) = needs.select_nth_unstable(index);
        let need = f64::from(f32::from_bits(*need)).clamp(1e-7, 1e6);
        Self {
            rung: Some(need.ln() / LADDER.ln()),
        }
    }
}

/// How the sphere is turned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SphereView {
    /// View from world.
    pub orientation: UnitQuaternion<f64>,
    /// 1 shows the whole ball.
    pub zoom: f64,
}

impl Default for SphereView {
    /// A little from above and from the side.
    fn default() -> Self {
        let tilt = UnitQuaternion::from_axis_angle(&Vector3::x_axis(), 0.35);
        let turn = UnitQuaternion::from_axis_angle(&Vector3::y_axis(), -0.5);
        Self {
            orientation: tilt * turn,
            zoom: 1.0,
        }
    }
}

impl SphereView {
    /// A direction of the world as the viewer sees it.
    pub fn view_from_world(&self, u: &Vector3<f64>) -> Vector3<f64> {
        self.orientation * u
    }

    /// The direction of the world that faces the viewer.
    pub fn view_dir_world(&self) -> Vector3<f64> {
        self.orientation.inverse() * Vector3::z()
    }

    /// Turns the ball so that the point under the pointer goes with it.
    ///
    /// Beyond the limb the pointer holds a hyperbola that continues the ball smoothly (Bell's
    /// trackball).
    #[must_use]
    pub fn orbit(
        &mut self,
        from_screen: [f32; 2],
        to_screen: [f32; 2],
        center: [f32; 2],
        radius: f32,
    ) -> bool {
        let (from, to) = (
            trackball(from_screen, center, radius),
            trackball(to_screen, center, radius),
        );
        let (Some(from), Some(to)) = (from, to) else {
            return false;
        };
        let Some(turn) = UnitQuaternion::rotation_between_axis(&from, &to) else {
            return false;
        };
        if turn.angle() == 0.0 {
            return false;
        }
        self.orientation = turn * self.orientation;
        self.orientation.renormalize();
        true
    }

    /// Turns the ball about the vertical of the screen, for an animation.
    pub fn turn(&mut self, angle_rad: f64) {
        let turn = UnitQuaternion::from_axis_angle(&Vector3::y_axis(), angle_rad);
        self.orientation = turn * self.orientation;
        self.orientation.renormalize();
    }

    /// Enlarges the ball.
    #[must_use]
    pub fn zoom(&mut self, factor: f32) -> bool {
        if !(factor.is_finite() && factor > 0.0) {
            return false;
        }
        let zoom = (self.zoom * f64::from(factor)).clamp(0.4, 12.0);
        let has_changed = zoom != self.zoom;
        self.zoom = zoom;
        has_changed
    }
}

fn trackball(at: [f32; 2], center: [f32; 2], radius: f32) -> Option<Unit<Vector3<f64>>> {
    let radius = f64::from(radius.max(1.0));
    let x = f64::from(at[0] - center[0]) / radius;
    let y = -f64::from(at[1] - center[1]) / radius;
    let squared = x * x + y * y;
    let z = if squared < 0.5 {
        (1.0 - squared).sqrt()
    } else {
        0.5 / squared.sqrt()
    };
    Unit::try_new(Vector3::new(x, y, z), 1e-9).filter(|u| u.iter().all(|c| c.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::theme;

    const MIDDLE: [f32; 2] = [400.0, 380.0];

    #[test]
    fn zooming_keeps_what_is_under_the_pointer() {
        let mut plane = PlaneView::default();
        let pointer = [120.0, 500.0];
        let held = plane.world_from_screen(pointer, MIDDLE);
        assert!(plane.zoom_at(1.7, pointer, MIDDLE));
        assert!(!plane.is_following);
        let [x, y] = plane.screen_from_world(held, MIDDLE);
        assert!((x - 120.0).abs() < 1e-3 && (y - 500.0).abs() < 1e-3);
    }

    #[test]
    fn panning_moves_the_plane_with_the_pointer() {
        let mut plane = PlaneView::default();
        let before = plane.screen_from_world([1.0, 2.0], MIDDLE);
        assert!(plane.pan([30.0, -12.0]));
        let after = plane.screen_from_world([1.0, 2.0], MIDDLE);
        assert!((after[0] - before[0] - 30.0).abs() < 1e-3);
        assert!((after[1] - before[1] + 12.0).abs() < 1e-3);
        assert!(!plane.pan([0.0, 0.0]));
    }

    #[test]
    fn planes_of_features_of_about_one_size_have_one_scale() {
        let extent = |rung: f64| Extent { rung: Some(rung) };
        let fitted = |rung: f64| {
            let mut plane = PlaneView::default();
            plane.fit(extent(rung));
            plane
        };
        let mut small = fitted(-9.2);
        assert_eq!(small.followed_rung(), Some(-9));
        assert!(small.join(-7, extent(-9.2)) && !small.join(-7, extent(-9.2)));
        // There it stays: it would have taken the scale itself while its features shrank.
        for _ in 0..200 {
            let _ = small.follow(extent(-9.2), 0.02);
        }
        assert_eq!(small.followed_rung(), Some(-7));
        assert!((small.units_per_pt - LADDER.powi(-7)).abs() < 1e-12);
        assert!(!small.join(-3, extent(-9.2)), "too small there");
        assert!(!small.join(-10, extent(-9.2)), "too large there");
        assert!(small.pan([3.0, 0.0]));
        assert!(!small.join(-8, extent(-9.2)), "it was moved by hand");
    }

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

    #[test]
    fn the_point_under_the_pointer_goes_with_it() {
        let mut sphere = SphereView::default();
        let (center, radius) = ([400.0, 400.0], 300.0);
        let held_view = Vector3::new(0.1, 0.2, (1.0_f64 - 0.05).sqrt());
        let held_world = sphere.orientation.inverse() * held_view;
        let from = [400.0 + 30.0, 400.0 - 60.0];
        assert!(sphere.orbit(from, [490.0, 430.0], center, radius));
        let seen = sphere.view_from_world(&held_world);
        // Both pointers lie inside r²/2, where the trackball is the ball itself.
        assert!(
            (seen.x - 0.3).abs() < 1e-6 && (seen.y + 0.1).abs() < 1e-6,
            "{seen}"
        );
        assert!(!sphere.orbit(from, from, center, radius));
    }
}
