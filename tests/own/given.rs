//! Features of another program, as they are looked at: what is drawn and measured is what the file
//! says, under any loss, and no order of losses leaves a trace.

use marginscope::data::InputShape;
use marginscope::experiment::ViewKind;
use marginscope::loss::{Form, LOSSES};
use marginscope::scene::theme::DARK;
use marginscope::scene::{Scene, ViewState, build};
use marginscope::trainer::{Snapshot, Subset, Trainer};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Features around the weights of four classes, of which the last has no sample.
struct Run {
    x: Vec<f32>,
    y: Vec<u8>,
    w: Vec<f32>,
    b: Vec<f32>,
    dim: usize,
}

const N: usize = 60;
const N_CLASSES: usize = 4;

impl Run {
    fn new(dim: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = |n: usize, size: f32| -> Vec<f32> {
            (0..n).map(|_| rng.random_range(-size..size)).collect()
        };
        let w = uniform(N_CLASSES * dim, 1.0);
        let noise = uniform(N * dim, 0.8);
        let y: Vec<u8> = (0..N).map(|i| (i % (N_CLASSES - 1)) as u8).collect();
        let x = (0..N * dim)
            .map(|k| 3.0 * w[usize::from(y[k / dim]) * dim + k % dim] + noise[k])
            .collect();
        let b = uniform(N_CLASSES, 0.5);
        Self { x, y, w, b, dim }
    }

    /// Writes what is named and looks at it.
    fn experiment(&self, folder: &Path, files: &[&str], settings: &[(&str, &str)]) -> Experiment {
        let write = |name: &str, bytes: Vec<u8>| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).expect("written");
            path.to_str().expect("Unicode").to_owned()
        };
        let mut experiment = Experiment::default();
        let dim = self.dim;
        let x = write("x.npy", npy("<f4", false, &[N, dim], &floats(&self.x)));
        experiment.set("data.features", &x).expect("a path");
        for &file in files {
            let bytes = match file {
                "labels" => npy("|u1", false, &[N], &self.y),
                "weights" => npy("<f4", false, &[N_CLASSES, dim], &floats(&self.w)),
                _ => npy("<f4", false, &[N_CLASSES], &floats(&self.b)),
            };
            let path = write(&format!("my_{file}.npy"), bytes);
            experiment.set(&format!("data.{file}"), &path).expect(file);
        }
        if !settings.iter().any(|(key, _)| *key == "network.dim") {
            experiment.network.dim = dim;
        }
        for (key, value) in settings {
            experiment.set(key, value).expect(key);
        }
        experiment.data.read(&mut |_, _| true).expect("good files");
        experiment
    }
}

fn trainer(experiment: &Experiment) -> Trainer {
    Trainer::new(experiment, None, 1).expect("a run")
}

fn snapshot(experiment: &Experiment) -> Snapshot {
    Snapshot::of(
        &trainer(experiment),
        Subset::of_given(experiment.network.dim),
    )
}

const ALL: &[&str] = &["labels", "weights", "bias"];

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The parts of a picture that a head decides.
fn lines_of(scene: &Scene) -> Vec<String> {
    let of_head = ["regions", "gaps", "margins", "boundaries", "cells"];
    let groups = scene
        .groups
        .iter()
        .filter(|group| of_head.contains(&group.name));
    groups.map(|group| format!("{group:?}")).collect()
}

