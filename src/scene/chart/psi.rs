//! ψ(θ): the target logit over the angle to the own weight, with its neighbors and the samples.

use crate::loss::{Form, LOSSES, LossSpec, Param, Rho, Unit, Values, short};
use crate::scene::chart::{Axis, Chart, Ink, Key, Series, ticks};
use crate::scene::{Anchor, in_force, thousands};
use crate::trainer::{HeadState, Snapshot};

/// Points of a curve; a jump is drawn as steep as this allows.
const N_POINTS: usize = 240;
/// Share of the height that the histogram of the samples' angles takes.
const HISTOGRAM_SHARE: f64 = 0.3;
/// No curve is followed further down.
const LOWEST: f64 = -2.6;
/// Angles at which the handles of the margins lie.
const HANDLES_DEG: [f64; 3] = [65.0, 40.0, 90.0];
/// The scale stretches ψ and does not bend it: its handle runs on a rail of its own, where the
/// curves are low, from the least value of its slider to the greatest.
const RAIL_DEG: f64 = 172.0;
const RAIL: [f64; 2] = [0.0, 1.0];
/// Opacity of the histogram: curves run over it.
const BARS_OPACITY: f32 = 0.45;
/// Half the width of the mark of a margin's ceiling, in degrees.
const CEILING_HALF_DEG: f64 = 11.0;

/// A parameter that can be changed by taking hold of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PsiHandle {
    /// Index among the loss's parameters.
    pub index: usize,
    /// θ in degrees and ψ(θ).
    pub at: [f64; 2],
}

/// The target logit of the chosen loss, in units of ρ, over θ in degrees; `None` for a loss whose
/// logit has no angle to an own weight.
pub fn psi(snapshot: &Snapshot) -> Option<Chart> {
    let head = &snapshot.head;
    let mut series = vec![histogram(snapshot)];
    let setting = head.setting();
    let neighbors = neighbors(head.spec.0);
    let curve = |(_, other): (_, &LossSpec)| line(other, &other.defaults(setting), Ink::Faint, 1.0);
    series.extend(neighbors.map(curve));
    series.extend(ramped(head));
    series.push(line(head.spec.0, &head.values, Ink::Text, 2.0));
    for handle in psi_handles(head) {
        series.extend(handle_series(head, handle));
    }
    let title = if head.spec.form.has_bias() {
        "target logit at length 1, without bias"
    } else {
        "target logit ψ over the angle θ"
    };
    has_angle(head).then(|| Chart {
        title: title.to_owned(),
        x: Axis {
            span: [0.0, 180.0],
            ticks: [0.0, 90.0, 180.0].map(|at| (at, format!("{at}°"))).into(),
            ..Axis::default()
        },
        y: y_axis(lowest(head) - 0.35),
        series,
        ..Chart::default()
    })
}

/// The same for a figure: every curve in a colour of its own, with its name, and no handles.
pub fn psi_in_print(snapshot: &Snapshot) -> Option<Chart> {
    let head = &snapshot.head;
    let (spec, setting) = (head.spec.0, head.setting());
    let own = line(spec, &head.values, Ink::Text, 2.0);
    let mut own_name = name_of(spec, &head.values, |_| true);
    let mut named: Vec<(Series, String)> = Vec::new();
    for (i, other) in neighbors(spec) {
        let values = other.defaults(setting);
        let curve = line(other, &values, Ink::Curve(i), 1.2);
        let name = name_of(other, &values, |param| param.id != "scale");
        // Of curves on one another but one is seen, and has the names of all.
        if is_same_curve(&curve, &own) {
            own_name = format!("{own_name}; {name}");
        } else if let Some((_, names)) = named.iter_mut().find(|(c, _)| is_same_curve(&curve, c)) {
            *names = format!("{names}; {name}");
        } else {
            named.push((curve, name));
        }
    }
    if let Some(curve) = ramped(head) {
        let values = in_force::on_their_way(head).unwrap_or_default();
        let step = thousands(snapshot.step);
        named.push((curve, format!("in force at step {step}: {values}")));
    }
    named.push((own, own_name));
    let mut keys: Vec<Key> = named
        .iter()
        .rev() // the chosen one first
        .filter_map(|(curve, name)| Key::of_line(curve, name.as_str()))
        .collect();
    let bars = "samples by angle to their weight, in bins of 3°";
    keys.push(Key::of_area(Ink::Accent, BARS_OPACITY, bars));
    let mut series = vec![histogram(snapshot)];
    series.extend(named.into_iter().map(|(curve, _)| curve));
    let mut y = y_axis(lowest(head) - 0.35);
    y.title = format!("target logit ψ(θ), in units of {}", unit_of(spec.form));
    has_angle(head).then(|| Chart {
        x: print_axis(),
        y,
        series,
        keys,
        ..Chart::default()
    })
}

