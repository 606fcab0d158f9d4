//! Numbers and directions that break careless arithmetic.

/// Values that a formula has a meaning for, though no slider reaches them.
pub const OUTSIDE_RANGE: [f64; 3] = [-0.25, 4.5, 1e-12];

/// Sets of weights `[dim, n_classes]` that nearly coincide, oppose or vanish.
pub fn directions(dim: usize, n_classes: usize) -> Vec<Vec<f64>> {
    let axis = |sign: f64, offset: f64| {
        let mut column = vec![0.0; dim];
        column[0] = sign;
        column[1] = offset;
        column
    };
    let all = |column: &dyn Fn(usize) -> Vec<f64>| (0..n_classes).flat_map(column).collect();
    vec![
        all(&|_| axis(1.0, 0.0)),
        all(&|j| axis(1.0, 1e-7 * j as f64)),
        all(&|j| axis(if j % 2 == 0 { 1.0 } else { -1.0 }, 0.0)),
        all(&|j| axis(if j % 2 == 0 { 1.0 } else { -1.0 }, 1e-7)),
        all(&|j| axis(if j == 0 { 0.0 } else { 1.0 }, 0.0)),
        all(&|j| axis(1e-13, 1e-13 * j as f64)),
        all(&|j| axis(1e-20, j as f64 * 1e18)),
        all(&|_| vec![0.0; dim]),
    ]
}
