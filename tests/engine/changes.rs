//! Changes in mid-run, and runs that repeat with them.

use super::*;

/// Endless, on eight blobs, `n` steps in.
fn blobs_at(n: u64) -> Trainer {
    let mut run = trainer(BLOBS, Horizon::Endless, 1);
    steps(&mut run, n);
    run
}

fn features(run: &Trainer) -> Vec<f32> {
    run.features(&run.data().train)
}

#[test]
fn a_new_loss_or_margin_keeps_steps_weights_and_features() {
    let mut run = blobs_at(50);
    for (key, value) in [
        ("loss.margin", "0.5"),
        ("loss.id", "softmax"),
        ("loss.id", "sphereface"),
        ("loss.id", "cosface"),
        ("scale", "30"),
        ("learning_rate", "0.01"),
        ("batch", "17"),
        ("optimizer.kind", "adam"),
    ] {
        let before = (run.n_steps(), run.parameters_sha256(), features(&run));
        set(&mut run, key, value);
        let after = (run.n_steps(), run.parameters_sha256(), features(&run));
        assert!(
            before == after,
            "{key} = {value} moved the parameters at rest"
        );
        steps(&mut run, 3);
    }
}

#[test]
fn the_ramp_begins_with_the_loss_and_ends_with_a_slider() {
    let mut run = blobs_at(150);
    let margin = |run: &Trainer| run.values_in_force()[0];
    assert!(
        (margin(&run) - 0.15).abs() < 1e-9,
        "half of 0.3 after 150 of 300 steps"
    );
    set(&mut run, "loss.margin", "0.5");
    assert_eq!(margin(&run), 0.5);
    set(&mut run, "loss.id", "cosface");
    assert_eq!(margin(&run), 0.0);
    steps(&mut run, 150);
    assert!((margin(&run) - 0.05).abs() < 1e-9, "half of 0.1");
    steps(&mut run, 150);
    assert_eq!(margin(&run), 0.1);
    set(&mut run, "loss.ramp", "0");
    set(&mut run, "loss.id", "arcface");
    assert_eq!(
        margin(&run),
        0.3,
        "without a ramp a margin is there at once"
    );
}

#[test]
fn lambda_anneals_from_the_choice_of_the_loss() {
    let mut run = blobs_at(100);
    let lambda = |run: &Trainer| run.values_in_force()[1];
    set(&mut run, "loss.id", "sphereface");
    assert_eq!(lambda(&run), 1000.0);
    steps(&mut run, 100);
    assert!((lambda(&run) - 1000.0 / 13.0).abs() < 1e-9);
    set(&mut run, "lambda", "200");
    assert_eq!(lambda(&run), 200.0);
}

#[test]
fn what_shapes_the_parameters_needs_a_new_run() {
    let mut run = blobs_at(10);
    for (key, value) in [
        ("dim", "3"),
        ("data.source", "rings"),
        ("classes", "4"),
        ("network.kind", "mlp:8"),
        ("seed", "9"),
        ("loss.init", "random"),
    ] {
        let before = run.parameters_sha256();
        let applied = run.set(key, value).map_err(|error| error.to_string());
        let Ok(Applied::NeedsRestart(next)) = applied else {
            panic!("{key} = {value}: {applied:?}");
        };
        assert_eq!(next.get(key).as_deref(), Some(value));
        assert!(next.run.changes.is_empty());
        assert_eq!(before, run.parameters_sha256());
        assert!(run.experiment().get(key).as_deref() != Some(value), "{key}");
    }
}

#[test]
fn refused_values_change_nothing() {
    let mut run = blobs_at(10);
    let before = (Arc::clone(run.experiment()), run.parameters_sha256());
    for (key, value) in [
        ("loss.margin", "4"),
        ("loss.margin", "nan"),
        ("loss.scale", "-1"),
        ("loss.id", "arcfaces"),
        ("loss.id", "binary_cross_entropy"),
        ("loss.lambda", "1"),
        ("margn", "1"),
        ("batch", "0"),
        ("dim", "0"),
        ("data.source", "free"),
        ("kind", "adam"),
        ("", ""),
    ] {
        assert!(run.set(key, value).is_err(), "{key} = {value} was taken");
        assert!(before == (Arc::clone(run.experiment()), run.parameters_sha256()));
    }
}

