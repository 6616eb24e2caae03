//! The operator's text for each kind of refused message, in one place. A line names the message,
//! the cause and the remedy, for a reader who does not know the protocol well.

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

/// The most locators that a line lists; for the others it has only their number.
const SOME_LOCATORS: usize = 3;

/// The prefix of the first record, and the number of the others: ` for PREFIX and 2 more`.
fn of_prefixes(mut prefixes: impl ExactSizeIterator<Item = EidPrefix>) -> String {
    let first = prefixes.next();
    match (first, prefixes.len()) {
        (None, _) => " without a record".to_owned(),
        (Some(first), 0) => format!(" for {first}"),
        (Some(first), more) => format!(" for {first} and {more} more"),
    }
}

/// `Map-Register for PREFIX`, `Map-Notify for PREFIX and 2 more`.
fn of_records(message: &str, records: &[MappingRecord]) -> String {
    message.to_owned() + &of_prefixes(records.iter().map(|record| record.eid_prefix))
}

/// `Map-Request for PREFIX`, or the same with `SMR` or `RLOC-probe`.
fn of_request(request: &MapRequest) -> String {
    let kind = match (request.smr, request.probe) {
        (true, _) => "SMR",
        (false, true) => "RLOC-probe",
        (false, false) => "Map-Request",
    };
    kind.to_owned() + &of_prefixes(request.records.iter().map(|record| record.eid_prefix))
}

/// A source address that no router can have.
pub(super) fn forged_source() -> Told {
    let why = "no router has an address of this kind";
    Told::new("control message", why, "find the sender that forges the address")
}

/// Octets that are not a valid message.
pub(super) fn octets(error: &ParseError) -> Told {
    let ParseError { message, place, problem, offset } = error;
    let (why, advice) = match problem {
        Problem::UnknownAfi(afi) => {
            let why = format!(
                "its {place} has an address of family (AFI) {afi}, which this router does not know"
            );
            (why, "configure its sender with IPv4 and IPv6 addresses only")
        }
        Problem::Checksum { found, computed } => {
            let why = format!(
                "the checksum in its {place} is 0x{found:04x}, and 0x{computed:04x} would be right"
            );
            (
                why,
                "capture such messages at the sender and here: if the captures differ, the path damages \
                 the messages; if they are equal, the sender computes wrongly",
            )
        }
        Problem::Truncated { .. } => {
            let why = format!("it ends before its {place} is complete");
            (why, "capture it, and tell the maker of its sender")
        }
        Problem::UnknownType(number) => {
            let why = format!("there is no LISP message of type {number}");
            (why, "look at its sender for another protocol on port 4342")
        }
        Problem::LispSec => {
            let why = "it is protected by LISP-SEC, which is not implemented".to_owned();
            (why, "configure its sender without LISP-SEC")
        }
        problem => {
            let why = format!("its {place} {problem}, at octet {offset}");
            (why, "capture it, and tell the maker of its sender")
        }
    };
    let what = if *message == "ECM" { "Encapsulated Control Message" } else { message };
    Told::new(what, why, advice)
}

/// Records that were left out of a message.
pub(super) fn not_an_ip_eid(message: MessageType, records: usize) -> Told {
    let why = match records {
        1 => "a record in it is for an EID that is no IPv4 or IPv6 prefix".to_owned(),
        more => format!("{more} records in it are for EIDs that are no IPv4 or IPv6 prefixes"),
    };
    let what = format!("part of a {}", message.name());
    Told::new(what, why, "the rest of the message is taken, and nothing is to be done")
}

/// An Info-Request or Info-Reply.
pub(super) fn nat_traversal() -> Told {
    let why = "NAT traversal is not implemented";
    Told::new("Info message", why, "configure its sender without it")
}

/// A Map-Register that reached a router that is not a map-server.
pub(super) fn no_map_server(records: &[MappingRecord]) -> Told {
    let advice = "configure `map-server` here, or the address of a map-server in `etr map-server` \
                  there";
    Told::new(of_records("Map-Register", records), "this router is no map-server", advice)
}

