//! Files of runs: opened, saved, remembered, and written by themselves in case the program ends
//! before its time. Reading and writing happen in threads of their own.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::experiment::Experiment;
use crate::export::{UNFINISHED, write_beside};
use crate::figure;
use crate::figure::{Opened, Recipe, gallery};
use crate::trainer::Session;

/// What became of a file.
pub(super) enum News {
    /// It was read.
    Opened(PathBuf, Box<Opened>),
    /// So much of it was read, in words.
    Progress(String),
    /// It was saved, or something went wrong, in words.
    Said(String),
    /// A run that was not ended.
    Crashed(Box<Crashed>),
}

/// What a program that ended before its time left.
pub(super) struct Crashed {
    /// The run that had the controls.
    pub opened: Opened,
    /// Those around it, as they begin; `None` where nothing is known of them.
    pub around: Option<Around<Experiment>>,
    /// When it was written last.
    pub age: Duration,
    /// Locked, so that no other window offers it meanwhile.
    slot: Slot,
}

impl Crashed {
    /// Forgets it.
    pub(super) fn discard(&self) {
        self.slot.clear();
    }
}

/// What stands around the pane that has the controls.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Around<T> {
    /// Which of all has the controls.
    pub at: usize,
    /// Those of the others, in order.
    pub experiments: Vec<T>,
}

impl Around<Experiment> {
    /// Reads what a window left, and the data of its runs. What cannot be read is left out.
    fn read(path: &Path) -> Option<Self> {
        let kept: Around<String> = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let read = |text: &String| {
            let mut experiment = Experiment::from_toml(text, "pane").ok()?;
            if experiment.data.awaits_reading() {
                experiment.data.read(&mut |_, _| true).ok()?;
            }
            experiment.validate().ok().map(|()| experiment)
        };
        Some(Self {
            at: kept.at,
            experiments: kept.experiments.iter().filter_map(read).collect(),
        })
    }
}

/// Ends of the names of files that describe a run.
const RUN_ENDS: [&str; 7] = ["toml", "safetensors", "svg", "pdf", "png", "apng", "gif"];

/// Whether a file describes a run, by its name; what does not is own data.
pub(super) fn describes_run(path: &Path) -> bool {
    if gallery::name_in(path).is_some() {
        return true;
    }
    let end = path.extension().and_then(|end| end.to_str());
    let end = end.map(str::to_ascii_lowercase);
    !path.is_dir() && end.is_some_and(|end| RUN_ENDS.contains(&end.as_str()))
}

/// Most files that are remembered.
const MOST_RECENT: usize = 8;

/// Opens and saves runs; what became of it is told once.
pub(super) struct Files {
    told: Receiver<News>,
    tell: Sender<News>,
    /// Newest first.
    pub(super) recent: Vec<PathBuf>,
    /// Stops what is being read.
    stop: Option<Arc<AtomicBool>>,
    autosave: Option<Autosave>,
}

impl Files {
    pub(super) fn new(recent: Vec<PathBuf>) -> Self {
        let (tell, told) = channel();
        Self {
            told,
            tell,
            recent,
            stop: None,
            autosave: None,
        }
    }

    /// What became of a file, if there is news.
    pub(super) fn news(&mut self) -> Option<News> {
        let news = self.told.try_recv().ok()?;
        if let News::Opened(path, _) = &news {
            self.stop = None;
            if gallery::name_in(path).is_none() {
                self.remember(path);
            }
        }
        Some(news)
    }

    /// Puts a file at the head of the list.
    pub(super) fn remember(&mut self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.recent.retain(|old| *old != path);
        self.recent.insert(0, path);
        self.recent.truncate(MOST_RECENT);
    }

    /// Asks for a file, and reads it.
    pub(super) fn ask_and_open(&mut self, wake: impl Fn() + Send + Sync + 'static) {
        // The dialog is opened here, since some systems insist on the window's own thread.
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Open experiment, session or picture")
            .add_filter("Experiment, session, picture", &RUN_ENDS)
            .pick_file();
        self.read(
            move || Some(pollster::block_on(dialog)?.path().to_owned()),
            wake,
        );
    }

