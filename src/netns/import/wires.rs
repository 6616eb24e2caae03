//! Adds the links of a topology file to the lab file, as links and LANs.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::Spanned;

use super::commands::Command;
use super::lab_text::{LabText, key, scalar, string};
use super::nodes::{Known, Nodes};
use super::source::Source;
use super::topology::{Link, Scalar, Topology, place};
use crate::lab::export::containerlab::{BRIDGE, Group, LAN_OF_TWO, MTU};
use crate::lab::failure::Failure;
use crate::lab::file::Span;

/// A LAN: its name, its ports, and the first link to it. The keys of this link become the keys of
/// the LAN. The name and each port have their positions in the topology file.
struct Lan<'a> {
    name: (String, Span),
    ports: Vec<(String, Span)>,
    first: Option<&'a Link>,
}

/// Adds the links and LANs to the lab file.
pub(super) fn write(
    source: &Source<'_>,
    topology: &Topology,
    nodes: &Nodes<'_>,
    lab: &mut LabText,
) -> Result<(), Failure> {
    let mut lans: Vec<Lan<'_>> = Vec::new();
    let mut devices: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for link in &topology.topology.links {
        let [a, b] = &link.endpoints.value[..] else {
            let message = "a link must have two endpoints";
            return Err(source.error(place(&link.endpoints), message, "expected two"));
        };
        let ends = [(a, lan_of(nodes, a)), (b, lan_of(nodes, b))];
        match ends {
            [(_, Some(_)), (_, Some(_))] => {
                let message = "a LAN cannot have a link to another LAN";
                return Err(source.error(place(&link.endpoints), message, ""));
            }
            [(port, None), (end, Some(known))] | [(end, Some(known)), (port, None)] => {
                let (node, device) = end.value.split_once(':').unwrap_or_default();
                devices.entry(node).or_default().insert(device);
                let port = (nodes.port(source, port)?, place(port));
                source.connect(&mut lans, known, port, link)?;
            }
            [(a, None), (b, None)] => {
                let ports =
                    [(nodes.port(source, a)?, place(a)), (nodes.port(source, b)?, place(b))];
                match name_of_lan(link) {
                    Some((name, span)) => {
                        let name = (name.clone(), span);
                        lans.push(Lan { name, ports: ports.into(), first: Some(link) });
                    }
                    None => write_link(link, ports, lab),
                }
            }
        }
    }
    for (name, known) in nodes.lans() {
        source.expect_bridge(known, devices.get(name).unwrap_or(&BTreeSet::new()))?;
        if !devices.contains_key(name) {
            let name = (known.lan_name().to_owned(), known.place());
            lans.push(Lan { name, ports: Vec::new(), first: None });
        }
    }
    lans.iter().for_each(|lan| write_lan(lan, lab));
    Ok(())
}

/// Returns the LAN at an end of a link. Returns `None` if no LAN is at this end.
fn lan_of<'n, 'a>(nodes: &'n Nodes<'a>, end: &Spanned<String>) -> Option<&'n Known<'a>> {
    let (node, _) = end.value.split_once(':')?;
    nodes.get(node).filter(|known| known.group == Group::Lan)
}

/// If a link is a LAN of two ports, returns the name of this LAN and the position of the name.
fn name_of_lan(link: &Link) -> Option<(&String, Span)> {
    link.vars.0.iter().find_map(|(key, value)| match &value.value {
        Scalar::Text(name) if key.value == LAN_OF_TWO => Some((name, place(value))),
        _ => None,
    })
}

fn write_link(link: &Link, ports: [(String, Span); 2], lab: &mut LabText) {
    lab.add("\n[[links]]\nendpoints = ");
    lab.put_list(ports.map(|(port, span)| (string(&port), span)));
    lab.add("\n");
    write_keys(link, lab);
}

fn write_lan(lan: &Lan<'_>, lab: &mut LabText) {
    let (name, span) = &lan.name;
    lab.add("\n[[lans]]\nname = ");
    lab.put(string(name), span.clone());
    lab.add("\nports = ");
    lab.put_list(lan.ports.iter().map(|(port, span)| (string(port), span.clone())));
    lab.add("\n");
    if let Some(link) = lan.first {
        write_keys(link, lab);
    }
}

/// Adds the MTU and the variables of a link to the lab file, as keys.
fn write_keys(link: &Link, lab: &mut LabText) {
    if let Some(mtu) = link.mtu.as_ref().filter(|mtu| mtu.value != MTU) {
        lab.add("mtu = ");
        lab.put(mtu.value, place(mtu));
        lab.add("\n");
    }
    for (name, value) in link.vars.0.iter().filter(|(name, _)| name.value != LAN_OF_TWO) {
        lab.put(key(&name.value), place(name));
        lab.add(" = ");
        lab.put(scalar(&value.value), place(value));
        lab.add("\n");
    }
}

impl Source<'_> {
    /// Adds a port to its LAN. All links of a LAN must have the same keys, because the lab file has
    /// these keys only once for a LAN.
    fn connect<'a>(
        &self,
        lans: &mut Vec<Lan<'a>>,
        known: &Known<'_>,
        port: (String, Span),
        link: &'a Link,
    ) -> Result<(), Failure> {
        let name = known.lan_name();
        let Some(lan) = lans.iter_mut().find(|lan| lan.name.0 == name) else {
            let name = (name.to_owned(), known.place());
            lans.push(Lan { name, ports: vec![port], first: Some(link) });
            return Ok(());
        };
        let keys = |link: &Link| {
            let vars = link.vars.0.iter();
            let vars: Vec<_> =
                vars.map(|(key, value)| (key.value.clone(), value.value.clone())).collect();
            (link.mtu.as_ref().map_or(MTU, |mtu| mtu.value), vars)
        };
        if lan.first.is_some_and(|first| keys(first) != keys(link)) {
            let message =
                format!("all links of the LAN {name} must have the same mtu and the same vars");
            let label = "another link of this LAN has other values";
            return Err(self.error(place(&link.endpoints), message, label));
        }
        lan.ports.push(port);
        Ok(())
    }

    /// Checks the commands of a LAN. The bridge of the LAN must have the devices of all links to
    /// the LAN.
    fn expect_bridge(&self, known: &Known<'_>, devices: &BTreeSet<&str>) -> Result<(), Failure> {
        let mut connected = BTreeSet::new();
        for (command, span) in &known.commands {
            match command {
                Command::Bridge(bridge) if bridge == BRIDGE => {}
                Command::Up(device) if device == BRIDGE => {}
                Command::Master { device, bridge } if bridge == BRIDGE => {
                    if !devices.contains(device.as_str()) {
                        let message = format!("the LAN has no link at {device}");
                        return Err(self.error(span.clone(), message, ""));
                    }
                    connected.insert(device.as_str());
                }
                _ => return Err(self.out_of_place(span, "a LAN can have only one bridge")),
            }
        }
        match devices.difference(&connected).next() {
            Some(device) => {
                let message = format!("the bridge of the LAN does not have the device {device}");
                let label = format!("exec: ip link set dev {device} master {BRIDGE} is missing");
                Err(self.error(known.place(), message, &label))
            }
            None => Ok(()),
        }
    }
}
