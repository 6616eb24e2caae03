//! Changes by hand in the namespace of a running router. `tests/kernels` has many such changes for
//! a core and a kernel. The changes here concern the whole process, because the process holds
//! `lisp0` open.

use std::time::Duration;

use crate::live::*;

/// The time limit. It is enough on a busy machine, and shorter than the 30 s after which the router
/// restores an object that vanishes again and again.
const SOON: Duration = Duration::from_secs(8);

#[test]
fn what_a_hand_does_to_lisp0_is_undone() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "lisp0");
    live.expect_pings(&[("A", "B")]);
    for hand in [
        "ip link del lisp0",
        "ip link set lisp0 down",
        "ip link set lisp0 down && ip link set lisp0 name other",
        "ip link set lisp0 mtu 1200",
        "ip link set lisp0 group 0",
        "sysctl -qw net.ipv4.conf.lisp0.accept_local=0",
    ] {
        let state = "ip -o -d link show dev lisp0 | cut -d: -f2-; ip route show table main; \
                     ip -6 route show table main; cat /proc/sys/net/ipv4/conf/lisp0/accept_local";
        let before = live.shell("xTR1", state);
        live.shell("xTR1", hand);
        until(SOON, hand, || live.shell("xTR1", &format!("{state} 2>&1 || true")) == before);
        until(SOON, hand, || live.ping("A", "B", &["-c", "1"]) == "!");
        assert!(!live.shell("xTR1", "ip link").contains("other"), "no second device");
    }
    live.expect_pings(&[("A", "B"), ("B", "A")]);
}

#[test]
fn a_port_that_a_hand_sets_down_stays_down_and_is_shown() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "hand");
    live.expect_pings(&[("A", "B")]);
    expect_success(&live.lab("link", &["xTR1:Ethernet1/0", "down"]));
    let show = || live.console("xTR1", &["show interfaces ethernet 1/0"]);
    let by_hand = "Ethernet1/0 is down (set down by hand), line protocol is down";
    until(SOON, "it is shown", || show().contains(by_hand));
    // The router restores the other objects of the port. This does not set the port up.
    live.shell("xTR1", "ip address flush dev et1-0");
    let addresses = || live.shell("xTR1", "ip -o address show dev et1-0");
    until(SOON, "its addresses are back", || addresses().matches("scope global").count() == 2);
    assert!(show().contains(by_hand));
    // The default route cannot have the address of this port as its source now. The router makes
    // the route again without it.
    live.shell("xTR1", "ip link del lisp0");
    let routes = || live.shell("xTR1", "ip route show table main");
    until(SOON, "the default is back", || routes().contains("default dev lisp0"));
    expect_success(&live.lab("link", &["xTR1:Ethernet1/0", "up"]));
    until(SOON, "it is up", || show().contains("Ethernet1/0 is up, line protocol is up"));
    until(LONG, "pings are back", || live.ping("A", "B", &["-c", "1"]) == "!");
}
