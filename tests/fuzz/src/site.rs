//! Routers of the reference network with several combinations of roles, for the targets.

use eidway::console::parse_config;
use eidway::rng::Seed;
use eidway::router::config::Config;
use eidway::router::io::{Input, KernelEvent, KernelRoute};
use eidway::router::{Router, Start};
use eidway::time::Time;

/// xTR1: both families, a fixed and a roaming prefix, two map-servers, a small map-cache.
pub const XTR: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
 ipv6 address 2001:db8:c:1::11/64
interface Ethernet1/0
 ip address 172.16.0.1 255.255.255.0
 ipv6 address 2001:db8:a::1/64
 lisp mobility ROAM
interface Ethernet2/0
 ip address 10.10.10.1 255.255.255.0
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 10.10.10.0/24 locator-set set1
  database-mapping 2001:db8:a::/64 locator-set set1
  dynamic-eid ROAM
   database-mapping 172.16.0.0/24 locator-set set1
 ipv4 map-cache-limit 8
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
ip route 0.0.0.0 0.0.0.0 203.0.113.1
";

/// xTR1 after the administrator has removed its prefixes.
const DECONFIGURED: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 172.16.0.1 255.255.255.0
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 ipv4 itr map-resolver 209.165.201.41
 ipv4 itr
 ipv4 etr map-server 209.165.201.31 key cisco
 ipv4 etr
";

/// PxTR1, and the proxy ETR of others.
const PXTR: &str = "
hostname PxTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 10.0.0.1 255.0.0.0
router lisp
 eid-table default instance-id 0
  map-cache 172.16.0.0/16 map-request
 ipv4 itr map-resolver 209.165.201.41
 ipv4 proxy-itr 203.0.113.11
 ipv4 proxy-etr
ip route 0.0.0.0 0.0.0.0 203.0.113.1
";

/// A map-server and map-resolver of both families.
const MSMR: &str = "
hostname MSMR
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
 ipv6 address 2001:db8:c:1::11/64
router lisp
 site SITE
  authentication-key cisco
  eid-prefix 172.16.0.0/24 accept-more-specifics
  eid-prefix 2001:db8:a::/64 accept-more-specifics
  eid-prefix 10.10.10.0/24
 site OTHER
  authentication-key other
  eid-prefix 192.168.0.0/24 accept-more-specifics
 ipv4 map-server
 ipv4 map-resolver
 ipv6 map-server
 ipv6 map-resolver
";

/// Every role in one router, which is its own map-server too.
const ALL: &str = "
hostname All
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 172.16.0.1 255.255.255.0
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 172.16.0.0/24 locator-set set1
 site SITE
  authentication-key cisco
  eid-prefix 172.16.0.0/24 accept-more-specifics
  eid-prefix 192.168.0.0/24 accept-more-specifics
 ipv4 itr map-resolver 203.0.113.11
 ipv4 itr
 ipv4 etr map-server 203.0.113.11 key cisco
 ipv4 etr
 ipv4 proxy-etr
 ipv4 map-server
 ipv4 map-resolver
 ipv4 use-petr 192.0.2.51
";

/// The mixes of roles.
pub const MIXES: [&str; 6] = [XTR, DECONFIGURED, PXTR, MSMR, ALL, "hostname Bare\n"];

/// The configuration of the constants above.
pub fn configuration(text: &str) -> Config {
    parse_config("site.conf", text).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

/// A router whose interfaces are up and whose connected networks are routed.
pub fn router(text: &str, now: Time) -> Router {
    let config = configuration(text);
    let interfaces: Vec<_> = config.addresses().collect();
    let start = Start { config, seed: Seed::from_number(1), wall_clock: 1000, now };
    let mut router = Router::new(start);
    for (name, _) in &interfaces {
        let link = KernelEvent::Link { device: name.device(), up: true, carrier: true, mtu: 1500 };
        router.handle(Input::Kernel(link), now);
    }
    let routes = interfaces.iter().map(|(name, net)| KernelRoute {
        prefix: net.trunc(),
        device: name.device(),
        gateway: None,
        metric: 0,
    });
    router.handle(Input::Kernel(KernelEvent::Routes(routes.collect())), now);
    router
}
