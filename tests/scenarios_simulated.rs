//! Plays every scenario of every lab on virtual time. The tests need no root and no other program.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use eidway::lab::scenario::library;
use eidway::lab::scenario::run::{How, run};
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all scenarios, as `LAB/SCENARIO`.
fn all() -> Vec<String> {
    let mut found = Vec::new();
    for lab in fs::read_dir(root().join("lab")).unwrap() {
        let lab = lab.unwrap();
        let name = lab.file_name().into_string().unwrap();
        for file in fs::read_dir(lab.path().join("scenarios")).into_iter().flatten() {
            let file = file.unwrap().file_name().into_string().unwrap();
            found.extend(file.strip_suffix(".scenario").map(|stem| format!("{name}/{stem}")));
        }
    }
    found.sort();
    found
}

/// Plays a scenario. Returns whether the results were as expected, and the transcript. If `kill`
/// names a router, this router is killed in the middle of the scenario.
fn play(what: &str, kill: Option<&str>, seed: u64) -> (bool, String) {
    let (lab, scenario) = what.split_once('/').unwrap();
    let lab = open(root().join("lab").join(lab).to_str().unwrap(), None).unwrap();
    let scenario = library::read(&lab, scenario).unwrap();
    let mut out = Vec::new();
    let options = Options::new(Seed::from_number(seed));
    let played = run(
        &lab,
        &scenario,
        How { kill, ..How::default() },
        |lab| Simulated::up(lab, options),
        &mut out,
    );
    let text = String::from_utf8(out).unwrap();
    match played {
        Ok(as_expected) => (as_expected, text),
        Err(failure) => (false, format!("{text}{failure}")),
    }
}

/// Checks that the results of all these scenarios are as expected.
fn expect(scenarios: &[String], kill: Option<&str>) {
    let played = scenarios.iter().map(|scenario| (scenario, play(scenario, kill, 1)));
    let wrong: Vec<String> = played
        .filter(|(_, (as_expected, _))| !as_expected)
        .map(|(scenario, (_, transcript))| format!("{scenario}:\n{transcript}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_scenario_goes_as_expected() {
    let scenarios = all();
    assert!(scenarios.len() >= 23, "{scenarios:?}");
    expect(&scenarios, None);
}

/// The scenarios in which New is not killed. In the first two, there is no session with New in the
/// middle: either New is dead, or both map-resolvers are dead. The others have no statement
/// `middle`, because links that lose packets delay the recovery without a bound.
const WITHOUT_NEW: &[&str] = &[
    "gsmr/x8-kill",
    "gsmr/x11-no-resolver",
    "gsmr/b1-slow-core",
    "gsmr/b2-lossy-core",
    "gsmr/b3-twice-and-flapping",
];

#[test]
fn every_scenario_survives_the_death_of_new() {
    let mut scenarios = all();
    scenarios.retain(|name| name.starts_with("gsmr/") && !WITHOUT_NEW.contains(&name.as_str()));
    expect(&scenarios, Some("NewMSMR"));
}

#[test]
fn another_seed_is_another_course_with_the_same_end() {
    let transcript = |seed| {
        let (as_expected, transcript) = play("gsmr/g2-no-route", None, seed);
        assert!(as_expected, "seed {seed}:\n{transcript}");
        transcript
    };
    assert_eq!(transcript(7), transcript(7));
    // The transcripts differ, because they contain nonces.
    assert_ne!(transcript(7), transcript(8));
}

/// Runs `eidway ARGS` as an ordinary user. No other program can be found.
fn eidway(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
    command.args(arguments).current_dir(root()).env("PATH", "");
    command.output().unwrap()
}

#[test]
fn the_command_needs_no_other_program_and_says_the_same_each_time() {
    let first = eidway(&["lab", "run", "gsmr", "g2", "--sim"]);
    let transcript = String::from_utf8_lossy(&first.stdout);
    assert!(first.status.success(), "{transcript}{}", String::from_utf8_lossy(&first.stderr));
    for expected in [
        "== G2: a local EID loses its route\n",
        "xTR1(config-if)#shutdown\n",
        "xTR1#show ip lisp data\n",
        "*** NO ROUTE TO EID PREFIX ***",
        "== as expected\n",
    ] {
        assert!(transcript.contains(expected), "{expected:?} in {transcript}");
    }
    let second = eidway(&["lab", "run", "gsmr", "g2", "--sim"]);
    assert_eq!(first.stdout, second.stdout);
}

#[test]
fn what_is_not_as_expected_is_told_by_the_exit_code_and_kept() {
    let lab = tempfile::tempdir().unwrap();
    let copy = |from: &Path| {
        let file = from.file_name().unwrap();
        fs::copy(from, lab.path().join(file)).unwrap();
    };
    for entry in fs::read_dir(root().join("lab/gsmr")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            copy(&path);
        }
    }
    fs::create_dir(lab.path().join("scenarios")).unwrap();
    let wrong = "title \"wrong\"\ncapture c = xTR1:Ethernet0/0\nping B A expect none\n";
    fs::write(lab.path().join("scenarios/wrong.scenario"), wrong).unwrap();
    let place = lab.path().to_str().unwrap();
    let name = format!("wrong-{}", std::process::id());
    let output = eidway(&["lab", "run", place, "wrong", "--sim", "--name", &name]);
    let transcript = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{transcript}");
    assert!(transcript.contains("wrong.scenario:3: ping B A expect none\n"), "{transcript}");
    let kept = transcript
        .lines()
        .find_map(|line| line.strip_prefix("== the captures, logs and tables are kept in "))
        .unwrap();
    let show = fs::read_to_string(Path::new(kept).join("xTR2.show")).unwrap();
    assert!(show.contains("172.16.0.0/24"), "{show}");
    assert!(Path::new(kept).join("c.pcap").exists());
    fs::remove_dir_all(kept).unwrap();
}
