//! A scene to files, one file per format; tables; and the one way a file is written.

mod film;
mod format;
pub mod npy;
pub mod pdf;
pub mod png;
mod sheet;
pub mod svg;
pub mod table;
mod typeface;

use std::io::Write as _;
use std::path::Path;

pub use film::{Film, Timing};
pub use format::Format;
pub use sheet::{Length, LengthError, Sheet};
pub use typeface::missing_letters;

/// A picture that cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It has no pixel, or too many.
    #[error(
        "a picture of {width}×{height} pixels cannot be made; \
         each side must be 1 to 16384, and all pixels together at most 67 million"
    )]
    Size {
        /// In pixels.
        width: f64,
        /// In pixels.
        height: f64,
    },
    /// The page has no area, or is larger than readers take.
    #[error("a page of {width}×{height} points cannot be made; each side must be at most 14400")]
    Page {
        /// In points.
        width: f32,
        /// In points.
        height: f32,
    },
    /// The page cannot be written.
    #[error("the picture cannot be written as PDF: {message}")]
    Pdf {
        /// What the writer said.
        message: String,
    },
    /// The vector picture cannot be turned into pixels.
    #[error("the picture cannot be drawn")]
    Svg(#[from] resvg::usvg::Error),
    /// The film cannot be packed.
    #[error("the film cannot be written as GIF: {message}")]
    Gif {
        /// What the encoder said.
        message: String,
    },
    /// The pixels cannot be packed.
    #[error("the picture cannot be written as PNG: {message}")]
    Png {
        /// What the encoder said.
        message: String,
    },
}

/// Writes a file beside its name, then renames it: what stood there before stays whole until the
/// new one is. Links are followed; what is no regular file (a pipe, a device) is written into.
///
/// # Errors
/// If the folder cannot be written to.
pub fn write_beside(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let old = path.metadata().ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return std::fs::OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(bytes);
    }
    let mut file = file_beside(path)?;
    file.write_all(bytes)?;
    set_permissions(file.as_file(), old.as_ref())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Whether [`write_beside`] could write this file, told before there is anything to write. What
/// stands there is not touched, and nothing is left beside it.
///
/// # Errors
/// If it is a folder, or its folder cannot be written to.
pub fn check_writable(path: &Path) -> std::io::Result<()> {
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match path.metadata() {
        Ok(there) if there.is_dir() => Err(std::io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => Ok(()), // who reads a pipe would take this for its end
        _ => file_beside(path).map(drop),
    }
}

/// An empty file in the folder of `path`, gone when it is dropped.
/// How the names of files begin that are not yet whole: who finds one after a crash knows whose it is.
pub const UNFINISHED: &str = ".marginscope-";

fn file_beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // The system's own error would name the temporary file, of which nobody has heard.
    let mut named = tempfile::Builder::new();
    let file = named.prefix(UNFINISHED).tempfile_in(folder);
    file.map_err(|error| error.kind().into())
}

/// Temporary files are private to their owner; what a user saves keeps the permissions it had, or
/// can be read by all.
#[cfg(unix)]
fn set_permissions(file: &std::fs::File, old: Option<&std::fs::Metadata>) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    const READABLE: u32 = 0o644;
    let permissions = old.map_or_else(
        || std::fs::Permissions::from_mode(READABLE),
        std::fs::Metadata::permissions,
    );
    file.set_permissions(permissions)
}

#[cfg(not(unix))]
fn set_permissions(_: &std::fs::File, _: Option<&std::fs::Metadata>) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_written_is_known_before_and_left_as_it_is() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("table.csv");
        check_writable(&path)?;
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
        std::fs::write(&path, "old")?;
        check_writable(&path)?;
        assert_eq!(std::fs::read(&path)?, b"old");
        assert!(check_writable(folder.path()).is_err());
        assert!(check_writable(&path.join("inside")).is_err());
        Ok(())
    }

    #[test]
    fn a_file_is_replaced_and_a_device_is_written_into() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("table.csv");
        write_beside(&path, b"old")?;
        write_beside(&path, b"new")?;
        assert_eq!(std::fs::read(&path)?, b"new");
        assert_eq!(
            std::fs::read_dir(folder.path())?.count(),
            1,
            "nothing is left beside it"
        );
        #[cfg(unix)]
        {
            write_beside(Path::new("/dev/null"), b"gone")?;
            assert!(!Path::new("/dev/null").is_file());
        }
        Ok(())
    }
}
