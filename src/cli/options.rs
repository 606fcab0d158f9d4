//! Options shared by the window and the headless commands, and how they become an `Experiment`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};

use crate::cli::{Cli, Failure, reading};
use crate::experiment::{Experiment, fields, is_live};
use crate::figure::{self, Opened, Opening, gallery};
use crate::loss::nearest;
use crate::trainer::Trainer;

/// A run as options: a file, then what differs from it.
#[derive(Args, Clone, Debug, Default)]
pub struct RunOptions {
    /// What to start from: an experiment (TOML), a session, a picture that marginscope wrote, or
    /// gallery:NAME, a figure of a paper; gallery: alone lists them.
    pub file: Option<PathBuf>,

    /// Data: mnist, blobs, rings, spiral, free (no inputs, only labels), or a path: a table (CSV),
    /// arrays (NPY, NPZ, IDX) or a folder with a folder of images for each class.
    #[arg(long, value_name = "SOURCE|PATH")]
    pub data: Option<String>,
    /// The first C classes, or a list such as 3,8 or setosa,virginica.
    #[arg(long, value_name = "C", allow_hyphen_values = true)]
    pub classes: Option<String>,
    /// Network: cnn, mlp:256,128 or none (trains the features themselves).
    #[arg(long, value_name = "KIND")]
    pub network: Option<String>,
    /// Dimension of the embedding; 2 and 3 are drawn as they are.
    #[arg(long, value_name = "D", allow_hyphen_values = true)]
    pub dim: Option<String>,
    /// Loss; `marginscope losses` lists them.
    #[arg(long, value_name = "ID")]
    pub loss: Option<String>,
    /// Margin m, in the unit of the loss.
    #[arg(long, value_name = "M", allow_hyphen_values = true)]
    pub margin: Option<String>,
    /// Scale s of a cosine head.
    #[arg(long, value_name = "S", allow_hyphen_values = true)]
    pub scale: Option<String>,
    /// λ of centre loss, least λ of SphereFace and L-Softmax.
    #[arg(long, value_name = "L", allow_hyphen_values = true)]
    pub lambda: Option<String>,
    /// Passes over the data; then `train` ends, the window pauses.
    #[arg(
        long,
        value_name = "E",
        allow_hyphen_values = true,
        conflicts_with = "steps"
    )]
    pub epochs: Option<String>,
    /// Steps; then `train` ends, the window pauses.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub steps: Option<String>,
    /// Samples a step.
    #[arg(long, value_name = "B", allow_hyphen_values = true)]
    pub batch: Option<String>,
    /// Highest learning rate.
    #[arg(long, value_name = "R", allow_hyphen_values = true)]
    pub learning_rate: Option<String>,
    /// Seed of everything random.
    #[arg(long, value_name = "K", allow_hyphen_values = true)]
    pub seed: Option<String>,
    /// Training threads (default: one per core, at most 8); the result does not depend on it.
    #[arg(long, value_name = "T", allow_hyphen_values = true, value_parser = threads)]
    pub threads: Option<u16>,
    /// Set any field of the experiment (repeatable); --help lists them.
    #[arg(long = "set", value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
}

pub(super) fn threads(text: &str) -> Result<u16, &'static str> {
    let value = text.parse().ok();
    value
        .filter(|value| (1..=64).contains(value))
        .ok_or("expected a whole number in 1..=64")
}

/// Examples, then the fields that `--set` and a file know.
pub(super) fn with_fields(examples: &str) -> String {
    let mut text = format!(
        "{examples}\n\nFields for --set and for a file, where the part before the dot is the section:\n"
    );
    for field in fields() {
        let _ = writeln!(text, "  {:<25}{}", field.key, field.help); // writing to a String cannot fail
    }
    text + "  loss.margin …            parameters of the loss; `marginscope losses` lists them"
}

/// What to start, and with how many threads.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What to run, how it is looked at, and where it stands.
    pub opened: Opened,
    /// What differs from a session, key and value.
    changes: Vec<(String, String)>,
    /// Training threads.
    pub n_threads: usize,
    /// Whether anything was asked for, or all is default.
    pub is_default: bool,
}

impl Launch {
    /// The run, headless: before its first step, or where its session stands, with what was asked
    /// for changed there.
    ///
    /// # Errors
    /// If it cannot start, or refuses a change.
    pub(super) fn trainer(&self) -> anyhow::Result<Trainer> {
        let mut trainer = self.opened.trainer(self.n_threads)?;
        for (key, value) in &self.changes {
            trainer.set(key, value)?;
        }
        Ok(trainer)
    }

    /// What makes the run again from its start.
    pub(super) fn experiment(&self) -> &Experiment {
        &self.opened.recipe.experiment
    }
}

impl From<Launch> for Opening {
    fn from(launch: Launch) -> Self {
        Self {
            opened: launch.opened,
            changes: launch.changes,
            is_default: launch.is_default,
        }
    }
}

impl RunOptions {
    /// The experiment that file and options describe.
    ///
    /// Own data are read here, with a bar on stderr.
    ///
    /// # Errors
    /// A usage error that names the option; another if a file cannot be read.
    pub fn launch(&self) -> Result<Launch, Failure> {
        self.launch_from(self.base()?, |_| ())
    }

