//! The sentence under the picture, chosen by what is measured in it, and the small print.

use crate::experiment::ViewKind;
use crate::loss::Unit;
use crate::scene::chart::confusion_words;
use crate::scene::curves::{Curves, Space, has_margin};
use crate::scene::landscape;
use crate::scene::lens::step_note;
use crate::scene::look::{number, thousands, told_apart};
use crate::scene::place::{MEANS_TO_RIM, rim_length};
use crate::scene::plane::{trimmed, weight_factor};
use crate::scene::{Light, ViewState, arrows, trails};
use crate::trainer::Snapshot;

/// A run that has gone so far and still cannot tell classes apart has not merely begun.
const FIRST_STEPS: u64 = 60;
/// Of the way from chance to certainty.
const UNTRAINED_SHARE: f64 = 0.25;
/// Elongation from which a class looks like a petal.
const PETAL: f64 = 1.6;
/// Elongation from which nothing looks like a cloud.
const SLENDER: f64 = 3.0;
/// Deviation of lengths over the mean length from which a class reaches towards the center.
const REACHING: f64 = 0.22;
/// Spread of a class over half the distance to the next below which it looks like a small cloud.
const COMPACT: f64 = 0.6;

/// One sentence for the room, at most 110 characters, chosen by measured conditions: never by the
/// name of the loss.
pub fn caption(snapshot: &Snapshot, curves: &Curves, view: &ViewState) -> String {
    let metrics = &snapshot.metrics;
    let n_classes = snapshot.head.n_classes;
    if snapshot.fault.is_some() {
        return format!(
            "Diverged after step {}: this is the last finite picture. Lower the learning rate.",
            thousands(snapshot.step)
        );
    }
    if metrics.n_samples == 0 || n_classes == 0 {
        return "There is no sample to show.".to_owned();
    }
    if !snapshot.has_labels() {
        return unlabeled(snapshot);
    }
    if snapshot.step == 0 && !snapshot.is_given() {
        return "Before the first step: chance decides where features lie.".to_owned();
    }
    let chance = 1.0 / n_classes as f64;
    let skill = (metrics.accuracy - chance) / (1.0 - chance).max(f64::MIN_POSITIVE);
    if !is_past(snapshot, FIRST_STEPS) && skill < UNTRAINED_SHARE {
        return "The first steps: the classes still lie on top of one another.".to_owned();
    }
    if let Some(sentence) = past_ceiling(snapshot, curves) {
        return sentence;
    }
    if let Some(sentence) = collapsed(snapshot, curves, skill) {
        return sentence;
    }
    if let Some(sentence) = learned_by_heart(snapshot) {
        return sentence;
    }
    settled(snapshot, curves, view, skill)
}

/// Whether a run has gone so far; features of a file were trained before they came.
fn is_past(snapshot: &Snapshot, n_steps: u64) -> bool {
    snapshot.is_given() || snapshot.step >= n_steps
}

/// Dimensions that are seen, of how many, and the part of the squared length in them, where features
/// of a file are seen in fewer than they have.
fn projection(snapshot: &Snapshot) -> Option<(usize, usize, f64)> {
    let given = snapshot.data.given.as_ref()?;
    Some((snapshot.head.dim, given.file_dim, given.share?))
}

/// Samples of which nobody says what they are.
fn unlabeled(snapshot: &Snapshot) -> String {
    let head = &snapshot.head;
    if !has_margin(head) {
        return "No labels: every sample counts as one of the class that wins.".to_owned();
    }
    format!(
        "No labels: of the samples, counted as of the class that wins, {} win with its margin.",
        percent(snapshot.metrics.margin_satisfied)
    )
}

/// Training samples that are known far better than others.
fn learned_by_heart(snapshot: &Snapshot) -> Option<String> {
    const KNOWN: f64 = 0.9;
    const FAR: f64 = 0.08;
    let other = snapshot.other_score?;
    let (train, test) = if other.is_train {
        (other.accuracy, snapshot.metrics.accuracy)
    } else {
        (snapshot.metrics.accuracy, other.accuracy)
    };
    (train > KNOWN && train - test > FAR).then(|| {
        format!(
            "Learned by heart: {} of training samples are right, and {} of those it has not seen.",
            percent(train),
            percent(test)
        )
    })
}

