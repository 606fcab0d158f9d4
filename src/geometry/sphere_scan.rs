//! Margin regions on the sphere of any shape: scanned along meridians, in parts and with holes.
//!
//! [`crate::geometry::sphere_margin`] draws regions that are star-shaped; this takes over where
//! `sphere_profile` cannot exclude that a class has a second region further out: ψ with stairs, jumps
//! or a rise, unequal weights.

use std::f64::consts::{PI, TAU};

use nalgebra::Vector3;

use crate::geometry::sphere_polar::{
    Bracket, MAX_DEPTH, OnMeridian, PolarScores, ROOT_TOLERANCE_RAD, SAGITTA_SHARE,
    distance_to_chord, strongest,
};
use crate::geometry::sphere_profile::{JUMP_WIDTH_RAD, Rings, Step};

/// Meridians that are looked at in any case.
const FIRST_MERIDIANS: usize = 48;

/// Parallels to a step on which parts between two of the first meridians are looked for: an island
/// may be missed only between two of them, a 384th of π (0.47°) apart, and between two meridians.
const PARALLELS_TO_A_STEP: usize = 3;

/// How finely a meridian is located at which the number of parts or a rival changes.
const EVENT_TOLERANCE_RAD: f64 = 1e-9;

/// The boundary of {`f_j` ≥ 0} as closed polylines with the region on their left, seen from
/// outside. None if the region is empty or the whole sphere.
pub(super) fn loops(
    scores: &PolarScores<'_>,
    rings: &Rings<'_>,
    max_sagitta: f64,
) -> Vec<Vec<Vector3<f64>>> {
    let scan = Scan::new(scores, rings, max_sagitta);
    link(&scan.meridians())
}

struct Scan<'a> {
    scores: &'a PolarScores<'a>,
    max_sagitta: f64,
    rings: &'a Rings<'a>,
    /// Between any two of these places ψ does not jump.
    grid: Vec<Stop>,
    /// How much `f_j` may change between two steps.
    reach: f64,
}

/// A place at which every meridian is looked at.
#[derive(Clone, Copy)]
struct Stop {
    theta_rad: f64,
    sin: f64,
    cos: f64,
    /// The own score, and how it rises with θ before and after.
    target: f64,
    slopes: [f64; 2],
    /// Whether the region may lie between here and the next place.
    may_hold: bool,
}

/// `f_j` at a place of a meridian, and how it rises with θ.
#[derive(Clone, Copy)]
struct Lead {
    theta_rad: f64,
    value: f64,
    slope: f64,
}

/// A place where a meridian enters or leaves the region.
#[derive(Clone, Copy, Debug)]
struct End {
    theta_rad: f64,
    point: Vector3<f64>,
    /// The best rival there; `None` at the weight and at its antipode, where no boundary is.
    rival: Option<usize>,
}

/// Half a great circle from the weight to its antipode, with the parts of it in the region.
#[derive(Clone, Debug)]
struct Meridian {
    omega_rad: f64,
    parts: Vec<[End; 2]>,
}

impl Meridian {
    /// Whether the curves between two meridians may be taken for smooth.
    fn is_like(&self, other: &Self) -> bool {
        self.parts.len() == other.parts.len()
            && self
                .parts
                .iter()
                .zip(&other.parts)
                .all(|(a, b)| (0..2).all(|side| a[side].rival == b[side].rival))
    }
}

impl<'a> Scan<'a> {
    fn new(scores: &'a PolarScores<'a>, rings: &'a Rings<'a>, max_sagitta: f64) -> Self {
        let mut scan = Self {
            scores,
            max_sagitta,
            rings,
            grid: Vec::new(),
            reach: 0.0,
        };
        let may_hold = rings.may_hold().into_iter().chain([false]);
        let places = rings.steps().iter().zip(may_hold);
        scan.grid = places
            .map(|(step, may_hold)| scan.stop(step, may_hold))
            .collect();
        let steepest = scores.rivals.iter().map(|rival| rival.scores.norm());
        let steepest = steepest.fold(0.0, f64::max);
        let changes = scan.grid.windows(2).map(|pair| {
            // Where ψ jumps, no place lies between.
            let length = pair[1].theta_rad - pair[0].theta_rad;
            if length < JUMP_WIDTH_RAD {
                return 0.0;
            }
            2.0 * (pair[1].target - pair[0].target).abs() + steepest * length
        });
        scan.reach = changes.fold(0.0, f64::max);
        scan
    }

