//! The program as a shell sees it, where it needs no privileges: what it prints, and how it ends.

use std::process::{Child, Command, Output};

use rustix::process::{Pid, Signal, kill_process};

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

/// A simulated lab that is up, and ends with the value.
struct Simulated(Child, String);

impl Simulated {
    fn up(test: &str) -> Self {
        let name = format!("{test}-{}", std::process::id());
        let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
        command.args(["lab", "up", "two-sites", "--sim", "--pace", "fast", "--name", &name]);
        Simulated(command.current_dir("/").spawn().expect("the program runs"), name)
    }

    fn console(&self, node: &str, command: &str) -> Output {
        eidway(&["console", &format!("{}/{node}", self.1), "-c", command])
    }

    /// Asks until the answer is as it should be.
    #[expect(clippy::disallowed_methods, reason = "another process, on the real clock")]
    fn expect(&self, node: &str, command: &str, is_so: impl Fn(&str) -> bool) {
        let began = std::time::Instant::now();
        loop {
            let output = self.console(node, command);
            if output.status.success() && is_so(&text(&output.stdout)) {
                return;
            }
            assert!(began.elapsed().as_secs() < 30, "{command}: {output:?}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.0);
        let _ = kill_process(pid, Signal::INT);
        let _ = self.0.wait();
    }
}

#[test]
fn a_console_talks_to_a_simulated_router_whose_time_flies() {
    let mut lab = Simulated::up("sim-console");
    lab.expect("MSMR", "show lisp site", |text| text.contains("yes#"));
    // Of real time, this test has seconds.
    lab.expect("xTR1", "show ip lisp database json", |text| text.contains("172.16.0.0/24"));
    lab.expect("MSMR", "show lisp session json", |text| {
        let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
        json["sessions"][0]["up"].as_u64().is_some_and(|seconds| seconds > 3600)
    });
    let sockets = eidway::lab::open::simulated_run(&lab.1);
    assert!(sockets.join("xTR1.sock").exists());
    kill_process(Pid::from_child(&lab.0), Signal::INT).expect("it lives");
    assert!(lab.0.wait().expect("an end").success());
    assert!(!sockets.exists(), "it leaves nothing behind");
}

#[test]
fn a_pace_that_is_none_is_refused() {
    for pace in ["0", "-1", "inf", "slow"] {
        let output = eidway(&["lab", "up", "two-sites", "--sim", "--pace", pace]);
        assert!(!output.status.success(), "{pace}");
    }
}
