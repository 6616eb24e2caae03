//! Map-resolvers that do not answer.

use std::process::Command;

use crate::live::*;

#[test]
fn without_the_first_resolver_the_second_answers() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "over");
    expect_success(&live.lab("stop", &["OldMSMR"]));
    // The two tries with the dead map-resolver take one and two seconds. Packets that wait so long
    // count as lost for ping.
    let marks = live.ping("B", "C", &["-c", "10"]);
    assert!(marks.ends_with("!!!!!"), "{marks}");
}

#[test]
fn without_any_resolver_the_router_stops_asking() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "mute");
    for router in ["OldMSMR", "NewMSMR"] {
        expect_success(&live.lab("stop", &[router]));
    }
    let namespace = format!("eidway-{}-xTR2", live.name);
    let mut capture = Command::new("ip");
    capture.args(["netns", "exec", &namespace, "tshark", "-n", "-i", "et0-0", "-a", "duration:30"]);
    capture.args(["-f", "udp dst port 4342", "-Y", "lisp.type == 8"]);
    capture.args(["-T", "fields", "-e", "frame.time_relative"]);
    let capture = std::thread::spawn(move || run(&mut capture));
    live.lab("ping", &["B", "C", "-c", "14"]);
    let output = capture.join().expect("the capture");
    let text = text(&output);
    let times: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    assert!(!times.is_empty() && times.len() <= 10, "{times:?} {}", errors(&output));
    assert!(times.iter().all(|&time| time < 20.0), "{times:?}");
}
