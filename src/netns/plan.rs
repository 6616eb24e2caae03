//! Lists the calls of scripts that create a lab. `--dry-run` prints these calls, and
//! [`run`](super::run) runs them.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

use super::verbs::{Call, Step};
use super::{emulated, links, paths, programs};
use crate::addr::{Family, is_ipv6_link_local};
use crate::driver::DataPathChoice;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::name::SWITCH;
use crate::lab::file::{Host, Node};
use crate::lab::wiring;

/// The options of a lab's routers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether the routers forward each packet separately, even if the kernel supports segmentation
    /// offload.
    pub no_offload: bool,
    /// The place where the routers forward packets: in the kernel or in their own processes.
    pub data_path: DataPathChoice,
    /// Whether each router writes a file with all its inputs and outputs (a record) into the
    /// directory of the lab in `/run`.
    pub record: bool,
    /// The first telnet port of the routers, if their consoles are served by telnet.
    pub telnet: Option<u16>,
}

/// Returns the steps that bring `lab` up. `eidway` is the program that its routers run.
///
/// # Errors
/// The files of the lab do not fit together.
pub fn up(lab: &Lab, eidway: &Path, options: Options) -> Result<Vec<Step>, Failure> {
    wiring::expect(lab)?;
    let mut steps = vec![nodes(lab), wires(lab)];
    steps.extend(impairments(lab, eidway));
    steps.extend([plain(lab), names(lab)]);
    steps.push(routers(lab, eidway, options));
    let hosts = emulated::start_at_home(lab, false, eidway);
    if !hosts.is_empty() {
        steps.push(Step::new(format!("{} emulated hosts", hosts.len()), hosts));
    }
    let programs = programs::start(lab);
    if !programs.is_empty() {
        steps.push(Step::new(format!("{} programs of hosts", programs.len()), programs));
    }
    steps.extend(options.telnet.and_then(|port| telnet(lab, eidway, port)));
    Ok(steps)
}

/// Returns the step that starts the telnet server for the consoles of the routers. Returns `None`
/// if the lab has no routers.
fn telnet(lab: &Lab, eidway: &Path, port: u16) -> Option<Step> {
    let call = Call::new("telnet-start", &lab.name).with(eidway.display()).with(port);
    lab.file.routers().next()?;
    let call = lab.file.routers().fold(call, |call, (node, _)| call.with(node));
    Some(Step::new("telnet server".to_owned(), vec![call]))
}

/// The call that takes down the running lab `name`.
pub fn down(name: &str) -> Step {
    Step::new(format!("{name}: down"), vec![Call::new("lab-down", name)])
}

/// The call that starts a router.
pub fn start(lab: &Lab, node: &str, config: &str, eidway: &Path, options: Options) -> Call {
    let call = Call::new("router-start", &lab.name)
        .with(node)
        .with(paths::config(lab, node, config).display())
        .with(eidway.display());
    let call = if options.no_offload { call.with("--no-offload") } else { call };
    let call = match options.data_path {
        DataPathChoice::Auto => call,
        choice => call.with("--data-path").with(choice),
    };
    if options.record { call.with("record") } else { call }
}

fn nodes(lab: &Lab) -> Step {
    let add = |node: &str, kind| vec![Call::new("node-add", &lab.name).with(node).with(kind)];
    let mut groups: Vec<Vec<Call>> = lab
        .file
        .nodes
        .iter()
        .filter_map(|(name, node)| match node {
            Node::Router { .. } => Some(add(name, "router")),
            Node::Forwarder { .. } => Some(add(name, "node")),
            Node::Host(host) => (!host.emulated).then(|| add(name, "host")),
        })
        .collect();
    if !lab.file.lans.is_empty() {
        groups.push(add(SWITCH, "switch"));
    }
    Step::of_groups(format!("{} namespaces", groups.len()), groups)
}

