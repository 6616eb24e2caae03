//! Super-packets of a host with segmentation offload: their segments leave both routers alike.

use eidway::checksum;

use crate::cases::{Change, Transport, Way};
use crate::differential::Pair;
use crate::live::can_run;
use crate::packets::{Ip, TCP, octets, tcp, udp};
use crate::tap::Cut;
use crate::world::{Port, World};

/// The kinds of super-packets in `linux/virtio_net.h`.
const TCPV4: u8 = 1;
const TCPV6: u8 = 4;
const UDP_L4: u8 = 5;

/// Makes a super-packet with `len` octets of data. Returns its frame, and how it is cut into
/// segments of `segment` octets of data.
fn super_packet(way: &Way, transport: Transport, len: usize, segment: u16) -> (Vec<u8>, Cut) {
    let data: Vec<u8> = (0..len).map(|number| (number % 251) as u8).collect();
    let mut ip = way.inner(transport);
    let (header_len, place) = match transport {
        Transport::Tcp => {
            // With the flags FIN, PSH, ACK and CWR: only the first or the last segment has some.
            ip.payload = tcp(ip.source, ip.destination, (4001, 80), 0x99, &data);
            (20, 16)
        }
        _ => {
            ip.payload = udp(ip.source, ip.destination, 4000, 7000, &data);
            (8, 6)
        }
    };
    let addresses = [octets(ip.source), octets(ip.destination)].concat();
    let sum = checksum::pseudo_header(&addresses, ip.protocol, ip.payload.len());
    ip.payload[place..place + 2].copy_from_slice(&checksum::fold(sum).to_be_bytes());
    let kind = match (ip.protocol, ip.is_v4()) {
        (TCP, true) => TCPV4,
        (TCP, false) => TCPV6,
        _ => UDP_L4,
    };
    let start = 14 + ip_header_len(&ip);
    let (transport, checksum) = (start, place as u16);
    let cut = Cut { kind, headers: start + header_len, segment, transport, checksum };
    (Port::Site.frame(ip.emit()), cut)
}

fn ip_header_len(ip: &Ip) -> u16 {
    if ip.is_v4() { 20 } else { 40 }
}

/// The packets that the router with the fast path has encapsulated.
fn encapsulations(pair: &mut Pair) -> u64 {
    let statistics = pair.worlds[0].json("show ip lisp statistics json");
    statistics["encapsulations"].as_u64().unwrap()
}

#[test]
fn super_packets_leave_a_router_with_the_fast_path_in_the_same_segments() {
    if !can_run() {
        return;
    }
    let mut pair = Pair::new(&[]);
    for way in Way::all().iter().filter(|way| way.port == Port::Site) {
        for transport in [Transport::Tcp, Transport::Udp] {
            let good = way.frames(transport, &Change::none(""));
            for (len, segment) in
                [(2000, 1000), (1001, 1000), (999, 1000), (30_000, 1360), (60_000, 1360), (7, 1)]
            {
                let warm = pair.warm_up(way, &good);
                assert!(warm, "{}: the kernel does not forward the flow", way.name);
                let (frame, cut) = super_packet(way, transport, len, segment);
                let before = pair.programs.hits()[0];
                let sent_before = encapsulations(&mut pair);
                for _ in 0..3 {
                    let send = |world: &World| world.send_uncut(Port::Site, &frame, cut);
                    pair.worlds.iter().for_each(send);
                    pair.send(Port::Site, &good);
                }
                let found = [pair.compare(), pair.compare_counters()].concat();
                let case = format!("{}, {transport:?}, {len} in {segment}", way.name);
                assert!(found.is_empty(), "{case}:\n{}", found.join("\n"));
                let segments = len.div_ceil(usize::from(segment)) as u64;
                let sent = encapsulations(&mut pair) - sent_before;
                assert!(sent >= 3 * (segments + 1), "{case}: {sent} packets were sent");
                // Datagrams of a super-packet go up, and the flow follows them.
                let hits = pair.programs.hits()[0] - before;
                assert!(transport == Transport::Udp || hits >= 6, "{case}: {hits} hits");
            }
        }
    }
}
