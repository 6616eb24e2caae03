//! Tests with random histories. They compare a router that reconciles only changes with a router
//! that reconciles everything each time.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::console::parse_config;

use super::away::{Producer, Teller};
use super::config::{DatabaseMapping, InterfaceName, SitePrefix, StaticRoute, StaticTarget};
use super::io::{
    Connection, ControlDatagram, KernelEvent, KernelObject, Mac, NeighbourState, TcpEvent,
};
use super::made::{Made, place};
use super::mobility::Discovery;
use super::reason::Report;
use super::searches::Asker;
use super::*;
use crate::addr::{Eid, EidPrefix, InstanceId};
use crate::rng::Rng;
use crate::wire::{
    Algorithm, CONTROL_PORT, Key, LocatorRecord, MapNotify, MapRegister, MappingRecord, Message,
};

const HEAD: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 10.1.255.254 255.255.0.0
 lisp mobility ROAM
interface Ethernet2/0
 ip address 10.2.0.1 255.255.0.0
 mtu 1400
 lisp mobility ROAM
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
  198.51.100.21 priority 1 weight 100
 ipv4 etr map-server 209.165.201.31 key cisco
 ipv6 etr map-server 209.165.201.31 key cisco
 ipv4 itr map-resolver 209.165.201.31
 ipv4 itr
 ipv4 etr
 ipv6 etr
";

/// The configurations contain prefixes inside other prefixes, two families and two instances, a
/// range, and a static route that is equal to the route of a host.
const CONFIGS: [&str; 3] = [
    " eid-table default instance-id 0
  database-mapping 10.0.0.0/8 locator-set set1
  database-mapping 10.2.0.0/16 locator-set set1
  database-mapping 10.2.3.0/24 locator-set set1
  database-mapping 2001:db8:a::/64 locator-set set1
  dynamic-eid ROAM
   database-mapping 10.1.0.0/16 locator-set set1
ip route 10.1.0.2 255.255.255.255 Ethernet1/0
",
    " eid-table default instance-id 0
  database-mapping 0.0.0.0/0 locator-set set1
  database-mapping 10.2.3.0/24 locator-set set1
  database-mapping 10.2.3.4/32 203.0.113.11 priority 2 weight 50
  dynamic-eid ROAM
   database-mapping 10.1.0.0/16 locator-set set1
   database-mapping 10.1.0.0/24 203.0.113.11 priority 2 weight 50
",
    " eid-table default instance-id 7
  database-mapping 10.2.0.0/16 locator-set set1
  database-mapping 10.2.3.0/24 locator-set set1
  dynamic-eid ROAM
   database-mapping 10.1.0.0/24 locator-set set1
 no ipv4 itr
 ipv4 map-server
",
];
const PREFIXES: [&str; 10] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/24",
    "10.2.0.0/16",
    "10.2.3.0/24",
    "10.2.3.0/25",
    "10.2.3.4/32",
    "192.0.2.0/24",
    "2001:db8::/32",
    "2001:db8:a::1/128",
];
const DEVICES: [&str; 4] = ["et0-0", "et1-0", "et2-0", "lisp0"];

fn config(text: &str) -> Config {
    parse_config("test.conf", &[HEAD, text].concat()).unwrap_or_else(|error| panic!("{error}"))
}

/// A step of a history, applied to both routers.
type Step = Box<dyn Fn(&mut Router, Time)>;

fn one_of<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.below(of.len() as u64) as usize]
}

fn kernel_event(rng: &mut Rng) -> KernelEvent {
    let device = one_of(rng, &DEVICES).to_owned();
    let prefix = one_of(rng, &PREFIXES).parse().unwrap();
    let route = io::KernelRoute { prefix, device: device.clone(), gateway: None, metric: 0 };
    match rng.below(20) {
        0..6 => KernelEvent::RouteAdded(route),
        6..12 => KernelEvent::RouteRemoved(route),
        12 => KernelEvent::Routes(vec![route]),
        13 => KernelEvent::LinkGone { device },
        _ => {
            let mtu = 1500 - 50 * rng.below(2) as u32;
            KernelEvent::Link { device, up: rng.below(4) > 0, carrier: rng.below(4) > 0, mtu }
        }
    }
}

