//! The UDP sockets of a router. Each RLOC of the router has these sockets:
//!
//! | port | socket | carries |
//! |---|---|---|
//! | 4342 | control | LISP control messages, both ways (RFC 9301 section 4) |
//! | 4341 | data | encapsulated packets that arrive (RFC 9300 section 5) |
//! | 0xC000 to 0xC00F | 16 for sending | encapsulated packets that leave; a flow uses one socket |
//!
//! Every socket is bound to its RLOC. Policy rules select the router's own packets by their source
//! address, so that these packets do not enter `lisp0`. A socket can be bound before the kernel has
//! the address of the RLOC.

mod message;
mod sender;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, RawFd};

pub use message::set_option;
use sender::{Learned, Sender};
use socket2::{Domain, Socket, Type};

use super::descriptors::nothing_waits;
use super::faults::Faults;
use crate::addr::{Family, Rloc};
use crate::packet::Packet;
use crate::router::io::{Encapsulation, Fragmentation, Outer};
use crate::wire::{CONTROL_PORT, DATA_PORT, DATA_SOURCE_PORTS};

/// The size in octets of a socket's receive and send buffers in the kernel. Many packets must fit
/// into a buffer.
const BUFFER: usize = 4 << 20;
/// The size in octets of the receive buffer of a socket for sending. From such a socket, only the
/// error queue is read.
const ERROR_BUFFER: usize = 16 << 10;

/// The rule for the UDP checksum of the encapsulated packets that the router sends. The checksum of
/// a received packet may always be zero (RFC 9300 section 5.3; IPv6: RFC 6935).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UdpChecksum {
    /// The checksum is always zero. Packets are sent one at a time, because the kernel can divide a
    /// super-packet only if it may compute checksums.
    Zero,
    /// The checksum is always computed.
    On,
    /// Packets that are sent together have a computed checksum. A packet that is sent alone has a
    /// zero checksum.
    #[default]
    Auto,
}

/// One or more datagrams on port 4341 that one read has returned. The octets of these datagrams are
/// in the caller's buffer.
#[derive(Clone, Copy, Debug)]
pub struct DataHeader {
    /// The fields of the outer header. They are equal for all of these datagrams.
    pub outer: Outer,
    /// The length of all datagrams together, in octets.
    pub len: usize,
    /// The length in octets of each datagram except the last datagram. The last datagram may be
    /// shorter.
    pub segment_size: usize,
}

/// A datagram from a control socket. Its payload is in the caller's buffer.
#[derive(Clone, Copy, Debug)]
pub struct ControlHeader {
    /// The sender's RLOC and port.
    pub source: SocketAddr,
    /// The local RLOC.
    pub destination: IpAddr,
    /// The length of the payload in octets.
    pub len: usize,
}

/// The sockets of one RLOC.
#[derive(Debug)]
pub struct RlocSockets {
    rloc: Rloc,
    control: Socket,
    data: Socket,
    senders: Vec<Sender>,
}

impl RlocSockets {
    /// Opens and binds all sockets of an RLOC in the namespace of the calling thread.
    ///
    /// # Errors
    /// EADDRINUSE if another router of the namespace uses the RLOC.
    pub fn open(rloc: Rloc, offload: bool, checksum: UdpChecksum) -> io::Result<Self> {
        let data = bound(rloc, DATA_PORT, BUFFER)?;
        receive_outer_fields(&data, rloc.family())?;
        if offload {
            // The result is ignored: a kernel before Linux 5.0 cannot join datagrams, and they
            // arrive one by one.
            let _ = message::set_option(data.as_fd(), libc::SOL_UDP, libc::UDP_GRO, 1);
        }
        let mut senders = Vec::with_capacity(DATA_SOURCE_PORTS.len());
        for port in DATA_SOURCE_PORTS {
            let sender = bound(rloc, port, ERROR_BUFFER)?;
            senders.push(Sender::new(sender, rloc, checksum)?);
        }
        let mut sockets =
            RlocSockets { rloc, control: bound(rloc, CONTROL_PORT, BUFFER)?, data, senders };
        sockets.set_fragmentation(Fragmentation::Never)?;
        Ok(sockets)
    }

