//! Regions of a classifier that is known on a grid: between the nodes its scores are taken as
//! linear on triangles, so that regions are polygons, and they meet without gap or overlap.

use std::collections::HashMap;

/// Scores of every class at the nodes of a square grid.
#[derive(Clone, Copy, Debug)]
pub struct ScoreGrid<'a> {
    /// Nodes along a side, at least 2.
    pub n_side: usize,
    /// C
    pub n_classes: usize,
    /// `[classes, n_side, n_side]`, row after row of nodes.
    pub scores: &'a [f64],
}

/// Where a class wins: closed rings in units of the grid, x along a row, to be filled by the
/// even-odd rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The class.
    pub class: usize,
    /// The last point of a ring is not repeated.
    pub rings: Vec<Vec<[f64; 2]>>,
}

/// A corner of what is left of a triangle: its place, and its weights in the triangle's corners.
#[derive(Clone, Copy, Debug)]
struct Corner {
    at: [f64; 2],
    shares: [f64; 3],
}

impl ScoreGrid<'_> {
    /// Regions of all classes that win somewhere, in the order of the classes. A tie goes to the
    /// class that comes first.
    pub fn regions(&self) -> Vec<Region> {
        let winners: Vec<usize> = (0..self.n_side * self.n_side)
            .map(|node| self.winner(node))
            .collect();
        let mut outlines: Vec<Outline> = vec![Outline::default(); self.n_classes];
        let triangles: Vec<[usize; 3]> = self.triangles().collect();
        let uniform = |triangle: usize| {
            let [a, b, c] = triangles[triangle].map(|node| winners[node]);
            (a == b && b == c).then_some(a)
        };
        let mut contenders = Vec::with_capacity(self.n_classes);
        for (index, nodes) in triangles.iter().enumerate() {
            let Some(class) = uniform(index) else {
                self.contenders(*nodes, &winners, &mut contenders);
                for &class in &contenders {
                    outlines[class].add_ring(&self.part(*nodes, class, &contenders));
                }
                continue;
            };
            for side in 0..3 {
                // Between two triangles of one class there is no outline.
                let across = self.across(index, side);
                if across.and_then(&uniform).is_none() {
                    let ends = [nodes[side], nodes[(side + 1) % 3]];
                    outlines[class].add(ends.map(|node| self.place(node)));
                }
            }
        }
        let regions = outlines
            .into_iter()
            .enumerate()
            .map(|(class, outline)| Region {
                class,
                rings: outline.rings(),
            });
        regions.filter(|region| !region.rings.is_empty()).collect()
    }

    fn score(&self, node: usize, class: usize) -> f64 {
        self.scores[node * self.n_classes + class]
    }

    fn winner(&self, node: usize) -> usize {
        let scores = &self.scores[node * self.n_classes..][..self.n_classes];
        let better = |best: usize, class: usize| {
            if scores[class] > scores[best] {
                class
            } else {
                best
            }
        };
        (0..self.n_classes).fold(0, better)
    }

    fn place(&self, node: usize) -> [f64; 2] {
        [(node % self.n_side) as f64, (node / self.n_side) as f64]
    }

    /// Two triangles for each square, counter-clockwise: one with the square's first row as its
    /// first side, one with its last row, both with the diagonal as their last side.
    fn triangles(&self) -> impl Iterator<Item = [usize; 3]> {
        let n = self.n_side;
        let squares = (0..n - 1).flat_map(move |y| (0..n - 1).map(move |x| y * n + x));
        squares.flat_map(move |a| {
            let [b, c, d] = [a + 1, a + n + 1, a + n];
            [[a, b, c], [c, d, a]]
        })
    }

    /// The triangle on the other side of a side of one, if it does not lie on the edge of the grid.
    fn across(&self, triangle: usize, side: usize) -> Option<usize> {
        let n = self.n_side - 1;
        let (square, is_second) = (triangle / 2, triangle % 2 == 1);
        let (x, y) = (square % n, square / n);
        match (is_second, side) {
            (false, 0) => (y > 0).then(|| 2 * (square - n) + 1),
            (false, 1) => (x + 1 < n).then(|| 2 * (square + 1) + 1),
            (true, 0) => (y + 1 < n).then(|| 2 * (square + n)),
            (true, 1) => (x > 0).then(|| 2 * (square - 1)),
            _ => Some(triangle ^ 1),
        }
    }

    /// The classes that may win somewhere in a triangle: all but those that lose to the winner of
    /// one of its corners at each of them.
    fn contenders(&self, nodes: [usize; 3], winners: &[usize], into: &mut Vec<usize>) {
        let of_corners = nodes.map(|node| winners[node]);
        let may_win = |class: usize| {
            of_corners.iter().all(|&winner| {
                let leads = |&node: &usize| self.score(node, class) >= self.score(node, winner);
                winner == class || nodes.iter().any(leads)
            })
        };
        into.clear();
        into.extend((0..self.n_classes).filter(|&class| may_win(class)));
    }

    /// The part of a triangle where a class wins, given all that may.
    fn part(&self, nodes: [usize; 3], class: usize, contenders: &[usize]) -> Vec<[f64; 2]> {
        let mut part: Vec<Corner> = (0..3)
            .map(|i| Corner {
                at: self.place(nodes[i]),
                shares: [0, 1, 2].map(|k| f64::from(u8::from(k == i))),
            })
            .collect();
        for &rival in contenders.iter().filter(|&&rival| rival != class) {
            let lead = nodes.map(|node| self.score(node, class) - self.score(node, rival));
            part = clipped(&part, lead);
            if part.is_empty() {
                break;
            }
        }
        part.iter().map(|corner| corner.at).collect()
    }
}

