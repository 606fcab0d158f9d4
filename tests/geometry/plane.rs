//! Cells in the plane.

use super::*;

fn rect() -> plane::Rect {
    plane::Rect::from_corners(Vector2::new(4.0, -3.0), Vector2::new(-5.0, 6.0))
}

fn is_inside(polygon: &[Vector2<f64>], x: &Vector2<f64>) -> bool {
    let next = polygon.iter().cycle().skip(1);
    polygon
        .iter()
        .zip(next)
        .all(|(a, b)| (b - a).perp(&(x - a)) >= -1e-9)
}

fn area(polygon: &[Vector2<f64>]) -> f64 {
    let next = polygon.iter().cycle().skip(1);
    polygon.iter().zip(next).map(|(a, b)| 0.5 * a.perp(b)).sum()
}

#[test]
fn cells_tile_the_rectangle_and_hold_the_winner() {
    let mut rng = Seeded(11);
    for n in 2..=20 {
        let (weights, bias) = (rng.weights(n), rng.bias(n, 1.0));
        let head = Head::new(&weights, &bias, 1.0);
        let cells = plane::decision_cells(&head, &rect());
        let total: f64 = cells.cells.iter().map(|c| area(&c.polygon)).sum();
        assert!((total - 81.0).abs() < 1e-9);
        for _ in 0..600 {
            let x = Vector2::new(4.5 * rng.signed() - 0.5, 4.5 * rng.signed() + 1.5);
            let winner = head.winner(&x).unwrap();
            let cell = cells.cells.iter().find(|c| c.class == winner).unwrap();
            assert!(is_inside(&cell.polygon, &x));
        }
    }
}

#[test]
fn seams_are_ties_and_come_once() {
    let mut rng = Seeded(12);
    for n in 2..=20 {
        let (weights, bias) = (rng.weights(n), rng.bias(n, 1.0));
        let head = Head::new(&weights, &bias, 1.0);
        let seams = plane::decision_cells(&head, &rect()).seams;
        assert!(!seams.is_empty());
        assert!(seams.windows(2).all(|s| s[0].classes < s[1].classes));
        for seam in &seams {
            for x in [
                seam.ends[0],
                seam.ends[1],
                0.5 * (seam.ends[0] + seam.ends[1]),
            ] {
                let [a, b] = seam.classes.map(|k| head.score(k, &x));
                assert!((a - b).abs() < 1e-9 && tie(&head, &x) < 1e-9);
            }
        }
    }
}

#[test]
fn weights_on_a_lattice_tile_the_rectangle() {
    let mut rng = Seeded(13);
    for round in 0..300 {
        let (weights, bias) = rng.lattice(2 + round % 9);
        let cells = plane::decision_cells(&Head::new(&weights, &bias, 1.0), &rect());
        let total: f64 = cells.cells.iter().map(|c| area(&c.polygon)).sum();
        assert!((total - 81.0).abs() < 1e-6, "{weights:?} {bias:?}");
    }
}

#[test]
fn hostile_weights_tile_the_rectangle_too() {
    for weights in hostile_weights() {
        for bias in [
            vec![],
            vec![1e-13, 0.0],
            vec![0.0, 1e18],
            vec![1.0, -1.0, 0.5],
        ] {
            let cells = plane::decision_cells(&Head::new(&weights, &bias, 1.0), &rect());
            let total: f64 = cells.cells.iter().map(|c| area(&c.polygon)).sum();
            assert!(
                weights.is_empty() || (total - 81.0).abs() < 1e-6,
                "{weights:?} {cells:?}"
            );
        }
    }
}

#[test]
fn rays_and_segments_end_at_the_rectangle() {
    let ray = plane::clip_ray(&rect(), Vector2::zeros(), Vector2::new(2.0, 2.0)).unwrap();
    assert!((ray[0] - Vector2::zeros()).norm() < 1e-15);
    assert!((ray[1] - Vector2::new(4.0, 4.0)).norm() < 1e-14);
    let outside = Vector2::new(10.0, 0.0);
    assert_eq!(plane::clip_ray(&rect(), outside, Vector2::x()), None);
    let through = plane::clip_ray(&rect(), outside, -Vector2::x()).unwrap();
    assert!((through[0].x - 4.0).abs() < 1e-14 && (through[1].x + 5.0).abs() < 1e-14);
    let (a, b) = (Vector2::new(-9.0, 0.0), Vector2::new(0.0, 0.0));
    let segment = plane::clip_segment(&rect(), a, b).unwrap();
    assert!((segment[0].x + 5.0).abs() < 1e-14 && segment[1] == b);
    assert_eq!(plane::clip_segment(&rect(), a, a), None);
    assert!(plane::clip_ray(&rect(), b, Vector2::zeros()).is_some());
}

#[test]
fn a_polygon_is_cut_at_the_rectangle() {
    let wedge = [[0.0, 0.0], [8.0, -4.0], [8.0, 4.0]].map(Vector2::from);
    let cut = plane::clip_polygon(&rect(), &wedge);
    let expected = [[0.0, 0.0], [4.0, -2.0], [4.0, 2.0]].map(Vector2::from);
    assert_eq!(cut.len(), 3, "{cut:?}");
    for corner in expected {
        assert!(cut.iter().any(|x| (x - corner).norm() < 1e-12), "{cut:?}");
    }
    let beside = wedge.map(|x| x + Vector2::new(5.0, 0.0));
    assert!(plane::clip_polygon(&rect(), &beside).len() < 3);
    let whole = [[-50.0, -50.0], [50.0, -50.0], [0.0, 90.0]].map(Vector2::from);
    assert!((area(&plane::clip_polygon(&rect(), &whole)).abs() - 81.0).abs() < 1e-9);
}
