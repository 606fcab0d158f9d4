//! Tables as text: CSV with comma, semicolon or tab, with or without header.

use std::io::Read;

use super::error::{Fault, Place, ReadError, list, quoted};
use super::input::{check_columns, check_held};
use super::labels::{Labeled, Labels, is_label_name};
use super::text::{
    Rows, Text, find_separator, is_number, line_of, parse_number, sample_rows, utf8,
};

/// Rows after which the number of all rows is estimated.
const N_FIRST_ROWS: usize = 1000;

/// A table of numbers, with the label of each row where there is a label column.
#[derive(Debug)]
pub(super) struct CsvTable {
    /// Names of the columns of features; empty without a header.
    pub columns: Vec<String>,
    /// `[dim, n]`, a row of the file a column.
    pub values: Vec<f32>,
    pub dim: usize,
    pub labeled: Option<Labeled>,
    /// What was found out, a sentence each.
    pub notes: Vec<String>,
}

/// Which column is the label.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// By name, or by number counted from 1.
    Column(&'a str),
    /// By its usual names, else the last one.
    Guess,
    /// By its usual names, else the last one if it is no number; there may be none.
    Maybe,
}

/// Reads a table of `n_bytes` bytes.
pub(super) fn read(
    reader: impl Read,
    n_bytes: u64,
    file: &str,
    wanted: Wanted<'_>,
) -> Result<CsvTable, ReadError> {
    let text = Text::open(reader).map_err(|fault| fault.whole(file))?;
    let layout = Layout::of(&text.sample, text.is_whole, wanted)
        .map_err(|(place, fault)| fault.at(file, place))?;
    let rows = text.rows(layout.separator);
    Table::new(layout, file, n_bytes).read(rows)
}

/// Why a column is the label if nothing else says so.
const LAST: &str = "the last column";

/// How a table is built, found out from its first rows.
struct Layout {
    separator: u8,
    has_header: bool,
    /// As the header calls them, empty names without one; all columns.
    names: Vec<String>,
    label: Option<usize>,
    /// Whether it is the label only because it is the last column.
    is_guessed: bool,
    /// A column without a name that counts the rows, as pandas writes it.
    index: Option<usize>,
    notes: Vec<String>,
}

impl Layout {
    fn of(sample: &[u8], is_whole: bool, wanted: Wanted<'_>) -> Result<Self, (Place, Fault)> {
        let whole = |fault| (Place::Whole, fault);
        if sample.iter().all(u8::is_ascii_whitespace) && is_whole {
            let expected = "rows of numbers with a label";
            return Err(whole(Fault::Empty { expected }));
        }
        let separator = match (find_separator(sample, is_whole), wanted) {
            (Some(separator), _) => separator,
            (None, Wanted::Maybe) => b',',
            (None, _) => return Err(whole(Fault::OneColumn)),
        };
        let rows = sample_rows(sample, is_whole, separator);
        let rows = texts(&rows)?;
        let first = rows.first().map_or(&[][..], Vec::as_slice);
        let second = rows.get(1).map_or(first, Vec::as_slice);
        check_columns(first.len().saturating_sub(1)).map_err(whole)?;
        let has_header = is_header(first, second, separator);
        let names: Vec<String> = if has_header {
            first.iter().map(|name| (*name).to_owned()).collect()
        } else {
            vec![String::new(); first.len()]
        };
        let (label, why) = find_label(&names, second, separator, wanted).map_err(whole)?;
        let index = is_row_index(&names, &rows, label).then_some(0);
        let mut layout = Self {
            separator,
            has_header,
            names,
            label,
            is_guessed: why == LAST,
            index,
            notes: Vec::new(),
        };
        layout.note(why);
        Ok(layout)
    }

    fn note(&mut self, why: &str) {
        let separated = match self.separator {
            b';' => "semicolons",
            b'\t' => "tabs",
            _ => "commas",
        };
        let header = if self.has_header { "a" } else { "no" };
        self.notes
            .push(format!("fields separated by {separated}, {header} header"));
        if let Some(label) = self.label {
            let column = self.column_text(label);
            self.notes.push(format!("the label is {column}, {why}"));
        }
        if let Some(index) = self.index {
            let column = self.column_text(index);
            self.notes
                .push(format!("{column} counts the rows and is left out"));
        }
    }

    /// `column 5 (species)`
    fn column_text(&self, column: usize) -> String {
        match self.name(column) {
            Some(name) => format!("column {} ({name})", column + 1),
            None => format!("column {}", column + 1),
        }
    }

    fn name(&self, column: usize) -> Option<String> {
        let name = self.names.get(column)?;
        (!name.is_empty()).then(|| name.clone())
    }

    fn cell(&self, line: u64, column: usize) -> Place {
        Place::Cell {
            line,
            column: column + 1,
            name: self.name(column),
        }
    }