    /// The RLOC of these sockets.
    pub fn rloc(&self) -> Rloc {
        self.rloc
    }

    /// The file descriptor of the control socket. It becomes readable when control messages arrive.
    pub fn control_fd(&self) -> RawFd {
        self.control.as_raw_fd()
    }

    /// The file descriptor of the data socket. It becomes readable when encapsulated packets
    /// arrive.
    pub fn data_fd(&self) -> RawFd {
        self.data.as_raw_fd()
    }

    /// The file descriptors of the sockets for sending. A descriptor becomes ready when an ICMP
    /// error about an encapsulated packet arrives.
    pub fn sender_fds(&self) -> impl Iterator<Item = RawFd> {
        self.senders.iter().map(|sender| sender.socket().as_raw_fd())
    }

    /// Sets whether encapsulated packets may be fragmented. The setting applies to all packets that
    /// are sent after this call.
    pub fn set_fragmentation(&mut self, fragmentation: Fragmentation) -> io::Result<()> {
        self.senders.iter_mut().try_for_each(|sender| sender.set_fragmentation(fragmentation))
    }

    /// Returns true if these sockets send packets without a checksum and never in fragments. The
    /// fast path sends packets only in this way.
    pub fn permits_fast_path(&self) -> bool {
        self.senders.first().is_some_and(Sender::permits_fast_path)
    }

    /// Whether no datagram waits at the data socket.
    pub fn is_drained(&self) -> bool {
        nothing_waits(self.data.as_fd())
    }

    /// Sends a control message from port 4342.
    pub fn send_control(&self, destination: SocketAddr, payload: &[u8]) -> io::Result<()> {
        self.control.send_to(payload, &destination.into()).map(drop)
    }

    /// Reads one control message into `buffer`.
    ///
    /// # Errors
    /// `WouldBlock` if no message waits.
    pub fn receive_control(&self, buffer: &mut [u8]) -> io::Result<ControlHeader> {
        let received = message::receive(self.control.as_fd(), buffer)?;
        Ok(ControlHeader { source: received.source, destination: self.rloc.0, len: received.len })
    }

    /// Encapsulates the packet at `range` of `arena` and adds it to a queue. The packet waits in
    /// the queue, so that it can be sent together with similar packets. It waits at most until
    /// [`RlocSockets::flush`] is called. Packets of a flow are sent in the order in which they were
    /// added.
    pub fn queue(
        &mut self,
        wrap: &Encapsulation,
        arena: &[u8],
        range: Range<usize>,
        segment_size: Option<NonZeroU16>,
        faults: &mut Faults,
    ) {
        let number = usize::from(wrap.source_port() - DATA_SOURCE_PORTS.start);
        self.senders[number].queue(wrap, arena, range, segment_size, faults);
    }

    /// Sends the packets of `arena` that wait in the queues.
    pub fn flush(&mut self, arena: &[u8], faults: &mut Faults) {
        for sender in &mut self.senders {
            sender.flush(arena, faults);
        }
    }

    /// Encapsulates a packet and sends it immediately. Does not copy the packet. The queues must be
    /// empty.
    pub fn send_data(&mut self, wrap: &Encapsulation, packet: &Packet<'_>, faults: &mut Faults) {
        let range = 0..packet.bytes.len();
        self.queue(wrap, packet.bytes, range, packet.segment_size, faults);
        self.flush(packet.bytes, faults);
    }

    /// Reads one datagram, or several datagrams that the kernel has joined, into `buffer`. Each
    /// datagram begins with its LISP header.
    ///
    /// # Errors
    /// `WouldBlock` if no datagram waits.
    pub fn receive_data(&self, buffer: &mut [u8]) -> io::Result<DataHeader> {
        let received = message::receive(self.data.as_fd(), buffer)?;
        let outer = Outer {
            source: received.source.ip(),
            destination: self.rloc.0,
            ttl: received.ttl,
            tos: received.tos,
        };
        let segment_size = received.segment_size.map_or(received.len, |size| size.get().into());
        Ok(DataHeader { outer, len: received.len, segment_size })
    }
}

/// The sockets of all RLOCs. While the sockets of an RLOC are open, the number of their slot does
/// not change.
#[derive(Debug, Default)]
pub struct Udp {
    slots: Vec<Option<RlocSockets>>,
}

