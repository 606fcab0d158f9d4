//! Where single features stand on the canvas, in each of the views: for what is drawn of a few
//! samples beside the dots of all.
//!
//! The plane shows features as they are. Circle and sphere show directions: there a step of a
//! feature is seen as far as it turns it, unless lengths are shown, too.

use nalgebra::{Matrix3, SVector, Vector2, Vector3};

use crate::experiment::ViewKind;
use crate::scene::circle;
use crate::scene::curves::{Curves, Space};
use crate::scene::projection::Projection;
use crate::scene::{PlaneView, ViewState};
use crate::trainer::Snapshot;

/// Mean lengths from the center to the rim where lengths are shown: few features are longer.
pub(super) const MEANS_TO_RIM: f64 = 2.0;

/// Where a dot stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// On the canvas, in points.
    pub at: [f32; 2],
    /// Whether it is on the near side of the sphere; true in the other views.
    pub is_near: bool,
}

/// Which way a dot goes when its feature takes a small step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Heading {
    /// Of length 1 in the space that is drawn, on the canvas: shorter where it is seen from the
    /// front.
    pub(super) along: [f32; 2],
    /// Length of the part of the step that is seen, in units of the feature.
    pub(super) size: f64,
}

/// A view's way from features to the canvas.
pub(super) enum Places<'a> {
    Plane {
        plane: &'a PlaneView,
        middle: [f32; 2],
    },
    Circle {
        round: Round,
    },
    Sphere {
        round: Round,
        /// View from world.
        turn: Matrix3<f64>,
        projection: &'a Projection,
    },
}

/// Circle or sphere on the canvas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) center: [f32; 2],
    pub(super) radius: f32,
    /// Where lengths are shown, that of a feature on the rim.
    pub(super) rim_length: Option<f64>,
}

impl<'a> Places<'a> {
    /// `None` where the view does not suit the dimension, and nothing is drawn.
    pub(super) fn of(
        snapshot: &Snapshot,
        curves: &'a Curves,
        view: &'a ViewState,
        size: [f32; 2],
    ) -> Option<Self> {
        let rim_length = rim_length(snapshot, view);
        match (&curves.space, view.kind) {
            (Space::Flat(_), ViewKind::Plane) => Some(Self::Plane {
                plane: &view.plane,
                middle: view.stage(size).middle(),
            }),
            (Space::Flat(_), ViewKind::Circle) => {
                let (center, radius) = circle::disc_of(view, size);
                let round = Round {
                    center,
                    radius,
                    rim_length,
                };
                Some(Self::Circle { round })
            }
            (Space::Solid(solid), ViewKind::Sphere) => {
                let (center, radius) = view.ball(size);
                let round = Round {
                    center,
                    radius,
                    rim_length,
                };
                Some(Self::Sphere {
                    round,
                    turn: *view.sphere.orientation.to_rotation_matrix().matrix(),
                    projection: &solid.projection,
                })
            }
            _ => None,
        }
    }

    /// Where the dot of sample `sample` stands with feature x `[dim]`; `None` where x has no place.
    #[inline]
    pub(super) fn spot<T: Copy + Into<f64>>(&self, x: &[T], sample: usize) -> Option<Spot> {
        let spot = match self {
            Self::Plane { plane, middle } => Spot {
                at: plane.screen_from_world(flat(x).into(), *middle),
                is_near: true,
            },
            Self::Circle { round } => {
                let x = flat(x);
                let from_center = match round.rim_length {
                    Some(rim_length) => x / rim_length,
                    None => x * (f64::from(circle::band_share(sample)) / length(&x)?),
                };
                round.spot(from_center.push(0.0))
            }
            Self::Sphere {
                round,
                turn,
                projection,
            } => {
                let x = projection.apply(x);
                let per_unit = match round.rim_length {
                    Some(rim_length) => 1.0 / rim_length,
                    None => 1.0 / length(&x)?,
                };
                round.spot(turn * x * per_unit)
            }
        };
        spot.at.iter().all(|c| c.is_finite()).then_some(spot)
    }

