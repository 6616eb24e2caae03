//! Explains why a router of a lab is not registered. The explanation comes from the messages that
//! the routers of the lab have refused. The sentences are the same for a lab in namespaces and for
//! a simulated lab.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::registration::Registration;
use crate::console::view::refusals::RefusalRow;

/// The data about a router that is needed for the explanation.
#[derive(Clone, Debug)]
pub struct Router {
    /// The name of the router in the lab.
    pub name: String,
    /// The addresses of the router's interfaces.
    pub addresses: BTreeSet<IpAddr>,
    /// The registrations of the router.
    pub registrations: Vec<Registration>,
    /// The messages that the router has refused.
    pub refusals: Vec<RefusalRow>,
}

/// Returns one line for each missing registration. The lines after it are the possible causes of
/// this missing registration, one on each line.
pub fn explain(routers: &[Router]) -> String {
    let mut lines = Vec::new();
    for etr in routers {
        let missing = etr.registrations.iter().filter(|one| one.acknowledged < one.prefixes);
        for Registration { address, prefixes, acknowledged } in missing {
            lines.push(format!(
                "{}: map-server {address} acknowledged {acknowledged} of {prefixes} prefixes",
                etr.name
            ));
            lines.extend(causes(routers, etr, address).into_iter().map(|line| format!("  {line}")));
        }
    }
    lines.join("\n")
}

/// Returns the possible reasons why `etr` is not registered with a map-server.
fn causes(routers: &[Router], etr: &Router, server: &str) -> Vec<String> {
    let Ok(address) = server.parse::<IpAddr>() else { return Vec::new() };
    let of = |router: &&Router| router.addresses.contains(&address);
    let Some(server) = routers.iter().find(of) else {
        return vec![format!(
            "no router of this lab has the address {address}: correct `etr map-server` in the \
             configuration of {}",
            etr.name
        )];
    };
    let refused = |router: &Router, of: &Router| -> Vec<String> {
        let sent = router.refusals.iter().filter(|row| of.addresses.contains(&row.source));
        let line = |row: &RefusalRow| {
            let RefusalRow { source, what, why, advice, .. } = row;
            format!("{} refuses {what} from {source} ({}): {why}; {advice}", router.name, of.name)
        };
        sent.map(line).collect()
    };
    let mut lines = refused(server, etr);
    lines.extend(refused(etr, server));
    if lines.is_empty() {
        let (etr, server) = (&etr.name, &server.name);
        lines.push(format!(
            "{server} has refused no message of {etr}: check that {address} answers a ping from \
             {etr}, and that a site on {server} has the prefixes of {etr}"
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::counters::ControlDrop;

    fn router(name: &str, address: &str) -> Router {
        Router {
            name: name.to_owned(),
            addresses: BTreeSet::from([address.parse().unwrap()]),
            registrations: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Makes an xTR with one prefix that the map-server at `server` has not acknowledged.
    fn etr(server: &str) -> Router {
        let address = server.to_owned();
        let registrations = vec![Registration { address, prefixes: 1, acknowledged: 0 }];
        Router { registrations, ..router("xTR2", "198.51.100.21") }
    }

    fn refusal(source: &str) -> RefusalRow {
        RefusalRow {
            source: source.parse().unwrap(),
            reason: ControlDrop::Authentication,
            count: 1,
            first: 1,
            last: 1,
            what: "Map-Register for 192.168.0.0/24".to_owned(),
            why: "the message is signed with another key".to_owned(),
            advice: "compare the keys".to_owned(),
        }
    }

    #[test]
    fn the_map_servers_reason_stands_below_what_is_missing() {
        let refusals = vec![refusal("192.0.2.9"), refusal("198.51.100.21")];
        let server = Router { refusals, ..router("MSMR", "203.0.113.5") };
        let expected = "xTR2: map-server 203.0.113.5 acknowledged 0 of 1 prefixes
  MSMR refuses Map-Register for 192.168.0.0/24 from 198.51.100.21 (xTR2): the message is signed with another key; compare the keys";
        assert_eq!(explain(&[etr("203.0.113.5"), server]), expected);
    }

    #[test]
    fn a_map_server_that_is_not_there_or_silent_is_named() {
        let said = explain(&[etr("203.0.113.6"), router("MSMR", "203.0.113.5")]);
        assert!(said.contains("no router of this lab has the address 203.0.113.6"), "{said}");
        let said = explain(&[etr("203.0.113.5"), router("MSMR", "203.0.113.5")]);
        assert!(said.contains("MSMR has refused no message of xTR2"), "{said}");
    }

    #[test]
    fn who_is_registered_is_not_named() {
        assert_eq!(explain(&[router("xTR1", "203.0.113.11")]), "");
    }
}
