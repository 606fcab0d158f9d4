//! What was changed in mid-run, as a list of which every older state is a part.

use std::fmt;
use std::sync::Arc;

use crate::experiment::Change;

/// Changes in mid-run, in the order in which they were made.
///
/// A list holds the one that it came from by adding to it: a thousand moments of a run with ten
/// thousand changes have all of them in memory once.
#[derive(Clone, Default)]
pub struct Changes {
    newest: Option<Arc<Link>>,
}

/// A change with those before it.
struct Link {
    change: Change,
    before: Option<Arc<Link>>,
    /// Changes up to here.
    n: usize,
    /// Memory of all of them.
    n_bytes: usize,
}

impl Link {
    fn bytes_of(change: &Change) -> usize {
        const COUNTS: usize = 2 * size_of::<usize>(); // of the `Arc`
        size_of::<Self>() + COUNTS + change.key.capacity() + change.value.capacity()
    }
}

impl Changes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.newest.as_ref().map_or(0, |link| link.n)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds one.
    pub fn push(&mut self, change: Change) {
        let n_bytes = Link::bytes_of(&change) + self.n_bytes();
        let n = self.len() + 1;
        let before = self.newest.take();
        self.newest = Some(Arc::new(Link {
            change,
            before,
            n,
            n_bytes,
        }));
    }

    /// Takes the newest one away.
    pub(crate) fn pop(&mut self) {
        *self = self.first(self.len().saturating_sub(1));
    }

    /// From the newest to the oldest.
    pub fn newest_first(&self) -> impl Iterator<Item = &Change> {
        self.links().map(|link| &link.change)
    }

    /// From the oldest to the newest.
    pub fn iter(&self) -> std::vec::IntoIter<&Change> {
        let mut changes: Vec<&Change> = self.newest_first().collect();
        changes.reverse();
        changes.into_iter()
    }

    /// The first `n` of them, or all where there are not so many.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        let mut links = self.links();
        let newest = links.find(|link| link.n <= n).map(Arc::clone);
        Self { newest }
    }

    /// Those that were made since the list was `before`; `None` if it never was.
    pub(crate) fn since(&self, before: &Self) -> Option<Vec<Change>> {
        let n = self.len().checked_sub(before.len())?;
        if self.first(before.len()) != *before {
            return None;
        }
        let mut changes: Vec<Change> = self.newest_first().take(n).cloned().collect();
        changes.reverse();
        Some(changes)
    }

    /// Brings them into the order of their steps.
    pub fn sort_by_step(&mut self) {
        let mut changes: Vec<Change> = self.iter().cloned().collect();
        if !changes.is_sorted_by_key(|change| change.step) {
            changes.sort_by_key(|change| change.step);
            *self = changes.into_iter().collect();
        }
    }

    /// Memory of what the list has beside another one.
    pub(crate) fn bytes_beside(&self, other: &Self) -> usize {
        let mut others = other.links().peekable();
        let common = self.links().find(|link| {
            while others.next_if(|other| other.n > link.n).is_some() {}
            others.peek().is_some_and(|other| Arc::ptr_eq(other, link))
        });
        self.n_bytes() - common.map_or(0, |link| link.n_bytes)
    }

    fn n_bytes(&self) -> usize {
        self.newest.as_ref().map_or(0, |link| link.n_bytes)
    }

    fn links(&self) -> impl Iterator<Item = &Arc<Link>> {
        std::iter::successors(self.newest.as_ref(), |link| link.before.as_ref())
    }
}

impl Drop for Changes {
    /// One after the other: a drop of each by the one after it would take a frame of the stack for
    /// every change.
    fn drop(&mut self) {
        let mut next = self.newest.take();
        while let Some(mut link) = next.and_then(Arc::into_inner) {
            next = link.before.take();
        }
    }
}

impl PartialEq for Changes {
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        for (a, b) in self.links().zip(other.links()) {
            if Arc::ptr_eq(a, b) {
                return true; // and so is all that was before
            }
            if a.change != b.change {
                return false;
            }
        }
        true
    }
}

impl Eq for Changes {}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl FromIterator<Change> for Changes {
    fn from_iter<I: IntoIterator<Item = Change>>(changes: I) -> Self {
        let mut list = Self::default();
        list.extend(changes);
        list
    }
}

impl Extend<Change> for Changes {
    fn extend<I: IntoIterator<Item = Change>>(&mut self, changes: I) {
        changes.into_iter().for_each(|change| self.push(change));
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Change;
    type IntoIter = std::vec::IntoIter<&'a Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(step: u64) -> Change {
        Change {
            step,
            key: "loss.margin".to_owned(),
            value: format!("0.{step}"),
        }
    }

    fn steps(changes: &Changes) -> Vec<u64> {
        changes.iter().map(|change| change.step).collect()
    }

    #[test]
    fn a_list_is_part_of_the_one_that_came_from_it() {
        let before: Changes = (0..5).map(change).collect();
        let mut after = before.clone();
        after.extend((5..8).map(change));
        assert_eq!(steps(&after), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(steps(&before), [0, 1, 2, 3, 4]);
        assert_eq!(after.first(5), before);
        assert_eq!(after.first(9), after);
        let since = after.since(&before).expect("it came from it");
        assert_eq!(since, [change(5), change(6), change(7)]);
        assert_eq!(before.since(&after), None);
        after.pop();
        assert_eq!(steps(&after), [0, 1, 2, 3, 4, 5, 6]);
        let other: Changes = (1..6).map(change).collect();
        assert_eq!(after.since(&other), None);
        assert_ne!(other, before);
        assert_eq!(before, (0..5).map(change).collect());
    }

    #[test]
    fn what_two_lists_share_is_in_memory_once() {
        let before: Changes = (0..100).map(change).collect();
        let [mut a, mut b] = [before.clone(), before.clone()];
        a.push(change(100));
        b.extend((100..103).map(change));
        assert_eq!(before.bytes_beside(&a), 0);
        assert_eq!(a.bytes_beside(&before), Link::bytes_of(&change(100)));
        assert_eq!(b.bytes_beside(&a), 3 * Link::bytes_of(&change(100)));
        // The same changes, but made once more.
        let again: Changes = (0..100).map(change).collect();
        assert_eq!(again.bytes_beside(&before), before.n_bytes());
        assert_eq!(before.bytes_beside(&Changes::default()), before.n_bytes());
    }

    #[test]
    fn order_is_that_of_the_steps_and_else_as_it_was() {
        let mut changes: Changes = [3, 1, 2].into_iter().map(change).collect();
        changes.sort_by_step();
        assert_eq!(steps(&changes), [1, 2, 3]);
    }

    #[test]
    fn a_million_changes_are_dropped_without_a_deep_stack() {
        let changes: Changes = (0..1_000_000).map(change).collect();
        assert_eq!(changes.len(), 1_000_000);
        drop(changes);
    }
}
