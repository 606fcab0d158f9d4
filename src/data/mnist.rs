//! MNIST, from the four compressed files inside the binary.

use std::io::Read;
use std::sync::{Arc, OnceLock};
use std::thread;

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};

use super::blocks::ImageBlocks;
use super::error::DataError;
use super::idx::{IdxError, IdxReader};
use super::split::Split;

/// What `sha256sum -c` would check the embedded files against.
const SUMS: &str = include_str!("../../assets/mnist/SHA256SUMS");

/// A file inside the binary.
struct Asset {
    file: &'static str,
    bytes: &'static [u8],
}

macro_rules! asset {
    ($file:literal) => {
        Asset {
            file: $file,
            bytes: include_bytes!(concat!("../../assets/mnist/", $file)),
        }
    };
}

/// The embedded files of a split, and the thread that decodes its images.
struct Source {
    images: Asset,
    labels: Asset,
    thread: &'static str,
}

const TRAIN: Source = Source {
    images: asset!("train-images-idx3-ubyte.gz"),
    labels: asset!("train-labels-idx1-ubyte.gz"),
    thread: "mnist-train",
};

const TEST: Source = Source {
    images: asset!("t10k-images-idx3-ubyte.gz"),
    labels: asset!("t10k-labels-idx1-ubyte.gz"),
    thread: "mnist-test",
};

/// A split of all ten digits: labels, and images that may still be arriving.
struct Digits {
    images: Arc<ImageBlocks>,
    labels: Vec<u8>,
}

/// The training and the test split of the digits `classes`, the former with at most
/// `samples_per_class` of each.
pub(super) fn splits(
    classes: &[usize],
    samples_per_class: Option<usize>,
) -> Result<(Split, Split), DataError> {
    static DIGITS: OnceLock<Result<[Digits; 2], DataError>> = OnceLock::new();
    let [train, test] = DIGITS.get_or_init(open).as_ref().map_err(Clone::clone)?;
    Ok((
        train.split(classes, samples_per_class.unwrap_or(usize::MAX)),
        test.split(classes, usize::MAX),
    ))
}

/// Starts decoding, and while that goes on checks that the right bytes are being decoded.
fn open() -> Result<[Digits; 2], DataError> {
    let digits = [start(&TRAIN)?, start(&TEST)?];
    for asset in [&TRAIN.images, &TRAIN.labels, &TEST.images, &TEST.labels] {
        check_sum(asset, SUMS)?;
    }
    Ok(digits)
}

/// Decodes the labels, and the images in a thread of their own.
fn start(source: &'static Source) -> Result<Digits, DataError> {
    let reader = open_idx(&source.images, 3)?;
    let (n_images, item_len) = (reader.n_items(), reader.item_len());
    let images = Arc::new(ImageBlocks::new(n_images, item_len));
    let filled = Arc::clone(&images);
    thread::Builder::new()
        .name(source.thread.to_owned())
        // A fault shows as blocks that never come, which nobody can be waiting for: the sums tell
        // `open` before it hands out anything.
        .spawn(move || filled.fill(reader))
        .map_err(|fault| DataError::Thread {
            name: source.thread,
            kind: fault.kind(),
        })?;
    let labels = open_idx(&source.labels, 1)?
        .read_rest()
        .map_err(|fault| idx_error(&source.labels, fault))?;
    if labels.len() != n_images {
        return Err(DataError::LabelCount {
            file: source.labels.file.to_owned(),
            found: labels.len(),
            expected: n_images,
        });
    }
    Ok(Digits { images, labels })
}

fn open_idx(asset: &Asset, rank: u8) -> Result<IdxReader<impl Read + use<>>, DataError> {
    IdxReader::new(GzDecoder::new(asset.bytes), rank).map_err(|fault| idx_error(asset, fault))
}

fn idx_error(asset: &Asset, source: IdxError) -> DataError {
    DataError::Idx {
        file: asset.file.to_owned(),
        source,
    }
}

/// Compares an asset with its line in `sums`.
fn check_sum(asset: &Asset, sums: &str) -> Result<(), DataError> {
    let expected = sums
        .lines()
        .filter_map(|line| line.split_once("  "))
        .find(|(_, file)| *file == asset.file)
        .map_or("nothing, as it is not listed", |(sum, _)| sum);
    let bytes = Sha256::digest(asset.bytes);
    let found = bytes
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect::<Vec<_>>()
        .concat();
    if found == expected {
        Ok(())
    } else {
        Err(DataError::DamagedAsset {
            file: asset.file,
            found,
            expected: expected.to_owned(),
        })
    }
}

impl Digits {
    /// The samples of `classes` in the file's order, at most `per_class` of each.
    fn split(&self, classes: &[usize], per_class: usize) -> Split {
        let mut n_of_label = vec![0; classes.len()];
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        for (row, &digit) in self.labels.iter().enumerate() {
            let Some(label) = classes
                .iter()
                .position(|&class| class == usize::from(digit))
            else {
                continue;
            };
            if n_of_label[label] < per_class {
                n_of_label[label] += 1;
                rows.push(row as u32);
                labels.push(label as u16);
            }
        }
        Split::images(labels, rows, Arc::clone(&self.images))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_files_have_their_sums() {
        for asset in [&TRAIN.images, &TRAIN.labels, &TEST.images, &TEST.labels] {
            check_sum(asset, SUMS).unwrap();
        }
    }

    #[test]
    fn a_damaged_asset_is_told_from_its_sum() {
        let asset = Asset {
            file: TEST.labels.file,
            bytes: &TEST.labels.bytes[1..],
        };
        let fault = check_sum(&asset, SUMS).unwrap_err();
        let DataError::DamagedAsset { file, expected, .. } = fault else {
            panic!("{fault:?}")
        };
        assert_eq!(file, "t10k-labels-idx1-ubyte.gz");
        assert!(expected.starts_with("b91679a0"), "{expected}");
    }

    #[test]
    fn an_asset_without_a_sum_is_damaged() {
        assert!(matches!(
            check_sum(&TEST.labels, ""),
            Err(DataError::DamagedAsset { .. })
        ));
    }

    #[test]
    fn a_file_that_is_no_idx_names_itself_and_keeps_the_cause() {
        let asset = Asset {
            file: "swapped.gz",
            bytes: TEST.labels.bytes,
        };
        let fault = open_idx(&asset, 3).map(|_| ()).unwrap_err();
        assert_eq!(fault.to_string(), "swapped.gz cannot be read as IDX");
        let cause = std::error::Error::source(&fault).unwrap();
        assert!(
            cause
                .to_string()
                .starts_with("magic number is [00, 00, 08, 01]"),
            "{cause}"
        );
    }

    #[test]
    fn both_splits_inflate_to_the_end() {
        for source in [&TRAIN, &TEST] {
            let digits = start(source).unwrap();
            let direct = open_idx(&source.images, 3).unwrap().read_rest().unwrap();
            assert_eq!(direct.len(), digits.labels.len() * 784);
            for (row, image) in direct.chunks(784).enumerate() {
                assert_eq!(digits.images.wait_for(row), image, "image {row}");
            }
        }
    }
}
