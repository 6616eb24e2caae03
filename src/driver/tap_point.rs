//! A socket that gets copies of the frames of a device, as in tcpdump. A socket for a capture gets
//! all frames. Any other socket gets a share of the frames that arrive.
//!
//! For a share, a filter in the kernel selects the frames. The kernel would copy a sent frame
//! before the filter decides, but it copies a received frame after that. So a tap is at the
//! receiving end of a link, and a rejected frame costs little. If frames are accepted faster than
//! they are read, the small buffer of the socket becomes full and the kernel drops frames.

#![allow(
    unsafe_code,
    reason = "the time of a frame and the number of dropped frames come in raw structures"
)]

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::tap_filter::{COPIED, Sampling};

/// The size in octets of the socket's buffer for a share of the frames. It has room for about 80
/// frames.
const BUFFER: usize = 64 * 1024;
/// The size in octets of the socket's buffer for a capture of all frames. For an ordinary user, the
/// kernel makes the buffer smaller, with room for a few hundred frames.
const LARGE_BUFFER: usize = 8 * 1024 * 1024;
/// The protocol number of all frames (`ETH_P_ALL`), in network byte order.
const ALL: i32 = (libc::ETH_P_ALL as u16).to_be() as i32;

/// A frame of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tapped<'a> {
    /// The time since 1970 at which the device sent or received the frame.
    pub at: Duration,
    /// Whether the device sent the frame.
    pub is_sent: bool,
    /// The octets of the frame. A frame that is longer than the buffer is cut off.
    pub octets: &'a [u8],
}

/// A socket for the frames of a device.
#[derive(Debug)]
pub struct TapPoint {
    socket: Socket,
}

/// Returns a buffer for the longest frame.
pub fn buffer() -> Vec<u8> {
    vec![0; COPIED as usize]
}

impl TapPoint {
    /// Opens a socket for a share of the frames that arrive at the device `index` of the calling
    /// thread's namespace.
    ///
    /// # Errors
    /// The process has no privilege for the namespace.
    pub fn open(index: u32, sampling: Sampling) -> io::Result<Self> {
        let socket = unbound()?;
        socket.set_recv_buffer_size(BUFFER)?;
        // With this option, the kernel skips this socket for each frame that the device sends.
        set(&socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
        let point = TapPoint { socket };
        point.sample(sampling)?;
        bind(&point.socket, index)?;
        Ok(point)
    }

    /// Opens a socket for all frames of the device `index` of the calling thread's namespace, in both
    /// directions.
    ///
    /// # Errors
    /// The process has no privilege for the namespace.
    pub fn open_for_all(index: u32) -> io::Result<Self> {
        let socket = unbound()?;
        // Only root can exceed the machine's limit (`net.core.rmem_max`). For other users, the
        // buffer gets the size of the limit.
        set(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, LARGE_BUFFER as i32)
            .or_else(|_| socket.set_recv_buffer_size(LARGE_BUFFER))?;
        bind(&socket, index)?;
        Ok(TapPoint { socket })
    }

    /// Sets the share of the frames that this socket gets from now on.
    ///
    /// # Errors
    /// An error of the socket.
    pub fn sample(&self, sampling: Sampling) -> io::Result<()> {
        self.socket.attach_filter(&sampling.filter())
    }

    /// Reads the next frame, if one waits, into `buffer`.
    ///
    /// # Errors
    /// An error of the socket, for example because the device was removed.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Option<Tapped<'a>>> {
        let mut control = Control([0; 128]);
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        // SAFETY: a `sockaddr_ll` and a `msghdr` in which all octets are zero are valid.
        let (mut name, mut message): (libc::sockaddr_ll, libc::msghdr) =
            unsafe { (mem::zeroed(), mem::zeroed()) };
        message.msg_name = (&raw mut name).cast();
        message.msg_namelen = mem::size_of_val(&name) as libc::socklen_t;
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = control.0.len() as _;
        // SAFETY: each pointer in `message` is to memory of the length that is stored with it. No
        // other code uses this memory during the call.
        let len = unsafe { libc::recvmsg(self.socket.as_raw_fd(), &raw mut message, 0) };
        let Ok(len) = usize::try_from(len) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            };
        };
        let is_sent = name.sll_pkttype == libc::PACKET_OUTGOING;
        Ok(Some(Tapped { at: time(&message), is_sent, octets: &buffer[..len] }))
    }

    /// Returns the number of frames that the kernel has dropped since the last call, because they
    /// were not read in time.
    ///
    /// # Errors
    /// An error of the socket.
    pub fn take_dropped(&self) -> io::Result<u64> {
        let mut counts = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
        let mut len = mem::size_of_val(&counts) as libc::socklen_t;
        // SAFETY: the structure is that of PACKET_STATISTICS, and its length is given.
        let outcome = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut counts).cast(),
                &raw mut len,
            )
        };
        match outcome {
            0 => Ok(counts.tp_drops.into()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl AsFd for TapPoint {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Memory for control messages, with the alignment of their headers.
#[repr(C, align(8))]
struct Control([u8; 128]);

/// Returns a socket that receives nothing until it is bound: its protocol number is 0.
fn unbound() -> io::Result<Socket> {
    let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
    socket.set_nonblocking(true)?;
    set(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
    Ok(socket)
}

fn bind(socket: &Socket, index: u32) -> io::Result<()> {
    // SAFETY: a `sockaddr_ll` in which all octets are zero is valid.
    let mut name: libc::sockaddr_ll = unsafe { mem::zeroed() };
    name.sll_family = libc::AF_PACKET as u16;
    name.sll_protocol = ALL as u16;
    name.sll_ifindex = index.cast_signed();
    // SAFETY: the name is a `sockaddr_ll`, and its length is given.
    let outcome = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const name).cast(),
            mem::size_of_val(&name) as libc::socklen_t,
        )
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn set(socket: &Socket, level: i32, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: the value is an `int`, and its length is given.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            mem::size_of_val(&value) as libc::socklen_t,
        )
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Returns the time of a frame since 1970, or 0 if the frame has no time.
fn time(message: &libc::msghdr) -> Duration {
    // SAFETY: the kernel has filled in the control messages of `message` and their length. The
    // macros stay inside of this length, and a control message of this type has a `timespec`.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET
                && (*header).cmsg_type == libc::SCM_TIMESTAMPNS
            {
                let at: libc::timespec =
                    libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned();
                return Duration::new(at.tv_sec.cast_unsigned(), at.tv_nsec as u32);
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    Duration::ZERO
}
