//! The gallery of paper figures: that its pictures show what is said of them, and that its page in
//! the documents is made of its files.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use marginscope::figure::gallery::{Exhibit, exhibits, find};
use marginscope::figure::{open, replay};
use marginscope::trainer::Snapshot;

/// Set to anything, this variable lets the page be written anew in the place of being compared.
const WRITE: &str = "MARGINSCOPE_WRITE_GALLERY";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    let mut text = "# Figures of the papers\n\n".to_owned();
    text += "Toy figures of the papers that the losses come from, made again by `marginscope render gallery:NAME --out FIG.pdf`.\n";
    text += "`marginscope gallery:NAME`, or Open ▾ → Gallery… in the window, opens the experiment behind one; `marginscope train gallery:NAME` trains it.\n";
    text += "A film strip opens at its first panel.\n";
    text += "All run on the MNIST and the small network of the binary, each in less than a minute on two cores.\n";
    text += "Data, network and length are ours, so that numbers do not compare with those of the papers; what is different is said below each picture.\n\n";
    text += "This page and its pictures are made by `docs/gallery.sh` from `assets/gallery`.\n";
    for exhibit in exhibits() {
        section(&mut text, exhibit);
    }
    text
}

fn section(text: &mut String, exhibit: &Exhibit) {
    let (name, about) = (exhibit.name, &exhibit.about);
    let arxiv = about.arxiv.as_ref().map_or_else(String::new, |number| {
        format!(", arXiv [{number}](https://arxiv.org/abs/{number})")
    });
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n## {}\n\n{}{arxiv}: figure {}.\n\n![{}](gallery/{name}.png)\n\n",
        about.title, about.paper, about.figure, about.summary
    );
    let parts = [
        ("The paper", &about.shows),
        ("Here", &about.seen),
        ("Differences", &about.differs),
        ("To try", &about.look),
    ];
    for (what, words) in parts {
        let _ = writeln!(text, "- **{what}:** {words}");
    }
    let _ = write!(
        text,
        "\n```\nmarginscope render gallery:{name} --out {name}.pdf\n```\n"
    );
}

#[test]
fn the_page_is_made_of_the_files() {
    let path = root().join("docs/gallery.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, page()).expect("the page is written");
    }
    let found = std::fs::read_to_string(&path).expect("docs/gallery.md");
    assert!(
        found == page(),
        "docs/gallery.md is old: run docs/gallery.sh"
    );
}

#[test]
fn every_figure_has_its_picture() {
    const MOST_BYTES: u64 = 80 << 10;
    for exhibit in exhibits() {
        let path = root().join(format!("docs/gallery/{}.png", exhibit.name));
        let size = path.metadata().expect(exhibit.name).len();
        assert!(size <= MOST_BYTES, "{}: {size} bytes", exhibit.name);
    }
}

/// The runs of a figure at the end, in the order of its panels.
fn panels(name: &str) -> Vec<Arc<Snapshot>> {
    const THREADS: usize = 2;
    let exhibit = find(name).expect(name);
    let opened = open(Path::new(&exhibit.path())).expect(name);
    let played = replay(&opened.recipe, THREADS, |_, _| true).expect(name);
    let moments = played.moments.into_iter();
    moments.map(|moment| moment.snapshot).collect()
}

/// Mean lengths of the features of each class.
fn lengths(snapshot: &Snapshot) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); snapshot.head.n_classes];
    let features = snapshot.probe.features.chunks_exact(snapshot.head.dim);
    for (x, &label) in features.zip(snapshot.probe.labels.iter()) {
        let length = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let (sum, n) = &mut sums[usize::from(label)];
        *sum += length;
        *n += 1.0;
    }
    sums.into_iter().map(|(sum, n)| sum / n).collect()
}

fn least_over_mean(lengths: &[f64]) -> f64 {
    let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
    lengths.iter().copied().fold(f64::INFINITY, f64::min) / mean
}

