//! The configurations of `tests/configs`. The comments in the head of each name the lines that a
//! router refuses or warns of, and the running configuration is read again as the same.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use eidway::console::{ProblemKind, Reading, read_config, running_config};

fn files() -> Vec<(PathBuf, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// The lines that the comments of a file name, each after its kind.
fn expected(text: &str) -> BTreeSet<String> {
    let comments = text.lines().filter_map(|line| line.strip_prefix("! "));
    let named = comments.filter_map(|comment| match comment.split_once(": ") {
        Some(("warning", named)) => Some(named.to_owned()),
        Some(("refused", line)) => Some(format!("refused {line}")),
        _ => None,
    });
    named.collect()
}

#[test]
fn each_configuration_loads_with_the_messages_that_its_comments_name() {
    let files = files();
    assert_eq!(files.len(), 20);
    let mut wrong = Vec::new();
    for (path, text) in &files {
        let report = read_config("file", text).report;
        let found: BTreeSet<String> = report
            .problems
            .iter()
            .map(|problem| {
                let kind = serde_json::to_string(&problem.kind).unwrap();
                format!("{} `{}`", kind.trim_matches('"'), problem.text.trim())
            })
            .collect();
        let expected = expected(text);
        let (less, more) = (expected.difference(&found), found.difference(&expected));
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        wrong.extend(less.map(|line| format!("{name}: missing: {line}")));
        wrong.extend(more.map(|line| format!("{name}: too much: {line}")));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn each_running_configuration_is_read_again_as_the_same_without_a_new_problem() {
    for (path, text) in files() {
        let config = read_config("file", &text).config;
        let printed = running_config(&config);
        let Reading { config: again, report } = read_config("printed", &printed);
        assert_eq!(again, config, "{}\n{printed}", path.display());
        assert_eq!(running_config(&again), printed);
        // The warning about the links without tags stays.
        let is_new = report.problems.iter().any(|problem| {
            problem.kind != ProblemKind::Contradiction && !problem.text.contains("dot1Q")
        });
        assert!(!is_new, "{}\n{report}\n{printed}", path.display());
    }
}
