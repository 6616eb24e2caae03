//! How far a router's registrations have come: a lab is up when every map-server has acknowledged
//! every prefix. A ping before that would leave a negative answer in a cache for a minute.

use serde::{Deserialize, Serialize};

use super::console;
use super::failure::Failure;
use super::open::Lab;
use crate::router::{RegistrationStatus, Router};
use crate::time::Time;

/// What one router has registered with one map-server, for both families of EIDs.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Registration {
    /// The map-server.
    pub address: String,
    /// The EID prefixes that it shall know.
    pub prefixes: u64,
    /// Those that it has acknowledged.
    pub acknowledged: u64,
}

/// The part of `show ip lisp json` that counts here.
#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    map_servers: Vec<Registration>,
}

/// Asks a router for its registrations; empty for one that is no ETR.
pub fn registrations(lab: &Lab, node: &str) -> Result<Vec<Registration>, Failure> {
    let mut all: Vec<Registration> = Vec::new();
    for command in ["show ip lisp json", "show ipv6 lisp json"] {
        let text = console::ask(&lab.socket(node), command)?;
        for one in of_service(&text)
            .map_err(|error| Failure::Other(format!("{node}: {command}: {error}")))?
        {
            add(&mut all, one);
        }
    }
    Ok(all)
}

/// What a simulated router has registered.
pub fn of(router: &Router, now: Time) -> Vec<Registration> {
    let mut all = Vec::new();
    for one in router.registrations(now) {
        let RegistrationStatus { map_server, prefixes, acknowledged, .. } = one;
        add(
            &mut all,
            Registration {
                address: map_server.to_string(),
                prefixes: prefixes as u64,
                acknowledged: acknowledged as u64,
            },
        );
    }
    all
}

/// One row for each map-server, for both families.
fn add(all: &mut Vec<Registration>, one: Registration) {
    match all.iter_mut().find(|known| known.address == one.address) {
        Some(known) => {
            known.prefixes += one.prefixes;
            known.acknowledged += one.acknowledged;
        }
        None => all.push(one),
    }
}

/// The map-servers of one service; a router without LISP prints nothing.
fn of_service(text: &str) -> serde_json::Result<Vec<Registration>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).map(|service: Service| service.map_servers)
}

/// The map-servers that have not acknowledged everything, in words; none when all have.
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
    fn a_service_without_map_servers_misses_nothing() {
        assert_eq!(of_service("").unwrap(), []);
        assert_eq!(of_service("{\"itr\": true}").unwrap(), []);
        assert_eq!(missing(&[]), None);
        assert!(of_service("% Invalid input").is_err());
    }

    #[test]
    fn what_is_missing_names_the_map_server() {
        let text = r#"{"map_servers": [{"address": "209.165.201.31", "prefixes": 3,
            "acknowledged": 3, "key": "x"}, {"address": "209.165.201.41", "prefixes": 3,
            "acknowledged": 1}]}"#;
        let found = missing(&of_service(text).unwrap()).unwrap();
        assert_eq!(found, "map-server 209.165.201.41 acknowledged 1 of 3 prefixes");
    }
}
