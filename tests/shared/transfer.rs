//! A transfer by TCP in a lab, in which every octet is compared.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use eidway::rng::{Rng, Seed};
use socket2::SockRef;

use crate::live::Live;

/// The longest pause in a transfer. If octets are lost twice, their retransmission takes seconds.
const SILENCE: Duration = Duration::from_secs(30);
/// The number of octets that are compared at a time.
const CHUNK: usize = 1 << 16;

/// Sends `mib` MiB from A to B by TCP. B compares every octet.
pub fn transfer(live: &Live, server: &str, mib: usize) {
    let server = SocketAddr::new(server.parse().unwrap(), 5001);
    let listener = live.inside("B", || TcpListener::bind(server).unwrap());
    SockRef::from(&listener).set_read_timeout(Some(SILENCE)).unwrap();
    let mut rng = Rng::new(&Seed::from_number(9), "transfer");
    let base: Vec<u8> = (0..CHUNK / 8).flat_map(|_| rng.next_u64().to_be_bytes()).collect();
    let stamp = |chunk: &mut [u8], number: usize| {
        chunk[..8].copy_from_slice(&number.to_be_bytes());
    };
    let chunks = (mib << 20) / CHUNK;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let stream = live.inside("A", || TcpStream::connect_timeout(&server, SILENCE));
            let mut stream = stream.unwrap();
            stream.set_write_timeout(Some(SILENCE)).unwrap();
            let mut chunk = base.clone();
            for number in 0..chunks {
                stamp(&mut chunk, number);
                stream.write_all(&chunk).unwrap();
            }
        });
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        let (mut received, mut expected) = (vec![0; CHUNK], base.clone());
        for number in 0..chunks {
            stream.read_exact(&mut received).unwrap();
            stamp(&mut expected, number);
            assert!(
                received == expected,
                "the received octets differ from octet {} on",
                number * CHUNK
            );
        }
        assert_eq!(stream.read(&mut received).unwrap(), 0, "more came than was sent");
    });
}