/// A Map-Notify that reached a router that is not an ETR.
pub(super) fn no_etr(records: &[MappingRecord]) -> Told {
    let advice = "configure `etr` here, if this router has EIDs";
    Told::new(of_records("Map-Notify", records), "this router is no ETR", advice)
}

/// A Map-Request that reached neither an ETR nor the mapping system.
pub(super) fn nobody_asked(request: &MapRequest) -> Told {
    let why = "this router is neither an ETR nor a map-resolver nor a map-server";
    let advice = "configure `etr` or `map-resolver` here, or the address of a map-resolver in \
                  `itr map-resolver` there";
    Told::new(of_request(request), why, advice)
}

/// A message between xTRs that was sent to a map-server or map-resolver.
pub(super) fn at_mapping_system(request: &MapRequest) -> Told {
    let why = "it is for an xTR, and this router is a map-server or map-resolver alone";
    let advice = "look at its sender for a locator with the address of this router";
    Told::new(of_request(request), why, advice)
}

/// A request for an EID that is not here.
pub(super) fn not_our_eid(request: &MapRequest) -> Told {
    let why = "this ETR has no EID prefix around it that has a route";
    let advice = "compare `show ip lisp database` here with `show lisp site` at the map-server";
    Told::new(of_request(request), why, advice)
}

/// A request to which the router cannot send a reply.
pub(super) fn no_reply_path(request: &MapRequest) -> Told {
    let itrs: Vec<String> = request.itr_rlocs.iter().map(Rloc::to_string).collect();
    let why = format!("this router cannot reply to its ITR-RLOC {}", itrs.join(", "));
    let advice = "give this router and the ITR a locator of the same address family";
    Told::new(of_request(request), why, advice)
}

/// A request that was received too often.
pub(super) fn asked_too_often(request: &MapRequest, itr: Rloc) -> Told {
    let why = format!("{itr} asks for it too often");
    let advice = format!("see whether Map-Replies reach {itr}");
    Told::new(of_request(request), why, advice)
}

/// A record of a request that is not looked up, because the request has too many records.
pub(super) fn too_many_records(request: &MapRequest, most: usize) -> Told {
    let why = format!("only its first {most} records are looked up, of {}", request.records.len());
    let what = format!("a record of {}", of_request(request));
    Told::new(what, why, "ask for fewer EIDs in one Map-Request")
}

/// A record of a request that is not answered, because the reply has no room for it.
pub(super) fn reply_is_full(request: &MapRequest) -> Told {
    let what = format!("a record of {}", of_request(request));
    let why = "a reply about it too would be larger than a packet that no path fragments";
    Told::new(what, why, "ask for fewer EIDs in one Map-Request")
}

/// A request for EIDs of too many ETRs for one request.
pub(super) fn too_many_etrs(request: &MapRequest, most: usize) -> Told {
    let why = format!("its EIDs are at more than {most} ETRs");
    Told::new(of_request(request), why, "ask for fewer EIDs in one Map-Request")
}

/// A request that map-servers forward to each other again and again.
pub(super) fn forwarded_too_often(request: &MapRequest, etr: Rloc) -> Told {
    let why = "map-servers have forwarded it too often (inner TTL 1)";
    let advice = format!("see which map-server has registered {etr}, the address of another one");
    Told::new(of_request(request), why, advice)
}

/// A Map-Request without a record.
pub(super) fn asks_nothing() -> Told {
    let why = "it has no record";
    Told::new("Map-Request", why, "capture it, and tell the maker of its sender")
}

/// A reply to a probe that is not authoritative: it does not come from the ETR.
pub(super) fn unauthoritative_probe_reply(reply: &MapReply) -> Told {
    let why = "it answers an RLOC-probe, but is not authoritative";
    let what = of_records("Map-Reply", &reply.records);
    Told::new(what, why, "tell the maker of its sender")
}

