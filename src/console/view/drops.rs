//! The data of `show drops`.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::router::io::DropReason;

/// The packets of EIDs that the router dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DropsView {
    /// Seconds since the counters were cleared. Absent if they were never cleared.
    pub last_cleared: Option<u64>,
    /// The reasons for which packets were dropped.
    pub drops: Vec<DropRow>,
    /// The number of control messages without effect.
    pub control_messages: u64,
}

/// The packets that the router dropped for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DropRow {
    /// The reason.
    pub reason: DropReason,
    /// The number of packets.
    pub count: u64,
    /// The latest of these packets.
    pub last: Option<LastPacket>,
}

/// A packet that the router dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastPacket {
    /// Seconds since the packet was dropped.
    pub ago: u64,
    /// The source of the packet. Absent if it cannot be read.
    pub source: Option<IpAddr>,
    /// The destination of the packet. Absent if it cannot be read.
    pub destination: Option<IpAddr>,
    /// The RLOC that encapsulated the packet. Absent for a packet from the site.
    pub encapsulator: Option<IpAddr>,
}
