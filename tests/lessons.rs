//! Lessons and failures: every run behind them is made without a window, and what their texts claim
//! is held to what comes out.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

use std::path::Path;

use marginscope::experiment::Experiment;
use marginscope::lesson::{
    Claim, Failure, Lesson, Rehearsed, Stage, failures, lessons, read_failure, read_lesson,
    rehearse,
};

const THREADS: usize = 2;

#[track_caller]
fn play(experiment: &Experiment, stages: &[&Stage]) -> Vec<Rehearsed> {
    match rehearse(experiment, stages.iter().copied(), THREADS) {
        Ok(made) => made,
        Err(error) => panic!("{error}"),
    }
}

/// What a stage claims and does not keep.
fn broken(stage: &Stage, made: &Rehearsed) -> Vec<String> {
    let broken = |claim: &&Claim| !claim.holds(&made.before, &made.after);
    let words = |claim: &Claim| claim.words(&made.before, &made.after);
    stage.claims.iter().filter(broken).map(words).collect()
}

/// Whether all of it held before anything was set or trained: then the run shows nothing.
fn is_idle(stage: &Stage, made: &Rehearsed) -> bool {
    let untouched = if stage.begins {
        &made.start
    } else {
        &made.before
    };
    let mut claims = stage.claims.iter();
    claims.all(|claim| claim.holds(&made.before, untouched))
}

#[track_caller]
fn check_stages(name: &str, experiment: &Experiment, stages: &[&Stage]) -> Vec<Rehearsed> {
    let made = play(experiment, stages);
    for (i, (stage, made)) in stages.iter().zip(&made).enumerate() {
        let broken = broken(stage, made);
        assert!(broken.is_empty(), "{name}, run {}: {broken:?}", i + 1);
        let n = i + 1;
        assert!(!is_idle(stage, made), "{name}, run {n}: it held before");
    }
    made
}

#[track_caller]
fn check_lesson(name: &str) {
    let lesson = lessons().iter().find(|lesson| lesson.name == name);
    let lesson: &Lesson = lesson.expect("a lesson of this name");
    let stages: Vec<&Stage> = lesson.steps.iter().map(|step| &step.stage).collect();
    check_stages(name, &lesson.experiment, &stages);
}

#[track_caller]
fn check_failure(name: &str) {
    let failure = failures().iter().find(|failure| failure.name == name);
    let failure: &Failure = failure.expect("a failure of this name");
    let stages = [&failure.stage, &failure.cure.stage];
    let made = check_stages(name, &failure.experiment, &stages);
    let happens = |at: &marginscope::trainer::Snapshot| {
        let mut claims = failure.when.iter();
        claims.all(|claim| claim.holds(at, at))
    };
    let (into, out) = (&made[0], &made[1]);
    assert!(!happens(&into.start), "{name}: explained before it happens");
    assert!(happens(&into.after), "{name}: it happens unexplained");
    assert!(!happens(&out.after), "{name}: the cure does not end it");
}

macro_rules! tests {
    ($check:ident: $($function:ident $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $function() {
                $check($name);
            }
        )*

        /// What is not in this list is not tested.
        mod $check {
            pub(super) const NAMES: &[&str] = &[$($name),*];
        }
    };
}

tests! {
    check_lesson:
    two_classes "01-two-classes",
    many_classes "02-many-classes",
    not_discriminative "03-not-discriminative",
    centre_loss "04-centre-loss",
    cosine_form "05-cosine-form",
    sphereface "06-sphereface",
    hypersphere "07-hypersphere",
    cosface "08-cosface",
    arcface "09-arcface",
    margin_and_scale "10-margin-and-scale",
}

tests! {
    check_failure:
    dying_relu "01-dying-relu",
    scale_too_small "02-scale-too-small",
    scale_too_large "03-scale-too-large",
    margin_past_ceiling "04-margin-past-ceiling",
    sphereface_without_annealing "05-sphereface-without-annealing",
    arcface_beyond_pi "06-arcface-beyond-pi",
    centre_loss_collapse "07-centre-loss-collapse",
}

