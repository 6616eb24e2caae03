//! Scenarios. A scenario is a list of statements, one on each line. A statement is an action in a
//! lab, or an expected result.
//!
//! ```text
//! # G2: what the document shows.
//! title "a local EID without a route"
//!
//! overlay xTR2 {                      # configuration to add to the router's own
//!   router lisp
//!    ipv4 use-petr 192.0.2.51
//! }
//!
//! ping B A expect 5                   # [ipv6] [count N] [size N] [df] [expect N|N..M|at-least N|"!!..."]
//! ping B A expect 4..5 rtt 40ms..90ms # each round trip takes from 40 to 90 ms
//! capture core = xTR1:Ethernet0/0     # runs until the first `packets` statement about it
//! capture new = NewMSMR:Ethernet0/0 flawed 1      # the number of malformed packets, 0 by default
//! flow f = N A every 100ms            # a ping in the background ...
//! end f lost at-most 5                # ... and its losses; or exactly N, N..M
//! at xTR1: configure terminal / interface ethernet 1/0 / shutdown / end
//! within 1s show xTR1 "show ip lisp database" contains "no-route 1" lacks "inactive 1"
//! show xTR2 "show ip lisp map-cache" matches {
//!   172.16.0.0/24, uptime: *, expires: 00:00:*, via map-reply, forward-native
//!     Negative cache entry, action: forward-native
//! }
//! packets core exactly 1 "lisp.mreq.flags.smr == 1"       # at-least N, at-most N, N..M, none
//! packets core "lisp.type == 8" within 50ms after "lisp.mreq.flags.smr == 1"
//! packets core "lisp.type == 8" spaced 1s..1.2s 2s..2.2s
//! packets core "lisp.type == 8" lisp.nonce reads a a b    # equal letters: equal values
//! packets core "lisp.type == 8" spaced 1s..1.2s ...       # more may follow; also after letters
//! replay core "lisp.type == 8" at Core1 # sends the first such packet again; [to ADDRESS] for IPv4
//! replay core "lisp.type == 8" at Core1 times 1000 every 1ms
//!
//! # A UDP message that the scenario writes. Its source need not be an address of the node.
//! send map-request at Core1 from 203.0.113.11 to 198.51.100.21 {
//!   smr probe do-not-reply            # one message for each address of a prefix:
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
//! move A to xTR2 [make-before-break]  # in both LANs for a second; break-before-make: in none
//! stop NewMSMR                       # the router ends with its last messages
//! kill NewMSMR
//! start NewMSMR
//! link Core1:eth1 down
//! link Core1:eth1 mtu 1400           # the MTU of this end only
//! link Core1:eth1 flap count 3 down 200ms up 1s   # down and up again; these are the defaults
//! impair Core1:Core2 delay 20ms jitter 5ms loss 1% duplicate 1% reorder 1% rate 10Mbit mtu 1400
//! impair xTR1:Ethernet0/0 direction Core1-to-xTR1 loss 10%   # one direction of the link of a port
//! impair Core1:Core2 none            # replaces all impairments of the link, as each `impair` does
//! address A 172.16.0.130/24          # an additional address
//! wait 3s
//! middle                     # `lab run --kill ROUTER` stops the script here and kills the router
//! include "roaming.include"  # inserts another file of the directory here
//! only simulated             # the waits are too long for namespaces
//! also impaired              # a test also plays it with impaired links: see `Scenario`
//! ```
//!
//! A `show` is repeated until its output has the expected text. The time limit is the time after
//! `within`, or five seconds if the statement has no `within`. A `receive` waits for data within
//! the same limit. A `ping` is repeated only if it has a `within`. [`parse`] reads the text into
//! the types of this module. [`message`] has the fields of each message. [`play`] runs the
//! statements on any [`stage::Stage`]. With `--kill`, [`recovery`] replaces the statements after
//! the middle of the script.

pub mod expect;
pub mod library;
pub mod losses;
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

use crate::lab::impairment::Impairment;
use crate::lab::link_target::Target;
use crate::lab::plugging::Plugging;

pub use parse::{Part, parse, parse_part};

/// A scenario after it was checked against its lab. Every node and port in it exists in the lab.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// The path of the file, for messages.
    pub path: String,
    /// The title of the scenario: its subject in one line.
    pub title: String,
    /// The overlays by router. An overlay is configuration that is added to the router's own
    /// configuration before the router starts.
    pub overlays: BTreeMap<String, String>,
    /// Whether the scenario runs only on the simulator, because it waits for minutes.
    pub only_simulated: bool,
    /// Whether a test also plays the scenario with delay and jitter on all links of the lab. If a
    /// lab has no such scenario, the test plays the first scenario that is not only for the
    /// simulator.
    pub also_impaired: bool,
    /// The statements, in order.
    pub steps: Vec<Step>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Step {
    /// The path of the statement's file, for messages. The file is the scenario, or a file that it
    /// includes.
    pub path: String,
    /// The number of the statement's line in the file, counted from 1.
    pub line: usize,
    /// The text of the statement.
    pub text: String,
    /// The action or the expectation of the statement.
    pub action: Action,
}

