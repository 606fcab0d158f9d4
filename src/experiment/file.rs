//! Experiments as TOML files that people write by hand: every fault with its line, all at once.

use std::fmt::Write as _;

use toml_edit::{Array, Document, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::data::ClassChoice;
use crate::experiment::schema::sections;
use crate::experiment::{Change, Experiment, ExperimentError, is_live};
use crate::loss::nearest;

/// Everything that is wrong with a file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", .faults.join("\n"))]
pub struct FileError {
    /// One line each: `file:line: what is wrong`.
    pub faults: Vec<String>,
}

impl Experiment {
    /// Reads an experiment; `name` is the file's name for messages.
    ///
    /// Own data are not read, so that what depends on them is left to [`Experiment::validate`]
    /// after [`DataSpec::read`](crate::data::DataSpec::read); their paths are as they are written.
    ///
    /// # Errors
    /// All faults of the file, each with its line.
    pub fn from_toml(text: &str, name: &str) -> Result<Self, FileError> {
        Self::from_toml_beside(text, name, &[])
    }

    /// The same from a file that has sections for others, too.
    ///
    /// # Errors
    /// All faults of the experiment, each with its line.
    pub fn from_toml_beside(text: &str, name: &str, others: &[&str]) -> Result<Self, FileError> {
        let document = Document::parse(text).map_err(|error| FileError {
            faults: vec![syntax_fault(text, name, &error)],
        })?;
        let mut reader = Reader {
            text,
            name,
            faults: Vec::new(),
            others,
            experiment: Self::default(),
            is_loss_known: true,
        };
        reader.read(document.as_table());
        let changes = document.get("run").and_then(|run| run.get("changes"));
        if let Some(changes) = changes {
            reader.read_changes(changes);
        }
        if reader.faults.is_empty()
            && let Err(error) = check(&reader.experiment)
        {
            reader.faults.push(format!("{name}: {error}"));
        }
        let Reader {
            faults, experiment, ..
        } = reader;
        if faults.is_empty() {
            Ok(experiment)
        } else {
            Err(FileError { faults })
        }
    }

    /// The experiment as a TOML file.
    pub fn to_toml(&self) -> String {
        let mut document = DocumentMut::new();
        self.write_into(&mut document);
        document.to_string()
    }

    /// Writes this experiment into the text of an existing file; comments and order survive.
    ///
    /// # Errors
    /// If `text` is no TOML.
    pub fn update_toml(&self, text: &str, name: &str) -> Result<String, FileError> {
        let mut document: DocumentMut = text.parse().map_err(|error| FileError {
            faults: vec![syntax_fault(text, name, &error)],
        })?;
        let settings = self.settings();
        let keeps = |full: &str| match full {
            "run.changes" => !self.run.changes.is_empty(),
            _ => settings.iter().any(|(key, _)| key == full),
        };
        for (section, item) in document.iter_mut() {
            let Some(table) = item.as_table_like_mut() else {
                continue;
            };
            let gone: Vec<String> = table
                .iter()
                .map(|(key, _)| key.to_owned())
                .filter(|key| !keeps(&format!("{}.{key}", section.get())))
                .collect();
            for key in gone {
                table.remove(&key);
            }
        }
        self.write_into(&mut document);
        Ok(document.to_string())
    }

    fn write_into(&self, document: &mut DocumentMut) {
        for (key, value) in self.settings() {
            let (section, field) = key.split_once('.').unwrap_or(("run", &key));
            let table = document
                .entry(section)
                .or_insert_with(|| Item::Table(Table::new()));
            if let Some(table) = table.as_table_like_mut() {
                set_keeping_comments(table, field, typed(&key, &value));
            }
        }
        if self.run.changes.is_empty() {
            return;
        }
        let changes: Array = self.run.changes.iter().map(change_table).collect();
        if let Some(run) = document.get_mut("run").and_then(Item::as_table_like_mut) {
            run.insert("changes", Item::Value(Value::Array(changes)));
        }
    }
}

/// Replaces a value but keeps the comments before and behind it.
fn set_keeping_comments(table: &mut dyn TableLike, field: &str, mut value: Value) {
    match table.get_mut(field) {
        Some(item) => {
            if let Some(old) = item.as_value() {
                *value.decor_mut() = old.decor().clone();
            }
            *item = Item::Value(value); // `insert` would drop what stands above the key
        }
        None => {
            table.insert(field, Item::Value(value));
        }
    }
}

/// What can be checked between fields before own data are read.
fn check(experiment: &Experiment) -> Result<(), ExperimentError> {
    if experiment.data.awaits_reading() {
        return Ok(());
    }
    experiment.validate()
}

fn change_table(change: &Change) -> InlineTable {
    let mut table = InlineTable::new();
    table.insert("step", Value::from(change.step as i64));
    table.insert("key", Value::from(change.key.as_str()));
    table.insert("value", typed(&change.key, &change.value));
    table
}

/// Beyond it floats have no fractions.
const LARGEST_WHOLE: f64 = 9e15;

/// A setting's text as the TOML type it reads best as: number, list of classes, or string.
fn typed(key: &str, text: &str) -> Value {
    if key == "data.classes"
        && let Ok(choice) = text.parse::<ClassChoice>()
        && let Some(list) = choice.listed()
    {
        let value = |class: String| match class.parse::<i64>() {
            Ok(number) if number.to_string() == class => Value::from(number),
            _ => Value::from(class),
        };
        return Value::Array(list.into_iter().map(value).collect());
    }
    let texts = ["label", "labels", "source", "features", "weights", "bias"];
    if key
        .strip_prefix("data.")
        .is_some_and(|key| texts.contains(&key))
    {
        return Value::from(text); // a column called 007 is no number
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Value::from(whole);
    }
    match text.parse::<f64>() {
        // As it will be read back: a file that is read and written again must not change.
        Ok(number) if number.fract() == 0.0 && number.abs() < LARGEST_WHOLE => {
            Value::from(number as i64)
        }
        Ok(number) if number.is_finite() => Value::from(number),
        _ => Value::from(text),
    }
}

fn syntax_fault(text: &str, name: &str, error: &toml_edit::TomlError) -> String {
    let line = error.span().map_or(1, |span| line_at(text, span.start));
    let message = error.message().lines().collect::<Vec<_>>().join("; ");
    format!("{name}:{line}: {message}")
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|&byte| byte == b'\n')
        .count()
        + 1
}

