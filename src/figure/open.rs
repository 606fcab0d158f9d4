//! Files that describe a run: an experiment, a picture that carries its recipe, a session.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::experiment::{Experiment, FileError};
use crate::export::Format;
use crate::figure::gallery;
use crate::figure::{Picture, Recipe};
use crate::loss::nearest;
use crate::trainer::{Horizon, Session, SessionError, Start, Trainer};

/// A file that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be read.
    #[error("cannot read experiment {}: {reason}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It is larger than any file of ours.
    #[error("{}: it has more than {} MB, which no picture or session of marginscope has", path.display(), MOST_BYTES >> 20)]
    Size {
        /// Which file.
        path: PathBuf,
    },
    /// A picture without its end.
    #[error("{} is cut off: it is a picture without its end; copy or download it again", path.display())]
    CutOff {
        /// Which file.
        path: PathBuf,
    },
    /// A picture of another program.
    #[error("{} is a picture without a recipe; only pictures that marginscope wrote can be opened", path.display())]
    NoRecipe {
        /// Which file.
        path: PathBuf,
    },
    /// Neither picture nor session nor text.
    #[error("cannot read experiment {}: it is no picture, no session and no text in UTF-8", path.display())]
    NoText {
        /// Which file.
        path: PathBuf,
    },
    /// Its experiment or its picture has faults.
    #[error("{}", faults.join("; "))]
    Faults {
        /// Each with its line.
        faults: Vec<String>,
    },
    /// A figure of the gallery that there is not.
    #[error("{}", unknown(name))]
    Gallery {
        /// What stands behind `gallery:`.
        name: String,
    },
    /// A session that is cut off, or of another version.
    #[error("{}: {reason}", path.display())]
    Session {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: Box<SessionError>,
    },
}

/// What a file describes.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The run and its picture.
    pub recipe: Recipe,
    /// Where the run stands, in a session.
    pub session: Option<Session>,
}

/// More than any session of ours.
const MOST_BYTES: u64 = 1 << 30;

/// Reads an experiment, a picture or a session. The paths of own data in it are taken relative to its
/// folder; the data themselves are not read. `gallery:NAME` is a figure of [`gallery`].
///
/// # Errors
/// If it is none of them, or has faults.
pub fn open(path: &Path) -> Result<Opened, OpenError> {
    if let Some(name) = gallery::name_in(path) {
        let exhibit = gallery::find(name).ok_or_else(|| OpenError::Gallery {
            name: name.to_owned(),
        })?;
        return of_bytes(exhibit.text.into(), path);
    }
    let mut opened = of_bytes(read(path)?, path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    opened.recipe.experiment.data.resolve_paths(folder);
    Ok(opened)
}

/// What the bytes of a file of this name describe.
pub(super) fn of_bytes(bytes: Vec<u8>, path: &Path) -> Result<Opened, OpenError> {
    let path_of = || path.to_owned();
    let session = Session::is_session(&bytes).then(|| Session::from_bytes(&bytes));
    let session = session.transpose().map_err(|reason| OpenError::Session {
        path: path_of(),
        reason: reason.into(),
    })?;
    let text = match (&session, Format::of_bytes(&bytes)) {
        (Some(session), _) => session.recipe.clone(),
        (None, Some(format)) if !format.is_whole(&bytes) => {
            return Err(OpenError::CutOff { path: path_of() });
        }
        (None, Some(format)) => format
            .recipe(&bytes)
            .ok_or_else(|| OpenError::NoRecipe { path: path_of() })?,
        (None, None) => {
            String::from_utf8(bytes).map_err(|_unsaid| OpenError::NoText { path: path_of() })?
        }
    };
    let recipe = Recipe::from_toml(&text, &path.display().to_string());
    let recipe = recipe.map_err(|FileError { faults }| OpenError::Faults { faults })?;
    Ok(Opened { recipe, session })
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = gallery::exhibits().iter().map(|e| e.name).collect();
    let meant = nearest(name, names.iter().copied());
    let meant = meant.map_or_else(String::new, |near| {
        format!("; did you mean \"gallery:{near}\"?")
    });
    let list = names.join(", ");
    if name.is_empty() {
        return format!("gallery: needs the name of a figure; there are {list}");
    }
    let joint = if meant.is_empty() { ";" } else { "" };
    format!("there is no figure \"gallery:{name}\"{meant}{joint} there are {list}")
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    let failed = |reason| OpenError::Read {
        path: path.to_owned(),
        reason,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(OpenError::Size {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

impl Opened {
    /// An experiment that nobody looked at yet.
    pub fn new(experiment: Experiment) -> Self {
        Self {
            recipe: Recipe::new(experiment),
            session: None,
        }
    }

    /// Whether it says how it is looked at: an experiment alone does not.
    pub fn has_picture(&self) -> bool {
        self.recipe.picture != Picture::default()
    }

    /// How the window begins with it: a session where it stands, a picture at the step that it
    /// shows. An experiment alone is trained without end.
    pub fn start(&self) -> Start {
        let picture = &self.recipe.picture;
        Start {
            experiment: self.recipe.experiment.clone(),
            is_endless: picture.endless || picture.step.is_none(),
            until: picture.step.filter(|_| self.session.is_none()),
            session: self.session.clone(),
        }
    }

    /// The run, headless: where its session stands, or before its first step.
    ///
    /// # Errors
    /// If it cannot start, or the session does not fit its experiment.
    pub fn trainer(&self, n_threads: usize) -> Result<Trainer, SessionError> {
        let experiment = &self.recipe.experiment;
        if let Some(session) = &self.session {
            return Trainer::resume(session, experiment, n_threads);
        }
        let horizon = self.recipe.picture.endless.then_some(Horizon::Endless);
        Ok(Trainer::new(experiment, horizon, n_threads)?)
    }
}

/// What a window begins with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// An experiment, a picture or a session.
    pub opened: Opened,
    /// What is changed where it stands, key and value.
    pub changes: Vec<(String, String)>,
    /// Whether nothing was asked for, so that what was done last goes on.
    pub is_default: bool,
}

impl From<Experiment> for Opening {
    /// An experiment that was asked for.
    fn from(experiment: Experiment) -> Self {
        Self {
            opened: Opened::new(experiment),
            changes: Vec::new(),
            is_default: false,
        }
    }
}
