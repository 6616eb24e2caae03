//! Tests of reliable map-registration over TCP port 4342
//! (draft-kouvelas-lisp-map-server-reliable-transport-04).

use std::time::Duration;

use eidway::addr::Family;
use eidway::router::counters::ControlDrop;
use eidway::router::session::{SessionState, SessionType};
use eidway::wire::{Message, RefreshScope, RejectReason, ReliableMessage};

use crate::bench::*;
use crate::network::*;
use crate::relay::{Relay, Sent, What};

fn is_register(message: &Message) -> bool {
    matches!(message, Message::MapRegister(_))
}

fn registered(relay: &Relay, server: &str, eids: &str) -> Option<bool> {
    let entry = relay.router(server).map_server().entries().get(&prefix(eids))?;
    let registration = entry.registrations.iter().next()?;
    Some(registration.session.is_some())
}

#[test]
fn a_session_begins_with_udp_and_goes_on_with_tcp() {
    let relay = network();
    let said: Vec<&What> = relay
        .said
        .iter()
        .filter(|said| {
            (said.from, said.to) == ("xTR1", "New") || (said.from, said.to) == ("New", "xTR1")
        })
        .map(|said| &said.what)
        .collect();
    let position = |wanted: &dyn Fn(&What) -> bool| {
        said.iter().position(|what| wanted(what)).expect("it was said")
    };
    let order = [
        position(
            &|what| matches!(what, What::Udp(Message::MapRegister(r)) if r.want_map_notify && r.reliable_transport),
        ),
        position(&|what| matches!(what, What::Udp(Message::MapNotify(_)))),
        position(&|what| matches!(what, What::Syn)),
        position(
            &|what| matches!(what, What::Tcp(ReliableMessage::RegistrationRefresh(r)) if r.scope == RefreshScope::All),
        ),
        position(&|what| matches!(what, What::Tcp(ReliableMessage::Registration(_)))),
        position(&|what| matches!(what, What::Tcp(ReliableMessage::RegistrationAck(_)))),
    ];
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(registered(&relay, "New", "172.16.0.0/24"), Some(true));
    assert_eq!(registered(&relay, "Old", "172.16.0.0/24"), Some(false));
}

#[test]
fn a_session_tells_both_ends_ports_who_began_it_and_its_round_trip() {
    let relay = network();
    let up = |node: &str| {
        let sessions = relay.router(node).sessions();
        sessions.into_iter().find(|session| session.state == SessionState::Up).unwrap()
    };
    let (etr, server) = (up("xTR1"), up("New"));
    assert_eq!((etr.kind, server.kind), (SessionType::Active, SessionType::Passive));
    assert_eq!((etr.peer.port(), server.local.unwrap().port()), (4342, 4342));
    assert_eq!(etr.local.unwrap().port(), 33_000);
    assert!(etr.round_trip.is_some() && server.round_trip.is_some());
    let registration = relay.router("New").map_server().entries().get(&prefix("172.16.0.0/24"));
    let registration = registration.unwrap().registrations.iter().next().unwrap();
    assert_eq!(registration.source_port, 33_000);
    // Each end counts the messages about the prefixes of a family: Registrations one way,
    // acknowledgements the other way.
    for users in [&etr.users, &server.users] {
        let families: Vec<Family> = users.iter().map(|user| user.family).collect();
        assert_eq!(families, Family::BOTH);
    }
    for (etr, server) in etr.users.iter().zip(&server.users) {
        assert!(etr.messages.1 > 0 && etr.messages.0 > 0, "{etr:?}");
        assert_eq!(server.messages, (etr.messages.1, etr.messages.0));
    }
}

#[test]
fn while_a_session_stands_nothing_is_registered_by_udp_there_and_all_of_it_elsewhere() {
    let mut relay = network();
    relay.listen();
    relay.advance(Duration::from_secs(130));
    assert!(!relay.udp("xTR1", "New").iter().any(|(_, message)| is_register(message)));
    assert_eq!(relay.udp("xTR1", "Old").iter().filter(|(_, m)| is_register(m)).count(), 2);
    let syns = relay.said.iter().filter(|said| matches!(said.what, What::Syn) && said.to == "Old");
    let notifies = relay.udp("Old", "xTR1").len() + relay.udp("Old", "xTR2").len();
    assert!(syns.count() <= notifies, "one try for each Map-Notify");
    let drops = &relay.router("New").counters().control_drops;
    assert_eq!(drops.get(&ControlDrop::UnauthenticatedSession), None);
}

#[test]
fn both_ends_show_the_session() {
    let relay = network();
    let sessions = relay.router("New").sessions();
    assert_eq!(sessions.len(), 2);
    assert!(sessions.iter().all(|session| session.state == SessionState::Up));
    let own = relay.router("xTR1").sessions();
    let states: Vec<SessionState> = own.iter().map(|session| session.state).collect();
    assert_eq!(states, [SessionState::Up, SessionState::Down], "New .31, Old .41");
}

#[test]
fn a_lost_route_withdraws_on_tcp_at_once_and_the_route_back_registers() {
    let mut relay = network();
    relay.listen();
    relay.at("xTR1", |bench| bench.link("et1-0", false));
    assert_eq!(registered(&relay, "New", "172.16.0.0/24"), None);
    assert_eq!(registered(&relay, "Old", "172.16.0.0/24"), Some(false), "a legacy one keeps it");
    let answers = relay.tcp("New", "xTR1");
    assert!(answers.iter().all(|answer| matches!(answer, ReliableMessage::RegistrationAck(_))));
    assert_eq!(answers.len(), 2, "IPv4 and IPv6");
    relay.at("xTR1", |bench| bench.link("et1-0", true));
    relay.advance(Duration::from_secs(1));
    assert_eq!(registered(&relay, "New", "172.16.0.0/24"), Some(true));
    relay.at("xTR1", |bench| bench.link("et1-0", false));
    relay.advance(Duration::from_secs(180));
    assert_eq!(registered(&relay, "Old", "172.16.0.0/24"), None, "until its time is over");
}

