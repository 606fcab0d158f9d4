//! In what experiments differ that are looked at side by side.

use crate::data::ClassChoice;
use crate::experiment::schema::{Field, fields};
use crate::experiment::{DEFAULT, Experiment, is_live};
use crate::loss::Param;

/// A field in which some experiments differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Full key.
    pub key: String,
    /// Of each experiment; `None` where it has no such field.
    pub values: Vec<Option<String>>,
    /// The same in plain words; `None` also where there is nothing to be said.
    pub words: Vec<Option<String>>,
}

/// Fields that say where a run ends and how it is looked at, not what it is.
const LEFT_OUT: [&str; 4] = ["run.epochs", "run.steps", "view.kind", "data.sha256"];

/// The fields in which experiments differ, in the order of a file, the parameters of losses behind
/// the loss. Defaults are said as they are in force.
pub fn differences(experiments: &[&Experiment]) -> Vec<Difference> {
    let mut found = Vec::new();
    for field in fields()
        .iter()
        .filter(|field| !LEFT_OUT.contains(&field.key))
    {
        let values = experiments.iter().map(|e| said(e, field.key)).collect();
        found.extend(difference(field.key, values, |i, value| {
            words(experiments[i], field, value)
        }));
        if field.key == "loss.id" {
            found.extend(of_params(experiments));
        }
    }
    found
}

fn difference(
    key: &str,
    values: Vec<Option<String>>,
    words: impl Fn(usize, &str) -> Option<String>,
) -> Option<Difference> {
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        return None;
    }
    let of = |(i, value): (usize, &Option<String>)| words(i, value.as_deref()?);
    Some(Difference {
        key: key.to_owned(),
        words: values.iter().enumerate().map(of).collect(),
        values,
    })
}

/// A value of a field as one says it.
fn words(experiment: &Experiment, field: &Field, value: &str) -> Option<String> {
    let name = field.short_key().replace('_', " ");
    Some(match (field.key, value) {
        ("hold.pinned", "none") => return None,
        ("hold.pinned", _) => format!("weights of {} pinned", value.replace(',', ", ")),
        ("data.source", "mnist") => "MNIST".to_owned(),
        ("data.source" | "network.activation" | "optimizer.schedule", _) => value.to_owned(),
        ("loss.id", _) => experiment.loss.spec.short_name.to_owned(),
        ("data.classes", _) => match &experiment.data.classes {
            ClassChoice::Default | ClassChoice::First(_) => {
                format!("{} classes", experiment.n_classes())
            }
            ClassChoice::These(_) | ClassChoice::Names(_) => {
                format!("classes {}", value.replace(',', ", "))
            }
        },
        ("network.kind", "none") => "no network".to_owned(),
        ("network.kind", "cnn") => "CNN".to_owned(),
        ("network.kind", _) => value.replace("mlp:", "MLP ").replace(',', "–"),
        ("network.dim", _) => format!("{value}-D"),
        ("optimizer.kind", "sgd") => "SGD".to_owned(),
        ("optimizer.kind", "adam") => "Adam".to_owned(),
        ("optimizer.clip", "0") => "no clipping".to_owned(),
        _ => format!("{name} {value}"),
    })
}

/// A value as it tells an experiment from others: defaults that follow from the loss do not.
fn said(experiment: &Experiment, key: &str) -> Option<String> {
    if key == "optimizer.warmup" {
        return experiment.get(key).or_else(|| Some("by loss".to_owned()));
    }
    experiment.in_force(key)
}

