//! Round-trip times, by the `ping` of iputils.

use crate::Outcome;
use crate::figures::median;
use crate::topology::{B, Topology, run};

/// The interval between two echo requests, in seconds. It is so short that no core of the processor
/// goes into a deep sleep.
const INTERVAL: &str = "0.01";

/// Returns the median of `count` round-trip times from A to B, in milliseconds.
pub fn round_trip(topology: &Topology, count: u32) -> Outcome<f64> {
    let mut ping = topology.command("A", "ping");
    ping.args(["-n", "-i", INTERVAL, "-c", &count.to_string(), &B.to_string()]);
    let printed = run(&mut ping)?;
    let time = |line: &str| line.split_once("time=")?.1.split(' ').next()?.parse().ok();
    // The first times are left out, because the ARP and flow caches are empty then.
    let times: Vec<f64> = printed.lines().filter_map(time).skip(10).collect();
    median(&times).ok_or_else(|| "no echo came back".into())
}
