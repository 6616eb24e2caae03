//! The stage of a scenario: a lab that is up, with captures, packets and clients of the scenario.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use ipnet::IpNet;

use super::expect::Packet;
use super::stream::Arrived;
use super::{Datagrams, Place, Replay};
use crate::lab::failure::Failure;
use crate::lab::running::RunningLab;

/// A file that is kept when a scenario has failed: its name and its octets.
pub type Evidence = (String, Vec<u8>);

/// A lab that is up, for a scenario. Captures and connections have the names that the scenario gives
/// them.
pub trait Stage: RunningLab {
    /// Begins to capture at a port.
    fn capture(&mut self, name: &str, port: &Place) -> Result<(), Failure>;
    /// The packets of a capture that pass a display filter, with the value of `field`; the first
    /// call ends the capture.
    fn packets(&mut self, name: &str, filter: &str, field: &str) -> Result<Vec<Packet>, Failure>;
    /// The flaws of each capture: a line for each packet that no dissector understands.
    fn flaws(&mut self) -> Result<BTreeMap<String, Vec<String>>, Failure>;
    /// Sends a captured packet again.
    fn replay(&mut self, what: &Replay, node: &str) -> Result<(), Failure>;
    /// Sends datagrams of the scenario's own from a node, each as an IPv4 packet with a UDP checksum
    /// and the source that it claims, which need not be the node's: all payloads in order, that
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
    /// The octets that have come on such a connection since the last call, and whether it has ended.
    /// Does not wait, and no time passes.
    fn arrived(&mut self, name: &str) -> Result<Arrived, Failure>;
    /// Gives a host one more address.
    fn address(&mut self, host: &str, address: IpNet) -> Result<(), Failure>;
    /// Keeps these files, the captures and other evidence of a scenario that has failed. Tells the place.
    fn keep(&mut self, shown: Vec<Evidence>) -> Result<String, Failure>;
}
