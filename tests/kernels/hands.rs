//! Changes of the namespace of a router by commands. The router asks for objects of the kernel, and
//! a command removes or changes them. Within a second the router must restore all objects, and
//! packets of hosts must pass.

use std::time::Duration;

use eidway::console::parse_config;
use eidway::rng::Seed;
use eidway::router::io::{Input, KernelRequest, Output};
use eidway::router::{Router, Start};
use eidway::time::Time;

use crate::cases::{NETS, Net};
use crate::frames::{CORE, HOST, asks, echo, to_port, udp};
use crate::machine::{Act, Machine};

/// The configuration of the router. Its core is at `et0-0`, its site at `et1-0`.
const CONFIG: &str = "
hostname xTR
interface Ethernet0/0
 mac-address 0200.0000.00c0
 ip address 10.0.0.1 255.255.255.0
 ipv6 address 2001:db8:c::1/64
interface Ethernet1/0
 mac-address 0000.5e00.0101
 mtu 1450
 ip address 172.16.0.1 255.255.255.0
 ipv6 address 2001:db8:a::1/64
router lisp
 locator-set SITE
  10.0.0.1 priority 1 weight 100
  2001:db8:c::1 priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 172.16.0.0/24 locator-set SITE
  database-mapping 2001:db8:a::/64 locator-set SITE
 ipv4 itr map-resolver 10.0.0.2
 ipv4 itr
 ipv4 etr
 ipv6 itr map-resolver 10.0.0.2
 ipv6 itr
 ipv6 etr
ip route 0.0.0.0 0.0.0.0 10.0.0.2
ip route 10.9.0.0 255.255.0.0 10.0.0.2
ipv6 route ::/0 2001:db8:c::2
ipv6 route 2001:db8:9::/48 2001:db8:c::2
";

/// A command that changes the namespace. If the command deletes a device, `anew` is the device, and
/// the test makes it again.
struct Hand {
    command: &'static str,
    anew: Option<&'static str>,
}

const fn hand(command: &'static str) -> Hand {
    Hand { command, anew: None }
}

/// Commands that both kernels understand.
const HANDS: [Hand; 29] = [
    hand("ip address del 172.16.0.1/24 dev et1-0"),
    hand("ip address del 2001:db8:a::1/64 dev et1-0"),
    hand("ip address del 10.0.0.1/24 dev et0-0"),
    hand("ip address del 2001:db8:c::1/64 dev et0-0"),
    hand("ip address flush dev et1-0"),
    hand("ip address flush dev et0-0"),
    hand("ip route flush table main"),
    hand("ip -6 route flush table main"),
    hand("ip route flush table 4341"),
    hand("ip -6 route flush table 4341"),
    hand("ip route del default table main"),
    hand("ip -6 route del default table main"),
    hand("ip rule del priority 100"),
    hand("ip rule del priority 103"),
    hand("ip -6 rule del priority 101"),
    hand("ip rule del priority 32766"),
    hand("ip rule flush"),
    hand("ip -6 rule flush"),
    hand("ip link set et1-0 mtu 1300"),
    hand("ip link set et1-0 address 02:00:00:00:00:77"),
    hand("ip link set lisp0 down"),
    hand("ip link set lisp0 mtu 1300"),
    Hand { command: "ip link del lisp0", anew: Some("lisp0") },
    Hand { command: "ip link del et1-0", anew: Some("et1-0") },
    Hand { command: "ip link del et0-0", anew: Some("et0-0") },
    hand("sysctl -w net.ipv4.ip_forward=0"),
    hand("sysctl -w net.ipv6.conf.all.forwarding=0"),
    hand("sysctl -w net.ipv4.conf.et1-0.proxy_arp=1"),
    hand("sysctl -w net.ipv4.conf.et1-0.arp_accept=1"),
];

