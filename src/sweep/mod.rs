//! Many runs over a grid of settings: which there are, the table that they fill row by row, and the
//! plot of it.
//!
//! A [`Grid`] is the product of [`Axis`]es and seeds, each cell an experiment that is valid before
//! the first of them runs. A [`Table`] takes a row as soon as a run is done and knows by the
//! experiment's hash which are there, so that a sweep that was killed goes on where it was.

mod axis;
mod grid;
mod measure;
mod plot;
mod run;
mod table;
mod words;

pub use axis::{Axis, AxisError};
pub use grid::{Cell, Grid, GridError, MOST_RUNS, Setting};
pub use measure::{MEASURES, Measure};
pub use plot::{PlotError, check_plot, plot};
pub use run::{Event, RunError, run};
pub use table::{Table, TableError};
