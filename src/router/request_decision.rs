//! The decision on a Map-Request, as plain data: the answer of this router to a request that an ITR
//! or a map-server sends to this router.
//!
//! [`Router::explain_request`](super::Router::explain_request) uses the functions that also answer
//! real requests. This function changes nothing.

use crate::addr::{EidPrefix, Rloc};
use crate::wire::MappingRecord;

/// The decision on an encapsulated Map-Request for an EID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestDecision {
    /// The router is an ETR, and answers from its own database.
    Own(MappingRecord),
    /// The map-server forwards the request to this ETR.
    Forward {
        /// The ETR.
        etr: Rloc,
    },
    /// The map-server answers with the registrations of ETRs.
    Proxy(MappingRecord),
    /// The map-server answers that there is no mapping.
    Negative {
        /// The prefix of the answer.
        prefix: EidPrefix,
        /// The TTL of the answer in minutes.
        ttl_minutes: u32,
    },
    /// The router is an ETR, and the EID is not in its database, is away, or has no route. The
    /// router does not answer.
    NotOurEid,
    /// The router is neither ETR, nor map-server, nor map-resolver. It does not answer.
    NotOurRole,
}
