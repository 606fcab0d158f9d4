//! Lessons and failures: short texts with an experiment each, and claims about what it will show.
//!
//! They are data in `assets/lessons` and `assets/failures`. A lesson is a list of steps: a question
//! is answered by prediction, so many training steps are made, and what was seen is told with what
//! was measured. A failure is a run that goes wrong in a known way, is explained once that is
//! measured, and has a cure where there is one.
//!
//! Every number a text claims is a [`Claim`] beside it. `tests/lessons.rs` makes all the runs
//! without a window and holds the claims to what comes out.

mod claim;
mod file;
mod measure;
mod rehearse;
mod stage;
mod walk;

use std::sync::LazyLock;

pub use claim::{Bound, Claim};
pub use file::{LessonError, read_failure, read_lesson};
pub use measure::{MEASURES, Measure, Unit};
pub use rehearse::{RehearseError, Rehearsed, rehearse};
pub use stage::{Order, Setting, Stage};

pub use walk::{Phase, Reading, Seen, Subject, Walk};

use crate::experiment::Experiment;

/// A lesson of a few steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// Its file without the end: `04-centre-loss`.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// One line below the title.
    pub summary: String,
    /// What its first step begins with.
    pub experiment: Experiment,
    /// In their order; at least one.
    pub steps: Vec<Step>,
}

/// A step of a lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is there to see and to think about, in a sentence or two.
    pub text: String,
    /// What happens next?
    pub question: String,
    /// Two to four predictions.
    pub answers: Vec<String>,
    /// Index of the one that is going to be seen.
    pub right: usize,
    /// What was seen.
    pub reveal: String,
    /// Something to try.
    pub to_try: String,
    /// What the common slide says otherwise.
    pub slide: Option<Slide>,
    /// The run.
    pub stage: Stage,
}

/// A slip of the common slides, put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slide {
    /// What it says.
    pub says: String,
    /// What is right.
    pub right: String,
    /// Where that stands.
    pub reference: String,
}

/// A way in which training fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Its file without the end.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// What one sees, in one sentence.
    pub symptom: String,
    /// What it begins with.
    pub experiment: Experiment,
    /// The run into it.
    pub stage: Stage,
    /// From when on the explanation is shown.
    pub when: Vec<Claim>,
    /// Why it happens.
    pub explanation: String,
    /// What helps.
    pub cure: Cure,
}

/// What helps against a failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Cure {
    /// What a button says.
    pub button: String,
    /// What it does, and why that helps.
    pub text: String,
    /// The run out of the failure.
    pub stage: Stage,
}

macro_rules! files {
    ($folder:literal, $($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_str!(concat!("../../assets/", $folder, "/", $name, ".toml")),
        )),*]
    };
}

/// In the order of the lecture.
static LESSONS: &[(&str, &str)] = files![
    "lessons",
    "01-two-classes",
    "02-many-classes",
    "03-not-discriminative",
    "04-centre-loss",
    "05-cosine-form",
    "06-sphereface",
    "07-hypersphere",
    "08-cosface",
    "09-arcface",
    "10-margin-and-scale",
];

static FAILURES: &[(&str, &str)] = files![
    "failures",
    "01-dying-relu",
    "02-scale-too-small",
    "03-scale-too-large",
    "04-margin-past-ceiling",
    "05-sphereface-without-annealing",
    "06-arcface-beyond-pi",
    "07-centre-loss-collapse",
];

/// All lessons, in the lecture's order.
pub fn lessons() -> &'static [Lesson] {
    static READ: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
        // A test holds that all of them are read.
        let read = |(name, text)| read_lesson(name, text).ok();
        LESSONS.iter().copied().filter_map(read).collect()
    });
    &READ
}

/// All failures.
pub fn failures() -> &'static [Failure] {
    static READ: LazyLock<Vec<Failure>> = LazyLock::new(|| {
        let read = |(name, text)| read_failure(name, text).ok();
        FAILURES.iter().copied().filter_map(read).collect()
    });
    &READ
}