fn neighbour(rng: &mut Rng) -> KernelEvent {
    let state = match rng.below(4) {
        0 => NeighbourState::Failed,
        1 => NeighbourState::Absent,
        mac => NeighbourState::Known(Mac([2, 0, 0, 0, 0, mac as u8])),
    };
    let device = one_of(rng, &["et1-0", "et2-0"]).to_owned();
    KernelEvent::Neighbour { device, address: roaming(rng).address, state }
}

fn roaming(rng: &mut Rng) -> Eid {
    Eid::new(InstanceId::DEFAULT, [10, 1, 0, 1 + rng.below(3) as u8].into())
}

/// Returns a random record for a notification from a map-server. The record reports that a prefix
/// is at this router, at another xTR or at no xTR.
fn news(rng: &mut Rng) -> MappingRecord {
    let instance_id = InstanceId::new(7 * rng.below(2) as u32).unwrap();
    let eid_prefix = match rng.below(2) {
        0 => roaming(rng).host_prefix(),
        _ => EidPrefix::new(instance_id, one_of(rng, &PREFIXES).parse().unwrap()),
    };
    let rloc = one_of(rng, &["203.0.113.11", "192.0.2.9", "192.0.2.9"]).parse().unwrap();
    let ttl_minutes = 1440 * u32::from(rng.below(4) > 0);
    let locators = vec![LocatorRecord::unicast(rloc, 1, 100)];
    MappingRecord::of_site(eid_prefix, ttl_minutes, locators)
}

/// Returns the step in which the router receives the answer of a map-server to a Map-Register.
fn acknowledge(register: MapRegister) -> Step {
    let MapRegister { nonce, records, .. } = register;
    let notify = MapNotify { nonce, records, ..MapNotify::default() };
    let key = Key { algorithm: Algorithm::HmacSha1, secret: b"cisco".to_vec(), key_id: 0 };
    let payload = notify.emit_signed(&key);
    Box::new(move |router, now| {
        let source = SocketAddr::new([209, 165, 201, 31].into(), CONTROL_PORT);
        let destination = [203, 0, 113, 11].into();
        let datagram = ControlDatagram { source, destination, payload: &payload };
        router.handle(Input::Control(datagram), now);
    })
}

fn step(rng: &mut Rng) -> Step {
    match rng.below(32) {
        0..2 => {
            let config = config(one_of(rng, &CONFIGS));
            Box::new(move |router, now| {
                router.handle(Input::Configure(Box::new(config.clone())), now);
            })
        }
        // A change of one configuration line.
        2 => {
            let (prefix, what) = (one_of(rng, &PREFIXES).parse().unwrap(), rng.below(4));
            Box::new(move |router, now| {
                let mut config = router.context.config.clone();
                change_line(&mut config, prefix, what);
                router.handle(Input::Configure(Box::new(config)), now);
            })
        }
        20 => {
            let name = one_of(rng, &["Ethernet0/0", "Ethernet1/0", "Ethernet3/0"]).parse().unwrap();
            let address = one_of(rng, &["203.0.113.11/24", "10.1.0.2/16", "10.2.3.4/24"]);
            let (address, what) = (address.parse().unwrap(), rng.below(3));
            Box::new(move |router, now| {
                let mut config = router.context.config.clone();
                change_interface(&mut config, name, address, what);
                router.handle(Input::Configure(Box::new(config)), now);
            })
        }
        3 => {
            let (connection, up) = (Connection(rng.below(3)), rng.below(2) > 0);
            let local = SocketAddr::new([203, 0, 113, 11].into(), CONTROL_PORT);
            Box::new(move |router, now| {
                let event = match up {
                    true => TcpEvent::Connected { connection, local },
                    false => TcpEvent::Closed(connection),
                };
                router.handle(Input::Tcp(event), now);
            })
        }
        4..8 => {
            let record = news(rng);
            let report = Report::MapNotify([203, 0, 113, 1].into());
            Box::new(move |router, now| {
                router.mapping_elsewhere(&record, Teller::Datagram, report, now);
            })
        }
        8..11 => {
            let eid = roaming(rng);
            Box::new(move |router, now| {
                router.search_for(eid, Asker::Strangers, Discovery::Packet, now);
            })
        }
        11..14 => Box::new(|router, now| router.handle_timeout(now)),
        14..20 => {
            let event = neighbour(rng);
            Box::new(move |router, now| router.handle(Input::Kernel(event.clone()), now))
        }
        _ => {
            let event = kernel_event(rng);
            Box::new(move |router, now| router.handle(Input::Kernel(event.clone()), now))
        }
    }
}

