//! `lab test`: runs all scenarios of all labs below a directory, several scenarios at the same
//! time.
//!
//! Each scenario runs in a process of its own, `eidway lab run`. If this process crashes, only its
//! scenario fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::time_limit::TimeLimit;
use super::{environment, open, run};
use crate::lab::failure::Failure;
use crate::lab::scenario::library;
use crate::lab::verdicts::{Outcome, Verdict};

/// The maximum depth of the directories in which labs are found.
const DEEPEST: usize = 8;

/// A scenario that `lab test` runs.
#[derive(Clone, Debug)]
pub struct Case {
    lab: String,
    scenario: String,
    /// The outcome, if it is known before the scenario runs. For example, the lab or the scenario
    /// cannot be read, or the scenario is only for the simulator.
    known: Option<Outcome>,
}

/// Returns the scenarios of all labs in `directory` and below it, sorted by labs. A lab or a
/// scenario that cannot be read is also a case, and this case fails.
///
/// # Errors
/// No lab below the directory has a scenario.
pub fn cases(directory: &Path, sim: bool) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for folder in folders(directory) {
        let lab = folder.display().to_string();
        let case =
            |scenario: &str, known| Case { lab: lab.clone(), scenario: scenario.to_owned(), known };
        // A path with a slash is never the name of a lab.
        let path = folder.canonicalize().map_err(Failure::io(folder.display()))?;
        match open::open(&path.display().to_string(), None) {
            Err(error) => cases.push(case("lab.toml", Some(Outcome::Failed(error.to_string())))),
            Ok(lab) => cases.extend(library::names(&lab).into_iter().map(|name| {
                let known = match library::read(&lab, name) {
                    Err(error) => Some(Outcome::Failed(error.to_string())),
                    Ok(scenario) if scenario.only_simulated && !sim => {
                        Some(Outcome::Skipped("only simulated".to_owned()))
                    }
                    Ok(_) => None,
                };
                case(name, known)
            })),
        }
    }
    match cases.is_empty() {
        true => Err(Failure::Other(format!(
            "{}: no lab with a scenario is in this directory or below it",
            directory.display()
        ))),
        false => Ok(cases),
    }
}

/// The folders with a lab file, sorted. Hidden directories and symbolic links are left out.
fn folders(directory: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![(directory.to_owned(), 0)]);
    while let Some((path, depth)) = open.pop() {
        if path.join("lab.toml").is_file() {
            found.push(path.clone());
        }
        let entries = fs::read_dir(&path).into_iter().flatten().flatten();
        let entries = entries.filter(|entry| {
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            depth < DEEPEST && !is_hidden && entry.file_type().is_ok_and(|kind| kind.is_dir())
        });
        open.extend(entries.map(|entry| (entry.path(), depth + 1)));
    }
    found.sort();
    found
}

/// Runs the scenarios of `cases`, at most `jobs` at the same time. Returns the results in the order
/// of the cases. Calls `each` in the same order, with the number of a result and the result. The
/// first number is 1.
///
/// # Errors
/// A process cannot be started.
pub fn play(
    cases: &[Case],
    (jobs, sim): (usize, bool),
    each: &mut dyn FnMut(usize, &Verdict),
) -> Result<Vec<Verdict>, Failure> {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, cases.len().max(1)) {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || {
                while let Some((index, case)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    cases.get(index).map(|case| (index, case))
                } {
                    // If the receiver was dropped, another case had an error.
                    if sender.send((index, case.play(sim))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting: Vec<Option<Verdict>> = vec![None; cases.len()];
        let mut verdicts: Vec<Verdict> = Vec::new();
        for (index, verdict) in results {
            waiting[index] = Some(verdict?);
            while let Some(verdict) = waiting.get_mut(verdicts.len()).and_then(Option::take) {
                each(verdicts.len() + 1, &verdict);
                verdicts.push(verdict);
            }
        }
        Ok(verdicts)
    })
}

impl Case {
    fn play(&self, sim: bool) -> Result<Verdict, Failure> {
        let (lab, scenario) = (self.lab.clone(), self.scenario.clone());
        if let Some(outcome) = &self.known {
            let outcome = outcome.clone();
            return Ok(Verdict { lab, scenario, outcome, took: Duration::ZERO });
        }
        let began = TimeLimit::of(Duration::MAX);
        let mut command = environment::program(&run::program()?.display().to_string())?;
        let folder = Path::new(&self.lab);
        let folder = folder.canonicalize().map_err(Failure::io(folder.display()))?;
        command.args(["lab", "run"]).arg(folder).arg(&self.scenario);
        command.args(sim.then_some("--sim"));
        let output = command.output().map_err(Failure::io("eidway lab run"))?;
        let outcome = match output.status.success() {
            true => Outcome::Passed,
            false => {
                let said = [output.stdout, output.stderr]
                    .map(|octets| String::from_utf8_lossy(&octets).trim_end().to_owned());
                Outcome::Failed(format!("{}\n{}", said.join("\n"), output.status))
            }
        };
        Ok(Verdict { lab, scenario, outcome, took: began.spent() })
    }
}
