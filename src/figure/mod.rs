//! A picture with all that makes it again: which run, up to which step, how it is looked at, how
//! large it is.
//!
//! A [`Recipe`] is an experiment's file with a section `[picture]`. [`replay`] makes its steps,
//! [`scene`] draws what came of it; window, command line and an exported file that is opened again
//! take this one path, so that the same recipe gives the same bytes.

mod align;
mod draw;
mod film;
#[cfg(test)]
mod fuzz;
pub mod gallery;
mod ink;
mod open;
mod panels;
mod picture;
mod plots;
mod recipe;
mod replay;
mod strip;

pub use draw::{
    canvas_width, check_plot, check_size, file, missing_letters, pixels, scene, scenes,
};
pub use film::{Film, Motion};
pub use ink::{Ink, InkError};
pub use open::{OpenError, Opened, Opening, open};
pub use picture::{Picture, Plot, Tone};
pub use recipe::Recipe;
pub use replay::{FigureError, Moment, Played, replay};
pub use strip::{Scale, Strip, StripError};
