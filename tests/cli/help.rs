//! The help, and that it keeps what it promises.

use super::*;

#[test]
fn help_and_version_go_to_stdout() {
    for args in [
        &["--help"][..],
        &["-h"],
        &["train", "--help"],
        &["sweep", "--help"],
        &["check", "--help"],
        &["bench", "--help"],
        &["losses", "--help"],
    ] {
        marginscope(args)
            .assert()
            .success()
            .stderr("")
            .stdout(predicate::str::contains("Usage: marginscope"));
    }
    marginscope(&["--version"])
        .assert()
        .success()
        .stdout(predicate::str::starts_with("marginscope 0."));
}

#[test]
fn the_examples_of_the_help_stand_in_columns_and_can_be_typed() {
    for args in [
        &["-h"][..],
        &["train", "-h"],
        &["sweep", "-h"],
        &["check", "-h"],
        &["losses", "-h"],
    ] {
        let help = help_of(args);
        let examples = help.split("Examples:\n").nth(1).expect("examples");
        let widest = help.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{args:?}: {widest:?} columns");
        let mut columns = Vec::new();
        for line in examples.lines() {
            let (command, why) = line.trim_start().split_once("  ").expect("two columns");
            columns.push(line.len() - why.trim_start().len());
            let words = command
                .split_whitespace()
                .filter(|word| *word != "lesson.toml");
            marginscope::cli::parse(words.map(Into::into)).expect(command);
        }
        assert!(columns.iter().all(|column| *column == columns[0]), "{help}");
    }
}

/// What `--set` takes can be looked up, with the choices that a field has.
#[test]
fn the_long_help_lists_every_field() {
    use marginscope::{data::DataSource, experiment::ViewKind, experiment::fields};
    for args in [&["--help"][..], &["train", "--help"], &["sweep", "--help"]] {
        let help = help_of(args);
        for field in fields() {
            assert!(help.contains(field.key), "{}", field.key);
        }
        for id in DataSource::ALL.iter().map(DataSource::id) {
            assert!(help.contains(id), "{id}");
        }
        for kind in ViewKind::ALL {
            assert!(help.contains(kind.id()), "{kind:?}");
        }
    }
}

#[test]
fn the_help_promises_nothing_that_is_not_there() {
    let help = help_of(&["train", "-h"]);
    assert!(
        !help.contains("go on with"),
        "sessions cannot be loaded: {help}"
    );
    for option in ["--epochs", "--steps"] {
        let text = help.split(option).nth(1).expect(option);
        let text = text.split("--").next().expect(option);
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(words.join(" ").contains("the window pauses"), "{text}");
    }
}

/// Every option of design section 6 that exists today; what others add is not in the way.
#[test]
fn the_help_of_train_lists_the_fixed_options() {
    let output = marginscope(&["train", "--help"]).output().expect("it runs");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    for option in [
        "--data",
        "--classes",
        "--network",
        "--dim",
        "--loss",
        "--margin",
        "--scale",
        "--lambda",
        "--epochs",
        "--steps",
        "--batch",
        "--learning-rate",
        "--seed",
        "--threads",
        "--set",
        "--save",
        "--metrics",
        "--features",
        "--json",
    ] {
        assert!(
            help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
            "{option}"
        );
    }
}
