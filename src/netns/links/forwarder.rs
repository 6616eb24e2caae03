//! The forwarder of a lab: one process that delays, loses and duplicates the packets of impaired
//! links.
//!
//! It has one thread and waits for three things: a request, a packet in a TAP device, and the time
//! at which the next queued packet must be sent. [`Direction`] limits the number of packets in the
//! queue.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType, socket};

use super::request::{self, PortReport, Reply, Request};
use crate::driver::clock::Clock;
use crate::driver::entropy;
use crate::driver::frame_sender::FrameSender;
use crate::driver::tap::Tap;
use crate::lab::failure::Failure;
use crate::lab::impairment::{Direction, Fate, Impairment};
use crate::netns::raw::inside;
use crate::private;
use crate::rng::{Rng, Seed};
use crate::time::Time;

/// The protocol number that the kernel stores beside each packet that the forwarder sends. The
/// number is reserved for local experiments, so the packets of other programs do not have it. The
/// script `netns-scripts/link-impair` uses the same number.
pub const PROTOCOL: u16 = 0x88b5;
/// The length of the longest frame, in octets. The MTU of a TAP device is at most 65521 octets.
const LONGEST_FRAME: usize = 65536;
/// The maximum number of frames that are read from a TAP device in one turn.
const FRAMES_A_TURN: usize = 64;
/// The maximum number of devices.
const MOST_PORTS: usize = 4096;

/// A device, and the impairment of the packets that it sends. This value is not removed when the
/// impairment ends. So the queued packets are still sent, and the counts can still be read.
struct Port {
    namespace: String,
    device: String,
    tap: Option<Tap>,
    tap_name: String,
    sender: FrameSender,
    direction: Direction,
    rng: Rng,
    /// The number of packets in the queue.
    waiting: usize,
}

/// A packet in the queue. Packets with the same time `at` are sent in the order in which they were
/// queued.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    at: Time,
    number: u64,
    port: usize,
    copies: usize,
    frame: Vec<u8>,
}

/// The forwarder of a lab.
struct Forwarder {
    clock: Clock,
    seed: Seed,
    ports: Vec<Port>,
    queue: BinaryHeap<Reverse<Waiting>>,
    /// The number of packets that were queued until now.
    number: u64,
    buffer: Vec<u8>,
}

/// Serves requests on the socket `path` until the process ends.
///
/// # Errors
/// Another forwarder serves this socket, or an error of the operating system.
pub fn serve(path: &Path) -> Result<(), Failure> {
    if UnixStream::connect(path).is_ok() {
        let error = format!("{}: another forwarder serves this socket", path.display());
        return Err(Failure::Other(error));
    }
    if path.exists() {
        private::remove_socket(path).map_err(Failure::new)?;
    }
    let listener = UnixListener::bind(path).map_err(Failure::io(path.display()))?;
    listener.set_nonblocking(true).map_err(Failure::io(path.display()))?;
    let seed = entropy::seed().map_err(Failure::io("random numbers"))?;
    let mut forwarder = Forwarder {
        clock: Clock::start(),
        seed,
        ports: Vec::new(),
        queue: BinaryHeap::new(),
        number: 0,
        buffer: vec![0; LONGEST_FRAME],
    };
    loop {
        forwarder.turn(&listener).map_err(Failure::io("the forwarder of links"))?;
    }
}

impl Forwarder {
    /// Waits for a request, for a packet, or for the time at which a queued packet must be sent.
    /// Then does this work.
    fn turn(&mut self, listener: &UnixListener) -> io::Result<()> {
        let next = self.queue.peek().map(|Reverse(next)| next.at.since(self.clock.now()));
        let ready = wait(listener, &self.ports, next)?;
        for port in ready.ports {
            self.read(port);
        }
        self.send_due();
        if ready.listener
            && let Ok((mut client, _)) = listener.accept()
        {
            // If a client sends a wrong request or has closed the connection, it gets no answer.
            let request = client.set_nonblocking(false).and_then(|()| request::read(&client));
            if let Ok(request) = request {
                let _ = request::write(&mut client, &self.answer(request));
            }
        }
        Ok(())
    }

    fn answer(&mut self, request: Request) -> Reply {
        match request {
            Request::Report => Reply::Ports(self.ports.iter().map(Port::report).collect()),
            Request::Impair { namespace, device, impairment } => {
                let known = |it: &Port| it.namespace == namespace && it.device == device;
                let known = self.ports.iter().position(known);
                let at = match known {
                    Some(at) => at,
                    None if impairment.is_none() => return Reply::Tap(None),
                    None if self.ports.len() >= MOST_PORTS => {
                        return Reply::Error(format!("{MOST_PORTS} devices are impaired already"));
                    }
                    None => match Port::open(namespace, device, &self.seed) {
                        Ok(port) => {
                            self.ports.push(port);
                            self.ports.len() - 1
                        }
                        Err(failure) => return Reply::Error(failure.to_string()),
                    },
                };
                let port = &mut self.ports[at];
                match port.impair(impairment) {
                    Ok(tap) => Reply::Tap(tap),
                    Err(failure) => Reply::Error(failure.to_string()),
                }
            }
        }
    }

