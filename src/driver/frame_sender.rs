//! A socket that sends complete frames on one device.

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
    /// The name (local address) of the socket. It contains the hardware address of the device.
    address: SockAddr,
    index: u32,
    /// The name (address) to which frames are sent. It contains the index of the device and the
    /// protocol.
    to: SockAddr,
}

impl FrameSender {
    /// Opens a socket for the device `index` of the calling thread's namespace.
    ///
    /// # Errors
    /// There is no device with this index, or the process has no privilege for the namespace.
    pub fn open(index: u32) -> io::Result<Self> {
        let socket = Socket::new(Domain::PACKET, Type::RAW.cloexec(), None)?;
        let to = link_address(index, 0);
        socket.bind(&to)?;
        let address = socket.local_addr()?;
        Ok(FrameSender { socket, address, index, to })
    }

    /// Returns the hardware address of the device. The kernel writes this address into the name of
    /// each socket that is bound to the device.
    pub fn hardware_address(&self) -> io::Result<Mac> {
        // SAFETY: the kernel has filled in the name, and it is the name of a packet socket. A
        // `SockAddr` is large enough for every kind of name, and has the right alignment.
        let name = unsafe { &*self.address.as_ptr().cast::<libc::sockaddr_ll>() };
        match name.sll_addr {
            [a, b, c, d, e, f, ..] if name.sll_halen == 6 => Ok(Mac([a, b, c, d, e, f])),
            _ => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }

    /// Sets the protocol number that the kernel stores with each frame that is sent from now on.
    /// Filters in the kernel can recognise these frames by this number. The protocol number in the
    /// Ethernet header of the frame does not change, and the other end of a cable reads only the
    /// number in the Ethernet header.
    pub fn set_protocol(&mut self, protocol: u16) {
        self.to = link_address(self.index, protocol);
    }

    /// Makes the socket non-blocking, so that [`FrameSender::send`] never waits.
    ///
    /// # Errors
    /// An error of the socket.
    pub fn set_nonblocking(&self) -> io::Result<()> {
        self.socket.set_nonblocking(true)
    }

    /// Sends a frame, which begins with its Ethernet header.
    ///
    /// # Errors
    /// The device is down, or the send queue of the device is full.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.socket.send_to(frame, &self.to).map(drop)
    }
}

/// Returns the name of a packet socket on the device `index`. If `protocol` is 0, a socket that is
/// bound to this name receives no frames. If a frame is sent to a name whose `protocol` is 0, the
/// kernel uses the protocol number in the Ethernet header of the frame.
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
