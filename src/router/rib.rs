//! The routes that the router needs from the kernel of its namespace.
//!
//! A local EID prefix is reachable while a route leads to the prefix. If there is no route, `show
//! ip lisp database` prints `*** NO ROUTE TO EID PREFIX ***`. The kernel does not announce every
//! change, and it still uses routes of a link that has lost its carrier. So this table contains
//! both links and routes, and a route counts only while its link is up. Observations on Linux 6.18:
//! when a link is set down, the kernel announces the new state of the link after 3 ms. It does not
//! announce that it removes the IPv4 routes of the link. When the carrier is lost, the routes
//! remain. If the carrier is lost and returns quickly, the kernel announces the loss a second late.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::io::{KernelRoute, LISP_DEVICE};
use crate::addr::{Eid, EidPrefix, Family, InstanceId};
use crate::prefix_map::PrefixMap;

/// The state of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whether the link is administratively up.
    pub up: bool,
    /// Whether the other end of the link is present.
    pub carrier: bool,
    /// The MTU in octets.
    pub mtu: u32,
}

/// The links, and the unicast routes of table main.
#[derive(Debug, Default)]
pub struct Rib {
    links: BTreeMap<String, Link>,
    /// Links that existed and were removed.
    gone: BTreeSet<String>,
    routes: PrefixMap<BTreeSet<KernelRoute>>,
}

/// Returns the key of a route. Routes have no instance, but the keys of the map need an instance.
fn key(prefix: IpNet) -> EidPrefix {
    EidPrefix::new(InstanceId::DEFAULT, prefix)
}

impl Rib {
    /// Stores a link that appeared or changed. Returns its previous state.
    pub fn set_link(&mut self, device: String, link: Link) -> Option<Link> {
        self.gone.remove(&device);
        self.links.insert(device, link)
    }

    /// Removes a link.
    pub fn remove_link(&mut self, device: &str) {
        self.links.remove(device);
        self.gone.insert(device.to_owned());
    }

    /// Whether a link existed and was removed.
    pub fn has_gone(&self, device: &str) -> bool {
        self.gone.contains(device)
    }

    /// Replaces all routes by `routes`, which were read from table main.
    pub fn replace_routes(&mut self, routes: Vec<KernelRoute>) {
        self.routes.clear();
        for route in routes {
            self.add_route(route);
        }
    }

    /// Adds a route.
    pub fn add_route(&mut self, route: KernelRoute) {
        let at = key(route.prefix);
        if let Some(routes) = self.routes.get_mut(&at) {
            routes.insert(route);
        } else {
            self.routes.insert(at, BTreeSet::from([route]));
        }
    }

    /// Removes a route.
    pub fn remove_route(&mut self, route: &KernelRoute) {
        let at = key(route.prefix);
        let Some(routes) = self.routes.get_mut(&at) else {
            return;
        };
        routes.remove(route);
        if routes.is_empty() {
            self.routes.remove(&at);
        }
    }

    /// Whether a local EID prefix can be reached. The prefix can be reached if a route covers the
    /// prefix or lies inside the prefix. The default route and routes into `lisp0` do not count,
    /// and the link of the route must be up with carrier.
    pub fn has_route(&self, prefix: IpNet) -> bool {
        let at = key(prefix);
        let covering = self.routes.covering(&at).filter(|(prefix, _)| prefix.mask_len() > 0);
        let inside = self.routes.covered_by(&at);
        covering.chain(inside).flat_map(|(_, routes)| routes).any(|route| self.is_usable(route))
    }

    fn is_usable(&self, route: &KernelRoute) -> bool {
        self.is_up(route) && route.device != LISP_DEVICE
    }

    /// Whether the link of a route is up and has a carrier.
    pub fn is_up(&self, route: &KernelRoute) -> bool {
        self.links.get(&route.device).is_some_and(|link| link.up && link.carrier)
    }

    /// The routes of a family in the order of their prefixes. If `after` is given, starts after
    /// this prefix.
    pub fn routes_after(
        &self,
        family: Family,
        after: Option<IpNet>,
    ) -> impl Iterator<Item = (IpNet, &BTreeSet<KernelRoute>)> {
        let routes = self.routes.iter_after(InstanceId::DEFAULT, family, after.map(key));
        routes.map(|(prefix, routes)| (prefix.prefix(), routes))
    }

