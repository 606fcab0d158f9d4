//! What theory says of a margin and a scale before anything is trained (`losses.md` 5).
//!
//! Everything follows from ψ alone, so that a new loss needs nothing here.

use crate::geometry::regular;
use crate::loss::spec::{LossSpec, Param, Setting, Unit, Values};
use crate::loss::{Forecast, LOSSES};

/// The pairs of an arrangement of class weights, as softmax sees them.
#[derive(Clone, Debug)]
pub struct Arrangement {
    /// cos α of each class to all others `[classes][classes − 1]`
    rival_cosines: Vec<Vec<f64>>,
}

impl Arrangement {
    /// The regular arrangement of this many classes in this many dimensions.
    pub fn regular(setting: Setting) -> Self {
        let points = regular::regular_configuration(setting.n_classes, setting.dim);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let rivals = |y: usize| {
            let others = points.iter().enumerate().filter(move |(j, _)| *j != y);
            others.map(|(_, v)| dot(&points[y], v)).collect()
        };
        Self {
            rival_cosines: (0..points.len()).map(rivals).collect(),
        }
    }

    /// Mean loss of a cosine head whose features lie at their weights, with `target` = ψ(0):
    /// the floor under the loss curve.
    pub fn loss_floor(&self, scale: f64, target: f64) -> f64 {
        let of_class = |cosines: &Vec<f64>| {
            let exponents = cosines.iter().map(|cos| scale * (cos - target));
            log_1p_sum_exp(exponents)
        };
        let losses = self.rival_cosines.iter().map(of_class);
        losses.sum::<f64>() / self.rival_cosines.len().max(1) as f64
    }

    /// Least scale at which the mean of −ln p is that of `probability`, features at their weights
    /// (`losses.md` 5.5); `None` where no scale is enough, since a rival is as near as the target.
    pub fn least_scale(&self, probability: f64, target: f64) -> Option<f64> {
        let wanted = -probability.ln();
        let mut high = 1.0;
        while self.loss_floor(high, target) > wanted {
            high *= 2.0;
            if high > MOST_SCALE {
                return None;
            }
        }
        let mut low = 0.0;
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.loss_floor(middle, target) > wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }
}

/// Larger scales are as good as none.
const MOST_SCALE: f64 = 1e5;

/// ln(1 + Σ eˣ) without overflow.
fn log_1p_sum_exp(exponents: impl Iterator<Item = f64> + Clone) -> f64 {
    let highest = exponents.clone().fold(0.0, f64::max);
    let sum: f64 = exponents.map(|x| (x - highest).exp()).sum();
    if highest == 0.0 {
        sum.ln_1p()
    } else {
        highest + ((-highest).exp() + sum).ln()
    }
}

/// How far towards a rival at `rival_angle_rad` a class wins with its margin, on the arc between the
/// two weights: θ* with ψ(θ*) = cos(α − θ*) (`losses.md` 5.4). `None` where it does not win with its
/// margin even at its weight.
pub fn reach_rad(spec: &LossSpec, values: &Values<f64>, rival_angle_rad: f64) -> Option<f64> {
    let lead =
        |theta_rad: f64| spec.target.psi(theta_rad, values) - (rival_angle_rad - theta_rad).cos();
    if lead(0.0) < -ROUNDING {
        return None;
    }
    // ψ falls and the rival's cosine rises up to the rival's own weight.
    let (mut low, mut high) = (0.0, rival_angle_rad);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if lead(middle) >= 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low)
}

/// Difference of cosines that is none.
const ROUNDING: f64 = 1e-12;

/// The empty gap between two classes whose weights are `angle_rad` apart, in radians: what is left
/// of the arc when both reach as far as their margins let them (`losses.md` 5.4).
pub fn gap_rad(spec: &LossSpec, values: &Values<f64>, angle_rad: f64) -> Option<f64> {
    let reach = reach_rad(spec, values, angle_rad)?;
    Some((angle_rad - 2.0 * reach).max(0.0))
}

/// The margin with which another loss leaves the same gap.
#[derive(Clone, Copy, Debug)]
pub struct Equivalent {
    /// The other loss.
    pub spec: &'static LossSpec,
    /// Its margin.
    pub param: &'static Param,
    /// The value that gives the same gap.
    pub value: f64,
}

