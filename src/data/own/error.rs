//! What can be wrong with a file of own data: which file, where in it, what, and what would be right.

use std::fmt;
use std::io;

/// Why a file of own data cannot be read; one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The file or folder, as it was given or found.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// What is wrong there.
    pub fault: Fault,
}

impl ReadError {
    /// Whether a setting asks for what the file does not have, so that not the file is wrong.
    pub fn is_usage(&self) -> bool {
        matches!(
            self.fault,
            Fault::NoSuchColumn { .. } | Fault::RepeatedColumn { .. } | Fault::NotOfThisKind { .. }
        )
    }
}

impl std::error::Error for ReadError {}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.file, self.place, self.fault)
    }
}

/// A place in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    #[default]
    Whole,
    /// A line of text, counted from 1.
    Line(u64),
    /// A field of a line, both counted from 1.
    Cell {
        /// The line.
        line: u64,
        /// The column.
        column: usize,
        /// What the header calls it.
        name: Option<String>,
    },
    /// An element of an array, counted from 0 on each axis as NumPy does.
    Index(Vec<usize>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Line(line) => write!(f, ":{line}"),
            Self::Cell { line, column, name } => {
                write!(f, ":{line}: column {column}")?;
                name.as_ref()
                    .map_or(Ok(()), |name| write!(f, " ({})", shortened(name)))
            }
            Self::Index(index) => {
                let index: Vec<String> = index.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", index.join(", "))
            }
        }
    }
}

