//! What the panel writes.

use super::*;

/// What stands to the right of a label, on its line.
fn written_beside(harness: &Harness<'_, App>, label: &str) -> String {
    let row = harness.get_by_label(label).rect();
    let mut beside: Vec<(f32, String)> = harness
        .get_all_by_role(Role::Label)
        .filter(|node| {
            let rect = node.rect();
            rect.left() >= row.right() && row.y_range().contains(rect.center().y)
        })
        .map(|node| {
            let node_text = node.accesskit_node();
            let text = node_text.label().or_else(|| node_text.value());
            (node.rect().left(), text.expect("a text"))
        })
        .collect();
    beside.sort_by(|a, b| a.0.total_cmp(&b.0));
    beside.into_iter().map(|(_, text)| text).collect()
}

/// Each number of the right panel is that of the meter it stands beside, computed from the features
/// and weights that the window has.
#[test]
fn the_panel_writes_each_meter_beside_its_name() {
    let settings = [("loss.id", "arcface"), ("run.steps", "30")];
    let mut harness = window_of_size(&small(&settings), [1280.0, 1400.0]);
    wait_for(&mut harness, "the end of the run", |app| {
        app.snapshot()
            .is_some_and(|s| s.step == 30 && !s.is_playing)
    });
    harness.key_press(Key::F); // fits the picture, and lets a frame pass
    harness.run_steps(3);
    harness.get_by_label("Neural collapse").click();
    harness.run_steps(20); // the fold opens
    let shown = in_window::snapshot(&harness);
    let defined = Defined::new(&shown.head, &shown.probe.features, &shown.probe.labels);
    let metrics = defined.metrics();
    let collapse = defined.collapse().expect("all classes");
    let degrees = |angle: Option<f64>| format!("{:.1}°", angle.expect("an angle").to_degrees());
    let number = |value: f64| format!("{value:.3}");
    assert_eq!(shown.head.dim, 2);
    let best_rad = std::f64::consts::TAU / shown.head.n_classes as f64;
    let meters = [
        ("angle to own weight", degrees(metrics.target_angle_rad)),
        (
            "spread within a class",
            degrees(metrics.intra_class_angle_rad),
        ),
        ("least weight angle", degrees(metrics.min_weight_angle_rad)),
        (
            "least class angle",
            degrees(metrics.min_class_mean_angle_rad),
        ),
        (
            "samples with their margin",
            format!("{:.0}%", 100.0 * metrics.margin_satisfied),
        ),
        (
            "mean feature length",
            format!("{:.1}", metrics.mean_feature_norm),
        ),
        ("NC1 spread within", number(collapse.within)),
        ("NC2 unequal lengths", number(collapse.unequal_lengths)),
        (
            "NC2 least over best angle",
            number(metrics.min_class_mean_angle_rad.expect("an angle") / best_rad),
        ),
        ("NC3 weights off means", number(collapse.off_dual)),
    ];
    for (i, (label, expected)) in meters.iter().enumerate() {
        assert_eq!(&written_beside(&harness, label), expected, "{label}");
        let others = meters[..i].iter();
        assert!(
            others.clone().all(|(_, other)| other != expected),
            "{expected} twice: a mistake would not show"
        );
    }
    let headline = format!("{:.1}", 100.0 * metrics.accuracy);
    assert!(
        harness.query_all_by_label(&headline).count() >= 1,
        "{headline}"
    );
}
