//! Panels that compare: runs turned so that their classes lie as near as can be to those of the
//! first. A head sees lengths and angles, so that a turn of features and weights together changes
//! nothing but the picture.

use nalgebra::{DMatrix, Vector2, Vector3};

use crate::geometry::align::{flat_onto, onto};
use crate::trainer::Snapshot;

/// The second run, turned onto the first. As it is where they have no common classes or dimension, or
/// so many dimensions that no picture shows them.
pub(super) fn turned_onto(first: &Snapshot, other: &Snapshot) -> Snapshot {
    let mut turned = other.clone();
    let (dim, n_classes) = (other.head.dim, other.head.n_classes);
    if first.head.dim != dim || first.head.n_classes != n_classes {
        return turned;
    }
    let (to, from) = (directions(first), directions(other));
    let pairs = (0..n_classes).filter_map(|class| {
        let (from, to) = (from[class].as_ref()?, to[class].as_ref()?);
        Some((from, to))
    });
    let turn: DMatrix<f64> = match dim {
        2 => {
            let flat = |v: &[f64]| Vector2::new(v[0], v[1]);
            let pairs = pairs.map(|(from, to)| (flat(from), flat(to)));
            let matrix = flat_onto(pairs).into_inner();
            DMatrix::from_iterator(2, 2, matrix.iter().copied())
        }
        3 => {
            let solid = |v: &[f64]| Vector3::new(v[0], v[1], v[2]);
            let Some(turn) = onto(pairs.map(|(from, to)| (solid(from), solid(to)))) else {
                return turned;
            };
            DMatrix::from_iterator(3, 3, turn.into_inner().iter().copied())
        }
        _ => return turned,
    };
    for vectors in [
        &mut turned.head.weights,
        &mut turned.head.centers,
        &mut turned.probe.features,
    ] {
        turn_all(&turn, vectors);
    }
    if let Some(drawn) = &mut turned.drawn {
        turn_all(&turn, &mut drawn.feature);
    }
    turned
}

fn turn_all(turn: &DMatrix<f64>, vectors: &mut [f32]) {
    let dim = turn.nrows();
    for vector in vectors.chunks_exact_mut(dim) {
        let old: Vec<f64> = vector.iter().map(|&x| x.into()).collect();
        for (i, x) in vector.iter_mut().enumerate() {
            *x = (0..dim).map(|j| turn[(i, j)] * old[j]).sum::<f64>() as f32;
        }
    }
}

/// Where the samples of each class lie in the mean; `None` for a class without samples.
fn directions(snapshot: &Snapshot) -> Vec<Option<Vec<f64>>> {
    let dim = snapshot.head.dim;
    let mut sums = vec![vec![0.0; dim]; snapshot.head.n_classes];
    let features = snapshot.probe.features.chunks_exact(dim);
    for (x, &label) in features.zip(snapshot.probe.labels.iter()) {
        let sum = &mut sums[usize::from(label)];
        sum.iter_mut()
            .zip(x)
            .for_each(|(sum, &x)| *sum += f64::from(x));
    }
    let normalized = |sum: Vec<f64>| {
        let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
        (norm > 0.0).then(|| sum.into_iter().map(|x| x / norm).collect())
    };
    sums.into_iter().map(normalized).collect()
}
