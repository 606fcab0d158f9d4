//! Margin curves on the sphere: where `f_j` = 0, as closed polylines polar about a point inside.

use std::cell::Cell;
use std::f64::consts::{PI, TAU};

use nalgebra::Vector3;

use crate::geometry::angle;
use crate::geometry::head::Head;
use crate::geometry::head::Psi;
use crate::geometry::sphere_arc;
use crate::geometry::sphere_polar::{
    Bracket, MAX_DEPTH, OnMeridian, PolarScores, ROOT_TOLERANCE_RAD, SAGITTA_SHARE,
    distance_to_chord, strongest,
};
use crate::geometry::sphere_profile::{Profile, Rings};
use crate::geometry::sphere_scan;

/// Meridians looked at in any case; the sagitta decides on more.
const FIRST_MERIDIANS: usize = 24;

/// Steps in which a meridian is searched for the first place where the margin fails.
const SCAN_STEPS: usize = 24;

/// How finely a corner, where the strongest rival changes, is located on ω.
const CORNER_TOLERANCE_RAD: f64 = 1e-11;

/// Half a chord departs a quarter as far where the curve is smooth, so that one that departs less
/// than this is halved without a look at its halves.
const HALVED_SHARE: f64 = 2.6;

/// How near a quarter of what the whole chord departed a half must be for the curve to be smooth.
const SMOOTH: f64 = 0.1;

/// The region `f_j` ≥ 0 of `class` as closed polylines, the first point not repeated.
///
/// `f_j(u) = r‖W_j‖ψ(θ_j) + b_j − max_{k≠j} score_k(u)`, see [`Head::margin`]. The curve is
/// polar about the class weight, θ = R(ω) (losses.md 6): R is found along each meridian as the
/// first place where `f_j` falls below 0, to 1e-13 rad, whatever ψ is. Meridians are added until
/// every chord departs from the curve by less than `max_sagitta`, measured at its middle, so that
/// a kink of ψ may depart by a quarter more; corners, where the strongest rival changes, are
/// vertices to 1e-11 rad. The loop runs counter-clockwise seen from outside.
///
/// If ψ is cosθ less a constant and `f_j` < 0 at the weight itself (CosFace beyond 1 − cos α, unequal
/// weight lengths), the curve is polar about a point found by climbing `f_j`. Empty if no such point
/// is found, or if the region is the whole sphere. Regions that are not star-shaped are left to
/// [`sphere_scan`], which finds all parts; then there may be several loops, each with the region on
/// its left.
pub fn margin_loop(
    head: &Head<'_, 3>,
    class: usize,
    psi: Psi<'_>,
    max_sagitta: f64,
) -> Vec<Vec<Vector3<f64>>> {
    loops_of_class(head, class, psi, &Profile::new(psi), max_sagitta)
}

/// The same of all classes, with the class of each loop.
pub fn margin_loops(
    head: &Head<'_, 3>,
    psi: Psi<'_>,
    max_sagitta: f64,
) -> Vec<(usize, Vec<Vector3<f64>>)> {
    let profile = Profile::new(psi);
    let loops = (0..head.n_classes()).flat_map(|class| {
        let loops = loops_of_class(head, class, psi, &profile, max_sagitta);
        loops.into_iter().map(move |points| (class, points))
    });
    loops.collect()
}

fn loops_of_class(
    head: &Head<'_, 3>,
    class: usize,
    psi: Psi<'_>,
    profile: &Profile,
    max_sagitta: f64,
) -> Vec<Vec<Vector3<f64>>> {
    let max_sagitta = max_sagitta.max(1e-9);
    if head.n_classes() < 2 {
        return Vec::new();
    }
    if profile.is_shifted_cosine() {
        // `f_j` is the least of sinusoids: the region is convex, and has no other parts.
        let Some(pole) = pole(head, class, psi) else {
            return Vec::new();
        };
        let own_direction =
            Some(head.class_weight(class)).filter(|_| head.class_direction(class) != Some(pole));
        let scores = PolarScores::new(head, class, psi, pole);
        let polar = Polar::new(&scores, own_direction, max_sagitta, None);
        return polar.points().into_iter().collect();
    }
    let Some(pole) = head.class_direction(class) else {
        return Vec::new();
    };
    let scores = PolarScores::new(head, class, psi, pole);
    let rings = Rings::new(&scores, profile);
    if rings.is_star() {
        if head.margin(class, &pole, psi) < -head.margin_tolerance() {
            return Vec::new();
        }
        let polar = Polar::new(&scores, None, max_sagitta, Some(profile));
        let points = polar.points();
        if !polar.has_jumped.get() {
            return points.into_iter().collect();
        }
    }
    sphere_scan::loops(&scores, &rings, max_sagitta)
}

