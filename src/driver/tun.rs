//! The TUN device `lisp0`. Packets of EIDs enter and leave the router through this device.
//!
//! There are two modes. With segmentation offload, a [`VnetHeader`] precedes each packet. One read
//! returns up to 64 KiB of a flow as one super-packet, and one write accepts the same amount.
//! Without offload, each read returns one packet, and each write sends one packet. The second mode
//! is for kernels that do not support offload, and for comparison.

#![allow(
    unsafe_code,
    reason = "the ioctls that make a TUN device and set its offload take raw structures"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Read, Write};
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

use tun_tap::{Iface, Mode};

use super::descriptors::nothing_waits;
use super::offload::vnet_header::{VNET_HEADER_LEN, VnetHeader};
use crate::packet::Packet;
use crate::router::io::LISP_DEVICE;

/// The size in octets of a buffer for one read: the size of the largest packet and of the
/// [`VnetHeader`].
pub const READ_LEN: usize = u16::MAX as usize + VNET_HEADER_LEN;

const TUN_F_CSUM: libc::c_uint = 0x01;
const TUN_F_TSO4: libc::c_uint = 0x02;
const TUN_F_TSO6: libc::c_uint = 0x04;
const TUN_F_TSO_ECN: libc::c_uint = 0x08;
const TUN_F_USO4: libc::c_uint = 0x20;
const TUN_F_USO6: libc::c_uint = 0x40;
const TCP_OFFLOAD: libc::c_uint = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
/// The sets of offloads that the driver requests, in this order. The driver uses the first set that
/// the kernel supports. The kernel supports segmentation of UDP (USO) since Linux 6.2.
const OFFLOADS: [libc::c_uint; 2] = [TCP_OFFLOAD | TUN_F_USO4 | TUN_F_USO6, TCP_OFFLOAD];

/// The open device. When this value is dropped, the kernel deletes the device and all routes into
/// the device.
#[derive(Debug)]
pub struct Tun {
    device: Device,
}

#[derive(Debug)]
enum Device {
    Plain(Iface),
    Offload { file: File, udp: bool },
}

impl Tun {
    /// Creates `lisp0` in the namespace of the calling thread. The new device is down and has no
    /// addresses. If `offload` is true, the device uses one of the sets of offloads in `OFFLOADS`,
    /// if the kernel supports one.
    pub fn open(offload: bool) -> io::Result<Self> {
        let device = match offload.then(open_with_offload) {
            Some(Ok(device)) => device,
            // EINVAL means that this kernel does not support IFF_VNET_HDR or any of the offloads.
            Some(Err(error)) if error.raw_os_error() != Some(libc::EINVAL) => return Err(error),
            _ => {
                let device = Iface::without_packet_info(LISP_DEVICE, Mode::Tun)?;
                device.set_non_blocking()?;
                Device::Plain(device)
            }
        };
        Ok(Tun { device })
    }

    /// Whether the device still exists with its name.
    pub fn is_lisp0(&self) -> bool {
        let mut request = request();
        // SAFETY: TUNGETIFF writes an `ifreq` through a pointer, and the pointer points to a valid
        // `ifreq`.
        let found = unsafe { libc::ioctl(self.as_raw_fd(), libc::TUNGETIFF, &raw mut request) };
        let name = request.ifr_name.iter().map(|octet| *octet as u8);
        found == 0 && name.take_while(|octet| *octet != 0).eq(LISP_DEVICE.bytes())
    }

    /// Whether the device reads and writes super-packets of TCP. It may also support super-packets
    /// of UDP.
    pub fn has_offload(&self) -> bool {
        matches!(self.device, Device::Offload { .. })
    }

    /// Whether the device also reads and writes super-packets of UDP.
    pub fn has_udp_offload(&self) -> bool {
        matches!(self.device, Device::Offload { udp: true, .. })
    }

    /// Reads a packet into `buffer`. The buffer must have at least [`READ_LEN`] octets. A single
    /// packet is complete and has its checksum. A super-packet has no complete checksum. The caller
    /// divides a super-packet into segments, and then computes the checksum of each segment.
    ///
    /// # Errors
    /// `WouldBlock` if no packet waits. EBADFD if the device was deleted. `InvalidData` if the
    /// kernel's description of the packet is not valid.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Packet<'a>> {
        match &self.device {
            Device::Plain(device) => {
                let len = device.recv(buffer)?;
                Ok(Packet::single(&mut buffer[..len]))
            }
            Device::Offload { file, .. } => {
                let len = (&mut &*file).read(buffer)?;
                let (header, packet) = buffer[..len]
                    .split_first_chunk_mut::<VNET_HEADER_LEN>()
                    .ok_or(io::ErrorKind::InvalidData)?;
                let segment_size = VnetHeader::parse(header).settle(packet)?;
                Ok(Packet { bytes: packet, segment_size })
            }
        }
    }

    /// Whether no packet waits at the device.
    pub fn is_drained(&self) -> bool {
        // SAFETY: the device is open as long as `self` lives.
        nothing_waits(unsafe { BorrowedFd::borrow_raw(self.as_raw_fd()) })
    }

    /// Returns the number of octets that precede the packet in the buffer of [`Tun::receive`].
    pub fn headroom(&self) -> usize {
        if self.has_offload() { VNET_HEADER_LEN } else { 0 }
    }

    /// Writes a packet to `lisp0`. The kernel handles it as a packet that has arrived on this
    /// device.
    ///
    /// # Errors
    /// EIO while the device is down.
    pub fn send(&self, packet: &Packet<'_>) -> io::Result<()> {
        let header = packet
            .segment_size
            .map(|size| VnetHeader::of_super_packet(packet.bytes, size))
            .unwrap_or_else(|| Some(VnetHeader::default()));
        let header = header.ok_or(io::ErrorKind::InvalidData)?.emit();
        self.send_parts(&mut [IoSlice::new(&header), IoSlice::new(packet.bytes)])
    }

    /// Writes a packet to `lisp0`. The packet is in several parts. The first part contains the
    /// octets of the packet's [`VnetHeader`].
    pub fn send_parts(&self, parts: &mut [IoSlice<'_>]) -> io::Result<()> {
        match &self.device {
            Device::Plain(device) => {
                let [_, packet] = parts else { return Err(io::ErrorKind::Unsupported.into()) };
                device.send(packet).map(drop)
            }
            Device::Offload { file, .. } => (&mut &*file).write_vectored(parts).map(drop),
        }
    }
}

