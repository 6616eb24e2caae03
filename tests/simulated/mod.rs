//! Simulated labs for tests, run by the program itself.

#![allow(dead_code, reason = "each test program uses a part")]

use std::process::{Child, Command, Output};

use rustix::process::{Pid, Signal, kill_process};

/// Runs the program outside of the source tree, so that it uses the labs that are built into it.
pub fn eidway(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
    command.args(args).current_dir("/").output().expect("the program runs")
}

pub fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A simulated lab that is up. It stops when this value is dropped.
pub struct Simulated(pub Child, pub String);

impl Simulated {
    pub fn up(test: &str) -> Self {
        Simulated::up_as(test, "two-sites", "fast", &[])
    }

    pub fn up_as(test: &str, lab: &str, pace: &str, options: &[&str]) -> Self {
        let name = format!("{test}-{}", std::process::id());
        let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
        command.args(["lab", "up", lab, "--sim", "--pace", pace, "--name", &name]).args(options);
        Simulated(command.current_dir("/").spawn().expect("the program runs"), name)
    }

    pub fn console(&self, node: &str, command: &str) -> Output {
        eidway(&["console", &format!("{}/{node}", self.1), "-c", command])
    }

    /// Sends the command again until the answer is as expected, for at most 30 seconds.
    #[expect(clippy::disallowed_methods, reason = "another process, on the real clock")]
    pub fn expect(&self, node: &str, command: &str, is_so: impl Fn(&str) -> bool) {
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
