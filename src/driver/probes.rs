//! The sockets through which a console sends probes: raw ICMP sockets, and UDP sockets for the
//! datagrams of a traceroute. All sockets are non-blocking. When an answer arrives, the event loop
//! serves the client of the console.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU16, Ordering};

use etherparse::IcmpEchoHeader;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{self, PollFd, PollFlags, Timespec};
use rustix::net::{RecvFlags, recvfrom};
use socket2::{Domain, Protocol, Socket, Type};

use super::machine::ProcessMachine;
use super::udp::set_option;
use crate::addr::Family;
use crate::console::hosts::{HostState, Hosts};
use crate::console::machine::Machine;
use crate::console::probes::{Ends, Heard, Kind, Probe, ProbeSocket, Probes, number_of, port};
use crate::console::protocol::{HostAnswer, HostRequest};
use crate::packet::IpHeader;
use crate::time::Time;
use crate::wire::probe::{Meaning, ProbeAnswer, ProbeKey, echo_request};

/// The size of a socket's receive buffer, in octets. If other traffic fills the buffer, answers are
/// lost.
const BUFFER: usize = 64 << 10;
/// The maximum number of ICMP messages that one call examines.
const MESSAGES_A_CALL: usize = 64;
/// The maximum number of octets that are read from a received message. These octets are enough to
/// find the probe that the message answers.
const READ_LEN: usize = 2048;
/// The ICMPv4 types that a socket receives: replies and errors.
const V4_TYPES: [u32; 5] = [0, 3, 4, 11, 12];
/// The socket option that selects the ICMPv4 types, and the level of this option.
const ICMP_FILTER: i32 = 1;
const SOL_RAW: i32 = 255;

/// The identifier in the echo requests of the newest socket. Each socket of the process has a
/// different identifier.
static LAST_IDENT: AtomicU16 = AtomicU16::new(0);

/// The objects that a client's console session uses: the router's emulated hosts, and sockets in
/// the router's namespace.
pub struct ClientSurroundings<'a> {
    /// The emulated hosts.
    pub hosts: &'a mut dyn Hosts,
    /// The mio registry that watches the sockets for this client's probes.
    pub registry: &'a Registry,
    /// The token of the client. The sockets for the client's probes have the same token.
    pub token: Token,
    /// The machine of the router.
    pub machine: ProcessMachine<'a>,
}

impl Hosts for ClientSurroundings<'_> {
    fn states(&self) -> BTreeMap<String, HostState> {
        self.hosts.states()
    }

    fn handle(&mut self, request: &HostRequest, now: Time) -> Result<HostAnswer, String> {
        self.hosts.handle(request, now)
    }

    fn machine(&self) -> Option<&dyn Machine> {
        Some(&self.machine)
    }

    fn machine_mut(&mut self) -> Option<&mut dyn Machine> {
        Some(&mut self.machine)
    }
}

impl Probes for ClientSurroundings<'_> {
    fn open(&mut self, ends: Ends) -> Result<Box<dyn ProbeSocket>, String> {
        let opened = LinuxSocket::open(ends).and_then(|socket| {
            let fd = socket.icmp.as_raw_fd();
            self.registry.register(&mut SourceFd(&fd), self.token, Interest::READABLE)?;
            Ok(socket)
        });
        match opened {
            Ok(socket) => Ok(Box::new(socket)),
            Err(error) => Err(format!("This router cannot open a socket for packets: {error}")),
        }
    }
}

/// A socket for the probes of one command.
struct LinuxSocket {
    ends: Ends,
    ident: u16,
    /// The socket that sends echo requests and receives all answers.
    icmp: Socket,
    /// The socket that sends UDP datagrams, and its port. `None` before the first datagram.
    udp: Option<(Socket, u16)>,
    /// Answers for the probes that the local kernel has refused to send.
    refused: VecDeque<Heard>,
    buffer: Vec<u8>,
}

impl LinuxSocket {
    fn open(ends: Ends) -> io::Result<Self> {
        let family = Family::of(ends.destination);
        let protocol = match family {
            Family::Ipv4 => Protocol::ICMPV4,
            Family::Ipv6 => Protocol::ICMPV6,
        };
        let icmp = bound(ends, Type::RAW, Some(protocol))?;
        if family == Family::Ipv4 {
            let received = V4_TYPES.iter().fold(0, |types, kind| types | 1_u32 << kind);
            set_option(icmp.as_fd(), SOL_RAW, ICMP_FILTER, !received as i32)?;
        }
        let ident = LAST_IDENT.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let buffer = vec![0; READ_LEN];
        Ok(LinuxSocket { ends, ident, icmp, udp: None, refused: VecDeque::new(), buffer })
    }

