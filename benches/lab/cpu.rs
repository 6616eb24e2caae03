//! CPU time of the machine, and of single processes: `/proc/stat` and `/proc/PID/stat`.
//!
//! On veth a packet's way through the kernel is charged to the process that happened to send it, so
//! only the machine's sum is right for a path. It counts everything else that runs, too: in a quiet hour
//! that is nothing.

use std::fs;
use std::time::Duration;

use crate::Outcome;

/// The kernel counts in hundredths of a second towards user space, for every tick of its own.
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

    /// The busy share of all cores.
    pub fn share(&self) -> f64 {
        self.busy / (self.busy + self.idle).max(f64::MIN_POSITIVE)
    }
}

/// How busy the machine is with others: looked at while we sleep.
pub fn disturbance() -> Outcome<f64> {
    let before = Usage::of_machine()?;
    std::thread::sleep(Duration::from_millis(500));
    Ok(Usage::of_machine()?.since(before).share())
}

/// CPU seconds that a process has had, in user space and kernel.
pub fn of_process(pid: u32) -> Outcome<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    // The name may hold blanks and parentheses; the numbers begin after the last one.
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    let both = ticks(11).zip(ticks(12)).ok_or("/proc/PID/stat has too few fields")?;
    Ok((both.0 + both.1) / TICKS_PER_SECOND)
}