    fn stop(&self, step: &Step, may_hold: bool) -> Stop {
        const H: f64 = 1e-7;
        let target = self.scores.target(step.theta_rad);
        let slope = |to: f64| (self.scores.target(to) - target) / (to - step.theta_rad);
        let [before, after] = [step.theta_rad - H, step.theta_rad + H].map(|t| t.clamp(0.0, PI));
        Stop {
            theta_rad: step.theta_rad,
            sin: step.sin,
            cos: step.cos,
            target,
            slopes: [slope(before), slope(after)],
            may_hold,
        }
    }

    fn lead(&self, scores: &[OnMeridian], theta_rad: f64) -> f64 {
        let (sin, cos) = theta_rad.sin_cos();
        self.scores.target(theta_rad) - strongest(scores, sin, cos).1
    }

    fn holds(&self, lead: f64) -> bool {
        lead >= -self.scores.tolerance
    }

    fn end(&self, scores: &[OnMeridian], omega_rad: f64, theta_rad: f64) -> End {
        let (sin, cos) = theta_rad.sin_cos();
        let outward = self.scores.outward(omega_rad);
        let is_boundary = theta_rad > 0.0 && theta_rad < PI;
        End {
            theta_rad,
            point: self.scores.pole * cos + outward * sin,
            rival: is_boundary.then(|| strongest(scores, sin, cos).0),
        }
    }

    fn meridian(&self, omega_rad: f64) -> Meridian {
        let scores = self.scores.on_meridian(omega_rad);
        let value = |stop: &Stop| stop.target - strongest(&scores, stop.sin, stop.cos).1;
        let mut places: Vec<[f64; 2]> = Vec::new();
        for (i, pair) in self.grid.windows(2).enumerate() {
            if !pair[0].may_hold {
                continue;
            }
            let from = match places.last() {
                Some(last) if last[0] == pair[0].theta_rad => last[1],
                _ => value(&pair[0]),
            };
            let to = value(&pair[1]);
            places.push([pair[0].theta_rad, from]);
            match [from, to].map(|value| self.holds(value)) {
                [true, true] => self.dips(&scores, i, &mut places),
                [false, false] if from.max(to) >= -self.reach => {
                    places.extend(self.peak(&scores, i));
                }
                _ => {}
            }
            places.push([pair[1].theta_rad, to]);
        }
        let mut ends: Vec<f64> = Vec::new();
        if places.first().is_some_and(|first| self.holds(first[1])) {
            ends.push(0.0);
        }
        for pair in places.windows(2) {
            if self.holds(pair[0][1]) != self.holds(pair[1][1]) {
                ends.push(self.root(&scores, pair[0], pair[1]));
            }
        }
        if ends.len() % 2 == 1 {
            ends.push(PI);
        }
        let end = |theta_rad: f64| self.end(&scores, omega_rad, theta_rad);
        Meridian {
            omega_rad,
            parts: ends
                .chunks(2)
                .map(|part| [end(part[0]), end(part[1])])
                .collect(),
        }
    }

    /// Places between a step and the next, in order, where the lead over one rival dips below 0.
    fn dips(&self, scores: &[OnMeridian], step: usize, places: &mut Vec<[f64; 2]>) {
        let first = places.len();
        for score in scores {
            let [from, to] = self.ends_of(score, step);
            if from.slope > 0.0 || to.slope < 0.0 || from.value.min(to.value) > self.reach {
                continue;
            }
            let lowest = self.extremum(score, from, to, 1.0);
            places.extend(lowest.map(|theta_rad| [theta_rad, self.lead(scores, theta_rad)]));
        }
        places[first..].sort_by(|a, b| a[0].total_cmp(&b[0]));
    }

