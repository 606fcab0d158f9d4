//! The engine that trains: what free embeddings find, what changes in mid-run, and a worker that
//! survives whatever it is told.

mod common;

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use common::runs::{BLOBS, experiment, metrics, steps, trainer};
use marginscope::experiment::{Change, Experiment, ViewKind};
use marginscope::export::svg;
use marginscope::loss::{Form, LOSSES};
use marginscope::scene;
use marginscope::scene::ViewState;
use marginscope::scene::theme::DARK;
use marginscope::trainer::{
    Applied, Command, HeadState, Horizon, Probe, Snapshot, Speed, Subset, Trainer, Worker,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

// ---------------------------------------------------------------- geometry of free embeddings

/// `--data free --network none` in `dim` dimensions.
fn free<'a>(
    dim: &'a str,
    classes: &'a str,
    loss: &'a str,
    scale: &'a str,
    seed: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("data.source", "free"),
        ("network.kind", "none"),
        ("network.dim", dim),
        ("data.classes", classes),
        ("loss.id", loss),
        ("loss.scale", scale),
        ("run.seed", seed),
    ]
}

fn weight_angle_deg(trainer: &Trainer) -> f64 {
    trainer
        .head_state()
        .min_weight_angle_rad()
        .map_or(f64::NAN, f64::to_degrees)
}

/// `target_deg` is the best possible angle less what 2,000 steps may leave; measured: all seeds
/// 1..=5 end within 0.001° of the best.
#[track_caller]
fn check_geometry(dim: &str, classes: &str, target_deg: f64) {
    for seed in ["1", "2", "3"] {
        let mut run = trainer(
            &free(dim, classes, "normface", "4", seed),
            Horizon::Steps(2000),
            1,
        );
        let before = weight_angle_deg(&run);
        steps(&mut run, 2000);
        let after = weight_angle_deg(&run);
        assert!(
            before < 0.8 * target_deg,
            "seed {seed} starts at {before}°, which shows nothing"
        );
        assert!(
            after >= target_deg,
            "seed {seed}: {after}° of {target_deg}°"
        );
    }
}

#[test]
fn four_classes_find_the_tetrahedron() {
    check_geometry("3", "4", 109.3);
}

#[test]
fn six_classes_find_the_octahedron() {
    check_geometry("3", "6", 89.8);
}

#[test]
fn twelve_classes_find_the_icosahedron() {
    check_geometry("3", "12", 63.3);
}

#[test]
fn eight_classes_find_the_octagon() {
    check_geometry("2", "8", 44.9);
}

/// A margin below its ceiling holds for all samples, one above it for none (`losses.md` 5.2, 5.7).
/// Measured: shares 1.000 and 0.000 for all seeds 1..=5.
#[track_caller]
fn check_cliff(loss: &str, dim: &str, classes: &str, scale: &str, below: &str, above: &str) {
    for seed in ["1", "2", "3"] {
        let share = |margin: &str| {
            let mut settings = free(dim, classes, loss, scale, seed);
            settings.push(("loss.margin", margin));
            let mut run = trainer(&settings, Horizon::Steps(2000), 1);
            steps(&mut run, 2000);
            metrics(&run).margin_satisfied
        };
        let (low, high) = (share(below), share(above));
        assert!(low >= 0.99, "{loss} {below}, seed {seed}: {low}");
        assert_eq!(high, 0.0, "{loss} {above}, seed {seed}");
    }
}

#[test]
fn cosface_falls_off_its_cliff_on_the_circle() {
    check_cliff("cosface", "2", "10", "16", "0.185", "0.195");
}

/// Ten free classes on the circle under `CosFace` after 2,000 steps: gaps between neighboring
/// weights in degrees, from the least on, share of satisfied margins, accuracy.
fn past_the_ceiling(margin: &str, seed: &str) -> (Vec<f64>, f64, f64) {
    let mut settings = free("2", "10", "cosface", "16", seed);
    settings.push(("loss.margin", margin));
    let mut run = trainer(&settings, Horizon::Endless, 1);
    steps(&mut run, 2000);
    let head = run.head_state();
    let direction = |j: usize| f64::from(head.weight(j)[1]).atan2(f64::from(head.weight(j)[0]));
    let mut around: Vec<f64> = (0..10).map(|j| direction(j).to_degrees()).collect();
    around.sort_by(f64::total_cmp);
    let gap = |j: usize| (around[(j + 1) % 10] - around[j]).rem_euclid(360.0);
    let mut gaps: Vec<f64> = (0..10).map(gap).collect();
    gaps.sort_by(f64::total_cmp);
    let metrics = metrics(&run);
    (gaps, metrics.margin_satisfied, metrics.accuracy)
}