fn wires(lab: &Lab) -> Step {
    let options = |mut call: Call, mtu: Option<u16>, offload: bool| {
        if let Some(mtu) = mtu {
            call = call.with("mtu").with(mtu);
        }
        if offload { call.with("offload") } else { call }
    };
    let mut groups = Vec::new();
    for link in &lab.file.links {
        let mut call = Call::new("link-add", &lab.name);
        for end in &link.ends {
            call = call.with(&end.node).with(&end.device);
        }
        groups.push(vec![options(call, link.mtu, link.offload)]);
    }
    for lan in &lab.file.lans {
        let mut calls = vec![Call::new("lan-add", &lab.name).with(&lan.name)];
        let cabled = lan.ports.iter().filter(|port| emulated::find(lab, &port.node).is_none());
        for port in cabled {
            let call = Call::new("lan-plug", &lab.name).with(&lan.name);
            let call = call.with(&port.node).with(&port.device);
            calls.push(options(call, lan.mtu, lan.offload));
        }
        groups.push(calls);
    }
    let (links, lans) = (lab.file.links.len(), lab.file.lans.len());
    Step::of_groups(format!("{links} links and {lans} LANs"), groups)
}

/// Returns the step that impairs links as the lab file says. Returns `None` if the lab file impairs
/// no link.
fn impairments(lab: &Lab, eidway: &Path) -> Option<Step> {
    let calls = links::calls(lab, eidway);
    let title = format!("{} impaired directions of links", calls.len());
    (!calls.is_empty()).then(|| Step::new(title, calls))
}

fn plain(lab: &Lab) -> Step {
    let groups = lab.file.nodes.keys().map(|node| plain_node(lab, node)).collect();
    Step::of_groups("addresses and routes of hosts and core nodes", groups)
}

/// Returns the call that configures a node that is not a router. Returns no call if nothing must be
/// configured. The same call can run again after a device was down, to restore the routes that the
/// device has lost.
pub fn plain_node(lab: &Lab, node: &str) -> Vec<Call> {
    let commands: Vec<String> = match lab.file.nodes.get(node) {
        Some(Node::Forwarder { addresses, routes }) => {
            let devices = lab.file.ports().filter(|port| port.node == node);
            let up = devices.map(|port| set_up(&port.device));
            let addresses = addresses.iter().flat_map(|(device, all)| give(device, all));
            let routes = routes.iter().map(|(prefix, via)| route(prefix, *via));
            up.chain(addresses).chain(routes).collect()
        }
        Some(Node::Host(host)) if !host.emulated => {
            let mac = host.mac.map(|mac| format!("link set dev {} address {mac}", host.device));
            let up = mac.into_iter().chain([set_up(&host.device)]);
            up.chain(give(&host.device, &host.addresses)).chain(defaults(host)).collect()
        }
        Some(Node::Router { .. } | Node::Host(_)) | None => return Vec::new(),
    };
    if commands.is_empty() {
        return Vec::new();
    }
    let call = Call::new("node-ip", &lab.name).with(node);
    vec![commands.iter().fold(call, Call::with)]
}

fn set_up(device: &str) -> String {
    format!("link set dev {device} up")
}

/// Returns the commands that add addresses to a device. The device uses the addresses immediately,
/// without duplicate address detection.
fn give<'a>(device: &'a str, addresses: &'a [IpNet]) -> impl Iterator<Item = String> + 'a {
    addresses.iter().map(move |address| {
        let nodad = if address.addr().is_ipv6() { " nodad" } else { "" };
        format!("address replace {address} dev {device}{nodad}")
    })
}

fn route(prefix: impl std::fmt::Display, via: IpAddr) -> String {
    format!("route replace {prefix} via {via}")
}

fn defaults(host: &Host) -> impl Iterator<Item = String> + '_ {
    let gateways = Family::BOTH.into_iter().filter_map(|family| host.gateway(family));
    gateways.map(|via| {
        let command = route("default", via);
        // A link-local address exists on every link, so the command also has the name of the
        // device. The gateways of roaming hosts can have such addresses.
        match is_ipv6_link_local(via) {
            true => format!("{command} dev {}", host.device),
            false => command,
        }
    })
}

