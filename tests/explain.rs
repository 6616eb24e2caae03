//! `lab explain` on the simulator: it is right about each way to lose a packet, it agrees with real
//! pings, and it changes nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "each test program uses a part")]
mod explain_cases;

use std::time::Duration;

use eidway::addr::Family;
use eidway::lab::explain::explain;
use eidway::lab::explain::journey::Question;
use eidway::lab::ping::Echos;
use eidway::lab::running::RunningLab;
use eidway::lab::scenario::parse::parse;
use eidway::lab::scenario::play::play_with;
use eidway::live::capture::output::{Form, Output};
use eidway::live::capture::places::interfaces;
use eidway::live::capture::simulated;
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};
use eidway::watch::Watch;

use explain_cases::{CASES, Case, Change, LAB};

/// The longest time that the lab may need to show the effect of a fault.
const SETTLING: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(200);

fn up(lab: &str) -> Simulated {
    Simulated::up(open(lab, None).unwrap(), Options::new(Seed::from_number(1))).unwrap()
}

/// Plays one case in a lab of its own. Returns the fault of the explanation.
fn play(case: &Case) -> Result<(), String> {
    let mut lab = up(LAB);
    for fault in case.faults {
        match fault.set(&mut lab, true) {
            Some(Change::Command(node, command)) => {
                let done = lab.sim_mut().with_kernel(node, |kernel| kernel.by_hand(command));
                done.unwrap().unwrap();
            }
            Some(Change::Runs(node, runs)) => {
                assert!(!runs, "each case has a lab of its own");
                lab.stop(node, false, &mut |_| ()).unwrap();
            }
            None => {}
        }
    }
    let deadline = lab.now() + SETTLING;
    let mut journey = case.explain(&mut lab);
    while !case.is_right(&journey) && lab.now() < deadline {
        lab.pass(PAUSE).unwrap();
        journey = case.explain(&mut lab);
    }
    if !case.is_right(&journey) {
        return Err(format!("{}: {:?}\n{journey}", case.name, journey.lost));
    }
    let Question { from, to, size, df } = case.question(&lab);
    let tally = lab.ping(&from, to, Echos { count: 1, size, df }, &mut |_| ()).unwrap();
    match tally.received {
        0 => Ok(()),
        _ => Err(format!("{}: the ping is answered", case.name)),
    }
}

#[test]
fn each_way_to_lose_a_packet_is_explained_with_its_place_and_its_first_cause() {
    let wrong: Vec<String> = CASES.iter().filter_map(|case| play(case).err()).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CASES.len(), wrong.join("\n\n"));
    assert!(CASES.len() >= 25);
}

#[test]
fn an_explanation_says_the_same_as_a_ping_between_all_hosts() {
    let mut lab = up("gsmr");
    let hosts: Vec<_> =
        lab.lab().file.hosts().map(|(name, host)| (name.to_owned(), host.clone())).collect();
    for family in Family::BOTH {
        for (from, _) in &hosts {
            for (name, host) in hosts.iter().filter(|(name, _)| name != from) {
                let to = host.address(family).unwrap();
                let question = Question { from: from.clone(), to, size: 100, df: false };
                let journey = explain(&mut lab, &question).unwrap();
                let tally = lab.ping(from, to, Echos::default(), &mut |_| ()).unwrap();
                assert_eq!(journey.returns, tally.is_complete(), "{from} {name}: {journey}");
                // Now the mappings are in the map-caches.
                let journey = explain(&mut lab, &question).unwrap();
                assert!(journey.returns, "{from} {name}: {journey}");
            }
        }
    }
}

