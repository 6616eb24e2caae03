//! What a router has had made in its kernel, as the kernel's side remembers it: the driver in a
//! namespace, and the simulator's kernel. What was made and is not there any more is told to the
//! router ([`KernelEvent::Lost`](super::io::KernelEvent::Lost)).

use std::collections::BTreeMap;

use super::io::{KernelObject, KernelRequest, RouteTarget};
use crate::addr::Family;

/// What Linux makes of metric 0 in IPv6.
pub const IPV6_METRIC: u32 = 1024;

/// The objects that were made, were not removed, and have not been told as lost.
#[derive(Debug, Default)]
pub struct Made(BTreeMap<KernelObject, KernelObject>);

impl Made {
    /// The kernel has done what was asked.
    pub fn done(&mut self, request: &KernelRequest) {
        match *request {
            // Of two that the kernel takes for one, the later has replaced the earlier.
            KernelRequest::Add(object) => drop(self.0.insert(place(object), object)),
            KernelRequest::Remove(object) if self.0.get(&place(object)) == Some(&object) => {
                self.0.remove(&place(object));
            }
            _ => {}
        }
    }

    /// The kernel has refused what was asked: nobody knows what is left of it.
    pub fn refused(&mut self, request: &KernelRequest) {
        if let KernelRequest::Add(object) = *request {
            self.0.remove(&place(object));
        }
    }

    /// The objects, in the order in which they are made.
    pub fn iter(&self) -> impl Iterator<Item = &KernelObject> {
        self.0.values()
    }

    /// Takes out the objects that have gone, in the order in which they are made.
    pub fn take_lost(&mut self, has_gone: impl Fn(&KernelObject) -> bool) -> Vec<KernelObject> {
        self.0.extract_if(.., |_, object| has_gone(object)).map(|(_, object)| object).collect()
    }
}

/// Where the kernel keeps an object: of two objects with the same place, it has one.
fn place(object: KernelObject) -> KernelObject {
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
    use crate::router::io::Table;

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
        // The kernel removes a route by all that it is, so that this one was not there.
        made.done(&KernelRequest::Remove(one));
        assert_eq!(made.take_lost(|_| true), [other]);
        assert_eq!(made.take_lost(|_| true), [], "told once");
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
        assert_eq!(made.iter().count(), 0);
    }
}
