//! Which classes' samples are drawn.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Which classes' samples are drawn: all but those that are hidden. Weights and boundaries stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Classes {
    hidden: BTreeSet<usize>,
}

impl Classes {
    /// One class of `n_classes`.
    pub fn only(class: usize, n_classes: usize) -> Self {
        Self::these(&[class], n_classes)
    }

    /// Some of `n_classes`.
    pub(super) fn these(classes: &[usize], n_classes: usize) -> Self {
        let others = (0..n_classes).filter(|class| !classes.contains(class));
        Self {
            hidden: others.collect(),
        }
    }

    /// None of `n_classes`.
    pub fn none(n_classes: usize) -> Self {
        Self {
            hidden: (0..n_classes).collect(),
        }
    }

    /// Whether a class is drawn.
    pub fn shows(&self, class: usize) -> bool {
        !self.hidden.contains(&class)
    }

    /// Whether every class is drawn.
    pub fn shows_all(&self) -> bool {
        self.hidden.is_empty()
    }

    /// Hides a class, or shows it again.
    pub fn toggle(&mut self, class: usize) {
        if !self.hidden.remove(&class) {
            self.hidden.insert(class);
        }
    }

    /// The same, to be asked for many samples.
    pub(super) fn mask(&self, n_classes: usize) -> ClassMask {
        let mask = || (0..n_classes).map(|class| self.shows(class)).collect();
        ClassMask((!self.shows_all()).then(mask))
    }
}

/// Which classes are drawn, by a look into a table.
pub(super) struct ClassMask(Option<Vec<bool>>);

impl ClassMask {
    /// Whether class y of a sample is drawn.
    pub(super) fn shows(&self, label: u16) -> bool {
        let in_table = |shown: &Vec<bool>| shown.get(usize::from(label)) == Some(&true);
        self.0.as_ref().is_none_or(in_table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_hidden_one_by_one_and_all_at_once() {
        let shown = |classes: &Classes, n: u16| -> Vec<bool> {
            let mask = classes.mask(n.into());
            (0..n).map(|class| mask.shows(class)).collect()
        };
        let mut classes = Classes::default();
        assert_eq!(shown(&classes, 2), [true, true]);
        classes.toggle(1);
        assert_eq!(shown(&classes, 3), [true, false, true]);
        classes.toggle(1);
        assert!(classes.shows_all());
        assert_eq!(shown(&Classes::only(2, 4), 4), [false, false, true, false]);
        assert_eq!(shown(&Classes::none(2), 2), [false, false]);
    }
}
