//! The data of `show ip lisp away` and `show ip lisp smr`. The head of both is a
//! [`TableHead`](super::TableHead).

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::router::away::Producer;

/// An EID prefix that is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwayRow {
    /// The prefix.
    pub eid_prefix: IpNet,
    /// The cause, as one of the kinds of IOS.
    pub producer: AwayProducer,
    /// The cause.
    pub cause: Producer,
    /// Seconds since the prefix was added.
    pub created: u64,
}

/// A cause in the terms of IOS, which has fewer of them than [`Producer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AwayProducer {
    /// A database mapping without a route, or one that was de-configured.
    #[serde(rename = "local EID")]
    LocalEid,
    /// A dynamic-EID range, or a host of one.
    #[serde(rename = "dyn-eid")]
    DynamicEid,
    /// A registration of another xTR.
    #[serde(rename = "site-registration")]
    SiteRegistration,
}

impl From<Producer> for AwayProducer {
    fn from(cause: Producer) -> Self {
        match cause {
            Producer::NoRoute | Producer::Deconfigured => AwayProducer::LocalEid,
            Producer::DynamicEid => AwayProducer::DynamicEid,
            Producer::SiteRegistration => AwayProducer::SiteRegistration,
        }
    }
}

/// An EID prefix for which SMRs are sent or were received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmrRow {
    /// The prefix.
    pub eid_prefix: IpNet,
    /// The tables that contain it.
    pub producers: Vec<SmrProducer>,
}

/// A table with prefixes for which SMRs are sent or were received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SmrProducer {
    /// The away table: senders to these EIDs are solicited.
    #[serde(rename = "away table")]
    AwayTable,
    /// The database: senders to these EIDs are solicited.
    #[serde(rename = "local EID")]
    LocalEid,
    /// The map-cache: because of an SMR, this router requests these EIDs.
    #[serde(rename = "remote EID")]
    RemoteEid,
}
