//! A user's own data: tables of text, arrays of NumPy, IDX pairs, folders of images.
//!
//! Every reader takes bytes that may be hostile. It refuses what does not fit before it is read,
//! holds at most [`MAX_HELD`] bytes of numbers, names file, place, what it found and what would be
//! right, and stops when the progress function says so.

mod beside;
mod csv;
mod error;
mod features;
mod folder;
#[cfg(test)]
mod fuzz;
mod given;
mod idx;
mod images;
mod input;
mod labels;
mod npy;
mod npy_header;
mod npz;
mod prepare;
mod principal;
mod table;
mod text;

use std::fs;
use std::path::Path;

pub use error::{Fault, Place, ReadError};
pub use features::{FeatureFiles, Features, Matrix, read_features};
pub use given::{Given, GivenFeatures};
pub use input::{MAX_COLUMNS, MAX_FILE, MAX_HELD, MAX_ROWS, Progress};
pub use labels::MAX_CLASSES;
pub use table::OwnData;

pub(super) use error::list;
pub(super) use prepare::{Options, prepare};

use self::csv::Wanted;
use input::{Meter, Metered, name_of, open};
use labels::Labeled;
use npy::{Array, Samples};
use npz::Npz;
use table::{Table, Values};

use crate::data::InputShape;

/// The files of a set, and what is said about them.
#[derive(Debug, Clone, Copy)]
pub(in crate::data) struct Files<'a> {
    pub path: &'a Path,
    /// The label column of a text.
    pub label: Option<&'a str>,
    /// The file of labels.
    pub labels: Option<&'a Path>,
    /// The file to test on.
    pub test: Option<&'a Path>,
}

/// Reads all files of a set.
pub(super) fn read(files: Files<'_>, progress: &mut Progress<'_>) -> Result<OwnData, ReadError> {
    let paths = [Some(files.path), files.labels, files.test];
    let mut total = 0_u64;
    for path in paths.into_iter().flatten() {
        total = total.saturating_add(n_bytes(path)?);
    }
    let mut meter = Meter::new(total, progress);
    let train = read_table(files.path, files.label, files.labels, &mut meter)?;
    let name = name_of(files.path);
    train.check_classes().map_err(|fault| fault.whole(&name))?;
    let test = files
        .test
        .map(|test| read_table(test, files.label, None, &mut meter))
        .transpose()?;
    meter.finish().map_err(|fault| fault.whole(&name))?;
    let test_name = files.test.map_or(name, name_of);
    OwnData::new(train, test).map_err(|fault| fault.whole(&test_name))
}

fn n_bytes(path: &Path) -> Result<u64, ReadError> {
    if path.is_dir() {
        folder::Listing::of(path).map(|listing| listing.n_bytes())
    } else {
        Ok(fs::metadata(path).map_or(0, |metadata| metadata.len())) // told when it is opened
    }
}

/// The formats, as the file's name says or else its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Npy,
    Npz,
    Idx { is_gz: bool },
    Folder,
}

