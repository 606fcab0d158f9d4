//! Places where angles or lengths vanish.

use super::*;

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
