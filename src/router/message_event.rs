//! The events about control messages that were received or sent. `debug lisp control-plane` prints
//! these events.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::interface_name::InterfaceName;
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::wire::MapRequest;

/// A control message that was received or sent, with the data that `debug lisp control-plane`
/// prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageEvent {
    /// A message was received.
    Received {
        /// The type of the message (RFC 9301 section 5.1).
        message_type: u8,
        /// The interface that has the destination address of the message.
        interface: Option<InterfaceName>,
        /// The sender.
        from: SocketAddr,
        /// The receiver.
        to: SocketAddr,
    },
    /// A Map-Request was received.
    RequestReceived(RequestSummary),
    /// An SMR was received. The router will send a Map-Request.
    RequestScheduled {
        /// The solicited EID.
        eid: Eid,
        /// The EID of the first record of the SMR. If a Cisco router sent the SMR, this EID is an
        /// EID of this site.
        own: Option<Eid>,
    },
    /// The router received a Map-Request, but the D bit of the request forbids an answer.
    NotReplying(Eid),
    /// A Map-Request was sent.
    RequestSent {
        /// The contents of the Map-Request.
        request: RequestSummary,
        /// The number of the attempt for this EID; the first attempt is number 1.
        attempt: u32,
        /// The source of the inner IP header.
        inner_source: IpAddr,
        /// The source of the outer IP header.
        source: Rloc,
        /// The map-resolver.
        resolver: IpAddr,
    },
    /// The router sends a Map-Request to the next map-resolver.
    NextResolver {
        /// The prefix that is asked for.
        eid_prefix: EidPrefix,
        /// Whether an SMR invoked the request.
        smr_invoked: bool,
        /// The map-resolver that has not answered.
        from: IpAddr,
        /// The next map-resolver.
        to: IpAddr,
    },
    /// A Map-Reply was received.
    ReplyReceived {
        /// The nonce of the Map-Reply.
        nonce: u64,
        /// The number of records of the Map-Reply.
        records: usize,
    },
    /// A map-server forwarded a Map-Request.
    RequestForwarded {
        /// The registered prefix.
        eid_prefix: EidPrefix,
        /// The site.
        site: String,
        /// The ETR that the request was forwarded to.
        etr: Rloc,
    },
    /// An SMR was sent.
    SmrSent {
        /// The contents of the SMR.
        smr: RequestSummary,
        /// The locator of this router.
        source: Rloc,
        /// The locator of the solicited ITR.
        to: Rloc,
    },
}

/// The parts of a Map-Request that a debug line prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSummary {
    /// The prefix of the first record of the Map-Request.
    pub eid_prefix: EidPrefix,
    /// The number of records of the Map-Request.
    pub records: usize,
    /// The source EID.
    pub source_eid: Option<Eid>,
    /// The locators to which the reply may be sent.
    pub itr_rlocs: Vec<Rloc>,
    /// The nonce.
    pub nonce: u64,
    /// The P bit: the request is a probe.
    pub probe: bool,
    /// The S bit: the request is an SMR.
    pub smr: bool,
    /// The s bit: an SMR invoked the request.
    pub smr_invoked: bool,
    /// The p bit: the request is from a proxy ITR.
    pub from_pitr: bool,
    /// The D bit: the sender wants no Map-Reply.
    pub do_not_reply: bool,
}

impl RequestSummary {
    /// The summary of a Map-Request; `None` if the request has no records.
    pub(super) fn of(request: &MapRequest) -> Option<Self> {
        Some(RequestSummary {
            eid_prefix: request.records.first()?.eid_prefix,
            records: request.records.len(),
            source_eid: request.source_eid,
            itr_rlocs: request.itr_rlocs.clone(),
            nonce: request.nonce.0,
            probe: request.probe,
            smr: request.smr,
            smr_invoked: request.smr_invoked,
            from_pitr: request.from_pitr,
            do_not_reply: request.do_not_reply,
        })
    }
}
