//! `show ip route` and `show ipv6 route`: the kernel's table main, the addresses of this router,
//! and the configured routes that are in a different table of the kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::span::{seconds, span};
use super::{ROWS_A_TURN, Rows, State, Table};
use crate::addr::{Eid, Family, is_link_local};
use crate::console::view::routes::{
    Head, Network, Path, RouteRow, RouteSource, RouteView, Summary,
};
use crate::router::Router;
use crate::router::config::{InterfaceName, StaticRoute, StaticTarget};
use crate::router::io::{KernelRoute, LISP_DEVICE};
use crate::time::Time;

/// The routes of a family.
#[derive(Debug)]
pub struct RouteTable {
    family: Family,
    /// If set, only the routes of this source are printed.
    only: Option<RouteSource>,
    after: Option<IpNet>,
    /// The network of class A, B or C that contains the last row that [`Table::rows`] returned.
    made: Option<IpNet>,
    /// The latest network of class A, B or C that was printed.
    printed: Option<Network>,
}

impl RouteTable {
    /// The routes of a family. If `only` is given, the table has only the routes of this source.
    pub fn new(family: Family, only: Option<RouteSource>) -> Self {
        RouteTable { family, only, after: None, made: None, printed: None }
    }

    /// Finds the network of class A, B or C that contains a row. If the previous row was in a
    /// different network and the network of this row has subnets, adds the network to this row.
    fn introduce(&mut self, row: &mut RouteRow, router: &Router, others: &Others) {
        let class = class(row.prefix);
        if class == self.made {
            return;
        }
        let network = class.map(|prefix| network(router, others, prefix));
        let has_subnets = |it: &Network| it.mask_len.is_none_or(|len| len > it.prefix.prefix_len());
        row.network = network.filter(has_subnets);
        self.made = row.network.map(|network| network.prefix);
    }
}

impl Table for RouteTable {
    type Head = Head;
    type Row = RouteRow;