    /// Reads a file.
    pub(super) fn open(&mut self, path: PathBuf, wake: impl Fn() + Send + Sync + 'static) {
        self.read(move || Some(path), wake);
    }

    /// Stops what is being read.
    pub(super) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.store(true, Ordering::Relaxed);
        }
    }

    fn read(
        &mut self,
        path: impl FnOnce() -> Option<PathBuf> + Send + 'static,
        wake: impl Fn() + Send + Sync + 'static,
    ) {
        self.stop();
        let stop = Arc::new(AtomicBool::new(false));
        self.stop = Some(Arc::clone(&stop));
        let tell = self.tell.clone();
        self.spawn("open", move || {
            let Some(path) = path() else {
                return;
            };
            let progress = |done: u64, total: u64| {
                let percent = 100 * done / total.max(1);
                let name = path.display();
                let _ = tell.send(News::Progress(format!("Reading {name}: {percent}%")));
                wake();
                !stop.load(Ordering::Relaxed)
            };
            let news = match open(&path, progress) {
                Ok(opened) => News::Opened(path, Box::new(opened)),
                Err(_) if stop.load(Ordering::Relaxed) => return,
                Err(error) => News::Said(format!("Cannot open it: {error}")),
            };
            let _ = tell.send(news); // nobody listens once the window is closed
            wake();
        });
    }

    /// Saves a session where the user says.
    pub(super) fn save_session(
        &self,
        session: Arc<Session>,
        recipe: &Recipe,
        name: &str,
        wake: impl Fn() + Send + 'static,
    ) {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Save session")
            .set_file_name(name)
            .add_filter("Session", &["safetensors"])
            .save_file();
        let recipe = recipe.clone();
        let tell = self.tell.clone();
        self.spawn("save session", move || {
            let Some(path) = pollster::block_on(dialog).map(|file| file.path().to_owned()) else {
                return;
            };
            let name = path.display();
            let text = recipe.kept_in(&path).to_toml();
            let words = match write(&session, text, &path) {
                Ok(()) => format!("Saved {name}"),
                Err(error) => format!("Cannot save {name}: {error}"),
            };
            let _ = tell.send(News::Said(words));
            wake();
        });
    }

    /// Keeps runs in this folder from now on, and looks for one that was not ended.
    pub(super) fn autosave_in(&mut self, folder: &Path, wake: impl Fn() + Send + 'static) {
        let Ok(found) = Slot::take(folder) else {
            return; // without a folder there is nothing to restore, and nothing is lost
        };
        let (slot, crashed) = found;
        self.autosave = Some(Autosave {
            slot,
            at: Instant::now(),
            kept: (0, 0),
            writing: Arc::default(),
        });
        let Some(slot) = crashed else {
            return;
        };
        let tell = self.tell.clone();
        self.spawn("restore", move || {
            let path = &slot.session;
            let written = path.metadata().and_then(|metadata| metadata.modified());
            let age = written
                .ok()
                .and_then(|at| SystemTime::now().duration_since(at).ok());
            let news = match open(path, |_, _| true) {
                Ok(opened) => News::Crashed(Box::new(Crashed {
                    opened,
                    around: Around::read(&slot.panes),
                    age: age.unwrap_or_default(),
                    slot,
                })),
                // Its data may come back: a later start offers it again.
                Err(error) => {
                    let words = "The last run was not ended, and cannot be restored now";
                    News::Said(format!("{words}: {error}"))
                }
            };
            let _ = tell.send(news); // nobody listens once the window is closed
            wake();
        });
    }

    /// Whether it is time to keep the run, which is at this step of this generation.
    pub(super) fn is_autosave_due(&self, generation: u64, step: u64) -> bool {
        self.autosave.as_ref().is_some_and(|autosave| {
            autosave.at.elapsed() >= Autosave::INTERVAL
                && step > 0
                && autosave.kept != (generation, step)
                && autosave.writing.try_lock().is_ok()
        })
    }

    /// Keeps the run, and what stands around it.
    pub(super) fn autosave(
        &mut self,
        session: Arc<Session>,
        recipe: &Recipe,
        generation: u64,
        around: Around<String>,
    ) {
        let Some(autosave) = &mut self.autosave else {
            return;
        };
        autosave.at = Instant::now();
        autosave.kept = (generation, session.step());
        let writing = Arc::clone(&autosave.writing);
        let (path, panes) = (autosave.slot.session.clone(), autosave.slot.panes.clone());
        let text = recipe.kept_in(&path).to_toml();
        self.spawn("autosave", move || {
            let Ok(has_ended) = writing.lock() else {
                return; // the window is being torn down
            };
            if !*has_ended {
                // A disk that is full must not disturb the lecture: the next one may work.
                if let Ok(bytes) = serde_json::to_vec(&around) {
                    let _ = write_beside(&panes, &bytes);
                }
                let _ = write(&session, text, &path);
            }
        });
    }

    /// The program ends in its time: nothing is left to restore.
    pub(super) fn end(&mut self) {
        if let Some(autosave) = self.autosave.take() {
            // After what is being written, and before anything else is.
            if let Ok(mut has_ended) = autosave.writing.lock() {
                *has_ended = true;
            }
            autosave.slot.clear();
        }
    }

    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work);
        if let Err(error) = thread {
            let _ = self
                .tell
                .send(News::Said(format!("cannot {name}: {error}")));
        }
    }
}