impl AsRawFd for Tun {
    fn as_raw_fd(&self) -> RawFd {
        match &self.device {
            Device::Plain(device) => device.as_raw_fd(),
            Device::Offload { file, .. } => file.as_raw_fd(),
        }
    }
}

fn open_with_offload() -> io::Result<Device> {
    let flags = libc::O_NONBLOCK | libc::O_CLOEXEC;
    let file =
        OpenOptions::new().read(true).write(true).custom_flags(flags).open("/dev/net/tun")?;
    let mut request = request();
    request.ifr_ifru.ifru_flags =
        (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as libc::c_short;
    let header_len = VNET_HEADER_LEN as libc::c_int;
    // SAFETY: TUNSETIFF needs a pointer to an `ifreq`, and TUNSETVNETHDRSZ needs a pointer to an
    // int. Both pointers point to valid values.
    unsafe {
        check(libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request))?;
        check(libc::ioctl(file.as_raw_fd(), libc::TUNSETVNETHDRSZ, &raw const header_len))?;
    }
    let set = |offload: libc::c_uint| {
        // SAFETY: the argument of TUNSETOFFLOAD is a value and not a pointer.
        check(unsafe {
            libc::ioctl(file.as_raw_fd(), libc::TUNSETOFFLOAD, libc::c_ulong::from(offload))
        })
    };
    let udp = match set(OFFLOADS[0]) {
        Ok(()) => true,
        Err(_) => {
            set(OFFLOADS[1])?;
            false
        }
    };
    Ok(Device::Offload { file, udp })
}

/// Makes a request about `lisp0`.
fn request() -> libc::ifreq {
    // SAFETY: an `ifreq` in which all octets are zero is valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(LISP_DEVICE.bytes()) {
        *to = from as libc::c_char;
    }
    request
}

fn check(outcome: libc::c_int) -> io::Result<()> {
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::namespace::{in_namespace, ip, wait_until};

    #[test]
    fn a_ping_that_is_echoed_in_the_tun_is_answered() {
        in_namespace(|| [true, false].into_iter().for_each(echo_a_ping));
    }

    fn echo_a_ping(offload: bool) {
        let tun = Tun::open(offload).unwrap();
        assert_eq!(tun.has_offload(), offload);
        let down = tun.send(&Packet::single(&mut [0x45; 20])).unwrap_err();
        assert_eq!(down.raw_os_error(), Some(libc::EIO));
        ip("addr add 192.0.2.1/24 dev lisp0");
        ip("link set lisp0 up addrgenmode none");
        let mut command = std::process::Command::new("ping");
        let ping = command.args(["-c", "1", "-W", "2", "192.0.2.2"]).spawn();
        let mut ping = ping.expect("ping is installed");
        let mut buffer = vec![0; READ_LEN];
        let status = loop {
            if let Some(status) = ping.try_wait().unwrap() {
                break status;
            }
            let Ok(packet) = tun.receive(&mut buffer) else { continue };
            assert_eq!(packet.segment_size, None);
            // The next lines change an echo request into an echo reply. They exchange the
            // addresses, change the type from 8 to 0, and increase the checksum by the difference
            // of the types.
            let bytes = &mut *packet.bytes;
            let (source, destination) = bytes[12..20].split_at_mut(4);
            source.swap_with_slice(destination);
            bytes[20] = 0;
            let sum = u32::from(u16::from_be_bytes([bytes[22], bytes[23]])) + 0x0800;
            let sum = (sum + (sum >> 16)) as u16;
            bytes[22..24].copy_from_slice(&sum.to_be_bytes());
            tun.send(&packet).unwrap();
        };
        assert!(status.success());
        drop(tun);
        wait_until("lisp0 has gone", || !ip("link").contains("lisp0"));
    }

    #[test]
    fn there_is_one_lisp0_and_it_goes_with_its_owner() {
        in_namespace(|| {
            for (one, other) in [(true, true), (true, false), (false, true)] {
                let tun = Tun::open(one).unwrap();
                let second = Tun::open(other).unwrap_err();
                assert_eq!(second.raw_os_error(), Some(libc::EBUSY));
                drop(tun);
                wait_until("lisp0 has gone", || !ip("link").contains("lisp0"));
            }
        });
    }
}
