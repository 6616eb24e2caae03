//! Netlink sockets: message headers, requests with acknowledgements, dumps and events.
//!
//! The crate netlink-bindings encodes the payload of a message. This file handles the header of 16
//! octets before the payload (RFC 3549 section 2.2), and the exchange of messages.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use netlink_bindings::traits::{NetlinkRequest, Protocol};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// The length of a message header, in octets.
const HEADER_LEN: usize = 16;
/// The length of the receive buffer, in octets. The kernel writes at most 32 KiB of a dump into one
/// datagram.
const BUFFER_LEN: usize = 64 * 1024;
/// The maximum time to wait for a reply. The kernel answers immediately. But if a reply is lost,
/// the router must not wait for ever, because it forwards no packets while it waits.
const REPLY_TIMEOUT: Duration = Duration::from_secs(2);
/// The maximum number of attempts to read a dump. A dump is read again if the table has changed
/// during the dump.
const DUMP_ATTEMPTS: usize = 8;
/// The size in octets of the receive buffer for events. Many events must fit into the buffer,
/// because many can occur at once.
const EVENT_BUFFER: usize = 4 << 20;
/// The multicast groups for events about links, addresses, rules, routes and neighbours.
const EVENT_GROUPS: i32 = libc::RTMGRP_LINK
    | libc::RTMGRP_IPV4_IFADDR
    | libc::RTMGRP_IPV6_IFADDR
    | libc::RTMGRP_IPV4_RULE
    | IPV6_RULE
    | libc::RTMGRP_IPV4_ROUTE
    | libc::RTMGRP_IPV6_ROUTE
    | libc::RTMGRP_NEIGH;
/// The multicast group `RTNLGRP_IPV6_RULE` as a bit.
const IPV6_RULE: i32 = 1 << (19 - 1);

/// One netlink message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The type of the message: `RTM_*`, or `NLMSG_*` below 16.
    pub kind: u16,
    /// The flags of the message, `NLM_F_*`.
    pub flags: u16,
    sequence: u32,
    /// The netlink port of a socket, if a request of this socket has caused the message. The port
    /// is 0 if the kernel itself has caused the message.
    pub port: u32,
    /// The octets after the header.
    pub payload: &'a [u8],
}

/// Iterates over the messages of one datagram. The iteration ends at the end of the datagram, or at
/// a message that is not complete.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let (header, _) = self.0.split_first_chunk::<HEADER_LEN>()?;
        let &[a, b, c, d, kind0, kind1, flags0, flags1, s0, s1, s2, s3, p0, p1, p2, p3] = header;
        let len = u32::from_ne_bytes([a, b, c, d]) as usize;
        let payload = self.0.get(HEADER_LEN..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes([kind0, kind1]),
            flags: u16::from_ne_bytes([flags0, flags1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            port: u32::from_ne_bytes([p0, p1, p2, p3]),
            payload,
        })
    }
}

/// A blocking socket for requests. Each request is answered before the next request is sent.
#[derive(Debug)]
pub struct RequestSocket {
    socket: OwnedFd,
    sequence: u32,
    /// The netlink port of this socket. The kernel writes this number into the events that are
    /// caused by requests of this socket.
    port: u32,
    buffer: Vec<u8>,
}

impl RequestSocket {
    /// Opens a socket in the namespace of the calling thread.
    pub fn open() -> io::Result<Self> {
        let socket = open(SocketFlags::CLOEXEC, 0)?;
        sockopt::set_socket_timeout(&socket, Timeout::Recv, Some(REPLY_TIMEOUT))?;
        let name = SocketAddrNetlink::try_from(rustix::net::getsockname(&socket)?)?;
        Ok(RequestSocket { socket, sequence: 0, port: name.pid(), buffer: vec![0; BUFFER_LEN] })
    }

    /// Returns the value of [`Message::port`] in the events that are caused by requests of this
    /// socket.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Returns the file descriptor, for system calls that need a socket in this namespace.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Requests a change, and waits until the kernel has accepted or refused the change.
    pub fn change(&mut self, request: &impl NetlinkRequest) -> io::Result<()> {
        self.send(request, libc::NLM_F_ACK)?;
        loop {
            let len = receive(&self.socket, &mut self.buffer)?;
            for message in Messages(&self.buffer[..len]) {
                if message.sequence == self.sequence && i32::from(message.kind) == libc::NLMSG_ERROR
                {
                    return outcome(&message);
                }
            }
        }
    }

