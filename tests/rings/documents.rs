//! The files that the documents for contributors name must exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

const DOCUMENTS: [&str; 2] = ["CONTRIBUTING.md", "src/router/README.md"];

/// The folders whose files a document may name without the whole path.
const FOLDERS: [&str; 2] = ["src", "tests"];

/// Paths of files that a run of the program or of a test makes.
const MADE: [&str; 2] = ["target/", "tests/fuzz/artifacts/"];

/// The paths in `code`: paths that contain a folder, and paths of Rust files.
fn paths(text: &str) -> BTreeSet<String> {
    let named = Regex::new(r"`([a-z_0-9./-]+(?:\.rs|/[a-z_0-9.-]*))`").unwrap();
    // Every second part of the text is outside of the code blocks.
    let prose: String = text.split("```").step_by(2).collect();
    named.captures_iter(&prose).map(|name| name[1].to_owned()).collect()
}

/// Whether `path` exists in `folder` or in a folder below it.
fn is_below(folder: &Path, path: &str) -> bool {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut folders = entries.filter(|entry| entry.is_dir());
    folder.join(path).exists() || folders.any(|folder| is_below(&folder, path))
}

/// The paths in a document for which no file or folder exists.
fn missing(root: &Path, text: &str) -> Vec<String> {
    let exists = |path: &String| {
        root.join(path).exists()
            || MADE.iter().any(|made| path.starts_with(made))
            || FOLDERS.iter().any(|folder| is_below(&root.join(folder), path))
    };
    paths(text).into_iter().filter(|path| !exists(path)).collect()
}

#[test]
fn every_file_that_the_documents_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in DOCUMENTS {
        let missing = missing(root, &fs::read_to_string(root.join(document)).unwrap());
        assert!(missing.is_empty(), "{document} names files that are not there: {missing:?}");
    }
}

#[test]
fn a_path_without_a_file_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = "See `io.rs`, `src/router/io.rs`, `kernel/losses.rs`, `gone.rs`, `map_server/`, `nowhere/x.rs` and \
                `Router::handle`.\n```\n`also_gone.rs`\n```\n";
    assert_eq!(missing(root, text), ["gone.rs", "nowhere/x.rs"]);
}