    /// The routes whose prefixes contain this address. The shortest prefix is first.
    pub fn routes_to(
        &self,
        address: IpAddr,
    ) -> impl Iterator<Item = (IpNet, &BTreeSet<KernelRoute>)> {
        let host = Eid::new(InstanceId::DEFAULT, address).host_prefix();
        self.routes.covering(&host).map(|(prefix, routes)| (prefix.prefix(), routes))
    }

    /// The usable routes of exactly this prefix.
    pub fn routes_of(&self, prefix: IpNet) -> impl Iterator<Item = &KernelRoute> {
        let routes = self.routes.get(&key(prefix)).into_iter().flatten();
        routes.filter(|route| self.is_up(route))
    }

    /// The number of prefixes inside `prefix` that have a usable route, and the mask lengths of
    /// these prefixes.
    pub fn subnets(&self, prefix: IpNet) -> (usize, BTreeSet<u8>) {
        let inside = self.routes.covered_by(&key(prefix));
        let inside = inside.filter(|(_, routes)| routes.iter().any(|route| self.is_up(route)));
        let lengths: Vec<u8> = inside.map(|(prefix, _)| prefix.mask_len()).collect();
        (lengths.len(), lengths.into_iter().collect())
    }

    /// Whether the best route to an address leads into `lisp0`.
    pub fn leads_to_lisp(&self, address: IpAddr) -> bool {
        let host = Eid::new(InstanceId::DEFAULT, address).host_prefix();
        let is_up = |route: &&KernelRoute| {
            self.links.get(&route.device).is_some_and(|link| link.up && link.carrier)
        };
        let best = |routes: &'_ BTreeSet<KernelRoute>| {
            let usable = routes.iter().filter(is_up).min_by_key(|route| route.metric);
            usable.map(|route| route.device == LISP_DEVICE)
        };
        let covering: Vec<_> = self.routes.covering(&host).map(|(_, routes)| routes).collect();
        covering.into_iter().rev().find_map(best).unwrap_or(false)
    }

    /// The state of a device's link.
    pub fn link(&self, device: &str) -> Option<Link> {
        self.links.get(device).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Link = Link { up: true, carrier: true, mtu: 1500 };

    fn route(prefix: &str, device: &str) -> KernelRoute {
        let prefix = prefix.parse().unwrap();
        KernelRoute { prefix, device: device.to_owned(), gateway: None, metric: 0 }
    }

    fn rib(routes: &[KernelRoute]) -> Rib {
        let mut rib = Rib::default();
        for device in ["et0-0", "et1-0", LISP_DEVICE] {
            rib.set_link(device.to_owned(), UP);
        }
        rib.replace_routes(routes.to_vec());
        rib
    }

    #[test]
    fn a_route_counts_when_it_covers_the_prefix_or_lies_in_it() {
        let site = "172.16.0.0/24".parse().unwrap();
        for prefix in ["172.16.0.0/24", "172.16.0.0/16", "172.16.0.12/32"] {
            assert!(rib(&[route(prefix, "et1-0")]).has_route(site), "{prefix}");
        }
        assert!(!rib(&[route("172.16.1.0/24", "et1-0")]).has_route(site));
    }

    #[test]
    fn neither_the_default_nor_lisp0_is_a_route_to_a_site() {
        let site = "172.16.0.0/24".parse().unwrap();
        assert!(!rib(&[route("0.0.0.0/0", "et0-0")]).has_route(site));
        assert!(!rib(&[route("172.16.0.0/16", LISP_DEVICE)]).has_route(site));
    }

    #[test]
    fn a_link_without_carrier_takes_its_routes_with_it() {
        let site = "172.16.0.0/24".parse().unwrap();
        let mut rib = rib(&[route("172.16.0.0/24", "et1-0")]);
        rib.set_link("et1-0".to_owned(), Link { carrier: false, ..UP });
        assert!(!rib.has_route(site));
        rib.set_link("et1-0".to_owned(), UP);
        assert!(rib.has_route(site));
        rib.remove_link("et1-0");
        assert!(!rib.has_route(site));
    }

    #[test]
    fn one_of_two_routes_may_go() {
        let site: IpNet = "172.16.0.0/24".parse().unwrap();
        let (one, other) = (route("172.16.0.0/24", "et1-0"), route("172.16.0.0/24", "et0-0"));
        let mut rib = rib(&[one.clone(), other.clone()]);
        rib.remove_route(&one);
        assert!(rib.has_route(site));
        rib.remove_route(&other);
        assert!(!rib.has_route(site));
    }
}
