//! `eidway lab capture` in namespaces: Wireshark's own tools read its files, and each capture ends
//! cleanly.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::live::*;

/// A running `eidway` that captures.
pub struct Running {
    pub child: Child,
    messages: BufReader<ChildStderr>,
}

impl Running {
    /// Starts a command, and waits until it says that it captures.
    pub fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a capture");
        let mut messages = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("capturing at ") {
            assert!(messages.read_line(&mut said).unwrap() > 0, "no capture: {said}");
        }
        Running { child, messages }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Expects that the command ends with success. Returns its last messages.
    #[track_caller]
    pub fn ends(mut self) -> String {
        let mut said = String::new();
        until(LONG, "the capture ends", || self.child.try_wait().unwrap().is_some());
        self.messages.read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has usually ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn capture(live: &Live, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
    command.args(["lab", "capture", &live.name]).args(args).current_dir("/");
    command
}

/// The output of a tool of Wireshark.
fn tool(name: &str, args: &[&str]) -> String {
    let output = run(Command::new(name).args(args));
    expect_success(&output);
    text(&output)
}

/// The values of fields, for each packet that passes the filter.
pub fn fields(file: &str, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut args = vec!["-n", "-r", file, "-Y", filter, "-T", "fields"];
    args.extend(fields.iter().flat_map(|field| ["-e", field]));
    let values = |line: &str| line.split('\t').map(str::to_owned).collect();
    tool("tshark", &args).lines().map(values).collect()
}

#[test]
fn wiresharks_tools_read_a_capture_of_several_places_with_the_reasons_of_the_routers() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "places");
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let file = path("all.pcapng");
    let places = ["xTR1", "Core:eth0", "MSMR", "A", "-w", &file];
    let running = Running::start(capture(&live, &places).stdout(Stdio::null()));
    live.expect_pings(&[("A", "B")]);
    // The prefix of the site is withdrawn and registered again, by the reliable transport.
    let lan = |state| ["configure terminal", "interface ethernet 1/0", state, "end"];
    live.console("xTR1", &lan("shutdown"));
    live.console("xTR1", &lan("no shutdown"));
    until(LONG, "A is reached again", || live.ping("B", "A", &[]) == "!!!!!");
    running.signal(Signal::INT);
    let said = running.ends();

    let count = fields(&file, "frame", &["frame.number"]).len();
    assert!(said.contains(&format!("{count} packets captured, 0 lost")), "{said}");
    let about = tool("capinfos", &[&file]);
    for words in [
        &format!("Number of packets:   {count}")[..],
        "Strict time order:   True",
        "Capture application: Eidway ",
        "Name = xTR1:Ethernet0/0\n",
        "Name = xTR1:lisp0\n",
        "Name = Core:eth0\n",
        "Name = MSMR:Ethernet0/0\n",
        "Name = A:eth0\n",
        "Encapsulation = Raw IP",
        "Number of stat entries = 1",
    ] {
        assert!(about.contains(words), "no {words:?}: {about}");
    }
    assert_eq!(fields(&file, "_ws.malformed", &["frame.number"]), [[""; 0]; 0]);
    // A Map-Request goes out of xTR1 and into Core.
    for (place, direction) in [("xTR1:Ethernet0/0", "0x00000002"), ("Core:eth0", "0x00000001")] {
        let filter = format!(
            "frame.interface_name == \"{place}\" && ip.src == 203.0.113.11 && lisp.type == 8"
        );
        let found = fields(&file, &filter, &["frame.packet_flags", "frame.comment"]);
        assert!(found.iter().all(|it| it[0] == direction) && !found.is_empty(), "{found:?}");
        assert!(
            found[0][1].starts_with("xTR1 sent this Map-Request: The map-cache has no "),
            "{found:?}"
        );
    }
    // Each control message has a reason, on UDP and on TCP, at each place.
    for filter in ["lisp && udp", "lisp-tcp"] {
        let found = fields(&file, filter, &["frame.interface_name", "frame.comment"]);
        assert!(found.len() > 5, "{filter}: {found:?}");
        for packet in &found {
            assert!(packet[1].contains(" sent this ") && packet[1].ends_with(']'), "{packet:?}");
        }
    }
    let echos = "frame.interface_name == \"xTR1:Ethernet1/0\" && icmp.type == 0";
    let found = fields(&file, echos, &["frame.comment"]);
    assert!(found[0][0].starts_with("xTR1: deliver (database, 172.16.0.0/24)"), "{found:?}");

    let some = path("some.pcapng");
    tool("editcap", &["-r", &file, &some, "1-5", "9"]);
    assert!(tool("capinfos", &["-Mc", &some]).contains("Number of packets:   6"));
    let whole = fields(&file, "frame.number <= 5", &["frame.time_epoch", "frame.comment"]);
    assert_eq!(fields(&some, "frame.number <= 5", &["frame.time_epoch", "frame.comment"]), whole);
}