/// What is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The caller's progress function said to stop.
    #[error("reading was cancelled")]
    Cancelled,
    /// The system's words.
    #[error("cannot be read: {0}")]
    Io(String),
    /// A device, a pipe, a socket: nobody knows how much comes.
    #[error("is no regular file and no folder")]
    NoFile,
    /// A file or an array that would fill the memory.
    #[error("{what} take {}, and at most {} are read", size(*.bytes), size(*.max))]
    TooLarge {
        /// What is so large.
        what: String,
        /// Bytes that it takes.
        bytes: u64,
        /// Bytes that are allowed.
        max: u64,
    },
    /// More of something than there may be.
    #[error("has more than {max} {what}, which is the most that is read")]
    TooMany {
        /// The thing, in the plural.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// Nothing in it.
    #[error("is empty; expected {expected}")]
    Empty {
        /// What should be there.
        expected: &'static str,
    },
    /// An array of type `object`.
    #[error(
        "holds Python objects, which only Python reads; \
         save numbers or text: x.astype(float), y.astype(str)"
    )]
    PythonObjects,
    /// Text in another encoding.
    #[error("is {found}; save it as UTF-8")]
    Encoding {
        /// What it looks like.
        found: &'static str,
    },
    /// A byte that is no text in UTF-8.
    #[error("byte 0x{byte:02x} is not UTF-8 (Latin-1?); save the file as UTF-8")]
    NotUtf8 {
        /// The first such byte.
        byte: u8,
    },
    /// No separator was found.
    #[error("has one column; expected features and a label, separated by comma, semicolon or tab")]
    OneColumn,
    /// A row that has more or fewer fields than the first.
    #[error("expected {expected} fields as in the first line, found {found}")]
    Ragged {
        /// Fields of this row.
        found: usize,
        /// Fields of the first.
        expected: usize,
    },
    /// A line of a file of labels with more than one field.
    #[error("expected one label in a line, found {found} fields")]
    ManyLabels {
        /// Fields of this line.
        found: usize,
    },
    /// A row without end, as after a quote that is never closed.
    #[error("a row of more than {} (is a quote left open?)", size(*.max))]
    LongRow {
        /// The longest there may be, in bytes.
        max: u64,
    },
    /// A field with rows of the table in it.
    #[error("a field holds the rows below it; its quote (\") is not closed")]
    OpenQuote,
    /// A feature that is no number.
    #[error("expected a number, found {found}{hint}")]
    NotANumber {
        /// The text, quoted, or `nothing`.
        found: String,
        /// Which column is the label, where that may be the cause.
        hint: String,
    },
    /// NaN, an infinity, or more than a 32-bit float holds.
    #[error("expected a finite number that fits 32 bits, found {found}")]
    NotFinite {
        /// As it was written.
        found: String,
    },
    /// A sample without a label.
    #[error("the label is empty; every sample needs one")]
    NoLabel,
    /// A label longer than any name.
    #[error("the label {found} … is longer than {max} bytes; is this the label column?")]
    LongLabel {
        /// How it begins, quoted.
        found: String,
        /// The longest there may be.
        max: usize,
    },
    /// A label that is a fraction.
    #[error("expected a whole number or a name as label, found {found}")]
    Fraction {
        /// As it was written.
        found: String,
    },
    /// Fractions in a column that nobody has called the label.
    #[error(
        "expected a whole number or a name as label, found {found}; if this column is the label, say so \
         with data.label = {label}, else name another"
    )]
    GuessedFraction {
        /// As it was written.
        found: String,
        /// The column, by its number.
        label: usize,
    },
    /// More classes than can be told apart, mostly because another column is the label.
    #[error(
        "this label makes {} classes, and at most {max} are read; is it the label column?",
        *.max + 1
    )]
    TooManyClasses {
        /// How many there may be.
        max: usize,
    },
    /// Nothing to tell apart.
    #[error("the only class is {name} ({}); at least two are needed", counted(*.n, "sample"))]
    OneClass {
        /// Samples.
        n: usize,
        /// The class, quoted.
        name: String,
    },
    /// A class of the test file that training never sees.
    #[error("class {name} is not among the classes to train on: {there}")]
    NewClass {
        /// The class, quoted.
        name: String,
        /// Those there are.
        there: String,
    },
    /// The test file or a file of weights has another shape than what it belongs to.
    #[error("has {found}; expected {expected}")]
    OtherShape {
        /// What it has.
        found: String,
        /// What it should have.
        expected: String,
    },
    /// `data.label` names no column.
    #[error("data.label = {wanted}: there is no such column; there are {there}")]
    NoSuchColumn {
        /// As it was set.
        wanted: String,
        /// Names and numbers.
        there: String,
    },
    /// `data.label` names several columns.
    #[error("data.label = {wanted}: {n} columns are called so; give the column's number")]
    RepeatedColumn {
        /// As it was set.
        wanted: String,
        /// How many.
        n: usize,
    },
    /// A setting that this kind of file has no use for.
    #[error("data.{field}: {why}")]
    NotOfThisKind {
        /// The field behind `data.`.
        field: &'static str,
        /// Why there is nothing to set.
        why: &'static str,
    },
    /// The first bytes are those of another kind of file.
    #[error("is no {expected} file: it begins with {found:02x?}")]
    Magic {
        /// The kind that was expected.
        expected: &'static str,
        /// The first bytes.
        found: Vec<u8>,
    },
    /// A kind of file that holds something else.
    #[error("is {found}; expected {expected}")]
    OtherKind {
        /// What it is.
        found: &'static str,
        /// The kinds that would do.
        expected: &'static str,
    },
    /// A header that cannot be understood.
    #[error("header: {0}")]
    Header(String),
    /// The file ends too soon.
    #[error("ends after {found} of {expected} bytes of its {part}")]
    Truncated {
        /// `header` or `numbers`.
        part: &'static str,
        /// Bytes that are there.
        found: u64,
        /// Bytes that should be there.
        expected: u64,
    },
    /// The file goes on.
    #[error("goes on behind the {expected} bytes that its header announces")]
    Trailing {
        /// Bytes announced.
        expected: u64,
    },
    /// A bias of classes that have no weights.
    #[error("a bias without class weights; name them with weights, too")]
    BiasAlone,
    /// Features of which nothing could be drawn but points.
    #[error("has neither labels nor class weights; give at least one of them")]
    NoClasses,
    /// Features on a line, or with more numbers than their axes can be found of.
    #[error("has features of {}; {expected}", counted(*.found, "number"))]
    FeatureDim {
        /// Numbers of a feature.
        found: usize,
        /// What would do.
        expected: &'static str,
    },
    /// Features that are all zero.
    #[error("has only features of length zero; there is nothing to see")]
    AllZero,
    /// A number that a picture has no scale for.
    #[error("expected numbers between -1e9 and 1e9, found {found}")]
    Huge {
        /// As it reads.
        found: String,
    },
    /// A type of numbers that is not read.
    #[error("has elements of type {found}; expected {expected}")]
    Dtype {
        /// NumPy's name.
        found: String,
        /// Those that are read, and the way to get one.
        expected: &'static str,
    },
    /// An array of another shape.
    #[error("has shape {found}; expected {expected}")]
    Shape {
        /// As NumPy writes it.
        found: String,
        /// Those that are read.
        expected: String,
    },
    /// Labels and samples do not belong together.
    #[error("has {} for {}", counted(*.found, "label"), counted(*.expected, "sample"))]
    LabelCount {
        /// Labels.
        found: usize,
        /// Samples.
        expected: usize,
    },
    /// No file of labels beside the features.
    #[error("no labels are beside it (looked for {looked_for}); name them with data.labels")]
    NoLabelsBeside {
        /// Names that were tried.
        looked_for: String,
    },
    /// No array of the wanted name in an archive.
    #[error("has no array named {wanted}; it has {there}")]
    NoArray {
        /// The names that are taken.
        wanted: &'static str,
        /// The names there are.
        there: String,
    },
    /// Two arrays that could be meant.
    #[error("has the arrays {a} and {b}; which one is meant cannot be told")]
    TwoArrays {
        /// One.
        a: String,
        /// The other.
        b: String,
    },
    /// An archive that cannot be unpacked, or is made to deceive.
    #[error("ZIP: {0}")]
    Zip(String),
    /// An IDX file that cannot be read.
    #[error("IDX: {0}")]
    Idx(String),
    /// A picture that cannot be decoded.
    #[error("{0}")]
    Picture(String),
    /// A folder without class folders.
    #[error("has {found}; expected one folder of images for each class")]
    NoClassFolders {
        /// What is there instead.
        found: String,
    },
}