    /// The same from something else in the place of the file; `adapt` is called when own data are
    /// read and before anything is checked.
    pub(super) fn launch_from(
        &self,
        mut opened: Opened,
        adapt: impl FnOnce(&mut Experiment),
    ) -> Result<Launch, Failure> {
        let settings = self.settings()?;
        let mut changes = Vec::new();
        // A session goes on: what can change in mid-run is changed where it stands.
        let mut now = opened.recipe.experiment.now();
        let experiment = &mut opened.recipe.experiment;
        for (option, key, value) in &settings {
            let usage = |error| Failure::Usage(format!("{option}: {error}"));
            let full = now.set(key, value).map_err(usage)?;
            if opened.session.is_none() || full.starts_with("run.steps") || full == "run.epochs" {
                experiment.set(key, value).map_err(usage)?;
            } else if is_live(&full) {
                changes.push((full, value.clone()));
            } else {
                return Err(Failure::Usage(format!(
                    "{option}: a session goes on with the {full} that it has; leave it out, or start anew without the session"
                )));
            }
        }
        reading::read(experiment)?;
        adapt(experiment);
        experiment
            .validate()
            .map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Launch {
            opened,
            changes,
            n_threads: self.threads.map_or_else(default_threads, usize::from),
            is_default: self.file.is_none() && settings.is_empty(),
        })
    }

    /// Whether an option says how long the run is.
    pub(super) fn has_length(&self) -> bool {
        self.steps.is_some() || self.epochs.is_some()
    }

    /// What the options start from: the file, or what there is without one.
    pub(super) fn base(&self) -> Result<Opened, Failure> {
        match &self.file {
            Some(path) => open(path),
            None => Ok(Opened::new(Experiment::default())),
        }
    }

    /// Option as typed, key, value; the loss before its parameters, `--set` last and in order.
    pub(super) fn settings(&self) -> Result<Vec<(String, String, String)>, Failure> {
        let options = [
            ("--data", "data.source", &self.data),
            ("--classes", "data.classes", &self.classes),
            ("--network", "network.kind", &self.network),
            ("--dim", "network.dim", &self.dim),
            ("--loss", "loss.id", &self.loss),
            ("--margin", "loss.margin", &self.margin),
            ("--scale", "loss.scale", &self.scale),
            ("--lambda", "loss.lambda", &self.lambda),
            ("--epochs", "run.epochs", &self.epochs),
            ("--steps", "run.steps", &self.steps),
            ("--batch", "optimizer.batch", &self.batch),
            (
                "--learning-rate",
                "optimizer.learning_rate",
                &self.learning_rate,
            ),
            ("--seed", "run.seed", &self.seed),
        ];
        let mut settings: Vec<_> = options
            .into_iter()
            .filter_map(|(option, key, value)| {
                Some((option.to_owned(), key.to_owned(), value.clone()?))
            })
            .collect();
        for assignment in &self.set {
            let parts = assignment.split_once('=');
            let (key, value) = parts.filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
                Failure::Usage(format!(
                    "--set {assignment}: expected key=value, for example --set margin=0.3"
                ))
            })?;
            settings.push((
                format!("--set {assignment}"),
                key.trim().to_owned(),
                value.to_owned(),
            ));
        }
        // `--set loss.id=…` must not drop what `--margin` set for it.
        settings.sort_by_key(|(_, key, _)| usize::from(key != "loss.id" && key != "id"));
        Ok(settings)
    }
}

/// An experiment's file, a picture or a session; what looks like a command is one that was mistyped.
fn open(path: &Path) -> Result<Opened, Failure> {
    if gallery::name_in(path).is_some() {
        return figure::open(path).map_err(|error| Failure::Usage(error.to_string()));
    }
    let name = path.display().to_string();
    let cli = Cli::command();
    let near = nearest(&name, cli.get_subcommands().map(clap::Command::get_name));
    if let Some(command) = near.filter(|_| !path.exists()) {
        return Err(Failure::Usage(if command == name {
            format!("there is no file \"{name}\"; a command stands once, before everything else")
        } else {
            format!("there is no file and no command \"{name}\"; did you mean \"{command}\"?")
        }));
    }
    if is_data(path) {
        return Err(Failure::Usage(format!(
            "{name} holds data and no experiment; train on it with --data {name}, or look at features with marginscope view {name}"
        )));
    }
    Ok(figure::open(path).map_err(anyhow::Error::from)?)
}

/// Whether the name's end says that it is a table or an array.
fn is_data(path: &Path) -> bool {
    const ENDS: [&str; 5] = ["csv", "tsv", "npy", "npz", "zip"];
    let end = path.extension().and_then(|end| end.to_str());
    let end = end.map(str::to_ascii_lowercase);
    path.is_file() && end.is_some_and(|end| ENDS.contains(&end.as_str()))
}

/// One per core, at most as many as a batch has chunks.
pub(super) fn default_threads() -> usize {
    const MOST: usize = 8;
    std::thread::available_parallelism()
        .map_or(1, std::num::NonZero::get)
        .min(MOST)
}
