//! The texts that tell the operator about refused messages, one for each kind of refusal. A text
//! names the message, the cause and the remedy, for a reader who does not know the protocol well.

use std::net::IpAddr;

use super::event::Event;
use super::kept::Sender;
use super::refusals::Explanation;
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::wire::{
    ErrorNotification, MapReply, MapRequest, MappingRecord, MessageType, Nonce, ParseError,
    Problem, StreamError,
};

type Told = Explanation;

/// A text lists at most this number of locators. If there are more locators, the text contains the
/// number of the remaining locators.
const SOME_LOCATORS: usize = 3;

/// The prefix of the first record and the number of the other records, for example ` for PREFIX and
/// 2 more`.
fn of_prefixes(mut prefixes: impl ExactSizeIterator<Item = EidPrefix>) -> String {
    let first = prefixes.next();
    match (first, prefixes.len()) {
        (None, _) => " without a record".to_owned(),
        (Some(first), 0) => format!(" for {first}"),
        (Some(first), more) => format!(" for {first} and {more} more"),
    }
}

/// The message with its prefixes, for example `Map-Register for PREFIX` or `Map-Notify for PREFIX
/// and 2 more`.
fn of_records(message: &str, records: &[MappingRecord]) -> String {
    message.to_owned() + &of_prefixes(records.iter().map(|record| record.eid_prefix))
}

/// The request with its prefixes, for example `Map-Request for PREFIX`, `SMR for PREFIX` or
/// `RLOC-probe for PREFIX`.
fn of_request(request: &MapRequest) -> String {
    let kind = match (request.smr, request.probe) {
        (true, _) => "SMR",
        (false, true) => "RLOC-probe",
        (false, false) => "Map-Request",
    };
    kind.to_owned() + &of_prefixes(request.records.iter().map(|record| record.eid_prefix))
}

/// The text about a message with a source address that no router can have.
pub(super) fn forged_source() -> Told {
    let why = "a router cannot have this source address";
    Told::new("control message", why, "find the sender that forges this address")
}

/// The text about octets that are not a valid message.
pub(super) fn octets(error: &ParseError) -> Told {
    let ParseError { message, place, problem, offset } = error;
    let (why, advice) = match problem {
        Problem::UnknownAfi(afi) => {
            let why = format!(
                "this router cannot read the message: {place} has an address of the unknown \
                 address family (AFI) {afi}"
            );
            (why, "configure only IPv4 and IPv6 addresses on the sender")
        }
        Problem::Checksum { found, computed } => {
            let why = format!(
                "this router cannot read the message: {place} has the checksum 0x{found:04x}, but \
                 the right checksum is 0x{computed:04x}"
            );
            (
                why,
                "capture these messages at the sender and at this router: if the captures differ, \
                 the path damages the messages; if the captures are equal, the sender computes the \
                 checksum wrongly",
            )
        }
        Problem::Truncated { .. } => {
            let why = format!("the message ends before its {place} is complete");
            (why, "capture the message, and report the fault to the vendor of the sender")
        }
        Problem::UnknownType(number) => {
            let why = format!("LISP has no message of type {number}");
            (why, "check whether the sender uses port 4342 for another protocol")
        }
        Problem::LispSec => {
            let why =
                "the message uses LISP-SEC, and this router does not implement LISP-SEC".to_owned();
            (why, "turn off LISP-SEC on the sender")
        }
        problem => {
            let why = format!(
                "this router cannot read the message: {place} {problem}, at octet {offset}"
            );
            (why, "capture the message, and report the fault to the vendor of the sender")
        }
    };
    let what = if *message == "ECM" { "Encapsulated Control Message" } else { message };
    Told::new(what, why, advice)
}

