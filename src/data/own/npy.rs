//! Arrays of NumPy: features, images, labels, in either order of axes and bytes.

use std::io::Read;
use std::sync::Arc;

use super::error::{Fault, Place, quoted};
use super::images;
use super::input::{check_columns, check_held, read_full};
use super::labels::{Labeled, Labels};
use super::npy_header::{Dtype, Header};
use super::table::Values;
use crate::data::InputShape;

/// Bytes that are decoded at once.
const CHUNK: usize = 1 << 18;

/// Types of numbers that are read.
const NUMBERS: &str = "floats of 16 to 64 bits, whole numbers or booleans";

/// A place and what is wrong there.
type Located = (Place, Fault);

/// An array whose header is read.
pub(super) struct Array<R> {
    pub header: Header,
    reader: R,
}

/// Samples of an array.
pub(super) struct Samples {
    pub input: InputShape,
    pub values: Values,
    pub notes: Vec<String>,
}

impl<R: Read> Array<R> {
    /// Reads the header of an array in `n_bytes` bytes, and compares it with them.
    pub(super) fn open(mut reader: R, n_bytes: u64) -> Result<Self, Fault> {
        let header = Header::read(&mut reader)?;
        if header.dtype.kind == 'O' {
            return Err(Fault::PythonObjects); // pickled, so that their bytes cannot be counted
        }
        let wanted = header
            .n_elements()
            .and_then(|n| n.checked_mul(header.dtype.size as u64));
        let found = n_bytes.saturating_sub(header.n_bytes);
        match wanted {
            Some(wanted) if wanted == found => Ok(Self { header, reader }),
            Some(expected) if expected < found => Err(Fault::Trailing { expected }),
            Some(expected) => Err(Fault::Truncated {
                part: "numbers",
                found,
                expected,
            }),
            None => Err(Fault::Shape {
                found: header.shape_text(),
                expected: "a number of bytes below 2⁶⁴".to_owned(),
            }),
        }
    }

    /// Samples to train on: vectors `(n, d)`, or images `(n, height, width)`.
    pub(super) fn samples(mut self) -> Result<Samples, Located> {
        let whole = |fault| (Place::Whole, fault);
        if self.header.shape.contains(&0) {
            let expected = "samples of numbers";
            return Err(whole(Fault::Empty { expected }));
        }
        let (height, width) = match *self.header.shape.as_slice() {
            [_, dim] => {
                check_columns(dim).map_err(whole)?;
                let input = InputShape::Vector { dim };
                let values = Values::Numbers(self.numbers()?);
                let notes = Vec::new();
                return Ok(Samples {
                    input,
                    values,
                    notes,
                });
            }
            [_, height, width] | [_, 1, height, width] | [_, height, width, 1] => (height, width),
            _ => {
                return Err(whole(
                    self.wrong_shape("(n, d) for vectors or (n, h, w) for gray images"),
                ));
            }
        };
        let mut notes = Vec::new();
        let pixels = if (self.header.dtype.kind, self.header.dtype.size) == ('u', 1) {
            self.check(1).map_err(whole)?;
            self.read_all(|bytes, pixels| pixels.extend_from_slice(bytes), |_| true)?
        } else {
            let (pixels, note) = images::pixels_of_numbers(&self.numbers()?);
            notes.extend(note);
            pixels
        };
        let (input, pixels, note) = images::fit(pixels, height, width);
        notes.extend(note);
        Ok(Samples {
            input,
            values: Values::Pixels(Arc::new(pixels)),
            notes,
        })
    }

    /// A matrix `(n, d)`; with its sizes.
    pub(super) fn matrix(mut self) -> Result<(usize, usize, Vec<f32>), Located> {
        match *self.header.shape.as_slice() {
            [n, dim] if n > 0 && dim > 0 => {
                check_columns(dim).map_err(|fault| (Place::Whole, fault))?;
                Ok((n, dim, self.numbers()?))
            }
            _ => Err((Place::Whole, self.wrong_shape("(n, d)"))),
        }
    }

    /// Numbers `(n,)`, `(n, 1)` or `(1, n)`.
    pub(super) fn vector(mut self) -> Result<Vec<f32>, Located> {
        match *self.header.shape.as_slice() {
            [n] | [n, 1] | [1, n] if n > 0 => self.numbers(),
            _ => Err((
                Place::Whole,
                self.wrong_shape("(c,), a number for each class"),
            )),
        }
    }

