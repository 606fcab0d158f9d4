//! Archives of NumPy arrays, read from a ZIP that may be hostile: nothing is ever unpacked to disk.

use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::error::{Fault, ReadError, list};
use super::npy::Array;

/// What the array of samples is called.
pub(super) const FEATURES: [&str; 14] = [
    "x",
    "X",
    "features",
    "data",
    "images",
    "embeddings",
    "x_train",
    "X_train",
    "train_x",
    "train_X",
    "train_images",
    "train_features",
    "train_data",
    "arr_0",
];
/// What the array of labels is called.
pub(super) const LABELS: [&str; 13] = [
    "y",
    "Y",
    "labels",
    "targets",
    "target",
    "label",
    "y_train",
    "Y_train",
    "train_y",
    "train_labels",
    "train_targets",
    "train_label",
    "arr_1",
];
/// What the matrix of class weights is called.
pub(super) const WEIGHTS: [&str; 6] = ["w", "W", "weight", "weights", "class_weights", "arr_2"];
/// What the bias of the classes is called.
pub(super) const BIAS: [&str; 4] = ["b", "bias", "class_bias", "arr_3"];

/// Most entries of an archive; NumPy writes one for each array.
const MAX_ENTRIES: usize = 1000;

/// An archive with the names of its arrays.
pub(super) struct Npz<R> {
    zip: ZipArchive<R>,
    /// Without `.npy`, as the archive lists them.
    names: Vec<String>,
}

impl<R: Read + Seek> Npz<R> {
    pub(super) fn open(reader: R) -> Result<Self, Fault> {
        let mut zip = ZipArchive::new(reader).map_err(zip_fault)?;
        if zip.has_duplicate_names() {
            return Err(Fault::Zip("two entries have one name".to_owned()));
        }
        if zip.len() > MAX_ENTRIES {
            let (what, max) = ("entries", MAX_ENTRIES);
            return Err(Fault::TooMany { what, max });
        }
        // A few bytes that many entries claim would be inflated many times.
        if zip.has_overlapping_entries().map_err(zip_fault)? {
            return Err(Fault::Zip("two entries share bytes".to_owned()));
        }
        let names = zip.file_names_raw().map(String::from_utf8_lossy);
        let names = names
            .filter_map(|name| Some(name.strip_suffix(".npy")?.to_owned()))
            .collect();
        Ok(Self { zip, names })
    }

    /// The name of the array that is called as one of `wanted`.
    pub(super) fn find(&self, wanted: &[&str]) -> Result<Option<String>, Fault> {
        // A name that says which part it is (x_train) or nothing (arr_0) gives way to a plain one.
        let is_plain = |name: &&String| !name.contains('_') || name.starts_with("class_");
        let there = || {
            self.names
                .iter()
                .filter(|name| wanted.contains(&name.as_str()))
        };
        let plain: Vec<&String> = there().filter(is_plain).collect();
        let named = if plain.is_empty() {
            there().collect()
        } else {
            plain
        };
        match named.as_slice() {
            [] => Ok(None),
            [name] => Ok(Some((*name).clone())),
            [a, b, ..] => {
                let [a, b] = [a, b].map(|name| (*name).clone());
                Err(Fault::TwoArrays { a, b })
            }
        }
    }

    /// The name of the array where there is but one.
    pub(super) fn only(&self) -> Option<String> {
        match self.names.as_slice() {
            [name] => Some(name.clone()),
            _ => None,
        }
    }

    /// As [`find`](Self::find), where there must be one.
    pub(super) fn need(&self, wanted: &[&str], usual: &'static str) -> Result<String, Fault> {
        self.find(wanted)?.ok_or_else(|| Fault::NoArray {
            wanted: usual,
            there: if self.names.is_empty() {
                "none".to_owned()
            } else {
                list(self.names.iter().map(String::as_str))
            },
        })
    }

    /// Arrays beside those in `used`.
    pub(super) fn unused(&self, used: &[&String]) -> Option<String> {
        let others = self.names.iter().filter(|name| !used.contains(name));
        let others: Vec<&str> = others.map(String::as_str).collect();
        (!others.is_empty()).then(|| format!("not used: {}", list(others.into_iter())))
    }

    /// Opens an array; `file` is the archive's name, for messages.
    pub(super) fn array(
        &mut self,
        name: &str,
        file: &str,
    ) -> Result<(Array<impl Read>, String), ReadError> {
        let inner = inner_name(file, name);
        let entry = self
            .zip
            .by_name(&format!("{name}.npy"))
            .map_err(|error| zip_fault(error).whole(&inner))?;
        let n_bytes = entry.size();
        let array = Array::open(entry, n_bytes).map_err(|fault| fault.whole(&inner))?;
        Ok((array, inner))
    }
}

/// The name of an array in an archive, for messages.
pub(super) fn inner_name(file: &str, name: &str) -> String {
    format!("{file}: {name}")
}

fn zip_fault(error: ZipError) -> Fault {
    match error {
        ZipError::Io(error) => Fault::io(&error),
        ZipError::InvalidArchive(text) if text.contains("EOCD") => {
            Fault::Zip("the end of the archive is missing; is the file cut off?".to_owned())
        }
        other => {
            let text = other.to_string();
            let text = text.strip_prefix("invalid Zip archive: ").unwrap_or(&text);
            Fault::Zip(text.to_owned())
        }
    }
}