    /// Which way a dot goes when its feature x goes along `step`; `None` where it is not seen to
    /// move.
    pub(super) fn heading(&self, x: &[f32], step: &[f64]) -> Option<Heading> {
        let (along, size) = match self {
            Self::Plane { .. } => {
                let (along, size) = unit(flat(step).push(0.0))?;
                (along.xy(), size)
            }
            Self::Circle { round } => {
                let (along, size) =
                    unit(round.seen_part(flat(x).push(0.0), flat(step).push(0.0))?)?;
                (along.xy(), size)
            }
            Self::Sphere {
                round,
                turn,
                projection,
            } => {
                let seen = round.seen_part(projection.apply(x), projection.apply(step))?;
                let (along, size) = unit(seen)?;
                ((turn * along).xy(), size)
            }
        };
        Some(Heading {
            along: [along.x as f32, -along.y as f32],
            size,
        })
    }
}

impl Round {
    #[inline]
    fn spot(&self, at_view: Vector3<f64>) -> Spot {
        let radius = f64::from(self.radius);
        Spot {
            at: [
                self.center[0] + (radius * at_view.x) as f32,
                self.center[1] - (radius * at_view.y) as f32,
            ],
            is_near: at_view.z >= 0.0 || at_view.xy().norm() > 1.0 + 1e-9,
        }
    }

    /// The part of a step that turns x, or all of it where lengths are shown.
    fn seen_part(&self, x: Vector3<f64>, step: Vector3<f64>) -> Option<Vector3<f64>> {
        if self.rim_length.is_some() {
            return Some(step);
        }
        let u = x.try_normalize(0.0)?;
        Some(step - u * u.dot(&step))
    }
}

/// Length of a feature on the rim where the view shows lengths: twice the mean.
pub(super) fn rim_length(snapshot: &Snapshot, view: &ViewState) -> Option<f64> {
    let mean = snapshot.metrics.mean_feature_norm;
    let mean = if mean.is_finite() && mean > 1e-12 {
        mean
    } else {
        1.0
    };
    view.show.lengths.then_some(MEANS_TO_RIM * mean)
}

#[inline]
fn flat<T: Copy + Into<f64>>(x: &[T]) -> Vector2<f64> {
    let at = |i: usize| x.get(i).map_or(0.0, |&x| x.into());
    Vector2::new(at(0), at(1))
}

/// ‖x‖; `None` where x has no direction.
fn length<const D: usize>(x: &SVector<f64, D>) -> Option<f64> {
    let length = x.norm_squared().sqrt();
    (length > 0.0).then_some(length)
}

