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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::namespace::{in_namespace, ip, wait_until};

    #[test]
    fn a_ping_that_is_echoed_in_the_tun_is_answered() {
        in_namespace(|| {
            let tun = Tun::open().unwrap();
            assert_eq!(tun.send(&[0x45; 20]).unwrap_err().raw_os_error(), Some(libc::EIO), "down");
            ip("addr add 192.0.2.1/24 dev lisp0");
            ip("link set lisp0 up addrgenmode none");
            let mut command = std::process::Command::new("ping");
            let ping = command.args(["-c", "1", "-W", "2", "192.0.2.2"]).spawn();
            let mut ping = ping.expect("ping is installed");
            let mut buffer = [0; 2048];
            let status = loop {
                if let Some(status) = ping.try_wait().unwrap() {
                    break status;
                }
                let Ok(packet) = tun.receive(&mut buffer) else { continue };
                assert_eq!(packet.segment_size, None);
                // An echo request becomes its reply: addresses change places, type 8 becomes 0,
                // and the checksum grows by what the type lost.
                let bytes = packet.bytes;
                let (source, destination) = bytes[12..20].split_at_mut(4);
                source.swap_with_slice(destination);
                bytes[20] = 0;
                let sum = u32::from(u16::from_be_bytes([bytes[22], bytes[23]])) + 0x0800;
                let sum = (sum + (sum >> 16)) as u16;
                bytes[22..24].copy_from_slice(&sum.to_be_bytes());
                tun.send(bytes).unwrap();
            };
            assert!(status.success());
        });
    }

    #[test]
    fn there_is_one_lisp0_and_it_goes_with_its_owner() {
        in_namespace(|| {
            let tun = Tun::open().unwrap();
            assert_eq!(Tun::open().unwrap_err().raw_os_error(), Some(libc::EBUSY));
            drop(tun);
            wait_until("lisp0 has gone", || !ip("link").contains("lisp0"));
            Tun::open().unwrap();
        });
    }
}
