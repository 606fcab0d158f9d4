//! Cells on the sphere.

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
            if (a.y > x.y) != (b.y > x.y) && x.x < a.x + (x.y - a.y) / (b.y - a.y) * (b.x - a.x) {
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
                assert!(others.filter(|c| c.contains(&u)).count() == 0 || tie(&head, &u) < 1e-9);
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
