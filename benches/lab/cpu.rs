//! Reads the CPU time of the machine and of single processes from `/proc/stat` and
//! `/proc/PID/stat`.
//!
//! On veth devices, the kernel counts the way of a packet as CPU time of the process that sends the
//! packet. So only the sum of the machine is right for a path. This sum also includes all other
//! programs, so the machine must be idle otherwise.

use std::fs;
use std::time::Duration;

use crate::Outcome;

/// For user space, the kernel counts in hundredths of a second, with any tick of its own.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of CPU time, of all cores together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub busy: f64,
    pub idle: f64,
}

impl Usage {
    /// Since the machine started.
    pub fn of_machine() -> Outcome<Self> {
        let text = fs::read_to_string("/proc/stat")?;
        let first = text.lines().next().ok_or("/proc/stat is empty")?;
        let ticks = |field: &str| field.parse().unwrap_or(0.0);
        let fields: Vec<f64> = first.split_whitespace().skip(1).map(ticks).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal; guest time is within user.
        let [user, nice, system, idle, iowait, irq, softirq, ..] = fields[..] else {
            return Err("/proc/stat has too few fields".into());
        };
        Ok(Usage {
            busy: (user + nice + system + irq + softirq) / TICKS_PER_SECOND,
            idle: (idle + iowait) / TICKS_PER_SECOND,
        })
    }

    pub fn since(self, before: Usage) -> Usage {
        Usage { busy: self.busy - before.busy, idle: self.idle - before.idle }
    }

    /// Returns the share of the time in which the cores were busy.
    pub fn share(&self) -> f64 {
        self.busy / (self.busy + self.idle).max(f64::MIN_POSITIVE)
    }
}

/// Returns the load of the machine by other programs. It is measured while this program sleeps.
pub fn disturbance() -> Outcome<f64> {
    let before = Usage::of_machine()?;
    std::thread::sleep(Duration::from_millis(500));
    Ok(Usage::of_machine()?.since(before).share())
}

/// Returns the CPU seconds that a process has used, in user space and in the kernel.
pub fn of_process(pid: u32) -> Outcome<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    // The name may contain blanks and parentheses. The numbers begin after the last parenthesis.
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    let both = ticks(11).zip(ticks(12)).ok_or("/proc/PID/stat has too few fields")?;
    Ok((both.0 + both.1) / TICKS_PER_SECOND)
}
