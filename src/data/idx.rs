//! The IDX format of unsigned bytes, read as a stream, from files that may be hostile.
//!
//! A file is `00 00 08 rank`, then `rank` big-endian 32-bit sizes, then the bytes with the last
//! axis fastest (<http://yann.lecun.com/exdb/mnist/>, "The IDX file format"). An *item* is one
//! entry along the first axis: an image of a stack, or a label of a list.
//!
//! Memory is bounded by what has arrived, never by what a header claims.

use std::io::{ErrorKind, Read};

/// The largest payload that is accepted, in bytes. MNIST's largest has 47 million.
pub const MAX_PAYLOAD: u64 = 1 << 30;

/// The IDX type code for unsigned bytes, the only one that is read.
const UNSIGNED_BYTE: u8 = 0x08;

/// A first allocation stays below this, whatever the header says, in bytes.
const FIRST_ALLOCATION: usize = 1 << 22;

/// What is wrong with an IDX file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdxError {
    /// The file does not begin with the magic number of unsigned bytes of the wanted rank.
    #[error("magic number is {found:02x?}, expected {expected:02x?}")]
    Magic {
        /// The file's first four bytes.
        found: [u8; 4],
        /// What they should be.
        expected: [u8; 4],
    },
    /// The header's sizes multiply to more than [`MAX_PAYLOAD`].
    #[error("sizes {shape:?} make more than {MAX_PAYLOAD} bytes, which is the most that is read")]
    TooLarge {
        /// The sizes in the header.
        shape: Vec<u32>,
    },
    /// An axis has no entries.
    #[error("sizes {shape:?}: none may be zero")]
    Empty {
        /// The sizes in the header.
        shape: Vec<u32>,
    },
    /// The file ends before its header or its last item does.
    #[error("file ends after {found} of {expected} bytes of its {part}")]
    Truncated {
        /// `header` or `payload`.
        part: &'static str,
        /// Bytes that are there.
        found: u64,
        /// Bytes that the part has.
        expected: u64,
    },
    /// Bytes follow the last item.
    #[error("bytes follow the {expected} that the header announces")]
    Trailing {
        /// The payload's size in bytes.
        expected: u64,
    },
    /// Reading or inflating failed underneath.
    #[error("reading failed after {at} bytes of payload: {message}")]
    Read {
        /// Bytes of payload that were read before.
        at: u64,
        /// The kind of fault.
        kind: ErrorKind,
        /// The system's or the inflater's words.
        message: String,
    },
}

/// Reads the items of an IDX file in order, a few at a time.
///
/// ```
/// use marginscope::data::idx::IdxReader;
///
/// let file = [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1];
/// let mut labels = IdxReader::new(&file[..], 1)?;
/// assert_eq!(labels.n_items(), 3);
/// assert_eq!(labels.read_items(2)?, [7, 2]);
/// assert_eq!(labels.read_rest()?, [1]);
/// # Ok::<(), marginscope::data::idx::IdxError>(())
/// ```
#[derive(Debug)]
pub struct IdxReader<R> {
    reader: R,
    shape: Vec<usize>,
    payload: u64,
    position: u64,
}

impl<R: Read> IdxReader<R> {
    /// Reads the header of a file with `rank` axes.
    ///
    /// # Errors
    /// If the file is no IDX file of unsigned bytes with that rank, ends in its header, or
    /// announces nothing or more than [`MAX_PAYLOAD`].
    pub fn new(mut reader: R, rank: u8) -> Result<Self, IdxError> {
        let header_len = 4 + 4 * usize::from(rank);
        let header = read_up_to(&mut reader, header_len, 0)?;
        let expected = [0, 0, UNSIGNED_BYTE, rank];
        match header.first_chunk::<4>() {
            Some(found) if *found != expected => {
                return Err(IdxError::Magic {
                    found: *found,
                    expected,
                });
            }
            Some(_) if header.len() == header_len => {}
            _ => {
                return Err(IdxError::Truncated {
                    part: "header",
                    found: header.len() as u64,
                    expected: header_len as u64,
                });
            }
        }
        let (sizes, _) = header[4..].as_chunks::<4>();
        let shape: Vec<u32> = sizes.iter().map(|b| u32::from_be_bytes(*b)).collect();
        let payload = payload_of(&shape)?;
        let shape = shape.into_iter().map(|size| size as usize).collect();
        Ok(Self {
            reader,
            shape,
            payload,
            position: 0,
        })
    }

