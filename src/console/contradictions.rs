//! Finds lines of a configuration that contradict each other, although each line alone is right.
//!
//! A configuration is checked as a whole, because a line may name an object that a later line
//! defines. In a file, a contradiction is an error. On the console, a contradiction causes a
//! warning.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::addr::is_ipv6_link_local;
use crate::router::config::{Config, DatabaseMapping, InterfaceName};

/// The contradictions of a configuration, one sentence for each.
pub fn contradictions(config: &Config) -> Vec<String> {
    let tables = config.lisp.iter().flat_map(|lisp| lisp.eid_tables.values());
    let dynamic_eids: BTreeSet<&String> = tables.flat_map(|t| t.dynamic_eids.keys()).collect();
    let mut found = Vec::new();
    for (interface, settings) in &config.interfaces {
        for name in settings.lisp_mobility.iter().filter(|name| !dynamic_eids.contains(name)) {
            found.push(format!(
                "{interface} has `lisp mobility {name}`, but there is no dynamic-eid {name}"
            ));
        }
    }
    for name in unfilled(config) {
        found.push(format!("a database-mapping uses locator-set {name}, which has no locator"));
    }
    let roams = |name: InterfaceName| {
        config.interfaces.get(&name).is_some_and(|port| !port.lisp_mobility.is_empty())
    };
    let mut owners: BTreeMap<IpAddr, InterfaceName> = BTreeMap::new();
    for (interface, net) in config.addresses().filter(|(_, net)| !is_ipv6_link_local(net.addr())) {
        let address = net.addr();
        let owner = *owners.entry(address).or_insert(interface);
        if owner != interface && !(roams(owner) && roams(interface)) {
            found.push(format!(
                "{owner} and {interface} have the same address {address}: two interfaces can share \
                 an address only if both have `lisp mobility`"
            ));
        }
    }
    found
}

/// The most mappings that are looked at for each locator-set, so that a long file is read quickly.
const MOST_MAPPINGS: usize = 1000;

/// The locator-sets that a `database-mapping` uses although they have no locator.
fn unfilled(config: &Config) -> impl Iterator<Item = &String> {
    let lisp = config.lisp.iter();
    lisp.flat_map(|lisp| {
        let empty = lisp.locator_sets.iter().filter(|(_, locators)| locators.is_empty());
        let uses = |name: &String| {
            let mut mappings = lisp.eid_tables.values().flat_map(|table| {
                let ranges = table.dynamic_eids.values().flat_map(|of| of.database.values());
                ranges.chain(table.database.values()).take(MOST_MAPPINGS)
            });
            mappings.any(|of| matches!(of, DatabaseMapping::LocatorSet(set) if set == name))
        };
        empty.map(|(name, _)| name).filter(move |name| uses(name))
    })
}
