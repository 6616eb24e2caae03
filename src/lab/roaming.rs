//! Checks whether a port is configured for a host from another site, and finds the missing lines of
//! configuration. Without these lines, no packet reaches the host after its move.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::file::Host;
use crate::addr::Family;
use crate::router::config::{Config, DatabaseMapping, Interface, InterfaceName};
use crate::router::io::Mac;

/// The name for a new dynamic-EID range, if no range has a name yet.
const NAME: &str = "ROAM";
/// The hardware address for the gateway of hosts that move, if none is configured yet.
const GATEWAY_MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0xaa]);

/// The port of a router to which a host is or will be connected.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The router.
    pub router: &'a str,
    /// The configuration of the router.
    pub config: &'a Config,
    /// The interface of the router on the LAN of the host.
    pub interface: InterfaceName,
}

/// The lines that are missing in the configuration of a router, together with the commands that
/// enter the modes of these lines. The text of this value can be pasted into the configuration of
/// the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The router.
    pub router: String,
    /// The missing lines.
    pub lines: Vec<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.lines.iter();
        let first = lines.next().into_iter().try_for_each(|line| f.write_str(line));
        first.and_then(|()| lines.try_for_each(|line| write!(f, "\n{line}")))
    }
}

/// Returns the addresses of `host` for which a port is not configured. A port is configured for an
/// address if it serves a dynamic-EID range with this address. It is also configured if one of its
/// networks contains the address and the address has a mapping.
pub fn strange(host: &Host, site: Site<'_>) -> Vec<IpAddr> {
    let addresses = host.addresses.iter().map(IpNet::addr);
    addresses.filter(|&address| !site.serves(address) && !site.owns(address)).collect()
}