    /// The sizes of all axes, slowest first; none is zero.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of items in the file.
    pub fn n_items(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Bytes of one item.
    pub fn item_len(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Reads the next `n` items, or those that are left if they are fewer.
    ///
    /// # Errors
    /// If the file ends before them or cannot be read.
    pub fn read_items(&mut self, n: usize) -> Result<Vec<u8>, IdxError> {
        let left = self.payload - self.position;
        let wanted = left.min((n as u64).saturating_mul(self.item_len() as u64));
        let bytes = read_up_to(&mut self.reader, wanted as usize, self.position)?;
        self.position += bytes.len() as u64;
        if (bytes.len() as u64) < wanted {
            return Err(IdxError::Truncated {
                part: "payload",
                found: self.position,
                expected: self.payload,
            });
        }
        Ok(bytes)
    }

    /// Reads all items that are left, and checks that nothing follows them.
    ///
    /// At the end of a compressed stream this also checks the stream's own sum.
    ///
    /// # Errors
    /// As [`read_items`](Self::read_items), and if there are more bytes than announced.
    pub fn read_rest(mut self) -> Result<Vec<u8>, IdxError> {
        let items = self.read_items(self.n_items())?;
        if read_up_to(&mut self.reader, 1, self.position)?.is_empty() {
            Ok(items)
        } else {
            Err(IdxError::Trailing {
                expected: self.payload,
            })
        }
    }
}

/// The product of all sizes, in bytes.
fn payload_of(shape: &[u32]) -> Result<u64, IdxError> {
    if shape.contains(&0) {
        return Err(IdxError::Empty {
            shape: shape.to_vec(),
        });
    }
    shape
        .iter()
        .try_fold(1u64, |product, &size| product.checked_mul(u64::from(size)))
        .filter(|&payload| payload <= MAX_PAYLOAD)
        .ok_or_else(|| IdxError::TooLarge {
            shape: shape.to_vec(),
        })
}

/// Reads `wanted` bytes, or fewer at the end of the file.
fn read_up_to(reader: &mut impl Read, wanted: usize, position: u64) -> Result<Vec<u8>, IdxError> {
    let mut bytes = Vec::with_capacity(wanted.min(FIRST_ALLOCATION));
    match reader.by_ref().take(wanted as u64).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        // A compressed stream that stops short is as truncated as a plain one.
        Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => Ok(bytes),
        Err(fault) => Err(IdxError::Read {
            at: position + bytes.len() as u64,
            kind: fault.kind(),
            message: fault.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of `len` labels 0, 1, 2, … with a header that announces `announced`.
    fn labels(announced: u32, len: u8) -> Vec<u8> {
        let mut file = vec![0, 0, 8, 1];
        file.extend(announced.to_be_bytes());
        file.extend(0..len);
        file
    }

    fn read_all(file: &[u8], rank: u8) -> Result<Vec<u8>, IdxError> {
        IdxReader::new(file, rank)?.read_rest()
    }

    #[track_caller]
    fn check_message(result: Result<Vec<u8>, IdxError>, expected: &str) {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }

    #[test]
    fn items_of_a_stack_have_the_size_of_the_inner_axes() {
        let mut file = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
        file.extend(0..12);
        let mut images = IdxReader::new(&file[..], 3).unwrap();
        assert_eq!((images.shape(), images.item_len()), (&[2, 2, 3][..], 6));
        assert_eq!(images.read_items(1).unwrap(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(images.read_rest().unwrap(), [6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn every_truncation_is_named() {
        let file = labels(5, 5);
        for len in 0..file.len() {
            let fault = read_all(&file[..len], 1).unwrap_err();
            assert!(
                matches!(fault, IdxError::Truncated { .. }),
                "{len}: {fault}"
            );
        }
        check_message(
            read_all(&file[..9], 1),
            "file ends after 1 of 5 bytes of its payload",
        );
        check_message(
            read_all(&file[..3], 1),
            "file ends after 3 of 8 bytes of its header",
        );
    }

    #[test]
    fn another_kind_of_file_is_named_by_its_magic() {
        let expected = "magic number is [00, 00, 08, 01], expected [00, 00, 08, 03]";
        check_message(read_all(&labels(5, 5), 3), expected);
        let expected = "magic number is [50, 4b, 03, 04], expected [00, 00, 08, 01]";
        check_message(read_all(b"PK\x03\x04", 1), expected);
    }

    #[test]
    fn absurd_sizes_are_refused_before_anything_is_allocated() {
        let mut file = vec![0, 0, 8, 3];
        file.extend([0xff; 12]);
        assert!(matches!(read_all(&file, 3), Err(IdxError::TooLarge { .. })));
        check_message(
            read_all(&labels(0x4000_0001, 5), 1),
            "sizes [1073741825] make more than 1073741824 bytes, which is the most that is read",
        );
        check_message(read_all(&labels(0, 0), 1), "sizes [0]: none may be zero");
    }

    #[test]
    fn an_announced_gigabyte_that_does_not_arrive_costs_no_memory() {
        let file = labels(1 << 30, 5);
        let mut reader = IdxReader::new(&file[..], 1).unwrap().reader;
        let bytes = read_up_to(&mut reader, 1 << 30, 0).unwrap();
        assert_eq!(bytes.len(), 5);
        assert!(bytes.capacity() <= FIRST_ALLOCATION);
    }

    #[test]
    fn bytes_after_the_last_item_are_refused() {
        check_message(
            read_all(&labels(5, 6), 1),
            "bytes follow the 5 that the header announces",
        );
    }

    #[test]
    fn a_fault_underneath_keeps_its_place_and_words() {
        let mut file = &labels(5, 2)[..];
        let broken = std::io::Read::chain(
            &mut file,
            flate2::read::GzDecoder::new(&b"this is not gzip at all"[..]),
        );
        let fault = IdxReader::new(broken, 1).unwrap().read_rest().unwrap_err();
        let IdxError::Read { at, kind, .. } = fault else {
            panic!("{fault:?}")
        };
        assert_eq!((at, kind), (2, ErrorKind::InvalidInput));
    }
}