/// A change of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// Sets the port up.
    Up,
    /// Sets the port down.
    Down,
    /// Sets the MTU of the port, in octets.
    Mtu(u16),
}

/// A flap of a port: the port goes down and up again, several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    /// The number of times that the port goes down.
    pub count: u32,
    /// The time for which the port is down.
    pub down: Duration,
    /// The time for which the port is up before it goes down again.
    pub up: Duration,
}

impl Default for Flap {
    fn default() -> Self {
        Flap { count: 3, down: Duration::from_millis(200), up: Duration::from_secs(1) }
    }
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
        /// The expectations on the output. One output must satisfy all of them.
        expected: Vec<Printed>,
        /// The time limit for an output that satisfies all of the expectations.
        within: Duration,
    },
    /// `ping FROM TO`.
    Ping {
        /// The sender, the receiver and the number of the echos.
        ping: Ping,
        /// The expectations on the outcome. The same echos must satisfy all of them.
        expected: Vec<Answers>,
        /// The time limit for repeating the ping until the outcome is as expected.
        within: Option<Duration>,
    },
    /// `flow NAME = FROM TO every TIME`.
    Flow {
        /// The name of the flow, for `end`.
        name: String,
        /// The sender and the receiver.
        ends: Ends,
        /// The time between two echos.
        every: Duration,
    },
    /// `end NAME`.
    End {
        /// The name of the flow.
        name: String,
        /// The allowed number of lost echos.
        lost: Option<Bound>,
    },
    /// `capture NAME = PORT [flawed N]`.
    Capture {
        /// The name of the capture, for `packets`.
        name: String,
        /// The port at which packets are captured.
        port: Place,
        /// The number of malformed packets in the capture. The scenario sends these packets on
        /// purpose.
        flawed: usize,
    },
    /// `packets NAME ...`.
    Packets {
        /// The name of the capture.
        capture: String,
        /// A display filter of Wireshark. It selects the packets to check.
        filter: String,
        /// The expectation on the selected packets.
        expected: Captured,
    },
    /// `replay CAPTURE "FILTER" at NODE`: the first packet that passes the filter is sent again.
    Replay {
        /// The packet to send again.
        what: Replay,
        /// The node that sends the packet.
        node: String,
    },
    /// `send MESSAGE at NODE from ADDRESS to ADDRESS { FIELDS }`: sends a message by UDP.
    Send {
        /// The node that sends.
        node: String,
        /// The datagrams that the node sends.
        datagrams: Datagrams,
    },
    /// `connect NAME at NODE from ADDRESS to ADDRESS`: opens a TCP connection to port 4342.
    Connect {
        /// The name of the connection, for `send ... on` and `receive`.
        name: String,
        /// The node that connects.
        node: String,
        /// The source address of the connection. It is an address of the node.
        source: Ipv4Addr,
        /// The address and port of the server.
        destination: SocketAddrV4,
    },
    /// `send registration on NAME { FIELDS }`.
    Transmit {
        /// The name of the connection.
        name: String,
        /// The octets of the message.
        octets: Vec<u8>,
    },
    /// `receive NAME ...`.
    Receive {
        /// The name of the connection.
        name: String,
        /// The data that must be received next on the connection.
        expected: stream::Heard,
        /// The time limit for receiving the data.
        within: Duration,
    },
    /// `middle`: a run with `--kill` kills the router here, and plays no later statement.
    Middle,
    /// `move HOST to ROUTER [make-before-break|break-before-make]`, or to a port of this router.
    Move {
        /// The name of the host.
        host: String,
        /// The router on the new LAN, or its port on this LAN.
        to: String,
        /// The manner of the move.
        how: Plugging,
    },
    /// `stop ROUTER`: the router sends its last messages and ends.
    Stop {
        /// The router.
        node: String,
    },
    /// `kill ROUTER`: the router ends without a last message.
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
        /// The port to change.
        port: Place,
        /// The change of the port.
        change: LinkChange,
    },
    /// `link PORT flap [count N] [down TIME] [up TIME]`: sets the port down and up again, several
    /// times.
    Flap {
        /// The port to change.
        port: Place,
        /// The changes of the port.
        flap: Flap,
    },
    /// `impair LINK [direction NODE-to-NODE] WORDS`: changes the impairment of a link.
    Impair {
        /// The link, and the direction if only one direction is impaired.
        target: Target,
        /// The new impairment. It replaces the present impairment.
        impairment: Impairment,
    },
    /// `address NODE ADDRESS/LENGTH`: gives a host an additional address.
    Address {
        /// The host.
        host: String,
        /// The address and the prefix length of its network.
        address: IpNet,
    },
    /// `wait TIME`.
    Wait(Duration),
}