/// A margin that no arrangement of the classes can give.
fn past_ceiling(snapshot: &Snapshot, curves: &Curves) -> Option<String> {
    let head = &snapshot.head;
    head.spec.params.iter().enumerate().find_map(|(i, param)| {
        let ceiling = head.spec.passed_ceiling(i, head.setting(), &head.values)?;
        let unit = if param.unit == Unit::Radians { " rad" } else { "" };
        let [most, set] = told_apart(ceiling, head.values[i]);
        Some(match fused(snapshot, curves) {
            Some(who) => format!(
                "Past its ceiling of {most}{unit}: {who} have fused; accuracy is {}.",
                percent(snapshot.metrics.accuracy)
            ),
            None => format!(
                "Past its ceiling: {} classes can keep a margin of {most}{unit} at most, not {set}; {} of samples do.",
                head.n_classes,
                percent(snapshot.metrics.margin_satisfied)
            ),
        })
    })
}

/// More names make no sentence.
const MOST_NAMED: usize = 6;
/// Before, classes lie together because they have not been told apart yet.
const SETTLED_STEPS: u64 = 300;

/// The classes that lie on each other, as the subject of a sentence; two sets of them at most.
fn fused(snapshot: &Snapshot, curves: &Curves) -> Option<String> {
    const MOST_SETS: usize = 2;
    // In a projection classes may lie on one another that do not.
    if !is_past(snapshot, SETTLED_STEPS) || projection(snapshot).is_some() {
        return None;
    }
    let by_direction = snapshot.head.spec.form.is_angular();
    let groups = curves.clouds(snapshot).fused(by_direction);
    let words: Vec<String> = groups
        .iter()
        .take(MOST_SETS)
        .map(|group| names(snapshot, group))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn names(snapshot: &Snapshot, classes: &[usize]) -> String {
    let names = classes.iter().map(|&class| snapshot.class_name(class));
    let names: Vec<&str> = names.collect();
    let is_nameable = names.len() <= MOST_NAMED && names.iter().all(|name| name.len() <= 9);
    match names.split_last() {
        Some((last, rest)) if is_nameable => format!("{} and {last}", rest.join(", ")),
        _ => format!("{} of {} classes", names.len(), snapshot.head.n_classes),
    }
}

/// Classes that have become one.
fn collapsed(snapshot: &Snapshot, curves: &Curves, skill: f64) -> Option<String> {
    const BROKEN: f64 = 0.9;
    let who = (skill <= BROKEN).then(|| fused(snapshot, curves))??;
    Some(format!(
        "Collapsed: {who} have fused and cannot be told apart; accuracy is {}.",
        percent(snapshot.metrics.accuracy)
    ))
}

/// A run on its way or at its end.
fn settled(snapshot: &Snapshot, curves: &Curves, view: &ViewState, skill: f64) -> String {
    const GOOD: f64 = 0.75;
    let metrics = &snapshot.metrics;
    let head = &snapshot.head;
    let accuracy = percent(metrics.accuracy);
    if skill < GOOD && snapshot.is_given() {
        let within = match projection(snapshot) {
            Some((dim, file_dim, _)) => format!(", in {dim} of {file_dim} dimensions"),
            None => String::new(),
        };
        return format!("{accuracy} of samples lie on the side of their own class{within}.");
    }
    if skill < GOOD {
        return format!("{accuracy} of samples lie on their own side.");
    }
    if view.kind == ViewKind::Input {
        return format!(
            "{accuracy} of samples lie in a region of their own class; one class may have several."
        );
    }
    let is_length_free = !head.spec.form.is_cosine();
    if is_length_free && view.kind == ViewKind::Plane {
        let clouds = curves.clouds(snapshot);
        if clouds.looseness < COMPACT && clouds.elongation < SLENDER {
            return "Compact: each class is a small cloud with free space around it.".to_owned();
        }
        if clouds.elongation > PETAL && clouds.reach > REACHING && !has_margin(head) {
            return format!(
                "Separable, not discriminative: petals {} times as long as wide that touch at the centre.",
                number((clouds.elongation * 10.0).round() / 10.0)
                    .trim_end_matches('0')
                    .trim_end_matches('.')
            );
        }
    }
    let best_rad = head.setting().best_angle_rad();
    let least_rad = metrics.min_weight_angle_rad.unwrap_or(0.0);
    if has_margin(head) {
        return with_margin(snapshot, view, best_rad);
    }
    if head.spec.form.is_angular() && least_rad > 0.8 * best_rad {
        return format!(
            "Evenly spread: the closest weights are {} apart, of {} at best. Without a margin classes may touch.",
            degrees(least_rad),
            degrees(best_rad)
        );
    }
    let spread = metrics.intra_class_angle_rad.unwrap_or(0.0);
    format!(
        "{accuracy} of samples are classified correctly; a class spreads {} about its mean direction.",
        degrees(spread)
    )
}

/// Classes under a margin that they can have.
fn with_margin(snapshot: &Snapshot, view: &ViewState, best_rad: f64) -> String {
    const EVEN: f64 = 0.8;
    const MOST: f64 = 0.9; // of the samples: fewer are no success
    let metrics = &snapshot.metrics;
    let least_rad = metrics.min_weight_angle_rad.unwrap_or(0.0);
    let least_class_rad = metrics.min_class_mean_angle_rad.unwrap_or(0.0);
    let satisfied = percent(metrics.margin_satisfied);
    let is_even = least_rad.min(least_class_rad) > EVEN * best_rad;
    if metrics.margin_satisfied > MOST && is_even {
        return format!(
            "Evenly spread: {satisfied} of samples win with their margin; the closest weights are {} apart.",
            degrees(least_rad)
        );
    }
    let gap = match snapshot.head.dim {
        2 if view.show.margins => "; the lighter wedge is the gap it asks for",
        3 if view.show.margins => "; the lighter rim is the gap it asks for",
        _ => "",
    };
    format!("{satisfied} of samples win with their margin{gap}.")
}

/// What else must be said: how boundaries and arrows are drawn, and how many samples.
pub fn notes(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    size: [f32; 2],
) -> Vec<String> {
    let head = &snapshot.head;
    if let Some(note) = landscape::note(snapshot, view) {
        return vec![note];
    }
    let (mut notes, is_of_features) = notes_of_samples(snapshot, curves, view, size);
    if !is_of_features {
        return notes;
    }
    let has_dashes = match &curves.space {
        Space::Message(_) => false,
        Space::Flat(flat) => !flat.arcs.is_empty(),
        Space::Solid(solid) => !solid.loops.is_empty(),
    };
    if has_dashes && view.show.margins {
        notes.push("Dashed: where a class wins with its margin.".to_owned());
    }
    if head.spec.form.has_bias() && view.kind != ViewKind::Plane {
        notes.push(format!(
            "Boundaries drawn at the mean feature length {}.",
            number(curves.norm)
        ));
    }
    notes.extend(lit(snapshot, view.light));
    notes.extend(about_samples(snapshot, curves, view, size));
    notes.extend(given_notes(snapshot));
    if !head.centers.is_empty() && view.kind == ViewKind::Plane {
        notes.push("Rings: class centres.".to_owned());
    }
    notes
}

/// How features of a file came into the picture: through which projection, and by which weights.
pub(super) fn given_notes(snapshot: &Snapshot) -> Vec<String> {
    let Some(given) = &snapshot.data.given else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    if let Some((dim, file_dim, share)) = projection(snapshot) {
        notes.push(format!(
            "PCA of {file_dim} dimensions to {dim} about the origin: {} of the squared length; all numbers are of this projection.",
            percent(share)
        ));
    }
    let form = snapshot.head.spec.form;
    match (&given.weights, &given.bias) {
        (None, _) if form.has_unit_weights() => {
            notes.push("Class weights: the mean directions of the classes.".to_owned());
        }
        (None, _) if form.has_bias() => {
            notes.push("Class weights: the class means, so that the nearest mean wins.".to_owned());
        }
        (None, _) => notes.push("Class weights: the class means.".to_owned()),
        (Some(_), None) if form.has_bias() => {
            notes.push("Class weights of the file, without a bias.".to_owned());
        }
        (Some(_), _) => {}
    }
    notes
}

/// Which samples stand out, if not all are alike.
fn lit(snapshot: &Snapshot, light: Light) -> Option<String> {
    let which = match light {
        Light::All => return None,
        Light::Wrong => {
            let metrics = &snapshot.metrics;
            let n_wrong = (1.0 - metrics.accuracy) * metrics.n_samples as f64;
            format!(
                "{} taken for another class",
                thousands(n_wrong.round() as u64)
            )
        }
        Light::TakenFor { label, prediction } => confusion_words(snapshot, [label, prediction]),
    };
    Some(format!("Lit: {which}; Esc lights all."))
}

/// How samples and weights are drawn, and whether features are what is seen.
fn notes_of_samples(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    size: [f32; 2],
) -> (Vec<String>, bool) {
    let kind = if snapshot.probe.is_train {
        "training"
    } else {
        "test"
    };
    let samples = if snapshot.is_given() {
        let n = snapshot.split().len();
        let of = if snapshot.probe.len() < n {
            format!(" of {}", thousands(n as u64))
        } else {
            String::new()
        };
        format!("{}{of} samples", counted(snapshot, view))
    } else {
        format!("{} {kind} samples", counted(snapshot, view))
    };
    let directions = if view.show.lengths {
        ""
    } else {
        " by direction"
    };
    let mut notes = Vec::new();
    match (&curves.space, view.kind) {
        (_, ViewKind::Input) => {
            notes.push(format!(
                "{samples} where they lie in the data, on the regions that the network gives them."
            ));
            return (notes, false);
        }
        (Space::Flat(_), ViewKind::Plane) => {
            notes.push(format!("{samples}."));
            match weight_factor(snapshot, view, size) {
                Some(factor) => notes.push(format!("Weight arrows × {}.", trimmed(factor))),
                None => notes.push("Weights drawn as directions.".to_owned()),
            }
        }
        (Space::Flat(flat), ViewKind::Circle) => {
            notes.push(format!("{samples}{directions}; bars count them."));
            if view.show.ideal && !flat.ideal_rad.is_empty() {
                notes.push("Notches: even spacing.".to_owned());
            }
        }
        (Space::Solid(solid), ViewKind::Sphere) => {
            notes.push(format!("{samples}{directions}."));
            if view.show.ideal && !solid.ideal.is_empty() {
                notes.push("Rings: the widest arrangement.".to_owned());
            }
            if let Some((dim, share)) = solid.projected {
                notes.push(projected_note(dim, share));
            }
        }
        _ => return (notes, false),
    }
    (notes, true)
}

/// Over which samples everything is counted that a figure says: those that are drawn, of how many.
pub fn samples_words(snapshot: &Snapshot) -> String {
    let (n, all) = (snapshot.probe.len(), snapshot.split().len());
    let of = if n < all {
        format!(" of {}", thousands(all as u64))
    } else {
        String::new()
    };
    let kind = match (snapshot.is_given(), snapshot.probe.is_train) {
        (true, _) => "",
        (false, true) => "training ",
        (false, false) => "test ",
    };
    let noun = if n == 1 && of.is_empty() {
        "sample"
    } else {
        "samples"
    };
    format!("{}{of} {kind}{noun}", thousands(n as u64))
}

/// That a run came to its end where its numbers did.
pub fn divergence_note(snapshot: &Snapshot) -> Option<String> {
    let step = thousands(snapshot.step);
    let is_broken = snapshot.fault.is_some();
    is_broken.then(|| format!("Diverged after step {step}, the last one that is finite."))
}

/// That a sphere is a section of more dimensions, of whose squared length it has this share.
pub(super) fn projected_note(dim: usize, share: f64) -> String {
    format!(
        "PCA of {dim} dimensions to 3: {} of the squared length; cells are its section.",
        percent(share)
    )
}

/// How many samples are drawn, of how many where some classes are hidden.
fn counted(snapshot: &Snapshot, view: &ViewState) -> String {
    let labels = &snapshot.probe.labels;
    let all = thousands(labels.len() as u64);
    if view.classes.shows_all() {
        return all;
    }
    let shown = view.classes.mask(snapshot.head.n_classes);
    let n = labels.iter().filter(|&&y| shown.shows(y)).count();
    format!("{} of {all}", thousands(n as u64))
}

/// How lengths, trails and arrows are drawn, where they are.
fn about_samples(
    snapshot: &Snapshot,
    curves: &Curves,
    view: &ViewState,
    size: [f32; 2],
) -> Vec<String> {
    let mut notes = Vec::new();
    if view.kind != ViewKind::Plane
        && let Some(rim_length) = rim_length(snapshot, view)
    {
        notes.push(format!(
            "Lengths from the centre: inner circle the mean {}, rim twice as much.",
            number(rim_length / MEANS_TO_RIM)
        ));
    }
    if view.show.trails && view.show.points {
        let n = snapshot.probe.len();
        let most = trails::most_samples(n, snapshot.head.dim);
        let of = if most < n {
            format!(" of {} samples", thousands(most as u64))
        } else {
            String::new()
        };
        notes.push(format!(
            "Trails: the last {} places{of}.",
            trails::Trails::LENGTH
        ));
    }
    let is_kept = view.kept.is_some_and(|kept| kept < snapshot.probe.len());
    if (view.show.arrows && view.show.points) || is_kept {
        let look = view.look(size);
        notes.push(arrows::rule(look.unit));
    }
    notes.extend(step_note(snapshot, curves, view, size));
    notes
}

fn percent(share: f64) -> String {
    if share > 0.995 && share < 1.0 {
        return format!("{:.1}%", (1000.0 * share).floor() / 10.0);
    }
    format!("{:.0}%", 100.0 * share)
}

fn degrees(angle_rad: f64) -> String {
    format!("{:.0}°", angle_rad.to_degrees())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::WINDOW_SAGITTA;
    use crate::scene::sample::{even_weights, fans, snapshot};
    use crate::scene::theme;
    use crate::trainer::Score;

    #[track_caller]
    fn check(snapshot: &Snapshot, expected_start: &str) {
        let curves = Curves::of(snapshot, WINDOW_SAGITTA);
        for kind in [ViewKind::Plane, ViewKind::Circle] {
            let sentence = caption(snapshot, &curves, &ViewState::new(kind, theme::DARK));
            assert!(sentence.chars().count() <= 110, "too long: {sentence}");
            if kind == ViewKind::Plane {
                assert!(sentence.starts_with(expected_start), "{sentence}");
            }
        }
    }

    /// Classes on their directions, `wide` radians to both sides.
    fn run(loss: &str, from: f32, to: f32, wide: f32) -> Snapshot {
        let weights = even_weights(10);
        let (features, labels) = fans(&weights, 40, from, to, wide);
        snapshot(loss, 2, &weights, &features, &labels)
    }

    #[test]
    fn long_classes_are_petals() {
        check(
            &run("softmax", 5.0, 50.0, 0.1),
            "Separable, not discriminative: petals",
        );
    }

    #[test]
    fn small_clouds_are_compact() {
        check(&run("center", 4.8, 5.2, 0.04), "Compact");
    }

    #[test]
    fn long_clouds_far_from_the_center_are_no_petals() {
        check(
            &run("softmax", 40.0, 60.0, 0.04),
            "100% of samples are classified correctly",
        );
        check(
            &run("softmax", 40.0, 60.0, 0.3),
            "100% of samples are classified correctly",
        );
    }

    #[test]
    fn margins_that_are_kept_are_counted() {
        check(
            &run("arcface", 10.0, 12.0, 0.05),
            "Evenly spread: 100% of samples",
        );
    }

    #[test]
    fn margins_that_are_not_kept_yet_are_counted_too() {
        check(
            &run("arcface", 10.0, 12.0, 0.3),
            "55% of samples win with their margin",
        );
    }

    #[test]
    fn even_weights_without_margin_touch() {
        check(
            &run("normface", 10.0, 12.0, 0.2),
            "Evenly spread: the closest weights are 36° apart",
        );
    }

    #[test]
    fn a_margin_past_its_ceiling_is_named() {
        let mut snapshot = run("arcface", 10.0, 12.0, 0.05);
        snapshot.head.values[0] = 0.9;
        check(
            &snapshot,
            "Past its ceiling: 10 classes can keep a margin of 0.63 rad",
        );
    }

    #[test]
    fn a_margin_just_past_its_ceiling_is_told_from_it() {
        let mut snapshot = run("cosface", 10.0, 12.0, 0.05);
        snapshot.head.values[0] = 0.194;
        check(
            &snapshot,
            "Past its ceiling: 10 classes can keep a margin of 0.191 at most, not 0.194; ",
        );
    }

    #[test]
    fn classes_that_fused_past_the_ceiling_are_named() {
        let mut weights = even_weights(10);
        weights.copy_within(0..2, 2);
        let (features, labels) = fans(&weights, 40, 10.0, 12.0, 0.02);
        let mut snapshot = snapshot("cosface", 2, &weights, &features, &labels);
        snapshot.head.values[0] = 0.4;
        check(
            &snapshot,
            "Past its ceiling of 0.19: 0 and 1 have fused; accuracy is ",
        );
    }

    #[test]
    fn weights_alone_make_no_room() {
        let weights = even_weights(2);
        let bent = [1.0, 0.0, -0.2, 0.98]; // class means 102° apart of 180°
        let (features, labels) = fans(&bent, 40, 10.0, 12.0, 0.02);
        let snapshot = snapshot("cosface", 2, &weights, &features, &labels);
        check(
            &snapshot,
            "100% of samples win with their margin; the lighter wedge",
        );
    }

    #[test]
    fn fused_classes_are_named() {
        let weights = even_weights(4);
        let (features, mut labels) = fans(&weights, 40, 10.0, 12.0, 0.2);
        for label in labels.iter_mut().filter(|label| **label == 3) {
            *label = 1;
        }
        // Class 3 lies where class 1 lies.
        for (i, label) in labels.iter_mut().enumerate() {
            if (40..80).contains(&i) && i % 2 == 0 {
                *label = 3;
            }
        }
        let mut fused = features;
        fused.truncate(240);
        labels.truncate(120);
        let snapshot = snapshot("normface", 2, &weights, &fused, &labels);
        check(&snapshot, "Collapsed: 1 and 3 have fused");
    }

    #[test]
    fn the_first_steps_are_told_from_a_collapse() {
        let weights = even_weights(10);
        let (features, mut labels) = fans(&weights, 40, 1.0, 2.0, 0.2);
        labels.rotate_left(37);
        let mut snapshot = snapshot("softmax", 2, &weights, &features, &labels);
        snapshot.step = 0;
        check(&snapshot, "Before the first step");
        snapshot.step = 20;
        check(&snapshot, "The first steps");
        snapshot.step = 500;
        check(&snapshot, "8% of samples lie on their own side.");
    }

    #[test]
    fn training_samples_that_are_known_far_better_are_learned_by_heart() {
        let weights = even_weights(10);
        let (features, mut labels) = fans(&weights, 40, 10.0, 12.0, 0.2);
        for label in labels.iter_mut().step_by(5) {
            *label = (*label + 1) % 10;
        }
        let mut snapshot = snapshot("normface", 2, &weights, &features, &labels);
        let score = |accuracy| Score {
            is_train: true,
            n_samples: 1000,
            accuracy,
        };
        snapshot.other_score = Some(score(0.99));
        check(
            &snapshot,
            "Learned by heart: 99% of training samples are right, and 80% of those",
        );
        snapshot.other_score = Some(score(0.85));
        check(&snapshot, "Evenly spread");
    }

    #[test]
    fn nothing_is_said_of_no_samples() {
        check(
            &snapshot("softmax", 2, &even_weights(3), &[], &[]),
            "There is no sample",
        );
    }

    #[test]
    fn the_small_print_tells_what_is_drawn_of_samples() {
        let mut snapshot = run("softmax", 5.0, 50.0, 0.1);
        let n = snapshot.probe.len();
        let size = [820.0, 760.0];
        let curves = Curves::of(&snapshot, WINDOW_SAGITTA);
        let mut view = ViewState::new(ViewKind::Circle, theme::DARK);
        let text =
            |snapshot: &Snapshot, view: &ViewState| notes(snapshot, &curves, view, size).join(" ");
        let plain = text(&snapshot, &view);
        for word in ["Arrows", "Trails", "Lengths", "ring", " of "] {
            assert!(!plain.contains(word), "{word}: {plain}");
        }
        snapshot.metrics.mean_feature_norm = 12.0;
        view.show.arrows = true;
        view.show.trails = true;
        view.show.lengths = true;
        view.classes = crate::scene::Classes::only(0, 10);
        view.kept = Some(0);
        let full = text(&snapshot, &view);
        for words in [
            format!("{} of {n} test samples;", n / 10),
            "Lengths from the centre: inner circle the mean 12.0, rim twice as much.".to_owned(),
            "Trails: the last 16 places.".to_owned(),
            arrows::rule(1.0),
            "one step of the marked feature itself.".to_owned(),
        ] {
            assert!(full.contains(&words), "{words}: {full}");
        }
        view.kept = Some(n);
        assert!(!text(&snapshot, &view).contains("Small ring"));
        view.light = Light::Wrong;
        let lit = text(&snapshot, &view);
        assert!(lit.contains("Lit: 0 taken for another class; Esc"), "{lit}");
    }

    /// The same as features of a file, of which `share` of the squared length is seen.
    fn of_file(snapshot: Snapshot, share: Option<f64>, has_labels: bool) -> Snapshot {
        let file_dim = share.map_or(2, |_| 512);
        snapshot.of_file(file_dim, share, has_labels)
    }

    #[test]
    fn features_of_a_file_are_not_before_their_first_step() {
        let petals = || run("softmax", 5.0, 50.0, 0.1);
        check(
            &of_file(petals(), None, true),
            "Separable, not discriminative",
        );
        check(&of_file(petals(), None, false), "No labels: every sample");
        let cosines = run("arcface", 10.0, 12.0, 0.3);
        check(
            &of_file(cosines, None, false),
            "No labels: of the samples, counted as of the class that wins, 55% win",
        );
    }

    #[test]
    fn classes_that_lie_together_in_a_projection_have_not_fused() {
        let mut weights = even_weights(4);
        weights.copy_within(0..2, 2);
        let (features, labels) = fans(&weights, 40, 10.0, 12.0, 0.2);
        let fused = || snapshot("normface", 2, &weights, &features, &labels);
        check(
            &of_file(fused(), None, true),
            "Collapsed: 0 and 1 have fused",
        );
        check(
            &of_file(fused(), Some(0.5), true),
            "75% of samples lie on the side of their own class, in 2 of 512 dimensions.",
        );
    }

    #[test]
    fn the_small_print_says_how_features_came_into_the_picture() {
        let text = |loss: &str, share| given_notes(&of_file(run(loss, 5.0, 9.0, 0.1), share, true));
        assert_eq!(given_notes(&run("softmax", 5.0, 9.0, 0.1)), [""; 0]);
        assert_eq!(
            text("cosface", Some(0.614)),
            [
                "PCA of 512 dimensions to 2 about the origin: 61% of the squared length; all numbers are of this projection.",
                "Class weights: the mean directions of the classes."
            ]
        );
        assert_eq!(
            text("softmax", None),
            ["Class weights: the class means, so that the nearest mean wins."]
        );
        assert_eq!(text("l_softmax", None), ["Class weights: the class means."]);
    }

    #[test]
    fn a_diverged_run_says_what_to_try() {
        let mut snapshot = run("softmax", 5.0, 50.0, 0.1);
        snapshot.fault = Some("the run diverged".to_owned());
        check(&snapshot, "Diverged after step 500");
    }
}
