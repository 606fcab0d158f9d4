//! How the sphere is turned, and how the pointer turns it.

use nalgebra::{Unit, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

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
