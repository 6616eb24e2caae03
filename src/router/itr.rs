//! The ITR and the proxy ITR: they send packets for EIDs into the overlay (RFC 9300 section 4, RFC
//! 6832 section 5).
//!
//! An ITR accepts packets from the EIDs of its own site; a proxy ITR accepts packets from any
//! source. All other rules are the same for both routers.

use std::net::IpAddr;

use super::Router;
use super::away::Producer;
use super::decide::{Draft, Judgement, stopped};
use super::decision::{Awaited, Because, FlowWant, Origin, Rule, Table, Transit, Verdict};
use super::eid_location::EidLocation;
use super::io::{DropReason, Encapsulation, Outbound};
use super::last_drops::LastDrop;
use super::locators::{data_header, encapsulation};
use super::map_cache::{Locator, Mapping, Source};
use super::mobility::Discovery;
use super::searches::{Asker, Sought};
use super::witness::Call;
use crate::addr::{Eid, Family, InstanceId};
use crate::packet::{IpHeader, Packet};
use crate::time::Time;
use crate::wire::DataHeader;

impl Router {
    /// Decides on a packet that was read from the `lisp0` of an instance. The kernel may have
    /// decremented the TTL of the packet on the way into `lisp0`. If the verdict is `Native`, the
    /// packet has its old TTL again.
    pub fn encapsulate(
        &mut self,
        instance_id: InstanceId,
        packet: &mut Packet<'_>,
        now: Time,
    ) -> Outbound {
        let segment_size = packet.segment_size;
        self.witness(Call::Encapsulate { instance_id, packet: packet.bytes, segment_size }, now);
        let outbound = match self.leave_site(instance_id, packet, now) {
            Verdict::Encapsulate(wrap) | Verdict::Forward(wrap) => Outbound::Encapsulate(wrap),
            Verdict::Native | Verdict::Deliver => Outbound::Native,
            Verdict::Hold(_) => Outbound::Held,
            Verdict::Drop(reason) => Outbound::Dropped(reason),
        };
        for witness in &mut self.context.witnesses {
            witness.outbound(outbound, packet.bytes);
        }
        outbound
    }

    fn leave_site(
        &mut self,
        instance_id: InstanceId,
        packet: &mut Packet<'_>,
        now: Time,
    ) -> Verdict {
        let Ok(header) = IpHeader::parse(packet.bytes) else {
            let (reason, addresses) = (DropReason::NotIp, None);
            self.context.counters.dropped(reason, 1);
            let drop = LastDrop { at: now, addresses, encapsulator: None };
            self.context.last_drops.note(reason, drop);
            return Verdict::Drop(DropReason::NotIp);
        };
        if !self.context.reports_next_packet(now)
            && let Some((wrap, entry)) = self.flows.find(instance_id, &header)
            && self.mtu_exceeded(&wrap, &header, packet).is_none()
        {
            let load = packet.load(header.total_len);
            self.map_cache.count_use(entry, load, now);
            self.context.counters.encapsulations += load.packets;
            return Verdict::Encapsulate(wrap);
        }
        let transit = Transit::new(instance_id, header, Origin::Site, packet);
        let decision = self.decide(&transit, packet, now);
        self.carry_out(&decision, &transit, packet, now)
    }

    /// Judges a packet from the site.
    pub(super) fn outbound(&self, transit: &Transit, draft: &mut Draft, now: Time) -> Judgement {
        let header = &transit.header;
        if header.is_link_scoped() {
            return stopped(DropReason::LinkScoped, Because::rule(Rule::LinkScoped));
        }
        let roles = self.context.config.roles(header.family());
        if !roles.itr && !roles.proxy_itr {
            return stopped(DropReason::NotAnItr, Because::rule(Rule::NoItr));
        }
        // A packet for a local EID can reach `lisp0` only for a short time after the link of the
        // EID went down. An EID that moved or is registered elsewhere is looked up like any other
        // EID.
        let destination = transit.destination();
        let without_route = |table, prefix| {
            let because = Because::line(Rule::LocalEidWithoutRoute, table, prefix);
            stopped(DropReason::LocalEidNoRoute, because)
        };
        match EidLocation::of(destination, &self.database, &self.away) {
            // The host was found and got its route after the kernel had sent the packet to `lisp0`.
            EidLocation::Here(prefix) if self.mobility.hosts().contains_key(&destination) => {
                let because = Because::line(Rule::HostIsHere, Table::Database, prefix);
                return self.native(transit, draft, because);
            }
            EidLocation::Here(prefix) => return without_route(Table::Database, prefix),
            EidLocation::Away(prefix, Producer::NoRoute) => {
                return without_route(Table::Away, prefix);
            }
            EidLocation::Away(..) | EidLocation::Elsewhere => {}
        }
        if !roles.proxy_itr {
            let source = transit.source();
            if !self.is_of_site(source) {
                return self.native(transit, draft, Because::rule(Rule::ForeignSource));
            }
            // The source may be a host that has not been found. In this case, the host is on a port
            // of this router, but the packet does not show the port. So the router searches for the
            // host.
            draft.wants.search_source =
                !self.is_own_address(source.address) && self.is_to_be_searched(source);
        }
        self.by_map_cache(transit, draft, now)
    }

