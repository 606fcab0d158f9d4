//! The best rotation of an ideal arrangement onto class weights, when it does not matter which of
//! its places a class takes.

use nalgebra::{Matrix3, Rotation2, Rotation3, Vector2, Vector3};

use crate::geometry::angle;
use crate::geometry::sphere_arc::frame;

/// Turns the regular polygon of `n` places, the first at (1, 0), so that the places are nearest to
/// `directions`: the largest Σ cos nΔ of the angles Δ to the nearest places, in closed form.
pub fn polygon_onto(n: usize, directions: &[Vector2<f64>]) -> Rotation2<f64> {
    let turns = n as f64;
    let sum: Vector2<f64> = directions
        .iter()
        .map(|v| angle::direction(turns * angle::polar_rad(*v)))
        .sum();
    Rotation2::new(angle::polar_rad(sum) / turns)
}

/// The rotation that brings each first vector of a pair nearest to its second: the largest Σ of dot
/// products. No turn where there is nothing to decide it.
pub fn flat_onto(pairs: impl Iterator<Item = (Vector2<f64>, Vector2<f64>)>) -> Rotation2<f64> {
    let (cos, sin) = pairs.fold((0.0, 0.0), |(cos, sin), (from, to)| {
        (cos + from.dot(&to), sin + from.perp(&to))
    });
    Rotation2::new(f64::atan2(sin, cos))
}

/// The same in space (Kabsch 1976); `None` where the decomposition does not converge.
pub fn onto(pairs: impl Iterator<Item = (Vector3<f64>, Vector3<f64>)>) -> Option<Rotation3<f64>> {
    let sum = pairs.map(|(from, to)| to * from.transpose()).sum();
    rotation_part(sum).map(Rotation3::from_matrix_unchecked)
}

/// Directions that start the search.
const N_ANCHORS: usize = 4;
/// Neighbors of each place that are tried as the second of a pair.
const N_NEIGHBORS: usize = 6;
/// Starts that are followed to their end.
const N_FOLLOWED: usize = 12;
/// Rounds of matching and turning.
const N_ROUNDS: usize = 4;

/// The rotation that brings `places` nearest to `directions`, both unit: the largest Σ of the
/// cosines from each direction to its nearest place that is found from a pair laid on a pair by
/// matching and turning (Kabsch 1976). `None` without two directions and two places.
pub fn places_onto(places: &[Vector3<f64>], directions: &[Vector3<f64>]) -> Option<Rotation3<f64>> {
    let mut starts: Vec<(f64, Matrix3<f64>)> = starts(places, directions)
        .map(|turn| (closeness(places, directions, &turn), turn))
        .collect();
    starts.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let followed = starts
        .into_iter()
        .take(N_FOLLOWED)
        .filter_map(|(_, turn)| follow(places, directions, turn));
    let (_, turn) = followed
        .map(|turn| (closeness(places, directions, &turn), turn))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(Rotation3::from_matrix_unchecked(turn))
}

/// Every place with each of its neighbors, laid on a direction with its nearest.
fn starts(
    places: &[Vector3<f64>],
    directions: &[Vector3<f64>],
) -> impl Iterator<Item = Matrix3<f64>> {
    let targets = directions.iter().take(N_ANCHORS).filter_map(|anchor| {
        let second = *nearest_others(directions, anchor).first()?;
        Some(pair_frame(anchor, &second))
    });
    targets.flat_map(move |target| {
        places.iter().flat_map(move |place| {
            let neighbors = nearest_others(places, place).into_iter().take(N_NEIGHBORS);
            neighbors.map(move |near| target * pair_frame(place, &near).transpose())
        })
    })
}

/// Matches each direction with its nearest place and turns the places onto them, again and again.
fn follow(
    places: &[Vector3<f64>],
    directions: &[Vector3<f64>],
    mut turn: Matrix3<f64>,
) -> Option<Matrix3<f64>> {
    for _ in 0..N_ROUNDS {
        let turned: Vec<Vector3<f64>> = places.iter().map(|place| turn * place).collect();
        let pairs = directions
            .iter()
            .map(|v| v * nearest(&turned, v).transpose());
        turn = rotation_part(pairs.sum())? * turn;
    }
    Some(turn)
}

/// Σ of the cosines from each direction to its nearest place.
fn closeness(places: &[Vector3<f64>], directions: &[Vector3<f64>], turn: &Matrix3<f64>) -> f64 {
    let cosines = directions.iter().map(|v| {
        let back = turn.tr_mul(v); // among the places as they stand, none of which moves
        let best = places.iter().map(|place| place.dot(&back));
        best.fold(-1.0, f64::max)
    });
    cosines.sum()
}

/// The nearest of `places`, which are not empty.
fn nearest(places: &[Vector3<f64>], v: &Vector3<f64>) -> Vector3<f64> {
    let best = places.iter().max_by(|a, b| a.dot(v).total_cmp(&b.dot(v)));
    best.copied().unwrap_or(*v)
}

