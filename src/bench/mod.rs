//! What a step costs: fixed workloads, timed beside the machine's own rate of matrix products.
//!
//! The workloads are those of `benches/peers`, where other libraries run them, and some larger ones
//! that show how cost grows. Nothing here is part of a run: a step itself never reads the clock.

mod clock;
mod products;
mod workload;

use serde::Serialize;

use crate::bench::clock::{Pace, measure, measure_in_turn};
use crate::bench::products::{StepProducts, gemm_rows};
pub use crate::bench::workload::{WORKLOADS, Workload};
use crate::trainer::{Diverged, TrainError};

/// The name under which all rows of bare matrix products go.
pub const GEMM: &str = "gemm";

/// A workload that cannot be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// It cannot start.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A step gave no finite numbers.
    #[error(transparent)]
    Diverged(#[from] Diverged),
}

/// How much is measured, and on how many threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Time for a workload, after warming up; a row of [`GEMM`] takes a tenth of it. At 0 a few
    /// steps are made on few samples: enough to see that all of it works.
    pub secs: f64,
    /// Training threads.
    pub n_threads: usize,
}

impl Effort {
    fn is_quick(self) -> bool {
        self.secs == 0.0
    }
}

/// One line of results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name; `gemm-NETWORK-LAYER-PASS` for a bare product.
    pub workload: String,
    /// Samples a step.
    pub batch: usize,
    /// Time of a step, or of a product, in µs: the median over short repetitions.
    pub step_us: f64,
    /// The mean over the same repetitions, which is what the peers' scripts print.
    pub mean_step_us: f64,
    /// Samples per second, from the median.
    pub samples_per_s: f64,
    /// 1e9 operations per second, from the median: a multiplication or an addition of a matrix
    /// product is one, those of network and head alike.
    pub gflops: f64,
    /// Threads that it ran on.
    pub threads: usize,
    /// Share of the rate that the network's products reach alone, on as many threads and in the
    /// same parts of the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_of_gemm: Option<f64>,
    /// That rate, in 1e9 operations per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gemm_gflops: Option<f64>,
    /// Rows, inner size and columns of the product that each thread makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<[usize; 3]>,
    /// Loss of the first step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_loss: Option<f64>,
    /// Loss of the last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_loss: Option<f64>,
}

impl Row {
    fn new(workload: String, batch: usize, pace: Pace, n_flops: f64, threads: usize) -> Self {
        Self {
            workload,
            batch,
            step_us: rounded(1e6 * pace.median_secs),
            mean_step_us: rounded(1e6 * pace.mean_secs),
            samples_per_s: (batch as f64 / pace.median_secs).round(),
            gflops: rounded(1e-9 * n_flops / pace.median_secs),
            threads,
            share_of_gemm: None,
            gemm_gflops: None,
            shape: None,
            first_loss: None,
            last_loss: None,
        }
    }
}

/// All names, in the order in which they run.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    let workloads = WORKLOADS.iter().map(|workload| workload.name);
    workloads.chain([GEMM])
}

/// Measures the workload of this name; none for a name that is not in [`names`].
///
/// # Errors
/// [`BenchError`], which no sound machine gives.
pub fn run(name: &str, effort: Effort) -> Result<Vec<Row>, BenchError> {
    if name == GEMM {
        return gemm_rows(effort);
    }
    let workload = WORKLOADS.iter().find(|workload| workload.name == name);
    let rows = workload.map(|workload| training_row(workload, effort));
    rows.into_iter().collect()
}

/// Times steps of a workload, in turn with the products that are in them.
fn training_row(workload: &Workload, effort: Effort) -> Result<Row, BenchError> {
    let Effort { secs, n_threads } = effort;
    let mut trainer = workload.trainer(effort)?;
    let first_loss = trainer.step()?.loss;
    let mut last_loss = first_loss;
    let mut products = StepProducts::new(workload, trainer.n_chunks(workload.batch));
    let threads = trainer.threads();
    let mut steps = |n| {
        for _ in 0..n {
            last_loss = trainer.step()?.loss;
        }
        Ok::<(), Diverged>(())
    };
    let (pace, alone) = threads.install(|| match &mut products {
        Some(products) => {
            let alone = &mut |n| {
                products.run(n);
                Ok(())
            };
            let [pace, alone] = measure_in_turn(secs, [&mut steps, alone])?;
            Ok((pace, Some(alone.median_secs)))
        }
        None => measure(secs, &mut steps).map(|pace| (pace, None)),
    })?;
    let name = workload.name.to_owned();
    let row = Row::new(name, workload.batch, pace, workload.n_flops(), n_threads);
    Ok(Row {
        share_of_gemm: alone.map(|secs| rounded(secs / pace.median_secs)),
        gemm_gflops: alone.map(|secs| rounded(1e-9 * workload.n_layer_flops() / secs)),
        first_loss: Some(rounded(first_loss)),
        last_loss: Some(rounded(last_loss)),
        ..row
    })
}

/// To three digits after the point: more of a measurement only looks like knowledge.
fn rounded(x: f64) -> f64 {
    (1e3 * x).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Effort = Effort {
        secs: 0.0,
        n_threads: 2,
    };

    #[test]
    fn every_name_is_measured() {
        for name in names().filter(|name| !name.contains("0000")) {
            let rows = run(name, QUICK).unwrap();
            assert!(!rows.is_empty(), "{name}");
            for row in rows {
                assert!(row.step_us > 0.0 && row.gflops >= 0.0, "{row:?}");
                assert!(row.last_loss.is_none_or(f64::is_finite), "{row:?}");
            }
        }
        assert_eq!(run("zebra", QUICK).unwrap(), []);
    }

    /// It has the same samples at every step, so that its loss must fall.
    #[test]
    fn free_embeddings_learn() {
        let row = &run("free-embeddings-4096x2", QUICK).unwrap()[0];
        assert!(row.last_loss < row.first_loss, "{row:?}");
    }
}