fn is_same_curve(a: &Series, b: &Series) -> bool {
    match (a, b) {
        (Series::Line { points: a, .. }, Series::Line { points: b, .. }) => a == b,
        _ => false,
    }
}

fn has_angle(head: &HeadState) -> bool {
    head.spec.form != Form::Binary
}

/// What ψ is multiplied by.
fn unit_of(form: Form) -> &'static str {
    match form {
        Form::Angular(Rho::Scale) => "s",
        Form::Angular(Rho::FeatureNorm) => "‖x‖",
        Form::Angular(Rho::WeightAndFeatureNorm) => "‖W‖‖x‖",
        Form::Binary | Form::Linear => "‖W‖‖x‖, without bias",
    }
}

/// A loss with those of its numbers that are wanted.
fn name_of(spec: &LossSpec, values: &Values<f64>, is_wanted: impl Fn(&Param) -> bool) -> String {
    let values = in_force::values_of(spec, values, is_wanted);
    if values.is_empty() {
        return spec.name.to_owned();
    }
    format!("{}, {values}", spec.name)
}

/// The angles of the samples.
fn histogram(snapshot: &Snapshot) -> Series {
    Series::Bars {
        heights: heights(&snapshot.detail.target_angles),
        share: HISTOGRAM_SHARE,
        ink: Ink::Accent,
        opacity: BARS_OPACITY,
    }
}

/// The curve that counts now, where a margin rises or λ falls.
fn ramped(head: &HeadState) -> Option<Series> {
    let mut ramped = line(head.spec.0, &head.in_force, Ink::Dimmed, 1.3);
    if let Series::Line { is_dashed, .. } = &mut ramped {
        *is_dashed = true;
    }
    (head.in_force != head.values).then_some(ramped)
}

fn lowest(head: &HeadState) -> f64 {
    let psi = |i| head.spec.target.psi(angle_rad(i), &head.values);
    (0..=N_POINTS).map(psi).fold(-1.0, f64::min).max(LOWEST)
}

/// The target logits of several heads in one plot, each in a colour of its own, with their names
/// below; at most as many as there are colours. Heads without an angle have no curve, and those that
/// are the same function have one together.
pub fn psi_together(heads: &[(&HeadState, &str)]) -> Chart {
    const LEAST: f64 = -1.3;
    let mut series = Vec::new();
    let mut lowest = LEAST;
    let heads = heads.iter().filter(|(head, _)| has_angle(head));
    let mut names: Vec<String> = Vec::new();
    for (i, (head, name)) in heads.enumerate() {
        let curve = line(head.spec.0, &head.values, Ink::Curve(i), 2.0);
        if let Series::Line { points, .. } = &curve {
            let least = points.iter().map(|[_, psi]| *psi).fold(0.0, f64::min);
            lowest = lowest.min(least - 0.15);
        }
        // One under the other would not be seen: it is one curve of several names.
        let equal = series.iter().position(|other| is_same_curve(other, &curve));
        if let Some(at) = equal {
            names[at] = format!("{} = {name}", names[at]);
            continue;
        }
        series.push(curve);
        names.push((*name).to_owned());
    }
    let named = series.iter().zip(names);
    let keys = named.filter_map(|(curve, name)| Key::of_line(curve, name));
    Chart {
        x: print_axis(),
        y: Axis {
            title: "target logit ψ(θ), at length or scale 1".to_owned(),
            ..y_axis(lowest.max(LOWEST))
        },
        keys: keys.collect(),
        series,
        ..Chart::default()
    }
}

