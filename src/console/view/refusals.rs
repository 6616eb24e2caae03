//! The data of `show lisp refusals`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::router::counters::ControlDrop;

/// The control messages that were refused of late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalsView {
    /// Rows that made room for others, and messages of new sources that got no row.
    pub forgotten: u64,
    /// By source and reason; of the same source, by reason.
    pub refusals: Vec<RefusalRow>,
}

/// The messages of one source that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalRow {
    /// The address that they came from.
    pub source: IpAddr,
    /// The counter of `show ip lisp statistics` that has them.
    pub reason: ControlDrop,
    /// How many.
    pub count: u64,
    /// Seconds since the first of them.
    pub first: u64,
    /// Seconds since the last of them.
    pub last: u64,
    /// The message.
    pub what: String,
    /// The cause.
    pub why: String,
    /// The remedy.
    pub advice: String,
}
