//! Replies of an ETR and of a map-server to Map-Requests (RFC 9301 sections 5.3 to 5.5). The
//! records of a site are made in [`super::site_records`], and the rate limits of the replies are in
//! [`super::replies`].

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::config::Config;
use super::context::Context;
use super::counters::ControlDrop;
use super::explanations;
use super::locators::LocalRlocs;
use super::reason::MessageReason;
use super::replies::{Credit, Replies};
use super::reply_records::ReplyRecords;
use super::site_records::{Answer, SiteRecords};
use crate::addr::Rloc;
use crate::time::Time;
use crate::wire::{CONTROL_PORT, MapReply, MapRequest, MappingRecord, Message};

/// The router looks up at most this number of records of one Map-Request.
pub(super) const MOST_RECORDS: usize = 8;

/// How a Map-Request arrived. The answer depends on this arrival, and on the contents of the
/// request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// The sender of the datagram.
    pub sender: IpAddr,
    /// The UDP port of the ITR. The router sends its reply to this port.
    pub reply_port: u16,
    /// This router's RLOC, to which the request was sent.
    pub at: Rloc,
    /// The length of the IP packet in octets.
    pub octets: usize,
}

/// A Map-Request that the router answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The request.
    pub request: &'a MapRequest,
    /// How the request arrived.
    pub arrival: Arrival,
    /// The source and the destination of the reply: an RLOC of this router, and an ITR-RLOC of the
    /// request.
    pub path: (Rloc, Rloc),
}

impl Replies {
    /// Answers a Map-Request for EIDs of the site. An ITR sent the request directly, or a
    /// map-server forwarded it. The request can be a probe. If an EID has no route, the router does
    /// not answer for this EID: the mapping system has to answer.
    pub(super) fn answer_map_request(
        &mut self,
        context: &mut Context,
        site: SiteRecords<'_>,
        request: &MapRequest,
        arrival: Arrival,
        now: Time,
    ) {
        tell_unread_records(context, arrival.sender, request, now);
        let asked = request.records.iter().take(MOST_RECORDS).map(|record| record.eid_prefix);
        let own = asked.filter_map(|asked| site.own_answer(&context.config, asked));
        let mut answers: Vec<Answer> = own.collect();
        if answers.is_empty() {
            answers.extend(site.proxy_answer(&context.config, request));
        }
        if answers.is_empty() {
            let told = || explanations::not_our_eid(request);
            return context.refuse(arrival.sender, ControlDrop::NotOurEid, now, told);
        }
        let Some(path) = reply_path(&context.local, request, arrival.at) else {
            return refuse_unanswerable(context, arrival.sender, request, now);
        };
        let credit = Credit::of_request(path.1, arrival.octets);
        let probed = request.probe.then_some(arrival.at);
        let records =
            |config: &Config, answer: &Answer, room| site.records(config, answer, probed, room);
        let asked = Asked { request, arrival, path };
        self.reply(context, &asked, &answers, credit, &records, now);
    }

    /// Sends a reply to the ITR-RLOC. The reply contains only the `answers` that the rate limits of
    /// the ITR-RLOC permit. If the rate limits permit no answer, no reply is sent. `records_of`
    /// makes the records of an answer. The last argument of `records_of` is the approximate number
    /// of octets that these records may have.
    pub(super) fn reply(
        &mut self,
        context: &mut Context,
        asked: &Asked<'_>,
        answers: &[Answer],
        mut credit: Credit,
        records_of: &dyn Fn(&Config, &Answer, usize) -> Vec<MappingRecord>,
        now: Time,
    ) {
        let Asked { request, arrival, path: (source, itr) } = *asked;
        let probed = request.probe.then_some(arrival.at);
        let mut records = ReplyRecords::new(itr.family(), self.may_send(&credit, now));
        let mut admitted = BTreeMap::new();
        let (mut too_often, mut too_large) = (0, 0);
        let mut first: Option<&Answer> = None;
        for answer in answers {
            let admit = || records.has_room() && self.admit(itr, answer.about, probed, now);
            if !*admitted.entry(answer.about).or_insert_with(admit) {
                too_often += 1;
            } else if !records.tell_of(answer)
                && !records.push(records_of(&context.config, answer, records.room()))
            {
                too_large += 1;
            } else {
                first = first.or_else(|| (!records.is_empty()).then_some(answer));
            }
        }
        let first =
            first.filter(|_| !records.is_empty() && self.spend(&mut credit, records.octets(), now));
        let Some(first) = first else {
            let told = || explanations::asked_too_often(request, itr);
            let refused = (ControlDrop::RateLimited, answers.len());
            return context.refuse_parts(arrival.sender, refused, now, told);
        };
        let told = || explanations::asked_too_often(request, itr);
        context.refuse_parts(arrival.sender, (ControlDrop::RateLimited, too_often), now, told);
        let told = || explanations::reply_is_full(request);
        let refused = (ControlDrop::TooManyRecords, too_large);
        context.refuse_parts(arrival.sender, refused, now, told);
        let reply = map_reply(&context.config, request, records.into_records());
        let cause = first.reason(request.probe);
        let reason = MessageReason::MapReply { itr, asked: first.asked, cause };
        send_map_reply(context, source, SocketAddr::new(itr.0, arrival.reply_port), reply, reason);
    }
}