/// A point with `f_j` ≥ 0 to be polar about: the weight if it will do, else a local maximum.
fn pole(head: &Head<'_, 3>, class: usize, psi: Psi<'_>) -> Option<Vector3<f64>> {
    if class >= head.n_classes() {
        return None;
    }
    let holds = |lead: f64| lead >= -head.margin_tolerance();
    let lead = |u: &Vector3<f64>| head.margin(class, u, psi);
    let weight = head.class_direction(class);
    if let Some(v) = weight.filter(|v| holds(lead(v))) {
        return Some(v);
    }
    let seeds = sphere_arc::spiral(64).chain(weight);
    let seed = seeds
        .map(|u| (lead(&u), u))
        .reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    let (height, top) = climb(seed, lead);
    holds(height).then_some(top)
}

/// Compass search: eight directions a step, turned each time, the step halved when none is up.
///
/// `f_j` is a minimum of smooth functions; turning keeps the search from resting on their ridges.
fn climb(
    (mut height, mut at): (f64, Vector3<f64>),
    lead: impl Fn(&Vector3<f64>) -> f64,
) -> (f64, Vector3<f64>) {
    let (mut step, mut turn) = (0.25, 0.0);
    for _ in 0..160 {
        let (e1, e2) = sphere_arc::frame(at);
        let around = (0..8).map(|i| {
            let t = turn + f64::from(i) * TAU / 8.0;
            (at + (e1 * t.cos() + e2 * t.sin()) * step).normalize()
        });
        let best = around
            .map(|u| (lead(&u), u))
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        match best {
            Some((higher, there)) if higher > height => (height, at) = (higher, there),
            _ => step *= 0.6,
        }
        turn += 1.0;
        if step < 1e-9 {
            break;
        }
    }
    (height, at)
}

/// A curve about a direction inside.
struct Polar<'a> {
    scores: &'a PolarScores<'a>,
    /// `W_j`, unless the pole is its direction: then `θ_j = θ`.
    own_direction: Option<Vector3<f64>>,
    max_sagitta: f64,
    /// How ψ bends, about a weight; about another pole nothing but cosines is drawn.
    profile: Option<&'a Profile>,
    scan: [Scan; SCAN_STEPS + 1],
    /// Whether R was found to jump: then the region is not star-shaped.
    has_jumped: Cell<bool>,
}

/// A place at which every meridian is looked at.
#[derive(Clone, Copy, Default)]
struct Scan {
    theta_rad: f64,
    sin: f64,
    cos: f64,
    /// The own score there, where it is the same on all meridians.
    target: Option<f64>,
}

/// A point of the curve and the class that stops it there, if one does before the antipode.
#[derive(Clone, Copy)]
struct Node {
    omega_rad: f64,
    rival: Option<usize>,
    point: Vector3<f64>,
    bend: Bend,
}

/// How a curve bends at a node.
#[derive(Clone, Copy, Default)]
struct Bend {
    theta_rad: f64,
    /// Its geodesic curvature.
    curvature: f64,
    /// How much of a change of ψ'' goes into it.
    share: f64,
}

/// One meridian with the rivals on it.
struct Meridian<'a> {
    polar: &'a Polar<'a>,
    outward: Vector3<f64>,
    rivals: Vec<OnMeridian>,
}

