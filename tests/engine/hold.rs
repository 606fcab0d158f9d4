//! Class weights and free features that are put somewhere by hand, and held there.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

use marginscope::experiment::{Placed, Placement};

use super::*;

fn put(run: &mut Trainer, what: Placed, to: &[f32]) {
    let placement = Placement {
        what,
        to: to.to_vec(),
    };
    let applied = run.set(&what.key(), &placement.value());
    assert_eq!(applied, Ok(Applied::Live));
}

fn weight(run: &Trainer, class: usize) -> Vec<f32> {
    run.head_state().weight(class).to_vec()
}

fn blobs(settings: &[(&str, &str)]) -> Trainer {
    let mut experiment = Experiment::default();
    let base = [
        ("data.source", "blobs"),
        ("data.classes", "5"),
        ("network.kind", "mlp:16"),
    ];
    for (key, value) in base.iter().chain(settings) {
        experiment.set(key, value).expect("a value of it");
    }
    Trainer::new(&experiment, None, 1).expect("a run")
}

fn steps(run: &mut Trainer, n: u64) {
    for _ in 0..n {
        run.step().expect("finite");
    }
}

#[test]
fn a_weight_is_put_somewhere_and_training_answers() {
    let mut run = blobs(&[("loss.id", "cosface")]);
    steps(&mut run, 200);
    let before = weight(&run, 2);
    let away = [-before[0], -before[1]];
    put(&mut run, Placed::Weight(2), &away);
    assert_eq!(weight(&run, 2), away);
    let step = run.n_steps();
    steps(&mut run, 300);
    assert_eq!(run.n_steps(), step + 300);
    assert_ne!(weight(&run, 2), away, "let go, it moves");
}

#[test]
fn a_pinned_weight_stays_while_all_else_moves() {
    for kind in ["sgd", "adam"] {
        let mut run = blobs(&[("loss.id", "arcface"), ("optimizer.kind", kind)]);
        steps(&mut run, 50);
        run.set("hold.pinned", "1,3").expect("classes of it");
        let before: Vec<Vec<f32>> = (0..5).map(|class| weight(&run, class)).collect();
        steps(&mut run, 100);
        for (class, before) in before.iter().enumerate() {
            let is_pinned = [1, 3].contains(&class);
            let stays = weight(&run, class) == *before;
            assert_eq!(stays, is_pinned, "{kind} {class}");
        }
        run.set("hold.pinned", "none").expect("none");
        steps(&mut run, 5);
        assert_ne!(weight(&run, 1), before[1]);
    }
}

#[test]
fn a_free_feature_is_put_somewhere() {
    for (loss, on_sphere) in [("softmax", false), ("normface", true)] {
        let mut run = blobs(&[("network.kind", "none"), ("loss.id", loss)]);
        steps(&mut run, 20);
        put(&mut run, Placed::Feature(7), &[3.0, 4.0]);
        let features = run.features(&run.data().train);
        let expected = if on_sphere { [0.6, 0.8] } else { [3.0, 4.0] };
        assert_eq!(features[14..16], expected, "{loss}");
    }
}

#[test]
fn the_recipe_repeats_what_hands_did() {
    let mut run = blobs(&[("loss.id", "arcface")]);
    steps(&mut run, 40);
    put(&mut run, Placed::Weight(0), &[0.25, -1.5]);
    put(&mut run, Placed::Weight(1), &[1.0, 0.0]);
    steps(&mut run, 1);
    run.set("hold.pinned", "0").expect("a class");
    steps(&mut run, 30);
    let text = run.recipe().to_toml();
    let recipe = Experiment::from_toml(&text, "recipe").expect("what was written");
    let mut again = Trainer::new(&recipe, Some(run.horizon()), 1).expect("a run");
    steps(&mut again, run.n_steps());
    assert_eq!(again.parameters_sha256(), run.parameters_sha256());
}

#[test]
fn what_fits_no_run_changes_nothing() {
    let mut run = blobs(&[]);
    let before = run.parameters_sha256();
    for (key, value) in [
        ("hold.weight.5", "1,0"),
        ("hold.weight.0", "1,0,0"),
        ("hold.feature.0", "1,0"),
        ("hold.pinned", "5"),
        ("hold.pinned", "x"),
    ] {
        assert!(run.set(key, value).is_err(), "{key} = {value}");
    }
    assert_eq!(run.parameters_sha256(), before);
    assert!(run.experiment().run.changes.is_empty());
    // A sample that is not there is found out by the run alone.
    let mut free = blobs(&[("network.kind", "none")]);
    let before = free.parameters_sha256();
    put(&mut free, Placed::Feature(10_000_000), &[1.0, 0.0]);
    assert_eq!(free.parameters_sha256(), before);
}
