//! The sentence under the picture, chosen by what is measured, and the small print below it.

use crate::experiment::ViewKind;
use crate::loss::{Form, Setting};
use crate::scene::curves::Space;
use crate::scene::plane::weight_factor;
use crate::scene::{Curves, ViewState};
use crate::trainer::{HeadState, Snapshot, angle_between};

/// What a room should be told about a run. Ordered by urgency: the first that holds is said.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    /// The run stopped by itself.
    Stopped { step: u64 },
    /// A margin above what any arrangement satisfies.
    PastCeiling {
        symbol: &'static str,
        value: f64,
        ceiling: f64,
    },
    /// Nothing learned yet.
    Untrained,
    /// Two classes share a direction and are mistaken for one another.
    Fused {
        first: String,
        second: String,
        angle_deg: f64,
    },
    /// Under way.
    Spreading,
    /// Centers hold their classes together.
    Compact { ratio: f64 },
    /// Long petals of a linear head.
    Petals { least_angle_deg: Option<f64> },
    /// Length is free and does not count.
    AngleAlone { mean_norm: f64 },
    /// The classes stand as far apart as they can, and most keep their margin.
    Settled {
        least_angle_deg: f64,
        best_deg: f64,
        satisfied: Option<f64>,
    },
    /// A margin that part of the samples keep.
    Margin { satisfied: f64 },
    /// A cosine head without margin.
    Touching { spread_deg: f64 },
}