/// Those that are not `from` itself, the nearest first.
fn nearest_others(of: &[Vector3<f64>], from: &Vector3<f64>) -> Vec<Vector3<f64>> {
    const SAME: f64 = 1.0 - 1e-9;
    let mut others = of.to_vec();
    others.retain(|v| v.dot(from) < SAME);
    others.sort_by(|a, b| b.dot(from).total_cmp(&a.dot(from)));
    others
}

/// An orthonormal frame with `first` as its first axis and `second` in its first plane, or any plane
/// where they lie on a line.
fn pair_frame(first: &Vector3<f64>, second: &Vector3<f64>) -> Matrix3<f64> {
    let up = first.cross(second).try_normalize(1e-9);
    let up = up.unwrap_or_else(|| frame(*first).0);
    Matrix3::from_columns(&[*first, up.cross(first), up])
}

/// The rotation nearest to a matrix.
fn rotation_part(matrix: Matrix3<f64>) -> Option<Matrix3<f64>> {
    let svd = matrix.svd(true, true);
    let (u, v_t) = (svd.u?, svd.v_t?);
    let mut flip = Matrix3::identity();
    flip[(2, 2)] = (u * v_t).determinant().signum();
    Some(u * flip * v_t)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::geometry::regular::regular_configuration;

    #[test]
    fn a_turned_polygon_is_found_again() {
        for n in 2..=20 {
            for offset_rad in [0.0, 0.1, 1.0, 3.0] {
                let turned: Vec<Vector2<f64>> = (0..n)
                    .map(|i| angle::direction(offset_rad + TAU * i as f64 / n as f64))
                    .collect();
                let turn = polygon_onto(n, &turned);
                let first = turn * Vector2::x();
                let off = turned.iter().map(|v| first.dot(v)).fold(-1.0, f64::max);
                assert!(off > 1.0 - 1e-12, "{n} places, {offset_rad} rad: {off}");
            }
        }
    }

    #[test]
    fn pairs_are_turned_back_onto_each_other() {
        let turn = Rotation2::new(2.5);
        let from = [Vector2::new(1.0, 0.2), Vector2::new(-0.3, 2.0)];
        let found = flat_onto(from.iter().map(|v| (*v, turn * v)));
        assert!((found.angle() - 2.5).abs() < 1e-12);
        assert_eq!(flat_onto(std::iter::empty()).angle(), 0.0);
        let turn = Rotation3::from_euler_angles(0.4, -1.1, 2.9);
        let from = [
            Vector3::new(1.0, 0.2, 0.0),
            Vector3::new(-0.3, 2.0, 0.1),
            Vector3::new(0.2, 0.1, -1.0),
        ];
        let found = onto(from.iter().map(|v| (*v, turn * v))).expect("a turn");
        let off = found.into_inner() - turn.into_inner();
        assert!(off.norm() < 1e-9, "{off}");
        let mirrored = onto(from.iter().map(|v| (*v, Vector3::new(-v.x, v.y, v.z))));
        let mirrored = mirrored.expect("a turn").into_inner().determinant();
        assert!((mirrored - 1.0).abs() < 1e-9, "never a reflection");
    }

    #[test]
    fn a_turned_arrangement_is_found_again_whatever_the_order() {
        for n in 2..=24 {
            let places: Vec<Vector3<f64>> = regular_configuration(n, 3)
                .iter()
                .map(|p| Vector3::from_column_slice(p))
                .collect();
            for axis in [Vector3::new(0.3, -1.1, 0.4), Vector3::new(2.0, 0.5, -1.0)] {
                let turn = Rotation3::new(axis);
                let directions: Vec<Vector3<f64>> = places.iter().rev().map(|p| turn * p).collect();
                let found = places_onto(&places, &directions).expect("two of each");
                assert!((found.matrix().determinant() - 1.0).abs() < 1e-9);
                let turned: Vec<Vector3<f64>> = places.iter().map(|p| found * p).collect();
                for v in &directions {
                    let off = (v - nearest(&turned, v)).norm();
                    assert!(off < 1e-6, "{n} places: {off}");
                }
            }
        }
    }

    /// Noise does not make it worse than the rotation that was there before the noise.
    #[test]
    fn disturbed_arrangements_are_met_as_well_as_can_be() {
        let places: Vec<Vector3<f64>> = regular_configuration(10, 3)
            .iter()
            .map(|p| Vector3::from_column_slice(p))
            .collect();
        let turn = Rotation3::new(Vector3::new(0.7, 0.2, -0.5));
        let directions: Vec<Vector3<f64>> = places
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let noise = Vector3::new((i as f64).sin(), (2.0 * i as f64).cos(), 0.5) * 0.1;
                (turn * p + noise).normalize()
            })
            .collect();
        let score = |turn: &Rotation3<f64>| closeness(&places, &directions, turn.matrix());
        let found = places_onto(&places, &directions).expect("two of each");
        assert!(
            score(&found) >= score(&turn),
            "{} {}",
            score(&found),
            score(&turn)
        );
    }
}
