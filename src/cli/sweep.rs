//! `marginscope sweep`: many runs over a grid, their table, and the plot of it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::cli::output::{self, is_same};
use crate::cli::progress::{interrupt_flag, runs_bar, show_runs};
use crate::cli::sheet::{SheetOptions, still_format_of};
use crate::cli::{Failure, RunOptions, reading};
use crate::export::{self, Sheet};
use crate::figure::{Picture, canvas_width};
use crate::sweep::{
    Axis, Event, Grid, MOST_RUNS, Measure, PlotError, RunError, Setting, Table, TableError,
    check_plot, plot, run as run_cells,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  marginscope sweep --loss arcface --vary margin=0:0.5:0.1 --seeds 3 --out m.csv  18 runs
  marginscope sweep --vary loss=cosface,arcface --vary dim=2,3 --out l.csv        a product
  marginscope sweep --data rings --vary network=mlp:64,64,mlp:8 --out n.csv       two networks
  marginscope sweep --seeds 20 --out seeds.csv                                    one setting
  marginscope sweep --vary dim=2:4:1 --seeds 3 --out d.csv --plot d.pdf           with its plot";

/// Options of `sweep`.
#[derive(Args, Clone, Debug)]
pub struct SweepOptions {
    #[command(flatten)]
    run: RunOptions,
    /// A field and its values: margin=0:0.5:0.1 (both ends), loss=a,b, or with ; between them
    /// (repeatable: the grid is the product).
    #[arg(long, value_name = "KEY=VALUES", allow_hyphen_values = true)]
    vary: Vec<String>,
    /// Seeds of each setting: --seed and those after it.
    #[arg(long, value_name = "N", default_value = "1", allow_hyphen_values = true, value_parser = n_seeds)]
    seeds: usize,
    /// Table of the runs (CSV), a row as soon as one is done; a table that is there is continued.
    #[arg(long, value_name = "TABLE.csv")]
    out: PathBuf,
    /// Plot of the table: over the first varied number, a curve for each other value.
    #[arg(long, value_name = "FIG.svg|.pdf|.png")]
    plot: Option<PathBuf>,
    #[arg(
        long,
        value_name = "COLUMN",
        requires = "plot",
        help = "What is plotted: test_accuracy, min_weight_angle_deg or any other numeric column"
    )]
    measure: Option<String>,
    #[command(flatten)]
    sheet: SheetOptions,
}

fn n_seeds(text: &str) -> Result<usize, String> {
    let value = text.parse().ok();
    value
        .filter(|value| (1..=MOST_RUNS).contains(value))
        .ok_or_else(|| format!("expected a whole number in 1..={MOST_RUNS}"))
}

pub(super) fn run(options: &SweepOptions) -> Result<ExitCode, Failure> {
    let figure = options.figure()?;
    let grid = options.grid()?;
    if figure.is_some() {
        check_plot(&grid).map_err(|error| Failure::Usage(format!("--plot: {error}")))?;
    }
    options.check_outputs(&grid)?;
    let mut table = Table::open(&options.out, &grid).map_err(failure)?;
    if let Some(cell) = grid.cells.first() {
        reading::tell_findings(&cell.experiment);
    }
    run_missing(options, &grid, &mut table)?;
    table.finish().map_err(failure)?;
    if let Some(figure) = figure {
        figure.write(&grid, &table)?;
    }
    super::print(&summary(options, &grid, &table))?;
    Ok(ExitCode::SUCCESS)
}

/// The runs that have no row yet, each with one thread.
fn run_missing(options: &SweepOptions, grid: &Grid, table: &mut Table) -> Result<(), Failure> {
    let n_runs = grid.cells.len();
    let missing: Vec<usize> = (0..n_runs).filter(|&cell| !table.has(cell)).collect();
    let interrupted = interrupt_flag();
    let bar = runs_bar(n_runs, table.n_rows());
    show_runs(&bar, n_runs, table.n_rows(), 0.0);
    let result = run_cells(grid, &missing, options.n_threads(), &interrupted, |event| {
        let under_way = match event {
            Event::Done { cell, report } => {
                table.append(cell, grid, &report)?;
                0.0
            }
            Event::Under(runs) => runs,
        };
        show_runs(&bar, n_runs, table.n_rows(), under_way);
        Ok(())
    });
    bar.finish_and_clear();
    match result {
        Ok(()) => Ok(()),
        Err(RunError::Interrupted) => Err(anyhow::anyhow!(
            "interrupted after {} of {n_runs} runs; the same command goes on from there",
            table.n_rows()
        )
        .into()),
        Err(RunError::Told(error)) => Err(failure(error)),
        Err(error) => Err(anyhow::Error::new(error).into()),
    }
}

fn failure(error: TableError) -> Failure {
    anyhow::Error::new(error).into()
}

