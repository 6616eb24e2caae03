//! Describes the machine of the measurement, and puts the table into the README.

use std::fs;
use std::process::Command;

use crate::Outcome;
use crate::topology::run;

/// The README has the table between these two marks.
const BEGIN: &str = "<!-- benches/lab.sh --readme: begin -->\n";
const END: &str = "<!-- benches/lab.sh --readme: end -->\n";

/// Returns the date, the processor, the number of cores, the kernel and the measured commit.
pub fn describe() -> Outcome<String> {
    let date = run(Command::new("date").arg("+%F"))?;
    let kernel = run(Command::new("uname").arg("-r"))?;
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism()?;
    let mut git = Command::new("git");
    git.args(["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"]);
    let commit = run(&mut git).unwrap_or_else(|_| "unknown".into());
    let (date, kernel, commit) = (date.trim(), kernel.trim(), commit.trim());
    Ok(format!("{date}, {model}, {cores} cores, Linux {kernel}, Eidway {commit}"))
}

/// Returns the README with a new table.
///
/// # Errors The README has no place for a table.
pub fn with_table(readme: &str, table: &str) -> Outcome<String> {
    let parts = readme.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| format!("README.md has no {}", BEGIN.trim()))?;
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}