/// What is left of a convex polygon where a linear function, given at the triangle's corners, is
/// not negative.
fn clipped(part: &[Corner], lead: [f64; 3]) -> Vec<Corner> {
    let value = |corner: &Corner| -> f64 {
        corner
            .shares
            .iter()
            .zip(lead)
            .map(|(share, lead)| share * lead)
            .sum()
    };
    let mut left = Vec::with_capacity(part.len() + 1);
    for (i, corner) in part.iter().enumerate() {
        let next = &part[(i + 1) % part.len()];
        let (here, there) = (value(corner), value(next));
        if here >= 0.0 {
            left.push(*corner);
        }
        if (here >= 0.0) != (there >= 0.0) {
            let share = here / (here - there);
            let between = |a: f64, b: f64| a + share * (b - a);
            left.push(Corner {
                at: [0, 1].map(|k| between(corner.at[k], next.at[k])),
                shares: [0, 1, 2].map(|k| between(corner.shares[k], next.shares[k])),
            });
        }
    }
    left
}

/// Directed sides of polygons of one class; those of neighbors run against one another and vanish.
#[derive(Clone, Debug, Default)]
struct Outline {
    /// From the first end to the second, with the second's place; several where regions touch.
    sides: HashMap<Key, Vec<(Key, [f64; 2])>>,
}

/// A place to 2⁻²⁰ of the grid, so that it is the same seen from both sides.
type Key = [i64; 2];

fn key(at: [f64; 2]) -> Key {
    const STEPS: f64 = 1_048_576.0;
    at.map(|x| (x * STEPS).round() as i64)
}

impl Outline {
    fn add_ring(&mut self, ring: &[[f64; 2]]) {
        for (i, &from) in ring.iter().enumerate() {
            self.add([from, ring[(i + 1) % ring.len()]]);
        }
    }

    fn add(&mut self, [from, to]: [[f64; 2]; 2]) {
        let (start, end) = (key(from), key(to));
        if start == end {
            return;
        }
        if let Some(back) = self.sides.get_mut(&end)
            && let Some(index) = back.iter().position(|(other, _)| *other == start)
        {
            back.swap_remove(index);
            return;
        }
        self.sides.entry(start).or_default().push((end, to));
    }

    /// Closed rings in a fixed order, without corners on straight lines.
    fn rings(mut self) -> Vec<Vec<[f64; 2]>> {
        let mut starts: Vec<Key> = self.sides.keys().copied().collect();
        starts.sort_unstable();
        let mut rings = Vec::new();
        for start in starts {
            while let Some(ring) = self.walk(start) {
                if ring.len() > 2 {
                    rings.push(ring);
                }
            }
        }
        rings
    }

    /// Takes one ring out of the sides.
    fn walk(&mut self, start: Key) -> Option<Vec<[f64; 2]>> {
        let mut ring = Vec::new();
        let mut at = start;
        while let Some((next, place)) = self.sides.get_mut(&at).and_then(Vec::pop) {
            ring.push(place);
            at = next;
            if at == start {
                break;
            }
        }
        (!ring.is_empty()).then(|| without_straight_corners(&ring))
    }
}

