//! Checks that the lab file and the configurations of the routers fit together. Each port of a link
//! or LAN must be in the configuration of its router. No address may exist twice on a link or a
//! LAN.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::Lab;
use super::failure::Failure;
use super::file::{LabError, Node, Port, Span};
use crate::console::read_config;
use crate::router::config::{Config, InterfaceName};

/// An address that a node has on a port.
struct Claim<'a> {
    address: IpAddr,
    node: &'a str,
    source: Source<'a>,
}

/// The file that gives an address to a node.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// The configuration of a router, which has the address on this interface.
    Config(&'a Written, InterfaceName),
    /// The lab file.
    LabFile(&'a Lab),
}

impl Claim<'_> {
    /// Returns the path and the text of the file, and the position of the address in the text.
    fn place(&self) -> (&str, &str, Span) {
        match self.source {
            Source::Config(Written { path, text, .. }, name) => {
                (path, text, in_config(text, name, self.address))
            }
            Source::LabFile(Lab { file, .. }) => {
                let place = file.addresses_of(self.node);
                // The lab file may have a dotted key, for example `addresses.eth0 = [..]`. In this
                // case, `place` is only the key, and the list of addresses comes after the key.
                let section = file.text[place.start..].find("\n[");
                let within = place.start..section.map_or(file.text.len(), |end| place.start + end);
                let found = find_address(&file.text, within, self.address);
                (&file.path, &file.text, found.unwrap_or(place))
            }
        }
    }
}

/// The configuration of a router and the file of this configuration.
struct Written {
    path: String,
    text: String,
    config: Config,
}

/// Checks that the parts of a lab fit together. If not, the error lists all faults.
pub fn expect(lab: &Lab) -> Result<(), Failure> {
    let faults: Vec<String> = faults(lab).iter().map(ToString::to_string).collect();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Failure::Other(faults.join("\n\n"))),
    }
}

/// Returns all faults of a lab: parts of its files that do not fit together. A configuration file
/// that itself has an error is ignored.
pub fn faults(lab: &Lab) -> Vec<LabError> {
    let written: BTreeMap<&str, Written> = lab
        .file
        .routers()
        .filter_map(|(node, file)| {
            let (path, text) = (lab.path(file), lab.text(file).ok()?.to_owned());
            let config = read_config(file, &text).config;
            Some((node, Written { path, text, config }))
        })
        .collect();
    let mut faults = Vec::new();
    let links =
        lab.file.links.iter().map(|link| {
            (&link.ends[..], link.ends.each_ref().map(ToString::to_string).join(" to "))
        });
    let lans = lab.file.lans.iter().map(|lan| (&lan.ports[..], lan.name.clone()));
    for (ports, name) in links.chain(lans) {
        let mut known: BTreeMap<IpAddr, Claim<'_>> = BTreeMap::new();
        for port in ports {
            let claims = match written.get(port.node.as_str()) {
                Some(written) => of_router(lab, port, written).unwrap_or_else(|fault| {
                    faults.push(fault);
                    Vec::new()
                }),
                None => of_node(lab, port),
            };
            for claim in claims {
                match known.get(&claim.address) {
                    Some(first) => faults.push(twice(first, &claim, &name)),
                    None => drop(known.insert(claim.address, claim)),
                }
            }
        }
    }
    faults
}

fn twice(first: &Claim<'_>, second: &Claim<'_>, link: &str) -> LabError {
    let Claim { address, node, .. } = first;
    let (path, text, span) = first.place();
    let line = text[..span.start].matches('\n').count() + 1;
    let message =
        format!("two nodes on {link} have the address {address}: {node} and {}", second.node);
    let label = format!("{node} has this address at {path}:{line}");
    let (path, text, span) = second.place();
    LabError::new(path, text, Some(span), message, &label)
}

fn of_router<'a>(
    lab: &Lab,
    port: &'a Port,
    written: &'a Written,
) -> Result<Vec<Claim<'a>>, LabError> {
    let Written { path, config, .. } = written;
    let mut interfaces = config.interfaces.iter();
    let Some((name, interface)) = interfaces.find(|(name, _)| name.device() == port.device) else {
        let message = format!("{} has no interface {}", port.node, port.interface);
        let label = format!("not in {path}");
        return Err(lab.file.error(lab.file.place_of(port), message, &label));
    };
    let claim = |node: &'a str, net: &IpNet| {
        let source = Source::Config(written, *name);
        Claim { address: net.addr(), node, source }
    };
    let mut claims: Vec<Claim<'_>> =
        interface.addresses.iter().map(|net| claim(&port.node, net)).collect();
    for (host, made_of) in &interface.emulated_hosts {
        claims.extend(made_of.addresses.iter().map(|net| claim(host, net)));
    }
    Ok(claims)
}