/// Far past its ceiling of 0.191 a margin is kept by some classes at the cost of others: at 0.30
/// the most are 45° apart and three to four are pressed together, but still told apart. At 0.40 two
/// pairs have fused for good, with half of their samples taken for the partner.
///
/// Not five pairs at 72°: with features at their weights these cost ln(1 + eˢᵐ + …) = 4.81 at
/// m = 0.30, s = 16, and the even decagon 2.52.
#[test]
fn far_past_the_ceiling_classes_are_pressed_together_and_fuse_in_pairs() {
    for seed in ["1", "2", "3"] {
        let (gaps, share, accuracy) = past_the_ceiling("0.30", seed);
        assert!(gaps[0] < 13.0 && gaps[0] > 5.0, "seed {seed}: {gaps:?}");
        assert!(gaps[5] > 40.0, "seed {seed}: {gaps:?}");
        assert!((0.3..0.6).contains(&share), "seed {seed}: {share}");
        assert_eq!(accuracy, 1.0, "seed {seed}");
        let (gaps, share, accuracy) = past_the_ceiling("0.40", seed);
        assert!(gaps[1] < 0.5 && gaps[2] > 10.0, "seed {seed}: {gaps:?}");
        assert!(share < 0.5, "seed {seed}: {share}");
        assert!((accuracy - 0.8).abs() < 0.051, "seed {seed}: {accuracy}");
    }
    let cost = |cosines: &[f64]| -> f64 {
        let rivals = cosines.iter().map(|cos| (16.0 * (cos - 0.7)).exp());
        rivals.sum::<f64>().ln_1p()
    };
    let cos_deg = |degrees: f64| degrees.to_radians().cos();
    let pairs: Vec<f64> = [0.0, 72.0, 72.0, 72.0, 72.0, 144.0, 144.0, 144.0, 144.0]
        .map(cos_deg)
        .to_vec();
    let decagon: Vec<f64> = (1..10).map(|k| cos_deg(36.0 * f64::from(k))).collect();
    assert!((cost(&pairs) - 4.81).abs() < 0.005 && (cost(&decagon) - 2.52).abs() < 0.005);
}

/// What the window goes through: a margin that is dragged past its ceiling in mid-run.
#[test]
fn a_margin_dragged_past_the_ceiling_presses_classes_together() {
    let mut run = trainer(&free("2", "10", "cosface", "16", "1"), Horizon::Endless, 1);
    steps(&mut run, 500);
    assert_eq!(metrics(&run).margin_satisfied, 1.0);
    assert!(weight_angle_deg(&run) > 35.9);
    set(&mut run, "loss.margin", "0.30");
    steps(&mut run, 1);
    assert_eq!(metrics(&run).margin_satisfied, 0.0);
    steps(&mut run, 2000);
    let share = metrics(&run).margin_satisfied;
    assert!((0.3..0.6).contains(&share), "{share}");
    assert!(weight_angle_deg(&run) < 13.0);
}

#[test]
fn arcface_falls_off_its_cliff_on_the_circle() {
    check_cliff("arcface", "2", "10", "16", "0.62", "0.64");
}

#[test]
fn cosface_falls_off_its_cliff_on_the_sphere() {
    check_cliff("cosface", "3", "12", "8", "0.54", "0.57");
}

#[test]
fn arcface_falls_off_its_cliff_on_the_sphere() {
    check_cliff("arcface", "3", "6", "8", "1.55", "1.60");
}

// ---------------------------------------------------------------- points of the plane

/// As in the window with nothing but data and loss chosen. One sample in a hundred of these sets
/// lies nearer to another class (`DataSource::default_noise`). Measured: 97.7% at least after 2,000 steps, seeds
/// 1..=6.
#[track_caller]
fn check_all_losses_learn(source: &str) {
    const N_STEPS: u64 = 1000;
    for spec in LOSSES.iter().filter(|spec| spec.form != Form::Binary) {
        let is_cosine = spec.form.is_cosine(); // the ones that failed
        for seed in if is_cosine { &["1", "2"][..] } else { &["1"] } {
            let settings = [
                ("data.source", source),
                ("loss.id", spec.id),
                ("run.seed", *seed),
            ];
            let mut run = trainer(&settings, Horizon::Endless, 1);
            run.threads().install(|| steps(&mut run, N_STEPS));
            let data = Arc::clone(run.data());
            let test = data.test.as_ref().and_then(|test| run.evaluate(test));
            let accuracy = test.map_or(0.0, |metrics| metrics.accuracy);
            assert!(
                accuracy >= 0.97,
                "{source}, {}, seed {seed}: {accuracy}",
                spec.id
            );
        }
    }
}

