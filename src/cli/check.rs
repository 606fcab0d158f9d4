//! `marginscope check`: the head that trains, in f32, against reference values.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::Failure;
use crate::loss;
use crate::loss::{
    Course, Form, Head, HeadGrads, HeadInput, HeadWork, LossSpec, MAX_PARAMS, Param, Setting,
    Values,
};

pub(super) const EXAMPLES: &str = "\
Prints the largest error of each tensor of each case, relative to the tensor's largest value.
Exits with 1 if one is above the tolerance.

Examples:
  marginscope check tests/data/loss_heads.json     the vectors of the source tree
  marginscope check vectors.json --tolerance 1e-5  stricter";

/// Options of `check`.
#[derive(Args, Clone, Debug)]
pub struct CheckOptions {
    /// Reference values (JSON, as `tests/data/loss_heads.json` in the source tree).
    vectors: PathBuf,
    /// Largest relative error that passes.
    #[arg(
        long,
        value_name = "T",
        default_value = "1e-4",
        allow_hyphen_values = true,
        value_parser = tolerance
    )]
    tolerance: f64,
}

fn tolerance(text: &str) -> Result<f64, &'static str> {
    let value = text.parse().ok();
    value
        .filter(|value: &f64| *value > 0.0 && value.is_finite())
        .ok_or("expected a number above 0")
}

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

/// One case: row-major matrices, double precision.
#[derive(Deserialize)]
struct Case {
    loss: String,
    params: Map<String, Value>,
    n: usize,
    dim: usize,
    classes: usize,
    x: Vec<f64>,
    w: Vec<f64>,
    #[serde(default)]
    b: Option<Vec<f64>>,
    y: Vec<u16>,
    #[serde(default)]
    centers: Option<Vec<f64>>,
    loss_mean: f64,
    logits: Vec<f64>,
    grad_x: Vec<f64>,
    grad_w: Vec<f64>,
    #[serde(default)]
    grad_b: Option<Vec<f64>>,
}

/// Largest error of each tensor of a case.
struct Errors {
    loss: f64,
    logits: f64,
    grad_x: f64,
    grad_w: f64,
    grad_b: Option<f64>,
}

impl Errors {
    /// NaN counts as worse than everything.
    fn worst(&self) -> f64 {
        [
            self.loss,
            self.logits,
            self.grad_x,
            self.grad_w,
            self.grad_b.unwrap_or(0.0),
        ]
        .into_iter()
        .fold(0.0, |worst, error| {
            if error.is_nan() || worst > error {
                worst.max(if error.is_nan() { f64::INFINITY } else { worst })
            } else {
                error
            }
        })
    }
}

