//! What a snapshot's picture costs most: regions, margin curves, projection, what its classes look
//! like. Computed once per snapshot, reused while the view turns.

use std::f64::consts::PI;
use std::sync::OnceLock;

use nalgebra::{Vector2, Vector3};

use crate::experiment::ViewKind;
use crate::geometry::circle;
use crate::geometry::circle::Sector;
use crate::geometry::contour::{Region, ScoreGrid};
use crate::geometry::head::{Head, Psi};
use crate::geometry::sphere_cells;
use crate::geometry::sphere_cells::Cells;
use crate::geometry::sphere_margin;
use crate::loss::{Form, Rho};
use crate::scene::clouds::Clouds;
use crate::scene::ideal;
use crate::scene::ideal::Gap;
use crate::scene::projection::Projection;
use crate::trainer::{HeadState, Snapshot};

/// Deviation of curves on the unit sphere that suits a window: a quarter of a point on a sphere of
/// 500 points.
pub const WINDOW_SAGITTA: f64 = 5e-4;

/// Regions and margins of a snapshot's head, independent of pan, zoom and pose.
#[derive(Clone, Debug)]
pub struct Curves {
    pub(super) space: Space,
    /// The feature length at which boundaries of heads with a bias are drawn: the mean; 1 for others.
    pub(super) norm: f64,
    /// Whether the target logit lies below the plain one somewhere.
    pub(super) has_margin: bool,
    /// Whether it is of a small picture, for which every second node of the input plane will do.
    is_coarse: bool,
    /// Most sentences do without.
    clouds: OnceLock<Clouds>,
    /// Where classes win in the input plane, found out when it is first asked.
    input_regions: OnceLock<Vec<Region>>,
    /// Lengths of the features as they are seen on the sphere, where they are shown `[n]`
    lengths: OnceLock<Vec<f32>>,
}

#[derive(Clone, Debug)]
pub(super) enum Space {
    /// Why there is nothing to draw.
    Message(String),
    Flat(Flat),
    Solid(Box<Solid>),
}

/// Two dimensions.
#[derive(Clone, Debug)]
pub(super) struct Flat {
    /// W `[classes]`, unit where only the direction counts.
    pub(super) weights: Vec<Vector2<f64>>,
    pub(super) bias: Vec<f64>,
    pub(super) sectors: Vec<Sector>,
    /// Where each class wins with its margin; empty without one.
    pub(super) arcs: Vec<Sector>,
    /// Angles at which the weights would stand at their best.
    pub(super) ideal_rad: Vec<f64>,
}

/// A class and a closed polyline on the unit sphere.
type ClassLoop = (usize, Vec<Vector3<f64>>);

/// Three dimensions, or a projection onto three.
#[derive(Clone, Debug)]
pub(super) struct Solid {
    /// Directions of the weights; `None` for a zero weight.
    pub(super) directions: Vec<Option<Vector3<f64>>>,
    /// Directions of the features, [`NO_DIRECTION`] for those that have none.
    pub(super) points: Vec<Vector3<f32>>,
    pub(super) cells: Cells,
    /// Where each class has its margin, the region on the left.
    pub(super) loops: Vec<ClassLoop>,
    /// The same where the class wins, too, if that makes a difference.
    pub(super) own_loops: Option<Vec<ClassLoop>>,
    /// Whether margins are drawn.
    pub(super) has_margins: bool,
    /// W `[classes]` as they are seen, unit where only the direction counts.
    pub(super) weights: Vec<Vector3<f64>>,
    pub(super) max_sagitta: f64,
    /// Where the weights would stand at their best.
    pub(super) ideal: Vec<Vector3<f64>>,
    /// What margins leave between neighbors.
    pub(super) gaps: Vec<Gap>,
    /// From features to what is seen of them.
    pub(super) projection: Projection,
    /// Where more than three dimensions were: how many, and the share that is seen.
    pub(super) projected: Option<(usize, f64)>,
}