impl Fault {
    /// In the file, as a whole.
    pub(super) fn whole(self, file: &str) -> ReadError {
        self.at(file, Place::Whole)
    }

    /// At a place in the file.
    pub(super) fn at(self, file: &str, place: Place) -> ReadError {
        ReadError {
            file: file.to_owned(),
            place,
            fault: self,
        }
    }

    /// For `?` where only the system can fail.
    pub(super) fn io(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(fault) => Self::clone(fault), // one of our readers said so through `Read`
            None => Self::Io(error.to_string()),
        }
    }
}

/// The fault as an [`io::Error`], for readers inside a library's reader; `Fault::io` undoes it.
impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault)
    }
}

/// A text in quotes, at most 40 characters of it.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        text.to_owned()
    } else {
        text.chars().take(MOST - 1).chain(['…']).collect()
    }
}

/// The first few of a list, and how many more there are.
pub(in crate::data) fn list<'a>(items: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let n = items.len();
    let mut shown: Vec<String> = items
        .take(MOST)
        .map(|item| visible(&shortened(item)))
        .collect();
    if n > MOST {
        shown.push(format!("… ({} more)", n - MOST));
    }
    shown.join(", ")
}

/// A name from a file as a terminal may have it: what would move its cursor, colour it or turn its
/// direction is written as a code.
fn visible(text: &str) -> String {
    let acts =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut visible = String::new();
    for c in text.chars() {
        if acts(c) {
            visible.extend(c.escape_unicode());
        } else {
            visible.push(c);
        }
    }
    visible
}

/// `1 sample`, `2 samples`.
pub(super) fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Bytes as people read them: `2 bytes`, `5.0 GB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(&str, f64); 4] = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let value = bytes as f64;
    match UNITS.iter().find(|(_, unit)| value >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", value / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_passes_through_a_reader_unchanged() {
        let through = io::Error::from(Fault::Cancelled);
        assert_eq!(Fault::io(&through), Fault::Cancelled);
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(17), "17 bytes");
        assert_eq!(size(5_000_000_000), "5.0 GB");
        assert_eq!(size(u64::MAX), "18446744.1 TB");
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(quoted(&"é".repeat(50)).chars().count(), 42);
        let names: Vec<String> = (0..14).map(|i| i.to_string()).collect();
        let list = list(names.iter().map(String::as_str));
        assert_eq!(list, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … (2 more)");
    }
}
