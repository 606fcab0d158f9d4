//! What the registry says of itself.

use super::*;

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
