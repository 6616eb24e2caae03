//! `lab report`: a lab as a document in Markdown, from its files.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Lab;
use super::file::Node;
use super::graph::mermaid;
use super::verbs::show::{LabAddresses, show};
use crate::addr::Family;
use crate::console::read_config;
use crate::router::config::{Config, ConfiguredLocator, DatabaseMapping, Lisp, LocatorSource};

/// Returns the document: the picture, the nodes, the routers with their roles and peers, the
/// mappings of the xTRs, the sites of the map-servers, the addresses, and the routes.
pub fn report(lab: &Lab) -> String {
    let configs: BTreeMap<&str, Config> = lab
        .file
        .routers()
        .filter_map(|(node, path)| Some((node, read_config(path, lab.text(path).ok()?).config)))
        .collect();
    let mut text = format!("# {}\n\n", cell(&lab.name));
    if let Some(title) = &lab.file.title {
        text.push_str(&format!("{}\n\n", cell(title)));
    }
    text.push_str(&format!("```mermaid\n{}```\n", mermaid(lab)));
    nodes(&mut text, lab);
    routers(&mut text, &configs);
    mappings(&mut text, &configs);
    sites(&mut text, &configs);
    let LabAddresses { addresses, routes } = show(lab);
    table(
        &mut text,
        "Addresses",
        ["Node", "Interface", "Address", "Link to", "From"],
        addresses
            .into_iter()
            .map(|row| [row.node, row.interface, row.address, row.to.join(", "), row.origin]),
    );
    table(
        &mut text,
        "Static routes and gateways",
        ["Node", "Route to", "Via", "From"],
        routes.into_iter().map(|row| [row.node, row.prefix, row.via, row.origin]),
    );
    text
}

/// Adds a section with a table. If the table has no rows, adds nothing.
fn table<const N: usize>(
    text: &mut String,
    title: &str,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    // A write into a `String` has no error.
    let _ = writeln!(text, "\n## {title}\n\n| {} |", head.join(" | "));
    let _ = writeln!(text, "|{}", " --- |".repeat(N));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.map(|word| cell(&word)).join(" | "));
    }
}

/// Returns a text for a line or a cell of Markdown. Characters with a special meaning in Markdown
/// get a backslash before them.
fn cell(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '|' | '`' | '*' | '_' | '<' | '[' => quoted.extend(['\\', character]),
            '\n' | '\r' => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted
}

fn nodes(text: &mut String, lab: &Lab) {
    let kind = |node: &Node| match node {
        Node::Router { .. } => "router",
        Node::Forwarder { .. } => "plain node",
        Node::Host(host) if host.emulated => "emulated host",
        Node::Host(_) => "host",
    };
    let rows = lab.file.nodes.iter().map(|(name, node)| {
        let ports = lab.file.ports().filter(|port| port.node == *name);
        let ports: Vec<&str> = ports.map(|port| port.interface.as_str()).collect();
        [name.clone(), kind(node).to_owned(), ports.join(", ")]
    });
    table(text, "Nodes", ["Node", "Kind", "Ports"], rows);
}

/// Returns the routers with LISP, each with its name and configuration.
fn with_lisp<'a>(
    configs: &'a BTreeMap<&str, Config>,
) -> impl Iterator<Item = (&'a str, &'a Config, &'a Lisp)> {
    configs.iter().filter_map(|(node, config)| Some((*node, config, config.lisp.as_ref()?)))
}

fn routers(text: &mut String, configs: &BTreeMap<&str, Config>) {
    let rows = with_lisp(configs).flat_map(|(node, config, lisp)| {
        Family::BOTH.into_iter().filter_map(move |family| {
            let service = lisp.service(family);
            let roles = [
                (service.itr, "ITR"),
                (service.etr, "ETR"),
                (!service.proxy_itr.is_empty(), "proxy ITR"),
                (service.proxy_etr, "proxy ETR"),
                (service.map_server, "map-server"),
                (service.map_resolver, "map-resolver"),
            ];
            let roles: Vec<&str> =
                roles.into_iter().filter_map(|(has, role)| has.then_some(role)).collect();
            if roles.is_empty() {
                return None;
            }
            let words = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join(", ");
            let resolvers = words(&mut service.itr_map_resolvers.iter().map(ToString::to_string));
            let servers = words(&mut service.etr_map_servers.keys().map(ToString::to_string));
            let petrs = words(&mut service.use_petr.iter().map(|it| locator(config, it)));
            let eids = format!("{family:?}").replace("Ip", "IP");
            Some([node.to_owned(), eids, roles.join(", "), resolvers, servers, petrs])
        })
    });
    let head = ["Router", "EIDs", "Roles", "Map-resolvers", "Map-servers", "Proxy ETRs"];
    table(text, "Routers", head, rows);
}

