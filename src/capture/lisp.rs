//! The fields of LISP messages, with the names of Wireshark's dissectors `lisp` and `lisp-tcp`.

use super::dissect::Dissection;
use super::field::Value;
use crate::addr::{Eid, InstanceId};
use crate::wire::{
    LocatorRecord, MapNotify, MapRegister, MapReply, MapRequest, MappingRecord, Message,
    ReliableFrame, ReliableMessage,
};

const INSTANCE: [&str; 2] = ["lisp.lcaf.iid.ipv4", "lisp.lcaf.iid.ipv6"];

/// Adds the fields of a control message. `octets` are the octets from which the message was read.
/// If the message is an ECM, the caller dissects the message inside the ECM.
pub(super) fn message(message: &Message, octets: &[u8], found: &mut Dissection) {
    message_type(message.message_type().number(), found);
    if let Some(count) = message.record_count(octets) {
        found.number("lisp.records", count);
    }
    match message {
        Message::MapRequest(request) => map_request(request, found),
        Message::MapReply(reply) => map_reply(reply, found),
        Message::MapRegister(register) => map_register(register, found),
        Message::MapNotify(notify) => map_notify(notify, found),
        Message::MapNotifyAck(acknowledgement) => map_notify(&acknowledgement.0, found),
        Message::Info(info) => found.number("lisp.nonce", info.nonce.0),
        Message::Encapsulated(_) => {}
    }
}

/// Adds the type of a control message.
pub(super) fn message_type(number: u8, found: &mut Dissection) {
    found.number("lisp.type", number);
}

/// Adds the fields of a message of the reliable transport.
pub(super) fn reliable(frame: &ReliableFrame, found: &mut Dissection) {
    found.present("lisp-tcp");
    found.number("lisp-tcp.message.type", frame.message.message_type().number());
    found.number("lisp-tcp.message.id", frame.message_id);
    match &frame.message {
        // Wireshark shows the Map-Register in this message as fields of lisp-tcp. The first of
        // these fields are the flags.
        ReliableMessage::Registration(registration) => {
            found.number("lisp.records", 1_u8);
            map_register(registration.register(), found);
        }
        ReliableMessage::MappingNotification(notification) => record(&notification.record, found),
        ReliableMessage::RegistrationReject(reject) => {
            found.number("lisp-tcp.message.registration_reject.reason", reject.reason.number());
        }
        ReliableMessage::RegistrationRefresh(refresh) => {
            let scope = refresh.scope.number();
            found.number("lisp-tcp.message.registration_refresh.scope", scope);
            let rejected = refresh.rejected_only;
            found.number("lisp-tcp.message.registration_refresh.flags.rejected", rejected);
        }
        _ => {}
    }
}

fn map_request(request: &MapRequest, found: &mut Dissection) {
    found.number("lisp.mreq.flags.auth", request.authoritative);
    found.number("lisp.mreq.flags.mrp", request.map_reply_record.is_some());
    found.number("lisp.mreq.flags.probe", request.probe);
    found.number("lisp.mreq.flags.smr", request.smr);
    found.number("lisp.mreq.flags.pitr", request.from_pitr);
    found.number("lisp.mreq.flags.smri", request.smr_invoked);
    found.number("lisp.nonce", request.nonce.0);
    if let Some(source) = request.source_eid {
        eid(["lisp.mreq.srceid.ipv4", "lisp.mreq.srceid_ipv6"], source, found);
    }
    for rloc in &request.itr_rlocs {
        found.address(["lisp.mreq.itr_rloc_ipv4", "lisp.mreq.itr_rloc_ipv6"], rloc.0);
    }
    for record in &request.records {
        found.number("lisp.mreq.record.prefix.length", record.eid_prefix.mask_len());
        let names = ["lisp.mreq.record.prefix.ipv4", "lisp.mreq.record.prefix.ipv6"];
        eid(names, record.eid_prefix.network(), found);
    }
    request.map_reply_record.iter().for_each(|mapping| record(mapping, found));
}

fn map_reply(reply: &MapReply, found: &mut Dissection) {
    found.number("lisp.mrep.flags.probe", reply.probe);
    found.number("lisp.mrep.flags.enlr", reply.echo_nonce);
    found.number("lisp.mrep.flags.sec", reply.security);
    records(&reply.records, reply.nonce.0, found);
}

fn map_register(register: &MapRegister, found: &mut Dissection) {
    found.number("lisp.mreg.flags.pmr", register.proxy_reply);
    found.number("lisp.mreg.flags.sec", register.security_capable);
    found.number("lisp.mreg.flags.xtrid", register.xtr_identity.is_some());
    found.number("lisp.mreg.flags.wmn", register.want_map_notify);
    records(&register.records, register.nonce.0, found);
}

fn map_notify(notify: &MapNotify, found: &mut Dissection) {
    found.number("lisp.mnot.flags.xtrid", notify.xtr_identity.is_some());
    found.number("lisp.mnot.flags.rtr", notify.built_for_rtr);
    records(&notify.records, notify.nonce.0, found);
}

fn records(records: &[MappingRecord], nonce: u64, found: &mut Dissection) {
    found.number("lisp.nonce", nonce);
    records.iter().for_each(|mapping| record(mapping, found));
}

fn record(record: &MappingRecord, found: &mut Dissection) {
    found.number("lisp.mapping.ttl", record.ttl_minutes);
    found.number("lisp.mapping.loccnt", record.locators.len() as u64);
    found.number("lisp.mapping.eid.masklen", record.eid_prefix.mask_len());
    found.number("lisp.mapping.act", record.action.number());
    found.number("lisp.mapping.auth", record.authoritative);
    found.number("lisp.mapping.ver", record.map_version);
    let names = ["lisp.mapping.eid.ipv4", "lisp.mapping.eid.ipv6"];
    eid(names, record.eid_prefix.network(), found);
    record.locators.iter().for_each(|record| locator(record, found));
}

fn locator(locator: &LocatorRecord, found: &mut Dissection) {
    found.number("lisp.loc.priority", locator.priority);
    found.number("lisp.loc.weight", locator.weight);
    found.number("lisp.loc.multicast_priority", locator.multicast_priority);
    found.number("lisp.loc.multicast_weight", locator.multicast_weight);
    found.number("lisp.loc.flags.local", locator.local);
    found.number("lisp.loc.flags.probe", locator.probed);
    found.number("lisp.loc.flags.reach", locator.reachable);
}

/// Adds the fields of an EID. An EID in the default instance is a plain address. An EID in any
/// other instance is an LCAF.
fn eid(names: [&'static str; 2], eid: Eid, found: &mut Dissection) {
    if eid.instance_id == InstanceId::DEFAULT {
        return found.address(names, eid.address);
    }
    found.add("lisp.lcaf.iid", Value::Number(eid.instance_id.number().into()));
    found.address(INSTANCE, eid.address);
}
