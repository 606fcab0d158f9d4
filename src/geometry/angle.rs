//! Angles between vectors, angles on a circle, and the polar form of plane vectors.

use std::f64::consts::{PI, TAU};

use nalgebra::Vector2;

/// The angle between `u` and `v`, vectors of any dimension and length, in [0, π].
///
/// 2·atan2(‖u/‖u‖ − v/‖v‖‖, ‖u/‖u‖ + v/‖v‖‖), which keeps all digits near 0 and π where acos loses
/// half of them (losses.md 2.2). The angle to a zero vector is 0. Where one slice is longer, its
/// further coordinates are ignored.
///
/// ```
/// use marginscope::geometry::angle::angle_rad;
/// assert!((angle_rad(&[2.0, 0.0], &[0.0, 0.1]) - std::f64::consts::FRAC_PI_2).abs() < 1e-15);
/// ```
pub fn angle_rad(u: &[f64], v: &[f64]) -> f64 {
    let (nu, nv) = (norm(u), norm(v));
    if nu == 0.0 || nv == 0.0 {
        return 0.0;
    }
    let (mut minus, mut plus) = (0.0, 0.0);
    for (a, b) in u.iter().zip(v) {
        let (a, b) = (a / nu, b / nv);
        minus += (a - b) * (a - b);
        plus += (a + b) * (a + b);
    }
    2.0 * minus.sqrt().atan2(plus.sqrt())
}

/// ‖v‖, scaled by the largest coordinate so that squares neither overflow nor vanish.
fn norm(v: &[f64]) -> f64 {
    let largest = v.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * v.iter().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt()
}

/// The same angle in (−π, π].
pub fn wrap_rad(angle_rad: f64) -> f64 {
    if angle_rad > -PI && angle_rad <= PI {
        return angle_rad;
    }
    let turned = angle_rad.rem_euclid(TAU);
    if turned > PI { turned - TAU } else { turned }
}

/// How far one turns counter-clockwise from `from_rad` to reach `to_rad`, in [0, 2π).
pub fn ccw_rad(from_rad: f64, to_rad: f64) -> f64 {
    let turned = (to_rad - from_rad).rem_euclid(TAU);
    // rem_euclid rounds a tiny negative number up to 2π itself.
    if turned < TAU { turned } else { 0.0 }
}

/// The polar angle of `v` in (−π, π]; 0 for the zero vector.
pub fn polar_rad(v: Vector2<f64>) -> f64 {
    if v.x == 0.0 && v.y == 0.0 {
        return 0.0;
    }
    // atan2 gives −π for (−1, −0).
    wrap_rad(v.y.atan2(v.x))
}

/// The unit vector at polar angle `angle_rad`, (cos φ, sin φ).
pub fn direction(angle_rad: f64) -> Vector2<f64> {
    Vector2::new(angle_rad.cos(), angle_rad.sin())
}

/// The angle in [0, π] whose cosine is `cosine`, with values outside [−1, 1] taken to the ends.
///
/// For cosines that are *given*, such as −1/(C−1); an angle between vectors is [`angle_rad`].
pub fn angle_of_cosine_rad(cosine: f64) -> f64 {
    let c = cosine.clamp(-1.0, 1.0);
    ((1.0 - c) * (1.0 + c)).sqrt().atan2(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angle_is_exact_near_zero_and_pi() {
        for tiny in [1e-150, 1e-12, 1e-8, 1e-4] {
            let near = angle_rad(&[1.0, 0.0, 0.0], &[1.0, tiny, 0.0]);
            assert!((near - tiny.atan()).abs() <= 1e-15 * tiny);
            let far = angle_rad(&[3.0, 0.0], &[-5.0, 5.0 * tiny]);
            assert!((far - (PI - tiny.atan())).abs() < 1e-15);
        }
    }

    #[test]
    fn angle_ignores_length_and_survives_extremes() {
        assert_eq!(angle_rad(&[0.0, 0.0], &[1.0, 0.0]), 0.0);
        assert_eq!(angle_rad(&[], &[]), 0.0);
        let right = angle_rad(&[1e300, 0.0], &[0.0, 1e-300]);
        assert!((right - PI / 2.0).abs() < 1e-15);
    }

    #[test]
    fn wrap_keeps_pi_and_moves_minus_pi() {
        assert_eq!(wrap_rad(PI), PI);
        assert_eq!(wrap_rad(-PI), PI);
        assert!((wrap_rad(7.0) - (7.0 - TAU)).abs() < 1e-15);
        assert!((wrap_rad(-1e6 * TAU - 1.0) + 1.0).abs() < 1e-8);
    }

    #[test]
    fn ccw_never_reaches_a_full_turn() {
        assert_eq!(ccw_rad(1e-17, 0.0), 0.0);
        assert!((ccw_rad(PI, -PI / 2.0) - PI / 2.0).abs() < 1e-15);
    }

    #[test]
    fn polar_round_trip() {
        for i in -7..=7 {
            let phi = f64::from(i) * PI / 7.5;
            assert!((polar_rad(direction(phi)) - phi).abs() < 1e-15);
        }
        assert_eq!(polar_rad(Vector2::new(-1.0, -0.0)), PI);
        assert_eq!(polar_rad(Vector2::zeros()), 0.0);
    }
}
