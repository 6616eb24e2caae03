//! Scenarios: actions in a lab and their expected results, one statement per line.
//!
//! ```text
//! # G2: what the document shows.
//! title "a local EID without a route"
//!
//! overlay xTR2 {                      # configuration laid over the lab's, before it starts
//!   router lisp
//!    ipv4 use-petr 192.0.2.51
//! }
//!
//! ping B A expect 5                   # [ipv6] [count N] [size N] [df] [expect N|at-least N|"!!..."]
//! capture core = xTR1:Ethernet0/0     # runs until the first `packets` statement about it
//! capture new = NewMSMR:Ethernet0/0 flawed 1      # the number of malformed packets, 0 by default
//! flow f = N A every 100ms            # a ping in the background ...
//! end f lost at-most 5                # ... and its losses
//! at xTR1: configure terminal / interface ethernet 1/0 / shutdown / end
//! within 1s show xTR1 "show ip lisp database" contains "no-route 1" lacks "inactive 1"
//! show xTR2 "show ip lisp map-cache" matches {
//!   172.16.0.0/24, uptime: *, expires: 00:00:*, via map-reply, forward-native
//!     Negative cache entry, action: forward-native
//! }
//! packets core exactly 1 "lisp.mreq.flags.smr == 1"       # at-least N, at-most N, none
//! packets core "lisp.type == 8" within 50ms after "lisp.mreq.flags.smr == 1"
//! packets core "lisp.type == 8" spaced 1s..1.2s 2s..2.2s
//! packets core "lisp.type == 8" lisp.nonce reads a a b    # equal letters, equal values
//! packets core "lisp.type == 8" spaced 1s..1.2s ...       # more may follow; after letters too
//! replay core "lisp.type == 8" at Core1     # the first such packet again; [to ADDRESS] if IPv4
//! replay core "lisp.type == 8" at Core1 times 1000 every 1ms
//!
//! # A message that the scenario writes, by UDP: from any address, also not an address of the node.
//! send map-request at Core1 from 203.0.113.11 to 198.51.100.21 {
//!   smr probe do-not-reply            # one message for each address of the prefix:
//!   source-eid each 172.16.0.0/24     # or source-eid 172.16.0.12
//!   itr-rloc 203.0.113.11
//!   eid 192.168.0.22/32
//! } every 4ms                         # or } times 1000 every 1ms
//! connect c at Core1 from 209.165.201.1 to 209.165.201.31     # a TCP client, to port 4342
//! receive c registration-refresh contains "of all"    # the next message, as Eidway prints it
//! send registration on c {
//!   key new-key
//!   record 172.16.0.128/25 ttl 1440 locator 209.165.201.1
//!   corrupt-end-marker
//! }
//! receive c closed                    # by FIN or RST; reset: by RST; refused: no connection
//!
//! move A to xTR2
//! kill NewMSMR
//! start NewMSMR
//! link Core1:eth1 down
//! link Core1:eth1 mtu 1400           # of this end only
//! address A 172.16.0.130/24          # an additional address
//! wait 3s
//! middle                     # `lab run --kill ROUTER` stops the script here and kills the router
//! include "roaming.include"  # inserts another file of the directory here
//! only simulated             # the waits are too long for namespaces
//! ```
//!
//! A `show` is repeated until it prints the expected text, for five seconds or for the time of
//! `within`. A `receive` also waits that long for data, and `within` before a `ping` repeats the
//! ping. [`parse`] makes the values here from the text, [`message`] has the fields of each message,
//! and [`play`] plays the statements on any [`stage::Stage`]. With `--kill`, [`recovery`] replaces
//! the rest of the script.

pub mod expect;
pub mod library;
pub mod message;
pub mod parse;
pub mod play;
pub mod recovery;
pub mod replay;
pub mod run;
pub mod stage;
mod statements;
pub mod stream;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

pub use parse::parse;

/// A scenario that is checked against its lab: every node and port that it names exists.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// The path of the file, as messages name it.
    pub path: String,
    /// Its subject, in one line.
    pub title: String,
    /// Configuration to add to a router's own before the router starts, by router.
    pub overlays: BTreeMap<String, String>,
    /// True if the scenario waits too long for real time.
    pub only_simulated: bool,
    /// The statements, in order.
    pub steps: Vec<Step>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Step {
    /// The file of the statement, as messages name it: the scenario, or a file that it includes.
    pub path: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// The line itself.
    pub text: String,
    /// The action, or the expected result.
    pub action: Action,
}

/// A change of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// The port is taken up.
    Up,
    /// The port is taken down.
    Down,
    /// The port takes IP packets of at most this many octets.
    Mtu(u16),
}

