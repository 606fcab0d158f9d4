//! A session goes on with the bits of the run that it was saved from.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

use super::*;
use marginscope::trainer::{Session, SessionError};

/// The run after so many steps, through a file and back.
fn reopened(run: &Trainer) -> Trainer {
    let mut history = History::default();
    history.push_loss(run.n_steps(), 1.0 / 3.0);
    let session = run.session(run.recipe().to_toml(), history);
    let bytes = session.to_bytes().expect("a file");
    let again = Session::from_bytes(&bytes).expect("a session");
    assert!(Session::is_session(&bytes));
    // Tensors are kept in the order of their names.
    assert_eq!(again.to_bytes().ok(), Some(bytes));
    assert_eq!(again.history, session.history);
    resumed(&again)
}

fn resumed(session: &Session) -> Trainer {
    let experiment = Experiment::from_toml(&session.recipe, "session").expect("a recipe");
    Trainer::resume(session, &experiment, 1).expect("a run")
}

#[test]
fn a_run_goes_on_with_the_same_bits() {
    let settings: [&[(&str, &str)]; 6] = [
        &[("loss.id", "arcface"), ("loss.ramp", "60")],
        &[("loss.id", "center"), ("optimizer.kind", "adam")],
        &[("loss.id", "sphereface"), ("optimizer.momentum", "0")],
        &[
            ("data.source", "free"),
            ("network.kind", "none"),
            ("loss.id", "cosface"),
        ],
        &[("optimizer.batch", "100000")],
        &[("dim", "3"), ("optimizer.batch", "7")],
    ];
    for (i, settings) in settings.iter().enumerate() {
        let experiment = experiment(&[BLOBS, settings].concat());
        for horizon in [None, Some(Horizon::Endless)] {
            let mut whole = Trainer::new(&experiment, horizon, 1).expect("a run");
            let mut parts = Trainer::new(&experiment, horizon, 1).expect("a run");
            for n in [0, 1, 38, 3, 50] {
                steps(&mut whole, n);
                steps(&mut parts, n);
                parts = reopened(&parts);
                assert_eq!(parts.recipe(), whole.recipe());
                assert_eq!(parts.horizon(), whole.horizon());
            }
            steps(&mut whole, 40);
            steps(&mut parts, 40);
            assert_eq!(
                parts.parameters_sha256(),
                whole.parameters_sha256(),
                "settings {i}, {horizon:?}"
            );
            assert_eq!(
                (parts.epochs(), parts.n_steps()),
                (whole.epochs(), whole.n_steps())
            );
        }
    }
}

#[test]
fn changes_made_and_changes_to_come_are_kept() {
    let mut experiment = experiment(&[BLOBS, &[("loss.id", "arcface")]].concat());
    experiment.run.changes = [
        (10, "loss.margin", "0.4"),
        (20, "loss.id", "cosface"),
        (60, "loss.scale", "9"),
        (80, "optimizer.learning_rate", "0.01"),
    ]
    .map(|(step, key, value)| marginscope::experiment::Change {
        step,
        key: key.to_owned(),
        value: value.to_owned(),
    })
    .into_iter()
    .collect();
    let mut whole = Trainer::new(&experiment, Some(Horizon::Endless), 1).expect("a run");
    let mut parts = Trainer::new(&experiment, Some(Horizon::Endless), 1).expect("a run");
    steps(&mut parts, 30);
    parts
        .set("optimizer.momentum", "0.5")
        .expect("a change by hand");
    let mut parts = reopened(&parts);
    steps(&mut whole, 30);
    whole
        .set("optimizer.momentum", "0.5")
        .expect("a change by hand");
    steps(&mut whole, 70);
    steps(&mut parts, 70);
    assert_eq!(parts.recipe(), whole.recipe());
    assert_eq!(parts.recipe().run.changes.len(), 5);
    assert_eq!(parts.parameters_sha256(), whole.parameters_sha256());
}

fn bytes() -> Vec<u8> {
    let mut run = Trainer::new(&experiment(BLOBS), None, 1).expect("a run");
    steps(&mut run, 5);
    let session = run.session(run.recipe().to_toml(), History::default());
    session.to_bytes().expect("a file")
}

#[test]
fn a_file_that_is_cut_off_or_spoiled_is_refused() {
    let bytes = bytes();
    for len in (0..bytes.len())
        .step_by(97)
        .chain([7, 8, 9, bytes.len() - 1])
    {
        assert!(Session::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
    }
    let mut huge = bytes.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(Session::from_bytes(&huge).is_err());
    // Any byte of the header, and then the whole: an error or a session, never a panic.
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    for at in 0..header {
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0x15;
        if let Ok(session) = Session::from_bytes(&spoiled)
            && let Ok(experiment) = Experiment::from_toml(&session.recipe, "session")
        {
            let _ = Trainer::resume(&session, &experiment, 1);
        }
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let session = Session::from_bytes(&bytes()).expect("a session");
    let fault = |settings: &[(&str, &str)]| {
        let experiment = experiment(&[BLOBS, settings].concat());
        let resumed = Trainer::resume(&session, &experiment, 1);
        resumed.expect_err("another run").to_string()
    };
    let other = fault(&[("dim", "3")]);
    assert!(other.contains("numbers, expected"), "{other}");
    let other = fault(&[("network.kind", "none")]);
    assert!(
        other.contains("it has no") || other.contains("expected"),
        "{other}"
    );
    let other = fault(&[("data.samples", "3")]);
    assert!(other.contains("training samples"), "{other}");
    let spoiled = Session::from_bytes(b"{\"a\":1}").expect_err("no session");
    assert!(matches!(spoiled, SessionError::Format { .. }));
}
