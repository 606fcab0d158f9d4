//! The plot of a sweep, from its table.

use crate::scene::chart::{Comparison, Curve, MOST_CURVES, Places, Spread};
use crate::sweep::words::{caption, key_words, value_words};
use crate::sweep::{Axis, Grid, Measure, Table};

/// A sweep that cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// Seeds alone.
    #[error("a plot needs a setting that is varied: add --vary")]
    NothingVaried,
    /// More than are told apart by their colors.
    #[error("the plot would have {n} curves; at most {MOST_CURVES} can be told apart")]
    TooMany {
        /// How many.
        n: usize,
    },
    /// No run has the figure that was asked for.
    #[error("no run has the figure \"{name}\"{hint}")]
    Nothing {
        /// Its name.
        name: &'static str,
        /// Why that may be.
        hint: &'static str,
    },
}

/// Which of the axes lies along the plot: the first whose values are numbers, else the first.
fn along(grid: &Grid) -> Option<usize> {
    let is_number = |value: &String| value.parse::<f64>().is_ok_and(f64::is_finite);
    let mut axes = grid.axes.iter();
    let first_of_numbers = axes.position(|axis| axis.values.iter().all(is_number));
    first_of_numbers.or((!grid.axes.is_empty()).then_some(0))
}

/// Checks that a grid can be drawn, before any of it is run.
///
/// # Errors
/// If nothing is varied, or more than colors tell apart.
pub fn check_plot(grid: &Grid) -> Result<(), PlotError> {
    let along = along(grid).ok_or(PlotError::NothingVaried)?;
    let others = grid.axes.iter().enumerate().filter(|(i, _)| *i != along);
    let n: usize = others.map(|(_, axis)| axis.values.len()).product();
    if n > MOST_CURVES {
        return Err(PlotError::TooMany { n });
    }
    Ok(())
}

/// Means and ranges of a measure over the seeds, along the first axis of numbers, with a curve for
/// each combination of the others. Runs that diverged are left out, and counted in the caption.
///
/// # Errors
/// As [`check_plot`], and if no run has the measure.
pub fn plot(grid: &Grid, table: &Table, measure: &Measure) -> Result<Comparison, PlotError> {
    check_plot(grid)?;
    let along = along(grid).ok_or(PlotError::NothingVaried)?;
    let order = order(&grid.axes[along]);
    let Gathered {
        curves,
        all_diverged,
    } = gather(grid, table, measure, along, &order);
    if !curves
        .iter()
        .any(|curve| curve.spreads.iter().any(Option::is_some))
    {
        return Err(PlotError::Nothing {
            name: measure.name,
            hint: match measure.name {
                _ if all_diverged.iter().all(|all| *all) => "; all of them diverged",
                "test_accuracy" => "; these data have no test samples, try train_accuracy",
                _ => "",
            },
        });
    }
    let differ_in: Vec<String> = others(grid, along)
        .map(|axis| key_words(grid, axis))
        .collect();
    let remark = |all: &bool| if *all { "diverged" } else { "" }.to_owned();
    Ok(Comparison {
        measure: measure.words.to_owned(),
        unit: measure.unit,
        setting: key_words(grid, &grid.axes[along]),
        places: places(&grid.axes[along], &order),
        differ_in: differ_in.join(", "),
        curves,
        remarks: all_diverged.iter().map(remark).collect(),
        caption: caption(grid, table),
    })
}

/// What the rows of a table come to.
struct Gathered {
    /// By the values of all axes but the one along the plot, in the order of the grid.
    curves: Vec<Curve>,
    /// For each place, whether no run there ended well.
    all_diverged: Vec<bool>,
}

fn gather(
    grid: &Grid,
    table: &Table,
    measure: &Measure,
    along: usize,
    order: &[String],
) -> Gathered {
    let mut curves: Vec<(Vec<String>, Vec<Vec<f64>>)> = Vec::new();
    let mut all_diverged = vec![true; order.len()];
    for (i, cell) in grid.cells.iter().enumerate() {
        let mut others = cell.values.clone();
        let own = others.remove(along);
        let known = curves.iter().position(|(names, _)| *names == others);
        let at = known.unwrap_or_else(|| {
            curves.push((others, vec![Vec::new(); order.len()]));
            curves.len() - 1
        });
        let Some(place) = order.iter().position(|value| *value == own) else {
            continue;
        };
        all_diverged[place] &= has_diverged(table, i);
        curves[at].1[place].extend(value(table, i, measure));
    }
    let name = |values: &[String]| {
        let words = others(grid, along).zip(values);
        let words = words.map(|(axis, value)| value_words(axis, value));
        words.collect::<Vec<_>>().join(", ")
    };
    let curve = |(values, places): &(Vec<String>, Vec<Vec<f64>>)| Curve {
        name: name(values),
        spreads: places.iter().map(|values| Spread::of(values)).collect(),
    };
    Gathered {
        curves: curves.iter().map(curve).collect(),
        all_diverged,
    }
}

fn others(grid: &Grid, along: usize) -> impl Iterator<Item = &Axis> {
    let axes = grid.axes.iter().enumerate();
    axes.filter(move |(i, _)| *i != along).map(|(_, axis)| axis)
}

/// Whether the run of a cell is there and ended in no numbers.
pub(super) fn has_diverged(table: &Table, cell: usize) -> bool {
    table.value(cell, "diverged").as_deref() == Some("true")
}

/// The figure of a run that did not diverge.
fn value(table: &Table, cell: usize, measure: &Measure) -> Option<f64> {
    if has_diverged(table, cell) {
        return None;
    }
    let value = table.value(cell, measure.name)?.parse().ok();
    value.filter(|value: &f64| value.is_finite())
}

/// The values of an axis as they are drawn: numbers ascending.
fn order(axis: &Axis) -> Vec<String> {
    let mut values = axis.values.clone();
    let numbers: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
    if numbers.is_some_and(|numbers| numbers.iter().all(|number| number.is_finite())) {
        let number = |value: &String| value.parse().unwrap_or(f64::NAN);
        values.sort_by(|a, b| number(a).total_cmp(&number(b)));
    }
    values
}

fn places(axis: &Axis, order: &[String]) -> Places {
    let number = |value: &String| value.parse().ok().filter(|number: &f64| number.is_finite());
    let numbers: Option<Vec<f64>> = order.iter().map(number).collect();
    match numbers {
        Some(numbers) => Places::Numbers(numbers),
        None => Places::Names(order.iter().map(|value| value_words(axis, value)).collect()),
    }
}
