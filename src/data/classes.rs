//! Which classes of a source: the first so many, or those in a list.

use std::fmt;
use std::str::FromStr;

use super::error::DataError;
use super::source::DataSource;

/// A choice among a source's classes.
///
/// ```
/// use marginscope::data::ClassChoice;
///
/// assert_eq!("10".parse(), Ok(ClassChoice::First(10)));
/// assert_eq!("3, 8".parse(), Ok(ClassChoice::These(vec![3, 8])));
/// assert_eq!(ClassChoice::These(vec![3, 8]).to_string(), "3,8");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ClassChoice {
    /// As many as [`DataSource::default_classes`] says; written `default`.
    #[default]
    Default,
    /// The first so many; written as a number.
    First(usize),
    /// Those, labeled in this order; written as numbers with commas, a single one with a comma
    /// behind it (and refused when it is resolved).
    ///
    /// A synthetic set is laid out for all classes up to the largest one, or for its default number
    /// if that is more, so that choosing fewer of its classes does not move those that stay.
    These(Vec<usize>),
}

impl ClassChoice {
    /// The chosen classes as `source` numbers them, at least two, each once.
    pub(super) fn resolve(&self, source: &DataSource) -> Result<Vec<usize>, DataError> {
        let chosen = match self {
            Self::Default => (0..source.default_classes()).collect(),
            // One more than there are is enough to be refused below.
            Self::First(n) => (0..(*n).min(source.max_classes() + 1)).collect(),
            Self::These(list) => list.clone(),
        };
        let choice = || self.to_string();
        for (at, &class) in chosen.iter().enumerate() {
            if class >= source.max_classes() {
                return Err(DataError::NoSuchClass {
                    choice: choice(),
                    available: source.available(),
                });
            }
            if chosen[..at].contains(&class) {
                return Err(DataError::DuplicateClass {
                    choice: choice(),
                    class,
                });
            }
        }
        if chosen.len() < 2 {
            return Err(DataError::TooFewClasses { choice: choice() });
        }
        Ok(chosen)
    }
}

impl fmt::Display for ClassChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::First(n) => write!(f, "{n}"),
            Self::These(list) => {
                let list: Vec<String> = list.iter().map(ToString::to_string).collect();
                f.write_str(&list.join(","))?;
                f.write_str(if list.len() < 2 { "," } else { "" })
            }
        }
    }
}

impl FromStr for ClassChoice {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let number = |part: &str| {
            let part = part.trim();
            let not_a_number = || DataError::ClassSyntax {
                text: text.to_owned(),
                part: part.to_owned(),
            };
            part.parse().ok().ok_or_else(not_a_number)
        };
        if text.trim() == "default" {
            return Ok(Self::Default);
        }
        match text.trim().strip_suffix(',').unwrap_or(text) {
            list if text.contains(',') => list
                .split(',')
                .map(number)
                .collect::<Result<_, _>>()
                .map(Self::These),
            count => number(count).map(Self::First),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_resolved(text: &str, source: &DataSource, expected: &[usize]) {
        let choice: ClassChoice = text.parse().unwrap();
        assert_eq!(choice.resolve(source).unwrap(), expected);
    }

    #[track_caller]
    fn check_message(text: &str, source: &DataSource, expected: &str) {
        let result = text
            .parse::<ClassChoice>()
            .and_then(|choice| choice.resolve(source));
        assert_eq!(result.unwrap_err().to_string(), expected);
    }

    #[test]
    fn the_default_suits_the_source() {
        check_resolved("default", &DataSource::Rings, &[0, 1, 2]);
        check_resolved(
            "default",
            &DataSource::Mnist,
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        );
    }

    #[test]
    fn a_list_keeps_its_order() {
        check_resolved("8,3", &DataSource::Mnist, &[8, 3]);
        check_resolved(" 8 , 3 ", &DataSource::Mnist, &[8, 3]);
        check_resolved("3", &DataSource::Mnist, &[0, 1, 2]);
        check_resolved("99,0", &DataSource::Blobs, &[99, 0]);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for choice in [
            ClassChoice::Default,
            ClassChoice::First(4),
            ClassChoice::These(vec![3]),
            ClassChoice::These(vec![3, 8, 0]),
        ] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
    }

    #[test]
    fn a_class_that_is_not_there_is_named_with_those_that_are() {
        let expected = "classes 3,12: MNIST has the digits 0 to 9";
        check_message("3,12", &DataSource::Mnist, expected);
        check_message(
            "12",
            &DataSource::Mnist,
            "classes 12: MNIST has the digits 0 to 9",
        );
        let expected = "classes 18446744073709551615: rings has up to 100 classes, 0 to 99";
        check_message("18446744073709551615", &DataSource::Rings, expected);
    }

    #[test]
    fn fewer_than_two_classes_are_refused() {
        for text in ["0", "1", "3,"] {
            let expected = format!("classes {text}: at least two classes are needed to tell apart");
            check_message(text, &DataSource::Mnist, &expected);
        }
    }

    #[test]
    fn a_class_is_listed_once() {
        let expected = "classes 3,8,3: 3 is listed twice; name each class once";
        check_message("3,8,3", &DataSource::Mnist, expected);
    }

    #[test]
    fn what_is_no_number_is_quoted() {
        for (text, part) in [
            ("", ""),
            ("ten", "ten"),
            ("3,x", "x"),
            ("-1", "-1"),
            ("3,,8", ""),
        ] {
            let expected = format!(
                "classes {text:?}: {part:?} is not a class number; \
                 write a count like 10 or a list like 3,8"
            );
            check_message(text, &DataSource::Mnist, &expected);
        }
    }
}