    fn head(&self, router: &Router, now: Time) -> Result<Head, String> {
        let routes = router.rib().routes_after(self.family, None);
        let is_up = |routes: &BTreeSet<KernelRoute>| routes.iter().any(|r| router.rib().is_up(r));
        let total = routes.filter(|(_, routes)| is_up(routes)).count();
        let all = self.family.default_prefix();
        let defaults = rows_of(router, &others(router, self.family), all, now);
        let default = defaults.iter().find(|row| row.source != RouteSource::Lisp);
        let hop = default.map(|row| row.paths.first().and_then(|path| path.next_hop));
        let last_resort = hop.map(|hop| hop.unwrap_or(all.addr()));
        Ok(Head { family: self.family, last_resort, total })
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<RouteRow> {
        let routes = router.rib().routes_after(self.family, self.after);
        let mut prefixes: Vec<IpNet> = routes.map(|(prefix, _)| prefix).take(ROWS_A_TURN).collect();
        let finished = prefixes.len() < ROWS_A_TURN;
        let last = prefixes.last().copied().filter(|_| !finished);
        let others = others(router, self.family);
        prefixes.extend(others.keys().filter(|prefix| {
            self.after.is_none_or(|after| **prefix > after)
                && last.is_none_or(|last| **prefix <= last)
        }));
        prefixes.sort();
        prefixes.dedup();
        self.after = last;
        let mut rows = Vec::new();
        for prefix in prefixes.into_iter().filter(|prefix| !is_link_local(prefix.addr())) {
            for mut row in rows_of(router, &others, prefix, now) {
                if self.only.is_none_or(|only| only == row.source) {
                    self.introduce(&mut row, router, &others);
                    rows.push(row);
                }
            }
        }
        Rows { rows, finished }
    }

    fn head_text(&self, head: &Head) -> String {
        let Head { family, last_resort, total } = head;
        match (family, last_resort) {
            (Family::Ipv4, None) => format!("{CODES}\nGateway of last resort is not set\n\n"),
            (Family::Ipv4, Some(hop)) => {
                format!("{CODES}\nGateway of last resort is {hop} to network 0.0.0.0\n\n")
            }
            (Family::Ipv6, _) => {
                format!("IPv6 Routing Table - default - {total} entries\n{CODES_OF_IPV6}")
            }
        }
    }

    fn row_text(&mut self, row: &RouteRow) -> String {
        if self.family == Family::Ipv6 {
            return ipv6_text(row);
        }
        let mut text = String::new();
        if let Some(network) = row.network {
            self.printed = Some(network);
            text += &network_text(&network);
        }
        let network = self.printed.filter(|network| network.prefix.contains(&row.prefix));
        text + &ipv4_text(row, network.as_ref())
    }
}

const CODES: &str = "\
Codes: L - local, C - connected, S - static, l - LISP
       a - application route (another program of this machine made it)
       * - candidate default
";
const CODES_OF_IPV6: &str = "\
Codes: C - Connected, L - Local, S - Static, l - LISP
       a - Application (another program of this machine made it)
";

/// The Linux device that has the addresses of the loopback interfaces.
const LOOPBACK: &str = "lo";

/// The routes that are not in the kernel's table main, by prefix.
type Others = BTreeMap<IpNet, Vec<RouteRow>>;

/// Returns three kinds of routes: the routes to the addresses of this router, the configured
/// default routes of an ITR, and the routes to `Null0`. A route through a link is in the result
/// only if the link is up.
fn others(router: &Router, family: Family) -> Others {
    let mut others = Others::new();
    let mut add = |prefix: IpNet, source, next_hop, interface: String| {
        let path = Path { next_hop, interface, metric: 0 };
        let row = RouteRow { source, prefix, paths: vec![path], uptime: None, network: None };
        others.entry(prefix).or_default().push(row);
    };
    let config = router.config();
    for (name, address) in config.addresses().filter(|(_, net)| Family::of(net.addr()) == family) {
        if !is_up(router, &name) || is_link_local(address.addr()) {
            continue;
        }
        let (host, network) = (IpNet::from(address.addr()), address.trunc());
        if name.device() == LOOPBACK {
            // The kernel's table main has no route for a network on the device `lo`. Therefore the
            // route is added here.
            add(network, RouteSource::Connected, None, name.to_string());
        }
        if host != network {
            add(host, RouteSource::Local, None, name.to_string());
        }
    }
    let routes = config.static_routes.iter();
    for &StaticRoute { prefix, target, .. } in
        routes.filter(|it| Family::of(it.prefix.addr()) == family)
    {
        let leaves = prefix.prefix_len() == 0 && config.roles(family).itr;
        match target {
            StaticTarget::Null => add(prefix, RouteSource::Static, None, "Null0".to_owned()),
            StaticTarget::Interface(name) if leaves && is_up(router, &name) => {
                add(prefix, RouteSource::Static, None, name.to_string());
            }
            StaticTarget::NextHop(hop) if leaves => {
                let mut nets = config.addresses().filter(|(_, net)| net.contains(&hop));
                if let Some((name, _)) = nets.next().filter(|(name, _)| is_up(router, name)) {
                    add(prefix, RouteSource::Static, Some(hop), name.to_string());
                }
            }
            _ => {}
        }
    }
    others
}

fn is_up(router: &Router, name: &InterfaceName) -> bool {
    let shutdown = router.config().interfaces.get(name).is_none_or(|it| it.shutdown);
    let device = name.device();
    !shutdown
        && (device == LOOPBACK || router.link(name).is_some_and(|link| link.up && link.carrier))
}

/// The rows of one prefix. A default prefix can have two rows: the configured route, and the route
/// into the overlay.
fn rows_of(router: &Router, others: &Others, prefix: IpNet, now: Time) -> Vec<RouteRow> {
    let mut rows = others.get(&prefix).cloned().unwrap_or_default();
    for route in router.rib().routes_of(prefix) {
        let (source, uptime) = source(router, route, now);
        let interface = interface(&route.device);
        let path = Path { next_hop: route.gateway, interface, metric: route.metric };
        match rows.iter_mut().find(|row| row.source == source) {
            Some(row) => row.paths.push(path),
            None => {
                rows.push(RouteRow { source, prefix, paths: vec![path], uptime, network: None })
            }
        }
    }
    for row in &mut rows {
        row.paths.sort_by_key(|path| path.metric);
    }
    rows
}

/// The name of the interface with this Linux device.
pub fn interface(device: &str) -> String {
    match InterfaceName::of_device(device) {
        Some(name) => name.to_string(),
        None if device == LISP_DEVICE => "LISP0".to_owned(),
        None => device.to_owned(),
    }
}

/// The source of a route in table main. If LISP found a host and made this route to it, the second
/// value is the number of seconds since LISP found the host.
fn source(router: &Router, route: &KernelRoute, now: Time) -> (RouteSource, Option<u64>) {
    let config = router.config();
    if route.device == LISP_DEVICE {
        return (RouteSource::Lisp, None);
    }
    let prefix = route.prefix;
    let is_connected = |(name, net): (InterfaceName, IpNet)| {
        net.trunc() == prefix && name.device() == route.device
    };
    if route.gateway.is_none() && config.addresses().any(is_connected) {
        return (RouteSource::Connected, None);
    }
    if config.static_routes.iter().any(|it| it.prefix == prefix) {
        return (RouteSource::Static, None);
    }
    if prefix.prefix_len() == prefix.max_prefix_len() {
        let mut instances = config.instances();
        let hosts = router.mobility().hosts();
        let host = instances.find_map(|id| hosts.get(&Eid::new(id, prefix.addr())));
        if let Some(host) = host {
            return (RouteSource::Lisp, Some(seconds(now.since(host.found_at))));
        }
    }
    (RouteSource::Application, None)
}

/// The network of class A, B or C that contains an IPv4 prefix. `None` if no network of these
/// classes contains the whole prefix.
fn class(prefix: IpNet) -> Option<IpNet> {
    let IpNet::V4(prefix) = prefix else { return None };
    let len = match prefix.network().octets()[0] {
        0..128 => 8,
        128..192 => 16,
        192..224 => 24,
        _ => return None,
    };
    let class = Ipv4Net::new(prefix.network(), len).ok()?.trunc();
    (prefix.prefix_len() >= len).then_some(IpNet::V4(class))
}

fn network(router: &Router, others: &Others, prefix: IpNet) -> Network {
    let (mut subnets, mut lengths) = router.rib().subnets(prefix);
    let inside = others.keys().filter(|other| prefix.contains(*other));
    for other in inside.filter(|other| router.rib().routes_of(**other).next().is_none()) {
        subnets += 1;
        lengths.insert(other.prefix_len());
    }
    let mask_len = lengths.first().copied().filter(|_| lengths.len() == 1);
    Network { prefix, subnets, masks: lengths.len(), mask_len }
}

fn network_text(network: &Network) -> String {
    let Network { prefix, subnets, masks, mask_len } = network;
    match mask_len {
        Some(len) => {
            let network = prefix.addr();
            format!("      {network}/{len} is subnetted, {subnets} subnets\n")
        }
        None => format!("      {prefix} is variably subnetted, {subnets} subnets, {masks} masks\n"),
    }
}

fn code(row: &RouteRow) -> &'static str {
    match row.source {
        RouteSource::Local => "L",
        RouteSource::Connected => "C",
        RouteSource::Static if row.prefix.prefix_len() == 0 => "S*",
        RouteSource::Static => "S",
        RouteSource::Lisp => "l",
        RouteSource::Application => "a",
    }
}

