//! Emulated hosts in namespaces. They answer and move like real hosts.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;

use crate::live::{text as text_of, *};

/// A connection from N to a port of 10.10.10.10.
fn connect(live: &Live, port: u16) -> TcpStream {
    let to: SocketAddr = ([10, 10, 10, 10], port).into();
    let stream = live.inside("N", || TcpStream::connect_timeout(&to, LONG)).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// The page that N gets of 10.10.10.10.
fn page(live: &Live) -> String {
    let mut stream = connect(live, 80);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: c\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn echoed(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"hello")?;
    let mut octets = [0; 5];
    stream.read_exact(&mut octets)?;
    assert_eq!(&octets, b"hello");
    Ok(())
}

/// A lab in which 10.10.10.10 may be at the routers of both sites, with the same gateway.
fn where_c_roams(test: &str) -> Live {
    let live = Live::up_in("gsmr", test, &["--with", "roaming-c"]);
    for (gateway, options) in [("10.10.10.1", &["-c", "1"][..]), ("2001:db8:a10::1", &["-c", "1"])]
    {
        until(LONG, "C finds its gateway", || live.ping("C", gateway, options) == "!");
    }
    expect_at(&live, "xTR1", "203.0.113.11");
    live
}

fn expect_at(live: &Live, router: &str, rloc: &str) {
    until(LONG, &format!("10.10.10.10 is at {router}"), || {
        let database = live.console(router, &["show ip lisp database"]);
        let site = live.console("NewMSMR", &["show lisp site"]);
        let registered = |line: &str| line.contains(rloc) && line.contains("10.10.10.10/32");
        database.contains("10.10.10.10/32, dynamic-eid ROAM") && site.lines().any(registered)
    });
}

#[test]
fn a_reload_ends_in_the_startup_configuration_in_the_same_process_and_keeps_the_emulated_hosts() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "reload");
    let pid = || {
        let status = text_of(&live.lab("status", &[]));
        let line = status.lines().find(|line| line.starts_with("xTR1 ")).map(str::to_owned);
        line.and_then(|line| line.split_whitespace().nth(3).map(str::to_owned))
    };
    let before = pid();
    let write = "show running-config | redirect flash:kept";
    let lines = ["configure terminal", "interface Loopback9", "end", write, "reload", "no"];
    let said = live.console("xTR1", &lines);
    let question = "System configuration has been modified. Save? [yes/no]: \n";
    assert!(said.ends_with(&format!("{question}\n***\n*** --- SHUTDOWN NOW ---\n***\n")), "{said}");
    let answers = || {
        let place = format!("{}/xTR1", live.name);
        let output = eidway(&["console", &place, "-c", "show running-config"]);
        output.status.success() && !text_of(&output).contains("Loopback9")
    };
    until(LONG, "the router is back", answers);
    assert!(before.is_some() && pid() == before, "{before:?}");
    until(LONG, "C is back", || live.ping("C", "B", &["-c", "1"]) == "!");
    live.expect_pings(&[("B", "C"), ("A", "B")]);
    let said = live.console("xTR1", &["reload"]);
    assert!(!said.contains("Save?"), "emulated hosts are no change: {said}");
    until(LONG, "the router is back again", answers);
    until(LONG, "C is back again", || live.ping("C", "B", &["-c", "1"]) == "!");
    // The file is in the folder of the router, for root alone, and stays over a restart.
    let folder = format!("/run/eidway/{}/xTR1.flash", live.name);
    for (path, mode) in [(folder.clone(), 0o700), (folder + "/kept", 0o600)] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{path}");
    }
    let lines = ["configure replace flash:kept", "show running-config | include Loopback"];
    let said = live.console("xTR1", &lines);
    assert_eq!(said, "Total number of passes: 1\nRollback Done\ninterface Loopback9\n");
    live.expect_pings(&[("C", "B")]);
}

#[test]
fn an_emulated_host_is_reached_through_lisp_and_moves_as_a_real_one() {
    if !can_run() {
        return;
    }
    let live = where_c_roams("emul");
    live.expect_pings(&[("C", "B"), ("B", "C"), ("N", "C"), ("C", "D"), ("D", "N")]);
    let text = page(&live);
    for part in ["200 OK", "Host C", "address 10.10.10.10/24", "router 10.10.10.1"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    let refused = live.lab("exec", &["C", "--", "true"]);
    assert!(errors(&refused).contains("host C is emulated: it runs inside the process of xTR1"));

    let mac = mac_of_c(&live, "xTR1");
    let mut before = connect(&live, 7);
    echoed(&mut before).unwrap();
    expect_success(&live.lab("move", &["C", "--to", "xTR2"]));
    expect_at(&live, "xTR2", "198.51.100.21");
    assert!(live.console("xTR1", &["show emulated-hosts"]).lines().all(|l| !l.starts_with("C ")));
    assert_eq!(mac_of_c(&live, "xTR2"), mac, "it keeps its hardware address");
    until(LONG, "N reaches C", || live.ping("N", "C", &["-c", "1"]) == "!");
    assert_eq!(live.ping("C", "N", &[]), "!!!!!");
    assert!(echoed(&mut before).is_err(), "a TCP connection does not move");
    echoed(&mut connect(&live, 7)).unwrap();
    assert!(page(&live).contains("Host C"));

    let output = live.lab("move", &["C", "--to", "xTR1:Ethernet2/0"]);
    expect_success(&output);
    println!("home again: {}", text_of(&output));
    expect_at(&live, "xTR1", "203.0.113.11");
}

fn mac_of_c(live: &Live, router: &str) -> String {
    let shown = live.console(router, &["show emulated-hosts"]);
    let row = shown.lines().find(|line| line.starts_with("C ")).unwrap_or_default();
    row.split_whitespace().nth(3).unwrap_or_default().to_owned()
}

#[test]
fn an_emulated_host_comes_back_with_its_router_and_follows_its_cable() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "emulup");
    expect_success(&live.lab("restart", &["xTR1"]));
    until(LONG, "C is back", || live.ping("C", "10.10.10.1", &["-c", "1"]) == "!");
    expect_success(&live.lab("link", &["C:eth0", "down"]));
    assert_eq!(live.ping("C", "10.10.10.1", &["-c", "1"]), ".");
    expect_success(&live.lab("link", &["C:eth0", "up"]));
    until(LONG, "C is plugged in", || live.ping("C", "10.10.10.1", &["-c", "1"]) == "!");
}
