//! marginscope shows, live, what the loss functions of metric learning do to a feature space.
//!
//! In reading order: a run is described by an [`experiment`], trained by a [`trainer`] with a
//! [`network`], a [`loss`] and [`data`], and drawn as a [`scene`] whose curves come from
//! [`geometry`]. A [`figure`] is such a picture with all that makes it again, [`export`] writes it to a
//! file, a [`lesson`] is texts with runs and what they claim of them, a [`sweep`] is many runs and
//! their plot, [`bench`](mod@bench) times steps, [`app`] is the window and [`cli`] the command line.

pub mod app;
pub mod bench;
pub mod cli;
pub mod data;
pub mod experiment;
pub mod export;
pub mod figure;
#[cfg(test)]
mod fuzz;
pub mod geometry;
pub mod lesson;
pub mod loss;
pub mod network;
pub mod scene;
mod simd;
pub mod sweep;
pub mod trainer;
