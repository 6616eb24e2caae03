//! Tests with both ends of a connection on one loopback device, in a separate namespace.

use std::time::Instant;

use super::*;
use crate::driver::namespace::{in_namespace, ip, wait_until};

const PAIRS: [(&str, &str); 2] = [("127.0.0.1", "127.0.0.2"), ("2001:db8::1", "2001:db8::2")];
const OPENED: Connection = Connection(7);

fn rloc(text: &str) -> Rloc {
    Rloc(text.parse().unwrap())
}

fn addresses() {
    ip("addr add 2001:db8::1/128 dev lo nodad");
    ip("addr add 2001:db8::2/128 dev lo nodad");
    // The kernel accepts the addresses first, and adds their routes some time later.
    wait_until("both are local", || {
        ip("-6 route show table local").matches("2001:db8::").count() == 2
    });
}

/// Serves a connection until there is a result for the core, for at most ten seconds. Returns this
/// result and the octets that were read.
fn serve(tcp: &mut Tcp, connection: Connection) -> (Progress, Vec<u8>) {
    #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
    let end = Instant::now() + Duration::from_secs(10);
    let mut buffer = [0; 4096];
    #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
    while Instant::now() < end {
        match tcp.serve(connection, &mut buffer) {
            Ok(Progress::Read(len)) => return (Progress::Read(len), buffer[..len].to_vec()),
            Ok(progress) => return (progress, Vec::new()),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
    panic!("nothing came of it");
}

fn accept(tcp: &mut Tcp, slot: usize) -> (Connection, SocketAddr, IpAddr) {
    let mut taken = None;
    wait_until("a connection", || {
        taken = tcp.accept(slot).ok();
        taken.is_some()
    });
    taken.unwrap()
}

/// Makes a connection from the first address of the pair to the second address. Returns the [`Tcp`]
/// of the client, the [`Tcp`] of the server, and the accepted connection of the server.
fn connected((one, other): (&str, &str)) -> (Tcp, Tcp, Connection) {
    let (mut client, mut server) = (Tcp::new(1 << 16), Tcp::new(1 << 16));
    let slot = server.listen(rloc(other)).unwrap();
    client.connect(OPENED, rloc(one), rloc(other)).unwrap();
    assert!(matches!(serve(&mut client, OPENED).0, Progress::Connected(_)));
    let (accepted, peer, local) = accept(&mut server, slot);
    assert_eq!((peer.ip(), local), (rloc(one).0, rloc(other).0));
    assert_eq!(accepted, Connection(Connection::ACCEPTED));
    (client, server, accepted)
}

#[test]
fn octets_go_both_ways_and_an_end_ends_both() {
    in_namespace(|| {
        addresses();
        for pair in PAIRS {
            let (mut client, mut server, accepted) = connected(pair);
            assert!(client.send(OPENED, b"register"));
            assert_eq!(serve(&mut server, accepted).1, b"register");
            assert!(server.send(accepted, b"ack"));
            assert_eq!(serve(&mut client, OPENED).1, b"ack");
            assert!(server.close(accepted, Time::ZERO), "nothing is left to send");
            assert_eq!(serve(&mut client, OPENED).0, Progress::Closed);
            assert!(client.peers.is_empty() && server.peers.is_empty());
        }
    });
}

#[test]
fn a_connection_that_nobody_takes_is_refused() {
    in_namespace(|| {
        addresses();
        for (one, other) in PAIRS {
            let mut client = Tcp::new(1 << 16);
            let begun = client.connect(OPENED, rloc(one), rloc(other)).map(drop);
            // On the loopback device, the connection may be refused before the call returns.
            if begun.is_ok() {
                assert_eq!(serve(&mut client, OPENED).0, Progress::Refused);
            }
            assert!(client.peers.is_empty());
        }
    });
}

#[test]
fn what_is_sent_before_the_connection_stands_follows_it() {
    in_namespace(|| {
        let (mut client, mut server) = (Tcp::new(1 << 16), Tcp::new(1 << 16));
        let slot = server.listen(rloc("127.0.0.2")).unwrap();
        client.connect(OPENED, rloc("127.0.0.1"), rloc("127.0.0.2")).unwrap();
        assert!(client.send(OPENED, b"early"));
        assert!(matches!(serve(&mut client, OPENED).0, Progress::Connected(_)));
        let (accepted, ..) = accept(&mut server, slot);
        let _ = client.serve(OPENED, &mut [0; 16]);
        assert_eq!(serve(&mut server, accepted).1, b"early");
    });
}

#[test]
fn a_peer_that_does_not_read_is_closed_and_not_waited_for() {
    in_namespace(|| {
        let (mut client, _server, _) = connected(PAIRS[0]);
        let piece = vec![0; 1 << 16];
        let taken = (0..1000).take_while(|_| client.send(OPENED, &piece)).count();
        assert!((16..1000).contains(&taken), "{taken} pieces");
        assert!(client.peers.is_empty());
    });
}

#[test]
fn what_is_left_is_sent_before_the_end_but_not_for_ever() {
    in_namespace(|| {
        for reads in [true, false] {
            let (mut client, mut server, accepted) = connected(PAIRS[0]);
            let piece = vec![0; 1 << 16];
            let mut sent = 0;
            while client.peers[&OPENED].waiting.is_empty() {
                assert!(client.send(OPENED, &piece));
                sent += piece.len();
            }
            assert!(!client.close(OPENED, Time::ZERO));
            assert_eq!(client.deadline(), Some(Time::ZERO + LINGER));
            if !reads {
                assert_eq!(client.expire(Time::ZERO), []);
                assert_eq!(client.expire(Time::ZERO + LINGER), [OPENED]);
                continue;
            }
            let mut arrived = 0;
            loop {
                let _ = client.serve(OPENED, &mut []);
                match serve(&mut server, accepted) {
                    (Progress::Read(len), _) => arrived += len,
                    (progress, _) => break assert_eq!(progress, Progress::Closed),
                }
            }
            assert_eq!(arrived, sent);
            assert!(client.peers.is_empty());
        }
    });
}

#[test]
fn listening_follows_the_rlocs_and_does_not_wait_for_their_addresses() {
    in_namespace(|| {
        let mut tcp = Tcp::new(1 << 16);
        for absent in ["192.0.2.1", "2001:db8::99"] {
            tcp.listen(rloc(absent)).unwrap();
        }
        let second = Tcp::new(1 << 16).listen(rloc("192.0.2.1")).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        tcp.stop_listening(rloc("192.0.2.1"));
        assert!(!tcp.listens_on(rloc("192.0.2.1")) && tcp.listens_on(rloc("2001:db8::99")));
        // Another test may just have forked a child process. The old socket may stay open in this
        // child for a short time.
        wait_until("the slot is used again", || {
            tcp.listen(rloc("192.0.2.1")).is_ok_and(|slot| slot == 0)
        });
    });
}

#[test]
fn a_peer_that_vanishes_is_noticed_within_25_seconds() {
    in_namespace(|| {
        let (client, server, accepted) = connected(PAIRS[0]);
        for stream in [&client.peers[&OPENED].stream, &server.peers[&accepted].stream] {
            let socket = socket2::SockRef::from(stream);
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(10));
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(5));
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(25)));
            assert!(socket.tcp_nodelay().unwrap());
        }
    });
}