struct Reader<'a> {
    text: &'a str,
    name: &'a str,
    faults: Vec<String>,
    /// Sections that are no part of an experiment, and are read by others.
    others: &'a [&'a str],
    experiment: Experiment,
    /// False once a loss was asked for that does not exist: what was meant for it is not told.
    is_loss_known: bool,
}

impl Reader<'_> {
    fn read(&mut self, root: &Table) {
        // The loss first: which parameters exist depends on it, wherever it stands in the file.
        if let Some(id) = root.get("loss").and_then(|loss| loss.get("id")) {
            let n_faults = self.faults.len();
            self.set("loss.id", id);
            self.is_loss_known = self.faults.len() == n_faults;
        }
        let others = self.others;
        for (section, item) in root.iter().filter(|(name, _)| !others.contains(name)) {
            let Some(table) = self.section(section, item) else {
                continue;
            };
            for (key, item) in table.iter() {
                match (section, key) {
                    // The loss is set already; changes are checked against all the rest.
                    ("loss", "id") | ("run", "changes") => {}
                    _ => self.set(&format!("{section}.{key}"), item),
                }
            }
        }
        self.check_one_of(root, "run", ["epochs", "steps"], "a run has one length");
        let why = "either data are trained on, or features are looked at";
        self.check_one_of(root, "data", ["source", "features"], why);
    }

    /// A fault where both of two fields are set that mean one thing.
    fn check_one_of(&mut self, root: &Table, section: &str, [a, b]: [&str; 2], why: &str) {
        if let Some(table) = root.get(section)
            && let (Some(_), Some(second)) = (table.get(a), table.get(b))
        {
            self.fault(
                second,
                &format!("{section}.{b}: {section}.{a} is set, too; {why}"),
            );
        }
    }

    /// The fields of a section; `None` and a fault where this is none.
    fn section<'a>(&mut self, name: &str, item: &'a Item) -> Option<&'a dyn TableLike> {
        let sections = [sections(), self.others.to_vec()].concat();
        let is_known = sections.contains(&name);
        let fault = match item.as_table_like() {
            Some(table) if is_known => return Some(table),
            Some(_) => match nearest(name, sections.iter().copied()) {
                Some(near) => format!("unknown section \"{name}\"; did you mean \"{near}\"?"),
                None => format!(
                    "unknown section \"{name}\"; there are {}",
                    sections.join(", ")
                ),
            },
            None if is_known => {
                format!("\"{name}\" is a section; write [{name}] and its fields below")
            }
            None => format!(
                "\"{name}\" stands outside a section; sections are {}",
                sections.join(", ")
            ),
        };
        self.fault(item, &fault);
        None
    }

    fn set(&mut self, key: &str, item: &Item) {
        let Some(text) = item.as_value().and_then(plain_text) else {
            self.fault(
                item,
                &format!("{key}: expected a number, a text or a list of them"),
            );
            return;
        };
        match self.experiment.set(key, &text) {
            Err(error) if self.is_loss_known || !error.depends_on_loss() => {
                self.fault(item, &error.to_string());
            }
            _ => {}
        }
    }

    fn read_changes(&mut self, item: &Item) {
        let Some(changes) = item.as_array() else {
            self.fault(item, "run.changes: expected a list of { step, key, value }");
            return;
        };
        let mut spans = Vec::new();
        for change in changes {
            match read_change(change) {
                Some(read) => {
                    self.experiment.run.changes.push(read);
                    spans.push(change.span());
                }
                None => self.fault_at(
                    change.span(),
                    "run.changes: expected { step = 800, key = \"loss.margin\", value = 0.5 }",
                ),
            }
        }
        self.check_changes(spans);
    }

    /// Makes the changes in the order of their steps, so that each is checked against the loss that
    /// is in force then; after one to an unknown loss nothing is said of what was meant for that.
    fn check_changes(&mut self, spans: Vec<Option<std::ops::Range<usize>>>) {
        let mut state = self.experiment.clone();
        let changes = std::mem::take(&mut state.run.changes);
        let mut is_loss_known = self.is_loss_known;
        let mut in_order: Vec<_> = changes.iter().zip(spans).collect();
        in_order.sort_by_key(|(change, _)| change.step);
        for (change, span) in in_order {
            let result = state
                .set(&change.key, &change.value)
                .and_then(|key| check(&state).map(|()| key));
            let fault = match result {
                Ok(key) if is_live(&key) => {
                    is_loss_known |= key == "loss.id";
                    continue;
                }
                Ok(key) => format!("{key} starts a new run and cannot change during one"),
                Err(error) if !is_loss_known && error.depends_on_loss() => continue,
                Err(error) => {
                    is_loss_known &= !matches!(error, ExperimentError::UnknownLoss(_));
                    error.to_string()
                }
            };
            self.fault_at(span, &format!("run.changes: step {}: {fault}", change.step));
        }
    }

    fn fault(&mut self, item: &Item, message: &str) {
        self.fault_at(item.span(), message);
    }

    fn fault_at(&mut self, span: Option<std::ops::Range<usize>>, message: &str) {
        let mut fault = self.name.to_owned();
        if let Some(span) = span {
            let _ = write!(fault, ":{}", line_at(self.text, span.start)); // writing to a String cannot fail
        }
        self.faults.push(format!("{fault}: {message}"));
    }
}

