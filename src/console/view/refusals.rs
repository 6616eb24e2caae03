//! The data of `show lisp refusals`.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::router::counters::ControlDrop;

/// The control messages that the router refused recently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusalsView {
    /// The number of rows that were replaced by other rows, plus the number of messages from new
    /// sources that found no free row.
    pub forgotten: u64,
    /// The refusals, sorted by source and then by reason.
    pub refusals: Vec<RefusalRow>,
}

/// The refused messages that have the same source and the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusalRow {
    /// The address of the sender.
    pub source: IpAddr,
    /// The reason. `show ip lisp statistics` has a counter for each reason.
    pub reason: ControlDrop,
    /// The number of refused messages.
    pub count: u64,
    /// Seconds since the first of these messages.
    pub first: u64,
    /// Seconds since the latest of these messages.
    pub last: u64,
    /// A description of the latest message.
    pub what: String,
    /// The cause of the refusal.
    pub why: String,
    /// The remedy: advice for the administrator.
    pub advice: String,
}
