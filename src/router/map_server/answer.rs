//! Makes the answers to Map-Requests from the registrations. These functions are the map-resolver
//! part of a map-server (RFC 9301 sections 8.1, 8.3 and 8.4).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::{MapServer, SiteEntry};
use crate::addr::{Eid, EidPrefix, Family, Rloc};
use crate::router::answers::{self, Arrival, Asked, MOST_RECORDS};
use crate::router::config::Config;
use crate::router::context::Context;
use crate::router::counters::ControlDrop;
use crate::router::event::MessageEvent;
use crate::router::explanations;
use crate::router::reason::MessageReason;
use crate::router::replies::{Credit, Replies, headers};
use crate::router::request_decision::RequestDecision;
use crate::router::site_records::{Answer as ReplyAnswer, AnswerFrom, SiteRecords};
use crate::time::Time;
use crate::wire::{
    self, Action, CONTROL_PORT, EidRecord, Encapsulated, MapRequest, MappingRecord, Message,
};

/// TTL of the negative answer for a prefix of a site, if no ETR has registered the prefix (RFC 9301
/// section 8.1).
const UNREGISTERED_TTL_MINUTES: u32 = 1;
/// TTL of the negative answer for a prefix that is not configured for any site.
const UNKNOWN_TTL_MINUTES: u32 = 15;

/// The router forwards one Map-Request to at most this number of ETRs. The sender of a request is
/// not authenticated, so a request for many EIDs must not cause messages to a hundred ETRs.
const MOST_ETRS: usize = 4;

/// A negative answer is for a prefix that contains no mapping. To test a prefix, the router reads
/// at most this number of the registered and configured prefixes inside it. If there are more, the
/// prefix counts as a prefix with a mapping, and the negative answer is for a longer prefix.
const MOST_LOOKED_AT: usize = 64;

/// The maximum TTL of a forwarded inner packet, plus one. If map-servers forward a request to each
/// other in a loop, the TTL expires and the loop ends.
const MOST_FORWARDS: u8 = 8;

/// Determines the RLOCs of ETRs to which this router can send a Map-Request.
struct Reach<'a> {
    /// The address families in which this router has an RLOC.
    families: &'a [Family],
    /// The router's own addresses. A request to one of these addresses would return to the router.
    own: &'a BTreeSet<IpAddr>,
}

impl Reach<'_> {
    fn has(&self, rloc: Rloc) -> bool {
        self.families.contains(&rloc.family()) && rloc.is_unicast() && !self.own.contains(&rloc.0)
    }
}

/// The answer of the map-server to a Map-Request for an EID.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// Forward the request to an ETR.
    Forward {
        /// The ETR.
        etr: Rloc,
        /// The registered prefix.
        prefix: EidPrefix,
    },
    /// The map-server itself answers with the registrations of this prefix. There are two reasons:
    /// an ETR asked the map-server to answer, or no ETR can be asked because no locator is an IP
    /// address. In the second case there is a mapping, so the answer is not negative.
    Proxy {
        /// The prefix.
        prefix: EidPrefix,
        /// Whether an ETR asked the map-server to answer.
        for_etr: bool,
    },
    /// There is no mapping for this prefix.
    Negative {
        /// The prefix.
        prefix: EidPrefix,
        /// The TTL of the answer in minutes.
        ttl_minutes: u32,
        /// Whether the EID is in an EID prefix of a site.
        is_of_site: bool,
    },
}

impl MapServer {
    /// Returns the answer for the requested prefix `asked`. The answer comes from the longest
    /// registered prefix that covers all of `asked`. If no registered prefix covers all of `asked`,
    /// the answer comes from the longest registered prefix that covers the first address of
    /// `asked`. If the router can neither answer from this prefix itself nor ask its ETRs, the
    /// answer is negative.
    fn answer(&self, asked: &EidPrefix, reach: &Reach<'_>) -> Answer {
        let eid = asked.network();
        let registered = |asked: &EidPrefix| {
            self.entries.covering(asked).filter(|(_, entry)| entry.is_registered()).last()
        };
        if let Some((prefix, entry)) = registered(asked).or_else(|| registered(&eid.host_prefix()))
        {
            let registrations = entry.registrations.iter();
            if registrations.clone().any(|registration| registration.proxy_reply) {
                return Answer::Proxy { prefix, for_etr: true };
            }
            if let Some(etr) = choose_etr(entry, reach) {
                return Answer::Forward { etr, prefix };
            }
            let mut locators =
                entry.registrations.iter().flat_map(|registration| &registration.record.locators);
            if locators.all(|locator| locator.ip().is_none()) {
                return Answer::Proxy { prefix, for_etr: false };
            }
        }
        self.negative(eid, reach)
    }

