//! The trait for a lab that is up. Namespaces and the simulator implement the trait, and the verbs
//! of labs use it.

use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::Lab;
use super::failure::Failure;
use super::file::Port;
use super::flow::FlowReport;
use super::impairment::{Counts, Impairment};
use super::kernel::{LinkState, Route, RouteQuery};
use super::link_target::Target;
use super::ping::{Echos, Outcome, Tally};
use super::plugging::Plugging;
use super::scenario::{LinkChange, Place};
use crate::console::client::Answer;
use crate::console::protocol::{Done, Request, Response};

/// The current state of a node of a lab.
#[derive(Clone, Debug, Default)]
pub struct NodeState {
    /// Whether the node exists. In namespaces, this means that its namespace exists.
    pub exists: bool,
    /// Whether the process of the router runs.
    pub runs: bool,
    /// The process number of the router on this machine.
    pub pid: Option<u32>,
    /// The namespace of the node. For an emulated host, it is the namespace of its router.
    pub namespace: Option<String>,
    /// For an emulated host, the router that runs it.
    pub player: Option<String>,
    /// The programs of a host.
    pub programs: Vec<ProgramState>,
}

/// A program of a host: an element of the key `run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProgramState {
    /// The command.
    pub command: String,
    /// The process number of the program, if it runs. The simulator runs no programs.
    pub pid: Option<u32>,
    /// The file with the output of the program. `None` on the simulator.
    pub log: Option<String>,
}

/// One direction of a link of a lab that is up.
#[derive(Clone, Debug, PartialEq)]
pub struct Sender {
    /// The port that sends.
    pub port: Port,
    /// The impairment of the packets that this port sends.
    pub impairment: Impairment,
    /// The counters of the packets since the link was first impaired. On the simulator, they begin
    /// at the start of the lab.
    pub counts: Counts,
}

/// A lab that is up, in namespaces or on the simulator. The caller gives each flow a name.
pub trait RunningLab {
    /// The lab.
    fn lab(&self) -> &Lab;

    /// The time since a fixed moment. All times of one lab are counted from the same moment.
    fn now(&self) -> Duration;

    /// Lets the lab run for this time before the function returns.
    ///
    /// # Errors
    /// The user has interrupted the wait.
    fn pass(&mut self, time: Duration) -> Result<(), Failure>;

    /// Runs a command on a router, in a session. The session continues with the next command, until
    /// [`RunningLab::end_session`].
    ///
    /// # Errors
    /// The router does not run or does not answer. If the router refuses the command, this is an
    /// answer and not an error.
    fn console(&mut self, node: &str, command: &str) -> Result<Answer, Failure>;

    /// Runs a command on a router, in a session of its own. The session of
    /// [`RunningLab::console`] keeps its mode.
    ///
    /// # Errors
    /// The errors of [`RunningLab::console`].
    fn ask_once(&mut self, node: &str, command: &str) -> Result<Answer, Failure>;

    /// Carries out a request in the session of [`RunningLab::console`]. Passes each response to
    /// `each` when the response arrives. Debug lines that were not passed on before are responses
    /// too. If `each` returns true, the running command is interrupted. Returns the end of the
    /// answer.
    ///
    /// # Errors
    /// The errors of [`RunningLab::console`].
    fn converse(
        &mut self,
        node: &str,
        request: Request,
        each: &mut dyn FnMut(Response) -> bool,
    ) -> Result<Done, Failure>;

    /// Ends the session on a router, if there is one. The next command opens a new session.
    fn end_session(&mut self, node: &str);

    /// Returns the state of a node of the lab.
    fn node(&mut self, node: &str) -> NodeState;

    /// Checks that a node can send pings. Returns an error otherwise.
    ///
    /// # Errors
    /// The node cannot send pings, for example because this machine has no program `ping`. The
    /// error has the reason.
    fn expect_ping(&mut self, from: &str) -> Result<(), Failure>;

    /// Pings from a node. The next echo is sent as soon as the previous echo is answered or lost.
    /// `seen` is called with each outcome.
    ///
    /// # Errors
    /// The node cannot send pings, for a reason of [`RunningLab::expect_ping`].
    fn ping(
        &mut self,
        from: &str,
        target: IpAddr,
        echos: Echos,
        seen: &mut dyn FnMut(Outcome),
    ) -> Result<Tally, Failure>;

    /// Sends the pings of all items of `pings`, and returns the outcomes of each item. An item is a
    /// node, and the address that this node pings. A node sends its pings one after the other.
    /// Different nodes may ping at the same time.
    ///
    /// # Errors
    /// One of the nodes cannot send pings, for a reason of [`RunningLab::expect_ping`].
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

    /// Begins a flow, which is a ping in the background. It continues until [`RunningLab::end`].
    ///
    /// # Errors
    /// The node cannot send pings, for a reason of [`RunningLab::expect_ping`].
    fn flow(
        &mut self,
        name: &str,
        from: &str,
        target: IpAddr,
        every: Duration,
    ) -> Result<(), Failure>;

    /// Ends a flow and returns its report.
    ///
    /// # Errors
    /// No flow has this name.
    fn end(&mut self, name: &str) -> Result<FlowReport, Failure>;

    /// Moves a host to the LAN of a router, or to the LAN of `ROUTER:INTERFACE`.
    ///
    /// # Errors
    /// The host cannot be moved to this LAN in this manner.
    fn move_host(&mut self, host: &str, to: &str, how: Plugging) -> Result<(), Failure>;

    /// Starts a router that does not run. `say` is called with lines of progress.
    ///
    /// # Errors
    /// The router already runs, or it ends immediately.
    fn start(&mut self, node: &str, say: &mut dyn FnMut(&str)) -> Result<(), Failure>;

    /// Stops a router. If `kill` is true, the router cannot send a last message. `say` is called
    /// with lines of progress.
    ///
    /// # Errors
    /// The node is not a router, or the router does not run.
    fn stop(&mut self, node: &str, kill: bool, say: &mut dyn FnMut(&str)) -> Result<(), Failure>;

    /// Sets a port up or down, or changes its MTU.
    ///
    /// # Errors
    /// The lab does not have this port.
    fn link(&mut self, port: &Place, change: LinkChange) -> Result<(), Failure>;

    /// Changes the impairment of a link, or of one direction of a link. The new impairment replaces
    /// the present impairment. If the new impairment has no MTU, the link gets the MTU of the lab
    /// file.
    ///
    /// # Errors
    /// The impairment of one direction has an MTU, or this machine cannot impair links.
    fn impair(&mut self, target: Target, impairment: &Impairment) -> Result<(), Failure>;

    /// Returns the impairments of the links, in the order of the lab file. Each link has two: one
    /// for each end that sends.
    ///
    /// # Errors
    /// The program that impairs the links has ended.
    fn impairments(&mut self) -> Result<Vec<Sender>, Failure>;

    /// Returns the devices of a node, each with the neighbours that the kernel already knows. The
    /// kernel does not search for other neighbours.
    ///
    /// # Errors
    /// The kernel of the node cannot be read.
    fn links(&mut self, node: &str) -> Result<Vec<LinkState>, Failure>;

    /// Returns the route that the kernel of a node uses for a packet. No packet is sent.
    ///
    /// # Errors
    /// The kernel of the node cannot be read.
    fn route(&mut self, node: &str, query: &RouteQuery) -> Result<Route, Failure>;

    /// Makes an error that contains `problem`. If the router has a log, the error also contains the
    /// last lines of the log.
    fn with_log(&self, node: &str, problem: &str) -> Failure;
}