impl Action {
    /// Whether the statement changes the lab. A statement that only reads the lab or sends echos
    /// does not change it.
    pub fn changes_lab(&self) -> bool {
        match self {
            Action::At { .. }
            | Action::Replay { .. }
            | Action::Send { .. }
            | Action::Connect { .. }
            | Action::Transmit { .. }
            | Action::Move { .. }
            | Action::Stop { .. }
            | Action::Kill { .. }
            | Action::Start { .. }
            | Action::Link { .. }
            | Action::Flap { .. }
            | Action::Impair { .. }
            | Action::Address { .. } => true,
            Action::Show { .. }
            | Action::Ping { .. }
            | Action::Flow { .. }
            | Action::End { .. }
            | Action::Capture { .. }
            | Action::Packets { .. }
            | Action::Receive { .. }
            | Action::Middle
            | Action::Wait(_) => false,
        }
    }
}

/// A port in the form that a scenario uses: `xTR1:Ethernet0/0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the node.
    pub node: String,
    /// The name of the node's interface.
    pub interface: String,
}

/// The sender and the receiver of echos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The node that sends the echos.
    pub from: String,
    /// The host or address that receives the echos.
    pub to: String,
    /// Whether the echos go to the IPv6 address of the host.
    pub ipv6: bool,
}

/// The echos of a `ping` statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ping {
    /// The sender and the receiver.
    pub ends: Ends,
    /// The number of echos.
    pub count: u32,
    /// The length of each IP packet in octets.
    pub size: u16,
    /// Whether the don't-fragment bit is set. Emulated hosts always set it.
    pub df: bool,
}

/// A captured packet that is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The name of the capture.
    pub capture: String,
    /// A display filter of Wireshark. The first packet that passes the filter is sent.
    pub filter: String,
    /// `to ADDRESS`: a destination that replaces the destination of the packet.
    pub to: Option<Ipv4Addr>,
    /// `times N every TIME`: the number of times that the packet is sent.
    pub times: u32,
    /// The time between two packets.
    pub every: Duration,
}

/// Datagrams of a message that a scenario writes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagrams {
    /// The source in the headers of the datagrams. It need not be an address of the sending node.
    pub source: SocketAddrV4,
    /// The destination of the datagrams.
    pub destination: SocketAddrV4,
    /// The UDP payloads in their order. There is at least one.
    pub payloads: Vec<Vec<u8>>,
    /// The number of times that all payloads are sent.
    pub times: u32,
    /// The time between two datagrams.
    pub every: Duration,
}

/// An expectation on the output of a `show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Printed {
    /// `contains "TEXT"`: a line must contain this text. The number of spaces between two words
    /// does not matter.
    Contains(String),
    /// `lacks "TEXT"`: no line may contain this text.
    Lacks(String),
    /// `matches { LINES }`: the output must have these lines, one after the other. `*` stands for
    /// any text. The number of spaces between two words does not matter.
    Matches(Vec<String>),
}

/// A condition that a number must satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `exactly N`: the number must be N. `none` is the same as `exactly 0`.
    Exactly(u64),
    /// `at-least N`: the number must be N or more.
    AtLeast(u64),
    /// `at-most N`: the number must be N or less.
    AtMost(u64),
    /// `N..M`: the number must be N or more, and M or less.
    Between(u64, u64),
}

/// The expected outcomes of echos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The number of answered echos.
    Count(Bound),
    /// The characters that IOS prints for the outcomes.
    Marks(String),
    /// `rtt MIN..MAX`: at least one echo is answered, and each round trip takes a time in this
    /// range.
    RoundTrips(RangeInclusive<Duration>),
}

/// The expectation on captured packets.
#[derive(Clone, Debug, PartialEq)]
pub enum Captured {
    /// The number of packets.
    Count(Bound),
    /// `within TIME after "FILTER"`: after the first packet that passes FILTER, a selected packet
    /// must follow within this time.
    After {
        /// The filter for the earlier packet.
        filter: String,
        /// The longest time between the two packets.
        within: Duration,
    },
    /// `spaced MIN..MAX MIN..MAX [...]`: the times between successive packets. For N packets, there
    /// are N - 1 times.
    Spaced {
        /// The allowed times, as ranges.
        gaps: Vec<RangeInclusive<Duration>>,
        /// Whether the statement ends with `...`: more packets may follow.
        more: bool,
    },
    /// `FIELD reads a a b [...]`: one letter for each packet. Packets with the same letter must
    /// have the same value of the field, and packets with different letters different values.
    Reads {
        /// The name of a field in Wireshark.
        field: String,
        /// The letters, one for each packet.
        letters: Vec<String>,
        /// Whether the statement ends with `...`: more packets may follow.
        more: bool,
    },
}
