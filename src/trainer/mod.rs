//! The step, the optimiser, the metrics, the worker thread and its snapshots.
