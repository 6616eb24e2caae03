//! The data path of the routers of a lab: the choice of `lab up`, and the data that consoles show.

use serde_json::Value;

use crate::live::*;

/// The JSON of `show ip lisp fast-path`.
fn fast_path(live: &Live, router: &str) -> Value {
    serde_json::from_str(&live.console(router, &["show ip lisp fast-path json"])).unwrap()
}

#[test]
fn in_the_kernel_the_console_counts_flows_and_packets_also_after_a_restart() {
    if !can_run() {
        return;
    }
    let live = Live::up_in("two-sites", "path-kern", &["--data-path", "kernel"]);
    expect_success(&live.lab("restart", &["xTR1"]));
    live.expect_pings(&[("A", "B")]);
    let view = fast_path(&live, "xTR1");
    assert_eq!(view["in_use"], true, "{view}");
    for direction in ["outbound", "inbound"] {
        let counts = &view["counts"][direction];
        let at_least = |field: &str, least| counts[field].as_u64().unwrap() >= least;
        assert!(at_least("flows", 2) && at_least("hits", 4), "{direction}: {view}");
    }
    let text = live.console("xTR1", &["show ip lisp", "show ipv6 lisp fast-path"]);
    assert!(text.contains("  Data path:                                kernel for known flows"));
    assert!(text.contains("LISP fast path: in use\n"), "{text}");
    let text = live.console("xTR1", &["debug lisp forwarding", "show ip lisp fast-path"]);
    assert!(text.contains("LISP fast path: not in use: debugging"), "{text}");
}

#[test]
fn in_user_space_the_console_says_why_also_after_a_restart() {
    if !can_run() {
        return;
    }
    let live = Live::up_in("two-sites", "path-user", &["--data-path", "user"]);
    expect_success(&live.lab("restart", &["xTR1"]));
    live.expect_pings(&[("A", "B")]);
    let view = fast_path(&live, "xTR1");
    assert_eq!(view["reason"], "because of the option --data-path", "{view}");
    assert!(view["counts"].is_null(), "{view}");
    let text = live.console("xTR1", &["show ip lisp"]);
    assert!(text.contains("process (because of the option --data-path)\n"), "{text}");
}
