//! What a file holds once it is read, whatever its format was.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::error::{Fault, counted, list, quoted};
use super::labels::Labeled;
use crate::data::InputShape;

/// A user's own samples as they stand in the file: neither split nor scaled.
///
/// Two are equal if all their numbers, labels and names are; their SHA-256 tells.
#[derive(Debug)]
pub struct OwnData {
    pub(super) input: InputShape,
    pub(super) class_names: Vec<String>,
    /// To train on, and to test where there is no file for that.
    pub(super) train: Part,
    /// From a file of its own.
    pub(super) test: Option<Part>,
    /// Names of the columns, where the format has them.
    columns: Vec<String>,
    notes: Vec<String>,
    sha256: String,
}

impl PartialEq for OwnData {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

/// Samples of one file.
#[derive(Debug)]
pub(super) struct Part {
    pub values: Values,
    /// Places in the class names.
    pub labels: Vec<u16>,
}

/// Inputs, a sample after the other.
#[derive(Debug, PartialEq)]
pub(super) enum Values {
    Numbers(Vec<f32>),
    /// 0 black to 255 white.
    /// Shared with the splits.
    Pixels(Arc<Vec<u8>>),
}

/// What a reader of one format returns.
#[derive(Debug)]
pub(super) struct Table {
    pub input: InputShape,
    /// Names of the columns, where the format has them.
    pub columns: Vec<String>,
    pub values: Values,
    pub labeled: Labeled,
    /// What was found out, a sentence each.
    pub notes: Vec<String>,
}

impl Table {
    pub(super) fn n_samples(&self) -> usize {
        self.labeled.labels.len()
    }

    /// `4 numbers` or `28×28 pixels`
    fn input_text(&self) -> String {
        shape_text(self.input)
    }

    /// At least two classes, or there is nothing to learn.
    pub(super) fn check_classes(&self) -> Result<(), Fault> {
        match self.labeled.names.as_slice() {
            [name] => Err(Fault::OneClass {
                n: self.n_samples(),
                name: quoted(name),
            }),
            _ => Ok(()),
        }
    }

    /// The labels as places in `class_names`, for a file to test on.
    fn labels_among(&self, class_names: &[String]) -> Result<Vec<u16>, Fault> {
        let place = |name: &String| {
            let place = class_names.iter().position(|known| known == name);
            place
                .map(|place| place as u16)
                .ok_or_else(|| Fault::NewClass {
                    name: quoted(name),
                    there: list(class_names.iter().map(String::as_str)),
                })
        };
        let places: Vec<u16> = self
            .labeled
            .names
            .iter()
            .map(place)
            .collect::<Result<_, _>>()?;
        let labels = self.labeled.labels.iter();
        Ok(labels.map(|&label| places[usize::from(label)]).collect())
    }

    fn check_like(&self, train: &Self) -> Result<(), Fault> {
        let has_other_columns =
            !self.columns.is_empty() && !train.columns.is_empty() && self.columns != train.columns;
        let (found, expected) = if self.input != train.input {
            (self.input_text(), train.input_text())
        } else if has_other_columns {
            let names = |table: &Self| list(table.columns.iter().map(String::as_str));
            (names(self), names(train))
        } else {
            return Ok(());
        };
        let expected = format!("{expected}, as the file to train on has");
        Err(Fault::OtherShape { found, expected })
    }
}

fn shape_text(input: InputShape) -> String {
    match input {
        InputShape::Image { height, width } => format!("{height}×{width} pixels"),
        _ => counted(input.dim(), "number"),
    }
}

impl OwnData {
    /// Puts the files together; the fault is that of the file to test on.
    pub(super) fn new(train: Table, test: Option<Table>) -> Result<Self, Fault> {
        let mut notes = vec![describe(&train)];
        notes.extend(gaps(&train.labeled));
        notes.extend(train.notes.iter().cloned());
        let test = test
            .map(|test| {
                test.check_like(&train)?;
                let labels = test.labels_among(&train.labeled.names)?;
                notes.push(format!("to test: {}", counted(labels.len(), "sample")));
                notes.extend(
                    test.notes
                        .into_iter()
                        .filter(|note| !train.notes.contains(note)),
                );
                let values = test.values;
                Ok(Part { values, labels })
            })
            .transpose()?;
        let mut own = Self {
            input: train.input,
            columns: train.columns,
            class_names: train.labeled.names,
            train: Part {
                values: train.values,
                labels: train.labeled.labels,
            },
            test,
            notes,
            sha256: String::new(),
        };
        own.sha256 = own.compute_sha256();
        Ok(own)
    }

