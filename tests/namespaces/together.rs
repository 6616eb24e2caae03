//! Several labs, and several commands on one lab, at the same time.

use std::process::Output;
use std::thread;

use crate::live::*;

/// Runs the calls at the same time and returns their outputs in the same order.
fn at_once(calls: &[Vec<&str>]) -> Vec<Output> {
    thread::scope(|scope| {
        let started: Vec<_> = calls.iter().map(|call| scope.spawn(|| eidway(call))).collect();
        started.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

#[test]
fn thirty_commands_on_one_lab_at_once_all_give_their_answer() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "thirty");
    let name = live.name.as_str();
    let router = format!("{name}/xTR1");
    let kinds: [(&[&str], &str); 6] = [
        (&["lab", "exec", name, "A", "--", "ip", "-4", "address", "show", "eth0"], "172.16.0.12"),
        (&["lab", "ping", name, "A", "B"], "!!!!!"),
        (&["lab", "status", name], "6 of 6 nodes up"),
        (&["lab", "show", name], "203.0.113.11/24"),
        (&["lab", "explain", name, "A", "B"], "192.168.0.22"),
        (&["console", &router, "-c", "show ip lisp database"], "172.16.0.0/24"),
    ];
    // The first packets would wait for a mapping.
    live.expect_pings(&[("A", "B")]);
    let calls: Vec<(Vec<&str>, &str)> =
        kinds.iter().cycle().take(30).map(|(args, words)| (args.to_vec(), *words)).collect();
    let args: Vec<Vec<&str>> = calls.iter().map(|(args, _)| args.clone()).collect();
    for (output, (args, words)) in at_once(&args).iter().zip(&calls) {
        let said = format!("{args:?}: {}{}", text(output), errors(output));
        assert!(output.status.success() && text(output).contains(words), "{said}");
    }
}

#[test]
fn two_ups_of_one_name_at_once_give_one_lab_and_one_clear_error() {
    if !can_run() {
        return;
    }
    let live = Live::named("once");
    let up = vec!["lab", "up", "two-sites", "--name", &live.name];
    let outputs = at_once(&[up.clone(), up]);
    let (up, refused): (Vec<&Output>, Vec<&Output>) =
        outputs.iter().partition(|output| output.status.success());
    assert_eq!((up.len(), refused.len()), (1, 1), "{outputs:?}");
    let said = errors(refused[0]);
    let expected = format!("eidway: lab {} is already up: look at it with", live.name);
    assert!(said.contains(&expected), "{said}");
    // The refused command has changed nothing.
    live.expect_pings(&[("A", "B"), ("B", "A")]);
    expect_success(&live.lab("status", &[]));
}

#[test]
fn a_lab_does_not_use_the_files_of_another_lab_that_is_up() {
    if !can_run() {
        return;
    }
    let first = Live::up("two-sites", "first");
    let second = Live::named("second");
    expect_success(&eidway(&["lab", "up", &first.name, "--name", &second.name]));
    expect_success(&first.lab("down", &[]));
    expect_success(&second.lab("restart", &["xTR1"]));
    second.expect_pings(&[("A", "B"), ("B", "A")]);
}