/// Reads a file, and the data that it is about.
fn open(path: &Path, mut progress: impl FnMut(u64, u64) -> bool) -> Result<Opened, String> {
    let mut opened = figure::open(path).map_err(|error| error.to_string())?;
    let data = &mut opened.recipe.experiment.data;
    if data.awaits_reading() {
        data.read(&mut progress)
            .map_err(|error| error.to_string())?;
    }
    let valid = opened.recipe.experiment.validate();
    valid.map_err(|error| error.to_string())?;
    Ok(opened)
}

fn write(session: &Session, recipe: String, path: &Path) -> Result<(), String> {
    let session = session.clone().with_recipe(recipe);
    let bytes = session.to_bytes().map_err(|error| error.to_string())?;
    write_beside(path, &bytes).map_err(|error| error.to_string())
}

/// The run in the window, kept from time to time.
struct Autosave {
    slot: Slot,
    /// When it was kept last.
    at: Instant,
    /// Its generation and step then.
    kept: (u64, u64),
    /// Held while it is written; whether the program has ended in its time.
    writing: Arc<Mutex<bool>>,
}

impl Autosave {
    /// Between two of them.
    const INTERVAL: Duration = Duration::from_secs(20);
}

/// A place for the run of one window: a file, and a lock that its process holds as long as it lives,
/// whatever ends it.
struct Slot {
    session: PathBuf,
    /// What stands around it.
    panes: PathBuf,
    /// Held until the process ends.
    _lock: File,
}

impl Slot {
    /// Windows at once.
    const MOST: usize = 16;

    /// Takes a free place, and finds the newest run whose process is gone. Of places without a run
    /// only the first free one is looked at.
    fn take(folder: &Path) -> std::io::Result<(Self, Option<Self>)> {
        std::fs::create_dir_all(folder)?;
        remove_unfinished(folder);
        let mut own = None;
        let mut crashed: Option<(SystemTime, Self)> = None;
        for number in 0..Self::MOST {
            let session = session_path(folder, number);
            let written = session.metadata().and_then(|m| m.modified()).ok();
            if written.is_none() && own.is_some() {
                continue;
            }
            let Some(slot) = Self::lock(folder, number)? else {
                continue; // its window is still there
            };
            match written {
                None => own = Some(slot),
                Some(at) if crashed.as_ref().is_none_or(|(newest, _)| *newest < at) => {
                    crashed = Some((at, slot));
                }
                Some(_) => {}
            }
        }
        let own = own.ok_or(std::io::ErrorKind::WouldBlock)?;
        Ok((own, crashed.map(|(_, slot)| slot)))
    }

    /// `None` where another process holds it.
    fn lock(folder: &Path, number: usize) -> std::io::Result<Option<Self>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(format!("run-{number}.lock")))?;
        let is_free = file.try_lock().is_ok();
        let session = session_path(folder, number);
        Ok(is_free.then(|| Self {
            panes: session.with_extension("panes.json"),
            session,
            _lock: file,
        }))
    }

    /// Removes what is kept here, if there is something.
    fn clear(&self) {
        for path in [&self.session, &self.panes] {
            let _ = std::fs::remove_file(path); // it may be gone already
        }
    }
}

