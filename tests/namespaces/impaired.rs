//! Impaired links: each impairment acts on real packets, goes in and out of a link that is up, and
//! leaves nothing behind.

use std::process::Command;

use serde_json::Value;

use crate::live::*;

/// The round-trip times of pings, in milliseconds.
fn round_trips(live: &Live, count: &str) -> Vec<f64> {
    let output = live.lab("ping", &["A", "B", "-c", count, "--json"]);
    let tally: Value = serde_json::from_str(&text(&output)).unwrap();
    let times = tally["round_trips_us"].as_array().unwrap().iter();
    times.map(|time| time.as_f64().unwrap() / 1000.0).collect()
}

/// The state of the packets that a port sends.
fn sent_by(live: &Live, port: &str) -> Value {
    let output = live.lab("impair", &["--json"]);
    expect_success(&output);
    let states: Vec<Value> = serde_json::from_str(&text(&output)).unwrap();
    states.into_iter().find(|state| state["from"] == port).unwrap()
}

fn impair(live: &Live, args: &[&str]) {
    expect_success(&live.lab("impair", args));
}

#[test]
fn a_delay_goes_into_a_live_link_and_out_of_it_without_a_lost_packet() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "delay");
    live.expect_pings(&[("A", "B")]);
    let count = |text: &str, word: &str| -> u32 {
        let before = text.split(word).next().unwrap().trim_end();
        before.rsplit([' ', '\n']).next().unwrap().parse().unwrap()
    };
    let flow = live.namespace("A");
    let flow = Command::new("ip")
        .args(["netns", "exec", &flow, "ping", "-q", "-i", "0.01", "-w", "6", "192.168.0.22"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    impair(&live, &["xTR1:Core", "--delay", "30ms", "--jitter", "5ms"]);
    let slow = round_trips(&live, "5");
    assert_eq!(slow.len(), 5);
    assert!(slow.iter().all(|time| *time >= 50.0), "a delay of 25 to 35 ms each way: {slow:?}");
    assert_eq!(sent_by(&live, "Core:eth0")["impairment"], "delay 30ms jitter 5ms");
    impair(&live, &["xTR1:Core", "--delay", "1ms"]);
    impair(&live, &["xTR1:Core", "--clear"]);
    assert_eq!(sent_by(&live, "xTR1:Ethernet0/0")["impairment"], "none");
    let left = live.shell("xTR1", "ip link; tc filter show dev et0-0 egress");
    assert!(!left.contains("impair") && !left.contains("filter"), "{left}");
    let said = String::from_utf8(flow.wait_with_output().unwrap().stdout).unwrap();
    let (sent, received) = (count(&said, "packets transmitted"), count(&said, "received"));
    // The packets that are on the way when the delay ends are overtaken, but not lost. The ping
    // ends before the answers to its last packets.
    assert!(sent > 100 && received + 10 >= sent, "{said}");
}

#[test]
fn loss_and_duplication_are_those_of_one_direction_and_are_counted() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "imp-loss");
    impair(&live, &["xTR1:Core", "--direction", "Core-to-xTR1", "--loss", "50%"]);
    let pings = live.shell("Core", "ping -q -i 0.002 -c 300 -W 1 203.0.113.11 || true");
    assert!(pings.contains("300 packets transmitted"), "{pings}");
    let state = sent_by(&live, "Core:eth0");
    let lost = state["lost"].as_u64().unwrap();
    assert!((90..210).contains(&lost), "half of 300: {state}");
    assert_eq!(sent_by(&live, "xTR1:Ethernet0/0")["sent"], 0);

    impair(&live, &["xTR1:Core", "--duplicate", "100%"]);
    let pings = live.shell("Core", "ping -c 2 -i 0.2 203.0.113.11 || true");
    assert!(pings.contains("(DUP!)") && pings.contains("2 received"), "{pings}");
    assert_eq!(live.ping("A", "B", &["-c", "5"]), "!!!!!");
}

#[test]
fn tcp_passes_an_impaired_link_and_a_rate_bounds_it() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "rate");
    impair(&live, &["xTR1:Core", "--delay", "2ms", "--rate", "20Mbit"]);
    // 500,000 octets need at least 0.2 s at 20 Mbit/s.
    live.shell("B", "nc -l -p 5000 </dev/null >/dev/null 2>&1 & sleep 0.3");
    let took = live.shell(
        "A",
        "start=$(date +%s%N); head -c 500000 /dev/zero | nc -N -w 10 192.168.0.22 5000; \
         echo $((($(date +%s%N) - start) / 1000000))",
    );
    let millis: u64 = took.trim().parse().unwrap();
    assert!(millis >= 150, "{millis} ms");
    let state = sent_by(&live, "xTR1:Ethernet0/0");
    assert!(state["sent"].as_u64().unwrap() > 300, "{state}");
}

#[test]
fn an_impaired_lab_is_gone_after_down_also_if_its_processes_were_killed() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "imp-kill");
    // The mappings are learned before the map-server is cut off.
    assert_eq!(live.ping("A", "B", &["-c", "1"]), "!");
    impair(&live, &["MSMR:Core", "--delay", "1s"]);
    impair(&live, &["xTR1:Core", "--delay", "5ms", "--mtu", "1400"]);
    assert!(live.shell("Core", "ip link show dev eth0").contains("mtu 1400"));
    let pid = std::fs::read_to_string(format!("/run/eidway/{}/link-forwarder.pid", live.name));
    expect_success(&run(Command::new("kill").args(["-KILL", pid.unwrap().trim()])));
    until(LONG, "the end of the forwarder is told", || {
        errors(&live.lab("impair", &[])).contains("has ended")
    });
    // Without the forwarder, the link carries no packets; an end of the impairment repairs it.
    assert_eq!(live.ping("A", "B", &["-c", "1"]), ".");
    impair(&live, &["xTR1:Core", "--clear"]);
    until(LONG, "pings are back", || live.ping("A", "B", &["-c", "1"]) == "!");
    impair(&live, &["xTR1:Core", "--delay", "5ms"]);
    let pid = std::fs::read_to_string(format!("/run/eidway/{}/link-forwarder.pid", live.name));
    expect_success(&run(Command::new("kill").args(["-KILL", pid.unwrap().trim()])));
}
