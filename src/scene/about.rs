//! What a figure is of, in a line: losses with their numbers, data, step.

use crate::loss::{LossSpec, Param, short};
use crate::scene::in_force::{rounded, unit_of};
use crate::scene::thousands;
use crate::trainer::Snapshot;

/// A number with which a loss was used.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    spec: &'static LossSpec,
    param: &'static Param,
    value: f64,
}

impl PartialEq for Used {
    fn eq(&self, other: &Self) -> bool {
        self.is_of_same(other) && self.value == other.value
    }
}

impl Used {
    /// Whether another one is of the same parameter of the same loss.
    fn is_of_same(&self, other: &Self) -> bool {
        self.spec.id == other.spec.id && self.symbol() == other.symbol()
    }

    /// Those of a loss; choices have words of their own.
    pub fn all(spec: &'static LossSpec, values: &[f64]) -> impl Iterator<Item = Self> {
        let numbers = spec.params.iter().zip(values);
        let numbers = numbers.filter(|(param, _)| param.choices.is_empty());
        numbers.map(move |(param, &value)| Self { spec, param, value })
    }

    /// The letter of the parameter.
    pub fn symbol(&self) -> &'static str {
        self.param.symbol
    }
}

/// Numbers with which losses were used, in words: `s = 16` where it is that of all, and else by loss,
/// `m = 0.5 rad (ArcFace), 0.35 (CosFace)`; from the least to the most where one loss had several.
/// `n_losses` counts those without numbers, too.
pub fn numbers_in_words(used: &[Used], n_losses: usize) -> Vec<String> {
    let mut symbols: Vec<&str> = Vec::new();
    for one in used {
        if !symbols.contains(&one.symbol()) {
            symbols.push(one.symbol());
        }
    }
    let words = symbols.into_iter().map(|symbol| {
        let of_symbol = used.iter().filter(|one| one.symbol() == symbol);
        number_in_words(symbol, &of_symbol.collect::<Vec<_>>(), n_losses)
    });
    words.collect()
}

/// One letter, of so many losses in all.
fn number_in_words(symbol: &str, used: &[&Used], n_losses: usize) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for one in used {
        let name = one.spec.name;
        if groups.iter().any(|(_, names)| names.contains(&name)) {
            continue;
        }
        let of_loss: Vec<&Used> = used.iter().copied().filter(|o| o.is_of_same(one)).collect();
        let range = range_in_words(&of_loss);
        match groups.iter_mut().find(|(words, _)| *words == range) {
            Some((_, names)) => names.push(name),
            None => groups.push((range, vec![name])),
        }
    }
    let is_of_all = groups.len() == 1 && groups[0].1.len() == n_losses;
    let parts = groups.into_iter().map(|(range, names)| {
        if is_of_all {
            range
        } else {
            format!("{range} ({})", names.join(", "))
        }
    });
    let parts: Vec<String> = parts.collect();
    format!("{symbol}\u{a0}=\u{a0}{}", parts.join(", "))
}

/// One number, or the least and the most of several, with the unit.
fn range_in_words(of: &[&Used]) -> String {
    let values = of.iter().map(|one| one.value);
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(f64::NEG_INFINITY, f64::max);
    let [least, most] = [least, most].map(|value| short(rounded(value)));
    let unit = unit_of(of[0].param);
    if least == most {
        format!("{most}{unit}")
    } else {
        format!("{least}–{most}{unit}")
    }
}

/// What a figure says of itself beside what it draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Whether no formula says which loss it is.
    pub loss: bool,
    /// Whether it is of one moment, and nothing else says of which.
    pub step: bool,
}

/// What all panels of a figure are of: `ArcFace, m = 0.3 rad, s = 16; MNIST; step 400.` What differs
/// between them stands over them, and is left out.
pub fn about(panels: &[&Snapshot], what: About) -> String {
    let Some(first) = panels.first() else {
        return String::new();
    };
    let mut parts = Vec::new();
    if what.loss {
        let words = losses_in_words(panels, first);
        parts.extend((!words.is_empty()).then(|| words.join(", ")));
    }
    if panels
        .iter()
        .all(|other| other.data.name == first.data.name)
    {
        parts.push(data_in_words(&first.data.name).to_owned());
    }
    let has_steps = what.step && !first.is_given();
    if has_steps && panels.iter().all(|other| other.step == first.step) {
        parts.push(format!("step {}", thousands(first.step)));
    }
    if parts.is_empty() {
        return String::new();
    }
    parts.join("; ") + "."
}

