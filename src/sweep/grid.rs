//! The cells of a sweep: an experiment for each combination of values, and each seed.

use sha2::{Digest as _, Sha256};

use crate::experiment::{Experiment, ExperimentError, ViewConfig};
use crate::scene::thousands;
use crate::sweep::Axis;

/// Most runs of a sweep: more than anybody waits for.
pub const MOST_RUNS: usize = 100_000;

/// A setting of the command line that all cells share.
#[derive(Clone, Debug)]
pub struct Setting {
    /// As it was typed, for messages: `--margin`.
    pub option: String,
    /// Full or short key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// One run of a sweep.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Values of the axes, in their order.
    pub values: Vec<String>,
    /// What is run.
    pub experiment: Experiment,
    /// SHA-256 of all that decides what comes of it.
    pub sha256: String,
}

/// All runs of a sweep: the first axis varies slowest, the seed fastest.
#[derive(Clone, Debug)]
pub struct Grid {
    /// What is varied.
    pub axes: Vec<Axis>,
    /// In order.
    pub cells: Vec<Cell>,
    /// Seeds of each combination.
    pub n_seeds: usize,
}

/// A grid that cannot be run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GridError {
    /// A setting that a cell does not take, with the option that asks for it.
    #[error("{option}: {source}")]
    Setting {
        /// As it was typed; for a varied one with its one value.
        option: String,
        /// What is wrong.
        source: ExperimentError,
    },
    /// Fields of a cell that do not go together.
    #[error("{cell}{source}")]
    Cell {
        /// Its values, with a colon behind them; nothing where nothing is varied.
        cell: String,
        /// What is wrong.
        source: ExperimentError,
    },
    /// Two of the options set the same field.
    #[error("{first} and {second} both set {key}; leave one of them out")]
    Both {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The field.
        key: String,
    },
    /// More runs than anybody waits for.
    #[error("the grid has {size} = {n} runs; a sweep has at most {most}")]
    TooLarge {
        /// `11 × 5 × 3 seeds`.
        size: String,
        /// Their number.
        n: String,
        /// [`MOST_RUNS`].
        most: String,
    },
}

impl Grid {
    /// The product of the axes with `n_seeds` seeds from the experiment's own on. `settings` are
    /// made in each cell on `base` before those of the axes, the loss first of all.
    ///
    /// Own data are still to be [`read`](Self::read), and then the cells to be
    /// [`check`](Self::check)ed.
    ///
    /// # Errors
    /// If a cell does not take a setting, a field is set twice, or there are too many cells.
    pub fn new(
        base: &Experiment,
        settings: &[Setting],
        axes: Vec<Axis>,
        n_seeds: usize,
    ) -> Result<Self, GridError> {
        check_size(&axes, n_seeds)?;
        check_twice(settings, &axes)?;
        let mut cells = Vec::new();
        for values in combinations(&axes) {
            let experiment = experiment(base, settings, &axes, &values)?;
            for i in 0..n_seeds {
                cells.push(Cell {
                    values: values.clone(),
                    experiment: with_seed(&experiment, i as u64)?,
                    sha256: String::new(),
                });
            }
        }
        Ok(Self {
            axes,
            cells,
            n_seeds,
        })
    }

    /// Reads own data through `read`, the same files once for all cells.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read<E>(
        &mut self,
        mut read: impl FnMut(&mut Experiment) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut tables: Vec<crate::data::DataSpec> = Vec::new();
        for cell in &mut self.cells {
            let data = &mut cell.experiment.data;
            if !data.awaits_reading() || tables.iter().any(|table| data.share_table_of(table)) {
                continue;
            }
            read(&mut cell.experiment)?;
            tables.push(cell.experiment.data.clone());
        }
        Ok(())
    }

    /// Checks every cell, so that none fails after hours of others.
    ///
    /// # Errors
    /// The first cell whose fields do not go together.
    pub fn check(&mut self) -> Result<(), GridError> {
        for cell in &mut self.cells {
            if let Err(source) = cell.experiment.validate() {
                let words = words(&self.axes, &cell.values);
                let prefix = match words.as_str() {
                    "" => String::new(),
                    _ => format!("--vary {words}: "),
                };
                return Err(GridError::Cell {
                    cell: prefix,
                    source,
                });
            }
            cell.sha256 = sha256(&cell.experiment);
        }
        Ok(())
    }
}