/// The boundaries of the file's weights are those of any run that has the same head.
#[test]
fn boundaries_are_those_of_a_run_with_the_same_head() {
    for (dim, kinds) in [
        (2, &[ViewKind::Plane, ViewKind::Circle][..]),
        (3, &[ViewKind::Sphere]),
    ] {
        let (run, folder) = (Run::new(dim, 5), folder());
        for spec in LOSSES.iter().filter(|spec| spec.form != Form::Binary) {
            let given = snapshot(&run.experiment(folder.path(), ALL, &[("loss.id", spec.id)]));
            let mut free = Experiment::default();
            for (key, value) in [
                ("data.source", "free"),
                ("classes", "4"),
                ("loss.id", spec.id),
            ] {
                free.set(key, value).expect(key);
            }
            free.network.dim = dim;
            let mut other = snapshot(&free);
            let mut head = other.head.clone();
            head.weights.clone_from(&run.w);
            if spec.form.has_bias() {
                head.bias.clone_from(&run.b);
            }
            head.in_force = head.values;
            other.head = head;
            other.probe = given.probe.clone();
            other.metrics = given.metrics;
            assert_eq!(given.head.weights, run.w, "{}", spec.id);
            assert_eq!(given.head.bias, other.head.bias, "{}", spec.id);
            for &kind in kinds {
                let mut view = ViewState::new(kind, DARK);
                let size = [700.0, 600.0];
                let _ = view.fit(&given, size);
                let lines = lines_of(&build(&given, &view, size));
                assert!(!lines.is_empty(), "{}", spec.id);
                assert_eq!(lines, lines_of(&build(&other, &view, size)), "{}", spec.id);
            }
        }
    }
}

#[test]
fn another_loss_moves_boundaries_and_no_feature() {
    let (run, folder) = (Run::new(2, 6), folder());
    let experiment = run.experiment(folder.path(), ALL, &[("classes", "0,1")]);
    let mut trainer = trainer(&experiment);
    let first = trainer.head_state();
    let features = trainer.features(&trainer.data().train);
    let losses = LOSSES.iter().map(|spec| spec.id).chain(["softmax"]);
    for id in losses {
        trainer.set("loss.id", id).expect(id);
        assert_eq!(trainer.features(&trainer.data().train), features, "{id}");
        assert_eq!(
            trainer.values_in_force(),
            trainer.head_state().values,
            "{id}"
        );
    }
    // Binary cross entropy, which subtracts one weight from the other, was among them.
    assert_eq!(trainer.head_state(), first);
    assert_eq!((trainer.n_steps(), trainer.learning_rate()), (0, 0.0));
}

#[test]
fn classes_without_weights_have_their_means() {
    let (run, folder) = (Run::new(3, 7), folder());
    let mean = |class: u8, of: &dyn Fn(&[f32]) -> Vec<f64>| {
        let own = || run.x.chunks(3).zip(&run.y).filter(|(_, y)| **y == class);
        let n = own().count() as f64;
        (0..3)
            .map(|i| own().map(|(x, _)| of(x)[i]).sum::<f64>() / n)
            .collect::<Vec<f64>>()
    };
    let plain = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let direction = |x: &[f32]| {
        let length = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        x.iter().map(|&x| f64::from(x) / length).collect()
    };
    for (loss, of) in [
        ("softmax", &plain as &dyn Fn(&[f32]) -> Vec<f64>),
        ("l_softmax", &plain),
        ("cosface", &direction),
        ("sphereface", &direction),
    ] {
        let head = snapshot(&run.experiment(folder.path(), &["labels"], &[("loss.id", loss)])).head;
        assert_eq!(head.n_classes, 3, "only those with a sample");
        for class in 0..3 {
            let expected = mean(class as u8, of);
            for (found, expected) in head.weight(class).iter().zip(&expected) {
                // A sum of twenty in f64, rounded once to f32.
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-6,
                    "{loss} {found} {expected}"
                );
            }
            let squared: f64 = expected.iter().map(|m| m * m).sum();
            let bias = if loss == "softmax" {
                -0.5 * squared
            } else {
                0.0
            };
            assert!((f64::from(head.bias[class]) - bias).abs() < 1e-5, "{loss}");
        }
    }
    // With that bias softmax takes each sample for the class whose mean is nearest.
    let seen = snapshot(&run.experiment(folder.path(), &["labels"], &[]));
    let means: Vec<Vec<f64>> = (0..3).map(|class| mean(class, &plain)).collect();
    for (x, &taken) in seen.probe.features.chunks(3).zip(&seen.detail.predictions) {
        let distance = |m: &Vec<f64>| -> f64 {
            m.iter()
                .zip(x)
                .map(|(m, &x)| (m - f64::from(x)).powi(2))
                .sum()
        };
        let nearest = (0..3).min_by(|&a, &b| distance(&means[a]).total_cmp(&distance(&means[b])));
        assert_eq!(Some(usize::from(taken)), nearest);
    }
}

