//! A router for tests. A test configures it by text, gives it inputs, and reads its outputs, which
//! the bench keeps.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eidway::addr::{Eid, EidPrefix, InstanceId, Rloc};
use eidway::console::parse_config;
use eidway::packet::{OwnedPacket, Packet};
use eidway::rng::Seed;
use eidway::router::event::Event;
use eidway::router::io::{
    ControlDatagram, Encapsulation, IcmpError, Inbound, Input, KernelEvent, KernelRequest,
    KernelRoute, Outbound, Outer, Output, PathEvent,
};
use eidway::router::logging::Log;
use eidway::router::{Router, Start};
use eidway::time::Time;
use eidway::wire::{
    Action, CONTROL_PORT, DATA_PORT, Encapsulated, IcmpErrorKind, LocatorRecord, MapReply,
    MapRequest, MappingRecord, Message, Nonce,
};
use etherparse::PacketBuilder;

use crate::told::Told;

pub const RLOC_1: &str = "203.0.113.11";
pub const RLOC_2: &str = "198.51.100.21";
/// The address of a router in the core.
pub const CORE: &str = "203.0.113.1";
pub const OLD: &str = "209.165.201.41";
pub const NEW: &str = "209.165.201.31";

/// The configuration of xTR2 in the reference network.
pub const XTR2: &str = "
hostname xTR2
interface Ethernet0/0
 ip address 198.51.100.21 255.255.255.0
interface Ethernet1/0
 ip address 192.168.0.1 255.255.255.0
 ipv6 address 2001:db8:b::1/64
router lisp
 locator-set set1
  198.51.100.21 priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 192.168.0.0/24 locator-set set1
  database-mapping 2001:db8:b::/64 locator-set set1
 ipv4 itr map-resolver 209.165.201.41
 ipv4 itr map-resolver 209.165.201.31
 ipv4 itr
 ipv4 etr map-server 209.165.201.31 key cisco
 ipv4 etr
 ipv6 itr map-resolver 209.165.201.41
 ipv6 itr
 ipv6 etr
ip route 0.0.0.0 0.0.0.0 198.51.100.1
";

/// The configuration of the map-server and map-resolver in the reference network.
pub const MSMR: &str = "
hostname NewMSMR
interface Ethernet0/0
 ip address 209.165.201.31 255.255.255.0
router lisp
 site SITE_1
  authentication-key cisco
  eid-prefix 172.16.0.0/24 accept-more-specifics
  eid-prefix 2001:db8:a::/64 accept-more-specifics
 site SITE_2
  authentication-key other
  eid-prefix 192.168.0.0/24
 ipv4 map-server
 ipv4 map-resolver
 ipv6 map-server
 ipv6 map-resolver
";

/// The configuration of the proxy xTR in the reference network.
pub const PXTR1: &str = "
hostname PxTR1
interface Ethernet0/0
 ip address 192.0.2.51 255.255.255.0
interface Ethernet1/0
 ip address 10.0.0.1 255.0.0.0
router lisp
 eid-table default instance-id 0
  map-cache 172.16.0.0/16 map-request
 ipv4 itr map-resolver 209.165.201.41
 ipv4 proxy-itr 192.0.2.51
 ipv4 proxy-etr
ip route 0.0.0.0 0.0.0.0 192.0.2.1
";

pub struct Bench {
    pub router: Router,
    pub now: Time,
    outputs: Vec<Output>,
    events: Vec<Event>,
    told: Told,
    lines: Vec<String>,
    log: Log,
}

impl Bench {
    /// A router whose interfaces are up and whose kernel has routes to the connected networks.
    pub fn new(config: &str) -> Self {
        Bench::starting(config, Time::ZERO, 1000)
    }

    /// A router like that of `new`, but started at `now`. At this instant its clock shows
    /// `wall_clock`, in microseconds since 1970.
    pub fn starting(config: &str, now: Time, wall_clock: u64) -> Self {
        let config = parse_config("bench.conf", config).unwrap_or_else(|error| panic!("{error}"));
        let interfaces: Vec<_> = config.addresses().collect();
        let start = Start { config, seed: Seed::from_number(1), wall_clock, now };
        let mut bench = Bench {
            router: Router::new(start),
            now,
            outputs: Vec::new(),
            events: Vec::new(),
            told: Told::default(),
            lines: Vec::new(),
            log: Log::default(),
        };
        for (name, _) in &interfaces {
            bench.link(&name.device(), true);
        }
        let route = |(name, net): &(eidway::router::config::InterfaceName, ipnet::IpNet)| {
            KernelRoute { prefix: net.trunc(), device: name.device(), gateway: None, metric: 0 }
        };
        let routes = interfaces.iter().map(route).collect();
        bench.kernel(KernelEvent::Routes(routes));
        bench
    }