    /// Returns the negative answer for an EID without a registration (RFC 9301 section 8.1). If the
    /// EID is in a configured prefix, the answer is for the largest part of the configured prefix
    /// that contains the EID but contains no registration. Otherwise the answer is for the largest
    /// prefix that contains the EID but contains no prefix of a site.
    fn negative(&self, eid: Eid, reach: &Reach<'_>) -> Answer {
        let host = eid.host_prefix();
        let configured = self.entries.covering(&host).filter(|(_, entry)| entry.origin.is_none());
        match configured.last() {
            Some((configured, _)) => {
                let registered = |hole: &EidPrefix| {
                    let mut inside = self.entries.covered_by(hole);
                    let mut some = inside.by_ref().take(MOST_LOOKED_AT);
                    some.any(|(_, entry)| is_answered(entry, reach)) || inside.next().is_some()
                };
                let prefix = least_specific(eid, configured.mask_len(), registered);
                let ttl_minutes = UNREGISTERED_TTL_MINUTES;
                Answer::Negative { prefix, ttl_minutes, is_of_site: true }
            }
            None => {
                let known = |hole: &EidPrefix| self.entries.covered_by(hole).next().is_some();
                let prefix = least_specific(eid, 0, known);
                let ttl_minutes = UNKNOWN_TTL_MINUTES;
                Answer::Negative { prefix, ttl_minutes, is_of_site: false }
            }
        }
    }
}

/// Returns the shortest prefix that has at least `min_len` bits, contains `eid`, and for which
/// `taken` returns false. If there is none, returns the host prefix of `eid`.
fn least_specific(eid: Eid, min_len: u8, taken: impl Fn(&EidPrefix) -> bool) -> EidPrefix {
    let host = eid.host_prefix();
    let nets = (min_len..host.mask_len()).filter_map(|len| IpNet::new(eid.address, len).ok());
    let holes: Vec<_> = nets.map(|net| EidPrefix::new(eid.instance_id, net)).collect();
    // A longer prefix is a part of a shorter prefix. So if `taken` is false for a prefix, `taken`
    // is false for all longer prefixes too, and a binary search finds the shortest one.
    holes.get(holes.partition_point(taken)).copied().unwrap_or(host)
}

/// Returns the record with which a map-server answers in place of ETRs. The record has the locators
/// of all ETRs. These locators are not marked as local, and the record is not authoritative (RFC
/// 9301 section 8.3). If there are no locators, the record has the ACT of the first registration.
pub(super) fn proxy_record(prefix: EidPrefix, entry: &SiteEntry) -> MappingRecord {
    let mut locators: Vec<wire::LocatorRecord> = Vec::new();
    let mut ttl_minutes = u32::MAX;
    for registration in entry.registrations.iter() {
        ttl_minutes = ttl_minutes.min(registration.record.ttl_minutes);
        for locator in &registration.record.locators {
            let known = locators.iter().any(|known| known.is_same(locator));
            if !known && locators.len() < usize::from(u8::MAX) {
                locators.push(wire::LocatorRecord { local: false, ..locator.clone() });
            }
        }
    }
    wire::sort_locators(&mut locators);
    let negative = entry.registrations.iter().next().filter(|_| locators.is_empty());
    MappingRecord {
        authoritative: false,
        action: negative.map_or(Action::NoAction, |registration| registration.record.action),
        ..MappingRecord::of_site(prefix, ttl_minutes, locators)
    }
}

