//! What a text says of a run, in numbers.

use crate::lesson::Measure;
use crate::trainer::Snapshot;

/// A measure and what it is going to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// What is measured.
    pub measure: &'static Measure,
    /// What it is going to be.
    pub bound: Bound,
}

/// What a measure is going to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// So much or more.
    AtLeast(f64),
    /// So much or less.
    AtMost(f64),
    /// So many times what it was before these steps, or more; above 1.
    TimesAtLeast(f64),
    /// So many times what it was before these steps, or less; below 1.
    TimesAtMost(f64),
}

impl Bound {
    /// Whether it compares with what was before.
    pub fn compares(self) -> bool {
        matches!(self, Self::TimesAtLeast(_) | Self::TimesAtMost(_))
    }
}

impl Claim {
    /// Whether it holds; a measure that does not exist holds nothing.
    pub fn holds(&self, before: &Snapshot, after: &Snapshot) -> bool {
        let Some(value) = self.measure.of(after) else {
            return false;
        };
        let times = || self.measure.of(before).map(|before| value / before);
        match self.bound {
            Bound::AtLeast(least) => value >= least,
            Bound::AtMost(most) => value <= most,
            Bound::TimesAtLeast(least) => times().is_some_and(|times| times >= least),
            Bound::TimesAtMost(most) => times().is_some_and(|times| times <= most),
        }
    }

    /// The claim in words, with what was measured.
    pub fn words(&self, before: &Snapshot, after: &Snapshot) -> String {
        let text = |snapshot| {
            let value = self.measure.of(snapshot);
            value.map_or("none".to_owned(), |value| self.measure.text(value))
        };
        let name = self.measure.name;
        let (was, is) = (text(before), text(after));
        match self.bound {
            Bound::AtLeast(least) => format!("{name} ≥ {least}: {is}"),
            Bound::AtMost(most) => format!("{name} ≤ {most}: {is}"),
            Bound::TimesAtLeast(least) => format!("{name} ≥ {least} times: {was} → {is}"),
            Bound::TimesAtMost(most) => format!("{name} ≤ {most} times: {was} → {is}"),
        }
    }
}