/// The margins of the other losses that leave the same gap as `spec` with `values`, between weights
/// that are `angle_rad` apart: for losses with unit weights and one margin, λ at 0 where they have
/// one.
pub fn equivalents(
    spec: &LossSpec,
    values: &Values<f64>,
    angle_rad: f64,
) -> impl Iterator<Item = Equivalent> {
    let gap = margin_index(spec).and_then(|_| gap_rad(spec, values, angle_rad));
    let id = spec.id;
    // Without unit weights a gap is not one of angles alone.
    let others = LOSSES.iter().copied();
    let others = others.filter(move |other| other.id != id && other.form.has_unit_weights());
    others.filter_map(move |other| {
        let index = margin_index(other)?;
        let value = value_of_gap(other, index, gap?, angle_rad)?;
        let param = &other.params[index];
        Some(Equivalent {
            spec: other,
            param,
            value,
        })
    })
}

/// Index of the one margin of a loss, in radians, as a cosine or as a factor, if it has one.
pub fn margin_index(spec: &LossSpec) -> Option<usize> {
    let mut margins = spec.params.iter().filter(|param| param.unit != Unit::None);
    let (margin, more) = (margins.next()?, margins.next());
    if more.is_some() {
        return None;
    }
    spec.param_index(margin.id)
}

/// What becomes of classes whose margin is past its ceiling, as a sentence (`losses.md` 5.7).
pub fn past_ceiling(setting: Setting, forecast: Option<Forecast>) -> String {
    const FUSED_RAD: f64 = 0.02;
    const EVEN: f64 = 0.9;
    let Some(Forecast {
        closest_rad,
        n_kept,
    }) = forecast
    else {
        return "Samples miss it, or classes press together until they fuse.".to_owned();
    };
    let kept = match n_kept {
        0 => "no class keeps it".to_owned(),
        1 => "one class keeps it".to_owned(),
        n => format!("{n} of {} classes keep it", setting.n_classes),
    };
    if closest_rad < FUSED_RAD {
        format!("Trained freely, classes fuse, and {kept}.")
    } else if closest_rad > EVEN * setting.best_angle_rad() {
        format!("Trained freely, the weights stay even, and {kept}.")
    } else {
        let closest_deg = closest_rad.to_degrees();
        format!("Trained freely, neighbors press together to {closest_deg:.0}°, and {kept}.")
    }
}