    fn try_send(&mut self, probe: &Probe) -> io::Result<()> {
        let Probe { kind, number, ttl, size, df } = *probe;
        let Ends { source, destination } = self.ends;
        let headers = match destination {
            IpAddr::V4(_) => 28,
            IpAddr::V6(_) => 48,
        };
        let data = usize::from(size).saturating_sub(headers);
        let (socket, payload, port) = match kind {
            Kind::Echo => {
                let echo = IcmpEchoHeader { id: self.ident, seq: number };
                // Any source address is right here. Only the checksum of ICMPv6 covers the source
                // address, and the kernel computes this checksum.
                let message = echo_request(source.unwrap_or(destination), destination, echo, data);
                (&self.icmp, message.unwrap_or_default(), 0)
            }
            Kind::Udp => {
                let udp = match self.udp.take() {
                    Some(udp) => udp,
                    None => {
                        let socket = bound(self.ends, Type::DGRAM, Some(Protocol::UDP))?;
                        let address = socket.local_addr()?.as_socket();
                        (socket, address.map_or(0, |address| address.port()))
                    }
                };
                (&self.udp.insert(udp).0, vec![0; data], port(number))
            }
        };
        set_packet_options(socket, Family::of(destination), ttl, df)?;
        socket.send_to(&payload, &SocketAddr::new(destination, port).into()).map(drop)
    }

    /// Reads a message. Returns it as an answer, or `None` if the message does not answer a probe
    /// of this socket.
    fn read(&mut self, now: Time) -> io::Result<Option<Heard>> {
        let (len, _, from) = recvfrom(&self.icmp, &mut self.buffer[..], RecvFlags::DONTWAIT)?;
        let octets = &self.buffer[..len.min(READ_LEN)];
        let family = Family::of(self.ends.destination);
        // A raw IPv4 socket receives the IP header together with the message.
        let start = match family {
            Family::Ipv4 => octets.first().map_or(0, |first| usize::from(first & 15) * 4),
            Family::Ipv6 => 0,
        };
        let from = match (family, from.map(SocketAddr::try_from)) {
            (Family::Ipv6, Some(Ok(from))) => Some(from.ip()),
            _ => IpHeader::parse_quoted(octets).ok().map(|header| header.source),
        };
        let answer = octets.get(start..).and_then(|icmp| ProbeAnswer::parse(family, icmp));
        let (Some(from), Some(answer)) = (from, answer) else { return Ok(None) };
        if answer.destination.unwrap_or(from) != self.ends.destination {
            return Ok(None);
        }
        let own_port = self.udp.as_ref().map(|(_, port)| *port);
        let number = match answer.probe {
            ProbeKey::Echo { ident, seq_no } if ident == self.ident => seq_no,
            ProbeKey::Udp { from, to } if Some(from) == own_port => number_of(to),
            _ => return Ok(None),
        };
        Ok(Some(Heard { number, from: Some(from), meaning: answer.meaning, at: now }))
    }
}

impl ProbeSocket for LinuxSocket {
    fn send(&mut self, probe: &Probe, now: Time) {
        // `EMSGSIZE` means that the probe is too big. Other errors are ignored: the probe gets no
        // answer, as if its packet were lost.
        if let Err(error) = self.try_send(probe)
            && error.raw_os_error() == Some(libc::EMSGSIZE)
        {
            let (number, meaning) = (probe.number, Meaning::TooBig(0));
            self.refused.push_back(Heard { number, from: None, meaning, at: now });
        }
    }

    fn receive(&mut self, now: Time) -> Option<Heard> {
        if let Some(heard) = self.refused.pop_front() {
            return Some(heard);
        }
        for _ in 0..MESSAGES_A_CALL {
            match self.read(now) {
                Ok(Some(heard)) => return Some(heard),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        None
    }

    fn has_answer(&self) -> bool {
        let mut fds = [PollFd::new(&self.icmp, PollFlags::IN)];
        let polled = event::poll(&mut fds, Some(&Timespec::default()));
        !self.refused.is_empty() || polled.is_ok_and(|ready| ready > 0)
    }
}

/// Opens a socket, and binds it to the source address of `ends`, or to any address if there is
/// none.
fn bound(ends: Ends, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
    let destination = SocketAddr::new(ends.destination, 0);
    let socket = Socket::new(Domain::for_address(destination), kind, protocol)?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(BUFFER)?;
    let any = match ends.destination {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    socket.bind(&SocketAddr::new(ends.source.unwrap_or(any), 0).into())?;
    Ok(socket)
}

/// Sets the TTL of the next packet. If `df` is true, the packet must not be fragmented, and the
/// kernel sends it even if it is larger than the known path MTU. Then a router on the path reports
/// a packet that is too big.
fn set_packet_options(socket: &Socket, family: Family, ttl: u8, df: bool) -> io::Result<()> {
    let fd = socket.as_fd();
    match family {
        Family::Ipv4 => {
            let discovery = if df { libc::IP_PMTUDISC_PROBE } else { libc::IP_PMTUDISC_DONT };
            set_option(fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, discovery)?;
            socket.set_ttl_v4(ttl.into())
        }
        Family::Ipv6 => {
            let discovery = if df { libc::IPV6_PMTUDISC_PROBE } else { libc::IPV6_PMTUDISC_DONT };
            set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, discovery)?;
            set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, df.into())?;
            socket.set_unicast_hops_v6(ttl.into())
        }
    }
}
