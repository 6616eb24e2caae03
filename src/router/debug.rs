//! The lines of `debug lisp control-plane`, in the words of IOS. If Cisco's document *LISP
//! Generalized SMR* shows a line, this router prints exactly the same words.
//!
//! A nonce is printed as two halves. An instance is printed as `IID n`.

use super::event::{
    AwayChange, Event, MappingChange, MessageEvent, RegistrationChange, RequestSummary,
    SiteRegistrationChange,
};
use crate::addr::Rloc;
use crate::wire::{MessageType, Nonce};

/// The debug lines of an event, without time stamps. Most events have no lines.
pub fn lines(event: &Event) -> Vec<String> {
    match event {
        Event::Message(message) => message_lines(message),
        Event::Packet(packet) => vec![packet.to_string()],
        _ => table_line(event).into_iter().collect(),
    }
}

/// The line about a change of a table.
fn table_line(event: &Event) -> Option<String> {
    let line = match event {
        Event::Mapping { eid_prefix, change, .. } => {
            let iid = eid_prefix.instance_id();
            let change = match change {
                MappingChange::Learned => "added",
                MappingChange::Changed => "changed",
                MappingChange::Gone => "deleted",
                MappingChange::Renewed
                | MappingChange::LocatorState
                | MappingChange::StaticAdded
                | MappingChange::StaticRemoved => return None,
            };
            format!("LISP-0: Remote EID IID {iid} prefix {eid_prefix}, {change}.")
        }
        Event::Away { eid_prefix, change, .. } => {
            let iid = eid_prefix.instance_id();
            let change = match change {
                AwayChange::Added => "added to",
                AwayChange::Removed => "deleted from",
            };
            format!("LISP-0: Local EID IID {iid} prefix {eid_prefix}, {change} the away table.")
        }
        Event::Host { eid, port, change } => {
            let (iid, kind) = (eid.instance_id, change.kind());
            format!("LISP-0: Dynamic EID IID {iid} {} on {port}, {kind}.", eid.address)
        }
        Event::Registration { eid_prefix, map_server, change } => {
            let iid = eid_prefix.instance_id();
            let change = match change {
                RegistrationChange::Acknowledged(_) => "registration acknowledged".to_owned(),
                RegistrationChange::Rejected(why) => format!("registration rejected: {why}"),
                RegistrationChange::Begun(_)
                | RegistrationChange::Pending(_)
                | RegistrationChange::Lapsed
                | RegistrationChange::Ended(_) => return None,
            };
            format!(
                "LISP-0: Local EID IID {iid} prefix {eid_prefix}, map-server {map_server}, {change}."
            )
        }
        Event::SiteRegistration { eid_prefix, site, change, .. } => {
            let iid = eid_prefix.instance_id();
            let change = match change {
                SiteRegistrationChange::Registered => "registered",
                SiteRegistrationChange::Moved => "registered by another xTR",
                SiteRegistrationChange::Gone => "registration ended",
                SiteRegistrationChange::Altered
                | SiteRegistrationChange::Configured
                | SiteRegistrationChange::Deconfigured => return None,
                SiteRegistrationChange::Duplicate { .. } => "duplicate EID",
            };
            format!("LISP: MS registration IID {iid} prefix {eid_prefix} site {site}, {change}.")
        }
        Event::Refused { source, explanation, .. } => {
            format!("LISP: {}", explanation.line(*source))
        }
        _ => return None,
    };
    Some(line)
}