/// Changes one line of the configuration for a prefix: a mapping with or without its own locators,
/// a static route, or a prefix of a site. Removes the line if it exists, otherwise adds it.
fn change_line(config: &mut Config, prefix: ipnet::IpNet, what: u64) {
    let lisp = config.lisp.as_mut().unwrap();
    let database = &mut lisp.eid_tables.values_mut().next().unwrap().database;
    let site = lisp.sites.entry("S".to_owned()).or_default();
    let eid_prefix = EidPrefix::new(InstanceId::DEFAULT, prefix);
    let route = StaticRoute::new(prefix, StaticTarget::Null);
    let is_gone = match what {
        0 | 1 => database.remove(&prefix).is_some(),
        2 => config.static_routes.remove(&route),
        _ => site.eid_prefixes.remove(&eid_prefix).is_some(),
    };
    match what {
        _ if is_gone => {}
        0 => drop(database.insert(prefix, DatabaseMapping::LocatorSet("set1".to_owned()))),
        1 => drop(database.insert(prefix, DatabaseMapping::Inline(Vec::new()))),
        2 => drop(config.static_routes.insert(route)),
        _ => drop(site.eid_prefixes.insert(eid_prefix, SitePrefix::default())),
    }
}

/// Changes one line of an interface: an address, the description, or `shutdown`. If the interface
/// does not exist, adds it.
fn change_interface(config: &mut Config, name: InterfaceName, address: ipnet::IpNet, what: u64) {
    let interface = config.interfaces.entry(name).or_default();
    match what {
        0 if interface.addresses.contains(&address) => interface.addresses.clear(),
        0 => interface.addresses = vec![address],
        1 => interface.description = interface.description.is_none().then(|| "text".to_owned()),
        _ => interface.shutdown = !interface.shutdown,
    }
}

fn outputs(router: &mut Router) -> Vec<Output> {
    std::iter::from_fn(|| router.poll_output()).collect()
}

/// The outputs that are Map-Registers and ask for an acknowledgement.
fn registers(outputs: &[Output]) -> impl Iterator<Item = MapRegister> {
    outputs.iter().filter_map(|output| match output {
        Output::Control { payload, .. } => match Message::parse(payload) {
            Ok(Message::MapRegister(register)) if register.want_map_notify => Some(register),
            _ => None,
        },
        _ => None,
    })
}

/// All state that a reconciliation changes.
fn state(router: &Router) -> String {
    let database: Vec<_> = router.database.entries().iter().collect();
    let away: Vec<_> = router.away.entries().iter().collect();
    format!("{database:#?}\n{away:#?}\n{:#?}\n{:#?}", router.kernel, router.registrar)
}

/// Applies the requests to the objects in the kernel. The kernel has only one object for each key.
fn apply(outputs: &[Output], made: &mut Made) {
    for output in outputs {
        if let Output::Kernel(request) = output {
            made.done(request);
        }
    }
}

/// Whether the kernel has exactly the wanted objects. If several wanted objects have the same key
/// in the kernel, the kernel has one of these objects.
fn stand_as_wanted(made: &Made, wanted: &BTreeSet<KernelObject>) -> bool {
    let places = |objects: &[KernelObject]| -> BTreeSet<KernelObject> {
        objects.iter().copied().map(place).collect()
    };
    let standing: Vec<KernelObject> = made.iter().copied().collect();
    let all: Vec<KernelObject> = wanted.iter().copied().collect();
    standing.iter().all(|object| wanted.contains(object)) && places(&standing) == places(&all)
}

