//! The places of a capture. Reads the user's words, and finds the interfaces that the words name.

use crate::capture::filter::Filter;
use crate::capture::pcapng::LinkType;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::Port;
use crate::netns::run;
use crate::router::io::LISP_DEVICE;

/// An interface of a lab at which packets are captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The interface in the lab. Its name in a capture file is `NODE:INTERFACE`.
    pub port: Port,
    /// The node whose namespace has the device, and the name of the device there.
    pub device: (String, String),
    /// The type of the frames: Ethernet frames or IP packets.
    pub link: LinkType,
}

impl Interface {
    fn of(lab: &Lab, port: Port) -> Self {
        let (node, device) = run::end_of(lab, &port.node, &port.device);
        let link = if device == LISP_DEVICE { LinkType::Ip } else { LinkType::Ethernet };
        Interface { device: (node.to_owned(), device), link, port }
    }

    /// A sentence about the interface, for a capture file.
    pub fn description(&self, lab: &str) -> String {
        let (node, device) = &self.device;
        format!("lab {lab}, device {device} in the namespace of {node}")
    }
}

/// Returns the interfaces that `place` names: all interfaces of a node (`NODE`), or one interface
/// (`NODE:INTERFACE`). The interfaces of a router include `lisp0`, which has the packets before the
/// encapsulation and after the decapsulation.
///
/// # Errors
/// The lab does not have this node, or the node does not have this interface.
pub fn interfaces(lab: &Lab, place: &str) -> Result<Vec<Interface>, Failure> {
    let (node, interface) = place.split_once(':').unwrap_or((place, "any"));
    let device = lab.device(node, interface)?;
    let port = |interface: &str, device: &str| Port {
        node: node.to_owned(),
        interface: interface.to_owned(),
        device: device.to_owned(),
    };
    let ports = lab.file.ports().filter(|port| port.node == node);
    let ports: Vec<Port> = match device.as_str() {
        "any" => {
            let is_router = lab.file.routers().any(|(name, _)| name == node);
            let tunnel = is_router.then(|| port(LISP_DEVICE, LISP_DEVICE));
            ports.cloned().chain(tunnel).collect()
        }
        device => {
            let mut ports = ports.filter(|port| port.device == device);
            vec![ports.next().cloned().unwrap_or_else(|| port(device, device))]
        }
    };
    Ok(ports.into_iter().map(|port| Interface::of(lab, port)).collect())
}

/// Reads the words after the name of the lab: first places, then a filter.
///
/// # Errors
/// A word is neither a place nor the start of a filter, or there is no place.
pub fn read(lab: &Lab, words: &[String]) -> Result<(Vec<Interface>, Option<Filter>), Failure> {
    let is_place = |word: &&String| {
        let node = word.split_once(':').map_or(word.as_str(), |(node, _)| node);
        lab.file.nodes.contains_key(node)
    };
    let places = words.iter().take_while(is_place).count();
    let (places, rest) = words.split_at(places);
    let mut found: Vec<Interface> = Vec::new();
    for place in places {
        for interface in interfaces(lab, place)? {
            if !found.contains(&interface) {
                found.push(interface);
            }
        }
    }
    match rest {
        [] if found.is_empty() => {
            Err(Failure::new("a place is missing: write NODE or NODE:INTERFACE"))
        }
        [] => Ok((found, None)),
        [first, ..] if found.is_empty() => {
            let node = first.split_once(':').map_or(first.as_str(), |(node, _)| node);
            lab.expect_node(node)?;
            Ok((found, None))
        }
        [first, ..] => match rest.join(" ").parse() {
            Ok(filter) => Ok((found, Some(filter))),
            Err(error) => Err(Failure::Other(format!(
                "{first:?} is not a node of lab {}, and not the start of a filter: {error}. Filters \
                 have the syntax of Wireshark, for example `udp.port == 4342`",
                lab.name
            ))),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::lab::built_in;

    fn read(words: &str) -> Result<(Vec<String>, bool), String> {
        let lab = built_in::find("two-sites").expect("a lab").expect("it is right");
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let (found, filter) = super::read(&lab, &words).map_err(|error| error.to_string())?;
        let names = found.iter().map(|it| format!("{}={}", it.port, it.device.1));
        Ok((names.collect(), filter.is_some()))
    }

    #[test]
    fn the_words_are_places_and_then_a_filter() {
        let (names, filter) = read("xTR1 Core:eth0 xTR1:lisp0 lisp.type == 3 && udp").unwrap();
        assert!(names.contains(&"xTR1:lisp0=lisp0".to_owned()), "{names:?}");
        assert!(names.contains(&"Core:eth0=eth0".to_owned()), "{names:?}");
        assert_eq!(names.iter().filter(|name| name.ends_with("lisp0")).count(), 1, "{names:?}");
        assert!(filter);
        assert_eq!(read("A").unwrap(), (vec!["A:eth0=eth0".to_owned()], false));
    }

    #[test]
    fn a_wrong_word_is_named() {
        assert!(read("nobody").unwrap_err().contains("nobody"));
        assert!(read("A:eth7").unwrap_err().contains("A has no interface \"eth7\""));
        let said = read("A udp port 4342").unwrap_err();
        assert!(
            said.contains("\"udp\" is not a node") && said.contains("udp.port == 4342"),
            "{said}"
        );
        let said = read("A xTR9").unwrap_err();
        assert!(said.contains("\"xTR9\" is not a node of lab two-sites"), "{said}");
    }
}