/// Commands that only Linux understands.
const OF_LINUX: [Hand; 16] = [
    hand("ip link set lisp0 mtu 1200"),
    hand("ip link set lisp0 group 0"),
    hand("ip link set lisp0 txqueuelen 10"),
    hand("ip route replace default dev et0-0"),
    hand("sysctl -w net.ipv4.conf.all.rp_filter=1"),
    hand("sysctl -w net.ipv4.conf.et1-0.rp_filter=1"),
    hand("sysctl -w net.ipv4.conf.lisp0.accept_local=0"),
    hand("sysctl -w net.ipv4.conf.et1-0.forwarding=0"),
    hand("sysctl -w net.ipv6.conf.et1-0.forwarding=0"),
    hand("sysctl -w net.ipv6.conf.et1-0.proxy_ndp=1"),
    hand("sysctl -w net.ipv6.conf.et1-0.accept_ra=2"),
    hand("sysctl -w net.ipv6.conf.et0-0.keep_addr_on_down=0"),
    hand("sysctl -w net.ipv4.conf.et0-0.ignore_routes_with_linkdown=0"),
    hand("sysctl -w net.ipv4.neigh.et1-0.base_reachable_time_ms=60000"),
    hand("sysctl -w net.ipv6.conf.et1-0.disable_ipv6=1"),
    hand("sysctl -w net.ipv6.conf.default.accept_dad=1"),
];

/// The maximum time until all objects are restored.
const WITHIN: Duration = Duration::from_secs(1);
/// The time between two checks.
const LOOK: Duration = Duration::from_millis(10);

/// The number of commands that are tested at the same time.
const AT_ONCE: usize = 6;

/// The core of a router, with a kernel under test.
struct Routed {
    machine: Box<dyn Machine>,
    router: Router,
    now: Time,
    lines: Vec<String>,
}

impl Routed {
    fn new(machine: Box<dyn Machine>) -> Self {
        let config = parse_config("xTR.conf", CONFIG).unwrap();
        let (seed, now) = (Seed([7; 32]), Time::from_secs(1));
        let router = Router::new(Start { config, seed, wall_clock: 0, now });
        let mut routed = Routed { machine, router, now, lines: Vec::new() };
        routed.run(Duration::from_millis(300));
        routed
    }

    fn act(&mut self, act: &Act) {
        self.machine.act(act);
    }

    /// Runs the core and the kernel for a time.
    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.carry_out();
            let seen = self.machine.observe(LOOK);
            self.now = self.now + LOOK;
            self.lines.extend(seen.lines);
            for event in seen.events {
                self.router.handle(Input::Kernel(event), self.now);
                self.carry_out();
            }
            if self.router.poll_timeout().is_some_and(|deadline| deadline.at <= self.now) {
                self.router.handle_timeout(self.now);
            }
        }
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.router.poll_output() {
            if let Output::Kernel(request) = output {
                self.want(request);
            }
        }
    }

    fn want(&mut self, request: KernelRequest) {
        self.machine.act(&Act::Want(request));
    }

    /// Sends one packet on each path that a packet of a host can take.
    ///
    /// # Errors
    /// The paths on which no packet arrived.
    fn pass_packets(&mut self, net: &Net) -> Result<(), String> {
        // A deleted neighbour entry is made again by a question of the neighbour.
        self.act(&Act::Frame("et1-0", asks(HOST, net.host, net.gateway)));
        self.act(&Act::Frame("et0-0", asks(CORE, net.core, net.own)));
        self.run(LOOK);
        self.lines.clear();
        let beyond = net.either("10.77.0.1", "2001:db8:77::1");
        let from_host = |packet| Act::Frame("et1-0", to_port("et1-0", HOST, packet));
        let ways = [
            (from_host(udp(net.host, beyond, 64, 100)), format!("lisp0: {} > {beyond}", net.host)),
            (
                Act::Tunnel(udp(beyond, net.host, 64, 100)),
                format!("et1-0 to 12: {beyond} > {}", net.host),
            ),
            (
                Act::Tunnel(udp(net.host, beyond, 63, 100)),
                format!("et0-0 to 01: {} > {beyond}", net.host),
            ),
            (
                Act::Udp(net.own.parse().unwrap(), beyond.parse().unwrap(), 20),
                format!("et0-0 to 01: {} > {beyond}", net.own),
            ),
            (
                from_host(echo(net.host, net.gateway)),
                format!("et1-0 to 12: {} > {}", net.gateway, net.host),
            ),
        ];
        for (act, _) in &ways {
            self.act(act);
        }
        self.run(LOOK * 4);
        let missing: Vec<&str> = ways
            .iter()
            .map(|(_, way)| way.as_str())
            .filter(|way| !self.lines.iter().any(|line| line.starts_with(way)))
            .collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(format!("nothing came: {missing:#?}, but {:#?}", self.lines)),
        }
    }

    fn pass_all(&mut self) -> Result<(), String> {
        NETS.iter().try_for_each(|net| self.pass_packets(net))
    }

    /// Repeats `done` until it succeeds, for at most [`WITHIN`].
    fn until(&mut self, done: impl Fn(&mut Self) -> Result<(), String>) -> Result<(), String> {
        let end = self.now + WITHIN;
        loop {
            let outcome = done(self);
            if outcome.is_ok() || self.now >= end {
                return outcome;
            }
            self.run(LOOK);
        }
    }
}