/// The action or expectation of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `at NODE: COMMAND / COMMAND`, in a session that lasts for the whole scenario.
    At {
        /// The router.
        node: String,
        /// The commands.
        commands: Vec<String>,
    },
    /// `show NODE "COMMAND" ...`.
    Show {
        /// The router.
        node: String,
        /// The command.
        command: String,
        /// The texts that one output must match.
        expected: Vec<Printed>,
        /// The time limit for this output.
        within: Duration,
    },
    /// `ping FROM TO`.
    Ping {
        /// The echos.
        ping: Ping,
        /// The expected outcome.
        expected: Option<Answers>,
        /// The time limit for repeating the ping.
        within: Option<Duration>,
    },
    /// `flow NAME = FROM TO every TIME`.
    Flow {
        /// Its name in `end`.
        name: String,
        /// The sender and the receiver.
        ends: Ends,
        /// The time between two echos.
        every: Duration,
    },
    /// `end NAME`.
    End {
        /// The flow.
        name: String,
        /// The allowed number of lost echos.
        lost: Option<Bound>,
    },
    /// `capture NAME = PORT [flawed N]`.
    Capture {
        /// Its name in `packets`.
        name: String,
        /// The captured port.
        port: Place,
        /// The number of malformed packets in it: packets that the scenario sends malformed on
        /// purpose.
        flawed: usize,
    },
    /// `packets NAME ...`.
    Packets {
        /// The capture.
        capture: String,
        /// The packets to check, as a display filter of Wireshark.
        filter: String,
        /// The expectation on these packets.
        expected: Captured,
    },
    /// `replay CAPTURE "FILTER" at NODE`: the first packet that passes the filter is sent again.
    Replay {
        /// The packet.
        what: Replay,
        /// The node that sends it.
        node: String,
    },
    /// `send MESSAGE at NODE from ADDRESS to ADDRESS { FIELDS }`: by UDP.
    Send {
        /// The node that sends.
        node: String,
        /// The datagrams that it sends.
        datagrams: Datagrams,
    },
    /// `connect NAME at NODE from ADDRESS to ADDRESS`: by TCP, to port 4342.
    Connect {
        /// Its name in `send ... on` and `receive`.
        name: String,
        /// The node that connects.
        node: String,
        /// An address of that node.
        source: Ipv4Addr,
        /// The server.
        destination: SocketAddrV4,
    },
    /// `send registration on NAME { FIELDS }`.
    Transmit {
        /// The connection.
        name: String,
        /// The octets of the message.
        octets: Vec<u8>,
    },
    /// `receive NAME ...`.
    Receive {
        /// The connection.
        name: String,
        /// The data that must come next on it.
        expected: stream::Heard,
        /// The time limit.
        within: Duration,
    },
    /// `middle`: a run that kills a router stops the script here.
    Middle,
    /// `move HOST to ROUTER`, or to a port of it.
    Move {
        /// The host.
        host: String,
        /// The router of the new LAN, or its port on this LAN.
        to: String,
    },
    /// `kill ROUTER`: it sends no last message.
    Kill {
        /// The router.
        node: String,
    },
    /// `start ROUTER`.
    Start {
        /// The router.
        node: String,
    },
    /// `link PORT up|down|mtu OCTETS`.
    Link {
        /// The port that changes.
        port: Place,
        /// The change.
        change: LinkChange,
    },
    /// `address NODE ADDRESS/LENGTH`: an additional address for a host.
    Address {
        /// The host.
        host: String,
        /// The address with the length of its network.
        address: IpNet,
    },
    /// `wait TIME`.
    Wait(Duration),
}

/// A port as written in the text: `xTR1:Ethernet0/0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The node.
    pub node: String,
    /// Its interface.
    pub interface: String,
}

/// The sender and the receiver of echos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// A node.
    pub from: String,
    /// A host or an address.
    pub to: String,
    /// Sends to the host's IPv6 address.
    pub ipv6: bool,
}

/// The echos of a `ping`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ping {
    /// The sender and the receiver.
    pub ends: Ends,
    /// The number of echos.
    pub count: u32,
    /// The octets of each IP packet.
    pub size: u16,
    /// With the don't-fragment bit; emulated hosts always set it.
    pub df: bool,
}

/// A captured packet to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The capture.
    pub capture: String,
    /// A display filter of Wireshark: the first packet that passes it is sent.
    pub filter: String,
    /// `to ADDRESS`: a destination other than its own.
    pub to: Option<Ipv4Addr>,
    /// `times N every TIME`: how often the packet is sent.
    pub times: u32,
    /// The time between two packets.
    pub every: Duration,
}

/// Datagrams that a scenario writes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagrams {
    /// The source in their headers, which need not be an address of the sending node.
    pub source: SocketAddrV4,
    /// Their destination.
    pub destination: SocketAddrV4,
    /// The UDP payloads, in order; at least one.
    pub payloads: Vec<Vec<u8>>,
    /// How often the whole sequence is sent.
    pub times: u32,
    /// The time between two datagrams.
    pub every: Duration,
}

/// A text that a `show` must print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Printed {
    /// `contains "TEXT"`, within one line. Any space between two words of the line counts as one.
    Contains(String),
    /// `lacks "TEXT"`.
    Lacks(String),
    /// `matches { LINES }`: these lines one after the other. `*` is any text, and the amount of
    /// space between words does not count.
    Matches(Vec<String>),
}

/// The expected number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `exactly N`, or `none`.
    Exactly(u64),
    /// `at-least N`.
    AtLeast(u64),
    /// `at-most N`.
    AtMost(u64),
}

/// The expected outcome of echos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The number of answered echos.
    Count(Bound),
    /// The printed marks.
    Marks(String),
}

/// The expectation on captured packets.
#[derive(Clone, Debug, PartialEq)]
pub enum Captured {
    /// The number of packets.
    Count(Bound),
    /// `within TIME after "FILTER"`: the next packet after the first of the others comes within
    /// this time.
    After {
        /// The filter for the others.
        filter: String,
        /// The longest time between the two.
        within: Duration,
    },
    /// `spaced MIN..MAX MIN..MAX [...]`: the times between the packets, one less than the packets.
    Spaced {
        /// The times.
        gaps: Vec<RangeInclusive<Duration>>,
        /// `...`: other packets may follow.
        more: bool,
    },
    /// `FIELD reads a a b [...]`: one letter for each packet. Equal letters mean equal values.
    Reads {
        /// A field as Wireshark names it.
        field: String,
        /// The letters.
        letters: Vec<String>,
        /// `...`: other packets may follow.
        more: bool,
    },
}