impl Experiment {
    /// The value of a field as [`Experiment::set`] takes it: the one that was set, or the default
    /// that is in force in its place; `None` where the experiment has no such field, or its data
    /// decide.
    pub fn in_force(&self, key: &str) -> Option<String> {
        let optimizer = &self.optimizer;
        Some(match key {
            "data.classes" => self.data.classes.to_string(),
            "network.kind" => self.network_kind().to_string(),
            "network.activation" => self.network.activation.id().to_owned(),
            "loss.ramp" => self.loss.ramp_steps.to_string(),
            "loss.anneal" => self.loss.annealing.id().to_owned(),
            "loss.init" => self.loss.init.id().to_owned(),
            "optimizer.kind" => optimizer.kind.id().to_owned(),
            "optimizer.learning_rate" => self.learning_rate().to_string(),
            "optimizer.momentum" => optimizer.momentum.to_string(),
            "optimizer.weight_decay" => optimizer.weight_decay.to_string(),
            "optimizer.batch" => self.batch(usize::MAX).to_string(),
            "optimizer.clip" => optimizer.clip.to_string(),
            "optimizer.warmup" => self.warmup_steps().to_string(),
            "optimizer.schedule" => optimizer.schedule.id().to_owned(),
            "hold.pinned" => self.get(key).unwrap_or_else(|| "none".to_owned()),
            "view.kind" => self.view_kind().id().to_owned(),
            _ => return self.param_in_force(key).or_else(|| self.get(key)),
        })
    }

    fn param_in_force(&self, key: &str) -> Option<String> {
        let at = self.loss.spec.param_index(key.strip_prefix("loss.")?)?;
        Some(self.loss.spec.params[at].text(self.loss_values()[at]))
    }

    /// Whether every field is set, or left to its default, as in another; what was changed on the
    /// way does not count.
    pub fn is_set_as(&self, other: &Self) -> bool {
        let Self {
            data,
            network,
            loss,
            optimizer,
            run,
            hold,
            view,
        } = self;
        *data == other.data
            && *network == other.network
            && *loss == other.loss
            && *optimizer == other.optimizer
            && (run.seed, run.length) == (other.run.seed, other.run.length)
            && *hold == other.hold
            && *view == other.view
    }

    /// Settings that lead to an experiment set as another is, while the run goes on: fields that
    /// are left to their default there are so again. `None` where that needs a new run.
    pub fn way_to(&self, other: &Self) -> Option<Vec<(String, String)>> {
        let mut way = Vec::new();
        let mut on_way = self.clone();
        if on_way.loss.spec.id != other.loss.spec.id {
            let id = other.loss.spec.id; // the others are values of it
            on_way.set("loss.id", id).ok()?;
            way.push(("loss.id".to_owned(), id.to_owned()));
        }
        let (before, after) = (on_way.settings(), other.settings());
        let is_left = |key: &str| after.iter().all(|(other, _)| other != key);
        let gone = before.iter().filter(|(key, _)| is_left(key));
        way.extend(gone.map(|(key, _)| (key.clone(), DEFAULT.to_owned())));
        let is_new = |pair: &&(String, String)| !before.contains(pair);
        way.extend(after.iter().filter(is_new).cloned());
        let is_one_run = self.data == other.data && way.iter().all(|(key, _)| is_live(key));
        is_one_run.then_some(way)
    }
}

