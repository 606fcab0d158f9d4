//! Reading own data for a command: a bar on stderr while it lasts.

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{Failure, progress_target};
use crate::data::DataError;
use crate::experiment::Experiment;

/// What was found out about own data, a line each on stderr, for commands whose picture does not say
/// it: which column was taken for the label, what was left out, and of features whose weights are whose.
pub(super) fn tell_findings(experiment: &Experiment) {
    let mut findings = experiment
        .data
        .own()
        .map_or(&[][..], |own| own.findings())
        .to_vec();
    findings.extend(
        experiment
            .data
            .given()
            .and_then(|given| given.owners_of_weights()),
    );
    if !findings.is_empty() {
        let name = experiment.data.source.id();
        super::tell(&format!("{name}: {}", findings.join("; ")));
    }
}

/// Reads the files of an experiment on own data; does nothing for other data.
///
/// Ctrl-C ends the program here as anywhere before training: nothing is written yet.
pub(super) fn read(experiment: &mut Experiment) -> Result<(), Failure> {
    if !experiment.data.awaits_reading() {
        return Ok(());
    }
    let bar = reading_bar(experiment.data.source.id());
    let result = experiment.data.read(&mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        true
    });
    bar.finish_and_clear();
    result.map_err(|error| match error {
        DataError::Read(error) if error.is_usage() => Failure::Usage(error.to_string()),
        error => anyhow::Error::new(error).into(),
    })
}

fn reading_bar(name: &str) -> ProgressBar {
    const STYLE: &str = "reading {msg}  {bar:24} {bytes}/{total_bytes}, {eta} left";
    let bar = ProgressBar::with_draw_target(None, progress_target());
    let bar = match ProgressStyle::with_template(STYLE) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    };
    bar.with_message(name.to_owned())
}
