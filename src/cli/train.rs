//! `marginscope train`: a run without a window, its result as a table or one line of JSON.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::cli::output::{self, is_same};
use crate::cli::progress::{interrupt_flag, progress_bar};
use crate::cli::{Failure, Launch, RunOptions};
use crate::experiment::Experiment;
use crate::export;
use crate::export::table::{self, TableError, Vectors};
use crate::export::write_beside;
use crate::figure::Recipe;
use crate::trainer::{Ending, History, Horizon, Report, Session, Trainer};

pub(super) const EXAMPLES: &str = "\
Examples:
  marginscope train --loss arcface --margin 0.3         three epochs of MNIST, a summary
  marginscope train --data rings --steps 500 --json     one line for a program
  marginscope train lesson.toml --metrics loss.csv      loss and learning rate of every step
  marginscope train --dim 3 --features f.csv            the test set as the network sees it
  marginscope train --set optimizer.kind=adam --seed 2  any field of an experiment
  marginscope train --data iris.csv --classes 2         your own table, its first two classes";

/// What is measured of an experiment before its first step, as text or as a line of JSON.
pub(super) fn measured(launch: &Launch, is_json: bool) -> Result<String, Failure> {
    let trainer = launch.trainer()?;
    let report = Report::of(&trainer, &Outcome::default().ending());
    text_or_json(&report, trainer.experiment(), is_json)
}

fn text_or_json(
    report: &Report,
    experiment: &Experiment,
    is_json: bool,
) -> Result<String, Failure> {
    if is_json {
        let json = serde_json::to_string(report).context("cannot write the result as JSON")?;
        return Ok(json);
    }
    Ok(text_of(report, experiment))
}

/// Options of `train`.
#[derive(Args, Clone, Debug)]
pub struct TrainOptions {
    #[command(flatten)]
    run: RunOptions,
    /// Write the trained parameters and the experiment (safetensors).
    #[arg(long, value_name = "SESSION")]
    save: Option<PathBuf>,
    /// Write loss and learning rate of every step (CSV).
    #[arg(long, value_name = "TABLE.csv")]
    metrics: Option<PathBuf>,
    /// Write the test set's features (.npy), or labels and features (.csv).
    #[arg(long, value_name = "F.npy|F.csv")]
    features: Option<PathBuf>,
    /// Print the result as one JSON object on one line.
    #[arg(long)]
    json: bool,
}

/// A step's row in `--metrics`.
#[derive(Debug, Serialize)]
struct MetricsRow {
    step: u64,
    loss: f64,
    learning_rate: f64,
}

/// What training left beside the parameters.
#[derive(Default)]
struct Outcome {
    rows: Vec<MetricsRow>,
    history: History,
    /// Steps that its session had.
    n_before: u64,
    elapsed: Duration,
    /// Why it stopped early.
    diverged: Option<String>,
    was_interrupted: bool,
}

impl Outcome {
    fn ending(&self) -> Ending {
        Ending {
            n_before: self.n_before,
            elapsed: self.elapsed,
            final_loss: self.rows.last().map(|row| row.loss),
            diverged: self.diverged.is_some(),
        }
    }
}

pub(super) fn run(options: &TrainOptions) -> Result<ExitCode, Failure> {
    check_features_path(options.features.as_deref())?;
    check_distinct(options)?;
    let launch = options.run.launch()?;
    check_data_stays(options, launch.experiment())?;
    check_writable(options)?;
    let mut trainer = launch.trainer()?;
    let n_steps = launch.experiment().n_steps(trainer.data().train.len());
    let before = launch.opened.session.as_ref();
    if options.run.has_length() {
        check_goes_on(trainer.n_steps(), n_steps)?;
    }
    if before.is_some() {
        tell_fallen_rate(&trainer, n_steps);
    }
    let threads = trainer.threads();
    let outcome = threads.install(|| train(&mut trainer, n_steps, before));
    write_files(options, &launch, &trainer, &outcome)?;
    let report = Report::of(&trainer, &outcome.ending());
    super::print(&text_or_json(&report, trainer.experiment(), options.json)?)?;
    if let Some(message) = outcome.diverged {
        return Err(anyhow::anyhow!(message).into());
    }
    if outcome.was_interrupted {
        return Err(anyhow::anyhow!(
            "interrupted after {} of {n_steps} steps; the result above is of these",
            trainer.n_steps()
        )
        .into());
    }
    Ok(ExitCode::SUCCESS)
}