impl Kind {
    fn of(path: &Path) -> Result<Self, ReadError> {
        if path.is_dir() {
            return Ok(Self::Folder);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_lowercase();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_gz = ending == "gz";
        match ending {
            "csv" | "tsv" | "tab" | "txt" => return Ok(Self::Text),
            "npy" => return Ok(Self::Npy),
            "npz" | "zip" => return Ok(Self::Npz),
            _ if name.contains("-ubyte") || name.contains("idx") => return Ok(Self::Idx { is_gz }),
            _ => {}
        }
        let (mut file, _) = open(path)?;
        let mut start = [0; 4];
        let n = input::read_full(&mut file, &mut start);
        let n = n.map_err(|fault| fault.whole(&name_of(path)))?;
        Ok(match &start[..n] {
            b"\x93NUM" => Self::Npy,
            b"PK\x03\x04" => Self::Npz,
            [0x1f, 0x8b, ..] => Self::Idx { is_gz: true },
            [0, 0, 8, _] => Self::Idx { is_gz: false },
            _ => Self::Text,
        })
    }
}

/// Reads samples with their labels.
fn read_table(
    path: &Path,
    label: Option<&str>,
    labels: Option<&Path>,
    meter: &mut Meter<'_>,
) -> Result<Table, ReadError> {
    let kind = Kind::of(path)?;
    check_settings(path, kind, label, labels)?;
    match kind {
        Kind::Text => read_text(path, label, meter),
        Kind::Npz => read_npz(path, meter),
        Kind::Folder => folder::read(path, &folder::Listing::of(path)?, meter),
        Kind::Npy | Kind::Idx { .. } => read_pair(path, kind, labels, meter),
    }
}

/// Why a label column cannot be chosen.
const ONLY_TEXT: &str = "only a table of text has a label column; leave it out";

/// Refuses what a kind of file has no use for.
fn check_settings(
    path: &Path,
    kind: Kind,
    label: Option<&str>,
    labels: Option<&Path>,
) -> Result<(), ReadError> {
    let refuse = |field, why| Err(Fault::NotOfThisKind { field, why }.whole(&name_of(path)));
    if label.is_some() && kind != Kind::Text {
        return refuse("label", ONLY_TEXT);
    }
    match kind {
        _ if labels.is_none() => Ok(()),
        Kind::Text => refuse(
            "labels",
            "a table of text has its labels in a column (data.label)",
        ),
        Kind::Npz => refuse("labels", "an NPZ has its labels in itself; leave it out"),
        Kind::Folder => refuse("labels", "the folders' names are the labels; leave it out"),
        Kind::Npy | Kind::Idx { .. } => Ok(()),
    }
}

fn read_text(path: &Path, label: Option<&str>, meter: &mut Meter<'_>) -> Result<Table, ReadError> {
    let (file, n_bytes) = open(path)?;
    let wanted = label.map_or(Wanted::Guess, Wanted::Column);
    let table = csv::read(Metered::new(file, meter), n_bytes, &name_of(path), wanted)?;
    text_table(table).ok_or_else(|| Fault::NoLabel.whole(&name_of(path)))
}

fn text_table(table: csv::CsvTable) -> Option<Table> {
    Some(Table {
        input: InputShape::Vector { dim: table.dim },
        columns: table.columns,
        values: Values::Numbers(table.values),
        labeled: table.labeled?,
        notes: table.notes,
    })
}

fn read_npz(path: &Path, meter: &mut Meter<'_>) -> Result<Table, ReadError> {
    let (file, _) = open(path)?;
    npz_table(Metered::new(file, meter), &name_of(path))
}

/// Samples and labels of an archive.
fn npz_table(reader: impl std::io::Read + std::io::Seek, name: &str) -> Result<Table, ReadError> {
    let whole = |fault: Fault| fault.whole(name);
    let mut npz = Npz::open(reader).map_err(whole)?;
    let x = npz
        .need(&npz::FEATURES, "x, X, features, data or images")
        .map_err(whole)?;
    let y = npz
        .need(&npz::LABELS, "y, Y, labels, targets or target")
        .map_err(whole)?;
    let (labels, file) = npz.array(&y, name)?;
    let labeled = labels
        .labels()
        .map_err(|(place, fault)| fault.at(&file, place))?;
    let (array, x_file) = npz.array(&x, name)?;
    let n_samples = array.header.shape.first().copied().unwrap_or(0);
    npy::check_count(labeled.labels.len(), n_samples).map_err(|fault| fault.whole(&file))?;
    let samples = array
        .samples()
        .map_err(|(place, fault)| fault.at(&x_file, place))?;
    let mut table = table_of(samples, labeled);
    table
        .notes
        .insert(0, format!("samples from {x}, labels from {y}"));
    table.notes.extend(npz.unused(&[&x, &y]));
    Ok(table)
}

/// Samples in one file, labels in another.
fn read_pair(
    path: &Path,
    kind: Kind,
    labels: Option<&Path>,
    meter: &mut Meter<'_>,
) -> Result<Table, ReadError> {
    let found;
    let labels_path = if let Some(labels) = labels {
        labels
    } else {
        found = beside::find_labels(path)?;
        &found
    };
    let name = name_of(path);
    let (file, n_bytes) = open(path)?;
    let reader = Metered::new(file, &mut *meter);
    let samples = match kind {
        Kind::Idx { is_gz } => idx::images(reader, is_gz).map_err(|fault| fault.whole(&name))?,
        _ => Array::open(reader, n_bytes)
            .map_err(|fault| fault.whole(&name))?
            .samples()
            .map_err(|(place, fault)| fault.at(&name, place))?,
    };
    let n_samples = match &samples.values {
        Values::Numbers(numbers) => numbers.len() / samples.input.dim(),
        Values::Pixels(pixels) => pixels.len() / samples.input.dim(),
    };
    let labeled = read_labels(labels_path, n_samples, meter)?;
    let mut table = table_of(samples, labeled);
    table
        .notes
        .insert(0, format!("labels from {}", name_of(labels_path)));
    Ok(table)
}

fn table_of(samples: Samples, labeled: Labeled) -> Table {
    Table {
        input: samples.input,
        columns: Vec::new(),
        values: samples.values,
        labeled,
        notes: samples.notes,
    }
}

/// Reads a file of `n_samples` labels.
fn read_labels(path: &Path, n_samples: usize, meter: &mut Meter<'_>) -> Result<Labeled, ReadError> {
    let name = name_of(path);
    let kind = Kind::of(path)?;
    let labeled = match kind {
        Kind::Folder => return Err(Fault::NoFile.whole(&name)),
        Kind::Text => {
            let (file, _) = open(path)?;
            text::read_labels(Metered::new(file, meter), &name, n_samples)?
        }
        Kind::Npy => {
            let (file, n_bytes) = open(path)?;
            let array = Array::open(Metered::new(file, meter), n_bytes);
            let labels = array.map_err(|fault| fault.whole(&name))?.labels();
            labels.map_err(|(place, fault)| fault.at(&name, place))?
        }
        Kind::Npz => {
            let (file, _) = open(path)?;
            let npz = Npz::open(Metered::new(file, meter));
            let mut npz = npz.map_err(|fault| fault.whole(&name))?;
            let y = npz.need(&npz::LABELS, "y, Y, labels, targets or target");
            let y = y.map_err(|fault| fault.whole(&name))?;
            let (array, file) = npz.array(&y, &name)?;
            array
                .labels()
                .map_err(|(place, fault)| fault.at(&file, place))?
        }
        Kind::Idx { is_gz } => {
            let (file, _) = open(path)?;
            let labels = idx::labels(Metered::new(file, meter), is_gz);
            labels.map_err(|fault| fault.whole(&name))?
        }
    };
    npy::check_count(labeled.labels.len(), n_samples).map_err(|fault| fault.whole(&name))?;
    Ok(labeled)
}
