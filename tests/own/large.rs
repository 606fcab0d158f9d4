//! A million rows of sixteen columns. Slow, so it runs on demand:
//! `cargo test --release --test own large -- --ignored --nocapture --test-threads 1`

use std::io::{BufWriter, Write as _};
use std::time::Instant;

use super::*;

const N_ROWS: usize = 1_000_000;
const N_COLUMNS: usize = 16;

/// A number that looks measured: seven digits, different in each place.
fn value(row: usize, column: usize) -> f32 {
    let mixed = (row * 31 + column * 17 + row * row % 1009) % 20_001;
    mixed as f32 / 1000.0 - 10.0
}

/// The most memory that this process ever had, in megabytes.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a peak");
    let kb: f64 = line
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .expect("a number");
    kb / 1000.0
}

#[expect(clippy::print_stdout, reason = "the result of a long run is a figure")]
fn read_million(path: &Path) {
    let n_bytes = std::fs::metadata(path).expect("a file").len();
    let start = Instant::now();
    let mut spec = DataSpec::new(DataSource::File(path.to_owned()));
    let mut n_calls = 0;
    spec.read(&mut |done, total| {
        assert!(done <= total);
        n_calls += 1;
        true
    })
    .expect("a good file");
    let read_secs = start.elapsed().as_secs_f64();
    let data = loaded(&spec, 1);
    println!(
        "{}: {:.0} MB read in {read_secs:.2} s with {n_calls} reports, parted and scaled in {:.2} s, peak {:.0} MB",
        path.extension().and_then(|e| e.to_str()).unwrap_or(""),
        n_bytes as f64 / 1e6,
        start.elapsed().as_secs_f64() - read_secs,
        peak_mb()
    );
    assert!(n_calls as u64 > n_bytes / (2 << 20));
    assert_eq!(data.train.len() + data.test.expect("a part").len(), N_ROWS);
    assert_eq!(data.class_names.len(), 5);
    // 64 MB of numbers in the table, as many in the parts, and the program itself.
    assert!(peak_mb() < 400.0, "{} MB", peak_mb());
}

#[test]
#[ignore = "writes and reads 130 MB"]
fn a_million_rows_of_text_are_read() {
    let (_folder, path) = file_with("a.csv", b"");
    let mut file = BufWriter::new(std::fs::File::create(&path).expect("made"));
    for row in 0..N_ROWS {
        for column in 0..N_COLUMNS {
            write!(file, "{:.3},", value(row, column)).expect("written");
        }
        writeln!(file, "c{}", row % 5).expect("written");
    }
    drop(file);
    read_million(&path);
}

#[test]
#[ignore = "writes and reads 64 MB"]
fn a_million_rows_of_an_array_are_read() {
    let (folder, path) = file_with("x.npy", &npy("<f4", false, &[N_ROWS, N_COLUMNS], &[]));
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .expect("there");
    let mut file = BufWriter::new(file);
    for row in 0..N_ROWS {
        for column in 0..N_COLUMNS {
            file.write_all(&value(row, column).to_le_bytes())
                .expect("written");
        }
    }
    drop(file);
    let labels: Vec<u8> = (0..N_ROWS).map(|row| (row % 5) as u8).collect();
    std::fs::write(
        folder.path().join("y.npy"),
        npy("|u1", false, &[N_ROWS], &labels),
    )
    .expect("written");
    read_million(&path);
}
