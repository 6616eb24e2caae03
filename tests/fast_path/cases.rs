//! The packets of the differential test: ordinary packets, and one change of them in each case.

use std::net::IpAddr;

use aya::util::KernelVersion;

use crate::packets::{
    ICMP, ICMPV6, Ip, OuterChecksum, TCP, Tunnel, UDP, icmp, set_v4_checksum, tcp, udp,
};
use crate::resolver::Plan;
use crate::world::Port;

/// The EIDs of the host, of the other site behind an IPv4 locator, and behind an IPv6 locator.
const HERE: [&str; 2] = ["172.16.0.12", "2001:db8:a::12"];
const BEHIND_V4: [&str; 2] = ["192.168.4.22", "2001:db8:b4::22"];
const BEHIND_V6: [&str; 2] = ["192.168.6.22", "2001:db8:b6::22"];
/// The locators of the router, of the other xTR, and of a second xTR of the other site.
const OWN_RLOCS: [&str; 2] = ["203.0.113.11", "2001:db8:c:1::11"];
const OTHER_RLOCS: [&str; 2] = ["198.51.100.21", "2001:db8:c:2::21"];
const SECOND_RLOCS: [&str; 2] = ["198.51.102.22", "2001:db8:c:4::22"];

/// The addresses of the router.
pub const OWN: [&str; 4] = ["203.0.113.11", "2001:db8:c:1::11", "172.16.0.1", "2001:db8:a::1"];

/// The mappings of the other site.
pub const PLAN: Plan = &[
    ("192.168.4.0/24", [OTHER_RLOCS[0], SECOND_RLOCS[0]]),
    ("192.168.6.0/24", [OTHER_RLOCS[1], SECOND_RLOCS[1]]),
    ("2001:db8:b4::/64", [OTHER_RLOCS[0], SECOND_RLOCS[0]]),
    ("2001:db8:b6::/64", [OTHER_RLOCS[1], SECOND_RLOCS[1]]),
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The addresses of the router.
pub fn own() -> [IpAddr; 4] {
    OWN.map(address)
}

/// A direction, an inner family and an outer family.
#[derive(Clone, Debug)]
pub struct Way {
    pub port: Port,
    pub source: IpAddr,
    pub destination: IpAddr,
    tunnel: Tunnel,
    pub name: String,
}

impl Way {
    /// All eight ways.
    pub fn all() -> Vec<Way> {
        let mut ways = Vec::new();
        for port in Port::ALL {
            for inner in 0..2 {
                for outer in 0..2 {
                    ways.push(Way::new(port, inner, outer));
                }
            }
        }
        ways
    }

    /// The way of these families: 0 is IPv4, and 1 is IPv6.
    pub fn new(port: Port, inner: usize, outer: usize) -> Way {
        let here = address(HERE[inner]);
        let there = address([BEHIND_V4, BEHIND_V6][outer][inner]);
        let (source, destination) = match port {
            Port::Site => (here, there),
            Port::Core => (there, here),
        };
        let tunnel = Tunnel::new(address(OTHER_RLOCS[outer]), address(OWN_RLOCS[outer]));
        let family = |number: usize| ["IPv4", "IPv6"][number];
        let name = format!("{port:?}, {} in {}", family(inner), family(outer));
        Way { port, source, destination, tunnel, name }
    }

    /// Whether the kernel can forward this way. Since Linux 6.3, a program can remove outer headers of
    /// another family than that of the inner header.
    pub fn is_possible(&self, kernel: KernelVersion) -> bool {
        let one_family = self.source.is_ipv4() == self.tunnel.source.is_ipv4();
        self.port == Port::Site || one_family || kernel >= KernelVersion::new(6, 3, 0)
    }

    /// An ordinary packet.
    pub fn inner(&self, transport: Transport) -> Ip {
        let (source, destination) = (self.source, self.destination);
        let (protocol, payload) = match transport {
            Transport::Udp => (UDP, udp(source, destination, 4000, 7000, b"datagram")),
            Transport::Tcp => (TCP, tcp(source, destination, (4001, 80), 0x18, b"segment")),
            Transport::Echo => {
                let (protocol, kind) = if source.is_ipv4() { (ICMP, 8) } else { (ICMPV6, 128) };
                (protocol, icmp(source, destination, [kind, 0], 0x0007_0001, b"an echo"))
            }
        };
        Ip::new(source, destination, protocol, payload)
    }

    /// The frames of an ordinary packet with a change.
    pub fn frames(&self, transport: Transport, change: &Change) -> Vec<Vec<u8>> {
        let mut inner = self.inner(transport);
        (change.inner)(&mut inner);
        let mut packet = inner.emit();
        (change.octets)(&mut packet);
        if self.port == Port::Core {
            let mut tunnel = self.tunnel.clone();
            (change.tunnel)(&mut tunnel);
            let mut outer = tunnel.wrap(&packet);
            (change.outer)(&mut outer);
            packet = outer.emit();
        }
        (change.frames)(self.port.frame(packet))
    }

    /// The frame of a packet that the kernel never forwards by itself, because it has options. It
    /// has `label` in it.
    pub fn marker(&self, label: &str) -> Vec<u8> {
        let change = Change::inner("", |ip| ip.options = vec![1, 1, 1, 0]);
        let marked = Change {
            octets: Box::new({
                let label = label.to_owned();
                move |packet| {
                    let payload = udp(address(HERE[0]), address(HERE[0]), 1, 9, label.as_bytes());
                    packet.truncate(24);
                    packet.extend(payload);
                    let total_len = (packet.len() as u16).to_be_bytes();
                    packet[2..4].copy_from_slice(&total_len);
                    set_v4_checksum(packet);
                }
            }),
            ..change
        };
        self.frames(Transport::Udp, &marked).remove(0)
    }
}

/// The transport of an ordinary packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Echo,
}

