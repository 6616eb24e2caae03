//! The scenarios of the labs in real namespaces: what `eidway lab run` plays, each in a lab of its
//! own.
//!
//! They need root. Without it they fail and say so; `EIDWAY_ALLOW_SKIP=1` lets them pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

/// Plays one to its end: everything is as expected, and nothing is left behind.
fn play(lab: &str, scenario: &str) {
    if !can_run() {
        return;
    }
    let number = scenario.split('-').next().expect("a name");
    let name = format!("s-{number}-{}", std::process::id());
    let _guard = Guard(name.clone());
    let output = eidway(&["lab", "run", lab, scenario, "--name", &name]);
    let transcript = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{transcript}{errors}");
    assert!(!Path::new("/run/eidway").join(&name).exists(), "{name} is still there");
}

macro_rules! scenarios {
    ($($test:ident: $scenario:literal),+ $(,)?) => {
        const PLAYED: &[&str] = &[$($scenario),+];

        $(#[test]
        fn $test() {
            play("gsmr", $scenario);
        })+
    };
}

scenarios! {
    g1_deconfigured: "g1-deconfigured",
    g2_no_route: "g2-no-route",
    g2b_use_petr: "g2b-use-petr",
    g3_move: "g3-move",
    g4_overlapping: "g4-overlapping",
    x1_uncached: "x1-uncached",
    x2_flood: "x2-flood",
    x4_spoofed: "x4-spoofed",
    x5_probe: "x5-probe",
    x6_unsolicited_reply: "x6-unsolicited-reply",
    x7_bad_key: "x7-bad-key",
    x8_kill: "x8-kill",
    x11_no_resolver: "x11-no-resolver",
    x12_replay: "x12-replay",
    x13_late: "x13-late",
    x14_foreign_source: "x14-foreign-source",
}

#[test]
fn every_scenario_has_a_test() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("lab/gsmr/scenarios");
    let entries = fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    let mut found: Vec<String> =
        names.map(|name| name.expect("a name").trim_end_matches(".scenario").to_owned()).collect();
    found.sort();
    let mut played = PLAYED.to_vec();
    played.sort();
    assert_eq!(found, played);
}
