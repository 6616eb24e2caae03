//! Packets that are too big for the tunnel, and TCP connections that adapt to the size.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use eidway::rng::{Rng, Seed};
use socket2::SockRef;

use crate::live::*;

/// The number of octets of a transfer in each direction.
const TRANSFER: usize = 4 << 20;
/// The longest pause in a transfer.
const SILENCE: Duration = Duration::from_secs(10);

#[test]
fn a_packet_too_big_for_the_tunnel_is_told_so() {
    for mode in modes() {
        let live = Live::up_in("two-sites", "size", mode);
        // With an IPv4 locator, the outer headers need 36 of the core's 1500 octets.
        for options in [&[][..], &["--ipv6"]] {
            let fits = [&["-s", "1464", "--df"], options].concat();
            assert_eq!(live.ping("A", "B", &fits), "!!!!!", "{options:?}");
            let too_big = [&["-s", "1465", "--df"], options].concat();
            assert_eq!(live.ping("A", "B", &too_big), "MMMMM", "{options:?}");
        }
    }
}

#[test]
fn a_host_is_told_the_mtu_of_the_tunnel() {
    for mode in modes() {
        let live = Live::up_in("two-sites", "told", mode);
        for (options, target, told) in [
            ("-s 1472", "192.168.0.22", "Frag needed and DF set (mtu = 1464)"),
            ("-s 1452", "2001:db8:b::22", "Packet too big: mtu=1464"),
        ] {
            // A packet of 1,500 octets with the IP header, which is the MTU of the host's link.
            let ping = format!("ping -n -M do -c 1 -W 2 {options} {target} || true");
            let text = live.shell("A", &ping);
            assert!(text.contains("(1500)") || options == "-s 1452", "{text}");
            assert!(text.contains(told), "{text}");
        }
    }
}

#[test]
fn tcp_crosses_whole_in_segments_that_fill_the_tunnel() {
    for mode in modes() {
        let live = Live::up_in("two-sites", "tcp", mode);
        for (address, mss) in [("192.168.0.22", 1464 - 20 - 32), ("2001:db8:b::22", 1464 - 40 - 32)]
        {
            let server = SocketAddr::new(address.parse().unwrap(), 5001);
            let listener = live.inside("B", || TcpListener::bind(server).unwrap());
            // The timeout also limits the wait in accept.
            SockRef::from(&listener).set_read_timeout(Some(SILENCE)).unwrap();
            let data = random_octets();
            std::thread::scope(|scope| {
                scope.spawn(|| send_back(&listener));
                let mut stream =
                    live.inside("A", || TcpStream::connect_timeout(&server, SILENCE)).unwrap();
                stream.set_read_timeout(Some(SILENCE)).unwrap();
                stream.set_write_timeout(Some(SILENCE)).unwrap();
                let mut writer = stream.try_clone().unwrap();
                let sent = &data;
                scope.spawn(move || writer.write_all(sent).unwrap());
                let mut received = vec![0; TRANSFER];
                stream.read_exact(&mut received).unwrap();
                assert!(received == data, "{address}: the returned octets differ");
                // The TCP header has 20 octets, and the timestamps have 12 octets.
                assert_eq!(SockRef::from(&stream).tcp_mss().unwrap(), mss, "{address}");
            });
        }
    }
}

/// Sends everything back that comes.
fn send_back(listener: &TcpListener) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let mut data = vec![0; TRANSFER];
    stream.read_exact(&mut data).unwrap();
    stream.write_all(&data).unwrap();
}

fn random_octets() -> Vec<u8> {
    let mut rng = Rng::new(&Seed::from_number(7), "transfer");
    (0..TRANSFER / 8).flat_map(|_| rng.next_u64().to_be_bytes()).collect()
}