/// Another kind of processor rounds sums otherwise, and a run goes another way within some hundred
/// steps: a rate that differs in its seventh digit does the same. What a text claims must not hang on
/// it.
///
/// Takes a few minutes: `cargo test --test lessons -- --ignored rounded`.
#[test]
#[ignore = "minutes; run it after a change of a lesson: cargo test --test lessons -- --ignored rounded"]
fn claims_hold_where_sums_are_rounded_otherwise() {
    let mut broken_ones = Vec::new();
    for share in [1.0 - 2e-7, 1.0 + 2e-7, 1.0 - 1e-6, 1.0 + 1e-6] {
        let rounded = |experiment: &Experiment| {
            let mut experiment = experiment.clone();
            let rate = share * experiment.learning_rate();
            experiment.optimizer.learning_rate = Some(rate);
            experiment
        };
        let mut check = |name: &str, experiment: &Experiment, stages: &[&Stage]| {
            let made = play(&rounded(experiment), stages);
            for (i, (stage, made)) in stages.iter().zip(&made).enumerate() {
                let broken = broken(stage, made);
                if !broken.is_empty() {
                    broken_ones.push(format!("{name}, run {}: {broken:?}", i + 1));
                }
            }
        };
        for lesson in lessons() {
            let stages: Vec<&Stage> = lesson.steps.iter().map(|step| &step.stage).collect();
            check(&lesson.name, &lesson.experiment, &stages);
        }
        for failure in failures() {
            let stages = [&failure.stage, &failure.cure.stage];
            check(&failure.name, &failure.experiment, &stages);
        }
    }
    assert!(broken_ones.is_empty(), "{broken_ones:#?}");
}

/// Names of the files of a folder without their end, sorted.
fn names_in(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder").flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some(name.strip_suffix(".toml")?.to_owned())
    });
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

#[test]
fn every_file_is_read_in_order_and_tested() {
    let known: Vec<&str> = lessons()
        .iter()
        .map(|lesson| lesson.name.as_str())
        .collect();
    assert_eq!(known, names_in("assets/lessons"));
    assert_eq!(known, check_lesson::NAMES);
    let known: Vec<&str> = failures().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(known, names_in("assets/failures"));
    assert_eq!(known, check_failure::NAMES);
}

#[track_caller]
fn assert_short(text: &str, most: usize) {
    let n = text.chars().count();
    assert!((2..=most).contains(&n), "{n} characters: {text}");
}

#[test]
fn texts_fit_their_cards() {
    for lesson in lessons() {
        assert_short(&lesson.title, 44);
        assert_short(&lesson.summary, 100);
        for step in &lesson.steps {
            assert_short(&step.text, 240);
            assert_short(&step.question, 110);
            assert_short(&step.reveal, 260);
            assert_short(&step.to_try, 160);
            for answer in &step.answers {
                assert_short(answer, 50);
            }
            if let Some(slide) = &step.slide {
                assert_short(&slide.says, 130);
                assert_short(&slide.right, 190);
                assert_short(&slide.reference, 90);
            }
        }
    }
    for failure in failures() {
        assert_short(&failure.title, 50);
        assert_short(&failure.symptom, 110);
        assert_short(&failure.explanation, 320);
        assert_short(&failure.cure.button, 24);
        assert_short(&failure.cure.text, 220);
    }
}

/// Three free classes, which take milliseconds.
const EXPERIMENT: &str = "[data]\nsource = \"free\"\nclasses = 3\n[loss]\nid = \"normface\"\n";

fn lesson_with(steps: &str) -> String {
    format!("[lesson]\ntitle = \"A lesson\"\nsummary = \"Of a test.\"\n{steps}\n{EXPERIMENT}")
}

fn step_with(claims: &str, more: &str) -> String {
    let texts = ["text", "question", "reveal", "try"].map(|key| format!("{key} = \"x\"\n"));
    let texts = texts.concat();
    format!(
        "[[steps]]\n{texts}answers = [\"a\", \"b\"]\nright = 0\nsteps = 200\nclaims = [{claims}]\n{more}\n"
    )
}