    fn is_feature(&self, column: usize) -> bool {
        Some(column) != self.label && Some(column) != self.index
    }
}

/// Rows as trimmed texts; a field that is no UTF-8 is told with its line.
fn texts(rows: &[csv::ByteRecord]) -> Result<Vec<Vec<&str>>, (Place, Fault)> {
    let mut texts = Vec::new();
    for row in rows {
        let fields: Result<_, _> = row.iter().map(|f| utf8(f).map(str::trim)).collect();
        texts.push(fields.map_err(|fault| (Place::Line(line_of(row)), fault))?);
    }
    Ok(texts)
}

/// Whether the first row names the columns: in most columns of numbers it has none, or it names a
/// label as nobody calls a class. One field that is no number is a fault of the row, not a name.
fn is_header(first: &[&str], second: &[&str], separator: u8) -> bool {
    let is_number = |text: &&&str| is_number(text, separator);
    if first == second {
        return !first.iter().any(|text| is_number(&text)); // there is no other row
    }
    let pairs = || first.iter().zip(second);
    let n_numbers = second.iter().filter(is_number).count();
    let n_names = pairs()
        .filter(|(name, value)| !is_number(name) && is_number(value))
        .count();
    // A class may well be called y, for yes.
    let is_label = |name: &str| is_label_name(name) && !name.eq_ignore_ascii_case("y");
    let names_label = pairs().any(|(name, value)| is_label(name) && name != value);
    2 * n_names > n_numbers || names_label
}

/// The label column and why it is that one.
fn find_label(
    names: &[String],
    second: &[&str],
    separator: u8,
    wanted: Wanted<'_>,
) -> Result<(Option<usize>, &'static str), Fault> {
    if let Wanted::Column(wanted) = wanted {
        let column = find_column(names, wanted.trim())?;
        return Ok((Some(column), "as data.label says"));
    }
    // Beside an x, a y is a coordinate.
    let has_x = names.iter().any(|name| name.eq_ignore_ascii_case("x"));
    let is_label =
        |name: &String| is_label_name(name) && !(has_x && name.eq_ignore_ascii_case("y"));
    let mut called_so = (0..names.len()).filter(|&column| is_label(&names[column]));
    if let (Some(column), None) = (called_so.next(), called_so.next()) {
        return Ok((Some(column), "the only column with such a name"));
    }
    let last = names.len().checked_sub(1);
    let is_text = |column: &usize| {
        let text = second.get(*column);
        text.is_some_and(|text| !is_number(text, separator))
    };
    match wanted {
        Wanted::Maybe => Ok((last.filter(is_text), LAST)),
        _ => Ok((last, LAST)),
    }
}

fn find_column(names: &[String], wanted: &str) -> Result<usize, Fault> {
    let mut called_so = (0..names.len()).filter(|&column| names[column] == wanted);
    let by_number = || {
        let number: usize = wanted.parse().ok()?;
        number.checked_sub(1).filter(|&column| column < names.len())
    };
    match (called_so.next(), called_so.count()) {
        (Some(column), 0) => Ok(column),
        (Some(_), more) => Err(Fault::RepeatedColumn {
            wanted: wanted.to_owned(),
            n: more + 1,
        }),
        (None, _) => by_number().ok_or_else(|| Fault::NoSuchColumn {
            wanted: wanted.to_owned(),
            there: column_list(names),
        }),
    }
}

fn column_list(names: &[String]) -> String {
    let numbers = format!("columns 1 to {}", names.len());
    if names.iter().all(String::is_empty) {
        return numbers;
    }
    format!("{numbers}: {}", list(names.iter().map(String::as_str)))
}

/// Whether the first column has no name and counts the rows.
fn is_row_index(names: &[String], rows: &[Vec<&str>], label: Option<usize>) -> bool {
    let is_nameless = match names {
        [first, others @ ..] if others.len() > 1 => {
            (first.is_empty() || first == "Unnamed: 0") && others.iter().any(|n| !n.is_empty())
        }
        _ => false,
    };
    let counts = |start: usize| {
        let mut rows = rows.iter().skip(1).zip(start..);
        rows.all(|(row, number)| row.first().is_some_and(|text| text.parse() == Ok(number)))
    };
    is_nameless && label != Some(0) && (counts(0) || counts(1))
}

/// A table as it is read.
struct Table<'a> {
    layout: Layout,
    file: &'a str,
    n_bytes: u64,
    values: Vec<f32>,
    labels: Labels,
    n_rows: usize,
    dim: usize,
}

impl<'a> Table<'a> {
    fn new(layout: Layout, file: &'a str, n_bytes: u64) -> Self {
        let columns = 0..layout.names.len();
        Self {
            dim: columns.filter(|&c| layout.is_feature(c)).count(),
            layout,
            file,
            n_bytes,
            values: Vec::new(),
            labels: Labels::default(),
            n_rows: 0,
        }
    }

