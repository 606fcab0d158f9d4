//! The confusion matrix: how many samples of each class are taken for which.

use crate::scene::Anchor;
use crate::scene::chart::{Axis, Chart, Ink, Series};
use crate::scene::theme::class_color;
use crate::trainer::Snapshot;

/// Numbers stand in the cells up to this many classes.
const MOST_NUMBERED: usize = 10;

/// Rows are classes, columns what they are taken for: right ones on the diagonal, from top left.
/// `None` where there are too many classes to count pairs of them.
pub fn confusion(snapshot: &Snapshot, lit: Option<[usize; 2]>) -> Option<Chart> {
    let n = snapshot.head.n_classes;
    let counts = &snapshot.detail.confusion;
    if counts.is_empty() || n == 0 || !snapshot.has_labels() {
        return None;
    }
    let count = |y: usize, k: usize| counts[y * n + k];
    let row_total = |y: usize| (0..n).map(|k| count(y, k)).sum::<u32>().max(1);
    let mut series = Vec::new();
    for (y, k) in (0..n).flat_map(|y| (0..n).map(move |k| (y, k))) {
        if count(y, k) == 0 {
            continue;
        }
        let share = f64::from(count(y, k)) / f64::from(row_total(y));
        series.push(cell(n, [y, k], share));
        if n <= MOST_NUMBERED && y != k {
            series.push(number(n, [y, k], count(y, k)));
        }
    }
    if let Some(lit) = lit {
        series.push(outline(n, lit));
    }
    let at = |j: usize| j as f64 + 0.5;
    let is_crowded = n > 2 * MOST_NUMBERED;
    let ticks = |position: &dyn Fn(usize) -> f64| {
        let named = (0..n).filter(|_| !is_crowded);
        named
            .map(|j| (position(j), snapshot.class_name(j).to_owned()))
            .collect()
    };
    Some(Chart {
        title: "rows: class, columns: taken for".to_owned(),
        x: Axis {
            label: String::new(),
            span: [0.0, n as f64],
            ticks: ticks(&at),
        },
        y: Axis {
            label: String::new(),
            span: [0.0, n as f64],
            ticks: ticks(&|j| n as f64 - at(j)),
        },
        series,
        is_square: true,
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

fn number(n: usize, [y, k]: [usize; 2], count: u32) -> Series {
    Series::Note {
        at: [k as f64 + 0.5, (n - y) as f64 - 0.5],
        text: count.to_string(),
        anchor: Anchor::Middle,
        ink: Ink::Text,
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
