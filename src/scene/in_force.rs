//! A loss's numbers in words: as they are set, and as they count now, on their ramp or on their way
//! down.

use crate::loss::{LossSpec, Param, Unit, Values, short};
use crate::trainer::HeadState;

/// Those that are wanted, with their letters and units.
pub(super) fn values_of(
    spec: &LossSpec,
    values: &Values<f64>,
    is_wanted: impl Fn(&Param) -> bool,
) -> String {
    let params = spec.params.iter().zip(values);
    let params = params.filter(|(param, _)| param.choices.is_empty() && is_wanted(param));
    let words = params.map(|(param, &value)| {
        let unit = if param.unit == Unit::Radians {
            " rad"
        } else {
            ""
        };
        format!("{} = {}{unit}", param.symbol, short(rounded(value)))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// To three decimals.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// Those that count otherwise than they are set; `None` where all are in force.
pub(super) fn on_their_way(head: &HeadState) -> Option<String> {
    let spec = head.spec.0;
    let is_on_its_way = |param: &Param| {
        let at = spec.param_index(param.id);
        at.is_some_and(|i| head.in_force[i] != head.values[i])
    };
    let words = values_of(spec, &head.in_force, is_on_its_way);
    (!words.is_empty()).then_some(words)
}
