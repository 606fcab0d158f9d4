//! A drawing on the training thread: it moves with the parameters, and a paused run answers.

use std::time::{Duration, Instant};

use super::*;

#[track_caller]
fn worker(settings: &[(&str, &str)]) -> Worker {
    match Worker::spawn(experiment(settings), 1, || ()) {
        Ok(worker) => worker,
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn wait_for(worker: &Worker, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let start = Instant::now();
    loop {
        if let Some(snapshot) = worker.snapshot().filter(|snapshot| wanted(snapshot)) {
            return snapshot;
        }
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "waited in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn feature(snapshot: &Snapshot) -> Option<&[f32]> {
    Some(&snapshot.drawn.as_ref()?.feature)
}

#[test]
fn a_drawing_moves_while_it_trains_and_answers_while_it_rests() {
    let mut worker = worker(DIGITS);
    worker.send(Command::Place(Some(seven())));
    let first = wait_for(&worker, "a place", |s| s.drawn.is_some());
    let moved = wait_for(&worker, "another place", |s| {
        s.step > first.step && feature(s) != feature(&first)
    });
    assert_eq!(moved.drawn.as_ref().map(|d| &*d.image), Some(&*seven()));

    worker.send(Command::Pause);
    let n = worker.send(Command::Place(None));
    let resting = wait_for(&worker, "a rest", |s| s.n_commands >= n);
    assert!(!resting.is_playing && resting.drawn.is_none());
    let n = worker.send(Command::Place(Some(seven())));
    let drawn = wait_for(&worker, "an answer", |s| s.n_commands >= n);
    assert!(drawn.drawn.is_some() && drawn.step == resting.step);
    assert_eq!(drawn.probe, resting.probe, "nothing else has changed");
    assert_eq!(drawn.metrics, resting.metrics);

    let n = worker.send(Command::Step(1));
    let next = wait_for(&worker, "a step", |s| s.n_commands >= n && !s.is_playing);
    assert_eq!(next.step, resting.step + 1);
    assert_ne!(
        feature(&next),
        feature(&drawn),
        "it is of the step that is shown"
    );
}

/// A second under way for 70,000 samples to be measured would let the mark fall behind the hand.
#[test]
fn a_paused_run_with_all_samples_measures_none_of_them_for_a_drawing() {
    let mut worker = worker(DIGITS);
    worker.send(Command::Show(marginscope::trainer::Subset::Train(60_000)));
    let n = worker.send(Command::Pause);
    let resting = wait_for(&worker, "all samples at the last step", |s| {
        let is_there = s.probe.computed_at.iter().all(|&step| step == s.step);
        s.n_commands >= n && !s.is_playing && s.probe.len() == 60_000 && is_there
    });
    let n = worker.send(Command::Place(Some(seven())));
    let drawn = wait_for(&worker, "an answer", |s| s.n_commands >= n);
    assert!(drawn.drawn.is_some());
    assert!(Arc::ptr_eq(&drawn.detail, &resting.detail), "counted anew");
}

#[test]
fn a_drawing_outlives_the_run_and_what_cannot_read_it_has_none() {
    let mut worker = worker(DIGITS);
    worker.send(Command::Place(Some(seven())));
    wait_for(&worker, "a place", |s| s.drawn.is_some());
    worker.send(Command::Restart);
    wait_for(&worker, "the next run", |s| {
        s.generation == 2 && s.drawn.is_some()
    });
    worker.send(Command::Load(Box::new(experiment(BLOBS))));
    let blobs = wait_for(&worker, "blobs", |s| s.generation == 3);
    assert_eq!(blobs.drawn, None);
    worker.send(Command::Load(Box::new(experiment(DIGITS))));
    wait_for(&worker, "digits again", |s| {
        s.generation == 4 && s.drawn.is_some()
    });
}

#[test]
fn what_was_recorded_shows_no_drawing() {
    let mut worker = worker(DIGITS);
    worker.send(Command::Place(Some(seven())));
    let live = wait_for(&worker, "steps", |s| s.drawn.is_some() && s.step > 20);
    worker.send(Command::Pause);
    let timeline = worker.timeline();
    let way = &timeline.ways()[0];
    let moment = marginscope::trainer::Moment {
        lane: way.lane,
        step: live.step / 2,
    };
    let past = timeline
        .snapshot(moment, &live)
        .expect("a moment of the run");
    assert_eq!(past.drawn, None);
}
