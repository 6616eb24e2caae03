//! `lisp0`: the TUN device through which packets of EIDs come and go.
//!
//! One packet a read and a write. A mode with segmentation offload is a second implementation of
//! the same three calls, whose [`Packet`] carries a segment size.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use tun_tap::{Iface, Mode};

use crate::packet::Packet;
use crate::router::io::LISP_DEVICE;

/// The open device; it is gone, with every route into it, when this is dropped.
#[derive(Debug)]
pub struct Tun {
    device: Iface,
}

impl Tun {
    /// Makes `lisp0` in the namespace of the calling thread; it is down and has no addresses.
    pub fn open() -> io::Result<Self> {
        let device = Iface::without_packet_info(LISP_DEVICE, Mode::Tun)?;
        device.set_non_blocking()?;
        Ok(Tun { device })
    }

    /// Reads one packet into `buffer`.
    ///
    /// # Errors
    /// `WouldBlock` when none waits; EBADFD when somebody has deleted the device.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Packet<'a>> {
        let len = self.device.recv(buffer)?;
        Ok(Packet::single(&mut buffer[..len]))
    }

    /// Gives the kernel one packet, as if it had arrived on `lisp0`.
    ///
    /// # Errors
    /// EIO while the device is down.
    pub fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.device.send(packet).map(drop)
    }
}

impl AsRawFd for Tun {
    fn as_raw_fd(&self) -> RawFd {
        self.device.as_raw_fd()
    }
}
