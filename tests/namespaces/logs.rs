//! A router's log: neither a slow reader nor a renamed file disturbs the router.

use std::fs;
use std::io::Read;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::live::*;

/// A number of messages, with one line each. The pipe and the queue of the log have no room for so
/// many lines.
const MESSAGES: usize = 40_000;

/// A router in the namespace of another router that was stopped. It ends when this value is
/// dropped.
struct Apart(Child);

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn send_signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_log_reader_that_stops_does_not_stop_the_router() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "log");
    expect_success(&live.lab("stop", &["xTR1"]));
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("xTR1.sock");
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/two-sites/xTR1.conf");
    let mut command = Command::new("ip");
    command.args([
        "netns",
        "exec",
        &live.namespace("xTR1"),
        env!("CARGO_BIN_EXE_eidway"),
        "router",
    ]);
    command.arg(&config).arg("--console").arg(&socket).env("RUST_LOG", "debug");
    let mut router = Apart(command.stderr(Stdio::piped()).spawn().unwrap());
    let ask = || text(&eidway(&["console", socket.to_str().unwrap(), "-c", "show clock"]));
    until(LONG, "the console answers", || ask().starts_with('*'));
    // From here on, the reader does not read, and each message causes a debug line.
    let sender = live.inside("Core", || UdpSocket::bind("0.0.0.0:0").unwrap());
    for _ in 0..MESSAGES {
        sender.send_to(&[0; 8], "203.0.113.11:4342").unwrap();
    }
    assert!(ask().starts_with('*'), "it does not wait for its log");
    until(LONG, "A reaches B", || live.ping("A", "B", &[]) == "!!!!!");
    // The router does not wait for the reader at its end either.
    send_signal(&router.0, Signal::TERM);
    until(LONG, "it has ended", || router.0.try_wait().unwrap().is_some());
    assert!(router.0.try_wait().unwrap().unwrap().success());
    assert_eq!(live.shell("xTR1", "ip rule | grep -c 4341 || true").trim(), "0");
    let mut log = Vec::new();
    let pipe = router.0.stderr.take().unwrap();
    pipe.take(1 << 20).read_to_end(&mut log).unwrap();
    assert!(log.len() > 4096, "the earlier lines are still there");
}

#[test]
fn a_log_begins_anew_and_takes_the_counters_by_signals_that_do_not_end_the_router() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "hup");
    let log = format!("/run/eidway/{}/xTR1.log", live.name);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let pid: i32 = live.processes("xTR1").trim().parse().unwrap();
    let signal = |signal| kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    // As logrotate does.
    let moved = format!("{log}.moved");
    fs::rename(&log, &moved).unwrap();
    signal(Signal::HUP);
    until(LONG, "there is a new log", || read(&log).contains("SIGHUP"));
    signal(Signal::USR1);
    until(LONG, "the counters are in it", || {
        read(&log).contains("Map-Requests in/out:") && read(&log).contains("Packet drops:")
    });
    assert!(!read(&moved).contains("SIGHUP") && !read(&moved).is_empty());
    // No signal has ended the router.
    assert_eq!(live.processes("xTR1").trim(), pid.to_string());
    live.expect_pings(&[("A", "B")]);
    fs::remove_file(&moved).unwrap();
}
