//! The ways to lose a packet, in one table: the simulator (`tests/explain.rs`) and namespaces
//! (`tests/namespaces/explain.rs`) play the same cases on the lab `tests/labs/losses`.

use eidway::lab::explain::explain;
use eidway::lab::explain::journey::{Journey, Question};
use eidway::lab::ping;
use eidway::lab::plugging::Plugging;
use eidway::lab::running::RunningLab;
use eidway::lab::scenario::{LinkChange, Place};

/// The lab of the cases.
pub const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/labs/losses");

/// A packet that is lost.
pub struct Case {
    pub name: &'static str,
    /// The sender and the destination.
    pub ends: (&'static str, &'static str),
    /// The number of octets, if the packet must not be fragmented.
    pub df: Option<u16>,
    /// The faults that lose the packet.
    pub faults: &'static [Fault],
    /// The node that loses the packet.
    pub lost_at: &'static str,
    /// The node with the first cause, and this cause.
    pub first: (&'static str, &'static str),
}

/// A fault, and how it is taken back.
#[derive(Clone, Copy)]
pub enum Fault {
    /// Lines of the configuration of a router, and the lines that restore it.
    Config(&'static str, &'static str, &'static str),
    /// A port is set down.
    Down(&'static str, &'static str),
    /// A port gets this MTU. It had 1500 octets.
    Mtu(&'static str, &'static str, u16),
    /// A router is stopped.
    Stop(&'static str),
    /// A host moves to the LAN of a router, and back to its own.
    Move(&'static str, &'static str, &'static str),
    /// A command by hand in the namespace of a node, and the command that restores the state.
    Hand(&'static str, &'static str, &'static str),
}

/// A change that the simulator and namespaces make in different ways.
pub enum Change {
    /// A command by hand in the namespace of a node.
    Command(&'static str, &'static str),
    /// A router starts or stops.
    Runs(&'static str, bool),
}

use Fault::{Config, Down, Hand, Move, Mtu, Stop};

const fn case(
    name: &'static str,
    ends: (&'static str, &'static str),
    faults: &'static [Fault],
    lost_at: &'static str,
    first: (&'static str, &'static str),
) -> Case {
    Case { name, ends, df: None, faults, lost_at, first }
}

const A_TO_B: (&str, &str) = ("A", "B");
const B_TO_A: (&str, &str) = ("B", "A");

/// The number of cases at the end that make the map-server lose its registrations. After them, the
/// lab needs up to a minute until all is registered again.
pub const SLOW: usize = 2;

/// The cases. The cases without a fault come first, then the faults that are quick to take back,
/// then the [`SLOW`] ones.
pub const CASES: &[Case] = &[
    case("no default gateway", ("G", "B"), &[], "G", ("G", "no-default-gateway")),
    case("the source is no EID", ("E", "B"), &[], "Core1", ("xTR1", "foreign-source")),
    case(
        "all locators have priority 255",
        ("A", "192.168.1.1"),
        &[],
        "xTR1",
        ("xTR1", "no-usable-locator"),
    ),
    case(
        "the locators are of another family",
        ("A", "192.168.2.1"),
        &[],
        "xTR1",
        ("xTR1", "no-usable-locator"),
    ),
    case("no route to the locator", ("A", "192.168.3.1"), &[], "Core1", ("Core1", "no-route")),
    case("not registered", ("A", "172.20.0.1"), &[], "Core1", ("MSMR", "not-registered")),
    case("no site has the EID", ("A", "9.9.9.9"), &[], "Core1", ("MSMR", "no-site")),
    case("routes point at each other", ("A", "10.66.0.1"), &[], "Core2", ("Core2", "routing-loop")),
    case("no such host", ("B", "172.16.0.99"), &[], "xTR1", ("xTR1", "no-neighbour")),
    Case {
        df: Some(1480),
        ..case("larger than the tunnel", B_TO_A, &[], "xTR2", ("xTR2", "too-big"))
    },
    Case {
        df: Some(1400),
        ..case(
            "larger than the path",
            B_TO_A,
            &[Mtu("Core2", "eth1", 1300)],
            "Core2",
            ("Core2", "too-big"),
        )
    },
    case("the sender's link is down", A_TO_B, &[Down("A", "eth0")], "A", ("A", "link-down")),
    case(
        "the host's link is down",
        B_TO_A,
        &[Down("A", "eth0")],
        "xTR1",
        ("xTR1", "neighbour-down"),
    ),
    case(
        "the host is in another LAN",
        B_TO_A,
        &[Move("A", "xTR2", "xTR1:Ethernet1/0")],
        "xTR1",
        ("xTR1", "no-neighbour"),
    ),
    case(
        "a route of the core is missing",
        A_TO_B,
        &[Hand(
            "Core1",
            "ip route del 198.51.100.0/24 table main",
            "ip route add 198.51.100.0/24 via 100.64.0.2",
        )],
        "xTR1",
        ("Core1", "no-route"),
    ),
    case(
        "the core does not forward",
        A_TO_B,
        &[Hand("Core1", "sysctl -w net.ipv4.ip_forward=0", "sysctl -w net.ipv4.ip_forward=1")],
        "xTR1",
        ("Core1", "not-forwarding"),
    ),
    case(
        "a link of the core is down",
        A_TO_B,
        &[Down("Core1", "eth1")],
        "xTR1",
        ("Core1", "link-down"),
    ),
    case(
        "the far end of a link of the core is down",
        A_TO_B,
        &[Down("Core2", "eth1")],
        "xTR1",
        ("Core1", "no-carrier"),
    ),
    case(
        "the link of the map-server is down",
        A_TO_B,
        &[Down("Core1", "eth2")],
        "xTR1",
        ("Core1", "link-down"),
    ),
    case(
        "the gateway's port is shut",
        A_TO_B,
        &[Config(
            "xTR1",
            "interface Ethernet1/0 / shutdown",
            "interface Ethernet1/0 / no shutdown",
        )],
        "A",
        ("A", "neighbour-down"),
    ),
    case(
        "the EID has no route",
        B_TO_A,
        &[Config(
            "xTR1",
            "interface Ethernet1/0 / shutdown",
            "interface Ethernet1/0 / no shutdown",
        )],
        "Core2",
        ("xTR1", "link-down"),
    ),
    case(
        "no map-resolver",
        A_TO_B,
        &[Config(
            "xTR1",
            "router lisp / no ipv4 itr map-resolver 209.165.201.31",
            "router lisp / ipv4 itr map-resolver 209.165.201.31",
        )],
        "xTR1",
        ("xTR1", "no-map-resolver"),
    ),
    case(
        "no node has the address of the map-resolver",
        A_TO_B,
        &[Config(
            "xTR1",
            "router lisp / no ipv4 itr map-resolver 209.165.201.31 / \
             ipv4 itr map-resolver 209.165.201.99",
            "router lisp / no ipv4 itr map-resolver 209.165.201.99 / \
             ipv4 itr map-resolver 209.165.201.31",
        )],
        "xTR1",
        ("Core1", "no-neighbour"),
    ),
    case(
        "the map-resolver is no router of LISP",
        A_TO_B,
        &[Config(
            "xTR1",
            "router lisp / no ipv4 itr map-resolver 209.165.201.31 / \
             ipv4 itr map-resolver 203.0.113.1",
            "router lisp / no ipv4 itr map-resolver 203.0.113.1 / \
             ipv4 itr map-resolver 209.165.201.31",
        )],
        "xTR1",
        ("Core1", "not-a-map-resolver"),
    ),
    case(
        "the ITR role is off",
        A_TO_B,
        &[Config("xTR1", "router lisp / no ipv4 itr", "router lisp / ipv4 itr")],
        "Core1",
        ("xTR1", "no-itr"),
    ),
    case(
        "a route of the ITR drops",
        A_TO_B,
        &[Config(
            "xTR1",
            "ip route 192.168.0.0 255.255.255.0 Null0",
            "no ip route 192.168.0.0 255.255.255.0 Null0",
        )],
        "xTR1",
        ("xTR1", "blackhole"),
    ),
    case(
        "the ETR role is off",
        A_TO_B,
        &[Config("xTR2", "router lisp / no ipv4 etr", "router lisp / ipv4 etr")],
        "Core1",
        ("xTR2", "no-etr"),
    ),
    case(
        "the EID is not configured at its ETR",
        A_TO_B,
        &[Config(
            "xTR2",
            "router lisp / eid-table default instance-id 0 / no database-mapping 192.168.0.0/24",
            "router lisp / eid-table default instance-id 0 / \
             database-mapping 192.168.0.0/24 locator-set set1",
        )],
        "Core1",
        ("xTR2", "no-database-mapping"),
    ),
    case(
        "the ETR has no map-server",
        A_TO_B,
        &[Config(
            "xTR2",
            "router lisp / no ipv4 etr / no ipv4 etr map-server 209.165.201.31 / ipv4 etr",
            "router lisp / ipv4 etr map-server 209.165.201.31 key msmr-key",
        )],
        "Core1",
        ("xTR2", "no-map-server"),
    ),
    case(
        "the ETR has a wrong key",
        A_TO_B,
        &[Config(
            "xTR2",
            "router lisp / no ipv4 etr / ipv4 etr map-server 209.165.201.31 key other / ipv4 etr",
            "router lisp / no ipv4 etr / ipv4 etr map-server 209.165.201.31 key msmr-key / ipv4 etr",
        )],
        "Core1",
        ("xTR2", "wrong-key"),
    ),
    case("the ETR is stopped", A_TO_B, &[Stop("xTR2")], "Core1", ("xTR2", "router-stopped")),
    case("the ITR is stopped", A_TO_B, &[Stop("xTR1")], "A", ("xTR1", "router-stopped")),
    case(
        "the map-resolver is stopped",
        A_TO_B,
        &[Stop("MSMR")],
        "xTR1",
        ("MSMR", "router-stopped"),
    ),
    case(
        "the map-server serves no more",
        A_TO_B,
        &[Config(
            "MSMR",
            "router lisp / no ipv4 map-server / no ipv4 map-resolver",
            "router lisp / ipv4 map-server / ipv4 map-resolver",
        )],
        "xTR1",
        ("MSMR", "not-a-map-resolver"),
    ),
];

impl Case {
    /// The question of the case.
    pub fn question(&self, lab: &dyn RunningLab) -> Question {
        let (from, to) = self.ends;
        let to = ping::address(lab.lab(), to, None).unwrap();
        let (size, df) = self.df.map_or((100, false), |size| (size, true));
        Question { from: from.to_owned(), to, size, df }
    }

    /// The explanation of the case.
    pub fn explain(&self, lab: &mut dyn RunningLab) -> Journey {
        let question = self.question(lab);
        explain(lab, &question).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Whether an explanation has the place and the first cause of the case.
    pub fn is_right(&self, journey: &Journey) -> bool {
        journey.lost.as_ref().is_some_and(|loss| {
            let first = loss.first_cause();
            let found = (first.node.as_str(), first.cause.name());
            loss.node == self.lost_at && found == (self.first.0, self.first.1.to_owned())
        })
    }
}

impl Fault {
    /// Makes the fault, or takes it back. Returns the change that the caller has to make.
    #[must_use]
    pub fn set(self, lab: &mut dyn RunningLab, on: bool) -> Option<Change> {
        let place = |node: &str, interface: &str| Place {
            node: node.to_owned(),
            interface: interface.to_owned(),
        };
        match self {
            Config(node, lines, undo) => {
                let lines = if on { lines } else { undo };
                for line in
                    ["configure terminal"].into_iter().chain(lines.split(" / ")).chain(["end"])
                {
                    let answer = lab.console(node, line).unwrap();
                    assert!(answer.done.ok, "{node}: {line}: {}", answer.text);
                }
            }
            Down(node, device) => {
                let change = if on { LinkChange::Down } else { LinkChange::Up };
                lab.link(&place(node, device), change).unwrap();
            }
            Mtu(node, device, mtu) => {
                let change = LinkChange::Mtu(if on { mtu } else { 1500 });
                lab.link(&place(node, device), change).unwrap();
            }
            Stop(node) => return Some(Change::Runs(node, !on)),
            Move(host, to, home) => {
                lab.move_host(host, if on { to } else { home }, Plugging::Atomic).unwrap();
            }
            Hand(node, command, undo) => {
                return Some(Change::Command(node, if on { command } else { undo }));
            }
        }
        None
    }
}
