//! Effects of the core on packets, in both modes of the data path: losses, a smaller MTU, a locator
//! that cannot be reached, and a TTL that expires.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::live::*;
use crate::transfer::transfer;

/// The size of the transfer over a link with losses, in MiB. `EIDWAY_TRANSFER_MIB` can set another
/// size.
const LOSSY_TRANSFER: usize = 64;

/// `two-sites` with its files changed.
fn changed_lab(change: impl Fn(&str, String) -> String) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/two-sites");
    for entry in fs::read_dir(lab).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = change(name, fs::read_to_string(&path).unwrap());
        fs::write(copy.path().join(name), text).unwrap();
    }
    copy
}

#[test]
fn a_transfer_over_a_core_that_loses_one_percent_arrives_whole() {
    let mib = std::env::var("EIDWAY_TRANSFER_MIB").ok().and_then(|text| text.parse().ok());
    for mode in modes() {
        let live = Live::up_in("two-sites", "loss", mode);
        for device in ["eth0", "eth1"] {
            live.verb("link-loss", &["Core", device, "100"]);
        }
        transfer(&live, "192.168.0.22", mib.unwrap_or(LOSSY_TRANSFER));
        let rules = live.shell("Core", "nft list ruleset");
        let lost = |line: &str| line.contains("counter packets") && !line.contains("packets 0 ");
        assert!(rules.lines().any(lost), "nothing was lost: {rules}");
    }
}

/// Replaces the IPv4 locators by IPv6 locators.
fn with_ipv6_locators(name: &str, text: String) -> String {
    match name {
        "xTR1.conf" | "xTR2.conf" => text
            .replace("\n  203.0.113.11 prio", "\n  2001:db8:c:1::11 prio")
            .replace("\n  198.51.100.21 prio", "\n  2001:db8:c:2::21 prio")
            .replace(" 209.165.201.31", " 2001:db8:c:3::31"),
        _ => text,
    }
}

#[test]
fn a_core_that_takes_less_is_learned_of_and_the_sender_told() {
    let plain = changed_lab(|_, text| text);
    let ipv6 = changed_lab(with_ipv6_locators);
    for mode in modes() {
        // The core's second link has an MTU of 1400 octets. The outer headers have 36 or 56 octets.
        for (lab, takes) in [(&plain, 1400 - 36), (&ipv6, 1400 - 56)] {
            let live = Live::up_in(lab.path().to_str().unwrap(), "path", mode);
            // These pings come before the MTU becomes smaller. So all later errors come from the
            // path.
            live.expect_pings(&[("A", "B")]);
            live.shell("Core", "ip link set eth1 mtu 1400");
            live.shell("xTR2", "ip link set et0-0 mtu 1400");
            for (address, marker, family) in [
                ("192.168.0.22", "Frag needed and DF set (mtu = ", ""),
                ("2001:db8:b::22", "Packet too big: mtu=", "-6"),
            ] {
                // The first packet that is too big may be lost. The next packet gets the error.
                let size = 1380;
                let told = format!("{marker}{takes}");
                let ping = format!("ping {family} -n -M do -c 1 -W 1 -s {size} {address} || true");
                until(LONG, &told, || live.shell("A", &ping).contains(&told));
                transfer(&live, address, 4);
            }
            let statistics = live.console("xTR1", &["show ip lisp statistics"]);
            let learned = |line: &&str| line.contains("Path MTUs") && !line.ends_with(" 0");
            assert!(statistics.lines().any(|line| learned(&line)), "{statistics}");
        }
    }
}

/// xTR2 has a second way into the core, and a second locator there.
fn with_second_locator(name: &str, text: String) -> String {
    match name {
        "xTR2.conf" => text
            .replace(
                "!\ninterface Ethernet1/0",
                "!\ninterface Ethernet0/1\n ip address 198.51.101.21 255.255.255.0\n!\n\
                 interface Ethernet1/0",
            )
            .replace(
                "198.51.100.21 priority 1 weight 100\n",
                "198.51.100.21 priority 1 weight 100\n  198.51.101.21 priority 2 weight 100\n",
            ),
        "lab.toml" => {
            let link = "\n[[links]]\nendpoints = [\"xTR2:Ethernet0/1\", \"Core:eth3\"]\n";
            let eth2 = "addresses.eth2";
            let eth3 = "addresses.eth3 = [\"198.51.101.1/24\"]\naddresses.eth2";
            format!("{}{link}", text.replace(eth2, eth3))
        }
        _ => text,
    }
}

#[test]
fn a_locator_that_the_core_cannot_reach_is_left_for_the_next_at_once() {
    let lab = changed_lab(with_second_locator);
    for mode in modes() {
        let live = Live::up_in(lab.path().to_str().unwrap(), "second", mode);
        live.expect_pings(&[("A", "B")]);
        let states = || {
            let text = live.console("xTR1", &["show ip lisp map-cache 192.168.0.22"]);
            let state = |rloc: &str| {
                let line = text.lines().find(|line| line.trim_start().starts_with(rloc));
                line.and_then(|line| line.split_whitespace().nth(2)).unwrap_or("none").to_owned()
            };
            [state("198.51.100.21"), state("198.51.101.21")]
        };
        assert_eq!(states(), ["up", "up"]);

        live.shell("Core", "ip route add unreachable 198.51.100.21/32");
        // The packet that the core refuses is lost. All later packets take the other way.
        let marks = live.ping("A", "B", &[]);
        assert!(matches!(&*marks, ".!!!!" | "!!!!!"), "{marks}");
        assert_eq!(states(), ["unreachable", "up"]);
        live.expect_pings(&[("A", "B")]);

        live.shell("Core", "ip route del unreachable 198.51.100.21/32");
        until(LONG * 2, "the better locator is taken again", || states() == ["up", "up"]);
        live.expect_pings(&[("A", "B")]);
    }
}

#[test]
fn a_ttl_ends_where_it_says_and_the_host_hears_it_also_from_the_core() {
    for mode in modes() {
        let live = Live::up_in("two-sites", "ttl", mode);
        live.expect_pings(&[("A", "B")]);
        // The hops are xTR1, Core, xTR2 and B. The core has only IPv4, so an IPv6 host gets Core's
        // message from its gateway.
        for (address, hops) in [
            ("192.168.0.22", ["172.16.0.1", "203.0.113.1", "192.168.0.1", "192.168.0.22"]),
            ("2001:db8:b::22", ["2001:db8:a::1", "2001:db8:a::1", "2001:db8:", "2001:db8:b::22"]),
        ] {
            for (ttl, expected) in (1..).zip(hops) {
                let text =
                    live.shell("A", &format!("ping -n -c 1 -W 1 -t {ttl} {address} || true"));
                let answer = match ttl {
                    4 => format!("bytes from {expected}"),
                    _ => format!("From {expected}"),
                };
                let heard = text.lines().any(|line| line.contains(&answer));
                let exceeded = text.to_lowercase().contains("exceeded");
                assert_eq!((heard, exceeded), (true, ttl < 4), "TTL {ttl}: {text}");
            }
        }
        for command in ["show ip lisp map-cache", "show ipv6 lisp map-cache"] {
            let text = live.console("xTR1", &[command]);
            let line = text.lines().find(|line| line.trim_start().starts_with("198.51.100.21"));
            let state = line.and_then(|line| line.split_whitespace().nth(2));
            assert_eq!(state, Some("up"), "{text}");
        }
    }
}
