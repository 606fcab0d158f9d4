//! What every loss of the registry promises: gradients, limits, invariants, and its relations to
//! the others (`losses.md` 2.6 and 11). A new loss is tested here by being registered.

#![allow(
    clippy::expect_used,
    reason = "helpers of tests may panic as tests may"
)]
#![allow(
    clippy::doc_markdown,
    reason = "formulas in the papers' letters: g_y has an index and is no identifier"
)]

mod common;

use std::f64::consts::PI;

use common::head::{Gradients, Problem, run};
use common::{assert_close, hostile, random_directions, random_problem, rotation};
use marginscope::loss::{self, Form, LOSSES, LossSpec, Rho, Setting, Values};
use proptest::prelude::*;

const DIMS: [usize; 3] = [2, 3, 8];

fn spec(id: &str) -> &'static LossSpec {
    loss::find(id).expect("registered")
}

/// Values of a loss by parameter id, the others at their defaults; λ 0 so that ψ is the bare staircase.
#[track_caller]
fn values(spec: &LossSpec, set: &[(&str, f64)]) -> Values<f64> {
    let mut values = spec.defaults(Setting {
        n_classes: 5,
        dim: 3,
    });
    for &(id, value) in set {
        let index = spec.param_index(id).expect("a parameter of this loss");
        values[index] = value;
    }
    values
}

fn n_classes(spec: &LossSpec) -> usize {
    if spec.form == Form::Binary { 2 } else { 5 }
}

/// Defaults, then each parameter at both ends of its range and near the middle, then values outside
/// the range that `check` accepts.
fn parameter_sets(spec: &LossSpec, dim: usize) -> Vec<Values<f64>> {
    let defaults = spec.defaults(Setting {
        n_classes: n_classes(spec),
        dim,
    });
    let mut sets = vec![defaults];
    for (index, param) in spec.params.iter().enumerate() {
        let (low, high) = (*param.range.start(), *param.range.end());
        let mut candidates = vec![low, high];
        if param.choices.is_empty() {
            let middle = f64::midpoint(low, high.min(*param.slider.end()));
            candidates.push(if param.is_integer {
                middle.round()
            } else {
                middle
            });
            candidates.extend(hostile::OUTSIDE_RANGE.iter().filter(|_| !param.is_integer));
        } else {
            candidates.push(1.0);
        }
        for value in candidates {
            let mut set = defaults;
            set[index] = value;
            sets.push(set);
        }
    }
    sets
}

