//! A loss's numbers in words: as they are set, and as they count now, on their ramp or on their way
//! down.

use crate::loss::{Course, LossSpec, Param, Unit, Values, brief, short};
use crate::trainer::HeadState;

/// Those that are wanted, with their letters and units.
pub(super) fn values_of(
    spec: &LossSpec,
    values: &Values<f64>,
    is_wanted: impl Fn(&Param) -> bool,
) -> String {
    let params = spec.params.iter().zip(values);
    let params = params.filter(|(param, _)| param.choices.is_empty() && is_wanted(param));
    let words = params.map(|(param, &value)| named(param, &short(rounded(value))));
    words.collect::<Vec<_>>().join(", ")
}

/// A number with its letter and unit, which no line breaks.
fn named(param: &Param, value: &str) -> String {
    format!("{}\u{a0}=\u{a0}{value}{}", param.symbol, unit_of(param))
}

/// As it stands behind a number; cosines and factors are plain numbers to who reads.
pub(super) fn unit_of(param: &Param) -> &'static str {
    match param.unit {
        Unit::Radians => "\u{a0}rad",
        Unit::None | Unit::Cosine | Unit::Factor => "",
    }
}

/// To three decimals.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// Those that count otherwise than they are set, of what is set; `None` where all are in force.
pub(super) fn on_their_way(head: &HeadState) -> Option<String> {
    let spec = head.spec.0;
    let params = spec.params.iter().enumerate();
    let on_their_way = params.filter(|&(i, _)| head.in_force[i] != head.values[i]);
    let words = on_their_way.map(|(i, param)| {
        let now = brief(head.in_force[i]);
        let set = short(rounded(head.values[i]));
        let way = match param.course {
            Course::Anneal { .. } => "on\u{a0}its\u{a0}way\u{a0}to", // from above
            Course::Ramp | Course::Constant => "of",
        };
        named(param, &format!("{now}\u{a0}{way}\u{a0}{set}"))
    });
    let words = words.collect::<Vec<_>>().join(", ");
    (!words.is_empty()).then_some(words)
}
