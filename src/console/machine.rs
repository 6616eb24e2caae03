//! The interface between a console and the machine of its router: the startup configuration, the
//! files in `flash:`, the log, the users of the console and the process. The driver uses files and
//! a process of the operating system. The simulator stores the same data in memory.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::flash::Storage;

/// The maximum number of log lines that a router keeps for `show logging`. If there are more, the
/// oldest lines are dropped.
pub const LOG_LINES: usize = 1000;

/// The addresses of hosts, by the names of the hosts.
pub type HostNames = BTreeMap<String, Vec<IpAddr>>;

/// The machine of a router, as a console uses it.
pub trait Machine {
    /// The startup configuration.
    ///
    /// # Errors
    /// A sentence for the user, if the file cannot be read.
    fn startup(&self) -> Result<Startup, String>;

    /// Replaces the startup configuration. After an error or a crash, the file contains either the
    /// whole old text or the whole new text. Returns a sentence that names the place of the file.
    ///
    /// # Errors
    /// A sentence for the user, if the file cannot be written.
    fn save(&mut self, text: &str) -> Result<String, String>;

    /// The files in `flash:`. `None` if the router has no place for files.
    fn storage(&self) -> Option<&dyn Storage>;

    /// The files in `flash:`, as a mutable reference.
    fn storage_mut(&mut self) -> Option<&mut dyn Storage>;

    /// Requests a restart of the router with the startup configuration. The router restarts after
    /// the session has sent its answer. Then all sessions end.
    fn restart(&mut self);

    /// The latest lines of the log. The oldest of these lines is the first.
    fn log(&self) -> Vec<LogLine>;

    /// Deletes the log lines that [`Machine::log`] returns. A log file is not changed.
    fn clear_log(&mut self);

    /// The sessions at the console of the router.
    fn users(&self) -> Vec<User>;

    /// The names and addresses of the hosts in the lab of the router. These hosts are not in the
    /// configuration.
    fn lab_hosts(&self) -> &HostNames;

    /// The resources that the process of the router uses. `None` if the router has no process of
    /// its own.
    fn usage(&self) -> Option<Usage>;

    /// The fast path of the router.
    fn fast_path(&self) -> FastPath;
}

/// Reads names in the format of `/etc/hosts`: each line has an address, and then names. A `#`
/// begins a comment. A line is skipped if its first word is not an address.
pub fn read_host_names(text: &str) -> HostNames {
    let mut names = HostNames::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else { continue };
        for name in words {
            names.entry(name.to_owned()).or_default().push(address);
        }
    }
    names
}

/// The startup configuration of a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Startup {
    /// The directory and the name of the file.
    pub path: (String, String),
    /// The content of the file.
    pub text: String,
    /// The wall-clock time of the latest change, in microseconds since 1970. `None` if it is not
    /// known.
    pub modified: Option<u64>,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LoggedLine")]
pub struct LogLine {
    /// The wall-clock time of the line, in microseconds since 1970.
    pub wall_clock: u64,
    /// Whether the line is a warning. After a warning, the operator has to act. A line that is not
    /// a warning is a notice.
    pub is_warning: bool,
    /// The text of the line.
    pub text: String,
}

/// A session at the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// The number of the session.
    pub line: usize,
    /// Whether this session is the one that asked for the list of sessions.
    pub is_own: bool,
    /// Seconds since the latest command of the session.
    pub idle: u64,
}

/// The resources that a process uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// The number of the process.
    pub pid: u32,
    /// The processor time of the process since its start, in milliseconds.
    pub cpu_ms: u64,
    /// The processor time that the kernel used for the process, in milliseconds. It is a part of
    /// `cpu_ms`.
    pub kernel_ms: u64,
    /// The memory of the process in RAM, in octets.
    pub resident: u64,
}

/// The fast path of a router: the kernel forwards the packets of flows that the router knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FastPath {
    /// The reason why the process of the router forwards all packets. `None` if the fast path is in
    /// use.
    pub reason: Option<String>,
    /// The counts. `None` if the router has no programs in the kernel.
    pub counts: Option<FastPathCounts>,
}

impl FastPath {
    /// The state of a router that has no fast path. `reason` says why.
    pub fn missing(reason: &str) -> Self {
        FastPath { reason: Some(reason.to_owned()), counts: None }
    }
}

/// The counts of the fast path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FastPathCounts {
    /// The epoch. A new epoch begins when decisions of the router may have changed. The kernel does
    /// not use a decision of an earlier epoch.
    pub epoch: u64,
    /// The flows from the site to the core.
    pub outbound: FlowCounts,
    /// The flows from the core to the site.
    pub inbound: FlowCounts,
    /// For each cause, the number of packets that the kernel did not forward, but passed to the
    /// process of the router.
    pub misses: Vec<MissCount>,
}

/// The counts of the flows in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowCounts {
    /// The number of flows for which the kernel has the decision of the router.
    pub flows: usize,
    /// The number of flows that the process of the router forwards, because these flows have many
    /// small packets. The process is faster than the kernel for such a flow.
    pub kept: usize,
    /// The number of packets that the kernel has forwarded. Packets that the kernel handles
    /// together count as one.
    pub hits: u64,
}

/// A cause for which the kernel does not forward packets, and the number of these packets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissCount {
    /// The cause.
    pub cause: String,
    /// The number of packets.
    pub packets: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_read_as_in_etc_hosts() {
        let text = "# names\n10.0.0.1 A a\n\n2001:db8::1\tA # both\nno address\n10.0.0.2\n";
        let names = read_host_names(text);
        let addresses =
            |name: &str| names[name].iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(addresses("A"), ["10.0.0.1", "2001:db8::1"]);
        assert_eq!(addresses("a"), ["10.0.0.1"]);
        assert_eq!(names.len(), 2);
    }
}
