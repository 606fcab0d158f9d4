//! `KEY=VALUES`: a field and the values that it takes in turn.

use crate::experiment::{ExperimentError, ListError, full_key, listed};
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
    /// No list of values.
    #[error(transparent)]
    List(ListError),
    /// A range with more values than a sweep has runs.
    #[error("{found}: it has {n} values; a sweep has at most {most} runs", n = thousands(*n), most = thousands(MOST_RUNS as u64))]
    TooLong {
        /// As it was written.
        found: String,
        /// How many values it has.
        n: u64,
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
        let values = listed(&key, list, MOST_RUNS).map_err(|error| match error {
            ListError::TooLong { found, n, .. } => AxisError::TooLong { found, n },
            other => AxisError::List(other),
        })?;
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

#[cfg(test)]
mod tests {
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
}
