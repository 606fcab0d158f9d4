//! Features that somebody else trained, to be looked at: a matrix with labels and class weights.

use std::path::Path;

use super::error::{Fault, ReadError, counted};
use super::input::{Meter, Metered, Progress, name_of, open};
use super::labels::Labeled;
use super::npy::{Array, check_count};
use super::npz::{self, Npz};
use super::{Kind, ONLY_TEXT, Wanted, beside, csv, read_labels};

/// Features of samples, neither split nor scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// A row for each sample.
    pub features: Matrix,
    /// The class of each sample, a place in `class_names`; `None` where there are no labels.
    pub labels: Option<Vec<u16>>,
    /// What the classes are called; numbers where there are class weights and no names.
    pub class_names: Vec<String>,
    /// A row for each class.
    pub class_weights: Option<Matrix>,
    /// A number for each class; never without weights.
    pub class_bias: Option<Vec<f32>>,
}

/// The files of features, and of what belongs to them.
#[derive(Debug, Clone, Copy)]
pub struct FeatureFiles<'a> {
    /// The features, perhaps with labels, weights and bias.
    pub path: &'a Path,
    /// The label column of a text.
    pub label: Option<&'a str>,
    /// The file of labels.
    pub labels: Option<&'a Path>,
    /// The file of class weights, perhaps with their bias.
    pub weights: Option<&'a Path>,
    /// The file of the class weights' bias.
    pub bias: Option<&'a Path>,
}

/// Rows of numbers, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Rows.
    pub n_rows: usize,
    /// Numbers in a row.
    pub dim: usize,
    /// `[dim, n_rows]`, a row after the other.
    pub values: Vec<f32>,
}

/// Reads features from CSV, NPY or NPZ.
///
/// Labels are a column of the text or an array of the archive, come from the file `labels`, or lie
/// beside an NPY under the usual names; they may be missing. Class weights, a row for each class,
/// and their bias, a number for each, are arrays of an archive or come from files of their own.
///
/// With class weights, labels that are whole numbers below the number of classes keep their number,
/// so that a class without a sample does not move the others.
///
/// # Errors
/// If a file cannot be read, or the sizes do not belong together.
pub fn read_features(
    files: FeatureFiles<'_>,
    progress: &mut Progress<'_>,
) -> Result<Features, ReadError> {
    let FeatureFiles {
        path,
        label,
        labels,
        weights,
        bias,
    } = files;
    let paths = [Some(path), labels, weights, bias].into_iter().flatten();
    let total = paths.map(|path| std::fs::metadata(path).map_or(0, |m| m.len()));
    let mut meter = Meter::new(total.sum(), progress);
    if label.is_some() && Kind::of(path)? != Kind::Text {
        let (field, why) = ("label", ONLY_TEXT);
        return Err(Fault::NotOfThisKind { field, why }.whole(&name_of(path)));
    }
    let wanted = label.map_or(Wanted::Maybe, Wanted::Column);
    let mut loose = read_loose(path, wanted, &mut meter)?;
    let n = loose.features.n_rows;
    if let Some(labels) = labels {
        loose.labeled = Some(read_labels(labels, n, &mut meter)?);
    } else if loose.labeled.is_none()
        && Kind::of(path)? == Kind::Npy
        && let Ok(labels) = beside::find_labels(path)
    {
        loose.labeled = Some(read_labels(&labels, n, &mut meter)?);
    }
    let name = weights.map_or_else(|| name_of(path), name_of);
    if let Some(weights) = weights {
        let (weights, bias) = read_weights(weights, &mut meter)?;
        loose.weights = Some(weights);
        loose.bias = bias;
    }
    if let Some(bias) = bias {
        loose.bias = Some(read_bias(bias, &mut meter)?);
    }
    meter.finish().map_err(|fault| fault.whole(&name))?;
    let bias_name = bias.map_or_else(|| name.clone(), name_of);
    loose
        .check_bias()
        .map_err(|fault| fault.whole(&bias_name))?;
    loose.together().map_err(|fault| fault.whole(&name))
}

/// What a file has of it.
pub(super) struct Loose {
    features: Matrix,
    labeled: Option<Labeled>,
    weights: Option<Matrix>,
    bias: Option<Vec<f32>>,
}

impl Loose {
    fn of(features: Matrix) -> Self {
        Self {
            features,
            labeled: None,
            weights: None,
            bias: None,
        }
    }

