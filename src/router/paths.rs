//! What the core network says about the ways to remote locators (RFC 9300 sections 6.3 and 7.2).
//!
//! ICMP that the kernel has matched with a socket of ours, or the kernel's own routes, say that a
//! locator cannot be reached, or how large a packet may be on the way to it. Both are believed for a
//! while only: without probes nothing else would ever take them back. That the TTL of a packet was
//! used up says nothing about a locator: it goes on to the host that sent the packet, so that its
//! traceroute shows the core (RFC 6830 section 9).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Router;
use super::etr::Whereabouts;
use super::icmp::{self, AboutPacket};
use super::io::{Encapsulation, Output};
use crate::addr::{Eid, Family, InstanceId, Rloc};
use crate::packet::{IpHeader, OwnedPacket, Packet};
use crate::time::Time;
use crate::wire::{DataHeader, IcmpErrorKind};

/// How long a locator is left for others.
pub(super) const UNREACHABLE_FOR: Duration = Duration::from_secs(15);
/// How long a path MTU is kept (RFC 1191 section 6.3).
const MTU_FOR: Duration = Duration::from_secs(600);
/// Locators remembered of either kind.
const REMEMBERED: usize = 1024;
/// No IPv6 packet of this size may be refused (RFC 8200 section 5): where the way takes less, the
/// outer packet is fragmented.
const SMALLEST_MTU: u32 = 1280;
/// News of the path to a locator from packets that did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathEvent {
    /// The router's own kernel has no route to a locator. An error that ICMP brought is never this one.
    NoRoute(Rloc),
    /// ICMP from the core network about an encapsulated packet. The kernel has matched it with a
    /// socket of the router, and with nothing else.
    Icmp(IcmpError),
}

/// An ICMP error about an encapsulated packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcmpError {
    /// The locator that the packet was for.
    pub rloc: Rloc,
    /// The router that reports it.
    pub reporter: IpAddr,
    /// Its meaning.
    pub kind: IcmpErrorKind,
    /// The payload of the packet, from the LISP header on, as far as the error quotes it.
    pub quoted: Vec<u8>,
}

/// What is known of ways.
#[derive(Debug, Default)]
pub struct Paths {
    unreachable: BTreeMap<Rloc, Time>,
    mtus: BTreeMap<Rloc, (u32, Time)>,
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
        self.mtus.get(&rloc).map(|(mtu, _)| *mtu)
    }

    /// Locators that are being left for others, and until when.
    pub fn unreachable(&self) -> impl Iterator<Item = (Rloc, Time)> {
        self.unreachable.iter().map(|(rloc, until)| (*rloc, *until))
    }

    /// The routes changed, and with them what can be reached.
    pub(super) fn forget_unreachable(&mut self) {
        self.unreachable.clear();
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.unreachable.retain(|_, until| *until > now);
        self.mtus.retain(|_, (_, until)| *until > now);
    }

    pub(super) fn next_expiry(&self) -> Option<Time> {
        let mtus = self.mtus.values().map(|(_, until)| until);
        self.unreachable.values().chain(mtus).min().copied()
    }

    fn leave(&mut self, rloc: Rloc, now: Time) {
        let until = |until: &Time| *until;
        make_room(&mut self.unreachable, rloc, until);
        self.unreachable.insert(rloc, now + UNREACHABLE_FOR);
    }

    fn learn_mtu(&mut self, rloc: Rloc, mtu: u32, now: Time) {
        make_room(&mut self.mtus, rloc, |(_, until)| *until);
        self.mtus.insert(rloc, (mtu, now + MTU_FOR));
    }
}

/// In a full table, the entry that ends first gives its place to `rloc`.
fn make_room<V>(table: &mut BTreeMap<Rloc, V>, rloc: Rloc, until: impl Fn(&V) -> Time) {
    if table.len() < REMEMBERED || table.contains_key(&rloc) {
        return;
    }
    let first = table.iter().min_by_key(|(_, value)| until(value)).map(|(rloc, _)| *rloc);
    if let Some(first) = first {
        table.remove(&first);
    }
}

