//! The plots of a figure, and what must be said of them.

use crate::figure::draw::{Beside, moves_with_steps};
use crate::figure::{Picture, Plot};
use crate::scene::chart::{self, Chart};
use crate::scene::{
    About, about, divergence_note, in_force_note, origin_notes, samples_words, thousands,
};
use crate::trainer::{HeadState, Snapshot};

/// The chart that is asked for, with what must be said of its samples; `None` for the features.
pub(super) fn chart(snapshot: &Snapshot, beside: Beside<'_>, picture: &Picture) -> Option<Chart> {
    let mut chart = match picture.plot {
        Plot::Features => None,
        Plot::Psi => chart::psi_in_print(snapshot),
        Plot::MarginMap => {
            let pair = pair(snapshot, picture);
            let least = beside.least_span_deg;
            Some(chart::margin_map_in_print(snapshot, pair, least))
        }
        Plot::Curves if picture.strip.is_some() => Some(chart::curves(snapshot)),
        Plot::Curves => Some(chart::curves_in_print(snapshot)),
        Plot::Confusion => chart::confusion_in_print(snapshot),
        Plot::Histogram => Some(chart::histogram(snapshot)),
    }?;
    chart.note = chart_notes(&[snapshot], &[chart.n_beyond], picture);
    Some(chart)
}

/// What must be said of charts that have no names for it. Of each how many samples lie beyond its axes.
pub(super) fn chart_notes(
    snapshots: &[&Snapshot],
    n_beyond: &[usize],
    picture: &Picture,
) -> String {
    let what = About {
        loss: picture.plot != Plot::Psi, // its curves have the name
        step: !moves_with_steps(picture),
    };
    let mut notes = vec![about(snapshots, what)];
    let divergences = snapshots
        .iter()
        .filter_map(|snapshot| divergence_note(snapshot));
    notes.extend(divergences);
    if picture.plot != Plot::Curves {
        notes.extend(
            snapshots
                .iter()
                .map(|snapshot| format!("{}.", samples_words(snapshot))),
        );
    }
    notes.dedup();
    notes.extend(beyond_note(n_beyond));
    match picture.plot {
        Plot::MarginMap => {
            notes.extend(chart::margin_map_notes(snapshots));
        }
        Plot::Curves if picture.strip.is_some() => notes.extend(chart::curve_ends(snapshots)),
        Plot::Confusion => notes.extend(chart::confusion_note(snapshots)),
        _ => {}
    }
    let draws_margins = matches!(picture.plot, Plot::MarginMap | Plot::Psi); // they say it themselves
    if what.step && !draws_margins {
        let heads: Vec<&HeadState> = snapshots.iter().map(|snapshot| &snapshot.head).collect();
        notes.extend(in_force_note(&heads, false));
    }
    for origin in snapshots.iter().map(|snapshot| origin_notes(snapshot)) {
        if !notes.contains(&origin) {
            notes.push(origin);
        }
    }
    notes.join(" ").trim().to_owned()
}

/// How many samples are not seen in plots, of which each has its count.
fn beyond_note(counts: &[usize]) -> Option<String> {
    let counts: Vec<u64> = counts.iter().map(|&n| n as u64).collect();
    match counts[..] {
        [1] => Some("1 sample lies beyond the axes.".to_owned()),
        [n] if n > 0 => Some(format!("{} samples lie beyond the axes.", thousands(n))),
        _ if counts.iter().sum::<u64>() == 0 => None,
        _ => {
            let counts: Vec<String> = counts.into_iter().map(thousands).collect();
            let counts = counts.join(", ");
            Some(format!(
                "Samples beyond the axes, panel by panel: {counts}."
            ))
        }
    }
}

/// The two classes of a margin map.
pub(super) fn pair(snapshot: &Snapshot, picture: &Picture) -> [usize; 2] {
    let n_classes = snapshot.head.n_classes;
    let pair = picture.pair;
    let pair = pair.filter(|pair| pair.iter().all(|&class| class < n_classes));
    pair.unwrap_or_else(|| chart::closest_pair(snapshot))
}
