//! Decision regions and margin curves against their definitions and closed forms (losses.md 6).

use std::f64::consts::{PI, TAU};

use marginscope::geometry::angle;
use marginscope::geometry::circle;
use marginscope::geometry::head::Head;
use marginscope::geometry::plane;
use marginscope::geometry::regular;
use marginscope::geometry::sphere_arc;
use marginscope::geometry::sphere_arc::SphereArc;
use marginscope::geometry::sphere_cells;
use marginscope::geometry::sphere_cells::Loop;
use marginscope::geometry::sphere_margin::margin_loop;
use marginscope::scene::WINDOW_SAGITTA;
use nalgebra::{SVector, Vector2, Vector3};

/// `SplitMix64` to [−1, 1): every test names its seed, so that a failure repeats.
struct Seeded(u64);

impl Seeded {
    fn signed(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn vector<const D: usize>(&mut self) -> SVector<f64, D> {
        SVector::from_fn(|_, _| self.signed())
    }

    fn unit<const D: usize>(&mut self) -> SVector<f64, D> {
        loop {
            let v: SVector<f64, D> = self.vector();
            if v.norm() > 0.1 && v.norm() < 1.0 {
                return v.normalize();
            }
        }
    }

    fn weights<const D: usize>(&mut self, n: usize) -> Vec<SVector<f64, D>> {
        (0..n).map(|_| self.vector()).collect()
    }

    fn units<const D: usize>(&mut self, n: usize) -> Vec<SVector<f64, D>> {
        (0..n).map(|_| self.unit()).collect()
    }

    /// Whole weights and half biases: many ties, collinear weights, corners of four cells, twins.
    fn lattice<const D: usize>(&mut self, n: usize) -> (Vec<SVector<f64, D>>, Vec<f64>) {
        let weights = self
            .weights(n)
            .iter()
            .map(|w: &SVector<f64, D>| w.map(|x| (2.0 * x).round()))
            .collect();
        let bias = self.bias(n, 1.5).iter().map(|b| b.round() / 2.0).collect();
        (weights, bias)
    }

    fn bias(&mut self, n: usize, size: f64) -> Vec<f64> {
        (0..n).map(|_| size * self.signed()).collect()
    }
}

/// The gap between the two best scores at `u`, relative to the size of scores.
fn tie<const D: usize>(head: &Head<'_, D>, u: &SVector<f64, D>) -> f64 {
    let mut scores: Vec<f64> = (0..head.n_classes()).map(|k| head.score(k, u)).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    match scores[..] {
        [first, second, ..] => (first - second) / head.score_scale(),
        _ => f64::INFINITY,
    }
}

/// Weights that coincide, oppose, vanish or lie on one line.
fn hostile_weights<const D: usize>() -> Vec<Vec<SVector<f64, D>>> {
    let e = |i: usize| SVector::<f64, D>::from_fn(|row, _| if row == i { 1.0 } else { 0.0 });
    vec![
        vec![],
        vec![e(0)],
        vec![SVector::zeros(); 3],
        vec![e(0), e(0), e(1)],
        vec![e(0), -e(0)],
        vec![SVector::zeros(), e(0), -e(0)],
        vec![e(0), SVector::zeros(), e(0) * 2.0, e(0) * -3.0],
        vec![e(0), e(0) + e(1) * 1e-14, e(1)],
        vec![e(0), e(0) + e(1) * 1e-9, e(1), -e(1)],
        vec![e(0), e(1), -e(0), -e(1)],
        vec![e(0) * 1e200, e(1) * 1e-200, -e(0)],
    ]
}

mod on_the_circle {
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

    fn staircase(m: u32) -> impl Fn(f64) -> f64 {
        move |theta| {
            let m_theta = f64::from(m) * theta;
            let k = (m_theta / PI).floor().min(f64::from(m) - 1.0);
            let sign = if k % 2.0 == 0.0 { 1.0 } else { -1.0 };
            sign * m_theta.cos() - 2.0 * k
        }
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
            let weights: Vec<Vector2<f64>> =
                points.iter().map(|p| Vector2::new(p[0], p[1])).collect();
            let found = circle::largest_cosine_margin(&weights).unwrap();
            assert!((found - (1.0 - (TAU / n as f64).cos())).abs() < 1e-12);
        }
        assert_eq!(circle::largest_cosine_margin(&[]), None);
        assert_eq!(circle::neighbor_gaps_rad(&[Vector2::x()]), vec![TAU]);
    }
}

mod on_the_plane {
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
}

mod on_the_sphere {
    use super::*;

    /// Even-odd containment of a front point in loops, both projected along `view`.
    fn covers(loops: &[Loop], view: &Vector3<f64>, u: &Vector3<f64>) -> bool {
        let (e1, e2) = sphere_arc::frame(*view);
        let flat = |p: &Vector3<f64>| Vector2::new(p.dot(&e1), p.dot(&e2));
        let x = flat(u);
        let mut crossings = 0;
        for each in loops {
            let points: Vec<Vector2<f64>> = each.polyline(1e-6).iter().map(flat).collect();
            let next = points.iter().cycle().skip(1);
            for (a, b) in points.iter().zip(next) {
                if (a.y > x.y) != (b.y > x.y) && x.x < a.x + (x.y - a.y) / (b.y - a.y) * (b.x - a.x)
                {
                    crossings += 1;
                }
            }
        }
        crossings % 2 == 1
    }