#[test]
fn a_capture_ends_at_a_signal_a_number_a_time_a_closed_pipe_and_the_end_of_the_lab() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "ends");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("some.pcapng").display().to_string();
    let quiet = ["A:lo", "-w", &file];
    let terminated = Running::start(&mut capture(&live, &quiet));
    terminated.signal(Signal::TERM);
    assert!(terminated.ends().contains("0 packets captured, 0 lost"));
    assert!(tool("capinfos", &["-Mc", &file]).contains("Number of packets:   0"));

    let seconds = [&quiet[..], &["--seconds", "1"]].concat();
    Running::start(&mut capture(&live, &seconds)).ends();

    // No packet is written into the closed pipe, because there is none.
    let mut piped = capture(&live, &["A:lo", "-w", "-"]);
    let mut piped = Running::start(piped.stdout(Stdio::piped()));
    drop(piped.child.stdout.take());
    assert!(piped.ends().contains("0 packets captured"));

    let count = ["A", "B:eth0", "icmp.type == 8", "--count", "3"];
    let mut counted = capture(&live, &count);
    let mut counted = Running::start(counted.stdout(Stdio::piped()));
    assert_eq!(live.ping("A", "B", &[]), "!!!!!");
    let mut lines = String::new();
    counted.child.stdout.take().unwrap().read_to_string(&mut lines).unwrap();
    let numbers: Vec<&str> =
        lines.lines().map(|line| line[..6].trim()).filter(|it| !it.is_empty()).collect();
    assert_eq!(numbers, ["1", "2", "3"], "{lines}");
    assert!(lines.contains(" A:eth0 out 172.16.0.12 > 192.168.0.22 ttl 64 len 100 "), "{lines}");
    assert!(lines.contains(" B:eth0 in  172.16.0.12 > 192.168.0.22 "), "{lines}");
    assert!(counted.ends().contains("3 packets captured, 0 lost"));

    // The output is full, because its reader waits. Then packets wait, or are lost and counted.
    let mut slow = capture(&live, &["A:eth0", "-w", "-"]);
    let mut slow = Running::start(slow.stdout(Stdio::piped()));
    live.shell("A", "ping -q -f -c 3000 -s 500 192.168.0.22");
    slow.signal(Signal::INT);
    let mut octets = Vec::new();
    slow.child.stdout.take().unwrap().read_to_end(&mut octets).unwrap();
    let said = slow.ends();
    let numbers: Vec<usize> = said.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.iter().sum::<usize>() >= 6000, "{said}");

    // The device lisp0 of a router that starts again is another one.
    let again = Running::start(&mut capture(&live, &["xTR1:lisp0", "-w", &file]));
    expect_success(&live.lab("restart", &["xTR1"]));
    live.expect_pings(&[("A", "B")]);
    again.signal(Signal::INT);
    again.ends();
    assert!(!fields(&file, "icmp.type == 8", &["frame.number"]).is_empty());

    let down = Running::start(&mut capture(&live, &["A", "-w", &file]));
    expect_success(&live.lab("down", &[]));
    assert!(down.ends().contains("the lab is down"));
}

#[test]
fn wireshark_lists_the_ports_of_a_lab_and_captures_by_the_extcap_protocol() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "extcap");
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    expect_success(&eidway(&["extcap", "--install", &path("")]));
    // Wireshark starts the script itself.
    let script = |args: &[&str]| run(Command::new(path("eidway")).args(args));
    let said = |args: &[&str]| {
        let output = script(args);
        expect_success(&output);
        text(&output)
    };
    let listed = said(&["--extcap-interfaces", "--extcap-version=4.0"]);
    assert!(listed.starts_with("extcap {version="), "{listed}");
    let name = format!("eidway:{}:xTR1", live.name);
    for value in [&name, &format!("{name}:Ethernet0/0"), &format!("{name}:lisp0")] {
        assert!(
            listed.contains(&format!("interface {{value={value}}}{{display=Eidway ")),
            "{listed}"
        );
    }
    let about = |option: &str| said(&[option, "--extcap-interface", &name]);
    assert!(about("--extcap-dlts").starts_with("dlt {number=1}{name="));
    assert_eq!(about("--extcap-config"), "");
    let begin = ["--capture", "--extcap-interface", &name];
    // Without a FIFO, Wireshark asks whether a filter is right.
    for (filter, is_right) in [("lisp.type == 8", true), ("udp port 4342", false)] {
        let output = script(&[&begin[..], &["--extcap-capture-filter", filter]].concat());
        assert_eq!(output.status.success(), is_right, "{filter}: {}", errors(&output));
    }

    let (fifo, file) = (path("fifo"), path("seen.pcapng"));
    expect_success(&run(Command::new("mkfifo").args(["-m", "600", &fifo])));
    let args = ["--fifo", &fifo, "--extcap-capture-filter", "lisp.type == 8"];
    let mut capture = Command::new(path("eidway"));
    capture.args(begin).args(args).stderr(Stdio::piped());
    let mut capture = capture.spawn().unwrap();
    let mut seen = std::fs::File::open(&fifo).unwrap();
    let mut header = [0; 64];
    seen.read_exact(&mut header).unwrap();
    live.expect_pings(&[("A", "B")]);
    kill_process(Pid::from_child(&capture), Signal::TERM).unwrap();
    let mut octets = header.to_vec();
    seen.read_to_end(&mut octets).unwrap();
    std::fs::write(&file, octets).unwrap();
    let mut errors = String::new();
    capture.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(capture.wait().unwrap().success() && errors.is_empty(), "{errors}");
    let found = fields(&file, "frame", &["lisp.type", "frame.comment"]);
    assert!(!found.is_empty() && found.iter().all(|it| it[0].starts_with('8')), "{found:?}");
    assert!(found[0][1].contains(" sent this Map-Request: "), "{found:?}");
}
