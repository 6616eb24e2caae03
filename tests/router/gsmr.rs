//! Generalized SMR: its four triggers, the away table, and the routers that receive the news. The
//! name of a test begins with the number of its scenario. G1: a mapping is removed from the
//! configuration. G2: a mapping has no route. G3: hosts move. G4: prefixes overlap.

use std::time::Duration;

use eidway::addr::{Family, Rloc};
use eidway::router::away::Producer;
use eidway::router::debugging::Debugging;
use eidway::router::io::{
    Command, Device, DropReason, Input, KernelObject, KernelRequest, NeighbourState, RouteTarget,
};
use eidway::router::map_cache::Mapping;
use eidway::time::Time;
use eidway::wire::{IcmpErrorKind, MapRequest, Message, Nonce, ReliableMessage};

use crate::bench::*;
use crate::network::*;
use crate::relay::{Fate, Relay};

fn away(relay: &Relay, router: &str) -> Vec<(String, Producer)> {
    let entries = relay.router(router).away().entries().iter();
    entries.map(|(prefix, entry)| (prefix.to_string(), entry.producer)).collect()
}

fn smrs(relay: &Relay, from: &str, to: &str) -> Vec<(Time, MapRequest)> {
    let smr = |(at, message): (Time, &Message)| match message {
        Message::MapRequest(request) if request.smr => Some((at, request.clone())),
        _ => None,
    };
    relay.udp(from, to).into_iter().filter_map(smr).collect()
}

fn asked(relay: &Relay, from: &str, to: &str) -> Vec<(Time, Nonce)> {
    let request = |(at, message): (Time, &Message)| match message {
        Message::Encapsulated(ecm) => Some((at, MapRequest::parse(&ecm.message).unwrap().nonce)),
        _ => None,
    };
    relay.udp(from, to).into_iter().filter_map(request).collect()
}

fn mapping(relay: &Relay, router: &str, host: &str) -> Mapping {
    relay.router(router).map_cache().lookup(eid(host)).unwrap().1.mapping.clone()
}