/// A reply for which this router has no open request. This router's SMRs have the probe bit and the
/// D bit, and a neighbour that does not know the D bit answers them as RLOC-probes.
pub(super) fn unasked_reply(reply: &MapReply) -> Told {
    if reply.probe {
        let why = "it answers an RLOC-probe, and this router sends none but in SMRs, which ask for no reply";
        let advice = "ignore it if it comes after an SMR: its sender does not know the D bit";
        return Told::new(of_records("Map-Reply", &reply.records), why, advice);
    }
    let why = format!("no Map-Request with its nonce {} waits for an answer", reply.nonce);
    let advice = "ignore it if it is rare: it came twice, or late; otherwise a sender forges it";
    Told::new(of_records("Map-Reply", &reply.records), why, advice)
}

/// A reply that does not cover the requested EID.
pub(super) fn reply_without_eid(reply: &MapReply, eid: Eid) -> Told {
    let why = format!("this router asked for {eid}, and the reply is about other EIDs");
    let advice = "compare the EID prefixes in the database of the ETR that replied with the \
                  prefixes in `show lisp site` at the map-server";
    Told::new(of_records("Map-Reply", &reply.records), why, advice)
}

/// A mapping for all EIDs.
pub(super) fn claims_everything(prefix: EidPrefix, asked: Eid) -> Told {
    let why = format!(
        "it would send the packets for all EIDs to its locators, and this router asked for {asked}"
    );
    let family = prefix.family().to_string().to_lowercase();
    let advice = format!(
        "look at its sender for an attack or a wrong `database-mapping`; if such a mapping is wanted, \
         configure `{family} itr accept-default`"
    );
    Told::new(format!("Map-Reply for {prefix}"), why, advice)
}

/// A mapping that is wider than an answer may be. The router cuts the mapping to `to`. With
/// `is_entry`, `to` is the prefix of the static entry.
pub(super) fn claims_too_much(
    prefix: EidPrefix,
    to: EidPrefix,
    asked: Eid,
    is_entry: bool,
) -> Told {
    let (limit, knob) = match is_entry {
        true => ("the static entry by which", "map-cache PREFIX map-request".to_owned()),
        false => {
            let family = prefix.family().to_string().to_lowercase();
            let knob = format!("{family} itr widest-mapping {}", prefix.mask_len());
            ("the widest that is taken when", knob)
        }
    };
    let why = format!("it is cut to {to}, {limit} this router asked for {asked}");
    let advice = format!(
        "look at its sender for an attack or a wrong `database-mapping`; if the mapping is right, \
         configure `{knob}`"
    );
    Told::new(format!("part of Map-Reply for {prefix}"), why, advice)
}

/// A record of a reply that lies outside the widest permitted prefix around the EID of the request.
pub(super) fn claims_beside(prefix: EidPrefix, asked: Eid) -> Told {
    let why = format!("it is too far from {asked}, which this router asked for");
    let advice = "look at its sender for an attack or a wrong `database-mapping`";
    Told::new(format!("part of Map-Reply, for {prefix}"), why, advice)
}

/// A mapping that is not stored because the map-cache is full.
pub(super) fn map_cache_full(prefix: EidPrefix, limit: usize) -> Told {
    let why = format!("the map-cache has its {limit} entries");
    let advice = "raise `map-cache-limit`, or `clear ip lisp map-cache`";
    Told::new(format!("Map-Reply for {prefix}"), why, advice)
}

/// An SMR after which the router cannot send a Map-Request.
pub(super) fn smr_without_resolver(eid: Eid) -> Told {
    let advice = "configure `itr map-resolver`";
    Told::new(format!("SMR for {eid}"), "no map-resolver is configured", advice)
}

/// An SMR at a router that encapsulates nothing.
pub(super) fn smr_at_no_itr(eid: Eid) -> Told {
    let why = "this router is no ITR for this address family, and caches nothing";
    let advice = "look at its sender for an ITR with the address of this router";
    Told::new(format!("SMR for {eid}"), why, advice)
}

/// An SMR for an EID that is not cached.
pub(super) fn smr_not_cached(eid: Eid) -> Told {
    let why = "its EID is not in the map-cache, so that there is nothing to renew";
    let advice = "ignore it if it is rare: the entry may have expired";
    Told::new(format!("SMR for {eid}"), why, advice)
}

