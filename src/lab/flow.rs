//! A flow: a ping that runs beside what else happens, and what it lost.

use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use super::emulated::{self, HostPing};
use super::failure::Failure;
use super::inside;
use super::open::Lab;

/// A ping that runs.
#[derive(Debug)]
pub struct Flow {
    ping: Running,
    every: Duration,
}

/// Whose ping it is.
#[derive(Debug)]
enum Running {
    /// The machine's, in the namespace of a node.
    Program(Program),
    /// An emulated host's.
    Host(HostPing),
}

/// A program that ends with its owner.
#[derive(Debug)]
struct Program(Child);

/// Octets of each echo, as the machine's ping sends them.
const ECHO_SIZE: u16 = 84;

/// How a flow fared. Its `Display` is a line for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Course {
    /// Echos sent, but for one that had no time to be answered before the end.
    pub sent: u64,
    /// Echos answered.
    pub received: u64,
    /// The longest time without an answer beyond that between two echos, in milliseconds.
    pub out_ms: u64,
}

impl Course {
    /// Echos without an answer.
    pub fn lost(self) -> u64 {
        self.sent.saturating_sub(self.received)
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, lost, out_ms) = (self.sent, self.lost(), self.out_ms);
        write!(f, "{lost} of {sent} packets lost, {out_ms} ms out")
    }
}

impl Flow {
    /// Sends echos from a node to `target` until [`Flow::end`].
    pub fn start(lab: &Lab, from: &str, target: IpAddr, every: Duration) -> Result<Self, Failure> {
        lab.expect_node(from)?;
        if emulated::find(lab, from).is_some() {
            let ping = HostPing::start(lab, from, target, (u16::MAX, ECHO_SIZE), Some(every))?;
            return Ok(Flow { ping: Running::Host(ping), every });
        }
        let mut command = inside::program(lab, from, "ping")?;
        command.args(["-n", "-D", "-i"]);
        command.arg(format!("{:.3}", every.as_secs_f64())).arg(target.to_string());
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped());
        // A host that cannot send for a moment says so on each packet: that is part of the story.
        let child = command.stderr(Stdio::null()).spawn().map_err(Failure::io("ping"))?;
        Ok(Flow { ping: Running::Program(Program(child)), every })
    }

    /// Ends it and tells how it fared.
    pub fn end(self) -> Result<Course, Failure> {
        match self.ping {
            Running::Program(program) => program.end(self.every),
            Running::Host(ping) => ping.end(self.every),
        }
    }
}

impl Program {
    fn end(mut self, every: Duration) -> Result<Course, Failure> {
        interrupt(&self.0)?;
        let mut text = String::new();
        if let Some(stdout) = &mut self.0.stdout {
            stdout.read_to_string(&mut text).map_err(Failure::io("ping"))?;
        }
        self.0.wait().map_err(Failure::io("ping"))?;
        course(&text, every)
            .ok_or_else(|| Failure::Other(format!("ping ended without its summary:\n{text}")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Asks a program of ours to end as ^C does. `ip netns exec` has become the program.
pub(super) fn interrupt(child: &Child) -> Result<(), Failure> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else {
        return Err(Failure::new("a process without a number"));
    };
    kill_process(pid, Signal::INT)
        .map_err(|error| Failure::Io { what: "a signal".to_owned(), error: error.into() })
}

/// Reads what `ping -D` printed.
fn course(text: &str, every: Duration) -> Option<Course> {
    let summary = text.lines().find(|line| line.contains(" packets transmitted, "))?;
    let mut numbers = summary.split(", ").filter_map(|part| part.split(' ').next()?.parse().ok());
    let (sent, received) = (numbers.next()?, numbers.next()?);
    let answered = |line: &str| {
        let (_, rest) = line.split_once("icmp_seq=")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    let last = text.lines().filter_map(answered).max();
    // Whatever was lost before, an echo may be under way when the flow ends.
    let under_way = last.is_some_and(|last| last + 1 == sent);
    let sent = sent - u64::from(under_way);
    let stamp = |line: &str| {
        let (stamp, rest) = line.strip_prefix('[')?.split_once(']')?;
        rest.contains("bytes from").then(|| stamp.parse::<f64>().ok()).flatten()
    };
    let times: Vec<f64> = text.lines().filter_map(stamp).collect();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    let out = Duration::try_from_secs_f64(longest).unwrap_or_default().saturating_sub(every);
    Some(Course { sent, received, out_ms: u64::try_from(out.as_millis()).unwrap_or(u64::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silence_counts_beyond_the_interval() {
        let text = "PING 1.1.1.1 (1.1.1.1) 56(84) bytes of data.\n\
            [100.000000] 64 bytes from 1.1.1.1: icmp_seq=1 ttl=64 time=0.1 ms\n\
            [100.010000] 64 bytes from 1.1.1.1: icmp_seq=2 ttl=64 time=0.1 ms\n\
            [100.220000] 64 bytes from 1.1.1.1: icmp_seq=23 ttl=64 time=0.1 ms\n\n\
            --- 1.1.1.1 ping statistics ---\n\
            23 packets transmitted, 3 received, 86.9% packet loss, time 229ms\n";
        let found = course(text, Duration::from_millis(10)).unwrap();
        assert_eq!(found, Course { sent: 23, received: 3, out_ms: 200 });
        assert_eq!(found.to_string(), "20 of 23 packets lost, 200 ms out");
        let under_way = text.replace("23 packets", "24 packets");
        assert_eq!(course(&under_way, Duration::from_millis(10)), Some(found));
        assert_eq!(course("", Duration::ZERO), None);
    }
}
