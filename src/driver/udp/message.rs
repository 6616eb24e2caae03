//! Sends and receives datagrams, together with the TTL and the type of service of their outer
//! headers. One call handles one datagram, or several datagrams of the same length (UDP_SEGMENT and
//! UDP_GRO).
//!
//! LISP copies the TTL and the type of service between the inner and the outer header (RFC 9300
//! section 5.3). `sendmsg` and `recvmsg` carry both fields as ancillary data. The libraries of this
//! program have no safe interface for ancillary data.

#![allow(
    unsafe_code,
    reason = "sendmsg, recvmsg and setsockopt take raw structures, which this module builds"
)]

use std::io::{self, IoSlice, IoSliceMut};
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::{SockAddr, SockAddrStorage};

use crate::addr::{Family, Rloc};
use crate::router::io::IcmpError;
use crate::wire::IcmpErrorKind;

/// A buffer for ancillary data, with the alignment that the headers in this data need. If the
/// buffer had fewer than 256 octets, the kernel would leave out the ECN bits when receive offload
/// adds more ancillary data.
#[repr(align(8))]
struct Control([u8; 256]);

/// A received datagram. Its payload is in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The length of the payload in octets.
    pub len: usize,
    /// The address of the sender.
    pub source: SocketAddr,
    /// The received TTL or hop limit.
    pub ttl: u8,
    /// The received type of service or traffic class.
    pub tos: u8,
    /// The length of each datagram in octets, if the kernel has joined several successive datagrams
    /// from one sender. The last datagram may be shorter.
    pub segment_size: Option<NonZeroU16>,
}

/// The fields in the outer header of the packets that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The TTL. It is at least 1, because the kernel refuses 0.
    pub ttl: u8,
    /// The type of service or traffic class.
    pub tos: u8,
    /// The length in octets of each datagram except the last datagram. `None` if there is only one
    /// datagram.
    pub segment_size: Option<NonZeroU16>,
}

