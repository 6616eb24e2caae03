//! What the core network says about the ways to remote locators (RFC 9300 sections 6.3 and 7.2).
//!
//! ICMP that the kernel has matched with a socket of ours, or the kernel's own routes, say that a
//! locator cannot be reached, or how large a packet may be on the way to it. Both are believed for a
//! while only: without probes nothing else would ever take them back. That the TTL of a packet was
//! used up says nothing about a locator: it goes on to the host that sent the packet, so that its
//! traceroute shows the core (RFC 6830 section 9).
//!
//! Anybody can send an ICMP error: one that is not about a packet of this router has no effect
//! (`quote.rs`). A router that reports very many makes its own reports give way, not those of others.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Router;
use super::bounded::{Bounded, Fill, Limit};
use super::etr::Whereabouts;
use super::icmp::{self, AboutPacket};
use super::io::{Encapsulation, Output};
use super::quote::QuotedFlow;
use crate::addr::{Eid, Family, InstanceId, Rloc};
use crate::packet::{IpHeader, OwnedPacket, Packet};
use crate::time::Time;
use crate::wire::IcmpErrorKind;

/// How long a locator is left for others.
pub(super) const UNREACHABLE_FOR: Duration = Duration::from_secs(15);
/// How long a path MTU is kept (RFC 1191 section 6.3).
const MTU_FOR: Duration = Duration::from_secs(600);
/// Locators that are left for others. The longest known of the reporter with the most gives way.
const LEFT: Limit =
    Limit { name: "Locators left for others", capacity: 1024, idle: Duration::ZERO };
/// Path MTUs. The longest known of the reporter with the most gives way.
const MTUS: Limit = Limit { name: "Path MTUs", capacity: 1024, idle: Duration::ZERO };
/// Locators that packets for hosts that moved went on to; the longest unused gives way.
const ONWARD: Limit =
    Limit { name: "Locators of hosts that moved", capacity: 1024, idle: Duration::ZERO };
/// How long a locator is remembered after the last packet that went on to it.
const ONWARD_FOR: Duration = Duration::from_secs(60);
/// No IPv6 packet of this size may be refused (RFC 8200 section 5): where the way takes less, the
/// outer packet is fragmented.
const SMALLEST_MTU: u32 = 1280;
/// News of the path to a locator from packets that did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathEvent {
    /// The router's own kernel has no route to a locator. An error that ICMP brought is never this one.
    NoRoute(Rloc),
    /// ICMP that claims to be about an encapsulated packet. The kernel has matched it with a socket of
    /// the router, and with nothing else.
    Icmp(IcmpError),
}

/// An ICMP error about an encapsulated packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcmpError {
    /// The locator that the packet was for.
    pub rloc: Rloc,
    /// The UDP port that it was for.
    pub port: u16,
    /// The router that reports it.
    pub reporter: IpAddr,
    /// Its meaning.
    pub kind: IcmpErrorKind,
    /// The payload of the packet, from the LISP header on, as far as the error quotes it.
    pub quoted: Vec<u8>,
}

/// The MTU of the way to a locator.
#[derive(Clone, Copy, Debug)]
struct PathMtu {
    /// Octets, outer headers included.
    mtu: u32,
    /// How often less was told than before.
    changes: u64,
}

/// What is known of ways.
#[derive(Debug)]
pub struct Paths {
    /// Until when, and who reported it; the router itself has no address here.
    unreachable: Bounded<Rloc, Time, Option<IpAddr>>,
    /// What they take, and who reported it.
    mtus: Bounded<Rloc, PathMtu, IpAddr>,
    onward: Bounded<Rloc, ()>,
}

impl Default for Paths {
    fn default() -> Self {
        Paths {
            unreachable: Bounded::new(LEFT),
            mtus: Bounded::new(MTUS),
            onward: Bounded::new(ONWARD),
        }
    }
}

impl Paths {
    /// Whether a locator is to be left for others of its mapping.
    pub fn is_unreachable(&self, rloc: Rloc) -> bool {
        self.unreachable.contains_key(&rloc)
    }

