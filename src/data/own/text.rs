//! Text files: their encoding, their separator, and rows of bounded length.

use std::io::{self, Cursor, Read};

use super::error::{Fault, Place, ReadError};
use super::input::check_held;
use super::labels::{Labeled, Labels, is_label_name};

/// The longest row, in bytes.
pub(super) const MAX_RECORD: u64 = 1 << 20;

/// Bytes from which encoding, separator and header are found out: at least two rows.
const SAMPLE: u64 = 2 * MAX_RECORD + BUFFER as u64;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// Rows that are looked at to find the separator.
const N_SAMPLE_ROWS: usize = 50;

/// A text whose beginning is known.
pub(super) struct Text<R> {
    /// The first bytes, without a byte order mark.
    pub sample: Vec<u8>,
    /// Whether they are all there is.
    pub is_whole: bool,
    rest: R,
}

impl<R: Read> Text<R> {
    /// Reads the beginning, and refuses what is no text in UTF-8 at all.
    pub(super) fn open(mut reader: R) -> Result<Self, Fault> {
        let mut sample = Vec::new();
        let read = reader.by_ref().take(SAMPLE).read_to_end(&mut sample);
        read.map_err(|error| Fault::io(&error))?;
        let is_whole = (sample.len() as u64) < SAMPLE;
        if let Some(found) = foreign_encoding(&sample) {
            return Err(Fault::Encoding { found });
        }
        if sample.starts_with(b"\xef\xbb\xbf") {
            sample.drain(..3);
        }
        Ok(Self {
            is_whole,
            sample,
            rest: reader,
        })
    }

    /// The rows, fields separated by `separator`.
    pub(super) fn rows(self, separator: u8) -> Rows<io::Chain<Cursor<Vec<u8>>, R>> {
        let source = Bounded {
            reader: Cursor::new(self.sample).chain(self.rest),
            left: MAX_RECORD + BUFFER as u64,
        };
        Rows(csv_options(separator).from_reader(source))
    }
}

fn csv_options(separator: u8) -> csv::ReaderBuilder {
    let mut options = csv::ReaderBuilder::new();
    options
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(BUFFER);
    options
}

/// What text is that is not UTF-8, where the first bytes tell.
fn foreign_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        _ if bytes.contains(&0) => Some("no text (it has zero bytes)"),
        _ => None,
    }
}

/// A reader that gives up on a row that does not end.
struct Bounded<R> {
    reader: R,
    /// Bytes that the row under way may still take.
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or(Fault::LongRow { max: MAX_RECORD })?;
        Ok(n)
    }
}

/// Rows of a text, one at a time.
pub(super) struct Rows<R>(csv::Reader<Bounded<R>>);

impl<R: Read> Rows<R> {
    /// Reads the next row that is not empty; false at the end.
    pub(super) fn next(
        &mut self,
        file: &str,
        row: &mut csv::ByteRecord,
    ) -> Result<bool, ReadError> {
        self.0.get_mut().left = MAX_RECORD + BUFFER as u64;
        let line = self.0.position().line();
        self.0.read_byte_record(row).map_err(|error| {
            let fault = match error.into_kind() {
                csv::ErrorKind::Io(error) => Fault::io(&error),
                other => Fault::Io(format!("{other:?}")),
            };
            let place = match fault {
                Fault::LongRow { .. } => Place::Line(line),
                _ => Place::Whole,
            };
            fault.at(file, place)
        })
    }
}