impl Udp {
    /// Returns the sockets in the slot with this number.
    pub fn slot(&self, number: usize) -> Option<&RlocSockets> {
        self.slots.get(number)?.as_ref()
    }

    /// Returns the sockets of a local RLOC.
    pub fn of(&self, rloc: IpAddr) -> Option<&RlocSockets> {
        self.slots.iter().flatten().find(|sockets| sockets.rloc.0 == rloc)
    }

    /// Returns the sockets of a local RLOC. The caller may send packets through these sockets and
    /// change their settings.
    pub fn of_mut(&mut self, rloc: IpAddr) -> Option<&mut RlocSockets> {
        self.slots.iter_mut().flatten().find(|sockets| sockets.rloc.0 == rloc)
    }

    /// Sends the packets of `arena` that wait in the queues of all RLOCs.
    pub fn flush(&mut self, arena: &[u8], faults: &mut Faults) {
        for sockets in self.slots.iter_mut().flatten() {
            sockets.flush(arena, faults);
        }
    }

    /// Reads the ICMP errors about packets that were sent from the RLOC in the slot `number`, and
    /// stores them in `faults`. Returns true if there may be more errors.
    pub fn learn(&mut self, number: usize, faults: &mut Faults) -> bool {
        let slot = self.slots.get_mut(number).and_then(Option::as_mut);
        let mut more = false;
        for sender in slot.into_iter().flat_map(|sockets| &mut sockets.senders) {
            let outcome = sender.learn(faults);
            more |= matches!(outcome, Ok(Learned::More));
            faults.count_if("reading ICMP errors", outcome);
        }
        more
    }

    /// Returns the sockets of each RLOC.
    pub fn iter(&self) -> impl Iterator<Item = &RlocSockets> {
        self.slots.iter().flatten()
    }

    /// Returns the sockets of each RLOC. The caller may change these sockets.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut RlocSockets> {
        self.slots.iter_mut().flatten()
    }

    /// Adds the sockets of an RLOC, and returns the number of their slot.
    pub fn insert(&mut self, sockets: RlocSockets) -> usize {
        let free = self.slots.iter().position(Option::is_none);
        let number = free.unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[number] = Some(sockets);
        number
    }

    /// Closes the sockets of a local RLOC.
    pub fn close(&mut self, rloc: Rloc) {
        for slot in &mut self.slots {
            slot.take_if(|sockets| sockets.rloc == rloc);
        }
    }
}

fn bound(rloc: Rloc, port: u16, buffer: usize) -> io::Result<Socket> {
    let kind = Type::DGRAM.nonblocking().cloexec();
    let socket = match rloc.family() {
        Family::Ipv4 => Socket::new(Domain::IPV4, kind, None)?,
        Family::Ipv6 => Socket::new(Domain::IPV6, kind, None)?,
    };
    match rloc.family() {
        Family::Ipv4 => socket.set_freebind_v4(true)?,
        Family::Ipv6 => {
            socket.set_only_v6(true)?;
            socket.set_freebind_v6(true)?;
        }
    }
    // The results are ignored: if the process has no privilege for larger buffers, the buffers have
    // the ordinary sizes.
    let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, buffer);
    let _ = rustix::net::sockopt::set_socket_send_buffer_size_force(&socket, BUFFER);
    socket.bind(&SocketAddr::new(rloc.0, port).into())?;
    Ok(socket)
}

/// Sets the options of a data socket. With these options, the kernel returns the outer TTL and type
/// of service of each received packet, and accepts a zero checksum (RFC 9300 section 5.3; IPv6: RFC
/// 6935).
fn receive_outer_fields(data: &Socket, family: Family) -> io::Result<()> {
    match family {
        Family::Ipv4 => {
            data.set_recv_tos_v4(true)?;
            message::set_option(data.as_fd(), libc::IPPROTO_IP, libc::IP_RECVTTL, 1)
        }
        Family::Ipv6 => {
            data.set_recv_tclass_v6(true)?;
            data.set_recv_hoplimit_v6(true)?;
            message::set_option(data.as_fd(), libc::IPPROTO_UDP, libc::UDP_NO_CHECK6_RX, 1)
        }
    }
}
