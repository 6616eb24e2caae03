//! Checks every link of the document's network with tshark.

use eidway::wire::{self, Algorithm, Key};

use crate::capture::Capture;
use crate::live::*;

/// One end of each link and LAN.
const LINKS: [(&str, &[&str]); 6] = [
    ("Core1", &["eth0", "eth1", "eth2"]),
    ("Core2", &["eth0", "eth2"]),
    ("A", &["eth0"]),
    ("B", &["eth0"]),
    ("N", &["eth0"]),
    // Emulated hosts have no namespace, and their devices vanish together with their router. So
    // these are the router's own ports, which stay.
    ("switch", &["xTR1.et2-0", "xTR1.et3-0"]),
];

/// tshark's filter for packets with errors.
const WRONG: &str = "_ws.malformed || _ws.expert.severity == \"Error\" \
     || ip.checksum.status == \"Bad\" || udp.checksum.status == \"Bad\" \
     || tcp.checksum.status == \"Bad\" || icmp.checksum.status == \"Bad\" \
     || icmpv6.checksum.status == \"Bad\"";

#[test]
fn no_link_carries_a_malformed_packet_and_every_register_verifies() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "wire");
    let captures = LINKS.map(|(node, devices)| (node, Capture::start(&live, node, devices, "")));
    // A router registers when it starts. The captures began after that, so the routers are started
    // again.
    for router in ["xTR1", "xTR2"] {
        expect_success(&live.lab("restart", &[router]));
    }
    live.expect_pings(&[("B", "A"), ("N", "A"), ("B", "C"), ("B", "D"), ("N", "C"), ("A", "N")]);

    for (node, capture) in captures {
        let seen = capture.end();
        let all = seen.fields("frame", &["frame.number"]).len();
        assert!(all >= 10, "{node}: only {all} packets");
        let wrong = seen.fields(WRONG, &["frame.protocols", "_ws.expert.message", "ip.src"]);
        assert!(wrong.is_empty(), "{node}: {wrong:#?}");
        if node == "Core1" {
            expect_genuine(&seen.fields("lisp.type == 3", &["ip.dst", "udp.payload"]));
        }
    }
}

/// Checks the Map-Registers. Each line has the map-server and the octets of one Map-Register.
fn expect_genuine(registers: &[String]) {
    let mut servers = [("209.165.201.31", "new-key", 0), ("209.165.201.41", "old-key", 0)];
    for register in registers {
        let (server, payload) = register.split_once('\t').unwrap();
        let found = servers.iter_mut().find(|(address, ..)| *address == server);
        let (_, secret, count) = found.unwrap_or_else(|| panic!("a register to {server}"));
        let key =
            Key { algorithm: Algorithm::HmacSha1, secret: secret.as_bytes().to_vec(), key_id: 0 };
        assert!(wire::verify(&octets(payload), &key).is_ok(), "{register}");
        let forged = Key { secret: b"another".to_vec(), ..key };
        assert!(wire::verify(&octets(payload), &forged).is_err(), "{register}");
        *count += 1;
    }
    assert!(servers.iter().all(|&(_, _, count)| count >= 2), "{servers:?}");
}

fn octets(hex: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(pair).collect()
}
