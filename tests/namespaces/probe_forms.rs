//! The forms of `ping`, `traceroute` and `lig` at the consoles of the lab gsmr. The simulator and
//! Linux are held to the same table.

use regex::Regex;

const PING: &str = "Type escape sequence to abort.\nSending ";
const TRACE: &str = "Type escape sequence to abort.\nTracing the route to ";

/// The routers, the lines, and the parts of their output in order.
pub const PROBES: &[(&str, &str, &[&str])] = &[
    (
        "xTR2",
        "ping 172.16.0.12",
        &[
            PING,
            "5, 100-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\n!!!!!\n",
            "Success rate is 100 percent (5/5), round-trip min/avg/max N\n",
        ],
    ),
    (
        "xTR1",
        "ping ipv6 2001:db8:b::22 repeat 2",
        &[
            PING,
            "2, 100-byte ICMP Echos to 2001:db8:b::22, timeout is 2 seconds:\n!!\n",
            "Success rate is 100 percent (2/2), round-trip min/avg/max N\n",
        ],
    ),
    (
        "xTR2",
        "ping 172.16.0.12 source Ethernet1/0 repeat 3 size 1000 df-bit",
        &[
            PING,
            "3, 1000-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\n",
            "Packet sent with a source address of 192.168.0.1 \n",
            "Packet sent with the DF bit set\n!!!\n",
            "Success rate is 100 percent (3/3), round-trip min/avg/max N\n",
        ],
    ),
    (
        "xTR2",
        "ping A repeat 2",
        &[
            PING,
            "2, 100-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\n!!\n",
            "Success rate is 100 percent (2/2), round-trip min/avg/max N\n",
        ],
    ),
    (
        "xTR2",
        "ping ipv6 C repeat 1",
        &[
            PING,
            "1, 100-byte ICMP Echos to 2001:db8:a10::10, timeout is 2 seconds:\n!\n",
            "Success rate is 100 percent (1/1), round-trip min/avg/max N\n",
        ],
    ),
    // Core1 has no route to an EID. An xTR has no reply from an EID that is not there.
    (
        "NewMSMR",
        "ping 172.16.0.12 repeat 1",
        &[
            PING,
            "1, 100-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\nU\n",
            "Success rate is 0 percent (0/1)\n",
        ],
    ),
    (
        "xTR2",
        "ping 172.16.0.99 repeat 1 timeout 1",
        &[
            PING,
            "1, 100-byte ICMP Echos to 172.16.0.99, timeout is 1 seconds:\n.\n",
            "Success rate is 0 percent (0/1)\n",
        ],
    ),
    (
        "xTR2",
        "ping 172.16.0.12 size 2000 df-bit repeat 2",
        &[
            PING,
            "2, 2000-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\n",
            "Packet sent with the DF bit set\nMM\nSuccess rate is 0 percent (0/2)\n",
        ],
    ),
    (
        "xTR2",
        "ping 172.16.0.12 source 1.2.3.4",
        &["% Invalid source address- IP address not on any of our up interfaces\n"],
    ),
    (
        "xTR2",
        "ping 172.16.0.12 source Ethernet9/0",
        &["% Invalid source interface - IP not enabled or interface is down\n"],
    ),
    // A locator of the map-cache is in the core, so the source is the RLOC.
    (
        "xTR2",
        "ping 203.0.113.11 repeat 2",
        &[
            PING,
            "2, 100-byte ICMP Echos to 203.0.113.11, timeout is 2 seconds:\n!!\n",
            "Success rate is 100 percent (2/2), round-trip min/avg/max N\n",
        ],
    ),
    (
        "PxTR1",
        "ping 172.16.0.12 repeat 2",
        &[
            PING,
            "2, 100-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\n!!\n",
            "Success rate is 100 percent (2/2), round-trip min/avg/max N\n",
        ],
    ),
    (
        "xTR2",
        "traceroute 172.16.0.12",
        &[
            TRACE,
            "172.16.0.12\nVRF info: (vrf in name/id, vrf out name/id)\n",
            "  1 198.51.100.1 N N N\n  2 100.64.0.1 N N N\n  3 172.16.0.1 N N N\n",
            "  4 172.16.0.12 N N N\n",
        ],
    ),
    (
        "xTR2",
        "trace 203.0.113.11 probe 1 numeric",
        &[
            TRACE,
            "203.0.113.11\nVRF info: (vrf in name/id, vrf out name/id)\n",
            "  1 198.51.100.1 N\n  2 100.64.0.1 N\n  3 203.0.113.11 N\n",
        ],
    ),
    (
        "NewMSMR",
        "traceroute 172.16.0.12 probe 1",
        &[
            TRACE,
            "172.16.0.12\nVRF info: (vrf in name/id, vrf out name/id)\n",
            "  1 209.165.201.1 !N \n",
        ],
    ),
    (
        "xTR1",
        "trace ipv6 2001:db8:b::22 probe 1 timeout 1 ttl 3 4",
        &[TRACE, "2001:db8:b::22\n\n  3 2001:db8:b::1 N\n  4 2001:db8:b::22 N\n"],
    ),
    (
        "xTR2",
        "lig 172.16.0.12",
        &[
            "Send map-request to 209.165.201.41 for 172.16.0.12 ...\n",
            "Received map-reply from 203.0.113.11 with N\n\n",
            "Map-Cache entry for EID 172.16.0.12:\n172.16.0.0/24, uptime: ",
            "via map-reply, complete\n",
            "  Locator       Uptime    State      Pri/Wgt\n  203.0.113.11  ",
        ],
    ),
    (
        "xTR2",
        "lig 10.99.0.5 to 209.165.201.31",
        &[
            "Send map-request to 209.165.201.31 for 10.99.0.5 ...\n",
            "Received map-reply from 209.165.201.31 with N\n\n",
            "Map-Cache entry for EID 10.99.0.5:\n10.64.0.0/10, uptime: 00:00:00, expires: ",
            "via map-reply, forward-native\n  Negative cache entry, action: forward-native\n",
        ],
    ),
    (
        "xTR2",
        "lig self",
        &[
            "Send loopback map-request to 209.165.201.41 for 192.168.0.0 ...\n",
            "Received map-reply from 198.51.100.21 with N\n\n",
            "Map-Cache entry for EID 192.168.0.0:\n192.168.0.0/24, uptime: 00:00:00, expires: ",
            "via map-reply, self\n",
        ],
    ),
    (
        "xTR2",
        "lig 172.16.0.12 to 1.2.3.4 count 2",
        &[
            "Send map-request to 1.2.3.4 for 172.16.0.12 ...\n",
            "Send map-request to 1.2.3.4 for 172.16.0.12 ...\n",
            "*** No map-reply received ***\n",
        ],
    ),
    ("xTR1", "configure terminal", &["Enter configuration commands"]),
    ("xTR1", "ip host HostB 192.168.0.22", &[]),
    (
        "xTR1",
        "do ping HostB repeat 1",
        &[
            PING,
            "1, 100-byte ICMP Echos to 192.168.0.22, timeout is 2 seconds:\n!\n",
            "Success rate is 100 percent (1/1), round-trip min/avg/max N\n",
        ],
    ),
    (
        "xTR1",
        "do lig HostB",
        &[
            "Send map-request to ",
            " for 192.168.0.22 ...\n",
            "Received map-reply from 198.51.100.21 with N\n\n",
            "Map-Cache entry for HostB EID 192.168.0.22:\n192.168.0.0/24, uptime: ",
        ],
    ),
    (
        "xTR1",
        "do traceroute HostB probe 1",
        &[TRACE, "HostB (192.168.0.22)\nVRF info: (vrf in name/id, vrf out name/id)\n"],
    ),
    ("xTR1", "do ping nowhere", &["% Unrecognized host or address, or protocol not running.\n"]),
    ("OldMSMR", "lig 172.16.0.12", &["% No map-resolver is configured"]),
];

/// Whether a text has all parts in their order. Between two parts, a line may have other text. The
/// measured times are left out: each is `N` in a part.
pub fn has_parts(text: &str, parts: &[&str]) -> bool {
    let times = Regex::new(r"\d+ msec|= [\d/]+ ms|rtt [\d.]+ secs").expect("a pattern");
    let text = times.replace_all(text, "N");
    let mut rest = &*text;
    parts.iter().all(|part| match rest.split_once(part) {
        Some((before, after)) if !before.trim_end_matches('\n').contains('\n') => {
            rest = after;
            true
        }
        _ => false,
    })
}
