//! A journey: the path of a packet, and the path of the answer, in steps.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::cause::Loss;

/// The packet to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The node that sends the packet.
    pub from: String,
    /// The destination address of the packet.
    pub to: IpAddr,
    /// The number of octets of the packet.
    pub size: u16,
    /// Whether the packet must not be fragmented.
    pub df: bool,
}

/// The path of a packet, and the path of the answer to this packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Journey {
    /// The node that sends the packet.
    pub from: String,
    /// The node that receives the packet. Absent if the packet is lost.
    pub to: Option<String>,
    /// The source address of the packet.
    pub source: IpAddr,
    /// The destination address of the packet.
    pub destination: IpAddr,
    /// The number of octets of the packet.
    pub size: u16,
    /// Whether the packet must not be fragmented.
    pub df: bool,
    /// Whether the packet arrives.
    pub arrives: bool,
    /// Whether the packet arrives and its answer comes back.
    pub returns: bool,
    /// The steps of the packet and of its answer.
    pub steps: Vec<Step>,
    /// The loss of the packet or of its answer.
    pub lost: Option<Loss>,
}

/// The answer to a page that has requested a journey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explained {
    /// The steps of the packet and of its answer.
    pub steps: Vec<Step>,
    /// Whether the packet arrives and its answer comes back.
    pub returns: bool,
    /// The result of the journey in words, with the place and the cause of a loss.
    pub conclusion: String,
}

impl From<Journey> for Explained {
    fn from(journey: Journey) -> Self {
        let conclusion = journey.conclusion();
        Explained { steps: journey.steps, returns: journey.returns, conclusion }
    }
}

/// One step of a journey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "JourneyStep")]
pub struct Step {
    /// Whether this is a step of the packet or of the answer.
    pub leg: Leg,
    /// The depth of the step. It is zero for a step of the packet itself, and larger for a step of
    /// an outer packet or of a control message.
    pub depth: u8,
    /// The node.
    pub node: String,
    /// The component that decides, for example the routing table or the ITR.
    pub what: What,
    /// The result of the step.
    pub verdict: Verdict,
    /// The step and its reason, as a sentence.
    pub because: String,
    /// The section of the standard that demands this result, if there is one.
    pub section: Option<String>,
}

/// One of the two paths of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "JourneyLeg")]
pub enum Leg {
    /// The path of the packet to its destination.
    There,
    /// The path of the answer back to the sender of the packet.
    Back,
}

/// A component of a node. In each step of a journey, one component decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "JourneyPart")]
pub enum What {
    /// The routing table of the kernel.
    Route,
    /// The search for the neighbour on the link: ARP or neighbour discovery.
    Neighbour,
    /// The IP stack, which receives the packets for the node itself.
    Receive,
    /// The ITR or proxy ITR.
    Itr,
    /// The ETR or proxy ETR.
    Etr,
    /// The ITR, when it sends a Map-Request.
    MapRequest,
    /// The map-resolver and map-server.
    MapServer,
    /// The registrations of an ETR.
    Registration,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "JourneyVerdict")]
pub enum Verdict {
    /// The packet goes on.
    Passes,
    /// The packet waits for a mapping or for a host.
    Waits,
    /// The packet arrives.
    Arrives,
    /// The packet is lost.
    Lost,
}