/// A change of octets, and a change of a frame into other frames.
type OnOctets = Box<dyn Fn(&mut Vec<u8>)>;
type OnFrame = Box<dyn Fn(Vec<u8>) -> Vec<Vec<u8>>>;

/// A change of an ordinary packet, in the order in which the parts are applied.
pub struct Change {
    pub name: String,
    /// The families of the inner packet to which the change applies.
    families: [bool; 2],
    inner: Box<dyn Fn(&mut Ip)>,
    octets: OnOctets,
    tunnel: Box<dyn Fn(&mut Tunnel)>,
    outer: Box<dyn Fn(&mut Ip)>,
    frames: OnFrame,
    /// Whether only an encapsulated packet can have the change.
    is_of_tunnel: bool,
}

impl Change {
    /// No change.
    pub fn none(name: &str) -> Self {
        Change {
            name: name.to_owned(),
            families: [true; 2],
            inner: Box::new(|_| ()),
            octets: Box::new(|_| ()),
            tunnel: Box::new(|_| ()),
            outer: Box::new(|_| ()),
            frames: Box::new(|frame| vec![frame]),
            is_of_tunnel: false,
        }
    }

    /// Another source port, if the packet has ports. The checksum becomes wrong, which is no matter
    /// for routers.
    pub fn ports(source: u16) -> Self {
        Change::inner("another port", move |ip| {
            if [TCP, UDP].contains(&ip.protocol) {
                ip.payload[..2].copy_from_slice(&source.to_be_bytes());
            }
        })
    }

    /// A datagram with other data, from another port.
    pub fn datagram(source: u16, data: Vec<u8>) -> Self {
        Change::inner("a datagram", move |ip| {
            ip.payload = udp(ip.source, ip.destination, source, 7000, &data);
        })
    }

    /// A packet of the second xTR of the other site, with Locator-Status-Bits.
    pub fn status_bits(bits: u8) -> Self {
        Change::tunnel("status bits", move |tunnel| {
            let family = usize::from(tunnel.source.is_ipv6());
            tunnel.source = address(SECOND_RLOCS[family]);
            tunnel.header = [0x40, 0, 0, 0, 0, 0, 0, bits];
        })
    }

    /// A change of the inner packet.
    pub fn inner(name: &str, change: impl Fn(&mut Ip) + 'static) -> Self {
        Change { inner: Box::new(change), ..Change::none(name) }
    }

