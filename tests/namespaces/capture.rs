//! Captures packets with dumpcap, and reads them with tshark.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::live::*;

/// A capture that runs.
pub struct Capture {
    child: Child,
    /// The pipe stays open, because dumpcap writes to it when it ends.
    messages: BufReader<ChildStderr>,
    captured: Captured,
}

/// A capture that has ended.
pub struct Captured {
    file: PathBuf,
    _directory: tempfile::TempDir,
}

impl Capture {
    /// Captures on devices of a node. Returns when the capture has begun.
    pub fn start(live: &Live, node: &str, devices: &[&str], filter: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("packets.pcapng");
        let mut dumpcap = Command::new("ip");
        dumpcap.args(["netns", "exec", &live.namespace(node), "dumpcap", "-q", "-f", filter]);
        for device in devices {
            dumpcap.args(["-i", device]);
        }
        dumpcap.arg("-w").arg(&file).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = dumpcap.spawn().unwrap();
        let mut messages = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("File:") {
            let read = messages.read_line(&mut said).unwrap();
            assert!(read > 0, "dumpcap on {node} {devices:?}: {said}");
        }
        Capture { child, messages, captured: Captured { file, _directory: directory } }
    }

    /// Ends it.
    pub fn end(mut self) -> Captured {
        // Captured packets wait a quarter of a second in a buffer of dumpcap. They would be lost if
        // dumpcap ended now.
        std::thread::sleep(Duration::from_millis(600));
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let mut rest = String::new();
        while self.messages.read_line(&mut rest).unwrap() > 0 {}
        assert!(self.child.wait().unwrap().success(), "dumpcap: {rest}");
        self.captured
    }
}

impl Captured {
    /// Returns the fields of each packet that passes `filter`. There is a line for each packet,
    /// with tabs between the fields.
    pub fn fields(&self, filter: &str, fields: &[&str]) -> Vec<String> {
        let mut tshark = Command::new("tshark");
        tshark.args(["-n", "-r"]).arg(&self.file).args(["-Y", filter, "-T", "fields"]);
        for layer in ["ip", "udp", "tcp"] {
            tshark.args(["-o", &format!("{layer}.check_checksum:TRUE")]);
        }
        for field in fields {
            tshark.args(["-e", field]);
        }
        let output = run(&mut tshark);
        expect_success(&output);
        text(&output).lines().map(str::to_owned).collect()
    }
}
