//! How many samples have which angle to the weight of their class.

use crate::scene::chart::ticks::Ladder;
use crate::scene::chart::{Axis, Chart, Ink, Series, ticks};
use crate::trainer::Snapshot;

/// Counts of samples over their target angle, in bins of 180° over the number of counts.
pub fn histogram(snapshot: &Snapshot) -> Chart {
    let counts = &snapshot.detail.target_angles;
    let highest = counts.iter().copied().max().unwrap_or(0);
    let ladder = Ladder::of_count(highest);
    let share = |&count: &u32| f64::from(count) / f64::from(highest.max(1));
    let bin_deg = 180.0 / counts.len().max(1) as f64;
    Chart {
        x: Axis {
            title: "angle θ to the weight of the sample's class (degrees)".to_owned(),
            span: [0.0, 180.0],
            ticks: ticks::degrees(30, 180.0),
            ..Axis::default()
        },
        y: Axis {
            title: format!("samples in a bin of {bin_deg}°"),
            span: [0.0, ladder.top()],
            ticks: ladder.ticks(),
            ..Axis::default()
        },
        series: vec![Series::Bars {
            heights: counts.iter().map(share).collect(),
            share: f64::from(highest) / ladder.top(),
            ink: Ink::Accent,
            opacity: 0.8,
        }],
        ..Chart::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::sample::{even_weights, fans, snapshot};

    #[test]
    fn bars_are_as_high_as_their_counts_on_an_axis_of_round_numbers() {
        let weights = even_weights(5);
        let (features, labels) = fans(&weights, 20, 1.0, 2.0, 0.3);
        let snapshot = snapshot("arcface", 2, &weights, &features, &labels);
        let chart = histogram(&snapshot);
        let counts = &snapshot.detail.target_angles;
        let Some(Series::Bars { heights, share, .. }) = chart.series.first() else {
            panic!("bars");
        };
        let top = chart.y.span[1];
        for (height, &count) in heights.iter().zip(counts) {
            assert!((height * share * top - f64::from(count)).abs() < 1e-9);
        }
        let highest = f64::from(*counts.iter().max().expect("bins"));
        assert!(
            highest <= top && top < 2.0 * highest,
            "{top} over {highest}"
        );
        let (last, words) = chart.y.ticks.last().expect("ticks");
        assert!(*last == top && *words == top.to_string());
    }
}
