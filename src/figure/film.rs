//! Moving pictures: how the features get where they are, or the sphere from all sides.

use nalgebra::{UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use crate::export::Timing;
use crate::scene::SphereView;

/// A picture that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Film {
    /// What is seen to move.
    pub motion: Motion,
    /// Number of pictures.
    pub frames: usize,
    /// How long each is seen, in milliseconds.
    pub delay_ms: u16,
}

/// What is seen to move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Motion {
    /// The features, from the first step to the last.
    #[default]
    Training,
    /// The eye, once around the sphere.
    Orbit,
}

/// How long the end of a training is seen, in milliseconds.
const END_MS: u16 = 1500;

impl Default for Film {
    fn default() -> Self {
        Self {
            motion: Motion::Training,
            frames: 48,
            delay_ms: 80,
        }
    }
}

impl Film {
    /// Fewest frames in which a training is seen to move.
    pub const LEAST_FRAMES: usize = 24;
    /// Most frames: a minute and a half at the usual pace.
    pub const MOST_FRAMES: usize = 1200;
    /// Delays that viewers keep to; shorter ones are shown as a tenth of a second by most.
    pub const DELAYS_MS: std::ops::RangeInclusive<u16> = 20..=10_000;

    /// Once around the sphere, in the time of an orbit's default.
    pub fn orbit(frames: usize) -> Self {
        Self {
            motion: Motion::Orbit,
            frames,
            delay_ms: 60,
        }
    }

    /// After which steps its pictures are taken, evenly from the start to step `last`.
    pub(super) fn steps(&self, last: u64) -> Vec<u64> {
        match self.motion {
            Motion::Orbit => vec![last],
            Motion::Training => {
                let n_gaps = self.frames.saturating_sub(1).max(1) as u64;
                (0..self.frames as u64)
                    .map(|i| (u128::from(last) * u128::from(i) / u128::from(n_gaps)) as u64)
                    .collect()
            }
        }
    }

    /// How long its pictures are seen.
    pub(super) fn timing(&self) -> Timing {
        Timing {
            delay_ms: self.delay_ms,
            end_ms: match self.motion {
                Motion::Training => self.delay_ms.max(END_MS),
                Motion::Orbit => self.delay_ms, // it ends where it begins
            },
        }
    }

    /// The sphere in the `i`-th picture of an orbit: turned about the vertical of the screen.
    pub(super) fn turned(&self, sphere: SphereView, i: usize) -> SphereView {
        let turn_rad = std::f64::consts::TAU * i as f64 / self.frames as f64;
        let turn = UnitQuaternion::from_axis_angle(&Vector3::y_axis(), turn_rad);
        SphereView {
            orientation: turn * sphere.orientation,
            ..sphere
        }
    }

    /// Whether it can be shown.
    ///
    /// # Errors
    /// What is too much or too little, in words.
    pub fn check(&self) -> Result<(), String> {
        let (least, most) = match self.motion {
            Motion::Training => (Self::LEAST_FRAMES, Self::MOST_FRAMES),
            Motion::Orbit => (2, Self::MOST_FRAMES),
        };
        if !(least..=most).contains(&self.frames) {
            let n = self.frames;
            return Err(format!(
                "a film of {n} pictures; there must be {least} to {most}"
            ));
        }
        if !Self::DELAYS_MS.contains(&self.delay_ms) {
            let (least, most) = (Self::DELAYS_MS.start(), Self::DELAYS_MS.end());
            let ms = self.delay_ms;
            return Err(format!(
                "{ms} ms for a picture; there must be {least} to {most}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_is_seen_from_its_first_step_to_its_last() {
        let steps = Film::default().steps(1404);
        assert_eq!((steps.len(), steps[0], steps[47]), (48, 0, 1404));
        assert!(steps.is_sorted());
        let short = Film::default().steps(10);
        assert_eq!((short.len(), short[47]), (48, 10));
        assert_eq!(Film::orbit(36).steps(500), [500]);
    }

    #[test]
    fn an_orbit_goes_round_once() {
        let (film, start) = (Film::orbit(4), SphereView::default());
        assert_eq!(film.turned(start, 0).orientation, start.orientation);
        let half = film.turned(start, 2).orientation;
        assert!((half.angle_to(&start.orientation) - std::f64::consts::PI).abs() < 1e-12);
        let up = start.orientation.inverse() * Vector3::y();
        assert!(
            (half.inverse() * Vector3::y() - up).norm() < 1e-12,
            "the vertical stays"
        );
    }

    #[test]
    fn what_cannot_be_shown_is_said() {
        for (frames, delay_ms) in [(23, 80), (1201, 80), (48, 19), (48, 20_000)] {
            let film = Film {
                frames,
                delay_ms,
                ..Film::default()
            };
            assert!(film.check().is_err(), "{film:?}");
        }
        assert_eq!(Film::default().check(), Ok(()));
        assert_eq!(Film::orbit(2).check(), Ok(()));
        assert!(Film::orbit(1).check().is_err());
    }
}