fn check_features_path(path: Option<&Path>) -> Result<(), Failure> {
    path.map_or(Ok(()), |path| {
        let name = path.display();
        table::check_name(path)
            .map_err(|error| Failure::Usage(format!("--features {name}: {error}")))
    })
}

/// The files that a run ends with: option and path.
fn outputs(options: &TrainOptions) -> impl Iterator<Item = (&'static str, &Path)> {
    let TrainOptions {
        save,
        metrics,
        features,
        ..
    } = options;
    [
        ("--metrics", metrics),
        ("--features", features),
        ("--save", save),
    ]
    .into_iter()
    .filter_map(|(option, path)| Some((option, path.as_deref()?)))
}

/// No output may replace another, or the experiment that it came from.
fn check_distinct(options: &TrainOptions) -> Result<(), Failure> {
    let outputs: Vec<_> = outputs(options).collect();
    for (i, (option, path)) in outputs.iter().enumerate() {
        let name = path.display();
        if let Some((other, _)) = outputs[..i].iter().find(|(_, other)| is_same(other, path)) {
            return Err(Failure::Usage(format!(
                "{other} and {option} both name {name}; give each a file of its own"
            )));
        }
        if options
            .run
            .file
            .as_ref()
            .is_some_and(|file| is_same(file, path))
        {
            return Err(Failure::Usage(format!(
                "{option} would replace {name}, which the run begins with; give it a file of its own"
            )));
        }
    }
    Ok(())
}

/// No output may replace what is trained on.
fn check_data_stays(options: &TrainOptions, experiment: &Experiment) -> Result<(), Failure> {
    for (option, path) in outputs(options) {
        if experiment.data.paths().any(|data| is_same(data, path)) {
            return Err(Failure::Usage(format!(
                "{option} would replace {}, which is trained on; give it a file of its own",
                path.display()
            )));
        }
    }
    Ok(())
}

/// What cannot be written is told before an hour of training, not after.
fn check_writable(options: &TrainOptions) -> Result<(), Failure> {
    for (_, path) in outputs(options) {
        output::check_folder(path)?;
        let name = path.display();
        export::check_writable(path).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

/// A session goes on from where it stands, never back.
fn check_goes_on(step: u64, n_steps: u64) -> Result<(), Failure> {
    if step <= n_steps {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "the session stands at step {step}, and the run was to end after {n_steps}; \
         ask for more with --steps, or start anew without the session"
    )))
}

/// Who goes on beyond the end of a run finds its learning rate at the floor.
fn tell_fallen_rate(trainer: &Trainer, n_steps: u64) {
    if let Horizon::Steps(end) = trainer.horizon()
        && end < n_steps
    {
        super::tell(&format!(
            "the learning rate falls until step {end}, as the session was begun with, and the steps after it have its floor; \
             to go on as one long run does, begin with --set optimizer.horizon={n_steps}"
        ));
    }
}

fn train(trainer: &mut Trainer, n_steps: u64, before: Option<&Session>) -> Outcome {
    let interrupted = interrupt_flag();
    let bar = progress_bar(n_steps);
    let mut outcome = Outcome {
        rows: Vec::new(),
        history: before.map_or_else(History::default, |before| before.history.clone()),
        n_before: trainer.n_steps(),
        elapsed: Duration::ZERO,
        diverged: None,
        was_interrupted: false,
    };
    let start = Instant::now();
    while trainer.n_steps() < n_steps {
        if interrupted.load(Ordering::Relaxed) {
            outcome.was_interrupted = true;
            break;
        }
        match trainer.step() {
            Ok(report) => {
                outcome.history.push_loss(trainer.n_steps(), report.loss);
                outcome.rows.push(MetricsRow {
                    step: trainer.n_steps(),
                    loss: report.loss,
                    learning_rate: report.learning_rate,
                });
                bar.set_position(trainer.n_steps());
                if trainer.n_steps().is_multiple_of(20) {
                    bar.set_message(format!("loss {:.3}", report.loss));
                }
            }
            Err(diverged) => {
                outcome.diverged = Some(diverged.to_string());
                break;
            }
        }
    }
    outcome.elapsed = start.elapsed();
    bar.finish_and_clear();
    outcome
}

