//! Files that a command writes: which would be in each other's way, and whether there is a folder.

use std::path::Path;

use crate::cli::Failure;

/// Whether two paths are the same file.
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    let absolute = |path| std::path::absolute(path).ok();
    let real = |path: &Path| path.canonicalize().ok();
    absolute(a) == absolute(b) || (a.exists() && real(a) == real(b))
}

/// The folder that a file is to be written into must be there.
pub(super) fn check_folder(path: &Path) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => {
            let (name, folder) = (path.display(), folder.display());
            let message = format!("cannot write {name}: there is no directory {folder}");
            Err(anyhow::anyhow!(message).into())
        }
    }
}
