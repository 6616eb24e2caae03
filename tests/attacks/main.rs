//! Labs that are attacked from all sides at once, and the state of their hosts and routers.
//!
//! X is in the core of gsmr. It sends the packets of [`packets`], with any source, to every router.
//! It also holds idle connections to a map-server, and answers Map-Requests with mappings for all
//! EIDs ([`persistent`]). On the LANs of A and B, it sends the frames of [`frames`]. Meanwhile B
//! pings A, and so do the hosts of a second lab. `tests/attacks/run` does this for an hour with a
//! release build. This test takes a minute. A debug build has a fifth of the rates.
//!
//! # Claims
//!
//! - B pings A once a second. Of 3,600 pings, at most one is lost. The other lab loses no ping.
//! - No router holds more than [`MOST_MEMORY`], nor writes more than [`MOST_LOG`] into its log.
//! - The packets arrive at the routers. The process of each router does not end, and its console
//!   answers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod frames;
#[path = "../namespaces/live.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod live;
mod pace;
mod packets;
mod persistent;
mod report;

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use eidway::driver::tap::Tap;
use eidway::rng::Rng;
use ipnet::{IpNet, Ipv4Net};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use live::{LONG, Live, can_run, until};
use pace::{Sent, at_pace};
use report::{Pings, Report, Router};

/// Where X is, on a cable to Core1.
pub const X: Ipv4Addr = Ipv4Addr::new(100, 64, 9, 2);
/// Packets a second from X, and frames a second on both LANs together.
const CORE_RATE: u64 = if cfg!(debug_assertions) { 2_000 } else { 10_000 };
const LAN_RATE: u64 = if cfg!(debug_assertions) { 200 } else { 1_000 };
/// Resident octets of a router.
pub const MOST_MEMORY: u64 = 64 << 20;
/// Octets of a router's log.
pub const MOST_LOG: u64 = 1_000_000;
/// One ping may be lost for each of this number of pings.
pub const PINGS_FOR_A_LOSS: u64 = 3600;
/// IPPROTO_RAW: this program writes the whole IP packet.
const RAW: i32 = 255;
const ROUTERS: [&str; 5] = ["xTR1", "xTR2", "NewMSMR", "OldMSMR", "PxTR1"];
/// The LANs of A and B.
const LANS: [&str; 2] = ["siteA", "siteB"];

#[test]
fn labs_hold_under_all_attacks_at_once() {
    if !can_run() {
        return;
    }
    let minutes = std::env::var("EIDWAY_MINUTES").unwrap_or_else(|_| "1".to_owned());
    let span = Duration::from_secs_f64(60.0 * minutes.parse::<f64>().expect("minutes"));
    let attacked = up();
    let other = Live::up("two-sites", "atk-2");
    for lab in [&attacked, &other] {
        // A must send first, because it is a roaming host in gsmr.
        until(LONG, "A reaches B", || lab.ping("A", "B", &[]) == "!!!!!");
        until(LONG, "B reaches A", || lab.ping("B", "A", &[]) == "!!!!!");
    }
    let before: Vec<Router> = ROUTERS.map(|router| Router::of(&attacked, router)).into();
    let pings = [ping(&attacked, "172.16.0.12", span), ping(&other, "172.16.0.12", span)];
    // X has 10.99.0.0/16. If it is asked for an EID of this prefix, it claims all EIDs.
    let bait = ping(&attacked, "10.99.0.9", span);
    let (from_core, sent) = attack(&attacked, span);
    let [lost, other_lost] = pings.map(Pings::of);
    Pings::of(bait);
    let after: Vec<Router> = ROUTERS.map(|router| Router::of(&attacked, router)).into();
    let report = Report { span, from_core, sent, lost, other_lost, before, after };
    println!("{report}");
    assert!(report.has_held(), "see above");
}

