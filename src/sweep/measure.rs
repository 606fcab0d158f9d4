//! What can be drawn of a sweep: the figures of a run, in words and with their units.

use crate::loss::instead;
use crate::scene::chart::Unit;

/// A figure of a run that can be drawn.
#[derive(Debug, PartialEq, Eq)]
pub struct Measure {
    /// Column of the table.
    pub name: &'static str,
    /// What an axis calls it.
    pub words: &'static str,
    /// How its numbers are written.
    pub unit: Unit,
}

const fn measure(name: &'static str, words: &'static str, unit: Unit) -> Measure {
    Measure { name, words, unit }
}

/// Every numeric figure of a run.
pub static MEASURES: &[Measure] = &[
    measure("test_accuracy", "Test accuracy", Unit::Share),
    measure("train_accuracy", "Training accuracy", Unit::Share),
    measure(
        "margin_satisfied",
        "Samples that keep the margin",
        Unit::Share,
    ),
    measure(
        "target_angle_deg",
        "Mean angle θ to the own class weight",
        Unit::Degrees,
    ),
    measure(
        "intra_class_angle_deg",
        "Mean angle to the own class mean",
        Unit::Degrees,
    ),
    measure(
        "min_weight_angle_deg",
        "Least angle between class weights",
        Unit::Degrees,
    ),
    measure(
        "min_class_mean_angle_deg",
        "Least angle between class means",
        Unit::Degrees,
    ),
    measure("mean_feature_norm", "Mean feature length ‖x‖", Unit::None),
    measure("final_loss", "Loss of the last batch", Unit::None),
    measure("seconds", "Training time (s)", Unit::None),
    measure(
        "samples_per_second",
        "Training samples per second",
        Unit::None,
    ),
    measure("steps", "Steps", Unit::None),
    measure("epochs", "Epochs", Unit::None),
    measure("classes", "Classes", Unit::None),
    measure("dim", "Embedding dimension d", Unit::None),
    measure("threads", "Training threads", Unit::None),
];

impl Measure {
    /// The measure of this name.
    ///
    /// # Errors
    /// What there is instead.
    pub fn find(name: &str) -> Result<&'static Self, String> {
        if let Some(found) = MEASURES.iter().find(|measure| measure.name == name) {
            return Ok(found);
        }
        let names = MEASURES.iter().map(|measure| measure.name);
        let hint = instead(name, names);
        Err(format!("there is no figure \"{name}\"; {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::Report;

    /// What is no number, or always the seed.
    const OTHERS: [&str; 8] = [
        "loss",
        "parameters",
        "data",
        "network",
        "seed",
        "diverged",
        "parameters_sha256",
        "parameters_in_force",
    ];

    #[test]
    fn every_number_of_a_report_can_be_drawn() {
        let names = MEASURES.iter().map(|measure| measure.name);
        let mut all: Vec<&str> = names.chain(OTHERS).collect();
        all.sort_unstable();
        let mut fields = Report::FIELDS;
        fields.sort_unstable();
        assert_eq!(all, fields);
    }

    #[test]
    fn a_name_that_is_none_gets_a_suggestion() {
        let check = |name: &str, expected: &str| {
            let message = Measure::find(name).expect_err(name);
            assert!(message.contains(expected), "{message}");
        };
        check("test_acuracy", "did you mean \"test_accuracy\"?");
        check("zebra", "there are test_accuracy, train_accuracy, ");
    }
}