/// The loss, if all have the same, and the numbers that do not differ between panels of one loss.
fn losses_in_words(panels: &[&Snapshot], first: &Snapshot) -> Vec<String> {
    let is_one = panels
        .iter()
        .all(|other| other.head.spec == first.head.spec);
    let name = first.head.spec.name.to_owned();
    let mut words: Vec<String> = is_one.then_some(name).into_iter().collect();
    let mut used: Vec<Used> = Vec::new();
    for panel in panels {
        for one in Used::all(panel.head.spec.0, &panel.head.values) {
            if !used.contains(&one) {
                used.push(one);
            }
        }
    }
    let differs = |one: &&Used| used.iter().filter(|other| other.is_of_same(one)).count() > 1;
    let alike: Vec<Used> = used.iter().filter(|one| !differs(one)).copied().collect();
    let mut losses: Vec<&str> = panels.iter().map(|panel| panel.head.spec.id).collect();
    losses.sort_unstable();
    losses.dedup();
    words.extend(numbers_in_words(&alike, losses.len()));
    words
}

/// What readers call the data.
fn data_in_words(name: &str) -> &str {
    match name {
        "mnist" => "MNIST",
        "free" => "free embeddings",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::sample::{even_weights, snapshot};

    const ALL: About = About {
        loss: true,
        step: true,
    };

    #[test]
    fn a_figure_says_what_is_the_same_in_all_panels() {
        let weights = even_weights(3);
        let of = |id, step| {
            let mut snapshot = snapshot(id, 2, &weights, &[1.0, 0.0], &[0]);
            snapshot.step = step;
            snapshot
        };
        let mut a = of("arcface", 400);
        let mut b = of("arcface", 400);
        (a.head.values[0], b.head.values[0]) = (0.2, 0.5);
        (a.head.values[1], b.head.values[1]) = (16.0, 16.0);
        let name = a.data.name.clone();
        let name = data_in_words(&name);
        let alone =
            format!("ArcFace, m\u{a0}=\u{a0}0.2\u{a0}rad, s\u{a0}=\u{a0}16; {name}; step 400.");
        assert_eq!(about(&[&a], ALL), alone);
        let both = format!("ArcFace, s\u{a0}=\u{a0}16; {name}; step 400.");
        assert_eq!(about(&[&a, &b], ALL), both);
        b.step = 800;
        let no_step = format!("ArcFace, s\u{a0}=\u{a0}16; {name}.");
        assert_eq!(about(&[&a, &b], ALL), no_step);
        let none = About {
            loss: false,
            step: false,
        };
        assert_eq!(about(&[&a, &b], none), format!("{name}."));
        assert_eq!(about(&[], ALL), "");
    }

    #[test]
    fn numbers_of_several_losses_say_whose_they_are() {
        let spec = |id: &str| crate::loss::find(id).expect("a loss");
        let mut used: Vec<Used> = Used::all(spec("arcface"), &[0.3, 16.0]).collect();
        used.extend(Used::all(spec("cosface"), &[0.2, 16.0]));
        let words = numbers_in_words(&used, 2);
        let expected = [
            "m\u{a0}=\u{a0}0.3\u{a0}rad (ArcFace), 0.2 (CosFace)",
            "s\u{a0}=\u{a0}16",
        ];
        assert_eq!(words, expected);
        used.extend(Used::all(spec("center"), &[0.1, 0.5]));
        let words = numbers_in_words(&used, 4);
        assert!(
            words.iter().any(|w| w.ends_with("16 (ArcFace, CosFace)")),
            "{words:?}"
        );
        assert!(
            words.iter().any(|w| w.ends_with("0.1 (Centre loss)")),
            "{words:?}"
        );
        used.extend(Used::all(spec("cosface"), &[0.4, 16.0]));
        let words = numbers_in_words(&used, 4);
        assert!(words[0].ends_with("0.2–0.4 (CosFace)"), "{words:?}");
    }
}
