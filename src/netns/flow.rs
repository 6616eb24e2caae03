//! A flow in namespaces. A flow is a ping that runs in the background.

use std::io::Read;
use std::net::IpAddr;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::emulated::{self, HostPing};
use super::inside;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::flow::FlowReport;

/// A running flow.
#[derive(Debug)]
pub struct Flow {
    ping: Running,
    every: Duration,
}

/// The running ping of a flow.
#[derive(Debug)]
enum Running {
    /// A ping program of this machine, in the namespace of a node.
    Program(Program),
    /// The ping of an emulated host.
    Host(HostPing),
}

/// A running program. When this value is dropped, the program is killed.
#[derive(Debug)]
struct Program(Child);

/// The length in octets of each echo that an emulated host sends. The ping program sends echos of
/// the same length over IPv4.
const ECHO_SIZE: u16 = 84;

impl Flow {
    /// Begins a flow: a node sends echos to `target` until [`Flow::end`] is called.
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
        // If a host cannot send for a moment, the ping program prints an error for each packet.
        // Such errors are expected, so they are not shown.
        let child = command.stderr(Stdio::null()).spawn().map_err(Failure::io("ping"))?;
        Ok(Flow { ping: Running::Program(Program(child)), every })
    }

    /// Ends the flow and returns its report.
    pub fn end(self) -> Result<FlowReport, Failure> {
        match self.ping {
            Running::Program(program) => program.end(self.every),
            Running::Host(ping) => ping.end(self.every),
        }
    }
}

impl Program {
    fn end(mut self, every: Duration) -> Result<FlowReport, Failure> {
        interrupt(&self.0)?;
        let mut text = String::new();
        if let Some(stdout) = &mut self.0.stdout {
            stdout.read_to_string(&mut text).map_err(Failure::io("ping"))?;
        }
        self.0.wait().map_err(Failure::io("ping"))?;
        flow_report(&text, every)
            .ok_or_else(|| Failure::Other(format!("ping ended without its summary:\n{text}")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Sends the signal of Ctrl-C to a program in a namespace. This process has started `ip netns exec`
/// as `child`, and `ip` has replaced itself with the program. So the process number of `child` is
/// the number of the program.
fn interrupt(child: &Child) -> Result<(), Failure> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else {
        return Err(Failure::new("the process of ping has no process number"));
    };
    kill_process(pid, Signal::INT)
        .map_err(|error| Failure::Io { what: "a signal".to_owned(), error: error.into() })
}

/// Makes the report of a flow from the output of `ping -D`. Returns `None` if the output has no
/// summary.
fn flow_report(text: &str, every: Duration) -> Option<FlowReport> {
    let summary = text.lines().find(|line| line.contains(" packets transmitted, "))?;
    let mut numbers = summary.split(", ").filter_map(|part| part.split(' ').next()?.parse().ok());
    let (sent, received) = (numbers.next()?, numbers.next()?);
    // Returns the number of the echo that a line shows, and the time of the answer to this echo.
    let answer = |line: &str| {
        let (stamp, rest) = line.strip_prefix('[')?.split_once(']')?;
        let (_, number) = rest.split_once("icmp_seq=").filter(|_| rest.contains("bytes from"))?;
        let number = number.split(' ').next()?.parse::<u32>().ok()?;
        Some((number, Duration::try_from_secs_f64(stamp.parse().ok()?).ok()?))
    };
    let mut answers: Vec<(u32, Duration)> = text.lines().filter_map(answer).collect();
    answers.sort();
    // The ping program gives numbers to its echos, and sends them at equal intervals. It does not
    // print the times at which it has sent the echos, so these times are computed here.
    let all = u32::try_from(sent).ok()?;
    let (mut first, mut last) = (Duration::ZERO, every * all.saturating_sub(1));
    let mut distance = every;
    if let (Some(&(low, early)), Some(&(high, late))) = (answers.first(), answers.last()) {
        if high > low {
            distance = late.saturating_sub(early) / (high - low);
        }
        first = early.saturating_sub(distance * low.saturating_sub(1));
        last = late + distance * all.saturating_sub(high);
    }
    // If the flow ends before the last echo is answered, this echo is not counted as lost.
    let under_way = answers.last().is_some_and(|(number, _)| number + 1 == all);
    let mut times: Vec<Duration> = answers.into_iter().map(|(_, at)| at).collect();
    times.sort();
    times.truncate(usize::try_from(received).ok()?);
    let flow_report = FlowReport::of(sent - u64::from(under_way), (first, last), &times, distance);
    Some(FlowReport { received, ..flow_report })
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
        let found = flow_report(text, Duration::from_millis(10)).unwrap();
        assert_eq!(found, FlowReport { sent: 23, received: 3, out_ms: 200, is_back: true });
        assert_eq!(found.to_string(), "20 of 23 packets lost, longest interruption 200 ms");
        let under_way = text.replace("23 packets", "24 packets");
        assert_eq!(flow_report(&under_way, Duration::from_millis(10)), Some(found));
        assert_eq!(flow_report("", Duration::ZERO), None);
    }

    #[test]
    fn a_flow_that_ends_in_silence_is_not_back_and_says_for_how_long() {
        let flow_report = |answers: &str, sent: u32, received: u32| {
            let summary =
                format!("{sent} packets transmitted, {received} received, x% packet loss");
            flow_report(&format!("{answers}\n{summary}\n"), Duration::from_millis(10)).unwrap()
        };
        let two = "[100.000000] 64 bytes from 1.1.1.1: icmp_seq=1 ttl=64 time=0.1 ms\n\
                   [100.010000] 64 bytes from 1.1.1.1: icmp_seq=2 ttl=64 time=0.1 ms";
        let gone = flow_report(two, 202, 2);
        assert_eq!((gone.out_ms, gone.is_back), (1990, false));
        assert_eq!(gone.to_string(), "200 of 202 packets lost, still no answer after 2.0 s");
        let never = flow_report("", 396, 0);
        assert!(!never.is_back);
        assert_eq!(never.to_string(), "396 of 396 packets lost, no answers");
        let late =
            two.replace("icmp_seq=1 ", "icmp_seq=101 ").replace("icmp_seq=2 ", "icmp_seq=102 ");
        let late = flow_report(&late, 102, 2);
        assert_eq!((late.out_ms, late.is_back), (990, true), "the silence before the first answer");
    }
}
