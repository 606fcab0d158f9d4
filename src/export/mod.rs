//! A scene to files, one file per format; tables; and the one way a file is written.

pub mod npy;
pub mod png;
pub mod svg;

use std::io::Write as _;
use std::path::Path;

/// A picture that cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It has no pixel, or too many.
    #[error("a picture of {width}×{height} pixels cannot be made; each side must be 1 to 16384")]
    Size {
        /// In pixels.
        width: f32,
        /// In pixels.
        height: f32,
    },
    /// The vector picture cannot be turned into pixels.
    #[error("the picture cannot be drawn")]
    Svg(#[from] resvg::usvg::Error),
    /// The pixels cannot be packed.
    #[error("the picture cannot be written as PNG: {message}")]
    Png {
        /// What the encoder said.
        message: String,
    },
}

/// Writes a file beside its name, then renames it: what stood there before stays whole until the
/// new one is.
///
/// # Errors
/// If the folder cannot be written to.
pub fn write_beside(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    set_usual_permissions(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Temporary files are private to their owner; what a user saves is not.
#[cfg(unix)]
fn set_usual_permissions(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_usual_permissions(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