    /// Reads packets from the TAP device of a port. Sends a packet at once if it has no delay and
    /// no packet of this port is in the queue. Otherwise, adds the packet to the queue.
    fn read(&mut self, at: usize) {
        let Forwarder { clock, ports, queue, number, buffer, .. } = self;
        let port = &mut ports[at];
        for _ in 0..FRAMES_A_TURN {
            // An error means that no frame waits, or that the device was removed.
            let Some(Ok(octets)) = port.tap.as_ref().map(|tap| tap.receive(buffer)) else { break };
            let frame = &buffer[..octets];
            let now = clock.now();
            let Fate::Arrives { at: arrives, copies } =
                port.direction.send(octets, now, &mut port.rng)
            else {
                continue;
            };
            if arrives <= now && port.waiting == 0 {
                port.send(frame, copies);
                continue;
            }
            *number += 1;
            port.waiting += 1;
            let frame = frame.to_vec();
            queue.push(Reverse(Waiting { at: arrives, number: *number, port: at, copies, frame }));
        }
    }

    /// Sends the queued packets that must be sent now.
    fn send_due(&mut self) {
        let now = self.clock.now();
        while let Some(Reverse(next)) = self.queue.peek()
            && next.at <= now
            && let Some(Reverse(Waiting { port, copies, frame, .. })) = self.queue.pop()
        {
            let port = &mut self.ports[port];
            port.waiting -= 1;
            port.send(&frame, copies);
        }
    }
}

impl Port {
    fn open(namespace: String, device: String, seed: &Seed) -> Result<Self, Failure> {
        let (index, sender) = inside(&namespace, || {
            let index =
                name_to_index(socket(AddressFamily::INET, SocketType::DGRAM, None)?, &device)?;
            let mut sender = FrameSender::open(index)?;
            sender.set_protocol(PROTOCOL);
            sender.set_nonblocking()?;
            Ok((index, sender))
        })?;
        Ok(Port {
            rng: Rng::new(seed, &format!("{namespace} {device}")),
            namespace,
            device,
            tap: None,
            tap_name: format!("impair{index}"),
            sender,
            direction: Direction::default(),
            waiting: 0,
        })
    }

    /// Changes the impairment. Returns the name of the TAP device for the packets. Returns `None`
    /// if the packets are not impaired any more.
    fn impair(&mut self, impairment: Impairment) -> Result<Option<String>, Failure> {
        self.direction.impairment = impairment;
        if impairment.is_none() {
            self.tap = None;
            return Ok(None);
        }
        if !self.tap.as_ref().is_some_and(Tap::is_there) {
            self.tap = Some(inside(&self.namespace, || Tap::open(&self.tap_name))?);
        }
        Ok(Some(self.tap_name.clone()))
    }

    fn send(&mut self, frame: &[u8], copies: usize) {
        for _ in 0..copies {
            let sent = self.sender.send(frame);
            self.direction.counts.refused += u64::from(sent.is_err());
        }
    }

    fn report(&self) -> PortReport {
        PortReport {
            namespace: self.namespace.clone(),
            device: self.device.clone(),
            impairment: self.direction.impairment,
            counts: self.direction.counts,
        }
    }
}

/// The listener and the ports that can be read.
struct Ready {
    listener: bool,
    /// The indexes of the ports from which a packet can be read.
    ports: Vec<usize>,
}

/// Waits until a request or a packet can be read, but not longer than the time `next`.
fn wait(listener: &UnixListener, ports: &[Port], next: Option<Duration>) -> io::Result<Ready> {
    let taps = ports.iter().enumerate().filter_map(|(at, port)| Some((at, port.tap.as_ref()?)));
    let taps: Vec<(usize, &Tap)> = taps.collect();
    let mut fds = vec![PollFd::new(listener, PollFlags::IN)];
    fds.extend(taps.iter().map(|(_, tap)| PollFd::new(*tap, PollFlags::IN)));
    let timeout = next.map(|next| Timespec {
        tv_sec: i64::try_from(next.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: next.subsec_nanos().into(),
    });
    match poll(&mut fds, timeout.as_ref()) {
        Err(rustix::io::Errno::INTR) => return Ok(Ready { listener: false, ports: Vec::new() }),
        polled => polled?,
    };
    let is_ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
    let ports = taps.iter().zip(&is_ready[1..]).filter(|(_, ready)| **ready);
    Ok(Ready { listener: is_ready[0], ports: ports.map(|((at, _), _)| *at).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_and_the_forwarder_have_the_same_protocol() {
        let script = include_str!("../../../netns-scripts/link-impair");
        assert!(script.contains(&format!(" protocol {PROTOCOL:#x} ")), "{PROTOCOL:#x}");
    }
}
