//! The registrations and refusals of the routers of a lab in namespaces.

use super::{console, paths};
use crate::console::parse_config;
use crate::console::view::lisp::{LispView, MapServerRow};
use crate::console::view::refusals::RefusalsView;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::registration::{Registration, add, registration};
use crate::lab::unregistered::Router;
use crate::router::config::Config;

/// Asks a router for its registrations; empty for one that is no ETR.
pub fn registrations(lab: &Lab, node: &str) -> Result<Vec<Registration>, Failure> {
    let mut all: Vec<Registration> = Vec::new();
    for command in ["show ip lisp", "show ipv6 lisp"] {
        let view: LispView = console::view(&paths::socket(lab, node), command)?;
        for MapServerRow { address, prefixes, acknowledged, .. } in view.map_servers {
            add(&mut all, registration(address, prefixes, acknowledged));
        }
    }
    Ok(all)
}

/// The routers of a lab in namespaces; one whose console does not answer is left out.
pub fn look(lab: &Lab) -> Vec<Router> {
    lab.file.routers().filter_map(|(node, _)| look_at(lab, node).ok()).collect()
}

fn look_at(lab: &Lab, node: &str) -> Result<Router, Failure> {
    let view: RefusalsView = console::view(&paths::socket(lab, node), "show lisp refusals")?;
    Ok(Router {
        name: node.to_owned(),
        addresses: running_config(lab, node)?.addresses().map(|(_, net)| net.addr()).collect(),
        registrations: registrations(lab, node)?,
        refusals: view.refusals,
    })
}

/// The configuration in force at a router.
pub fn running_config(lab: &Lab, node: &str) -> Result<Config, Failure> {
    let text = console::ask(&paths::socket(lab, node), "show running-config")?;
    // Above it stands how long it is.
    let begin = text.find("\n!\n").unwrap_or(0);
    let wrong = |error| Failure::Other(format!("{node}: show running-config: {error}"));
    parse_config(node, &text[begin..]).map_err(wrong)
}
