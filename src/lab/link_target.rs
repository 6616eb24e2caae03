//! The link, or the direction of a link, that is impaired.

use std::collections::BTreeSet;

use crate::lab::file::{LabFile, Link, Port};
use crate::lab::impairment::Impairment;
use crate::router::config::InterfaceName;

/// The MTU of a link in octets, if the lab file has none.
pub const DEFAULT_MTU: u16 = 1500;

/// A link of a lab, in both directions or in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The number of the link in the lab file, counted from 0.
    pub link: usize,
    /// The end that sends the impaired packets: 0 or 1. `None` stands for both ends.
    pub sender: Option<usize>,
}

impl Target {
    /// Finds the link for `text`: `NODE:NODE` for the link between two nodes, or `NODE:INTERFACE`
    /// for the link of a port. The [name](Link::name) of a link is accepted too.
    ///
    /// # Errors
    /// No link fits the text, or several links fit it. The error has texts that name one link.
    pub fn find(file: &LabFile, text: &str) -> Result<Self, String> {
        let all = || format!("the links that can be impaired are {}", names(file).join(", "));
        let Some((node, other)) = text.split_once(':') else {
            return Err(format!(
                "{text:?} is not a link: write NODE:NODE or NODE:INTERFACE; {}",
                all()
            ));
        };
        if let Some(link) = file.links.iter().position(|link| link.name() == text) {
            return Ok(Target { link, sender: None });
        }
        let is_port = |port: &Port| port.node == node && is_called(port, other);
        let links = || file.links.iter().enumerate();
        let of_port = links().find(|(_, link)| link.ends.iter().any(is_port));
        let between: Vec<usize> = links()
            .filter(|(_, link)| joins(link, node, other))
            .map(|(number, _)| number)
            .collect();
        match (of_port, &between[..]) {
            (Some((link, _)), _) | (None, &[link]) => Ok(Target { link, sender: None }),
            (None, []) => {
                let lan = file.lans.iter().find(|lan| lan.ports.iter().any(is_port));
                Err(match lan {
                    Some(lan) => format!(
                        "{text} is a port of the LAN {}, and only a link between two ports can be \
                         impaired: {}",
                        lan.name,
                        all()
                    ),
                    None => format!("the lab has no link {text}: {}", all()),
                })
            }
            (None, _) => {
                let ports = between.iter().map(|&link| file.links[link].ends[0].to_string());
                let ports = ports.collect::<Vec<_>>().join(", ");
                Err(format!(
                    "there are several links between {node} and {other}: write a port instead: \
                     {ports}"
                ))
            }
        }
    }

    /// Finds the link for `text` with [`Target::find`]. If `direction` is given, the result is only
    /// this direction of the link, as [`Target::towards`] returns it. If not, the result is both
    /// directions.
    ///
    /// # Errors
    /// The errors of [`Target::find`] and [`Target::towards`].
    pub fn named(file: &LabFile, text: &str, direction: Option<&str>) -> Result<Self, String> {
        let target = Target::find(file, text)?;
        direction.map_or(Ok(target), |direction| target.towards(file, direction))
    }

    /// Returns the direction `A-to-B` of this link. A and B are the nodes at its ends.
    ///
    /// # Errors
    /// The link does not have this direction. The error has the two directions of the link.
    pub fn towards(self, file: &LabFile, direction: &str) -> Result<Self, String> {
        let [a, b] = file.links[self.link].ends.each_ref().map(|end| end.node.as_str());
        let directions = [format!("{a}-to-{b}"), format!("{b}-to-{a}")];
        match directions.iter().position(|known| known == direction) {
            Some(sender) => Ok(Target { sender: Some(sender), ..self }),
            None => Err(format!(
                "{direction:?} is not a direction of this link: it has {} and {}",
                directions[0], directions[1]
            )),
        }
    }

