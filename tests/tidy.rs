//! Order in the source: who may use whom, what must stand at the top of a file, what must not be
//! left in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use marginscope::loss::LOSSES;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// All Rust files below a folder of the repository, sorted.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// A line without its comment. A `//` in a text ends it too, which hides no dependency.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// Calls `visit(place, code)` for each line of a file, `place` being `src/x.rs:12`.
fn for_each_code_line(file: &Path, visit: &mut impl FnMut(&str, &str)) {
    let name = file
        .strip_prefix(root())
        .unwrap_or(file)
        .display()
        .to_string();
    for (i, line) in read(file).lines().enumerate() {
        visit(&format!("{name}:{}", i + 1), code(line));
    }
}

#[track_caller]
fn assert_none(faults: &[String], what: &str) {
    let mut message = String::new();
    for fault in faults {
        let _ = write!(message, "\n  {fault}"); // writing to a String cannot fail
    }
    assert!(faults.is_empty(), "{what}:{message}");
}

/// Module and what it may use, from the rows of `ARCHITECTURE.md` that begin with a backquoted name.
fn dependency_table(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| {
        let mut cells = row.trim_matches('|').split('|');
        let module = names(cells.next()?).pop_first()?;
        Some((module, names(cells.next()?)))
    })
    .collect()
}

/// What is wrong with a file of `module`, by the table.
fn dependency_faults(
    module: &str,
    at: &str,
    code: &str,
    table: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let mut faults = Vec::new();
    if code.contains("use crate::{") {
        faults.push(format!("{at}: write one `use crate::module::…` per module"));
    }
    for path in code.split("crate::").skip(1) {
        let used: String = path
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let is_allowed = used == module || table[module].contains(&used);
        if table.contains_key(&used) && !is_allowed {
            faults.push(format!("{at}: `{module}` may not use `{used}`"));
        }
    }
    faults
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let table = dependency_table(&read(&root().join("ARCHITECTURE.md")));
    assert!(
        table.len() >= 10,
        "the table of ARCHITECTURE.md was not found"
    );
    let mut faults = Vec::new();
    for module in table.keys() {
        let files = rust_files(&format!("src/{module}"));
        assert!(
            !files.is_empty(),
            "ARCHITECTURE.md names `{module}`, which is not there"
        );
        for file in files {
            for_each_code_line(&file, &mut |at, code| {
                faults.extend(dependency_faults(module, at, code, &table));
            });
        }
    }
    assert_none(&faults, "ARCHITECTURE.md says otherwise");
}

#[test]
fn every_module_stands_in_the_table() {
    let table = dependency_table(&read(&root().join("ARCHITECTURE.md")));
    let lib = read(&root().join("src/lib.rs"));
    let modules = lib.lines().filter_map(|line| {
        let name = line.strip_prefix("pub mod ")?;
        name.strip_suffix(';')
    });
    for module in modules {
        assert!(
            table.contains_key(module),
            "ARCHITECTURE.md has no row for `{module}`"
        );
    }
}

/// The test above can fail: this is a line that it must refuse.
#[test]
fn a_forbidden_dependency_is_found() {
    let table = dependency_table("| `loss` | `geometry` |\n| `geometry` | |\n| `app` | `loss` |\n");
    let faults = |code: &str| dependency_faults("loss", "x.rs:1", code, &table);
    assert_eq!(
        faults("use crate::geometry::angle; use crate::loss::spec;"),
        [""; 0]
    );
    assert_eq!(
        faults("    crate::app::run();"),
        ["x.rs:1: `loss` may not use `app`"]
    );
    assert_eq!(faults("use crate::{geometry, loss};").len(), 1);
}

#[test]
fn only_the_window_knows_egui() {
    let mut faults = Vec::new();
    for file in rust_files("src") {
        let is_window = file.starts_with(root().join("src/app")) || file.ends_with("src/main.rs");
        for_each_code_line(&file, &mut |at, code| {
            if !is_window && (code.contains("egui") || code.contains("eframe")) {
                faults.push(at.to_owned());
            }
        });
    }
    assert_none(&faults, "egui outside src/app and src/main.rs");
}