/// Parameters by what they are written as: a margin of one loss beside that of another.
fn of_params(experiments: &[&Experiment]) -> Vec<Difference> {
    let mut params: Vec<&Param> = Vec::new();
    for param in experiments.iter().flat_map(|e| e.loss.spec.params) {
        if params.iter().all(|known| known.id != param.id) {
            params.push(param);
        }
    }
    let of = |param: &Param| {
        let key = format!("loss.{}", param.id);
        let values = experiments.iter().map(|e| e.param_in_force(&key));
        let values: Vec<Option<String>> = values.collect();
        // That one loss has a choice to make and the others none is no setting of it.
        let n_values = values.iter().flatten().count();
        let is_told = param.choices.is_empty() || n_values == values.len();
        let words = |_, value: &str| Some(format!("{} {value}", param.symbol));
        difference(&key, values, words).filter(|_| is_told)
    };
    params.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(settings: &[(&str, &str)]) -> Experiment {
        let mut experiment = Experiment::default();
        for (key, value) in settings {
            experiment.set(key, value).expect("a value of it");
        }
        experiment
    }

    #[test]
    fn what_is_alike_is_not_said() {
        let a = of(&[("loss.id", "arcface"), ("loss.margin", "0.3")]);
        let rate = a.learning_rate().to_string();
        let b = of(&[
            ("loss.id", "arcface"),
            ("loss.margin", "0.5"),
            ("optimizer.learning_rate", &rate),
            ("view.kind", "plane"),
        ]);
        let found = differences(&[&a, &b]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].key, "loss.margin");
        assert_eq!(
            found[0].values,
            [Some("0.3".to_owned()), Some("0.5".to_owned())]
        );
        assert_eq!(differences(&[&a, &a.clone()]), []);
        assert_eq!(differences(&[&a]), []);
    }

    #[test]
    fn differences_are_said_in_words() {
        let a = of(&[
            ("data.source", "blobs"),
            ("data.classes", "8"),
            ("loss.id", "arcface"),
        ]);
        let b = of(&[
            ("data.classes", "3,8"),
            ("optimizer.clip", "1"),
            ("network.dim", "3"),
            ("hold.pinned", "0,1"),
            ("optimizer.kind", "adam"),
        ]);
        let found = differences(&[&a, &b]);
        let said = |i: usize| {
            let words = found.iter().filter_map(|d| d.words[i].clone());
            words.collect::<Vec<String>>().join(", ")
        };
        let starts = ["blobs, 8 classes, ", "MNIST, classes 3, 8, "];
        for (i, start) in starts.into_iter().enumerate() {
            assert!(said(i).starts_with(start), "{}", said(i));
        }
        let [a, b] = [said(0), said(1)];
        assert!(
            !a.contains("pinned") && b.contains("weights of 0, 1 pinned"),
            "{a}; {b}"
        );
        for (said, words) in [(&a, "ArcFace"), (&a, "2-D"), (&b, "3-D"), (&b, "Adam")] {
            assert!(said.contains(words), "{said}");
        }
        for key in ["source", "kind", "default", "none"] {
            assert!(!a.contains(key) && !b.contains(key), "{a}; {b}");
        }
    }

    #[test]
    fn a_loss_without_a_parameter_has_no_value_of_it() {
        let a = of(&[("loss.id", "softmax")]);
        let b = of(&[
            ("loss.id", "normface"),
            ("loss.scale", "20"),
            ("run.seed", "7"),
        ]);
        let found = differences(&[&a, &b]);
        let keys: Vec<&str> = found.iter().map(|d| d.key.as_str()).collect();
        assert_eq!(keys, ["loss.id", "loss.scale", "run.seed"]);
        assert_eq!(found[1].values, [None, Some("20".to_owned())]);
    }

    #[test]
    fn a_way_leads_from_any_experiment_to_any_other_of_its_run() {
        let choices = [
            ("loss.id", ["softmax", "arcface", "cosface", "center"]),
            ("loss.margin", ["0.1", "0.3", "default", "0.2"]),
            ("loss.scale", ["9", "default", "20", "4"]),
            ("optimizer.kind", ["sgd", "adam", "default", "adam"]),
            ("optimizer.learning_rate", ["0.1", "default", "0.2", "0"]),
            ("optimizer.batch", ["64", "default", "1", "2"]),
            ("optimizer.warmup", ["0", "default", "300", "100"]),
            ("run.epochs", ["3", "default", "4", "5"]),
            ("run.steps", ["3", "4", "default", "5"]),
            ("hold.pinned", ["3", "default", "none", "3,8"]),
            ("view.kind", ["plane", "circle", "default", "circle"]),
        ];
        let mut state = 7_u64;
        let mut next = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize % n
        };
        let mut here = Experiment::default();
        for _ in 0..500 {
            let mut there = here.clone();
            for _ in 0..next(9) {
                let (key, values) = choices[next(choices.len())];
                let _ = there.set(key, values[next(4)]); // not every loss has a margin
            }
            let way = here.way_to(&there).expect("one run");
            assert_eq!(way.is_empty(), here.is_set_as(&there), "{way:?}");
            for (key, value) in &way {
                here.set(key, value).expect("a setting");
            }
            assert!(here.is_set_as(&there), "{way:?}");
            assert_eq!(here.to_toml(), there.to_toml());
        }
        let other = of(&[("network.dim", "3")]);
        assert_eq!(here.way_to(&other), None);
    }
}
