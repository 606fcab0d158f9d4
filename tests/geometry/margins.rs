//! Margin curves on the sphere.

use super::*;

fn tammes(n: usize) -> Vec<Vector3<f64>> {
    let points = regular::regular_configuration(n, 3);
    points
        .iter()
        .map(|p| Vector3::new(p[0], p[1], p[2]))
        .collect()
}

/// Every point of the curve has f = 0, and so, to the sagitta, has every chord.
#[track_caller]
fn check_curve(head: &Head<'_, 3>, class: usize, psi: &dyn Fn(f64) -> f64) {
    let fine = margin_loop(head, class, psi, 1e-6);
    for (max_sagitta, at_kinks) in [
        (1e-2, 1.25),
        (1e-3, 1.0),
        (WINDOW_SAGITTA, 1.0),
        (1e-4, 1.25),
    ] {
        let loops = margin_loop(head, class, psi, max_sagitta);
        assert_eq!(loops.len(), 1, "class {class}");
        let points = &loops[0];
        for u in points {
            let lead = head.margin(class, u, psi) / head.score_scale();
            assert!(lead.abs() < 1e-6, "class {class}: f = {lead}");
        }
        for u in &fine[0] {
            let next = points.iter().cycle().skip(1);
            let chords = points.iter().zip(next);
            let nearest = chords
                .map(|(a, b)| distance(u, a, b))
                .fold(f64::INFINITY, f64::min);
            assert!(
                nearest <= at_kinks * max_sagitta,
                "class {class}: {nearest}"
            );
        }
    }
}

fn distance(p: &Vector3<f64>, a: &Vector3<f64>, b: &Vector3<f64>) -> f64 {
    let t = ((p - a).dot(&(b - a)) / (b - a).norm_squared()).clamp(0.0, 1.0);
    (a + (b - a) * t - p).norm()
}

#[test]
fn curves_satisfy_their_equation_for_every_psi() {
    for weights in [tammes(10), tammes(4), Seeded(31).units(7)] {
        let head = Head::cosine(&weights);
        for class in 0..weights.len() {
            let alpha = (0..weights.len())
                .filter(|&k| k != class)
                .map(|k| angle::angle_rad(weights[class].as_slice(), weights[k].as_slice()))
                .fold(PI, f64::min);
            let m = 0.5 * alpha;
            check_curve(&head, class, &f64::cos);
            check_curve(&head, class, &|t| (t + m).cos());
            let m_cos = 0.5 * (1.0 - alpha.cos());
            check_curve(&head, class, &|t| t.cos() - m_cos);
            check_curve(&head, class, &|t| {
                (0.9 * t + 0.3 * alpha).cos() - 0.1 * m_cos
            });
            for k in 2..=4 {
                check_curve(&head, class, &staircase(k));
                check_curve(&head, class, &|t| (5.0 * t.cos() + staircase(k)(t)) / 6.0);
            }
        }
    }
}

#[test]
fn arcface_and_cosface_are_the_closed_forms() {
    let mut rng = Seeded(32);
    for _ in 0..20 {
        let alpha = 0.3 + 1.3 * (rng.signed() + 1.0);
        let v: Vector3<f64> = rng.unit();
        let (e1, e2) = sphere_arc::frame(v);
        let weights = [v, v * alpha.cos() + e1 * alpha.sin()];
        let head = Head::cosine(&weights);
        let m = 0.4 * alpha;
        let about = |u: &Vector3<f64>| {
            let omega = u.dot(&e2).atan2(u.dot(&e1));
            (angle::angle_rad(u.as_slice(), v.as_slice()), omega)
        };
        for u in &margin_loop(&head, 0, &|t| (t + m).cos(), 1e-3)[0] {
            let (theta, omega) = about(u);
            let closed = (m.cos() - alpha.cos()).atan2(m.sin() + alpha.sin() * omega.cos());
            assert!((theta - closed).abs() < 1e-9);
        }
        let m = 0.4 * (1.0 - alpha.cos());
        for u in &margin_loop(&head, 0, &|t| t.cos() - m, 1e-3)[0] {
            let (theta, omega) = about(u);
            let (a, b) = (1.0 - alpha.cos(), alpha.sin() * omega.cos());
            let closed = (m / a.hypot(b)).acos() - b.atan2(a);
            assert!((theta - closed).abs() < 1e-9);
        }
    }
}

#[test]
fn corners_are_vertices() {
    let weights = tammes(12);
    let head = Head::cosine(&weights);
    let psi = |t: f64| (t + 0.3).cos();
    let points = &margin_loop(&head, 0, &psi, 1e-2)[0];
    let corners = points.iter().filter(|u| {
        let mut rivals: Vec<f64> = (1..12).map(|k| head.score(k, u)).collect();
        rivals.sort_by(|a, b| b.total_cmp(a));
        rivals[0] - rivals[1] < 1e-9
    });
    assert_eq!(corners.count(), 5);
}

#[test]
fn an_infeasible_weight_still_shows_its_region() {
    // Two close weights far from a third: v_0 fails, the directions beyond it do not.
    let weights = [0.0_f64, 0.6].map(|t| Vector3::new(t.cos(), t.sin(), 0.0));
    let head = Head::cosine(&weights);
    let m = 0.5;
    assert!(head.margin(0, &weights[0], &|t| t.cos() - m) < 0.0);
    let loops = margin_loop(&head, 0, &|t| t.cos() - m, 1e-3);
    assert_eq!(loops.len(), 1);
    let d = weights[0] - weights[1];
    assert!(loops[0].iter().all(|u| (u.dot(&d) - m).abs() < 1e-9));
    assert!(margin_loop(&head, 0, &|t| t.cos() - 0.6, 1e-3).is_empty());
}

#[test]
fn lengths_and_biases_are_followed() {
    let mut rng = Seeded(33);
    let mut shown = 0;
    for n in [2, 5, 9] {
        let (weights, bias) = (rng.weights(n), rng.bias(n, 0.1));
        let head = Head::new(&weights, &bias, 2.0);
        for class in 0..n {
            for u in margin_loop(&head, class, &staircase(2), 1e-3)
                .iter()
                .flatten()
            {
                let lead = head.margin(class, u, &staircase(2)) / head.score_scale();
                assert!(lead.abs() < 1e-9);
                shown += 1;
            }
        }
    }
    assert!(shown > 100);
}

#[test]
fn jumps_of_psi_end_the_curve_at_the_jump() {
    let weights = [Vector3::z(), -Vector3::z()];
    let head = Head::cosine(&weights);
    let psi = |t: f64| if t < 1.0 { 1.0 } else { -2.0 };
    for u in &margin_loop(&head, 0, &psi, 1e-3)[0] {
        assert!((angle::angle_rad(u.as_slice(), &[0.0, 0.0, 1.0]) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn hostile_weights_do_no_harm() {
    for weights in hostile_weights() {
        for bias in [vec![], vec![0.0, 1e18], vec![1.0, -1.0, 0.5]] {
            let head = Head::new(&weights, &bias, 1.0);
            for class in 0..=weights.len() {
                let loops = margin_loop(&head, class, &|t| (t + 0.3).cos(), 1e-2);
                assert!(
                    loops
                        .iter()
                        .flatten()
                        .all(|u| (u.norm() - 1.0).abs() < 1e-9)
                );
            }
        }
    }
}