fn of_node<'a>(lab: &'a Lab, port: &'a Port) -> Vec<Claim<'a>> {
    let addresses = match lab.file.nodes.get(&port.node) {
        Some(Node::Forwarder { addresses, .. }) => addresses.get(&port.device),
        Some(Node::Host(host)) => Some(&host.addresses),
        _ => None,
    };
    let claim =
        |net: &IpNet| Claim { address: net.addr(), node: &port.node, source: Source::LabFile(lab) };
    addresses.into_iter().flatten().map(claim).collect()
}

/// Returns the position of `address` in the lines of an interface. `text` is the configuration with
/// this interface. If the address is not found, returns the position of the beginning of the text.
fn in_config(text: &str, name: InterfaceName, address: IpAddr) -> Span {
    let (mut start, mut inside) = (0, false);
    for line in text.split_inclusive('\n') {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default().to_lowercase();
        if first.len() > 2 && "interface".starts_with(&first) {
            inside = words.collect::<String>().parse() == Ok(name);
        } else if !line.starts_with(char::is_whitespace) && !first.is_empty() && first != "!" {
            inside = false;
        }
        let end = start + line.len();
        if inside && let Some(span) = find_address(text, start..end, address) {
            return span;
        }
        start = end;
    }
    0..0
}

/// Returns the position of this address in `within`. The address may be spelled in any form.
fn find_address(text: &str, within: Span, address: IpAddr) -> Option<Span> {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let mut rest = within.start;
    for word in text[within].split_inclusive(|c| !is_part(c)) {
        let word_alone = word.trim_end_matches(|c| !is_part(c));
        if word_alone.parse() == Ok(address) {
            return Some(rest..rest + word_alone.len());
        }
        rest += word.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::file::LabFile;

    /// Makes a lab with a router, a host and a plain node. `config` is the configuration of the
    /// router. `host` and `core` are the addresses of the host and of the plain node.
    fn lab(config: &str, host: &str, core: &str) -> Lab {
        let toml = format!(
            "name = \"x\"\nnodes.r.kind = \"router\"\nnodes.r.config = \"r.conf\"\n\
             [nodes.A]\nkind = \"host\"\naddresses = [\"{host}\"]\n\
             [nodes.Core]\nkind = \"node\"\naddresses.eth0 = [\"{core}\"]\n\
             [[lans]]\nname = \"site\"\nports = [\"A:eth0\", \"r:Ethernet1/0\"]\n\
             [[links]]\nendpoints = [\"r:Ethernet0/0\", \"Core:eth0\"]\n"
        );
        let file = LabFile::parse("x/lab.toml", &toml).unwrap();
        Lab::new(file, [("r.conf".to_owned(), Ok(config.to_owned()))].into())
    }

    const RIGHT: &str = "hostname r\ninterface Ethernet0/0\n ip address 10.0.0.1 255.255.255.0\n\
         interface Ethernet1/0\n ip address 172.16.0.1 255.255.255.0\n ipv6 address 2001:DB8::1/64\n";

    fn said(config: &str, host: &str, core: &str) -> String {
        expect(&lab(config, host, core))
            .map_or_else(|failure| failure.to_string(), |()| String::new())
    }

    #[test]
    fn an_address_is_once_on_a_link_and_each_fault_shows_file_and_line() {
        assert_eq!(said(RIGHT, "172.16.0.12/24", "10.0.0.2/24"), "");
        // The same address may exist on another link.
        assert_eq!(said(RIGHT, "10.0.0.1/24", "172.16.0.1/24"), "");
        let host = said(RIGHT, "172.16.0.1/24", "10.0.0.2/24");
        for part in [
            "two nodes on site have the address 172.16.0.1: A and r",
            "r.conf:5:13\n",
            "5 |  ip address 172.16.0.1 255.255.255.0\n",
            "^^^^^^^^^^ A has this address at ",
            "lab.toml:6",
        ] {
            assert!(host.contains(part), "{part:?} is not in\n{host}");
        }
        let core = said(RIGHT, "172.16.0.12/24", "10.0.0.1/24");
        assert!(
            core.contains("two nodes on r:Ethernet0/0 to Core:eth0 have the address 10.0.0.1"),
            "{core}"
        );
        assert!(core.contains("lab.toml:9:20\n") && core.contains("r.conf:3"), "{core}");
        let spelled = said(RIGHT, "2001:db8:0::1/64", "10.0.0.2/24");
        assert!(spelled.contains("r.conf:6:15\n"), "another spelling: {spelled}");
    }

    #[test]
    fn a_port_that_the_configuration_does_not_have_is_shown_in_the_lab_file() {
        let config = "hostname r\ninterface Ethernet0/0\n ip address 10.0.0.1 255.255.255.0\n";
        let said = said(config, "172.16.0.12/24", "10.0.0.1/24");
        for part in [
            "r has no interface Ethernet1/0\n",
            "lab.toml:12:20\n",
            "not in ",
            "have the address 10.0.0.1",
        ] {
            assert!(said.contains(part), "{part:?} is not in\n{said}");
        }
    }
}
