//! The data of `show lisp registration-history`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::addr::InstanceId;

/// The recent registrations and withdrawals, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// The events; the map-server keeps a limited number.
    pub events: Vec<EventRow>,
}

/// A registration or its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// Milliseconds since the router's start: the history has no time of day.
    pub at: u64,
    /// The instance.
    pub instance_id: InstanceId,
    /// The prefix.
    pub eid_prefix: IpNet,
    /// The RLOC that sent it.
    pub source: IpAddr,
    /// Whether it was received over TCP; otherwise over UDP.
    pub reliable: bool,
    /// Whether it was registered; otherwise withdrawn or expired.
    pub registered: bool,
    /// Whether it replaced the registration of another xTR.
    pub moved: bool,
}