    pub fn link(&mut self, device: &str, up: bool) {
        let device = device.to_owned();
        self.kernel(KernelEvent::Link { device, up, carrier: up, mtu: 1500 });
    }

    /// The kernel reports a new connected route.
    pub fn route(&mut self, prefix: &str, device: &str) {
        let (prefix, device) = (prefix.parse().unwrap(), device.to_owned());
        let route = KernelRoute { prefix, device, gateway: None, metric: 0 };
        self.kernel(KernelEvent::RouteAdded(route));
    }

    /// The kernel reports that a connected route is gone.
    pub fn no_route(&mut self, prefix: &str, device: &str) {
        let (prefix, device) = (prefix.parse().unwrap(), device.to_owned());
        let route = KernelRoute { prefix, device, gateway: None, metric: 0 };
        self.kernel(KernelEvent::RouteRemoved(route));
    }

    pub fn kernel(&mut self, event: KernelEvent) {
        self.router.handle(Input::Kernel(event), self.now);
        self.drain();
    }

    pub fn configure(&mut self, config: &str) {
        let config = parse_config("bench.conf", config).unwrap_or_else(|error| panic!("{error}"));
        self.router.handle(Input::Configure(Box::new(config)), self.now);
        self.drain();
    }

    /// Gives the router a control message. Its source is port 4342 of `from`.
    pub fn control(&mut self, from: &str, to: &str, payload: &[u8]) {
        let source = SocketAddr::new(from.parse().unwrap(), CONTROL_PORT);
        let destination = to.parse().unwrap();
        let datagram = ControlDatagram { source, destination, payload };
        self.router.handle(Input::Control(datagram), self.now);
        self.drain();
    }

    /// `reporter` sends an ICMP error about an encapsulated packet to `rloc`. The error quotes the
    /// packet from its LISP header on.
    pub fn icmp(&mut self, rloc: &str, reporter: &str, kind: IcmpErrorKind, quoted: &[u8]) {
        let (rloc, reporter) = (Rloc(rloc.parse().unwrap()), reporter.parse().unwrap());
        let error = IcmpError { rloc, port: DATA_PORT, reporter, kind, quoted: quoted.to_vec() };
        self.router.handle(Input::Path(PathEvent::Icmp(error)), self.now);
        self.drain();
    }

    pub fn encapsulate(&mut self, bytes: &mut [u8]) -> Outbound {
        let mut packet = Packet::single(bytes);
        let outbound = self.router.encapsulate(InstanceId::DEFAULT, &mut packet, self.now);
        self.drain();
        outbound
    }

    pub fn decapsulate(&mut self, datagram: &mut [u8], ttl: u8, tos: u8) -> Inbound {
        let source = RLOC_1.parse().unwrap();
        let destination = RLOC_2.parse().unwrap();
        self.decapsulate_from(&Outer { source, destination, ttl, tos }, datagram)
    }

    pub fn decapsulate_from(&mut self, outer: &Outer, datagram: &mut [u8]) -> Inbound {
        let mut packet = Packet::single(datagram);
        let inbound = self.router.decapsulate(outer, &mut packet, self.now);
        self.drain();
        inbound
    }

    /// Lets time pass and handles each deadline when it is due. Returns the outputs, each with its
    /// time.
    pub fn advance(&mut self, span: Duration) -> Vec<(Time, Vec<Output>)> {
        let end = self.now + span;
        let mut said = Vec::new();
        while let Some(deadline) = self.router.poll_timeout().filter(|next| next.at <= end) {
            self.now = self.now.max(deadline.at);
            self.router.handle_timeout(self.now);
            self.drain();
            if !self.outputs.is_empty() {
                said.push((self.now, std::mem::take(&mut self.outputs)));
            }
        }
        self.now = end;
        said
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.router.poll_output() {
            match output {
                Output::Event(event) => {
                    let lines = self.log.lines(&event, self.now);
                    self.lines.extend(lines.into_iter().map(|(_, line)| line));
                    self.told.hear(&event);
                    self.events.push(event);
                }
                output => self.outputs.push(output),
            }
        }
        self.told.compare(&self.router);
    }

    /// The lines of the router's log since the last call.
    pub fn log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// The events since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The router's outputs since the last call.
    pub fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// The control messages among the outputs since the last call, each with its destination.
    pub fn messages(&mut self) -> Vec<(IpAddr, Message)> {
        messages(&self.outputs())
    }

