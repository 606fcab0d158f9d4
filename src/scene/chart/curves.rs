//! Loss and accuracy over the steps, with the choices of another loss.

use crate::experiment::Experiment;
use crate::loss;
use crate::scene::chart::ticks::Ladder;
use crate::scene::chart::{Axis, Chart, Ink, Key, Series, ticks};
use crate::scene::{Anchor, number, samples_words, thousands};
use crate::trainer::Snapshot;

/// So many times what it usually stays below, the loss leaves its axis: the rest would be flat.
const MOST_OVER_USUAL: f64 = 2.0;
/// What all losses but the highest few stay below.
const USUAL_SHARE: f64 = 0.97;

/// An axis of fewer steps has no room for their numbers.
const LEAST_STEPS: u64 = 10;
const LOSS_NAME: &str = "loss of a batch";

/// The same for a figure, with where the curves end.
pub fn curves_in_print(snapshot: &Snapshot) -> Chart {
    let mut chart = curves(snapshot);
    let ends = ends(snapshot);
    for (key, end) in chart.keys.iter_mut().zip(ends.into_iter().flatten()) {
        key.name = format!("{}, {end} at the end", key.name);
    }
    chart
}

/// Where the loss and the accuracy of each of several charts end.
pub fn curve_ends(snapshots: &[&Snapshot]) -> Option<String> {
    let ends: Vec<[Option<String>; 2]> = snapshots.iter().map(|snapshot| ends(snapshot)).collect();
    let of = |i: usize, name: &str| {
        let known = ends.iter().any(|end| end[i].is_some());
        let words = ends.iter().map(|end| end[i].as_deref().unwrap_or("–"));
        let words: Vec<&str> = words.collect();
        known.then(|| format!("{name} {}", words.join(", ")))
    };
    let both = [of(0, "loss"), of(1, "accuracy")];
    let both: Vec<String> = both.into_iter().flatten().collect();
    (!both.is_empty()).then(|| format!("At the end, panel by panel: {}.", both.join("; ")))
}

/// The last loss and the accuracy, as far as there are any.
fn ends(snapshot: &Snapshot) -> [Option<String>; 2] {
    let loss = snapshot.history.rows().last();
    let has_accuracy = snapshot
        .history
        .rows()
        .iter()
        .any(|row| row.accuracy.is_some());
    [
        loss.map(|row| number(row.loss)),
        has_accuracy.then(|| format!("{:.1}%", 100.0 * snapshot.metrics.accuracy)),
    ]
}

/// That there is no curve, where there is none.
fn nothing_yet(snapshot: &Snapshot, top: f64) -> Option<Series> {
    snapshot.history.rows().is_empty().then(|| Series::Note {
        at: [0.5 * LEAST_STEPS as f64, 0.5 * top],
        text: "no step has been made".to_owned(),
        anchor: Anchor::Middle,
        ink: Ink::Dimmed,
    })
}

/// The loss on the left axis, the accuracy from 0 to 100% on the right one.
pub fn curves(snapshot: &Snapshot) -> Chart {
    let rows = snapshot.history.rows();
    let losses: Vec<f64> = rows.iter().map(|row| row.loss).collect();
    let highest = losses.iter().copied().fold(0.0, f64::max);
    let usual = usual_maximum(losses);
    let is_cut = highest > MOST_OVER_USUAL * usual;
    let highest = if rows.is_empty() { 1.0 } else { highest };
    let ladder = Ladder::to(if is_cut { usual } else { highest }.max(1e-6));
    let top = ladder.top();
    let last = snapshot.step.max(LEAST_STEPS) as f64;
    let mut series: Vec<Series> = choices(&snapshot.experiment)
        .iter()
        .flat_map(|&(step, name)| choice(step as f64, name, top))
        .collect();
    let loss = rows.iter().map(|row| [row.step as f64, row.loss]);
    let accuracy: Vec<[f64; 2]> = rows
        .iter()
        .filter_map(|row| Some([row.step as f64, top * row.accuracy?]))
        .collect();
    let has_accuracy = !accuracy.is_empty();
    let mut named = vec![(line(loss.collect(), Ink::Accent), LOSS_NAME.to_owned())];
    if has_accuracy {
        named.push((line(accuracy, Ink::Text), accuracy_name(snapshot)));
    }
    let keys = named.iter();
    let keys = keys.filter_map(|(curve, name)| Key::of_line(curve, name.as_str()));
    let keys = keys.collect();
    series.extend(named.into_iter().map(|(curve, _)| curve));
    series.extend(nothing_yet(snapshot, top));
    let title = if is_cut {
        "loss, its peaks cut off"
    } else {
        "loss"
    };
    Chart {
        x: Axis {
            title: "step".to_owned(),
            span: [0.0, last],
            ticks: step_ticks(last),
            ..Axis::default()
        },
        y: Axis {
            title: title.to_owned(),
            span: [0.0, top],
            ticks: ladder.ticks(),
            ..Axis::default()
        },
        right: has_accuracy.then(|| percent_axis(ladder.n_steps)),
        series,
        keys,
        ..Chart::default()
    }
}