#[track_caller]
fn assert_falls(values: &[f64]) {
    assert!(
        values.windows(2).all(|pair| pair[1] < pair[0]),
        "{values:?}"
    );
}

fn intra(panels: &[Arc<Snapshot>]) -> Vec<f64> {
    let angle = |panel: &Arc<Snapshot>| degrees(panel.metrics.intra_class_angle_rad);
    panels.iter().map(angle).collect()
}

fn degrees(angle_rad: Option<f64>) -> f64 {
    angle_rad.map_or(f64::NAN, f64::to_degrees)
}

#[test]
fn target_logits_are_those_of_the_paper() {
    let panels = panels("target-logits");
    let psi = |i: usize, theta_deg: f64| {
        let head = &panels[i].head;
        head.spec
            .0
            .target
            .psi(f64::to_radians(theta_deg), &head.values)
    };
    let cos = |rad: f64| rad.cos();
    for theta_deg in [20.0, 45.0, 70.0, 100.0] {
        let theta = f64::to_radians(theta_deg);
        let expected = [
            (0, cos(theta)),
            (2, cos(1.35 * theta)),
            (3, cos(theta + 0.5)),
            (4, cos(theta) - 0.35),
            (5, cos(theta + 0.3) - 0.2),
            (6, cos(0.9 * theta + 0.4) - 0.15),
        ];
        for (i, value) in expected {
            assert!(
                (psi(i, theta_deg) - value).abs() < 1e-12,
                "{i} at {theta_deg}°"
            );
        }
    }
    // m = 4, λ = 5 at 45°, where 4θ = π: (5 cos 45° − 1) / 6.
    let expected = (5.0 * cos(std::f64::consts::FRAC_PI_4) - 1.0) / 6.0;
    assert!((psi(1, 45.0) - expected).abs() < 1e-12);
}

/// All figures at full length: three minutes in a release build on two cores.
/// `cargo test --release --test gallery -- --ignored --nocapture` prints what it measures.
#[test]
#[ignore = "trains every figure; see above"]
#[expect(clippy::print_stdout, reason = "what is measured is read")]
fn the_pictures_show_what_is_said_of_them() {
    for exhibit in exhibits() {
        let panels = panels(exhibit.name);
        let lengths: Vec<Vec<f64>> = panels.iter().map(|panel| lengths(panel)).collect();
        let angles = intra(&panels);
        for (panel, lengths) in panels.iter().zip(&lengths) {
            let metrics = &panel.metrics;
            println!(
                "{}: accuracy {:.4}, intra {:.2}°, target {:.2}°, least weight angle {:.1}°, length {:.2}, shortest class {:.2} of the mean",
                exhibit.name,
                metrics.accuracy,
                degrees(metrics.intra_class_angle_rad),
                degrees(metrics.target_angle_rad),
                degrees(metrics.min_weight_angle_rad),
                metrics.mean_feature_norm,
                least_over_mean(lengths)
            );
        }
        if exhibit.name == "target-logits" {
            continue; // no step is needed for curves
        }
        let accuracies = panels.iter().map(|panel| panel.metrics.accuracy);
        assert!(accuracies.fold(1.0, f64::min) > 0.93, "{}", exhibit.name);
        match exhibit.name {
            "softmax" => assert!(least_over_mean(&lengths[0]) < 0.7),
            "center-loss" => {
                let lengths = panels.iter().map(|panel| panel.metrics.mean_feature_norm);
                assert_falls(&lengths.collect::<Vec<_>>());
            }
            "l-softmax" | "sphereface-plane" | "sphereface-sphere" | "sphereface" => {
                assert!(angles[angles.len() - 1] < 0.9 * angles[0], "{angles:?}");
            }
            "normface" => {
                assert!(least_over_mean(&lengths[0]) < 0.3, "a class at the origin");
                assert!(least_over_mean(&lengths[1]) > 0.3, "none without bias");
            }
            "cosface" => assert_falls(&angles),
            "arcface" => assert!(angles[1] < 0.8 * angles[0], "{angles:?}"),
            _ => {}
        }
    }
}
