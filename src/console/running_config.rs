//! Writes a configuration in the format of IOS. If the text is read again, the result equals the
//! [`Config`].
//!
//! The text first defines the interfaces, then the locator-sets, and then the objects whose lines
//! name interfaces or locator-sets. So the text can be pasted into a console.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::net::IpAddr;

use ipnet::IpNet;

use super::grammar::LOCATOR_DEFAULT;
use crate::addr::{Family, InstanceId, is_ipv6_link_local};
use crate::router::config::{
    Config, ConfiguredLocator, DatabaseMapping, EidTable, EmulatedHost, Interface, InterfaceName,
    Lisp, LocatorSource, NonceOrder, Service, Site, StaticRoute, StaticTarget, Vrf, VtyLines,
};
use crate::router::unsupported::{Place, Unsupported};
use crate::wire::auth::{Algorithm, Key};

/// The beginning of a comment that contains a kept line. The line is about a function of LISP that
/// the router does not have.
pub(super) const NOT_SUPPORTED: &str = "! not supported:";

/// The text of a configuration: the output of `show running-config`, and the content of a `.conf`
/// file.
pub fn running_config(config: &Config) -> String {
    let mut out = Writer { text: String::new(), unsupported: &config.unsupported };
    if !config.hostname.is_empty() {
        out.line(0, format_args!("hostname {}", config.hostname));
        out.mark(0);
    }
    for (name, vrf) in &config.vrfs {
        write_vrf(&mut out, name, vrf);
        out.mark(0);
    }
    for (name, interface) in &config.interfaces {
        write_interface(&mut out, name, interface);
        out.mark(0);
    }
    if let Some(lisp) = &config.lisp {
        write_lisp(&mut out, lisp);
        out.mark(0);
    }
    for route in &config.static_routes {
        write_route(&mut out, route);
    }
    if !config.static_routes.is_empty() {
        out.mark(0);
    }
    write_names(&mut out, config);
    write_vty_lines(&mut out, &config.vty_lines);
    out.line(0, "end");
    out.text
}

fn write_vty_lines(out: &mut Writer, lines: &VtyLines) {
    if *lines == VtyLines::default() {
        return;
    }
    out.line(0, "line vty 0 4");
    if let Some(password) = &lines.password {
        // If a password begins with the word `0` or `7`, the parser of the line would take this
        // word for the type of the password.
        let needs_type = matches!(password.split_whitespace().next(), Some("0" | "7"));
        out.line(1, format_args!("password {}{password}", if needs_type { "0 " } else { "" }));
    }
    out.line(1, if lines.no_login { "no login" } else { "login" });
    out.mark(0);
}

/// A text of configuration lines. Each line has the indentation of its mode.
struct Writer<'a> {
    text: String,
    unsupported: &'a Unsupported,
}

impl Writer<'_> {
    fn line(&mut self, depth: usize, line: impl Display) {
        writeln!(self.text, "{:depth$}{line}", "").expect("a String takes everything");
    }

    /// Writes the lines that are kept at `place`, as comments. The router does not carry out these
    /// lines.
    fn comments(&mut self, depth: usize, place: &Place) {
        for line in self.unsupported.at(place) {
            self.line(depth, format_args!("{NOT_SUPPORTED} {line}"));
        }
    }

    /// Writes a line `!`, as IOS does between blocks.
    fn mark(&mut self, depth: usize) {
        self.line(depth, "!");
    }
}

fn write_vrf(out: &mut Writer<'_>, name: &str, vrf: &Vrf) {
    out.line(0, format_args!("vrf definition {name}"));
    if let Some(text) = &vrf.description {
        out.line(1, format_args!("description {text}"));
    }
    if let Some(rd) = &vrf.rd {
        out.line(1, format_args!("rd {rd}"));
    }
    for target in &vrf.route_targets {
        out.line(1, format_args!("route-target {target}"));
    }
    for (family, targets) in &vrf.families {
        out.mark(1);
        out.line(1, format_args!("address-family {}", family.to_string().to_lowercase()));
        for target in targets {
            out.line(2, format_args!("route-target {target}"));
        }
        out.line(1, "exit-address-family");
    }
}

