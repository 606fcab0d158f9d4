//! Which classes of a source: the first so many, or those in a list.

use std::fmt;
use std::str::FromStr;

use super::error::DataError;

/// A choice among a source's classes.
///
/// ```
/// use marginscope::data::ClassChoice;
///
/// assert_eq!("10".parse(), Ok(ClassChoice::First(10)));
/// assert_eq!("3, 8".parse(), Ok(ClassChoice::These(vec![3, 8])));
/// assert_eq!(ClassChoice::These(vec![3, 8]).to_string(), "3,8");
/// let names = ClassChoice::Names(vec!["setosa".into(), "virginica".into()]);
/// assert_eq!("setosa,virginica".parse(), Ok(names));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ClassChoice {
    /// As many as suit the source, all of own data; written `default`.
    #[default]
    Default,
    /// The first so many; written as a number.
    First(usize),
    /// Those, labeled in this order; written as numbers with commas, a single one with a comma
    /// behind it (and refused when it is resolved). Where classes have names, these numbers are
    /// names.
    ///
    /// A synthetic set is laid out for all classes up to the largest one, or for its default number
    /// if that is more, so that choosing fewer of its classes does not move those that stay.
    These(Vec<usize>),
    /// Those of own data, labeled in this order; written with commas, in quotes where a name has
    /// commas or quotes itself. Not all are numbers, or they would be [`These`](Self::These).
    Names(Vec<String>),
}

/// The classes that there are to choose from.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    /// How many.
    pub n: usize,
    /// How many where none are chosen.
    pub n_default: usize,
    /// What they are called; `None` where each is its number.
    pub names: Option<&'a [String]>,
    /// The range in words, for messages.
    pub words: String,
}

impl Offer<'_> {
    /// The place of a class; `None` if there is none of that name or number.
    fn find(&self, class: &str) -> Option<usize> {
        match self.names {
            Some(names) => names.iter().position(|name| name == class),
            None => class.parse().ok().filter(|&class| class < self.n),
        }
    }
}

impl ClassChoice {
    /// The chosen classes as places in the offer, at least two, each once.
    pub(super) fn resolve(&self, offer: &Offer<'_>) -> Result<Vec<usize>, DataError> {
        let chosen = match self {
            Self::Default => (0..offer.n_default).collect(),
            Self::First(n) if *n > offer.n => return Err(self.no_such_class(offer)),
            Self::First(n) => (0..*n).collect(),
            Self::These(list) => self.find_all(list.iter().map(ToString::to_string), offer)?,
            Self::Names(list) => self.find_all(list.iter().cloned(), offer)?,
        };
        if chosen.len() < 2 {
            return Err(DataError::TooFewClasses {
                choice: self.to_string(),
            });
        }
        Ok(chosen)
    }

    fn find_all(
        &self,
        classes: impl Iterator<Item = String>,
        offer: &Offer<'_>,
    ) -> Result<Vec<usize>, DataError> {
        let mut places = Vec::new();
        for class in classes {
            if offer.names.is_none() && class.parse::<usize>().is_err() {
                return Err(syntax(&self.to_string(), &class));
            }
            let place = offer.find(&class);
            let place = place.ok_or_else(|| self.no_such_class(offer))?;
            if places.contains(&place) {
                return Err(DataError::DuplicateClass {
                    choice: self.to_string(),
                    class,
                });
            }
            places.push(place);
        }
        Ok(places)
    }

    fn no_such_class(&self, offer: &Offer<'_>) -> DataError {
        DataError::NoSuchClass {
            choice: self.to_string(),
            available: offer.words.clone(),
        }
    }

    /// Each chosen class as it is written alone; `None` for a number of classes.
    pub fn listed(&self) -> Option<Vec<String>> {
        match self {
            Self::Default | Self::First(_) => None,
            Self::These(list) => Some(list.iter().map(ToString::to_string).collect()),
            Self::Names(list) => Some(list.clone()),
        }
    }

