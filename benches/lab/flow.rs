//! Numbered datagrams: a generator, and a sink that counts loss and reordering.

use std::io::ErrorKind::{Interrupted, WouldBlock};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::batch::{self, BATCH, Receiver};
use crate::cpu::Usage;

const BUFFERS: i32 = 8 << 20;
/// If no datagram arrives for this time, the sink assumes that all have arrived.
const SILENCE: Duration = Duration::from_millis(100);
/// The time for which a paced generator sleeps if no datagram is due.
const TICK: Duration = Duration::from_micros(50);

/// The result of a run of datagrams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trial {
    pub sent: u64,
    pub received: u64,
    /// The number of datagrams that arrived after a later datagram.
    pub reordered: u64,
    /// The number of seconds from the first sent datagram to the last.
    pub seconds: f64,
    /// The CPU time of the machine during the run.
    pub usage: Usage,
}

impl Trial {
    /// Datagrams a second that arrived.
    pub fn rate(&self) -> f64 {
        self.received as f64 / self.seconds
    }

    pub fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }
}

/// Opens the socket of a sink in the namespace of the calling thread.
pub fn sink(port: u16) -> Outcome<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
    socket.set_read_timeout(Some(SILENCE))?;
    batch::enlarge_buffers(&socket, BUFFERS)?;
    Ok(socket)
}

/// Opens the socket of a generator in the namespace of the calling thread.
pub fn generator(sink: SocketAddr) -> Outcome<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(sink)?;
    batch::enlarge_buffers(&socket, BUFFERS)?;
    Ok(socket)
}

/// A generator and a sink.
pub struct Flow {
    generator: UdpSocket,
    sink: UdpSocket,
    /// Octets of UDP payload.
    size: usize,
    /// The number of datagrams that the generator passes to the kernel together (UDP_SEGMENT). 1 is
    /// a plain send.
    segments: usize,
    /// The number of the run. It distinguishes the datagrams of this run from late datagrams of the
    /// previous run.
    run: AtomicU32,
}

impl Flow {
    /// A flow of datagrams of `size` octets of payload.
    pub fn new(
        generator: UdpSocket,
        sink: UdpSocket,
        size: usize,
        segments: usize,
    ) -> Outcome<Self> {
        if segments > 1 {
            batch::segment(&generator, size)?;
        }
        Ok(Flow { generator, sink, size, segments, run: AtomicU32::new(0) })
    }

    /// Sends for `span` at `rate` datagrams a second, or as fast as possible. Counts the datagrams
    /// that arrive.
    pub fn trial(&self, rate: Option<f64>, span: Duration) -> Outcome<Trial> {
        let run = self.run.fetch_add(1, Ordering::Relaxed) + 1;
        let sending = AtomicBool::new(true);
        let before = Usage::of_machine()?;
        thread::scope(|scope| {
            let sink = scope.spawn(|| self.count(run, &sending));
            let sent = self.generate(run, rate, span);
            sending.store(false, Ordering::Release);
            let (sent, seconds, usage) = sent?;
            let (received, reordered) = sink.join().map_err(|_| "the sink panicked")??;
            Ok(Trial { sent, received, reordered, seconds, usage: usage.since(before) })
        })
    }

    /// Returns the number of sent datagrams, the number of seconds, and the machine's usage at the
    /// end.
    fn generate(&self, run: u32, rate: Option<f64>, span: Duration) -> Outcome<(u64, f64, Usage)> {
        let mut buffers = vec![vec![0; self.size * self.segments]; BATCH];
        let mut next = 0;
        let begin = Instant::now();
        loop {
            let elapsed = begin.elapsed();
            if elapsed >= span {
                return Ok((next, elapsed.as_secs_f64(), Usage::of_machine()?));
            }
            let due = rate.map_or(u64::MAX, |rate| (rate * elapsed.as_secs_f64()) as u64);
            let due = due.saturating_sub(next);
            let count = (due / self.segments as u64).min(BATCH as u64) as usize;
            if count == 0 {
                thread::sleep(TICK);
                continue;
            }
            let segments =
                buffers[..count].iter_mut().flat_map(|buffer| buffer.chunks_mut(self.size));
            for (segment, number) in segments.zip(next..) {
                segment[..4].copy_from_slice(&run.to_be_bytes());
                segment[4..12].copy_from_slice(&number.to_be_bytes());
            }
            match batch::send(&self.generator, buffers[..count].iter().map(Vec::as_slice)) {
                Ok(taken) => next += (taken * self.segments) as u64,
                Err(error) if matches!(error.kind(), WouldBlock | Interrupted) => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Returns the number of datagrams of the run that arrived, and the number of them that arrived
    /// after a later datagram.
    fn count(&self, run: u32, sending: &AtomicBool) -> Outcome<(u64, u64)> {
        let mut receiver = Receiver::new();
        let (mut received, mut reordered, mut expected) = (0, 0, 0);
        loop {
            let was_sending = sending.load(Ordering::Acquire);
            match receiver.receive(&self.sink) {
                Ok(datagrams) => {
                    for number in datagrams.filter_map(|bytes| number_of(bytes, run)) {
                        received += 1;
                        reordered += u64::from(number < expected);
                        expected = expected.max(number + 1);
                    }
                }
                Err(error) if error.kind() == Interrupted => {}
                Err(error) if error.kind() == WouldBlock && was_sending => {}
                Err(error) if error.kind() == WouldBlock => return Ok((received, reordered)),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Returns the number of a datagram, if it belongs to the run.
fn number_of(bytes: &[u8], run: u32) -> Option<u64> {
    let (of_run, rest) = bytes.split_first_chunk()?;
    let (number, _) = rest.split_first_chunk()?;
    (u32::from_be_bytes(*of_run) == run).then(|| u64::from_be_bytes(*number))
}
