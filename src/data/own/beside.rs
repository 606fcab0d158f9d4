//! The file of labels that lies beside a file of samples, by the usual names.

use std::path::{Path, PathBuf};

use super::error::{Fault, ReadError, list};
use super::input::name_of;

/// Parts of a name that stand for samples, and those that stand for labels in their place.
const SAMPLES: [&str; 9] = [
    "x",
    "X",
    "features",
    "feature",
    "data",
    "images",
    "image",
    "embeddings",
    "inputs",
];
const LABELS: [&str; 7] = ["y", "Y", "labels", "label", "targets", "target", "classes"];

/// Endings of a file of labels.
const ENDINGS: [&str; 3] = ["npy", "csv", "txt"];

/// The labels of the samples at `path`.
pub(super) fn find_labels(path: &Path) -> Result<PathBuf, ReadError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let candidates = candidates(&name);
    let there = candidates.iter().map(|name| path.with_file_name(name));
    there
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            let looked_for = match candidates.as_slice() {
                [] => "a name with x, features, data or images in it".to_owned(),
                names => list(names.iter().map(String::as_str)),
            };
            Fault::NoLabelsBeside { looked_for }.whole(&name_of(path))
        })
}

/// Names that labels may have, the likeliest first.
fn candidates(name: &str) -> Vec<String> {
    let is_part_end = |c: char| matches!(c, '-' | '_' | '.' | ' ');
    let parts: Vec<&str> = name.split_inclusive(is_part_end).collect();
    let mut names = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let word = part.trim_end_matches(is_part_end);
        if !SAMPLES.contains(&word) {
            continue;
        }
        for label in LABELS {
            let (before, after) = (parts[..at].concat(), parts[at + 1..].concat());
            let end = &part[word.len()..];
            names.push(format!("{before}{label}{end}{after}").replace("idx3", "idx1"));
        }
    }
    let others = names.clone();
    for ending in ENDINGS {
        let stems = others.iter().filter_map(|name| name.strip_suffix(".npy"));
        names.extend(stems.map(|stem| format!("{stem}.{ending}")));
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|candidate| candidate != name && seen.insert(candidate.clone()));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        let candidates = candidates(name);
        assert!(candidates.iter().any(|c| c == expected), "{candidates:?}");
    }

    #[test]
    fn usual_names_are_tried() {
        check("x.npy", "y.npy");
        check("X_train.npy", "y_train.npy");
        check("train_X.npy", "train_y.npy");
        check("features.npy", "labels.npy");
        check("features.npy", "labels.csv");
        check("embeddings.npy", "labels.txt");
        check("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
        check("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte");
        assert!(candidates("run.npy").is_empty());
    }
}