/// Runs `test` over every loss, dimension and set of values.
fn for_each_case(mut test: impl FnMut(&'static LossSpec, usize, Values<f64>)) {
    for &spec in LOSSES {
        for dim in DIMS {
            for values in parameter_sets(spec, dim) {
                test(spec, dim, values);
            }
        }
    }
}

// ---------------------------------------------------------------- gradients

/// Largest distance from a jump, in radians, that a perturbed angle may cross.
const NEAR_JUMP_RAD: f64 = 1e-3;

/// Whether a sample sits where ψ or its slope jumps, or at a cone's tip.
fn is_near_jump(problem: &Problem<f64>, spec: &LossSpec, values: &Values<f64>) -> bool {
    if !spec.form.is_angular() {
        return false;
    }
    let jumps = (spec.jumps_rad)(values);
    (0..problem.labels.len()).any(|i| {
        let theta = problem.target_angle_rad(i);
        let ends = [0.0, PI];
        jumps
            .iter()
            .chain(&ends)
            .any(|jump| (theta - jump).abs() < NEAR_JUMP_RAD)
    })
}

/// Compares the gradient of one tensor with central differences of the loss.
///
/// With h = 1e-6 the rounding error of a difference is about 2ε·L/2h = 2e-10·L, and the error of
/// truncation h²·L'''/6, where L''' grows with the third power of the steepness of the logits
/// (s, m, λ): 2e-6 of the scale below is ten times what was seen.
#[track_caller]
fn check_tensor(
    name: &str,
    spec: &'static LossSpec,
    values: &Values<f64>,
    problem: &Problem<f64>,
    gradient: &[f64],
    tensor: fn(&mut Problem<f64>) -> &mut Vec<f64>,
) {
    const H: f64 = 1e-6;
    let scale = gradient.iter().fold(0.0_f64, |max, g| max.max(g.abs()));
    let loss = run(spec, problem, values).loss.abs();
    let first = if spec.form == Form::Binary {
        gradient.len() / 2 // column 0 of binary cross entropy is the constant 0
    } else {
        0
    };
    let first = if name == "features" { 0 } else { first };
    for (index, &found) in gradient.iter().enumerate().skip(first) {
        let mut moved = problem.clone();
        let old = tensor(&mut moved)[index];
        tensor(&mut moved)[index] = old + H;
        let up = run(spec, &moved, values).loss;
        tensor(&mut moved)[index] = old - H;
        let down = run(spec, &moved, values).loss;
        let numeric = (up - down) / (2.0 * H);
        let tolerance = 2e-6 * scale.max(1e-3) + 1e-9 * loss;
        assert!(
            (numeric - found).abs() <= tolerance,
            "{} {values:?}: ∂L/∂{name}[{index}] is {found}, differences give {numeric} (tolerance {tolerance:.1e})",
            spec.id
        );
    }
}

#[test]
fn gradients_agree_with_central_differences() {
    let mut n_checked = 0;
    for_each_case(|spec, dim, values| {
        // Above this scale the third derivative outgrows the tolerance of `check_tensor`.
        if spec.scale(&values) > 64.0 {
            return;
        }
        for seed in 0..3 {
            let problem = random_problem(seed, dim, n_classes(spec), 4);
            if is_near_jump(&problem, spec, &values) {
                continue;
            }
            let grads = run(spec, &problem, &values);
            check_tensor("features", spec, &values, &problem, &grads.features, |p| {
                &mut p.features
            });
            check_tensor("weights", spec, &values, &problem, &grads.weights, |p| {
                &mut p.weights
            });
            if spec.form.has_bias() {
                check_tensor("bias", spec, &values, &problem, &grads.bias, |p| {
                    &mut p.bias
                });
            }
            n_checked += 1;
        }
    });
    assert!(n_checked > 200, "only {n_checked} cases were checked");
}

/// Each column sums to 0 by construction (g_y = −Σ g_j), but for the order of the additions.
#[test]
fn gradients_of_the_logits_sum_to_zero() {
    for_each_case(|spec, dim, values| {
        let problem = random_problem(7, dim, n_classes(spec), 6);
        let grads = run(spec, &problem, &values);
        for column in grads.logits_grad.chunks_exact(n_classes(spec)) {
            let sum: f64 = column.iter().sum();
            let size: f64 = column.iter().map(|g| g.abs()).sum();
            assert!(
                sum.abs() <= 4.0 * f64::EPSILON * size,
                "{}: Σ = {sum:e}",
                spec.id
            );
        }
    });
}

// ---------------------------------------------------------------- singular places

/// A feature at the angle `theta_rad` from the weight of class 0, in f32.
fn at_angle(theta_rad: f64, dim: usize, length: f64, spec: &LossSpec) -> Problem<f32> {
    let mut problem = random_problem(11, dim, n_classes(spec), 1);
    problem.labels = vec![0];
    let weights = &mut problem.weights;
    weights[..dim].fill(0.0);
    weights[0] = 1.0;
    problem.features.fill(0.0);
    problem.features[0] = length * theta_rad.cos();
    problem.features[1] = length * theta_rad.sin();
    if theta_rad == PI {
        problem.features[1] = 0.0; // exactly opposite
    }
    problem.narrow()
}

#[track_caller]
fn assert_finite(what: &str, grads: &Gradients) {
    let tensors = [
        ("logits", &grads.logits),
        ("features", &grads.features),
        ("weights", &grads.weights),
        ("bias", &grads.bias),
    ];
    assert!(grads.loss.is_finite(), "{what}: loss is {}", grads.loss);
    for (name, tensor) in tensors {
        let bad = tensor.iter().position(|x| !x.is_finite());
        assert_eq!(bad, None, "{what}: {name} is not finite: {tensor:?}");
    }
}

#[test]
fn everything_is_finite_at_the_singular_places() {
    for_each_case(|spec, dim, values| {
        for theta in [0.0, 1e-8, 1e-4, 0.5, PI - 1e-6, PI] {
            for length in [1.0, 1e-12, 1e-30, 0.0, 1e6] {
                let problem = at_angle(theta, dim, length, spec);
                let what = format!("{} {values:?} at θ {theta}, ‖x‖ {length}", spec.id);
                assert_finite(&what, &run(spec, &problem, &values));
            }
        }
        let mut problem = at_angle(0.3, dim, 1.0, spec);
        problem.weights[..dim].fill(0.0);
        assert_finite(
            &format!("{} {values:?} at W_y = 0", spec.id),
            &run(spec, &problem, &values),
        );
        problem.weights.fill(0.0);
        assert_finite(
            &format!("{} {values:?} at W = 0", spec.id),
            &run(spec, &problem, &values),
        );
    });
}

/// ‖∇_x z_y‖ = s(−ψ')/‖x‖ (`losses.md` 2.4, 11.1), read from the target's share of the gradient:
/// with two classes at the same direction but for the target the other's share is subtracted in f64.
///
/// The bound of 1e-3 is the document's: below 1e-5 rad the tangent is rounding noise in f32.
#[test]
fn the_pull_on_a_feature_has_the_length_that_the_slope_says() {
    for &spec in LOSSES.iter().filter(|spec| spec.form.is_cosine()) {
        for dim in DIMS {
            for values in parameter_sets(spec, dim) {
                for theta in [1e-5, 1e-4, 0.01, 0.3, 1.2, 2.0, 3.0, PI - 1e-4] {
                    check_pull(spec, dim, &values, theta);
                }
            }
        }
    }
}

#[track_caller]
fn check_pull(spec: &'static LossSpec, dim: usize, values: &Values<f64>, theta: f64) {
    let jumps = (spec.jumps_rad)(values);
    if jumps
        .iter()
        .any(|jump| (theta - jump).abs() < NEAR_JUMP_RAD)
    {
        return;
    }
    let length = 1.7;
    let mut problem = at_angle(theta, dim, length, spec);
    // The one other class has no direction: its cosine is 0 and it adds no gradient.
    problem.weights.truncate(2 * dim);
    problem.bias.truncate(2);
    problem.weights[dim..].fill(0.0);
    let grads = run(spec, &problem, values);
    // What f32 made of the angle, so that only the head's own error counts.
    let theta = problem.widen().target_angle_rad(0);
    let g_y = grads.logits_grad[0].abs();
    let expected = g_y * spec.scale(values).abs() * spec.target.pull(theta, values).abs() / length;
    let found = norm(&grads.features);
    // Near a zero of the slope the relative error has no meaning: m₁ sin(m₁θ + m₂) is exact to
    // 2e-7 of its amplitude, not of its value.
    let floor = 1e-6 * g_y * spec.scale(values).abs() * values[0].abs().max(1.0) / length;
    assert!(
        (found - expected).abs() <= 1e-3 * expected + floor,
        "{} {values:?} at θ {theta}: ‖∇‖ = {found}, slope says {expected}",
        spec.id
    );
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

// ---------------------------------------------------------------- the registry

#[test]
fn ids_are_unique_and_found() {
    for (i, spec) in LOSSES.iter().enumerate() {
        assert!(
            LOSSES[i + 1..].iter().all(|other| other.id != spec.id),
            "{} twice",
            spec.id
        );
        assert_eq!(loss::find(spec.id).map(|found| found.id), Ok(spec.id));
        for (j, param) in spec.params.iter().enumerate() {
            let others = &spec.params[j + 1..];
            assert!(
                others.iter().all(|other| other.id != param.id),
                "{}.{} twice",
                spec.id,
                param.id
            );
            assert!(others.iter().all(|p| p.vector_key != param.vector_key));
        }
    }
}

#[test]
fn digit_keys_are_unique() {
    let mut keys: Vec<u8> = LOSSES.iter().filter_map(|spec| spec.key).collect();
    keys.sort_unstable();
    assert_eq!(keys, (1..=7).collect::<Vec<u8>>());
}

#[test]
fn defaults_lie_in_their_ranges_and_below_their_ceilings() {
    for spec in LOSSES {
        for dim in [1, 2, 3] {
            for n_classes in 2..=20 {
                let setting = Setting { n_classes, dim };
                let defaults = spec.defaults(setting);
                for (index, param) in spec.params.iter().enumerate() {
                    let value = defaults[index];
                    let what = format!("{}.{} = {value} for {setting:?}", spec.id, param.id);
                    assert!(param.range.contains(&value), "{what}: outside its range");
                    assert!(!param.is_integer || value.fract() == 0.0, "{what}");
                    if let Some(ceiling) = spec.ceiling(index, setting, &defaults) {
                        assert!(value <= ceiling, "{what}: above its ceiling {ceiling}");
                    }
                }
            }
        }
    }
}

#[test]
fn sliders_lie_in_their_ranges() {
    for spec in LOSSES {
        for param in spec.params {
            let what = format!("{}.{}", spec.id, param.id);
            assert!(param.slider.start() >= param.range.start(), "{what}");
            assert!(param.slider.end() <= param.range.end(), "{what}");
        }
    }
}

/// All of the table of `losses.md` 5.2, to its digits: C; `ArcFace` and `CosFace` on the circle; the
/// same on the sphere (Tammes); simplex angle in degrees and `CosFace`'s C/(C − 1), for C ≤ d + 1.
#[test]
fn ceilings_are_those_of_the_reference() {
    type Row = (usize, [f64; 2], [f64; 2], [f64; 2]);
    #[rustfmt::skip]
    #[expect(clippy::approx_constant, reason = "copied as it stands there")]
    const TABLE: [Row; 19] = [
        (2, [3.1416, 2.0000], [3.1416, 2.0000], [180.00, 2.0000]),
        (3, [2.0944, 1.5000], [2.0944, 1.5000], [120.00, 1.5000]),
        (4, [1.5708, 1.0000], [1.9106, 1.3333], [109.47, 1.3333]),
        (5, [1.2566, 0.6910], [1.5708, 1.0000], [104.48, 1.2500]),
        (6, [1.0472, 0.5000], [1.5708, 1.0000], [101.54, 1.2000]),
        (7, [0.8976, 0.3765], [1.3591, 0.7899], [99.59, 1.1667]),
        (8, [0.7854, 0.2929], [1.3065, 0.7388], [98.21, 1.1429]),
        (9, [0.6981, 0.2340], [1.2310, 0.6667], [97.18, 1.1250]),
        (10, [0.6283, 0.1910], [1.1545, 0.5956], [96.38, 1.1111]),
        (11, [0.5712, 0.1587], [1.1071, 0.5528], [95.74, 1.1000]),
        (12, [0.5236, 0.1340], [1.1071, 0.5528], [95.22, 1.0909]),
        (13, [0.4833, 0.1145], [0.9972, 0.4574], [94.78, 1.0833]),
        (14, [0.4488, 0.0990], [0.9716, 0.4360], [94.41, 1.0769]),
        (15, [0.4189, 0.0865], [0.9365, 0.4074], [94.10, 1.0714]),
        (16, [0.3927, 0.0761], [0.9118, 0.3877], [93.82, 1.0667]),
        (17, [0.3696, 0.0675], [0.8917, 0.3719], [93.58, 1.0625]),
        (18, [0.3491, 0.0603], [0.8649, 0.3513], [93.37, 1.0588]),
        (19, [0.3307, 0.0542], [0.8324, 0.3269], [93.18, 1.0556]),
        (20, [0.3142, 0.0489], [0.8278, 0.3235], [93.02, 1.0526]),
    ];
    #[track_caller]
    fn check(id: &str, n_classes: usize, dim: usize, expected: f64, tolerance: f64) {
        let spec = spec(id);
        let setting = Setting { n_classes, dim };
        let ceiling = spec.ceiling(0, setting, &spec.defaults(setting));
        let found = ceiling.expect("a ceiling");
        assert!(
            (found - expected).abs() <= tolerance,
            "{id}, {n_classes} classes in {dim}-D: {found} for {expected}"
        );
    }
    const FOUR_DIGITS: f64 = 5.1e-5;
    for (n_classes, circle, sphere, [simplex_deg, simplex_cos]) in TABLE {
        for (dim, [arcface, cosface]) in [(2, circle), (3, sphere)] {
            check("arcface", n_classes, dim, arcface, FOUR_DIGITS);
            check("cosface", n_classes, dim, cosface, FOUR_DIGITS);
        }
        let dim = n_classes - 1;
        if dim >= 2 {
            let two_digits = 0.0051_f64.to_radians();
            check(
                "arcface",
                n_classes,
                dim,
                simplex_deg.to_radians(),
                two_digits,
            );
            check("cosface", n_classes, dim, simplex_cos, FOUR_DIGITS);
        }
    }
    // C ≤ 2d: a right angle.
    check("arcface", 12, 6, PI / 2.0, 1e-9);
    check("cosface", 12, 6, 1.0, 1e-9);
}

// ---------------------------------------------------------------- equalities between losses

/// Both losses give the same on random problems: to the rounding of two orders of arithmetic, which
/// a few hundred additions of numbers of size s keep within 1e-11.
#[track_caller]
fn check_equal(a: (&str, &[(&str, f64)]), b: (&str, &[(&str, f64)]), tolerance: f64) {
    let (spec_a, spec_b) = (spec(a.0), spec(b.0));
    let (values_a, values_b) = (values(spec_a, a.1), values(spec_b, b.1));
    for dim in DIMS {
        for seed in 0..5 {
            let problem = random_problem(seed, dim, 5, 7);
            let (a, b) = (
                run(spec_a, &problem, &values_a),
                run(spec_b, &problem, &values_b),
            );
            a.assert_close(&b, tolerance);
        }
    }
}

#[test]
fn losses_without_a_margin_are_normface() {
    let normface = ("normface", [("scale", 20.0)].as_slice());
    check_equal(
        ("arcface", &[("margin", 0.0), ("scale", 20.0)]),
        normface,
        1e-11,
    );
    check_equal(
        ("cosface", &[("margin", 0.0), ("scale", 20.0)]),
        normface,
        1e-11,
    );
    check_equal(
        (
            "combined",
            &[("m1", 1.0), ("m2", 0.0), ("m3", 0.0), ("scale", 20.0)],
        ),
        normface,
        1e-11,
    );
}

#[test]
fn sphereface_with_factor_one_is_modified_softmax_for_any_lambda() {
    for lambda in [0.0, 5.0, 1000.0] {
        check_equal(
            ("sphereface", &[("margin", 1.0), ("lambda", lambda)]),
            ("modified_softmax", &[]),
            1e-11,
        );
    }
}

/// ψ differs from cosθ by (S_m − cosθ)/(1 + λ), at most 2m/λ = 8e-9 for m = 4, λ = 1e9.
#[test]
fn sphereface_tends_to_modified_softmax_as_lambda_grows() {
    check_equal(
        ("sphereface", &[("margin", 4.0), ("lambda", 1e9)]),
        ("modified_softmax", &[]),
        1e-7,
    );
}

#[test]
fn center_loss_without_its_spring_is_softmax() {
    check_equal(("center", &[("lambda", 0.0)]), ("softmax", &[]), 1e-13);
}

#[test]
fn combined_contains_cosface_and_arcface() {
    check_equal(
        (
            "combined",
            &[("m1", 1.0), ("m2", 0.0), ("m3", 0.3), ("scale", 8.0)],
        ),
        ("cosface", &[("margin", 0.3), ("scale", 8.0)]),
        1e-11,
    );
    // `cosine` is unguarded, as `combined` is; `linear` agrees while θ + m < π (next test).
    check_equal(
        (
            "combined",
            &[("m1", 1.0), ("m2", 0.4), ("m3", 0.0), ("scale", 8.0)],
        ),
        (
            "arcface",
            &[("margin", 0.4), ("scale", 8.0), ("beyond_pi", 0.0)],
        ),
        1e-11,
    );
}

#[test]
fn guarded_arcface_is_combined_while_the_angle_stays_below_pi() {
    let (arcface, combined) = (spec("arcface"), spec("combined"));
    let margin = 0.4;
    let a = values(arcface, &[("margin", margin)]);
    let b = values(combined, &[("m1", 1.0), ("m2", margin), ("m3", 0.0)]);
    for i in 0..=100 {
        let theta = f64::from(i) * 0.01 * (PI - margin - 1e-9);
        assert!((arcface.target.psi(theta, &a) - combined.target.psi(theta, &b)).abs() < 1e-14);
        assert!((arcface.target.pull(theta, &a) - combined.target.pull(theta, &b)).abs() < 1e-14);
    }
    let beyond = PI - 0.5 * margin;
    assert!(arcface.target.psi(beyond, &a) < combined.target.psi(beyond, &b) - 0.01);
}

#[test]
fn binary_cross_entropy_is_softmax_over_zero_and_w() {
    for dim in DIMS {
        for seed in 0..5 {
            let mut problem = random_problem(seed, dim, 2, 6);
            problem.weights[..dim].fill(0.0);
            problem.bias[0] = 0.0;
            let binary = run(spec("binary_cross_entropy"), &problem, &[0.0; 6]);
            let softmax = run(spec("softmax"), &problem, &[0.0; 6]);
            assert!((binary.loss - softmax.loss).abs() < 1e-13);
            assert_close("features", &binary.features, &softmax.features, 1e-13);
            assert_close(
                "weight",
                &binary.weights[dim..],
                &softmax.weights[dim..],
                1e-13,
            );
            assert_close("bias", &binary.bias[1..], &softmax.bias[1..], 1e-13);
        }
    }
}

#[test]
fn the_staircase_is_continuous_and_ends_at_one_minus_two_m() {
    let sphereface = spec("sphereface");
    for m in 1..=8 {
        let m = f64::from(m);
        let bare = values(sphereface, &[("margin", m), ("lambda", 0.0)]);
        let psi = |theta: f64| sphereface.target.psi(theta, &bare);
        assert!((psi(0.0) - 1.0).abs() < 1e-14);
        assert!((psi(PI) - (1.0 - 2.0 * m)).abs() < 1e-12);
        for k in 1..m as usize {
            let at = k as f64 * PI / m;
            assert!(
                (psi(at - 1e-9) - psi(at + 1e-9)).abs() < 1e-8,
                "m {m}, k {k}"
            );
            assert!((psi(at) - (1.0 - 2.0 * k as f64)).abs() < 1e-12);
            assert!(sphereface.target.pull(at, &bare) < 1e-8);
        }
        let angles: Vec<f64> = (0..=1000).map(|i| f64::from(i) * PI / 1000.0).collect();
        assert!(angles.windows(2).all(|w| psi(w[1]) <= psi(w[0]) + 1e-12));
    }
}

/// `losses.md` 4: what ψ does at the switch, after − before.
#[test]
fn guards_jump_as_the_reference_says() {
    let arcface = spec("arcface");
    for (margin, expected) in [(0.3, -0.0440), (0.5, -0.1173), (1.0, -0.3818)] {
        let linear = values(arcface, &[("margin", margin), ("beyond_pi", 1.0)]);
        let at = PI - margin;
        let jump = arcface.target.psi(at + 1e-9, &linear) - arcface.target.psi(at - 1e-9, &linear);
        assert!((jump - expected).abs() < 6e-5, "linear, m {margin}: {jump}");
        let easy = values(arcface, &[("margin", margin), ("beyond_pi", 2.0)]);
        let jump =
            arcface.target.psi(PI / 2.0 + 1e-9, &easy) - arcface.target.psi(PI / 2.0 - 1e-9, &easy);
        assert!(
            (jump - margin.sin()).abs() < 1e-6,
            "easy, m {margin}: {jump}"
        );
    }
}

// ---------------------------------------------------------------- symmetries

/// A loss with values at which it is smooth almost everywhere.
fn any_loss() -> impl Strategy<Value = &'static LossSpec> {
    prop::sample::select(LOSSES.to_vec())
}

fn any_dim() -> impl Strategy<Value = usize> {
    prop::sample::select(DIMS.to_vec())
}

fn defaults(spec: &LossSpec, dim: usize) -> Values<f64> {
    spec.defaults(Setting {
        n_classes: n_classes(spec),
        dim,
    })
}

/// What rounding leaves of a sum of terms of the size of s or of a feature's length that cancel:
/// 16 with a few units in the last place, 2e-16, of some tens of terms.
const ROUNDING: f64 = 1e-12;

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    /// A rotation mixes numbers of size s·‖·‖ with relative error 1e-16; 1e-9 leaves room for the
    /// steepest default.
    #[test]
    fn rotating_features_and_weights_rotates_the_gradients(
        spec in any_loss(), dim in any_dim(), seed in 0_u64..1_000_000
    ) {
        let values = defaults(spec, dim);
        let problem = random_problem(seed, dim, n_classes(spec), 5);
        prop_assume!(!is_near_jump(&problem, spec, &values));
        let turn = rotation(seed + 1, dim);
        let turned = problem.mapped(&turn);
        let (before, after) = (run(spec, &problem, &values), run(spec, &turned, &values));
        prop_assert!((before.loss - after.loss).abs() <= 1e-10 * before.loss.max(1.0));
        assert_close("features", &after.features, &turn.columns(&before.features), 1e-9);
        assert_close("weights", &after.weights, &turn.columns(&before.weights), 1e-9);
        assert_close("bias", &after.bias, &before.bias, 1e-9);
    }

    #[test]
    fn permuting_the_classes_permutes_everything(
        spec in any_loss(), dim in any_dim(), seed in 0_u64..1_000_000, shift in 1_usize..5
    ) {
        prop_assume!(spec.form != Form::Binary); // its classes are not alike: one weight is 0
        let values = defaults(spec, dim);
        let c = n_classes(spec);
        let problem = random_problem(seed, dim, c, 5);
        let mut permuted = problem.clone();
        permuted.weights.rotate_right(shift * dim);
        permuted.bias.rotate_right(shift);
        permuted.centers.rotate_right(shift * dim);
        for label in &mut permuted.labels {
            *label = ((usize::from(*label) + shift) % c) as u16;
        }
        let (before, after) = (run(spec, &problem, &values), run(spec, &permuted, &values));
        prop_assert!((before.loss - after.loss).abs() <= 1e-12 * before.loss.max(1.0));
        let mut weights = before.weights.clone();
        weights.rotate_right(shift * dim);
        assert_close("features", &after.features, &before.features, 1e-11);
        assert_close("weights", &after.weights, &weights, 1e-11);
    }

    #[test]
    fn duplicating_the_batch_halves_the_gradient_of_each_feature(
        spec in any_loss(), dim in any_dim(), seed in 0_u64..1_000_000
    ) {
        let values = defaults(spec, dim);
        let problem = random_problem(seed, dim, n_classes(spec), 4);
        let mut twice = problem.clone();
        twice.features.extend_from_slice(&problem.features);
        twice.labels.extend_from_slice(&problem.labels);
        let (once, twice) = (run(spec, &problem, &values), run(spec, &twice, &values));
        prop_assert!((once.loss - twice.loss).abs() <= 1e-12 * once.loss.max(1.0));
        let half: Vec<f64> = once.features.iter().chain(&once.features).map(|g| 0.5 * g).collect();
        assert_close("features", &twice.features, &half, 1e-12);
        assert_close("weights", &twice.weights, &once.weights, 1e-11);
        assert_close("bias", &twice.bias, &once.bias, 1e-11);
    }

    #[test]
    fn permuting_the_batch_permutes_the_features_gradients(
        spec in any_loss(), dim in any_dim(), seed in 0_u64..1_000_000
    ) {
        let values = defaults(spec, dim);
        let problem = random_problem(seed, dim, n_classes(spec), 5);
        let mut permuted = problem.clone();
        permuted.features.rotate_left(2 * dim);
        permuted.labels.rotate_left(2);
        let (before, after) = (run(spec, &problem, &values), run(spec, &permuted, &values));
        let mut features = before.features.clone();
        features.rotate_left(2 * dim);
        prop_assert!((before.loss - after.loss).abs() <= 1e-12 * before.loss.max(1.0));
        assert_close("features", &after.features, &features, 1e-14);
        assert_close("weights", &after.weights, &before.weights, 1e-11);
    }

    /// Only directions count for ρ = s: the loss stays, gradients shrink with the length, and they
    /// are orthogonal to the feature.
    #[test]
    fn scaling_a_feature_leaves_a_cosine_head_where_it_is(
        spec in any_loss(), dim in any_dim(), seed in 0_u64..1_000_000, factor in 0.01_f64..100.0
    ) {
        prop_assume!(spec.form.is_cosine());
        let values = defaults(spec, dim);
        let problem = random_problem(seed, dim, n_classes(spec), 4);
        prop_assume!(!is_near_jump(&problem, spec, &values));
        let mut scaled = problem.clone();
        scaled.features[..dim].iter_mut().for_each(|x| *x *= factor);
        let (before, after) = (run(spec, &problem, &values), run(spec, &scaled, &values));
        prop_assert!((before.loss - after.loss).abs() <= 1e-11 * before.loss.max(1.0));
        // A gradient is what is left of terms of the size of s over the length.
        let x = &problem.features[..dim];
        for (g, scaled) in before.features[..dim].iter().zip(&after.features[..dim]) {
            let rounding = ROUNDING / norm(x);
            prop_assert!((g - factor * scaled).abs() <= 1e-9 * norm(&before.features[..dim]) + rounding);
        }
        for (x, g) in problem.features.chunks_exact(dim).zip(before.features.chunks_exact(dim)) {
            prop_assert!(dot(x, g).abs() <= 1e-12 * norm(x) * norm(g) + ROUNDING);
        }
    }

    #[test]
    fn unit_weights_have_gradients_orthogonal_to_them(
        spec in any_loss(), dim in any_dim(), seed in 0_u64..1_000_000
    ) {
        prop_assume!(spec.form.has_unit_weights());
        let values = defaults(spec, dim);
        let problem = random_problem(seed, dim, n_classes(spec), 6);
        let grads = run(spec, &problem, &values);
        for (w, g) in problem.weights.chunks_exact(dim).zip(grads.weights.chunks_exact(dim)) {
            prop_assert!(dot(w, g).abs() <= 1e-11 * norm(w) * norm(g) + ROUNDING);
        }
    }

    /// x·∇_x = Σ_j g_j z_j where ρ = ‖x‖ (`losses.md` 2.6).
    #[test]
    fn features_of_free_length_feel_their_logits_radially(
        spec in any_loss(), dim in any_dim(), seed in 0_u64..1_000_000
    ) {
        prop_assume!(matches!(
            spec.form,
            Form::Angular(Rho::FeatureNorm | Rho::WeightAndFeatureNorm)
        ));
        let values = defaults(spec, dim);
        let c = n_classes(spec);
        let problem = random_problem(seed, dim, c, 4);
        let grads = run(spec, &problem, &values);
        for i in 0..problem.labels.len() {
            let x = &problem.features[i * dim..(i + 1) * dim];
            let radial = dot(x, &grads.features[i * dim..(i + 1) * dim]);
            let column = i * c..(i + 1) * c;
            let expected = dot(&grads.logits_grad[column.clone()], &grads.logits[column]);
            prop_assert!(
                (radial - expected).abs() <= 1e-11 * expected.abs().max(1.0),
                "{radial} against {expected}"
            );
        }
    }

    /// No torque on the whole (`losses.md` 2.6): Σ x×∇_x + Σ W×∇_W = 0 in each plane.
    #[test]
    fn there_is_no_torque_on_the_whole(
        spec in any_loss(), dim in any_dim(), seed in 0_u64..1_000_000
    ) {
        prop_assume!(spec.penalty.is_none()); // centers are not trained, so they hold a torque
        let values = defaults(spec, dim);
        let problem = random_problem(seed, dim, n_classes(spec), 5);
        let grads = run(spec, &problem, &values);
        let torque = |columns: &[f64], grads: &[f64]| -> f64 {
            let pairs = columns.chunks_exact(dim).zip(grads.chunks_exact(dim));
            pairs.map(|(x, g)| x[0] * g[1] - x[1] * g[0]).sum()
        };
        let total = torque(&problem.features, &grads.features) + torque(&problem.weights, &grads.weights);
        prop_assert!(total.abs() <= 1e-10, "torque {total}");
    }

    /// f32 training and f64 reference are the same formulas (`losses.md` 2.5: 1e-4 for gradients).
    #[test]
    fn both_precisions_agree(
        spec in any_loss(), dim in any_dim(), seed in 0_u64..1_000_000
    ) {
        let values = defaults(spec, dim);
        let problem = random_problem(seed, dim, n_classes(spec), 5);
        prop_assume!(!is_near_jump(&problem, spec, &values));
        let (wide, mut narrow) =
            (run(spec, &problem, &values), run(spec, &problem.narrow(), &values));
        if norm(&wide.bias) < 0.01 {
            // A difference of probabilities of which nearly nothing is left: theirs is the rounding.
            for (a, b) in narrow.bias.iter().zip(&wide.bias) {
                prop_assert!((a - b).abs() <= 1e-6);
            }
            narrow.bias.clone_from(&wide.bias);
        }
        narrow.assert_close(&wide, 1e-4);
    }
}

/// Weight vectors that nearly coincide, oppose or vanish: everything stays finite, in f32.
#[test]
fn hostile_weights_give_finite_numbers() {
    for_each_case(|spec, dim, values| {
        for weights in hostile::directions(dim, n_classes(spec)) {
            let mut problem = random_problem(3, dim, n_classes(spec), 6);
            problem.features = random_directions(5, dim, 6);
            problem.weights = weights;
            let what = format!("{} {values:?} in {dim}-D", spec.id);
            assert_finite(&what, &run(spec, &problem.narrow(), &values));
        }
    });
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
