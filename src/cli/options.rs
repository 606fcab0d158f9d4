//! Options shared by the window and the headless commands, and how they become an `Experiment`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use crate::cli::{Cli, Failure, reading};
use crate::experiment::{Experiment, fields};
use crate::export::Format;
use crate::figure::{Picture, Recipe};
use crate::loss::nearest;

/// A run as options: a file, then what differs from it.
#[derive(Args, Clone, Debug, Default)]
pub struct RunOptions {
    /// Experiment to start from: a TOML file, or a picture that marginscope wrote.
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

/// What to start: an experiment and with how many threads.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What to run.
    pub experiment: Experiment,
    /// How it is looked at, where a file says so.
    pub picture: Picture,
    /// Training threads.
    pub n_threads: usize,
    /// Whether anything was asked for, or all is default.
    pub is_default: bool,
}

impl RunOptions {
    /// The experiment that file and options describe.
    ///
    /// Own data are read here, with a bar on stderr.
    ///
    /// # Errors
    /// A usage error that names the option; another if a file cannot be read.
    pub fn launch(&self) -> Result<Launch, Failure> {
        self.launch_from(match &self.file {
            Some(path) => read_recipe(path)?,
            None => Recipe::new(Experiment::default()),
        })
    }

    /// The same from a recipe in the place of the file.
    pub(super) fn launch_from(&self, recipe: Recipe) -> Result<Launch, Failure> {
        let Recipe {
            mut experiment,
            picture,
        } = recipe;
        let settings = self.settings()?;
        for (option, key, value) in &settings {
            experiment
                .set(key, value)
                .map_err(|error| Failure::Usage(format!("{option}: {error}")))?;
        }
        reading::read(&mut experiment)?;
        experiment
            .validate()
            .map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Launch {
            experiment,
            picture,
            n_threads: self.threads.map_or_else(default_threads, usize::from),
            is_default: self.file.is_none() && settings.is_empty(),
        })
    }

    /// Option as typed, key, value; the loss before its parameters, `--set` last and in order.
    fn settings(&self) -> Result<Vec<(String, String, String)>, Failure> {
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

/// The recipe in a picture, or an experiment's file.
fn read_recipe(path: &Path) -> Result<Recipe, Failure> {
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
    let bytes = read(path).with_context(|| format!("cannot read experiment {name}"))?;
    let text = match Format::of_bytes(&bytes) {
        Some(format) => format.recipe(&bytes).with_context(|| {
            format!("{name} is a picture without a recipe; only pictures that marginscope wrote can be opened")
        })?,
        None => String::from_utf8(bytes)
            .with_context(|| format!("cannot read experiment {name}: it is no text in UTF-8"))?,
    };
    // All faults, on the one line that an error may have.
    let mut recipe = Recipe::from_toml(&text, &name)
        .map_err(|error| Failure::Other(anyhow::anyhow!(error.faults.join("; "))))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    recipe.experiment.data.resolve_paths(folder);
    Ok(recipe)
}

/// A file that is not larger than any picture of ours.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;
    const MOST_BYTES: u64 = 256 << 20;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    anyhow::ensure!(
        bytes.len() as u64 <= MOST_BYTES,
        "it has more than {} MB",
        MOST_BYTES >> 20
    );
    Ok(bytes)
}

/// One per core, at most as many as a batch has chunks.
pub(super) fn default_threads() -> usize {
    const MOST: usize = 8;
    std::thread::available_parallelism()
        .map_or(1, std::num::NonZero::get)
        .min(MOST)
}
