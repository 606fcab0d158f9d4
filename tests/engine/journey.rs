//! The way back to a moment that lies far from a checkpoint: commands are heard on it.

use super::timeline::{MINUTE, after, assert_same, captured, now, obeyed, resting, set};
use super::worker::{wait_for, within};
use super::*;

/// Steps of some milliseconds, so that sixty of them take several pictures.
const SLOW: &[(&str, &str)] = &[
    ("network.kind", "mlp:256,256"),
    ("batch", "400"),
    ("loss.id", "cosface"),
];

/// The part of the way back that is done, as soon as some of it is.
#[track_caller]
fn percent_on_the_way(worker: &Worker, number: u64) -> u8 {
    loop {
        if let Some(Delay::GoesBack { percent }) = worker.delay() {
            return percent;
        }
        let newest = worker.snapshot();
        let is_there = newest.is_some_and(|seen| seen.n_commands >= number);
        assert!(!is_there, "it said nothing on its way");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn another_moment_takes_the_place_of_the_one_on_the_way() {
    within(MINUTE, || {
        let mut worker = resting(SLOW);
        let early = after(&mut worker, 63);
        after(&mut worker, 64);
        let late = now(&worker);
        after(&mut worker, 20);
        let number = worker.send(Command::GoTo(late));
        assert!(percent_on_the_way(&worker, number) <= 100);
        worker.send(Command::Play); // of the moment that is given up
        let back = obeyed(&mut worker, Command::GoTo(Moment { step: 63, ..late }));
        assert_same(&back, &early);
        assert!(!back.is_playing);
        assert_eq!(worker.delay(), None);
        let ways = worker.timeline().ways();
        assert_eq!(ways.len(), 2, "{ways:?}");
        assert_eq!(ways[0].end, 147);
        assert_eq!(ways[1].parent, Some((late.lane, 63)));
    });
}

#[test]
fn what_is_said_on_the_way_is_done_at_its_end() {
    within(MINUTE, || {
        let mut worker = resting(SLOW);
        after(&mut worker, 63);
        let moment = now(&worker);
        after(&mut worker, 10);
        let mut gone = |waits: bool| {
            let number = worker.send(Command::GoTo(moment));
            if waits {
                wait_for(&worker, |seen| seen.n_commands >= number);
            } else {
                percent_on_the_way(&worker, number);
            }
            set(&mut worker, "loss.id", "arcface");
            let number = worker.send(Command::PlayFor(9));
            wait_for(&worker, |seen| {
                seen.n_commands >= number && !seen.is_playing
            });
            captured(&mut worker)
        };
        let [at_once, waited] = [gone(false), gone(true)];
        assert_eq!(at_once.step, 72);
        let change = at_once.experiment.run.changes.newest_first().next();
        assert_eq!(change.map(|change| change.step), Some(63));
        assert_same(&at_once, &waited);
    });
}

#[test]
fn a_pause_ends_the_way_where_it_has_come_to() {
    const CHANGED_AT: u64 = 100;
    within(MINUTE, || {
        let mut worker = resting(SLOW);
        after(&mut worker, CHANGED_AT);
        set(&mut worker, "batch", "390");
        after(&mut worker, 127 - CHANGED_AT);
        let moment = now(&worker);
        after(&mut worker, 20);
        let number = worker.send(Command::GoTo(moment));
        percent_on_the_way(&worker, number);
        let there = obeyed(&mut worker, Command::Pause);
        assert!((64..=127).contains(&there.step), "{}", there.step);
        let changes = there.experiment.run.changes.clone();
        assert_eq!(changes.is_empty(), there.step < CHANGED_AT);
        // It goes on as a run that was only changed so far, and what was left is still there.
        let ahead = after(&mut worker, 130 - there.step);
        let mut alone = ahead.start.as_ref().clone();
        alone.run.changes = changes;
        let mut alone = Trainer::new(&alone, Some(ahead.horizon), 1).expect("a run");
        steps(&mut alone, 130);
        assert_same(&ahead, &Snapshot::of(&alone, Subset::default()));
        assert!(worker.timeline().ways().iter().any(|way| way.end == 147));
    });
}
