//! Labs that are brought up, are taken down, and run beside each other.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::live::*;

#[test]
fn two_sites_ping_each_other_and_nothing_is_left() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "pair");
    live.expect_pings(&[("A", "B"), ("B", "A")]);
    let output = live.lab("ping", &["A", "B", "--json"]);
    let tally: serde_json::Value = serde_json::from_str(&text(&output)).expect("JSON");
    assert_eq!((&tally["sent"], &tally["received"]), (&5.into(), &5.into()));
    expect_success(&live.lab("down", &[]));
    assert!(live.remains().is_empty(), "{:?}", live.remains());
}

#[test]
fn a_lab_comes_down_and_up_from_any_half_made_state() {
    if !can_run() {
        return;
    }
    let live = Live::named("half");
    expect_success(&live.lab("down", &[]));

    live.verb("node-add", &["xTR1", "router"]);
    live.verb("node-add", &["Core", "node"]);
    live.verb("link-add", &["xTR1", "et0-0", "Core", "eth0"]);
    expect_success(&live.lab("down", &[]));
    assert!(live.remains().is_empty(), "{:?}", live.remains());

    // An interrupted "ip netns add" leaves a file, but no namespace.
    let stale = format!("/run/netns/eidway-{}-MSMR", live.name);
    fs::write(&stale, "").expect("a file");
    live.verb("node-add", &["switch", "switch"]);
    live.verb("lan-add", &["site1"]);
    expect_success(&eidway(&["lab", "up", "two-sites", "--name", &live.name]));
    live.expect_pings(&[("A", "B")]);

    fs::remove_dir_all(format!("/run/eidway/{}", live.name)).expect("the lab's directory");
    expect_success(&live.lab("down", &[]));
    assert!(live.remains().is_empty(), "{:?}", live.remains());
}

#[test]
fn a_second_up_is_refused_but_remains_are_replaced() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "twice");
    let again = eidway(&["lab", "up", "two-sites", "--name", &live.name]);
    assert!(
        !again.status.success() && errors(&again).contains("is already up"),
        "{}",
        errors(&again)
    );
    for router in ["xTR1", "xTR2", "MSMR"] {
        expect_success(&live.lab("kill", &[router]));
    }
    expect_success(&eidway(&["lab", "up", "two-sites", "--name", &live.name]));
    live.expect_pings(&[("A", "B")]);
}

#[test]
fn an_up_that_fails_says_why_and_leaves_nothing() {
    if !can_run() {
        return;
    }
    let live = Live::named("fail");
    let directory = tempfile::tempdir().expect("a directory");
    let write = |file: &str, text: &str| {
        fs::write(directory.path().join(file), text).expect("a file");
    };
    write("lab.toml", "name = \"x\"\nnodes.r.kind = \"router\"\nnodes.r.config = \"r.conf\"\n");
    // The text is not UTF-8.
    fs::write(directory.path().join("r.conf"), b"hostname \xff\n").expect("a file");
    let path = directory.path().display().to_string();
    let output = eidway(&["lab", "up", &path, "--name", &live.name]);
    let errors = errors(&output);
    assert!(!output.status.success(), "{errors}");
    assert!(errors.contains("r: the router has ended") && errors.contains("r.conf"), "{errors}");
    assert!(live.remains().is_empty(), "{:?}", live.remains());
}

#[test]
fn two_labs_run_side_by_side() {
    if !can_run() {
        return;
    }
    // The name of one lab begins with the name of the other. The command that takes one lab down
    // must not take down both.
    let one = Live::up("two-sites", "side");
    let other = Live { name: format!("{}-b", one.name) };
    expect_success(&eidway(&["lab", "up", "two-sites", "--name", &other.name]));
    one.expect_pings(&[("A", "B")]);
    other.expect_pings(&[("B", "A")]);
    expect_success(&one.lab("down", &[]));
    other.expect_pings(&[("A", "B")]);
}

#[test]
fn a_killed_router_starts_again() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "kill");
    live.expect_pings(&[("A", "B")]);
    expect_success(&live.lab("kill", &["xTR1"]));
    assert_eq!(live.ping("B", "A", &["-c", "1"]), ".");
    expect_success(&live.lab("start", &["xTR1"]));
    live.expect_pings(&[("A", "B"), ("B", "A")]);
}

#[test]
fn a_map_server_that_was_restarted_is_waited_for_until_it_knows_its_sites_again() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "again");
    let mut restart = Command::new(env!("CARGO_BIN_EXE_eidway"))
        .args(["lab", "restart", &live.name, "MSMR"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut said = BufReader::new(restart.stderr.take().expect("a pipe")).lines();
    let mut hear = || said.next().expect("it goes on").expect("text");
    while !hear()
        .contains("not yet registered: 172.16.0.0/24 of xTR1, 2001:db8:a::/64 of xTR1, 192.")
    {}
    assert!(restart.try_wait().expect("a child").is_none(), "it ended before all is registered");
    // An ETR registers when it starts. It does not wait for its next period of a minute.
    for router in ["xTR1", "xTR2"] {
        expect_success(&live.lab("restart", &[router]));
    }
    assert!(restart.wait().expect("an end").success());
    live.expect_pings(&[("A", "B"), ("B", "A")]);
}

#[test]
fn a_missing_ping_is_named_with_its_package_and_is_no_loss() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "noping");
    let programs = tempfile::tempdir().expect("a directory");
    let path = std::env::var("PATH").expect("a path");
    for entry in path.split(':').filter_map(|place| fs::read_dir(place).ok()).flatten().flatten() {
        if entry.file_name() != "ping" {
            // A program of the same name may be in two directories.
            let _ = symlink(entry.path(), programs.path().join(entry.file_name()));
        }
    }
    let scenario = programs.path().join("one.scenario");
    fs::write(&scenario, "title \"one\"\nping A B expect 5\n").expect("a file");
    let (name, scenario) = (live.name.as_str(), scenario.display().to_string());
    for args in [
        &["ping", name, "A", "B"][..],
        &["pingall", name],
        &["move", name, "A", "--to", "xTR2", "--anyway"],
        &["exec", name, "A", "--", "ping", "-c", "1", "172.16.0.1"],
        &["run", "two-sites", &scenario],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
        command.arg("lab").args(args).env("PATH", programs.path());
        let output = run(command.current_dir("/"));
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let missing =
            "the program ping is missing on this machine: run `apt-get install iputils-ping`";
        assert!(errors(&output).contains(missing), "{args:?}: {}", errors(&output));
        assert_eq!(text(&output), "", "{args:?}");
    }
}

#[test]
fn an_up_with_a_wrong_key_prints_the_map_servers_reason() {
    if !can_run() {
        return;
    }
    let live = Live::named("wrongkey");
    let directory = tempfile::tempdir().expect("a directory");
    for entry in fs::read_dir("lab/two-sites").expect("the lab").flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let text = match entry.file_name() == "xTR2.conf" {
            true => text.replacen("key msmr-key", "key msmr-kay", 1),
            false => text,
        };
        fs::write(directory.path().join(entry.file_name()), text).expect("a file");
    }
    let path = directory.path().display().to_string();
    let output = eidway(&["lab", "up", &path, "--name", &live.name]);
    let errors = errors(&output);
    assert!(!output.status.success(), "{errors}");
    let reason = "  MSMR refuses Map-Register for 192.168.0.0/24 of site SITE_2 from 198.51.100.21 \
                  (xTR2): the message is signed with another key";
    assert!(errors.contains(reason), "{errors}");
    assert!(live.remains().is_empty(), "{:?}", live.remains());
}
