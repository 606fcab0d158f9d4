//! Values that a field takes in turn, as they are written in one line.

/// A line that lists no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
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
    /// A range of too many values.
    #[error("{found}: it has {n} values; there may be {most}")]
    TooLong {
        /// As it was written.
        found: String,
        /// How many it has.
        n: u64,
        /// How many are allowed.
        most: usize,
    },
}

/// Reads `0,0.2,0.5`, the range `0:0.5:0.1` (both ends, in steps), or a list of both, as
/// [`Experiment::set`](crate::experiment::Experiment::set) takes them.
///
/// Where a value itself holds commas, `;` separates: `mlp:64,64;cnn`. A network's sizes are understood
/// without, too: `mlp:64,64,cnn` are two networks.
///
/// # Errors
/// If a value is missing, or a range has no values or more than `most`.
pub fn listed(key: &str, list: &str, most: usize) -> Result<Vec<String>, ListError> {
    let mut values = Vec::new();
    for part in parts_of(key, list) {
        if part.is_empty() {
            return Err(ListError::Empty);
        }
        match range(&part, most)? {
            Some(numbers) => values.extend(numbers),
            None => values.push(part),
        }
    }
    Ok(values)
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

/// The numbers of a range, written shortly; `None` for what is none.
fn range(part: &str, most: usize) -> Result<Option<Vec<String>>, ListError> {
    let parts: Vec<&str> = part.split(':').map(str::trim).collect();
    if parts.len() < 2 || parts[0].parse::<f64>().is_err() {
        return Ok(None);
    }
    let numbers: Option<Vec<f64>> = parts.iter().map(|part| part.parse().ok()).collect();
    let Some([from, to, step]) = numbers.as_deref() else {
        return Err(ListError::Syntax {
            found: part.to_owned(),
        });
    };
    let n = n_steps(*from, *to, *step).map_err(|what| ListError::Range {
        found: part.to_owned(),
        what,
    })?;
    if n >= most as f64 {
        return Err(ListError::TooLong {
            found: part.to_owned(),
            n: (n + 1.0).min(1e18) as u64,
            most,
        });
    }
    Ok(Some(numbers_of(*from, *step, n as u32)))
}

/// Steps from `from` to `to`, which counts as reached when rounding alone keeps it away.
fn n_steps(from: f64, to: f64, step: f64) -> Result<f64, String> {
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
    Ok(((to - from) / step * (1.0 + ROUNDING) + ROUNDING).floor())
}

/// From, from + step, …
fn numbers_of(from: f64, step: f64, n_steps: u32) -> Vec<String> {
    let decimals = n_decimals(from).max(n_decimals(step));
    let number = |i: u32| {
        let text = format!("{:.decimals$}", from + f64::from(i) * step);
        shortened(&text)
    };
    (0..=n_steps).map(number).collect()
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
            let values = listed("loss.m3", &range, 1000).expect("a range");
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
