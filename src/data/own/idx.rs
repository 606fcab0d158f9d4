//! The IDX format of MNIST, plain or compressed: a stack of images, a list of labels.

use std::io::Read;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::error::Fault;
use super::images;
use super::input::check_held;
use super::labels::{Labeled, Labels};
use super::npy::Samples;
use super::table::Values;
use crate::data::idx::{IdxError, IdxReader};

/// Items that are read at once.
const CHUNK: usize = 1 << 12;

/// Images of a file, `is_gz` if it is compressed.
pub(super) fn images(reader: impl Read, is_gz: bool) -> Result<Samples, Fault> {
    let mut idx = IdxReader::new(inflated(reader, is_gz), 3).map_err(|fault| fault_of(&fault))?;
    let [n, height, width] = [0, 1, 2].map(|axis| idx.shape()[axis]);
    check_held(n as u64, idx.item_len() as u64, 1)?;
    let mut pixels = Vec::new();
    while pixels.len() < n * height * width {
        pixels.extend(idx.read_items(CHUNK).map_err(|fault| fault_of(&fault))?);
    }
    idx.read_rest().map_err(|fault| fault_of(&fault))?;
    let (input, pixels, note) = images::fit(pixels, height, width);
    Ok(Samples {
        input,
        values: Values::Pixels(Arc::new(pixels)),
        notes: note.into_iter().collect(),
    })
}

/// Labels of a file.
pub(super) fn labels(reader: impl Read, is_gz: bool) -> Result<Labeled, Fault> {
    let idx = IdxReader::new(inflated(reader, is_gz), 1).map_err(|fault| fault_of(&fault))?;
    check_held(idx.n_items() as u64, 1, 8)?;
    let bytes = idx.read_rest().map_err(|fault| fault_of(&fault))?;
    let mut labels = Labels::default();
    for label in bytes {
        labels.push(&label.to_string())?;
    }
    Ok(labels.finish())
}

fn inflated<'a>(reader: impl Read + 'a, is_gz: bool) -> Box<dyn Read + 'a> {
    if is_gz {
        Box::new(MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    }
}

fn fault_of(error: &IdxError) -> Fault {
    match error {
        IdxError::Read { message, .. } if *message == Fault::Cancelled.to_string() => {
            Fault::Cancelled // it went through two readers that keep no more than its words
        }
        other => Fault::Idx(other.to_string()),
    }
}