fn message_lines(message: &MessageEvent) -> Vec<String> {
    match message {
        MessageEvent::Received { message_type, interface, from, to } => {
            let on = interface.map(|name| format!(" on {name}")).unwrap_or_default();
            let name = match MessageType::from_number(*message_type) {
                Some(MessageType::Encapsulated) => "Encap-Control",
                Some(other) => other.name(),
                None => "unknown",
            };
            vec![format!(
                "LISP: Processing received {name}({message_type}) message{on} from {from} to {to}"
            )]
        }
        MessageEvent::RequestReceived(request) => vec![request_received(request)],
        MessageEvent::RequestScheduled { eid, own } => {
            let (iid, family) = (eid.instance_id, eid.family());
            let from = own.map(|own| format!(" from {own}")).unwrap_or_default();
            vec![format!(
                "LISP-0: AF IID {iid} {family}, Scheduling SMR trigger Map-Request for {}{from}.",
                eid.host_prefix()
            )]
        }
        MessageEvent::NotReplying(eid) => {
            let iid = eid.instance_id;
            vec![format!("LISP-0: IID {iid} SMR & D bit set, not replying to map-request.")]
        }
        MessageEvent::RequestSent { .. } => request_sent(message),
        MessageEvent::NextResolver { eid_prefix, smr_invoked, from, to } => {
            let kind = if *smr_invoked { "SMR" } else { "remote EID prefix" };
            vec![format!(
                "LISP-0: Map Request IID {} prefix {eid_prefix} {kind}[LL], Switching Map-Resolver \
                 {from} to {to}.",
                eid_prefix.instance_id()
            )]
        }
        MessageEvent::ReplyReceived { nonce, records } => {
            vec![format!("LISP: Received map reply nonce {}, records {records}", Nonce(*nonce))]
        }
        MessageEvent::RequestForwarded { eid_prefix, site, etr } => vec![format!(
            "LISP: MS registration prefix {eid_prefix} site {site}, Forwarding map request to ETR {etr}."
        )],
        MessageEvent::SmrSent { smr, source, to } => smr_sent(smr, source, to),
    }
}

/// The flags of a Map-Request, in the form in which IOS prints them after the nonce.
fn flags(request: &RequestSummary) -> String {
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

fn request_received(request: &RequestSummary) -> String {
    let RequestSummary { eid_prefix, records, .. } = request;
    let iid = eid_prefix.instance_id();
    let source = match request.source_eid {
        Some(eid) => format!("source_eid IID {iid} {eid}"),
        None => "source_eid none".to_owned(),
    };
    let rlocs: Vec<String> = request.itr_rlocs.iter().map(Rloc::to_string).collect();
    format!(
        "LISP: Received map request for IID {iid} {eid_prefix}, {source}, ITR-RLOCs: {}, records \
         {records}, nonce {}{}",
        rlocs.join(" "),
        Nonce(request.nonce),
        flags(request),
    )
}

/// The lines about an SMR that this router sends. Cisco's document shows these lines for xTR1.
fn smr_sent(smr: &RequestSummary, source: &Rloc, to: &Rloc) -> Vec<String> {
    let Some(solicited) = smr.source_eid else { return Vec::new() };
    let record = smr.eid_prefix;
    let (iid, family) = (record.instance_id(), record.family());
    vec![
        "LISP: Send map request type dyn-EID SMR".to_owned(),
        format!("LISP: Send map request for EID prefix IID {iid} {record}"),
        format!("LISP-0: AF IID {iid} {family}, Send SMR map-request for {solicited} to {to}."),
        format!(
            "LISP-0: EID-AF {family}, Sending probe map-request from {source} to {to} for EID \
             {record}, ITR-RLOCs {}, nonce {}, SMR {solicited}, DoNotReply.",
            smr.itr_rlocs.len(),
            Nonce(smr.nonce),
        ),
    ]
}

/// The lines about a Map-Request that this router sends. Cisco's document shows these lines for
/// each try.
fn request_sent(message: &MessageEvent) -> Vec<String> {
    let MessageEvent::RequestSent { request, attempt, inner_source, source, resolver } = message
    else {
        return Vec::new();
    };
    let record = request.eid_prefix;
    let (iid, family) = (record.instance_id(), record.family());
    let mut lines = Vec::new();
    if request.smr_invoked {
        let own = request.source_eid.map(|own| format!(" from {own}")).unwrap_or_default();
        lines.push("LISP: Send map request type SMR".to_owned());
        lines.push(format!("LISP: Send map request for EID prefix IID {iid} {record}"));
        lines.push(format!(
            "LISP-0: AF IID {iid} {family}, Send SMR triggered map request for {record} \
             ({attempt}){own}.",
        ));
    } else {
        lines.push("LISP: Send map request type remote EID prefix".to_owned());
        lines.push(format!("LISP: Send map request for EID prefix IID {iid} {record}"));
        lines.push(format!(
            "LISP-0: Remote EID IID {iid} prefix {record}, Send map request ({attempt}) (sources: \
             <signal>, state: incomplete, rlocs: 0).",
        ));
    }
    let pitr = if request.from_pitr { ", FromPITR" } else { "" };
    lines.push(format!(
        "LISP-0: EID-AF {family}, Sending map-request from {inner_source} to {} for EID {record}, \
         ITR-RLOCs {}, nonce {} (encap src {source}, dst {resolver}){pitr}.",
        record.network(),
        request.itr_rlocs.len(),
        Nonce(request.nonce),
    ));
    lines
}
