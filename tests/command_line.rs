//! The program as a shell sees it, where it needs no privileges: what it prints, and how it ends.

use std::process::{Command, Output};

fn eidway(args: &[&str]) -> Output {
    // From elsewhere than the source tree, so that the labs in the program are used.
    let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
    command.args(args).current_dir("/").output().expect("the program runs")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn a_simulated_ping_prints_the_block_of_ios() {
    let output = eidway(&["lab", "ping", "two-sites", "A", "B", "--sim"]);
    let block = "Type escape sequence to abort.\n\
         Sending 5, 100-byte ICMP Echos to 192.168.0.22, timeout is 2 seconds:\n\
         !!!!!\n\
         Success rate is 100 percent (5/5), round-trip min/avg/max = ";
    assert!(text(&output.stdout).starts_with(block), "{}", text(&output.stdout));
    assert!(output.status.success());
}

#[test]
fn a_simulated_ping_that_is_not_answered_fails() {
    let output = eidway(&["lab", "ping", "two-sites", "A", "192.168.0.99", "--sim", "-c", "2"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
}

#[test]
fn a_program_reads_json_and_nothing_else() {
    let output = eidway(&["lab", "pingall", "two-sites", "--sim", "--json", "-c", "1"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let pairs = json["pairs"].as_array().expect("pairs");
    assert_eq!(pairs.len(), 4, "A and B, both ways, both families");
    assert!(pairs.iter().all(|pair| pair["sent"] == pair["received"]), "{json}");
}

#[test]
fn what_is_not_there_is_named() {
    for (args, words) in [
        (&["console", "no-lab/xTR1"][..], "no-lab/xTR1 does not run"),
        (&["lab", "up", "no-lab"], "no lab \"no-lab\""),
        (&["lab", "ping", "two-sites", "X", "B", "--sim"], "X"),
        (&["lab", "ping", "two-sites", "A", "X", "--sim"], "neither an address nor a host"),
    ] {
        let output = eidway(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(text(&output.stderr).contains(words), "{args:?}: {}", text(&output.stderr));
    }
}
