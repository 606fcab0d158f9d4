//! Labels: names of classes in any script, ordered as people order them.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::error::{Fault, quoted};

/// The most classes.
pub const MAX_CLASSES: usize = 1000;

/// The longest name of a class, in bytes.
const MAX_NAME: usize = 256;

/// What a column of labels is called where nobody says.
const LABEL_NAMES: [&str; 14] = [
    "label",
    "labels",
    "class",
    "classes",
    "target",
    "targets",
    "y",
    "species",
    "category",
    "variety",
    "digit",
    "genre",
    "diagnosis",
    "kind",
];

/// Whether a column with this name holds labels.
pub(super) fn is_label_name(name: &str) -> bool {
    LABEL_NAMES.contains(&name.to_lowercase().as_str())
}

/// Labels as they are read, one sample after the other.
#[derive(Debug, Default)]
pub(super) struct Labels {
    classes: Vec<u16>,
    /// In the order in which they came.
    names: Vec<String>,
    class_of: HashMap<String, u16>,
}

/// The label of each sample, and what the classes are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labeled {
    /// Places in `names`.
    pub labels: Vec<u16>,
    /// In their natural order, each once.
    pub names: Vec<String>,
}

impl Labels {
    /// Adds the label of the next sample.
    pub(super) fn push(&mut self, text: &str) -> Result<(), Fault> {
        let name = text.trim();
        if let Some(&class) = self.class_of.get(name) {
            self.classes.push(class);
            return Ok(());
        }
        if name.is_empty() {
            return Err(Fault::NoLabel);
        }
        if name.len() > MAX_NAME {
            let (found, max) = (quoted(name), MAX_NAME);
            return Err(Fault::LongLabel { found, max });
        }
        if self.names.len() == MAX_CLASSES {
            return Err(Fault::TooManyClasses { max: MAX_CLASSES });
        }
        let class = self.names.len() as u16;
        self.names.push(name.to_owned());
        self.class_of.insert(name.to_owned(), class);
        self.classes.push(class);
        Ok(())
    }

    /// As [`push`](Self::push), before all others.
    pub(super) fn push_front(&mut self, text: &str) -> Result<(), Fault> {
        self.push(text)?;
        self.classes.rotate_right(1);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.classes.len()
    }

    /// Labels by class in natural order.
    ///
    /// Where all names are whole numbers and some are written as `savetxt` writes them, `1.0` or
    /// `1e0`, they are called `1`.
    pub(super) fn finish(self) -> Labeled {
        let names = plain_numbers(&self.names).unwrap_or(self.names);
        let mut sorted = names.clone();
        sorted.sort_by(|a, b| natural_order(a, b));
        sorted.dedup();
        let place: HashMap<&str, u16> = sorted.iter().map(String::as_str).zip(0..).collect();
        let class_from_old: Vec<u16> = names.iter().map(|name| place[name.as_str()]).collect();
        let labels = self.classes.iter();
        let labels = labels
            .map(|&class| class_from_old[usize::from(class)])
            .collect();
        drop(place);
        Labeled {
            labels,
            names: sorted,
        }
    }
}

/// Whole numbers without point and exponent; `None` if some name is no whole number, or none has
/// a point or exponent.
fn plain_numbers(names: &[String]) -> Option<Vec<String>> {
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0; // 2⁵³
    if !names.iter().any(|name| name.contains(['.', 'e', 'E'])) {
        return None;
    }
    let whole = |name: &String| {
        let value = number(name)?;
        let is_whole = value.fract() == 0.0 && value.abs() <= LARGEST_EXACT;
        is_whole.then(|| (value as i64).to_string())
    };
    names.iter().map(whole).collect()
}

/// The number that a name is; `inf` and `nan` are names.
fn number(name: &str) -> Option<f64> {
    let begins = name.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    let value: f64 = name.parse().ok().filter(|_| begins)?;
    value.is_finite().then_some(value)
}

/// Numbers by value, before names; names by their letters, with the numbers in them by value.
pub(super) fn natural_order(a: &str, b: &str) -> Ordering {
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => pieces(a).cmp(pieces(b)).then_with(|| a.cmp(b)),
    }
}

/// A stretch of digits or of other characters.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    /// Its length without leading zeros decides before its digits do.
    Digits(usize, &'a str),
    Text(&'a str),
}

fn pieces(mut rest: &str) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let is_digit = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit);
        let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        let digits = piece.trim_start_matches('0');
        match (piece.is_empty(), is_digit) {
            (true, _) => None,
            (_, true) => Some(Piece::Digits(digits.len(), digits)),
            (_, false) => Some(Piece::Text(piece)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[&str], names: &[&str]) {
        let mut collected = Labels::default();
        for label in labels {
            collected.push(label).unwrap();
        }
        let Labeled {
            labels: found,
            names: in_order,
        } = collected.finish();
        assert_eq!(in_order, names);
        assert_eq!(found.len(), labels.len());
    }

    #[test]
    fn names_stand_in_the_order_that_people_give_them() {
        check(&["10", "9", "-1", "2.5"], &["-1", "2.5", "9", "10"]);
        check(&["b", "7", "a", "10"], &["7", "10", "a", "b"]);
        check(&["class 10", "class 2"], &["class 2", "class 10"]);
        check(&["קשת", "ü", "u", "猫"], &["u", "ü", "קשת", "猫"]);
        check(&["nan", "inf", "1"], &["1", "inf", "nan"]);
    }

    #[test]
    fn numbers_of_savetxt_are_whole() {
        check(
            &["1.000000e+00", "0.000000e+00", "1.0", "10"],
            &["0", "1", "10"],
        );
        check(&["1.0", "1.5"], &["1.0", "1.5"]);
        check(&["007", "7"], &["007", "7"]);
        check(&["1.0", "a"], &["1.0", "a"]);
    }

    #[test]
    fn labels_point_to_their_names() {
        let mut labels = Labels::default();
        for label in [" b ", "a", "b"] {
            labels.push(label).unwrap();
        }
        let labeled = labels.finish();
        assert_eq!(labeled.labels, [1, 0, 1]);
        assert_eq!(labeled.names, ["a", "b"]);
    }

    #[test]
    fn classes_are_bounded_in_number_and_length() {
        let mut labels = Labels::default();
        for class in 0..MAX_CLASSES {
            labels.push(&class.to_string()).unwrap();
        }
        labels.push("999").unwrap();
        let fault = labels.push("1000").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "this label makes 1001 classes, and at most 1000 are read; is it the label column?"
        );
        let fault = Labels::default().push(&"x".repeat(300)).unwrap_err();
        assert!(matches!(fault, Fault::LongLabel { .. }));
        assert_eq!(Labels::default().push(" \t"), Err(Fault::NoLabel));
    }
}
