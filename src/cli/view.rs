//! `marginscope view`: features that somebody else trained, in the window or as a figure.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, Args};

use crate::cli::sheet::{SheetOptions, still_format_of};
use crate::cli::{Failure, Launch, RunOptions, reading, render, train};
use crate::experiment::Experiment;
use crate::figure::{Opened, Plot};

pub(super) const EXAMPLES: &str = "\
Examples:
  marginscope view f.npy --labels y.npy                      class means stand for class weights
  marginscope view f.npy --weights w.npy --loss arcface      other boundaries, the same points
  marginscope view run.npz --dim 3 --out fig.pdf             x, y, w and b of one file, as a figure
  marginscope view run.npz --loss cosface --json             accuracy, angles and margins";

/// Options of `view`.
#[derive(Args, Clone, Debug)]
#[command(
    mut_arg("file", features_arg),
    mut_arg("data", |arg| arg.hide(true).conflicts_with("file")),
    mut_arg("network", |arg| arg.hide(true).conflicts_with("file")),
    mut_arg("epochs", |arg| arg.hide(true).conflicts_with("file")),
    mut_arg("steps", |arg| arg.hide(true).conflicts_with("file")),
    mut_arg("batch", |arg| arg.hide(true).conflicts_with("file")),
    mut_arg("learning_rate", |arg| arg.hide(true).conflicts_with("file")),
    mut_arg("seed", |arg| arg.hide(true).conflicts_with("file")),
    mut_arg("dim", |arg| arg.help(DIM_HELP)),
)]
pub struct ViewOptions {
    #[command(flatten)]
    run: RunOptions,
    /// Class of each sample: NPY, text or IDX (default: y.npy beside x.npy and the like).
    #[arg(long, value_name = "F")]
    labels: Option<PathBuf>,
    /// Class weights, a row for each class in the order of their numbers or names (default: in the NPZ,
    /// else class means).
    #[arg(long, value_name = "F")]
    weights: Option<PathBuf>,
    /// Bias of the class weights, a number for each class (default: in the NPZ, else 0).
    #[arg(long, value_name = "F")]
    bias: Option<PathBuf>,
    /// Write a figure and open no window.
    #[arg(long, value_name = "FIG.svg|.pdf|.png")]
    out: Option<PathBuf>,
    /// Print what is measured as one JSON object on one line, and open no window.
    #[arg(long)]
    json: bool,
    /// What is drawn: plane, circle, sphere; in a figure also psi, margin-map, confusion, histogram.
    #[arg(long, value_name = "VIEW")]
    view: Option<String>,
    #[command(flatten)]
    sheet: SheetOptions,
    /// Samples as pixels inside an SVG or PDF: a page with many opens and prints faster.
    #[arg(long, requires = "out")]
    raster_points: bool,
}

const DIM_HELP: &str = "Dimensions that are seen: 2 or 3, by PCA where there are more, or as many as there are (default: 2, of 3 all)";

fn features_arg(arg: Arg) -> Arg {
    let help = "Features, a row for each sample: NPY, CSV, or NPZ with x, y, w and b";
    arg.value_name("FEATURES").required(true).help(help)
}

impl ViewOptions {
    /// Whether nothing else was asked for.
    pub(super) fn opens_window(&self) -> bool {
        self.out.is_none() && !self.json
    }

    /// The experiment that shows these features. They are read here, with a bar on stderr.
    ///
    /// # Errors
    /// A usage error that names the option; another if a file cannot be read.
    pub(super) fn launch(&self) -> Result<Launch, Failure> {
        if let Some(option) = self.sheet.given().filter(|_| self.out.is_none()) {
            let words = format!("{option} is of a figure; add --out FIG.pdf");
            return Err(Failure::Usage(words));
        }
        let mut experiment = Experiment::default();
        let files = [
            ("FEATURES", "data.features", &self.run.file),
            ("--labels", "data.labels", &self.labels),
            ("--weights", "data.weights", &self.weights),
            ("--bias", "data.bias", &self.bias),
        ];
        for (option, key, path) in files {
            let Some(path) = path else { continue };
            let path = path.to_str().ok_or_else(|| {
                Failure::Usage(format!("{option} {}: a name in UTF-8", path.display()))
            })?;
            let set = experiment.set(key, path);
            set.map_err(|error| Failure::Usage(format!("{option}: {error}")))?;
        }
        let mut launch = self
            .run
            .launch_from(Opened::new(experiment), |experiment| {
                // Three dimensions are seen as they are, unless two are asked for.
                let default = Experiment::default().network.dim;
                let has_three = experiment
                    .data
                    .given()
                    .is_some_and(|given| given.dim() == 3);
                if has_three && experiment.network.dim == default && !self.says_dim() {
                    experiment.network.dim = 3;
                }
            })?;
        let recipe = &mut launch.opened.recipe;
        self.check_view(&recipe.experiment)?;
        // Which views there are depends on the dimension, so that it is looked at afterwards.
        if let Some(view) = self.view.as_ref().filter(|_| self.out.is_none()) {
            render::set_view(recipe, view)?;
        }
        launch.is_default = false;
        Ok(launch)
    }

    fn says_dim(&self) -> bool {
        let is_dim = |set: &String| {
            let key = set.split('=').next().unwrap_or_default().trim();
            matches!(key, "network.dim" | "dim")
        };
        self.run.dim.is_some() || self.run.set.iter().any(is_dim)
    }

    /// Refuses plots that there are not.
    fn check_view(&self, experiment: &Experiment) -> Result<(), Failure> {
        let view = self.view.as_deref().unwrap_or_default();
        let given = experiment.data.given();
        let why = match view {
            "curves" => "needs steps, and nothing is trained here",
            "confusion" if given.is_some_and(|given| !given.has_labels()) => {
                "needs labels; add --labels"
            }
            _ if self.out.is_none() && Plot::CHARTS.iter().any(|plot| plot.id() == view) => {
                "is a figure; add --out"
            }
            _ => return Ok(()),
        };
        Err(Failure::Usage(format!("--view {view} {why}")))
    }
}

pub(super) fn run(options: &ViewOptions) -> Result<ExitCode, Failure> {
    let format = options
        .out
        .as_deref()
        .map(|out| still_format_of("--out", out))
        .transpose()?;
    let launch = options.launch()?;
    if options.json {
        reading::tell_findings(launch.experiment());
        super::print(&train::measured(&launch, true)?)?;
    }
    let (Some(out), Some(format)) = (&options.out, format) else {
        return Ok(ExitCode::SUCCESS);
    };
    let figure = render::RenderOptions {
        run: options.run.clone(),
        out: Some(out.clone()),
        view: options.view.clone(),
        sheet: options.sheet.clone(),
        raster_points: options.raster_points,
        strip: None,
        own_scales: false,
        orbit: None,
        frames: None,
        delay: None,
    };
    render::make(&figure, &launch, out, format)
}
