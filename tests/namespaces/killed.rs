//! Commands that are killed while they build a lab, and commands that wait for other commands.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::live::*;

/// The times at which `lab up` is killed, in milliseconds after its start. It needs half a second
/// in all.
const INSTANTS: [u64; 7] = [20, 60, 110, 170, 250, 350, 500];
/// If a verb continued to run, it would make a namespace within this time.
const WHILE: Duration = Duration::from_millis(300);

fn up(live: &Live) -> Child {
    let mut up = Command::new(env!("CARGO_BIN_EXE_eidway"));
    up.args(["lab", "up", "two-sites", "--name", &live.name]).current_dir("/");
    up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn after_an_up_that_was_killed_down_leaves_nothing_and_nothing_comes_later() {
    if !can_run() {
        return;
    }
    let live = Live::named("killed");
    let mut cut_short = 0;
    for instant in INSTANTS.map(Duration::from_millis) {
        let mut up = up(&live);
        std::thread::sleep(instant);
        up.kill().unwrap();
        cut_short += usize::from(!up.wait().unwrap().success());
        expect_success(&live.lab("down", &[]));
        let remains = live.remains();
        assert!(remains.is_empty(), "killed after {instant:?}, then down: {remains:?}");
        std::thread::sleep(WHILE);
        let remains = live.remains();
        assert!(remains.is_empty(), "killed after {instant:?}, later: {remains:?}");
    }
    assert!(cut_short > 0, "no up was cut short");
    // The name of the killed lab can be used again.
    expect_success(&eidway(&["lab", "up", "two-sites", "--name", &live.name]));
    live.expect_pings(&[("A", "B")]);
}

#[test]
fn an_up_that_is_interrupted_takes_down_what_it_has_built() {
    if !can_run() {
        return;
    }
    let live = Live::named("interrupt");
    let mut interrupted = 0;
    for (instant, signal) in INSTANTS.into_iter().zip([Signal::TERM, Signal::INT].iter().cycle()) {
        let mut up = up(&live);
        std::thread::sleep(Duration::from_millis(instant));
        kill_process(Pid::from_child(&up), *signal).unwrap();
        // It may be up already.
        if up.wait().unwrap().success() {
            expect_success(&live.lab("down", &[]));
        } else {
            interrupted += 1;
        }
        assert!(live.remains().is_empty(), "{signal:?} after {instant} ms: {:?}", live.remains());
    }
    assert!(interrupted > 0, "no up was interrupted");
}

#[test]
fn who_waits_for_the_lock_says_so_and_ends_when_asked() {
    if !can_run() {
        return;
    }
    // The commands have their own /run, so that no other test has to wait.
    let script = r#"
        mount -t tmpfs -o mode=755 tmpfs /run
        install -D -m 600 /dev/null /run/eidway/.lock
        exec 7>>/run/eidway/.lock
        flock 7
        "$@" 7>&- 2>/run/said &
        until grep waiting /run/said; do kill -0 $!; sleep 0.02; done
        kill -"$SIGNAL" $!
        status=0
        wait $! || status=$?
        cat /run/said
        exit $status"#;
    for signal in ["TERM", "INT"] {
        for verb in [&["up", "two-sites", "--name", "t-wait"][..], &["down", "t-wait"]] {
            let mut waiting = Command::new("timeout");
            waiting.args(["20", "unshare", "--mount", "--net", "bash", "-ec", script, "x"]);
            waiting.args([env!("CARGO_BIN_EXE_eidway"), "lab"]).args(verb).env("SIGNAL", signal);
            let output = run(waiting.current_dir("/"));
            let said = text(&output) + &errors(&output);
            assert_eq!(output.status.code(), Some(1), "{verb:?}, {signal}: {said}");
            for words in [
                "waiting for another process; that process holds the lock /run/eidway/.lock",
                "interrupted",
            ] {
                assert!(said.contains(words), "{verb:?}, {signal}: {said}");
            }
        }
    }
}

#[test]
fn a_second_router_in_a_node_names_the_first_and_takes_nothing_from_it() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "second");
    let state = "ip rule; ip -6 rule; ip route show table all; ip -6 route show table main";
    let before = live.shell("xTR1", state);
    let first = live.processes("xTR1").trim().to_owned();
    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&config, "hostname other\n").unwrap();
    let path = config.path().display().to_string();
    let router = ["--", env!("CARGO_BIN_EXE_eidway"), "router", &path];
    let output = live.lab("exec", &[&["xTR1"], &router[..]].concat());
    let said = errors(&output);
    assert!(!output.status.success(), "{said}");
    let words = format!("process {first}, which is the router of this network namespace");
    assert!(said.contains(&words) && said.contains("/run/eidway/.router-"), "{said}");
    assert_eq!(live.shell("xTR1", state), before);
    live.expect_pings(&[("A", "B")]);
    // A killed router does not prevent this.
    expect_success(&live.lab("kill", &["xTR1"]));
    expect_success(&live.lab("start", &["xTR1"]));
    live.expect_pings(&[("A", "B")]);
}
