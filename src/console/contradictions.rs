//! Finds lines of a configuration that contradict each other, although each line alone is right.
//!
//! A configuration is checked as a whole, because a line may name an object that a later line
//! defines. A contradiction causes a warning. The router then works without the wrong part. For
//! example, it does not register a mapping without locators.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::addr::is_ipv6_link_local;
use crate::router::config::{Config, DatabaseMapping, InterfaceName, Lisp};

/// A contradiction of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// One sentence about the contradiction.
    pub message: String,
    /// Words of the line that causes the contradiction. The words are adjacent in this line.
    pub words: String,
    /// The number of lines that contain these words and stand before the line that causes the
    /// contradiction.
    pub before: usize,
}

/// The contradictions of a configuration.
pub fn contradictions(config: &Config) -> Vec<Contradiction> {
    let mut found = Vec::new();
    let tables = config.lisp.iter().flat_map(|lisp| lisp.eid_tables.values());
    let dynamic_eids: BTreeSet<&String> = tables.flat_map(|t| t.dynamic_eids.keys()).collect();
    for (interface, settings) in &config.interfaces {
        for name in settings.lisp_mobility.iter().filter(|name| !dynamic_eids.contains(name)) {
            let words = format!("lisp mobility {name}");
            let message = format!("{interface} has `{words}`, but there is no dynamic-eid {name}");
            found.push(Contradiction { message, words, before: 0 });
        }
    }
    found.extend(config.lisp.iter().flat_map(empty_locator_sets));
    found.extend(shared_addresses(config));
    found
}

/// Returns a contradiction for each locator-set that a mapping uses, although the locator-set has
/// no locator.
fn empty_locator_sets(lisp: &Lisp) -> Vec<Contradiction> {
    let mut empty: BTreeSet<&String> = BTreeSet::new();
    for table in lisp.eid_tables.values() {
        let dynamic = table.dynamic_eids.values().flat_map(|dynamic| dynamic.database.values());
        for mapping in table.database.values().chain(dynamic) {
            if let DatabaseMapping::LocatorSet(set) = mapping
                && lisp.locator_sets.get(set).is_none_or(Vec::is_empty)
            {
                empty.insert(set);
            }
        }
    }
    let contradiction = |set: &String| Contradiction {
        message: format!(
            "a database-mapping uses locator-set {set}, which has no locator: the router does not \
             register the prefix"
        ),
        words: format!("locator-set {set}"),
        before: 0,
    };
    empty.into_iter().map(contradiction).collect()
}

/// Returns a contradiction for each address that two interfaces have but must not both have. Two
/// interfaces may have the same address if both interfaces are for roaming hosts, or if the address
/// is an IPv6 link-local address.
fn shared_addresses(config: &Config) -> Vec<Contradiction> {
    let roams = |name: InterfaceName| {
        config.interfaces.get(&name).is_some_and(|port| !port.lisp_mobility.is_empty())
    };
    let mut owners: BTreeMap<IpAddr, (InterfaceName, usize)> = BTreeMap::new();
    let mut found = Vec::new();
    for (interface, net) in config.addresses().filter(|(_, net)| !is_ipv6_link_local(net.addr())) {
        let address = net.addr();
        let (owner, before) = owners.entry(address).or_insert((interface, 0));
        if *owner != interface {
            *before += 1;
            if !(roams(*owner) && roams(interface)) {
                let message = format!(
                    "{owner} and {interface} have the same address {address}: two interfaces can \
                     share an address only if both have `lisp mobility`"
                );
                found.push(Contradiction { message, words: address.to_string(), before: *before });
            }
        }
    }
    found
}