fn without_straight_corners(ring: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let n = ring.len();
    let corners = (0..n).filter(|&i| {
        let [a, b, c] = [ring[(i + n - 1) % n], ring[i], ring[(i + 1) % n]];
        let turn = (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]);
        turn.abs() > 1e-9
    });
    corners.map(|i| ring[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n_side: usize, n_classes: usize, score: impl Fn(f64, f64, usize) -> f64) -> Vec<f64> {
        let nodes = (0..n_side).flat_map(|y| (0..n_side).map(move |x| (x as f64, y as f64)));
        nodes
            .flat_map(|(x, y)| (0..n_classes).map(|k| score(x, y, k)).collect::<Vec<_>>())
            .collect()
    }

    fn area(rings: &[Vec<[f64; 2]>]) -> f64 {
        let doubled = |ring: &Vec<[f64; 2]>| -> f64 {
            let n = ring.len();
            let terms = (0..n).map(|i| {
                let (a, b) = (ring[i], ring[(i + 1) % n]);
                a[0] * b[1] - a[1] * b[0]
            });
            terms.sum()
        };
        rings.iter().map(doubled).sum::<f64>() / 2.0
    }

    fn is_inside(region: &Region, [x, y]: [f64; 2]) -> bool {
        let crossings = region.rings.iter().flat_map(|ring| {
            let n = ring.len();
            (0..n).filter(move |&i| {
                let (a, b) = (ring[i], ring[(i + 1) % n]);
                (a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
            })
        });
        crossings.count() % 2 == 1
    }

    /// Linear scores are the same between the nodes as at them: regions are exact.
    #[test]
    fn linear_classifiers_come_out_exactly() {
        for n_classes in 1..=7 {
            let score = |x: f64, y: f64, k: usize| {
                let angle = k as f64 * 2.4 + 0.3;
                angle.cos() * (x - 5.1) + angle.sin() * (y - 4.7) + 0.3 * (k as f64).sin()
            };
            let scores = grid(11, n_classes, score);
            let grid = ScoreGrid {
                n_side: 11,
                n_classes,
                scores: &scores,
            };
            let regions = grid.regions();
            let whole: f64 = regions.iter().map(|region| area(&region.rings)).sum();
            assert!(
                (whole - 100.0).abs() < 1e-6,
                "{n_classes} classes cover {whole}"
            );
            for i in 0..2000 {
                let at = [
                    10.0 * (f64::from(i) * 0.618_034).fract(),
                    10.0 * (f64::from(i) * 0.754_878).fract(),
                ];
                let mut order: Vec<usize> = (0..n_classes).collect();
                order.sort_by(|&a, &b| score(at[0], at[1], b).total_cmp(&score(at[0], at[1], a)));
                let lead = order.get(1).map_or(f64::INFINITY, |&second| {
                    score(at[0], at[1], order[0]) - score(at[0], at[1], second)
                });
                if lead < 1e-6 {
                    continue; // on the line itself
                }
                let found: Vec<usize> = regions
                    .iter()
                    .filter(|region| is_inside(region, at))
                    .map(|region| region.class)
                    .collect();
                assert_eq!(found, [order[0]], "at {at:?}");
            }
        }
    }

    /// Straight sides have no corners on the way: four half-planes are few points, not hundreds.
    #[test]
    fn straight_outlines_have_few_corners() {
        let scores = grid(41, 2, |x, _, k| if k == 0 { 0.0 } else { x - 20.3 });
        let regions = ScoreGrid {
            n_side: 41,
            n_classes: 2,
            scores: &scores,
        }
        .regions();
        for region in &regions {
            assert_eq!(region.rings.len(), 1);
            assert_eq!(region.rings[0].len(), 4, "{:?}", region.rings);
        }
    }

    #[test]
    fn an_island_is_a_hole_in_the_other_region() {
        let scores = grid(31, 2, |x, y, k| {
            let distance = (x - 15.0).hypot(y - 15.0);
            if k == 0 { 0.0 } else { 7.0 - distance }
        });
        let regions = ScoreGrid {
            n_side: 31,
            n_classes: 2,
            scores: &scores,
        }
        .regions();
        assert_eq!(regions[0].rings.len(), 2, "a frame and a hole");
        assert_eq!(regions[1].rings.len(), 1);
        let island = area(&regions[1].rings);
        let disc = std::f64::consts::PI * 49.0;
        assert!((island / disc - 1.0).abs() < 0.01, "{island} of {disc}");
        assert!(is_inside(&regions[1], [15.5, 14.5]) && !is_inside(&regions[0], [15.5, 14.5]));
    }

    /// Everywhere a tie, as before the first step: the first class has all, and nothing breaks.
    #[test]
    fn ties_go_to_the_first_class() {
        let scores = grid(5, 3, |_, _, _| 1.0);
        let regions = ScoreGrid {
            n_side: 5,
            n_classes: 3,
            scores: &scores,
        }
        .regions();
        assert_eq!(regions.len(), 1);
        assert_eq!(regions[0].class, 0);
        assert!((area(&regions[0].rings) - 16.0).abs() < 1e-9);
    }
}
