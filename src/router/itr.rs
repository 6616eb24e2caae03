//! The ITR and the proxy ITR: packets of EIDs on their way into the overlay (RFC 9300 section 4,
//! RFC 6832 section 5).
//!
//! They differ in whose packets they take: an ITR those of its own site's EIDs, a proxy ITR
//! anybody's. Everything else is one path.

use std::net::IpAddr;

use super::Router;
use super::away::Producer;
use super::eid_location::EidLocation;
use super::io::{DropReason, Encapsulation, Outbound};
use super::locators::{data_header, encapsulation};
use super::map_cache::{Locator, Mapping};
use super::search::{Asker, Sought};
use super::verdict::{HeldPacket, Origin, Verdict};
use super::witness::Call;
use crate::addr::{Eid, Family, InstanceId};
use crate::packet::{self, IpHeader, Load, Packet};
use crate::prefix_map::Slot;
use crate::time::Time;
use crate::wire::DataHeader;

/// What the mapping of its destination means for a packet.
enum Way {
    /// How, and the entry of the map-cache that says so.
    Encapsulate(Encapsulation, Slot),
    Native,
    Ask,
}

impl Router {
    /// Decides on a packet that was read from the `lisp0` of an instance. A verdict `Native` has
    /// given it back the hop that the detour cost.
    pub fn encapsulate(
        &mut self,
        instance_id: InstanceId,
        packet: &mut Packet<'_>,
        now: Time,
    ) -> Outbound {
        let segment_size = packet.segment_size;
        self.witness(Call::Encapsulate { instance_id, packet: packet.bytes, segment_size }, now);
        let outbound = match self.finished_outbound(instance_id, packet, now) {
            Ok(Verdict::Encapsulate(wrap) | Verdict::Forward(wrap)) => Outbound::Encapsulate(wrap),
            Ok(Verdict::Native | Verdict::Deliver) => Outbound::Native,
            Ok(Verdict::Hold) => Outbound::Held,
            Err(reason) => Outbound::Dropped(reason),
        };
        for witness in &mut self.witnesses {
            witness.outbound(outbound, packet.bytes);
        }
        outbound
    }

    fn finished_outbound(
        &mut self,
        instance_id: InstanceId,
        packet: &mut Packet<'_>,
        now: Time,
    ) -> Result<Verdict, DropReason> {
        let Ok(header) = IpHeader::parse(packet.bytes) else {
            self.context.counters.dropped(DropReason::NotIp, 1);
            return Err(DropReason::NotIp);
        };
        let decision = match self.flows.find(instance_id, &header) {
            Some((encapsulation, entry)) => {
                self.map_cache.use_again(entry, packet.load(header.total_len), now);
                Ok(Verdict::Encapsulate(encapsulation))
            }
            None => self.outbound(instance_id, &header, packet, true, now),
        };
        self.finish(decision, instance_id, &header, packet)
    }

