//! Hosts that move under traffic of 100 packets a second, and the losses.

use crate::live::*;

/// The document's network, where A may move between xTR1 and xTR2.
fn roaming(test: &str) -> Live {
    let live = Live::up("gsmr", test);
    let table = ["configure terminal", "router lisp", "eid-table default instance-id 0"];
    let unmapped = [
        "no database-mapping 172.16.0.0/24 locator-set set1",
        "no database-mapping 2001:db8:a::/64 locator-set set1",
    ];
    let ranges = [
        "dynamic-eid ROAM",
        "database-mapping 172.16.0.0/24 locator-set set1",
        "database-mapping 2001:db8:a::/64 locator-set set1",
        "interface Ethernet1/0",
    ];
    let gateway =
        ["ip address 172.16.0.1 255.255.255.0 secondary", "ipv6 address 2001:db8:a::1/64"];
    let port = [
        "mac-address 0200.0000.00aa",
        "ipv6 address fe80::1 link-local",
        "lisp mobility ROAM",
        "end",
    ];
    live.console("xTR1", &[&table[..], &unmapped, &ranges, &port].concat());
    live.console("xTR2", &[&table[..], &ranges, &gateway, &port].concat());
    // The gateway of roaming hosts. Both xTRs have it, with any networks.
    live.shell("A", "ip -6 route replace default via fe80::1 dev eth0");
    // Even its first packet is not lost.
    for gateway in ["172.16.0.1", "2001:db8:a::1"] {
        assert_eq!(live.ping("A", gateway, &["-c", "1"]), "!", "{gateway}");
    }
    for family in ["ip", "ipv6"] {
        expect_at(&live, "xTR1", family);
    }
    for options in [&["-c", "1"][..], &["-c", "1", "--ipv6"]] {
        until(LONG, "A is reached", || live.ping("N", "A", options) == "!");
    }
    live
}

/// Waits until `router` has registered A, and the map-server has acknowledged this.
fn expect_at(live: &Live, router: &str, family: &str) {
    let rloc = if router == "xTR1" { "203.0.113.11" } else { "198.51.100.21" };
    let eid = if family == "ip" { "172.16.0.12/32" } else { "2001:db8:a::12/128" };
    until(LONG, &format!("{eid} at {router}"), || {
        let database = live.console(router, &[&format!("show {family} lisp database")]);
        let site = live.console("NewMSMR", &["show lisp site"]);
        let registered = site.lines().any(|line| line.contains(rloc) && line.contains(eid));
        database.contains(&format!("{eid}, dynamic-eid ROAM")) && registered
    });
}

/// Moves A. Returns the number of lost packets for each family.
fn lost(live: &Live, options: &[&str]) -> Vec<u64> {
    let output = live.lab("move", &[&["A", "--to"], options].concat());
    expect_success(&output);
    println!("{options:?}\n{}", text(&output));
    let lost = |line: &str| {
        let (before, _) = line.split_once(" of ")?;
        before.rsplit(' ').next()?.parse().ok()
    };
    let lost: Vec<u64> = text(&output).lines().filter_map(lost).collect();
    assert_eq!(lost.len(), 2, "{}", text(&output));
    lost
}

#[test]
fn the_roaming_gateway_of_ipv6_is_the_ports_only_link_local_address_and_no_network_is_on_link() {
    if !can_run() {
        return;
    }
    let live = roaming("gateway");
    for router in ["xTR1", "xTR2"] {
        let addresses = live.shell(router, "ip -6 -br address show dev et1-0 scope link");
        assert!(addresses.contains("fe80::1/64"), "{addresses}");
        assert_eq!(addresses.matches("fe80").count(), 1, "{addresses}");
        let routes = live.shell(router, "ip -6 route show dev et1-0");
        assert!(!routes.contains("2001:db8:a::/64"), "{routes}");
    }
    assert_eq!(lost(&live, &["xTR2", "--make-before-break"]), [0, 0]);
    assert!(live.shell("A", "ip -6 neigh show fe80::1").contains("02:00:00:00:00:aa"));
}

#[test]
fn a_move_that_makes_before_it_breaks_loses_nothing_and_leaves_nothing() {
    if !can_run() {
        return;
    }
    let live = roaming("both");
    let switch = "ip -br link | cut -d ' ' -f 1 | sort; nft list ruleset";
    let before = live.shell("switch", switch);
    for router in ["xTR2", "xTR1", "xTR2"] {
        assert_eq!(lost(&live, &[router, "--make-before-break"]), [0, 0], "to {router}");
        for family in ["ip", "ipv6"] {
            expect_at(&live, router, family);
        }
    }
    let after = live.shell("switch", switch);
    assert_eq!(before, after);
    // A plain move loses three or four of 100 packets a second on an idle machine. If the router
    // did not find the host immediately, packets would be lost for seconds. The limit of half a
    // second is for a busy machine.
    let plain = lost(&live, &["xTR1"]);
    assert!(plain.iter().all(|lost| *lost <= 50), "{plain:?}");
}

#[test]
fn a_move_to_a_port_that_does_not_expect_the_host_is_refused_with_the_lines_that_are_missing() {
    if !can_run() {
        return;
    }
    let live = Live::up_in("gsmr", "strange", &["--with", "roaming-c"]);
    let refused = live.lab("move", &["A", "--to", "xTR2"]);
    let said = errors(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    for line in [
        "A was not moved: xTR2:Ethernet1/0 has no configuration for 172.16.0.12",
        "Missing at xTR1:\ninterface Ethernet1/0\n mac-address 0200.0000.00aa\n lisp mobility ROAM\n",
        "Missing at xTR2:\ninterface Ethernet1/0\n ip address 172.16.0.1 255.255.255.0 secondary\n",
        "   database-mapping 172.16.0.0/24 locator-set set1\n",
        "eidway lab up gsmr --name ",
        " --with roaming-c --with roaming`\n",
    ] {
        assert!(said.contains(line), "{line:?} is not in {said}");
    }
    live.expect_pings(&[("N", "A")]);

    let anyway = live.lab("move", &["A", "--to", "xTR2", "--anyway", "--from", "B"]);
    let said = text(&anyway);
    assert_eq!(anyway.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("B pings 172.16.0.12: ") && said.contains(", still no answer after "),
        "{said}"
    );

    let home = live.lab("move", &["A", "--to", "xTR1"]);
    expect_success(&home);
    let said = text(&home);
    assert!(said.contains("; there was no answer before the move"), "{said}");
}

#[test]
fn who_gets_no_answer_before_a_move_does_not_measure_it() {
    if !can_run() {
        return;
    }
    let live = Live::up_in("gsmr", "pinger", &["--with", "roaming"]);
    expect_success(&live.lab("link", &["N:eth0", "down"]));
    let output = live.lab("move", &["A", "--to", "xTR2"]);
    expect_success(&output);
    let said = text(&output);
    assert!(said.lines().all(|line| line.starts_with("D pings ")), "{said}");
    assert!(said.lines().all(|line| line.contains(", longest interruption ")), "{said}");
}
