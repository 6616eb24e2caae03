//! A TAP device that also takes super-packets: one header for many segments, as a host with
//! segmentation offload sends them. Frames that leave the device are single packets.

#![allow(unsafe_code, reason = "the ioctl that makes the device takes a raw structure")]

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::AsRawFd;

/// The length in octets of the kernel's description of a packet, `struct virtio_net_hdr`.
const DESCRIPTION: usize = 10;

/// An open TAP device. The kernel deletes it when it is closed.
pub struct Tap(File);

/// The cutting of a super-packet. All places are octets from the beginning of the frame.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// The kind of the packet: `VIRTIO_NET_HDR_GSO_TCPV4`, `_TCPV6` or `_UDP_L4`.
    pub kind: u8,
    /// The length of all headers.
    pub headers: u16,
    /// The octets of data in each segment.
    pub segment: u16,
    /// The place of the transport header, and that of the checksum in the transport header.
    pub transport: u16,
    pub checksum: u16,
}

impl Tap {
    /// Makes the device in the namespace of the calling thread.
    pub fn open(name: &str) -> io::Result<Self> {
        let device = File::options().read(true).write(true).open("/dev/net/tun")?;
        // SAFETY: all fields of the structure are integers or pointers, which may be zero.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (place, octet) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *place = octet as libc::c_char;
        }
        request.ifr_ifru.ifru_flags =
            (libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as libc::c_short;
        // SAFETY: the request is valid for the time of the call.
        let made = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        if made < 0 { Err(io::Error::last_os_error()) } else { Ok(Tap(device)) }
    }

    /// Sends a frame into the device.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.send_described(&[0; DESCRIPTION], frame)
    }

    /// Sends a super-packet into the device. Its checksum field has the sum of the pseudo header.
    pub fn send_uncut(&self, frame: &[u8], cut: Cut) -> io::Result<()> {
        // The flag says that the checksum is missing.
        let mut description = vec![1, cut.kind];
        for word in [cut.headers, cut.segment, cut.transport, cut.checksum] {
            description.extend(word.to_ne_bytes());
        }
        self.send_described(&description, frame)
    }

    fn send_described(&self, description: &[u8], frame: &[u8]) -> io::Result<()> {
        let parts = [IoSlice::new(description), IoSlice::new(frame)];
        (&self.0).write_vectored(&parts).map(drop)
    }

    /// Waits for the next frame that leaves the device.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = (&self.0).read(buffer)?;
        buffer.copy_within(DESCRIPTION..len, 0);
        Ok(len - DESCRIPTION)
    }
}
