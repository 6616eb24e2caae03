//! `ping` and `traceroute` at a console whose sockets are played by the test.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use eidway::console::hosts::{HostState, Hosts};
use eidway::console::probes::{Ends, Heard, Kind, Probe, ProbeSocket, Probes};
use eidway::console::protocol::{HostAnswer, HostRequest, Request, Response};
use eidway::console::{Session, parse_config};
use eidway::rng::Seed;
use eidway::router::{Router, Start};
use eidway::time::Time;
use eidway::wire::IcmpErrorKind as Error;
use eidway::wire::probe::Meaning;

/// The answers to probes, in order: the sender and the meaning. `None` is a probe without an
/// answer.
type Script = VecDeque<Option<(&'static str, Meaning)>>;

/// The network of the test.
#[derive(Clone, Default)]
struct Network {
    script: Rc<RefCell<Script>>,
    sent: Rc<RefCell<Vec<Probe>>>,
}

struct Socket {
    network: Network,
    heard: VecDeque<Heard>,
}

impl ProbeSocket for Socket {
    fn send(&mut self, probe: &Probe, now: Time) {
        self.network.sent.borrow_mut().push(*probe);
        if let Some(Some((from, meaning))) = self.network.script.borrow_mut().pop_front() {
            let (number, from) = (probe.number, Some(from.parse().unwrap()));
            let at = now + Duration::from_micros(1500);
            self.heard.push_back(Heard { number, from, meaning, at });
        }
    }

    fn receive(&mut self, now: Time) -> Option<Heard> {
        let is_due = self.heard.front().is_some_and(|heard| heard.at <= now);
        if is_due { self.heard.pop_front() } else { None }
    }

    fn has_answer(&self) -> bool {
        false
    }
}

impl Hosts for Network {
    fn states(&self) -> BTreeMap<String, HostState> {
        BTreeMap::new()
    }

    fn handle(&mut self, _: &HostRequest, _: Time) -> Result<HostAnswer, String> {
        Err("no hosts".to_owned())
    }
}

impl Probes for Network {
    fn open(&mut self, _: Ends) -> Result<Box<dyn ProbeSocket>, String> {
        Ok(Box::new(Socket { network: self.clone(), heard: VecDeque::new() }))
    }
}

/// The output of a line, and the probes that it sent.
fn typed(line: &str, script: &[Option<(&'static str, Meaning)>]) -> (String, Vec<Probe>) {
    let mut network = Network::default();
    network.script.borrow_mut().extend(script.iter().copied());
    let config = parse_config("x", "hostname R\n").unwrap();
    let mut now = Time::ZERO;
    let start = Start { config, seed: Seed::from_number(1), wall_clock: 1, now };
    let (mut router, mut session) = (Router::new(start), Session::new());
    session.handle(Request::Line(line.to_owned()), &mut router, &mut network, now);
    let mut text = String::new();
    while !session.is_idle() {
        match session.poll(&router, &mut network, now) {
            Some(Response::Text(part)) => text += &part,
            Some(_) => {}
            None => now = now + Duration::from_millis(1),
        }
        assert!(now < Time::from_secs(1000), "it never ends: {text}");
    }
    let sent = network.sent.borrow().clone();
    (text, sent)
}

fn from(meaning: Meaning) -> Option<(&'static str, Meaning)> {
    Some(("192.0.2.1", meaning))
}

#[test]
fn each_outcome_of_an_echo_has_the_character_of_ios() {
    let unreachable = Meaning::Unreachable;
    let v4 = [
        (Some(Meaning::Reply), '!'),
        (None, '.'),
        (Some(unreachable(Error::NetUnreachable)), 'U'),
        (Some(unreachable(Error::PortUnreachable)), 'U'),
        (Some(Meaning::TooBig(1400)), 'M'),
        (Some(Meaning::TtlExceeded), '&'),
        (Some(Meaning::SourceQuench), 'Q'),
        (Some(Meaning::Other), '?'),
    ];
    let v6 = [
        (Some(Meaning::Reply), '!'),
        (None, '.'),
        (Some(unreachable(Error::NetUnreachable)), 'U'),
        (Some(unreachable(Error::HostUnreachable)), 'H'),
        (Some(unreachable(Error::PortUnreachable)), 'P'),
        (Some(unreachable(Error::Prohibited)), 'A'),
        (Some(unreachable(Error::Other)), '@'),
        (Some(Meaning::TooBig(1280)), 'B'),
        (Some(Meaning::TtlExceeded), 'T'),
        (Some(Meaning::Other), '?'),
    ];
    for (target, table) in [("192.0.2.1", &v4[..]), ("2001:db8::1", &v6[..])] {
        let script: Vec<_> = table.iter().map(|(meaning, _)| meaning.and_then(from)).collect();
        let marks: String = table.iter().map(|(_, mark)| mark).collect();
        let (text, _) = typed(&format!("ping {target} repeat {}", table.len()), &script);
        assert_eq!(text.lines().nth(2), Some(marks.as_str()), "{text}");
        let rate = format!("Success rate is {} percent (1/{})", 100 / table.len(), table.len());
        assert!(text.ends_with(&format!("{rate}, round-trip min/avg/max = 2/2/2 ms\n")), "{text}");
    }
}

#[test]
fn a_ping_sends_what_its_options_say() {
    let script = [from(Meaning::Reply); 80];
    let (text, sent) = typed("ping 192.0.2.1 repeat 80 size 1400 df-bit", &script);
    let probe = |number| Probe { kind: Kind::Echo, number, ttl: 255, size: 1400, df: true };
    assert_eq!(sent, (1..=80).map(probe).collect::<Vec<_>>());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[3..5], ["!".repeat(70), "!".repeat(10)], "{text}");
}

#[test]
fn a_filter_selects_lines_of_a_ping() {
    let (text, _) = typed("ping 192.0.2.1 repeat 1 timeout 1 | include Success", &[None]);
    assert_eq!(text, "Success rate is 0 percent (0/1)\n");
}

#[test]
fn a_traceroute_has_a_line_for_each_ttl() {
    let hop = |from, meaning| Some((from, meaning));
    let (text, sent) = typed(
        "traceroute 203.0.113.9 timeout 1",
        &[
            hop("192.0.2.1", Meaning::TtlExceeded),
            None,
            hop("192.0.2.1", Meaning::TtlExceeded),
            None,
            hop("192.0.2.5", Meaning::TtlExceeded),
            hop("192.0.2.6", Meaning::TtlExceeded),
            None,
            None,
            None,
            hop("203.0.113.9", Meaning::Unreachable(Error::PortUnreachable)),
            hop("203.0.113.9", Meaning::Unreachable(Error::PortUnreachable)),
            hop("203.0.113.9", Meaning::Unreachable(Error::Prohibited)),
        ],
    );
    let expected = "\
Type escape sequence to abort.
Tracing the route to 203.0.113.9
VRF info: (vrf in name/id, vrf out name/id)
  1 192.0.2.1 2 msec *  2 msec
  2  * \n    192.0.2.5 2 msec
    192.0.2.6 2 msec
  3  *  *  * \n  4 203.0.113.9 2 msec 2 msec !A \n";
    assert_eq!(text, expected);
    let ttls: Vec<u8> = sent.iter().map(|probe| probe.ttl).collect();
    assert_eq!(ttls, [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    assert!(sent.iter().all(|probe| probe.kind == Kind::Udp));
}

#[test]
fn wrong_lines_are_refused() {
    for (line, message) in [
        ("ping ipv6 192.0.2.1", "% an IPv6 address is expected"),
        ("traceroute 192.0.2.1 ttl 5 4", "% the last TTL must not be less than the first TTL"),
        ("ping 192.0.2.1 source 192.0.2.9", "% Invalid source address"),
        ("lig 192.0.2.1", "% No map-resolver is configured"),
        ("lig self", "% This router has no IPv4 EID prefix"),
        ("ping", "% Incomplete command."),
        ("ping 192.0.2.1 repeat 2 size 100 repeat 3", "% the line contains this option twice"),
    ] {
        let (text, sent) = typed(line, &[]);
        assert!(text.contains(message), "{line}: {text}");
        assert!(sent.is_empty());
    }
}

#[test]
fn a_command_that_waits_long_tells_its_client_that_it_runs() {
    let mut network = Network::default();
    let config = parse_config("x", "hostname R\n").unwrap();
    let start = Start { config, seed: Seed::from_number(1), wall_clock: 1, now: Time::ZERO };
    let (mut router, mut session) = (Router::new(start), Session::new());
    let line = Request::Line("ping 192.0.2.1 timeout 3600".to_owned());
    session.handle(line, &mut router, &mut network, Time::ZERO);
    let mut now = Time::ZERO;
    for _ in 0..5 {
        while session.poll(&router, &mut network, now).is_some() {}
        let due = session.poll_timeout().unwrap();
        assert!(due <= now + Duration::from_secs(3));
        now = due;
        assert_eq!(session.poll(&router, &mut network, now), Some(Response::Text(String::new())));
    }
}
