//! The routers of the reference network: xTR1, xTR2, New MSMR, Old MSMR and PxTR1.

use std::time::Duration;

use eidway::router::io::{KernelEvent, Mac, NeighbourState};

use crate::bench::*;
use crate::relay::{Fate, Relay};

const XTR1_HEAD: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 172.16.0.1 255.255.255.0
 ipv6 address 2001:db8:a::1/64
interface Ethernet2/0
 ip address 10.10.10.1 255.255.255.0
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 10.10.10.0/24 locator-set set1
";

const XTR2_HEAD: &str = "
hostname xTR2
interface Ethernet0/0
 ip address 198.51.100.21 255.255.255.0
interface Ethernet1/0
 ip address 192.168.0.1 255.255.255.0
router lisp
 locator-set set1
  198.51.100.21 priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 192.168.0.0/24 locator-set set1
";

const SERVICES: &str = "
router lisp
 ipv4 itr map-resolver 209.165.201.41
 ipv4 itr map-resolver 209.165.201.31
 ipv4 itr
 ipv4 etr map-server 209.165.201.31 key cisco
 ipv4 etr map-server 209.165.201.41 key cisco
 ipv4 etr
 ipv6 itr map-resolver 209.165.201.31
 ipv6 itr
 ipv6 etr map-server 209.165.201.31 key cisco
 ipv6 etr
";

/// The site of xTR1 as in the Cisco document.
const FIXED: &str = "
router lisp
 eid-table default instance-id 0
  database-mapping 172.16.0.0/24 locator-set set1
  database-mapping 2001:db8:a::/64 locator-set set1
";

/// The site of xTR1 as a range of roaming hosts. A host may be at xTR1 or at xTR2.
const ROAMING: &str = "
router lisp
 eid-table default instance-id 0
  dynamic-eid ROAM
   database-mapping 172.16.0.0/24 locator-set set1
interface Ethernet1/0
 lisp mobility ROAM
";

pub const DECONFIGURED: &str = "
router lisp
 eid-table default instance-id 0
  no database-mapping 172.16.0.0/24 locator-set set1
";

pub fn xtr1() -> String {
    [XTR1_HEAD, SERVICES, FIXED].concat()
}

pub fn roaming_xtr1() -> String {
    [XTR1_HEAD, SERVICES, ROAMING].concat()
}

pub fn xtr2() -> String {
    [XTR2_HEAD, SERVICES].concat()
}

pub fn msmr(address: &str, legacy: bool) -> String {
    let mut text = format!(
        "
hostname MSMR
interface Ethernet0/0
 ip address {address} 255.255.255.0
router lisp
 site SITE
  authentication-key cisco
  eid-prefix 172.16.0.0/24 accept-more-specifics
  eid-prefix 2001:db8:a::/64 accept-more-specifics
  eid-prefix 10.10.10.0/24
  eid-prefix 192.168.0.0/24
"
    );
    for family in ["ipv4", "ipv6"] {
        let kind = if legacy { "map-server legacy" } else { "map-server" };
        text += &format!(" {family} {kind}\n {family} map-resolver\n");
    }
    text
}

/// A network of all five routers, which have registered. The hosts of the sites do not move.
pub fn network() -> Relay {
    relay(xtr1(), xtr2(), PXTR1.to_owned())
}

/// The network of `network`, but New is the map-resolver of PxTR1. Overlapping registrations need
/// reliable transport. Old does not have it, so Old would continue to forward requests to the xTRs
/// that registered there.
pub fn network_asking_new() -> Relay {
    relay(xtr1(), xtr2(), PXTR1.replace(OLD, NEW))
}

/// The network of `network`, but 172.16.0.0/24 is a range of roaming hosts at both xTRs.
pub fn roaming_network() -> Relay {
    let gateway = "interface Ethernet1/0\n ip address 172.16.0.1 255.255.255.0 secondary\n";
    relay(roaming_xtr1(), [XTR2_HEAD, SERVICES, gateway, ROAMING].concat(), PXTR1.to_owned())
}

fn relay(xtr1: String, xtr2: String, pxtr1: String) -> Relay {
    Relay::new(&[
        ("xTR1", RLOC_1, xtr1),
        ("xTR2", RLOC_2, xtr2),
        ("New", NEW, msmr(NEW, false)),
        ("Old", OLD, msmr(OLD, true)),
        ("PxTR1", "192.0.2.51", pxtr1),
    ])
}

/// A host becomes a known neighbour of a router.
pub fn appear(relay: &mut Relay, router: &str, address: &str) {
    let state = NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12]));
    neighbour(relay, router, address, state);
}

pub fn neighbour(relay: &mut Relay, router: &str, address: &str, state: NeighbourState) {
    let address = address.parse().unwrap();
    let device = "et1-0".to_owned();
    relay.at(router, |bench| bench.kernel(KernelEvent::Neighbour { device, address, state }));
}

/// B sends a packet to `destination` through xTR2. xTR2 requests a mapping if it has none.
pub fn b_to(relay: &mut Relay, destination: &str) -> Fate {
    relay.send("xTR2", &packet("192.168.0.22", destination, 63, b"ping"))
}

/// N sends a packet to `destination` through PxTR1.
pub fn n_to(relay: &mut Relay, destination: &str) -> Fate {
    relay.send("PxTR1", &packet("10.0.0.99", destination, 63, b"ping"))
}

/// A network in which B and N have sent packets to A, both ITRs have the mapping of A, and no
/// message is on the way.
pub fn warmed(mut relay: Relay) -> Relay {
    for send in [b_to, n_to] {
        send(&mut relay, "172.16.0.12");
        assert_eq!(send(&mut relay, "172.16.0.12"), Fate::Delivered("xTR1"));
    }
    relay.advance(Duration::from_secs(4));
    relay.listen();
    relay
}
