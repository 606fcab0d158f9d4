//! The confusion matrix: how many samples of each class are taken for which.

use crate::scene::Anchor;
use crate::scene::chart::{Axis, Chart, Ink, Key, Mark, Series};
use crate::scene::theme::class_color;
use crate::trainer::Snapshot;

/// Numbers stand in the cells up to this many classes.
const MOST_NUMBERED: usize = 10;

/// Shades in the colour bar of a figure.
const N_SHADES: usize = 24;

/// Rows are classes, columns what they are taken for: right ones on the diagonal, from top left.
/// `None` where there are too many classes to count pairs of them.
pub fn confusion(snapshot: &Snapshot, lit: Option<[usize; 2]>) -> Option<Chart> {
    let n = snapshot.head.n_classes;
    let mut series = Vec::new();
    for Cell { at, count, share } in cells(snapshot)? {
        series.push(cell(n, at, share));
        if n <= MOST_NUMBERED && at[0] != at[1] {
            series.push(number(n, at, count, Ink::Text));
        }
    }
    if let Some(lit) = lit {
        series.push(outline(n, lit));
    }
    let [mut x, mut y] = axes(snapshot);
    if n > 2 * MOST_NUMBERED {
        // There is no room for names in the window.
        x.ticks.clear();
        y.ticks.clear();
    }
    Some(Chart {
        title: "rows: class, columns: taken for".to_owned(),
        x,
        y,
        series,
        is_square: true,
        ..Chart::default()
    })
}

/// The same for a figure: every cell in shades of one colour, with its number.
pub fn confusion_in_print(snapshot: &Snapshot) -> Option<Chart> {
    let n = snapshot.head.n_classes;
    let mut series = Vec::new();
    for Cell { at, count, share } in cells(snapshot)? {
        let shade = shade(share);
        series.push(Series::Area {
            rings: vec![corners(n, at, 0.0)],
            ink: Ink::Accent,
            opacity: shade,
        });
        if n <= MOST_NUMBERED {
            series.push(number(n, at, count, Ink::OnAccent(shade)));
        }
    }
    series.extend((0..=n).flat_map(|i| rules(n, i as f64)));
    let [x, y] = axes(snapshot);
    let titled = |axis, title: &str| Axis {
        title: title.to_owned(),
        ..axis
    };
    let shades = (0..N_SHADES).map(|i| shade(i as f64 / (N_SHADES - 1) as f64));
    Some(Chart {
        x: titled(x, "taken for"),
        y: titled(y, "class"),
        series,
        keys: vec![Key {
            mark: Mark::Ramp(shades.collect()),
            name: "0 to 100% of the samples of a class".to_owned(),
        }],
        is_table: true,
        ..Chart::default()
    })
}

/// That cells have no numbers, where they have none.
pub fn confusion_note(snapshots: &[&Snapshot]) -> Option<String> {
    let has_no_numbers = |snapshot: &&Snapshot| snapshot.head.n_classes > MOST_NUMBERED;
    snapshots
        .iter()
        .any(has_no_numbers)
        .then(|| format!("Without numbers: more than {MOST_NUMBERED} classes."))
}

/// A pair of classes that occurs.
struct Cell {
    /// The class, and what it is taken for.
    at: [usize; 2],
    count: u32,
    /// Of the samples of the class.
    share: f64,
}

/// `None` where pairs were not counted.
fn cells(snapshot: &Snapshot) -> Option<Vec<Cell>> {
    let n = snapshot.head.n_classes;
    let counts = &snapshot.detail.confusion;
    if counts.is_empty() || n == 0 || !snapshot.has_labels() {
        return None;
    }
    let rows = counts.chunks_exact(n).enumerate();
    let cells = rows.flat_map(|(y, row)| {
        let total = row.iter().sum::<u32>().max(1);
        let occurring = row.iter().enumerate().filter(|(_, count)| **count > 0);
        occurring.map(move |(k, &count)| Cell {
            at: [y, k],
            count,
            share: f64::from(count) / f64::from(total),
        })
    });
    Some(cells.collect())
}

/// Columns and rows with the names of the classes.
fn axes(snapshot: &Snapshot) -> [Axis; 2] {
    let n = snapshot.head.n_classes;
    let at = |j: usize| j as f64 + 0.5;
    let axis = |position: &dyn Fn(usize) -> f64| {
        let ticks = (0..n).map(|j| (position(j), snapshot.class_name(j).to_owned()));
        Axis {
            span: [0.0, n as f64],
            ticks: ticks.collect(),
            ..Axis::default()
        }
    };
    [axis(&at), axis(&|j| n as f64 - at(j))]
}

/// How much of the accent a share of a class has: small ones are seen, too.
fn shade(share: f64) -> f32 {
    share.sqrt() as f32
}

