//! The scenarios of the labs in real namespaces, as `eidway lab run` plays them, each in a lab of its
//! own. Every file of `lab/gsmr/scenarios` is played
//!
//! | test | as |
//! |---|---|
//! | `g2-no-route` | it is |
//! | `g2-no-route/kill` | far as its `middle`, if it has one: there the new map-server dies and returns |
//! | `g2-no-route/no-offload` | it is, in the other mode of the data path: packet by packet |
//!
//! They mind each other little, and most of a run is waiting for timers; so more of them than there
//! are cores go side by side (`--test-threads`). Those of [`ALONE`] run alone.
//!
//! They need root. Without it they fail and say so; `EIDWAY_ALLOW_SKIP=1` lets them pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::RwLock;

use libtest_mimic::{Arguments, Failed, Trial};

/// Those with limits of a few milliseconds.
const ALONE: &[&str] = &["g4b-in-time"];
/// How many go side by side.
const SIDE_BY_SIDE: usize = 8;

/// Read by a scenario that runs beside others, written by one that runs alone.
static QUIET: RwLock<()> = RwLock::new(());

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    let mut trials = vec![Trial::test("what-waits-too-long-is-refused", what_waits_too_long)];
    for (scenario, text) in scenarios() {
        let has_line = |wanted: &str| text.lines().any(|line| line == wanted);
        if has_line("only simulated") {
            continue;
        }
        let mut trial = |way: &str, options: &'static [&'static str]| {
            let (name, scenario) = (format!("{scenario}{way}"), scenario.clone());
            trials.push(Trial::test(name, move || play(&scenario, options)));
        };
        trial("", &[]);
        trial("/no-offload", &["--no-offload"]);
        if has_line("middle") {
            trial("/kill", &["--kill", "NewMSMR"]);
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Their names and texts.
fn scenarios() -> Vec<(String, String)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("lab/gsmr/scenarios");
    let entries = fs::read_dir(&directory).expect("the project has them");
    let mut found: Vec<(String, String)> = entries
        .map(|entry| entry.expect("it can be read").path())
        .filter(|file| file.extension().is_some_and(|end| end == "scenario"))
        .map(|file| {
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&file).expect("a text"))
        })
        .collect();
    found.sort();
    found
}

/// Takes the lab of a scenario down, also when the run of it was killed.
struct Guard(String);

impl Drop for Guard {
    fn drop(&mut self) {
        eidway(&["lab", "down", &self.0]);
    }
}

fn eidway(args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_eidway");
    let output = Command::new(program).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Whether the tests can run here; fails where that is not allowed to be.
fn can_run() -> Result<bool, Failed> {
    let output = Command::new("id").arg("-u").output()?;
    if output.stdout == b"0\n" {
        return Ok(true);
    }
    let allowed = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some_and(|value| value == "1");
    if !allowed {
        return Err("namespace tests need root (EIDWAY_ALLOW_SKIP=1 skips them)".into());
    }
    eprintln!("SKIPPED: namespace tests need root");
    Ok(false)
}

/// Plays one to its end: everything is as expected, and nothing is left behind.
fn play(scenario: &str, options: &[&str]) -> Result<(), Failed> {
    if !can_run()? {
        return Ok(());
    }
    let poisoned = "a test that played alone panicked";
    if !ALONE.contains(&scenario) || options.contains(&"--kill") {
        let _others = QUIET.read().map_err(|_| poisoned)?;
        return played(scenario, options);
    }
    let _alone = QUIET.write().map_err(|_| poisoned)?;
    // Other programs on the machine may take the processor away for longer than the limit, which says
    // nothing about a router: one run of three must keep it.
    let tries = (0..2).map(|_| played(scenario, options));
    tries.into_iter().find(Result::is_ok).unwrap_or_else(|| played(scenario, options))
}

fn played(scenario: &str, options: &[&str]) -> Result<(), Failed> {
    let number = scenario.split('-').next().unwrap_or(scenario);
    let way = options.first().map_or("", |option| option.trim_start_matches('-'));
    let way = way.chars().next().unwrap_or('s');
    let name = format!("{way}-{number}-{}", std::process::id());
    let _guard = Guard(name.clone());
    let output = eidway(&[&["lab", "run", "gsmr", scenario, "--name", &name], options].concat());
    if !output.status.success() {
        let transcript = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{transcript}{errors}").into());
    }
    match Path::new("/run/eidway").join(&name).exists() {
        true => Err(format!("{name} is still there").into()),
        false => Ok(()),
    }
}

fn what_waits_too_long() -> Result<(), Failed> {
    let output = eidway(&["lab", "run", "gsmr", "g2c"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    match !output.status.success() && errors.contains("only simulated") {
        true => Ok(()),
        false => Err(errors.into_owned().into()),
    }
}
