//! A socket that sends encapsulated packets, and the packets that wait until the socket sends them
//! together.
//!
//! Successive packets to one RLOC are sent with one call and the option UDP_SEGMENT if they have
//! the same length, TTL and type of service. They may be segments of a super-packet or separate
//! packets. Up to 64 packets go through the kernel's stack together. Only the position of a waiting
//! packet in the arena is stored. So all waiting packets must be sent before the arena is
//! overwritten.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::ops::Range;
use std::os::fd::AsFd;

use socket2::{SockAddr, Socket};

use super::UdpChecksum;
use super::message::{self, Fields};
use crate::addr::{Family, Rloc};
use crate::driver::faults::Faults;
use crate::driver::offload::segment::Segments;
use crate::router::io::{Encapsulation, Fragmentation, PathEvent};
use crate::wire::DATA_PORT;

/// The maximum number of segments in one send. Every kernel that supports UDP_SEGMENT accepts this
/// number.
const SEGMENTS: usize = 64;
/// The maximum number of octets in one send: the largest UDP payload over IPv4.
const LARGEST: usize = 65_507;
/// The maximum number of notes that one call reads from the error queue. A note is an entry of this
/// queue, for example an ICMP error. The buffer of the queue has no space for more notes.
const NOTES_AT_ONCE: usize = 64;
/// The maximum number of attempts to send a packet, if ICMP errors arrive between the attempts.
const TRIES: usize = 4;
/// The numbers of two socket options from `linux/in.h` and `linux/in6.h`.
const IP_RECVERR_RFC4884: libc::c_int = 26;
const IPV6_RECVERR_RFC4884: libc::c_int = 31;
/// The name for a send in the counters of faults.
const SENDING: &str = "sending an encapsulated packet";

/// The result of a read of the error queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// The queue contained no ICMP errors.
    Nothing,
    /// The queue contained ICMP errors, and is empty now.
    AllOfIt,
    /// The queue contained ICMP errors, and may contain more ICMP errors.
    More,
}

/// A waiting datagram: the position of its headers in [`Sender::headers`], and the position of its
/// payload in the arena. The first header is the LISP header.
#[derive(Clone, Debug)]
struct Piece {
    header: Range<usize>,
    payload: Range<usize>,
}

impl Piece {
    fn len(&self) -> usize {
        self.header.len() + self.payload.len()
    }
}

/// A socket for sending, and its waiting packets. Each sender has a different source port.
#[derive(Debug)]
pub struct Sender {
    socket: Socket,
    family: Family,
    checksum: UdpChecksum,
    /// Whether the socket currently sends without checksums.
    is_without_checksum: bool,
    /// The present fragmentation of the socket. `None` before the first setting.
    fragmentation: Option<Fragmentation>,
    /// Whether the kernel supports UDP_SEGMENT on this socket.
    has_segmentation: bool,
    destination: Rloc,
    address: SockAddr,
    ttl: u8,
    tos: u8,
    headers: Vec<u8>,
    pieces: Vec<Piece>,
    total: usize,
}