/// `loss.margin=0.3, network.dim=2`.
pub(super) fn words(axes: &[Axis], values: &[String]) -> String {
    let pairs = axes.iter().zip(values);
    let words: Vec<String> = pairs.map(|(axis, v)| format!("{}={v}", axis.key)).collect();
    words.join(", ")
}

/// Of all that decides what comes of a run: settings, changes and the numbers of own data, but not
/// how it is looked at.
fn sha256(experiment: &Experiment) -> String {
    use std::fmt::Write as _;
    let mut experiment = experiment.clone();
    experiment.view = ViewConfig::default();
    let mut hash = Sha256::new();
    hash.update(experiment.to_toml());
    if let Some(own) = experiment.data.own() {
        hash.update(own.sha256());
    }
    let mut digits = String::new();
    for byte in hash.finalize() {
        let _ = write!(digits, "{byte:02x}"); // writing to a String cannot fail
    }
    digits
}

fn check_size(axes: &[Axis], n_seeds: usize) -> Result<(), GridError> {
    let sizes = axes.iter().map(|axis| axis.values.len() as u128);
    let n = sizes.fold(n_seeds as u128, u128::saturating_mul);
    if n <= MOST_RUNS as u128 {
        return Ok(());
    }
    let number = |n: u128| thousands(u64::try_from(n).unwrap_or(u64::MAX));
    let mut factors: Vec<String> = axes
        .iter()
        .map(|axis| number(axis.values.len() as u128))
        .collect();
    factors.push(format!("{} seeds", number(n_seeds as u128)));
    Err(GridError::TooLarge {
        size: factors.join(" × "),
        n: number(n),
        most: number(MOST_RUNS as u128),
    })
}

/// A field has one value in a run, and a run one length.
fn check_twice(settings: &[Setting], axes: &[Axis]) -> Result<(), GridError> {
    let field = |key: &str| {
        let key = crate::experiment::full_key(key).unwrap_or_else(|_| key.to_owned());
        match key.as_str() {
            "run.epochs" | "run.steps" => "the length of a run".to_owned(),
            _ => key,
        }
    };
    let mut seen: Vec<(String, String)> = settings
        .iter()
        .map(|setting| (field(&setting.key), setting.option.clone()))
        .collect();
    for axis in axes {
        let (key, second) = (field(&axis.key), format!("--vary {}", axis.key));
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == key) {
            return Err(GridError::Both {
                first: first.clone(),
                second,
                key,
            });
        }
        seen.push((key, second));
    }
    Ok(())
}

/// Every combination of values, the first axis slowest.
fn combinations(axes: &[Axis]) -> Vec<Vec<String>> {
    axes.iter().fold(vec![Vec::new()], |so_far, axis| {
        let longer = |values: &Vec<String>| {
            let values = values.clone();
            let with = move |value: &String| {
                let mut values = values.clone();
                values.push(value.clone());
                values
            };
            axis.values.iter().map(with).collect::<Vec<_>>()
        };
        so_far.iter().flat_map(longer).collect()
    })
}

/// The experiment of a combination. The loss comes first: to choose it drops the values of the one
/// before.
fn experiment(
    base: &Experiment,
    settings: &[Setting],
    axes: &[Axis],
    values: &[String],
) -> Result<Experiment, GridError> {
    let varied = axes.iter().zip(values).map(|(axis, value)| Setting {
        option: format!("--vary {}={value}", axis.key),
        key: axis.key.clone(),
        value: value.clone(),
    });
    let mut all: Vec<Setting> = settings.iter().cloned().chain(varied).collect();
    let is_loss = |key: &str| crate::experiment::full_key(key).is_ok_and(|key| key == "loss.id");
    all.sort_by_key(|setting| !is_loss(&setting.key));
    let mut experiment = base.clone();
    for Setting { option, key, value } in all {
        experiment
            .set(&key, &value)
            .map_err(|source| GridError::Setting { option, source })?;
    }
    Ok(experiment)
}

