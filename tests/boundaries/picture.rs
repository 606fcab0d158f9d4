//! A picture at 1920 × 1080 beside the classifier that it shows, and what is painted at a place.

use marginscope::experiment::ViewKind;
use marginscope::scene::theme::class_color;
use marginscope::scene::{Item, Rgba, Scene, ViewState, build, theme};
use marginscope::trainer::Snapshot;
use nalgebra::{UnitQuaternion, Vector3};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::common::definition::Definition;

const SIZE: [f32; 2] = [1920.0, 1080.0];
/// How far a line may depart from where the classifier changes its mind.
pub const QUARTER_PX: f64 = 0.25;
/// How nearly equal the two sides must be at a vertex (times the largest logit in the plane).
const TIE: f64 = 1e-4;
/// Nearer to the limb (over the radius, towards the viewer) the place on the sphere is not known
/// from a coordinate in single precision: half a unit in the last place, 6e-5 px of 480, is 2.5e-6 rad
/// there, and differences of logits change by up to 30 times the angle. Another pose shows that part.
const LIMB: f64 = 0.05;

/// A picture, with what it shows.
pub struct Picture {
    pub scene: Scene,
    pub view: ViewState,
    pub definition: Definition,
    /// Length of features at which boundaries of heads with a bias are drawn on circle and sphere.
    norm: f64,
    /// What is written when a check fails.
    pub what: String,
}