impl Sender {
    /// Creates a sender with a socket that is already bound.
    pub fn new(socket: Socket, local: Rloc, checksum: UdpChecksum) -> io::Result<Self> {
        let mut sender = Sender {
            socket,
            family: local.family(),
            checksum,
            is_without_checksum: false,
            fragmentation: None,
            has_segmentation: checksum != UdpChecksum::Zero,
            destination: local,
            address: SocketAddr::new(local.0, DATA_PORT).into(),
            ttl: 0,
            tos: 0,
            headers: Vec::new(),
            pieces: Vec::with_capacity(SEGMENTS),
            total: 0,
        };
        sender.leave_checksum_out(checksum != UdpChecksum::On)?;
        let (level, option, extensions) = match local.family() {
            Family::Ipv4 => (libc::IPPROTO_IP, libc::IP_RECVERR, IP_RECVERR_RFC4884),
            Family::Ipv6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR, IPV6_RECVERR_RFC4884),
        };
        message::set_option(sender.socket.as_fd(), level, option, 1)?;
        // The result is ignored: a kernel before Linux 5.9 has no such option, and does not report
        // the position of an ICMP extension.
        let _ = message::set_option(sender.socket.as_fd(), level, extensions, 1);
        Ok(sender)
    }

    /// Returns the socket.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Returns true if this socket sends packets as the fast path does: without a checksum, and with
    /// "don't fragment". Packets that are too big for their path always go through this socket.
    pub fn permits_fast_path(&self) -> bool {
        let sets_flag =
            matches!(self.fragmentation, Some(Fragmentation::Never | Fragmentation::ByPath));
        self.checksum != UdpChecksum::On && sets_flag
    }

    /// Adds the packet at `range` of `arena` to the waiting packets. If the packet cannot be sent
    /// together with the waiting packets, sends the waiting packets first.
    pub fn queue(
        &mut self,
        wrap: &Encapsulation,
        arena: &[u8],
        range: Range<usize>,
        segment_size: Option<NonZeroU16>,
        faults: &mut Faults,
    ) {
        self.turn_to(wrap, arena, faults);
        let Some(segment_size) = segment_size else {
            let header = self.headers.len();
            self.headers.extend_from_slice(&wrap.header);
            let header = header..self.headers.len();
            return self.append(Piece { header, payload: range }, arena, faults);
        };
        let Some(segments) = Segments::of(&arena[range.clone()], segment_size) else {
            return faults.count(SENDING, &io::ErrorKind::InvalidData.into());
        };
        for index in 0..segments.count() {
            let header = self.headers.len();
            self.headers.extend_from_slice(&wrap.header);
            segments.write_header(index, &mut self.headers);
            let header = header..self.headers.len();
            let payload = segments.payload(index);
            let payload = range.start + payload.start..range.start + payload.end;
            self.append(Piece { header, payload }, arena, faults);
        }
    }

    /// Sets the destination, TTL and type of service for the next packets to the values in `wrap`.
    /// If one of these values changes, sends the waiting packets first.
    fn turn_to(&mut self, wrap: &Encapsulation, arena: &[u8], faults: &mut Faults) {
        let ttl = wrap.ttl.max(1);
        if (self.destination, self.ttl, self.tos) != (wrap.destination, ttl, wrap.tos) {
            self.flush(arena, faults);
        }
        if self.destination != wrap.destination {
            self.destination = wrap.destination;
            self.address = SocketAddr::new(wrap.destination.0, DATA_PORT).into();
        }
        (self.ttl, self.tos) = (ttl, wrap.tos);
    }

    fn append(&mut self, mut piece: Piece, arena: &[u8], faults: &mut Faults) {
        let fits = match (self.pieces.first(), self.pieces.last()) {
            (Some(first), Some(last)) => {
                self.has_segmentation
                    && self.pieces.len() < SEGMENTS
                    && self.total + piece.len() <= LARGEST
                    && last.len() == first.len()
                    && piece.len() <= first.len()
            }
            _ => true,
        };
        if !fits {
            self.send_waiting(arena, faults);
            // The earlier headers in the buffer belong to packets that were sent. So the headers of
            // this packet are moved to the start of the buffer.
            self.headers.copy_within(piece.header.clone(), 0);
            self.headers.truncate(piece.header.len());
            piece.header = 0..self.headers.len();
        }
        self.total += piece.len();
        self.pieces.push(piece);
    }

    /// Sends all waiting packets.
    pub fn flush(&mut self, arena: &[u8], faults: &mut Faults) {
        self.send_waiting(arena, faults);
        self.headers.clear();
    }

    fn send_waiting(&mut self, arena: &[u8], faults: &mut Faults) {
        let Some(first) = self.pieces.first() else { return };
        let segment_size = match self.pieces.len() {
            1 => None,
            _ => u16::try_from(first.len()).ok().and_then(NonZeroU16::new),
        };
        let outcome = self.send_or_learn(arena, 0..self.pieces.len(), segment_size, faults);
        match (outcome, segment_size) {
            (Err(error), Some(_)) if is_about_segmentation(&error) => {
                // EIO means that the device has no checksum offload, and that the kernel does not
                // compute the checksum in place of the device. So segmentation cannot be used on
                // this socket.
                self.has_segmentation &= error.raw_os_error() != Some(libc::EIO);
                for index in 0..self.pieces.len() {
                    let outcome = self.send_or_learn(arena, index..index + 1, None, faults);
                    faults.count_if(SENDING, outcome);
                }
            }
            (outcome, _) => faults.count_if(SENDING, outcome),
        }
        self.pieces.clear();
        self.total = 0;
    }

    /// Sends the waiting packets in `which`. After an ICMP error, the next send fails, although the
    /// ICMP error may be about an earlier packet. So after a failed send, this function reads the
    /// error queue and sends the packets again. A failure is about these packets only if two
    /// successive sends fail and the error queue is empty after each of them. One failure with an
    /// empty queue is not enough: if the kernel has no memory for the note of an ICMP error, the
    /// next send still fails.
    fn send_or_learn(
        &mut self,
        arena: &[u8],
        which: Range<usize>,
        segment_size: Option<NonZeroU16>,
        faults: &mut Faults,
    ) -> io::Result<()> {
        let mut is_own = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let Err(error) = self.send(arena, which.clone(), segment_size) else { return Ok(()) };
            let was_own = is_own;
            is_own = self.learn(faults)? == Learned::Nothing;
            if is_own && was_own && is_no_route(&error) {
                faults.note_path(PathEvent::NoRoute(self.destination));
            }
            let is_final = is_own && was_own || error.kind() == io::ErrorKind::WouldBlock;
            if is_final || tries == TRIES {
                return Err(error);
            }
        }
    }

    /// Reads the error queue of the socket, and stores the ICMP errors of the queue in `faults`.
    pub fn learn(&mut self, faults: &mut Faults) -> io::Result<Learned> {
        let mut learned = Learned::Nothing;
        for _ in 0..NOTES_AT_ONCE {
            let error = match message::receive_error(self.socket.as_fd(), self.family) {
                Ok(Some(error)) => error,
                Ok(None) => continue,
                Err(_) => return Ok(learned),
            };
            learned = Learned::AllOfIt;
            faults.note_path(PathEvent::Icmp(error));
        }
        Ok(Learned::More)
    }

    /// Sets whether packets may be fragmented. The setting applies to all packets that are sent
    /// after this call.
    pub fn set_fragmentation(&mut self, fragmentation: Fragmentation) -> io::Result<()> {
        if self.fragmentation == Some(fragmentation) {
            return Ok(());
        }
        let (level, option) = match self.family {
            Family::Ipv4 => (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
            Family::Ipv6 => (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER),
        };
        // For IPv6, these constants have the same values as for IPv4.
        let value = match fragmentation {
            Fragmentation::Never => libc::IP_PMTUDISC_PROBE,
            Fragmentation::ByPath => libc::IP_PMTUDISC_WANT,
            Fragmentation::Always => libc::IP_PMTUDISC_DONT,
        };
        message::set_option(self.socket.as_fd(), level, option, value)?;
        self.fragmentation = Some(fragmentation);
        Ok(())
    }

    fn send(
        &mut self,
        arena: &[u8],
        which: Range<usize>,
        segment_size: Option<NonZeroU16>,
    ) -> io::Result<()> {
        self.leave_checksum_out(match self.checksum {
            UdpChecksum::Zero => true,
            UdpChecksum::On => false,
            UdpChecksum::Auto => segment_size.is_none(),
        })?;
        let mut parts = [IoSlice::new(&[]); 2 * SEGMENTS];
        let pieces = &self.pieces[which];
        for (part, piece) in parts.chunks_exact_mut(2).zip(pieces) {
            part[0] = IoSlice::new(&self.headers[piece.header.clone()]);
            part[1] = IoSlice::new(&arena[piece.payload.clone()]);
        }
        let fields = Fields { ttl: self.ttl, tos: self.tos, segment_size };
        message::send(self.socket.as_fd(), &self.address, &parts[..2 * pieces.len()], fields)
    }

    /// Sets whether the next packets are sent without a checksum. SO_NO_CHECK and UDP_SEGMENT
    /// cannot be used together, so this function is called for each group of packets.
    fn leave_checksum_out(&mut self, out: bool) -> io::Result<()> {
        if self.is_without_checksum == out {
            return Ok(());
        }
        let (level, option) = match self.family {
            Family::Ipv4 => (libc::SOL_SOCKET, libc::SO_NO_CHECK),
            Family::Ipv6 => (libc::IPPROTO_UDP, libc::UDP_NO_CHECK6_TX),
        };
        message::set_option(self.socket.as_fd(), level, option, i32::from(out))?;
        self.is_without_checksum = out;
        Ok(())
    }
}

/// Returns true if an error of a send means that the kernel has no route.
fn is_no_route(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENETUNREACH | libc::EHOSTUNREACH))
}

/// Returns true if an error of a send is about segmentation. In this case the packets must be sent
/// again one by one. For example, EMSGSIZE or EINVAL means that a segment is too large for the
/// link. The kernel does not fragment a segment, but it may fragment a single datagram.
fn is_about_segmentation(error: &io::Error) -> bool {
    let numbers = [libc::EIO, libc::EINVAL, libc::EMSGSIZE, libc::EOPNOTSUPP];
    error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}
