//! Runs the code of each fuzz target on the files of its corpus, without cargo-fuzz. So an input
//! that once caused a failure is tested each time. See `CONTRIBUTING.md`, Fuzzing.

#[path = "fuzz/src/lib.rs"]
mod fuzz;

use std::path::Path;

/// The maximum size of all corpora together, in octets. The limit exists because the corpora are
/// committed.
const MOST_OCTETS: usize = 1_000_000;

fn directory() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

/// The inputs of a fuzz target, sorted by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = directory().join("corpus").join(target);
    let files = std::fs::read_dir(&directory).expect("each target has a corpus");
    let mut inputs: Vec<_> = files
        .map(|file| {
            let path = file.expect("a file of the corpus").path();
            let input = std::fs::read(&path).expect("a readable file");
            (path.display().to_string(), input)
        })
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn every_input_of_the_corpora_passes() {
    let mut octets = 0;
    let mut findings = Vec::new();
    for (target, body) in fuzz::TARGETS {
        let inputs = corpus(target);
        assert!(!inputs.is_empty(), "the corpus of {target} is empty");
        for (path, input) in inputs {
            octets += input.len();
            if std::panic::catch_unwind(|| body(&input)).is_err() {
                findings.push(path);
            }
        }
    }
    assert!(findings.is_empty(), "findings: {findings:#?}");
    assert!(octets <= MOST_OCTETS, "the corpora have {octets} octets: minimise them");
}

#[test]
fn every_target_has_a_program_for_cargo_fuzz() {
    let programs = std::fs::read_dir(directory().join("fuzz_targets")).expect("the programs");
    let mut programs: Vec<String> = programs
        .map(|file| file.expect("a file").path().file_stem().expect("a name").display().to_string())
        .collect();
    programs.sort();
    let mut targets = fuzz::TARGETS.map(|(target, _)| target);
    targets.sort_unstable();
    assert_eq!(programs, targets);
}
