//! The interface between a console and its sockets for probes. Probes are the echo requests of
//! `ping` and the UDP datagrams of `traceroute`. The driver sends probes through Linux sockets. The
//! simulator sends probes through its simulated kernel.

use std::net::IpAddr;

use super::hosts::{Hosts, NoHosts};
use crate::time::Time;
use crate::wire::probe::Meaning;

/// The first destination port of a traceroute.
const FIRST_PORT: u16 = 33434;
/// The number of destination ports of a traceroute.
const PORTS: u16 = 16_384;

/// The source and the destination of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The source address. `None` if the kernel chooses it.
    pub source: Option<IpAddr>,
    /// The destination address.
    pub destination: IpAddr,
}

/// The kind of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ICMP echo request.
    Echo,
    /// A UDP datagram. Its destination port is [`port`].
    Udp,
}

/// The destination port of the UDP datagram with this number. Successive datagrams have different
/// ports.
pub fn port(number: u16) -> u16 {
    FIRST_PORT + number % PORTS
}

/// The number of the UDP datagram with this destination port.
pub fn number_of(port: u16) -> u16 {
    port.wrapping_sub(FIRST_PORT)
}

/// A probe to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The kind of the probe.
    pub kind: Kind,
    /// The number of the probe. The sender finds the probe for an answer by this number.
    pub number: u16,
    /// TTL or hop limit.
    pub ttl: u8,
    /// The size of the whole IP packet, in octets.
    pub size: u16,
    /// Whether the packet must not be fragmented.
    pub df: bool,
}

/// The answer to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The number of the probe.
    pub number: u16,
    /// The sender of the answer, or `None` if this router could not send the probe.
    pub from: Option<IpAddr>,
    /// The meaning of the answer.
    pub meaning: Meaning,
    /// The time at which the answer arrived.
    pub at: Time,
}

/// A socket for the probes of one command. When it is dropped, it is closed.
pub trait ProbeSocket {
    /// Sends a probe. If the probe is too big for the kernel, [`ProbeSocket::receive`] returns an
    /// answer that reports this error. After any other error of the kernel, the probe has no
    /// answer.
    fn send(&mut self, probe: &Probe, now: Time);

    /// Returns the next answer.
    fn receive(&mut self, now: Time) -> Option<Heard>;

    /// Whether [`ProbeSocket::receive`] may return an answer.
    fn has_answer(&self) -> bool;
}

/// Opens sockets for probes.
pub trait Probes {
    /// Opens a socket for probes to one destination.
    ///
    /// # Errors
    /// The error is a sentence for the user. It says why no socket can be opened.
    fn open(&mut self, ends: Ends) -> Result<Box<dyn ProbeSocket>, String>;
}

/// The interfaces that a console session needs in addition to its router: the hosts and the probes.
pub trait Surroundings: Hosts + Probes {}

impl<T: Hosts + Probes> Surroundings for T {}

impl Probes for NoHosts {
    fn open(&mut self, _: Ends) -> Result<Box<dyn ProbeSocket>, String> {
        Err("this router has no network, so it cannot send packets".to_owned())
    }
}