fn write_interface(out: &mut Writer<'_>, name: &InterfaceName, interface: &Interface) {
    out.line(0, format_args!("interface {name}"));
    if let Some(text) = &interface.description {
        out.line(1, format_args!("description {text}"));
    }
    if let Some(vrf) = &interface.vrf {
        out.line(1, format_args!("vrf forwarding {vrf}"));
    }
    if let Some(vlan) = interface.vlan {
        out.line(1, format_args!("encapsulation dot1Q {vlan}"));
    }
    if let Some(mac) = interface.mac {
        out.line(1, format_args!("mac-address {mac}"));
    }
    if let Some(mtu) = interface.mtu {
        out.line(1, format_args!("mtu {mtu}"));
    }
    let mut secondary = "";
    for address in &interface.addresses {
        match address {
            IpNet::V4(net) => {
                let (address, mask) = (net.addr(), net.netmask());
                out.line(1, format_args!("ip address {address} {mask}{secondary}"));
                secondary = " secondary";
            }
            IpNet::V6(net) if is_ipv6_link_local(address.addr()) => {
                out.line(1, format_args!("ipv6 address {} link-local", net.addr()));
            }
            IpNet::V6(net) => out.line(1, format_args!("ipv6 address {net}")),
        }
    }
    if interface.proxy_arp {
        out.line(1, "ip proxy-arp");
    }
    for name in &interface.lisp_mobility {
        out.line(1, format_args!("lisp mobility {name}"));
    }
    if interface.shutdown {
        out.line(1, "shutdown");
    }
    for (name, host) in &interface.emulated_hosts {
        for line in emulated_host(name, host) {
            out.line(1, line);
        }
    }
    out.comments(1, &Place::Interface(*name));
}

/// The lines of an emulated host. They are printed below the interface of the host.
pub fn emulated_host(name: &str, host: &EmulatedHost) -> Vec<String> {
    let mac = host.mac.map(|mac| format!("emulated-host {name} mac-address {mac}"));
    let mut gateways = host.gateways.clone();
    let addresses = host.addresses.iter().map(|address| {
        // The line with the first address of a family also has the gateway of this family.
        let gateway = gateways.remove(&Family::of(address.addr()));
        let gateway = gateway.map_or_else(String::new, |via| format!(" gateway {via}"));
        match address {
            IpNet::V4(net) => {
                let (address, mask) = (net.addr(), net.netmask());
                format!("emulated-host {name} ip address {address} {mask}{gateway}")
            }
            IpNet::V6(net) => format!("emulated-host {name} ipv6 address {net}{gateway}"),
        }
    });
    mac.into_iter().chain(addresses).collect()
}

fn write_route(out: &mut Writer<'_>, route: &StaticRoute) {
    let mut words = match route.prefix {
        IpNet::V4(net) => format!("ip route {} {}", net.network(), net.netmask()),
        IpNet::V6(net) => format!("ipv6 route {net}"),
    };
    let mut word = |word: &dyn Display| words += &format!(" {word}");
    if let Some(interface) = &route.interface {
        word(interface);
    }
    match &route.target {
        StaticTarget::NextHop(address) => word(address),
        StaticTarget::Interface(name) => word(name),
        StaticTarget::Null => word(&"Null0"),
    }
    if route.distance != StaticRoute::DISTANCE {
        word(&route.distance);
    }
    if let Some(tag) = route.tag {
        word(&format_args!("tag {tag}"));
    }
    if let Some(name) = &route.name {
        word(&format_args!("name {name}"));
    }
    out.line(0, words);
}

fn write_names(out: &mut Writer<'_>, config: &Config) {
    for (name, addresses) in &config.hosts {
        let (ipv6, ipv4): (Vec<_>, Vec<_>) = addresses.iter().partition(|one| one.is_ipv6());
        for (word, addresses) in [("ip", ipv4), ("ipv6", ipv6)] {
            let addresses: Vec<String> = addresses.into_iter().map(IpAddr::to_string).collect();
            if !addresses.is_empty() {
                out.line(0, format_args!("{word} host {name} {}", addresses.join(" ")));
            }
        }
    }
    for (name, text) in &config.aliases {
        out.line(0, format_args!("alias exec {name} {text}"));
    }
    if !(config.hosts.is_empty() && config.aliases.is_empty()) {
        out.mark(0);
    }
}