/// The text about records that the router left out of a message, because their EIDs are not IP
/// prefixes.
pub(super) fn not_an_ip_eid(message: MessageType, records: usize) -> Told {
    let why = match records {
        1 => {
            "one record of the message is for an EID that is not an IPv4 or IPv6 prefix".to_owned()
        }
        more => {
            format!("{more} records of the message are for EIDs that are not IPv4 or IPv6 prefixes")
        }
    };
    let what = format!("part of a {}", message.name());
    Told::new(what, why, "no action is needed: this router uses the other records of the message")
}

/// The text about an Info-Request or Info-Reply.
pub(super) fn nat_traversal() -> Told {
    let why = "this router does not implement NAT traversal";
    Told::new("Info message", why, "turn off NAT traversal on the sender")
}

/// The text about a Map-Register to a router that is not a map-server.
pub(super) fn no_map_server(records: &[MappingRecord]) -> Told {
    let advice = "configure `map-server` on this router, or correct the address in `etr \
                  map-server` on the sender";
    Told::new(of_records("Map-Register", records), "this router is not a map-server", advice)
}

/// The text about a Map-Notify to a router that is not an ETR.
pub(super) fn no_etr(records: &[MappingRecord]) -> Told {
    let advice = "if this router has EIDs, configure `etr` on this router";
    Told::new(of_records("Map-Notify", records), "this router is not an ETR", advice)
}

/// The text about a Map-Request to a router that is neither an ETR nor a part of the mapping
/// system.
pub(super) fn nobody_asked(request: &MapRequest) -> Told {
    let why = "this router is not an ETR, a map-resolver or a map-server";
    let advice = "configure `etr` or `map-resolver` on this router, or correct the address in `itr \
                  map-resolver` on the sender";
    Told::new(of_request(request), why, advice)
}

/// The text about a probe or an SMR to the mapping system.
pub(super) fn at_mapping_system(request: &MapRequest) -> Told {
    let why =
        "only an xTR can handle this message, but this router is only a map-server or map-resolver";
    let advice = "check whether the sender has a mapping in which the address of this router is a \
                  locator";
    Told::new(of_request(request), why, advice)
}

/// The text about a Map-Request for an EID that is not at this site.
pub(super) fn not_our_eid(request: &MapRequest) -> Told {
    let why = "this ETR has no EID prefix that contains the requested EID and has a route";
    let advice =
        "compare `show ip lisp database` on this router with `show lisp site` on the map-server";
    Told::new(of_request(request), why, advice)
}

/// The text about a request to which the router cannot send a reply.
pub(super) fn no_reply_path(request: &MapRequest) -> Told {
    let itrs: Vec<String> = request.itr_rlocs.iter().map(Rloc::to_string).collect();
    let why = format!(
        "this router can send a reply to none of the ITR-RLOCs of the request: {}",
        itrs.join(", ")
    );
    let advice = "configure locators of the same address family on this router and on the ITR";
    Told::new(of_request(request), why, advice)
}

/// The text about a request that was received too often.
pub(super) fn asked_too_often(request: &MapRequest, itr: Rloc) -> Told {
    let why = format!("{itr} sends this request too often");
    let advice = format!("check whether Map-Replies reach {itr}");
    Told::new(of_request(request), why, advice)
}

/// The text about a Map-Request with too many records: the router does not look up all of them.
pub(super) fn too_many_records(request: &MapRequest, most: usize) -> Told {
    let why = format!(
        "the request has too many records: this router answers only the first {most} of {}",
        request.records.len()
    );
    let what = format!("a record of {}", of_request(request));
    Told::new(what, why, "request fewer EIDs in one Map-Request")
}

/// The text about a record of a Map-Request, if the reply has no room for the answer to this
/// record.
pub(super) fn reply_is_full(request: &MapRequest) -> Told {
    let what = format!("a record of {}", of_request(request));
    let why =
        "with this record, the reply would be too large for a path that does not fragment packets";
    Told::new(what, why, "request fewer EIDs in one Map-Request")
}