impl<'a> Polar<'a> {
    fn new(
        scores: &'a PolarScores<'a>,
        own_direction: Option<Vector3<f64>>,
        max_sagitta: f64,
        profile: Option<&'a Profile>,
    ) -> Self {
        let mut polar = Self {
            scores,
            own_direction,
            max_sagitta,
            profile,
            scan: [Scan::default(); SCAN_STEPS + 1],
            has_jumped: Cell::new(false),
        };
        polar.scan = std::array::from_fn(|step| polar.scan_at(step));
        polar
    }

    /// A sine, a cosine and a ψ for all meridians.
    fn scan_at(&self, step: usize) -> Scan {
        let theta_rad = PI * step as f64 / SCAN_STEPS as f64;
        let (sin, cos) = theta_rad.sin_cos();
        let is_polar = self.own_direction.is_none();
        Scan {
            theta_rad,
            sin,
            cos,
            target: is_polar.then(|| self.scores.target(theta_rad)),
        }
    }

    fn meridian(&self, omega_rad: f64) -> Meridian<'_> {
        Meridian {
            polar: self,
            outward: self.scores.outward(omega_rad),
            rivals: self.scores.on_meridian(omega_rad),
        }
    }

    fn node(&self, omega_rad: f64) -> Node {
        let omega_sin_cos = omega_rad.sin_cos();
        let meridian = self.meridian(omega_rad);
        let exit = meridian.exit_rad();
        let theta_rad = exit.unwrap_or(PI);
        let (sin, cos) = theta_rad.sin_cos();
        let rival = exit.map(|_| strongest(&meridian.rivals, sin, cos).0);
        let bend = self.profile.zip(rival).map(|(profile, rival)| {
            let [along, outward, _] = meridian.rivals[rival];
            let scores = self.scores.rivals[rival].scores;
            let sideward = scores.z * omega_sin_cos.1 - scores.y * omega_sin_cos.0;
            self.bend(profile, theta_rad, [along, outward, sideward])
        });
        Node {
            omega_rad,
            rival,
            point: meridian.point(sin, cos),
            bend: bend.unwrap_or_default(),
        }
    }

    /// How {`f_j` = 0} bends where the strongest rival is `W_k` = (along, outward, sideward), seen
    /// from the pole.
    ///
    /// A level set with the unit tangent t has the geodesic curvature tᵀ(∇²f)t/‖∇f‖. The Hessian of
    /// ψ(θ) is ψ'' along the meridian and ψ' cotθ across, that of W·u is −W·u times the identity.
    fn bend(&self, profile: &Profile, theta_rad: f64, rival: [f64; 3]) -> Bend {
        let (sin, cos) = theta_rad.sin_cos();
        let [along, outward, sideward] = rival;
        let (slope, second) = profile.slope_and_bend(theta_rad);
        let (slope, second) = (self.scores.own_size * slope, self.scores.own_size * second);
        let fall = slope - (outward * cos - along * sin);
        let steepness_squared = (fall * fall + sideward * sideward).max(f64::MIN_POSITIVE);
        // The tangent is the gradient (fall, −sideward), turned.
        let [across, lengthwise] =
            [fall * fall, sideward * sideward].map(|squared| squared / steepness_squared);
        let steepness = steepness_squared.sqrt();
        let score = along * cos + outward * sin;
        Bend {
            theta_rad,
            curvature: (second * lengthwise + slope * cos / sin * across + score) / steepness,
            share: self.scores.own_size * lengthwise / steepness,
        }
    }

    /// The loop; `None` if the region is the whole sphere.
    fn points(&self) -> Option<Vec<Vector3<f64>>> {
        let nodes = self.curve();
        let has_boundary = nodes.iter().any(|node| node.rival.is_some());
        let mut points: Vec<Vector3<f64>> = nodes.into_iter().map(|node| node.point).collect();
        points.dedup_by(|next, kept| (*next - *kept).norm() < 1e-10);
        has_boundary.then_some(points)
    }

    /// The whole loop, ω ascending over one turn.
    fn curve(&self) -> Vec<Node> {
        let first = self.first_nodes();
        let mut nodes = Vec::new();
        for (i, &from) in first.iter().enumerate() {
            let mut to = first[(i + 1) % first.len()];
            if i + 1 == first.len() {
                to.omega_rad += TAU;
            }
            nodes.push(from);
            self.refine(from, to, f64::INFINITY, MAX_DEPTH, &mut nodes);
        }
        nodes
    }

    /// Evenly spread meridians, and towards each rival that stops the curve in its own direction.
    fn first_nodes(&self) -> Vec<Node> {
        let even = (0..FIRST_MERIDIANS).map(|i| TAU * i as f64 / FIRST_MERIDIANS as f64);
        let mut nodes: Vec<Node> = even.map(|omega| self.node(omega)).collect();
        for (index, rival) in self.scores.rivals.iter().enumerate() {
            let omega = rival.scores.z.atan2(rival.scores.y).rem_euclid(TAU);
            let node = self.node(omega);
            if node.rival == Some(index) {
                nodes.push(node);
            }
        }
        nodes.sort_by(|a, b| a.omega_rad.total_cmp(&b.omega_rad));
        nodes
    }

    /// Adds what is needed strictly between two nodes. `whole` is how far the chord departed that
    /// this one is a half of, infinite if there was none.
    fn refine(&self, a: Node, b: Node, whole: f64, depth: usize, out: &mut Vec<Node>) {
        let is_far = (b.point - a.point).norm() > self.max_sagitta;
        if depth == 0 || b.omega_rad - a.omega_rad < CORNER_TOLERANCE_RAD {
            self.has_jumped.set(self.has_jumped.get() || is_far);
            return;
        }
        if a.rival != b.rival {
            let (before, after) = self.corner(a, b);
            if (after.point - before.point).norm() > self.max_sagitta {
                self.has_jumped.set(true);
            }
            self.refine(a, before, f64::INFINITY, depth - 1, out);
            out.extend([before, after]);
            self.refine(after, b, f64::INFINITY, depth - 1, out);
            return;
        }
        let middle = self.node(0.5 * (a.omega_rad + b.omega_rad));
        let departs = distance_to_chord(&middle.point, &a.point, &b.point);
        let is_smooth = (4.0 * departs / whole - 1.0).abs() < SMOOTH;
        let share = if is_smooth {
            HALVED_SHARE
        } else {
            SAGITTA_SHARE
        };
        let has_one_rival = middle.rival == a.rival && self.is_between(a, middle, b);
        let uneven = || self.uneven(a, middle, b);
        if has_one_rival
            && departs <= SAGITTA_SHARE * self.max_sagitta
            && (0.75 * departs + uneven() <= self.max_sagitta || self.is_straight(a, middle, b))
        {
            return;
        }
        if has_one_rival
            && departs <= share * self.max_sagitta
            && 0.25 * departs + uneven() <= self.max_sagitta
        {
            out.push(middle);
            return;
        }
        self.refine(a, middle, departs, depth - 1, out);
        out.push(middle);
        self.refine(middle, b, departs, depth - 1, out);
    }

    /// Whether the middle of ω lies about the middle of a chord, and not near an end of it as where
    /// the curve runs along a meridian, or at a jump: there it would say little of the chord.
    fn is_between(&self, a: Node, middle: Node, b: Node) -> bool {
        // There a parabola departs by 0.91 of what it does at the middle: SAGITTA_SHARE allows for it.
        const MOST: f64 = 0.65;
        let chord = (b.point - a.point).norm();
        let [before, after] = [a, b].map(|end| (middle.point - end.point).norm());
        chord <= 4.0 * self.max_sagitta || before.max(after) <= MOST * chord
    }

    /// By how much more than a parabola a curve may depart from its chord at the quarters, or from
    /// the halves of its chord, because it bends unevenly.
    ///
    /// Where its curvature changes by κ from one half of a chord of length l to the other, both are
    /// κ l²/64.
    fn uneven(&self, a: Node, middle: Node, b: Node) -> f64 {
        let Some(profile) = self.profile else {
            return 0.0; // a circle
        };
        let nodes = [a.bend, middle.bend, b.bend];
        let curvatures = nodes.map(|bend| bend.curvature);
        let least = curvatures.into_iter().fold(f64::INFINITY, f64::min);
        let most = curvatures.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let of_stairs = nodes.iter().map(|bend| bend.share).fold(0.0, f64::max)
            * profile.change_of_bend([a.bend.theta_rad, b.bend.theta_rad]);
        (most - least).max(of_stairs) * (b.point - a.point).norm_squared() / 64.0
    }

    /// Whether a chord that is near the curve at its middle is near it at its quarters: it may cross
    /// an S.
    fn is_straight(&self, a: Node, middle: Node, b: Node) -> bool {
        [a, b].iter().all(|end| {
            let quarter = self.node(0.5 * (end.omega_rad + middle.omega_rad));
            let departs = distance_to_chord(&quarter.point, &a.point, &b.point);
            departs <= SAGITTA_SHARE * self.max_sagitta
        })
    }

    /// The two nodes about the place where the rival of `a` ceases to be the strongest.
    fn corner(&self, mut a: Node, mut b: Node) -> (Node, Node) {
        let gaps = |a: Node, b: Node| [self.gap(a, b, &a.point), self.gap(a, b, &b.point)];
        let mut bracket = Bracket::new([a.omega_rad, b.omega_rad], gaps(a, b));
        while let Some(omega_rad) = bracket.next(CORNER_TOLERANCE_RAD) {
            let node = self.node(omega_rad);
            if node.rival == a.rival {
                a = node;
                bracket.put(omega_rad, self.gap(a, b, &a.point), 0);
            } else if node.rival == b.rival {
                b = node;
                bracket.put(omega_rad, self.gap(a, b, &b.point), 1);
            } else {
                // A third one lies between: the corner with that one comes before.
                b = node;
                bracket = Bracket::new([a.omega_rad, omega_rad], gaps(a, b));
            }
        }
        (a, b)
    }

    /// By how much the rival of `a` is stronger than that of `b` at `u`; NaN if one is missing.
    fn gap(&self, a: Node, b: Node, u: &Vector3<f64>) -> f64 {
        self.scores.score(a.rival, u) - self.scores.score(b.rival, u)
    }
}

