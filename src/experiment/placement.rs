//! What a hand puts somewhere while a run goes on: a class weight, or the feature of a free
//! embedding. A placement is a change in mid-run like any other, so that a recipe repeats it; it is no
//! setting, and an experiment does not keep it.

use crate::experiment::{Experiment, ExperimentError};

/// A vector that was put somewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// What it is.
    pub what: Placed,
    /// Where it was put, `[dim]`.
    pub to: Vec<f32>,
}

/// What can be put somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// The weight of a class.
    Weight(usize),
    /// The feature of a training sample, where features are free.
    Feature(usize),
}

const WEIGHT: &str = "hold.weight.";
const FEATURE: &str = "hold.feature.";

impl Placed {
    /// The key of a change that puts it somewhere.
    pub fn key(self) -> String {
        match self {
            Self::Weight(class) => format!("{WEIGHT}{class}"),
            Self::Feature(sample) => format!("{FEATURE}{sample}"),
        }
    }

    /// What a key puts somewhere; `None` for the key of a field.
    pub fn of_key(key: &str) -> Option<Self> {
        let number = |prefix| key.strip_prefix(prefix).and_then(|n| n.parse().ok());
        let weight = number(WEIGHT).map(Self::Weight);
        weight.or_else(|| number(FEATURE).map(Self::Feature))
    }
}

impl Placement {
    /// The coordinates as the value of a change.
    pub fn value(&self) -> String {
        let numbers: Vec<String> = self.to.iter().map(f32::to_string).collect();
        numbers.join(",")
    }

    /// Reads a change; `None` for one of a field.
    ///
    /// # Errors
    /// If there is no such vector in runs of the experiment, or the value is none for it.
    pub fn read(
        experiment: &Experiment,
        key: &str,
        value: &str,
    ) -> Option<Result<Self, ExperimentError>> {
        let what = Placed::of_key(key)?;
        let refusal = |expected: String| ExperimentError::BadValue {
            key: key.to_owned(),
            found: value.to_owned(),
            expected,
        };
        let dim = experiment.network.dim;
        let n_classes = experiment.n_classes();
        Some(match what {
            Placed::Weight(class) if class >= n_classes => {
                Err(refusal(format!("a class from 0 to {}", n_classes - 1)))
            }
            Placed::Feature(_) if !experiment.is_free() => Err(refusal(
                "network.kind = \"none\": features move by hand only where they are free"
                    .to_owned(),
            )),
            _ => numbers(value)
                .filter(|to| to.len() == dim && to.iter().any(|&x| x != 0.0))
                .map(|to| Self { what, to })
                .ok_or_else(|| refusal(format!("{dim} numbers, not all 0"))),
        })
    }
}

fn numbers(text: &str) -> Option<Vec<f32>> {
    let number = |part: &str| part.trim().parse().ok().filter(|x: &f32| x.is_finite());
    text.split(',').map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let experiment = Experiment::default();
        let placement = Placement {
            what: Placed::Weight(3),
            to: vec![0.1, -2.5e-7],
        };
        let key = placement.what.key();
        assert_eq!(key, "hold.weight.3");
        let read = Placement::read(&experiment, &key, &placement.value());
        assert_eq!(read.expect("a placement").expect("a place"), placement);
        assert!(Placement::read(&experiment, "loss.margin", "0.3").is_none());
    }

    #[test]
    fn what_fits_no_run_is_refused() {
        let mut experiment = Experiment::default();
        let mut refused = |key: &str, value: &str, expected: &str| {
            let error = experiment.set(key, value).expect_err("no place");
            assert!(error.to_string().contains(expected), "{error}");
        };
        refused("hold.weight.10", "1,0", "a class from 0 to 9");
        refused("hold.weight.1", "1,0,0", "2 numbers");
        refused("hold.weight.1", "0,0", "not all 0");
        refused("hold.weight.1", "1,inf", "2 numbers");
        refused("hold.feature.1", "1,0", "free");
        let before = experiment.clone();
        let key = experiment.set("hold.weight.1", "1, 0.5").expect("a place");
        assert_eq!(key, "hold.weight.1");
        assert_eq!(experiment, before, "no setting");
    }
}
