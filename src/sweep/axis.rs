//! `KEY=VALUES`: a field and the values that it takes in turn.

use crate::experiment::{ExperimentError, full_key};
use crate::scene::thousands;
use crate::sweep::MOST_RUNS;

/// A field that is varied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Full key, `loss.margin`.
    pub key: String,
    /// What it takes, in order, as [`Experiment::set`](crate::experiment::Experiment::set) does.
    pub values: Vec<String>,
}

/// Values that are no grid.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AxisError {
    /// There is no `=`, or nothing before it.
    #[error("expected key=values, for example margin=0:0.5:0.1 or loss=cosface,arcface")]
    NoKey,
    /// No field has this key.
    #[error(transparent)]
    Field(#[from] ExperimentError),
    /// The seed has options of its own.
    #[error("seeds are counted, not listed: --seeds 3 runs each setting from --seed on")]
    Seed,
    /// Nothing stands between two separators.
    #[error("a value is missing; a list is a,b,c, or a;b;c where values hold commas")]
    Empty,
    /// It begins like a range.
    #[error("{found}: a range is FROM:TO:STEP, for example 0:0.5:0.1")]
    Syntax {
        /// The part that is meant as one.
        found: String,
    },
    /// A range that does not end, or has no value.
    #[error("{found}: {what}")]
    Range {
        /// As it was written.
        found: String,
        /// What is wrong with it.
        what: String,
    },
    /// One value is there twice.
    #[error("the value {value} is there twice")]
    Twice {
        /// As it was written.
        value: String,
    },
}

impl Axis {
    /// Reads `margin=0:0.5:0.1` (both ends, in steps), `loss=cosface,arcface`, or a list of both.
    ///
    /// Where a value itself holds commas, `;` separates: `network=mlp:64,64;cnn`. A network's sizes
    /// are understood without, too: `network=mlp:64,64,cnn` are two networks.
    ///
    /// ```
    /// use marginscope::sweep::Axis;
    ///
    /// let margins = Axis::parse("margin=0:0.5:0.1")?;
    /// assert_eq!(margins.key, "loss.margin");
    /// assert_eq!(margins.values, ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
    /// # Ok::<(), marginscope::sweep::AxisError>(())
    /// ```
    ///
    /// # Errors
    /// If the key is no field's, or the values are none.
    pub fn parse(text: &str) -> Result<Self, AxisError> {
        let parts = text.split_once('=');
        let (key, list) = parts
            .map(|(key, list)| (key.trim(), list))
            .filter(|(key, _)| !key.is_empty())
            .ok_or(AxisError::NoKey)?;
        let key = full_key(option_key(key))?;
        if key == "run.seed" {
            return Err(AxisError::Seed);
        }
        let mut values = Vec::new();
        for part in parts_of(&key, list) {
            if part.is_empty() {
                return Err(AxisError::Empty);
            }
            match range(&part)? {
                Some(numbers) => values.extend(numbers),
                None => values.push(part),
            }
        }
        match twice(&values) {
            Some(value) => Err(AxisError::Twice { value }),
            None => Ok(Self { key, values }),
        }
    }
}

/// Three fields are better known by the names of their options than by their short keys.
fn option_key(key: &str) -> &str {
    match key {
        "data" => "data.source",
        "network" => "network.kind",
        "loss" => "loss.id",
        _ => key,
    }
}

/// The parts between separators, without blanks around them.
fn parts_of(key: &str, list: &str) -> Vec<String> {
    if list.contains(';') {
        return list.split(';').map(|part| part.trim().to_owned()).collect();
    }
    let mut parts: Vec<String> = Vec::new();
    for part in list.split(',').map(str::trim) {
        let is_size = key == "network.kind" && part.parse::<u64>().is_ok();
        match parts.last_mut().filter(|_| is_size) {
            Some(network) => {
                network.push(',');
                network.push_str(part);
            }
            None => parts.push(part.to_owned()),
        }
    }
    parts
}

