//! Saving a picture without holding up a frame: drawing and writing happen in their own thread.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use directories::UserDirs;

use crate::app::action::SaveTo;
use crate::export::{Format, write_beside};
use crate::figure;
use crate::figure::{Played, Recipe};

/// Pixels in an inch of a PNG that has a width on paper.
const DOTS_PER_INCH: f64 = 300.0;

/// Saves pictures; what became of each is told once.
pub(super) struct Saver {
    told: Receiver<String>,
    tell: Sender<String>,
    /// Where pictures go that are saved without asking.
    pub(super) folder: PathBuf,
}

impl Default for Saver {
    fn default() -> Self {
        let (tell, told) = channel();
        Self {
            told,
            tell,
            folder: pictures_folder(),
        }
    }
}

impl Saver {
    /// What became of a picture, if there is news.
    pub(super) fn news(&self) -> Option<String> {
        self.told.try_recv().ok()
    }

    /// Saves a figure; `wake` is called when there is news.
    pub(super) fn save(
        &self,
        job: Job,
        name: &str,
        to: SaveTo,
        wake: impl FnOnce() + Send + 'static,
    ) {
        // The dialog is opened here, since some systems insist on the window's own thread.
        let dialog = (to == SaveTo::Dialog).then(|| {
            rfd::AsyncFileDialog::new()
                .set_title("Save picture")
                .set_file_name(name)
                .add_filter("Picture: PNG, SVG or PDF", &["png", "svg", "pdf"])
                .save_file()
        });
        let tell = self.tell.clone();
        let quick_path = self.folder.join(name);
        let thread = std::thread::Builder::new()
            .name("save picture".to_owned())
            .spawn(move || {
                let path = match dialog {
                    Some(dialog) => ask(dialog, quick_path),
                    None => Some(quick_path),
                };
                if let Some(path) = path {
                    let _ = tell.send(job.write(&path)); // nobody listens once the window is closed
                    wake();
                }
            });
        if let Err(error) = thread {
            let _ = self.tell.send(format!("cannot save: {error}"));
        }
    }
}

/// Where the user wants the picture; the quick path where no dialog can be shown.
///
/// A system without file dialogs answers like a user who cancels, only faster than anyone can.
fn ask(
    dialog: impl Future<Output = Option<rfd::FileHandle>>,
    quick_path: PathBuf,
) -> Option<PathBuf> {
    const FASTEST_CANCEL: Duration = Duration::from_millis(250);
    let start = Instant::now();
    match pollster::block_on(dialog) {
        Some(file) => Some(file.path().to_owned()),
        None if start.elapsed() < FASTEST_CANCEL => Some(quick_path),
        None => None,
    }
}

/// A figure to be written.
pub(super) struct Job {
    pub(super) played: Played,
    pub(super) recipe: Recipe,
}

impl Job {
    /// Writes it as what the name's end says; in words what became of it.
    fn write(&self, path: &Path) -> String {
        let Some(format) = Format::of_name(path) else {
            let path = path.display();
            return format!("Cannot save {path}: end the name in .png, .svg or .pdf");
        };
        let written = figure::file(&self.played, &self.recipe, format, DOTS_PER_INCH)
            .map_err(|error| error.to_string())
            .and_then(|bytes| write_beside(path, &bytes).map_err(|error| error.to_string()));
        match written {
            Ok(()) => format!("Saved {}", path.display()),
            Err(error) => format!("Cannot save {}: {error}", path.display()),
        }
    }
}

/// The user's folder for pictures, or the home folder, or the one the program was started in.
fn pictures_folder() -> PathBuf {
    let dirs = UserDirs::new();
    let pictures = dirs.as_ref().and_then(|dirs| dirs.picture_dir());
    let home = dirs.as_ref().map(UserDirs::home_dir);
    let started_in = || std::env::current_dir().unwrap_or_default();
    [pictures, home]
        .into_iter()
        .flatten()
        .find(|folder| folder.is_dir())
        .map_or_else(started_in, Path::to_owned)
}
