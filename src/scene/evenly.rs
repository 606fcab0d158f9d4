//! A few samples that stand for all: evenly from the classes.

use crate::scene::Classes;

/// At most `wanted` samples, as many of each class that is shown but no more than `most_each`,
/// spread over the list; ascending.
///
/// Every n-th sample would not do: synthetic sets go through their classes in turn.
pub(super) fn evenly(
    labels: &[u16],
    wanted: usize,
    most_each: usize,
    classes: &Classes,
) -> Vec<u32> {
    let n_classes = labels
        .iter()
        .max()
        .map_or(0, |&label| usize::from(label) + 1);
    let mut counts = vec![0_usize; n_classes];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    for (class, count) in counts.iter_mut().enumerate() {
        if !classes.shows(class) {
            *count = 0;
        }
    }
    let n_shown = counts.iter().filter(|&&count| count > 0).count();
    let share = (wanted / n_shown.max(1)).clamp(1, most_each);
    let mut seen = vec![0_usize; n_classes];
    let mut chosen = Vec::with_capacity(wanted.min(labels.len()));
    for (i, &label) in labels.iter().enumerate() {
        let class = usize::from(label);
        let (n, k) = (counts[class], seen[class]);
        seen[class] += 1;
        // The k-th of n is one of `share` where the share rises past a whole number.
        if n > 0 && (n <= share || (k + 1) * share / n > k * share / n) {
            chosen.push(i as u32);
        }
    }
    chosen.truncate(wanted);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_share_whatever_the_order() {
        for n_classes in [2_u16, 5, 10, 17] {
            let in_turn: Vec<u16> = (0..7000).map(|i| i % n_classes).collect();
            let in_blocks: Vec<u16> = (0..7000_u32)
                .map(|i| (i * u32::from(n_classes) / 7000) as u16)
                .collect();
            for labels in [in_turn, in_blocks] {
                let chosen = evenly(&labels, 240, 1000, &Classes::default());
                assert!(chosen.is_sorted_by(|a, b| a < b) && chosen.len() <= 240);
                let share = 240 / usize::from(n_classes);
                for class in 0..n_classes {
                    let n = chosen.iter().filter(|&&i| labels[i as usize] == class);
                    assert_eq!(n.count(), share, "class {class} of {n_classes}");
                }
            }
        }
    }

    #[test]
    fn few_samples_are_all_chosen_and_hidden_classes_leave_their_share() {
        let labels = [0, 1, 2, 0, 1, 2];
        assert_eq!(
            evenly(&labels, 100, 100, &Classes::default()),
            [0, 1, 2, 3, 4, 5]
        );
        assert_eq!(evenly(&labels, 2, 2, &Classes::only(1, 3)), [1, 4]);
        assert_eq!(evenly(&labels, 100, 1, &Classes::default()).len(), 3);
        assert_eq!(evenly(&[], 10, 10, &Classes::default()), [0; 0]);
    }
}