    #[track_caller]
    fn check_cells(head: &Head<'_, 3>) -> sphere_cells::Cells {
        let cells = sphere_cells::decision_cells(head);
        for seam in &cells.seams {
            let arc = seam.arc;
            assert!(seam.classes[0] < seam.classes[1] && arc.sweep_rad() > 0.0);
            for u in [
                arc.start(),
                arc.end(),
                arc.point(0.5 * (arc.start_rad + arc.end_rad)),
            ] {
                assert!(tie(head, &u) < 1e-9, "{seam:?}");
            }
        }
        for cell in &cells.cells {
            for (arc, &next) in cell.boundary.iter().zip(&cell.next) {
                let gap = (arc.end() - cell.boundary[next].start()).norm();
                assert!(gap < 1e-6, "class {} gap {gap}", cell.class);
            }
        }
        cells
    }

    #[track_caller]
    fn check_view(head: &Head<'_, 3>, view: &Vector3<f64>, rng: &mut Seeded, n: usize) {
        let cells = sphere_cells::decision_cells(head);
        let regions: Vec<(usize, Vec<Loop>)> = cells
            .cells
            .iter()
            .map(|cell| (cell.class, cell.visible_region(view)))
            .collect();
        for (class, loops) in &regions {
            for each in loops {
                check_loop(each, view, *class);
            }
        }
        for _ in 0..n {
            let mut u: Vector3<f64> = rng.unit();
            if u.dot(view) < 0.0 {
                u = -u;
            }
            // Chords of 1e-6 sagitta and the limb blur the projected outline.
            if tie(head, &u) < 1e-4 || u.dot(view) < 0.01 {
                continue;
            }
            let winner = head.winner(&u);
            for (class, loops) in &regions {
                let is_covered = covers(loops, view, &u);
                assert_eq!(
                    is_covered,
                    Some(*class) == winner,
                    "class {class} at {u:?}, view {view:?}, {loops:?}"
                );
            }
        }
    }

    #[track_caller]
    fn check_loop(each: &Loop, view: &Vector3<f64>, class: usize) {
        for (i, arc) in each.arcs.iter().enumerate() {
            let next = each.arcs[(i + 1) % each.arcs.len()];
            let gap = (arc.end() - next.start()).norm();
            assert!(
                gap < 1e-6,
                "class {class}, view {view:?}, gap {gap}, {each:?}"
            );
            let points = arc.polyline(1e-3);
            assert!(points.iter().all(|p| p.dot(view) > -1e-7));
        }
    }

    #[test]
    fn every_direction_lies_in_the_cell_of_its_winner() {
        let mut rng = Seeded(21);
        for n in 2..=20 {
            for bias_size in [0.0, 0.3, 1.5] {
                let (weights, bias) = (rng.weights(n), rng.bias(n, bias_size));
                let head = Head::new(&weights, &bias, 1.3);
                let cells = check_cells(&head).cells;
                for _ in 0..200 {
                    let u = rng.unit();
                    let winner = head.winner(&u).unwrap();
                    assert!(cells.iter().any(|c| c.class == winner && c.contains(&u)));
                    let others = cells.iter().filter(|c| c.class != winner);
                    assert!(
                        others.filter(|c| c.contains(&u)).count() == 0 || tie(&head, &u) < 1e-9
                    );
                }
            }
        }
    }

    #[test]
    fn visible_regions_hold_the_winners_from_any_side() {
        let mut rng = Seeded(22);
        for n in 2..=12 {
            for bias_size in [0.0, 0.4, 1.0] {
                let (weights, bias) = (rng.weights(n), rng.bias(n, bias_size));
                let head = Head::new(&weights, &bias, 1.0);
                for _ in 0..4 {
                    check_view(&head, &rng.unit(), &mut rng, 25);
                }
            }
        }
    }

    #[test]
    fn a_hundred_classes_keep_their_cells() {
        let mut rng = Seeded(23);
        let (weights, bias) = (rng.units(100), rng.bias(100, 0.05));
        let head = Head::new(&weights, &bias, 1.0);
        check_cells(&head);
        check_view(&head, &rng.unit(), &mut rng, 15);
    }

    #[test]
    fn views_at_vertices_seams_and_weights_are_whole() {
        let mut rng = Seeded(24);
        for n in [3, 4, 6, 8, 12] {
            let points = regular::regular_configuration(n, 3);
            let weights: Vec<Vector3<f64>> = points
                .iter()
                .map(|p| Vector3::new(p[0], p[1], p[2]))
                .collect();
            check_special_views(&Head::cosine(&weights), &weights, &mut rng);
        }
        let cube: Vec<Vector3<f64>> = (0..8)
            .map(|i| Vector3::from_fn(|r, _| if i >> r & 1 == 0 { -1.0 } else { 1.0 }).normalize())
            .collect();
        check_special_views(&Head::cosine(&cube), &cube, &mut rng);
    }