/// Returns the step that writes the names of the hosts into a file for the routers.
fn names(lab: &Lab) -> Step {
    let hosts = lab.file.host_names();
    let title = format!("{} names of hosts", hosts.len());
    if hosts.is_empty() {
        return Step::of_groups(title, Vec::new());
    }
    let call = hosts.into_iter().fold(Call::new("host-names", &lab.name), |call, (name, all)| {
        let addresses: Vec<String> = all.iter().map(IpAddr::to_string).collect();
        call.with(format_args!("{name}={}", addresses.join(",")))
    });
    Step::new(title, vec![call])
}

fn routers(lab: &Lab, eidway: &Path, options: Options) -> Step {
    let routers = lab.file.routers();
    let groups: Vec<Vec<Call>> =
        routers.map(|(node, config)| vec![start(lab, node, config, eidway, options)]).collect();
    Step::of_groups(format!("{} routers", groups.len()), groups)
}

#[cfg(test)]
mod tests {
    use super::super::open::open;
    use super::super::verbs::transcript;
    use super::*;
    use crate::lab::file::LabFile;
    use crate::lab::texts::Texts;

    #[test]
    fn the_plan_of_a_lab_is_the_commands_that_a_student_would_type() {
        let lab = open("two-sites", Some("demo")).unwrap();
        let text = transcript(&up(&lab, Path::new("/bin/eidway"), Options::default()).unwrap());
        for line in [
            "# 7 namespaces",
            "netns-scripts/node-add demo Core node",
            "netns-scripts/node-add demo switch switch",
            "netns-scripts/link-add demo xTR1 et0-0 Core eth0",
            "netns-scripts/lan-plug demo site1 xTR1 et1-0",
            "netns-scripts/node-ip demo A 'link set dev eth0 up' \
             'address replace 172.16.0.12/24 dev eth0' \
             'address replace 2001:db8:a::12/64 dev eth0 nodad' \
             'route replace default via 172.16.0.1' 'route replace default via 2001:db8:a::1'",
            "netns-scripts/host-names demo A=172.16.0.12,2001:db8:a::12 \
             B=192.168.0.22,2001:db8:b::22",
        ] {
            assert!(text.lines().any(|l| l == line), "{line:?} is not in\n{text}");
        }
        let start = text.lines().last().unwrap();
        assert!(start.starts_with("netns-scripts/router-start demo xTR2 /"), "{start}");
        assert!(start.ends_with("/xTR2.conf /bin/eidway"), "{start}");
        let options =
            Options { no_offload: true, data_path: DataPathChoice::User, ..Options::default() };
        let text = transcript(&up(&lab, Path::new("eidway"), options).unwrap());
        assert!(text.ends_with("/xTR2.conf eidway --no-offload --data-path user\n"), "{text}");
    }

    #[test]
    fn a_gateway_that_roams_is_link_local_and_its_route_names_the_device() {
        let text = "name = \"x\"\nnodes.a.kind = \"host\"\n\
             nodes.a.addresses = [\"2001:db8:a::12/64\"]\nnodes.a.gateways = [\"fe80::1\"]\n\
             nodes.b.kind = \"node\"\n[[lans]]\nname = \"l\"\nports = [\"a:eth0\", \"b:eth0\"]\n";
        let lab = Lab::new(LabFile::parse("lab.toml", text).unwrap(), Texts::new());
        let text = transcript(&up(&lab, Path::new("eidway"), Options::default()).unwrap());
        assert!(text.contains(" 'route replace default via fe80::1 dev eth0'\n"), "{text}");
    }

    #[test]
    fn the_impairments_of_the_lab_file_are_those_of_both_ends() {
        let text = "name = \"x\"\nnodes.a.kind = \"node\"\nnodes.b.kind = \"node\"\n\
             [[links]]\nendpoints = [\"a:eth0\", \"b:eth1\"]\ndelay = \"5ms\"\nloss = 2.5\n";
        let lab = Lab::new(LabFile::parse("lab.toml", text).unwrap(), Texts::new());
        let text = transcript(&up(&lab, Path::new("eidway"), Options::default()).unwrap());
        for end in ["a eth0", "b eth1"] {
            let line = format!("netns-scripts/link-impair x {end} eidway delay 5ms loss 2.5%\n");
            assert!(text.contains(&line), "{line:?} is not in\n{text}");
        }
    }
}
