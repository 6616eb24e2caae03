//! Tests of the rules for lab files. Each test has a file that breaks one rule.

use std::time::Duration;

use super::*;

const TINY: &str = r#"
name = "tiny"

[nodes.xTR1]
kind = "router"
config = "xTR1.conf"

[nodes.Core]
kind = "node"
addresses.eth0 = ["203.0.113.1/24"]
routes = { "198.51.100.0/24" = "203.0.113.11" }

[nodes.A]
kind = "host"
addresses = ["172.16.0.12/24", "2001:db8:a::12/64"]
gateways = ["172.16.0.1"]
mac = "02:00:00:00:00:0a"

[[links]]
endpoints = ["xTR1:e0/0", "Core:eth0"]
delay = "20ms"
loss = "2.5%"
rate = "10Mbit"

[[lans]]
name = "site"
ports = ["A:eth0", "xTR1:Ethernet1/0"]
"#;

fn with(from: &str, to: &str) -> Result<LabFile, LabError> {
    assert!(TINY.contains(from), "the lab has no {from:?}");
    LabFile::parse("lab.toml", &TINY.replacen(from, to, 1))
}

fn refusal(from: &str, to: &str) -> String {
    with(from, to).expect_err("the lab file is wrong").to_string()
}

#[test]
fn a_lab_file_means_what_it_says() {
    let lab = LabFile::parse("lab.toml", TINY).unwrap();
    assert_eq!(lab.name, "tiny");
    assert_eq!(lab.routers().collect::<Vec<_>>(), [("xTR1", "xTR1.conf")]);
    let link = &lab.links[0];
    assert_eq!(link.ends[0].to_string(), "xTR1:Ethernet0/0");
    assert_eq!(link.ends[0].device, "et0-0");
    assert_eq!(link.impairment.delay, Duration::from_millis(20));
    assert_eq!(link.impairment.loss, 2.5);
    assert_eq!(link.impairment.rate.map(|rate| rate.bits()), Some(10_000_000));
    let (name, host) = lab.hosts().next().unwrap();
    assert_eq!((name, host.device.as_str()), ("A", "eth0"));
    assert_eq!(host.address(Family::Ipv6), "2001:db8:a::12".parse().ok());
    assert_eq!(host.gateway(Family::Ipv6), None);
    assert_eq!(host.mac.unwrap().to_string(), "02:00:00:00:00:0a");
    assert_eq!(lab.lans[0].ports[1].switch_device(), "xTR1.et1-0");
    assert_eq!(lab.ports().count(), 4);
}

#[test]
fn the_labs_of_the_project_are_right() {
    for (path, text) in [
        ("gsmr", include_str!("../../../lab/gsmr/lab.toml")),
        ("two-sites", include_str!("../../../lab/two-sites/lab.toml")),
    ] {
        let lab = LabFile::parse(path, text).unwrap();
        assert_eq!(lab.name, path);
    }
}

#[test]
fn an_error_shows_file_line_and_caret() {
    let expected = r#"the lab has no node "Z"
  --> lab.toml:27:10
   |
27 | ports = ["Z:eth0", "xTR1:Ethernet1/0"]
   |          ^^^^^^^^ unknown node"#;
    assert_eq!(refusal("\"A:eth0\"", "\"Z:eth0\""), expected);
}

#[test]
fn a_syntax_error_shows_its_place_too() {
    let expected = r#"unknown variant `hots`, expected one of `router`, `node`, `host`
  --> lab.toml:14:8
   |
14 | kind = "hots"
   |        ^^^^^^"#;
    assert_eq!(refusal("kind = \"host\"", "kind = \"hots\""), expected);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let cases = [
        ("\"A:eth0\"", "\"Core:eth0\"", "the port Core:eth0 is used twice"),
        ("\"Core:eth0\"]", "\"xTR1:Ethernet0/0\"]", "used twice"),
        ("\"xTR1:Ethernet1/0\"", "\"xTR1:wan1\"", "is not an interface"),
        ("\"xTR1:Ethernet1/0\"", "\"xTR1\"", "is not a port"),
        ("\"A:eth0\", ", "", "a host must have exactly one link, but A has 0"),
        ("\"A:eth0\"", "\"A:ethernet-of-host-a\"", "Linux allows 15"),
        ("name = \"site\"", "name = \"a-site-of-a-lab-x\"", "Linux allows 15"),
        ("name = \"tiny\"", "name = \"../tiny\"", "is not a valid name for a lab"),
        ("[nodes.A]", "[nodes.a-b]", "is not a valid name for a node"),
        ("[nodes.A]", "[nodes.switch]", "is not a valid name for a node"),
        ("config = \"xTR1.conf\"", "", "the router xTR1 has no config"),
        ("gateways = [\"172.16.0.1\"]", "gateways = [\"10.0.0.1\", \"10.0.0.2\"]", "one gateway"),
        ("mac = \"02:", "mac = \"03:", "is not an Ethernet address"),
        ("addresses.eth0", "addresses.eth9", "the device Core:eth9 has no link"),
        ("mac = ", "run = [\" \"]\nmac = ", "a program must have a command"),
        ("mac = ", "run = [\"x\"]\nemulated = true\nmac = ", "cannot run programs"),
        ("config = \"xTR1.conf\"", "config = \"x\"\nrun = [\"x\"]", "can have the key run"),
        ("loss = \"2.5%\"", "loss = 101", "a percentage from 0% to 100% is expected"),
        ("loss = \"2.5%\"", "loss = \"-1%\"", "a percentage from 0% to 100% is expected"),
        ("delay = \"20ms\"", "delay = 20", "invalid type: integer `20`"),
        ("delay = \"20ms\"", "delay = \"-20ms\"", "a time from 0ms to 60s is expected"),
        ("delay = \"20ms\"", "reorder = \"5%\"", "reorder is possible only with a delay"),
        ("loss = \"2.5%\"", "mtu = 500", "an MTU must be from 1280 to 9216 octets"),
        ("loss = \"2.5%\"", "lost = 2.5", "unknown field `lost`"),
        (
            "config = \"xTR1.conf\"",
            "config = \"x\"\nmac = \"\"",
            "only a host can have the key mac",
        ),
    ];
    for (from, to, expected) in cases {
        let error = refusal(from, to);
        assert!(error.contains(expected), "{to}: expected {expected:?} in\n{error}");
        assert!(error.contains("lab.toml:"), "{to}: no place in\n{error}");
    }
}