/// The text about a request for EIDs of too many ETRs. The router forwards a request only to a
/// limited number of ETRs.
pub(super) fn too_many_etrs(request: &MapRequest, most: usize) -> Told {
    let why = format!("the requested EIDs belong to more than {most} ETRs");
    Told::new(of_request(request), why, "request fewer EIDs in one Map-Request")
}

/// The text about a request that map-servers forward to each other again and again.
pub(super) fn forwarded_too_often(request: &MapRequest, etr: Rloc) -> Told {
    let why = "map-servers have forwarded this request too often (its inner TTL is 1)";
    let advice = format!(
        "find and remove the registration with the locator {etr}: this locator is the address of a \
         map-server, not of an ETR"
    );
    Told::new(of_request(request), why, advice)
}

/// The text about a Map-Request without a record.
pub(super) fn asks_nothing() -> Told {
    let why = "the message has no record";
    Told::new(
        "Map-Request",
        why,
        "capture the message, and report the fault to the vendor of the sender",
    )
}

/// The text about a reply to an RLOC-probe, if the reply is not authoritative: it does not come
/// from the ETR.
pub(super) fn unauthoritative_probe_reply(reply: &MapReply) -> Told {
    let why = "the message answers an RLOC-probe, but its records are not authoritative";
    let what = of_records("Map-Reply", &reply.records);
    Told::new(what, why, "report the fault to the vendor of the sender")
}

/// The text about a reply for which this router has no open request. The SMRs of this router have
/// the probe bit and the D bit. A router that does not know the D bit answers these SMRs as if they
/// were RLOC-probes.
pub(super) fn unasked_reply(reply: &MapReply) -> Told {
    if reply.probe {
        let why = "the message answers an RLOC-probe, but this router sends no RLOC-probe that \
                   asks for a reply";
        let advice = "if this message follows an SMR of this router, ignore the message: its sender \
                      does not know the D bit";
        return Told::new(of_records("Map-Reply", &reply.records), why, advice);
    }
    let why = format!("this router does not wait for an answer with the nonce {}", reply.nonce);
    let advice = "ignore rare messages of this kind: they are late or repeated; if they are \
                  frequent, a sender may forge them";
    Told::new(of_records("Map-Reply", &reply.records), why, advice)
}

/// The text about a reply that does not cover the requested EID.
pub(super) fn reply_without_eid(reply: &MapReply, eid: Eid) -> Told {
    let why = format!(
        "this router requested the mapping of {eid}, but the reply contains only other EIDs"
    );
    let advice = "compare the EID prefixes in the database of the replying ETR with the prefixes \
                  in `show lisp site` on the map-server";
    Told::new(of_records("Map-Reply", &reply.records), why, advice)
}

/// The text about a mapping for all EIDs.
pub(super) fn claims_everything(prefix: EidPrefix, asked: Eid) -> Told {
    let why = format!(
        "the reply has one mapping that covers all EIDs, but this router requested only {asked}"
    );
    let family = prefix.family().to_string().to_lowercase();
    let advice = format!(
        "check the sender for an attack or a wrong `database-mapping`; if a mapping for all EIDs \
         is right, configure `{family} itr accept-default`"
    );
    Told::new(format!("Map-Reply for {prefix}"), why, advice)
}

/// The text about a mapping for more EIDs than an answer may cover. The router cuts the mapping to
/// the prefix `to`. If `is_entry` is true, `to` is the prefix of the static map-cache entry.
/// Otherwise, `to` is the widest prefix that the router accepts.
pub(super) fn claims_too_much(
    prefix: EidPrefix,
    to: EidPrefix,
    asked: Eid,
    is_entry: bool,
) -> Told {
    let (limit, knob) = match is_entry {
        true => ("the prefix of the static entry", "map-cache PREFIX map-request".to_owned()),
        false => {
            let family = prefix.family().to_string().to_lowercase();
            let knob = format!("{family} itr widest-mapping {}", prefix.mask_len());
            ("the widest prefix that it accepts", knob)
        }
    };
    let why = format!("this router requested {asked} and uses the mapping only for {to}, {limit}");
    let advice = format!(
        "check the sender for an attack or a wrong `database-mapping`; if the mapping is right, \
         configure `{knob}`"
    );
    Told::new(format!("part of a Map-Reply record for {prefix}"), why, advice)
}

