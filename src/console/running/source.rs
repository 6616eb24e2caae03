//! The source address of a probe from this router.

use std::net::IpAddr;

use crate::addr::{Eid, Family, is_ipv6_link_local};
use crate::console::probes::Ends;
use crate::router::Router;
use crate::router::config::InterfaceName;
use crate::router::map_cache::Mapping;

/// The maximum number of map-cache entries in which a locator is searched.
const ENTRIES: usize = 1024;

/// The source that the user chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The user chose this interface. The source is the address of the interface.
    Interface(InterfaceName),
    /// The address that the user chose.
    Address(IpAddr),
}

/// The source and destination addresses of the probes to `destination`.
///
/// # Errors
/// If this router cannot use the source that the user chose, the error is the message of IOS,
/// without the leading `%`.
pub fn ends(
    router: &Router,
    destination: IpAddr,
    source: Option<Source>,
) -> Result<Ends, &'static str> {
    let family = Family::of(destination);
    let source = match source {
        Some(Source::Interface(name)) => {
            let address = router.config().interface_address(&name, family);
            let address = address.filter(|_| is_up(router, &name));
            let wrong = "Invalid source interface - IP not enabled or interface is down";
            Some(address.ok_or(wrong)?)
        }
        Some(Source::Address(address)) => {
            let name = router.config().interface_of(address).filter(|name| is_up(router, name));
            let is_own = name.is_some() && Family::of(address) == family;
            let wrong = "Invalid source address- IP address not on any of our up interfaces";
            Some(is_own.then_some(address).ok_or(wrong)?)
        }
        None => site_address(router, destination),
    };
    Ok(Ends { source, destination })
}

/// Returns the source address of a probe, if the route to the destination leads through `lisp0`:
///
/// - If the destination is in the core, the source is an RLOC of this router.
/// - If not, the destination may be an EID of another site. So the source is an EID of this router.
///   A proxy ITR has no EIDs, so its source is an address of the router that is not an RLOC.
///
/// Returns `None` if the route does not lead through `lisp0`, or if the router has no suitable
/// address. In both cases, the kernel chooses the source address.
fn site_address(router: &Router, destination: IpAddr) -> Option<IpAddr> {
    if !router.leads_to_lisp(destination) {
        return None;
    }
    if is_in_core(router, destination) {
        return router.local_rlocs().preferred(Family::of(destination)).map(|rloc| rloc.0);
    }
    let family = Family::of(destination);
    let config = router.config();
    let roles = router.roles(family);
    let is_usable = |address: &IpAddr| {
        let name = config.interface_of(*address);
        Family::of(*address) == family
            && !is_ipv6_link_local(*address)
            && name.is_some_and(|name| is_up(router, &name))
    };
    let addresses: Vec<IpAddr> =
        config.addresses().map(|(_, net)| net.addr()).filter(is_usable).collect();
    let is_eid = |address: &&IpAddr| {
        config.instances().any(|id| {
            let eid = Eid::new(id, **address);
            router.database().longest_match(eid).is_some()
        })
    };
    let is_site_side =
        |address: &&IpAddr| roles.proxy_itr && !router.local_rlocs().contains(**address);
    addresses.iter().find(is_eid).or_else(|| addresses.iter().find(is_site_side)).copied()
}

/// Whether the router knows that an address is in the core. Packets to an address in the core leave
/// the router without LISP. These addresses are in the core:
///
/// - the addresses of the configured map-resolvers and map-servers
/// - the locators in the first [`ENTRIES`] entries of the map-cache
/// - if no proxy ETR is configured: addresses that are no EIDs according to the mapping system
fn is_in_core(router: &Router, address: IpAddr) -> bool {
    let family = Family::of(address);
    let config = router.config();
    let has_petr = config.service(family).is_some_and(|service| !service.use_petr.is_empty());
    let is_server = Family::BOTH.into_iter().any(|eids| {
        config.itr_map_resolvers(eids).contains(&address)
            || config.etr_map_servers(eids).contains_key(&address)
    });
    let is_locator = || {
        let entries = router.map_cache().entries().iter().take(ENTRIES);
        let mut mappings = entries.map(|(_, entry)| &entry.mapping);
        mappings.any(|mapping| match mapping {
            Mapping::Locators(locators) => locators.iter().any(|locator| locator.rloc.0 == address),
            _ => false,
        })
    };
    let is_no_eid = || {
        config.instances().any(|id| {
            let found = router.map_cache().lookup(Eid::new(id, address));
            found.is_some_and(|(_, entry)| entry.mapping == Mapping::ForwardNative)
        })
    };
    is_server || is_locator() || !has_petr && is_no_eid()
}

fn is_up(router: &Router, name: &InterfaceName) -> bool {
    router.link(name).is_some_and(|link| link.up && link.carrier)
}