fn distance(source: RouteSource) -> u8 {
    match source {
        RouteSource::Local | RouteSource::Connected | RouteSource::Application => 0,
        RouteSource::Static => 1,
        RouteSource::Lisp => 10,
    }
}

/// The metric of a path as IOS prints it. For a route that another program made, it is the metric
/// in the kernel. For any other route it is 0, because this router chose the metric in the kernel
/// for its own purposes.
fn metric(row: &RouteRow, path: Option<&Path>) -> u32 {
    match row.source {
        RouteSource::Application => path.map_or(0, |path| path.metric),
        _ => 0,
    }
}

fn ipv4_text(row: &RouteRow, network: Option<&Network>) -> String {
    let code = code(row);
    let start = match network {
        None => format!("{code:5} {}", row.prefix),
        Some(Network { mask_len: Some(_), .. }) => format!("{code:8} {}", row.prefix.addr()),
        Some(_) => format!("{code:8} {}", row.prefix),
    };
    let mut text = String::new();
    let mut before = start.clone();
    for path in &row.paths {
        let Path { next_hop, interface, .. } = path;
        let (distance, metric) = (distance(row.source), metric(row, Some(path)));
        let _ = match (next_hop, row.uptime) {
            (Some(hop), _) => writeln!(text, "{before} [{distance}/{metric}] via {hop}"),
            (None, Some(uptime)) => {
                let (host, since) = (row.prefix.addr(), span(uptime));
                writeln!(text, "{before} [{distance}/1] via {host}, {since}, {interface}")
            }
            (None, None) => writeln!(text, "{before} is directly connected, {interface}"),
        };
        before = " ".repeat(start.len());
    }
    text
}

