//! Reads the state of the kernel in the namespaces of a lab, from the output of `ip`. `ip` only
//! reads from the kernel: it sends no packet and changes no table. An emulated host has no
//! namespace, so its state is read from the router that runs it.

use std::io::Write;
use std::net::IpAddr;
use std::process::{Output, Stdio};

use ipnet::IpNet;
use serde::Deserialize;

use super::{console, emulated, environment, paths};
use crate::addr::{Family, is_ipv6_link_local};
use crate::console::view::emulated_hosts::{EmulatedHostRow, EmulatedHostsView};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::name::SWITCH;
use crate::lab::kernel::{LinkState, Neighbour, Route, RouteQuery};

/// A device, as `ip -json address show` prints it.
#[derive(Deserialize)]
struct Device {
    ifname: String,
    flags: Vec<String>,
    mtu: u32,
    /// The bridge to which the device belongs.
    master: Option<String>,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    local: Option<IpAddr>,
    prefixlen: u8,
}

/// An address of another host for which a device answers (a proxy entry).
#[derive(Deserialize)]
struct Proxy {
    dst: IpAddr,
    dev: Option<String>,
}

/// The settings of a device, as `ip -json netconf show` prints them.
#[derive(Deserialize)]
struct Settings {
    family: String,
    interface: Option<String>,
    #[serde(default)]
    forwarding: bool,
    #[serde(default)]
    proxy_neigh: bool,
}

/// A route, as `ip -json route get` prints it.
#[derive(Deserialize)]
struct Found {
    #[serde(rename = "type")]
    kind: Option<String>,
    dst: Option<String>,
    gateway: Option<IpAddr>,
    via: Option<Via>,
    dev: Option<String>,
    prefsrc: Option<IpAddr>,
}

/// The next hop of a route, if the IP version of the next hop is not the IP version of the
/// destination.
#[derive(Deserialize)]
struct Via {
    host: IpAddr,
}

/// A neighbour, as `ip -json neigh show` prints it.
#[derive(Deserialize)]
struct Entry {
    dst: IpAddr,
    dev: Option<String>,
    #[serde(default)]
    state: Vec<String>,
    lladdr: Option<String>,
}

/// Returns the devices of a node.
pub fn links(lab: &Lab, node: &str) -> Result<Vec<LinkState>, Failure> {
    if let Some(host) = emulated::find(lab, node) {
        let link = |row: &EmulatedHostRow| LinkState {
            device: host.device.clone(),
            up: row.up,
            carrier: row.up,
            mtu: 1500,
            addresses: row.addresses.clone(),
            ..LinkState::default()
        };
        let mut links: Vec<LinkState> = emulated_row(lab, node).iter().map(link).collect();
        tell_lans(lab, node, &mut links)?;
        return Ok(links);
    }
    let commands = ["address show", "neigh show proxy", "netconf show", "neigh show"];
    let output = ask(lab, node, &commands)?;
    let mut answers = output.lines();
    let devices: Vec<Device> = read(node, answers.next())?;
    let proxies: Vec<Proxy> = read(node, answers.next())?;
    let settings: Vec<Settings> = read(node, answers.next())?;
    let entries: Vec<Entry> = read(node, answers.next())?;
    let link = |device: Device| {
        let has = |flag: &str| device.flags.iter().any(|found| found == flag);
        let is_here = |name: &Option<String>| name.as_deref() == Some(&device.ifname);
        let of_device = settings.iter().find(|it| it.family == "inet" && is_here(&it.interface));
        let answered = proxies.iter().filter(|proxy| is_here(&proxy.dev));
        let net = |address: &Address| IpNet::new(address.local?, address.prefixlen).ok();
        let nets = device.addr_info.iter().filter_map(net);
        LinkState {
            up: has("UP"),
            carrier: has("LOWER_UP"),
            mtu: device.mtu,
            addresses: nets.filter(|net| !is_ipv6_link_local(net.addr())).collect(),
            lan: None,
            proxy_arp: of_device.is_some_and(|it| it.proxy_neigh),
            proxies: answered.map(|proxy| proxy.dst).collect(),
            neighbours: entries.iter().filter(|it| is_here(&it.dev)).map(neighbour).collect(),
            device: device.ifname,
        }
    };
    let mut links: Vec<LinkState> = devices.into_iter().map(link).collect();
    tell_lans(lab, node, &mut links)?;
    Ok(links)
}