    /// Requests a table and calls `decode` for each row. If the table changes during the dump, this
    /// function reads the table again, so that all rows are from the same time. It makes at most
    /// [`DUMP_ATTEMPTS`] attempts, and then returns the rows of the last attempt.
    pub fn dump<T>(
        &mut self,
        request: &impl NetlinkRequest,
        mut decode: impl FnMut(&Message<'_>, &mut Vec<T>),
    ) -> io::Result<Vec<T>> {
        let mut rows = Vec::new();
        for _ in 0..DUMP_ATTEMPTS {
            rows.clear();
            self.send(request, 0)?;
            if self.collect(&mut rows, &mut decode)? {
                return Ok(rows);
            }
        }
        Ok(rows)
    }

    /// Requests one object, and calls `decode` for each message of the answer.
    pub fn ask<T>(
        &mut self,
        request: &impl NetlinkRequest,
        mut decode: impl FnMut(&Message<'_>, &mut Vec<T>),
    ) -> io::Result<Vec<T>> {
        let mut rows = Vec::new();
        self.send(request, libc::NLM_F_ACK)?;
        self.collect(&mut rows, &mut decode)?;
        Ok(rows)
    }

    /// Reads an answer to its end. Returns false if the table has changed during the dump.
    fn collect<T>(
        &mut self,
        rows: &mut Vec<T>,
        decode: &mut impl FnMut(&Message<'_>, &mut Vec<T>),
    ) -> io::Result<bool> {
        let mut of_one_piece = true;
        loop {
            let len = receive(&self.socket, &mut self.buffer)?;
            for message in Messages(&self.buffer[..len]) {
                if message.sequence != self.sequence {
                    continue;
                }
                of_one_piece &= i32::from(message.flags) & libc::NLM_F_DUMP_INTR == 0;
                match i32::from(message.kind) {
                    libc::NLMSG_DONE => return Ok(of_one_piece),
                    libc::NLMSG_ERROR => return outcome(&message).map(|()| of_one_piece),
                    _ => decode(&message, rows),
                }
            }
        }
    }

    fn send(&mut self, request: &impl NetlinkRequest, flags: i32) -> io::Result<()> {
        let Protocol::Raw { request_type, .. } = request.protocol() else {
            return Err(io::Error::other("this is not an rtnetlink request"));
        };
        self.sequence = self.sequence.wrapping_add(1);
        let payload = request.payload();
        let flags = request.flags() | (libc::NLM_F_REQUEST | flags) as u16;
        let mut message = Vec::with_capacity(HEADER_LEN + payload.len());
        message.extend(((HEADER_LEN + payload.len()) as u32).to_ne_bytes());
        message.extend(request_type.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend(0u32.to_ne_bytes());
        message.extend(payload);
        let kernel = SocketAddrNetlink::new(0, 0);
        rustix::net::sendto(&self.socket, &message, SendFlags::empty(), &kernel)?;
        Ok(())
    }
}

/// A non-blocking socket on which the kernel reports changes of links, routes and neighbours.
#[derive(Debug)]
pub struct EventSocket {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl EventSocket {
    /// Opens a socket for all events that a router needs, in the namespace of the calling thread.
    pub fn open() -> io::Result<Self> {
        Self::open_for(EVENT_GROUPS)
    }

    /// Opens a socket for the events of the multicast groups `groups` (`RTMGRP_*`).
    pub fn open_for(groups: i32) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = open(flags, groups as u32)?;
        // If the process has no privilege for a larger buffer, the buffer has the ordinary size.
        // This is enough, because the router detects an overflow and then reads the tables again.
        let _ = sockopt::set_socket_recv_buffer_size_force(&socket, EVENT_BUFFER);
        Ok(EventSocket { socket, buffer: vec![0; BUFFER_LEN] })
    }

    /// Reads one datagram of events.
    ///
    /// # Errors
    /// `WouldBlock` if no datagram waits. ENOBUFS if the kernel has dropped events.
    pub fn receive(&mut self, mut each: impl FnMut(&Message<'_>)) -> io::Result<()> {
        let len = receive(&self.socket, &mut self.buffer)?;
        Messages(&self.buffer[..len]).for_each(|message| each(&message));
        Ok(())
    }

    /// Discards the waiting messages.
    pub fn discard(&mut self) {
        // If the kernel has dropped events, one of these calls returns ENOBUFS. The loop ignores
        // this error and continues.
        while !matches!(self.receive(|_| ()), Err(error) if error.raw_os_error() != Some(libc::ENOBUFS))
        {
        }
    }
}

impl AsFd for EventSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn open(flags: SocketFlags, groups: u32) -> io::Result<OwnedFd> {
    // Protocol number 0 is NETLINK_ROUTE.
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match rustix::net::recv(socket, &mut *buffer, RecvFlags::empty()) {
            Ok((len, _)) => return Ok(len),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Converts an `NLMSG_ERROR` message to a result. The error number 0 means success.
fn outcome(message: &Message<'_>) -> io::Result<()> {
    match message.payload.first_chunk() {
        Some(&number) => match i32::from_ne_bytes(number) {
            0 => Ok(()),
            number => Err(io::Error::from_raw_os_error(number.wrapping_neg())),
        },
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER_LEN + payload.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn a_datagram_is_cut_into_its_messages() {
        let mut bytes = message(24, b"abcde");
        bytes.extend(message(25, b"fg"));
        let read: Vec<_> = Messages(&bytes).map(|m| (m.kind, m.payload)).collect();
        assert_eq!(read, [(24, &b"abcde"[..]), (25, b"fg")]);
    }

    #[test]
    fn a_message_that_is_not_whole_ends_the_datagram() {
        let bytes = message(24, b"abcde");
        for end in 0..HEADER_LEN + 5 {
            assert_eq!(Messages(&bytes[..end]).count(), 0, "{end}");
        }
        // If the iterator accepted a length smaller than the header, it would never end.
        assert_eq!(Messages(&[0; 64]).count(), 0);
    }
}