    /// A number for each class, whose weights are there.
    pub(super) fn check_bias(&self) -> Result<(), Fault> {
        match (&self.weights, &self.bias) {
            (_, None) => Ok(()),
            (None, Some(_)) => Err(Fault::BiasAlone),
            (Some(weights), Some(bias)) if weights.n_rows == bias.len() => Ok(()),
            (Some(weights), Some(bias)) => Err(Fault::OtherShape {
                found: format!("a bias of {}", counted(bias.len(), "number")),
                expected: format!("{}, one for each class weight", weights.n_rows),
            }),
        }
    }

    pub(super) fn together(self) -> Result<Features, Fault> {
        let Self {
            features,
            labeled,
            weights,
            bias,
        } = self;
        if let Some(weights) = weights.as_ref().filter(|w| w.dim != features.dim) {
            return Err(Fault::OtherShape {
                found: format!("class weights of {}", counted(weights.dim, "number")),
                expected: format!("{}, as the features have", features.dim),
            });
        }
        let n_classes = weights.as_ref().map(|weights| weights.n_rows);
        let (labels, class_names) = match (labeled, n_classes) {
            (None, n) => (None, (0..n.unwrap_or(0)).map(|c| c.to_string()).collect()),
            (Some(labeled), None) => (Some(labeled.labels), labeled.names),
            (Some(labeled), Some(n)) => {
                let labeled = with_all_classes(labeled, n)?;
                (Some(labeled.labels), labeled.names)
            }
        };
        Ok(Features {
            features,
            labels,
            class_names,
            class_weights: weights,
            class_bias: bias,
        })
    }
}

/// Labels of `n_classes` classes, of which some may have no sample.
fn with_all_classes(labeled: Labeled, n_classes: usize) -> Result<Labeled, Fault> {
    if n_classes > super::MAX_CLASSES {
        let (what, max) = ("classes", super::MAX_CLASSES);
        return Err(Fault::TooMany { what, max });
    }
    let number = |name: &String| {
        name.parse()
            .ok()
            .filter(|&c: &u16| usize::from(c) < n_classes)
    };
    let numbers: Option<Vec<u16>> = labeled.names.iter().map(number).collect();
    match numbers {
        Some(numbers) => Ok(Labeled {
            labels: labeled
                .labels
                .iter()
                .map(|&l| numbers[usize::from(l)])
                .collect(),
            names: (0..n_classes).map(|class| class.to_string()).collect(),
        }),
        None if labeled.names.len() == n_classes => Ok(labeled),
        None => Err(Fault::OtherShape {
            found: format!("weights of {n_classes} classes"),
            expected: format!("{}, as the labels have", labeled.names.len()),
        }),
    }
}

fn read_loose(path: &Path, wanted: Wanted<'_>, meter: &mut Meter<'_>) -> Result<Loose, ReadError> {
    let name = name_of(path);
    let kind = Kind::of(path)?;
    match kind {
        Kind::Text => {
            let (file, n_bytes) = open(path)?;
            let table = csv::read(Metered::new(file, meter), n_bytes, &name, wanted)?;
            let loose = Loose::of(Matrix {
                n_rows: table.values.len() / table.dim,
                dim: table.dim,
                values: table.values,
            });
            let labeled = table.labeled;
            Ok(Loose { labeled, ..loose })
        }
        Kind::Npy => {
            let (file, n_bytes) = open(path)?;
            let array = Array::open(Metered::new(file, meter), n_bytes);
            let array = array.map_err(|fault| fault.whole(&name))?;
            Ok(Loose::of(matrix(array, &name)?))
        }
        Kind::Npz => {
            let (file, _) = open(path)?;
            loose_npz(Metered::new(file, meter), &name)
        }
        Kind::Folder | Kind::Idx { .. } => {
            let (found, expected) = ("no table of features", "CSV, NPY or NPZ");
            Err(Fault::OtherKind { found, expected }.whole(&name))
        }
    }
}

