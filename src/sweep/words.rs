//! What the plot of a sweep says in words: its axes, what is the same in all runs, and what of that
//! was not in force.

use serde_json::{Map, Value};

use crate::experiment::Experiment;
use crate::loss::{self, Course, LossSpec, Param, Values, brief, short};
use crate::scene::{Used, numbers_in_words, thousands};
use crate::sweep::plot::has_diverged;
use crate::sweep::{Axis, Cell, Grid, Table};

/// A loss by its name, all else as it is typed.
pub(super) fn value_words(axis: &Axis, value: &str) -> String {
    match loss::find(value) {
        Ok(spec) if axis.key == "loss.id" => spec.name.to_owned(),
        _ => value.to_owned(),
    }
}

/// What a field is called where it is an axis.
pub(super) fn key_words(grid: &Grid, axis: &Axis) -> String {
    let known = match axis.key.as_str() {
        "network.dim" => "Embedding dimension d",
        "network.kind" => "Network",
        "data.source" => "Data",
        "data.samples" => "Training samples of each class",
        "data.noise" => "Scatter, in halves of the gap between classes",
        "data.test" => "Test share",
        "loss.id" => "Loss",
        "loss.ramp" => "Ramp of the margin (steps)",
        "loss.init" => "Start of the class weights",
        "optimizer.kind" => "Optimizer",
        "optimizer.learning_rate" => "Learning rate η",
        "optimizer.batch" => "Batch (samples)",
        "optimizer.clip" => "Largest norm of the gradient",
        "optimizer.warmup" => "Warm-up (steps)",
        "run.steps" => "Steps",
        "run.epochs" => "Epochs",
        key => return param_words(grid, key).unwrap_or_else(|| plain_words(key)),
    };
    known.to_owned()
}

/// A parameter of the loss with its letter, where all losses agree on it, and its unit, where they
/// do not loss by loss.
fn param_words(grid: &Grid, key: &str) -> Option<String> {
    let id = key.strip_prefix("loss.")?;
    let params: Vec<(&LossSpec, &Param)> = specs(grid)
        .into_iter()
        .filter_map(|spec| Some((spec, spec.params.iter().find(|param| param.id == id)?)))
        .collect();
    let (_, first) = params.first()?;
    let mut words = plain_words(key);
    if first.symbol != id && params.iter().all(|(_, param)| param.symbol == first.symbol) {
        words = format!("{words} {}", first.symbol);
    }
    if params.iter().all(|(_, param)| param.unit == first.unit) {
        return Some(match first.unit.suffix() {
            "" => words,
            unit => format!("{words} ({unit})"),
        });
    }
    let unit = |(spec, param): &(&LossSpec, &Param)| match param.unit.suffix() {
        "" => spec.name.to_owned(),
        unit => format!("{}: {unit}", spec.name),
    };
    let units: Vec<String> = params.iter().map(unit).collect();
    Some(format!("{words} ({})", units.join(", ")))
}

/// The losses of all cells, each once.
fn specs(grid: &Grid) -> Vec<&'static LossSpec> {
    let mut specs: Vec<&'static LossSpec> = Vec::new();
    for cell in &grid.cells {
        let spec = cell.experiment.loss.spec;
        if !specs.iter().any(|known| known.id == spec.id) {
            specs.push(spec);
        }
    }
    specs
}

