//! What must not change, or change in one way, under rotations, permutations and scalings.

use super::*;

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
