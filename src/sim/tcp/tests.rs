use super::*;

const OPENED: Connection = Connection(0);
const ACCEPTED: Connection = Connection(Connection::ACCEPTED);

/// An ETR and a map-server. Segments go directly from one to the other.
struct Pair {
    now: Time,
    etr: Tcp,
    server: Tcp,
}

fn etr_rloc() -> Rloc {
    Rloc([203, 0, 113, 11].into())
}

fn server_rloc() -> Rloc {
    Rloc([209, 165, 201, 31].into())
}

/// An event for the core. For received octets, the event has their number, not the octets
/// themselves.
#[derive(Debug, PartialEq)]
enum Heard {
    Connected(Connection),
    Accepted(Connection, IpAddr),
    Octets(usize),
    Closed(Connection),
    Refused(Connection),
}

fn heard(tcp: &mut Tcp, now: Time) -> Vec<Heard> {
    let mut all = Vec::new();
    while let Some(event) = tcp.poll_event(now) {
        all.push(match event {
            TcpEvent::Connected { connection, .. } => Heard::Connected(connection),
            TcpEvent::Accepted { connection, peer, local } => {
                assert_eq!(local, server_rloc().0);
                Heard::Accepted(connection, peer.ip())
            }
            TcpEvent::Bytes(_, octets) => Heard::Octets(octets.len()),
            TcpEvent::Closed(connection) => Heard::Closed(connection),
            TcpEvent::Refused(connection) => Heard::Refused(connection),
        });
    }
    all
}

impl Pair {
    fn new(listens: bool) -> Self {
        let now = Time::from_secs(1);
        let stack = |number| Tcp::new(&Seed::from_number(number), now);
        let (etr, mut server) = (stack(1), stack(2));
        if listens {
            server.listen(server_rloc());
        }
        Pair { now, etr, server }
    }

    fn connected() -> Self {
        let mut pair = Pair::new(true);
        pair.connect();
        let (etr, server) = pair.exchange();
        assert_eq!(etr, [Heard::Connected(OPENED)]);
        assert_eq!(server, [Heard::Accepted(ACCEPTED, etr_rloc().0)]);
        pair
    }

    fn connect(&mut self) {
        let (source, destination) = (etr_rloc(), server_rloc());
        let request = TcpRequest::Connect { connection: OPENED, source, destination };
        self.etr.request(request, self.now);
    }

    /// Carries segments between both ends, until neither end has a segment to send. Returns the
    /// events for the core of the ETR, and the events for the core of the map-server.
    fn exchange(&mut self) -> (Vec<Heard>, Vec<Heard>) {
        let (mut by_etr, mut by_server) = (Vec::new(), Vec::new());
        loop {
            let mut silent = true;
            while let Some(packet) = self.etr.poll_output() {
                self.server.receive(&packet, self.now);
                silent = false;
            }
            by_server.extend(heard(&mut self.server, self.now));
            while let Some(packet) = self.server.poll_output() {
                self.etr.receive(&packet, self.now);
                silent = false;
            }
            by_etr.extend(heard(&mut self.etr, self.now));
            if silent {
                return (by_etr, by_server);
            }
        }
    }

    /// Runs only the ETR, for the time `span`. No packet of the ETR arrives at the map-server.
    /// Returns the events for the core of the ETR.
    fn alone(&mut self, span: Duration) -> Vec<Heard> {
        let until = self.now + span;
        let mut all = Vec::new();
        while let Some(Deadline { at, .. }) = self.etr.poll_timeout(self.now)
            && at <= until
        {
            self.now = at.max(self.now + Duration::from_micros(1));
            self.etr.poll(self.now);
            while self.etr.poll_output().is_some() {}
            all.extend(heard(&mut self.etr, self.now));
        }
        self.now = until;
        all
    }
}

#[test]
fn octets_arrive_before_the_end_that_follows_them() {
    let mut pair = Pair::connected();
    pair.etr.send(OPENED, &vec![7; 100_000], pair.now);
    pair.etr.request(TcpRequest::Close(OPENED), pair.now);
    let (mut etr, mut server) = (Vec::new(), Vec::new());
    for _ in 0..1000 {
        let (by_etr, by_server) = pair.exchange();
        etr.extend(by_etr);
        server.extend(by_server);
        pair.now = pair.now + Duration::from_millis(1);
        pair.etr.poll(pair.now);
        pair.server.poll(pair.now);
    }
    assert_eq!(etr, [Heard::Closed(OPENED)]);
    assert_eq!(server.pop(), Some(Heard::Closed(ACCEPTED)));
    let octets = server.iter().map(|heard| match heard {
        Heard::Octets(len) => *len,
        other => panic!("{other:?}"),
    });
    assert_eq!(octets.sum::<usize>(), 100_000);
}

#[test]
fn a_router_that_does_not_listen_refuses_at_once() {
    let mut pair = Pair::new(false);
    pair.connect();
    assert_eq!(pair.exchange(), (vec![Heard::Refused(OPENED)], vec![]));
}

#[test]
fn who_stops_listening_keeps_the_connections() {
    let mut pair = Pair::connected();
    pair.server.stop_listening(server_rloc());
    pair.etr.send(OPENED, &[7; 10], pair.now);
    assert_eq!(pair.exchange().1, [Heard::Octets(10)]);
}

#[test]
fn a_peer_that_takes_too_little_is_closed() {
    let mut pair = Pair::connected();
    let most = MAX_WAITING + BUFFER;
    pair.etr.send(OPENED, &vec![7; most], pair.now);
    assert_eq!(heard(&mut pair.etr, pair.now), []);
    pair.etr.send(OPENED, &[7; 1], pair.now);
    assert_eq!(heard(&mut pair.etr, pair.now), [Heard::Closed(OPENED)]);
    let (_, server) = pair.exchange();
    assert_eq!(server.last(), Some(&Heard::Closed(ACCEPTED)));
}

#[test]
fn a_silent_peer_is_noticed_within_25_seconds() {
    let mut pair = Pair::connected();
    assert_eq!(pair.alone(Duration::from_secs(24)), []);
    assert_eq!(pair.alone(Duration::from_secs(2)), [Heard::Closed(OPENED)]);
}

#[test]
fn what_a_silent_peer_does_not_take_is_given_up_when_the_core_closes() {
    let mut pair = Pair::connected();
    pair.etr.send(OPENED, &vec![7; 3 * BUFFER], pair.now);
    pair.etr.request(TcpRequest::Close(OPENED), pair.now);
    assert_eq!(pair.alone(LINGER - Duration::from_secs(1)), []);
    assert_eq!(pair.alone(Duration::from_secs(2)), [Heard::Closed(OPENED)]);
}

#[test]
fn a_session_that_was_closed_leaves_no_socket_behind() {
    let mut pair = Pair::connected();
    pair.etr.request(TcpRequest::Close(OPENED), pair.now);
    pair.exchange();
    pair.now = pair.now + FIN_TIMEOUT + Duration::from_secs(1);
    for _ in 0..2 {
        pair.etr.poll(pair.now);
        pair.server.poll(pair.now);
        pair.exchange();
    }
    assert_eq!(pair.etr.sockets.iter().count(), 0);
    assert_eq!(pair.server.sockets.iter().count(), 1, "the listener");
}