    /// The choice of a list of classes, each as it is written alone.
    pub fn of_list(list: Vec<String>) -> Self {
        let number = |class: &String| {
            class
                .parse()
                .ok()
                .filter(|n: &usize| n.to_string() == *class)
        };
        let numbers: Option<Vec<usize>> = list.iter().map(number).collect();
        numbers.map_or(Self::Names(list), Self::These)
    }
}

fn syntax(text: &str, part: &str) -> DataError {
    DataError::ClassSyntax {
        text: text.to_owned(),
        part: part.to_owned(),
    }
}

impl fmt::Display for ClassChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.listed()) {
            (Self::First(n), _) => write!(f, "{n}"),
            (_, None) => f.write_str("default"),
            (Self::Names(names), _) if names.len() == 1 && !names[0].contains([',', '"', '\n']) => {
                f.write_str(&names[0]) // as it is typed, for messages
            }
            (_, Some(list)) => {
                let quoted: Vec<String> = list.iter().map(|class| in_quotes(class)).collect();
                f.write_str(&quoted.join(","))?;
                f.write_str(if list.len() < 2 { "," } else { "" })
            }
        }
    }
}

/// A class as it stands in a list.
fn in_quotes(class: &str) -> String {
    if class.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", class.replace('"', "\"\""))
    } else {
        class.to_owned()
    }
}

impl FromStr for ClassChoice {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let trimmed = text.trim();
        if trimmed == "default" {
            return Ok(Self::Default);
        }
        let list = fields(trimmed.strip_suffix(',').unwrap_or(trimmed));
        let list = list.ok_or_else(|| syntax(text, ""))?;
        if let Some(part) = list.iter().find(|part| part.is_empty()) {
            return Err(syntax(text, part));
        }
        match trimmed.parse() {
            Ok(count) => Ok(Self::First(count)),
            Err(_) => Ok(Self::of_list(list)),
        }
    }
}

/// The fields of one line with commas; `None` if they are not one line.
fn fields(text: &str) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).trim(csv::Trim::All);
    let mut records = reader.from_reader(text.as_bytes()).into_records();
    let record = records.next()?.ok()?;
    let fields = record.iter().map(str::to_owned).collect();
    records.next().is_none().then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::source::DataSource;
    use proptest::prelude::*;

    #[track_caller]
    fn check_resolved(text: &str, source: &DataSource, expected: &[usize]) {
        let choice: ClassChoice = text.parse().unwrap();
        assert_eq!(choice.resolve(&source.offer().unwrap()).unwrap(), expected);
    }

    #[track_caller]
    fn check_message(text: &str, source: &DataSource, expected: &str) {
        let result = text
            .parse::<ClassChoice>()
            .and_then(|choice| choice.resolve(&source.offer().unwrap()));
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
            ClassChoice::Names(vec!["-1".into(), "a, \"b\"".into()]),
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
    fn names_are_chosen_by_name_even_if_they_are_numbers() {
        let names = ["3", "7", "setosa", "a, b"].map(str::to_owned);
        let offer = Offer {
            n: 4,
            n_default: 4,
            names: Some(&names),
            words: "four".into(),
        };
        let resolved = |text: &str| {
            let choice: ClassChoice = text.parse().unwrap();
            choice.resolve(&offer).map_err(|fault| fault.to_string())
        };
        assert_eq!(resolved("7,3"), Ok(vec![1, 0]));
        assert_eq!(resolved("setosa,7"), Ok(vec![2, 1]));
        assert_eq!(resolved("\"a, b\",3"), Ok(vec![3, 0]));
        assert_eq!(resolved("2"), Ok(vec![0, 1]));
        assert_eq!(resolved("07,3"), Err("classes 07,3: four".into()));
        assert_eq!(resolved("0,1"), Err("classes 0,1: four".into()));
        assert_eq!(resolved("5"), Err("classes 5: four".into()));
    }

    proptest! {
        #[test]
        fn any_list_of_names_is_read_back(names in prop::collection::vec("\\PC{1,12}", 2..5)) {
            let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
            prop_assume!(names.iter().all(|name| !name.is_empty()));
            let choice = ClassChoice::of_list(names);
            prop_assert_eq!(choice.to_string().parse(), Ok(choice));
        }
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