/// The report for people; a figure that does not exist for this run has no line.
fn text_of(report: &Report, experiment: &Experiment) -> String {
    let degrees = |name: &str, angle: Option<f64>| Some(format!("{name}{:.1}°", angle?));
    let satisfied = report.margin_satisfied;
    let findings = experiment.data.findings().iter();
    let findings: Vec<String> = findings.map(|finding| format!("  {finding}")).collect();
    let lines = [
        Some(headline(report, experiment)),
        (!findings.is_empty()).then(|| findings.join("\n")),
        accuracy_text(report),
        degrees("  angle to own weight   ", report.target_angle_deg),
        degrees("  within a class        ", report.intra_class_angle_deg),
        degrees(
            "  between weights       at least ",
            report.min_weight_angle_deg,
        ),
        satisfied.map(|share| format!("  with their margin     {}", percent(share))),
        time_text(report),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// `arcface, margin 0.3, scale 16 (cnn in 2-D, 1404 steps on 10 classes of mnist, seed 1)`
fn headline(report: &Report, experiment: &Experiment) -> String {
    let mut text = report.loss.to_owned();
    let params = experiment.loss.spec.params.iter();
    for (param, value) in params.zip(experiment.loss_values()) {
        let _ = write!(text, ", {} {}", param.id, param.text(value)); // writing to a String cannot fail
    }
    format!(
        "{text} ({} in {}-D, {} on {} classes of {}, seed {})",
        report.network,
        report.dim,
        counted(report.steps, "step"),
        report.classes,
        report.data,
        report.seed
    )
}

fn accuracy_text(report: &Report) -> Option<String> {
    let shares = [
        ("test", report.test_accuracy),
        ("train", report.train_accuracy),
    ];
    let texts: Vec<String> = shares
        .into_iter()
        .filter_map(|(name, share)| Some(format!("{name} {}", percent(share?))))
        .collect();
    (!texts.is_empty()).then(|| format!("  accuracy              {}", texts.join(", ")))
}

/// Without a step there is no rate.
fn time_text(report: &Report) -> Option<String> {
    (report.steps > 0).then(|| {
        format!(
            "  time                  {:.1} s, {:.0} samples/s with {}",
            report.seconds,
            report.samples_per_second,
            counted(report.threads as u64, "thread")
        )
    })
}

fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}

/// `1 step`, `2 steps`.
fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The run with the picture of its file, which shows it as it stands now.
fn recipe_of(launch: &Launch, trainer: &Trainer) -> Recipe {
    let mut recipe = Recipe {
        experiment: trainer.recipe(),
        ..launch.opened.recipe.clone()
    };
    if launch.opened.has_picture() {
        recipe.picture.step = Some(trainer.n_steps());
        recipe.picture.accuracy.clear(); // of other steps
    }
    recipe
}

fn write_files(
    options: &TrainOptions,
    launch: &Launch,
    trainer: &Trainer,
    outcome: &Outcome,
) -> Result<(), Failure> {
    if let Some(path) = &options.metrics {
        write_table(path, table::rows(&outcome.rows))?;
    }
    if let Some(path) = &options.features {
        write_features(path, trainer)?;
    }
    if let Some(path) = &options.save {
        let recipe = recipe_of(launch, trainer).kept_in(path);
        let session = trainer.session(recipe.to_toml(), outcome.history.clone());
        let bytes = session.to_bytes().context("cannot encode the session")?;
        write_beside(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn write_features(path: &Path, trainer: &Trainer) -> Result<(), Failure> {
    let data = trainer.data();
    let split = data
        .test
        .as_ref()
        .filter(|_| !trainer.is_free())
        .unwrap_or(&data.train);
    let names = split.labels().iter();
    let names: Vec<&str> = names
        .map(|&label| data.class_names[usize::from(label)].as_str())
        .collect();
    let vectors = Vectors {
        owner: "label",
        owners: &names,
        values: &trainer.features(split),
        dim: trainer.experiment().network.dim,
    };
    write_table(path, vectors.to_bytes(path))
}

fn write_table(path: &Path, bytes: Result<Vec<u8>, TableError>) -> Result<(), Failure> {
    let written = bytes
        .map_err(anyhow::Error::from)
        .and_then(|bytes| Ok(write_beside(path, &bytes)?));
    Ok(written.with_context(|| format!("cannot write {}", path.display()))?)
}