#[test]
fn a_session_that_falls_leaves_registrations_their_three_minutes_and_udp_takes_over() {
    let mut relay = network();
    relay.kill("xTR1");
    relay.advance(Duration::from_secs(179));
    assert_eq!(registered(&relay, "New", "172.16.0.0/24"), Some(false));
    relay.advance(Duration::from_secs(2));
    assert_eq!(registered(&relay, "New", "172.16.0.0/24"), None);

    let mut relay = network();
    relay.kill("New");
    relay.listen();
    relay.advance(Duration::from_secs(61));
    let registers = relay.udp("xTR1", "New");
    assert!(registers.iter().any(|(_, message)| is_register(message)), "within the period");
}

#[test]
fn a_router_that_stops_withdraws_on_its_session_and_closes_it() {
    let mut relay = network();
    relay.listen();
    relay.at("xTR1", |bench| bench.router.handle(eidway::router::io::Input::Stop, bench.now));
    assert_eq!(registered(&relay, "New", "172.16.0.0/24"), None);
    assert_eq!(relay.router("New").sessions().len(), 1, "xTR2's");
}

#[test]
fn who_did_not_register_gets_no_session() {
    use eidway::router::io::{Connection, Input, Output, TcpEvent, TcpRequest};
    let mut bench = Bench::new(&msmr(NEW, false));
    bench.outputs();
    let connection = Connection(Connection::ACCEPTED);
    let peer = "198.18.0.1:5000".parse().unwrap();
    let accepted = TcpEvent::Accepted { connection, peer, local: NEW.parse().unwrap() };
    bench.router.handle(Input::Tcp(accepted), bench.now);
    bench.drain();
    assert_eq!(bench.outputs(), [Output::Tcp(TcpRequest::Close(connection))]);
    let drops = &bench.router.counters().control_drops;
    assert_eq!(drops.get(&ControlDrop::UnauthenticatedSession), Some(&1));
}

#[test]
fn what_is_outside_the_sites_is_rejected_and_asked_for_again_when_the_site_grows() {
    let mut relay = network();
    relay.at("xTR1", |bench| {
        let more = "interface Ethernet3/0\n ip address 10.30.30.1 255.255.255.0\nrouter lisp\n \
                    eid-table default instance-id 0\n  database-mapping 10.30.30.0/24 locator-set set1\n";
        bench.configure(&[&xtr1(), more].concat());
        bench.route("10.30.30.0/24", "et1-0");
    });
    let rejects: Vec<RejectReason> = relay
        .tcp("New", "xTR1")
        .iter()
        .filter_map(|message| match message {
            ReliableMessage::RegistrationReject(reject) => Some(reject.reason),
            _ => None,
        })
        .collect();
    assert_eq!(rejects, [RejectReason::NotASitePrefix]);
    relay.listen();
    relay.at("New", |bench| {
        let grown = "router lisp\n site SITE\n  eid-prefix 10.30.30.0/24\n";
        bench.configure(&[&msmr(NEW, false), grown].concat());
    });
    assert!(matches!(
        relay.tcp("New", "xTR1")[..],
        [ReliableMessage::RegistrationRefresh(refresh), ReliableMessage::RegistrationAck(_)]
            if refresh.rejected_only
    ));
    assert_eq!(registered(&relay, "New", "10.30.30.0/24"), Some(true));
}

#[test]
fn a_corrupt_end_marker_is_answered_and_ends_the_session() {
    let mut relay = network();
    relay.listen();
    relay.inject("xTR1", "New", &[0, 20, 0, 15, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 4]);
    assert!(matches!(relay.tcp("New", "xTR1")[..], [ReliableMessage::ErrorNotification(_)]));
    assert_eq!(relay.router("New").sessions().len(), 1);
    relay.advance(Duration::from_secs(130));
    assert_eq!(relay.router("New").sessions().len(), 2, "a round by UDP brings it back");
}

#[test]
fn a_map_server_that_had_a_session_is_offered_one_in_every_register_while_it_is_dead() {
    let mut relay = network();
    relay.kill("New");
    relay.listen();
    relay.advance(Duration::from_secs(600));
    let registers = relay.udp("xTR1", "New");
    assert!(registers.len() >= 10, "{}", registers.len());
    assert!(registers.iter().all(|(_, message)| offers(message)));
}

#[test]
fn a_map_server_that_refused_tcp_is_tried_again_after_ten_minutes() {
    let mut relay = network();
    relay.listen();
    relay.advance(Duration::from_secs(590));
    let registers = relay.udp("xTR1", "Old");
    assert!(registers.len() >= 9 && registers.iter().all(|(_, message)| !offers(message)));
    let syns = |relay: &Relay| {
        let to_old = |said: &&Sent| said.to == "Old" && matches!(said.what, What::Syn);
        relay.said.iter().filter(to_old).count()
    };
    assert_eq!(syns(&relay), 0, "a session that was not asked for");
    relay.advance(Duration::from_secs(80));
    assert_eq!(syns(&relay), 2, "xTR1 and xTR2, once each");
}

fn offers(message: &Message) -> bool {
    matches!(message, Message::MapRegister(register) if register.reliable_transport)
}