    /// The requests to the kernel among the outputs since the last call.
    pub fn kernel_requests(&mut self) -> Vec<KernelRequest> {
        let request = |output| match output {
            Output::Kernel(request) => Some(request),
            _ => None,
        };
        self.outputs().into_iter().filter_map(request).collect()
    }

    /// The packets among the outputs since the last call that waited and then left encapsulated.
    pub fn released(&mut self) -> Vec<(Encapsulation, OwnedPacket)> {
        let released = |output| match output {
            Output::Encapsulate(encapsulation, packet) => Some((encapsulation, packet)),
            _ => None,
        };
        self.outputs().into_iter().filter_map(released).collect()
    }
}

pub fn messages(outputs: &[Output]) -> Vec<(IpAddr, Message)> {
    let message = |output: &Output| match output {
        Output::Control { destination, payload, .. } => {
            Some((destination.ip(), Message::parse(payload).unwrap()))
        }
        _ => None,
    };
    outputs.iter().filter_map(message).collect()
}

/// The encapsulated Map-Requests among the messages, each with the map-resolver to which it goes.
pub fn requests(messages: &[(IpAddr, Message)]) -> Vec<(String, MapRequest)> {
    let request = |(resolver, message): &(IpAddr, Message)| match message {
        Message::Encapsulated(encapsulated) => {
            Some((resolver.to_string(), MapRequest::parse(&encapsulated.message).unwrap()))
        }
        _ => None,
    };
    messages.iter().filter_map(request).collect()
}

/// The only Map-Request among the messages.
pub fn only_request(messages: &[(IpAddr, Message)]) -> (String, MapRequest) {
    match &requests(messages)[..] {
        [only] => only.clone(),
        other => panic!("one Map-Request expected: {other:?}"),
    }
}

pub fn eid(text: &str) -> Eid {
    Eid::new(InstanceId::DEFAULT, text.parse().unwrap())
}

pub fn prefix(text: &str) -> EidPrefix {
    EidPrefix::new(InstanceId::DEFAULT, text.parse().unwrap())
}

/// A UDP packet. A test uses different payloads to distinguish packets.
pub fn packet(source: &str, destination: &str, ttl: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match (source.parse().unwrap(), destination.parse().unwrap()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let builder = PacketBuilder::ipv4(source.octets(), destination.octets(), ttl);
            builder.udp(1000, 7).write(&mut bytes, payload).unwrap();
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let builder = PacketBuilder::ipv6(source.octets(), destination.octets(), ttl);
            builder.udp(1000, 7).write(&mut bytes, payload).unwrap();
        }
        mixed => panic!("{mixed:?}"),
    }
    bytes
}

pub fn locator(rloc: &str) -> LocatorRecord {
    LocatorRecord::unicast(rloc.parse().unwrap(), 1, 100)
}

pub fn record(eids: &str, ttl_minutes: u32, rlocs: &[&str]) -> MappingRecord {
    MappingRecord {
        ttl_minutes,
        eid_prefix: prefix(eids),
        action: match rlocs {
            [] => Action::NativelyForward,
            _ => Action::NoAction,
        },
        authoritative: true,
        map_version: 0,
        locators: rlocs.iter().map(|rloc| locator(rloc)).collect(),
    }
}

pub fn reply(nonce: Nonce, records: Vec<MappingRecord>) -> Vec<u8> {
    MapReply { nonce, records, ..MapReply::default() }.emit()
}

/// A Map-Request of xTR2 for `eids`, encapsulated in an ECM for a map-resolver.
pub fn encapsulated_request(eids: &str, nonce: u64, change: impl Fn(&mut MapRequest)) -> Vec<u8> {
    let asked = prefix(eids);
    let mut request = MapRequest {
        nonce: Nonce(nonce),
        source_eid: Some(eid("192.168.0.22")),
        itr_rlocs: vec![Rloc(RLOC_2.parse().unwrap())],
        records: vec![asked.into()],
        ..MapRequest::default()
    };
    change(&mut request);
    let inner = SocketAddr::new(asked.network().address, CONTROL_PORT);
    Encapsulated::new(inner, inner, request.emit()).emit()
}

/// A router with a mapping of 172.16.0.0/24, and packets of `source` use this mapping. The mapping
/// has two locators; the second is a reserve.
pub fn with_reserve(config: &str, source: &str) -> Bench {
    let mut bench = Bench::new(config);
    bench.outputs();
    let mut ping = packet(source, "172.16.0.12", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    let mut mapping = record("172.16.0.0/24", 1440, &[RLOC_1, OLD]);
    for (locator, priority) in mapping.locators.iter_mut().zip([1, 2]) {
        locator.priority = priority;
    }
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, vec![mapping]));
    bench.outputs();
    bench
}
