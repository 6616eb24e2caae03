//! Every lab with impaired links. A scenario of each lab is played with delay and jitter on
//! all links, on the simulator and in namespaces, and passes in both. There is no duplication:
//! scenarios count the packets of captures exactly.
//!
//! It is the first scenario with the line `also impaired`, or else the first one of the lab that
//! does not wait too long for namespaces. A lab without scenarios is pinged.
//!
//! The part in namespaces needs root. Without root it fails and says so; with
//! `EIDWAY_ALLOW_SKIP=1` it is left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Failed, Trial};

/// The impairment of all links.
const IMPAIRMENT: &str = "delay 5ms jitter 2ms";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The labs wait for timers most of the time.
    arguments.test_threads.get_or_insert(8);
    let trials = labs().into_iter().flat_map(|lab| {
        ["simulated", "namespaces"].map(|place| {
            let lab = lab.clone();
            let name = format!("{}/{place}", name_of(&lab));
            Trial::test(name, move || play(&lab, place == "simulated"))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// The folders of all labs of the project.
fn labs() -> Vec<PathBuf> {
    let labs = fs::read_dir(root().join("lab")).expect("the project has labs");
    let mut labs: Vec<PathBuf> = labs.map(|lab| lab.expect("it can be read").path()).collect();
    labs.retain(|lab| lab.join("lab.toml").exists());
    labs.sort();
    assert!(labs.len() >= 2, "the labs were not found");
    labs
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn name_of(lab: &Path) -> String {
    lab.file_name().expect("a name").to_string_lossy().into_owned()
}

/// The path of the scenario that is played. `None` if the lab has none.
fn scenario(lab: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(lab.join("scenarios")).into_iter().flatten();
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("it can be read").path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "scenario"));
    files.sort();
    let has_line = |file: &&PathBuf, wanted: &str| {
        let text = fs::read_to_string(file).expect("a text");
        text.lines().any(|line| line.trim() == wanted)
    };
    let marked = files.iter().find(|file| has_line(file, "also impaired"));
    marked.or_else(|| files.iter().find(|file| !has_line(file, "only simulated"))).cloned()
}

/// Plays the scenario of a lab with impaired links.
fn play(lab: &Path, simulated: bool) -> Result<(), Failed> {
    if !simulated && !can_run()? {
        return Ok(());
    }
    let pings = tempfile::tempdir()?;
    let scenario = match scenario(lab) {
        Some(scenario) => scenario,
        None => {
            let path = pings.path().join("pings.scenario");
            fs::write(&path, all_pings(lab)?)?;
            path
        }
    };
    let (lab_path, scenario) = (lab.display().to_string(), scenario.display().to_string());
    let args = ["lab", "run", &lab_path, &scenario, "--impair", IMPAIRMENT];
    let name =
        format!("i-{}-{}", name_of(lab).chars().take(10).collect::<String>(), std::process::id());
    let output = match simulated {
        true => eidway(&[&args[..], &["--sim"]].concat()),
        false => {
            let _guard = Guard(name.clone());
            eidway(&[&args[..], &["--name", &name]].concat())
        }
    };
    match output.status.success() {
        true => Ok(()),
        false => {
            let transcript = String::from_utf8_lossy(&output.stdout);
            Err(format!("{transcript}{}", String::from_utf8_lossy(&output.stderr)).into())
        }
    }
}

/// A scenario in which each host of a lab pings the next one. Every host of a lab without scenarios
/// can reach every other one.
fn all_pings(lab: &Path) -> Result<String, Failed> {
    let file = fs::read_to_string(lab.join("lab.toml"))?;
    let hosts: Vec<&str> = file
        .lines()
        .filter_map(|line| line.strip_prefix("[nodes.")?.strip_suffix(']'))
        .filter(|node| {
            let section = file.split(&format!("[nodes.{node}]")).nth(1).unwrap_or_default();
            section.split("\n[").next().unwrap_or_default().contains("kind = \"host\"")
        })
        .collect();
    let pairs = hosts.iter().zip(hosts.iter().cycle().skip(1));
    let pings = pairs.map(|(from, to)| format!("ping {from} {to} expect 5 rtt 10ms..1s\n"));
    Ok(format!("title \"pings\"\n{}", pings.collect::<String>()))
}

/// Removes the lab of a scenario at its end, even if the run of the scenario was killed.
struct Guard(String);

impl Drop for Guard {
    fn drop(&mut self) {
        eidway(&["lab", "down", &self.0]);
    }
}

fn eidway(args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_eidway");
    let output = Command::new(program).args(args).current_dir(root()).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Whether the tests in namespaces can run here. Without root this function fails, if
/// `EIDWAY_ALLOW_SKIP` is not set.
fn can_run() -> Result<bool, Failed> {
    let output = Command::new("id").arg("-u").output()?;
    if output.stdout == b"0\n" {
        return Ok(true);
    }
    if std::env::var_os("EIDWAY_ALLOW_SKIP").is_none_or(|value| value != "1") {
        return Err("namespace tests need root (EIDWAY_ALLOW_SKIP=1 skips them)".into());
    }
    eprintln!("SKIPPED: namespace tests need root");
    Ok(false)
}
