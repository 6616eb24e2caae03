//! A kernel under test, the actions on it, and its visible reactions.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use eidway::router::io::{KernelEvent, KernelRequest, NeighbourState};

use crate::frames::show_mac;

/// The two ports of the kernel under test.
pub const PORTS: [&str; 2] = ["et0-0", "et1-0"];

/// An action on a kernel.
#[derive(Clone, Debug)]
pub enum Act {
    /// The router requests something.
    Want(KernelRequest),
    /// A frame arrives at a port.
    Frame(&'static str, Vec<u8>),
    /// A question arrives at a port. It is repeated until it is answered, because IPv6 does not
    /// listen immediately on a device that has just come up.
    Meet(&'static str, Vec<u8>),
    /// The router's process writes a packet to `lisp0`.
    Tunnel(Vec<u8>),
    /// The process sends this number of octets by UDP. Both ports are 4342, and the two addresses
    /// are the source and the destination.
    Udp(IpAddr, IpAddr, usize),
    /// A command sets a port up or down.
    Up(&'static str, bool),
    /// The other end of the link of a port appears or disappears.
    Carrier(&'static str, bool),
    /// A command is run in the namespace.
    Hand(String),
    /// A deleted device is made again: `lisp0`, or a port with its link.
    Anew(&'static str),
}

/// An action and all its visible reactions. The order of the reactions does not matter.
#[derive(Clone, Debug)]
pub struct Step {
    /// The action.
    pub act: Act,
    /// The reactions, one line for each.
    pub expected: Vec<String>,
    /// The maximum time until all reactions are seen.
    pub within: Duration,
}

/// A test case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The rule that the case shows.
    pub name: String,
    /// The actions before the test. Their reactions are not checked.
    pub setup: Vec<Act>,
    /// The steps of the test.
    pub steps: Vec<Step>,
}

/// A kernel under test.
pub trait Machine {
    /// Does the action.
    fn act(&mut self, act: &Act);
    /// Waits for `wait`. Returns the reactions since the last call.
    fn observe(&mut self, wait: Duration) -> Seen;
    /// The links, addresses, rules, routes and settings, one line for each, sorted.
    fn state(&mut self) -> Vec<String>;
}

/// The visible reactions of a kernel.
#[derive(Debug, Default)]
pub struct Seen {
    /// The frames and packets that left the kernel, one line for each.
    pub lines: Vec<String>,
    /// The events that the kernel reported to the process.
    pub events: Vec<KernelEvent>,
}

/// The time for which no other reaction may come after the expected reactions.
const GRACE: Duration = Duration::from_millis(40);
/// The time between two checks.
const LOOK: Duration = Duration::from_millis(5);
/// The maximum number of attempts to make a neighbour known.
const MEETINGS: u32 = 400;
/// The time to wait after the setup, until its reactions have ended.
const SETTLE: Duration = Duration::from_millis(60);

/// Plays a case.
///
/// # Errors
/// The first step with other reactions: the expected reactions and the seen reactions.
pub fn play(case: &Case, machine: &mut dyn Machine) -> Result<(), String> {
    let mut known = Known::default();
    for act in &case.setup {
        for _ in 0..MEETINGS {
            machine.act(act);
            let seen = machine.observe(LOOK);
            known.take(seen.events, &mut Vec::new());
            let is_met = seen.lines.iter().any(|line| line.contains(" is at "));
            if !matches!(act, Act::Meet(..)) || is_met {
                break;
            }
        }
    }
    known.take(machine.observe(SETTLE).events, &mut Vec::new());
    for (at, step) in case.steps.iter().enumerate() {
        let mut expected = step.expected.clone();
        expected.sort();
        let before = known.state();
        machine.act(&step.act);
        let (mut lines, mut told) = (Vec::new(), Vec::new());
        let (mut waited, mut quiet) = (Duration::ZERO, Duration::ZERO);
        let seen = loop {
            let seen = machine.observe(LOOK);
            lines.extend(seen.lines);
            known.take(seen.events, &mut told);
            let mut all: Vec<String> = lines.iter().chain(&told).cloned().collect();
            all.extend(difference(&before, &known.state()));
            all.sort();
            waited += LOOK;
            quiet = if all == expected { quiet + LOOK } else { Duration::ZERO };
            if quiet >= GRACE || waited >= step.within.max(GRACE) {
                break all;
            }
        };
        if seen != expected {
            let what = format!("{:?}", step.act);
            let what: String = what.chars().take(100).collect();
            let (expected, seen) = (expected.join("\n    "), seen.join("\n    "));
            return Err(format!(
                "  step {at}: {what}\n  expected:\n    {expected}\n  seen:\n    {seen}\n"
            ));
        }
    }
    Ok(())
}

/// The links and routes that the process knows from the events of the kernel.
#[derive(Default)]
struct Known {
    links: BTreeMap<String, String>,
    routes: Vec<String>,
}

impl Known {
    /// Applies events to the tables. Events about neighbours, lost objects and refusals become
    /// lines.
    fn take(&mut self, events: Vec<KernelEvent>, lines: &mut Vec<String>) {
        for event in events {
            match event {
                KernelEvent::Link { device, up, carrier, mtu } => {
                    let state = match (up, carrier) {
                        (false, _) => "down",
                        (true, false) => "without carrier",
                        (true, true) => "up",
                    };
                    if PORTS.contains(&device.as_str()) {
                        self.links.insert(device.clone(), format!("{device} {state} mtu {mtu}"));
                    }
                }
                KernelEvent::LinkGone { device } => drop(self.links.remove(&device)),
                KernelEvent::Routes(routes) => {
                    self.routes = routes.iter().map(show_route).collect();
                }
                KernelEvent::RouteAdded(route) => self.routes.push(show_route(&route)),
                KernelEvent::RouteRemoved(route) => {
                    let gone = show_route(&route);
                    self.routes.retain(|other| *other != gone);
                }
                // This event is not compared, because the two kernels belong to two machines.
                KernelEvent::NeighbourTable { .. } => {}
                KernelEvent::Neighbour { device, address, state } => {
                    let state = match state {
                        NeighbourState::Known(mac) => format!("at {}", show_mac(mac.0)),
                        NeighbourState::Failed => "failed".to_owned(),
                        NeighbourState::Absent => "absent".to_owned(),
                    };
                    lines.push(format!("told: {device} {address} {state}"));
                }
                KernelEvent::Lost(objects) => {
                    lines.extend(objects.iter().map(|object| format!("lost: {object}")));
                }
                KernelEvent::Refused { error, .. } => lines.push(format!("refused: {error}")),
            }
        }
    }

    fn state(&self) -> Vec<String> {
        let mut state: Vec<String> = self.links.values().cloned().collect();
        state.extend(self.routes.iter().map(|route| format!("route {route}")));
        state.sort();
        state.dedup();
        state
    }
}

fn show_route(route: &eidway::router::io::KernelRoute) -> String {
    let via = route.gateway.map_or(String::new(), |gateway| format!(" via {gateway}"));
    format!("{} {}{via} metric {}", route.prefix, route.device, route.metric)
}

/// The difference of two states: `+` for a new line, `-` for a removed line.
fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let come = after.iter().filter(|row| !before.contains(row)).map(|row| format!("+ {row}"));
    let gone = before.iter().filter(|row| !after.contains(row)).map(|row| format!("- {row}"));
    come.chain(gone).collect()
}