    /// Octets that the way to a locator takes whole, outer headers included, if it is less than the
    /// first link does.
    pub fn mtu(&self, rloc: Rloc) -> Option<u32> {
        if self.mtus.is_empty() {
            return None;
        }
        self.mtus.get(&rloc).map(|path| path.mtu)
    }

    /// Locators that are being left for others, and until when.
    pub fn unreachable(&self) -> impl Iterator<Item = (Rloc, Time)> {
        self.unreachable.iter().map(|(rloc, until)| (*rloc, *until))
    }

    /// The routes changed, and with them what can be reached.
    pub(super) fn forget_unreachable(&mut self) {
        self.unreachable.retain(|_, _| false);
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.unreachable.expire(UNREACHABLE_FOR, now);
        self.mtus.expire(MTU_FOR, now);
        self.onward.expire(ONWARD_FOR, now);
    }

    pub(super) fn next_expiry(&self) -> Option<Time> {
        let unreachable = self.unreachable.first_use().map(|at| at + UNREACHABLE_FOR);
        let mtus = self.mtus.first_use().map(|at| at + MTU_FOR);
        unreachable.into_iter().chain(mtus).min()
    }

    /// How full the tables are.
    pub fn fills(&self) -> [Fill; 3] {
        [self.unreachable.fill(), self.mtus.fill(), self.onward.fill()]
    }

    // In the three tables another entry always gives way, so that none is turned away.

    fn leave(&mut self, rloc: Rloc, reporter: Option<IpAddr>, now: Time) {
        let _ = self.unreachable.insert(rloc, reporter, now + UNREACHABLE_FOR, now);
    }

    /// Takes in the MTU of a link on the path. It replaces a larger one, and never a smaller one (RFC 8201
    /// section 4): a path that has grown shows when the entry has ended. Returns how often it has become
    /// less, if it has.
    fn learn_mtu(&mut self, rloc: Rloc, mtu: u32, reporter: IpAddr, now: Time) -> Option<u64> {
        let known = self.mtus.get(&rloc);
        if known.is_some_and(|known| mtu > known.mtu) {
            return None;
        }
        let is_less = known.is_none_or(|known| mtu < known.mtu);
        let changes = known.map_or(0, |known| known.changes) + u64::from(is_less);
        let _ = self.mtus.insert(rloc, reporter, PathMtu { mtu, changes }, now);
        is_less.then_some(changes)
    }

    /// A packet for a host that moved goes on to a locator.
    pub(super) fn sent_on(&mut self, rloc: Rloc, now: Time) {
        let _ = self.onward.insert(rloc, (), (), now);
    }
}

impl Router {
    /// Takes in what the kernel or the core network said.
    pub(super) fn handle_path(&mut self, event: PathEvent, now: Time) {
        let error = match event {
            PathEvent::NoRoute(rloc) => {
                return self.leave_locator(rloc, None, "there is no route", now);
            }
            PathEvent::Icmp(error) => error,
        };
        let flow = match self.quoted_flow(&error) {
            Ok(flow) => flow,
            Err(why) => return self.disbelieve(&error, why),
        };
        let IcmpError { rloc, reporter, kind, .. } = error;
        match kind {
            IcmpErrorKind::TooBig { mtu } => {
                self.context.counters.path_mtus += 1;
                let changes = self.paths.learn_mtu(rloc, mtu, reporter, now);
                if changes.is_some_and(u64::is_power_of_two) {
                    self.context.notice(format!(
                        "the path to locator {rloc} takes packets of {mtu} octets, {reporter} says"
                    ));
                }
            }
            IcmpErrorKind::TimeExceeded => self.relay_time_exceeded(reporter, flow, now),
            IcmpErrorKind::Other => self.context.counters.icmp_ignored += 1,
            IcmpErrorKind::NetUnreachable
            | IcmpErrorKind::HostUnreachable
            | IcmpErrorKind::PortUnreachable
            | IcmpErrorKind::Prohibited => {
                let why = format!("{reporter} says {}", kind.describe());
                self.leave_locator(rloc, Some(reporter), &why, now);
            }
        }
    }

    /// Whether packets go to a locator: of the map-cache, a proxy ETR, or one that a host moved to.
    pub(super) fn is_in_use(&self, rloc: Rloc) -> bool {
        self.map_cache.is_used(rloc)
            || self.paths.onward.contains_key(&rloc)
            || self.proxy_etrs.iter().flatten().any(|locator| locator.rloc == rloc)
    }

