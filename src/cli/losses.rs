//! `marginscope losses`: the registry, for people and for programs.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::loss::formula::plain;
use crate::loss::{LOSSES, LossSpec, Param, Setting, short};

pub(super) const EXAMPLES: &str = "\
Examples:
  marginscope losses         a page to read
  marginscope losses --json  the same for a program";

/// Options of `losses`.
#[derive(Args, Clone, Copy, Debug)]
pub struct LossesOptions {
    /// Print one JSON array instead of a text.
    #[arg(long)]
    json: bool,
}

/// Defaults depend on the dimension; both that are drawn are listed.
const PLANE: Setting = Setting {
    n_classes: 10,
    dim: 2,
};
const SPHERE: Setting = Setting {
    n_classes: 10,
    dim: 3,
};

pub(super) fn run(options: LossesOptions) -> Result<ExitCode, Failure> {
    let text = if options.json {
        Value::Array(LOSSES.iter().map(|spec| json_of(spec)).collect()).to_string()
    } else {
        let texts: Vec<String> = LOSSES.iter().map(|spec| text_of(spec)).collect();
        texts.join("\n")
    };
    super::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn text_of(spec: &LossSpec) -> String {
    let mut lines = vec![
        format!("{:<22}{}", spec.id, plain(&spec.formula.short(), spec)),
        format!("{:<22}{}", "", spec.summary),
        format!("{:<22}{}", "", plain(&spec.formula.whole(), spec)),
    ];
    lines.extend(spec.params.iter().map(|param| param_text(spec, param)));
    lines.push(format!("{:<22}{}\n", "", spec.source));
    lines.join("\n")
}

fn param_text(spec: &LossSpec, param: &Param) -> String {
    let range = if param.choices.is_empty() {
        let (low, high) = (param.range.start(), param.range.end());
        let text = format!(
            "{} to {} {}",
            short(*low),
            short(*high),
            param.unit.suffix()
        );
        text.trim_end().to_owned()
    } else {
        param.choices.join(", ")
    };
    let defaults = [PLANE, SPHERE].map(|setting| param.text((param.default)(setting)));
    let default = if defaults[0] == defaults[1] {
        defaults[0].clone()
    } else {
        format!("{} in 2-D, {} in 3-D", defaults[0], defaults[1])
    };
    let ceiling = spec
        .param_index(param.id)
        .and_then(|i| spec.ceiling(i, PLANE, &spec.defaults(PLANE)));
    let ceiling = ceiling.map_or(String::new(), |m| {
        format!("; feasible up to {} for 10 classes in 2-D", short(m))
    });
    format!(
        "{:<22}  {} ({}): {range}, default {default}{ceiling}",
        "", param.id, param.symbol
    )
}

fn json_of(spec: &LossSpec) -> Value {
    let params: Vec<Value> = spec.params.iter().map(param_json).collect();
    json!({
        "id": spec.id,
        "name": spec.name,
        "formula": plain(&spec.formula.short(), spec),
        "loss_formula": plain(&spec.formula.whole(), spec),
        "summary": spec.summary,
        "source": spec.source,
        "parameters": params,
    })
}

fn param_json(param: &Param) -> Value {
    json!({
        "id": param.id,
        "symbol": param.symbol,
        "unit": param.unit.suffix(),
        "min": param.range.start(),
        "max": param.range.end(),
        "integer": param.is_integer,
        "choices": param.choices,
        "default_2d": (param.default)(PLANE),
        "default_3d": (param.default)(SPHERE),
        "help": param.help,
    })
}