    fn read(mut self, mut rows: Rows<impl Read>) -> Result<CsvTable, ReadError> {
        let mut row = csv::ByteRecord::new();
        let mut is_name_row = self.layout.has_header;
        while rows.next(self.file, &mut row)? {
            if std::mem::take(&mut is_name_row) {
                continue;
            }
            self.add(&row)
                .map_err(|(place, fault)| fault.at(self.file, place))?;
            if self.n_rows == N_FIRST_ROWS {
                self.reserve(row.position().map_or(0, csv::Position::byte));
            }
        }
        self.finish()
    }

    fn add(&mut self, row: &csv::ByteRecord) -> Result<(), (Place, Fault)> {
        let line = line_of(row);
        let in_line = |fault| (Place::Line(line), fault);
        if self.holds_rows(row) {
            return Err(in_line(Fault::OpenQuote));
        }
        let expected = self.layout.names.len();
        if row.len() != expected {
            let found = row.len();
            return Err(in_line(Fault::Ragged { found, expected }));
        }
        self.n_rows += 1;
        check_held(self.n_rows as u64, self.dim as u64, 4).map_err(in_line)?;
        for (column, field) in row.iter().enumerate() {
            self.add_field(column, field)
                .map_err(|fault| (self.layout.cell(line, column), fault))?;
        }
        Ok(())
    }

    /// Whether a field holds whole rows of the table, as where its quote is never closed. A line
    /// break alone may stand in a name.
    fn holds_rows(&self, row: &csv::ByteRecord) -> bool {
        let is_separator = |byte: &&u8| **byte == self.layout.separator;
        let is_row =
            |line: &[u8]| line.iter().filter(is_separator).count() + 1 == self.layout.names.len();
        row.as_slice().contains(&b'\n')
            && row
                .iter()
                .any(|field| field.split(|byte| *byte == b'\n').skip(1).any(is_row))
    }

    fn add_field(&mut self, column: usize, field: &[u8]) -> Result<(), Fault> {
        let text = utf8(field)?;
        if Some(column) == self.layout.label {
            self.check_guessed(column, text.trim())?;
            return self.labels.push(text);
        }
        if !self.layout.is_feature(column) {
            return Ok(());
        }
        match parse_number(text, self.layout.separator) {
            Some(value) if value.is_finite() => {
                self.values.push(value);
                Ok(())
            }
            Some(_) => Err(Fault::NotFinite {
                found: text.trim().to_owned(),
            }),
            None => Err(self.not_a_number(text.trim())),
        }
    }

    /// The last column may as well be one more measurement.
    fn check_guessed(&self, column: usize, text: &str) -> Result<(), Fault> {
        let is_fraction = |text| {
            let number = parse_number(text, self.layout.separator);
            number.is_some_and(|number| number.fract() != 0.0)
        };
        if self.layout.is_guessed && is_fraction(text) {
            return Err(Fault::GuessedFraction {
                found: text.to_owned(),
                label: column + 1,
            });
        }
        Ok(())
    }

    fn not_a_number(&self, text: &str) -> Fault {
        let hint = self.layout.label.map(|label| {
            let column = self.layout.column_text(label);
            format!(" (the label is {column}; data.label chooses another)")
        });
        Fault::NotANumber {
            found: if text.is_empty() {
                "nothing".to_owned()
            } else {
                quoted(text)
            },
            hint: hint.unwrap_or_default(),
        }
    }

    /// Asks for the memory of all rows at once: growing by doubling would take it up to three times.
    fn reserve(&mut self, n_bytes_read: u64) {
        let share = self.n_bytes as f64 / n_bytes_read.max(1) as f64;
        let n_rows = (1.02 * share * self.n_rows as f64) as u64;
        if check_held(n_rows, self.dim as u64, 4).is_ok() {
            let n_values = n_rows as usize * self.dim;
            self.values
                .reserve_exact(n_values.saturating_sub(self.values.len()));
        }
    }

    fn finish(self) -> Result<CsvTable, ReadError> {
        let Self {
            layout,
            file,
            mut values,
            labels,
            n_rows,
            dim,
            ..
        } = self;
        if n_rows == 0 || dim == 0 {
            let expected = "rows of numbers with a label";
            return Err(Fault::Empty { expected }.whole(file));
        }
        values.shrink_to_fit();
        let features = (0..layout.names.len()).filter(|&column| layout.is_feature(column));
        let columns = if layout.has_header {
            features.map(|c| layout.names[c].clone()).collect()
        } else {
            Vec::new()
        };
        Ok(CsvTable {
            columns,
            values,
            dim,
            labeled: layout.label.is_some().then(|| labels.finish()),
            notes: layout.notes,
        })
    }
}
