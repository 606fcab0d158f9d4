//! Film strips: one figure with a panel for each value of a field, or for each of some steps.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::experiment::{Experiment, ExperimentError, ListError, full_key, listed};
use crate::loss::{Param, Unit, short};

/// Panels of one figure, which differ in one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strip {
    /// The field, by its full key or a short one; `step` for moments of one run.
    pub key: String,
    /// Its value in each panel; further settings may stand behind it: `arcface margin=0.5`.
    pub values: Vec<String>,
    /// How large the features of a plane are drawn.
    #[serde(default)]
    pub scale: Scale,
}

/// How large features are drawn in panels of the plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// In all panels alike, so that lengths compare.
    #[default]
    Common,
    /// In each panel as fits.
    Own,
}

/// A text that describes no strip.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StripError {
    /// No key, or no values.
    #[error(
        "\"{found}\" describes no film strip; write a field and its values, such as margin=0,0.2,0.5, margin=0:0.5:0.1 or step=100,500"
    )]
    Syntax {
        /// What was written.
        found: String,
    },
    /// A range that is none.
    #[error(transparent)]
    List(ListError),
    /// A value that the field does not take.
    #[error(transparent)]
    Field(#[from] ExperimentError),
    /// A value that is no step.
    #[error("step {found}: expected a whole number that is not negative")]
    Step {
        /// What was written.
        found: String,
    },
    /// Too few panels, or too many.
    #[error("a film strip of {n} panels; there must be 2 to {MOST_PANELS}")]
    Count {
        /// How many were asked for.
        n: usize,
    },
}

/// More are too small to read.
const MOST_PANELS: usize = 24;
/// The key that is no field: how many steps were made.
const STEP: &str = "step";

/// A panel that is still to be trained.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Panel {
    /// Its run.
    pub experiment: Experiment,
    /// After how many steps it is seen; as the figure says where there is none.
    pub step: Option<u64>,
    /// What stands over it.
    pub title: String,
}

impl FromStr for Strip {
    type Err = StripError;

    /// A key and its values: a list, a range such as `margin=0:0.5:0.1`, or both.
    fn from_str(text: &str) -> Result<Self, StripError> {
        let syntax = || StripError::Syntax {
            found: text.to_owned(),
        };
        let (key, values) = text.split_once('=').ok_or_else(syntax)?;
        let key = key.trim();
        let full = full_key(key).unwrap_or_else(|_| key.to_owned()); // `step` is none
        let values = listed(&full, values, MOST_PANELS).map_err(|error| match error {
            ListError::Empty => syntax(),
            ListError::TooLong { n, .. } => StripError::Count { n: n as usize },
            other => StripError::List(other),
        })?;
        if key.is_empty() {
            return Err(syntax());
        }
        Ok(Self {
            key: key.to_owned(),
            values,
            scale: Scale::default(),
        })
    }
}

impl Strip {
    /// Moments of one run, after so many steps.
    pub fn over_time(steps: &[u64]) -> Self {
        Self {
            key: STEP.to_owned(),
            values: steps.iter().map(u64::to_string).collect(),
            scale: Scale::default(),
        }
    }

    /// Whether its panels are moments of one run.
    pub fn is_over_time(&self) -> bool {
        self.key == STEP
    }

    /// The runs of its panels, in the order of the values.
    ///
    /// # Errors
    /// If there are too few or too many, or a value is refused.
    pub(super) fn panels(&self, experiment: &Experiment) -> Result<Vec<Panel>, StripError> {
        let n = self.values.len();
        if !(2..=MOST_PANELS).contains(&n) {
            return Err(StripError::Count { n });
        }
        let panels = self.values.iter().map(|value| {
            if self.is_over_time() {
                moment(experiment, value)
            } else {
                self.variant(experiment, value)
            }
        });
        panels.collect()
    }

    /// Whether it can be trained, told before anything is.
    ///
    /// # Errors
    /// As [`Strip::panels`].
    pub fn check(&self, experiment: &Experiment) -> Result<(), StripError> {
        self.panels(experiment).map(drop)
    }

    fn variant(&self, experiment: &Experiment, value: &str) -> Result<Panel, StripError> {
        let mut experiment = experiment.clone();
        let (value, further) = settings(value);
        let mut keys = vec![(experiment.set(&self.key, value)?, value)];
        for (key, value) in further {
            keys.push((experiment.set(key, value)?, value));
        }
        experiment.validate()?;
        let titles = keys.iter();
        let titles = titles.map(|(key, value)| title(&experiment, key, value));
        let mut titles: Vec<String> = titles.collect();
        if keys[0].0 == "loss.id" {
            let spec = experiment.loss.spec;
            if titles.len() == 1 {
                titles.extend(margins(&experiment));
            }
            if titles.len() > 1 {
                spec.short_name.clone_into(&mut titles[0]);
            }
        }
        Ok(Panel {
            title: titles.join(", "),
            experiment,
            step: None,
        })
    }
}

