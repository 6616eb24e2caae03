//! A path with a smaller MTU than the port: both routers learn the MTU alike. The kernel forwards the
//! packets that fit the path, and no others.

use crate::cases::{Change, Transport, Way};
use crate::differential::Pair;
use crate::live::can_run;
use crate::packets::{ICMP, ICMPV6, Ip, icmp, set_v4_checksum, udp};
use crate::world::{Port, World};

/// The MTU of the path. With the outer headers, it takes the smallest packet that IPv6 must carry.
const MTU: u32 = 1340;

/// The message of a router in the core about a packet of the router under test, which has left it with an outer
/// header of this family.
fn too_big(world: &World, outer: usize) -> Option<Vec<u8>> {
    let frames = world.take_seen();
    let (first, transport) = [(0x45, 14 + 20), (0x60, 14 + 40)][outer];
    let is_data = |frame: &[u8]| {
        frame[14] == first && frame.get(transport + 2..transport + 4) == Some(&[0x10, 0xf5])
    };
    let (_, frame) =
        frames.iter().rev().find(|(port, frame)| *port == Port::Core && is_data(frame))?;
    let quoted = &frame[14..];
    let quoted = &quoted[..quoted.len().min(128)];
    let (protocol, kind, ends) = match quoted[0] >> 4 {
        4 => (ICMP, [3, 4], ["203.0.113.1", "203.0.113.11"]),
        _ => (ICMPV6, [2, 0], ["2001:db8:c:1::1", "2001:db8:c:1::11"]),
    };
    let [from, to] = ends.map(|address| address.parse().unwrap());
    let message = icmp(from, to, kind, MTU, quoted);
    Some(Port::Core.frame(Ip::new(from, to, protocol, message).emit()))
}

/// A datagram of `size` octets with its IP header, which must not be fragmented.
fn sized(way: &Way, size: usize) -> Vec<Vec<u8>> {
    let headers = if way.source.is_ipv4() { 28 } else { 48 };
    let change = Change::inner("size", move |ip| {
        ip.payload = udp(ip.source, ip.destination, 4000, 7000, &vec![7; size - headers]);
        ip.fragment = 0x4000;
    });
    way.frames(Transport::Udp, &change)
}

/// Clears the flag Don't Fragment of an encapsulated packet. While the kernel knows the MTU of a path,
/// it sets the flag in some packets of a socket and not in others, and each run differs.
fn without_flag(frames: &mut [(Port, Vec<u8>)]) {
    for (port, frame) in frames {
        if *port == Port::Core && frame[12..14] == [8, 0] {
            frame[14 + 6] &= !0x40;
            set_v4_checksum(&mut frame[14..]);
        }
    }
}

#[test]
fn the_mtu_of_a_path_bounds_the_packets_of_both_routers() {
    if !can_run() {
        return;
    }
    for (outer, headers) in [(0, 36), (1, 56)] {
        let mut pair = Pair::new(&["--no-offload"]);
        let ways = [0, 1].map(|inner| Way::new(Port::Site, inner, outer));
        for way in &ways {
            let small = sized(way, 100);
            assert!(pair.warm_up(way, &small), "{}: the kernel does not forward", way.name);
        }
        for world in &pair.worlds {
            let message = too_big(world, outer).unwrap();
            world.send(Port::Core, &message);
        }
        pair.settle();
        pair.compare_counters();
        let fits = MTU as usize - headers;
        for way in &ways {
            let small = sized(way, 100);
            assert!(pair.warm_up(way, &small), "{}: the path MTU ends the fast path", way.name);
            let fitting = sized(way, fits);
            assert!(pair.warm_up(way, &fitting), "{}: a packet that fits goes up", way.name);
            for size in [fits, fits + 1, 1400, fits, fits - 1, 1400] {
                for _ in 0..3 {
                    pair.send(Port::Site, &sized(way, size));
                    pair.send(Port::Site, &small);
                    pair.settle();
                }
                let found = [pair.compare_by(without_flag), pair.compare_counters()].concat();
                assert!(found.is_empty(), "{}, {size}:\n{}", way.name, found.join("\n"));
            }
        }
    }
}