    #[track_caller]
    fn check_special_views(head: &Head<'_, 3>, weights: &[Vector3<f64>], rng: &mut Seeded) {
        let seams = check_cells(head).seams;
        for seam in seams.iter().take(6) {
            let arc = seam.arc;
            for view in [
                arc.start(),
                -arc.end(),
                arc.axis,
                -arc.axis,
                arc.point(arc.start_rad + 0.1),
            ] {
                check_view(head, &view, rng, 6);
                check_view(head, &sphere_arc::frame(view).0, rng, 6);
            }
        }
        for view in weights.iter().take(4) {
            check_view(head, view, rng, 6);
            check_view(head, &sphere_arc::frame(*view).1, rng, 6);
        }
        for view in [Vector3::x(), Vector3::y(), Vector3::z(), -Vector3::z()] {
            check_view(head, &view, rng, 6);
        }
    }

    #[test]
    fn one_hemisphere_is_seen_from_its_pole_as_the_whole_disc() {
        let weights = [Vector3::z(), -Vector3::z()];
        let cells = sphere_cells::decision_cells(&Head::cosine(&weights)).cells;
        assert_eq!(cells[0].visible_region(&Vector3::z()).len(), 1);
        assert!(cells[1].visible_region(&Vector3::z()).is_empty());
    }

    #[test]
    fn a_cap_is_a_hole_in_the_cell_around_it() {
        let weights = [Vector3::z(), -Vector3::z()];
        let head = Head::new(&weights, &[0.0, 1.6], 1.0);
        let cells = check_cells(&head).cells;
        let outer = cells[1].visible_region(&Vector3::z());
        assert_eq!(outer.len(), 2);
        assert_eq!(cells[0].visible_region(&Vector3::z()).len(), 1);
        assert!(cells[0].visible_region(&-Vector3::z()).is_empty());
        assert_eq!(cells[1].visible_region(&-Vector3::z()).len(), 1);
        assert_eq!(cells[1].active_half_spaces().count(), 1);
        let mut rng = Seeded(25);
        for _ in 0..20 {
            check_view(&head, &rng.unit(), &mut rng, 20);
        }
    }

    #[test]
    fn the_middle_of_three_on_a_line_wins_nowhere() {
        let weights = [-Vector3::x(), Vector3::zeros(), Vector3::x()];
        let cells = check_cells(&Head::cosine(&weights));
        assert_eq!(cells.seams.len(), 1);
        assert_eq!(cells.seams[0].classes, [0, 2]);
        assert_eq!(cells.cells.len(), 2);
    }

    #[test]
    fn a_coincident_twin_leaves_the_seam_in_place() {
        let weights = [Vector3::x(), Vector3::y(), Vector3::y(), -Vector3::x()];
        let cells = check_cells(&Head::cosine(&weights));
        let classes: Vec<[usize; 2]> = cells.seams.iter().map(|s| s.classes).collect();
        assert_eq!(classes, [[0, 1], [0, 3], [1, 3]]);
    }

    #[test]
    fn weights_on_a_lattice_keep_the_sphere_whole() {
        let mut rng = Seeded(4242);
        for round in 0..60 {
            let (weights, bias) = rng.lattice(2 + round % 9);
            let head = Head::new(&weights, &bias, 1.0);
            check_cells(&head);
            let diagonal = Vector3::new(1.0, 1.0, 0.0).normalize();
            for view in [
                Vector3::x(),
                -Vector3::z(),
                diagonal,
                Vector3::repeat(1.0).normalize(),
            ] {
                check_view(&head, &view, &mut rng, 6);
            }
        }
    }

    #[test]
    fn hostile_weights_keep_the_sphere_whole() {
        let mut rng = Seeded(26);
        for weights in hostile_weights() {
            for bias in [
                vec![],
                vec![0.0, 1e18],
                vec![1.0, -1.0, 0.5],
                vec![-0.3, 0.2],
            ] {
                let head = Head::new(&weights, &bias, 1.0);
                check_cells(&head);
                if !weights.is_empty() {
                    check_view(&head, &rng.unit(), &mut rng, 10);
                    check_view(&head, &Vector3::z(), &mut rng, 10);
                }
            }
        }
    }

    #[test]
    fn great_circles_project_onto_the_limb_when_seen_along_their_axis() {
        let runs = sphere_arc::split_front_back(
            &SphereArc::circle(Vector3::z(), 0.0).polyline(1e-3),
            &Vector3::z(),
        );
        assert_eq!(runs.len(), 1);
    }
}

mod margins_on_the_sphere {
    use super::*;

    fn staircase(m: u32) -> impl Fn(f64) -> f64 {
        move |theta| {
            let m_theta = f64::from(m) * theta;
            let k = (m_theta / PI).floor().min(f64::from(m) - 1.0);
            let sign = if k % 2.0 == 0.0 { 1.0 } else { -1.0 };
            sign * m_theta.cos() - 2.0 * k
        }
    }

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
}