#[test]
fn every_loss_learns_rings_with_its_defaults() {
    check_all_losses_learn("rings");
}

#[test]
fn every_loss_learns_the_spiral_with_its_defaults() {
    check_all_losses_learn("spiral");
}

/// Without a length a headless run is long enough for that: three epochs would be 33 steps.
#[test]
fn a_headless_run_on_points_lasts_as_long_as_it_takes() {
    let settings = [("data.source", "spiral"), ("loss.id", "arcface")];
    let experiment = experiment(&settings);
    assert_eq!(experiment.n_steps(1500), 2000);
    let mut run = trainer(&settings, Horizon::Steps(2000), 1);
    steps(&mut run, 2000);
    let accuracy = metrics(&run).accuracy;
    assert!(accuracy >= 0.98, "{accuracy}");
}

/// A circle of few classes needs less scale; what is not a map of the plane to the circle keeps 16.
#[test]
fn the_default_scale_of_points_is_what_their_classes_need() {
    for (settings, expected) in [
        (&[("data.source", "spiral")][..], 4.0),
        (&[("data.source", "rings"), ("classes", "5")], 8.0),
        (&[("data.source", "rings"), ("classes", "8")], 16.0),
        (&[("data.source", "rings"), ("dim", "3")], 16.0),
        (&[("data.source", "blobs")], 16.0),
        (&[("data.source", "mnist")], 16.0),
        (&[("data.source", "mnist"), ("classes", "3")], 16.0),
        (&[("data.source", "rings"), ("network.kind", "none")], 16.0),
        (&[("data.source", "rings"), ("scale", "30")], 30.0),
    ] {
        let experiment = experiment(&[&[("loss.id", "normface")], settings].concat());
        assert_eq!(experiment.loss_values()[0], expected, "{settings:?}");
    }
}

// ---------------------------------------------------------------- changes in mid-run

/// Endless, on eight blobs, `n` steps in.
fn blobs_at(n: u64) -> Trainer {
    let mut run = trainer(BLOBS, Horizon::Endless, 1);
    steps(&mut run, n);
    run
}