/// Tests the commands that both kernels understand. On Linux, tests the other commands too.
pub fn play_all(machine: fn() -> Box<dyn Machine>, of_linux: bool) {
    let more = if of_linux { &OF_LINUX[..] } else { &[] };
    let hands: Vec<&'static Hand> = HANDS.iter().chain(more).collect();
    let mut failures = String::new();
    for some in hands.chunks(AT_ONCE) {
        let start = |hand: &&'static Hand| {
            let hand: &'static Hand = hand;
            (hand.command, std::thread::spawn(move || play(hand, machine())))
        };
        let running: Vec<_> = some.iter().map(start).collect();
        for (command, thread) in running {
            let outcome = thread.join().unwrap_or_else(|_| Err("it panicked".to_owned()));
            if let Err(failure) = outcome {
                failures += &format!("\n{command}\n{failure}");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn play(hand: &Hand, machine: Box<dyn Machine>) -> Result<(), String> {
    let mut routed = Routed::new(machine);
    routed.until(Routed::pass_all).map_err(|failure| format!("before: {failure}"))?;
    let before = routed.machine.state();
    routed.act(&Act::Hand(hand.command.to_owned()));
    if routed.machine.state() == before {
        return Err("the hand changes nothing".to_owned());
    }
    if let Some(device) = hand.anew {
        routed.run(LOOK);
        routed.act(&Act::Anew(device));
    }
    routed.until(|routed| {
        let after = routed.machine.state();
        let gone =
            before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
        let come =
            after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
        let difference: Vec<String> = gone.chain(come).collect();
        match difference.is_empty() {
            true => Ok(()),
            false => Err(difference.join("\n")),
        }
    })?;
    routed.until(Routed::pass_all)
}

/// A port that a command sets down stays down. It works again after a command sets it up.
pub fn a_port_stays_down(machine: Box<dyn Machine>) {
    let mut routed = Routed::new(machine);
    routed.until(Routed::pass_all).unwrap();
    let before = routed.machine.state();
    let port = routed.router.config().interfaces.keys().nth(1).copied().unwrap();
    routed.act(&Act::Hand("ip link set et1-0 down".to_owned()));
    routed.run(Duration::from_secs(2));
    assert!(!routed.router.link(&port).unwrap().up, "it is down");
    assert!(routed.router.is_down_by_hand(&port));
    // The router restores another object of the port, but does not set the port up.
    routed.act(&Act::Hand("ip link set et1-0 mtu 1300".to_owned()));
    routed.run(Duration::from_millis(500));
    let link = routed.router.link(&port).unwrap();
    assert_eq!((link.up, link.mtu), (false, 1450));
    routed.act(&Act::Hand("ip link set et1-0 up".to_owned()));
    routed.run(Duration::from_millis(200));
    assert!(!routed.router.is_down_by_hand(&port));
    routed.until(Routed::pass_all).unwrap();
    assert_eq!(routed.machine.state(), before);
}