/// Features and weights are seen along the same axes about the origin: what is measured of weights
/// that lie in the plane of the features is the same in all dimensions and in two.
#[test]
fn a_projection_changes_no_angle_of_what_lies_in_its_plane() {
    let flat = Run::new(2, 8);
    let (a, b) = ([0.6, 0.0, 0.8, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]);
    let lift = |v: &[f32]| -> Vec<f32> {
        let lifted = |p: &[f32]| {
            (0..5)
                .map(|i| p[0] * a[i] + p[1] * b[i])
                .collect::<Vec<f32>>()
        };
        v.chunks(2).flat_map(lifted).collect()
    };
    let deep = Run {
        x: lift(&flat.x),
        w: lift(&flat.w),
        y: flat.y.clone(),
        b: flat.b.clone(),
        dim: 5,
    };
    let folder = folder();
    for loss in ["softmax", "arcface", "sphereface"] {
        let settings = |dim| [("network.dim", dim), ("loss.id", loss)];
        let whole = snapshot(&deep.experiment(folder.path(), ALL, &settings("5")));
        let seen = snapshot(&deep.experiment(folder.path(), ALL, &settings("2")));
        let given = seen.data.given.as_ref().expect("given");
        assert!(given.share > Some(1.0 - 1e-9), "{:?}", given.share);
        assert_eq!(given.file_dim, 5);
        assert_eq!(whole.data.given.as_ref().and_then(|g| g.share), None);
        assert_eq!(seen.metrics.accuracy, whole.metrics.accuracy);
        assert_eq!(
            seen.metrics.margin_satisfied,
            whole.metrics.margin_satisfied
        );
        for (a, b) in [
            (
                seen.metrics.target_angle_rad,
                whole.metrics.target_angle_rad,
            ),
            (
                seen.metrics.min_weight_angle_rad,
                whole.metrics.min_weight_angle_rad,
            ),
            (
                seen.metrics.intra_class_angle_rad,
                whole.metrics.intra_class_angle_rad,
            ),
        ] {
            let (a, b) = (a.expect("an angle"), b.expect("an angle"));
            assert!((a - b).abs() < 1e-5, "{loss}: {a} {b}"); // numbers of about 3 in f32
        }
    }
}

#[test]
fn samples_without_labels_count_as_of_the_class_that_wins() {
    let (run, folder) = (Run::new(2, 9), folder());
    let mut trainer = trainer(&run.experiment(folder.path(), &["weights"], &[]));
    for loss in ["softmax", "cosface"] {
        trainer.set("loss.id", loss).expect(loss);
        let seen = Snapshot::of(&trainer, Subset::of_given(2));
        assert!(!seen.has_labels());
        assert_eq!(*seen.probe.labels, *seen.detail.predictions, "{loss}");
        assert!(seen.probe.labels.iter().any(|&y| y != seen.probe.labels[0]));
        let view = ViewState::new(ViewKind::Circle, DARK);
        let text = format!("{:?}", build(&seen, &view, [700.0, 600.0]));
        assert!(text.contains("No labels: "), "{loss}");
        assert!(marginscope::scene::chart::confusion(&seen, None).is_none());
    }
    let measured = trainer.evaluate(&trainer.data().train);
    assert!(measured.is_some_and(|measured| measured.margin_satisfied < 1.0));
}