fn session_path(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("run-{number}.safetensors"))
}

/// Removes files that a process began beside another and did not come to rename.
fn remove_unfinished(folder: &Path) {
    const OLD: Duration = Duration::from_mins(10); // another window may be writing now
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let is_begun = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let age = entry.metadata().and_then(|m| m.modified()).ok();
        let is_old = age.is_some_and(|at| at.elapsed().is_ok_and(|age| age > OLD));
        if is_begun && is_old {
            let _ = std::fs::remove_file(entry.path()); // another window may have done it
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::{History, Trainer};

    #[test]
    fn a_run_is_offered_once_its_window_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let take = || {
            let (own, crashed) = Slot::take(folder.path()).expect("a place");
            (own, crashed.map(|crashed| crashed.session))
        };
        let (first, crashed) = take();
        assert_eq!(crashed, None);
        std::fs::write(&first.session, "a run").expect("a file");
        let (second, crashed) = take();
        assert_eq!(crashed, None, "its window is still there");
        assert_ne!(first.session, second.session);
        let left = first.session.clone();
        drop(first);
        let (third, crashed) = take();
        assert_eq!(crashed, Some(left.clone()));
        assert_ne!(
            third.session, left,
            "it is not written over before it is restored"
        );
        let (_own, asked) = Slot::take(folder.path()).expect("a place");
        assert!(asked.is_some(), "nobody answered");
        assert_eq!(take().1, None, "another window is asking");
    }

    #[test]
    fn the_last_files_are_remembered() {
        let mut files = Files::new(Vec::new());
        for i in 0..12 {
            files.remember(Path::new(&format!("run-{i}.toml")));
        }
        files.remember(Path::new("run-9.toml"));
        assert_eq!(files.recent.len(), MOST_RECENT);
        assert!(files.recent[0].ends_with("run-9.toml") && files.recent[0].is_absolute());
        assert!(files.recent[1].ends_with("run-11.toml"));
    }

    fn of(settings: &[(&str, &str)]) -> Experiment {
        let mut experiment = Experiment::default();
        for (key, value) in [("data", "blobs"), ("network", "mlp:8")]
            .iter()
            .chain(settings)
        {
            experiment.set(key, value).expect("a setting");
        }
        experiment
    }

    /// What `files` says next.
    fn next(files: &mut Files) -> News {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < Duration::from_mins(1), "nothing is said");
            if let Some(news) = files.news() {
                return news;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn panes_around_a_run_are_kept_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let trainer = Trainer::new(&of(&[]), None, 1).expect("a run");
        let recipe = Recipe {
            experiment: of(&[]),
            picture: figure::Picture::default(),
        };
        let session = trainer.session(recipe.to_toml(), History::default());
        let other = of(&[("loss", "arcface"), ("margin", "0.2")]);
        let experiments = vec![other.to_toml(), "[loss]\nid = \"nothing\"".to_owned()];
        let mut files = Files::new(Vec::new());
        files.autosave_in(folder.path(), || {});
        let around = Around { at: 1, experiments };
        files.autosave(Arc::new(session), &recipe, 1, around);
        let start = Instant::now();
        while !folder.path().join("run-0.safetensors").exists() {
            assert!(
                start.elapsed() < Duration::from_mins(1),
                "nothing is written"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(files); // as a crash does: without its end

        let mut files = Files::new(Vec::new());
        files.autosave_in(folder.path(), || {});
        let News::Crashed(crashed) = next(&mut files) else {
            panic!("no run is offered");
        };
        let around = crashed.around.as_ref().expect("what stood around it");
        assert_eq!((around.at, &around.experiments[..]), (1, &[other][..]));
        crashed.discard();
        let left = std::fs::read_dir(folder.path())
            .expect("a folder")
            .flatten();
        let is_lock = |name: std::ffi::OsString| name.to_string_lossy().ends_with(".lock");
        assert!(left.map(|entry| entry.file_name()).all(is_lock));
    }
}