/// Makes `script` on a run, then repeats the run from its recipe alone.
#[track_caller]
fn check_replay(settings: &[(&str, &str)], script: &[(u64, &str, &str)]) -> Experiment {
    let mut run = trainer(settings, Horizon::Endless, 1);
    for &(step, key, value) in script {
        let missing = step - run.n_steps();
        steps(&mut run, missing);
        set(&mut run, key, value);
    }
    let end = run.n_steps() + 60;
    steps(&mut run, 60);
    let recipe = run.recipe();
    let text = recipe.to_toml();
    let read = Experiment::from_toml(&text, "recipe.toml").map_err(|error| error.to_string());
    assert_eq!(read.as_ref(), Ok(&recipe), "{text}");
    let Ok(mut again) = Trainer::new(&recipe, Some(Horizon::Endless), 2) else {
        panic!("{text}");
    };
    steps(&mut again, end);
    assert_eq!(again.parameters_sha256(), run.parameters_sha256(), "{text}");
    assert_eq!(again.experiment(), run.experiment());
    recipe
}

#[test]
fn replaying_the_recorded_changes_repeats_the_run() {
    let recipe = check_replay(
        BLOBS,
        &[
            (40, "margin", "0.6"),
            (80, "loss.id", "softmax"),
            (100, "batch", "50"),
            (120, "learning_rate", "0.02"),
            (160, "loss.id", "cosface"),
        ],
    );
    let expected = [
        (40, "loss.margin", "0.6"),
        (80, "loss.id", "softmax"),
        (100, "optimizer.batch", "50"),
        (120, "optimizer.learning_rate", "0.02"),
        (160, "loss.id", "cosface"),
    ]
    .map(|(step, key, value)| Change {
        step,
        key: key.to_owned(),
        value: value.to_owned(),
    });
    assert_eq!(recipe.run.changes, expected.into_iter().collect());
    assert_eq!(
        recipe.loss.spec.id, "arcface",
        "the recipe begins as the run began"
    );
}

/// At one step: choices that undo each other, and a slider that comes back, all leave something.
#[test]
fn changes_at_one_step_repeat_the_run_too() {
    check_replay(
        BLOBS,
        &[
            (50, "margin", "0.6"),
            (100, "loss.id", "softmax"),
            (100, "loss.id", "arcface"), // drops the margin of 0.6
            (150, "margin", "0.7"),
            (150, "margin", "0.8"),
            (150, "margin", "0.3"), // back to the default, with the ramp ended
            (200, "optimizer.kind", "adam"),
            (230, "optimizer.kind", "sgd"),
        ],
    );
}

/// `NormFace` in between puts free features on the sphere, which no later choice undoes.
#[test]
fn a_loss_that_was_only_passed_through_repeats_too() {
    check_replay(
        &free_softmax(),
        &[
            (30, "loss.id", "center"),
            (30, "loss.id", "normface"),
            (30, "loss.id", "modified_softmax"),
        ],
    );
}

fn free_softmax() -> Vec<(&'static str, &'static str)> {
    vec![
        ("data.source", "free"),
        ("network.kind", "none"),
        ("loss.id", "softmax"),
    ]
}

#[test]
fn a_loss_chosen_before_the_first_step_is_part_of_the_recipe() {
    let softmax = [BLOBS, &[("loss.id", "softmax")]].concat();
    check_replay(&softmax, &[(0, "loss.id", "arcface"), (0, "margin", "0.4")]);
}

#[test]
fn a_session_has_the_same_bytes_for_the_same_run() {
    let session = || {
        let mut run = blobs_at(10);
        set(&mut run, "margin", "0.5");
        let session = run.session(run.recipe().to_toml(), History::default());
        session.to_bytes().map_err(|error| error.to_string())
    };
    let first = session();
    assert!(first.as_ref().is_ok_and(|bytes| bytes.len() > 1000));
    for _ in 0..8 {
        assert!(session() == first);
    }
}