/// Lines between cells, the first of rows and of columns being 0.
fn rules(n: usize, at: f64) -> [Series; 2] {
    let end = n as f64;
    [[[0.0, at], [end, at]], [[at, 0.0], [at, end]]].map(|ends| Series::Line {
        points: ends.into(),
        ink: Ink::Faint,
        width: 0.6,
        is_dashed: false,
    })
}

/// The class and what it is taken for at a place in the chart.
pub fn confusion_cell(n_classes: usize, at: [f64; 2]) -> Option<[usize; 2]> {
    let n = n_classes as f64;
    let is_inside = at.iter().all(|x| (0.0..n).contains(x));
    is_inside.then(|| [(n - at[1]).ceil() as usize - 1, at[0] as usize])
}

/// What a cell counts, in words.
pub fn confusion_words(snapshot: &Snapshot, [y, k]: [usize; 2]) -> String {
    let n = snapshot.head.n_classes;
    let count = snapshot
        .detail
        .confusion
        .get(y * n + k)
        .copied()
        .unwrap_or(0);
    let noun = if count == 1 { "sample" } else { "samples" };
    if y == k {
        format!("{count} {noun} of {} recognised", snapshot.class_name(y))
    } else {
        format!(
            "{count} {noun} of {} taken for {}",
            snapshot.class_name(y),
            snapshot.class_name(k)
        )
    }
}

fn corners(n: usize, [y, k]: [usize; 2], inset: f64) -> Vec<[f64; 2]> {
    let (left, top) = (k as f64 + inset, (n - y) as f64 - inset);
    let side = 1.0 - 2.0 * inset;
    vec![
        [left, top],
        [left + side, top],
        [left + side, top - side],
        [left, top - side],
    ]
}

/// Right ones in the colour of the class, wrong ones in the one that warns, the fuller the more.
fn cell(n: usize, at: [usize; 2], share: f64) -> Series {
    let [y, k] = at;
    let (ink, least) = if y == k {
        (Ink::Fixed(class_color(y)), 0.15)
    } else {
        (Ink::PastCeiling, 0.12)
    };
    Series::Area {
        rings: vec![corners(n, at, 0.04)],
        ink,
        opacity: (least + 0.85 * share.sqrt()).min(1.0) as f32,
    }
}

fn number(n: usize, [y, k]: [usize; 2], count: u32, ink: Ink) -> Series {
    Series::Note {
        at: [k as f64 + 0.5, (n - y) as f64 - 0.5],
        text: count.to_string(),
        anchor: Anchor::Middle,
        ink,
    }
}

fn outline(n: usize, at: [usize; 2]) -> Series {
    let mut points = corners(n, at, 0.0);
    points.push(points[0]);
    Series::Line {
        points,
        ink: Ink::Text,
        width: 1.6,
        is_dashed: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::sample::{even_weights, fans, snapshot};
    use crate::scene::theme::DARK;

    #[test]
    fn a_click_finds_the_cell_that_is_drawn_there() {
        let weights = even_weights(4);
        let (features, labels) = fans(&weights, 20, 1.0, 2.0, 1.2);
        let snapshot = snapshot("normface", 2, &weights, &features, &labels);
        let chart = confusion(&snapshot, None).expect("four classes");
        let frame = chart.frame([200.0, 200.0]);
        for (y, k) in (0..4).flat_map(|y| (0..4).map(move |k| (y, k))) {
            let middle = [k as f64 + 0.5, 4.0 - y as f64 - 0.5];
            let back = frame.value(frame.screen(middle));
            assert_eq!(confusion_cell(4, back), Some([y, k]));
        }
        assert_eq!(confusion_cell(4, [-0.1, 2.0]), None);
        assert_eq!(confusion_cell(4, [1.0, 4.1]), None);
        let n: u32 = snapshot.detail.confusion.iter().sum();
        assert_eq!(n as usize, labels.len());
        assert!(
            !chart
                .scene(&DARK, DARK.panel, [200.0, 200.0])
                .groups
                .is_empty()
        );
    }

    #[test]
    fn counts_are_those_of_the_predictions() {
        let weights = even_weights(3);
        // Two of class 0 at their weight, one of class 1 at class 2's.
        let features = [1.0, 0.0, 2.0, 0.0, weights[4], weights[5]];
        let snapshot = snapshot("normface", 2, &weights, &features, &[0, 0, 1]);
        assert_eq!(snapshot.detail.confusion, [2, 0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(
            confusion_words(&snapshot, [0, 0]),
            "2 samples of 0 recognised"
        );
        assert_eq!(
            confusion_words(&snapshot, [1, 2]),
            "1 sample of 1 taken for 2"
        );
    }
}