/// `optimizer.weight_decay` as `Weight decay`.
fn plain_words(key: &str) -> String {
    let short = key.split_once('.').map_or(key, |(_, short)| short);
    let words = short.replace('_', " ");
    let mut letters = words.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Of how many runs, and of what: the settings that are the same in all of them.
pub(super) fn caption(grid: &Grid, table: &Table) -> String {
    let n_diverged = (0..grid.cells.len())
        .filter(|&cell| has_diverged(table, cell))
        .count();
    let over = match grid.n_seeds {
        1 => "One run each".to_owned(),
        n => format!("Mean and range (min–max) over {n} seeds"),
    };
    let left_out = match n_diverged {
        0 => String::new(),
        1 => " (1 run that diverged is left out)".to_owned(),
        n => format!(" ({} runs that diverged are left out)", thousands(n as u64)),
    };
    let of_what = match fixed_words(grid, table).as_str() {
        "" => format!("{over}{left_out}."),
        words => format!("{over}{left_out}: {words}."),
    };
    match rising(grid, table) {
        Some(note) => format!("{of_what} {note}"),
        None => of_what,
    }
}

/// That runs end before a margin or a λ is what it is set to.
fn rising(grid: &Grid, table: &Table) -> Option<String> {
    let mut notes: Vec<String> = Vec::new();
    for (i, cell) in grid.cells.iter().enumerate() {
        let loss = &cell.experiment.loss;
        let of = |column| values(cell, table, i, column);
        let (Some(set), Some(now)) = (of("parameters"), of("parameters_in_force")) else {
            continue;
        };
        for (at, param) in loss.spec.params.iter().enumerate() {
            let note = match param.course {
                Course::Ramp if now[at] != set[at] => {
                    let whole = thousands(loss.ramp_steps);
                    format!("Margins rise over {whole} steps; a run that ends before has had less.")
                }
                Course::Anneal { .. } if now[at] != set[at] => {
                    let name = format!("{}'s {}", loss.spec.name, param.symbol);
                    let [now, set] = [brief(now[at]), short(set[at])];
                    format!("At the end {name} has come down to {now}, not yet to {set}.")
                }
                _ => continue,
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    // A note for each of many lengths of run would say less than one.
    (notes.len() <= 2 && !notes.is_empty()).then(|| notes.join(" "))
}

/// The values of the loss with which a cell ran, by its row: a scale may follow from the data.
fn values(cell: &Cell, table: &Table, at: usize, column: &str) -> Option<Values<f64>> {
    let row: Map<String, Value> = serde_json::from_str(&table.value(at, column)?).ok()?;
    let mut values = Values::default();
    for (value, param) in values.iter_mut().zip(cell.experiment.loss.spec.params) {
        *value = row
            .get(param.id)
            .and_then(Value::as_f64)
            .unwrap_or_default();
    }
    Some(values)
}

/// Numbers of the losses that are not varied, in words.
fn fixed_params(grid: &Grid, table: &Table) -> Vec<String> {
    let varied: Vec<&str> = grid.axes.iter().map(|axis| symbol_of(grid, axis)).collect();
    let mut used: Vec<Used> = Vec::new();
    for (i, cell) in grid.cells.iter().enumerate() {
        let Some(values) = values(cell, table, i, "parameters") else {
            continue;
        };
        let all = Used::all(cell.experiment.loss.spec, &values);
        for one in all.filter(|one| !varied.contains(&one.symbol())) {
            if !used.contains(&one) {
                used.push(one);
            }
        }
    }
    numbers_in_words(&used, specs(grid).len())
}

/// The letter of a parameter that is varied; nothing for other fields.
fn symbol_of(grid: &Grid, axis: &Axis) -> &'static str {
    let id = axis.key.strip_prefix("loss.").unwrap_or_default();
    let mut params = specs(grid).into_iter().flat_map(|spec| spec.params);
    params
        .find(|param| param.id == id)
        .map_or("", |param| param.symbol)
}

/// `ArcFace, blobs, 8 classes, mlp:16, 2-D, 2,000 steps`, without what is varied.
fn fixed_words(grid: &Grid, table: &Table) -> String {
    let is_varied = |key: &str| grid.axes.iter().any(|axis| axis.key == key);
    let experiment: Option<&Experiment> = grid.cells.first().map(|cell| &cell.experiment);
    let column = |name: &str| {
        let ended = (0..grid.cells.len()).filter(|&cell| !has_diverged(table, cell));
        let mut values = ended.filter_map(|cell| table.value(cell, name));
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    };
    let counted = |name: &str, noun: &str| {
        let n: u64 = column(name)?.parse().ok()?;
        Some(format!("{} {noun}", thousands(n)))
    };
    let unless = |key: &str, words: Option<String>| words.filter(|_| !is_varied(key));
    let words = [
        unless("loss.id", experiment.map(|e| e.loss.spec.name.to_owned())),
        unless("data.source", column("data")),
        unless("data.classes", counted("classes", "classes")),
        unless(
            "network.kind",
            column("network").filter(|kind| kind != "none"),
        ),
        unless("network.dim", column("dim").map(|dim| format!("{dim}-D"))),
        unless("run.steps", unless("run.epochs", counted("steps", "steps"))),
    ];
    let mut words: Vec<String> = words.into_iter().flatten().collect();
    // Behind the loss's name, if there is one; else before all.
    let after_loss = usize::from(!is_varied("loss.id"));
    words.splice(after_loss..after_loss, fixed_params(grid, table));
    words.join(", ")
}
