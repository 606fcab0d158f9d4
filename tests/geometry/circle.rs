//! Sectors and margins on the circle.

use super::*;

#[track_caller]
fn check_cover(head: &Head<'_, 2>) {
    let sectors = circle::decision_sectors(head);
    let total: f64 = sectors.iter().map(circle::Sector::width_rad).sum();
    assert!((total - TAU).abs() < 1e-12, "{sectors:?}");
    for (i, sector) in sectors.iter().enumerate() {
        let next = sectors[(i + 1) % sectors.len()];
        assert!(sector.width_rad() > 0.0);
        assert!(sector.start_rad > -PI && sector.start_rad <= PI || sectors.len() == 1);
        let gap = angle::wrap_rad(next.start_rad - sector.end_rad).abs();
        assert!(gap < 1e-12, "{sectors:?}");
        if sectors.len() > 1 {
            assert_ne!(sector.class, next.class);
            assert!(tie(head, &angle::direction(sector.start_rad)) < 1e-9);
        }
    }
}

#[track_caller]
fn check_winners(head: &Head<'_, 2>, rng: &mut Seeded, n: usize) {
    let sectors = circle::decision_sectors(head);
    for _ in 0..n {
        let phi = PI * rng.signed();
        let u = angle::direction(phi);
        let owners = sectors.iter().filter(|s| s.contains(phi));
        let owners: Vec<usize> = owners.map(|s| s.class).collect();
        let winner = head.winner(&u);
        assert!(
            winner.is_some_and(|class| owners.contains(&class)) || tie(head, &u) < 1e-9,
            "{phi} {winner:?} {owners:?}"
        );
    }
}

#[test]
fn sectors_cover_once_and_hold_the_winner() {
    let mut rng = Seeded(1);
    for n in 2..=20 {
        for bias_size in [0.0, 0.5, 3.0] {
            let (weights, bias) = (rng.weights(n), rng.bias(n, bias_size));
            let head = Head::new(&weights, &bias, 1.7);
            check_cover(&head);
            check_winners(&head, &mut rng, 200);
        }
    }
}

#[test]
fn unit_weights_meet_at_bisectors() {
    let weights: Vec<_> = [0.1, 1.0, 2.5, -2.0].map(angle::direction).to_vec();
    let sectors = circle::decision_sectors(&Head::cosine(&weights));
    let starts: Vec<(usize, f64)> = sectors.iter().map(|s| (s.class, s.start_rad)).collect();
    let expected = [
        (0, -0.95),
        (1, 0.55),
        (2, 1.75),
        (3, angle::wrap_rad(0.25 + PI)),
    ];
    for (class, start) in expected {
        let found = starts
            .iter()
            .any(|s| s.0 == class && (s.1 - start).abs() < 1e-14);
        assert!(found, "{starts:?}");
    }
    assert!(sectors.windows(2).all(|s| s[0].start_rad < s[1].start_rad));
}

#[test]
fn a_biased_class_can_win_twice() {
    let weights = [
        Vector2::zeros(),
        Vector2::new(1.0, 0.0),
        Vector2::new(-1.0, 0.0),
    ];
    let head = Head::new(&weights, &[0.5], 1.0);
    let sectors = circle::decision_sectors(&head);
    assert_eq!(sectors.len(), 4);
    assert_eq!(sectors.iter().filter(|s| s.class == 0).count(), 2);
}

#[test]
fn a_huge_bias_takes_the_whole_circle() {
    let weights = Seeded(2).units(5);
    let head = Head::new(&weights, &[0.0, 0.0, 1e12], 1.0);
    let sectors = circle::decision_sectors(&head);
    assert_eq!(sectors.len(), 1);
    assert_eq!((sectors[0].class, sectors[0].width_rad()), (2, TAU));
}

#[test]
fn weights_on_a_lattice_cover_once() {
    let mut rng = Seeded(6);
    for round in 0..300 {
        let (weights, bias) = rng.lattice(2 + round % 9);
        let head = Head::new(&weights, &bias, 1.0);
        check_cover(&head);
        check_winners(&head, &mut rng, 10);
    }
}

#[test]
fn hostile_weights_are_covered_too() {
    for weights in hostile_weights() {
        for bias in [
            vec![],
            vec![1e-13, 0.0],
            vec![0.0, 1e18],
            vec![1.0, -1.0, 0.5],
        ] {
            let head = Head::new(&weights, &bias, 2.0);
            if weights.is_empty() {
                assert!(circle::decision_sectors(&head).is_empty());
            } else {
                check_cover(&head);
            }
            circle::margin_arcs(&head, &|t| t.cos() - 0.2);
        }
    }
}

/// The arcs of class 0 against one other at `alpha`, as (start, end) about `v_0`.
fn arcs_of_first(alpha: f64, psi: &dyn Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let base = 0.7;
    let weights = [angle::direction(base), angle::direction(base + alpha)];
    let arcs = circle::margin_arcs(&Head::cosine(&weights), psi);
    let of_first = arcs.into_iter().filter(|s| s.class == 0);
    let about = of_first.map(|s| {
        let start = angle::wrap_rad(s.start_rad - base);
        (start, start + s.width_rad())
    });
    about.collect()
}

#[track_caller]
fn check_arc(found: &[(f64, f64)], far: f64, near: f64) {
    assert_eq!(found.len(), 1, "{found:?}");
    let (start, end) = found[0];
    assert!(
        (start + far).abs() < 1e-10 && (end - near).abs() < 1e-10,
        "{found:?} {far} {near}"
    );
}

