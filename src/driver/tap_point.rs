//! A socket that gets copies of the frames of a device, as in tcpdump. A socket for a capture gets
//! all frames. Any other socket gets a sample of the frames that arrive.
//!
//! A filter in the kernel selects the frames of a sample. The kernel copies a received frame after
//! the filter has decided, but it copies a sent frame before the decision. So a tap for a sample is
//! at the receiving end of a link: there, a rejected frame needs little processor time. If the
//! filter accepts frames faster than the process reads them, the small buffer of the socket becomes
//! full, and the kernel drops frames.

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

/// The size in octets of the socket's buffer for a sample of the frames. About 80 frames fit into
/// this buffer.
const BUFFER: usize = 64 * 1024;
/// The size in octets of the socket's buffer for a capture of all frames. If the user is not root,
/// the kernel makes a smaller buffer, into which a few hundred frames fit.
const LARGE_BUFFER: usize = 8 * 1024 * 1024;
/// The protocol number that stands for all protocols (`ETH_P_ALL`), in network byte order.
const ALL: i32 = (libc::ETH_P_ALL as u16).to_be() as i32;

/// A frame of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tapped<'a> {
    /// The time since 1970 at which the device sent or received the frame.
    pub at: Duration,
    /// Whether the device sent the frame.
    pub is_sent: bool,
    /// The octets of the frame. If the frame is longer than the buffer, only the first octets are
    /// here.
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
    /// Opens a socket for a sample of the frames that arrive at a device. `index` is the index of
    /// the device in the namespace of the calling thread.
    ///
    /// # Errors
    /// The process has no privilege for the namespace.
    pub fn open(index: u32, sampling: Sampling) -> io::Result<Self> {
        let socket = unbound()?;
        socket.set_recv_buffer_size(BUFFER)?;
        // With this option, the socket does not get the frames that the device sends.
        set(&socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
        let point = TapPoint { socket };
        point.sample(sampling)?;
        bind(&point.socket, index)?;
        Ok(point)
    }

    /// Opens a socket for all frames that a device sends and receives. `index` is the index of the
    /// device in the namespace of the calling thread.
    ///
    /// # Errors
    /// The process has no privilege for the namespace.
    pub fn open_for_all(index: u32) -> io::Result<Self> {
        let socket = unbound()?;
        // Only root can exceed the machine's limit on the size (`net.core.rmem_max`). For other
        // users, the size of the buffer is this limit.
        set(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, LARGE_BUFFER as i32)
            .or_else(|_| socket.set_recv_buffer_size(LARGE_BUFFER))?;
        bind(&socket, index)?;
        Ok(TapPoint { socket })
    }

    /// Sets the sample of the frames that this socket gets from now on.
    ///
    /// # Errors
    /// An error of the socket.
    pub fn sample(&self, sampling: Sampling) -> io::Result<()> {
        self.socket.attach_filter(&sampling.filter())
    }

    /// Reads the next frame into `buffer`. Returns `None` if no frame waits.
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
        // SAFETY: each pointer in `message` points to memory of the length that is stored with the
        // pointer. No other code uses this memory during the call.
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

    /// Returns the number of frames that the kernel has dropped since the last call, because the
    /// process did not read them in time.
    ///
    /// # Errors
    /// An error of the socket.
    pub fn take_dropped(&self) -> io::Result<u64> {
        let mut counts = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
        let mut len = mem::size_of_val(&counts) as libc::socklen_t;
        // SAFETY: `counts` is the structure that PACKET_STATISTICS fills in, and `len` is the size
        // of this structure.
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

/// Memory for control messages, with the alignment that their headers need.
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
    // SAFETY: `name` is a `sockaddr_ll`, and the last argument is the size of this structure.
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
    // SAFETY: `value` is an `int`, and the last argument is the size of this `int`.
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
    // SAFETY: the kernel has filled in the control messages of `message` and the length of these
    // messages. The macros read only inside of this length, and a control message of this type
    // contains a `timespec`.
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