/// An SMR above the rate limit.
pub(super) fn smr_too_often(eid: Eid, entry: EidPrefix) -> Told {
    let why = format!("SMRs for {entry} come too often, or one is being followed already");
    let advice = "ignore it if it is rare; otherwise look at its sender for an EID that comes and \
                  goes";
    Told::new(format!("SMR for {eid}"), why, advice)
}

/// A Map-Notify that is signed with a wrong key.
pub(super) fn notify_of_wrong_key(records: &[MappingRecord], is_map_server: bool) -> Told {
    let what = of_records("Map-Notify", records);
    match is_map_server {
        true => {
            let advice = "compare the key of `etr map-server` here with `authentication-key` of the \
                          site there";
            Told::new(what, "it is signed with another key", advice)
        }
        false => {
            let why = "its source is no map-server of this router";
            let advice = "configure `etr map-server` with this address if it is one";
            Told::new(what, why, advice)
        }
    }
}

/// The place of an EID as a record gives it: `at RLOC, RLOC`.
pub(super) fn whereabouts(record: &MappingRecord) -> String {
    place(&locators(record))
}

/// The locators of a record; empty if no xTR registers its prefix.
pub(super) fn locators(record: &MappingRecord) -> Vec<String> {
    match record.is_withdrawn() {
        true => Vec::new(),
        false => record.locators.iter().map(|locator| locator.rloc.to_string()).collect(),
    }
}

/// The place of an EID that has these locators.
pub(super) fn place(locators: &[String]) -> String {
    if locators.is_empty() {
        return "registered by no xTR".to_owned();
    }
    let named = &locators[..locators.len().min(SOME_LOCATORS)];
    let more = locators.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("at {}{more}", named.join(", "))
}

/// A Map-Notify about an EID that its map-server does not confirm. If `is_here`, the map-server
/// says that the EID is here; otherwise it says that no xTR has the EID.
pub(super) fn news_of_the_past(record: &MappingRecord, is_here: bool) -> Told {
    let now = if is_here { "here" } else { "registered by no xTR" };
    let why = format!(
        "it says that the EID is {}, and when it was asked, its sender said that the EID is {now}",
        whereabouts(record)
    );
    let advice = "ignore it if it is rare: the EID has just moved; otherwise it may be an attack with an \
                  old message";
    Told::new(of_records("Map-Notify", std::slice::from_ref(record)), why, advice)
}

/// A Map-Notify-Ack for which no Map-Notify waits.
pub(super) fn unasked_acknowledgement(records: &[MappingRecord]) -> Told {
    let why = "no Map-Notify waits for it, or it is signed with another key";
    let advice = "ignore it if it is rare: it came twice, or late; otherwise compare \
                  `authentication-key` of the site with the key of `etr map-server` at the sender";
    Told::new(of_records("Map-Notify-Ack", records), why, advice)
}

/// A Map-Register without a record.
pub(super) fn registers_nothing() -> Told {
    let why = "it has no record, so that its site is not known";
    Told::new("Map-Register", why, "capture it, and tell the maker of its sender")
}

/// A Map-Register for a prefix that no site has.
pub(super) fn no_site(prefix: EidPrefix) -> Told {
    let why = "no site here has this EID prefix, or accepts it as a more specific one";
    let advice = "configure `eid-prefix` of its site, with `accept-more-specifics` if it lies inside \
                  another";
    Told::new(format!("Map-Register for {prefix}"), why, advice)
}

/// A record of a Map-Register for a prefix of another site or of no site.
pub(super) fn record_not_taken(prefix: EidPrefix, site: &str) -> Told {
    let why = format!("it came in a register of site {site}, which does not have this EID prefix");
    let advice =
        format!("configure `eid-prefix` of site {site}, or correct `database-mapping` there");
    Told::new(format!("Map-Register for {prefix}"), why, advice)
}

/// A Map-Register that is signed with a wrong key.
pub(super) fn wrong_key(prefix: EidPrefix, site: &str, has_key: bool) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    match has_key {
        true => {
            let advice = "compare `authentication-key` of the site here with the key of `etr \
                          map-server` at the sender";
            Told::new(what, "it is signed with another key", advice)
        }
        false => {
            let advice = "configure `authentication-key` of the site";
            Told::new(what, "the site has no key here", advice)
        }
    }
}

