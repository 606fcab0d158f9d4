//! Loss and accuracy over the steps, with the choices of another loss.

use crate::experiment::Experiment;
use crate::loss;
use crate::scene::chart::ticks::Ladder;
use crate::scene::chart::{Axis, Chart, Ink, Key, Series, ticks};
use crate::scene::{Anchor, number, thousands};
use crate::trainer::Snapshot;

/// So many times what it usually stays below, the loss leaves its axis: the rest would be flat.
const MOST_OVER_USUAL: f64 = 2.0;
/// What all losses but the highest few stay below.
const USUAL_SHARE: f64 = 0.97;

/// The loss on the left axis, the accuracy from 0 to 100% on the right one.
pub fn curves(snapshot: &Snapshot) -> Chart {
    let rows = snapshot.history.rows();
    let losses: Vec<f64> = rows.iter().map(|row| row.loss).collect();
    let highest = losses.iter().copied().fold(0.0, f64::max);
    let usual = usual_maximum(losses);
    let is_cut = highest > MOST_OVER_USUAL * usual;
    let ladder = Ladder::to(if is_cut { usual } else { highest }.max(1e-6));
    let top = ladder.top();
    let last = snapshot.step.max(1) as f64;
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
    let mut named = vec![(line(loss.collect(), Ink::Accent), loss_name(snapshot))];
    if has_accuracy {
        named.push((line(accuracy, Ink::Text), accuracy_name(snapshot)));
    }
    let keys = named.iter();
    let keys = keys.filter_map(|(curve, name)| Key::of_line(curve, name.as_str()));
    let keys = keys.collect();
    series.extend(named.into_iter().map(|(curve, _)| curve));
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

fn loss_name(snapshot: &Snapshot) -> String {
    match snapshot.history.rows().last() {
        Some(row) => format!("loss of a batch, {} at the end", number(row.loss)),
        None => "loss of a batch".to_owned(),
    }
}

fn accuracy_name(snapshot: &Snapshot) -> String {
    let of = if snapshot.probe.is_train {
        "training"
    } else {
        "test"
    };
    let percent = 100.0 * snapshot.metrics.accuracy;
    format!("accuracy on {of} samples, {percent:.1}% at the end")
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

fn line(points: Vec<[f64; 2]>, ink: Ink) -> Series {
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
