//! Tests of emulated hosts on an interface to which no cable is connected. The only neighbour of
//! the hosts is the router's kernel.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Hosts;
use crate::console::hosts::Hosts as _;
use crate::console::parse_config;
use crate::driver::Options;
use crate::driver::event_loop::EventLoop;
use crate::driver::namespace::{in_namespace, ip, wait_until};
use crate::rng::Seed;
use crate::router::config::EmulatedHost;
use crate::router::io::HostWish;
use crate::time::Time;

/// Starts a router with one port. The port detects hosts that move, and has `hosts` emulated hosts.
fn start(hosts: usize) -> EventLoop {
    let mut text = "hostname r
interface Loopback0
 ip address 203.0.113.1 255.255.255.255
router lisp
 locator-set here
  203.0.113.1 priority 1 weight 100
 eid-table default instance-id 0
  dynamic-eid ROAM
   database-mapping 10.0.0.0/16 locator-set here
   database-mapping 2001:db8::/64 locator-set here
 ipv4 itr
 ipv4 etr
 ipv6 itr
 ipv6 etr
interface Ethernet2/0
 ip address 10.0.0.1 255.255.0.0
 ipv6 address 2001:db8::1/64
 lisp mobility ROAM
"
    .to_owned();
    for number in 1..=hosts {
        text += &format!(
            " emulated-host H{number} ip address 10.0.1.{number}/16 gateway 10.0.0.1
 emulated-host H{number} ipv6 address 2001:db8::1:{number:x}/64 gateway 2001:db8::1\n"
        );
    }
    let config = parse_config("test", &text).unwrap_or_else(|error| panic!("{error}"));
    EventLoop::start(config, None, Options::default()).unwrap()
}

fn turn_for(router: &mut EventLoop, span: Duration, mut done: impl FnMut(&EventLoop) -> bool) {
    #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
    let begin = Instant::now();
    #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
    while begin.elapsed() < span && !done(router) {
        router.turn(Some(Duration::from_millis(200))).unwrap();
    }
}

fn bash(script: &str) -> Child {
    let mut command = Command::new("bash");
    command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("bash is installed")
}

/// Runs a script and the router at the same time. Returns the output of the script.
fn said(router: &mut EventLoop, script: &str) -> String {
    let mut child = bash(script);
    turn_for(router, Duration::from_secs(10), |_| child.try_wait().unwrap().is_some());
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn present(router: &EventLoop) -> usize {
    router.router().mobility().hosts().len()
}

/// Returns true if the router's table has exactly this number of hosts.
fn sees(router: &EventLoop, hosts: usize) -> bool {
    present(router) == hosts
}

#[test]
fn the_kernel_and_the_router_meet_an_emulated_host_as_any_other() {
    in_namespace(|| {
        let mut router = start(2);
        turn_for(&mut router, Duration::from_secs(5), |router| sees(router, 4));
        assert!(sees(&router, 4), "{}", present(&router));
        for address in ["10.0.1.2", "2001:db8::1:2"] {
            let answer = said(&mut router, &format!("ping -n -c 3 -i 0.2 -W 2 {address}"));
            assert!(answer.contains("3 received"), "{answer}");
        }
        for address in ["10.0.1.1", "2001:db8::1:1"] {
            let fetch = format!(
                "exec 3<>/dev/tcp/{address}/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
            );
            let page = said(&mut router, &fetch);
            assert!(page.contains("Host H1") && page.contains("router 10.0.0.1"), "{page}");
        }
        let echo = "exec 3<>/dev/tcp/10.0.1.2/7; echo hello >&3; read -r x <&3; echo \"$x\"";
        assert_eq!(said(&mut router, echo), "hello\n");
        router.stop();
        drop(router);
        wait_until("the devices have gone", || !ip("link").contains("H1.eth0"));
    });
}

#[test]
fn a_host_that_changes_keeps_its_device() {
    in_namespace(|| {
        let (seed, now) = (Seed::from_number(1), Time::ZERO);
        let mut hosts = Hosts::default();
        let wish = |last: u8, port: &str| HostWish {
            interface: port.parse().unwrap(),
            name: "H1".to_owned(),
            mtu: 1500,
            made_of: EmulatedHost {
                addresses: vec![format!("10.0.1.{last}/16").parse().unwrap()],
                ..EmulatedHost::default()
            },
        };
        let number = || ip("-oneline link show dev H1.eth0").split(':').next().unwrap().to_owned();
        let mut open = |wish| hosts.open(&wish, &seed, now).unwrap().is_some();
        assert!(open(wish(1, "Ethernet2/0")));
        let first = number();
        assert!(!open(wish(2, "Ethernet2/0")), "the device is open already");
        assert_eq!(number(), first);
        assert!(open(wish(2, "Ethernet3/0")), "a host on another interface has another device");
        assert_ne!(number(), first);
        ip("link del H1.eth0");
        assert!(open(wish(2, "Ethernet3/0")), "a deleted device is made again");
    });
}

/// Returns the number of frames that all hosts of the router together have sent.
fn frames_sent(router: &EventLoop) -> u64 {
    router.hosts().states().values().map(|host| host.sent).sum()
}

#[test]
fn a_hundred_idle_hosts_seldom_wake_the_router() {
    for hosts in [0, 100] {
        in_namespace(move || {
            let mut router = start(hosts);
            turn_for(&mut router, Duration::from_secs(20), |router| sees(router, 2 * hosts));
            assert!(sees(&router, 2 * hosts), "{}", present(&router));
            turn_for(&mut router, Duration::from_secs(3), |_| false);
            let (sent_before, seconds) = (frames_sent(&router), 10);
            let mut turns = 0;
            turn_for(&mut router, Duration::from_secs(seconds), |_| {
                turns += 1;
                false
            });
            let sent = frames_sent(&router) - sent_before;
            println!("{hosts} idle hosts: {turns} turns and {sent} frames in {seconds} s");
            // This test itself does five turns of the event loop in a second.
            assert!(turns < 15 * seconds, "{turns} turns");
            // The router asks for each of the two addresses of a host from time to time, and the
            // host answers.
            assert!(sent <= 10 * hosts as u64, "{sent} frames");
        });
    }
}
