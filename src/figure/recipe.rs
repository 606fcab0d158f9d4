//! The file of a figure: an experiment with a section `[picture]`.

use std::path::Path;

use toml_edit::{DocumentMut, Item};

use crate::experiment::{Experiment, FileError};
use crate::figure::Picture;
use crate::figure::gallery::About;
use crate::trainer::{Horizon, Snapshot};

/// What makes a picture again.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// The run as it began, with the changes made on its way.
    pub experiment: Experiment,
    /// How it is looked at, after which step.
    pub picture: Picture,
}

/// The section that an experiment alone does not have.
const SECTION: &str = "picture";
/// The section of what a figure of the gallery is about; it is no part of a recipe.
const GALLERY: &str = "gallery";

impl Recipe {
    /// An experiment with a picture of defaults.
    pub fn new(experiment: Experiment) -> Self {
        Self {
            experiment,
            picture: Picture::default(),
        }
    }

    /// Of a run in the window, as it stands: what made it so far, and the step it has reached.
    pub fn of(snapshot: &Snapshot, picture: Picture) -> Self {
        let mut experiment = snapshot.recipe();
        experiment.view.kind = Some(snapshot.experiment.view_kind());
        Self {
            experiment,
            picture: Picture {
                step: Some(snapshot.step),
                endless: snapshot.horizon == Horizon::Endless,
                ..picture
            },
        }
    }

    /// The same as it is written into the file `path`: own data are found from there.
    #[must_use]
    pub fn kept_in(&self, path: &Path) -> Self {
        let mut kept = self.clone();
        let folder = path.parent().unwrap_or(Path::new(""));
        kept.experiment.data = kept.experiment.data.kept_in(folder);
        kept
    }

    /// The options that start this run in the window, up to its step, as a shell takes them. What was
    /// changed on its way has no options.
    pub fn command_line(&self) -> String {
        let mut line = "marginscope".to_owned();
        for (key, value) in self.experiment.settings() {
            let option = match key.as_str() {
                "data.source" => "--data ",
                "loss.id" => "--loss ",
                "network.dim" => "--dim ",
                "run.seed" => "--seed ",
                "run.steps" | "run.epochs" if self.picture.step.is_some() => continue,
                _ => &format!("--set {key}="),
            };
            line.push(' ');
            line.push_str(option);
            line.push_str(&quoted(&value));
        }
        if let Some(step) = self.picture.step {
            line.push_str(" --steps ");
            line.push_str(&step.to_string());
        }
        line
    }

    /// Reads a recipe, or an experiment without one; `name` is the file's name for messages.
    ///
    /// # Errors
    /// All faults of the experiment, each with its line, and the first of the picture.
    pub fn from_toml(text: &str, name: &str) -> Result<Self, FileError> {
        let read = Experiment::from_toml_beside(text, name, &[SECTION, GALLERY]);
        let picture = picture(text, name);
        match (read, picture) {
            (Ok(experiment), Ok(picture)) => Ok(Self {
                experiment,
                picture: picture.unwrap_or_default(),
            }),
            (Err(error), Ok(_)) => Err(error),
            (Ok(_), Err(fault)) => Err(FileError {
                faults: vec![fault],
            }),
            (Err(mut error), Err(fault)) => {
                // A file that is no TOML has one fault, which both have met.
                if !error.faults.contains(&fault) {
                    error.faults.push(fault);
                }
                Err(error)
            }
        }
    }