    /// Labels `(n,)` or `(n, 1)`: whole numbers, booleans or texts.
    pub(super) fn labels(mut self) -> Result<Labeled, Located> {
        let whole = |fault| (Place::Whole, fault);
        if !matches!(*self.header.shape.as_slice(), [_] | [_, 1]) {
            return Err(whole(self.wrong_shape("(n,), a label for each sample")));
        }
        let n = self.header.n_elements().unwrap_or(u64::MAX);
        check_held(n, 1, 8).map_err(whole)?;
        let mut labels = Labels::default();
        let dtype = self.header.dtype.clone();
        if !"fiubUS".contains(dtype.kind) {
            return Err(whole(unknown_label(&dtype)));
        }
        let mut k = 0;
        self.for_each_chunk(|header, bytes| {
            for element in bytes.chunks_exact(dtype.size) {
                label_text(&dtype, element)
                    .and_then(|text| labels.push(&text))
                    .map_err(|fault| (Place::Index(header.index(k)), fault))?;
                k += 1;
            }
            Ok(())
        })?;
        Ok(labels.finish())
    }

    fn wrong_shape(&self, expected: &str) -> Fault {
        Fault::Shape {
            found: self.header.shape_text(),
            expected: expected.to_owned(),
        }
    }

    /// Whether a sample's numbers fit, `bytes_each` for each.
    fn check(&self, bytes_each: u64) -> Result<(), Fault> {
        let (n, sample) = self.header.shape.split_first().unwrap_or((&0, &[]));
        let mut sizes = sample.iter().map(|&size| size as u64);
        let dim = sizes.try_fold(1_u64, u64::checked_mul);
        check_held(*n as u64, dim.unwrap_or(u64::MAX), bytes_each)
    }

    /// All elements as finite floats, the last axis fastest.
    fn numbers(&mut self) -> Result<Vec<f32>, Located> {
        self.check(4).map_err(|fault| (Place::Whole, fault))?;
        let dtype = self.header.dtype.clone();
        let decode = decoder(&dtype).ok_or_else(|| {
            let (found, expected) = (dtype.descr.clone(), NUMBERS);
            (Place::Whole, Fault::Dtype { found, expected })
        })?;
        self.read_all(
            |bytes, numbers| decode(bytes, dtype.is_big_endian, numbers),
            |number: f32| number.is_finite(),
        )
    }

