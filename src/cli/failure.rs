//! What a command can fail with, and its exit status.

use std::fmt;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// One line for stderr with its exit status.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong: exit status 2.
    Usage(String),
    /// Anything else: exit status 1.
    Other(anyhow::Error),
}

impl Failure {
    /// 2 for usage, 1 for the rest.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Other(_) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(&on_one_line(message)),
            Self::Other(error) => f.write_str(&on_one_line(&format!("{error:#}"))),
        }
    }
}

/// What is quoted from a file or an option may hold line breaks and codes that steer a terminal.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Help and version as text; any other fault of the parser as one line.
pub(super) fn from_clap(error: &clap::Error) -> Result<String, Failure> {
    let rendered = error.render().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return Ok(rendered);
    }
    let message = rendered
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("tip:"))
        .collect::<Vec<_>>()
        .join(" ");
    let message = reword(error, message.trim_start_matches("error: ").to_owned());
    Err(Failure::Usage(message + &hint(error)))
}

/// What to write instead.
fn hint(error: &clap::Error) -> String {
    let suggestion = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ]
    .into_iter()
    .find_map(|kind| error.get(kind));
    match suggestion {
        Some(ContextValue::String(text)) => format!("; did you mean {text}?"),
        Some(ContextValue::Strings(texts)) if !texts.is_empty() => {
            format!("; did you mean {}?", texts.join(" or "))
        }
        _ if error.kind() == ErrorKind::UnknownArgument => "; --help lists the options".to_owned(),
        _ => String::new(),
    }
}

/// The parser's own words where they say too little.
fn reword(error: &clap::Error, message: String) -> String {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && error.kind() == ErrorKind::ArgumentConflict
    {
        return format!(
            "unexpected '{word}': a command comes before everything else, and there is one FILE"
        );
    }
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.clone(),
        _ => return message,
    };
    match (error.kind(), error.get(ContextKind::InvalidValue)) {
        (ErrorKind::InvalidValue, Some(ContextValue::String(value))) if value.is_empty() => {
            format!("{argument} needs a value")
        }
        _ => message,
    }
}