#[test]
fn arcface_arcs_are_the_closed_form() {
    for (alpha, m) in [
        (1.0, 0.0),
        (1.0, 0.3),
        (2.5, 1.2),
        (0.6, 0.59),
        (PI - 1e-3, 0.5),
    ] {
        let psi = |t: f64| {
            if t + m < PI {
                (t + m).cos()
            } else {
                t.cos() - m * m.sin()
            }
        };
        let arcs = arcs_of_first(alpha, &psi);
        check_arc(&arcs, PI - f64::midpoint(alpha, m), (alpha - m) / 2.0);
        assert!((arcs[0].1 - arcs[0].0 - (PI - m)).abs() < 1e-10);
    }
}

#[test]
fn cosface_arcs_are_the_closed_form() {
    for (alpha, m) in [(1.0, 0.1), (1.0, 0.9), (2.0, 1.5), (0.3, 0.25)] {
        let half: f64 = f64::acos(m / (2.0 * (alpha / 2.0_f64).sin()));
        // The direction of v_0 − v_1 lies a right angle behind the bisector.
        let middle = alpha / 2.0 - PI / 2.0;
        check_arc(
            &arcs_of_first(alpha, &|t| t.cos() - m),
            half - middle,
            middle + half,
        );
    }
    assert!(arcs_of_first(1.0, &|t| t.cos() - 0.96).is_empty());
}

#[test]
fn sphereface_arcs_are_the_closed_form_on_both_sides() {
    for m in 2..=4 {
        for alpha in [0.5, 1.0, 1.7, 2.5, 3.1] {
            let n = f64::from(m);
            let far = if alpha <= (n - 1.0) * PI / n {
                alpha / (n - 1.0)
            } else {
                (TAU - alpha) / (n + 1.0)
            };
            check_arc(&arcs_of_first(alpha, &staircase(m)), far, alpha / (n + 1.0));
        }
    }
}

#[test]
fn easy_margin_jumps_up_at_a_right_angle() {
    let psi = |t: f64| {
        if t.cos() > 0.0 {
            (t + 0.5).cos()
        } else {
            t.cos()
        }
    };
    let arcs = arcs_of_first(0.4, &psi);
    // m > α: no margin in the nearer half, the plain decision beyond 90° on the far side.
    check_arc(&arcs, PI - 0.2, -PI / 2.0);
    let arcs = arcs_of_first(1.0, &psi);
    assert_eq!(arcs.len(), 1);
}

#[test]
fn a_margin_in_the_middle_only_leaves_two_arcs() {
    let psi = |t: f64| {
        if (0.2..=PI / 2.0).contains(&t) {
            t.cos() - 2.0
        } else {
            t.cos()
        }
    };
    let arcs = arcs_of_first(0.6, &psi);
    assert_eq!(arcs.len(), 2);
    check_arc(&arcs[..1], PI - 0.3, -PI / 2.0);
    check_arc(&arcs[1..], 0.2, 0.2);
}

#[test]
fn margin_arcs_hold_the_margin_and_nothing_else_does() {
    let mut rng = Seeded(5);
    for n in [2, 3, 7, 20] {
        let (weights, bias) = (rng.weights(n), rng.bias(n, 0.2));
        let head = Head::new(&weights, &bias, 3.0);
        let psi = |t: f64| (5.0 * t.cos() + staircase(3)(t)) / 6.0;
        let arcs = circle::margin_arcs(&head, &psi);
        for _ in 0..500 {
            let phi = PI * rng.signed();
            for class in 0..n {
                let lead = head.margin(class, &angle::direction(phi), &psi);
                let mut own = arcs.iter().filter(|s| s.class == class);
                let inside = own.any(|s| s.contains(phi));
                assert!(
                    inside == (lead >= 0.0) || lead.abs() < 1e-9,
                    "{phi} {class} {lead}"
                );
            }
        }
    }
}

#[test]
fn a_sliver_between_samples_is_found() {
    // The region about v_0 is (π − m) wide less a hair: 2·1e-5 on one side of the bisector.
    let weights = [0.001, TAU / 3.0, -TAU / 3.0].map(angle::direction);
    let m = 1.5 - 1e-9;
    let arcs = circle::margin_arcs(&Head::cosine(&weights), &|t| t.cos() - m);
    assert!(arcs.iter().all(|s| s.width_rad() < 2e-3));
}

#[test]
fn a_hundred_classes_are_quick() {
    let weights = Seeded(8).weights(100);
    let bias = Seeded(9).bias(100, 0.1);
    let head = Head::new(&weights, &bias, 1.0);
    let start = std::time::Instant::now();
    check_cover(&head);
    // 2 ms in release; the dev profile on a busy machine is given ten times that.
    assert!(start.elapsed().as_millis() < 20, "{:?}", start.elapsed());
}

#[test]
fn polygon_reaches_its_cosine_ceiling() {
    for n in 3..=20 {
        let points = regular::regular_configuration(n, 2);
        let weights: Vec<Vector2<f64>> = points.iter().map(|p| Vector2::new(p[0], p[1])).collect();
        let found = circle::largest_cosine_margin(&weights).unwrap();
        assert!((found - (1.0 - (TAU / n as f64).cos())).abs() < 1e-12);
    }
    assert_eq!(circle::largest_cosine_margin(&[]), None);
    assert_eq!(circle::neighbor_gaps_rad(&[Vector2::x()]), vec![TAU]);
}
