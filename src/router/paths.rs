//! What the core network says about the ways to remote locators (RFC 9300 sections 6.3 and 7.2).
//!
//! ICMP that the kernel has matched with a packet of ours, or the kernel's own routes, say that a
//! locator cannot be reached, or how large a packet may be on the way to it. Both are believed for a
//! while only: without probes nothing else would ever take them back.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use etherparse::{Icmpv4Type, Icmpv6Type, PacketBuilder, icmpv4};

use super::Router;
use super::io::{Encapsulation, Output, PathEvent};
use crate::addr::{Family, InstanceId, Rloc};
use crate::packet::{IpHeader, OwnedPacket, Packet};
use crate::time::Time;

/// How long a locator is left for others.
pub(super) const UNREACHABLE_FOR: Duration = Duration::from_secs(15);
/// How long a path MTU is kept (RFC 1191 section 6.3).
const MTU_FOR: Duration = Duration::from_secs(600);
/// Locators remembered of either kind.
const REMEMBERED: usize = 1024;
/// No IPv6 packet of this size may be refused (RFC 8200 section 5): where the way takes less, the
/// outer packet is fragmented.
const SMALLEST_MTU: u32 = 1280;
/// Octets of the largest ICMP error (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4), without its
/// own headers.
const QUOTED_V4: usize = 576 - 28;
const QUOTED_V6: usize = 1280 - 48;

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

    fn learn(&mut self, event: PathEvent, now: Time) {
        match event {
            PathEvent::Unreachable(rloc) => {
                if self.unreachable.len() < REMEMBERED || self.is_unreachable(rloc) {
                    self.unreachable.insert(rloc, now + UNREACHABLE_FOR);
                }
            }
            PathEvent::TooBig { rloc, mtu } => {
                if self.mtus.len() < REMEMBERED || self.mtus.contains_key(&rloc) {
                    self.mtus.insert(rloc, (mtu, now + MTU_FOR));
                }
            }
        }
    }
}

impl Router {
    /// Takes in what the core network said.
    pub(super) fn handle_path(&mut self, event: PathEvent, now: Time) {
        match event {
            PathEvent::Unreachable(rloc) => {
                self.counters.unreachable_rlocs += 1;
                self.notice(format!("locator {rloc} cannot be reached"));
            }
            PathEvent::TooBig { rloc, mtu } => {
                self.counters.path_mtus += 1;
                self.notice(format!("the path to locator {rloc} takes packets of {mtu} octets"));
            }
        }
        self.paths.learn(event, now);
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
        let answer = self.own_address(header.family()).and_then(|own| {
            deserves_error(packet.bytes).then(|| too_big(own, header, mtu, packet.bytes)).flatten()
        });
        self.outputs
            .extend(answer.map(|bytes| Output::Native(instance_id, OwnedPacket::single(bytes))));
        true
    }

    fn own_address(&self, family: Family) -> Option<IpAddr> {
        self.own_addresses.iter().copied().find(|address| Family::of(*address) == family)
    }
}

/// The ICMP error for the sender of a packet.
fn too_big(own: IpAddr, header: &IpHeader, mtu: u32, packet: &[u8]) -> Option<Vec<u8>> {
    const TTL: u8 = 64;
    let mut bytes = Vec::new();
    match (own, header.source) {
        (IpAddr::V4(own), IpAddr::V4(source)) => {
            let next_hop_mtu = u16::try_from(mtu).ok()?;
            let why = icmpv4::DestUnreachableHeader::FragmentationNeeded { next_hop_mtu };
            let builder = PacketBuilder::ipv4(own.octets(), source.octets(), TTL)
                .icmpv4(Icmpv4Type::DestinationUnreachable(why));
            builder.write(&mut bytes, &packet[..packet.len().min(QUOTED_V4)]).ok()?;
        }
        (IpAddr::V6(own), IpAddr::V6(source)) => {
            let builder = PacketBuilder::ipv6(own.octets(), source.octets(), TTL)
                .icmpv6(Icmpv6Type::PacketTooBig { mtu });
            builder.write(&mut bytes, &packet[..packet.len().min(QUOTED_V6)]).ok()?;
        }
        _ => return None,
    }
    Some(bytes)
}

/// No error is sent about an ICMP error or a later fragment (RFC 1122 section 3.2.2, RFC 4443 section
/// 2.4 e).
fn deserves_error(packet: &[u8]) -> bool {
    const ICMP: u8 = 1;
    const ICMP_V6: u8 = 58;
    if packet[0] >> 4 == 4 {
        let is_later_fragment = u16::from_be_bytes([packet[6], packet[7]]) & 0x1fff != 0;
        let kind = packet.get(usize::from(packet[0] & 15) * 4);
        let is_error = packet[9] == ICMP && !matches!(kind, Some(0 | 8));
        !is_later_fragment && !is_error
    } else {
        packet[6] != ICMP_V6 || packet.get(40).is_some_and(|kind| *kind >= 128)
    }
}
