//! The programs of hosts: `run` in a lab.toml.

use std::fs;

use serde_json::Value;

use crate::live::*;

/// A new lab in a directory, with the programs `run` at its host H1.
fn with_programs(run: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_str().unwrap();
    expect_success(&eidway(&["lab", "new", "mine", "--to", place]));
    let file = directory.path().join("mine/lab.toml");
    let text = fs::read_to_string(&file).unwrap();
    let host = "H1 = { kind = \"host\", ";
    assert!(text.contains(host), "{text}");
    fs::write(&file, text.replace(host, &format!("{host}run = {run}, "))).unwrap();
    directory
}

#[test]
fn the_programs_of_a_host_run_in_its_namespace_while_the_lab_is_up() {
    if !can_run() {
        return;
    }
    let live = Live::named("run");
    let directory = with_programs(r#"["ping -q 172.16.1.1", "echo too bad && false"]"#);
    let lab = directory.path().join("mine");
    let lab = lab.to_str().unwrap();
    let up = eidway(&["lab", "up", lab, "--name", &live.name]);
    expect_success(&up);
    let said = errors(&up);
    assert!(said.contains("2 programs of hosts"), "{said}");
    let ended = "H1: the program `echo too bad && false` has ended: too bad (see /run/eidway/";
    assert!(said.contains(ended) && !said.contains("`ping"), "{said}");

    let nodes: Value = serde_json::from_str(&text(&live.lab("status", &["--json"]))).unwrap();
    let mut nodes = nodes.as_array().unwrap().iter();
    let programs = &nodes.find(|node| node["node"] == "H1").unwrap()["programs"];
    assert_eq!(programs[1]["pid"], Value::Null, "{programs}");
    let pid = programs[0]["pid"].as_u64().unwrap();
    let inside = live.processes("H1");
    assert!(inside.lines().any(|line| line.parse() == Ok(pid)), "{pid} is not in {inside}");
    let table = text(&live.lab("status", &[]));
    assert!(table.contains(&format!("runs `ping -q 172.16.1.1` as {pid}")), "{table}");
    let log = programs[0]["log"].as_str().unwrap();
    until(LONG, "the output of the program is in its log", || {
        fs::read_to_string(log).unwrap().starts_with("PING 172.16.1.1")
    });

    expect_success(&live.lab("down", &[]));
    until(LONG, "the program ends with the lab", || {
        !std::path::Path::new(&format!("/proc/{pid}")).exists()
    });
}

#[test]
fn a_program_that_this_machine_does_not_have_is_named_before_anything_is_built() {
    if !can_run() {
        return;
    }
    let live = Live::named("norun");
    let directory = with_programs(r#"["no-such-program -x"]"#);
    let lab = directory.path().join("mine");
    let lab = lab.to_str().unwrap();
    let up = eidway(&["lab", "up", lab, "--name", &live.name]);
    assert!(!up.status.success(), "{up:?}");
    let reason = "host H1 runs `no-such-program -x`, and the program no-such-program is missing";
    assert!(errors(&up).contains(reason), "{}", errors(&up));
    assert!(live.remains().is_empty(), "{:?}", live.remains());
    let check = eidway(&["lab", "check", lab]);
    assert!(!check.status.success() && text(&check).contains(reason), "{check:?}");

    let simulated = eidway(&["lab", "status", lab, "--sim"]);
    let table = text(&simulated);
    assert!(table.contains("`no-such-program -x` is not run on the simulator"), "{table}");
}
