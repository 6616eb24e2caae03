//! The progress of a router's registrations. A lab is up when every map-server has acknowledged
//! every prefix. If a host pinged earlier, a map-cache could keep a negative answer for a minute.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use crate::router::{RegistrationStatus, Router};
use crate::time::Time;

/// The registrations of a router with one map-server, for the EIDs of both families.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, JsonSchema)]
pub struct Registration {
    /// The address of the map-server.
    pub address: String,
    /// The number of EID prefixes that the router registers.
    pub prefixes: u64,
    /// The number of prefixes that the map-server has acknowledged.
    pub acknowledged: u64,
}

/// Returns the registrations of a simulated router.
pub fn of(router: &Router, now: Time) -> Vec<Registration> {
    let mut all = Vec::new();
    for one in router.registrations(now) {
        let RegistrationStatus { map_server, prefixes, acknowledged, .. } = one;
        add(&mut all, registration(map_server, prefixes, acknowledged));
    }
    all
}

/// Adds the registrations `one` to the row of the same map-server in `all`. So each map-server has
/// one row for both families.
pub fn add(all: &mut Vec<Registration>, one: Registration) {
    match all.iter_mut().find(|known| known.address == one.address) {
        Some(known) => {
            known.prefixes += one.prefixes;
            known.acknowledged += one.acknowledged;
        }
        None => all.push(one),
    }
}

/// Returns the registrations of one family with the map-server at `address`.
pub fn registration(address: IpAddr, prefixes: usize, acknowledged: usize) -> Registration {
    let address = address.to_string();
    Registration { address, prefixes: prefixes as u64, acknowledged: acknowledged as u64 }
}

/// Returns a text with the map-servers that have not acknowledged every prefix. Returns `None` if
/// all map-servers have acknowledged every prefix.
pub fn missing(registrations: &[Registration]) -> Option<String> {
    let open = registrations.iter().filter(|one| one.acknowledged < one.prefixes);
    let words: Vec<String> = open
        .map(|one| {
            let Registration { address, prefixes, acknowledged } = one;
            format!("map-server {address} acknowledged {acknowledged} of {prefixes} prefixes")
        })
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_without_map_servers_misses_nothing() {
        assert_eq!(missing(&[]), None);
    }

    #[test]
    fn what_is_missing_names_the_map_server() {
        let with =
            |address: &str, acknowledged| registration(address.parse().unwrap(), 3, acknowledged);
        let found = missing(&[with("209.165.201.31", 3), with("209.165.201.41", 1)]).unwrap();
        assert_eq!(found, "map-server 209.165.201.41 acknowledged 1 of 3 prefixes");
    }
}