impl Curves {
    /// Computes them. `max_sagitta` bounds how far chords depart from curves on the unit sphere:
    /// 1e-3 for a window, less for print.
    pub fn of(snapshot: &Snapshot, max_sagitta: f64) -> Self {
        let head = &snapshot.head;
        let mut curves = Self {
            space: Space::Message(String::new()),
            norm: if head.spec.form.has_bias() {
                mean_norm(snapshot)
            } else {
                1.0
            },
            has_margin: has_margin(head),
            is_coarse: max_sagitta >= 2.0 * WINDOW_SAGITTA,
            clouds: OnceLock::new(),
            input_regions: OnceLock::new(),
            lengths: OnceLock::new(),
        };
        curves.space = if head.n_classes == 0 || snapshot.probe.is_empty() {
            Space::Message("There is no sample to show.".to_owned())
        } else if !head.weights.iter().chain(&head.bias).all(|w| w.is_finite()) {
            Space::Message("The class weights are not finite: the run diverged.".to_owned())
        } else {
            match head.dim {
                0 | 1 => Space::Message(
                    "Features with one dimension are numbers on a line; choose two or three to see them."
                        .to_owned(),
                ),
                2 => Space::Flat(curves.flat(head)),
                _ => Space::Solid(Box::new(curves.solid(snapshot, max_sagitta))),
            }
        };
        curves
    }

    /// Finds out now what a view would else find out as it is first drawn.
    pub fn prepare(&self, snapshot: &Snapshot, kind: ViewKind) {
        self.clouds(snapshot);
        if kind == ViewKind::Input {
            self.input_regions(snapshot);
        }
    }

    /// What the classes of this very snapshot look like, found out when it is first asked.
    pub(super) fn clouds(&self, snapshot: &Snapshot) -> &Clouds {
        self.clouds.get_or_init(|| Clouds::of(snapshot))
    }

    /// Regions of the input plane in units of its grid; none without one.
    pub(super) fn input_regions(&self, snapshot: &Snapshot) -> &[Region] {
        self.input_regions.get_or_init(|| {
            let Some(plane) = &snapshot.input_plane else {
                return Vec::new();
            };
            let last = plane.n_side.saturating_sub(1);
            let every = if self.is_coarse && last.is_multiple_of(2) {
                2
            } else {
                1
            };
            let scorer = snapshot.head.scorer();
            let (mut scores, mut at_node) = (Vec::new(), Vec::new());
            for (node, feature) in plane.features.chunks_exact(snapshot.head.dim).enumerate() {
                let (x, y) = (node % plane.n_side, node / plane.n_side);
                if x.is_multiple_of(every) && y.is_multiple_of(every) {
                    scorer.plain_scores(feature, &mut at_node);
                    scores.extend_from_slice(&at_node);
                }
            }
            let grid = ScoreGrid {
                n_side: last / every + 1,
                n_classes: snapshot.head.n_classes,
                scores: &scores,
            };
            let mut regions = grid.regions();
            for at in regions.iter_mut().flat_map(|r| &mut r.rings).flatten() {
                *at = at.map(|x| x * every as f64);
            }
            regions
        })
    }

    /// Lengths of this very snapshot's features in the three dimensions that are seen.
    pub(super) fn lengths(&self, snapshot: &Snapshot, solid: &Solid) -> &[f32] {
        self.lengths.get_or_init(|| {
            let features = snapshot.probe.features.chunks_exact(snapshot.head.dim);
            let seen = features.map(|x| solid.projection.apply(x).norm() as f32);
            seen.collect()
        })
    }

    fn flat(&self, head: &HeadState) -> Flat {
        let weights: Vec<Vector2<f64>> = (0..head.n_classes)
            .map(|j| {
                let w = head.weight(j);
                let w = Vector2::new(f64::from(w[0]), f64::from(w[1]));
                if head.spec.form.has_unit_weights() {
                    w.try_normalize(f64::MIN_POSITIVE).unwrap_or(w)
                } else {
                    w
                }
            })
            .collect();
        let bias: Vec<f64> = head.bias.iter().map(|&b| f64::from(b)).collect();
        let geometry = Head::new(&weights, &bias, self.norm);
        let sectors = circle::decision_sectors(&geometry);
        let psi = |theta_rad: f64| head.spec.target.psi(theta_rad, &head.values);
        let arcs = if self.has_margin {
            circle::margin_arcs(&geometry, &psi)
        } else {
            Vec::new()
        };
        Flat {
            ideal_rad: if ideal::is_known(head) {
                ideal::polygon_rad(&weights)
            } else {
                Vec::new()
            },
            weights,
            bias,
            sectors,
            arcs,
        }
    }