    /// A place between a step and the next, both outside the region, where the leads over all
    /// rivals are positive: each bounds it from one side or from both.
    fn peak(&self, scores: &[OnMeridian], step: usize) -> Option<[f64; 2]> {
        let [mut enter, mut leave] = [step, step + 1].map(|i| self.grid[i].theta_rad);
        for score in scores {
            let [from, to] = self.ends_of(score, step);
            let one = std::slice::from_ref(score);
            let place = |lead: Lead| [lead.theta_rad, lead.value];
            match [from, to].map(|lead| self.holds(lead.value)) {
                [true, true] => {}
                [false, true] => enter = enter.max(self.root(one, place(from), place(to))),
                [true, false] => leave = leave.min(self.root(one, place(from), place(to))),
                [false, false] => {
                    let depth = from.value.max(to.value).abs();
                    if from.slope < 0.0 || to.slope > 0.0 || depth > self.reach {
                        return None;
                    }
                    let theta_rad = self.extremum(score, from, to, -1.0)?;
                    let top = [theta_rad, self.lead(one, theta_rad)];
                    enter = enter.max(self.root(one, place(from), top));
                    leave = leave.min(self.root(one, top, place(to)));
                }
            }
            if enter > leave {
                return None;
            }
        }
        let middle = 0.5 * (enter + leave);
        Some([middle, self.lead(scores, middle)])
    }

    /// The lead over one rival at a step and the next.
    fn ends_of(&self, score: &OnMeridian, step: usize) -> [Lead; 2] {
        [0, 1].map(|end: usize| lead_at(&self.grid[step + end], 1 - end, score))
    }

    /// A place where the lead over one rival has the other sign, on the way to the least of `sign`
    /// times it.
    fn extremum(&self, score: &OnMeridian, from: Lead, to: Lead, sign: f64) -> Option<f64> {
        const N_STEPS: usize = 40;
        let (mut lo, mut hi) = (from.theta_rad, to.theta_rad);
        let lead = |theta_rad: f64| self.lead(std::slice::from_ref(score), theta_rad);
        for _ in 0..N_STEPS {
            let [a, b] = [lo + (hi - lo) / 3.0, hi - (hi - lo) / 3.0];
            let [at_a, at_b] = [a, b].map(lead);
            for (theta_rad, lead) in [(a, at_a), (b, at_b)] {
                if self.holds(lead) != (sign > 0.0) {
                    return Some(theta_rad);
                }
            }
            if sign * at_a < sign * at_b {
                hi = b;
            } else {
                lo = a;
            }
        }
        None
    }

    /// Where the sign changes between two places.
    fn root(&self, scores: &[OnMeridian], from: [f64; 2], to: [f64; 2]) -> f64 {
        let mut bracket = Bracket::new([from[0], to[0]], [from[1], to[1]]);
        let is_inside = self.holds(from[1]);
        while let Some(theta_rad) = bracket.next(ROOT_TOLERANCE_RAD) {
            let lead = self.lead(scores, theta_rad);
            bracket.put(theta_rad, lead, usize::from(self.holds(lead) != is_inside));
        }
        bracket.middle()
    }

    /// Meridians over one turn, as many as the curves between them ask for.
    fn meridians(&self) -> Vec<Meridian> {
        let angles_rad = self.first_angles();
        let first: Vec<Meridian> = angles_rad.iter().map(|&a| self.meridian(a)).collect();
        let mut all = Vec::new();
        for (i, from) in first.iter().enumerate() {
            let mut to = first[(i + 1) % first.len()].clone();
            if i + 1 == first.len() {
                to.omega_rad += TAU;
            }
            all.push(from.clone());
            self.refine(from, &to, MAX_DEPTH, &mut all);
        }
        all
    }

    /// Evenly spread meridians, and one through each part and gap that lies between two of them
    /// where a parallel meets it: there both are known exactly.
    fn first_angles(&self) -> Vec<f64> {
        let even = (0..FIRST_MERIDIANS).map(|i| TAU * i as f64 / FIRST_MERIDIANS as f64);
        let mut angles_rad: Vec<f64> = even.collect();
        for theta_rad in self.parallels() {
            let step = Step::new(theta_rad, self.scores.psi);
            let arcs = self.rings.arcs(&step, self.rings.target(&step), 0.0);
            let arcs = arcs.into_arcs(0.0);
            let mut ends: Vec<f64> = arcs.iter().flat_map(|&(a, b)| [a, b % TAU]).collect();
            ends.sort_by(f64::total_cmp);
            for pair in ends.windows(2) {
                let next = angles_rad.partition_point(|&angle| angle <= pair[0]);
                let is_missed = angles_rad.get(next).is_none_or(|&angle| angle >= pair[1]);
                if is_missed && pair[1] - pair[0] > EVENT_TOLERANCE_RAD {
                    angles_rad.insert(next, 0.5 * (pair[0] + pair[1]));
                }
            }
        }
        angles_rad
    }