    fn octets(name: &str, change: impl Fn(&mut Vec<u8>) + 'static) -> Self {
        Change { octets: Box::new(change), ..Change::none(name) }
    }

    fn tunnel(name: &str, change: impl Fn(&mut Tunnel) + 'static) -> Self {
        Change { tunnel: Box::new(change), is_of_tunnel: true, ..Change::none(name) }
    }

    fn outer(name: &str, change: impl Fn(&mut Ip) + 'static) -> Self {
        Change { outer: Box::new(change), is_of_tunnel: true, ..Change::none(name) }
    }

    fn frame(name: &str, change: impl Fn(&mut Vec<u8>) + 'static) -> Self {
        let change = move |mut frame: Vec<u8>| {
            change(&mut frame);
            vec![frame]
        };
        Change { frames: Box::new(change), ..Change::none(name) }
    }

    fn of_v4(self) -> Self {
        Change { families: [true, false], ..self }
    }

    fn of_v6(self) -> Self {
        Change { families: [false, true], ..self }
    }

    fn of_tunnel(self) -> Self {
        Change { is_of_tunnel: true, ..self }
    }

    /// Whether packets of this way can have the change.
    pub fn is_for(&self, way: &Way) -> bool {
        let family = usize::from(way.source.is_ipv6());
        self.families[family] && (way.port == Port::Core || !self.is_of_tunnel)
    }
}

