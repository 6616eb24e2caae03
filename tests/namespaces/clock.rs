//! An xTR whose clock was set back while it was down. A namespace has no clock of its own. So the
//! test makes the nonces of the xTR's earlier run later than the clock. They would also be later if
//! the clock was set back.

use std::fs;
use std::time::Duration;

use crate::live::*;

/// Registers are sent after 0, 1, 3 and 7 s while there is no answer.
const SOON: Duration = Duration::from_secs(4);

fn is_registered(live: &Live) -> bool {
    live.console("xTR1", &["show lisp session"]).contains("established: 1")
}

fn log(live: &Live) -> String {
    fs::read_to_string(format!("/run/eidway/{}/xTR1.log", live.name)).unwrap()
}

#[test]
fn an_xtr_registers_after_its_clock_was_set_back_with_and_without_its_nonces() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "clock");
    until(LONG, "registered by TCP", || is_registered(&live));
    let path = format!("/run/eidway/{}/xTR1.nonces", live.name);
    expect_success(&live.lab("kill", &["xTR1"]));
    let text = fs::read_to_string(&path).unwrap();
    let sent = text.lines().find_map(|line| line.strip_prefix("sent ")).unwrap();
    let an_hour_ahead = u64::from_str_radix(sent, 16).unwrap() + 3_600_000_000;
    fs::write(&path, text.replace(sent, &format!("{an_hour_ahead:016x}"))).unwrap();
    // With the file, the xTR continues from the last nonce, and the map-server then remembers such
    // a nonce.
    expect_success(&live.lab("start", &["xTR1"]));
    until(SOON, "registered with the kept nonce", || is_registered(&live));
    assert!(log(&live).contains("s behind the time in the last nonce"), "{}", log(&live));
    // Without the file, the xTR begins with the time of its clock. It is refused until it has
    // raised its nonces.
    expect_success(&live.lab("kill", &["xTR1"]));
    fs::remove_file(&path).unwrap();
    expect_success(&live.lab("start", &["xTR1"]));
    until(SOON, "refused", || live.console("MSMR", &["show lisp refusals"]).contains("its nonce"));
    assert!(!is_registered(&live));
    until(Duration::from_secs(20), "registered with raised nonces", || is_registered(&live));
    assert_eq!(log(&live).matches("raises its nonces by 71 minutes").count(), 1, "{}", log(&live));
    live.expect_pings(&[("A", "B"), ("B", "A")]);
}