    /// Decides on a packet of the site. `may_ask` says whether it may wait for a mapping: a packet
    /// that has waited for one does not wait for another.
    pub(super) fn outbound(
        &mut self,
        instance_id: InstanceId,
        header: &IpHeader,
        packet: &mut Packet<'_>,
        may_ask: bool,
        now: Time,
    ) -> Result<Verdict, DropReason> {
        if header.is_link_scoped() {
            return Err(DropReason::LinkScoped);
        }
        let roles = self.context.config.roles(header.family());
        let source = Eid::new(instance_id, header.source);
        let destination = Eid::new(instance_id, header.destination);
        if !roles.itr && !roles.proxy_itr {
            return Err(DropReason::NotAnItr);
        }
        // A packet for a local EID reaches `lisp0` only in the moment after its link went down. An EID
        // that moved or is registered elsewhere is looked up like any other.
        match EidLocation::of(destination, &self.database, &self.away) {
            // Its host was found, and got its route, while the packet was on its way here.
            EidLocation::Here(_) if self.mobility.hosts().contains_key(&destination) => {
                return Ok(Verdict::Native);
            }
            EidLocation::Here(_) | EidLocation::Away(_, Producer::NoRoute) => {
                return Err(DropReason::LocalEidNoRoute);
            }
            EidLocation::Away(..) | EidLocation::Elsewhere => {}
        }
        if !roles.proxy_itr && !self.is_of_site(source, now) {
            self.context.counters.native_foreign_source += packet.load(header.total_len).packets;
            return Ok(Verdict::Native);
        }
        // The gateway's answer to a host's first packet may come before the host is found.
        let is_newcomer = self.is_own_address(header.source) && self.is_undetected(destination);
        match self.way(destination, header, packet.load(header.total_len), now)? {
            Way::Encapsulate(mut encapsulation, entry) => {
                self.mark(&mut encapsulation, source, now);
                let entry = (may_ask && self.is_found(source)).then_some(entry);
                self.flows.remember(instance_id, header, encapsulation, entry);
                Ok(Verdict::Encapsulate(encapsulation))
            }
            Way::Native => {
                let held = || HeldPacket::new(packet, header, Origin::Site);
                let is_sought = is_newcomer
                    && self.search_for(destination, Asker::Site, Some(&held), now) == Sought::Waits;
                match is_sought {
                    true => Ok(Verdict::Hold),
                    false => Ok(Verdict::Native),
                }
            }
            Way::Ask if !may_ask => Err(DropReason::Unresolved),
            Way::Ask => {
                if is_newcomer {
                    self.search_for(destination, Asker::Site, None, now);
                }
                let held = || HeldPacket::new(packet, header, Origin::Site);
                self.hold(destination, source, held, now).map(|()| Verdict::Hold)
            }
        }
    }

    fn way(
        &mut self,
        destination: Eid,
        header: &IpHeader,
        load: Load,
        now: Time,
    ) -> Result<Way, DropReason> {
        let Some((slot, entry)) = self.map_cache.use_for(destination, load, now) else {
            return Ok(Way::Native);
        };
        let wrap = |locators: &[Locator]| {
            let wrap = encapsulation(
                locators,
                &self.context.local,
                &self.paths,
                destination.instance_id,
                header,
            )?;
            Ok(Way::Encapsulate(wrap, slot))
        };
        match &entry.mapping {
            Mapping::Locators(locators) => wrap(locators),
            Mapping::ForwardNative => match proxy_etrs(&self.proxy_etrs, header.family()) {
                [] => Ok(Way::Native),
                petrs => wrap(petrs),
            },
            Mapping::SendMapRequest => Ok(Way::Ask),
            Mapping::Drop => Err(DropReason::MappingDrops),
        }
    }

    /// Sets the nonce and the Locator-Status-Bits of a packet of `source`, if configured.
    fn mark(&mut self, encapsulation: &mut Encapsulation, source: Eid, now: Time) {
        let nonce = self.nonce_for(encapsulation.destination, source.family(), now);
        let locator_status_bits = self.status_bits(source);
        let marked = DataHeader { nonce, locator_status_bits, ..data_header(source.instance_id) };
        encapsulation.header = marked.emit();
    }

    /// Whether `source` is one of the site's EIDs. A host of a dynamic range that has not been found
    /// shows by its packet that it is on some port; the packet does not say on which, so it is looked
    /// for.
    fn is_of_site(&mut self, source: Eid, now: Time) -> bool {
        if self.mobility.is_dynamic(source) {
            if !self.mobility.hosts().contains_key(&source) && !self.is_own_address(source.address)
            {
                self.search_for(source, Asker::Site, None, now);
            }
            return true;
        }
        self.database.longest_match(source).is_some()
    }

    /// Whether packets of `source` have nothing more to show: no host that is still to be found.
    fn is_found(&self, source: Eid) -> bool {
        !self.mobility.is_dynamic(source) || self.mobility.hosts().contains_key(&source)
    }

    /// The kernel took a hop off on the way into `lisp0` and takes another on the way out; without
    /// this a natively forwarded packet would see this router twice. The router's own packets
    /// have lost none.
    pub(super) fn restore_hop(&self, header: &IpHeader, bytes: &mut [u8]) {
        if !self.is_own_address(header.source) {
            packet::set_ttl(bytes, header.ttl.saturating_add(1));
        }
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