/// The text about a record of a reply, if the prefix of the record is outside the widest permitted
/// prefix around the requested EID.
pub(super) fn claims_beside(prefix: EidPrefix, asked: Eid) -> Told {
    let why = format!(
        "the prefix is outside the widest prefix that this router accepts for {asked}, the \
         requested EID"
    );
    let advice = "check the sender for an attack or a wrong `database-mapping`";
    Told::new(format!("the Map-Reply record for {prefix}"), why, advice)
}

/// The text about a mapping that is not stored, because the map-cache is full.
pub(super) fn map_cache_full(prefix: EidPrefix, limit: usize) -> Told {
    let why = format!("the map-cache is full: it has {limit} entries");
    let advice = "raise `map-cache-limit`, or run `clear ip lisp map-cache`";
    Told::new(format!("Map-Reply for {prefix}"), why, advice)
}

/// The text about an SMR, if this router has no map-resolver for the Map-Request.
pub(super) fn smr_without_resolver(eid: Eid) -> Told {
    let advice = "configure `itr map-resolver`";
    Told::new(format!("SMR for {eid}"), "no map-resolver is configured", advice)
}

/// The text about an SMR to a router that is neither an ITR nor a proxy ITR.
pub(super) fn smr_at_no_itr(eid: Eid) -> Told {
    let why = "this router is not an ITR for this address family, so it has no map-cache entries \
               to renew";
    let advice = "check why the sender uses the address of this router as the address of an ITR";
    Told::new(format!("SMR for {eid}"), why, advice)
}

/// The text about an SMR for an EID that is not in the map-cache.
pub(super) fn smr_not_cached(eid: Eid) -> Told {
    let why = "the EID is not in the map-cache, so this router has no entry to renew";
    let advice = "ignore rare messages of this kind: the entry may have expired";
    Told::new(format!("SMR for {eid}"), why, advice)
}

/// The text about an SMR that the configuration tells the router to ignore.
pub(super) fn smr_ignored(eid: Eid) -> Told {
    let why = "the configuration has `solicit-map-request ignore`: the mapping stays in the \
               map-cache until its TTL ends";
    let advice = "if the ITR has to learn the new locators of hosts that move, remove this line";
    Told::new(format!("SMR for {eid}"), why, advice)
}

/// The text about an SMR that exceeds the rate limit.
pub(super) fn smr_too_often(eid: Eid, entry: EidPrefix) -> Told {
    let why = format!(
        "SMRs for {entry} come too often, or this router already acts on an earlier SMR for {entry}"
    );
    let advice = "ignore rare messages of this kind; if they are frequent, look for an EID of the \
                  sender that disappears and returns again and again";
    Told::new(format!("SMR for {eid}"), why, advice)
}

/// The text about a Map-Notify that is signed with a wrong key.
pub(super) fn notify_of_wrong_key(records: &[MappingRecord], is_map_server: bool) -> Told {
    let what = of_records("Map-Notify", records);
    match is_map_server {
        true => {
            let advice = "compare the key in `etr map-server` on this router with \
                          `authentication-key` of the site on the map-server";
            Told::new(what, "the message is signed with another key", advice)
        }
        false => {
            let why = "the source address is not a map-server of this router";
            let advice = "if this address belongs to a map-server, configure the address with `etr \
                          map-server`";
            Told::new(what, why, advice)
        }
    }
}

/// The text for the locators of a record, for example `at RLOC, RLOC`.
pub(super) fn whereabouts(record: &MappingRecord) -> String {
    place(&locators(record))
}

