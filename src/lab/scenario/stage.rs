//! The stage of a scenario: a lab that is up, simulated or in namespaces.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use ipnet::IpNet;

use super::expect::Packet;
use super::stream::Arrived;
use super::{Datagrams, Ends, LinkChange, Ping, Place, Replay};
use crate::console::client::Answer;
use crate::lab::failure::Failure;
use crate::lab::flow::Course;
use crate::lab::ping::Tally;

/// A file that is kept when a scenario has failed: its name and its octets.
pub type Evidence = (String, Vec<u8>);

/// A lab that is up, simulated or in namespaces. Captures and flows have the names that the scenario
/// gives them.
pub trait Stage {
    /// The time since the stage was set.
    fn now(&self) -> Duration;
    /// Lets the lab go on for so long; fails when the user interrupts it.
    fn pass(&mut self, time: Duration) -> Result<(), Failure>;
    /// A command in the router's session, which lasts from step to step.
    fn console(&mut self, node: &str, command: &str) -> Result<Answer, Failure>;
    /// Ends the session on a router, if there is one: the next command opens another.
    fn end_session(&mut self, node: &str);
    /// Pings and prints IOS's block on `out`.
    fn ping(&mut self, ping: &Ping, out: &mut dyn Write) -> Result<Tally, Failure>;
    /// Begins a ping that goes on until [`Stage::end`].
    fn flow(&mut self, name: &str, ends: &Ends, every: Duration) -> Result<(), Failure>;
    /// Ends a flow.
    fn end(&mut self, name: &str) -> Result<Course, Failure>;
    /// Begins to capture the packets of a port.
    fn capture(&mut self, name: &str, port: &Place) -> Result<(), Failure>;
    /// The packets of a capture that pass a display filter, with the value of `field`; the first
    /// call ends the capture.
    fn packets(&mut self, name: &str, filter: &str, field: &str) -> Result<Vec<Packet>, Failure>;
    /// The flaws of each capture: a line for each packet that no dissector understands.
    fn flaws(&mut self) -> Result<BTreeMap<String, Vec<String>>, Failure>;
    /// Sends a captured packet again.
    fn replay(&mut self, what: &Replay, node: &str) -> Result<(), Failure>;
    /// Sends datagrams of the scenario's own from a node, each as an IPv4 packet with a UDP checksum
    /// and the source that it claims, from any node: all payloads in order, that
    /// [`Datagrams::times`] over, [`Datagrams::every`] between two. Returns when the last has gone.
    fn send(&mut self, node: &str, datagrams: &Datagrams) -> Result<(), Failure>;
    /// Opens a TCP connection from an address of a node, as a client that is no router. One that is
    /// refused is no failure: [`Stage::arrived`] tells.
    fn connect(
        &mut self,
        name: &str,
        node: &str,
        source: Ipv4Addr,
        destination: SocketAddrV4,
    ) -> Result<(), Failure>;
    /// Sends octets on such a connection; on one that has ended they are lost, without a failure.
    fn transmit(&mut self, name: &str, octets: &[u8]) -> Result<(), Failure>;
    /// The octets that have come on such a connection since the last call, and whether it has ended. Does
    /// not wait, and no time passes.
    fn arrived(&mut self, name: &str) -> Result<Arrived, Failure>;
    /// Plugs a host into the LAN of a router, or of a port.
    fn move_host(&mut self, host: &str, to: &str) -> Result<(), Failure>;
    /// Kills a router.
    fn kill(&mut self, node: &str) -> Result<(), Failure>;
    /// Starts a router that does not run.
    fn start(&mut self, node: &str) -> Result<(), Failure>;
    /// Gives a host one more address.
    fn address(&mut self, host: &str, address: IpNet) -> Result<(), Failure>;
    /// Takes a port up or down, or changes its MTU.
    fn link(&mut self, port: &Place, change: LinkChange) -> Result<(), Failure>;
    /// Keeps these files, with the captures and other files that show why a scenario has failed.
    /// Tells the place.
    fn keep(&mut self, shown: Vec<Evidence>) -> Result<String, Failure>;
}