/// Selects the ETR to which a Map-Request is forwarded (RFC 9301 section 8.3: one of the registered
/// ETRs). The function uses the first class below that is not empty. The RLOCs of this class get
/// the requests in turn, and the RLOC with the lowest priority is first. So if one ETR has failed,
/// the next request of the ITR reaches another ETR. The classes contain only RLOCs in `reach`:
///
/// 1. The own locators of the registering ETRs, if the locator has the R bit in all registrations.
/// 2. The own locators of the registering ETRs, also if another xTR of the site reports that the
///    locator cannot be reached.
/// 3. The source RLOCs of Map-Registers that cannot be replays.
/// 4. All locators with the R bit.
fn choose_etr(entry: &SiteEntry, reach: &Reach<'_>) -> Option<Rloc> {
    let registrations = || entry.registrations.iter();
    let locators = || registrations().flat_map(|registration| &registration.record.locators);
    let denied: BTreeSet<Rloc> = locators()
        .filter(|locator| !locator.reachable)
        .filter_map(wire::LocatorRecord::ip)
        .collect();
    let usable = || {
        let reachable = locators().filter(|locator| locator.reachable);
        let known = reachable.filter_map(|locator| Some((locator, locator.ip()?)));
        known.filter(|(_, rloc)| reach.has(*rloc))
    };
    let in_order = |(locator, rloc): (&wire::LocatorRecord, Rloc)| (locator.priority, rloc);
    let own = || usable().filter(|(locator, _)| locator.local);
    let proven = registrations().filter(|registration| registration.is_proven);
    let sources = proven.map(|registration| (0, Rloc(registration.source)));
    let in_turn = |class: BTreeSet<(u8, Rloc)>| {
        let turn = usize::from(entry.forwarded).checked_rem(class.len())?;
        class.into_iter().nth(turn).map(|(_, rloc)| rloc)
    };
    in_turn(own().filter(|(_, rloc)| !denied.contains(rloc)).map(in_order).collect())
        .or_else(|| in_turn(own().map(in_order).collect()))
        .or_else(|| in_turn(sources.filter(|(_, rloc)| reach.has(*rloc)).collect()))
        .or_else(|| in_turn(usable().map(in_order).collect()))
}

/// Whether the registrations of a prefix lead to an answer that is not negative.
fn is_answered(entry: &SiteEntry, reach: &Reach<'_>) -> bool {
    let mut registrations = entry.registrations.iter();
    registrations
        .any(|registration| registration.proxy_reply || registration.record.is_all_opaque())
        || choose_etr(entry, reach).is_some()
}

impl MapServer {
    /// Returns the decision on a Map-Request for one prefix.
    pub(in crate::router) fn explain(
        &self,
        context: &Context,
        asked: EidPrefix,
    ) -> RequestDecision {
        let families: Vec<Family> = context.local.itr_rlocs().iter().map(Rloc::family).collect();
        let reach = Reach { families: &families, own: &context.own_addresses };
        match self.answer(&asked, &reach) {
            Answer::Forward { etr, .. } => RequestDecision::Forward { etr },
            Answer::Proxy { prefix, .. } => match self.mapping(&prefix) {
                Some(record) => RequestDecision::Proxy(record),
                None => RequestDecision::Negative { prefix, ttl_minutes: UNKNOWN_TTL_MINUTES },
            },
            Answer::Negative { prefix, ttl_minutes, .. } => {
                RequestDecision::Negative { prefix, ttl_minutes }
            }
        }
    }

