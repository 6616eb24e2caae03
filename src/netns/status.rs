//! `lab status`: the existing parts of a lab, and whether its routers are registered.

use std::path::Path;

use serde::Serialize;

use super::emulated;
use super::registration;
use super::{paths, running};
use crate::lab::Lab;
use crate::lab::file::Node;
use crate::lab::registration::Registration;

/// One node of a lab as it is found.
#[derive(Clone, Debug, Serialize)]
pub struct NodeStatus {
    /// Its name.
    pub node: String,
    /// `router`, `node` or `host`.
    pub kind: &'static str,
    /// Its namespace; an emulated host's is that of its router.
    pub namespace: String,
    /// Whether the namespace exists.
    pub exists: bool,
    /// The process of a router that runs.
    pub pid: Option<u32>,
    /// A router's registrations; none when its console does not answer.
    pub registrations: Vec<Registration>,
    /// The router that runs an emulated host.
    pub player: Option<String>,
    /// The addresses that the lab file gives it.
    pub addresses: Vec<String>,
}

impl NodeStatus {
    /// Whether the node is as it should be.
    pub fn is_up(&self) -> bool {
        self.exists && (self.kind != "router" || self.pid.is_some())
    }

    fn state(&self) -> String {
        match (self.exists, self.kind, self.pid) {
            (false, ..) => "absent".to_owned(),
            (true, "router", Some(pid)) => format!("running, {pid}"),
            (true, "router", None) => "stopped".to_owned(),
            (true, ..) => "up".to_owned(),
        }
    }

    fn details(&self) -> String {
        let mut details = self.addresses.clone();
        details.extend(self.player.iter().map(|router| format!("emulated by {router}")));
        for Registration { address, prefixes, acknowledged } in &self.registrations {
            details.push(format!("{address}: {acknowledged}/{prefixes} registered"));
        }
        details.join(", ")
    }
}

/// Looks at every node of `lab`.
pub fn status(lab: &Lab) -> Vec<NodeStatus> {
    let nodes = lab.file.nodes.iter();
    nodes.map(|(name, node)| look(lab, name, node)).collect()
}

fn look(lab: &Lab, name: &str, node: &Node) -> NodeStatus {
    let namespace = paths::namespace(lab, name);
    let emulated = emulated::find(lab, name).is_some();
    let player = emulated.then(|| emulated::whereabouts(lab, name)).flatten();
    let player = player.map(|(router, _)| router);
    let namespace = player.as_ref().map_or(namespace, |router| paths::namespace(lab, router));
    let exists = match emulated {
        true => player.is_some(),
        false => Path::new("/run/netns").join(&namespace).exists(),
    };
    let (kind, addresses) = match node {
        Node::Router { .. } => ("router", Vec::new()),
        Node::Forwarder { addresses, .. } => {
            let all = addresses.values().flatten();
            ("node", all.map(ToString::to_string).collect())
        }
        Node::Host(host) => ("host", host.addresses.iter().map(ToString::to_string).collect()),
    };
    let pid = running::pid(lab, name);
    let registrations = match pid {
        Some(_) => registration::registrations(lab, name).unwrap_or_default(),
        None => Vec::new(),
    };
    NodeStatus {
        node: name.to_owned(),
        kind,
        namespace,
        exists,
        pid,
        registrations,
        player,
        addresses,
    }
}

/// The table that a person reads.
pub fn table(lab: &Lab, nodes: &[NodeStatus]) -> String {
    let up = nodes.iter().filter(|node| node.is_up()).count();
    let mut text = format!("lab {}: {up} of {} nodes up\n", lab.name, nodes.len());
    text.push_str(&format!("{:12} {:7} {:16} Details\n", "Node", "Kind", "State"));
    for node in nodes {
        let (state, details) = (node.state(), node.details());
        let row = format!("{:12} {:7} {state:16} {details}", node.node, node.kind);
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}