/// The first value that is there before, numbers by what they are worth.
fn twice(values: &[String]) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    let plain = |value: &str| match value.parse::<f64>() {
        Ok(number) => number.to_string(),
        Err(_) => value.to_owned(),
    };
    let mut values = values.iter();
    values.find(|value| !seen.insert(plain(value))).cloned()
}

/// The numbers of a range, written shortly; `None` for what is none.
fn range(part: &str) -> Result<Option<Vec<String>>, AxisError> {
    let parts: Vec<&str> = part.split(':').map(str::trim).collect();
    if parts.len() < 2 || parts[0].parse::<f64>().is_err() {
        return Ok(None);
    }
    let numbers: Option<Vec<f64>> = parts.iter().map(|part| part.parse().ok()).collect();
    let Some([from, to, step]) = numbers.as_deref() else {
        return Err(AxisError::Syntax {
            found: part.to_owned(),
        });
    };
    numbers_of(*from, *to, *step)
        .map(Some)
        .map_err(|what| AxisError::Range {
            found: part.to_owned(),
            what,
        })
}

/// From, from + step, … up to `to`, which counts as reached when rounding alone keeps it away.
fn numbers_of(from: f64, to: f64, step: f64) -> Result<Vec<String>, String> {
    const ROUNDING: f64 = 1e-9; // in steps
    if ![from, to, step].iter().all(|number| number.is_finite()) {
        return Err("its numbers must be finite".to_owned());
    }
    if step <= 0.0 {
        return Err(format!("the step is {step}; it must be above 0"));
    }
    if to < from {
        return Err(format!(
            "it has no value: {to} is below {from}; write the smaller one first"
        ));
    }
    let n_steps = ((to - from) / step * (1.0 + ROUNDING) + ROUNDING).floor();
    if n_steps >= MOST_RUNS as f64 {
        let n = thousands((n_steps + 1.0).min(1e18) as u64);
        return Err(format!(
            "it has {n} values; a sweep has at most {} runs",
            thousands(MOST_RUNS as u64)
        ));
    }
    let decimals = n_decimals(from).max(n_decimals(step));
    let number = |i: u32| {
        let text = format!("{:.decimals$}", from + f64::from(i) * step);
        shortened(&text)
    };
    Ok((0..=n_steps as u32).map(number).collect())
}

/// Digits behind the point of the shortest text that is this number: sums and multiples need no
/// more, and so 3 × 0.1 is 0.3.
fn n_decimals(number: f64) -> usize {
    let text = number.to_string();
    text.split_once('.').map_or(0, |(_, digits)| digits.len())
}