    /// θ of parallels that the region may reach.
    fn parallels(&self) -> impl Iterator<Item = f64> {
        let pairs = self.grid.windows(2).filter(|pair| pair[0].may_hold);
        pairs.flat_map(|pair| {
            let [from, to] = [0, 1].map(|i: usize| pair[i].theta_rad);
            (1..=PARALLELS_TO_A_STEP)
                .map(move |i| from + (to - from) * i as f64 / PARALLELS_TO_A_STEP as f64)
        })
    }

    /// Adds what is needed strictly between two meridians.
    fn refine(&self, a: &Meridian, b: &Meridian, depth: usize, out: &mut Vec<Meridian>) {
        if depth == 0 || b.omega_rad - a.omega_rad < EVENT_TOLERANCE_RAD {
            return;
        }
        if !a.is_like(b) {
            let (before, after) = self.event(a, b);
            self.refine(a, &before, depth - 1, out);
            out.extend([before, after.clone()]);
            self.refine(&after, b, depth - 1, out);
            return;
        }
        let middle = self.meridian(0.5 * (a.omega_rad + b.omega_rad));
        if self.is_near(a, &middle, b) {
            return;
        }
        self.refine(a, &middle, depth - 1, out);
        out.push(middle.clone());
        self.refine(&middle, b, depth - 1, out);
    }

    /// Whether the chords between two meridians are close to the curves on one between them.
    fn is_near(&self, a: &Meridian, between: &Meridian, b: &Meridian) -> bool {
        between.is_like(a)
            && chords(a, b).all(|(i, side, from, to)| {
                let at = between.parts[i][side].point;
                distance_to_chord(&at, &from, &to) <= SAGITTA_SHARE * self.max_sagitta
            })
    }

    /// Two meridians close to one another where those like `a` end.
    fn event(&self, a: &Meridian, b: &Meridian) -> (Meridian, Meridian) {
        let (mut before, mut after) = (a.clone(), b.clone());
        let gaps = |a: &Meridian, b: &Meridian| [self.gap(a, b, a), self.gap(a, b, b)];
        let mut bracket = Bracket::new([a.omega_rad, b.omega_rad], gaps(a, b));
        while let Some(omega_rad) = bracket.next(EVENT_TOLERANCE_RAD) {
            let middle = self.meridian(omega_rad);
            if middle.is_like(a) {
                bracket.put(omega_rad, self.gap(&before, &after, &middle), 0);
                before = middle;
            } else if middle.is_like(&after) {
                bracket.put(omega_rad, self.gap(&before, &after, &middle), 1);
                after = middle;
            } else {
                // Another event lies between, and comes before.
                after = middle;
                bracket = Bracket::new([before.omega_rad, omega_rad], gaps(&before, &after));
            }
        }
        (before, after)
    }

    /// By how much the rival of `a` is stronger than that of `b` where `at` has the first end at
    /// which they differ; NaN if they differ in more than rivals.
    fn gap(&self, a: &Meridian, b: &Meridian, at: &Meridian) -> f64 {
        if a.parts.len() != b.parts.len() {
            return f64::NAN;
        }
        let ends = |meridian: &Meridian| meridian.parts.concat();
        let pairs = ends(a).into_iter().zip(ends(b)).zip(ends(at));
        let mut differing = pairs.filter(|((a, b), _)| a.rival != b.rival);
        let Some(((a, b), at)) = differing.next() else {
            return f64::NAN;
        };
        self.scores.score(a.rival, &at.point) - self.scores.score(b.rival, &at.point)
    }
}

