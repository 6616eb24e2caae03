//! The data of `show lisp refusals`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::router::counters::ControlDrop;

/// The control messages that were refused recently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalsView {
    /// Rows that were replaced by others, and messages from new sources that got no row.
    pub forgotten: u64,
    /// The refusals, by source, then by reason.
    pub refusals: Vec<RefusalRow>,
}

/// The messages of one source that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalRow {
    /// The sender's address.
    pub source: IpAddr,
    /// The counter of `show ip lisp statistics` that counts them.
    pub reason: ControlDrop,
    /// The number of messages.
    pub count: u64,
    /// Seconds since the first message.
    pub first: u64,
    /// Seconds since the last message.
    pub last: u64,
    /// The last message.
    pub what: String,
    /// The cause of its refusal.
    pub why: String,
    /// The remedy.
    pub advice: String,
}