/// Without zeros at the end, and without the sign of zero.
fn shortened(text: &str) -> String {
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    };
    if text == "-0" { "0" } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<String> {
        Axis::parse(text).expect(text).values
    }

    #[track_caller]
    fn check_refusal(text: &str, expected: &str) {
        let error = Axis::parse(text).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }

    #[test]
    fn a_range_has_both_ends_and_short_numbers() {
        assert_eq!(
            values("margin=0:0.5:0.1"),
            ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]
        );
        assert_eq!(values("margin=0:0.5:0.2"), ["0", "0.2", "0.4"]);
        assert_eq!(values("dim=2:4:1"), ["2", "3", "4"]);
        assert_eq!(values("m3=-0.2:0.1:0.1"), ["-0.2", "-0.1", "0", "0.1"]);
        assert_eq!(values("margin=0.3:0.3:1"), ["0.3"]);
        assert_eq!(
            values("weight_decay=1e-4:3e-4:1e-4"),
            ["0.0001", "0.0002", "0.0003"]
        );
        assert_eq!(values("margin=0:0.2:0.1, 0.5"), ["0", "0.1", "0.2", "0.5"]);
    }

    #[test]
    fn values_with_commas_are_lists_of_their_own() {
        assert_eq!(values("loss=cosface,arcface"), ["cosface", "arcface"]);
        assert_eq!(values("network=mlp:64,64;cnn"), ["mlp:64,64", "cnn"]);
        assert_eq!(
            values("network=mlp:64,64,cnn,mlp:8"),
            ["mlp:64,64", "cnn", "mlp:8"]
        );
        assert_eq!(values("classes=3,8;1,7"), ["3,8", "1,7"]);
        assert_eq!(values("classes=2,5,10"), ["2", "5", "10"]);
        assert_eq!(values("data=rings,./a:b.csv"), ["rings", "./a:b.csv"]);
    }

    #[test]
    fn what_is_no_grid_is_refused_with_its_reason() {
        check_refusal(
            "margin",
            "expected key=values, for example margin=0:0.5:0.1 or loss=cosface,arcface",
        );
        check_refusal(
            "margn=1",
            "unknown field \"margn\"; did you mean \"margin\"?",
        );
        check_refusal(
            "seed=1,2",
            "seeds are counted, not listed: --seeds 3 runs each setting from --seed on",
        );
        let missing = "a value is missing; a list is a,b,c, or a;b;c where values hold commas";
        check_refusal("loss=", missing);
        check_refusal("loss=arcface,,cosface", missing);
        check_refusal("loss=arcface;", missing);
        let form = "a range is FROM:TO:STEP, for example 0:0.5:0.1";
        check_refusal("margin=0:0.5", &format!("0:0.5: {form}"));
        check_refusal("margin=0:0.5:x", &format!("0:0.5:x: {form}"));
        check_refusal("margin=0:1:1:1", &format!("0:1:1:1: {form}"));
        check_refusal("margin=0:1:0", "0:1:0: the step is 0; it must be above 0");
        check_refusal(
            "margin=0:1:-0.1",
            "0:1:-0.1: the step is -0.1; it must be above 0",
        );
        for text in ["nan:1:0.1", "0:inf:0.1", "0:1:nan"] {
            check_refusal(
                &format!("margin={text}"),
                &format!("{text}: its numbers must be finite"),
            );
        }
        check_refusal(
            "margin=1:0:0.1",
            "1:0:0.1: it has no value: 0 is below 1; write the smaller one first",
        );
        check_refusal(
            "margin=0:1:1e-6",
            "0:1:1e-6: it has 1,000,001 values; a sweep has at most 100,000 runs",
        );
        check_refusal(
            "margin=0:1:1e-300",
            "0:1:1e-300: it has 1,000,000,000,000,000,000 values; a sweep has at most 100,000 runs",
        );
        check_refusal("margin=0.1,0.10", "the value 0.10 is there twice");
        check_refusal("margin=0:0.3:0.1,0.3", "the value 0.3 is there twice");
    }

    proptest! {
        /// Ends, count, distances and length of the text, for ranges in steps of two digits.
        #[test]
        fn a_range_counts_right(
            from in -5000i32..5000,
            step in 1i32..500,
            n in 0u32..300,
            rest in 0.0..0.9f64,
            decimals in 0usize..7,
        ) {
            let unit = 10f64.powi(-(decimals as i32));
            let text = |whole: f64| shortened(&format!("{:.1$}", whole * unit, decimals + 3));
            let to = f64::from(from) + f64::from(step) * (f64::from(n) + rest);
            let range = format!("{}:{}:{}", text(from.into()), text(to), text(step.into()));
            let values = values(&format!("m3={range}"));
            // Three more decimals than a step has may round `to` up to the next one.
            prop_assert_eq!(values.len(), n as usize + 1, "{}", range);
            prop_assert_eq!(&values[0], &text(from.into()));
            for (i, value) in values.iter().enumerate() {
                let exact = i64::from(from) + i64::from(step) * i as i64;
                prop_assert_eq!(value, &text(exact as f64), "{}", range);
            }
        }
    }
}