/// Sends the octets of all `parts` as one datagram, or as several datagrams if `fields` has a
/// segment size. Does not copy the parts into one buffer.
pub fn send(
    socket: BorrowedFd<'_>,
    destination: &SockAddr,
    parts: &[IoSlice<'_>],
    fields: Fields,
) -> io::Result<()> {
    let (level, ttl_kind, tos_kind) = if destination.is_ipv4() {
        (libc::IPPROTO_IP, libc::IP_TTL, libc::IP_TOS)
    } else {
        (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, libc::IPV6_TCLASS)
    };
    let mut control = Control([0; 256]);
    let mut at = 0;
    for (kind, value) in [(ttl_kind, fields.ttl), (tos_kind, fields.tos)] {
        at += put(&mut control.0[at..], level, kind, &i32::from(value).to_ne_bytes());
    }
    if let Some(size) = fields.segment_size {
        let value = size.get().to_ne_bytes();
        at += put(&mut control.0[at..], libc::SOL_UDP, libc::UDP_SEGMENT, &value);
    }
    // SAFETY: a `msghdr` in which all octets are zero is valid. In musl the structure has padding
    // that must be zero.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_name = destination.as_ptr().cast_mut().cast();
    message.msg_namelen = destination.len();
    message.msg_iov = parts.as_ptr().cast_mut().cast();
    message.msg_iovlen = parts.len() as _;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = at as _;
    // SAFETY: each pointer in `message` is to memory of the length that is stored with the pointer,
    // and this memory exists until the call returns. sendmsg only reads this memory. `IoSlice` has
    // the same layout as `iovec`.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &message, libc::MSG_NOSIGNAL) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The result of recvmsg, without the received octets.
struct Arrival {
    len: usize,
    address: SockAddr,
    flags: libc::c_int,
    /// The total length of the received control messages in octets.
    filled: usize,
}

/// Receives a message and its control messages. `flags` are the flags of recvmsg.
fn receive_message(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    control: &mut Control,
    flags: libc::c_int,
) -> io::Result<Arrival> {
    let mut parts = [IoSliceMut::new(buffer)];
    // SAFETY: a `msghdr` in which all octets are zero is valid. In musl the structure has padding
    // that must be zero.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = parts.as_mut_ptr().cast();
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len() as _;
    let receive = |name: *mut SockAddrStorage, name_len: *mut libc::socklen_t| {
        message.msg_name = name.cast();
        // SAFETY: `try_init` provides memory for an address, and the length of this memory. Each
        // pointer in `message` is to memory of the length that is stored with the pointer. No other
        // code uses this memory during the call. `IoSliceMut` has the same layout as `iovec`.
        let len = unsafe {
            message.msg_namelen = *name_len;
            let len = libc::recvmsg(socket.as_raw_fd(), &mut message, flags);
            *name_len = message.msg_namelen;
            len
        };
        usize::try_from(len).map_err(|_| io::Error::last_os_error())
    };
    // SAFETY: recvmsg writes an address and its length, or fails.
    let (len, address) = unsafe { SockAddr::try_init(receive) }?;
    let filled = control.0.len().min(message.msg_controllen as usize);
    Ok(Arrival { len, address, flags: message.msg_flags, filled })
}

/// Receives one datagram into `buffer`.
///
/// # Errors
/// `WouldBlock` if no datagram waits. `InvalidData` if the datagram does not fit into `buffer`, or
/// if the source address of the datagram is not an IP address.
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
    let mut control = Control([0; 256]);
    let Arrival { len, address, flags, filled } = receive_message(socket, buffer, &mut control, 0)?;
    let (Some(source), 0) = (address.as_socket(), flags & libc::MSG_TRUNC) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut received = Received { len, source, ttl: 0, tos: 0, segment_size: None };
    for (level, kind, data) in Ancillary(&control.0[..filled]) {
        match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                received.ttl = number(data);
            }
            (libc::IPPROTO_IP, libc::IP_TOS) | (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                received.tos = number(data);
            }
            (libc::SOL_UDP, libc::UDP_GRO) => {
                let size = data.first_chunk().map(|int| i32::from_ne_bytes(*int));
                let size = size.and_then(|size| u16::try_from(size).ok());
                received.segment_size = size.and_then(NonZeroU16::new);
            }
            _ => {}
        }
    }
    Ok(received)
}

/// Removes the oldest note from the error queue of the socket (IP_RECVERR, IPV6_RECVERR). Returns
/// the ICMP error in the note, or `None` if the note contains no ICMP error.
///
/// # Errors
/// `WouldBlock` if the queue is empty.
pub fn receive_error(socket: BorrowedFd<'_>, family: Family) -> io::Result<Option<IcmpError>> {
    let mut control = Control([0; 256]);
    // The maximum number of octets that an IPv6 ICMP error can quote.
    let mut data = [0; 1280];
    let arrival = receive_message(socket, &mut data, &mut control, libc::MSG_ERRQUEUE)?;
    let Some(destination) = arrival.address.as_socket() else { return Ok(None) };
    let mut notes = Ancillary(&control.0[..arrival.filled]);
    let note = notes.find_map(|(level, kind, note)| match (level, kind) {
        (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
            Note::read(note)
        }
        _ => None,
    });
    let Some(note) = note.filter(|note| note.is_icmp(family)) else { return Ok(None) };
    let payload = &data[..arrival.len];
    let quoted = match note.extension_at {
        0 => payload,
        at => &payload[..payload.len().min(at.into())],
    };
    Ok(Some(IcmpError {
        rloc: Rloc(destination.ip()),
        port: destination.port(),
        reporter: note.reporter.unwrap_or(destination.ip()),
        kind: IcmpErrorKind::of(family, note.kind, note.code, note.information),
        quoted: quoted.to_vec(),
    }))
}

/// A note in the error queue: a `struct sock_extended_err`, and the address that follows this
/// structure.
struct Note {
    origin: u8,
    kind: u8,
    code: u8,
    /// The MTU, if the error says that the packet is too big.
    information: u32,
    /// The offset of an ICMP extension (RFC 4884) in the payload, in octets. The offset is 0 if
    /// there is no extension.
    extension_at: u16,
    /// The address of the router that has sent the ICMP message.
    reporter: Option<IpAddr>,
}

