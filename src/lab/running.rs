//! A lab that is up: the trait that namespaces and the simulator implement for the verbs of labs.

use std::net::IpAddr;
use std::time::Duration;

use super::Lab;
use super::failure::Failure;
use super::flow::FlowReport;
use super::ping::{Echos, Outcome, Tally};
use super::scenario::{LinkChange, Place};
use crate::console::client::Answer;

/// The current state of a node of a lab.
#[derive(Clone, Debug, Default)]
pub struct NodeState {
    /// Whether the node exists: in namespaces, whether its namespace exists.
    pub exists: bool,
    /// Whether the router's process runs.
    pub runs: bool,
    /// The number of that process on this machine.
    pub pid: Option<u32>,
    /// Its namespace, or for an emulated host the namespace of its router.
    pub namespace: Option<String>,
    /// The router that emulates the host.
    pub player: Option<String>,
}

/// How a host is plugged into another LAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugging {
    /// The host leaves one LAN in the instant in which it joins the other.
    Atomic,
    /// The host is in both LANs for a second, and sends only in the new LAN.
    MakeBeforeBreak,
}

/// A lab that is up, in namespaces or on the simulator. The caller chooses the names of flows.
pub trait RunningLab {
    /// The lab that is up.
    fn lab(&self) -> &Lab;

    /// The time since a fixed instant in the lab's past.
    fn now(&self) -> Duration;

    /// Lets the lab run for this time.
    ///
    /// # Errors
    /// An interruption by the user.
    fn pass(&mut self, time: Duration) -> Result<(), Failure>;

    /// Runs a command in the session on a router. The session lasts until
    /// [`RunningLab::end_session`].
    ///
    /// # Errors
    /// A router that does not run, or does not answer. A refused command is an answer.
    fn console(&mut self, node: &str, command: &str) -> Result<Answer, Failure>;

    /// Ends the session on a router, if there is one: the next command opens another.
    fn end_session(&mut self, node: &str);

    /// Reads the state of a node of the lab.
    fn node(&mut self, node: &str) -> NodeState;

    /// Refuses a node that cannot ping.
    ///
    /// # Errors
    /// The reason, such as a program that this machine does not have.
    fn expect_ping(&mut self, from: &str) -> Result<(), Failure>;

    /// Pings from a node, one echo after the other: the next echo is sent as soon as the previous
    /// one is answered or lost. `seen` gets each outcome.
    ///
    /// # Errors
    /// A node that cannot ping.
    fn ping(
        &mut self,
        from: &str,
        target: IpAddr,
        echos: Echos,
        seen: &mut dyn FnMut(Outcome),
    ) -> Result<Tally, Failure>;

    /// Pings from each of these nodes to the address beside it, and returns one tally for each
    /// pair. The pings of one node run one after the other; the pings of different nodes may run at
    /// the same time.
    ///
    /// # Errors
    /// A node that cannot ping.
    fn ping_each(
        &mut self,
        pings: &[(String, IpAddr)],
        echos: Echos,
    ) -> Result<Vec<Tally>, Failure> {
        let mut tallies = Vec::new();
        for (from, target) in pings {
            tallies.push(self.ping(from, *target, echos, &mut |_| ())?);
        }
        Ok(tallies)
    }

    /// Begins a ping that continues until [`RunningLab::end`].
    ///
    /// # Errors
    /// A node that cannot ping.
    fn flow(
        &mut self,
        name: &str,
        from: &str,
        target: IpAddr,
        every: Duration,
    ) -> Result<(), Failure>;

    /// Ends a flow.
    ///
    /// # Errors
    /// A name that no flow has.
    fn end(&mut self, name: &str) -> Result<FlowReport, Failure>;

    /// Plugs a host into the LAN of a router, or of `ROUTER:INTERFACE`.
    ///
    /// # Errors
    /// A host that cannot be moved to this LAN in this manner.
    fn move_host(&mut self, host: &str, to: &str, how: Plugging) -> Result<(), Failure>;

    /// Starts a router that does not run. `say` gets lines of progress.
    ///
    /// # Errors
    /// A router that already runs, or that ends immediately.
    fn start(&mut self, node: &str, say: &mut dyn FnMut(&str)) -> Result<(), Failure>;

    /// Stops a router; with `kill` it cannot send a last message. `say` gets lines of progress.
    ///
    /// # Errors
    /// A node that is not a router, or a router that does not run.
    fn stop(&mut self, node: &str, kill: bool, say: &mut dyn FnMut(&str)) -> Result<(), Failure>;

    /// Takes a port up or down, or changes its MTU.
    ///
    /// # Errors
    /// A port that the lab does not have.
    fn link(&mut self, port: &Place, change: LinkChange) -> Result<(), Failure>;

    /// An error with the `problem` of a router and the end of the router's log, if there is a log.
    fn with_log(&self, node: &str, problem: &str) -> Failure;
}