    /// Decodes all elements and brings them into the order in which the last axis is fastest.
    fn read_all<T: Copy + Default + std::fmt::Debug>(
        &mut self,
        decode: impl Fn(&[u8], &mut Vec<T>),
        is_fine: impl Fn(T) -> bool,
    ) -> Result<Vec<T>, Located> {
        let n = self.header.n_elements().unwrap_or(0) as usize; // checked: it fits in memory
        let mut all = Vec::new();
        let mut place = Walk::new(&self.header);
        let mut chunk = Vec::new();
        if self.header.is_fortran {
            all.resize(n, T::default());
        } else {
            all.reserve_exact(n);
        }
        let mut k = 0;
        self.for_each_chunk(|header, bytes| {
            chunk.clear();
            decode(bytes, &mut chunk);
            if let Some(bad) = chunk.iter().position(|&value| !is_fine(value)) {
                let found = format!("{:?}", chunk[bad]);
                let at = Place::Index(header.index(k + bad));
                return Err((at, Fault::NotFinite { found }));
            }
            k += chunk.len();
            if header.is_fortran {
                for &value in &chunk {
                    all[place.next()] = value;
                }
            } else {
                all.extend_from_slice(&chunk);
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Gives the bytes of all elements in stretches of whole elements, and checks that nothing
    /// follows them.
    fn for_each_chunk(
        &mut self,
        mut use_chunk: impl FnMut(&Header, &[u8]) -> Result<(), Located>,
    ) -> Result<(), Located> {
        let whole = |fault| (Place::Whole, fault);
        let size = self.header.dtype.size.max(1);
        let n_elements = self.header.n_elements().unwrap_or(u64::MAX);
        let expected = n_elements.saturating_mul(size as u64);
        let per_chunk = (CHUNK / size).max(1) * size;
        let mut buffer = vec![0; per_chunk.min(expected as usize)];
        let mut done = 0;
        while done < expected {
            let wanted = (expected - done).min(per_chunk as u64) as usize;
            let n = read_full(&mut self.reader, &mut buffer[..wanted]).map_err(whole)?;
            done += n as u64;
            if n < wanted {
                return Err(whole(Fault::Truncated {
                    part: "numbers",
                    found: done,
                    expected,
                }));
            }
            use_chunk(&self.header, &buffer[..n])?;
        }
        // At the end of a compressed stream this also checks the stream's own sum.
        match read_full(&mut self.reader, &mut [0]).map_err(whole)? {
            0 => Ok(()),
            _ => Err(whole(Fault::Trailing { expected })),
        }
    }
}

/// Where the elements of an array go whose first axis is fastest.
struct Walk {
    shape: Vec<usize>,
    strides: Vec<usize>,
    index: Vec<usize>,
    at: usize,
}

impl Walk {
    fn new(header: &Header) -> Self {
        let shape = header.shape.clone();
        let mut strides = vec![1_usize; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
        }
        Self {
            index: vec![0; shape.len()],
            shape,
            strides,
            at: 0,
        }
    }

    /// The place of the next element.
    fn next(&mut self) -> usize {
        let here = self.at;
        for axis in 0..self.shape.len() {
            self.index[axis] += 1;
            self.at += self.strides[axis];
            if self.index[axis] < self.shape[axis] {
                break;
            }
            self.at -= self.strides[axis] * self.shape[axis];
            self.index[axis] = 0;
        }
        here
    }
}

/// Appends elements as floats; the flag says that they are big-endian.
type Decode = fn(&[u8], bool, &mut Vec<f32>);

/// The function that decodes a type of numbers.
fn decoder(dtype: &Dtype) -> Option<Decode> {
    macro_rules! plain {
        ($type:ty) => {
            |bytes, is_big_endian, numbers| {
                let (elements, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                if is_big_endian {
                    numbers.extend(elements.iter().map(|e| <$type>::from_be_bytes(*e) as f32));
                } else {
                    numbers.extend(elements.iter().map(|e| <$type>::from_le_bytes(*e) as f32));
                }
            }
        };
    }
    Some(match (dtype.kind, dtype.size) {
        ('f', 2) => |bytes, is_big_endian, numbers| {
            let (elements, _) = bytes.as_chunks::<2>();
            numbers.extend(
                elements
                    .iter()
                    .map(|&e| f32_from_f16(bits(e, is_big_endian))),
            );
        },
        ('f', 4) => plain!(f32),
        ('f', 8) => plain!(f64),
        ('i', 1) => plain!(i8),
        ('i', 2) => plain!(i16),
        ('i', 4) => plain!(i32),
        ('i', 8) => plain!(i64),
        ('u', 1) => plain!(u8),
        ('u', 2) => plain!(u16),
        ('u', 4) => plain!(u32),
        ('u', 8) => plain!(u64),
        ('b', 1) => |bytes, _, numbers| numbers.extend(bytes.iter().map(|&b| f32::from(b != 0))),
        _ => return None,
    })
}

fn bits(element: [u8; 2], is_big_endian: bool) -> u16 {
    if is_big_endian {
        u16::from_be_bytes(element)
    } else {
        u16::from_le_bytes(element)
    }
}

/// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction.
fn f32_from_f16(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * f32::exp2(-24.0),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1024.0 + fraction) * f32::exp2((exponent - 25) as f32),
    }
}

/// A label as text.
fn label_text(dtype: &Dtype, element: &[u8]) -> Result<String, Fault> {
    if matches!(dtype.kind, 'U' | 'S') {
        return name_text(dtype, element);
    }
    if let Some(whole) = whole_number(dtype, element) {
        return Ok(whole.to_string());
    }
    if dtype.kind != 'f' {
        return Err(unknown_label(dtype));
    }
    let mut value = Vec::new();
    if let Some(decode) = decoder(dtype) {
        decode(element, dtype.is_big_endian, &mut value);
    }
    match value.first() {
        // Beyond 2²⁴ not every whole number is a float.
        Some(value) if value.fract() == 0.0 && value.abs() < 16_777_216.0 => {
            Ok((*value as i64).to_string())
        }
        found => Err(Fault::Fraction {
            found: found.map_or("nothing".to_owned(), |value| format!("{value:?}")),
        }),
    }
}

fn unknown_label(dtype: &Dtype) -> Fault {
    Fault::Dtype {
        found: dtype.descr.clone(),
        expected: "whole numbers or texts (in NumPy: y.astype(str))",
    }
}

fn whole_number(dtype: &Dtype, element: &[u8]) -> Option<i128> {
    if !matches!(dtype.kind, 'i' | 'u' | 'b') {
        return None;
    }
    let mut bytes: Vec<u8> = element.to_vec();
    if dtype.is_big_endian {
        bytes.reverse();
    }
    let is_negative = dtype.kind == 'i' && bytes.last().is_some_and(|&byte| byte >= 0x80);
    let mut wide = [if is_negative { 0xff } else { 0 }; 16];
    wide.get_mut(..bytes.len().min(8))?
        .copy_from_slice(bytes.get(..bytes.len().min(8))?);
    (bytes.len() <= 8).then(|| i128::from_le_bytes(wide))
}

/// A text of NumPy, padded with zeros.
fn name_text(dtype: &Dtype, element: &[u8]) -> Result<String, Fault> {
    if dtype.kind == 'S' {
        let text = std::str::from_utf8(element).map_err(|error| Fault::NotUtf8 {
            byte: element[error.valid_up_to()],
        })?;
        return Ok(text.trim_end_matches('\0').to_owned());
    }
    let (units, _) = element.as_chunks::<4>();
    let code = |unit: &[u8; 4]| {
        if dtype.is_big_endian {
            u32::from_be_bytes(*unit)
        } else {
            u32::from_le_bytes(*unit)
        }
    };
    let text: Option<String> = units
        .iter()
        .map(|unit| char::from_u32(code(unit)))
        .collect();
    let text = text.ok_or_else(|| Fault::Fraction {
        found: quoted(&format!("{element:02x?}")),
    })?;
    Ok(text.trim_end_matches('\0').to_owned())
}

/// Whether there are as many labels as samples.
pub(super) fn check_count(found: usize, expected: usize) -> Result<(), Fault> {
    if found == expected {
        Ok(())
    } else {
        Err(Fault::LabelCount { found, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_are_exact() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(f32_from_f16(bits), value, "{bits:04x}");
        }
        assert!(f32_from_f16(0x7e00).is_nan());
    }

    #[test]
    fn a_walk_visits_every_place_once() {
        let header = Header {
            dtype: Dtype {
                kind: 'u',
                size: 1,
                is_big_endian: false,
                descr: "|u1".into(),
            },
            is_fortran: true,
            shape: vec![2, 3],
            n_bytes: 0,
        };
        let mut walk = Walk::new(&header);
        let places: Vec<usize> = (0..6).map(|_| walk.next()).collect();
        assert_eq!(places, [0, 3, 1, 4, 2, 5]);
    }

    #[test]
    fn labels_of_any_whole_type_are_read() {
        let text = |descr: &str, kind: char, size: usize, element: &[u8]| {
            let is_big_endian = descr.starts_with('>');
            let descr = descr.to_owned();
            let dtype = Dtype {
                kind,
                size,
                is_big_endian,
                descr,
            };
            label_text(&dtype, element).map_err(|fault| fault.to_string())
        };
        assert_eq!(
            text("<i8", 'i', 8, &(-3_i64).to_le_bytes()),
            Ok("-3".into())
        );
        assert_eq!(
            text(">i2", 'i', 2, &300_i16.to_be_bytes()),
            Ok("300".into())
        );
        assert_eq!(
            text("<u8", 'u', 8, &u64::MAX.to_le_bytes()),
            Ok("18446744073709551615".into())
        );
        assert_eq!(text("|b1", 'b', 1, &[1]), Ok("1".into()));
        assert_eq!(text("<f4", 'f', 4, &2.0_f32.to_le_bytes()), Ok("2".into()));
        assert!(text("<f4", 'f', 4, &2.5_f32.to_le_bytes()).is_err());
        assert!(text("<f4", 'f', 4, &f32::NAN.to_le_bytes()).is_err());
        assert_eq!(text("|S4", 'S', 4, b"ab\0\0"), Ok("ab".into()));
        assert_eq!(
            text("<U2", 'U', 8, &[0x2b, 0x73, 0, 0, 0, 0, 0, 0]),
            Ok("猫".into())
        );
        assert!(text("<U1", 'U', 4, &[0xff; 4]).is_err());
        assert!(text("|O", 'O', 8, &[0; 8]).is_err());
    }
}
