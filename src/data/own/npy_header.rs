//! The header of an NPY file: type, order and shape of an array (NumPy Enhancement Proposal 1).

use std::io::Read;

use super::error::{Fault, quoted};
use super::input::read_full;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The longest header, in bytes. NumPy itself trusts no more than 10,000.
const MAX_HEADER: usize = 1 << 16;

/// Most axes of an array; NumPy has at most 64.
const MAX_AXES: usize = 8;

/// What an array holds, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub dtype: Dtype,
    /// Whether the first axis varies fastest.
    pub is_fortran: bool,
    pub shape: Vec<usize>,
    /// Bytes before the elements.
    pub n_bytes: u64,
}

/// Type of the elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dtype {
    /// NumPy's letter: `f`, `i`, `u`, `b`, `U`, `S`.
    pub kind: char,
    /// Bytes of an element.
    pub size: usize,
    pub is_big_endian: bool,
    /// As it is written, `<f4`.
    pub descr: String,
}

impl Header {
    /// Reads magic number, version and header.
    pub(super) fn read(reader: &mut impl Read) -> Result<Self, Fault> {
        let mut start = [0; 10];
        let n = read_full(reader, &mut start)?;
        if n == 0 {
            let expected = "an NPY array";
            return Err(Fault::Empty { expected });
        }
        if !start[..n].starts_with(&MAGIC[..n.min(6)]) {
            let found = start[..n.min(6)].to_vec();
            let expected = "NPY";
            return Err(Fault::Magic { expected, found });
        }
        let truncated = |found: usize, expected: usize| Fault::Truncated {
            part: "header",
            found: found as u64,
            expected: expected as u64,
        };
        if n < start.len() {
            return Err(truncated(n, start.len()));
        }
        let (n_before, len) = text_length(start, reader)?;
        if len > MAX_HEADER {
            let message = format!("it takes {len} bytes, and at most {MAX_HEADER} are read");
            return Err(Fault::Header(message));
        }
        let mut text = vec![0; len];
        let n = read_full(reader, &mut text)?;
        if n < len {
            return Err(truncated(n_before + n, n_before + len));
        }
        let text = String::from_utf8_lossy(&text);
        let mut header = parse(text.trim_end()).map_err(Fault::Header)?;
        header.n_bytes = (n_before + len) as u64;
        Ok(header)
    }

    /// Number of elements; `None` if it passes 64 bits.
    pub(super) fn n_elements(&self) -> Option<u64> {
        let mut sizes = self.shape.iter().map(|&size| size as u64);
        sizes.try_fold(1_u64, u64::checked_mul)
    }

    /// The shape as NumPy writes it.
    pub(super) fn shape_text(&self) -> String {
        let sizes: Vec<String> = self.shape.iter().map(ToString::to_string).collect();
        match sizes.as_slice() {
            [one] => format!("({one},)"),
            _ => format!("({})", sizes.join(", ")),
        }
    }

    /// Where element number `k` of the file stands.
    pub(super) fn index(&self, mut k: usize) -> Vec<usize> {
        let mut index = vec![0; self.shape.len()];
        let mut set = |axis: usize| {
            let size = self.shape[axis].max(1);
            index[axis] = k % size;
            k /= size;
        };
        if self.is_fortran {
            (0..self.shape.len()).for_each(&mut set);
        } else {
            (0..self.shape.len()).rev().for_each(&mut set);
        }
        index
    }
}