/// A value, and the settings behind it. What has a blank without being settings, such as a path, is
/// one value.
fn settings(text: &str) -> (&str, Vec<(&str, &str)>) {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or(text);
    let further: Option<Vec<_>> = words.map(|word| word.split_once('=')).collect();
    further.map_or((text, Vec::new()), |further| (first, further))
}

fn moment(experiment: &Experiment, value: &str) -> Result<Panel, StripError> {
    let step: u64 = value.parse().map_err(|_unsaid| StripError::Step {
        found: value.to_owned(),
    })?;
    Ok(Panel {
        experiment: experiment.clone(),
        step: Some(step),
        title: format!("step {}", crate::scene::thousands(step)),
    })
}

/// What stands over a panel: a loss by its name, a parameter by its letter, another field by its key.
fn title(experiment: &Experiment, key: &str, value: &str) -> String {
    let spec = experiment.loss.spec;
    if key == "loss.id" {
        return spec.name.to_owned();
    }
    if key == "network.dim" {
        return format!("{value} dimensions");
    }
    let name = key.rsplit('.').next().unwrap_or(key);
    let Some(param) = spec.params.iter().find(|param| param.id == name) else {
        return format!("{} = {value}", name.replace('_', " "));
    };
    let number = value.parse().map_or_else(|_| value.to_owned(), short);
    format!("{} = {number}{}", param.symbol, unit(param))
}

/// What a loss has besides its scale, as it is set.
fn margins(experiment: &Experiment) -> Vec<String> {
    let params = experiment.loss.spec.params.iter();
    let params = params.zip(experiment.loss_values());
    let params = params.filter(|(param, _)| param.choices.is_empty() && param.id != "scale");
    let words = params.map(|(param, value)| {
        let number = short(value);
        format!("{} = {number}{}", param.symbol, unit(param))
    });
    words.collect()
}

/// As it stands behind a number; cosines and factors are plain numbers to who reads a title.
fn unit(param: &Param) -> &'static str {
    match param.unit {
        Unit::Radians => " rad",
        Unit::None | Unit::Cosine | Unit::Factor => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(text: &str) -> Vec<String> {
        let strip: Strip = text.parse().expect("a strip");
        let mut experiment = Experiment::default();
        experiment.set("loss.id", "arcface").expect("a loss");
        let panels = strip.panels(&experiment).expect("panels");
        panels.into_iter().map(|panel| panel.title).collect()
    }

    #[test]
    fn a_panel_is_called_after_what_differs() {
        assert_eq!(titles("margin=0, 0.2"), ["m = 0 rad", "m = 0.2 rad"]);
        assert_eq!(
            titles("loss=softmax,arcface"),
            ["Softmax", "ArcFace, m = 0.3 rad"]
        );
        assert_eq!(titles("dim=2,3"), ["2 dimensions", "3 dimensions"]);
        assert_eq!(
            titles("loss=softmax,cosface margin=0.2 scale=30,combined m2=0.3"),
            [
                "Softmax",
                "CosFace, m = 0.2, s = 30",
                "Combined, m₂ = 0.3 rad"
            ]
        );
        assert_eq!(
            titles("optimizer.learning_rate=0.1,0.01")[1],
            "learning rate = 0.01"
        );
        assert_eq!(titles("step=0,1500"), ["step 0", "step 1,500"]);
        assert_eq!(titles("margin=0:0.5:0.25")[2], "m = 0.5 rad");
        assert_eq!(titles("step=100:300:100, 900").len(), 4);
        assert_eq!(
            titles("network.kind=mlp:64,64;mlp:128"),
            ["kind = mlp:64,64", "kind = mlp:128"]
        );
    }

    #[test]
    fn what_is_no_strip_is_said() {
        for text in ["margin", "=1,2", "margin=", "margin=1,,2"] {
            let error = text.parse::<Strip>().expect_err(text).to_string();
            assert!(error.contains("describes no film strip"), "{error}");
        }
        let fault = |text: &str| {
            let strip: Strip = text.parse().expect("a strip");
            let error = strip.check(&Experiment::default()).expect_err(text);
            error.to_string()
        };
        assert!(
            fault("margn=1,2").contains("unknown field"),
            "{}",
            fault("margn=1,2")
        );
        assert!(fault("step=5,-1").contains("-1"));
        assert!(fault("scale=nan,1").contains("scale") || fault("scale=nan,1").contains("softmax"));
        assert!(fault("seed=1").contains("of 1 panels"));
        let many = "margin=0:1:0.001".parse::<Strip>().expect_err("too many");
        assert!(many.to_string().contains("of 1001 panels"), "{many}");
        let backwards = "margin=1:0:0.1".parse::<Strip>().expect_err("no values");
        assert!(
            backwards
                .to_string()
                .contains("write the smaller one first")
        );
        assert!(fault("loss=softmax,softmax margin=1").contains("margin"));
        assert!(fault("loss=softmax,a b").contains("a b"));
    }
}