/// The locators of a record. The list is empty if no xTR registers the prefix of the record.
pub(super) fn locators(record: &MappingRecord) -> Vec<String> {
    match record.is_withdrawn() {
        true => Vec::new(),
        false => record.locators.iter().map(|locator| locator.rloc.to_string()).collect(),
    }
}

/// The text for the locators of an EID, for example `at RLOC, RLOC`.
pub(super) fn place(locators: &[String]) -> String {
    if locators.is_empty() {
        return "not registered by any xTR".to_owned();
    }
    let named = &locators[..locators.len().min(SOME_LOCATORS)];
    let more = locators.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("at {}{more}", named.join(", "))
}

/// The text about a Map-Notify that the map-server did not confirm. If `is_here` is true, the
/// map-server answered that the EID is at this router. Otherwise, it answered that no xTR has the
/// EID.
pub(super) fn news_of_the_past(record: &MappingRecord, is_here: bool) -> Told {
    let now = if is_here { "here" } else { "not registered by any xTR" };
    let why = format!(
        "the message says that the EID is {}, but a Map-Reply of the map-server says that the EID \
         is {now}",
        whereabouts(record)
    );
    let advice = "ignore rare messages of this kind: the EID has just moved; if they are frequent, \
                  an attacker may send old messages";
    Told::new(of_records("Map-Notify", std::slice::from_ref(record)), why, advice)
}

/// The text about a Map-Notify-Ack that no Map-Notify of this router waits for.
pub(super) fn unasked_acknowledgement(records: &[MappingRecord]) -> Told {
    let why = "no Map-Notify of this router waits for this acknowledgement, or the message is \
               signed with another key";
    let advice = "ignore rare messages of this kind: they are late or repeated; if they are \
                  frequent, compare `authentication-key` of the site with the key in `etr \
                  map-server` on the sender";
    Told::new(of_records("Map-Notify-Ack", records), why, advice)
}

/// The text about a Map-Register without a record.
pub(super) fn registers_nothing() -> Told {
    let why = "the message has no record, so the map-server does not know the site of the sender";
    Told::new(
        "Map-Register",
        why,
        "capture the message, and report the fault to the vendor of the sender",
    )
}

/// The text about a Map-Register for a prefix that belongs to no site.
pub(super) fn no_site(prefix: EidPrefix) -> Told {
    let why =
        "no site of this map-server has this EID prefix or accepts it as a more specific prefix";
    let advice = "configure this prefix with `eid-prefix` in its site, or add \
                  `accept-more-specifics` to a shorter prefix of the site";
    Told::new(format!("Map-Register for {prefix}"), why, advice)
}

/// The text about a record of a Map-Register, if the prefix of the record belongs to another site
/// or to no site.
pub(super) fn record_not_taken(prefix: EidPrefix, site: &str) -> Told {
    let why = format!(
        "the record came in a Map-Register of site {site}, but this site does not have the EID \
         prefix"
    );
    let advice = format!(
        "configure this prefix with `eid-prefix` in site {site}, or correct `database-mapping` on \
         the sender"
    );
    Told::new(format!("Map-Register for {prefix}"), why, advice)
}

/// The text about a Map-Register that is signed with a wrong key.
pub(super) fn wrong_key(prefix: EidPrefix, site: &str, has_key: bool) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    match has_key {
        true => {
            let advice = "compare `authentication-key` of the site on this router with the key in \
                          `etr map-server` on the sender";
            Told::new(what, "the message is signed with another key", advice)
        }
        false => {
            let advice = "configure `authentication-key` in the site";
            Told::new(what, "the site has no key on this router", advice)
        }
    }
}

/// The text about a Map-Register whose nonce is not greater than the last nonce of the same sender.
/// `nonces` contains the nonce of this Map-Register and the last nonce.
pub(super) fn nonce_not_greater(
    prefix: EidPrefix,
    site: &str,
    nonces: (Nonce, Nonce),
    sender: &Sender,
) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    let (nonce, last) = nonces;
    let why = format!(
        "its nonce {nonce} is not greater than {last}, the last nonce of {sender}: the message is \
         old, or the clock of its sender was set back"
    );
    let advice = format!(
        "if you know the sender, correct its clock (its nonces come from the clock), or turn this \
         check off with `nonce-order none` in site {site}; if you do not know the sender, the \
         message may be an attack"
    );
    Told::new(what, why, advice)
}

