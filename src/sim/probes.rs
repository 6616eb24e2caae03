//! The sockets with which the consoles of a simulated router send probes. The console and the
//! process of a router share each socket. The console queues probes, and the process sends the
//! queued probes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};

use etherparse::{IcmpEchoHeader, IpNumber};

use super::datagram::{IpFields, ip_packet, udp_datagram};
use super::kernel::{Kernel, KernelDrop};
use crate::addr::Family;
use crate::console::probes::{Ends, Heard, Kind, Probe, ProbeSocket, number_of, port};
use crate::packet::IpHeader;
use crate::time::Time;
use crate::wire::probe::{Meaning, ProbeAnswer, ProbeKey, echo_request};

/// The first source port of UDP probes.
const FIRST_SOURCE_PORT: u16 = 49152;

/// The state of a socket. The console and the process share this state.
#[derive(Debug)]
pub struct Shared {
    ends: Ends,
    /// The identifier of the socket's echo requests. The source port of the socket's datagrams is
    /// computed from this identifier.
    ident: u16,
    to_send: VecDeque<Probe>,
    heard: VecDeque<Heard>,
}

/// The console's half of a socket.
pub struct Socket(Rc<RefCell<Shared>>);

/// The process's half of a socket. The socket is closed when the console drops its own half.
pub type Opened = Weak<RefCell<Shared>>;

impl Socket {
    /// Opens a socket, and returns its two halves. The caller must pass the second half to
    /// [`Sockets::add`].
    pub fn open(ends: Ends) -> (Self, Opened) {
        let shared = Shared { ends, ident: 0, to_send: VecDeque::new(), heard: VecDeque::new() };
        let shared = Rc::new(RefCell::new(shared));
        let opened = Rc::downgrade(&shared);
        (Socket(shared), opened)
    }
}

impl ProbeSocket for Socket {
    fn send(&mut self, probe: &Probe, _: Time) {
        self.0.borrow_mut().to_send.push_back(*probe);
    }

    fn receive(&mut self, _: Time) -> Option<Heard> {
        self.0.borrow_mut().heard.pop_front()
    }

    fn has_answer(&self) -> bool {
        !self.0.borrow().heard.is_empty()
    }
}

/// The sockets of a router's process.
#[derive(Debug, Default)]
pub struct Sockets {
    opened: Vec<Opened>,
    last_ident: u16,
}

impl Sockets {
    /// Adds a socket that a console has opened.
    pub fn add(&mut self, socket: Opened) {
        if let Some(shared) = socket.upgrade() {
            self.last_ident = self.last_ident.wrapping_add(1);
            shared.borrow_mut().ident = self.last_ident;
            self.opened.push(socket);
        }
    }

    /// Sends the queued probes. Removes each socket that its console has closed.
    pub fn work(&mut self, kernel: &mut Kernel, now: Time) {
        if self.opened.is_empty() {
            return;
        }
        self.opened.retain(|socket| socket.strong_count() > 0);
        kernel.pass_icmp_to_process(!self.opened.is_empty());
        for socket in self.opened.iter().filter_map(Weak::upgrade) {
            let shared = &mut *socket.borrow_mut();
            while let Some(probe) = shared.to_send.pop_front() {
                let sent = shared.packet(&probe, kernel).map(|packet| {
                    // If `df` is true, the node does not fragment the packet.
                    kernel.send_probe(packet, probe.df)
                });
                if sent == Some(Err(KernelDrop::TooBig)) {
                    let (number, meaning) = (probe.number, Meaning::TooBig(0));
                    shared.heard.push_back(Heard { number, from: None, meaning, at: now });
                }
            }
        }
    }

    /// Receives an IP packet with an ICMP message. If the message answers a probe of a socket, this
    /// socket gets the answer.
    pub fn receive(&mut self, packet: &[u8], now: Time) {
        let Ok(header) = IpHeader::parse(packet) else { return };
        let header_len = match header.family() {
            Family::Ipv4 => usize::from(packet[0] & 15) * 4,
            Family::Ipv6 => 40,
        };
        let icmp = packet.get(header_len..header.total_len);
        let Some(answer) = icmp.and_then(|icmp| ProbeAnswer::parse(header.family(), icmp)) else {
            return;
        };
        for socket in self.opened.iter().filter_map(Weak::upgrade) {
            let shared = &mut *socket.borrow_mut();
            let from = header.source;
            if answer.destination.unwrap_or(from) != shared.ends.destination {
                continue;
            }
            let number = match answer.probe {
                ProbeKey::Echo { ident, seq_no } if ident == shared.ident => seq_no,
                ProbeKey::Udp { from, to } if from == shared.source_port() => number_of(to),
                _ => continue,
            };
            let (from, meaning) = (Some(from), answer.meaning);
            shared.heard.push_back(Heard { number, from, meaning, at: now });
        }
    }
}

impl Shared {
    fn source_port(&self) -> u16 {
        FIRST_SOURCE_PORT + self.ident % (u16::MAX - FIRST_SOURCE_PORT)
    }

    /// Returns the IP packet of a probe, or `None` if the router has no source address for the
    /// probe.
    fn packet(&self, probe: &Probe, kernel: &mut Kernel) -> Option<Vec<u8>> {
        let Probe { kind, number, ttl, size, df } = *probe;
        let destination = self.ends.destination;
        let source = self.ends.source.or_else(|| kernel.source_for(destination))?;
        let headers = match Family::of(destination) {
            Family::Ipv4 => 28,
            Family::Ipv6 => 48,
        };
        let data = usize::from(size).saturating_sub(headers);
        let (protocol, payload) = match (kind, Family::of(destination)) {
            (Kind::Echo, family) => {
                let echo = IcmpEchoHeader { id: self.ident, seq: number };
                let protocol = match family {
                    Family::Ipv4 => IpNumber::ICMP,
                    Family::Ipv6 => IpNumber::IPV6_ICMP,
                };
                (protocol, echo_request(source, destination, echo, data)?)
            }
            (Kind::Udp, _) => {
                let from = SocketAddr::new(source, self.source_port());
                let to = SocketAddr::new(destination, port(number));
                (IpNumber::UDP, udp_datagram(from, to, &vec![0; data], true)?)
            }
        };
        let fields = IpFields {
            source,
            destination,
            ttl,
            tos: 0,
            protocol,
            dont_fragment: df,
            identification: kernel.next_identification(),
        };
        ip_packet(&fields, &payload)
    }
}
