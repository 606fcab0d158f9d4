//! Features that somebody else trained, as they are looked at: in 2 or 3 dimensions, or all they have.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::error::{Fault, Place, ReadError, counted, list, quoted};
use super::features::{FeatureFiles, Features, Matrix, read_features};
use super::input::{Progress, name_of};
use super::principal::{MAX_SIDE, Principal};
use crate::data::split::Split;

/// Largest magnitude of a number: squares of it, added up over all dimensions, stay within f32.
const LARGEST: f32 = 1e9;

/// Features of a file with all that was found out about them. Two are equal if all their numbers,
/// labels and names are; their SHA-256 tells.
#[derive(Debug)]
pub struct GivenFeatures {
    features: Features,
    /// Samples of each class `[classes]`; none where there are no labels.
    counts: Vec<usize>,
    /// `None` where nothing has ever to be left out.
    principal: Option<Principal>,
    notes: Vec<String>,
    sha256: String,
}

impl PartialEq for GivenFeatures {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

/// What is known of features that are looked at and not trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Numbers of a feature in the file.
    pub file_dim: usize,
    /// Part of the squared length that the dimensions show into which features and weights were
    /// projected; `None` where these are all that the file has.
    pub share: Option<f64>,
    /// Whether the file says which class a sample has.
    pub has_labels: bool,
    /// W `[dim, classes]`; `None` if no file has any.
    pub weights: Option<Vec<f32>>,
    /// b `[classes]`; `None` if no file has any.
    pub bias: Option<Vec<f32>>,
}