fn print_axis() -> Axis {
    Axis {
        title: "angle θ to the class weight (degrees)".to_owned(),
        span: [0.0, 180.0],
        ticks: ticks::degrees(30, 180.0),
        ..Axis::default()
    }
}

/// From there to a little over 1.
fn y_axis(lowest: f64) -> Axis {
    Axis {
        span: [lowest, 1.15],
        ticks: y_ticks(lowest),
        ..Axis::default()
    }
}

/// Whole numbers from `lowest` to 1.
fn y_ticks(lowest: f64) -> Vec<(f64, String)> {
    let ticks = [-2.0, -1.0, 0.0, 1.0]
        .into_iter()
        .filter(|at| *at >= lowest);
    ticks
        .map(|at| (at, format!("{at}").replace('-', "−")))
        .collect()
}

/// The handles of the chosen loss: its margins on the curve, its scale on the rail.
pub fn psi_handles(head: &HeadState) -> impl Iterator<Item = PsiHandle> {
    let (spec, values) = (head.spec.0, head.values);
    let margins = spec.params.iter().enumerate();
    let margins = margins.filter(|(_, param)| param.unit != Unit::None);
    let margins = margins.zip(HANDLES_DEG);
    let scale = spec.param_index("scale").map(|index| PsiHandle {
        index,
        at: [
            RAIL_DEG,
            height_of_scale(&spec.params[index], values[index]),
        ],
    });
    margins
        .map(move |((index, _), angle_deg)| PsiHandle {
            index,
            at: [angle_deg, spec.target.psi(angle_deg.to_radians(), &values)],
        })
        .chain(scale)
}

/// A handle with its name, and what its parameter may be: the rail of the scale, the ceiling of a
/// margin.
fn handle_series(head: &HeadState, handle: PsiHandle) -> Vec<Series> {
    let (spec, setting, values) = (head.spec.0, head.setting(), &head.values);
    let PsiHandle { index, at } = handle;
    let straight = |points: [[f64; 2]; 2], ink, width| Series::Line {
        points: points.into(),
        ink,
        width,
        is_dashed: false,
    };
    let is_scale = spec.params[index].unit == Unit::None;
    let mut series = Vec::new();
    if is_scale {
        let ends = RAIL.map(|height| [RAIL_DEG, height]);
        series.push(straight(ends, Ink::Faint, 3.0));
    } else if let Some(ceiling) = spec.ceiling(index, setting, values) {
        let mut at_ceiling = *values;
        at_ceiling[index] = ceiling;
        let psi = spec.target.psi(at[0].to_radians(), &at_ceiling);
        let ends = [-CEILING_HALF_DEG, CEILING_HALF_DEG].map(|off| [at[0] + off, psi]);
        series.push(straight(ends, Ink::PastCeiling, 2.0));
    }
    let is_past = spec.passed_ceiling(index, setting, values).is_some();
    series.push(Series::Handle {
        at,
        label: handle_label(&spec.params[index], values[index]),
        anchor: if is_scale { Anchor::End } else { Anchor::Start },
        ink: if is_past {
            Ink::PastCeiling
        } else {
            Ink::Accent
        },
    });
    series
}

/// What dragging a handle to a height (ψ) makes of its parameter: a margin lets the curve pass there
/// at the handle's own angle, the scale is what the rail says.
pub fn dragged_value(head: &HeadState, handle: PsiHandle, height: f64) -> f64 {
    let param = &head.spec.params[handle.index];
    if param.unit == Unit::None {
        scale_at_height(param, height)
    } else {
        value_through(head, handle.index, [handle.at[0], height])
    }
}

/// Where a scale lies on the rail; equal factors are equally far apart, as on the slider.
fn height_of_scale(param: &Param, scale: f64) -> f64 {
    let (low, high) = (*param.slider.start(), *param.slider.end());
    let share = (scale / low).ln() / (high / low).ln();
    RAIL[0] + share.clamp(0.0, 1.0) * (RAIL[1] - RAIL[0])
}

fn scale_at_height(param: &Param, height: f64) -> f64 {
    let (low, high) = (*param.slider.start(), *param.slider.end());
    let share = ((height - RAIL[0]) / (RAIL[1] - RAIL[0])).clamp(0.0, 1.0);
    (10.0 * low * (high / low).powf(share)).round() / 10.0
}

