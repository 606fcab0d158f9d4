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
#[path = "contract/equalities.rs"]
mod equalities;
#[path = "contract/gradients.rs"]
mod gradients;
#[path = "contract/registry.rs"]
mod registry;
#[path = "contract/singular.rs"]
mod singular;
#[path = "contract/symmetries.rs"]
mod symmetries;

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

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