fn neighbour(entry: &Entry) -> Neighbour {
    let state = entry.state.first().map(|state| state.to_lowercase()).unwrap_or_default();
    let is_known = entry.lladdr.is_some() && state != "failed" && state != "incomplete";
    Neighbour { address: entry.dst, state, is_known }
}

/// Sets the LAN of each device that is on a LAN. The other end of such a device is a port of a
/// bridge in the namespace of the switch.
fn tell_lans(lab: &Lab, node: &str, links: &mut [LinkState]) -> Result<(), Failure> {
    let is_on_lan = |device: &str| {
        let mut ports = lab.file.lans.iter().flat_map(|lan| &lan.ports);
        ports.any(|port| port.node == node && port.device == device)
    };
    if !links.iter().any(|link| is_on_lan(&link.device)) {
        return Ok(());
    }
    let output = ask(lab, SWITCH, &["link show"])?;
    let ends: Vec<Device> = read(SWITCH, output.lines().next())?;
    for link in links.iter_mut().filter(|link| is_on_lan(&link.device)) {
        let name = format!("{node}.{}", link.device);
        let end = ends.iter().find(|end| end.ifname == name);
        link.lan = end.and_then(|end| end.master.clone());
    }
    Ok(())
}

/// Returns the route that a node has for the packet of `query`.
pub fn route(lab: &Lab, node: &str, query: &RouteQuery) -> Result<Route, Failure> {
    let RouteQuery { destination, source, input } = query;
    if emulated::find(lab, node).is_some() {
        return Ok(emulated_route(emulated_row(lab, node), query));
    }
    let mut from = String::new();
    if let Some(source) = source {
        from.push_str(&format!(" from {source}"));
    }
    if let Some(device) = input {
        from.push_str(&format!(" iif {device}"));
    }
    // The first command prints the prefix of the route. The second command prints the source
    // address that the kernel chooses.
    let lookups = [
        format!("route get fibmatch {destination}{from}"),
        format!("route get {destination}{from}"),
    ];
    let (matched, source) = match look(lab, node, &lookups)? {
        Ok(found) => found,
        Err(Route::Unreachable) if input.is_some() && !forwards(lab, node, *destination)? => {
            return Ok(Route::NotForwarding);
        }
        Err(route) => return Ok(route),
    };
    let Some(device) = matched.dev else { return Ok(Route::Missing) };
    if matched.kind.as_deref() == Some("local") {
        return Ok(Route::Local);
    }
    let prefix = matched.dst.as_deref().and_then(|text| match text {
        "default" => Some(Family::of(*destination).default_prefix()),
        text => text.parse().ok().or_else(|| text.parse().ok().map(|host: IpAddr| host.into())),
    });
    let gateway = matched.gateway.or(matched.via.map(|via| via.host));
    Ok(Route::Out { device, gateway, prefix, source })
}

/// Looks up one route with two commands. Returns the route from the output of the first command,
/// and the source address from the output of the second command. If the second command prints no
/// source address, the source address of the first command is returned. The inner error is returned
/// if a packet cannot leave the node: the route is missing, a black hole or unreachable.
fn look(
    lab: &Lab,
    node: &str,
    commands: &[String; 2],
) -> Result<Result<(Found, Option<IpAddr>), Route>, Failure> {
    let commands = commands.each_ref().map(String::as_str);
    let Output { stdout, stderr, .. } = run(lab, node, &commands)?;
    let output = String::from_utf8_lossy(&stdout);
    let mut found = output.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let found: Result<Vec<Found>, Failure> = read(node, Some(line));
        found.map(|found| found.into_iter().next())
    });
    let matched = found.next().transpose()?.flatten();
    if let Some(matched) = matched {
        let chosen = found.next().transpose()?.flatten().and_then(|found| found.prefsrc);
        let source = chosen.or(matched.prefsrc);
        return Ok(Ok((matched, source)));
    }
    let error = String::from_utf8_lossy(&stderr);
    // These are the texts of ENETUNREACH, EINVAL and EHOSTUNREACH.
    let route = match () {
        () if error.contains("Network is unreachable") => Route::Missing,
        () if error.contains("Invalid argument") => Route::Blackhole,
        () if error.contains("No route to host") => Route::Unreachable,
        () => {
            let command = commands[1];
            return Err(Failure::Other(format!(
                "{node}: `ip {command}` fails: {}",
                error.trim_end()
            )));
        }
    };
    Ok(Err(route))
}