/// Bytes before the header's text, and bytes of it.
fn text_length(start: [u8; 10], reader: &mut impl Read) -> Result<(usize, usize), Fault> {
    let [.., major, minor, a, b] = start;
    match major {
        1 => Ok((10, usize::from(u16::from_le_bytes([a, b])))),
        2 | 3 => {
            let mut high = [0; 2];
            if read_full(reader, &mut high)? < high.len() {
                let (part, found, expected) = ("header", 10, 12);
                return Err(Fault::Truncated {
                    part,
                    found,
                    expected,
                });
            }
            let len = u32::from_le_bytes([a, b, high[0], high[1]]);
            Ok((12, len as usize))
        }
        _ => Err(Fault::Header(format!(
            "version {major}.{minor} is not known; 1.0, 2.0 and 3.0 are"
        ))),
    }
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(text: &str) -> Result<Header, String> {
    let mut scanner = Scanner(text);
    scanner.expect("{")?;
    let (mut descr, mut is_fortran, mut shape) = (None, None, None);
    while !scanner.take("}") {
        let key = scanner.string()?;
        scanner.expect(":")?;
        match key {
            "descr" if scanner.begins("[") => {
                return Err("the elements are records; expected an array of numbers".to_owned());
            }
            "descr" => descr = Some(dtype(scanner.string()?)?),
            "fortran_order" => is_fortran = Some(scanner.boolean()?),
            "shape" => shape = Some(scanner.shape()?),
            _ => return Err(format!("unknown key {}", quoted(key))),
        }
        if !scanner.take(",") {
            scanner.expect("}")?;
            break;
        }
    }
    if !scanner.0.trim_start().is_empty() {
        return Err(format!("{} behind the closing brace", quoted(scanner.0)));
    }
    let missing = |key: &str| format!("there is no '{key}'");
    Ok(Header {
        dtype: descr.ok_or_else(|| missing("descr"))?,
        is_fortran: is_fortran.ok_or_else(|| missing("fortran_order"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
        n_bytes: 0,
    })
}

fn dtype(descr: &str) -> Result<Dtype, String> {
    let unknown = || format!("unknown type {}", quoted(descr));
    let mut rest = descr.chars();
    let order = rest.next().ok_or_else(unknown)?;
    let kind = rest.next().ok_or_else(unknown)?;
    if !"<>|=".contains(order) {
        return Err(unknown());
    }
    let digits = rest.as_str();
    let count: usize = match digits {
        "" if kind == 'O' => 8,
        _ => digits.parse().map_err(|_unsaid| unknown())?,
    };
    let size = if kind == 'U' {
        count.checked_mul(4)
    } else {
        Some(count)
    };
    Ok(Dtype {
        kind,
        size: size
            .filter(|size| (1..=MAX_HEADER).contains(size))
            .ok_or_else(unknown)?,
        is_big_endian: order == '>',
        descr: descr.to_owned(),
    })
}

/// What is left of a header's text.
struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    fn begins(&mut self, token: &str) -> bool {
        self.0 = self.0.trim_start();
        self.0.starts_with(token)
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.begins(token);
        if found {
            self.0 = &self.0[token.len()..];
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        Err(format!("expected {token}, found {}", self.found()))
    }

    fn found(&self) -> String {
        if self.0.is_empty() {
            "its end".to_owned()
        } else {
            quoted(self.0)
        }
    }

    fn string(&mut self) -> Result<&'a str, String> {
        for quote in ["'", "\""] {
            if !self.take(quote) {
                continue;
            }
            let Some((text, rest)) = self.0.split_once(quote) else {
                break;
            };
            self.0 = rest;
            return Ok(text);
        }
        Err(format!("expected a text in quotes, found {}", self.found()))
    }

    fn boolean(&mut self) -> Result<bool, String> {
        match (self.take("True"), self.take("False")) {
            (true, _) => Ok(true),
            (_, true) => Ok(false),
            _ => Err(format!("expected True or False, found {}", self.found())),
        }
    }

    fn shape(&mut self) -> Result<Vec<usize>, String> {
        self.expect("(")?;
        let mut shape = Vec::new();
        while !self.take(")") {
            shape.push(self.whole()?);
            if shape.len() > MAX_AXES {
                return Err(format!("more than {MAX_AXES} axes"));
            }
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(shape)
    }

    fn whole(&mut self) -> Result<usize, String> {
        let _ = self.begins("");
        let end = self.0.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        let whole = digits
            .parse()
            .map_err(|_unsaid| format!("expected a size, found {}", self.found()))?;
        self.0 = rest.strip_prefix('L').unwrap_or(rest); // as Python 2 wrote it
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_versions_of_python_are_read() {
        let header = parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }").unwrap();
        assert_eq!(header.shape, [3, 4]);
        assert_eq!((header.dtype.kind, header.dtype.size), ('f', 4));
        assert!(!header.is_fortran && !header.dtype.is_big_endian);
        let header = parse("{\"shape\":(3L,),\"fortran_order\":True,\"descr\":\">U5\"}").unwrap();
        assert_eq!(
            (header.shape_text(), header.dtype.size),
            ("(3,)".into(), 20)
        );
        assert!(header.is_fortran && header.dtype.is_big_endian);
        assert_eq!(
            parse("{'descr':'|b1','fortran_order':False,'shape':()}")
                .unwrap()
                .shape,
            [0; 0]
        );
    }

    #[test]
    fn what_is_no_header_is_said() {
        let message = |text: &str| parse(text).unwrap_err();
        assert_eq!(message(""), "expected {, found its end");
        assert_eq!(
            message("{'descr': [('a', '<f4')]}"),
            "the elements are records; expected an array of numbers"
        );
        assert_eq!(
            message("{'shape': (3, x)}"),
            "expected a size, found \"x)}\""
        );
        assert_eq!(
            message("{'shape': (99999999999999999999,)}"),
            "expected a size, found \"99999999999999999999,)}\""
        );
        assert_eq!(message("{'a': 1}"), "unknown key \"a\"");
        assert_eq!(message("{}"), "there is no 'descr'");
        assert_eq!(message("{'descr': 'f4'}"), "unknown type \"f4\"");
        assert_eq!(
            message("{'shape': (1,1,1,1,1,1,1,1,1)}"),
            "more than 8 axes"
        );
    }

    #[test]
    fn an_element_is_found_in_either_order() {
        let mut header = parse("{'descr':'<f4','fortran_order':False,'shape':(2, 3)}").unwrap();
        assert_eq!(header.index(4), [1, 1]);
        header.is_fortran = true;
        assert_eq!(header.index(4), [0, 2]);
    }
}
