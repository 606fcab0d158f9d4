//! What can be wrong with a setting, in messages that name the field and what would be right.

use std::fmt::Write as _;

use crate::loss::{Param, Unit, UnknownLoss, short};

/// A setting that cannot be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// No field has this key.
    #[error("unknown field \"{key}\"{hint}")]
    UnknownField {
        /// As it was written.
        key: String,
        /// `; did you mean …?` or the list of fields.
        hint: String,
    },
    /// The text is no value of the field's type.
    #[error("{key} = {found}: expected {expected}")]
    BadValue {
        /// Full key.
        key: String,
        /// As it was written.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// The value is a number, but not one the loss accepts.
    #[error("{message}")]
    OutOfRange {
        /// Full key.
        key: String,
        /// What is wrong, the range and why.
        message: String,
    },
    /// The loss has no such parameter.
    #[error("loss \"{loss}\" has no {option}; {has}")]
    NotAParameter {
        /// The loss.
        loss: &'static str,
        /// The parameter that was set.
        option: String,
        /// Those it has, and the losses that have this one.
        has: String,
    },
    /// No such loss.
    #[error(transparent)]
    UnknownLoss(#[from] UnknownLoss),
    /// Two fields that do not go together.
    #[error("{message}")]
    Conflict {
        /// Which, and a way out.
        message: String,
    },
}

impl ExperimentError {
    /// `loss.margin = 4.2 is outside 0..=3.142 rad for "arcface": why (hint)`.
    pub(super) fn out_of_range(loss: &str, param: &Param, found: f64) -> Self {
        let key = format!("loss.{}", param.id);
        let (low, high) = (short(*param.range.start()), short(*param.range.end()));
        let unit = if param.unit == Unit::None {
            String::new()
        } else {
            format!(" {}", param.unit.suffix())
        };
        let mut message = format!(
            "{key} = {found} is outside {low}..={high}{unit} for \"{loss}\": {}",
            param.why
        );
        if param.unit == Unit::Radians && found.is_finite() && found > *param.range.end() {
            // Writing to a String cannot fail.
            let _ = write!(message, " ({found}° is {} rad)", short(found.to_radians()));
        }
        Self::OutOfRange { key, message }
    }

    /// Whether it only says that the value does not suit the loss: where the loss itself is in
    /// doubt, this would name a consequence and not the cause.
    pub(super) fn depends_on_loss(&self) -> bool {
        matches!(
            self,
            Self::NotAParameter { .. } | Self::OutOfRange { .. } | Self::Conflict { .. }
        )
    }

    /// For a number with a fraction where only whole ones have a meaning.
    pub(super) fn not_whole(loss: &str, param: &Param, found: f64) -> Self {
        let key = format!("loss.{}", param.id);
        let message = format!(
            "{key} = {found} is not a whole number for \"{loss}\": {}",
            param.why
        );
        Self::OutOfRange { key, message }
    }
}