/// All tables of all routers and kernels, without the rows that only count.
fn state(lab: &mut Simulated) -> String {
    let shows = [
        "show ip lisp map-cache json",
        "show ipv6 lisp map-cache json",
        "show ip lisp database json",
        "show ip lisp away json",
        "show ip lisp statistics json",
        "show ipv6 lisp statistics json",
        "show lisp site json",
        "show lisp session json",
        "show lisp refusals json",
        "show drops json",
        "show arp json",
        "show ipv6 neighbors json",
        "show interfaces json",
        "show ip route json",
        "show running-config",
    ];
    let mut text = format!("{:?} {}\n", lab.sim().now(), lab.sim().crossings());
    let nodes: Vec<String> = lab.lab().file.nodes.keys().cloned().collect();
    for node in nodes {
        text += &format!("{node} {:?}\n", lab.links(&node).unwrap());
        if let Ok(kernel) = lab.sim().kernel(&node) {
            let neighbours = kernel.devices().map(|device| device.neighbours.iter().collect());
            let neighbours: Vec<Vec<_>> = neighbours.collect();
            text += &format!("{neighbours:?} {:?}\n", kernel.drops());
        }
        if lab.lab().expect_router(&node).is_ok() {
            for show in shows {
                text += &lab.console(&node, show).unwrap().text;
            }
        }
    }
    text
}

#[test]
fn an_explanation_sends_nothing_and_changes_nothing() {
    let mut lab = up("gsmr");
    for (from, to) in [("A", "192.168.0.22"), ("N", "2001:db8:a::12"), ("B", "9.9.9.9")] {
        let before = state(&mut lab);
        let question =
            Question { from: from.to_owned(), to: to.parse().unwrap(), size: 100, df: false };
        explain(&mut lab, &question).unwrap();
        assert_eq!(before, state(&mut lab), "{from} {to}");
    }
}

#[test]
fn a_capture_has_the_reasons_of_the_routers_as_comments() {
    let watch = Watch::default();
    let options = Options { watch: Some(watch.clone()), ..Options::new(Seed::from_number(1)) };
    let mut lab = Simulated::up(open("two-sites", None).unwrap(), options).unwrap();
    let interfaces = interfaces(lab.lab(), "Core:eth0").unwrap();
    lab.capture_at("core", &[interfaces[0].port.clone()]).unwrap();
    let echos = Echos { count: 2, ..Echos::default() };
    lab.ping("B", "172.16.0.12".parse().unwrap(), echos, &mut |_| ()).unwrap();
    let mut file = Vec::new();
    let mut output = Output::new(&mut file, Form::Pcapng, "two-sites", &interfaces, (None, None));
    simulated::add(&lab, "core", &watch.take(), &mut output).unwrap();
    output.flush().unwrap();
    let text = String::from_utf8_lossy(&file);
    for comment in ["xTR2: encapsulate to 203.0.113.11 (", "xTR1: encapsulate to 198.51.100.21 ("] {
        assert!(text.contains(comment), "{comment} is missing");
    }
    assert!(text.contains("The mapping for the destination has locators [RFC 9300 section 4.2]"));
}

#[test]
fn a_scenario_explains_a_ping_with_an_unexpected_result_and_each_ping_on_request() {
    let played = |text: &str, explains: bool| {
        let mut lab = up("two-sites");
        let none = |name: &str| panic!("{name} is included");
        let scenario = parse("test", text, &lab.lab().file, &none).unwrap();
        let mut out = Vec::new();
        let result = play_with(&scenario, explains, &mut lab, &mut out);
        (result.is_ok(), String::from_utf8(out).unwrap())
    };
    let (ok, quiet) = played("title \"x\"\nping B A count 1 expect 1\n", false);
    assert!(ok && !quiet.contains("The packet"), "{quiet}");
    let (ok, explained) = played("title \"x\"\nping B A count 1 expect 1\n", true);
    assert!(ok && explained.contains("   The packet arrives at A"), "{explained}");
    let (ok, unexpected) = played("title \"x\"\nping B 9.9.9.9 count 1 expect 1\n", false);
    assert!(!ok && unexpected.contains("   The packet is lost at Core"), "{unexpected}");
}
