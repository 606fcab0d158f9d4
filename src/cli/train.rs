//! `marginscope train`: a run without a window, its result as a table or one line of JSON.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::progress::{interrupt_flag, progress_bar};
use crate::cli::{Failure, Launch, RunOptions};
use crate::experiment::Experiment;
use crate::export;
use crate::export::{npy, write_beside};
use crate::loss::LossSpec;
use crate::trainer::{Metrics, Trainer};

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
    let Launch {
        experiment,
        n_threads,
        ..
    } = launch;
    let trainer = Trainer::new(experiment, None, *n_threads).map_err(anyhow::Error::from)?;
    let report = report(&trainer, &Outcome::default(), *n_threads);
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

/// The line that `--json` prints; angles in degrees, accuracies as fractions.
#[derive(Debug, Serialize)]
struct Report {
    loss: &'static str,
    parameters: Map<String, Value>,
    data: String,
    network: String,
    dim: usize,
    classes: usize,
    seed: u64,
    threads: usize,
    steps: u64,
    epochs: f64,
    seconds: f64,
    samples_per_second: f64,
    final_loss: Option<f64>,
    train_accuracy: Option<f64>,
    test_accuracy: Option<f64>,
    target_angle_deg: Option<f64>,
    intra_class_angle_deg: Option<f64>,
    min_weight_angle_deg: Option<f64>,
    min_class_mean_angle_deg: Option<f64>,
    mean_feature_norm: Option<f64>,
    margin_satisfied: Option<f64>,
    diverged: bool,
    parameters_sha256: String,
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
    elapsed: Duration,
    /// Why it stopped early.
    diverged: Option<String>,
    was_interrupted: bool,
}

