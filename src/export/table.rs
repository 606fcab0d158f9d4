//! Numbers of a run as tables for other programs: CSV with a header, or NPY.

use std::path::Path;

use csv::Writer;
use serde::Serialize;

use crate::export::npy;

/// A table that cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The name's end says nothing that is known.
    #[error("expected a name that ends in .npy or .csv")]
    Name,
    /// The writer refused a row.
    #[error("a row cannot be written: {0}")]
    Csv(#[from] csv::Error),
}

/// Vectors with what each of them belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Vectors<'a> {
    /// Header of the first column: `label`, `class`.
    pub owner: &'a str,
    /// What each vector belongs to `[n]`
    pub owners: &'a [&'a str],
    /// `[dim, n]`
    pub values: &'a [f32],
    /// d
    pub dim: usize,
}

impl Vectors<'_> {
    /// As the end of a file's name says: NPY is the numbers alone, n × d; CSV has the names too.
    ///
    /// # Errors
    /// If the name ends otherwise.
    pub fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, TableError> {
        match kind(path)? {
            Kind::Npy => Ok(npy::matrix(self.values, self.owners.len(), self.dim)),
            Kind::Csv => self.csv(),
        }
    }

    fn csv(&self) -> Result<Vec<u8>, TableError> {
        let mut table = Writer::from_writer(Vec::new());
        let names = (1..=self.dim).map(|i| format!("x{i}"));
        table.write_record(std::iter::once(self.owner.to_owned()).chain(names))?;
        for (x, owner) in self.values.chunks_exact(self.dim).zip(self.owners) {
            let numbers = x.iter().map(f32::to_string);
            table.write_record(std::iter::once((*owner).to_owned()).chain(numbers))?;
        }
        finish(table)
    }
}

enum Kind {
    Npy,
    Csv,
}

fn kind(path: &Path) -> Result<Kind, TableError> {
    match path.extension().and_then(|end| end.to_str()) {
        Some("npy") => Ok(Kind::Npy),
        Some("csv") => Ok(Kind::Csv),
        _ => Err(TableError::Name),
    }
}

/// Whether vectors can be written under a name, told before there are any.
///
/// # Errors
/// If its end says nothing that is known.
pub fn check_name(path: &Path) -> Result<(), TableError> {
    kind(path).map(drop)
}

/// Rows with named fields as CSV.
///
/// # Errors
/// If a row has no fields.
pub fn rows(rows: &[impl Serialize]) -> Result<Vec<u8>, TableError> {
    let mut table = Writer::from_writer(Vec::new());
    for row in rows {
        table.serialize(row)?;
    }
    finish(table)
}

fn finish(table: Writer<Vec<u8>>) -> Result<Vec<u8>, TableError> {
    let bytes = table.into_inner();
    bytes.map_err(|error| TableError::Csv(error.into_error().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_their_names_and_all_their_digits() {
        let vectors = Vectors {
            owner: "label",
            owners: &["3", "a,b"],
            values: &[0.1, -2.0, 1.0 / 3.0, 4e-9],
            dim: 2,
        };
        let bytes = vectors.to_bytes(Path::new("f.csv")).expect("a table");
        let text = String::from_utf8(bytes).expect("text");
        assert_eq!(
            text,
            "label,x1,x2\n3,0.1,-2\n\"a,b\",0.33333334,0.000000004\n"
        );
        let bytes = vectors.to_bytes(Path::new("f.npy")).expect("a table");
        assert!(bytes.starts_with(b"\x93NUMPY"));
        assert!(vectors.to_bytes(Path::new("f.xls")).is_err());
    }
}
