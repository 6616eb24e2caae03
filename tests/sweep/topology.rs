//! The parts of a lab of the sweep, as a few numbers. The addresses, the lab file and the
//! configurations are made from these numbers.
//!
//! ```text
//!   host ── LAN ── xTR 0 ┐                        ┌ server 0, 1 (map-server and resolver)
//!   host ── LAN ──┘      ├─ core 0 ─ core 1 ─ ... ┤
//!   host ── LAN ── xTR 1 ┘                        └ proxy ── outside host
//! ```
//! Every router is connected to one core router. LAN `l` of site `s` is 172.(16+s).l.0/24 and
//! 2001:db8:aSLL::/64 with one host. The first LAN of each site also serves the roaming range
//! 172.31.0.0/24, 2001:db8:afff::/64, whose hosts have no neighbours in common: another host of the
//! range may be at another site. With `overlap`, the last LAN of site 1 is the upper half of the
//! first LAN's prefix of site 0.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use eidway::addr::{Eid, EidPrefix, Family, InstanceId};
use eidway::console::parse_config;
use eidway::lab::file::{Core, Host, LabFile, Lan as LanFile, Link, Node, Places, Port};
use eidway::lab::impairment::Impairment;
use eidway::router::config::{Config, InterfaceName};
use ipnet::IpNet;

/// A map-server with reliable transport, or one of the old kind in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    New,
    Old,
}

/// LAN `.1` of site `.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lan(pub usize, pub usize);

/// A LISP router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Router {
    Server(usize),
    Xtr(usize),
    Proxy,
}

/// A link of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cable {
    /// From a router to its core router.
    Uplink(Router),
    /// From core router n to n + 1.
    Core(usize),
}

/// A host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The host of a LAN.
    At(Lan),
    /// A roaming host: it may be on the first LAN of any site.
    Roamer(usize),
    /// The host behind the proxy xTR. Its address is not an EID.
    Outside,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The map-servers, in the order in which they are asked.
    pub servers: Vec<Kind>,
    /// LANs of each site.
    pub lans: Vec<usize>,
    pub roamers: usize,
    pub overlap: bool,
    pub proxy: bool,
    pub cores: usize,
    /// The delay of each link of the core.
    pub delay_ms: u64,
}

/// The part of a configuration that may change in a run.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The LANs whose database-mappings are removed from the configuration.
    pub unmapped: BTreeSet<Lan>,
    /// (site, server) with a wrong key on the xTR's side.
    pub wrong_keys: BTreeSet<(usize, usize)>,
}

impl Router {
    pub fn name(self) -> String {
        match self {
            Router::Server(n) => format!("MSMR{n}"),
            Router::Xtr(n) => format!("xTR{n}"),
            Router::Proxy => "PxTR".to_owned(),
        }
    }

    /// The number of the router in RLOCs and core addresses.
    fn number(self) -> usize {
        match self {
            Router::Server(n) => 1 + n,
            Router::Xtr(n) => 11 + n,
            Router::Proxy => 9,
        }
    }

    pub fn rloc(self) -> IpAddr {
        IpAddr::from([100, 64, self.number() as u8, 2])
    }

    fn core_port(self) -> String {
        format!("r{}", self.number())
    }

    /// The networks of the router in the core, IPv4 and IPv6. `host` is the last part of the
    /// address.
    fn uplink(self, host: u8) -> [IpNet; 2] {
        let number = self.number();
        [
            net(&format!("100.64.{number}.{host}/24")),
            net(&format!("2001:db8:c:{number}::{host}/64")),
        ]
    }
}

impl Lan {
    pub fn name(self) -> String {
        format!("lan{}-{}", self.0, self.1)
    }

    fn port(self) -> String {
        format!("Ethernet1/{}", self.1)
    }
}

impl End {
    pub fn name(self) -> String {
        match self {
            End::At(Lan(site, lan)) => format!("H{site}-{lan}"),
            End::Roamer(n) => format!("R{n}"),
            End::Outside => "N".to_owned(),
        }
    }
}

pub const ROAMING: [&str; 2] = ["172.31.0.0/24", "2001:db8:afff::/64"];
const ROAMING_GATEWAY: [&str; 2] = ["172.31.0.1/24", "2001:db8:afff::1/64"];