fn ipv6_text(row: &RouteRow) -> String {
    let code = code(row).trim_end_matches('*');
    let metric = metric(row, row.paths.first());
    let distance = distance(row.source);
    let mut text = format!("{code:3} {} [{distance}/{metric}]\n", row.prefix);
    for Path { next_hop, interface, .. } in &row.paths {
        let _ = match (next_hop, row.source) {
            (Some(hop), _) => writeln!(text, "     via {hop}, {interface}"),
            (None, RouteSource::Local) => writeln!(text, "     via {interface}, receive"),
            (None, _) => writeln!(text, "     via {interface}, directly connected"),
        };
    }
    text
}

/// The view of the route by which the kernel sends packets to an address.
pub fn to(State { router, now, .. }: State<'_>, address: IpAddr) -> RouteView {
    let family = Family::of(address);
    let others = others(router, family);
    let mut prefixes: Vec<IpNet> = router.rib().routes_to(address).map(|(it, _)| it).collect();
    prefixes.extend(others.keys().filter(|prefix| prefix.contains(&address)));
    prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.prefix_len()));
    let rows = prefixes.into_iter().map(|prefix| rows_of(router, &others, prefix, now));
    let row =
        rows.into_iter().find(|rows| !rows.is_empty()).and_then(|rows| rows.into_iter().next());
    RouteView { address, route: row }
}

/// The text of `show ip route ADDRESS`.
pub fn to_text(view: &RouteView) -> String {
    let Some(row) = &view.route else {
        return "% Network not in table\n".to_owned();
    };
    let known = match row.source {
        RouteSource::Local | RouteSource::Connected => "connected",
        RouteSource::Static => "static",
        RouteSource::Lisp => "lisp",
        RouteSource::Application => "application",
    };
    let first = metric(row, row.paths.first());
    let kind = match row.source {
        RouteSource::Local | RouteSource::Connected => " (connected, via interface)",
        _ => "",
    };
    let mut text = format!("Routing entry for {}\n", row.prefix);
    let distance = distance(row.source);
    let _ = writeln!(text, "  Known via \"{known}\", distance {distance}, metric {first}{kind}");
    text += "  Routing Descriptor Blocks:\n";
    for (number, path) in row.paths.iter().enumerate() {
        let (Path { next_hop, interface, .. }, metric) = (path, metric(row, Some(path)));
        let star = if number == 0 { '*' } else { ' ' };
        let _ = match next_hop {
            Some(hop) => writeln!(text, "  {star} {hop}, via {interface}"),
            None => writeln!(text, "  {star} directly connected, via {interface}"),
        };
        let _ = writeln!(text, "      Route metric is {metric}, traffic share count is 1");
    }
    text
}

/// The view of the number of routes from each source.
pub fn summary(State { router, now, .. }: State<'_>, family: Family) -> Summary {
    let mut counts = BTreeMap::new();
    let others = others(router, family);
    let of_kernel = router.rib().routes_after(family, None).map(|(prefix, _)| prefix);
    let prefixes: BTreeSet<IpNet> = of_kernel.chain(others.keys().copied()).collect();
    for prefix in prefixes.into_iter().filter(|prefix| !is_link_local(prefix.addr())) {
        for row in rows_of(router, &others, prefix, now) {
            *counts.entry(row.source).or_default() += 1;
        }
    }
    Summary { family, sources: counts.into_iter().collect() }
}

/// The text of `show ip route summary`.
pub fn summary_text(view: &Summary) -> String {
    let mut text = "IP routing table name is default (0x0)\nRoute Source    Networks\n".to_owned();
    for (source, count) in &view.sources {
        let name = match source {
            RouteSource::Local => "local",
            RouteSource::Connected => "connected",
            RouteSource::Static => "static",
            RouteSource::Lisp => "lisp",
            RouteSource::Application => "application",
        };
        let _ = writeln!(text, "{name:15} {count}");
    }
    let total: usize = view.sources.iter().map(|(_, count)| count).sum();
    let _ = writeln!(text, "{:15} {total}", "Total");
    text
}
