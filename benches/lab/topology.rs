//! The topology for all variants: five nodes in a row. For variants with a map-server, there is a
//! sixth node beside the core:
//!
//! ```text
//! A ──1450── xTR1 ──1500── core ──1500── xTR2 ──1450── B
//!                            └──── MSMR
//! ```
//!
//! The verbs of `netns-scripts` build the topology. The checksum and segmentation offload of the
//! links stays on. Each measurement of a variant uses a new topology, so an earlier variant leaves
//! nothing behind.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::namespace::inside;

pub const A: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 12);
pub const B: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 22);
pub const XTR1: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 11);
pub const XTR2: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 21);
pub const MSMR: Ipv4Addr = Ipv4Addr::new(209, 165, 201, 31);

/// Node and kind.
const NODES: [(&str, &str); 6] = [
    ("A", "host"),
    ("xTR1", "router"),
    ("core", "node"),
    ("xTR2", "router"),
    ("B", "host"),
    ("MSMR", "router"),
];
/// The two ends of each link, and its MTU.
const LINKS: [([&str; 2], [&str; 2], &str); 5] = [
    (["A", "eth0"], ["xTR1", "et1-0"], "1450"),
    (["xTR1", "et0-0"], ["core", "eth0"], "1500"),
    (["core", "eth1"], ["xTR2", "et0-0"], "1500"),
    (["xTR2", "et1-0"], ["B", "eth0"], "1450"),
    (["MSMR", "et0-0"], ["core", "eth2"], "1500"),
];
const PLAIN_ADDRESSES: [(&str, &str, &str); 5] = [
    ("A", "eth0", "172.16.0.12/24"),
    ("B", "eth0", "192.168.0.22/24"),
    ("core", "eth0", "203.0.113.1/24"),
    ("core", "eth1", "198.51.100.1/24"),
    ("core", "eth2", "209.165.201.1/24"),
];
/// The addresses of the routers. Eidway takes them from its configuration. For the other variants,
/// this program sets them.
const ROUTER_ADDRESSES: [(&str, &str, &str); 4] = [
    ("xTR1", "et0-0", "203.0.113.11/24"),
    ("xTR1", "et1-0", "172.16.0.1/24"),
    ("xTR2", "et0-0", "198.51.100.21/24"),
    ("xTR2", "et1-0", "192.168.0.1/24"),
];

/// The nodes. When this value is dropped, they are removed with all programs in them.
pub struct Topology {
    lab: String,
    scripts: PathBuf,
}

impl Topology {
    /// Builds the hosts, routers and core with their links. Hosts and core get addresses. Only
    /// hosts get routes.
    pub fn build(lab: &str) -> Outcome<Self> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("netns-scripts");
        let topology = Topology { lab: lab.to_owned(), scripts };
        for (node, kind) in NODES {
            topology.verb("node-add", &[node, kind])?;
        }
        for ([node_a, device_a], [node_b, device_b], mtu) in LINKS {
            let link = [node_a, device_a, node_b, device_b, "mtu", mtu, "offload"];
            topology.verb("link-add", &link)?;
            topology.verb("link-set", &[node_a, device_a, "up"])?;
            topology.verb("link-set", &[node_b, device_b, "up"])?;
        }
        topology.address(&PLAIN_ADDRESSES)?;
        topology.route("A", "default", "172.16.0.1")?;
        topology.route("B", "default", "192.168.0.1")?;
        Ok(topology)
    }

    /// Gives the routers their addresses and their routes into the core, which are the same in
    /// every variant.
    pub fn address_routers(&self) -> Outcome<()> {
        self.address(&ROUTER_ADDRESSES)?;
        self.route("xTR1", "default", "203.0.113.1")?;
        self.route("xTR2", "default", "198.51.100.1")
    }

    fn address(&self, addresses: &[(&str, &str, &str)]) -> Outcome<()> {
        addresses
            .iter()
            .try_for_each(|(node, device, prefix)| self.verb("addr-add", &[node, device, prefix]))
    }

    pub fn route(&self, node: &str, prefix: &str, next_hop: &str) -> Outcome<()> {
        self.verb("route-add", &[node, prefix, next_hop])
    }

    /// Calls a verb of `netns-scripts` on this lab.
    pub fn verb(&self, verb: &str, arguments: &[&str]) -> Outcome<()> {
        run(Command::new(self.scripts.join(verb)).arg(&self.lab).args(arguments)).map(drop)
    }

    /// Calls `ip` in a node.
    pub fn ip(&self, node: &str, arguments: &str) -> Outcome<()> {
        let mut ip = Command::new("ip");
        ip.args(["-n", &self.namespace(node)]).args(arguments.split_whitespace());
        run(&mut ip).map(drop)
    }

    /// Makes a command that runs in a node. `ip` is replaced by the program, so the process number
    /// belongs to the program.
    pub fn command(&self, node: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(node)]).arg(program);
        command
    }

    /// Calls a function in the network of a node. A socket stays in the node in which it was
    /// opened, so only the opening must be done there.
    pub fn inside<T: Send>(
        &self,
        node: &str,
        work: impl FnOnce() -> Outcome<T> + Send,
    ) -> Outcome<T> {
        inside(&self.namespace(node), work)
    }

    pub fn namespace(&self, node: &str) -> String {
        format!("eidway-{}-{node}", self.lab)
    }
}

impl Drop for Topology {
    fn drop(&mut self) {
        if let Err(error) = self.verb("lab-down", &[]) {
            eprintln!("{error}");
        }
    }
}

/// Returns the host that receives traffic from `sender`, with its address.
pub fn peer_of(sender: &str) -> (&'static str, IpAddr) {
    if sender == "A" { ("B", B.into()) } else { ("A", A.into()) }
}

/// Runs a command to its end, and returns its output. If the command fails, the error has its error
/// messages.
pub fn run(command: &mut Command) -> Outcome<String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}", complaint.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
