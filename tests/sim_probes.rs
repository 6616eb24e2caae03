//! `ping`, `traceroute` and `lig` at the consoles of routers in a simulated lab.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shared/buffer.rs"]
mod buffer;
#[path = "namespaces/probe_forms.rs"]
mod probe_forms;

use std::io::Write;
use std::time::Duration;

use buffer::Buffer;
use eidway::console::Session;
use eidway::console::protocol::{Request, Response};
use eidway::lab::built_in;
use eidway::lab::running::RunningLab;
use eidway::record::{Progress, Replay, Until};
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};
use eidway::sim::{Sim, ping};
use eidway::time::Time;
use probe_forms::{PROBES, has_parts};

fn gsmr(options: Options) -> Simulated {
    let lab = built_in::find("gsmr").unwrap().unwrap();
    Simulated::up(lab, options).unwrap()
}

#[test]
fn probes_print_the_forms_of_ios() {
    let mut lab = gsmr(Options::new(Seed::from_number(1)));
    for (router, line, parts) in PROBES {
        let text = lab.console(router, line).unwrap().text;
        assert!(has_parts(&text, parts), "{router}#{line}\n{text}");
    }
    let cache = lab.console("xTR2", "show ip lisp map-cache").unwrap().text;
    assert!(cache.contains("10.64.0.0/10"), "the map-cache of an ITR takes the mapping: {cache}");
    assert!(!cache.contains("192.168.0.0/24"), "but not a mapping of its own: {cache}");
}

#[test]
fn a_name_of_the_configuration_has_precedence_over_a_host_of_the_lab() {
    let mut lab = gsmr(Options::new(Seed::from_number(1)));
    let hosts = lab.console("xTR2", "show hosts").unwrap().text;
    let row = "A                         None  (lab, OK)   0    IP    172.16.0.12\n";
    assert!(hosts.contains(row), "{hosts}");
    for line in ["configure terminal", "ip host A 192.168.0.22", "end"] {
        assert!(lab.console("xTR2", line).unwrap().done.ok, "{line}");
    }
    let hosts = lab.console("xTR2", "show hosts").unwrap().text;
    let row = "A                         None  (perm, OK)  0    IP    192.168.0.22\n";
    assert!(hosts.contains(row), "{hosts}");
    let ping = lab.console("xTR2", "ping A repeat 1").unwrap().text;
    assert!(ping.contains("Echos to 192.168.0.22,"), "{ping}");
    let lig = lab.console("xTR2", "lig C").unwrap().text;
    assert!(lig.contains("10.10.10.10"), "a name that only the lab has: {lig}");
    let ping = lab.console("xTR2", "ping nowhere").unwrap();
    assert_eq!(ping.text, "% Unrecognized host or address, or protocol not running.\n");
    let config = lab.console("xTR2", "show running-config").unwrap().text;
    assert!(config.contains("ip host A 192.168.0.22\n"), "{config}");
    assert!(!config.contains("ip host B"), "{config}");
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
                    while let Some(response) = session.poll(router, surroundings, now) {
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

#[test]
fn the_record_of_a_router_that_pings_is_reproduced() {
    let record = Buffer::default();
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
    let octets = record.octets();
    let mut replay = Replay::open(&octets[..]).unwrap();
    assert_eq!(replay.run(Until::End).unwrap(), Progress::Stopped);
    assert!(replay.step() > 50);
}
