//! Experiments, recipes in pictures, and sessions, damaged and arbitrary: one line for each fault,
//! and what is opened is written and read again as it is. See [`crate::fuzz`] for the long runs.

use std::path::Path;
use std::sync::LazyLock;

use super::open::{OpenError, Opened, of_bytes};
use super::{Film, Picture, Recipe, Strip};
use crate::experiment::Experiment;
use crate::export::{Format, Sheet};
use crate::fuzz::{check_message, fuzz};
use crate::scene::{Rgba, Scene};
use crate::trainer::{History, Trainer};

/// One message, or a message for each fault.
fn check_error(error: &OpenError) {
    match error {
        OpenError::Faults { faults } => faults.iter().for_each(|fault| check_message(fault)),
        other => check_message(&other.to_string()),
    }
}

fn opened(bytes: &[u8]) -> Option<Opened> {
    let opened = of_bytes(bytes.to_vec(), Path::new("file"));
    opened.map_err(|error| check_error(&error)).ok()
}

/// Whatever is opened is valid, and comes back from the text that is written of it.
fn open_target(bytes: &[u8], _way: u8) -> bool {
    let Some(Opened { recipe, .. }) = opened(bytes) else {
        return false;
    };
    // Own data are read later, so that what they have to say about it is not known yet.
    if !recipe.experiment.data.awaits_reading() {
        recipe.experiment.validate().expect("valid");
    }
    let text = recipe.to_toml();
    let again = Recipe::from_toml(&text, "again");
    assert_eq!(again.as_ref(), Ok(&recipe), "{text}");
    assert_eq!(again.map(|again| again.to_toml()).as_ref(), Ok(&text));
    true
}

fn experiment(settings: &[(&str, &str)]) -> Experiment {
    let mut experiment = Experiment::default();
    let usual = [
        ("data.source", "blobs"),
        ("data.classes", "3"),
        ("data.samples", "12"),
        ("network.kind", "mlp:4"),
        ("optimizer.batch", "8"),
    ];
    for (key, value) in usual.iter().chain(settings) {
        experiment.set(key, value).expect("a value of it");
    }
    experiment
}

fn recipes() -> Vec<Recipe> {
    let strip = |text: &str| Some(text.parse::<Strip>().expect("a strip"));
    let mut changed = Recipe::new(experiment(&[("loss.id", "arcface")]));
    changed.picture.strip = strip("margin=0.1,0.3");
    changed.picture.step = Some(30);
    let mut film = Recipe::new(experiment(&[("network.dim", "3")]));
    film.picture.film = Some(Film::orbit(12));
    film.picture = film.picture.on_slide();
    let own = "[data]\nsource = \"a.csv\"\ntest = 0.2\n[loss]\nid = \"cosface\"\n";
    vec![
        changed,
        film,
        Recipe::from_toml(own, "own").expect("a recipe"),
        Recipe {
            picture: Picture::default().on_slide(),
            ..Recipe::new(Experiment::default())
        },
    ]
}

fn text_seeds() -> Vec<Vec<u8>> {
    let texts = recipes().into_iter().map(|recipe| recipe.to_toml());
    texts.map(String::into_bytes).collect()
}

fn picture_seeds() -> Vec<Vec<u8>> {
    let scene = Scene::empty([12.0, 8.0], Rgba::opaque(0xffffff));
    let recipe = recipes()[0].to_toml();
    let sheet = Sheet {
        recipe: Some(&recipe),
        ..Sheet::of(&scene)
    };
    let write = |format: Format| format.write(&sheet).expect("a picture");
    Format::ALL.into_iter().map(write).collect()
}

fn session_of(kind: &str) -> Vec<u8> {
    let mut trainer =
        Trainer::new(&experiment(&[("optimizer.kind", kind)]), None, 1).expect("a run");
    let mut history = History::default();
    for _ in 0..7 {
        let report = trainer.step().expect("finite");
        history.push_loss(trainer.n_steps(), report.loss);
    }
    let recipe = Recipe::new(trainer.recipe()).to_toml();
    trainer
        .session(recipe, history)
        .to_bytes()
        .expect("a session")
}

fn session_seeds() -> Vec<Vec<u8>> {
    ["sgd", "adam"].map(session_of).to_vec()
}

/// A session of the seeds' runs goes on, or is refused; steps from damaged numbers may diverge.
fn session_target(bytes: &[u8], _way: u8) -> bool {
    static KNOWN: LazyLock<[Experiment; 2]> =
        LazyLock::new(|| ["sgd", "adam"].map(|kind| experiment(&[("optimizer.kind", kind)])));
    let Some(found) = opened(bytes) else {
        return false;
    };
    let Some(session) = found
        .session
        .filter(|_| KNOWN.contains(&found.recipe.experiment))
    else {
        return false;
    };
    match Trainer::resume(&session, &found.recipe.experiment, 1) {
        Ok(mut trainer) => {
            for _ in 0..2 {
                if let Err(diverged) = trainer.step() {
                    check_message(&diverged.to_string());
                }
            }
            true
        }
        Err(error) => {
            check_message(&error.to_string());
            false
        }
    }
}

#[test]
fn the_seeds_are_good() {
    for seed in text_seeds().iter().chain(&picture_seeds()) {
        assert!(open_target(seed, 0), "{}", String::from_utf8_lossy(seed));
    }
    for seed in session_seeds() {
        assert!(session_target(&seed, 0));
    }
}

fuzz!(fuzz_text, fuzz_text_long, text_seeds, open_target);
fuzz!(fuzz_picture, fuzz_picture_long, picture_seeds, open_target);
fuzz!(
    fuzz_session,
    fuzz_session_long,
    session_seeds,
    session_target
);
