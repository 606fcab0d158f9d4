//! Loss and accuracy over the steps, with the choices of another loss.

use crate::experiment::Experiment;
use crate::loss;
use crate::scene::chart::{Axis, Chart, Ink, Series};
use crate::scene::{Anchor, number, thousands};
use crate::trainer::Snapshot;

/// Room over the highest value, in shares of it.
const HEADROOM: f64 = 1.08;
/// What all losses but the highest few stay below.
const USUAL_SHARE: f64 = 0.97;

/// The loss on the left axis, the accuracy from 0 to 100% over the same height.
pub fn curves(snapshot: &Snapshot) -> Chart {
    let rows = snapshot.history.rows();
    let highest = usual_maximum(rows.iter().map(|row| row.loss).collect()).max(1e-6);
    let last = snapshot.step.max(1) as f64;
    let choices = choices(&snapshot.experiment);
    let mut series: Vec<Series> = choices
        .iter()
        .flat_map(|&(step, name)| choice(step as f64, name, highest))
        .collect();
    let loss = rows.iter().map(|row| [row.step as f64, row.loss]);
    let accuracy: Vec<[f64; 2]> = rows
        .iter()
        .filter_map(|row| Some([row.step as f64, highest * row.accuracy?]))
        .collect();
    series.push(line(loss.collect(), Ink::Accent));
    series.push(line(accuracy.clone(), Ink::Text));
    let name = |at: [f64; 2], text: String, ink| Series::Note {
        at,
        text,
        anchor: Anchor::End,
        ink,
    };
    if let Some(at) = accuracy.last() {
        let share = format!("accuracy {:.1}%", 100.0 * snapshot.metrics.accuracy);
        series.push(name([last, at[1] - 0.06 * highest], share, Ink::Text));
    }
    if let Some(row) = rows.last() {
        let words = format!("loss {}", number(row.loss));
        let height = (row.loss + 0.06 * highest).min(highest);
        series.push(name([last, height], words, Ink::Accent));
    }
    let ticks = [0.0, 0.5, 1.0].map(|share| share * highest);
    Chart {
        title: "loss and accuracy over the steps".to_owned(),
        x: Axis {
            label: String::new(),
            span: [0.0, last],
            ticks: [0.0, 0.5, 1.0]
                .map(|share| (share * last, thousands((share * last) as u64)))
                .into(),
        },
        y: Axis {
            label: String::new(),
            span: [0.0, HEADROOM * highest],
            ticks: ticks.map(|at| (at, number(at))).into(),
        },
        series,
        is_square: false,
    }
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

fn choice(step: f64, name: &str, highest: f64) -> [Series; 2] {
    [
        Series::Line {
            points: vec![[step, 0.0], [step, HEADROOM * highest]],
            ink: Ink::Faint,
            width: 1.0,
            is_dashed: true,
        },
        Series::Note {
            at: [step, 0.97 * HEADROOM * highest],
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
        experiment.run.changes = vec![
            change(40, "normface"),
            change(40, "arcface"),
            change(60, "nonsense"),
        ];
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
    }

    #[test]
    fn a_spike_stands_out_of_the_axis() {
        let mut values = vec![1.0; 99];
        values.push(50.0);
        assert_eq!(usual_maximum(values), 1.0);
        assert_eq!(usual_maximum(Vec::new()), 1.0);
    }
}