    /// Judges a packet by the mapping of its destination.
    fn by_map_cache(&self, transit: &Transit, draft: &mut Draft, now: Time) -> Judgement {
        let Some((slot, prefix, entry)) = self.map_cache.find(transit.destination()) else {
            let because = Because::rule(Rule::NoMapCacheEntry);
            return self.native_or_sought(transit, draft, because, now);
        };
        draft.wants.count = Some(slot);
        let table = match entry.source {
            Source::Static => Table::StaticMapCache,
            Source::MapReply => Table::MapCache,
        };
        let because = |rule| Because::line(rule, table, prefix);
        match &entry.mapping {
            Mapping::Locators(locators) => {
                self.to_a_locator(locators, transit, draft, because(Rule::Mapping))
            }
            Mapping::ForwardNative => match proxy_etrs(&self.proxy_etrs, transit.header.family()) {
                [] => self.native_or_sought(transit, draft, because(Rule::NegativeMapping), now),
                petrs => self.to_a_locator(petrs, transit, draft, because(Rule::ProxyEtr)),
            },
            Mapping::SendMapRequest => self.without_mapping(transit, draft, because),
            Mapping::Drop => stopped(DropReason::MappingDrops, because(Rule::DroppingMapping)),
        }
    }

    /// Encapsulates a packet to one of `locators`.
    fn to_a_locator(
        &self,
        locators: &[Locator],
        transit: &Transit,
        draft: &mut Draft,
        because: Because,
    ) -> Judgement {
        let (header, instance_id) = (&transit.header, transit.instance_id);
        let (local, reachability) = (&self.context.local, &self.reachability);
        let Some(wrap) = encapsulation(locators, local, reachability, instance_id, header) else {
            let because = Because { rule: Rule::NoUsableLocator, ..because };
            return stopped(DropReason::NoUsableLocator, because);
        };
        let source = transit.source();
        let (nonce, begins) =
            self.echo_nonce.nonce_for(&self.context.config, wrap.destination, source.family());
        let locator_status_bits =
            self.status_holds.bits(&self.context.config, &self.database, source);
        let marked = DataHeader { nonce, locator_status_bits, ..data_header(instance_id) };
        draft.wants.begin_echo = begins;
        draft.wants.remember = match self.is_found(source) {
            true => FlowWant::Decision,
            false => FlowWant::Sent,
        };
        (Verdict::Encapsulate(Encapsulation { header: marked.emit(), ..wrap }), because)
    }

    /// Forwards a packet without LISP. The kernel decremented the TTL on the way into `lisp0` and
    /// decrements it again on the way out. So this function adds one to the TTL: otherwise this
    /// router would count as two hops. For the router's own packets, the kernel decremented nothing
    /// on the way into `lisp0`.
    fn native(&self, transit: &Transit, draft: &mut Draft, because: Because) -> Judgement {
        if !self.is_own_address(transit.header.source) {
            draft.ttl = transit.header.ttl.saturating_add(1);
        }
        (Verdict::Native, because)
    }

    /// Forwards a packet without LISP, with one exception. The router can be the gateway of a host,
    /// and can answer the first packet of the host although the router has not found the host yet.
    /// This answer waits until the host is found.
    fn native_or_sought(
        &self,
        transit: &Transit,
        draft: &mut Draft,
        because: Because,
        now: Time,
    ) -> Judgement {
        if self.is_for_newcomer(transit) {
            let destination = transit.destination();
            let sought = self.prospect(destination, Asker::Site, now);
            if sought != Sought::Passes {
                draft.wants.search_destination = Some(Discovery::Search);
            }
            if sought == Sought::Waits {
                let because = Because { rule: Rule::HostIsSought, ..because };
                return (Verdict::Hold(Awaited::Host), because);
            }
        }
        self.native(transit, draft, because)
    }

    /// Lets a packet wait for a mapping, if the packet may wait.
    fn without_mapping(
        &self,
        transit: &Transit,
        draft: &mut Draft,
        because: impl Fn(Rule) -> Because,
    ) -> Judgement {
        if transit.has_waited {
            return stopped(DropReason::Unresolved, because(Rule::WaitedInVain));
        }
        let destination = transit.destination();
        if self.is_for_newcomer(transit) && self.is_to_be_searched(destination) {
            draft.wants.search_destination = Some(Discovery::Packet);
        }
        match self.resolver.may_hold(&self.context, destination) {
            Ok(()) => (Verdict::Hold(Awaited::Mapping), because(Rule::MissingMapping)),
            Err(reason) => {
                let rule = match reason {
                    DropReason::NoMapResolver => Rule::NoMapResolver,
                    DropReason::HoldQueueFull => Rule::HoldQueueFull,
                    _ => Rule::Resting,
                };
                stopped(reason, because(rule))
            }
        }
    }

    /// Whether the router itself sent the packet to a host that may be on a port of this router.
    /// The router has not found this host yet.
    fn is_for_newcomer(&self, transit: &Transit) -> bool {
        self.is_own_address(transit.header.source) && self.is_undetected(transit.destination())
    }

    /// Whether `source` is an EID of the site, or is in a dynamic range. A host in a dynamic range
    /// may not have been found yet.
    fn is_of_site(&self, source: Eid) -> bool {
        self.mobility.is_dynamic(source) || self.database.longest_match(source).is_some()
    }

    /// Whether the router has nothing to learn from packets of `source`: the source is not in a
    /// dynamic range, or is a host that was found.
    fn is_found(&self, source: Eid) -> bool {
        !self.mobility.is_dynamic(source) || self.mobility.hosts().contains_key(&source)
    }

    fn is_own_address(&self, address: IpAddr) -> bool {
        self.context.own_addresses.contains(&address)
    }
}

fn proxy_etrs(of_both: &[Vec<Locator>; 2], family: Family) -> &[Locator] {
    match family {
        Family::Ipv4 => &of_both[0],
        Family::Ipv6 => &of_both[1],
    }
}