/// The test above can fail: here a text claims what is not so.
#[test]
fn a_false_claim_is_found() {
    let claims = "{ measure = \"accuracy\", at_least = 0.9 }, { measure = \"mean_feature_norm\", at_least = 2 }";
    let text = lesson_with(&step_with(claims, ""));
    let lesson = read_lesson("false", &text).expect("a lesson");
    let stage = &lesson.steps[0].stage;
    let made = play(&lesson.experiment, &[stage]);
    let broken = broken(stage, &made[0]);
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0], "mean_feature_norm ≥ 2: 1.0"); // free features are put on the circle
}

#[test]
fn a_claim_that_holds_without_a_step_is_found() {
    let claims = "{ measure = \"accuracy\", at_least = 0 }";
    let lesson = read_lesson("idle", &lesson_with(&step_with(claims, ""))).expect("a lesson");
    let stage = &lesson.steps[0].stage;
    let made = play(&lesson.experiment, &[stage]);
    assert!(is_idle(stage, &made[0]));
}

#[test]
fn a_step_goes_on_with_the_features_there_are() {
    let claims = "{ measure = \"accuracy\", at_least = 0.5 }";
    let set = "set = [{ key = \"loss.scale\", value = 4 }]";
    let steps = [
        step_with(claims, ""),
        step_with(claims, set),
        step_with(claims, "begin = true"),
    ];
    let lesson = read_lesson("going-on", &lesson_with(&steps.concat())).expect("a lesson");
    let stages: Vec<&Stage> = lesson.steps.iter().map(|step| &step.stage).collect();
    let made = play(&lesson.experiment, &stages);
    assert_eq!(made[1].start.step, 200);
    assert_eq!(made[1].start.probe.features, made[0].after.probe.features);
    assert_eq!(made[1].after.step, 400);
    assert_eq!(made[2].start.step, 0);
    assert_eq!(made[2].after.probe.features, made[0].after.probe.features);
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    let error = read_lesson("x", text).expect_err("a fault");
    let message = error.to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let claims = "{ measure = \"accuracy\", at_least = 0.5 }";
    let of = |claims: &str, more: &str| lesson_with(&step_with(claims, more));
    check_refused(&of(claims, "colour = \"red\""), "unknown field `colour`");
    check_refused(
        &of("{ measure = \"acuracy\", at_least = 0.5 }", ""),
        "did you mean \"accuracy\"?",
    );
    check_refused(&of("", ""), "needs a claim");
    check_refused(&of("{ measure = \"accuracy\" }", ""), "no bound is given");
    let compares = "{ measure = \"accuracy\", times_at_least = 1.2 }";
    check_refused(&of(compares, ""), "nothing comes before the first step");
    let stays = "{ measure = \"accuracy\", times_at_least = 1 }";
    check_refused(&of(stays, ""), "what stays the same would satisfy");
    let set = "set = [{ key = \"margin\", value = 0.2 }]";
    check_refused(&of(claims, set), "loss \"normface\" has no margin");
    let restarts = "set = [{ key = \"run.seed\", value = 2 }]";
    let steps = [step_with(claims, ""), step_with(claims, restarts)].concat();
    check_refused(&lesson_with(&steps), "run.seed starts a new run");
    let text = of(claims, "").replace("right = 0", "right = 2");
    check_refused(&text, "right is one of them");
    let misspelt = of(claims, "").replace("[loss]", "[los]");
    check_refused(&misspelt, "did you mean \"loss\"?");
}

#[test]
fn a_failure_compares_with_nothing_before_it() {
    let text = format!(
        "[failure]\ntitle = \"t\"\nsymptom = \"s\"\nexplanation = \"e\"\nsteps = 1\nwhen = [{{ measure = \"accuracy\", times_at_most = 0.5 }}]\nclaims = [{{ measure = \"accuracy\", at_most = 0.5 }}]\n[cure]\nbutton = \"b\"\ntext = \"t\"\nsteps = 1\nclaims = [{{ measure = \"accuracy\", at_least = 0.5 }}]\n{EXPERIMENT}"
    );
    let error = read_failure("x", &text).expect_err("a fault");
    assert!(error.to_string().contains("nothing before it"), "{error}");
}