    /// The recipe as a file; the same text for the same recipe, without a date.
    pub fn to_toml(&self) -> String {
        let experiment = self.experiment.to_toml();
        let picture = toml_edit::ser::to_document(&self.picture).map(DocumentMut::into_table);
        let (Ok(mut document), Ok(mut table)) = (experiment.parse::<DocumentMut>(), picture) else {
            return experiment; // neither can fail: both were made here
        };
        table.set_implicit(false);
        document.insert(SECTION, Item::Table(table));
        document.to_string()
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_.,:/+-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The section of the picture, if there is one.
fn picture(text: &str, name: &str) -> Result<Option<Picture>, String> {
    #[derive(serde::Deserialize)]
    struct File {
        picture: Option<Picture>,
        /// Read so that its faults are told.
        #[serde(rename = "gallery")]
        _gallery: Option<About>,
    }
    let file: File = toml_edit::de::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            let before = text.as_bytes().iter().take(span.start);
            before.filter(|&&byte| byte == b'\n').count() + 1
        });
        let message = error.message().lines().collect::<Vec<_>>().join("; ");
        format!("{name}:{line}: {message}")
    })?;
    match file.picture.as_ref().and_then(Picture::fault) {
        Some(fault) => Err(format!("{name}: picture.{fault}")),
        None => Ok(file.picture),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::export::Length;
    use crate::figure::{Ink, Plot, Tone};

    #[track_caller]
    fn check_fault(text: &str, expected: &str) {
        let error = Recipe::from_toml(text, "a.toml").expect_err(text);
        assert!(error.faults.join("; ").contains(expected), "{error}");
    }

    #[test]
    fn a_recipe_is_read_back_as_it_was_written() {
        let mut recipe = Recipe::new(Experiment::default());
        assert_eq!(
            Recipe::from_toml(&recipe.to_toml(), "a.toml").as_ref(),
            Ok(&recipe)
        );
        recipe.picture = Picture {
            step: Some(1404),
            endless: true,
            plot: Plot::MarginMap,
            theme: Tone::Dark,
            width: Length::Millimeters(89.0),
            canvas: Some([480.5, 512.25]),
            unit: Some(0.7),
            transparent: true,
            samples: crate::trainer::Subset::Train(70_000),
            center: Some([0.1, -1.0 / 3.0]),
            units_per_pt: Some(1.0 / 7.0),
            turn: Some([0.5, 0.5, -0.5, 0.5]),
            zoom: Some(2.0),
            kept: Some(12),
            drawn: Ink::try_from(Arc::from([7; 784])).ok(),
            pair: Some([3, 8]),
            accuracy: vec![(10, 0.1), (20, 1.0 / 3.0)],
            lit: crate::scene::Light::TakenFor {
                label: 3,
                prediction: 8,
            },
            classes: crate::scene::Classes::only(3, 10),
            ..Picture::default()
        };
        let text = recipe.to_toml();
        assert_eq!(
            Recipe::from_toml(&text, "a.toml").as_ref(),
            Ok(&recipe),
            "{text}"
        );
        let mut lines = text.lines();
        assert!(lines.any(|line| line == "[picture]"), "{text}");
    }

    #[test]
    fn a_command_line_has_what_was_set() {
        let mut recipe = Recipe::new(Experiment::default());
        for (key, value) in [
            ("loss.id", "arcface"),
            ("margin", "0.4"),
            ("network.kind", "mlp:64,64"),
            ("run.epochs", "2"),
        ] {
            recipe.experiment.set(key, value).expect("a valid setting");
        }
        recipe.picture.step = Some(70);
        let line = recipe.command_line();
        assert!(line.starts_with("marginscope "), "{line}");
        for part in [
            " --loss arcface",
            " --set loss.margin=0.4",
            " --set network.kind=mlp:64,64",
            " --steps 70",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(!line.contains("epochs"), "{line}");
        assert_eq!(quoted("my data's.csv"), "'my data'\\''s.csv'");
    }

    #[test]
    fn an_experiment_alone_is_a_recipe() {
        let recipe = Recipe::from_toml("[loss]\nid = \"arcface\"\n", "a.toml").expect("a recipe");
        assert_eq!(recipe.experiment.loss.spec.id, "arcface");
        assert_eq!(recipe.picture, Picture::default());
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        check_fault(
            "[picture]\nwidht = \"89mm\"",
            "a.toml:2: unknown field `widht`",
        );
        check_fault("[picture]\nwidth = \"89\"", "a.toml:2: \"89\" is no width");
        check_fault(
            "[picture]\nturn = [1, 0, 0, 1]",
            "a.toml: picture.turn must be",
        );
        check_fault("[picture]\ncanvas = [1e9, 5]", "a.toml: picture.canvas");
        check_fault(
            "[picture]\ndrawn = \"AAAA\"",
            "a.toml:2: picture.drawn must be 784 bytes",
        );
        check_fault("[picture]\nzoom = nan", "a.toml: picture.zoom");
        check_fault(
            "[loss]\nid = \"arkface\"\n[picture]\nwidth = 3",
            "did you mean \"arcface\"",
        );
        check_fault("[pictur]\n", "did you mean");
        check_fault(
            "[gallery]\ntitel = \"x\"",
            "a.toml:2: unknown field `titel`",
        );
        check_fault("[picture", "a.toml:1: ");
    }
}