/// The measurements that a condition is chosen by.
#[derive(Clone, Debug)]
struct Facts {
    step: u64,
    has_fault: bool,
    form: Form,
    has_centers: bool,
    n_classes: usize,
    accuracy: f64,
    /// symbol, value, ceiling of each bounded parameter
    ceilings: Vec<(&'static str, f64, f64)>,
    /// names and angle of the two weights that are closest
    closest: Option<(String, String, f64)>,
    best_angle_deg: f64,
    has_margin: bool,
    satisfied: f64,
    spread_deg: f64,
    mean_norm: f64,
    /// mean distance of a feature to its center over the least distance of two centers
    center_ratio: Option<f64>,
}

/// Accuracy up to this many times chance counts as untrained.
const UNTRAINED: f64 = 1.6;
/// Accuracy from which on classes count as found.
const FOUND: f64 = 0.8;
/// Weights closer than this share a direction.
const FUSED_DEG: f64 = 4.0;
/// Share of the best angle from which on weights count as settled.
const SETTLED: f64 = 0.93;
/// Features this much closer to their center than centers to one another make compact classes.
const COMPACT: f64 = 0.35;

fn condition(facts: &Facts) -> Condition {
    let chance = 1.0 / facts.n_classes.max(1) as f64;
    if facts.has_fault {
        return Condition::Stopped { step: facts.step };
    }
    if let Some(&(symbol, value, ceiling)) = facts
        .ceilings
        .iter()
        .find(|(_, value, ceiling)| value > ceiling)
    {
        return Condition::PastCeiling {
            symbol,
            value,
            ceiling,
        };
    }
    if facts.step < 5 || facts.accuracy <= (UNTRAINED * chance).min(0.6) {
        return Condition::Untrained;
    }
    let one_class_lost = 1.0 - 0.3 * chance;
    match &facts.closest {
        Some((first, second, angle_deg))
            if *angle_deg < FUSED_DEG
                && facts.accuracy < one_class_lost
                && !facts.form.has_bias() =>
        {
            return Condition::Fused {
                first: first.clone(),
                second: second.clone(),
                angle_deg: *angle_deg,
            };
        }
        _ => {}
    }
    if facts.accuracy < FOUND {
        return Condition::Spreading;
    }
    found(facts)
}

/// The condition of a run whose classes have found their places.
fn found(facts: &Facts) -> Condition {
    let least_angle_deg = facts.closest.as_ref().map(|(_, _, angle)| *angle);
    if facts.form.has_bias() {
        return match facts.center_ratio {
            Some(ratio) if facts.has_centers && ratio < COMPACT => Condition::Compact { ratio },
            _ => Condition::Petals { least_angle_deg },
        };
    }
    if !facts.form.is_cosine() {
        return Condition::AngleAlone {
            mean_norm: facts.mean_norm,
        };
    }
    match least_angle_deg {
        Some(angle) if angle >= SETTLED * facts.best_angle_deg => Condition::Settled {
            least_angle_deg: angle,
            best_deg: facts.best_angle_deg,
            satisfied: facts.has_margin.then_some(facts.satisfied),
        },
        _ if facts.has_margin => Condition::Margin {
            satisfied: facts.satisfied,
        },
        _ => Condition::Touching {
            spread_deg: facts.spread_deg,
        },
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one sentence a condition")]
fn sentence(condition: &Condition, facts: &Facts) -> String {
    let percent = |share: f64| format!("{:.0}%", 100.0 * share);
    match condition {
        Condition::Stopped { step } => {
            format!("Stopped at step {step}: the numbers ran out of bounds.")
        }
        Condition::PastCeiling {
            symbol,
            value,
            ceiling,
        } => format!(
            "{symbol} = {value:.2} is past its ceiling {ceiling:.2}: no arrangement of {} classes satisfies it; {} of samples do.",
            facts.n_classes,
            percent(facts.satisfied)
        ),
        Condition::Untrained => "Untrained: features lie where chance has put them.".to_owned(),
        Condition::Fused {
            first,
            second,
            angle_deg,
        } => {
            format!(
                "Classes {first} and {second} share a direction: their weights are {angle_deg:.1}° apart."
            )
        }
        Condition::Spreading => format!(
            "Spreading: classes are looking for their places, {} are right.",
            percent(facts.accuracy)
        ),
        Condition::Compact { ratio } => format!(
            "Compact: features lie {:.0} times closer to their centre (rings) than centres to one another.",
            1.0 / ratio.max(1e-3)
        ),
        Condition::Petals {
            least_angle_deg: Some(angle),
        } if *angle < 0.6 * facts.best_angle_deg => {
            format!(
                "Separable, not discriminative: long petals, and two weights only {angle:.0}° apart."
            )
        }
        Condition::Petals { .. } => {
            "Separable, not discriminative: long petals that touch at the origin.".to_owned()
        }
        Condition::AngleAlone { mean_norm } => {
            format!("Told apart by angle alone; length is free and has grown to {mean_norm:.0}.")
        }
        Condition::Settled {
            least_angle_deg,
            best_deg,
            satisfied,
        } => {
            let margin = satisfied.map_or(String::new(), |share| {
                format!("; {} keep their margin", percent(share))
            });
            format!(
                "Settled: the closest weights are {least_angle_deg:.0}° apart of {best_deg:.0}° possible{margin}."
            )
        }
        Condition::Margin { satisfied } => format!(
            "{} of samples win even with the margin counted against them.",
            percent(*satisfied)
        ),
        Condition::Touching { spread_deg } => {
            format!(
                "Only the angle is left; without a margin classes spread by {spread_deg:.0}° and touch."
            )
        }
    }
}

/// The sentence under the picture: what is seen, in words for the room.
pub fn caption(snapshot: &Snapshot, _: &ViewState) -> String {
    let facts = facts(snapshot);
    sentence(&condition(&facts), &facts)
}

/// What has to be known to read the picture: the length boundaries are drawn at, the factor of the
/// arrows, the share that a projection shows.
pub fn notes(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    size: [f32; 2],
) -> Vec<String> {
    let mut notes = Vec::new();
    let is_direction_view = view.kind != ViewKind::Plane;
    if is_direction_view && snapshot.head.spec.form.has_bias() && view.show.regions {
        notes.push(format!(
            "Boundaries are drawn at the mean feature length {:.1}.",
            curves.mean_norm
        ));
    }
    if let (Space::Flat(flat), ViewKind::Plane, true) =
        (&curves.space, view.kind, view.show.weights)
        && let Some(factor) = weight_factor(snapshot, flat, view, size)
    {
        notes.push(format!("Weight arrows are drawn {factor} times as long."));
    }
    if let Space::Solid(solid) = &curves.space
        && let Some((dim, share)) = solid.projected
    {
        notes.push(format!(
            "Three principal components of {dim} dimensions, {:.0}% of the variance.",
            100.0 * share
        ));
    }
    let has_dashes = view.show.margins
        && match &curves.space {
            Space::Message(_) => false,
            Space::Flat(flat) => !flat.arcs.is_empty(),
            Space::Solid(solid) => !solid.loops.is_empty(),
        };
    if has_dashes {
        notes.push("Dashed: where a class wins with its margin.".to_owned());
    }
    notes
}

fn facts(snapshot: &Snapshot) -> Facts {
    let (head, metrics) = (&snapshot.head, &snapshot.metrics);
    let setting = Setting {
        n_classes: head.n_classes,
        dim: head.dim,
    };
    let bounded = head.spec.params.iter().enumerate();
    Facts {
        step: snapshot.step,
        has_fault: snapshot.fault.is_some(),
        form: head.spec.form,
        has_centers: !head.centers.is_empty(),
        n_classes: head.n_classes,
        accuracy: metrics.accuracy,
        ceilings: bounded
            .filter_map(|(i, param)| {
                Some((
                    param.symbol,
                    head.values[i],
                    head.spec.ceiling(i, setting, &head.values)?,
                ))
            })
            .collect(),
        closest: closest(snapshot),
        best_angle_deg: setting.best_angle_rad().to_degrees(),
        has_margin: super::curves::has_margin(head),
        satisfied: metrics.margin_satisfied,
        spread_deg: metrics.intra_class_angle_rad.unwrap_or(0.0).to_degrees(),
        mean_norm: metrics.mean_feature_norm,
        center_ratio: center_ratio(snapshot),
    }
}

/// The two weights that are closest, by name, with their angle.
fn closest(snapshot: &Snapshot) -> Option<(String, String, f64)> {
    let head = &snapshot.head;
    if head.spec.form == Form::Binary {
        return None;
    }
    let pairs = (0..head.n_classes).flat_map(|j| (j + 1..head.n_classes).map(move |k| (j, k)));
    let angles = pairs.map(|(j, k)| {
        (
            j,
            k,
            angle_between(head.weight(j), head.weight(k)).to_degrees(),
        )
    });
    let (j, k, angle_deg) = angles.min_by(|a, b| a.2.total_cmp(&b.2))?;
    let name = |class: usize| {
        snapshot
            .class_names
            .get(class)
            .cloned()
            .unwrap_or_else(|| class.to_string())
    };
    Some((name(j), name(k), angle_deg))
}

/// Mean distance of a feature to the center of its class over the least distance of two centers.
fn center_ratio(snapshot: &Snapshot) -> Option<f64> {
    let head = &snapshot.head;
    if head.centers.is_empty() || snapshot.probe.is_empty() {
        return None;
    }
    let samples = snapshot
        .probe
        .features
        .chunks_exact(head.dim)
        .zip(snapshot.probe.labels.iter());
    let sum: f64 = samples
        .map(|(x, &label)| distance(x, center(head, label.into())))
        .sum();
    let pairs = (0..head.n_classes).flat_map(|j| (j + 1..head.n_classes).map(move |k| (j, k)));
    let apart = pairs
        .map(|(j, k)| distance(center(head, j), center(head, k)))
        .min_by(f64::total_cmp)?;
    let ratio = sum / snapshot.probe.len() as f64 / apart;
    ratio.is_finite().then_some(ratio)
}

fn center(head: &HeadState, class: usize) -> &[f32] {
    &head.centers[class * head.dim..][..head.dim]
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum::<f64>()
        .sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Rho;

    /// A cosine head with a margin, well trained.
    fn trained() -> Facts {
        Facts {
            step: 1000,
            has_fault: false,
            form: Form::Angular(Rho::Scale),
            has_centers: false,
            n_classes: 10,
            accuracy: 0.96,
            ceilings: vec![("m", 0.3, 0.63)],
            closest: Some(("3".to_owned(), "8".to_owned(), 31.0)),
            best_angle_deg: 36.0,
            has_margin: true,
            satisfied: 0.9,
            spread_deg: 5.0,
            mean_norm: 120.0,
            center_ratio: None,
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Facts), expected: &str) {
        let mut facts = trained();
        change(&mut facts);
        let said = sentence(&condition(&facts), &facts);
        assert_eq!(said, expected);
        assert!(
            said.chars().count() <= 110,
            "{} letters",
            said.chars().count()
        );
    }

    #[test]
    fn a_new_run_is_untrained_and_then_spreads() {
        check(
            |f| f.step = 0,
            "Untrained: features lie where chance has put them.",
        );
        check(
            |f| f.accuracy = 0.12,
            "Untrained: features lie where chance has put them.",
        );
        check(
            |f| f.accuracy = 0.55,
            "Spreading: classes are looking for their places, 55% are right.",
        );
    }

    #[test]
    fn a_margin_past_its_ceiling_is_named_first() {
        check(
            |f| f.ceilings = vec![("m", 0.7, 0.628)],
            "m = 0.70 is past its ceiling 0.63: no arrangement of 10 classes satisfies it; 90% of samples do.",
        );
    }

    #[test]
    fn two_classes_in_one_direction_are_named() {
        let fused = |f: &mut Facts| {
            f.closest = Some(("4".to_owned(), "9".to_owned(), 1.24));
            f.accuracy = 0.86;
        };
        check(
            fused,
            "Classes 4 and 9 share a direction: their weights are 1.2° apart.",
        );
    }

    #[test]
    fn linear_heads_make_petals_and_centers_make_blobs() {
        let petals = |f: &mut Facts| {
            f.form = Form::Linear;
            f.closest = Some(("4".to_owned(), "9".to_owned(), 9.0));
        };
        check(
            petals,
            "Separable, not discriminative: long petals, and two weights only 9° apart.",
        );
        let compact = |f: &mut Facts| {
            f.form = Form::Linear;
            f.has_centers = true;
            f.center_ratio = Some(0.2);
        };
        check(
            compact,
            "Compact: features lie 5 times closer to their centre (rings) than centres to one another.",
        );
    }

    #[test]
    fn angular_heads_tell_angle_margin_and_rest() {
        check(
            |f| f.form = Form::Angular(Rho::FeatureNorm),
            "Told apart by angle alone; length is free and has grown to 120.",
        );
        check(
            |_| (),
            "90% of samples win even with the margin counted against them.",
        );
        check(
            |f| f.has_margin = false,
            "Only the angle is left; without a margin classes spread by 5° and touch.",
        );
        let settled = |f: &mut Facts| f.closest = Some(("0".to_owned(), "1".to_owned(), 35.2));
        check(
            settled,
            "Settled: the closest weights are 35° apart of 36° possible; 90% keep their margin.",
        );
    }

    #[test]
    fn a_run_that_stopped_says_so() {
        check(
            |f| f.has_fault = true,
            "Stopped at step 1000: the numbers ran out of bounds.",
        );
    }
}