impl Note {
    fn read(note: &[u8]) -> Option<Self> {
        let (head, offender) = note.split_first_chunk::<16>()?;
        let [_, _, _, _, origin, kind, code, _, i, j, k, l, m, n, _, _] = *head;
        Some(Note {
            origin,
            kind,
            code,
            information: u32::from_ne_bytes([i, j, k, l]),
            extension_at: u16::from_ne_bytes([m, n]),
            reporter: address(offender),
        })
    }

    /// Whether the note is an ICMP error (`SO_EE_ORIGIN_ICMP` or `SO_EE_ORIGIN_ICMP6`).
    fn is_icmp(&self, family: Family) -> bool {
        self.origin
            == match family {
                Family::Ipv4 => 2,
                Family::Ipv6 => 3,
            }
    }
}

/// Returns the address in a `sockaddr_in` or `sockaddr_in6`.
fn address(socket_address: &[u8]) -> Option<IpAddr> {
    let family = u16::from_ne_bytes(*socket_address.first_chunk()?);
    match i32::from(family) {
        libc::AF_INET => Some(IpAddr::from(*socket_address.get(4..)?.first_chunk::<4>()?)),
        libc::AF_INET6 => Some(IpAddr::from(*socket_address.get(8..)?.first_chunk::<16>()?)),
        _ => None,
    }
}

/// Sets an option of a socket whose value is an int. This function is for options that socket2 does
/// not support.
pub fn set_option(socket: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    let len = mem::size_of::<i32>() as libc::socklen_t;
    // SAFETY: the pointer points to an int that exists until the call returns, and `len` is the
    // size of this int.
    let outcome = unsafe {
        let value = (&raw const value).cast();
        libc::setsockopt(socket.as_raw_fd(), level, name, value, len)
    };
    if outcome < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The length in octets of the header of a piece of ancillary data.
const HEADER_LEN: usize = mem::size_of::<libc::cmsghdr>();
/// Each piece of ancillary data begins at a multiple of this number of octets.
const ALIGNMENT: usize = mem::size_of::<usize>();

/// Writes one piece of ancillary data into `room`. Returns the number of octets that the piece
/// needs, including padding (`CMSG_SPACE`).
fn put(room: &mut [u8], level: i32, kind: i32, value: &[u8]) -> usize {
    let len = HEADER_LEN + value.len();
    // The length field is a `size_t` in glibc. In other C libraries this field is an int and
    // padding, and the padding must be zero.
    room[..ALIGNMENT].copy_from_slice(&len.to_ne_bytes());
    room[HEADER_LEN - 8..HEADER_LEN - 4].copy_from_slice(&level.to_ne_bytes());
    room[HEADER_LEN - 4..HEADER_LEN].copy_from_slice(&kind.to_ne_bytes());
    room[HEADER_LEN..len].copy_from_slice(value);
    len.next_multiple_of(ALIGNMENT)
}

/// Iterates over the pieces of ancillary data. Each item is a level, a kind and a value. Stops at
/// the first incomplete piece.
struct Ancillary<'a>(&'a [u8]);

impl<'a> Iterator for Ancillary<'a> {
    type Item = (i32, i32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (header, _) = self.0.split_first_chunk::<HEADER_LEN>()?;
        let len = usize::from_ne_bytes(*header.first_chunk()?);
        let data = self.0.get(HEADER_LEN..len)?;
        self.0 = self.0.get(len.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        let int = |at: usize| -> Option<i32> {
            Some(i32::from_ne_bytes(*header.get(at..)?.first_chunk()?))
        };
        Some((int(HEADER_LEN - 8)?, int(HEADER_LEN - 4)?, data))
    }
}

/// Reads a number from ancillary data. An IPv4 type of service is one octet. Any other value is an
/// int.
fn number(data: &[u8]) -> u8 {
    match data.first_chunk() {
        Some(&int) => i32::from_ne_bytes(int) as u8,
        None => data.first().copied().unwrap_or(0),
    }
}