pub(super) fn loose_npz(
    reader: impl std::io::Read + std::io::Seek,
    name: &str,
) -> Result<Loose, ReadError> {
    let whole = |fault: Fault| fault.whole(name);
    let mut npz = Npz::open(reader).map_err(whole)?;
    let [y, w, b] = [&npz::LABELS[..], &npz::WEIGHTS, &npz::BIAS].map(|names| npz.find(names));
    let (y, w, b) = (y.map_err(whole)?, w.map_err(whole)?, b.map_err(whole)?);
    let usual = "x, X, features, embeddings or data";
    let x = npz.need(&npz::FEATURES, usual).map_err(whole)?;
    let (array, file) = npz.array(&x, name)?;
    let features = matrix(array, &file)?;
    let mut loose = Loose::of(features);
    if let Some(y) = y {
        let (array, file) = npz.array(&y, name)?;
        let labeled = array
            .labels()
            .map_err(|(place, fault)| fault.at(&file, place))?;
        check_count(labeled.labels.len(), loose.features.n_rows)
            .map_err(|fault| fault.whole(&file))?;
        loose.labeled = Some(labeled);
    }
    if let Some(w) = w {
        let (array, file) = npz.array(&w, name)?;
        loose.weights = Some(matrix(array, &file)?);
    }
    if let Some(b) = b {
        let (array, file) = npz.array(&b, name)?;
        loose.bias = Some(vector(array, &file)?);
    }
    Ok(loose)
}

/// A row for each class, and a bias where an archive has one: what else is in it belongs to the
/// features that it came with.
fn read_weights(
    path: &Path,
    meter: &mut Meter<'_>,
) -> Result<(Matrix, Option<Vec<f32>>), ReadError> {
    if Kind::of(path)? != Kind::Npz {
        return Ok((read_loose(path, Wanted::Maybe, meter)?.features, None));
    }
    let name = name_of(path);
    let whole = |fault: Fault| fault.whole(&name);
    let (file, _) = open(path)?;
    let mut npz = Npz::open(Metered::new(file, meter)).map_err(whole)?;
    let usual = "w, W, weight, weights or class_weights";
    let w = npz
        .only()
        .map_or_else(|| npz.need(&npz::WEIGHTS, usual), Ok);
    let w = w.map_err(whole)?;
    let (array, file) = npz.array(&w, &name)?;
    let weights = matrix(array, &file)?;
    let Some(b) = npz.find(&npz::BIAS).map_err(whole)? else {
        return Ok((weights, None));
    };
    let (array, file) = npz.array(&b, &name)?;
    Ok((weights, Some(vector(array, &file)?)))
}

/// A number for each class: `(c,)`, a column or a row of a text, or an array of an archive.
fn read_bias(path: &Path, meter: &mut Meter<'_>) -> Result<Vec<f32>, ReadError> {
    let name = name_of(path);
    let whole = |fault: Fault| fault.whole(&name);
    match Kind::of(path)? {
        Kind::Npy => {
            let (file, n_bytes) = open(path)?;
            let array = Array::open(Metered::new(file, meter), n_bytes);
            vector(array.map_err(whole)?, &name)
        }
        Kind::Npz => {
            let (file, _) = open(path)?;
            let mut npz = Npz::open(Metered::new(file, meter)).map_err(whole)?;
            let b = npz.need(&npz::BIAS, "b, bias or class_bias");
            let b = b.map_err(whole)?;
            let (array, file) = npz.array(&b, &name)?;
            vector(array, &file)
        }
        Kind::Text => match read_loose(path, Wanted::Maybe, meter)? {
            Loose {
                features:
                    Matrix {
                        n_rows,
                        dim,
                        values,
                    },
                labeled: None,
                ..
            } if n_rows.min(dim) == 1 => Ok(values),
            _ => Err(whole(Fault::Shape {
                found: "of a table".to_owned(),
                expected: "one column, a number for each class".to_owned(),
            })),
        },
        Kind::Folder | Kind::Idx { .. } => {
            let (found, expected) = ("no bias", "CSV, NPY or NPZ");
            Err(whole(Fault::OtherKind { found, expected }))
        }
    }
}

fn matrix(array: Array<impl std::io::Read>, file: &str) -> Result<Matrix, ReadError> {
    let read = array.matrix();
    let (n_rows, dim, values) = read.map_err(|(place, fault)| fault.at(file, place))?;
    Ok(Matrix {
        n_rows,
        dim,
        values,
    })
}

fn vector(array: Array<impl std::io::Read>, file: &str) -> Result<Vec<f32>, ReadError> {
    let read = array.vector();
    read.map_err(|(place, fault)| fault.at(file, place))
}