/// `18 runs in m.csv, 6 of them from before; 1 diverged`
fn summary(options: &SweepOptions, grid: &Grid, table: &Table) -> String {
    let n = grid.cells.len();
    let noun = if n == 1 { "run" } else { "runs" };
    let before = match table.n_before() {
        0 => String::new(),
        before => format!(", {before} of them from before"),
    };
    let has_diverged = |cell: &usize| table.value(*cell, "diverged").as_deref() == Some("true");
    let diverged = match (0..n).filter(has_diverged).count() {
        0 => String::new(),
        n_diverged => format!("; {n_diverged} diverged"),
    };
    format!("{n} {noun} in {}{before}{diverged}", options.out.display())
}

impl SweepOptions {
    fn n_threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.run.threads.map_or_else(cores, usize::from)
    }

    /// All runs, each of them valid.
    fn grid(&self) -> Result<Grid, Failure> {
        let axes = self.vary.iter().map(|text| {
            Axis::parse(text).map_err(|error| Failure::Usage(format!("--vary {text}: {error}")))
        });
        let axes = axes.collect::<Result<Vec<_>, _>>()?;
        let base = self.run.base()?.recipe.experiment;
        let settings = self.run.settings()?.into_iter();
        let settings: Vec<Setting> = settings
            .map(|(option, key, value)| Setting { option, key, value })
            .collect();
        let usage = |error: crate::sweep::GridError| Failure::Usage(error.to_string());
        let mut grid = Grid::new(&base, &settings, axes, self.seeds).map_err(usage)?;
        grid.read(reading::read)?;
        grid.check().map_err(usage)?;
        Ok(grid)
    }

    /// The plot that is asked for, as far as it is known before the runs.
    fn figure(&self) -> Result<Option<Figure<'_>>, Failure> {
        let Some(path) = &self.plot else {
            return Ok(None);
        };
        let format = still_format_of("--plot", path)?;
        let mut picture = Picture::default();
        self.sheet.apply(&mut picture)?;
        let measure = self.measure.as_deref().map(Measure::find).transpose();
        Ok(Some(Figure {
            path,
            format,
            picture,
            dots_per_inch: self.sheet.dots_per_inch(),
            measure: measure.map_err(|error| Failure::Usage(format!("--measure: {error}")))?,
        }))
    }

    /// No output may replace the other, the experiment, or what is trained on.
    fn check_outputs(&self, grid: &Grid) -> Result<(), Failure> {
        let outputs = [("--out", Some(&self.out)), ("--plot", self.plot.as_ref())];
        let inputs = grid
            .cells
            .iter()
            .flat_map(|cell| cell.experiment.data.paths());
        let inputs: std::collections::BTreeSet<&Path> =
            inputs.chain(self.run.file.as_deref()).collect();
        for (option, path) in outputs.into_iter().filter_map(|(o, path)| Some((o, path?))) {
            let name = path.display();
            if inputs.iter().any(|input| is_same(input, path)) {
                return Err(Failure::Usage(format!(
                    "{option} would replace {name}, which the sweep starts from; give it a file of its own"
                )));
            }
            output::check_folder(path)?;
        }
        let Some(plot) = &self.plot else {
            return Ok(());
        };
        let name = plot.display();
        if is_same(plot, &self.out) {
            return Err(Failure::Usage(format!(
                "--out and --plot both name {name}; give each a file of its own"
            )));
        }
        export::check_writable(plot).with_context(|| format!("cannot write {name}"))?;
        Ok(())
    }
}

/// The plot of a sweep as a file. It carries no recipe: it is not of one run, and the table beside it
/// says what it is of.
struct Figure<'a> {
    path: &'a Path,
    format: export::Format,
    picture: Picture,
    dots_per_inch: f64,
    measure: Option<&'static Measure>,
}

impl Figure<'_> {
    fn write(&self, grid: &Grid, table: &Table) -> Result<(), Failure> {
        let comparison = self.comparison(grid, table).map_err(anyhow::Error::from)?;
        let picture = &self.picture;
        let theme = picture.theme.theme();
        let size = picture.canvas.unwrap_or_else(|| {
            let width = canvas_width(picture.width);
            [width, comparison.height(&theme, width)]
        });
        let scene = comparison.scene(&theme, size);
        let sheet = Sheet {
            width: picture.width,
            dots_per_inch: self.dots_per_inch,
            has_ground: !picture.transparent,
            ..Sheet::of(&scene)
        };
        let bytes = self.format.write(&sheet).map_err(anyhow::Error::from)?;
        let name = self.path.display();
        Ok(export::write_beside(self.path, &bytes)
            .with_context(|| format!("cannot write {name}"))?)
    }

    /// Of the measure that was asked for, else the accuracy on test samples, or on those there are.
    fn comparison(
        &self,
        grid: &Grid,
        table: &Table,
    ) -> Result<crate::scene::chart::Comparison, PlotError> {
        let named = |name| Measure::find(name).ok();
        if let Some(measure) = self.measure {
            return plot(grid, table, measure);
        }
        let choices = ["test_accuracy", "train_accuracy"]
            .into_iter()
            .filter_map(named);
        let mut result = Err(PlotError::NothingVaried);
        for measure in choices {
            result = plot(grid, table, measure);
            if !matches!(result, Err(PlotError::Nothing { .. })) {
                break;
            }
        }
        result
    }
}