#[test]
fn every_file_begins_with_what_it_owns() {
    let files = ["src", "tests", "benches"].into_iter().flat_map(rust_files);
    let faults: Vec<String> = files
        .filter(|file| !read(file).starts_with("//! "))
        .map(|file| file.display().to_string())
        .collect();
    assert_none(&faults, "the first line is no //!");
}

#[test]
fn nothing_is_left_to_be_done() {
    let marks = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let mut faults = Vec::new();
    for file in ["src", "benches"].into_iter().flat_map(rust_files) {
        for_each_code_line(&file, &mut |at, code| {
            faults.extend(
                marks
                    .iter()
                    .filter(|mark| code.contains(mark.as_str()))
                    .map(|mark| format!("{at}: {mark}…)")),
            );
        });
    }
    assert_none(&faults, "unfinished");
}

#[test]
fn no_line_ends_with_a_blank() {
    let mut faults = Vec::new();
    for file in ["src", "tests", "benches"].into_iter().flat_map(rust_files) {
        for (i, line) in read(&file).lines().enumerate() {
            if line.ends_with([' ', '\t']) {
                faults.push(format!("{}:{}", file.display(), i + 1));
            }
        }
    }
    assert_none(&faults, "trailing blanks");
}

/// Documents that exist name every loss; they come later than some tests.
#[test]
fn the_documents_name_every_loss() {
    for name in ["README.md", "CHANGELOG.md"] {
        let path = root().join(name);
        if path.exists() {
            let text = read(&path);
            let missing: Vec<String> = LOSSES
                .iter()
                .filter(|spec| !text.contains(spec.id))
                .map(|spec| spec.id.to_owned())
                .collect();
            assert_none(&missing, &format!("{name} does not name"));
        }
    }
}

/// Whether `code` compares something with the id: `== "id"`, `"id" =>`, `"id" |`.
///
/// Naming one is right (a default, an example, a message); deciding by one belongs into the registry.
fn compares_with(code: &str, id: &str) -> bool {
    let literal = format!("\"{id}\"");
    let mut rest = code;
    let mut before = String::new();
    while let Some((head, tail)) = rest.split_once(&literal) {
        before.push_str(head);
        let (left, right) = (before.trim_end(), tail.trim_start());
        let is_compared = ["==", "!=", "|"].iter().any(|op| left.ends_with(op))
            || ["==", "!=", "=>", "|"]
                .iter()
                .any(|op| right.starts_with(op));
        if is_compared {
            return true;
        }
        before.push_str(&literal);
        rest = tail;
    }
    false
}

#[test]
fn no_loss_is_told_apart_by_its_id_outside_the_registry() {
    let mut faults = Vec::new();
    for file in rust_files("src") {
        if file.starts_with(root().join("src/loss")) {
            continue;
        }
        let mut is_test = false;
        for_each_code_line(&file, &mut |at, code| {
            is_test |= code.contains("#[cfg(test)]"); // tests stand at the bottom
            let ids = LOSSES.iter().map(|spec| spec.id);
            if !is_test && ids.into_iter().any(|id| compares_with(code, id)) {
                faults.push(format!("{at}: {}", code.trim()));
            }
        });
    }
    assert_none(
        &faults,
        "ask the registry (Form, Param, Course) instead of comparing ids",
    );
}

#[test]
fn comparisons_with_an_id_are_found() {
    for code in [
        r#"if spec.id == "arcface" {"#,
        r#"if "arcface" != id {"#,
        r#"    "arcface" => margin,"#,
        r#"    "arcface" | "cosface" => margin,"#,
        r#"matches!(id, "cosface" | "arcface")"#,
    ] {
        assert!(compares_with(code, "arcface"), "{code}");
    }
    for code in [
        r#"loss::find("arcface")"#,
        r#"("loss.id", "arcface"),"#,
        r#"if id == "softmax" { "arcface" }"#,
    ] {
        assert!(!compares_with(code, "arcface"), "{code}");
    }
}

#[test]
fn the_map_of_the_architecture_stays_short() {
    let n_lines = read(&root().join("ARCHITECTURE.md")).lines().count();
    assert!(
        n_lines < 150,
        "ARCHITECTURE.md has {n_lines} lines; it is read only if it is short"
    );
}