    /// Returns the link.
    pub fn link<'f>(&self, file: &'f LabFile) -> &'f Link {
        &file.links[self.link]
    }

    /// Returns the direction in the form that [`Target::towards`] reads. Returns `None` for both
    /// directions.
    pub fn direction(&self, file: &LabFile) -> Option<String> {
        let ends = &self.link(file).ends;
        let sender = self.sender?;
        Some(format!("{}-to-{}", ends[sender].node, ends[1 - sender].node))
    }

    /// Returns the MTU that both ports of the link get together with an impairment. It is the MTU
    /// of the impairment, or else the MTU of the lab file, or else [`DEFAULT_MTU`]. Returns `None`
    /// for an impairment of one direction, because it does not change the MTU.
    ///
    /// # Errors
    /// The impairment of one direction has an MTU.
    pub fn mtu(&self, file: &LabFile, impairment: &Impairment) -> Result<Option<u16>, String> {
        match (self.sender, impairment.mtu) {
            (Some(_), Some(_)) => {
                Err("an MTU is a setting of both ends of a link: leave the direction out"
                    .to_owned())
            }
            (Some(_), None) => Ok(None),
            (None, mtu) => Ok(mtu.or(self.link(file).mtu).or(Some(DEFAULT_MTU))),
        }
    }

    /// Returns the ends of the link that send the impaired packets.
    pub fn senders<'f>(&self, file: &'f LabFile) -> impl Iterator<Item = &'f Port> + use<'f> {
        let Target { link, sender } = *self;
        let ends = file.links[link].ends.iter().enumerate();
        ends.filter(move |(end, _)| sender.is_none_or(|sender| sender == *end))
            .map(|(_, port)| port)
    }
}

/// Whether a port has this interface name. The name of a router's interface may have any spelling
/// that IOS accepts.
fn is_called(port: &Port, name: &str) -> bool {
    let ios = name.parse::<InterfaceName>().map(|name| name.device());
    port.device == name || port.interface == name || ios.as_ref() == Ok(&port.device)
}

fn joins(link: &Link, a: &str, b: &str) -> bool {
    let nodes = link.ends.each_ref().map(|end| end.node.as_str());
    nodes == [a, b] || nodes == [b, a]
}

/// Returns the names of the links of a lab. The name of a link is `NODE:NODE` if only one link is
/// between these nodes. If not, it is the first port of the link.
fn names(file: &LabFile) -> Vec<String> {
    let mut names = BTreeSet::new();
    for link in &file.links {
        let [a, b] = &link.ends;
        let equal = file.links.iter().filter(|other| joins(other, &a.node, &b.node)).count();
        names.insert(match equal {
            1 => format!("{}:{}", a.node, b.node),
            _ => a.to_string(),
        });
    }
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::built_in;

    #[test]
    fn a_link_is_found_by_its_nodes_and_by_its_ports() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let find = |text: &str| Target::find(&lab.file, text);
        let core = find("Core1:Core2").unwrap();
        assert_eq!(find("Core2:Core1"), Ok(core));
        assert_eq!(find("Core2:eth1"), Ok(core));
        assert_eq!(find("xTR1:Ethernet0/0"), find("xTR1:e0/0"));
        assert_eq!(find("xTR1:et0-0"), find("Core1:xTR1"));
        let one_way = core.towards(&lab.file, "Core2-to-Core1").unwrap();
        let senders: Vec<String> = one_way.senders(&lab.file).map(Port::to_string).collect();
        assert_eq!(senders, ["Core2:eth1"]);
        assert_eq!(core.senders(&lab.file).count(), 2);
    }

    #[test]
    fn an_error_names_the_links_that_can_be_impaired() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let links =
            "the links that can be impaired are Core1:Core2, PxTR1:Core2, xTR1:Core1, xTR2:Core2";
        let error = |text: &str| Target::find(&lab.file, text).unwrap_err();
        for (text, reason) in [
            ("A:eth0", "A:eth0 is a port of the LAN siteA"),
            ("xTR1:xTR2", "the lab has no link xTR1:xTR2"),
            ("Core1", "\"Core1\" is not a link"),
        ] {
            let error = error(text);
            assert!(error.contains(reason) && error.contains(links), "{error}");
        }
        let core = Target::find(&lab.file, "Core1:Core2").unwrap();
        let error = core.towards(&lab.file, "to").unwrap_err();
        assert!(error.contains("it has Core1-to-Core2 and Core2-to-Core1"), "{error}");
    }
}
