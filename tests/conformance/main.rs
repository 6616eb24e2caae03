//! Conformance tests. Each script in `9300` and `9301` shows a requirement of RFC 9300 or RFC 9301.
//! It plays against a `Router` on virtual time, and it is a test with the name of the script.
//! README.md explains how to write a script. `requirements.toml` lists the requirements of the
//! RFCs. COVERAGE.md is generated from the scripts and the requirements.
//!
//! `cargo test --test conformance PART` plays the scripts whose names contain PART.

mod bench;
mod coverage;
mod message;
mod packet;
mod phrase;
mod play;
mod script;
mod typos;
mod words;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use coverage::Coverage;
use script::Script;

/// The directories of scripts, one for each RFC.
const DIRECTORIES: [&str; 2] = ["9300", "9301"];

/// A test: its name, and its function.
type Test<'a> = (String, Box<dyn Fn() -> Result<(), String> + 'a>);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let (scripts, faults) = read_scripts(&directory);
    if arguments.iter().any(|argument| argument == "--write-coverage") {
        let written = Coverage::of(&directory, &scripts).and_then(|all| all.write(&directory));
        return match written {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        };
    }
    let wanted = |name: &str| {
        let mut parts = arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
        parts.peek().is_none() || parts.any(|part| name.contains(part.as_str()))
    };
    let mut tests = tests(&directory, &scripts, &faults);
    tests.retain(|(name, _)| wanted(name));
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let quiet = arguments.iter().any(|argument| argument == "-q" || argument == "--quiet");
    run(&tests, quiet)
}

/// The scripts, sorted by name, and an error for each file that cannot be read as a script.
fn read_scripts(directory: &Path) -> (Vec<Script>, Vec<String>) {
    let mut files: Vec<PathBuf> = Vec::new();
    for part in DIRECTORIES {
        let entries = fs::read_dir(directory.join(part)).expect("the repository has it");
        let paths = entries.map(|entry| entry.expect("it can be read").path());
        files.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "conform")));
    }
    files.sort();
    let (mut scripts, mut faults) = (Vec::new(), Vec::new());
    for file in &files {
        let text = fs::read_to_string(file).expect("it can be read");
        match Script::parse(file, &text) {
            Ok(script) => scripts.push(script),
            Err(fault) => faults.push(fault),
        }
    }
    (scripts, faults)
}

fn tests<'a>(directory: &'a Path, scripts: &'a [Script], faults: &'a [String]) -> Vec<Test<'a>> {
    let routers = directory.join("routers");
    let mut tests: Vec<Test<'a>> = Vec::new();
    for script in scripts {
        let routers = routers.clone();
        tests.push((script.name.clone(), Box::new(move || play::play(script, &routers))));
    }
    let readable = move || match faults {
        [] => Ok(()),
        faults => Err(faults.join("\n")),
    };
    let coverage =
        move || Coverage::of(directory, scripts).and_then(|coverage| coverage.check(directory));
    tests.push(("every_script_can_be_read".to_owned(), Box::new(readable)));
    tests.push((
        "a_typo_is_told_with_its_place".to_owned(),
        Box::new(typos::a_typo_is_told_with_its_place),
    ));
    tests.push(("the_table_of_coverage_is_true".to_owned(), Box::new(coverage)));
    let sloppy_senders = move || {
        let coverage = Coverage::of(directory, scripts)?;
        coverage.check_sloppy_senders(directory)
    };
    let name = "the_list_of_sloppy_senders_names_all_that_is_taken";
    tests.push((name.to_owned(), Box::new(sloppy_senders)));
    tests
}

fn run(tests: &[Test<'_>], quiet: bool) -> ExitCode {
    let mut failures = Vec::new();
    println!("\nrunning {} tests", tests.len());
    for (name, test) in tests {
        // If a router panics, only its script fails. The message of the panic is on stderr.
        let result = catch_unwind(AssertUnwindSafe(test));
        let result = result.unwrap_or_else(|_| Err("a panic, see above".to_owned()));
        if !quiet {
            println!("test {name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        }
        failures.extend(result.err().map(|why| (name, why)));
    }
    for (name, why) in &failures {
        println!("\n---- {name} ----\n{why}");
    }
    let passed = tests.len() - failures.len();
    println!("\nconformance: {passed} passed; {} failed\n", failures.len());
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
