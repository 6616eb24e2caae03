//! The ITR and the proxy ITR: packets of EIDs on their way into the overlay (RFC 9300 section 4,
//! RFC 6832 section 5).
//!
//! They differ in whose packets they take: an ITR those of its own site's EIDs, a proxy ITR
//! anybody's. Everything else is one path.

use std::net::IpAddr;

use super::Router;
use super::away::Producer;
use super::etr::Whereabouts;
use super::io::{DropReason, Encapsulation, Outbound, Output};
use super::locators::{self, LocalRlocs};
use super::map_cache::{Locator, Mapping};
use super::paths::Paths;
use super::resolve::Held;
use super::witness::Call;
use crate::addr::{Eid, Family, InstanceId};
use crate::packet::{self, IpHeader, Load, Packet};
use crate::prefix_map::Slot;
use crate::time::Time;
use crate::wire::DataHeader;

/// What the mapping of its destination means for a packet.
enum Verdict {
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
        let verdict = self.counted_outbound(instance_id, packet, now);
        if let Some(witness) = &mut self.witness {
            witness.outbound(verdict, packet.bytes);
        }
        verdict
    }

    fn counted_outbound(
        &mut self,
        instance_id: InstanceId,
        packet: &mut Packet<'_>,
        now: Time,
    ) -> Outbound {
        let Ok(header) = IpHeader::parse(packet.bytes) else {
            self.counters.dropped(DropReason::NotIp);
            return Outbound::Dropped(DropReason::NotIp);
        };
        let load = packet.load(header.total_len);
        if let Some((encapsulation, entry)) = self.flows.find(instance_id, &header) {
            self.map_cache.use_again(entry, load, now);
            if self.refuse_too_big(instance_id, &encapsulation, &header, packet) {
                self.counters.dropped(DropReason::TooBigForPath);
                return Outbound::Dropped(DropReason::TooBigForPath);
            }
            self.counters.encapsulations += load.packets;
            return Outbound::Encapsulate(encapsulation);
        }
        let outbound = match self.outbound(instance_id, &header, packet, now) {
            Ok(outbound) => outbound,
            Err(reason) => Outbound::Dropped(reason),
        };
        match outbound {
            Outbound::Encapsulate(_) => self.counters.encapsulations += load.packets,
            Outbound::Native => self.counters.native += load.packets,
            Outbound::Held => self.counters.held += 1,
            Outbound::Dropped(reason) => self.counters.dropped(reason),
        }
        outbound
    }

    fn outbound(
        &mut self,
        instance_id: InstanceId,
        header: &IpHeader,
        packet: &mut Packet<'_>,
        now: Time,
    ) -> Result<Outbound, DropReason> {
        if header.is_link_scoped() {
            return Err(DropReason::LinkScoped);
        }
        let roles = self.config.roles(header.family());
        let source = Eid::new(instance_id, header.source);
        let destination = Eid::new(instance_id, header.destination);
        if !roles.itr && !roles.proxy_itr {
            return Err(DropReason::NotAnItr);
        }
        // What is here has a route at a port and does not come this way, but in the instant in which its
        // link falls. What is away by a move or a registration elsewhere is sought like any other EID.
        match self.whereabouts(destination) {
            // Its host was found, and got its route, while the packet was on its way here.
            Whereabouts::Here(_) if self.mobility.hosts().contains_key(&destination) => {
                self.restore_hop(header, packet.bytes);
                return Ok(Outbound::Native);
            }
            Whereabouts::Here(_) | Whereabouts::Away(_, Producer::NoRoute) => {
                return Err(DropReason::LocalEidNoRoute);
            }
            Whereabouts::Away(..) | Whereabouts::Elsewhere => {}
        }
        if !roles.proxy_itr && !self.is_of_site(source, now) {
            self.counters.native_foreign_source += 1;
            self.restore_hop(header, packet.bytes);
            return Ok(Outbound::Native);
        }
        // What a host of a dynamic range says to its gateway first is answered before it is found.
        let is_newcomer = self.is_own_address(header.source) && self.is_undetected(destination);
        match self.verdict(destination, header, packet.load(header.total_len), now)? {
            Verdict::Encapsulate(mut encapsulation, entry) => {
                if self.refuse_too_big(instance_id, &encapsulation, header, packet) {
                    return Err(DropReason::TooBigForPath);
                }
                self.mark(&mut encapsulation, source, now);
                if self.is_found(source) {
                    self.flows.remember(instance_id, header, encapsulation, Some(entry));
                }
                Ok(Outbound::Encapsulate(encapsulation))
            }
            Verdict::Native
                if is_newcomer && self.search_for(destination, None, Some(packet), now) =>
            {
                Ok(Outbound::Held)
            }
            Verdict::Native => {
                self.restore_hop(header, packet.bytes);
                Ok(Outbound::Native)
            }
            Verdict::Ask => {
                if is_newcomer {
                    self.search_for(destination, None, None, now);
                }
                self.hold(destination, source, packet, now).map(|()| Outbound::Held)
            }
        }
    }

    fn verdict(
        &mut self,
        destination: Eid,
        header: &IpHeader,
        load: Load,
        now: Time,
    ) -> Result<Verdict, DropReason> {
        let Some((slot, entry)) = self.map_cache.use_for(destination, load, now) else {
            return Ok(Verdict::Native);
        };
        let wrap = |locators: &[Locator]| {
            let wrap =
                encapsulation(locators, &self.local, &self.paths, destination.instance_id, header)?;
            Ok(Verdict::Encapsulate(wrap, slot))
        };
        match &entry.mapping {
            Mapping::Locators(locators) => wrap(locators),
            Mapping::ForwardNative => match proxy_etrs(&self.proxy_etrs, header.family()) {
                [] => Ok(Verdict::Native),
                petrs => wrap(petrs),
            },
            Mapping::SendMapRequest => Ok(Verdict::Ask),
            Mapping::Drop => Err(DropReason::MappingDrops),
        }
    }

    /// Sets what of the LISP header the configuration asks for, in a packet of `source`.
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
                self.search_for(source, None, None, now);
            }
            return true;
        }
        self.database.longest_match(source).is_some()
    }

    /// Whether packets of `source` have nothing more to show: no host that is still to be found.
    fn is_found(&self, source: Eid) -> bool {
        !self.mobility.is_dynamic(source) || self.mobility.hosts().contains_key(&source)
    }

    /// Sends on what waited for a mapping of `eid`, in the order in which it came.
    pub(super) fn release(&mut self, eid: Eid, held: Held, now: Time) {
        for mut packet in held {
            let verdict =
                IpHeader::parse(&packet.bytes).map_err(|_| DropReason::NotIp).and_then(|header| {
                    let load = packet.borrow().load(header.total_len);
                    Ok((header, load, self.verdict(eid, &header, load, now)?))
                });
            match verdict {
                Ok((header, load, Verdict::Encapsulate(mut encapsulation, _))) => {
                    self.mark(&mut encapsulation, Eid::new(eid.instance_id, header.source), now);
                    self.flows.remember(eid.instance_id, &header, encapsulation, None);
                    self.counters.encapsulations += load.packets;
                    self.outputs.push_back(Output::Encapsulate(encapsulation, packet));
                }
                Ok((header, load, Verdict::Native)) => {
                    self.counters.native += load.packets;
                    self.restore_hop(&header, &mut packet.bytes);
                    self.outputs.push_back(Output::Native(eid.instance_id, packet));
                }
                Ok((_, _, Verdict::Ask)) => self.counters.dropped(DropReason::Unresolved),
                Err(reason) => self.counters.dropped(reason),
            }
        }
    }

    /// Sends on what waited for a mapping of an EID whose host has been found here.
    pub(super) fn release_here(&mut self, eid: Eid) {
        for mut packet in self.resolver.give_up(eid) {
            let Ok(header) = IpHeader::parse(&packet.bytes) else { continue };
            self.counters.native += packet.borrow().load(header.total_len).packets;
            self.restore_hop(&header, &mut packet.bytes);
            self.outputs.push_back(Output::Native(eid.instance_id, packet));
        }
    }

    /// The kernel took a hop off on the way into `lisp0` and takes another on the way out; without
    /// this a natively forwarded packet would see this router twice. The router's own packets
    /// have lost none.
    fn restore_hop(&self, header: &IpHeader, bytes: &mut [u8]) {
        if !self.is_own_address(header.source) {
            packet::set_ttl(bytes, header.ttl.saturating_add(1));
        }
    }

    fn is_own_address(&self, address: IpAddr) -> bool {
        self.own_addresses.contains(&address)
    }
}