/// The lead over one rival at a stop, with the slope before (0) or after (1).
fn lead_at(stop: &Stop, side: usize, [a, b, bias]: &OnMeridian) -> Lead {
    Lead {
        theta_rad: stop.theta_rad,
        value: stop.target - (a * stop.cos + b * stop.sin + bias),
        slope: stop.slopes[side] - (b * stop.cos - a * stop.sin),
    }
}

/// The chords between two meridians that are alike: part, side and ends.
fn chords<'m>(
    a: &'m Meridian,
    b: &'m Meridian,
) -> impl Iterator<Item = (usize, usize, Vector3<f64>, Vector3<f64>)> + 'm {
    let pairs = a.parts.iter().zip(&b.parts).enumerate();
    pairs.flat_map(|(i, (from, to))| {
        (0..2).map(move |side| (i, side, from[side].point, to[side].point))
    })
}

/// An end of a part: meridian, part, 0 for where it begins and 1 for where it ends.
type Place = (usize, usize, usize);

/// Walks along the boundary: outer ends eastwards, inner ends westwards, and along a meridian
/// where a part begins, ends, splits or joins.
fn link(meridians: &[Meridian]) -> Vec<Vec<Vector3<f64>>> {
    let index = Index::new(meridians);
    let mut next: Vec<Option<usize>> = vec![None; index.places.len()];
    for west in 0..meridians.len() {
        let east = (west + 1) % meridians.len();
        for (from, to) in strip(meridians, west, east) {
            next[index.of(from)] = Some(index.of(to));
        }
    }
    let mut loops = Vec::new();
    for first in 0..next.len() {
        let mut points: Vec<Vector3<f64>> = Vec::new();
        let mut has_boundary = false;
        let mut at = first;
        while let Some(to) = next[at].take() {
            let (meridian, part, side) = index.places[at];
            let end = meridians[meridian].parts[part][side];
            has_boundary |= end.rival.is_some();
            points.push(end.point);
            at = to;
        }
        points.dedup_by(|next, kept| (*next - *kept).norm() < 1e-10);
        if has_boundary && points.len() > 2 {
            loops.push(points);
        }
    }
    loops
}

/// Numbers for all ends.
struct Index {
    places: Vec<Place>,
    first_of_meridian: Vec<usize>,
}

impl Index {
    fn new(meridians: &[Meridian]) -> Self {
        let mut index = Self {
            places: Vec::new(),
            first_of_meridian: Vec::new(),
        };
        for (m, meridian) in meridians.iter().enumerate() {
            index.first_of_meridian.push(index.places.len());
            let parts = 0..meridian.parts.len();
            index
                .places
                .extend(parts.flat_map(|part| [(m, part, 0), (m, part, 1)]));
        }
        index
    }

    fn of(&self, (meridian, part, side): Place) -> usize {
        self.first_of_meridian[meridian] + 2 * part + side
    }
}

/// The boundary between two neighbouring meridians.
///
/// Where they are alike, it runs from end to end. Else, between two ends that follow one another in
/// θ, the region lies on both meridians, on none, or on one: then the boundary runs from one to the
/// other, northwards if the region lies in the west and southwards if in the east.
fn strip(meridians: &[Meridian], west: usize, east: usize) -> Vec<(Place, Place)> {
    if meridians[west].is_like(&meridians[east]) {
        let parts = 0..meridians[west].parts.len();
        let link = |part| {
            [
                ((east, part, 0), (west, part, 0)),
                ((west, part, 1), (east, part, 1)),
            ]
        };
        return parts.flat_map(link).collect();
    }
    let mut ends: Vec<(f64, Place)> = Vec::new();
    for m in [west, east] {
        for (part, each) in meridians[m].parts.iter().enumerate() {
            ends.extend((0..2).map(|side| (each[side].theta_rad, (m, part, side))));
        }
    }
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut in_west, mut in_east) = (false, false);
    let mut links = Vec::new();
    for pair in ends.windows(2) {
        let (here, next) = (pair[0].1, pair[1].1);
        let is_inside = if here.0 == west {
            &mut in_west
        } else {
            &mut in_east
        };
        *is_inside = here.2 == 0;
        match (in_west, in_east) {
            (true, false) => links.push((next, here)),
            (false, true) => links.push((here, next)),
            _ => {}
        }
    }
    links
}
