//! A router that has no free file descriptor: its clients wait, and the router continues to work.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use crate::live::*;

/// The number of descriptors that are free for clients.
const FREE: usize = 3;
/// An event that takes longer than this counts as absent.
const A_WHILE: Duration = Duration::from_secs(1);

#[test]
fn clients_wait_for_a_free_descriptor_and_the_router_does_not_spin() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "fds");
    let pid: i32 = live.processes("MSMR").trim().parse().unwrap();
    let open = || open_files(pid).len();
    assert_eq!(figures(&live)["limit"].as_u64(), hard_limit(pid), "it was raised at the start");
    until(LONG, "the console's client has gone", || {
        open() == {
            thread::sleep(A_WHILE);
            open()
        }
    });
    // The kernel limits the numbers of descriptors, not their count. With this limit, [`FREE`]
    // numbers are free.
    let numbers = open_files(pid);
    let current = (0..).filter(|number| !numbers.contains(number)).nth(FREE).map(|n| n as u64);
    let limit = Rlimit { current, maximum: hard_limit(pid) };
    prlimit(Pid::from_raw(pid), Resource::Nofile, limit).unwrap();
    let connect = || UnixStream::connect(format!("/run/eidway/{}/MSMR.sock", live.name)).unwrap();
    let mut holders: Vec<UnixStream> = (0..FREE).map(|_| connect()).collect();
    holders.iter_mut().for_each(|holder| ask(holder).unwrap());

    let mut on_console = connect();
    let from_core = || TcpStream::connect("209.165.201.31:4342").unwrap();
    let mut on_tcp = live.inside("Core", from_core);
    on_tcp.set_read_timeout(Some(A_WHILE)).unwrap();
    let before = busy(pid);
    assert_eq!(ask(&mut on_console).unwrap_err().kind(), ErrorKind::WouldBlock, "it waits");
    assert_eq!(on_tcp.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "it waits");
    assert!(busy(pid) - before < 50, "ticks of 10 ms in two seconds");
    live.expect_pings(&[("A", "B")]);

    drop(holders.pop());
    assert!(answer(&mut on_console).is_ok(), "it was served when one was free");
    drop(holders.pop());
    // The router accepts no session from an address without a registration, so it closes the
    // connection.
    until(LONG, "it was served too", || {
        !on_tcp.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    });
    drop(holders);
    assert!(figures(&live)["ran_out"].as_u64() >= Some(2), "at each listener");
}

/// Returns the numbers of the open descriptors of a process, in ascending order.
fn open_files(pid: i32) -> Vec<usize> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut numbers: Vec<usize> =
        entries.map(|entry| name(entry).to_str().unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

/// Returns the largest limit that a process may set for itself. `None` means that there is no
/// limit.
fn hard_limit(pid: i32) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    files.split_whitespace().nth(4).unwrap().parse().ok()
}

/// A request, and the first octets of its answer.
fn ask(client: &mut UnixStream) -> std::io::Result<()> {
    client.write_all(b"{\"line\":\"show clock\"}\n").unwrap();
    client.set_read_timeout(Some(A_WHILE)).unwrap();
    answer(client)
}

fn answer(client: &mut UnixStream) -> std::io::Result<()> {
    let len = client.read(&mut [0; 4096])?;
    assert!(len > 0, "it was closed");
    Ok(())
}

fn figures(live: &Live) -> Value {
    let text = live.console("MSMR", &["show ip lisp statistics json"]);
    serde_json::from_str::<Value>(&text).unwrap()["descriptors"].clone()
}

/// Processor time of a process so far, in ticks.
fn busy(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.split(' ').skip(13).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