/// Returns the kernel objects that should exist. Earlier requests do not change the result.
fn kernel_objects(router: &mut Router) -> BTreeSet<KernelObject> {
    let mut objects = router.kernel.fixed(&router.context.config, &router.rib);
    for prefix in router.kernel_prefixes() {
        objects.extend(router.kernel_objects(prefix));
    }
    objects
}

/// Whether all state that depends only on the configuration is correct for the current
/// configuration. Earlier configurations must not change this state.
fn is_as_configured(router: &Router) -> bool {
    let mut map_server = MapServer::new(&Seed::from_number(0));
    map_server.reconfigure(&router.context.config);
    let sites = |server: &MapServer| -> Vec<EidPrefix> {
        server.entries().iter().map(|(prefix, _)| prefix).collect()
    };
    let own = router.context.config.addresses().map(|(_, net)| net.addr()).collect();
    router.context.local == LocalRlocs::of(&router.context.config)
        && router.context.own_addresses == own
        && sites(&router.map_server) == sites(&map_server)
}

fn routes_are_true(router: &Router) -> bool {
    router.database.entries().iter().all(|(prefix, entry)| {
        entry.has_route == (entry.dynamic.is_some() || router.rib.has_route(prefix.prefix()))
    })
}

/// Whether the counts that the router updates with each change are still correct.
fn counts_are_true(router: &Router) -> bool {
    Family::BOTH.into_iter().all(|family| {
        let entries = || router.database.entries().iter().filter(|(at, _)| at.family() == family);
        let bits = entries().fold(0, |bits, (_, entry)| bits | entry.status_bits());
        let with_route = entries().filter(|(_, entry)| entry.has_route).count();
        let away = router.away.entries().iter().filter(|(at, entry)| {
            at.family() == family && entry.producer == Producer::Deconfigured
        });
        let deconfigured = [InstanceId::DEFAULT, InstanceId::new(7).unwrap()]
            .map(|id| router.away.deconfigured(id, family));
        router.database.status_bits(family) == bits
            && router.database.with_route(family) == with_route
            && deconfigured.into_iter().sum::<usize>() == away.count()
    })
}

#[test]
fn to_judge_what_changed_says_and_leaves_what_to_judge_everything_does() {
    for seed in 0..50 {
        let seed = Seed::from_number(seed);
        let mut rng = Rng::new(&seed, "history");
        let config = config(CONFIGS[0]);
        let start = Start { config, seed, wall_clock: 1000, now: Time::ZERO };
        let (mut router, mut thorough) = (Router::new(start.clone()), Router::new(start));
        let (mut now, mut waiting) = (Time::ZERO, Vec::new());
        let mut standing = Made::default();
        for number in 0..100 {
            now = now + std::time::Duration::from_millis(rng.below(2) * rng.below(30_000));
            let answer = waiting.pop().filter(|_| rng.below(2) > 0);
            let step = answer.map_or_else(|| step(&mut rng), acknowledge);
            step(&mut router, now);
            thorough.stale.all = true;
            step(&mut thorough, now);
            let said = outputs(&mut router);
            assert_eq!(said, outputs(&mut thorough), "step {number}");
            waiting.extend(registers(&said));
            apply(&said, &mut standing);
            if thorough.stale.all {
                // This step reconciled nothing, so the tables may be out of date.
                continue;
            }
            assert!(is_as_configured(&router), "step {number}");
            assert!(routes_are_true(&router), "step {number}");
            assert!(counts_are_true(&router), "step {number}");
            let wanted = kernel_objects(&mut thorough);
            assert!(stand_as_wanted(&standing, &wanted), "step {number}: {standing:?}, {wanted:?}");
            thorough.stale.all = true;
            thorough.reconcile(now);
            assert_eq!(outputs(&mut thorough), [], "step {number}: there was more to do");
            assert_eq!(state(&router), state(&thorough), "step {number}: there was more to do");
        }
    }
}
