//! Curves of a picture: computed when they are asked for, or ahead of the picture's turn by a thread
//! of their own, so that a frame of many pictures has little to do.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::experiment::ViewKind;
use crate::scene::Curves;
use crate::trainer::Snapshot;

/// The curves of the snapshot that is shown, and of one that is to be.
#[derive(Default)]
pub(super) struct Ahead {
    known: Option<Computed>,
    next: Option<JoinHandle<Computed>>,
}

/// The curves of a snapshot.
struct Computed {
    of: Arc<Snapshot>,
    max_sagitta: f64,
    curves: Curves,
}

impl Computed {
    fn new(snapshot: &Arc<Snapshot>, max_sagitta: f64) -> Self {
        Self {
            of: Arc::clone(snapshot),
            max_sagitta,
            curves: Curves::of(snapshot, max_sagitta),
        }
    }
}

impl Ahead {
    /// The curves of a snapshot, computed when they are first asked for, or are to be finer or coarser.
    pub(super) fn curves(&mut self, snapshot: &Arc<Snapshot>, max_sagitta: f64) -> &Curves {
        let is_it =
            |known: &Computed| Arc::ptr_eq(&known.of, snapshot) && known.max_sagitta == max_sagitta;
        if !self.known.as_ref().is_some_and(is_it) {
            self.known = None;
        }
        let known = self
            .known
            .get_or_insert_with(|| Computed::new(snapshot, max_sagitta));
        &known.curves
    }

    /// Begins with the curves of a snapshot that is to be shown in a view, unless others are under
    /// way. Whether some are: without a thread they are computed when they are asked for.
    pub(super) fn begin(
        &mut self,
        snapshot: &Arc<Snapshot>,
        max_sagitta: f64,
        kind: ViewKind,
    ) -> bool {
        if self.next.is_some() {
            return true;
        }
        let snapshot = Arc::clone(snapshot);
        let compute = move || {
            let computed = Computed::new(&snapshot, max_sagitta);
            computed.curves.prepare(&snapshot, kind);
            computed
        };
        let thread = std::thread::Builder::new().name("curves".to_owned());
        self.next = thread.spawn(compute).ok();
        self.next.is_some()
    }

    /// Whether those of the snapshot that comes next are there.
    pub(super) fn is_ready(&self) -> bool {
        self.next.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// The snapshot that they were computed of, from now on the one that is known. `None` if none
    /// is ready, or it is of another run than `newest`.
    pub(super) fn take(&mut self, newest: &Snapshot) -> Option<Arc<Snapshot>> {
        let next = self.next.take_if(|next| next.is_finished())?;
        let computed = next.join().ok()?;
        if computed.of.generation != newest.generation {
            return None;
        }
        let snapshot = Arc::clone(&computed.of);
        self.known = Some(computed);
        Some(snapshot)
    }

    /// Gives up what is under way.
    pub(super) fn give_up(&mut self) {
        self.next = None;
    }
}