impl Meridian<'_> {
    fn point(&self, sin: f64, cos: f64) -> Vector3<f64> {
        self.polar.scores.pole * cos + self.outward * sin
    }

    fn lead(&self, theta_rad: f64) -> f64 {
        let (sin, cos) = theta_rad.sin_cos();
        let own_theta_rad = match &self.polar.own_direction {
            None => theta_rad,
            Some(w) => angle::angle_rad(self.point(sin, cos).as_slice(), w.as_slice()),
        };
        self.polar.scores.target(own_theta_rad) - strongest(&self.rivals, sin, cos).1
    }

    fn lead_at(&self, scan: &Scan) -> f64 {
        let Some(target) = scan.target else {
            return self.lead(scan.theta_rad);
        };
        target - strongest(&self.rivals, scan.sin, scan.cos).1
    }

    /// The first θ in [0, π] at which `f_j` falls below 0; `None` if it never does.
    fn exit_rad(&self) -> Option<f64> {
        let floor = -self.polar.scores.tolerance;
        let (mut inside, mut lead_inside) = (0.0, self.lead_at(&self.polar.scan[0]));
        for scan in &self.polar.scan[1..] {
            let lead = self.lead_at(scan);
            if lead < floor {
                return Some(self.root(inside, lead_inside, scan.theta_rad, lead));
            }
            (inside, lead_inside) = (scan.theta_rad, lead);
        }
        None
    }

    /// Where `f_j` changes sign between `lo` (≥ 0) and `hi` (< 0).
    fn root(&self, lo: f64, at_lo: f64, hi: f64, at_hi: f64) -> f64 {
        let mut bracket = Bracket::new([lo, hi], [at_lo, at_hi]);
        while let Some(theta_rad) = bracket.next(ROOT_TOLERANCE_RAD) {
            let lead = self.lead(theta_rad);
            bracket.put(theta_rad, lead, usize::from(lead < 0.0));
        }
        bracket.middle()
    }
}