fn proxy_etrs(of_both: &[Vec<Locator>; 2], family: Family) -> &[Locator] {
    match family {
        Family::Ipv4 => &of_both[0],
        Family::Ipv6 => &of_both[1],
    }
}

/// The outer headers for a packet (RFC 9300 section 5.3): TTL and type of service are the inner
/// ones, ECN by the normal mode of RFC 6040, which is a copy too.
pub(super) fn encapsulation(
    locators: &[Locator],
    local: &LocalRlocs,
    paths: &Paths,
    instance_id: InstanceId,
    header: &IpHeader,
) -> Result<Encapsulation, DropReason> {
    let (source, destination) = locators::select(locators, local, paths, header.flow_hash)
        .ok_or(DropReason::NoUsableLocator)?;
    Ok(Encapsulation {
        source,
        destination,
        flow_hash: header.flow_hash,
        ttl: header.ttl,
        tos: header.tos,
        header: data_header(instance_id).emit(),
    })
}

/// The LISP header of a packet without any mark (RFC 9300 section 8: no I bit for instance 0).
fn data_header(instance_id: InstanceId) -> DataHeader {
    let instance_id = (instance_id != InstanceId::DEFAULT).then_some(instance_id);
    DataHeader { instance_id, ..DataHeader::default() }
}
