//! Readers on arbitrary bytes and on damaged good files: no panic, no hang, bounded memory.
//!
//! The quick tests run with all others. The long ones are ignored:
//! `cargo test --release fuzz -- --ignored --nocapture --test-threads 1` makes a million cases for
//! each reader and prints their time and the peak of memory.

use std::cell::Cell;
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Cases of a reader in the normal suite.
pub(crate) const QUICK: u32 = 3000;

/// Cases of a reader in the long run.
pub(crate) const LONG: u32 = 1_000_000;

/// A reader under test: bytes, and a number that chooses between its ways. Whether it read them.
pub(crate) type Target = fn(&[u8], u8) -> bool;

/// Runs a target on `cases` inputs made from `seeds`.
pub(crate) fn run(cases: u32, seeds: &[Vec<u8>], target: Target) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let start = Instant::now();
    let (n_cases, n_read) = (Cell::new(0), Cell::new(0));
    let outcome = runner.run(&inputs(seeds), |(bytes, way)| {
        n_cases.set(n_cases.get() + 1);
        n_read.set(n_read.get() + u32::from(target(&bytes, way)));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let (n_cases, n_read) = (n_cases.get(), n_read.get());
    assert_eq!(n_cases, cases);
    // Damage must reach beyond the first check of a header.
    assert!(
        n_read > cases / 20,
        "only {n_read} of {n_cases} files were read"
    );
    if cases == LONG {
        let seconds = start.elapsed().as_secs_f64();
        #[expect(clippy::print_stdout, reason = "the result of a long run is a figure")]
        {
            println!(
                "{n_cases} cases, {n_read} of them read, in {seconds:.1} s, peak memory {}",
                peak_memory()
            );
        }
    }
}

/// The most memory that this process ever had.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("unknown").trim().to_owned()
}

/// A change of a good file.
#[derive(Debug, Clone)]
enum Damage {
    Set(u16, u8),
    Flip(u16, u8),
    Insert(u16, Vec<u8>),
    Remove(u16, u8),
    Truncate(u16),
    /// Copies a stretch to another place.
    Copy(u16, u16, u8),
}

/// Bytes that mean something to some reader.
const TOKENS: [&[u8]; 14] = [
    b"\x93NUMPY\x01\0",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\"",
    b"\n",
    b",",
    b";",
    b"nan",
    b"1e39",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\xef\xbb\xbf",
    b"{'descr': '<U1', ",
    b"-inf",
];

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        3 => (any::<u16>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        3 => (any::<u16>(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => (any::<u16>(), prop::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (any::<u16>(), 0..TOKENS.len())
            .prop_map(|(at, token)| Damage::Insert(at, TOKENS[token].to_vec())),
        1 => (any::<u16>(), any::<u8>()).prop_map(|(at, n)| Damage::Remove(at, n)),
        1 => any::<u16>().prop_map(Damage::Truncate),
        1 => (any::<u16>(), any::<u16>(), any::<u8>())
            .prop_map(|(from, to, n)| Damage::Copy(from, to, n)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let len = bytes.len();
    let at = |place: u16| usize::from(place) % len.max(1);
    if len == 0 {
        return;
    }
    match damage {
        Damage::Set(place, byte) => bytes[at(*place)] = *byte,
        Damage::Flip(place, bit) => bytes[at(*place)] ^= 1 << bit,
        Damage::Insert(place, new) => {
            let place = at(*place);
            bytes.splice(place..place, new.iter().copied());
        }
        Damage::Remove(place, n) => {
            let start = at(*place);
            bytes.drain(start..(start + usize::from(*n)).min(len));
        }
        Damage::Truncate(place) => bytes.truncate(at(*place)),
        Damage::Copy(from, to, n) => {
            let from = at(*from);
            let stretch = bytes[from..(from + usize::from(*n)).min(len)].to_vec();
            let to = at(*to);
            bytes.splice(to..to, stretch);
        }
    }
}

fn inputs(seeds: &[Vec<u8>]) -> impl Strategy<Value = (Vec<u8>, u8)> + use<> {
    let seeds = seeds.to_vec();
    let damaged =
        (0..seeds.len(), prop::collection::vec(damage(), 0..6)).prop_map(move |(seed, damages)| {
            let mut bytes = seeds[seed].clone();
            for damage in &damages {
                apply(&mut bytes, damage);
            }
            bytes
        });
    let arbitrary = prop::collection::vec(any::<u8>(), 0..300);
    (prop_oneof![4 => damaged, 1 => arbitrary], any::<u8>())
}

/// A message stays short, whatever stands in the file; `cli::Failure` escapes what breaks lines.
pub(crate) fn check_message(text: &str) {
    assert!(text.len() < 1500 && !text.is_empty(), "{text}");
}

/// The quick and the long test of a target: their names, its seeds and itself.
macro_rules! fuzz {
    ($quick:ident, $long:ident, $seeds:ident, $target:ident) => {
        #[test]
        fn $quick() {
            $crate::fuzz::run($crate::fuzz::QUICK, &$seeds(), $target);
        }

        #[test]
        #[ignore = "a million cases, minutes in release"]
        fn $long() {
            $crate::fuzz::run($crate::fuzz::LONG, &$seeds(), $target);
        }
    };
}
pub(crate) use fuzz;