/// Returns the lines that must be added at two ports before `host` can move between them. A port
/// where no line is missing is not in the result.
pub fn missing(host: &Host, sites: [Site<'_>; 2]) -> Vec<Missing> {
    let [from, to] = sites;
    let mac = |site: Site<'_>| site.port().and_then(|port| port.mac);
    let gateway = mac(from).or(mac(to)).unwrap_or(GATEWAY_MAC);
    let names = sites.iter().find_map(|site| site.name(host));
    let name = names.unwrap_or_else(|| NAME.to_owned());
    let missing = sites.into_iter().map(|site| Missing {
        router: site.router.to_owned(),
        lines: site.missing(host, &name, gateway),
    });
    missing.filter(|missing| !missing.lines.is_empty()).collect()
}

/// Returns the lines that must be added at a map-server before it accepts each address of `host` as
/// a separate EID. Returns `None` if no line is missing, or if no site of the map-server contains
/// the host.
pub fn missing_at_map_server(host: &Host, router: &str, config: &Config) -> Option<Missing> {
    let mut lines = Vec::new();
    for (name, site) in config.lisp.iter().flat_map(|lisp| &lisp.sites) {
        let of_host = |prefix: IpNet| host.addresses.iter().any(|net| prefix.contains(&net.addr()));
        let prefixes =
            site.eid_prefixes.iter().filter(|(_, options)| !options.accept_more_specifics);
        let prefixes = prefixes.map(|(eid, _)| eid.prefix()).filter(|&prefix| of_host(prefix));
        let prefixes: Vec<IpNet> = prefixes.collect();
        if !prefixes.is_empty() {
            lines.push(format!(" site {name}"));
            let line = |prefix| format!("  eid-prefix {prefix} accept-more-specifics");
            lines.extend(prefixes.into_iter().map(line));
        }
    }
    if lines.is_empty() {
        return None;
    }
    lines.insert(0, "router lisp".to_owned());
    Some(Missing { router: router.to_owned(), lines })
}

impl Site<'_> {
    fn port(&self) -> Option<&Interface> {
        self.config.interfaces.get(&self.interface)
    }

    /// Whether the port detects this address as a dynamic EID.
    fn serves(&self, address: IpAddr) -> bool {
        self.config.dynamic_eids().any(|(name, range, _)| {
            range.prefix().contains(&address)
                && self.port().is_some_and(|port| port.lisp_mobility.contains(name))
        })
    }

    /// Whether a network of the port contains this address, and this address has a mapping.
    fn owns(&self, address: IpAddr) -> bool {
        let of_port = self.port().map_or(&[][..], |port| &port.addresses);
        of_port.iter().any(|net| net.contains(&address)) && self.mapping_of(address).is_some()
    }

    /// Returns the fixed prefix that contains `address`, with its mapping. A fixed prefix is not a
    /// dynamic-EID range.
    fn mapping_of(&self, address: IpAddr) -> Option<(&IpNet, &DatabaseMapping)> {
        let lisp = self.config.lisp.as_ref()?;
        let table = lisp.eid_tables.get(&self.config.instance_at(self.interface))?;
        table.database.iter().find(|(prefix, _)| prefix.contains(&address))
    }

    /// Returns the name of the dynamic-EID ranges that the port serves. If the port serves no
    /// range, returns the name of a configured range that contains an address of the host.
    fn name(&self, host: &Host) -> Option<String> {
        let served = self.port().and_then(|port| port.lisp_mobility.first().cloned());
        let of_range = || {
            let mut ranges = self.config.dynamic_eids();
            let has = |prefix: IpNet| host.addresses.iter().any(|net| prefix.contains(&net.addr()));
            ranges.find(|(_, range, _)| has(range.prefix())).map(|(name, ..)| name.to_owned())
        };
        served.or_else(of_range)
    }

    fn missing(&self, host: &Host, name: &str, gateway: Mac) -> Vec<String> {
        let mut port = Vec::new();
        if self.port().and_then(|port| port.mac) != Some(gateway) {
            port.push(format!(" mac-address {gateway}"));
        }
        port.extend(self.missing_gateways(host));
        if self.port().is_none_or(|port| !port.lisp_mobility.contains(name)) {
            port.push(format!(" lisp mobility {name}"));
        }
        let (mut fixed, mut ranges) = (Vec::new(), Vec::new());
        let set = self.locator_set();
        for net in &host.addresses {
            let address = net.addr();
            let mut known = self.config.dynamic_eids();
            if known.any(|(other, range, _)| other == name && range.prefix().contains(&address)) {
                continue;
            }
            let mapping = self.mapping_of(address);
            let set = match mapping {
                Some((_, DatabaseMapping::LocatorSet(set))) => set,
                _ => &set,
            };
            if let Some((prefix, DatabaseMapping::LocatorSet(set))) = mapping {
                fixed.push(format!("  no database-mapping {prefix} locator-set {set}"));
            }
            let prefix = mapping.map_or(net.trunc(), |(prefix, _)| *prefix);
            ranges.push(format!("   database-mapping {prefix} locator-set {set}"));
        }
        let mut lines = Vec::new();
        if !port.is_empty() {
            lines.push(format!("interface {}", self.interface));
            lines.extend(port);
        }
        if !ranges.is_empty() {
            let instance = self.config.instance_at(self.interface);
            lines.push("router lisp".to_owned());
            lines.push(format!(" eid-table default instance-id {instance}"));
            lines.extend(fixed);
            lines.push(format!("  dynamic-eid {name}"));
            lines.extend(ranges);
        }
        lines
    }

    /// Returns the lines that add the gateways of the host as addresses of the port. A gateway that
    /// is already an address of the port has no line. The host keeps its gateways when it moves.
    fn missing_gateways(&self, host: &Host) -> Vec<String> {
        let of_port = self.port().map_or(&[][..], |port| &port.addresses);
        let missing = host.gateways.iter().filter(|&&via| !of_port.iter().any(|n| n.addr() == via));
        let line = |&via: &IpAddr| {
            let mut nets = host.addresses.iter();
            let net = nets.find(|net| net.contains(&via));
            match (via, net) {
                (IpAddr::V4(_), Some(net)) => {
                    let has_one = of_port.iter().any(|net| Family::of(net.addr()) == Family::Ipv4);
                    let secondary = if has_one { " secondary" } else { "" };
                    format!(" ip address {via} {}{secondary}", net.netmask())
                }
                (IpAddr::V6(_), Some(net)) => format!(" ipv6 address {via}/{}", net.prefix_len()),
                (IpAddr::V6(_), None) => format!(" ipv6 address {via} link-local"),
                (IpAddr::V4(_), None) => format!(" ip address {via} 255.255.255.255 secondary"),
            }
        };
        missing.map(line).collect()
    }

    fn locator_set(&self) -> String {
        let sets = self.config.lisp.as_ref().map(|lisp| lisp.locator_sets.keys());
        sets.and_then(|mut sets| sets.next().cloned()).unwrap_or_else(|| "SET".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::parse_config;
    use crate::lab::scenario::library;
    use crate::lab::{Lab, built_in};

    fn config(lab: &Lab, node: &str, more: &str) -> Config {
        let text = lab.text(&format!("{node}.conf")).unwrap();
        let text = text.trim_end().strip_suffix("end").unwrap();
        parse_config(node, &format!("{text}{more}\nend\n")).unwrap()
    }

    fn host<'a>(lab: &'a Lab, name: &str) -> &'a Host {
        lab.file.hosts().find(|(host, _)| *host == name).unwrap().1
    }

    fn port(text: &str) -> InterfaceName {
        text.parse().unwrap()
    }

    #[test]
    fn a_lab_without_roaming_lacks_exactly_what_its_overlay_adds() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let plain = [config(&lab, "xTR1", ""), config(&lab, "xTR2", "")];
        for (name, home, overlay) in
            [("A", "Ethernet1/0", "roaming"), ("C", "Ethernet2/0", "roaming-c")]
        {
            let host = host(&lab, name);
            let site = |config, router, name| Site { router, config, interface: port(name) };
            let (from, to) =
                (site(&plain[0], "xTR1", home), site(&plain[1], "xTR2", "Ethernet1/0"));
            assert!(strange(host, from).is_empty(), "{name} is at home");
            assert_eq!(strange(host, to).len(), 2, "{name} is not");
            let lacks = missing(host, [from, to]);
            assert_eq!(
                lacks.iter().map(|one| one.router.as_str()).collect::<Vec<_>>(),
                ["xTR1", "xTR2"]
            );
            let overlays = library::overlays(&lab, overlay).unwrap();
            for (missing, interface) in lacks.iter().zip([home, "Ethernet1/0"]) {
                let router = missing.router.as_str();
                let pasted = config(&lab, router, &missing.to_string());
                let laid = config(&lab, router, &overlays[router]);
                let of = |config: &Config| {
                    let lisp = config.lisp.clone().unwrap().eid_tables;
                    (config.interfaces.clone(), lisp)
                };
                assert_eq!(of(&pasted), of(&laid), "{name} at {router}:\n{missing}");
                let pasted = Site { router, config: &pasted, interface: port(interface) };
                assert!(strange(host, pasted).is_empty());
            }
            for server in ["NewMSMR", "OldMSMR"] {
                let missing = missing_at_map_server(host, server, &config(&lab, server, ""));
                let pasted = missing.as_ref().map(ToString::to_string).unwrap_or_default();
                let laid = overlays.get(server).cloned().unwrap_or_default();
                let sites = |more: &str| config(&lab, server, more).lisp.unwrap().sites;
                assert_eq!(sites(&pasted), sites(&laid), "{name} at {server}: {pasted}");
            }
        }
    }

    #[test]
    fn two_ports_that_roam_lack_nothing() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let overlays = library::overlays(&lab, "roaming").unwrap();
        let configs = ["xTR1", "xTR2"].map(|node| config(&lab, node, &overlays[node]));
        let site = |number: usize, router| Site {
            router,
            config: &configs[number],
            interface: port("Ethernet1/0"),
        };
        assert_eq!(missing(host(&lab, "A"), [site(0, "xTR1"), site(1, "xTR2")]), []);
    }
}