    /// Leaves a locator for others of its mapping for a while. `reporter` is `None` if the router has
    /// found out by itself.
    pub(super) fn leave_locator(
        &mut self,
        rloc: Rloc,
        reporter: Option<IpAddr>,
        why: &str,
        now: Time,
    ) {
        self.context.counters.unreachable_rlocs += 1;
        if !self.paths.is_unreachable(rloc) {
            self.context.notice(format!("locator {rloc} cannot be reached: {why}"));
        }
        self.paths.leave(rloc, reporter, now);
    }

    /// Tells a host that the TTL of its packet was used up in the core.
    fn relay_time_exceeded(&mut self, by: IpAddr, flow: Option<QuotedFlow<'_>>, now: Time) {
        let answer = flow.and_then(|flow| self.time_exceeded_for_host(by, &flow, now));
        match answer {
            Some(_) => self.context.counters.time_exceeded_relayed += 1,
            None => self.context.counters.icmp_ignored += 1,
        }
        self.context.outputs.extend(answer);
    }

    /// The Time Exceeded for the host that sent the packet of a flow, if it is here. The router `by` of
    /// the core says it.
    fn time_exceeded_for_host(
        &mut self,
        by: IpAddr,
        flow: &QuotedFlow<'_>,
        now: Time,
    ) -> Option<Output> {
        let &QuotedFlow { instance_id, header, inner } = flow;
        let source = Eid::new(instance_id, header.source);
        let is_of_ours = self.context.config.roles(header.family()).proxy_itr
            || matches!(self.whereabouts(source), Whereabouts::Here(_));
        if !is_of_ours
            || !icmp::deserves_error(inner, &header)
            || !self.host_errors.admit(header.source, now)
        {
            return None;
        }
        let reporter =
            Some(by).filter(|by| Family::of(*by) == header.family() && icmp::is_of_a_router(*by));
        let from = reporter.or_else(|| self.own_address_for(header.source))?;
        let quoted = &inner[..inner.len().min(header.total_len)];
        let bytes = icmp::error(AboutPacket::TimeExceeded, from, header.source, quoted)?;
        Some(Output::Native(instance_id, OwnedPacket::single(bytes)))
    }

    /// Tells the sender of a packet that it is too big for the way that it would take; false when it
    /// is not, or may be fragmented.
    pub(super) fn refuse_too_big(
        &mut self,
        instance_id: InstanceId,
        wrap: &Encapsulation,
        header: &IpHeader,
        packet: &Packet<'_>,
    ) -> bool {
        let Some(path_mtu) = self.paths.mtu(wrap.destination) else { return false };
        let overhead = match wrap.destination.family() {
            Family::Ipv4 => 36,
            Family::Ipv6 => 56,
        };
        let mtu = path_mtu.saturating_sub(overhead).max(SMALLEST_MTU);
        let may_be_fragmented = header.family() == Family::Ipv4 && packet.bytes[6] & 0x40 == 0;
        if may_be_fragmented || packet.largest(header.total_len) <= mtu as usize {
            return false;
        }
        let answer = self.own_address_for(header.source).and_then(|own| {
            let about = AboutPacket::TooBig { mtu };
            icmp::deserves_error(packet.bytes, header)
                .then(|| icmp::error(about, own, header.source, packet.bytes))
                .flatten()
        });
        self.context
            .outputs
            .extend(answer.map(|bytes| Output::Native(instance_id, OwnedPacket::single(bytes))));
        true
    }

    /// The address at which a host knows this router: that of its own network, or else any of its
    /// family.
    fn own_address_for(&self, host: IpAddr) -> Option<IpAddr> {
        let mut networks = self.context.config.addresses();
        let on_link = networks.find(|(_, net)| net.contains(&host)).map(|(_, net)| net.addr());
        let of_family = |address: &IpAddr| {
            Family::of(*address) == Family::of(host) && icmp::is_of_a_router(*address)
        };
        on_link.or_else(|| self.context.own_addresses.iter().copied().find(of_family))
    }
}
