//! Usage errors: the message, and what would be right.

use super::*;

#[test]
fn an_unknown_loss_names_the_nearest() {
    assert_snapshot!(usage(&["train", "--loss", "arcfaces"]), @r#"--loss: unknown loss "arcfaces"; did you mean "arcface"?"#);
    assert_snapshot!(usage(&["--loss", "zebra"]), @r#"--loss: unknown loss "zebra"; there are binary_cross_entropy, softmax, center, modified_softmax, l_softmax, sphereface, normface, cosface, arcface, combined"#);
}

#[test]
fn a_figure_needs_a_place_and_a_width_and_panels() {
    assert_snapshot!(usage(&["render"]), @"--out is missing: where the figure goes, such as --out fig.pdf");
    assert_snapshot!(usage(&["render", "gallery:arcface"]), @"--out is missing: where the figure goes, such as --out fig.pdf");
    assert_snapshot!(usage(&["render", "--out", "f.svg", "--width", "30mm"]), @"--width: 30mm is outside 50 to 5000 mm and 200 to 16384 px, or slide");
    assert_snapshot!(usage(&["render", "--out", "f.svg", "--data", "blobs", "--classes", "2", "--loss", "binary_cross_entropy", "--view", "psi"]), @r#"--view psi shows angles to class weights, and loss "binary_cross_entropy" has one weight for both classes; choose another loss or view"#);
    assert_snapshot!(usage(&["render", "--out", "f.svg", "--strip", "margin=1:0:0.1"]), @"--strip: 1:0:0.1: it has no value: 0 is below 1; write the smaller one first");
    assert_snapshot!(usage(&["render", "--out", "f.svg", "--steps", "20", "--strip", "step=0,40"]), @"--strip: there is no step 40 in a run of --steps 20; leave one of them out");
    assert_snapshot!(usage(&["render", "--out", "f.svg", "--strip", "margin=0:1:0.001"]), @"--strip: a film strip of 1001 panels; there must be 2 to 24");
}

#[test]
fn a_margin_out_of_range_says_the_range_and_why() {
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--margin", "4.2"]), @r#"--margin: loss.margin = 4.2 is outside 0..=3.1416 rad for "arcface": an angle between two directions is at most π (4.2° is 0.0733 rad)"#);
    assert_snapshot!(usage(&["train", "--loss", "cosface", "--margin", "-0.1"]), @r#"--margin: loss.margin = -0.1 is outside 0..=2 cos for "cosface": two cosines differ by at most 2"#);
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--margin", "nan"]), @r#"--margin: loss.margin = NaN is outside 0..=3.1416 rad for "arcface": an angle between two directions is at most π"#);
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--margin", "wide"]), @"--margin: loss.margin = wide: expected a number, in radians");
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--margin", "17°"]), @"--margin: loss.margin = 17°: expected a number, in radians");
}

#[test]
fn sphereface_counts_in_whole_numbers() {
    assert_snapshot!(usage(&["train", "--loss", "sphereface", "--margin", "2.5"]), @r#"--margin: loss.margin = 2.5 is not a whole number for "sphereface": m counts the stairs of the target logit, so it is a whole number; beyond 8 nothing trains"#);
}

#[test]
fn a_negative_scale_is_parsed_and_refused() {
    assert_snapshot!(usage(&["train", "--loss", "arcface", "--scale", "-1"]), @r#"--scale: loss.scale = -1 is outside 0.01..=1024 for "arcface": a scale of 0 or less would make all logits equal or turn them round"#);
}

#[test]
fn an_option_that_the_loss_does_not_have_names_those_it_has() {
    assert_snapshot!(usage(&["train", "--loss", "softmax", "--margin", "0.3"]), @r#"--margin: loss "softmax" has no margin; it has no parameters; margin belongs to l_softmax, sphereface, cosface, arcface"#);
    assert_snapshot!(usage(&["train", "--loss", "cosface", "--lambda", "3"]), @r#"--lambda: loss "cosface" has no lambda; it has margin, scale; lambda belongs to center, l_softmax, sphereface"#);
    assert_snapshot!(usage(&["train", "--loss", "combined", "--margin", "0.3"]), @r#"--margin: loss "combined" has no margin; it has m1, m2, m3, scale; margin belongs to l_softmax, sphereface, cosface, arcface"#);
}

/// Which loss is asked for first: a value is not measured by the range of another loss.
#[test]
fn a_negative_value_of_an_option_that_the_loss_does_not_have_is_no_matter_of_range() {
    let expected = r#"--scale: loss "softmax" has no scale; it has no parameters; scale belongs to normface, cosface, arcface, combined"#;
    assert_eq!(usage(&["train", "--scale", "-1"]), expected);
    assert_eq!(usage(&["--scale", "-1", "--loss", "softmax"]), expected);
    assert_snapshot!(usage(&["--scale=-1", "--loss", "sphereface"]), @r#"--scale: loss "sphereface" has no scale; it has margin, lambda; scale belongs to normface, cosface, arcface, combined"#);
    assert_snapshot!(usage(&["--lambda", "-1", "--loss", "center"]), @r#"--lambda: loss.lambda = -1 is outside 0..=1000 for "center": a negative spring would push features away without end"#);
}

#[test]
fn a_two_class_loss_wants_two_classes() {
    assert_snapshot!(usage(&["train", "--loss", "binary_cross_entropy"]), @r#"loss "binary_cross_entropy" has one logit for two classes, but there are 10; choose two classes such as 3,8, or loss "softmax""#);
}

#[test]
fn a_misspelt_key_gets_a_suggestion() {
    assert_snapshot!(usage(&["train", "--set", "margn=3"]), @r#"--set margn=3: unknown field "margn"; did you mean "margin"?"#);
    assert_snapshot!(usage(&["train", "--set", "kind=adam"]), @r#"--set kind=adam: unknown field "kind"; it could be network.kind or optimizer.kind"#);
    assert_snapshot!(usage(&["train", "--set", "dim"]), @"--set dim: expected key=value, for example --set margin=0.3");
}

#[test]
fn a_field_of_a_section_is_looked_for_in_that_section() {
    assert_snapshot!(usage(&["train", "--set", "run=3"]), @r#"--set run=3: unknown field "run"; section run has seed, epochs, steps"#);
    assert_snapshot!(usage(&["train", "--set", "loss=arkface"]), @r#"--set loss=arkface: unknown loss "arkface"; did you mean "arcface"?"#);
    assert_snapshot!(usage(&["train", "--set", "loss.bogus=1"]), @r#"--set loss.bogus=1: unknown field "loss.bogus"; section loss has id, ramp, anneal, init, beyond_pi, center_rate, lambda, m1, m2, m3, margin, scale"#);
    assert_snapshot!(usage(&["train", "--set", "optimizer.lerning_rate=1"]), @r#"--set optimizer.lerning_rate=1: unknown field "optimizer.lerning_rate"; did you mean "optimizer.learning_rate"?"#);
    assert_snapshot!(usage(&["train", "--set", "run.changes=1"]), @r#"--set run.changes=1: unknown field "run.changes"; section run has seed, epochs, steps"#);
    assert_snapshot!(usage(&["train", "--set", "=3"]), @"--set =3: expected key=value, for example --set margin=0.3");
}

#[test]
fn a_value_with_line_breaks_stays_on_the_line_of_its_error() {
    assert_snapshot!(usage(&["train", "--loss", "arc\nface\u{1b}[31m"]), @r#"--loss: unknown loss "arc\nface\u{1b}[31m"; did you mean "arcface"?"#);
    assert_snapshot!(usage(&["train", "--set", "di\nm=3\r\n"]), @r#"--set di\nm=3\r\n: unknown field "di\nm"; did you mean "dim"?"#);
    assert_snapshot!(refusal_with(&[("lesson.toml", "[optimizer]\nclip = \"x\\ny\"\n")], &["train", "lesson.toml"]), @r"lesson.toml:2: optimizer.clip = x\ny: expected a number in 0..=1000000");
}

#[test]
fn bad_samples_and_classes_are_named_as_they_are_set() {
    let blobs = |args: &[&str]| usage(&[&["train", "--data", "blobs"], args].concat());
    assert_snapshot!(blobs(&["--set", "samples=200000"]), @"samples = 200000: 10 classes take 1 to 100000 samples each");
    assert_snapshot!(blobs(&["--set", "samples=2000000"]), @"--set samples=2000000: data.samples = 2000000: expected a whole number in 1..=1000000");
    assert_snapshot!(blobs(&["--set", "noise=nan"]), @"--set noise=nan: data.noise = nan: expected a number in 0..=8");
    assert_snapshot!(blobs(&["--classes", "3,3"]), @"classes 3,3: 3 is listed twice; name each class once");
    assert_snapshot!(blobs(&["--classes", ""]), @"--classes: data.classes = : expected a number of classes such as 10, or a list such as 3,8 or setosa,virginica");
}

#[test]
fn words_out_of_place_are_told() {
    assert_snapshot!(usage(&["lesson.toml", "other.toml"]), @"unexpected 'other.toml': a command comes before everything else, and there is one FILE");
    assert_snapshot!(usage(&["--seed", "3", "train"]), @r#"there is no file "train"; a command stands once, before everything else"#);
    assert_snapshot!(usage(&["train", "train"]), @r#"there is no file "train"; a command stands once, before everything else"#);
    let help = help_of(&["help", "train"]);
    assert!(help.contains("Usage: marginscope train"), "{help}");
}

#[test]
fn sizes_out_of_range_are_refused() {
    assert_snapshot!(usage(&["train", "--dim", "0"]), @"--dim: network.dim = 0: expected a whole number in 1..=512");
    assert_snapshot!(usage(&["train", "--seed", "-1"]), @"--seed: run.seed = -1: expected a whole number in 0..=9223372036854775807");
    assert_snapshot!(usage(&["train", "--batch", "1.5"]), @"--batch: optimizer.batch = 1.5: expected a whole number in 1..=1000000");
    assert_snapshot!(usage(&["train", "--classes", "11"]), @"classes 11: MNIST has the digits 0 to 9");
    assert_snapshot!(usage(&["train", "--classes", "1"]), @"classes 1: at least two classes are needed to tell apart");
    assert_snapshot!(usage(&["train", "--threads", "0"]), @"invalid value '0' for '--threads <T>': expected a whole number in 1..=64");
    assert_snapshot!(usage(&["train", "--threads", "-1"]), @"invalid value '-1' for '--threads <T>': expected a whole number in 1..=64");
}

#[test]
fn data_and_network_must_fit() {
    assert_snapshot!(usage(&["train", "--data", "moons"]), @"--data: data.source = moons: expected one of mnist, blobs, rings, spiral, free, or a path such as ./moons or data.csv");
    assert_snapshot!(usage(&["train", "--data", "free", "--network", "cnn"]), @r#"data "free" has no inputs for network "cnn"; use network "none""#);
    assert_snapshot!(usage(&["train", "--data", "blobs", "--network", "cnn"]), @r#"network "cnn" needs images, but data "blobs" has points in the plane; use mlp:64,64 or none"#);
    assert_snapshot!(usage(&["train", "--network", "mlp:0"]), @"--network: network.kind = mlp:0: expected cnn, mlp:256,128 (hidden sizes from 1 to 4096) or none");
}

#[test]
fn an_unknown_option_gets_a_suggestion() {
    assert_snapshot!(usage(&["trian"]), @r#"there is no file and no command "trian"; did you mean "train"?"#);
    assert_snapshot!(usage(&["train", "--network", "mlp:"]), @"--network: network.kind = mlp:: expected cnn, mlp:256,128 (hidden sizes from 1 to 4096) or none");
    assert_snapshot!(usage(&["train", "--los", "arcface"]), @"unexpected argument '--los' found; did you mean --loss?");
    assert_snapshot!(usage(&["losses", "--json", "extra"]), @"unexpected argument 'extra' found; --help lists the options");
    assert_snapshot!(usage(&["train", "--steps", "3", "--epochs", "2"]), @"the argument '--steps <N>' cannot be used with '--epochs <E>'");
    assert_snapshot!(usage(&["train", "--threads"]), @"--threads <T> needs a value");
    assert_snapshot!(usage(&["check"]), @"the following required arguments were not provided: <VECTORS>");
    assert_snapshot!(usage(&["check", "v.json", "--tolerance", "0"]), @"invalid value '0' for '--tolerance <T>': expected a number above 0");
    assert_snapshot!(usage(&["check", "v.json", "--tolerance", "nan"]), @"invalid value 'nan' for '--tolerance <T>': expected a number above 0");
    assert_snapshot!(usage(&["train", "--features", "f.txt"]), @"--features f.txt: expected a name that ends in .npy or .csv");
}

#[test]
fn what_is_of_pixels_alone_or_of_none_is_refused() {
    assert_snapshot!(usage(&["render", "--out", "a.svg", "--dpi", "300"]), @"--dpi is of pixels, and .svg and .pdf have none; leave it out, or write a .png");
    assert_snapshot!(usage(&["render", "--out", "a.png", "--raster-points"]), @"--raster-points is of .svg and .pdf; other figures are pixels anyway");
}
