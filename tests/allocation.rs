//! A training step asks for no memory once its buffers are there.

#![expect(
    unsafe_code,
    reason = "an allocator that counts is an implementation of an unsafe trait"
)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::runs::{steps, trainer};
use marginscope::trainer::Horizon;

/// The system's allocator, counting what training threads ask for.
struct Counting;

static N_CALLS: AtomicUsize = AtomicUsize::new(0);
static N_BYTES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Threads of earlier runs are not counted: they take their leave when they please.
    static IS_COUNTED: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if IS_COUNTED.get() {
            N_CALLS.fetch_add(1, Ordering::Relaxed);
            N_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        }
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Calls and bytes since they were last asked for.
fn counts() -> [usize; 2] {
    [&N_CALLS, &N_BYTES].map(|count| count.swap(0, Ordering::Relaxed))
}

/// Steps before counting: the first makes the buffers.
const N_FIRST: u64 = 1;
/// Counts on several threads, of which the last has to be 0: each thread makes buffers with the
/// first product that it happens to make, on a busy machine after many steps.
const MOST_COUNTS: usize = 20;
/// Many epochs of the synthetic sets, whose order is drawn anew each time.
const N_COUNTED: u64 = 60;

#[track_caller]
fn check(settings: &[(&str, &str)], n_threads: usize) {
    let mut trainer = trainer(settings, Horizon::Endless, n_threads);
    let threads = trainer.threads();
    let n_counts = if n_threads == 1 { 1 } else { MOST_COUNTS };
    let found = threads.install(|| {
        steps(&mut trainer, N_FIRST);
        threads.broadcast(|_| IS_COUNTED.set(true));
        let count = |_| {
            counts();
            steps(&mut trainer, N_COUNTED);
            counts()
        };
        let mut found = (0..n_counts).map(count);
        let first_without = found.find(|found| *found == [0, 0]);
        threads.broadcast(|_| IS_COUNTED.set(false));
        first_without
    });
    assert!(
        found.is_some(),
        "memory is asked for in each of {n_counts} times {N_COUNTED} steps of {settings:?} on {n_threads} threads"
    );
}

#[test]
fn steps_allocate_nothing() {
    for n_threads in [1, 2] {
        let mlp = ("network.kind", "mlp:64,32");
        let blobs = ("data.source", "blobs");
        for loss in ["softmax", "center", "sphereface", "arcface", "combined"] {
            check(&[blobs, mlp, ("loss.id", loss)], n_threads);
        }
        check(&[blobs, mlp, ("optimizer.kind", "adam")], n_threads);
        check(
            &[
                ("data.source", "free"),
                ("network.dim", "3"),
                ("loss.id", "arcface"),
                ("data.samples", "2000"),
            ],
            n_threads,
        );
        check(&[("network.kind", "mlp:256,128")], n_threads);
        check(&[blobs, mlp, ("optimizer.batch", "100000")], n_threads);
        check(&[blobs, mlp, ("network.dim", "16")], n_threads);
        check(&[("network.kind", "cnn")], n_threads);
    }
}