/// The value of a parameter with which the curve passes nearest to a point. Values of the slider
/// are looked at; of equally near ones the least changed is taken.
fn value_through(head: &HeadState, index: usize, at: [f64; 2]) -> f64 {
    const N_VALUES: usize = 1000;
    let param = &head.spec.params[index];
    let (low, high) = (*param.slider.start(), *param.slider.end());
    let candidates = (0..=N_VALUES).map(|i| {
        let value = low + (high - low) * i as f64 / N_VALUES as f64;
        if param.is_integer {
            value.round()
        } else {
            value
        }
    });
    let departure = |value: f64| {
        let mut values = head.values;
        values[index] = value;
        let psi = head.spec.target.psi(at[0].to_radians(), &values);
        (psi - at[1]).abs() + 1e-6 * (value - head.values[index]).abs()
    };
    candidates
        .min_by(|a, b| departure(*a).total_cmp(&departure(*b)))
        .unwrap_or(head.values[index])
}

fn handle_label(param: &Param, value: f64) -> String {
    format!("{} {}", param.symbol, short(in_force::rounded(value)))
}

/// Losses of the first row whose target logit is their own, but for the chosen one, with their
/// numbers there.
fn neighbors(chosen: &'static LossSpec) -> impl Iterator<Item = (usize, &'static LossSpec)> {
    let first_row = LOSSES.iter().copied().filter(|spec| spec.key.is_some());
    let angular = first_row.filter(|spec| spec.form.is_angular()).enumerate();
    angular.filter(move |(_, spec)| spec.id != chosen.id)
}

/// Name of the curve behind the chosen one that passes nearest to a place, if one passes near.
pub fn psi_neighbor(head: &HeadState, [theta_deg, psi]: [f64; 2]) -> Option<String> {
    const NEAR: f64 = 0.15;
    let setting = head.setting();
    let off = |spec: &LossSpec, values: &Values<f64>| {
        (spec.target.psi(theta_deg.to_radians(), values) - psi).abs()
    };
    let own = off(head.spec.0, &head.values);
    neighbors(head.spec.0)
        .map(|(_, spec)| (off(spec, &spec.defaults(setting)), spec))
        .filter(|(off, _)| *off < NEAR && *off < own)
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, spec)| format!("{} with its defaults", spec.name))
}

fn angle_rad(i: usize) -> f64 {
    std::f64::consts::PI * i as f64 / N_POINTS as f64
}

fn line(spec: &LossSpec, values: &Values<f64>, ink: Ink, width: f32) -> Series {
    let points = (0..=N_POINTS).map(|i| {
        let theta_rad = angle_rad(i);
        [theta_rad.to_degrees(), spec.target.psi(theta_rad, values)]
    });
    Series::Line {
        points: points.collect(),
        ink,
        width,
        is_dashed: false,
    }
}