    /// Resolves an encapsulated Map-Request that the map-resolver received (RFC 9301 section 8.4).
    /// For each record, forwards the Map-Request to an ETR or answers the ITR.
    pub(in crate::router) fn resolve_map_request(
        &mut self,
        context: &mut Context,
        (replies, site): (&mut Replies, SiteRecords<'_>),
        (encapsulated, request): (&Encapsulated, &MapRequest),
        arrival: Arrival,
        now: Time,
    ) {
        let sender = arrival.sender;
        if request.records.is_empty() {
            return context.refuse(sender, ControlDrop::Malformed, now, explanations::asks_nothing);
        }
        answers::tell_unread_records(context, sender, request, now);
        let path = answers::reply_path(&context.local, request, arrival.at);
        let itr = path.map(|(_, itr)| itr).or_else(|| request.itr_rlocs.first().copied());
        let mut credit = Credit::of_request(itr.unwrap_or(Rloc(sender)), arrival.octets);
        let families: Vec<Family> = context.local.itr_rlocs().iter().map(Rloc::family).collect();
        let reach = Reach { families: &families, own: &context.own_addresses };
        let mut etrs: BTreeMap<Rloc, (EidPrefix, Vec<EidRecord>)> = BTreeMap::new();
        let (mut answers, mut forwarded) = (Vec::new(), Vec::new());
        for &record in request.records.iter().take(MOST_RECORDS) {
            let asked = record.eid_prefix;
            if let Some(own) = site.own_answer(&context.config, asked) {
                answers.push(own);
                continue;
            }
            let (about, from) = match self.answer(&asked, &reach) {
                Answer::Forward { etr, prefix } => {
                    etrs.entry(etr).or_insert((prefix, Vec::new())).1.push(record);
                    if context.traces_messages() {
                        forwarded.extend(self.forwarding_event(asked.network(), etr));
                    }
                    continue;
                }
                Answer::Proxy { prefix, for_etr } => {
                    (prefix, AnswerFrom::Registrations { for_etr })
                }
                Answer::Negative { prefix, ttl_minutes, is_of_site } => {
                    (prefix, AnswerFrom::Nothing { ttl_minutes, is_of_site })
                }
            };
            answers.push(ReplyAnswer { asked, about, from });
        }
        forwarded.into_iter().for_each(|event| context.trace(|| Some(event)));
        let others = etrs.len().saturating_sub(MOST_ETRS);
        for asked in etrs.into_iter().take(MOST_ETRS) {
            let asker = (sender, &mut credit);
            self.forward((context, replies), (encapsulated, request), asked, asker, now);
        }
        let told = || explanations::too_many_etrs(request, MOST_ETRS);
        context.refuse_parts(sender, (ControlDrop::RateLimited, others), now, told);
        match path {
            _ if answers.is_empty() => {}
            Some(path) => {
                let is_proxied =
                    |answer: &&ReplyAnswer| matches!(answer.from, AnswerFrom::Registrations { .. });
                context.counters.proxy_records += answers.iter().filter(is_proxied).count() as u64;
                let asked = Asked { request, arrival, path };
                let records = |config: &Config, answer: &ReplyAnswer, room| match answer.from {
                    AnswerFrom::Registrations { .. } => {
                        self.mapping(&answer.about).into_iter().collect()
                    }
                    _ => site.records(config, answer, None, room),
                };
                replies.reply(context, &asked, &answers, credit, &records, now);
            }
            None => answers::refuse_unanswerable(context, sender, request, now),
        }
    }

    fn forwarding_event(&self, eid: Eid, etr: Rloc) -> Option<MessageEvent> {
        let (eid_prefix, site) = self.configured_for(&eid.host_prefix())?;
        Some(MessageEvent::RequestForwarded { eid_prefix, site: site.to_string(), etr })
    }

    /// Forwards a Map-Request to an ETR. The forwarded message contains only the records that this
    /// ETR has to answer. If this ETR has to answer all records of the request, the inner packet is
    /// forwarded unchanged, except for the TTL (RFC 9301 section 8.3).
    fn forward(
        &mut self,
        (context, replies): (&mut Context, &mut Replies),
        (encapsulated, request): (&Encapsulated, &MapRequest),
        (etr, (registered, asked)): (Rloc, (EidPrefix, Vec<EidRecord>)),
        (sender, credit): (IpAddr, &mut Credit),
        now: Time,
    ) {
        let Some(source) = context.local.preferred(etr.family()) else {
            return;
        };
        let ttl = encapsulated.ttl.min(MOST_FORWARDS).saturating_sub(1);
        if ttl == 0 {
            let told = || explanations::forwarded_too_often(request, etr);
            return context.refuse(sender, ControlDrop::InnerTtlExpired, now, told);
        }
        let first = asked.first().map_or(registered, |first| first.eid_prefix);
        let reason = MessageReason::ForwardedRequest { asked: first, registered, etr };
        let as_it_came = Encapsulated { to_etr: false, to_ms: false, ttl, ..encapsulated.clone() };
        let message = match asked.first() {
            Some(first) if asked != request.records => {
                let eid = first.eid_prefix.network().address;
                let destination = SocketAddr::new(eid, encapsulated.destination.port());
                let part = MapRequest { records: asked, ..request.clone() };
                Encapsulated { destination, message: part.emit(), ..as_it_came }
            }
            _ => as_it_came,
        };
        let octets = message.emit();
        if !replies.spend(credit, headers(etr.family()) + octets.len(), now) {
            let told = || explanations::asked_too_often(request, credit.itr());
            return context.refuse(sender, ControlDrop::RateLimited, now, told);
        }
        if let Some(entry) = self.entries.get_mut(&registered) {
            entry.forwarded = entry.forwarded.wrapping_add(1);
        }
        context.counters.forwarded += 1;
        context.counters.encapsulated.sent += 1;
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        let to = SocketAddr::new(etr.0, CONTROL_PORT);
        log::debug!("{} to {to}", Message::Encapsulated(message));
        context.send_octets((from, to), octets, reason);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;
    use crate::addr::InstanceId;
    use crate::router::map_server::fixture::{eid, map_server, prefix, register, registration};
    use crate::router::map_server::{Others, Registration};

    /// Returns a reach that contains every unicast IPv4 RLOC except the addresses in `own`.
    fn reach(own: &BTreeSet<IpAddr>) -> Reach<'_> {
        Reach { families: &[Family::Ipv4], own }
    }

    fn negative(server: &MapServer, asked: &str) -> (String, u32) {
        match server.answer(&eid(asked).host_prefix(), &reach(&BTreeSet::new())) {
            Answer::Negative { prefix, ttl_minutes, .. } => (prefix.to_string(), ttl_minutes),
            other => panic!("{asked}: {other:?}"),
        }
    }

    #[test]
    fn a_configured_prefix_without_registration_is_answered_for_one_minute() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        assert_eq!(negative(&server, "172.16.0.12"), ("172.16.0.0/24".to_owned(), 1));
        register(&mut server, prefix("172.16.0.13/32"), "203.0.113.11", 1);
        assert_eq!(negative(&server, "172.16.0.12"), ("172.16.0.12/32".to_owned(), 1));
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        register(&mut server, prefix("172.16.0.128/25"), "203.0.113.11", 1);
        assert_eq!(negative(&server, "172.16.0.12"), ("172.16.0.0/25".to_owned(), 1));
    }

