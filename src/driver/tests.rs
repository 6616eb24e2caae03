//! Tests of whole routers with a real kernel. Each router has its own namespace.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Options;
use super::event_loop::{EventLoop, Flow};
use super::namespace::{in_namespace, ip, path, rules_and_routes, spawn_in_namespace, wait_until};
use crate::console::parse_config;
use crate::router::config::Config;

/// Returns the configuration of the xTR with the number N. The EIDs `172.16.N.0/24` and
/// `2001:db8:N::/64` of this xTR are behind `et1-0`. The link of this xTR to the core is `et0-0`.
/// The xTR with the number 1 is also map-server and map-resolver.
fn config(number: u8, family_of_rlocs: &str) -> String {
    let (ms, locator) = match family_of_rlocs {
        "ipv4" => ("10.0.0.1".to_owned(), format!("10.0.0.{number}")),
        _ => ("2001:db8:c::1".to_owned(), format!("2001:db8:c::{number}")),
    };
    let mut text = format!(
        "hostname xtr{number}
interface Ethernet0/0
 ip address 10.0.0.{number} 255.255.255.0
 ipv6 address 2001:db8:c::{number}/64
interface Ethernet1/0
 ip address 172.16.{number}.1 255.255.255.0
 ipv6 address 2001:db8:{number}::1/64
router lisp
 locator-set core
  {locator} priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 172.16.{number}.0/24 locator-set core
  database-mapping 2001:db8:{number}::/64 locator-set core
"
    );
    for family in ["ipv4", "ipv6"] {
        text += &format!(
            " {family} itr map-resolver {ms}
 {family} itr
 {family} etr map-server {ms} key secret
 {family} etr
"
        );
        if number == 1 {
            text += &format!(" {family} map-server\n {family} map-resolver\n");
        }
    }
    if number == 1 {
        text += " site all
  authentication-key secret
  eid-prefix 172.16.0.0/16 accept-more-specifics
  eid-prefix 2001:db8::/32 accept-more-specifics
";
    }
    text
}

fn parsed(text: &str) -> Config {
    parse_config("test", text).unwrap_or_else(|error| panic!("{error}"))
}

fn start(number: u8, family_of_rlocs: &str) -> EventLoop {
    EventLoop::start(parsed(&config(number, family_of_rlocs)), None, Options::default()).unwrap()
}

/// Adds the link to the site. The other end of this link is up.
fn add_site() {
    ip("link add et1-0 type veth peer name site");
    ip("link set site up");
}

/// Runs the event loop until `done` returns true, for at most ten seconds.
fn turn_until(router: &mut EventLoop, mut done: impl FnMut(&EventLoop) -> bool) -> bool {
    #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
    let end = Instant::now() + Duration::from_secs(10);
    #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
    while Instant::now() < end {
        if done(router) {
            return true;
        }
        let flow = router.turn(Some(Duration::from_millis(10))).unwrap();
        assert_eq!(flow, Flow::Continue);
    }
    false
}

/// Returns true if each of the two xTRs has registered its two prefixes.
fn all_are_registered(router: &EventLoop) -> bool {
    let sites = router.router().map_server().entries();
    sites.iter().filter(|(_, entry)| entry.is_registered()).count() == 4
}

fn ping(arguments: &str) -> Child {
    let mut command = Command::new("ping");
    command.args(arguments.split_whitespace()).stdout(Stdio::piped());
    command.spawn().expect("ping is installed")
}