/// The text about a Map-Register that was received before. The sender is not required to increase
/// its nonces. `nonces` contains the nonce of this Map-Register and the nonce of the newest
/// Map-Register of the site.
pub(super) fn octets_came_before(prefix: EidPrefix, site: &str, nonces: (Nonce, Nonce)) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    let (nonce, newest) = nonces;
    let why = format!(
        "the message is a replay: the same message with nonce {nonce} came before, and the newest \
         Map-Register of the site has nonce {newest}"
    );
    let advice = "ignore rare messages of this kind: they are late; if they are frequent, a sender \
                  repeats old messages";
    Told::new(what, why, advice)
}

/// The text about a repeated Map-Register. After the first arrival of this Map-Register, another
/// xTR has registered the prefix.
pub(super) fn repetition_of_moved(prefix: EidPrefix, site: &str) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    let why = "the same message came before, and another xTR has registered the prefix after that";
    let advice = "find that xTR with `show lisp site`; the sender gets the prefix back when it \
                  registers with a new nonce";
    Told::new(what, why, advice)
}

/// The text about a Map-Register for which a table of the map-server has no room.
pub(super) fn map_server_full(prefix: EidPrefix, site: &str) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    let advice = "look in `show lisp site` for xTRs and EID prefixes that are not needed";
    Told::new(what, "this map-server has no room for another registration", advice)
}

/// The text about a Map-Notify that the router does not send, because it has no room to keep the
/// Map-Notify until its acknowledgement. The line for the operator names the receiver of the
/// Map-Notify as its source.
pub(super) fn too_many_notifies(prefix: EidPrefix) -> Told {
    let why = "too many xTRs have not acknowledged their Map-Notifies";
    let advice = "check whether Map-Notifies reach the xTRs";
    Told::new(format!("to send another Map-Notify for {prefix} after a registration"), why, advice)
}

/// The text about a TCP connection that is not expected, for example because no Map-Register came
/// before it.
pub(super) fn uninvited_session(listens: bool, is_admitted: bool) -> Told {
    let (why, advice) = match (listens, is_admitted) {
        (false, _) => {
            let why = "this router accepts no reliable sessions";
            (
                why,
                "configure `map-server` on this router, or correct the address in `etr map-server` \
                 on the sender",
            )
        }
        (true, false) => {
            let why =
                "no Map-Register with the right key came from this address before the connection";
            (
                why,
                "ignore rare connections of this kind: the sender registers again and then \
                 connects again",
            )
        }
        (true, true) => (
            "this router already has too many sessions",
            "distribute the xTRs over several map-servers",
        ),
    };
    Told::new("TCP connection", why, advice)
}

/// The text about a frame that is not a valid message of reliable transport.
pub(super) fn bad_frame(error: &StreamError) -> Told {
    let advice = "capture the session, and report the fault to the vendor of the sender";
    Told::new("message of a reliable session", error.to_string(), advice)
}

/// The text about a received message of reliable transport that only this end of the session may
/// send.
pub(super) fn wrong_way(message: &str, role: &str) -> Told {
    let why =
        format!("this router is the {role} of the session, and only the {role} sends this message");
    Told::new(message, why, "report the fault to the vendor of the sender")
}

/// The event for an Error Notification: the other end of a session refused a message of this
/// router.
pub(super) fn not_understood(peer: IpAddr, error: &ErrorNotification) -> Event {
    let ErrorNotification { code, offending_type, offending_message_id, .. } = error;
    Event::MessageRefused {
        peer,
        message_type: *offending_type,
        message_id: *offending_message_id,
        error: code.to_string(),
    }
}
