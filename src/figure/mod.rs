//! A picture with all that makes it again: which run, up to which step, how it is looked at, how
//! large it is.
//!
//! A [`Recipe`] is an experiment's file with a section `[picture]`. [`replay`] makes its steps,
//! [`scene`] draws what came of it; window, command line and an exported file that is opened again
//! take this one path, so that the same recipe gives the same bytes.

mod draw;
mod picture;
mod recipe;
mod replay;

pub use draw::{canvas_width, file, pixels, scene};
pub use picture::{Picture, Plot, Tone};
pub use recipe::Recipe;
pub use replay::{FigureError, replay};