impl GivenFeatures {
    /// Reads the files, and finds the axes along which more than three dimensions are seen.
    pub(in crate::data) fn read(
        files: FeatureFiles<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Self, ReadError> {
        let paths = [Some(files.path), files.labels, files.weights, files.bias];
        let sizes = paths.into_iter().flatten().map(std::fs::metadata);
        let total = sizes.map(|size| size.map_or(0, |size| size.len())).sum();
        let features = read_features(files, progress)?;
        let name = name_of(files.path);
        let weights_name = files.weights.map_or_else(|| name.clone(), name_of);
        if features
            .class_weights
            .as_ref()
            .is_some_and(|w| w.n_rows == 1)
        {
            let (found, expected) = ("weights of 1 class".to_owned(), "at least 2".to_owned());
            return Err(Fault::OtherShape { found, expected }.whole(&weights_name));
        }
        let bias_name = files.bias.map_or_else(|| weights_name.clone(), name_of);
        for (name, found) in [name.clone(), weights_name, bias_name]
            .iter()
            .zip(huge(&features))
        {
            if let Some((place, fault)) = found {
                return Err(fault.at(name, place));
            }
        }
        let mut goes_on = || progress(total, total);
        Self::new(features, &mut goes_on).map_err(|fault| fault.whole(&name))
    }

    /// What is found out about features; `goes_on` is asked while axes are looked for.
    pub(super) fn new(
        features: Features,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Self, Fault> {
        let Matrix {
            n_rows,
            dim,
            values,
        } = &features.features;
        let (n_rows, dim) = (*n_rows, *dim);
        if let Some((_, fault)) = huge(&features).into_iter().flatten().next() {
            return Err(fault);
        }
        if features.labels.is_none() && features.class_weights.is_none() {
            return Err(Fault::NoClasses);
        }
        if let [name] = features.class_names.as_slice() {
            let name = quoted(name);
            return Err(Fault::OneClass { n: n_rows, name });
        }
        if dim < 2 {
            let expected = "at least 2 are needed for a picture";
            return Err(Fault::FeatureDim {
                found: dim,
                expected,
            });
        }
        if dim.min(n_rows) > MAX_SIDE {
            let expected =
                "of more than 4096 samples at most 4096 are projected; reduce them first";
            return Err(Fault::FeatureDim {
                found: dim,
                expected,
            });
        }
        if values.iter().all(|&x| x == 0.0) {
            return Err(Fault::AllZero);
        }
        let mut counts = vec![0; features.class_names.len()];
        for &label in features.labels.iter().flatten() {
            counts[usize::from(label)] += 1;
        }
        Ok(Self {
            principal: (dim > 2)
                .then(|| Principal::of(values, dim, goes_on).ok_or(Fault::Cancelled))
                .transpose()?,
            notes: notes(&features, &counts),
            sha256: sha256(&features),
            counts,
            features,
        })
    }

    /// Of all numbers, labels and names, as hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Numbers of a feature in the file.
    pub fn dim(&self) -> usize {
        self.features.features.dim
    }

    /// Samples of the file.
    pub fn n_samples(&self) -> usize {
        self.features.features.n_rows
    }

    /// Whether the file says which class a sample has.
    pub fn has_labels(&self) -> bool {
        self.features.labels.is_some()
    }

    /// What the classes are called, in their natural order.
    pub fn class_names(&self) -> &[String] {
        &self.features.class_names
    }

    /// Which class has which class weight, where that does not go without saying.
    pub fn owners_of_weights(&self) -> Option<String> {
        let names = self.class_names();
        let is_plain = |(row, name): (usize, &String)| *name == row.to_string();
        let goes_without_saying = names.iter().enumerate().all(is_plain);
        let is_told = self.features.class_weights.is_some() && !goes_without_saying;
        is_told.then(|| {
            let names = list(names.iter().map(String::as_str));
            format!("the class weights are taken for those of {names}, in this order")
        })
    }

    /// The first of `classes` whose weight has no direction.
    pub(crate) fn class_without_direction(&self, classes: &[usize]) -> Option<usize> {
        let weights = self.features.class_weights.as_ref()?;
        let is_zero = |class: &usize| weights.row(*class).iter().all(|&x| x == 0.0);
        classes.iter().copied().find(is_zero)
    }

    /// What was found out about the files, a sentence each without capital and full stop.
    pub fn findings(&self) -> &[String] {
        &self.notes
    }

    /// Whether any sample has one of `classes`, or all count because none has a label.
    pub(in crate::data) fn has_samples_of(&self, classes: &[usize]) -> bool {
        !self.has_labels() || classes.iter().any(|&class| self.counts[class] > 0)
    }

    /// The samples of `classes` in `dim` dimensions, at most so many of each, in the file's order;
    /// where there are no labels, all of them, with the label 0.
    ///
    /// `dim` is that of the file, or 2 or 3 below it: then features and weights are seen along the
    /// principal axes of all features of the file, whatever is chosen of them, so that the choice
    /// turns nothing.
    pub(in crate::data) fn seen(
        &self,
        dim: usize,
        classes: &[usize],
        most_of_class: usize,
    ) -> (Split, Given) {
        let Features {
            features,
            labels,
            class_weights,
            class_bias,
            ..
        } = &self.features;
        let mut seen = Vec::new();
        let mut seen_labels = Vec::new();
        let mut places = vec![None; self.counts.len()];
        for (place, &class) in classes.iter().enumerate() {
            places[class] = Some(place);
        }
        let mut n_of_class = vec![0; classes.len()];
        for row in 0..features.n_rows {
            let place = match labels {
                None => 0,
                Some(labels) => match places[usize::from(labels[row])] {
                    Some(place) if n_of_class[place] < most_of_class => place,
                    _ => continue,
                },
            };
            n_of_class[place] += 1;
            seen_labels.push(place as u16);
            self.push(features.row(row), dim, &mut seen);
        }
        let weights = class_weights.as_ref().map(|weights| {
            let mut seen = Vec::new();
            for &class in classes {
                self.push(weights.row(class), dim, &mut seen);
            }
            seen
        });
        let bias = class_bias.as_ref();
        let given = Given {
            file_dim: features.dim,
            share: self.principal(dim).map(|principal| principal.share(dim)),
            has_labels: labels.is_some(),
            weights,
            bias: bias.map(|bias| classes.iter().map(|&class| bias[class]).collect()),
        };
        (Split::vectors(seen_labels, dim, seen), given)
    }

    /// The axes along which `dim` dimensions are seen, where the file has more.
    fn principal(&self, dim: usize) -> Option<&Principal> {
        self.principal.as_ref().filter(|_| dim < self.dim())
    }

    fn push(&self, vector: &[f32], dim: usize, seen: &mut Vec<f32>) {
        match self.principal(dim) {
            Some(principal) => principal.push(vector, dim, seen),
            None => seen.extend_from_slice(vector),
        }
    }
}

impl Matrix {
    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dim..][..self.dim]
    }
}

