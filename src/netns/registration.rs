//! Reads the registrations and refusals of the routers of a lab in namespaces.

use super::{console, paths};
use crate::console::view::refusals::RefusalsView;
use crate::lab::Lab;
use crate::lab::asked;
use crate::lab::failure::Failure;
use crate::lab::registration::Registration;
use crate::lab::unregistered::Router;

/// Returns the registrations of a router. There are none if the router is not an ETR.
pub fn registrations(lab: &Lab, node: &str) -> Result<Vec<Registration>, Failure> {
    let mut console = console::Console::connect(&paths::socket(lab, node))?;
    asked::registrations(node, &mut |command| console.ask(command))
}

/// Returns the data about all routers of a lab. A router is left out if its console does not
/// answer.
pub fn look(lab: &Lab) -> Vec<Router> {
    lab.file.routers().filter_map(|(node, _)| look_at(lab, node).ok()).collect()
}

fn look_at(lab: &Lab, node: &str) -> Result<Router, Failure> {
    let mut console = console::Console::connect(&paths::socket(lab, node))?;
    let mut ask = |command: &str| console.ask(command);
    let config = asked::running_config(node, &mut ask)?;
    let view: RefusalsView = asked::view(node, "show lisp refusals", &mut ask)?;
    Ok(Router {
        name: node.to_owned(),
        addresses: config.addresses().map(|(_, net)| net.addr()).collect(),
        registrations: asked::registrations(node, &mut ask)?,
        refusals: view.refusals,
    })
}