/// A Map-Register whose nonce is not greater than the last nonce of its sender. `nonces` are the
/// nonce of this register and the last one.
pub(super) fn nonce_not_greater(
    prefix: EidPrefix,
    site: &str,
    nonces: (Nonce, Nonce),
    sender: &Sender,
) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    let (nonce, last) = nonces;
    let why = format!(
        "its nonce {nonce} is not greater than {last}, the last nonce of {sender}: it is an old \
         message, or the clock of its sender was set back"
    );
    let advice = format!(
        "if the sender is yours, correct its clock, which nonces are made from, or turn this check off \
         with `nonce-order none` of site {site}; if it is not yours, it may be an attack"
    );
    Told::new(what, why, advice)
}

/// A Map-Register that was received before, from a sender without an order of nonces. `nonces` are
/// the nonce of this register and that of the newest register of the site.
pub(super) fn octets_came_before(prefix: EidPrefix, site: &str, nonces: (Nonce, Nonce)) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    let (nonce, newest) = nonces;
    let why = format!(
        "it is a replay: the same message with nonce {nonce} came before, and the site's newest \
         register has nonce {newest}"
    );
    let advice = "ignore it if it is rare: it came late; otherwise a sender repeats old messages";
    Told::new(what, why, advice)
}

/// A Map-Register that was received before, about a prefix that has moved since then.
pub(super) fn repetition_of_moved(prefix: EidPrefix, site: &str) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    let why = "the same message came before, and another xTR has registered the prefix since";
    let advice = "look in `show lisp site` for that xTR; the sender gets the prefix back with a new \
                  nonce";
    Told::new(what, why, advice)
}

/// A table of the map-server that is full.
pub(super) fn map_server_full(prefix: EidPrefix, site: &str) -> Told {
    let what = format!("Map-Register for {prefix} of site {site}");
    let advice = "look at `show lisp site` for xTRs and EID prefixes that are not needed";
    Told::new(what, "this map-server has no room for another one", advice)
}

/// A Map-Notify that cannot be stored until it is acknowledged. The source of this refusal is the
/// xTR to which the Map-Notify should be sent.
pub(super) fn too_many_notifies(prefix: EidPrefix) -> Told {
    let why = "too many xTRs have not acknowledged theirs";
    let advice = "see whether Map-Notifies reach the xTRs";
    Told::new(format!("to send another Map-Notify for {prefix}"), why, advice)
}

/// A TCP connection that is not expected, for example because no Map-Register came before it.
pub(super) fn uninvited_session(listens: bool, is_admitted: bool) -> Told {
    let (why, advice) = match (listens, is_admitted) {
        (false, _) => {
            let why = "this router takes no reliable sessions";
            (why, "configure `map-server` here, or look at its sender for a wrong address")
        }
        (true, false) => {
            let why = "no Map-Register with the right key came from its address before it";
            (why, "ignore it if it is rare: its sender registers again and comes back")
        }
        (true, true) => ("there are too many sessions", "use several map-servers"),
    };
    Told::new("TCP connection", why, advice)
}

/// A frame that is not a valid message of reliable transport.
pub(super) fn bad_frame(error: &StreamError) -> Told {
    let advice = "capture the session, and tell the maker of its sender";
    Told::new("message of a reliable session", error.to_string(), advice)
}

/// A message of reliable transport that only the other end of a session may send.
pub(super) fn wrong_way(message: &str, role: &str) -> Told {
    let why = format!("this router is the {role} of the session");
    Told::new(message, why, "tell the maker of its sender")
}

/// The line about an Error Notification: the other end refused a message of ours.
pub(super) fn not_understood(peer: IpAddr, error: &ErrorNotification) -> Event {
    let ErrorNotification { code, offending_type, offending_message_id, .. } = error;
    Event::MessageRefused {
        peer,
        message_type: *offending_type,
        message_id: *offending_message_id,
        error: code.to_string(),
    }
}