pub(super) fn run(options: &TrainOptions) -> Result<ExitCode, Failure> {
    check_features_path(options.features.as_deref())?;
    check_distinct(options)?;
    let launch = options.run.launch()?;
    check_data_stays(options, &launch.experiment)?;
    check_writable(options)?;
    let mut trainer =
        Trainer::new(&launch.experiment, None, launch.n_threads).map_err(anyhow::Error::from)?;
    let n_steps = launch.experiment.n_steps(trainer.data().train.len());
    let threads = trainer.threads();
    let outcome = threads.install(|| train(&mut trainer, n_steps));
    write_files(options, &trainer, &outcome)?;
    let report = report(&trainer, &outcome, launch.n_threads);
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
    match path.map(|path| (path, path.extension().and_then(|e| e.to_str()))) {
        None | Some((_, Some("npy" | "csv"))) => Ok(()),
        Some((path, _)) => Err(Failure::Usage(format!(
            "--features {}: expected a name that ends in .npy or .csv",
            path.display()
        ))),
    }
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
                "{option} would replace {name}, the experiment itself; give it a file of its own"
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

fn is_same(a: &Path, b: &Path) -> bool {
    let absolute = |path| std::path::absolute(path).ok();
    let real = |path: &Path| path.canonicalize().ok();
    absolute(a) == absolute(b) || (a.exists() && real(a) == real(b))
}

/// What cannot be written is told before an hour of training, not after.
fn check_writable(options: &TrainOptions) -> Result<(), Failure> {
    for (_, path) in outputs(options) {
        let name = path.display();
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
            let directory = directory.display();
            let message = format!("cannot write {name}: there is no directory {directory}");
            return Err(anyhow::anyhow!(message).into());
        }
        export::check_writable(path).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

fn train(trainer: &mut Trainer, n_steps: u64) -> Outcome {
    let interrupted = interrupt_flag();
    let bar = progress_bar(n_steps);
    let mut outcome = Outcome {
        rows: Vec::new(),
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

fn report(trainer: &Trainer, outcome: &Outcome, threads: usize) -> Report {
    let experiment = trainer.experiment();
    let data = trainer.data();
    let train = trainer.evaluate(&data.train);
    let test = data
        .test
        .as_ref()
        .filter(|_| !trainer.is_free())
        .and_then(|split| trainer.evaluate(split));
    let shown = test.or(train);
    let deg = |angle: fn(&Metrics) -> Option<f64>| {
        shown
            .as_ref()
            .and_then(angle)
            .map(f64::to_degrees)
            .and_then(finite)
    };
    let seconds = outcome.elapsed.as_secs_f64();
    let batch = experiment.batch(data.train.len()) as u64;
    Report {
        loss: experiment.loss.spec.id,
        parameters: parameters(experiment),
        data: data.name.clone(),
        network: experiment.network_kind().to_string(),
        dim: experiment.network.dim,
        classes: data.n_classes(),
        seed: experiment.run.seed,
        threads,
        steps: trainer.n_steps(),
        epochs: trainer.epochs(),
        seconds,
        samples_per_second: if seconds > 0.0 {
            (trainer.n_steps() * batch) as f64 / seconds
        } else {
            0.0
        },
        final_loss: outcome.rows.last().map(|row| row.loss),
        train_accuracy: train.filter(|_| data.has_labels()).map(|m| m.accuracy),
        test_accuracy: test.map(|m| m.accuracy),
        target_angle_deg: deg(|m| m.target_angle_rad),
        intra_class_angle_deg: deg(|m| m.intra_class_angle_rad),
        min_weight_angle_deg: deg(|m| m.min_weight_angle_rad),
        min_class_mean_angle_deg: deg(|m| m.min_class_mean_angle_rad),
        mean_feature_norm: shown.and_then(|m| finite(m.mean_feature_norm)),
        margin_satisfied: shown.map(|m| m.margin_satisfied),
        diverged: outcome.diverged.is_some(),
        parameters_sha256: trainer.parameters_sha256(),
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The loss's values by parameter id; a choice by its name.
fn parameters(experiment: &Experiment) -> Map<String, Value> {
    let spec: &LossSpec = experiment.loss.spec;
    let values = experiment.loss_values();
    spec.params
        .iter()
        .zip(values)
        .map(|(param, value)| {
            let value = if param.choices.is_empty() {
                Value::from(value)
            } else {
                Value::from(param.text(value))
            };
            (param.id.to_owned(), value)
        })
        .collect()
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

fn write_files(
    options: &TrainOptions,
    trainer: &Trainer,
    outcome: &Outcome,
) -> Result<(), Failure> {
    if let Some(path) = &options.metrics {
        write_csv(path, &outcome.rows)?;
    }
    if let Some(path) = &options.features {
        write_features(path, trainer)?;
    }
    if let Some(path) = &options.save {
        let bytes = trainer.session().context("cannot encode the session")?;
        write_beside(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn write_csv(path: &Path, rows: &[impl Serialize]) -> Result<(), Failure> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.serialize(row).context("cannot write a row")?;
    }
    let bytes = table
        .into_inner()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(write_beside(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?)
}

fn write_features(path: &Path, trainer: &Trainer) -> Result<(), Failure> {
    let data = trainer.data();
    let split = data
        .test
        .as_ref()
        .filter(|_| !trainer.is_free())
        .unwrap_or(&data.train);
    let dim = trainer.experiment().network.dim;
    let features = trainer.features(split);
    if path.extension().is_some_and(|e| e == "npy") {
        let bytes = npy::matrix(&features, split.len(), dim);
        return Ok(write_beside(path, &bytes)
            .with_context(|| format!("cannot write {}", path.display()))?);
    }
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = std::iter::once("label".to_owned()).chain((1..=dim).map(|i| format!("x{i}")));
    table
        .write_record(header)
        .context("cannot write the header")?;
    for (x, &label) in features.chunks_exact(dim).zip(split.labels()) {
        let row = std::iter::once(data.class_names[usize::from(label)].clone())
            .chain(x.iter().map(f32::to_string));
        table.write_record(row).context("cannot write a row")?;
    }
    let bytes = table
        .into_inner()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(write_beside(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?)
}
