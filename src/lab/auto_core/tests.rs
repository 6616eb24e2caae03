//! Tests of the chosen addresses and routes. `tests/sim_labs.rs` has a lab whose RLOCs reach each
//! other.

use super::*;
use crate::lab::Lab;

/// Two plain nodes between two routers, and a host behind the first router.
const FILE: &str = "name = \"x\"\ncore = \"auto\"\n\
    links = [\n{ endpoints = [\"r1:e0/0\", \"P1:eth0\"] },\n{ endpoints = [\"P1:eth1\", \"P2:eth0\"] },\n\
    { endpoints = [\"P2:eth1\", \"r2:e0/0\"] }]\n\
    lans = [{ name = \"site\", ports = [\"A:eth0\", \"r1:e1/0\"] }]\n[nodes]\n\
    r1 = { kind = \"router\", config = \"r1.conf\" }\nr2 = { kind = \"router\", config = \"r2.conf\" }\n\
    P1 = { kind = \"node\" }\nP2 = { kind = \"node\" }\n\
    A = { kind = \"host\", addresses = [\"172.16.0.2/24\"] }\n";

fn lab(r1: &str, r2: &str) -> Lab {
    let texts = [("r1.conf", r1), ("r2.conf", r2)];
    let texts = texts.map(|(path, text)| (path.to_owned(), Ok(text.to_owned())));
    Lab::new(LabFile::parse("lab.toml", FILE).unwrap(), texts.into())
}

fn plain(lab: &Lab, node: &str) -> (Vec<String>, Vec<String>) {
    let Node::Forwarder { addresses, routes } = &lab.file.nodes[node] else { panic!("{node}") };
    let addresses = addresses.iter().map(|(device, nets)| format!("{device} {nets:?}"));
    let routes = routes.iter().map(|(prefix, hop)| format!("{prefix} {hop}"));
    (addresses.collect(), routes.collect())
}

#[test]
fn links_are_numbered_and_plain_nodes_route_to_all_of_them_but_not_to_a_site() {
    let lab = lab("hostname r1\nend\n", "hostname r2\n");
    let (addresses, routes) = plain(&lab, "P1");
    assert_eq!(addresses, ["eth0 [100.64.1.1/24]", "eth1 [100.64.2.1/24]"]);
    assert_eq!(routes, ["100.64.3.0/24 100.64.2.2"]);
    let text = lab.text("r1.conf").unwrap();
    let expected = "interface Ethernet0/0\n ip address 100.64.1.2 255.255.255.0\n!\n\
                    ip route 0.0.0.0 0.0.0.0 100.64.1.1\nend\n";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn an_address_in_a_configuration_gives_its_network_to_the_link() {
    let config = "hostname r1\ninterface Ethernet0/0\n ip address 203.0.113.1 255.255.255.0\n \
                  ipv6 address 2001:db8:f::9/64\n";
    let lab =
        lab(config, "hostname r2\ninterface Loopback0\n ip address 192.0.2.2 255.255.255.255\n");
    let (addresses, routes) = plain(&lab, "P1");
    assert_eq!(
        addresses,
        ["eth0 [203.0.113.2/24, 2001:db8:f::1/64]", "eth1 [100.64.2.1/24, 2001:db8:c:2::1/64]"]
    );
    let expected = ["100.64.3.0/24 100.64.2.2", "192.0.2.2/32 100.64.2.2"];
    assert_eq!(routes[..2], expected, "{routes:?}");
    assert_eq!(routes[2], "2001:db8:c:3::/64 2001:db8:c:2::2");
}

#[test]
fn written_routes_stay_and_a_completed_lab_is_complete() {
    let once = lab("hostname r1\nip route 0.0.0.0 0.0.0.0 100.64.1.9\n", "hostname r2\n");
    assert!(!once.chosen.routes.contains_key("r1"), "{:?}", once.chosen);
    let again = once.with_overlay("nothing", &BTreeMap::new()).unwrap();
    assert!(!again.chosen.has_changed_configs, "{:?}", again.chosen);
    for node in ["P1", "P2"] {
        assert_eq!(plain(&once, node), plain(&again, node));
    }
}
