//! Values that are known in closed form.

use super::*;

/// Where f32 holds directions that are not on its grid: half a unit in the last place, a few times.
const F32: f64 = 1e-6;

#[track_caller]
fn assert_closed(what: &str, found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < F32,
        "{what}: {found} for {expected}"
    );
}

const OFF_RAD: f64 = 10.0 * PI / 180.0;

/// Samples 10° from each corner, to both sides along orthogonal tangents, and their labels; those of
/// class k are k + 2 long.
fn around(corners: &[DVector<f64>]) -> (Vec<f32>, Vec<u16>) {
    let mut features = Vec::new();
    let mut labels = Vec::new();
    for (class, corner) in corners.iter().enumerate() {
        for tangent in tangents(corner) {
            for sign in [-1.0, 1.0] {
                let x = corner * OFF_RAD.cos() + &tangent * (sign * OFF_RAD.sin());
                features.extend((x * (class + 2) as f64).iter().map(|&x| x as f32));
                labels.push(class as u16);
            }
        }
    }
    (features, labels)
}

/// Each class has samples 10° to all sides of its weight, along orthogonal tangents; weights are at
/// the corners of a simplex, and every sample is as long as its class says.
#[track_caller]
fn check_simplex(dim: usize, corners: &[DVector<f64>], within: f64) {
    let (features, labels) = around(corners);
    let weights: Vec<f32> = corners.iter().flatten().map(|&w| w as f32).collect();
    let (dim_text, classes) = (dim.to_string(), corners.len().to_string());
    let settings = [
        ("data.source", "free"),
        ("network.kind", "none"),
        ("network.dim", &dim_text),
        ("data.classes", &classes),
        ("loss.id", "arcface"),
        ("loss.margin", "0.3"),
    ];
    let snapshot = snapshot_of(&settings, &weights, None, &features, &labels);
    let Metrics {
        accuracy,
        margin_satisfied,
        target_angle_rad,
        intra_class_angle_rad,
        min_weight_angle_rad,
        min_class_mean_angle_rad,
        mean_feature_norm,
        ..
    } = snapshot.metrics;
    assert_eq!((accuracy, margin_satisfied), (1.0, 1.0));
    let simplex_rad = (-1.0 / (corners.len() as f64 - 1.0)).acos();
    for (what, found, expected) in [
        ("target", target_angle_rad, OFF_RAD),
        ("intra", intra_class_angle_rad, OFF_RAD),
        ("weights", min_weight_angle_rad, simplex_rad),
        ("means", min_class_mean_angle_rad, simplex_rad),
    ] {
        assert_closed(what, found.expect("an angle"), expected);
    }
    let mean_length = f64::midpoint(2.0, corners.len() as f64 + 1.0); // of 2, 3 … C + 1
    assert_closed("length", mean_feature_norm, mean_length);
    let collapse = snapshot.detail.collapse.expect("all classes");
    assert_closed("NC1", collapse.within, within * OFF_RAD.tan().powi(2));
    for (what, found) in [
        ("NC2 lengths", collapse.unequal_lengths),
        ("NC2 angles", collapse.unequal_angles),
        ("NC2 simplex", collapse.off_simplex.expect("C ≤ d + 1")),
        ("NC3", collapse.off_dual),
        ("NC4", collapse.disagreement),
    ] {
        assert_closed(what, found, 0.0);
    }
    let setting = Setting {
        n_classes: corners.len(),
        dim,
    };
    assert_closed("ideal", setting.best_angle_rad(), simplex_rad);
    check("simplex", &snapshot);
}

/// Unit vectors at right angles to `normal` and to each other.
fn tangents(normal: &DVector<f64>) -> Vec<DVector<f64>> {
    let mut found: Vec<DVector<f64>> = Vec::new();
    for axis in 0..normal.len() {
        let mut tangent = DVector::zeros(normal.len());
        tangent[axis] = 1.0;
        for other in std::iter::once(normal).chain(&found.clone()) {
            tangent -= other * other.dot(&tangent);
        }
        if tangent.norm() > 0.1 && found.len() + 1 < normal.len() {
            found.push(unit(&tangent));
        }
    }
    found
}

/// On the circle Σ_W = ½ sin²10°·I and Σ_B = ½ cos²10°·I: NC1 = 2 tan²/3. In space Σ_W is
/// ⅓ sin²10°·I, Σ_B ⅓ cos²10°·I: NC1 = 3 tan²/4.
#[test]
fn a_simplex_has_the_meters_of_the_closed_forms() {
    let turn = |k: f64| 2.0 * PI * k / 3.0;
    let triangle = [0.0, 1.0, 2.0].map(|k| DVector::from_vec(vec![turn(k).cos(), turn(k).sin()]));
    check_simplex(2, &triangle, 2.0 / 3.0);
    let signs: [[f64; 3]; 4] = [
        [1.0, 1.0, 1.0],
        [1.0, -1.0, -1.0],
        [-1.0, 1.0, -1.0],
        [-1.0, -1.0, 1.0],
    ];
    let tetrahedron = signs.map(|corner| DVector::from_vec(corner.to_vec()) / 3.0_f64.sqrt());
    check_simplex(3, &tetrahedron, 3.0 / 4.0);
}

/// Six weights along the axes: 90° apart, which is the best there is, though no simplex.
#[test]
fn the_ideal_of_six_classes_in_space_is_a_right_angle() {
    let setting = Setting {
        n_classes: 6,
        dim: 3,
    };
    assert_closed("octahedron", setting.best_angle_rad(), FRAC_PI_2);
    for (n_classes, degrees) in [(10, 36.0_f64), (7, 360.0 / 7.0), (2, 180.0)] {
        let setting = Setting { n_classes, dim: 2 };
        assert_closed("circle", setting.best_angle_rad(), degrees.to_radians());
    }
}
