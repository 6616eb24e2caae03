//! The data of `show lisp packet` and `show lisp map-request`.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LocatorAddress;
use crate::addr::InstanceId;
use crate::router::decision::{Rule, Table};
use crate::router::io::DropReason;

/// The decision that the router would make now on a packet of EIDs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PacketView {
    /// The instance.
    pub instance_id: InstanceId,
    /// The source of the packet.
    pub source: IpAddr,
    /// The destination of the packet.
    pub destination: IpAddr,
    /// The number of octets of the packet.
    pub size: u16,
    /// Whether the packet must not be fragmented.
    pub df: bool,
    /// The RLOC that encapsulated the packet. Absent for a packet from the site.
    pub encapsulated_by: Option<IpAddr>,
    /// The treatment of the packet.
    pub verdict: PacketVerdict,
    /// The reason why the packet is dropped. Absent if it is not dropped.
    pub drop: Option<DropReason>,
    /// The RLOC of this router and the remote RLOC, if the packet is encapsulated.
    pub rlocs: Option<(IpAddr, IpAddr)>,
    /// The rule that decides.
    pub rule: Rule,
    /// The rule in a sentence.
    pub because: String,
    /// The section of the standard that contains this rule.
    pub section: String,
    /// The line of a table that the rule uses. Absent if the rule uses no table.
    pub line: Option<Line>,
    /// The further effects of the packet on the router, as sentences.
    pub effects: Vec<String>,
    /// The advice for the operator, if the packet is dropped.
    pub remedy: Option<String>,
}

/// A line of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PacketLine")]
pub struct Line {
    /// The table.
    pub table: Table,
    /// The EID prefix of the line.
    #[schemars(with = "String")]
    pub eid_prefix: IpNet,
}

/// The treatment of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PacketVerdict {
    /// The packet is encapsulated to a locator.
    Encapsulate,
    /// The packet is forwarded without LISP.
    Native,
    /// The packet is decapsulated and forwarded to its destination in the site.
    Deliver,
    /// The packet is decapsulated, and encapsulated again to the new locator of its destination.
    Forward,
    /// The packet waits for a Map-Reply.
    AwaitMapping,
    /// The packet waits until the router finds the destination host.
    AwaitHost,
    /// The packet is dropped.
    Drop,
}

/// The answer that the router would send now to an encapsulated Map-Request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestView {
    /// The instance.
    pub instance_id: InstanceId,
    /// The requested EID.
    pub eid: IpAddr,
    /// The kind of the answer.
    pub answer: RequestAnswer,
    /// The prefix of the answer. Absent if this router itself sends no answer.
    #[schemars(with = "Option<String>")]
    pub eid_prefix: Option<IpNet>,
    /// The TTL of the answer in minutes. Absent if this router itself sends no answer.
    pub ttl_minutes: Option<u32>,
    /// The ETR to which the router forwards the request. Absent if the router does not forward it.
    pub etr: Option<IpAddr>,
    /// The site of the EID at this map-server, if this site is configured.
    pub site: Option<String>,
    /// The locators of the answer.
    pub locators: Vec<RequestLocator>,
    /// The reason, as a sentence.
    pub because: String,
    /// The section of the standard about this answer.
    pub section: String,
}

/// The kind of an answer to a Map-Request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestAnswer {
    /// The ETR answers from its database.
    Database,
    /// The map-server forwards the request to an ETR.
    Forward,
    /// The map-server answers with the registrations.
    Registrations,
    /// The map-server answers that there is no mapping.
    Negative,
    /// The ETR does not answer, because the EID is not at its site.
    NotOurEid,
    /// The router has no role that answers Map-Requests.
    NotOurRole,
}

/// A locator of a Map-Reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestLocator {
    /// The address of the locator.
    pub rloc: LocatorAddress,
    /// The priority of the locator. A lower value is preferred.
    pub priority: u8,
    /// The weight of the locator: its share of the traffic.
    pub weight: u8,
    /// Whether the sender of the reply can reach the locator.
    pub reachable: bool,
}
