//! How many samples have which angle to the weight of their class.

use crate::scene::chart::{Axis, Chart, Ink, Series};
use crate::scene::thousands;
use crate::trainer::Snapshot;

/// Counts of samples over their target angle, in bins of 180° over the number of counts.
pub fn histogram(snapshot: &Snapshot) -> Chart {
    let counts = &snapshot.detail.target_angles;
    let highest = counts.iter().copied().max().unwrap_or(0).max(1);
    let height = |&count: &u32| f64::from(count) / f64::from(highest);
    let ticks = [0.0, 0.5, 1.0].map(|share| share * f64::from(highest));
    Chart {
        title: "samples over the angle θ to their weight".to_owned(),
        x: Axis {
            label: String::new(),
            span: [0.0, 180.0],
            ticks: [0.0, 45.0, 90.0, 135.0, 180.0]
                .map(|at| (at, format!("{at}°")))
                .into(),
        },
        y: Axis {
            label: String::new(),
            span: [0.0, f64::from(highest)],
            ticks: ticks.map(|at| (at, thousands(at as u64))).into(),
        },
        series: vec![Series::Bars {
            heights: counts.iter().map(height).collect(),
            share: 1.0,
            ink: Ink::Accent,
            opacity: 0.8,
        }],
        is_square: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::sample::{even_weights, fans, snapshot};

    #[test]
    fn the_highest_bar_reaches_the_top_and_says_how_many() {
        let weights = even_weights(5);
        let (features, labels) = fans(&weights, 20, 1.0, 2.0, 0.3);
        let snapshot = snapshot("arcface", 2, &weights, &features, &labels);
        let chart = histogram(&snapshot);
        let highest = *snapshot.detail.target_angles.iter().max().expect("bins");
        assert_eq!(chart.y.span[1], f64::from(highest));
        assert_eq!(chart.y.ticks[2].1, highest.to_string());
        let Some(Series::Bars { heights, .. }) = chart.series.first() else {
            panic!("bars");
        };
        assert_eq!(heights.iter().copied().fold(0.0, f64::max), 1.0);
    }
}