fn write_lisp(out: &mut Writer<'_>, lisp: &Lisp) {
    match lisp.process {
        0 => out.line(0, "router lisp"),
        process => out.line(0, format_args!("router lisp {process}")),
    }
    for (name, locators) in &lisp.locator_sets {
        out.line(1, format_args!("locator-set {name}"));
        for locator in locators {
            out.line(2, Locator(locator));
        }
        out.comments(2, &Place::LocatorSet(name.clone()));
        out.line(2, "exit-locator-set");
        out.mark(1);
    }
    for (&id, table) in &lisp.eid_tables {
        write_eid_table(out, id, table);
        out.mark(1);
    }
    for (name, site) in &lisp.sites {
        write_site(out, name, site);
        out.mark(1);
    }
    if lisp.loc_reach.echo_nonce {
        out.line(1, "loc-reach-algorithm echo-nonce");
    }
    if lisp.loc_reach.lsb_reports {
        out.line(1, "loc-reach-algorithm lsb-reports");
    }
    if lisp.no_reliable_registration {
        out.line(1, "no reliable-registration");
    }
    for family in Family::BOTH {
        write_service(out, family, lisp.service(family));
    }
    out.comments(1, &Place::Lisp);
    out.line(1, "exit-router-lisp");
}

fn write_eid_table(out: &mut Writer<'_>, id: InstanceId, table: &EidTable) {
    let vrf = table.vrf.as_ref().map_or_else(|| "default".to_owned(), |name| format!("vrf {name}"));
    out.line(1, format_args!("eid-table {vrf} instance-id {id}"));
    write_database(out, 2, &table.database);
    for prefix in &table.map_requests {
        out.line(2, format_args!("map-cache {prefix} map-request"));
    }
    for (name, dynamic) in &table.dynamic_eids {
        out.line(2, format_args!("dynamic-eid {name}"));
        write_database(out, 3, &dynamic.database);
        out.comments(3, &Place::DynamicEid(id, name.clone()));
        out.line(3, "exit-dynamic-eid");
        out.mark(2);
    }
    out.comments(2, &Place::EidTable(id));
    out.line(2, "exit-eid-table");
}

fn write_database(out: &mut Writer<'_>, depth: usize, database: &BTreeMap<IpNet, DatabaseMapping>) {
    for (prefix, mapping) in database {
        match mapping {
            DatabaseMapping::LocatorSet(set) => {
                out.line(depth, format_args!("database-mapping {prefix} locator-set {set}"));
            }
            DatabaseMapping::Inline(locators) => {
                for locator in locators {
                    out.line(depth, format_args!("database-mapping {prefix} {}", Locator(locator)));
                }
            }
        }
    }
}

fn write_site(out: &mut Writer<'_>, name: &str, site: &Site) {
    out.line(1, format_args!("site {name}"));
    if let Some(text) = &site.description {
        out.line(2, format_args!("description {text}"));
    }
    if let Some(key) = &site.key {
        out.line(2, format_args!("authentication-key {}", KeyWords(key)));
    }
    match site.nonce_order {
        NonceOrder::Id => {}
        NonceOrder::Strict => out.line(2, "nonce-order strict"),
        NonceOrder::None => out.line(2, "nonce-order none"),
    }
    for (prefix, options) in &site.eid_prefixes {
        let instance = match prefix.instance_id() {
            InstanceId::DEFAULT => String::new(),
            id => format!("instance-id {id} "),
        };
        let more = if options.accept_more_specifics { " accept-more-specifics" } else { "" };
        out.line(2, format_args!("eid-prefix {instance}{prefix}{more}"));
    }
    out.comments(2, &Place::Site(name.to_owned()));
    out.line(2, "exit-site");
}

