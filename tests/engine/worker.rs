//! The thread that trains, whatever it is told.

use super::*;

/// Runs `test` on a thread of its own and fails if it is not done in time: a deadlock would hang.
#[track_caller]
pub(crate) fn within(limit: Duration, test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let spawned = std::thread::Builder::new()
        .name("watched".to_owned())
        .spawn(move || {
            test();
            let _ = done.send(()); // nobody listens after the limit
        });
    let Ok(thread) = spawned else {
        panic!("no thread");
    };
    match is_done.recv_timeout(limit) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("not done within {limit:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

#[track_caller]
pub(crate) fn worker(settings: &[(&str, &str)]) -> Worker {
    match Worker::spawn(experiment(settings), 1, || ()) {
        Ok(worker) => worker,
        Err(error) => panic!("{error}"),
    }
}

/// The first snapshot for which `wanted` holds.
pub(crate) fn wait_for(worker: &Worker, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    loop {
        if let Some(snapshot) = worker.snapshot().filter(|snapshot| wanted(snapshot)) {
            return snapshot;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[track_caller]
fn assert_finite(snapshot: &Snapshot) {
    let Snapshot { head, probe, .. } = snapshot;
    let tensors = [&head.weights, &head.bias, &head.centers, &probe.features];
    for values in tensors {
        assert!(values.iter().all(|x| x.is_finite()));
    }
}

fn random_command(rng: &mut ChaCha8Rng, worker: &Worker) -> Command {
    let set = |key: &str, value: &str| Command::Set {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let load = |settings: &[(&str, &str)]| {
        Command::Load(Box::new(experiment(&[BLOBS, settings].concat())))
    };
    match rng.random_range(0..26) {
        0 => Command::Play,
        1 => Command::Pause,
        2 => Command::Step(rng.random_range(0..5)),
        3 => Command::Restart,
        4 => load(&[("dim", "3")]),
        5 => load(&[("classes", "2"), ("loss.id", "binary_cross_entropy")]),
        6 => load(&[("data.source", "free"), ("network.kind", "none")]),
        7 => Command::Show(Subset::Train(rng.random_range(0..500))),
        8 => Command::Show(Subset::Test(rng.random_range(0..500))),
        9 => set("dim", "4"),
        10 => set("dim", "2"),
        11 => set("dim", "0"),
        12 => set("margn", "0.2"),
        13 => set("margin", "0.2"),
        14 => set("margin", "99"),
        15 => set("loss.id", "softmax"),
        16 => set("loss.id", "arcface"),
        17 => set("loss.id", "center"),
        18 => set("loss.id", "sphereface"),
        19 => set("batch", "31"),
        20 => set("optimizer.kind", "adam"),
        21 => set("optimizer.kind", "sgd"),
        22 => set("classes", "5"),
        23 => Command::Speed(Speed::ALL[rng.random_range(0..Speed::ALL.len())]),
        24 => set("data.source", "free"),
        _ => somewhere(rng, worker),
    }
}

/// Back to a moment of any way that was recorded.
fn somewhere(rng: &mut ChaCha8Rng, worker: &Worker) -> Command {
    let ways = worker.timeline().ways();
    if ways.is_empty() {
        return Command::Play;
    }
    let way = &ways[rng.random_range(0..ways.len())];
    Command::GoTo(Moment {
        lane: way.lane,
        step: rng.random_range(0..=way.end),
    })
}

#[test]
fn a_thousand_random_commands_do_no_harm() {
    const SEED: u64 = 20;
    within(Duration::from_mins(1), || {
        let mut worker = worker(BLOBS);
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let (mut generation, mut n_seen) = (0, 0);
        for _ in 0..1000 {
            let command = random_command(&mut rng, &worker);
            worker.send(command);
            if rng.random_range(0..10) == 0 {
                std::thread::sleep(Duration::from_millis(2));
            }
            if let Some(snapshot) = worker.snapshot() {
                assert!(snapshot.generation >= generation, "generations go back");
                generation = snapshot.generation;
                n_seen += 1;
                assert_finite(&snapshot);
            }
        }
        // It still obeys: a last run of its own shows up, and trains.
        worker.send(Command::Speed(Speed::Full));
        worker.send(Command::Load(Box::new(experiment(
            &[BLOBS, &[("seed", "77")]].concat(),
        ))));
        worker.send(Command::Play); // a new run rests where the one before rested
        wait_for(&worker, |s| s.experiment.run.seed == 77 && s.step > 10);
        assert!(n_seen > 100, "{n_seen} snapshots");
    });
}

#[test]
fn two_pauses_at_one_step_give_the_same_scene() {
    within(Duration::from_secs(30), || {
        // However the run came to the step, and whatever was probed on the way.
        let shown = |stretches: &[u64]| {
            let mut worker = worker(BLOBS);
            worker.send(Command::Pause);
            worker.send(Command::Restart);
            let mut number = 0;
            for &n_steps in stretches {
                number = worker.send(Command::Step(n_steps));
                wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
            }
            let snapshot = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
            assert_eq!((snapshot.generation, snapshot.step), (2, 137));
            assert!(snapshot.probe.computed_at.iter().all(|&step| step == 137));
            let mut view = ViewState::new(ViewKind::Plane, DARK);
            let _ = view.fit(&snapshot, [900.0, 700.0]);
            (snapshot.probe.clone(), snapshot.head.clone(), {
                svg::svg(&Sheet::of(&scene::build(&snapshot, &view, [900.0, 700.0])))
            })
        };
        let at_once = shown(&[137]);
        assert!(at_once == shown(&[137]));
        assert!(at_once == shown(&[1, 50, 86]));
    });
}

/// What is left of a run that was stopped at a step: everything in it follows from the parameters.
fn rest_of(snapshot: &Snapshot) -> (u64, Probe, HeadState) {
    let computed_at = &snapshot.probe.computed_at;
    assert!(computed_at.iter().all(|&step| step == snapshot.step));
    (snapshot.step, snapshot.probe.clone(), snapshot.head.clone())
}

#[test]
fn no_speed_changes_a_bit() {
    within(Duration::from_mins(1), || {
        let at_full_speed = |n_steps: u64| {
            let mut worker = worker(BLOBS);
            worker.send(Command::Pause);
            worker.send(Command::Restart);
            let number = worker.send(Command::Step(n_steps));
            rest_of(&wait_for(&worker, |s| {
                s.n_commands >= number && !s.is_playing
            }))
        };
        // A run of 40 steps at a pace, and changes of pace on its way.
        for speeds in [
            &[Speed::PerSecond(300)][..],
            &[Speed::Full],
            &[Speed::PerSecond(30), Speed::PerSecond(300), Speed::Full],
        ] {
            let mut worker = worker(&[BLOBS, &[("steps", "40")]].concat());
            worker.send(Command::Pause);
            worker.send(Command::Restart);
            worker.send(Command::Play);
            let mut number = 0;
            for &speed in speeds {
                number = worker.send(Command::Speed(speed));
                std::thread::sleep(Duration::from_millis(50));
            }
            let rested = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
            assert!(rest_of(&rested) == at_full_speed(40), "{speeds:?}");
        }
    });
}

#[test]
fn at_one_step_a_second_steps_and_pauses_are_exact() {
    within(Duration::from_mins(1), || {
        let mut worker = worker(BLOBS);
        worker.send(Command::Speed(Speed::PerSecond(1)));
        worker.send(Command::Pause);
        worker.send(Command::Restart);
        // Steps that are asked for do not wait for their second.
        let number = worker.send(Command::Step(37));
        let stepped = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
        assert_eq!(rest_of(&stepped).0, 37);
        // Playing, every step is shown with all its samples, and a pause stays where it is said.
        let number = worker.send(Command::Play);
        let played = wait_for(&worker, |s| s.n_commands >= number && s.step > 37);
        assert!(played.is_playing && rest_of(&played).0 > 37);
        let number = worker.send(Command::Pause);
        let paused = wait_for(&worker, |s| s.n_commands >= number);
        assert!(!paused.is_playing);
        let number = worker.send(Command::Step(1));
        let last = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
        assert_eq!(rest_of(&last).0, paused.step + 1);
    });
}

#[test]
fn a_slow_run_obeys_while_it_waits_and_stays_slow_after_a_restart() {
    within(Duration::from_mins(1), || {
        let mut worker = worker(BLOBS);
        worker.send(Command::Speed(Speed::PerSecond(1)));
        let number = worker.send(Command::Restart);
        let first = wait_for(&worker, |s| s.n_commands >= number && s.step > 0);
        let number = worker.send(Command::Set {
            key: "loss.margin".into(),
            value: "0.2".into(),
        });
        let changed = wait_for(&worker, |s| s.n_commands >= number);
        assert_eq!(changed.head.values[0], 0.2);
        // Full speed would make thousands of steps meanwhile, a busy machine here a few.
        let next = wait_for(&worker, |s| s.step > first.step);
        assert!(next.step - first.step < 20, "{} {}", first.step, next.step);
    });
}

#[test]
fn a_snapshot_says_which_commands_it_answers() {
    within(Duration::from_secs(30), || {
        let mut worker = worker(BLOBS);
        let set = |key: &str, value: &str| Command::Set {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let first = worker.send(set("loss.id", "cosface"));
        let bad = worker.send(set("loss.margin", "99"));
        let last = worker.send(set("loss.margin", "0.2"));
        assert!(first < bad && bad < last);
        let snapshot = wait_for(&worker, |s| s.n_commands >= last);
        assert_eq!(snapshot.head.spec.id, "cosface");
        assert_eq!(snapshot.head.values[0], 0.2);
        // A refusal stays to be read, also after later commands.
        let refusal = snapshot.refusal.clone().map(|r| (r.command, r.reason));
        let (number, reason) = refusal.unwrap_or_default();
        assert_eq!(number, bad);
        assert!(reason.contains("margin"), "{reason}");
        let mut replay = snapshot.recipe();
        assert_eq!(replay.loss.spec.id, "arcface", "as it stood at the start");
        assert_eq!(replay.run.changes.len(), 2);
        replay.run.changes.clear();
        assert_eq!(replay, experiment(BLOBS));
    });
}

#[test]
fn pausing_shows_all_features_at_the_step_it_rests_at() {
    within(Duration::from_secs(30), || {
        let mut worker = worker(BLOBS);
        wait_for(&worker, |s| s.step > 50);
        worker.send(Command::Pause);
        let first = wait_for(&worker, |s| !s.is_playing);
        assert!(
            first
                .probe
                .computed_at
                .iter()
                .all(|&step| step == first.step)
        );
        worker.send(Command::Pause);
        std::thread::sleep(Duration::from_millis(20));
        let Some(second) = worker.snapshot() else {
            panic!("a snapshot was there");
        };
        assert_eq!(second.step, first.step);
        assert!(second.probe == first.probe);
    });
}

#[test]
fn a_run_with_a_length_pauses_there_and_play_goes_on() {
    within(Duration::from_secs(30), || {
        for (length, n_steps) in [
            (("steps", "25"), 25),
            (("epochs", "1"), 12),
            (("steps", "0"), 0),
        ] {
            let samples = [("samples", "40"), ("classes", "4"), ("batch", "13"), length];
            let mut worker = worker(&[BLOBS, &samples].concat());
            let paused = wait_for(&worker, |s| !s.is_playing);
            assert_eq!(paused.step, n_steps, "{length:?}");
            worker.send(Command::Play);
            wait_for(&worker, |s| s.step > n_steps + 20);
            // A restart at rest has its whole length before it again.
            worker.send(Command::Pause);
            worker.send(Command::Restart);
            let number = worker.send(Command::TogglePlay);
            if n_steps > 0 {
                let again = wait_for(&worker, |s| s.n_commands >= number && !s.is_playing);
                assert_eq!(again.step, n_steps, "{length:?}");
            }
        }
    });
}

#[test]
fn dropping_a_worker_ends_it_promptly() {
    within(Duration::from_secs(30), || {
        let busy = worker(&[BLOBS, &[("batch", "300"), ("network.kind", "mlp:512,512")]].concat());
        wait_for(&busy, |s| s.step > 0);
        let start = Instant::now();
        drop(busy);
        // A step takes some milliseconds; seconds would be a queue that is worked off first.
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    });
}

#[test]
fn a_diverging_run_stops_at_a_finite_picture_and_says_what_to_try() {
    for loss in ["softmax", "arcface", "center"] {
        within(Duration::from_secs(30), move || {
            let settings = [
                ("loss.id", loss),
                ("learning_rate", "100"),
                ("clip", "0"),
                ("warmup", "0"),
                ("optimizer.weight_decay", "1"),
            ];
            let mut worker = worker(&[BLOBS, &settings].concat());
            let end = Instant::now() + Duration::from_secs(20);
            let fault = loop {
                if let Some(snapshot) = worker.snapshot() {
                    assert_finite(&snapshot);
                    if snapshot.fault.is_some() {
                        break snapshot;
                    }
                }
                assert!(Instant::now() < end, "{loss} does not diverge");
            };
            let message = fault.fault.clone().unwrap_or_default();
            assert!(
                message.contains("diverged at step")
                    && message.contains("try a lower learning rate"),
                "{message}"
            );
            assert!(!fault.is_playing);
            worker.send(Command::Play); // a fault is not played over
            worker.send(Command::Set {
                key: "learning_rate".into(),
                value: "0.01".into(),
            });
            let rested = wait_for(&worker, |s| s.experiment.learning_rate() == 0.01);
            assert!(!rested.is_playing && rested.fault.is_some());
            assert_finite(&rested);
            worker.send(Command::Restart);
            wait_for(&worker, |s| s.fault.is_none() && s.step > 5);
        });
    }
}