fn locator_of(relay: &Relay, router: &str, host: &str) -> String {
    match mapping(relay, router, host) {
        Mapping::Locators(locators) => locators[0].rloc.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn g2_no_route_runs_as_the_document_prints_it() {
    let mut relay = warmed(network());
    for router in ["xTR1", "xTR2"] {
        relay.at(router, |bench| {
            bench.router.handle(
                Input::Command(Command::Debug { types: Debugging::CONTROL_PLANE, on: true }),
                bench.now,
            );
        });
    }
    let cached_at =
        relay.router("xTR2").map_cache().lookup(eid("172.16.0.12")).unwrap().1.created_at;
    relay.at("xTR1", |bench| bench.link("et1-0", false));
    assert!(smrs(&relay, "xTR1", "xTR2").is_empty(), "a lost route solicits no peer by itself");
    assert_eq!(away(&relay, "xTR1")[0], ("172.16.0.0/24".to_owned(), Producer::NoRoute));
    let shut_at = relay.now;
    // B sends five echo requests, one every two seconds.
    let lost = Fate::Dropped("xTR1", DropReason::NoRouteToEid);
    for expected in [lost, lost, Fate::Native("xTR2"), Fate::Native("xTR2"), Fate::Native("xTR2")] {
        assert_eq!(b_to(&mut relay, "172.16.0.12"), expected);
        relay.advance(Duration::from_secs(2));
    }
    let sent = smrs(&relay, "xTR1", "xTR2");
    let [(at, smr)] = &sent[..] else { panic!("exactly one SMR: {sent:?}") };
    assert_eq!(*at, shut_at);
    assert!(smr.probe && smr.do_not_reply && !smr.smr_invoked);
    assert_eq!(smr.source_eid, Some(eid("172.16.0.12")));
    assert_eq!(smr.itr_rlocs, [Rloc(RLOC_1.parse().unwrap())]);
    assert_eq!(smr.records[0].eid_prefix, prefix("192.168.0.22/32"));
    let (old, new) = (asked(&relay, "xTR2", "Old"), asked(&relay, "xTR2", "New"));
    let after = |at: Time| at.since(shut_at).as_secs();
    assert_eq!(old.iter().map(|(at, _)| after(*at)).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(new.iter().map(|(at, _)| after(*at)).collect::<Vec<_>>(), [3]);
    assert_eq!(old[0].1, old[1].1);
    assert_ne!(old[1].1, new[0].1);
    assert!(relay.udp("xTR1", "Old").iter().all(|(_, m)| !matches!(m, Message::MapReply(_))));
    let (found, entry) = relay.router("xTR2").map_cache().lookup(eid("172.16.0.12")).unwrap();
    assert_eq!((found, &entry.mapping), (prefix("172.16.0.0/24"), &Mapping::ForwardNative));
    assert_eq!(entry.created_at, cached_at, "overwritten in place");
    assert_eq!(entry.expires_at, Some(new[0].0 + Duration::from_secs(60)));
}

#[test]
fn g2_debugs_in_the_words_of_the_document() {
    let mut relay = warmed(network());
    for router in ["xTR1", "xTR2"] {
        relay.at(router, |bench| {
            bench.router.handle(
                Input::Command(Command::Debug { types: Debugging::CONTROL_PLANE, on: true }),
                bench.now,
            );
        });
    }
    relay.at("xTR1", |bench| bench.link("et1-0", false));
    relay.listen();
    b_to(&mut relay, "172.16.0.12");
    relay.advance(Duration::from_secs(4));
    let nonces: Vec<String> = smrs(&relay, "xTR1", "xTR2")
        .iter()
        .map(|(_, smr)| smr.nonce)
        .chain(asked(&relay, "xTR2", "Old").iter().take(1).map(|(_, nonce)| *nonce))
        .chain(asked(&relay, "xTR2", "New").iter().map(|(_, nonce)| *nonce))
        .map(|nonce| nonce.to_string())
        .collect();
    let lines = |router: &str| -> Vec<String> {
        relay
            .debug
            .iter()
            .filter(|(at, line)| *at == router && !line.contains("Map-Register"))
            .map(|(_, line)| {
                let mut line = line.clone();
                for (index, nonce) in nonces.iter().enumerate() {
                    line = line.replace(nonce, &format!("N{index}"));
                }
                line
            })
            .collect()
    };
    let of_xtr1: Vec<String> = lines("xTR1").into_iter().take(4).collect();
    assert_eq!(
        of_xtr1,
        [
            "LISP: Send map request type dyn-EID SMR",
            "LISP: Send map request for EID prefix IID 0 192.168.0.22/32",
            "LISP-0: AF IID 0 IPv4, Send SMR map-request for 172.16.0.12 to 198.51.100.21.",
            "LISP-0: EID-AF IPv4, Sending probe map-request from 203.0.113.11 to 198.51.100.21 \
             for EID 192.168.0.22/32, ITR-RLOCs 1, nonce N0, SMR 172.16.0.12, DoNotReply.",
        ]
    );
    assert_eq!(lines("xTR2"), lines_of_xtr2());
}

/// The lines in the Cisco document for xTR2, from the SMR to the Map-Reply.
fn lines_of_xtr2() -> Vec<String> {
    let tried = |number: u32, nonce: &str, resolver: &str| {
        [
            "LISP: Send map request type SMR".to_owned(),
            "LISP: Send map request for EID prefix IID 0 172.16.0.12/32".to_owned(),
            format!(
                "LISP-0: AF IID 0 IPv4, Send SMR triggered map request for 172.16.0.12/32 \
                 ({number}) from 192.168.0.22."
            ),
            format!(
                "LISP-0: EID-AF IPv4, Sending map-request from 172.16.0.12 to 172.16.0.12 for EID \
                 172.16.0.12/32, ITR-RLOCs 1, nonce {nonce} (encap src 198.51.100.21, dst \
                 {resolver})."
            ),
        ]
    };
    let mut expected = vec![
        "LISP: Processing received Map-Request(1) message on Ethernet0/0 from \
         203.0.113.11:4342 to 198.51.100.21:4342"
            .to_owned(),
        "LISP: Received map request for IID 0 192.168.0.22/32, source_eid IID 0 172.16.0.12, \
         ITR-RLOCs: 203.0.113.11, records 1, nonce N0, probe, SMR, DoNotReply"
            .to_owned(),
        "LISP-0: AF IID 0 IPv4, Scheduling SMR trigger Map-Request for 172.16.0.12/32 from \
         192.168.0.22."
            .to_owned(),
        "LISP-0: IID 0 SMR & D bit set, not replying to map-request.".to_owned(),
    ];
    expected.extend(tried(1, "N1", OLD));
    expected.extend(tried(2, "N1", OLD));
    expected.push(
        "LISP-0: Map Request IID 0 prefix 172.16.0.12/32 SMR[LL], Switching Map-Resolver \
         209.165.201.41 to 209.165.201.31."
            .to_owned(),
    );
    expected.extend(tried(3, "N2", NEW));
    expected.push(
        "LISP: Processing received Map-Reply(2) message on Ethernet0/0 from \
         209.165.201.31:4342 to 198.51.100.21:4342"
            .to_owned(),
    );
    expected.push("LISP: Received map reply nonce N2, records 1".to_owned());
    expected
}

#[test]
fn g2_the_route_back_empties_the_away_table_and_tells_the_peers() {
    let mut relay = warmed(network());
    relay.at("xTR1", |bench| bench.link("et1-0", false));
    b_to(&mut relay, "172.16.0.12");
    relay.advance(Duration::from_secs(5));
    relay.listen();
    relay.at("xTR1", |bench| bench.link("et1-0", true));
    assert!(away(&relay, "xTR1").is_empty());
    assert!(smrs(&relay, "xTR1", "xTR2").is_empty(), "no peer can learn the new mapping yet");
    relay.advance(Duration::from_secs(1));
    assert!(!smrs(&relay, "xTR1", "xTR2").is_empty(), "it was heard of in the last minute");
    relay.advance(Duration::from_secs(5));
    assert_eq!(b_to(&mut relay, "172.16.0.12"), Fate::Delivered("xTR1"));
}

#[test]
fn g2_each_sender_has_a_limit_of_its_own() {
    let mut relay = warmed(network());
    relay.at("xTR1", |bench| bench.link("et1-0", false));
    b_to(&mut relay, "172.16.0.12");
    n_to(&mut relay, "172.16.0.12");
    assert_eq!(smrs(&relay, "xTR1", "xTR2").len(), 1);
    let to_pxtr = smrs(&relay, "xTR1", "PxTR1");
    assert_eq!(to_pxtr[0].1.records[0].eid_prefix, prefix("10.0.0.99/32"));
}

#[test]
fn g2_a_site_that_loses_its_only_route_solicits_nobody_by_itself() {
    let mut relay = network();
    b_to(&mut relay, "172.16.0.12");
    let a_to_b = packet("172.16.0.12", "192.168.0.22", 63, b"ping");
    relay.send("xTR1", &a_to_b);
    assert_eq!(relay.send("xTR1", &a_to_b), Fate::Delivered("xTR2"));
    relay.listen();
    relay.at("xTR2", |bench| bench.link("et1-0", false));
    assert!(smrs(&relay, "xTR2", "xTR1").is_empty());
    let lost = relay.send("xTR1", &a_to_b);
    assert_eq!(lost, Fate::Dropped("xTR2", DropReason::NoRouteToEid));
    assert_eq!(smrs(&relay, "xTR2", "xTR1").len(), 1);
}

#[test]
fn g1_deconfiguring_solicits_who_was_heard_of_in_the_last_minute_and_nobody_else() {
    let mut relay = network();
    b_to(&mut relay, "172.16.0.12");
    b_to(&mut relay, "172.16.0.12");
    relay.advance(Duration::from_secs(61));
    n_to(&mut relay, "172.16.0.12");
    assert_eq!(n_to(&mut relay, "172.16.0.12"), Fate::Delivered("xTR1"));
    relay.listen();
    relay.at("xTR1", |bench| bench.configure(&[&xtr1(), DECONFIGURED].concat()));
    assert_eq!(smrs(&relay, "xTR1", "PxTR1").len(), 1, "at once, without a packet");
    assert!(smrs(&relay, "xTR1", "xTR2").is_empty(), "idle for more than a minute");
    assert!(relay.said.iter().all(|said| {
        !["New", "Old"].contains(&said.to)
            || !matches!(&said.what, crate::relay::What::Udp(Message::MapRequest(r)) if r.smr)
    }));
    assert_eq!(away(&relay, "xTR1")[0], ("172.16.0.0/24".to_owned(), Producer::Deconfigured));
    // The first packet of an idle peer makes the router send an SMR to the peer too.
    assert_eq!(b_to(&mut relay, "172.16.0.12"), Fate::Dropped("xTR1", DropReason::EidAway));
    assert_eq!(smrs(&relay, "xTR1", "xTR2").len(), 1);
    // Old is a legacy map-server and still forwards the request to xTR1. xTR1 does not answer. The
    // answer of New is correct.
    relay.advance(Duration::from_secs(4));
    assert_eq!(mapping(&relay, "xTR2", "172.16.0.12"), Mapping::ForwardNative);
    assert_eq!(b_to(&mut relay, "172.16.0.12"), Fate::Native("xTR2"));
    relay.at("xTR1", |bench| bench.configure(&xtr1()));
    assert!(away(&relay, "xTR1").is_empty());
}

#[test]
fn g1_smrs_repeat_no_faster_than_each_three_seconds_while_data_comes() {
    let mut relay = warmed(network());
    relay.kill("Old");
    relay.kill("New");
    relay.listen();
    relay.at("xTR1", |bench| bench.configure(&[&xtr1(), DECONFIGURED].concat()));
    for _ in 0..100 {
        b_to(&mut relay, "172.16.0.12");
        relay.advance(Duration::from_millis(100));
    }
    let times: Vec<Time> = smrs(&relay, "xTR1", "xTR2").into_iter().map(|(at, _)| at).collect();
    assert!(times.len() >= 3, "{times:?}");
    assert!(times.windows(2).all(|pair| pair[1].since(pair[0]) >= Duration::from_secs(3)));
}

/// A network in which A is found at xTR1, and PxTR1 has the mapping of A.
fn with_a_at_xtr1() -> Relay {
    let mut relay = roaming_network();
    appear(&mut relay, "xTR1", "172.16.0.12");
    relay.advance(Duration::from_secs(2));
    n_to(&mut relay, "172.16.0.12");
    assert_eq!(n_to(&mut relay, "172.16.0.12"), Fate::Delivered("xTR1"));
    relay.listen();
    relay
}

#[test]
fn g3_a_host_that_speaks_is_found_routed_and_registered() {
    let relay = with_a_at_xtr1();
    let database = relay.router("xTR1").database();
    assert_eq!(database.get(&prefix("172.16.0.12/32")).unwrap().dynamic.as_deref(), Some("ROAM"));
    let entry = relay.router("New").map_server().entries().get(&prefix("172.16.0.12/32")).unwrap();
    assert_eq!(entry.origin, Some(prefix("172.16.0.0/24")));
    assert!(entry.registrations.iter().all(|registration| registration.session.is_some()));
    for router in ["xTR1", "xTR2"] {
        assert_eq!(away(&relay, router), [("172.16.0.0/24".to_owned(), Producer::DynamicEid)]);
    }
}

#[test]
fn g3_a_host_that_was_a_neighbour_before_the_port_served_its_range_is_found() {
    let mut relay = network();
    appear(&mut relay, "xTR1", "172.16.0.12");
    assert!(relay.router("xTR1").mobility().hosts().is_empty());
    relay.at("xTR1", |bench| bench.configure(&roaming_xtr1()));
    assert!(relay.router("xTR1").mobility().hosts().contains_key(&eid("172.16.0.12")));
}

#[test]
fn g3_a_host_that_moves_is_withdrawn_away_and_solicited_for() {
    let mut relay = with_a_at_xtr1();
    appear(&mut relay, "xTR2", "172.16.0.12");
    assert!(relay.router("xTR1").database().get(&prefix("172.16.0.12/32")).is_none());
    let away_at_xtr1 = away(&relay, "xTR1");
    assert!(away_at_xtr1.contains(&("172.16.0.12/32".to_owned(), Producer::DynamicEid)));
    let entry = relay.router("New").map_server().entries().get(&prefix("172.16.0.12/32")).unwrap();
    let sources: Vec<String> =
        entry.registrations.iter().map(|each| each.source.to_string()).collect();
    assert_eq!(sources, [RLOC_2], "one registration, the new xTR's");
    // The old LAN of the host reaches the host through xTR1.
    let lisp = RouteTarget::Device(Device::Lisp);
    let of_xtr1 = |wanted: &dyn Fn(&KernelRequest) -> bool| {
        relay.kernel.iter().any(|(router, request)| *router == "xTR1" && wanted(request))
    };
    assert!(of_xtr1(&|request| matches!(request,
        KernelRequest::Add(KernelObject::Route { prefix, target, .. })
            if prefix.to_string() == "172.16.0.12/32" && *target == lisp)));
    assert!(of_xtr1(&|request| matches!(
        request,
        KernelRequest::Add(KernelObject::ProxyNeighbour { .. })
    )));
    assert!(of_xtr1(&|request| matches!(request, KernelRequest::Announce { .. })));
    // xTR1 forwards a late packet to the new xTR and sends one SMR to its sender.
    assert_eq!(n_to(&mut relay, "172.16.0.12"), Fate::Delivered("xTR2"));
    // The locator of the new xTR is in use, so xTR1 believes an ICMP error of the core about it.
    relay.at("xTR1", |bench| {
        bench.icmp(RLOC_2, CORE, IcmpErrorKind::TooBig { mtu: 1420 }, &[]);
        bench.icmp(OLD, CORE, IcmpErrorKind::TooBig { mtu: 1420 }, &[]);
        let mtu = |rloc: &str| bench.router.paths().mtu(Rloc(rloc.parse().unwrap()));
        assert_eq!((mtu(RLOC_2), mtu(OLD)), (Some(1420), None));
    });
    assert_eq!(smrs(&relay, "xTR1", "PxTR1").len(), 1);
    relay.advance(Duration::from_secs(4));
    assert_eq!(locator_of(&relay, "PxTR1", "172.16.0.12"), RLOC_2);
    assert_eq!(n_to(&mut relay, "172.16.0.12"), Fate::Delivered("xTR2"));
}

#[test]
fn g3_a_map_notify_is_repeated_until_it_is_acknowledged_whatever_the_new_xtr_repeats() {
    let mut relay = with_a_at_xtr1();
    relay.deaf = Some(("Old", "xTR1"));
    appear(&mut relay, "xTR2", "172.16.0.12");
    relay.advance(Duration::from_secs(2));
    relay.deaf = None;
    relay.listen();
    relay.advance(Duration::from_secs(10));
    let notified = relay.udp("Old", "xTR1");
    let about_a = |message: &Message| {
        matches!(message, Message::MapNotify(notify)
            if notify.records[0].eid_prefix == prefix("172.16.0.12/32"))
    };
    assert_eq!(notified.iter().filter(|(_, message)| about_a(message)).count(), 1);
    assert!(relay.udp("xTR1", "Old").iter().any(|(_, m)| matches!(m, Message::MapNotifyAck(_))));
}

#[test]
fn g3_a_straggler_is_dropped_where_forwarding_is_off() {
    let mut relay = with_a_at_xtr1();
    let off = "router lisp\n no ipv4 etr forward-away\n";
    let config = eidway::console::running_config(relay.router("xTR1").config());
    relay.at("xTR1", |bench| bench.configure(&[&config.replace("\nend", ""), "\n", off].concat()));
    appear(&mut relay, "xTR2", "172.16.0.12");
    assert_eq!(n_to(&mut relay, "172.16.0.12"), Fate::Dropped("xTR1", DropReason::EidAway));
}

#[test]
fn g3_a_host_that_goes_back_and_forth_ends_with_one_registration_and_no_loop() {
    let mut relay = with_a_at_xtr1();
    for router in ["xTR2", "xTR1", "xTR2", "xTR1", "xTR2"] {
        appear(&mut relay, router, "172.16.0.12");
        for _ in 0..6 {
            n_to(&mut relay, "172.16.0.12");
            relay.advance(Duration::from_secs(1));
        }
        assert_eq!(n_to(&mut relay, "172.16.0.12"), Fate::Delivered(router));
    }
    for server in ["New", "Old"] {
        let entries = relay.router(server).map_server().entries();
        let entry = entries.get(&prefix("172.16.0.12/32")).unwrap();
        assert_eq!(entry.registrations.len(), 1, "{server}");
    }
    let host = ("172.16.0.12/32".to_owned(), Producer::DynamicEid);
    assert!(away(&relay, "xTR1").contains(&host));
    assert!(!away(&relay, "xTR2").contains(&host));
}

#[test]
fn g3_who_loses_a_host_for_the_eleventh_time_in_30_s_waits_and_then_asks_whether_it_is_there() {
    let mut relay = with_a_at_xtr1();
    let has = |relay: &Relay, router: &str| {
        relay.router(router).mobility().hosts().contains_key(&eid("172.16.0.12"))
    };
    for turn in 0..10 {
        appear(&mut relay, ["xTR2", "xTR1"][turn % 2], "172.16.0.12");
        relay.advance(Duration::from_secs(2));
    }
    assert!(has(&relay, "xTR1"), "ten changes are moves");
    appear(&mut relay, "xTR2", "172.16.0.12");
    relay.advance(Duration::from_secs(2));
    relay.listen();
    appear(&mut relay, "xTR1", "172.16.0.12");
    assert!(has(&relay, "xTR2") && !has(&relay, "xTR1"), "it waits");
    relay.advance(Duration::from_secs(30));
    let probed = |(router, request): &(&str, KernelRequest)| {
        *router == "xTR1" && matches!(request, KernelRequest::Probe { .. })
    };
    assert!(relay.kernel.iter().any(probed));
    appear(&mut relay, "xTR1", "172.16.0.12");
    relay.advance(Duration::from_secs(2));
    assert!(has(&relay, "xTR1") && !has(&relay, "xTR2"));
}

#[test]
fn g3_a_host_that_vanishes_is_withdrawn_and_its_sender_gets_a_negative_answer() {
    let mut relay = with_a_at_xtr1();
    neighbour(&mut relay, "xTR1", "172.16.0.12", NeighbourState::Failed);
    assert!(relay.router("New").map_server().entries().get(&prefix("172.16.0.12/32")).is_none());
    assert_eq!(n_to(&mut relay, "172.16.0.12"), Fate::Dropped("xTR1", DropReason::EidAway));
    relay.advance(Duration::from_secs(4));
    assert_eq!(smrs(&relay, "xTR1", "PxTR1").len(), 1);
}

#[test]
fn g3_a_packet_for_a_host_that_was_not_found_waits_until_it_answers() {
    let mut relay = with_a_at_xtr1();
    relay.at("xTR1", |bench| {
        let mut datagram = [&[0; 8], &packet("10.0.0.99", "172.16.0.13", 60, b"ping")[..]].concat();
        let held = bench.decapsulate(&mut datagram, 60, 0);
        assert_eq!(held, eidway::router::io::Inbound::Held);
    });
    let probed = |(_, request): &(&str, KernelRequest)| matches!(request, KernelRequest::Probe { address, .. } if address.to_string() == "172.16.0.13");
    assert!(relay.kernel.iter().any(probed));
    let decapsulated = relay.router("xTR1").counters().decapsulations;
    appear(&mut relay, "xTR1", "172.16.0.13");
    assert!(relay.router("xTR1").mobility().hosts().contains_key(&eid("172.16.0.13")));
    assert_eq!(relay.router("xTR1").counters().decapsulations, decapsulated + 1);
}

#[test]
fn g3_a_packet_that_waits_for_a_host_is_counted_when_its_range_goes() {
    let mut relay = with_a_at_xtr1();
    relay.at("xTR1", |bench| {
        let mut datagram = [&[0; 8], &packet("10.0.0.99", "172.16.0.13", 60, b"ping")[..]].concat();
        assert_eq!(bench.decapsulate(&mut datagram, 60, 0), eidway::router::io::Inbound::Held);
        let dropped =
            |bench: &Bench| bench.router.counters().drops.get(&DropReason::EidAway).copied();
        let before = dropped(bench).unwrap_or(0);
        bench.configure(XTR2);
        assert_eq!(dropped(bench), Some(before + 1));
    });
}

#[test]
fn g3_a_late_notification_does_not_evict_a_host_that_came_back() {
    let mut relay = with_a_at_xtr1();
    appear(&mut relay, "xTR2", "172.16.0.12");
    appear(&mut relay, "xTR1", "172.16.0.12");
    // The Map-Register of xTR2 by UDP reaches Old after that of xTR1. Old takes this for a move and
    // notifies xTR1. xTR1 asks the host before it removes the host.
    relay.advance(Duration::from_millis(100));
    appear(&mut relay, "xTR1", "172.16.0.12");
    relay.advance(Duration::from_secs(10));
    assert!(relay.router("xTR1").mobility().hosts().contains_key(&eid("172.16.0.12")));
    let entry = relay.router("New").map_server().entries().get(&prefix("172.16.0.12/32")).unwrap();
    let source = entry.registrations.iter().next().unwrap().source;
    assert_eq!(source.to_string(), RLOC_1);
}

const OVERLAP: &str = "
router lisp
 eid-table default instance-id 0
  database-mapping 172.16.0.128/25 locator-set set1
";

#[test]
fn g4_an_overlapping_registration_is_away_at_the_one_around_it() {
    let mut relay = warmed(network_asking_new());
    relay.at("xTR2", |bench| {
        bench.configure(&[&xtr2(), OVERLAP].concat());
        bench.route("172.16.0.128/25", "et1-0");
    });
    relay.advance(Duration::ZERO);
    let site = ("172.16.0.128/25".to_owned(), Producer::SiteRegistration);
    assert_eq!(away(&relay, "xTR1"), std::slice::from_ref(&site));
    assert_eq!(n_to(&mut relay, "172.16.0.12"), Fate::Delivered("xTR1"));
    assert!(smrs(&relay, "xTR1", "PxTR1").is_empty());
    assert_eq!(n_to(&mut relay, "172.16.0.130"), Fate::Dropped("xTR1", DropReason::EidAway));
    relay.advance(Duration::from_secs(4));
    assert_eq!(locator_of(&relay, "PxTR1", "172.16.0.130"), RLOC_2);
    assert_eq!(locator_of(&relay, "PxTR1", "172.16.0.12"), RLOC_1);
    // An ITR that has neither mapping asks for A. It gets both mappings (RFC 9301 section 5.5).
    let clear = Command::ClearMapCache { family: Family::Ipv4, prefix: None };
    relay.at("PxTR1", |bench| bench.router.handle(Input::Command(clear), bench.now));
    n_to(&mut relay, "172.16.0.12");
    assert_eq!(locator_of(&relay, "PxTR1", "172.16.0.12"), RLOC_1);
    assert_eq!(locator_of(&relay, "PxTR1", "172.16.0.130"), RLOC_2);
    // The configuration of xTR2 is restored.
    relay.at("xTR2", |bench| bench.configure(&xtr2()));
    assert!(away(&relay, "xTR1").is_empty());
    relay.advance(Duration::from_secs(30));
    n_to(&mut relay, "172.16.0.130");
    relay.advance(Duration::from_secs(30));
    n_to(&mut relay, "172.16.0.130");
    assert_eq!(n_to(&mut relay, "172.16.0.130"), Fate::Delivered("xTR1"));
}

#[test]
fn who_withdraws_a_prefix_forgets_what_another_has_inside_and_is_told_when_it_registers_again() {
    let mut relay = network_asking_new();
    relay.at("xTR2", |bench| {
        bench.configure(&[&xtr2(), OVERLAP].concat());
        bench.route("172.16.0.128/25", "et1-0");
    });
    relay.advance(Duration::ZERO);
    let piece = ("172.16.0.128/25".to_owned(), Producer::SiteRegistration);
    let lost = ("172.16.0.0/24".to_owned(), Producer::NoRoute);
    assert_eq!(away(&relay, "xTR1"), std::slice::from_ref(&piece));
    relay.at("xTR1", |bench| bench.link("et1-0", false));
    assert!(away(&relay, "xTR1").contains(&lost));
    assert!(!away(&relay, "xTR1").contains(&piece));
    relay.listen();
    relay.at("xTR1", |bench| bench.link("et1-0", true));
    relay.advance(Duration::ZERO);
    relay.at("xTR1", |bench| bench.configure(&xtr1().replace("weight 100", "weight 50")));
    relay.advance(Duration::ZERO);
    assert_eq!(away(&relay, "xTR1"), std::slice::from_ref(&piece));
    let told = relay.tcp("New", "xTR1").into_iter();
    let told = told.filter(|said| matches!(said, ReliableMessage::MappingNotification(_)));
    assert_eq!(told.count(), 1, "once, though it registered twice");
}
