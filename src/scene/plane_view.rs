//! Where the plane stands, and how it follows features that grow.

use crate::trainer::Snapshot;

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
    pub(super) fn of(snapshot: &Snapshot, size: [f32; 2]) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
