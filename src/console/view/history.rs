//! The data of `show lisp registration-history`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::addr::InstanceId;

/// The registrations and withdrawals of late, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// The map-server keeps a bounded number.
    pub events: Vec<EventRow>,
}

/// A registration or its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// Milliseconds after the router's start: it knows no time of day.
    pub at: u64,
    /// The instance.
    pub instance_id: InstanceId,
    /// The prefix.
    pub eid_prefix: IpNet,
    /// The RLOC that it came from.
    pub source: IpAddr,
    /// By TCP, otherwise by UDP.
    pub reliable: bool,
    /// Registered, otherwise withdrawn or lapsed.
    pub registered: bool,
    /// It took the place of another xTR's.
    pub moved: bool,
}
