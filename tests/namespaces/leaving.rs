//! Routers and labs that end leave nothing behind.

use std::process::Command;

use crate::live::*;

/// A script that prints the rules, routes, addresses and devices of a namespace, except those that
/// the kernel makes by itself.
const KERNEL_STATE: &str = "ip rule; ip -6 rule; ip -4 route show table all; \
     ip -6 route show table all | grep -v -e fe80: -e ff00: -e '^anycast'; \
     ip -br address | sed 's/fe80:[^ ]*//'";

#[test]
fn a_stopped_router_leaves_its_kernel_as_it_was() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "stop");
    live.expect_pings(&[("A", "B")]);
    expect_success(&live.lab("stop", &["xTR1"]));
    expect_pristine(&live, "xTR1");

    // A killed router cannot clean up. Its process and its device are gone, and the next start
    // takes over the other objects.
    expect_success(&live.lab("start", &["xTR1"]));
    expect_success(&live.lab("kill", &["xTR1"]));
    let state = live.shell("xTR1", KERNEL_STATE);
    assert!(!state.contains("dev lisp0") && !state.contains("\nlisp0"), "{state}");
    expect_success(&live.lab("start", &["xTR1"]));
    live.expect_pings(&[("A", "B"), ("B", "A")]);
    expect_success(&live.lab("stop", &["xTR1"]));
    expect_pristine(&live, "xTR1");
}

/// Checks that the namespace has only the rules, routes and addresses of every namespace, and no
/// `lisp0`.
fn expect_pristine(live: &Live, node: &str) {
    let state = live.shell(node, KERNEL_STATE);
    let is_default = |line: &str| {
        let plain_rule = ["0:", "32766:", "32767:"].iter().any(|rule| line.starts_with(rule));
        let loopback = line.contains("127.") || line.contains("::1 ") || line.starts_with("lo ");
        let bare_device = line.starts_with("et") && line.split_whitespace().count() == 2;
        plain_rule || loopback || bare_device
    };
    let left: Vec<&str> = state.lines().filter(|line| !is_default(line)).collect();
    assert!(left.is_empty(), "{left:#?}");
    let processes = live.processes(node);
    assert!(processes.is_empty(), "{processes}");
}

#[test]
fn a_deleted_interface_takes_its_routes_along() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "gone");
    live.expect_pings(&[("B", "A"), ("B", "C")]);
    live.verb("link-del", &["xTR1", "et1-0"]);
    until(LONG, "no route to the EID prefix", || {
        let database = live.console("xTR1", &["show ip lisp database"]);
        database.contains("172.16.0.0/24, locator-set set1 *** NO ROUTE TO EID PREFIX ***")
    });
    let state = live.shell("xTR1", KERNEL_STATE);
    let left: Vec<&str> = state.lines().filter(|line| line.contains("et1-0")).collect();
    assert!(left.is_empty(), "{left:#?}");
    expect_success(&live.lab("status", &[]));
}

#[test]
fn the_sites_other_lans_live_on_without_a_deleted_interface() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "rest");
    live.verb("link-del", &["xTR1", "et1-0"]);
    until(LONG, "C reaches B", || live.ping("C", "B", &["-c", "1"]) == "!");
    live.expect_pings(&[("C", "B"), ("B", "C")]);
}

#[test]
fn a_lab_that_comes_down_leaves_the_machine_as_it_was() {
    if !can_run() {
        return;
    }
    let machine = || {
        let script = "ip -br link; ip rule; ip -6 rule; ip route show table all | grep -v cache";
        text(&run(Command::new("sh").args(["-c", script])))
    };
    let before = machine();
    let live = Live::up("gsmr", "down");
    live.expect_pings(&[("B", "A")]);
    assert_eq!(
        machine(),
        before,
        "a lab that is up has no link, rule or route outside its namespaces"
    );
    expect_success(&live.lab("kill", &["xTR1"]));
    expect_success(&live.lab("down", &[]));
    assert!(live.remains().is_empty(), "{:?}", live.remains());
    assert_eq!(machine(), before);
}