impl Picture {
    /// Of a head, looked at from somewhere.
    pub fn new(snapshot: &Snapshot, kind: ViewKind, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut view = ViewState::new(kind, theme::DARK);
        view.show.note = false;
        view.show.formula = false;
        view.show.points = false;
        view.plane.center_world = [rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0)];
        view.plane.units_per_pt = 0.006;
        let mut axis = || rng.random_range(-1.0..1.0);
        let turn = Vector3::new(3.0 * axis(), 3.0 * axis(), 3.0 * axis());
        view.sphere.orientation = UnitQuaternion::from_scaled_axis(turn);
        let definition = Definition::of(&snapshot.head);
        let head = &snapshot.head;
        Self {
            scene: build(snapshot, &view, SIZE),
            norm: if definition.has_bias() {
                mean_length(snapshot)
            } else {
                1.0
            },
            what: format!(
                "{} with {:?}, {} classes, {kind:?}, seed {seed}",
                head.spec.id, head.values, head.n_classes
            ),
            view,
            definition,
        }
    }

    /// The items of a group; none if it is not there.
    pub fn items(&self, name: &str) -> &[Item] {
        let group = self.scene.groups.iter().find(|group| group.name == name);
        group.map_or(&[], |group| &group.items)
    }

    /// The group, to spoil it.
    pub fn items_mut(&mut self, name: &str) -> &mut Vec<Item> {
        let mut groups = self.scene.groups.iter_mut();
        match groups.find(|group| group.name == name) {
            Some(group) => &mut group.items,
            None => panic!("no group {name} in {}", self.what),
        }
    }

    fn middle() -> [f64; 2] {
        SIZE.map(|side| 0.5 * f64::from(side))
    }

    /// Middle and radius of the ball or of the circle.
    pub fn round(&self) -> ([f64; 2], f64) {
        if self.view.kind == ViewKind::Sphere {
            let Some(Item::Disc { center, radius, .. }) = self.items("body").first() else {
                panic!("no ball in {}", self.what);
            };
            return (center.map(f64::from), f64::from(*radius));
        }
        let Some(Item::Line { points, .. }) = self.items("frame").first() else {
            panic!("no rim in {}", self.what);
        };
        let [x, y] = points[0].map(f64::from);
        let center = Self::middle();
        (center, (x - center[0]).hypot(y - center[1]))
    }

    /// The feature that a point of the screen stands for; `None` off the ball and too near its
    /// limb.
    pub fn world(&self, at: [f64; 2]) -> Option<Vec<f64>> {
        self.world_above(at, LIMB)
    }

    /// The same, on the sphere where it faces the viewer by more than `limb`.
    fn world_above(&self, at: [f64; 2], limb: f64) -> Option<Vec<f64>> {
        if self.view.kind == ViewKind::Plane {
            let middle = Self::middle();
            let scale = self.view.plane.units_per_pt;
            let center = self.view.plane.center_world;
            return Some(vec![
                center[0] + (at[0] - middle[0]) * scale,
                center[1] - (at[1] - middle[1]) * scale,
            ]);
        }
        let (center, radius) = self.round();
        let (x, y) = ((at[0] - center[0]) / radius, (center[1] - at[1]) / radius);
        if self.view.kind == ViewKind::Circle {
            let scale = self.norm / x.hypot(y);
            return Some(vec![scale * x, scale * y]);
        }
        let z = (1.0 - x * x - y * y).max(0.0).sqrt();
        let u = self.view.sphere.orientation.inverse() * Vector3::new(x, y, z);
        (z > limb).then(|| (self.norm * u).iter().copied().collect())
    }

    /// Whether a place lies on the canvas.
    pub fn has(at: [f64; 2]) -> bool {
        (0..2).all(|axis| at[axis] >= 0.0 && at[axis] <= f64::from(SIZE[axis]))
    }

    /// Whether a place is the end of rays, where no angle is defined.
    pub fn is_origin(&self, at: [f64; 2]) -> bool {
        let origin = match self.view.kind {
            ViewKind::Plane if !self.definition.has_bias() => {
                let (middle, plane) = (Self::middle(), &self.view.plane);
                [
                    middle[0] - plane.center_world[0] / plane.units_per_pt,
                    middle[1] + plane.center_world[1] / plane.units_per_pt,
                ]
            }
            ViewKind::Circle => Self::middle(),
            _ => return false,
        };
        (at[0] - origin[0]).hypot(at[1] - origin[1]) < 1.0
    }

    /// Largest difference of logits that counts as none.
    pub fn tie(&self, x: &[f64]) -> f64 {
        if self.view.kind == ViewKind::Plane || self.definition.has_bias() {
            let logits = self.definition.logits(x);
            return TIE * logits.into_iter().fold(1.0, f64::max);
        }
        // On circle and sphere the two sides are ψ and cosines: logits over ρ.
        TIE * self.definition.size(x)
    }

    /// Who wins at a point of the screen, as bits.
    pub fn winners(&self, at: [f64; 2]) -> Option<u32> {
        Some(self.definition.winners(&self.world(at)?))
    }

    /// The same up to the very limb, where a place is only roughly known.
    pub fn winners_to_limb(&self, at: [f64; 2]) -> Option<u32> {
        Some(self.definition.winners(&self.world_above(at, 0.0)?))
    }

    /// The lead of a class with its margin.
    pub fn lead(&self, class: usize, at: [f64; 2]) -> Option<f64> {
        Some(self.definition.lead(class, &self.world(at)?))
    }

    /// Points over all of what is drawn.
    pub fn random_points(&self, seed: u64, n: usize) -> Vec<[f64; 2]> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (center, radius) = match self.view.kind {
            ViewKind::Plane => (Self::middle(), f64::INFINITY),
            _ => self.round(),
        };
        let radius = 0.999 * radius; // the chords of the rim lie a little inside it
        let half = SIZE.map(|side| radius.min(0.5 * f64::from(side)));
        let mut points = Vec::with_capacity(n);
        while points.len() < n {
            let off = half.map(|half| half * rng.random_range(-1.0..1.0));
            if off[0].hypot(off[1]) < radius {
                points.push([center[0] + off[0], center[1] + off[1]]);
            }
        }
        points
    }

    /// What the region of a class is filled with.
    pub fn tint(&self, class: usize) -> Rgba {
        let ground = theme::DARK.ground;
        let ground = if self.view.kind == ViewKind::Sphere {
            ground.mix(WHITE, 0.075)
        } else {
            ground
        };
        ground.mix(class_color(class), 0.145)
    }

    /// What the margin of a class is drawn with.
    pub fn ink(class: usize) -> Rgba {
        let (color, mut mixed, mut share) = (class_color(class), class_color(class), 0.0);
        while mixed.contrast(theme::DARK.ground) < 3.0 && share < 1.0 {
            share += 0.04;
            mixed = color.mix(WHITE, share);
        }
        mixed
    }
}

