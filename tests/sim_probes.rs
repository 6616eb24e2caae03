//! `ping`, `traceroute` and `lig` at the consoles of routers in a simulated lab.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use eidway::console::Session;
use eidway::console::protocol::{Request, Response};
use eidway::lab::built_in;
use eidway::lab::running::RunningLab;
use eidway::record::{Progress, Replay, Until};
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};
use eidway::sim::{Sim, ping};
use eidway::time::Time;
use regex::Regex;

fn gsmr(options: Options) -> Simulated {
    let lab = built_in::find("gsmr").unwrap().unwrap();
    Simulated::up(lab, options).unwrap()
}

/// The output of a line, with the measured times left out.
fn typed(lab: &mut Simulated, router: &str, line: &str) -> String {
    let text = lab.console(router, line).unwrap().text;
    let times = Regex::new(r"\d+ msec|= [\d/]+ ms|rtt [\d.]+ secs").unwrap();
    times.replace_all(&text, "N").into_owned()
}

const PING: &str = "Type escape sequence to abort.\nSending ";
const TRACE: &str = "Type escape sequence to abort.\nTracing the route to ";

/// The routers, the lines, and the parts of their output in order.
const PROBES: &[(&str, &str, &[&str])] = &[
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
    // Core1 has no route to an EID. An xTR has no reply from an EID that is not there.
    (
        "NewMSMR",
        "ping 172.16.0.12 repeat 3",
        &[
            PING,
            "3, 100-byte ICMP Echos to 172.16.0.12, timeout is 2 seconds:\nUUU\n",
            "Success rate is 0 percent (0/3)\n",
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
        "traceroute 172.16.0.12 probe 2",
        &[
            TRACE,
            "172.16.0.12\nVRF info: (vrf in name/id, vrf out name/id)\n",
            "  1 209.165.201.1 !N  !N \n",
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
            ", expires: 23:59:59, via map-reply, complete\n",
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
    ("OldMSMR", "lig 172.16.0.12", &["% No map-resolver is configured"]),
];

#[test]
fn probes_print_the_forms_of_ios() {
    let mut lab = gsmr(Options::new(Seed::from_number(1)));
    let mut wrong = String::new();
    for (router, line, parts) in PROBES {
        let text = typed(&mut lab, router, line);
        let mut rest = text.as_str();
        let fits = parts.iter().all(|part| match rest.split_once(part) {
            Some((before, after)) if !before.contains('\n') => {
                rest = after;
                true
            }
            _ => false,
        });
        if !fits {
            wrong += &format!("{router}#{line}\n{text}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let cache = typed(&mut lab, "xTR2", "show ip lisp map-cache");
    assert!(cache.contains("10.64.0.0/10"), "the map-cache of an ITR takes the mapping: {cache}");
    assert!(!cache.contains("192.168.0.0/24"), "but not a mapping of its own: {cache}");
}

/// A lab, and a session on xTR2.
struct Typist {
    sim: Sim,
    session: Session,
}

impl Typist {
    fn new() -> Self {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let sim = ping::lab_up(&lab, Seed::from_number(1)).unwrap();
        Typist { sim, session: Session::new() }
    }

    /// Sends a request, lets time pass, and returns the texts. The end of an answer is `<done>`.
    fn ask(&mut self, request: Option<Request>, passes: Duration) -> String {
        let mut text = String::new();
        let (end, mut request) = (self.sim.now() + passes, request);
        while self.sim.now() < end || request.is_some() {
            let session = &mut self.session;
            let mut poll = |sim: &mut Sim| {
                let now_asked = request.take();
                sim.at_console("xTR2", |router, surroundings, now| {
                    if let Some(request) = now_asked {
                        session.handle(request, router, surroundings, now);
                    }
                    while let Some(response) = session.poll(router, &*surroundings, now) {
                        match response {
                            Response::Text(part) => text += &part,
                            Response::Done(_) => text += "<done>",
                            other => panic!("{other:?}"),
                        }
                    }
                })
            };
            poll(&mut self.sim).unwrap();
            self.sim.run_for(Duration::from_millis(10));
        }
        text
    }

    fn line(&mut self, line: &str, passes: Duration) -> String {
        self.ask(Some(Request::Line(line.to_owned())), passes)
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_interrupt_ends_a_ping_with_the_rate_so_far_and_has_no_answer() {
    let mut typist = Typist::new();
    let text = typist.line("ping 172.16.0.99 repeat 1000 timeout 1", SECOND * 3);
    assert!(text.ends_with("seconds:\n.."), "{text}");
    let text = typist.ask(Some(Request::Interrupt), SECOND);
    assert_eq!(text, "\nSuccess rate is 0 percent (0/2)\n<done>");
    assert_eq!(typist.ask(Some(Request::Interrupt), SECOND), "", "no command runs");
    assert!(typist.session.is_idle());
    let text = typist.line("traceroute 8.8.8.8 timeout 3600", SECOND * 10);
    assert!(text.ends_with("\n  2 "), "{text}");
    assert_eq!(typist.ask(Some(Request::Interrupt), SECOND), "\n<done>");
    assert!(typist.line("lig 172.16.0.12 to 1.2.3.4", SECOND).ends_with("...\n"));
    assert_eq!(typist.ask(Some(Request::Interrupt), SECOND), "<done>");
}

#[test]
fn a_session_that_ends_during_a_ping_sends_no_further_echo() {
    let mut typist = Typist::new();
    typist.line("ping 172.16.0.12 repeat 1000000 timeout 1", SECOND);
    let before = typist.sim.crossings();
    typist.ask(None, SECOND);
    assert!(typist.sim.crossings() > before + 100, "the ping runs");
    typist.session = Session::new();
    typist.ask(None, SECOND);
    let before = typist.sim.crossings();
    typist.ask(None, SECOND * 2);
    let crossed = typist.sim.crossings() - before;
    assert!(crossed < 20, "{crossed} packets after the end of the session");
}

#[test]
fn a_session_runs_one_probe_at_a_time() {
    let mut typist = Typist::new();
    typist.line("ping 8.8.8.8 timeout 3600", SECOND);
    for line in ["ping 172.16.0.12", "traceroute 172.16.0.12", "lig self"] {
        assert_eq!(typist.line(line, SECOND), "", "it waits for the answer before it");
    }
    let text = typist.ask(Some(Request::Interrupt), SECOND);
    assert_eq!(text.matches("% Another command runs in this session\n<done>").count(), 3, "{text}");
}

/// A record that the test can read.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_record_of_a_router_that_pings_is_reproduced() {
    let record = Shared::default();
    let writer = record.clone();
    let records = move |name: &str, _: Time| -> Option<Box<dyn Write>> {
        (name == "xTR2").then(|| Box::new(writer.clone()) as Box<dyn Write>)
    };
    let options =
        Options { records: Some(Box::new(records)), ..Options::new(Seed::from_number(1)) };
    let mut lab = gsmr(options);
    for line in ["ping 172.16.0.12", "traceroute 172.16.0.12", "lig 172.16.0.12", "lig self"] {
        lab.console("xTR2", line).unwrap();
    }
    let octets = record.0.borrow().clone();
    let mut replay = Replay::open(&octets[..]).unwrap();
    assert_eq!(replay.run(Until::End).unwrap(), Progress::Stopped);
    assert!(replay.step() > 50);
}
