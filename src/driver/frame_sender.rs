//! A socket that sends whole frames on one device.

#![allow(
    unsafe_code,
    reason = "the address of a packet socket is a raw structure; this module builds and reads it"
)]

use std::io;
use std::mem;

use socket2::{Domain, SockAddr, SockAddrStorage, Socket, Type};

use crate::router::io::Mac;

/// A socket that sends frames on one device and receives none.
#[derive(Debug)]
pub struct FrameSender {
    socket: Socket,
    /// The name of the socket.
    address: SockAddr,
    index: u32,
    /// The name to which frames are sent. It has the device and the protocol.
    to: SockAddr,
}

impl FrameSender {
    /// Opens a socket for the device `index` of the calling thread's namespace.
    ///
    /// # Errors
    /// There is no such device, or the process has no privilege for the namespace.
    pub fn open(index: u32) -> io::Result<Self> {
        let socket = Socket::new(Domain::PACKET, Type::RAW.cloexec(), None)?;
        let to = link_address(index, 0);
        socket.bind(&to)?;
        let address = socket.local_addr()?;
        Ok(FrameSender { socket, address, index, to })
    }

    /// Returns the device's hardware address. The kernel writes this address into the name of a
    /// socket that is bound to the device.
    pub fn hardware_address(&self) -> io::Result<Mac> {
        // SAFETY: the kernel filled in the name, which is the name of a packet socket. `SockAddr`
        // has room for every kind of name, with the right alignment.
        let name = unsafe { &*self.address.as_ptr().cast::<libc::sockaddr_ll>() };
        match name.sll_addr {
            [a, b, c, d, e, f, ..] if name.sll_halen == 6 => Ok(Mac([a, b, c, d, e, f])),
            _ => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }

    /// Sets the protocol that the kernel keeps beside each packet that is sent from now on. Filters
    /// of the kernel can tell these packets from others by it. The protocol in the Ethernet header
    /// of the frame does not change, and the other end of a cable reads only that one.
    pub fn set_protocol(&mut self, protocol: u16) {
        self.to = link_address(self.index, protocol);
    }

    /// From now on, [`FrameSender::send`] never waits.
    ///
    /// # Errors
    /// An error of the socket.
    pub fn set_nonblocking(&self) -> io::Result<()> {
        self.socket.set_nonblocking(true)
    }

    /// Sends a frame, which begins with its Ethernet header.
    ///
    /// # Errors
    /// The device is down, or has no room for the frame.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.socket.send_to(frame, &self.to).map(drop)
    }
}

/// Returns the name of a packet socket on the device `index`. If `protocol` is 0, a socket that is
/// bound to the name receives no frames, and the protocol of a frame that is sent to the name is
/// that of its Ethernet header.
fn link_address(index: u32, protocol: u16) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: a `sockaddr_ll` has only plain integers and fits into the storage. `len` is its size.
    unsafe {
        let name = storage.view_as::<libc::sockaddr_ll>();
        name.sll_family = libc::AF_PACKET as u16;
        name.sll_protocol = protocol.to_be();
        name.sll_ifindex = index as i32;
        SockAddr::new(storage, mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t)
    }
}