#[test]
fn a_choice_of_classes_takes_their_samples_and_weights() {
    let (run, folder) = (Run::new(3, 10), folder());
    let seen = snapshot(&run.experiment(folder.path(), ALL, &[("classes", "2,0")]));
    assert_eq!(*seen.class_names, ["2".to_owned(), "0".to_owned()]);
    assert_eq!(seen.head.weights, [&run.w[6..9], &run.w[..3]].concat());
    assert_eq!(seen.head.bias, [run.b[2], run.b[0]]);
    assert_eq!(seen.data.train.len(), 2 * N / 3);
    assert_eq!(seen.data.train.vector(0), Some(&run.x[..3]));
    assert_eq!(seen.probe.labels[..3], [1, 0, 1]);
    assert_eq!(seen.data.input, InputShape::Vector { dim: 3 });
    let few = run.experiment(folder.path(), ALL, &[("data.samples", "4")]);
    assert_eq!(snapshot(&few).data.train.len(), 12);
}

/// Whatever is true of the whole experiment is told in one sentence.
#[test]
fn what_does_not_go_together_is_refused() {
    let folder = folder();
    let plane = Run::new(2, 11).experiment(folder.path(), ALL, &[]);
    let many = self::folder();
    let deep = Run::new(7, 11).experiment(many.path(), ALL, &[]);
    let refused = |experiment: &Experiment, settings: &[(&str, &str)]| {
        let mut changed = experiment.clone();
        for (key, value) in settings {
            changed.set(key, value).expect(key);
        }
        changed.validate().expect_err("a conflict").to_string()
    };
    let settings: [(&Experiment, &[(&str, &str)]); 9] = [
        (&plane, &[("network.dim", "3")]),
        (&deep, &[("network.dim", "4")]),
        (&plane, &[("network.kind", "mlp:8")]),
        (&plane, &[("run.steps", "10")]),
        (&plane, &[("data.test", "0.5")]),
        (&plane, &[("data.noise", "1")]),
        (&plane, &[("classes", "3,9")]),
        (&plane, &[("loss.id", "binary_cross_entropy")]),
        (&plane, &[("data.source", "mnist")]),
    ];
    let lines = settings.map(|(experiment, settings)| refused(experiment, settings));
    insta::assert_snapshot!(lines.join("\n"), @r#"
network.dim = 3: x.npy has features of 2 numbers, which are seen in 2 dimensions
network.dim = 4: x.npy has features of 7 numbers, which are seen in 2 or 3 dimensions (PCA), or in all 7
network "mlp:8" is of no use for data.features: x.npy has features already; use "none", or train on it with data.source
x.npy is looked at as it is: nothing is trained; leave out steps and epochs
data.test: a file of features has none to set; own data has (data.source = a path)
noise = 1: x.npy has no noise to set; blobs, rings and spiral have
classes 3,9: x.npy has 4 classes: 0, 1, 2, 3
loss "binary_cross_entropy" has one logit for two classes, but there are 4; choose two classes such as 3,8, or loss "softmax"
data.labels: mnist has none to set; own data has (data.source = a path)
"#);
}

#[test]
fn an_experiment_on_features_is_written_and_read_back() {
    let folder = folder();
    let read = Run::new(2, 12).experiment(folder.path(), ALL, &[("loss.id", "arcface")]);
    let mut expected = Experiment::default();
    for (key, value) in read.settings() {
        expected.set(&key, &value).expect("its own settings");
    }
    assert!(expected.data.awaits_reading());
    let text = read.to_toml();
    assert_eq!(
        Experiment::from_toml(&text, "x").as_ref(),
        Ok(&expected),
        "{text}"
    );
    assert!(!text.contains("source"), "{text}");
    let both = "[data]\nsource = \"mnist\"\nfeatures = \"x.npy\"\n";
    let error = Experiment::from_toml(both, "x")
        .expect_err("two sets")
        .to_string();
    assert_eq!(
        error,
        "x:3: data.features: data.source is set, too; either data are trained on, or features are looked at"
    );
}
