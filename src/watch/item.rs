//! The events in a lab. Each [`Item`] is one event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One event in a lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The serial number. Later items have larger numbers.
    pub n: u64,
    /// The time in microseconds since the start of the lab.
    pub at: u64,
    /// The kind of the event, and its data.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Item {
    /// Returns the node at which the event happened. Returns `None` for a packet on a link.
    pub fn node(&self) -> Option<&str> {
        match &self.kind {
            Kind::Message(message) => Some(&message.node),
            Kind::Decision(decision) => Some(&decision.node),
            Kind::Change(change) => Some(&change.node),
            Kind::Log(line) => Some(&line.node),
            Kind::Hop(_) => None,
        }
    }
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// A router sent or received a LISP message.
    Message(Message),
    /// A packet was put on a link.
    Hop(Hop),
    /// A router or a kernel made a decision about a packet.
    Decision(Decision),
    /// A table of a router changed.
    Change(Change),
    /// A router wrote a line to its log.
    Log(LogLine),
}

/// The reason for a message, a decision or a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The reason in a sentence.
    pub text: String,
    /// The standard and the section of the rule, for example `RFC 9301 section 6.1`.
    pub section: Option<String>,
}

impl Reason {
    /// Returns the reason of a router as text.
    pub(super) fn of(reason: &dyn crate::router::reason::Reason) -> Self {
        Reason { text: reason.to_string(), section: Some(reason.section().to_owned()) }
    }
}

/// The direction of a message, seen from the router that reports the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The router sent the message.
    Sent,
    /// The router received the message.
    Received,
}

/// The transport of a LISP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A datagram of UDP port 4342.
    Udp,
    /// A frame on a TCP connection of port 4342.
    Tcp,
}

/// A LISP message at a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The router.
    pub node: String,
    /// Whether the router sent or received the message.
    pub direction: Direction,
    /// UDP, or TCP for the reliable transport.
    pub transport: Transport,
    /// The address and port of the sender.
    pub source: String,
    /// The address and port of the receiver.
    pub destination: String,
    /// The name of the message, for example `Map-Request` or `SMR`.
    pub name: String,
    /// The message in one line.
    pub summary: String,
    /// Whether the message is in an Encapsulated Control Message.
    pub encapsulated: bool,
    /// The nonce in the notation of IOS. Absent if the message has no nonce.
    pub nonce: Option<String>,
    /// The octets of the message in hexadecimal.
    pub octets: String,
    /// For a received message: the number of the item that reports that this message was sent.
    pub sent: Option<u64>,
    /// The number of the sent message that this message answers.
    pub answers: Option<u64>,
    /// The reason for which the router sent the message.
    pub reason: Option<Reason>,
}

/// The fate of a packet on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HopFate {
    /// The packet will arrive.
    Carried,
    /// The packet will arrive twice.
    Doubled,
    /// The link lost the packet.
    Lost,
}

/// The class of a packet on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A LISP control message: UDP port 4342.
    Control,
    /// The reliable transport: TCP port 4342.
    Tcp,
    /// An encapsulated packet: UDP port 4341.
    Data,
    /// A packet without LISP.
    Native,
    /// ARP or neighbour discovery.
    Neighbour,
}

/// A packet that was put on a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// The name of the link or LAN.
    pub segment: String,
    /// The sending node.
    pub from: String,
    /// The nodes that the packet will reach.
    pub to: Vec<String>,
    /// The time at which the packet arrives at these nodes, in microseconds. Absent if the link
    /// lost the packet.
    pub arrives: Option<u64>,
    /// The fate of the packet on the link.
    pub fate: HopFate,
    /// The class of the packet.
    pub class: Class,
    /// The packet in one line.
    pub summary: String,
    /// The name of the packet of EIDs. The same packet has the same name on all links, encapsulated
    /// or not.
    pub packet: String,
    /// The octets of the IP packet in hexadecimal. Empty for ARP.
    pub octets: String,
}

/// The line of a table that caused a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The name of the table.
    pub table: String,
    /// The EID prefix of the line.
    pub prefix: String,
}

/// A decision about a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The node that made the decision.
    pub node: String,
    /// The name of the packet, as in [`Hop::packet`].
    pub packet: Option<String>,
    /// The packet in a few words: its source address and its destination address.
    pub summary: String,
    /// The verdict: `encapsulate`, `native`, `deliver`, `forward`, `hold` or `drop`.
    pub verdict: String,
    /// The locator to which the packet is encapsulated.
    pub locator: Option<String>,
    /// The line of a table that caused the decision.
    pub line: Option<Line>,
    /// The reason.
    pub reason: Reason,
}

/// The kind of change of a line in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Alteration {
    /// The line is new.
    Added,
    /// The content of the line is different.
    Changed,
    /// The line was removed.
    Removed,
}

/// A change of a table of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The router.
    pub node: String,
    /// The table: `map-cache`, `database`, `away`, `sites`, `registrations`, `sessions`,
    /// `reachability` or `dynamic-eids`. In a lab in namespaces, also `ports` or `process`.
    pub table: String,
    /// The key of the line: an EID prefix, or the address of a router.
    pub key: String,
    /// The kind of change.
    pub change: Alteration,
    /// The change in a sentence.
    pub text: String,
    /// The reason for the change.
    pub reason: Option<Reason>,
    /// The number of the message that caused the change.
    pub cause: Option<u64>,
}

/// A line of the log of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// The router.
    pub node: String,
    /// `warning` or `notice`.
    pub severity: String,
    /// The text.
    pub text: String,
}