pub(super) fn run(options: &CheckOptions) -> Result<ExitCode, Failure> {
    let name = options.vectors.display();
    let text =
        std::fs::read_to_string(&options.vectors).with_context(|| format!("cannot read {name}"))?;
    let vectors: Vectors = serde_json::from_str(&text)
        .with_context(|| format!("{name} is not in the format of reference vectors"))?;
    if vectors.cases.is_empty() {
        return Err(anyhow::anyhow!("{name}: cases is empty, so that nothing was checked").into());
    }
    super::print(&format!(
        "{:>4}  {:<22}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "case", "loss", "loss", "logits", "grad_x", "grad_w", "grad_b"
    ))?;
    let mut worst = (0.0, 0, String::new());
    for (i, case) in vectors.cases.iter().enumerate() {
        let errors =
            check_case(case).with_context(|| format!("{name}: case {i} ({})", case.loss))?;
        super::print(&row(i, case, &errors))?;
        if errors.worst() >= worst.0 {
            worst = (errors.worst(), i, case.loss.clone());
        }
    }
    let passes = worst.0 <= options.tolerance;
    let verdict = if passes { "passes" } else { "fails" };
    super::print(&format!(
        "{} cases; the worst error is {:.2e} in case {} ({}), which {verdict} at tolerance {:.0e}",
        vectors.cases.len(),
        worst.0,
        worst.1,
        worst.2,
        options.tolerance
    ))?;
    Ok(if passes {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn row(index: usize, case: &Case, errors: &Errors) -> String {
    let grad_b = errors
        .grad_b
        .map_or("–".to_owned(), |error| format!("{error:.1e}"));
    format!(
        "{index:>4}  {:<22}{:>10.1e}{:>10.1e}{:>10.1e}{:>10.1e}{grad_b:>10}",
        case.loss, errors.loss, errors.logits, errors.grad_x, errors.grad_w
    )
}

/// Runs the head on one case. Binary cross entropy has its one weight in column 1.
fn check_case(case: &Case) -> anyhow::Result<Errors> {
    let spec = loss::find(&case.loss)?;
    check_sizes(case, spec)?;
    let values = values_of(case, spec)?.map(|value| value as f32);
    let first = usize::from(spec.form == Form::Binary);
    let head = Head {
        spec,
        dim: case.dim,
        n_classes: case.classes,
    };
    let features = narrow(&case.x);
    let (weights, bias) = weights_and_bias(case, first);
    let centers = case.centers.as_deref().map(narrow).unwrap_or_default();
    let input = HeadInput {
        features: &features,
        labels: &case.y,
        weights: &weights,
        bias: &bias,
        centers: &centers,
        batch: case.n,
    };
    let mut work = HeadWork::recording();
    let mut grad_features = vec![0.0; features.len()];
    let mut grad_weights = vec![0.0; weights.len()];
    let mut grad_bias = vec![0.0; bias.len()];
    let mut grads = HeadGrads {
        features: &mut grad_features,
        weights: &mut grad_weights,
        bias: &mut grad_bias,
        center_sums: &mut [],
    };
    let loss = head.run(input, &values, &mut work, &mut grads);
    let logits: Vec<f32> = work
        .record
        .unwrap_or_default()
        .logits
        .chunks_exact(case.classes)
        .flat_map(|column| &column[first..])
        .copied()
        .collect();
    Ok(Errors {
        loss: relative_error(&[loss as f32], &[case.loss_mean]),
        logits: relative_error(&logits, &case.logits),
        grad_x: relative_error(&grad_features, &case.grad_x),
        grad_w: relative_error(&grad_weights[first * case.dim..], &case.grad_w),
        grad_b: case
            .grad_b
            .as_ref()
            .map(|expected| relative_error(&grad_bias[first..], expected)),
    })
}

/// Row-major classes×dim is column-major dim×classes: nothing moves but a leading zero column.
fn weights_and_bias(case: &Case, first: usize) -> (Vec<f32>, Vec<f32>) {
    let mut weights = vec![0.0; first * case.dim];
    weights.extend(narrow(&case.w));
    let mut bias = vec![0.0; first];
    bias.extend(case.b.as_deref().map(narrow).unwrap_or_default());
    bias.resize(case.classes, 0.0);
    (weights, bias)
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}

/// max|a − b| / max(max|b|, 1e-6).
fn relative_error(found: &[f32], expected: &[f64]) -> f64 {
    const LEAST_SCALE: f64 = 1e-6;
    let scale = expected.iter().fold(LEAST_SCALE, |max, b| max.max(b.abs()));
    let errors = found
        .iter()
        .zip(expected)
        .map(|(&a, &b)| (f64::from(a) - b).abs() / scale);
    errors.fold(0.0, |max, error| {
        if error > max || error.is_nan() {
            error
        } else {
            max
        }
    })
}

fn check_sizes(case: &Case, spec: &LossSpec) -> anyhow::Result<()> {
    let Case {
        n, dim, classes, ..
    } = *case;
    let is_binary = spec.form == Form::Binary;
    let n_weights = if is_binary { 1 } else { classes };
    ensure!(
        n > 0 && dim > 0 && classes > 1,
        "n, dim and classes are {n}, {dim} and {classes}; expected n and dim above 0 and at least two classes"
    );
    ensure!(
        !is_binary || classes == 2,
        "classes is {classes}; this loss has two"
    );
    let expect = |field: &str, found: usize, expected: usize| -> anyhow::Result<()> {
        ensure!(
            found == expected,
            "field {field} has {found} numbers, expected {expected}"
        );
        Ok(())
    };
    expect("x", case.x.len(), n.saturating_mul(dim))?;
    expect("grad_x", case.grad_x.len(), n.saturating_mul(dim))?;
    expect("w", case.w.len(), n_weights.saturating_mul(dim))?;
    expect("grad_w", case.grad_w.len(), n_weights.saturating_mul(dim))?;
    expect("y", case.y.len(), n)?;
    expect("logits", case.logits.len(), n.saturating_mul(n_weights))?;
    if let Some(b) = &case.b {
        expect("b", b.len(), n_weights)?;
    }
    if let Some(grad_b) = &case.grad_b {
        expect("grad_b", grad_b.len(), n_weights)?;
    }
    if spec.penalty.is_some() {
        expect(
            "centers",
            case.centers.as_ref().map_or(0, Vec::len),
            classes.saturating_mul(dim),
        )?;
    }
    if let Some(y) = case.y.iter().find(|&&y| usize::from(y) >= classes) {
        bail!("field y has class {y}, expected classes below {classes}");
    }
    Ok(())
}

/// The values of a case: any finite number is taken, also outside a slider's range.
fn values_of(case: &Case, spec: &LossSpec) -> anyhow::Result<Values<f64>> {
    let mut values = spec.defaults(Setting {
        n_classes: case.classes,
        dim: case.dim,
    });
    for (value, param) in values.iter_mut().zip(spec.params) {
        if matches!(param.course, Course::Anneal { .. }) {
            *value = 0.0; // a case without λ means the bare staircase
        }
    }
    for (key, value) in &case.params {
        let index = spec.params.iter().position(|param| param.vector_key == key);
        let Some(index) = index else {
            let keys: Vec<&str> = spec.params.iter().map(|param| param.vector_key).collect();
            bail!(
                "params has \"{key}\", expected none but {}",
                keys.join(", ")
            )
        };
        values[index] = param_value(&spec.params[index], key, value)?;
    }
    debug_assert!(spec.params.len() <= MAX_PARAMS);
    Ok(values)
}

fn param_value(param: &Param, key: &str, value: &Value) -> anyhow::Result<f64> {
    if !param.choices.is_empty() {
        let index = param.choices.iter().position(|choice| value == choice);
        return index.map(|i| i as f64).with_context(|| {
            let choices = param.choices.join(", ");
            format!("params.{key} is {value}, expected one of {choices}")
        });
    }
    let number = value.as_f64().filter(|x| x.is_finite());
    number.with_context(|| format!("params.{key} is {value}, expected a finite number"))
}