fn read_change(value: &Value) -> Option<Change> {
    let table = value.as_inline_table()?;
    Some(Change {
        step: u64::try_from(table.get("step")?.as_integer()?).ok()?,
        key: table.get("key")?.as_str()?.to_owned(),
        value: plain_text(table.get("value")?)?,
    })
}

/// A TOML value as [`Experiment::set`] takes it.
fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(whole) => Some(whole.value().to_string()),
        Value::Float(number) => Some(number.value().to_string()),
        Value::Array(list) => {
            let part = |item: &Value| match item {
                Value::Integer(whole) => Some(whole.value().to_string()),
                Value::String(text) => Some(text.value().clone()),
                _ => None,
            };
            let parts: Option<Vec<String>> = list.iter().map(part).collect();
            parts.map(|parts| ClassChoice::of_list(parts).to_string())
        }
        _ => None,
    }
}

impl From<FileError> for ExperimentError {
    fn from(error: FileError) -> Self {
        Self::Conflict {
            message: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_fault(text: &str, expected: &str) {
        let error = Experiment::from_toml(text, "lesson.toml").expect_err("a fault");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_file_reads_back_what_was_written() {
        let mut experiment = Experiment::default();
        for (key, value) in [
            ("loss.id", "arcface"),
            ("margin", "0.5"),
            ("data.classes", "3,8"),
            ("dim", "3"),
            ("beyond_pi", "easy"),
        ] {
            experiment.set(key, value).expect(key);
        }
        experiment.run.changes.push(Change {
            step: 800,
            key: "loss.margin".into(),
            value: "0.7".into(),
        });
        let text = experiment.to_toml();
        assert_eq!(Experiment::from_toml(&text, "x"), Ok(experiment), "{text}");
    }

    #[test]
    fn a_margin_in_degrees_is_recognized() {
        check_fault(
            "[loss]\nmargin = 4.2\nid = \"arcface\"\n",
            "lesson.toml:2: loss.margin = 4.2 is outside 0..=3.1416 rad for \"arcface\": an angle between two directions is at most π (4.2° is 0.0733 rad)",
        );
    }

    #[test]
    fn a_misspelled_key_gets_a_suggestion_and_all_faults_are_told() {
        check_fault(
            "[loss]\nid = \"cosface\"\nmargn = 0.2\n[network]\ndim = 0\n",
            "lesson.toml:3: unknown field \"loss.margn\"; did you mean \"loss.margin\"?\nlesson.toml:5: network.dim = 0: expected a whole number in 1..=512",
        );
    }

    #[test]
    fn comments_survive_an_update() {
        let text = "# a lecture\n[loss]\nid = \"arcface\" # the last one\nmargin = 0.3 # rad\n";
        let mut experiment = Experiment::from_toml(text, "x").expect("valid");
        experiment.set("margin", "0.4").expect("in range");
        let updated = experiment.update_toml(text, "x").expect("valid");
        assert!(
            updated.contains("# a lecture") && updated.contains("margin = 0.4 # rad"),
            "{updated}"
        );
    }

    #[track_caller]
    fn check_update(text: &str, set: &[(&str, &str)], expected: &[&str]) {
        let mut experiment = Experiment::from_toml(text, "x").expect("valid");
        experiment.run.changes.clear();
        for (key, value) in set {
            experiment.set(key, value).expect(key);
        }
        let updated = experiment.update_toml(text, "x").expect("valid");
        for part in expected {
            assert!(updated.contains(part), "{part:?} is missing in\n{updated}");
        }
        assert_eq!(
            Experiment::from_toml(&updated, "x"),
            Ok(experiment),
            "{updated}"
        );
    }

    #[test]
    fn comments_above_a_key_survive_an_update() {
        check_update(
            "[loss]\nid = \"arcface\"\n# half of the ceiling\nmargin = 0.3\n",
            &[("margin", "0.4")],
            &["# half of the ceiling\nmargin = 0.4"],
        );
    }

    #[test]
    fn changes_of_another_run_do_not_survive_an_update() {
        check_update(
            "[run]\nchanges = [{ step = 8, key = \"batch\", value = 9 }]\n",
            &[],
            &[],
        );
    }

    #[test]
    fn sections_on_one_line_are_updated() {
        check_update(
            "data = { source = \"blobs\", classes = 4 }\nrun = { seed = 3 }\n",
            &[("classes", "5"), ("seed", "4")],
            &[],
        );
    }

    #[test]
    fn a_change_is_checked_against_the_loss_of_its_step() {
        let text = "[run]\nchanges = [\n{ step = 9, key = \"margin\", value = 0.2 },\n{ step = 5, key = \"loss.id\", value = \"cosface\" },\n]\n";
        assert!(Experiment::from_toml(text, "x").is_ok());
        check_fault(
            "[run]\nchanges = [\n{ step = 3, key = \"margin\", value = 0.2 },\n{ step = 5, key = \"loss.id\", value = \"cosface\" },\n]\n",
            "lesson.toml:3: run.changes: step 3: loss \"softmax\" has no margin; it has no parameters; margin belongs to l_softmax, sphereface, cosface, arcface",
        );
    }
}
