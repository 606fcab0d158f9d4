//! Angles, circles, spheres, regular configurations, exact decision regions and margin curves.
//!
//! Everything is in f64 and in feature space; angles are radians. A direction is a unit
//! [`nalgebra::SVector`], so `Vector2<f64>` on the circle and `Vector3<f64>` on the sphere.
//!
//! In reading order: [`angle`] measures, [`regular`] says how far apart directions can be,
//! [`head`] describes the classes that compete, [`circle`], [`plane`] and [`sphere_cells`] cut
//! feature space between them, [`sphere_margin`] draws what a margin leaves to a class
//! (`sphere_profile` says where that may have several parts, and `sphere_scan` finds them), and
//! [`sphere_arc`] holds the circle arcs and polylines that those two return.
//!
//! ```
//! use marginscope::geometry::circle;
//! use marginscope::geometry::head::Head;
//! use nalgebra::Vector2;
//!
//! let class_weights = [Vector2::new(1.0, 0.0), Vector2::new(0.0, 1.0)];
//! let sectors = circle::decision_sectors(&Head::cosine(&class_weights));
//! assert_eq!(sectors.len(), 2);
//! ```

pub mod align;
pub mod angle;
mod arc_set;
pub mod circle;
pub mod contour;
pub mod head;
pub mod plane;
pub mod regular;
pub mod sphere_arc;
pub mod sphere_cells;
pub mod sphere_margin;
mod sphere_polar;
mod sphere_profile;
mod sphere_scan;
mod sphere_visible;
mod tammes;