fn write_service(out: &mut Writer<'_>, family: Family, service: &Service) {
    let family = family.to_string().to_lowercase();
    let mut line = |line: fmt::Arguments<'_>| out.line(1, format_args!("{family} {line}"));
    if service.map_server {
        let legacy = if service.map_server_legacy { " legacy" } else { "" };
        line(format_args!("map-server{legacy}"));
    }
    if service.map_resolver {
        line(format_args!("map-resolver"));
    }
    write_itr(&mut line, service);
    for (address, server) in &service.etr_map_servers {
        let reply = if server.proxy_reply { " proxy-reply" } else { "" };
        let key = KeyWords(&server.key);
        line(format_args!("etr map-server {address} key {key}{reply}"));
    }
    if let Some(minutes) = service.etr_map_cache_ttl {
        line(format_args!("etr map-cache-ttl {minutes}"));
    }
    for peer in &service.etr_smr_peers {
        line(format_args!("etr smr-peer {peer}"));
    }
    if service.etr {
        line(format_args!("etr"));
    }
    if service.proxy_etr {
        line(format_args!("proxy-etr"));
    }
    if !service.proxy_itr.is_empty() {
        let rlocs: Vec<String> = service.proxy_itr.iter().map(|rloc| rloc.to_string()).collect();
        line(format_args!("proxy-itr {}", rlocs.join(" ")));
    }
    for petr in &service.use_petr {
        line(format_args!("use-petr {}", Petr(petr)));
    }
    if let Some(address) = service.map_request_source {
        line(format_args!("map-request-source {address}"));
    }
    if let Some(entries) = service.map_cache_limit {
        line(format_args!("map-cache-limit {entries}"));
    }
    if service.locator_excludes_default {
        line(format_args!("locator reachability exclude-default"));
    }
    if service.ignores_smrs {
        line(format_args!("solicit-map-request ignore"));
    }
    if service.etr_no_forward_away {
        out.line(1, format_args!("no {family} etr forward-away"));
    }
    if service.etr_no_source_check {
        out.line(1, format_args!("no {family} etr source-check"));
    }
}

fn write_itr(line: &mut impl FnMut(fmt::Arguments<'_>), service: &Service) {
    for address in &service.itr_map_resolvers {
        line(format_args!("itr map-resolver {address}"));
    }
    if let Some(milliseconds) = service.itr_smr_delay_ms {
        line(format_args!("itr smr-delay {milliseconds}"));
    }
    if service.itr_accept_default {
        line(format_args!("itr accept-default"));
    }
    if let Some(length) = service.itr_widest_mapping {
        line(format_args!("itr widest-mapping {length}"));
    }
    if service.itr {
        line(format_args!("itr"));
    }
}

/// A locator with its priority and weight.
struct Locator<'a>(&'a ConfiguredLocator);

impl Display for Locator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.source {
            LocatorSource::Address(rloc) => write!(f, "{rloc}")?,
            LocatorSource::Interface(family, name) => write!(f, "{family}-interface {name}")?,
        }
        write!(f, " priority {} weight {}", self.0.priority, self.0.weight)
    }
}

/// A proxy ETR. The priority and weight are left out if both are the default.
struct Petr<'a>(&'a ConfiguredLocator);

impl Display for Petr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConfiguredLocator { source, priority, weight } = self.0;
        match source {
            LocatorSource::Address(rloc) if (*priority, *weight) == LOCATOR_DEFAULT => rloc.fmt(f),
            _ => Locator(self.0).fmt(f),
        }
    }
}

/// A key, and the words before and after the key in a line. If the algorithm is not the default,
/// the words `hash-function sha2` follow the key. If the key is `0`, `6` or `7`, the word `0`
/// (unencrypted) precedes the key. Without the word `0`, this key would be read as a type of
/// encryption.
struct KeyWords<'a>(&'a Key);

impl Display for KeyWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = String::from_utf8_lossy(&self.0.secret);
        if ["0", "6", "7"].contains(&&*secret) {
            f.write_str("0 ")?;
        }
        f.write_str(&secret)?;
        match self.0.algorithm {
            Algorithm::HmacSha1 => Ok(()),
            _ => f.write_str(" hash-function sha2"),
        }
    }
}
