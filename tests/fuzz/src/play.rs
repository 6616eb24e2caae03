//! A router under fuzzing. Arbitrary octets make its inputs, and the properties are checked after
//! each input.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::time::Duration;

use eidway::addr::{Family, InstanceId, Rloc};
use eidway::packet::{IpHeader, Packet};
use eidway::router::Router;
use eidway::router::config::Config;
use eidway::router::debugging::Debugging;
use eidway::router::io::{
    Command, Connection, ControlDatagram, Encapsulation, IcmpError, Inbound, Input, KernelEvent,
    KernelRoute, LigQuestion, Mac, NeighbourState, Outbound, Outer, Output, PathEvent, TcpEvent,
    TcpRequest,
};
use eidway::time::Time;
use eidway::wire::{
    CONTROL_PORT, DATA_PORT, DataHeader, FrameReader, IcmpErrorKind, MapRequest, Message, Nonce,
    ReliableFrame,
};

use super::ledger::Ledger;
use super::site;
use super::traffic::Traffic;

/// The limit of the answer to one unsigned datagram: this number times its octets, and one full
/// packet more.
const AMPLIFICATION: usize = 3;
const ONE_PACKET: usize = 1500;
/// Steps of one sequence.
const STEPS: usize = 256;
/// The number of deadlines at one instant from which on the time counts as not advancing.
const DEADLINES_AT_ONCE: usize = 4;
/// After this time without input, no packet may wait.
const QUIET: Duration = Duration::from_secs(120);
const DEVICES: [&str; 5] = ["et0-0", "et1-0", "et2-0", "lisp0", "eth9"];

/// A router, with its inputs and outputs so far.
pub struct Play<'a> {
    traffic: Traffic<'a>,
    router: Router,
    now: Time,
    ledger: Ledger,
    /// Nonces of its Map-Requests.
    nonces: Vec<Nonce>,
    /// The connections that the router requested or accepted, and whether they are established.
    connections: Vec<(Connection, bool)>,
    accepted: u64,
    /// The peers that may be solicited: senders and receivers of packets.
    peers: BTreeSet<IpAddr>,
    /// The previous configuration.
    before: Config,
    said: Vec<Output>,
}