    #[test]
    fn the_holes_of_the_reference_network() {
        let sites = [
            "172.16.0.0/24",
            "192.168.0.0/24",
            "10.10.10.0/24",
            "10.20.20.0/24",
            "2001:db8:a::/64",
            "2001:db8:b::/64",
            "2001:db8:a10::/64",
            "2001:db8:a20::/64",
        ];
        let server = map_server(&sites.map(prefix));
        for (asked, hole) in [
            ("10.0.0.99", "10.0.0.0/13"),
            ("10.99.0.5", "10.64.0.0/10"),
            ("2001:db8:10::99", "2001:db8:10::/44"),
        ] {
            assert_eq!(negative(&server, asked), (hole.to_owned(), 15));
        }
    }

    proptest! {
        /// The test finds the expected prefix by its definition: the shortest prefix that contains
        /// the EID and overlaps no known prefix. Only eight bits of the address vary, so that the
        /// test can try every prefix.
        #[test]
        fn a_hole_is_the_least_specific_prefix_that_touches_nothing_known(
            known in prop::collection::vec((0u8..=255, 24u8..=32), 0..12),
            asked in 0u8..=255,
        ) {
            let net = |last: u8, len: u8| {
                let address: IpAddr = [10, 0, 0, last].into();
                EidPrefix::new(InstanceId::DEFAULT, ipnet::IpNet::new(address, len).unwrap())
            };
            let known: Vec<EidPrefix> = known.into_iter().map(|(last, len)| net(last, len)).collect();
            let asked = Eid::new(InstanceId::DEFAULT, [10, 0, 0, asked].into());
            prop_assume!(!known.iter().any(|prefix| prefix.contains(asked)));
            let octet = match asked.address {
                IpAddr::V4(address) => address.octets()[3],
                IpAddr::V6(_) => unreachable!("the EID is IPv4"),
            };
            let expected = if known.is_empty() {
                prefix("0.0.0.0/0")
            } else {
                (24..=32)
                    .map(|len| net(octet, len))
                    .find(|hole| !known.iter().any(|prefix| prefix.overlaps(hole)))
                    .unwrap()
            };
            let answer = map_server(&known).answer(&asked.host_prefix(), &reach(&BTreeSet::new()));
            prop_assert_eq!(
                answer,
                Answer::Negative {
                    prefix: expected,
                    ttl_minutes: UNKNOWN_TTL_MINUTES,
                    is_of_site: false,
                }
            );
        }
    }