/// Counts and reports the records that the router does not look up: all records of a Map-Request
/// after its first [`MOST_RECORDS`] records.
pub(super) fn tell_unread_records(
    context: &mut Context,
    source: IpAddr,
    request: &MapRequest,
    now: Time,
) {
    let unread = request.records.len().saturating_sub(MOST_RECORDS);
    let told = || explanations::too_many_records(request, MOST_RECORDS);
    context.refuse_parts(source, (ControlDrop::TooManyRecords, unread), now, told);
}

/// Makes the reply to a Map-Request. The E bit of the reply says whether the site of the records
/// supports echo-nonce (RFC 9300 section 10.1).
fn map_reply(config: &Config, request: &MapRequest, records: Vec<MappingRecord>) -> MapReply {
    let own = records.iter().find(|record| record.authoritative);
    let echo_nonce =
        own.is_some_and(|record| config.loc_reach(record.eid_prefix.family()).echo_nonce);
    let nonce = request.nonce;
    MapReply { probe: request.probe, echo_nonce, security: false, nonce, records }
}

/// Refuses a Map-Request, because the router has no path for the reply.
pub(super) fn refuse_unanswerable(
    context: &mut Context,
    source: IpAddr,
    request: &MapRequest,
    now: Time,
) {
    let told = || explanations::no_reply_path(request);
    context.refuse(source, ControlDrop::NoReplyPath, now, told);
}

/// Returns the source and the destination of a reply: an RLOC of this router, and an ITR-RLOC of
/// the request. `asked` is the RLOC that received the request. If the request has an ITR-RLOC of
/// the same address family, the source is `asked`. The router does not reply to an ITR-RLOC that is
/// not the address of one router, for example a multicast address.
pub(super) fn reply_path(
    local: &LocalRlocs,
    request: &MapRequest,
    asked: Rloc,
) -> Option<(Rloc, Rloc)> {
    let itr_rlocs = || request.itr_rlocs.iter().filter(|itr| !local.is_no_router_address(**itr));
    let same =
        |own: Rloc| itr_rlocs().find(|itr| itr.family() == own.family()).map(|itr| (own, *itr));
    let own = |itr: &Rloc| local.preferred(itr.family()).map(|own| (own, *itr));
    same(asked).or_else(|| itr_rlocs().find_map(own))
}

fn send_map_reply(
    context: &mut Context,
    source: Rloc,
    to: SocketAddr,
    reply: MapReply,
    reason: MessageReason,
) {
    context.counters.map_replies.sent += 1;
    context.counters.replied(&reply, |count| &mut count.sent);
    if reply.records.iter().any(|record| record.locators.is_empty()) {
        context.counters.negative_map_replies.sent += 1;
    }
    let from = SocketAddr::new(source.0, CONTROL_PORT);
    // A source port of zero means that there is no source port (RFC 768), so the reply goes to the
    // control port.
    let port = if to.port() == 0 { CONTROL_PORT } else { to.port() };
    let to = SocketAddr::new(to.ip(), port);
    context.send_control((from, to), &Message::MapReply(reply), reason);
}
