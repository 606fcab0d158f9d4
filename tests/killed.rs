//! A process that is killed while it writes leaves the file that was there, or the new one, whole;
//! and the run goes on from either.

#![allow(
    clippy::expect_used,
    reason = "helpers of tests may panic as tests may"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A run whose session has some hundred kilobytes, so that writing it takes a while.
const RUN: &[&str] = &[
    "--data",
    "blobs",
    "--network",
    "mlp:400,200",
    "--threads",
    "1",
];

fn marginscope(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marginscope"));
    command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// The bytes that a command writes to `path` if nobody ends it, and how long it takes.
fn whole(args: &[&str], path: &Path) -> (Vec<u8>, Duration) {
    let start = Instant::now();
    let status = marginscope(args).status().expect("the program runs");
    assert!(status.success(), "{args:?}");
    (std::fs::read(path).expect("a file"), start.elapsed())
}

/// How often a round of kills left which file.
#[derive(Debug, Default)]
struct Tally {
    before: usize,
    after: usize,
    /// Kills while the new file was being written beside the old one.
    midway: usize,
}

/// Kills at a random moment of the run, or, in every other round, shortly after its new file was
/// begun.
fn kill(mut child: Child, folder: &Path, is_midway: bool, span: Duration, rng: &mut ChaCha8Rng) {
    let is_running = |child: &mut Child| child.try_wait().expect("its state").is_none();
    if is_midway {
        while n_files(folder) < 2 && is_running(&mut child) {
            std::hint::spin_loop();
        }
        std::thread::sleep(Duration::from_micros(rng.random_range(0..2500)));
    } else {
        std::thread::sleep(span.mul_f64(rng.random_range(0.0..1.1)));
    }
    let _ = child.kill(); // SIGKILL; it may have ended by now
    child.wait().expect("an end");
}

fn n_files(folder: &Path) -> usize {
    std::fs::read_dir(folder).expect("a folder").count()
}

/// Writes one file over the other, again and again, and is killed; `check` looks at what is left.
fn rounds(
    name: &str,
    commands: [&[&str]; 2],
    n_rounds: usize,
    mut check: impl FnMut(&Path),
) -> Tally {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    let target = path.to_str().expect("UTF-8");
    let args = commands.map(|command| [command, &[target]].concat());
    let made = args.each_ref().map(|args| whole(args, &path));
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut tally = Tally::default();
    for round in 0..n_rounds {
        let there = std::fs::read(&path).expect("a file");
        let new = usize::from(there == made[0].0); // the other one
        let child = marginscope(&args[new]).spawn().expect("the program runs");
        kill(
            child,
            folder.path(),
            round.is_multiple_of(2),
            made[new].1,
            &mut rng,
        );
        let left = std::fs::read(&path).expect("a file");
        if left == made[new].0 {
            tally.after += 1;
        } else {
            assert!(left == there, "round {round}: {} bytes", left.len());
            tally.before += 1;
        }
        check(&path);
        tally.midway += usize::from(remove_beside(folder.path(), &path));
    }
    tally
}

/// Takes away what the killed process left beside the file; whether there was anything.
fn remove_beside(folder: &Path, path: &Path) -> bool {
    let mut any = false;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let other = entry.expect("an entry").path();
        if other != path {
            std::fs::remove_file(other).expect("removed");
            any = true;
        }
    }
    any
}

/// Parameters after 60 steps, from where a session stands.
fn digest_of_60(session: &str) -> String {
    let mut command = marginscope(&["train", session, "--steps", "60", "--json"]);
    let output = command.stdout(Stdio::piped()).output().expect("it runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    report["parameters_sha256"]
        .as_str()
        .expect("a digest")
        .to_owned()
}

fn kill_saves(n_rounds: usize) -> Tally {
    let save = |steps: &'static str| [&["train"], RUN, &["--steps", steps, "--save"]].concat();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("whole.safetensors");
    let path = path.to_str().expect("UTF-8");
    let goes_on_to = ["20", "40"].map(|steps| {
        whole(&[&save(steps)[..], &[path]].concat(), Path::new(path));
        digest_of_60(path)
    });
    let commands: [&[&str]; 2] = [&save("20"), &save("40")];
    rounds("run.safetensors", commands, n_rounds, |left| {
        let digest = digest_of_60(left.to_str().expect("UTF-8"));
        assert!(goes_on_to.contains(&digest));
    })
}

fn kill_exports(name: &str, n_rounds: usize) -> Tally {
    let export = |steps: &'static str| {
        let how = ["--steps", steps, "--width", "500px", "--out"];
        [&["render"], RUN, &how].concat()
    };
    rounds(name, [&export("5"), &export("9")], n_rounds, |path| {
        marginscope::figure::open(path).expect("a recipe in it");
    })
}

#[test]
fn a_killed_save_leaves_one_session_or_the_other() {
    let tally = kill_saves(6);
    assert!(tally.before > 0, "{tally:?}");
}

#[test]
fn a_killed_export_leaves_one_figure_or_the_other() {
    let tally = kill_exports("fig.svg", 6);
    assert!(tally.before > 0, "{tally:?}");
}

/// `cargo test --release --test killed -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes: 1,100 kills"]
#[allow(clippy::print_stdout, reason = "what came of it is to be read")]
fn no_file_is_ever_broken() {
    let saves = kill_saves(300);
    println!("saves: {saves:?}");
    assert!(saves.before > 0 && saves.after > 0 && saves.midway > 0);
    for name in ["fig.svg", "fig.pdf", "fig.png", "fig.gif"] {
        let exports = kill_exports(name, 200);
        println!("{name}: {exports:?}");
        assert!(exports.before > 0 && exports.after > 0, "{exports:?}");
    }
}
