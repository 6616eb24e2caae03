//! `lab events` of a lab that is up.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::live::*;

/// The command, and its output. The command is ended when this value is dropped.
struct Events {
    command: Child,
    lines: BufReader<ChildStdout>,
}

impl Events {
    fn begin(live: &Live, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
        command.args(["lab", "events", &live.name]).args(options).current_dir("/");
        let mut command = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(command.stdout.take().unwrap());
        Events { command, lines }
    }

    /// Reads lines until one is as wanted, and returns it. At the end of the output, returns `None`.
    fn find(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let mut line = String::new();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            let event: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
            if is_wanted(&event) {
                return Some(event);
            }
            line.clear();
        }
        None
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.command.kill();
        let _ = self.command.wait();
    }
}

#[test]
fn events_tell_of_messages_ports_and_processes_until_the_lab_is_down() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "events");
    let mut events = Events::begin(&live, &["--json"]);
    let began = events.find(|_| true).unwrap();
    assert_eq!(
        (&began["event"]["kind"], &began["event"]["lab"]),
        (&"began".into(), &live.name.as_str().into())
    );
    // The first snapshot is there when a change is told: a change before would not be an event.
    until(LONG, "a change of a port", || {
        expect_success(&live.lab("link", &["Core:eth0", "down"]));
        expect_success(&live.lab("link", &["Core:eth0", "up"]));
        let is_port =
            |event: &Value| event["event"]["table"] == "ports" || event["event"]["kind"] == "ended";
        events.find(is_port).is_some_and(|event| event["event"]["node"] == "Core")
    });
    live.ping("B", "A", &[]);
    let request = events.find(|event| event["event"]["name"] == "Map-Request").unwrap();
    assert_eq!(request["event"]["kind"], "message");
    let reason = request["event"]["reason"]["text"].as_str().unwrap_or_default();
    assert!(!reason.is_empty() || request["event"]["direction"] == "received", "{request}");
    expect_success(&live.lab("kill", &["MSMR"]));
    let killed =
        |event: &Value| event["event"]["table"] == "process" && event["event"]["node"] == "MSMR";
    assert!(events.find(killed).is_some());
    expect_success(&live.lab("down", &[]));
    let ended = events.find(|event| event["event"]["kind"] == "ended").unwrap();
    assert!(ended["event"]["reason"].as_str().unwrap().contains("is down"), "{ended}");
    assert!(events.command.wait().unwrap().success());
}

#[test]
fn events_end_at_a_signal_and_with_their_reader() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "evend");
    let mut events = Events::begin(&live, &["--json", "--packets"]);
    events.find(|_| true).unwrap();
    let pid = Pid::from_child(&events.command);
    kill_process(pid, Signal::TERM).unwrap();
    assert!(events.command.wait().unwrap().success());

    let mut command = Command::new("sh");
    let script = format!("'{}' lab events {} | head -n 1", env!("CARGO_BIN_EXE_eidway"), live.name);
    let output = run(command.args(["-c", &script]).current_dir("/"));
    assert!(text(&output).contains("events begin") && errors(&output).is_empty(), "{output:?}");
}
