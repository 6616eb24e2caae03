//! The list of the objects that the kernel has made for a router. The driver has this list for a
//! namespace, and the simulator has it for its simulated kernel. When an object has vanished, the
//! router gets the event [`KernelEvent::Lost`](super::io::KernelEvent::Lost).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use super::io::{Device, KernelObject, KernelRequest, RouteTarget, Table};
use crate::addr::Family;

/// Linux replaces metric 0 of an IPv6 route by this metric.
pub const IPV6_METRIC: u32 = 1024;

/// The objects that were made, were not removed, and have not been reported as lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made(BTreeMap<KernelObject, KernelObject>);

impl Made {
    /// Records that the kernel has carried out a request.
    pub fn done(&mut self, request: &KernelRequest) {
        match *request {
            // If an earlier object has the same key in the kernel, the new object has replaced it.
            KernelRequest::Add(object) => drop(self.0.insert(place(object), object)),
            KernelRequest::Remove(object) if self.0.get(&place(object)) == Some(&object) => {
                self.0.remove(&place(object));
            }
            _ => {}
        }
    }

    /// Records that the kernel has refused a request. Then the state of the object is unknown.
    pub fn refused(&mut self, request: &KernelRequest) {
        if let KernelRequest::Add(object) = *request {
            self.0.remove(&place(object));
        }
    }

    /// Whether an object was made and is still present.
    pub fn has(&self, object: &KernelObject) -> bool {
        self.0.get(&place(*object)) == Some(object)
    }

    /// The objects, in the order in which they are made.
    pub fn iter(&self) -> impl Iterator<Item = &KernelObject> {
        self.0.values()
    }

    /// Whether there are proxy entries, which are made last.
    pub fn has_proxies(&self) -> bool {
        self.0.range(FIRST_PROXY..).next().is_some()
    }

    /// Removes the objects for which `has_gone` is true, and returns them in the order in which
    /// objects are made. There may be many routes, so routes are examined only if `with_routes` is
    /// set.
    pub fn take_lost(
        &mut self,
        with_routes: bool,
        has_gone: impl Fn(&KernelObject) -> bool,
    ) -> Vec<KernelObject> {
        let begin = if with_routes { FIRST_PROXY } else { FIRST_ROUTE };
        let mut lost: Vec<KernelObject> =
            self.0.extract_if(..begin, |_, object| has_gone(object)).map(|(_, it)| it).collect();
        let rest = self.0.extract_if(FIRST_PROXY.., |_, object| has_gone(object));
        lost.extend(rest.map(|(_, object)| object));
        lost
    }
}

/// The first route in the sort order of objects.
const FIRST_ROUTE: KernelObject = KernelObject::Route {
    table: Table::Native,
    prefix: IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)),
    target: RouteTarget::NextHop(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    metric: 0,
    source: None,
};

/// The first proxy entry in the sort order of objects.
const FIRST_PROXY: KernelObject = KernelObject::ProxyNeighbour {
    device: Device::Lisp,
    address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
};

/// Returns the place of an object: a copy of the object that contains only the values of the
/// object's key in the kernel. The kernel never has two objects with the same key.
pub(super) fn place(object: KernelObject) -> KernelObject {
    match object {
        KernelObject::Link { device, .. } => KernelObject::Link {
            device,
            up: false,
            mtu: None,
            proxy_arp: false,
            mac: None,
            mobility: false,
        },
        KernelObject::Address { device, address, .. } => {
            KernelObject::Address { device, address, connected: true }
        }
        KernelObject::Route { table, prefix, metric, .. } => KernelObject::Route {
            table,
            prefix: prefix.trunc(),
            target: RouteTarget::Blackhole,
            metric: match (Family::of(prefix.addr()), metric) {
                (Family::Ipv6, 0) => IPV6_METRIC,
                _ => metric,
            },
            source: None,
        },
        KernelObject::Namespace
        | KernelObject::Rule { .. }
        | KernelObject::ProxyNeighbour { .. } => object,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(prefix: &str, target: RouteTarget, metric: u32) -> KernelObject {
        let prefix = prefix.parse().unwrap();
        KernelObject::Route { table: Table::Main, prefix, target, metric, source: None }
    }

    #[test]
    fn of_two_routes_that_the_kernel_takes_for_one_the_later_is_there() {
        let mut made = Made::default();
        let one = route("2001:db8::/32", RouteTarget::Unreachable, 0);
        let other = route("2001:db8::/32", RouteTarget::Blackhole, IPV6_METRIC);
        made.done(&KernelRequest::Add(one));
        made.done(&KernelRequest::Add(other));
        // The present route is not equal to `one`, so this request removes nothing.
        made.done(&KernelRequest::Remove(one));
        assert_eq!(made.take_lost(true, |_| true), [other]);
        assert_eq!(made.take_lost(true, |_| true), [], "told once");
    }

    #[test]
    fn routes_are_looked_at_or_not_and_the_rest_always() {
        let objects = [
            KernelObject::Namespace,
            route("0.0.0.0/0", RouteTarget::Blackhole, 0),
            route("2001:db8::/32", RouteTarget::Blackhole, 9),
            KernelObject::ProxyNeighbour {
                device: Device::Lisp,
                address: "172.16.0.1".parse().unwrap(),
            },
        ];
        let mut made = Made::default();
        assert!(!made.has_proxies());
        objects.iter().for_each(|object| made.done(&KernelRequest::Add(*object)));
        assert!(made.has_proxies());
        assert_eq!(made.take_lost(false, |_| true), [objects[0], objects[3]]);
        assert_eq!(made.take_lost(true, |_| true), objects[1..3]);
    }

    #[test]
    fn what_was_refused_or_removed_cannot_be_lost() {
        let mut made = Made::default();
        let objects = [9, 10].map(|metric| route("10.0.0.0/8", RouteTarget::Blackhole, metric));
        for object in objects {
            made.done(&KernelRequest::Add(object));
        }
        made.done(&KernelRequest::Remove(objects[0]));
        made.refused(&KernelRequest::Add(objects[1]));
        assert_eq!(made.take_lost(true, |_| true), []);
    }
}