impl Router {
    /// Takes in what the kernel or the core network said.
    pub(super) fn handle_path(&mut self, event: PathEvent, now: Time) {
        let error = match event {
            PathEvent::NoRoute(rloc) => return self.leave_locator(rloc, "there is no route", now),
            PathEvent::Icmp(error) => error,
        };
        let IcmpError { rloc, reporter, kind, .. } = error;
        match kind {
            IcmpErrorKind::TooBig { mtu } => {
                self.counters.path_mtus += 1;
                if self.paths.mtu(rloc) != Some(mtu) {
                    self.notice(format!(
                        "the path to locator {rloc} takes packets of {mtu} octets, {reporter} says"
                    ));
                }
                self.paths.learn_mtu(rloc, mtu, now);
            }
            IcmpErrorKind::TimeExceeded => self.relay_time_exceeded(&error, now),
            IcmpErrorKind::Other => self.counters.icmp_ignored += 1,
            IcmpErrorKind::NetUnreachable
            | IcmpErrorKind::HostUnreachable
            | IcmpErrorKind::PortUnreachable
            | IcmpErrorKind::Prohibited => {
                let why = format!("{reporter} says {}", kind.describe());
                self.leave_locator(rloc, &why, now);
            }
        }
    }

    /// Leaves a locator for others of its mapping for a while.
    pub(super) fn leave_locator(&mut self, rloc: Rloc, why: &str, now: Time) {
        self.counters.unreachable_rlocs += 1;
        if !self.paths.is_unreachable(rloc) {
            self.notice(format!("locator {rloc} cannot be reached: {why}"));
        }
        self.paths.leave(rloc, now);
    }

    /// Tells a host that the TTL of its packet was used up in the core.
    fn relay_time_exceeded(&mut self, error: &IcmpError, now: Time) {
        let answer = self.time_exceeded_for_host(error, now);
        match answer {
            Some(_) => self.counters.time_exceeded_relayed += 1,
            None => self.counters.icmp_ignored += 1,
        }
        self.outputs.extend(answer);
    }

    /// The Time Exceeded for the host that sent the packet that the core quotes. Anybody can send an
    /// ICMP error, so it must quote what this router has sent: a flow that it encapsulated to that
    /// locator, from a host that is here.
    fn time_exceeded_for_host(&mut self, error: &IcmpError, now: Time) -> Option<Output> {
        let (lisp, inner) = DataHeader::parse(&error.quoted).ok()?;
        let header = IpHeader::parse_quoted(inner).ok()?;
        let instance_id = lisp.instance_id.unwrap_or_default();
        let source = Eid::new(instance_id, header.source);
        let is_of_ours = self.config.roles(header.family()).proxy_itr
            || matches!(self.whereabouts(source), Whereabouts::Here(_));
        if lisp.key != 0
            || !is_of_ours
            || !self.flows.has_sent(instance_id, &header, error.rloc)
            || !icmp::deserves_error(inner, &header)
            || !self.host_errors.admit(header.source, now)
        {
            return None;
        }
        let reporter = Some(error.reporter).filter(|reporter| {
            Family::of(*reporter) == header.family() && icmp::is_of_a_router(*reporter)
        });
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
        let mtu = path_mtu.saturating_sub(overhead);
        let may_be_fragmented = header.family() == Family::Ipv4 && packet.bytes[6] & 0x40 == 0;
        if mtu < SMALLEST_MTU
            || may_be_fragmented
            || packet.largest(header.total_len) <= mtu as usize
        {
            return false;
        }
        let answer = self.own_address_for(header.source).and_then(|own| {
            let about = AboutPacket::TooBig { mtu };
            icmp::deserves_error(packet.bytes, header)
                .then(|| icmp::error(about, own, header.source, packet.bytes))
                .flatten()
        });
        self.outputs
            .extend(answer.map(|bytes| Output::Native(instance_id, OwnedPacket::single(bytes))));
        true
    }

    /// The address at which a host knows this router: that of its own network, or else any of its
    /// family.
    fn own_address_for(&self, host: IpAddr) -> Option<IpAddr> {
        let mut networks = self.config.addresses();
        let on_link = networks.find(|(_, net)| net.contains(&host)).map(|(_, net)| net.addr());
        let of_family = |address: &IpAddr| {
            Family::of(*address) == Family::of(host) && icmp::is_of_a_router(*address)
        };
        on_link.or_else(|| self.own_addresses.iter().copied().find(of_family))
    }
}