/// Returns a text with a locator, its priority and its weight.
fn locator(config: &Config, locator: &ConfiguredLocator) -> String {
    let ConfiguredLocator { source, priority, weight } = locator;
    let source = match source {
        LocatorSource::Address(rloc) => rloc.to_string(),
        LocatorSource::Interface(family, name) => {
            let interface = config.interfaces.get(name);
            let mut nets = interface.into_iter().flat_map(|it| &it.addresses);
            let address = nets.find(|net| Family::of(net.addr()) == *family);
            address.map_or_else(|| name.to_string(), |net| net.addr().to_string())
        }
    };
    format!("{source} (priority {priority}, weight {weight})")
}

/// Returns a text with the locators of a mapping.
fn locators(config: &Config, lisp: &Lisp, mapping: &DatabaseMapping) -> String {
    let all = match mapping {
        DatabaseMapping::LocatorSet(name) => {
            lisp.locator_sets.get(name).map(Vec::as_slice).unwrap_or_default()
        }
        DatabaseMapping::Inline(all) => all,
    };
    all.iter().map(|each| locator(config, each)).collect::<Vec<_>>().join(", ")
}

fn mappings(text: &mut String, configs: &BTreeMap<&str, Config>) {
    let rows = with_lisp(configs).flat_map(|(node, config, lisp)| {
        lisp.eid_tables.iter().flat_map(move |(instance, table)| {
            let row = move |prefix: String, mapping: &DatabaseMapping| {
                let locators = locators(config, lisp, mapping);
                [node.to_owned(), instance.to_string(), prefix, locators]
            };
            let fixed = table.database.iter();
            let fixed = fixed.map(move |(net, mapping)| row(net.to_string(), mapping));
            let ranges = table.dynamic_eids.iter().flat_map(move |(name, range)| {
                let database = range.database.iter();
                database.map(move |(net, mapping)| row(format!("{net}, hosts of {name}"), mapping))
            });
            fixed.chain(ranges)
        })
    });
    table(text, "Mappings", ["xTR", "Instance", "EID prefix", "Locators"], rows);
}

fn sites(text: &mut String, configs: &BTreeMap<&str, Config>) {
    let rows = with_lisp(configs).flat_map(|(node, _, lisp)| {
        lisp.sites.iter().flat_map(move |(site, lines)| {
            lines.eid_prefixes.iter().map(move |(prefix, options)| {
                let specifics = if options.accept_more_specifics { "accepted" } else { "refused" };
                let (instance, net) = (prefix.instance_id(), prefix.prefix());
                [
                    node.to_owned(),
                    site.clone(),
                    instance.to_string(),
                    net.to_string(),
                    specifics.to_owned(),
                ]
            })
        })
    });
    let head = ["Map-server", "Site", "Instance", "EID prefix", "More specifics"];
    table(text, "Sites", head, rows);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::built_in;

    #[test]
    fn a_report_has_the_addresses_routers_mappings_and_sites_of_the_lab() {
        let text = report(&built_in::find("gsmr").unwrap().unwrap());
        for row in [
            "| C | emulated host | eth0 |",
            "| xTR1 | IPv4 | ITR, ETR | 209.165.201.41, 209.165.201.31 | 209.165.201.31, 209.165.201.41 |  |",
            "| PxTR1 | IPv6 | proxy ITR, proxy ETR | 209.165.201.41, 209.165.201.31 |  |  |",
            "| xTR1 | 0 | 172.16.0.0/24 | 203.0.113.11 (priority 1, weight 100) |",
            "| NewMSMR | SITE\\_1 | 0 | 172.16.0.0/24 | accepted |",
            "| A | eth0 | 172.16.0.12/24 | xTR1:Ethernet1/0 | lab.toml |",
            "| xTR1 | 0.0.0.0/0 | 203.0.113.1 | xTR1.conf |",
            "graph TD",
        ] {
            assert!(text.lines().any(|line| line == row), "{row:?} is not in\n{text}");
        }
        assert!(!text.contains("new-key"), "a report is for others, so it has no keys");
    }

    #[test]
    fn a_title_has_no_markup() {
        let mut lab = built_in::find("two-sites").unwrap().unwrap();
        lab.file.title = Some("a|b <script>\n# c".to_owned());
        assert!(report(&lab).contains("\na\\|b \\<script> # c\n"));
    }
}
