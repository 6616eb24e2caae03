//! The verbs on the files of labs: the labs that they write run on virtual time.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::IpAddr;

use eidway::lab::Lab;
use eidway::lab::file::LabFile;
use eidway::lab::ping::Echos;
use eidway::lab::running::RunningLab;
use eidway::lab::verbs::show::show;
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};

/// A core of eight plain nodes, a ring with a chord, and twelve routers around it.
const TWENTY: &str = r#"name = "twenty"
core = "auto"
links = [
  { endpoints = ["P1:e1", "P2:e0"] }, { endpoints = ["P2:e1", "P3:e0"] },
  { endpoints = ["P3:e1", "P4:e0"] }, { endpoints = ["P4:e1", "P5:e0"] },
  { endpoints = ["P5:e1", "P6:e0"] }, { endpoints = ["P6:e1", "P7:e0"] },
  { endpoints = ["P7:e1", "P8:e0"] }, { endpoints = ["P8:e1", "P1:e0"] },
  { endpoints = ["P1:e2", "P5:e2"] },
  { endpoints = ["R1:Ethernet0/0", "P1:r1"] }, { endpoints = ["R2:Ethernet0/0", "P2:r1"] },
  { endpoints = ["R3:Ethernet0/0", "P3:r1"] }, { endpoints = ["R4:Ethernet0/0", "P4:r1"] },
  { endpoints = ["R5:Ethernet0/0", "P5:r1"] }, { endpoints = ["R6:Ethernet0/0", "P6:r1"] },
  { endpoints = ["R7:Ethernet0/0", "P7:r1"] }, { endpoints = ["R8:Ethernet0/0", "P8:r1"] },
  { endpoints = ["R9:Ethernet0/0", "P1:r2"] }, { endpoints = ["R10:Ethernet0/0", "P3:r2"] },
  { endpoints = ["R11:Ethernet0/0", "P5:r2"] }, { endpoints = ["R11:Ethernet1/0", "P7:r2"] },
  { endpoints = ["R12:Ethernet0/0", "P8:r2"] },
]
[nodes]
P1 = { kind = "node" }
P2 = { kind = "node" }
P3 = { kind = "node" }
P4 = { kind = "node" }
P5 = { kind = "node" }
P6 = { kind = "node" }
P7 = { kind = "node" }
P8 = { kind = "node" }
R1 = { kind = "router", config = "R1.conf" }
R2 = { kind = "router", config = "R2.conf" }
R3 = { kind = "router", config = "R3.conf" }
R4 = { kind = "router", config = "R4.conf" }
R5 = { kind = "router", config = "R5.conf" }
R6 = { kind = "router", config = "R6.conf" }
R7 = { kind = "router", config = "R7.conf" }
R8 = { kind = "router", config = "R8.conf" }
R9 = { kind = "router", config = "R9.conf" }
R10 = { kind = "router", config = "R10.conf" }
R11 = { kind = "router", config = "R11.conf" }
R12 = { kind = "router", config = "R12.conf" }
"#;

/// Starts a lab on virtual time and waits for its registrations.
fn up(lab: Lab) -> Simulated {
    Simulated::up(lab, Options::new(Seed::from_number(1))).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn all_rlocs_of_twenty_routers_with_an_automatic_core_reach_each_other() {
    let file = LabFile::parse("lab.toml", TWENTY).unwrap();
    let text = |node: &str| match node {
        // One router has an address of its own, and one has its RLOC on a loopback interface.
        "R3" => "hostname R3\ninterface Ethernet0/0\n ip address 203.0.113.3 255.255.255.0\n",
        "R4" => "hostname R4\ninterface Loopback0\n ip address 192.0.2.4 255.255.255.255\n",
        _ => "",
    };
    let texts = file.routers().map(|(node, path)| (path.to_owned(), Ok(text(node).to_owned())));
    let lab = Lab::new(file.clone(), texts.collect());
    let shown = show(&lab);
    let of_routers = shown.addresses.iter().filter(|row| row.node.starts_with('R'));
    let rlocs: Vec<(String, IpAddr)> = of_routers
        .map(|row| (row.node.clone(), row.address.split_once('/').unwrap().0.parse().unwrap()))
        .collect();
    assert_eq!(rlocs.len(), 14, "12 routers, one of them with two links, and a loopback");
    assert!(rlocs.iter().any(|(_, rloc)| rloc.to_string() == "192.0.2.4"));
    let mut lab = up(lab);
    let echos = Echos { count: 1, ..Echos::default() };
    for node in (1..=12).map(|number| format!("R{number}")) {
        for (owner, rloc) in rlocs.iter().filter(|(owner, _)| *owner != node) {
            let tally = lab.ping(&node, *rloc, echos, &mut |_| ()).unwrap();
            assert!(tally.is_complete(), "{node} does not reach {owner} at {rloc}: {tally:?}");
        }
    }
}
