//! Finds lines of a configuration that contradict each other, although each line alone is right.
//!
//! A configuration is checked as a whole, because a line may name an object that a later line
//! defines. In a file, a contradiction is an error. On the console, a contradiction causes a
//! warning.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::addr::is_ipv6_link_local;
use crate::router::config::{Config, InterfaceName};

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
