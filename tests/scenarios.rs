//! The scenarios of the labs in real namespaces: what `eidway lab run` plays, each in a lab of its
//! own; with `--kill`, what becomes of them when a map-server dies in their middle; and with
//! `--no-offload`, the other mode of the data path (the G scenarios, or with `EIDWAY_BOTH_MODES=1`
//! all).
//!
//! They mind each other little and run side by side, but for those with limits of a few milliseconds:
//! `alone` has these, which come first by their name and let nobody beside them.
//!
//! They need root. Without it they fail and say so; `EIDWAY_ALLOW_SKIP=1` lets them pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, RwLock};
use std::thread;

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
fn can_run() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    if output.stdout == b"0\n" {
        return true;
    }
    let allowed = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some_and(|value| value == "1");
    assert!(allowed, "namespace tests need root (EIDWAY_ALLOW_SKIP=1 skips them)");
    eprintln!("SKIPPED: namespace tests need root");
    false
}

/// Read by whoever plays, written by whoever plays alone.
static QUIET: RwLock<()> = RwLock::new(());

/// Plays one to its end: everything is as expected, and nothing is left behind.
fn play(scenario: &str, options: &[&str]) {
    if let Err(transcript) = played(scenario, options) {
        panic!("{transcript}");
    }
}

/// Plays one; its transcript if something was not as expected.
fn played(scenario: &str, options: &[&str]) -> Result<(), String> {
    let number = scenario.split('-').next().expect("a name");
    let way = match options.first() {
        None => "s",
        Some(&"--kill") => "k",
        Some(_) => "p",
    };
    let name = format!("{way}-{number}-{}", std::process::id());
    let _guard = Guard(name.clone());
    let output = eidway(&[&["lab", "run", "gsmr", scenario, "--name", &name], options].concat());
    let transcript = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{transcript}{errors}"));
    }
    assert!(!Path::new("/run/eidway").join(&name).exists(), "{name} is still there");
    Ok(())
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("lab/gsmr/scenarios")
}

fn has_line(scenario: &str, wanted: &str) -> bool {
    let file = directory().join(scenario).with_extension("scenario");
    fs::read_to_string(file).expect("a text").lines().any(|line| line == wanted)
}

fn play_beside_others(scenario: &str, options: &[&str]) {
    if can_run() {
        let _others = QUIET.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        play(scenario, options);
    }
}

macro_rules! scenarios {
    ($($test:ident: $scenario:literal),+ $(,)?) => {
        const PLAYED: &[&str] = &[$($scenario),+];

        $(#[test]
        fn $test() {
            play_beside_others($scenario, &[]);
        })+
    };
}

scenarios! {
    g1_deconfigured: "g1-deconfigured",
    g1b_idle_peer: "g1b-idle-peer",
    g2_no_route: "g2-no-route",
    g2b_use_petr: "g2b-use-petr",
    g3_move: "g3-move",
    g4_overlapping: "g4-overlapping",
    g4c_reject: "g4c-reject",
    x1_uncached: "x1-uncached",
    x2_flood: "x2-flood",
    x3_more_specifics: "x3-more-specifics",
    x4_spoofed: "x4-spoofed",
    x5_probe: "x5-probe",
    x6_unsolicited_reply: "x6-unsolicited-reply",
    x7_bad_key: "x7-bad-key",
    x8_kill: "x8-kill",
    x9_two_records: "x9-two-records",
    x10_end_marker: "x10-end-marker",
    x11_no_resolver: "x11-no-resolver",
    x12_replay: "x12-replay",
    x13_late: "x13-late",
    x14_foreign_source: "x14-foreign-source",
}

/// With limits of a few milliseconds.
mod alone {
    pub const PLAYED: &[&str] = &["g4b-in-time"];

    /// What else runs on the machine may take the processor away for longer than the limit, and says
    /// nothing about a router: one run of three must keep it.
    #[test]
    fn limits_of_milliseconds() {
        if super::can_run() {
            let _alone = super::QUIET.write().unwrap_or_else(|poisoned| poisoned.into_inner());
            for scenario in PLAYED {
                let kept = (0..2).any(|_| super::played(scenario, &[]).is_ok());
                if !kept {
                    super::play(scenario, &[]);
                }
            }
        }
    }
}

/// Those about SMRs: they also run packet by packet.
const GENERALIZED_SMR: &[&str] = &[
    "g1-deconfigured",
    "g1b-idle-peer",
    "g2-no-route",
    "g2b-use-petr",
    "g3-move",
    "g4-overlapping",
    "g4c-reject",
];
/// Most of such a run is waiting for timers, so that more of them than cores go at a time.
const SIDE_BY_SIDE: usize = 8;

fn play_side_by_side(scenarios: &[&str], options: &[&str]) {
    let left = Mutex::new(scenarios.iter());
    let next = || left.lock().expect("no thread fails here").next();
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(scenario) = next() {
                    play_beside_others(scenario, options);
                }
            });
        }
    });
}

/// All but those that kill a map-server themselves, and so have no middle.
#[test]
fn every_scenario_survives_the_death_of_new() {
    let all = [PLAYED, alone::PLAYED].concat();
    let with_a_middle: Vec<&str> =
        all.into_iter().filter(|name| has_line(name, "middle")).collect();
    play_side_by_side(&with_a_middle, &["--kill", "NewMSMR"]);
}

#[test]
fn every_g_scenario_goes_as_expected_packet_by_packet() {
    let all = std::env::var_os("EIDWAY_BOTH_MODES").is_some_and(|value| value == "1");
    play_side_by_side(if all { PLAYED } else { GENERALIZED_SMR }, &["--no-offload"]);
}

#[test]
fn every_scenario_has_a_test() {
    let entries = fs::read_dir(directory()).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    let mut found: Vec<String> = names
        .map(|name| name.expect("a name"))
        .filter_map(|name| Some(name.strip_suffix(".scenario")?.to_owned()))
        .filter(|name| !has_line(name, "only simulated"))
        .collect();
    found.sort();
    let mut played = [PLAYED, alone::PLAYED].concat();
    played.sort();
    assert_eq!(found, played);
}

#[test]
fn what_waits_too_long_is_refused_in_namespaces() {
    let output = eidway(&["lab", "run", "gsmr", "g2c"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("only simulated"), "{errors}");
}
