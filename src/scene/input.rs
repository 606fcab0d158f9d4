//! The input plane: two-dimensional samples over the regions that network and head give them.

use crate::scene::curves::Curves;
use crate::scene::dots;
use crate::scene::dots::{Mark, Style};
use crate::scene::label;
use crate::scene::label::{Bounds, Label, shortest};
use crate::scene::look::{Look, closed_line, disc};
use crate::scene::{Group, Item, ViewState, input_axes};
use crate::trainer::{InputPlane, Snapshot};

/// Share of the short side that the square takes.
const FILL: f32 = 0.86;
/// Samples of each class among which the one is sought that its label stands at.
const N_CANDIDATES: usize = 24;

struct Frame<'a> {
    snapshot: &'a Snapshot,
    curves: &'a Curves,
    plane: &'a InputPlane,
    view: &'a ViewState,
    look: Look,
    size: [f32; 2],
    /// Upper left corner of the square.
    min: [f32; 2],
    side: f32,
}

pub(super) fn groups(
    snapshot: &Snapshot,
    curves: &Curves,
    plane: &InputPlane,
    view: &ViewState,
    look: Look,
    size: [f32; 2],
) -> Vec<Group> {
    let stage = view.stage(size);
    let short_side = stage.short_side();
    let beside = 2.0 * input_axes::room(&look, plane);
    let side = (FILL * short_side).min(short_side - beside);
    let frame = Frame {
        snapshot,
        curves,
        plane,
        view,
        look,
        size,
        min: stage.middle().map(|middle| middle - 0.5 * side),
        side,
    };
    let group = Group::new;
    let show = view.show;
    let mut groups = Vec::new();
    if show.regions {
        let (regions, seams) = frame.regions();
        groups.push(group("regions", regions));
        groups.push(group("seams", seams));
    }
    groups.push(group("frame", frame.border()));
    if show.points {
        groups.push(group("points", frame.points()));
    }
    if show.labels {
        groups.push(group("labels", frame.labels()));
    }
    groups.push(group("lens", frame.kept()));
    groups
}

impl Frame<'_> {
    fn screen(&self, input: [f32; 2]) -> [f32; 2] {
        let share = [0, 1].map(|axis| (input[axis] - self.plane.corner[axis]) / self.plane.side);
        self.at(share)
    }

    /// From shares of the square, y up.
    fn at(&self, share: [f32; 2]) -> [f32; 2] {
        [
            self.min[0] + share[0] * self.side,
            self.min[1] + (1.0 - share[1]) * self.side,
        ]
    }

    fn regions(&self) -> (Vec<Item>, Vec<Item>) {
        let last = (self.plane.n_side - 1) as f64;
        let (mut regions, mut seams) = (Vec::new(), Vec::new());
        for region in self.curves.input_regions(self.snapshot) {
            let rings = region.rings.iter().map(|ring| {
                let points = ring.iter().map(|at| self.at(at.map(|x| (x / last) as f32)));
                points.collect::<Vec<_>>()
            });
            let rings: Vec<_> = rings.collect();
            let lines = rings.iter().cloned();
            seams.extend(lines.map(|ring| closed_line(ring, self.look.seam())));
            regions.push(Item::Polygon {
                rings,
                fill: self.look.tint(region.class),
            });
        }
        (regions, seams)
    }

    /// The square with its axes.
    fn border(&self) -> Vec<Item> {
        let corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let ring = corners.map(|share| self.at(share)).to_vec();
        let stroke = self.look.line(1.0, self.look.theme.hairline_strong);
        let mut items = vec![closed_line(ring, stroke)];
        let at = |share| self.at(share);
        items.extend(input_axes::items(&self.look, self.plane, self.side, at));
        items
    }

    fn points(&self) -> Vec<Item> {
        let labels = &self.snapshot.probe.labels;
        let shown = self.view.classes.mask(self.snapshot.head.n_classes);
        let samples = self.plane.samples.chunks_exact(2).zip(labels.iter());
        let samples = samples
            .enumerate()
            .filter(|(_, (_, class))| shown.shows(**class));
        let marks = samples.map(|(i, (x, &class))| Mark {
            center: self.screen([x[0], x[1]]),
            sample: i as u32,
            class,
            depth: 0,
        });
        let style = Style {
            radius: self.look.dot_radius(labels.len()),
            opacities: &[0.9],
            outline: 0.9,
        };
        let lit = self.view.light.mask(self.snapshot);
        dots::items(
            &self.look,
            marks.collect(),
            labels.len(),
            style,
            self.size,
            lit.as_deref(),
        )
    }

    /// A ring around the sample that is kept.
    fn kept(&self) -> Vec<Item> {
        let kept = self.view.kept.and_then(|sample| {
            let input = self.plane.samples.get(2 * sample..2 * sample + 2)?;
            Some(self.screen([input[0], input[1]]))
        });
        let ring = kept.map(|at| {
            let nothing = self.look.theme.ground.with_opacity(0.0);
            let stroke = self.look.line(1.8, self.look.theme.text);
            disc(at, 7.0 * self.look.unit, nothing, stroke)
        });
        ring.into_iter().collect()
    }

    /// Each at the sample of its class that lies deepest among its own.
    fn labels(&self) -> Vec<Item> {
        let n_classes = self.snapshot.head.n_classes;
        let places = deepest(&self.plane.samples, &self.snapshot.probe.labels, n_classes);
        let labels: Vec<Label> = places
            .into_iter()
            .map(|(class, input)| {
                let name = self.snapshot.class_name(class);
                let at = self.screen(input);
                Label::new(&self.look, class, name, n_classes, shortest(self.size)).at(at, at)
            })
            .collect();
        let bounds = Bounds {
            min: self.min,
            max: self.min.map(|x| x + self.side),
        };
        label::items(&self.look, &labels, &bounds)
    }
}

