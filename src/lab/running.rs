//! A lab that is up: the face that namespaces and the simulator show to the verbs of `eidway lab`.

use std::net::IpAddr;
use std::time::Duration;

use super::Lab;
use super::failure::Failure;
use super::flow::FlowReport;
use super::ping::{Echos, Outcome, Tally};
use super::scenario::{LinkChange, Place};
use crate::console::client::Answer;

/// A node of a lab as it is found.
#[derive(Clone, Debug, Default)]
pub struct NodeState {
    /// It is there: in namespaces, its namespace is.
    pub exists: bool,
    /// The router's process runs.
    pub runs: bool,
    /// The number of that process on this machine.
    pub pid: Option<u32>,
    /// Its namespace; an emulated host's is that of its router.
    pub namespace: Option<String>,
    /// The router that emulates the host.
    pub player: Option<String>,
}

/// How a host is plugged into another LAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugging {
    /// It leaves one LAN in the instant in which it joins the other.
    Atomic,
    /// It is in both LANs for a second, and speaks in the one that it moves to.
    MakeBeforeBreak,
}

/// A lab that is up, in namespaces or on the simulator. Flows have the names that the caller gives them.
pub trait RunningLab {
    /// The lab that is up.
    fn lab(&self) -> &Lab;

    /// The time since some instant of the lab's past.
    fn now(&self) -> Duration;

    /// Lets the lab go on for so long.
    ///
    /// # Errors
    /// An interruption by a person.
    fn pass(&mut self, time: Duration) -> Result<(), Failure>;

    /// Runs a command in the session on a router. The session lasts until [`RunningLab::end_session`].
    ///
    /// # Errors
    /// A router that does not run, or does not answer. A refused command is an answer.
    fn console(&mut self, node: &str, command: &str) -> Result<Answer, Failure>;

    /// Ends the session on a router, if there is one: the next command opens another.
    fn end_session(&mut self, node: &str);

    /// Looks at a node of the lab.
    fn node(&mut self, node: &str) -> NodeState;

    /// Refuses a node that cannot ping.
    ///
    /// # Errors
    /// The reason, such as a program that this machine does not have.
    fn expect_ping(&mut self, from: &str) -> Result<(), Failure>;

    /// Pings from a node, one echo after the other: the next goes as soon as the one before is answered
    /// or lost. `seen` gets each outcome.
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

    /// Pings from each of these nodes to the address beside it: a tally for each. The pings of one node
    /// go one after the other; those of different nodes may go at once.
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

    /// Begins a ping that goes on until [`RunningLab::end`].
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
    /// No flow of this name.
    fn end(&mut self, name: &str) -> Result<FlowReport, Failure>;

    /// Plugs a host into the LAN of a router, or of `ROUTER:INTERFACE`.
    ///
    /// # Errors
    /// A host that cannot be moved there so.
    fn move_host(&mut self, host: &str, to: &str, how: Plugging) -> Result<(), Failure>;

    /// Starts a router that does not run. Progress goes to `say`.
    ///
    /// # Errors
    /// A router that runs, and one that ends at once.
    fn start(&mut self, node: &str, say: &mut dyn FnMut(&str)) -> Result<(), Failure>;

    /// Stops a router; with `kill` it cannot send a last message. Progress goes to `say`.
    ///
    /// # Errors
    /// A node that is no router, or a router that does not run.
    fn stop(&mut self, node: &str, kill: bool, say: &mut dyn FnMut(&str)) -> Result<(), Failure>;

    /// Takes a port up or down, or changes its MTU.
    ///
    /// # Errors
    /// A port that the lab does not have.
    fn link(&mut self, port: &Place, change: LinkChange) -> Result<(), Failure>;

    /// An error that says `problem` of a router, with the end of the router's log if there is one.
    fn with_log(&self, node: &str, problem: &str) -> Failure;
}
