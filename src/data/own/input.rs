//! Opening files, counting what was read, and stopping where that is wished.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::error::{Fault, ReadError};

/// Called now and then with bytes done and bytes in all; false cancels.
pub type Progress<'a> = dyn FnMut(u64, u64) -> bool + 'a;

/// The largest file that is read, in bytes.
pub const MAX_FILE: u64 = 2 << 30;

/// The most that numbers or pixels of one file may take in memory, in bytes.
pub const MAX_HELD: u64 = 512 << 20;

/// The most samples of one file.
pub const MAX_ROWS: usize = 1 << 24;

/// The most numbers of one sample that is no image.
pub const MAX_COLUMNS: usize = 1 << 14;

/// Bytes between two calls of the progress function.
const REPORT_EVERY: u64 = 1 << 20;

/// Counts the bytes of all files of one reading.
pub(super) struct Meter<'a> {
    done: u64,
    reported: u64,
    total: u64,
    progress: &'a mut Progress<'a>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(total: u64, progress: &'a mut Progress<'a>) -> Self {
        Self {
            done: 0,
            reported: 0,
            total,
            progress,
        }
    }

    /// Notes `n` more bytes.
    pub(super) fn advance(&mut self, n: u64) -> Result<(), Fault> {
        self.done = self.done.saturating_add(n);
        if self.done < self.reported.saturating_add(REPORT_EVERY) {
            return Ok(());
        }
        self.reported = self.done;
        // What lies beside a file or is read twice was not counted before.
        if (self.progress)(self.done.min(self.total), self.total) {
            Ok(())
        } else {
            Err(Fault::Cancelled)
        }
    }

    /// Reports once more; even a small file is asked for once.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        if (self.progress)(self.total, self.total) {
            Ok(())
        } else {
            Err(Fault::Cancelled)
        }
    }
}

/// A reader whose bytes are counted; it fails with [`Fault::Cancelled`] inside an [`io::Error`].
pub(super) struct Metered<'m, 'a, R> {
    reader: R,
    meter: &'m mut Meter<'a>,
}

impl<'m, 'a, R> Metered<'m, 'a, R> {
    pub(super) fn new(reader: R, meter: &'m mut Meter<'a>) -> Self {
        Self { reader, meter }
    }
}

impl<R: Read> Read for Metered<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.meter.advance(n as u64)?;
        Ok(n)
    }
}

impl<R: Seek> Seek for Metered<'_, '_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}

/// The name of a file in messages.
pub(super) fn name_of(path: &Path) -> String {
    path.display().to_string()
}

/// Opens a regular file of at most [`MAX_FILE`] bytes; with its length.
pub(super) fn open(path: &Path) -> Result<(File, u64), ReadError> {
    open_at_most(path, MAX_FILE)
}

/// Opens a regular file of at most `max` bytes; with its length.
pub(super) fn open_at_most(path: &Path, max: u64) -> Result<(File, u64), ReadError> {
    let fault = |fault: Fault| fault.whole(&name_of(path));
    // Asked before it is opened: to open a pipe waits for its other end.
    let metadata = std::fs::metadata(path).map_err(|error| fault(Fault::io(&error)))?;
    if !metadata.is_file() {
        return Err(fault(Fault::NoFile));
    }
    let bytes = metadata.len();
    if bytes > max {
        let what = "its bytes".to_owned();
        return Err(fault(Fault::TooLarge { what, bytes, max }));
    }
    let file = File::open(path).map_err(|error| fault(Fault::io(&error)))?;
    Ok((file, bytes))
}

/// Reads until `buffer` is full or the file ends; how much came.
pub(super) fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Fault> {
    let mut n = 0;
    while n < buffer.len() {
        match reader.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A compressed stream that stops short is as truncated as a plain one.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(Fault::io(&error)),
        }
    }
    Ok(n)
}

/// Refuses vectors of more than [`MAX_COLUMNS`] numbers. Images may have more pixels: large ones are
/// fitted into fewer.
pub(super) fn check_columns(dim: usize) -> Result<(), Fault> {
    if dim > MAX_COLUMNS {
        let (what, max) = ("numbers in a sample", MAX_COLUMNS);
        return Err(Fault::TooMany { what, max });
    }
    Ok(())
}

/// Refuses samples that would take more than [`MAX_HELD`], `bytes_each` for each number.
pub(super) fn check_held(n: u64, dim: u64, bytes_each: u64) -> Result<(), Fault> {
    let bytes = n.saturating_mul(dim).saturating_mul(bytes_each);
    if bytes > MAX_HELD {
        return Err(Fault::TooLarge {
            what: format!("{n} samples of {dim} numbers"),
            bytes,
            max: MAX_HELD,
        });
    }
    if n > MAX_ROWS as u64 {
        let (what, max) = ("samples", MAX_ROWS);
        return Err(Fault::TooMany { what, max });
    }
    Ok(())
}
