//! Sends and receives many datagrams in one system call. The standard library has no function for
//! this.

#![allow(unsafe_code, reason = "only libc has sendmmsg, recvmmsg and UDP_SEGMENT")]

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;

/// Datagrams a call.
pub const BATCH: usize = 64;
/// The length of the largest datagram that can be received, in octets.
const LARGEST: usize = 2048;

/// Sets an integer option of a socket.
fn set_option(fd: RawFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    let len = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the kernel reads `len` octets of `value`, which outlives the call.
    let result = unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), len) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sets large buffers, also above `rmem_max` and `wmem_max`. With small buffers, packets would be
/// lost while the sink sleeps.
pub fn enlarge_buffers(socket: &UdpSocket, octets: i32) -> io::Result<()> {
    set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, octets)?;
    set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, octets)
}

/// Lets the kernel cut each sent datagram into segments of `octets` octets.
pub fn segment(socket: &UdpSocket, octets: usize) -> io::Result<()> {
    set_option(socket.as_raw_fd(), libc::SOL_UDP, libc::UDP_SEGMENT, octets as i32)
}

fn header(slot: &mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: a message header is integers and pointers, and zero is a value of all of them.
    let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
    header.msg_hdr.msg_iov = ptr::from_mut(slot);
    header.msg_hdr.msg_iovlen = 1;
    header
}

/// Sends the datagrams on a connected socket. Returns the number of datagrams that the kernel
/// accepted.
pub fn send<'a>(
    socket: &UdpSocket,
    datagrams: impl Iterator<Item = &'a [u8]>,
) -> io::Result<usize> {
    let mut slots: Vec<libc::iovec> = datagrams
        .take(BATCH)
        .map(|bytes| libc::iovec { iov_base: bytes.as_ptr() as *mut _, iov_len: bytes.len() })
        .collect();
    let mut headers: Vec<libc::mmsghdr> = slots.iter_mut().map(header).collect();
    let (first, count) = (headers.as_mut_ptr(), headers.len() as u32);
    // SAFETY: `first` points to `count` headers, each to a slot of `slots`, and each of these to a
    // datagram that is borrowed for as long as this function runs and that sending does not change.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), first, count, 0) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Buffers for a batch of datagrams.
pub struct Receiver {
    buffers: Vec<[u8; LARGEST]>,
    lens: Vec<usize>,
}

impl Receiver {
    pub fn new() -> Self {
        Receiver { buffers: vec![[0; LARGEST]; BATCH], lens: Vec::with_capacity(BATCH) }
    }

    /// Waits for one datagram, at most for the timeout of the socket. Then receives the datagrams
    /// that are already there.
    pub fn receive(&mut self, socket: &UdpSocket) -> io::Result<impl Iterator<Item = &[u8]>> {
        let slot = |bytes: &mut [u8; LARGEST]| libc::iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: LARGEST,
        };
        let mut slots: Vec<libc::iovec> = self.buffers.iter_mut().map(slot).collect();
        let mut headers: Vec<libc::mmsghdr> = slots.iter_mut().map(header).collect();
        let (first, count, flags) = (headers.as_mut_ptr(), BATCH as u32, libc::MSG_WAITFORONE);
        // SAFETY: as in `send`; each slot names a buffer of LARGEST octets that is borrowed mutably.
        let received =
            unsafe { libc::recvmmsg(socket.as_raw_fd(), first, count, flags, ptr::null_mut()) };
        let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        self.lens.clear();
        self.lens.extend(headers[..received].iter().map(|header| header.msg_len as usize));
        Ok(self.buffers.iter().zip(&self.lens).map(|(bytes, &len)| &bytes[..len]))
    }
}