/// Direction and length; `None` for none.
fn unit(v: Vector3<f64>) -> Option<(Vector3<f64>, f64)> {
    let size = v.norm();
    (size.is_finite() && size > 0.0).then(|| (v / size, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::sample::{even_weights, snapshot};
    use crate::scene::{Item, WINDOW_SAGITTA, build, theme};

    const SIZE: [f32; 2] = [820.0, 760.0];

    /// Two features a class; in more dimensions than two, the rest of their coordinates vary.
    fn seen(kind: ViewKind, dim: usize, has_lengths: bool) -> (Snapshot, ViewState) {
        let weights: Vec<f32> = even_weights(4)
            .chunks_exact(2)
            .flat_map(|w| {
                (0..dim)
                    .map(|i| if i < 2 { w[i] } else { 0.3 * i as f32 })
                    .collect::<Vec<_>>()
            })
            .collect();
        let n = 8;
        let features: Vec<f32> = (0..n * dim)
            .map(|i| 1.5 * (1.0 + 2.7 * i as f32).sin())
            .collect();
        let labels: Vec<u16> = (0..n as u16).map(|i| i % 4).collect();
        let snapshot = snapshot("softmax", dim, &weights, &features, &labels);
        let mut view = ViewState::new(kind, theme::DARK);
        view.show.lengths = has_lengths;
        let _ = view.fit(&snapshot, SIZE);
        (snapshot, view)
    }

    const VIEWS: [(ViewKind, usize); 4] = [
        (ViewKind::Plane, 2),
        (ViewKind::Circle, 2),
        (ViewKind::Sphere, 3),
        (ViewKind::Sphere, 6),
    ];

    #[test]
    fn a_spot_is_where_the_dot_is_drawn() {
        for (kind, dim) in VIEWS {
            for has_lengths in [false, true] {
                let (snapshot, view) = seen(kind, dim, has_lengths);
                let curves = Curves::of(&snapshot, WINDOW_SAGITTA);
                let places =
                    Places::of(&snapshot, &curves, &view, SIZE).expect("a view that suits");
                let scene = build(&snapshot, &view, SIZE);
                let groups = scene.groups.iter();
                let drawn = groups.filter(|g| ["points", "far"].contains(&g.name));
                let mut n_dots = 0;
                for item in drawn.flat_map(|group| &group.items) {
                    let Item::Dots { dots, .. } = item else {
                        continue;
                    };
                    for dot in dots {
                        let x = &snapshot.probe.features[dot.sample as usize * dim..][..dim];
                        let at = places.spot(x, dot.sample as usize).expect("a place").at;
                        let off = (at[0] - dot.center[0]).hypot(at[1] - dot.center[1]);
                        assert!(off < 0.01, "{} {dim} {has_lengths}: {off}", kind.id());
                        n_dots += 1;
                    }
                }
                assert!(n_dots >= 8, "{n_dots}");
            }
        }
    }

    /// Against central differences of the spot itself.
    #[test]
    fn a_heading_is_the_way_that_a_small_step_goes() {
        const SMALL: f64 = 1e-3;
        for (kind, dim) in VIEWS {
            for has_lengths in [false, true] {
                let (snapshot, view) = seen(kind, dim, has_lengths);
                let curves = Curves::of(&snapshot, WINDOW_SAGITTA);
                let places =
                    Places::of(&snapshot, &curves, &view, SIZE).expect("a view that suits");
                for (i, x) in snapshot.probe.features.chunks_exact(dim).enumerate() {
                    let step: Vec<f64> = (0..dim)
                        .map(|k| (i as f64 + 1.3 * k as f64).cos())
                        .collect();
                    let moved = |share: f64| {
                        let pairs = x.iter().zip(&step);
                        let next: Vec<f64> =
                            pairs.map(|(&x, d)| f64::from(x) + share * d).collect();
                        places.spot(&next, i).expect("a place").at.map(f64::from)
                    };
                    let (before, after) = (moved(-SMALL), moved(SMALL));
                    let heading = places.heading(x, &step).expect("a step that is seen");
                    // Points for each unit of the step that is seen.
                    let per_unit = match &places {
                        Places::Plane { plane, .. } => 1.0 / plane.units_per_pt,
                        Places::Circle { round } | Places::Sphere { round, .. } => {
                            let (radius, band) = match kind {
                                ViewKind::Circle => (round.radius, circle::band_share(i)),
                                _ => (round.radius, 1.0),
                            };
                            let seen = match &places {
                                Places::Sphere { projection, .. } => projection.apply(x).norm(),
                                _ => flat(x).norm(),
                            };
                            match round.rim_length {
                                Some(rim_length) => f64::from(radius) / rim_length,
                                None => f64::from(radius * band) / seen,
                            }
                        }
                    };
                    for axis in 0..2 {
                        let found = (after[axis] - before[axis]) / (2.0 * SMALL);
                        let expected = f64::from(heading.along[axis]) * heading.size * per_unit;
                        // Points are f32: rounding of 3e-5 over a step of 2e-3.
                        assert!(
                            (found - expected).abs() < 0.05,
                            "{} {dim} {has_lengths}: {found} {expected}",
                            kind.id()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_stands_out_beyond_the_limb_is_near() {
        let round = Round {
            center: [0.0; 2],
            radius: 100.0,
            rim_length: Some(1.0),
        };
        assert!(round.spot(Vector3::new(1.2, 0.0, -0.1)).is_near);
        assert!(!round.spot(Vector3::new(0.8, 0.0, -0.1)).is_near);
    }

    #[test]
    fn lengths_are_over_twice_their_mean() {
        let (snapshot, view) = seen(ViewKind::Circle, 2, true);
        let mean = snapshot.metrics.mean_feature_norm;
        assert_eq!(rim_length(&snapshot, &view), Some(2.0 * mean));
        let curves = Curves::of(&snapshot, WINDOW_SAGITTA);
        let places = Places::of(&snapshot, &curves, &view, SIZE).expect("a view that suits");
        let (center, radius) = circle::disc_of(&view, SIZE);
        let at = places.spot(&[0.0, mean], 0).expect("a place").at;
        assert!((at[0] - center[0]).abs() < 1e-3);
        assert!(
            (center[1] - at[1] - radius / 2.0).abs() < 1e-2,
            "the mean lies half way"
        );
    }
}
