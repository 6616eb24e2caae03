//! `lab status`: the nodes of a lab, and whether its routers are registered.

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::Lab;
use crate::lab::asked::registrations;
use crate::lab::file::Node;
use crate::lab::registration::Registration;
use crate::lab::running::{NodeState, ProgramState, RunningLab};

/// The current state of one node of a lab.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NodeStatus {
    /// The name of the node.
    pub node: String,
    /// The kind of the node: `router`, `node` or `host`.
    pub kind: &'static str,
    /// The namespace of the node. For an emulated host, it is the namespace of its router. It is
    /// `None` on the simulator.
    pub namespace: Option<String>,
    /// Whether the node exists.
    pub exists: bool,
    /// Whether the process of a router runs.
    pub runs: bool,
    /// The process number of the router. It is `None` on the simulator.
    pub pid: Option<u32>,
    /// The registrations of the router. There are none if its console does not answer.
    pub registrations: Vec<Registration>,
    /// For an emulated host, the router that runs it.
    pub player: Option<String>,
    /// The addresses of the node in the lab file.
    pub addresses: Vec<String>,
    /// The programs of a host.
    pub programs: Vec<ProgramState>,
    /// The telnet port of the router on 127.0.0.1, if its console is served by telnet.
    pub telnet: Option<u16>,
}

impl NodeStatus {
    /// Whether the node exists and, if it is a router, its process runs.
    pub fn is_up(&self) -> bool {
        self.exists && (self.kind != "router" || self.runs)
    }

    fn state(&self) -> String {
        match (self.exists, self.kind, self.runs) {
            (false, ..) => "absent".to_owned(),
            (true, "router", true) => match self.pid {
                Some(pid) => format!("running, {pid}"),
                None => "running".to_owned(),
            },
            (true, "router", false) => "stopped".to_owned(),
            (true, ..) => "up".to_owned(),
        }
    }

    fn details(&self) -> String {
        let mut details = self.addresses.clone();
        details.extend(self.player.iter().map(|router| format!("emulated by {router}")));
        for Registration { address, prefixes, acknowledged } in &self.registrations {
            details.push(format!("{address}: {acknowledged}/{prefixes} registered"));
        }
        details.extend(self.programs.iter().map(of_program));
        details.extend(self.telnet.map(|port| format!("telnet 127.0.0.1 {port}")));
        details.join(", ")
    }
}

/// Returns the state of a program in words.
fn of_program(program: &ProgramState) -> String {
    match program {
        ProgramState { command, pid: Some(pid), .. } => format!("runs `{command}` as {pid}"),
        ProgramState { command, log: Some(log), .. } => {
            format!("`{command}` does not run, see {log}")
        }
        ProgramState { command, .. } => format!("`{command}` is not run on the simulator"),
    }
}

/// Returns the state of every node of `lab`.
pub fn status(lab: &Lab, running: &mut dyn RunningLab) -> Vec<NodeStatus> {
    let nodes = lab.file.nodes.iter();
    nodes.map(|(name, node)| look(running, name, node)).collect()
}

fn look(running: &mut dyn RunningLab, name: &str, node: &Node) -> NodeStatus {
    let NodeState { exists, runs, pid, namespace, player, programs } = running.node(name);
    let (kind, addresses) = match node {
        Node::Router { .. } => ("router", Vec::new()),
        Node::Forwarder { addresses, .. } => {
            let all = addresses.values().flatten();
            ("node", all.map(ToString::to_string).collect())
        }
        Node::Host(host) => ("host", host.addresses.iter().map(ToString::to_string).collect()),
    };
    let registrations = match runs {
        true => {
            let asked = registrations(name, &mut |command| running.console(name, command));
            asked.unwrap_or_default()
        }
        false => Vec::new(),
    };
    let node = name.to_owned();
    let telnet = None;
    NodeStatus {
        node,
        kind,
        namespace,
        exists,
        runs,
        pid,
        registrations,
        player,
        addresses,
        programs,
        telnet,
    }
}

/// Returns the states as a table for a person.
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