/// All changes.
pub fn changes() -> Vec<Change> {
    [
        headers(),
        options(),
        transports(),
        messages(),
        ends(),
        damages(),
        tunnels(),
        outers(),
        frames(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// TTL, type of service, identification and flow label.
fn headers() -> Vec<Change> {
    let mut changes = Vec::new();
    for ttl in [0, 1, 2, 3, 255] {
        changes.push(Change::inner(&format!("TTL {ttl}"), move |ip| ip.ttl = ttl));
    }
    for tos in [0x01, 0x02, 0x03, 0xb8, 0xba, 0xff] {
        changes.push(Change::inner(&format!("TOS {tos:#x}"), move |ip| ip.tos = tos));
    }
    changes.push(Change::inner("identification 0", |ip| ip.identification = 0).of_v4());
    changes.push(Change::inner("don't fragment", |ip| ip.fragment = 0x4000).of_v4());
    changes.push(Change::inner("reserved flag", |ip| ip.fragment = 0x8000).of_v4());
    changes.push(Change::inner("flow label", |ip| ip.label = 0xf_abcd).of_v6());
    changes
}

/// Options, extension headers and fragments.
fn options() -> Vec<Change> {
    let mut changes = vec![
        Change::inner("NOP options", |ip| ip.options = vec![1, 1, 1, 0]).of_v4(),
        Change::inner("record route", |ip| {
            ip.options = vec![7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        })
        .of_v4(),
        Change::inner("first fragment", |ip| ip.fragment = 0x2000).of_v4(),
        Change::inner("later fragment", |ip| ip.fragment = 0x2003).of_v4(),
        Change::inner("last fragment", |ip| ip.fragment = 0x0003).of_v4(),
    ];
    for (name, kind, body) in [
        ("hop-by-hop options", 0, [1, 4, 0, 0, 0, 0]),
        ("routing header", 43, [0, 4, 0, 0, 0, 0]),
        ("atomic fragment", 44, [0, 0, 0, 0, 0, 9]),
        ("first fragment", 44, [0, 1, 0, 0, 0, 9]),
        ("later fragment", 44, [0, 0x18, 0, 0, 0, 9]),
        ("destination options", 60, [1, 4, 0, 0, 0, 0]),
    ] {
        let change = move |ip: &mut Ip| {
            ip.extension = Some(kind);
            ip.options = vec![ip.protocol, 0];
            // The octet after the next header is the length, or is reserved in a fragment header.
            ip.options.extend(&body);
        };
        changes.push(Change::inner(name, change).of_v6());
    }
    changes
}

/// Transport headers and sizes.
fn transports() -> Vec<Change> {
    let mut changes = Vec::new();
    for protocol in [0, 2, 47, 50, 59, 132, 255] {
        let name = format!("protocol {protocol}");
        changes.push(Change::inner(&name, move |ip| ip.protocol = protocol));
    }
    for size in [0, 1, 2, 3, 1400, 1415, 1416, 1417, 1450, 1472] {
        for fragment in [0, 0x4000] {
            let name = format!("{size} octets of data, flags {fragment:#x}");
            let change = move |ip: &mut Ip| {
                ip.payload = udp(ip.source, ip.destination, 4000, 7000, &vec![7; size]);
                // The link of the site has an MTU of 1,500 octets.
                ip.payload.truncate(1460);
                ip.fragment = fragment;
            };
            changes.push(Change::inner(&name, change));
        }
    }
    for len in [0, 3, 7] {
        changes.push(Change::inner(&format!("{len} octets of UDP"), move |ip| {
            ip.payload.truncate(len)
        }));
    }
    for len in [8, 12, 19] {
        let change = move |ip: &mut Ip| {
            ip.protocol = TCP;
            ip.payload = tcp(ip.source, ip.destination, (4001, 80), 0x10, b"");
            ip.payload.truncate(len);
        };
        changes.push(Change::inner(&format!("{len} octets of TCP"), change));
    }
    for (name, flags) in [("SYN", 2), ("FIN", 0x11), ("RST", 4), ("URG", 0x30), ("CWR", 0xd0)] {
        let change = move |ip: &mut Ip| {
            ip.protocol = TCP;
            ip.payload = tcp(ip.source, ip.destination, (4001, 80), flags, b"segment");
        };
        changes.push(Change::inner(name, change));
    }
    let change = |ip: &mut Ip| {
        ip.protocol = TCP;
        ip.payload = tcp(ip.source, ip.destination, (4001, 80), 0x10, b"");
        ip.payload[12] = 0xf0;
    };
    changes.push(Change::inner("a data offset beyond the packet", change));
    changes.push(Change::inner("UDP length too large", |ip| ip.payload[5] += 9));
    changes.push(Change::inner("UDP length too small", |ip| ip.payload[5] = 8));
    changes.push(Change::inner("no UDP checksum", |ip| ip.payload[6..8].fill(0)));
    changes.push(Change::inner("wrong UDP checksum", |ip| ip.payload[6] ^= 0x80));
    changes
}

/// ICMP messages.
fn messages() -> Vec<Change> {
    let mut changes = Vec::new();
    for kind in [[0, 0], [3, 1], [3, 4], [4, 0], [5, 1], [11, 0], [12, 0], [13, 0], [30, 0]] {
        let change = move |ip: &mut Ip| {
            let quoted = quoted(ip);
            (ip.protocol, ip.payload) =
                (ICMP, icmp(ip.source, ip.destination, kind, 1400, &quoted));
        };
        changes.push(Change::inner(&format!("ICMP {kind:?}"), change).of_v4());
    }
    for kind in [[1, 0], [2, 0], [3, 0], [4, 0], [129, 0], [135, 0], [136, 0], [200, 0]] {
        let change = move |ip: &mut Ip| {
            let quoted = quoted(ip);
            ip.payload = icmp(ip.source, ip.destination, kind, 1400, &quoted);
            ip.protocol = ICMPV6;
        };
        changes.push(Change::inner(&format!("ICMPv6 {kind:?}"), change).of_v6());
    }
    changes
}

/// The packet of the flow in the other direction, which an ICMP error of this direction quotes.
fn quoted(ip: &Ip) -> Vec<u8> {
    let payload = udp(ip.destination, ip.source, 7000, 4000, b"datagram");
    Ip::new(ip.destination, ip.source, UDP, payload).emit()
}

/// Sources and destinations.
fn ends() -> Vec<Change> {
    let mut changes = Vec::new();
    for source in ["0.0.0.0", "127.0.0.1", "169.254.0.1", "224.0.0.5", "10.9.9.9", "172.16.0.1"] {
        let change = move |ip: &mut Ip| ip.source = address(source);
        changes.push(Change::inner(&format!("source {source}"), change).of_v4());
    }
    for source in ["::1", "ff02::1", "2001:db8:99::9", "2001:db8:a::1"] {
        let change = move |ip: &mut Ip| ip.source = address(source);
        changes.push(Change::inner(&format!("source {source}"), change).of_v6());
    }
    for destination in ["224.0.0.5", "255.255.255.255", "10.99.9.9", "172.16.0.1", "203.0.113.11"] {
        let change = move |ip: &mut Ip| ip.destination = address(destination);
        changes.push(Change::inner(&format!("destination {destination}"), change).of_v4());
    }
    for destination in ["ff02::1", "2001:db8:99::9", "2001:db8:a::1", "2001:db8:c:1::11"] {
        let change = move |ip: &mut Ip| ip.destination = address(destination);
        changes.push(Change::inner(&format!("destination {destination}"), change).of_v6());
    }
    let own = |ip: &mut Ip| ip.source = ip.destination;
    changes.push(Change::inner("source is destination", own));
    changes
}

/// Damage of the inner packet.
fn damages() -> Vec<Change> {
    let add = |packet: &mut [u8], at: usize, value: i8| {
        packet[at] = packet[at].wrapping_add_signed(value);
    };
    let mut changes = vec![
        Change::octets("wrong header checksum", |packet| packet[10] ^= 1).of_v4(),
        Change::octets("version 5", |packet| packet[0] = 0x55),
        Change::octets("octets after the packet", |packet| packet.extend([0; 6])),
        Change::octets("last octet is wrong", |packet| *packet.last_mut().unwrap() ^= 0xff),
        Change::octets("cut off", |packet| packet.truncate(packet.len() - 3)),
        Change::octets("cut off in the header", |packet| packet.truncate(18)),
        Change::octets("empty", Vec::clear).of_tunnel(),
    ];
    for value in [-4, 4, -20] {
        let change = move |packet: &mut Vec<u8>| {
            add(packet, 3, value);
            set_v4_checksum(packet);
        };
        changes.push(Change::octets(&format!("total length {value:+}"), change).of_v4());
        let change = move |packet: &mut Vec<u8>| add(packet, 5, value.max(-8));
        changes.push(Change::octets(&format!("payload length {value:+}"), change).of_v6());
    }
    for first in [0x44, 0x46, 0x4f] {
        let change = move |packet: &mut Vec<u8>| {
            packet[0] = first;
            set_v4_checksum(packet);
        };
        changes.push(Change::octets(&format!("first octet {first:#x}"), change).of_v4());
    }
    changes
}

/// The outer TTL, type of service and checksum, and the LISP header.
fn tunnels() -> Vec<Change> {
    let mut changes = Vec::new();
    for ttl in [0, 1, 2, 5, 255] {
        changes.push(Change::tunnel(&format!("outer TTL {ttl}"), move |tunnel| tunnel.ttl = ttl));
    }
    for inner in 0..4 {
        for outer in 0..4 {
            for dscp in [0, 0xb8] {
                let name = format!("ECN {inner} in {outer}, DSCP {dscp:#x}");
                let tos = Change::tunnel(&name, move |tunnel| tunnel.tos = dscp | outer);
                changes.push(Change { inner: Box::new(move |ip| ip.tos = 0x28 | inner), ..tos });
            }
        }
    }
    for checksum in [OuterChecksum::Right, OuterChecksum::Wrong] {
        let change = move |tunnel: &mut Tunnel| tunnel.checksum = checksum;
        changes.push(Change::tunnel(&format!("{checksum:?} outer checksum"), change));
    }
    for port in [0, 4341, 50000] {
        let change = move |tunnel: &mut Tunnel| tunnel.source_port = port;
        changes.push(Change::tunnel(&format!("source port {port}"), change));
    }
    for (name, header) in [
        ("nonce", [0x80, 0, 0x12, 0x34, 0, 0, 0, 0]),
        ("nonce to echo", [0xa0, 0, 0x12, 0x35, 0, 0, 0, 0]),
        ("status bits 1", [0x40, 0, 0, 0, 0, 0, 0, 1]),
        ("status bits 0", [0x40, 0, 0, 0, 0, 0, 0, 0]),
        ("status bits without L", [0, 0, 0, 0, 0, 0, 0, 1]),
        ("map-version", [0x10, 0x12, 0x30, 1, 0, 0, 0, 0]),
        ("instance 0", [0x08, 0, 0, 0, 0, 0, 0, 0]),
        ("instance 7", [0x08, 0, 0, 0, 0, 0, 7, 0]),
        ("reserved bit", [0x04, 0, 0, 0, 0, 0, 0, 0]),
        ("key", [0x01, 0, 0, 0, 0, 0, 0, 0]),
        ("all bits", [0xff; 8]),
    ] {
        changes.push(Change::tunnel(name, move |tunnel| tunnel.header = header));
    }
    changes
}

/// The outer header.
fn outers() -> Vec<Change> {
    let mut changes = vec![
        Change::outer("outer packet may be fragmented", |ip| ip.fragment = 0),
        Change::outer("outer identification", |ip| ip.identification = 9),
        Change::outer("outer flow label", |ip| ip.label = 0x1_2345),
        Change::outer("outer UDP-Lite", |ip| ip.protocol = 136),
        Change::outer("another encapsulator", |ip| {
            ip.source = address(if ip.is_v4() { "192.0.2.99" } else { "2001:db8:c:9::9" });
        }),
        Change::outer("an address that is no locator", |ip| {
            ip.destination = address(if ip.is_v4() { "172.16.0.1" } else { "2001:db8:a::1" });
        }),
        Change::outer("outer options", |ip| {
            if ip.is_v4() {
                ip.options = vec![1, 1, 1, 0];
            } else {
                (ip.extension, ip.options) = (Some(60), vec![UDP, 0, 1, 4, 0, 0, 0, 0]);
            }
        }),
    ];
    for (name, port) in [("control port", 4342_u16), ("closed port", 9)] {
        let change = move |ip: &mut Ip| ip.payload[2..4].copy_from_slice(&port.to_be_bytes());
        changes.push(Change::outer(name, change));
    }
    for value in [-4, 4] {
        let change = move |ip: &mut Ip| ip.payload[5] = ip.payload[5].wrapping_add_signed(value);
        changes.push(Change::outer(&format!("outer UDP length {value:+}"), change));
    }
    changes
}

/// The frame.
fn frames() -> Vec<Change> {
    let tag = |vlan: u8| {
        move |frame: &mut Vec<u8>| {
            frame.splice(12..12, [0x81, 0, 0, vlan]);
        }
    };
    let wrong_checksum = |frame: &mut Vec<u8>| {
        if frame[14] >> 4 == 4 {
            frame[24] ^= 1;
        }
    };
    let halves = |frame: Vec<u8>| fragments(&frame).unwrap_or_else(|| vec![frame]);
    vec![
        Change::frame("padding", |frame| frame.extend([0; 10])),
        Change::frame("short frame", |frame| frame.truncate(frame.len() - 5)),
        Change::frame("for another station", |frame| frame[5] ^= 0xff),
        Change::frame("for all stations", |frame| frame[..6].fill(0xff)),
        Change::frame("from another station", |frame| frame[11] ^= 0xff),
        Change::frame("VLAN 5", tag(5)),
        Change::frame("VLAN 0", tag(0)),
        Change::frame("wrong outer header checksum", wrong_checksum),
        Change { frames: Box::new(halves), ..Change::none("in two fragments") },
    ]
}

/// The two fragments of an IPv4 packet in a frame. `None` if it is too short, or if it is IPv6.
fn fragments(frame: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (ethernet, packet) = frame.split_at(14);
    if packet[0] != 0x45 || packet.len() < 20 + 16 {
        return None;
    }
    let (header, payload) = packet.split_at(20);
    let part = |payload: &[u8], fragment: u16| {
        let mut packet = [header, payload].concat();
        let total_len = (packet.len() as u16).to_be_bytes();
        packet[2..4].copy_from_slice(&total_len);
        packet[6..8].copy_from_slice(&fragment.to_be_bytes());
        set_v4_checksum(&mut packet);
        [ethernet, &packet].concat()
    };
    Some(vec![part(&payload[..8], 0x2000), part(&payload[8..], 1)])
}