fn heights(counts: &[u32]) -> Vec<f64> {
    let highest = counts.iter().copied().max().unwrap_or(0).max(1);
    let height = |&count: &u32| f64::from(count) / f64::from(highest);
    counts.iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::sample::{even_weights, fans, snapshot};

    fn of(loss_id: &str) -> Snapshot {
        let weights = even_weights(5);
        let (features, labels) = fans(&weights, 20, 1.0, 2.0, 0.3);
        snapshot(loss_id, 2, &weights, &features, &labels)
    }

    #[test]
    fn handles_lie_on_the_curve_and_leave_values_as_they_are() {
        for spec in LOSSES.iter().filter(|spec| spec.form.is_angular()) {
            let snapshot = of(spec.id);
            let head = &snapshot.head;
            for handle in psi_handles(head) {
                let param = &spec.params[handle.index];
                if param.unit != Unit::None {
                    let psi = spec.target.psi(handle.at[0].to_radians(), &head.values);
                    assert_eq!(psi, handle.at[1], "{}", spec.id);
                }
                let value = head.values[handle.index];
                let same = dragged_value(head, handle, handle.at[1]);
                let step = (param.slider.end() - param.slider.start()) / 1000.0;
                assert!(
                    (same - value).abs() <= step,
                    "{} {}: {same}",
                    spec.id,
                    param.id
                );
            }
        }
    }

    #[test]
    fn a_dragged_margin_lets_the_curve_pass_under_the_pointer() {
        for (id, wanted) in [("arcface", 0.8), ("cosface", 0.45), ("sphereface", 2.0)] {
            let mut snapshot = of(id);
            let spec = snapshot.head.spec.0;
            if let Some(lambda) = spec.param_index("lambda") {
                snapshot.head.values[lambda] = 0.0;
            }
            let index = spec.param_index("margin").expect("a margin");
            let handle = psi_handles(&snapshot.head)
                .find(|handle| handle.index == index)
                .expect("a handle");
            let mut values = snapshot.head.values;
            values[index] = wanted;
            let psi = spec.target.psi(handle.at[0].to_radians(), &values);
            let found = dragged_value(&snapshot.head, handle, psi);
            assert!((found - wanted).abs() < 5e-3, "{id}: {found} for {wanted}");
        }
    }

    #[test]
    fn the_scale_grows_upwards_and_its_handle_follows() {
        let mut snapshot = of("normface");
        let scale = |snapshot: &Snapshot| psi_handles(&snapshot.head).next().expect("a scale");
        let before = scale(&snapshot);
        let y = before.at[1];
        let param = &snapshot.head.spec.params[before.index];
        let found = dragged_value(&snapshot.head, before, y + 0.1);
        let factor = (param.slider.end() / param.slider.start()).powf(0.1);
        let wanted = snapshot.head.values[before.index] * factor;
        assert!(
            (found - wanted).abs() <= 0.05 + 1e-9,
            "{found} for {wanted}"
        );
        assert_eq!(
            dragged_value(&snapshot.head, before, 9.0),
            *param.slider.end()
        );
        assert_eq!(
            dragged_value(&snapshot.head, before, -9.0),
            *param.slider.start()
        );
        snapshot.head.values[before.index] = found;
        assert!((scale(&snapshot).at[1] - (y + 0.1)).abs() < 5e-3);
    }

    #[test]
    fn what_is_in_force_names_what_is_on_its_way() {
        let mut snapshot = of("sphereface");
        let lambda = snapshot.head.spec.param_index("lambda").expect("λ");
        snapshot.head.in_force[lambda] = 63.0;
        let chart = psi_in_print(&snapshot).expect("an angle");
        let names: Vec<&str> = chart.keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(
            names[1],
            "in force at step 500: λ\u{a0}=\u{a0}63\u{a0}on\u{a0}its\u{a0}way\u{a0}to\u{a0}5"
        );
        assert!(names.contains(&"Modified softmax; NormFace"), "{names:?}");
    }

    #[test]
    fn a_ceiling_is_marked_where_the_curve_passes_with_it() {
        let snapshot = of("cosface");
        let head = &snapshot.head;
        let ceiling = head
            .spec
            .ceiling(0, head.setting(), &head.values)
            .expect("a ceiling");
        let chart = psi(&snapshot).expect("an angle");
        let mark = chart.series.iter().find_map(|series| match series {
            Series::Line {
                points,
                ink: Ink::PastCeiling,
                ..
            } => Some(points[0]),
            _ => None,
        });
        let handle = psi_handles(head).next().expect("a margin");
        let expected = handle.at[0].to_radians().cos() - ceiling;
        assert!((mark.expect("a mark")[1] - expected).abs() < 1e-12);
    }

    #[test]
    fn one_score_has_no_angle_to_show() {
        let snapshot = snapshot(
            "binary_cross_entropy",
            2,
            &even_weights(2),
            &[1.0, 0.5],
            &[1],
        );
        assert_eq!(psi(&snapshot), None);
    }

    #[test]
    fn bars_count_every_sample() {
        let snapshot = of("arcface");
        let n: u32 = snapshot.detail.target_angles.iter().sum();
        assert_eq!(n as usize, snapshot.probe.len());
        let chart = psi(&snapshot).expect("an angle");
        let Some(Series::Bars { heights, .. }) = chart.series.first() else {
            panic!("bars first");
        };
        assert_eq!(heights.iter().copied().fold(0.0, f64::max), 1.0);
        // Fans are 0.3 rad wide: nothing beyond 18°, six bins of 3°.
        assert!(heights[6..].iter().all(|&height| height == 0.0));
    }
}
