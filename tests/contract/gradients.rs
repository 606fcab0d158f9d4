//! Gradients against central differences.

use super::*;

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
