//! The table of a sweep: a line is appended when its run is done, and a table that is there is
//! continued.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::export::write_beside;
use crate::sweep::Grid;
use crate::sweep::grid::words;
use crate::trainer::Report;

/// The column that says which experiment made a row.
const EXPERIMENT: &str = "experiment_sha256";
const SEED: &str = "seed";

/// A CSV table with a row for each run that is done.
///
/// Columns are the varied fields by their full keys, the seed, the other figures of a
/// [`Report`], and the SHA-256 of the experiment. A row is appended as one line, so that a killed
/// sweep leaves whole lines and at most one part of one.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    /// Locked, so that two sweeps cannot write into each other's lines.
    file: File,
    header: Vec<String>,
    /// Lines by the place of their cell in the grid, without the end of line.
    rows: BTreeMap<usize, String>,
    /// Whether lines stand in the file in the order of the grid, each once.
    is_in_order: bool,
    n_before: usize,
}

/// A table that cannot be written, or is not of this sweep.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The system says no.
    #[error("cannot write {path}")]
    Write {
        /// The table.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A pipe or a device.
    #[error("cannot write {path}: a sweep reads its table again, so that it must be a file")]
    NoFile {
        /// What was given.
        path: String,
    },
    /// Another sweep writes into it.
    #[error("{path} is being written by another sweep")]
    Busy {
        /// The table.
        path: String,
    },
    /// Its columns are others.
    #[error("{path} is not the table of this sweep: {what}; choose another --out, or move it away")]
    Columns {
        /// The table.
        path: String,
        /// How they differ.
        what: String,
    },
    /// A row of another experiment.
    #[error(
        "{path}:{line}: the run {run} is not of this sweep: its experiment or the values it varies are others; choose another --out, or move the table away"
    )]
    Foreign {
        /// The table.
        path: String,
        /// From 1.
        line: usize,
        /// Its first columns.
        run: String,
    },
    /// A line that is no row.
    #[error("{path}:{line}: expected {expected} columns, found {found}")]
    Ragged {
        /// The table.
        path: String,
        /// From 1.
        line: usize,
        /// Columns of the header.
        expected: usize,
        /// Columns of the line.
        found: usize,
    },
}

impl Table {
    /// Opens the table of a grid, or begins one. What is half-written at its end is cut off; a
    /// table that is another's is left as it is.
    ///
    /// # Errors
    /// If the file cannot be written, or holds anything but rows of this grid.
    pub fn open(path: &Path, grid: &Grid) -> Result<Self, TableError> {
        let failed = |source| TableError::Write {
            path: path.display().to_string(),
            source,
        };
        if path
            .metadata()
            .is_ok_and(|there| !there.is_file() && !there.is_dir())
        {
            let path = path.display().to_string();
            return Err(TableError::NoFile { path });
        }
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            let path = path.display().to_string();
            return Err(TableError::Busy { path });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let header = header(grid);
        let whole = whole_lines(&bytes, &line(&header));
        let text = std::str::from_utf8(whole).unwrap_or_default();
        check_header(path, &bytes, text, &header)?;
        let (rows, is_in_order) = rows(path, text, grid, header.len())?;
        if whole.len() < bytes.len() {
            file.set_len(whole.len() as u64).map_err(failed)?;
        }
        if whole.is_empty() {
            let line = line(&header) + "\n";
            file.write_all(line.as_bytes()).map_err(failed)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            header,
            n_before: rows.len(),
            rows,
            is_in_order,
        })
    }

    /// Rows that were there when it was opened.
    pub fn n_before(&self) -> usize {
        self.n_before
    }

    /// Rows that are there.
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Whether the run of this cell is done.
    pub fn has(&self, cell: usize) -> bool {
        self.rows.contains_key(&cell)
    }

    /// Appends the row of a cell, down to the disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append(&mut self, cell: usize, grid: &Grid, report: &Report) -> Result<(), TableError> {
        let line = line(&row(&self.header, grid, cell, report));
        let written = (|| {
            self.file.write_all(format!("{line}\n").as_bytes())?;
            self.file.sync_data()
        })();
        written.map_err(|source| TableError::Write {
            path: self.path.display().to_string(),
            source,
        })?;
        self.is_in_order &= self
            .rows
            .last_key_value()
            .is_none_or(|(&last, _)| last < cell);
        self.rows.insert(cell, line);
        Ok(())
    }

    /// Brings the lines into the order of the grid, whatever the order in which runs ended. A row
    /// keeps its bytes. It is the last that is done to a table.
    ///
    /// # Errors
    /// If the table cannot be written again; it is then as it was.
    pub fn finish(&mut self) -> Result<(), TableError> {
        if self.is_in_order {
            return Ok(());
        }
        let mut text = line(&self.header) + "\n";
        for row in self.rows.values() {
            text.push_str(row);
            text.push('\n');
        }
        write_beside(&self.path, text.as_bytes()).map_err(|source| TableError::Write {
            path: self.path.display().to_string(),
            source,
        })?;
        self.is_in_order = true;
        Ok(())
    }

    /// What a column says in the row of a cell; `None` where there is no such column or row.
    pub fn value(&self, cell: usize, column: &str) -> Option<String> {
        let at = self.header.iter().position(|name| name == column)?;
        fields(self.rows.get(&cell)?).into_iter().nth(at)
    }
}