/// The lab that is attacked, with X.
fn up() -> Live {
    let overlay = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/attacked.include");
    let overlay = overlay.to_str().unwrap();
    let live = Live::up_in("gsmr", "atk-1", &["--with", "roaming", "--with", overlay]);
    live.verb("node-add", &["X", "host"]);
    live.verb("link-add", &["X", "eth0", "Core1", "eth9"]);
    for (node, device, address) in
        [("X", "eth0", "100.64.9.2/24"), ("Core1", "eth9", "100.64.9.1/24")]
    {
        live.verb("addr-add", &[node, device, address]);
        live.verb("link-set", &[node, device, "up"]);
    }
    live.verb("route-add", &["X", "0.0.0.0/0", "100.64.9.1"]);
    live.verb("route-add", &["Core2", "100.64.9.0/24", "100.64.0.1"]);
    live
}

/// Pings of B, one a second, until the attack ends.
fn ping(live: &Live, to: &str, span: Duration) -> Child {
    let count = span.as_secs().max(1).to_string();
    Command::new("ip")
        .args(["netns", "exec", &live.namespace("B"), "ping", "-q", "-c", &count, to])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Attacks for a span. Returns the number of packets of the flood from the core, and a row for each attack.
fn attack(live: &Live, span: Duration) -> (u64, Vec<Sent>) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let core = scope.spawn(|| attack_from_core(live, span));
        let lans = LANS.map(|lan| scope.spawn(move || attack_on_lan(live, lan, span)));
        let idle = scope.spawn(|| live.inside("X", || persistent::hold_connections(&is_over)));
        let claims = scope.spawn(|| live.inside("X", || persistent::claim_all(&is_over)));
        let mut sent = core.join().unwrap();
        let from_core = sent.iter().map(|sent| sent.packets).sum();
        for lan in lans {
            sent.extend(lan.join().unwrap());
        }
        is_over.store(true, Ordering::Relaxed);
        sent.push(idle.join().unwrap());
        sent.push(claims.join().unwrap());
        (from_core, sent)
    })
}

fn attack_from_core(live: &Live, span: Duration) -> Vec<Sent> {
    let socket = live.inside("X", || {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(RAW))).unwrap();
        socket.set_header_included_v4(true).unwrap();
        socket
    });
    let mut forger = packets::Forger::new();
    let attacks = wanted(&packets::ATTACKS, |attack| attack.name);
    let names: Vec<_> = attacks.iter().map(|attack| attack.name).collect();
    at_pace(span, share(CORE_RATE, &attacks, &packets::ATTACKS), &names, |kind| {
        let packet = (attacks[kind].packet)(&mut forger);
        let to = Ipv4Addr::from([packet[16], packet[17], packet[18], packet[19]]);
        socket.send_to(&packet, &SockAddr::from(std::net::SocketAddrV4::new(to, 0))).is_ok()
    })
}

fn attack_on_lan(live: &Live, lan: &str, span: Duration) -> Vec<Sent> {
    let tap = live.inside("switch", || {
        let tap = Tap::open("attacker%d").unwrap();
        assert!(tap.plug(lan).unwrap(), "{lan} is a bridge");
        tap
    });
    let mut rng = frames::rng(lan);
    let attacks = wanted(&frames::ATTACKS, |attack| attack.name);
    let names: Vec<_> = attacks.iter().map(|attack| attack.name).collect();
    at_pace(span, share(LAN_RATE / LANS.len() as u64, &attacks, &frames::ATTACKS), &names, |kind| {
        tap.send(&(attacks[kind].frame)(&mut rng)).is_ok()
    })
}

/// The attacks whose names contain a word of `EIDWAY_ATTACKS`. If the variable is not set, all
/// attacks.
fn wanted<T: Copy>(attacks: &[T], name: fn(&T) -> &'static str) -> Vec<T> {
    let words = std::env::var("EIDWAY_ATTACKS").unwrap_or_default();
    let is_wanted = |attack: &&T| words.split(',').any(|word| name(attack).contains(word));
    attacks.iter().filter(is_wanted).copied().collect()
}

/// The rate for some of the attacks. Each attack has the same rate, alone or together with others.
fn share<T>(rate: u64, some: &[T], all: &[T]) -> u64 {
    rate * some.len() as u64 / all.len() as u64
}

/// A number below `bound`.
pub fn below(rng: &mut Rng, bound: usize) -> usize {
    rng.below(bound as u64) as usize
}

/// The network of an address.
pub fn network(address: Ipv4Addr, len: u8) -> IpNet {
    Ipv4Net::new(address, len).unwrap().trunc().into()
}