/// For each class the sample, of its first few, that is farthest from the nearest of any other
/// class.
fn deepest(samples: &[f32], labels: &[u16], n_classes: usize) -> Vec<(usize, [f32; 2])> {
    let mut candidates: Vec<Vec<[f32; 2]>> = vec![Vec::new(); n_classes];
    for (x, &label) in samples.chunks_exact(2).zip(labels) {
        if let Some(own) = candidates.get_mut(usize::from(label))
            && own.len() < N_CANDIDATES
        {
            own.push([x[0], x[1]]);
        }
    }
    let depth_squared = |class: usize, at: &[f32; 2]| -> f32 {
        let others = candidates
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != class);
        let distances = others.flat_map(|(_, inputs)| inputs);
        distances
            .map(|other| (other[0] - at[0]).powi(2) + (other[1] - at[1]).powi(2))
            .fold(f32::INFINITY, f32::min)
    };
    let places = candidates.iter().enumerate().filter_map(|(class, own)| {
        let best = own
            .iter()
            .max_by(|a, b| depth_squared(class, a).total_cmp(&depth_squared(class, b)))?;
        Some((class, *best))
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, ViewKind};
    use crate::scene::theme::DARK;
    use crate::scene::{Scene, build};
    use crate::trainer::{Subset, Trainer};

    #[test]
    fn a_label_stands_deep_among_its_own() {
        let samples = [0.0, 0.0, 1.0, 0.0, 1.1, 0.0, 5.0, 0.0];
        let found = deepest(&samples, &[0, 0, 1, 1], 3);
        assert_eq!(found, [(0, [0.0, 0.0]), (1, [5.0, 0.0])]);
    }

    fn is_inside(rings: &[Vec<[f32; 2]>], [x, y]: [f32; 2]) -> bool {
        let sides = rings.iter().flat_map(|ring| {
            let next = ring.iter().cycle().skip(1);
            ring.iter().zip(next).map(|(&a, &b)| (a, b))
        });
        let crossings = sides.filter(|(a, b)| {
            (a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
        });
        crossings.count() % 2 == 1
    }

    fn group<'a>(scene: &'a Scene, name: &str) -> &'a [Item] {
        let found = scene.groups.iter().find(|group| group.name == name);
        &found.unwrap_or_else(|| panic!("a group {name}")).items
    }

    /// Rings are not linear: the network bends the plane, and every sample still lies on the tint of
    /// the class that it is taken for, but for those nearer to a boundary than the grid can tell.
    #[test]
    fn samples_lie_on_the_tint_of_their_prediction() {
        let mut experiment = Experiment::default();
        for (key, value) in [
            ("data.source", "rings"),
            ("view.kind", "input"),
            ("loss.id", "arcface"),
        ] {
            experiment.set(key, value).expect("a valid setting");
        }
        let mut trainer = Trainer::new(&experiment, None, 1).expect("training starts");
        for _ in 0..300 {
            trainer.step().expect("a finite step");
        }
        let snapshot = Snapshot::of(&trainer, Subset::default());
        let view = ViewState::new(ViewKind::Input, DARK);
        let scene = build(&snapshot, &view, [900.0, 700.0]);
        let look = Look::new(DARK, 700.0);
        let mut n_off = 0;
        let dots = group(&scene, "points")
            .iter()
            .filter_map(|item| match item {
                Item::Dots { dots, .. } => Some(dots),
                _ => None,
            });
        let dots: Vec<_> = dots.flatten().collect();
        // Of samples of a class on one spot, one is drawn.
        assert!(
            dots.len() * 10 > snapshot.probe.len() * 9,
            "{} are drawn",
            dots.len()
        );
        for dot in &dots {
            let taken_for = usize::from(snapshot.detail.predictions[dot.sample as usize]);
            let under = group(&scene, "regions").iter().find_map(|item| match item {
                Item::Polygon { rings, fill } if is_inside(rings, dot.center) => Some(*fill),
                _ => None,
            });
            n_off += usize::from(under != Some(look.tint(taken_for)));
        }
        assert!(
            n_off * 100 <= dots.len(),
            "{n_off} of {} lie elsewhere",
            dots.len()
        );
        let n_labels = group(&scene, "labels").len();
        assert!(
            n_labels >= snapshot.head.n_classes,
            "{n_labels} items of labels"
        );
    }

    #[test]
    fn data_without_a_plane_says_so() {
        let mut experiment = Experiment::default();
        experiment.set("data.source", "free").expect("a source");
        let trainer = Trainer::new(&experiment, None, 1).expect("training starts");
        let snapshot = Snapshot::of(&trainer, Subset::default());
        let view = ViewState::new(ViewKind::Input, DARK);
        let scene = build(&snapshot, &view, [900.0, 700.0]);
        let says = |item: &Item| matches!(item, Item::Text { text, .. } if text.contains("two coordinates"));
        assert!(
            scene
                .groups
                .iter()
                .any(|group| group.items.iter().any(says))
        );
    }
}