    /// What one sample looks like.
    pub fn input(&self) -> InputShape {
        self.input
    }

    /// What the classes are called, in their natural order.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Samples of the file to train on, before any part is split off to test.
    pub fn n_samples(&self) -> usize {
        self.train.labels.len()
    }

    /// Samples of the file to test on, where there is one.
    pub fn n_test_samples(&self) -> Option<usize> {
        self.test.as_ref().map(|test| test.labels.len())
    }

    /// Names of the columns of a table, without that of the labels; none where the format has none.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The samples of a table to train on as they stand in the file: class and numbers. None of
    /// images.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &[f32])> {
        let numbers = match &self.train.values {
            Values::Numbers(numbers) => numbers.as_slice(),
            Values::Pixels(_) => &[],
        };
        let rows = numbers.chunks_exact(self.input.dim().max(1));
        let labels = self.train.labels.iter();
        labels
            .map(|&label| self.class_names[usize::from(label)].as_str())
            .zip(rows)
    }

    /// What was found out about the file, a sentence each without capital and full stop: how many
    /// samples, which column is the label and why, what was left out or changed.
    pub fn findings(&self) -> &[String] {
        &self.notes
    }

    /// SHA-256 of shape, names, labels and numbers, as hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    fn compute_sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{:?} {:?}", self.input, self.class_names));
        for part in [Some(&self.train), self.test.as_ref()]
            .into_iter()
            .flatten()
        {
            hash.update((part.labels.len() as u64).to_le_bytes());
            part.update(&mut hash);
        }
        let mut digits = String::new();
        for byte in hash.finalize() {
            let _ = write!(digits, "{byte:02x}"); // writing to a String cannot fail
        }
        digits
    }
}

impl Part {
    fn update(&self, hash: &mut Sha256) {
        let mut bytes = Vec::with_capacity(1 << 14);
        for labels in self.labels.chunks(1 << 12) {
            bytes.clear();
            bytes.extend(labels.iter().flat_map(|label| label.to_le_bytes()));
            hash.update(&bytes);
        }
        match &self.values {
            Values::Pixels(pixels) => hash.update(pixels.as_slice()),
            Values::Numbers(numbers) => {
                for numbers in numbers.chunks(1 << 12) {
                    bytes.clear();
                    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
                    hash.update(&bytes);
                }
            }
        }
    }
}

/// `150 samples of 4 numbers, 3 classes: setosa, versicolor, virginica`
fn describe(table: &Table) -> String {
    let names = &table.labeled.names;
    format!(
        "{} of {}, {} classes: {}",
        counted(table.n_samples(), "sample"),
        table.input_text(),
        names.len(),
        list(names.iter().map(String::as_str))
    )
}

/// Whole numbers that count the classes, but not all of them.
fn gaps(labeled: &Labeled) -> Option<String> {
    let numbers: Option<Vec<i64>> = labeled.names.iter().map(|name| name.parse().ok()).collect();
    let numbers = numbers?;
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    if last.checked_sub(first)? > 10 * numbers.len() as i64 {
        return None; // postcodes, say, count nothing
    }
    let missing: Vec<String> = (first..=last)
        .filter(|number| !numbers.contains(number))
        .map(|number| number.to_string())
        .collect();
    (!missing.is_empty()).then(|| {
        let missing = list(missing.iter().map(String::as_str));
        format!("between {first} and {last} no sample has the label {missing}")
    })
}
