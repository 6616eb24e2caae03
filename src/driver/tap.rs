//! The TAP device of an emulated host, and the bridge to which the device is connected.
//!
//! A lab connects the device to one of its LANs. Without a lab, the device of the router's
//! interface is a bridge, and the TAP devices are ports of this bridge. If the interface has no
//! device, this module creates the bridge.

#![allow(unsafe_code, reason = "the ioctls of bridges and links take raw structures")]

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use socket2::{Domain, Socket, Type};
use tun_tap::{Iface, Mode};

/// The requests to create a bridge and to connect a device to a bridge. libc has no names for them.
const SIOCBRADDBR: libc::c_ulong = 0x89a0;
const SIOCBRADDIF: libc::c_ulong = 0x89a2;

/// An open TAP device. When this value is dropped, the device is deleted, even if it is connected
/// to a bridge.
#[derive(Debug)]
pub struct Tap {
    device: Iface,
}

impl Tap {
    /// Creates the device `name` in the namespace of the calling thread. At first, the device is
    /// down.
    pub fn open(name: &str) -> io::Result<Self> {
        let device = Iface::without_packet_info(name, Mode::Tap)?;
        device.set_non_blocking()?;
        Ok(Tap { device })
    }

    /// Connects the device to the bridge `bridge`, and sets the device up. If there is no device
    /// with the name `bridge`, this function creates the bridge and sets the bridge up. Returns
    /// false if `bridge` is not a bridge. In this case it is the end of a cable that does not
    /// belong to this router.
    pub fn plug(&self, bridge: &str) -> io::Result<bool> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        let join = || {
            let mut request = request(bridge);
            request.ifr_ifru.ifru_ifindex = index(&socket, self.device.name())?;
            control(&socket, SIOCBRADDIF, &mut request)
        };
        let mut joined = join();
        if raw(&joined) == Some(libc::ENODEV) {
            let mut name = request(bridge).ifr_name;
            // SAFETY: SIOCBRADDBR reads the octets of a name that ends with a zero.
            check(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCBRADDBR as _, name.as_mut_ptr()) })?;
            set_up(&socket, bridge)?;
            joined = join();
        }
        match raw(&joined) {
            Some(libc::EOPNOTSUPP | libc::EINVAL) => Ok(false),
            _ => joined.and_then(|()| set_up(&socket, self.device.name())).map(|()| true),
        }
    }

    /// Returns true if the device still exists in any namespace. Another program may have deleted
    /// the device.
    pub fn is_there(&self) -> bool {
        control(&self.device, libc::TUNGETIFF as _, &mut request("")).is_ok()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// `WouldBlock` if no frame waits.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.device.recv(buffer)
    }

    /// Sends a frame on the link.
    ///
    /// # Errors
    /// EIO while the device is down.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.device.send(frame).map(drop)
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: this value owns the device, and the descriptor is open as long as the device is
        // open.
        unsafe { BorrowedFd::borrow_raw(self.device.as_raw_fd()) }
    }
}

impl AsRawFd for Tap {
    fn as_raw_fd(&self) -> RawFd {
        self.device.as_raw_fd()
    }
}

fn raw(outcome: &io::Result<()>) -> Option<i32> {
    outcome.as_ref().err().and_then(io::Error::raw_os_error)
}

fn set_up(socket: &Socket, device: &str) -> io::Result<()> {
    let mut request = request(device);
    control(socket, libc::SIOCGIFFLAGS as _, &mut request)?;
    // SAFETY: SIOCGIFFLAGS has filled in the flags.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = flags | libc::IFF_UP as libc::c_short;
    control(socket, libc::SIOCSIFFLAGS as _, &mut request)
}

fn index(socket: &Socket, device: &str) -> io::Result<libc::c_int> {
    let mut request = request(device);
    control(socket, libc::SIOCGIFINDEX as _, &mut request)?;
    // SAFETY: SIOCGIFINDEX has filled in the index.
    Ok(unsafe { request.ifr_ifru.ifru_ifindex })
}

fn control(file: &impl AsRawFd, what: libc::c_ulong, request: &mut libc::ifreq) -> io::Result<()> {
    // SAFETY: each of these requests needs a pointer to an `ifreq`, and the pointer points to a
    // valid `ifreq`.
    check(unsafe { libc::ioctl(file.as_raw_fd(), what as _, &raw mut *request) })
}

/// Makes a request about the device with the name `device`. Only the first octets of a name that is
/// too long are used: no device of the kernel has a name of this length.
fn request(device: &str) -> libc::ifreq {
    // SAFETY: an `ifreq` in which all octets are zero is valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(device.bytes().take(libc::IFNAMSIZ - 1)) {
        *to = from as libc::c_char;
    }
    request
}

fn check(outcome: libc::c_int) -> io::Result<()> {
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