/// The first number that is too large in features, weights and bias.
fn huge(features: &Features) -> [Option<(Place, Fault)>; 3] {
    let find = |values: &[f32], dim: Option<usize>| {
        let at = values.iter().position(|x| x.abs() > LARGEST)?;
        let place = dim.map_or(vec![at], |dim| vec![at / dim, at % dim]);
        let found = format!("{:e}", values[at]);
        Some((Place::Index(place), Fault::Huge { found }))
    };
    let of = |matrix: &Matrix| find(&matrix.values, Some(matrix.dim));
    let bias = features.class_bias.as_ref();
    [
        of(&features.features),
        features.class_weights.as_ref().and_then(of),
        bias.and_then(|bias| find(bias, None)),
    ]
}

/// `150 features of 64 numbers, 3 classes: setosa, versicolor, virginica`, and what else is to say.
fn notes(features: &Features, counts: &[usize]) -> Vec<String> {
    let Features {
        features,
        labels,
        class_names,
        class_weights,
        class_bias,
    } = features;
    let mut notes = vec![format!(
        "{} of {}, {} classes: {}",
        counted(features.n_rows, "feature"),
        counted(features.dim, "number"),
        class_names.len(),
        list(class_names.iter().map(String::as_str))
    )];
    let empty: Vec<&str> = class_names
        .iter()
        .zip(counts)
        .filter(|(_, n)| **n == 0)
        .map(|(name, _)| name.as_str())
        .collect();
    if labels.is_none() {
        notes.push("no labels".to_owned());
    } else if !empty.is_empty() {
        notes.push(format!("without a sample: {}", list(empty.into_iter())));
    }
    notes.push(match (class_weights, class_bias) {
        (None, _) => "no class weights: class means stand for them".to_owned(),
        (Some(_), None) => "class weights without a bias".to_owned(),
        (Some(_), Some(_)) => "class weights with their bias".to_owned(),
    });
    let rows_of = |matrix: &Matrix| {
        let rows = matrix.values.chunks_exact(matrix.dim);
        rows.filter(|row| row.iter().all(|&x| x == 0.0)).count()
    };
    let zero = [
        (rows_of(features), "feature"),
        (class_weights.as_ref().map_or(0, rows_of), "class weight"),
    ];
    for (n, what) in zero.into_iter().filter(|(n, _)| *n > 0) {
        notes.push(format!(
            "of length zero, without a direction: {}",
            counted(n, what)
        ));
    }
    notes
}

fn sha256(features: &Features) -> String {
    let Features {
        features,
        labels,
        class_names,
        class_weights,
        class_bias,
    } = features;
    let mut hash = Sha256::new();
    let shape = (features.dim, class_weights.is_some(), class_bias.is_some());
    hash.update(format!("{shape:?} {class_names:?} {}", labels.is_some()));
    for label in labels.iter().flatten() {
        hash.update(label.to_le_bytes());
    }
    let weights = class_weights.as_ref().map_or(&[][..], |w| &w.values);
    for numbers in [
        &features.values,
        weights,
        class_bias.as_deref().unwrap_or(&[]),
    ] {
        for numbers in numbers.chunks(1 << 12) {
            let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            hash.update(&bytes);
        }
    }
    let mut digits = String::new();
    for byte in hash.finalize() {
        let _ = write!(digits, "{byte:02x}"); // writing to a String cannot fail
    }
    digits
}