impl Drop for Table {
    /// A process that was started meanwhile has a copy of the file until it is on its own: to close
    /// ours would not end the lock.
    fn drop(&mut self) {
        let _ = self.file.unlock(); // there may have been none
    }
}

/// The columns of a grid's table.
fn header(grid: &Grid) -> Vec<String> {
    let varied = grid.axes.iter().map(|axis| axis.key.clone());
    let figures = Report::FIELDS.into_iter().filter(|name| *name != SEED);
    let figures = figures.chain([EXPERIMENT]).map(str::to_owned);
    varied.chain([SEED.to_owned()]).chain(figures).collect()
}

fn row(header: &[String], grid: &Grid, cell: usize, report: &Report) -> Vec<String> {
    let cell = &grid.cells[cell];
    let figures = match serde_json::to_value(report) {
        Ok(Value::Object(figures)) => figures,
        _ => Map::new(), // a report is an object of numbers and texts
    };
    let n_varied = cell.values.len();
    let text = |name: &String| match figures.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(value) => value.to_string(),
    };
    let mut row = cell.values.clone();
    row.extend(header[n_varied..header.len() - 1].iter().map(text));
    row.push(cell.sha256.clone());
    row
}

/// A record as one line. A file's name may hold a line break, a row may not.
fn line(record: &[String]) -> String {
    let clean = |field: &String| field.replace(char::is_control, " ");
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Neither can fail: the bytes go into memory, and are those of texts.
    let _ = writer.write_record(record.iter().map(clean));
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes)
        .unwrap_or_default()
        .trim_end_matches('\n')
        .to_owned()
}

fn fields(line: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes());
    let record = reader.records().next().and_then(Result::ok);
    record.map_or(Vec::new(), |record| {
        record.iter().map(str::to_owned).collect()
    })
}

/// The bytes up to the last end of a line. A beginning of the header is a table that was killed at
/// its birth, and has none.
fn whole_lines<'a>(bytes: &'a [u8], header: &str) -> &'a [u8] {
    let end = bytes.iter().rposition(|&byte| byte == b'\n');
    match end {
        Some(end) => &bytes[..=end],
        None if header.as_bytes().starts_with(bytes) => &[],
        None => bytes,
    }
}

fn check_header(
    path: &Path,
    bytes: &[u8],
    text: &str,
    expected: &[String],
) -> Result<(), TableError> {
    let refuse = |what: String| {
        let path = path.display().to_string();
        Err(TableError::Columns { path, what })
    };
    let Some(first) = text.lines().next() else {
        let is_begun = line(expected).as_bytes().starts_with(bytes);
        return if is_begun {
            Ok(())
        } else {
            refuse("it is no text".to_owned())
        };
    };
    let found = fields(first);
    if found == expected {
        return Ok(());
    }
    if found.last().is_none_or(|last| last != EXPERIMENT) {
        return refuse("it does not have the columns of a sweep".to_owned());
    }
    let keys = |columns: &[String]| {
        let keys = columns.iter().take_while(|name| *name != SEED).cloned();
        match keys.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "nothing".to_owned(),
            keys => keys,
        }
    };
    let (theirs, ours) = (keys(&found), keys(expected));
    if theirs == ours {
        return refuse("its figures are those of another version".to_owned());
    }
    refuse(format!("it varies {theirs}, this one {ours}"))
}

/// The rows below the header by the place of their cell, and whether they are in order.
fn rows(
    path: &Path,
    text: &str,
    grid: &Grid,
    n_columns: usize,
) -> Result<(BTreeMap<usize, String>, bool), TableError> {
    let cells = grid.cells.iter().enumerate();
    let places: BTreeMap<&str, usize> = cells.map(|(i, cell)| (cell.sha256.as_str(), i)).collect();
    let mut rows = BTreeMap::new();
    let mut is_in_order = true;
    for (i, row) in text.lines().enumerate().skip(1) {
        let found = fields(row);
        if found.len() != n_columns {
            return Err(TableError::Ragged {
                path: path.display().to_string(),
                line: i + 1,
                expected: n_columns,
                found: found.len(),
            });
        }
        let Some(&place) = places.get(found[n_columns - 1].as_str()) else {
            let n_varied = grid.axes.len();
            let seed = format!("seed={}", found[n_varied]);
            let run = [words(&grid.axes, &found[..n_varied]), seed];
            let run: Vec<&str> = run
                .iter()
                .map(String::as_str)
                .filter(|s| !s.is_empty())
                .collect();
            return Err(TableError::Foreign {
                path: path.display().to_string(),
                line: i + 1,
                run: run.join(", "),
            });
        };
        is_in_order &= rows.last_key_value().is_none_or(|(&last, _)| last < place);
        rows.entry(place).or_insert_with(|| row.to_owned());
    }
    Ok((rows, is_in_order))
}