/// Runs `router` until the ping has ended, and returns the output of the ping.
fn finish(router: &mut EventLoop, mut ping: Child) -> String {
    turn_until(router, |_| ping.try_wait().unwrap().is_some());
    let _ = ping.kill();
    let output = ping.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs two xTRs. The xTR with number 1 runs on the thread of the test, and is the argument of
/// `script`. The xTR with number 2 runs on another thread.
fn between_two_xtrs(family_of_rlocs: &'static str, script: impl FnOnce(&mut EventLoop)) {
    let is_over = Arc::new(AtomicBool::new(false));
    let (tell_path, hear_path) = mpsc::channel();
    let (tell_cable, hear_cable) = mpsc::channel();
    let over = Arc::clone(&is_over);
    let other = spawn_in_namespace(move || {
        tell_path.send(path()).unwrap();
        add_site();
        hear_cable.recv().unwrap();
        let mut router = start(2, family_of_rlocs);
        while !over.load(Ordering::Relaxed) {
            router.turn(Some(Duration::from_millis(10))).unwrap();
        }
        router.stop();
        drop(router);
        ip("rule")
    });
    ip("link add et0-0 type veth peer name far");
    ip(&format!("link set far netns {} name et0-0", hear_path.recv().unwrap()));
    add_site();
    tell_cable.send(()).unwrap();
    let mut router = start(1, family_of_rlocs);
    script(&mut router);
    is_over.store(true, Ordering::Relaxed);
    let rules = other.join().unwrap();
    assert!(!rules.contains("4341"), "a stopped router leaves no rule: {rules}");
}

#[test]
fn hosts_of_two_sites_reach_each_other_over_either_family_of_rlocs() {
    for family_of_rlocs in ["ipv4", "ipv6"] {
        in_namespace(move || {
            between_two_xtrs(family_of_rlocs, |router| {
                assert!(turn_until(router, all_are_registered));
                for (source, destination) in
                    [("172.16.1.1", "172.16.2.1"), ("2001:db8:1::1", "2001:db8:2::1")]
                {
                    let ping = ping(&format!("-c 5 -i 0.1 -W 1 -I {source} {destination}"));
                    let report = finish(router, ping);
                    assert!(report.contains(" 0% packet loss"), "{family_of_rlocs}: {report}");
                    assert!(report.contains("ttl=64"), "ends are one hop apart: {report}");
                }
            });
        });
    }
}

#[test]
fn a_second_router_in_a_namespace_does_not_start_and_does_no_harm() {
    in_namespace(|| {
        ip("link add et0-0 type veth peer name far");
        add_site();
        let first = start(1, "ipv4");
        let before = rules_and_routes();
        let second = |config| {
            let second = EventLoop::start(config, None, Options::default());
            second.err().expect("it must not start").to_string()
        };
        let process = format!("process {}, which is the router of this", std::process::id());
        // In the second pass of this loop, the second router has no devices and no sockets. So it
        // has no conflict with the devices and sockets of the first router. But if there were no
        // lock, the second router would remove the rules of the first router.
        for config in [parsed(&config(1, "ipv4")), parsed("hostname idle\n")] {
            let complaint = second(config);
            assert!(complaint.contains(&process), "{complaint}");
            assert_eq!(rules_and_routes(), before);
        }
        drop(first);
        start(1, "ipv4");
    });
}

/// Sends lines to the console socket, and returns the answer. Runs `router` until the answer is
/// complete.
fn ask(router: &mut EventLoop, socket: &Path, lines: &[&str]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_nonblocking(true).unwrap();
    let request = |line| serde_json::json!({ "line": line }).to_string() + "\n";
    stream.write_all(lines.iter().map(request).collect::<String>().as_bytes()).unwrap();
    let mut answer = Vec::new();
    let answered = turn_until(router, |_| {
        let mut buffer = [0; 4096];
        if let Ok(len) = stream.read(&mut buffer) {
            answer.extend(&buffer[..len]);
        }
        let text = String::from_utf8_lossy(&answer);
        text.matches("\"done\"").count() == lines.len()
    });
    let answer = String::from_utf8(answer).unwrap();
    assert!(answered, "{answer}");
    answer
}

#[test]
fn device_and_sockets_follow_the_configuration() {
    in_namespace(|| {
        ip("link add et0-0 type veth peer name far");
        ip("link set far up");
        add_site();
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("console");
        let text = config(1, "ipv4");
        let mut router =
            EventLoop::start(parsed(&text), Some(&socket), Options::default()).unwrap();
        turn_until(&mut router, |_| rules_and_routes().contains("local 2001:db8:1::1"));
        let before = rules_and_routes();
        ask(&mut router, &socket, &["configure terminal", "no router lisp"]);
        assert!(!ip("rule").contains("4341"));
        wait_until("lisp0 has gone", || !ip("link").contains("lisp0"));
        let sockets = std::fs::read_to_string("/proc/thread-self/net/udp").unwrap();
        assert_eq!(sockets.lines().count(), 1, "only the title is left: {sockets}");
        let lines: Vec<&str> = ["configure terminal"].into_iter().chain(text.lines()).collect();
        ask(&mut router, &socket, &lines);
        // The test waits, because the kernel adds the local route of an IPv6 address some time
        // after it has added the address.
        turn_until(&mut router, |_| rules_and_routes() == before);
        assert_eq!(rules_and_routes(), before);
        let sockets = std::fs::read_to_string("/proc/thread-self/net/udp").unwrap();
        assert_eq!(sockets.lines().count(), 1 + 18, "{sockets}");
    });
}

#[test]
fn an_interface_that_is_plugged_in_late_is_set_up() {
    in_namespace(|| {
        ip("link add et0-0 type veth peer name far");
        ip("link set far up");
        let mut router = start(1, "ipv4");
        add_site();
        let is_there = |_: &EventLoop| ip("addr").contains("inet 172.16.1.1/24");
        assert!(turn_until(&mut router, is_there), "{}", ip("addr"));
    });
}

#[test]
fn a_deleted_lisp0_comes_back() {
    in_namespace(|| {
        ip("link add et0-0 type veth peer name far");
        ip("link set far up");
        add_site();
        let mut router = start(1, "ipv4");
        let routes = ip("route");
        ip("link del lisp0");
        turn_until(&mut router, |_| ip("route") == routes);
        assert_eq!(ip("route"), routes);
        assert!(ip("link show lisp0").contains("group 4341"));
    });
}
