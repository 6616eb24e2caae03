//! The stage of a scenario: a lab that is up, with the captures, packets and TCP clients of the
//! scenario.

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

/// A lab that is up, on which a scenario runs. The scenario gives each capture and connection a
/// name.
pub trait Stage: RunningLab {
    /// Begins a capture of packets at a port. An earlier capture of this name is removed.
    fn capture(&mut self, name: &str, port: &Place) -> Result<(), Failure>;
    /// Ends a capture. Its packets can still be read. If the capture has already ended, nothing
    /// changes.
    fn end_capture(&mut self, name: &str) -> Result<(), Failure>;
    /// Returns the packets of a capture that pass a display filter, each with the value of `field`.
    /// If the capture still runs, these are its packets until now.
    fn packets(&mut self, name: &str, filter: &str, field: &str) -> Result<Vec<Packet>, Failure>;
    /// Returns the flaws in each capture. A flaw is one line about a packet that the dissector does
    /// not understand.
    fn flaws(&mut self) -> Result<BTreeMap<String, Vec<String>>, Failure>;
    /// Sends a captured packet again from a node.
    fn replay(&mut self, what: &Replay, node: &str) -> Result<(), Failure>;
    /// Sends datagrams of the scenario from a node. Each is an IPv4 packet with a UDP checksum and
    /// with the given source. The source need not be an address of the node. The whole list of
    /// payloads is sent in order, [`Datagrams::times`] times. The time between two packets is
    /// [`Datagrams::every`]. Returns after the last packet is sent.
    fn send(&mut self, node: &str, datagrams: &Datagrams) -> Result<(), Failure>;
    /// Opens a TCP connection from an address of a node. The client is not a router. If the
    /// connection is refused, this is not an error: [`Stage::arrived`] reports it.
    fn connect(
        &mut self,
        name: &str,
        node: &str,
        source: Ipv4Addr,
        destination: SocketAddrV4,
    ) -> Result<(), Failure>;
    /// Sends octets on a connection of [`Stage::connect`]. If the connection has ended, the octets
    /// are lost, and this is not an error.
    fn transmit(&mut self, name: &str, octets: &[u8]) -> Result<(), Failure>;
    /// Returns the octets that a connection of [`Stage::connect`] has received since the last call,
    /// and whether the connection has ended. Does not wait, and no time passes in the lab.
    fn arrived(&mut self, name: &str) -> Result<Arrived, Failure>;
    /// Gives a host an additional address.
    fn address(&mut self, host: &str, address: IpNet) -> Result<(), Failure>;
    /// Stores files that show why a scenario has failed: the files `shown`, the captures, and other
    /// files. Returns the path of the directory with these files.
    fn keep(&mut self, shown: Vec<Evidence>) -> Result<String, Failure>;
}
