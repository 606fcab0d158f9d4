//! Losses that are special cases of others.

use super::*;

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