fn forwards(lab: &Lab, node: &str, destination: IpAddr) -> Result<bool, Failure> {
    let output = ask(lab, node, &["netconf show"])?;
    let settings: Vec<Settings> = read(node, output.lines().next())?;
    let family = match Family::of(destination) {
        Family::Ipv4 => "inet",
        Family::Ipv6 => "inet6",
    };
    let all =
        settings.iter().find(|it| it.family == family && it.interface.as_deref() == Some("all"));
    Ok(all.is_none_or(|all| all.forwarding))
}

/// Returns the row of an emulated host in the output of `show emulated-hosts`. The row comes from
/// the router that runs the host.
fn emulated_row(lab: &Lab, name: &str) -> Option<EmulatedHostRow> {
    let (router, _) = emulated::whereabouts(lab, name)?;
    let socket = paths::socket(lab, &router);
    let view: EmulatedHostsView = console::view(&socket, "show emulated-hosts").ok()?;
    view.hosts.into_iter().find(|row| row.name == name)
}

fn emulated_route(row: Option<EmulatedHostRow>, query: &RouteQuery) -> Route {
    let Some(row) = row else { return Route::Missing };
    let destination = query.destination;
    if row.addresses.iter().any(|net| net.addr() == destination) {
        return Route::Local;
    }
    if query.input.is_some() {
        return Route::NotForwarding;
    }
    let family = Family::of(destination);
    let on_link = row.addresses.iter().find(|net| net.contains(&destination));
    let gateway = row.gateways.iter().copied().find(|via| Family::of(*via) == family);
    let gateway = if on_link.is_some() { None } else { gateway };
    if on_link.is_none() && gateway.is_none() {
        return Route::Missing;
    }
    let of_family = |net: &&IpNet| Family::of(net.addr()) == family;
    let source = on_link.or_else(|| row.addresses.iter().find(of_family)).map(IpNet::addr);
    let prefix = Some(on_link.map_or(family.default_prefix(), IpNet::trunc));
    Route::Out { device: "eth0".to_owned(), gateway, prefix, source }
}

/// Runs commands of `ip` in the namespace of a node. Returns one line of JSON for each command.
fn ask(lab: &Lab, node: &str, commands: &[&str]) -> Result<String, Failure> {
    let Output { status, stdout, stderr } = run(lab, node, commands)?;
    if !status.success() {
        let error = String::from_utf8_lossy(&stderr);
        return Err(Failure::Other(format!("{node}: `ip` fails: {}", error.trim_end())));
    }
    let output = String::from_utf8_lossy(&stdout);
    Ok(output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("{line}\n"))
        .collect())
}

fn run(lab: &Lab, node: &str, commands: &[&str]) -> Result<Output, Failure> {
    let mut ip = environment::program("ip")?;
    ip.args(["-n", &paths::namespace(lab, node), "-json", "-force", "-batch", "-"]);
    ip.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = ip.spawn().map_err(Failure::io("ip"))?;
    if let Some(mut stdin) = child.stdin.take() {
        let lines: String = commands.iter().map(|command| format!("{command}\n")).collect();
        stdin.write_all(lines.as_bytes()).map_err(Failure::io("ip"))?;
    }
    child.wait_with_output().map_err(Failure::io("ip"))
}

fn read<T: for<'a> Deserialize<'a>>(node: &str, line: Option<&str>) -> Result<Vec<T>, Failure> {
    let line = line.unwrap_or("[]");
    serde_json::from_str(line).map_err(|error| {
        Failure::Other(format!("{node}: the output of `ip` cannot be read: {error}"))
    })
}
