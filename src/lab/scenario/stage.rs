//! The stage of a scenario: a lab that is up, with the scenario's captures, packets and clients.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use ipnet::IpNet;

use super::expect::Packet;
use super::stream::Arrived;
use super::{Datagrams, Place, Replay};
use crate::lab::failure::Failure;
use crate::lab::running::RunningLab;

/// A file that is kept after a failed scenario: its name and its octets.
pub type Evidence = (String, Vec<u8>);

/// A lab that is up, for a scenario. The scenario chooses the names of captures and connections.
pub trait Stage: RunningLab {
    /// Begins to capture packets at a port.
    fn capture(&mut self, name: &str, port: &Place) -> Result<(), Failure>;
    /// The packets of a capture that pass a display filter, with the value of `field`. The first
    /// call ends the capture.
    fn packets(&mut self, name: &str, filter: &str, field: &str) -> Result<Vec<Packet>, Failure>;
    /// The flaws of each capture: one line for each packet that a dissector does not understand.
    fn flaws(&mut self) -> Result<BTreeMap<String, Vec<String>>, Failure>;
    /// Sends a captured packet again.
    fn replay(&mut self, what: &Replay, node: &str) -> Result<(), Failure>;
    /// Sends datagrams of the scenario from a node. Each is an IPv4 packet with a UDP checksum and
    /// the given source, which need not be an address of the node. All payloads are sent in order,
    /// [`Datagrams::times`] times, with [`Datagrams::every`] between two packets. Returns after the
    /// last one is sent.
    fn send(&mut self, node: &str, datagrams: &Datagrams) -> Result<(), Failure>;
    /// Opens a TCP connection from an address of a node, as a client that is not a router. A
    /// refused connection is not a failure: [`Stage::arrived`] reports it.
    fn connect(
        &mut self,
        name: &str,
        node: &str,
        source: Ipv4Addr,
        destination: SocketAddrV4,
    ) -> Result<(), Failure>;
    /// Sends octets on such a connection. If it has ended, they are lost, without a failure.
    fn transmit(&mut self, name: &str, octets: &[u8]) -> Result<(), Failure>;
    /// The octets received on such a connection since the last call, and whether it has ended. Does
    /// not wait, and no time passes.
    fn arrived(&mut self, name: &str) -> Result<Arrived, Failure>;
    /// Gives a host an additional address.
    fn address(&mut self, host: &str, address: IpNet) -> Result<(), Failure>;
    /// Keeps these files, the captures and other evidence of a failed scenario. Returns their
    /// directory.
    fn keep(&mut self, shown: Vec<Evidence>) -> Result<String, Failure>;
}
