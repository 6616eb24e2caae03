//! The scenarios of the labs in real namespaces. `eidway lab run` plays each scenario in its own
//! lab. Each file in `lab/LAB/scenarios` is played in three or four tests:
//!
//! | test | how the scenario is played |
//! |---|---|
//! | `gsmr/g2-no-route` | as written; the routers forward all packets in their processes |
//! | `gsmr/g2-no-route/no-offload` | the same, but the data path works packet by packet |
//! | `gsmr/g2-no-route/kernel` | as written; the kernel forwards the packets of known flows |
//! | `gsmr/g2-no-route/kill` | if it has a `middle`: the new map-server is killed and restarted there |
//!
//! The last one uses the data path that a lab has without options.
//!
//! The scenarios disturb each other only a little, and for most of the time they wait for timers.
//! So more scenarios run at the same time than there are cores (`--test-threads`). A scenario of
//! [`ALONE`] runs alone.
//!
//! The tests need root. Without root they fail and say so; with `EIDWAY_ALLOW_SKIP=1` they pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::RwLock;
use std::sync::atomic::{AtomicU32, Ordering};

use libtest_mimic::{Arguments, Failed, Trial};

/// The scenarios that run alone, because they have limits of a few milliseconds.
const ALONE: &[&str] = &["gsmr/g4b-in-time"];
/// The number of scenarios that run at the same time.
const SIDE_BY_SIDE: usize = 16;

/// A scenario that runs beside others takes the lock for reading. A scenario that runs alone takes
/// it for writing.
static QUIET: RwLock<()> = RwLock::new(());
/// The number of labs so far. It is in the name of each lab, so that all names differ.
static PLAYED: AtomicU32 = AtomicU32::new(0);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    let mut trials = vec![Trial::test("a-simulated-scenario-is-refused", simulated_scenario)];
    for (scenario, text) in scenarios() {
        let has_line = |wanted: &str| text.lines().any(|line| line == wanted);
        if has_line("only simulated") {
            continue;
        }
        let mut trial = |way: &str, options: &'static [&'static str]| {
            let (name, scenario) = (format!("{scenario}{way}"), scenario.clone());
            trials.push(Trial::test(name, move || play(&scenario, options)));
        };
        trial("", &["--data-path", "user"]);
        trial("/no-offload", &["--data-path", "user", "--no-offload"]);
        trial("/kernel", &["--data-path", "kernel"]);
        if has_line("middle") {
            trial("/kill", &["--kill", "NewMSMR"]);
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The names and texts of the scenarios of all labs. A name is `LAB/SCENARIO`.
fn scenarios() -> Vec<(String, String)> {
    let labs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("lab");
    let mut found = Vec::new();
    for lab in fs::read_dir(labs).expect("the project has them") {
        let lab = lab.expect("it can be read");
        for file in fs::read_dir(lab.path().join("scenarios")).into_iter().flatten() {
            let file = file.expect("it can be read").path();
            if file.extension().is_some_and(|end| end == "scenario") {
                let stem = file.file_stem().expect("a name").to_string_lossy();
                let name = format!("{}/{stem}", lab.file_name().to_string_lossy());
                found.push((name, fs::read_to_string(&file).expect("a text")));
            }
        }
    }
    found.sort();
    found
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
    let output = Command::new(program).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Whether the tests can run here. Without root this function fails, if `EIDWAY_ALLOW_SKIP` is not
/// set.
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

/// Plays a scenario to its end. Checks that the results are as expected and that nothing is left
/// behind.
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
    // The scenario passes if one of three runs keeps the time limit. Other programs on the machine
    // may use the processor for longer than the limit, and a run that fails for this reason says
    // nothing about a router.
    let tries = (0..2).map(|_| played(scenario, options));
    tries.into_iter().find(Result::is_ok).unwrap_or_else(|| played(scenario, options))
}

fn played(scenario: &str, options: &[&str]) -> Result<(), Failed> {
    let (lab, scenario) = scenario.split_once('/').expect("LAB/SCENARIO");
    let number = PLAYED.fetch_add(1, Ordering::Relaxed);
    let name = format!("{lab:.8}-{number}-{}", std::process::id());
    let _guard = Guard(name.clone());
    let output = eidway(&[&["lab", "run", lab, scenario, "--name", &name], options].concat());
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

fn simulated_scenario() -> Result<(), Failed> {
    let output = eidway(&["lab", "run", "gsmr", "g2c"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    match !output.status.success() && errors.contains("runs only on the simulator") {
        true => Ok(()),
        false => Err(errors.into_owned().into()),
    }
}