fn with_seed(experiment: &Experiment, offset: u64) -> Result<Experiment, GridError> {
    let mut experiment = experiment.clone();
    let seed = experiment.run.seed.saturating_add(offset);
    experiment
        .set("run.seed", &seed.to_string())
        .map_err(|source| GridError::Setting {
            option: "--seeds".to_owned(),
            source,
        })?;
    Ok(experiment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(settings: &[(&str, &str)], axes: &[&str], n_seeds: usize) -> Result<Grid, GridError> {
        let settings: Vec<Setting> = settings
            .iter()
            .map(|(key, value)| Setting {
                option: format!("--{key}"),
                key: (*key).to_owned(),
                value: (*value).to_owned(),
            })
            .collect();
        let axes = axes.iter().map(|axis| Axis::parse(axis).expect(axis));
        let mut grid = Grid::new(&Experiment::default(), &settings, axes.collect(), n_seeds)?;
        grid.check()?;
        Ok(grid)
    }

    #[track_caller]
    fn check_refusal(settings: &[(&str, &str)], axes: &[&str], n_seeds: usize, expected: &str) {
        let error = grid(settings, axes, n_seeds).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn cells_come_in_the_order_of_the_axes_and_each_is_another() {
        let grid = grid(
            &[("data.source", "blobs"), ("seed", "7")],
            &["margin=0.1,0.2", "loss=cosface,arcface"],
            2,
        )
        .expect("a grid");
        let cells: Vec<String> = grid
            .cells
            .iter()
            .map(|cell| format!("{} {}", cell.values.join(" "), cell.experiment.run.seed))
            .collect();
        assert_eq!(
            cells,
            [
                "0.1 cosface 7",
                "0.1 cosface 8",
                "0.1 arcface 7",
                "0.1 arcface 8",
                "0.2 cosface 7",
                "0.2 cosface 8",
                "0.2 arcface 7",
                "0.2 arcface 8"
            ]
        );
        let last = &grid.cells[7].experiment;
        assert_eq!(last.get("margin").as_deref(), Some("0.2"));
        assert_eq!(last.loss.spec.id, "arcface");
        let hashes: std::collections::BTreeSet<_> =
            grid.cells.iter().map(|cell| &cell.sha256).collect();
        assert_eq!(hashes.len(), grid.cells.len());
    }

    #[test]
    fn an_option_holds_for_every_loss() {
        let grid = grid(&[("margin", "0.3")], &["loss=cosface,arcface"], 1).expect("a grid");
        for cell in &grid.cells {
            assert_eq!(cell.experiment.get("margin").as_deref(), Some("0.3"));
        }
    }

    #[test]
    fn how_a_run_is_looked_at_is_not_its_result() {
        let of = |view| {
            let grid = grid(&[("view.kind", view)], &[], 1).expect("a grid");
            grid.cells[0].sha256.clone()
        };
        assert_eq!(of("plane"), of("circle"));
    }

    #[test]
    fn what_no_cell_can_be_is_refused_before_the_first_run() {
        check_refusal(
            &[],
            &["margin=0:0.5:0.1"],
            1,
            "--vary loss.margin=0: loss \"softmax\" has no margin; it has no parameters; margin belongs to l_softmax, sphereface, cosface, arcface",
        );
        check_refusal(
            &[("margin", "0.3")],
            &["loss=arcface,softmax"],
            1,
            "--margin: loss \"softmax\" has no margin; it has no parameters; margin belongs to l_softmax, sphereface, cosface, arcface",
        );
        check_refusal(
            &[("data.source", "blobs")],
            &["network=mlp:8,cnn"],
            1,
            "--vary network.kind=cnn: network \"cnn\" needs images, but data \"blobs\" has points in the plane; use mlp:64,64 or none",
        );
        check_refusal(
            &[("margin", "0.3"), ("loss", "arcface")],
            &["margin=0,1"],
            1,
            "--margin and --vary loss.margin both set loss.margin; leave one of them out",
        );
        check_refusal(
            &[],
            &["epochs=1,2", "steps=5,6"],
            1,
            "--vary run.epochs and --vary run.steps both set the length of a run; leave one of them out",
        );
        check_refusal(
            &[("loss", "arcface")],
            &["margin=0:1:0.001", "scale=1:64:1"],
            20,
            "the grid has 1,001 × 64 × 20 seeds = 1,281,280 runs; a sweep has at most 100,000",
        );
        check_refusal(
            &[("seed", "9223372036854775807")],
            &[],
            2,
            "--seeds: run.seed = 9223372036854775808: expected a whole number in 0..=9223372036854775807",
        );
    }
}