    fn solid(&self, snapshot: &Snapshot, max_sagitta: f64) -> Solid {
        let head = &snapshot.head;
        let projection = Projection::of(head.dim, &snapshot.probe.features);
        let weights: Vec<Vector3<f64>> = (0..head.n_classes)
            .map(|j| {
                let w = head.weight(j);
                let seen = projection.apply(w);
                if head.spec.form.has_unit_weights() {
                    let length = w.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>().sqrt();
                    seen / length.max(f64::MIN_POSITIVE)
                } else {
                    seen
                }
            })
            .collect();
        let bias: Vec<f64> = head.bias.iter().map(|&b| f64::from(b)).collect();
        let geometry = Head::new(&weights, &bias, self.norm);
        let psi = |theta_rad: f64| head.spec.target.psi(theta_rad, &head.values);
        // Angles of a projection are not the angles of the head: no margins there.
        let has_margins = self.has_margin && head.dim == 3;
        let loops_of = |psi: Psi<'_>| -> Vec<ClassLoop> {
            if !has_margins {
                return Vec::new();
            }
            let mut loops = sphere_margin::margin_loops(&geometry, psi, max_sagitta);
            loops.retain(|(_, points)| points.len() > 2);
            loops
        };
        let loops = loops_of(&psi);
        let own_psi = |theta_rad: f64| winning_psi(head, theta_rad);
        let own_loops = (has_margins && exceeds_cosine(&psi)).then(|| loops_of(&own_psi));
        let features = snapshot.probe.features.chunks_exact(head.dim);
        let directions: Vec<Option<Vector3<f64>>> = weights.iter().map(direction).collect();
        Solid {
            ideal: if ideal::is_known(head) {
                ideal::places(&directions)
            } else {
                Vec::new()
            },
            gaps: if self.has_margin && head.dim == 3 {
                ideal::gaps(head, &directions)
            } else {
                Vec::new()
            },
            directions,
            points: features.map(|x| point(&projection.apply(x))).collect(),
            cells: sphere_cells::decision_cells(&geometry),
            loops,
            own_loops,
            has_margins,
            max_sagitta,
            projected: (head.dim > 3).then_some((head.dim, projection.share)),
            projection,
            weights,
        }
    }
}

/// Mean ‖x‖ of the finite features, never 0.
pub(super) fn mean_norm(snapshot: &Snapshot) -> f64 {
    let dim = snapshot.head.dim.max(1);
    let lengths = snapshot
        .probe
        .features
        .chunks_exact(dim)
        .map(|x| {
            x.iter()
                .map(|&x| f64::from(x) * f64::from(x))
                .sum::<f64>()
                .sqrt()
        })
        .filter(|length| length.is_finite());
    let (n, sum) = lengths.fold((0_u32, 0.0), |(n, sum), length| (n + 1, sum + length));
    (sum / f64::from(n.max(1))).clamp(1e-9, 1e12)
}

/// Stands for the direction of a feature that has none.
pub(super) const NO_DIRECTION: Vector3<f32> = Vector3::new(0.0, 0.0, 0.0);

fn direction(x: &Vector3<f64>) -> Option<Vector3<f64>> {
    let length = x.norm();
    (length.is_finite() && length > 1e-30).then(|| x / length)
}

/// A direction to be drawn: rounding moves it by less than a thousandth of a point.
fn point(x: &Vector3<f64>) -> Vector3<f32> {
    direction(x).map_or(NO_DIRECTION, nalgebra::Matrix::cast)
}

/// Whether ψ(θ) < cosθ somewhere: measured, so that a margin of 0 counts as none.
pub(super) fn has_margin(head: &HeadState) -> bool {
    if !matches!(head.spec.form, Form::Angular(_)) || head.n_classes < 2 {
        return false;
    }
    (1..32).any(|step| {
        let theta_rad = f64::from(step) * 0.05;
        head.spec.target.psi(theta_rad, &head.values) < theta_rad.cos() - 1e-6
    })
}

/// ψ of a class that has its margin and wins, too.
pub(super) fn winning_psi(head: &HeadState, theta_rad: f64) -> f64 {
    let demanded = head.spec.target.psi(theta_rad, &head.values);
    demanded.min(theta_rad.cos())
}

/// Whether ψ(θ) > cosθ somewhere: then a margin may hold where another class wins.
fn exceeds_cosine(psi: Psi<'_>) -> bool {
    const STEPS: u32 = 256;
    (0..=STEPS).any(|step| {
        let theta_rad = PI * f64::from(step) / f64::from(STEPS);
        psi(theta_rad) > theta_rad.cos() + 1e-9
    })
}

/// Whether weights are drawn as directions of one length.
pub(super) fn has_directions_only(head: &HeadState) -> bool {
    matches!(head.spec.form, Form::Angular(Rho::FeatureNorm | Rho::Scale))
}