const WHITE: Rgba = Rgba::opaque(0xffffff);

fn mean_length(snapshot: &Snapshot) -> f64 {
    let lengths = snapshot.probe.features.chunks(snapshot.head.dim).map(|x| {
        let squares = x.iter().map(|&x| f64::from(x).powi(2));
        squares.sum::<f64>().sqrt()
    });
    lengths.sum::<f64>() / snapshot.probe.len() as f64
}

/// Eight places around a point, so far that a line within a quarter of a pixel parts them from it.
pub fn around([x, y]: [f64; 2]) -> impl Iterator<Item = [f64; 2]> {
    let eighth = std::f64::consts::FRAC_PI_4;
    let reach = QUARTER_PX / (0.5 * eighth).cos();
    (0..8).map(move |step| {
        let (sin, cos) = (eighth * f64::from(step)).sin_cos();
        [x + reach * cos, y + reach * sin]
    })
}

/// The classes of some bits.
pub fn classes(bits: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |class| bits >> class & 1 == 1)
}

/// Polygons with their boxes, to be asked often.
pub struct Areas<'a> {
    areas: Vec<Area<'a>>,
}

/// Colour, rings, and left, top, right, bottom.
type Area<'a> = (Rgba, &'a [Vec<[f32; 2]>], [f32; 4]);

impl<'a> Areas<'a> {
    pub fn of(items: &'a [Item]) -> Self {
        let areas = items.iter().map(|item| {
            let Item::Polygon { rings, fill } = item else {
                panic!("{item:?}");
            };
            let mut bounds = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
            for [x, y] in rings.iter().flatten() {
                bounds = [
                    bounds[0].min(*x),
                    bounds[1].min(*y),
                    bounds[2].max(*x),
                    bounds[3].max(*y),
                ];
            }
            (*fill, rings.as_slice(), bounds)
        });
        Self {
            areas: areas.collect(),
        }
    }

    /// Fills of all polygons that hold a point (even-odd).
    pub fn at(&self, at: [f64; 2]) -> Vec<Rgba> {
        let [x, y] = at.map(|c| c as f32);
        let holding = self.areas.iter().filter(|(_, rings, bounds)| {
            let is_near = x >= bounds[0] && x <= bounds[2] && y >= bounds[1] && y <= bounds[3];
            is_near && rings.iter().filter(|ring| is_inside(ring, at)).count() % 2 == 1
        });
        holding.map(|(fill, ..)| *fill).collect()
    }
}

fn is_inside(ring: &[[f32; 2]], [x, y]: [f64; 2]) -> bool {
    let mut is_inside = false;
    let mut a = ring[ring.len() - 1].map(f64::from);
    for b in ring.iter().map(|b| b.map(f64::from)) {
        if (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0] {
            is_inside = !is_inside;
        }
        a = b;
    }
    is_inside
}

/// Area of a polygon with holes that wind the other way, in square pixels.
pub fn area(rings: &[Vec<[f32; 2]>]) -> f64 {
    let of = |ring: &Vec<[f32; 2]>| {
        let next = ring.iter().cycle().skip(1);
        let parts = ring.iter().zip(next);
        let cross = parts
            .map(|(a, b)| f64::from(a[0]) * f64::from(b[1]) - f64::from(b[0]) * f64::from(a[1]));
        0.5 * cross.sum::<f64>()
    };
    rings.iter().map(of).sum::<f64>().abs()
}
