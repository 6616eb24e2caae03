//! The data of `show ip lisp away` and `show ip lisp smr`. The head of both outputs is a
//! [`TableHead`](super::TableHead).

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::router::away::Producer;

/// An EID prefix that is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AwayRow {
    /// The prefix.
    #[schemars(with = "String")]
    pub eid_prefix: IpNet,
    /// The cause of the entry, in the terms of IOS.
    pub producer: AwayProducer,
    /// The cause of the entry, in the terms of this router.
    pub cause: Producer,
    /// Seconds since the prefix was added to the away table.
    pub created: u64,
}

/// The cause of an entry in the terms of IOS. IOS distinguishes fewer causes than [`Producer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AwayProducer {
    /// A database mapping that has no route, or that was removed from the configuration.
    #[serde(rename = "local EID")]
    LocalEid,
    /// A dynamic-EID range, or a host of a dynamic-EID range.
    #[serde(rename = "dyn-eid")]
    DynamicEid,
    /// A registration by another xTR.
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

/// An EID prefix for which the router sends or has received SMRs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SmrRow {
    /// The prefix.
    #[schemars(with = "String")]
    pub eid_prefix: IpNet,
    /// The tables that contain the prefix.
    pub producers: Vec<SmrProducer>,
}

/// A table of EID prefixes for which the router sends or has received SMRs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SmrProducer {
    /// The away table. If an xTR sends packets for an EID in this table, the router sends an SMR to
    /// this xTR.
    #[serde(rename = "away table")]
    AwayTable,
    /// The database. If an xTR sends packets for an EID in this table, the router sends an SMR to
    /// this xTR.
    #[serde(rename = "local EID")]
    LocalEid,
    /// The map-cache. The router sends Map-Requests for the EID prefix, because it has received an
    /// SMR.
    #[serde(rename = "remote EID")]
    RemoteEid,
}