    #[test]
    fn a_request_goes_to_the_etr_of_the_longest_registration() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        register(&mut server, prefix("172.16.0.0/24"), "203.0.113.11", 1);
        register(&mut server, prefix("172.16.0.128/25"), "198.51.100.21", 2);
        register(&mut server, prefix("172.16.0.0/26"), "198.51.100.22", 3);
        let none = BTreeSet::new();
        let asked = |text| server.answer(&prefix(text), &reach(&none));
        let etr = |text: &str, of: &str| Answer::Forward {
            etr: Rloc(text.parse().unwrap()),
            prefix: prefix(of),
        };
        let of_site = etr("203.0.113.11", "172.16.0.0/24");
        assert_eq!(asked("172.16.0.76/32"), of_site);
        assert_eq!(asked("172.16.0.6/32"), etr("198.51.100.22", "172.16.0.0/26"));
        assert_eq!(asked("172.16.0.130/32"), etr("198.51.100.21", "172.16.0.128/25"));
        assert_eq!(asked("172.16.0.0/24"), of_site, "all of it is asked for");
    }

    /// Registers a site that has two xTRs. Each xTR registers the locators of both xTRs, and sets
    /// the L bit of its own locator. The second xTR reports whether the locator of the first xTR
    /// can be reached.
    fn two_xtrs(first_is_reachable: bool) -> MapServer {
        let site = prefix("172.16.0.0/24");
        let mut server = map_server(&[site]);
        for (own, xtr_id) in [(0, 1), (1, 2)] {
            let mut one = registration(site, "203.0.113.11", xtr_id, 1440);
            let other = registration(site, "198.51.100.21", xtr_id, 1440);
            one.record.locators.extend(other.record.locators);
            for (number, locator) in one.record.locators.iter_mut().enumerate() {
                locator.priority = number as u8 + 1;
                locator.local = number == own;
                locator.reachable = number == 1 || own == 0 || first_is_reachable;
            }
            server.register(one, Others::GiveWay, Time::ZERO).unwrap();
        }
        server
    }

    fn asked_in_turn(server: &mut MapServer) -> Vec<String> {
        let ask = |_| {
            let answer = server.answer(&prefix("172.16.0.12/32"), &reach(&BTreeSet::new()));
            let Answer::Forward { etr, prefix } = answer else { panic!("{answer:?}") };
            server.entries.get_mut(&prefix).unwrap().forwarded += 1;
            etr.to_string()
        };
        (0..3).map(ask).collect()
    }

    #[test]
    fn requests_go_to_the_etrs_of_a_site_in_turn() {
        let asked = asked_in_turn(&mut two_xtrs(true));
        assert_eq!(asked, ["203.0.113.11", "198.51.100.21", "203.0.113.11"]);
    }

    #[test]
    fn no_request_goes_to_an_etr_that_another_xtr_of_the_site_reports_down() {
        let asked = asked_in_turn(&mut two_xtrs(false));
        assert_eq!(asked, ["198.51.100.21"; 3]);
    }

    #[test]
    fn a_registration_of_opaque_locators_alone_is_never_negative() {
        let site = prefix("172.16.0.0/24");
        let mut server = map_server(&[site]);
        let mut opaque = registration(site, "203.0.113.11", 1, 1440);
        opaque.record.locators[0].rloc = wire::Address::Name(b"rtr-lab-1"[..].into());
        server.register(opaque, Others::GiveWay, Time::ZERO).unwrap();
        let reach = Reach { families: &[], own: &BTreeSet::new() };
        let answer = Answer::Proxy { prefix: site, for_etr: false };
        assert_eq!(server.answer(&prefix("172.16.0.12/32"), &reach), answer);
        let record = server.mapping(&site).unwrap();
        assert!(record.is_all_opaque() && record.action == Action::NoAction);
    }

    #[test]
    fn a_proxy_reply_is_nobodys_own_and_not_authoritative() {
        let mut server = map_server(&[prefix("172.16.0.0/24")]);
        let site = prefix("172.16.0.0/24");
        let wants =
            Registration { proxy_reply: true, ..registration(site, "203.0.113.11", 1, 1440) };
        server.register(wants, Others::GiveWay, Time::ZERO).unwrap();
        let answer = server.answer(&prefix("172.16.0.12/32"), &reach(&BTreeSet::new()));
        assert_eq!(answer, Answer::Proxy { prefix: site, for_etr: true });
        let record = server.mapping(&site).unwrap();
        assert!(!record.authoritative && record.locators.iter().all(|locator| !locator.local));
        assert_eq!(record.ttl_minutes, 1440);
    }
}