/// From 0 to 100% in as many steps as the axis at the left has, so that its lines count for both.
fn percent_axis(n_steps: u32) -> Axis {
    let ticks = (0..=n_steps).map(|i| {
        let percent = 100 * i / n_steps;
        (f64::from(percent), percent.to_string())
    });
    Axis {
        title: "accuracy (%)".to_owned(),
        span: [0.0, 100.0],
        ticks: ticks.collect(),
        ..Axis::default()
    }
}

fn step_ticks(last: f64) -> Vec<(f64, String)> {
    let ticks = ticks::multiples(ticks::round_step(last).max(1.0), [0.0, last]);
    ticks.map(|at| (at, thousands(at as u64))).collect()
}

fn accuracy_name(snapshot: &Snapshot) -> String {
    format!("accuracy on {}", samples_words(snapshot))
}

/// Steps at which another loss was chosen. Passing through one on the way to the next does not
/// count.
pub fn choices(experiment: &Experiment) -> Vec<(u64, &'static str)> {
    let mut choices: Vec<(u64, &'static str)> = Vec::new();
    for change in experiment.run.changes.iter().filter(|c| c.key == "loss.id") {
        let Ok(spec) = loss::find(&change.value) else {
            continue;
        };
        choices.retain(|&(step, _)| step != change.step);
        choices.push((change.step, spec.short_name));
    }
    choices
}

/// What all values but the highest few stay below: a spike at a change of loss may stand out.
pub fn usual_maximum(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (USUAL_SHARE * values.len() as f64) as usize;
    values.get(index).copied().unwrap_or(1.0)
}

fn choice(step: f64, name: &str, top: f64) -> [Series; 2] {
    [
        Series::Line {
            points: vec![[step, 0.0], [step, top]],
            ink: Ink::Faint,
            width: 1.0,
            is_dashed: true,
        },
        Series::Note {
            at: [step, 0.97 * top],
            text: format!(" {name}"),
            anchor: Anchor::Start,
            ink: Ink::Dimmed,
        },
    ]
}

/// A curve. One point alone is a short dash: it would not be seen.
fn line(mut points: Vec<[f64; 2]>, ink: Ink) -> Series {
    const HALF: f64 = 0.15; // of a step
    if let [[step, value]] = points[..] {
        points = vec![[step - HALF, value], [step + HALF, value]];
    }
    Series::Line {
        points,
        ink,
        width: 1.5,
        is_dashed: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Change;
    use crate::scene::sample::{even_weights, snapshot};

    #[test]
    fn the_first_steps_are_seen_too() {
        let mut snapshot = snapshot("softmax", 2, &even_weights(3), &[1.0, 0.0], &[0]);
        snapshot.step = 0;
        let chart = curves(&snapshot);
        assert_eq!((chart.x.span, chart.y.span), ([0.0, 10.0], [0.0, 1.0]));
        let has_words = |chart: &Chart| {
            let mut series = chart.series.iter();
            series.any(|series| matches!(series, Series::Note { .. }))
        };
        assert!(has_words(&chart));
        snapshot.history.push_loss(1, 2.0);
        snapshot.step = 1;
        let chart = curves(&snapshot);
        assert!(!has_words(&chart));
        let [Series::Line { points, .. }] = &chart.series[..] else {
            panic!("one curve: {:?}", chart.series);
        };
        assert_eq!(points.len(), 2, "a line that is seen");
        let ends = curve_ends(&[&snapshot, &snapshot]);
        assert_eq!(
            ends.as_deref(),
            Some("At the end, panel by panel: loss 2.00, 2.00.")
        );
    }

    #[test]
    fn curves_have_a_point_for_each_row_and_a_line_for_each_choice() {
        let mut snapshot = snapshot("softmax", 2, &even_weights(3), &[1.0, 0.0], &[0]);
        for step in 1..=100 {
            snapshot.history.push_loss(step, 2.0 / step as f64);
            if step % 25 == 0 {
                snapshot.history.note_accuracy(step as f64 / 200.0);
            }
        }
        snapshot.step = 100;
        let mut experiment = snapshot.experiment.as_ref().clone();
        let change = |step, value: &str| Change {
            step,
            key: "loss.id".to_owned(),
            value: value.to_owned(),
        };
        experiment.run.changes = [
            change(40, "normface"),
            change(40, "arcface"),
            change(60, "nonsense"),
        ]
        .into_iter()
        .collect();
        assert_eq!(choices(&experiment), [(40, "ArcFace")]);
        snapshot.experiment = experiment.into();
        let chart = curves(&snapshot);
        let lengths: Vec<usize> = chart
            .series
            .iter()
            .filter_map(|series| match series {
                Series::Line { points, .. } => Some(points.len()),
                _ => None,
            })
            .collect();
        assert_eq!(lengths, [2, 100, 4]);
        assert_eq!(chart.x.span, [0.0, 100.0]);
        let names: Vec<&str> = chart.keys.iter().map(|key| key.name.as_str()).collect();
        assert!(names[0].starts_with("loss") && names[1].starts_with("accuracy"));
        let right = chart.right.expect("accuracy");
        assert_eq!(right.ticks.len(), chart.y.ticks.len());
        assert_eq!(right.ticks.last().expect("ticks").1, "100");
    }

    #[test]
    fn a_spike_stands_out_of_the_axis() {
        let mut values = vec![1.0; 99];
        values.push(50.0);
        assert_eq!(usual_maximum(values), 1.0);
        assert_eq!(usual_maximum(Vec::new()), 1.0);
    }
}
