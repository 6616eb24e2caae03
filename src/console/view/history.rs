//! The data of `show lisp registration-history`.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::addr::InstanceId;

/// The recent registrations and withdrawals. The first event is the oldest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistrationHistoryView")]
pub struct HistoryView {
    /// The events. The map-server keeps a limited number of events.
    pub events: Vec<EventRow>,
}

/// A registration, or the end of a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegistrationEvent")]
pub struct EventRow {
    /// Milliseconds from the start of the router to the event. The history does not use the time of
    /// day.
    pub at: u64,
    /// The instance.
    pub instance_id: InstanceId,
    /// The prefix.
    #[schemars(with = "String")]
    pub eid_prefix: IpNet,
    /// The RLOC that sent the message.
    pub source: IpAddr,
    /// Whether the message was received over TCP. Otherwise it was received over UDP.
    pub reliable: bool,
    /// Whether the prefix was registered. Otherwise the registration was withdrawn or it expired.
    pub registered: bool,
    /// Whether the registration replaced a registration by another xTR.
    pub moved: bool,
}
