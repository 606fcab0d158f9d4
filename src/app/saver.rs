//! Saving a picture without holding up a frame: drawing and writing happen in their own thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use directories::UserDirs;

use crate::app::action::SaveTo;
use crate::export::table::{self, TableError, Vectors};
use crate::export::{Format, write_beside};
use crate::figure;
use crate::figure::{Played, Recipe};
use crate::scene::Trails;
use crate::trainer::Snapshot;

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
    pub(super) fn save(&self, job: Job, name: &str, to: SaveTo, wake: impl Fn() + Send + 'static) {
        // The dialog is opened here, since some systems insist on the window's own thread.
        let dialog = (to == SaveTo::Dialog).then(|| {
            rfd::AsyncFileDialog::new()
                .set_title(job.work.title())
                .set_file_name(name)
                .add_filter(job.work.kinds(), job.work.extensions())
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
                    let say = |words: String| {
                        let _ = tell.send(words); // nobody listens once the window is closed
                        wake();
                    };
                    say(job.write(&path, &say));
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

/// Something to be written.
pub(super) struct Job {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) work: Work,
}

/// What is made of a snapshot.
pub(super) enum Work {
    /// A picture of this very moment, with where its samples were before.
    Still(Recipe, Box<Trails>),
    /// A film or a film strip, for which the steps are made once more.
    Replayed(Recipe),
    /// Numbers.
    Table(Table),
}

impl Work {
    fn title(&self) -> &'static str {
        match self {
            Self::Still(..) | Self::Replayed(_) => "Save picture",
            Self::Table(_) => "Save numbers",
        }
    }

    fn kinds(&self) -> &'static str {
        match self {
            Self::Replayed(recipe) if recipe.picture.film.is_some() => "Film: GIF or animated PNG",
            Self::Still(..) | Self::Replayed(_) => "Picture: PNG, SVG or PDF",
            Self::Table(Table::Curves) => "Table: CSV",
            Self::Table(_) => "Table: CSV or NPY",
        }
    }

    fn extensions(&self) -> &'static [&'static str] {
        match self {
            Self::Replayed(recipe) if recipe.picture.film.is_some() => &["gif", "apng"],
            Self::Still(..) | Self::Replayed(_) => &["png", "svg", "pdf"],
            Self::Table(Table::Curves) => &["csv"],
            Self::Table(_) => &["csv", "npy"],
        }
    }
}

impl Job {
    /// Writes it as what the name's end says; in words what became of it.
    fn write(&self, path: &Path, say: &dyn Fn(String)) -> String {
        let written = self.bytes(path, say).and_then(|(bytes, missing)| {
            write_beside(path, &bytes).map_err(|error| error.to_string())?;
            Ok(missing)
        });
        match written {
            Ok(missing) if !missing.is_empty() => format!(
                "Saved {}; no font of this machine has {missing}: they are boxes there",
                path.display()
            ),
            Ok(_) => format!("Saved {}", path.display()),
            Err(error) => format!("Cannot save {}: {error}", path.display()),
        }
    }

    /// Its bytes, and letters for which there is no font.
    fn bytes(&self, path: &Path, say: &dyn Fn(String)) -> Result<(Vec<u8>, String), String> {
        let (recipe, played) = match &self.work {
            Work::Table(table) => {
                let bytes = table.bytes(&self.snapshot, path);
                let bytes = bytes.map_err(|error| error.to_string())?;
                return Ok((bytes, String::new()));
            }
            Work::Still(recipe, trails) => {
                let played = Played::still(Arc::clone(&self.snapshot), Trails::clone(trails));
                (recipe, played)
            }
            Work::Replayed(recipe) => (recipe, replay(recipe, say)?),
        };
        let moves = recipe.picture.film.is_some();
        let format = Format::of_name(path).filter(|format| format.moves() == moves);
        let format = format.ok_or_else(|| {
            let ends = self.work.extensions().join(" or .");
            format!("end the name in .{ends}")
        })?;
        let recipe = recipe.kept_in(path);
        let bytes = figure::file(&played, &recipe, format, DOTS_PER_INCH);
        let bytes = bytes.map_err(|error| error.to_string())?;
        Ok((bytes, figure::missing_letters(&played, &recipe, format)))
    }
}

/// Makes the steps once more, on one thread so that training keeps the others.
fn replay(recipe: &Recipe, say: &dyn Fn(String)) -> Result<Played, String> {
    const INTERVAL: Duration = Duration::from_secs(1);
    let (tell, told) = channel();
    let played = std::thread::scope(|scope| {
        let run = scope.spawn(move || {
            let mut next = Instant::now() + INTERVAL;
            figure::replay(recipe, 1, |step, n_steps| {
                if Instant::now() >= next {
                    next += INTERVAL;
                    let _ = tell.send(100 * step / n_steps.max(1)); // who listens waits for its end
                }
                true
            })
        });
        while let Ok(percent) = told.recv() {
            say(format!("Making the steps once more: {percent}%"));
        }
        run.join()
    });
    match played {
        Ok(played) => played.map_err(|error| error.to_string()),
        Err(_) => Err("the replay broke off".to_owned()),
    }
}

/// Numbers of a run that other programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// x of the samples that are drawn, with their classes.
    Features,
    /// W, with the classes.
    Weights,
    /// Loss and accuracy over the steps.
    Curves,
}

impl Table {
    /// What a file is called after.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Weights => "weights",
            Self::Curves => "curves",
        }
    }

    fn bytes(self, snapshot: &Snapshot, path: &Path) -> Result<Vec<u8>, TableError> {
        let head = &snapshot.head;
        let (owner, owners, values): (_, Vec<&str>, _) = match self {
            Self::Curves => return curves(snapshot, path),
            Self::Features => {
                let labels = snapshot.probe.labels.iter();
                let names = labels.map(|&label| snapshot.class_name(label.into()));
                ("label", names.collect(), &snapshot.probe.features)
            }
            Self::Weights => {
                let names = (0..head.n_classes).map(|class| snapshot.class_name(class));
                ("class", names.collect(), &head.weights)
            }
        };
        let vectors = Vectors {
            owner,
            owners: &owners,
            values,
            dim: head.dim,
        };
        vectors.to_bytes(path)
    }
}

fn curves(snapshot: &Snapshot, path: &Path) -> Result<Vec<u8>, TableError> {
    #[derive(serde::Serialize)]
    struct Line {
        step: u64,
        loss: f64,
        accuracy: Option<f64>,
    }
    if path.extension().is_none_or(|end| end != "csv") {
        return Err(TableError::Name);
    }
    let rows = snapshot.history.rows().iter().map(|row| Line {
        step: row.step,
        loss: row.loss,
        accuracy: row.accuracy,
    });
    table::rows(&rows.collect::<Vec<_>>())
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
