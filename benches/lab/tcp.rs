//! Transfers over TCP: at full speed for a time, or a given number of octets that are all compared
//! on arrival.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::Outcome;
use crate::cpu::Usage;
use crate::topology::{Topology, peer_of};

const PORT: u16 = 9001;
/// The number of octets of a read and of a write.
const CHUNK: usize = 256 << 10;
/// The first part of a flow, which is not measured because of slow start.
pub const WARM_UP: Duration = Duration::from_millis(500);
/// The congestion control of all flows in all variants. The default of the machine is not used, so
/// that ratios can be compared between machines.
const CONGESTION_CONTROL: &[u8] = b"cubic";
const PATIENCE: Duration = Duration::from_secs(10);

/// The octets that arrived.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    pub octets: u64,
    pub seconds: f64,
    /// The CPU time of the machine during the transfer.
    pub usage: Usage,
}

impl Transfer {
    pub fn gbit_per_second(&self) -> f64 {
        self.octets as f64 * 8.0 / self.seconds / 1e9
    }

    pub fn gib(&self) -> f64 {
        self.octets as f64 / f64::from(1 << 30)
    }
}

/// Connected pairs: the sender's end and the receiver's.
struct Flows(Vec<(TcpStream, TcpStream)>);

impl Flows {
    fn open(topology: &Topology, from: &str, count: usize) -> Outcome<Self> {
        let (to, address) = peer_of(from);
        let listener = topology.inside(to, || {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT))?;
            SockRef::from(&listener).set_tcp_congestion(CONGESTION_CONTROL)?;
            Ok(listener)
        })?;
        let connect = || -> Outcome<TcpStream> {
            let stream = TcpStream::connect_timeout(&(address, PORT).into(), PATIENCE)?;
            SockRef::from(&stream).set_tcp_congestion(CONGESTION_CONTROL)?;
            Ok(stream)
        };
        let pair = |_| {
            let sender = topology.inside(from, connect)?;
            let (receiver, _) = listener.accept()?;
            for end in [&sender, &receiver] {
                end.set_read_timeout(Some(PATIENCE))?;
                end.set_write_timeout(Some(PATIENCE))?;
            }
            Ok((sender, receiver))
        };
        Ok(Flows((0..count).map(pair).collect::<Outcome<_>>()?))
    }
}

/// Runs `flows` flows from a host for `span`, and counts the octets that the other host reads.
pub fn throughput(
    topology: &Topology,
    from: &str,
    flows: usize,
    span: Duration,
) -> Outcome<Transfer> {
    let flows = Flows::open(topology, from, flows)?;
    let (octets, over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for (sender, receiver) in &flows.0 {
            scope.spawn(|| send_until(sender, &over));
            scope.spawn(|| count_until_end(receiver, &octets));
        }
        thread::sleep(WARM_UP);
        let before = Usage::of_machine();
        let (begin, at_begin) = (Instant::now(), octets.load(Ordering::Relaxed));
        thread::sleep(span);
        let (seconds, at_end) = (begin.elapsed().as_secs_f64(), octets.load(Ordering::Relaxed));
        let after = Usage::of_machine();
        over.store(true, Ordering::Relaxed);
        let usage = after?.since(before?);
        Ok(Transfer { octets: at_end - at_begin, seconds, usage })
    })
}

fn send_until(mut stream: &TcpStream, over: &AtomicBool) {
    let chunk = vec![0x5a; CHUNK];
    // If a connection breaks, the count shows this, because no more octets arrive.
    while !over.load(Ordering::Relaxed) && stream.write_all(&chunk).is_ok() {}
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

fn count_until_end(mut stream: &TcpStream, octets: &AtomicU64) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(len @ 1..) = stream.read(&mut chunk) {
        octets.fetch_add(len as u64, Ordering::Relaxed);
    }
}

/// Sends `octets` octets, rounded up to whole chunks. The value of each word depends on its
/// position. All octets are compared on arrival.
///
/// # Errors The position of the first wrong octet, or a transfer that ended early.
pub fn whole(topology: &Topology, from: &str, octets: u64) -> Outcome<Transfer> {
    let flows = Flows::open(topology, from, 1)?;
    let chunks = octets.div_ceil(CHUNK as u64);
    let [(sender, receiver)] = &flows.0[..] else { return Err("one flow was asked for".into()) };
    let before = Usage::of_machine()?;
    let begin = Instant::now();
    thread::scope(|scope| {
        let sending = scope.spawn(|| send_pattern(sender, chunks));
        let octets = verify_pattern(receiver, chunks)?;
        sending.join().map_err(|_| "the sender panicked")??;
        let usage = Usage::of_machine()?.since(before);
        Ok(Transfer { octets, seconds: begin.elapsed().as_secs_f64(), usage })
    })
}

fn send_pattern(mut stream: &TcpStream, chunks: u64) -> Outcome<()> {
    let mut chunk = vec![0; CHUNK];
    for number in 0..chunks {
        fill(&mut chunk, number);
        stream.write_all(&chunk)?;
    }
    Ok(stream.shutdown(std::net::Shutdown::Write)?)
}

fn verify_pattern(mut stream: &TcpStream, chunks: u64) -> Outcome<u64> {
    let (mut chunk, mut expected) = (vec![0; CHUNK], vec![0; CHUNK]);
    for number in 0..chunks {
        stream.read_exact(&mut chunk)?;
        fill(&mut expected, number);
        if let Some(at) = (0..CHUNK).find(|&at| chunk[at] != expected[at]) {
            let at = number * CHUNK as u64 + at as u64;
            return Err(format!("octet {at} did not arrive as it was sent").into());
        }
    }
    match stream.read(&mut chunk)? {
        0 => Ok(chunks * CHUNK as u64),
        extra => Err(format!("{extra} octets more than were sent").into()),
    }
}

/// Fills a chunk with words. Each word is the hash of its number by the finaliser of splitmix64.
fn fill(chunk: &mut [u8], number: u64) {
    let words = (CHUNK / 8) as u64;
    for (word, bytes) in (number * words..).zip(chunk.chunks_exact_mut(8)) {
        let mixed = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.copy_from_slice(&(mixed ^ mixed >> 31).to_be_bytes());
    }
}