pub fn net(text: &str) -> IpNet {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub fn prefix(net: IpNet) -> EidPrefix {
    EidPrefix::new(InstanceId::DEFAULT, net)
}

pub fn eid(address: IpAddr) -> Eid {
    Eid::new(InstanceId::DEFAULT, address)
}

impl Topology {
    pub fn sites(&self) -> usize {
        self.lans.len()
    }

    /// Whether the protocol can serve the topology. If there is only a map-server of the old kind,
    /// it does not report more specific prefixes to ETRs.
    pub fn is_sound(&self) -> bool {
        !self.overlap || self.servers.contains(&Kind::New)
    }

    pub fn all_lans(&self) -> Vec<Lan> {
        let sites = self.lans.iter().enumerate();
        sites.flat_map(|(site, &lans)| (0..lans).map(move |lan| Lan(site, lan))).collect()
    }

    pub fn routers(&self) -> Vec<Router> {
        let servers = (0..self.servers.len()).map(Router::Server);
        let xtrs = (0..self.sites()).map(Router::Xtr);
        servers.chain(xtrs).chain(self.proxy.then_some(Router::Proxy)).collect()
    }

    pub fn ends(&self) -> Vec<End> {
        let at = self.all_lans().into_iter().map(End::At);
        let roamers = (0..self.roamers).map(End::Roamer);
        at.chain(roamers).chain(self.proxy.then_some(End::Outside)).collect()
    }

    pub fn cables(&self) -> Vec<Cable> {
        let uplinks = self.routers().into_iter().map(Cable::Uplink);
        uplinks.chain((1..self.cores).map(|core| Cable::Core(core - 1))).collect()
    }

    /// Whether this LAN of site 1 has a part of site 0's first prefix.
    pub fn is_overlapping(&self, lan: Lan) -> bool {
        self.overlap && lan.0 == 1 && lan.1 + 1 == self.lans[1]
    }

    /// The name of a link in the simulator.
    pub fn cable_name(&self, cable: Cable) -> String {
        match cable {
            Cable::Uplink(router) => {
                let (name, core) = (router.name(), self.core_of(router));
                format!("{name}:et0-0-Core{core}:{}", router.core_port())
            }
            Cable::Core(n) => format!("Core{n}:east-Core{}:west", n + 1),
        }
    }

    pub fn impairment(&self) -> Impairment {
        Impairment { delay: Duration::from_millis(self.delay_ms), ..Impairment::default() }
    }

    fn core_of(&self, router: Router) -> usize {
        router.number() % self.cores
    }

    /// The prefixes of a LAN, IPv4 and IPv6, and the last parts of gateway's and host's address.
    fn plan(&self, lan: Lan) -> ([IpNet; 2], [IpNet; 2], [IpNet; 2]) {
        let nets = |v4: &str, v6: &str| [net(v4), net(v6)];
        if self.is_overlapping(lan) {
            return (
                nets("172.16.0.128/25", "2001:db8:a000:0:8000::/65"),
                nets("172.16.0.129/25", "2001:db8:a000:0:8000::1/65"),
                nets("172.16.0.130/25", "2001:db8:a000:0:8000::10/65"),
            );
        }
        let Lan(site, l) = lan;
        let v4 = |last: u8, len: u8| format!("172.{}.{l}.{last}/{len}", 16 + site);
        let v6 = |last: &str, len: u8| format!("2001:db8:a{site:x}{l:02x}::{last}/{len}");
        // If another site has the upper half of the host's prefix, the host sends packets for this
        // half to its gateway.
        let halved = self.overlap && lan == Lan(0, 0);
        let (host_v4, host_v6) = if halved { (25, 65) } else { (24, 64) };
        (
            nets(&v4(0, 24), &v6("", 64)),
            nets(&v4(1, 24), &v6("1", 64)),
            nets(&v4(10, host_v4), &v6("10", host_v6)),
        )
    }

    pub fn prefixes(&self, lan: Lan) -> [IpNet; 2] {
        self.plan(lan).0
    }

    fn interfaces(&self, end: End) -> ([IpNet; 2], [IpNet; 2]) {
        match end {
            End::At(lan) => {
                let (_, gateways, hosts) = self.plan(lan);
                (hosts, gateways)
            }
            End::Roamer(n) => {
                let hosts =
                    [format!("172.31.0.{}/32", 10 + n), format!("2001:db8:afff::{}/128", 10 + n)];
                (hosts.map(|host| net(&host)), ROAMING_GATEWAY.map(net))
            }
            End::Outside => (
                [net("192.0.2.99/24"), net("2001:db8:99::99/64")],
                [net("192.0.2.1/24"), net("2001:db8:99::1/64")],
            ),
        }
    }

    pub fn address(&self, end: End, family: Family) -> IpAddr {
        let [v4, v6] = self.interfaces(end).0.map(|net| net.addr());
        if family == Family::Ipv4 { v4 } else { v6 }
    }

    /// Returns the lab. `roamers_at` has the site at which each roaming host begins.
    pub fn lab(&self, roamers_at: &[usize]) -> LabFile {
        let mut nodes = BTreeMap::new();
        for router in self.routers() {
            let name = router.name();
            nodes.insert(name.clone(), Node::Router { config: format!("{name}.conf") });
        }
        for core in 0..self.cores {
            nodes.insert(format!("Core{core}"), self.core(core));
        }
        for end in self.ends() {
            let (hosts, gateways) = self.interfaces(end);
            let host = Host {
                run: Vec::new(),
                emulated: false,
                device: "eth0".to_owned(),
                addresses: hosts.to_vec(),
                gateways: gateways.iter().map(IpNet::addr).collect(),
                mac: None,
            };
            nodes.insert(end.name(), Node::Host(host));
        }
        LabFile {
            path: "sweep".to_owned(),
            text: String::new(),
            name: "sweep".to_owned(),
            title: None,
            core: Core::Written,
            nodes,
            links: self.cables().into_iter().map(|cable| self.link(cable)).collect(),
            lans: self.lan_files(roamers_at),
            positions: BTreeMap::new(),
            places: Places::default(),
        }
    }

    fn core(&self, core: usize) -> Node {
        let mut addresses = BTreeMap::new();
        let mut routes = BTreeMap::new();
        let between = |cable: usize, end: u8| {
            [
                net(&format!("100.127.{cable}.{end}/30")),
                net(&format!("2001:db8:cc:{cable}::{end}/64")),
            ]
        };
        if core > 0 {
            addresses.insert("west".to_owned(), between(core - 1, 2).to_vec());
        }
        if core + 1 < self.cores {
            addresses.insert("east".to_owned(), between(core, 1).to_vec());
        }
        for router in self.routers() {
            let at = self.core_of(router);
            let next = match at.cmp(&core) {
                std::cmp::Ordering::Equal => {
                    addresses.insert(router.core_port(), router.uplink(1).to_vec());
                    router.uplink(2)
                }
                std::cmp::Ordering::Less => between(core - 1, 1),
                std::cmp::Ordering::Greater => between(core, 2),
            };
            let outside = [net("192.0.2.0/24"), net("2001:db8:99::/64")];
            for family in 0..2 {
                if at != core {
                    routes.insert(router.uplink(0)[family].trunc(), next[family].addr());
                }
                if router == Router::Proxy {
                    routes.insert(outside[family], next[family].addr());
                }
            }
        }
        Node::Forwarder { addresses, routes }
    }

    fn link(&self, cable: Cable) -> Link {
        let port = |node: String, device: String| Port { node, interface: device.clone(), device };
        let ends = match cable {
            Cable::Uplink(router) => [
                interface_port(router, "Ethernet0/0"),
                port(format!("Core{}", self.core_of(router)), router.core_port()),
            ],
            Cable::Core(n) => [
                port(format!("Core{n}"), "east".to_owned()),
                port(format!("Core{}", n + 1), "west".to_owned()),
            ],
        };
        let impairment = self.impairment();
        Link { ends, mtu: None, offload: false, impairment }
    }

    fn lan_files(&self, roamers_at: &[usize]) -> Vec<LanFile> {
        let host = |end: End| Port {
            node: end.name(),
            interface: "eth0".to_owned(),
            device: "eth0".to_owned(),
        };
        let lan_file = |name: String, ports| LanFile { name, ports, mtu: None, offload: false };
        let mut lans = Vec::new();
        for lan in self.all_lans() {
            let mut ports =
                vec![interface_port(Router::Xtr(lan.0), &lan.port()), host(End::At(lan))];
            let here = (0..self.roamers).filter(|&n| lan.1 == 0 && roamers_at[n] == lan.0);
            ports.extend(here.map(|n| host(End::Roamer(n))));
            lans.push(lan_file(lan.name(), ports));
        }
        if self.proxy {
            let ports = vec![interface_port(Router::Proxy, "Ethernet1/0"), host(End::Outside)];
            lans.push(lan_file("outside".to_owned(), ports));
        }
        lans
    }

    pub fn config(&self, router: Router, settings: &Settings) -> Config {
        let text = match router {
            Router::Server(n) => self.server_text(n),
            Router::Xtr(n) => self.xtr_text(n, settings),
            Router::Proxy => self.proxy_text(),
        };
        parse_config("sweep", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// Returns the start of a configuration: the host name and the uplink.
    fn opening(&self, router: Router) -> String {
        let mut text = format!("hostname {}\n", router.name());
        interface_text(&mut text, "Ethernet0/0", &[router.uplink(2)], "");
        text
    }

    fn closing(&self, router: Router) -> String {
        let [v4, v6] = router.uplink(1).map(|net| net.addr());
        format!(" exit\nip route 0.0.0.0 0.0.0.0 {v4}\nipv6 route ::/0 {v6}\nend\n")
    }

    fn server_text(&self, n: usize) -> String {
        let mut text = self.opening(Router::Server(n));
        text += "router lisp\n eid-table default instance-id 0\n  exit\n site SITES\n";
        let _ = writeln!(text, "  authentication-key key{n}");
        let lans = self.all_lans().into_iter().filter(|&lan| !self.is_overlapping(lan));
        let prefixes = lans.flat_map(|lan| self.prefixes(lan));
        for prefix in prefixes.chain(ROAMING.map(net)) {
            let _ = writeln!(text, "  eid-prefix {prefix} accept-more-specifics");
        }
        text += "  exit\n";
        let kind = if self.servers[n] == Kind::Old { " legacy" } else { "" };
        for family in ["ipv4", "ipv6"] {
            let _ = writeln!(text, " {family} map-server{kind}\n {family} map-resolver");
        }
        text + &self.closing(Router::Server(n))
    }

    fn xtr_text(&self, site: usize, settings: &Settings) -> String {
        let router = Router::Xtr(site);
        let mut text = self.opening(router);
        for lan in 0..self.lans[site] {
            let lan = Lan(site, lan);
            let (_, gateways, _) = self.plan(lan);
            match lan.1 == 0 && self.roamers > 0 {
                true => interface_text(
                    &mut text,
                    &lan.port(),
                    &[gateways, ROAMING_GATEWAY.map(net)],
                    " mac-address 0200.0000.00aa\n lisp mobility ROAM\n",
                ),
                false => interface_text(&mut text, &lan.port(), &[gateways], ""),
            }
        }
        text += "router lisp\n locator-set set1\n";
        let _ = writeln!(text, "  {} priority 1 weight 100\n  exit", router.rloc());
        text += " eid-table default instance-id 0\n";
        let lans = (0..self.lans[site]).map(|lan| Lan(site, lan));
        for lan in lans.filter(|lan| !settings.unmapped.contains(lan)) {
            for prefix in self.prefixes(lan) {
                let _ = writeln!(text, "  database-mapping {prefix} locator-set set1");
            }
        }
        if self.roamers > 0 {
            text += "  dynamic-eid ROAM\n";
            for range in ROAMING {
                let _ = writeln!(text, "   database-mapping {range} locator-set set1");
            }
            text += "   exit\n";
        }
        text += "  exit\n";
        for family in ["ipv4", "ipv6"] {
            for n in 0..self.servers.len() {
                let wrong = settings.wrong_keys.contains(&(site, n));
                let key = if wrong { "wrong".to_owned() } else { format!("key{n}") };
                let server = Router::Server(n).rloc();
                let _ = writeln!(text, " {family} itr map-resolver {server}");
                let _ = writeln!(text, " {family} etr map-server {server} key {key}");
            }
            let _ = writeln!(text, " {family} itr\n {family} etr");
        }
        text + &self.closing(router)
    }

    fn proxy_text(&self) -> String {
        let mut text = self.opening(Router::Proxy);
        let (_, gateways) = self.interfaces(End::Outside);
        interface_text(&mut text, "Ethernet1/0", &[gateways], "");
        text += "router lisp\n eid-table default instance-id 0\n";
        text += "  map-cache 172.16.0.0/12 map-request\n";
        text += "  map-cache 2001:db8:a000::/36 map-request\n  exit\n";
        for family in ["ipv4", "ipv6"] {
            for n in 0..self.servers.len() {
                let server = Router::Server(n).rloc();
                let _ = writeln!(text, " {family} itr map-resolver {server}");
            }
            let rloc = Router::Proxy.rloc();
            let _ = writeln!(text, " {family} proxy-itr {rloc}\n {family} proxy-etr");
        }
        text + &self.closing(Router::Proxy)
    }
}

fn interface_port(router: Router, interface: &str) -> Port {
    let name: InterfaceName = interface.parse().unwrap_or_else(|error| panic!("{error}"));
    Port { node: router.name(), interface: interface.to_owned(), device: name.device() }
}

/// `interface` with its addresses, the first of a family primary, and further lines.
fn interface_text(text: &mut String, name: &str, addresses: &[[IpNet; 2]], further: &str) {
    let _ = writeln!(text, "interface {name}");
    for (at, [v4, v6]) in addresses.iter().enumerate() {
        let secondary = if at > 0 { " secondary" } else { "" };
        let _ = writeln!(text, " ip address {} {}{secondary}", v4.addr(), v4.netmask());
        let _ = writeln!(text, " ipv6 address {v6}");
    }
    text.push_str(further);
}