#[track_caller]
fn set(run: &mut Trainer, key: &str, value: &str) {
    assert_eq!(
        run.set(key, value).map_err(|e| e.to_string()),
        Ok(Applied::Live),
        "{key} = {value}"
    );
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
    assert_eq!(recipe.run.changes, expected);
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
        run.session().map_err(|error| error.to_string())
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
    assert_eq!(changes[1].value, "0.99");
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

/// Batches larger than the data, batches that change, one dimension, no ramp, no step at all.
#[test]
fn odd_sizes_train() {
    for settings in [
        &[("batch", "100000")][..],
        &[("batch", "1")],
        &[("dim", "1")],
        &[("dim", "1"), ("loss.id", "softmax")],
        &[("ramp", "0"), ("warmup", "0")],
        &[("classes", "2"), ("loss.id", "binary_cross_entropy")],
        &[("classes", "2"), ("dim", "3")],
        &[("classes", "100"), ("samples", "2"), ("dim", "3")],
        &[("dim", "8")],
        &[("optimizer.kind", "adam"), ("schedule", "constant")],
    ] {
        let mut run = trainer(&[BLOBS, settings].concat(), Horizon::Endless, 2);
        let loss = steps(&mut run, 20);
        assert!(loss.is_finite(), "{settings:?}");
        for batch in ["33", "5000", "7"] {
            set(&mut run, "batch", batch);
            assert!(
                steps(&mut run, 5).is_finite(),
                "{settings:?}, batch {batch}"
            );
        }
        assert!(run.evaluate(&run.data().train).is_some());
    }
    let none = experiment(&[("steps", "0")]);
    assert_eq!(none.n_steps(60_000), 0);
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

/// Measured: 93%; the default in two dimensions has 70% after so few steps, of which 100 warm up.
#[test]
fn mnist_is_learned_in_150_steps() {
    let settings = [("loss.id", "arcface"), ("dim", "3")];
    let mut run = trainer(&settings, Horizon::Steps(150), 2);
    steps(&mut run, 150);
    let data = std::sync::Arc::clone(run.data());
    let Some(test) = &data.test else {
        panic!("MNIST has a test set");
    };
    let accuracy = run.evaluate(test).map_or(0.0, |metrics| metrics.accuracy);
    assert!(accuracy > 0.8, "accuracy {accuracy}");
}

// ---------------------------------------------------------------- the worker

/// Runs `test` on a thread of its own and fails if it is not done in time: a deadlock would hang.
#[track_caller]
fn within(limit: Duration, test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let spawned = std::thread::Builder::new()
        .name("watched".to_owned())
        .spawn(move || {
            test();
            let _ = done.send(()); // nobody listens after the limit
        });
    let Ok(thread) = spawned else {
        panic!("no thread");
    };
    match is_done.recv_timeout(limit) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("not done within {limit:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

#[track_caller]
fn worker(settings: &[(&str, &str)]) -> Worker {
    match Worker::spawn(&experiment(settings), 1, || ()) {
        Ok(worker) => worker,
        Err(error) => panic!("{error}"),
    }
}

/// The first snapshot for which `wanted` holds.
fn wait_for(worker: &Worker, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    loop {
        if let Some(snapshot) = worker.snapshot().filter(|snapshot| wanted(snapshot)) {
            return snapshot;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[track_caller]
fn assert_finite(snapshot: &Snapshot) {
    let Snapshot { head, probe, .. } = snapshot;
    let tensors = [&head.weights, &head.bias, &head.centers, &probe.features];
    for values in tensors {
        assert!(values.iter().all(|x| x.is_finite()));
    }
}

fn random_command(rng: &mut ChaCha8Rng) -> Command {
    let set = |key: &str, value: &str| Command::Set {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let load = |settings: &[(&str, &str)]| {
        Command::Load(Box::new(experiment(&[BLOBS, settings].concat())))
    };
    match rng.random_range(0..25) {
        0 => Command::Play,
        1 => Command::Pause,
        2 => Command::Step(rng.random_range(0..5)),
        3 => Command::Restart,
        4 => load(&[("dim", "3")]),
        5 => load(&[("classes", "2"), ("loss.id", "binary_cross_entropy")]),
        6 => load(&[("data.source", "free"), ("network.kind", "none")]),
        7 => Command::Show(Subset::Train(rng.random_range(0..500))),
        8 => Command::Show(Subset::Test(rng.random_range(0..500))),
        9 => set("dim", "4"),
        10 => set("dim", "2"),
        11 => set("dim", "0"),
        12 => set("margn", "0.2"),
        13 => set("margin", "0.2"),
        14 => set("margin", "99"),
        15 => set("loss.id", "softmax"),
        16 => set("loss.id", "arcface"),
        17 => set("loss.id", "center"),
        18 => set("loss.id", "sphereface"),
        19 => set("batch", "31"),
        20 => set("optimizer.kind", "adam"),
        21 => set("optimizer.kind", "sgd"),
        22 => set("classes", "5"),
        23 => Command::Speed(Speed::ALL[rng.random_range(0..Speed::ALL.len())]),
        _ => set("data.source", "free"),
    }
}

#[test]
fn a_thousand_random_commands_do_no_harm() {
    const SEED: u64 = 20;
    within(Duration::from_mins(1), || {
        let mut worker = worker(BLOBS);
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let (mut generation, mut n_seen) = (0, 0);
        for _ in 0..1000 {
            worker.send(random_command(&mut rng));
            if rng.random_range(0..10) == 0 {
                std::thread::sleep(Duration::from_millis(2));
            }
            if let Some(snapshot) = worker.snapshot() {
                assert!(snapshot.generation >= generation, "generations go back");
                generation = snapshot.generation;
                n_seen += 1;
                assert_finite(&snapshot);
            }
        }
        // It still obeys: a last run of its own shows up, and trains.
        worker.send(Command::Speed(Speed::Full));
        worker.send(Command::Load(Box::new(experiment(
            &[BLOBS, &[("seed", "77")]].concat(),
        ))));
        wait_for(&worker, |s| s.experiment.run.seed == 77 && s.step > 10);
        assert!(n_seen > 100, "{n_seen} snapshots");
    });
}

#[test]
fn two_pauses_at_one_step_give_the_same_scene() {
    within(Duration::from_secs(30), || {
        // However the run came to the step, and whatever was probed on the way.
        let shown = |stretches: &[u64]| {
            let mut worker = worker(BLOBS);
            worker.send(Command::Pause);
            worker.send(Command::Restart);
            let mut number = 0;
            for &n_steps in stretches {
                number = worker.send(Command::Step(n_steps));
                wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
            }
            let snapshot = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
            assert_eq!((snapshot.generation, snapshot.step), (2, 137));
            assert!(snapshot.probe.computed_at.iter().all(|&step| step == 137));
            let mut view = ViewState::new(ViewKind::Plane, DARK);
            let _ = view.fit(&snapshot, [900.0, 700.0]);
            (snapshot.probe.clone(), snapshot.head.clone(), {
                svg::svg(&scene::build(&snapshot, &view, [900.0, 700.0]))
            })
        };
        let at_once = shown(&[137]);
        assert!(at_once == shown(&[137]));
        assert!(at_once == shown(&[1, 50, 86]));
    });
}

/// What is left of a run that was stopped at a step: everything in it follows from the parameters.
fn rest_of(snapshot: &Snapshot) -> (u64, Probe, HeadState) {
    let computed_at = &snapshot.probe.computed_at;
    assert!(computed_at.iter().all(|&step| step == snapshot.step));
    (snapshot.step, snapshot.probe.clone(), snapshot.head.clone())
}

#[test]
fn no_speed_changes_a_bit() {
    within(Duration::from_mins(1), || {
        let at_full_speed = |n_steps: u64| {
            let mut worker = worker(BLOBS);
            worker.send(Command::Pause);
            worker.send(Command::Restart);
            let number = worker.send(Command::Step(n_steps));
            rest_of(&wait_for(&worker, |s| {
                s.n_commands >= number && !s.is_playing
            }))
        };
        // A run of 40 steps at a pace, and changes of pace on its way.
        for speeds in [
            &[Speed::PerSecond(300)][..],
            &[Speed::Full],
            &[Speed::PerSecond(30), Speed::PerSecond(300), Speed::Full],
        ] {
            let mut worker = worker(&[BLOBS, &[("steps", "40")]].concat());
            worker.send(Command::Pause);
            worker.send(Command::Restart);
            worker.send(Command::Play);
            let mut number = 0;
            for &speed in speeds {
                number = worker.send(Command::Speed(speed));
                std::thread::sleep(Duration::from_millis(50));
            }
            let rested = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
            assert!(rest_of(&rested) == at_full_speed(40), "{speeds:?}");
        }
    });
}

#[test]
fn at_one_step_a_second_steps_and_pauses_are_exact() {
    within(Duration::from_mins(1), || {
        let mut worker = worker(BLOBS);
        worker.send(Command::Speed(Speed::PerSecond(1)));
        worker.send(Command::Pause);
        worker.send(Command::Restart);
        // Steps that are asked for do not wait for their second.
        let number = worker.send(Command::Step(37));
        let stepped = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
        assert_eq!(rest_of(&stepped).0, 37);
        // Playing, every step is shown with all its samples, and a pause stays where it is said.
        let number = worker.send(Command::Play);
        let played = wait_for(&worker, |s| s.n_commands >= number && s.step > 37);
        assert!(played.is_playing && rest_of(&played).0 > 37);
        let number = worker.send(Command::Pause);
        let paused = wait_for(&worker, |s| s.n_commands >= number);
        assert!(!paused.is_playing);
        let number = worker.send(Command::Step(1));
        let last = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
        assert_eq!(rest_of(&last).0, paused.step + 1);
    });
}

#[test]
fn a_slow_run_obeys_while_it_waits_and_stays_slow_after_a_restart() {
    within(Duration::from_mins(1), || {
        let mut worker = worker(BLOBS);
        worker.send(Command::Speed(Speed::PerSecond(1)));
        let number = worker.send(Command::Restart);
        let first = wait_for(&worker, |s| s.n_commands >= number && s.step > 0);
        let number = worker.send(Command::Set {
            key: "loss.margin".into(),
            value: "0.2".into(),
        });
        let changed = wait_for(&worker, |s| s.n_commands >= number);
        assert_eq!(changed.head.values[0], 0.2);
        // Full speed would make thousands of steps meanwhile, a busy machine here a few.
        let next = wait_for(&worker, |s| s.step > first.step);
        assert!(next.step - first.step < 20, "{} {}", first.step, next.step);
    });
}

#[test]
fn a_snapshot_says_which_commands_it_answers() {
    within(Duration::from_secs(30), || {
        let mut worker = worker(BLOBS);
        let set = |key: &str, value: &str| Command::Set {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let first = worker.send(set("loss.id", "cosface"));
        let bad = worker.send(set("loss.margin", "99"));
        let last = worker.send(set("loss.margin", "0.2"));
        assert!(first < bad && bad < last);
        let snapshot = wait_for(&worker, |s| s.n_commands >= last);
        assert_eq!(snapshot.head.spec.id, "cosface");
        assert_eq!(snapshot.head.values[0], 0.2);
        // A refusal stays to be read, also after later commands.
        let refusal = snapshot.refusal.clone().map(|r| (r.command, r.reason));
        let (number, reason) = refusal.unwrap_or_default();
        assert_eq!(number, bad);
        assert!(reason.contains("margin"), "{reason}");
        let mut replay = snapshot.recipe();
        assert_eq!(replay.loss.spec.id, "arcface", "as it stood at the start");
        assert_eq!(replay.run.changes.len(), 2);
        replay.run.changes.clear();
        assert_eq!(replay, experiment(BLOBS));
    });
}

#[test]
fn pausing_shows_all_features_at_the_step_it_rests_at() {
    within(Duration::from_secs(30), || {
        let mut worker = worker(BLOBS);
        wait_for(&worker, |s| s.step > 50);
        worker.send(Command::Pause);
        let first = wait_for(&worker, |s| !s.is_playing);
        assert!(
            first
                .probe
                .computed_at
                .iter()
                .all(|&step| step == first.step)
        );
        worker.send(Command::Pause);
        std::thread::sleep(Duration::from_millis(20));
        let Some(second) = worker.snapshot() else {
            panic!("a snapshot was there");
        };
        assert_eq!(second.step, first.step);
        assert!(second.probe == first.probe);
    });
}

#[test]
fn a_run_with_a_length_pauses_there_and_play_goes_on() {
    within(Duration::from_secs(30), || {
        for (length, n_steps) in [
            (("steps", "25"), 25),
            (("epochs", "1"), 12),
            (("steps", "0"), 0),
        ] {
            let samples = [("samples", "40"), ("classes", "4"), ("batch", "13"), length];
            let mut worker = worker(&[BLOBS, &samples].concat());
            let paused = wait_for(&worker, |s| !s.is_playing);
            assert_eq!(paused.step, n_steps, "{length:?}");
            worker.send(Command::Play);
            wait_for(&worker, |s| s.step > n_steps + 20);
            // A restart at rest has its whole length before it again.
            worker.send(Command::Pause);
            worker.send(Command::Restart);
            let number = worker.send(Command::TogglePlay);
            if n_steps > 0 {
                let again = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
                assert_eq!(again.step, n_steps, "{length:?}");
            }
        }
    });
}

#[test]
fn dropping_a_worker_ends_it_promptly() {
    within(Duration::from_secs(30), || {
        let busy = worker(&[BLOBS, &[("batch", "300"), ("network.kind", "mlp:512,512")]].concat());
        wait_for(&busy, |s| s.step > 0);
        let start = Instant::now();
        drop(busy);
        // A step takes some milliseconds; seconds would be a queue that is worked off first.
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    });
}

#[test]
fn a_diverging_run_stops_at_a_finite_picture_and_says_what_to_try() {
    for loss in ["softmax", "arcface", "center"] {
        within(Duration::from_secs(30), move || {
            let settings = [
                ("loss.id", loss),
                ("learning_rate", "100"),
                ("clip", "0"),
                ("warmup", "0"),
                ("optimizer.weight_decay", "1"),
            ];
            let mut worker = worker(&[BLOBS, &settings].concat());
            let end = Instant::now() + Duration::from_secs(20);
            let fault = loop {
                if let Some(snapshot) = worker.snapshot() {
                    assert_finite(&snapshot);
                    if snapshot.fault.is_some() {
                        break snapshot;
                    }
                }
                assert!(Instant::now() < end, "{loss} does not diverge");
            };
            let message = fault.fault.clone().unwrap_or_default();
            assert!(
                message.contains("diverged at step")
                    && message.contains("try a lower learning rate"),
                "{message}"
            );
            assert!(!fault.is_playing);
            worker.send(Command::Play); // a fault is not played over
            worker.send(Command::Set {
                key: "learning_rate".into(),
                value: "0.01".into(),
            });
            let rested = wait_for(&worker, |s| s.experiment.learning_rate() == 0.01);
            assert!(!rested.is_playing && rested.fault.is_some());
            assert_finite(&rested);
            worker.send(Command::Restart);
            wait_for(&worker, |s| s.fault.is_none() && s.step > 5);
        });
    }
}
