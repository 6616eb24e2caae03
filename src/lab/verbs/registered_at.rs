//! Checks whether a restarted map-server has all registrations of its ETRs. The ETRs do not know
//! this: they still count registrations that the map-server acknowledged before it ended. So this
//! module reads the table of the map-server itself.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::console::view::{database, site};
use crate::lab::Lab;
use crate::lab::asked::{registrations, rows, running_config};
use crate::lab::failure::Failure;
use crate::lab::running::RunningLab;
use crate::router::config::Config;

/// Returns a text with the missing prefixes: running routers register these prefixes with `server`,
/// but `server` does not have them. Returns `None` if no prefix is missing, or if `server` is not a
/// map-server.
///
/// # Errors
/// The console of `server` does not answer.
pub fn missing(
    lab: &Lab,
    running: &mut dyn RunningLab,
    server: &str,
) -> Result<Option<String>, Failure> {
    let sites = rows::<site::Head, site::Row>(server, "show lisp site", &mut |command| {
        running.console(server, command)
    })?;
    if sites.is_empty() {
        return Ok(None);
    }
    let own = addresses(&running_config(server, &mut |command| running.console(server, command))?);
    let mut words = Vec::new();
    let others = lab.file.routers().map(|(node, _)| node).filter(|node| *node != server);
    for etr in others {
        if !running.node(etr).runs {
            continue;
        }
        match missing_of(running, etr, &own, &sites) {
            Ok(missing) => words.extend(missing),
            // The console may not answer because this router is also starting. The router registers
            // when it is ready, so its prefixes count as missing.
            Err(error) => {
                words.push(format!("the prefixes of {etr} (its console does not answer: {error})"))
            }
        }
    }
    Ok((!words.is_empty()).then(|| format!("not yet registered: {}", words.join(", "))))
}

/// Returns the missing prefixes of one router: the router registers these prefixes with a
/// map-server, but the map-server does not have them in its `sites`. `own` has the addresses of the
/// map-server.
fn missing_of(
    running: &mut dyn RunningLab,
    etr: &str,
    own: &BTreeSet<IpAddr>,
    sites: &[site::Row],
) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    let mut ask = |command: &str| running.console(etr, command);
    let servers = registrations(etr, &mut ask)?;
    if !servers.iter().any(|one| one.address.parse().is_ok_and(|it| own.contains(&it))) {
        return Ok(words);
    }
    let rlocs = addresses(&running_config(etr, &mut ask)?);
    for command in ["show ip lisp database", "show ipv6 lisp database"] {
        let database = rows::<database::Head, database::Row>(etr, command, &mut ask)?;
        let registered = database.iter().filter(|row| row.has_route).map(|row| row.eid_prefix);
        let lacks = registered.filter(|prefix| lacks(sites, prefix, &rlocs));
        words.extend(lacks.map(|prefix| format!("{prefix} of {etr}")));
    }
    Ok(words)
}

/// Whether the sites accept a prefix that no router with an address in `rlocs` has registered.
fn lacks(sites: &[site::Row], prefix: &IpNet, rlocs: &BTreeSet<IpAddr>) -> bool {
    let mut same = sites.iter().filter(|site| site.eid_prefix == *prefix);
    let known = same.any(|site| site.registrations.iter().any(|one| rlocs.contains(&one.etr)));
    !known && sites.iter().any(|site| site.takes(prefix))
}

fn addresses(config: &Config) -> BTreeSet<IpAddr> {
    config.addresses().map(|(_, net)| net.addr()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::Listing;

    #[test]
    fn a_prefix_is_missing_until_its_own_router_has_registered_it() {
        let sites = r#"{"total": 2, "entries": [
            {"site": "A", "instance_id": 0, "eid_prefix": "172.16.0.0/24", "configured": true,
             "accept_more_specifics": true, "nonce_order": "id", "authentication_failures": 0,
             "replays": 0, "registrations": [{"etr": "203.0.113.11", "etr_port": 4342, "first_registered": 1,
             "last_registered": 1, "ttl": 60, "proxy_reply": false, "map_notify": true,
             "hash_function": "sha2", "nonce": 1, "reliable": false, "locators": []}]},
            {"site": "B", "instance_id": 0, "eid_prefix": "192.168.0.0/24", "configured": true,
             "accept_more_specifics": false, "nonce_order": "id", "authentication_failures": 0,
             "replays": 0, "registrations": []}]}"#;
        let sites = serde_json::from_str::<Listing<site::Head, site::Row>>(sites).unwrap().entries;
        let lacks = |prefix: &str, rloc: &str| {
            let rlocs = BTreeSet::from([rloc.parse().unwrap()]);
            lacks(&sites, &prefix.parse().unwrap(), &rlocs)
        };
        assert!(!lacks("172.16.0.0/24", "203.0.113.11"));
        assert!(lacks("172.16.0.0/24", "198.51.100.21"), "another router's");
        assert!(lacks("172.16.0.12/32", "203.0.113.11"), "a more specific");
        assert!(lacks("192.168.0.0/24", "198.51.100.21"));
        assert!(!lacks("10.0.0.0/8", "203.0.113.11"), "no site of it");
        assert!(!lacks("192.168.0.22/32", "198.51.100.21"), "it would be rejected");
    }
}