/// The line on which a row begins.
pub(super) fn line_of(row: &csv::ByteRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

/// A field as text.
pub(super) fn utf8(field: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(field).map_err(|error| Fault::NotUtf8 {
        byte: field[error.valid_up_to()],
    })
}

/// Labels, one a line, `n_samples` of them; a first line that is a usual name of a label column is
/// a header if there is one line more.
pub(super) fn read_labels(
    reader: impl Read,
    file: &str,
    n_samples: usize,
) -> Result<Labeled, ReadError> {
    let text = Text::open(reader).map_err(|fault| fault.whole(file))?;
    let mut rows = text.rows(b',');
    let mut row = csv::ByteRecord::new();
    let mut labels = Labels::default();
    let mut header = None;
    while rows.next(file, &mut row)? {
        let fault = |fault: Fault| fault.at(file, Place::Line(line_of(&row)));
        if row.len() != 1 {
            return Err(fault(Fault::ManyLabels { found: row.len() }));
        }
        let label = utf8(&row[0]).map_err(fault)?;
        if labels.len() == 0 && header.is_none() && is_label_name(label.trim()) {
            header = Some(label.to_owned());
        } else {
            check_held(labels.len() as u64, 1, 8)
                .and_then(|()| labels.push(label))
                .map_err(fault)?;
        }
    }
    if let Some(label) = header.filter(|_| labels.len() + 1 == n_samples) {
        let pushed = labels.push_front(&label);
        pushed.map_err(|fault| fault.at(file, Place::Line(1)))?;
    }
    Ok(labels.finish())
}

/// Which of comma, semicolon and tab separates the fields of a text that begins with `sample`: the
/// one that leaves the most numbers in rows as long as the first. `None` if every row is one field.
pub(super) fn find_separator(sample: &[u8], is_whole: bool) -> Option<u8> {
    let score = |separator: u8| {
        let rows = sample_rows(sample, is_whole, separator);
        let width = rows.first().map_or(0, csv::ByteRecord::len);
        let alike = rows.iter().filter(|row| row.len() == width);
        let fields = alike.clone().flatten();
        let n_numbers = fields
            .filter(|field| utf8(field).is_ok_and(|text| is_number(text, separator)))
            .count();
        // Of two that leave as many numbers, the one that leaves fewer other fields.
        let width_rank = if n_numbers > 0 {
            -(width as i64)
        } else {
            width as i64
        };
        (width > 1).then_some((n_numbers, alike.count(), width_rank))
    };
    // Of equals the last is the largest, so the comma, which is the most common, stands there.
    let scored = *b"\t;,";
    let scored = scored.map(|separator| score(separator).map(|score| (score, separator)));
    let best = scored.into_iter().flatten().max_by_key(|(score, _)| *score);
    best.map(|(_, separator)| separator)
}

/// The first rows; the last one is left out where it may be cut.
pub(super) fn sample_rows(sample: &[u8], is_whole: bool, separator: u8) -> Vec<csv::ByteRecord> {
    let rows = csv_options(separator)
        .from_reader(sample)
        .into_byte_records();
    let mut rows: Vec<_> = rows.take(N_SAMPLE_ROWS).map_while(Result::ok).collect();
    if !is_whole && rows.len() > 1 && rows.len() < N_SAMPLE_ROWS {
        rows.pop();
    }
    rows
}

/// The number that a field is: with a decimal comma, too, where the comma does not separate.
pub(super) fn parse_number(text: &str, separator: u8) -> Option<f32> {
    let text = text.trim();
    let parsed = text.parse().ok();
    if parsed.is_some() || separator == b',' || text.contains('.') {
        return parsed;
    }
    let with_point = text.replacen(',', ".", 1);
    with_point.parse().ok().filter(|_| with_point != text)
}

/// Whether it is a number, finite or not.
pub(super) fn is_number(text: &str, separator: u8) -> bool {
    parse_number(text, separator).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_separator(text: &str, expected: Option<u8>) {
        assert_eq!(find_separator(text.as_bytes(), true), expected, "{text:?}");
    }

    #[test]
    fn the_separator_is_the_one_that_leaves_numbers() {
        check_separator("a,b,c\n1,2,x\n3,4,y\n", Some(b','));
        check_separator("1;2;x\n3;4;y\n", Some(b';'));
        check_separator("1\t2\tx\n", Some(b'\t'));
        check_separator("5,1;3,5;setosa\n4,9;3,0;setosa\n", Some(b';'));
        check_separator("1,2,a;b\n3,4,c;d\n", Some(b','));
        check_separator("1,2;3,4\n5,6;7,8\n", Some(b';'));
        check_separator("1 2 3\n4 5 6\n", None);
        check_separator("", None);
    }

    #[test]
    fn decimal_commas_are_numbers_where_commas_do_not_separate() {
        assert_eq!(parse_number(" 5,1 ", b';'), Some(5.1));
        assert_eq!(parse_number("5,1", b','), None);
        assert_eq!(parse_number("1,2,3", b';'), None);
        assert_eq!(parse_number("1.2,3", b';'), None);
        assert_eq!(parse_number("-1e3", b'\t'), Some(-1000.0));
        assert_eq!(parse_number("", b';'), None);
    }

    #[test]
    fn other_encodings_are_told_by_their_first_bytes() {
        let open = |bytes: &[u8]| Text::open(bytes).map(|_| ()).unwrap_err().to_string();
        assert_eq!(open(b"\xff\xfea\0"), "is UTF-16; save it as UTF-8");
        assert_eq!(
            open(b"a\0b\0"),
            "is no text (it has zero bytes); save it as UTF-8"
        );
        let bom = Text::open(&b"\xef\xbb\xbfa,b"[..]).unwrap();
        assert_eq!(bom.sample, b"a,b");
    }
}
