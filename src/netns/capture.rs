//! Captures the frames of a device to a file, through a socket of this process. Programs like
//! tcpdump are not used: they change their user before they capture, and the namespaces of an
//! ordinary user do not allow this change.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType, socket};

use super::raw::inside;
use crate::capture::pcap::PcapWriter;
use crate::driver::tap_point::{self, TapPoint, Tapped};
use crate::lab::failure::Failure;

/// The maximum number of frames that are read in one turn of the loop. The buffer of the socket
/// cannot contain more frames.
const TURN: usize = 100_000;

/// A capture that runs in a thread. It ends when this value is dropped.
#[derive(Debug)]
pub struct Capture {
    /// The text that names this capture in errors: its device and its namespace.
    device: String,
    /// A socket, and the thread of the capture. When this socket is closed, the thread ends. `None`
    /// after the capture has ended.
    running: Option<(UnixStream, JoinHandle<io::Result<()>>)>,
}

impl Capture {
    /// Begins a capture. Writes to `out` all frames that a device of a namespace sends or receives.
    /// Each frame is written as soon as it is read from the socket.
    ///
    /// # Errors
    /// The namespace has no device with the name `device`, or `out` cannot be written.
    pub fn start(
        namespace: &str,
        device: &str,
        out: impl Write + Send + 'static,
    ) -> Result<Self, Failure> {
        let point = inside(namespace, || {
            let any = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
            TapPoint::open_for_all(name_to_index(&any, device)?)
        })?;
        let device = format!("capture on {device} in {namespace}");
        let begin = || {
            let (stop, stopped) = UnixStream::pair()?;
            let file = PcapWriter::new(out)?;
            Ok((stop, thread::spawn(move || copy(&point, &stopped, file))))
        };
        let running = begin().map_err(Failure::io(&device))?;
        Ok(Capture { device, running: Some(running) })
    }

    /// Writes the frames that are still in the socket, and ends the capture.
    pub fn end(mut self) -> Result<(), Failure> {
        self.stop().map_err(Failure::io(&self.device))
    }

    fn stop(&mut self) -> io::Result<()> {
        let Some((stop, thread)) = self.running.take() else { return Ok(()) };
        drop(stop);
        let failed = |_| Err(io::Error::other("the thread of the capture has failed"));
        thread.join().unwrap_or_else(failed)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // The caller no longer needs the file, so an error is ignored.
        let _ = self.stop();
    }
}

/// Copies frames from `point` to `file` until the other end of `stopped` is closed.
fn copy(
    point: &TapPoint,
    stopped: &UnixStream,
    mut file: PcapWriter<impl Write>,
) -> io::Result<()> {
    let mut buffer = tap_point::buffer();
    loop {
        let wait = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let mut fds = [wait(point.as_fd()), wait(stopped.as_fd())];
        match poll(&mut fds, None) {
            Err(Errno::INTR) => continue,
            ready => ready?,
        };
        let is_over = !fds[1].revents().is_empty();
        for _ in 0..TURN {
            match point.receive(&mut buffer) {
                Ok(Some(Tapped { at, octets, .. })) => file.write(at.as_micros() as u64, octets)?,
                Ok(None) => break,
                // The device is down. When the device is up again, the socket receives frames
                // again.
                Err(error) if error.kind() == ErrorKind::NetworkDown => {}
                Err(error) => return Err(error),
            }
        }
        if is_over {
            file.flush()?;
            return match point.take_dropped()? {
                0 => Ok(()),
                lost => Err(io::Error::other(format!(
                    "the kernel has dropped {lost} frames, because this machine was too busy"
                ))),
            };
        }
    }
}
