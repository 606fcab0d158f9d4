//! The files of lessons and failures: an experiment with a section of texts beside it.
//!
//! Unknown fields are refused, and what a file says of a run is checked before any run is made.

use serde::Deserialize;

use crate::experiment::{Experiment, full_key};
use crate::lesson::stage::made;
use crate::lesson::{Bound, Claim, Cure, Failure, Lesson, Measure, Setting, Slide, Stage, Step};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
pub struct LessonError {
    /// Which file.
    pub name: String,
    /// What is wrong, and where.
    pub what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLesson {
    title: String,
    summary: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    text: String,
    question: String,
    answers: Vec<String>,
    right: usize,
    reveal: String,
    r#try: String,
    slide: Option<RawSlide>,
    #[serde(default)]
    begin: bool,
    #[serde(default)]
    set: Vec<RawSetting>,
    steps: u64,
    claims: Vec<RawClaim>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSlide {
    says: String,
    right: String,
    reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSetting {
    key: String,
    value: RawValue,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawValue {
    Whole(i64),
    Number(f64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClaim {
    measure: String,
    at_least: Option<f64>,
    at_most: Option<f64>,
    times_at_least: Option<f64>,
    times_at_most: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFailure {
    title: String,
    symptom: String,
    explanation: String,
    #[serde(default)]
    set: Vec<RawSetting>,
    steps: u64,
    when: Vec<RawClaim>,
    claims: Vec<RawClaim>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCure {
    button: String,
    text: String,
    #[serde(default)]
    begin: bool,
    #[serde(default)]
    set: Vec<RawSetting>,
    steps: u64,
    claims: Vec<RawClaim>,
}

/// Reads a lesson; `name` is its file's name without the end.
///
/// # Errors
/// What is wrong first.
pub fn read_lesson(name: &str, text: &str) -> Result<Lesson, LessonError> {
    #[derive(Deserialize)]
    struct File {
        lesson: RawLesson,
        steps: Vec<RawStep>,
    }
    let of_file = |what: String| LessonError {
        name: name.to_owned(),
        what,
    };
    let file: File = sections(text).map_err(of_file)?;
    let experiment = experiment(name, text, &["lesson", "steps"]).map_err(of_file)?;
    let steps = file.steps.into_iter().enumerate().map(|(i, raw)| {
        step(raw, i == 0).map_err(|what| of_file(format!("step {}: {what}", i + 1)))
    });
    let steps: Vec<Step> = steps.collect::<Result<_, _>>()?;
    if steps.is_empty() {
        return Err(of_file("a lesson has a step at least".to_owned()));
    }
    for n in 1..=steps.len() {
        let stages = steps[..n].iter().map(|step| &step.stage);
        made(&experiment, stages).map_err(|error| of_file(format!("step {n}: {error}")))?;
    }
    Ok(Lesson {
        name: name.to_owned(),
        title: file.lesson.title,
        summary: file.lesson.summary,
        experiment,
        steps,
    })
}

/// Reads a failure; `name` is its file's name without the end.
///
/// # Errors
/// What is wrong first.
pub fn read_failure(name: &str, text: &str) -> Result<Failure, LessonError> {
    #[derive(Deserialize)]
    struct File {
        failure: RawFailure,
        cure: RawCure,
    }
    let of_file = |what: String| LessonError {
        name: name.to_owned(),
        what,
    };
    let File { failure, cure } = sections(text).map_err(of_file)?;
    let experiment = experiment(name, text, &["failure", "cure"]).map_err(of_file)?;
    let in_cure = |what| of_file(format!("cure: {what}"));
    let failure = Failure {
        name: name.to_owned(),
        title: failure.title,
        symptom: failure.symptom,
        stage: stage(true, failure.set, failure.steps, &failure.claims).map_err(of_file)?,
        when: claims(&failure.when).map_err(of_file)?,
        explanation: failure.explanation,
        cure: Cure {
            button: cure.button,
            text: cure.text,
            stage: stage(cure.begin, cure.set, cure.steps, &cure.claims).map_err(in_cure)?,
        },
        experiment,
    };
    let compares = |claim: &Claim| claim.bound.compares();
    if failure
        .stage
        .claims
        .iter()
        .chain(&failure.when)
        .any(compares)
    {
        return Err(of_file("a failure has nothing before it".to_owned()));
    }
    let stages = [&failure.stage, &failure.cure.stage];
    made(&failure.experiment, stages).map_err(|error| of_file(error.to_string()))?;
    Ok(failure)
}

/// The sections that are no part of an experiment.
fn sections<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let one_line = |message: &str| message.lines().collect::<Vec<_>>().join("; ");
    toml_edit::de::from_str(text).map_err(|error| one_line(&error.to_string()))
}

fn experiment(name: &str, text: &str, others: &[&str]) -> Result<Experiment, String> {
    let read = Experiment::from_toml_beside(text, name, others);
    read.map_err(|error| error.faults.join("; "))
}

fn step(raw: RawStep, is_first: bool) -> Result<Step, String> {
    if !(2..=4).contains(&raw.answers.len()) || raw.right >= raw.answers.len() {
        return Err("a question has two to four answers, and right is one of them".to_owned());
    }
    let stage = stage(raw.begin || is_first, raw.set, raw.steps, &raw.claims)?;
    if is_first && stage.claims.iter().any(|claim| claim.bound.compares()) {
        return Err("nothing comes before the first step".to_owned());
    }
    Ok(Step {
        text: raw.text,
        question: raw.question,
        answers: raw.answers,
        right: raw.right,
        reveal: raw.reveal,
        to_try: raw.r#try,
        slide: raw.slide.map(|slide| Slide {
            says: slide.says,
            right: slide.right,
            reference: slide.reference,
        }),
        stage,
    })
}

fn stage(
    begins: bool,
    set: Vec<RawSetting>,
    n_steps: u64,
    raw: &[RawClaim],
) -> Result<Stage, String> {
    if n_steps == 0 {
        return Err("without a step nothing is seen".to_owned());
    }
    let set = set.into_iter().map(setting).collect::<Result<_, _>>()?;
    Ok(Stage {
        begins,
        set,
        n_steps,
        claims: claims(raw)?,
    })
}

fn setting(raw: RawSetting) -> Result<Setting, String> {
    Ok(Setting {
        key: full_key(&raw.key).map_err(|error| error.to_string())?,
        value: match raw.value {
            RawValue::Whole(whole) => whole.to_string(),
            RawValue::Number(number) => number.to_string(),
            RawValue::Text(text) => text,
        },
    })
}

fn claims(raw: &[RawClaim]) -> Result<Vec<Claim>, String> {
    let claims: Vec<Claim> = raw
        .iter()
        .map(claim)
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    if claims.is_empty() {
        return Err("what is said of a run needs a claim".to_owned());
    }
    Ok(claims)
}

/// One for each bound.
fn claim(raw: &RawClaim) -> Result<Vec<Claim>, String> {
    let measure = Measure::find(&raw.measure)?;
    // What stays the same must not satisfy a comparison.
    let above = |least: &f64| *least > 1.0;
    let below = |most: &f64| (0.0..1.0).contains(most);
    if !raw.times_at_least.iter().all(above) || !raw.times_at_most.iter().all(below) {
        let name = measure.name;
        return Err(format!(
            "{name}: what stays the same would satisfy the comparison"
        ));
    }
    let bounds = [
        raw.at_least.map(Bound::AtLeast),
        raw.at_most.map(Bound::AtMost),
        raw.times_at_least.map(Bound::TimesAtLeast),
        raw.times_at_most.map(Bound::TimesAtMost),
    ];
    let claims = bounds
        .into_iter()
        .flatten()
        .map(|bound| Claim { measure, bound });
    let claims: Vec<Claim> = claims.collect();
    if claims.is_empty() {
        return Err(format!("{}: no bound is given", measure.name));
    }
    Ok(claims)
}
