//! Runs that were recorded: looked at again, gone back to, and trained side by side.

use super::worker::{wait_for, within, worker};
use super::*;

pub(super) const MINUTE: Duration = Duration::from_mins(1);

pub(super) fn set(worker: &mut Worker, key: &str, value: &str) {
    worker.send(Command::set(key, value));
}

/// The run at rest after so many more steps.
pub(super) fn after(worker: &mut Worker, n_steps: u64) -> Arc<Snapshot> {
    let number = worker.send(Command::Step(n_steps));
    wait_for(worker, |seen| seen.n_commands >= number && !seen.is_playing);
    captured(worker)
}

/// The run once it has obeyed.
pub(super) fn obeyed(worker: &mut Worker, command: Command) -> Arc<Snapshot> {
    let number = worker.send(command);
    wait_for(worker, |seen| seen.n_commands >= number);
    captured(worker)
}

/// The run with every sample at its step.
pub(super) fn captured(worker: &mut Worker) -> Arc<Snapshot> {
    let number = worker.send(Command::Capture);
    loop {
        if let Some(seen) = worker
            .take_captured()
            .filter(|seen| seen.n_commands >= number)
        {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(super) fn now(worker: &Worker) -> Moment {
    let now = worker.timeline().now();
    now.unwrap_or_else(|| panic!("nothing was recorded"))
}

/// The same numbers to the last bit, at the same step with the same settings.
#[track_caller]
pub(super) fn assert_same(a: &Snapshot, b: &Snapshot) {
    assert_eq!(a.step, b.step);
    assert_eq!(a.head, b.head);
    assert_eq!(a.probe.features, b.probe.features);
    assert_eq!(a.experiment, b.experiment);
}

pub(super) fn resting(settings: &[(&str, &str)]) -> Worker {
    let mut worker = worker(&[BLOBS, settings].concat());
    worker.send(Command::Pause);
    worker.send(Command::Restart);
    captured(&mut worker);
    worker
}

#[test]
fn a_step_that_was_recorded_comes_again_to_the_bit_when_trained_on() {
    for kind in ["sgd", "adam"] {
        within(MINUTE, move || {
            let mut worker = resting(&[("optimizer.kind", kind), ("loss.id", "cosface")]);
            after(&mut worker, 70);
            set(&mut worker, "margin", "0.3");
            set(&mut worker, "margin", "0.25");
            after(&mut worker, 30);
            set(&mut worker, "loss.id", "arcface");
            after(&mut worker, 60);
            set(&mut worker, "batch", "17");
            let there = captured(&mut worker);
            let place = now(&worker);
            let ahead = after(&mut worker, 200);

            let back = obeyed(&mut worker, Command::GoTo(place));
            assert_same(&back, &there);
            assert_same(&after(&mut worker, 200), &ahead);
            // Every moment that was kept, not only where a checkpoint is.
            for step in [0, 1, 70, 100, 101, 160] {
                let moment = Moment { step, ..place };
                let back = obeyed(&mut worker, Command::GoTo(moment));
                let shown = worker.timeline().snapshot(moment, &back).expect("a frame");
                assert_eq!((back.step, &back.head), (shown.step, &shown.head), "{step}");
            }
        });
    }
}

#[test]
fn a_way_that_was_left_stays_beside_the_new_one() {
    within(MINUTE, || {
        let mut worker = resting(&[("loss.id", "softmax")]);
        after(&mut worker, 50);
        let fork = now(&worker);
        let left = after(&mut worker, 50);
        obeyed(&mut worker, Command::GoTo(fork));
        set(&mut worker, "loss.id", "arcface");
        let new = after(&mut worker, 20);

        let ways = worker.timeline().ways();
        assert_eq!(ways.len(), 2);
        assert_eq!((ways[0].end, ways[0].parent), (100, None));
        assert_eq!((ways[1].end, ways[1].parent), (70, Some((fork.lane, 50))));
        assert!(
            ways.iter().all(|way| way.is_current),
            "it came along the first"
        );
        let look = |lane, step| {
            let moment = Moment { lane, step };
            worker.timeline().snapshot(moment, &new).expect("a frame")
        };
        let old = look(ways[0].lane, 100);
        assert_eq!((old.head.spec.id, &old.head), ("softmax", &left.head));
        assert_eq!(look(ways[1].lane, 70).head, new.head);
        // The way of the new one leads along the old one up to the fork.
        assert_eq!(look(ways[1].lane, 49).head, look(ways[0].lane, 49).head);
        assert!(
            look(ways[1].lane, 60).step <= 50 || look(ways[1].lane, 60).head.spec.id == "arcface"
        );
        assert_eq!(
            look(ways[1].lane, 70)
                .history
                .rows()
                .last()
                .map(|row| row.step),
            Some(70)
        );
    });
}

#[test]
fn whoever_goes_back_and_changes_nothing_makes_no_fork() {
    within(MINUTE, || {
        let mut worker = resting(&[]);
        after(&mut worker, 30);
        let first = now(&worker);
        after(&mut worker, 30);
        for step in [60, 30, 0, 30] {
            obeyed(&mut worker, Command::GoTo(Moment { step, ..first }));
        }
        let ways = worker.timeline().ways();
        assert!(ways.len() <= 2, "{ways:?}");
        let last = ways.last().expect("a way");
        assert_eq!((last.parent, last.end), (Some((first.lane, 30)), 30));
    });
}

#[test]
fn a_restart_begins_a_new_record() {
    within(MINUTE, || {
        let mut worker = resting(&[]);
        after(&mut worker, 40);
        obeyed(&mut worker, Command::Restart);
        let timeline = worker.timeline();
        let now = timeline.now().expect("the start");
        assert_eq!((now.step, timeline.ways().len()), (0, 1));
    });
}

#[test]
fn twins_go_the_same_way_until_something_is_changed() {
    within(MINUTE, || {
        let mut a = resting(&[]);
        after(&mut a, 40);
        let mut b = a.twin();
        wait_for(&b, |seen| seen.step == 40);
        for worker in [&mut a, &mut b] {
            worker.send(Command::Step(80));
        }
        let seen = [&mut a, &mut b].map(|worker| {
            wait_for(worker, |seen| seen.step == 120 && !seen.is_playing);
            captured(worker)
        });
        assert_same(&seen[0], &seen[1]);
        assert_eq!(seen[0].history.rows().len(), seen[1].history.rows().len());
        let steps = |worker: &Worker| {
            let timeline = worker.timeline();
            timeline.steps(timeline.now().expect("now").lane)
        };
        assert_eq!(steps(&b).first(), Some(&0), "the past is common");

        set(&mut b, "loss.id", "softmax");
        let seen = [after(&mut a, 10), after(&mut b, 10)];
        assert_ne!(seen[0].head.spec.id, seen[1].head.spec.id);
        assert_ne!(seen[0].head.weights, seen[1].head.weights);
    });
}

/// One makes the steps of the way back, and the others are there with it, to the last bit; whoever
/// went another way before the moment goes back by itself.
#[test]
fn twins_go_back_together_and_train_on_alike() {
    within(MINUTE, || {
        let mut a = resting(&[]);
        after(&mut a, 60);
        let recorded = captured(&mut a);
        let moment = now(&a);
        after(&mut a, 40);
        let mut b = a.twin();
        let mut c = a.twin();
        for worker in [&b, &c] {
            wait_for(worker, |seen| seen.step == 100);
        }
        set(&mut b, "loss.margin", "0.4");
        after(&mut b, 30);
        // The third one comes by the same step with another loss.
        obeyed(&mut c, Command::GoTo(Moment { step: 0, ..moment }));
        set(&mut c, "loss.id", "cosface");
        after(&mut c, 60);
        let its_own = now(&c);
        after(&mut c, 40);
        for (worker, to) in [(&mut a, moment), (&mut b, moment), (&mut c, its_own)] {
            worker.send(Command::GoTo(to));
        }
        let [a1, b1, c1] = [&mut a, &mut b, &mut c].map(captured);
        assert_same(&a1, &recorded);
        assert_same(&b1, &recorded);
        assert_eq!((c1.step, c1.head.spec.id), (60, "cosface"));
        let [a2, b2] = [&mut a, &mut b].map(|worker| after(worker, 40));
        assert_same(&a2, &b2);
        assert_eq!(a2.history.rows().len(), b2.history.rows().len());
    });
}

#[test]
fn meters_of_twins_that_play_are_of_the_same_samples_and_steps() {
    within(MINUTE, || {
        let mut a = worker(BLOBS);
        wait_for(&a, |seen| seen.step > 50);
        let mut b = a.twin();
        wait_for(&b, |seen| seen.step > 100);
        let mut n_compared = 0;
        while n_compared < 20 {
            let pair = [&a, &b].map(|worker| wait_for(worker, |_| true));
            let [a, b] = &pair;
            if a.step == b.step {
                assert!(a.is_playing && b.is_playing);
                assert_eq!(a.probe.computed_at, b.probe.computed_at);
                assert_eq!((a.metrics, a.other_score), (b.metrics, b.other_score));
                n_compared += 1;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // Also of one that had rested meanwhile, once every sample has had its turn.
        obeyed(&mut b, Command::Pause);
        let rested_at = wait_for(&b, |seen| !seen.is_playing).step;
        wait_for(&a, |seen| seen.step > rested_at + 200);
        b.send(Command::Play);
        let are_alike = || {
            let [a, b] = [&a, &b].map(|worker| wait_for(worker, |seen| seen.step > rested_at));
            a.step == b.step && a.probe.computed_at == b.probe.computed_at && b.is_playing
        };
        while !are_alike() {
            std::thread::sleep(Duration::from_millis(5));
        }
        a.send(Command::Pause);
    });
}

#[test]
fn runs_that_play_keep_step_and_one_that_rests_leaves_the_others() {
    within(MINUTE, || {
        let mut a = worker(BLOBS);
        wait_for(&a, |seen| seen.step > 20);
        let mut b = a.twin();
        set(&mut b, "loss.id", "softmax");
        let mut c = a.twin();
        set(&mut c, "batch", "200");
        wait_for(&c, |seen| seen.step > 200);
        let steps = [&mut a, &mut b, &mut c].map(|worker| captured(worker).step);
        // Captured one after the other, while all go on.
        assert!(steps[0] <= steps[1] && steps[1] <= steps[2], "{steps:?}");

        obeyed(&mut b, Command::Pause);
        let at = wait_for(&b, |seen| !seen.is_playing).step;
        let far = wait_for(&a, |seen| seen.step > at + 500).step;
        assert_eq!(wait_for(&b, |_| true).step, at);
        // It catches up before the others go on.
        b.send(Command::Play);
        wait_for(&b, |seen| seen.step >= far);
        let paused = [&mut a, &mut b, &mut c].map(|worker| {
            let number = worker.send(Command::Pause);
            (wait_for(worker, |seen| seen.n_commands >= number), number)
        });
        let steps = paused.map(|(seen, _)| seen.step);
        assert!(steps[0] <= steps[1] && steps[1] <= steps[2], "{steps:?}");

        // The end of one is no end of the others.
        drop(a);
        let before = steps[2];
        c.send(Command::Play);
        wait_for(&c, |seen| seen.step > before + 50);
    });
}

#[test]
fn a_pair_stays_the_same_whatever_the_order_of_commands_and_is_a_run_alone() {
    const LAST: u64 = 1000;
    const SEED: u64 = 6;
    within(MINUTE, || {
        let mut a = resting(&[("loss.id", "cosface")]);
        let b = a.twin();
        wait_for(&b, |seen| seen.step == 0);
        a.send(Command::Pause);
        let mut pair = [a, b];
        let mut steps = [0; 2];
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        while steps != [LAST; 2] {
            let which = rng.random_range(0..2);
            let worker = &mut pair[which];
            let command = match rng.random_range(0..6) {
                0 => Command::Pause,
                1 => Command::Show(Subset::Test(rng.random_range(1..500))),
                2 => Command::Capture,
                3 => Command::Speed([Speed::Full, Speed::PerSecond(300)][rng.random_range(0..2)]),
                _ if steps[which] == LAST => Command::Pause,
                _ => {
                    let n = rng.random_range(1..80).min(LAST - steps[which]);
                    steps[which] += n;
                    Command::Step(n)
                }
            };
            let number = worker.send(command);
            let there = steps[which];
            wait_for(worker, |seen| {
                seen.n_commands >= number && !seen.is_playing && seen.step == there
            });
        }
        let seen = pair.each_mut().map(|worker| {
            worker.send(Command::Show(Subset::default()));
            captured(worker)
        });
        assert_same(&seen[0], &seen[1]);

        let mut alone = Trainer::new(&seen[0].start, Some(seen[0].horizon), 1).expect("a run");
        for _ in 0..LAST {
            alone.step().expect("finite");
        }
        assert_same(&seen[0], &Snapshot::of(&alone, Subset::default()));
    });
}

#[test]
fn a_hundred_thousand_steps_stay_within_the_memory_of_a_timeline() {
    const LAST: u64 = 100_000;
    const MOST_BYTES: usize = 150 << 20;
    within(4 * MINUTE, || {
        let mut worker = worker(&[
            ("data.source", "free"),
            ("network.kind", "none"),
            ("batch", "32"),
        ]);
        let mut twin = worker.twin();
        for worker in [&mut worker, &mut twin] {
            worker.send(Command::Play);
        }
        let bytes = |worker: &Worker| worker.timeline().n_bytes();
        while worker.snapshot().is_none_or(|seen| seen.step < LAST) {
            let both = bytes(&worker) + bytes(&twin);
            assert!(both <= MOST_BYTES, "{both} bytes");
            std::thread::sleep(Duration::from_millis(20));
        }
        let timeline = worker.timeline();
        let now = timeline.now().expect("now");
        let steps = timeline.steps(now.lane);
        assert_eq!((steps.first(), steps.last()), (Some(&0), Some(&now.step)));
    });
}

/// What a second pane costs: `cargo test --release --test engine -- --ignored --nocapture two_panes`.
#[test]
#[ignore = "measures; see above"]
#[expect(clippy::print_stdout, reason = "what was measured")]
fn two_panes_cost_about_twice_one() {
    const N_STEPS: u64 = 400;
    let secs = |n_panes: usize| {
        let first = worker(&[]);
        let mut panes = vec![first];
        for _ in 1..n_panes {
            let twin = panes[0].twin();
            panes.push(twin);
        }
        for pane in &mut panes {
            let number = pane.send(Command::Pause);
            wait_for(pane, |seen| seen.n_commands >= number);
        }
        let from = captured(&mut panes[0]).step;
        let start = Instant::now();
        for pane in &mut panes {
            pane.send(Command::Step(N_STEPS));
        }
        for pane in &panes {
            wait_for(pane, |seen| seen.step >= from + N_STEPS && !seen.is_playing);
        }
        start.elapsed().as_secs_f64()
    };
    let (one, two, six) = (secs(1), secs(2), secs(6));
    println!(
        "{N_STEPS} steps of MNIST: 1 pane {one:.2} s, 2 {:.2}, 6 {:.2} times that",
        two / one,
        six / one
    );
}