#[test]
fn a_dragged_slider_leaves_two_changes_at_most() {
    let mut run = blobs_at(20);
    for i in 0..100 {
        set(&mut run, "margin", &format!("0.{i:02}"));
    }
    let changes = &run.experiment().run.changes;
    assert_eq!(changes.len(), 2);
    let last = changes.newest_first().next();
    assert_eq!(last.map(|change| change.value.as_str()), Some("0.99"));
}

/// Mean angle between two sets of features, in radians.
fn mean_angle_rad(a: &[f32], b: &[f32], dim: usize) -> f64 {
    let angles = a
        .chunks_exact(dim)
        .zip(b.chunks_exact(dim))
        .map(|(a, b)| marginscope::trainer::metrics::angle_between(a, b));
    angles.sum::<f64>() / (a.len() / dim) as f64
}

/// Design section 3: a run in the window has no end, and still answers to a click.
/// As in the window, which has no end: the rate rests at its floor when ArcFace is chosen.
#[test]
#[ignore = "trains 5,400 steps of MNIST: cargo test --release --test engine -- --ignored"]
fn arcface_chosen_at_step_5000_of_mnist_changes_the_picture() {
    let mut run = trainer(&[], Horizon::Endless, 2);
    steps(&mut run, 5000);
    let before = run.features(&run.data().train);
    steps(&mut run, 200);
    let rested = run.features(&run.data().train);
    set(&mut run, "loss.id", "arcface");
    steps(&mut run, 200);
    let after = run.features(&run.data().train);
    let unchanged = mean_angle_rad(&before, &rested, 2).to_degrees();
    let changed = mean_angle_rad(&rested, &after, 2).to_degrees();
    assert!(
        changed > 5.0 && changed > 3.0 * unchanged,
        "turned by {unchanged:.2}° under softmax, {changed:.2}° under ArcFace"
    );
}

#[test]
fn arcface_chosen_late_moves_the_features_within_200_steps() {
    let settings = [BLOBS, &[("loss.id", "softmax")]].concat();
    let mut run = trainer(&settings, Horizon::Endless, 1);
    steps(&mut run, 4800);
    let before = features(&run);
    steps(&mut run, 200);
    let at_change = features(&run);
    let drift = mean_angle_rad(&before, &at_change, 2);
    let resting_rate = run.learning_rate();
    set(&mut run, "loss.id", "arcface");
    steps(&mut run, 200);
    assert!(resting_rate > 0.0 && run.learning_rate() > 5.0 * resting_rate);
    let moved = mean_angle_rad(&at_change, &features(&run), 2);
    assert!(
        moved > 5.0 * drift && moved > 0.02,
        "moved {moved} rad; 200 unchanged steps drift {drift} rad"
    );
}

/// What SGD left is no first moment: Adam's first step moves a number by its rate at most
/// (m̂/√v̂ is the sign of the gradient), while stale moments would move it several times as far.
#[test]
fn adam_chosen_again_starts_afresh() {
    const RATE: f32 = 1e-3;
    let settings = [
        ("learning_rate", "0"),
        ("schedule", "constant"),
        ("warmup", "0"),
        ("optimizer.kind", "adam"),
    ];
    let mut run = trainer(&[BLOBS, &settings].concat(), Horizon::Endless, 1);
    steps(&mut run, 30);
    set(&mut run, "optimizer.kind", "sgd");
    steps(&mut run, 30);
    set(&mut run, "optimizer.kind", "adam");
    set(&mut run, "learning_rate", "1e-3");
    let before = run.head_state().weights;
    steps(&mut run, 1);
    let after = run.head_state().weights;
    let moves = before.iter().zip(&after).map(|(a, b)| (a - b).abs());
    let most = moves.fold(0.0, f32::max);
    assert!(most > 0.5 * RATE && most < 1.01 * RATE, "moved {most}");
}
