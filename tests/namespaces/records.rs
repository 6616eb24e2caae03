//! Records of routers under real traffic are reproduced.

use crate::live::*;

#[test]
fn routers_under_traffic_are_reproduced_to_the_octet() {
    if !can_run() {
        return;
    }
    let live = Live::named("record");
    expect_success(&eidway(&["lab", "up", "two-sites", "--name", &live.name, "--record"]));
    live.expect_pings(&[("A", "B"), ("B", "A")]);
    let interface = ["configure terminal", "interface ethernet 1/0"];
    live.console("xTR1", &[&interface[..], &["shutdown", "end"]].concat());
    assert_ne!(live.ping("B", "A", &["-c", "1"]), "!", "its port is down");
    live.console("xTR1", &[&interface[..], &["no shutdown", "end"]].concat());
    live.console("xTR1", &["debug lisp control-plane all", "clear ip lisp map-cache"]);
    until(LONG, "A is back", || {
        // Mappings that were learned while the port was down may be valid for a minute.
        live.console("xTR2", &["clear ip lisp map-cache"]);
        live.ping("B", "A", &["-c", "1"]) == "!"
    });
    live.expect_pings(&[("A", "B")]);

    // One router is stopped and starts again, with a new record beside the old one. The other
    // router is killed.
    expect_success(&live.lab("restart", &["xTR2"]));
    live.expect_pings(&[("A", "B")]);
    expect_success(&live.lab("kill", &["xTR1"]));
    let record = |file: &str| format!("/run/eidway/{}/{file}", live.name);
    for file in ["xTR1.record", "xTR2.record.old", "xTR2.record"] {
        let replayed = eidway(&["replay", &record(file), "-c", "show ip lisp map-cache"]);
        expect_success(&replayed);
        let text = text(&replayed);
        assert!(text.contains("\nidentical"), "{file}: {text}");
        assert!(text.contains("LISP IPv4 Mapping Cache"), "{file}: {text}");
    }
    let steps = text(&eidway(&["replay", &record("xTR1.record"), "--print"]));
    for words in ["configure, ", "clear", "lisp0 172.16.0.12 > 192.168.0.22", "Map-Request"] {
        assert!(steps.to_lowercase().contains(&words.to_lowercase()), "no {words} in\n{steps}");
    }
    let steps = text(&eidway(&["replay", &record("xTR2.record.old"), "--print"]));
    assert!(steps.lines().any(|line| line.ends_with(" stop")), "{steps}");
}
