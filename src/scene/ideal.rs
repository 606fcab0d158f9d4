//! What theory says of the arrangement in the picture: where the class weights would stand at
//! their best, and how wide the gap between two neighbors is.

use nalgebra::{Vector2, Vector3};

use crate::geometry::regular::regular_configuration;
use crate::geometry::{align, angle};
use crate::loss::{Form, theory};
use crate::trainer::HeadState;

/// More places would be a crowd of marks on the circle.
const MOST_ON_CIRCLE: usize = 64;
/// Beyond it the best arrangement in space is not known.
const MOST_ON_SPHERE: usize = 20;

/// Whether the best arrangement of so many weights is known, and can be drawn. Binary cross entropy
/// has one weight and a zero.
pub(super) fn is_known(head: &HeadState) -> bool {
    let most = match head.dim {
        2 => MOST_ON_CIRCLE,
        3 => MOST_ON_SPHERE,
        _ => return false,
    };
    head.spec.form != Form::Binary && (2..=most).contains(&head.n_classes)
}

/// The regular polygon turned as near to the weights as it goes, as angles in radians; empty without
/// two weights that have a direction.
pub(super) fn polygon_rad(weights: &[Vector2<f64>]) -> Vec<f64> {
    let n = weights.len();
    let directions: Vec<Vector2<f64>> =
        weights.iter().filter(|w| w.norm() > 0.0).copied().collect();
    if directions.len() < 2 || n > MOST_ON_CIRCLE {
        return Vec::new();
    }
    let turn = align::polygon_onto(n, &directions);
    regular_configuration(n, 2)
        .iter()
        .map(|place| angle::polar_rad(turn * Vector2::new(place[0], place[1])))
        .collect()
}

/// The best known arrangement of as many directions in space, turned likewise; empty where none is
/// known.
pub(super) fn places(directions: &[Option<Vector3<f64>>]) -> Vec<Vector3<f64>> {
    let n = directions.len();
    let directions: Vec<Vector3<f64>> = directions.iter().copied().flatten().collect();
    if directions.len() < 2 || n > MOST_ON_SPHERE {
        return Vec::new();
    }
    let places: Vec<Vector3<f64>> = regular_configuration(n, 3)
        .iter()
        .map(|place| Vector3::new(place[0], place[1], place[2]))
        .collect();
    let turned = align::places_onto(&places, &directions)
        .map(|turn| places.iter().map(|place| turn * place).collect());
    turned.unwrap_or_default()
}

/// The empty stretch between two classes that are neighbors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gap {
    /// Its middle.
    pub(super) middle: Vector3<f64>,
    /// Along the arc between the two weights.
    pub(super) width_rad: f64,
}

/// What is written at a gap: the first one says what the angles are.
pub(super) fn gap_words(width_rad: f64, is_first: bool) -> String {
    let name = if is_first { "gap " } else { "" };
    format!("{name}{:.0}°", width_rad.to_degrees())
}

/// The gaps between all pairs whose cells meet halfway between their weights, for heads of which only
/// the directions of the weights count.
pub(super) fn gaps(head: &HeadState, directions: &[Option<Vector3<f64>>]) -> Vec<Gap> {
    if !head.spec.form.has_unit_weights() || directions.len() > MOST_ON_SPHERE {
        return Vec::new();
    }
    let known: Vec<Vector3<f64>> = directions.iter().copied().flatten().collect();
    let pairs = known.iter().enumerate().flat_map(|(i, a)| {
        let others = known.iter().enumerate().skip(i + 1);
        others.map(move |(j, b)| ([i, j], a, b))
    });
    pairs
        .filter_map(|(pair, a, b)| {
            let middle = (a + b).try_normalize(1e-9)?;
            let own = a.dot(&middle);
            let is_seam = known
                .iter()
                .enumerate()
                .all(|(k, v)| pair.contains(&k) || v.dot(&middle) < own);
            let angle_rad = angle::angle_rad(a.as_slice(), b.as_slice());
            let width_rad = theory::gap_rad(&head.spec, &head.values, angle_rad)?;
            (is_seam && width_rad > 0.0).then_some(Gap { middle, width_rad })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::loss;
    use crate::loss::Setting;
    use crate::trainer::metrics::Named;

    #[test]
    fn the_polygon_lies_on_weights_that_are_even_already() {
        let weights: Vec<Vector2<f64>> = (0..10)
            .map(|i| 3.0 * angle::direction(0.4 + TAU * f64::from(i) / 10.0))
            .collect();
        let places = polygon_rad(&weights);
        assert_eq!(places.len(), 10);
        for w in &weights {
            let off = places.iter().map(|at| angle::direction(*at).dot(w) / 3.0);
            assert!(off.fold(-1.0, f64::max) > 1.0 - 1e-12);
        }
    }

    #[test]
    fn weights_without_direction_have_no_ideal() {
        assert!(polygon_rad(&[Vector2::zeros(), Vector2::x()]).is_empty());
        assert!(places(&[None, Some(Vector3::x())]).is_empty());
        assert!(places(&[Some(Vector3::x()); 21]).is_empty());
    }

    /// Six weights on the axes: twelve edges of the octahedron, each with ArcFace's gap of m.
    #[test]
    fn neighbors_on_the_axes_have_the_gap_of_the_margin() {
        let spec = loss::find("arcface").unwrap();
        let setting = Setting {
            n_classes: 6,
            dim: 3,
        };
        let mut values = spec.defaults(setting);
        values[spec.param_index("margin").unwrap()] = 0.3;
        let head = HeadState {
            spec: Named(spec),
            dim: 3,
            n_classes: 6,
            values,
            in_force: values,
            weights: Vec::new(),
            bias: Vec::new(),
            centers: Vec::new(),
        };
        let axes = [Vector3::x(), Vector3::y(), Vector3::z()];
        let directions: Vec<_> = axes.iter().flat_map(|v| [Some(*v), Some(-v)]).collect();
        let gaps = gaps(&head, &directions);
        assert_eq!(gaps.len(), 12);
        for gap in gaps {
            assert!((gap.width_rad - 0.3).abs() < 1e-9, "{gap:?}");
            let least = axes.iter().map(|v| v.dot(&gap.middle).abs());
            assert!(
                least.fold(1.0, f64::min) < 1e-12,
                "halfway between two axes"
            );
        }
    }
}