/// The value of parameter `index` that leaves a gap, which grows with it.
fn value_of_gap(spec: &LossSpec, index: usize, wanted_gap_rad: f64, angle_rad: f64) -> Option<f64> {
    let mut values = spec.defaults(Setting {
        n_classes: 2,
        dim: 2,
    });
    if let Some(lambda) = spec.param_index("lambda") {
        values[lambda] = 0.0; // the factor alone
    }
    let range = &spec.params[index].range;
    let (mut low, mut high) = (*range.start(), *range.end());
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        values[index] = middle;
        let is_enough = gap_rad(spec, &values, angle_rad).is_none_or(|gap| gap >= wanted_gap_rad);
        if is_enough {
            high = middle;
        } else {
            low = middle;
        }
    }
    (high < *range.end()).then_some(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss;

    fn values(id: &str, margin: f64) -> (&'static LossSpec, Values<f64>) {
        let spec = loss::find(id).unwrap();
        let mut values = spec.defaults(Setting {
            n_classes: 10,
            dim: 2,
        });
        values[spec.param_index("margin").unwrap()] = margin;
        (spec, values)
    }

    #[track_caller]
    fn check_least_scale(n_classes: usize, dim: usize, expected: [f64; 3], tolerance: f64) {
        let arrangement = Arrangement::regular(Setting { n_classes, dim });
        for (probability, expected) in [0.9, 0.99, 0.999].into_iter().zip(expected) {
            let found = arrangement.least_scale(probability, 1.0).unwrap();
            assert!(
                (found / expected - 1.0).abs() < tolerance,
                "{n_classes} classes in {dim}-D, p = {probability}: {found} for {expected}"
            );
        }
    }

    /// The table of losses.md 5.5. On the sphere it has the arrangement that is best for cross
    /// entropy; Tammes points need up to 4% more where they are not symmetric.
    #[test]
    fn least_scales_agree_with_the_table() {
        check_least_scale(4, 2, [2.92, 5.29, 7.60], 2e-3);
        check_least_scale(10, 2, [15.14, 27.69, 39.79], 1e-3);
        check_least_scale(20, 2, [59.06, 108.05, 155.28], 1e-3);
        check_least_scale(10, 16, [3.96, 6.11, 8.19], 2e-3);
        check_least_scale(4, 3, [2.47, 4.27, 6.00], 2e-3);
        check_least_scale(6, 3, [3.59, 5.98, 8.29], 2e-3);
        check_least_scale(12, 3, [6.89, 11.22, 15.41], 1e-3);
        check_least_scale(10, 3, [5.93, 9.88, 13.72], 0.05);
        check_least_scale(13, 3, [7.64, 12.75, 17.78], 0.05);
        check_least_scale(20, 3, [11.51, 18.83, 25.94], 0.05);
    }

    /// losses.md 5.5: what s = 16 gives a circle of ten at best.
    #[test]
    fn the_floor_of_a_circle_of_ten_is_known() {
        let setting = Setting {
            n_classes: 10,
            dim: 2,
        };
        let floor = Arrangement::regular(setting).loss_floor(16.0, 1.0);
        assert!((floor - 0.0900).abs() < 5e-5, "{floor}");
    }

    /// losses.md 5.7: at its ceiling a margin leaves ln 3 on the circle, whatever the scale.
    #[test]
    fn no_scale_is_enough_at_the_ceiling() {
        let setting = Setting {
            n_classes: 10,
            dim: 2,
        };
        let arrangement = Arrangement::regular(setting);
        let target = setting.best_angle_rad().cos();
        assert_eq!(arrangement.least_scale(0.9, target), None);
        let floor = arrangement.loss_floor(1000.0, target);
        assert!((floor - 3.0_f64.ln()).abs() < 1e-6, "{floor}");
    }

    /// losses.md 5.4.
    #[test]
    fn gaps_are_those_of_the_closed_forms() {
        for angle_rad in [0.7_f64, 1.2, 2.5] {
            let (arcface, with_m) = values("arcface", 0.3);
            let gap = gap_rad(arcface, &with_m, angle_rad).unwrap();
            assert!((gap - 0.3).abs() < 1e-9, "arcface at {angle_rad}: {gap}");
            let (cosface, with_m) = values("cosface", 0.1);
            let expected = 2.0 * (0.1 / (2.0 * (angle_rad / 2.0).sin())).asin();
            let gap = gap_rad(cosface, &with_m, angle_rad).unwrap();
            assert!(
                (gap - expected).abs() < 1e-9,
                "cosface at {angle_rad}: {gap}"
            );
            let (sphereface, mut with_m) = values("sphereface", 3.0);
            with_m[sphereface.param_index("lambda").unwrap()] = 0.0;
            let gap = gap_rad(sphereface, &with_m, angle_rad).unwrap();
            assert!((gap - angle_rad * 0.5).abs() < 1e-9, "sphereface: {gap}");
        }
    }

    #[test]
    fn past_its_ceiling_a_margin_leaves_no_gap_to_speak_of() {
        let (cosface, with_m) = values("cosface", 0.2);
        assert_eq!(gap_rad(cosface, &with_m, 36.0_f64.to_radians()), None);
        let (arcface, with_m) = values("arcface", 0.7);
        assert_eq!(gap_rad(arcface, &with_m, 36.0_f64.to_radians()), None);
    }

    /// losses.md 5.4: α = 36°, Δ = 0.3: m_cos 0.0924; α = 66.15°: 0.1631; α = 90°: 0.2113.
    #[test]
    fn equal_gaps_agree_with_the_table() {
        for (angle_deg, expected) in [(36.0_f64, 0.0924), (66.15, 0.1631), (90.0, 0.2113)] {
            let (arcface, with_m) = values("arcface", 0.3);
            let found: Vec<Equivalent> =
                equivalents(arcface, &with_m, angle_deg.to_radians()).collect();
            let ids: Vec<&str> = found.iter().map(|found| found.spec.id).collect();
            assert_eq!(ids, ["sphereface", "cosface"]);
            let alpha = angle_deg.to_radians();
            let factor = (alpha + 0.3) / (alpha - 0.3);
            assert!((found[0].value - factor).abs() < 1e-6, "{found:?}");
            assert!((found[1].value - expected).abs() < 1e-4, "{found:?}");
        }
        let (cosface, with_m) = values("cosface", 0.1);
        let found: Vec<Equivalent> = equivalents(cosface, &with_m, 36.0_f64.to_radians()).collect();
        let ids: Vec<&str> = found.iter().map(|found| found.spec.id).collect();
        assert_eq!(ids, ["sphereface", "arcface"]);
        assert!((found[1].value - 18.6_f64.to_radians()).abs() < 2e-3);
    }
}