impl<'a> Play<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        let mut traffic = Traffic::new(input);
        let router = site::router(traffic.choose(&site::MIXES), Time::ZERO);
        Play {
            traffic,
            before: router.config().clone(),
            router,
            now: Time::ZERO,
            ledger: Ledger::default(),
            nonces: Vec::new(),
            connections: Vec::new(),
            accepted: Connection::ACCEPTED,
            peers: BTreeSet::new(),
            said: Vec::new(),
        }
    }

    /// Runs `step` until the octets are used up. Then waits until the router has no more work.
    /// Returns all outputs of the router.
    pub fn run(mut self, mut step: impl FnMut(&mut Self)) -> Vec<Output> {
        self.after();
        for _ in 0..STEPS {
            if self.traffic.is_over() {
                break;
            }
            step(&mut self);
        }
        self.pass(QUIET);
        assert_eq!(self.router.waiting_packets(), 0, "a packet waits for ever");
        self.said
    }

    /// Makes an input: a packet, or an input that packets depend on (an answer, a host that appears
    /// or disappears, time).
    pub fn data_step(&mut self) {
        match self.traffic.below(12) {
            0..=3 => self.packet(),
            4..=7 => self.datagram(),
            8 => self.answer(),
            9 => self.neighbour(),
            10 => self.time(),
            _ if self.traffic.bit() => self.route(),
            _ => self.path(),
        }
    }

    /// Anything.
    pub fn any_step(&mut self) {
        match self.traffic.below(16) {
            0..=4 => self.control(),
            5 => self.packet(),
            6 => self.datagram(),
            7 => self.answer(),
            8 => self.neighbour(),
            9 => self.route(),
            10 => self.link(),
            11 | 12 => self.tcp(),
            13 => self.command(),
            14 if self.traffic.bit() => self.path(),
            14 => self.configure(),
            _ => self.time(),
        }
    }

    fn packet(&mut self) {
        let mut octets = self.traffic.packet();
        let segment_size = NonZeroU16::new(self.traffic.choose(&[0, 0, 8, 536]));
        let read = IpHeader::parse(&octets);
        let mut packet = Packet { bytes: &mut octets, segment_size };
        let packets = read.map_or(1, |header| packet.load(header.total_len).packets);
        let outbound = self.router.encapsulate(InstanceId::DEFAULT, &mut packet, self.now);
        self.ledger.outbound(outbound, packets);
        match (outbound, read) {
            (Outbound::Encapsulate(encapsulation), Ok(header)) => {
                self.peers.insert(encapsulation.destination.0);
                self.wrapped(&encapsulation, &header);
            }
            (Outbound::Native, Ok(header)) => {
                let after = IpHeader::parse(&octets).expect("still a packet");
                assert!([header.ttl, header.ttl.saturating_add(1)].contains(&after.ttl));
                assert_eq!(IpHeader { ttl: 0, ..after }, IpHeader { ttl: 0, ..header });
            }
            (Outbound::Encapsulate(_) | Outbound::Native | Outbound::Held, Err(error)) => {
                panic!("{error}, and yet {outbound:?}")
            }
            (Outbound::Held | Outbound::Dropped(_), _) => {}
        }
        self.after();
    }

    fn datagram(&mut self) {
        let mut octets = self.traffic.datagram();
        let (source, destination) = self.ends();
        let outer = Outer {
            source,
            destination,
            ttl: self.traffic.choose(&[64, 1, 0, 255, 2]),
            tos: self.traffic.octet(),
        };
        self.peers.insert(outer.source);
        let read = octets.get(8..).and_then(|inner| IpHeader::parse(inner).ok());
        let mut packet = Packet::single(&mut octets);
        let inbound = self.router.decapsulate(&outer, &mut packet, self.now);
        self.ledger.inbound(inbound);
        if let Inbound::Deliver { len, .. } | Inbound::Forward { len, .. } = inbound {
            let read = read.expect("octets that are no packet are dropped");
            let after = IpHeader::parse(&octets[8..8 + len]).expect("still a packet");
            assert_eq!((after.source, after.destination), (read.source, read.destination));
            assert!(after.ttl > 0 && after.ttl <= read.ttl.min(outer.ttl), "a hop is gained");
            assert_eq!(after.total_len, len);
            if let Inbound::Forward { encapsulation, .. } = inbound {
                assert_ne!(encapsulation.destination.0, outer.source, "back to where it came from");
                assert!(after.ttl < read.ttl);
                self.wrapped(&encapsulation, &after);
            }
        }
        self.after();
    }

    /// The outer headers of a packet that goes out.
    fn wrapped(&self, encapsulation: &Encapsulation, inner: &IpHeader) {
        let Encapsulation { source, destination, ttl, tos, header, .. } = *encapsulation;
        assert!(self.router.local_rlocs().contains(source.0), "from {source}");
        assert!(!self.router.local_rlocs().contains(destination.0), "to ourselves");
        assert_eq!(source.family(), destination.family());
        assert_eq!((ttl, tos), (inner.ttl, inner.tos));
        assert!(DataHeader::parse(&header).is_ok());
    }

    fn control(&mut self) {
        let control = self.traffic.control(&self.nonces);
        let port = self.traffic.choose(&[CONTROL_PORT, 0, 5000]);
        self.receive(port, &control.octets, control.signed);
    }

    /// The answer to one of the Map-Requests that the router sent.
    fn answer(&mut self) {
        let Some(&nonce) = self.nonces.last() else { return };
        let reply = self.traffic.reply(nonce);
        self.receive(CONTROL_PORT, &reply, false);
    }

    fn receive(&mut self, port: u16, payload: &[u8], signed: bool) {
        let (peer, destination) = self.ends();
        let source = SocketAddr::new(peer, port);
        let datagram = ControlDatagram { source, destination, payload };
        let counted = self.router.counters().clone();
        self.router.handle(Input::Control(datagram), self.now);
        assert_ne!(*self.router.counters(), counted, "every datagram is counted");
        let sent = self.after();
        let most = AMPLIFICATION * payload.len() + ONE_PACKET;
        assert!(signed || sent <= most, "{sent} octets out for {} in", payload.len());
    }

    /// The two ends of a path to the router: a peer, and the address at which it reaches the
    /// router. A router without addresses is reached at any address.
    fn ends(&mut self) -> (IpAddr, IpAddr) {
        let own: Vec<_> = self.router.config().addresses().map(|(_, net)| net.addr()).collect();
        let reached = match own.is_empty() {
            true => self.traffic.rloc(),
            false => self.traffic.choose(&own),
        };
        (self.traffic.rloc_of(Family::of(reached)), reached)
    }

    fn neighbour(&mut self) {
        let mac = Mac([2, 0, 0, 0, 0, self.traffic.choose(&[1, 2])]);
        let state = self.traffic.choose(&[
            NeighbourState::Known(mac),
            NeighbourState::Failed,
            NeighbourState::Absent,
        ]);
        let device = self.traffic.choose(&DEVICES[1..3]).to_owned();
        let address = self.traffic.eid_address();
        self.kernel(KernelEvent::Neighbour { device, address, state });
    }

    fn link(&mut self) {
        let device = self.traffic.choose(&DEVICES).to_owned();
        let (up, carrier) = (self.traffic.bit(), self.traffic.bit());
        let event = match self.traffic.below(4) {
            0 => KernelEvent::LinkGone { device },
            _ => KernelEvent::Link { device, up, carrier, mtu: 1500 },
        };
        self.kernel(event);
    }

    fn route(&mut self) {
        let route = KernelRoute {
            prefix: self.traffic.prefix().prefix(),
            device: self.traffic.choose(&DEVICES).to_owned(),
            gateway: self.traffic.bit().then(|| self.traffic.rloc()),
            metric: self.traffic.choose(&[0, 100]),
        };
        let event = match self.traffic.below(3) {
            0 => KernelEvent::RouteAdded(route),
            1 => KernelEvent::RouteRemoved(route),
            _ => KernelEvent::Routes(vec![route]),
        };
        self.kernel(event);
    }

    /// Makes a report of the core network about a path.
    fn path(&mut self) {
        let rloc = Rloc(self.traffic.rloc());
        let mtu = self.traffic.choose(&[0, 68, 1280, 1316, 1500, u32::MAX]);
        let kind = self.traffic.choose(&[
            IcmpErrorKind::HostUnreachable,
            IcmpErrorKind::TooBig { mtu },
            IcmpErrorKind::TimeExceeded,
            IcmpErrorKind::Other,
        ]);
        let event = match mtu {
            0 => PathEvent::NoRoute(rloc),
            _ => {
                let (reporter, quoted) = (self.traffic.rloc(), self.traffic.datagram());
                let port = self.traffic.choose(&[DATA_PORT, CONTROL_PORT]);
                PathEvent::Icmp(IcmpError { rloc, port, reporter, kind, quoted })
            }
        };
        self.router.handle(Input::Path(event), self.now);
        self.after();
    }

    fn kernel(&mut self, event: KernelEvent) {
        self.router.handle(Input::Kernel(event), self.now);
        self.after();
    }

    fn tcp(&mut self) {
        if self.connections.is_empty() || self.traffic.below(4) == 0 {
            let connection = Connection(self.accepted);
            self.accepted += 1;
            self.connections.push((connection, true));
            let (peer, local) = self.ends();
            let peer = SocketAddr::new(peer, 5000);
            self.tcp_event(TcpEvent::Accepted { connection, peer, local });
            return;
        }
        let index = self.traffic.below(self.connections.len());
        let (connection, stands) = self.connections[index];
        match self.traffic.below(6) {
            0 => {
                self.connections.remove(index);
                let event = match self.traffic.bit() {
                    true => TcpEvent::Closed(connection),
                    false => TcpEvent::Refused(connection),
                };
                self.tcp_event(event);
            }
            _ if !stands => {
                self.connections[index].1 = true;
                let local = SocketAddr::new(self.ends().1, 40_000);
                self.tcp_event(TcpEvent::Connected { connection, local });
            }
            _ => {
                let octets = self.traffic.stream();
                let split = self.traffic.below(octets.len() + 1);
                self.tcp_event(TcpEvent::Bytes(connection, &octets[..split]));
                self.tcp_event(TcpEvent::Bytes(connection, &octets[split..]));
            }
        }
    }

    fn tcp_event(&mut self, event: TcpEvent<'_>) {
        self.router.handle(Input::Tcp(event), self.now);
        self.after();
    }

    fn command(&mut self) {
        let command = match self.traffic.below(7) {
            0 => Command::Debug { types: Debugging::ALL, on: self.traffic.bit() },
            1 => Command::ClearStatistics,
            2 => Command::ClearSessions(None),
            3 => Command::AskNeighbours,
            4 => Command::Lig(LigQuestion {
                eid: self.traffic.prefix().network(),
                resolver: None,
                requests: 3,
            }),
            _ => Command::ClearMapCache {
                family: self.traffic.choose(&Family::BOTH),
                prefix: self.traffic.bit().then(|| self.traffic.prefix()),
            },
        };
        if command == Command::ClearStatistics {
            self.ledger.clear(&self.router);
        }
        self.router.handle(Input::Command(command), self.now);
        self.after();
    }

    fn configure(&mut self) {
        let config = site::configuration(self.traffic.choose(&site::MIXES));
        self.before = self.router.config().clone();
        self.router.handle(Input::Configure(Box::new(config)), self.now);
        self.after();
    }

    fn time(&mut self) {
        let millis = self.traffic.choose(&[1, 500, 1000, 3000, 20_000, 61_000, 600_000, 0]);
        self.pass(Duration::from_millis(millis));
    }

    /// Lets time pass. Handles each deadline at its exact time.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        let mut at_once = 0;
        while let Some(deadline) = self.router.poll_timeout().filter(|next| next.at <= end) {
            at_once = if deadline.at > self.now { 0 } else { at_once + 1 };
            assert!(at_once <= DEADLINES_AT_ONCE, "{deadline:?} stands still at {}", self.now);
            self.now = self.now.max(deadline.at);
            self.router.handle_timeout(self.now);
            self.after();
        }
        self.now = end;
        self.router.handle_timeout(end);
        self.after();
    }

    /// Takes the outputs and checks them. Returns the number of octets for the network.
    fn after(&mut self) -> usize {
        let mut sent = 0;
        for (_, entry) in self.router.map_cache().entries().iter() {
            if let eidway::router::map_cache::Mapping::Locators(locators) = &entry.mapping {
                self.peers.extend(locators.iter().map(|locator| locator.rloc.0));
            }
        }
        while let Some(output) = self.router.poll_output() {
            match &output {
                Output::Control { source, destination, payload, .. } => {
                    sent += payload.len();
                    self.sent(*source, *destination, payload);
                }
                Output::Tcp(request) => sent += self.requested(request),
                Output::Encapsulate(encapsulation, packet) => {
                    self.ledger.released(packet);
                    let header = IpHeader::parse(&packet.bytes).expect("a packet was held");
                    self.wrapped(encapsulation, &header);
                    self.peers.insert(encapsulation.destination.0);
                }
                Output::Native(_, packet) => self.ledger.released(packet),
                Output::Kernel(_) | Output::Process(_) | Output::Nonce(_) | Output::Event(_) => {}
            }
            self.said.push(output);
        }
        self.ledger.check(&self.router);
        self.bounded();
        sent
    }

    fn bounded(&self) {
        let router = &self.router;
        let limit = |family| {
            let lisp = router.config().lisp.as_ref();
            lisp.and_then(|lisp| lisp.service(family).map_cache_limit)
        };
        let fixed = router.config().static_map_cache().count() + 2;
        if let Some(limit) = limit(Family::Ipv4) {
            let cached = router.map_cache().entries().len_of(InstanceId::DEFAULT, Family::Ipv4);
            assert!(cached <= limit as usize + fixed, "{cached} entries of at most {limit}");
        }
        assert!(
            router.sessions().len() <= self.connections.len() + 4,
            "sessions without a connection"
        );
    }

    fn sent(&mut self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        let own = |config: &Config| config.addresses().any(|(_, net)| net.addr() == source.ip());
        assert!(own(self.router.config()) || own(&self.before), "from {source}");
        let to = destination.ip();
        assert_eq!(Family::of(source.ip()), Family::of(to));
        let nobody = to.is_multicast() || to.is_unspecified() || to.is_loopback();
        let message = Message::parse(payload).expect("a message that we send parses");
        assert!(!nobody, "to {destination}: {message}");
        assert_eq!(message.emit(), payload, "a message that we send is normal");
        match message {
            Message::MapRequest(request) => self.solicited(&request, to),
            Message::Encapsulated(encapsulated) => {
                let request = MapRequest::parse(&encapsulated.message).expect("a Map-Request");
                let asked = self.is_configured(to, |service| &service.itr_map_resolvers);
                assert!(asked || self.is_registrant(to), "asked {to}, which is no map-resolver");
                self.nonces.push(request.nonce);
                let oldest = self.nonces.len().saturating_sub(16);
                self.nonces.drain(..oldest);
            }
            Message::MapRegister(_) => assert!(self.is_map_server(to), "registered with {to}"),
            Message::MapNotifyAck(_) => assert!(self.is_map_server(to), "acknowledged to {to}"),
            Message::MapReply(_) | Message::MapNotify(_) | Message::Info(_) => {}
        }
    }

    /// Checks that a Map-Request without ECM is an SMR to a peer.
    fn solicited(&self, smr: &MapRequest, to: IpAddr) {
        assert!(smr.smr, "a Map-Request goes to a map-resolver: {smr}");
        let configured = |config: &Config| {
            let lisp = config.lisp.iter();
            lisp.flat_map(|lisp| [&lisp.ipv4, &lisp.ipv6])
                .any(|service| service.etr_smr_peers.contains(&Rloc(to)))
        };
        let known = self.peers.contains(&to) || configured(self.router.config());
        assert!(known, "{to} was never heard of");
        assert!(!self.router.local_rlocs().contains(to), "solicits itself");
    }

    fn is_configured(
        &self,
        address: IpAddr,
        list: impl Fn(&eidway::router::config::Service) -> &Vec<IpAddr>,
    ) -> bool {
        [self.router.config(), &self.before]
            .into_iter()
            .flat_map(|config| config.lisp.iter())
            .flat_map(|lisp| [&lisp.ipv4, &lisp.ipv6])
            .any(|service| list(service).contains(&address))
    }

    fn is_map_server(&self, address: IpAddr) -> bool {
        [self.router.config(), &self.before]
            .into_iter()
            .flat_map(|config| config.lisp.iter())
            .flat_map(|lisp| [&lisp.ipv4, &lisp.ipv6])
            .any(|service| service.etr_map_servers.contains_key(&address))
    }

    /// Whether an address belongs to a registered ETR, to which a map-server forwards requests.
    fn is_registrant(&self, address: IpAddr) -> bool {
        let entries = self.router.map_server().entries();
        let registrations = entries.iter().flat_map(|(_, entry)| entry.registrations.iter());
        registrations.into_iter().any(|registration| {
            let mut locators = registration.record.locators.iter();
            registration.source == address
                || locators.any(|locator| locator.ip() == Some(Rloc(address)))
        })
    }

    /// Checks a router's request to TCP: it must have frames, and an existing connection.
    fn requested(&mut self, request: &TcpRequest) -> usize {
        match request {
            TcpRequest::Connect { connection, destination, .. } => {
                assert!(self.is_map_server(destination.0), "connects to {destination}");
                self.connections.push((*connection, false));
                0
            }
            TcpRequest::Send(connection, octets, _) => {
                assert!(self.connections.contains(&(*connection, true)), "no {connection:?}");
                let mut reader = FrameReader::new();
                reader.push(octets);
                let frame: ReliableFrame = reader.next().expect("whole frames").expect("frames");
                assert_eq!(frame.emit(), *octets);
                octets.len()
            }
            TcpRequest::Close(_) => 0,
        }
    }
}

/// Sends packets through a router with some combination of roles.
pub fn data_path(input: &[u8]) {
    Play::new(input).run(Play::data_step);
}

/// Gives any inputs to a router, twice. The same octets must make the same outputs.
pub fn router(input: &[u8]) {
    let first = Play::new(input).run(Play::any_step);
    let second = Play::new(input).run(Play::any_step);
    assert_eq!(first, second, "the same inputs, other outputs");
}
