//! The lines of `debug lisp control-plane`, in the words of IOS: those of Cisco's document *LISP
//! Generalized SMR* to the letter.
//!
//! A line is made only while somebody listens. Nonces are printed as two halves; the instance comes as
//! `IID n`.

use std::net::{IpAddr, SocketAddr};

use super::context::Context;
use super::io::Output;
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::wire::{MapReply, MapRequest, MessageType};

impl Context {
    /// Says a line to whoever debugs.
    pub(super) fn debug(&mut self, line: String) {
        if self.debugging {
            self.outputs.push_back(Output::Debug(line));
        }
    }
}

/// The flags of a Map-Request as IOS lists them after the nonce.
fn flags(request: &MapRequest) -> String {
    let flags = [
        (request.probe, "probe"),
        (request.smr, "SMR"),
        (request.smr_invoked, "SMR-invoked"),
        (request.from_pitr, "FromPITR"),
        (request.do_not_reply, "DoNotReply"),
    ];
    let set = flags.into_iter().filter(|(set, _)| *set);
    set.map(|(_, name)| format!(", {name}")).collect()
}

fn asked(request: &MapRequest) -> Option<EidPrefix> {
    request.records.first().map(|record| record.eid_prefix)
}

/// What the document shows when xTR1 sends an SMR.
pub(super) fn smr_sent(smr: &MapRequest, source: Rloc, to: Rloc) -> Vec<String> {
    let (Some(record), Some(solicited)) = (asked(smr), smr.source_eid) else { return Vec::new() };
    let (iid, family) = (record.instance_id(), record.family());
    vec![
        "LISP: Send map request type dyn-EID SMR".to_owned(),
        format!("LISP: Send map request for EID prefix IID {iid} {record}"),
        format!("LISP-0: AF IID {iid} {family}, Send SMR map-request for {solicited} to {to}."),
        format!(
            "LISP-0: EID-AF {family}, Sending probe map-request from {source} to {to} for EID \
             {record}, ITR-RLOCs {}, nonce {}, SMR {solicited}, DoNotReply.",
            smr.itr_rlocs.len(),
            smr.nonce,
        ),
    ]
}

/// What begins the lines about a message that arrived.
pub(super) fn received(
    kind: MessageType,
    interface: Option<String>,
    from: SocketAddr,
    to: SocketAddr,
) -> String {
    let on = interface.map(|name| format!(" on {name}")).unwrap_or_default();
    let number = kind.number();
    let name = match kind {
        MessageType::Encapsulated => "Encap-Control",
        other => other.name(),
    };
    format!("LISP: Processing received {name}({number}) message{on} from {from} to {to}")
}

/// A Map-Request that arrived.
pub(super) fn request_received(request: &MapRequest) -> Option<String> {
    let record = asked(request)?;
    let iid = record.instance_id();
    let source = match request.source_eid {
        Some(eid) => format!("source_eid IID {iid} {eid}"),
        None => "source_eid none".to_owned(),
    };
    let rlocs: Vec<String> = request.itr_rlocs.iter().map(Rloc::to_string).collect();
    Some(format!(
        "LISP: Received map request for IID {iid} {record}, {source}, ITR-RLOCs: {}, records {}, \
         nonce {}{}",
        rlocs.join(" "),
        request.records.len(),
        request.nonce,
        flags(request),
    ))
}

/// An SMR made a request due.
pub(super) fn smr_scheduled(eid: Eid, own: Option<Eid>) -> String {
    let (iid, family) = (eid.instance_id, eid.family());
    let from = own.map(|own| format!(" from {own}")).unwrap_or_default();
    format!(
        "LISP-0: AF IID {iid} {family}, Scheduling SMR trigger Map-Request for {}{from}.",
        eid.host_prefix()
    )
}

/// The D bit forbids an answer.
pub(super) fn not_replying(eid: Eid) -> String {
    format!("LISP-0: IID {} SMR & D bit set, not replying to map-request.", eid.instance_id)
}

/// One try of a Map-Request.
pub(super) struct Try<'a> {
    pub request: &'a MapRequest,
    pub attempt: u32,
    pub inner_source: IpAddr,
    pub source: Rloc,
    pub resolver: IpAddr,
}

/// What the document shows for each try.
pub(super) fn request_sent(sent: &Try<'_>) -> Vec<String> {
    let Some(record) = asked(sent.request) else { return Vec::new() };
    let (iid, family) = (record.instance_id(), record.family());
    let mut lines = Vec::new();
    if sent.request.smr_invoked {
        let own = sent.request.source_eid.map(|own| format!(" from {own}")).unwrap_or_default();
        lines.push("LISP: Send map request type SMR".to_owned());
        lines.push(format!("LISP: Send map request for EID prefix IID {iid} {record}"));
        lines.push(format!(
            "LISP-0: AF IID {iid} {family}, Send SMR triggered map request for {record} \
             ({}){own}.",
            sent.attempt
        ));
    } else {
        lines.push("LISP: Send map request type remote EID prefix".to_owned());
        lines.push(format!("LISP: Send map request for EID prefix IID {iid} {record}"));
        lines.push(format!(
            "LISP-0: Remote EID IID {iid} prefix {record}, Send map request ({}) (sources: \
             <signal>, state: incomplete, rlocs: 0).",
            sent.attempt
        ));
    }
    let pitr = if sent.request.from_pitr { ", FromPITR" } else { "" };
    lines.push(format!(
        "LISP-0: EID-AF {family}, Sending map-request from {} to {} for EID {record}, ITR-RLOCs \
         {}, nonce {} (encap src {}, dst {}){pitr}.",
        sent.inner_source,
        record.network(),
        sent.request.itr_rlocs.len(),
        sent.request.nonce,
        sent.source,
        sent.resolver,
    ));
    lines
}

/// A request goes on to the next resolver.
pub(super) fn switching(prefix: EidPrefix, smr: bool, from: IpAddr, to: IpAddr) -> String {
    let kind = if smr { "SMR" } else { "remote EID prefix" };
    format!(
        "LISP-0: Map Request IID {} prefix {prefix} {kind}[LL], Switching Map-Resolver {from} to \
         {to}.",
        prefix.instance_id()
    )
}

/// A Map-Reply that arrived.
pub(super) fn reply_received(reply: &MapReply) -> String {
    format!("LISP: Received map reply nonce {}, records {}", reply.nonce, reply.records.len())
}

/// A map-server passes a Map-Request on.
pub(super) fn forwarding(prefix: EidPrefix, site: &str, etr: Rloc) -> String {
    format!(
        "LISP: MS registration prefix {prefix} site {site}, Forwarding map request to ETR {etr}."
    )
}
